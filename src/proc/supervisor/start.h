/* start.h - what the supervisor does once, before it watches: settings, user, directory, listeners. Each function prints its
 * one sentence on standard error when it fails and returns the exit status (process.h), 0 when all is well. */
#pragma once
#include "base/out.h"
#include "sys/process.h"

#include <sys/types.h>

typedef bool read_config_f(const char *path, struct plan *plan_r, struct out *canonical, struct err *e);

/* Reads the settings in a child that is nobody when we are root. *settings_r: a sealed memory file with the canonical text. */
MUST_CHECK int start_read_config(read_config_f *read_config, const char *path, struct plan *plan_r, int *settings_r);

/* The same within the process that calls it, which becomes nobody by it, and enters the folder of the file: for a child. */
enum { START_CANONICAL_MAX = 64 << 20 };
MUST_CHECK int start_read_here(read_config_f *read_config, const char *path, struct plan *plan_r, struct out *canonical, struct err *e);
/* The child has read a file that we have not, so its answer is looked at before it is used. */
MUST_CHECK bool start_plan_ok(const struct plan *p);
MUST_CHECK bool start_write_all(int fd, struct view v);

struct start_user {
	bool change; /* the processes run as uid and gid */
	uid_t uid;
	gid_t gid;
};
/* Whom the processes run as. A user named while not root is fine when it is the caller already. */
MUST_CHECK int start_find_user(const char *name, struct start_user *user_r);

/* Makes the directory when missing, tries that the user can write it, and takes its lock for as long as *lock_r is open. */
MUST_CHECK int start_directory(const char *directory, const struct start_user *user, int *lock_r);

/* Binds one listener. A Unix socket becomes the user's. addr: the port chosen in place of 0. */
MUST_CHECK int start_listener(struct plan_listener *l, const struct start_user *user, int *fd_r);

/* The same while everything runs: *e in place of the sentence, and *fd_r is -1 then. Its address may overlap those of listeners that are
 * going: net_listen_beside. */
MUST_CHECK bool start_listener_later(struct plan_listener *l, const struct start_user *user, const int *going, size_t n, int *fd_r, struct err *e);

/* Keeps of root's privileges what changing user and ending children need, and what a reload does: to read the settings and to bind. */
MUST_CHECK int start_drop_capabilities(const struct start_user *user);
