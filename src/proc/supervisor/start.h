/* start.h - what the supervisor does once, before it watches: settings, user, directory, listeners. Each function prints its
 * one sentence on standard error when it fails and returns the exit status (process.h), 0 when all is well. */
#pragma once
#include "base/out.h"
#include "sys/process.h"

#include <sys/types.h>

typedef bool read_config_f(const char *path, struct plan *plan_r, struct out *canonical, struct err *e);

/* Reads the settings in a child that is nobody when we are root. *settings_r: a sealed memory file with the canonical text. */
MUST_CHECK int start_read_config(read_config_f *read_config, const char *path, struct plan *plan_r, int *settings_r);

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

/* Keeps of root's privileges what changing user and ending children need, nothing else. */
MUST_CHECK int start_drop_capabilities(const struct start_user *user);
