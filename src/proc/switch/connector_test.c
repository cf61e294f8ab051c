/* connector_test.c - a program that serves a link, played: registration, both ways, and what comes of one that dies, hangs or talks
 * nonsense; of a real switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

enum { WATCHDOG_MS = 120 * 1000, AGAIN_MS = 200, LOOKS = 4 };

#define SETTINGS                                                                                                        \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlimits:\n  message: 1 M\n  associations: 10\nlinks:\n" \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    max-associations: 1\n"                             \
	"  - name: prog\n    kind: connector\n    max-associations: 1\n    open-interval: 10 s\n    transfer-interval: 10 s\n"           \
	"  - name: other\n    kind: connector\n    max-associations: 1\n"                                                                 \
	"routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n  - match: \"C=IT; A=SIM; P=prog\"\n    to: prog\n"                     \
	"  - match: \"C=ES; A=SIM; P=other\"\n    to: other\n  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"                            \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"
#define TO_PROG "S=ada; P=prog; A=SIM; C=IT"
#define TO_OTHER "S=zoe; P=other; A=SIM; C=ES"

/* --- registering --- */

static struct chan *dial(struct bench *b, struct player *p, unsigned kind)
{
	struct stream *ours, *theirs;
	p->b = b;
	fake_env_pair(b->env, &ours, &theirs);
	struct chan *c = chan_new(&ours, &play_events, p, kind, 0);
	switch_adopt_connector(b->sw, theirs);
	return c;
}

static void say_register(struct chan *c, const char *link, bool bulk, uint64_t token)
{
	const struct msg_register m = { .link = view_str(link), .bulk = bulk, .token = token };
	put_msg_register(chan_begin(c, MSG_REGISTER), &m);
	chan_end(c);
}

static void come(struct bench *b, struct player *p, const char *link, uint64_t token)
{
	out_init(&p->data, (size_t)64 << 20);
	p->control = dial(b, p, PROCESS_CONNECTOR);
	p->bulk = dial(b, p, PROCESS_CONNECTOR);
	say_register(p->control, link, false, token);
	say_register(p->bulk, link, true, token);
	fake_env_pass(b->env, AGAIN_MS + 1);
}

static void come_in(struct bench *b, struct player *p, const char *link)
{
	come(b, p, link, ++b->next_offer);
	assert_int_equal(p->n_registered, 2);
	assert_true(p->registered[0].accepted && p->registered[1].accepted);
}

static void come_again(struct bench *b, struct player *p)
{
	bench_leave(b, p);
	come_in(b, p, "prog");
}

static struct bench *with_program(void)
{
	struct bench *b = bench_with(SETTINGS);
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	come_in(b, &b->program[0], "prog");
	return b;
}

static void letters(struct bench *b, const char *to, const char *prefix, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char id[24];
		snprintf(id, sizeof id, "%s%zu", prefix, i);
		assert_true(offer_of(&b->link[0], "to-a", LETTER(b, arena_str(b->a, view_str(id)), to), VIEW("x"))->accepted);
	}
}

