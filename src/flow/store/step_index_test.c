/* step_index_test.c - keys, filters and the batch, without a database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/step_index.h"

#include <stdio.h>

enum { PER_PERIOD = 1 << STEP_PERIOD_BITS };

static uint64_t key_of(uint64_t i)
{
	char local[32];
	const int n = snprintf(local, sizeof local, "id-%llu", (unsigned long long)i);
	return step_key(view_of(local, (size_t)n), (uint64_t[]){ i, i * 3 });
}

static void test_keys_of_one_identifier_lie_together(void **state)
{
	(void)state;
	const struct view local = VIEW("some-id");
	const uint64_t first = step_key_first(local), digest[2] = { 1, 2 }, other_digest[2] = { 2, 1 };
	assert_int_equal(step_key(local, NULL), first);
	assert_int_equal(step_key_other(local) >> 32, first >> 32);
	assert_int_equal(step_key(local, digest) >> 32, first >> 32);
	assert_true(step_key(local, digest) != step_key(local, other_digest));
	assert_true((uint32_t)step_key(local, digest) >= 2);
	assert_true(step_key_first(VIEW("some-ie")) != first);
	assert_int_equal(step_key_first((struct view){ NULL, 0 }) & UINT32_MAX, 0);
}

/* Never a key forgotten; of those never put, few are taken for known (6 bits of 8 a key: about 2 in 100 when full). */
static void test_filter_forgets_none_and_takes_few_for_known(void **state)
{
	(void)state;
	struct step_index *ix = step_index_new();
	for (uint64_t seq = 0; seq < PER_PERIOD; seq++)
		step_index_add(ix, key_of(seq), seq);
	unsigned wrong = 0;
	for (uint64_t i = 0; i < PER_PERIOD; i++) {
		uint64_t period = 0;
		assert_true(step_index_maybe(ix, key_of(i), &period));
		assert_int_equal(period, 0);
		wrong += step_index_maybe(ix, key_of(i + PER_PERIOD), &period);
	}
	assert_true(wrong < PER_PERIOD * 5 / 100);
	step_index_free(&ix);
}

static void test_unwritten_entries_are_found_until_written(void **state)
{
	(void)state;
	struct step_index *ix = step_index_new();
	enum { N = 20000 }; /* more than the table begins with */
	for (uint64_t seq = 1; seq <= N; seq++)
		step_index_add(ix, key_of(seq % 100), seq);
	assert_int_equal(step_index_pending(ix), N);
	uint64_t seq, n = 0;
	for (size_t cursor = 0; step_index_find(ix, key_of(7), &cursor, &seq); n++)
		assert_int_equal(seq % 100, 7);
	assert_int_equal(n, N / 100);
	size_t none = 0;
	assert_false(step_index_find(ix, key_of(777), &none, &seq));
	const struct step_entry *v = step_index_batch(ix);
	for (size_t i = 1; i < N; i++)
		assert_true((int64_t)v[i - 1].key < (int64_t)v[i].key ||
			    (v[i - 1].key == v[i].key && v[i - 1].seq < v[i].seq));
	step_index_written(ix);
	assert_int_equal(step_index_pending(ix), 0);
	size_t cursor = 0;
	assert_false(step_index_find(ix, key_of(7), &cursor, &seq));
	uint64_t period = 0;
	assert_true(step_index_maybe(ix, key_of(7), &period)); /* it is in the table now */
	step_index_free(&ix);
}

static void test_filters_are_saved_loaded_and_forgotten(void **state)
{
	(void)state;
	struct step_index *ix = step_index_new(), *again = step_index_new();
	step_index_add(ix, key_of(1), PER_PERIOD + 1);
	step_index_add(ix, key_of(2), 5 * PER_PERIOD + 1);
	assert_int_equal(step_index_filter(ix, 3).n, 0);
	assert_true(step_index_load(again, 5, step_index_filter(ix, 5)));
	assert_true(step_index_load(again, 1, step_index_filter(ix, 1)));
	assert_false(step_index_load(again, 9, VIEW("short")));
	uint64_t period = 1;
	assert_true(step_index_maybe(again, key_of(2), &period));
	assert_int_equal(period, 5);
	period = 1;
	assert_true(step_index_maybe(again, key_of(1), &period));
	assert_int_equal(period, 1);
	period = 2;
	assert_false(step_index_maybe(again, key_of(1), &period));
	step_index_forget(again, 1);
	period = 2;
	assert_true(step_index_maybe(again, key_of(2), &period));
	step_index_forget(again, 5);
	assert_false(step_index_maybe(again, key_of(2), &period));
	step_index_free(&ix);
	step_index_free(&again);
}

/* Memory is bounded; what has no filter any more is asked in the database. */
static void test_old_periods_are_asked_in_the_database(void **state)
{
	(void)state;
	struct step_index *ix = step_index_new();
	for (uint64_t period = 0; period < STEP_FILTERS_MAX + 3; period++)
		step_index_add_written(ix, key_of(period), period);
	uint64_t period = 1;
	assert_true(step_index_maybe(ix, key_of(123456789), &period));
	assert_int_equal(period, 1);
	period = 3;
	assert_false(step_index_maybe(ix, key_of(123456789), &period));
	step_index_add_written(ix, key_of(1), 1); /* too old to be kept */
	assert_int_equal(step_index_filter(ix, 1).n, 0);
	step_index_free(&ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_of_one_identifier_lie_together),
		cmocka_unit_test(test_filter_forgets_none_and_takes_few_for_known),
		cmocka_unit_test(test_unwritten_entries_are_found_until_written),
		cmocka_unit_test(test_filters_are_saved_loaded_and_forgotten),
		cmocka_unit_test(test_old_periods_are_asked_in_the_database),
	};
	return cmocka_run_group_tests_name("step index", tests, NULL, NULL);
}
