/* osi_test.c - the tables of presentation, ACSE, RTSE and MTA bind against the user data of the captures.
 * Expected values are read off the octets by hand, with X.226 8.5, X.227 9.1, X.228 9 and X.411 12.1.1. */
#include "flow/codec/osi/capture_test.h"

#include "base/text.h"
#include "flow/codec/osi/acse_apdu.h"
#include "flow/codec/osi/mta_bind_apdu.h"
#include "flow/codec/osi/ppdu.h"

static const struct ber_limits limits = { .depth = 24, .elements = 10000, .bytes = 1 << 20 };

enum { S_GT = 1, S_DT = 1, S_PT = 2, S_FN = 9, S_DN = 10, S_RF = 12, S_CN = 13, S_AC = 14 };

static void decode(const struct ber_type *t, struct view in, void *value, struct arena *a)
{
	struct err e;
	if (!ber_decode(t, in, value, a, &limits, &e))
		fail_msg("%s: %s", t->name, e.text);
}

/* A decoded value of a peer that writes definite, minimal, in tag order is encoded to the same octets. */
static void assert_same_again(const struct ber_type *t, const void *value, struct view in)
{
	struct err e;
	struct out o;
	out_init(&o, 1 << 16);
	assert_true(ber_encode(t, value, &o, &e));
	assert_true(view_eq(out_view(&o), in));
	assert_int_equal(ber_size(t, value), in.n);
	out_fini(&o);
}

static struct view only_pdv(const struct ppdu_user_data *u, int64_t context)
{
	assert_int_equal(u->choice.which, PPDU_FULL);
	assert_int_equal(u->full.n, 1);
	const struct ppdu_pdv *pdv = u->full.v;
	assert_int_equal(pdv->context, context);
	assert_int_equal(pdv->values.choice.which, OSI_ENCODING_SINGLE);
	return osi_encoding_value(&pdv->values);
}

static struct view only_external(const struct ber_list *l)
{
	assert_int_equal(l->n, 1);
	const struct osi_external *x = l->v;
	assert_true(view_eq(x->direct, OSI_OID_BER));
	assert_int_equal(x->indirect, 3);
	return osi_encoding_value(&x->encoding);
}

/* What a CN of every capture has. */
static void check_cn(struct view in, struct arena *a, const char *name, const char *password, bool recover)
{
	struct ppdu_cp cp;
	struct acse_apdu acse;
	struct rtse_apdu rtse;
	decode(&ppdu_cp_type, in, &cp, a);
	assert_int_equal(cp.mode.value, PPDU_MODE_NORMAL);
	assert_int_equal(cp.normal.contexts.n, 3);
	const struct ppdu_context *context = cp.normal.contexts.v;
	assert_true(view_eq(context[0].abstract, OSI_OID_ACSE) && context[0].id == 1);
	assert_true(view_eq(context[1].abstract, OSI_OID_MTA_RTSE) && context[1].id == 3);
	assert_true(view_eq(context[2].abstract, OSI_OID_MTSE) && context[2].id == 5);
	decode(&acse_apdu_type, only_pdv(&cp.normal.user_data, 1), &acse, a);
	assert_int_equal(acse.choice.which, ACSE_APDU_AARQ);
	assert_true(view_eq(acse.aarq.context_name, OSI_OID_MTS_TRANSFER));
	decode(&rtse_apdu_type, only_external(&acse.aarq.user_information), &rtse, a);
	assert_int_equal(rtse.choice.which, RTSE_APDU_RTORQ);
	assert_int_equal(rtse.rtorq.checkpoint_size, 63);
	assert_int_equal(rtse.rtorq.window_size, 3); /* absent in all of them: DEFAULT 3 */
	assert_int_equal(rtse.rtorq.dialogue_mode, RTSE_APDU_MONOLOGUE);
	assert_int_equal(rtse.rtorq.data.choice.which, recover ? RTSE_APDU_RECOVER : RTSE_APDU_OPEN);
	if (recover) {
		assert_true(view_eq(rtse.rtorq.data.recover.calling.t61, VIEW("Percival")));
		assert_true(view_eq(rtse.rtorq.data.recover.common, VIEW("051001145108Z")));
		return;
	}
	struct mta_bind_value bind;
	decode(&mta_bind_argument_type, rtse.rtorq.data.open, &bind, a);
	assert_int_equal(bind.choice.which, MTA_BIND_AUTHENTICATED);
	assert_true(view_eq(bind.authenticated.name, view_str(name)));
	assert_true(view_eq(bind.authenticated.credentials.password, view_str(password)));
	assert_same_again(&mta_bind_argument_type, &bind, rtse.rtorq.data.open);
}

