/* p1_84_test.c - MPDUs of X.411 (1984), and envelopes on their way between 1988 and 1984. Expected values: octets written by hand
 * after X.411 (1984) 3.4; X.419 annex B and RFC 1328 for what is left out and what stands in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/p1/p1_testing.h"

#include "flow/message/downgrade.h"
#include "flow/message/message_testing.h"

static const struct gdi ours = { { ORA_PRINTABLE, { (const uint8_t *)"GB", 2 } },
				 { ORA_PRINTABLE, { (const uint8_t *)"POST", 4 } },
				 { ORA_PRINTABLE, { (const uint8_t *)"HORN", 4 } },
				 true };

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

/* --- MPDUs by hand --- */

#define U_GDI "6311 610413026762 6203130120 1304736d6873" /* C=gb; A= ; P=smhs */
#define U_EITS "6504 80020520"  /* iA5Text */
#define U_TRACE_TIME "800d 3936303130323033303430355a"

static struct view mpdu_id(struct arena *a, const char *local)
{
	struct view name = tlv(a, 0x16, view_str(local));
	return tlv(a, 0x64, join(a, hex(a, U_GDI), name));
}

/* C=gb; A= ; P=smhs; O=org; S=smi; G=g; DDA:Common=lists */
static struct view or_name(struct arena *a, uint8_t tag)
{
	struct view personal = tlv(a, 0xa5, hex(a, "8003736d69 810167"));
	struct view standard = tlv(a, 0x30, join(a, hex(a, "610413026762 6203130120 a2061304736d6873 83036f7267"), personal));
	struct view defined = tlv(a, 0x30, tlv(a, 0x30, hex(a, "1306436f6d6d6f6e 13056c69737473")));
	return tlv(a, tag, join(a, standard, defined));
}

/* arrival 960102030405Z, deferred 9601020305Z, rerouted, converted to IA5, previous the same domain */
static struct view trace_of(struct arena *a)
{
	struct view set = join(a, hex(a, U_GDI U_EITS U_TRACE_TIME), hex(a, "810b 393630313032303330355a 820101"));
	struct view second = tlv(a, 0x30, join(a, hex(a, U_GDI), tlv(a, 0x31, set)));
	struct view first = tlv(a, 0x30, join(a, hex(a, U_GDI), tlv(a, 0x31, hex(a, U_TRACE_TIME "820100"))));
	return tlv(a, 0x69, join(a, first, second));
}

static struct view all(struct arena *a, const struct view *v, size_t n)
{
	struct view whole = { NULL, 0 };
	for (size_t i = 0; i < n; i++)
		whole = join(a, whole, v[i]);
	return whole;
}

/* PerDomainBilateralInfo { C=gb, A=x, NULL }; RecipientInfo 32767: responsible, confirmed by the MTA, non-delivery by the user,
 * teletexTelex; and 1, not the peer's. */
static struct view user_mpdu(struct arena *a)
{
	struct view recipients = join(a, tlv(a, 0x31, join(a, or_name(a, 0x60), hex(a, "80027fff 810200c8 820101"))),
				      tlv(a, 0x31, join(a, or_name(a, 0x60), hex(a, "800101 81020000"))));
	const struct view set[] = {
		or_name(a, 0x60), mpdu_id(a, "1.2"), hex(a, U_EITS "460102 470102 48020490"), trace_of(a), hex(a, "4a02 6964"),
		hex(a, "800b 393630313032303330345a a10f 300d 610413026762 6203130178 0500"), tlv(a, 0xa2, recipients),
	};
	return tlv(a, 0xa0, join(a, tlv(a, 0x31, all(a, set, ARRAY_LEN(set))), hex(a, "040178")));
}

static struct view probe_mpdu(struct arena *a)
{
	const struct view set[] = {
		or_name(a, 0x60), mpdu_id(a, "1.3"), hex(a, U_EITS "460102 48020520"), trace_of(a), hex(a, "80022710"),
		tlv(a, 0xa2, tlv(a, 0x31, join(a, or_name(a, 0x60), hex(a, "800101 81020090")))),
	};
	return tlv(a, 0xa2, all(a, set, ARRAY_LEN(set)));
}

/* Two recipients: one delivered to a private UA, one not, reason 1, diagnostic 0; content returned; billing information NULL. */
static struct view report_with(struct arena *a, struct view more)
{
	struct view good = join(a, hex(a, U_EITS U_TRACE_TIME), tlv(a, 0xa1, tlv(a, 0xa0, hex(a, "800d 3936303130323033303530305a 810101"))));
	struct view bad = join(a, hex(a, U_TRACE_TIME), tlv(a, 0xa1, tlv(a, 0xa1, hex(a, "800101 810100"))));
	const struct view first[] = { or_name(a, 0xa0), hex(a, "810101 820200d0"), tlv(a, 0xa3, good), or_name(a, 0xa4),
				      hex(a, "8504 74657874") };
	const struct view second[] = { or_name(a, 0xa0), hex(a, "810102 820200d0"), tlv(a, 0xa3, bad) };
	struct view recipients = join(a, tlv(a, 0x31, all(a, first, ARRAY_LEN(first))), tlv(a, 0x31, all(a, second, ARRAY_LEN(second))));
	const struct view envelope[] = { or_name(a, 0x60), mpdu_id(a, "1.4"), trace_of(a) };
	const struct view content[] = { mpdu_id(a, "1.2"), trace_of(a), hex(a, "4a02 6964"), tlv(a, 0xa0, recipients),
					hex(a, "8101 78 a202 0500"), more };
	return tlv(a, 0xa1, join(a, tlv(a, 0x31, all(a, envelope, ARRAY_LEN(envelope))),
				 tlv(a, 0x31, all(a, content, ARRAY_LEN(content)))));
}

