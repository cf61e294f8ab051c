/* switch_test.c - intake, routing and reports of a real switch. Expected values come from the cases of X.411 named in the
 * tests (reason and diagnostic numbers: X.411 annex, NonDeliveryReasonCode, NonDeliveryDiagnosticCode). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

/* Two links to one peer, which has them told apart by its selectors. */
#define TWO_LINKS                                                                                                              \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n"          \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n"                                             \
	"  - name: also-a\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-a\n"                                           \
	"  - name: to-c\n    address: \"127.0.0.1:4\"\n    remote-mta-name: mta-c\n"                                             \
	"routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n  - match: \"C=JP; A=SIM; P=c\"\n    to: to-c\n"                   \
	"  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n"                                                                      \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"

static struct bench *with_link(void)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

/* The report that waits for link to-a: the player of the first link process gets it. */
static const struct message *report_to_a(struct bench *b)
{
	struct player *p = &b->link[0];
	if (p->n_opens == 0)
		return NULL;
	size_t before = p->n_transfers;
	open_up(p);
	if (p->n_transfers == before)
		return NULL;
	const struct message *m = &last_transfer(p)->m;
	return m->kind == MESSAGE_REPORT ? m : NULL;
}

static void assert_reported(const struct message *report, size_t n, int reason, int diagnostic)
{
	assert_non_null(report);
	assert_int_equal(report->n_rcpt, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(report->rcpt[i].outcome, OUTCOME_NOT_DELIVERED);
		assert_int_equal(report->rcpt[i].reason, reason);
		assert_int_equal(report->rcpt[i].diagnostic, diagnostic);
	}
}

static void test_nothing_is_answered_before_it_is_durable(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	store_disk_set_full(b->disk, true);
	assert_null(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"))); /* the group waits for room */
	const struct msg_answer *second = offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"));
	assert_non_null(second); /* the disk is known to be full now: refused at once, for a time */
	assert_false(second->accepted);
	assert_int_equal(second->err.kind, ERR_TEMP);
	assert_int_equal(p->n_answers, 1);
	store_disk_set_full(b->disk, false);
	fake_env_pass(b->env, 60 * 1000);
	assert_int_equal(p->n_answers, 2);
	assert_true(p->answers[1].accepted);
	assert_int_equal(p->answers[1].id, 1);
	assert_true(offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).deliveries, 2);
	bench_free(b);
}

static void test_an_offer_whose_sender_died_while_the_disk_was_full(void **state)
{
	(void)state;
	struct bench *b = with_link();
	store_disk_set_full(b->disk, true);
	assert_null(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO_US), VIEW("x")));
	bench_leave(b, &b->link[0]);
	store_disk_set_full(b->disk, false);
	fake_env_pass(b->env, 60 * 1000);
	assert_int_equal(counts_of(b).deliveries, 1); /* stored, told nobody */
	bench_free(b);
}

static void test_rt_13_the_same_again_is_confirmed_and_stored_once(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	const struct msg_answer *first = offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"));
	assert_true(first->accepted && !first->duplicate);
	const struct msg_answer *again = offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"));
	assert_true(again->accepted && again->duplicate);
	assert_int_equal(counts_of(b).deliveries, 1);
	/* Over a restart of the switch: what is known is durable. */
	bench_leave(b, p);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, p, PROCESS_LINK, 1);
	again = offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"));
	assert_true(again->accepted && again->duplicate);
	assert_int_equal(counts_of(b).deliveries, 1);
	bench_free(b);
}

static void test_both_in_one_group_are_one(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	put_offer(p, p->control, MSG_OFFER, 1, "to-a", LETTER(b, "1", TO_US), VIEW("x"));
	put_offer(p, p->control, MSG_OFFER, 2, "to-a", LETTER(b, "1", TO_US), VIEW("x"));
	fake_env_settle(b->env);
	assert_int_equal(p->n_answers, 2);
	assert_false(p->answers[0].duplicate);
	assert_true(p->answers[1].accepted && p->answers[1].duplicate);
	assert_int_equal(counts_of(b).deliveries, 1);
	bench_free(b);
}

