/* examine_test.c - octets of a peer that are no message: taken, examined alone, kept when they kill or cannot be read; what the links
 * are told about inputs; messages that are spoiled on their way in. Of a real switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

static const uint64_t HASH = UINT64_C(0x0123456789abcdef);
#define NOTE "input to-a 0123456789abcdef"

static struct bench *with_links(void)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	bench_join(b, &b->link[1], PROCESS_LINK, 2);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	return b;
}

static const struct msg_answer *offer_octets(struct player *p, uint64_t hash, struct view octets, const char *why)
{
	struct msg_offer o = { .offer = ++p->b->next_offer, .link = VIEW("to-a"), .peer = VIEW("127.0.0.1:9"), .content = octets,
			       .octets = true, .hash = hash, .err = { .reason = -1, .diagnostic = -1 } };
	if (why != NULL)
		err_set(&o.err, ERR_PEER, ERR_OF_MESSAGE, "%s", why);
	const size_t before = p->n_answers;
	put_msg_offer(chan_begin(p->control, MSG_OFFER), &o);
	chan_end(p->control);
	fake_env_settle(p->b->env);
	return p->n_answers == before ? NULL : &p->answers[p->n_answers - 1];
}

/* The process for suspects offers what the octets are. */
static const struct msg_answer *offer_examined(struct player *p, uint64_t number, const struct message *m)
{
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, m, 0, m->n_rcpt);
	const struct msg_offer o = { .offer = ++p->b->next_offer, .link = VIEW("to-a"), .packed = out_view(&packed),
				     .content = VIEW("x"), .hash = HASH, .examined = number, .err = { .reason = -1, .diagnostic = -1 } };
	const size_t before = p->n_answers;
	put_msg_offer(chan_begin(p->control, MSG_OFFER), &o);
	chan_end(p->control);
	out_fini(&packed);
	fake_env_settle(p->b->env);
	return p->n_answers == before ? NULL : &p->answers[p->n_answers - 1];
}

static void say_examined(struct player *p, bool offered, enum err_kind kind)
{
	struct msg_examined m = { .examine = p->examine.examine, .offered = offered, .err = { .reason = -1, .diagnostic = -1 } };
	if (kind != ERR_NONE)
		err_set(&m.err, kind, ERR_OF_MESSAGE, "as the test says");
	put_msg_examined(chan_begin(p->control, MSG_EXAMINED), &m);
	chan_end(p->control);
	fake_env_settle(p->b->env);
}

static size_t count(struct bench *b, enum store_quarantine_state state, struct store_quarantine *q_r)
{
	uint64_t ids[10] = { 0 };
	struct err e;
	const size_t n = store_quarantine_next(b->sw->store, state, 0, ids, 10);
	if (n > 0 && q_r != NULL)
		assert_true(store_load_quarantine(b->sw->store, ids[0], q_r, b->a, &e));
	return n;
}

static uint32_t told(const struct player *p, uint64_t hash)
{
	uint32_t strikes = UINT32_MAX;
	for (size_t i = 0; i < p->n_suspects; i++)
		if (p->suspects[i].hash == hash) {
			assert_true(view_eq(p->suspects[i].link, VIEW("to-a")));
			strikes = p->suspects[i].strikes;
		}
	return strikes;
}

static void link_dies(struct bench *b, const char *note)
{
	bench_dies(b, &b->link[0], PROCESS_LINK, 1, true, note);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
}

static void alone_dies(struct bench *b)
{
	bench_dies(b, &b->alone, PROCESS_ALONE, 1, true, NOTE);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
}

