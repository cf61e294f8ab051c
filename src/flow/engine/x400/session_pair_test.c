/* session_pair_test.c - our initiator against our responder over a line that delivers in random
 * pieces, with users who do what users do: transfers with checkpoints, discards, interrupts,
 * exceptions, turns. What arrives is what was sent, and every transfer that was confirmed arrived
 * whole. Octets of our own encoder, so this proves agreement with ourselves only; the standard is
 * held in session_test.c and the captures. */
#include "flow/engine/x400/session_private.h"
#include "flow/engine/x400/stack_test.h"

enum { ROUNDS = 400, STEPS = 4000, SSDUS = 512 };

/* A DATA SSDU that was sent whole: what must arrive. `cut`: its end was cut off. */
struct ssdu {
	uint64_t n, sum;
	bool cut;
};

struct side {
	struct session *s;
	uint64_t sent, got; /* octets of the DATA SSDU in work, and a sum over them */
	uint64_t sent_sum, got_sum;
	struct ssdu ssdus[SSDUS]; /* sent in this activity, not arrived: head .. tail */
	unsigned head, tail;
	unsigned points, confirmed, transfers, stopped;
	bool activity, in_data, waits, end_due, sync_due, exception, connected, released;
	uint32_t due;
};

struct pair {
	struct side a, b; /* initiator, responder */
	uint32_t seed;
	size_t limit; /* longest SSDU */
};

static uint32_t random_below(struct pair *p, uint32_t n)
{
	p->seed = p->seed * 1664525u + 1013904223u;
	return (p->seed >> 8) % n;
}

static uint64_t sum(uint64_t before, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		before = before * 31 + v.p[i];
	return before;
}

static void must(bool ok)
{
	assert_true(ok);
}

/* ---- what a side makes of events ---- */

static void got_data(struct side *x, struct side *from, const struct session_event *ev)
{
	x->got += ev->bytes.n;
	x->got_sum = sum(x->got_sum, ev->bytes);
	if (!ev->last)
		return;
	assert_true(from->head < from->tail);
	struct ssdu want = from->ssdus[from->head++];
	if (!want.cut) {
		assert_int_equal(x->got, want.n);
		assert_int_equal(x->got_sum, want.sum);
	}
	x->got = x->got_sum = 0;
}

static void stopped(struct side *x)
{
	x->activity = x->in_data = x->waits = x->exception = false;
	x->head = x->tail = 0;
	x->stopped++;
}

static void on_event(struct pair *p, struct side *x, struct side *from,
		     const struct session_event *ev)
{
	switch (ev->kind) {
	case SESSION_T_CONNECT: session_t_accept(x->s); break;
	case SESSION_T_CONNECTED: break;
	case SESSION_CONNECT:
		must(session_accept(x->s, ev->bytes, NULL));
		x->connected = true;
		break;
	case SESSION_ACCEPTED: x->connected = true; break;
	case SESSION_DATA: got_data(x, from, ev); break;
	case SESSION_ACTIVITY_START: x->got = x->got_sum = 0; break;
	case SESSION_ACTIVITY_END: x->end_due = true; break;
	case SESSION_ACTIVITY_END_CONFIRM:
		assert_int_equal(x->head, x->tail); /* confirmed: all has arrived */
		x->head = x->tail = 0;
		x->activity = x->waits = false;
		x->transfers++;
		break;
	case SESSION_ACTIVITY_INTERRUPT:
		must(session_activity_interrupt_response(x->s, NULL));
		x->end_due = x->sync_due = false;
		break;
	case SESSION_ACTIVITY_DISCARD:
		must(session_activity_discard_response(x->s, NULL));
		x->end_due = x->sync_due = false;
		break;
	case SESSION_ACTIVITY_INTERRUPT_CONFIRM:
	case SESSION_ACTIVITY_DISCARD_CONFIRM: stopped(x); break;
	case SESSION_MINOR_SYNC:
		assert_true(ev->explicit_ack);
		x->sync_due = true;
		x->due = ev->serial;
		break;
	case SESSION_MINOR_SYNC_CONFIRM:
		assert_in_range(ev->serial, 1, x->points);
		x->confirmed = ev->serial;
		break;
	case SESSION_EXCEPTION:
		x->exception = true;
		must(random_below(p, 2) == 0 ? session_activity_discard(x->s, 0, NULL)
					     : session_activity_interrupt(x->s, 1, NULL));
		x->in_data = false;
		x->waits = true;
		break;
	case SESSION_TOKENS_PLEASE: assert_true(view_eq(ev->bytes, VIEW("\2\1\5"))); break;
	case SESSION_CONTROL_GIVE: assert_true(session_has_turn(x->s)); break;
	case SESSION_RELEASE: must(session_release_response(x->s, ev->bytes, NULL)); break;
	case SESSION_RELEASED: x->released = true; break;
	case SESSION_ACTIVITY_RESUME:
	case SESSION_TOKENS_GIVE:
	case SESSION_REFUSED:
	case SESSION_U_ABORT:
	case SESSION_P_ABORT:
		fail_msg("unexpected %s: %s", session_event_name(ev->kind), ev->err.text);
	}
}