static void test_the_same_id_by_another_way_is_no_duplicate(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	struct message *m = LETTER(b, "1", TO_US);
	add_trace(b, m, domain_of("DE", "d"), "mta-d");
	assert_false(offer_of(p, "to-a", m, VIEW("x"))->duplicate);
	assert_false(offer_of(p, "to-c", LETTER(b, "1", TO_US), VIEW("x"))->duplicate); /* by another peer */
	m = LETTER(b, "1", TO_US, TO_C); /* for other recipients */
	assert_false(offer_of(p, "to-a", m, VIEW("x"))->duplicate);
	assert_int_equal(counts_of(b).deliveries, 4);
	bench_free(b);
}

/* The peer has two links to us. What was not confirmed over the first comes over the second; when it was rerouted it says so: a further
 * element of the peer's own in the trace (X.411 12.3.1), and more of them with each way. With another element before it, it is another copy. */
static void test_what_comes_again_over_the_peers_other_link_is_a_duplicate(void **state)
{
	(void)state;
	struct bench *b = bench_with(TWO_LINKS);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	struct player *p = &b->link[0];
	const struct gdi gb = domain_of("GB", "a"), de = domain_of("DE", "d"), us = domain_of("FR", "p");
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	assert_true(offer_of(p, "also-a", LETTER(b, "1", TO_US), VIEW("x"))->duplicate);
	struct message *m = LETTER(b, "1", TO_US);
	assert_true(trace_add_rerouted(m, &gb, VIEW("mta-a"), &gb, VIEW("mta-p"), FAKE_WALL_MS, b->a));
	assert_true(offer_of(p, "also-a", m, VIEW("x"))->duplicate);
	assert_true(trace_add_rerouted(m, &gb, VIEW("MTA-A"), &us, VIEW("mta-p"), FAKE_WALL_MS + 5000, b->a));
	assert_true(offer_of(p, "also-a", m, VIEW("x"))->duplicate); /* in both traces */
	assert_int_equal(counts_of(b).deliveries, 1);

	m = LETTER(b, "1", TO_US); /* rerouted by an MTA before the peer: that one is another way */
	add_trace(b, m, de, "mta-d");
	assert_true(trace_add_rerouted(m, &gb, VIEW("mta-a"), &gb, VIEW("mta-p"), FAKE_WALL_MS, b->a));
	assert_false(offer_of(p, "also-a", m, VIEW("x"))->duplicate);
	m = LETTER(b, "1", TO_US, TO_C); /* for other recipients */
	assert_true(trace_add_rerouted(m, &gb, VIEW("mta-a"), &gb, VIEW("mta-p"), FAKE_WALL_MS, b->a));
	assert_false(offer_of(p, "also-a", m, VIEW("x"))->duplicate);
	bench_free(b);
}

/* First rerouted, then again by the first way: the other way round is the same. */
static void test_what_was_rerouted_first_is_known_too(void **state)
{
	(void)state;
	struct bench *b = bench_with(TWO_LINKS);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	struct player *p = &b->link[0];
	const struct gdi gb = domain_of("GB", "a");
	struct message *m = LETTER(b, "1", TO_US);
	m->trace.n = m->internal_trace.n = 0;
	m->trace.v = m->internal_trace.v = NULL;
	assert_true(trace_add_rerouted(m, &gb, VIEW("mta-a"), &gb, VIEW("mta-p"), FAKE_WALL_MS, b->a));
	assert_true(offer_of(p, "also-a", m, VIEW("x"))->accepted);
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->duplicate);
	m = LETTER(b, "1", TO_US); /* that one had nothing but the rerouted element: it is what the copy is known by */
	assert_false(offer_of(p, "to-a", m, VIEW("x"))->duplicate);
	assert_true(trace_add_rerouted(m, &gb, VIEW("mta-a"), &gb, VIEW("mta-p"), FAKE_WALL_MS, b->a));
	assert_true(offer_of(p, "also-a", m, VIEW("x"))->duplicate);
	assert_int_equal(counts_of(b).deliveries, 2);
	bench_free(b);
}

