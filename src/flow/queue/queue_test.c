/* queue_test.c - the X.400 Connector's timers and limits, and the window. The defaults are those of
 * its property pages (Knowledge Base Q234157, Q185934). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/queue/queue.h"

static void test_defaults(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	assert_int_equal(p.max_open_retries, 144);
	assert_int_equal(p.max_transfer_retries, 2);
	assert_int_equal(p.open_interval_ms, 600000);
	assert_int_equal(p.transfer_interval_ms, 120000);
	assert_int_equal(p.threshold, 50);
	assert_int_equal(p.max_associations, 10);
	assert_int_equal(p.timeout_s_per_k[PRIORITY_URGENT], 1000);
	assert_int_equal(p.timeout_s_per_k[PRIORITY_NORMAL], 2000);
	assert_int_equal(p.timeout_s_per_k[PRIORITY_NON_URGENT], 3000);
	assert_int_equal(p.expiry_ms[PRIORITY_URGENT], 172800000);
	assert_int_equal(p.expiry_ms[PRIORITY_NORMAL], 604800000);
	assert_int_equal(p.expiry_ms[PRIORITY_NON_URGENT], 864000000);
}

static void test_delays_grow_to_the_interval(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	p.open_interval_ms = 1000;
	p.transfer_interval_ms = 200;
	static const uint64_t want[] = {250, 250, 500, 1000, 1000, 1000};
	for (uint32_t n = 0; n < ARRAY_LEN(want) + 1; n++) {
		const uint32_t failures = n < ARRAY_LEN(want) ? n : UINT32_MAX;
		uint64_t low = UINT64_MAX, high = 0;
		for (uint64_t random = 0; random < 5000; random++) {
			uint64_t d = queue_open_delay(&p, failures, random);
			low = d < low ? d : low;
			high = d > high ? d : high;
			assert_in_range(queue_transfer_delay(&p, failures, random), 180, 220);
		}
		const uint64_t whole = n < ARRAY_LEN(want) ? want[n] : 1000;
		assert_int_equal(low, whole - whole / 10);
		assert_int_equal(high, whole); /* never over the interval */
	}
	p.open_interval_ms = 0;
	assert_int_equal(queue_open_delay(&p, 3, 12345), 0);
	p.open_interval_ms = p.transfer_interval_ms = UINT64_MAX;
	assert_true(queue_open_delay(&p, 100, UINT64_MAX) > UINT64_MAX / 2); /* no wrap to a short one */
	assert_true(queue_transfer_delay(&p, 100, UINT64_MAX) > UINT64_MAX / 4);
}

static void test_giving_up(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	assert_false(queue_gives_up(&p, 0));
	assert_false(queue_gives_up(&p, 2));
	assert_true(queue_gives_up(&p, 3));
	assert_false(queue_gives_up_open(&p, 144));
	assert_true(queue_gives_up_open(&p, 145));
	p.max_transfer_retries = 0;
	assert_true(queue_gives_up(&p, 1));
}

/* RP-13: a timer for each priority. */
static void test_rp_13_expiry_by_priority(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	const wall_ms_t now = 1700000000000, day = 86400000;
	assert_int_equal(queue_expires(&p, PRIORITY_URGENT, now, 0), now + 2 * day);
	assert_int_equal(queue_expires(&p, PRIORITY_NORMAL, now, 0), now + 7 * day);
	assert_int_equal(queue_expires(&p, PRIORITY_NON_URGENT, now, 0), now + 10 * day);
	assert_int_equal(queue_expires(&p, PRIORITY_NORMAL, now, now + day), now + day);
	assert_int_equal(queue_expires(&p, PRIORITY_NORMAL, now, now + 8 * day), now + 7 * day);
	assert_int_equal(queue_expires(&p, PRIORITY_NORMAL, now, now - day),
			 now - day); /* past already */
	assert_int_equal(queue_expires(&p, PRIORITY_URGENT, 0, 0), 2 * day);
	assert_int_equal(queue_expires(&p, PRIORITY_URGENT, -5, 0), 2 * day - 5);
	p.expiry_ms[PRIORITY_NORMAL] = UINT64_MAX;
	assert_int_equal(queue_expires(&p, PRIORITY_NORMAL, now, 0), INT64_MAX);
}

