/* settings_compare.h - the settings that are in force and those that are to be: what changes, and whether it may. */
#pragma once
#include "proc/table/settings_change.h"

/* Both as settings_load has taken them. Appends one line a change (sys/settings_diff.h), with what it does where that is more than "at once".
 * *n_r: changes. False with *e, ERR_LOCAL: one of them cannot be made while it runs, and why; the lines are complete all the same. */
MUST_CHECK bool settings_compare(const struct settings *old, const struct settings *now, struct out *lines, size_t *n_r, struct err *e);
