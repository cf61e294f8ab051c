/* schedule_test.c - times of the week. Days of dates: 2026-01-01 is a Thursday (calendar); 1970-01-01 was one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/queue/schedule.h"

static const wall_ms_t hour = 3600 * 1000, day = 24 * 3600 * 1000, minute = 60 * 1000;
static const wall_ms_t thursday = INT64_C(1767225600000); /* 2026-01-01 00:00 UTC */
#define MONDAY (thursday + 4 * day)

static struct schedule of(const char *text)
{
	struct schedule s = { { 0 } };
	struct err e;
	if (!schedule_add(&s, view_str(text), &e))
		fail_msg("%s", e.text);
	return s;
}

static unsigned quarters(const struct schedule *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < SCHEDULE_SLOTS; i++)
		n += s->slots[i / 8] >> i % 8 & 1;
	return n;
}

static void test_working_hours(void **state)
{
	(void)state;
	struct schedule s = of("Mon-Fri 08:00-18:00");
	assert_int_equal(quarters(&s), 5 * 40);
	assert_false(schedule_is_open(&s, thursday + 8 * hour - 1));
	assert_true(schedule_is_open(&s, thursday + 8 * hour));
	assert_true(schedule_is_open(&s, thursday + 18 * hour - 1));
	assert_false(schedule_is_open(&s, thursday + 18 * hour));
	assert_false(schedule_is_open(&s, thursday + 2 * day + 9 * hour)); /* Saturday */
	assert_false(schedule_is_open(&s, thursday + 3 * day + 9 * hour));
	assert_true(schedule_is_open(&s, MONDAY + 9 * hour));
	assert_int_equal(schedule_changes(&s, thursday), thursday + 8 * hour);
	assert_int_equal(schedule_changes(&s, thursday + 8 * hour), thursday + 18 * hour);
	assert_int_equal(schedule_changes(&s, thursday + day + 18 * hour), MONDAY + 8 * hour); /* over the weekend */
}

static void test_a_quarter_of_an_hour(void **state)
{
	(void)state;
	struct schedule s = of("Sun 03:15-03:30");
	const wall_ms_t sunday = thursday + 3 * day;
	assert_int_equal(quarters(&s), 1);
	assert_true(schedule_is_open(&s, sunday + 3 * hour + 15 * minute));
	assert_true(schedule_is_open(&s, sunday + 3 * hour + 30 * minute - 1));
	assert_false(schedule_is_open(&s, sunday + 3 * hour + 30 * minute));
	assert_int_equal(schedule_changes(&s, sunday + 3 * hour + 30 * minute), sunday + 7 * day + 3 * hour + 15 * minute);
}

static void test_over_midnight_and_the_end_of_the_week(void **state)
{
	(void)state;
	struct schedule s = of("22:00-06:00");
	assert_int_equal(quarters(&s), 7 * 32);
	for (unsigned d = 0; d < 14; d++) {
		const wall_ms_t at = thursday + d * day;
		assert_true(schedule_is_open(&s, at));
		assert_true(schedule_is_open(&s, at + 6 * hour - 1));
		assert_false(schedule_is_open(&s, at + 6 * hour));
		assert_true(schedule_is_open(&s, at + 22 * hour));
		assert_int_equal(schedule_changes(&s, at + 23 * hour), at + day + 6 * hour);
	}
	s = of("Sun 23:45-00:15"); /* its end is Monday's */
	assert_int_equal(quarters(&s), 2);
	assert_true(schedule_is_open(&s, MONDAY - 15 * minute));
	assert_true(schedule_is_open(&s, MONDAY));
	assert_false(schedule_is_open(&s, MONDAY + 15 * minute));
	assert_int_equal(schedule_changes(&s, MONDAY), MONDAY + 15 * minute);
	s = of("Sat-Mon 10:00-11:00");
	assert_int_equal(quarters(&s), 3 * 4);
	assert_true(schedule_is_open(&s, MONDAY - 2 * day + 10 * hour));
	assert_true(schedule_is_open(&s, MONDAY + 10 * hour));
	assert_false(schedule_is_open(&s, MONDAY + day + 10 * hour));
}

static void test_several_add_up(void **state)
{
	(void)state;
	struct schedule s = of("Mon 00:00-24:00");
	struct err e;
	assert_int_equal(quarters(&s), 96);
	assert_true(schedule_add(&s, VIEW("tue 00:00-12:00"), &e)); /* any case */
	assert_int_equal(quarters(&s), 96 + 48);
	assert_int_equal(schedule_changes(&s, MONDAY), MONDAY + 36 * hour); /* no change at midnight */
}

static void test_always_and_never_change_nothing(void **state)
{
	(void)state;
	struct schedule all = of("00:00-24:00"), none = { { 0 } };
	assert_int_equal(quarters(&all), SCHEDULE_SLOTS);
	assert_true(schedule_is_open(&all, thursday));
	assert_int_equal(schedule_changes(&all, thursday), 0);
	assert_false(schedule_is_open(&none, thursday));
	assert_int_equal(schedule_changes(&none, thursday), 0);
}

/* Each quarter against one computed from the day and the time of day; also before 1970. */
static void test_every_quarter_of_many_weeks(void **state)
{
	(void)state;
	struct schedule s = of("Wed-Thu 13:30-14:45");
	for (wall_ms_t at = -3 * 7 * day; at < 3 * 7 * day; at += 15 * minute) {
		const wall_ms_t days = (at + 3000 * 7 * day) / day, time = (at + 3000 * 7 * day) % day; /* from a Thursday */
		const bool is_day = days % 7 == 0 || days % 7 == 6;
		assert_int_equal(schedule_is_open(&s, at), is_day && time >= 13 * hour + 30 * minute && time < 14 * hour + 45 * minute);
		const wall_ms_t next = schedule_changes(&s, at);
		assert_true(next > at && next <= at + 7 * day);
		assert_true(schedule_is_open(&s, next) != schedule_is_open(&s, next - 1));
	}
}

static void test_what_is_no_time(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "Mon", "Mon-Fri", "Mon-Fri ", "08:00", "08:00-", "8:00-9:00", "08:00-18:10", "08:05-18:00", "24:00-24:00", "08:00-24:15",
		"25:00-26:00", "08:60-09:00", "08:00-08:00", "08:00-00:00", "Mon-Xyz 08:00-09:00", "Mon, Tue 08:00-09:00", "Mon08:00-09:00",
		"Mon  08:00-09:00", "08:00-09:00 ", " 08:00-09:00", "08.00-09.00", "Montag 08:00-09:00", "Mon- 08:00-09:00", "0a:00-09:00",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct schedule s = { { 0 } };
		struct err e;
		if (schedule_add(&s, view_str(bad[i]), &e))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(quarters(&s), 0);
		assert_non_null(strstr(e.text, "want"));
	}
	const char *good = "Mon-Fri 08:00-18:00"; /* cut anywhere it is none, but for the longest */
	for (size_t n = 0; n < strlen(good); n++) {
		struct schedule s = { { 0 } };
		struct err e;
		assert_false(schedule_add(&s, view_of((const uint8_t *)good, n), &e));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_working_hours),
		cmocka_unit_test(test_a_quarter_of_an_hour),
		cmocka_unit_test(test_over_midnight_and_the_end_of_the_week),
		cmocka_unit_test(test_several_add_up),
		cmocka_unit_test(test_always_and_never_change_nothing),
		cmocka_unit_test(test_every_quarter_of_many_weeks),
		cmocka_unit_test(test_what_is_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