/* The input of one peer kills a process: the others go on, and the peer that sends it for ever is confirmed. */
static void test_k151791_an_input_that_kills_is_examined_alone(void **state)
{
	(void)state;
	struct bench *b = with_links();
	link_dies(b, NOTE);
	assert_int_equal(told(&b->link[1], HASH), 1); /* the one that lives, and the one that comes */
	assert_int_equal(told(&b->link[0], HASH), 1);
	assert_int_equal(told(&b->alone, HASH), UINT32_MAX);
	assert_true(offer_octets(&b->link[1], HASH, VIEW("poison"), NULL)->accepted);
	struct player *a = &b->alone;
	assert_int_equal(a->n_examines, 1);
	assert_true(view_eq(a->examine.content, VIEW("poison")));
	assert_true(view_eq(a->examine.link, VIEW("to-a")));
	assert_int_equal(a->examine.hash, HASH);
	assert_int_equal(a->examine.size, 6);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "good", TO_US), VIEW("x"))->accepted);
	/* Without harm: it is the link's own offer, and no suspect. */
	assert_true(offer_examined(a, a->examine.examine, LETTER(b, "1", TO_US))->accepted);
	assert_int_equal(counts_of(b).quarantined, 0);
	assert_int_equal(counts_of(b).deliveries, 2);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(told(&b->link[0], HASH), 0);
	say_examined(a, true, ERR_NONE);
	assert_int_equal(a->closed, 0);
	assert_int_equal(a->n_examines, 1);
	/* It comes again, as its confirmation was lost: a duplicate like any other. */
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO_US), VIEW("x"))->duplicate);
	bench_free(b);
}

static void test_k169671_octets_that_kill_each_time_are_kept(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct store_quarantine q;
	link_dies(b, NOTE);
	assert_true(offer_octets(&b->link[1], HASH, VIEW("poison"), NULL)->accepted);
	alone_dies(b); /* in its hands and in its note: one strike */
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, &q), 1);
	assert_int_equal(q.strikes, 2);
	assert_int_equal(b->alone.n_examines, 1);
	alone_dies(b);
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, NULL), 0);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, &q), 1);
	assert_int_equal(q.strikes, 3);
	assert_true(q.octets);
	assert_true(view_eq(q.key, VIEW(NOTE)));
	assert_true(view_eq(q.words, VIEW("link-1 died of signal 11")));
	assert_int_equal(b->alone.n_examines, 0);
	/* The peer sends it again: it is known, and kills nobody any more. */
	assert_int_equal(told(&b->link[1], HASH), 3);
	assert_true(offer_octets(&b->link[1], HASH, VIEW("poison"), NULL)->accepted);
	assert_int_equal(b->alone.n_examines, 0);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, NULL), 1);
	/* Others that begin the same are not those. */
	assert_true(offer_octets(&b->link[1], HASH, VIEW("poison of another kind"), NULL)->accepted);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, NULL), 2);
	bench_free(b);
}

/* Nobody says how the first one died: what it had is not struck. The words about the next ones are theirs, not late ones. */
static void test_k169671_a_word_that_is_lost_saves_no_poison(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct store_quarantine q;
	link_dies(b, NOTE);
	assert_true(offer_octets(&b->link[1], HASH, VIEW("poison"), NULL)->accepted);
	bench_leave(b, &b->alone);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	fake_env_pass(b->env, PEER_WORD_MS);
	assert_int_equal(b->alone.n_examines, 1);
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, &q), 1);
	bench_leave(b, &b->alone); /* its streams end, then the word comes */
	switch_peer_died(b->sw, PROCESS_ALONE, 1, true, "signal 11", NOTE);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, &q), 1);
	assert_int_equal(q.strikes, 2);
	assert_int_equal(b->alone.n_examines, 1); /* at once */
	bench_leave(b, &b->alone);
	switch_peer_died(b->sw, PROCESS_ALONE, 1, true, "signal 11", NOTE);
	fake_env_settle(b->env);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, NULL), 1);
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, NULL), 0);
	bench_free(b);
}

/* A death that nobody told of in time: the words of those that follow are not taken for it. */
static void test_a_word_that_never_came_confuses_no_other(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct store_quarantine q;
	bench_leave(b, &b->alone);
	fake_env_pass(b->env, PEER_WORD_MS);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	assert_true(offer_octets(&b->link[1], HASH, VIEW("poison"), NULL)->accepted);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(b->alone.n_examines, 1);
		alone_dies(b);
		assert_int_equal(count(b, i < 3 ? STORE_QUARANTINE_EXAMINE : STORE_QUARANTINE_KEPT, &q), 1);
		assert_int_equal(q.strikes, i);
	}
	bench_free(b);
}

