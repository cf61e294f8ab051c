/* interchange_test.c - both ways through a real postoffice, and what may go wrong with it. */
#include "proc/interchange/interchange_testing.h"

#include "base/mem.h"

static void test_a_letter_goes_out(void **state)
{
	(void)state;
	struct world *w = world_new("");
	struct po_bag_entry entries[HEARD];
	assert_string_equal(interchange_state(w->x), "attached");
	say_open(w, 1);
	assert_int_equal(w->ups, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	if (!w->results[0].delivered)
		fail_msg("%s", w->results[0].err.text);
	assert_int_equal(count_records(w, "TEST/NEAR", entries), 1);
	assert_string_equal(entries[0].header.subject, "A subject");
	const struct mai m = read_message(w, "TEST/NEAR", 0);
	assert_true(view_eq(m.text, VIEW("Hello.")));
	struct mm_envelope v;
	struct err e;
	assert_true(postoffice_read_envelope(w->po, &entries[0].header.mai, w->a, &v, &e));
	assert_int_equal(v.state, MM_READY);
	assert_int_equal(v.n_hops, 1);
	assert_int_equal(w->n_offers, 0);
	assert_true(was_told(w, "msmail.passed"));
	world_free(w);
}

static void test_a_letter_comes_in(void **state)
{
	(void)state;
	struct world *w = world_new("");
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Lunch", "At one?", NULL);
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offers[0].message.n_rcpt, 1);
	assert_true(memmem(w->offers[0].content.p, w->offers[0].content.n, "At one?", 7) != NULL);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_false(has_file(w, "P1", ".P1"));
	assert_true(was_told(w, "msmail.taken"));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter_goes_out),
		cmocka_unit_test(test_a_letter_comes_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
