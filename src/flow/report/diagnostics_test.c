/* diagnostics_test.c - both tables of RFC 2156 (5.3.8.2 and 5.1.8.4), read from the RFC and not
 * from our rows; the notices after the meanings that the mover's documentation gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/report/diagnostics.h"

struct pair {
	int reason, diagnostic;
	const char *status;
};

/* RFC 2156 5.3.8.2; -1: Any. */
static const struct pair from_x411[] = {
	{0, -1, "4.4.0"}, {1, -1, "5.0.0"}, {2, -1, "5.6.3"}, {3, -1, "5.6.0"}, {4, -1, "5.1.0"},
	{5, -1, "5.7.1"}, {6, -1, "5.4.3"}, {7, -1, "5.3.3"}, {1, 0, "5.1.1"},	{1, 1, "5.1.4"},
	{1, 2, "4.3.1"},  {1, 3, "5.4.6"},  {1, 4, "4.2.1"},  {1, 5, "4.4.7"},	{1, 6, "5.6.1"},
	{1, 7, "5.2.3"},  {2, 8, "5.6.3"},  {2, 9, "5.6.3"},  {1, 10, "5.6.3"}, {1, 11, "5.5.2"},
	{1, 12, "5.5.2"}, {1, 13, "5.5.2"}, {1, 14, "5.5.0"}, {1, 15, "5.6.1"}, {1, 16, "5.5.3"},
	{1, 17, "5.4.4"}, {1, 18, "5.3.3"}, {2, 19, "5.6.2"}, {2, 20, "5.6.0"}, {2, 21, "5.6.0"},
	{2, 22, "5.6.2"}, {2, 23, "5.6.2"}, {2, 24, "5.6.2"}, {2, 25, "5.6.2"}, {1, 26, "5.4.0"},
	{1, 27, "5.4.6"}, {1, 28, "5.7.2"}, {1, 29, "5.7.1"}, {1, 30, "4.2.4"}, {4, 31, "5.6.0"},
	{4, 32, "5.1.0"}, {4, 45, "5.1.0"}, {1, 43, "5.1.6"}, {1, 46, "5.7.0"}, {2, 47, "5.3.3"},
	{0, 48, "5.3.4"}, {0, 49, "4.4.7"},
};

/* RFC 2156 5.1.8.4; -1: None. */
static const struct pair to_x411[] = {
	{1, -1, "5.0.0"},
	{1, -1, "5.1.0"},
	{1, 0, "5.1.1"},
	{1, 0, "5.1.2"},
	{1, 0, "5.1.3"},
	{1, 1, "5.1.4"},
	{1, 43, "5.1.6"},
	{1, 11, "5.1.7"},
	{1, 11, "5.1.8"},
	{1, -1, "5.2.0"},
	{1, 4, "5.2.1"},
	{1, 4, "5.2.2"},
	{1, 7, "5.2.3"},
	{1, 30, "5.2.4"},
	{0, -1, "5.3.0"},
	{1, 2, "5.3.1"},
	{1, 2, "5.3.2"},
	{1, 18, "5.3.3"},
	{1, 7, "5.3.4"},
	{1, -1, "5.3.5"},
	{0, -1, "5.4.0"},
	{0, -1, "5.4.1"},
	{0, -1, "5.4.2"},
	{6, -1, "5.4.3"},
	{0, -1, "5.4.4"},
	{1, 2, "5.4.5"},
	{1, 3, "5.4.6"},
	{1, 5, "5.4.7"},
	{1, -1, "5.5.0"},
	{1, 14, "5.5.1"},
	{1, 14, "5.5.2"},
	{1, 16, "5.5.3"},
	{1, 14, "5.5.4"},
	{1, 18, "5.5.5"},
	{2, -1, "5.6.0"},
	{1, 6, "5.6.1"},
	{1, 9, "5.6.2"},
	{2, 8, "5.6.3"},
	{2, 47, "5.6.5"},
	{1, 46, "5.7.0"},
	{1, 29, "5.7.1"},
	{1, 28, "5.7.2"},
	{1, 46, "5.7.3"},
	{1, 46, "5.7.4"},
	{1, 46, "5.7.5"},
	{1, 46, "5.7.6"},
	{1, 46, "5.7.7"},
	/* "5.2.37, currently undefined, would map onto the same as 5.2.0" */
	{1, -1, "5.2.37"},
	{0, -1, "5.3.9"},
	{2, -1, "5.6.99"},
	{1, -1, "5.9.1"},
};

