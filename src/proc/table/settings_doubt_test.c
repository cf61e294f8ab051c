/* settings_doubt_test.c - what check-config warns of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "proc/table/settings_doubt.h"

#define HEAD "mta:\n  name: me\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:102\"]\n"
#define LINKS "links:\n  - name: a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n  - name: b\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-b\n"
#define ROUTE(match, to) "  - match: \"" match "\"\n    to: " to "\n"
#define GOOD ROUTE("C=FR; A=SIM; P=p", "local") ROUTE("C=GB", "a") ROUTE("C=JP", "b")

static void note(void *ctx, const char *sentence)
{
	out_fmt(ctx, "%s\n", sentence);
}

/* want: NULL for nothing at all. */
static void doubted(const char *text, const char *want)
{
	struct arena *a = arena_new(1 << 20);
	struct settings s;
	struct err e;
	struct out o;
	out_init(&o, 1 << 16);
	if (!settings_load(view_str(text), "test", &s, a, &e))
		fail_msg("%s", e.text);
	settings_doubts(&s, a, note, &o);
	if (want == NULL ? out_len(&o) != 0 : strstr(out_cstr(&o), want) == NULL)
		fail_msg("\"%s\" is not \"%s\"", out_cstr(&o), want);
	out_fini(&o);
	arena_free(&a);
}

static void test_nothing_to_doubt(void **state)
{
	(void)state;
	doubted(HEAD LINKS "routes:\n" GOOD, NULL);
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=GB", "b"), NULL); /* a backup */
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=*", "b"), NULL);
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=FR; A=*; P=*", "b") ROUTE("C=FR; A=SIM; P=p; O=o", "b"), NULL);
}

/* A circular route was left in the table. */
static void test_k159186_a_route_through_this_mta_itself(void **state)
{
	(void)state;
	doubted(HEAD LINKS "  - name: me\n    address: \"127.0.0.1:102\"\n    remote-mta-name: x\nroutes:\n" GOOD ROUTE("C=IT", "me"),
		"link \"me\" leads to this MTA itself");
	doubted(HEAD LINKS "  - name: me\n    address: \"127.0.0.1:5\"\n    remote-mta-name: me\nroutes:\n" GOOD ROUTE("C=IT", "me"),
		"link \"me\" leads to this MTA itself");
}

/* Wildcard spaces both ways. */
static void test_k185024_k230498_k262124_k279404_two_ways_for_the_unknown(void **state)
{
	(void)state;
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=*", "a") ROUTE("C=*; A=*", "b"), "routes 4 and 5 both take every address");
}

static void test_k186344_k178376_our_own_domain_goes_away(void **state)
{
	(void)state;
	doubted(HEAD LINKS "routes:\n" ROUTE("C=GB", "a") ROUTE("C=*", "b"), "route 2 sends addresses of mta.domain");
	doubted(HEAD LINKS "routes:\n" ROUTE("C=FR", "local") ROUTE("C=FR; A=SIM", "b") ROUTE("C=GB", "a"), "route 2 sends addresses");
}

static void test_routes_that_do_nothing(void **state)
{
	(void)state;
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=gb", "a"), "routes 2 and 4 are the same, to link \"a\"");
	doubted(HEAD LINKS "routes:\n" ROUTE("C=FR; A=SIM; P=p", "local") ROUTE("C=GB", "a"), "no route leads to link \"b\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_doubt),
		cmocka_unit_test(test_k159186_a_route_through_this_mta_itself),
		cmocka_unit_test(test_k185024_k230498_k262124_k279404_two_ways_for_the_unknown),
		cmocka_unit_test(test_k186344_k178376_our_own_domain_goes_away),
		cmocka_unit_test(test_routes_that_do_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
