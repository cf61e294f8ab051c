/* store_disk_test.c - SQLite on a disk that fills and fails: a VFS that stands between it and the
 * real files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/store_play.h"

#include <sqlite3.h>

/* What the disk does from now on. A write that is let through counts down `room`; at 0 the disk is
 * full. */
static struct {
	bool limited, sync_fails, write_fails;
	unsigned room, syncs;
} disk;

struct shim {
	sqlite3_file base;
	sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct shim *)(void *)f)->real;
}

static int shim_close(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);
	const int rc = real->pMethods == NULL ? SQLITE_OK : real->pMethods->xClose(real);
	sqlite3_free(real);
	return rc;
}

static int shim_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static int shim_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (disk.write_fails)
		return SQLITE_IOERR_WRITE;
	if (disk.limited && disk.room == 0)
		return SQLITE_FULL;
	if (disk.limited)
		disk.room--;
	return real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

static int shim_sync(sqlite3_file *f, int flags)
{
	disk.syncs++;
	return disk.sync_fails ? SQLITE_IOERR_FSYNC
			       : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int shim_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return real_of(f)->pMethods->xTruncate(real_of(f), n);
}
static int shim_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), n);
}
static int shim_lock(sqlite3_file *f, int l)
{
	return real_of(f)->pMethods->xLock(real_of(f), l);
}
static int shim_unlock(sqlite3_file *f, int l)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), l);
}
static int shim_reserved(sqlite3_file *f, int *r)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), r);
}
static int shim_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int shim_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int shim_traits(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int shim_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, p);
}
static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
static void shim_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int shim_unmap(sqlite3_file *f, int del)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), del);
}

static const sqlite3_io_methods shim_methods = {
	2,	     shim_close, shim_read,	shim_write,    shim_truncate, shim_sync,
	shim_size,   shim_lock,	 shim_unlock,	shim_reserved, shim_control,  shim_sector,
	shim_traits, shim_map,	 shim_shm_lock, shim_barrier,  shim_unmap,    NULL,
	NULL,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	(void)vfs;
	struct shim *s = (struct shim *)(void *)f;
	s->real = sqlite3_malloc(real_vfs->szOsFile);
	memset(s->real, 0, (size_t)real_vfs->szOsFile);
	const int rc = real_vfs->xOpen(real_vfs, name, s->real, flags, out_flags);
	s->base.pMethods = rc == SQLITE_OK ? &shim_methods : NULL;
	if (rc != SQLITE_OK)
		sqlite3_free(s->real);
	return rc;
}

static int group_setup(void **state)
{
	(void)state;
	static sqlite3_vfs shim;
	real_vfs = sqlite3_vfs_find(NULL);
	shim = *real_vfs;
	shim.zName = "shim";
	shim.szOsFile = sizeof(struct shim);
	shim.xOpen = shim_open;
	return sqlite3_vfs_register(&shim, 1);
}

static int setup(void **state)
{
	memset(&disk, 0, sizeof disk);
	struct world *w = world_new(true);
	world_open(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	memset(&disk, 0, sizeof disk);
	world_free(&w);
	return 0;
}

static void put_many(struct world *w, uint64_t seed, unsigned n)
{
	arena_reset(w->arena);
	for (unsigned i = 0; i < n; i++)
		store_put_message(w->store, put_of(w, seed + i, 1, 1, 4000));
}

/* The disk takes 0, 1, 2 ... more writes of a commit, then it is full: the group stays, is seen,
 * and is durable when there is room again. */
static void test_disk_fills_at_every_write(void **state)
{
	struct world *w = *state;
	unsigned fulls = 0;
	for (unsigned room = 0; room < 12; room++) {
		const uint64_t before = counts_of(w).messages;
		const unsigned told = w->n_durable;
		put_many(w, room * 10, 4);
		disk.limited = true;
		disk.room = room;
		store_commit(w->store);
		const bool was_full = w->full;
		fulls += was_full;
		disk.limited = false;
		assert_int_equal(w->n_failed, 0);
		assert_int_equal(w->n_durable, was_full ? told : told + 1);
		assert_int_equal(counts_of(w).messages, before + 4);
		if (!was_full)
			continue;
		assert_int_equal(w->why.kind, ERR_TEMP);
		struct store_place place = {0};
		struct store_queued rows[64];
		size_t listed = 0;
		for (int p = 0; p < PRIORITY_COUNT; p++, place = (struct store_place){0})
			listed += store_queue_next(w->store, VIEW("q0"), (enum priority)p, 100,
						   &place, rows, 64);
		assert_int_equal(listed, before + 4);
		store_commit(w->store);
		assert_int_equal(w->n_durable, told + 1);
		assert_false(w->full);
	}
	assert_true(fulls >= 5);
	const uint64_t all = counts_of(w).messages;
	world_reopen(w);
	assert_int_equal(counts_of(w).messages, all);
	store_close(&w->store);
	check_whole(w);
}

/* A failed sync is never tried again: nobody knows what the disk has. The next process knows, from
 * what it finds. */
static void test_failed_sync_ends_the_store(void **state)
{
	struct world *w = *state;
	put_many(w, 1, 3);
	world_commit(w);
	put_many(w, 10, 3);
	disk.sync_fails = true;
	store_commit(w->store);
	assert_int_equal(w->n_failed, 1);
	assert_int_equal(w->why.kind, ERR_LOCAL);
	const unsigned syncs = disk.syncs;
	put_many(w, 20, 3);
	store_commit(w->store);
	assert_int_equal(disk.syncs, syncs);
	assert_int_equal(w->n_durable, 1);
	disk.sync_fails = false;
	world_reopen(w);
	const uint64_t n = counts_of(w).messages;
	assert_true(n == 3 || n == 6); /* whole or not at all */
	store_close(&w->store);
	check_whole(w);
}

static void test_failed_write_ends_the_store(void **state)
{
	struct world *w = *state;
	put_many(w, 1, 3);
	world_commit(w);
	put_many(w, 10, 3);
	disk.write_fails = true;
	store_commit(w->store);
	assert_int_equal(w->n_failed, 1);
	assert_int_equal(w->why.kind, ERR_LOCAL);
	disk.write_fails = false;
	world_reopen(w);
	assert_int_equal(counts_of(w).messages, 3);
	store_close(&w->store);
	check_whole(w);
}

/* Every commit is synced: that is what durable means. */
static void test_each_commit_is_synced(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 5; i++) {
		put_many(w, i, 1);
		const unsigned before = disk.syncs;
		world_commit(w);
		assert_true(disk.syncs > before);
	}
}

