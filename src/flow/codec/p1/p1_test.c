/* p1_test.c - envelopes in and out. Expected values are what tshark shows of the captures, or X.411's clauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/p1/p1_testing.h"

#include "base/mem.h"
#include "flow/codec/p1/p1_orname.h"
#include "flow/message/message_testing.h"

static int setup(void **state)
{
	*state = arena_new(512 << 20);
	return 0;
}

static int teardown(void **state)
{
	struct arena *a = *state;
	arena_free(&a);
	return 0;
}

static const struct oraddr_attr *attr(const struct oraddr *addr, enum oraddr_type type, enum oraddr_form form)
{
	for (size_t i = 0; i < addr->n; i++)
		if (addr->v[i].type == type && addr->v[i].form == form)
			return &addr->v[i];
	return NULL;
}

static void assert_attr(const struct oraddr *addr, enum oraddr_type type, enum oraddr_form form, const char *want)
{
	const struct oraddr_attr *at = attr(addr, type, form);
	assert_non_null(at);
	assert_int_equal(at->value.n, strlen(want));
	assert_memory_equal(at->value.p, want, at->value.n);
}

static void assert_view(struct view v, const char *want)
{
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

/* tshark of p772-transfer-success.pcap, frame 20. */
static void test_p1_01_captured_message(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(corpus("p772-transfer-success", a), &content, a);
	assert_int_equal(m->kind, MESSAGE_MESSAGE);
	assert_view(m->id.local, "percival.s:055680:20051001113050");
	assert_view(m->id.domain.country.value, "gb");
	assert_view(m->id.domain.admd.value, " ");
	assert_view(m->id.domain.prmd.value, "smhs");
	assert_int_equal(m->originator.n, 5);
	assert_attr(&m->originator, ORA_COUNTRY, ORA_PRINTABLE, "gb");
	assert_attr(&m->originator, ORA_ADMD, ORA_PRINTABLE, " ");
	assert_attr(&m->originator, ORA_PRMD, ORA_PRINTABLE, "smhs");
	assert_attr(&m->originator, ORA_ORGANIZATION, ORA_PRINTABLE, "percival");
	assert_attr(&m->originator, ORA_SURNAME, ORA_PRINTABLE, "gal");
	assert_int_equal(m->content_type, -1);
	assert_octets(m->content_type_oid, hex(a, "2b1a00a236000401")); /* 1.3.26.0.4406.0.4.1 */
	assert_int_equal(m->priority, PRIORITY_NORMAL);
	assert_octets(m->original_eits, hex(a, "6503800100"));

	assert_int_equal(m->trace.n, 1);
	assert_view(m->trace.v[0].arrival_raw, "051001113050Z");
	assert_true(m->trace.v[0].arrival == 1128166250000);
	assert_int_equal(m->trace.v[0].action, ROUTING_RELAYED);
	assert_int_equal(m->internal_trace.n, 1);
	assert_view(m->internal_trace.v[0].mta, "percival.smhs.co.uk");
	assert_view(m->internal_trace.v[0].arrival_raw, "051001113050Z");

	assert_int_equal(m->ext.n, 1); /* priority-level-qualifier, private */
	assert_true(m->ext.v[0].is_private);
	assert_octets(m->ext.v[0].oid, hex(a, "2b1a00a236000800"));
	assert_octets(m->ext.v[0].value, hex(a, "020101"));
	assert_int_equal(m->ext.v[0].criticality, 0);

	assert_int_equal(m->n_rcpt, 1);
	assert_attr(&m->rcpt[0].addr, ORA_ORGANIZATION, ORA_PRINTABLE, "guinevere");
	assert_attr(&m->rcpt[0].addr, ORA_COMMON_NAME, ORA_PRINTABLE, "ethereal");
	assert_int_equal(m->rcpt[0].number, 1);
	assert_true(m->rcpt[0].responsible); /* bits 11110 */
	assert_int_equal(m->rcpt[0].mta_report, REPORT_ALL_AUDITED);
	assert_int_equal(m->rcpt[0].originator_report, REPORT_ALL);
	assert_int_equal(content.n, 435);
}

/* tshark of pp-normal-mode.pcap: the message of the fourth association, relayed by PP-A. */
static void test_p1_01_relayed_by_isode(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(corpus("pp-normal-mode-4", a), &content, a);
	assert_view(m->id.local, "ppb.test.989:22.10.26.00.39.08");
	assert_int_equal(m->content_type, 22);
	assert_view(m->content_id, "B to C via A");
	assert_int_equal(m->indicators, IND_ALTERNATE_ALLOWED | IND_CONTENT_RETURN);
	assert_int_equal(m->trace.n, 3);
	assert_view(m->trace.v[2].domain.prmd.value, "PPA");
	assert_int_equal(m->internal_trace.n, 2);
	assert_view(m->internal_trace.v[1].mta, "ppa.test");
	assert_int_equal(m->ext.n, 1);
	assert_int_equal(m->ext.v[0].number, EXT_CONTENT_CORRELATOR);
	assert_true(m->ext.v[0].explicit_type);
	assert_true(m->rcpt[0].responsible); /* bits 10101 */
	assert_int_equal(m->rcpt[0].mta_report, REPORT_NON_DELIVERY);
	assert_int_equal(m->rcpt[0].originator_report, REPORT_NON_DELIVERY);
	assert_int_equal(content.n, 181);
}

