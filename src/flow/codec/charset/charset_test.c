/* charset_test.c - expected values: T.61 figure of the supplementary set, ISO 6937 as this system's iconv has it (an
 * implementation of other hands), ISO 2022 clause 13 for escapes, RFC 3629 for UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <iconv.h>

#include "flow/codec/charset/charset.h"

static size_t read_as(const struct charset_kit *kit, enum charset from, unsigned registration, struct view in, const char *want)
{
	struct out o;
	out_init(&o, 4096);
	size_t replaced = charset_to_utf8(kit, from, registration, in, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
	return replaced;
}

static size_t write_as(enum charset to, const char *utf8, struct view want)
{
	struct out o;
	out_init(&o, 4096);
	size_t replaced = charset_from_utf8(to, view_str(utf8), &o);
	assert_int_equal(out_len(&o), want.n);
	assert_memory_equal(out_view(&o).p, want.p, want.n);
	out_fini(&o);
	return replaced;
}

static void test_utf8_forms(void **state)
{
	(void)state;
	static const struct {
		const char *octets;
		size_t used;
		uint32_t want;
	} rows[] = {
		{ "A", 1, 'A' },
		{ "\xc3\xa9", 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 0x1f600 },
		{ "\xc0\x80", 1, UINT32_MAX },         /* overlong */
		{ "\xed\xa0\x80", 1, UINT32_MAX },     /* surrogate */
		{ "\xf4\x90\x80\x80", 1, UINT32_MAX }, /* above 10FFFF */
		{ "\xe2\x82", 1, UINT32_MAX },         /* cut */
		{ "\xff", 1, UINT32_MAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view v = view_str(rows[i].octets);
		size_t n = v.n;
		assert_int_equal(charset_utf8_next(&v), rows[i].want);
		assert_int_equal(n - v.n, rows[i].used);
	}
	assert_int_equal(charset_utf8_length(VIEW("a\xc3\xa9\xe2\x82\xac")), 3);
}

static void test_ia5(void **state)
{
	(void)state;
	assert_int_equal(read_as(NULL, CHARSET_IA5, 0, VIEW("Hello\r\n\t~"), "Hello\r\n\t~"), 0);
	assert_int_equal(read_as(NULL, CHARSET_IA5, 0, VIEW("a\0\x1b[b"), "a\xef\xbf\xbd\xef\xbf\xbd[b"), 2);
	/* Eight bits where there are seven: a guess, and counted. */
	assert_int_equal(read_as(NULL, CHARSET_IA5, 0, VIEW("Gr\xfc\xdf"), "Gr\xc3\xbc\xc3\x9f"), 2);
	assert_int_equal(read_as(NULL, CHARSET_IA5, 0, VIEW("Gr\xc3\xbc\xc3\x9f"), "Gr\xc3\xbc\xc3\x9f"), 2);
	assert_int_equal(write_as(CHARSET_IA5, "a\xc3\xa9z\x1b", VIEW("a?z?")), 2);
}

static void test_t61(void **state)
{
	(void)state;
	/* Accent before letter (T.61 3.2.3.1): 12/8 u, 15/11 = sharp s, 12/2 e */
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("Gr\xc8u\xfb" "e caf\xc2" "e"), "Gr\xc3\xbc\xc3\x9f" "e caf\xc3\xa9"), 0);
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("\xe1\xe9\xa4\xa6\xa8"), "\xc3\x86\xc3\x98$#\xc2\xa4"), 0);
	/* Single shift 1/9 then the code in GL; an accent on a letter it makes nothing with; an accent at the end. */
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("\x19\x7b"), "\xc3\x9f"), 0);
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("\xc1q"), "q\xcc\x80"), 0);
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("x\xc2"), "x\xc2\xb4"), 0);
	/* 14/5 holds nothing; a control sequence is passed over. */
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("\xe5"), "\xef\xbf\xbd"), 1);
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("a\x9b" "4mb"), "ab"), 0);
	/* Latin-1 designated into G1 by escape. */
	assert_int_equal(read_as(NULL, CHARSET_T61, 0, VIEW("\x1b\x2d\x41\xe9"), "\xc3\xa9"), 0);

	assert_int_equal(write_as(CHARSET_T61, "Gr\xc3\xbc\xc3\x9f" "e", VIEW("Gr\xc8u\xfb" "e")), 0);
	assert_int_equal(write_as(CHARSET_T61, "$\xc4\x90", VIEW("\xa4\xe2")), 0);
	assert_int_equal(write_as(CHARSET_T61, "\xe2\x82\xac", VIEW("?")), 1);
}