/* The log is copied back and used again: it does not grow without end while messages come and go.
 */
static void test_log_stays_small(void **state)
{
	struct world *w = *state;
	struct stat st;
	char path[128];
	uint64_t waiting[20] = {0};
	for (unsigned group = 0; group < 900; group++) {
		arena_reset(w->arena);
		for (unsigned i = 0; i < 20; i++) {
			store_transfer_done(w->store, waiting[i]);
			struct store_message *put = put_of(w, i, 1, 1, 4000);
			store_put_message(w->store, put);
			waiting[i] = put->transfers[0].id_r;
		}
		world_commit(w);
		env_run_timers(w->env);
	}
	snprintf(path, sizeof path, "%s-wal", w->path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 0 && st.st_size < 60 << 20);
	assert_int_equal(stat(w->path, &st), 0);
	assert_true(st.st_size < 8 << 20);
	store_close(&w->store);
	check_whole(w);
}

static void arrive(struct world *w, uint64_t i)
{
	char local[32];
	const int n = snprintf(local, sizeof local, "id-%llu", (unsigned long long)i);
	const struct mts_id id = { .domain.country = { ORA_PRINTABLE, VIEW("AQ") },
				   .local = view_of(local, (size_t)n) };
	const struct store_step step = { .kind = STEP_TRANSFER_IN, .id = &id, .digest = { i, i } };
	store_put_step(w->store, &step);
}

static bool arrived(struct world *w, uint64_t i)
{
	char local[32];
	const int n = snprintf(local, sizeof local, "id-%llu", (unsigned long long)i);
	const struct mts_id id = { .domain.country = { ORA_PRINTABLE, VIEW("AQ") },
				   .local = view_of(local, (size_t)n) };
	return store_seen(w->store, &id, (uint64_t[]){ i, i });
}

/* Steps of more than two periods of the index: known, known after opening again, forgotten from the oldest on. */
static void test_steps_of_several_periods(void **state)
{
	struct world *w = *state;
	enum { N = (2 << 16) + 3000, EVERY = 101 };
	for (uint64_t i = 0; i < N; i++) {
		arrive(w, i);
		if (i % 3000 == 2999)
			world_commit(w);
	}
	for (unsigned stage = 0; stage < 2; stage++) {
		for (uint64_t i = 0; i < N; i += EVERY) {
			assert_int_equal(arrived(w, i), stage == 0 || i < N / 3000 * 3000);
			assert_false(arrived(w, i + N));
		}
		world_reopen(w);
	}
	store_close(&w->store);
	check_whole(w);
	damage(w, "update step set at = 1 where seq <= 70000");
	world_open(w);
	unsigned calls = 0;
	while (store_forget_steps(w->store, 1000, 0, &(wall_ms_t){0})) {
		world_commit(w);
		assert_true(++calls < 200);
	}
	world_commit(w);
	for (unsigned stage = 0; stage < 2; stage++) {
		for (uint64_t i = 0; i < N / 3000 * 3000; i += EVERY)
			assert_int_equal(arrived(w, i), i >= 70000); /* step seq is i + 1 */
		world_reopen(w);
	}
	store_close(&w->store);
	check_whole(w);
}

static void test_other_databases_and_versions_are_refused(void **state)
{
	struct world *w = *state;
	store_close(&w->store);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "pragma user_version = 77", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_null(world_try_open(w));
	assert_int_equal(w->why.kind, ERR_LOCAL);
	assert_non_null(strstr(w->why.text, "version 77"));
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "pragma application_id = 5", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_null(world_try_open(w));
	assert_non_null(strstr(w->why.text, "not a store of ours"));
	FILE *f = fopen(w->path, "w");
	assert_true(fputs("this is a letter, no database; long enough to be looked at as one, "
			  "which needs some hundred octets or so",
			  f) > 0);
	fclose(f);
	assert_null(world_try_open(w));
	assert_int_equal(w->why.kind, ERR_LOCAL);
}

static void test_unwritable_place_is_refused(void **state)
{
	struct world *w = *state;
	store_close(&w->store);
	const struct store_config c = {"no/such/folder/store.db", TEST_INLINE_MAX, 1 << 20};
	assert_null(store_open_sqlite(w->env, &c, &world_events, w, &w->why));
	assert_int_equal(w->why.kind, ERR_LOCAL);
	assert_non_null(strstr(w->why.text, "no/such/folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_disk_fills_at_every_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_sync_ends_the_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_write_ends_the_store, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_commit_is_synced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_stays_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps_of_several_periods, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_databases_and_versions_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwritable_place_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests_name("store on a bad disk", tests, group_setup, NULL);
}
