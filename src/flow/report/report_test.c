/* report_test.c - conformance.md section 7 (RP) and 6 (TR), as far as the pure parts decide them.
 * Expected values are from X.411 8.3.1.2 and 12.2.1.3, RFC 1615 4.1 and 4.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/report/report.h"

static const struct gdi london = {{ORA_PRINTABLE, VIEW("GB")},
				  {ORA_PRINTABLE, VIEW(" ")},
				  {ORA_PRINTABLE, VIEW("LON")},
				  true};
static const struct gdi paris = {
	{ORA_PRINTABLE, VIEW("FR")}, {ORA_PRINTABLE, VIEW("ATLAS")}, {0}, false};
static const struct gdi tokyo = {{ORA_PRINTABLE, VIEW("JP")},
				 {ORA_PRINTABLE, VIEW(" ")},
				 {ORA_PRINTABLE, VIEW("TYO")},
				 true};
enum { NOW = 1700000000 };
#define NOW_MS ((wall_ms_t)NOW * 1000)

struct world {
	struct arena *a;
	struct message m;
	struct recipient r[3];
	struct trace_element trace[2];
	struct extension ext[2];
	struct oraddr_attr originator[2], addr[3];
	struct report_maker maker;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	w->a = arena_new(1 << 22);
	w->originator[0] = (struct oraddr_attr){.type = ORA_COUNTRY, .value = VIEW("GB")};
	w->originator[1] = (struct oraddr_attr){.type = ORA_SURNAME, .value = VIEW("Sender")};
	w->trace[0] = (struct trace_element){
		.domain = london, .arrival = NOW_MS - 9000, .arrival_raw = VIEW("231114221311Z")};
	w->trace[1] = (struct trace_element){
		.domain = tokyo, .arrival = NOW_MS - 4000, .arrival_raw = VIEW("231114221316Z")};
	w->ext[0] =
		(struct extension){.number = EXT_CONTENT_CORRELATOR, .value = VIEW("\x16\x02hi")};
	w->ext[1] = (struct extension){
		.number = EXT_DL_PROHIBITED, .criticality = 4, .value = VIEW("\x02\x01\x01")};
	for (int i = 0; i < 3; i++) {
		w->addr[i] = (struct oraddr_attr){.type = ORA_SURNAME,
						  .value = i == 0   ? VIEW("one")
							   : i == 1 ? VIEW("two")
								    : VIEW("three")};
		w->r[i] = (struct recipient){.addr = {&w->addr[i], 1, {NULL, 0}},
					     .number = (uint32_t)i + 5,
					     .responsible = true,
					     .originator_report = REPORT_NON_DELIVERY,
					     .mta_report = REPORT_NON_DELIVERY};
	}
	w->m = (struct message){
		.kind = MESSAGE_MESSAGE,
		.id = {london, VIEW("local-1")},
		.originator = {w->originator, 2, {NULL, 0}},
		.original_eits = VIEW("\x65\x05\x80\x03\x05\x20\x00"),
		.content_type = 22,
		.content_id = VIEW("C-ID 7"),
		.priority = PRIORITY_NON_URGENT,
		.content_length = -1,
		.trace = {w->trace, 2},
		.ext = {w->ext, 2},
		.rcpt = w->r,
		.n_rcpt = 3,
	};
	w->maker = (struct report_maker){tokyo, VIEW("mta-t"), {tokyo, VIEW("rep-1")}, NOW_MS};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	arena_free(&w->a);
	free(w);
	return 0;
}

static void view_is(struct view v, const char *want)
{
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

static struct report_result failed(struct world *w, int i, int reason, int diagnostic)
{
	return (struct report_result){.rcpt = &w->r[i], .reason = reason, .diagnostic = diagnostic};
}

static struct report_result delivered(struct world *w, int i)
{
	return (struct report_result){.rcpt = &w->r[i],
				      .delivered = true,
				      .at = NOW_MS - 100,
				      .reason = -1,
				      .diagnostic = -1};
}

static struct message *build(struct world *w, const struct report_result *results, size_t n)
{
	struct err e = {.kind = ERR_LOCAL};
	struct message *m = report_build(&w->m, results, n, &w->maker, w->a, &e);
	assert_int_equal(e.kind, ERR_NONE);
	return m;
}

static void test_rp_01_delivery_report(void **state)
{
	struct world *w = *state;
	w->r[0].originator_report = w->r[0].mta_report = REPORT_ALL;
	assert_true(report_is_due(&w->m, &w->r[0], true));
	struct report_result result = delivered(w, 0);
	struct message *m = build(w, &result, 1);
	assert_non_null(m);
	assert_int_equal(m->kind, MESSAGE_REPORT);
	assert_int_equal(m->n_rcpt, 1);
	const struct recipient *r = &m->rcpt[0];
	assert_int_equal(r->outcome, OUTCOME_DELIVERED);
	assert_int_equal(r->delivered_at, NOW_MS - 100);
	assert_int_equal(r->type_of_user, 1); /* private: our domain has a PRMD */
	assert_int_equal(r->supplementary.n, 0);
	assert_int_equal(r->reason, -1);
	assert_int_equal(r->diagnostic, -1);
	assert_int_equal(r->number, 5);
	assert_true(oraddr_eq(&r->addr, &w->r[0].addr));
	w->maker.domain = paris;
	assert_int_equal(build(w, &result, 1)->rcpt[0].type_of_user, 0); /* public */
}

