/* presentation_test.c - presentation and ACSE: contexts, refusals, tolerated forms. Expected octets are those of the
 * captures where one has them, else written by hand from X.226 8.5 and X.227 9.1. */
#include "flow/engine/x400/upper_test.h"

#include "flow/codec/osi/capture_test.h"
#include "flow/engine/x400/acse.h"
#include "flow/engine/x400/presentation.h"

#define BER_LIST "30(0602 5101)"
#define ACSE_OID "0604 52010001"
#define RTSE_OID "0604 5600020c"
#define MTSE_OID "0604 56000207"
#define CONTEXTS "a4(30(020101" ACSE_OID BER_LIST ")30(020103" RTSE_OID BER_LIST ")30(020105" MTSE_OID BER_LIST "))"
/* An AARQ around an INTEGER that stands for RTSE's APDU. */
#define AARQ "60(a1(0604 56000106) be(28(0602 5101 020103 a0(02012a))))"
#define MODE "a0(800101)"

struct world {
	struct arena *a;
	struct presentation p;
	struct view apdu;
	int64_t reason;
	struct err e;
};

static int begin(void **state)
{
	struct world *w = mem_zero(sizeof *w);
	w->a = arena_new(1 << 22);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	arena_free(&w->a);
	free(w);
	return 0;
}

static bool read_cp(struct world *w, const char *form)
{
	return presentation_read_cp(&w->p, octets_of(w->a, form), w->a, &w->apdu, &w->reason, &w->e);
}

static struct view side_user_data(struct world *w, const struct capture *cap, bool initiator)
{
	struct out tsdu, side = capture_side(cap, 0, initiator);
	struct cur c = cur_of(out_view(&side));
	out_init(&tsdu, 1 << 16);
	assert_true(capture_tsdu(&c, &tsdu));
	struct cur t = cur_of(out_view(&tsdu));
	struct view parameters;
	(void)capture_spdu(&t, &parameters);
	const struct view v = arena_copy(w->a, capture_parameter(parameters, 193));
	out_fini(&tsdu);
	out_fini(&side);
	return v;
}

/* The CP and the CPA of x400-ping-success.pcap: our answer to the one is the other, octet for octet. */
static void test_pa_01_capture_octet_for_octet(void **state)
{
	struct world *w = *state;
	struct capture *cap = capture_open("x400-ping-success.pcap");
	const struct view cp = side_user_data(w, cap, true), cpa = side_user_data(w, cap, false);
	assert_true(presentation_read_cp(&w->p, cp, w->a, &w->apdu, &w->reason, &w->e));
	assert_int_equal(presentation_id(&w->p, PRESENTATION_ACSE), 1);
	assert_int_equal(presentation_id(&w->p, PRESENTATION_RTSE), 3);
	assert_int_equal(presentation_id(&w->p, PRESENTATION_MTSE), 5);

	struct presentation theirs;
	struct view aare, rtse;
	struct acse_answer answer;
	presentation_propose(&theirs);
	assert_true(presentation_read_cpa(&theirs, cpa, w->a, &aare, &w->e));
	assert_true(acse_read_aare(aare, w->a, &rtse, &answer, &w->e));
	assert_int_equal(answer.result, ACSE_ACCEPTED);

	struct out ours_acse, ours;
	out_init(&ours_acse, 4096);
	out_init(&ours, 4096);
	assert_true(acse_aare(&answer, rtse, 3, &ours_acse, &w->e));
	assert_true(view_eq(out_view(&ours_acse), aare));
	assert_true(presentation_cpa(&w->p, out_view(&ours_acse), &ours, &w->e));
	assert_true(view_eq(out_view(&ours), cpa));
	out_fini(&ours_acse);
	out_fini(&ours);
	capture_close(&cap);
}

