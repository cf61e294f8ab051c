/* interchange_test.c - the interchange of a link of kind msmail, played, as the switch has it: the connector of its link over streams of
 * the supervisor; how it dies decides what is charged; octets that it offers. Of a real switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

enum { WATCHDOG_MS = 120 * 1000, LOOKS = 4, INSTANCE = 1 /* index of its link */ };

#define SETTINGS                                                                                                        \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlinks:\n"                               \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    max-associations: 1\n"                    \
	"  - name: mail\n    kind: msmail\n    max-associations: 1\n    open-interval: 10 s\n    transfer-interval: 10 s\n"       \
	"    msmail:\n      postoffice: /postoffice\n"                                                                           \
	"routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n  - match: \"C=IT; A=SIM; P=mail\"\n    to: mail\n"               \
	"  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"                                                                       \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"
#define TO_MAIL "S=ada; P=mail; A=SIM; C=IT"

static struct player *come(struct bench *b)
{
	struct player *p = &b->program[0];
	bench_join(b, p, PROCESS_INTERCHANGE, INSTANCE);
	return p;
}

static struct bench *with_interchange(void)
{
	struct bench *b = bench_with(SETTINGS);
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	come(b);
	return b;
}

static void letters(struct bench *b, const char *prefix, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char id[24];
		snprintf(id, sizeof id, "%s%zu", prefix, i);
		assert_true(offer_of(&b->link[0], "to-a", LETTER(b, arena_str(b->a, view_str(id)), TO_MAIL), VIEW("x"))->accepted);
	}
}