/* What is re-encoded is the capture itself, made definite, primitive and in tag order. */
static void test_captures_come_back_canonical(void **state)
{
	static const char *const name[] = { "p772-transfer-success", "pp-normal-mode-1", "pp-normal-mode-2",
					    "pp-normal-mode-3", "pp-normal-mode-4" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		char canonical[64];
		snprintf(canonical, sizeof canonical, "%s-canonical", name[i]);
		struct view want = corpus(canonical, a);
		assert_octets(again(corpus(name[i], a), 5, P1_EXT_AS_CAME, a), want);
		assert_octets(again(want, 5, P1_EXT_AS_CAME, a), want);
	}
}

/* Every field, every attribute of an O/R address and every extension of X.411, unknown elements in each place:
 * octet for octet, also through pack and unpack. */
static void test_full_apdus_come_back_octet_for_octet(void **state)
{
	static const char *const name[] = { "message-full", "probe-full", "report-full" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct view want = corpus(name[i], a);
		assert_octets(again(want, 5, P1_EXT_AS_CAME, a), want);
		assert_octets(again(want, 5, P1_EXT_STANDARD, a), want); /* it is in standard form */
	}
}

static void test_full_message_fields(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(corpus("message-full", a), &content, a);
	const struct oraddr *o = &m->originator;
	assert_attr(o, ORA_X121, ORA_NUMERIC, "23420");
	assert_attr(o, ORA_TERMINAL_ID, ORA_PRINTABLE, "T1");
	assert_attr(o, ORA_NUMERIC_USER_ID, ORA_NUMERIC, "4711");
	assert_attr(o, ORA_OU4, ORA_PRINTABLE, "Unit4");
	assert_attr(o, ORA_OU2, ORA_TELETEX, "Two");
	assert_attr(o, ORA_GENERATION, ORA_PRINTABLE, "III");
	assert_attr(o, ORA_GENERATION, ORA_TELETEX, "Jr");
	assert_attr(o, ORA_COMMON_NAME, ORA_TELETEX, "Caf\xe9");
	assert_attr(o, ORA_PD_OFFICE_NAME, ORA_TELETEX, "Off\xef");
	assert_attr(o, ORA_PD_ADDRESS, ORA_PRINTABLE, "The Dome\nThe Square\nRichmond\nEngland");
	assert_attr(o, ORA_TERMINAL_TYPE, ORA_NUMERIC, "5");
	assert_attr(o, ORA_POSTAL_CODE, ORA_NUMERIC, "12345");
	assert_octets(attr(o, ORA_COMMON_NAME, ORA_UNIVERSAL)->value, hex(a, "13026672 1e06005a006f00eb"));
	assert_octets(attr(o, ORA_SURNAME, ORA_UNIVERSAL)->value, hex(a, "1e0c004d00fc006c006c00650072"));
	assert_octets(attr(o, ORA_EXTENSION_RAW, ORA_RAW)->value, hex(a, "3003020101"));
	assert_int_equal(attr(o, ORA_EXTENSION_RAW, ORA_RAW)->number, 99);
	assert_view(attr(o, ORA_DDA, ORA_PRINTABLE)->type_name, "SMTP");
	assert_view(attr(o, ORA_DDA, ORA_TELETEX)->value, "v=/");
	assert_int_equal(o->directory_name.p[0], 0x30);

	assert_int_equal(m->priority, PRIORITY_URGENT);
	assert_int_equal(m->indicators, IND_DISCLOSURE | IND_ALTERNATE_ALLOWED | IND_CONTENT_RETURN | 1 << 9);
	assert_true(m->deferred == 946681140000); /* 9912312359+0100 */
	assert_true(m->latest_delivery == 946684799000);
	assert_int_equal(m->latest_crit, EXT_FOR_DELIVERY);
	assert_int_equal(m->n_bilateral, 3);
	assert_int_equal(m->n_extra, 1);
	assert_octets(m->extra[0], hex(a, "ab03020109"));
	const struct trace_element *t = &m->internal_trace.v[1];
	assert_view(t->attempted_mta, "mta-c");
	assert_int_equal(t->other_actions, TRACE_REDIRECTED | TRACE_DL_OPERATION);
	assert_int_equal(t->action, ROUTING_REROUTED);
	assert_view(m->internal_trace.v[2].attempted_domain.prmd.value, "PSA");
	assert_true(m->internal_trace.v[2].deferred == 915235200000);
	assert_int_equal(m->internal_trace.v[2].converted.p[0], 0x65);
	assert_int_equal(m->trace.v[2].n_extra, 1);
	assert_int_equal(m->n_rcpt, 3);
	assert_int_equal(m->rcpt[1].explicit_conversion, 8 + 1);
	assert_int_equal(m->rcpt[1].n_extra, 1);
	assert_int_equal(m->rcpt[1].originator_report, REPORT_NON_DELIVERY);
	assert_int_equal(m->rcpt[1].mta_report, REPORT_NONE);
	assert_octets(content, hex(a, "3003020105"));
}

