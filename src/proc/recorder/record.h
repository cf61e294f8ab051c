/* record.h - one event as the recorder keeps it, and what a follower wants of them. Pure. */
#pragma once
#include "base/err.h"
#include "base/view.h"
#include "proc/table/event_line.h"

struct record {
	uint64_t number;
	enum event_severity severity;
	char time[EVENT_LINE_TIME + 1]; /* in octet order is in order of time */
	const char *category, *link;
	const char *search;   /* name, process, values of fields, a line each, in small letters */
	struct view line;     /* without its end */
	char text[];          /* all of these */
};

/* One piece of memory: free() it. */
struct record *record_new(struct view line, const struct event_line *p);

struct filter {
	char categories[512]; /* ",x400,store,"; empty: all */
	enum event_severity least;
	char link[256], text[512], since[EVENT_LINE_TIME + 1];
};
/* False: one of them is too long, or a category has no events. */
struct msg_follow;
MUST_CHECK bool filter_of(const struct msg_follow *m, struct filter *f_r, struct err *e);
bool filter_fits(const struct filter *f, const struct record *r);
