/* settings_doubt.h - settings that can be meant, but mostly are not: told by check-config and when the switch starts. */
#pragma once
#include "proc/table/settings_table.h"

typedef void settings_doubt_f(void *ctx, const char *sentence); /* good during the call */

/* Of settings that settings_load has taken. The arena is for what is read meanwhile.
 *   routes to a link that leads to this MTA itself (Q159186); two ways for whatever is unknown, so that each of their MTAs may send it
 *   round by us (Q185024: what can be seen from one side); addresses of mta.domain that a route sends away while no route to local is
 *   as good (Q186344); the same match twice to one link; links that no route leads to; and what settings_msmail.h says. */
void settings_doubts(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx);
