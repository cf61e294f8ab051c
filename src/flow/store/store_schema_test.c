/* store_schema_test.c - a store of an older version is brought to this one, whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/read.h"
#include "flow/store/store_play.h"

extern const char store_schema_1[], store_schema_2[], store_schema_3[]; /* schema_1.sql ..., by the build */

static struct player *player_new(bool sqlite)
{
	struct player *y = mem_zero(sizeof *y);
	y->w = world_new(sqlite);
	world_open(y->w);
	return y;
}

static void player_free(struct player **y)
{
	world_free(&(*y)->w);
	MEM_FREE(*y);
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* One row's text after the other, of the first column. */
static void text_of(const char *path, const char *sql, struct out *o)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		out_fmt(o, "%s\n", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* What an older version knew: version 1 all but quarantine, suspects, held ones; version 2 these too, and not where a transfer has been; version 3 all but
 * what steps are found by. */
static bool knew(int version, const struct play_op *op)
{
	switch (op->kind) {
	case PLAY_MOVE: return version > 2;
	case PLAY_SUSPECT:
	case PLAY_QUARANTINE:
	case PLAY_OCTETS:
	case PLAY_SET:
	case PLAY_RELEASE:
	case PLAY_DISMISS:
	case PLAY_HOLD: return version > 1;
	default: return true;
	}
}

static void play_both(struct player *a, struct player *b, const struct play *p, int version)
{
	for (size_t i = 0; i < p->n; i++)
		if (knew(version, &p->ops[i])) {
			play_op(a, &p->ops[i]);
			play_op(b, &p->ops[i]);
		}
}

/* The store is closed; it becomes one of an older version, with the same rows. */
static void make_old(struct world *w, int version)
{
	static const char *const tables[] = {"counter", "queue", "message", "delivery", "share", "outcome", "step_key",
					     "step_filter", "suspect", "quarantine"}; /* the last two since version 2 */
	static const char step[] = "seq, at, kind, size, mts_id, other, peer, digest, text, key, other_key";
	char new_path[128], sql[200];
	snprintf(new_path, sizeof new_path, "%s/new.db", w->dir);
	assert_int_equal(rename(w->path, new_path), 0);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	run(db, "pragma page_size = 8192; pragma journal_mode = wal");
	run(db, version == 1 ? store_schema_1 : version == 2 ? store_schema_2 : store_schema_3);
	snprintf(sql, sizeof sql, "attach '%s' as new", new_path);
	run(db, sql);
	for (size_t i = 0; i < ARRAY_LEN(tables) - (version == 1 ? 2 : 0); i++) {
		snprintf(sql, sizeof sql, "insert into main.%s select * from new.%s", tables[i],
			 tables[i]);
		run(db, sql);
	}
	snprintf(sql, sizeof sql, "insert into main.step select %s from new.step", step);
	run(db, sql);
	run(db, version > 2 ? "insert into main.transfer select * from new.transfer"
			    : "insert into main.transfer select id, message, queue, priority, next, attempts, alone, recipients, arrived, "
			      "expires, size, error from new.transfer");
	snprintf(sql, sizeof sql, "detach new; pragma application_id = 1346916178; pragma user_version = %d", version);
	run(db, sql);
	sqlite3_close(db);
	assert_int_equal(unlink(new_path), 0);
}

static void brought_up(int version, uint64_t seed)
{
	struct play *p = play_new(seed, 12, 20, true), *then = play_new(seed + 100, 12, 20, true);
	struct player *a = player_new(false), *b = player_new(true);
	play_both(a, b, p, version);
	store_close(&b->w->store);
	make_old(b->w, version);
	world_open(b->w);
	same_stores(a, b);
	for (size_t i = 0; i < then->n; i++) { /* it has all of this version */
		play_op(a, &then->ops[i]);
		play_op(b, &then->ops[i]);
	}
	same_stores(a, b);
	world_reopen(b->w);
	same_stores(a, b);
	store_close(&b->w->store);
	check_whole(b->w);
	player_free(&a);
	player_free(&b);
	free(p);
	free(then);
}

static void test_stores_of_older_versions_are_brought_up(void **state)
{
	(void)state;
	for (uint64_t seed = 50; seed < 54; seed++)
		for (int version = 1; version <= 3; version++)
			brought_up(version, seed);
}

/* Tables, columns, indexes and views are those of a new store; comments in the text of an old table may differ. */
static void test_schema_is_that_of_a_new_store(void **state)
{
	(void)state;
	static const char *const asked[] = {
		"select type || ' ' || name || ' on ' || tbl_name from sqlite_schema order by 1",
		"select m.name || c.cid || c.name || c.type || c.\"notnull\" || c.pk from sqlite_schema m join pragma_table_info(m.name) c order by 1",
		"select sql from sqlite_schema where type in ('view', 'index') order by name",
		"select user_version from pragma_user_version",
	};
	for (int version = 1; version <= 3; version++) {
		struct player *old = player_new(true), *new = player_new(true);
		store_close(&new->w->store);
		store_close(&old->w->store);
		make_old(old->w, version);
		world_open(old->w);
		store_close(&old->w->store);
		for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
			struct out x, z;
			out_init(&x, 1 << 20);
			out_init(&z, 1 << 20);
			text_of(old->w->path, asked[i], &x);
			text_of(new->w->path, asked[i], &z);
			assert_true(out_len(&x) > 0);
			assert_string_equal(out_cstr(&x), out_cstr(&z));
			out_fini(&x);
			out_fini(&z);
		}
		player_free(&old);
		player_free(&new);
	}
}

/* What stands in the way leaves a store of version 1, as it was. */
static void test_failed_migration_changes_nothing(void **state)
{
	(void)state;
	struct player *y = player_new(true);
	do_put(y, &(struct play_op){.seed = 1, .n_rcpt = 1, .n_transfers = 1, .size = 100});
	world_commit(y->w);
	store_close(&y->w->store);
	make_old(y->w, 1);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(y->w->path, &db), SQLITE_OK);
	run(db, "create table quarantine (of integer)"); /* the second that is to be made */
	sqlite3_close(db);
	struct out before, after;
	out_init(&before, 1 << 20);
	out_init(&after, 1 << 20);
	static const char all[] = "select name || coalesce(sql, '') from sqlite_schema union all "
				  "select user_version from pragma_user_version";
	text_of(y->w->path, all, &before);
	assert_null(world_try_open(y->w));
	assert_int_equal(y->w->why.kind, ERR_LOCAL);
	assert_non_null(strstr(y->w->why.text, "quarantine"));
	text_of(y->w->path, all, &after);
	assert_string_equal(out_cstr(&before), out_cstr(&after));
	assert_int_equal(sqlite3_open(y->w->path, &db), SQLITE_OK);
	run(db, "drop table quarantine");
	sqlite3_close(db);
	world_open(y->w);
	assert_int_equal(counts_of(y->w).messages, 1);
	out_fini(&before);
	out_fini(&after);
	player_free(&y);
}