static void pull(struct pair *p, struct side *x, struct side *from)
{
	struct session_event ev;
	struct err e = {0};
	enum step step;
	while ((step = session_next(x->s, &ev, &e)) == STEP_DONE) {
		session_check_state(x->s);
		on_event(p, x, from, &ev);
		session_check_state(x->s);
	}
	if (step == STEP_FAIL)
		fail_msg("%s", e.text);
}

/* Some of what `from` has said reaches `to`. */
static void carry(struct pair *p, struct side *from, struct side *to, size_t most)
{
	struct view v = out_view(session_out(from->s));
	size_t n = 1 + random_below(p, (uint32_t)most);
	n = session_feed(to->s, view_first(v, n));
	out_drop(session_out(from->s), n);
	pull(p, to, from);
}

/* ---- what a side does of its own ---- */

static void send_some(struct pair *p, struct side *x)
{
	static const uint8_t noise[] =
		"the octets of a message, which may be any, and here are these for instance";
	uint8_t part[5000];
	size_t n = random_below(p, random_below(p, 8) == 0 ? sizeof part : 100);
	for (size_t i = 0; i < n; i++)
		part[i] = (uint8_t)(noise[i % sizeof noise] + i / 7 + p->seed);
	session_data_bytes(x->s, view_of(part, n));
	x->sent += n;
	x->sent_sum = sum(x->sent_sum, view_of(part, n));
}

static void end_data(struct side *x, bool cut)
{
	assert_true(x->tail < SSDUS);
	x->ssdus[x->tail++] = (struct ssdu){x->sent, x->sent_sum, cut};
	x->in_data = false;
}

static void with_turn(struct pair *p, struct side *x)
{
	uint32_t serial;
	if (x->waits)
		return;
	if (!x->activity) {
		if (random_below(p, 4) == 0) {
			must(session_control_give(x->s, NULL));
			return;
		}
		must(session_activity_start(x->s, VIEW("\2\1\1"), NULL));
		x->activity = true;
		x->points = x->confirmed = 0;
		x->exception = false;
	} else if (x->in_data) {
		unsigned what = random_below(p, 20);
		if (what == 0 || x->sent > p->limit) {
			end_data(x, false);
			session_data_end(x->s);
		} else if (what == 1 && random_below(p, 6) == 0) {
			end_data(x, true);
			must(session_activity_discard(x->s, 5, NULL));
			x->waits = true;
		} else if (session_data_room(x->s) > 0) {
			send_some(p, x);
		}
	} else {
		switch (random_below(p, 4)) {
		case 0:
			must(session_data_begin(x->s, NULL));
			x->in_data = true;
			x->sent = x->sent_sum = 0;
			break;
		case 1:
			must(session_minor_sync(x->s, &serial, NULL));
			x->points = serial;
			break;
		case 2:
			must(session_activity_end(x->s, NULL));
			x->waits = true;
			break;
		case 3: break;
		}
	}
}