static const struct msg_status_link *status_of(struct bench *b, const char *link)
{
	if (b->tool.control == NULL)
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
	b->tool.n_status = 0;
	chan_send(b->tool.control, MSG_STATUS, (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	for (size_t i = 0; i < b->tool.n_status; i++)
		if (view_eq(b->tool.status[i].name, view_str(link)))
			return &b->tool.status[i];
	fail_msg("no status of %s", link);
	return NULL;
}

/* Of the only suspect. */
static uint32_t strikes_of(struct bench *b)
{
	size_t i = 0;
	const struct suspect *x = map_next(&b->sw->suspects, &i);
	assert_int_equal(b->sw->suspects.n, 1);
	return x->strikes;
}

static size_t kept(struct bench *b)
{
	uint64_t ids[10];
	return store_quarantine_next(b->sw->store, STORE_QUARANTINE_KEPT, 0, ids, 10);
}

/* A message from the program's side, to us. */
static struct message *from_program(struct bench *b, const char *id, const char *to)
{
	struct message *m = LETTER(b, id, to);
	m->id.domain = domain_of("IT", "prog");
	m->trace.n = m->internal_trace.n = 0;
	add_trace(b, m, domain_of("IT", "prog"), "prog");
	return m;
}

static void refused(struct bench *b, const char *link, uint64_t token, unsigned kind, const char *why)
{
	struct player p = { .b = b };
	p.control = dial(b, &p, kind);
	say_register(p.control, link, false, token);
	fake_env_settle(b->env);
	assert_int_equal(p.n_registered, 0); /* not at once: it may try for ever */
	fake_env_pass(b->env, 11 * 1000);
	assert_int_equal(p.n_registered, 1);
	assert_false(p.registered[1].accepted);
	assert_int_equal(p.closed, 1);
	if (strstr(p.registered[1].err.text, why) == NULL)
		fail_msg("%s: want %s", p.registered[1].err.text, why);
	bench_leave(b, &p);
}

static void test_who_may_not_register(void **state)
{
	(void)state;
	struct bench *b = with_program();
	refused(b, "none", 77, PROCESS_CONNECTOR, "no link is called \"none\"");
	refused(b, "to-a", 77, PROCESS_CONNECTOR, "of kind x400");
	refused(b, "prog", 77, PROCESS_CONNECTOR, "another connector, which lives");
	refused(b, "other", 77, PROCESS_LINK, "kind 2");
	refused(b, "other", 77, PROCESS_CONNECTOR, "no second stream");
	assert_int_equal(b->program[0].closed, 0);
	bench_free(b);
}

static void test_both_streams_of_one_kind_are_refused(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[1];
	out_init(&p->data, 100);
	p->control = dial(b, p, PROCESS_CONNECTOR);
	p->bulk = dial(b, p, PROCESS_CONNECTOR);
	say_register(p->control, "other", true, 5);
	say_register(p->bulk, "other", true, 5);
	fake_env_pass(b->env, AGAIN_MS);
	assert_int_equal(p->n_registered, 2);
	assert_non_null(strstr(p->registered[0].err.text, "both streams"));
	assert_int_equal(p->closed, 2);
	bench_free(b);
}

struct ear {
	struct out heard;
	bool closed;
};

static size_t hear(void *ctx, struct view data)
{
	struct ear *ear = ctx;
	out_bytes(&ear->heard, data);
	return data.n;
}

static void hear_end(void *ctx, const struct err *why)
{
	struct ear *ear = ctx;
	(void)why;
	ear->closed = true;
}

static const struct stream_events ear_events = { .data = hear, .closed = hear_end };

/* The octets are those of docs/connector.md: length, type 0, version 2, kind 8, number 0. */
static void test_another_version_is_told_why(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct stream *ours, *theirs;
	struct ear ear = { .closed = false };
	out_init(&ear.heard, 10000);
	fake_env_pair(b->env, &ours, &theirs);
	stream_set_events(ours, &ear_events, &ear);
	switch_adopt_connector(b->sw, theirs);
	stream_write(ours, VIEW("\0\0\0\x0a\0\0\0\2\0\x08\0\0\0\0"));
	fake_env_settle(b->env);
	assert_true(ear.closed);
	struct view v = out_view(&ear.heard);
	assert_memory_equal(v.p, "\0\0\0\x0a\0\0\0\1\0\1\0\0\0\0", 14); /* its own HELLO: version 1, kind 1 */
	struct msg_answer m;
	struct err e;
	assert_true(get_msg_answer(view_from(v, 20), &m, &e));
	assert_false(m.accepted);
	assert_string_equal(m.err.text, "HELLO of version 2, this switch speaks version 1");
	stream_close(&ours, false);
	out_fini(&ear.heard);
	bench_free(b);
}

static void test_what_comes_before_registering_ends_the_stream(void **state)
{
	(void)state;
	struct bench *b = bench_with(SETTINGS);
	struct player *p = &b->program[0];
	out_init(&p->data, 100);
	p->control = dial(b, p, PROCESS_CONNECTOR);
	put_offer(p, p->control, MSG_OFFER, 1, "prog", from_program(b, "1", TO_US), VIEW("x"));
	fake_env_settle(b->env);
	assert_int_equal(p->closed, 1);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* Its channel ends as soon as it is let in, again and again: at most five a second. */
static void test_registrations_are_bounded_in_time(void **state)
{
	(void)state;
	struct bench *b = bench_with(SETTINGS);
	unsigned registered = 0;
	int64_t began = env_now_ms(b->env);
	while (env_now_ms(b->env) - began < 2000) {
		struct player p = { .b = b };
		out_init(&p.data, 100);
		p.control = dial(b, &p, PROCESS_CONNECTOR);
		p.bulk = dial(b, &p, PROCESS_CONNECTOR);
		say_register(p.control, "prog", false, 1);
		say_register(p.bulk, "prog", true, 1);
		fake_env_pass(b->env, 1);
		for (unsigned i = 0; i < 300 && p.n_registered == 0; i++)
			fake_env_pass(b->env, 1);
		registered += p.n_registered == 2 && p.registered[0].accepted;
		bench_leave(b, &p);
	}
	assert_in_range(registered, 8, 11);
	bench_free(b);
}

static void test_too_many_that_say_nothing_are_closed(void **state)
{
	(void)state;
	enum { MANY = 80 };
	struct bench *b = bench_with(SETTINGS);
	struct player p = { .b = b };
	struct chan *c[MANY];
	for (size_t i = 0; i < MANY; i++)
		c[i] = dial(b, &p, PROCESS_CONNECTOR);
	fake_env_settle(b->env);
	assert_int_equal(p.closed, MANY - 64);
	fake_env_pass(b->env, 10 * 1000);
	assert_int_equal(p.closed, MANY);
	for (size_t i = 0; i < MANY; i++)
		chan_free(&c[i], false);
	come_in(b, &b->program[0], "prog");
	bench_free(b);
}

/* --- serving --- */

/* Q164177: a connector that is not there is seen to be not there, and its mail waits. */
static void test_k164177_a_link_that_nobody_serves_says_so(void **state)
{
	(void)state;
	struct bench *b = bench_with(SETTINGS);
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	letters(b, TO_PROG, "l", 3);
	fake_env_pass(b->env, 60 * 1000);
	const struct msg_status_link *s = status_of(b, "prog");
	assert_true(view_eq(s->state, VIEW("no connector")));
	assert_true(view_eq(s->last_error, VIEW("no connector has registered")));
	assert_int_equal(s->queued, 3);
	struct player *p = &b->program[0];
	come_in(b, p, "prog");
	assert_true(view_eq(status_of(b, "prog")->state, VIEW("opening")));
	open_up(p);
	assert_true(view_eq(status_of(b, "prog")->state, VIEW("open")));
	for (size_t i = 0; i < 3; i++)
		say_result(p, p->transfers[i].transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 100);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_messages_both_ways(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "out", 1);
	open_up(p);
	assert_true(is_local_id(&last_transfer(p)->m, "out0"));
	assert_true(view_eq(last_transfer(p)->content, VIEW("x")));
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_true(offer_of(p, "prog", from_program(b, "in", TO_US), VIEW("y"))->accepted);
	const struct msg_answer *again = offer_of(p, "prog", from_program(b, "in", TO_US), VIEW("y"));
	assert_true(again->accepted && again->duplicate);
	fake_env_pass(b->env, 100);
	assert_int_equal(counts_of(b).deliveries, 1);
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(status_of(b, "prog")->sent, 1);
	assert_int_equal(status_of(b, "prog")->received, 1);
	bench_free(b);
}

static void test_long_content_both_ways(void **state)
{
	(void)state;
	enum { SIZE = 700 * 1000, PIECE = 50 * 1000 };
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	uint8_t *big = mem_alloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 9, "prog", from_program(b, "big", TO_PROG), (struct view){ NULL, 0 });
	for (size_t at = 0; at < SIZE; at += PIECE)
		say_piece(p, 9, view_of(big + at, PIECE));
	say_count(p->bulk, MSG_OFFER_END, 9, SIZE);
	fake_env_settle(b->env);
	assert_false(p->answers[0].accepted && p->answers[0].duplicate);
	assert_int_equal(p->credit, SIZE);
	come_again(b, p); /* back to where it came from there is no route; so to another */
	come_in(b, &b->program[1], "other");
	struct player *q = &b->program[1];
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 9, "prog", from_program(b, "big2", TO_OTHER), (struct view){ NULL, 0 });
	for (size_t at = 0; at < SIZE; at += PIECE)
		say_piece(p, 9, view_of(big + at, PIECE));
	say_count(p->bulk, MSG_OFFER_END, 9, SIZE);
	fake_env_settle(b->env);
	assert_true(p->answers[0].accepted);
	open_up(q);
	assert_int_equal(last_transfer(q)->size, SIZE);
	for (size_t at = 0; at < SIZE; at += 100 * 1000) {
		say_count(q->control, MSG_TRANSFER_PULL, last_transfer(q)->transfer, 100 * 1000);
		fake_env_settle(b->env);
	}
	assert_int_equal(out_len(&q->data), SIZE);
	assert_memory_equal(out_view(&q->data).p, big, SIZE);
	say_result(q, last_transfer(q)->transfer, ERR_NONE, 0);
	free(big);
	bench_free(b);
}

static void test_a_permanent_result_is_reported_a_temporary_one_tried_again(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 2);
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_PERM, ERR_OF_RECIPIENT);
	say_result(p, p->transfers[1].transfer, ERR_TEMP, ERR_OF_MESSAGE);
	fake_env_pass(b->env, 100);
	assert_true(view_eq(b->link[0].opens[b->link[0].n_opens - 1].link, VIEW("to-a"))); /* the report */
	assert_int_equal(p->n_transfers, 2);
	fake_env_pass(b->env, 15 * 1000);
	assert_int_equal(p->n_transfers, 3);
	assert_true(is_local_id(&last_transfer(p)->m, "l1"));
	bench_free(b);
}

