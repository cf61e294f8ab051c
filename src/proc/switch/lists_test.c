/* lists_test.c - distribution lists (X.411 14.3.4, 14.3.10; conformance cases TR-14 to TR-19, P1-23), who may send over a link, and
 * rows of the failure catalogue about both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/mts_testing.h"

#define SETTINGS                                                                                                          \
	MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n"                                                                      \
	LIST("all", ONE("user") ", " ONE("other") ", " AT_C("eve"), "")                                                 \
	LIST("closed", ONE("user"), "    submitters: [\"C=JP\"]\n")                                              \
	LIST("empty", "", "")                                                                                            \
	LIST("self", ONE("user") ", " ONE("self") ", " ONE("inner"), "")                                                \
	LIST("inner", ONE("other") ", " ONE("USER") ", " ONE("self"), "")                                               \
	LIST("outer", ONE("only-lists") ", " AT_C("eve"), "")                                                           \
	LIST("only-lists", ONE("user"), "    submitters: [" ONE("outer") "]\n")                                         \
	LIST("bad", ONE("nobody") ", " ONE("user"), "    owner: " ONE("owner") "\n")                                    \
	LIST("owned", ONE("nobody") ", " ONE("user"), "    owner: " ONE("owner") "\n    reports: owner\n")             \
	LIST("both", ONE("nobody") ", " ONE("user"), "    owner: " ONE("owner") "\n    reports: both\n")                \
	LIST("d1", ONE("d2"), "") LIST("d2", ONE("d3"), "") LIST("d3", ONE("d4"), "") LIST("d4", ONE("d5"), "")          \
	LIST("d5", ONE("user"), "") LIST("mixed", ONE("closed") ", " ONE("empty") ", " ONE("user"), "")                 \
	LIST("away", AT_C("x1") ", " AT_C("x2"), "    owner: " ONE("owner") "\n    reports: both\n")

static void test_a_list_is_expanded(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("all"), TO_C2);
	m->rcpt[0].number = 4;
	send(b, m, VIEW("x"));
	drain(b);
	assert_delivered(b, 2);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C2), 1);
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *t = &b->link[0].transfers[i].m;
		if (t->dl_history.n == 0)
			continue;
		assert_int_equal(t->dl_history.n, 1);
		assert_true(is_addr(b, &t->dl_history.v[0].name, TO("all")));
		assert_in_range(t->dl_history.v[0].at - FAKE_WALL_MS, 0, 60);
		assert_true((t->trace.v[t->trace.n - 1].other_actions & TRACE_DL_OPERATION) != 0);
		assert_true((t->internal_trace.v[t->internal_trace.n - 1].other_actions & TRACE_DL_OPERATION) != 0);
		assert_true(is_addr(b, &t->originator, FROM_A));
		assert_true(is_local_id(t, "1"));
	}
	bench_free(b);
}

/* X.411 12.2.1.1.1.8: the number that the originator gave, whatever becomes of the recipient. */
static void test_p1_23_numbers_are_kept(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_C2, TO("all"), TO("bad"));
	static const uint32_t numbers[] = { 9, 4, 7 };
	for (size_t i = 0; i < 3; i++)
		m->rcpt[i].number = numbers[i];
	send(b, m, VIEW("x"));
	drain(b);
	size_t seen = 0;
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *t = &b->link[0].transfers[i].m;
		for (size_t k = 0; k < t->n_rcpt; k++) {
			const struct oraddr *addr = &t->rcpt[k].addr;
			uint32_t want = is_addr(b, addr, TO_C2) ? 9 : t->dl_history.n > 0 || is_addr(b, addr, TO("all")) ? 4 : 7;
			assert_int_equal(t->rcpt[k].number, want);
			seen |= want == 9 ? 1 : want == 4 ? 2 : t->kind == MESSAGE_REPORT ? 4 : 0;
		}
	}
	assert_int_equal(seen, 7);
	bench_free(b);
}

static void refused(const char *list, bool prohibit, int diagnostic)
{
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", list, TO("other"));
	m->dl_prohibited = prohibit;
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, 1);
	assert_failed(report, 0, 1, diagnostic);
	assert_true(is_addr(b, &report->rcpt[0].addr, list));
	assert_int_equal(report->origin_history.n, 0);
	assert_delivered(b, 1);
	bench_free(b);
}

