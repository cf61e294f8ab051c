/* store_partial_test.c - partial transfers, asked of every store; and of SQLite on a disk that loses its power. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/disk_testing.h"
#include "flow/store/read.h"
#include "flow/store/store_play.h"

enum { SEEN = 600, PIECE = 700 };

struct bed {
	struct world *w;
	struct disk *disk;
	uint32_t serials[SEEN];
	uint64_t octets[SEEN];
	unsigned n, n_failed;
	struct store_partial **closes; /* by whom it is told */
	struct store_partial_row rows[8];
	char links[8][64];
	size_t n_rows;
};

static struct bed *bed_new(bool sqlite, uint64_t seed)
{
	struct bed *b = mem_zero(sizeof *b);
	char directory[40];
	snprintf(directory, sizeof directory, "/disk-%p", (void *)b);
	b->disk = disk_new(directory, seed);
	b->w = mem_zero(sizeof *b->w);
	b->w->sqlite = sqlite;
	b->w->env = disk_env_new(b->disk);
	b->w->turn = disk_env_turn;
	b->w->disk = store_disk_new();
	b->w->arena = arena_new(TEST_ARENA);
	snprintf(b->w->path, sizeof b->w->path, "%s/store.db", directory);
	world_open(b->w);
	return b;
}

static void bed_free(struct bed **bp)
{
	struct bed *b = *bp;
	assert_true(fault_plan(NULL, NULL));
	store_close(&b->w->store);
	for (unsigned i = 0; i < 10; i++)
		disk_env_turn(b->w->env); /* syncs that have outlived it */
	store_disk_free(&b->w->disk);
	arena_free(&b->w->arena);
	disk_env_free(&b->w->env);
	disk_free(&b->disk);
	MEM_FREE(b->w);
	MEM_FREE(*bp);
}

static int setup(void **state)
{
	*state = bed_new(*state != NULL, 7);
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	bed_free(&b);
	return 0;
}

static struct store_partial_name name_of(uint64_t activity)
{
	return (struct store_partial_name){VIEW("PARIS"), VIEW("192.0.2.1"), VIEW("user, common, 7"), activity};
}

static void on_synced(void *ctx, uint32_t serial, uint64_t octets, const struct err *failed)
{
	struct bed *b = ctx;
	b->n_failed += failed != NULL;
	assert_true(b->n < SEEN);
	b->octets[b->n] = octets;
	b->serials[b->n++] = serial;
	if (b->closes != NULL)
		store_partial_close(b->closes);
}

/* Octets from..to of the transfer `seed`. */
static void append(struct bed *b, struct store_partial *p, uint64_t seed, uint64_t to)
{
	uint8_t buf[PIECE];
	while (store_partial_octets(p) < to) {
		const uint64_t at = store_partial_octets(p);
		const size_t n = to - at < PIECE ? (size_t)(to - at) : PIECE;
		for (size_t i = 0; i < n; i++)
			buf[i] = content_octet(seed, at + i);
		if (!store_partial_append(p, view_of(buf, n), &b->w->why))
			fail_msg("%s", b->w->why.text);
	}
}

static void turns(struct bed *b)
{
	for (unsigned i = 0; i < 6; i++)
		disk_env_turn(b->w->env);
}

/* A checkpoint after so many octets, durable. */
static void checkpoint(struct bed *b, struct store_partial *p, uint64_t seed, uint32_t serial, uint64_t octets)
{
	const unsigned before = b->n;
	append(b, p, seed, octets);
	store_partial_sync(p, serial, on_synced, b);
	assert_int_equal(b->n, before);
	turns(b);
	assert_int_equal(b->n, before + 1);
	assert_int_equal(b->serials[before], serial);
	assert_int_equal(b->octets[before], octets);
	world_commit(b->w);
}

static struct store_partial *begin(struct bed *b, uint64_t activity)
{
	const struct store_partial_name name = name_of(activity);
	struct store_partial *p = store_partial_new(b->w->store, &name, &b->w->why);
	if (p == NULL)
		fail_msg("%s", b->w->why.text);
	return p;
}