static void check_ac(struct view in, struct arena *a, int64_t checkpoint, const char *name, const char *password)
{
	struct ppdu_cpa cpa;
	struct acse_apdu acse;
	struct rtse_apdu rtse;
	struct mta_bind_value bind;
	decode(&ppdu_cpa_type, in, &cpa, a);
	assert_int_equal(cpa.normal.results.n, 3);
	const struct ppdu_result *r = cpa.normal.results.v;
	for (size_t i = 0; i < 3; i++)
		assert_true(r[i].result == PPDU_ACCEPTANCE && view_eq(r[i].transfer, OSI_OID_BER));
	decode(&acse_apdu_type, only_pdv(&cpa.normal.user_data, 1), &acse, a);
	assert_int_equal(acse.choice.which, ACSE_APDU_AARE);
	assert_int_equal(acse.aare.result, ACSE_ACCEPTED);
	decode(&rtse_apdu_type, only_external(&acse.aare.user_information), &rtse, a);
	assert_int_equal(rtse.choice.which, RTSE_APDU_RTOAC);
	assert_int_equal(rtse.rtoac.checkpoint_size, checkpoint);
	assert_int_equal(rtse.rtoac.window_size, 3);
	decode(&mta_bind_result_type, rtse.rtoac.data.open, &bind, a);
	assert_true(view_eq(bind.authenticated.name, view_str(name)));
	assert_true(view_eq(bind.authenticated.credentials.password, view_str(password)));
	assert_same_again(&ppdu_cpa_type, &cpa, in);
}

/* User data of the SPDU `si` that is alone in a TSDU of this side. */
static struct view user_data_of(const struct out *side, unsigned si, struct out *tsdu)
{
	struct cur c = cur_of(out_view(side));
	while (capture_tsdu(&c, tsdu)) {
		struct cur t = cur_of(out_view(tsdu));
		struct view parameters;
		if (capture_spdu(&t, &parameters) == si)
			return capture_parameter(parameters, 193);
	}
	fail_msg("no SPDU %u", si);
	return (struct view){ NULL, 0 };
}

struct binding {
	const char *file;
	size_t connection;
	const char *caller, *caller_password, *called, *called_password;
	int64_t checkpoint;
};

/* The README of the captures names the PP passwords; the others are in the octets as printable text. */
static const struct binding bindings[] = {
	{ "x400-ping-success.pcap", 0, "percival.smhs.co.uk", "excalibur", "guinevere.smhs.co.uk", "merlin", 63 },
	{ "p772-transfer-success.pcap", 1, "percival.smhs.co.uk", "excalibur", "guinevere.smhs.co.uk", "merlin", 63 },
	{ "pp-normal-mode.pcap", 0, "PP-A", "secretA", "PP-B", "secretB", 1 },
	{ "pp-normal-mode.pcap", 1, "PP-B", "secretB", "PP-A", "secretA", 1 },
	{ "pp-normal-mode.pcap", 2, "PP-B", "secretB", "PP-A", "secretA", 1 },
	{ "pp-normal-mode.pcap", 3, "PP-A", "secretA", "NEW-MTA", "secretN", 1 },
	{ "pp-checkpoints.pcap", 0, "PP-A", "secretA", "PP-B", "secretB", 1 },
};