static void test_tr_14_expansion_prohibited(void **state)
{
	(void)state;
	refused(TO("all"), true, 28);
}

static void test_tr_15_no_permission(void **state)
{
	(void)state;
	refused(TO("closed"), false, 29);
}

static void test_tr_17_empty_list(void **state)
{
	(void)state;
	refused(TO("empty"), false, 30);
}

/* A list in itself, once directly and once by another; a member that is in both, written otherwise: one copy for each. */
static void test_tr_16_nested_and_in_itself(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO("self")), VIEW("x"));
	drain(b);
	assert_delivered(b, 2);
	assert_int_equal(b->link[0].n_transfers, 0); /* no report */
	bench_free(b);
}

/* Our list is a member of one elsewhere, and that of ours: what comes back ends here, without a report (history test). */
static void test_tr_16_k164850_round_by_another_mta(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("all"));
	struct name_at history[] = { { *addr_of(b, TO("all")), 0, { NULL, 0 } }, { *addr_of(b, "S=list; P=a; A=SIM; C=GB"), 0, { NULL, 0 } } };
	m->dl_history = (struct history){ history, 2 };
	m->rcpt[0].originator_report = REPORT_ALL;
	send(b, m, VIEW("x"));
	drain(b);
	assert_delivered(b, 0);
	assert_int_equal(b->link[0].n_transfers, 0);
	bench_free(b);
}

static void test_tr_19_exempted_recipients(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("all")), *m2 = LETTER(b, "2", TO("self"));
	struct oraddr exempted[] = { *addr_of(b, TO("other")), *addr_of(b, TO_C), *addr_of(b, TO("inner")) };
	m->exempted = m2->exempted = exempted;
	m->n_exempted = m2->n_exempted = 3;
	send(b, m, VIEW("x"));
	assert_delivered(b, 1);
	send(b, m2, VIEW("x")); /* self: user; the list inner is exempt with all its members */
	assert_delivered(b, 2);
	assert_int_equal(b->link[0].n_opens, 0);
	bench_free(b);
}

/* Members of a list that is in the list got a non-delivery report, although the outer list may send to the inner. */
static void test_k152875_k241632_restrictions_of_nested_lists(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO("outer")), VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), 1);
	assert_int_equal(b->link[0].n_transfers, 1);
	for (size_t i = 0; i < 1; i++)
		assert_int_equal(b->link[0].transfers[i].m.dl_history.n, 1);
	send(b, LETTER(b, "2", TO("only-lists")), VIEW("x")); /* not from anybody else */
	assert_failed(only(b, MESSAGE_REPORT), 0, 1, 29);
	bench_free(b);
}

/* By way of a list elsewhere: the last one in the history is who sends. */
static void test_k241632_the_list_it_comes_from_may_send(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("closed"));
	struct name_at history[] = { { *addr_of(b, "S=list; P=c; A=SIM; C=JP"), 0, { NULL, 0 } } };
	m->dl_history = (struct history){ history, 1 };
	send(b, m, VIEW("x"));
	assert_delivered(b, 1);
	bench_free(b);
}

/* What cannot be expanded inside a list is reported by itself. */
static void test_lists_in_a_list_that_are_refused(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO("mixed")), VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	size_t seen = 0;
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *t = &b->link[0].transfers[i].m;
		assert_int_equal(t->kind, MESSAGE_REPORT);
		assert_int_equal(t->n_rcpt, 1);
		bool closed = is_addr(b, &t->rcpt[0].addr, TO("closed"));
		assert_failed(t, 0, 1, closed ? 29 : 30);
		seen |= closed ? 1 : 2;
		assert_int_equal(t->origin_history.n, 2); /* originator, mixed */
		assert_true(is_addr(b, &t->origin_history.v[1].name, TO("mixed")));
	}
	assert_int_equal(seen, 3);
	bench_free(b);
}

/* limits.list-depth is 4 here. */
static void test_k153103_nesting_has_a_limit(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO("d2")), VIEW("x")); /* d2 d3 d4 d5: as deep as may be */
	assert_delivered(b, 1);
	send(b, LETTER(b, "2", TO("d1")), VIEW("x"));
	assert_failed(only(b, MESSAGE_REPORT), 0, 1, 30);
	assert_delivered(b, 1);
	bench_free(b);
}