static struct store_partial *resume(struct bed *b, uint64_t id, uint32_t serial, uint64_t octets)
{
	struct store_partial *p = store_partial_resume(b->w->store, id, serial, &b->w->why);
	if (p == NULL)
		fail_msg("%s", b->w->why.text);
	assert_int_equal(store_partial_octets(p), octets);
	return p;
}

static void holds(struct bed *b, struct store_partial *p, uint64_t seed, uint64_t n)
{
	uint8_t buf[999];
	size_t got = 0;
	assert_int_equal(store_partial_octets(p), n);
	for (uint64_t at = 0; at < n; at += got) {
		if (!store_partial_read(p, at, buf, sizeof buf, &got, &b->w->why))
			fail_msg("%s", b->w->why.text);
		assert_int_equal(got, n - at < sizeof buf ? n - at : sizeof buf);
		for (size_t i = 0; i < got; i++)
			assert_int_equal(buf[i], content_octet(seed, at + i));
	}
	assert_true(store_partial_read(p, n, buf, sizeof buf, &got, NULL));
	assert_int_equal(got, 0);
}

static void on_row(void *ctx, const struct store_partial_row *row)
{
	struct bed *b = ctx;
	assert_true(b->n_rows < ARRAY_LEN(b->rows));
	assert_true(view_eq(row->name.host, VIEW("192.0.2.1")));
	assert_true(row->started > 0);
	snprintf(b->links[b->n_rows], sizeof b->links[0], "%.*s/%.*s", (int)row->name.link.n, (const char *)row->name.link.p,
		 (int)row->name.reference.n, (const char *)row->name.reference.p);
	b->rows[b->n_rows++] = *row;
}

static size_t list(struct bed *b)
{
	b->n_rows = 0;
	store_partials(b->w->store, on_row, b);
	struct store_counts c = counts_of(b->w);
	assert_int_equal(c.partials, b->n_rows);
	return b->n_rows;
}

static void reopen(struct bed *b)
{
	world_reopen(b->w);
}

static void whole(struct bed *b)
{
	store_close(&b->w->store);
	if (b->w->sqlite)
		check_whole(b->w);
	world_open(b->w);
}

/* --- one transfer --- */
static void test_checkpoints_are_found_again(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	const uint64_t id = store_partial_id(p);
	assert_int_equal(list(b), 0);
	checkpoint(b, p, 1, 1, 1000);
	checkpoint(b, p, 1, 2, 9000);
	append(b, p, 1, 9500); /* no checkpoint: not kept */
	holds(b, p, 1, 9500);
	store_partial_close(&p);
	for (unsigned stage = 0; stage < 2; stage++) {
		assert_int_equal(list(b), 1);
		assert_int_equal(b->rows[0].id, id);
		assert_int_equal(b->rows[0].serial, 2);
		assert_int_equal(b->rows[0].octets, 9000);
		assert_int_equal(b->rows[0].name.activity, 5);
		assert_string_equal(b->links[0], "PARIS/user, common, 7");
		p = resume(b, id, stage == 0 ? 2 : 0, 9000);
		holds(b, p, 1, 9000);
		store_partial_close(&p);
		reopen(b);
	}
	whole(b);
}

static void test_what_has_no_checkpoint_is_gone(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	const uint64_t id = store_partial_id(p);
	append(b, p, 1, 3000);
	store_partial_sync(p, 1, on_synced, b); /* under way */
	store_partial_close(&p);
	turns(b);
	assert_int_equal(b->n, 0); /* not told any more */
	assert_null(store_partial_resume(b->w->store, id, 0, &b->w->why));
	assert_int_equal(b->w->why.kind, ERR_PERM);
	reopen(b);
	assert_int_equal(list(b), 0);
	whole(b);
}

static void test_checkpoints_of_a_lost_group_are_not_there(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	const uint64_t id = store_partial_id(p);
	checkpoint(b, p, 1, 1, 1000);
	append(b, p, 1, 2000);
	store_partial_sync(p, 2, on_synced, b);
	turns(b);
	assert_int_equal(b->n, 2);
	assert_true(store_has_group(b->w->store));
	store_partial_close(&p);
	reopen(b);
	assert_int_equal(list(b), 1);
	p = resume(b, id, 0, 1000);
	holds(b, p, 1, 1000);
	store_partial_close(&p);
	whole(b);
}

