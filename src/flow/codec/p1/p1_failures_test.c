/* p1_failures_test.c - rows of the failure catalogue about envelopes. What a peer sends wrong is refused as that message's fault, or
 * carried as it is; what we send is what the clauses of X.411 say. The names bear the numbers of the articles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/p1/p1_testing.h"

#include "flow/codec/p1/p1_orname.h"

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

/* Decode says so, and splitting says the same of the message or of the octets around it; neither reads on. */
static void assert_refused(struct view apdu, int diagnostic, struct arena *a)
{
	struct message m;
	struct view content;
	struct err e = { 0 };
	if (p1_decode(apdu, &m, &content, a, &test_limits, &e))
		fail_msg("it is taken");
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	assert_int_equal(e.reason, 1);
	assert_int_equal(e.diagnostic, diagnostic);
	assert_true(strlen(e.text) > 20);
}

/* A child longer than its parent (Q151395): at every level of an envelope, one octet more than is there. */
static void test_k151395_a_child_longer_than_its_parent(void **state)
{
	static const struct {
		const char *good, *bad;
	} row[] = {
		{ "6435 6311", "6435 6334" },                   /* identifier: its domain */
		{ "6435 6311 6104 1302", "6435 6311 6104 1303" }, /* country: its string */
		{ "1620 7065", "1621 7065" },                   /* identifier: its local part */
		{ "6026 3024", "6026 3025" },                   /* originator: its attributes */
		{ "8308 7065", "83ff 7065" },                   /* originator: a length of lengths */
		{ "6929 3027", "6929 3028" },                   /* trace: its element */
		{ "3112 800d", "3112 8012" },                   /* its supplied information: a time */
		{ "a23e 313c", "a23e 313d" },                   /* recipients: the first one */
		{ "8102 00f0", "8103 00f0" },                   /* a recipient: its indicators */
	};
	struct arena *a = *state;
	struct view good = message_of(a, T_PLAIN);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct view from = hex(a, row[i].good), to = hex(a, row[i].bad), bad = arena_copy(a, good);
		uint8_t *at = memmem(bad.p, bad.n, from.p, from.n);
		assert_non_null(at);
		memcpy(at, to.p, to.n);
		assert_refused(bad, 14, a);
	}
	assert_octets(again(good, 0, P1_EXT_STANDARD, a), again(good, 0, P1_EXT_STANDARD, a));
}

/* A content that says 2 GB and is one octet (Q152914): nothing is taken in advance. */
static void test_k152914_a_declared_length_takes_no_memory(void **state)
{
	struct arena *a = *state, *small = arena_new(64 << 10);
	struct view envelope = tlv(a, 0x31, hex(a, T_PLAIN));
	struct view apdu = join(a, hex(a, "a0 84 7fffffff"), join(a, envelope, hex(a, "04 84 7ffffeff 78")));
	struct p1_split *s = p1_split_new(1 << 16, &test_limits);
	struct p1_split_event ev;
	struct err e;
	size_t envelopes = 0, octets = 0;
	struct view in = apdu;
	while (p1_split_next(s, &in, &ev, small, &e) == STEP_DONE) {
		envelopes += ev.what == P1_SPLIT_ENVELOPE;
		octets += ev.what == P1_SPLIT_CONTENT ? ev.content.n : 0;
	}
	assert_int_equal(envelopes, 1);
	assert_int_equal(octets, 1);
	assert_int_equal(p1_split_envelope(s).n, envelope.n);
	assert_refused(apdu, 14, a);
	/* an envelope of which that is said is refused at once */
	p1_split_reset(s);
	in = hex(a, "a0 84 7fffffff 31 84 7ffffff0 64");
	assert_int_equal(p1_split_next(s, &in, &ev, small, &e), STEP_FAIL);
	assert_int_equal(e.diagnostic, 13);
	p1_split_free(&s);
	arena_free(&small);
}

/* Q183014: accepted, and absent from then on (test_p1_15 too). Where X.411 has something mandatory, empty is an error: a time
 * of no length (Q248732). */
