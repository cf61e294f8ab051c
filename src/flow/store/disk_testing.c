/* disk_testing.c - see disk_testing.h: files, names, what of them is durable, and when calls fail. */
#include "flow/store/disk_int_testing.h"

#include "base/mem.h"

#include <errno.h>

enum { SECTOR = 512 };

/* SQLite knows one list of file systems for the whole program, so there is one here. */
static struct disk *disks;

/* --- chance --- */
static uint64_t dice(struct disk *d, uint64_t below)
{
	uint64_t z = d->chance += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

/* --- octets --- */
static void octets_resize(struct octets *o, size_t n)
{
	if (n > o->cap) {
		o->cap = n < 4096 ? 4096 : mem_mul(n, 2);
		o->p = mem_grow(o->p, o->cap);
	}
	if (n > o->n)
		memset(o->p + o->n, 0, n - o->n);
	o->n = n;
}

static void octets_put(struct octets *o, uint64_t at, const uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	if (at + n > o->n)
		octets_resize(o, at + n);
	memcpy(o->p + at, p, n);
}

/* Makes range [at, at + n) of o what it is in from. */
static void octets_copy(struct octets *o, const struct octets *from, uint64_t at, size_t n)
{
	const size_t there = at >= from->n ? 0 : from->n - at < n ? from->n - at : n;
	octets_put(o, at, from->p + at, there);
}

/* --- inodes and names --- */
void disk_folder_of(const char *path, char folder[NAME_SIZE])
{
	const char *slash = strrchr(path, '/');
	assert(slash != NULL);
	snprintf(folder, NAME_SIZE, "%.*s", (int)(slash - path), path);
}

void disk_path_of(const struct disk *d, const char *name, char path[NAME_SIZE])
{
	const int n = snprintf(path, NAME_SIZE, "%s/%s", d->directory, name);
	assert(n > 0 && n < NAME_SIZE);
}

struct inode *disk_inode_new(struct disk *d, const char *path)
{
	struct inode *i = mem_zero(sizeof *i);
	i->changes_end = &i->changes;
	disk_folder_of(path, i->folder);
	i->next = d->inodes;
	d->inodes = i;
	return i;
}

static void drop_changes(struct inode *i)
{
	while (i->changes != NULL) {
		struct change *c = i->changes;
		i->changes = c->next;
		free(c);
	}
	i->changes_end = &i->changes;
}

static void inode_free(struct inode *i)
{
	drop_changes(i);
	disk_vfs_close(i);
	free(i->live.p);
	free(i->durable.p);
	free(i);
}

static struct name **find(struct name **list, const char *path)
{
	while (*list != NULL && strcmp((*list)->path, path) != 0)
		list = &(*list)->next;
	return list;
}

struct inode *disk_look_up(struct disk *d, const char *path)
{
	struct name *n = *find(&d->live, path);
	return n == NULL ? NULL : n->inode;
}

static void set_name(struct name **list, const char *path, struct inode *inode)
{
	struct name **at = find(list, path), *old = *at;
	if (old != NULL) {
		*at = old->next;
		free(old);
	}
	if (inode == NULL)
		return;
	struct name *n = mem_zero(sizeof *n);
	n->inode = inode;
	snprintf(n->path, sizeof n->path, "%s", path);
	n->next = *list;
	*list = n;
}

void disk_rename(struct disk *d, const char *path, struct inode *inode)
{
	struct renaming *r = mem_zero(sizeof *r);
	set_name(&d->live, path, inode);
	r->inode = inode;
	snprintf(r->path, sizeof r->path, "%s", path);
	*d->renamings_end = r;
	d->renamings_end = &r->next;
}

static bool is_named(const struct disk *d, const struct inode *i)
{
	for (const struct name *n = d->live; n != NULL; n = n->next)
		if (n->inode == i)
			return true;
	for (const struct name *n = d->durable; n != NULL; n = n->next)
		if (n->inode == i)
			return true;
	for (const struct renaming *r = d->renamings; r != NULL; r = r->next)
		if (r->inode == i)
			return true;
	return false;
}

void disk_forget_inodes(struct disk *d)
{
	for (struct inode **at = &d->inodes; *at != NULL;) {
		struct inode *i = *at;
		if (i->handles != NULL || i->n_files > 0 || is_named(d, i)) {
			at = &i->next;
			continue;
		}
		*at = i->next;
		inode_free(i);
	}
}

/* The names of one folder are durable. */
static void settle_folder(struct disk *d, const char *folder)
{
	char own[NAME_SIZE];
	for (struct renaming **at = &d->renamings; *at != NULL;) {
		struct renaming *r = *at;
		disk_folder_of(r->path, own);
		if (strcmp(own, folder) != 0) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		set_name(&d->durable, r->path, r->inode);
		free(r);
	}
	d->renamings_end = &d->renamings;
	while (*d->renamings_end != NULL)
		d->renamings_end = &(*d->renamings_end)->next;
	disk_forget_inodes(d);
}

/* --- changes --- */
static void apply(struct octets *o, const struct change *c)
{
	if (c->n == 0)
		octets_resize(o, c->at);
	else
		octets_put(o, c->at, c->octets, c->n);
}

static void settle(struct inode *i)
{
	for (const struct change *c = i->changes; c != NULL; c = c->next)
		apply(&i->durable, c);
	drop_changes(i);
}

enum mood { MOOD_MIXED, MOOD_ALL, MOOD_NOTHING };

static void survive_in_part(struct disk *d, struct octets *o, const struct change *c)
{
	for (size_t done = 0; done < c->n;) {
		const size_t left = SECTOR - (size_t)((c->at + done) % SECTOR),
			     n = c->n - done < left ? c->n - done : left;
		if (dice(d, 2) == 0)
			octets_put(o, c->at + done, c->octets + done, n);
		done += n;
	}
}

/* What the disk got of what was not synced. */
static void scatter(struct disk *d, struct inode *i, enum mood mood)
{
	for (const struct change *c = i->changes; c != NULL; c = c->next) {
		const uint64_t fate = mood == MOOD_ALL ? 0 : mood == MOOD_NOTHING ? 1 : dice(d, 3);
		if (fate == 0)
			apply(&i->durable, c);
		else if (fate == 2 && c->n > 0)
			survive_in_part(d, &i->durable, c);
	}
}

/* The cache is gone: live is what is durable. */
static void lose_cache(struct inode *i)
{
	if (i->diverged) {
		octets_resize(&i->live, i->durable.n);
		octets_copy(&i->live, &i->durable, 0, i->durable.n);
	}
	for (const struct change *c = i->changes; c != NULL; c = c->next)
		octets_copy(&i->live, &i->durable, c->at, c->n == 0 ? i->durable.n : c->n);
	octets_resize(&i->live, i->durable.n);
	i->diverged = false;
	drop_changes(i);
}

static void lose_names(struct disk *d, enum mood mood)
{
	while (d->renamings != NULL) {
		struct renaming *r = d->renamings;
		d->renamings = r->next;
		if (mood == MOOD_ALL || (mood == MOOD_MIXED && dice(d, 2) == 0))
			set_name(&d->durable, r->path, r->inode);
		free(r);
	}
	d->renamings_end = &d->renamings;
	char folder[NAME_SIZE];
	const bool lose_folder = d->has_folder && !d->folder_is_durable && dice(d, 2) == 0;
	for (struct name **at = &d->durable; lose_folder && *at != NULL;) {
		struct name *n = *at;
		disk_folder_of(n->path, folder);
		if (strcmp(folder, d->directory) == 0) {
			at = &n->next;
			continue;
		}
		*at = n->next;
		free(n);
	}
	if (lose_folder)
		d->has_folder = false;
	while (d->live != NULL)
		set_name(&d->live, d->live->path, NULL);
	for (const struct name *n = d->durable; n != NULL; n = n->next)
		set_name(&d->live, n->path, n->inode);
}

static void lose_power(struct disk *d)
{
	const uint64_t chance = dice(d, 8);
	const enum mood mood = chance == 0 ? MOOD_ALL : chance == 1 ? MOOD_NOTHING : MOOD_MIXED;
	for (struct inode *i = d->inodes; i != NULL; i = i->next) {
		scatter(d, i, mood);
		lose_cache(i);
	}
	lose_names(d, mood);
}

/* --- trouble --- */
void disk_die(struct disk *d, enum disk_death how)
{
	assert(!d->dead);
	d->dead = true;
	d->death = how;
	d->die_in = 0;
	if (how != DISK_KILLED)
		lose_power(d);
}

void disk_die_at(struct disk *d, enum disk_call kind, uint64_t n, enum disk_death how)
{
	d->die_in = n;
	d->die_kind = kind;
	d->death = how;
}

void disk_fail_at(struct disk *d, enum disk_call kind, uint64_t n, enum disk_fault fault)
{
	d->fail_in[kind] = n;
	d->fault[kind] = fault;
}

static bool dies_by(const struct disk *d)
{
	return d->die_kind == DISK_CALL_KINDS || d->die_kind == d->now;
}

/* Every call begins here. True: it is to be done, and disk_after follows; false: it fails, *fault_r says how. */
static bool before(struct disk *d, enum disk_call kind, enum disk_fault *fault_r)
{
	*fault_r = DISK_EIO;
	d->last_errno = EIO;
	if (d->dead)
		return false;
	d->calls[kind]++;
	d->calls_all++;
	if (d->shielded)
		return true;
	d->now = kind;
	if (d->die_in == 1 && dies_by(d) && d->death != DISK_CUT_AFTER) {
		disk_die(d, d->death);
		return false;
	}
	if (d->fail_in[kind] == 0 || --d->fail_in[kind] > 0)
		return true;
	d->faults++;
	*fault_r = d->fault[kind];
	d->last_errno = *fault_r == DISK_ENOSPC ? ENOSPC : EIO;
	return false;
}

void disk_done(struct disk *d)
{
	d->last_errno = 0;
	if (!d->shielded && d->die_in > 0 && dies_by(d) && --d->die_in == 0)
		disk_die(d, d->death);
}

/* A call that failed was a call too. */
static void counted(struct disk *d)
{
	const int e = d->last_errno;
	if (!d->dead)
		disk_done(d);
	d->last_errno = e;
}

bool disk_begin(struct disk *d, enum disk_call kind)
{
	enum disk_fault fault;
	if (before(d, kind, &fault))
		return true;
	counted(d);
	return false;
}

/* --- work, the same for both halves --- */
void disk_change(struct inode *i, uint64_t at, const void *p, size_t n)
{
	struct change *c = mem_alloc(mem_add(sizeof *c, n));
	*c = (struct change){ .at = at, .n = n };
	if (n > 0)
		memcpy(c->octets, p, n);
	*i->changes_end = c;
	i->changes_end = &c->next;
	apply(&i->live, c);
}

void disk_give_room(struct disk *d, uint64_t octets)
{
	if (d->room != UINT64_MAX)
		d->room += octets;
}

bool disk_write(struct disk *d, struct inode *i, uint64_t at, const uint8_t *p, size_t n)
{
	enum disk_fault fault;
	if (!before(d, DISK_WRITE, &fault)) {
		const bool dead = d->dead;
		if (!dead && fault != DISK_EIO && n > 1)
			disk_change(i, at, p, 1 + dice(d, n - 1));
		counted(d);
		return false;
	}
	const uint64_t grows = at + n > i->live.n ? at + n - i->live.n : 0;
	if (grows > d->room) {
		d->faults++;
		d->last_errno = ENOSPC;
		if (n - grows + d->room > 0 && at <= i->live.n)
			disk_change(i, at, p, (size_t)(n - grows + d->room));
		d->room = 0;
		counted(d);
		return false;
	}
	if (d->room != UINT64_MAX)
		d->room -= grows;
	if (n > 0)
		disk_change(i, at, p, n);
	disk_done(d);
	return true;
}

static bool is_dropped(struct disk *d)
{
	return d->drop_every > 0 && ++d->syncs % d->drop_every == 0;
}

static void be_slow(struct disk *d)
{
	if (d->env != NULL)
		d->env->now_ms += d->slow_ms;
}

/* The data of a file; its name too when it is one of those whose first sync does that. */
bool disk_sync_inode(struct disk *d, struct inode *i)
{
	be_slow(d);
	if (!disk_begin(d, DISK_SYNC)) {
		if (!d->dead) {
			scatter(d, i, MOOD_MIXED);
			drop_changes(i);
			i->diverged = true;
		}
		return false;
	}
	if (!is_dropped(d))
		settle(i);
	disk_done(d);
	return true;
}

bool disk_sync_folder(struct disk *d, const char *folder)
{
	if (!disk_begin(d, DISK_SYNC))
		return false;
	settle_folder(d, folder);
	if (strcmp(folder, d->directory) == 0)
		d->folder_is_durable = d->has_folder;
	disk_done(d);
	return true;
}

bool disk_remove(struct disk *d, const char *path, bool *was_r)
{
	if (!disk_begin(d, DISK_DELETE))
		return false;
	struct inode *i = disk_look_up(d, path);
	*was_r = i != NULL;
	if (i != NULL) {
		disk_give_room(d, i->live.n);
		disk_rename(d, path, NULL);
	}
	disk_done(d);
	return true;
}

size_t disk_read(const struct inode *i, uint64_t at, void *buf, size_t n)
{
	const size_t there = at >= i->live.n ? 0 : i->live.n - at < n ? i->live.n - at : n;
	if (there > 0)
		memcpy(buf, i->live.p + at, there);
	return there;
}

/* --- disks --- */
struct disk *disk_of(const char *directory)
{
	for (struct disk *d = disks; d != NULL; d = d->next)
		if (strcmp(d->directory, directory) == 0)
			return d;
	return NULL;
}

struct disk *disk_new(const char *directory, uint64_t seed)
{
	assert(disk_of(directory) == NULL && directory[0] == '/' && strlen(directory) < NAME_SIZE - 40);
	disk_vfs_use();
	struct disk *d = mem_zero(sizeof *d);
	snprintf(d->directory, sizeof d->directory, "%s", directory);
	d->chance = seed;
	d->room = UINT64_MAX;
	d->renamings_end = &d->renamings;
	d->next = disks;
	return disks = d;
}

void disk_free(struct disk **dp)
{
	struct disk *d = *dp, **at = &disks;
	if (d == NULL)
		return;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	disk_vfs_forget(d);
	while (d->live != NULL)
		set_name(&d->live, d->live->path, NULL);
	while (d->durable != NULL)
		set_name(&d->durable, d->durable->path, NULL);
	while (d->renamings != NULL) {
		struct renaming *r = d->renamings;
		d->renamings = r->next;
		free(r);
	}
	while (d->inodes != NULL) { /* some may be held open by processes of the simulation that were killed */
		struct inode *i = d->inodes;
		d->inodes = i->next;
		inode_free(i);
	}
	MEM_FREE(*dp);
}

void disk_restart(struct disk *d)
{
	for (struct inode *i = d->inodes; i != NULL; i = i->next)
		disk_vfs_close(i);
	d->dead = d->root_is_synced = false;
	d->die_in = 0;
	memset(d->fail_in, 0, sizeof d->fail_in);
	disk_forget_inodes(d);
}

bool disk_is_dead(const struct disk *d)
{
	return d->dead;
}

void disk_shield(struct disk *d, bool on)
{
	d->shielded = on;
}

enum disk_death disk_death_of(const struct disk *d)
{
	return d->death;
}

void disk_set_room(struct disk *d, uint64_t octets)
{
	d->room = octets;
}

void disk_set_slow(struct disk *d, int64_t ms)
{
	d->slow_ms = ms;
}

void disk_drop_syncs(struct disk *d, uint64_t every)
{
	d->drop_every = every;
}

uint64_t disk_calls(const struct disk *d, enum disk_call kind)
{
	return d->calls[kind];
}

uint64_t disk_calls_all(const struct disk *d)
{
	return d->calls_all;
}

uint64_t disk_faults(const struct disk *d)
{
	return d->faults;
}

uint64_t disk_size(const struct disk *d, const char *name)
{
	char path[NAME_SIZE];
	disk_path_of(d, name, path);
	for (const struct name *n = d->live; n != NULL; n = n->next)
		if (strcmp(n->path, path) == 0)
			return n->inode->live.n;
	return 0;
}

const char *disk_call_name(enum disk_call c)
{
	static const char *const names[DISK_CALL_KINDS] = { "open", "read", "write", "truncate", "sync", "delete", "map" };
	return names[c];
}