static void test_binds_of_the_captures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
		const struct binding *b = &bindings[i];
		struct capture *cap = capture_open(b->file);
		struct arena *a = arena_new(1 << 16);
		struct out tsdu, from = capture_side(cap, b->connection, true), to = capture_side(cap, b->connection, false);
		out_init(&tsdu, 1 << 16);
		check_cn(user_data_of(&from, S_CN, &tsdu), a, b->caller, b->caller_password, false);
		check_ac(user_data_of(&to, S_AC, &tsdu), a, b->checkpoint, b->called, b->called_password);
		out_fini(&from);
		out_fini(&to);
		out_fini(&tsdu);
		arena_free(&a);
		capture_close(&cap);
	}
}

static void test_refusal_of_the_capture(void **state)
{
	(void)state;
	struct capture *cap = capture_open("p772-transfer-success.pcap");
	struct arena *a = arena_new(1 << 16);
	struct out tsdu, from = capture_side(cap, 0, true), to = capture_side(cap, 0, false);
	struct ppdu_cpr cpr;
	struct acse_apdu acse;
	struct rtse_apdu rtse;
	struct mta_bind_error_value error;
	out_init(&tsdu, 1 << 16);
	check_cn(user_data_of(&from, S_CN, &tsdu), a, NULL, NULL, true);
	struct cur c = cur_of(out_view(&to));
	assert_true(capture_tsdu(&c, &tsdu));
	struct cur t = cur_of(out_view(&tsdu));
	struct view parameters;
	assert_int_equal(capture_spdu(&t, &parameters), S_RF);
	const struct view reason = capture_parameter(parameters, 50);
	assert_int_equal(reason.p[0], 2);
	decode(&ppdu_cpr_type, view_from(reason, 1), &cpr, a);
	assert_int_equal(cpr.choice.which, PPDU_CPR_IS_NORMAL);
	decode(&acse_apdu_type, only_pdv(&cpr.normal.user_data, 1), &acse, a);
	assert_int_equal(acse.aare.result, ACSE_REJECTED_PERMANENT);
	assert_int_equal(acse.aare.diagnostic.choice.which, ACSE_APDU_USER);
	assert_int_equal(acse.aare.diagnostic.value, ACSE_USER_NO_REASON);
	decode(&rtse_apdu_type, only_external(&acse.aare.user_information), &rtse, a);
	assert_int_equal(rtse.choice.which, RTSE_APDU_RTORJ);
	decode(&mta_bind_error_type, rtse.rtorj.user_data, &error, a);
	assert_int_equal(error.choice.which, MTA_BIND_ERROR_WRAPPED);
	assert_int_equal(error.error, 0);
	assert_same_again(&ppdu_cpr_type, &cpr, view_from(reason, 1));
	out_fini(&from);
	out_fini(&to);
	out_fini(&tsdu);
	arena_free(&a);
	capture_close(&cap);
}

/* Every release of every capture: RLRQ and RLRE, reason normal. */
static void test_releases_of_the_captures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bindings); i++) {
		struct capture *cap = capture_open(bindings[i].file);
		struct arena *a = arena_new(1 << 16);
		for (int side = 0; side < 2; side++) {
			struct out tsdu, octets = capture_side(cap, bindings[i].connection, side == 0);
			struct ppdu_user_data u;
			struct acse_apdu acse;
			out_init(&tsdu, 1 << 16);
			decode(&ppdu_user_data_type, user_data_of(&octets, side == 0 ? S_FN : S_DN, &tsdu), &u, a);
			decode(&acse_apdu_type, only_pdv(&u, 1), &acse, a);
			assert_int_equal(acse.choice.which, side == 0 ? ACSE_APDU_RLRQ : ACSE_APDU_RLRE);
			assert_int_equal(acse.rlrq.reason, 0);
			out_fini(&octets);
			out_fini(&tsdu);
		}
		arena_free(&a);
		capture_close(&cap);
	}
}

/* Every DT of every capture holds one RTTR; all are indefinite at every level but the context's. */
static size_t rttr_octets(struct view tsdu, struct arena *a)
{
	struct cur t = cur_of(tsdu);
	struct view parameters;
	struct ppdu_user_data u;
	struct rtse_apdu rtse;
	if (capture_spdu(&t, &parameters) != S_GT || cur_left(&t) < 2 || *t.p != S_DT)
		return 0;
	assert_int_equal(capture_spdu(&t, &parameters), S_DT);
	if (cur_left(&t) == 0)
		return 0; /* GT and AS, or AE: their codes are others, this cannot be */
	decode(&ppdu_user_data_type, cur_rest(&t), &u, a);
	decode(&rtse_apdu_type, only_pdv(&u, 3), &rtse, a);
	assert_int_equal(rtse.choice.which, RTSE_APDU_RTTR);
	return rtse.rttr.n;
}

