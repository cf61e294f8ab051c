/* apply_test.c - a link process takes other settings while associations are open. The arena of the old ones is freed each time: under the
 * sanitizer whatever still pointed there would be found. Peers are x400 machines; what they see is X.411's binds and RTSE's ends. */
#include "proc/link/link_testing.h"

#include "proc/link/link_int.h"
#include "proc/table/settings_change.h"

#define MANY "associations: 20"
#define TO_B "  - name: to-b\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-b\n    remote-password: secret-b\n    calling-tsel: OURB\n"

static struct peer *call_as(struct world *w, unsigned i, const char *mta, const char *password, const char *tsel)
{
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = view_str(tsel);
	c.session.send_tsel = true;
	c.own.mta_name = view_str(mta);
	c.own.password = view_str(password);
	return call_with(w, i, &c);
}

/* The rest of what it has begun. */
static void goes_on(struct peer *p, struct view octets)
{
	out_bytes(&p->to_send, octets);
	peer_pump(p);
	fake_env_settle(p->w->env);
}

/* A letter comes on it, and is confirmed. */
static void sends_one(struct world *w, struct peer *p)
{
	const unsigned before = p->seen[X400_TRANSFER_CONFIRMED];
	peer_sends(p, 10, 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], before + 1);
}

/* OP-06 (X.400 conformance, operation): what did not change is not dropped, and what comes next is by the new. */
static void test_op_06_an_association_of_an_unchanged_link_stays(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	struct peer *in = call_as(w, 0, "mta-a", "secret", "OURS");
	say_open(w, 1);
	struct peer *out = &w->peer[1];
	assert_int_equal(w->ups, 2);
	sends_one(w, in);
	for (unsigned i = 0; i < 3; i++) {
		world_settings(w, MANY, i == 1 ? "    open-interval: 5 s\n    transfer-interval: 7 s\n" : "", i == 2 ? TO_B : "");
		assert_int_equal(w->n_settled, i + 2); /* the first when the switch came */
		assert_int_equal(w->settled, settings_hash(&w->settings));
		sends_one(w, in);
		say_transfer(w, 10 + i, 1, 10);
		assert_int_equal(w->n_results, i + 1);
		assert_true(w->results[i].delivered);
	}
	assert_int_equal(w->downs, 0);
	assert_int_equal(in->seen[X400_ENDED] + in->seen[X400_UNBOUND] + out->seen[X400_ENDED] + out->seen[X400_UNBOUND], 0);
	assert_int_equal(call_as(w, 2, "mta-b", "secret-b", "OURB")->seen[X400_BOUND], 1); /* it is there at once */
	world_free(w);
}

/* A process that was started with the new settings before the switch took them is told of no others: it says what it has when the switch is
 * there, else that would wait for its word after the change, and give it nothing. */
static void test_the_settings_in_use_are_said_to_a_switch_that_comes(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	assert_int_equal(w->n_settled, 1);
	assert_int_equal(w->settled, settings_hash(&w->settings));
	switch_leaves(w);
	world_settings(w, MANY, "    open-interval: 5 s\n", "");
	assert_int_equal(w->n_settled, 1); /* nobody heard it */
	switch_joins(w);
	assert_int_equal(w->n_settled, 2);
	assert_int_equal(w->settled, settings_hash(&w->settings));
	world_free(w);
}