static void test_octets_survive_a_restart_and_are_examined_then(void **state)
{
	(void)state;
	struct bench *b = with_links();
	bench_leave(b, &b->alone);
	assert_true(offer_octets(&b->link[0], HASH, VIEW("poison"), NULL)->accepted);
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->link[1]);
	bench_switch_dies(b, NOTE); /* it has killed the switch as well */
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	assert_int_equal(b->alone.n_examines, 1);
	assert_string_equal(b->note, NOTE);
	bench_leave(b, &b->alone);
	bench_switch_dies(b, NOTE);
	bench_switch_dies(b, NOTE);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	assert_int_equal(b->alone.n_examines, 0);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, NULL), 1);
	bench_free(b);
}

static void test_octets_that_cannot_be_decoded_are_kept_at_once(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct store_quarantine q;
	assert_true(offer_octets(&b->link[0], HASH, VIEW("nonsense"), "no tag of P1")->accepted);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, &q), 1);
	assert_true(view_eq(q.cause, VIEW("no tag of P1")));
	assert_int_equal(q.strikes, 0);
	assert_int_equal(b->alone.n_examines, 0);
	/* Found so by the one that examines. */
	assert_true(offer_octets(&b->link[0], 7, VIEW("nonsense"), NULL)->accepted);
	assert_int_equal(b->alone.n_examines, 1);
	say_examined(&b->alone, false, ERR_PEER);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, NULL), 2);
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, NULL), 0);
	bench_free(b);
}

/* Many that cannot be given, since they have all strikes by now: they are set aside in many turns. */
static void test_octets_that_cannot_be_given_are_kept_in_slices(void **state)
{
	(void)state;
	enum { MANY = 100 };
	struct bench *b = with_links();
	char name[8];
	uint64_t ids[MANY + 1];
	bench_leave(b, &b->alone);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%u", i);
		assert_true(offer_octets(&b->link[1], HASH, view_str(name), NULL)->accepted);
	}
	for (unsigned i = 0; i < 3; i++)
		link_dies(b, NOTE);
	struct store *store = b->sw->store;
	struct proc ill = { .sw = b->sw, .kind = PROCESS_ALONE };
	assert_false(examine_begin(b->sw, &ill)); /* one turn */
	assert_in_range(store_quarantine_next(store, STORE_QUARANTINE_KEPT, 0, ids, MANY + 1), 1, MANY / 2);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	assert_int_equal(store_quarantine_next(store, STORE_QUARANTINE_KEPT, 0, ids, MANY + 1), MANY);
	assert_int_equal(b->alone.n_examines, 0);
	bench_free(b);
}

static unsigned delete(struct bench *b, uint64_t id)
{
	struct out ids;
	out_init(&ids, 8);
	out_u64(&ids, id);
	const struct msg_act_on m = { .id = 1, .act = ACT_QUARANTINE_DELETE, .who = VIEW("olga"), .ids = out_view(&ids) };
	put_msg_act_on(chan_begin(b->tool.control, MSG_ACT), &m);
	chan_end(b->tool.control);
	out_fini(&ids);
	fake_env_settle(b->env);
	assert_int_equal(b->tool.acted.what.n, 1);
	return b->tool.acted.what.p[0];
}

/* Else the operator is told that it is gone, and it is delivered. */
static void test_octets_are_not_deleted_while_they_are_examined(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *a = &b->alone;
	struct store_quarantine q;
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	assert_true(offer_octets(&b->link[0], HASH, VIEW("poison"), NULL)->accepted);
	assert_int_equal(count(b, STORE_QUARANTINE_EXAMINE, &q), 1);
	assert_int_equal(delete(b, q.id), ACTED_REFUSED);
	alone_dies(b);
	bench_leave(b, a);
	fake_env_pass(b->env, 10 * 1000);
	assert_int_equal(delete(b, q.id), ACTED_DONE);
	bench_join(b, a, PROCESS_ALONE, 1);
	assert_int_equal(a->n_examines, 0);
	assert_int_equal(counts_of(b).quarantined, 0);
	bench_free(b);
}