static const struct msg_status_link *status_of(struct bench *b)
{
	if (b->tool.control == NULL)
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
	b->tool.n_status = 0;
	chan_send(b->tool.control, MSG_STATUS, (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	assert_int_equal(b->tool.n_status, 2);
	return &b->tool.status[1];
}

static void state_is(struct bench *b, const char *state, const char *error)
{
	const struct msg_status_link *s = status_of(b);
	if (!view_eq(s->state, view_str(state)))
		fail_msg("state %.*s, want %s", (int)s->state.n, (const char *)s->state.p, state);
	char text[300];
	snprintf(text, sizeof text, "%.*s", (int)s->last_error.n, (const char *)s->last_error.p);
	if (strstr(text, error) == NULL || (*error == 0 && *text != 0))
		fail_msg("last error \"%s\", want \"%s\"", text, error);
}

static struct message *from_mail(struct bench *b, const char *id)
{
	struct message *m = LETTER(b, id, TO_US);
	m->id.domain = domain_of("IT", "mail");
	m->trace.n = m->internal_trace.n = 0;
	add_trace(b, m, domain_of("IT", "mail"), "mail");
	return m;
}

/* The supervisor's word, and a successor. */
static struct player *dies(struct bench *b, bool by_fault, const char *note)
{
	bench_dies(b, &b->program[0], PROCESS_INTERCHANGE, INSTANCE, by_fault, note);
	return come(b);
}

static char *note_of(struct bench *b, const struct seen_transfer *t)
{
	char text[40];
	snprintf(text, sizeof text, "transfer %llu", (unsigned long long)t->stored);
	return (char *)(uintptr_t)arena_str(b->a, view_str(text));
}

static uint32_t strikes_of(struct bench *b)
{
	size_t i = 0;
	const struct suspect *x = map_next(&b->sw->suspects, &i);
	assert_int_equal(b->sw->suspects.n, 1);
	return x->strikes;
}

static size_t in_state(struct bench *b, enum store_quarantine_state state, struct store_quarantine *q_r)
{
	uint64_t ids[10];
	struct err e;
	const size_t n = store_quarantine_next(b->sw->store, state, 0, ids, 10);
	if (n > 0 && q_r != NULL)
		assert_true(store_load_quarantine(b->sw->store, ids[0], q_r, b->a, &e));
	return n;
}

/* --- serving --- */

static void test_it_serves_its_link_both_ways(void **state)
{
	(void)state;
	struct bench *b = bench_with(SETTINGS);
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	letters(b, "out", 1);
	state_is(b, "starting", "");
	struct player *p = come(b);
	assert_int_equal(p->n_opens, 1);
	assert_true(view_eq(p->opens[0].link, VIEW("mail")));
	open_up(p);
	state_is(b, "open", "");
	assert_true(is_local_id(&last_transfer(p)->m, "out0"));
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_true(offer_of(p, "mail", from_mail(b, "in"), VIEW("y"))->accepted);
	assert_true(offer_of(p, "mail", from_mail(b, "in"), VIEW("y"))->duplicate);
	fake_env_pass(b->env, 100);
	assert_int_equal(counts_of(b).deliveries, 1);
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(status_of(b)->sent, 1);
	assert_int_equal(status_of(b)->received, 1);
	assert_int_equal(b->link[0].n_opens, 0); /* no link process is asked to open it */
	bench_free(b);
}

/* Its first stream alone is nothing yet, and what it says there is not read. */
static void test_nothing_is_read_before_both_streams_are_there(void **state)
{
	(void)state;
	struct bench *b = bench_with(SETTINGS);
	struct player *p = &b->program[0];
	struct stream *ours, *theirs;
	p->b = b;
	out_init(&p->data, 100);
	fake_env_pair(b->env, &ours, &theirs);
	p->control = chan_new(&ours, &play_events, p, PROCESS_INTERCHANGE, INSTANCE);
	switch_adopt_peer(b->sw, PROCESS_INTERCHANGE, INSTANCE, false, theirs);
	put_offer(p, p->control, MSG_OFFER, 1, "mail", from_mail(b, "in"), VIEW("y"));
	fake_env_settle(b->env);
	assert_int_equal(p->n_answers, 0);
	assert_null(b->sw->links[INSTANCE]->connector);
	fake_env_pair(b->env, &ours, &theirs);
	p->bulk = chan_new(&ours, &play_events, p, PROCESS_INTERCHANGE, INSTANCE);
	switch_adopt_peer(b->sw, PROCESS_INTERCHANGE, INSTANCE, true, theirs);
	fake_env_pass(b->env, 100);
	assert_int_equal(p->n_answers, 1);
	assert_int_equal(counts_of(b).deliveries, 1);
	assert_int_equal(p->closed, 0);
	bench_free(b);
}

static void test_one_of_no_such_link_is_closed(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[1];
	bench_join(b, p, PROCESS_INTERCHANGE, 0); /* of kind x400 */
	assert_int_equal(p->closed, 2);
	bench_leave(b, p);
	bench_join(b, p, PROCESS_INTERCHANGE, 7);
	assert_int_equal(p->closed, 2);
	bench_leave(b, p);
	bench_join(b, p, PROCESS_INTERCHANGE, INSTANCE); /* a successor: the one before it goes */
	assert_int_equal(p->closed, 0);
	assert_int_equal(b->program[0].closed, 2);
	bench_free(b);
}

static void test_no_program_may_register_for_it(void **state)
{
	(void)state;
	struct bench *b = bench_with(SETTINGS);
	struct player *p = &b->program[1];
	struct stream *ours, *theirs;
	p->b = b;
	out_init(&p->data, 100);
	fake_env_pair(b->env, &ours, &theirs);
	p->control = chan_new(&ours, &play_events, p, PROCESS_CONNECTOR, 0);
	switch_adopt_connector(b->sw, theirs);
	const struct msg_register m = { .link = VIEW("mail"), .token = 1 };
	put_msg_register(chan_begin(p->control, MSG_REGISTER), &m);
	chan_end(p->control);
	fake_env_pass(b->env, 1000);
	assert_int_equal(p->n_registered, 1);
	assert_false(p->registered[1].accepted);
	assert_int_equal(p->registered[1].err.kind, ERR_PERM);
	assert_string_equal(p->registered[1].err.text,
			    "REGISTER: link \"mail\" is of kind msmail, which Posthorn's own interchange serves");
	bench_free(b);
}

/* An association of its own is up while its postoffice is there. */
static void test_its_state_is_the_postoffices(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "postoffice /postoffice: GLB/MASTER.GLB is not there");
	state_is(b, "idle", "");
	say_assoc(p, MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 1, "mail", &why);
	state_is(b, "detached", "GLB/MASTER.GLB is not there");
	say_assoc(p, MSG_ASSOC_UP, MSG_INBOUND_BIT | 2, "mail", NULL);
	state_is(b, "attached", "");
	assert_int_equal(status_of(b)->inbound, 1);
	say_assoc(p, MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 2, "mail", &why);
	state_is(b, "detached", "GLB/MASTER.GLB is not there");
	assert_int_equal(p->closed, 0);
	/* An attempt to open it that fails is the link's failure; the postoffice's return brings the next one forward. */
	letters(b, "l", 1);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "mail", &why);
	assert_int_equal(p->n_opens, 1);
	assert_int_equal(status_of(b)->attempts, 1);
	say_assoc(p, MSG_ASSOC_UP, MSG_INBOUND_BIT | 3, "mail", NULL);
	fake_env_pass(b->env, 1500);
	assert_int_equal(p->n_opens, 2);
	bench_free(b);
}

