/* failures_test.c - rows of the failure catalogue that the switch answers: reports, limits, times, recovery. The names bear the
 * numbers of the articles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include <stdlib.h>
#include <time.h>

enum { HOUR_MS = 3600 * 1000 };

static struct bench *with_link(void)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

/* The same with other settings. */
static void start_again(struct bench *b)
{
	bench_leave(b, &b->link[0]);
	if (b->tool.control != NULL)
		bench_leave(b, &b->tool);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
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

/* The report that waits for to-a. */
static const struct message *report_of(struct bench *b)
{
	struct player *p = &b->link[0];
	open_up(p);
	assert_true(p->n_transfers > 0);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	return &last_transfer(p)->m;
}

static bool says(struct view text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* A submission, to be released so much later; as the command line makes it. */
static void submit_deferred(struct bench *b, wall_ms_t until)
{
	struct message *m = LETTER(b, "", TO_C);
	if (b->tool.control == NULL)
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
	m->trace.n = m->internal_trace.n = 0;
	m->deferred = until;
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
}

/* --- limits and reports --- */

/* A report was made and could not be delivered, because the limit of size held for it too. */
static void test_k174895_k197058_k196663_k165146_no_limit_of_size_stops_a_report(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "r", TO_US);
	struct err e;
	uint8_t *octets = arena_get(b->a, 400 * 1024); /* size-limit of to-c is 300 K */
	memset(octets, 'x', 400 * 1024);
	m->kind = MESSAGE_REPORT;
	m->subject_id = (struct mts_id){ domain_of("JP", "c"), VIEW("subject") };
	m->rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m->rcpt[0].reason = 1;
	m->returned_content = view_of(octets, 400 * 1024);
	m->has_returned_content = true;
	assert_true(oraddr_parse(VIEW(TO_C), &m->originator, b->a, ORADDR_GENERATE, &e));
	assert_true(offer_of(p, "to-a", m, (struct view){ NULL, 0 })->accepted);
	assert_int_equal(counts_of(b).transfers, 1);
	assert_true(view_eq(p->opens[p->n_opens - 1].link, VIEW("to-c")));
	assert_int_equal(report_of(b)->returned_content.n, 400 * 1024);
	bench_free(b);
}

/* One bad recipient: one report about it, and nothing else is made of the message (a second one, for nobody, was). */
static void test_k194549_one_bad_recipient_is_one_report(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_NOBODY), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, 1);
	assert_int_equal(counts_of(b).deliveries, 0);
	const struct message *m = report_of(b);
	assert_int_equal(m->n_rcpt, 1);
	assert_int_equal(m->rcpt[0].diagnostic, 0);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, ERR_OF_MESSAGE);
	fake_env_pass(b->env, 60000);
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* A message was returned for a limit that nobody had expected: which one is said. */
static void test_k263709_the_report_says_which_limit(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	uint8_t *octets = mem_zero(60000);
	for (unsigned pieces = 6; pieces <= 18; pieces += 12) { /* over the link's 300 K; over limits.message, 1 M */
		put_offer(p, p->bulk, MSG_OFFER_BEGIN, pieces, "to-a", LETTER(b, pieces == 6 ? "1" : "2", TO_C), (struct view){ NULL, 0 });
		for (unsigned i = 0; i < pieces; i++)
			say_piece(p, pieces, view_of(octets, 60000));
		say_count(p->bulk, MSG_OFFER_END, pieces, pieces * 60000);
		fake_env_settle(b->env);
	}
	free(octets);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	const struct recipient *link = &p->transfers[0].m.rcpt[0], *own = &p->transfers[1].m.rcpt[0];
	assert_int_equal(link->diagnostic, 7); /* content-too-long */
	assert_true(says(link->supplementary, "360000") && says(link->supplementary, "307200") && says(link->supplementary, "link to-c"));
	assert_int_equal(own->diagnostic, 7);
	assert_true(says(own->supplementary, "1048576") && says(own->supplementary, "limits.message"));
	bench_free(b);
}

/* A client had sorted the recipients anew, and the report named another one: the number counts, not the place. */
static void test_k241462_recipients_are_known_by_their_number(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct message *m = LETTER(b, "1", TO_US, TO_NOBODY, TO_US, "S=none; P=p; A=SIM; C=FR");
	static const uint32_t numbers[] = { 9, 4, 1, 2 };
	for (size_t i = 0; i < 4; i++) {
		m->rcpt[i].number = numbers[i];
		m->rcpt[i].originator_report = REPORT_ALL;
	}
	assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
	const struct message *report = report_of(b);
	assert_int_equal(report->n_rcpt, 4);
	for (size_t i = 0; i < 4; i++) {
		size_t k = 0;
		while (k < 4 && report->rcpt[k].number != numbers[i])
			k++;
		assert_true(k < 4);
		assert_true(oraddr_eq(&report->rcpt[k].addr, &m->rcpt[i].addr));
		assert_int_equal(report->rcpt[k].outcome, i % 2 == 0 ? OUTCOME_DELIVERED : OUTCOME_NOT_DELIVERED);
	}
	bench_free(b);
}