static void test_pa_02_other_ids_and_order(void **state)
{
	struct world *w = *state;
	assert_true(read_cp(w, "31(" MODE "a2(a4(30(020107" MTSE_OID BER_LIST ")30(020109" ACSE_OID BER_LIST
			       ")30(02010b" RTSE_OID BER_LIST ")) 61(30(020109 a0(" AARQ ")))))"));
	assert_int_equal(presentation_id(&w->p, PRESENTATION_MTSE), 7);
	assert_int_equal(presentation_id(&w->p, PRESENTATION_ACSE), 9);
	assert_int_equal(presentation_id(&w->p, PRESENTATION_RTSE), 11);
	struct out o;
	out_init(&o, 4096);
	assert_true(presentation_cpa(&w->p, octets_of(w->a, "6100"), &o, &w->e));
	const struct view want = octets_of(w->a, "31(" MODE "a2(a5(30(800100 81025101)30(800100 81025101)30(800100 81025101))"
						 "61(30(020109 a0(6100)))))");
	assert_true(view_eq(out_view(&o), want));
	out_fini(&o);
}

static void test_pa_03_unknown_context_is_rejected_alone(void **state)
{
	struct world *w = *state;
	assert_true(read_cp(w, "31(" MODE "a2(a4(30(020101" ACSE_OID BER_LIST ")30(020107 0603 2a0304" BER_LIST
			       ")30(020103" RTSE_OID BER_LIST ")30(020105" MTSE_OID BER_LIST ")) 61(30(020101 a0(" AARQ ")))))"));
	assert_int_equal(presentation_find(&w->p, 7), PRESENTATION_UNKNOWN);
	assert_int_equal(presentation_find(&w->p, 5), PRESENTATION_MTSE);
	struct out o;
	out_init(&o, 4096);
	assert_true(presentation_cpa(&w->p, octets_of(w->a, "6100"), &o, &w->e));
	/* provider-rejection (2), abstract-syntax-not-supported (1), at its place. */
	const struct view want = octets_of(w->a, "31(" MODE "a2(a5(30(800100 81025101)30(800102 820101)30(800100 81025101)"
						 "30(800100 81025101)) 61(30(020101 a0(6100)))))");
	assert_true(view_eq(out_view(&o), want));
	out_fini(&o);
}

static void test_pa_05_ber_is_chosen_among_transfer_syntaxes(void **state)
{
	struct world *w = *state;
	/* PER basic aligned is 2.1.3.0.0. */
	assert_true(read_cp(w, "31(" MODE "a2(a4(30(020101" ACSE_OID "30(0604 51030000 0602 5101))30(020103" RTSE_OID BER_LIST
			       ")30(020105" MTSE_OID "30(0604 51030000))) 61(30(020101 a0(" AARQ ")))))"));
	assert_int_equal(presentation_find(&w->p, 1), PRESENTATION_ACSE);
	assert_int_equal(w->p.v[2].result, PPDU_PROVIDER_REJECTION);
	assert_int_equal(w->p.v[2].reason, PPDU_TRANSFER_NOT_SUPPORTED);
}

static void test_pa_06_octet_aligned_user_data(void **state)
{
	struct world *w = *state;
	assert_true(read_cp(w, "31(" MODE "a2(" CONTEXTS "61(30(020101 81(" AARQ ")))))"));
	assert_true(view_eq(w->apdu, octets_of(w->a, AARQ)));
	assert_false(read_cp(w, "31(" MODE "a2(" CONTEXTS "61(30(020101 82(00" AARQ ")))))"));
}

static void test_pa_10_user_data_in_an_unknown_context(void **state)
{
	struct world *w = *state;
	assert_false(read_cp(w, "31(" MODE "a2(" CONTEXTS "61(30(020107 a0(" AARQ ")))))"));
	assert_non_null(strstr(w->e.text, "context 7"));
	assert_int_equal(w->e.kind, ERR_PEER);
}

static void test_pa_11_set_in_reverse_order(void **state)
{
	struct world *w = *state;
	assert_true(read_cp(w, "31(a2(" CONTEXTS "61(30(020101 a0(" AARQ "))))" MODE ")"));
	assert_true(view_eq(w->apdu, octets_of(w->a, AARQ)));
}

