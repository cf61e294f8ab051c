/* msgs_test.c - what the fields of messages may hold (docs/connector.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "proc/table/msgs.h"

/* A program of its own passes on what its peer has said, and the text comes to terminals, journeys and reports. */
static void test_a_text_of_an_error_is_printable(void **state)
{
	(void)state;
	static const struct {
		const char *said, *heard;
	} cases[] = {
		{ "550 no such user", "550 no such user" },
		{ "\x1b[2J\nposthorn: all is well\r", "?[2J?posthorn: all is well?" },
		{ "caf\xc3\xa9 \x7f \x9b" "1m", "caf?? ? ?1m" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct msg_result said = { .transfer = 7, .err = { .kind = ERR_TEMP, .reason = -1, .diagnostic = -1 } }, heard;
		struct err e;
		struct out o;
		out_init(&o, 1024);
		snprintf(said.err.text, sizeof said.err.text, "%s", cases[i].said);
		put_msg_result(&o, &said);
		assert_true(get_msg_result(out_view(&o), &heard, &e));
		assert_string_equal(heard.err.text, cases[i].heard);
		out_fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_text_of_an_error_is_printable) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
