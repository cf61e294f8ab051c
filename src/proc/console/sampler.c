/* sampler.c - see sampler.h. */
#include "proc/console/sampler.h"

#include "base/hash.h"
#include "base/mem.h"
#include "proc/console/console.h"
#include "proc/console/history.h"
#include "proc/table/metrics.h"

enum {
	LINKS_MAX = 10000,
	LOOK_MS = 5000,           /* a page that asks now and then is somebody who looks */
	DEAD_MS = 5000,           /* a switch that does not answer STATUS for so long is away */
	METRICS_MS = 5000,
	DUE_MOVED_MS = 2000,      /* the next attempt is at another time, and not only told of a little later */
};

struct link_now {
	char name[65], state[40], address[160], schedule[64], error[320];
	uint64_t queued, octets, inbound, outbound, two_way, in_flight, sent, received, open_failures;
	int64_t next_ms;          /* -1: none */
	double sent_per_s, received_per_s;
	const struct set_link *set; /* NULL: not in our settings */
	struct history *history;  /* NULL: too many links */
	float latency_ms;         /* below 0: none */
	uint64_t delay_n, delay_sum;
	bool is_new;              /* its counters were not seen before */
	uint64_t print, told;     /* of what a person would see: now, and when those who follow were told of it */
	int64_t due_ms, told_due_ms; /* when next_ms is over; 0: none */
	size_t metric_at;         /* where it was in the last metrics */
};

struct totals_now {
	char mta[65], domain[200];
	uint64_t messages, queued, deliveries, held, quarantined, suspects, contents, uptime_ms;
	double sent_per_s, received_per_s;
	float latency_ms;
};

/* What has come of an answer under way, and the one before. */
struct sampler {
	unsigned magic;
#define SAMPLER_MAGIC 0x5a3b1e40u
	struct env *env;
	const struct settings *settings;
	const struct sampler_events *events;
	void *ctx;
	struct upstream *up;
	const struct board *board;
	struct link_now *links;   /* in the order of the switch */
	size_t n_links, n_coming;
	struct totals_now totals;
	struct history *history;
	struct metrics *metrics, *coming;
	struct timer timer;
	bool has_any, asked;
	bool metrics_asked;
	int64_t at_ms, wall_ms;   /* of the sample */
	int64_t asked_ms, looked_ms, metrics_ms;
	size_t n_live;
	uint64_t print;           /* of what a person would see, but for the links, to know whether it has changed */
	uint64_t turns;           /* how often somebody came or went */
	uint64_t series;          /* from 1 on */
	size_t turn;              /* the link that changes are told of first */
	uint64_t delay_n, delay_sum;
};

/* --- when --- */

static bool is_looked_at(const struct sampler *s)
{
	return s->n_live > 0 || (s->looked_ms != 0 && env_now_ms(s->env) - s->looked_ms < LOOK_MS);
}

static void ask(struct sampler *s)
{
	const int64_t now = env_now_ms(s->env);
	if (s->asked && now - s->asked_ms >= DEAD_MS) {
		upstream_lost(s->up, UPSTREAM_SWITCH, "it does not answer STATUS");
		return;
	}
	if (s->asked || !upstream_is_here(s->up, UPSTREAM_SWITCH))
		return;
	s->asked = true;
	s->asked_ms = now;
	s->n_coming = 0;
	upstream_status(s->up);
	if (!s->metrics_asked && (s->metrics_ms == 0 || now - s->metrics_ms >= METRICS_MS)) {
		s->metrics_asked = true;
		metrics_clear(s->coming);
		upstream_metrics(s->up);
	}
}

static void on_timer(void *ctx)
{
	struct sampler *s = ctx;
	ask(s);
	timer_after(&s->timer, is_looked_at(s) || s->asked ? SAMPLE_MS : SAMPLE_IDLE_MS);
}

void sampler_look(struct sampler *s)
{
	const bool was = is_looked_at(s);
	s->looked_ms = env_now_ms(s->env);
	if (!was && s->looked_ms - s->at_ms >= SAMPLE_MS)
		timer_after(&s->timer, 0);
}

void sampler_live(struct sampler *s, size_t n)
{
	const bool was = is_looked_at(s);
	s->n_live = n;
	if (!was && n > 0)
		timer_after(&s->timer, 0);
}

/* --- what comes --- */