static void test_associations(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	static const struct {
		uint64_t queued;
		unsigned ordinary, urgent;
	} cases[] = {
		{0, 0, 0},   {1, 1, 1},	  {2, 1, 2},	{50, 1, 2},   {51, 2, 3},
		{100, 2, 3}, {101, 3, 4}, {450, 9, 10}, {451, 9, 10}, {UINT64_MAX, 9, 10},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(queue_associations(&p, cases[i].queued, false), cases[i].ordinary);
		assert_int_equal(queue_associations(&p, cases[i].queued, true), cases[i].urgent);
	}
	p.max_associations = 2;
	assert_int_equal(queue_associations(&p, 1000, false), 1);
	assert_int_equal(queue_associations(&p, 1000, true), 2);
	p.max_associations = 1; /* none can be kept back */
	assert_int_equal(queue_associations(&p, 1000, false), 1);
	assert_int_equal(queue_associations(&p, 1000, true), 1);
	p.max_associations = 20;
	p.threshold = 0;
	assert_int_equal(queue_associations(&p, 7, false), 7);
	p.max_associations = 0;
	assert_int_equal(queue_associations(&p, 7, true), 0);
}

/* The tenth of ten is for urgent mail; of one, none can be kept. */
static void test_the_last_is_kept(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	assert_false(queue_is_kept(&p, 8));
	assert_true(queue_is_kept(&p, 9));
	p.max_associations = 2;
	assert_false(queue_is_kept(&p, 0));
	assert_true(queue_is_kept(&p, 1));
	p.max_associations = 1;
	assert_false(queue_is_kept(&p, 0));
}

/* Q170056: soon after the first loss, later and later when nothing gets through. */
static void test_k170056_links_that_open_and_break(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default(); /* 600 s */
	for (uint64_t random = 0; random < 3000; random++) {
		assert_in_range(queue_reopen_delay(&p, 0, random), 4500, 5000);
		assert_in_range(queue_reopen_delay(&p, 1, random), 135000, 150000);
		assert_in_range(queue_reopen_delay(&p, 3, random), 540000, 600000);
		assert_in_range(queue_reopen_delay(&p, 1000, random), 540000, 600000);
	}
	p.open_interval_ms = 1000;
	assert_in_range(queue_reopen_delay(&p, 0, 7), 90, 100);
}

/* Q176489: attempts brought forward come at a distance, and use up no retries. */
static void test_k176489_attempts_brought_forward(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	assert_int_equal(queue_kick_delay(&p, 3600 * 1000, 0), 0);
	assert_int_equal(queue_kick_delay(&p, 0, 0), 5000);
	assert_int_equal(queue_kick_delay(&p, 2000, 0), 3000);
	uint64_t high = 0;
	for (uint64_t random = 0; random < 20000; random++) {
		const uint64_t d = queue_kick_delay(&p, 10000, random);
		high = d > high ? d : high;
	}
	assert_int_equal(high, 5000); /* spread over so long */
	p.open_interval_ms = 1000;
	assert_int_equal(queue_kick_delay(&p, 40, 0), 60);
	assert_false(queue_open_counts(&p, 9, 899));
	assert_true(queue_open_counts(&p, 9, 900)); /* the shortest the jitter makes of it */
	assert_false(queue_open_counts(&p, 1, 224));
	assert_true(queue_open_counts(&p, 1, 225));
	for (uint32_t failures = 1; failures < 9; failures++)
		for (uint64_t random = 0; random < 300; random++)
			assert_true(queue_open_counts(&p, failures, queue_open_delay(&p, failures, random)));
	p.open_interval_ms = 0;
	assert_true(queue_open_counts(&p, 1, 0));
	assert_int_equal(queue_kick_delay(&p, 0, 99), 0);
}