/* --- times --- */

/* A message deferred beyond the time it may live was returned at the moment of its release. */
static void test_k214682_life_begins_with_the_release(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	submit_deferred(b, FAKE_WALL_MS + 5 * HOUR_MS); /* expiry.normal is 2 h */
	fake_env_pass(b->env, 5 * HOUR_MS - 1);
	assert_int_equal(p->n_opens, 0);
	assert_int_equal(counts_of(b).transfers, 1);
	fake_env_pass(b->env, 1);
	assert_int_equal(p->n_opens, 1);
	assert_true(view_eq(p->opens[0].link, VIEW("to-c")));
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_MESSAGE);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	bench_leave(b, p);
	fake_env_pass(b->env, 2 * HOUR_MS - 1000); /* it lives so long from then on */
	assert_int_equal(status_of(b, "to-c")->queued, 1);
	fake_env_pass(b->env, 61 * 1000);
	assert_int_equal(status_of(b, "to-c")->queued, 0);
	assert_int_equal(status_of(b, "to-a")->queued, 1);
	bench_free(b);
}

/* A peer whose clock is wrong by years, either way: its time is not what a message lives by. */
static void test_k158399_a_peers_clock_expires_nothing(void **state)
{
	(void)state;
	static const wall_ms_t days[] = { -9 * 365, -8, 8, 9 * 365 };
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		struct bench *b = with_link();
		struct message *m = LETTER(b, "1", TO_C);
		m->trace.v[0].arrival = m->internal_trace.v[0].arrival = FAKE_WALL_MS + days[i] * 24 * HOUR_MS;
		m->trace.v[0].arrival_raw = m->internal_trace.v[0].arrival_raw = utctime_print(m->trace.v[0].arrival, b->a);
		assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
		bench_leave(b, &b->link[0]);
		fake_env_pass(b->env, 2 * HOUR_MS - 1000); /* expiry.normal */
		assert_int_equal(status_of(b, "to-c")->queued, 1);
		fake_env_pass(b->env, 61 * 1000);
		assert_int_equal(status_of(b, "to-c")->queued, 0);
		assert_int_equal(status_of(b, "to-a")->queued, 1);
		bench_free(b);
	}
}

/* All was returned in the year 2000. Years of the century window (RFC 2156 3.3.5: 80..99 are 19xx) as latest delivery. */
static void test_k152874_years_beyond_99_are_not_the_past(void **state)
{
	(void)state;
	static const struct {
		const char *latest;
		bool expired; /* on 1 January 2026 */
	} row[] = { { "000101000000Z", true }, { "251231235959Z", true }, { "260101000100Z", false }, { "500101000000Z", false },
		    { "791231235959Z", false }, { "800101000000Z", true }, { "991231235959Z", true } };
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct bench *b = with_link();
		struct message *m = LETTER(b, "1", TO_C);
		assert_true(utctime_parse(view_str(row[i].latest), &m->latest_delivery));
		m->latest_raw = view_str(row[i].latest);
		assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
		assert_int_equal(status_of(b, "to-c")->queued, !row[i].expired);
		assert_int_equal(status_of(b, "to-a")->queued, row[i].expired);
		bench_free(b);
	}
}

/* Deferred mail went an hour early or late, a day late or never, retries came at the wrong time, where the zone has half an hour in it
 * or summer time began meanwhile. The zones below begin or end it half an hour after the deferral, on 1 January. */
static void test_k192125_k225345_k248253_k254818_zones_and_summer_time_move_no_timer(void **state)
{
	(void)state;
	static const char *const zones[] = { "UTC0", "AAA-3:30BBB-4:30,J1/4:00,J300/2", "AAA-3:30BBB-4:30,J300/2,J1/5:00",
					     "AAA3:30BBB2:30,J1/-3:00,J300/2", "AAA-5:45", "AAA12", "AAA-14" };
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		struct bench *b = with_link();
		struct player *p = &b->link[0];
		wall_ms_t until;
		assert_true(utctime_parse(VIEW("2601010430+0330"), &until)); /* 01:00 UTC */
		submit_deferred(b, until);
		fake_env_pass(b->env, HOUR_MS - 1);
		assert_int_equal(p->n_opens, 0);
		fake_env_pass(b->env, 1);
		assert_int_equal(p->n_opens, 1);
		struct err why;
		err_set(&why, ERR_TEMP, ERR_OF_LINK, "as the test says");
		say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", &why); /* a quarter of open-interval, 10 s, less a tenth */
		fake_env_pass(b->env, 2249);
		assert_int_equal(p->n_opens, 1);
		fake_env_pass(b->env, 251);
		assert_int_equal(p->n_opens, 2);
		bench_free(b);
	}
	unsetenv("TZ");
	tzset();
}

