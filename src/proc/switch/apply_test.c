/* apply_test.c - the switch takes other settings while mail runs (reload_testing.h). What is expected of routing
 * and reports: X.411 14.3; of links: exchange.md C5. The names bear the numbers of the failure catalogue's articles and of the conformance list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/reload_testing.h"

#include "proc/switch/switch_int.h"
#include "proc/table/settings_change.h"

#define HEAD                                                                                                                  \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n"                 \
	"expiry:\n  urgent: 100 h\n  normal: 100 h\n  non-urgent: 100 h\nlinks:\n"
#define LINK(name, more)                                                                                                      \
	"  - name: " name "\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-" name "\n    max-associations: 1\n" more
#define SLOW "    open-interval: 400 s\n"
#define ROUTE(match, to) "  - match: \"" match "\"\n    to: " to "\n"
#define HOME ROUTE("C=FR; A=SIM; P=p", "local") ROUTE("C=GB", "to-a")
#define BOX "mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"
#define USUAL HEAD LINK("to-a", "") LINK("to-c", SLOW) LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX

static void offer(struct at *t, const char *id, const char *to)
{
	const char *const rcpt[] = { to };
	assert_true(offer_of(t->p, "to-a", letter(t->b, id, 1, rcpt), VIEW("x"))->accepted);
}

static const struct msg_status_link *status(struct at *t, const char *link)
{
	bench_join(t->b, &t->b->tool, PROCESS_TOOL, 0);
	static struct msg_status_link found;
	found = (struct msg_status_link){ .name = { NULL, 0 } };
	chan_begin(t->b->tool.control, MSG_STATUS);
	chan_end(t->b->tool.control);
	fake_env_settle(t->b->env);
	for (size_t i = 0; i < t->b->tool.n_status; i++)
		if (view_eq(t->b->tool.status[i].name, view_str(link)))
			found = t->b->tool.status[i];
	bench_leave(t->b, &t->b->tool);
	return &found;
}

static uint64_t queued(struct at *t, const char *link)
{
	return status(t, link)->queued;
}

static bool is_there(struct at *t, const char *link)
{
	return status(t, link)->name.n > 0;
}

static unsigned n_opens(const struct player *p, const char *link)
{
	unsigned n = 0;
	for (size_t i = 0; i < p->n_opens; i++)
		n += view_eq(p->opens[i].link, view_str(link));
	return n;
}

static uint64_t open_of(const struct player *p, const char *link)
{
	for (size_t i = p->n_opens; i-- > 0;)
		if (view_eq(p->opens[i].link, view_str(link)))
			return p->opens[i].assoc;
	fail_msg("nothing was opened to %s", link);
	return 0;
}

static void comes_up(struct at *t, const char *link)
{
	say_assoc(t->p, MSG_ASSOC_UP, open_of(t->p, link), link, NULL);
}

static void goes_down(struct at *t, const char *link, uint64_t assoc, bool failed)
{
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "as the test says");
	say_assoc(t->p, MSG_ASSOC_DOWN, assoc, link, failed ? &why : NULL);
}

static bool is_closed(const struct player *p, uint64_t assoc)
{
	for (size_t i = 0; i < p->n_closes; i++)
		if (p->closes[i] == assoc)
			return true;
	return false;
}

/* --- what does not change --- */

static void test_op_06_no_association_is_dropped_and_the_next_message_goes_by_the_new_route(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	comes_up(&t, "to-c");
	const uint64_t assoc = open_of(t.p, "to-c");
	say_result(t.p, last_transfer(t.p)->transfer, ERR_NONE, 0);
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", "    open-interval: 7 s\n    size-limit: 1 M\n") LINK("to-d", "") "routes:\n" HOME
		   ROUTE("C=JP", "to-c") ROUTE("C=JP; A=SIM; P=c; S=mallory", "to-d") BOX);
	assert_int_equal(t.p->n_closes, 0);
	offer(&t, "2", TO_C);
	assert_int_equal(t.p->n_transfers, 2);
	assert_int_equal(last_transfer(t.p)->assoc, assoc); /* the same one */
	offer(&t, "3", TO_C2);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	assert_int_equal(n_opens(t.p, "to-d"), 1);
	end(&t);
}