static void test_full_report_fields(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(corpus("report-full", a), &content, a);
	assert_int_equal(m->kind, MESSAGE_REPORT);
	assert_view(m->id.local, "report.1");
	assert_view(m->subject_id.local, "subject.1");
	assert_int_equal(m->subject_trace.n, 2);
	assert_int_equal(m->content_type, 2);
	assert_view(m->content_id, "cid");
	assert_true(m->has_returned_content);
	assert_octets(m->returned_content, hex(a, "3003020105"));
	assert_octets(m->content_extra_raw, hex(a, "a2053003020101"));
	assert_int_equal(m->n_content_extra, 1);
	assert_int_equal(m->content_ext.v[0].number, EXT_CONTENT_CORRELATOR);
	assert_int_equal(m->n_rcpt, 5);
	assert_int_equal(m->rcpt[0].outcome, OUTCOME_DELIVERED);
	assert_true(m->rcpt[0].delivered_at == 915321601000);
	assert_int_equal(m->rcpt[0].type_of_user, 1);
	assert_int_equal(m->rcpt[0].reason, -1);
	assert_int_equal(m->rcpt[4].type_of_user, UINT32_MAX);
	assert_int_equal(m->rcpt[1].outcome, OUTCOME_NOT_DELIVERED);
	assert_int_equal(m->rcpt[1].reason, 1);
	assert_int_equal(m->rcpt[1].diagnostic, 0);
	assert_view(m->rcpt[1].supplementary, "no such user");
	assert_true(m->rcpt[1].has_intended);
	assert_attr(&m->rcpt[1].intended, ORA_ADMD, ORA_PRINTABLE, "atlas");
	assert_int_equal(m->rcpt[1].converted.p[0], 0x65);
	assert_true(m->rcpt[1].arrival.v[0].arrival == 915321600000);
	assert_int_equal(m->rcpt[1].arrival.v[0].n_extra, 1);
	assert_int_equal(m->rcpt[3].reason, 0);
	assert_int_equal(m->rcpt[3].diagnostic, -1);
}

static void test_rp_15_diagnostics_are_kept(void **state)
{
	struct arena *a = *state;
	struct view content, report = corpus("report-full", a);
	struct message *m = decoded(report, &content, a);
	assert_int_equal(m->rcpt[2].reason, 8);
	assert_int_equal(m->rcpt[2].diagnostic, 32767);
	for (int i = 0; i <= 78; i++) {
		m->rcpt[2].diagnostic = i;
		struct message *back = decoded(encoded(m, content, 0, P1_EXT_STANDARD, a), &content, a);
		assert_int_equal(back->rcpt[2].diagnostic, i);
	}
}

/* X.411: a SET has no order. */
static void test_p1_03_envelope_in_any_order(void **state)
{
	static const char *const element[] = { T_ID, T_ORIGINATOR, T_CONTENT_TYPE, T_TRACE, T_RCPTS, "470102",
					       "4a0161", "4802 0430", "6503800100",
					       "a309 3007 800117 a202 0400" };
	struct arena *a = *state;
	struct view content;
	struct message *first = NULL;
	struct dice d = { 1, a };
	for (int round = 0; round < 10; round++) {
		size_t order[ARRAY_LEN(element)];
		char all[4096];
		size_t n = 0;
		for (size_t i = 0; i < ARRAY_LEN(element); i++)
			order[i] = i;
		for (size_t i = ARRAY_LEN(element); round > 0 && i > 1; i--) {
			size_t j = dice_below(&d, i), x = order[j];
			order[j] = order[i - 1];
			order[i - 1] = x;
		}
		for (size_t i = 0; i < ARRAY_LEN(element); i++)
			n += (size_t)snprintf(all + n, sizeof all - n, "%s", element[order[i]]);
		struct message *m = decoded(message_of(a, all), &content, a);
		if (first == NULL)
			first = m;
		same_message(first, m);
	}
	assert_int_equal(first->priority, PRIORITY_URGENT);
}

/* [APPLICATION 7] ENUMERATED normal 0, non-urgent 1, urgent 2; any other is an error that says so. */
static void test_p1_04_priority(void **state)
{
	static const struct {
		const char *element;
		enum priority want;
	} row[] = { { "", PRIORITY_NORMAL }, { "470100", PRIORITY_NORMAL }, { "470101", PRIORITY_NON_URGENT },
		    { "470102", PRIORITY_URGENT } };
	struct arena *a = *state;
	struct view content;
	char all[4096];
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		snprintf(all, sizeof all, "%s%s", T_PLAIN, row[i].element);
		assert_int_equal(decoded(message_of(a, all), &content, a)->priority, row[i].want);
	}
	struct message m;
	struct err e;
	assert_false(p1_decode(message_of(a, T_PLAIN "470103"), &m, &content, a, &test_limits, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.reason, 1);
	assert_int_equal(e.diagnostic, 14);
	assert_string_equal(e.text, "priority: found 3, want normal (0), non-urgent (1) or urgent (2)");
}

static void test_p1_05_normal_priority_is_left_out(void **state)
{
	struct arena *a = *state;
	assert_octets(again(message_of(a, T_PLAIN "470100"), 0, P1_EXT_STANDARD, a),
		      again(message_of(a, T_PLAIN), 0, P1_EXT_STANDARD, a));
	assert_true(contains(again(message_of(a, T_PLAIN "470102"), 0, P1_EXT_STANDARD, a), hex(a, "470102")));
	assert_true(contains(again(message_of(a, T_PLAIN "470101"), 0, P1_EXT_STANDARD, a), hex(a, "470101")));
}

/* Exactly 8 bits go out, whatever came; 9 and more only where a bit beyond the first 8 is set. */
static void test_p1_06_indicators_have_8_bits(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "810200f0", "810200f0" }, { "810203f0", "810200f0" }, { "810304f000", "810200f0" },
		{ "810307f000", "810200f0" }, { "81020088", "81020088" }, { "8102008f", "8102008f" },
		{ "810304a010", "810304a010" },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct view set = tlv(a, 0x31, join(a, hex(a, T_NAME "800101"), hex(a, row[i].in)));
		struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
		struct view out = again(apdu, 0, P1_EXT_STANDARD, a);
		if (!contains(out, hex(a, row[i].out)))
			fail_msg("row %zu", i);
	}
}