/* A bad message costs that message: it is refused for good, and the channel lives. */
static void test_what_is_no_message_is_refused_for_good(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	struct message *m[6];
	for (size_t i = 0; i < ARRAY_LEN(m); i++)
		m[i] = from_program(b, "x", TO_US);
	m[0]->id.local = VIEW("");
	m[1]->id.domain.country.value = VIEW("");
	m[2]->originator.n = 0;
	m[3]->rcpt[0].responsible = false;
	m[4]->rcpt[0].number = 0;
	m[5]->n_rcpt = 0;
	for (size_t i = 0; i < ARRAY_LEN(m); i++) {
		const struct msg_answer *a = offer_of(p, "prog", m[i], VIEW("y"));
		assert_false(a->accepted);
		assert_int_equal(a->err.kind, ERR_PERM);
		assert_int_equal(a->err.culprit, ERR_OF_MESSAGE);
	}
	struct msg_offer o = { .offer = 1000, .link = VIEW("prog"), .packed = VIEW("\1M\x80\x80") };
	put_msg_offer(chan_begin(p->control, MSG_OFFER), &o);
	chan_end(p->control);
	fake_env_settle(b->env);
	assert_false(p->answers[6].accepted);
	assert_int_equal(p->answers[6].err.kind, ERR_PERM);
	assert_int_equal(p->closed, 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

static void test_busy_is_told(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	fake_env_set_disk_free(b->env, 1000);
	fake_env_pass(b->env, 2000);
	assert_true(p->busy);
	come_again(b, p);
	assert_true(p->busy); /* one that comes meanwhile too */
	assert_int_equal(offer_of(p, "prog", from_program(b, "x", TO_US), VIEW("y"))->err.kind, ERR_TEMP);
	fake_env_set_disk_free(b->env, UINT64_C(1) << 40);
	fake_env_pass(b->env, 2000);
	assert_false(p->busy);
	assert_int_equal(p->n_suspects, 0);
	bench_free(b);
}

/* --- being killed --- */

static void test_k151473_a_dead_connector_is_replaced_and_nothing_is_struck(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 3);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "prog", from_program(b, "half", TO_US), (struct view){ NULL, 0 });
	come_again(b, p);
	assert_int_equal(b->n_accused, 0);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_true(is_local_id(&p->transfers[0].m, "l0") && is_local_id(&p->transfers[1].m, "l1"));
	assert_int_equal(b->sw->suspects.n, 0);
	assert_int_equal(b->sw->limbos == NULL, true);
	bench_free(b);
}

