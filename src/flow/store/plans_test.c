/* plans_test.c - no statement on the store goes through a whole table that grows, nor sorts one: SQLite says how it would do each
 * (explain query plan, https://www.sqlite.org/eqp.html: SCAN without an index's range is all of it, TEMP B-TREE a sort). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/reader_impl.h"
#include "flow/store/sqlite_impl.h"
#include "flow/store/store_testing.h"

/* What may: the beginning of the plan's line, and of the statement. */
static const struct excuse {
	const char *plan, *sql, *why;
} excuses[] = {
	{ "SCAN suspect", "select key, strikes", "at the start, and as many as have killed a process" },
	{ "SCAN p", "select p.id, p.link", "at the start; 256 of a link at most" },
	{ "SCAN queue", "select no, name from queue", "one a link" },
	{ "SCAN step", "select seq, at, length(mts_id)", "the first ones, to a limit" },
	{ "SCAN step", "select coalesce(avg(texts)", "the last ones, to a limit" },
	{ "SCAN (subquery", "select coalesce(avg(texts)", "of those" },
	{ "SCAN step_key", "select period from step_key order by period limit 1", "the first one" },
	{ "SCAN step", "select seq from step order by seq desc limit 1", "the last one" },
	{ "SCAN step", "select seq, at, kind, mts_id, other, peer, text, size, event from (select", "the last ones, to a limit" },
	{ "SCAN (subquery", "select seq, at, kind, mts_id, other, peer, text, size, event from (select", "of those" },
	{ "USE TEMP B-TREE", "select seq, at, kind, mts_id, other, peer, text, size, event from (select", "of those" },
	{ "USE TEMP B-TREE", "select seq from step_key where period = ?1 and key between", "the steps of one message in one period" },
	{ "SCAN CONSTANT ROW", "select (select min(seq) from step)", "both ends" },
	{ "SCAN f", "select t.id, t.message, q.name", "a page of a queue that is not long (ASK_IS_LONG)" },
	{ "USE TEMP B-TREE", "select t.id, t.message, q.name", "the queue of it" },
};
static unsigned used[ARRAY_LEN(excuses)];

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool is_excused(const char *plan, const char *sql)
{
	bool is = false;
	for (size_t i = 0; i < ARRAY_LEN(excuses); i++)
		if (begins(plan, excuses[i].plan) && begins(sql, excuses[i].sql)) {
			used[i]++;
			is = true;
		}
	return is;
}

static unsigned bad_in(sqlite3 *db, const char *sql)
{
	struct out text;
	sqlite3_stmt *st;
	unsigned n = 0;
	out_init(&text, 1 << 16);
	out_fmt(&text, "explain query plan %s", sql);
	assert_int_equal(sqlite3_prepare_v2(db, out_cstr(&text), -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *plan = (const char *)sqlite3_column_text(st, 3);
		if ((!begins(plan, "SCAN") && !begins(plan, "USE TEMP B-TREE")) || is_excused(plan, sql))
			continue;
		print_error("%s in: %s\n", plan, sql);
		n++;
	}
	sqlite3_finalize(st);
	out_fini(&text);
	return n;
}

static void test_nothing_goes_through_a_table(void **state)
{
	(void)state;
	struct world *w = world_new(true);
	world_open(w);
	struct sqlite *q = sqlite_of(w->store);
	struct store_reader *r = store_reader_open(w->env, "store.db", &w->why);
	assert_non_null(r);
	unsigned bad = 0;
	for (size_t i = 0; i < SQL_COUNT; i++)
		bad += bad_in(q->db, sqlite3_sql(q->stmt[i]));
	for (size_t i = 0; i < ASK_COUNT; i++)
		bad += bad_in(r->db, sqlite3_sql(r->stmt[i]));
	assert_int_equal(bad, 0);
	for (size_t i = 0; i < ARRAY_LEN(excuses); i++)
		if (used[i] == 0)
			fail_msg("nothing is to be excused any more: %s in %s", excuses[i].plan, excuses[i].sql);
	assert_int_equal(bad_in(q->db, "select count(*) from step where peer = 'x'"), 1); /* it would be seen */
	assert_int_equal(bad_in(q->db, "select seq from step_key where key = 1 order by seq"), 2);
	store_reader_close(&r);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nothing_goes_through_a_table) };
	return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
