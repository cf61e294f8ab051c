/* ipm_parts_test.c - body parts and extensions of every age: octets by hand from X.420 of 1984 (3.3) and 1988 (7.3, annexes A and B), and
 * STANAG 4406 annex A; each is decoded, printed and encoded again to the same octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm_convert_testing.h"
#include "flow/codec/ipm/ipm_testing.h"

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	a = arena_new((size_t)16 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&a);
	return 0;
}

static void assert_octets(struct view got, struct view want)
{
	for (size_t i = 0; i < got.n && i < want.n; i++)
		if (got.p[i] != want.p[i])
			fail_msg("octet %zu of %zu is %02x, want %02x", i, got.n, got.p[i], want.p[i]);
	assert_int_equal(got.n, want.n);
}

/* Decoded, encoded again, and printed as JSON. */
static const char *there_and_back(const struct ber_type *t, struct view tlv)
{
	const struct ber_limits limits = ipm_limits_default();
	void *value = arena_get(a, t->size);
	struct out o;
	struct err e = { 0 };
	if (!ber_decode(t, tlv, value, a, &limits, &e))
		fail_msg("%s: %s", t->name, e.text);
	out_init(&o, 1 << 16);
	assert_true(ber_encode(t, value, &o, &e));
	assert_octets(out_view(&o), tlv);
	out_clear(&o);
	ber_print(t, value, BER_JSON, 0, &o);
	const char *text = arena_str(a, out_view(&o));
	out_fini(&o);
	return text;
}

static struct ipm_part part_of(struct view tlv)
{
	const struct ber_limits limits = ipm_limits_default();
	const struct ipm_message m = { .body = { &tlv, 1 } };
	struct ipm_part p;
	struct err e;
	assert_true(ipm_part_at(&m, 0, &p, a, &limits, &e));
	return p;
}

/* [15] with the military {id-nato-mmhs-et n} and its parameters of n + 2 or n + 1; see rows. */
static struct view military(uint8_t parameters, struct view params, uint8_t n, struct view data)
{
	uint8_t oid[10] = { 0x06, 8, 0x2b, 0x1a, 0x00, 0xa2, 0x36, 0x00, 0x07, parameters };
	const struct view first = params.n == 0 ? NOTHING : tlv(a, 0xa0, 2, arena_copy(a, view_of(oid, 10)), tlv(a, 0xa0, 1, params));
	oid[9] = n;
	return tlv(a, 0xaf, 2, first, tlv(a, 0x28, 2, arena_copy(a, view_of(oid, 10)), tlv(a, 0xa0, 1, data)));
}