/* X.411 has no empty SET OF extensions in 1988, and decoders broke on one (Q164049). */
static void test_p1_08_no_empty_extensions(void **state)
{
	struct arena *a = *state;
	struct view plain = again(message_of(a, T_PLAIN), 0, P1_EXT_STANDARD, a);
	assert_octets(again(message_of(a, T_PLAIN "a300"), 0, P1_EXT_STANDARD, a), plain);
	assert_octets(again(message_of(a, T_PLAIN "a3800000"), 0, P1_EXT_STANDARD, a), plain);
	assert_octets(plain, message_of(a, T_CONTENT_TYPE T_ORIGINATOR T_ID T_TRACE T_RCPTS));
}

/* The first counts, further ones are carried. */
static void test_p1_09_duplicate_extensions(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, T_PLAIN "a32c 3014800105a20f170d 3939303130313030303030305a"
					       "3014800105a20f170d 3030303130313030303030305a"),
				    &content, a);
	assert_int_equal(m->ext.n, 1);
	assert_view(m->latest_raw, "990101000000Z");
	assert_int_equal(m->ext.v[0].number, EXT_LATEST_DELIVERY);
}

/* Unknown extensions, standard and private, with every criticality: octets as they came. */
static void test_p1_10_unknown_extensions_are_relayed(void **state)
{
	static const char *const field[] = {
		"3007 80013f a2020500", "3008 80020100 a2020500", "300b 80013f 81020540 a2020500",
		"300b 80013f 810205e0 a2020500", "3010 83022a03 81020500 a206 2404 0402 6162",
		"300c 83022a03 a206 2480 0400 0000",
		"3004 83022a03", "300a 80013f 8101 00 a2020500", "300d 83022a03 8103 04 0010 a2020500",
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		struct view x = hex(a, field[i]);
		struct view all = join(a, hex(a, T_PLAIN), tlv(a, 0xa3, x));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
		if (!contains(again(apdu, 0, P1_EXT_AS_CAME, a), tlv(a, 0xa3, x)))
			fail_msg("row %zu", i);
	}
}

static void test_p1_14_identifier_and_trace_may_differ(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, "6417 6312 610413024652 62061304 4154454c 13025858"
					       "160161" T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS),
				    &content, a);
	assert_false(gdi_eq(&m->id.domain, &m->trace.v[0].domain));
}

static void test_p1_15_empty_content_identifier(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, T_PLAIN "4a00"), &content, a);
	assert_int_equal(m->content_id.n, 0);
	assert_octets(again(message_of(a, T_PLAIN "4a00"), 0, P1_EXT_STANDARD, a),
		      again(message_of(a, T_PLAIN), 0, P1_EXT_STANDARD, a));
}

/* Wherever a domain stands (Q168136): one space, numeric, empty, absent, without or with private domain. */
static void test_p1_16_every_form_of_domain(void **state)
{
	static const char *const domain[] = {
		"610413024742 6203130120 130150",   "610413024742 6203120130 130150", "610413024742 130150",
		"610413024742 62021300 130150",     "61051203323334 6203130120",
		"610413024742 62051203343030 120137",
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(domain); i++) {
		struct view g = tlv(a, 0x63, hex(a, domain[i]));
		struct view id = tlv(a, 0x64, join(a, g, hex(a, "160178")));
		struct view info = tlv(a, 0x31, join(a, join(a, g, hex(a, "800d3035313030313131333035305a")),
						     hex(a, "820101")));
		struct view element = tlv(a, 0x30, join(a, g, info));
		struct view trace = tlv(a, 0x69, join(a, element, element));
		struct view internal = tlv(a, 0x30, join(a, join(a, g, hex(a, "16016d")), info));
		struct view ext = tlv(a, 0x30, join(a, hex(a, "800126"), tlv(a, 0xa2, tlv(a, 0x30, internal))));
		struct view all = join(a, hex(a, T_CONTENT_TYPE T_ORIGINATOR), id);
		all = join(a, join(a, all, trace), join(a, hex(a, T_RCPTS), tlv(a, 0xa3, ext)));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "040178")));
		assert_octets(again(apdu, 0, P1_EXT_STANDARD, a), apdu);
	}
}

/* An empty private domain is none. */
static void test_empty_private_domain_is_absent(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, "6412 630d 610413024742 6203130120 1300 160161"
					       T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS),
				    &content, a);
	assert_false(m->id.domain.has_prmd);
	assert_true(contains(encoded(m, content, 0, P1_EXT_STANDARD, a),
			     hex(a, "6410 630b 610413024742 6203130120 160161")));
}

static void test_p1_20_32000_recipients(void **state)
{
	enum { MANY = 32000 };
	struct arena *a = *state;
	struct out o;
	out_init(&o, 64 << 20);
	struct view one = hex(a, T_RCPT);
	for (unsigned i = 0; i < MANY; i++) {
		uint8_t number[] = { (uint8_t)(i >> 8), (uint8_t)i };
		struct view name = view_of(one.p + 2, one.n - 2 - 7);
		struct view set = join(a, name, tlv(a, 0x80, view_of(number, 2)));
		out_bytes(&o, tlv(a, 0x31, join(a, set, hex(a, "81020080"))));
	}
	struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, out_view(&o)));
	struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "040178")));
	out_fini(&o);
	struct arena *small = arena_new(48 << 20);
	struct view content;
	struct message *m = decoded(apdu, &content, small);
	assert_int_equal(m->n_rcpt, MANY);
	assert_int_equal(m->rcpt[MANY - 1].number, MANY - 1);
	assert_attr(&m->rcpt[MANY - 1].addr, ORA_COMMON_NAME, ORA_PRINTABLE, "ethereal");
	assert_true(arena_used(small) < 32 << 20); /* some 750 octets each */
	assert_true(encoded(m, content, 0, P1_EXT_STANDARD, a).n > MANY * 60);
	arena_free(&small);
}

