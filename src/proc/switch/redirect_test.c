/* redirect_test.c - alternate recipients (X.411 14.3.2; conformance cases TR-09 to TR-12, P1-23, P1-31). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/mts_testing.h"

#define SETTINGS MTS_HEAD("") MTS_LINKS MTS_BOXES BOX("moved", TO("other")) BOX("abroad", "S=eve; P=c; A=SIM; C=JP") \
	BOX("round", TO("about")) BOX("about", TO("round")) BOX("lost", TO("nobody")) BOX("one", TO("two")) BOX("two", TO("three")) BOX("three", TO("user"))
#define WITH_DEFAULT MTS_HEAD("  alternate-recipient: \"S=other" HERE "\"\n") MTS_LINKS MTS_BOXES

/* X.411 8.3.1.1.1.5: reason 1, originator-requested; other-actions redirected in both traces (12.3.1). */
static void test_tr_09_originator_requested_alternate(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_NOBODY, TO_US);
	m->rcpt[0].alternate = addr_of(b, TO_C);
	m->rcpt[0].number = 7;
	send(b, m, VIEW("x"));
	const struct message *sent = only(b, MESSAGE_MESSAGE);
	assert_delivered(b, 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, NULL), 1);
	const struct recipient *r = &sent->rcpt[0];
	assert_true(is_addr(b, &r->addr, TO_C) && r->responsible);
	assert_int_equal(r->number, 7);
	assert_null(r->alternate);
	assert_int_equal(r->n_redirections, 1);
	assert_true(is_addr(b, &r->redirections[0].intended, TO_NOBODY));
	assert_int_equal(r->redirections[0].reason, REDIRECTED_BY_ORIGINATOR);
	assert_int_equal(r->redirections[0].at, FAKE_WALL_MS);
	assert_true((sent->trace.v[sent->trace.n - 1].other_actions & TRACE_REDIRECTED) != 0);
	assert_true((sent->internal_trace.v[sent->internal_trace.n - 1].other_actions & TRACE_REDIRECTED) != 0);
	bench_free(b);
}

/* A transfer that fails for good is one more reason to try the alternate. */
static void test_tr_09_after_a_transfer_failed(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C);
	m->rcpt[0].alternate = addr_of(b, TO_US);
	send(b, m, VIEW("x"));
	open_up(p);
	say_result(p, last_transfer(p)->transfer, ERR_PERM, ERR_OF_MESSAGE);
	fake_env_pass(b->env, 50);
	assert_delivered(b, 1);
	bench_free(b);
}

static void test_recipient_assigned_alternate(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("abroad"), TO("moved"), TO("one"));
	m->rcpt[0].originator_report = m->rcpt[1].originator_report = m->rcpt[2].originator_report = REPORT_ALL;
	send(b, m, VIEW("x"));
	const struct message *sent = only(b, MESSAGE_MESSAGE);
	assert_delivered(b, 2); /* other, and user by way of three */
	assert_int_equal(sent->rcpt[0].redirections[0].reason, REDIRECTED_BY_RECIPIENT);
	assert_true(is_addr(b, &sent->rcpt[0].redirections[0].intended, TO("abroad")));
	size_t said = 0;
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *report = &b->link[0].transfers[i].m;
		for (size_t k = 0; k < report->n_rcpt && report->kind == MESSAGE_REPORT; k++, said++) {
			const struct recipient *r = &report->rcpt[k];
			bool moved = is_addr(b, &r->addr, TO("other"));
			assert_int_equal(r->outcome, OUTCOME_DELIVERED);
			assert_true(r->has_intended);
			assert_true(is_addr(b, &r->intended, moved ? TO("moved") : TO("one")));
			assert_int_equal(r->number, moved ? 2 : 3);
			assert_int_equal(r->n_redirections, moved ? 1 : 3);
		}
	}
	assert_int_equal(said, 2);
	bench_free(b);
}

