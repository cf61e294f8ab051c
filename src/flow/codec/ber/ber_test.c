/* ber_test.c - decode and encode against octets of X.690 (2002): the examples of clause 8 and Annex A. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/ber/ber_test_help.h"

static void test_annex_a_decodes(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct record r;
	struct err e = { 0 };
	assert_true(ber_decode(&record_type, unhex(a, ANNEX_A), &r, a, &roomy, &e));
	assert_true(view_eq(r.name.givenName, VIEW("John")));
	assert_true(view_eq(r.name.initial, VIEW("P")));
	assert_true(view_eq(r.title, VIEW("Director")));
	assert_int_equal(r.number, 51);
	assert_true(view_eq(r.dateOfHire, VIEW("19710917")));
	assert_true(view_eq(r.nameOfSpouse.givenName, VIEW("Mary")));
	assert_int_equal(r.children.n, 2);
	const struct child *children = r.children.v;
	assert_true(view_eq(children[0].name.givenName, VIEW("Ralph")));
	assert_true(view_eq(children[1].name.familyName, VIEW("Jones")));
	assert_true(view_eq(children[1].dateOfBirth, VIEW("19590717")));
	assert_int_equal(r.seq.has, 0x3f);
	arena_free(&a);
}

/* Annex A writes the SET in the order of the notation; in tag order (X.690 10.3: application before context)
 * the same elements stand so. */
#define ANNEX_A_IN_TAG_ORDER                                                                        \
	"608185"                                                                                    \
	"6110 1A044A6F686E 1A0150 1A05536D697468"                                                   \
	"420133"                                                                                    \
	"A00A 1A084469726563746F72"                                                                 \
	"A10A 43083139373130393137"                                                                 \
	"A212 6110 1A044D617279 1A0154 1A05536D697468"                                              \
	"A342"                                                                                      \
	" 311F 6111 1A0552616C7068 1A0154 1A05536D697468 A00A 43083139353731313131"                 \
	" 311F 6111 1A05537573616E 1A0142 1A054A6F6E6573 A00A 43083139353930373137"

static void test_annex_a_encodes_in_tag_order(void **state)
{
	(void)state;
	check_recode(&record_type, ANNEX_A, ANNEX_A_IN_TAG_ORDER);
}

/* X.690 8.11.3: the order of a SET's elements is the sender's option. */
static void test_set_in_reverse_order(void **state)
{
	(void)state;
	check_recode(&record_type,
		     "608185"
		     "A342"
		     " 311F A00A 43083139353731313131 6111 1A0552616C7068 1A0154 1A05536D697468"
		     " 311F A00A 43083139353930373137 6111 1A05537573616E 1A0142 1A054A6F6E6573"
		     "A212 6110 1A044D617279 1A0154 1A05536D697468"
		     "A10A 43083139373130393137"
		     "420133"
		     "A00A 1A084469726563746F72"
		     "6110 1A044A6F686E 1A0150 1A05536D697468",
		     ANNEX_A_IN_TAG_ORDER);
}

/* Type1 ... Type5 of X.690 8.14's examples: VisibleString "Jones" under tags. */
static const struct ber_type type1 = { "Type1", BER_STRING, BER_U(26), sizeof(struct view) };
static const struct ber_type type2 = { "Type2", BER_STRING, BER_A(3), sizeof(struct view) };
static const struct ber_type type3 = { "Type3", BER_TAGGED, BER_C(2), sizeof(struct view), .of = &type2 };
static const struct ber_type type4 = { "Type4", BER_TAGGED, BER_A(7), sizeof(struct view), .of = &type2 };
static const struct ber_type type5 = { "Type5", BER_STRING, BER_C(2), sizeof(struct view) };

