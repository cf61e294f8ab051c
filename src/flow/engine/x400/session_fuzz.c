/* session_fuzz.c - a session, initiator or responder, against a hostile peer and a user who asks
 * for anything at any time. No crash, no invariant broken, progress at every step, bounded memory,
 * and what is sent is well-formed.
 *
 * Octet 0: bits as in enum flag. Octet 1: chunk. Then either the raw stream, or (RECORDS) records:
 * 00..7e that many octets as a TSDU; 7f: two octets of length, a TSDU in a COTP DT without
 * end; 80..: a request. */
#include "base/cur.h"
#include "base/mem.h"
#include "flow/engine/x400/session_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum flag {
	INITIATOR = 1,
	RECORDS = 2,
	OPEN = 4,
	SEGMENTS = 8,
	SMALL = 16,
	VERSION1 = 32,
	REFUSES = 64,
	SHORT_SSDU = 128
};

enum { COLLECT_MAX = 3000, SSDU_MAX = 20000, OCTETS = 9000, BUF_MAX = 2048 };

struct fuzz {
	struct session *s;
	unsigned flags;
	size_t chunk;
	bool failed;
	uint64_t ssdu;
};

static const uint8_t octets[OCTETS];

/* Whole TPKTs always, DT within the agreed size. */
static void check_output(struct fuzz *f)
{
	struct view v = out_view(session_out(f->s));
	while (v.n > 0) {
		assert(v.n >= 7 && v.p[0] == 3 && v.p[1] == 0);
		size_t n = (size_t)v.p[2] << 8 | v.p[3];
		assert(n >= 7 && n <= v.n && v.p[4] + 5u <= n);
		if (v.p[5] == 0xf0)
			assert(n - 4 <= session_tpdu_size(f->s));
		v = view_from(v, n);
	}
	out_drop(session_out(f->s), out_len(session_out(f->s)));
}

static void respond(struct fuzz *f, const struct session_event *ev)
{
	bool ok = true;
	switch ((int)ev->kind) {
	case SESSION_T_CONNECT: session_t_accept(f->s); break;
	case SESSION_CONNECT:
		ok = (f->flags & REFUSES) != 0 ? session_refuse(f->s, 2, view_of(octets, 30), NULL)
					       : session_accept(f->s, view_of(octets, 40), NULL);
		break;
	case SESSION_DATA:
		f->ssdu += ev->bytes.n;
		assert((f->flags & SHORT_SSDU) == 0 || f->ssdu <= SSDU_MAX);
		if (ev->last)
			f->ssdu = 0;
		break;
	case SESSION_ACTIVITY_START: f->ssdu = 0; break;
	case SESSION_ACTIVITY_INTERRUPT:
		ok = session_activity_interrupt_response(f->s, NULL);
		f->ssdu = 0;
		break;
	case SESSION_ACTIVITY_DISCARD:
		ok = session_activity_discard_response(f->s, NULL);
		f->ssdu = 0;
		break;
	case SESSION_P_ABORT:
	case SESSION_REFUSED: assert(ev->err.kind == ERR_PEER && ev->err.text[0] != 0); break;
	}
	assert(ok); /* what an indication asks for is always allowed right after it */
}

static void pull(struct fuzz *f, size_t fed)
{
	struct session_event ev;
	struct err e = {0};
	enum step step;
	for (size_t n = 0; (step = session_next(f->s, &ev, &e)) == STEP_DONE; n++) {
		assert(n < 4 * fed + BUF_MAX + 64);
		session_check_state(f->s);
		assert(session_event_name(ev.kind) != NULL);
		respond(f, &ev);
		check_output(f);
	}
	assert(step == STEP_WAIT ||
	       (e.kind == ERR_PEER && e.text[0] != 0 && session_wants_close(f->s)));
	f->failed = step == STEP_FAIL;
	session_check_state(f->s);
	check_output(f);
	assert(session_buffer_size(f->s) < 1u << 18);
}

static void feed(struct fuzz *f, struct view in)
{
	while (in.n > 0) {
		size_t n = session_feed(f->s, view_first(in, f->chunk));
		assert(n > 0);
		in = view_from(in, n);
		pull(f, n);
	}
}

static void feed_tsdu(struct fuzz *f, struct view v, bool end)
{
	const uint8_t head[7] = {
		3, 0, (uint8_t)((v.n + 7) >> 8), (uint8_t)(v.n + 7), 2, 0xf0, end ? 0x80 : 0};
	feed(f, view_of(head, sizeof head));
	feed(f, v);
}