static bool read_aarq(struct world *w, const char *form, struct acse_answer *why)
{
	return acse_read_aarq(octets_of(w->a, form), w->a, &w->apdu, why, &w->e);
}

static void test_pa_12_another_application_context(void **state)
{
	struct world *w = *state;
	struct acse_answer why;
	/* 2.6.0.1.11: P7. */
	assert_false(read_aarq(w, "60(a1(0604 5600010b) be(28(0602 5101 020103 a0(02012a))))", &why));
	assert_int_equal(why.result, ACSE_REJECTED_PERMANENT);
	assert_false(why.provider);
	assert_int_equal(why.diagnostic, 2);
	assert_non_null(strstr(w->e.text, "2.6.0.1.11"));
	struct out o;
	out_init(&o, 4096);
	assert_true(acse_aare(&why, (struct view){ NULL, 0 }, 3, &o, &w->e));
	assert_true(view_eq(out_view(&o), octets_of(w->a, "61(a1(0604 56000106) a2(020101) a3(a1(020102)))")));
	out_fini(&o);
}

static void test_pa_13_titles_qualifiers_and_extensions_are_ignored(void **state)
{
	struct world *w = *state;
	struct acse_answer why;
	static const char *const forms[] = {
		/* Form 2: object identifiers and integers. */
		"60(80020780 a1(0604 56000106) a2(0602 2a03) a3(020101) a4(020102) a5(020103) a6(0602 2a04) a7(020104) a8(020105)"
		"a9(020106) be(28(0602 5101 020103 a0(02012a))))",
		/* Form 1: a directory name and a relative one. */
		"60(a1(0604 56000106) a6(30(31(30(0603 550406 1302 4742)))) a7(31(30(0603 550403 1301 41)))"
		"be(28(0602 5101 020103 a0(02012a))))",
		/* Authentication, context name list, the fields of 1996, an unknown field, implementation information. */
		"60(a1(0604 56000106) 8a020780 8b02 2a03 ac(8001 41) ad(0602 2a03) ae(a0(30(020101 0602 2a03 30(0602 5101))))"
		"b1(0500) 9d01 58 be(28(0602 5101 020103 a0(02012a))))",
		/* Octet-aligned encoding, no direct reference, a wrong indirect one. */
		"60(a1(0604 56000106) be(28(020155 81(02012a))))",
	};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (!read_aarq(w, forms[i], &why))
			fail_msg("form %zu: %s", i, w->e.text);
		assert_true(view_eq(w->apdu, octets_of(w->a, "02012a")));
	}
}

static void test_acse_version_must_be_offered(void **state)
{
	struct world *w = *state;
	struct acse_answer why;
	assert_true(read_aarq(w, "60(80020640 a1(0604 56000106) be(28(020103 a0(02012a))))", &why) == false);
	assert_true(why.provider);
	assert_int_equal(why.diagnostic, ACSE_PROVIDER_NO_VERSION);
	assert_false(read_aarq(w, "60(800100 a1(0604 56000106) be(28(020103 a0(02012a))))", &why));
	assert_true(why.provider);
	/* version1 beside another one */
	assert_true(read_aarq(w, "60(800206c0 a1(0604 56000106) be(28(020103 a0(02012a))))", &why));
}