static void test_readers_of_an_old_store_are_told(void **state)
{
	(void)state;
	struct player *y = player_new(true);
	store_close(&y->w->store);
	make_old(y->w, 1);
	assert_null(store_reader_open(y->w->env, "store.db", &y->w->why));
	assert_non_null(strstr(y->w->why.text, "version 1"));
	assert_non_null(strstr(y->w->why.text, "version 4"));
	check_whole(y->w); /* which knows the old version too */
	world_open(y->w);
	struct store_reader *r = store_reader_open(y->w->env, "store.db", &y->w->why);
	assert_non_null(r);
	store_reader_close(&r);
	player_free(&y);
}

/* Between the moment in which the file is there and the one in which all of its tables are. */
static void test_readers_of_a_store_that_is_being_made_are_told(void **state)
{
	(void)state;
	struct world *w = world_new(true);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	run(db, "pragma journal_mode = wal");
	assert_null(store_reader_open(w->env, "store.db", &w->why));
	assert_int_equal(w->why.kind, ERR_TEMP);
	assert_non_null(strstr(w->why.text, "just being started"));
	run(db, "begin immediate; create table message (id integer)");
	assert_null(store_reader_open(w->env, "store.db", &w->why));
	assert_int_equal(w->why.kind, ERR_TEMP);
	run(db, "rollback");
	sqlite3_close(db);
	world_open(w);
	struct store_reader *r = store_reader_open(w->env, "store.db", &w->why);
	assert_non_null(r);
	store_reader_close(&r);
	world_free(&w);
}

