/* settings_doubt.h - settings that can be meant, but mostly are not: told by check-config and when the switch starts. */
#pragma once
#include "proc/table/settings_table.h"

typedef void settings_doubt_f(void *ctx, const char *sentence); /* good during the call */

/* Of settings that settings_load has taken. The arena is for what is read meanwhile.
 *   routes to a link that leads to this MTA itself (Q159186); two ways for whatever is unknown, so that each of their MTAs may send it
 *   round by us (Q185024: what can be seen from one side); addresses of mta.domain that a route sends away while no route to local is
 *   as good (Q186344); the same match twice to one link; routes that a better one always stands before; links that no route leads to, or by which
 *   nothing can ever leave; two links of which a caller would always be taken for the first; mailboxes that are redirected to themselves, and
 *   lists that are their own members, by whatever way; an alternate recipient that is none; a console that passwords reach
 *   in clear, or nobody; and what settings_msmail.h says. */
void settings_doubts(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx);

/* Parts of it. settings_doubt_callers.c: two links that a caller cannot be told apart by. */
void settings_doubt_callers(const struct settings *s, settings_doubt_f *tell, void *ctx);
/* settings_doubt_loops.c: redirections and lists. */
void settings_doubt_loops(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx);
/* settings_doubt_console.c */
void settings_doubt_console(const struct settings *s, settings_doubt_f *tell, void *ctx);
