/* x400_recover_test.c - transfers that break off and go on: interrupted on an association that lives on, or cut with it and
 * resumed on one that recovers it (X.228 8.6 to 8.9). What is sent says where it stands (octet_at), so an octet lost or
 * twice is seen. */
#include "flow/engine/x400/upper_test.h"
#include "flow/engine/x400/x400_test.h"

enum { TOTAL = 3500, STRIDE = 1 }; /* three checkpoints of 1024 octets and a rest */

static uint32_t seed = 47;
static enum x400_mode mode; /* of the test that runs */

static void config(struct pair *p)
{
	pair_config(p);
	p->ci.resumes = p->cr.resumes = true;
	p->ci.mode = mode;
	if (mode != X400_NORMAL)
		p->ci.session.user_ref = VIEW("\x14\x01x"); /* X.410 4: T61String */
}

/* The receiver as it stands, on a new association. */
static void carry(const struct user *from, struct user *to)
{
	to->keeps = true;
	to->activity = from->activity;
	memcpy(to->point, from->point, sizeof to->point);
	out_bytes(&to->received, out_view(&from->received));
}

static void cut(struct pair *p)
{
	x400_transport_closed(p->i.x, NULL);
	x400_transport_closed(p->r.x, NULL);
	(void)user_run(&p->i);
	(void)user_run(&p->r);
}

/* Sends octets from `done` on to the end. */
static void finish(struct pair *p, uint64_t total, uint64_t done)
{
	for (unsigned turns = 0; done < total && p->i.count[X400_ENDED] == 0; turns++) {
		assert_true(turns < 100000);
		give(&p->i, total, &done);
		pump(&p->i, &p->r, NULL);
	}
	pump(&p->i, &p->r, NULL);
}

static void resume(struct pair *p, const struct x400_resume *at, uint64_t total)
{
	struct err e;
	if (!x400_transfer_resume(p->i.x, at, total, p->i.now, &e))
		fail_msg("%s", e.text);
	finish(p, total, at->offset);
}