struct ids {
	char text[100000][33];
	size_t n;
};

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void submit_many(struct bench *b, struct ids *ids, size_t n)
{
	struct message *m = LETTER(b, "", TO_US);
	m->trace.n = m->internal_trace.n = 0;
	m->kind = MESSAGE_PROBE; /* needs an identifier and leaves nothing behind */
	for (size_t i = 0; i < n; i++) {
		put_offer(&b->tool, b->tool.control, MSG_OFFER, i + 1, "", m, (struct view){ NULL, 0 });
		if (i % 100 < 99 && i + 1 < n)
			continue;
		fake_env_settle(b->env);
		for (size_t k = 0; k < b->tool.n_answers; k++) {
			struct view id = b->tool.answers[k].mts_id;
			const uint8_t *local = memrchr(id.p, '=', id.n);
			size_t len = (size_t)(id.p + id.n - (local + 1));
			assert_true(len >= 1 && len <= 32); /* X.411 ub-local-id-length */
			for (size_t c = 1; c <= len; c++)
				assert_true(local[c] < 128);
			snprintf(ids->text[ids->n++], sizeof ids->text[0], "%.*s", (int)len, (const char *)local + 1);
		}
		b->tool.n_answers = 0;
	}
}

static void test_p1_13_k126304_identifiers_are_unique_over_a_restart(void **state)
{
	(void)state;
	struct ids *ids = mem_zero(sizeof *ids);
	struct bench *b = bench_new();
	for (int round = 0; round < 4; round++) { /* three restarts, all within one second: the clock stands still */
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
		submit_many(b, ids, 25000);
		bench_leave(b, &b->tool);
		switch_free(&b->sw);
		store_disk_crashed(b->disk);
		bench_start(b);
	}
	assert_int_equal(ids->n, 100000);
	qsort(ids->text, ids->n, sizeof ids->text[0], compare_ids);
	for (size_t i = 1; i < ids->n; i++)
		assert_string_not_equal(ids->text[i - 1], ids->text[i]);
	bench_free(b);
	free(ids);
}

static struct message *letter_to_many(struct bench *b, const char *id, size_t n, const char *to)
{
	const char **list = mem_alloc(n * sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = to;
	struct message *m = letter(b, id, n, list);
	free(list);
	return m;
}

static void test_p1_20_k194555_k115438_32000_recipients_are_one_queue_entry(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", letter_to_many(b, "1", 32000, TO_C), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(last_transfer(p)->m.n_rcpt, 32000);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

static void test_32000_unknown_recipients_are_one_report(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", letter_to_many(b, "1", 32000, TO_NOBODY), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, 1);
	assert_reported(report_to_a(b), 32000, 1, 0);
	bench_free(b);
}

static void test_more_recipients_than_x411_allows_are_refused(void **state)
{
	(void)state;
	struct bench *b = with_link();
	const struct msg_answer *a = offer_of(&b->link[0], "to-a", letter_to_many(b, "1", 32768, TO_US), VIEW("x"));
	assert_non_null(a);
	assert_false(a->accepted);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

static void test_p1_21_without_responsibility_nothing_is_done(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C, TO_US, TO_NOBODY);
	m->rcpt[1].responsible = m->rcpt[2].responsible = false;
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_int_equal(counts_of(b).transfers, 1); /* to-c, and no report to to-a */
	open_up(p);
	const struct message *out = &last_transfer(p)->m;
	assert_int_equal(out->kind, MESSAGE_MESSAGE);
	assert_int_equal(out->n_rcpt, 3); /* still listed */
	assert_true(out->rcpt[0].responsible);
	assert_false(out->rcpt[1].responsible || out->rcpt[2].responsible);
	bench_free(b);
}

static void test_p1_26_latest_delivery_has_passed(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct message *m = LETTER(b, "1", TO_US);
	m->latest_delivery = FAKE_WALL_MS - 1;
	assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_reported(report_to_a(b), 1, 1, 5); /* maximum-time-expired */
	bench_free(b);
}

static void test_p1_31_a_directory_name_alone_is_not_recognised(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct message *m = LETTER(b, "1", TO_US);
	/* RDNSequence of one commonName "x" */
	m->rcpt[0].addr = (struct oraddr){ .directory_name = VIEW("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x13\x01x") };
	assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
	assert_reported(report_to_a(b), 1, 1, 0);
	bench_free(b);
}

static void test_tr_01_one_element_of_trace_each(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C), VIEW("x"))->accepted);
	open_up(p);
	const struct message *out = &last_transfer(p)->m;
	const struct gdi ours = domain_of("FR", "p");
	assert_int_equal(out->trace.n, 2);
	assert_int_equal(out->internal_trace.n, 2);
	assert_true(gdi_eq(&out->trace.v[1].domain, &ours));
	assert_true(view_eq(out->internal_trace.v[1].mta, VIEW("mta-p")));
	assert_int_equal(out->trace.v[1].arrival / 1000, FAKE_WALL_MS / 1000);
	assert_int_equal(out->internal_trace.v[1].arrival / 1000, FAKE_WALL_MS / 1000);
	assert_int_equal(out->trace.v[1].action, ROUTING_RELAYED);
	bench_free(b);
}