static size_t all_rttr_octets(const char *file, size_t connection)
{
	struct capture *cap = capture_open(file);
	struct out tsdu, octets = capture_side(cap, connection, true);
	struct cur c = cur_of(out_view(&octets));
	size_t n = 0;
	out_init(&tsdu, 1 << 20);
	while (capture_tsdu(&c, &tsdu)) {
		struct arena *a = arena_new(1 << 21);
		n += rttr_octets(out_view(&tsdu), a);
		arena_free(&a);
	}
	out_fini(&tsdu);
	out_fini(&octets);
	capture_close(&cap);
	return n;
}

static void test_transferred_octets_of_the_captures(void **state)
{
	(void)state;
	/* 24 80 { 04 82 0147, 04 82 01b7, 04 08 } and 04 82 0281, as section 0 of the stack's facts and the file have it. */
	assert_int_equal(all_rttr_octets("p772-transfer-success.pcap", 1), 0x147 + 0x1b7 + 8);
	assert_int_equal(all_rttr_octets("pp-normal-mode.pcap", 0), 0x281);
	/* 195 segments of 1024 octets (minor syncs 1 to 195) and a last one of 512: 04 82 0200. */
	assert_int_equal(all_rttr_octets("pp-checkpoints.pcap", 0), 195 * 1024 + 512);
}

/* --- forms that the captures do not have; octets written by hand from the modules --- */

static struct out octets(const char *hex)
{
	struct out o;
	out_init(&o, 1 << 16);
	assert_true(text_unhex(&o, view_str(hex)));
	return o;
}

