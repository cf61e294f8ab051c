/* metrics.c - see metrics.h: the table, values on their way. metrics_print.c has what is for people and Prometheus. */
#include "proc/table/metrics.h"

#include "base/mem.h"
#include "proc/table/msgs.h"

enum { QUOTA = 64 * 1024 * 1024, VALUES_MAX = 12 * 1024, WORDS_MAX = 300 };

const struct metric_kind metric_kinds[METRIC_COUNT] = {
#define X(symbol, name, type, unit, scope, rfc, exchange, help) \
	[METRIC_##symbol] = { name, METRIC_##type, METRIC_##unit, METRIC_OF_##scope, rfc, exchange, help },
	METRICS(X)
#undef X
};

struct metrics {
	unsigned magic;
#define METRICS_MAGIC 0x3e781c50u
	struct arena *arena;
	struct metric_set *mta; /* NULL: has not come */
	struct metric_set **links;
	size_t n_links, cap_links;
};

/* --- histograms --- */

const uint64_t *metric_bounds(enum metric m)
{
	/* A commit: from a disk with a cache of its own to one that is as good as dead. */
	static const uint64_t us[METRIC_BUCKETS] = { 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000 };
	/* A delivery: from a relay at rest to what expires. */
	static const uint64_t ms[METRIC_BUCKETS] = { 10, 50, 100, 250, 500, 1000, 2500, 5000, 15000, 60000, 300000, 1800000, 7200000, 86400000 };
	return metric_kinds[m].unit == METRIC_US ? us : ms;
}

void metric_observe(struct metric_histogram *h, enum metric m, uint64_t x)
{
	const uint64_t *bounds = metric_bounds(m);
	size_t i = 0;
	while (i < METRIC_BUCKETS && x > bounds[i])
		i++;
	h->n[i]++;
	h->sum += x;
}

/* --- on their way --- */

static enum metric_scope scope_of(struct view link)
{
	return link.n == 0 ? METRIC_OF_MTA : METRIC_OF_LINK;
}

static void put_histogram(struct out *o, const struct metric_histogram *h)
{
	out_u8(o, h != NULL);
	for (size_t i = 0; h != NULL && i <= METRIC_BUCKETS; i++)
		out_u64(o, h->n[i]);
	if (h != NULL)
		out_u64(o, h->sum);
}

static const struct metric_histogram *get_histogram(struct cur *c, struct arena *a)
{
	if (cur_u8(c) == 0)
		return NULL;
	struct metric_histogram *h = arena_get(a, sizeof *h);
	for (size_t i = 0; h != NULL && i <= METRIC_BUCKETS; i++)
		h->n[i] = cur_u64(c);
	if (h == NULL)
		c->bad = true;
	else
		h->sum = cur_u64(c);
	return h;
}

void put_metric_set(struct out *o, const struct metric_set *m)
{
	struct out values;
	out_init(&values, VALUES_MAX);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		if (metric_kinds[i].scope != scope_of(m->link))
			continue;
		if (metric_kinds[i].type == METRIC_WORDS)
			put_string(&values, view_first(m->v[i].words, WORDS_MAX));
		else if (metric_kinds[i].type == METRIC_HISTOGRAM)
			put_histogram(&values, m->v[i].h);
		else
			out_u64(&values, (uint64_t)m->v[i].n);
	}
	const struct msg_metric msg = { .link = m->link, .values = out_view(&values) };
	put_msg_metric(o, &msg);
	out_fini(&values);
}

bool get_metric_set(struct view payload, struct metric_set *m, struct arena *a, struct err *e)
{
	struct msg_metric msg;
	*m = (struct metric_set){ 0 };
	if (!get_msg_metric(payload, &msg, e))
		return false;
	m->link = arena_copy(a, msg.link);
	struct cur c = cur_of(msg.values);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		if (metric_kinds[i].scope != scope_of(msg.link))
			continue;
		if (metric_kinds[i].type == METRIC_WORDS)
			m->v[i].words = arena_copy(a, get_string(&c));
		else if (metric_kinds[i].type == METRIC_HISTOGRAM)
			m->v[i].h = get_histogram(&c, a);
		else
			m->v[i].n = (int64_t)cur_u64(&c);
	}
	if (!c.bad && cur_left(&c) == 0 && !arena_full(a))
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "METRIC of %zu octets does not have the metrics that this version knows", payload.n);
}

/* --- kept --- */

struct metrics *metrics_new(void)
{
	struct metrics *m = mem_zero(sizeof *m);
	m->magic = METRICS_MAGIC;
	m->arena = arena_new(QUOTA);
	return m;
}

void metrics_free(struct metrics **mp)
{
	struct metrics *m = *mp;
	if (m == NULL)
		return;
	CHECK(m, METRICS_MAGIC);
	arena_free(&m->arena);
	free(m->links);
	m->magic = 0;
	MEM_FREE(*mp);
}

void metrics_clear(struct metrics *m)
{
	CHECK(m, METRICS_MAGIC);
	arena_reset(m->arena);
	m->mta = NULL;
	m->n_links = 0;
}

bool metrics_add(struct metrics *m, struct view payload, struct err *e)
{
	CHECK(m, METRICS_MAGIC);
	struct metric_set *set = arena_get(m->arena, sizeof *set);
	if (set == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "metrics of more links than there is room for");
	if (!get_metric_set(payload, set, m->arena, e))
		return false;
	if (set->link.n == 0) {
		m->mta = set;
		return true;
	}
	if (m->n_links == m->cap_links) {
		m->cap_links = m->cap_links == 0 ? 16 : mem_mul(m->cap_links, 2);
		m->links = mem_grow(m->links, mem_mul(m->cap_links, sizeof(struct metric_set *)));
	}
	m->links[m->n_links++] = set;
	return true;
}

const struct metric_set *metrics_mta(const struct metrics *m)
{
	return m->mta;
}

size_t metrics_links(const struct metrics *m)
{
	return m->n_links;
}

const struct metric_set *metrics_link(const struct metrics *m, size_t i)
{
	assert(i < m->n_links);
	return m->links[i];
}

const struct metric_set *metrics_link_named(const struct metrics *m, struct view name)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (view_eq(m->links[i]->link, name))
			return m->links[i];
	return NULL;
}
