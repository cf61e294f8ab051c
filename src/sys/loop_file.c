/* loop_file.c - see loop_file.h. */
#include "sys/loop_file.h"

#include "base/fault.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct loop_files {
	char *directory;
	int fd; /* -1: not opened yet */
	bool is_synced; /* the names in it are on disk, as far as this process knows */
};

struct real_file {
	struct file f; /* first: a file is a real_file */
	int fd;
	bool name_is_new; /* not yet synced into its directory */
	unsigned syncing;
	char name[128];
};

struct loop_sync {
	struct real_file *f;
	file_done_f *done;
	void *ctx;
	int folder;      /* to be synced too, -1: no */
	bool fault;
	bool failed;
	struct err why;
};

struct loop_files *loop_files_new(const char *directory)
{
	struct loop_files *fs = mem_zero(sizeof *fs);
	fs->directory = directory == NULL ? NULL : mem_strdup(directory);
	fs->fd = -1;
	return fs;
}

const char *loop_files_directory(const struct loop_files *fs)
{
	return fs->directory;
}

void loop_files_free(struct loop_files **fs)
{
	if (*fs == NULL)
		return;
	if ((*fs)->fd >= 0)
		close((*fs)->fd);
	MEM_FREE((*fs)->directory);
	MEM_FREE(*fs);
}

static bool file_error(struct err *e, const char *what, const char *name, int code)
{
	bool passes = code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == ENOMEM;
	return err_set(e, passes ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "file %s: cannot %s: %s", name, what,
		       strerror(code));
}

/* Names come from our own code and database: a path that leaves the directory is refused, whatever made it. */
static bool name_ok(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n < sizeof ((struct real_file *)0)->name && name[0] != '/' && strstr(name, "..") == NULL;
}

static bool directory_open(struct env *env, const char *name, int *fd_r, struct err *e)
{
	struct loop_files *fs = loop_files_of(env);
	if (!name_ok(name))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "file \"%.100s\": not a name below the directory", name);
	if (fs->fd < 0 && fs->directory != NULL) {
		fs->fd = open(fs->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fs->fd < 0)
			return file_error(e, "open", fs->directory, errno);
	}
	if (fs->fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "file %s: this process has no directory", name);
	*fd_r = fs->fd;
	return true;
}

/* The part before the last slash; "." when there is none. */
static const char *folder_of(const char *name, char *buf, size_t size)
{
	const char *slash = strrchr(name, '/');
	snprintf(buf, size, "%.*s", slash == NULL ? 1 : (int)(slash - name), slash == NULL ? "." : name);
	return buf;
}

static struct file *wrap(struct env *env, int fd, const char *name, bool is_new)
{
	struct real_file *f = mem_zero(sizeof *f);
	f->f = (struct file){ FILE_MAGIC, env };
	f->fd = fd;
	f->name_is_new = is_new;
	snprintf(f->name, sizeof f->name, "%s", name);
	return &f->f;
}

/* The first file that this process makes in a folder. The folder may be new, made by a process that died before it was synced too:
 * its own name is synced here and now, which happens once. */
static int create_first(struct loop_files *fs, const char *name, int how)
{
	char folder[128];
	if (strchr(name, '/') == NULL)
		return openat(fs->fd, name, how, 0600);
	if (mkdirat(fs->fd, folder_of(name, folder, sizeof folder), 0700) != 0 && errno != EEXIST)
		return -1;
	if (fsync(fs->fd) != 0)
		return -1;
	fs->is_synced = true;
	return openat(fs->fd, name, how, 0600);
}

struct file *loop_file_create(struct env *env, const char *name, struct err *e)
{
	enum { HOW = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC };
	int dir;
	struct loop_files *fs = loop_files_of(env);
	if (!directory_open(env, name, &dir, e))
		return NULL;
	int fd = fs->is_synced ? openat(dir, name, HOW, 0600) : create_first(fs, name, HOW);
	if (fd < 0 && fs->is_synced && errno == ENOENT) { /* another folder, or it was taken away */
		fs->is_synced = false;
		fd = create_first(fs, name, HOW);
	}
	if (fd < 0) {
		file_error(e, "create", name, errno);
		return NULL;
	}
	return wrap(env, fd, name, true);
}

