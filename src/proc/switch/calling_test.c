/* calling_test.c - when and where links call: schedules, addresses, associations kept back, waits, the peer's own associations. The
 * names and defaults are those of the X.400 Connector's property pages; the clock begins on Thursday, 2026-01-01 00:00 UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* One link, to-c, with these rows; what goes to C=JP takes it. No report ever leaves: nobody routes to C=GB. */
static struct bench *with_link(const char *rows)
{
	char yaml[3000];
	snprintf(yaml, sizeof yaml,
		 "mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n"
		 "  - name: to-c\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-c\n%s"
		 "  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    schedule: never\n"
		 "routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n  - match: \"C=JP; A=SIM; P=c\"\n    to: to-c\n", rows);
	struct bench *b = bench_with(yaml);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

static void queue_one(struct bench *b, const char *id, enum priority priority)
{
	struct message *m = LETTER(b, id, TO_C);
	m->priority = priority;
	assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
}

static void queue_some(struct bench *b, size_t n)
{
	char id[16];
	for (size_t i = 0; i < n; i++) {
		snprintf(id, sizeof id, "n%zu", i);
		queue_one(b, arena_str(b->a, view_str(id)), PRIORITY_NORMAL);
	}
}

/* An association ends, or could not be opened. */
static void goes_down(struct player *p, uint64_t id)
{
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "Connection refused");
	say_assoc(p, MSG_ASSOC_DOWN, id, "to-c", &why);
}

static void comes_up(struct player *p, uint64_t id)
{
	say_assoc(p, MSG_ASSOC_UP, id, "to-c", NULL);
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

/* --- schedule --- */

#define FROM_EIGHT "    schedule: selected-times\n    times: [\"08:00-18:00\"]\n"

static void test_selected_times(void **state)
{
	(void)state;
	struct bench *b = with_link(FROM_EIGHT);
	struct player *p = &b->link[0];
	queue_some(b, 2);
	fake_env_pass(b->env, 8 * HOUR - MINUTE);
	assert_int_equal(p->n_opens, 0);
	assert_true(view_eq(status_of(b, "to-c")->state, VIEW("closed")));
	assert_true(view_eq(status_of(b, "to-c")->schedule, VIEW("urgent only until 2026-01-01T08:00Z")));
	assert_true(view_eq(status_of(b, "to-a")->schedule, VIEW("never")));
	fake_env_pass(b->env, MINUTE);
	assert_int_equal(p->n_opens, 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_true(view_eq(status_of(b, "to-c")->schedule, VIEW("open until 2026-01-01T18:00Z")));
	bench_free(b);
}

static void test_k217131_what_urgent_mail_opened_takes_nothing_else(void **state)
{
	(void)state;
	struct bench *b = with_link(FROM_EIGHT "    threshold: 1\n");
	struct player *p = &b->link[0];
	queue_some(b, 3);
	assert_int_equal(p->n_opens, 0);
	queue_one(b, "u", PRIORITY_URGENT);
	assert_int_equal(p->n_opens, 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	assert_true(is_local_id(&p->transfers[0].m, "u"));
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 300 * SECOND);
	assert_int_equal(p->n_transfers, 1);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL); /* its lifetime is over */
	fake_env_pass(b->env, HOUR);
	assert_int_equal(p->n_opens, 1); /* for what is queued none is opened */
	queue_one(b, "v", PRIORITY_URGENT);
	assert_int_equal(p->n_opens, 2);
	bench_free(b);
}

static void test_urgent_mail_waits_too_when_told_so(void **state)
{
	(void)state;
	struct bench *b = with_link(FROM_EIGHT "    urgent-any-time: false\n");
	queue_one(b, "u", PRIORITY_URGENT);
	fake_env_pass(b->env, 8 * HOUR - SECOND);
	assert_int_equal(b->link[0].n_opens, 0);
	assert_true(view_eq(status_of(b, "to-c")->schedule, VIEW("closed until 2026-01-01T08:00Z")));
	fake_env_pass(b->env, SECOND);
	assert_int_equal(b->link[0].n_opens, 1);
	bench_free(b);
}

static void test_what_is_open_at_closing_time_takes_no_more(void **state)
{
	(void)state;
	struct bench *b = with_link(FROM_EIGHT);
	struct player *p = &b->link[0];
	fake_env_pass(b->env, 18 * HOUR - SECOND);
	queue_some(b, 3);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	fake_env_pass(b->env, SECOND);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0); /* what is in hand goes on */
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(counts_of(b).transfers, 1);
	queue_one(b, "u", PRIORITY_URGENT);
	assert_int_equal(p->n_transfers, 3);
	say_result(p, p->transfers[2].transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 14 * HOUR);
	assert_int_equal(p->n_transfers, 4);
	bench_free(b);
}

