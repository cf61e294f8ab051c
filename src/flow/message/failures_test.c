/* failures_test.c - rows of the failure catalogue about addresses as text. Expected values: RFC 1685 F.3.2 (a delimiter is doubled),
 * RFC 2156 4.1 (`$` before it), X.411's upper bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/message/oraddr.h"

static bool parse(struct arena *a, const char *text, struct oraddr *addr_r, struct err *e)
{
	return oraddr_parse(view_str(text), addr_r, a, ORADDR_GENERATE, e);
}

static void value_is(const struct oraddr *addr, enum oraddr_type type, const char *want)
{
	const struct oraddr_attr *attr = oraddr_find(addr, type);
	assert_non_null(attr);
	if (!view_eq(attr->value, view_str(want)))
		fail_msg("found \"%.*s\", want \"%s\"", (int)attr->value.n, (const char *)attr->value.p, want);
}

/* `$/` was called a malformed address, or became control characters inside a domain-defined attribute. */
static void test_k176425_k177869_escaped_delimiters(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum oraddr_type type;
		const char *value;
	} row[] = {
		{ "/C=gb/A=x/P=y/O=a$/b/S=c/", ORA_ORGANIZATION, "a/b" },
		{ "/C=gb/A=x/P=y/O=a//b/S=c/", ORA_ORGANIZATION, "a/b" },
		{ "/C=gb/A=x/P=y/O=a$=b/S=c/", ORA_ORGANIZATION, "a=b" },
		{ "/C=gb/A=x/P=y/S=c/DD.FAX=1$/2/", ORA_DDA, "1/2" },
		{ "/C=gb/A=x/P=y/S=c/DD.FAX=1//2/", ORA_DDA, "1/2" },
		{ "/C=gb/A=x/P=y/S=c/DD.FAX=$/$/2/", ORA_DDA, "//2" },
		{ "C=gb; A=x; P=y; S=c; DDA:FAX=1/2", ORA_DDA, "1/2" },
		{ "C=gb; A=x; P=y; S=c; DDA:FAX=1==2", ORA_DDA, "1=2" },
	};
	struct arena *a = arena_new(1 << 20);
	struct oraddr addr, again;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		if (!parse(a, row[i].text, &addr, &e))
			fail_msg("%s: %s", row[i].text, e.text);
		value_is(&addr, row[i].type, row[i].value);
		for (enum oraddr_notation style = ORADDR_F401; style <= ORADDR_RFC2156; style++) {
			struct out o;
			out_init(&o, 1024);
			oraddr_print(&addr, style, &o);
			if (!parse(a, out_cstr(&o), &again, &e) || !oraddr_eq(&addr, &again))
				fail_msg("%s: printed %s", row[i].text, out_cstr(&o));
			out_fini(&o);
		}
	}
	arena_free(&a);
}

/* A line end in a value is a space (an address may be wrapped); any other control character is refused where we generate, with a
 * sentence that holds none itself. */
static void test_k177869_no_control_characters(void **state)
{
	(void)state;
	static const struct {
		const char *text, *value; /* NULL: refused */
	} row[] = {
		{ "/C=gb/A=x/S=c/DD.FAX=1\r2/", "1 2" },       { "C=gb; A=x; S=c; DDA:FAX=1\n2", "1 2" },
		{ "/C=gb/A=x/S=c/DD.FAX=1\0012/", NULL },      { "C=gb; A=x; S=c; DDA:FAX=1\0332", NULL },
		{ "/C=gb/A=x/S=c/DD.FAX=1{013}2/", NULL },     { "/C=gb/A=x/S=c/DD.FAX=1{047}2/", "1/2" },
	};
	struct arena *a = arena_new(1 << 20);
	struct oraddr addr;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct err e = { .text = "" };
		if (parse(a, row[i].text, &addr, &e) != (row[i].value != NULL))
			fail_msg("row %zu: %s", i, e.text);
		if (row[i].value != NULL)
			value_is(&addr, ORA_DDA, row[i].value);
		for (const char *c = e.text; *c != 0; c++)
			assert_true((uint8_t)*c >= ' ');
	}
	arena_free(&a);
}

/* An address of more than 256 characters stayed in the queue for ever: up to X.411's bounds it is taken, one more and that
 * recipient is refused with what was found and what is wanted. */
static void test_k173344_addresses_of_more_than_256_characters(void **state)
{
	(void)state;
	char text[1200], name[140];
	struct arena *a = arena_new(1 << 20);
	struct oraddr addr;
	struct err e;
	for (size_t n = 128; n <= 129; n++) { /* ub-domain-defined-attribute-value-length is 128 */
		memset(name, 'x', n);
		name[n] = 0;
		snprintf(text, sizeof text, "DDA:A=%s; DDA:B=%s; DDA:C=%s; S=%.40s; O=%.64s; P=%.16s; A=x; C=gb", name, name, name, name, name, name);
		assert_true(strlen(text) > 500);
		assert_int_equal(parse(a, text, &addr, &e), n == 128);
	}
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
	assert_non_null(strstr(e.text, "129"));
	assert_non_null(strstr(e.text, "128"));
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k176425_k177869_escaped_delimiters),
		cmocka_unit_test(test_k177869_no_control_characters),
		cmocka_unit_test(test_k173344_addresses_of_more_than_256_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
