/* po_int.h - inside of a postoffice: files below its directory, by name without case. For the files of this folder only.
 *
 * A name (`rel`) is written as the postoffice's own: upper case, `/` between, as "MBG/INQUEUE3.MBG", at most PO_REL_MAX octets. It is tried as it stands,
 * which is one system call; only when that is not there, in lower case, and then any other way the file server may spell it (Q152903,
 * Q129456), for which the directory is looked through. Nothing outside of the postoffice is ever reached: no link is followed, and what is no plain file (a
 * FIFO, a device) is refused without waiting for it.
 *
 * Every function tells the host's note before it calls the system, and passes a fault point. Failures: ERR_LOCAL, link for the file
 * server (ERR_TEMP, link when it is full); ERR_TEMP, message when only this file is held or hidden; ERR_PERM, message when it is no file. */
#pragma once
#include "base/map.h"
#include "flow/wire/postoffice/postoffice.h"

#include <fcntl.h>

enum { PO_REL_MAX = 63, PO_LOCK_TRIES = 12 };

struct po_rel { char s[PO_REL_MAX + 1]; };
struct po_names;  /* names.c: spellings of directories, listings */
struct po_tables; /* route.c: what was read of users, networks, groups */
struct po_sweep;  /* sweep.c */

struct postoffice {
	unsigned magic;
#define POSTOFFICE_MAGIC 0x3a11da7au
	int root;
	uint64_t root_device, root_inode;
	char *path;
	unsigned bits;
	bool folds;                         /* the server itself takes any case: no other spelling is looked for */
	wall_ms_t skew_ms;                  /* the server's clock less ours, as it was when it was last measured */
	const struct mm_scramble *scramble; /* never NULL */
	struct postoffice_host host;
	struct postoffice_health health;
	struct mm_master master;
	struct { struct po_rel key; wall_ms_t at; } busy[4]; /* mailbags that somebody held longer than it was waited for */
	unsigned next_busy;
	struct po_names *names;
	struct po_tables *tables;
	struct po_sweep *sweep;
};
static inline struct postoffice *po_check(struct postoffice *po)
{
	CHECK(po, POSTOFFICE_MAGIC);
	return po;
}
static inline bool po_writes(const struct postoffice *po) { return (po->bits & POSTOFFICE_READ_ONLY) == 0; }

/* The host's clock and chance; the system's where it has none. */
wall_ms_t po_now(const struct postoffice *po);
uint64_t po_random(const struct postoffice *po);
/* "postoffice DOING REL" to the host; po_note(po, NULL, NULL): returned. */
void po_note(const struct postoffice *po, const char *doing, const char *rel);
/* What errno says about rel, after `doing` ("open", "write", ...). EROFS marks the health. Returns false. */
bool po_error(struct postoffice *po, struct err *e, const char *doing, const char *rel, int code);
#define po_error(...) err_is_false(po_error(__VA_ARGS__))
/* What has failed is a file of the postoffice's own: charged to the link. Returns false. */
bool po_of_link(struct err *e);
/* The directory is where it was attached, and CONTROL.GLB is in it: what is missing then is really missing. Else ERR_LOCAL, link. */
MUST_CHECK bool po_alive(struct postoffice *po, struct err *e);
/* Fails when the postoffice was attached for reading only. */
MUST_CHECK bool po_may_write(struct postoffice *po, const char *rel, struct err *e);

/* Fails when the test of locks has failed (Q126750): then nobody works here but who only reads. */
MUST_CHECK bool po_may_share(struct postoffice *po, struct err *e);
/* That test: health.locks_work. What hinders it fails only when the postoffice is of no use without. */
MUST_CHECK bool po_look_at_locks(struct postoffice *po, struct err *e);

/* --- one file (file.c) --- */
/* flags: O_RDONLY, O_RDWR, with O_CREAT | O_EXCL, O_TRUNC. *fd_r -1 with true: it is not there; with O_EXCL: it is there already.
 * With POSTOFFICE_CREATE_DIRS the directory of a new file is made when it is gone. */
MUST_CHECK bool po_open(struct postoffice *po, const char *rel, int flags, int *fd_r, struct err *e);
void po_close(struct postoffice *po, int *fd);
struct po_stamp { bool there; uint64_t inode, size; int64_t seconds, nanoseconds; }; /* all zero: not there */
MUST_CHECK bool po_stat(struct postoffice *po, const char *rel, struct po_stamp *s_r, struct err *e);
/* For a new id: is there a file of that name, in upper or lower case? No directory is looked through. */
MUST_CHECK bool po_is_taken(struct postoffice *po, const char *rel, bool *taken_r, struct err *e);
MUST_CHECK bool po_fstat(struct postoffice *po, int fd, const char *rel, struct po_stamp *s_r, bool *named_r /* has a name yet; or NULL */, struct err *e);
bool po_stamp_eq(const struct po_stamp *a, const struct po_stamp *b);
MUST_CHECK bool po_read_at(struct postoffice *po, int fd, const char *rel, void *buf, size_t n, uint64_t at, size_t *got_r /* fewer: the end */, struct err *e);
MUST_CHECK bool po_write_at(struct postoffice *po, int fd, const char *rel, const void *buf, size_t n, uint64_t at, struct err *e);
MUST_CHECK bool po_truncate(struct postoffice *po, int fd, const char *rel, uint64_t size, struct err *e);
MUST_CHECK bool po_sync(struct postoffice *po, int fd, const char *rel, struct err *e);

