/* bind_test.c - who may call, who is called, and what both must say; and the waits of one association. Bind errors are X.411's
 * MTABindError (authentication-error 2, busy 0). */
#include "proc/link/link_testing.h"

#include <unistd.h>

#include "proc/link/link_int.h"

enum { SECOND = 1000 };

/* A caller that gives this password, from this address. */
static struct peer *call_from(struct world *w, unsigned i, const char *password, const char *address)
{
	struct stream *ours, *theirs;
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.password = view_str(password);
	fake_env_pair(w->env, &ours, &theirs);
	snprintf(theirs->peer, sizeof theirs->peer, "%s", address);
	link_accepted(w->link, theirs, false);
	return call_on(w, i, &c, ours);
}

static bool is_taken(struct world *w, unsigned i, const char *password, const char *address)
{
	struct peer *p = call_from(w, i, password, address);
	if (p->seen[X400_BOUND] == 0)
		assert_int_equal(p->bind_error, X400_AUTHENTICATION);
	return p->seen[X400_BOUND] == 1;
}

/* --- credentials --- */

static void test_op_12_two_passwords_while_it_changes(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    remote-password-next: secret2\n");
	assert_true(is_taken(w, 0, "secret", "192.0.2.1:1"));
	assert_true(is_taken(w, 1, "secret2", "192.0.2.1:1"));
	assert_false(is_taken(w, 2, "secret3", "192.0.2.1:1"));
	assert_false(is_taken(w, 3, "", "192.0.2.1:1"));
	w->answer_password = "secret2"; /* in its answers too */
	say_open(w, 1);
	assert_int_equal(w->ups, 3);
	w->answer_password = "secret";
	say_open(w, 2);
	assert_int_equal(w->ups, 4);
	w->answer_password = "secret3";
	say_open(w, 3);
	assert_int_equal(w->ups, 4);
	world_free(w);
}

/* Each direction has its own: what we say when we call and when we answer, what the peer says when it calls and when it answers. */
static void test_rt_25_k159182_k240383_passwords_of_both_directions(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    remote-password-answer: theirs-answering\n    local-password: ours-calling\n"
							     "    local-password-answer: ours-answering\n    remote-password-next: next\n");
	struct peer *p = call_from(w, 0, "secret", "192.0.2.1:1");
	assert_int_equal(p->seen[X400_BOUND], 1);
	assert_true(view_eq(p->credentials.password, VIEW("ours-answering")));
	w->answer_password = "theirs-answering";
	say_open(w, 1);
	assert_int_equal(w->ups, 2);
	assert_true(view_eq(w->peer[1].credentials.password, VIEW("ours-calling")));
	static const char *const wrong[] = { "secret", "next", "ours-answering", "theirs-answerinG", "" };
	for (unsigned i = 0; i < ARRAY_LEN(wrong); i++) {
		w->answer_password = wrong[i];
		say_open(w, 2 + i);
		assert_int_equal(w->ups, 2);
		assert_int_equal(w->down.assoc, 2 + i);
		assert_non_null(strstr(w->down.err.text, "want the remote-password-answer of link to-a"));
	}
	assert_true(was_told(w, "link.bad-credentials"));
	assert_false(is_taken(w, 8, "theirs-answering", "192.0.2.1:1"));
	world_free(w);
}

static void test_rt_24_an_answer_without_credentials(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	w->answer_password = "";
	say_open(w, 1);
	assert_int_equal(w->ups, 0);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.culprit, ERR_OF_LINK);
	assert_non_null(strstr(w->down.err.text, "no credentials"));
	assert_int_equal(w->peer[0].seen[X400_BOUND] + w->peer[0].seen[X400_TRANSFER_BEGIN], 0); /* and no mail */
	world_free(w);
}

