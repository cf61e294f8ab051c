/* kind_test.c - a link gets another kind while mail runs: its queue is kept, and whoever serves it by the new kind takes it. Link
 * processes, programs and interchanges are played, the switch is real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/reload_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

enum { AGAIN_MS = 200, SWEPT_MS = 31 * 1000, INSTANCE = 1 /* index of the link that changes */ };

#define WITH(kind)                                                                                              \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlinks:\n"                               \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    max-associations: 1\n"                    \
	"  - name: to-c\n    max-associations: 1\n    open-interval: 400 s\n" kind                                                 \
	"  - name: to-d\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-d\n    max-associations: 1\n"                    \
	"routes:\n  - match: \"C=GB\"\n    to: to-a\n  - match: \"C=JP\"\n    to: to-c\n"                                         \
	"  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"                                                                       \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"
#define AS_X400 WITH("    address: \"127.0.0.1:4\"\n    remote-mta-name: mta-c\n")
#define AS_CONNECTOR WITH("    kind: connector\n")
#define AS_MSMAIL WITH("    kind: msmail\n    msmail:\n      postoffice: /postoffice\n")

/* Who serves the link when it is a program's, or of the kind msmail. */
static struct player *program(const struct at *t)
{
	return &t->b->program[0];
}

static struct player *interchange(const struct at *t)
{
	return &t->b->program[1];
}

static void offer(struct at *t, const char *id)
{
	struct message *m = LETTER(t->b, id, TO_C);
	m->dl_prohibited = true; /* which docs/connector.md does not have in its form of a message */
	assert_true(offer_of(t->p, "to-a", m, VIEW("x"))->accepted);
}

static void register_one(struct at *t, struct chan *c, bool bulk)
{
	const struct msg_register m = { .link = VIEW("to-c"), .bulk = bulk, .token = t->b->next_offer };
	put_msg_register(chan_begin(c, MSG_REGISTER), &m);
	chan_end(c);
}

/* A program comes for the link; how it is answered is in program(t). */
static void program_comes(struct at *t)
{
	struct stream *ours, *theirs;
	struct player *p = program(t);
	p->b = t->b;
	out_init(&p->data, 1 << 20);
	t->b->next_offer++;
	for (int i = 0; i < 2; i++) {
		fake_env_pair(t->b->env, &ours, &theirs);
		*(i == 0 ? &p->control : &p->bulk) = chan_new(&ours, &play_events, p, PROCESS_CONNECTOR, 0);
		switch_adopt_connector(t->b->sw, theirs);
	}
	register_one(t, p->control, false);
	register_one(t, p->bulk, true);
	fake_env_pass(t->b->env, AGAIN_MS + 1);
}

static const struct msg_status_link *status(struct at *t)
{
	static struct msg_status_link found;
	bench_join(t->b, &t->b->tool, PROCESS_TOOL, 0);
	chan_begin(t->b->tool.control, MSG_STATUS);
	chan_end(t->b->tool.control);
	fake_env_settle(t->b->env);
	assert_true(t->b->tool.n_status > INSTANCE);
	found = t->b->tool.status[INSTANCE];
	assert_true(view_eq(found.name, VIEW("to-c")));
	bench_leave(t->b, &t->b->tool);
	return &found;
}

static bool is_closed(const struct player *p, uint64_t assoc)
{
	for (size_t i = 0; i < p->n_closes; i++)
		if (p->closes[i] == assoc)
			return true;
	return false;
}

static void goes_down(struct player *p, uint64_t assoc)
{
	say_assoc(p, MSG_ASSOC_DOWN, assoc, "to-c", NULL);
}

static size_t in_state(struct at *t, enum store_quarantine_state state)
{
	uint64_t ids[10];
	return store_quarantine_next(t->b->sw->store, state, 0, ids, 10);
}