static void test_pa_17_long_object_identifiers(void **state)
{
	struct world *w = *state;
	/* 40 arcs (38 of one octet after 2.6 and one before), and 33 octets of which arcs have two each. */
	char forty[200] = "0627 56", wide[200] = "0622 56";
	for (int i = 0; i < 38; i++)
		snprintf(forty + strlen(forty), sizeof forty - strlen(forty), "%02x", i);
	for (int i = 0; i < 16; i++)
		snprintf(wide + strlen(wide), sizeof wide - strlen(wide), "81%02x", i);
	snprintf(wide + strlen(wide), sizeof wide - strlen(wide), "7f");
	char form[2000];
	snprintf(form, sizeof form, "31(" MODE "a2(a4(30(020101" ACSE_OID BER_LIST ")30(020107 %s" BER_LIST ")30(020109 %s" BER_LIST
		 ")30(020103" RTSE_OID BER_LIST ")30(020105" MTSE_OID BER_LIST ")) 61(30(020101 a0(" AARQ ")))))", forty, wide);
	if (!read_cp(w, form))
		fail_msg("%s", w->e.text);
	assert_int_equal(w->p.n, 5);
	assert_int_equal(presentation_find(&w->p, 3), PRESENTATION_RTSE);
}

static void test_refusals_of_a_cp(void **state)
{
	struct world *w = *state;
	static const struct { const char *form; int64_t reason; const char *says; } rows[] = {
		{ "31(a0(800100) a1(a3(a0(0500))))", 0, "mode 0" },
		{ "31(" MODE "a2(80020640" CONTEXTS "61(30(020101 a0(" AARQ ")))))", 4, "version" },
		{ "31(" MODE "a2(800100" CONTEXTS "61(30(020101 a0(" AARQ ")))))", 4, "version" },
		{ "31(" MODE ")", 0, "mode 1" },
		{ "31(" MODE "a2(" CONTEXTS "))", 6, "without user data" },
		{ "31(" MODE "a2(61(30(020101 a0(" AARQ ")))))", 0, "no context for ACSE" },
		{ "31(" MODE "a2(a4(30(020101" ACSE_OID BER_LIST ")) 61(30(020101 a0(" AARQ ")))))", 0, "no context for RTSE" },
		{ "31(" MODE "a2(a4(30(020101" ACSE_OID BER_LIST ")30(020101" RTSE_OID BER_LIST ")) 61(30(020101 a0(" AARQ ")))))", 0,
		  "proposed twice" },
		{ "31(" MODE "a2(" CONTEXTS "40(" AARQ ")))", 6, "not fully encoded" },
		{ "0500", 6, "presentation: " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_false(read_cp(w, rows[i].form));
		assert_int_equal(w->reason, rows[i].reason);
		if (strstr(w->e.text, rows[i].says) == NULL)
			fail_msg("row %zu says: %s", i, w->e.text);
	}
}

static void test_refusal_by_the_provider(void **state)
{
	struct world *w = *state;
	struct out o;
	out_init(&o, 256);
	w->p.n = 0;
	assert_true(presentation_cpr(&w->p, (struct view){ NULL, 0 }, 6, &o, &w->e));
	assert_true(view_eq(out_view(&o), octets_of(w->a, "30(8a0106)")));
	struct presentation_refusal r;
	assert_true(presentation_read_cpr(&w->p, out_view(&o), w->a, &r, &w->e));
	assert_int_equal(r.provider_reason, 6);
	assert_int_equal(r.apdu.n, 0);
	out_fini(&o);
	assert_true(presentation_read_cpr(&w->p, octets_of(w->a, "31(800101)"), w->a, &r, &w->e));
	assert_true(r.x410);
}

static void test_cpa_that_rejects_what_we_need(void **state)
{
	struct world *w = *state;
	presentation_propose(&w->p);
	assert_false(presentation_read_cpa(&w->p, octets_of(w->a, "31(" MODE "a2(a5(30(800100 81025101)30(800100 81025101)"
					   "30(800102 820101)) 61(30(020101 a0(6100)))))"), w->a, &w->apdu, &w->e));
	assert_non_null(strstr(w->e.text, "context 5 rejected"));
	presentation_propose(&w->p);
	assert_false(presentation_read_cpa(&w->p, octets_of(w->a, "31(" MODE "a2(a5(30(800100 81025101))"
					   "61(30(020101 a0(6100)))))"), w->a, &w->apdu, &w->e));
	assert_non_null(strstr(w->e.text, "1 context results for 3"));
}

static void test_cpa_of_another_mode(void **state)
{
	struct world *w = *state;
	static const char *const forms[] = { "31(a0(800100))", "31(a0(800101))", "31(a0(800100) a2(" CONTEXTS "))" };
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		presentation_propose(&w->p);
		assert_false(presentation_read_cpa(&w->p, octets_of(w->a, forms[i]), w->a, &w->apdu, &w->e));
		assert_non_null(strstr(w->e.text, "wanted normal mode"));
	}
}

