/* reports_test.c - reports, probes and deferral in the switch (X.411 14.3, conformance cases RP, P1-25, P1-26), beside what
 * switch_test has; rows of the failure catalogue about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/mts_testing.h"

#define suspect store_suspect /* the switch has its own, and of schedules too */
#define schedule store_schedule
#include "flow/store/memory_impl.h" /* the store is looked into */
#undef suspect
#undef schedule
#include "proc/switch/switch_int.h"

enum { HOUR_MS = 3600 * 1000, LONG_OCTETS = 200 * 1000 };

#define SETTINGS MTS_HEAD("") MTS_LINKS MTS_BOXES BOX("moved", TO("other")) BOX("lost", TO("nobody")) "lists:\n" \
	LIST("all", ONE("user") ", " ONE("other") ", " AT_C("eve"), "") LIST("closed", ONE("user"), "    submitters: [\"C=JP; A=SIM\"]\n") \
	LIST("empty", "", "")

/* --- returned content --- */

static struct view octets_of(struct bench *b, size_t n)
{
	uint8_t *p = arena_get(b->a, n);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 251);
	return view_of(p, n);
}

static void send_long(struct bench *b, const struct message *m, struct view octets)
{
	struct player *p = &b->link[0];
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 9, "to-a", m, (struct view){ NULL, 0 });
	for (size_t at = 0; at < octets.n; at += 50000)
		say_piece(p, 9, view_first(view_from(octets, at), 50000));
	say_count(p->bulk, MSG_OFFER_END, 9, octets.n);
	fake_env_settle(b->env);
	fake_env_pass(b->env, 50);
}

/* Content in a file came back with no report: it is pulled like that of a message, and follows the report's other elements. */
static void test_rp_08_long_content_is_returned(void **state)
{
	(void)state;
	for (unsigned asked = 0; asked < 2; asked++) {
		struct bench *b = mts_bench(SETTINGS);
		struct player *p = &b->link[0];
		struct message *m = LETTER(b, "1", TO_NOBODY, TO_US);
		const struct view octets = octets_of(b, LONG_OCTETS);
		m->has_indicators = asked == 1;
		m->indicators = asked == 1 ? IND_CONTENT_RETURN : 0;
		send_long(b, m, octets);
		open_all(b);
		const struct seen_transfer *t = last_transfer(p);
		assert_int_equal(t->m.kind, MESSAGE_REPORT);
		assert_int_equal(t->m.has_returned_content, asked);
		assert_int_equal(t->size, asked == 1 ? LONG_OCTETS : 0);
		if (asked == 1) {
			say_count(p->control, MSG_TRANSFER_PULL, t->transfer, LONG_OCTETS);
			fake_env_settle(b->env);
			assert_true(view_eq(out_view(&p->data), octets));
		}
		drain(b);
		assert_delivered(b, 1);
		bench_free(b);
	}
}

/* The same when the transfer fails later, and the report is all that is left of the message. */
static void test_rp_08_long_content_of_a_failed_transfer(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C);
	const struct view octets = octets_of(b, LONG_OCTETS);
	m->has_indicators = true;
	m->indicators = IND_CONTENT_RETURN;
	send_long(b, m, octets);
	open_all(b);
	say_result(p, last_transfer(p)->transfer, ERR_PERM, ERR_OF_MESSAGE);
	fake_env_pass(b->env, 50);
	open_all(b);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(counts_of(b).messages, 1);
	say_count(p->control, MSG_TRANSFER_PULL, last_transfer(p)->transfer, LONG_OCTETS);
	fake_env_settle(b->env);
	assert_true(view_eq(out_view(&p->data), octets));
	drain(b);
	assert_int_equal(counts_of(b).octets, 0);
	bench_free(b);
}

/* X.411 8.3.1.2.1: correlator, identifier and type of the subject are in the report. */
static void test_what_a_report_repeats_of_its_subject(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("lost"));
	struct extension x = { .number = EXT_CONTENT_CORRELATOR, .value = VIEW("\x16\x03" "abc") };
	m->ext = (struct extensions){ &x, 1 };
	m->content_id = VIEW("an id");
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_int_equal(report->content_ext.n, 1);
	assert_true(view_eq(report->content_ext.v[0].value, x.value));
	assert_true(view_eq(report->content_id, m->content_id));
	assert_int_equal(report->content_type, 22);
	assert_true(view_eq(report->subject_id.local, VIEW("1")));
	bench_free(b);
}

/* --- reports that come --- */