static void test_never(void **state)
{
	(void)state;
	struct bench *b = with_link("    schedule: never\n");
	queue_one(b, "u", PRIORITY_URGENT);
	queue_some(b, 1);
	fake_env_pass(b->env, 24 * HOUR);
	assert_int_equal(b->link[0].n_opens, 0);
	assert_int_equal(counts_of(b).transfers, 2);
	bench_free(b);
}

/* --- addresses --- */

#define THREE "    more-addresses: [\"127.0.0.1:4\", \"127.0.0.1:5\"]\n    open-interval: 10 s\n    max-open-retries: 3\n    max-associations: 1\n"

static uint32_t which_of(const struct player *p, uint64_t assoc)
{
	for (size_t i = 0; i < p->n_hows; i++)
		if (p->hows[i].assoc == assoc)
			return p->hows[i].which;
	return 0;
}

static void test_k197378_k251318_addresses_are_tried_in_turn(void **state)
{
	(void)state;
	struct bench *b = with_link(THREE);
	struct player *p = &b->link[0];
	queue_some(b, 1);
	for (uint32_t i = 0; i < 3; i++) { /* all within one attempt */
		assert_int_equal(p->n_opens, i + 1);
		assert_int_equal(which_of(p, last_open(p)), i);
		assert_int_equal(status_of(b, "to-c")->attempts, 0);
		goes_down(p, last_open(p));
	}
	assert_int_equal(p->n_opens, 3);
	assert_int_equal(status_of(b, "to-c")->attempts, 1);
	fake_env_pass(b->env, 10 * SECOND);
	assert_int_equal(p->n_opens, 4);
	goes_down(p, last_open(p));
	assert_int_equal(which_of(p, last_open(p)), 1);
	open_up(p); /* the second one answers */
	assert_true(view_eq(status_of(b, "to-c")->address, VIEW("127.0.0.1:4")));
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	queue_one(b, "next", PRIORITY_NORMAL);
	assert_int_equal(which_of(p, last_open(p)), 1); /* and is the first to be called the next time */
	goes_down(p, last_open(p));
	assert_int_equal(which_of(p, last_open(p)), 2);
	goes_down(p, last_open(p));
	assert_int_equal(which_of(p, last_open(p)), 0);
	goes_down(p, last_open(p));
	assert_int_equal(status_of(b, "to-c")->attempts, 1);
	bench_free(b);
}

/* --- how many --- */

