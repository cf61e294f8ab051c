/* link_test.c - a link process and its associations. Bind errors are X.411's MTABindError (authentication-error 2, busy 0). */
#include "proc/link/link_testing.h"

#include "proc/link/link_int.h"

/* --- who calls --- */

static void test_a_wrong_password_is_bind_error_2(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.password = VIEW("secres");
	struct peer *p = call_with(w, 0, &c);
	assert_int_equal(p->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(p->bind_error, X400_AUTHENTICATION);
	assert_true(was_told(w, "link.bad-credentials"));
	assert_int_equal(w->ups, 0);
	c.own.has_password = false;
	assert_int_equal(call_with(w, 1, &c)->bind_error, X400_AUTHENTICATION);
	world_free(w);
}

static void test_an_unknown_mta_is_bind_error_2(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.mta_name = VIEW("mta-b");
	assert_int_equal(call_with(w, 0, &c)->bind_error, X400_AUTHENTICATION);
	assert_true(was_told(w, "link.unknown-peer"));
	world_free(w);
}

static void test_tp_10_an_unknown_selector_is_refused_by_transport(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("THEIRS");
	c.session.send_tsel = true;
	struct peer *p = call_with(w, 0, &c);
	assert_int_equal(p->seen[X400_BOUND], 0);
	assert_int_equal(p->seen[X400_ENDED] + p->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(w->ups, 0);
	world_free(w);
}

static void test_rt_26_k119303_k124737_over_the_limit_is_busy(void **state)
{
	(void)state;
	struct world *w = world_new();
	assert_int_equal(call(w, 0)->seen[X400_BOUND], 1);
	assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
	struct peer *third = call(w, 2); /* limits.associations is 2 */
	assert_int_equal(third->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(third->bind_error, X400_BUSY);
	assert_true(was_told(w, "link.association-limit"));
	assert_int_equal(w->ups, 2);
	/* What is counted is what lives now: neither the refused nor those that have gone, however long the others stay. */
	for (unsigned i = 0; i < 5; i++) {
		stream_close(&w->peer[1].stream, false);
		fake_env_pass(w->env, 20);
		peer_free(&w->peer[1]);
		peer_free(&w->peer[2]);
		w->peer[1] = w->peer[2] = (struct peer){ 0 };
		assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
		assert_int_equal(call(w, 2)->bind_error, X400_BUSY);
	}
	assert_int_equal(w->peer[0].seen[X400_ENDED], 0);
	world_free(w);
}

static void test_without_a_switch_callers_are_told_busy(void **state)
{
	(void)state;
	struct world *w = world_new();
	switch_leaves(w);
	assert_int_equal(call(w, 0)->bind_error, X400_BUSY);
	switch_joins(w);
	assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
	world_free(w);
}

/* --- inbound --- */

static void test_a_small_message_is_confirmed_after_the_answer(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2000, 0);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offer.content.n, 2000);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	peer_sends(p, 10, 0); /* and another one */
	assert_int_equal(w->n_offers, 2);
	say_answer(w, false); /* nothing can be taken now: the peer is not to count it against the message */
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(p->seen[X400_ENDED], 1);
	world_free(w);
}

static void test_rt_30_k169691_k236586_a_stalled_stream_holds_up_nobody(void **state)
{
	(void)state;
	enum { SIZE = 4 << 20 };
	struct world *w = world_new();
	fake_env_set_window(w->env, 1 << 18); /* what the network holds for one that does not read */
	struct peer *p = call(w, 0), *q = call(w, 1);
	peer_sends(p, SIZE, 0);
	assert_int_equal(w->n_begins, 1);
	assert_true(w->data >= MSG_CREDIT && w->data <= MSG_CREDIT + 65536);
	const uint64_t stream = w->offer.offer, before = w->data;
	fake_env_settle(w->env);
	assert_int_equal(w->data, before); /* no credit, no octets */
	peer_sends(q, 100, 0);
	assert_int_equal(w->n_offers, 1);
	say_answer(w, true);
	assert_int_equal(q->seen[X400_TRANSFER_CONFIRMED], 1);
	uint64_t credited = 0;
	while (w->n_ends == 0) { /* at no time is more under way than the credit and one part */
		assert_true(w->data - credited <= MSG_CREDIT + 65536);
		const uint64_t now = w->data;
		say_count(w, MSG_OFFER_CREDIT, stream, now - credited);
		assert_true(w->n_ends > 0 || w->data > now);
		credited = now;
	}
	assert_int_equal(w->data, SIZE);
	assert_int_equal(w->end_total, SIZE);
	w->offer.offer = stream;
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	world_free(w);
}

static void test_a_truncated_message_is_taken_and_the_association_goes_on(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2000, 700);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(w->n_begins, 1);
	assert_int_equal(w->n_spoiled, 1);
	assert_int_equal(w->spoiled.n, 1300);
	assert_true(was_told(w, "message.undecodable"));
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	peer_sends(p, 100000, 1); /* in the middle of a stream */
	assert_int_equal(w->n_begins, 2);
	assert_int_equal(w->n_spoiled, 2);
	assert_int_equal(w->spoiled.n, 99999);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 2);
	peer_sends(p, 100, 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 3);
	assert_int_equal(w->cancels, 0);
	world_free(w);
}

