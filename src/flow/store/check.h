/* check.h - is a SQLite store whole, and a whole one made of what is left of one that is not. Offline: the switch must not run.
 *
 * What must hold: the database is sound and has our tables; every message has a reason to exist (a transfer, a delivery, a place in
 * quarantine); every recipient waits in one place or has an outcome; every row that names another is right, and says the same as that
 * one; counts are what is counted; a partial transfer has checkpoints, in order, whose octets are there; every content file has its message and the reverse, of the right size; every id is below the counter;
 * an index agrees with its table; every indexed step can be found, and no step that is not there.
 *
 * Both take one ordered pass over each table, so their time grows with the store and their memory does not. */
#pragma once
#include "flow/store/store.h"

struct store_check_result {
	uint64_t messages, recipients, transfers, deliveries, quarantined, steps, files; /* looked at */
	uint64_t found;									  /* violations */
};

/* Why it could not be checked or repaired. */
enum store_check_end {
	STORE_CHECK_DONE = 0,
	STORE_CHECK_NONE,    /* there is no store */
	STORE_CHECK_IN_USE,  /* a switch has it open */
	STORE_CHECK_FOREIGN, /* not a store of ours, or of a version that this program does not know; named */
	STORE_CHECK_FAILED,  /* it cannot be read */
	STORE_CHECK_COPY,    /* the copy cannot be made or written, or is not whole; the original is as it was */
};

struct store_check_watch {
	/* One sentence for each violation. */
	void (*found)(void *ctx, const char *sentence);
	/* Repair: one sentence for each thing done. May be NULL. */
	void (*did)(void *ctx, const char *sentence);
	/* Called often. share: of all the work, 0..1; rows so far. May be NULL. */
	void (*progress)(void *ctx, const char *what, double share, uint64_t rows);
	void *ctx;
};

/* Calls found for every violation. Reads only. path as in store_config. False (ERR_LOCAL): it could not be checked - in use, not a
 * store of ours, unreadable. */
MUST_CHECK bool store_check(struct env *env, const char *path,
			    void (*found)(void *ctx, const char *sentence), void *ctx,
			    struct store_check_result *result_r, struct err *e);

/* The same, watched, and it says why not. *result_r and no *e with DONE. */
MUST_CHECK enum store_check_end store_check_watched(struct env *env, const char *path, const struct store_check_watch *w,
						    struct store_check_result *result_r, struct err *e);

struct store_repair_result {
	uint64_t found;		      /* damages and violations of the original */
	uint64_t changed, removed;    /* rows and files, in the copy */
	struct store_check_result is; /* of the copy: nothing found */
};

/* Makes a whole store in the copy's directory, which is new or empty, of what can be read of the store `name` in env's directory.
 * Nothing there is written to: content files are shared (reflink, hard link or copy), the database is read page by page and written
 * anew, past whatever is damaged. No row is lost: what cannot stay as it is is kept in the copy's folder `removed` (removed.h of this
 * folder says how). Rather a message is sent twice than not at all; nothing is revived that was deleted.
 * DONE: the copy was checked and is whole. COPY: it cannot be written, and was taken away again. */
MUST_CHECK enum store_check_end store_repair(struct env *env, const char *name, struct env *copy, const struct store_check_watch *w,
					     struct store_repair_result *result_r, struct err *e);