static void test_octets_that_cannot_be_offered_now_come_again(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *a = &b->alone;
	assert_true(offer_octets(&b->link[0], HASH, VIEW("poison"), NULL)->accepted);
	assert_int_equal(a->n_examines, 1);
	say_examined(a, false, ERR_TEMP);
	assert_int_equal(a->n_examines, 1);
	fake_env_pass(b->env, EXAMINE_AGAIN_MS);
	assert_int_equal(a->n_examines, 2);
	fake_env_pass(b->env, EXAMINE_MS); /* now it says nothing */
	assert_int_equal(b->n_accused, 1);
	assert_int_equal(b->accused, PROCESS_ALONE);
	bench_free(b);
}

static void test_long_octets_are_streamed_in_and_pulled(void **state)
{
	(void)state;
	enum { N = 200 * 1024 };
	struct bench *b = with_links();
	struct player *p = &b->link[0], *a = &b->alone;
	uint8_t *octets = mem_alloc(N);
	for (size_t i = 0; i < N; i++)
		octets[i] = (uint8_t)(i * 7);
	const struct msg_offer o = { .offer = 1, .link = VIEW("to-a"), .octets = true, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_offer(chan_begin(p->bulk, MSG_OFFER_BEGIN), &o);
	chan_end(p->bulk);
	say_piece(p, 1, view_of(octets, 100));
	for (size_t at = 100; at < N; at += 50 * 1024)
		say_piece(p, 1, view_of(octets + at, N - at < 50 * 1024 ? N - at : 50 * 1024));
	say_count(p->bulk, MSG_OFFER_END, 1, N);
	fake_env_settle(b->env);
	assert_int_equal(p->n_answers, 1);
	assert_true(p->answers[0].accepted);
	assert_int_equal(a->n_examines, 1);
	assert_int_equal(a->examine.size, N);
	assert_int_equal(a->examine.content.n, 0);
	assert_int_equal(a->examine.hash, hash_octets(HASH_START, view_of(octets, MSG_HEAD))); /* as the link makes it */
	for (size_t at = 0; at < N; at += 100 * 1024) {
		fake_env_pass(b->env, EXAMINE_MS - 1000); /* the disk is slow: it has its time from the last pull on */
		assert_int_equal(b->n_accused, 0);
		say_count(a->control, MSG_TRANSFER_PULL, a->examine.examine, 100 * 1024);
		fake_env_settle(b->env);
	}
	assert_memory_equal(out_view(&a->data).p, octets, N);
	assert_int_equal(out_len(&a->data), N);
	say_count(a->control, MSG_TRANSFER_PULL, a->examine.examine, 1);
	fake_env_settle(b->env);
	assert_true(a->closed > 0); /* more than there is */
	free(octets);
	bench_free(b);
}

/* FNV-1a 64 of "a" and "foobar", from the description of FNV by its authors. */
static void test_the_hash_is_fnv(void **state)
{
	(void)state;
	assert_int_equal(hash_octets(HASH_START, VIEW("a")), UINT64_C(0xaf63dc4c8601ec8c));
	assert_int_equal(hash_octets(HASH_START, VIEW("foobar")), UINT64_C(0x85944171f73967e8));
}

static void test_what_streams_in_when_a_process_dies_is_struck(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	const struct message *m = LETTER(b, "1", TO_US);
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, m, 0, m->n_rcpt);
	const struct msg_offer o = { .offer = 1, .link = VIEW("to-a"), .packed = out_view(&packed), .hash = HASH,
				     .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_offer(chan_begin(p->bulk, MSG_OFFER_BEGIN), &o);
	chan_end(p->bulk);
	out_fini(&packed);
	fake_env_settle(b->env);
	link_dies(b, "input to-a 00000000000000ff"); /* and what it has not offered yet */
	assert_int_equal(told(&b->link[1], HASH), 1);
	assert_int_equal(told(&b->link[1], 0xff), 1);
	assert_int_equal(counts_of(b).suspects, 2);
	bench_free(b);
}

/* Other octets each time: from the limit on nothing of that link is decoded but alone, until an hour has passed without a strike. */
static void test_k169671_a_link_whose_inputs_kill_again_and_again(void **state)
{
	(void)state;
	struct bench *b = with_links();
	link_dies(b, "input to-a 0000000000000001");
	link_dies(b, "input to-a 0000000000000001");
	link_dies(b, "input to-c 0000000000000002"); /* another link's */
	b->link[0].n_suspects = b->link[1].n_suspects = 0;
	for (unsigned i = 3; i <= GUARD_LIMITS * 3; i++) { /* the limit is 3, the first of them has struck */
		char note[40];
		snprintf(note, sizeof note, "input to-a %016x", i);
		link_dies(b, note);
	}
	assert_int_equal(told(&b->link[1], 0), UINT32_MAX);
	link_dies(b, "input to-a 00000000000000aa");
	assert_int_equal(told(&b->link[1], 0), 3);
	bench_leave(b, &b->link[0]);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	bool guarded = false;
	for (size_t i = 0; i < b->link[0].n_suspects; i++)
		guarded = guarded || (b->link[0].suspects[i].hash == 0 && b->link[0].suspects[i].strikes > 0);
	assert_true(guarded);
	fake_env_pass(b->env, GUARD_MS - 1000);
	assert_int_equal(told(&b->link[1], 0), 3);
	fake_env_pass(b->env, 60 * 1000);
	assert_int_equal(told(&b->link[1], 0), 0);
	bench_free(b);
}

static void test_suspects_are_forgotten_with_the_tracking(void **state)
{
	(void)state;
	struct bench *b = with_links();
	link_dies(b, NOTE);
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->alone);
	const int64_t keep = (int64_t)b->settings.store.keep_tracking_ms;
	for (int64_t passed = 0; passed < keep; passed += 3600 * 1000)
		fake_env_pass(b->env, 3600 * 1000);
	assert_int_equal(counts_of(b).suspects, 1);
	fake_env_pass(b->env, 60 * 1000);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(told(&b->link[1], HASH), 0);
	bench_free(b);
}