/* One of two streams is enough. */
static void test_half_a_connector_is_none(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 1);
	open_up(p);
	chan_free(&p->bulk, false);
	fake_env_settle(b->env);
	assert_int_equal(p->closed, 1);
	assert_true(view_eq(status_of(b, "prog")->state, VIEW("no connector")));
	assert_int_equal(counts_of(b).transfers, 1);
	bench_free(b);
}

/* It ends each time that it has this one in hand: nobody says why, but three times in a row is no chance. */
static void test_what_ends_its_connector_each_time_goes_alone_then_into_quarantine(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 3);
	for (unsigned i = 0; i < 3; i++) {
		open_up(p);
		assert_int_equal(p->n_transfers, 2);
		come_again(b, p);
	}
	for (unsigned i = 0; i < 2; i++) { /* l0 and l1 are struck now, and each is alone: the good one passes */
		open_up(p);
		assert_int_equal(p->n_transfers, 1);
		if (is_local_id(&p->transfers[0].m, "l1"))
			say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
		assert_true(is_local_id(&last_transfer(p)->m, "l0"));
		come_again(b, p);
	}
	fake_env_pass(b->env, 1000);
	assert_int_equal(kept(b), 1);
	open_up(p);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 1000);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_true(view_eq(b->link[0].opens[b->link[0].n_opens - 1].link, VIEW("to-a"))); /* its report */
	bench_free(b);
}

