/* folder.c - see folder.h. */
#include "sys/folder.h"

#include "base/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PIECE = 1 << 16, OPEN_FOLDERS = 16, HOLD_TRIES = 20 };

static bool folder_error(struct err *e, const char *path, const char *what, int code)
{
	const bool passes = code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == ENOMEM;
	return err_set(e, passes ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "%.120s: cannot %s: %s", path, what, strerror(code));
}

static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	if (d == NULL)
		return false;
	bool empty = true;
	for (struct dirent *entry; empty && (entry = readdir(d)) != NULL;)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(d);
	return empty;
}

bool folder_make(const char *path, struct err *e)
{
	if (FAULT(FOLDER_MAKE))
		return folder_error(e, path, "be made (fault point)", ENOSPC);
	if (mkdir(path, 0700) == 0)
		return true;
	if (errno != EEXIST)
		return folder_error(e, path, "be made", errno);
	return is_empty(path) || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: is there already, and is not an empty folder", path);
}

/* A new file to write to, -1 with *e. */
static int create(const char *path, struct err *e)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		folder_error(e, path, "be created", errno);
	return fd;
}

static bool write_all(int fd, const char *path, struct view octets, struct err *e)
{
	if (FAULT(FOLDER_WRITE))
		return folder_error(e, path, "be written (fault point)", ENOSPC);
	while (octets.n > 0) {
		const ssize_t n = write(fd, octets.p, octets.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return folder_error(e, path, "be written", n == 0 ? ENOSPC : errno);
		octets = view_from(octets, (size_t)n);
	}
	return true;
}

/* What was begun and failed goes away again. */
static bool finish(int fd, const char *path, bool ok, struct err *e)
{
	if (close(fd) != 0 && ok)
		ok = folder_error(e, path, "be written", errno);
	if (!ok)
		unlink(path);
	return ok;
}

bool folder_write_file(const char *path, struct view octets, struct err *e)
{
	const int fd = create(path, e);
	return fd >= 0 && finish(fd, path, write_all(fd, path, octets, e), e);
}

static bool copy_octets(int in, int out, const char *from, const char *to, uint64_t max, struct err *e)
{
	uint8_t piece[PIECE];
	while (max > 0) {
		const ssize_t n = read(in, piece, max < PIECE ? (size_t)max : (size_t)PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return folder_error(e, from, "be read", errno);
		if (n == 0)
			return true;
		if (!write_all(out, to, view_of(piece, (size_t)n), e))
			return false;
		max -= (uint64_t)n;
	}
	return true;
}

bool folder_copy_file(const char *from, const char *to, uint64_t max, struct err *e)
{
	const int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return folder_error(e, from, "be opened", errno);
	const int out = create(to, e);
	const bool ok = out >= 0 && finish(out, to, copy_octets(in, out, from, to, max, e), e);
	close(in);
	return ok;
}

/* Cuts what is behind the last line end. */
static bool end_at_line(int fd, const char *path, struct err *e)
{
	uint8_t piece[PIECE];
	off_t end = lseek(fd, 0, SEEK_END);
	while (end > 0) {
		const size_t want = end < PIECE ? (size_t)end : (size_t)PIECE;
		const ssize_t n = pread(fd, piece, want, end - (off_t)want);
		if (n != (ssize_t)want)
			return folder_error(e, path, "be read", n < 0 ? errno : EIO);
		const uint8_t *line_end = memrchr(piece, '\n', want);
		if (line_end != NULL) {
			end -= (off_t)want - (line_end - piece) - 1;
			break;
		}
		end -= (off_t)want;
	}
	return (end >= 0 && ftruncate(fd, end) == 0) || folder_error(e, path, "be cut", errno);
}

bool folder_take_file(const char *from, const char *to, bool lines, bool *there_r, struct err *e)
{
	struct stat st;
	const int in = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	*there_r = in >= 0;
	if (in < 0)
		return errno == ENOENT || errno == ELOOP || folder_error(e, from, "be opened", errno);
	if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(in);
		*there_r = false;
		return true;
	}
	const int out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = out >= 0 || folder_error(e, to, "be created", errno);
	if (ok)
		ok = finish(out, to, copy_octets(in, out, from, to, UINT64_MAX, e) && (!lines || end_at_line(out, to, e)), e);
	close(in);
	return ok;
}

bool folder_list(const char *path, void (*each)(void *ctx, const char *name, bool is_folder), void *ctx, struct err *e)
{
	DIR *d = opendir(path);
	if (d == NULL)
		return folder_error(e, path, "be looked through", errno);
	errno = 0;
	for (struct dirent *entry; (entry = readdir(d)) != NULL; errno = 0) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
			each(ctx, entry->d_name, S_ISDIR(st.st_mode));
	}
	const bool ok = errno == 0 || folder_error(e, path, "be looked through", errno);
	closedir(d);
	return ok;
}

