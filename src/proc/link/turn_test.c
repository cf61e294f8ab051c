/* turn_test.c - protocol modes and turns of a link process. Bind errors are X.411's MTABindError, turn priorities X.419's 13.1.3. */
#include "proc/link/link_testing.h"

#include "proc/link/link_int.h"

#define TWO_WAY "    two-way-alternate: true\n"

static struct x400_config caller(enum x400_mode mode, bool two_way)
{
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.mode = mode;
	c.two_way_alternate = two_way;
	return c;
}

static struct peer *call_as(struct world *w, unsigned i, enum x400_mode mode, bool two_way)
{
	const struct x400_config c = caller(mode, two_way);
	return call_with(w, i, &c);
}

/* --- modes --- */

/* A caller's mode is recognised; its octets are what the splitter takes with EXTERNAL and without. */
static void test_callers_of_every_mode_are_taken(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < X400_X410_84; mode++) {
		struct world *w = world_new();
		struct peer *p = call_as(w, 0, (enum x400_mode)mode, false);
		assert_int_equal(p->seen[X400_BOUND], 1);
		const struct p1_encode_options options = { .context_id = x400_transfer_context(p->x) };
		struct out o;
		struct err e;
		out_init(&o, 1 << 20);
		assert_true(p1_encode_head(letter(w), 5, &options, &o, &e));
		out_bytes(&o, VIEW("hello"));
		assert_int_equal(out_view(&o).p[0], mode == X400_NORMAL ? 0x28 : 0xa0); /* EXTERNAL; the bare APDU */
		peer_sends_octets(p, out_view(&o));
		out_fini(&o);
		assert_int_equal(w->n_offers, 1);
		assert_true(view_eq(w->offer.content, VIEW("hello")));
		say_answer(w, true);
		assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
		assert_int_equal(w->n_hows, 0);
		world_free(w);
	}
}

static void test_only_conformance_refuses_the_other_modes(void **state)
{
	(void)state;
	static const char *const words[] = { "1988-normal", "1988-x410", "1984" };
	for (unsigned wanted = 0; wanted < X400_MODE_COUNT; wanted++) {
		for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
			char link[100];
			snprintf(link, sizeof link, "    only-conformance: true\n    conformance: %s\n", words[wanted]);
			struct world *w = world_new_as("", link);
			struct peer *p = call_as(w, 0, (enum x400_mode)mode, false);
			assert_int_equal(p->seen[X400_BOUND], mode == wanted);
			assert_int_equal(w->ups, mode == wanted);
			assert_int_equal(was_told(w, "link.wrong-mode"), mode != wanted);
			if (mode != wanted) {
				assert_int_equal(p->seen[X400_BIND_REFUSED], 1);
				assert_true(was_told(w, words[mode]));
				assert_false(was_told(w, "link.refused")); /* told once */
			}
			world_free(w);
		}
	}
}

static void test_the_link_calls_in_its_mode(void **state)
{
	(void)state;
	static const char *const words[] = { "1988-normal", "1988-x410" };
	for (unsigned mode = 0; mode < ARRAY_LEN(words); mode++) {
		char link[100];
		snprintf(link, sizeof link, "    conformance: %s\n", words[mode]);
		struct world *w = world_new_as("", link);
		say_open(w, 1);
		struct peer *p = &w->peer[0];
		assert_int_equal(p->seen[X400_BIND], 1);
		assert_int_equal(x400_mode(p->x), mode);
		assert_int_equal(w->ups, 1);
		say_transfer(w, 7, 1, 10);
		assert_int_equal(w->n_results, 1);
		assert_true(w->results[0].delivered);
		assert_int_equal(out_view(&p->received).p[0], mode == X400_NORMAL ? 0x28 : 0xa0);
		world_free(w);
	}
}

/* Q171113, Q169701, Q140958: refused with bind error 3, and the event says whose link it is. */
static void test_k171113_k169701_k102750_dialogue_mode_that_is_not_enabled(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
		struct world *w = world_new();
		struct peer *p = call_as(w, 0, (enum x400_mode)mode, true);
		assert_int_equal(p->seen[X400_BIND_REFUSED], 1);
		assert_int_equal(p->bind_error, X400_DIALOGUE_MODE);
		assert_true(was_told(w, "link.wrong-mode"));
		assert_true(was_told(w, "two-way-alternate: false"));
		assert_int_equal(w->ups, 0);
		assert_int_equal(call_as(w, 1, (enum x400_mode)mode, false)->seen[X400_BOUND], 1); /* and the process is well */
		world_free(w);
	}
}

/* Monologue where two-way alternate is enabled is what the peer says, and what is left out means. */
static void test_k140958_monologue_where_two_way_is_enabled(void **state)
{
	(void)state;
	struct world *w = world_new_as("", TWO_WAY);
	struct peer *p = call_as(w, 0, X400_NORMAL, false);
	assert_int_equal(p->seen[X400_BOUND], 1);
	assert_int_equal(w->ups, 1);
	assert_int_equal(w->n_hows, 0);
	world_free(w);
}

