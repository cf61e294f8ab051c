/* jout.h - JSON written straight into a struct out: one answer, no tree. (Bodies of requests are read with jansson.)
 * Names are ours and stand as they are; NULL inside an array. Values are anybody's: what is no UTF-8 is shown as \xNN, as in events. */
#pragma once
#include "base/out.h"

struct jout {
	struct out *o;
	bool comma; /* before the next value */
};

void jout_open(struct jout *j, const char *name, char bracket);  /* '{' or '[' */
void jout_close(struct jout *j, char bracket);                   /* '}' or ']' */
void jout_text(struct jout *j, const char *name, struct view v);
void jout_str(struct jout *j, const char *name, const char *s);  /* NULL: "" */
void jout_int(struct jout *j, const char *name, int64_t x);
void jout_real(struct jout *j, const char *name, double x);      /* at most three digits behind the point; not finite: null */
void jout_bool(struct jout *j, const char *name, bool x);
void jout_null(struct jout *j, const char *name);
void jout_time(struct jout *j, const char *name, int64_t wall_ms); /* RFC 3339; 0: null */