/* Not one more failure to open: an alarm of its own, and the only one. */
static void test_k225196_a_peer_that_refuses_our_password(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	w->refusal = X400_AUTHENTICATION;
	say_open(w, 1);
	assert_int_equal(w->downs, 1);
	assert_true(was_told(w, "link.credentials-refused"));
	assert_false(was_told(w, "link.open-failed"));
	w->refusal = X400_BUSY;
	say_open(w, 2);
	assert_true(was_told(w, "link.open-failed"));
	world_free(w);
}

/* --- hosts --- */

/* Names are never looked up; whoever has the credentials is the peer, wherever it calls from. */
static void test_k162674_k189345_k193380_k306959_known_by_credentials(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	assert_true(is_taken(w, 0, "secret", "192.0.2.1:1"));
	assert_true(is_taken(w, 1, "secret", "203.0.113.77:40000"));
	assert_true(is_taken(w, 2, "secret", "[2001:db8::77]:40000"));
	assert_true(is_taken(w, 3, "secret", "fake"));
	world_free(w);
}

static void test_k197378_k186756_k187225_k251318_k169113_several_hosts(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    peer-hosts: [\"192.0.2.1\", \"198.51.100.0/24\", \"2001:db8::/32\"]\n");
	assert_true(is_taken(w, 0, "secret", "192.0.2.1:1"));
	assert_true(is_taken(w, 1, "secret", "198.51.100.200:1"));
	assert_true(is_taken(w, 2, "secret", "[2001:db8:1::1]:1"));
	assert_true(is_taken(w, 3, "secret", "[::ffff:192.0.2.1]:1"));
	assert_false(was_told(w, "link.wrong-host"));
	assert_false(is_taken(w, 4, "secret", "192.0.2.2:1"));
	assert_true(was_told(w, "link.wrong-host"));
	assert_true(was_told(w, "192.0.2.2:1"));
	assert_false(is_taken(w, 5, "secret", "[2001:db9::1]:1"));
	assert_false(was_told(w, "link.unknown-peer"));
	world_free(w);
}

static void test_a_null_bind_from_any_of_its_addresses(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    allow-null-bind: true\n    more-addresses: [\"127.0.0.2:7\", \"[::1]:7\"]\n");
	static const char *const from[] = { "127.0.0.1:999", "127.0.0.2:999", "[0::1]:999", "127.0.0.3:999" };
	for (unsigned i = 0; i < ARRAY_LEN(from); i++) {
		struct stream *ours, *theirs;
		struct x400_config c = peer_config(SESSION_INITIATOR);
		c.session.called_tsel = VIEW("OURS");
		c.session.send_tsel = true;
		c.own.present = false;
		fake_env_pair(w->env, &ours, &theirs);
		snprintf(theirs->peer, sizeof theirs->peer, "%s", from[i]);
		link_accepted(w->link, theirs, false);
		assert_int_equal(call_on(w, i, &c, ours)->seen[X400_BOUND], i < 3);
	}
	world_free(w);
}

/* --- how many --- */

static void test_k152951_an_address_that_does_not_bind(void **state)
{
	(void)state;
	enum { SILENT_ONES = 12, MAX = 5 };
	struct world *w = world_new_with("associations: 100, associations-per-address: 5");
	struct stream *ours[SILENT_ONES], *theirs;
	static const struct stream_events nothing = { .data = NULL };
	for (unsigned i = 0; i < SILENT_ONES; i++) {
		fake_env_pair(w->env, &ours[i], &theirs);
		stream_set_events(ours[i], &nothing, NULL);
		stream_pause(ours[i]);
		snprintf(theirs->peer, sizeof theirs->peer, "192.0.2.1:%u", 1000 + i); /* a port of its own each time */
		link_accepted(w->link, theirs, false);
	}
	assert_int_equal(w->link->n_inbound, MAX);
	assert_true(was_told(w, "link.crowd"));
	assert_true(is_taken(w, 0, "secret", "192.0.2.2:1")); /* another address is not concerned */
	assert_int_equal(call_from(w, 1, "secret", "192.0.2.1:1")->seen[X400_BOUND], 0);
	fake_env_pass(w->env, 60 * SECOND); /* connect-timeout, and what the abort may take: they have had their time */
	assert_int_equal(w->link->n_inbound, 1);
	assert_int_equal(w->link->crowds.n, 0);
	for (unsigned i = 2; i < 12; i++) /* those that bind are not counted */
		assert_true(is_taken(w, i, "secret", "192.0.2.1:1"));
	assert_int_equal(w->link->crowds.n, 0);
	for (unsigned i = 0; i < SILENT_ONES; i++)
		stream_close(&ours[i], false);
	world_free(w);
}