/* --- recovery --- */

/* After a start the counter of the queue grew for ever: recovery went round in a loop on one object. */
static void test_k157068_a_start_counts_each_once(void **state)
{
	(void)state;
	enum { N = 300 };
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "", TO_C);
	for (unsigned i = 0; i < N; i++) {
		char id[8];
		snprintf(id, sizeof id, "%u", i);
		m->id.local = view_str(id);
		assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
		p->n_answers = 0;
	}
	b->settings.limits.memory = 4 * 1024; /* windows hold eight entries at most */
	for (unsigned start = 0; start < 4; start++) {
		start_again(b);
		for (unsigned i = 0; i < 10; i++) {
			assert_int_equal(status_of(b, "to-c")->queued, N);
			fake_env_pass(b->env, 2000);
		}
	}
	bool seen[N] = { false };
	open_up(p);
	for (unsigned left = N; left > 0; left--) {
		assert_true(p->n_transfers > 0);
		const struct seen_transfer t = p->transfers[0];
		memmove(p->transfers, p->transfers + 1, --p->n_transfers * sizeof t);
		const unsigned n = (unsigned)strtoul(arena_str(b->a, t.m.id.local), NULL, 10);
		assert_true(n < N && !seen[n]);
		seen[n] = true;
		say_result(p, t.transfer, ERR_NONE, 0);
	}
	assert_int_equal(p->n_transfers, 0);
	assert_int_equal(status_of(b, "to-c")->queued, 0);
	bench_free(b);
}

/* --- a peer that is away --- */

struct absence {
	struct bench *b;
	unsigned attempts;
};

/* Four hours in simulated time; each attempt is answered by a failure at once. */
static void be_absent(struct absence *x, int64_t ms)
{
	struct player *p = &x->b->link[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "nobody is there");
	for (int64_t at = 0; at < ms; at += 1000) {
		for (; p->n_opens > 0; x->attempts++) {
			const uint64_t id = last_open(p);
			p->n_opens = 0;
			say_assoc(p, MSG_ASSOC_DOWN, id, "to-c", &why);
		}
		fake_env_pass(x->b->env, 1000);
	}
}

/* OP-03: back-off with a ceiling (four open intervals), however much waits and of whatever priority; no message is spent; when the
 * peer is back, all of it goes within one interval. */
static void test_op_03_k232602_a_peer_that_is_absent_for_four_hours(void **state)
{
	(void)state;
	enum { N = 30 };
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	((struct set_link *)(uintptr_t)b->settings.links.v)[1].max_open_retries = 100000;
	b->settings.expiry.urgent_ms = b->settings.expiry.normal_ms = b->settings.expiry.non_urgent_ms = (uint64_t)24 * HOUR_MS;
	start_again(b);
	struct message *m = LETTER(b, "", TO_C);
	struct absence x = { .b = b };
	for (unsigned i = 0; i < N; i++) {
		char id[8];
		snprintf(id, sizeof id, "%u", i);
		m->id.local = view_str(id);
		m->priority = (enum priority)(i % PRIORITY_COUNT);
		assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	}
	be_absent(&x, 4 * HOUR_MS); /* one opens after 9 to 10 s, the first two sooner */
	assert_in_range(x.attempts, 4 * 3600 / 10, 4 * 3600 / 9 + 2);
	assert_int_equal(status_of(b, "to-c")->queued, N);
	assert_string_equal(arena_str(b->a, status_of(b, "to-c")->state), "waiting");
	assert_int_equal(status_of(b, "to-a")->queued, 0);
	for (unsigned s = 0; s < 10 && p->n_opens == 0; s++) /* within one interval, however long it was away */
		fake_env_pass(b->env, 1000);
	assert_int_equal(p->n_opens, 1);
	open_up(p);
	for (size_t i = 0; i < p->n_transfers; i++)
		say_result(p, p->transfers[i].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, N);
	assert_int_equal(p->transfers[0].m.priority, PRIORITY_URGENT);
	assert_int_equal(status_of(b, "to-c")->queued, 0);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k174895_k197058_k196663_k165146_no_limit_of_size_stops_a_report),
		cmocka_unit_test(test_k194549_one_bad_recipient_is_one_report),
		cmocka_unit_test(test_k263709_the_report_says_which_limit),
		cmocka_unit_test(test_k241462_recipients_are_known_by_their_number),
		cmocka_unit_test(test_k214682_life_begins_with_the_release),
		cmocka_unit_test(test_k158399_a_peers_clock_expires_nothing),
		cmocka_unit_test(test_k152874_years_beyond_99_are_not_the_past),
		cmocka_unit_test(test_k192125_k225345_k248253_k254818_zones_and_summer_time_move_no_timer),
		cmocka_unit_test(test_k157068_a_start_counts_each_once),
		cmocka_unit_test(test_op_03_k232602_a_peer_that_is_absent_for_four_hours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
