/* manifest.h - what a backup holds: one line a file, as `sha256sum -c` reads it, between comments of ours.
 *
 *     # posthorn backup 2
 *     # taken 1795360000000 Sun Nov 22 15:06:40 2026 UTC
 *     # owner posthorn
 *     # content messages 12, transfers 14, deliveries 0, quarantined 0
 *     SUM  store.db
 *     SUM  content/00000000000000a1
 *     SUM  interchange-paris/sent.2
 *     SUM  settings.yaml
 *     # end 3 SUM-OF-ALL-BEFORE-THIS-LINE
 *
 * Version 1 is read too: it has no files of interchanges and movers (beside.h). Pure text in, text out: no file is touched here. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"
#include "flow/store/check.h"
#include "sys/digest.h"

#define MANIFEST_NAME "manifest"
enum { MANIFEST_MAX = 1 << 30, MANIFEST_OWNER = 64 };

struct manifest_file {
	const char *name;    /* store.db, settings.yaml, content/ and 16 digits, or as beside_name_ok: nothing else, so no path leads out of a backup */
	char sum[DIGEST_HEX];
};

struct manifest {
	wall_ms_t taken;
	char owner[MANIFEST_OWNER]; /* of the store: a user's name, or its number */
	struct manifest_file *files;
	size_t n;
};

/* Appends the lines before the files. */
void manifest_begin(struct out *o, wall_ms_t taken, const char *owner, const struct store_check_result *has);
void manifest_add(struct out *o, const char *name, const char *sum);
/* Appends the last line. n: files. */
void manifest_end(struct out *o, size_t n);

/* Reads one; what is in *m_r lies in the arena. ERR_LOCAL: it is none, is of a version that is not known, or is not whole. */
MUST_CHECK bool manifest_read(struct view text, struct manifest *m_r, struct arena *a, struct err *e);

/* Is that the name of a file that may be in a backup? */
bool manifest_name_ok(struct view name);