/* Nothing that was there goes before the next checkpoint is durable. */
static void test_going_on_from_an_earlier_checkpoint(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	const uint64_t id = store_partial_id(p);
	for (uint32_t i = 1; i <= 4; i++)
		checkpoint(b, p, 1, i, i * 2000);
	store_partial_close(&p);
	p = resume(b, id, 2, 4000);
	append(b, p, 2, 7000); /* other octets than the first time */
	store_partial_close(&p);
	reopen(b);
	p = resume(b, id, 0, 8000);
	holds(b, p, 1, 8000);
	store_partial_close(&p);
	p = resume(b, id, 2, 4000);
	checkpoint(b, p, 1, 3, 5000);
	checkpoint(b, p, 1, 7, 9000);
	holds(b, p, 1, 9000);
	store_partial_close(&p);
	whole(b);
	assert_null(store_partial_resume(b->w->store, id, 4, &b->w->why));
	p = resume(b, id, 3, 5000);
	checkpoint(b, p, 1, 9, 12000); /* a third file */
	store_partial_close(&p);
	p = resume(b, id, 1, 2000); /* in the first: the other two go with the next */
	checkpoint(b, p, 1, 2, 2500);
	store_partial_close(&p);
	assert_int_equal(list(b), 1);
	assert_int_equal(b->rows[0].serial, 2);
	p = resume(b, id, 0, 2500);
	holds(b, p, 1, 2500);
	store_partial_close(&p);
	whole(b);
}

static void test_one_sync_covers_all_that_were_asked_for(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	disk_set_slow(b->disk, 50);
	const uint64_t syncs = disk_calls(b->disk, DISK_SYNC);
	for (uint32_t i = 1; i <= 20; i++) {
		append(b, p, 1, i * 100);
		store_partial_sync(p, i, on_synced, b);
	}
	while (b->n < 20)
		disk_env_turn(b->w->env);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(b->serials[i], i + 1);
		assert_int_equal(b->octets[i], (i + 1) * 100);
	}
	if (b->w->sqlite) /* the first with the file's name; then one for nineteen */
		assert_int_equal(disk_calls(b->disk, DISK_SYNC) - syncs, 3);
	disk_set_slow(b->disk, 0);
	world_commit(b->w);
	const uint64_t id = store_partial_id(p);
	store_partial_close(&p);
	p = resume(b, id, 7, 700);
	holds(b, p, 1, 700);
	store_partial_close(&p);
	whole(b);
}

static void test_old_checkpoints_are_forgotten(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	const uint64_t id = store_partial_id(p);
	for (uint32_t i = 1; i <= 300; i++)
		checkpoint(b, p, 1, i, i * 10);
	store_partial_close(&p);
	assert_null(store_partial_resume(b->w->store, id, 44, &b->w->why));
	p = resume(b, id, 45, 450); /* 256 are left */
	holds(b, p, 1, 450);
	store_partial_close(&p);
	whole(b);
}

static void test_it_goes_octets_and_all(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5), *other = begin(b, 6);
	const uint64_t id = store_partial_id(p);
	checkpoint(b, other, 2, 1, 500);
	checkpoint(b, p, 1, 1, 1000);
	store_partial_close(&p);
	p = resume(b, id, 0, 1000);
	checkpoint(b, p, 1, 2, 3000);
	store_partial_close(&p);
	assert_int_equal(list(b), 2);
	assert_true(b->rows[0].id < b->rows[1].id);
	store_partial_remove(b->w->store, id);
	store_partial_remove(b->w->store, UINT64_MAX >> 2); /* no such: nothing */
	assert_int_equal(list(b), 1);
	world_commit(b->w);
	store_partial_remove(b->w->store, id);
	assert_false(store_has_group(b->w->store));
	assert_null(store_partial_resume(b->w->store, id, 0, NULL));
	if (b->w->sqlite) {
		char file[64];
		snprintf(file, sizeof file, "content/%016llx", (unsigned long long)id);
		assert_int_equal(disk_size(b->disk, file), 0);
	}
	holds(b, other, 2, 500);
	store_partial_close(&other);
	whole(b);
	assert_int_equal(list(b), 1);
}

