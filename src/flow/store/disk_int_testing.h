/* disk_int_testing.h - what the parts of the simulated disk share. Tests only; see disk_testing.h. */
#pragma once
#include "flow/store/disk_testing.h"

enum { NAME_SIZE = 160 };

struct octets {
	uint8_t *p;
	size_t n, cap;
};

/* Not synced yet. A write has octets; without, the file's size became `at`. */
struct change {
	struct change *next;
	uint64_t at;
	size_t n;
	uint8_t octets[];
};

struct region { /* of the shared index */
	struct region *next;
	void *p;
};

struct inode {
	struct inode *next;
	struct octets live, durable;
	struct change *changes, **changes_end;
	bool diverged;    /* a failed sync has forgotten something: live is more than durable and changes */
	bool syncs_name;  /* its first sync syncs its folder: SQLite's logs and journals */
	char folder[NAME_SIZE];
	struct handle *handles;
	unsigned n_files; /* of an env */
	struct region *regions;
};

struct name {
	struct name *next;
	struct inode *inode;
	char path[NAME_SIZE];
};

/* A name made (inode set) or removed, and its folder not synced yet. */
struct renaming {
	struct renaming *next;
	struct inode *inode;
	char path[NAME_SIZE];
};

struct disk {
	struct disk *next;
	char directory[NAME_SIZE];
	uint64_t chance;
	struct inode *inodes;
	struct name *live, *durable;
	struct renaming *renamings, **renamings_end;
	bool has_folder, folder_is_durable, root_is_synced; /* content/; the last: by this process */
	uint64_t calls[DISK_CALL_KINDS], calls_all, faults, room;
	uint64_t fail_in[DISK_CALL_KINDS], die_in, syncs, drop_every;
	enum disk_fault fault[DISK_CALL_KINDS];
	enum disk_death death;
	enum disk_call die_kind, now; /* now: the call under way */
	bool dead, shielded;
	int64_t slow_ms;
	int last_errno;
	struct env *env; /* of disk_env_new: a slow sync moves its clock */
};

/* --- disk_testing.c --- */
/* The folder of a path. */
void disk_folder_of(const char *path, char folder[NAME_SIZE]);
/* The path of a name below the disk's directory. */
void disk_path_of(const struct disk *d, const char *name, char path[NAME_SIZE]);
struct inode *disk_inode_new(struct disk *d, const char *path);
/* NULL: no such file. */
struct inode *disk_look_up(struct disk *d, const char *path);
/* inode NULL: the name goes. */
void disk_rename(struct disk *d, const char *path, struct inode *inode);
/* Those that nothing refers to any more. */
void disk_forget_inodes(struct disk *d);
/* Every call that may fail begins here. True: it is to be done, and disk_done follows; false: it fails, d->last_errno says how. */
bool disk_begin(struct disk *d, enum disk_call kind);
void disk_done(struct disk *d);
/* p NULL: the size becomes at. */
void disk_change(struct inode *i, uint64_t at, const void *p, size_t n);
void disk_give_room(struct disk *d, uint64_t octets);
/* These are whole calls, from beginning to end; false: failed. */
bool disk_write(struct disk *d, struct inode *i, uint64_t at, const uint8_t *p, size_t n);
bool disk_sync_inode(struct disk *d, struct inode *i);
bool disk_sync_folder(struct disk *d, const char *folder);
bool disk_remove(struct disk *d, const char *path, bool *was_r);
/* What the cache has; returns how much. No call of its own. */
size_t disk_read(const struct inode *i, uint64_t at, void *buf, size_t n);

/* --- disk_vfs_testing.c --- */
/* Makes the file system known to SQLite, once. */
void disk_vfs_use(void);
/* What a dead process had open of a file, and its share of the index. */
void disk_vfs_close(struct inode *i);
void disk_vfs_forget(const struct disk *d);
