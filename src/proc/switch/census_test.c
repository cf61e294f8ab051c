/* census_test.c - control blocks of the switch: all that begins ends, and who asks is told of every process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>

#include "proc/switch/switch_testing.h"
#include "proc/table/rows.h"

#if defined(__SANITIZE_ADDRESS__)
enum { CONNECTS = 2000, HEAP_IS_KNOWN = 0 };
#else
enum { CONNECTS = 100000, HEAP_IS_KNOWN = 1 };
#endif

#define PATIENT                                                                                                          \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n"          \
	"expiry:\n  normal: 365 d\nlinks:\n  - name: to-a\n    remote-mta-name: mta-a\n"                                  \
	"  - name: to-c\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-c\n    open-interval: 10 ms\n"             \
	"    max-open-retries: 1000000\nroutes:\n  - match: \"C=JP; A=SIM; P=c\"\n    to: to-c\n"

/* What is allocated, without what the players have heard. */
static size_t heap(const struct bench *b)
{
	const struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd - arena_used(b->a);
}

static struct blocks rest(struct bench *b)
{
	struct blocks x;
	fake_env_settle(b->env);
	switch_blocks(b->sw, &x);
	return x;
}

static void same_rest(struct bench *b, const struct blocks *before)
{
	const struct blocks x = rest(b);
	for (enum block i = 0; i < BLOCK_COUNT; i++)
		if (x.n[i] != before->n[i])
			fail_msg("%s: %llu, were %llu", block_name(i), (unsigned long long)x.n[i], (unsigned long long)before->n[i]);
}

static void refuse(struct bench *b, struct player *p, unsigned n)
{
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "connect to 127.0.0.1:3: Connection refused");
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(p->n_opens, 1);
		const uint64_t id = last_open(p);
		p->n_opens = 0;
		say_assoc(p, MSG_ASSOC_DOWN, id, "to-c", &why);
		fake_env_pass(b->env, 20);
	}
}

/* There: each failed connect cost a control block of the pool, until the MTA had none left and had to be started again. */
static void test_k193894_k229643_k247419_k247133_k200259_k166602_refused_connects_leak_nothing(void **state)
{
	(void)state;
	struct bench *b = bench_with(PATIENT);
	struct player *p = &b->link[0];
	bench_join(b, p, PROCESS_LINK, 1);
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C), VIEW("x"))->accepted);
	refuse(b, p, 200);
	const struct blocks before = rest(b);
	const size_t held = HEAP_IS_KNOWN ? heap(b) : 0;
	refuse(b, p, CONNECTS);
	same_rest(b, &before);
	assert_int_equal(before.n[BLOCK_ASSOCIATIONS], 1); /* the attempt under way */
	assert_int_equal(counts_of(b).transfers, 1);
	if (HEAP_IS_KNOWN)
		assert_true(heap(b) < held + (1 << 20)); /* the arena's own room */
	bench_free(b);
}

static void test_what_is_over_is_gone(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	bench_join(b, p, PROCESS_LINK, 1);
	const struct blocks before = rest(b);
	for (unsigned i = 0; i < 50; i++) {
		char id[16];
		snprintf(id, sizeof id, "%u", i);
		assert_true(offer_of(p, "to-a", LETTER(b, id, TO_C), VIEW("x"))->accepted);
		if (i == 0)
			open_up(p);
		assert_int_equal(p->n_transfers, i + 1);
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
		fake_env_pass(b->env, 50);
	}
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	fake_env_pass(b->env, 50);
	same_rest(b, &before);
	bench_free(b);
}

/* --- asking --- */
static void ask(struct player *p, uint64_t id)
{
	const struct msg_row m = { .id = id };
	put_msg_row(chan_begin(p->control, MSG_BLOCKS), &m);
	chan_end(p->control);
	fake_env_settle(p->b->env);
}

static void answer(struct player *p, const char *name)
{
	const struct blocks blocks = { { 5 } };
	struct out pairs;
	out_init(&pairs, 4000);
	put_blocks(&pairs, name, &blocks);
	const struct msg_row m = { .id = p->blocks.id, .pairs = out_view(&pairs) };
	put_msg_row(chan_begin(p->control, MSG_BLOCKS), &m);
	chan_end(p->control);
	out_fini(&pairs);
	fake_env_settle(p->b->env);
}

static bool says(struct player *p, const char *name)
{
	struct cur c = cur_of(p->blocks.pairs);
	struct row_field process, count;
	return rows_next(&c, &process) && view_eq(process.name, VIEW("process")) && view_eq(process.value, view_str(name)) && !process.is_number &&
	       rows_next(&c, &count) && view_eq(count.name, VIEW("associations")) && count.is_number;
}

static void test_who_asks_hears_of_every_process(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	struct player *one = &b->link[0], *two = &b->link[1], *tool = &b->tool;
	bench_join(b, tool, PROCESS_TOOL, 0);
	ask(tool, 7); /* no link */
	assert_int_equal(tool->n_blocks, 1);
	assert_true(says(tool, "switch"));
	assert_int_equal(tool->n_done, 1);
	bench_join(b, one, PROCESS_LINK, 1);
	bench_join(b, two, PROCESS_LINK, 2);
	ask(tool, 8);
	assert_int_equal(one->n_blocks + two->n_blocks, 2);
	answer(one, "link-1");
	assert_true(says(tool, "link-1"));
	assert_int_equal(tool->n_done, 1);
	answer(two, "link-2");
	assert_int_equal(tool->n_blocks, 4);
	assert_int_equal(tool->blocks.id, 8);
	assert_int_equal(tool->n_done, 2);
	answer(two, "link-2"); /* nobody waits for it */
	assert_int_equal(tool->n_blocks, 4);
	bench_free(b);
}

/* One that hangs, and one that asks no more. */
static void test_nobody_waits_for_ever(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	struct player *one = &b->link[0], *tool = &b->tool;
	bench_join(b, tool, PROCESS_TOOL, 0);
	bench_join(b, one, PROCESS_LINK, 1);
	ask(tool, 8);
	assert_int_equal(tool->n_done, 0);
	fake_env_pass(b->env, 1100);
	assert_int_equal(tool->n_done, 1);
	ask(tool, 9);
	bench_leave(b, tool);
	answer(one, "link-1");
	fake_env_pass(b->env, 1100);
	ask(one, 5); /* not a link's to ask: an answer to nothing */
	assert_int_equal(one->closed, 0);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k193894_k229643_k247419_k247133_k200259_k166602_refused_connects_leak_nothing),
		cmocka_unit_test(test_what_is_over_is_gone),
		cmocka_unit_test(test_who_asks_hears_of_every_process),
		cmocka_unit_test(test_nobody_waits_for_ever),
	};
	return cmocka_run_group_tests_name("control blocks of the switch", tests, NULL, NULL);
}