/* --- disclosure --- */

/* With the flag set one member was dropped: as many come out as went in, and none is told of the others. */
static void test_k193961_disclosure_drops_nobody(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("all"), TO("away"));
	m->has_indicators = true;
	m->indicators = IND_DISCLOSURE | IND_CONVERSION_PROHIBITED;
	send(b, m, VIEW("x"));
	drain(b);
	assert_delivered(b, 2);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, NULL), 3);
	for (size_t i = 0; i < b->link[0].n_transfers; i++)
		assert_int_equal(b->link[0].transfers[i].m.indicators, IND_CONVERSION_PROHIBITED);
	bench_free(b);
}

/* --- large lists --- */

enum { MANY = 2500 };

static struct bench *bench_of_many(unsigned members)
{
	struct out o;
	out_init(&o, 4 << 20);
	out_str(&o, MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n");
	out_str(&o, "  - name: many\n    addresses: [" ONE("many") "]\n    members:\n");
	for (unsigned i = 0; i < members; i++)
		out_fmt(&o, "      - \"S=m%u; P=c; A=SIM; C=JP\"\n", i);
	struct bench *b = mts_bench(out_cstr(&o));
	out_fini(&o);
	return b;
}

static void assert_each_once(struct bench *b, unsigned members)
{
	uint8_t *seen = mem_zero(MANY);
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *t = &b->link[0].transfers[i].m;
		for (size_t k = 0; k < t->n_rcpt; k++) {
			const struct oraddr_attr *s = oraddr_find(&t->rcpt[k].addr, ORA_SURNAME);
			char text[16];
			snprintf(text, sizeof text, "%.*s", (int)s->value.n, (const char *)s->value.p);
			unsigned long n = strtoul(text + 1, NULL, 10);
			assert_true(n < members && n < MANY && t->rcpt[k].responsible);
			seen[n]++;
		}
	}
	for (unsigned i = 0; i < members; i++)
		assert_int_equal(seen[i], 1);
	free(seen);
}

/* In slices: each a group of its own, so that others are served in between; all of them, each once. */
static void test_k153103_k183818_a_large_list_in_slices(void **state)
{
	(void)state;
	struct bench *b = bench_of_many(MANY);
	send(b, LETTER(b, "1", TO("many")), VIEW("x"));
	drain(b);
	assert_int_equal(b->link[0].n_transfers, 3);
	assert_each_once(b, MANY);
	assert_delivered(b, 0);
	bench_free(b);
}

/* A death between two slices: what was placed is not placed again, the rest is. */
static void test_k183818_a_death_in_the_middle_of_a_list(void **state)
{
	(void)state;
	struct bench *b = bench_of_many(MANY);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("many")), VIEW("x"))->accepted);
	unsigned turns = 0;
	while (counts_of(b).transfers < 2 && turns++ < 1000) /* the first slice and what is left of the list */
		fake_env_pass(b->env, 1);
	assert_int_equal(counts_of(b).transfers, 2);
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, "");
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	fake_env_pass(b->env, 50);
	drain(b);
	assert_each_once(b, MANY);
	bench_free(b);
}

/* Other settings come while very many are half expanded: what was begun is ended as it was begun, each member once. */
static void test_many_lists_in_the_middle_of_a_reload(void **state)
{
	(void)state;
	enum { LETTERS = 150 };
#define NESTED(members) MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("outer", members, "") LIST("in0", AT_C("m0"), "")                   \
	LIST("in1", AT_C("m1"), "") LIST("in2", AT_C("m2"), "")
	struct bench *b = mts_bench(NESTED(ONE("in1") ", " ONE("in2"))); /* each list in it is a slice */
	struct settings now;
	struct err e;
	char id[16];
	for (unsigned i = 0; i < LETTERS; i++) {
		snprintf(id, sizeof id, "%u", i);
		assert_true(offer_of(&b->link[0], "to-a", LETTER(b, id, TO("outer")), VIEW("x"))->accepted);
	}
	assert_int_equal(counts_of(b).transfers, LETTERS);
	for (unsigned turns = 0; counts_of(b).transfers < 2 * LETTERS - 2; turns++) { /* nearly all have their first member */
		assert_true(turns < 100 * LETTERS);
		fake_env_pass(b->env, 1);
	}
	if (!settings_load(view_str(NESTED(ONE("in0") ", " ONE("in1") ", " ONE("in2"))), "test", &now, b->a, &e) ||
	    !switch_settings(b->sw, &now, &e))
		fail_msg("%s", e.text);
	fake_env_pass(b->env, 50);
	drain(b);
	assert_in_range(responsible_for(b, MESSAGE_MESSAGE, "S=m0; P=c; A=SIM; C=JP"), 1, 2); /* of those that were not begun */
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, "S=m1; P=c; A=SIM; C=JP"), LETTERS);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, "S=m2; P=c; A=SIM; C=JP"), LETTERS);
	bench_free(b);
}