/* What follows a cut: a new association recovers the old one, the transfer goes on there or begins anew. */
static void recover(struct pair *p, struct pair *q, uint64_t total)
{
	struct x400_resume at;
	const bool kept = x400_resumable(p->i.x, &at);
	const bool forgotten = p->r.count[X400_TRANSFER_END] > 0; /* accepted: only the confirmation was lost */
	struct err e;
	config(q);
	q->ci.checkpoint_size = p->ci.checkpoint_size;
	q->cr.checkpoint_size = p->cr.checkpoint_size;
	if (kept) {
		q->ci.recover = true;
		q->ci.recovers = at.reference;
	}
	pair_start(q);
	carry(&p->r, &q->r);
	if (forgotten)
		memset(q->r.point, 0, sizeof q->r.point);
	pump(&q->i, &q->r, NULL);
	assert_int_equal(q->i.count[X400_BOUND], 1);
	assert_int_equal(q->i.last[X400_BOUND].recovered, kept);
	if (kept) {
		assert_int_equal(at.offset, 1024 * at.serial);
		assert_true(at.serial <= p->r.last_serial); /* never ahead of what was confirmed */
		resume(q, &at, total);
	} else {
		assert_true(x400_transfer_begin(q->i.x, total, q->i.now, &e));
		finish(q, total, 0);
	}
	if (kept && forgotten) { /* RTAB unrecognizedActivity: then anew, and the receiver knows it for a duplicate */
		assert_int_equal(q->i.count[X400_ENDED], 1);
		assert_int_equal(q->i.last[X400_ENDED].err.kind, ERR_TEMP);
		assert_false(x400_resumable(q->i.x, &at));
		return;
	}
	assert_int_equal(q->i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(q->r.count[X400_TRANSFER_RESUME], kept ? 1 : 0);
	assert_received(&q->r, total);
	assert_false(x400_resumable(q->i.x, &at));
}

/* Moves octets until `most` of the sender's, or of the receiver's, have gone, and no more of that side. */
static bool move_some(struct pair *p, bool forth, size_t most, uint64_t total)
{
	size_t moved = 0;
	uint64_t done = 0;
	for (;;) {
		give(&p->i, total, &done);
		const size_t left = most - moved;
		const size_t n = forth && left == 0 ? 0 : wire_move(&p->i, &p->r, forth ? left : SIZE_MAX);
		const size_t m = !forth && left == 0 ? 0 : wire_move(&p->r, &p->i, forth ? SIZE_MAX : left);
		moved += forth ? n : m;
		if (moved == most)
			return true;
		if (n == 0 && m == 0)
			return false;
	}
}

/* Cut after each octet of one direction; true while there are that many. */
static bool cut_after(bool forth, size_t most, unsigned *resumed)
{
	struct pair p, q;
	struct err e;
	config(&p);
	pair_bind(&p, NULL);
	assert_true(x400_transfer_begin(p.i.x, TOTAL, p.i.now, &e));
	const bool there = move_some(&p, forth, most, TOTAL);
	cut(&p);
	if (p.i.count[X400_TRANSFER_CONFIRMED] == 0) {
		recover(&p, &q, TOTAL);
		*resumed += q.r.count[X400_TRANSFER_RESUME];
		pair_close(&q);
	} else {
		assert_received(&p.r, TOTAL);
	}
	pair_close(&p);
	return there;
}

static void test_rt_18_cut_at_every_octet_of_the_transfer(void **state)
{
	(void)state;
	unsigned resumed = 0;
	size_t n = 0;
	while (cut_after(true, n, &resumed))
		n += STRIDE;
	assert_true(n > TOTAL);
	assert_true(resumed > TOTAL - 3 * 1024 && resumed < n); /* the whole of what follows the first confirmation */
}

static void test_rt_18_cut_at_every_octet_of_the_confirmations(void **state)
{
	(void)state;
	unsigned resumed = 0;
	size_t n = 0;
	while (cut_after(false, n, &resumed))
		n++;
	assert_true(n > 3 * 14); /* MIAs, AEA: TPKT, DT, PT, SPDU */
	assert_true(resumed > 2 * 14);
}

/* Checkpoints were confirmed, the confirmations were lost: the sender goes on earlier than it could. */
static void test_rt_18_earlier_than_was_confirmed(void **state)
{
	(void)state;
	struct pair p, q;
	struct err e;
	struct x400_resume at;
	config(&p);
	pair_bind(&p, NULL);
	assert_true(x400_transfer_begin(p.i.x, TOTAL, p.i.now, &e));
	(void)move_some(&p, true, TOTAL - 100, TOTAL);
	cut(&p);
	assert_true(x400_resumable(p.i.x, &at));
	assert_int_equal(at.serial, 3);
	at.serial = 2;
	at.offset = 2048;
	config(&q);
	q.ci.recover = true;
	q.ci.recovers = at.reference;
	pair_start(&q);
	carry(&p.r, &q.r);
	pump(&q.i, &q.r, &seed);
	resume(&q, &at, TOTAL);
	assert_int_equal(q.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_received(&q.r, TOTAL);
	pair_close(&q);
	pair_close(&p);
}

/* On a second break what has been confirmed since counts, under the name of the association it began on. */
static void test_broken_twice(void **state)
{
	(void)state;
	struct pair p[3];
	struct err e;
	struct x400_resume at;
	config(&p[0]);
	pair_bind(&p[0], NULL);
	assert_true(x400_transfer_begin(p[0].i.x, 20000, p[0].i.now, &e));
	(void)move_some(&p[0], true, 3000, 20000);
	for (unsigned i = 1; i < 3; i++) {
		const uint32_t before = i == 1 ? 0 : at.serial;
		cut(&p[i - 1]);
		assert_true(x400_resumable(p[i - 1].i.x, &at));
		assert_true(at.serial > before);
		assert_int_equal(at.offset, at.serial * 1024);
		assert_int_equal(at.activity, 1);
		assert_true(view_eq(view_from(at.reference.user, 2), VIEW("x")));
		config(&p[i]);
		p[i].ci.session.user_ref = VIEW("\x04\x01y");
		p[i].ci.recover = true;
		p[i].ci.recovers = at.reference;
		pair_start(&p[i]);
		carry(&p[i - 1].r, &p[i].r);
		pump(&p[i].i, &p[i].r, NULL);
		if (i == 2) {
			resume(&p[i], &at, 20000);
			continue;
		}
		assert_true(x400_transfer_resume(p[i].i.x, &at, 20000, p[i].i.now, &e));
		uint64_t done = at.offset;
		give(&p[i].i, 9000, &done);
		pump(&p[i].i, &p[i].r, NULL);
	}
	assert_received(&p[2].r, 20000);
	for (unsigned i = 0; i < 3; i++)
		pair_close(&p[i]);
}

/* Q187929: the answer to a recovery has the parameters of the first; and where a peer answers with others, we go on with
 * those. */
static void test_checkpoint_size_changes_on_recovery_k187929(void **state)
{
	(void)state;
	static const unsigned sizes[] = { 0, 1, 2, 3, 9 };
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct pair p, q;
		struct err e;
		struct x400_resume at;
		config(&p);
		p.ci.checkpoint_size = p.cr.checkpoint_size = 2;
		pair_bind(&p, NULL);
		assert_true(x400_transfer_begin(p.i.x, 9000, p.i.now, &e));
		(void)move_some(&p, true, 5000, 9000);
		cut(&p);
		assert_true(x400_resumable(p.i.x, &at));
		assert_int_equal(at.offset, 4096);
		config(&q);
		q.ci.checkpoint_size = 9;
		q.cr.checkpoint_size = sizes[k];
		q.ci.recover = true;
		q.ci.recovers = at.reference;
		pair_start(&q);
		carry(&p.r, &q.r);
		pump(&q.i, &q.r, &seed);
		assert_int_equal(q.i.last[X400_BOUND].checkpoint_size, sizes[k]);
		resume(&q, &at, 9000);
		assert_received(&q.r, 9000);
		assert_int_equal(q.i.count[X400_TRANSFER_CONFIRMED], 1);
		/* The same proposal gets the same answer, recovered or not. */
		assert_int_equal(p.i.last[X400_BOUND].checkpoint_size, 2);
		pair_close(&q);
		pair_close(&p);
	}
}

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

/* Any checkpoint size, window, length and place of a break; what two sides want differs, and differs again afterwards. */
static void test_rt_18_any_sizes_windows_and_breaks_k189753(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 120; round++) {
		struct pair p, q;
		struct err e;
		struct x400_resume at;
		const uint64_t total = 1 + dice(300000);
		config(&p);
		p.ci.checkpoint_size = dice(65);
		p.cr.checkpoint_size = dice(65);
		p.ci.window = 1 + dice(6);
		p.cr.window = 1 + dice(6);
		pair_bind(&p, &seed);
		assert_true(x400_transfer_begin(p.i.x, total, p.i.now, &e));
		(void)move_some(&p, true, 1 + dice((uint32_t)total), total);
		cut(&p);
		if (p.i.count[X400_TRANSFER_CONFIRMED] == 1 || !x400_resumable(p.i.x, &at) || p.r.count[X400_TRANSFER_END] > 0) {
			pair_close(&p);
			continue;
		}
		config(&q);
		q.ci.checkpoint_size = dice(65);
		q.cr.checkpoint_size = dice(65);
		q.ci.window = 1 + dice(6);
		q.ci.recover = true;
		q.ci.recovers = at.reference;
		pair_start(&q);
		carry(&p.r, &q.r);
		pump(&q.i, &q.r, &seed);
		resume(&q, &at, total);
		assert_int_equal(q.i.count[X400_TRANSFER_CONFIRMED], 1);
		assert_received(&q.r, total);
		pair_close(&q);
		pair_close(&p);
	}
}

