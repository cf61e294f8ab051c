/* tally.c - what the switch counts, and the answer to METRICS.
 *
 * A total lies in memory twice: as it is now, and as it is on disk, which is what is shown: else a crash would set it back, and who
 * watches it would see a counter that began anew. What has changed is put into the group in which it is counted; what was counted outside
 * of any (an association that came up) waits a second for one, and then begins one. */
#include "proc/switch/switch_int.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

enum { TALLY_MS = 1000, TEXT_MAX = 4000, NOW_MAX = 2000, OLDEST_ROWS = 16 };

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

/* --- the store ---
 * Each tally is a text of names and numbers there, so that it can be read with sqlite3 and by other versions. To write those in each group
 * would cost as much as the mail. So they are written once a second, and in between one short row has what differs from them. */

_Static_assert(METRIC_COUNT < 256, "the number of a metric is one octet in the short row");
#define NOW "now" /* that row: after all others by name */

static void put_text(struct tally *t)
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
	memcpy(t->text, t->now, sizeof t->text);
}

static void put_texts(struct sw *s)
{
	struct tallies *all = &s->tallies;
	while (all->changed != NULL) {
		struct tally *t = all->changed;
		all->changed = t->next_changed;
		t->is_changed = false;
		put_text(t);
	}
	if (all->has_now)
		store_total_put(s->store, VIEW(NOW), (struct view){ NULL, 0 });
	all->has_now = false;
	all->texts_ms = env_now_ms(s->host.env);
}

/* The names of the table, in a number: rows of another version mean something else. */
static uint64_t version(void)
{
	uint64_t hash = HASH_START;
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		hash = hash_octets(hash, view_str(metric_kinds[i].name));
	return hash;
}

static void put_differences(struct out *o, const struct tally *t)
{
	uint8_t differ[METRIC_COUNT];
	size_t n = 0;
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		if (t->now[i] != t->text[i])
			differ[n++] = (uint8_t)i;
	put_string(o, view_str(t->name));
	out_u8(o, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		out_u8(o, differ[i]);
		out_u64(o, (uint64_t)t->now[differ[i]]);
	}
}

/* False: it is too long, with very many links. */
static bool put_now(struct sw *s)
{
	struct tallies *all = &s->tallies;
	struct out *o = &all->scratch;
	out_clear(o);
	out_u64(o, all->version);
	for (const struct tally *t = all->changed; t != NULL; t = t->next_changed)
		put_differences(o, t);
	if (o->bad)
		return false;
	store_total_put(s->store, VIEW(NOW), out_view(o));
	all->has_now = true;
	return true;
}

static void restore_text(struct tally *t, struct view text)
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
			    text_uint(words[1], INT64_MAX, &x))
				t->durable[i] = t->text[i] = (int64_t)x;
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

static void restore_now(struct sw *s, struct view octets)
{
	struct cur c = cur_of(octets);
	if (cur_u64(&c) != s->tallies.version)
		return;
	while (cur_left(&c) > 0) {
		struct tally *t = tally_named(s, get_string(&c));
		for (unsigned n = cur_u8(&c); n > 0 && !c.bad; n--) {
			const unsigned m = cur_u8(&c);
			const int64_t x = (int64_t)cur_u64(&c);
			if (!c.bad && t != NULL && !t->is_restored && m < METRIC_COUNT && is_kept((enum metric)m) && metric_kinds[m].scope == t->scope)
				t->durable[m] = x;
		}
	}
}

static void on_total(void *ctx, struct view name, struct view text)
{
	struct sw *s = ctx;
	struct tally *t = tally_named(s, name);
	if (view_eq(name, VIEW(NOW))) {
		s->tallies.has_now = s->tallies.has_now || text.n > 0;
		restore_now(s, text);
	} else if (t != NULL && !t->is_restored) {
		restore_text(t, text);
	}
}

static void change(struct tally *t)
{
	if (t->is_changed)
		return;
	t->is_changed = true;
	t->next_changed = t->sw->tallies.changed;
	t->sw->tallies.changed = t;
}

