/* disk_vfs_testing.c - the simulated disk as SQLite sees it. */
#include "flow/store/disk_int_testing.h"

#include "base/mem.h"

#include <errno.h>
#include <sqlite3.h>

/* An open file of SQLite. */
struct handle {
	sqlite3_file base; /* first */
	struct disk *d;
	struct inode *inode; /* NULL: its process is dead */
	struct handle *next;
	int lock;
	uint16_t shared, exclusive; /* slots of the index that it holds */
	bool mapped, deletes;
	char path[NAME_SIZE];
};

static sqlite3_vfs vfs, *vfs_before;
static struct disk *last_used; /* SQLite asks for the last error without saying of what */

/* --- files --- */
static struct handle *handle_of(sqlite3_file *f)
{
	struct handle *h = (struct handle *)(void *)f;
	last_used = h->d;
	return h;
}

static void let_go(struct handle *h)
{
	struct handle **at = &h->inode->handles;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	h->inode = NULL;
}

static int on_close(sqlite3_file *f)
{
	struct handle *h = handle_of(f);
	if (h->inode == NULL)
		return SQLITE_OK;
	let_go(h);
	bool was;
	if (h->deletes && !disk_remove(h->d, h->path, &was))
		return SQLITE_IOERR_DELETE;
	disk_forget_inodes(h->d);
	return SQLITE_OK;
}

static int on_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	struct handle *h = handle_of(f);
	if (h->inode == NULL || !disk_begin(h->d, DISK_READ))
		return SQLITE_IOERR_READ;
	const size_t got = disk_read(h->inode, (uint64_t)at, p, (size_t)n);
	memset((uint8_t *)p + got, 0, (size_t)n - got);
	disk_done(h->d);
	return got == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct handle *h = handle_of(f);
	if (h->inode != NULL && disk_write(h->d, h->inode, (uint64_t)at, p, (size_t)n))
		return SQLITE_OK;
	return h->d->last_errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	struct handle *h = handle_of(f);
	if (h->inode == NULL || !disk_begin(h->d, DISK_TRUNCATE))
		return SQLITE_IOERR_TRUNCATE;
	if ((uint64_t)n < h->inode->live.n)
		disk_give_room(h->d, h->inode->live.n - (uint64_t)n);
	disk_change(h->inode, (uint64_t)n, NULL, 0);
	disk_done(h->d);
	return SQLITE_OK;
}

static int on_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	struct handle *h = handle_of(f);
	if (h->inode == NULL || !disk_sync_inode(h->d, h->inode))
		return SQLITE_IOERR_FSYNC;
	if (h->inode->syncs_name && !disk_sync_folder(h->d, h->inode->folder))
		return SQLITE_IOERR_DIR_FSYNC;
	h->inode->syncs_name = false;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *n_r)
{
	struct handle *h = handle_of(f);
	if (h->inode == NULL || h->d->dead)
		return SQLITE_IOERR_FSTAT;
	*n_r = (sqlite3_int64)h->inode->live.n;
	return SQLITE_OK;
}

/* What the others hold at most. */
static int held_by_others(const struct handle *h)
{
	int most = SQLITE_LOCK_NONE;
	for (const struct handle *o = h->inode->handles; o != NULL; o = o->next)
		if (o != h && o->lock > most)
			most = o->lock;
	return most;
}

static int on_lock(sqlite3_file *f, int level)
{
	struct handle *h = handle_of(f);
	if (h->inode == NULL || h->d->dead)
		return SQLITE_IOERR_LOCK;
	if (h->lock >= level)
		return SQLITE_OK;
	const int others = held_by_others(h);
	if ((level == SQLITE_LOCK_SHARED && others >= SQLITE_LOCK_PENDING) ||
	    (level == SQLITE_LOCK_RESERVED && others >= SQLITE_LOCK_RESERVED) ||
	    (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_RESERVED))
		return SQLITE_BUSY;
	if (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
		h->lock = SQLITE_LOCK_PENDING;
		return SQLITE_BUSY;
	}
	h->lock = level;
	return SQLITE_OK;
}