static void test_k153103_members_have_a_limit(void **state)
{
	(void)state;
	struct bench *b = bench_of_many(3001); /* limits.list-members: 3000 */
	send(b, LETTER(b, "1", TO("many")), VIEW("x"));
	assert_failed(only(b, MESSAGE_REPORT), 0, 1, 30);
	assert_int_equal(b->link[0].n_transfers, 1);
	bench_free(b);
}

/* --- reports about members --- */

/* Policy originator: he hears of members what he asked for, and where they came from. */
static void test_reports_to_the_originator(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO("bad"));
	m->rcpt[0].originator_report = m->rcpt[0].mta_report = REPORT_ALL;
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_true(is_addr(b, &report->originator, FROM_A));
	assert_int_equal(report->n_rcpt, 2);
	assert_failed(report, 0, 1, 0);
	assert_int_equal(report->rcpt[1].outcome, OUTCOME_DELIVERED);
	assert_int_equal(report->origin_history.n, 2);
	assert_true(is_addr(b, &report->origin_history.v[0].name, FROM_A));
	assert_true(is_addr(b, &report->origin_history.v[1].name, TO("bad")));
	assert_null(report->reporting_dl);
	assert_delivered(b, 1);
	bench_free(b);
}

/* The originator of a message to a large list got all the reports about its members: its owner gets them. The originator hears
 * that the list has it (type of user: distribution list). */
static void test_k173510_k246388_reports_to_the_owner(void **state)
{
	(void)state;
	for (unsigned asked = REPORT_NON_DELIVERY; asked <= REPORT_ALL; asked++) {
		struct bench *b = mts_bench(SETTINGS);
		struct message *m = LETTER(b, "1", TO("owned"));
		m->rcpt[0].originator_report = m->rcpt[0].mta_report = asked;
		send(b, m, VIEW("x"));
		drain(b);
		assert_delivered(b, 2); /* user's message, the owner's report */
		assert_int_equal(b->link[0].n_transfers, asked == REPORT_ALL ? 1 : 0);
		if (asked == REPORT_ALL) {
			const struct message *report = only(b, MESSAGE_REPORT);
			assert_int_equal(report->n_rcpt, 1);
			assert_int_equal(report->rcpt[0].outcome, OUTCOME_DELIVERED);
			assert_int_equal(report->rcpt[0].type_of_user, 3);
			assert_true(is_addr(b, &report->rcpt[0].addr, TO("owned")));
		}
		bench_free(b);
	}
}

static void test_reports_to_both(void **state)
{
	(void)state;
	for (unsigned asked = REPORT_NONE; asked <= REPORT_NON_DELIVERY; asked++) {
		struct bench *b = mts_bench(SETTINGS);
		struct message *m = LETTER(b, "1", TO("both"));
		m->rcpt[0].originator_report = m->rcpt[0].mta_report = asked;
		send(b, m, VIEW("x"));
		drain(b);
		assert_delivered(b, 2); /* the owner's in any case */
		assert_int_equal(b->link[0].n_transfers, asked);
		bench_free(b);
	}
}