/* Every accent with every letter, and every single character, as iconv's ISO 6937 has them; and back, the ones that are one character. */
static void test_k194711_t61_against_iconv(void **state)
{
	(void)state;
	iconv_t cd = iconv_open("UTF-8", "ISO_6937");
	if (cd == (iconv_t)-1)
		skip();
	size_t compared = 0;
	for (unsigned a = 0xa1; a <= 0xff; a++) {
		bool accent = a > 0xc0 && a <= 0xcf;
		for (unsigned b = accent ? 0x20 : 0x7e; b < 0x7f; b++) {
			char octets[2] = { (char)a, (char)b }, text[16] = { 0 };
			char *in = octets, *out = text;
			size_t left = accent ? 2 : 1, room = sizeof text - 1, n = left;
			(void)iconv(cd, NULL, NULL, NULL, NULL);
			if (iconv(cd, &in, &left, &out, &room) == (size_t)-1 || left != 0 || a == 0xd0)
				continue;
			read_as(NULL, CHARSET_T61, 0, view_of(octets, n), text);
			if (accent && b != 0x20 && charset_utf8_length(view_str(text)) == 1 && !(a == 0xcb && b == 'g')) /* T.61: 12/2 g */
				write_as(CHARSET_T61, text, view_of(octets, n));
			compared++;
		}
	}
	iconv_close(cd);
	assert_true(compared > 200);
}

static void test_general_escapes(void **state)
{
	(void)state;
	struct charset_kit *kit = charset_kit_new();
	/* ESC 2/13 4/1: registration 100 into G1, seen in GR */
	assert_int_equal(read_as(NULL, CHARSET_GENERAL, 0, VIEW("\x1b\x2d\x41Gr\xfc\xdf"), "Gr\xc3\xbc\xc3\x9f"), 0);
	/* the same in seven bits, between SO and SI */
	assert_int_equal(read_as(NULL, CHARSET_GENERAL, 0, VIEW("\x1b\x2d\x41Gr\x0e\x7c\x5f\x0f!"), "Gr\xc3\xbc\xc3\x9f!"), 0);
	/* announced by the parameters, without an escape */
	assert_int_equal(read_as(NULL, CHARSET_GENERAL, 100, VIEW("Gr\xfc\xdf"), "Gr\xc3\xbc\xc3\x9f"), 0);
	/* Latin-2 and Cyrillic come from the kit; without it they are unknown, never an error */
	assert_int_equal(read_as(kit, CHARSET_GENERAL, 101, VIEW("\xb3\xf3"), "\xc5\x82\xc3\xb3"), 0);
	assert_int_equal(read_as(kit, CHARSET_GENERAL, 0, VIEW("\x1b\x2d\x4c\xbc\xd8\xe0"), "\xd0\x9c\xd0\xb8\xd1\x80"), 0);
	assert_int_equal(read_as(NULL, CHARSET_GENERAL, 0, VIEW("\x1b\x2d\x4c\xbc"), "\xef\xbf\xbd"), 1);
	/* ISO-2022-JP (RFC 1468): JIS X 0208 into G0 and back; U+65E5 U+672C */
	assert_int_equal(read_as(kit, CHARSET_GENERAL, 0, VIEW("\x1b$B\x46\x7c\x4b\x5c\x1b(B."), "\xe6\x97\xa5\xe6\x9c\xac."), 0);
	/* UTF-8 level 3 (registration 192) and the way back by ESC 2/5 4/0 */
	assert_int_equal(read_as(NULL, CHARSET_GENERAL, 0, VIEW("\x1b%/I\xe2\x82\xac\x1b%@."), "\xe2\x82\xac."), 0);
	/* a set nobody knows, and a lone escape */
	assert_int_equal(read_as(kit, CHARSET_GENERAL, 0, VIEW("\x1b(~ab\x1b(Bc"), "\xef\xbf\xbd\xef\xbf\xbd" "c"), 2);
	assert_int_equal(read_as(kit, CHARSET_GENERAL, 0, VIEW("a\x1b"), "a\xef\xbf\xbd"), 1);
	charset_kit_free(&kit);
	assert_null(kit);
}