/* --- what fails --- */
static void test_a_failed_sync_loses_nothing_that_was_durable(void **state)
{
	struct bed *b = *state;
	for (unsigned round = 0; round < 2; round++) {
		struct store_partial *p = begin(b, round);
		const uint64_t id = store_partial_id(p);
		checkpoint(b, p, 1, 1, 1000);
		append(b, p, 1, 2000);
		if (round == 0)
			assert_true(fault_plan("STORE_PARTIAL:1:fail", NULL));
		else if (b->w->sqlite)
			disk_fail_at(b->disk, DISK_SYNC, 1, DISK_EIO);
		else
			assert_true(fault_plan("CONTENT_SYNC:1:fail", NULL));
		b->n = b->n_failed = 0;
		store_partial_sync(p, 2, on_synced, b);
		store_partial_sync(p, 3, on_synced, b);
		turns(b);
		assert_int_equal(b->n, 2);
		assert_int_equal(b->n_failed, 2);
		assert_true(fault_plan(NULL, NULL));
		assert_false(store_partial_append(p, VIEW("x"), NULL));
		store_partial_sync(p, 4, on_synced, b); /* told, and not from inside */
		assert_int_equal(b->n, 2);
		turns(b);
		assert_int_equal(b->n_failed, 3);
		store_partial_close(&p);
		p = resume(b, id, 0, 1000);
		holds(b, p, 1, 1000);
		store_partial_close(&p);
	}
	assert_int_equal(b->w->n_failed, 0);
	whole(b);
}

static void test_a_full_disk_takes_no_octets(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	assert_true(fault_plan("CONTENT_WRITE:1:fail", NULL));
	assert_false(store_partial_append(p, VIEW("x"), &b->w->why));
	assert_int_equal(b->w->why.kind, ERR_TEMP);
	assert_true(fault_plan(NULL, NULL));
	assert_false(store_partial_append(p, VIEW("x"), NULL));
	store_partial_close(&p);
	assert_true(fault_plan("CONTENT_OPEN:1:fail", NULL));
	const struct store_partial_name name = name_of(1);
	assert_null(store_partial_new(b->w->store, &name, &b->w->why));
	assert_int_equal(b->w->why.kind, ERR_TEMP);
	assert_true(fault_plan(NULL, NULL));
	whole(b);
}

static void test_it_may_be_closed_by_whom_it_tells(void **state)
{
	struct bed *b = *state;
	struct store_partial *p = begin(b, 5);
	const uint64_t id = store_partial_id(p);
	append(b, p, 1, 100);
	store_partial_sync(p, 1, on_synced, b);
	store_partial_sync(p, 2, on_synced, b);
	append(b, p, 1, 200);
	b->closes = &p;
	turns(b);
	assert_null(p);
	assert_int_equal(b->n, 1);
	world_commit(b->w);
	p = resume(b, id, 1, 100);
	holds(b, p, 1, 100);
	store_partial_close(&p);
	whole(b);
}

static void test_where_a_transfer_has_been(void **state)
{
	struct bed *b = *state;
	struct store_message *put = put_simple(b->w, 1);
	const uint64_t id = put->transfers[0].id_r;
	struct store_loaded l;
	static const struct view tried[] = {{(const uint8_t *)"PARIS", 5}, {(const uint8_t *)"PARIS\nROME", 10}, {NULL, 0}};
	static const char *const want[] = {"PARIS", "PARIS\nROME", "PARIS\nROME"};
	assert_true(store_load_transfer(b->w->store, id, &l, b->w->arena, NULL));
	assert_int_equal(l.tried.n, 0);
	for (unsigned i = 0; i < 3; i++) {
		store_transfer_move(b->w->store, id, i % 2 == 0 ? VIEW("q1") : VIEW("q2"), 0, tried[i]);
		world_commit(b->w);
		reopen(b);
		assert_true(store_load_transfer(b->w->store, id, &l, b->w->arena, NULL));
		assert_true(view_eq(l.tried, view_str(want[i])));
	}
	store_transfer_quarantine(b->w->store, id, 1, "cause", NULL);
	store_quarantine_release(b->w->store, id, VIEW("q1"), 0);
	assert_true(store_load_transfer(b->w->store, id, &l, b->w->arena, NULL));
	assert_int_equal(l.tried.n, 0); /* any way is open to it again */
	world_commit(b->w);
	whole(b);
}

