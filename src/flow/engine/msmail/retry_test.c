/* When an outbound mailbag gives up: both as many real failures as `retries` and `give_up_ms` since the first of them. Times are in ms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/engine/msmail/retry.h"

static const struct retry_policy policy = { .retries = 3, .give_up_ms = 1000 };
static const struct mm_id one = { "00000001" }, two = { "00000002" };

static void k113119_neither_count_nor_time_is_enough_alone(void **state)
{
	(void)state;
	struct retry r;
	retry_init(&r);
	assert_false(retry_is_over(&r, &policy, &one, 0, 100000)); /* never tried: never given up */
	for (wall_ms_t at = 100; at <= 500; at += 100)
		retry_failed(&r, &one, at);
	assert_false(retry_is_over(&r, &policy, &one, 0, 1099)); /* five failures, but soon after each other */
	assert_true(retry_is_over(&r, &policy, &one, 0, 1100));
	retry_failed(&r, &two, 100);
	retry_failed(&r, &two, 200);
	assert_false(retry_is_over(&r, &policy, &two, 0, 100000)); /* long ago, but only two */
	retry_fini(&r);
}

static void k277831_a_peer_that_is_away_is_given_up(void **state)
{
	(void)state;
	struct retry r;
	retry_init(&r);
	for (wall_ms_t at = 0; at <= 1000; at += 500)
		retry_probe_failed(&r, at);
	assert_true(retry_is_over(&r, &policy, &one, 0, 1000));
	assert_false(retry_is_over(&r, &policy, &two, 300, 1000)); /* it came later: two failures are its own */
	assert_int_equal(retry_count(&r, &two, 300), 2);
	retry_probe_failed(&r, 1500);
	assert_true(retry_is_over(&r, &policy, &two, 300, 1500));
	retry_fini(&r);
}

static void k118619_a_peer_that_is_back_is_forgiven(void **state)
{
	(void)state;
	struct retry r;
	retry_init(&r);
	for (wall_ms_t at = 0; at < 10; at++)
		retry_probe_failed(&r, at);
	retry_probe_good(&r);
	assert_int_equal(retry_count(&r, &one, 0), 0);
	assert_false(retry_is_over(&r, &policy, &one, 0, 100000));
	retry_fini(&r);
}

static void both_kinds_count_together(void **state)
{
	(void)state;
	struct retry r;
	retry_init(&r);
	retry_failed(&r, &one, 100);
	retry_probe_failed(&r, 200);
	assert_false(retry_is_over(&r, &policy, &one, 0, 5000));
	retry_probe_failed(&r, 300);
	assert_false(retry_is_over(&r, &policy, &one, 0, 1099));
	assert_true(retry_is_over(&r, &policy, &one, 0, 1100)); /* from the first of all */
	retry_done(&r, &one);
	assert_int_equal(retry_count(&r, &one, 0), 2);
	retry_fini(&r);
}

static void joining_never_counts_more_and_keeps_the_first(void **state)
{
	(void)state;
	struct retry r;
	const uint64_t n = 10000;
	retry_init(&r);
	for (uint64_t i = 0; i < n; i++)
		retry_probe_failed(&r, (wall_ms_t)(i * 10));
	assert_true(r.n_probes <= RETRY_PROBES_MAX);
	assert_int_equal(retry_count(&r, &one, 0), n);
	for (wall_ms_t since = 1; since < (wall_ms_t)n * 10; since += 997)
		assert_true(retry_count(&r, &one, since) <= n - (uint64_t)since / 10);
	assert_int_equal(r.probes[0].at, 0);
	retry_fini(&r);
}

/* Whatever its date says: failures count from the round that found it. */
static void k118619_what_came_later_has_failed_less(void **state)
{
	(void)state;
	struct retry r;
	bool changed = false;
	retry_init(&r);
	assert_int_equal(retry_seen(&r, &one, 50, &changed), 50); /* the peer is there: nothing to remember */
	assert_int_equal(r.n_messages, 0);
	assert_false(changed);
	for (wall_ms_t at = 100; at <= 1100; at += 500)
		retry_probe_failed(&r, at);
	assert_int_equal(retry_seen(&r, &one, 100, &changed), 100);
	assert_true(changed);
	assert_int_equal(retry_seen(&r, &two, 1101, &changed), 1101);
	changed = false;
	assert_int_equal(retry_seen(&r, &one, 1101, &changed), 100); /* the first time counts */
	assert_false(changed);
	assert_true(retry_is_over(&r, &policy, &one, 100, 1101));
	assert_false(retry_is_over(&r, &policy, &two, 1101, 100000));
	assert_false(retry_is_over(&r, &policy, &one, RETRY_NEVER, 100000));
	retry_failed(&r, &two, 1200); /* its first failure, not when it was seen */
	assert_int_equal(r.messages[1].first, 1200);
	retry_fini(&r);
}

static bool is_two(const void *ctx, const struct mm_id *id)
{
	(void)ctx;
	return mm_same(id->s, two.s);
}

static void what_somebody_took_is_forgotten(void **state)
{
	(void)state;
	struct retry r;
	retry_init(&r);
	retry_failed(&r, &one, 1);
	retry_failed(&r, &two, 2);
	assert_true(retry_keep(&r, is_two, NULL));
	assert_false(retry_keep(&r, is_two, NULL));
	assert_int_equal(r.n_messages, 1);
	assert_int_equal(retry_count(&r, &two, RETRY_NEVER), 1);
	retry_fini(&r);
}

static void text_and_back(void **state)
{
	(void)state;
	struct retry r, back;
	struct out o;
	retry_init(&r);
	retry_init(&back);
	retry_probe_failed(&r, 1700000000123);
	retry_failed(&r, &one, 5);
	retry_failed(&r, &one, 6);
	bool changed;
	retry_seen(&r, &two, 1700000000100, &changed);
	out_init(&o, 10000);
	retry_print(&r, &o);
	assert_string_equal(out_cstr(&o), "P 1700000000123 1\nF 00000001 5 2\nW 00000002 1700000000100 1\n");
	out_str(&o, "S 00000001 2\nP x y\nF zz 1 1\nP 7\n\n");
	retry_parse(&back, out_view(&o));
	assert_int_equal(back.n_probes, 1);
	assert_int_equal(back.probes[0].at, 1700000000123);
	assert_int_equal(back.n_messages, 2);
	assert_int_equal(retry_seen(&back, &two, 1800000000000, &changed), 1700000000100);
	assert_int_equal(back.messages[0].first, 5);
	assert_int_equal(retry_count(&back, &one, 0), 3);
	out_fini(&o);
	retry_fini(&r);
	retry_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(k113119_neither_count_nor_time_is_enough_alone), cmocka_unit_test(k277831_a_peer_that_is_away_is_given_up),
		cmocka_unit_test(k118619_a_peer_that_is_back_is_forgiven), cmocka_unit_test(both_kinds_count_together),
		cmocka_unit_test(joining_never_counts_more_and_keeps_the_first), cmocka_unit_test(text_and_back),
		cmocka_unit_test(k118619_what_came_later_has_failed_less), cmocka_unit_test(what_somebody_took_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