/* --- interrupted, and resumed on the same association --- */

static void test_rt_18_interrupted_at_every_point(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= TOTAL; n += 31) {
		struct pair p;
		struct err e;
		struct x400_resume at;
		uint64_t done = 0;
		config(&p);
		pair_bind(&p, NULL);
		transfer(&p.i, &p.r, 100, NULL); /* activity 1: nothing of it is mixed up with the next */
		assert_true(x400_transfer_begin(p.i.x, TOTAL, p.i.now, &e));
		give(&p.i, n, &done);
		(void)wire_move(&p.i, &p.r, SIZE_MAX);
		(void)wire_move(&p.r, &p.i, n % 2 == 0 ? SIZE_MAX : 14); /* the first confirmation only */
		x400_transfer_interrupt(p.i.x);
		p.r.keeps = true;
		pump(&p.i, &p.r, NULL);
		const bool kept = x400_resumable(p.i.x, &at);
		assert_int_equal(p.r.count[kept ? X400_TRANSFER_INTERRUPTED : X400_TRANSFER_ABORTED], 1);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		assert_int_equal(kept, n >= 1024);
		transfer(&p.i, &p.r, 0 + 50, NULL); /* something urgent goes between */
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 2);
		pair_close(&p);
	}
}

static void test_rt_18_resumed_on_the_same_association(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	struct x400_resume at;
	uint64_t done = 0;
	config(&p);
	pair_bind(&p, NULL);
	p.r.keeps = true;
	assert_true(x400_transfer_begin(p.i.x, 20000, p.i.now, &e));
	give(&p.i, 20000, &done);
	pump(&p.i, &p.r, NULL);
	for (unsigned i = 1; i <= 3; i++) {
		x400_transfer_interrupt(p.i.x);
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.r.count[X400_TRANSFER_INTERRUPTED], i);
		assert_true(x400_resumable(p.i.x, &at));
		assert_true(x400_transfer_resume(p.i.x, &at, 20000, p.i.now, &e));
		done = at.offset;
		give(&p.i, 20000, &done);
		pump(&p.i, &p.r, &seed);
		/* Named by its activity alone: no reference where it is this association. */
		assert_int_equal(p.r.last[X400_TRANSFER_RESUME].resume.reference.user.n, 0);
	}
	finish(&p, 20000, done);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_received(&p.r, 20000);
	pair_close(&p);
}