static bool reflink(const char *from, const char *to)
{
	const int in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return false;
	const int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const bool ok = out >= 0 && ioctl(out, FICLONE, in) == 0;
	if (out >= 0) {
		close(out);
		if (!ok)
			unlink(to);
	}
	close(in);
	return ok;
}

bool folder_share_file(const char *from, const char *to, struct err *e)
{
	if (FAULT(FOLDER_SHARE))
		return folder_error(e, to, "be linked (fault point)", ENOSPC);
	return reflink(from, to) || link(from, to) == 0 || folder_copy_file(from, to, UINT64_MAX, e);
}

bool folder_file_size(const char *path, uint64_t *size_r)
{
	struct stat st;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	*size_r = (uint64_t)st.st_size;
	return true;
}

bool folder_can_read(const char *path, bool *there_r, struct err *e)
{
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	*there_r = fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
	if (fd < 0)
		return folder_error(e, path, "be opened", errno);
	const bool is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode), is_folder = !is_file && S_ISDIR(st.st_mode);
	close(fd);
	return is_file || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: found %s, want a file", path, is_folder ? "a directory" : "no regular file");
}

bool folder_rename(const char *from, const char *to, struct err *e)
{
	if (FAULT(FOLDER_RENAME))
		return folder_error(e, from, "be renamed (fault point)", EIO);
	return rename(from, to) == 0 || folder_error(e, from, "be renamed", errno);
}

bool folder_sync(const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return folder_error(e, path, "be opened", errno);
	const bool fault = FAULT(FOLDER_SYNC), ok = !fault && syncfs(fd) == 0;
	if (!ok)
		folder_error(e, path, "be synced", fault ? EIO : errno);
	close(fd);
	return ok;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	(void)!remove(path); /* as far as that works */
	return 0;
}

void folder_remove(const char *path)
{
	nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}

/* --- a lock that others see --- */
/* The one at this path, and not one that was taken away between its opening and its locking. */
static bool is_at(int fd, const char *path)
{
	struct stat ours, there;
	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

bool folder_hold(const char *path, int *fd_r, struct err *e)
{
	for (unsigned i = 0; i < HOLD_TRIES; i++) {
		const int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0)
			return folder_error(e, path, "be created", errno);
		/* whoever asks may be another user than we; who may enter the folder decides who can */
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(fd, path) && fchmod(fd, 0644) == 0) {
			*fd_r = fd;
			return true;
		}
		close(fd);
	}
	return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "%.120s: another process holds it", path);
}

void folder_release(const char *path, int *fd_io)
{
	if (*fd_io < 0)
		return;
	unlink(path);
	close(*fd_io);
	*fd_io = -1;
}

bool folder_sync_file(const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return folder_error(e, path, "be opened", errno);
	const bool ok = fdatasync(fd) == 0 || folder_error(e, path, "be synced", errno);
	close(fd);
	return ok;
}

bool folder_room(const char *path, uint64_t *octets_r)
{
	struct statvfs st;
	if (statvfs(path, &st) != 0)
		return false;
	*octets_r = (uint64_t)st.f_bavail * st.f_frsize;
	return true;
}

uint64_t folder_most(const struct statvfs *st)
{
	const uint64_t kept = st->f_bfree > st->f_bavail ? st->f_bfree - st->f_bavail : 0; /* the system's own */
	uint64_t most;
	if (st->f_blocks <= kept || st->f_blocks - kept < st->f_bavail || __builtin_mul_overflow(st->f_blocks - kept, st->f_frsize, &most))
		return UINT64_MAX;
	return most;
}

bool folder_has(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

bool folder_owner(const char *path, uint32_t *user_r, uint32_t *group_r)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	*user_r = st.st_uid;
	*group_r = st.st_gid;
	return true;
}

static bool give_all(int dir, const char *path, uint32_t user, uint32_t group, struct err *e)
{
	DIR *d = fdopendir(dir); /* takes dir */
	if (d == NULL)
		return folder_error(e, path, "be looked through", errno);
	bool ok = true;
	for (struct dirent *entry; ok && (entry = readdir(d)) != NULL;) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ok = fchownat(dirfd(d), entry->d_name, user, group, AT_SYMLINK_NOFOLLOW) == 0 &&
		     fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (!ok)
			folder_error(e, path, "be given away", errno);
		else if (S_ISDIR(st.st_mode)) {
			const int below = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			ok = below >= 0 ? give_all(below, path, user, group, e) : folder_error(e, path, "be opened", errno);
		}
	}
	closedir(d);
	return ok;
}

bool folder_give(const char *path, uint32_t user, uint32_t group, struct err *e)
{
	const int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return folder_error(e, path, "be opened", errno);
	if (fchown(dir, user, group) != 0) {
		folder_error(e, path, "be given away", errno);
		close(dir);
		return false;
	}
	return give_all(dir, path, user, group, e);
}
