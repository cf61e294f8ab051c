/* disk_testing.h - a disk in memory for tests: it fails, fills, and loses its power at any call. Tests only.
 *
 * It holds both halves of a store: SQLite's files, through a VFS that becomes the default one (it knows a disk by its
 * directory, other paths go to the VFS before it), and content files, through the file calls of an env whose directory is
 * the disk's. Each call of either is counted, and is a place for a fault.
 *
 * What it promises is what POSIX does, no more. A write lies in the cache until its file is synced; a name that was made or
 * removed, until its folder is. At a power cut each unsynced write survives whole, or in some of its sectors (512 octets),
 * or not at all, whatever became of those before it; likewise each name. A write never damages octets beside its own
 * (as SQLite assumes: SQLITE_IOCAP_POWERSAFE_OVERWRITE). A sync that fails leaves some of the unsynced sectors on the disk
 * and forgets the others: the cache shows them, but no later sync writes them. All chance comes from the seed. */
#pragma once
#include "sys/env.h"

struct disk;

/* directory: absolute, of no other disk. */
struct disk *disk_new(const char *directory, uint64_t seed);
/* No connection and no file is used any more. */
void disk_free(struct disk **d);
struct disk *disk_of(const char *directory); /* NULL: none */

/* --- trouble --- */
enum disk_call {
	DISK_OPEN, /* or create */
	DISK_READ,
	DISK_WRITE,
	DISK_TRUNCATE,
	DISK_SYNC, /* of a file or a folder */
	DISK_DELETE,
	DISK_MAP, /* more of the index of SQLite's log, which is a file on real disks */
	DISK_CALL_KINDS
};
const char *disk_call_name(enum disk_call c);

enum disk_fault {
	DISK_EIO,
	DISK_SHORT,  /* DISK_WRITE: EIO after a part was written */
	DISK_ENOSPC, /* after a part was written */
};
/* The n-th call of that kind from now fails, once; n 0: no call. */
void disk_fail_at(struct disk *d, enum disk_call kind, uint64_t n, enum disk_fault fault);

/* The process using the disk ends: every call fails until disk_restart. KILLED: the cache lives on. */
enum disk_death { DISK_KILLED, DISK_CUT_BEFORE, DISK_CUT_AFTER };
/* At the n-th call of that kind (DISK_CALL_KINDS: of any) from now, before or after its work (KILLED: before); n 0: not at all. */
void disk_die_at(struct disk *d, enum disk_call kind, uint64_t n, enum disk_death how);
void disk_die(struct disk *d, enum disk_death how); /* now */
/* While shielded nothing fails and nobody dies, and no call counts towards it. */
void disk_shield(struct disk *d, bool on);
bool disk_is_dead(const struct disk *d);
enum disk_death disk_death_of(const struct disk *d); /* how it died last */
/* Calls work again, on what was kept. Whatever the dead process had open is closed for good. */
void disk_restart(struct disk *d);

/* Files may grow by that much; UINT64_MAX: without end. What is cut off or deleted is room again. */
void disk_set_room(struct disk *d, uint64_t octets);
/* Each sync lasts so long: the clock of disk_env jumps, a content file's comes by a timer. */
void disk_set_slow(struct disk *d, int64_t ms);
/* Planted bugs, to see that a test finds them: every n-th sync (0: none) is told as done and does nothing. */
void disk_drop_syncs(struct disk *d, uint64_t every);

/* --- what happened --- */
uint64_t disk_calls(const struct disk *d, enum disk_call kind); /* since disk_new */
uint64_t disk_calls_all(const struct disk *d);
uint64_t disk_faults(const struct disk *d); /* how many calls were made to fail by disk_fail_at and for want of room */
uint64_t disk_size(const struct disk *d, const char *name); /* as the cache has it; 0: no such file */

/* --- the env's half: for the file calls of any world whose env has the disk's directory --- */
struct file *disk_file_create(struct env *env, const char *name, struct err *e);
struct file *disk_file_open(struct env *env, const char *name, struct err *e);
bool disk_file_append(struct file *f, struct view data, struct err *e);
bool disk_file_read(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
void disk_file_sync(struct file *f, file_done_f *done, void *ctx);
void disk_file_close(struct file *f);
bool disk_file_remove(struct env *env, const char *name, struct err *e);
bool disk_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx, struct err *e);

/* A world that has a disk, a clock and chance, and nothing else. */
struct env *disk_env_new(struct disk *d);
void disk_env_free(struct env **env);
/* What is due, and what has been put off; the clock jumps to the next timer when nothing is due. */
void disk_env_turn(struct env *env);
