/* again.c - what waits for a link, and goes otherwise by the routes that hold now, is placed again. One round for each change, through the queue from its start to its end, in slices: each transfer is looked at
 * once, so that no set of routes, however they lead, makes it go on (Q182318).
 *
 * What goes otherwise is put into the queue of jobs.c that places messages anew, with what is known of its way so far, so that
 * mailboxes, lists, other links and reports come out of it as for a new message. What is in somebody's hands stays there; when it
 * comes back undelivered it is looked at then. What has no way by the new routes stays where it is: nobody asked for a report. In the queue
 * of a link that is gone it is listed, an operator can reroute or return it, other routes may give it a way, and it is reported when it
 * expires (Q152876). There, what has a way for one of its recipients is placed: the others are reported. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

static wall_ms_t now_of(const struct sw *s)
{
	return env_wall_ms(s->host.env);
}

void again_begin(struct swlink *l)
{
	struct again *g = &l->again;
	g->is_begun = true;
	g->priority = PRIORITY_URGENT;
	g->place = (struct store_place){ 0 };
	if (l->queued > 0)
		timer_after(&l->sw->expire, 0);
}

void again_start(struct sw *s)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i]->is_removed)
			again_begin(s->links[i]);
}

/* --- does it go otherwise? --- */

static bool takes(const struct swlink *l, const struct store_loaded *x, const struct recipient *r)
{
	struct err e;
	const struct message *m = x->m;
	if (m->kind == MESSAGE_REPORT)
		return true;
	return (l->set->size_limit == 0 || x->content_size <= l->set->size_limit) && restrict_allows(l, m) && downgrade_link_takes(l->sw, l, m, r, &e);
}

/* False: it has no way. */
static bool way_of(const struct swlink *from, const struct store_loaded *x, const struct oraddr *addr, const struct recipient *r, bool *other_r)
{
	struct sw *s = from->sw;
	struct route_answer to;
	struct err e;
	if (lists_find(s, addr) != NULL) {
		*other_r = true;
		return true;
	}
	const uint64_t size = x->m->kind == MESSAGE_REPORT ? 0 : x->content_size;
	if (!reroute_choose(s, x->m, addr, x->peer, size, &to, &e) || to.target == ROUTE_REJECT)
		return false;
	const struct swlink *l = to.target == ROUTE_LINK ? switch_link(s, view_str(to.link)) : NULL;
	*other_r = *other_r || l != from;
	return l == NULL || l == from || takes(l, x, r);
}

/* Every recipient has a way, and one of them another one than this link; when that is gone, one of them has a way. */
static bool has_other_ways(const struct swlink *l, const struct store_loaded *x)
{
	const struct message *m = x->m;
	bool other = false;
	size_t n = 0, ways = 0;
	if (monitor_is_probe(l->sw, m))
		return l->is_removed; /* its link is gone, and it with it */
	if (m->kind == MESSAGE_REPORT)
		return way_of(l, x, &m->originator, NULL, &other) && other;
	for (size_t i = 0; i < m->n_rcpt; i++) {
		if (!m->rcpt[i].responsible)
			continue;
		n++;
		ways += way_of(l, x, &m->rcpt[i].addr, &m->rcpt[i], &other);
	}
	return l->is_removed ? ways > 0 : ways == n && other;
}

/* *mts_r: its identifier, in the work arena; NULL: not known. A suspect is loaded by whoever handles it alone, and by nobody in
 * passing; what cannot be read is told when it is its turn. */
static bool goes_otherwise(const struct swlink *l, const struct store_queued *row, const struct mts_id **mts_r)
{
	struct sw *s = l->sw;
	const struct key k = suspect_key("message", row->message);
	struct store_loaded x;
	struct err e;
	*mts_r = NULL;
	if (suspect_find(s, &k) != NULL)
		return l->is_removed;
	arena_reset(s->work);
	switch_note(s, "transfer", row->transfer);
	if (!store_load_transfer(s->store, row->transfer, &x, s->work, &e) || x.m == NULL)
		return l->is_removed;
	*mts_r = &x.m->id;
	return has_other_ways(l, &x);
}

/* --- one transfer --- */

/* In nobody's hands, and in no window. It has what it had of attempts and links no more: for what comes it is a new one. */
static void put(struct order *o, const struct mts_id *mts)
{
	struct swlink *l = o->link;
	struct sw *s = l->sw;
	char id[24];
	const char *why = l->is_removed ? "its link is in the settings no more" : "the routes have changed";
	snprintf(id, sizeof id, "%llu", (unsigned long long)o->transfer);
	EMIT(&s->host, MESSAGE_AGAIN, "transfer", id, "link", l->set->name, "why", why);
	const struct store_step step = { .kind = STEP_REROUTED, .id = mts, .peer = l->name, .text = view_str(why), .size = o->size };
	if (mts != NULL)
		store_put_step(s->store, &step);
	store_transfer_retry(s->store, o->transfer, now_of(s), 0, why);
	store_transfer_move(s->store, o->transfer, VIEW(JOBS_AGAIN), now_of(s), (struct view){ NULL, 0 });
	order_gone(o);
	jobs_at(s, 0);
}

static struct store_queued row_of(const struct order *o)
{
	return (struct store_queued){ .transfer = o->transfer, .message = o->message, .priority = o->priority, .attempts = o->attempts,
				      .arrived = o->arrived, .expires = o->expires, .size = o->size };
}

/* What is in somebody's hands is looked at when it comes back. */
static void look_at(struct swlink *l, const struct store_queued *row)
{
	struct order *known = map_get(&l->sw->orders, row->transfer);
	const struct mts_id *mts;
	if (known != NULL && (known->in_hand || known->act != NULL)) {
		known->place_again = true;
		return;
	}
	if (!goes_otherwise(l, row, &mts))
		return;
	struct order *o = expire_at_rest(l, row);
	if (o != NULL)
		put(o, mts);
	else if (known != NULL)
		known->place_again = true;
}

bool again_returned(struct order *o)
{
	const struct store_queued row = row_of(o);
	struct swlink *l = o->link;
	if (!o->place_again && !l->is_removed)
		return false;
	const struct mts_id *mts;
	o->place_again = false;
	if (!goes_otherwise(l, &row, &mts))
		return false;
	put(o, mts);
	return true;
}

/* --- the round --- */

static size_t slice(struct swlink *l, size_t max)
{
	enum { BATCH = 50 };
	struct again *g = &l->again;
	struct store_queued rows[BATCH];
	const size_t want = max < BATCH ? max : BATCH;
	const size_t n = store_queue_next(l->sw->store, l->name, g->priority, STORE_NEVER - 1, &g->place, rows, want);
	for (size_t i = 0; i < n; i++)
		look_at(l, &rows[i]);
	if (n == want)
		return n;
	g->place = (struct store_place){ 0 };
	if (g->priority == PRIORITY_NON_URGENT)
		g->is_begun = false;
	else
		g->priority--;
	return n + 1;
}

bool again_slices(struct sw *s, size_t max, size_t *done_r)
{
	size_t done = 0;
	bool more = false;
	for (size_t i = 0; i < s->n_links; i++) {
		struct swlink *l = s->links[i];
		while (l->again.is_begun && done < max)
			done += slice(l, max - done);
		more = more || l->again.is_begun;
	}
	*done_r = done;
	return more;
}
