/* open.c - see postoffice.h: attaching, with what has to be there, and how the file server behaves. */
#include "flow/wire/postoffice/po_int.h"

#include "base/fault.h"
#include "base/mem.h"
#include "sys/folder.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { NAME_TRIES = 16 };

/* First bad thing, kept for who asks how it is. */
static void remember(struct postoffice *po, const struct err *why)
{
	if (po->health.first.kind == ERR_NONE)
		po->health.first = *why;
}

/* A finding that hinders, unless it is to be mended. */
static bool finding(struct postoffice *po, const struct err *why, struct err *e)
{
	remember(po, why);
	if ((po->bits & POSTOFFICE_UNCHECKED) != 0)
		return true;
	if (e != NULL)
		*e = *why;
	return false;
}

bool po_attach(const char *path, unsigned bits, const struct mm_scramble *s, const struct postoffice_host *host, struct postoffice **po_r, struct err *e)
{
	struct stat st;
	struct postoffice *po = mem_zero(sizeof *po);
	po->magic = POSTOFFICE_MAGIC;
	po->path = mem_strdup(path);
	po->bits = bits;
	po->scramble = s == NULL ? &mm_scramble_none : s;
	po->health.case_sensitive = true;
	po->health.locks_work = (bits & POSTOFFICE_READ_ONLY) == 0;
	if (host != NULL)
		po->host = *host;
	po_note(po, "attach", "");
	po->root = FAULT(PO_OPEN) ? (errno = EIO, -1) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = po->root < 0 ? errno : 0;
	if (code == 0 && fstat(po->root, &st) != 0)
		code = errno;
	po_note(po, NULL, NULL);
	if (code != 0) {
		/* Not there, or not now: file servers come back. */
		const bool now = code == EIO || code == ESTALE || code == ETIMEDOUT || code == EHOSTDOWN || code == EHOSTUNREACH || code == ENOTCONN || code == EMFILE ||
				 code == ENFILE || code == ENOMEM;
		(void)err_set(e, now ? ERR_TEMP : ERR_LOCAL, ERR_OF_LINK, "%.120s: cannot be attached as a postoffice: %s", path, strerror(code));
		postoffice_close(&po);
		return false;
	}
	po->root_device = st.st_dev;
	po->root_inode = st.st_ino;
	*po_r = po;
	return true;
}

void postoffice_close(struct postoffice **po)
{
	if (*po == NULL)
		return;
	struct postoffice *p = po_check(*po);
	if (p->root >= 0)
		close(p->root);
	po_names_free(&p->names);
	po_tables_free(&p->tables);
	po_sweep_free(&p->sweep);
	MEM_FREE(p->path);
	p->magic = 0;
	MEM_FREE(*po);
}

/* --- what has to be there --- */

/* Mail moves through these; the others may be missing. Who only reads gets what is there: each message whose file is in a directory that is
 * missing says so by itself. */
static bool is_needed(const struct postoffice *po, const char *dir)
{
	static const char *const needed[] = { "GLB", "KEY", "MBG", "ATT", "MAI", "P1", "XTN" };
	for (size_t i = 0; i < (po_writes(po) ? ARRAY_LEN(needed) : 3); i++)
		if (strncmp(dir, needed[i], strlen(needed[i])) == 0 && (dir[strlen(needed[i])] == 0 || dir[strlen(needed[i])] == '/'))
			return true;
	return false;
}

static bool look_at_dirs(struct postoffice *po, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(mm_directories); i++) {
		const char *dir = mm_directories[i];
		struct err why = { 0 };
		bool there = false;
		const bool usable = po_dir_there(po, dir, &there, &why);
		if (!usable && (is_needed(po, dir) || why.kind == ERR_TEMP)) {
			if (e != NULL)
				*e = why;
			return false;
		}
		const bool may_make = (po->bits & POSTOFFICE_CREATE_DIRS) != 0;
		if (there || (may_make && strcmp(dir, "P1") == 0)) /* which is look_at_p1's */
			continue;
		if (usable && may_make && po_make_dir(po, dir, &why)) {
			po->health.dirs_made++;
			continue;
		}
		po->health.dirs_missing++;
		if (usable)
			(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "%s: this directory of the postoffice is missing", dir);
		if (!is_needed(po, dir))
			remember(po, &why);
		else if (!finding(po, &why, e))
			return false;
	}
	return true;
}

