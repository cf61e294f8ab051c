/* ber_print_test.c - value notation (X.680), JSON, raw TLVs and OBJECT IDENTIFIERs as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "flow/codec/ber/ber_test_help.h"

static void check_print(const struct ber_type *t, const char *hex, enum ber_form form, const char *want)
{
	struct arena *a = arena_new(1u << 22);
	struct out o;
	struct err e = { 0 };
	void *value = mem_alloc(t->size);
	out_init(&o, 1u << 22);
	if (!ber_decode(t, unhex(a, hex), value, a, &roomy, &e))
		fail_msg("decode: %s", e.text);
	ber_print(t, value, form, 0, &o);
	assert_string_equal(out_cstr(&o), want);
	if (form == BER_JSON) {
		json_error_t why;
		json_t *parsed = json_loads(out_cstr(&o), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
					    &why);
		if (parsed == NULL)
			fail_msg("not JSON: %s: %s", why.text, out_cstr(&o));
		json_decref(parsed);
	}
	free(value);
	out_fini(&o);
	arena_free(&a);
}

static void test_value_notation(void **state)
{
	(void)state;
	check_print(&all_seq_type, ALL, BER_ASN1,
		    "{\n"
		    "  flag TRUE,\n"
		    "  count two,\n"
		    "  colour red,\n"
		    "  big '010000000000000000'H,\n"
		    "  bits {first, third},\n"
		    "  octets '00FF'H,\n"
		    "  oid {2 100 3},\n"
		    "  relative {8571 3 2},\n"
		    "  real {mantissa 5, base 2, exponent -5},\n"
		    "  text \"Ren\xc3\xa9\",\n"
		    "  time \"960701133155Z\",\n"
		    "  pick bytes : 'ABCD'H,\n"
		    "  picks {\n"
		    "    many : {\n"
		    "      5\n"
		    "    },\n"
		    "    inner : number : 7,\n"
		    "    inner : text : \"hi\",\n"
		    "    again : nothing : NULL\n"
		    "  },\n"
		    "  open {\n"
		    "    id {2 100 3},\n"
		    "    value Picks : {\n"
		    "      inner : number : 9\n"
		    "    }\n"
		    "  },\n"
		    "  set_of {\n"
		    "    \"a\",\n"
		    "    \"b\"\n"
		    "  },\n"
		    "  tagged inner : number : one,\n"
		    "  empty {},\n"
		    "  any '24800000'H\n"
		    "}");
}

static void test_json(void **state)
{
	(void)state;
	check_print(&all_seq_type, ALL, BER_JSON,
		    "{\"flag\":true,\"count\":\"two\",\"colour\":\"red\",\"big\":{\"hex\":\"010000000000000000\"},"
		    "\"bits\":[\"first\",\"third\"],\"octets\":{\"hex\":\"00ff\"},\"oid\":\"2.100.3\","
		    "\"relative\":\"8571.3.2\",\"real\":{\"mantissa\":5,\"base\":2,\"exponent\":-5},"
		    "\"text\":\"Ren\xc3\xa9\",\"time\":\"960701133155Z\",\"pick\":{\"bytes\":{\"hex\":\"abcd\"}},"
		    "\"picks\":[{\"many\":[5]},{\"inner\":{\"number\":7}},{\"inner\":{\"text\":\"hi\"}},"
		    "{\"again\":{\"nothing\":null}}],\"open\":{\"id\":\"2.100.3\",\"value\":[{\"inner\":{\"number\":9}}]},"
		    "\"set_of\":[\"a\",\"b\"],\"tagged\":{\"inner\":{\"number\":\"one\"}},\"empty\":{},"
		    "\"any\":{\"tlv\":\"24800000\"}}");
}

static void test_indent_and_unknown_elements(void **state)
{
	(void)state;
	check_print(&all_seq_type, "300D 8801FF 020103 C90122 A2020500", BER_ASN1,
		    "{\n"
		    "  count 3,\n"
		    "  any '0500'H -- NULL NULL --\n"
		    "  -- unknown element '8801FF'H --\n"
		    "  -- unknown element 'C90122'H --\n"
		    "}");
	check_print(&all_seq_type, "3009 8801FF 020103 C90122", BER_JSON,
		    "{\"count\":3,\"_unknown\":[\"8801ff\",\"c90122\"]}");
	check_print(&pick_type, "8901FF", BER_ASN1, "'8901FF'H");
	check_print(&pick_type, "8901FF", BER_JSON, "{\"tlv\":\"8901ff\"}");
	struct record r = { 0 };
	struct out o;
	out_init(&o, 4096);
	ber_print(&person_type, &r.name, BER_ASN1, 4, &o);
	assert_string_equal(out_cstr(&o), "{\n      givenName \"\",\n      initial \"\",\n      familyName \"\"\n    }");
	out_fini(&o);
}

/* An open type whose octets are not what its row says is shown as octets. */
static void test_open_type_that_is_not(void **state)
{
	(void)state;
	check_print(&open_type, "300B 0603813403 A104 30020500", BER_ASN1,
		    "{\n  id {2 100 3},\n  value Picks : {\n    '0500'H -- NULL NULL --\n  }\n}");
	check_print(&open_type, "3009 0603813403 A1020500", BER_JSON, "{\"id\":\"2.100.3\",\"value\":{\"tlv\":\"0500\"}}");
	check_print(&open_type, "3008 06022A03 A1020500", BER_JSON, "{\"id\":\"1.2.3\",\"value\":{\"tlv\":\"0500\"}}");
}