static void test_the_last_one_is_for_urgent_mail_only(void **state)
{
	(void)state;
	struct bench *b = with_link("    threshold: 1\n    max-associations: 3\n");
	struct player *p = &b->link[0];
	queue_some(b, 20);
	assert_int_equal(p->n_opens, 2);
	comes_up(p, p->opens[0].assoc);
	comes_up(p, p->opens[1].assoc);
	assert_int_equal(p->n_transfers, 4);
	queue_one(b, "u", PRIORITY_URGENT);
	assert_int_equal(p->n_opens, 3);
	const uint64_t kept = p->opens[2].assoc;
	comes_up(p, kept);
	assert_int_equal(p->n_transfers, 5);
	assert_true(is_local_id(&p->transfers[4].m, "u"));
	assert_int_equal(p->transfers[4].assoc, kept);
	say_result(p, p->transfers[4].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 5); /* eighteen wait, and none of them takes it */
	assert_int_equal(p->n_opens, 3);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 6);
	assert_int_equal(p->transfers[5].assoc, p->transfers[0].assoc);
	queue_one(b, "v", PRIORITY_URGENT);
	assert_int_equal(p->transfers[6].assoc, kept);
	/* An ordinary one ends: another takes its place, and the kept one stays kept. */
	const uint64_t first = p->opens[0].assoc;
	say_assoc(p, MSG_ASSOC_DOWN, first, "to-c", NULL);
	assert_int_equal(p->n_opens, 4);
	comes_up(p, last_open(p));
	assert_int_equal(last_transfer(p)->assoc, last_open(p));
	say_result(p, p->transfers[6].transfer, ERR_NONE, 0);
	for (size_t i = 7; i < p->n_transfers; i++)
		assert_true(p->transfers[i].assoc != kept);
	bench_free(b);
}

/* The peer takes two associations and refuses every other one: no failure of the link, nothing is reported or sent elsewhere. */
static void test_k278444_a_limit_is_no_failure(void **state)
{
	(void)state;
	struct bench *b = with_link("    threshold: 1\n    open-interval: 10 s\n    max-open-retries: 1\n");
	struct player *p = &b->link[0];
	queue_some(b, 12);
	assert_int_equal(p->n_opens, 9);
	comes_up(p, p->opens[0].assoc);
	for (size_t i = 1; i < 9; i++)
		goes_down(p, p->opens[i].assoc);
	assert_int_equal(p->n_opens, 9);
	assert_int_equal(status_of(b, "to-c")->attempts, 0);
	assert_true(view_eq(status_of(b, "to-c")->state, VIEW("open")));
	for (unsigned round = 0; round < 20 && p->n_transfers < 12; round++) { /* the one that is open works */
		say_result(p, p->transfers[round].transfer, ERR_NONE, 0);
		assert_int_equal(last_transfer(p)->assoc, p->opens[0].assoc);
		fake_env_pass(b->env, 1500);
	}
	assert_int_equal(p->n_transfers, 12);
	assert_true(p->n_opens > 9); /* it asks for more from time to time */
	assert_int_equal(status_of(b, "to-a")->queued, 0); /* no report */
	bench_free(b);
}

/* --- waits --- */

/* Opens, breaks, opens, breaks: the waits grow as if it did not open, and nobody is reported for it. */
static void test_k170056_k261251_k248488_a_link_that_flaps(void **state)
{
	(void)state;
	struct bench *b = with_link("    open-interval: 100 s\n    max-open-retries: 2\n    max-associations: 1\n");
	struct player *p = &b->link[0];
	queue_some(b, 1);
	const int64_t least[] = { 22500, 45000, 90000, 90000, 90000 }, most[] = { 25000, 50000, 100000, 100000, 100000 };
	for (size_t i = 0; i < ARRAY_LEN(least); i++) {
		const size_t n = p->n_opens;
		open_up(p);
		goes_down(p, last_open(p));
		fake_env_pass(b->env, least[i] - 1);
		assert_int_equal(p->n_opens, n);
		fake_env_pass(b->env, most[i] - least[i] + 1);
		if (p->n_opens != n + 1 || p->n_transfers == 0)
			fail_msg("attempt %zu: %zu opens before, %zu after", i, n, p->n_opens);
		if (p->n_transfers > 2) /* it waits between as well; the others would go first */
			fake_env_pass(b->env, 130 * SECOND);
	}
	assert_int_equal(status_of(b, "to-a")->queued, 0);
	assert_true(view_eq(status_of(b, "to-c")->last_error, VIEW("Connection refused"))); /* the cause stays to be seen */
	bench_free(b);
}

