/* check_partial.h - partial transfers: each has checkpoints, in order, and their octets follow each other. Private to this folder. */
#pragma once
#include "flow/store/check.h"
#include "flow/store/shape.h"

/* Calls w->found for every violation, and counts it. Raises *max_id to the highest id seen. False: the database cannot be read. */
MUST_CHECK bool check_partials(sqlite3 *db, const char *path, const struct shapes *shapes, const struct store_check_watch *w,
			       struct store_check_result *result, int64_t *max_id, struct err *e);