static void test_rfc2156_from_x411(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(from_x411); i++)
		assert_string_equal(diagnostic_status(from_x411[i].reason, from_x411[i].diagnostic),
				    from_x411[i].status);
}

static void test_rfc2156_to_x411(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(to_x411); i++)
		for (char class = '4'; class <= '5'; class ++) {
			char status[16];
			int reason = -7, diagnostic = -7;
			snprintf(status, sizeof status, "%c%s", class, to_x411[i].status + 1);
			assert_true(diagnostic_from_status(view_str(status), &reason, &diagnostic));
			assert_int_equal(reason, to_x411[i].reason);
			assert_int_equal(diagnostic, to_x411[i].diagnostic);
		}
}

static void test_peers_pair_reasons_otherwise(void **state)
{
	(void)state;
	assert_string_equal(diagnostic_status(0, 0), "5.1.1"); /* the diagnostic tells more */
	assert_string_equal(diagnostic_status(1, 49), "4.4.7");
	assert_string_equal(diagnostic_status(1, 32), "5.1.0");
	assert_string_equal(diagnostic_status(1, 36), "5.1.0");
	assert_string_equal(diagnostic_status(1, 45), "5.1.0");
	assert_string_equal(diagnostic_status(8, 50), "5.7.0");
	assert_string_equal(diagnostic_status(2, 32767),
			    "5.6.3"); /* RP-15: unknown, so what its reason says */
	assert_string_equal(diagnostic_status(99, 32767), "5.0.0");
}

static void test_what_is_no_failure_code(void **state)
{
	(void)state;
	static const char *const bad[] = {"",	   "5",	    "5.1",     "5.1.",
					  "2.0.0", "3.1.1", "5.1.1.1", "5.1111.1",
					  "5..1",  "x.1.1", "5.1.1 ",  "55.1.1"};
	int reason = -7, diagnostic = -7;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(diagnostic_from_status(view_str(bad[i]), &reason, &diagnostic));
	assert_int_equal(reason, -7); /* written only on success */
}

static void test_notices(void **state)
{
	(void)state;
	static const struct {
		int notice, reason, diagnostic;
		bool back;
	} rows[] = {
		{1, 1, -1, true},   {2, 1, 0, true},	{3, 1, 3, false},   {4, 1, 3, true},
		{5, 0, 49, true},   {7, 1, 30, true},	{8, 1, 2, true},    {9, 1, 7, true},
		{12, 1, 12, true},  {16, 0, 48, true},	{17, 1, 4, true},   {18, 0, 48, false},
		{21, 0, -1, false}, {24, 0, -1, false}, {29, 1, 12, false}, {30, 1, 1, true},
		{77, 1, -1, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int reason, diagnostic;
		diagnostic_from_notice(rows[i].notice, &reason, &diagnostic);
		assert_int_equal(reason, rows[i].reason);
		assert_int_equal(diagnostic, rows[i].diagnostic);
		if (rows[i].back)
			assert_int_equal(diagnostic_notice(reason, diagnostic), rows[i].notice);
	}
	assert_int_equal(diagnostic_notice(1, 27), 4);
	assert_int_equal(diagnostic_notice(1, 5), 5);
	assert_int_equal(diagnostic_notice(1, 13), 9);
	assert_int_equal(diagnostic_notice(4, 40), 1);
}

/* Every pair goes out as one of the sixteen numbers that the mover has; and what came in as one keeps its meaning when it goes out and comes
 * in again, but for those whose pair says no more than transfer-failure. */
static void test_every_pair_has_a_notice_of_the_mover(void **state)
{
	(void)state;
	static const int all[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 18, 21, 24, 29, 30};
	for (int reason = 0; reason <= 9; reason++)
		for (int diagnostic = -1; diagnostic <= 60; diagnostic++) {
			const int notice = diagnostic_notice(reason, diagnostic);
			bool known = false;
			for (size_t i = 0; i < ARRAY_LEN(all); i++)
				known = known || all[i] == notice;
			assert_true(known);
		}
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int reason, diagnostic, again, diagnostic_again;
		diagnostic_from_notice(all[i], &reason, &diagnostic);
		diagnostic_from_notice(diagnostic_notice(reason, diagnostic), &again, &diagnostic_again);
		assert_int_equal(diagnostic, diagnostic_again);
		assert_int_equal(all[i] == 21 || all[i] == 24 ? 1 : reason, again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc2156_from_x411),
		cmocka_unit_test(test_rfc2156_to_x411),
		cmocka_unit_test(test_peers_pair_reasons_otherwise),
		cmocka_unit_test(test_what_is_no_failure_code),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_every_pair_has_a_notice_of_the_mover),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