static void test_k183014_k248732_fields_of_no_length(void **state)
{
	static const char trace_empty[] = "691c 301a 6311 610413026762 6203130120 1304736d6873 3105 8000 820100";
	struct arena *a = *state;
	struct view content;
	assert_int_equal(decoded(message_of(a, T_PLAIN "4a00"), &content, a)->content_id.n, 0);
	struct view set = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_RCPTS), hex(a, trace_empty));
	assert_refused(tlv(a, 0xa0, join(a, tlv(a, 0x31, set), hex(a, "040178"))), 14, a);
	assert_refused(message_of(a, T_ID T_ORIGINATOR "0600" T_TRACE T_RCPTS "6400"), 14, a); /* and no second identifier */
	assert_refused(message_of(a, "6400" T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS), 14, a);
	assert_refused(message_of(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE "a200"), 14, a);
	assert_refused(message_of(a, T_PLAIN "4700"), 14, a); /* a priority of no octet */
	/* in the internal trace, an extension: it stays octets */
	struct view element = hex(a, "3020 6311 610413026762 6203130120 1304736d6873 1602 6162 3107 8000 820100 8300");
	struct view ext = tlv(a, 0xa3, tlv(a, 0x30, join(a, hex(a, "800126"), tlv(a, 0xa2, tlv(a, 0x30, element)))));
	struct message *m = decoded(tlv(a, 0xa0, join(a, tlv(a, 0x31, join(a, hex(a, T_PLAIN), ext)), hex(a, "040178"))), &content, a);
	assert_int_equal(m->internal_trace.n, 0);
	assert_int_equal(m->ext.n, 1);
}

/* A report's delivery and arrival times too. */
static void test_k248732_times_of_a_report(void **state)
{
	struct arena *a = *state;
	struct view full = corpus("report-full", a), content;
	const struct message *m = decoded(full, &content, a);
	struct view time = m->rcpt[0].arrival.v[0].arrival_raw;
	uint8_t *at = memmem(full.p, full.n, time.p, time.n);
	assert_non_null(at);
	/* [0] of 13 octets becomes [0] of none and an unknown [31 context] of 11 around the rest: the lengths stay */
	for (uint8_t *p = (uint8_t *)(uintptr_t)full.p; p + 15 < full.p + full.n; p++)
		if (p[0] == 0x80 && p[1] == 13 && memcmp(p + 2, time.p, time.n) == 0) {
			p[1] = 0;
			p[2] = 0x9e;
			p[3] = 11;
		}
	struct message again_m;
	struct err e;
	assert_false(p1_decode(full, &again_m, &content, a, &test_limits, &e));
	assert_int_equal(e.diagnostic, 14);
}

/* Object identifiers of 33 and of 400 octets (Q231818): carried. */
static void test_k231818_long_object_identifiers(void **state)
{
	struct arena *a = *state;
	for (size_t n = 31; n < 400; n += 41) {
		uint8_t *p = arena_get(a, n);
		memset(p, 0x81, n);
		p[0] = 0x2a;
		p[n - 1] = 0x01;
		struct view oid = tlv(a, 0x06, view_of(p, n)), type = tlv(a, 0x83, view_of(p, n)), content;
		struct view ext = tlv(a, 0xa3, tlv(a, 0x30, join(a, type, hex(a, "a2020500"))));
		struct view eits = tlv(a, 0x65, join(a, hex(a, "80020520"), tlv(a, 0xa4, oid)));
		const struct view parts[] = { hex(a, T_ORIGINATOR T_ID), eits, oid, hex(a, T_TRACE T_RCPTS), ext };
		struct view set = { NULL, 0 };
		for (size_t i = 0; i < ARRAY_LEN(parts); i++)
			set = join(a, set, parts[i]);
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, set), hex(a, "040178")));
		struct message *m = decoded(apdu, &content, a);
		assert_int_equal(m->content_type_oid.n, n);
		struct view sent = again(apdu, 0, P1_EXT_STANDARD, a);
		assert_true(contains(sent, oid) && contains(sent, ext) && contains(sent, eits));
		struct out o;
		out_init(&o, 1 << 20);
		p1_print(P1_1988, apdu, BER_ASN1, 0, a, &test_limits, &o);
		assert_true(out_len(&o) > 100);
		out_fini(&o);
	}
}