/* After use the loss of one costs a tenth of the interval, at most 5 s: a transfer can go on where it stood. */
static void test_k257727_one_that_worked_is_opened_again_soon(void **state)
{
	(void)state;
	struct bench *b = with_link("    max-associations: 1\n"); /* open-interval 600 s */
	struct player *p = &b->link[0];
	queue_some(b, 2);
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	goes_down(p, last_open(p));
	fake_env_pass(b->env, 4400);
	assert_int_equal(p->n_opens, 1);
	fake_env_pass(b->env, 600);
	assert_int_equal(p->n_opens, 2);
	bench_free(b);
}

static void test_k232602_a_change_of_the_network_brings_it_forward(void **state)
{
	(void)state;
	struct bench *b = with_link("    max-associations: 1\n");
	struct player *p = &b->link[0];
	queue_some(b, 1);
	for (unsigned i = 0; i < 4; i++) {
		goes_down(p, last_open(p));
		for (unsigned s = 0; s < 600 && p->n_opens == i + 1; s++)
			fake_env_pass(b->env, SECOND);
	}
	assert_int_equal(p->n_opens, 5);
	goes_down(p, last_open(p));
	fake_env_pass(b->env, 60 * SECOND); /* of 600 */
	assert_int_equal(p->n_opens, 5);
	fake_env_change_network(b->env);
	fake_env_pass(b->env, NETWORK_SETTLE_MS + 5000); /* some time within 5 s, so that not all links do it at once */
	assert_int_equal(p->n_opens, 6);
	goes_down(p, last_open(p));
	fake_env_change_network(b->env); /* again and again: never two within 5 s */
	fake_env_pass(b->env, NETWORK_SETTLE_MS + 500);
	assert_int_equal(p->n_opens, 6);
	bench_free(b);
}

static void test_a_system_that_tells_no_network(void **state)
{
	(void)state;
	struct bench *b = with_link("    max-associations: 1\n");
	struct player *p = &b->link[0];
	bench_leave(b, p);
	switch_free(&b->sw);
	fake_env_hide_network(b->env);
	bench_start(b); /* a warning, and all goes on */
	bench_join(b, p, PROCESS_LINK, 1);
	queue_some(b, 1);
	assert_int_equal(p->n_opens, 1);
	bench_free(b);
}

/* A peer that calls every second and cannot be called: each call brings an attempt forward, none of them counts more than the
 * intervals allow, and what the retries are for is still tried for their time. */
static void test_k176489_k230497_attempts_are_limited_by_time_too(void **state)
{
	(void)state;
	struct bench *b = with_link("    open-interval: 100 s\n    max-open-retries: 3\n    max-associations: 1\n");
	struct player *p = &b->link[0];
	queue_some(b, 1);
	size_t seen = 0;
	for (uint64_t second = 0; second < 160; second++) { /* 25 + 50 + 100 s, less a tenth */
		while (seen < p->n_opens)
			goes_down(p, p->opens[seen++].assoc);
		say_assoc(p, MSG_ASSOC_UP, MSG_INBOUND_BIT | (second + 1), "to-c", NULL);
		say_assoc(p, MSG_ASSOC_DOWN, MSG_INBOUND_BIT | (second + 1), "to-c", NULL);
		fake_env_pass(b->env, SECOND);
	}
	assert_in_range(p->n_opens, 20, 40); /* brought forward, but at a distance */
	assert_int_equal(status_of(b, "to-a")->queued, 0);
	for (uint64_t second = 160; second < 600 && status_of(b, "to-a")->queued == 0; second++) {
		while (seen < p->n_opens)
			goes_down(p, p->opens[seen++].assoc);
		fake_env_pass(b->env, SECOND);
	}
	assert_int_equal(status_of(b, "to-a")->queued, 1); /* the report */
	bench_free(b);
}