static void test_k252843_k166308_selectors_in_hex(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = caller(X400_NORMAL, false);
	c.session.called_tsel = VIEW("ours\x01");
	(void)call_with(w, 0, &c);
	assert_true(was_told(w, "6f75727301"));
	assert_true(was_told(w, "4f555253"));
	world_free(w);
}

/* --- turns --- */

static void test_an_inbound_two_way_association_can_send(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < X400_X410_84; mode++) {
		struct world *w = world_new_as("", TWO_WAY);
		struct peer *p = call_as(w, 0, (enum x400_mode)mode, true);
		assert_int_equal(p->seen[X400_BOUND], 1);
		assert_int_equal(w->n_hows, 1);
		assert_int_equal(w->ups, 1);
		assert_true(w->how.can_send);
		assert_false(w->how.recovered);
		assert_int_equal(w->how.assoc, w->up.assoc);
		assert_true((w->up.assoc & MSG_INBOUND_BIT) != 0);
		say_transfer_of(w, 7, w->up.assoc, 10, PRIORITY_URGENT);
		assert_int_equal(p->seen[X400_TURN_PLEASE], 1);
		assert_int_equal(p->priority, 1);
		assert_int_equal(w->n_results, 0);
		struct err e;
		assert_true(x400_turn_give(p->x, &e));
		peer_pump(p);
		fake_env_settle(w->env);
		assert_int_equal(w->n_results, 1);
		assert_true(w->results[0].delivered);
		assert_int_equal(p->seen[X400_TRANSFER_END], 1);
		world_free(w);
	}
}

static void give(struct world *w, struct peer *p)
{
	struct err e;
	assert_true(x400_turn_give(p->x, &e));
	peer_pump(p);
	fake_env_settle(w->env);
}

static void please(struct world *w, struct peer *p, unsigned priority)
{
	struct err e;
	assert_true(x400_turn_please(p->x, priority, env_now_ms(w->env), &e));
	peer_pump(p);
	fake_env_settle(w->env);
}

/* What is more urgent is asked for again, and nothing else. */
static void test_it_asks_again_for_what_is_more_urgent(void **state)
{
	(void)state;
	struct world *w = world_new_as("", TWO_WAY);
	struct peer *p = call_as(w, 0, X400_NORMAL, true);
	say_transfer_of(w, 1, w->up.assoc, 10, PRIORITY_NON_URGENT);
	assert_int_equal(p->priority, 3);
	say_transfer_of(w, 2, w->up.assoc, 10, PRIORITY_NON_URGENT);
	assert_int_equal(p->seen[X400_TURN_PLEASE], 1);
	give(w, p);
	assert_int_equal(w->n_results, 2);
	please(w, p, 2);
	assert_int_equal(p->seen[X400_TURN_GIVEN], 1);
	assert_true(x400_can_transfer(p->x));
	world_free(w);
}

/* Asked while idle it gives at once; with something more urgent it sends that one first; and never two. */
static void test_it_gives_the_turn(void **state)
{
	(void)state;
	struct world *w = world_new_as("", TWO_WAY);
	say_open(w, 1);
	struct peer *p = &w->peer[0];
	assert_int_equal(w->n_hows, 0); /* one that we opened can send in any case */
	please(w, p, 2);
	assert_int_equal(p->seen[X400_TURN_GIVEN], 1);
	peer_sends(p, 100, 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	say_transfer_of(w, 7, 1, 10, PRIORITY_NORMAL);
	assert_int_equal(p->seen[X400_TURN_PLEASE], 1);
	give(w, p);
	assert_int_equal(w->n_results, 1);
	/* In the middle of a transfer: after it. */
	p->answer = SILENT;
	say_transfer_of(w, 8, 1, 10, PRIORITY_NORMAL);
	say_transfer_of(w, 9, 1, 10, PRIORITY_NORMAL);
	please(w, p, 2);
	assert_int_equal(p->seen[X400_TURN_GIVEN], 1);
	p->answer = ACCEPT;
	peer_answer(p);
	peer_pump(p);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2);
	assert_int_equal(p->seen[X400_TURN_GIVEN], 2);
	assert_int_equal(p->seen[X400_TURN_PLEASE], 2); /* there is one more to send */
	give(w, p);
	assert_int_equal(w->n_results, 3);
	world_free(w);
}

static void test_the_more_urgent_goes_first_and_once(void **state)
{
	(void)state;
	struct world *w = world_new_as("", TWO_WAY);
	say_open(w, 1);
	struct peer *p = &w->peer[0];
	p->answer = SILENT;
	say_transfer_of(w, 7, 1, 10, PRIORITY_NORMAL);
	say_transfer_of(w, 8, 1, 10, PRIORITY_URGENT);
	please(w, p, 3);
	peer_answer(p); /* SILENT: nothing */
	p->answer = ACCEPT;
	peer_answer(p);
	peer_pump(p);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2); /* the urgent one followed at once */
	assert_int_equal(p->seen[X400_TURN_GIVEN], 1);
	world_free(w);
}

