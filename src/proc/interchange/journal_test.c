/* journal_test.c - what is remembered over crashes: lines that were cut or damaged, generations, failures of the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "proc/interchange/journal.h"
#include "sys/fake_env.h"

struct lines {
	struct out text; /* each with a line end */
	unsigned n;
	const char *drop; /* lines with it are not kept */
};

static bool take(void *ctx, struct view line, uint64_t at)
{
	struct lines *l = ctx;
	(void)at;
	out_bytes(&l->text, line);
	out_u8(&l->text, '\n');
	l->n++;
	return l->drop == NULL || memmem(line.p, line.n, l->drop, strlen(l->drop)) == NULL;
}

static struct journal *open_it(struct env *env, struct lines *l, unsigned *damaged_r)
{
	struct journal *j;
	struct err e;
	out_clear(&l->text);
	l->n = 0;
	if (!journal_open(env, "folder", "name", take, l, &j, damaged_r, &e))
		fail_msg("%s", e.text);
	return j;
}

static void add(struct journal *j, const char *text)
{
	struct err e;
	if (!journal_append(j, view_str(text), NULL, &e))
		fail_msg("%s", e.text);
}

static void put_file(struct env *env, const char *name, struct view octets)
{
	struct err e;
	struct file *f = env_file_create(env, name, &e);
	assert_non_null(f);
	assert_true(file_append(f, octets, &e));
	file_close(&f);
}

static void on_synced(void *ctx, const struct err *failed)
{
	int *how = ctx;
	*how = failed == NULL ? 1 : 2;
}

static void test_what_was_written_is_read(void **state)
{
	(void)state;
	struct env *env = fake_env_new();
	struct lines l = { 0 };
	unsigned damaged;
	bool synced;
	int how = 0;
	out_init(&l.text, 1 << 20);
	struct journal *j = open_it(env, &l, &damaged);
	assert_int_equal(l.n, 0);
	add(j, "one");
	add(j, "two words");
	add(j, "");
	journal_sync(j, on_synced, &how);
	fake_env_settle(env);
	assert_int_equal(how, 1);
	journal_close(&j);
	l.drop = "one";
	j = open_it(env, &l, &damaged);
	assert_int_equal(damaged, 0);
	assert_string_equal(out_cstr(&l.text), "one\ntwo words\n\n");
	/* The old generation stays until the new one is on disk. */
	assert_true(fake_env_file(env, "folder/name.1", &synced).n > 0);
	journal_sync(j, NULL, NULL);
	fake_env_settle(env);
	assert_int_equal(fake_env_file(env, "folder/name.1", &synced).n, 0);
	journal_close(&j);
	j = open_it(env, &l, &damaged);
	assert_string_equal(out_cstr(&l.text), "two words\n\n");
	journal_close(&j);
	fake_env_settle(env);
	fake_env_free(&env);
	out_fini(&l.text);
}

static void test_a_line_is_found_again_by_its_place(void **state)
{
	(void)state;
	struct env *env = fake_env_new();
	struct lines l = { 0 };
	struct out o;
	struct err e;
	unsigned damaged;
	uint64_t at[3];
	out_init(&l.text, 1 << 20);
	out_init(&o, 1 << 20);
	char *longest = mem_alloc(200001);
	memset(longest, 'x', 200000);
	longest[200000] = 0;
	struct journal *j = open_it(env, &l, &damaged);
	assert_true(journal_append(j, VIEW("first"), &at[0], &e));
	assert_true(journal_append(j, view_str(longest), &at[1], &e));
	assert_true(journal_append(j, VIEW("last"), &at[2], &e));
	assert_true(journal_read(j, at[2], &o, &e));
	assert_string_equal(out_cstr(&o), "last");
	out_clear(&o);
	assert_true(journal_read(j, at[1], &o, &e));
	assert_int_equal(out_len(&o), 200000);
	out_clear(&o);
	assert_false(journal_read(j, at[1] + 1, &o, &e)); /* a place where none begins */
	journal_close(&j);
	fake_env_settle(env);
	fake_env_free(&env);
	out_fini(&l.text);
	out_fini(&o);
	free(longest);
}

/* A crash cuts the last line anywhere; a disk may spoil any octet of another: only that one is lost. */
static void test_a_torn_or_damaged_line_costs_itself_only(void **state)
{
	(void)state;
	struct lines l = { 0 };
	struct out whole;
	out_init(&l.text, 1 << 20);
	out_init(&whole, 1 << 20);
	struct env *env = fake_env_new();
	unsigned damaged;
	bool synced;
	struct journal *j = open_it(env, &l, &damaged);
	add(j, "alpha");
	add(j, "beta");
	add(j, "gamma");
	journal_close(&j);
	out_bytes(&whole, fake_env_file(env, "folder/name.1", &synced));
	fake_env_free(&env);
	const size_t n = out_len(&whole);
	for (size_t i = 0; i < 2 * n; i++) {
		env = fake_env_new();
		uint8_t *octets = mem_dup(out_view(&whole).p, n);
		if (i >= n)
			octets[i - n] ^= 0x15;
		put_file(env, "folder/name.1", view_of(octets, i < n ? i : n));
		free(octets);
		j = open_it(env, &l, &damaged);
		assert_in_range(l.n, i < n ? 0 : 1, 3); /* a line end that is gone joins two lines */
		assert_true(l.n + damaged <= 4);
		if (i >= n)
			assert_true(damaged > 0);
		for (struct view left = out_view(&l.text); left.n > 0;) {
			const uint8_t *end = memchr(left.p, '\n', left.n);
			const struct view line = view_first(left, (size_t)(end - left.p));
			assert_true(view_eq(line, VIEW("alpha")) || view_eq(line, VIEW("beta")) || view_eq(line, VIEW("gamma")));
			left = view_from(left, line.n + 1);
		}
		journal_close(&j);
		fake_env_settle(env);
		fake_env_free(&env);
	}
	out_fini(&l.text);
	out_fini(&whole);
}