static void test_examples_of_clause_8(void **state)
{
	(void)state;
	static const struct {
		const struct ber_type *t;
		const char *hex, *want;
	} cases[] = {
		{ &t_bool, "0101FF", "0101FF" },           /* 8.2 */
		{ &t_bool, "010101", "0101FF" },           /* 8.2.2: any octet but zero is TRUE */
		{ &t_bool, "010100", "010100" },
		{ &t_bits, "0307040A3B5F291CD0", "0307040A3B5F291CD0" }, /* 8.6.4.2 */
		{ &t_bits, "23800303000A3B0305045F291CD00000", "0307040A3B5F291CD0" },
		{ &t_null, "0500", "0500" },               /* 8.8 */
		{ &t_oid, "0603813403", "0603813403" },    /* 8.19.5 */
		{ &t_relative, "0D04C27B0302", "0D04C27B0302" }, /* 8.20.5 */
		{ &type1, "1A054A6F6E6573", "1A054A6F6E6573" },   /* 8.14, and the forms of 8.23's example */
		{ &type1, "1A81054A6F6E6573", "1A054A6F6E6573" },
		{ &type1, "3A0904034A6F6E04026573", "1A054A6F6E6573" },
		{ &type2, "43054A6F6E6573", "43054A6F6E6573" },
		{ &type3, "A20743054A6F6E6573", "A20743054A6F6E6573" },
		{ &type4, "670743054A6F6E6573", "670743054A6F6E6573" },
		{ &type5, "82054A6F6E6573", "82054A6F6E6573" },
		{ &type3, "A28043054A6F6E65730000", "A20743054A6F6E6573" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_recode(cases[i].t, cases[i].hex, cases[i].want);
}

/* X.690 8.3: two's complement in as few octets as hold it. */
static void test_integers(void **state)
{
	(void)state;
	static const struct {
		int64_t x;
		const char *hex;
	} cases[] = {
		{ 0, "020100" }, { 1, "020101" }, { 127, "02017F" }, { 128, "02020080" }, { 255, "020200FF" },
		{ 256, "02020100" }, { 32767, "02027FFF" }, { 32768, "0203008000" }, { -1, "0201FF" },
		{ -128, "020180" }, { -129, "0202FF7F" }, { -32768, "02028000" },
		{ INT64_MAX, "02087FFFFFFFFFFFFFFF" }, { INT64_MIN, "02088000000000000000" },
	};
	struct arena *a = arena_new(1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t x;
		assert_true(ber_decode(&t_int, unhex(a, cases[i].hex), &x, a, &roomy, NULL));
		assert_true(x == cases[i].x);
		check_recode(&t_int, cases[i].hex, cases[i].hex);
	}
	check_recode(&t_int, "020A00000000000000000007", "020107");
	check_recode(&t_int, "0203FFFF80", "020180");
	check_recode(&t_int, "020AFFFFFFFFFFFFFFFFFFFE", "0201FE");
	check_recode(&t_int, "0209FF8000000000000000", "02088000000000000000");
	check_refused(&t_int, "0209008000000000000000", &roomy, "integer of 9 octets"); /* 2^63 */
	check_refused(&t_int, "0200", &roomy, "integer of 0 octets, want 1 to 8");
	check_refused(&t_int, "0209010000000000000000", &roomy, "integer of 9 octets");
	check_refused(&t_int, "0209FF0000000000000000", &roomy, "integer of 9 octets");
	arena_free(&a);
}

/* X.690 8.1.2.4 and 8.1.3; length 201 is the example of 8.1.3.5. */
static void test_headers(void **state)
{
	(void)state;
	static const struct {
		uint32_t tag;
		bool constructed;
		size_t length;
		const char *hex;
	} cases[] = {
		{ BER_U(2), false, 0, "0200" }, { BER_A(30), true, 127, "7E7F" }, { BER_C(31), false, 128, "9F1F8180" },
		{ BER_U(4), false, 201, "0481C9" }, { BER_P(127), true, 255, "FF7F81FF" },
		{ BER_P(128), true, 256, "FF8100820100" }, { BER_C(16384), false, 65536, "9F81800083010000" },
		{ BER_A(0x3ffffffe), false, 1, "5F83FFFFFF7E01" },
		{ BER_U(4), false, 0x100000000, "04850100000000" },
	};
	struct arena *a = arena_new(1u << 20);
	struct out o;
	out_init(&o, 100);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		out_clear(&o);
		ber_put_header(&o, cases[i].tag, cases[i].constructed, cases[i].length);
		assert_octets(out_view(&o), unhex(a, cases[i].hex));
		assert_int_equal(ber_header_size(cases[i].tag, cases[i].length), out_len(&o));
	}
	out_fini(&o);
	arena_free(&a);
	/* 8.1.3.5: leading zeroes in a length are allowed */
	check_recode(&t_octets, "0484000000020102", "04020102");
	check_recode(&t_octets, "048A00000000000000000001FF", "0401FF");
	check_refused(&t_octets, "04FF00", &roomy, "length octet 0xff");
	check_refused(&t_octets, "0489010000000000000000", &roomy, "length over 64 bits");
	check_refused(&t_octets, "0480", &roomy, "indefinite length on a primitive");
	check_refused(&t_octets, "1F0400", &roomy, "tag number below 31 in the long form");
	check_refused(&t_octets, "1F80810400", &roomy, "leading zero");
	check_refused(&t_octets, "1F8FFFFFFF7F00", &roomy, "tag number over 30 bits");
	check_refused(&t_octets, "DF83FFFFFF7F00", &roomy, "tag number over 30 bits");
	check_refused(&t_octets, "0000", &roomy, "tag 0 where no end-of-contents is due");
}

static void test_every_kind_round_trip(void **state)
{
	(void)state;
	check_recode(&all_seq_type, ALL, ALL);
}

static void test_every_kind_values(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct all v;
	struct err e = { 0 };
	struct view in = unhex(a, ALL);
	assert_true(ber_decode(&all_seq_type, in, &v, a, &roomy, &e));
	assert_true(v.flag);
	assert_int_equal(v.count, 2);
	assert_int_equal(v.colour, 0);
	assert_int_equal(v.big.n, 9);
	assert_int_equal(v.bits.unused, 5);
	assert_int_equal(v.bits.bytes.n, 1);
	assert_int_equal(v.bits.bytes.p[0], 0xa0);
	assert_true(view_eq(v.text, VIEW("Ren\xe9")));
	assert_int_equal(v.pick.choice.which, 2);
	assert_true(view_eq(v.pick.bytes, VIEW("\xab\xcd")));
	assert_int_equal(v.picks.n, 4);
	const struct pick *picks = v.picks.v;
	assert_int_equal(picks[0].choice.which, 1);
	assert_int_equal(((const int64_t *)picks[0].many.v)[0], 5);
	assert_int_equal(picks[1].choice.which, 3);
	assert_int_equal(picks[1].inner.choice.which, 1);
	assert_int_equal(picks[1].inner.number, 7);
	assert_int_equal(picks[2].inner.choice.which, 2);
	assert_int_equal(picks[3].choice.which, 4);
	assert_int_equal(picks[3].again->choice.which, 5);
	assert_int_equal(v.open->weight, 7);
	assert_int_equal(v.open->seq.has, 5); /* the default was not on the wire */
	assert_true(view_eq(v.open->value, VIEW("\x30\x03\x02\x01\x09")));
	assert_int_equal(v.set_of.n, 2);
	assert_int_equal(v.tagged.inner.number, 1);
	assert_true(view_eq(v.any, VIEW("\x24\x80\x00\x00")));
	/* zero copy: a primitive's content lies in the input */
	assert_true(v.text.p > in.p && v.text.p < in.p + in.n);
	assert_int_equal(v.seq.has, (1u << 18) - 1);
	arena_free(&a);
}

/* The same elements in a SET: any order in, tag order out (universal, application, context, private). */
static void test_every_kind_in_a_set(void **state)
{
	(void)state;
	check_recode(&all_set_type,
		     "3122 E100 A20424800000 BF1F048002ABCD 6703020101 0101FF 3106 1A0161 1A0162 020102",
		     "3122 0101FF 020102 3106 1A0161 1A0162 6703020101 A20424800000 BF1F048002ABCD E100");
}

/* X.690 8.1.3.6: every constructed element may be of indefinite length, within definite ones and around
 * them (PA-07, PA-08). */
static void test_pa_08_indefinite_and_definite_mixed(void **state)
{
	(void)state;
	static const char *const forms[] = {
		/* all indefinite */
		"3080 020102 BF1F808002ABCD0000 BF814880 A080020105 0000 020107 0000 A2803003020109 0000 0000",
		/* definite around indefinite */
		"3021 020102 BF1F808002ABCD0000 BF81480A A080020105 0000 020107 A2053003020109",
		/* indefinite around definite */
		"3080 020102 BF1F048002ABCD BF814808 A003020105 020107 A2053003020109 0000",
	};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		check_recode(&all_seq_type, forms[i],
			     "301D 020102 BF1F048002ABCD BF814808 A003020105 020107 A2053003020109");
	/* the definite length ends one octet too soon, one too late */
	check_refused(&all_seq_type, "300B 020102 BF1F808002ABCD0000", &roomy,
		      "All.pick: a header cut short before the end of the 11 octets around it");
	check_refused(&all_seq_type, "300A 020102 BF1F808002ABCD", &roomy,
		      "All.pick: no end-of-contents before the end of the 10 octets around it");
	check_refused(&all_seq_type, "300D 020102 BF1F808002ABCD000000", &roomy,
		      "All: a header cut short before the end of the 13 octets");
}

static void test_strings_in_pieces(void **state)
{
	(void)state;
	/* two levels, empty pieces, both lengths */
	check_recode(&t_octets, "2480 0402ABCD 2406 0400 04020102 2480 0000 0401FF 0000", "0405ABCD0102FF");
	check_recode(&t_octets, "2400", "0400");
	check_recode(&t_octets, "24040402ABCD", "0402ABCD");
	check_recode(&t_t61, "3480 1401 61 0401 62 0000", "14026162"); /* pieces with the string's own tag too */
	check_recode(&t_bits, "230B 0302 00AA 2305 0303 04 BBC0", "030404AABBC0");
	check_recode(&t_bits, "2303 030100", "030100");
	check_refused(&t_bits, "2308 030204F0 03020001", &roomy, "after one with unused bits");
	check_refused(&t_bits, "2303 0401AA", &roomy, "found OCTET STRING within a constructed string");
	check_refused(&t_octets, "2403 020101", &roomy, "found INTEGER within a constructed string");
	check_refused(&t_bits, "0300", &roomy, "without its first octet");
	check_refused(&t_bits, "03020800", &roomy, "1 octets with 8 unused bits");
	check_refused(&t_bits, "030101", &roomy, "0 octets with 1 unused bits");
}

/* One piece of content needs no copy; two are joined in the arena. */
static void test_pieces_zero_copy(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct view v, one = unhex(a, "2480 2480 0402ABCD 0000 0000"), two = unhex(a, "2480 0401AB 0401CD 0000");
	assert_true(ber_decode(&t_octets, one, &v, a, &roomy, NULL));
	assert_true(v.p == one.p + 6);
	size_t used = arena_used(a);
	assert_true(ber_decode(&t_octets, two, &v, a, &roomy, NULL));
	assert_octets(v, VIEW("\xab\xcd"));
	assert_int_equal(arena_used(a), used + 2);
	arena_free(&a);
}

static void test_choice_by_form(void **state)
{
	(void)state;
	check_recode(&pick_type, "A003020105", "A003020105");
	check_recode(&pick_type, "8000", "8000");
	check_recode(&pick_type, "A504A5028600", "A504A5028600");
	check_refused(&pick_type, "A600", &roomy, "Pick.nothing: [6] is constructed, want primitive");
	check_recode(&pick_type, "8901FF", "8901FF"); /* an alternative of a later version */
	check_refused(&inner_type, "8901FF", &roomy, "Inner: found [9], want an alternative of Inner");
}

static void test_defaults(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct all v;
	assert_true(ber_decode(&all_seq_type, unhex(a, "3003020101"), &v, a, &roomy, NULL));
	assert_false(v.flag);
	assert_int_equal(v.colour, 1);
	assert_int_equal(v.seq.has, 2);
	arena_free(&a);
	/* on the wire, though equal: not written again (X.690 11.5's rule, which we keep) */
	check_recode(&all_seq_type, "3009 010100 020101 0A0101", "3003020101");
	check_recode(&all_seq_type, "3009 0101FF 020101 0A0100", "3009 0101FF 020101 0A0100");
}

/* Elements no row knows, bit for bit: nested, indefinite, with long tags and needless length octets. */
static void test_unknown_elements(void **state)
{
	(void)state;
	static const char *const same[] = {
		"3018 020101 9F638200020102 030205A0 B08005000000 C4810122",
		"300A B0800201010000 020105",
	};
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		check_recode(&all_seq_type, same[i], same[i]);
	/* in a SET they go to their place in tag order, those with one tag in the order found */
	check_recode(&record_type,
		     "6044 C1028801 C10101 850107 6110 1A044A6F686E 1A0150 1A05536D697468"
		     "420133 A003 1A0161 A10A 43083139373130393137 A212 6110 1A044D617279 1A0154 1A05536D697468",
		     "6044 6110 1A044A6F686E 1A0150 1A05536D697468"
		     "420133 A003 1A0161 A10A 43083139373130393137 A212 6110 1A044D617279 1A0154 1A05536D697468"
		     "850107 C1028801 C10101");
}

struct later {
	struct ber_seq seq;
	int64_t count;
	struct pick pick;
};
static const struct ber_field later_fields[] = {
	{ AT(later, count), .type = &t_int },
	{ AT(later, pick), .type = &pick_type },
};
static const struct ber_type later_type = { "Later", BER_SEQ, BER_U(16), sizeof(struct later), later_fields, 2 };

/* A mandatory untagged CHOICE with an alternative we do not know is there, not missing. */
static void test_unknown_alternative_without_tag(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct later v;
	assert_true(ber_decode(&later_type, unhex(a, "3009 020101 8901FF 8A01EE"), &v, a, &roomy, NULL));
	assert_true(v.pick.choice.which == BER_CHOICE_OTHER);
	assert_octets(v.pick.choice.other, VIEW("\x89\x01\xff"));
	assert_int_equal(v.seq.n_extra, 1);
	arena_free(&a);
	check_recode(&later_type, "3009 020101 8901FF 8A01EE", "3009 020101 8901FF 8A01EE");
	check_recode(&later_type, "3009 020101 8901FF 1A01EE", "3009 020101 8901FF 1A01EE");
	check_refused(&later_type, "3003 020101", &roomy, "Later: field pick of Later is missing");
}

struct mixed {
	struct ber_seq seq;
	struct pick pick;
	bool flag;
	struct view rest;
};
static const struct ber_field mixed_fields[] = {
	{ AT(mixed, rest), .type = &t_any, .flags = BER_OPTIONAL },
	{ AT(mixed, pick), .type = &pick_type },
	{ AT(mixed, flag), .type = &t_bool },
};
static const struct ber_type mixed_set = { "Mixed", BER_SET, BER_U(17), sizeof(struct mixed), mixed_fields, 3 };
static const struct ber_type mixed_seq = { "MixedSeq", BER_SEQ, BER_U(16), sizeof(struct mixed), mixed_fields, 3 };

/* In a SET an untagged CHOICE stands where what is chosen belongs, an untagged ANY takes what no other row
 * does; one more such element is unknown. In a SEQ the ANY takes what stands in its place. */
static void test_rows_without_tag(void **state)
{
	(void)state;
	check_recode(&mixed_set, "3108 0500 020105 0101FF", "3108 0101FF 020105 0500");
	check_recode(&mixed_set, "3109 A5028600 0500 0101FF", "3109 0101FF 0500 A5028600");
	check_recode(&mixed_set, "3109 1A0161 4101AA 0101FF", "3109 0101FF 1A0161 4101AA");
	check_recode(&mixed_set, "310B 0500 06012A 020105 0101FF", "310B 0101FF 020105 0500 06012A");
	check_refused(&mixed_set, "3105 0500 0101FF", &roomy, "field pick of Mixed is missing");
	check_recode(&mixed_seq, "3008 0500 020105 0101FF", "3008 0500 020105 0101FF");
	check_refused(&mixed_seq, "3006 020105 0101FF", &roomy, "field pick of MixedSeq is missing");
}

/* Many unknown elements in a SET: in tag order, those with one tag as they came. */
static void test_many_unknown_in_a_set(void **state)
{
	(void)state;
	enum { TAGS = 150 };
	struct arena *a = arena_new(1u << 20);
	struct out in, want, o;
	out_init(&in, 1u << 16);
	out_init(&want, 1u << 16);
	out_init(&o, 1u << 16);
	out_bytes(&in, VIEW("\x31\x80\x05\x00")); /* the NULL first: it is the ANY */
	ber_put_header(&want, BER_U(17), true, 8 + 2 * TAGS * 5);
	out_bytes(&want, VIEW("\x01\x01\xff\x02\x01\x05\x05\x00"));
	for (uint32_t i = 0; i < 2 * TAGS; i++) { /* [PRIVATE 349] down to [PRIVATE 200], twice; and what that becomes */
		ber_put_header(&in, BER_P(349 - i % TAGS), false, 1);
		out_u8(&in, (uint8_t)(i / TAGS));
		ber_put_header(&want, BER_P(200 + i / 2), false, 1);
		out_u8(&want, (uint8_t)(i % 2));
	}
	out_bytes(&in, VIEW("\x02\x01\x05\x01\x01\xff\x00\x00"));
	assert_octets(recode(&mixed_set, out_view(&in), a, &o), out_view(&want));
	out_fini(&in);
	out_fini(&want);
	out_fini(&o);
	arena_free(&a);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const struct ber_type *t;
		const char *hex, *text;
	} cases[] = {
		{ &all_seq_type, "", "All: no octets" },
		{ &all_seq_type, "300302010105", "All: 1 octets follow the value, at octet 5" },
		{ &all_seq_type, "3000", "All: field count of All is missing, at octet 0" },
		{ &all_seq_type, "3006 020101 0101FF", "found BOOLEAN of field flag after a later field, at octet 5" },
		{ &all_seq_type, "3006 020101 020101", "found INTEGER of field count a second time, at octet 5" },
		{ &all_set_type, "3106 020101 020101", "found INTEGER of field count a second time, at octet 5" },
		{ &all_set_type, "3106 020101 C50105", "found [PRIVATE 5], which AllSet does not have" },
		{ &all_seq_type, "3007 020101 E1020500", "All.empty: found NULL, which Empty does not have" },
		{ &all_seq_type, "3103 020101", "All: found SET, want SEQUENCE of All" },
		{ &all_seq_type, "1000", "All: SEQUENCE is primitive, want constructed" },
		{ &all_seq_type, "3006 020101 BF1F00", "All.pick: nothing within an explicit tag, want Pick" },
		{ &all_seq_type, "300A 020101 BF1F0480008000", "All.pick: a second element within an explicit tag" },
		{ &all_seq_type, "3007 020101 9F1F0100", "All.pick: [31] is primitive, want constructed" },
		{ &all_seq_type, "3009 020101 31041A000500", "All.set_of[1]: found NULL, want VisibleString of V" },
		{ &all_seq_type, "3005 020101 0405", "All: an element of length 5 where 0 octets are left of the 5 "
						     "around it, at octet 5" },
		{ &all_seq_type, "3005 020101 1F81", "All: a header cut short before the end of the 5 octets" },
		{ &t_bool, "0102FFFF", "a BOOLEAN of 2 octets, want 1" },
		{ &t_bool, "0100", "a BOOLEAN of 0 octets, want 1" },
		{ &t_bool, "21030101FF", "BOOLEAN is constructed, want primitive" },
		{ &t_null, "050100", "a NULL of 1 octets, want 0" },
		{ &t_oid, "0600", "OBJECT IDENTIFIER without content octets" },
		{ &t_oid, "060181", "the last arc of OBJECT IDENTIFIER is cut short" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i].t, cases[i].hex, &roomy, cases[i].text);
}

