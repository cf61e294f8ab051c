/* folder.c - see folder.h. */
#include "sys/folder.h"

#include "base/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 16, OPEN_FOLDERS = 16 };

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
