/* x400_failures_test.c - rows of the failure catalogue about how one stack's octets were cut up for another: TSDUs in TPDUs of any size
 * (X.224 6.3: a TSDU's boundaries are the session's, a TPDU's nobody's), concatenated SPDUs (X.225 6.3.7), serial numbers of minor
 * synchronisation points (X.225 7.24: from 1 in each activity), lengths at which the form of a length changes. */
#include "flow/engine/x400/stack_test.h"
#include "flow/engine/x400/upper_test.h"
#include "flow/engine/x400/x400_test.h"

/* One direction of a line that cuts each TSDU anew: `cut` octets of it in each DT TPDU. */
struct cutter {
	struct out in, tsdu, tpdu;
	size_t cut;
	uint32_t serial;                 /* of the next synchronisation point in this activity; 0: none */
	unsigned points, ends, data;
};

static void cutter_init(struct cutter *c, size_t cut)
{
	*c = (struct cutter){ .cut = cut };
	out_init(&c->in, 1 << 26);
	out_init(&c->tsdu, 1 << 26);
	out_init(&c->tpdu, 1 << 26);
}

static void cutter_fini(struct cutter *c)
{
	out_fini(&c->in);
	out_fini(&c->tsdu);
	out_fini(&c->tpdu);
}

/* SI, LI, 2A, LI, digits */
static uint32_t serial_of(struct view spdu)
{
	uint32_t serial = 0;
	assert_true(spdu.n >= 5 && spdu.p[2] == 0x2a && spdu.p[3] <= 6 && spdu.n == (size_t)spdu.p[3] + 4);
	for (size_t i = 0; i < spdu.p[3]; i++)
		serial = serial * 10 + (spdu.p[4 + i] - (uint32_t)'0');
	return serial;
}

/* What the MTA of Q194685 did not: the first point of an activity is 1, each next one more, the end takes the next; and each stands behind
 * a whole SSDU. */
static void note_tsdu(struct cutter *c)
{
	enum { GT = 1, AS = 0x2d, MIP = 0x31, AE = 0x29, DT = 1 };
	const struct view t = out_view(&c->tsdu);
	if (t.n < 4 || t.p[0] != GT || t.p[1] != 0)
		return;
	const struct view spdu = view_from(t, 2);
	switch (spdu.p[0]) {
	case AS:
		c->serial = 1;
		c->data = 0;
		break;
	case MIP: case AE:
		assert_true(c->data > 0);
		assert_int_equal(serial_of(spdu), c->serial);
		c->serial++;
		c->points += spdu.p[0] == MIP;
		c->ends += spdu.p[0] == AE;
		c->data = 0;
		break;
	case DT: /* DATA TRANSFER has SI 1 too; alone or with an enclosure item that says "end" */
		c->data += spdu.p[1] == 0 || (spdu.p[1] == 3 && spdu.p[2] == 25 && (spdu.p[4] & 2) != 0);
		break;
	}
}

static void put_dt(struct cutter *c, struct user *to, struct view part, bool last)
{
	out_clear(&c->tpdu);
	out_u8(&c->tpdu, 2);
	out_u8(&c->tpdu, 0xf0);
	out_u8(&c->tpdu, last ? 0x80 : 0);
	out_bytes(&c->tpdu, part);
	struct out o;
	out_init(&o, 1 << 17);
	add_tpkt(&o, out_view(&c->tpdu));
	user_feed(to, out_view(&o), SIZE_MAX);
	out_fini(&o);
}

static void put_tsdu(struct cutter *c, struct user *to)
{
	struct view v = out_view(&c->tsdu);
	note_tsdu(c);
	do {
		const struct view part = view_first(v, c->cut);
		v = view_from(v, part.n);
		put_dt(c, to, part, v.n == 0);
	} while (v.n > 0);
	out_clear(&c->tsdu);
}

/* True: something went over. */
static bool cut_over(struct cutter *c, struct user *from, struct user *to)
{
	bool any = false;
	out_bytes(&c->in, out_view(x400_out(from->x)));
	out_drop(x400_out(from->x), out_len(x400_out(from->x)));
	for (;;) {
		const struct view v = out_view(&c->in);
		if (v.n < 7 || v.n < ((size_t)v.p[2] << 8 | v.p[3]))
			return any;
		const struct view tpkt = view_first(v, (size_t)v.p[2] << 8 | v.p[3]);
		any = true;
		if (tpkt.p[5] != 0xf0) {
			user_feed(to, tpkt, SIZE_MAX);
		} else {
			out_bytes(&c->tsdu, view_from(tpkt, 7));
			if (tpkt.p[6] == 0x80)
				put_tsdu(c, to);
		}
		out_drop(&c->in, tpkt.n);
	}
}