/* --- check and repair --- */
static unsigned n_sentences;
static char sentences[4000];
static void on_sentence(void *ctx, const char *sentence)
{
	(void)ctx;
	n_sentences++;
	strncat(sentences, sentence, sizeof sentences - strlen(sentences) - 2);
	strncat(sentences, "\n", sizeof sentences - strlen(sentences) - 1);
}

static void damaged(struct bed *b, const char *sql, const char *wanted)
{
	struct store_check_result result;
	sqlite3 *db;
	store_close(&b->w->store);
	assert_int_equal(sqlite3_open(b->w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "begin", NULL, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK || sqlite3_total_changes(db) == 0)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_exec(db, "commit", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	n_sentences = 0;
	sentences[0] = 0;
	assert_true(store_check(b->w->env, "store.db", on_sentence, NULL, &result, &b->w->why));
	assert_int_equal(result.found, n_sentences);
	if (strstr(sentences, wanted) == NULL)
		fail_msg("%s: not found, but %s", wanted, sentences);
}

static void test_check_knows_partial_transfers(void **state)
{
	(void)state;
	static const char *const damages[][2] = {
		{"delete from partial", "a checkpoint is kept for partial transfer"},
		{"delete from partial_sync", "has no checkpoint"},
		{"update partial_sync set octets = 900 where serial = 2", "does not follow"},
		{"update partial_sync set start = 7 where serial = 1", "does not follow"},
		{"update partial_sync set octets = 90000 where serial = 3", "has not so many"},
		{"update partial_sync set file = file + 100 where serial = 3", "there is no file"},
		{"update partial_sync set serial = -1 where serial = 1", "a value that its column does not take"},
		{"update partial set link = x'00'", "a value that its column does not take"},
		{"update partial_sync set file = (select min(file) from partial_sync) where serial = 3", "belongs to no message"},
	};
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct bed *b = bed_new(true, i);
		struct store_partial *p = begin(b, 5);
		const uint64_t id = store_partial_id(p);
		checkpoint(b, p, 1, 1, 1000);
		checkpoint(b, p, 1, 2, 2000);
		store_partial_close(&p);
		p = resume(b, id, 0, 2000);
		checkpoint(b, p, 1, 3, 3000);
		store_partial_close(&p);
		whole(b);
		damaged(b, damages[i][0], damages[i][1]);
		bed_free(&b);
	}
}

/* --- power --- */
struct known {
	uint64_t id, octets, seed; /* durable, as told; what more was asked for may be there too */
	uint64_t most;
	bool may_be_gone, must_go;
};

/* One life of a store: transfers come, break off, go on, end, until the disk dies. */
static void live(struct bed *b, struct dice *d, struct known *k, size_t n)
{
	for (unsigned step = 0; step < 40 && !disk_is_dead(b->disk) && b->w->n_failed == 0; step++) {
		struct known *x = &k[dice_below(d, n)];
		struct store_partial *p = NULL;
		uint32_t serial = 0;
		if (x->id != 0) {
			p = store_partial_resume(b->w->store, x->id, 0, &b->w->why);
			if (p == NULL && !disk_is_dead(b->disk) && b->w->n_failed == 0)
				fail_msg("%s", b->w->why.text);
			if (p != NULL && dice_below(d, 4) == 0) {
				store_partial_close(&p);
				store_partial_remove(b->w->store, x->id);
				x->may_be_gone = true;
				store_commit(b->w->store);
				if (disk_is_dead(b->disk) || b->w->n_failed > 0)
					return;
				*x = (struct known){0};
				continue;
			}
			serial = p == NULL ? 0 : (uint32_t)(store_partial_octets(p) / 100);
		} else {
			const struct store_partial_name name = name_of(step);
			p = store_partial_new(b->w->store, &name, &b->w->why);
			if (p != NULL)
				*x = (struct known){.id = store_partial_id(p), .seed = dice_below(d, 99), .may_be_gone = true};
		}
		if (p == NULL)
			return;
		for (unsigned i = 1 + (unsigned)dice_below(d, 3); i > 0; i--) {
			uint8_t buf[100];
			for (size_t o = 0; o < sizeof buf; o++)
				buf[o] = content_octet(x->seed, store_partial_octets(p) + o);
			if (!store_partial_append(p, view_of(buf, sizeof buf), &b->w->why))
				break;
			store_partial_sync(p, ++serial, on_synced, b);
			x->most = store_partial_octets(p);
		}
		const unsigned failed = b->n_failed;
		b->n = 0;
		turns(b);
		store_commit(b->w->store);
		if (!disk_is_dead(b->disk) && b->w->n_failed == 0 && b->n > 0 && b->n_failed == failed) {
			x->octets = x->most = b->octets[b->n - 1];
			x->may_be_gone = false;
		}
		store_partial_close(&p);
	}
}

static void judge(struct bed *b, struct known *k, size_t n)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++) {
		struct known *x = &k[i];
		struct store_partial *p = x->id == 0 ? NULL : store_partial_resume(b->w->store, x->id, 0, &b->w->why);
		if (p == NULL) {
			if (x->id != 0 && !x->may_be_gone)
				fail_msg("partial transfer %llu was durable, and is gone", (unsigned long long)x->id);
			*x = (struct known){0};
			continue;
		}
		found++;
		const uint64_t octets = store_partial_octets(p);
		assert_true(octets >= x->octets && octets <= x->most);
		holds(b, p, x->seed, octets);
		x->octets = x->most = octets;
		x->may_be_gone = false;
		store_partial_close(&p);
	}
	assert_int_equal(list(b), found);
}

