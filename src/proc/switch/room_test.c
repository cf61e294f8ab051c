/* room_test.c - exhaustion is back-pressure: what is refused, what goes on, when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

enum { MIB = 1 << 20, ONE_CHECK_MS = 2000 };


static struct bench *with_link(void)
{
	struct bench *b = bench_new(); /* store.min-free is 64 M */
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	return b;
}

static void set_free(struct bench *b, uint64_t octets)
{
	fake_env_set_disk_free(b->env, octets);
	fake_env_pass(b->env, ONE_CHECK_MS);
}

/* OP-02, Q152918, Q263835: with little room it stops accepting, keeps delivering, and is over with hysteresis. */
static void test_op_02_k152918_low_disk_refuses_and_delivers(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C), VIEW("x"))->accepted);
	assert_int_equal(p->n_busy, 1); /* told at its birth */
	assert_false(p->busy);
	set_free(b, 63 * MIB);
	assert_true(p->busy);
	assert_non_null(strstr(p->busy_why, "store.min-free"));
	const struct msg_answer *refused = offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"));
	assert_false(refused->accepted);
	assert_int_equal(refused->err.kind, ERR_TEMP);
	open_up(p); /* what is here goes on */
	assert_int_equal(p->n_transfers, 1);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	fake_env_settle(b->env);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_k263835_room_comes_back_with_hysteresis(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	set_free(b, 63 * MIB);
	set_free(b, 70 * MIB); /* more than min-free, less than a quarter more */
	assert_true(p->busy);
	assert_false(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	set_free(b, 81 * MIB);
	assert_false(p->busy);
	assert_int_equal(p->n_busy, 3);
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	set_free(b, 65 * MIB); /* and does not begin before min-free is reached again */
	assert_false(p->busy);
	bench_free(b);
}

/* Q196537: free space beyond 4 GB must not be cut to 32 bits. */
static void test_k196537_sizes_of_more_than_32_bits(void **state)
{
	(void)state;
	struct bench *b = with_link();
	set_free(b, (UINT64_C(1) << 32) + 5);
	assert_false(b->link[0].busy);
	bench_free(b);
}

static void test_a_link_that_comes_while_it_is_busy_is_told(void **state)
{
	(void)state;
	struct bench *b = with_link();
	set_free(b, 1);
	bench_join(b, &b->link[1], PROCESS_LINK, 1);
	assert_true(b->link[1].busy);
	bench_free(b);
}

/* What has been streamed in when it becomes busy may end; a new one may not begin. */
static void test_what_was_begun_may_end(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 7, "to-a", LETTER(b, "1", TO_US), (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	set_free(b, 1);
	say_piece(p, 7, VIEW("content"));
	say_count(p->bulk, MSG_OFFER_END, 7, 7);
	fake_env_settle(b->env);
	assert_int_equal(p->n_answers, 1);
	assert_true(p->answers[0].accepted);
	bench_free(b);
}

/* The quota for what is under way: the offers that fit go on, the one beyond is refused, and all are taken when some have ended. */
static void test_memory_quota_refuses_and_recovers(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	b->settings.limits.memory = 4 * MIB; /* 64 offers of 64 K */
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	struct player *p = &b->link[0];
	char id[16];
	uint64_t n = 0;
	while (!p->busy && n < 100) {
		snprintf(id, sizeof id, "m%llu", (unsigned long long)n);
		put_offer(p, p->bulk, MSG_OFFER_BEGIN, n++, "to-a", LETTER(b, id, TO_US), (struct view){ NULL, 0 });
		fake_env_settle(b->env);
	}
	assert_in_range(n, 50, 64);
	for (uint64_t i = 0; i < n; i++) {
		say_piece(p, i, VIEW("x"));
		say_count(p->bulk, MSG_OFFER_END, i, 1);
		fake_env_settle(b->env);
	}
	assert_int_equal(p->n_answers, n);
	size_t taken = 0;
	for (size_t i = 0; i < p->n_answers; i++)
		taken += p->answers[i].accepted;
	assert_int_equal(taken, n - 1);
	fake_env_pass(b->env, ONE_CHECK_MS);
	assert_false(p->busy);
	assert_true(offer_of(p, "to-a", LETTER(b, "last", TO_US), VIEW("x"))->accepted);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_02_k152918_low_disk_refuses_and_delivers),
		cmocka_unit_test(test_k263835_room_comes_back_with_hysteresis),
		cmocka_unit_test(test_k196537_sizes_of_more_than_32_bits),
		cmocka_unit_test(test_a_link_that_comes_while_it_is_busy_is_told),
		cmocka_unit_test(test_what_was_begun_may_end),
		cmocka_unit_test(test_memory_quota_refuses_and_recovers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