static void test_the_inputs_known_at_once_are_bounded(void **state)
{
	(void)state;
	struct bench *b = with_links();
	for (unsigned i = 0; i < SUSPECTS_MAX + 10; i++) {
		char note[60];
		snprintf(note, sizeof note, "input to-a %016x", i + 1);
		switch_peer_died(b->sw, PROCESS_SWITCH, 1, true, "signal 11", note);
		b->link[0].n_suspects = b->link[1].n_suspects = 0;
		if (i % 50 == 0)
			fake_env_pass(b->env, 1);
		fake_env_settle(b->env);
	}
	assert_int_equal(counts_of(b).suspects, SUSPECTS_MAX);
	bench_free(b);
}

/* The process for suspects may offer only what it examines, a link only its own octets. */
static void test_who_may_offer_octets(void **state)
{
	(void)state;
	struct bench *b = with_links();
	assert_false(offer_examined(&b->alone, 4711, LETTER(b, "1", TO_US))->accepted);
	offer_octets(&b->alone, HASH, VIEW("x"), NULL);
	assert_true(b->alone.closed > 0);
	offer_examined(&b->link[0], 1, LETTER(b, "1", TO_US));
	assert_true(b->link[0].closed > 0);
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	offer_octets(&b->tool, HASH, VIEW("x"), NULL);
	assert_true(b->tool.closed > 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

static void test_octets_are_refused_while_the_disk_is_full(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	store_disk_set_full(b->disk, true);
	offer_octets(p, HASH, VIEW("1"), NULL); /* finds the disk full: its answer waits */
	assert_int_equal(p->n_answers, 0);
	const struct msg_answer *answer = offer_octets(p, HASH, VIEW("2"), NULL);
	assert_false(answer->accepted);
	assert_int_equal(answer->err.kind, ERR_TEMP);
	store_disk_set_full(b->disk, false);
	fake_env_pass(b->env, 60 * 1000);
	assert_int_equal(p->n_answers, 2);
	bench_free(b);
}

/* The content ends too early: the message is ours, its originator is told. X.411: reason 0, diagnostic 14 protocol-violation. */
static void test_a_spoiled_message_is_taken_and_reported(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_US, TO_C);
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "to-a", m, (struct view){ NULL, 0 });
	say_piece(p, 1, VIEW("half a cont"));
	struct msg_spoiled spoiled = { .offer = 1, .n = 11 };
	err_report(&spoiled.err, ERR_PEER, ERR_OF_MESSAGE, 0, 14, "the content ends too early");
	put_msg_spoiled(chan_begin(p->bulk, MSG_OFFER_SPOILED), &spoiled);
	chan_end(p->bulk);
	fake_env_settle(b->env);
	assert_int_equal(p->n_answers, 1);
	assert_true(p->answers[0].accepted);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_int_equal(counts_of(b).transfers, 1);
	struct player *out = p->n_opens > 0 ? p : &b->link[1];
	open_up(out);
	const struct message *report = &last_transfer(out)->m;
	assert_int_equal(report->kind, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(report->rcpt[i].reason, 0);
		assert_int_equal(report->rcpt[i].diagnostic, 14);
	}
	assert_false(report->has_returned_content);
	bench_free(b);
}

