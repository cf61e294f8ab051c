/* file.c - see po_int.h: one file of a postoffice, small files as a whole, locks of files. */
#include "flow/wire/postoffice/po_int.h"

#include "base/fault.h"
#include "base/mem.h"
#include "sys/moment.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#undef po_error

wall_ms_t po_now(const struct postoffice *po)
{
	return po->host.now != NULL ? po->host.now(po->host.ctx) : moment_wall_ms();
}

uint64_t po_random(const struct postoffice *po)
{
	return po->host.random != NULL ? (po->host.random)(po->host.ctx) : moment_random();
}

void po_note(const struct postoffice *po, const char *doing, const char *rel)
{
	char text[40 + PO_REL_MAX] = "";
	if (po->host.note == NULL)
		return;
	if (doing != NULL)
		snprintf(text, sizeof text, "postoffice %.20s %.*s", doing, PO_REL_MAX, rel[0] == 0 ? "." : rel);
	po->host.note(po->host.ctx, text);
}

bool po_error(struct postoffice *po, struct err *e, const char *doing, const char *rel, int code)
{
	po_note(po, NULL, NULL);
	const char *why = strerror(code);
	switch (code) {
	case ENOSPC: case EDQUOT: case EMFILE: case ENFILE: case ENOMEM: case EINTR: case EAGAIN:
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: cannot %s: %s", rel, doing, why);
	case EROFS:
		po->health.read_only = true;
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: cannot %s: the file server lets nothing be written", rel, doing);
	case EACCES: case EPERM:
		if (strcmp(doing, "open") != 0 && strcmp(doing, "read") != 0) {
			po->health.read_only = true; /* as far as we go */
			break;
		}
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: cannot %s: %s", rel, doing, why);
	case EBUSY: case ETXTBSY:
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: cannot %s: somebody else holds it", rel, doing);
	case ELOOP: case EISDIR:
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: is a %s, no plain file", rel, code == EISDIR ? "directory" : "link");
	case ENXIO: case ENODEV:
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: is no plain file", rel);
	default:
		break;
	}
	return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: cannot %s: %s", rel, doing, why);
}
#define po_error(...) err_is_false(po_error(__VA_ARGS__))

bool po_of_link(struct err *e)
{
	if (e != NULL && e->culprit != ERR_OF_LINK) {
		e->kind = e->kind == ERR_TEMP ? ERR_TEMP : ERR_LOCAL;
		e->culprit = ERR_OF_LINK;
	}
	return false;
}

bool po_may_write(struct postoffice *po, const char *rel, struct err *e)
{
	return po_writes(po) || err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: is not written: this postoffice is attached for reading only", rel);
}

bool po_may_share(struct postoffice *po, struct err *e)
{
	if (po->health.locks_work)
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%.120s: %s", po->path, po->health.read_only ? "the file server lets nothing be written" :
		       "locks do not work on this file server, so nobody may share this postoffice");
}

bool po_alive(struct postoffice *po, struct err *e)
{
	struct stat st;
	po_note(po, "look at", ".");
	if (stat(po->path, &st) != 0)
		return po_error(po, e, "look at", "the postoffice's directory", errno);
	if (st.st_ino != po->root_inode || st.st_dev != po->root_device)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%.120s: is another directory than when it was attached", po->path);
	int fd;
	if (!po_open(po, "GLB/CONTROL.GLB", O_RDONLY, &fd, e))
		return po_of_link(e);
	const bool there = fd >= 0;
	po_close(po, &fd);
	return there || err_set(e, ERR_LOCAL, ERR_OF_LINK, "GLB/CONTROL.GLB: is missing");
}

/* --- one file --- */

static struct po_rel dir_of(const char *rel)
{
	struct po_rel dir = { "" };
	const char *slash = strrchr(rel, '/');
	if (slash != NULL)
		snprintf(dir.s, sizeof dir.s, "%.*s", (int)(slash - rel), rel);
	return dir;
}

