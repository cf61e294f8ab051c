/* tally.c - what the switch counts, and the answer to METRICS.
 *
 * A total lies in memory twice: as it is now, and as it is on disk, which is what is shown: else a crash would set it back, and who
 * watches it would see a counter that began anew. What has changed is put into the group in which it is counted; what was counted outside
 * of any (an association that came up) waits a second for one, and then begins one. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"
#include "base/text.h"

enum { TALLY_MS = 1000, TEXT_MAX = 4000, OLDEST_ROWS = 16 };

static bool is_kept(enum metric m)
{
	return metric_kinds[m].type == METRIC_TOTAL || metric_kinds[m].type == METRIC_STAMP;
}

/* "received_messages" of posthorn_link_received_messages_total. */
static struct view short_name(enum metric m)
{
	struct view name = view_str(metric_kinds[m].name);
	const struct view prefix = metric_kinds[m].scope == METRIC_OF_LINK ? VIEW("posthorn_link_") : VIEW("posthorn_mta_"), total = VIEW("_total");
	if (view_eq(view_first(name, prefix.n), prefix))
		name = view_from(name, prefix.n);
	if (name.n > total.n && view_eq(view_from(name, name.n - total.n), total))
		name.n -= total.n;
	return name;
}

/* --- counting --- */

static void on_due(void *ctx)
{
	tally_flush(ctx);
}

static void dirty(struct tally *t)
{
	struct tallies *all = &t->sw->tallies;
	if (t->is_dirty)
		return;
	t->is_dirty = true;
	t->next = all->dirty;
	all->dirty = t;
	if (!timer_is_set(&all->due))
		timer_after(&all->due, TALLY_MS);
}

void tally_add(struct tally *t, enum metric m, uint64_t n)
{
	assert(metric_kinds[m].type == METRIC_TOTAL);
	t->now[m] += (int64_t)n;
	dirty(t);
}

void tally_stamp(struct tally *t, enum metric m)
{
	assert(metric_kinds[m].type == METRIC_STAMP);
	t->now[m] = env_wall_ms(t->sw->host.env);
	dirty(t);
}

void tally_both(struct swlink *l, enum metric of_mta, enum metric of_link)
{
	tally_add(&l->sw->tallies.mta, of_mta, 1);
	tally_add(&l->tally, of_link, 1);
}

void tally_received(struct sw *s, struct swlink *l, const struct message *m, uint64_t size)
{
	uint64_t recipients = 0;
	for (size_t i = 0; i < m->n_rcpt; i++)
		recipients += m->rcpt[i].responsible;
	tally_add(&s->tallies.mta, METRIC_MTA_RECEIVED_MESSAGES, 1);
	tally_add(&s->tallies.mta, METRIC_MTA_RECEIVED_OCTETS, size);
	tally_add(&s->tallies.mta, METRIC_MTA_RECEIVED_RECIPIENTS, recipients);
	if (l == NULL) {
		tally_add(&s->tallies.mta, METRIC_MTA_SUBMITTED, 1);
		return;
	}
	tally_add(&l->tally, METRIC_LINK_RECEIVED_MESSAGES, 1);
	tally_add(&l->tally, METRIC_LINK_RECEIVED_OCTETS, size);
	tally_add(&l->tally, METRIC_LINK_RECEIVED_RECIPIENTS, recipients);
	tally_stamp(&l->tally, METRIC_LINK_LAST_INBOUND);
}

static uint64_t age(const struct sw *s, wall_ms_t arrived)
{
	const wall_ms_t now = env_wall_ms(s->host.env);
	return arrived == 0 || now < arrived ? 0 : (uint64_t)(now - arrived);
}

void tally_transmitted(struct sw *s, struct swlink *l, uint64_t size, uint64_t recipients, wall_ms_t arrived)
{
	const uint64_t delay = age(s, arrived);
	tally_add(&s->tallies.mta, METRIC_MTA_TRANSMITTED_MESSAGES, 1);
	tally_add(&s->tallies.mta, METRIC_MTA_TRANSMITTED_OCTETS, size);
	tally_add(&s->tallies.mta, METRIC_MTA_TRANSMITTED_RECIPIENTS, recipients);
	metric_observe(&s->tallies.delay, METRIC_MTA_DELAY, delay);
	if (l == NULL) {
		tally_add(&s->tallies.mta, METRIC_MTA_DELIVERED, 1);
		return;
	}
	tally_add(&l->tally, METRIC_LINK_TRANSMITTED_MESSAGES, 1);
	tally_add(&l->tally, METRIC_LINK_TRANSMITTED_OCTETS, size);
	tally_add(&l->tally, METRIC_LINK_TRANSMITTED_RECIPIENTS, recipients);
	tally_stamp(&l->tally, METRIC_LINK_LAST_OUTBOUND);
	metric_observe(&l->tally.delay, METRIC_LINK_DELAY, delay);
}