/* The report says which link, how often, how long, and why. */
static void test_k230497_k271968_the_report_says_what_was_tried(void **state)
{
	(void)state;
	struct bench *b = with_link("    open-interval: 100 s\n    max-open-retries: 3\n    max-associations: 1\n");
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "back", TO_C);
	struct err e;
	assert_true(oraddr_parse(VIEW("S=eve; P=c; A=SIM; C=JP"), &m->originator, b->a, ORADDR_GENERATE, &e));
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	for (unsigned i = 0; i < 4; i++) {
		goes_down(p, last_open(p));
		fake_env_pass(b->env, 100 * SECOND);
	}
	open_up(p); /* the report goes back by the same link */
	const struct message *report = &last_transfer(p)->m;
	assert_int_equal(report->kind, MESSAGE_REPORT);
	const struct view text = report->rcpt[0].supplementary;
	char shown[300];
	snprintf(shown, sizeof shown, "%.*s", (int)text.n, (const char *)text.p);
	if (strstr(shown, "link to-c could not be opened 4 times") == NULL || strstr(shown, " min: Connection refused") == NULL)
		fail_msg("%s", shown);
	bench_free(b);
}

/* --- permanent --- */

static void test_rt_29_a_permanent_one_is_there_without_mail(void **state)
{
	(void)state;
	struct bench *b = with_link("    permanent: true\n    open-interval: 100 s\n    threshold: 1\n");
	struct player *p = &b->link[0];
	assert_int_equal(p->n_opens, 1);
	assert_int_equal(p->n_hows, 1);
	assert_true(p->hows[0].permanent);
	assert_int_equal(p->hows[0].assoc, p->opens[0].assoc);
	open_up(p);
	queue_some(b, 9); /* others come for mail, and are none of it */
	assert_true(p->n_opens > 1);
	assert_int_equal(p->n_hows, 1);
	comes_up(p, p->opens[1].assoc);
	for (size_t i = 0; i < p->n_transfers; i++)
		say_result(p, p->transfers[i].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 9);
	for (size_t i = 1; i < p->n_opens; i++)
		say_assoc(p, MSG_ASSOC_DOWN, p->opens[i].assoc, "to-c", NULL);
	const size_t before = p->n_opens;
	goes_down(p, p->opens[0].assoc);
	fake_env_pass(b->env, 5 * SECOND);
	assert_int_equal(p->n_opens, before + 1); /* it comes again, mail or not */
	assert_true(p->hows[1].permanent);
	bench_free(b);
}

static void test_a_permanent_one_keeps_its_schedule(void **state)
{
	(void)state;
	struct bench *b = with_link("    permanent: true\n" FROM_EIGHT);
	struct player *p = &b->link[0];
	assert_int_equal(p->n_opens, 0);
	fake_env_pass(b->env, 8 * HOUR);
	assert_int_equal(p->n_opens, 1);
	open_up(p);
	fake_env_pass(b->env, 10 * HOUR - 1);
	assert_int_equal(p->n_closes, 0);
	fake_env_pass(b->env, 1);
	assert_int_equal(p->n_closes, 1);
	assert_int_equal(p->closes[0], p->opens[0].assoc);
	say_assoc(p, MSG_ASSOC_DOWN, p->opens[0].assoc, "to-c", NULL);
	fake_env_pass(b->env, 13 * HOUR);
	assert_int_equal(p->n_opens, 1);
	fake_env_pass(b->env, HOUR);
	assert_int_equal(p->n_opens, 2);
	bench_free(b);
}

/* --- the peer's associations --- */

#define REMOTE "    schedule: remote-initiated\n    two-way-alternate: true\n    max-transfer-retries: 1\n"

static uint64_t peer_calls(struct player *p, uint64_t number)
{
	say_can_send(p, MSG_INBOUND_BIT | number);
	comes_up(p, MSG_INBOUND_BIT | number);
	return MSG_INBOUND_BIT | number;
}

