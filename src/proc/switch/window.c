/* window.c - what of a link's queue is in memory: a window for each priority, filled from the store when it runs low. */
#include "proc/switch/switch_int.h"

/* Entries of one priority that a link may have in memory now: what a thousand links with a backlog each cost stays bounded. */
static size_t window_limit(const struct sw *s)
{
	return s->orders.n < s->settings->limits.memory / ORDER_OCTETS ? WINDOW_MAX : WINDOW_LOW;
}

static size_t window_room(const struct swlink *l, enum priority prio)
{
	const size_t limit = window_limit(l->sw), n = queue_window_count(l->window, prio);
	return n < limit ? limit - n : 0;
}

void dispatch_enter(struct swlink *l, struct order *o)
{
	struct queue_entry entry = { o->transfer, o->priority, o };
	if (operate_returned(o) || again_returned(o))
		return;
	if (!l->complete[o->priority] || window_room(l, o->priority) == 0 || !queue_window_push(l->window, entry)) {
		l->complete[o->priority] = false;
		l->missed[o->priority] = true; /* the listing under way may be past its place already */
		order_free(o);
	}
	dispatch_run(l);
}

void dispatch_put_back(struct order *o)
{
	struct queue_entry entry = { o->transfer, o->priority, o };
	o->in_hand = false;
	if (operate_returned(o) || again_returned(o) || monitor_drops(o))
		return;
	if (suspect_of(o) != NULL)
		alone_add(o);
	else
		queue_window_unget(o->link->window, entry);
}

/* --- from the store --- */

static void refill_priority(struct swlink *l, enum priority prio)
{
	enum { BATCH = 250 };
	struct sw *s = l->sw;
	wall_ms_t now = env_wall_ms(s->host.env);
	size_t room;
	/* Under a quarter full it is worth asking the store. */
	while (!l->complete[prio] && (room = window_room(l, prio)) > window_limit(s) - (window_limit(s) + 3) / 4) {
		struct store_queued rows[BATCH];
		const size_t max = room < BATCH ? room : BATCH;
		size_t n = store_queue_next(s->store, l->name, prio, now, &l->place[prio], rows, max);
		for (size_t i = 0; i < n; i++) {
			struct order *known = map_get(&s->orders, rows[i].transfer);
			if (known != NULL)
				continue;
			struct order *o = order_new(l, &rows[i]);
			if (suspect_of(o) != NULL) {
				alone_add(o);
				continue;
			}
			struct queue_entry entry = { o->transfer, o->priority, o };
			if (!queue_window_push(l->window, entry))
				CANT_HAPPEN("a window that wants a refill has no room for a batch");
		}
		if (n < max) {
			l->complete[prio] = !l->missed[prio];
			l->missed[prio] = false;
			l->place[prio] = (struct store_place){ 0 };
		}
	}
}

void window_refill(struct swlink *l)
{
	for (int prio = PRIORITY_URGENT; prio >= PRIORITY_NON_URGENT; prio--)
		refill_priority(l, (enum priority)prio);
}

void dispatch_relist(struct swlink *l)
{
	for (int prio = 0; prio < PRIORITY_COUNT; prio++) {
		l->complete[prio] = false;
		l->place[prio] = (struct store_place){ 0 };
	}
	dispatch_run(l);
}

/* Something in the store has come due. */
static void on_wake(void *ctx)
{
	struct swlink *l = ctx;
	wall_ms_t now = env_wall_ms(l->sw->host.env);
	wall_ms_t next = store_queue_wakes(l->sw->store, l->name, now);
	if (next != 0)
		timer_after(&l->wake_timer, next - now);
	dispatch_relist(l);
}

static void look_when_to_wake(struct swlink *l)
{
	wall_ms_t now = env_wall_ms(l->sw->host.env);
	wall_ms_t next = timer_is_set(&l->wake_timer) ? 0 : store_queue_wakes(l->sw->store, l->name, now);
	if (next != 0)
		timer_after(&l->wake_timer, next - now);
}

void dispatch_sweep(struct swlink *l)
{
	look_when_to_wake(l);
	connector_sweep(l);
}

void window_init(struct swlink *l)
{
	l->window = queue_window_new(WINDOW_MAX);
	timer_init(&l->wake_timer, l->sw->host.env, on_wake, l);
	look_when_to_wake(l);
}
