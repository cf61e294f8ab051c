/* quota.c - what messages on their way in may cost this process. Each counts what it holds; above limits.memory in all, those
 * that are not yet with the switch are refused for now and callers told busy, until three quarters are left; one alone, and those of
 * one link, may hold half. What a decoder needs within one call comes on top: link->arena, with a quota of its own. */
#include "proc/link/link_int.h"

static size_t all_held(const struct link *l)
{
	size_t queued = l->control == NULL ? 0 : chan_unsent(l->control);
	queued += l->bulk == NULL ? 0 : chan_unsent(l->bulk);
	return l->held + queued;
}

static size_t held_by(const struct inbound *in)
{
	return p1_split_envelope(in->split).n + in->kept.cap + in->packed.cap;
}

static void count(struct inbound *in, size_t now)
{
	in->link->held += now - in->held;
	if (in->held_of != NULL)
		*in->held_of += now - in->held;
	in->held = now;
}

void quota_begin(struct inbound *in)
{
	struct link *l = in->link;
	const struct set_link *k = link_find(l, view_str(in->name));
	const size_t held = in->held;
	count(in, 0); /* what it kept from before may be counted for another */
	in->held_of = k == NULL ? NULL : &partner_of(k)->held;
	count(in, held);
}

void quota_count(struct inbound *in)
{
	struct link *l = in->link;
	count(in, held_by(in));
	if (!l->is_short || all_held(l) >= l->settings->limits.memory / 4 * 3)
		return;
	l->is_short = false;
	EMIT(&l->host, LINK_MEMORY_FREE, "limit", "limits.memory");
}

/* Else what an association that has ended kept for its next message would be counted for ever. */
void quota_forget(struct inbound *in)
{
	count(in, 0);
}

bool quota_allows(struct inbound *in, struct err *e)
{
	struct link *l = in->link;
	const unsigned long long max = l->settings->limits.memory, all = all_held(l);
	if (in->held > max / 2)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "its envelope needs more than half of limits.memory, which is %llu octets", max);
	/* Half is the most that one link may hold while there are others: what it does with it must not be their trouble. */
	if (in->held_of != NULL && l->settings->links.n > 1 && *in->held_of > max / 2) {
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "messages of link %s under way hold %zu octets, half of limits.memory is %llu", in->name, *in->held_of,
			max / 2);
		return false;
	}
	if (all <= max)
		return true;
	err_set(e, ERR_TEMP, ERR_OF_PROCESS, "messages under way hold %llu octets, limits.memory is %llu", all, max);
	if (!l->is_short)
		EMIT(&l->host, LINK_MEMORY, "why", e->text);
	l->is_short = true;
	return false;
}