/* Each of these may be refused, and must never do harm. */
static bool request(struct fuzz *f, unsigned what, unsigned x)
{
	struct session *s = f->s;
	uint32_t serial = x;
	switch (what) {
	case 0: return session_activity_start(s, view_of(octets, x % 8), NULL);
	case 1: return session_activity_end(s, NULL);
	case 2: return session_activity_end_response(s, NULL);
	case 3: return session_activity_interrupt(s, x, NULL);
	case 4: return session_activity_interrupt_response(s, NULL);
	case 5: return session_activity_discard(s, x, NULL);
	case 6: return session_activity_discard_response(s, NULL);
	case 7: return session_minor_sync(s, &serial, NULL);
	case 8: return session_minor_sync_response(s, serial, NULL);
	case 9: return session_exception_report(s, x, NULL);
	case 10: return session_tokens_please(s, view_of(octets, x), NULL);
	case 11: return session_control_give(s, NULL);
	case 12: return session_release(s, view_of(octets, x * 3), NULL);
	case 13: return session_release_response(s, view_of(octets, x), NULL);
	case 14: return session_data_begin(s, NULL);
	case 15: session_data_bytes(s, view_of(octets, x * 30)); return true;
	case 16: session_data_end(s); return true;
	case 17: session_u_abort(s, view_of(octets, x * 3)); return true;
	case 18: session_t_disconnect(s); return true;
	case 19: return session_accept(s, view_of(octets, x), NULL);
	case 20: return session_refuse(s, x, view_of(octets, x), NULL);
	case 21: return session_connect(s, view_of(octets, x), NULL);
	case 22: session_t_refuse(s, x); return true;
	case 23: {
		const struct session_link from = { .old_activity = view_of(octets, x % 8), .serial = x * 5000,
						   .user_ref = view_of(octets, x % 70), .additional_ref = view_of(octets, x % 5) };
		return session_activity_resume(s, view_of(octets, 1 + x % 7), &from, NULL);
	}
	default: return session_has_turn(s) && session_data_room(s) > 0;
	}
}

static void records(struct fuzz *f, struct view in)
{
	struct cur c = cur_of(in);
	while (cur_left(&c) > 0) {
		unsigned op = cur_u8(&c);
		if (op >= 0x80) {
			(void)request(f, op & 31, cur_u8(&c));
			session_check_state(f->s);
			check_output(f);
		} else {
			size_t n = op == 0x7f ? cur_u16(&c) % 4000 : op;
			n = n < cur_left(&c) ? n : cur_left(&c);
			feed_tsdu(f, cur_bytes(&c, n), op != 0x7f);
		}
	}
}

/* A transport connection, and with OPEN a session on it. */
static void connect(struct fuzz *f)
{
	static const uint8_t cr[] = {3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 9, 0},
			     cc[] = {3, 0, 0, 11, 6, 0xd0, 0, 1, 0, 9, 0};
	static const uint8_t cn[] = {13,  21, 5, 15, 19, 1, 0, 21, 4, 0, 200, 0,
				     200, 22, 1, 3,  26, 1, 0, 20, 2, 2, 0x49};
	static const uint8_t ac[] = {14,  21, 5, 15, 19, 1, 0, 21, 4, 0, 200, 0,
				     200, 22, 1, 2,  26, 1, 0, 20, 2, 2, 0x49};
	bool initiator = (f->flags & INITIATOR) != 0;
	if (initiator && !session_connect(f->s, view_of(octets, 600 * (f->flags >> 5 & 1)), NULL))
		assert((f->flags & VERSION1) != 0);
	feed(f, initiator ? view_of(cc, sizeof cc) : view_of(cr, sizeof cr));
	if ((f->flags & OPEN) != 0)
		feed_tsdu(f, initiator ? view_of(ac, sizeof ac) : view_of(cn, sizeof cn), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 1u << 16)
		return 0;
	struct fuzz f = {.flags = data[0], .chunk = 1u + data[1]};
	f.s = session_new(&(struct session_config){
		.side = (f.flags & INITIATOR) != 0 ? SESSION_INITIATOR : SESSION_RESPONDER,
		.tpdu_size = (f.flags & SMALL) != 0 ? 128 : 65531,
		.versions = (f.flags & VERSION1) != 0 ? 1 : 3,
		.tsdu_max_in = (f.flags & SEGMENTS) != 0 ? 100 : 0,
		.tsdu_max_out = (f.flags & SEGMENTS) != 0 ? 100 : 0,
		.send_ssel = (f.flags & SEGMENTS) != 0,
		.collect_max = COLLECT_MAX,
		.tsdu_in_max = (f.flags & SHORT_SSDU) != 0 ? SSDU_MAX : 0,
		.out_max = 10000,
		.buf_max = BUF_MAX,
	});
	struct view in = view_of(data + 2, size - 2);
	if ((f.flags & RECORDS) != 0) {
		connect(&f);
		records(&f, in);
	} else {
		feed(&f, in);
	}
	session_free(&f.s);
	return 0;
}