static struct view report_mpdu(struct arena *a)
{
	return report_with(a, (struct view){ NULL, 0 });
}

static struct message *decoded_84(struct view mpdu, struct view *content_r, struct arena *a)
{
	struct message *m = arena_get(a, sizeof *m);
	struct err e;
	if (!p1_decode_by(P1_1984, mpdu, m, content_r, a, &test_limits, &e))
		fail_msg("%s", e.text);
	return m;
}

static struct view encoded_84(const struct message *m, struct view content, const struct p1_encode_options *options, struct arena *a)
{
	struct out o;
	struct err e;
	out_init(&o, 64 << 20);
	if (!p1_encode_head(m, content.n, options, &o, &e))
		fail_msg("%s", e.text);
	if (m->kind == MESSAGE_MESSAGE)
		out_bytes(&o, content);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static const struct p1_encode_options as_84 = { .as_1984 = true, .domain = &ours };

static void assert_view(struct view v, const char *want)
{
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

static void assert_addr(const struct oraddr *addr, const char *want)
{
	struct out o;
	out_init(&o, 1 << 16);
	oraddr_print(addr, ORADDR_F401, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

#define NAME_84 "G=g; S=smi; DDA:Common=lists; O=org; P=smhs; C=gb"
#define NAME_88 "G=g; S=smi; CN=lists; O=org; P=smhs; C=gb"

/* 960102030405Z is 820551845 s after 1970. */
#define ARRIVAL 820551845000

/* --- in --- */

static void test_a_user_mpdu_of_every_element(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded_84(user_mpdu(a), &content, a);
	assert_int_equal(m->kind, MESSAGE_MESSAGE);
	assert_view(m->id.local, "1.2");
	assert_view(m->id.domain.prmd.value, "smhs");
	assert_addr(&m->originator, NAME_84);
	assert_octets(m->original_eits, hex(a, U_EITS));
	assert_int_equal(m->content_type, 2);
	assert_view(m->content_id, "id");
	assert_int_equal(m->priority, PRIORITY_URGENT);
	assert_true(m->has_indicators);
	assert_int_equal(m->indicators, IND_DISCLOSURE | IND_CONTENT_RETURN);
	assert_view(m->deferred_raw, "9601020304Z");
	assert_int_equal(m->n_bilateral, 1);
	assert_int_equal(m->trace.n, 2);
	assert_true(m->trace.v[0].arrival == ARRIVAL);
	assert_int_equal(m->trace.v[0].action, ROUTING_RELAYED);
	assert_int_equal(m->trace.v[1].action, ROUTING_REROUTED);
	assert_view(m->trace.v[1].deferred_raw, "9601020305Z");
	assert_true(m->trace.v[1].has_attempted);
	assert_view(m->trace.v[1].attempted_domain.prmd.value, "smhs");
	assert_octets(m->trace.v[1].converted, hex(a, U_EITS));
	assert_int_equal(m->n_rcpt, 2);
	assert_int_equal(m->rcpt[0].number, 32767);
	assert_true(m->rcpt[0].responsible);
	assert_int_equal(m->rcpt[0].mta_report, REPORT_ALL); /* 10: confirmed */
	assert_int_equal(m->rcpt[0].originator_report, REPORT_NON_DELIVERY); /* 01 */
	assert_int_equal(m->rcpt[0].explicit_conversion, 2);
	assert_int_equal(m->rcpt[1].number, 1);
	assert_false(m->rcpt[1].responsible);
	assert_int_equal(m->ext.n, 0);
	assert_int_equal(m->internal_trace.n, 0);
	assert_view(content, "x");
}

static void test_a_probe_mpdu(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded_84(probe_mpdu(a), &content, a);
	assert_int_equal(m->kind, MESSAGE_PROBE);
	assert_int_equal(m->content_length, 10000);
	assert_int_equal(m->indicators, IND_ALTERNATE_ALLOWED);
	assert_int_equal(m->n_rcpt, 1);
	assert_int_equal(m->rcpt[0].originator_report, REPORT_ALL);
}

static void test_a_delivery_report_mpdu(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded_84(report_mpdu(a), &content, a);
	assert_int_equal(m->kind, MESSAGE_REPORT);
	assert_view(m->id.local, "1.4");
	assert_view(m->subject_id.local, "1.2");
	assert_int_equal(m->content_type, -2);
	assert_view(m->content_id, "id");
	assert_int_equal(m->subject_trace.n, 2);
	assert_true(m->has_returned_content);
	assert_view(m->returned_content, "x");
	assert_octets(m->content_extra_raw, hex(a, "a2020500"));
	assert_int_equal(m->n_rcpt, 2);
	assert_int_equal(m->rcpt[0].outcome, OUTCOME_DELIVERED);
	assert_int_equal(m->rcpt[0].type_of_user, 1);
	assert_true(m->rcpt[0].has_intended);
	assert_addr(&m->rcpt[0].intended, NAME_84);
	assert_view(m->rcpt[0].supplementary, "text");
	assert_octets(m->rcpt[0].converted, hex(a, U_EITS));
	assert_int_equal(m->rcpt[1].outcome, OUTCOME_NOT_DELIVERED);
	assert_int_equal(m->rcpt[1].reason, 1);
	assert_int_equal(m->rcpt[1].diagnostic, 0);
	assert_false(m->rcpt[1].has_intended);
}

/* InternalTraceInformation of MOTIS [APPLICATION 30] where 1984 has no place for it: the report is a report all the same. */
static void test_k115357_internal_trace_inside_a_report(void **state)
{
	static const char *const odd[] = { "7e0a 3008 800341 4243 8001 42", "7e00", "7e02 3000", "5e03 414243" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct view content;
		const struct message *m = decoded_84(report_with(a, hex(a, odd[i])), &content, a);
		assert_int_equal(m->kind, MESSAGE_REPORT);
		assert_view(m->subject_id.local, "1.2");
		assert_int_equal(m->n_rcpt, 2);
		assert_int_equal(m->rcpt[1].outcome, OUTCOME_NOT_DELIVERED);
		assert_view(m->returned_content, "x");
	}
}

/* --- and out again --- */

static struct view mpdu_of(size_t i, struct arena *a)
{
	switch (i) {
	case 0: return user_mpdu(a);
	case 1: return probe_mpdu(a);
	default: return report_mpdu(a);
	}
}

/* Relayed from 1984 to 1984: octet for octet, also through the store and with its addresses as 1988 has them in between. */
static void test_of_1984_comes_back_octet_for_octet(void **state)
{
	struct arena *a = *state;
	for (size_t i = 0; i < 3; i++) {
		struct view mpdu = mpdu_of(i, a), content;
		struct message *m = decoded_84(mpdu, &content, a), back;
		struct out o;
		struct err e;
		assert_octets(encoded_84(m, content, &as_84, a), mpdu);
		assert_true(upgrade_message(m, &ours, a));
		assert_addr(&m->originator, NAME_88);
		out_init(&o, 1 << 20);
		pack_message(&o, m, 0, m->n_rcpt);
		assert_true(unpack_message(arena_copy(a, out_view(&o)), &back, a, &e));
		out_fini(&o);
		assert_octets(encoded_84(&back, content, &as_84, a), mpdu);
	}
}

/* The same values in 1988: 1984 is a part of it, but for the names of the elements (RFC 1328 1). */
static void test_of_1984_is_readable_as_1988(void **state)
{
	struct arena *a = *state;
	for (size_t i = 0; i < 3; i++) {
		struct view mpdu = mpdu_of(i, a), content, content_88;
		same_message(decoded_84(mpdu, &content, a), decoded(mpdu, &content_88, a));
		assert_true(view_eq(content, content_88));
	}
}

/* --- 1988 to 1984 --- */

static struct message *of_corpus(const char *name, struct view *content_r, struct arena *a)
{
	return decoded(corpus(name, a), content_r, a);
}

/* Every field, attribute and extension of 1988: nothing of them is left, and what is of 1984 is there. */
static void test_dg_05_everything_of_1988_is_left_out(void **state)
{
	static const char *const name[] = { "message-full", "probe-full", "report-full" };
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct view content, back_content;
		struct message *m = of_corpus(name[i], &content, a);
		for (size_t k = 0; k < m->n_rcpt; k++)
			m->rcpt[k].responsible = false; /* addresses that have no form of 1984 are let pass */
		if (m->kind != MESSAGE_REPORT)
			m->originator = m->originator.n > 5 ? (struct oraddr){ m->originator.v, 2, { NULL, 0 } } : m->originator;
		struct message *old = decoded_84(encoded_84(m, content, &as_84, a), &back_content, a);
		assert_int_equal(old->ext.n, 0);
		assert_int_equal(old->content_ext.n, 0);
		assert_int_equal(old->n_extra, 0);
		assert_int_equal(old->n_content_extra, 0);
		assert_int_equal(old->internal_trace.n, 0);
		assert_int_equal(old->latest_delivery, 0);
		assert_int_equal(old->trace.n, m->trace.n);
		assert_true(mts_id_eq(&old->id, &m->id));
		assert_int_equal(old->n_rcpt, m->n_rcpt);
		for (size_t k = 0; k < old->trace.n; k++) {
			assert_int_equal(old->trace.v[k].other_actions, 0);
			assert_int_equal(old->trace.v[k].n_extra, 0);
		}
		for (size_t k = 0; k < old->n_rcpt; k++) {
			const struct recipient *r = &old->rcpt[k];
			assert_int_equal(r->ext.n + r->n_extra + r->indicators_raw.n, 0);
			assert_true(r->addr.n > 0);
			for (size_t j = 0; j < r->addr.n; j++)
				assert_true(r->addr.v[j].form == ORA_PRINTABLE || r->addr.v[j].form == ORA_NUMERIC);
		}
	}
}

/* The captured message: its recipient's common name, the internal trace, the private extension, nine bits of indicators. */
static void test_dg_01_dg_06_the_captured_message_to_1984(void **state)
{
	struct arena *a = *state;
	struct view content, inner;
	struct message *m = of_corpus("p772-transfer-success", &content, a);
	struct view mpdu = encoded_84(m, content, &as_84, a);
	struct message *old = decoded(mpdu, &inner, a);
	assert_addr(&old->rcpt[0].addr, "DDA:Common=ethereal; O=guinevere; P=smhs; C=gb");
	assert_int_equal(old->internal_trace.n, 0);
	assert_int_equal(old->ext.n, 0);
	assert_true(contains(mpdu, hex(a, "810200f0"))); /* 8 bits, none unused */
	/* a content type of its own: EXTERNAL { 1.3.26.0.4406.0.4.1, octet-aligned } */
	assert_int_equal(old->content_type, 1);
	assert_octets(view_first(inner, 18), hex(a, "288201c1 0608 2b1a00a236000401 818201b3"));
	assert_octets(view_from(inner, 18), content);
	/* and back again */
	old = decoded_84(mpdu, &inner, a);
	assert_int_equal(old->content_type, -1);
	assert_octets(old->content_type_oid, hex(a, "2b1a00a236000401"));
	assert_octets(inner, content);
	assert_true(upgrade_message(old, &ours, a));
	assert_addr(&old->rcpt[0].addr, "CN=ethereal; O=guinevere; P=smhs; C=gb");
}

/* RFC 1328 4, RFC 1615 4.1: kept for a peer of MOTIS (1986); back again it is the message's. */
static void test_dg_06_internal_trace_as_motis_had_it(void **state)
{
	const struct p1_encode_options keep = { .as_1984 = true, .keep_internal_trace = true, .domain = &ours };
	struct p1_encode_options strip = keep;
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-4", &content, a);
	m->internal_trace.v[0].other_actions = TRACE_REDIRECTED;
	m->internal_trace.v[1].action = ROUTING_REROUTED;
	m->internal_trace.v[1].has_attempted = true;
	m->internal_trace.v[1].attempted_mta = VIEW("a@b");
	struct view mpdu = encoded_84(m, content, &keep, a);
	/* [APPLICATION 30] { SEQUENCE { PrintableString, SET { arrival, action reassignment } } ... */
	struct view t0 = m->internal_trace.v[0].arrival_raw, name = m->internal_trace.v[0].mta;
	struct view set = tlv(a, 0x31, join(a, tlv(a, 0x80, t0), hex(a, "820102")));
	assert_true(contains(mpdu, tlv(a, 0x30, join(a, tlv(a, 0x13, name), set))));
	assert_true(contains(mpdu, hex(a, "1603614062"))); /* `@` is not of PrintableString */
	struct message *old = decoded_84(mpdu, &content, a);
	assert_int_equal(old->n_extra, 0);
	assert_int_equal(old->internal_trace.n, 2);
	assert_true(view_eq(old->internal_trace.v[0].mta, m->internal_trace.v[0].mta));
	assert_int_equal(old->internal_trace.v[0].other_actions, TRACE_REDIRECTED);
	assert_true(old->internal_trace.v[1].arrival == m->internal_trace.v[1].arrival);
	assert_int_equal(old->internal_trace.v[1].action, ROUTING_REROUTED);
	assert_view(old->internal_trace.v[1].attempted_mta, "a@b");
	assert_view(old->internal_trace.v[1].domain.prmd.value, "PPA"); /* that of the last domain */
	strip.no_internal_trace = true;
	old = decoded_84(encoded_84(m, content, &strip, a), &content, a);
	assert_int_equal(old->internal_trace.n, 0);
	old = decoded_84(encoded_84(m, content, &as_84, a), &content, a);
	assert_int_equal(old->internal_trace.n, 0);
}

/* Not one of MOTIS: an unknown element, carried. */
static void test_a_damaged_internal_trace_of_motis_is_carried(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = arena_get(a, sizeof *m);
	struct err e;
	assert_true(p1_decode_by(P1_1984, message_of(a, T_ID T_ORIGINATOR "460102" T_TRACE T_RCPTS "7e03 020105"), m, &content, a,
				 &test_limits, &e));
	assert_int_equal(m->internal_trace.n, 0);
	assert_int_equal(m->n_extra, 1);
	assert_octets(m->extra[0], hex(a, "7e03020105"));
}

/* ContentType of 1984 is an INTEGER; P1-29's types. */
static void test_content_types(void **state)
{
	static const struct {
		int64_t number;
		const char *oid, *want;
	} row[] = {
		{ 0, "", "460100" }, { 1, "", "460101" }, { 2, "", "460102" }, { 22, "", "460116" }, { 35, "", "460123" },
		{ -1, "56010a00", "460102" }, { -1, "56010a01", "460116" }, { -1, "2a03", "460101" },
	};
	struct arena *a = *state;
	struct view content, inner;
	struct message *m = of_corpus("pp-normal-mode-1", &content, a), *old;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		m->content_type = row[i].number;
		m->content_type_oid = hex(a, row[i].oid);
		struct view mpdu = encoded_84(m, VIEW("abc"), &as_84, a);
		assert_true(contains(mpdu, hex(a, row[i].want)));
		old = decoded(mpdu, &inner, a); /* as its octets say */
		if (i + 1 < ARRAY_LEN(row))
			assert_octets(inner, VIEW("abc"));
		else
			assert_octets(inner, hex(a, "2809 06022a03 8103616263"));
		assert_int_equal(old->content_type, row[i].want[5] - '0' + (row[i].want[4] - '0') * 16);
	}
	/* a large one: the lengths are of the whole */
	struct view large = view_of(arena_get(a, 70000), 70000);
	m->content_type = -1;
	m->content_type_oid = hex(a, "2a03");
	(void)decoded(encoded_84(m, large, &as_84, a), &inner, a);
	assert_int_equal(inner.n, 70000 + 5 + 4 + 5);
	assert_octets(view_from(inner, 14), large);
	old = decoded_84(encoded_84(m, large, &as_84, a), &inner, a);
	assert_octets(inner, large);
	assert_octets(old->content_type_oid, hex(a, "2a03"));
	/* an object identifier is none of 1984's */
	struct err e;
	assert_false(p1_decode_by(P1_1984, message_of(a, T_PLAIN), m, &content, a, &test_limits, &e));
	assert_int_equal(e.diagnostic, 14);
}

/* X.419 annex B: object identifiers are bits where there is one (2.6.3.4.n), else `undefined`. */
static void test_encoded_information_types(void **state)
{
	static const struct {
		const char *of_1988, *of_1984;
	} row[] = {
		{ "6504 80020520", "6504 80020520" },
		{ "650c 80020520 a406 0604 56030405", "6504 80020224" },     /* and 5, teletex */
		{ "650b 80020520 a405 0603 2a0304", "6504 800205a0" },       /* and 0, undefined */
		{ "650b 80010 0 a406 0604 56030409", "6505 8003060040" },    /* no bit, and 9 */
		{ "6508 80020520 81020780", "6508 80020520 81020780" },      /* parameters stay */
		{ "6501 00", "" },                                          /* not to be read: left out */
	};
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-1", &content, a);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		m->original_eits = hex(a, row[i].of_1988);
		struct message *old = decoded_84(encoded_84(m, content, &as_84, a), &content, a);
		assert_octets(old->original_eits, hex(a, row[i].of_1984));
	}
}

/* Only administration domains have some in 1984. */
static void test_bilateral_information_of_private_domains_is_left_out(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-1", &content, a);
	struct view both[] = { hex(a, "300d 610413026762 6203130178 0500"), hex(a, "3010 610413026762 3006 a1041302 7070 0500") };
	m->bilateral = both;
	m->n_bilateral = 2;
	struct message *old = decoded_84(encoded_84(m, content, &as_84, a), &content, a);
	assert_int_equal(old->n_bilateral, 1);
	assert_octets(old->bilateral[0], both[0]);
	m->bilateral = &both[1];
	m->n_bilateral = 1;
	assert_int_equal(decoded_84(encoded_84(m, content, &as_84, a), &content, a)->n_bilateral, 0);
}

/* Q157358, Q177374, Q168137: peers that refuse bilateral information or internal trace; in 1988 too. */
static void test_k157358_k177374_k168137_trace_and_bilateral_information_left_out(void **state)
{
	struct arena *a = *state;
	struct view content, bilateral = hex(a, "300d 610413026762 6203130178 0500");
	struct message *m = of_corpus("pp-normal-mode-4", &content, a), *sent;
	m->bilateral = &bilateral;
	m->n_bilateral = 1;
	for (unsigned i = 0; i < 8; i++) {
		const struct p1_encode_options options = { .no_bilateral = i & 1, .no_internal_trace = i & 2, .as_1984 = i & 4 };
		struct view octets = encoded_84(m, content, &options, a);
		sent = (i & 4) != 0 ? decoded_84(octets, &content, a) : decoded(octets, &content, a);
		assert_int_equal(sent->n_bilateral, (i & 1) == 0);
		assert_int_equal(sent->internal_trace.n, (i & 6) == 0 ? m->internal_trace.n : 0);
		assert_int_equal(sent->trace.n, m->trace.n);
	}
}

/* Q151413, Q260343: the content comes back with every report, whatever a user wants. */
static void test_k151413_k260343_content_return_is_not_asked_for(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-4", &content, a);
	assert_true((m->indicators & IND_CONTENT_RETURN) != 0);
	for (unsigned i = 0; i < 4; i++) {
		const struct p1_encode_options options = { .no_content_return = i & 1, .as_1984 = i & 2 };
		struct view octets = encoded_84(m, content, &options, a);
		struct message *sent = (i & 2) != 0 ? decoded_84(octets, &content, a) : decoded(octets, &content, a);
		assert_int_equal(sent->indicators, IND_ALTERNATE_ALLOWED | ((i & 1) != 0 ? 0 : IND_CONTENT_RETURN));
		assert_true(sent->has_indicators);
	}
}

/* Q253619: an identifier without a global domain was refused; ours stands in its place. 1984 has the administration domain
 * mandatory: absent is a single space. */
static void test_k253619_identifiers_without_a_domain(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-1", &content, a), *sent;
	for (unsigned i = 0; i < 2; i++) {
		const struct p1_encode_options options = { .as_1984 = i == 1, .domain = &ours };
		m->id.domain = (struct gdi){ 0 };
		struct view octets = encoded_84(m, content, &options, a);
		sent = i == 1 ? decoded_84(octets, &content, a) : decoded(octets, &content, a);
		assert_true(gdi_eq(&sent->id.domain, &ours));
		assert_true(view_eq(sent->id.local, m->id.local));
		m->id.domain = (struct gdi){ .country = ours.country, .prmd = ours.prmd, .has_prmd = true };
		octets = encoded_84(m, content, &options, a);
		sent = i == 1 ? decoded_84(octets, &content, a) : decoded(octets, &content, a);
		if (i == 1)
			assert_view(sent->id.domain.admd.value, " ");
		else
			assert_null(sent->id.domain.admd.value.p);
		assert_view(sent->id.domain.prmd.value, "HORN");
	}
}

/* Reports: reasons and diagnostics that 1984 does not have, in words; no field without a value (Q188597, Q238838, Q232656). */
static void test_rp_12_reports_to_1984(void **state)
{
	static const struct {
		int reason, diagnostic, want_reason, want_diagnostic;
		const char *said, *want;
	} row[] = {
		{ 1, 0, 1, 0, "", "" },
		{ 2, 47, 2, -1, "", "unable-to-downgrade" },
		{ 5, 29, 1, -1, "", "no-dl-submit-permission" },
		{ 1, 18, 1, -1, "said already", "said already" },
		{ 0, -1, 0, -1, "", "" },
		{ 8, 11, 1, 11, "", "" },
	};
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded_84(report_mpdu(a), &content, a);
	struct recipient *r = &m->rcpt[1];
	struct oraddr_attr long_one = { .type = ORA_EXTENSION_RAW, .form = ORA_RAW, .number = 77 };
	long_one.value = view_of(arena_get(a, 600), 600);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		r->reason = row[i].reason;
		r->diagnostic = row[i].diagnostic;
		r->supplementary = view_str(row[i].said);
		const struct oraddr odd[] = { { NULL, 0, { NULL, 0 } }, { &long_one, 1, { NULL, 0 } } };
		r->addr = m->originator = odd[i % 2];
		m->rcpt[0].intended = odd[(i + 1) % 2];
		m->rcpt[0].type_of_user = (uint32_t)i;
		struct message *old = decoded_84(encoded_84(m, content, &as_84, a), &content, a);
		assert_int_equal(old->rcpt[1].reason, row[i].want_reason);
		assert_int_equal(old->rcpt[1].diagnostic, row[i].want_diagnostic);
		assert_view(old->rcpt[1].supplementary, row[i].want);
		assert_addr(&old->rcpt[1].addr, "P=HORN; A=POST; C=GB");
		assert_addr(&old->rcpt[0].intended, "P=HORN; A=POST; C=GB");
		assert_addr(&old->originator, "P=HORN; A=POST; C=GB");
		assert_int_equal(old->rcpt[0].type_of_user, i > 1 ? 1 : i);
	}
}