static void test_body_parts(void **state)
{
	(void)state;
	const struct view ipm = tlv(a, 0x30, 2, tlv(a, 0x31, 1, THIS_IPM), tlv(a, 0x30, 0));
	const struct {
		struct view tlv;
		enum ipm_part_kind kind;
		struct view octets; /* those of the data; empty: not looked at */
		bool is_text;
	} rows[] = {
		/* 1984 */
		{ VIEW("\xa0\x05\x31\x00\x16\x01x"), IPM_PART_IA5_TEXT, VIEW("x"), true },
		{ VIEW("\x81\x02\x01\x02"), IPM_PART_TELEX, VIEW("\x81\x02\x01\x02"), false },
		{ VIEW("\xa2\x06\x31\x00\x03\x02\x00\xfe"), IPM_PART_VOICE_1984, VIEW("\xfe"), false },
		{ VIEW("\xa3\x0b\x31\x03\x80\x01\x02\x30\x04\x03\x02\x00\xff"), IPM_PART_G3_FACSIMILE, NOTHING, false },
		{ VIEW("\xa4\x02\x85\x00"), IPM_PART_G4_CLASS1, NOTHING, false },
		{ VIEW("\xa5\x0a\x31\x03\x80\x01\x01\x30\x03\x14\x01x"), IPM_PART_TELETEX, VIEW("x"), true },
		{ VIEW("\xa6\x08\x31\x03\x80\x01\x01\x15\x01x"), IPM_PART_VIDEOTEX, VIEW("x"), false },
		{ VIEW("\xa7\x03\x02\x01\x05"), IPM_PART_NATIONALLY_DEFINED, VIEW("\x02\x01\x05"), false },
		{ VIEW("\xa8\x06\x31\x00\x03\x02\x00\xff"), IPM_PART_ENCRYPTED, VIEW("\xff"), false },
		{ tlv(a, 0xa9, 2, VIEW("\x31\x00"), ipm), IPM_PART_MESSAGE, NOTHING, false },
		{ VIEW("\xaa\x04\x31\x00\x30\x00"), IPM_PART_SIMPLE_FORMATTABLE, NOTHING, false },
		{ VIEW("\xab\x02\x85\x00"), IPM_PART_MIXED_MODE, NOTHING, false },
		{ VIEW("\x8e\x02hi"), IPM_PART_BILATERALLY_DEFINED, VIEW("hi"), false },
		/* 1988 */
		{ extended_of(a, 0, VIEW("\x31\x00"), VIEW("\x16\x01x")), IPM_PART_IA5_TEXT, VIEW("x"), true },
		{ extended_of(a, 2, VIEW("\x31\x00"), VIEW("\x30\x00")), IPM_PART_G3_FACSIMILE, NOTHING, false },
		{ extended_of(a, 3, NOTHING, VIEW("\x30\x00")), IPM_PART_G4_CLASS1, NOTHING, false },
		{ extended_of(a, 4, VIEW("\x31\x00"), VIEW("\x30\x03\x14\x01x")), IPM_PART_TELETEX, VIEW("x"), true },
		{ extended_of(a, 5, VIEW("\x31\x00"), VIEW("\x15\x01x")), IPM_PART_VIDEOTEX, VIEW("x"), false },
		{ extended_of(a, 6, VIEW("\x31\x00"), VIEW("\x03\x02\x00\xff")), IPM_PART_ENCRYPTED, NOTHING, false },
		{ extended_of(a, 7, VIEW("\x31\x00"), ipm), IPM_PART_MESSAGE, NOTHING, false },
		{ extended_of(a, 8, NOTHING, VIEW("\x30\x00")), IPM_PART_MIXED_MODE, NOTHING, false },
		{ extended_of(a, 9, NOTHING, VIEW("\x04\x02hi")), IPM_PART_BILATERALLY_DEFINED, VIEW("hi"), false },
		{ extended_of(a, 10, NOTHING, VIEW("\x02\x01\x05")), IPM_PART_NATIONALLY_DEFINED, VIEW("\x02\x01\x05"), false },
		{ general_of(a, VIEW("\xe9")), IPM_PART_GENERAL_TEXT, VIEW("\xe9"), true },
		{ extended_of(a, 12, VIEW("\x30\x00"), VIEW("\x30\x00")), IPM_PART_FILE_TRANSFER, NOTHING, false },
		{ extended_of(a, 14, NOTHING, VIEW("\x30\x00")), IPM_PART_REPORT, NOTHING, false },
		{ extended_of(a, 15, VIEW("\x31\x00"), tlv(a, 0x31, 2, THIS_IPM, VIEW("\xa0\x06\xa1\x04\x80\x02" "9Z"))), IPM_PART_NOTIFICATION, NOTHING, false },
		{ extended_of(a, 16, VIEW("\x30\x07\x80\x01\x05\x81\x02\x2a\x03"), VIEW("\x04\x01v")), IPM_PART_VOICE, VIEW("v"), false },
		{ extended_of(a, 18, NOTHING, VIEW("\x30\x00")), IPM_PART_PKCS7, NOTHING, false },
		{ extended_of(a, 77, NOTHING, VIEW("\x05\x00")), IPM_PART_EXTENDED, VIEW("\x05\x00"), false },
		/* STANAG 4406 */
		{ military(2, VIEW("\x02\x01\x00"), 0, VIEW("\x80\x03" "one")), IPM_PART_ADATP3, VIEW("one"), true },
		{ military(2, VIEW("\x02\x01\x00"), 0, VIEW("\xa1\x0a\x16\x03" "one\x16\x03two")), IPM_PART_ADATP3, VIEW("one\r\ntwo"), true },
		{ military(3, VIEW("\x02\x01\x01"), 1, VIEW("\x16\x03" "fix")), IPM_PART_CORRECTIONS, VIEW("fix"), true },
		{ military(7, VIEW("\x31\x00"), 6, VIEW("\x03\x02\x00\xff")), IPM_PART_FORWARDED_ENCRYPTED, VIEW("\xff"), false },
		{ military(10, VIEW("\x31\x00"), 9, ipm), IPM_PART_MM_MESSAGE, NOTHING, false },
		{ military(13, VIEW("\x02\x01\x00"), 12, VIEW("\x16\x02ZZ")), IPM_PART_ACP127_DATA, VIEW("ZZ"), true },
		{ military(13, NOTHING, 99, VIEW("\x05\x00")), IPM_PART_EXTENDED, VIEW("\x05\x00"), false },
		/* Nobody's */
		{ VIEW("\x9f\x1f\x01x"), IPM_PART_UNKNOWN, VIEW("\x9f\x1f\x01x"), false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("row %zu\n", i);
		const struct ipm_part p = part_of(rows[i].tlv);
		if (p.kind != rows[i].kind)
			fail_msg("%s: %s", ipm_part_kind_name(p.kind), p.why.text);
		assert_int_equal(p.is_text, rows[i].is_text);
		if (rows[i].octets.n > 0)
			assert_octets(p.octets, rows[i].octets);
		assert_int_equal(p.message != NULL, p.kind == IPM_PART_MESSAGE || p.kind == IPM_PART_MM_MESSAGE);
		assert_int_equal(p.notification != NULL, p.kind == IPM_PART_NOTIFICATION);
		assert_true(strlen(there_and_back(&ipm_body_part_type, rows[i].tlv)) > 0);
		/* Cut anywhere, it is a part that cannot be read, or one of octets. */
		for (size_t n = 0; n < rows[i].tlv.n; n++) {
			uint8_t *cut = mem_alloc(n + 1);
			memcpy(cut, rows[i].tlv.p, n);
			const struct ipm_part q = part_of(view_of(cut, n));
			assert_int_equal(q.kind, IPM_PART_UNKNOWN);
			free(cut);
		}
	}
}

/* One IPMSExtension of the row's name: {value} decodes, prints what is said, and is encoded again. */
static void test_values_of_extensions(void **state)
{
	(void)state;
	static const struct {
		enum ipm_ext x;
		struct view value;
		const char *want;
	} rows[] = {
		{ IPM_X_LANGUAGES, { (const uint8_t *)"\x31\x04\x13\x02" "en", 6 }, "en" },
		{ IPM_X_AUTO_SUBMITTED, { (const uint8_t *)"\x0a\x01\x02", 3 }, "auto-replied" },
		{ IPM_X_BODY_PART_SIGNATURES, { (const uint8_t *)"\x31\x0c\x31\x0a\x02\x01\x01\x30\x05\x30\x00\x03\x01\x00", 14 }, "\"body-part-number\":1" },
		{ IPM_X_SECURITY_LABEL, { (const uint8_t *)"\x31\x06\x02\x01\x03\x06\x01\x2a", 8 }, "06012a" },
		{ IPM_X_AUTHORIZATION_TIME, { (const uint8_t *)"\x18\x0f" "20261122003902Z", 17 }, "20261122003902Z" },
		{ IPM_X_DISTRIBUTION_CODES, { (const uint8_t *)"\x30\x05\x30\x03\x06\x01\x2a", 7 }, "oid-code" },
		{ IPM_X_ORIGINATORS_REFERENCE, { (const uint8_t *)"\x31\x04\x1e\x02\x00R", 6 }, "two-octets" },
		{ IPM_X_PRECEDENCE, { (const uint8_t *)"\x02\x01\x07", 3 }, "7" },
		{ IPM_X_MM_PRIMARY_PRECEDENCE, { (const uint8_t *)"\x02\x01\x03", 3 }, "immediate" },
		{ IPM_X_MM_COPY_PRECEDENCE, { (const uint8_t *)"\x02\x01\x01", 3 }, "routine" },
		{ IPM_X_MM_MESSAGE_TYPE, { (const uint8_t *)"\x31\x07\x80\x01\x02\x81\x02P1", 9 }, "{\"type\":\"project\",\"identifier\":\"P1\"}" },
		{ IPM_X_MM_ADDRESS_LISTS, { (const uint8_t *)"\x30\x11\x31\x0f\x80\x01\x01\xa1\x04\x80\x02" "AL\x82\x01\x00\x83\x01\x02", 19 }, "copyAddressList" },
		{ IPM_X_MM_EXEMPTED, { (const uint8_t *)"\x30\x06\x31\x04\x80\x02" "EX", 8 }, "EX" },
		{ IPM_X_MM_AUTHORISATION, { (const uint8_t *)"\x17\x0d" "051001113050Z", 15 }, "051001113050Z" },
		{ IPM_X_MM_DISTRIBUTION_CODES, { (const uint8_t *)"\x31\x10\xa0\x05\x13\x03" "ABC\xa1\x07\x30\x05\x06\x01\x2a\x05\x00", 18 }, "\"sics\":[\"ABC\"]" },
		{ IPM_X_MM_HANDLING, { (const uint8_t *)"\x30\x04\x13\x02" "HI", 6 }, "HI" },
		{ IPM_X_MM_INSTRUCTIONS, { (const uint8_t *)"\x30\x04\x13\x02" "MI", 6 }, "MI" },
		{ IPM_X_MM_CODRESS, { (const uint8_t *)"\x02\x01\x05", 3 }, "5" },
		{ IPM_X_MM_REFERENCE, { (const uint8_t *)"\x13\x02" "OR", 4 }, "OR" },
		{ IPM_X_MM_OTHER_RECIPIENTS, { (const uint8_t *)"\x30\x09\x31\x07\x80\x01\x00\x81\x02" "OD", 11 }, "{\"type\":\"primary\",\"designator\":\"OD\"}" },
		{ IPM_X_MM_PILOT, { (const uint8_t *)"\x30\x17\x30\x15\x80\x01\x04\xa1\x06\x31\x04\x80\x02" "PR\xa2\x02\x05\x00\xa3\x04\x13\x02" "PH", 25 }, "flash" },
		{ IPM_X_MM_ACP127_ID, { (const uint8_t *)"\x13\x02" "AC", 4 }, "AC" },
		{ IPM_X_MM_PLAD, { (const uint8_t *)"\x13\x02" "PL", 4 }, "PL" },
		{ IPM_X_MM_ACP127_REQUEST, { (const uint8_t *)"\x03\x02\x05\xa0", 4 }, "acp127-tn" },
		{ IPM_X_MM_ACP127_RESPONSE, { (const uint8_t *)"\x31\x17\x80\x02\x06\x40\x81\x0d" "051001113050Z\x83\x02RC", 25 }, "acp127-pn" },
		{ IPM_X_MM_LABELS, { (const uint8_t *)"\x30\x0e\xa0\x03\x02\x01\x01\xa2\x07\x31\x05\xa0\x00\x81\x01\x02", 16 }, "\"body-part-sequence-number\":2" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = there_and_back(ipm_ext_value_type(rows[i].x), rows[i].value);
		if (strstr(text, rows[i].want) == NULL)
			fail_msg("%s: %s, want %s", ipm_ext_name(rows[i].x), text, rows[i].want);
		assert_int_equal(ipm_ext_of(ipm_ext_oid(rows[i].x)), rows[i].x);
		for (size_t n = 0; n < rows[i].value.n; n++) {
			const struct ber_limits limits = ipm_limits_default();
			uint8_t *cut = mem_alloc(n + 1);
			void *value = arena_get(a, ipm_ext_value_type(rows[i].x)->size);
			memcpy(cut, rows[i].value.p, n);
			assert_false(ber_decode(ipm_ext_value_type(rows[i].x), view_of(cut, n), value, a, &limits, NULL));
			free(cut);
		}
	}
	/* STANAG 4406: 1.3.26.0.4406.0.2.0 */
	assert_octets(ipm_ext_oid(IPM_X_MM_PRIMARY_PRECEDENCE), VIEW("\x2b\x1a\x00\xa2\x36\x00\x02\x00"));
	assert_string_equal(ipm_ext_name(ipm_ext_of(VIEW("\x2b\x1a\x00\xa2\x36\x00\x02\x0e"))), "originator-plad");
}

/* X.402 18.3, X.411 8.5.5: extension attributes 7 (pds-name), 8 (country), 9 (postal code), 17 (street), in an O/R descriptor. */
static void test_postal_attributes_of_a_recipient(void **state)
{
	(void)state;
	const struct view attributes = tlv(a, 0x31, 4,
		VIEW("\x30\x0a\x80\x01\x07\xa1\x05\x13\x03PDS"), VIEW("\x30\x09\x80\x01\x08\xa1\x04\x13\x02GB"),
		VIEW("\x30\x0d\x80\x01\x09\xa1\x08\x13\x06SW1A1A"), VIEW("\x30\x11\x80\x01\x11\xa1\x0c\x31\x0a\x13\x08High St."));
	const struct view name = tlv(a, 0x60, 2, VIEW("\x30\x0b\x61\x04\x13\x02GB\x62\x03\x13\x01" "A"), attributes);
	const struct view content = tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, tlv(a, 0xa2, 1, tlv(a, 0x31, 1, tlv(a, 0xa0, 1, name)))), tlv(a, 0x30, 0));
	const struct ber_limits limits = ipm_limits_default();
	struct ipm ipm;
	struct err e;
	assert_true(ipm_parse(content, &ipm, a, &limits, &e));
	const struct ipm_recipient_specifier *to = ipm.message->heading.primary_recipients.v;
	const struct oraddr addr = ipm_oraddr(to->recipient.formal_name, a);
	struct oraddr want;
	assert_true(oraddr_parse(VIEW("C=GB; A=A; PD-SYSTEM=PDS; PD-C=GB; PD-CODE=SW1A1A; PD-STREET=High St."), &want, a, ORADDR_CARRY, &e) ||
		    (print_message("%s\n", e.text), false));
	assert_true(oraddr_eq(&addr, &want));
	/* For 1984 they are in X400-88, and they come back. */
	const struct ipm_convert down = { .to_84 = true, .limits = limits }, up = { .from_84 = true, .limits = limits };
	struct ipm_converted done;
	struct out o, back;
	out_init(&o, 1 << 16);
	out_init(&back, 1 << 16);
	assert_true(ipm_convert(content, 22, &down, a, &o, &done, &e));
	assert_null(memmem(out_view(&o).p, out_len(&o), "\x31\x0a\x13\x08High", 8));
	assert_non_null(memmem(out_view(&o).p, out_len(&o), "X400-88", 7));
	assert_true(ipm_convert(out_view(&o), 2, &up, a, &back, &done, &e));
	assert_true(ipm_parse(out_view(&back), &ipm, a, &limits, &e));
	to = ipm.message->heading.primary_recipients.v;
	const struct oraddr again = ipm_oraddr(to->recipient.formal_name, a);
	assert_true(oraddr_eq(&again, &want));
	out_fini(&o);
	out_fini(&back);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_body_parts),
		TEST(test_values_of_extensions),
		TEST(test_postal_attributes_of_a_recipient),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