static void test_remote_initiated_mail_goes_out_on_the_peers_association(void **state)
{
	(void)state;
	struct bench *b = with_link(REMOTE);
	struct player *p = &b->link[0];
	queue_some(b, 3);
	fake_env_pass(b->env, HOUR);
	assert_int_equal(p->n_opens, 0);
	assert_true(view_eq(status_of(b, "to-c")->state, VIEW("remote-initiated")));
	comes_up(p, MSG_INBOUND_BIT | 1); /* a monologue: nothing goes out on it */
	assert_int_equal(p->n_transfers, 0);
	const uint64_t theirs = peer_calls(p, 2);
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(p->transfers[0].assoc, theirs);
	assert_int_equal(status_of(b, "to-c")->inbound, 2);
	assert_int_equal(status_of(b, "to-c")->two_way, 1);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 3);
	goes_down(p, theirs); /* with one in hand: it waits for the next call */
	assert_int_equal(counts_of(b).transfers, 1);
	assert_int_equal(status_of(b, "to-c")->two_way, 0);
	assert_int_equal(status_of(b, "to-c")->inbound, 1);
	assert_int_equal(p->n_opens, 0);
	peer_calls(p, 3);
	assert_int_equal(p->n_transfers, 4);
	assert_true(mts_id_eq(&p->transfers[3].m.id, &p->transfers[2].m.id));
	bench_free(b);
}

static void test_what_a_dead_process_had_on_the_peers_association(void **state)
{
	(void)state;
	struct bench *b = with_link(REMOTE);
	struct player *p = &b->link[0];
	queue_some(b, 2);
	peer_calls(p, 1);
	comes_up(p, MSG_INBOUND_BIT | 2);
	assert_int_equal(p->n_transfers, 2);
	bench_dies(b, p, PROCESS_LINK, 1, false, "");
	assert_int_equal(status_of(b, "to-c")->inbound, 0);
	assert_int_equal(status_of(b, "to-c")->in_flight, 0);
	bench_join(b, p, PROCESS_LINK, 1);
	bench_join(b, &b->link[1], PROCESS_LINK, 2);
	peer_calls(p, 1); /* numbers are each process's own */
	assert_int_equal(p->n_transfers, 2);
	peer_calls(&b->link[1], 1);
	assert_int_equal(status_of(b, "to-c")->two_way, 2);
	goes_down(p, MSG_INBOUND_BIT | 1);
	assert_int_equal(b->link[1].n_transfers, 2);
	bench_dies(b, &b->link[1], PROCESS_LINK, 2, true, ""); /* by a fault: suspects now, which only the process for them handles */
	peer_calls(p, 2);
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(counts_of(b).transfers, 2);
	bench_free(b);
}

static void test_the_peers_association_serves_beside_our_own(void **state)
{
	(void)state;
	struct bench *b = with_link("    two-way-alternate: true\n    threshold: 2\n");
	struct player *p = &b->link[0];
	peer_calls(p, 1);
	queue_some(b, 2);
	assert_int_equal(p->n_opens, 0); /* it serves as one of ours would */
	assert_int_equal(p->n_transfers, 2);
	queue_one(b, "more", PRIORITY_NORMAL);
	assert_int_equal(p->n_opens, 1);
	bench_free(b);
}

/* Its peer is not to call, and may have been about to send: it gets the chance, though nothing waits here. */
static void test_k232602_a_two_way_one_that_broke_is_opened_again(void **state)
{
	(void)state;
	struct bench *b = with_link("    two-way-alternate: true\n");
	struct player *p = &b->link[0];
	queue_some(b, 1);
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	goes_down(p, last_open(p));
	fake_env_pass(b->env, 5 * SECOND);
	assert_int_equal(p->n_opens, 2);
	goes_down(p, last_open(p)); /* however long it takes */
	fake_env_pass(b->env, 150 * SECOND);
	assert_int_equal(p->n_opens, 3);
	open_up(p);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL); /* once: then it is released like any other */
	fake_env_pass(b->env, HOUR);
	assert_int_equal(p->n_opens, 3);
	bench_dies(b, p, PROCESS_LINK, 1, false, "");
	bench_join(b, p, PROCESS_LINK, 1);
	assert_int_equal(p->n_opens, 0);
	bench_free(b);
}

