/* settings_operate.h - the sections of the settings that are about operating: events, console, link monitor. */
#pragma once
#include "proc/table/settings_table.h"

extern const struct settings_section settings_event_log, settings_console, settings_monitor;

/* Categories and levels of event-log, addresses and users of the console, addresses of monitors: what is wrong is named with where
 * it stands. ERR_LOCAL. */
MUST_CHECK bool settings_check_operate(const struct settings *s, const char *file, struct arena *a, struct err *e);

/* "x400 maximum" -> the category, in the arena, and the level. False: it is no such text. */
MUST_CHECK bool settings_event_level(const char *text, const char **category_r, enum event_level *level_r, struct arena *a);
/* What the settings, which have been checked, give a category. */
enum event_level settings_level_of(const struct set_event_log *set, const char *category);
extern const char *const settings_level_names[]; /* by enum event_level, NULL-terminated */

/* Whether no process can listen on both: the same port, and the same address or one of them all addresses of its kind (0.0.0.0, [::]).
 * A port of 0 meets none. */
bool settings_addresses_meet(const char *a, const char *b);