static void test_what_was_durable_outlives_the_power(void **state)
{
	(void)state;
	static const enum disk_death ways[] = {DISK_CUT_BEFORE, DISK_CUT_AFTER, DISK_KILLED};
	for (uint64_t seed = 0; seed < 6; seed++) {
		struct bed *b = bed_new(true, seed);
		struct dice d = {seed + 11, NULL};
		struct known k[5] = {{0}};
		for (unsigned lives = 0; lives < 12; lives++) {
			disk_die_at(b->disk, DISK_CALL_KINDS, 1 + dice_below(&d, 150), ways[dice_below(&d, 3)]);
			live(b, &d, k, ARRAY_LEN(k));
			disk_die_at(b->disk, DISK_CALL_KINDS, 0, DISK_KILLED);
			if (!disk_is_dead(b->disk))
				disk_die(b->disk, ways[dice_below(&d, 3)]);
			store_close(&b->w->store);
			turns(b);
			disk_restart(b->disk);
			b->w->n_failed = 0;
			world_open(b->w);
			judge(b, k, ARRAY_LEN(k));
			whole(b);
		}
		bed_free(&b);
	}
}

#define BOTH(f)                                                                                                                    \
	{.name = #f "_in_memory", .test_func = f, .setup_func = setup, .teardown_func = teardown},                                 \
	{                                                                                                                          \
		.name = #f, .test_func = f, .setup_func = setup, .teardown_func = teardown, .initial_state = (void *)1             \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_checkpoints_are_found_again),
		BOTH(test_what_has_no_checkpoint_is_gone),
		BOTH(test_checkpoints_of_a_lost_group_are_not_there),
		BOTH(test_going_on_from_an_earlier_checkpoint),
		BOTH(test_one_sync_covers_all_that_were_asked_for),
		BOTH(test_old_checkpoints_are_forgotten),
		BOTH(test_it_goes_octets_and_all),
		BOTH(test_a_failed_sync_loses_nothing_that_was_durable),
		BOTH(test_a_full_disk_takes_no_octets),
		BOTH(test_it_may_be_closed_by_whom_it_tells),
		BOTH(test_where_a_transfer_has_been),
		cmocka_unit_test(test_check_knows_partial_transfers),
		cmocka_unit_test(test_what_was_durable_outlives_the_power),
	};
	return cmocka_run_group_tests_name("partial transfers in the store", tests, NULL, NULL);
}