static void test_transfer_timeout(void **state)
{
	(void)state;
	struct queue_policy p = queue_policy_default();
	assert_int_equal(queue_transfer_timeout_ms(&p, PRIORITY_URGENT, 0), 1000000);
	assert_int_equal(queue_transfer_timeout_ms(&p, PRIORITY_URGENT, 1024), 1000000);
	assert_int_equal(queue_transfer_timeout_ms(&p, PRIORITY_NORMAL, 1025), 4000000);
	assert_int_equal(queue_transfer_timeout_ms(&p, PRIORITY_NON_URGENT, 10240), 30000000);
	assert_int_equal(queue_transfer_timeout_ms(&p, PRIORITY_NORMAL, UINT64_MAX), UINT64_MAX);
}

static struct queue_entry entry(uint64_t id, enum priority p)
{
	return (struct queue_entry){.transfer = id, .priority = p};
}

static void takes(struct queue_window *w, enum priority least, uint64_t want)
{
	struct queue_entry e = {0};
	assert_int_equal(queue_window_take(w, least, &e), want != 0);
	assert_int_equal(e.transfer, want);
}

/* RP-07, PF-06: urgent goes first, within a priority the oldest. */
static void test_window_order(void **state)
{
	(void)state;
	struct queue_window *w = queue_window_new(1000);
	assert_true(queue_window_push(w, entry(1, PRIORITY_NON_URGENT)));
	assert_true(queue_window_push(w, entry(2, PRIORITY_NORMAL)));
	assert_true(queue_window_push(w, entry(3, PRIORITY_NORMAL)));
	assert_true(queue_window_push(w, entry(4, PRIORITY_URGENT)));
	assert_int_equal(queue_window_total(w), 4);
	assert_int_equal(queue_window_count(w, PRIORITY_NORMAL), 2);
	takes(w, PRIORITY_NON_URGENT, 4);
	takes(w, PRIORITY_URGENT, 0);
	takes(w, PRIORITY_NORMAL, 2);
	queue_window_unget(w, entry(2, PRIORITY_NORMAL));
	takes(w, PRIORITY_NON_URGENT, 2);
	takes(w, PRIORITY_NORMAL, 3);
	takes(w, PRIORITY_NORMAL, 0);
	takes(w, PRIORITY_NON_URGENT, 1);
	takes(w, PRIORITY_NON_URGENT, 0);
	assert_int_equal(queue_window_total(w), 0);
	queue_window_free(&w);
	assert_null(w);
	queue_window_free(&w);
}

static void test_window_is_bounded_and_asks_for_more(void **state)
{
	(void)state;
	struct queue_window *w = queue_window_new(100);
	assert_true(queue_window_wants_refill(w, PRIORITY_NORMAL));
	for (uint64_t i = 1; i <= 100; i++)
		assert_true(queue_window_push(w, entry(i, PRIORITY_NORMAL)));
	assert_false(queue_window_push(w, entry(101, PRIORITY_NORMAL)));
	assert_true(queue_window_push(
		w, entry(102, PRIORITY_URGENT))); /* a full priority keeps no other out */
	assert_int_equal(queue_window_room(w, PRIORITY_NORMAL), 0);
	takes(w, PRIORITY_NORMAL, 102);
	for (uint64_t i = 1; i <= 75; i++) {
		assert_false(queue_window_wants_refill(w, PRIORITY_NORMAL));
		takes(w, PRIORITY_NORMAL, i);
	}
	assert_int_equal(queue_window_count(w, PRIORITY_NORMAL), 25);
	assert_false(queue_window_wants_refill(w, PRIORITY_NORMAL));
	takes(w, PRIORITY_NORMAL, 76);
	assert_true(queue_window_wants_refill(w, PRIORITY_NORMAL));
	assert_int_equal(queue_window_room(w, PRIORITY_NORMAL), 76);
	queue_window_free(&w);
}

