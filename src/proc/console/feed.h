/* feed.h - the last events, as the recorder tells them: rendered once for all viewers, kept in bounded memory, found by category, severity,
 * link and text. */
#pragma once
#include "proc/console/jout.h"
#include "proc/table/msgs.h"
#include "sys/event.h"

enum { FEED_EVENTS = 2000, FEED_OCTETS = 8 * 1024 * 1024 };

struct feed;
struct feed *feed_new(void);
void feed_free(struct feed **f);
/* One event of the recorder; what it is as JSON, good until the next call; empty: its line makes no sense, or it is known already. */
struct view feed_add(struct feed *f, const struct msg_event *m);
/* The recorder is another now, or may be: when its next event has a number that was told already, its clock was set back, and its numbers begin
 * anew. What is kept by the old ones is forgotten: pages go by number. */
void feed_begins(struct feed *f);
/* The number of the last one; 0: none. */
uint64_t feed_last(const struct feed *f);

struct feed_filter {
	uint64_t before;              /* only numbers below; 0: any */
	enum event_severity severity; /* and worse */
	struct view category, link, text;
};
/* The first one with a number over `after`, as JSON, good until the next call; its number. Empty: none. *gap_r: events between the two have happened
 * that are not here: not kept any more, or never heard; or `after` is no number of these. */
struct view feed_after(const struct feed *f, uint64_t after, uint64_t *number_r, bool *gap_r);

/* At most max that fit, newest first, as members of an open array. *next_r: to be given as `before` for those after them; 0: there are none. */
void feed_put(const struct feed *f, const struct feed_filter *x, size_t max, uint64_t *next_r, struct jout *j);