static struct message *report_to_us(struct bench *b, const char *id, enum recipient_outcome outcome)
{
	struct message *m = LETTER(b, id, TO_C);
	m->kind = MESSAGE_REPORT;
	m->originator = *addr_of(b, TO_US);
	m->subject_id = (struct mts_id){ domain_of("FR", "p"), VIEW("subject") };
	m->rcpt[0].originator_report = REPORT_ALL;
	m->rcpt[0].outcome = outcome;
	m->rcpt[0].reason = outcome == OUTCOME_DELIVERED ? -1 : 1;
	return m;
}

/* In the journey of the message that the reports are about. */
static size_t steps_that_say(struct bench *b, const char *who, const char *what)
{
	size_t n = 0;
	for (size_t i = 0; i < b->disk->steps.n; i++) {
		const struct row_step *x = CONTAINER(b->disk->steps.v[i], struct row_step, life);
		n += memmem(x->id.p, x->id.n, "L=subject", 9) != NULL && x->text.n > 0 && memmem(x->text.p, x->text.n, who, strlen(who)) != NULL &&
		     memmem(x->text.p, x->text.n, what, strlen(what)) != NULL;
	}
	return n;
}

static const char *step_of(struct bench *b, uint32_t kind)
{
	for (size_t i = b->disk->steps.n; i-- > 0;) {
		const struct row_step *x = CONTAINER(b->disk->steps.v[i], struct row_step, life);
		if (x->kind == kind)
			return arena_str(b->a, x->text);
	}
	return "";
}

/* Who follows a journey reads there why, and need not find the report: the reason, the diagnostic, and the supplementary information. */
static void test_a_journey_says_why(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_NOBODY, TO_US, "S=ghost; P=p; A=SIM; C=FR");
	m->rcpt[1].originator_report = REPORT_ALL;
	send(b, m, (struct view){ NULL, 0 });
	assert_string_equal(step_of(b, STEP_REPORT_MADE),
			    "S=nobody; P=p; A=SIM; C=FR: unable-to-transfer, unrecognised-OR-name: no mailbox of this address here: \"S=nobody; P=p; A=SIM; C=FR\"; and "
			    "S=user; P=p; A=SIM; C=FR: delivered; and "
			    "S=ghost; P=p; A=SIM; C=FR: unable-to-transfer, unrecognised-OR-name: no mailbox of this address here: \"S=ghost; P=p; A=SIM; C=FR\"");
	m = report_to_us(b, "r1", OUTCOME_NOT_DELIVERED);
	m->rcpt[0].diagnostic = -1;
	m->rcpt[0].supplementary = VIEW("mailbox is full\x1b[2J");
	send(b, m, (struct view){ NULL, 0 });
	assert_string_equal(step_of(b, STEP_REPORT_IN), "S=eve; P=c; A=SIM; C=JP: unable-to-transfer: mailbox is full\\x1b[2J");
	bench_free(b);
}

/* Delivered, and then not: both are kept, the second is flagged. */
static void test_rp_21_a_second_report_is_flagged(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, report_to_us(b, "r1", OUTCOME_DELIVERED), (struct view){ NULL, 0 });
	assert_int_equal(steps_that_say(b, "eve", ": delivered"), 1); /* in the journey of the subject */
	assert_int_equal(steps_that_say(b, "eve", "a second report"), 0);
	send(b, report_to_us(b, "r2", OUTCOME_NOT_DELIVERED), (struct view){ NULL, 0 });
	assert_int_equal(steps_that_say(b, "eve", "a second report"), 1);
	assert_delivered(b, 2);
	bench_free(b);
}

/* Another way, another recipient: no duplicate. The same one again: it is. */
static void test_reports_of_one_list_are_no_duplicates(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = report_to_us(b, "r1", OUTCOME_NOT_DELIVERED);
	send(b, m, (struct view){ NULL, 0 });
	send(b, m, (struct view){ NULL, 0 });
	assert_delivered(b, 1);
	m->originator = *addr_of(b, TO("other"));
	send(b, m, (struct view){ NULL, 0 });
	assert_delivered(b, 2);
	bench_free(b);
}

/* Members of a list have one number: a copy for another of them is no duplicate. */
static void test_members_of_one_number_are_no_duplicates(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct name_at history[] = { { *addr_of(b, "S=list; P=c; A=SIM; C=JP"), 0, { NULL, 0 } } };
	struct message *m = LETTER(b, "1", TO_US);
	m->dl_history = (struct history){ history, 1 };
	send(b, m, VIEW("x"));
	m->rcpt[0].addr = *addr_of(b, TO("other"));
	send(b, m, VIEW("x"));
	assert_delivered(b, 2);
	send(b, m, VIEW("x"));
	assert_delivered(b, 2);
	bench_free(b);
}