/* Long segments, of which part has gone: what stands before the interrupt is no whole value, and no error. */
static void test_rt_18_interrupted_inside_a_segment(void **state)
{
	(void)state;
	enum { ALL = 200000 };
	for (uint64_t n = 30000; n < 90000; n += 6007) {
		struct pair p;
		struct err e;
		struct x400_resume at;
		uint64_t done = 0;
		config(&p);
		p.ci.checkpoint_size = p.cr.checkpoint_size = 30;
		p.ci.session.out_max = 1 << 20;
		pair_bind(&p, NULL);
		p.r.keeps = true;
		assert_true(x400_transfer_begin(p.i.x, ALL, p.i.now, &e));
		give(&p.i, n, &done);
		pump(&p.i, &p.r, NULL);
		if (n % 2 == 0)
			x400_transfer_discard(p.i.x);
		else
			x400_transfer_interrupt(p.i.x);
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		if (x400_resumable(p.i.x, &at)) {
			resume(&p, &at, ALL);
		} else {
			assert_true(x400_transfer_begin(p.i.x, ALL, p.i.now, &e));
			finish(&p, ALL, 0);
		}
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
		assert_received(&p.r, ALL);
		pair_close(&p);
	}
}

static void test_nothing_is_taken_before_the_decision(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	struct x400_resume at;
	uint64_t done = 0;
	config(&p);
	pair_bind(&p, NULL);
	p.r.hold_resume = true;
	assert_true(x400_transfer_begin(p.i.x, 9000, p.i.now, &e));
	give(&p.i, 9000, &done);
	pump(&p.i, &p.r, NULL);
	x400_transfer_interrupt(p.i.x);
	pump(&p.i, &p.r, NULL);
	assert_true(x400_resumable(p.i.x, &at));
	assert_true(x400_transfer_resume(p.i.x, &at, 9000, p.i.now, &e));
	done = at.offset;
	p.r.received.n = p.r.received.head + (size_t)at.offset;
	give(&p.i, 9000, &done);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(out_len(&p.r.received), at.offset);
	assert_int_equal(x400_deadline(p.r.x), INT64_MAX); /* it is our user that is waited for */
	assert_true(x400_resume_accept(p.r.x, &e));
	assert_false(x400_resume_accept(p.r.x, &e));
	assert_false(x400_resume_refuse(p.r.x, p.r.now, &e));
	pump(&p.i, &p.r, NULL);
	finish(&p, 9000, done);
	assert_received(&p.r, 9000);
	pair_close(&p);
}

/* --- peers that cannot --- */

