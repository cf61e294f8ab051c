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

#define MSMAIL(more) LINKS "  - name: po\n    kind: msmail\n    msmail:\n      postoffice: maildata\n" more
#define ADDRESSES "      addresses:\n"
#define ALL_ROUTES "routes:\n" GOOD ROUTE("C=FR; A=SIM; P=p; DDA:MS=*", "po")

static void test_a_postoffice_with_nothing_to_doubt(void **state)
{
	(void)state;
	doubted(HEAD MSMAIL("") ALL_ROUTES, NULL);
	doubted(HEAD MSMAIL(ADDRESSES "        - \"N/P/A = S=a; O=x; P=q; A=SIM; C=FR\"\n        - \"N/P/A = S=b; O=x; P=q; A=SIM; C=FR\"\n")
		ALL_ROUTES ROUTE("C=FR; A=SIM; P=q; O=x", "po"), NULL);
	doubted(HEAD MSMAIL("") ALL_ROUTES "movers:\n  - name: m\n    postoffice: maildata\n    mailer: false\n", NULL);
	doubted(HEAD MSMAIL("      read-only: true\n") ALL_ROUTES "movers:\n  - name: m\n    postoffice: maildata\n", NULL);
	doubted(HEAD MSMAIL("") ALL_ROUTES "movers:\n  - name: m\n    postoffice: maildata2\n", NULL);
}

static void test_lines_of_an_address_map_that_are_never_used(void **state)
{
	(void)state;
	doubted(HEAD MSMAIL(ADDRESSES "        - \"N/P/* = S=*; P=q; A=SIM; C=FR\"\n        - \"N/P/A = S=A; P=q; A=SIM; C=FR\"\n") ALL_ROUTES,
		"link \"po\": line 2 of its addresses, \"N/P/A = S=A; P=q; A=SIM; C=FR\", is never used: line 1 stands before it");
}

static void test_a_link_of_kind_msmail_without_route(void **state)
{
	(void)state;
	doubted(HEAD MSMAIL("") "routes:\n" GOOD, "no route leads to link \"po\"");
}

/* An address space of Internet mail was given to the MS Mail connector, too: now and then it went there. */
static void test_k169117_a_route_that_no_line_of_the_map_covers(void **state)
{
	(void)state;
	doubted(HEAD MSMAIL("") ALL_ROUTES ROUTE("C=FR; A=SIM; P=p; DDA:SMTP=*", "po"), "route 5, \"C=FR; A=SIM; P=p; DDA:SMTP=*\", goes to link \"po\"");
	doubted(HEAD MSMAIL(ADDRESSES "        - \"N/*/* = O=*; S=*; P=q; A=SIM; C=FR\"\n") ALL_ROUTES ROUTE("C=FR; A=SIM; P=r", "po"), "route 5");
}

static void test_two_that_deliver_inqueue3_of_one_postoffice(void **state)
{
	(void)state;
	doubted(HEAD MSMAIL("") ALL_ROUTES "movers:\n  - name: m\n    postoffice: maildata/\n",
		"link \"po\" and mover \"m\" both deliver INQUEUE3 of maildata");
	doubted(HEAD MSMAIL("") "  - name: po2\n    kind: msmail\n    msmail:\n      postoffice: maildata\n" ALL_ROUTES ROUTE("C=FR; A=SIM; P=p; DDA:MS=*", "po2"),
		"links \"po\" and \"po2\" both deliver INQUEUE3");
}

static void refused(const char *text, const char *want)
{
	struct arena *a = arena_new(1 << 20);
	struct settings s;
	struct err e = { 0 };
	assert_false(settings_load(view_str(text), "test", &s, a, &e));
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not \"%s\"", e.text, want);
	arena_free(&a);
}

static void test_a_wrong_line_of_an_address_map_is_named(void **state)
{
	(void)state;
	refused(HEAD MSMAIL(ADDRESSES "        - \"N/P/A = S=a; P=q; A=SIM; C=FR\"\n        - \"N/P/B\"\n") ALL_ROUTES,
		"link \"po\": address map, line 2 (\"N/P/B\"): no `=`");
	refused(HEAD MSMAIL("      scramble: some\n") ALL_ROUTES, "found scramble \"some\", want none or chain");
	refused(HEAD MSMAIL("      administrator: nobody/here\n") ALL_ROUTES, "administrator: address \"nobody/here\"");
	doubted(HEAD MSMAIL("      administrator: N/P/ADMIN\n") ALL_ROUTES, NULL);
	doubted(HEAD MSMAIL("      administrator: \"S=Admin; P=p; A=SIM; C=FR\"\n") ALL_ROUTES, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_doubt),
		cmocka_unit_test(test_k159186_a_route_through_this_mta_itself),
		cmocka_unit_test(test_k185024_k230498_k262124_k279404_two_ways_for_the_unknown),
		cmocka_unit_test(test_k186344_k178376_our_own_domain_goes_away),
		cmocka_unit_test(test_routes_that_do_nothing),
		cmocka_unit_test(test_a_postoffice_with_nothing_to_doubt),
		cmocka_unit_test(test_lines_of_an_address_map_that_are_never_used),
		cmocka_unit_test(test_a_link_of_kind_msmail_without_route),
		cmocka_unit_test(test_k169117_a_route_that_no_line_of_the_map_covers),
		cmocka_unit_test(test_two_that_deliver_inqueue3_of_one_postoffice),
		cmocka_unit_test(test_a_wrong_line_of_an_address_map_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
