/* check.h - is a SQLite store whole? Offline: the switch must not run. Reads only. */
#pragma once
#include "flow/store/store.h"

struct store_check_result {
	uint64_t messages, recipients, transfers, deliveries, steps, files; /* looked at */
	uint64_t found;							    /* violations */
};

/* Calls found for every violation of what must hold: every message has a reason to exist; every
 * recipient waits in a transfer or has an outcome; every row that names another is right; every
 * content file has its message and the reverse, of the right size; every id is below the counter;
 * every indexed step can be found. path as in store_config. False (ERR_LOCAL): it could not be
 * checked - in use, not a store of ours, unreadable. */
MUST_CHECK bool store_check(struct env *env, const char *path,
			    void (*found)(void *ctx, const char *sentence), void *ctx,
			    struct store_check_result *result_r, struct err *e);