/* One host has 64 bits of IPv6 addresses to call from; it has no more room for that. IPv4 in its mapped form is IPv4. */
static void test_k152951_an_ipv6_host_with_many_addresses(void **state)
{
	(void)state;
	enum { SILENT_ONES = 12, MAX = 5 };
	for (unsigned f = 0; f < 2; f++) {
		struct world *w = world_new_with("associations: 100, associations-per-address: 5");
		struct stream *ours[SILENT_ONES], *theirs;
		static const struct stream_events nothing = { .data = NULL };
		for (unsigned i = 0; i < SILENT_ONES; i++) {
			fake_env_pair(w->env, &ours[i], &theirs);
			stream_set_events(ours[i], &nothing, NULL);
			stream_pause(ours[i]);
			if (f == 0)
				snprintf(theirs->peer, sizeof theirs->peer, "[2001:db8::%x]:102", 0x100 + i);
			else
				snprintf(theirs->peer, sizeof theirs->peer, "[::ffff:192.0.2.%u]:102", 1 + i);
			link_accepted(w->link, theirs, false);
		}
		assert_int_equal(w->link->n_inbound, f == 0 ? MAX : SILENT_ONES);
		assert_true(is_taken(w, 0, "secret", f == 0 ? "[2001:db8:0:1::100]:102" : "192.0.2.1:102"));
		for (unsigned i = 0; i < SILENT_ONES; i++)
			stream_close(&ours[i], false);
		world_free(w);
	}
}

/* RT-26, and isolation: a peer that opens all it can leaves two for each other link. */
static void test_rt_26_one_peer_leaves_room_for_others(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 8", "  - name: to-b\n    remote-mta-name: mta-b\n");
	for (unsigned i = 0; i < 6; i++)
		assert_true(is_taken(w, i, "secret", "192.0.2.1:1"));
	struct peer *p = call_from(w, 6, "secret", "192.0.2.1:1");
	assert_int_equal(p->bind_error, X400_BUSY);
	stream_close(&w->peer[0].stream, false);
	fake_env_settle(w->env);
	assert_true(is_taken(w, 7, "secret", "192.0.2.1:1"));
	world_free(w);
}

/* --- calling --- */

static void test_addresses_source_and_keepalive(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    bind-address: \"127.0.0.9:0\"\n    more-addresses: [\"127.0.0.1:4\"]\n    keepalive: 45 s\n");
	struct net_addr at;
	struct err e;
	assert_true(net_addr_parse("127.0.0.1:4", &at, &e));
	struct listener *second = env_listen(w->env, &at, called, w, &e);
	assert_non_null(second);
	say_open_how(w, 1, 1, false);
	assert_int_equal(w->ups, 1);
	assert_string_equal(stream_peer(w->peer[0].stream), "127.0.0.9:0"); /* where it called from */
	assert_int_equal(fake_env_keepalive(w->link->assocs->stream), 45 * SECOND);
	assert_string_equal(stream_peer(w->link->assocs->stream), "127.0.0.1:4");
	say_open(w, 2);
	assert_string_equal(stream_peer(w->link->assocs->stream), "127.0.0.1:2");
	struct peer *p = call_from(w, 5, "secret", "192.0.2.1:1");
	assert_int_equal(p->seen[X400_BOUND], 1);
	assert_int_equal(fake_env_keepalive(w->link->assocs->stream), 45 * SECOND); /* of the peer's as well */
	listener_close(&second);
	world_free(w);
}