static int on_unlock(sqlite3_file *f, int level)
{
	struct handle *h = handle_of(f);
	if (h->lock > level)
		h->lock = level;
	return SQLITE_OK;
}

static int on_reserved(sqlite3_file *f, int *is_r)
{
	const struct handle *h = handle_of(f);
	*is_r = h->inode != NULL && (h->lock >= SQLITE_LOCK_RESERVED || held_by_others(h) >= SQLITE_LOCK_RESERVED);
	return SQLITE_OK;
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int on_sector(sqlite3_file *f)
{
	(void)f;
	return 4096; /* as SQLite's own takes it to be */
}

static int on_traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* --- the shared index of the log --- */
static void drop_regions(struct inode *i)
{
	while (i->regions != NULL) {
		struct region *r = i->regions;
		i->regions = r->next;
		free(r->p);
		free(r);
	}
}

static int on_map(sqlite3_file *f, int page, int size, int extend, void volatile **p_r)
{
	struct handle *h = handle_of(f);
	*p_r = NULL;
	if (h->inode == NULL || h->d->dead)
		return SQLITE_IOERR_SHMMAP;
	h->mapped = true;
	struct region **at = &h->inode->regions;
	for (int i = 0; *at != NULL && i < page; i++)
		at = &(*at)->next;
	if (*at == NULL && !extend)
		return SQLITE_OK;
	if (*at == NULL) {
		if (!disk_begin(h->d, DISK_MAP))
			return h->d->last_errno == ENOSPC ? SQLITE_IOERR_SHMSIZE : SQLITE_IOERR_SHMMAP;
		*at = mem_zero(sizeof **at);
		(*at)->p = mem_zero((size_t)size);
		disk_done(h->d);
	}
	*p_r = (*at)->p;
	return SQLITE_OK;
}

static int on_map_lock(sqlite3_file *f, int at, int n, int flags)
{
	struct handle *h = handle_of(f);
	const uint16_t slots = (uint16_t)(((1u << n) - 1) << at);
	if (h->inode == NULL)
		return SQLITE_IOERR_SHMLOCK;
	if (flags & SQLITE_SHM_UNLOCK) {
		h->shared &= (uint16_t)~slots;
		h->exclusive &= (uint16_t)~slots;
		return SQLITE_OK;
	}
	for (const struct handle *o = h->inode->handles; o != NULL; o = o->next)
		if (o != h && ((o->exclusive & slots) || ((flags & SQLITE_SHM_EXCLUSIVE) && (o->shared & slots))))
			return SQLITE_BUSY;
	if (flags & SQLITE_SHM_EXCLUSIVE)
		h->exclusive |= slots;
	else
		h->shared |= slots;
	return SQLITE_OK;
}

static void on_barrier(sqlite3_file *f)
{
	(void)f;
}

static int on_unmap(sqlite3_file *f, int deletes)
{
	(void)deletes;
	struct handle *h = handle_of(f);
	h->mapped = false;
	h->shared = h->exclusive = 0;
	if (h->inode == NULL)
		return SQLITE_OK;
	for (const struct handle *o = h->inode->handles; o != NULL; o = o->next)
		if (o->mapped)
			return SQLITE_OK;
	drop_regions(h->inode);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector,
	.xDeviceCharacteristics = on_traits,
	.xShmMap = on_map,
	.xShmLock = on_map_lock,
	.xShmBarrier = on_barrier,
	.xShmUnmap = on_unmap,
};

void disk_vfs_close(struct inode *i)
{
	while (i->handles != NULL)
		let_go(i->handles);
	drop_regions(i);
}

/* --- the file system --- */
static struct disk *disk_with(const char *path)
{
	char folder[NAME_SIZE];
	if (path == NULL || *path != '/' || strlen(path) >= NAME_SIZE)
		return NULL;
	disk_folder_of(path, folder);
	return last_used = disk_of(folder);
}

static struct inode *open_inode(struct disk *d, const char *path, int flags)
{
	struct inode *i = disk_look_up(d, path);
	if (i != NULL)
		return (flags & SQLITE_OPEN_EXCLUSIVE) && (flags & SQLITE_OPEN_CREATE) ? NULL : i;
	if (!(flags & SQLITE_OPEN_CREATE)) {
		d->last_errno = ENOENT;
		return NULL;
	}
	i = disk_inode_new(d, path);
	i->syncs_name = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
	disk_rename(d, path, i);
	return i;
}

static int fs_open(sqlite3_vfs *v, const char *path, sqlite3_file *f, int flags, int *flags_r)
{
	(void)v;
	struct disk *d = disk_with(path);
	if (d == NULL)
		return vfs_before->xOpen(vfs_before, path, f, flags, flags_r);
	struct handle *h = (struct handle *)(void *)f;
	*h = (struct handle){ .d = d };
	if (!disk_begin(d, DISK_OPEN))
		return SQLITE_CANTOPEN;
	struct inode *i = open_inode(d, path, flags);
	if (i != NULL) {
		h->base.pMethods = &methods;
		h->inode = i;
		h->deletes = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
		snprintf(h->path, sizeof h->path, "%s", path);
		h->next = i->handles;
		i->handles = h;
		if (flags_r != NULL)
			*flags_r = flags;
	}
	const int why = d->last_errno;
	disk_done(d);
	d->last_errno = i == NULL ? why : 0;
	return i != NULL ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int fs_delete(sqlite3_vfs *v, const char *path, int syncs)
{
	(void)v;
	struct disk *d = disk_with(path);
	bool was;
	if (d == NULL)
		return vfs_before->xDelete(vfs_before, path, syncs);
	if (!disk_remove(d, path, &was))
		return SQLITE_IOERR_DELETE;
	if (!was)
		return SQLITE_IOERR_DELETE_NOENT;
	if (syncs && !disk_sync_folder(d, d->directory))
		return SQLITE_IOERR_DIR_FSYNC;
	disk_forget_inodes(d);
	return SQLITE_OK;
}

static int fs_access(sqlite3_vfs *v, const char *path, int flags, int *is_r)
{
	(void)v;
	struct disk *d = disk_with(path);
	if (d == NULL)
		return vfs_before->xAccess(vfs_before, path, flags, is_r);
	if (d->dead)
		return SQLITE_IOERR_ACCESS;
	const struct inode *i = disk_look_up(d, path);
	*is_r = i != NULL && (flags != SQLITE_ACCESS_EXISTS || i->live.n > 0); /* as SQLite's own: an empty file is none */
	return SQLITE_OK;
}

static int fs_full_path(sqlite3_vfs *v, const char *path, int n, char *out)
{
	(void)v;
	if (disk_with(path) == NULL)
		return vfs_before->xFullPathname(vfs_before, path, n, out);
	snprintf(out, (size_t)n, "%s", path);
	return SQLITE_OK;
}

/* Always the same, so that a seed plays the same: the marks of SQLite's log are random numbers. */
static int fs_randomness(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	for (int i = 0; i < n; i++)
		out[i] = (char)(i * 37 + 11);
	return n;
}

static int fs_last_error(sqlite3_vfs *v, int n, char *out)
{
	(void)v;
	const int last = last_used == NULL ? 0 : last_used->last_errno;
	return last != 0 ? last : vfs_before->xGetLastError(vfs_before, n, out);
}

void disk_vfs_forget(const struct disk *d)
{
	if (last_used == d)
		last_used = NULL;
}

void disk_vfs_use(void)
{
	sqlite3_randomness(0, NULL);
	if (vfs_before != NULL)
		return;
	vfs_before = sqlite3_vfs_find(NULL);
	vfs = *vfs_before;
	vfs.zName = "disk_testing";
	vfs.pNext = NULL;
	if (vfs.szOsFile < (int)sizeof(struct handle))
		vfs.szOsFile = (int)sizeof(struct handle);
	vfs.xOpen = fs_open;
	vfs.xDelete = fs_delete;
	vfs.xAccess = fs_access;
	vfs.xFullPathname = fs_full_path;
	vfs.xRandomness = fs_randomness;
	vfs.xGetLastError = fs_last_error;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		CANT_HAPPEN("SQLite takes no file system");
}
