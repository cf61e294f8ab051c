/* disk_env_testing.c - the simulated disk as an env sees it. */
#include "flow/store/disk_int_testing.h"

#include "base/mem.h"

#include <errno.h>

/* --- files --- */
struct disk_file {
	struct file f; /* first */
	struct disk *d;
	struct inode *inode;
	bool name_is_new;
	char name[NAME_SIZE];
};

struct syncing {
	struct disk_file *f;
	file_done_f *done;
	void *ctx;
	struct timer later;
};

static struct disk_file *file_of(struct file *f)
{
	CHECK(f, FILE_MAGIC);
	return (struct disk_file *)(void *)f;
}

static struct disk *disk_below(struct env *env, const char *name, char path[NAME_SIZE])
{
	struct disk *d = env_directory(env) == NULL ? NULL : disk_of(env_directory(env));
	assert(d != NULL);
	disk_path_of(d, name, path);
	return d;
}

static bool file_error(const struct disk *d, const char *name, const char *what, struct err *e)
{
	const bool passes = d->last_errno == ENOSPC;
	return err_set(e, passes ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "file %s: cannot %s: %s", name, what,
		       strerror(d->last_errno));
}

static struct file *wrap(struct env *env, struct disk *d, struct inode *i, const char *name, bool is_new)
{
	struct disk_file *f = mem_zero(sizeof *f);
	f->f = (struct file){ FILE_MAGIC, env };
	f->d = d;
	f->inode = i;
	f->name_is_new = is_new;
	snprintf(f->name, sizeof f->name, "%s", name);
	i->n_files++;
	return &f->f;
}

/* As sys/loop_file.c does it: each process syncs the directory once, when it first makes a file in the folder there. */
static bool have_folder(struct disk *d)
{
	if (!d->has_folder) {
		if (!disk_begin(d, DISK_OPEN))
			return false;
		d->has_folder = true;
		d->folder_is_durable = false;
		disk_done(d);
	}
	if (!d->root_is_synced)
		d->root_is_synced = disk_sync_folder(d, d->directory);
	return d->root_is_synced;
}

struct file *disk_file_create(struct env *env, const char *name, struct err *e)
{
	char path[NAME_SIZE];
	struct disk *d = disk_below(env, name, path);
	if (strchr(name, '/') != NULL && !have_folder(d)) {
		file_error(d, name, "create", e);
		return NULL;
	}
	if (!disk_begin(d, DISK_OPEN)) {
		file_error(d, name, "create", e);
		return NULL;
	}
	struct inode *i = disk_look_up(d, path) == NULL ? disk_inode_new(d, path) : NULL;
	if (i != NULL)
		disk_rename(d, path, i);
	disk_done(d);
	if (i == NULL) {
		d->last_errno = EEXIST;
		file_error(d, name, "create", e);
		return NULL;
	}
	return wrap(env, d, i, name, true);
}

struct file *disk_file_open(struct env *env, const char *name, struct err *e)
{
	char path[NAME_SIZE];
	struct disk *d = disk_below(env, name, path);
	if (!disk_begin(d, DISK_OPEN)) {
		file_error(d, name, "open", e);
		return NULL;
	}
	struct inode *i = disk_look_up(d, path);
	disk_done(d);
	if (i == NULL) {
		d->last_errno = ENOENT;
		file_error(d, name, "open", e);
		return NULL;
	}
	return wrap(env, d, i, name, false);
}

bool disk_file_append(struct file *file, struct view data, struct err *e)
{
	struct disk_file *f = file_of(file);
	return disk_write(f->d, f->inode, f->inode->live.n, data.p, data.n) || file_error(f->d, f->name, "write", e);
}

bool disk_file_read(struct file *file, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	struct disk_file *f = file_of(file);
	if (!disk_begin(f->d, DISK_READ))
		return file_error(f->d, f->name, "read", e);
	*got_r = disk_read(f->inode, offset, buf, n);
	disk_done(f->d);
	return true;
}

static void sync_now(void *ctx)
{
	struct syncing *s = ctx;
	struct disk_file *f = s->f;
	struct err why;
	const bool good = disk_sync_inode(f->d, f->inode) && (!f->name_is_new || disk_sync_folder(f->d, f->inode->folder));
	if (good)
		f->name_is_new = false;
	else
		file_error(f->d, f->name, "sync", &why);
	s->done(s->ctx, good ? NULL : &why);
	free(s);
}

void disk_file_sync(struct file *file, file_done_f *done, void *ctx)
{
	struct syncing *s = mem_zero(sizeof *s);
	s->f = file_of(file);
	s->done = done;
	s->ctx = ctx;
	timer_init(&s->later, file->env, sync_now, s);
	if (s->f->d->slow_ms > 0)
		timer_after(&s->later, s->f->d->slow_ms);
	else
		env_defer(file->env, sync_now, s);
}

void disk_file_close(struct file *file)
{
	struct disk_file *f = file_of(file);
	f->inode->n_files--;
	disk_forget_inodes(f->d);
	f->f.magic = 0;
	free(f);
}

bool disk_file_remove(struct env *env, const char *name, struct err *e)
{
	char path[NAME_SIZE];
	struct disk *d = disk_below(env, name, path);
	bool was;
	return disk_remove(d, path, &was) || file_error(d, name, "remove", e);
}

bool disk_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx, struct err *e)
{
	char path[NAME_SIZE], folder[NAME_SIZE];
	struct disk *d = disk_below(env, name, path);
	if (!disk_begin(d, DISK_READ))
		return file_error(d, name, "list", e);
	for (const struct name *n = d->live; n != NULL; n = n->next) {
		disk_folder_of(n->path, folder);
		if (strcmp(folder, path) == 0)
			each(ctx, strrchr(n->path, '/') + 1);
	}
	disk_done(d);
	return true;
}

/* --- a small world --- */
struct small {
	struct env env; /* first */
	uint64_t chance;
};

static int64_t small_wall_ms(struct env *env)
{
	return INT64_C(1767225600000) + env->now_ms; /* 2026-01-01 00:00 UTC */
}

static int64_t small_precise_us(struct env *env)
{
	return env->now_ms * 1000;
}

static uint64_t small_random(struct env *env)
{
	struct small *s = (struct small *)(void *)env;
	return s->chance = s->chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
}

static const struct env_ops small_ops = {
	.wall_ms = small_wall_ms,
	.precise_us = small_precise_us,
	.random = small_random,
	.file_create = disk_file_create,
	.file_open = disk_file_open,
	.file_append = disk_file_append,
	.file_read = disk_file_read,
	.file_sync = disk_file_sync,
	.file_close = disk_file_close,
	.file_remove = disk_file_remove,
	.file_list = disk_file_list,
};

struct env *disk_env_new(struct disk *d)
{
	struct small *s = mem_zero(sizeof *s);
	env_init(&s->env, &small_ops);
	s->env.directory = d->directory;
	s->env.now_ms = 1000;
	d->env = &s->env;
	return &s->env;
}

void disk_env_free(struct env **env)
{
	struct disk *d = disk_of((*env)->directory);
	if (d != NULL && d->env == *env)
		d->env = NULL;
	env_fini(*env);
	MEM_FREE(*env);
}

void disk_env_turn(struct env *env)
{
	env_run_timers(env);
	if (!env_end_turn(env) && env_next_timer(env) != INT64_MAX && env_next_timer(env) > env->now_ms)
		env->now_ms = env_next_timer(env);
}