static void test_tr_02_a_loop_is_reported_once(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C);
	add_trace(b, m, domain_of("FR", "p"), "mta-p");
	add_trace(b, m, domain_of("GB", "a"), "mta-a");
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, 1);
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->duplicate);
	assert_int_equal(counts_of(b).transfers, 1);
	assert_reported(report_to_a(b), 1, 1, 3); /* loop-detected */
	bench_free(b);
}

static void test_rp_02_a_delivery_nobody_asked_about_is_not_reported(void **state)
{
	(void)state;
	struct bench *b = with_link();
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).deliveries, 1);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_rp_05_no_report_about_a_report(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct message *m = LETTER(b, "1", TO_NOBODY);
	struct err e;
	m->kind = MESSAGE_REPORT;
	m->content_type = -2;
	m->subject_id = (struct mts_id){ domain_of("FR", "p"), VIEW("0") };
	m->rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m->rcpt[0].reason = 1;
	assert_true(oraddr_parse(VIEW(TO_NOBODY), &m->originator, b->a, ORADDR_GENERATE, &e));
	const struct msg_answer *a = offer_of(&b->link[0], "to-a", m, (struct view){ NULL, 0 });
	assert_true(a->accepted);
	assert_int_equal(counts_of(b).messages, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_rp_07_a_report_is_urgent_and_goes_first(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	struct message *low = LETTER(b, "low", FROM_A);
	low->priority = PRIORITY_NON_URGENT;
	assert_true(offer_of(p, "to-c", low, VIEW("x"))->accepted);
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_NOBODY), VIEW("x"))->accepted);
	open_up(p);
	assert_int_equal(p->transfers[0].m.kind, MESSAGE_REPORT);
	assert_int_equal(p->transfers[0].m.priority, PRIORITY_URGENT);
	assert_true(is_local_id(&p->transfers[1].m, "low"));
	bench_free(b);
}

static void test_rp_17_a_probe_is_reported_and_not_stored(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct message *m = LETTER(b, "1", TO_US);
	m->kind = MESSAGE_PROBE;
	m->rcpt[0].originator_report = m->rcpt[0].mta_report = REPORT_ALL;
	assert_true(offer_of(&b->link[0], "to-a", m, (struct view){ NULL, 0 })->accepted);
	assert_int_equal(counts_of(b).deliveries, 0);
	assert_int_equal(counts_of(b).octets, 0);
	const struct message *report = report_to_a(b);
	assert_non_null(report);
	assert_int_equal(report->rcpt[0].outcome, OUTCOME_DELIVERED);
	bench_free(b);
}

static void test_rp_18_a_probe_to_nobody(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct message *m = LETTER(b, "1", TO_NOBODY);
	m->kind = MESSAGE_PROBE;
	assert_true(offer_of(&b->link[0], "to-a", m, (struct view){ NULL, 0 })->accepted);
	assert_reported(report_to_a(b), 1, 1, 0); /* unrecognised-OR-name */
	bench_free(b);
}

static void test_k151791_one_bad_recipient_holds_up_nobody(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_US, TO_NOBODY, TO_C), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).deliveries, 1);
	assert_int_equal(counts_of(b).transfers, 2); /* to-c, and the report to to-a */
	assert_int_equal(p->n_opens, 2);
	say_assoc(p, MSG_ASSOC_UP, p->opens[0].assoc, view_eq(p->opens[0].link, VIEW("to-a")) ? "to-a" : "to-c", NULL);
	say_assoc(p, MSG_ASSOC_UP, p->opens[1].assoc, view_eq(p->opens[1].link, VIEW("to-a")) ? "to-a" : "to-c", NULL);
	assert_int_equal(p->n_transfers, 2);
	const bool first = p->transfers[0].m.kind == MESSAGE_REPORT;
	const struct message *report = &p->transfers[first ? 0 : 1].m, *rest = &p->transfers[first ? 1 : 0].m;
	assert_reported(report, 1, 1, 0);
	assert_int_equal(report->rcpt[0].number, 2);
	assert_int_equal(rest->kind, MESSAGE_MESSAGE);
	assert_false(rest->rcpt[0].responsible || rest->rcpt[1].responsible);
	assert_true(rest->rcpt[2].responsible);
	bench_free(b);
}

