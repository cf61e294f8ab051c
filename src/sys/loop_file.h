/* loop_file.h - files of the real world (env.h), without libuv: loop.c only lends the thread a sync runs in. */
#pragma once
#include "sys/env.h"

struct loop_files; /* the directory */
struct loop_files *loop_files_new(const char *directory);
const char *loop_files_directory(const struct loop_files *fs);
void loop_files_free(struct loop_files **fs);
struct loop_files *loop_files_of(const struct env *env); /* in loop.c */

/* See env_ops. */
struct file *loop_file_create(struct env *env, const char *name, struct err *e);
struct file *loop_file_open(struct env *env, const char *name, struct err *e);
bool loop_file_append(struct file *f, struct view data, struct err *e);
bool loop_file_read(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
void loop_file_close(struct file *f);
bool loop_file_remove(struct env *env, const char *name, struct err *e);
bool loop_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx,
		    struct err *e);
bool loop_file_is_held(struct env *env, const char *name);
bool loop_disk_free(struct env *env, uint64_t *octets_r);

/* One sync: new on the loop, work in any thread, done on the loop again (calls the user back, and frees). */
struct loop_sync;
struct loop_sync *loop_sync_new(struct file *f, file_done_f *done, void *ctx);
void loop_sync_work(struct loop_sync *s);
void loop_sync_done(struct loop_sync *s);