/* --- how it dies --- */

static void test_what_it_dies_of_by_a_fault_is_struck_at_once(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	letters(b, "l", 2);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	p = dies(b, true, note_of(b, &p->transfers[0]));
	assert_int_equal(strikes_of(b), 1); /* the one that was only ready to be taken is not */
	fake_env_pass(b->env, 100);
	open_up(p);
	assert_int_equal(p->n_transfers, 1); /* alone */
	assert_true(is_local_id(&p->transfers[0].m, "l0"));
	p = dies(b, true, note_of(b, &p->transfers[0]));
	assert_int_equal(strikes_of(b), 2);
	fake_env_pass(b->env, 100);
	open_up(p);
	p = dies(b, true, note_of(b, &p->transfers[0]));
	fake_env_pass(b->env, 1000);
	assert_int_equal(in_state(b, STORE_QUARANTINE_KEPT, NULL), 1);
	open_up(p);
	assert_true(is_local_id(&last_transfer(p)->m, "l1"));
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 1000);
	assert_int_equal(b->sw->suspects.n, 0);
	bench_free(b);
}

static void test_with_nothing_noted_all_in_its_hands_is_struck(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	letters(b, "l", 2);
	open_up(&b->program[0]);
	dies(b, true, "");
	assert_int_equal(b->sw->suspects.n, 2);
	bench_free(b);
}

/* Q151473, Q232602: a file server that hangs or goes costs no message anything, and comes back by itself. */
static void test_a_file_server_that_hangs_is_charged_to_the_link(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	letters(b, "l", 2);
	for (unsigned i = 0; i < 5; i++) { /* more often than a message may be in hand at a death */
		open_up(p);
		assert_int_equal(p->n_transfers, 2);
		p = dies(b, true, "postoffice write MBG/INQUEUE3.MBG");
		assert_int_equal(b->sw->suspects.n, 0);
		assert_int_equal(p->n_opens, 0); /* not at once */
		state_is(b, "detached", "the file server: link-1 died of signal 11");
		assert_true(status_of(b)->attempts >= 1);
		fake_env_pass(b->env, 10 * 1000 + 1000);
		assert_int_equal(p->n_opens, 1);
	}
	open_up(p);
	state_is(b, "open", "");
	assert_true(is_local_id(&p->transfers[0].m, "l0") && is_local_id(&p->transfers[1].m, "l1"));
	assert_int_equal(status_of(b)->queued, 2);
	bench_free(b);
}