/* 1/26, and the originator's own alternate is none of what he prohibits. */
static void test_tr_10_reassignment_prohibited(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("moved"), TO("abroad"));
	m->reassignment_prohibited = true;
	m->rcpt[1].alternate = addr_of(b, TO_US);
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, 1);
	assert_failed(report, 0, 1, 26);
	assert_delivered(b, 1);
	bench_free(b);
}

static void test_tr_11_redirection_loop(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO("round"), TO_US), VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, 1);
	assert_failed(report, 0, 1, 27);
	assert_true(report->rcpt[0].has_intended && is_addr(b, &report->rcpt[0].intended, TO("round")));
	assert_true(is_addr(b, &report->rcpt[0].addr, TO("about")));
	assert_delivered(b, 1);
	bench_free(b);
}

/* The history of a message that has come by way of others counts too. */
static void test_tr_11_loop_by_way_of_another_mta(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("abroad"));
	struct redirection before = { *addr_of(b, TO_C), FAKE_WALL_MS - 1000, { NULL, 0 }, REDIRECTED_BY_RECIPIENT };
	m->rcpt[0].redirections = &before;
	m->rcpt[0].n_redirections = 1;
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_failed(report, 0, 1, 27);
	assert_true(is_addr(b, &report->rcpt[0].intended, TO_C)); /* whom the originator knows */
	bench_free(b);
}

/* X.411 8.2.1.1.1.3: only where the originator allows it. */
static void test_tr_12_alternate_only_when_allowed(void **state)
{
	(void)state;
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		struct bench *b = mts_bench(WITH_DEFAULT);
		struct message *m = LETTER(b, "1", TO_NOBODY);
		if (allowed == 1)
			allow_alternates(m);
		m->rcpt[0].originator_report = REPORT_ALL;
		send(b, m, VIEW("x"));
		const struct message *report = only(b, MESSAGE_REPORT);
		if (allowed == 0)
			assert_failed(report, 0, 1, 0);
		else
			assert_int_equal(report->rcpt[0].redirections[0].reason, REDIRECTED_BY_DOMAIN);
		assert_delivered(b, allowed);
		bench_free(b);
	}
}

/* Not for an address that is nobody's here, nor for one that only a route rejects. */
static void test_tr_12_alternate_only_for_this_domain(void **state)
{
	(void)state;
	struct bench *b = mts_bench(WITH_DEFAULT);
	struct message *m = LETTER(b, "1", "S=x; P=z; A=SIM; C=DE");
	allow_alternates(m);
	send(b, m, VIEW("x"));
	assert_int_equal(only(b, MESSAGE_REPORT)->n_rcpt, 1);
	assert_delivered(b, 0);
	bench_free(b);
}

/* The report is about the recipient that failed, and names the one that the originator knows. */
static void test_the_alternate_is_not_there(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO("lost")), VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_failed(report, 0, 1, 0);
	assert_true(is_addr(b, &report->rcpt[0].addr, TO_NOBODY));
	assert_true(report->rcpt[0].has_intended && is_addr(b, &report->rcpt[0].intended, TO("lost")));
	assert_int_equal(report->rcpt[0].n_redirections, 1);
	bench_free(b);
}

/* A recipient with an alternate recipient made the whole message fail for the others. */
static void test_k181579_only_that_recipient_is_redirected(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_US, TO("abroad"), TO_C2);
	send(b, m, VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C2), 1);
	for (size_t i = 0; i < b->link[0].n_transfers; i++) { /* who is whom is kept, and the trace says it of the redirected one only */
		const struct message *t = &b->link[0].transfers[i].m;
		bool redirected = (t->trace.v[t->trace.n - 1].other_actions & TRACE_REDIRECTED) != 0;
		assert_int_equal(t->n_rcpt, 3);
		assert_true(t->rcpt[redirected ? 1 : 2].responsible);
		assert_int_equal(t->rcpt[1].n_redirections, redirected ? 1 : 0);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(t->rcpt[k].number, k + 1);
	}
	assert_int_equal(b->link[0].n_transfers, 2);
	bench_free(b);
}