static void test_rt_16_refused_recovery(void **state)
{
	(void)state;
	struct pair p;
	config(&p);
	p.ci.recover = true;
	p.ci.recovers = (struct x400_reference){ VIEW("\x04\x01x"), VIEW("\x17\x0d" "261122003922Z"), VIEW("\x14\x02" "ab") };
	pair_start(&p);
	pump(&p.i, &p.r, &seed);
	assert_true(p.r.last[X400_BIND].recover);
	assert_int_equal(p.i.count[X400_BIND_REFUSED], 1);
	assert_int_equal(p.i.last[X400_BIND_REFUSED].bind_error, X400_BUSY);
	pair_close(&p);
}

static void test_a_name_that_cannot_be_said_is_not_recovered(void **state)
{
	(void)state;
	static const struct x400_reference bad[] = {
		{ { NULL, 0 }, { NULL, 0 }, { NULL, 0 } },
		{ VIEW("\x04\x01x"), { NULL, 0 }, { NULL, 0 } },
		{ VIEW("\x13\x01x"), VIEW("\x17\x0d" "261122003922Z"), { NULL, 0 } },
		{ VIEW("\x04\x02x"), VIEW("\x17\x0d" "261122003922Z"), { NULL, 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct pair p;
		config(&p);
		p.ci.recover = true;
		p.ci.recovers = bad[i];
		user_init(&p.i, &p.ci);
		(void)user_run(&p.i);
		assert_int_equal(p.i.count[X400_ENDED], 1);
		user_fini(&p.i);
	}
}

/* --- exception reports and aborts, by reason --- */

/* A sender with `confirmed` checkpoints confirmed, and one that is not. */
static void in_transfer(struct pair *p, bool confirmed)
{
	struct err e;
	uint64_t done = 0;
	pair_bind(p, NULL);
	p->r.hold_confirm = !confirmed;
	assert_true(x400_transfer_begin(p->i.x, 90000, p->i.now, &e));
	give(&p->i, 1500, &done);
	pump(&p->i, &p->r, NULL);
}

/* X.225 8.3.28 and X.228 8.6: what has a confirmed checkpoint is interrupted, unless it is beyond recovery. */
static void test_ss_24_exception_by_reason(void **state)
{
	(void)state;
	static const struct { unsigned reason; bool interrupts; } rows[] = {
		{ 0, true }, { 1, true }, { 3, true }, { 5, true }, { 6, false }, { 128, true }, { 99, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows) * 4; i++) {
		const bool confirmed = i % 2 == 0, resumes = i / 2 % 2 == 0;
		const bool interrupts = rows[i / 4].interrupts && confirmed && resumes;
		struct pair p;
		struct err e;
		struct x400_resume at;
		config(&p);
		p.ci.resumes = resumes;
		in_transfer(&p, confirmed);
		assert_true(session_exception_report(p.r.x->s, rows[i / 4].reason, &e));
		x400_change(p.r.x, X400_S_EXCEPTED);
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.r.count[X400_TRANSFER_INTERRUPTED], interrupts);
		assert_int_equal(p.r.count[X400_TRANSFER_ABORTED], !interrupts);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		assert_int_equal(p.i.last[X400_TRANSFER_FAILED].err.kind, ERR_TEMP);
		assert_int_equal(x400_resumable(p.i.x, &at), interrupts);
		/* The association goes on. */
		p.r.hold_confirm = false;
		transfer(&p.i, &p.r, 3000, NULL);
		assert_received(&p.r, 3000);
		pair_close(&p);
	}
}

/* AbortReason of X.228 9: temporary ones keep what was confirmed. */
static void test_rt_19_abort_by_reason(void **state)
{
	(void)state;
	static const struct { enum rtse_abort_reason reason; bool kept; enum err_kind kind; } rows[] = {
		{ RTSE_ABORT_LOCAL_SYSTEM, true, ERR_TEMP }, { RTSE_ABORT_INVALID_PARAMETER, false, ERR_PEER },
		{ RTSE_ABORT_UNRECOGNIZED_ACTIVITY, false, ERR_TEMP }, { RTSE_ABORT_TEMPORARY, true, ERR_TEMP },
		{ RTSE_ABORT_PROTOCOL, false, ERR_PEER }, { RTSE_ABORT_PERMANENT, false, ERR_PEER },
		{ RTSE_ABORT_USER, false, ERR_PEER },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pair p;
		struct x400_resume at;
		config(&p);
		in_transfer(&p, true);
		x400_send_abort(p.r.x, rows[i].reason);
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.i.count[X400_ENDED], 1);
		assert_int_equal(p.i.last[X400_ENDED].err.kind, rows[i].kind);
		assert_int_equal(x400_resumable(p.i.x, &at), rows[i].kept);
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 0);
		pair_close(&p);
	}
}

