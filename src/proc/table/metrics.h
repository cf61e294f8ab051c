/* metrics.h - values of metrics_table.h: as the switch gives them (METRIC), as who asks keeps them, as Prometheus and people read them. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"
#include "proc/table/metrics_table.h"
#include "sys/board.h"

struct metric_kind {
	const char *name;       /* posthorn_mta_received_messages_total */
	enum metric_type type;
	enum metric_unit unit;
	enum metric_scope scope;
	const char *rfc, *exchange; /* RFC 2789 object; Exchange counter; empty: none */
	const char *help;
};
extern const struct metric_kind metric_kinds[METRIC_COUNT];

enum { METRIC_BUCKETS = 14 };
struct metric_histogram {
	uint64_t n[METRIC_BUCKETS + 1]; /* not summed up; the last one: beyond every bound */
	uint64_t sum;                   /* in the metric's unit */
};
/* Upper bounds, included, in the metric's unit; METRIC_BUCKETS of them. */
const uint64_t *metric_bounds(enum metric m);
void metric_observe(struct metric_histogram *h, enum metric m, uint64_t x);

#define METRIC_ABSENT INT64_MIN /* of a gauge or stamp: there is none now */

/* The values of one scope; what is of another scope is not looked at. */
struct metric_value {
	int64_t n;
	struct view words;      /* WORDS */
	const struct metric_histogram *h; /* HISTOGRAM; NULL: none */
};
struct metric_set {
	struct view link;       /* empty: of the MTA */
	struct metric_value v[METRIC_COUNT];
};

/* The payload of METRIC. get gives views and histograms in the arena. ERR_LOCAL: it is not what this version of the program sends. */
void put_metric_set(struct out *o, const struct metric_set *m);
MUST_CHECK bool get_metric_set(struct view payload, struct metric_set *m_r, struct arena *a, struct err *e);

/* All that METRICS is answered with, kept. */
struct metrics;
struct metrics *metrics_new(void);
void metrics_free(struct metrics **m);
void metrics_clear(struct metrics *m);
/* One METRIC. Where it is wrong, nothing of it is kept. */
MUST_CHECK bool metrics_add(struct metrics *m, struct view payload, struct err *e);
const struct metric_set *metrics_mta(const struct metrics *m); /* NULL: has not come */
size_t metrics_links(const struct metrics *m);
const struct metric_set *metrics_link(const struct metrics *m, size_t i); /* in the order of the settings */
const struct metric_set *metrics_link_named(const struct metrics *m, struct view name); /* NULL: none */

/* Prometheus text format 0.0.4. m NULL or empty: the switch has not answered: only posthorn_up 0 and the processes. board NULL: no
 * processes; else a copy (board_read). mta: its name, for posthorn_info
 * while the switch has not said it; NULL: none. o takes some KB a link: METRICS_OUT_MAX is enough. */
void metrics_print(struct out *o, const char *mta, const struct metrics *m, const struct board *board);
enum { METRICS_OUT_MAX = 64 * 1024 * 1024 };
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
/* One JSON object a line: {"metric": NAME, labels: TEXT, "value": N}; of a histogram, in place of value, "buckets": {BOUND: N}, "count", "sum". */
void metrics_print_json(struct out *o, const char *mta, const struct metrics *m, const struct board *board);
/* For docs/metrics.md: the table in Markdown. */
void metrics_manual(struct out *o);