static void test_p1_21_responsibility(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE "a27c" T_RCPT
					       "313c" T_NAME "800102 81020028"),
				    &content, a);
	assert_true(m->rcpt[0].responsible);
	assert_false(m->rcpt[1].responsible);
	assert_int_equal(m->rcpt[1].mta_report, REPORT_NON_DELIVERY);
	assert_int_equal(m->rcpt[1].originator_report, REPORT_NON_DELIVERY);
	assert_true(contains(encoded(m, content, 0, P1_EXT_STANDARD, a), hex(a, "81020028")));
}

static void test_p1_23_recipient_number_is_kept(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE "a23f 313d" T_NAME
					       "80020bb8 81020028"),
				    &content, a);
	assert_int_equal(m->rcpt[0].number, 3000);
	assert_true(contains(encoded(m, content, 0, P1_EXT_STANDARD, a), hex(a, "80020bb8")));
}

static void test_p1_24_encoded_types_are_not_invented(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded(message_of(a, T_PLAIN), &content, a);
	assert_int_equal(m->original_eits.n, 0);
	struct message *back = decoded(encoded(m, content, 0, P1_EXT_STANDARD, a), &content, a);
	assert_int_equal(back->original_eits.n, 0);
}

static void test_p1_28_bilateral_information_is_passed_on(void **state)
{
	struct arena *a = *state;
	struct view info = hex(a, "a116 3014 610413024742 62051203343030 0405 62696c6174");
	struct view all = join(a, hex(a, T_PLAIN), info);
	struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
	assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), info));
}

static void test_p1_29_any_content_type(void **state)
{
	static const char *const type[] = { "460100", "460101", "460102", "460116", "460123", "46027fff",
					    "06032a0304" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(type); i++) {
		struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_TRACE T_RCPTS), hex(a, type[i]));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
		assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), hex(a, type[i])));
	}
}

/* Q249153: 200 characters and a brace in a directory name. */
static void test_p1_30_long_directory_name(void **state)
{
	struct arena *a = *state;
	char text[201];
	memset(text, '{', 200);
	struct view value = tlv(a, 0x13, view_of(text, 200));
	struct view rdn = tlv(a, 0x31, tlv(a, 0x30, join(a, hex(a, "0603550403"), value)));
	struct view dn = tlv(a, 0xa0, tlv(a, 0x30, rdn));
	struct view name = tlv(a, 0x60, join(a, hex(a, "3006 6104 13024742"), dn));
	struct view set = tlv(a, 0x31, join(a, name, hex(a, "800101 810200f0")));
	struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
	struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
	assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), name));
	struct out o;
	out_init(&o, 1 << 20);
	p1_print(P1_1988, apdu, BER_JSON, 0, a, &test_limits, &o);
	assert_true(contains(out_view(&o), VIEW("{{{{{{{{")) || contains(out_view(&o), VIEW("7b7b7b7b")));
	out_fini(&o);
}

static void test_p1_31_directory_name_only(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct view name = hex(a, "6013 3000 a00f 300d 310b 3009 0603550406 13024742");
	struct view set = tlv(a, 0x31, join(a, name, hex(a, "800101 810200f0")));
	struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
	struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
	struct message *m = decoded(apdu, &content, a);
	assert_int_equal(m->rcpt[0].addr.n, 0);
	assert_octets(m->rcpt[0].addr.directory_name, hex(a, "300d 310b 3009 0603550406 13024742"));
	assert_true(contains(encoded(m, content, 0, P1_EXT_STANDARD, a), name));
}

/* An OBJECT IDENTIFIER, never RELATIVE-OID as the module of 1999 prints it. */
static void test_p1_33_extended_content_type(void **state)
{
	struct arena *a = *state;
	struct view out = again(corpus("p772-transfer-success", a), 5, P1_EXT_STANDARD, a);
	assert_true(contains(out, hex(a, "06082b1a00a236000401")));
	struct message m;
	struct view content;
	struct err e;
	assert_false(p1_decode(message_of(a, T_ID T_ORIGINATOR "0d082b1a00a236000401" T_TRACE T_RCPTS), &m, &content, a,
			       &test_limits, &e));
	assert_non_null(strstr(e.text, "content-type"));
}

/* A message of our own making: every octet follows from X.411 and the values. */
static struct message *own_message(struct arena *a)
{
	static struct oraddr_attr from[] = {
		{ ORA_COUNTRY, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("GB") },
		{ ORA_ADMD, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW(" ") },
		{ ORA_PRMD, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("P") },
		{ ORA_SURNAME, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("s") },
	};
	static struct trace_element trace = { .domain = { { ORA_PRINTABLE, VIEW("GB") }, { ORA_PRINTABLE, VIEW(" ") },
							  { ORA_PRINTABLE, VIEW("P") }, true },
					      .arrival = 1128166250000 };
	static struct trace_element internal = { .arrival = 1128166250000 };
	static struct recipient r = { .number = 1, .responsible = true, .mta_report = REPORT_NON_DELIVERY,
				      .originator_report = REPORT_NON_DELIVERY };
	struct message *m = arena_get(a, sizeof *m);
	internal.domain = trace.domain;
	internal.mta = VIEW("mta");
	r.addr = (struct oraddr){ from, ARRAY_LEN(from), { NULL, 0 } };
	m->id = (struct mts_id){ trace.domain, VIEW("1") };
	m->originator = r.addr;
	m->content_type = 22;
	m->priority = PRIORITY_NORMAL;
	m->content_length = -1;
	m->trace = (struct trace){ &trace, 1 };
	m->internal_trace = (struct trace){ &internal, 1 };
	m->rcpt = &r;
	m->n_rcpt = 1;
	return m;
}