/* Nothing of it is taken. */
static void test_what_cannot_change_is_refused_as_a_whole(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	struct err e;
	struct arena *a = arena_new(1 << 20);
	struct settings *other = arena_get(a, sizeof *other);
	offer(&t, "1", TO_C);
	assert_true(settings_load(VIEW(HEAD LINK("to-a", "") "routes:\n" HOME ROUTE("C=JP", "to-a") BOX), "test", other, a, &e));
	other->mta.domain = "A=SIM";
	assert_false(switch_settings(t.b->sw, other, &e));
	assert_non_null(strstr(e.text, "mta.domain"));
	arena_free(&a);
	assert_int_equal(queued(&t, "to-c"), 1);
	offer(&t, "2", TO_C);
	assert_int_equal(queued(&t, "to-c"), 2);
	end(&t);
}

/* --- links come and go --- */

static void test_a_new_link_is_there_at_once_and_asked_for_when_its_process_knows_it(void **state)
{
	(void)state;
	struct at t = begin(HEAD LINK("to-a", "") "routes:\n" HOME BOX);
	given(&t, USUAL);
	offer(&t, "1", TO_C);
	assert_int_equal(queued(&t, "to-c"), 1);
	assert_int_equal(n_opens(t.p, "to-c"), 0); /* it would not know whom to call */
	settled(&t);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 1);
	end(&t);
}

/* One that comes with settings of before: what it was asked to open before it said so was opened by them, with the wrong password perhaps. It
 * ends, its failure is none of the link's, and it is opened again when the process has the settings of now. */
static void test_a_link_process_that_comes_with_settings_of_before(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	bench_leave(t.b, t.p);
	t.p->n_opens = t.p->n_closes = 0;
	bench_join(t.b, t.p, PROCESS_LINK, 1);
	fake_env_pass(t.b->env, 1000);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	const uint64_t old = open_of(t.p, "to-c");
	say_count(t.p->control, MSG_SETTLED, settings_hash(t.now) + 1, 0);
	fake_env_settle(t.b->env);
	assert_true(is_closed(t.p, old));
	goes_down(&t, "to-c", old, true);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	settled(&t);
	assert_int_equal(n_opens(t.p, "to-c"), 2);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 1);
	end(&t);
}

/* A link process that has the new settings before the switch has: nothing is opened meanwhile, and all at once when it has them. */
static void test_a_link_process_that_has_the_settings_first(void **state)
{
	(void)state;
	struct settings *ahead;
	struct err e;
	struct at t = begin(HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-d") BOX);
	struct arena *a = arena_new((size_t)64 << 20);
	ahead = arena_get(a, sizeof *ahead);
	assert_true(settings_load(view_str(USUAL), "test", ahead, a, &e));
	say_count(t.p->control, MSG_SETTLED, settings_hash(ahead), 0);
	fake_env_settle(t.b->env);
	offer(&t, "1", TO_C);
	assert_int_equal(n_opens(t.p, "to-d"), 0); /* it may have another meaning there */
	given(&t, USUAL);
	fake_env_pass(t.b->env, 200);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 1);
	arena_free(&a);
	end(&t);
}

/* Told before the link process knew: no failure of that link, and no wait. */
static void test_a_link_that_was_not_known_there_is_opened_when_it_is(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "the settings of this process have no such link");
	say_assoc(t.p, MSG_ASSOC_DOWN, open_of(t.p, "to-c"), "to-c", &why);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	settled(&t);
	assert_int_equal(n_opens(t.p, "to-c"), 2);
	end(&t);
}

/* Q145976 and its neighbours: what waits goes by the routes of now. Q152876: what they do not know stays, is listed, and goes when a route
 * leads there again, or is told to its originator when it expires. */