/* ORName { C=gb, surname when `whole`, directory name { CN = value } } as a recipient. */
static struct view to_name(struct arena *a, struct view dn, bool whole)
{
	struct view standard = tlv(a, 0x30, hex(a, whole ? "6104 13026762 a503 80 0173" : "6104 13026762"));
	struct view name = tlv(a, 0x60, join(a, standard, tlv(a, 0xa0, dn)));
	struct view set = tlv(a, 0x31, join(a, name, hex(a, "800101 810200f0")));
	struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
	return tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "040178")));
}

static struct view dn_of(struct arena *a, uint8_t tag, struct view value)
{
	return tlv(a, 0x30, tlv(a, 0x31, tlv(a, 0x30, join(a, hex(a, "0603550403"), tlv(a, tag, value)))));
}

/* Directory names with characters that their string type has not, too long, or not names at all (Q249153, Q156716, Q155695): beside an
 * address that says who it is they are left out, so that no peer refuses them; alone they are carried, as all there is. */
static void test_k249153_k156716_k155695_directory_names(void **state)
{
	struct arena *a = *state;
	uint8_t *braces = arena_get(a, 3000), *letters = arena_get(a, 3000);
	memset(braces, '{', 3000);
	memset(letters, 'x', 3000);
	const struct {
		struct view dn;
		bool sound;
	} row[] = {
		{ dn_of(a, 0x13, VIEW("Peter Smith")), true },
		{ dn_of(a, 0x13, VIEW("Peter_Smith@x")), false }, /* PrintableString has no _ and no @ */
		{ dn_of(a, 0x14, VIEW("Peter_Smith@x")), true },  /* TeletexString */
		{ dn_of(a, 0x13, VIEW("M\xfcller")), false },
		{ dn_of(a, 0x0c, VIEW("M\xc3\xbcller")), true },  /* UTF8String */
		{ dn_of(a, 0x16, VIEW("M\xfcller")), false },     /* IA5String */
		{ dn_of(a, 0x12, VIEW("12a")), false },           /* NumericString */
		{ dn_of(a, 0x13, view_of(braces, 200)), false },
		{ dn_of(a, 0x13, view_of(letters, 3000)), true }, /* long, but a name */
		{ hex(a, "0500"), false },                        /* NULL */
		{ hex(a, "3000"), true },                         /* the root */
		{ hex(a, "3003 020101"), false },
		{ hex(a, "3004 3102 0500"), false },
		{ hex(a, "3008 3106 3004 06022a03"), false },     /* no value */
		{ hex(a, "300a 3108 3006 020101 020101"), false }, /* no type */
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct view dn = tlv(a, 0xa0, row[i].dn);
		struct view sent = again(to_name(a, row[i].dn, true), 0, P1_EXT_STANDARD, a);
		if (contains(sent, dn) != row[i].sound)
			fail_msg("row %zu", i);
		assert_true(contains(sent, hex(a, "800173"))); /* the address is there */
		assert_true(contains(again(to_name(a, row[i].dn, false), 0, P1_EXT_STANDARD, a), dn));
	}
}

/* Anything in a report's additional information (Q151785): carried. */
static void test_k151785_additional_information(void **state)
{
	static const char *const info[] = { "0500", "3006 020101 80017f", "6009 7e05 0603550403 0500", "0400", "a180 0000" };
	struct arena *a = *state;
	struct view name = tlv(a, 0xa0, hex(a, "3006 6104 13026762"));
	struct view last = hex(a, "a319 800d3035313030313131333035305a a108 a106 800101 810100");
	struct view rcpt = tlv(a, 0x31, join(a, join(a, name, hex(a, "810101 820200d0")), last));
	for (size_t i = 0; i < ARRAY_LEN(info); i++) {
		struct view additional = tlv(a, 0xa2, hex(a, info[i]));
		struct view content = join(a, hex(a, T_ID), join(a, tlv(a, 0xa0, rcpt), additional));
		struct view apdu = tlv(a, 0xa1, join(a, tlv(a, 0x31, hex(a, T_ORIGINATOR T_ID T_TRACE)), tlv(a, 0x31, content)));
		assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), additional));
	}
}