/* --- probes --- */

static struct message *probe(struct bench *b, const char *to, int64_t length)
{
	struct message *m = LETTER(b, "p", to);
	m->kind = MESSAGE_PROBE;
	m->content_length = length;
	m->rcpt[0].originator_report = REPORT_ALL;
	return m;
}

static void probed(const char *to, int64_t length, int diagnostic, int type_of_user, const char *intended)
{
	struct bench *b = mts_bench(SETTINGS);
	send(b, probe(b, to, length), (struct view){ NULL, 0 });
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, 1);
	if (diagnostic >= 0) {
		assert_failed(report, 0, 1, diagnostic);
	} else {
		assert_int_equal(report->rcpt[0].outcome, OUTCOME_DELIVERED);
		assert_int_equal(report->rcpt[0].type_of_user, type_of_user);
	}
	assert_int_equal(report->rcpt[0].has_intended, intended != NULL);
	if (intended != NULL)
		assert_true(is_addr(b, &report->rcpt[0].intended, intended));
	assert_delivered(b, 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* X.411 8.2.1.2: a list answers for itself (3: distribution list), an alternate for whom it stands; size is a cause. */
static void test_rp_17_probes_of_lists_and_alternates(void **state)
{
	(void)state;
	probed(TO("all"), 100, -1, 3, NULL);
	probed(TO("closed"), 100, 29, 0, NULL);
	probed(TO("empty"), 100, 30, 0, NULL);
	probed(TO("moved"), 100, -1, 1, TO("moved"));
	probed(TO("lost"), 100, 0, 0, TO("lost"));
	probed(TO_US, -1, -1, 1, NULL);
	probed(TO_US, (1 << 20) + 1, 7, 0, NULL); /* limits.message: 1 M */
	probed(TO_C, 300 * 1024 + 1, 7, 0, NULL); /* size-limit: 300 K */
}

/* --- deferral --- */

static struct message *submission(struct bench *b, const char *to, wall_ms_t deferred)
{
	struct message *m = LETTER(b, "", to);
	if (b->tool.control == NULL)
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
	m->trace.n = m->internal_trace.n = 0;
	m->originator = *addr_of(b, TO_US);
	m->deferred = deferred;
	return m;
}

static void submit(struct bench *b, const struct message *m)
{
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
	fake_env_pass(b->env, 50);
}

/* Held until then, to the millisecond, for a mailbox here as for a link; the life of the message begins with the release. */
static void test_p1_25_deferred_local_and_away(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct player *p = &b->link[0];
	const wall_ms_t until = FAKE_WALL_MS + 5 * HOUR_MS;
	submit(b, submission(b, TO("other"), until));
	submit(b, submission(b, TO_C, until));
	submit(b, submission(b, TO("all"), until));
	fake_env_pass(b->env, 5 * HOUR_MS - 150 - 1);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_int_equal(counts_of(b).transfers, 3);
	assert_int_equal(p->n_opens, 0);
	fake_env_pass(b->env, 1);
	assert_int_equal(counts_of(b).deliveries, 3);
	drain(b);
	assert_delivered(b, 3);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), 2);
	const struct message *t = &p->transfers[0].m;
	assert_int_equal(t->trace.n, 1); /* X.411 12.3.1: arrival when it was submitted, deferred-time when it was released */
	assert_in_range(t->trace.v[0].arrival, FAKE_WALL_MS, FAKE_WALL_MS + 1000);
	assert_int_equal(t->trace.v[0].deferred, until);
	bench_free(b);
}

static unsigned act_with(struct bench *b, enum msg_act what, const char *arg, uint64_t id)
{
	struct out octets;
	out_init(&octets, 8);
	out_u64(&octets, id);
	const struct msg_act_on m = { .id = 7, .act = what, .arg = view_str(arg), .who = VIEW("olga"), .why = VIEW("a test"),
				      .ids = out_view(&octets) };
	put_msg_act_on(chan_begin(b->tool.control, MSG_ACT), &m);
	chan_end(b->tool.control);
	out_fini(&octets);
	fake_env_pass(b->env, 50);
	return b->tool.acted.what.p[0];
}