/* Who opened it asks for the turn in order to leave (X.419 13.1.3: priority 0). */
static void test_release_wants_the_turn(void **state)
{
	(void)state;
	struct world *w = world_new_as("", TWO_WAY);
	say_open(w, 1);
	struct peer *p = &w->peer[0];
	please(w, p, 2);
	assert_int_equal(p->seen[X400_TURN_GIVEN], 1);
	say_count(w, MSG_ASSOC_CLOSE, 1, 0);
	assert_int_equal(p->seen[X400_UNBOUND], 0);
	assert_int_equal(p->seen[X400_TURN_PLEASE], 1);
	assert_int_equal(p->priority, 0);
	give(w, p);
	assert_int_equal(p->seen[X400_UNBOUND], 1);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.kind, ERR_NONE);
	world_free(w);
}

/* It was to leave after the peer's transfer, and that one comes to no end. */
static void test_release_after_what_the_peer_gave_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new_as("", TWO_WAY);
		say_open(w, 1);
		struct peer *p = &w->peer[0];
		please(w, p, 2);
		peer_sends(p, 100, 50);
		say_count(w, MSG_ASSOC_CLOSE, 1, 0);
		assert_int_equal(p->seen[X400_TURN_PLEASE], 0);
		if (i == 0)
			x400_transfer_interrupt(p->x);
		else
			x400_transfer_discard(p->x);
		peer_pump(p);
		fake_env_settle(w->env);
		assert_int_equal(p->seen[X400_TRANSFER_FAILED], 1);
		assert_int_equal(p->seen[X400_TURN_PLEASE], 1);
		give(w, p);
		assert_int_equal(p->seen[X400_UNBOUND], 1);
		assert_int_equal(w->downs, 1);
		world_free(w);
	}
}

static void test_release_after_what_the_peer_refused(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 1);
	struct peer *p = &w->peer[0];
	p->answer = SILENT;
	say_transfer(w, 7, 1, 10);
	say_count(w, MSG_ASSOC_CLOSE, 1, 0);
	assert_int_equal(w->n_results, 0);
	p->answer = REFUSE;
	peer_answer(p);
	peer_pump(p);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(p->seen[X400_UNBOUND], 1);
	assert_int_equal(w->downs, 1);
	world_free(w);
}

static void test_k166594_a_turn_that_does_not_come(void **state)
{
	(void)state;
	struct world *w = world_new_as("response-timeout: 30 s", TWO_WAY);
	struct peer *p = call_as(w, 0, X400_NORMAL, true);
	say_transfer(w, 7, w->up.assoc, 10);
	assert_int_equal(p->seen[X400_TURN_PLEASE], 1);
	fake_env_pass(w->env, 29000);
	assert_int_equal(w->downs, 0);
	fake_env_pass(w->env, 2000);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.kind, ERR_TEMP);
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_TEMP);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_ASSOCIATION); /* no attempt of the message */
	assert_true(was_told(w, "link.turn"));
	assert_int_equal(p->seen[X400_ENDED], 1);
	world_free(w);
}

static void test_a_transfer_for_a_monologue_of_the_peer_is_the_switchs_error(void **state)
{
	(void)state;
	struct world *w = world_new_as("", TWO_WAY);
	(void)call_as(w, 0, X400_NORMAL, false);
	say_transfer(w, 7, w->up.assoc, 10);
	assert_true(w->closed > 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callers_of_every_mode_are_taken),
		cmocka_unit_test(test_only_conformance_refuses_the_other_modes),
		cmocka_unit_test(test_the_link_calls_in_its_mode),
		cmocka_unit_test(test_k171113_k169701_k102750_dialogue_mode_that_is_not_enabled),
		cmocka_unit_test(test_k140958_monologue_where_two_way_is_enabled),
		cmocka_unit_test(test_k252843_k166308_selectors_in_hex),
		cmocka_unit_test(test_an_inbound_two_way_association_can_send),
		cmocka_unit_test(test_it_asks_again_for_what_is_more_urgent),
		cmocka_unit_test(test_it_gives_the_turn),
		cmocka_unit_test(test_the_more_urgent_goes_first_and_once),
		cmocka_unit_test(test_release_wants_the_turn),
		cmocka_unit_test(test_release_after_what_the_peer_gave_up),
		cmocka_unit_test(test_release_after_what_the_peer_refused),
		cmocka_unit_test(test_k166594_a_turn_that_does_not_come),
		cmocka_unit_test(test_a_transfer_for_a_monologue_of_the_peer_is_the_switchs_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