static void test_apdus_without_user_information(void **state)
{
	struct world *w = *state;
	struct view apdu;
	bool provider;
	struct out o;
	out_init(&o, 64);
	assert_true(acse_abrt(true, (struct view){ NULL, 0 }, 3, &o, &w->e));
	assert_true(view_eq(out_view(&o), octets_of(w->a, "64(800101)")));
	assert_true(acse_read_abrt(out_view(&o), w->a, &apdu, &provider, &w->e));
	assert_true(provider && apdu.n == 0);
	out_fini(&o);
}

static void test_arp_fits_session_version_1(void **state)
{
	struct world *w = *state;
	struct out o;
	out_init(&o, 64);
	assert_true(presentation_arp(PPDU_ARP_INVALID_VALUE, PPDU_EVENT_TD, &o, &w->e));
	assert_true(view_eq(out_view(&o), octets_of(w->a, "30(800106 810107)")));
	assert_true(out_len(&o) <= 9);
	out_fini(&o);
}

static void test_aborts_are_read_in_every_form(void **state)
{
	struct world *w = *state;
	struct presentation_abort r;
	presentation_propose(&w->p);
	presentation_read_abort(&w->p, (struct view){ NULL, 0 }, w->a, &r);
	assert_int_equal(r.what, PRESENTATION_ABORT_NO_DATA);
	presentation_read_abort(&w->p, octets_of(w->a, "30(800102)"), w->a, &r);
	assert_true(r.what == PRESENTATION_ABORT_PROVIDER && r.reason == 2 && r.event == -1);
	presentation_read_abort(&w->p, octets_of(w->a, "31(800103)"), w->a, &r);
	assert_true(r.what == PRESENTATION_ABORT_X410 && r.reason == 3);
	presentation_read_abort(&w->p, octets_of(w->a, "a0()"), w->a, &r);
	assert_true(r.what == PRESENTATION_ABORT_USER && r.apdu.n == 0);
	presentation_read_abort(&w->p, octets_of(w->a, "a0(a0(30(020101 0602 5101)) 61(30(020101 a0(64(800100)))))"), w->a, &r);
	assert_true(r.what == PRESENTATION_ABORT_USER && view_eq(r.apdu, octets_of(w->a, "64(800100)")));
	presentation_read_abort(&w->p, octets_of(w->a, "ff01"), w->a, &r);
	assert_int_equal(r.what, PRESENTATION_ABORT_UNREADABLE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_pa_01_capture_octet_for_octet),
		CASE(test_pa_02_other_ids_and_order),
		CASE(test_pa_03_unknown_context_is_rejected_alone),
		CASE(test_pa_05_ber_is_chosen_among_transfer_syntaxes),
		CASE(test_pa_06_octet_aligned_user_data),
		CASE(test_pa_10_user_data_in_an_unknown_context),
		CASE(test_pa_11_set_in_reverse_order),
		CASE(test_pa_12_another_application_context),
		CASE(test_pa_13_titles_qualifiers_and_extensions_are_ignored),
		CASE(test_acse_version_must_be_offered),
		CASE(test_pa_17_long_object_identifiers),
		CASE(test_refusals_of_a_cp),
		CASE(test_refusal_by_the_provider),
		CASE(test_cpa_that_rejects_what_we_need),
		CASE(test_cpa_of_another_mode),
		CASE(test_apdus_without_user_information),
		CASE(test_arp_fits_session_version_1),
		CASE(test_aborts_are_read_in_every_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