/* --- hanging --- */

static void test_silence_is_asked_and_an_answer_is_enough(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	fake_env_pass(b->env, 10 * WATCHDOG_MS);
	assert_int_equal(p->n_alive, 0); /* nothing is in its hands */
	letters(b, TO_PROG, "l", 1);
	open_up(p);
	for (unsigned i = 0; i < 5; i++) {
		fake_env_pass(b->env, WATCHDOG_MS + WATCHDOG_MS / LOOKS);
		assert_int_equal(p->n_alive, i + 1);
		say_count(p->control, MSG_ALIVE, p->alive, 0);
		fake_env_settle(b->env);
	}
	assert_int_equal(p->closed, 0);
	assert_int_equal(b->sw->suspects.n, 0);
	bench_free(b);
}

static void hang(struct bench *b, struct player *p)
{
	fake_env_pass(b->env, 2 * WATCHDOG_MS + 2 * WATCHDOG_MS / LOOKS);
	assert_true(p->closed > 0);
	assert_int_equal(p->n_alive, 1);
}

/* The last message that is in hand at each hang is struck, handled alone, and put into quarantine at the limit; the others pass. */
static void test_k151669_a_connector_that_hangs_costs_the_message(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 1);
	open_up(p);
	hang(b, p);
	assert_int_equal(strikes_of(b), 1);
	letters(b, TO_PROG, "m", 3);
	come_again(b, p);
	open_up(p);
	assert_int_equal(p->n_transfers, 1); /* alone */
	assert_true(is_local_id(&p->transfers[0].m, "l0"));
	hang(b, p);
	assert_int_equal(strikes_of(b), 2);
	come_again(b, p);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	hang(b, p);
	fake_env_pass(b->env, 1000);
	assert_int_equal(kept(b), 1);
	assert_int_equal(b->sw->suspects.n, 0);
	come_again(b, p);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_true(is_local_id(&p->transfers[0].m, "m0"));
	bench_free(b);
}

static void test_a_suspect_that_passes_alone_is_none_any_more(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 1);
	open_up(p);
	hang(b, p);
	come_again(b, p);
	letters(b, TO_PROG, "m", 2);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 3); /* the others, together */
	assert_int_equal(b->sw->suspects.n, 0);
	bench_free(b);
}

