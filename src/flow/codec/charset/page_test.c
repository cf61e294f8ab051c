/* page_test.c - code pages against the tables of RFC 1345, RFC 1489 and Microsoft's published charts, given here as Unicode text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/charset/charset.h"

static struct charset_kit *kit;

static int make_kit(void **state)
{
	(void)state;
	kit = charset_kit_new();
	charset_kit_load_pages(kit);
	return 0;
}

static int drop_kit(void **state)
{
	(void)state;
	charset_kit_free(&kit);
	return 0;
}

static const struct {
	unsigned page;
	const char *octets, *utf8;
} rows[] = {
	{ 437, "\x84\x94\x81\xe1 \x9b\x9d", "äöüß ¢¥" },           /* IBM437: 84 a-diaeresis ... e1 sharp s */
	{ 850, "\x84\xd1\xb5\xb8", "äÐÁ©" },                        /* IBM850: d1 Eth, b5 A-acute, b8 copyright */
	{ 852, "\x88\xa5\x9c\xab\xfd", "łąťźř" },                   /* IBM852 */
	{ 866, "\x8f\xe0\xa8\xa2\xa5\xe2", "Привет" },              /* CP866 */
	{ 1250, "\xb3\xb9\x9c\x9f\xf8", "łąśźř" },
	{ 1251, "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет" },
	{ 1252, "\x80\x93\x94\xe9", "€“”é" },
	{ 20866, "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет" },            /* RFC 1489 */
	{ 932, "\x93\xfa\x96{\x8c\xea \xb1", "日本語 ｱ" },           /* JIS X 0208 shifted; half-width katakana; 7b is a second octet */
	{ 936, "\xd6\xd0\xce\xc4", "中文" },
	{ 949, "\xc7\xd1\xb1\xdb", "한글" },
	{ 950, "\xa4\xa4\xa4\xe5", "中文" },
	{ 65001, "\xc3\xa4\xe2\x82\xac", "ä€" },
};

static void test_k148234_pages_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct out there, back;
		out_init(&there, 1000);
		out_init(&back, 1000);
		assert_true(charset_page_known(kit, rows[i].page));
		assert_int_equal(charset_page_to_utf8(kit, rows[i].page, view_str(rows[i].octets), &there), 0);
		assert_string_equal(out_cstr(&there), rows[i].utf8);
		assert_int_equal(charset_page_from_utf8(kit, rows[i].page, view_str(rows[i].utf8), &back), 0);
		assert_string_equal(out_cstr(&back), rows[i].octets);
		out_fini(&there);
		out_fini(&back);
	}
}

/* Every character of every page comes back as the octets it came from, but where a page has it twice. */
static void test_all_of_all_pages(void **state)
{
	static const unsigned pages[] = { 437, 850, 852, 866, 1250, 1251, 1252, 20866, 28595, 932, 949 };
	(void)state;
	for (size_t k = 0; k < sizeof pages / sizeof *pages; k++) {
		unsigned there_are = 0;
		for (unsigned octet = 0x20; octet < 256; octet++) {
			struct out there, back, again;
			const uint8_t one = (uint8_t)octet;
			out_init(&there, 16);
			out_init(&back, 16);
			out_init(&again, 16);
			const size_t lost = charset_page_to_utf8(kit, pages[k], view_of(&one, 1), &there);
			assert_true(charset_is_utf8(out_view(&there)));
			if (lost == 0) {
				there_are++;
				assert_int_equal(charset_page_from_utf8(kit, pages[k], out_view(&there), &back), 0);
				assert_int_equal(charset_page_to_utf8(kit, pages[k], out_view(&back), &again), 0);
				assert_true(view_eq(out_view(&there), out_view(&again)));
			}
			out_fini(&there);
			out_fini(&back);
			out_fini(&again);
		}
		assert_true(there_are >= (pages[k] >= 932 && pages[k] < 950 ? 95 : 180));
	}
}

static void test_k159179_nul_and_controls(void **state)
{
	struct out o;
	(void)state;
	out_init(&o, 100);
	assert_int_equal(charset_page_to_utf8(kit, 850, view_of("a\0b\x01" "c\t\r\n\f\x1b", 10), &o), 2);
	assert_string_equal(out_cstr(&o), "ab?c\t\r\n\f?");
	out_clear(&o);
	assert_int_equal(charset_page_from_utf8(kit, 850, view_of("a\0b\xc2\x85", 5), &o), 1);
	assert_string_equal(out_cstr(&o), "ab?");
	out_fini(&o);
}

/* A page nobody has: text all the same, and nothing is asked for but its own size. */
static void test_k167639_k167139_unknown_page(void **state)
{
	struct out o;
	(void)state;
	out_init(&o, 100);
	assert_false(charset_page_known(kit, 4711));
	assert_false(charset_page_known(NULL, 850));
	assert_int_equal(charset_page_to_utf8(kit, 4711, VIEW("abc\xe4"), &o), 0);
	assert_string_equal(out_cstr(&o), "abc\xc3\xa4");
	out_clear(&o);
	assert_int_equal(charset_page_to_utf8(kit, 4711, VIEW("\xc3\xa4"), &o), 0);
	assert_string_equal(out_cstr(&o), "\xc3\xa4");
	out_clear(&o);
	assert_int_equal(charset_page_from_utf8(kit, 4711, VIEW("x\xc3\xa4"), &o), 1);
	assert_string_equal(out_cstr(&o), "x?");
	out_fini(&o);
}

/* A lead octet before what is no second one, and at the end. */
static void test_half_characters(void **state)
{
	struct out o;
	(void)state;
	out_init(&o, 100);
	assert_int_equal(charset_page_to_utf8(kit, 932, VIEW("\x93\ra\x93"), &o), 2);
	assert_string_equal(out_cstr(&o), "?\ra?");
	out_clear(&o);
	assert_int_equal(charset_page_from_utf8(kit, 437, VIEW("€日\xf0\x9f\x98\x80"), &o), 3);
	assert_string_equal(out_cstr(&o), "???");
	out_fini(&o);
}

static void test_likes(void **state)
{
	struct out o;
	(void)state;
	out_init(&o, 100);
	assert_int_equal(charset_page_from_utf8(kit, 850, VIEW("“a”–‘b’ Đ"), &o), 0);
	assert_string_equal(out_cstr(&o), "\"a\"-'b' \xd1"); /* d1 of 850 is the capital eth */
	out_clear(&o);
	assert_int_equal(charset_page_from_utf8(kit, 1252, VIEW("“a”–"), &o), 0);
	assert_string_equal(out_cstr(&o), "\x93" "a\x94\x96");
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_likes),
		cmocka_unit_test(test_k148234_pages_both_ways),
		cmocka_unit_test(test_all_of_all_pages),
		cmocka_unit_test(test_k159179_nul_and_controls),
		cmocka_unit_test(test_k167639_k167139_unknown_page),
		cmocka_unit_test(test_half_characters),
	};
	return cmocka_run_group_tests_name("charset_page", tests, make_kit, drop_kit);
}