/* Country [APPLICATION 1] and administration domain [APPLICATION 2] are explicit tags: `61 04 13 02 ..`. */
static void test_p1_34_every_octet_of_a_message_of_ours(void **state)
{
	struct arena *a = *state;
	struct view out = encoded(own_message(a), VIEW("x"), 5, P1_EXT_STANDARD, a);
	assert_octets(out, hex(a,
		"2881c2 020105 a081bc a081b9 3181b3"
		"6017 3015 610413024742 6203130120 a203130150 a5038001 73"
		"6413 630e 610413024742 6203130120 130150 160131"
		"460116"
		"6926 3024 630e 610413024742 6203130120 130150 3112 800d3035313030313131333035305a 820100"
		"a222 3120 6017 3015 610413024742 6203130120 a203130150 a503800173 800101 810200a8"
		"a334 3032 800126 a22d 302b 3029 630e 610413024742 6203130120 130150 16036d7461"
		"3112 800d3035313030313131333035305a 820100"
		"0401 78"));
}

static void test_extension_forms(void **state)
{
	struct arena *a = *state;
	struct view isode = corpus("pp-normal-mode-1", a), nexor = corpus("p772-transfer-success", a);
	struct view standard = hex(a, "800126"), explicit = hex(a, "a003020126");
	assert_true(contains(again(isode, 5, P1_EXT_AS_CAME, a), explicit));
	assert_true(contains(again(isode, 5, P1_EXT_STANDARD, a), standard));
	assert_false(contains(again(isode, 5, P1_EXT_STANDARD, a), explicit));
	assert_true(contains(again(nexor, 5, P1_EXT_AS_CAME, a), standard));
	assert_true(contains(again(nexor, 5, P1_EXT_EXPLICIT, a), explicit));
	assert_true(contains(again(nexor, 5, P1_EXT_EXPLICIT, a), hex(a, "a30a06082b1a00a236000800")));
	assert_false(contains(again(nexor, 5, P1_EXT_NONE, a), standard));
	assert_false(contains(again(nexor, 5, P1_EXT_NONE, a), hex(a, "2b1a00a236000800")));
	struct view content;
	assert_int_equal(decoded(again(nexor, 5, P1_EXT_NONE, a), &content, a)->internal_trace.n, 0);
}

/* Of a report, content that comes after the head is its returned content, and the last element. */
static void test_report_with_its_content_beside(void **state)
{
	struct arena *a = *state;
	struct view content, big = dice_octets(&(struct dice){ 3, a }, 70000);
	struct message *m = decoded(corpus("report-full", a), &content, a);
	struct p1_encode_options options = { 5, P1_EXT_STANDARD };
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	assert_true(p1_encode_head(m, big.n, &options, &o, &e));
	out_bytes(&o, big);
	struct message *back = decoded(out_view(&o), &content, a);
	assert_octets(back->returned_content, big);
	back->returned_content = m->returned_content;
	same_message(m, back);
	out_fini(&o);
}

/* --- what does not decode --- */

static void test_errors_name_the_place(void **state)
{
	static const struct {
		const char *elements, *text;
	} row[] = {
		{ T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS, "message-identifier" },
		{ T_ID T_CONTENT_TYPE T_TRACE T_RCPTS, "originator-name" },
		{ T_ID T_ORIGINATOR T_TRACE T_RCPTS, "content-type" },
		{ T_ID T_ORIGINATOR T_CONTENT_TYPE T_RCPTS, "trace-information" },
		{ T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE, "per-recipient-fields" },
		{ T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE "a200", "per-recipient-fields" },
		{ T_PLAIN T_ID, "message-identifier" },
		{ T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE "a23a 3138" T_NAME "810100", "originally-specified" },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct message m;
		struct view content;
		struct err e;
		if (p1_decode(message_of(a, row[i].elements), &m, &content, a, &test_limits, &e))
			fail_msg("row %zu decodes", i);
		if (strstr(e.text, row[i].text) == NULL)
			fail_msg("row %zu: %s", i, e.text);
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.culprit, ERR_OF_MESSAGE);
		assert_int_equal(e.reason, 1);
		assert_int_equal(e.diagnostic, 14);
	}
}

static void test_limits_are_size_constraints(void **state)
{
	struct arena *a = *state, *small = arena_new(1000);
	struct view full = corpus("message-full", a), content;
	struct message m;
	struct err e;
	assert_false(p1_decode(full, &m, &content, small, &test_limits, &e));
	assert_int_equal(e.diagnostic, 13);
	struct ber_limits few = test_limits;
	few.bytes = 100;
	assert_false(p1_decode(full, &m, &content, a, &few, &e));
	assert_int_equal(e.diagnostic, 13);
	few = test_limits;
	few.depth = 4;
	assert_false(p1_decode(full, &m, &content, a, &few, &e));
	arena_free(&small);
}