/* Its association ends in the same turn in which it is struck: another one is opened for it alone. */
static void test_a_suspect_gets_an_association(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "as the test says");
	letters(b, TO_PROG, "l", 1);
	for (unsigned i = 0; i < 2; i++) {
		open_up(p);
		assert_int_equal(p->n_transfers, i + 1);
		const struct msg_result m = { .transfer = last_transfer(p)->transfer, .err = why };
		const struct msg_assoc down = { .assoc = last_open(p), .link = VIEW("prog"), .err = { .reason = -1, .diagnostic = -1 } };
		put_msg_result(chan_begin(p->control, MSG_TRANSFER_RESULT), &m);
		chan_end(p->control);
		put_msg_assoc(chan_begin(p->control, MSG_ASSOC_DOWN), &down);
		chan_end(p->control);
		fake_env_pass(b->env, 20 * 1000); /* transfer-interval is 10 s */
	}
	assert_int_equal(strikes_of(b), 1);
	assert_int_equal(p->n_opens, 3);
	open_up(p);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(b->sw->suspects.n, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_one_that_opens_and_says_nothing_hangs(void **state)
{
	(void)state;
	struct bench *b = with_program();
	letters(b, TO_PROG, "l", 1);
	hang(b, &b->program[0]);
	assert_int_equal(b->sw->suspects.n, 0); /* nothing was in its hands */
	bench_free(b);
}

/* With max-associations 1 its link would wait for it for ever. */
static void test_one_that_does_not_end_an_association_hangs(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	const struct set_limits *limits = &b->settings.limits;
	letters(b, TO_PROG, "l", 1);
	open_up(p);
	say_result(p, last_transfer(p)->transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	assert_int_equal(p->n_closes, 1);
	fake_env_pass(b->env, 30 * 1000);
	assert_int_equal(p->closed, 0);
	fake_env_pass(b->env, (int64_t)(limits->connect_timeout_ms + limits->response_timeout_ms) + 2 * 60 * 1000);
	assert_int_equal(p->closed, 2);
	assert_int_equal(b->sw->suspects.n, 0);
	come_again(b, p);
	open_up(p);
	assert_true(is_local_id(&last_transfer(p)->m, "l0"));
	bench_free(b);
}

/* What waits for one that does not read is bounded: it is not listened to either, then it is ended. */
static void test_one_that_never_reads_is_bounded_and_ended(void **state)
{
	(void)state;
	enum { ASKS = 100000 };
	struct bench *b = with_program();
	const struct message *m = from_program(b, "same", TO_US);
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 1);
	open_up(p);
	fake_env_set_window(b->env, 1000);
	chan_pause(p->control, true);
	chan_pause(p->bulk, true);
	for (unsigned i = 0; i < ASKS; i++)
		put_offer(p, p->control, MSG_OFFER, 1 + i, "prog", m, VIEW("y"));
	fake_env_pass(b->env, 1000);
	const struct proc *at = b->sw->links[1]->connector;
	assert_non_null(at);
	assert_in_range(chan_unsent(at->control), 1, 2 * 1024 * 1024);
	fake_env_pass(b->env, WATCHDOG_MS + WATCHDOG_MS / LOOKS);
	assert_null(b->sw->links[1]->connector);
	assert_int_equal(b->sw->suspects.n, 1);
	fake_env_set_window(b->env, 0);
	come_again(b, p);
	open_up(p);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	bench_free(b);
}

/* --- nonsense --- */

static void is_ended(struct bench *b, struct player *p, const char *what, unsigned n)
{
	fake_env_settle(b->env);
	if (p->closed == 0)
		fail_msg("%s %u is taken", what, n);
	assert_true(view_eq(status_of(b, "prog")->state, VIEW("no connector")));
	come_again(b, p);
}

static void test_every_message_that_is_not_for_the_switch_ends_the_channel(void **state)
{
	(void)state;
	static const enum msg control[] = { MSG_OFFER, MSG_ASSOC_UP, MSG_ASSOC_DOWN, MSG_TRANSFER_PULL, MSG_TRANSFER_RESULT, MSG_ALIVE };
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	for (uint16_t type = 1; type < 80; type++) {
		bool taken = false, bulk = type >= MSG_OFFER_BEGIN && type <= MSG_OFFER_CANCEL;
		for (size_t i = 0; i < ARRAY_LEN(control); i++)
			taken = taken || control[i] == type;
		if (taken)
			continue;
		chan_send(p->control, type, VIEW("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0"));
		is_ended(b, p, "control type", type);
		if (bulk || type == MSG_OFFER_SPOILED)
			continue;
		chan_send(p->bulk, type, VIEW("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0"));
		is_ended(b, p, "bulk type", type);
	}
	bench_free(b);
}

/* Where an OFFER ends that leaves out its last field, an empty string. */
static size_t without_track(const struct out *o)
{
	return out_len(o) - 4;
}

/* A message that would be taken, cut after n octets. False: there is nothing to cut any more. */
static bool say_cut(struct bench *b, struct player *p, unsigned which, size_t n)
{
	struct out o;
	out_init(&o, 100000);
	const struct message *m = from_program(b, "x", TO_US);
	struct out packed;
	out_init(&packed, 100000);
	pack_message(&packed, m, 0, 1);
	const struct msg_offer offer = { .offer = 1, .link = VIEW("prog"), .packed = out_view(&packed), .content = VIEW("y") };
	const struct msg_assoc assoc = { .assoc = last_open(p), .link = VIEW("prog") };
	const struct msg_count count = { 1, 1 };
	const struct msg_piece piece = { 1, VIEW("yy") };
	const struct msg_result result = { .transfer = 1, .delivered = true };
	struct msg_spoiled spoiled = { .offer = 1 };
	err_set(&spoiled.err, ERR_PERM, ERR_OF_MESSAGE, "x");
	static const enum msg types[] = { MSG_OFFER, MSG_ASSOC_UP, MSG_ASSOC_DOWN, MSG_TRANSFER_PULL, MSG_TRANSFER_RESULT, MSG_ALIVE,
					  MSG_OFFER_BEGIN, MSG_OFFER_DATA, MSG_OFFER_END, MSG_OFFER_CANCEL, MSG_OFFER_SPOILED };
	switch (types[which]) {
	case MSG_OFFER: case MSG_OFFER_BEGIN: put_msg_offer(&o, &offer); break;
	case MSG_ASSOC_UP: case MSG_ASSOC_DOWN: put_msg_assoc(&o, &assoc); break;
	case MSG_OFFER_DATA: put_msg_piece(&o, &piece); break;
	case MSG_TRANSFER_RESULT: put_msg_result(&o, &result); break;
	case MSG_OFFER_SPOILED: put_msg_spoiled(&o, &spoiled); break;
	default: put_msg_count(&o, &count); break;
	}
	bool more = n < out_len(&o);
	if ((types[which] == MSG_OFFER || types[which] == MSG_OFFER_BEGIN) && n == without_track(&o))
		n--; /* that one is whole: see test_an_offer_without_track_is_taken */
	if (more)
		chan_send(which < 6 ? p->control : p->bulk, (uint16_t)types[which], view_first(out_view(&o), n));
	out_fini(&o);
	out_fini(&packed);
	return more;
}

/* A connector need not know of its last field: what ends before it is as good as one that says nothing there. */
static void test_an_offer_without_track_is_taken(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	struct out o, packed;
	out_init(&o, 100000);
	out_init(&packed, 100000);
	pack_message(&packed, from_program(b, "x", TO_US), 0, 1);
	const struct msg_offer offer = { .offer = 1, .link = VIEW("prog"), .packed = out_view(&packed), .content = VIEW("y") };
	put_msg_offer(&o, &offer);
	chan_send(p->control, MSG_OFFER, view_first(out_view(&o), without_track(&o)));
	fake_env_settle(b->env);
	assert_int_equal(p->closed, 0);
	assert_true(p->answers[0].accepted);
	assert_int_equal(counts_of(b).deliveries, 1);
	out_fini(&o);
	out_fini(&packed);
	bench_free(b);
}

static void test_every_message_cut_at_every_octet_ends_the_channel(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 1);
	for (unsigned which = 0; which < 11; which++)
		for (size_t n = 0; say_cut(b, p, which, n); n++)
			is_ended(b, p, "cut message", which);
	assert_int_equal(b->sw->suspects.n, 0); /* it was opening only: nothing was in its hands */
	assert_int_equal(counts_of(b).transfers, 1);
	assert_int_equal(counts_of(b).deliveries, 0);
	bench_free(b);
}

