/* turn.c - two-way alternate associations: who sends when both have mail.
 *
 * The side without the turn asks when it has a handover, again when a more urgent one comes. The other gives the turn between two
 * transfers: at once, or after one more that is more urgent than what the peer has. Who opened the association asks also
 * in order to leave. The machine's timer ends what nobody moves (Q166594). */
#include "proc/link/link_int.h"

enum { TO_LEAVE = 0 }; /* X.419 13.1.3: the highest priority; messages have 1, 2, 3 */

static unsigned turn_priority(enum priority p)
{
	static const unsigned of[PRIORITY_COUNT] = { [PRIORITY_URGENT] = 1, [PRIORITY_NORMAL] = 2, [PRIORITY_NON_URGENT] = 3 };
	return of[p];
}

void turn_bound(struct assoc *a, bool two_way)
{
	memset(&a->turn, 0, sizeof a->turn);
	a->turn.two_way = two_way;
}

void turn_asked_for(struct assoc *a, unsigned priority)
{
	a->turn.peer_asks = true;
	a->turn.peer_priority = priority;
}

void turn_given(struct assoc *a)
{
	a->turn.asked = false;
	if (a->releasing)
		assoc_release_when_idle(a);
}

static void ask(struct assoc *a, unsigned priority)
{
	struct err e;
	if (a->turn.asked && a->turn.priority <= priority)
		return;
	if (!x400_turn_please(a->x, priority, env_now_ms(a->link->host.env), &e))
		return; /* in a state that passes; the next event leads here again */
	a->turn.asked = true;
	a->turn.priority = priority;
}

/* True: one that is more urgent than the peer's goes first. */
static bool keeps_it(struct assoc *a)
{
	if (a->first == NULL || a->turn.one_more || turn_priority(a->first->priority) >= a->turn.peer_priority)
		return false;
	a->turn.one_more = true;
	return true;
}

void turn_settle(struct assoc *a)
{
	struct err e;
	if (!a->turn.two_way || !a->bound || outbound_is_begun(a))
		return;
	if (!x400_has_turn(a->x)) {
		if (a->first != NULL)
			ask(a, turn_priority(a->first->priority));
		return;
	}
	if (!a->turn.peer_asks || a->unbinding || !x400_can_transfer(a->x) || keeps_it(a))
		return;
	a->turn.peer_asks = a->turn.one_more = false;
	if (!x400_turn_give(a->x, &e))
		assoc_abort(a, &e);
	else if (a->first != NULL)
		ask(a, turn_priority(a->first->priority));
}

bool turn_is_here(struct assoc *a)
{
	if (!a->turn.two_way || x400_has_turn(a->x))
		return true;
	ask(a, TO_LEAVE);
	return false;
}

void turn_lost(struct assoc *a, const struct err *why)
{
	EMIT(&a->link->host, TURN_LOST, "link", a->peer->name, "peer", stream_peer(a->stream), "why", why->text);
}
