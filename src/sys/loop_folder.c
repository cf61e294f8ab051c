/* loop_folder.c - see loop_folder.h. */
#include "sys/loop_folder.h"

#include "base/mem.h"

#include <errno.h>
#include <sys/stat.h>

bool loop_folder_error(const struct loop_folder *f, int error, struct err *e)
{
	const char *hint = error == ENOSPC ? " (fs.inotify.max_user_watches)" :
			   error == EMFILE ? " (fs.inotify.max_user_instances, or descriptors)" : "";
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "folder %s: cannot be watched: %s%s", f->path, strerror(error), hint);
}

static bool look(const char *path, struct stat *st_r, struct err *e)
{
	if (stat(path, st_r) != 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "folder %s: %s", path, strerror(errno));
	if (!S_ISDIR(st_r->st_mode))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "folder %s: it is no folder", path);
	return true;
}

bool loop_folder_init(struct loop_folder *f, const char *path, struct err *e)
{
	struct stat st;
	if (!look(path, &st, e))
		return false;
	*f = (struct loop_folder){ mem_strdup(path), st.st_dev, st.st_ino };
	return true;
}

void loop_folder_fini(struct loop_folder *f)
{
	free(f->path);
	f->path = NULL;
}

bool loop_folder_is_there(const struct loop_folder *f, struct err *why)
{
	struct stat st;
	if (!look(f->path, &st, why))
		return false;
	if (st.st_dev != f->device || st.st_ino != f->inode)
		return err_set(why, ERR_LOCAL, ERR_OF_PROCESS, "folder %s: another has taken its place", f->path);
	return true;
}
