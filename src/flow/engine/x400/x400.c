/* x400.c - the association machine: its states, timers and calls. See x400_table.h for what happens when. */
#include "flow/engine/x400/x400_private.h"

#include "base/fault.h"
#include "base/mem.h"

enum { WORK_QUOTA = 1 << 18, KEEP_QUOTA = 1 << 14 };

const char *x400_event_name(enum x400_event_kind kind)
{
	switch (kind) {
	case X400_BIND: return "bind";
	case X400_BOUND: return "bound";
	case X400_BIND_REFUSED: return "bind refused";
	case X400_TRANSFER_BEGIN: return "transfer begin";
	case X400_TRANSFER_RESUME: return "transfer resume";
	case X400_TRANSFER_SYNCED: return "transfer synced";
	case X400_TRANSFER_INTERRUPTED: return "transfer interrupted";
	case X400_TRANSFER_DATA: return "transfer data";
	case X400_TRANSFER_CHECKPOINT: return "transfer checkpoint";
	case X400_TRANSFER_END: return "transfer end";
	case X400_TRANSFER_CONFIRMED: return "transfer confirmed";
	case X400_TRANSFER_FAILED: return "transfer failed";
	case X400_TRANSFER_ABORTED: return "transfer aborted";
	case X400_TURN_PLEASE: return "turn please";
	case X400_TURN_GIVEN: return "turn given";
	case X400_UNBOUND: return "unbound";
	case X400_ENDED: return "ended";
	}
	CANT_HAPPEN("an event kind that is not in the enum");
}

const char *x400_mode_name(enum x400_mode mode)
{
	switch (mode) {
	case X400_NORMAL: return "1988-normal";
	case X400_X410_88: return "1988-x410";
	case X400_X410_84: return "1984";
	case X400_MODE_COUNT: break;
	}
	CANT_HAPPEN("a mode that is not in the enum");
}

const char *x400_state_name(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	switch (x->state) {
#define X400_STATE(name, words, wait, ms, holds) case X400_S_##name: return words;
#include "flow/engine/x400/x400_table.h"
	case X400_S_COUNT: break;
	}
	CANT_HAPPEN("a state that is not in the table");
}

/* What the state waits for, and for how long: 0 is for ever. */
static uint32_t wait_of(const struct x400 *x, const char **what_r)
{
	switch (x->state) {
#define X400_STATE(name, words, wait, ms, holds) \
	case X400_S_##name: *what_r = wait; return ms;
#include "flow/engine/x400/x400_table.h"
	case X400_S_COUNT: break;
	}
	CANT_HAPPEN("a state that is not in the table");
}

void x400_check_state(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	switch (x->state) {
#define X400_STATE(name, words, wait, ms, holds) case X400_S_##name: assert(holds); return;
#include "flow/engine/x400/x400_table.h"
	case X400_S_COUNT: break;
	}
	CANT_HAPPEN("a state that is not in the table");
}

bool x400_bound_holds(const struct x400 *x)
{
	const bool contexts = presentation_id(&x->pres, PRESENTATION_ACSE) != 0 && presentation_id(&x->pres, PRESENTATION_RTSE) != 0;
	return (x->mode == X400_NORMAL ? contexts : x->pres.n == 0) && x->agreed.window > 0;
}

/* Octets can only be expected when all that came were taken, and when we do not hold the window closed. */
bool x400_peer_is_due(const struct x400 *x)
{
	return x->starved && x->rx_synced - x->rx_confirmed < x->agreed.window;
}

void x400_change(struct x400 *x, enum x400_state next)
{
	x->state = next;
	x->since = x->now;
	if (next == X400_S_CLOSING)
		x->reading = false;
}

struct x400_event *x400_push(struct x400 *x, enum x400_event_kind kind)
{
	assert(x->n_events < X400_EVENTS_MAX);
	struct x400_event *ev = &x->events[x->n_events++];
	*ev = (struct x400_event){ .kind = kind, .bind_error = X400_NO_BIND_ERROR };
	return ev;
}

void x400_end(struct x400 *x, const struct err *why)
{
	x400_push(x, X400_ENDED)->err = *why;
	x400_change(x, X400_S_CLOSING);
}

void x400_fail(struct x400 *x, enum rtse_abort_reason reason, const struct err *why)
{
	/* What is wrong with the peer or with us would be so again. */
	x->tx_kept = x->tx_kept && reason == RTSE_ABORT_TEMPORARY;
	x400_send_abort(x, reason);
	x400_end(x, why);
}