/* No empty set of extensions in what we make (Q164049); indicators of 8 bits, none of them unused (Q140937). */
static void test_k164049_k140937_what_we_send(void **state)
{
	static const char *const name[] = { "message-full", "probe-full", "report-full", "pp-normal-mode-4", "p772-transfer-success" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct view content, apdu;
		struct message *m = decoded(corpus(name[i], a), &content, a);
		m->ext.n = m->content_ext.n = m->n_extra = m->n_content_extra = 0;
		m->internal_trace.n = 0;
		m->latest_delivery = 0;
		m->latest_raw.n = 0;
		m->dl_history.n = m->origin_history.n = m->n_exempted = 0;
		m->reporting_dl = NULL;
		m->reassignment_prohibited = m->dl_prohibited = false;
		for (size_t k = 0; k < m->n_rcpt; k++) {
			struct recipient *r = &m->rcpt[k];
			r->ext.n = r->n_extra = r->n_redirections = 0;
			r->alternate = NULL;
			r->indicators_raw.n = 0;
		}
		m->rcpt[0].responsible = true;
		m->rcpt[0].mta_report = REPORT_NON_DELIVERY;
		m->rcpt[0].originator_report = REPORT_NON_DELIVERY;
		apdu = encoded(m, content, 0, P1_EXT_STANDARD, a);
		for (uint8_t tag = 0xa1; tag <= 0xa6; tag++)
			if (tag != 0xa2) /* [2] of a report is additional information */
				assert_false(contains(apdu, tlv(a, tag, (struct view){ NULL, 0 })));
		assert_true(contains(apdu, hex(a, m->kind == MESSAGE_REPORT ? "820200a8" : "810200a8")));
		struct message *back = decoded(apdu, &content, a);
		assert_int_equal(back->ext.n + back->rcpt[0].ext.n, 0);
	}
}

/* One space, the digit 0 numeric and printable, empty, absent (Q168136, Q168140): in the address as in the identifier and the trace
 * (test_p1_16), each as it came. */
static void test_k168136_k168140_administration_domains(void **state)
{
	static const char *const admd[] = { "6203130120", "6203120130", "6203130130", "62021300", "62021200", "" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(admd); i++) {
		struct view content, parts = join(a, hex(a, "610413026762"), hex(a, admd[i]));
		struct view name = tlv(a, 0x60, tlv(a, 0x30, join(a, parts, hex(a, "a5 03 800173"))));
		struct view set = join(a, name, hex(a, "800101 810200f0"));
		struct view all = join(a, join(a, hex(a, T_ID T_CONTENT_TYPE T_TRACE), name), tlv(a, 0xa2, tlv(a, 0x31, set)));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "040178")));
		struct message *m = decoded(apdu, &content, a);
		assert_true(oraddr_eq(&m->originator, &m->rcpt[0].addr));
		struct view sent = again(apdu, 0, P1_EXT_STANDARD, a);
		assert_true(contains(sent, join(a, name, hex(a, "64"))));  /* originator, then the identifier */
		assert_true(contains(sent, set));
	}
}

/* Countries of three digits, X.121 data country codes (Q165059); of no or of three letters (Q168536, Q256350): carried, and said to be
 * wrong by the check that submission asks. */
static void test_k165059_k168536_k256350_countries(void **state)
{
	static const struct {
		const char *octets;
		bool good;
	} row[] = {
		{ "6105 1203 323334", true }, { "6105 1303 323334", false }, { "6104 1302 4742", true },
		{ "6102 1300", false }, { "6102 1200", false }, { "6105 1303 474252", false }, { "6104 1202 3233", false },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct view content, name = tlv(a, 0x60, tlv(a, 0x30, join(a, hex(a, row[i].octets), hex(a, "6203130120 a2031301 50 a503800173"))));
		struct view set = tlv(a, 0x31, join(a, name, hex(a, "800101 810200f0")));
		struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "040178")));
		struct message *m = decoded(apdu, &content, a);
		struct err e;
		if (oraddr_check(&m->rcpt[0].addr, &e) != row[i].good)
			fail_msg("row %zu", i);
		assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), name));
	}
}

/* The domain of the identifier is not that of the first element of the trace (Q159566, Q164838): no fault of a message. */
static void test_k159566_k164838_identifier_and_trace_may_differ(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct view apdu = message_of(a, "6417 6312 610413024652 62061304 4154454c 13025858 160161" T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS);
	struct message *m = decoded(apdu, &content, a);
	assert_false(gdi_eq(&m->id.domain, &m->trace.v[0].domain));
	struct message *back = decoded(again(apdu, 0, P1_EXT_STANDARD, a), &content, a);
	assert_true(gdi_eq(&m->id.domain, &back->id.domain));
	assert_true(gdi_eq(&m->trace.v[0].domain, &back->trace.v[0].domain));
}