static const struct ber_type t_utf8 = { "UTF8String", BER_STRING, BER_U(12), sizeof(struct view) };
static const struct ber_type t_bmp = { "BMPString", BER_STRING, BER_U(30), sizeof(struct view) };
static const struct ber_type t_universal = { "UniversalString", BER_STRING, BER_U(28), sizeof(struct view) };
static const struct ber_type t_plain_bits = { "BIT STRING", BER_BITS, BER_U(3), sizeof(struct ber_bits) };

static void test_strings(void **state)
{
	(void)state;
	static const struct {
		const struct ber_type *t;
		const char *hex, *asn1, *json;
	} cases[] = {
		{ &visible_string, "1A03 225C0A", "\"\"\"\\\\x0a\"", "\"\\\"\\\\\\u000a\"" },
		{ &t_t61, "1402 E99B", "\"\xc3\xa9\\x9b\"", "\"\xc3\xa9\\u009b\"" },
		{ &t_utf8, "0C09 C3A9 E282AC F09F9880", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		/* overlong, surrogate, over 10FFFF, cut, lone: U+FFFD for each octet (Unicode 3.9, D92) */
		{ &t_utf8, "0C02 C080", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ &t_utf8, "0C03 EDA080", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ &t_utf8, "0C02 61E2", "\"a\xef\xbf\xbd\"", "\"a\xef\xbf\xbd\"" },
		{ &t_bmp, "1E06 00E9 D83DDE00", "\"\xc3\xa9\xf0\x9f\x98\x80\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ &t_bmp, "1E05 0061 D83D 00", "\"a\xef\xbf\xbd\xef\xbf\xbd\"", "\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ &t_universal, "1C08 0001F600 00110000", "\"\xf0\x9f\x98\x80\xef\xbf\xbd\"",
		  "\"\xf0\x9f\x98\x80\xef\xbf\xbd\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_print(cases[i].t, cases[i].hex, BER_ASN1, cases[i].asn1);
		check_print(cases[i].t, cases[i].hex, BER_JSON, cases[i].json);
	}
}

static void test_bits_and_reals(void **state)
{
	(void)state;
	check_print(&t_bits, "030205E0", BER_ASN1, "'111'B"); /* the second has no name */
	check_print(&t_bits, "030205E0", BER_JSON, "[\"first\",1,\"third\"]");
	check_print(&t_bits, "030100", BER_ASN1, "{}");
	check_print(&t_plain_bits, "0307040A3B5F291CD0", BER_ASN1, "'00001010001110110101111100101001000111001101'B");
	check_print(&t_plain_bits, "030A0101020304050607080A", BER_ASN1,
		    "'01020304050607080A'H -- the last 1 bits do not count --");
	check_print(&t_plain_bits, "030A0001020304050607080A", BER_ASN1, "'01020304050607080A'H");
	check_print(&t_plain_bits, "030A0101020304050607080A", BER_JSON, "{\"hex\":\"01020304050607080a\",\"unused\":1}");
	check_print(&t_plain_bits, "030204F0", BER_JSON, "{\"bits\":\"1111\"}");
	/* X.690 8.5.2, 8.5.8, 8.5.9; 8.5.7.1: sign, 8.5.7.2 base 16, 8.5.7.3 scale 4 */
	check_print(&t_real, "0900", BER_ASN1, "0");
	check_print(&t_real, "090140", BER_ASN1, "PLUS-INFINITY");
	check_print(&t_real, "090141", BER_JSON, "\"MINUS-INFINITY\"");
	check_print(&t_real, "0905 03 312E4530", BER_ASN1, "\"1.E0\"");
	check_print(&t_real, "0903 E801 FF", BER_ASN1, "{mantissa -1020, base 16, exponent 1}");
	check_print(&t_real, "090143", BER_JSON, "\"-0\"");
	check_print(&t_real, "0902 8000", BER_ASN1, "'8000'H");
	check_print(&t_real, "0903 B00101", BER_ASN1, "'B00101'H"); /* a base that is reserved */
	check_print(&t_oid, "06032A8001", BER_ASN1, "'2A8001'H"); /* a leading zero, 8.19.2 */
	check_print(&t_oid, "06032A8001", BER_JSON, "{\"hex\":\"2a8001\"}");
}

static void check_raw(const char *hex, const char *want)
{
	struct arena *a = arena_new(1u << 20);
	struct out o;
	out_init(&o, 1u << 20);
	ber_print_raw(unhex(a, hex), 1, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
	arena_free(&a);
}

static void test_raw(void **state)
{
	(void)state;
	check_raw("3080 A006 1302 4742 0500 020101 0000 5F1F 03416263 0603813404",
		  " SEQUENCE indefinite\n"
		  "   [0] 6\n"
		  "     PrintableString 2 \"GB\"\n"
		  "     NULL 0 NULL\n"
		  "   INTEGER 1 1\n"
		  " [APPLICATION 31] 3 '416263'H \"Abc\"\n"
		  " OBJECT IDENTIFIER 3 {2 100 4}\n");
	check_raw("3005 0405 FF00", " SEQUENCE 5 (bad: 4 are left)\n   OCTET STRING 5 (bad: 2 are left) 'FF00'H\n");
	check_raw("3080 0101FF", " SEQUENCE indefinite\n   BOOLEAN 1 TRUE\n   bad: no end-of-contents\n");
	check_raw("3002 0000", " SEQUENCE 2\n   bad: end-of-contents where none is due: '0000'H\n");
	check_raw("3080 0001FF", " SEQUENCE indefinite\n   bad: end-of-contents where none is due: '0001FF'H\n");
	check_raw("0A0105 820105", " ENUMERATED 1 5\n [2] 1 '05'H\n");
	check_raw("0F0131", " [UNIVERSAL 15] 1 '31'H \"1\"\n");
	check_raw("1F", " bad: the header is cut short: '1F'H\n");
	check_raw("04FF", " bad: length octet 0xff, which X.690 reserves: '04FF'H\n");
	check_raw("", "");
}

static void check_oid(const char *text, const char *hex)
{
	struct arena *a = arena_new(1u << 20);
	struct out o;
	out_init(&o, 1u << 16);
	ber_oid_print(unhex(a, hex), &o);
	assert_string_equal(out_cstr(&o), text);
	out_clear(&o);
	assert_true(ber_oid_parse(text, &o));
	assert_octets(out_view(&o), unhex(a, hex));
	out_fini(&o);
	arena_free(&a);
}

static void test_oids(void **state)
{
	(void)state;
	check_oid("2.100.3", "813403"); /* X.690 8.19.5 */
	check_oid("2.6.1.4.0", "56010400");
	check_oid("0.0", "00");
	check_oid("0.39", "27");
	check_oid("1.0", "28");
	check_oid("1.39", "4F");
	check_oid("2.0", "50");
	check_oid("2.47", "7F");
	check_oid("2.48", "8100");
	check_oid("1.2.840.113549", "2A864886F70D");
	/* 2^63 - 1, 2^63, 2^64: the step from one word to many */
	check_oid("1.2.9223372036854775807", "2AFFFFFFFFFFFFFFFF7F");
	check_oid("1.2.9223372036854775808", "2A81808080808080808000");
	check_oid("1.2.18446744073709551616", "2A82808080808080808000");
	check_oid("2.9223372036854775728", "81808080808080808000");
	/* X.667: a UUID under 2.25, 128 bits (its own example) */
	check_oid("2.25.329800735698586629295641978511506172918", "6983F09DA7EBCFDEE0C7A1A7B2C0948CC8F9D776");
}

/* PA-17: forty arcs, and more than 32 octets. */
static void test_pa_17_long_oids(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 16);
	struct out text, octets;
	out_init(&text, 1u << 16);
	out_init(&octets, 1u << 16);
	for (unsigned large = 0; large < 2; large++) {
		out_clear(&text);
		out_clear(&octets);
		out_str(&text, "1.2");
		out_u8(&octets, 0x2a);
		for (unsigned i = 0; i < 38; i++) { /* 300 = 2 * 128 + 44 */
			out_str(&text, large != 0 ? ".300" : ".7");
			out_bytes(&octets, large != 0 ? VIEW("\x82\x2c") : VIEW("\x07"));
		}
		struct out tlv, shown;
		struct view oid;
		out_init(&tlv, 1000);
		out_init(&shown, 1000);
		ber_put_header(&tlv, BER_U(6), false, out_len(&octets));
		out_bytes(&tlv, out_view(&octets));
		assert_true(ber_decode(&t_oid, out_view(&tlv), &oid, a, &roomy, NULL));
		ber_oid_print(oid, &shown);
		assert_string_equal(out_cstr(&shown), out_cstr(&text));
		out_clear(&shown);
		assert_true(ber_oid_parse(out_cstr(&text), &shown));
		assert_octets(out_view(&shown), out_view(&octets));
		out_fini(&tlv);
		out_fini(&shown);
	}
	out_fini(&text);
	out_fini(&octets);
	arena_free(&a);
}

static void test_bad_oids(void **state)
{
	(void)state;
	static const char *const bad_text[] = { "", "1", "1.", ".1", "3.1", "1.40", "0.40", "1.2.", "1..2", "1.02",
						"1.2x", "-1.2", "1 2", "10.1", "2.6.00" };
	static const struct {
		const char *hex, *text;
	} bad_octets[] = { { "", "hex:" }, { "81", "hex:81" }, { "2A8001", "hex:2a8001" }, { "2A0581", "hex:2a0581" } };
	struct arena *a = arena_new(1u << 16);
	struct out o;
	out_init(&o, 1u << 16);
	out_str(&o, "kept");
	for (size_t i = 0; i < ARRAY_LEN(bad_text); i++)
		if (ber_oid_parse(bad_text[i], &o))
			fail_msg("parsed: %s", bad_text[i]);
	assert_string_equal(out_cstr(&o), "kept");
	for (size_t i = 0; i < ARRAY_LEN(bad_octets); i++) {
		out_clear(&o);
		ber_oid_print(unhex(a, bad_octets[i].hex), &o);
		assert_string_equal(out_cstr(&o), bad_octets[i].text);
	}
	/* an arc of 512 octets is a number, one of 513 is not worth the work */
	uint8_t octets[513];
	memset(octets, 0xff, sizeof octets);
	octets[511] = 0x7f;
	out_clear(&o);
	ber_oid_print(view_of(octets, 512), &o);
	assert_memory_equal(out_cstr(&o), "2.", 2);
	assert_int_equal(out_len(&o), 2 + 1079); /* 2^3584 - 1 has 1079 digits */
	octets[511] = 0xff;
	octets[512] = 0x7f;
	out_clear(&o);
	ber_oid_print(view_of(octets, 513), &o);
	assert_memory_equal(out_cstr(&o), "hex:ff", 6);
	char digits[1200];
	memset(digits, '9', sizeof digits);
	memcpy(digits, "1.2.", 4);
	digits[4 + 1075] = 0;
	out_clear(&o);
	assert_true(ber_oid_parse(digits, &o));
	digits[4 + 1075] = '9';
	digits[4 + 1076] = 0;
	assert_false(ber_oid_parse(digits, &o));
	out_fini(&o);
	arena_free(&a);
}

struct loop {
	struct ber_seq seq;
	struct view inside;
};
static const struct ber_type *resolve_loop(const void *parent);
static const struct ber_field loop_fields[] = {
	{ AT(loop, inside), .type = &t_any, .flags = BER_OPTIONAL, .resolve = resolve_loop },
};
static const struct ber_type loop_type = { "Loop", BER_SEQ, BER_U(16), sizeof(struct loop), loop_fields, 1 };

static const struct ber_type *resolve_loop(const void *parent)
{
	(void)parent;
	return &loop_type;
}

/* An open type that holds itself gets past the depth of one decode: print has a limit of its own, and shows
 * the rest as octets. */
static void test_open_types_without_end(void **state)
{
	(void)state;
	enum { LEVELS = 3000 };
	struct arena *a = arena_new(1u << 20);
	struct out in, o;
	struct loop v;
	out_init(&in, 1u << 20);
	out_init(&o, 1u << 24);
	for (uint32_t i = 0; i < LEVELS; i++) {
		out_bytes(&in, VIEW("\x30\x84"));
		out_u32(&in, 6 * (LEVELS - 1 - i));
	}
	assert_true(ber_decode(&loop_type, out_view(&in), &v, a, &roomy, NULL));
	ber_print(&loop_type, &v, BER_JSON, 0, &o);
	json_error_t why;
	json_t *parsed = json_loads(out_cstr(&o), 0, &why);
	assert_non_null(parsed);
	json_decref(parsed);
	assert_non_null(strstr(out_cstr(&o), "{\"tlv\":\"3084"));
	out_fini(&in);
	out_fini(&o);
	arena_free(&a);
}

/* A full output stays full: no text is half written past its limit, whatever the limit. */
static void test_print_into_little(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct all v;
	assert_true(ber_decode(&all_seq_type, unhex(a, ALL), &v, a, &roomy, NULL));
	for (size_t max = 0; max < 700; max += 3) {
		struct out o;
		out_init(&o, max);
		ber_print(&all_seq_type, &v, max % 2 == 0 ? BER_JSON : BER_ASN1, 0, &o);
		assert_true(out_len(&o) <= max);
		out_fini(&o);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_notation),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_indent_and_unknown_elements),
		cmocka_unit_test(test_open_type_that_is_not),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_bits_and_reals),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_oids),
		cmocka_unit_test(test_pa_17_long_oids),
		cmocka_unit_test(test_bad_oids),
		cmocka_unit_test(test_open_types_without_end),
		cmocka_unit_test(test_print_into_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