static void test_rp_02_success_is_not_reported_unasked(void **state)
{
	struct world *w = *state;
	assert_false(report_is_due(&w->m, &w->r[0], true));
	struct report_result results[] = {delivered(w, 0), delivered(w, 1)};
	assert_null(build(w, results, 2));
}

static void test_rp_03_no_bits_no_report(void **state)
{
	struct world *w = *state;
	w->r[0].originator_report = w->r[0].mta_report = REPORT_NONE;
	assert_false(report_is_due(&w->m, &w->r[0], false));
	struct report_result result = failed(w, 0, 1, 0);
	assert_null(build(w, &result, 1));
	w->r[0].mta_report = REPORT_NON_DELIVERY; /* the originating MTA may still want it */
	assert_true(report_is_due(&w->m, &w->r[0], false));
	assert_false(report_is_due(&w->m, &w->r[0], true));
	assert_non_null(build(w, &result, 1));
	w->r[0].mta_report = REPORT_ALL_AUDITED;
	assert_true(report_is_due(&w->m, &w->r[0], true));
}

static void test_rp_05_no_report_about_a_report(void **state)
{
	struct world *w = *state;
	w->m.kind = MESSAGE_REPORT;
	w->r[0].originator_report = w->r[0].mta_report = REPORT_ALL_AUDITED;
	assert_false(report_is_due(&w->m, &w->r[0], false));
	struct report_result result = failed(w, 0, 1, 0);
	assert_null(build(w, &result, 1));
}

static void test_rp_06_never_without_recipients(void **state)
{
	struct world *w = *state;
	assert_null(build(w, NULL, 0));
	w->r[1].originator_report = w->r[1].mta_report = REPORT_NONE;
	struct report_result results[] = {delivered(w, 0), failed(w, 1, 1, 0), failed(w, 2, 1, 5)};
	struct message *m = build(w, results, 3);
	assert_int_equal(m->n_rcpt, 1); /* only what is due */
	assert_int_equal(m->rcpt[0].number, 7);
}

static void test_rp_07_reports_are_urgent(void **state)
{
	struct world *w = *state;
	struct report_result result = failed(w, 0, 1, 0);
	assert_int_equal(build(w, &result, 1)->priority, PRIORITY_URGENT);
}

static void test_rp_08_returned_content(void **state)
{
	struct world *w = *state;
	assert_false(report_returns_content(&w->m));
	w->m.has_indicators = true;
	w->m.indicators = IND_DISCLOSURE;
	assert_false(report_returns_content(&w->m));
	w->m.indicators |= IND_CONTENT_RETURN;
	assert_true(report_returns_content(&w->m));
	w->m.content_type = 0; /* X.411 unidentified(0) is a type */
	assert_true(report_returns_content(&w->m));
	w->m.content_type = -1;
	assert_false(report_returns_content(&w->m));
	w->m.content_type_oid = VIEW("\x56\x01\x0a\x01");
	assert_true(report_returns_content(&w->m));
	w->m.kind = MESSAGE_PROBE;
	assert_false(report_returns_content(&w->m));
	struct report_result result = failed(w, 0, 1, 0);
	struct message *m = build(w, &result, 1);
	assert_false(m->has_returned_content);
	assert_int_equal(m->returned_content.n, 0);
}

