/* logfile.c - see logfile.h. */
#include "sys/logfile.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_ROOM = 8, ROTATE_AGAIN_MS = 60 * 1000, NUMBER_MAX = 100000 };

struct logfile {
	unsigned magic;
#define LOGFILE_MAGIC 0x106f11e0u
	char *path;
	uint64_t size_max;
	unsigned keep;
	int fd;                  /* -1: not open */
	int64_t rotate_after_ms; /* it has failed before */
	bool rotated, not_rotated;
	struct err why;          /* not_rotated */
};

struct logfile *logfile_new(const char *path, uint64_t size, unsigned keep)
{
	assert(keep < NUMBER_MAX);
	struct logfile *f = mem_zero(sizeof *f);
	f->magic = LOGFILE_MAGIC;
	f->path = mem_strdup(path);
	f->size_max = size;
	f->keep = keep;
	f->fd = -1;
	return f;
}

static void let_go(struct logfile *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void logfile_free(struct logfile **fp)
{
	struct logfile *f = *fp;
	if (f == NULL)
		return;
	CHECK(f, LOGFILE_MAGIC);
	let_go(f);
	MEM_FREE(f->path);
	f->magic = 0;
	MEM_FREE(*fp);
}

static bool failed(const struct logfile *f, const char *what, int code, struct err *e)
{
	const bool passes = code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == ENOMEM;
	return err_set(e, passes ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "file %s: cannot %s: %s", f->path, what, strerror(code));
}

/* --- the file of that name --- */

static bool is_still_it(const struct logfile *f)
{
	struct stat named, open;
	return f->fd >= 0 && stat(f->path, &named) == 0 && fstat(f->fd, &open) == 0 && named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

static bool end_last_line(const struct logfile *f, struct err *e)
{
	struct stat st;
	char last = '\n';
	if (fstat(f->fd, &st) != 0 || (st.st_size > 0 && pread(f->fd, &last, 1, st.st_size - 1) != 1))
		return failed(f, "be looked at", errno, e);
	return last == '\n' || write(f->fd, "\n", 1) == 1 || failed(f, "be written", errno, e);
}

/* O_NONBLOCK: what is no file, as a pipe that nobody reads, must not keep us. */
static bool be_open(struct logfile *f, struct err *e)
{
	struct stat st;
	if (is_still_it(f))
		return true;
	let_go(f);
	errno = EACCES;
	if (!FAULT(LOGFILE_OPEN))
		f->fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
	if (f->fd < 0)
		return failed(f, "open", errno, e);
	bool good = fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
	if (!good)
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "file %s: is no regular file", f->path);
	good = good && end_last_line(f, e);
	if (!good)
		let_go(f);
	return good;
}

/* --- put aside --- */

static char *aside(const struct logfile *f, unsigned number)
{
	size_t n = strlen(f->path) + NAME_ROOM;
	char *name = mem_alloc(n);
	snprintf(name, n, number == 0 ? "%s" : "%s.%u", f->path, number);
	return name;
}

static bool is_there(const struct logfile *f, unsigned number)
{
	char *name = aside(f, number);
	struct stat st;
	bool is = lstat(name, &st) == 0;
	free(name);
	return is;
}

static bool move(const struct logfile *f, unsigned from, unsigned to)
{
	char *old = aside(f, from), *new = aside(f, to);
	errno = EACCES;
	bool good = !FAULT(LOGFILE_RENAME) && rename(old, new) == 0;
	int code = errno;
	free(old);
	free(new);
	errno = code;
	return good;
}

static bool drop(const struct logfile *f, unsigned number)
{
	char *name = aside(f, number);
	bool good = unlink(name) == 0;
	int code = errno;
	free(name);
	errno = code;
	return good;
}

/* Highest first, so that each goes to a name that is free; only the last one allowed is written over. A gap, as a death in the middle
 * leaves it, is filled before anything is dropped for it. */
static bool put_aside(const struct logfile *f)
{
	if (f->keep == 0)
		return drop(f, 0);
	unsigned top = 1;
	while (top < f->keep && is_there(f, top))
		top++;
	for (unsigned to = top; to > 0; to--)
		if (!move(f, to - 1, to))
			return false;
	for (unsigned more = f->keep + 1; more < NUMBER_MAX && is_there(f, more); more++) /* it kept more once */
		if (!drop(f, more))
			break;
	return true;
}

/* Whether it worked or not there is a file to write to; true: a new one has to be opened. */
static bool rotate(struct logfile *f, int64_t now_ms)
{
	if (now_ms < f->rotate_after_ms)
		return false;
	if (put_aside(f)) {
		f->rotated = true;
		let_go(f);
		return true;
	}
	f->not_rotated = true;
	f->rotate_after_ms = now_ms + ROTATE_AGAIN_MS;
	failed(f, "put aside", errno, &f->why);
	return false;
}

/* --- public --- */

/* Whole: what was written of it is taken back when the rest has no room. */
static bool append(struct logfile *f, struct view v, off_t size, struct err *e)
{
	for (struct view rest = v; rest.n > 0;) {
		errno = ENOSPC;
		ssize_t n = FAULT(LOGFILE_WRITE) ? -1 : write(f->fd, rest.p, rest.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			failed(f, "be written", n == 0 ? ENOSPC : errno, e);
			if (rest.n < v.n && ftruncate(f->fd, size) != 0)
				let_go(f); /* the next one to open it ends that line */
			return false;
		}
		rest = view_from(rest, (size_t)n);
	}
	return true;
}

bool logfile_write(struct logfile *f, struct view lines, int64_t now_ms, struct err *e)
{
	CHECK(f, LOGFILE_MAGIC);
	struct stat st;
	if (!be_open(f, e))
		return false;
	if (fstat(f->fd, &st) != 0)
		return failed(f, "be looked at", errno, e);
	if (st.st_size > 0 && (uint64_t)st.st_size + lines.n > f->size_max && rotate(f, now_ms)) {
		if (!be_open(f, e))
			return false;
		st.st_size = 0;
	}
	return append(f, lines, st.st_size, e);
}

bool logfile_take_rotated(struct logfile *f)
{
	CHECK(f, LOGFILE_MAGIC);
	bool rotated = f->rotated;
	f->rotated = false;
	return rotated;
}

bool logfile_take_not_rotated(struct logfile *f, struct err *why_r)
{
	CHECK(f, LOGFILE_MAGIC);
	bool failed_to = f->not_rotated;
	if (failed_to)
		*why_r = f->why;
	f->not_rotated = false;
	return failed_to;
}