static void test_nonsense_ends_that_channel_only(void **state)
{
	(void)state;
	struct bench *b = with_link();
	bench_join(b, &b->link[1], PROCESS_LINK, 2);
	chan_send(b->link[0].control, MSG_OFFER, VIEW("\x01"));
	fake_env_settle(b->env);
	assert_true(b->link[0].closed > 0);
	assert_int_equal(b->link[1].closed, 0);
	assert_true(offer_of(&b->link[1], "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	assert_int_equal(b->deaths, 0);
	bench_free(b);
}

/* What a process has sent before the switch saw its end is not worked on any more: here a second frame behind nonsense on the
 * other channel. */
static void test_frames_of_a_process_that_was_ended_are_dropped(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	chan_send(p->bulk, MSG_OFFER_DATA, VIEW("\x01"));
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "to-a", LETTER(b, "1", TO_US), (struct view){ NULL, 0 });
	put_offer(p, p->control, MSG_OFFER, 2, "to-a", LETTER(b, "2", TO_US), VIEW("x"));
	fake_env_settle(b->env);
	assert_true(p->closed > 0);
	assert_int_equal(p->n_answers == 0 || p->answers[0].accepted, true);
	bench_free(b);
}

static void test_an_offer_for_a_link_we_do_not_have_is_refused(void **state)
{
	(void)state;
	struct bench *b = with_link();
	assert_false(offer_of(&b->link[0], "to-nowhere", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* --- streamed content --- */

static void stream(struct bench *b, uint64_t id, struct message *m, size_t pieces, size_t each)
{
	struct player *p = &b->link[0];
	uint8_t *octets = mem_alloc(each);
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, id, "to-a", m, (struct view){ NULL, 0 });
	for (size_t i = 0; i < pieces; i++) {
		memset(octets, (int)('a' + i % 26), each);
		say_piece(p, id, view_of(octets, each));
		fake_env_settle(b->env);
	}
	free(octets);
	say_count(p->bulk, MSG_OFFER_END, id, pieces * each);
	fake_env_settle(b->env);
}

static void test_long_content_is_streamed_in_and_pulled_out(void **state)
{
	(void)state;
	enum { EACH = 50000, PIECES = 5 };
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	stream(b, 7, LETTER(b, "1", TO_C), PIECES, EACH);
	assert_int_equal(p->credit, PIECES * EACH); /* what was taken may be sent again */
	assert_int_equal(p->n_answers, 1);
	assert_true(p->answers[0].accepted);
	open_up(p);
	const struct seen_transfer *t = last_transfer(p);
	assert_int_equal(t->size, PIECES * EACH);
	assert_int_equal(t->content.n, 0);
	assert_int_equal(out_len(&p->data), 0); /* nothing comes that was not asked for */
	say_count(p->control, MSG_TRANSFER_PULL, t->transfer, 100000);
	fake_env_settle(b->env);
	assert_int_equal(out_len(&p->data), 100000);
	say_count(p->control, MSG_TRANSFER_PULL, t->transfer, PIECES * EACH - 100000);
	fake_env_settle(b->env);
	assert_int_equal(out_len(&p->data), PIECES * EACH);
	for (size_t i = 0; i < PIECES * EACH; i += 1000)
		assert_int_equal(out_view(&p->data).p[i], 'a' + i / EACH);
	/* More than there is: nonsense. */
	say_count(p->control, MSG_TRANSFER_PULL, t->transfer, 1);
	fake_env_settle(b->env);
	assert_true(p->closed > 0);
	bench_free(b);
}

static void test_oversize_content_is_taken_and_reported(void **state)
{
	(void)state;
	struct bench *b = with_link();
	stream(b, 7, LETTER(b, "1", TO_C), 30, 60000); /* limits.message is 1 M */
	struct player *p = &b->link[0];
	assert_int_equal(p->closed, 0);
	assert_int_equal(p->credit, 30 * 60000);
	assert_int_equal(p->n_answers, 1);
	assert_true(p->answers[0].accepted);
	assert_reported(report_to_a(b), 1, 1, 7); /* content-too-long */
	bench_free(b);
}

static void test_content_over_the_limit_of_the_next_link(void **state)
{
	(void)state;
	struct bench *b = with_link();
	stream(b, 7, LETTER(b, "1", TO_C, TO_US), 7, 60000); /* to-c takes 300 K */
	assert_int_equal(counts_of(b).deliveries, 1);
	assert_reported(report_to_a(b), 1, 1, 7);
	bench_free(b);
}

static void test_streamed_content_while_the_disk_is_full_is_refused(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	store_disk_set_full(b->disk, true);
	stream(b, 7, LETTER(b, "1", TO_C), 5, 50000);
	assert_int_equal(p->closed, 0); /* the channel, and with it everybody else's associations, goes on */
	assert_int_equal(p->n_answers, 1);
	assert_false(p->answers[0].accepted);
	assert_int_equal(p->answers[0].err.kind, ERR_TEMP);
	store_disk_set_full(b->disk, false);
	fake_env_pass(b->env, 60 * 1000);
	stream(b, 8, LETTER(b, "1", TO_C), 5, 50000);
	assert_true(p->answers[1].accepted && !p->answers[1].duplicate);
	bench_free(b);
}

static void test_a_cancelled_offer_leaves_nothing(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	uint8_t octets[60000] = { 0 };
	for (uint64_t id = 1; id <= 3; id++) {
		put_offer(p, p->bulk, MSG_OFFER_BEGIN, id, "to-a", LETTER(b, "1", TO_C), (struct view){ NULL, 0 });
		say_piece(p, id, view_of(octets, sizeof octets));
		say_piece(p, id, view_of(octets, sizeof octets));
		if (id == 2)
			say_count(p->bulk, MSG_OFFER_END, id, 2 * sizeof octets); /* its sync is under way */
		if (id < 3)
			say_count(p->bulk, MSG_OFFER_CANCEL, id, 0);
	}
	fake_env_settle(b->env);
	bench_leave(b, p); /* the third one goes with its process */
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

static void test_pieces_after_the_end_are_nonsense(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	uint8_t octets[60000] = { 0 };
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "to-a", LETTER(b, "1", TO_C), (struct view){ NULL, 0 });
	say_piece(p, 1, view_of(octets, sizeof octets));
	say_piece(p, 1, view_of(octets, sizeof octets));
	say_count(p->bulk, MSG_OFFER_END, 1, 2 * sizeof octets);
	say_piece(p, 1, view_of(octets, sizeof octets));
	fake_env_settle(b->env);
	assert_true(p->closed > 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* --- the command line and content processes --- */

static void ask_to(struct bench *b, enum msg how, uint64_t id, uint64_t delivery)
{
	const struct msg_render m = { .id = id, .delivery = delivery, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(b->tool.control, (uint16_t)how), &m);
	chan_end(b->tool.control);
	fake_env_settle(b->env);
}

static void ask_to_show(struct bench *b, uint64_t id, uint64_t delivery)
{
	ask_to(b, MSG_SHOW_MAIL, id, delivery);
}

/* SHOW takes any number that the store has given: of the message, its transfer, its delivery. */
static void test_any_stored_message_is_shown(void **state)
{
	(void)state;
	struct bench *b = with_link();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO_US), VIEW("here"))->accepted);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "2", TO_C), VIEW("there"))->accepted);
	unsigned here = 0, there = 0, refused = 0;
	for (uint64_t id = 1; id < 30; id++) {
		const unsigned renders = b->content.n_renders, shown = b->tool.n_shown;
		ask_to(b, MSG_SHOW, id, id);
		if (b->content.n_renders == renders) { /* there is no such: said, and not in vain asked for */
			assert_int_equal(b->tool.n_shown, shown + 1);
			assert_true(b->tool.shown.err.kind != ERR_NONE);
			refused++;
			continue;
		}
		here += view_eq(b->content.render.content, VIEW("here"));
		there += view_eq(b->content.render.content, VIEW("there"));
		assert_true(b->content.render.packed.n > 0);
		const struct msg_render done = { .id = b->content.render.id, .content = VIEW("page"), .err = { .reason = -1, .diagnostic = -1 } };
		put_msg_render(chan_begin(b->content.control, MSG_RENDERED), &done);
		chan_end(b->content.control);
		fake_env_settle(b->env);
		assert_int_equal(b->tool.n_shown, shown + 1);
		assert_true(view_eq(b->tool.shown.content, VIEW("page")));
	}
	assert_int_equal(here, 2);  /* message and delivery */
	assert_int_equal(there, 2); /* message and transfer */
	assert_true(refused > 0);
	bench_free(b);
}