void tally_refused(struct swlink *l, const struct err *why)
{
	tally_add(&l->tally, METRIC_LINK_INBOUND_REJECTED, 1);
	snprintf(l->tally.rejected, sizeof l->tally.rejected, "%s", why->text);
}

void tally_open_failed(struct swlink *l, const struct err *why)
{
	tally_add(&l->tally, METRIC_LINK_OUTBOUND_FAILED, 1);
	snprintf(l->tally.failed, sizeof l->tally.failed, "%s", why->text);
}

/* --- the store --- */

static void put(struct tally *t)
{
	struct out text;
	out_init(&text, TEXT_MAX);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		if (t->now[i] == 0 || !is_kept((enum metric)i))
			continue;
		const struct view name = t->sw->tallies.names[i];
		out_bytes(&text, name);
		out_fmt(&text, " %lld ", (long long)t->now[i]);
	}
	assert(!text.bad); /* every row with 20 digits fits (tested) */
	store_total_put(t->sw->store, view_str(t->name), out_view(&text));
	out_fini(&text);
}

static void restore(struct tally *t, struct view text)
{
	struct cur c = cur_of(text);
	while (cur_left(&c) > 0) {
		struct view words[2];
		for (size_t i = 0; i < 2; i++) {
			const struct view rest = view_of(c.p, cur_left(&c));
			size_t n = 0;
			while (n < rest.n && rest.p[n] != ' ')
				n++;
			words[i] = cur_bytes(&c, n);
			if (cur_left(&c) > 0)
				cur_u8(&c);
		}
		uint64_t x;
		for (unsigned i = 0; i < METRIC_COUNT; i++)
			if (is_kept((enum metric)i) && metric_kinds[i].scope == t->scope && view_eq(words[0], t->sw->tallies.names[i]) &&
			    text_uint(words[1], INT64_MAX, &x)) {
				t->now[i] += (int64_t)x; /* it may have counted before it was read */
				t->durable[i] = (int64_t)x;
			}
	}
}

static struct tally *tally_named(struct sw *s, struct view name)
{
	if (view_eq(name, view_str(s->tallies.mta.name)))
		return &s->tallies.mta;
	for (size_t i = 0; i < s->n_links; i++)
		if (view_eq(name, view_str(s->links[i]->tally.name)))
			return &s->links[i]->tally;
	return NULL;
}

static void on_total(void *ctx, struct view name, struct view text)
{
	struct tally *t = tally_named(ctx, name);
	if (t != NULL && !t->is_restored)
		restore(t, text);
}

static void restore_all(struct sw *s)
{
	store_totals(s->store, on_total, s);
	s->tallies.mta.is_restored = true;
	for (size_t i = 0; i < s->n_links; i++)
		s->links[i]->tally.is_restored = true;
}

void tally_flush(struct sw *s)
{
	struct tallies *all = &s->tallies;
	for (const struct tally *t = all->dirty; t != NULL; t = t->next)
		if (!t->is_restored) {
			restore_all(s);
			break;
		}
	while (all->dirty != NULL) {
		struct tally *t = all->dirty;
		all->dirty = t->next;
		t->is_dirty = false;
		put(t);
		if (!t->is_put) {
			t->is_put = true;
			t->next_put = all->put;
			all->put = t;
		}
	}
	timer_stop(&all->due);
}

/* Nothing is counted between the flush before a commit and this. */
void tally_durable(struct sw *s)
{
	struct tallies *all = &s->tallies;
	while (all->put != NULL) {
		struct tally *t = all->put;
		all->put = t->next_put;
		t->is_put = false;
		memcpy(t->durable, t->now, sizeof t->durable);
	}
}

/* --- life --- */

static void init(struct tally *t, struct sw *s, enum metric_scope scope)
{
	t->sw = s;
	t->scope = scope;
}

void tally_link_init(struct swlink *l)
{
	init(&l->tally, l->sw, METRIC_OF_LINK);
	snprintf(l->tally.name, sizeof l->tally.name, "link %s", l->set->name);
}