/* Octets longer than the link keeps: as far as they came, with the link's cause, and nobody examines a part. */
static void test_spoiled_octets_are_kept_as_far_as_they_came(void **state)
{
	(void)state;
	enum { N = 100 * 1024 }; /* more than one row holds: in a file, synced first */
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	struct store_quarantine q;
	uint8_t *octets = mem_zero(N);
	const struct msg_offer o = { .offer = 1, .link = VIEW("to-a"), .octets = true, .hash = HASH, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_offer(chan_begin(p->bulk, MSG_OFFER_BEGIN), &o);
	chan_end(p->bulk);
	say_piece(p, 1, view_of(octets, N / 2));
	say_piece(p, 1, view_of(octets, N / 2));
	struct msg_spoiled spoiled = { .offer = 1, .n = N };
	err_report(&spoiled.err, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "only the first octets are kept");
	put_msg_spoiled(chan_begin(p->bulk, MSG_OFFER_SPOILED), &spoiled);
	chan_end(p->bulk);
	fake_env_settle(b->env);
	assert_int_equal(p->n_answers, 1);
	assert_true(p->answers[0].accepted);
	assert_int_equal(count(b, STORE_QUARANTINE_KEPT, &q), 1);
	assert_int_equal(q.size, N);
	assert_true(view_eq(q.cause, VIEW("only the first octets are kept")));
	assert_int_equal(b->alone.n_examines, 0);
	free(octets);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k151791_an_input_that_kills_is_examined_alone),
		cmocka_unit_test(test_k169671_octets_that_kill_each_time_are_kept),
		cmocka_unit_test(test_k169671_a_word_that_is_lost_saves_no_poison),
		cmocka_unit_test(test_a_word_that_never_came_confuses_no_other),
		cmocka_unit_test(test_octets_survive_a_restart_and_are_examined_then),
		cmocka_unit_test(test_octets_that_cannot_be_decoded_are_kept_at_once),
		cmocka_unit_test(test_octets_that_cannot_be_given_are_kept_in_slices),
		cmocka_unit_test(test_octets_are_not_deleted_while_they_are_examined),
		cmocka_unit_test(test_octets_that_cannot_be_offered_now_come_again),
		cmocka_unit_test(test_long_octets_are_streamed_in_and_pulled),
		cmocka_unit_test(test_the_hash_is_fnv),
		cmocka_unit_test(test_what_streams_in_when_a_process_dies_is_struck),
		cmocka_unit_test(test_k169671_a_link_whose_inputs_kill_again_and_again),
		cmocka_unit_test(test_suspects_are_forgotten_with_the_tracking),
		cmocka_unit_test(test_the_inputs_known_at_once_are_bounded),
		cmocka_unit_test(test_who_may_offer_octets),
		cmocka_unit_test(test_octets_are_refused_while_the_disk_is_full),
		cmocka_unit_test(test_a_spoiled_message_is_taken_and_reported),
		cmocka_unit_test(test_spoiled_octets_are_kept_as_far_as_they_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