static void test_rp_10_subject_trace_when_audited(void **state)
{
	struct world *w = *state;
	struct report_result results[] = {failed(w, 0, 1, 0), failed(w, 1, 1, 0)};
	assert_int_equal(build(w, results, 2)->subject_trace.n, 0);
	w->r[2].mta_report = REPORT_ALL_AUDITED; /* not among those reported */
	assert_int_equal(build(w, results, 2)->subject_trace.n, 0);
	w->r[1].mta_report = REPORT_ALL_AUDITED;
	struct message *m = build(w, results, 2);
	assert_int_equal(m->subject_trace.n, 2);
	assert_true(gdi_eq(&m->subject_trace.v[0].domain, &london));
	view_is(m->subject_trace.v[0].arrival_raw, "231114221311Z");
}

static void test_rp_12_actual_recipient_is_never_empty(void **state)
{
	struct world *w = *state;
	w->r[0].has_intended = true;
	w->r[0].intended = w->r[1].addr;
	w->r[0].addr = (struct oraddr){0};
	struct report_result result = failed(w, 0, 1, 0);
	struct message *m = build(w, &result, 1);
	assert_true(oraddr_eq(&m->rcpt[0].addr, &w->r[1].addr));
	assert_true(m->rcpt[0].has_intended);
}

static void test_rp_16_our_domain_is_the_same_everywhere(void **state)
{
	struct world *w = *state;
	struct report_result result = failed(w, 0, 1, 0);
	struct message *m = build(w, &result, 1);
	assert_int_equal(m->trace.n, 1);
	assert_int_equal(m->internal_trace.n, 1);
	const struct gdi *all[] = {&m->id.domain, &m->trace.v[0].domain,
				   &m->internal_trace.v[0].domain, &m->rcpt[0].arrival.v[0].domain};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		view_is(all[i]->country.value, "JP");
		view_is(all[i]->admd.value, " ");
		view_is(all[i]->prmd.value, "TYO");
	}
	view_is(m->internal_trace.v[0].mta, "mta-t");
	assert_int_equal(m->trace.v[0].arrival, NOW_MS);
	view_is(m->trace.v[0].arrival_raw, "231114221320Z");
	assert_int_equal(m->trace.v[0].action, ROUTING_RELAYED);
}

static void test_rp_17_probes_are_reported_like_messages(void **state)
{
	struct world *w = *state;
	w->m.kind = MESSAGE_PROBE;
	w->m.content_length = 1000;
	w->r[0].originator_report = REPORT_ALL;
	struct report_result results[] = {delivered(w, 0), failed(w, 1, 1, 0)}; /* RP-18 */
	struct message *m = build(w, results, 2);
	assert_int_equal(m->n_rcpt, 2);
	assert_int_equal(m->rcpt[0].outcome, OUTCOME_DELIVERED);
	assert_int_equal(m->rcpt[1].outcome, OUTCOME_NOT_DELIVERED);
	assert_int_equal(m->rcpt[1].reason, 1);
	assert_int_equal(m->rcpt[1].diagnostic, 0);
	assert_int_equal(m->content_length, -1);
}

static void test_what_is_copied_from_the_subject(void **state)
{
	struct world *w = *state;
	w->r[0].indicators_raw = VIEW("\x07\xf0\x00");
	struct extension history = {.number = EXT_REDIRECTION_HISTORY, .value = VIEW("\x30\x00")};
	w->r[0].ext = (struct extensions){&history, 1};
	struct report_result result = failed(w, 0, 1, -1);
	struct message *m = build(w, &result, 1);
	memset(&w->r[0], 0xee, sizeof w->r[0]); /* nothing points into the subject */
	assert_true(mts_id_eq(&m->subject_id, &w->m.id));
	assert_true(mts_id_eq(&m->id, &w->maker.id));
	assert_true(oraddr_eq(&m->originator, &w->m.originator));
	assert_int_equal(m->content_type, 22);
	view_is(m->content_id, "C-ID 7");
	assert_true(view_eq(m->original_eits, w->m.original_eits));
	assert_int_equal(m->content_ext.n, 1);
	assert_int_equal(m->content_ext.v[0].number, EXT_CONTENT_CORRELATOR);
	assert_true(view_eq(m->content_ext.v[0].value, w->ext[0].value));
	assert_int_equal(m->ext.n, 0); /* what the subject asked for is not asked for the report */
	const struct recipient *r = &m->rcpt[0];
	assert_int_equal(r->diagnostic, -1);
	assert_int_equal(r->type_of_user, UINT32_MAX);
	assert_int_equal(r->originator_report, REPORT_NON_DELIVERY);
	assert_true(view_eq(r->indicators_raw, VIEW("\x07\xf0\x00")));
	assert_int_equal(r->ext.n, 1);
	assert_int_equal(r->ext.v[0].number, EXT_REDIRECTION_HISTORY);
	assert_int_equal(r->arrival.n, 1);
	assert_int_equal(r->arrival.v[0].arrival, NOW_MS - 4000); /* when it came to our domain */
}