/* Private extensions (Q230420): carried, unless they are critical for transfer; that one is named. */
static void test_k230420_private_extensions(void **state)
{
	struct arena *a = *state;
	for (unsigned bits = 0; bits < 8; bits++) {
		const uint8_t octets[] = { 0x81, 2, 5, (uint8_t)(bits << 5) };
		struct view inside = join(a, hex(a, "8302 2a03"), bits == 0 ? (struct view){ NULL, 0 } : view_of(octets, 4)), content;
		struct view ext = tlv(a, 0xa3, tlv(a, 0x30, join(a, inside, hex(a, "a2020500"))));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, join(a, hex(a, T_PLAIN), ext)), hex(a, "040178")));
		struct message *m = decoded(apdu, &content, a);
		const struct extension *unknown = extensions_unsupported(&m->ext);
		/* bit 0 for submission, 1 for transfer, 2 for delivery: the top bits of the octet */
		assert_int_equal(unknown != NULL, (bits & 2) != 0);
		struct message *back = decoded(again(apdu, 0, P1_EXT_STANDARD, a), &content, a);
		assert_true(back->ext.n == 1 && back->ext.v[0].is_private && back->ext.v[0].criticality == m->ext.v[0].criticality);
	}
}

/* Contents of any kind and shape, a document's for instance (Q319846): their octets are nobody's business here. */
static void test_k319846_any_content(void **state)
{
	static const char *const type[] = { "460100", "460101", "460123", "4602 7fff", "0606 2b0601040163", "060b 60864801650202010801 7f" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(type); i++) {
		static const char *const octets[] = { "0400", "0403 ffffff", "2480 0401 61 2480 0401 62 0000 0000", "0402 3080" };
		for (size_t k = 0; k < ARRAY_LEN(octets); k++) {
			struct view set = join(a, hex(a, T_ID T_ORIGINATOR T_TRACE T_RCPTS), hex(a, type[i])), content, back;
			struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, set), hex(a, octets[k])));
			(void)decoded(apdu, &content, a);
			(void)decoded(again(apdu, 0, P1_EXT_STANDARD, a), &back, a);
			assert_true(view_eq(content, back));
		}
	}
}

/* A BIT STRING of no bits, in one octet (Q164528): nothing is asked for. (In a content: ipm's own test.) */
static void test_k164528_indicators_of_no_bits(void **state)
{
	static const char *const bits[] = { "810100", "81020700", "8100" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		struct view set = tlv(a, 0x31, join(a, hex(a, T_NAME "800101"), hex(a, bits[i]))), content;
		struct view all = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, set));
		struct view apdu = tlv(a, 0xa0, join(a, tlv(a, 0x31, all), hex(a, "040178")));
		if (i == 2) { /* not even the octet that says how many are unused: no BIT STRING (X.690 8.6.2) */
			assert_refused(apdu, 14, a);
			continue;
		}
		struct message *m = decoded(apdu, &content, a);
		assert_false(m->rcpt[0].responsible);
		assert_int_equal(m->rcpt[0].originator_report, REPORT_NONE);
		assert_int_equal(m->rcpt[0].mta_report, REPORT_NONE);
		assert_true(contains(encoded(m, content, 0, P1_EXT_STANDARD, a), hex(a, "81020000")));
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_k151395_a_child_longer_than_its_parent),
		T(test_k152914_a_declared_length_takes_no_memory),
		T(test_k183014_k248732_fields_of_no_length),
		T(test_k248732_times_of_a_report),
		T(test_k231818_long_object_identifiers),
		T(test_k249153_k156716_k155695_directory_names),
		T(test_k151785_additional_information),
		T(test_k164049_k140937_what_we_send),
		T(test_k168136_k168140_administration_domains),
		T(test_k165059_k168536_k256350_countries),
		T(test_k159566_k164838_identifier_and_trace_may_differ),
		T(test_k230420_private_extensions),
		T(test_k319846_any_content),
		T(test_k164528_indicators_of_no_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