static void test_a_record_that_it_dies_of_is_none_of_ours(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	letters(b, "l", 2);
	for (unsigned i = 0; i < 5; i++) {
		open_up(p);
		assert_int_equal(p->n_transfers, 2);
		p = dies(b, true, "INQUEUE3 00000062");
		assert_int_equal(b->sw->suspects.n, 0);
		fake_env_pass(b->env, 1000);
	}
	open_up(p);
	assert_true(is_local_id(&p->transfers[0].m, "l0"));
	bench_free(b);
}

static void test_an_end_that_is_no_fault_strikes_nothing(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	letters(b, "l", 2);
	for (unsigned i = 0; i < 5; i++) {
		open_up(p);
		assert_int_equal(p->n_transfers, 2);
		p = dies(b, false, note_of(b, &p->transfers[0]));
		assert_int_equal(b->sw->suspects.n, 0);
	}
	bench_free(b);
}

/* --- hanging --- */

static void hang(struct bench *b, struct player *p)
{
	fake_env_pass(b->env, 2 * WATCHDOG_MS + 2 * WATCHDOG_MS / LOOKS);
	assert_true(p->closed > 0);
	assert_int_equal(b->n_accused, 1);
	assert_int_equal(b->accused, PROCESS_INTERCHANGE);
}

static void test_k151669_one_that_hangs_is_ended_and_struck_by_its_note(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	letters(b, "l", 1);
	open_up(p);
	const char *note = note_of(b, &p->transfers[0]);
	hang(b, p);
	p = dies(b, true, note);
	assert_int_equal(strikes_of(b), 1);
	bench_free(b);
}

/* Not even SIGKILL ends it: it is in a call of the file system. */
static void test_one_that_cannot_be_ended_waits_for_its_file_server(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	letters(b, "l", 1);
	open_up(p);
	hang(b, p);
	fake_env_pass(b->env, PEER_WORD_MS);
	assert_int_equal(b->sw->suspects.n, 0);
	state_is(b, "starting", "the file server: ");
	p = dies(b, true, "postoffice read MAI/0/00000062.MAI"); /* hours later */
	assert_int_equal(b->sw->suspects.n, 0);
	fake_env_pass(b->env, 20 * 1000);
	open_up(p);
	assert_true(is_local_id(&p->transfers[0].m, "l0"));
	bench_free(b);
}

