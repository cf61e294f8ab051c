/* names_test.c - names, ids, dates. Expected values: facts A1, A5, A11; dates: the calendar (date -u -d ... +%s), RFC 841 4.3.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/msmail/mai_testing.h"
#include "flow/codec/msmail/names.h"

static void test_names(void **state)
{
	(void)state;
	static const char *const good[] = { "NET/PO/MBX", "N/P/M", "NETWORK123/POSTOFFICE/MAILBOX123", "NET/PO", "NET/PO/$SYSTEM", "net/po/a b",
					    "NET/PO/a.b-c_d", "\x9a\x8e/PO/\x84rger" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct mm_name name;
		struct out o;
		struct err e;
		out_init(&o, 100);
		if (!mm_name_parse(view_str(good[i]), &name, &e))
			fail_msg("%s", e.text);
		mm_name_print(&name, &o);
		assert_string_equal(out_cstr(&o), good[i]);
		out_fini(&o);
	}
}

static void test_names_that_are_none(void **state)
{
	(void)state;
	static const struct {
		struct view text;
		const char *why;
	} cases[] = {
		{ VIEW(""), "network is empty" },
		{ VIEW("NET"), "postoffice is empty" },
		{ VIEW("/PO/MBX"), "network is empty" },
		{ VIEW("NET//MBX"), "postoffice is empty" },
		{ VIEW("NETWORK1234/PO/MBX"), "network is longer than 10" },
		{ VIEW("NET/POSTOFFICE1/MBX"), "postoffice is longer than 10" },
		{ VIEW("NET/PO/MAILBOX1234"), "mailbox is longer than 10" },
		{ VIEW("NET/PO/MBX/X"), "more than three parts" },
		{ VIEW("NET /PO/MBX"), "network has a blank" },
		{ VIEW("NET/PO/ MBX"), "mailbox has a blank" },
		{ VIEW("NET/P\x01O/MBX"), "postoffice has a control character" },
		{ VIEW("NET/PO/M\0X"), "mailbox has a control character" },
		{ VIEW("NET/PO/MB\x7f"), "mailbox has a control character" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mm_name name = { "as", "it", "was" };
		struct err e = { 0 };
		assert_false(mm_name_parse(cases[i].text, &name, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
		assert_int_equal(e.reason, 1);
		assert_int_equal(e.diagnostic, 0);
		assert_string_equal(name.mailbox, "was");
		if (strstr(e.text, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, e.text);
	}
}

/* Postoffices whose names are the same in their first octets are two, not a circular route. */
static void test_k128627_all_ten_characters_are_compared(void **state)
{
	(void)state;
	const struct mm_name a = { "NETWORKAAA", "POSTOFFIC1", "" }, b = { "NETWORKAAA", "POSTOFFIC2", "" }, c = { "networkaaa", "Postoffic1", "X" },
			     d = { "NETWORKAAB", "POSTOFFIC1", "" };
	assert_false(mm_same_postoffice(&a, &b));
	assert_true(mm_same_postoffice(&a, &c));
	assert_false(mm_same_postoffice(&a, &d));
	assert_false(mm_same("POSTOFFICE", "POSTOFFIC"));
	assert_false(mm_same("", "P"));
	assert_true(mm_same("", ""));
}

static void test_ids(void **state)
{
	(void)state;
	assert_string_equal(mm_id_of(0x62).s, "00000062");
	assert_string_equal(mm_id_of(UINT32_MAX).s, "FFFFFFFF");
	struct mm_id id;
	uint32_t number;
	assert_true(mm_id_parse(VIEW("0000abCD"), &id, &number, NULL));
	assert_string_equal(id.s, "0000ABCD");
	assert_int_equal(number, 0xabcd);
	assert_true(mm_id_parse(VIEW("FFFFFFFF"), NULL, &number, NULL));
	assert_int_equal(number, UINT32_MAX);
	static const struct view bad[] = { VIEW(""), VIEW("0000062"), VIEW("000000062"), VIEW("0000006G"), VIEW("0000006 "), VIEW("0x000062"), VIEW("0000006\0") };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		assert_false(mm_id_parse(bad[i], &id, &number, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	}
	assert_string_equal(id.s, "0000ABCD");
}

static const struct {
	struct mm_date date;
	int zone;
	wall_ms_t wall;
} dates[] = {
	{ { 1993, 10, 8, 16, 25, 0 }, 0, 750097500000 },
	{ { 1980, 7, 4, 18, 0, 0 }, -240, 331596000000 }, /* the example of FIPS 98 H.2, at 22:00 UTC */
	{ { 1999, 12, 31, 23, 59, 59 }, 0, 946684799000 },
	{ { 2000, 2, 29, 0, 0, 0 }, 0, 951782400000 },
	{ { 2000, 1, 1, 0, 30, 0 }, 60, 946683000000 }, /* still the old year in UTC */
	{ { 2026, 11, 22, 12, 0, 0 }, 330, 1795329000000 },
	{ { 2026, 11, 22, 12, 0, 0 }, -210, 1795361400000 },
	{ { 1900, 3, 1, 0, 0, 0 }, 0, -2203891200000 },
	{ { 2400, 12, 31, 0, 0, 1 }, 0, 13601001601000 },
};

static void test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		assert_int_equal(mm_date_to_wall(&dates[i].date, dates[i].zone, 7), dates[i].wall);
		const struct mm_date back = mm_date_of_wall(dates[i].wall, dates[i].zone);
		TESTING_SAME_DATE(back, dates[i].date);
	}
}

