/* backup.h - a copy of a store at one moment, made while the switch goes on with it or without one; and a store made of that.
 *
 * A backup is a folder: `store.db`, `content/`, what interchanges and movers remember (beside.h), `settings.yaml` (if it was asked for) and
 * `manifest` (manifest.h), which is written last. It has every message, delivery, place in quarantine, step and counter of one moment, that of
 * its snapshot. It has no partial transfers, and must not: a peer goes on from the checkpoint that it was last told, which is later than the
 * backup's; and by the time of a restore it may use the name of that activity for another message, of which ours would be made the
 * beginning. Without them it is told that its transfer is not known, and sends it from the beginning: nothing of it was ever confirmed.
 *
 * How it keeps out of the switch's way: the database is read by a connection of its own in one read transaction, page after page; a
 * write-ahead log has its writers wait for no reader, it only grows meanwhile. Content files are never written to again once a
 * message has them, so the backup has them by reflink, hard link or copy. The switch removes none while these names are given
 * (SQLITE_HOLD in sqlite_impl.h). So no message of the snapshot is ever missing, and none is taken apart.
 *
 * Target: nothing has its name before all of it is on disk and has been checked as `posthorn check` does; until then it is
 * TARGET.part, beside TARGET.part.lock. The next backup to that target takes away what a killed one has left; a TARGET.part without that lock is
 * somebody else's, and refused. */
#pragma once
#include "flow/store/check.h"

struct store_backup_watch {
	/* Called often: share of all the work, 0..1. May be NULL. */
	void (*progress)(void *ctx, const char *what, double share);
	/* Called after each piece of work, so that who pays for it may rest. False: give up. May be NULL. */
	bool (*rest)(void *ctx);
	void *ctx;
};

struct store_backup_config {
	const char *settings; /* a file to be kept with it; NULL: none */
	uint64_t min_free;    /* octets that are left to the switch: with less free beside the store or the target, the backup gives up */
	wall_ms_t now;
};

struct store_backup_result {
	struct store_check_result is;
	uint64_t files, octets; /* of the backup; octets of content that is shared by hard link are counted too */
	uint64_t beside;        /* of these, files of interchanges and movers */
	uint64_t partials;      /* transfers that peers were in the middle of, left out */
};

/* Makes the folder target, which must not be there, of the store `name` in env's directory. The ends are those of check.h; here
 * IN_USE: another backup of this store or to this target is being made (ERR_TEMP). FAILED: the store cannot be read, or is not whole (the
 * first violation is named); `check --repair` is for that. COPY: the target is there already or cannot be written, or there is no room;
 * nothing is left of it. */
MUST_CHECK enum store_check_end store_backup(struct env *env, const char *name, const char *target, const struct store_backup_config *c,
					     const struct store_backup_watch *w, struct store_backup_result *result_r, struct err *e);

struct store_restore_config {
	bool hold;            /* every transfer is held: what was handed over after the backup would go twice; but not those of STORE_DEFERRED
			       * whose time has not come `now`: they wait for it as before */
	wall_ms_t now;
	bool give;            /* the new files belong to ... */
	uint32_t user, group; /* ... these, so that the MTA can be that user */
};

struct store_restore_result {
	struct store_check_result is;
	uint64_t held, files;
	uint64_t beside;      /* of these, files of interchanges and movers: they are of the backup's moment, the postoffices of now */
	wall_ms_t taken;      /* that moment */
};

/* Makes a store in directory, which is new or empty, of a backup. Every file is compared with the manifest, and the new store checked, before
 * it gets its name. NONE: there is no backup. FOREIGN: not one of ours, or of a version that is not known. FAILED: it is not what it
 * was (named). COPY: the directory is used, or cannot be written; what was made there is taken away again. */
MUST_CHECK enum store_check_end store_restore(const char *backup, const char *directory, const struct store_restore_config *c,
					      const struct store_backup_watch *w, struct store_restore_result *result_r, struct err *e);

/* Who had the store of a backup; false: it cannot be read. */
MUST_CHECK bool store_backup_owner(const char *backup, char *owner_r, size_t size, struct err *e);
