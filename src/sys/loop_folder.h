/* loop_folder.h - whether a path still names the folder that it named, without libuv: for loop.c. */
#pragma once
#include "base/err.h"

#include <stdint.h>

struct loop_folder {
	char *path; /* heap */
	uint64_t device, inode;
};

/* False: there is no such folder, and why. */
MUST_CHECK bool loop_folder_init(struct loop_folder *f, const char *path, struct err *e);
void loop_folder_fini(struct loop_folder *f);
MUST_CHECK bool loop_folder_is_there(const struct loop_folder *f, struct err *why);

/* What the system said when it would not watch it (an errno, positive). Returns false. */
bool loop_folder_error(const struct loop_folder *f, int error, struct err *e);
