/* rows_test.c - a field is a text or a number because its writer says so (rows.h), as docs/connector.md has ROW. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "proc/table/msgs.h"
#include "proc/table/rows.h"

static void test_what_a_field_is_its_writer_says(void **state)
{
	static const struct {
		const char *name, *value;
		bool is_number;
		uint64_t number;
	} wanted[] = {
		{ "link", "42", false, 0 }, { "size", "42", true, 42 }, { "subject", "007", false, 0 }, { "peer", "1e5", false, 0 },
		{ "held", "0", true, 0 },   { "most", "9223372036854775807", true, INT64_MAX }, { "text", "", false, 0 },
	};
	struct out o;
	struct row_field f;
	(void)state;
	out_init(&o, 4096);
	rows_text(&o, "link", VIEW("42"));
	rows_number(&o, "size", 42);
	rows_text(&o, "subject", VIEW("007"));
	rows_text(&o, "peer", VIEW("1e5"));
	rows_number(&o, "held", 0);
	rows_number(&o, "most", UINT64_MAX);
	rows_text(&o, "text", VIEW(""));
	struct cur c = cur_of(out_view(&o));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		assert_true(rows_next(&c, &f));
		assert_true(view_eq(f.name, view_str(wanted[i].name)));
		assert_true(view_eq(f.value, view_str(wanted[i].value)));
		assert_int_equal(f.is_number, wanted[i].is_number);
		assert_true(f.number == wanted[i].number);
		assert_true(view_eq(rows_value(out_view(&o), wanted[i].name), f.value));
	}
	assert_false(rows_next(&c, &f));
	assert_int_equal(rows_value(out_view(&o), "none").n, 0);
	out_fini(&o);
}

/* docs/connector.md: two strings a field, and `#` before the name of a number. */
static void test_the_octets_of_a_row(void **state)
{
	struct out o, octets;
	(void)state;
	out_init(&o, 4096);
	out_init(&octets, 4096);
	rows_text(&o, "link", VIEW("12"));
	rows_number(&o, "size", 12);
	assert_true(text_unhex(&octets, VIEW("00000004 6c696e6b 00000002 3132  00000005 2373697a65 00000002 3132")));
	assert_true(view_eq(out_view(&o), out_view(&octets)));
	out_fini(&o);
	out_fini(&octets);
}

static void test_a_mark_alone_makes_no_number(void **state)
{
	static const char *const values[] = { "", "1e5", "-1", "1.5", " 1", "9223372036854775808" };
	struct row_field f;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct out o;
		out_init(&o, 4096);
		put_string(&o, VIEW("#size"));
		put_string(&o, view_str(values[i]));
		struct cur c = cur_of(out_view(&o));
		assert_true(rows_next(&c, &f));
		assert_false(f.is_number);
		assert_true(view_eq(f.name, VIEW("size")) && view_eq(f.value, view_str(values[i])));
		out_fini(&o);
	}
}

static void test_a_row_that_is_cut_gives_whole_fields_alone(void **state)
{
	struct out o;
	(void)state;
	out_init(&o, 4096);
	rows_text(&o, "link", VIEW("london"));
	const size_t first = out_len(&o);
	rows_number(&o, "size", 5);
	for (size_t n = 0; n <= out_len(&o); n++) {
		struct cur c = cur_of(view_first(out_view(&o), n));
		struct row_field f;
		size_t fields = 0;
		while (rows_next(&c, &f))
			fields++;
		assert_int_equal(fields, n < first ? 0 : n < out_len(&o) ? 1 : 2);
	}
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_field_is_its_writer_says),
		cmocka_unit_test(test_the_octets_of_a_row),
		cmocka_unit_test(test_a_mark_alone_makes_no_number),
		cmocka_unit_test(test_a_row_that_is_cut_gives_whole_fields_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