void x400_fail_presentation(struct x400 *x, int64_t reason, int64_t event, const struct err *why)
{
	assert(x->mode == X400_NORMAL);
	struct out arp;
	struct err e;
	out_init(&arp, 64);
	const bool good = presentation_arp(reason, event, &arp, &e);
	session_u_abort(x->s, good ? out_view(&arp) : (struct view){ NULL, 0 });
	out_fini(&arp);
	x400_end(x, why);
}

static struct view keep(struct x400 *x, struct view v)
{
	/* An empty selector stays told from an absent one by its pointer. */
	return v.n == 0 ? v : arena_copy(x->keep, v);
}

static void keep_config(struct x400 *x, const struct x400_config *c)
{
	x->c = *c;
	x->c.calling_psel = keep(x, c->calling_psel);
	x->c.called_psel = keep(x, c->called_psel);
	x->c.own.mta_name = keep(x, c->own.mta_name);
	x->c.own.password = keep(x, c->own.password);
	x->c.recovers.user = keep(x, c->recovers.user);
	x->c.recovers.common = keep(x, c->recovers.common);
	x->c.recovers.additional = keep(x, c->recovers.additional);
	struct view *own = arena_array(x->keep, c->n_own_tsels + 1, sizeof *own);
	assert(own != NULL);
	for (size_t i = 0; i < c->n_own_tsels; i++)
		own[i] = keep(x, c->own_tsels[i]);
	x->c.own_tsels = own;
	assert(!arena_full(x->keep));
}

struct x400 *x400_new(const struct x400_config *c, int64_t now_ms)
{
	assert(c->connect_timeout_ms > 0 && c->response_timeout_ms > 0 && c->receive_timeout_ms > 0 &&
	       c->abort_timeout_ms > 0); /* every wait for a peer has its limit */
	struct x400 *x = mem_zero(sizeof *x);
	x->magic = X400_MAGIC;
	x->initiator = c->session.side == SESSION_INITIATOR;
	x->keep = arena_new(KEEP_QUOTA + mem_mul(c->n_own_tsels + 1, 64));
	x->work = arena_new(WORK_QUOTA);
	keep_config(x, c);
	x->now = x->since = now_ms;
	x->starved = true;
	x->state = x->initiator ? X400_S_CONNECTING : X400_S_LISTENING;
	x->mode = x->initiator ? c->mode : X400_NORMAL;
	const struct session_config session = x400_session_config(x);
	x->s = session_new(&session);
	x->rx = rtse_reader_new(&x->pres);
	if (x->initiator)
		x400_bind_begin(x);
	return x;
}

void x400_free(struct x400 **x)
{
	if (*x == NULL)
		return;
	CHECK(*x, X400_MAGIC);
	(*x)->magic = 0;
	session_free(&(*x)->s);
	rtse_reader_free(&(*x)->rx);
	arena_free(&(*x)->keep);
	arena_free(&(*x)->work);
	MEM_FREE(*x);
}

/* Notes the time; a wait that began in a call without a clock begins now. */
static void see(struct x400 *x, int64_t now_ms)
{
	x->now = now_ms;
	if (x->stale)
		x->since = now_ms;
	x->stale = false;
}

static bool over(const struct x400 *x)
{
	return x->state == X400_S_CLOSING || x->state == X400_S_CLOSED;
}

size_t x400_feed(struct x400 *x, struct view src, int64_t now_ms)
{
	CHECK(x, X400_MAGIC);
	see(x, now_ms);
	if (over(x))
		return src.n; /* nothing a peer says now matters; its octets must not hold the connection up */
	if (x->reading || x->n_events > 0)
		return 0;     /* views into the session's buffer are still in use */
	const size_t n = session_feed(x->s, src);
	if (n > 0)
		x->starved = false;
	return n;
}

void x400_transport_closed(struct x400 *x, const struct err *why)
{
	CHECK(x, X400_MAGIC);
	x->eof = true;
	if (why != NULL && why->kind != ERR_NONE)
		x->eof_why = *why;
	else
		err_set(&x->eof_why, ERR_TEMP, ERR_OF_ASSOCIATION, "the peer closed the connection");
}

static const struct rule {
	enum x400_state state;
	enum session_event_kind event;
	x400_action_f *action;
	const char *state_name, *event_name;
} rules[] = {
#define X400_ROW(state, event, action, clause) { X400_S_##state, event, x400_##action, #state, #event },
#include "flow/engine/x400/x400_table.h"
};

