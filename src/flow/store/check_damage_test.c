/* check_damage_test.c - stores made from seeds, damaged at random, repaired on a copy: the original stays as it is, the copy is whole,
 * no row that can be read is lost, nobody who waits is forgotten. POSTHORN_DAMAGE_SEEDS says how many seeds, POSTHORN_DAMAGE_SEED which
 * one alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/check_testing.h"

#ifdef __SANITIZE_ADDRESS__
enum { SEEDS = 60 };
#else
enum { SEEDS = 300 };
#endif

/* What one seed has. */
struct case_of {
	uint64_t seed;
	struct world *w; /* of the store before the damage; then of the damaged one */
	char from[DAMAGE_PATH], to[DAMAGE_PATH], again[DAMAGE_PATH], scratch[DAMAGE_PATH];
	unsigned told;
	bool verbose, damaged;
	struct rows before; /* all that was in it, before the damage */
};

static void on_said(void *ctx, const char *sentence)
{
	struct case_of *c = ctx;
	c->told++;
	if (c->verbose)
		fprintf(stderr, "  %s\n", sentence);
}

static void say(const struct case_of *c, const char *what, const char *more)
{
	fail_msg("seed %llu: %s%s%s", (unsigned long long)c->seed, what, more == NULL ? "" : ": ", more == NULL ? "" : more);
}

static void make_store(struct case_of *c, struct dice *d)
{
	struct player *y = mem_zero(sizeof *y);
	c->w = y->w = world_new(true);
	world_open(c->w);
	struct play *p = play_new(c->seed, 2 + dice_below(d, 6), 4 + dice_below(d, 20), true);
	play_groups(y, p, 0, p->groups);
	if (dice_below(d, 12) == 0) /* so many steps that the index is written */
		for (uint64_t k = 0; k < 7000; k++) {
			arena_reset(c->w->arena);
			do_step(y, k % 3000);
		}
	if (store_has_group(c->w->store))
		world_commit(c->w);
	snprintf(c->from, sizeof c->from, "%s/from", c->w->dir);
	snprintf(c->to, sizeof c->to, "%s/to", c->w->dir);
	snprintf(c->again, sizeof c->again, "%s/again", c->w->dir);
	snprintf(c->scratch, sizeof c->scratch, "%s/scratch", c->w->dir);
	const bool killed = dice_coin(d);
	if (killed) /* a log is left */
		copy_store(c->w->dir, c->from);
	store_close(&c->w->store);
	if (!killed)
		copy_store(c->w->dir, c->from);
	char path[DAMAGE_PATH + 20];
	snprintf(path, sizeof path, "%s/store.db", c->w->dir);
	c->before = rows_of(path, true);
	free(p);
	free(y);
}

/* In a copy, because SQLite recovers the log where it reads. */
static struct rows readable(const struct case_of *c)
{
	char path[DAMAGE_PATH + 20];
	copy_store(c->from, c->scratch);
	snprintf(path, sizeof path, "%s/store.db", c->scratch);
	struct rows r = access(path, F_OK) == 0 ? rows_of(path, false) : (struct rows){0};
	folder_remove(c->scratch);
	return r;
}

static enum store_check_end repair(struct case_of *c, const char *from, const char *to, struct store_repair_result *result_r, struct err *e)
{
	const struct store_check_watch w = {.found = on_said, .did = on_said, .ctx = c};
	struct env *a = loop_new(from), *b = loop_new(to);
	const enum store_check_end end = store_repair(a, "store.db", b, &w, result_r, e);
	loop_free(&a);
	loop_free(&b);
	return end;
}

/* What SQLite reads of a cell without octets: of a column that was added later, its default. */
static bool says_nothing(const char *row)
{
	const char *values = strchr(row, '|');
	values = values == NULL ? NULL : strchr(values + 1, '|');
	return values != NULL && strspn(values, "|nt") == strlen(values); /* t: a text of no octets, else digits follow */
}

/* Where the list of tables is damaged, SQLite may read one with fewer columns than its rows have. */
static bool has_longer(const struct rows *r, const char *row)
{
	const size_t n = strlen(row);
	for (size_t i = 0; i < r->n; i++)
		if (strncmp(r->v[i], row, n) == 0 && r->v[i][n] == '|')
			return true;
	return false;
}

static void no_row_is_lost(struct case_of *c, const struct rows *could)
{
	char path[DAMAGE_PATH + 20];
	snprintf(path, sizeof path, "%s/store.db", c->to);
	struct rows is = rows_of(path, true), removed = rows_removed(c->to);
	for (size_t i = 0; i < could->n; i++)
		if (!rows_has(&is, could->v[i]) && !rows_has(&removed, could->v[i]) && !says_nothing(could->v[i]) &&
		    !has_longer(&is, could->v[i]) && !has_longer(&removed, could->v[i]))
			say(c, "a row is lost", could->v[i]);
	rows_free(&is);
	rows_free(&removed);
}

static int64_t count(sqlite3 *db, const char *sql, int64_t a)
{
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int64(st, 1, a);
	const int64_t n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
	sqlite3_finalize(st);
	return n;
}

