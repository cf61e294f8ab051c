/* jobs.c - what the switch has put aside for itself, in queues of no link: messages that are deferred, messages to be placed again
 * for other recipients, lists to be expanded. They lie in the store as transfers do, so that nothing is lost with the process, an
 * operator sees them, and each is done in a turn of its own, one slice at a time. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum {
	SOON_MS = 1,                     /* in a turn of its own */
	AT_ONCE = 16,                    /* jobs in a turn; of a list one slice */
	LOOK_AGAIN_MS = 15 * 60 * 1000,  /* at what is deferred at least so often: the host's clock may be set */
};

static const char *const queues[] = { JOBS_DEFERRED, JOBS_AGAIN, JOBS_LISTS };

bool jobs_is_queue(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(queues); i++)
		if (view_eq(name, view_str(queues[i])))
			return true;
	return false;
}

void jobs_at(struct sw *s, wall_ms_t at)
{
	const wall_ms_t now = env_wall_ms(s->host.env);
	const int64_t left = at > now ? at - now : SOON_MS, delay = left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS;
	if (!timer_is_set(&s->jobs) || s->jobs.at_ms > env_now_ms(s->host.env) + delay)
		timer_after(&s->jobs, delay);
}

static void nothing_more(struct sw *s, struct waiting *w)
{
	place_enter_windows(s, w);
}

static bool load(struct sw *s, const struct store_queued *row, struct view queue, struct store_loaded *l)
{
	struct err e;
	char transfer[24];
	const struct key k = suspect_key("message", row->message);
	const struct suspect *x = suspect_find(s, &k);
	if (suspect_is_over(s, x)) {
		quarantine_homeless(s, row->transfer, queue, x);
		suspect_forget(s, &k);
		return false;
	}
	if (x != NULL && store_has_group(s->store)) /* only this one is lost if it kills again */
		switch_commit(s);
	arena_reset(s->work);
	switch_note(s, "transfer", row->transfer);
	if (store_load_transfer(s->store, row->transfer, l, s->work, &e) && l->m != NULL)
		return true;
	snprintf(transfer, sizeof transfer, "%llu", (unsigned long long)row->transfer);
	EMIT(&s->host, STORE_DAMAGED, "transfer", transfer, "why", e.text);
	store_transfer_quarantine(s->store, row->transfer, 0, e.text, "");
	return false;
}

struct incoming jobs_incoming(const struct store_loaded *l)
{
	struct incoming in = { .m = l->m, .content = l->content, .size = l->content_size, .again = true, .arrived = l->arrived,
			       .expires = l->expires };
	if (l->in_file)
		in.content_of = l->message;
	return in;
}

/* Its life begins with the release, and the trace says when that was to be. */
static void release(struct sw *s, struct store_loaded *l, struct waiting *w)
{
	struct incoming in = jobs_incoming(l);
	in.arrived = in.expires = 0;
	place_message(s, &in, w);
}

/* False: there is more of it. */
static bool perform(struct sw *s, const char *queue, const struct store_queued *row)
{
	struct store_loaded l;
	const struct key k = suspect_key("message", row->message);
	if (!load(s, row, view_str(queue), &l))
		return true;
	struct waiting *w = switch_wait(s, nothing_more, NULL, 0);
	place_name(w, l.m);
	bool done = true;
	if (strcmp(queue, JOBS_LISTS) == 0) {
		done = lists_expand(s, row, &l, w);
	} else if (strcmp(queue, JOBS_DEFERRED) == 0) {
		release(s, &l, w);
	} else {
		struct incoming in = jobs_incoming(&l);
		in.link = l.peer; /* not back there; empty when it was redirected */
		if (!reroute_trace(s, l.m, l.tried))
			CANT_HAPPEN("the work arena is too small for a trace element");
		place_message(s, &in, w);
	}
	if (done) {
		store_transfer_done(s->store, row->transfer);
		if (suspect_find(s, &k) != NULL)
			suspect_forget(s, &k);
	}
	w->ticket = store_ticket(s->store);
	return done;
}

/* The first that is due, urgent before others; NULL: none is. */
static const char *first_due(struct sw *s, struct store_queued *row_r)
{
	const wall_ms_t now = env_wall_ms(s->host.env);
	for (int prio = PRIORITY_URGENT; prio >= PRIORITY_NON_URGENT; prio--) {
		for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
			struct store_place place = { 0 };
			if (store_queue_next(s->store, view_str(queues[i]), (enum priority)prio, now, &place, row_r, 1) > 0)
				return queues[i];
		}
	}
	return NULL;
}

/* When there is nothing to do, no timer is set. */
static void wait(struct sw *s)
{
	struct store_queued row;
	const wall_ms_t now = env_wall_ms(s->host.env);
	if (first_due(s, &row) != NULL) {
		timer_after(&s->jobs, SOON_MS);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
		wall_ms_t at = store_queue_wakes(s->store, view_str(queues[i]), now);
		if (at != 0)
			jobs_at(s, at);
	}
}

static void on_jobs(void *ctx)
{
	struct sw *s = ctx;
	struct store_queued row;
	const char *queue;
	bool whole = true;
	if (s->full || s->failed || s->stopping) {
		timer_after(&s->jobs, SWEEP_MS);
		return;
	}
	for (unsigned i = 0; i < AT_ONCE && whole && (queue = first_due(s, &row)) != NULL; i++)
		whole = perform(s, queue, &row);
	wait(s);
}

/* What is half expanded goes on by the lists of now: a switch before this one has begun it. */
static void note_half_expanded(struct sw *s)
{
	enum { LOOKED_AT = 64 };
	struct store_queued rows[LOOKED_AT];
	for (int prio = PRIORITY_URGENT; prio >= PRIORITY_NON_URGENT; prio--) {
		struct store_place place = { 0 };
		size_t n = LOOKED_AT;
		while (n == LOOKED_AT) {
			n = store_queue_next(s->store, VIEW(JOBS_LISTS), (enum priority)prio, INT64_MAX, &place, rows, LOOKED_AT);
			for (size_t i = 0; i < n; i++)
				if (rows[i].attempts > 0)
					lists_begun(s, rows[i].transfer);
		}
	}
}

void jobs_sweep(struct sw *s)
{
	struct store_queued row;
	bool any = false;
	for (int prio = PRIORITY_URGENT; prio >= PRIORITY_NON_URGENT && !any; prio--) {
		struct store_place place = { 0 };
		any = store_queue_next(s->store, VIEW(JOBS_LISTS), (enum priority)prio, INT64_MAX, &place, &row, 1) > 0;
	}
	if (!any)
		lists_all_over(s);
}

void jobs_init(struct sw *s)
{
	timer_init(&s->jobs, s->host.env, on_jobs, s);
	note_half_expanded(s);
	wait(s);
}

void jobs_fini(struct sw *s)
{
	timer_stop(&s->jobs);
}
