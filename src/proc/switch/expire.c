/* expire.c - what has had its time, wherever in the store it is: transfers that have expired, steps that are no longer kept; and the
 * slices of reroute.c. So that a million of them stop nothing else: nobody waits for them. */
#include "proc/switch/switch_int.h"

enum {
	SCAN = 2000,                     /* transfers looked at in a slice */
	REPORTED_MAX = 50,               /* given up in a slice: each is a report, some tenths of a millisecond */
	SHORT_TOLD_MS = 3600 * 1000,
	BUSY_MS = 5,                     /* to the next slice while there is something to do */
	SCAN_MS = 250,                   /* while the scan is under way: a million transfers in two minutes */
};

/* In a window, with the suspects, waiting for its conversion, or in the store only: then it is free to be taken. Else the next scan
 * finds it. */
struct order *expire_at_rest(struct swlink *l, const struct store_queued *row)
{
	struct order *o = map_get(&l->sw->orders, row->transfer);
	if (o == NULL)
		return order_new(l, row);
	if (o->list == &l->suspects || o->list == &l->sw->converts) {
		l->n_converting -= o->list == &l->sw->converts;
		order_list_remove(o);
		return o;
	}
	return o->list == NULL && !o->in_hand && queue_window_remove(l->window, o->priority, o->transfer) ? o : NULL;
}

/* To load a suspect may kill the switch: what else is in the group is durable before. */
static void commit_before(struct sw *s, const struct suspect *x)
{
	if (x != NULL && store_has_group(s->store))
		switch_commit(s);
}

void expire_give_up(struct order *o, const struct err *why)
{
	commit_before(o->link->sw, suspect_of(o));
	dispatch_give_up(o, why);
}

/* --- expiry --- */

static void nothing_more(struct sw *s, struct waiting *w)
{
	place_enter_windows(s, w);
}

/* Its link is in the settings no more: nobody else will ever look at it. */
static void give_up_homeless(struct sw *s, const struct store_expired *x, const struct err *why)
{
	struct store_loaded loaded;
	struct err e;
	char transfer[24];
	const struct key k = suspect_key("message", x->message);
	const struct suspect *suspect = suspect_find(s, &k);
	if (suspect_is_over(s, suspect)) {
		quarantine_homeless(s, x->transfer, x->queue, suspect);
		suspect_forget(s, &k);
		return;
	}
	commit_before(s, suspect);
	arena_reset(s->work);
	switch_note(s, "transfer", x->transfer);
	if (!store_load_transfer(s->store, x->transfer, &loaded, s->work, &e)) {
		snprintf(transfer, sizeof transfer, "%llu", (unsigned long long)x->transfer);
		EMIT(&s->host, STORE_DAMAGED, "transfer", transfer, "why", e.text);
		tally_add(&s->tallies.mta, METRIC_MTA_QUARANTINES, 1);
		store_transfer_quarantine(s->store, x->transfer, 0, e.text, "");
		return;
	}
	struct waiting *w = switch_wait(s, nothing_more, NULL, 0);
	const struct store_step step = { .kind = STEP_EXPIRED, .id = &loaded.m->id, .peer = x->queue, .text = view_str(why->text),
					 .size = x->size, .of = loaded.m->kind };
	store_put_step(s->store, &step);
	tally_add(&s->tallies.mta, METRIC_MTA_EXPIRED, 1);
	place_failure(s, &loaded, NULL, why, w);
	store_transfer_reported(s->store, x->transfer);
	w->ticket = store_ticket(s->store);
}

static void expired(struct sw *s, const struct store_expired *x)
{
	struct swlink *l = switch_link(s, x->queue);
	struct err e;
	char story[190];
	if (l == NULL || l->is_removed)
		snprintf(story, sizeof story, "link %.*s is in the settings no more", (int)x->queue.n, (const char *)x->queue.p);
	else
		calling_story(l, l->open_failures, l->first_failure, story, sizeof story);
	if (jobs_is_queue(x->queue))
		snprintf(story, sizeof story, "it waited in %.*s", (int)x->queue.n, (const char *)x->queue.p);
	err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 5, "not delivered in time: %.170s", story);
	if (l == NULL) {
		give_up_homeless(s, x, &e);
		return;
	}
	const struct store_queued row = { .transfer = x->transfer, .message = x->message, .priority = x->priority, .arrived = x->arrived,
					  .expires = x->expires, .attempts = x->attempts, .size = x->size };
	struct order *o = expire_at_rest(l, &row);
	if (o != NULL)
		expire_give_up(o, &e);
}

/* Returns how many it gave up. */
static size_t expire_some(struct sw *s)
{
	struct store_expired rows[REPORTED_MAX];
	char names[REPORTED_MAX][65]; /* a row's queue is good until the store is asked again */
	const size_t n = store_expired(s->store, env_wall_ms(s->host.env), &s->expire_after, SCAN, rows, REPORTED_MAX);
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof names[i], "%.*s", (int)rows[i].queue.n, (const char *)rows[i].queue.p);
		rows[i].queue = view_str(names[i]);
	}
	for (size_t i = 0; i < n; i++)
		expired(s, &rows[i]);
	return n;
}

/* --- tracking --- */

/* By age, and by size; of the latter the operator is told once an hour, because duplicates are forgotten with the steps. */
static bool forget_steps(struct sw *s, wall_ms_t before)
{
	wall_ms_t until;
	const bool more = store_forget_steps(s->store, before, s->settings->store.tracking_size, &until);
	const int64_t now = env_now_ms(s->host.env);
	if (until != 0 && (s->short_told_ms == 0 || now - s->short_told_ms >= SHORT_TOLD_MS)) {
		char minutes[24];
		s->short_told_ms = now;
		snprintf(minutes, sizeof minutes, "%lld", (long long)((env_wall_ms(s->host.env) - until) / 60000));
		EMIT(&s->host, TRACKING_SHORT, "minutes", minutes);
	}
	return more;
}

/* --- the slices --- */

static void on_expire(void *ctx)
{
	struct sw *s = ctx;
	if (s->full || s->failed || s->stopping) { /* the group that waits for the disk is to grow no more than it must */
		timer_after(&s->expire, SWEEP_MS);
		return;
	}
	const size_t n = expire_some(s);
	bool busy = n == REPORTED_MAX;
	size_t again = 0;
	busy = again_slices(s, REPORTED_MAX - n, &again) || busy;
	busy = reroute_slices(s, again < REPORTED_MAX - n ? REPORTED_MAX - n - again : 0) || busy;
	const wall_ms_t before = env_wall_ms(s->host.env) - (wall_ms_t)s->settings->store.keep_tracking_ms;
	busy = forget_steps(s, before) || busy;
	timer_after(&s->expire, busy ? BUSY_MS : s->expire_after != 0 ? SCAN_MS : SWEEP_MS);
}

void expire_init(struct sw *s)
{
	timer_init(&s->expire, s->host.env, on_expire, s);
	timer_after(&s->expire, SWEEP_MS);
}

void expire_fini(struct sw *s)
{
	timer_stop(&s->expire);
}