static void test_arrival_of_what_never_came_in_is_now(void **state)
{
	struct world *w = *state;
	w->maker.domain = paris;
	struct report_result result = failed(w, 0, 1, 0);
	assert_int_equal(build(w, &result, 1)->rcpt[0].arrival.v[0].arrival, NOW_MS);
	w->maker.domain = london; /* submitted here: the first element */
	assert_int_equal(build(w, &result, 1)->rcpt[0].arrival.v[0].arrival, NOW_MS - 9000);
	struct extension first = w->ext[0];
	w->ext[0] = w->ext[1];
	w->ext[1] = first;
	assert_int_equal(build(w, &result, 1)->content_ext.v[0].number, EXT_CONTENT_CORRELATOR);
	w->ext[1].is_private = true; /* another's 23 */
	assert_int_equal(build(w, &result, 1)->content_ext.n, 0);
}

static struct view supplementary(struct world *w, struct view text)
{
	struct report_result result = failed(w, 0, 1, 0);
	result.supplementary = text;
	return build(w, &result, 1)->rcpt[0].supplementary;
}

/* X.411: PrintableString of 1 to 256. */
static void test_supplementary_information(void **state)
{
	struct world *w = *state;
	view_is(supplementary(w, VIEW("no mailbox: \"S=a_b; C=gb\" at x@y.z, 5%!")),
		"no mailbox: 'S=a(u)b, C=gb' at x(a)y.z, 5(p)(b)");
	view_is(supplementary(w, VIEW("tab\tline\nnul\0{\xc3\xbc}")), "tab line nul?(123)?"
								      "?(125)");
	view_is(supplementary(w, VIEW("09AZaz/:@[`{~\x7f ")), "09AZaz/:(a)(091)(096)(123)(126)? ");
	view_is(supplementary(w, VIEW("x")), "x");
	assert_int_equal(supplementary(w, VIEW("")).n, 0);
	uint8_t text[400];
	memset(text, 'x', sizeof text);
	assert_int_equal(supplementary(w, view_of(text, 256)).n, 256);
	assert_int_equal(supplementary(w, view_of(text, 400)).n, 256);
	text[254] = '@'; /* its three octets would not fit */
	assert_int_equal(supplementary(w, view_of(text, 400)).n, 254);
	text[253] = '@';
	assert_int_equal(supplementary(w, view_of(text, 254)).n, 256);
}

static void test_quota(void **state)
{
	struct world *w = *state;
	struct report_result result = failed(w, 0, 1, 0);
	result.supplementary = VIEW("a cause");
	size_t quota = 16, failures = 0;
	for (bool done = false; !done;
	     quota += 16) { /* it fails at each allocation in turn, and then no more */
		struct arena *small = arena_new(quota);
		struct err e = {0};
		struct message *m = report_build(&w->m, &result, 1, &w->maker, small, &e);
		done = m != NULL;
		assert_int_equal(e.kind, done ? ERR_NONE : ERR_TEMP);
		assert_true(done || e.culprit == ERR_OF_MESSAGE);
		if (done)
			view_is(m->rcpt[0].supplementary, "a cause");
		failures += !done;
		arena_free(&small);
	}
	assert_in_range(failures, 5, 100000);
}

/* ---- trace ---- */