static void test_cut_at_every_offset(void **state)
{
	static const char *const name[] = { "p772-transfer-success", "message-full", "probe-full", "report-full" };
	struct arena *a = *state, *b = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct view whole = corpus(name[i], a);
		for (size_t cut = 0; cut < whole.n; cut++) {
			uint8_t *exact = mem_dup(whole.p, cut);
			struct message m;
			struct view content;
			struct err e;
			arena_reset(b);
			if (p1_decode(view_of(exact, cut), &m, &content, b, &test_limits, &e))
				fail_msg("%s cut at %zu decodes", name[i], cut);
			assert_int_equal(e.kind, ERR_PERM);
			free(exact);
		}
	}
	arena_free(&b);
}

/* A time that no clock shows is carried, and does not stop a message. */
static void test_bad_time_is_carried(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct view trace = hex(a, "691d 301b 6311 610413026762 6203130120 1304736d6873 3106 800161 820100");
	struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_RCPTS), trace);
	struct message *m = decoded(tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400"))), &content, a);
	assert_true(m->trace.v[0].arrival == 0);
	assert_true(contains(encoded(m, content, 0, P1_EXT_STANDARD, a), trace));
}

static void test_mandatory_fields_are_asked_of_us_too(void **state)
{
	struct arena *a = *state;
	struct p1_encode_options options = { 5, P1_EXT_STANDARD };
	struct message *m = own_message(a);
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	m->n_rcpt = 0;
	assert_false(p1_encode_head(m, 1, &options, &o, &e));
	assert_string_equal(e.text, "P1: the message has no recipient");
	m->n_rcpt = 1;
	m->content_type = -1;
	assert_false(p1_encode_head(m, 1, &options, &o, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	m->content_type = 22;
	out_fini(&o);
	out_init(&o, 100);
	assert_false(p1_encode_head(m, 1, &options, &o, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	out_fini(&o);
}

/* --- addresses on their own --- */

static void test_five_units_and_unknown_elements_survive(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct view bsa = hex(a, "610413024742 6203130120 a508 800173 8f03787878 a60f 130131 130132 130133 130134 130135"
				 "9f1f0141");
	struct view name = tlv(a, 0x60, join(a, tlv(a, 0x30, bsa), hex(a, "85017a")));
	struct view set = tlv(a, 0x31, join(a, name, hex(a, "800101 810200f0")));
	struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
	struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "0400")));
	struct message *m = decoded(apdu, &content, a);
	assert_attr(&m->rcpt[0].addr, ORA_OU4, ORA_PRINTABLE, "4");
	assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), name));
}

/* Attributes of a shape that the list has no place for stay octets; a second teletex name too. */
static void test_odd_attributes_stay_octets(void **state)
{
	static const char *const odd[] = {
		"800101 a103 020101",          /* common-name that is an INTEGER */
		"80010a a102 3100",            /* PDSParameter of nothing */
		"80010a a107 3105 0203010203", /* PDSParameter with an unknown element */
		"800117 a103 0201ff",          /* terminal-type -1 */
		"800118 a102 3100",            /* empty universal-common-name */
		"800105 a102 3000",            /* no units */
		"800202bc a103 020101",        /* attribute 700 */
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct view x = tlv(a, 0x30, hex(a, odd[i]));
		struct view name = tlv(a, 0x60, join(a, hex(a, "3006 610413024742"), tlv(a, 0x31, x)));
		struct p1_orname n;
		struct oraddr addr;
		struct err e;
		assert_true(ber_decode(&p1_orname_type, name, &n, a, &test_limits, &e));
		assert_true(p1_orname_to_addr(&n, &addr, a));
		assert_non_null(attr(&addr, ORA_EXTENSION_RAW, ORA_RAW));
		struct p1_orname back;
		struct out o;
		out_init(&o, 1000);
		assert_true(p1_orname_of_addr(&addr, &back, a, &e));
		assert_true(ber_encode(&p1_orname_type, &back, &o, &e));
		assert_octets(out_view(&o), name);
		out_fini(&o);
	}
}

static void test_attributes_without_a_place_are_refused(void **state)
{
	static const struct oraddr_attr bad[] = {
		{ ORA_COUNTRY, ORA_TELETEX, 0, { NULL, 0 }, VIEW("GB") },
		{ ORA_PDS_NAME, ORA_TELETEX, 0, { NULL, 0 }, VIEW("x") },
		{ ORA_SURNAME, ORA_RAW, 0, { NULL, 0 }, VIEW("x") },
		{ ORA_TERMINAL_TYPE, ORA_NUMERIC, 0, { NULL, 0 }, VIEW("5x") },
		{ ORA_DDA, ORA_RAW, 0, VIEW("t"), VIEW("x") },
		{ ORA_EXTENSION_RAW, ORA_RAW, 99, { NULL, 0 }, { NULL, 0 } },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oraddr_attr one = bad[i];
		struct oraddr addr = { &one, 1, { NULL, 0 } };
		struct p1_orname name;
		struct err e;
		if (p1_orname_of_addr(&addr, &name, a, &e))
			fail_msg("row %zu", i);
		assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
		assert_int_equal(e.diagnostic, 11);
	}
}