static unsigned act(struct bench *b, enum msg_act what, uint64_t id)
{
	return act_with(b, what, "", id);
}

static uint64_t waiting_in(struct bench *b, const char *queue)
{
	struct store_place place = { 0 };
	struct store_queued row;
	assert_int_equal(store_queue_next(b->sw->store, view_str(queue), PRIORITY_NORMAL, STORE_NEVER, &place, &row, 1), 1);
	return row.transfer;
}

/* Cancelled, returned or let go before its time; and not sent round its own queue. */
static void test_p1_25_a_deferred_message_can_be_cancelled(void **state)
{
	(void)state;
	static const enum msg_act acts[] = { ACT_DELETE, ACT_RETURN, ACT_RETRY };
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		struct bench *b = mts_bench(SETTINGS);
		submit(b, submission(b, TO("other"), FAKE_WALL_MS + HOUR_MS));
		assert_int_equal(act(b, acts[i], waiting_in(b, JOBS_DEFERRED)), ACTED_DONE);
		assert_delivered(b, acts[i] == ACT_DELETE ? 0 : 1); /* the report to user; the message for other */
		fake_env_pass(b->env, 2 * HOUR_MS);
		assert_delivered(b, acts[i] == ACT_DELETE ? 0 : 1);
		bench_free(b);
	}
}

/* The host starts with a wrong clock, which is set later: what was deferred to a time that is over then goes soon. */
static void test_p1_25_deferred_and_the_clock_is_set(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	submit(b, submission(b, TO("other"), FAKE_WALL_MS + (wall_ms_t)30 * HOUR_MS));
	fake_env_pass(b->env, HOUR_MS);
	assert_int_equal(counts_of(b).deliveries, 0);
	fake_env_set_clock(b->env, (int64_t)29 * HOUR_MS);
	fake_env_pass(b->env, HOUR_MS / 4 + 1000);
	assert_delivered(b, 1);
	bench_free(b);
}

/* Held and let go again: that is not "before its time". */
static void test_p1_25_a_deferred_message_that_was_held_waits_for_its_time(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	submit(b, submission(b, TO("other"), FAKE_WALL_MS + HOUR_MS));
	const uint64_t id = waiting_in(b, JOBS_DEFERRED);
	assert_int_equal(act(b, ACT_HOLD, id), ACTED_DONE);
	assert_int_equal(act(b, ACT_RELEASE, id), ACTED_DONE);
	fake_env_pass(b->env, HOUR_MS / 2);
	assert_int_equal(counts_of(b).deliveries, 0);
	fake_env_pass(b->env, HOUR_MS / 2 + 1000);
	assert_delivered(b, 1);
	bench_free(b);
}

/* Held beyond its time: it goes when it is let go. */
static void test_p1_25_a_deferred_message_that_was_held_for_long(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	submit(b, submission(b, TO("other"), FAKE_WALL_MS + HOUR_MS));
	const uint64_t id = waiting_in(b, JOBS_DEFERRED);
	assert_int_equal(act(b, ACT_HOLD, id), ACTED_DONE);
	fake_env_pass(b->env, HOUR_MS + HOUR_MS / 2);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_int_equal(act(b, ACT_RELEASE, id), ACTED_DONE);
	fake_env_pass(b->env, 50);
	assert_delivered(b, 1);
	bench_free(b);
}

/* Deferral outlives the process. */
static void test_p1_25_deferred_over_a_restart(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	submit(b, submission(b, TO("other"), FAKE_WALL_MS + HOUR_MS));
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->tool);
	bench_switch_dies(b, "");
	fake_env_pass(b->env, HOUR_MS - 1000);
	assert_int_equal(counts_of(b).deliveries, 0);
	fake_env_pass(b->env, 1000);
	assert_delivered(b, 1);
	bench_free(b);
}

/* What the switch has died of too often is not tried again: it is in quarantine, and its originator is told. */
static void test_k151669_a_list_that_kills_the_switch(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	char note[40];
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("all")), VIEW("x"))->accepted);
	snprintf(note, sizeof note, "transfer %llu", (unsigned long long)waiting_in(b, JOBS_LISTS));
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			bench_leave(b, &b->link[0]);
		bench_switch_dies(b, note);
		assert_int_equal(counts_of(b).transfers, 1);
	}
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	fake_env_pass(b->env, 50);
	assert_int_equal(counts_of(b).quarantined, 1);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_failed(only(b, MESSAGE_REPORT), 0, 0, -1);
	assert_delivered(b, 0);
	bench_free(b);
}