/* A time limit of ours is no reason to throw away what the peer has; a rule it broke is. */
static void test_own_aborts(void **state)
{
	(void)state;
	static const struct { enum err_kind kind; bool kept; } rows[] = { { ERR_TEMP, true }, { ERR_PEER, false }, { ERR_LOCAL, false } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pair p;
		struct err e;
		struct x400_resume at;
		config(&p);
		in_transfer(&p, true);
		err_set(&e, rows[i].kind, ERR_OF_ASSOCIATION, "as the test says");
		x400_abort(p.i.x, &e, p.i.now);
		assert_int_equal(x400_resumable(p.i.x, &at), rows[i].kept);
		pair_close(&p);
	}
}

/* transferCompleted (7) says that it cannot be discarded any more: believed where we asked for that, or where a resumed
 * transfer may have been complete before. */
static void test_rt_20_transfer_completed(void **state)
{
	(void)state;
	struct pair p;
	struct x400_resume at;
	config(&p);
	in_transfer(&p, true);
	x400_send_abort(p.r.x, RTSE_ABORT_TRANSFER_COMPLETED);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 0);
	assert_false(x400_resumable(p.i.x, &at));
	pair_close(&p);
	config(&p);
	in_transfer(&p, true);
	p.r.hold_resume = true;
	x400_transfer_interrupt(p.i.x);
	pump(&p.i, &p.r, NULL);
	assert_true(x400_resumable(p.i.x, &at));
	struct err e;
	assert_true(x400_transfer_resume(p.i.x, &at, 90000, p.i.now, &e));
	pump(&p.i, &p.r, NULL);
	x400_send_abort(p.r.x, RTSE_ABORT_TRANSFER_COMPLETED);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_false(x400_resumable(p.i.x, &at));
	pair_close(&p);
}

/* Our confirmation and its discard, or interrupt, cross: it has to be told that the message is ours. */
static void test_rt_20_discard_crosses_the_confirmation(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct pair p;
		struct err e;
		config(&p);
		pair_bind(&p, NULL);
		p.r.hold_end = true;
		transfer(&p.i, &p.r, 3000, NULL);
		assert_true(x400_transfer_accept(p.r.x, &e));
		if (i == 0)
			x400_transfer_discard(p.i.x);
		else
			x400_transfer_interrupt(p.i.x);
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 0);
		assert_int_equal(p.i.count[X400_ENDED], 1);
		assert_int_equal(p.r.count[X400_ENDED], 1);
		pair_close(&p);
	}
}

/* --- limits --- */

/* The last serial numbers: what is left when they are used up goes as one segment (X.225 8.3.20, 8.3.35). */
static void test_ss_20_serial_numbers_run_out(void **state)
{
	(void)state;
	const struct x400_resume at = { .activity = 9, .serial = 999995, .offset = 999995u * 1024u };
	const uint64_t total = at.offset + 70000;
	struct pair p;
	struct err e;
	config(&p);
	pair_bind(&p, NULL);
	p.r.hold_resume = true;
	assert_true(x400_transfer_resume(p.i.x, &at, total, p.i.now, &e));
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.r.last[X400_TRANSFER_RESUME].resume.serial, 999995);
	assert_true(x400_resume_accept(p.r.x, &e));
	finish(&p, total, at.offset);
	if (p.i.count[X400_TRANSFER_CONFIRMED] != 1)
		fail_msg("%s %s", p.i.last[X400_ENDED].err.text, p.r.last[X400_ENDED].err.text);
	assert_int_equal(p.r.last_serial, 999998);
	assert_int_equal(p.r.octets, 70000);
	pair_close(&p);
}

