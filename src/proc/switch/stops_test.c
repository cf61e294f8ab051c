/* stops_test.c - the operator's hand on a link, in a real switch: what is stopped stays so, whatever ends and begins anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"
#include "proc/table/rows.h"

#include "proc/switch/switch_int.h" /* its links are looked at */

static void act(struct bench *b, enum msg_link_act what, const char *link, bool good)
{
	const unsigned done = b->tool.n_done, refused = b->tool.n_refused;
	const struct msg_link_act_on m = { .id = 9, .act = what, .link = view_str(link), .who = VIEW("olga"), .why = VIEW("a test") };
	put_msg_link_act_on(chan_begin(b->tool.control, MSG_LINK_ACT), &m);
	chan_end(b->tool.control);
	fake_env_settle(b->env);
	assert_int_equal(b->tool.n_done, done + 1);
	assert_int_equal(b->tool.n_refused, refused + !good);
}

static const char *state_of(struct bench *b, const char *link)
{
	return dispatch_state(switch_link(b->sw, view_str(link)));
}

static struct bench *with_letter(void)
{
	struct bench *b = bench_new();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_true(offer_of(&b->tool, "", LETTER(b, "0", TO_C), VIEW("x"))->accepted);
	return b;
}

static void refuse_opening(struct player *p)
{
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "connection refused");
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", &why);
}

static void test_retry_does_not_wait(void **state)
{
	(void)state;
	struct bench *b = with_letter();
	struct player *p = &b->link[0];
	refuse_opening(p);
	assert_string_equal(state_of(b, "to-c"), "waiting");
	const size_t opens = p->n_opens;
	act(b, LINK_ACT_RETRY, "to-c", true);
	assert_int_equal(p->n_opens, opens + 1);
	assert_string_equal(state_of(b, "to-c"), "opening");
	act(b, LINK_ACT_RETRY, "nobody", false);
	bench_free(b);
}

static void test_a_stopped_link_opens_nothing(void **state)
{
	(void)state;
	struct bench *b = with_letter();
	struct player *p = &b->link[0];
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	act(b, LINK_ACT_STOP, "to-c", true);
	assert_string_equal(state_of(b, "to-c"), "stopped");
	assert_int_equal(p->n_closes, 1); /* in order, when what is in hand is done */
	assert_int_equal(p->link_act.act, LINK_ACT_STOP);
	assert_true(view_eq(p->link_act.link, VIEW("to-c"))); /* its calls are to be answered busy */
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	say_assoc(p, MSG_ASSOC_DOWN, p->closes[0], "to-c", NULL);
	const size_t opens = p->n_opens;
	assert_true(offer_of(&b->tool, "", LETTER(b, "1", TO_C), VIEW("y"))->accepted);
	fake_env_pass(b->env, 3600 * 1000);
	assert_int_equal(p->n_opens, opens);
	assert_int_equal(counts_of(b).transfers, 1); /* it waits */
	act(b, LINK_ACT_RETRY, "to-c", false);
	act(b, LINK_ACT_START, "to-c", true);
	assert_int_equal(p->link_act.act, LINK_ACT_START);
	assert_int_equal(p->n_opens, opens + 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	bench_free(b);
}

static void test_it_stays_stopped_for_the_next_switch(void **state)
{
	(void)state;
	struct bench *b = with_letter();
	act(b, LINK_ACT_STOP, "to-c", true);
	for (int i = 0; i < 2; i++) {
		bench_leave(b, &b->link[0]);
		bench_leave(b, &b->tool);
		bench_switch_dies(b, "");
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
		bench_join(b, &b->link[0], PROCESS_LINK, 1);
		assert_string_equal(state_of(b, "to-c"), i == 0 ? "stopped" : "opening");
		assert_int_equal(b->link[0].n_link_acts, i == 0); /* a link process hears it before it takes a call */
		assert_int_equal(b->link[0].n_opens, i);
		if (i == 0)
			act(b, LINK_ACT_START, "to-c", true);
	}
	bench_free(b);
}

static void test_close_opens_anew_when_mail_waits(void **state)
{
	(void)state;
	struct bench *b = with_letter();
	struct player *p = &b->link[0];
	open_up(p);
	const size_t opens = p->n_opens;
	assert_true(offer_of(&b->tool, "", LETTER(b, "1", TO_C), VIEW("y"))->accepted);
	assert_true(offer_of(&b->tool, "", LETTER(b, "2", TO_C), VIEW("z"))->accepted);
	act(b, LINK_ACT_CLOSE, "to-c", true);
	assert_int_equal(p->n_closes, 1);
	assert_int_equal(p->n_opens, opens + 1); /* what waits gets another one */
	bench_free(b);
}

static void test_associations_are_listed(void **state)
{
	(void)state;
	struct bench *b = with_letter();
	open_up(&b->link[0]);
	say_assoc(&b->link[0], MSG_ASSOC_UP, MSG_INBOUND_BIT | 5, "to-c", NULL);
	act(b, LINK_ACT_LIST, "to-c", true);
	assert_int_equal(b->tool.n_rows, 2);
	struct cur c = cur_of(b->tool.row.pairs);
	struct row_field id, direction;
	assert_true(rows_next(&c, &id) && view_eq(id.name, VIEW("id")) && id.is_number && id.number == 5);
	assert_true(rows_next(&c, &direction) && view_eq(direction.name, VIEW("direction")) && view_eq(direction.value, VIEW("in")));
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry_does_not_wait),
		cmocka_unit_test(test_a_stopped_link_opens_nothing),
		cmocka_unit_test(test_it_stays_stopped_for_the_next_switch),
		cmocka_unit_test(test_close_opens_anew_when_mail_waits),
		cmocka_unit_test(test_associations_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