/* It may have counted before this. What came from the short row is not in its text yet. */
static void is_restored(struct tally *t)
{
	if (t->is_restored)
		return;
	t->is_restored = true;
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		t->now[i] = metric_kinds[i].type == METRIC_STAMP && t->now[i] != 0 ? t->now[i] : t->now[i] + t->durable[i];
		if (t->now[i] != t->text[i])
			change(t);
	}
}

static void restore_all(struct sw *s)
{
	store_totals(s->store, on_total, s);
	is_restored(&s->tallies.mta);
	for (size_t i = 0; i < s->n_links; i++)
		is_restored(&s->links[i]->tally);
}

static void note_dirty(struct sw *s)
{
	struct tallies *all = &s->tallies;
	while (all->dirty != NULL) {
		struct tally *t = all->dirty;
		all->dirty = t->next;
		t->is_dirty = false;
		change(t);
		if (!t->is_put) {
			t->is_put = true;
			t->next_put = all->put;
			all->put = t;
		}
	}
}

void tally_flush(struct sw *s)
{
	struct tallies *all = &s->tallies;
	if (all->dirty == NULL)
		return;
	for (const struct tally *t = all->dirty; t != NULL; t = t->next)
		if (!t->is_restored) {
			restore_all(s);
			break;
		}
	note_dirty(s);
	if (s->stopping || env_now_ms(s->host.env) - all->texts_ms >= TALLY_MS || !put_now(s))
		put_texts(s);
	timer_stop(&all->due);
}

void tally_stop(struct sw *s)
{
	tally_flush(s);
	if (s->tallies.changed != NULL && !s->failed)
		put_texts(s);
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

static void take_out(struct tally **at, const struct tally *t, size_t next)
{
	while (*at != NULL && *at != t)
		at = (struct tally **)(void *)((char *)*at + next);
	if (*at != NULL)
		*at = *(struct tally **)(void *)((char *)*at + next);
}

/* The short row has nothing of it any more: when it comes back, it is read from its text. */
void tally_link_fini(struct swlink *l)
{
	struct tallies *all = &l->sw->tallies;
	struct tally *t = &l->tally;
	if (t->is_dirty && t->is_restored)
		change(t);
	if (t->is_changed && t->is_restored && !l->sw->failed)
		put_texts(l->sw);
	take_out(&all->dirty, t, offsetof(struct tally, next));
	take_out(&all->put, t, offsetof(struct tally, next_put));
	take_out(&all->changed, t, offsetof(struct tally, next_changed));
}

void tally_init(struct sw *s)
{
	struct tallies *all = &s->tallies;
	init(&all->mta, s, METRIC_OF_MTA);
	snprintf(all->mta.name, sizeof all->mta.name, "mta");
	all->version = version();
	all->texts_ms = INT64_MIN / 2;
	out_init(&all->scratch, NOW_MAX);
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
	out_fini(&s->tallies.scratch);
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
	if (l->is_stopped || l->is_removed)
		return false;
	if (connector_is_link(l))
		return l->connector != NULL && !l->is_detached;
	if (outbound(l) > 0 || l->n_turns > 0)
		return true;
	return l->open_failures == 0 && l->lost_in_vain == 0;
}

static void take_link(const struct swlink *l, struct metric_set *m)
{
	static const char *const kinds[] = { [LINK_X400] = "x400", [LINK_CONNECTOR] = "connector", [LINK_MSMAIL] = "msmail" };
	const int64_t now = env_now_ms(l->sw->host.env);
	m->link = l->name;
	take_kept(m, &l->tally);
	set(m, METRIC_LINK_STORED_MESSAGES, l->queued);
	set(m, METRIC_LINK_STORED_OCTETS, l->octets);
	set(m, METRIC_LINK_STORED_RECIPIENTS, l->tally.recipients);
	take_oldest(l, m);
	set(m, METRIC_LINK_INBOUND, l->n_inbound);
	set(m, METRIC_LINK_OUTBOUND, outbound(l));
	m->v[METRIC_LINK_PROTOCOL].words = view_str(kinds[l->set->kind]);
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
