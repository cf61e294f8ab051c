/* check_impl.h - what check and repair share. Private to this folder. */
#pragma once
#include "flow/store/check_group.h"

enum {
	CHECK_SENTENCE = 400,
	CHECK_UNPACK_MAX = 64 << 20, /* memory for one message's rows, unpacked */
};
#define CHECK_ID_MAX (INT64_C(1) << 60) /* no store has given so many */

/* Content files of a store's folder by number, ascending. */
struct check_files {
	uint64_t *v;
	size_t n, cap;
	void (*odd)(void *ctx, const char *name); /* told of files with other names */
	void *ctx;
};
MUST_CHECK bool check_files_list(struct env *env, struct check_files *f, struct err *e);
void check_files_fini(struct check_files *f);
bool check_files_has(const struct check_files *f, uint64_t number);

/* Is the content file there, and has it so many octets; exactly, or at least? */
bool check_file_is(struct env *env, uint64_t file, uint64_t size, bool exactly);

/* NULL: *gone_r, there is no such file; or *e. */
sqlite3 *check_open(const char *path, int flags, bool *gone_r, struct err *e);

/* The lock of the store, if there ever was one: *owner_r is NULL or to be closed. */
MUST_CHECK enum store_check_end check_own(const char *path, sqlite3 **owner_r, struct err *e);

/* First column of the first row; 0 when there is none. */
MUST_CHECK bool check_number(sqlite3 *db, const char *path, const char *sql, int64_t *x_r, struct err *e);