/* The other spelling of a name that is not there in upper case: opened when there is one. */
static bool open_spelt(struct postoffice *po, const char *rel, int flags, int *fd_r, struct err *e)
{
	const char *name;
	char spelt[PO_REL_MAX + 1] = "";
	int dir, code = ENOENT;
	if (!po_open_parent(po, rel, &dir, &name, e))
		return false;
	if (dir < 0)
		return true;
	/* The directory itself may be spelt otherwise. */
	*fd_r = openat(dir, name, flags | O_NOFOLLOW);
	bool ok = true;
	if (*fd_r < 0 && errno == ENOENT) {
		ok = po_spelling(po, dir, dir_of(rel).s, name, PO_LIST_TOO, spelt, e);
		if (ok && spelt[0] != 0)
			*fd_r = openat(dir, spelt, flags | O_NOFOLLOW);
		else
			errno = ENOENT;
	}
	code = *fd_r < 0 ? errno : 0;
	close(dir);
	return ok && (code == 0 || code == ENOENT || po_error(po, e, "open", rel, code));
}

/* A new one. *fd_r -1: there is one of that name, in whatever case. */
static bool open_new(struct postoffice *po, const char *rel, int flags, int *fd_r, struct err *e)
{
	const char *name;
	int dir;
	if (!po_open_parent(po, rel, &dir, &name, e))
		return false;
	/* Not P1: who finds it empty would take all mail in transit for done. */
	if (dir < 0 && (po->bits & POSTOFFICE_CREATE_DIRS) != 0 && strncmp(rel, "P1/", 3) != 0) {
		if (!po_make_dir(po, dir_of(rel).s, e) || !po_open_parent(po, rel, &dir, &name, e))
			return false;
	}
	if (dir < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: cannot be made: its directory is missing", rel);
	char spelt[PO_REL_MAX + 1] = "";
	bool ok = po_spelling(po, dir, dir_of(rel).s, name, PO_CHEAP, spelt, e);
	int code = 0;
	if (ok && (spelt[0] == 0 || (flags & O_EXCL) == 0)) {
		*fd_r = openat(dir, spelt[0] == 0 ? name : spelt, flags | O_NOFOLLOW, 0660);
		code = *fd_r < 0 ? errno : 0;
		po->health.read_only = po->health.read_only && *fd_r < 0;
	}
	close(dir);
	if (code == EEXIST && (flags & O_EXCL) != 0)
		code = 0;
	return ok && (code == 0 || po_error(po, e, "create", rel, code));
}

/* A link instead of the directory is the server's fault, one instead of the file the file's. */
static bool not_plain(struct postoffice *po, const char *rel, int code, struct err *e)
{
	const char *name;
	int dir;
	if (code == ELOOP || code == ENOTDIR || code == EXDEV) {
		if (!po_open_parent(po, rel, &dir, &name, e))
			return false;
		if (dir >= 0)
			close(dir);
	}
	return po_error(po, e, "open", rel, code == ENOTDIR || code == EXDEV ? ELOOP : code);
}

bool po_open(struct postoffice *po, const char *rel, int flags, int *fd_r, struct err *e)
{
	struct stat st = { 0 };
	int fd = -1;
	flags |= O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	if ((flags & O_ACCMODE) != O_RDONLY && !po_may_write(po, rel, e))
		return false;
	po_note(po, (flags & O_CREAT) != 0 ? "create" : "open", rel);
	if (FAULT(PO_OPEN))
		return po_error(po, e, "open", rel, EIO);
	if ((flags & O_CREAT) != 0) {
		if (!open_new(po, rel, flags, &fd, e))
			return false;
	} else if ((fd = po_open_beneath(po->root, po_spelt_rel(po, rel).s, flags)) < 0) {
		if (errno == ENOENT ? !open_spelt(po, rel, flags, &fd, e) : !not_plain(po, rel, errno, e))
			return false;
	}
	const int code = fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) ? 0 : S_ISDIR(st.st_mode) ? EISDIR : ENXIO;
	if (code != 0) {
		close(fd);
		return po_error(po, e, "open", rel, code);
	}
	po_note(po, NULL, NULL);
	*fd_r = fd;
	return true;
}

void po_close(struct postoffice *po, int *fd)
{
	if (*fd < 0)
		return;
	po_note(po, "close", "");
	close(*fd); /* what counts was synced before */
	po_note(po, NULL, NULL);
	*fd = -1;
}

