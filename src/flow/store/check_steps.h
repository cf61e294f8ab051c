/* check_steps.h - steps and how they are found: is step_key and step_filter what the steps say, and making it so. Private to this
 * folder. */
#pragma once
#include "flow/store/check.h"
#include "flow/store/shape.h"

/* Calls w->found for every violation, adds the steps to result. at: progress, 0..1, rows; may be NULL. False: the database cannot be
 * read. */
MUST_CHECK bool check_steps(sqlite3 *db, const char *path, const struct shapes *shapes, const struct store_check_watch *w,
			    struct store_check_result *result, struct err *e);

/* Keys, filters and counter `indexed` from the steps. A transaction is open. */
MUST_CHECK bool check_steps_rebuild(sqlite3 *db, const char *path, struct err *e);