/* Each day of 800 years comes back, at its first and last second. */
static void test_every_day_comes_back(void **state)
{
	(void)state;
	const struct mm_date start = { 1700, 1, 1, 0, 0, 0 };
	const wall_ms_t first = mm_date_to_wall(&start, 0, 0);
	for (wall_ms_t day = 0; day < 292194; day++)
		for (int last = 0; last < 2; last++) {
			const wall_ms_t at = first + day * 86400000 + last * 86399000;
			const struct mm_date d = mm_date_of_wall(at, 0);
			if (at != 0)
				assert_int_equal(mm_date_to_wall(&d, 0, 1), at);
		}
}

static void test_k214565_bad_dates_are_no_fault(void **state)
{
	(void)state;
	static const struct mm_date bad[] = {
		{ 0 }, { 0, 1, 1, 0, 0, 0 }, { 1993, 0, 1, 0, 0, 0 }, { 1993, 13, 1, 0, 0, 0 }, { 1993, 2, 29, 0, 0, 0 }, { 1900, 2, 29, 0, 0, 0 },
		{ 1993, 4, 31, 0, 0, 0 }, { 1993, 4, 0, 0, 0, 0 }, { 1993, 4, 1, 24, 0, 0 }, { 1993, 4, 1, 0, 60, 0 }, { 1993, 4, 1, 0, 0, 60 },
		{ 65535, 255, 255, 255, 255, 255 },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(mm_date_is_valid(&bad[i]));
		assert_int_equal(mm_date_to_wall(&bad[i], 0, 4711), 4711);
	}
	const struct mm_date zero = mm_date_of_wall(0, 0), far = mm_date_of_wall(INT64_MAX, 1440), early = mm_date_of_wall(INT64_MIN, -1440);
	assert_int_equal(zero.year, 0);
	assert_int_equal(far.year, 0);
	assert_int_equal(early.year, 0);
}

static void test_dates_as_text(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct mm_date want;
	} cases[] = {
		{ "19800704-180000-0400", { 1980, 7, 4, 18, 0, 0 } }, /* FIPS 98 H.2 */
		{ "19800814-1000-0400", { 1980, 8, 14, 10, 0, 0 } },  /* H.5: without seconds */
		{ "19800815", { 1980, 8, 15, 0, 0, 0 } },
		{ "20261122-235959", { 2026, 11, 22, 23, 59, 59 } },
		{ "19939999-999999", { 1993, 99, 99, 99, 99, 99 } },
		{ "", { 0 } },
		{ "yesterday", { 0 } },
		{ "198", { 0 } },
		{ "00000704", { 0 } },
		{ "1980", { 1980, 0, 0, 0, 0, 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct mm_date got = mm_date_parse(view_str(cases[i].text));
		TESTING_SAME_DATE(got, cases[i].want);
	}
	struct out o;
	out_init(&o, 100);
	mm_date_print(&(struct mm_date){ 1980, 7, 4, 18, 0, 0 }, &o);
	assert_string_equal(out_cstr(&o), "19800704-180000");
	out_clear(&o);
	mm_date_print(&(struct mm_date){ 0 }, &o);
	mm_date_print(&(struct mm_date){ 10000, 1, 1, 0, 0, 0 }, &o);
	mm_date_print(&(struct mm_date){ 2000, 100, 1, 0, 0, 0 }, &o);
	assert_int_equal(out_len(&o), 0);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_k128627_all_ten_characters_are_compared),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_every_day_comes_back),
		cmocka_unit_test(test_k214565_bad_dates_are_no_fault),
		cmocka_unit_test(test_dates_as_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
