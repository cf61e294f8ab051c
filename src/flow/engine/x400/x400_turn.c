/* x400_turn.c - the turn of two-way alternate dialogue: asking for it, giving it, and not waiting for it for ever.
 *
 * A side that asks waits while nothing moves: from when it asked, or from the end of the peer's last transfer, for turn_timeout_ms.
 * It waits too when the peer asks for a turn that is not here: then both believe that the other has it (Q166594), and
 * nobody would move. What ends either wait is the turn, or a transfer of the peer, which shows that it has it. */
#include "flow/engine/x400/x400_private.h"

static bool turn_error(const struct x400 *x, const char *what, struct err *e)
{
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: turn %s in state \"%s\", %s dialogue, %s the turn", what,
		       x400_state_name(x), x->agreed.two_way_alternate ? "two-way alternate" : "monologue",
		       session_has_turn(x->s) ? "with" : "without");
}

/* --- asking --- */

static bool send_please(struct x400 *x, struct err *e)
{
	struct out rttp, data;
	out_init(&rttp, 64);
	out_init(&data, 64);
	bool good = rtse_rttp(x->wish.priority, &rttp, e);
	if (x->mode != X400_NORMAL)
		good = good && session_tokens_please(x->s, out_view(&rttp), e);
	else
		good = good && presentation_user_data(&x->pres, PRESENTATION_RTSE, out_view(&rttp), &data, e) &&
		       session_tokens_please(x->s, out_view(&data), e);
	out_fini(&rttp);
	out_fini(&data);
	return good;
}

static bool waits(const struct x400 *x)
{
	return x->wish.asked || x->wish.disputed;
}

static void begin_wait(struct x400 *x)
{
	if (!waits(x)) /* since the first time */
		x->wish.since = x->now;
}

bool x400_turn_please(struct x400 *x, unsigned priority, int64_t now_ms, struct err *e)
{
	CHECK(x, X400_MAGIC);
	x->now = now_ms;
	const bool may = x->state == X400_S_OPEN || x->state == X400_S_RECEIVING || x->state == X400_S_RECEIVED;
	if (!may || !x->agreed.two_way_alternate || session_has_turn(x->s))
		return turn_error(x, "asked for", e);
	x->wish.priority = priority;
	begin_wait(x);
	x->wish.asked = x->wish.unsaid = true;
	x400_turn_say(x);
	return true;
}

/* Session has no room for PLEASE TOKENS until the peer has acknowledged the turn it was given. */
void x400_turn_say(struct x400 *x)
{
	struct err e;
	if (x->wish.unsaid && session_has_turn(x->s))
		x->wish.unsaid = false;
	else if (x->wish.unsaid && send_please(x, &e))
		x->wish.unsaid = false;
}

bool x400_has_turn(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return session_has_turn(x->s);
}

/* --- giving --- */

bool x400_turn_give(struct x400 *x, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_OPEN || !x->agreed.two_way_alternate || !session_has_turn(x->s))
		return turn_error(x, "given", e);
	if (!session_control_give(x->s, e))
		return false;
	x->stale = true;
	x400_change(x, X400_S_OPEN); /* the wait for the next activity begins */
	return true;
}

/* --- the peer --- */

/* Asking without saying how urgently is asking at priority 0, the highest. */
static bool read_please(struct x400 *x, struct view in, unsigned *priority_r)
{
	struct view value = in;
	enum presentation_syntax syntax;
	struct err e;
	*priority_r = 0;
	if (in.n == 0)
		return true;
	if (x->mode == X400_NORMAL && !presentation_read_user_data(&x->pres, in, x->work, &value, &syntax, &e)) {
		x400_fail_presentation(x, PPDU_ARP_INVALID_VALUE, PPDU_EVENT_TOKEN_PLEASE, &e);
		return false;
	}
	if (!rtse_read_rttp(value, x->work, priority_r, &e)) {
		x400_fail(x, RTSE_ABORT_PROTOCOL, &e);
		return false;
	}
	return true;
}

void x400_on_please(struct x400 *x, const struct session_event *ev)
{
	unsigned priority;
	if (!read_please(x, ev->bytes, &priority))
		return;
	if (!x->agreed.two_way_alternate)
		return; /* there is none to give; the peer can do without */
	if (session_has_turn(x->s)) {
		x400_push(x, X400_TURN_PLEASE)->priority = priority;
	} else {
		begin_wait(x);
		x->wish.disputed = true;
	}
}

/* SS-25: in monologue no turn is ever given. GIVE TOKENS with none of them says nothing. */
void x400_on_give(struct x400 *x, const struct session_event *ev)
{
	struct err e;
	if (ev->tokens == 0)
		return;
	if (!x->agreed.two_way_alternate) {
		layer_error(&e, "rtse", "%s from the peer in monologue", session_event_name(ev->kind));
		x400_fail(x, RTSE_ABORT_PROTOCOL, &e);
		return;
	}
	if (session_has_turn(x->s)) {
		x->wish.asked = x->wish.unsaid = x->wish.disputed = false;
		x400_push(x, X400_TURN_GIVEN);
	}
	x400_change(x, X400_S_OPEN);
}

void x400_turn_shown(struct x400 *x)
{
	x->wish.disputed = false;
}

/* --- time --- */

int64_t x400_turn_deadline(const struct x400 *x)
{
	if (!waits(x) || x->state != X400_S_OPEN || x->c.turn_timeout_ms == 0)
		return INT64_MAX;
	const int64_t open = x->stale ? x->now : x->since;
	return (x->wish.since > open ? x->wish.since : open) + x->c.turn_timeout_ms;
}

void x400_turn_late(struct x400 *x)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "x400: no turn for %u ms: the peer does not give it, or believes that it is here",
		(unsigned)x->c.turn_timeout_ms);
	x400_fail(x, RTSE_ABORT_TEMPORARY, &e);
	x->events[x->n_events - 1].turn_lost = true;
}