/* In the middle of a transfer: that comes to its end, and is confirmed, before the association ends. */
static void test_an_inbound_association_of_a_changed_link_ends_between_two_transfers(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	struct peer *in = call_as(w, 0, "mta-a", "secret", "OURS"), *idle = call_as(w, 1, "mta-a", "secret", "OURS");
	struct out apdu;
	out_init(&apdu, 1 << 20);
	encode_apdu(letter(w), 1000, &apdu);
	peer_begins(in, out_len(&apdu), view_first(out_view(&apdu), 300));
	w->password = "secret2";
	world_settings(w, MANY, "", "");
	assert_int_equal(idle->seen[X400_ENDED], 1);
	assert_int_equal(idle->why.kind, ERR_TEMP); /* RTSE's temporary-problem: it calls again */
	assert_int_equal(in->seen[X400_ENDED], 0);
	goes_on(in, view_from(out_view(&apdu), 300));
	assert_int_equal(w->n_offers, 1);
	assert_true(view_eq(w->offer.link, VIEW("to-a")));
	say_answer(w, true);
	assert_int_equal(in->seen[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(in->seen[X400_ENDED], 1);
	assert_int_equal(w->downs, 2);
	assert_int_equal(call_as(w, 2, "mta-a", "secret", "OURS")->bind_error, X400_AUTHENTICATION);
	assert_int_equal(call_as(w, 3, "mta-a", "secret2", "OURS")->seen[X400_BOUND], 1);
	out_fini(&apdu);
	world_free(w);
}

/* An operator who closes a link reads that it was he, and not that somebody has changed its settings. */
static void test_an_inbound_association_says_who_has_ended_it(void **state)
{
	(void)state;
	for (unsigned changed = 0; changed < 2; changed++) {
		struct world *w = world_new_as(MANY, "");
		struct peer *in = call_as(w, 0, "mta-a", "secret", "OURS");
		assert_int_equal(w->ups, 1);
		w->password = changed ? "secret2" : "secret";
		if (changed)
			world_settings(w, MANY, "", "");
		else
			say_count(w, MSG_ASSOC_CLOSE, w->up.assoc, 0);
		assert_int_equal(in->seen[X400_ENDED], 1);
		assert_int_equal(w->downs, 1);
		assert_string_equal(w->down.err.text, changed ? "the settings of its link are others now"
							      : "closed on this side: by an operator, or by new settings of its link");
		world_free(w);
	}
}

/* What we have opened is the switch's to close: it goes on until then. */
static void test_an_outbound_association_of_a_changed_link_ends_after_what_is_in_hand(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	say_open(w, 1);
	struct peer *out = &w->peer[0];
	out->answer = SILENT;
	say_transfer(w, 7, 1, 10);
	w->password = "secret2";
	world_settings(w, MANY, "", "");
	assert_int_equal(w->downs, 0);
	say_count(w, MSG_ASSOC_CLOSE, 1, 0);
	assert_int_equal(w->downs, 0);
	assert_int_equal(w->n_results, 0);
	out->answer = ACCEPT;
	peer_answer(out);
	peer_pump(out);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_int_equal(out->seen[X400_UNBOUND], 1); /* released in order */
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.kind, ERR_NONE);
	world_free(w);
}

/* While the switch does not know yet that it is gone, and when the link comes back. */
static void test_a_link_is_removed_and_comes_again(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, TO_B);
	struct peer *in = call_as(w, 0, "mta-b", "secret-b", "OURB"), *stays = call_as(w, 1, "mta-a", "secret", "OURS");
	struct out apdu;
	out_init(&apdu, 1 << 20);
	encode_apdu(letter(w), 1000, &apdu);
	assert_int_equal(in->seen[X400_BOUND], 1);
	peer_begins(in, out_len(&apdu), view_first(out_view(&apdu), 300));
	world_settings(w, MANY, "", "");
	assert_int_equal(call_as(w, 2, "mta-b", "secret-b", "OURB")->seen[X400_BOUND], 0);
	world_settings(w, MANY, "", "");
	goes_on(in, view_from(out_view(&apdu), 300));
	assert_true(view_eq(w->offer.link, VIEW("to-b")));
	say_answer(w, true);
	assert_int_equal(in->seen[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(in->seen[X400_ENDED], 1);
	world_settings(w, MANY, "", TO_B);
	assert_int_equal(call_as(w, 3, "mta-b", "secret-b", "OURB")->seen[X400_BOUND], 1);
	sends_one(w, stays);
	world_settings(w, MANY, "", ""); /* with an association of it that is idle */
	assert_int_equal(w->downs, 2);
	out_fini(&apdu);
	world_free(w);
}

/* The switch has heard of it before: it is told that it is not known here, and nobody's fault. */
static void test_a_link_that_is_not_known_yet_is_no_nonsense(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	const struct msg_assoc m = { .assoc = 1, .link = VIEW("to-b"), .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_assoc(chan_begin(w->control, MSG_ASSOC_OPEN), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
	assert_int_equal(w->closed, 0);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.assoc, 1);
	assert_int_equal(w->down.err.kind, ERR_TEMP);
	assert_int_equal(w->down.err.culprit, ERR_OF_PROCESS);
	world_free(w);
}

/* An idle association lives as long as the setting of now says, from now on. */
static void test_the_lifetime_of_an_open_association_follows(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	say_open(w, 1);
	fake_env_pass(w->env, 15000); /* of 20 s */
	world_settings(w, MANY, "    open-interval: 9 s\n", "");
	fake_env_pass(w->env, 15000);
	assert_int_equal(w->downs, 0);
	fake_env_pass(w->env, 6000);
	assert_int_equal(w->downs, 1);
	world_free(w);
}

/* The limit of associations is that of now, for who calls from now on. */
static void test_limits_hold_for_what_comes(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 1", "");
	struct peer *first = call_as(w, 0, "mta-a", "secret", "OURS");
	assert_int_equal(call_as(w, 1, "mta-a", "secret", "OURS")->bind_error, X400_BUSY);
	world_settings(w, "associations: 2, memory: 32 M, envelope: 1 M", "", "");
	assert_int_equal(call_as(w, 2, "mta-a", "secret", "OURS")->seen[X400_BOUND], 1);
	sends_one(w, first);
	sends_one(w, &w->peer[2]);
	world_settings(w, "associations: 1", "", "");
	sends_one(w, first);
	sends_one(w, &w->peer[2]); /* nobody is put out */
	assert_int_equal(call_as(w, 3, "mta-a", "secret", "OURS")->seen[X400_BOUND], 0); /* over twice the limit it is cut */
	world_free(w);
}

/* An association on its way, and one that has not said who it is: both are judged by the settings of when they do. */
static void test_who_has_not_bound_yet_is_judged_by_the_new(void **state)
{
	(void)state;
	struct world *w = world_new_as(MANY, "");
	struct stream *ours, *theirs;
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.password = VIEW("secret2");
	fake_env_pair(w->env, &ours, &theirs);
	link_accepted(w->link, theirs, false);
	w->password = "secret2";
	world_settings(w, MANY, "", "");
	assert_int_equal(call_on(w, 0, &c, ours)->seen[X400_BOUND], 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_06_an_association_of_an_unchanged_link_stays),
		cmocka_unit_test(test_the_settings_in_use_are_said_to_a_switch_that_comes),
		cmocka_unit_test(test_an_inbound_association_of_a_changed_link_ends_between_two_transfers),
		cmocka_unit_test(test_an_outbound_association_of_a_changed_link_ends_after_what_is_in_hand),
		cmocka_unit_test(test_an_inbound_association_says_who_has_ended_it),
		cmocka_unit_test(test_a_link_is_removed_and_comes_again),
		cmocka_unit_test(test_a_link_that_is_not_known_yet_is_no_nonsense),
		cmocka_unit_test(test_the_lifetime_of_an_open_association_follows),
		cmocka_unit_test(test_limits_hold_for_what_comes),
		cmocka_unit_test(test_who_has_not_bound_yet_is_judged_by_the_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