/* Whatever generations a crash has left between writing the new one and removing the old ones: all lines are there. */
static void test_generations_that_a_crash_has_left_are_all_read(void **state)
{
	(void)state;
	struct env *env = fake_env_new();
	struct lines l = { 0 };
	unsigned damaged;
	out_init(&l.text, 1 << 20);
	for (unsigned i = 0; i < 5; i++) {
		struct journal *j = open_it(env, &l, &damaged);
		char text[20];
		snprintf(text, sizeof text, "line %u", i);
		add(j, text);
		journal_close(&j); /* never synced */
	}
	l.drop = "line";
	struct journal *j = open_it(env, &l, &damaged);
	for (unsigned i = 0; i < 5; i++) {
		char text[20];
		snprintf(text, sizeof text, "line %u\n", i);
		assert_non_null(strstr(out_cstr(&l.text), text));
	}
	journal_close(&j);
	fake_env_settle(env);
	fake_env_free(&env);
	out_fini(&l.text);
}

static void test_after_a_failure_nothing_is_written_behind_it(void **state)
{
	(void)state;
	struct env *env = fake_env_new();
	struct lines l = { 0 };
	struct err e;
	unsigned damaged;
	int how = 0;
	out_init(&l.text, 1 << 20);
	struct journal *j = open_it(env, &l, &damaged);
	add(j, "good");
	assert_true(fault_plan("INTERCHANGE_JOURNAL:1:fail", &e));
	assert_false(journal_append(j, VIEW("bad"), NULL, &e));
	assert_true(journal_is_broken(j));
	assert_false(journal_append(j, VIEW("behind"), NULL, &e));
	assert_int_equal(e.kind, ERR_TEMP);
	assert_true(fault_plan(NULL, &e));
	journal_close(&j);
	j = open_it(env, &l, &damaged);
	assert_string_equal(out_cstr(&l.text), "good\n");
	fake_env_fail_syncs(env, true);
	add(j, "not on disk");
	journal_sync(j, on_synced, &how);
	fake_env_settle(env);
	assert_int_equal(how, 2);
	assert_true(journal_is_broken(j));
	fake_env_fail_syncs(env, false);
	/* Closed while a sync is under way: it ends by itself, and nobody is called. */
	journal_close(&j);
	j = open_it(env, &l, &damaged);
	how = 0;
	journal_sync(j, on_synced, &how);
	journal_close(&j);
	fake_env_settle(env);
	assert_int_equal(how, 0);
	fake_env_free(&env);
	out_fini(&l.text);
}

/* Only the first line is kept. */
static bool take_first(void *ctx, struct view line, uint64_t at)
{
	struct lines *l = ctx;
	(void)at;
	l->drop = l->n == 0 && view_eq(line, VIEW("the first")) ? "" : l->drop;
	return l->n++ == 0;
}

/* A disk that fails each time leaves a generation each time; the first time that it does not, all of them are one again. */
static void test_any_number_of_generations(void **state)
{
	(void)state;
	struct env *env = fake_env_new();
	struct journal *j;
	struct err e;
	unsigned damaged;
	int how = 0;
	fake_env_fail_syncs(env, true);
	for (unsigned i = 0; i < 41; i++) {
		struct lines l = { 0 };
		char text[20];
		if (!journal_open(env, "folder", "name", take_first, &l, &j, &damaged, &e))
			fail_msg("%u: %s", i, e.text);
		if (i > 0)
			assert_non_null(l.drop);
		snprintf(text, sizeof text, "line %u", i);
		add(j, i == 0 ? "the first" : text);
		fake_env_fail_syncs(env, i < 39);
		journal_sync(j, on_synced, &how);
		fake_env_settle(env);
		assert_int_equal(how, i < 39 ? 2 : 1);
		if (i == 40)
			assert_int_equal(l.n, 2);
		journal_close(&j);
	}
	fake_env_free(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_read),
		cmocka_unit_test(test_a_line_is_found_again_by_its_place),
		cmocka_unit_test(test_a_torn_or_damaged_line_costs_itself_only),
		cmocka_unit_test(test_generations_that_a_crash_has_left_are_all_read),
		cmocka_unit_test(test_after_a_failure_nothing_is_written_behind_it),
		cmocka_unit_test(test_any_number_of_generations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