static void test_an_early_refusal_of_a_stream(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2 << 20, 0);
	assert_int_equal(w->n_ends, 0);
	say_answer(w, false);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 0);
	assert_int_equal(p->seen[X400_ENDED], 1);
	world_free(w);
}

static void test_a_peer_that_goes_cancels_its_stream(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2 << 20, 0);
	stream_close(&p->stream, false);
	fake_env_settle(w->env);
	for (unsigned i = 0; i < 20 && w->cancels == 0; i++) /* it is not read while it has no credit; then its end is seen */
		say_count(w, MSG_OFFER_CREDIT, w->offer.offer, MSG_CREDIT);
	assert_int_equal(w->cancels, 1);
	assert_int_equal(w->n_ends, 0);
	assert_int_equal(w->downs, 1);
	world_free(w);
}

static void test_the_switch_goes_in_the_middle(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0), *q = call(w, 1);
	peer_sends(p, 2 << 20, 0);
	peer_sends(q, 100, 0);
	switch_leaves(w);
	assert_int_equal(p->seen[X400_ENDED], 1);
	assert_int_equal(q->seen[X400_ENDED], 1);
	switch_joins(w);
	peer_sends(call(w, 2), 100, 0);
	say_answer(w, true);
	assert_int_equal(w->peer[2].seen[X400_TRANSFER_CONFIRMED], 1);
	world_free(w);
}

/* --- outbound --- */

static void test_an_order_with_pulled_content(void **state)
{
	(void)state;
	enum { SIZE = 1 << 20 };
	struct world *w = world_new();
	say_open(w, 5);
	assert_int_equal(w->ups, 1);
	assert_int_equal(w->up.assoc, 5);
	say_transfer(w, 70, 5, SIZE);
	uint64_t given = 0;
	while (given < w->pulled) {
		assert_true(w->pulled - given <= MSG_CREDIT);
		size_t n = (size_t)(w->pulled - given);
		given += n;
		say_content(w, 70, n);
	}
	assert_int_equal(given, SIZE);
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_true(out_len(&w->peer[0].received) > SIZE);
	world_free(w);
}

static void test_content_that_cannot_be_read_costs_that_message_only(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	say_transfer(w, 70, 5, 1 << 20);
	say_transfer(w, 71, 5, 100);
	const struct msg_piece none = { 70, { NULL, 0 } };
	put_msg_piece(chan_begin(w->bulk, MSG_TRANSFER_DATA), &none);
	chan_end(w->bulk);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2);
	assert_int_equal(w->results[0].transfer, 70);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
	assert_true(w->results[1].delivered);
	world_free(w);
}

/* The second one's content is asked for while the first is under way: only the second is given up. */
static void test_content_of_the_next_one_that_cannot_be_read(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	w->peer[0].answer = SILENT;
	say_transfer(w, 70, 5, 100);
	say_transfer(w, 71, 5, 2 * MSG_INLINE_MAX);
	say_transfer(w, 72, 5, 100);
	assert_int_equal(w->pull.id, 71);
	say_piece(w, 71, (struct view){ NULL, 0 });
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].transfer, 71);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
	assert_int_equal(w->results[0].err.kind, ERR_LOCAL);
	assert_int_equal(w->peer[0].seen[X400_TRANSFER_ABORTED], 0);
	w->peer[0].answer = ACCEPT;
	peer_answer(&w->peer[0]);
	peer_pump(&w->peer[0]);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 3);
	assert_true(w->results[1].transfer == 70 && w->results[1].delivered);
	assert_true(w->results[2].transfer == 72 && w->results[2].delivered);
	assert_int_equal(w->link->by_transfer.n, 0);
	world_free(w);
}

static void test_content_nobody_asked_for_is_nonsense(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	say_transfer(w, 70, 5, 1 << 20);
	say_transfer(w, 71, 5, 1 << 20); /* its turn has not come, so it has pulled nothing */
	say_content(w, 71, 1);
	assert_true(w->closed > 0);
	world_free(w);
}