/* --- the views, as docs/operating.md shows them --- */
static void test_views_show_what_is_held_and_kept(void **state)
{
	(void)state;
	struct player *y = player_new(true);
	struct world *w = y->w;
	struct store_message *a = put_simple(w, 1), *b = put_simple(w, 2);
	const struct mts_id id = play_step_id(w, 1);
	const struct store_octets o = {.link = VIEW("PARIS"), .cause = VIEW("no P1"), .content = VIEW("x"),
				       .state = STORE_QUARANTINE_EXAMINE, .words = VIEW("SIGSEGV")};
	store_transfer_move(w->store, a->transfers[0].id_r, VIEW("q0"), STORE_NEVER, (struct view){NULL, 0});
	store_transfer_quarantine(w->store, b->transfers[0].id_r, 3, "died", "words");
	store_put_octets(w->store, &o);
	for (int kind = STEP_SUBMITTED; kind < STEP_KINDS; kind++) {
		const struct store_step step = {.kind = (enum store_step_kind)kind, .id = &id};
		store_put_step(w->store, &step);
	}
	world_commit(w);
	store_close(&w->store);
	struct out o1;
	out_init(&o1, 1 << 16);
	text_of(w->path, "select queue || ' ' || next from queued", &o1);
	assert_string_equal(out_cstr(&o1), "q0 held\n");
	out_clear(&o1);
	text_of(w->path, "select state || ' ' || link || ' ' || octets || ' ' || cause || ' ' || words from "
			 "quarantined order by id", &o1);
	assert_string_equal(out_cstr(&o1), "kept q0 0 died words\nexamine PARIS 1 no P1 SIGSEGV\n");
	out_clear(&o1);
	text_of(w->path, "select step from journey order by seq", &o1);
	struct out want; /* every kind has its name there */
	out_init(&want, 1 << 16);
	for (int kind = STEP_SUBMITTED; kind < STEP_KINDS; kind++)
		out_fmt(&want, "%s\n", store_step_name((enum store_step_kind)kind));
	assert_string_equal(out_cstr(&o1), out_cstr(&want));
	out_fini(&want);
	out_fini(&o1);
	player_free(&y);
}

/* --- tracking that is damaged --- */
static void play_step_and_mail(struct world *w, uint64_t seed)
{
	const struct mts_id id = play_step_id(w, seed);
	const struct store_step step = {.kind = STEP_TRANSFER_IN, .id = &id, .digest = {seed, seed}};
	put_simple(w, seed);
	assert_false(store_seen(w->store, &id, step.digest));
	store_put_step(w->store, &step);
}

static void test_k200003_damaged_steps_stop_no_mail(void **state)
{
	(void)state;
	struct player *y = player_new(true);
	struct world *w = y->w;
	play_step_and_mail(w, 1);
	world_commit(w);
	store_close(&w->store);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	run(db, "create trigger t1 before insert on step begin select raise(abort, 'no more steps'); end;"
		"create trigger t2 before delete on step begin select raise(abort, 'none goes'); end;"
		"create trigger t3 before insert on step_key begin select raise(abort, 'no keys'); end");
	sqlite3_close(db);
	world_open(w);
	for (uint64_t i = 2; i < 6; i++) {
		play_step_and_mail(w, i);
		world_commit(w);
	}
	assert_false(store_forget_steps(w->store, INT64_MAX, 0, &(wall_ms_t){0})); /* no use in trying again at once */
	put_simple(w, 9);
	world_commit(w);
	assert_int_equal(w->n_failed, 0);
	assert_int_equal(w->n_lost, 1);
	assert_non_null(strstr(w->why.text, "no more steps"));
	assert_true(counts_of(w).tracking_lost >= 5);
	assert_int_equal(counts_of(w).messages, 6);
	world_reopen(w);
	assert_int_equal(counts_of(w).messages, 6);
	player_free(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stores_of_older_versions_are_brought_up),
		cmocka_unit_test(test_schema_is_that_of_a_new_store),
		cmocka_unit_test(test_failed_migration_changes_nothing),
		cmocka_unit_test(test_readers_of_an_old_store_are_told),
		cmocka_unit_test(test_readers_of_a_store_that_is_being_made_are_told),
		cmocka_unit_test(test_views_show_what_is_held_and_kept),
		cmocka_unit_test(test_k200003_damaged_steps_stop_no_mail),
	};
	return cmocka_run_group_tests_name("store schema", tests, NULL, NULL);
}