/* For each message whose own row was not touched: whoever waited in it, waits; unless an outcome came into being. */
static void nobody_is_forgotten(struct case_of *c, const struct rows *could)
{
	static const char waiting[] = "select (select coalesce(sum(recipients), 0) from transfer where message = ?1) + (select "
				      "coalesce(sum(recipients), 0) from quarantine where message = ?1)",
			  outcomes[] = "select count(*) from outcome where message = ?1";
	char path[DAMAGE_PATH + 20];
	sqlite3 *before, *after;
	snprintf(path, sizeof path, "%s/store.db", c->w->dir);
	assert_int_equal(sqlite3_open(path, &before), SQLITE_OK);
	snprintf(path, sizeof path, "%s/store.db", c->to);
	assert_int_equal(sqlite3_open(path, &after), SQLITE_OK);
	for (size_t i = 0; i < c->before.n; i++) {
		long long id;
		if (sscanf(c->before.v[i], "message|i%lld", &id) != 1 || !rows_has(could, c->before.v[i]))
			continue;
		const int64_t was = count(before, waiting, id), is = count(after, waiting, id);
		if (is < was && count(after, outcomes, id) <= count(before, outcomes, id))
			say(c, "somebody who waited is forgotten", c->before.v[i]);
	}
	sqlite3_close(before);
	sqlite3_close(after);
}

static void is_whole(struct case_of *c, const char *folder)
{
	struct store_check_result result;
	struct err e;
	struct env *env = loop_new(folder);
	c->verbose = true;
	if (!store_check(env, "store.db", on_said, c, &result, &e))
		say(c, "the copy cannot be checked", e.text);
	if (result.found > 0)
		say(c, "the copy is not whole", NULL);
	c->verbose = false;
	loop_free(&env);
}

/* A switch opens it, and it is whole after that. */
static void opens(struct case_of *c, const char *folder)
{
	struct err e;
	struct env *env = loop_new(folder);
	struct world told = {0};
	const struct store_config config = {"store.db", TEST_INLINE_MAX, 1 << 20};
	struct store *s = store_open_sqlite(env, &config, &world_events, &told, &e);
	if (s == NULL)
		say(c, "the copy does not open", e.text);
	store_close(&s);
	loop_free(&env);
	is_whole(c, folder);
}

static bool same_rows(const char *a, const char *b)
{
	struct rows x = rows_of(a, true), z = rows_of(b, true);
	bool same = x.n == z.n;
	for (size_t i = 0; same && i < x.n; i++)
		same = strcmp(x.v[i], z.v[i]) == 0;
	rows_free(&x);
	rows_free(&z);
	return same;
}

static void changes_nothing(struct case_of *c, const char *from, const char *to)
{
	char a[DAMAGE_PATH + 20], b[DAMAGE_PATH + 20];
	struct store_repair_result result;
	struct err e;
	c->verbose = true;
	if (repair(c, from, to, &result, &e) != STORE_CHECK_DONE)
		say(c, "a whole store cannot be repaired", e.text);
	c->verbose = false;
	if (result.found + result.changed + result.removed > 0)
		say(c, "the repair of a whole store changes it", NULL);
	snprintf(a, sizeof a, "%s/removed", to);
	assert_int_not_equal(access(a, F_OK), 0);
	snprintf(a, sizeof a, "%s/content", from);
	snprintf(b, sizeof b, "%s/content", to);
	assert_int_equal(hash_folder(a), hash_folder(b));
	copy_store(from, c->scratch);
	snprintf(a, sizeof a, "%s/store.db", c->scratch);
	snprintf(b, sizeof b, "%s/store.db", to);
	if (!same_rows(a, b))
		say(c, "the repair of a whole store changes rows", NULL);
	folder_remove(c->scratch);
}

/* Refused: by a version that is not ours, or because nothing is left. */
static void was_refused(struct case_of *c, const struct rows *could, enum store_check_end end, const struct err *e)
{
	if (end != STORE_CHECK_FOREIGN || (strstr(e->text, "version") == NULL && could->n > 0))
		say(c, "it is not repaired", e->text);
	assert_int_not_equal(access(c->to, F_OK), 0);
}

static void one_seed(uint64_t seed, bool verbose)
{
	struct case_of c = {.seed = seed, .verbose = verbose};
	struct dice d = {seed, NULL};
	struct store_repair_result result;
	struct err e;
	make_store(&c, &d);
	if (seed % 10 == 0) {
		changes_nothing(&c, c.from, c.to);
	} else {
		for (size_t n = 1 + dice_below(&d, 3); n > 0; n--)
			damage_store(&d, c.from);
		struct rows could = readable(&c);
		const uint64_t hash = hash_folder(c.from);
		const enum store_check_end end = repair(&c, c.from, c.to, &result, &e);
		if (hash_folder(c.from) != hash)
			say(&c, "the original is changed", NULL);
		if (end != STORE_CHECK_DONE) {
			was_refused(&c, &could, end, &e);
		} else {
			no_row_is_lost(&c, &could);
			nobody_is_forgotten(&c, &could);
			is_whole(&c, c.to);
			changes_nothing(&c, c.to, c.again);
			opens(&c, c.to);
		}
		rows_free(&could);
	}
	rows_free(&c.before);
	world_free(&c.w);
}

static void test_k161949_k184481_k157068_random_damage(void **state)
{
	(void)state;
	const char *seeds = getenv("POSTHORN_DAMAGE_SEEDS"), *alone = getenv("POSTHORN_DAMAGE_SEED");
	const uint64_t n = seeds == NULL ? SEEDS : strtoull(seeds, NULL, 10);
	if (alone != NULL) {
		one_seed(strtoull(alone, NULL, 10), true);
		return;
	}
	for (uint64_t seed = 1; seed <= n; seed++)
		one_seed(seed, false);
	print_message("%llu seeds\n", (unsigned long long)n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k161949_k184481_k157068_random_damage),
	};
	return cmocka_run_group_tests_name("stores damaged and repaired", tests, NULL, NULL);
}