static void copy(char *to, size_t size, struct view v)
{
	snprintf(to, size, "%.*s", (int)(v.n < size ? v.n : size - 1), (const char *)v.p);
}

static const struct set_link *set_of(const struct settings *settings, const char *name)
{
	const struct set_link *links = settings->links.v;
	for (size_t i = 0; i < settings->links.n; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

static double rate(uint64_t now, uint64_t before, int64_t ms)
{
	return now < before || ms <= 0 ? 0 : (double)(now - before) * 1000 / (double)ms;
}

/* Links keep their place from answer to answer, but for a reload. */
static struct link_now *place_of(struct sampler *s, struct view name)
{
	if (s->n_coming < s->n_links && view_eq(view_str(s->links[s->n_coming].name), name))
		return &s->links[s->n_coming++];
	size_t i = s->n_coming;
	while (i < s->n_links && !view_eq(view_str(s->links[i].name), name))
		i++;
	s->series++;
	if (i == s->n_links) {
		if (s->n_links == LINKS_MAX)
			return NULL;
		s->links = mem_grow(s->links, mem_mul(s->n_links + 1, sizeof *s->links));
		s->links[i] = (struct link_now){ .next_ms = -1, .latency_ms = -1, .is_new = true };
		copy(s->links[i].name, sizeof s->links[i].name, name);
		s->links[i].set = set_of(s->settings, s->links[i].name);
		s->links[i].history = s->n_links < HISTORY_LINKS ? history_new() : NULL;
		s->n_links++;
	}
	struct link_now found = s->links[i];
	memmove(&s->links[s->n_coming + 1], &s->links[s->n_coming], (i - s->n_coming) * sizeof *s->links);
	s->links[s->n_coming] = found;
	return &s->links[s->n_coming++];
}

void sampler_link(struct sampler *s, const struct msg_status_link *m)
{
	struct link_now *l = place_of(s, m->name);
	if (l == NULL)
		return;
	const int64_t ms = s->has_any && !l->is_new ? env_now_ms(s->env) - s->at_ms : 0;
	l->is_new = false;
	copy(l->state, sizeof l->state, m->state);
	copy(l->address, sizeof l->address, m->address);
	copy(l->schedule, sizeof l->schedule, m->schedule);
	copy(l->error, sizeof l->error, m->last_error);
	l->sent_per_s = rate(m->sent, l->sent, ms);
	l->received_per_s = rate(m->received, l->received, ms);
	l->queued = m->queued;
	l->octets = m->octets;
	l->inbound = m->inbound;
	l->outbound = m->outbound;
	l->two_way = m->two_way;
	l->in_flight = m->in_flight;
	l->sent = m->sent;
	l->received = m->received;
	l->open_failures = m->attempts;
	l->next_ms = m->next_attempt_ms;
}

static void drop_missing(struct sampler *s)
{
	s->series += s->n_links > s->n_coming;
	while (s->n_links > s->n_coming)
		history_free(&s->links[--s->n_links].history);
}

static void add_history(struct sampler *s)
{
	for (size_t i = 0; i < s->n_links; i++) {
		struct link_now *l = &s->links[i];
		const struct history_sample x = { s->wall_ms, (uint32_t)(l->queued > UINT32_MAX ? UINT32_MAX : l->queued), (float)l->received_per_s,
						  (float)l->sent_per_s, l->latency_ms };
		if (l->history != NULL)
			history_add(l->history, &x);
	}
	const struct history_sample all = { s->wall_ms, (uint32_t)(s->totals.queued > UINT32_MAX ? UINT32_MAX : s->totals.queued),
					    (float)s->totals.received_per_s, (float)s->totals.sent_per_s, s->totals.latency_ms };
	history_add(s->history, &all);
}

/* Metrics come in the order of the links, but for a moment. */
static const struct metric_set *metric_of(const struct sampler *s, struct link_now *l)
{
	const struct metric_set *m = l->metric_at < metrics_links(s->metrics) ? metrics_link(s->metrics, l->metric_at) : NULL;
	if (m != NULL && view_eq(m->link, view_str(l->name)))
		return m;
	for (size_t i = 0; i < metrics_links(s->metrics); i++) {
		m = metrics_link(s->metrics, i);
		if (view_eq(m->link, view_str(l->name))) {
			l->metric_at = i;
			return m;
		}
	}
	return NULL;
}

static const char *lamp_of(const struct link_now *l, const struct metric_set *m)
{
	const bool no_way = strcmp(l->state, "no connector") == 0 || strcmp(l->state, "detached") == 0 || strcmp(l->state, "refused") == 0;
	const int64_t monitor = m == NULL ? METRIC_ABSENT : m->v[METRIC_LINK_MONITOR].n;
	if (strcmp(l->state, "stopped") == 0)
		return "stopped";
	if (strcmp(l->state, "closed") == 0)
		return "closed";
	if (no_way || monitor == 2 || (l->set != NULL && l->open_failures > 0 && l->open_failures >= l->set->max_open_retries))
		return "down";
	if (monitor == 1 || l->open_failures > 0 || (strcmp(l->state, "waiting") == 0))
		return "warning";
	return "ok";
}

/* FNV over what is shown and is no age: a viewer hears of a change only. */
static void print_link(struct sampler *s, struct link_now *l)
{
	const struct metric_set *m = metric_of(s, l);
	uint64_t x = hash_octets(HASH_START, view_str(l->state));
	x = hash_octets(x, view_str(l->error));
	x = hash_octets(x, view_str(l->address));
	x = hash_octets(x, view_str(l->schedule));
	x = hash_octets(x, view_str(lamp_of(l, m)));
	const uint64_t numbers[] = { l->queued, l->octets, l->inbound, l->outbound, l->two_way, l->in_flight, l->sent, l->received, l->open_failures,
				     l->next_ms >= 0, (uint64_t)(l->sent_per_s * 1000), (uint64_t)(l->received_per_s * 1000),
				     m == NULL ? 0 : (uint64_t)m->v[METRIC_LINK_MONITOR].n };
	l->print = hash_octets(x, view_of(numbers, sizeof numbers));
	l->due_ms = l->next_ms < 0 ? 0 : s->at_ms + l->next_ms;
}

static bool has_changed(const struct link_now *l)
{
	const int64_t moved = l->due_ms - l->told_due_ms;
	return l->print != l->told || moved > DUE_MOVED_MS || moved < -DUE_MOVED_MS;
}

static void told(struct sampler *s)
{
	const struct totals_now *t = &s->totals;
	const uint64_t numbers[] = { t->messages, t->queued, t->deliveries, t->held, t->quarantined, t->suspects, t->contents, s->turns };
	const uint64_t print = hash_octets(HASH_START, view_of(numbers, sizeof numbers));
	bool changed = print != s->print;
	for (size_t i = 0; i < s->n_links; i++) {
		print_link(s, &s->links[i]);
		changed |= has_changed(&s->links[i]);
	}
	s->print = print;
	s->events->sampled(s->ctx, changed);
}

void sampler_end(struct sampler *s, const struct msg_status_end *m)
{
	struct totals_now *t = &s->totals;
	drop_missing(s);
	s->n_coming = 0;
	copy(t->mta, sizeof t->mta, m->mta);
	copy(t->domain, sizeof t->domain, m->domain);
	t->messages = m->messages;
	t->queued = m->queued;
	t->deliveries = m->deliveries;
	t->held = m->held;
	t->quarantined = m->quarantined;
	t->suspects = m->suspects;
	t->contents = m->content_processes;
	t->uptime_ms = m->uptime_ms;
	t->sent_per_s = t->received_per_s = 0;
	for (size_t i = 0; i < s->n_links; i++) {
		t->sent_per_s += s->links[i].sent_per_s;
		t->received_per_s += s->links[i].received_per_s;
	}
	s->asked = false;
	s->has_any = true;
	s->at_ms = env_now_ms(s->env);
	s->wall_ms = env_wall_ms(s->env);
	add_history(s);
	told(s);
}

void sampler_turned(struct sampler *s)
{
	s->asked = s->metrics_asked = false;
	if (upstream_is_here(s->up, UPSTREAM_SWITCH))
		timer_after(&s->timer, 0);
	s->turns++;
	told(s);
}

void sampler_changed(struct sampler *s)
{
	s->turns++;
	told(s);
}

/* --- metrics --- */

void sampler_metric(struct sampler *s, struct view payload)
{
	struct err e;
	if (!metrics_add(s->coming, payload, &e))
		return; /* of another version of the program: what is there stays */
}

/* Mean of what came into a histogram since the last look; below 0: nothing did. */
static float mean_since(const struct metric_histogram *h, uint64_t *n_io, uint64_t *sum_io)
{
	uint64_t n = 0;
	for (size_t i = 0; i <= METRIC_BUCKETS; i++)
		n += h->n[i];
	const bool goes_on = n > *n_io && h->sum >= *sum_io && *n_io > 0;
	const float mean = goes_on ? (float)(h->sum - *sum_io) / (float)(n - *n_io) : -1;
	*n_io = n;
	*sum_io = h->sum;
	return mean;
}

void sampler_metrics_end(struct sampler *s)
{
	struct metrics *old = s->metrics;
	s->metrics = s->coming;
	s->coming = old;
	s->metrics_asked = false;
	s->metrics_ms = env_now_ms(s->env);
	const struct metric_set *mta = metrics_mta(s->metrics);
	if (mta != NULL && mta->v[METRIC_MTA_DELAY].h != NULL)
		s->totals.latency_ms = mean_since(mta->v[METRIC_MTA_DELAY].h, &s->delay_n, &s->delay_sum);
}

void sampler_metrics(struct sampler *s, struct out *o)
{
	struct board copy_of;
	const bool has = s->board != NULL && board_read(s->board, &copy_of);
	metrics_print(o, sampler_mta(s), upstream_is_here(s->up, UPSTREAM_SWITCH) ? s->metrics : NULL, has ? &copy_of : NULL);
}

/* --- what is shown --- */

static void put_monitor(const struct metric_set *m, struct jout *j)
{
	static const char *const states[] = { "ok", "warning", "alert" };
	if (m == NULL || m->v[METRIC_LINK_MONITOR].n == METRIC_ABSENT) {
		jout_null(j, "monitor");
		return;
	}
	const int64_t state = m->v[METRIC_LINK_MONITOR].n, waits = m->v[METRIC_LINK_MONITOR_WAITS].n, trip = m->v[METRIC_LINK_MONITOR_TRIP].n;
	jout_open(j, "monitor", '{');
	jout_str(j, "state", state >= 0 && state <= 2 ? states[state] : "unknown");
	if (waits > 0)
		jout_int(j, "waiting_ms", waits);
	else
		jout_null(j, "waiting_ms");
	if (trip == METRIC_ABSENT)
		jout_null(j, "last_ms");
	else
		jout_int(j, "last_ms", trip);
	jout_close(j, '}');
}

static void put_link(const struct sampler *s, struct link_now *l, const char *name, struct jout *j)
{
	static const char *const kinds[] = { [LINK_X400] = "x400", [LINK_CONNECTOR] = "connector", [LINK_MSMAIL] = "msmail" };
	const struct metric_set *m = metric_of(s, l);
	const int64_t age = env_now_ms(s->env) - s->at_ms;
	jout_open(j, name, '{');
	jout_str(j, "name", l->name);
	jout_str(j, "kind", kinds[l->set == NULL || l->set->kind > LINK_MSMAIL ? LINK_X400 : l->set->kind]);
	jout_str(j, "lamp", lamp_of(l, m));
	jout_str(j, "state", l->state);
	jout_bool(j, "stopped", strcmp(l->state, "stopped") == 0);
	jout_str(j, "address", l->address);
	jout_str(j, "schedule", l->schedule);
	jout_int(j, "queued", (int64_t)l->queued);
	jout_int(j, "octets", (int64_t)l->octets);
	jout_int(j, "inbound", (int64_t)l->inbound);
	jout_int(j, "outbound", (int64_t)l->outbound);
	jout_int(j, "two_way", (int64_t)l->two_way);
	jout_int(j, "in_flight", (int64_t)l->in_flight);
	jout_int(j, "sent", (int64_t)l->sent);
	jout_int(j, "received", (int64_t)l->received);
	jout_real(j, "sent_per_s", l->sent_per_s);
	jout_real(j, "received_per_s", l->received_per_s);
	jout_int(j, "open_failures", (int64_t)l->open_failures);
	if (l->next_ms < 0)
		jout_null(j, "next_attempt_ms");
	else
		jout_int(j, "next_attempt_ms", l->next_ms > age ? l->next_ms - age : 0);
	jout_str(j, "last_error", l->error);
	put_monitor(m, j);
	jout_close(j, '}');
}

static void put_since(struct jout *j, const char *name, int64_t at_ms, int64_t now_ms)
{
	if (at_ms == 0)
		jout_null(j, name);
	else
		jout_int(j, name, now_ms > at_ms ? now_ms - at_ms : 0);
}

static void put_processes(const struct sampler *s, struct jout *j)
{
	struct board b;
	const int64_t now = env_wall_ms(s->env);
	const size_t n = s->board != NULL && board_read(s->board, &b) ? b.n : 0;
	jout_open(j, "processes", '[');
	for (size_t i = 0; i < n && i < BOARD_PROCESSES; i++) {
		const struct board_process *p = &b.processes[i];
		jout_open(j, NULL, '{');
		jout_str(j, "kind", process_kind_name((enum process_kind)p->kind));
		jout_int(j, "instance", p->instance);
		jout_int(j, "pid", p->pid);
		jout_int(j, "life", p->lives);
		jout_bool(j, "ready", p->ready != 0);
		put_since(j, "up_ms", p->pid == 0 ? 0 : p->started_ms, now);
		put_since(j, "answer_ms", p->answered_ms, now);
		jout_int(j, "faults", p->faults);
		jout_int(j, "progress", (int64_t)p->progress);
		jout_str(j, "last_words", p->last_words);
		jout_close(j, '}');
	}
	jout_close(j, ']');
}

static void put_totals(const struct sampler *s, struct jout *j)
{
	const struct totals_now *t = &s->totals;
	jout_open(j, "totals", '{');
	jout_int(j, "messages", (int64_t)t->messages);
	jout_int(j, "queued", (int64_t)t->queued);
	jout_int(j, "deliveries", (int64_t)t->deliveries);
	jout_int(j, "held", (int64_t)t->held);
	jout_int(j, "quarantined", (int64_t)t->quarantined);
	jout_int(j, "suspects", (int64_t)t->suspects);
	jout_int(j, "content_processes", (int64_t)t->contents);
	jout_real(j, "received_per_s", t->received_per_s);
	jout_real(j, "sent_per_s", t->sent_per_s);
	if (t->latency_ms < 0)
		jout_null(j, "latency_ms");
	else
		jout_real(j, "latency_ms", (double)t->latency_ms);
	jout_close(j, '}');
}

static bool is_busy(const struct sampler *s)
{
	const struct metric_set *mta = metrics_mta(s->metrics);
	return mta != NULL && mta->v[METRIC_SWITCH_BUSY].n == 1;
}

static void put_head(const struct sampler *s, struct jout *j)
{
	const int64_t age = env_now_ms(s->env) - s->at_ms;
	jout_time(j, "at", s->wall_ms);
	jout_int(j, "age_ms", age);
	jout_bool(j, "switch", upstream_is_here(s->up, UPSTREAM_SWITCH));
	jout_bool(j, "reader", upstream_is_here(s->up, UPSTREAM_READER));
	jout_bool(j, "recorder", upstream_is_here(s->up, UPSTREAM_RECORDER));
	jout_open(j, "mta", '{');
	jout_str(j, "name", s->totals.mta);
	jout_str(j, "domain", s->totals.domain);
	jout_str(j, "version", POSTHORN_VERSION);
	jout_int(j, "uptime_ms", (int64_t)s->totals.uptime_ms + age);
	jout_close(j, '}');
	put_totals(s, j);
	jout_str(j, "busy", is_busy(s) ? "nothing can be taken in just now: peers are answered busy" : "");
	jout_int(j, "of", (int64_t)s->n_links);
}

static void put_links(struct sampler *s, size_t from, size_t n, struct jout *j)
{
	jout_open(j, "links", '[');
	for (size_t i = from; i < from + n; i++)
		put_link(s, &s->links[i], NULL, j);
	jout_close(j, ']');
}

/* Those after the last one that was told of, all the way round: none waits for ever. */
static void put_changed(struct sampler *s, struct jout *j)
{
	const size_t before = out_len(j->o);
	size_t i = 0;
	jout_open(j, "links", '[');
	for (; i < s->n_links && out_len(j->o) - before < SAMPLE_CHANGES; i++) {
		struct link_now *l = &s->links[(s->turn + i) % s->n_links];
		if (!has_changed(l))
			continue;
		put_link(s, l, NULL, j);
		l->told = l->print;
		l->told_due_ms = l->due_ms;
	}
	s->turn = s->n_links == 0 ? 0 : (s->turn + i) % s->n_links;
	jout_close(j, ']');
}

static bool put_all(struct sampler *s, bool changed, size_t n, struct out *o)
{
	struct jout j = { o, false };
	if (!s->has_any)
		return false;
	jout_open(&j, NULL, '{');
	put_head(s, &j);
	if (changed)
		put_changed(s, &j);
	else
		put_links(s, 0, n, &j);
	put_processes(s, &j);
	jout_close(&j, '}');
	return !o->bad;
}

bool sampler_overview(struct sampler *s, struct out *o)
{
	return put_all(s, false, s->n_links, o);
}

uint64_t sampler_series(const struct sampler *s)
{
	return s->series;
}

bool sampler_first(struct sampler *s, struct out *o)
{
	return put_all(s, false, s->n_links > SAMPLE_WHOLE ? 0 : s->n_links, o);
}

bool sampler_changes(struct sampler *s, struct out *o)
{
	return put_all(s, true, 0, o);
}

bool sampler_page(struct sampler *s, struct sampler_place *place, struct out *o)
{
	struct jout j = { o, false };
	if (place->series != s->series)
		*place = (struct sampler_place){ s->series, s->n_links > SAMPLE_WHOLE ? 0 : s->n_links };
	if (!s->has_any || place->at >= s->n_links)
		return false;
	const size_t left = s->n_links - place->at, n = left < SAMPLE_WHOLE ? left : SAMPLE_WHOLE;
	jout_open(&j, NULL, '{');
	jout_int(&j, "from", (int64_t)place->at);
	jout_int(&j, "of", (int64_t)s->n_links);
	put_links(s, place->at, n, &j);
	jout_close(&j, '}');
	place->at += n;
	return true;
}

static struct link_now *find(struct sampler *s, struct view link)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (view_eq(view_str(s->links[i].name), link))
			return &s->links[i];
	return NULL;
}

bool sampler_put_link(struct sampler *s, struct view link, const char *name, struct jout *j)
{
	struct link_now *l = find(s, link);
	if (l != NULL)
		put_link(s, l, name, j);
	return l != NULL;
}

bool sampler_history(struct sampler *s, struct view link, int minutes, struct out *o)
{
	struct jout j = { o, false };
	const struct link_now *l = link.n == 0 ? NULL : find(s, link);
	const struct history *h = link.n == 0 ? s->history : l == NULL ? NULL : l->history;
	if (link.n > 0 && l == NULL)
		return false;
	jout_open(&j, NULL, '{');
	jout_text(&j, "link", link);
	if (h != NULL) {
		history_put(h, env_wall_ms(s->env) - minutes * INT64_C(60000), "samples", &j);
	} else {
		jout_open(&j, "samples", '[');
		jout_close(&j, ']');
	}
	jout_close(&j, '}');
	return true;
}

bool sampler_last(struct sampler *s, struct out *o)
{
	struct jout j = { o, false };
	const struct history_sample *x = history_last(s->history);
	if (x != NULL)
		history_put_sample(x, NULL, &j);
	return x != NULL;
}

const char *sampler_mta(const struct sampler *s)
{
	return s->settings->mta.name;
}

/* --- birth --- */

struct sampler *sampler_new(struct env *env, const struct settings *settings, const struct sampler_events *events, void *ctx)
{
	struct sampler *s = mem_zero(sizeof *s);
	s->magic = SAMPLER_MAGIC;
	s->env = env;
	s->settings = settings;
	s->events = events;
	s->ctx = ctx;
	s->history = history_new();
	s->metrics = metrics_new();
	s->coming = metrics_new();
	s->totals.latency_ms = -1;
	s->series = 1;
	timer_init(&s->timer, env, on_timer, s);
	timer_after(&s->timer, 0);
	return s;
}

void sampler_set_upstream(struct sampler *s, struct upstream *u)
{
	s->up = u;
}

void sampler_set_board(struct sampler *s, const struct board *board)
{
	s->board = board;
}

void sampler_settings(struct sampler *s, const struct settings *settings)
{
	s->settings = settings;
	for (size_t i = 0; i < s->n_links; i++)
		s->links[i].set = set_of(settings, s->links[i].name);
}

void sampler_free(struct sampler **sp)
{
	struct sampler *s = *sp;
	if (s == NULL)
		return;
	CHECK(s, SAMPLER_MAGIC);
	timer_stop(&s->timer);
	s->n_coming = 0;
	drop_missing(s);
	free(s->links);
	history_free(&s->history);
	metrics_free(&s->metrics);
	metrics_free(&s->coming);
	s->magic = 0;
	MEM_FREE(*sp);
}