static void send_pull(struct player *p)
{
	say_count(p->control, MSG_TRANSFER_PULL, last_transfer(p)->transfer, MSG_CREDIT + 1);
}

static void send_pull_beyond(struct player *p)
{
	say_count(p->control, MSG_TRANSFER_PULL, last_transfer(p)->transfer, 1000);
}

static void send_other_link(struct player *p)
{
	put_offer(p, p->control, MSG_OFFER, 1, "other", from_program(p->b, "x", TO_US), VIEW("y"));
}

static void send_empty_failure(struct player *p)
{
	const struct msg_result m = { .transfer = last_transfer(p)->transfer };
	put_msg_result(chan_begin(p->control, MSG_TRANSFER_RESULT), &m);
	chan_end(p->control);
}

static void send_big_diagnostic(struct player *p)
{
	struct msg_result m = { .transfer = last_transfer(p)->transfer };
	err_report(&m.err, ERR_PERM, ERR_OF_MESSAGE, 1, 40000, "x");
	put_msg_result(chan_begin(p->control, MSG_TRANSFER_RESULT), &m);
	chan_end(p->control);
}

static void send_other_up(struct player *p)
{
	const struct msg_assoc m = { .assoc = MSG_INBOUND_BIT | 1, .link = VIEW("to-a") };
	put_msg_assoc(chan_begin(p->control, MSG_ASSOC_UP), &m);
	chan_end(p->control);
}

static void send_many_up(struct player *p)
{
	for (uint64_t i = 0; i < 11; i++) {
		const struct msg_assoc m = { .assoc = MSG_INBOUND_BIT | i, .link = VIEW("prog") };
		put_msg_assoc(chan_begin(p->control, MSG_ASSOC_UP), &m);
		chan_end(p->control);
	}
}

static void send_many_begun(struct player *p)
{
	for (uint64_t i = 0; i < 17; i++)
		put_offer(p, p->bulk, MSG_OFFER_BEGIN, i, "prog", from_program(p->b, "x", TO_US), (struct view){ NULL, 0 });
}

static void send_octets(struct player *p)
{
	const struct msg_offer m = { .offer = 1, .link = VIEW("prog"), .octets = true, .content = VIEW("?") };
	put_msg_offer(chan_begin(p->control, MSG_OFFER), &m);
	chan_end(p->control);
}

