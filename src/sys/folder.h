/* folder.h - whole files and folders, for offline tools that make a copy of a store. Each call blocks and works by itself; the
 * programs that switch mail use env.h. Failures are ERR_LOCAL, or ERR_TEMP when there is no room or no descriptor. */
#pragma once
#include "base/err.h"

/* Makes the folder; one that is there and empty is fine. */
MUST_CHECK bool folder_make(const char *path, struct err *e);

/* A second name or copy of a file that nobody will write to again: shares the blocks where the file system can (reflink), else is
 * a hard link, else a copy of the octets. `to` must not exist. */
MUST_CHECK bool folder_share_file(const char *from, const char *to, struct err *e);

/* A copy of the first max octets of a file, of its own. `to` must not exist. */
MUST_CHECK bool folder_copy_file(const char *from, const char *to, uint64_t max, struct err *e);

/* A copy of a regular file that others write to, replace or remove meanwhile, as it is now; a link is none. lines: they append lines to it,
 * and the copy ends with the last whole one. *there_r false (and no copy made, without failing): there is none. `to` must not exist. */
MUST_CHECK bool folder_take_file(const char *from, const char *to, bool lines, bool *there_r, struct err *e);

/* Calls each(ctx, name, is_folder) for every regular file and every folder in the folder at `path`, in no order; never for a link. */
MUST_CHECK bool folder_list(const char *path, void (*each)(void *ctx, const char *name, bool is_folder), void *ctx, struct err *e);

/* A new file with these octets. */
MUST_CHECK bool folder_write_file(const char *path, struct view octets, struct err *e);

/* The length of a regular file; false: there is none, or it cannot be looked at. */
MUST_CHECK bool folder_file_size(const char *path, uint64_t *size_r);

/* The octets of this regular file can be read: nothing is read of it, and no other kind of file is waited for. False: *e says why not, with the path;
 * *there_r: whether there is anything of this name. */
MUST_CHECK bool folder_can_read(const char *path, bool *there_r, struct err *e);

/* Puts the new name in place of the old one. */
MUST_CHECK bool folder_rename(const char *from, const char *to, struct err *e);

/* Everything written to the file system that `path` is on is on disk. */
MUST_CHECK bool folder_sync(const char *path, struct err *e);

/* Removes the folder and all below it, as far as that works. Never follows a link. */
void folder_remove(const char *path);

/* --- what others must know of meanwhile: a file that a process holds with a lock --- */
/* Makes the file and locks it: env_file_is_held of whoever shares the folder is true until folder_release, or the end of this process. A file
 * that a dead process left is taken over. ERR_TEMP: somebody else holds it. *fd_r is for folder_release. */
MUST_CHECK bool folder_hold(const char *path, int *fd_r, struct err *e);
/* Removes the file and ends the lock. fd_io: -1 is fine, and what it is then. */
void folder_release(const char *path, int *fd_io);

/* What was written to this one file is on disk. */
MUST_CHECK bool folder_sync_file(const char *path, struct err *e);
/* The octets that somebody without privileges may still write where the path is. */
MUST_CHECK bool folder_room(const char *path, uint64_t *octets_r);
/* The octets that he might write there if nothing else were on that disk; UINT64_MAX when its server does not say how large it is. */
struct statvfs;
uint64_t folder_most(const struct statvfs *st);
/* Is there anything of this name? A link counts as itself. */
bool folder_has(const char *path);
/* Gives the folder and all below it to a user; never follows a link. */
MUST_CHECK bool folder_give(const char *path, uint32_t user, uint32_t group, struct err *e);
/* Whose it is. */
MUST_CHECK bool folder_owner(const char *path, uint32_t *user_r, uint32_t *group_r);