/* Released by the initiator after its lifetime; a permanent one stays. */
static void test_rt_29_lifetime_and_permanent(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	say_open(w, 1);
	say_open_how(w, 2, 0, true);
	assert_int_equal(w->ups, 2);
	fake_env_pass(w->env, 20 * SECOND - 1); /* association-lifetime */
	assert_int_equal(w->downs, 0);
	fake_env_pass(w->env, 1);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.assoc, 1);
	assert_int_equal(w->down.err.kind, ERR_NONE);
	fake_env_pass(w->env, 24 * 3600 * SECOND);
	assert_int_equal(w->downs, 1);
	say_transfer(w, 7, 2, 100);
	assert_int_equal(w->n_results, 1);
	say_count(w, MSG_ASSOC_CLOSE, 2, 0); /* until it is told to end */
	assert_int_equal(w->downs, 2);
	world_free(w);
}

/* --- every wait ends --- */

/* The peer's system takes the connection, and nobody there ever says a word. */
static void test_k189494_k263567_a_call_that_hangs_ends_in_its_time(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	listener_pause(w->listener, true); /* not even that */
	say_open(w, 1);
	fake_env_pass(w->env, 30 * SECOND + 6 * SECOND); /* connect-timeout, abort-timeout */
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.kind, ERR_TEMP);
	assert_false(w->down.was_open);
	assert_null(w->link->assocs);
	say_open(w, 2);
	link_stop(w->link, NULL, NULL); /* in the middle of a call */
	fake_env_pass(w->env, 10 * SECOND);
	assert_null(w->link->assocs);
	assert_int_equal(w->downs, 2);
	world_free(w);
}

static void mute(struct peer *p)
{
	stream_pause(p->stream);
}

static void test_a_release_that_is_not_answered(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    disconnect: 7 s\n");
	say_open(w, 1);
	mute(&w->peer[0]);
	say_count(w, MSG_ASSOC_CLOSE, 1, 0);
	fake_env_pass(w->env, 7 * SECOND - 1);
	assert_int_equal(w->downs, 0);
	fake_env_pass(w->env, 6 * SECOND); /* and abort-timeout */
	assert_int_equal(w->downs, 1);
	assert_non_null(strstr(w->down.err.text, "the release was not answered in 7 s"));
	world_free(w);
}

/* An activity that is pending may be silent for long: only the timer for that ends it, which is a setting of its own. */
static void test_k140956_a_pending_activity_may_be_silent(void **state)
{
	(void)state;
	struct world *w = world_new_with("associations: 5, response-timeout: 10 s, receive-timeout: 30 min");
	struct peer *p = call_from(w, 0, "secret", "192.0.2.1:1");
	struct out o;
	out_init(&o, SIZE_MAX / 2);
	encode_apdu(letter(w), 2000, &o);
	peer_begins(p, out_len(&o), view_first(out_view(&o), 1000));
	fake_env_pass(w->env, 29 * 60 * SECOND);
	assert_int_equal(p->seen[X400_ENDED], 0);
	out_bytes(&p->to_send, view_from(out_view(&o), 1000));
	peer_pump(p);
	fake_env_settle(w->env);
	assert_int_equal(w->n_offers, 1);
	fake_env_pass(w->env, 3600 * SECOND); /* and while the switch takes its time to answer */
	assert_int_equal(p->seen[X400_ENDED], 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	fake_env_pass(w->env, 24 * 3600 * SECOND); /* between activities nothing is due */
	assert_int_equal(p->seen[X400_ENDED], 0);
	out_fini(&o);
	world_free(w);
}

static unsigned lines(struct world *w)
{
	char text[65536];
	unsigned n = 0;
	ssize_t got = pread(w->log_fd, text, sizeof text, 0);
	for (ssize_t i = 0; i < got; i++)
		n += text[i] == '\n';
	return n;
}

/* However much was under way, the loss of an association is one line. */
static void test_k225206_one_event_for_one_loss(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	say_open(w, 1);
	w->peer[0].answer = SILENT;
	say_transfer(w, 7, 1, 100);
	say_transfer(w, 8, 1, 100);
	const unsigned before = lines(w);
	stream_close(&w->peer[0].stream, false);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2);
	assert_int_equal(lines(w), before + 1);
	assert_true(was_told(w, "link.association-ended"));
	world_free(w);
}