struct file *loop_file_open(struct env *env, const char *name, struct err *e)
{
	int dir;
	if (!directory_open(env, name, &dir, e))
		return NULL;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		file_error(e, "open", name, errno);
		return NULL;
	}
	return wrap(env, fd, name, false);
}

bool loop_file_append(struct file *file, struct view data, struct err *e)
{
	struct real_file *f = (struct real_file *)(void *)file;
	while (data.n > 0) {
		ssize_t n = write(f->fd, data.p, data.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return file_error(e, "write", f->name, n == 0 ? ENOSPC : errno);
		data = view_from(data, (size_t)n);
	}
	return true;
}

bool loop_file_read(struct file *file, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	struct real_file *f = (struct real_file *)(void *)file;
	size_t got = 0;
	while (got < n) {
		ssize_t more = pread(f->fd, (uint8_t *)buf + got, n - got, (off_t)(offset + got));
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return file_error(e, "read", f->name, errno);
		if (more == 0)
			break;
		got += (size_t)more;
	}
	*got_r = got;
	return true;
}

void loop_file_close(struct file *file)
{
	struct real_file *f = (struct real_file *)(void *)file;
	assert(f->syncing == 0); /* env.h: only after done */
	close(f->fd);
	f->f.magic = 0;
	free(f);
}

bool loop_file_remove(struct env *env, const char *name, struct err *e)
{
	int dir;
	if (!directory_open(env, name, &dir, e))
		return false;
	if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
		return file_error(e, "remove", name, errno);
	return true;
}

bool loop_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx,
		    struct err *e)
{
	int dir;
	if (!directory_open(env, name, &dir, e))
		return false;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true; /* no file has been made there yet */
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		file_error(e, "list", name, errno);
		if (fd >= 0)
			close(fd);
		return false;
	}
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		struct stat st;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			each(ctx, entry->d_name);
	}
	closedir(d);
	return true;
}

bool loop_file_is_held(struct env *env, const char *name)
{
	int dir;
	struct err e;
	if (!directory_open(env, name, &dir, &e))
		return false;
	const int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT; /* what cannot be asked may be held */
	const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	if (!held)
		unlinkat(dir, name, 0);
	close(fd);
	return held;
}

bool loop_disk_free(struct env *env, uint64_t *octets_r)
{
	struct statvfs st;
	struct err e;
	int dir;
	if (!directory_open(env, "x", &dir, &e) || fstatvfs(dir, &st) != 0)
		return false;
	*octets_r = (uint64_t)st.f_bavail * st.f_frsize;
	return true;
}

struct loop_sync *loop_sync_new(struct file *file, file_done_f *done, void *ctx)
{
	struct real_file *f = (struct real_file *)(void *)file;
	char folder[128];
	struct loop_sync *s = mem_zero(sizeof *s);
	s->f = f;
	s->done = done;
	s->ctx = ctx;
	s->folder = -1;
	s->fault = FAULT(CONTENT_SYNC);
	f->syncing++;
	if (f->name_is_new) {
		s->folder = openat(loop_files_of(file->env)->fd, folder_of(f->name, folder, sizeof folder),
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->folder < 0)
			s->failed = !file_error(&s->why, "sync the folder of", f->name, errno);
	}
	return s;
}

/* Touches nothing that the loop's thread may write. */
void loop_sync_work(struct loop_sync *s)
{
	if (s->failed)
		return;
	if (s->fault || fdatasync(s->f->fd) != 0 || (s->folder >= 0 && fsync(s->folder) != 0))
		s->failed = !file_error(&s->why, "sync", s->f->name, s->fault ? EIO : errno);
}

void loop_sync_done(struct loop_sync *s)
{
	s->f->syncing--;
	if (!s->failed)
		s->f->name_is_new = false;
	if (s->folder >= 0)
		close(s->folder);
	s->done(s->ctx, s->failed ? &s->why : NULL);
	free(s);
}