/* The operator has mended what it died of: back to be expanded, and no link can have it instead. */
static void test_a_quarantined_list_is_expanded_when_it_is_released(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	char note[40];
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("all")), VIEW("x"))->accepted);
	const uint64_t id = waiting_in(b, JOBS_LISTS);
	snprintf(note, sizeof note, "transfer %llu", (unsigned long long)id);
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->tool);
	for (int i = 0; i < 3; i++)
		bench_switch_dies(b, note);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	fake_env_pass(b->env, 50);
	assert_int_equal(counts_of(b).quarantined, 1);
	assert_failed(only(b, MESSAGE_REPORT), 0, 0, -1);
	bench_join(b, &b->tool, PROCESS_TOOL, 1);
	assert_int_equal(act_with(b, ACT_QUARANTINE_RELEASE, "to-c", id), ACTED_REFUSED);
	assert_int_equal(counts_of(b).quarantined, 1);
	assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, id), ACTED_DONE);
	fake_env_pass(b->env, 50);
	drain(b);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, "S=eve; P=c; A=SIM; C=JP"), 1);
	assert_delivered(b, 2);
	assert_int_equal(counts_of(b).quarantined, 0);
	bench_free(b);
}

/* Once or twice: it is done, and no suspect any more. */
static void test_k151669_a_list_that_the_switch_has_died_of_once(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	char note[40];
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("all")), VIEW("x"))->accepted);
	snprintf(note, sizeof note, "transfer %llu", (unsigned long long)waiting_in(b, JOBS_LISTS));
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, note);
	assert_int_equal(counts_of(b).suspects, 1);
	fake_env_pass(b->env, 50);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(counts_of(b).deliveries, 2);
	bench_free(b);
}

/* Latest delivery before the release: it is not released, but reported when that time has come. */
static void test_p1_26_latest_delivery_while_it_waits(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = submission(b, TO_C, FAKE_WALL_MS + 5 * HOUR_MS);
	m->latest_delivery = FAKE_WALL_MS + HOUR_MS;
	submit(b, m);
	fake_env_pass(b->env, HOUR_MS - 1000);
	assert_int_equal(counts_of(b).transfers, 1);
	assert_int_equal(counts_of(b).deliveries, 0);
	fake_env_pass(b->env, 61 * 1000);
	assert_delivered(b, 1); /* the report */
	bench_free(b);
}

/* The same for what waits for a link that is away. */
static void test_p1_26_latest_delivery_in_a_queue(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = submission(b, TO_C, 0);
	m->latest_delivery = FAKE_WALL_MS + HOUR_MS / 2; /* expiry.normal is 2 h */
	submit(b, m);
	bench_leave(b, &b->link[0]);
	fake_env_pass(b->env, HOUR_MS / 2 - 1000);
	assert_int_equal(counts_of(b).transfers, 1);
	fake_env_pass(b->env, 61 * 1000);
	assert_delivered(b, 1);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rp_08_long_content_is_returned),
		cmocka_unit_test(test_rp_08_long_content_of_a_failed_transfer),
		cmocka_unit_test(test_what_a_report_repeats_of_its_subject),
		cmocka_unit_test(test_rp_21_a_second_report_is_flagged),
		cmocka_unit_test(test_a_journey_says_why),
		cmocka_unit_test(test_reports_of_one_list_are_no_duplicates),
		cmocka_unit_test(test_members_of_one_number_are_no_duplicates),
		cmocka_unit_test(test_rp_17_probes_of_lists_and_alternates),
		cmocka_unit_test(test_p1_25_deferred_local_and_away),
		cmocka_unit_test(test_p1_25_a_deferred_message_can_be_cancelled),
		cmocka_unit_test(test_p1_25_deferred_and_the_clock_is_set),
		cmocka_unit_test(test_p1_25_a_deferred_message_that_was_held_waits_for_its_time),
		cmocka_unit_test(test_p1_25_a_deferred_message_that_was_held_for_long),
		cmocka_unit_test(test_p1_25_deferred_over_a_restart),
		cmocka_unit_test(test_k151669_a_list_that_kills_the_switch),
		cmocka_unit_test(test_a_quarantined_list_is_expanded_when_it_is_released),
		cmocka_unit_test(test_k151669_a_list_that_the_switch_has_died_of_once),
		cmocka_unit_test(test_p1_26_latest_delivery_while_it_waits),
		cmocka_unit_test(test_p1_26_latest_delivery_in_a_queue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