/* One file of the table: there, and of a size that it can have. */
static bool look_at_file(struct postoffice *po, const char *dir, const char *name, struct err *e)
{
	struct po_rel rel;
	struct po_stamp s;
	struct err why;
	snprintf(rel.s, sizeof rel.s, "%s/%s", dir, name);
	if (!po_stat(po, rel.s, &s, e))
		return false;
	if (!s.there) {
		(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "%s: is missing: this is no postoffice, or a damaged one", rel.s);
		return finding(po, &why, e);
	}
	const struct mm_file_rule *rule = mm_file_rule_of(dir, name);
	const bool cut = strcmp(dir, "MBG") == 0 && s.size <= (uint64_t)MM_BAG_RECORDS * MM_RECORD_SIZE; /* a record that a crash cut: the KEY does not count it */
	if (rule == NULL || cut || mm_file_size_fits(rule, s.size))
		return true;
	if (rule->unit == 0)
		(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "%s: has %llu octets, want %u", rel.s, (unsigned long long)s.size, (unsigned)rule->head);
	else
		(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "%s: has %llu octets, want %u and a multiple of %u", rel.s, (unsigned long long)s.size,
			      (unsigned)rule->head, (unsigned)rule->unit);
	return finding(po, &why, e);
}

static bool look_at_files(struct postoffice *po, struct err *e)
{
	static const struct { const char *dir, *name; } files[] = {
		{ "GLB", "CONTROL.GLB" }, { "GLB", "MASTER.GLB" }, { "GLB", "NETWORK.GLB" }, { "KEY", "INQUEUE3.KEY" }, { "MBG", "INQUEUE3.MBG" },
		{ "KEY", "INQUEUE.KEY" }, { "MBG", "INQUEUE.MBG" }, { "KEY", "SYSTEM.KEY" }, { "MBG", "SYSTEM.MBG" },
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!look_at_file(po, files[i].dir, files[i].name, e))
			return false;
	return true;
}

static bool read_master(struct postoffice *po, struct err *e)
{
	struct out o;
	struct err why;
	bool there = false;
	out_init(&o, MM_MASTER_SIZE + 1);
	const bool ok = po_read_file(po, "GLB/MASTER.GLB", MM_MASTER_SIZE, &o, &there, &why) && there && mm_master_parse(out_view(&o), &po->master, &why);
	out_fini(&o);
	if (ok)
		return true;
	if (there)
		why.kind = ERR_LOCAL, why.culprit = ERR_OF_LINK;
	else
		(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "GLB/MASTER.GLB: is missing");
	return finding(po, &why, e);
}

/* --- how the server behaves --- */

/* Does it take a name in any case? CONTROL.GLB is there in one; the same file under two says it. */
static void look_at_case(struct postoffice *po)
{
	struct stat upper, lower;
	po_note(po, "look at", "GLB/CONTROL.GLB");
	const bool same = fstatat(po->root, "GLB/CONTROL.GLB", &upper, 0) == 0 && fstatat(po->root, "glb/control.glb", &lower, 0) == 0 &&
			  upper.st_ino == lower.st_ino && upper.st_dev == lower.st_dev;
	po_note(po, NULL, NULL);
	po->folds = same;
	po->health.case_sensitive = !same;
}

static bool exclude_each_other(struct postoffice *po, const char *rel, int a, struct err *e)
{
	bool first, second = true;
	int b;
	if (!po_open(po, rel, O_RDWR, &b, e))
		return false;
	struct err why;
	bool ok = b >= 0 && po_try_hold(po, a, rel, PO_EXCLUSIVE, &first, &why) && po_try_hold(po, b, rel, PO_EXCLUSIVE, &second, &why);
	po->health.locks_work = ok && first && !second;
	po_close(po, &b);
	if (!po->health.locks_work) {
		(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "locks do not work on this file server (two at once on %s): the postoffice cannot be shared", rel);
		remember(po, &why);
	}
	return true;
}

/* A file of a name that nobody has. *fd -1: none was found. */
static bool make_test_file(struct postoffice *po, struct po_rel *rel, int *fd, struct err *e)
{
	*fd = -1;
	for (unsigned i = 0; i < NAME_TRIES && *fd < 0; i++) {
		char name[12];
		snprintf(name, sizeof name, "%08X", (unsigned)(po_random(po) & UINT32_MAX));
		*rel = po_rel_of("P1", name, ".TST");
		if (!po_open(po, rel->s, O_RDWR | O_CREAT | O_EXCL, fd, e))
			return false;
	}
	return true;
}

static bool look_at_clock(struct postoffice *po, int fd, const char *rel, wall_ms_t *skew_r, struct err *e)
{
	struct po_stamp made;
	if (!po_fstat(po, fd, rel, &made, NULL, e))
		return false;
	*skew_r = (wall_ms_t)made.seconds * 1000 + made.nanoseconds / 1000000 - po_now(po);
	return true;
}

bool po_measure_skew(struct postoffice *po, wall_ms_t *skew_r, struct err *e)
{
	struct po_rel rel;
	int fd;
	if (!make_test_file(po, &rel, &fd, e))
		return false;
	if (fd < 0)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "P1: no name for a look at the server's clock is free: again later");
	const bool ok = look_at_clock(po, fd, rel.s, skew_r, e);
	po_close(po, &fd);
	return po_remove(po, rel.s, ok ? e : NULL) && ok;
}