void tally_link_fini(struct swlink *l)
{
	struct tallies *all = &l->sw->tallies;
	struct tally **at;
	if (l->tally.is_dirty && l->tally.is_restored && !l->sw->failed)
		put(&l->tally);
	for (at = &all->dirty; *at != NULL; at = &(*at)->next)
		if (*at == &l->tally) {
			*at = l->tally.next;
			break;
		}
	for (at = &all->put; *at != NULL; at = &(*at)->next_put)
		if (*at == &l->tally) {
			*at = l->tally.next_put;
			break;
		}
}

void tally_init(struct sw *s)
{
	struct tallies *all = &s->tallies;
	init(&all->mta, s, METRIC_OF_MTA);
	snprintf(all->mta.name, sizeof all->mta.name, "mta");
	timer_init(&all->due, s->host.env, on_due, s);
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		all->names[i] = short_name((enum metric)i);
}

void tally_start(struct sw *s)
{
	restore_all(s);
}

void tally_fini(struct sw *s)
{
	timer_stop(&s->tallies.due);
}

/* --- METRICS --- */

static void take_kept(struct metric_set *m, const struct tally *t)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		if (metric_kinds[i].scope != t->scope)
			continue;
		m->v[i].n = is_kept((enum metric)i) ? t->durable[i] : METRIC_ABSENT;
	}
}

static void set(struct metric_set *m, enum metric which, uint64_t n)
{
	m->v[which].n = (int64_t)n;
}

/* Sums over the queues; and what each has, by link. */
struct queues {
	struct sw *s;
	struct metric_set *mta;
	uint64_t octets;
};

static void add_queue(void *ctx, const struct store_queue *q)
{
	struct queues *x = ctx;
	struct swlink *l = switch_link(x->s, q->name);
	x->octets += q->octets;
	if (l != NULL)
		l->tally.recipients = q->recipients;
	else if (view_eq(q->name, VIEW(JOBS_DEFERRED)))
		set(x->mta, METRIC_MTA_DEFERRED, q->transfers);
}

static void take_store(struct sw *s, struct metric_set *m)
{
	struct queues queues = { .s = s, .mta = m };
	struct store_counts c;
	uint64_t free_octets;
	for (size_t i = 0; i < s->n_links; i++)
		s->links[i]->tally.recipients = 0;
	set(m, METRIC_MTA_DEFERRED, 0);
	store_queues(s->store, add_queue, &queues);
	store_count(s->store, &c);
	set(m, METRIC_MTA_STORED_MESSAGES, c.transfers);
	set(m, METRIC_MTA_STORED_OCTETS, queues.octets);
	set(m, METRIC_MTA_STORED_RECIPIENTS, c.recipients_queued);
	set(m, METRIC_MTA_QUARANTINE, c.quarantined);
	set(m, METRIC_MTA_SUSPECTS, c.suspects);
	set(m, METRIC_MTA_HELD, store_held(s->store));
	set(m, METRIC_MTA_PARTIALS, c.partials);
	set(m, METRIC_MTA_MAILBOX_ENTRIES, c.deliveries);
	set(m, METRIC_STORE_MESSAGES, c.messages);
	set(m, METRIC_STORE_TRACKING_LOST, c.tracking_lost);
	set(m, METRIC_STORE_MIN_FREE, s->settings->store.min_free);
	if (env_disk_free(s->host.env, &free_octets))
		set(m, METRIC_STORE_FREE, free_octets);
}

static unsigned outbound(const struct swlink *l)
{
	return l->n_assocs - l->n_opening;
}

static void take_mta(struct sw *s, struct metric_set *m)
{
	uint64_t associations = 0;
	take_kept(m, &s->tallies.mta);
	take_store(s, m);
	for (size_t i = 0; i < s->n_links; i++)
		associations += outbound(s->links[i]) + s->links[i]->n_inbound;
	set(m, METRIC_MTA_ASSOCIATIONS, associations);
	m->v[METRIC_INFO].words = s->mta;
	set(m, METRIC_SWITCH_BUSY, s->busy);
	set(m, METRIC_SWITCH_MEMORY, s->under_way);
	set(m, METRIC_SWITCH_MEMORY_LIMIT, s->settings->limits.memory);
	set(m, METRIC_SWITCH_STARTED, (uint64_t)s->started_wall_ms);
	m->v[METRIC_SWITCH_COMMIT].h = &s->tallies.commit;
	m->v[METRIC_MTA_DELAY].h = &s->tallies.delay;
}