static void check_cuts(const struct ber_type *t, const char *hex)
{
	struct arena *a = arena_new(1u << 20);
	struct view whole = unhex(a, hex);
	void *value = mem_alloc(t->size);
	size_t used;
	for (size_t n = 0; n < whole.n; n++) {
		struct err e = { 0 };
		uint8_t *exact = mem_dup(whole.p, n); /* so that a read past the cut is seen */
		if (ber_decode_first(t, view_of(exact, n), value, &used, a, &roomy, &e))
			fail_msg("%zu octets of %zu decode", n, whole.n);
		assert_int_equal(e.kind, ERR_PERM);
		assert_true(e.text[0] != 0);
		free(exact);
	}
	struct out o;
	out_init(&o, 1u << 16);
	out_bytes(&o, whole);
	out_str(&o, "\xff\xff");
	assert_true(ber_decode_first(t, out_view(&o), value, &used, a, &roomy, NULL));
	assert_int_equal(used, whole.n);
	out_fini(&o);
	free(value);
	arena_free(&a);
}

static void test_cut_at_every_octet(void **state)
{
	(void)state;
	check_cuts(&record_type, ANNEX_A);
	check_cuts(&all_seq_type, ALL);
	check_cuts(&all_seq_type, "3080 020102 BF1F808002ABCD0000 BF814880 A080020105 0000 020107 0000 B08005000000 0000");
}