static void test_bare_and_wrapped_bind_errors(void **state)
{
	(void)state;
	static const struct { const char *hex; uint32_t which; int64_t error; } rows[] = {
		{ "b203020102", MTA_BIND_ERROR_WRAPPED, 2 }, { "020102", MTA_BIND_ERROR_BARE, 2 },
		{ "020100", MTA_BIND_ERROR_BARE, 0 }, { "b203020103", MTA_BIND_ERROR_WRAPPED, 3 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(4096);
		struct out in = octets(rows[i].hex);
		struct mta_bind_error_value v;
		decode(&mta_bind_error_type, out_view(&in), &v, a);
		assert_int_equal(v.choice.which, rows[i].which);
		assert_int_equal(v.error, rows[i].error);
		out_fini(&in);
		arena_free(&a);
	}
}

static void test_forms_of_the_bind_argument(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct mta_bind_value v;
	struct out null = octets("b0020500");
	decode(&mta_bind_argument_type, out_view(&null), &v, a);
	assert_int_equal(v.choice.which, MTA_BIND_UNAUTHENTICATED);
	/* SET order is free: the credentials before the name; OCTET STRING and IA5String. */
	struct out reversed = octets("b00ba109 a1040402 4142 8001 43");
	decode(&mta_bind_argument_type, out_view(&reversed), &v, a);
	assert_true(view_eq(v.authenticated.name, VIEW("C")));
	assert_int_equal(v.authenticated.credentials.choice.which, MTA_BIND_OCTETS);
	assert_true(view_eq(v.authenticated.credentials.password, VIEW("AB")));
	/* Strong credentials [0] are known as such, not an error of the octets. */
	struct out strong = octets("b00ba109 800143 a104a002 3000");
	decode(&mta_bind_argument_type, out_view(&strong), &v, a);
	assert_int_equal(v.authenticated.credentials.choice.which, MTA_BIND_STRONG);
	out_fini(&null);
	out_fini(&reversed);
	out_fini(&strong);
	arena_free(&a);
}

/* X.411 wants 1 to 32 characters in an MTA name; one of none was the end of an association. Whose answer it is the password says. */
static void test_k123650_an_answer_with_an_empty_name(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct mta_bind_value v;
	struct out in = octets("b10a a108 8000 a1040402 4142");
	decode(&mta_bind_result_type, out_view(&in), &v, a);
	assert_int_equal(v.choice.which, MTA_BIND_AUTHENTICATED);
	assert_int_equal(v.authenticated.name.n, 0);
	assert_true(view_eq(v.authenticated.credentials.password, VIEW("AB")));
	out_fini(&in);
	arena_free(&a);
}

static void test_forms_of_aborts(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct ppdu_abort v;
	struct out arp = octets("3006 800106 810107"), empty_arp = octets("3000"), x410 = octets("3103 800103");
	struct out aru = octets("a019 6117 3015 020101 a010 640e 800100 be09 2807 020103 a002 b600");
	decode(&ppdu_abort_type, out_view(&arp), &v, a);
	assert_true(v.choice.which == PPDU_ABORT_ARP && v.arp.reason == 6 && v.arp.event == 7);
	decode(&ppdu_abort_type, out_view(&empty_arp), &v, a);
	assert_true(v.choice.which == PPDU_ABORT_ARP && v.arp.seq.has == 0);
	decode(&ppdu_abort_type, out_view(&x410), &v, a);
	assert_true(v.choice.which == PPDU_ABORT_X410 && v.x410.reason == 3);
	decode(&ppdu_abort_type, out_view(&aru), &v, a);
	assert_int_equal(v.choice.which, PPDU_ABORT_ARU);
	struct acse_apdu acse;
	decode(&acse_apdu_type, only_pdv(&v.aru.user_data, 1), &acse, a);
	assert_int_equal(acse.choice.which, ACSE_APDU_ABRT);
	const struct osi_external *external = acse.abrt.user_information.v;
	struct rtse_apdu rtse;
	decode(&rtse_apdu_type, osi_encoding_value(&external->encoding), &rtse, a);
	assert_true(rtse.choice.which == RTSE_APDU_RTAB && rtse.rtab.seq.has == 0);
	out_fini(&arp);
	out_fini(&empty_arp);
	out_fini(&x410);
	out_fini(&aru);
	arena_free(&a);
}

/* X.228 clause 9: without user data `open` is [0] IMPLICIT NULL. */
static void test_open_without_user_data(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct out in = octets("b004 a3028000");
	struct rtse_apdu v;
	decode(&rtse_apdu_type, out_view(&in), &v, a);
	assert_int_equal(v.choice.which, RTSE_APDU_RTORQ);
	assert_int_equal(v.rtorq.data.choice.which, RTSE_APDU_OPEN_NULL);
	assert_int_equal(v.rtorq.checkpoint_size, 0);
	assert_int_equal(v.rtorq.window_size, 3);
	out_fini(&in);
	arena_free(&a);
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct capture *cap = capture_open("x400-ping-success.pcap");
	struct out tsdu, from = capture_side(cap, 0, true);
	out_init(&tsdu, 1 << 16);
	const struct view cp = user_data_of(&from, S_CN, &tsdu);
	for (size_t n = 0; n < cp.n; n++) {
		struct arena *a = arena_new(1 << 16);
		struct ppdu_cp v;
		struct err e;
		assert_false(ber_decode(&ppdu_cp_type, view_first(cp, n), &v, a, &limits, &e));
		arena_free(&a);
	}
	out_fini(&from);
	out_fini(&tsdu);
	capture_close(&cap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binds_of_the_captures),
		cmocka_unit_test(test_refusal_of_the_capture),
		cmocka_unit_test(test_releases_of_the_captures),
		cmocka_unit_test(test_transferred_octets_of_the_captures),
		cmocka_unit_test(test_bare_and_wrapped_bind_errors),
		cmocka_unit_test(test_forms_of_the_bind_argument),
		cmocka_unit_test(test_k123650_an_answer_with_an_empty_name),
		cmocka_unit_test(test_forms_of_aborts),
		cmocka_unit_test(test_open_without_user_data),
		cmocka_unit_test(test_cut_at_every_offset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