static void cut_pump(struct pair *p, struct cutter c[2])
{
	for (bool any = true; any;) {
		(void)user_run(&p->i);
		(void)user_run(&p->r);
		any = cut_over(&c[0], &p->i, &p->r);
		any = cut_over(&c[1], &p->r, &p->i) || any;
	}
}

static void cut_transfer(struct pair *p, struct cutter c[2], uint64_t total)
{
	struct err e;
	uint64_t done = 0;
	assert_true(x400_transfer_begin(p->i.x, total, p->i.now, &e));
	while (done < total) {
		give(&p->i, total, &done);
		cut_pump(p, c);
	}
	assert_received(&p->r, total);
}

/* Category 0 and the SPDU that it leads in different TPDUs; a wish for the turn within a transfer, and before its confirmation. */
static void test_k194385_k194686_k194685_tsdus_in_tpdus_of_any_size(void **state)
{
	(void)state;
	static const size_t cuts[] = { 1, 2, 3, 4, 5, 7, 13, 64, 1000 };
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct pair p;
		struct cutter c[2];
		struct err e;
		uint64_t done = 0;
		pair_config(&p);
		p.ci.two_way_alternate = p.cr.two_way_alternate = true;
		pair_start(&p);
		cutter_init(&c[0], cuts[i]);
		cutter_init(&c[1], cuts[i]);
		cut_pump(&p, c);
		assert_int_equal(p.i.count[X400_BOUND], 1);
		cut_transfer(&p, c, 2500);
		p.r.hold_end = true;
		assert_true(x400_transfer_begin(p.i.x, 3000, p.i.now, &e));
		give(&p.i, 900, &done);
		assert_true(x400_turn_please(p.r.x, 3, p.r.now, &e));
		cut_pump(&p, c);
		assert_int_equal(p.i.count[X400_TURN_PLEASE], 1);
		for (; done < 3000; cut_pump(&p, c))
			give(&p.i, 3000, &done);
		assert_true(x400_turn_please(p.r.x, 1, p.r.now, &e)); /* and the confirmation at once, in the same flight */
		assert_true(x400_transfer_accept(p.r.x, &e));
		cut_pump(&p, c);
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 2);
		assert_int_equal(p.i.count[X400_TURN_PLEASE], 2);
		assert_int_equal(c[0].points, 4); /* 2 of 2500 octets, 2 of 3000, by 1024 */
		assert_int_equal(c[0].ends, 2);
		assert_int_equal(p.i.count[X400_ENDED] + p.r.count[X400_ENDED], 0);
		pair_close(&p);
		cutter_fini(&c[0]);
		cutter_fini(&c[1]);
	}
}

/* A peer whose checkpoint size is 10, or anything else: three transfers over one association, since the next one failed too. */
static void test_k194386_k194685_any_checkpoint_size(void **state)
{
	(void)state;
	static const unsigned sizes[] = { 1, 2, 9, 10, 11, 63 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (unsigned window = 1; window <= 3; window += 2) {
			struct pair p;
			struct cutter c[2];
			const uint64_t total = 70 * 1024 + 1;
			pair_config(&p);
			p.ci.checkpoint_size = 64;
			p.cr.checkpoint_size = sizes[i];
			p.ci.window = p.cr.window = window;
			pair_start(&p);
			cutter_init(&c[0], 8000);
			cutter_init(&c[1], 8000);
			cut_pump(&p, c);
			assert_int_equal(p.i.last[X400_BOUND].checkpoint_size, sizes[i]);
			for (unsigned n = 1; n <= 3; n++) {
				cut_transfer(&p, c, total);
				assert_int_equal(c[0].points, n * ((total - 1) / (sizes[i] * 1024)));
				assert_int_equal(c[0].ends, n);
			}
			pair_close(&p);
			cutter_fini(&c[0]);
			cutter_fini(&c[1]);
		}
	}
}

/* 246 octets made a length that was written in the wrong form: every size about where BER and SPDUs change it, in one association. */
static void test_k194384_every_size_at_which_a_length_grows(void **state)
{
	(void)state;
	static const struct { uint64_t from, to; } ranges[] = { { 1, 20 }, { 100, 135 }, { 200, 270 }, { 65480, 65545 } };
	struct pair p;
	pair_config(&p);
	p.ci.checkpoint_size = p.cr.checkpoint_size = 0;
	p.ci.session.out_max = p.cr.session.out_max = 1 << 18;
	pair_bind(&p, NULL);
	unsigned n = 0;
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		for (uint64_t size = ranges[i].from; size <= ranges[i].to; size++) {
			transfer(&p.i, &p.r, size, NULL);
			assert_received(&p.r, size);
			assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], ++n);
		}
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k194385_k194686_k194685_tsdus_in_tpdus_of_any_size),
		cmocka_unit_test(test_k194386_k194685_any_checkpoint_size),
		cmocka_unit_test(test_k194384_every_size_at_which_a_length_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