/* It is the configured one that is proposed, not always 3. */
static void test_k185934_the_window_of_the_settings(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "    window-size: 4\n    checkpoint-size: 7\n");
	say_open(w, 1);
	assert_int_equal(w->peer[0].window, 4);
	assert_int_equal(w->peer[0].checkpoint_size, 7);
	world_free(w);
}

/* Opened and closed many times, by both sides, some in the middle: nothing stays, nothing goes twice. */
static void test_k152941_k154301_k152945_k157701_many_open_and_close(void **state)
{
	(void)state;
	struct world *w = world_new_as("associations: 20", "");
	for (unsigned i = 0; i < 400; i++) {
		say_open(w, 1 + i);
		struct peer *p = &w->peer[0], *q = call_from(w, 1, "secret", "192.0.2.1:1");
		say_transfer(w, 1000 + i, 1 + i, 100);
		if (i % 4 == 0)
			stream_close(&p->stream, false);
		say_count(w, MSG_ASSOC_CLOSE, 1 + i, 0);
		say_count(w, MSG_ASSOC_CLOSE, 1 + i, 0); /* told twice */
		if (i % 4 == 1)
			stream_close(&p->stream, false);
		stream_close(&q->stream, false);
		fake_env_pass(w->env, 10 * SECOND);
		say_count(w, MSG_ASSOC_CLOSE, 1 + i, 0); /* and when it has long gone */
		assert_null(w->link->assocs);
		assert_int_equal(w->downs, 2 * (i + 1)); /* each end is told once */
		assert_int_equal(w->n_results, 1);
		w->n_results = 0;
		peer_free(p);
		peer_free(q);
		*p = *q = (struct peer){ 0 };
	}
	assert_int_equal(w->link->n_inbound + w->link->by_id.n + w->link->by_transfer.n + w->link->crowds.n + w->link->held, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_12_two_passwords_while_it_changes),
		cmocka_unit_test(test_rt_25_k159182_k240383_passwords_of_both_directions),
		cmocka_unit_test(test_rt_24_an_answer_without_credentials),
		cmocka_unit_test(test_k225196_a_peer_that_refuses_our_password),
		cmocka_unit_test(test_k162674_k189345_k193380_k306959_known_by_credentials),
		cmocka_unit_test(test_k197378_k186756_k187225_k251318_k169113_several_hosts),
		cmocka_unit_test(test_a_null_bind_from_any_of_its_addresses),
		cmocka_unit_test(test_k152951_an_address_that_does_not_bind),
		cmocka_unit_test(test_k152951_an_ipv6_host_with_many_addresses),
		cmocka_unit_test(test_rt_26_one_peer_leaves_room_for_others),
		cmocka_unit_test(test_addresses_source_and_keepalive),
		cmocka_unit_test(test_rt_29_lifetime_and_permanent),
		cmocka_unit_test(test_k189494_k263567_a_call_that_hangs_ends_in_its_time),
		cmocka_unit_test(test_a_release_that_is_not_answered),
		cmocka_unit_test(test_k140956_a_pending_activity_may_be_silent),
		cmocka_unit_test(test_k225206_one_event_for_one_loss),
		cmocka_unit_test(test_k185934_the_window_of_the_settings),
		cmocka_unit_test(test_k152941_k154301_k152945_k157701_many_open_and_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