static void test_q167639_unknown_set_is_no_error(void **state)
{
	(void)state;
	for (unsigned registration = 0; registration < 300; registration++) {
		struct out o;
		out_init(&o, 4096);
		(void)charset_to_utf8(NULL, CHARSET_GENERAL, registration, VIEW("\xd0\xd2\xc9\xd7\xc5\xd4"), &o);
		assert_false(o.bad);
		assert_true(charset_is_utf8(out_view(&o)));
		assert_true(charset_utf8_length(out_view(&o)) >= 1);
		out_fini(&o);
	}
}

static void test_choose_and_write_general(void **state)
{
	(void)state;
	struct charset_kit *kit = charset_kit_new();
	static const struct {
		const char *utf8;
		unsigned bare, kitted;
		struct view octets; /* with the kit */
	} rows[] = {
		{ "plain", 6, 6, { (const uint8_t *)"plain", 5 } },
		{ "caf\xc3\xa9", 100, 100, { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x41" "caf\xe9", 10 } },
		{ "5 \xe2\x82\xac", 192, 203, { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x62" "5 \xa4", 9 } },
		{ "\xd0\x9c", 192, 144, { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x4c\xbc", 7 } },
		{ "\xe6\x97\xa5", 192, 192, { (const uint8_t *)"\x1b%/I\xe6\x97\xa5", 7 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view text = view_str(rows[i].utf8);
		assert_int_equal(charset_choose(NULL, text), rows[i].bare);
		assert_int_equal(charset_choose(kit, text), rows[i].kitted);
		struct out o;
		out_init(&o, 100);
		assert_int_equal(charset_general_from_utf8(kit, rows[i].kitted, text, &o), 0);
		assert_true(view_eq(out_view(&o), rows[i].octets));
		read_as(kit, CHARSET_GENERAL, 0, rows[i].octets, rows[i].utf8);
		out_fini(&o);
	}
	charset_kit_free(&kit);
}

static void test_octets_and_names_of_mime(void **state)
{
	(void)state;
	struct charset_kit *kit = charset_kit_new();
	static const struct {
		const char *utf8, *name;
		struct view octets;
	} rows[] = { /* names: IANA's register of character sets */
		{ "plain", "US-ASCII", { (const uint8_t *)"plain", 5 } },
		{ "caf\xc3\xa9", "ISO-8859-1", { (const uint8_t *)"caf\xe9", 4 } },
		{ "\xd0\x9c", "ISO-8859-5", { (const uint8_t *)"\xbc", 1 } },
		{ "\xe6\x97\xa5", "UTF-8", { (const uint8_t *)"\xe6\x97\xa5", 3 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const unsigned registration = charset_choose(kit, view_str(rows[i].utf8));
		struct out o;
		out_init(&o, 100);
		assert_int_equal(charset_octets_from_utf8(kit, registration, view_str(rows[i].utf8), &o), 0);
		assert_true(view_eq(out_view(&o), rows[i].octets));
		assert_string_equal(charset_mime_name(registration), rows[i].name);
		assert_int_equal(charset_of_mime_name(view_str(rows[i].name)), registration);
		out_fini(&o);
	}
	assert_int_equal(charset_of_mime_name(VIEW("iso-8859-1")), CHARSET_REG_LATIN1);
	assert_int_equal(charset_of_mime_name(VIEW("iso-8859-11x")), CHARSET_REG_NONE);
	assert_null(charset_mime_name(58));
	charset_kit_free(&kit);
}

/* ISO 8859-2, -5, -7, -15 and TIS-620: all that is read is written at the same place. */
static void test_the_way_back_of_each_set(void **state)
{
	(void)state;
	struct charset_kit *kit = charset_kit_new();
	static const unsigned registrations[] = { 203, 101, 148, 144, 126, 109, 110, 157, 179, 199, 226, 127, 138, 166 };
	for (size_t i = 0; i < ARRAY_LEN(registrations); i++) {
		unsigned there = 0;
		for (unsigned octet = 0xa0; octet < 0x100; octet++) {
			const uint8_t in = (uint8_t)octet;
			struct out utf8, back;
			out_init(&utf8, 16);
			out_init(&back, 16);
			if (charset_to_utf8(kit, CHARSET_GENERAL, registrations[i], view_of(&in, 1), &utf8) == 0) {
				there++;
				assert_int_equal(charset_octets_from_utf8(kit, registrations[i], out_view(&utf8), &back), 0);
				assert_true(view_eq(out_view(&back), view_of(&in, 1)));
			}
			out_fini(&utf8);
			out_fini(&back);
		}
		assert_true(there >= 40);
	}
	charset_kit_free(&kit);
}

static void test_wide_strings(void **state)
{
	(void)state;
	assert_int_equal(read_as(NULL, CHARSET_BMP, 0, VIEW("\0A\x20\xac\xd8\x3d\xde\0"), "A\xe2\x82\xac\xf0\x9f\x98\x80"), 0);
	assert_int_equal(read_as(NULL, CHARSET_UNIVERSAL, 0, VIEW("\0\x01\xf6\0\0\0\0B"), "\xf0\x9f\x98\x80" "B"), 0);
	assert_int_equal(read_as(NULL, CHARSET_BMP, 0, VIEW("\0A\xd8"), "A\xef\xbf\xbd"), 1);
	assert_int_equal(read_as(NULL, CHARSET_BMP, 0, VIEW("\xd8\x3d\0A"), "\xef\xbf\xbd" "A"), 1);
	assert_int_equal(write_as(CHARSET_BMP, "A\xf0\x9f\x98\x80", VIEW("\0A\xd8\x3d\xde\0")), 0);
	assert_int_equal(write_as(CHARSET_UNIVERSAL, "\xe2\x82\xac", VIEW("\0\0\x20\xac")), 0);
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	static const struct view texts[] = {
		{ (const uint8_t *)"\x1b$B\x46\x7c\x1b(B\x1b\x2d\x41\xe9\x1b%/I\xe2\x82\xac\x1b%@\x0e\xc1\x19\x41", 26 },
		{ (const uint8_t *)"\xc1\xc2" "e\x9b" "12;4m\xc8u\x8f\x41", 13 },
	};
	for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
		for (size_t n = 0; n <= texts[t].n; n++) {
			for (int from = CHARSET_IA5; from <= CHARSET_UNIVERSAL; from++) {
				struct out o;
				out_init(&o, 4096);
				uint8_t *exact = malloc(n + 1);
				assert_non_null(exact);
				memcpy(exact, texts[t].p, n);
				(void)charset_to_utf8(NULL, (enum charset)from, 0, view_of(exact, n), &o);
				assert_true(charset_is_utf8(out_view(&o)));
				free(exact);
				out_fini(&o);
			}
		}
	}
}

static void test_full_output_stops(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 4);
	(void)charset_to_utf8(NULL, CHARSET_IA5, 0, VIEW("longer than four"), &o);
	assert_true(o.bad);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_forms),
		cmocka_unit_test(test_ia5),
		cmocka_unit_test(test_t61),
		cmocka_unit_test(test_k194711_t61_against_iconv),
		cmocka_unit_test(test_general_escapes),
		cmocka_unit_test(test_q167639_unknown_set_is_no_error),
		cmocka_unit_test(test_choose_and_write_general),
		cmocka_unit_test(test_octets_and_names_of_mime),
		cmocka_unit_test(test_the_way_back_of_each_set),
		cmocka_unit_test(test_wide_strings),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_full_output_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
