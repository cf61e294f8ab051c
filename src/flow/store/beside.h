/* beside.h - what interchanges and movers remember in folders of their own beside the database, as a backup has it. They speak of postoffices, which
 * are not in a backup and go on as they are; so each file is taken at the side of the store's snapshot on which a restore does no harm:
 *
 *     interchange-LINK/taken.N     before   what an archive has given: all of it is in the snapshot, so nothing of the archive is missing
 *     interchange-LINK/sent.N      after    what was put into the postoffice: all of it, so what the snapshot has in hand is not put there twice
 *     interchange-LINK/strikes.N   after    counts
 *     mover-NAME/FILE              after    attempts and strikes; not FILE.status, which is of now, and not FILE.new
 *     mover-NAME/FOLDER/FILE       after    a message that was set aside: its only copy
 *
 * They are written to meanwhile: a generation (N) is read again when it was replaced by the next, lines are whole, other files are renamed into place. */
#pragma once
#include "base/err.h"

enum beside_when { BESIDE_BEFORE, BESIDE_AFTER }; /* the snapshot */
enum { BESIDE_NAME_MAX = 600 };

/* Names of files below a store's directory. All zero at first. */
struct beside {
	char **names;
	size_t n, cap;
};

/* Copies what is to be taken now from the store's directory `from` to `to`, and adds the names. ERR_LOCAL, or ERR_TEMP without room; what was made then
 * is for the caller to take away. A file whose name has control characters, or begins with a dot, is not one of theirs. */
MUST_CHECK bool beside_copy(const char *from, const char *to, enum beside_when when, struct beside *b_io, struct err *e);
void beside_fini(struct beside *b);

/* Is that the name of a file that may be in a backup because of the above? It leads to nowhere else. */
bool beside_name_ok(struct view name);
/* Makes the folders below `to` for a file of such a name; those that are there are fine. */
MUST_CHECK bool beside_make_folders(const char *to, const char *name, struct err *e);