static void without_turn(struct pair *p, struct side *x)
{
	if (x->sync_due && random_below(p, 2) == 0) {
		must(session_minor_sync_response(x->s, x->due, NULL));
		x->sync_due = false;
	} else if (x->end_due && random_below(p, 2) == 0) {
		if (random_below(p, 5) == 0)
			must(session_exception_report(x->s, 1, NULL));
		else
			must(session_activity_end_response(x->s, NULL));
		x->end_due = x->sync_due = false;
	} else if (random_below(p, 60) == 0) {
		struct err e = {0};
		if (!session_tokens_please(x->s, VIEW("\2\1\5"), &e)) /* not in every state */
			assert_int_equal(e.kind, ERR_LOCAL);
	} else if (random_below(p, 200) == 0) {
		struct err e = {0};
		if (session_exception_report(x->s, 1, &e))
			x->end_due = x->sync_due = false;
	}
}

static void act(struct pair *p, struct side *x)
{
	if (!x->connected)
		return;
	if (session_has_turn(x->s))
		with_turn(p, x);
	else
		without_turn(p, x);
	session_check_state(x->s);
}

static void settle(struct pair *p)
{
	while (out_len(session_out(p->a.s)) + out_len(session_out(p->b.s)) > 0) {
		if (out_len(session_out(p->a.s)) > 0)
			carry(p, &p->a, &p->b, 3000);
		if (out_len(session_out(p->b.s)) > 0)
			carry(p, &p->b, &p->a, 3000);
	}
}

static struct session *open_side(struct pair *p, enum session_side side, unsigned round)
{
	static const size_t sizes[] = {128, 256, 2048, 8192, 65531};
	bool segments = round % 3 == 1;
	return session_new(&(struct session_config){
		.side = side,
		.tpdu_size = sizes[random_below(p, 5)],
		.versions = segments ? 2 : 1 + random_below(p, 3),
		.tsdu_max_in = segments ? (uint16_t)(64 + random_below(p, 5000)) : 0,
		.tsdu_max_out = segments ? (uint16_t)(64 + random_below(p, 5000)) : 0,
		.collect_max = 4000,
		.out_max = 20000,
		.buf_max = 512 + random_below(p, 70000),
		.user_ref = VIEW("\x04\x02vm"),
	});
}

static void release(struct pair *p)
{
	struct side *x = session_has_turn(p->a.s) ? &p->a : &p->b;
	struct side *y = x == &p->a ? &p->b : &p->a;
	for (unsigned i = 0; i < STEPS && !x->released; i++) {
		settle(p);
		if (y->end_due || y->sync_due)
			without_turn(p, y);
		else if (x->activity && !x->waits) {
			if (x->in_data)
				end_data(x, true);
			must(session_activity_discard(x->s, 0, NULL));
			x->waits = true;
		} else if (!x->waits && session_has_turn(x->s)) {
			must(session_release(x->s, VIEW("bye"), NULL));
			settle(p);
			assert_true(x->released);
		} else if (session_has_turn(y->s)) { /* a GIVE TOKENS CONFIRM was under way */
			struct side *z = x;
			x = y;
			y = z;
		}
	}
	assert_true(x->released && session_wants_close(x->s));
}

static void test_pair(void **state)
{
	(void)state;
	unsigned transfers = 0, stops = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct pair p = {.seed = 77 + round, .limit = round % 10 == 0 ? 100000 : 3000};
		p.a.s = open_side(&p, SESSION_INITIATOR, round);
		p.b.s = open_side(&p, SESSION_RESPONDER, round);
		if ((p.a.s->config.versions & p.b.s->config.versions) != 0) {
			must(session_connect(p.a.s, VIEW("hello"), NULL));
			for (unsigned i = 0; i < STEPS; i++) {
				size_t most = 1 + random_below(&p, 400);
				switch (random_below(&p, 4)) {
				case 0: carry(&p, &p.a, &p.b, most); break;
				case 1: carry(&p, &p.b, &p.a, most); break;
				case 2: act(&p, &p.a); break;
				case 3: act(&p, &p.b); break;
				}
				assert_false(session_has_turn(p.a.s) && session_has_turn(p.b.s));
			}
			settle(&p);
			release(&p);
			transfers += p.a.transfers + p.b.transfers;
			stops += p.a.stopped + p.b.stopped;
		}
		session_free(&p.a.s);
		session_free(&p.b.s);
	}
	print_message("%u transfers, %u stopped\n", transfers, stops);
	assert_true(transfers > 500); /* else this tests little */
	assert_true(stops > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