static void test_tr_01_relay_adds_one_of_each(void **state)
{
	struct world *w = *state;
	w->m.trace.n = 1;
	assert_true(trace_add(&w->m, &tokyo, VIEW("mta-t"), true, NOW_MS, w->a));
	assert_int_equal(w->m.trace.n, 2);
	assert_int_equal(w->m.internal_trace.n, 1);
	assert_true(gdi_eq(&w->m.trace.v[0].domain, &london));
	const struct trace_element *d = &w->m.trace.v[1], *i = &w->m.internal_trace.v[0];
	assert_true(gdi_eq(&d->domain, &tokyo));
	assert_true(gdi_eq(&i->domain, &tokyo));
	assert_int_equal(d->arrival, NOW_MS);
	assert_int_equal(i->arrival, NOW_MS);
	view_is(d->arrival_raw, "231114221320Z");
	assert_int_equal(d->mta.n, 0);
	view_is(i->mta, "mta-t");
	assert_int_equal(d->action, ROUTING_RELAYED);
	assert_int_equal(d->other_actions, 0);
	/* The next MTA of the same domain: no element of the domain, one of its own. */
	assert_true(trace_add(&w->m, &tokyo, VIEW("mta-2"), true, NOW_MS + 5, w->a));
	assert_int_equal(w->m.trace.n, 2);
	assert_int_equal(w->m.internal_trace.n, 2);
	/* And what did not come from outside is not traced twice. */
	assert_true(trace_add(&w->m, &tokyo, VIEW("MTA-2"), false, NOW_MS + 6, w->a));
	assert_int_equal(w->m.internal_trace.n, 2);
	struct arena *small = arena_new(8);
	assert_false(trace_add(&w->m, &paris, VIEW("p"), true, NOW_MS, small));
	assert_false(
		trace_add_rerouted(&w->m, &paris, VIEW("p"), &tokyo, VIEW("t"), NOW_MS, small));
	assert_int_equal(w->m.internal_trace.n, 2);
	arena_free(&small);
	w->m.internal_trace.n = 0;
	assert_true(trace_add(&w->m, &tokyo, VIEW("mta-2"), false, NOW_MS + 6, w->a));
	assert_true(trace_add(&w->m, &tokyo, VIEW("mta-3"), false, NOW_MS + 6, w->a));
	assert_int_equal(w->m.internal_trace.n, 2);
	assert_int_equal(w->m.trace.n, 2);
}

static bool loops(struct world *w, const struct gdi *domain, const char *mta)
{
	return trace_check(&w->m, domain, view_str(mta), 512) == TRACE_LOOP;
}

static void visit(struct world *w, const struct gdi *domain, const char *mta)
{
	assert_true(trace_add(&w->m, domain, view_str(mta), true, NOW_MS, w->a));
}

static void test_tr_02_own_internal_element_is_a_loop(void **state)
{
	struct world *w = *state;
	w->m.trace.n = 0;
	assert_false(loops(w, &tokyo, "t1"));
	visit(w, &tokyo, "t1");
	visit(w, &tokyo, "t2");
	assert_true(loops(w, &tokyo, "t1"));
	assert_true(loops(w, &tokyo, "T1"));
	assert_true(loops(w, &tokyo, "t2"));
	assert_false(loops(w, &tokyo, "t3"));
	assert_false(loops(w, &paris, "t1")); /* another MTA of that name */
	visit(w, &tokyo, "t3");
	trace_mark(&w->m, TRACE_REDIRECTED);
	assert_false(loops(w, &tokyo, "t1")); /* redirected since: it may pass here once more */
	assert_true(loops(w, &tokyo, "t3"));  /* who redirected it has it back */
	w->m.trace.n = w->m.internal_trace.n = 0;
	trace_mark(&w->m, TRACE_REDIRECTED); /* nothing to mark */
	visit(w, &tokyo, "t3");
	trace_mark(&w->m, TRACE_REDIRECTED); /* the very first element */
	assert_true(loops(w, &tokyo, "t3"));
	visit(w, &tokyo, "t1");
	visit(w, &tokyo, "t4");
	assert_true(loops(w, &tokyo, "t1"));
	trace_mark(&w->m, TRACE_DL_OPERATION);
	assert_false(loops(w, &tokyo, "t1"));
}

static void test_tr_04_three_rerouted_in_sequence_are_no_loop(void **state)
{
	struct world *w = *state;
	w->m.trace.n = 0;
	visit(w, &tokyo, "t1");
	for (int i = 0; i < 3; i++)
		assert_true(trace_add_rerouted(&w->m, &tokyo, VIEW("t1"), i == 0 ? &tokyo : &paris,
					       VIEW("t9"), NOW_MS, w->a));
	assert_int_equal(w->m.trace.n, 3);
	assert_int_equal(w->m.internal_trace.n, 4);
	assert_false(loops(w, &tokyo, "t1"));
	assert_false(
		loops(w, &tokyo, "t2")); /* the next MTA of the domain sees three of its domain */
	assert_false(loops(w, &paris, "p1"));
	visit(w, &tokyo, "t2");
	assert_true(loops(w, &tokyo, "t1")); /* but a return is one */
	assert_false(loops(w, &tokyo, "t3"));
}