static struct po_stamp stamp_of(const struct stat *st)
{
	return (struct po_stamp){ .there = true, .inode = st->st_ino, .size = (uint64_t)st->st_size,
				  .seconds = st->st_mtim.tv_sec, .nanoseconds = st->st_mtim.tv_nsec };
}

static bool stat_named(struct postoffice *po, const char *rel, enum po_effort effort, struct po_stamp *s_r, struct err *e)
{
	struct stat st;
	*s_r = (struct po_stamp){ 0 };
	po_note(po, "look at", rel);
	if (FAULT(PO_OPEN))
		return po_error(po, e, "look at", rel, EIO);
	int code = fstatat(po->root, po_spelt_rel(po, rel).s, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
	if (code == ENOENT) {
		const char *name;
		char spelt[PO_REL_MAX + 1] = "";
		int dir;
		if (!po_open_parent(po, rel, &dir, &name, e))
			return false;
		if (dir < 0)
			return true;
		code = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
		const bool ok = code != ENOENT || po_spelling(po, dir, dir_of(rel).s, name, effort, spelt, e);
		if (spelt[0] != 0)
			code = fstatat(dir, spelt, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
		close(dir);
		if (!ok)
			return false;
	}
	if (code != 0 && code != ENOENT)
		return po_error(po, e, "look at", rel, code);
	po_note(po, NULL, NULL);
	if (code == 0)
		*s_r = stamp_of(&st);
	return true;
}

bool po_stat(struct postoffice *po, const char *rel, struct po_stamp *s_r, struct err *e) { return stat_named(po, rel, PO_LIST_TOO, s_r, e); }

bool po_is_taken(struct postoffice *po, const char *rel, bool *taken_r, struct err *e)
{
	struct po_stamp s;
	if (!stat_named(po, rel, PO_CHEAP, &s, e))
		return false;
	*taken_r = s.there;
	return true;
}

bool po_fstat(struct postoffice *po, int fd, const char *rel, struct po_stamp *s_r, bool *named_r, struct err *e)
{
	struct stat st;
	po_note(po, "look at", rel);
	if (fstat(fd, &st) != 0)
		return po_error(po, e, "look at", rel, errno);
	po_note(po, NULL, NULL);
	*s_r = stamp_of(&st);
	if (named_r != NULL)
		*named_r = st.st_nlink > 0;
	return true;
}

bool po_stamp_eq(const struct po_stamp *a, const struct po_stamp *b)
{
	return a->there == b->there && a->inode == b->inode && a->size == b->size && a->seconds == b->seconds &&
	       a->nanoseconds == b->nanoseconds;
}

bool po_read_at(struct postoffice *po, int fd, const char *rel, void *buf, size_t n, uint64_t at, size_t *got_r, struct err *e)
{
	size_t got = 0;
	po_note(po, "read", rel);
	if (FAULT_ON(PO_READ, view_str(rel)))
		return po_error(po, e, "read", rel, EIO);
	while (got < n) {
		const ssize_t some = pread(fd, (uint8_t *)buf + got, n - got, (off_t)(at + got));
		if (some < 0 && errno == EINTR)
			continue;
		if (some < 0)
			return po_error(po, e, "read", rel, errno);
		if (some == 0)
			break;
		got += (size_t)some;
	}
	po_note(po, NULL, NULL);
	*got_r = got;
	return true;
}

bool po_write_at(struct postoffice *po, int fd, const char *rel, const void *buf, size_t n, uint64_t at, struct err *e)
{
	po_note(po, "write", rel);
	if (FAULT(PO_WRITE))
		return po_error(po, e, "write", rel, ENOSPC);
	for (size_t done = 0; done < n;) {
		const ssize_t some = pwrite(fd, (const uint8_t *)buf + done, n - done, (off_t)(at + done));
		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return po_error(po, e, "write", rel, some == 0 ? ENOSPC : errno);
		done += (size_t)some;
	}
	po_note(po, NULL, NULL);
	return true;
}

bool po_truncate(struct postoffice *po, int fd, const char *rel, uint64_t size, struct err *e)
{
	po_note(po, "truncate", rel);
	const int code = FAULT(PO_WRITE) ? ENOSPC : ftruncate(fd, (off_t)size) == 0 ? 0 : errno;
	po_note(po, NULL, NULL);
	return code == 0 || po_error(po, e, "truncate", rel, code);
}

bool po_sync(struct postoffice *po, int fd, const char *rel, struct err *e)
{
	po_note(po, "sync", rel);
	const int code = FAULT_ON(PO_SYNC, view_str(rel)) ? EIO : fsync(fd) == 0 ? 0 : errno;
	po_note(po, NULL, NULL);
	return code == 0 || po_error(po, e, "sync", rel, code);
}

/* --- whole small files --- */

bool po_read_file(struct postoffice *po, const char *rel, uint64_t max, struct out *o, bool *there_r, struct err *e)
{
	int fd;
	struct po_stamp s;
	size_t got = 0;
	if (!po_open(po, rel, O_RDONLY, &fd, e))
		return false;
	*there_r = fd >= 0;
	if (fd < 0)
		return true;
	bool ok = po_fstat(po, fd, rel, &s, NULL, e);
	if (ok && (s.size > max || s.size > out_room(o)))
		ok = err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: has %llu octets, at most %llu are taken", rel, (unsigned long long)s.size, (unsigned long long)max);
	uint8_t *p = ok && s.size > 0 ? out_reserve(o, (size_t)s.size) : NULL;
	ok = ok && (p == NULL || po_read_at(po, fd, rel, p, (size_t)s.size, 0, &got, e));
	po_close(po, &fd);
	return ok && (got == s.size || err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: became shorter while it was read", rel));
}

/* Writes a file just made; on failure it goes away again. */
static bool fill(struct postoffice *po, const char *rel, int fd, struct view octets, struct err *e)
{
	const bool ok = po_write_at(po, fd, rel, octets.p, octets.n, 0, e) && po_sync(po, fd, rel, e);
	po_close(po, &fd);
	if (!ok && !po_remove(po, rel, NULL))
		return false; /* the sweep's */
	return ok;
}

bool po_write_new(struct postoffice *po, const char *rel, struct view octets, struct err *e)
{
	int fd;
	if (!po_open(po, rel, O_RDWR | O_CREAT | O_EXCL, &fd, e))
		return false;
	if (fd < 0)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s: is there already", rel);
	return fill(po, rel, fd, octets, e) && po_sync_dir(po, dir_of(rel).s, e);
}

static bool rename_over(struct postoffice *po, const char *from, const char *rel, struct err *e)
{
	const char *old, *name;
	char spelt[PO_REL_MAX + 1] = "", spelt_old[PO_REL_MAX + 1] = "";
	int dir;
	struct stat st;
	if (!po_open_parent(po, rel, &dir, &name, e))
		return false;
	if (dir < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: its directory is missing", rel);
	old = strrchr(from, '/');
	old = old == NULL ? from : old + 1;
	bool ok = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || po_spelling(po, dir, dir_of(rel).s, name, PO_CHEAP, spelt, e);
	ok = ok && (fstatat(dir, old, &st, AT_SYMLINK_NOFOLLOW) == 0 || po_spelling(po, dir, dir_of(rel).s, old, PO_CHEAP, spelt_old, e));
	po_note(po, "rename", rel);
	const int code = !ok ? 0 : FAULT(PO_RENAME) ? EIO :
			 renameat(dir, spelt_old[0] == 0 ? old : spelt_old, dir, spelt[0] == 0 ? name : spelt) == 0 ? 0 : errno;
	close(dir);
	po_note(po, NULL, NULL);
	return ok && (code == 0 || po_error(po, e, "rename", rel, code));
}

bool po_replace(struct postoffice *po, const char *rel, struct view octets, struct err *e)
{
	struct po_rel beside;
	const char *dot = strrchr(rel, '.'), *slash = strrchr(rel, '/');
	const size_t n = dot == NULL || (slash != NULL && dot < slash) ? strlen(rel) : (size_t)(dot - rel);
	/* The journal of mailbag 00000003 and the envelope of message 00000003 lie in one directory, and are written at the same time. */
	const bool journal = dot != NULL && strcmp(dot, ".0JN") == 0;
	snprintf(beside.s, sizeof beside.s, "%.*s%s", (int)n, rel, journal ? ".0NJ" : ".NEW");
	int fd;
	if (!po_open(po, beside.s, O_RDWR | O_CREAT | O_TRUNC, &fd, e) || !fill(po, beside.s, fd, octets, e))
		return false;
	if (!rename_over(po, beside.s, rel, e)) {
		if (!po_remove(po, beside.s, NULL))
			return false;
		return false;
	}
	return po_sync_dir(po, dir_of(rel).s, e);
}

bool po_remove(struct postoffice *po, const char *rel, struct err *e)
{
	const char *name;
	char spelt[PO_REL_MAX + 1] = "";
	int dir;
	if (!po_may_write(po, rel, e) || !po_open_parent(po, rel, &dir, &name, e))
		return false;
	if (dir < 0)
		return true;
	po_note(po, "remove", rel);
	int code = FAULT(PO_REMOVE) ? EIO : unlinkat(dir, name, 0) == 0 ? 0 : errno;
	if (code == ENOENT) {
		const bool found = po_spelling(po, dir, dir_of(rel).s, name, PO_CHEAP, spelt, NULL) && spelt[0] != 0;
		code = !found || unlinkat(dir, spelt, 0) == 0 || errno == ENOENT ? 0 : errno;
	}
	close(dir);
	po_note(po, NULL, NULL);
	return code == 0 || po_error(po, e, "remove", rel, code);
}

/* --- locks --- */

bool po_try_hold(struct postoffice *po, int fd, const char *rel, enum po_hold how, bool *got_r, struct err *e)
{
	struct flock l = { .l_type = how == PO_SHARED ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };
	po_note(po, "lock", rel);
	const int code = FAULT(PO_LOCK) ? EIO : fcntl(fd, F_OFD_SETLK, &l) == 0 ? 0 : errno;
	po_note(po, NULL, NULL);
	const bool cannot = code == ENOLCK || code == ENOTSUP || code == EINVAL || code == ENOSYS;
	*got_r = code == 0 || (cannot && how == PO_SHARED); /* who only reads does without */
	if (cannot && how == PO_EXCLUSIVE)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: cannot be locked: the file server has no locks of ranges, so nobody may share this postoffice", rel);
	return code == 0 || cannot || code == EAGAIN || code == EACCES || code == EINTR || po_error(po, e, "lock", rel, code);
}

bool po_hold(struct postoffice *po, int fd, const char *rel, enum po_hold how, struct err *e)
{
	bool got;
	unsigned ms = 1;
	for (unsigned tries = 0; tries < PO_LOCK_TRIES; tries++, ms = ms < 256 ? ms * 2 : ms) {
		if (!po_try_hold(po, fd, rel, how, &got, e))
			return false;
		if (got)
			return true;
		po_note(po, "wait for", rel);
		moment_wait_ms(ms);
		po_note(po, NULL, NULL);
	}
	return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: somebody else has held it for a while", rel);
}

/* --- names of files --- */

struct po_rel po_rel_of(const char *dir, const char *name, const char *suffix)
{
	struct po_rel r;
	snprintf(r.s, sizeof r.s, "%s/%.20s%s", dir, name, suffix);
	for (char *p = r.s; *p != 0; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return r;
}

static struct po_rel in_sixteen(const char *dir, const struct mm_id *id, const char *suffix)
{
	char sub[16];
	snprintf(sub, sizeof sub, "%s/%.2s%c", dir, dir, id->s[MM_ID_LENGTH - 1]);
	return po_rel_of(sub, id->s, suffix);
}
struct po_rel po_rel_mai(const struct mm_id *id) { return in_sixteen("MAI", id, ".MAI"); }
struct po_rel po_rel_att(const struct mm_id *id) { return in_sixteen("ATT", id, ".ATT"); }
struct po_rel po_rel_p1(const struct mm_id *id) { return po_rel_of("P1", id->s, ".P1"); }