/* What a person can write as an address goes through the protocol and comes back as the same text. */
static void test_addresses_as_text_survive_the_protocol(void **state)
{
	static const char *const text[] = {
		"/G=john/S=smith/O=a bank ltd/P=abl/A=snomail/C=aq/",
		"/CN=Postmaster/O=A/ADMD=B/C=GB/",
		"/CN=yen*{165}/S=M*{252}ller/O=*{201}cole/OU1=x*{233}/OU2=b/P=400/A= /C=840/",
		"/DD.RFC-822=a(a)b.c/DD.X=y/DD.T{233}=v/S=s/A=a/C=fr/",
		"/PD-ADDRESS=The Dome|The Square|Richmond|England/PD-C=GB/PD-CODE=TW9/PD-PN=x/PD-SERVICE=q/A=a/C=GB/",
		"/X121=23421920/T-ID=abc/T-TY=g3fax(5)/UA-ID=4711/A=a/C=GB/",
		"/NET-NUM=441819282/NET-SUB=7/A=a/C=GB/",
		"/OU1=a/OU2=b/OU3=c/OU4=d/GQ=III/I=JK/S=s/A=a/C=GB/",
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		struct oraddr addr, back;
		struct p1_orname name, decoded_name;
		struct out octets, first, second;
		struct err e;
		out_init(&octets, 1 << 16);
		out_init(&first, 1 << 16);
		out_init(&second, 1 << 16);
		if (!oraddr_parse(view_str(text[i]), &addr, a, ORADDR_CARRY, &e))
			fail_msg("%s: %s", text[i], e.text);
		if (!p1_orname_of_addr(&addr, &name, a, &e) ||
		    !ber_encode(&p1_orname_type, &name, &octets, &e) ||
		    !ber_decode(&p1_orname_type, out_view(&octets), &decoded_name, a, &test_limits, &e))
			fail_msg("%s: %s", text[i], e.text);
		assert_true(p1_orname_to_addr(&decoded_name, &back, a));
		assert_true(oraddr_eq(&addr, &back));
		oraddr_print(&addr, ORADDR_RFC2156, &first);
		oraddr_print(&back, ORADDR_RFC2156, &second);
		assert_string_equal(out_cstr(&first), out_cstr(&second));
		out_fini(&second);
		out_fini(&first);
		out_fini(&octets);
	}
}

/* --- for people --- */

static void test_print_names_what_is_there(void **state)
{
	struct arena *a = *state;
	struct out o;
	out_init(&o, 1 << 20);
	p1_print(P1_1988, corpus("report-full", a), BER_ASN1, 0, a, &test_limits, &o);
	static const char *const want[] = { "report", "report-destination-name", "subject-identifier",
					    "non-delivery-diagnostic-code unrecognised-OR-name",
					    "reporting-MTA-name", "redirection-reason directory-look-up",
					    "type-of-MTS-user private" };
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (strstr(out_cstr(&o), want[i]) == NULL)
			fail_msg("not shown: %s", want[i]);
	out_clear(&o);
	p1_print(P1_1988, corpus("message-full", a), BER_JSON, 0, a, &test_limits, &o);
	assert_non_null(strstr(out_cstr(&o), "\"security-classification\":\"secret\""));
	assert_non_null(strstr(out_cstr(&o), "\"content\":{\"octets\":5}"));
	out_clear(&o);
	p1_print(P1_1988, VIEW("\x30\x03\x02\x01\x05"), BER_ASN1, 0, a, &test_limits, &o);
	assert_true(out_len(&o) > 0);
	out_fini(&o);
}

static void test_extension_names(void **state)
{
	(void)state;
	assert_null(extension_name(0));
	assert_null(extension_name(47));
	for (uint32_t i = 1; i <= 46; i++)
		assert_non_null(extension_name(i));
	assert_string_equal(extension_name(1), "recipient-reassignment-prohibited");
	assert_string_equal(extension_name(23), "content-correlator");
	assert_string_equal(extension_name(38), "internal-trace-information");
	assert_string_equal(extension_name(46), "certificate-selectors-override");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_p1_01_captured_message),
		TEST(test_p1_01_relayed_by_isode),
		TEST(test_captures_come_back_canonical),
		TEST(test_full_apdus_come_back_octet_for_octet),
		TEST(test_full_message_fields),
		TEST(test_full_report_fields),
		TEST(test_rp_15_diagnostics_are_kept),
		TEST(test_p1_03_envelope_in_any_order),
		TEST(test_p1_04_priority),
		TEST(test_p1_05_normal_priority_is_left_out),
		TEST(test_p1_06_indicators_have_8_bits),
		TEST(test_p1_08_no_empty_extensions),
		TEST(test_p1_09_duplicate_extensions),
		TEST(test_p1_10_unknown_extensions_are_relayed),
		TEST(test_p1_14_identifier_and_trace_may_differ),
		TEST(test_p1_15_empty_content_identifier),
		TEST(test_p1_16_every_form_of_domain),
		TEST(test_empty_private_domain_is_absent),
		TEST(test_p1_20_32000_recipients),
		TEST(test_p1_21_responsibility),
		TEST(test_p1_23_recipient_number_is_kept),
		TEST(test_p1_24_encoded_types_are_not_invented),
		TEST(test_p1_28_bilateral_information_is_passed_on),
		TEST(test_p1_29_any_content_type),
		TEST(test_p1_30_long_directory_name),
		TEST(test_p1_31_directory_name_only),
		TEST(test_p1_33_extended_content_type),
		TEST(test_p1_34_every_octet_of_a_message_of_ours),
		TEST(test_extension_forms),
		TEST(test_report_with_its_content_beside),
		TEST(test_errors_name_the_place),
		TEST(test_limits_are_size_constraints),
		TEST(test_cut_at_every_offset),
		TEST(test_bad_time_is_carried),
		TEST(test_mandatory_fields_are_asked_of_us_too),
		TEST(test_five_units_and_unknown_elements_survive),
		TEST(test_odd_attributes_stay_octets),
		TEST(test_attributes_without_a_place_are_refused),
		TEST(test_addresses_as_text_survive_the_protocol),
		TEST(test_print_names_what_is_there),
		TEST(test_extension_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