static void test_tr_05_two_rounds_at_most(void **state)
{
	struct world *w = *state;
	w->m.trace.n = 0;
	int rounds = 0;
	while (rounds < 10) { /* two domains that route to each other */
		if (loops(w, &london, "l"))
			break;
		visit(w, &london, "l");
		if (loops(w, &paris, "p"))
			break;
		visit(w, &paris, "p");
		rounds++;
	}
	assert_int_equal(rounds, 1);
}

static void test_tr_06_domain_trace_alone_stops_a_loop(void **state)
{
	struct world *w = *state;
	w->m.trace.n = 0;
	visit(w, &london, "l");
	visit(w, &paris, "p");
	w->m.internal_trace.n = 0; /* as an 84 peer hands it on */
	assert_true(loops(w, &london, "l"));
	assert_false(loops(w, &paris, "p2")); /* it has not left Paris */
	assert_false(loops(w, &tokyo, "t"));
	struct gdi folded = london;
	folded.country.value = VIEW("gb");
	folded.admd.value = VIEW("");
	assert_true(loops(w, &folded, "l"));
}

static void test_tr_07_rerouted_names_what_was_attempted(void **state)
{
	struct world *w = *state;
	w->m.trace.n = 0;
	visit(w, &tokyo, "t1");
	assert_true(trace_add_rerouted(&w->m, &tokyo, VIEW("t1"), &paris, VIEW("ignored"),
				       NOW_MS + 1, w->a));
	const struct trace_element *d = &w->m.trace.v[1], *i = &w->m.internal_trace.v[1];
	assert_int_equal(d->action, ROUTING_REROUTED);
	assert_true(d->has_attempted);
	assert_true(gdi_eq(&d->attempted_domain, &paris));
	assert_int_equal(i->action, ROUTING_REROUTED);
	assert_true(gdi_eq(&i->attempted_domain, &paris));
	assert_int_equal(i->attempted_mta.n, 0);
	assert_true(trace_add_rerouted(&w->m, &tokyo, VIEW("t1"), &tokyo, VIEW("t2"), NOW_MS + 2,
				       w->a));
	assert_int_equal(w->m.trace.n, 2); /* an attempt within the domain is not the domain's */
	view_is(w->m.internal_trace.v[2].attempted_mta, "t2");
	assert_true(w->m.internal_trace.v[2].has_attempted);
	assert_int_equal(w->m.internal_trace.v[2].attempted_domain.country.value.n, 0);
}

static void test_k166734_512_elements_are_enough(void **state)
{
	struct world *w = *state;
	struct trace_element *v = arena_array(w->a, 512, sizeof *v);
	for (int i = 0; i < 512; i++)
		v[i].domain = i % 2 == 0 ? london : paris;
	w->m.trace = (struct trace){v, 511};
	assert_false(loops(w, &tokyo, "t"));
	w->m.trace.n = 512;
	assert_true(loops(w, &tokyo, "t"));
	w->m.internal_trace = w->m.trace;
	w->m.trace.n = 0;
	assert_true(loops(w, &tokyo, "t"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rp_01_delivery_report),
		TEST(test_rp_02_success_is_not_reported_unasked),
		TEST(test_rp_03_no_bits_no_report),
		TEST(test_rp_05_no_report_about_a_report),
		TEST(test_rp_06_never_without_recipients),
		TEST(test_rp_07_reports_are_urgent),
		TEST(test_rp_08_returned_content),
		TEST(test_rp_10_subject_trace_when_audited),
		TEST(test_rp_12_actual_recipient_is_never_empty),
		TEST(test_rp_16_our_domain_is_the_same_everywhere),
		TEST(test_rp_17_probes_are_reported_like_messages),
		TEST(test_what_is_copied_from_the_subject),
		TEST(test_arrival_of_what_never_came_in_is_now),
		TEST(test_supplementary_information),
		TEST(test_quota),
		TEST(test_tr_01_relay_adds_one_of_each),
		TEST(test_tr_02_own_internal_element_is_a_loop),
		TEST(test_tr_04_three_rerouted_in_sequence_are_no_loop),
		TEST(test_tr_05_two_rounds_at_most),
		TEST(test_tr_06_domain_trace_alone_stops_a_loop),
		TEST(test_tr_07_rerouted_names_what_was_attempted),
		TEST(test_k166734_512_elements_are_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