/* An address that has no form there is an error of the recipient's, where it is the peer's; else what is left of it. */
static void test_dg_04_an_address_without_a_form(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-1", &content, a);
	struct oraddr_attr v[3] = { m->originator.v[0], m->originator.v[1], { .type = ORA_EXTENSION_RAW, .form = ORA_RAW, .number = 77 } };
	struct out o;
	struct err e;
	v[2].value = view_of(arena_get(a, 600), 600);
	m->rcpt[0].addr = (struct oraddr){ v, 3, { NULL, 0 } };
	out_init(&o, 1 << 20);
	m->rcpt[0].responsible = true;
	assert_false(p1_encode_head(m, content.n, &as_84, &o, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.reason, 2);
	assert_int_equal(e.diagnostic, 47);
	out_clear(&o);
	m->rcpt[0].responsible = false;
	assert_true(p1_encode_head(m, content.n, &as_84, &o, &e));
	out_clear(&o);
	m->originator = m->rcpt[0].addr;
	assert_false(p1_encode_head(m, content.n, &as_84, &o, &e));
	assert_int_equal(e.diagnostic, 47);
	out_fini(&o);
}

/* With content to follow, its header is the last thing. */
static void test_a_report_with_content_to_follow(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = decoded_84(report_mpdu(a), &content, a);
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	assert_true(p1_encode_head(m, 5, &as_84, &o, &e));
	out_str(&o, "hello");
	struct message *old = decoded_84(arena_copy(a, out_view(&o)), &content, a);
	assert_view(old->returned_content, "hello");
	assert_int_equal(old->n_rcpt, 2);
	out_fini(&o);
}

/* A peer of 1984 that sends what 1988 has: understood, so that nothing is lost or sent on as unknown. */
static void test_elements_of_1988_from_a_peer_of_1984(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = arena_get(a, sizeof *m);
	struct err e;
	/* extensions [3]: dl-expansion-prohibited, critical for delivery */
	assert_true(p1_decode_by(P1_1984, message_of(a, T_ID T_ORIGINATOR "460102" T_TRACE T_RCPTS "a30e 300c 800103 81020520 a2030a0101"),
				 m, &content, a, &test_limits, &e));
	assert_int_equal(m->ext.n, 1);
	assert_int_equal(m->ext.v[0].number, EXT_DL_PROHIBITED);
	assert_int_equal(m->n_extra, 0);
	assert_addr(&m->rcpt[0].addr, "CN=ethereal; O=guinevere; P=smhs; C=gb"); /* extension-attributes of T_NAME */
	m->n_extra = 0;
	assert_false(contains(encoded_84(m, content, &as_84, a), hex(a, "a30e")));
}

/* --- in pieces --- */

struct pieces {
	struct out packed, content;
	bool ended;
};

static enum step split_by(enum p1_tables tables, struct view in, size_t piece, struct pieces *r, struct err *e)
{
	struct p1_split *s = p1_split_new(1 << 18, &test_limits);
	struct arena *a = arena_new(16 << 20);
	enum step step = STEP_WAIT;
	out_init(&r->packed, 1 << 20);
	out_init(&r->content, 1 << 20);
	r->ended = false;
	p1_split_tables(s, tables);
	while (in.n > 0 && step == STEP_WAIT) {
		struct view part = view_first(in, piece);
		struct p1_split_event ev;
		in = view_from(in, part.n);
		while ((step = p1_split_next(s, &part, &ev, a, e)) == STEP_DONE) {
			if (ev.what == P1_SPLIT_ENVELOPE)
				pack_message(&r->packed, ev.message, 0, ev.message->n_rcpt);
			else if (ev.what == P1_SPLIT_CONTENT)
				out_bytes(&r->content, ev.content);
			else
				r->ended = true;
		}
	}
	arena_free(&a);
	p1_split_free(&s);
	return step;
}

static void fini(struct pieces *r)
{
	out_fini(&r->packed);
	out_fini(&r->content);
}

static void test_transfers_of_1984_in_pieces(void **state)
{
	struct arena *a = *state;
	struct err e;
	for (size_t i = 0; i < 3; i++) {
		struct view mpdu = mpdu_of(i, a), content;
		struct message *m = decoded_84(mpdu, &content, a);
		struct out want;
		out_init(&want, 1 << 20);
		pack_message(&want, m, 0, m->n_rcpt);
		for (size_t piece = 1; piece < 40; piece++) {
			struct pieces r;
			assert_int_equal(split_by(P1_1984, mpdu, piece, &r, &e), STEP_WAIT);
			assert_true(r.ended);
			assert_true(view_eq(out_view(&want), out_view(&r.packed)));
			assert_true(view_eq(content, out_view(&r.content)));
			fini(&r);
		}
		for (size_t cut = 0; cut < mpdu.n; cut++) {
			struct pieces r;
			assert_int_equal(split_by(P1_1984, view_first(mpdu, cut), 7, &r, &e), STEP_WAIT);
			assert_false(r.ended);
			fini(&r);
			struct message cut_one;
			assert_false(p1_decode_by(P1_1984, view_first(mpdu, cut), &cut_one, &content, a, &test_limits, &e));
			assert_int_equal(e.kind, ERR_PERM);
		}
		out_fini(&want);
	}
	/* 1988's content type is refused by the tables of 1984, and taken after they are changed back */
	struct pieces r;
	assert_int_equal(split_by(P1_1984, message_of(a, T_PLAIN), 9, &r, &e), STEP_FAIL);
	assert_int_equal(e.diagnostic, 14);
	fini(&r);
	assert_int_equal(split_by(P1_1988, message_of(a, T_PLAIN), 9, &r, &e), STEP_WAIT);
	assert_true(r.ended);
	fini(&r);
}

/* A content of type external in pieces of every size: its type is told before its first octet, and only when it is one EXTERNAL that
 * fills it. */
static void test_external_contents_in_pieces(void **state)
{
	static const struct {
		const char *content, *oid, *inner; /* oid NULL: it stays external */
	} row[] = {
		{ "040b 2809 06022a03 8103616263", "2a03", "616263" },
		{ "0408 2806 06022a03 8100", "2a03", "" },
		{ "040d 28810a 06022a03 818103 616263", "2a03", "616263" },
		{ "0400", NULL, "" },
		{ "0401 28", NULL, "28" },
		{ "040c 2809 06022a03 8103616263 00", NULL, "2809 06022a03 8103616263 00" },
		{ "040b 2808 06022a03 8103616263", NULL, "2808 06022a03 8103616263" },
		{ "040b 2809 06022a83 8103616263", NULL, "2809 06022a83 8103616263" },
		{ "040d 2880 06022a03 8103616263 0000", NULL, "2880 06022a03 8103616263 0000" },
		{ "2480 040b 2809 06022a03 8103616263 0000", NULL, "2809 06022a03 8103616263" },
		{ "0403 616263", NULL, "616263" },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct view set = tlv(a, 0x31, hex(a, T_ID T_ORIGINATOR "460101" T_TRACE T_RCPTS)), content;
		struct view mpdu = tlv(a, 0xa0, join(a, set, hex(a, row[i].content)));
		struct message *m = decoded_84(mpdu, &content, a);
		struct out want;
		struct err e;
		assert_octets(content, hex(a, row[i].inner));
		assert_int_equal(m->content_type, row[i].oid == NULL ? 1 : -1);
		if (row[i].oid != NULL)
			assert_octets(m->content_type_oid, hex(a, row[i].oid));
		out_init(&want, 1 << 20);
		pack_message(&want, m, 0, m->n_rcpt);
		for (size_t piece = 1; piece < 40; piece++) {
			struct pieces r;
			assert_int_equal(split_by(P1_1984, mpdu, piece, &r, &e), STEP_WAIT);
			assert_true(r.ended);
			assert_octets(out_view(&r.content), content);
			assert_octets(out_view(&r.packed), out_view(&want));
			fini(&r);
		}
		out_fini(&want);
	}
}

/* --- for people --- */

static void test_printed_under_the_names_of_1984(void **state)
{
	static const char *const want[][6] = {
		{ "userMPDU", "uAContentId \"id\"", "extensionIdentifier 32767", "surName \"smi\"", "octets 1", "contentReturnRequest" },
		{ "probeMPDU", "contentLength 10000", "perRecipientFlag", "iA5Text", "alternateRecipientAllowed", "domainDefinedAttributeList" },
		{ "deliveryReportMPDU", "billingInformation", "unableToTransfer", "unrecognizedORName", "typeOfUA", "intermediate" },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < 3; i++) {
		struct out o;
		out_init(&o, 1 << 20);
		p1_print(P1_1984, mpdu_of(i, a), BER_ASN1, 0, a, &test_limits, &o);
		for (size_t k = 0; k < 6; k++)
			if (strstr(out_cstr(&o), want[i][k]) == NULL)
				fail_msg("no %s in %s", want[i][k], out_cstr(&o));
		out_clear(&o);
		p1_print(P1_1984, mpdu_of(i, a), BER_JSON, 0, a, &test_limits, &o);
		assert_true(out_cstr(&o)[0] == '{');
		out_fini(&o);
	}
}

/* 32,767 recipients, the last extensionIdentifier that there is. */
static void test_numbers_up_to_32767(void **state)
{
	struct arena *a = *state;
	struct view content;
	struct message *m = of_corpus("pp-normal-mode-1", &content, a);
	struct recipient one = m->rcpt[0];
	m->n_rcpt = 32767;
	m->rcpt = arena_array(a, m->n_rcpt, sizeof *m->rcpt);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		m->rcpt[i] = one;
		m->rcpt[i].number = (uint32_t)i + 1;
	}
	struct message *old = decoded_84(encoded_84(m, content, &as_84, a), &content, a);
	assert_int_equal(old->n_rcpt, 32767);
	assert_int_equal(old->rcpt[32766].number, 32767);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_user_mpdu_of_every_element),
		T(test_a_probe_mpdu),
		T(test_a_delivery_report_mpdu),
		T(test_k115357_internal_trace_inside_a_report),
		T(test_of_1984_comes_back_octet_for_octet),
		T(test_of_1984_is_readable_as_1988),
		T(test_dg_05_everything_of_1988_is_left_out),
		T(test_dg_01_dg_06_the_captured_message_to_1984),
		T(test_dg_06_internal_trace_as_motis_had_it),
		T(test_a_damaged_internal_trace_of_motis_is_carried),
		T(test_content_types),
		T(test_encoded_information_types),
		T(test_bilateral_information_of_private_domains_is_left_out),
		T(test_k157358_k177374_k168137_trace_and_bilateral_information_left_out),
		T(test_k151413_k260343_content_return_is_not_asked_for),
		T(test_k253619_identifiers_without_a_domain),
		T(test_rp_12_reports_to_1984),
		T(test_dg_04_an_address_without_a_form),
		T(test_a_report_with_content_to_follow),
		T(test_elements_of_1988_from_a_peer_of_1984),
		T(test_transfers_of_1984_in_pieces),
		T(test_external_contents_in_pieces),
		T(test_printed_under_the_names_of_1984),
		T(test_numbers_up_to_32767),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
