/* tally.h - what the switch counts, durable with what it counts: in the turn and before the commit of what is counted. Inside the switch. */
#pragma once
#include "flow/message/message.h"
#include "proc/table/metrics.h"
#include "sys/env.h"

struct sw;
struct swlink;

/* What is counted of the MTA, or of a link: tally.c. */
struct tally {
	struct sw *sw;
	enum metric_scope scope;
	char name[80];                   /* in the store */
	bool is_dirty, is_put;           /* it has counted since it was put; it is in the open group */
	bool is_changed, is_restored;    /* its text in the store is not what it is; what the store had is in it */
	struct tally *next, *next_put, *next_changed;
	int64_t now[METRIC_COUNT], durable[METRIC_COUNT], text[METRIC_COUNT]; /* of TOTAL and STAMP */
	struct metric_histogram delay;   /* of a link */
	char rejected[200], failed[200]; /* why the peer's last association, and ours */
	uint64_t recipients;             /* that wait, as last asked */
};

struct tallies {
	struct tally mta;
	struct tally *dirty, *put, *changed;
	bool has_now;                    /* the store's short row has something */
	int64_t texts_ms;                /* when the texts were put */
	uint64_t version;
	struct out scratch;
	struct timer due;                /* set: what has changed begins a group then */
	struct metric_histogram commit, delay;
	struct view names[METRIC_COUNT]; /* in the texts of the store */
};

void tally_init(struct sw *s);                            /* before any link */
void tally_start(struct sw *s);                           /* what the store has, for all links */
void tally_fini(struct sw *s);
void tally_link_init(struct swlink *l);                   /* one that comes later has what the store has, too */
void tally_link_fini(struct swlink *l);
void tally_flush(struct sw *s);                           /* into the open group; before every store_commit (switch_commit) */
void tally_stop(struct sw *s);                            /* the texts have it all */
void tally_durable(struct sw *s);                         /* that group is on disk; before anything else is counted */
void tally_add(struct tally *t, enum metric m, uint64_t n);
void tally_stamp(struct tally *t, enum metric m);         /* now */
void tally_both(struct swlink *l, enum metric of_mta, enum metric of_link);
void tally_received(struct sw *s, struct swlink *l, const struct message *m, uint64_t size); /* l NULL: submitted */
void tally_transmitted(struct sw *s, struct swlink *l, uint64_t size, uint64_t recipients, wall_ms_t arrived); /* l NULL: to a mailbox */
void tally_refused(struct swlink *l, const struct err *why); /* an association of the peer's */
void tally_open_failed(struct swlink *l, const struct err *why);
bool tally_is_up(const struct swlink *l);
bool tally_asked(void *ctx, struct view payload, struct err *e);