/* Whatever one octet becomes: it is refused with a text, or what was decoded encodes and decodes again. */
static void test_any_octet_changed(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 22);
	struct out o;
	struct all v;
	out_init(&o, 1u << 16);
	struct view whole = unhex(a, ALL);
	uint8_t *octets = mem_dup(whole.p, whole.n);
	unsigned passed = 0;
	for (size_t i = 0; i < whole.n * 256; i++) {
		struct arena *b = arena_new(1u << 16);
		struct err e = { 0 };
		octets[i / 256] = (uint8_t)i;
		out_clear(&o);
		if (ber_decode(&all_seq_type, view_of(octets, whole.n), &v, b, &roomy, &e)) {
			passed++;
			assert_true(ber_encode(&all_seq_type, &v, &o, &e));
			assert_true(ber_decode(&all_seq_type, out_view(&o), &v, b, &roomy, &e));
		} else {
			assert_true(e.text[0] != 0);
		}
		octets[i / 256] = whole.p[i / 256];
		arena_free(&b);
	}
	assert_true(passed > whole.n); /* the original itself, once for each octet, and contents that differ */
	free(octets);
	out_fini(&o);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_annex_a_decodes),
		cmocka_unit_test(test_annex_a_encodes_in_tag_order),
		cmocka_unit_test(test_set_in_reverse_order),
		cmocka_unit_test(test_examples_of_clause_8),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_every_kind_round_trip),
		cmocka_unit_test(test_every_kind_values),
		cmocka_unit_test(test_every_kind_in_a_set),
		cmocka_unit_test(test_pa_08_indefinite_and_definite_mixed),
		cmocka_unit_test(test_strings_in_pieces),
		cmocka_unit_test(test_pieces_zero_copy),
		cmocka_unit_test(test_choice_by_form),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_unknown_elements),
		cmocka_unit_test(test_unknown_alternative_without_tag),
		cmocka_unit_test(test_rows_without_tag),
		cmocka_unit_test(test_many_unknown_in_a_set),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cut_at_every_octet),
		cmocka_unit_test(test_any_octet_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