/* --- whole small files --- */
/* Appends its octets; *there_r false: no such file. More than max: ERR_PERM, message. */
MUST_CHECK bool po_read_file(struct postoffice *po, const char *rel, uint64_t max, struct out *o, bool *there_r, struct err *e);
/* A new file, synced, and its directory; fails ERR_PERM, message when there is one. */
MUST_CHECK bool po_write_new(struct postoffice *po, const char *rel, struct view octets, struct err *e);
/* At once: beside it, synced, renamed; directory synced. Under the name that it had. */
MUST_CHECK bool po_replace(struct postoffice *po, const char *rel, struct view octets, struct err *e);
/* One that is not there is fine. The directory is not synced: what comes back after a loss of power is removed again or swept. */
MUST_CHECK bool po_remove(struct postoffice *po, const char *rel, struct err *e);

/* --- directories (names.c). rel "": the postoffice's own --- */
MUST_CHECK bool po_make_dir(struct postoffice *po, const char *rel, struct err *e); /* there already: fine. Its parent is synced */
MUST_CHECK bool po_dir_there(struct postoffice *po, const char *rel, bool *there_r, struct err *e);
MUST_CHECK bool po_sync_dir(struct postoffice *po, const char *rel, struct err *e);
/* Each name in it, as it is spelt there, without "." and ".."; until each returns false. A directory that is not there is empty. */
MUST_CHECK bool po_list(struct postoffice *po, const char *rel, bool (*each)(void *ctx, const char *name), void *ctx, struct err *e);
/* For file.c: the directory of rel as the server spells it, opened; -1 with true: it is not there. *name_r: its last part, in rel. */
MUST_CHECK bool po_open_parent(struct postoffice *po, const char *rel, int *dir_r, const char **name_r, struct err *e);
/* How `name` (upper case) is spelt otherwise in that directory; spelt_r "": there is no such. po_cheap: lower case only, and what a listing said before. */
enum po_effort { PO_CHEAP, PO_LIST_TOO };
MUST_CHECK bool po_spelling(struct postoffice *po, int dir, const char *dir_rel, const char *name, enum po_effort effort,
			    char spelt_r[PO_REL_MAX + 1], struct err *e);
/* rel with its directory as it was last found to be spelt: below root. */
struct po_rel po_spelt_rel(const struct postoffice *po, const char *rel);
/* open() below a directory, no link followed, in one system call where the kernel can. -1: errno. */
int po_open_beneath(int dir, const char *path, int flags);
void po_names_free(struct po_names **n);

/* An attachment of o's message: does an earlier message name it, or can that not be told? (owner.c) */
MUST_CHECK bool po_is_others(struct postoffice *po, struct po_owner *o, const struct mm_id *att, bool *others_r, struct err *e);

/* --- locks of ranges: of the open file description, so that two descriptors of one process exclude each other, too --- */
enum po_hold { PO_SHARED, PO_EXCLUSIVE };
/* The whole file, at once. *got_r false: somebody else has it. */
MUST_CHECK bool po_try_hold(struct postoffice *po, int fd, const char *rel, enum po_hold how, bool *got_r, struct err *e);
/* Again and again for about a second; then ERR_TEMP, link. Opened already; freed by po_close. */
MUST_CHECK bool po_hold(struct postoffice *po, int fd, const char *rel, enum po_hold how, struct err *e);

/* --- ids (ids.c) --- */
enum po_counter { PO_NMAILBAG, PO_NLETTER };
/* A3: CONTROL.GLB is held; the counter's value is given to `create`, which makes the file of that id and says whether it was free; then the counter is written.
 * An id that is taken is skipped over. */
typedef bool po_create_f(void *ctx, const struct mm_id *id, bool *taken_r, struct err *e);
MUST_CHECK bool po_new_id(struct postoffice *po, enum po_counter which, po_create_f *create, void *ctx, struct mm_id *id_r, struct err *e);

/* Names of files. */
struct po_rel po_rel_of(const char *dir, const char *name, const char *suffix); /* "MBG", "INQUEUE3", ".MBG" */
struct po_rel po_rel_mai(const struct mm_id *id);                               /* MAI/MAd/xxxxxxxx.MAI */
struct po_rel po_rel_att(const struct mm_id *id);
struct po_rel po_rel_p1(const struct mm_id *id);

/* --- for the sweep (bag.c) --- */
MUST_CHECK bool po_each_live(struct postoffice *po, const char *bag, void (*each)(void *ctx, const struct mm_header *h), void *ctx, struct err *e);
/* One bag less holds it: its counter goes down, at zero it goes itself. */
MUST_CHECK bool po_release(struct postoffice *po, const struct mm_id *mai, struct err *e);
/* The MAI in fd, which is held, and its attachments' files. */
MUST_CHECK bool po_remove_message(struct postoffice *po, const struct mm_id *mai, int fd, const char *rel, struct err *e);

/* The server's clock less ours, by a file that is made and removed in P1. */
MUST_CHECK bool po_measure_skew(struct postoffice *po, wall_ms_t *skew_r, struct err *e);

/* Attaches without looking at anything but the directory itself: for making and mending. Ends with postoffice_close. */
MUST_CHECK bool po_attach(const char *path, unsigned bits, const struct mm_scramble *s, const struct postoffice_host *host, struct postoffice **po_r, struct err *e);
/* Reads the tables of users, networks and groups; XTN files that are missing are the health's. */
MUST_CHECK bool po_tables_probe(struct postoffice *po, struct err *e);
void po_tables_free(struct po_tables **t);
void po_sweep_free(struct po_sweep **s);