/* The first of those that were never tried are the oldest of them; those that were tried stand by their next attempt, and a few of the
 * soonest are looked at. */
static wall_ms_t oldest_in(const struct swlink *l, enum priority p)
{
	struct store_queued rows[OLDEST_ROWS];
	struct store_place from_start = { 0 }, tried = { .next_ms = 1 };
	wall_ms_t oldest = 0;
	size_t n = store_queue_next(l->sw->store, l->name, p, STORE_NEVER - 1, &from_start, rows, 1);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < n; i++)
			if (oldest == 0 || rows[i].arrived < oldest)
				oldest = rows[i].arrived;
		if (round == 0)
			n = store_queue_next(l->sw->store, l->name, p, STORE_NEVER - 1, &tried, rows, OLDEST_ROWS);
	}
	return oldest;
}

static void take_oldest(const struct swlink *l, struct metric_set *m)
{
	wall_ms_t oldest = 0;
	for (int p = 0; p < PRIORITY_COUNT && l->queued > 0; p++) {
		const wall_ms_t at = oldest_in(l, (enum priority)p);
		if (at != 0 && (oldest == 0 || at < oldest))
			oldest = at;
	}
	if (oldest != 0)
		set(m, METRIC_LINK_OLDEST, age(l->sw, oldest));
}

/* Mail can go out, as far as is known. That the peer calls us says nothing of it, but where it gives us the turn. */
bool tally_is_up(const struct swlink *l)
{
	if (connector_is_link(l))
		return l->connector != NULL && !l->is_detached;
	if (outbound(l) > 0 || l->n_turns > 0)
		return true;
	return l->open_failures == 0 && l->lost_in_vain == 0;
}

static void take_link(const struct swlink *l, struct metric_set *m)
{
	const int64_t now = env_now_ms(l->sw->host.env);
	m->link = l->name;
	take_kept(m, &l->tally);
	set(m, METRIC_LINK_STORED_MESSAGES, l->queued);
	set(m, METRIC_LINK_STORED_OCTETS, l->octets);
	set(m, METRIC_LINK_STORED_RECIPIENTS, l->tally.recipients);
	take_oldest(l, m);
	set(m, METRIC_LINK_INBOUND, l->n_inbound);
	set(m, METRIC_LINK_OUTBOUND, outbound(l));
	m->v[METRIC_LINK_REJECTION_REASON].words = view_str(l->tally.rejected);
	m->v[METRIC_LINK_FAILURE_REASON].words = view_str(l->tally.failed);
	if (timer_is_set(&l->open_timer))
		set(m, METRIC_LINK_RETRY, l->open_timer.at_ms > now ? (uint64_t)(l->open_timer.at_ms - now) : 0);
	set(m, METRIC_LINK_UP, tally_is_up(l));
	m->v[METRIC_LINK_STATE].words = view_str(dispatch_state(l));
	set(m, METRIC_LINK_FAILURES, l->open_failures);
	set(m, METRIC_LINK_IN_FLIGHT, l->in_flight);
	set(m, METRIC_LINK_PARTIALS, l->n_partials);
	m->v[METRIC_LINK_DELAY].h = &l->tally.delay;
	struct monitor_shown shown;
	monitor_show(l, &shown);
	if (!shown.is_on)
		return;
	set(m, METRIC_LINK_MONITOR, shown.state);
	set(m, METRIC_LINK_MONITOR_WAITS, (uint64_t)shown.waits_ms);
	if (shown.trip_ms >= 0)
		set(m, METRIC_LINK_MONITOR_TRIP, (uint64_t)shown.trip_ms);
}

static void give(struct proc *p, const struct metric_set *m)
{
	struct out *o = proc_begin(p, MSG_METRIC);
	if (o == NULL)
		return;
	put_metric_set(o, m);
	proc_end(p);
}

bool tally_asked(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	(void)payload;
	(void)e;
	struct metric_set *m = mem_zero(sizeof *m);
	take_mta(s, m);
	give(p, m);
	for (size_t i = 0; i < s->n_links; i++) {
		*m = (struct metric_set){ 0 };
		take_link(s->links[i], m);
		give(p, m);
	}
	free(m);
	if (proc_begin(p, MSG_METRICS_END) != NULL)
		proc_end(p);
	return true;
}