static void test_k145976_k176518_k152876_a_link_is_removed_with_mail_queued(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	offer(&t, "2", TO_C2);
	offer(&t, "3", TO_C);
	reload(&t, HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP; A=SIM; P=c; S=mallory", "to-d") BOX);
	assert_int_equal(queued(&t, "to-d"), 1);
	assert_int_equal(queued(&t, "to-c"), 2);
	assert_true(view_eq(status(&t, "to-c")->state, VIEW("removed")));
	comes_up(&t, "to-d");
	assert_true(is_local_id(&last_transfer(t.p)->m, "2"));
	assert_true(is_closed(t.p, open_of(t.p, "to-c"))); /* it was on its way */
	goes_down(&t, "to-c", open_of(t.p, "to-c"), true);
	fake_env_pass(t.b->env, 31 * 1000); /* the next sweep */
	assert_int_equal(queued(&t, "to-c"), 2);
	reload(&t, HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP; A=SIM; P=c", "to-d") BOX);
	assert_int_equal(queued(&t, "to-d"), 3);
	fake_env_pass(t.b->env, 31 * 1000);
	assert_false(is_there(&t, "to-c"));
	end(&t);
}

static void test_what_has_no_way_from_a_removed_link_is_reported_when_it_expires(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	reload(&t, HEAD LINK("to-a", "") "routes:\n" HOME BOX);
	goes_down(&t, "to-c", open_of(t.p, "to-c"), true);
	fake_env_pass(t.b->env, 99 * 3600 * 1000);
	assert_int_equal(queued(&t, "to-c"), 1);
	fake_env_pass(t.b->env, (3600 + 62) * 1000);
	assert_false(is_there(&t, "to-c"));
	comes_up(&t, "to-a");
	const struct message *report = &last_transfer(t.p)->m;
	assert_int_equal(report->kind, MESSAGE_REPORT);
	assert_int_equal(report->rcpt[0].reason, 1); /* X.411: unable-to-transfer, maximum-time-expired */
	assert_int_equal(report->rcpt[0].diagnostic, 5);
	end(&t);
}

/* A transfer that its peer may have taken: it is not sent by another way before that is known. */
static void test_what_is_in_flight_over_a_removed_link_ends_as_ever(void **state)
{
	(void)state;
	static const char without[] = HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-d") BOX;
	for (int i = 0; i < 3; i++) {
		struct at t = begin(USUAL);
		offer(&t, "1", TO_C);
		comes_up(&t, "to-c");
		const uint64_t assoc = open_of(t.p, "to-c"), transfer = last_transfer(t.p)->transfer;
		reload(&t, without);
		assert_true(is_closed(t.p, assoc));
		assert_true(is_there(&t, "to-c"));
		assert_int_equal(n_opens(t.p, "to-d"), 0);
		if (i == 0)
			say_result(t.p, transfer, ERR_NONE, 0);
		else if (i == 1)
			say_result(t.p, transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
		goes_down(&t, "to-c", assoc, i != 0); /* the third time without a result */
		fake_env_pass(t.b->env, 32 * 1000);
		assert_false(is_there(&t, "to-c"));
		assert_int_equal(n_opens(t.p, "to-d"), i > 0);
		assert_int_equal(counts_of(t.b).transfers, i > 0);
		assert_int_equal(t.b->n_accused, 0);
		end(&t);
	}
}

static void test_a_link_is_renamed_and_gets_its_name_back(void **state)
{
	(void)state;
	static const char renamed[] = HEAD LINK("to-a", "") LINK("via-c", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "via-c") BOX;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	reload(&t, renamed);
	assert_int_equal(queued(&t, "via-c"), 1);
	assert_int_equal(queued(&t, "to-c"), 0);
	offer(&t, "2", TO_C);
	reload(&t, USUAL); /* while the old one is still there */
	assert_int_equal(queued(&t, "to-c"), 2);
	assert_true(n_opens(t.p, "to-c") >= 2);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 2);
	end(&t);
}

/* What an operator holds stays held; let go, it is placed by the routes of now. */
static void test_what_is_held_in_a_removed_link_stays_held(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	struct store_place place = { 0 };
	struct store_queued row;
	assert_int_equal(store_queue_next(t.b->sw->store, VIEW("to-c"), PRIORITY_NORMAL, STORE_NEVER - 1, &place, &row, 1), 1);
	store_transfer_retry(t.b->sw->store, row.transfer, STORE_NEVER, 0, "held");
	order_free(map_get(&t.b->sw->orders, row.transfer) != NULL ? expire_at_rest(switch_link(t.b->sw, VIEW("to-c")), &row) : order_new(switch_link(t.b->sw, VIEW("to-c")), &row));
	reload(&t, HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-d") BOX);
	goes_down(&t, "to-c", open_of(t.p, "to-c"), true);
	fake_env_pass(t.b->env, 61 * 1000);
	assert_int_equal(queued(&t, "to-c"), 1);
	assert_true(view_eq(status(&t, "to-c")->state, VIEW("removed")));
	bench_join(t.b, &t.b->tool, PROCESS_TOOL, 0);
	uint8_t id[8];
	for (unsigned i = 0; i < 8; i++)
		id[i] = (uint8_t)(row.transfer >> (56 - 8 * i));
	const struct msg_act_on m = { .id = 1, .act = ACT_RELEASE, .who = VIEW("test"), .ids = view_of(id, sizeof id) };
	put_msg_act_on(chan_begin(t.b->tool.control, MSG_ACT), &m);
	chan_end(t.b->tool.control);
	fake_env_settle(t.b->env);
	bench_leave(t.b, &t.b->tool);
	fake_env_pass(t.b->env, 61 * 1000);
	assert_int_equal(queued(&t, "to-d"), 1);
	assert_false(is_there(&t, "to-c"));
	end(&t);
}

/* --- a link's own settings --- */

/* OP-12, Q225196: nothing is lost while the two ends disagree, and nobody has to start anything when they agree again. */
static void test_op_12_a_changed_password_is_tried_at_once(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	goes_down(&t, "to-c", open_of(t.p, "to-c"), true); /* authentication-error */
	fake_env_pass(t.b->env, 1000);
	assert_int_equal(n_opens(t.p, "to-c"), 1); /* of 400 s */
	assert_true(view_eq(status(&t, "to-c")->state, VIEW("waiting")));
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW "    local-password: new\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
	assert_int_equal(n_opens(t.p, "to-c"), 2);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 1);
	assert_int_equal(status(&t, "to-c")->attempts, 0);
	end(&t);
}

/* Those that are open end, each after what it has in hand, and another one is opened meanwhile. */
static void test_associations_of_a_changed_link_end_in_order(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	offer(&t, "2", TO_C);
	offer(&t, "3", TO_C);
	comes_up(&t, "to-c");
	const uint64_t old = open_of(t.p, "to-c");
	assert_int_equal(t.p->n_transfers, 2); /* two at most in the hands of one */
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW "    called-tsel: other\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
	assert_true(is_closed(t.p, old));
	assert_int_equal(n_opens(t.p, "to-c"), 2);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 3);
	assert_true(last_transfer(t.p)->assoc != old);
	say_result(t.p, t.p->transfers[0].transfer, ERR_NONE, 0);
	say_result(t.p, t.p->transfers[1].transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	goes_down(&t, "to-c", old, true);
	assert_int_equal(t.p->n_transfers, 4); /* the one that came back; that the old one ended so is no failure */
	assert_true(view_eq(status(&t, "to-c")->state, VIEW("open")));
	say_result(t.p, t.p->transfers[2].transfer, ERR_NONE, 0);
	say_result(t.p, t.p->transfers[3].transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(t.b).transfers, 0);
	end(&t);
}

/* One that was just being opened: it comes up once more before its process has read that it is not wanted. */
static void test_an_association_on_its_way_is_outdated_too(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	const uint64_t old = open_of(t.p, "to-c");
	given(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW "    bind-address: \"127.0.0.1:0\"\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
	assert_true(is_closed(t.p, old));
	say_assoc(t.p, MSG_ASSOC_UP, old, "to-c", NULL);
	assert_int_equal(t.b->n_accused, 0);
	assert_int_equal(t.p->n_transfers, 0);
	goes_down(&t, "to-c", old, true);
	settled(&t);
	assert_int_equal(n_opens(t.p, "to-c"), 2);
	end(&t);
}

/* The interval counts from the last attempt, whether it has become shorter or longer. */
static void test_a_waiting_attempt_follows_the_open_interval(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct at t = begin(USUAL);
		offer(&t, "1", TO_C);
		goes_down(&t, "to-c", open_of(t.p, "to-c"), true); /* the first wait is a quarter of 400 s */
		fake_env_pass(t.b->env, 20 * 1000);
		if (i == 0)
			reload(&t, HEAD LINK("to-a", "") LINK("to-c", "    open-interval: 120 s\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
		else
			reload(&t, HEAD LINK("to-a", "") LINK("to-c", "    open-interval: 4000 s\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
		assert_int_equal(n_opens(t.p, "to-c"), 1);
		fake_env_pass(t.b->env, 11 * 1000);
		assert_int_equal(n_opens(t.p, "to-c"), i == 0 ? 2 : 1); /* a quarter of 120 s has passed since the last attempt */
		fake_env_pass(t.b->env, 100 * 1000);
		assert_int_equal(n_opens(t.p, "to-c"), i == 0 ? 2 : 1);
		end(&t);
	}
}

static void test_a_schedule_is_followed_at_once(void **state)
{
	(void)state;
	struct at t = begin(HEAD LINK("to-a", "") LINK("to-c", "    schedule: never\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
	offer(&t, "1", TO_C);
	assert_int_equal(n_opens(t.p, "to-c"), 0);
	reload(&t, USUAL);
	assert_int_equal(n_opens(t.p, "to-c"), 1);
	end(&t);
}

/* What the schedule's change sets going is done when every link of the new settings is there: here a report whose way is a new link. */
static void test_what_a_schedule_lets_go_is_done_when_all_links_are_there(void **state)
{
	(void)state;
#define PICKY(schedule) "    text: teletex\n    schedule: selected-times\n    urgent-any-time: true\n    times: [\"" schedule "\"]\n"
	struct at t = begin(HEAD LINK("to-a", "") LINK("to-c", PICKY("Mon 00:00-00:15")) "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
	const char *const rcpt[] = { TO_C };
	struct message *urgent = letter(t.b, "1", 1, rcpt);
	urgent->priority = PRIORITY_URGENT;
	urgent->content_type = 0; /* as it is */
	bench_join(t.b, &t.b->content, PROCESS_CONTENT, 1);
	assert_true(offer_of(t.p, "to-a", urgent, VIEW("x"))->accepted);
	comes_up(&t, "to-c"); /* for urgent mail only */
	offer(&t, "2", TO_C);
	assert_int_equal(queued(&t, "to-c"), 2);
	struct order *o;
	for (size_t i = 0; (o = map_next(&t.b->sw->orders, &i)) != NULL;)
		if (o->priority != PRIORITY_URGENT)
			o->size = 13 * 1024 * 1024; /* too long to be converted: it is reported */
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", "    text: teletex\n") LINK("to-n", "") "routes:\n" HOME ROUTE("C=JP", "to-c")
		   ROUTE("C=GB; A=SIM", "to-n") BOX);
	assert_int_equal(queued(&t, "to-c"), 1);
	assert_int_equal(queued(&t, "to-n"), 1);
	end(&t);
}

/* Its process forgets with a link what its peer has killed processes with; the switch knows it longer. */
static void test_suspects_of_a_link_that_comes_back_are_told_again(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	bench_dies(t.b, t.p, PROCESS_LINK, 1, true, "input to-c 0000000000000002");
	bench_join(t.b, t.p, PROCESS_LINK, 1);
	reload(&t, HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME BOX);
	const size_t before = t.p->n_suspects;
	reload(&t, USUAL);
	assert_true(t.p->n_suspects > before);
	const struct msg_suspect *last = &t.p->suspects[t.p->n_suspects - 1];
	assert_true(view_eq(last->link, VIEW("to-c")));
	assert_int_equal(last->hash, 2);
	assert_int_equal(last->strikes, 1);
	end(&t);
}

static void test_size_limit_and_restrictions_hold_for_what_comes(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", "    reject-from: [\"C=GB\"]\n") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") BOX);
	offer(&t, "1", TO_C);
	assert_int_equal(queued(&t, "to-c"), 0);
	assert_int_equal(queued(&t, "to-a"), 1); /* the report */
	reload(&t, USUAL);
	offer(&t, "2", TO_C);
	assert_int_equal(queued(&t, "to-c"), 1);
	end(&t);
}

/* --- what waits --- */

static void test_k145976_k175708_k195905_k284254_queued_mail_goes_by_the_routes_of_now(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	offer(&t, "2", TO_C2);
	offer(&t, "3", FROM_A);
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW) LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-c") ROUTE("C=JP; A=SIM; P=c; S=eve", "to-d") BOX);
	assert_int_equal(queued(&t, "to-c"), 1);
	assert_int_equal(queued(&t, "to-d"), 1);
	comes_up(&t, "to-d");
	assert_true(is_local_id(&last_transfer(t.p)->m, "1"));
	assert_int_equal(counts_of(t.b).transfers, 2 + (queued(&t, "to-a") > 0));
	end(&t);
}

/* A mailbox here, that was somewhere else before. */
static void test_queued_mail_goes_into_a_mailbox_that_is_here_now(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW) "routes:\n" HOME ROUTE("C=JP", "to-c") ROUTE("C=JP; A=SIM; P=c; S=eve", "local") BOX
		   "  - name: eve\n    addresses: [\"S=eve; P=c; A=SIM; C=JP\"]\n");
	assert_int_equal(counts_of(t.b).transfers, 0);
	assert_int_equal(counts_of(t.b).deliveries, 1);
	end(&t);
}

/* Its link is there, and it was right when it came: nobody asked for a report. */
static void test_what_has_no_way_by_the_new_routes_stays_with_its_link(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW) "routes:\n" HOME BOX);
	assert_int_equal(queued(&t, "to-c"), 1);
	assert_int_equal(counts_of(t.b).transfers, 1);
	comes_up(&t, "to-c");
	assert_int_equal(t.p->n_transfers, 1);
	end(&t);
}

/* It came by to-a: it does not go back there, whatever the routes say. */
static void test_queued_mail_is_not_sent_back_whence_it_came(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	offer(&t, "1", TO_C);
	reload(&t, HEAD LINK("to-a", "") LINK("to-c", SLOW) "routes:\n" HOME ROUTE("C=JP", "to-a") BOX);
	assert_int_equal(queued(&t, "to-c"), 1);
	assert_int_equal(queued(&t, "to-a"), 0);
	end(&t);
}

static void test_mail_in_flight_is_placed_again_only_when_it_comes_back(void **state)
{
	(void)state;
	static const char other[] = HEAD LINK("to-a", "") LINK("to-c", SLOW) LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-d") BOX;
	for (int i = 0; i < 2; i++) {
		struct at t = begin(USUAL);
		offer(&t, "1", TO_C);
		comes_up(&t, "to-c");
		reload(&t, other);
		assert_int_equal(n_opens(t.p, "to-d"), 0);
		say_result(t.p, last_transfer(t.p)->transfer, i == 0 ? ERR_NONE : ERR_TEMP, i == 0 ? 0 : ERR_OF_MESSAGE);
		fake_env_pass(t.b->env, 200);
		assert_int_equal(n_opens(t.p, "to-d"), i);
		assert_int_equal(queued(&t, "to-d"), i);
		assert_int_equal(counts_of(t.b).transfers, i);
		end(&t);
	}
}

/* Each is looked at once for a change, whatever the routes are, and not more than some in a turn; then all is quiet. */
static void test_k182318_k196664_placing_again_is_bounded_and_ends(void **state)
{
	(void)state;
	enum { MANY = 300 };
	static const char other[] = HEAD LINK("to-a", "") LINK("to-c", SLOW) LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-d") ROUTE("C=*", "to-c") BOX;
	struct at t = begin(USUAL);
	char id[16];
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(id, sizeof id, "n%u", i);
		offer(&t, arena_str(t.b->a, view_str(id)), TO_C);
	}
	for (unsigned i = 0; i < 6; i++) {
		given(&t, i % 2 == 0 ? other : USUAL); /* again before the last round is over */
		fake_env_pass(t.b->env, 3);
	}
	given(&t, other);
	assert_true(queued(&t, "to-d") < MANY); /* not in one turn */
	fake_env_pass(t.b->env, 2000);
	assert_int_equal(queued(&t, "to-d"), MANY);
	assert_int_equal(queued(&t, "to-c"), 0);
	assert_int_equal(counts_of(t.b).transfers, MANY);
	for (size_t i = 0; i < t.b->sw->n_links; i++)
		assert_false(t.b->sw->links[i]->again.is_begun);
	fake_env_pass(t.b->env, 40 * 1000); /* the scan for what has expired is over, too */
	assert_true(t.b->sw->expire.at_ms > env_now_ms(t.b->env) + 1000);
	end(&t);
}

/* It is placed when its time has come, by what holds then. */
static void test_deferred_mail_goes_by_the_routes_of_its_time(void **state)
{
	(void)state;
	struct at t = begin(USUAL);
	static const char *const rcpt[] = { TO_C };
	bench_join(t.b, &t.b->tool, PROCESS_TOOL, 0);
	struct message *m = letter(t.b, "1", 1, rcpt);
	m->deferred = env_wall_ms(t.b->env) + 60 * 1000;
	assert_true(offer_of(&t.b->tool, "", m, VIEW("x"))->accepted);
	bench_leave(t.b, &t.b->tool);
	assert_int_equal(queued(&t, "to-c"), 0);
	reload(&t, HEAD LINK("to-a", "") LINK("to-d", "") "routes:\n" HOME ROUTE("C=JP", "to-d") BOX);
	fake_env_pass(t.b->env, 61 * 1000);
	assert_int_equal(queued(&t, "to-d"), 1);
	end(&t);
}

/* --- a link process that is ahead --- */

/* It has the new settings before the switch has: no nonsense, and nothing of it is forgotten. */
static void test_an_association_of_a_link_that_the_switch_does_not_know_yet(void **state)
{
	(void)state;
	struct at t = begin(HEAD LINK("to-a", "") "routes:\n" HOME BOX);
	say_assoc(t.p, MSG_ASSOC_UP, MSG_INBOUND_BIT | 1, "to-c", NULL);
	say_assoc(t.p, MSG_ASSOC_UP, MSG_INBOUND_BIT | 2, "to-c", NULL);
	const char *const rcpt[] = { TO_US };
	const struct msg_answer *refused = offer_of(t.p, "to-c", letter(t.b, "1", 1, rcpt), VIEW("x"));
	assert_false(refused->accepted);
	assert_int_equal(refused->err.kind, ERR_TEMP); /* for now: the peer sends it again */
	goes_down(&t, "to-c", MSG_INBOUND_BIT | 1, true);
	assert_int_equal(t.b->n_accused, 0);
	reload(&t, USUAL);
	assert_int_equal(status(&t, "to-c")->inbound, 1);
	assert_true(offer_of(t.p, "to-c", letter(t.b, "1", 1, rcpt), VIEW("x"))->accepted);
	goes_down(&t, "to-c", MSG_INBOUND_BIT | 2, true);
	assert_int_equal(status(&t, "to-c")->inbound, 0);
	end(&t);
}

/* A retransmission over the renamed link is known: the peer is the same. */
static void test_a_duplicate_is_known_when_its_link_has_another_name(void **state)
{
	(void)state;
	static const char renamed[] = HEAD "  - name: via-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-to-a\n" LINK("to-c", SLOW) "routes:\n"
		ROUTE("C=FR; A=SIM; P=p", "local") ROUTE("C=GB", "via-a") ROUTE("C=JP", "to-c") BOX;
	struct at t = begin(USUAL);
	const char *const rcpt[] = { TO_US };
	struct message *m = letter(t.b, "1", 1, rcpt);
	assert_true(offer_of(t.p, "to-a", m, VIEW("x"))->accepted);
	reload(&t, renamed);
	assert_true(offer_of(t.p, "via-a", m, VIEW("x"))->accepted);
	assert_int_equal(counts_of(t.b).deliveries, 1);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_06_no_association_is_dropped_and_the_next_message_goes_by_the_new_route),
		cmocka_unit_test(test_what_cannot_change_is_refused_as_a_whole),
		cmocka_unit_test(test_a_new_link_is_there_at_once_and_asked_for_when_its_process_knows_it),
		cmocka_unit_test(test_a_link_that_was_not_known_there_is_opened_when_it_is),
		cmocka_unit_test(test_a_link_process_that_has_the_settings_first),
		cmocka_unit_test(test_a_link_process_that_comes_with_settings_of_before),
		cmocka_unit_test(test_k145976_k176518_k152876_a_link_is_removed_with_mail_queued),
		cmocka_unit_test(test_what_has_no_way_from_a_removed_link_is_reported_when_it_expires),
		cmocka_unit_test(test_what_is_in_flight_over_a_removed_link_ends_as_ever),
		cmocka_unit_test(test_a_link_is_renamed_and_gets_its_name_back),
		cmocka_unit_test(test_what_is_held_in_a_removed_link_stays_held),
		cmocka_unit_test(test_op_12_a_changed_password_is_tried_at_once),
		cmocka_unit_test(test_associations_of_a_changed_link_end_in_order),
		cmocka_unit_test(test_an_association_on_its_way_is_outdated_too),
		cmocka_unit_test(test_a_waiting_attempt_follows_the_open_interval),
		cmocka_unit_test(test_a_schedule_is_followed_at_once),
		cmocka_unit_test(test_what_a_schedule_lets_go_is_done_when_all_links_are_there),
		cmocka_unit_test(test_suspects_of_a_link_that_comes_back_are_told_again),
		cmocka_unit_test(test_size_limit_and_restrictions_hold_for_what_comes),
		cmocka_unit_test(test_k145976_k175708_k195905_k284254_queued_mail_goes_by_the_routes_of_now),
		cmocka_unit_test(test_queued_mail_goes_into_a_mailbox_that_is_here_now),
		cmocka_unit_test(test_what_has_no_way_by_the_new_routes_stays_with_its_link),
		cmocka_unit_test(test_queued_mail_is_not_sent_back_whence_it_came),
		cmocka_unit_test(test_mail_in_flight_is_placed_again_only_when_it_comes_back),
		cmocka_unit_test(test_k182318_k196664_placing_again_is_bounded_and_ends),
		cmocka_unit_test(test_deferred_mail_goes_by_the_routes_of_its_time),
		cmocka_unit_test(test_an_association_of_a_link_that_the_switch_does_not_know_yet),
		cmocka_unit_test(test_a_duplicate_is_known_when_its_link_has_another_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