/* What comes back goes in even when its place was filled meanwhile: nothing taken is lost. */
static void test_unget_into_a_full_window(void **state)
{
	(void)state;
	struct queue_window *w = queue_window_new(16);
	for (uint64_t i = 1; i <= 16; i++)
		assert_true(queue_window_push(w, entry(i, PRIORITY_URGENT)));
	for (uint64_t i = 100; i < 120; i++)
		queue_window_unget(w, entry(i, PRIORITY_URGENT));
	assert_int_equal(queue_window_room(w, PRIORITY_URGENT), 0);
	for (uint64_t i = 120; i-- > 100;)
		takes(w, PRIORITY_NON_URGENT, i);
	for (uint64_t i = 1; i <= 16; i++)
		takes(w, PRIORITY_NON_URGENT, i);
	takes(w, PRIORITY_NON_URGENT, 0);
	queue_window_free(&w);
}

/* At every place of a ring that has wrapped, and the order of the others stays. */
static void test_window_remove(void **state)
{
	(void)state;
	for (uint64_t gone = 1; gone <= 16; gone++) {
		struct queue_window *w = queue_window_new(16);
		for (uint64_t i = 0; i < 10; i++) { /* the ring begins at 10 of 16 */
			assert_true(queue_window_push(w, entry(100 + i, PRIORITY_NORMAL)));
			takes(w, PRIORITY_NORMAL, 100 + i);
		}
		for (uint64_t i = 1; i <= 16; i++)
			assert_true(queue_window_push(w, entry(i, PRIORITY_NORMAL)));
		assert_false(queue_window_remove(w, PRIORITY_URGENT, gone));
		assert_false(queue_window_remove(w, PRIORITY_NORMAL, 17));
		assert_true(queue_window_remove(w, PRIORITY_NORMAL, gone));
		assert_false(queue_window_remove(w, PRIORITY_NORMAL, gone));
		assert_int_equal(queue_window_total(w), 15);
		assert_true(queue_window_push(w, entry(17, PRIORITY_NORMAL)));
		for (uint64_t i = 1; i <= 17; i++)
			if (i != gone)
				takes(w, PRIORITY_NORMAL, i);
		takes(w, PRIORITY_NON_URGENT, 0);
		queue_window_free(&w);
	}
}

/* Against a plain model: the ring wraps and grows at every offset. */
static void test_window_against_a_model(void **state)
{
	(void)state;
	struct queue_window *w = queue_window_new(40);
	uint64_t pushed = 0, taken = 0, seed = 1;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		if ((seed >> 60) < 9) {
			bool ok = queue_window_push(w, entry(pushed + 1, PRIORITY_NORMAL));
			assert_int_equal(ok, pushed - taken < 40);
			pushed += ok;
		} else {
			takes(w, PRIORITY_NON_URGENT, pushed > taken ? taken + 1 : 0);
			taken += pushed > taken;
		}
		assert_int_equal(queue_window_total(w), pushed - taken);
	}
	queue_window_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_delays_grow_to_the_interval),
		cmocka_unit_test(test_giving_up),
		cmocka_unit_test(test_rp_13_expiry_by_priority),
		cmocka_unit_test(test_associations),
		cmocka_unit_test(test_the_last_is_kept),
		cmocka_unit_test(test_k170056_links_that_open_and_break),
		cmocka_unit_test(test_k176489_attempts_brought_forward),
		cmocka_unit_test(test_transfer_timeout),
		cmocka_unit_test(test_window_order),
		cmocka_unit_test(test_window_is_bounded_and_asks_for_more),
		cmocka_unit_test(test_unget_into_a_full_window),
		cmocka_unit_test(test_window_remove),
		cmocka_unit_test(test_window_against_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