static void test_nonsense_ends_it(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	offer_of(p, "to-a", from_mail(b, "1"), VIEW("x")); /* of another link */
	assert_int_equal(b->n_accused, 1);
	assert_int_equal(b->accused, PROCESS_INTERCHANGE);
	assert_true(p->closed > 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* --- octets --- */

static const struct msg_answer *offer_octets(struct player *p, struct view octets, const char *why)
{
	struct msg_offer o = { .offer = ++p->b->next_offer, .link = VIEW("mail"), .peer = VIEW("INQUEUE3"), .content = octets, .octets = true,
			       .err = { .reason = -1, .diagnostic = -1 } };
	if (why != NULL)
		err_set(&o.err, ERR_PERM, ERR_OF_MESSAGE, "%s", why);
	const size_t before = p->n_answers;
	put_msg_offer(chan_begin(p->control, MSG_OFFER), &o);
	chan_end(p->control);
	fake_env_settle(p->b->env);
	return p->n_answers == before ? NULL : &p->answers[p->n_answers - 1];
}

static const struct msg_answer *offer_examined(struct player *p, uint64_t number, const struct message *m)
{
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, m, 0, m->n_rcpt);
	const struct msg_offer o = { .offer = ++p->b->next_offer, .link = VIEW("mail"), .packed = out_view(&packed), .content = VIEW("x"),
				     .examined = number, .err = { .reason = -1, .diagnostic = -1 } };
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

static void test_octets_with_a_cause_are_kept(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	struct store_quarantine q;
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	assert_true(offer_octets(p, VIEW("a bundle"), "the converter died of it 3 times")->accepted);
	assert_true(offer_octets(p, VIEW("a bundle"), "the converter died of it 3 times")->accepted); /* the answer was lost */
	assert_int_equal(in_state(b, STORE_QUARANTINE_KEPT, &q), 1);
	assert_true(view_eq(q.cause, VIEW("the converter died of it 3 times")));
	assert_true(view_eq(q.link, VIEW("mail")));
	fake_env_pass(b->env, 60 * 1000);
	assert_int_equal(p->n_examines + b->alone.n_examines, 0);
	bench_free(b);
}

static struct msg_acted act(struct bench *b, enum msg_act what, uint64_t id)
{
	struct out ids;
	out_init(&ids, 8);
	out_u64(&ids, id);
	if (b->tool.control == NULL)
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
	const struct msg_act_on m = { .id = 5, .act = (uint8_t)what, .who = VIEW("olga"), .why = VIEW("a test"), .ids = out_view(&ids) };
	put_msg_act_on(chan_begin(b->tool.control, MSG_ACT), &m);
	chan_end(b->tool.control);
	out_fini(&ids);
	fake_env_pass(b->env, 100);
	return b->tool.acted;
}

/* Nobody else can read them: they are given to the interchange, and wait while there is none. */
static void test_octets_that_are_released_go_to_the_interchange(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	struct store_quarantine q;
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	offer_octets(p, VIEW("a bundle"), "the converter died of it 3 times");
	assert_int_equal(in_state(b, STORE_QUARANTINE_KEPT, &q), 1);
	bench_leave(b, p);
	fake_env_pass(b->env, PEER_WORD_MS);
	assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, q.id).what.p[0], ACTED_DONE);
	assert_int_equal(in_state(b, STORE_QUARANTINE_EXAMINE, NULL), 1);
	assert_int_equal(b->alone.n_examines, 0);
	p = come(b);
	fake_env_pass(b->env, 100);
	assert_int_equal(p->n_examines, 1);
	assert_int_equal(b->alone.n_examines, 0);
	assert_true(view_eq(p->examine.content, VIEW("a bundle")));
	assert_true(view_eq(p->examine.link, VIEW("mail")));
	assert_true(offer_examined(p, p->examine.examine, from_mail(b, "in"))->accepted);
	say_examined(p, true, ERR_NONE);
	assert_int_equal(p->closed, 0);
	assert_int_equal(counts_of(b).quarantined, 0);
	assert_int_equal(counts_of(b).deliveries, 1);
	bench_free(b);
}

static void test_released_octets_that_cannot_be_read_come_back(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	struct store_quarantine q;
	offer_octets(p, VIEW("a bundle"), "why");
	assert_int_equal(in_state(b, STORE_QUARANTINE_KEPT, &q), 1);
	act(b, ACT_QUARANTINE_RELEASE, q.id);
	assert_int_equal(p->n_examines, 1);
	say_examined(p, false, ERR_PERM);
	assert_int_equal(in_state(b, STORE_QUARANTINE_KEPT, &q), 1);
	assert_true(view_eq(q.cause, VIEW("as the test says")));
	/* By a fault: struck, up to the limit; a file server's end strikes nothing. */
	act(b, ACT_QUARANTINE_RELEASE, q.id);
	p = dies(b, true, "postoffice open GLB/MASTER.GLB");
	fake_env_pass(b->env, 100);
	assert_int_equal(p->n_examines, 1);
	assert_int_equal(strikes_of(b), 1); /* as released */
	for (unsigned i = 1; i < b->settings.limits.strikes; i++) {
		assert_int_equal(p->n_examines, 1);
		p = dies(b, true, "examine 1");
		fake_env_pass(b->env, 100);
	}
	assert_int_equal(p->n_examines, 0);
	assert_int_equal(in_state(b, STORE_QUARANTINE_KEPT, &q), 1);
	bench_free(b);
}