/* Q126750: two descriptors on one file must exclude each other. A server that lets nothing be written is found here, too. */
bool po_look_at_locks(struct postoffice *po, struct err *e)
{
	struct po_rel rel;
	struct err why;
	int fd;
	po->health.locks_work = false;
	if (!make_test_file(po, &rel, &fd, &why)) {
		remember(po, &why);
		if (po->health.read_only || (po->bits & POSTOFFICE_UNCHECKED) != 0)
			return true; /* it can still be read */
		if (e != NULL)
			*e = why;
		return false;
	}
	if (fd < 0)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "P1: no name for the test of locks is free: again later");
	const bool ok = exclude_each_other(po, rel.s, fd, e) && look_at_clock(po, fd, rel.s, &po->skew_ms, e);
	po_close(po, &fd);
	return po_remove(po, rel.s, ok ? e : NULL) && ok;
}

/* A postoffice of others keeps what is ours elsewhere: its bags' bitmaps, its envelopes, its scrambling (docs/postoffice-format.md). Whoever
 * wrote there would damage them, and the sweep would take their messages for orphans. */
static bool look_who_made_it(struct postoffice *po, struct err *e)
{
	struct err why;
	if (po->master.own.network[0] != 0)
		return true;
	(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "GLB/MASTER.GLB: bears no mark of ours: what of this postoffice is not public would be written by guess, "
						    "so it is only read");
	return finding(po, &why, e);
}

/* XTN files of networks: what is missing hinders that network alone (Q103383). */
static bool look_at_networks(struct postoffice *po, struct err *e)
{
	struct err why;
	if (!po_tables_probe(po, &why))
		return finding(po, &why, e);
	return true;
}

struct transit { struct postoffice *po; unsigned live; bool ok; struct err *e; };

static bool count_transit(void *ctx, const struct mm_name *next, const char *mailbag)
{
	struct transit *t = ctx;
	struct po_bag_entry one;
	unsigned n, live = 0;
	(void)next;
	t->ok = postoffice_bag(t->po, mailbag, 1, &one, &n, &live, t->e);
	t->live += live;
	return t->ok;
}

/* A directory of envelopes that is missing is made where no mail is in transit. Else it is told: without its envelope a message
 * counts as done with, and a journal that is missing as one of nothing, so mail would be lost, or be there twice. */
static bool look_at_p1(struct postoffice *po, struct err *e)
{
	struct transit t = { .po = po, .e = e };
	struct err why;
	bool there;
	if (!po_dir_there(po, "P1", &there, e))
		return false;
	if (there || (po->bits & POSTOFFICE_CREATE_DIRS) == 0)
		return true;
	if (!count_transit(&t, NULL, "INQUEUE3") || !postoffice_each_outbound(po, count_transit, &t, e) || !t.ok)
		return false;
	if (t.live == 0) {
		po->health.dirs_made++;
		return po_make_dir(po, "P1", e);
	}
	po->health.dirs_missing++;
	(void)err_set(&why, ERR_LOCAL, ERR_OF_LINK, "P1: this directory of the postoffice is missing, and %u messages are in transit: bring it back, or make an "
						    "empty one (posthorn postoffice repair)", t.live);
	return finding(po, &why, e);
}

bool postoffice_open(const char *path, unsigned bits, const struct mm_scramble *s, const struct postoffice_host *host, struct postoffice **po_r, struct err *e)
{
	struct postoffice *po;
	if (!po_attach(path, bits, s, host, &po, e))
		return false;
	look_at_case(po);
	const bool ok = look_at_dirs(po, e) && look_at_files(po, e) && read_master(po, e) && look_at_networks(po, e) && look_at_p1(po, e) &&
			(!po_writes(po) || (look_who_made_it(po, e) && po_look_at_locks(po, e)));
	if (!ok) {
		postoffice_close(&po);
		return false;
	}
	*po_r = po;
	return true;
}

const struct mm_master *postoffice_master(const struct postoffice *po)
{
	CHECK(po, POSTOFFICE_MAGIC);
	return &po->master;
}

const struct postoffice_health *postoffice_health(const struct postoffice *po)
{
	CHECK(po, POSTOFFICE_MAGIC);
	return &po->health;
}

const char *postoffice_path(const struct postoffice *po)
{
	CHECK(po, POSTOFFICE_MAGIC);
	return po->path;
}

bool postoffice_space(struct postoffice *po, uint64_t *free_r, uint64_t *most_r, struct err *e)
{
	struct statvfs st;
	po_note(po_check(po), "look at", ".");
	const int code = FAULT(PO_OPEN) ? EIO : fstatvfs(po->root, &st) == 0 ? 0 : errno;
	po_note(po, NULL, NULL);
	if (code != 0)
		return po_error(po, e, "look at", "the postoffice's disk", code);
	*free_r = (uint64_t)st.f_bavail * st.f_frsize;
	if (most_r != NULL)
		*most_r = folder_most(&st);
	return true;
}