/* From another MTA, about a member there: addressed to the list, it goes on by its policy; the owner's copy says which list. */
static void test_reports_from_elsewhere_go_on(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "r1", "S=x1; P=c; A=SIM; C=JP");
	m->kind = MESSAGE_REPORT;
	m->originator = *addr_of(b, TO("away"));
	m->subject_id = (struct mts_id){ domain_of("GB", "a"), VIEW("subject") };
	m->rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m->rcpt[0].reason = 1;
	m->rcpt[0].diagnostic = 4;
	struct name_at history[] = { { *addr_of(b, FROM_A), 0, { NULL, 0 } }, { *addr_of(b, TO("away")), 0, { NULL, 0 } } };
	m->origin_history = (struct history){ history, 2 };
	assert_true(offer_of(&b->link[0], "to-c", m, (struct view){ NULL, 0 })->accepted);
	fake_env_pass(b->env, 50);
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_true(is_addr(b, &report->originator, FROM_A));
	assert_true(is_local_id(report, "r1"));
	assert_failed(report, 0, 1, 4);
	assert_null(report->reporting_dl);
	assert_delivered(b, 1); /* the owner's */
	bench_free(b);
}

/* A history made up so that the lists follow each other for ever. */
static void test_a_report_that_goes_round_ends(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "r1", TO_US);
	m->kind = MESSAGE_REPORT;
	m->originator = *addr_of(b, TO("all"));
	m->subject_id = (struct mts_id){ domain_of("GB", "a"), VIEW("subject") };
	m->rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	struct name_at history[] = { { *addr_of(b, TO("all")), 0, { NULL, 0 } }, { *addr_of(b, TO("bad")), 0, { NULL, 0 } },
				     { *addr_of(b, TO("all")), 0, { NULL, 0 } }, { *addr_of(b, TO("bad")), 0, { NULL, 0 } } };
	m->origin_history = (struct history){ history, 4 };
	assert_true(offer_of(&b->link[0], "to-c", m, (struct view){ NULL, 0 })->accepted);
	fake_env_pass(b->env, 50);
	drain(b);
	assert_delivered(b, 0);
	assert_int_equal(b->link[0].n_transfers, 0);
	bench_free(b);
}

/* The same with an owner in it: that one had a report each time that it came round. */
static void test_a_report_that_goes_round_comes_to_an_owner_once(void **state)
{
	(void)state;
	enum { NAMES = 8 };
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "r1", TO_US);
	struct name_at history[NAMES];
	m->kind = MESSAGE_REPORT;
	m->originator = *addr_of(b, TO("both"));
	m->subject_id = (struct mts_id){ domain_of("GB", "a"), VIEW("subject") };
	m->rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m->rcpt[0].originator_report = REPORT_NON_DELIVERY;
	for (size_t i = 0; i < NAMES; i++)
		history[i] = (struct name_at){ .name = *addr_of(b, i % 2 == 0 ? TO("both") : TO("all")) };
	m->origin_history = (struct history){ history, NAMES };
	assert_true(offer_of(&b->link[0], "to-c", m, (struct view){ NULL, 0 })->accepted);
	fake_env_pass(b->env, 50);
	drain(b);
	assert_delivered(b, 1);
	bench_free(b);
}

static void refused_settings(const char *text, const char *says)
{
	struct arena *a = arena_new(1 << 22);
	struct settings s;
	struct err e;
	assert_false(settings_load(view_str(text), "test", &s, a, &e));
	if (strstr(e.text, says) == NULL)
		fail_msg("%s", e.text);
	arena_free(&a);
}

/* Lists that own each other: what would double from one to the next, at a depth that is hours away, is known from the settings. */
static void test_reports_do_not_multiply_from_owner_to_owner(void **state)
{
	(void)state;
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n"
			 LIST("staff", ONE("admins") ", " ONE("nobody"), "    owner: " ONE("admins") "\n    reports: both\n")
			 LIST("admins", ONE("user") ", " ONE("nobody2"), "    owner: \"s=STAFF; c=fr; a=sim; p=P\"\n    reports: both\n"),
			 "list \"staff\" is owned by list \"admins\"");
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("self", ONE("user"), "    owner: " ONE("self") "\n"),
			 "list \"self\" is owned by list \"self\"");
}

