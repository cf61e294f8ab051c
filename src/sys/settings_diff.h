/* settings_diff.h - what differs between two sets of settings of one schema, in words. Pure. */
#pragma once
#include "sys/settings.h"

/* Whether values of that path ("links.remote-password": keys with `.` between them, lists like mappings) are never shown. */
typedef bool settings_secret_f(const char *path);

struct settings_diff_line {
	const char *path;    /* "links.open-interval" */
	const char *where;   /* "links[paris].open-interval" */
	const char *line;    /* the whole, "links[paris].open-interval: 10 min -> 5 min" */
};
/* Good during the call. */
typedef void settings_diff_f(void *ctx, const struct settings_diff_line *line);

/* Tells every change, in the order of the table, and gives how many there are; 0: the canonical prints are the same. Items of lists are the
 * same item when their `name` is the same; where there is none, when all their texts are (routes: match and to). One that has come is
 * "new", one that has gone "gone". tell NULL: only count. */
size_t settings_diff(const struct settings_section *s, const void *old, const void *now, settings_secret_f *is_secret, settings_diff_f *tell, void *ctx);