static void test_resume_out_of_place(void **state)
{
	(void)state;
	const struct x400_resume good = { .activity = 1, .serial = 1, .offset = 1024 };
	struct x400_resume bad[] = { good, good, good, good, good };
	struct pair p;
	struct err e;
	config(&p);
	pair_bind(&p, NULL);
	bad[0].activity = 0;
	bad[1].serial = 0;
	bad[2].offset = 3000;
	bad[3].serial = 999999;
	bad[4].activity = UINT64_C(1) << 31;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(x400_transfer_resume(p.i.x, &bad[i], 3000, p.i.now, &e));
	assert_false(x400_transfer_resume(p.r.x, &good, 3000, p.r.now, &e)); /* has no turn */
	assert_false(x400_resume_accept(p.r.x, &e));
	assert_false(x400_resume_refuse(p.r.x, p.r.now, &e));
	assert_false(x400_bind_recover(p.r.x, &e));
	x400_transfer_interrupt(p.i.x); /* of nothing */
	transfer(&p.i, &p.r, 3000, &seed);
	assert_received(&p.r, 3000);
	pair_close(&p);
}

/* X.228 8.3: a DER INTEGER; what is none cannot be named again. */
static void test_activity_identifiers(void **state)
{
	(void)state;
	static const struct { const char *hex; uint64_t number; } rows[] = {
		{ "020101", 1 }, { "02017f", 127 }, { "02020080", 128 }, { "02047fffffff", 0x7fffffff }, { "0203010000", 65536 },
		{ "020100", 0 }, { "0201ff", 0 }, { "0202007f", 0 }, { "020201", 0 }, { "02010101", 0 }, { "040101", 0 }, { "01", 0 }, { "", 0 },
		{ "313233343536", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o = from_hex(rows[i].hex);
		uint8_t octets[SESSION_ACTIVITY_MAX];
		assert_int_equal(x400_activity_number(out_view(&o)), rows[i].number);
		if (rows[i].number != 0)
			assert_true(view_eq(out_view(&o), x400_activity_octets(rows[i].number, octets)));
		out_fini(&o);
	}
}

static int normal(void **state)
{
	(void)state;
	mode = X400_NORMAL;
	return 0;
}

static int of_1984(void **state)
{
	(void)state;
	mode = X400_X410_84;
	return 0;
}

#define IN_1984(f) { #f "_in_1984", f, of_1984, normal, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rt_18_cut_at_every_octet_of_the_transfer),
		cmocka_unit_test(test_rt_18_cut_at_every_octet_of_the_confirmations),
		cmocka_unit_test(test_rt_18_earlier_than_was_confirmed),
		cmocka_unit_test(test_broken_twice),
		cmocka_unit_test(test_rt_18_any_sizes_windows_and_breaks_k189753),
		cmocka_unit_test(test_checkpoint_size_changes_on_recovery_k187929),
		cmocka_unit_test(test_rt_18_interrupted_at_every_point),
		cmocka_unit_test(test_rt_18_resumed_on_the_same_association),
		cmocka_unit_test(test_rt_18_interrupted_inside_a_segment),
		cmocka_unit_test(test_nothing_is_taken_before_the_decision),
		cmocka_unit_test(test_rt_16_refused_recovery),
		cmocka_unit_test(test_a_name_that_cannot_be_said_is_not_recovered),
		cmocka_unit_test(test_ss_24_exception_by_reason),
		cmocka_unit_test(test_rt_19_abort_by_reason),
		cmocka_unit_test(test_own_aborts),
		cmocka_unit_test(test_rt_20_transfer_completed),
		cmocka_unit_test(test_rt_20_discard_crosses_the_confirmation),
		cmocka_unit_test(test_ss_20_serial_numbers_run_out),
		cmocka_unit_test(test_resume_out_of_place),
		cmocka_unit_test(test_activity_identifiers),
		IN_1984(test_rt_18_cut_at_every_octet_of_the_transfer),
		IN_1984(test_rt_18_cut_at_every_octet_of_the_confirmations),
		IN_1984(test_broken_twice),
		IN_1984(test_checkpoint_size_changes_on_recovery_k187929),
		IN_1984(test_rt_18_resumed_on_the_same_association),
		IN_1984(test_rt_20_discard_crosses_the_confirmation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