/* One message that names a list many times over, as it is written or by its other case: each member has it once, of one expansion. */
static void test_a_list_named_again_and_again_is_expanded_once(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("all"), TO("ALL"), TO("inner"), TO("all")), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, 2);
	assert_int_equal(counts_of(b).recipients_queued, 4);
	fake_env_pass(b->env, 50);
	drain(b);
	assert_delivered(b, 4); /* user and other, by all and by inner */
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), 1);
	bench_free(b);
}

/* --- members that are no more --- */

/* A member was deleted, and non-delivery reports went on until a restart: a list is what the settings say when the switch starts, and
 * a list that is gone meanwhile is nobody. */
static void test_k194504_k229728_k262211_settings_count_when_it_is_expanded(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("bad")), VIEW("x"))->accepted);
	bench_leave(b, &b->link[0]);
	struct err e;
	assert_true(settings_load(VIEW(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("bad", ONE("user"), "")), "test", &b->settings, b->a, &e));
	bench_switch_dies(b, "");
	fake_env_pass(b->env, 50);
	assert_delivered(b, 1); /* without a report about the one who has gone */
	bench_free(b);
}

static void test_k154537_a_list_that_is_gone_is_reported(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct err e;
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "1", TO("bad")), VIEW("x"))->accepted);
	bench_leave(b, &b->link[0]);
	assert_true(settings_load(VIEW(MTS_HEAD("") MTS_LINKS MTS_BOXES), "test", &b->settings, b->a, &e));
	bench_switch_dies(b, "");
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	fake_env_pass(b->env, 50);
	assert_failed(only(b, MESSAGE_REPORT), 0, 1, 0);
	bench_free(b);
}

/* --- settings --- */

/* Two entries with one address: known when the settings are read, and both are named. */
static void test_k165396_an_address_is_of_one_thing(void **state)
{
	(void)state;
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "  - name: twin\n    addresses: [\"S=twin" HERE "\", \"s=USER; c=fr; a=sim; p=P\"]\n",
			 "mailbox \"user\" and mailbox \"twin\" have the same address");
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("user", ONE("other"), ""), "have the same address");
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("a", ONE("other"), "") "  - name: b\n    addresses: [" ONE("a") "]\n",
			 "list \"a\" and list \"b\" have the same address");
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("a", ONE("other"), "    reports: owner\n"), "it has none");
	refused_settings(MTS_HEAD("") MTS_LINKS MTS_BOXES "lists:\n" LIST("a", "\"nonsense\"", ""), "list \"a\": member");
	refused_settings(MTS_HEAD("") "links:\n" MTS_LINK("to-a", "") MTS_LINK("to-c", "") MTS_LINK("+again", "") MTS_BOXES, "cannot be called");
}

/* --- who may send over a link --- */

#define RESTRICTED(more) MTS_HEAD("") "links:\n" MTS_LINK("to-a", "") MTS_LINK("to-c", more) MTS_BOXES \
	"lists:\n" LIST("news", AT_C("eve"), "")

static void over_link(const char *settings, const char *originator, bool passes)
{
	struct bench *b = mts_bench(settings);
	struct message *m = LETTER(b, "1", TO_C, TO_US);
	m->originator = *addr_of(b, originator);
	send(b, m, VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), passes ? 1 : 0);
	if (!passes)
		assert_failed(only(b, MESSAGE_REPORT), 0, 1, 17); /* no-bilateral-agreement */
	bench_free(b);
}

static void test_originators_of_a_link(void **state)
{
	(void)state;
	over_link(RESTRICTED("    accept-from: [\"P=a; A=SIM; C=GB\"]\n"), FROM_A, true);
	over_link(RESTRICTED("    accept-from: [\"S=carol; P=a; A=SIM; C=GB\"]\n"), FROM_A, false);
	over_link(RESTRICTED("    reject-from: [\"S=bob; P=a; A=SIM; C=GB\"]\n"), FROM_A, false);
	over_link(RESTRICTED("    reject-from: [\"S=bob; P=a; A=SIM; C=GB\"]\n"), "S=carol; P=a; A=SIM; C=GB", true);
	over_link(RESTRICTED("    accept-from: [\"P=a; A=SIM; C=GB\"]\n    reject-from: [\"S=bob; P=a; A=SIM; C=GB\"]\n"), FROM_A, false);
}

