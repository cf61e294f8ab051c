/* event_line.h - a line of JSON that event_emit has written, taken apart again: for who keeps events or shows them. Pure. */
#pragma once
#include "base/err.h"
#include "base/out.h"
#include "sys/event.h"

#include <jansson.h>

enum { EVENT_LINE_TIME = EVENT_TIME - 1, EVENT_LINE_FIELDS = 16 }; /* octets; fields of an event at most (event.h) */

struct event_line { /* strings are good as long as `json` */
	json_t *json;
	const char *time, *process, *event, *category, *source; /* source: "" when there is none */
	enum event_severity severity;
	uint64_t id, repeated, lost;
	struct event_field fields[EVENT_LINE_FIELDS];
	size_t n_fields;
};

/* False: it is no line of event_emit. True: ends with event_line_fini. */
MUST_CHECK bool event_line_parse(struct view line, struct event_line *l_r, struct err *e);
void event_line_fini(struct event_line *l);
/* "": it has no such field. */
const char *event_line_field(const struct event_line *l, const char *name);
/* As people read it, with the end of line. */
void event_line_show(const struct event_line *l, struct out *o);