/* What waits is packed anew: a program reads another form than a link process. What is in hand is handed over once. */
static void test_mail_of_an_x400_link_goes_to_a_program(void **state)
{
	(void)state;
	struct at t = begin(AS_X400);
	for (int i = 0; i < 4; i++)
		offer(&t, (const char *const[]){ "1", "2", "3", "4" }[i]);
	open_up(t.p);
	const uint64_t assoc = last_open(t.p);
	assert_int_equal(t.p->n_transfers, 2); /* two at most in the hands of one */
	assert_true(t.p->transfers[0].m.dl_prohibited);
	reload(&t, AS_CONNECTOR);
	assert_true(is_closed(t.p, assoc));
	assert_int_equal(t.p->n_opens, 1);
	assert_int_equal(status(&t)->queued, 4);
	assert_true(view_eq(status(&t)->state, VIEW("no connector")));
	program_comes(&t);
	assert_true(program(&t)->registered[0].accepted && program(&t)->registered[1].accepted);
	open_up(program(&t));
	assert_int_equal(program(&t)->n_transfers, 2); /* the others are where they are */
	assert_true(is_local_id(&program(&t)->transfers[0].m, "3") && is_local_id(&program(&t)->transfers[1].m, "4"));
	assert_false(program(&t)->transfers[0].m.dl_prohibited || program(&t)->transfers[1].m.dl_prohibited);
	say_result(t.p, t.p->transfers[0].transfer, ERR_NONE, 0);
	say_result(t.p, t.p->transfers[1].transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	goes_down(t.p, assoc);
	say_result(program(&t), program(&t)->transfers[0].transfer, ERR_NONE, 0);
	assert_int_equal(program(&t)->n_transfers, 3);
	assert_true(is_local_id(&last_transfer(program(&t))->m, "2"));
	assert_false(last_transfer(program(&t))->m.dl_prohibited);
	say_result(program(&t), program(&t)->transfers[1].transfer, ERR_NONE, 0);
	say_result(program(&t), program(&t)->transfers[2].transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(t.b).transfers, 0);
	assert_int_equal(t.b->n_accused + t.b->sw->suspects.n, 0);
	end(&t);
}

/* And the way back. The program ends when what it has in hand is done, and is not let in again. */
static void test_mail_of_a_program_goes_to_an_x400_peer(void **state)
{
	(void)state;
	struct at t = begin(AS_CONNECTOR);
	program_comes(&t);
	offer(&t, "1");
	open_up(program(&t));
	const uint64_t assoc = last_open(program(&t));
	offer(&t, "2");
	offer(&t, "3");
	assert_int_equal(program(&t)->n_transfers, 2);
	reload(&t, AS_X400);
	assert_true(is_closed(program(&t), assoc));
	assert_int_equal(t.p->n_opens, 1);
	open_up(t.p);
	assert_int_equal(t.p->n_transfers, 1);
	assert_true(is_local_id(&t.p->transfers[0].m, "3") && t.p->transfers[0].m.dl_prohibited);
	fake_env_pass(t.b->env, SWEPT_MS);
	assert_int_equal(program(&t)->closed, 0); /* it has something in hand */
	say_result(program(&t), program(&t)->transfers[0].transfer, ERR_NONE, 0);
	say_result(program(&t), program(&t)->transfers[1].transfer, ERR_NONE, 0);
	goes_down(program(&t), assoc);
	fake_env_pass(t.b->env, SWEPT_MS);
	assert_int_equal(program(&t)->closed, 2);
	assert_int_equal(counts_of(t.b).transfers, 1);
	bench_leave(t.b, program(&t));
	program_comes(&t);
	assert_false(program(&t)->registered[1].accepted);
	assert_int_equal(t.p->n_transfers, 1);
	assert_true(view_eq(status(&t)->state, VIEW("open")));
	end(&t);
}

/* Its interchange comes at once; what the program has in hand is not given to that as well. */
static void test_an_interchange_takes_over_from_a_program(void **state)
{
	(void)state;
	struct at t = begin(AS_CONNECTOR);
	program_comes(&t);
	offer(&t, "1");
	open_up(program(&t));
	const uint64_t assoc = last_open(program(&t));
	offer(&t, "2");
	offer(&t, "3");
	reload(&t, AS_MSMAIL);
	bench_join(t.b, interchange(&t), PROCESS_INTERCHANGE, INSTANCE);
	assert_int_equal(interchange(&t)->n_opens, 1);
	open_up(interchange(&t));
	assert_int_equal(interchange(&t)->n_transfers, 1);
	assert_true(is_local_id(&last_transfer(interchange(&t))->m, "3"));
	assert_int_equal(program(&t)->closed, 0);
	say_result(program(&t), program(&t)->transfers[0].transfer, ERR_NONE, 0);
	say_result(program(&t), program(&t)->transfers[1].transfer, ERR_NONE, 0);
	goes_down(program(&t), assoc);
	fake_env_pass(t.b->env, SWEPT_MS);
	assert_int_equal(program(&t)->closed, 2);
	assert_int_equal(interchange(&t)->closed, 0);
	assert_true(view_eq(status(&t)->state, VIEW("open"))); /* the end of the program is nothing of the link's */
	assert_true(view_eq(status(&t)->last_error, VIEW("")));
	say_result(interchange(&t), last_transfer(interchange(&t))->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(t.b).transfers, 0);
	end(&t);
}

/* An interchange that cannot be ended, as its file server hangs: what it had in hand goes by the new kind when its word is out. Octets that
 * only it could read are kept for the operator. */
static void test_an_x400_peer_takes_over_from_an_interchange_that_hangs(void **state)
{
	(void)state;
	struct at t = begin(AS_MSMAIL);
	bench_join(t.b, interchange(&t), PROCESS_INTERCHANGE, INSTANCE);
	offer(&t, "1");
	open_up(interchange(&t));
	assert_int_equal(interchange(&t)->n_transfers, 1);
	const struct msg_offer octets = { .offer = 1000, .link = VIEW("to-c"), .peer = VIEW("/postoffice"), .octets = true, .hash = 7,
					  .content = VIEW("a record") };
	put_msg_offer(chan_begin(interchange(&t)->control, MSG_OFFER), &octets);
	chan_end(interchange(&t)->control);
	fake_env_settle(t.b->env);
	assert_int_equal(interchange(&t)->n_examines, 1);
	reload(&t, AS_X400);
	assert_int_equal(interchange(&t)->closed, 2);
	assert_int_equal(t.p->n_opens, 0); /* it may have been written */
	fake_env_pass(t.b->env, PEER_WORD_MS + 1);
	open_up(t.p);
	assert_int_equal(t.p->n_transfers, 1);
	assert_true(is_local_id(&last_transfer(t.p)->m, "1"));
	assert_int_equal(status(&t)->attempts, 0); /* that its file server hung is no failure of the peer's */
	assert_int_equal(in_state(&t, STORE_QUARANTINE_EXAMINE), 0);
	assert_int_equal(in_state(&t, STORE_QUARANTINE_KEPT), 1);
	bench_join(t.b, &t.b->alone, PROCESS_ALONE, 0);
	fake_env_pass(t.b->env, SWEPT_MS);
	assert_int_equal(t.b->alone.n_examines, 0);
	end(&t);
}

/* It waits there, and nothing is reported; what the link has failed of before says nothing about it. */
static void test_nobody_comes_for_the_new_kind_and_the_old_one_is_set_again(void **state)
{
	(void)state;
	struct at t = begin(AS_X400);
	offer(&t, "1");
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "as the test says");
	say_assoc(t.p, MSG_ASSOC_DOWN, last_open(t.p), "to-c", &why);
	reload(&t, AS_CONNECTOR);
	fake_env_pass(t.b->env, 600 * 1000);
	assert_int_equal(status(&t)->queued, 1);
	assert_int_equal(t.p->n_opens, 1);
	reload(&t, AS_X400);
	assert_int_equal(t.p->n_opens, 2); /* at once, whatever failures there were */
	open_up(t.p);
	assert_int_equal(t.p->n_transfers, 1);
	assert_int_equal(counts_of(t.b).transfers, 1); /* and no report */
	end(&t);
}