/* Content in a file belongs to all that was made of the message. */
static void test_a_file_is_shared_by_what_was_split(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct player *p = &b->link[0];
	uint8_t octets[50000] = { 0 };
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 9, "to-a", LETTER(b, "1", TO_US, TO("abroad"), TO("moved")), (struct view){ NULL, 0 });
	for (unsigned i = 0; i < 4; i++)
		say_piece(p, 9, view_of(octets, sizeof octets));
	say_count(p->bulk, MSG_OFFER_END, 9, 4 * sizeof octets);
	fake_env_settle(b->env);
	fake_env_pass(b->env, 50);
	open_all(b);
	assert_int_equal(last_transfer(p)->size, 4 * sizeof octets);
	say_count(p->control, MSG_TRANSFER_PULL, last_transfer(p)->transfer, 4 * sizeof octets);
	fake_env_settle(b->env);
	assert_int_equal(out_len(&p->data), 4 * sizeof octets);
	drain(b);
	assert_delivered(b, 2);
	bench_free(b);
}

/* The switch dies between the redirection and what follows from it: it follows all the same, once. */
static void test_a_redirection_outlives_the_process(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	const struct msg_answer *answer = offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("moved")), VIEW("x"));
	assert_true(answer->accepted);
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, "");
	fake_env_pass(b->env, 50);
	assert_delivered(b, 1);
	bench_free(b);
}

/* An O/R name that is a directory name only: no route, no such user. */
static void test_p1_31_directory_name_only(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_US, TO_US);
	m->rcpt[1].addr = (struct oraddr){ .directory_name = VIEW("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02GB") };
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, 1);
	assert_failed(report, 0, 1, 0);
	assert_int_equal(report->rcpt[0].number, 2);
	assert_delivered(b, 1);
	bench_free(b);
}

/* X.411 9.2: critical for delivery counts where it is delivered, not where it is relayed. */
static void test_criticality_for_delivery(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct extension x = { .number = 99, .criticality = EXT_FOR_DELIVERY, .value = VIEW("\x05\x00") };
	struct message *m = LETTER(b, "1", TO_US, TO_C), *m2 = LETTER(b, "2", TO_US, TO_US, TO_C);
	m->ext = (struct extensions){ &x, 1 };
	m2->rcpt[1].ext = m2->rcpt[2].ext = (struct extensions){ &x, 1 };
	send(b, m, VIEW("x"));
	send(b, m2, VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), 2);
	size_t reports = 0;
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *t = &b->link[0].transfers[i].m;
		if (t->kind != MESSAGE_REPORT)
			continue;
		reports++;
		assert_int_equal(t->n_rcpt, 1);
		assert_failed(t, 0, 1, 18);
	}
	assert_int_equal(reports, 2);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tr_09_originator_requested_alternate),
		cmocka_unit_test(test_tr_09_after_a_transfer_failed),
		cmocka_unit_test(test_recipient_assigned_alternate),
		cmocka_unit_test(test_tr_10_reassignment_prohibited),
		cmocka_unit_test(test_tr_11_redirection_loop),
		cmocka_unit_test(test_tr_11_loop_by_way_of_another_mta),
		cmocka_unit_test(test_tr_12_alternate_only_when_allowed),
		cmocka_unit_test(test_tr_12_alternate_only_for_this_domain),
		cmocka_unit_test(test_the_alternate_is_not_there),
		cmocka_unit_test(test_k181579_only_that_recipient_is_redirected),
		cmocka_unit_test(test_a_file_is_shared_by_what_was_split),
		cmocka_unit_test(test_a_redirection_outlives_the_process),
		cmocka_unit_test(test_p1_31_directory_name_only),
		cmocka_unit_test(test_criticality_for_delivery),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