/* A list that may send lets its members have what anybody may send to it; who is rejected by name stays so. */
static void test_k152875_a_list_may_send_over_a_link(void **state)
{
	(void)state;
	for (unsigned rejected = 0; rejected < 2; rejected++) {
		struct bench *b = mts_bench(rejected ? RESTRICTED("    accept-from: [" ONE("news") "]\n    reject-from: [\"S=bob; P=a; A=SIM; C=GB\"]\n")
						     : RESTRICTED("    accept-from: [" ONE("news") "]\n"));
		send(b, LETTER(b, "1", TO("news")), VIEW("x"));
		drain(b);
		assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C), rejected ? 0 : 1);
		bench_free(b);
	}
}

/* What the system itself says is not restricted: a report passes where its destination's mail would not. */
static void test_k169676_reports_pass_restrictions(void **state)
{
	(void)state;
	struct bench *b = mts_bench(MTS_HEAD("") "links:\n" MTS_LINK("to-a", "    accept-from: [\"C=JP\"]\n") MTS_LINK("to-c", "") MTS_BOXES);
	send(b, LETTER(b, "1", TO_NOBODY), VIEW("x"));
	assert_failed(only(b, MESSAGE_REPORT), 0, 1, 0);
	bench_free(b);
}

/* A connector with a long list of who may not send took all the processor: the patterns are a table. */
static void test_k158590_k166588_k242861_many_patterns(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 4 << 20);
	out_str(&o, MTS_HEAD("") "links:\n" MTS_LINK("to-a", "") MTS_LINK("to-c", "    reject-from:\n"));
	for (unsigned i = 0; i < 10000; i++)
		out_fmt(&o, "      - \"S=spammer%u; P=a; A=SIM; C=GB\"\n", i);
	out_str(&o, MTS_BOXES);
	over_link(out_cstr(&o), FROM_A, true);
	over_link(out_cstr(&o), "S=spammer9999; P=a; A=SIM; C=GB", false);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_is_expanded),
		cmocka_unit_test(test_p1_23_numbers_are_kept),
		cmocka_unit_test(test_tr_14_expansion_prohibited),
		cmocka_unit_test(test_tr_15_no_permission),
		cmocka_unit_test(test_tr_17_empty_list),
		cmocka_unit_test(test_tr_16_nested_and_in_itself),
		cmocka_unit_test(test_tr_16_k164850_round_by_another_mta),
		cmocka_unit_test(test_tr_19_exempted_recipients),
		cmocka_unit_test(test_k152875_k241632_restrictions_of_nested_lists),
		cmocka_unit_test(test_k241632_the_list_it_comes_from_may_send),
		cmocka_unit_test(test_lists_in_a_list_that_are_refused),
		cmocka_unit_test(test_k153103_nesting_has_a_limit),
		cmocka_unit_test(test_k193961_disclosure_drops_nobody),
		cmocka_unit_test(test_k153103_k183818_a_large_list_in_slices),
		cmocka_unit_test(test_k183818_a_death_in_the_middle_of_a_list),
		cmocka_unit_test(test_many_lists_in_the_middle_of_a_reload),
		cmocka_unit_test(test_k153103_members_have_a_limit),
		cmocka_unit_test(test_reports_to_the_originator),
		cmocka_unit_test(test_k173510_k246388_reports_to_the_owner),
		cmocka_unit_test(test_reports_to_both),
		cmocka_unit_test(test_reports_from_elsewhere_go_on),
		cmocka_unit_test(test_a_report_that_goes_round_ends),
		cmocka_unit_test(test_a_report_that_goes_round_comes_to_an_owner_once),
		cmocka_unit_test(test_a_list_named_again_and_again_is_expanded_once),
		cmocka_unit_test(test_reports_do_not_multiply_from_owner_to_owner),
		cmocka_unit_test(test_k194504_k229728_k262211_settings_count_when_it_is_expanded),
		cmocka_unit_test(test_k154537_a_list_that_is_gone_is_reported),
		cmocka_unit_test(test_k165396_an_address_is_of_one_thing),
		cmocka_unit_test(test_originators_of_a_link),
		cmocka_unit_test(test_k152875_a_list_may_send_over_a_link),
		cmocka_unit_test(test_k169676_reports_pass_restrictions),
		cmocka_unit_test(test_k158590_k166588_k242861_many_patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
