/* event.h - what happened, as structured facts for the operator: one table of kinds (proc/table/events_table.h),
 * severity, category, a sentence, fields. Every process writes its own to standard error as one line of JSON or
 * text, collected by the supervisor, which copies the JSON form to the recorder. A storm of one kind is one event with a count.
 * Only proc/ logs; codecs and engines return struct err. */
#pragma once
#include "sys/env.h"

enum event_severity { EVENT_DEBUG, EVENT_INFO, EVENT_NOTICE, EVENT_WARNING, EVENT_ERROR, EVENT_ALARM };

/* How much an operator wants to hear of a category. */
enum event_level {
	EVENT_LEVEL_NONE,    /* errors and alarms */
	EVENT_LEVEL_MINIMUM, /* warnings too */
	EVENT_LEVEL_MEDIUM,  /* notices and what happens in order */
	EVENT_LEVEL_MAXIMUM, /* everything */
	EVENT_LEVEL_COUNT,
};
enum event_severity event_level_least(enum event_level level);
/* The other way: the level of a least severity that is one's. */
enum event_level event_level_of(enum event_severity least);

struct event_kind {
	const char *name;     /* "link.refused" */
	unsigned id;
	enum event_severity severity;
	const char *category; /* "x400", "store", "process", ... */
	const char *source;   /* of the Exchange event for the same fact, e.g. "MSExchangeMTA 289"; "" if none */
	const char *sentence; /* for the manual: what it means and what to do */
};

/* More than so many of one kind in a second are a storm: the first ones are written, the others counted, and the count is
 * written as one line ("repeated") when a second has passed with fewer, and every minute while it lasts. */
#define EVENT_AUDIT "operator" /* category of kinds that no level hides and no storm joins */
enum { EVENT_STORM_MAX = 20, EVENT_STORM_WINDOW_MS = 1000, EVENT_STORM_TELL_MS = 60 * 1000 };

struct event_log;

/* kinds: the process's table. fd: where lines go. json: one object a line, else text. At first of level medium. Never fails. */
struct event_log *event_log_new(struct env *env, const struct event_kind *kinds, size_t n_kinds, const char *process,
				int fd, bool json);
void event_log_free(struct event_log **log);
/* The form of lines from now on. */
void event_log_set_json(struct event_log *log, bool json);
/* Of all kinds; of those of one category. False: no kind is of that category. */
void event_log_set_level(struct event_log *log, enum event_severity least);
bool event_log_set_category(struct event_log *log, const char *category, enum event_severity least);
enum event_severity event_log_least(const struct event_log *log, unsigned kind_index);

/* The JSON form of each line for the recorder, whatever the form of fd. for_recorder: a log of text writes a second line to fd, which
 * begins with EVENT_RECORD; one of JSON has it there already. copy: take(ctx) is called with the line, its end included; false: it has
 * no room, and the line counts as lost there. */
enum { EVENT_RECORD = 0x1e };
/* Whether a line of JSON, EVENT_RECORD before it or not, is of the log of this process: it says so in a fixed place, by which who passes
 * it on sees to it that nobody speaks for another. */
bool event_is_of(struct view line, const char *process);
void event_log_for_recorder(struct event_log *log);
void event_log_copy(struct event_log *log, bool (*take)(void *ctx, struct view line), void *ctx);

/* The form of a line that people read, from what a line of JSON says: for who shows events. NULLs and 0 are left out. */
struct event_field {
	const char *name, *value;
};
void event_show(struct out *o, const char *time, const char *process, const char *severity, const char *event, const char *source,
		const struct event_field *fields, size_t n, uint64_t repeated, uint64_t lost);

/* Fields are name, value pairs of NUL-terminated strings ended by NULL (16 at most); values are escaped, and cut after 1000
 * octets. A line has at most 4000 octets; a write that would block or fails is counted, never waited for, and the next line that
 * gets through says how many were lost. */
void event_emit(struct event_log *log, unsigned kind_index, ...) __attribute__((sentinel));
/* Whether it would be written, but for storms: to spare what its fields cost. */
bool event_is_heard(const struct event_log *log, unsigned kind_index);
uint64_t event_lost(const struct event_log *log);
enum { EVENT_TIME = 25 }; /* "2026-11-22T03:52:34.216Z" and its end */
void event_show_time(char text[EVENT_TIME], int64_t wall_ms);
const char *event_severity_name(enum event_severity s);
MUST_CHECK bool event_severity_of(struct view name, enum event_severity *s_r);
