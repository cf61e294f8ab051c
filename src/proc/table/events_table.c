/* events_table.c - the rows of events_table.h as an array. */
#include "proc/table/events_table.h"

const struct event_kind event_kinds[EVENT_KINDS] = {
#define X(symbol, name_, id_, severity_, category_, source_, sentence_) \
	{ .name = name_, .id = id_, .severity = EVENT_##severity_, .category = category_, .source = source_, .sentence = sentence_ },
	EVENTS(X)
#undef X
};