static void dispatch(struct x400 *x, const struct session_event *ev)
{
	if (ev->kind == SESSION_U_ABORT) {
		x400_on_u_abort(x, ev);
		return;
	}
	if (ev->kind == SESSION_P_ABORT) {
		x400_end(x, &ev->err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].state == x->state && rules[i].event == ev->kind) {
			rules[i].action(x, ev);
			FAULT_ROW("x400", rules[i].state_name, rules[i].event_name);
			return;
		}
	}
	struct err e;
	layer_error(&e, "rtse", "%s from the peer in state \"%s\"", session_event_name(ev->kind), x400_state_name(x));
	x400_fail(x, RTSE_ABORT_PROTOCOL, &e);
}

static void take_event(struct x400 *x, struct x400_event *ev_r)
{
	*ev_r = x->events[0];
	x->n_events--;
	memmove(&x->events[0], &x->events[1], x->n_events * sizeof x->events[0]);
}

static void on_eof(struct x400 *x)
{
	struct err e;
	err_set(&e, x->eof_why.kind, x->eof_why.culprit, "connection lost in state \"%s\": %s", x400_state_name(x),
		x->eof_why.text);
	x400_end(x, &e);
}

/* Everything at hand has been looked at: from now on the peer is waited for. */
static void starve(struct x400 *x)
{
	if (!x->starved && x->state == X400_S_RECEIVING)
		x->since = x->now;
	x->starved = true;
}

enum step x400_next(struct x400 *x, struct x400_event *ev_r, int64_t now_ms)
{
	CHECK(x, X400_MAGIC);
	see(x, now_ms);
	if (x->n_events == 0)
		arena_reset(x->work);
	while (x->n_events == 0) {
		if (x->reading) {
			x400_read_part(x);
			continue;
		}
		struct session_event ev;
		struct err e;
		if (over(x)) {
			if (x->eof)
				x->state = X400_S_CLOSED;
			x->starved = true;
			return STEP_WAIT;
		}
		if (x->state == X400_S_RESUMING && !x->eof)
			return STEP_WAIT; /* whether the octets that follow mean anything is being decided */
		const enum step step = x->state == X400_S_RESUMING ? STEP_WAIT : session_next(x->s, &ev, &e);
		if (step == STEP_FAIL) {
			x->tx_kept = false;
			x400_end(x, &e); /* session has put its abort into the output */
		} else if (step == STEP_DONE) {
			dispatch(x, &ev);
		} else if (x->eof) {
			on_eof(x);
		} else {
			starve(x);
			x400_turn_say(x);
			return STEP_WAIT;
		}
		x400_check_state(x);
	}
	take_event(x, ev_r);
	return STEP_DONE;
}

struct out *x400_out(struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return session_out(x->s);
}

int64_t x400_deadline(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	const char *what;
	const uint32_t ms = wait_of(x, &what);
	const int64_t turn = x400_turn_deadline(x), state = ms == 0 ? INT64_MAX : (x->stale ? x->now : x->since) + ms;
	return turn < state ? turn : state;
}

void x400_tick(struct x400 *x, int64_t now_ms)
{
	CHECK(x, X400_MAGIC);
	see(x, now_ms);
	const char *what;
	const uint32_t ms = wait_of(x, &what);
	if (now_ms >= x400_turn_deadline(x)) {
		x400_turn_late(x);
		return;
	}
	if (ms == 0 || now_ms - x->since < ms)
		return;
	if (x->state == X400_S_CLOSING) {
		x400_change(x, X400_S_CLOSED);
		return;
	}
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "x400: waited %lld ms (limit %u) for %s in state \"%s\"",
		(long long)(now_ms - x->since), (unsigned)ms, what, x400_state_name(x));
	x->reading = false;
	x400_fail(x, RTSE_ABORT_TEMPORARY, &e);
}

static enum rtse_abort_reason reason_of(const struct err *why)
{
	switch (why->kind) {
	case ERR_NONE:
	case ERR_PERM: return RTSE_ABORT_USER;
	case ERR_TEMP: return RTSE_ABORT_TEMPORARY;
	case ERR_PEER: return RTSE_ABORT_PROTOCOL;
	case ERR_LOCAL: return RTSE_ABORT_LOCAL_SYSTEM;
	}
	CANT_HAPPEN("an error kind that is not in the enum");
}

void x400_abort(struct x400 *x, const struct err *why, int64_t now_ms)
{
	CHECK(x, X400_MAGIC);
	see(x, now_ms);
	x->n_events = 0;
	if (over(x))
		return;
	x->tx_kept = x->tx_kept && why->kind == ERR_TEMP;
	x400_send_abort(x, reason_of(why));
	x400_change(x, X400_S_CLOSING);
}

bool x400_wants_close(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return x->state == X400_S_CLOSED || (x->state == X400_S_CLOSING && x->n_events == 0 && session_wants_close(x->s));
}