static void test_a_render_that_kills_its_process_is_given_up(void **state)
{
	(void)state;
	struct bench *b = with_link();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO_US), VIEW("text"))->accepted);
	ask_to_show(b, 5, 9999); /* no such entry */
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	assert_int_equal(b->tool.n_shown, 1);
	assert_true(b->tool.shown.err.kind != ERR_NONE);
	uint64_t delivery = 0;
	for (uint64_t id = 1; id < 50 && b->content.n_renders == 0; id++) /* whichever number the store gave it */
		ask_to_show(b, delivery = id, id);
	assert_int_equal(b->content.n_renders, 1);
	assert_true(view_eq(b->content.render.content, VIEW("text")));
	unsigned before = b->tool.n_shown;
	bench_leave(b, &b->content);
	bench_join(b, &b->content, PROCESS_CONTENT, 2);
	assert_int_equal(b->content.n_renders, 1); /* a second try */
	assert_int_equal(b->tool.n_shown, before);
	bench_leave(b, &b->content);
	assert_int_equal(b->tool.n_shown, before + 1); /* and no third */
	assert_int_equal(b->tool.shown.err.culprit, ERR_OF_MESSAGE);
	assert_int_equal(b->tool.shown.id, delivery);
	/* Whose asker has gone is forgotten. */
	ask_to_show(b, 77, delivery);
	bench_leave(b, &b->tool);
	bench_join(b, &b->content, PROCESS_CONTENT, 3);
	assert_int_equal(b->content.n_renders, 0);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_answered_before_it_is_durable),
		cmocka_unit_test(test_an_offer_whose_sender_died_while_the_disk_was_full),
		cmocka_unit_test(test_rt_13_the_same_again_is_confirmed_and_stored_once),
		cmocka_unit_test(test_both_in_one_group_are_one),
		cmocka_unit_test(test_the_same_id_by_another_way_is_no_duplicate),
		cmocka_unit_test(test_what_comes_again_over_the_peers_other_link_is_a_duplicate),
		cmocka_unit_test(test_what_was_rerouted_first_is_known_too),
		cmocka_unit_test(test_p1_13_k126304_identifiers_are_unique_over_a_restart),
		cmocka_unit_test(test_p1_20_k194555_k115438_32000_recipients_are_one_queue_entry),
		cmocka_unit_test(test_32000_unknown_recipients_are_one_report),
		cmocka_unit_test(test_more_recipients_than_x411_allows_are_refused),
		cmocka_unit_test(test_p1_21_without_responsibility_nothing_is_done),
		cmocka_unit_test(test_p1_26_latest_delivery_has_passed),
		cmocka_unit_test(test_p1_31_a_directory_name_alone_is_not_recognised),
		cmocka_unit_test(test_tr_01_one_element_of_trace_each),
		cmocka_unit_test(test_tr_02_a_loop_is_reported_once),
		cmocka_unit_test(test_rp_02_a_delivery_nobody_asked_about_is_not_reported),
		cmocka_unit_test(test_rp_05_no_report_about_a_report),
		cmocka_unit_test(test_rp_07_a_report_is_urgent_and_goes_first),
		cmocka_unit_test(test_rp_17_a_probe_is_reported_and_not_stored),
		cmocka_unit_test(test_rp_18_a_probe_to_nobody),
		cmocka_unit_test(test_k151791_one_bad_recipient_holds_up_nobody),
		cmocka_unit_test(test_nonsense_ends_that_channel_only),
		cmocka_unit_test(test_frames_of_a_process_that_was_ended_are_dropped),
		cmocka_unit_test(test_an_offer_for_a_link_we_do_not_have_is_refused),
		cmocka_unit_test(test_long_content_is_streamed_in_and_pulled_out),
		cmocka_unit_test(test_oversize_content_is_taken_and_reported),
		cmocka_unit_test(test_content_over_the_limit_of_the_next_link),
		cmocka_unit_test(test_streamed_content_while_the_disk_is_full_is_refused),
		cmocka_unit_test(test_a_cancelled_offer_leaves_nothing),
		cmocka_unit_test(test_pieces_after_the_end_are_nonsense),
		cmocka_unit_test(test_any_stored_message_is_shown),
		cmocka_unit_test(test_a_render_that_kills_its_process_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