static void send_wrong_end(struct player *p)
{
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "prog", from_program(p->b, "x", TO_US), (struct view){ NULL, 0 });
	say_count(p->bulk, MSG_OFFER_END, 1, 5);
}

/* What it had in hand gets a strike, once; then it is handled alone, and passes. */
static void test_nonsense_ends_the_channel_and_strikes(void **state)
{
	(void)state;
	static void (*const says[])(struct player *p) = { send_pull, send_pull_beyond, send_other_link, send_empty_failure,
							  send_big_diagnostic, send_other_up, send_many_up, send_many_begun,
							  send_octets, send_wrong_end };
	for (unsigned i = 0; i < ARRAY_LEN(says); i++) {
		struct bench *b = with_program();
		struct player *p = &b->program[0];
		letters(b, TO_PROG, "l", 1);
		open_up(p);
		says[i](p);
		is_ended(b, p, "nonsense", i);
		assert_int_equal(strikes_of(b), 1);
		open_up(p);
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
		fake_env_pass(b->env, 100);
		assert_int_equal(b->sw->suspects.n, 0);
		assert_int_equal(counts_of(b).transfers, 0);
		bench_free(b);
	}
}

static void test_a_result_for_what_it_does_not_have_is_ignored(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	say_result(p, 12345, ERR_NONE, 0);
	say_count(p->control, MSG_TRANSFER_PULL, 12345, 10);
	say_count(p->control, MSG_ALIVE, 12345, 10);
	say_count(p->bulk, MSG_OFFER_CANCEL, 12345, 0);
	fake_env_settle(b->env);
	assert_int_equal(p->closed, 0);
	bench_free(b);
}

/* An association that was not up cannot be released: it would be asked for again at once, for ever. */
static void test_an_opening_needs_a_cause_to_fail(void **state)
{
	(void)state;
	struct bench *b = with_program();
	struct player *p = &b->program[0];
	letters(b, TO_PROG, "l", 1);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "prog", NULL);
	is_ended(b, p, "release", 0);
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_LINK, "no folder");
	size_t opens = p->n_opens;
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "prog", &e);
	assert_int_equal(p->n_opens, opens);
	assert_true(view_eq(status_of(b, "prog")->last_error, VIEW("no folder")));
	fake_env_pass(b->env, 12 * 1000);
	assert_int_equal(p->n_opens, opens + 1);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_may_not_register),
		cmocka_unit_test(test_both_streams_of_one_kind_are_refused),
		cmocka_unit_test(test_another_version_is_told_why),
		cmocka_unit_test(test_what_comes_before_registering_ends_the_stream),
		cmocka_unit_test(test_registrations_are_bounded_in_time),
		cmocka_unit_test(test_too_many_that_say_nothing_are_closed),
		cmocka_unit_test(test_k164177_a_link_that_nobody_serves_says_so),
		cmocka_unit_test(test_messages_both_ways),
		cmocka_unit_test(test_long_content_both_ways),
		cmocka_unit_test(test_a_permanent_result_is_reported_a_temporary_one_tried_again),
		cmocka_unit_test(test_what_is_no_message_is_refused_for_good),
		cmocka_unit_test(test_busy_is_told),
		cmocka_unit_test(test_k151473_a_dead_connector_is_replaced_and_nothing_is_struck),
		cmocka_unit_test(test_half_a_connector_is_none),
		cmocka_unit_test(test_what_ends_its_connector_each_time_goes_alone_then_into_quarantine),
		cmocka_unit_test(test_silence_is_asked_and_an_answer_is_enough),
		cmocka_unit_test(test_k151669_a_connector_that_hangs_costs_the_message),
		cmocka_unit_test(test_a_suspect_that_passes_alone_is_none_any_more),
		cmocka_unit_test(test_a_suspect_gets_an_association),
		cmocka_unit_test(test_one_that_opens_and_says_nothing_hangs),
		cmocka_unit_test(test_one_that_does_not_end_an_association_hangs),
		cmocka_unit_test(test_one_that_never_reads_is_bounded_and_ended),
		cmocka_unit_test(test_every_message_that_is_not_for_the_switch_ends_the_channel),
		cmocka_unit_test(test_every_message_cut_at_every_octet_ends_the_channel),
		cmocka_unit_test(test_an_offer_without_track_is_taken),
		cmocka_unit_test(test_nonsense_ends_the_channel_and_strikes),
		cmocka_unit_test(test_a_result_for_what_it_does_not_have_is_ignored),
		cmocka_unit_test(test_an_opening_needs_a_cause_to_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