static void test_two_orders_back_to_back(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	w->peer[0].answer = SILENT;
	say_transfer(w, 70, 5, 100);
	say_transfer(w, 71, 5, 100);
	assert_int_equal(w->peer[0].seen[X400_TRANSFER_END], 1);
	assert_int_equal(w->n_results, 0);
	w->peer[0].answer = ACCEPT;
	peer_answer(&w->peer[0]);
	peer_pump(&w->peer[0]);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[0].delivered && w->results[1].delivered);
	world_free(w);
}

/* How a transfer ends at the peer, and whom it is charged to. */
static void charge(enum answer answer, bool counted)
{
	struct world *w = world_new();
	say_open(w, 5);
	w->peer[0].answer = answer;
	say_transfer(w, 70, 5, 100);
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.culprit == ERR_OF_MESSAGE, counted);
	assert_int_equal(w->downs, answer == REFUSE ? 0 : 1);
	world_free(w);
}

static void test_a_refusal_is_counted(void **state)
{
	(void)state;
	charge(REFUSE, true);
}

static void test_an_abort_inside_a_transfer_is_counted(void **state)
{
	(void)state;
	charge(ABORT, true);
}

static void test_a_lost_connection_is_not_counted(void **state)
{
	(void)state;
	charge(VANISH, false);
}

static void test_an_order_that_cannot_be_encoded_is_charged_to_it(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	const struct msg_transfer t = { .transfer = 70, .assoc = 5, .packed = VIEW("\xff\xff"), .content_size = 0 };
	put_msg_transfer(chan_begin(w->control, MSG_TRANSFER), &t);
	chan_end(w->control);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
	say_transfer(w, 71, 5, 100); /* the association is as good as before */
	assert_true(w->results[1].delivered);
	world_free(w);
}

static void test_an_order_for_an_association_that_has_gone(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_transfer(w, 70, 99, 100);
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_ASSOCIATION);
	world_free(w);
}

static void test_an_idle_association_is_released(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	fake_env_pass(w->env, 15 * 1000);
	say_transfer(w, 70, 5, 100); /* work sets the clock back */
	fake_env_pass(w->env, 15 * 1000);
	assert_int_equal(w->downs, 0);
	fake_env_pass(w->env, 10 * 1000);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.kind, ERR_NONE);
	assert_int_equal(w->peer[0].seen[X400_UNBOUND], 1);
	world_free(w);
}

static void on_stopped(void *ctx)
{
	((struct world *)ctx)->stopped = true;
}

static void test_stop_finishes_what_is_under_way(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *busy = call(w, 0);
	(void)call(w, 1); /* idle */
	peer_sends(busy, 100, 0);
	say_open(w, 5);
	link_stop(w->link, on_stopped, w);
	fake_env_settle(w->env);
	assert_false(w->stopped);
	assert_int_equal(w->peer[1].seen[X400_ENDED], 1);
	say_answer(w, true);
	fake_env_pass(w->env, 5000);
	assert_int_equal(busy->seen[X400_TRANSFER_CONFIRMED], 1);
	assert_true(w->stopped);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wrong_password_is_bind_error_2),
		cmocka_unit_test(test_an_unknown_mta_is_bind_error_2),
		cmocka_unit_test(test_tp_10_an_unknown_selector_is_refused_by_transport),
		cmocka_unit_test(test_rt_26_k119303_k124737_over_the_limit_is_busy),
		cmocka_unit_test(test_without_a_switch_callers_are_told_busy),
		cmocka_unit_test(test_a_small_message_is_confirmed_after_the_answer),
		cmocka_unit_test(test_rt_30_k169691_k236586_a_stalled_stream_holds_up_nobody),
		cmocka_unit_test(test_a_truncated_message_is_taken_and_the_association_goes_on),
		cmocka_unit_test(test_an_early_refusal_of_a_stream),
		cmocka_unit_test(test_a_peer_that_goes_cancels_its_stream),
		cmocka_unit_test(test_the_switch_goes_in_the_middle),
		cmocka_unit_test(test_an_order_with_pulled_content),
		cmocka_unit_test(test_content_that_cannot_be_read_costs_that_message_only),
		cmocka_unit_test(test_content_of_the_next_one_that_cannot_be_read),
		cmocka_unit_test(test_content_nobody_asked_for_is_nonsense),
		cmocka_unit_test(test_two_orders_back_to_back),
		cmocka_unit_test(test_a_refusal_is_counted),
		cmocka_unit_test(test_an_abort_inside_a_transfer_is_counted),
		cmocka_unit_test(test_a_lost_connection_is_not_counted),
		cmocka_unit_test(test_an_order_that_cannot_be_encoded_is_charged_to_it),
		cmocka_unit_test(test_an_order_for_an_association_that_has_gone),
		cmocka_unit_test(test_an_idle_association_is_released),
		cmocka_unit_test(test_stop_finishes_what_is_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