/* A wire trace has nothing to trace any more: the link process is told that it ends. */
static void test_a_wire_trace_ends_with_the_kind(void **state)
{
	(void)state;
	struct at t = begin(AS_X400);
	bench_join(t.b, &t.b->tool, PROCESS_TOOL, 0);
	const struct msg_wiretrace on = { .id = 1, .link = VIEW("to-c"), .on = true, .octets = 1000, .time_ms = 60000, .who = VIEW("test") };
	put_msg_wiretrace(chan_begin(t.b->tool.control, MSG_WIRETRACE), &on);
	chan_end(t.b->tool.control);
	fake_env_settle(t.b->env);
	bench_leave(t.b, &t.b->tool);
	assert_non_null(t.b->sw->traced);
	reload(&t, AS_CONNECTOR);
	assert_null(t.b->sw->traced);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_of_an_x400_link_goes_to_a_program),
		cmocka_unit_test(test_mail_of_a_program_goes_to_an_x400_peer),
		cmocka_unit_test(test_an_interchange_takes_over_from_a_program),
		cmocka_unit_test(test_an_x400_peer_takes_over_from_an_interchange_that_hangs),
		cmocka_unit_test(test_nobody_comes_for_the_new_kind_and_the_old_one_is_set_again),
		cmocka_unit_test(test_a_wire_trace_ends_with_the_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
