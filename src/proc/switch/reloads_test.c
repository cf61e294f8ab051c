/* reloads_test.c - RELOAD goes to the supervisor, and its answer to who has asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

static void ask(struct bench *b, struct player *p, uint64_t id, bool dry)
{
	const struct msg_reload m = { .id = id, .dry = dry, .who = VIEW("olga\nmallory") };
	put_msg_reload(chan_begin(p->control, MSG_RELOAD), &m);
	chan_end(p->control);
	fake_env_settle(b->env);
}

static void answer(struct bench *b, uint64_t id, enum process_reloaded how, const char *text)
{
	switch_reloaded(b->sw, id, how, view_str(text));
	fake_env_settle(b->env);
}

static void test_the_answer_comes_to_who_has_asked(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	struct player *other = &b->program[0];
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, other, PROCESS_TOOL, 0);
	ask(b, &b->tool, 7, false);
	assert_false(b->is_dry);
	assert_string_equal(b->reload_who, "olga mallory"); /* on one line: it stands in events */
	ask(b, other, 7, true); /* ids are each asker's own */
	assert_true(b->is_dry);
	assert_int_equal(b->n_reloads, 2);
	assert_true(b->reloads[0] != b->reloads[1]);
	assert_int_equal(b->tool.n_reloaded + other->n_reloaded, 0);

	answer(b, b->reloads[1], PROCESS_RELOAD_DRY, "a: 1 -> 2\n");
	assert_int_equal(b->tool.n_reloaded, 0);
	assert_int_equal(other->n_reloaded, 1);
	assert_int_equal(other->reloaded.id, 7);
	assert_int_equal(other->reloaded.how, PROCESS_RELOAD_DRY);
	assert_true(view_eq(other->reloaded.text, VIEW("a: 1 -> 2\n")));
	answer(b, b->reloads[0], PROCESS_RELOAD_WRONG, "x.yaml:1:1: a tab");
	assert_int_equal(b->tool.n_reloaded, 1);
	assert_int_equal(b->tool.reloaded.how, PROCESS_RELOAD_WRONG);
	answer(b, b->reloads[0], PROCESS_RELOADED, ""); /* once */
	assert_int_equal(b->tool.n_reloaded, 1);
	bench_free(b);
}

static void test_an_asker_that_has_gone_is_forgotten(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	ask(b, &b->tool, 1, false);
	ask(b, &b->tool, 2, false);
	bench_leave(b, &b->tool);
	answer(b, b->reloads[0], PROCESS_RELOADED, "late");
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	answer(b, b->reloads[1], PROCESS_RELOADED, "late");
	assert_int_equal(b->tool.n_reloaded, 0);
	ask(b, &b->tool, 3, false); /* not answered: freed with its asker */
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_answer_comes_to_who_has_asked),
		cmocka_unit_test(test_an_asker_that_has_gone_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