/* The process for suspects goes on with what is its own. */
static void test_octets_of_an_interchange_keep_nobody_waiting(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0], *l = &b->link[0];
	struct store_quarantine q;
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	offer_octets(p, VIEW("a bundle"), "why");
	in_state(b, STORE_QUARANTINE_KEPT, &q);
	act(b, ACT_QUARANTINE_RELEASE, q.id);
	assert_int_equal(p->n_examines, 1);
	assert_true(offer_of(p, "mail", LETTER(b, "1", FROM_A), VIEW("x"))->accepted); /* to a, which dies of it */
	open_up(l);
	bench_dies(b, l, PROCESS_LINK, 0, true, "");
	bench_join(b, l, PROCESS_LINK, 0);
	fake_env_pass(b->env, 100);
	assert_int_equal(b->alone.n_opens, 1);
	open_up(&b->alone);
	assert_int_equal(b->alone.n_transfers, 1);
	bench_free(b);
}

/* More of them than are looked at in a turn: the switch sleeps until their process comes (fake_env_settle fails when it does not). */
static void test_many_released_octets_wait_without_a_turn(void **state)
{
	(void)state;
	enum { MANY = 50 };
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	uint64_t ids[MANY];
	char name[16];
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "bundle %u", i);
		assert_true(offer_octets(p, view_str(name), "why")->accepted);
	}
	assert_int_equal(store_quarantine_next(b->sw->store, STORE_QUARANTINE_KEPT, 0, ids, MANY), MANY);
	bench_leave(b, p);
	fake_env_pass(b->env, PEER_WORD_MS);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, ids[i]).what.p[0], ACTED_DONE);
	assert_int_equal(store_quarantine_next(b->sw->store, STORE_QUARANTINE_EXAMINE, 0, ids, MANY), MANY);
	p = come(b);
	fake_env_pass(b->env, 100);
	assert_int_equal(p->n_examines, 1);
	bench_free(b);
}

static void test_one_that_examines_for_ever_hangs(void **state)
{
	(void)state;
	struct bench *b = with_interchange();
	struct player *p = &b->program[0];
	struct store_quarantine q;
	offer_octets(p, VIEW("a bundle"), "why");
	in_state(b, STORE_QUARANTINE_KEPT, &q);
	act(b, ACT_QUARANTINE_RELEASE, q.id);
	fake_env_pass(b->env, 61 * 1000);
	assert_true(p->closed > 0);
	assert_int_equal(b->n_accused, 1);
	assert_int_equal(b->accused, PROCESS_INTERCHANGE);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_serves_its_link_both_ways),
		cmocka_unit_test(test_nothing_is_read_before_both_streams_are_there),
		cmocka_unit_test(test_one_of_no_such_link_is_closed),
		cmocka_unit_test(test_no_program_may_register_for_it),
		cmocka_unit_test(test_its_state_is_the_postoffices),
		cmocka_unit_test(test_what_it_dies_of_by_a_fault_is_struck_at_once),
		cmocka_unit_test(test_with_nothing_noted_all_in_its_hands_is_struck),
		cmocka_unit_test(test_a_file_server_that_hangs_is_charged_to_the_link),
		cmocka_unit_test(test_a_record_that_it_dies_of_is_none_of_ours),
		cmocka_unit_test(test_an_end_that_is_no_fault_strikes_nothing),
		cmocka_unit_test(test_k151669_one_that_hangs_is_ended_and_struck_by_its_note),
		cmocka_unit_test(test_one_that_cannot_be_ended_waits_for_its_file_server),
		cmocka_unit_test(test_nonsense_ends_it),
		cmocka_unit_test(test_octets_with_a_cause_are_kept),
		cmocka_unit_test(test_octets_that_are_released_go_to_the_interchange),
		cmocka_unit_test(test_released_octets_that_cannot_be_read_come_back),
		cmocka_unit_test(test_octets_of_an_interchange_keep_nobody_waiting),
		cmocka_unit_test(test_many_released_octets_wait_without_a_turn),
		cmocka_unit_test(test_one_that_examines_for_ever_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