/* --- isolation --- */

/* What is kept in memory of one link's backlog takes nothing from the share of another. */
static void test_k193760_a_backlog_takes_no_memory_from_others(void **state)
{
	(void)state;
	struct bench *b = with_link("    schedule: never\n");
	struct player *p = &b->link[0];
	uint8_t *content = mem_zero(16000);
	uint64_t last = 0;
	for (unsigned i = 0; i < 600; i++) { /* 9.6 MB for a link that takes none of it; its half are 8 */
		char id[16];
		snprintf(id, sizeof id, "%u", i);
		assert_true(offer_of(p, "to-a", LETTER(b, arena_str(b->a, view_str(id)), TO_C), view_of(content, 16000))->accepted);
		if (p->n_answers == SEEN_MAX)
			p->n_answers = 0;
		const uint64_t hot = b->sw->hot;
		assert_true(hot <= 8u * 1024 * 1024 + 32 * 1024);
		last = hot;
	}
	assert_true(last > 7u * 1024 * 1024);
	assert_true(offer_of(p, "to-c", LETTER(b, "other", FROM_A), view_of(content, 16000))->accepted);
	assert_true(b->sw->hot > last + 15000);
	free(content);
	bench_free(b);
}

/* --- what comes late --- */

static void test_k266792_k319936_late_words_about_the_dead(void **state)
{
	(void)state;
	struct bench *b = with_link("    open-interval: 10 s\n    max-associations: 1\n");
	struct player *p = &b->link[0];
	queue_some(b, 1);
	const uint64_t first = last_open(p);
	open_up(p);
	const uint64_t attempt = last_transfer(p)->transfer;
	goes_down(p, first);
	say_assoc(p, MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 77, "to-c", NULL); /* was never up */
	say_result(p, attempt, ERR_NONE, 0);                             /* was taken back meanwhile */
	say_assoc(p, MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 77, "to-c", NULL);
	assert_int_equal(counts_of(b).transfers, 1);
	fake_env_pass(b->env, 10 * SECOND);
	open_up(p);
	assert_true(last_transfer(p)->transfer != attempt);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(p->closed, 0);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selected_times),
		cmocka_unit_test(test_k217131_what_urgent_mail_opened_takes_nothing_else),
		cmocka_unit_test(test_urgent_mail_waits_too_when_told_so),
		cmocka_unit_test(test_what_is_open_at_closing_time_takes_no_more),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_k197378_k251318_addresses_are_tried_in_turn),
		cmocka_unit_test(test_the_last_one_is_for_urgent_mail_only),
		cmocka_unit_test(test_k278444_a_limit_is_no_failure),
		cmocka_unit_test(test_k170056_k261251_k248488_a_link_that_flaps),
		cmocka_unit_test(test_k257727_one_that_worked_is_opened_again_soon),
		cmocka_unit_test(test_k232602_a_change_of_the_network_brings_it_forward),
		cmocka_unit_test(test_a_system_that_tells_no_network),
		cmocka_unit_test(test_k176489_k230497_attempts_are_limited_by_time_too),
		cmocka_unit_test(test_k230497_k271968_the_report_says_what_was_tried),
		cmocka_unit_test(test_rt_29_a_permanent_one_is_there_without_mail),
		cmocka_unit_test(test_a_permanent_one_keeps_its_schedule),
		cmocka_unit_test(test_remote_initiated_mail_goes_out_on_the_peers_association),
		cmocka_unit_test(test_what_a_dead_process_had_on_the_peers_association),
		cmocka_unit_test(test_the_peers_association_serves_beside_our_own),
		cmocka_unit_test(test_k232602_a_two_way_one_that_broke_is_opened_again),
		cmocka_unit_test(test_k193760_a_backlog_takes_no_memory_from_others),
		cmocka_unit_test(test_k266792_k319936_late_words_about_the_dead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
