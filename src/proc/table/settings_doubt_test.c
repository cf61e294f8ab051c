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

/* What is said over a network without TLS is read by who likes to (docs/console.md: a proxy that has it stands on this host). */
static void test_a_console_for_everybody_or_for_nobody(void **state)
{
	(void)state;
#define CONSOLE(listen, more) HEAD LINKS "routes:\n" GOOD "console:\n  listen: [" listen "]\n" more
#define ANNA "  users:\n    - {name: anna, role: operator, password: \"$scrypt$ln=15,r=8,p=1$AA$AA\"}\n"
	doubted(CONSOLE("\"127.0.0.1:8025\", \"[::1]:8025\"", ANNA), NULL);
	doubted(CONSOLE("\"127.0.0.1:8025\"", ""), NULL); /* for Prometheus */
	doubted(CONSOLE("\"192.0.2.1:8025\"", ""), NULL);
	doubted(CONSOLE("\"127.0.0.1:8025\", \"0.0.0.0:8026\"", ANNA), "the console listens at 0.0.0.0:8026, and has no TLS");
	doubted(CONSOLE("\"[::]:8025\"", ANNA), "the console listens at [::]:8025, and has no TLS");
	doubted(CONSOLE("\"127.0.0.1:8025\"", "  metrics: false\n"), "nobody can log in to the console");
	doubted(CONSOLE("", ANNA), "console.listen has no address");
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

static void test_names_that_no_program_makes(void **state)
{
	(void)state;
	doubted(HEAD MSMAIL("      network: NET_1\n      postoffice-name: \"22-A\"\n") ALL_ROUTES, NULL);
	doubted(HEAD MSMAIL("      network: \"A B\"\n") ALL_ROUTES, "link \"po\": network \"A B\" has other characters");
	doubted(HEAD MSMAIL("      postoffice-name: \"M\u00dcLLER\"\n") ALL_ROUTES, "link \"po\": postoffice-name \"M\u00dcLLER\" has other characters");
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

#define AT_LINK(more) "    remote-mta-name: mta-a\n" more
#define LINK(name, address, more) "  - name: " name "\n    address: \"" address "\"\n" AT_LINK(more)
#define TSEL(tsel) "    calling-tsel: \"" tsel "\"\n"

static void not_doubted(const char *text, const char *unwanted)
{
	struct arena *a = arena_new(1 << 20);
	struct settings s;
	struct err e;
	struct out o;
	out_init(&o, 1 << 16);
	if (!settings_load(view_str(text), "test", &s, a, &e))
		fail_msg("%s", e.text);
	settings_doubts(&s, a, note, &o);
	if (strstr(out_cstr(&o), unwanted) != NULL)
		fail_msg("\"%s\"", out_cstr(&o));
	out_fini(&o);
	arena_free(&a);
}

/* flow/route/route.h: a wildcard of C or A matches also where there is none, and is more specific than none. */
static void test_routes_that_a_better_one_always_stands_before(void **state)
{
	(void)state;
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=DE", "a") ROUTE("C=DE; A=*", "b"),
		"route 4, \"C=DE\" to link \"a\", is never used: route 5, \"C=DE; A=*\" to link \"b\", takes all of its addresses before it");
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=*; O=x", "a") ROUTE("C=*; A=*; O=X", "local"), "route 4, \"C=*; O=x\" to link \"a\", is never used: route 5");
	/* local and reject are no link that could fail: nothing of the same match comes after them */
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=GB", "reject"), "route 2, \"C=GB\" to link \"a\", is never used: route 4, \"C=GB\" to reject");
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=FR; A=SIM; P=p", "b"), "route 4, \"C=FR; A=SIM; P=p\" to link \"b\", is never used: route 1");
	doubted(HEAD LINKS "routes:\n" GOOD ROUTE("C=IT", "reject") ROUTE("C=IT", "local") "    cost: 5\n", "route 5, \"C=IT\" to local, is never used: route 4");
	static const char *const alive[] = {
		HEAD LINKS "routes:\n" GOOD ROUTE("C=GB", "b"),                     /* a backup */
		HEAD LINKS "routes:\n" GOOD ROUTE("C=GB", "local") "    cost: 5\n", /* partly here: what comes by a */
		HEAD LINKS "routes:\n" GOOD ROUTE("C=DE", "a") ROUTE("C=DE; A= ", "b"),
		HEAD LINKS "routes:\n" GOOD ROUTE("C=DE", "a") ROUTE("C=DE; A=X", "b"),
		HEAD LINKS "routes:\n" GOOD ROUTE("C=DE; A=X", "a") ROUTE("C=DE; A=X; P=*", "b"),
		HEAD LINKS "routes:\n" GOOD ROUTE("C=DE; O=x", "a") ROUTE("C=DE; A=*; O=y", "b"),
	};
	for (size_t i = 0; i < ARRAY_LEN(alive); i++)
		not_doubted(alive[i], "is never used");
}

static void test_a_link_to_one_of_our_addresses(void **state)
{
	(void)state;
	static const char head[] = "mta:\n  name: me\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"0.0.0.0:102\"]\nlinks:\n";
	char text[1000];
	static const char *const own[] = { "127.0.0.1:102", "127.0.0.9:102", "[::1]:102" }, *const others[] = { "127.0.0.1:103", "192.0.2.1:102" };
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		snprintf(text, sizeof text, "%s  - name: x\n    address: \"%s\"\n    remote-mta-name: y\nroutes:\n" ROUTE("C=IT", "x"), head, own[i]);
		doubted(text, "link \"x\" leads to this MTA itself");
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		snprintf(text, sizeof text, "%s  - name: x\n    address: \"%s\"\n    remote-mta-name: y\nroutes:\n" ROUTE("C=IT", "x"), head, others[i]);
		not_doubted(text, "itself");
	}
	doubted(HEAD "links:\n" LINK("x", "192.0.2.1:5", "    more-addresses: [\"127.0.0.1:102\"]\n") "routes:\n" ROUTE("C=IT", "x"), "itself");
	doubted(HEAD "links:\n  - name: x\n    address: \"192.0.2.1:5\"\n    remote-mta-name: ME\nroutes:\n" ROUTE("C=IT", "x"), "itself");
}

static void test_a_link_by_which_nothing_leaves(void **state)
{
	(void)state;
	doubted(HEAD "links:\n" LINK("x", "", "") "routes:\n" ROUTE("C=IT", "x"), "nothing leaves by link \"x\" though a route leads to it: it has no address");
	doubted(HEAD "links:\n" LINK("x", "192.0.2.1:5", "    schedule: never\n") "routes:\n" ROUTE("C=IT", "x"), "its schedule is never");
	not_doubted(HEAD "links:\n" LINK("x", "", "    two-way-alternate: true\n") "routes:\n" ROUTE("C=IT", "x"), "nothing leaves");
	not_doubted(HEAD "links:\n" LINK("x", "", "") "routes:\n" ROUTE("C=IT", "reject"), "nothing leaves");
}

/* proc/link/bind.c: the first link whose name, selectors and hosts fit. */
static void test_two_links_of_one_caller(void **state)
{
	(void)state;
#define TWO(one, two) HEAD "links:\n" LINK("x", "192.0.2.1:5", one) LINK("y", "192.0.2.2:5", two) "routes:\n" ROUTE("C=IT", "x") ROUTE("C=ES", "y")
	static const char clash[] = "a caller that says it is \"mta-a\" is always taken for the peer of link \"x\", never of link \"y\"";
	doubted(TWO("", ""), clash);
	doubted(TWO(TSEL("S1"), TSEL("S1")), clash);
	doubted(TWO("", TSEL("S1")), clash);
	doubted(TWO("    peer-hosts: [\"192.0.2.0/24\"]\n", "    peer-hosts: [\"198.51.100.1\", \"192.0.2.128/25\"]\n"), clash);
	not_doubted(TWO(TSEL("S1"), TSEL("S2")), "is always taken");
	not_doubted(TWO("    called-tsel: \"P1\"\n", "    called-tsel: \"P2\"\n"), "is always taken");
	not_doubted(TWO("    peer-hosts: [\"192.0.2.0/25\"]\n", "    peer-hosts: [\"192.0.2.128/25\"]\n"), "is always taken");
	not_doubted(HEAD LINKS "routes:\n" GOOD, "is always taken");
	static const char no_name[] = HEAD "links:\n" LINK("x", "192.0.2.1:5", "    allow-null-bind: true\n")
		"  - name: y\n    address: \"192.0.2.%d:6\"\n    remote-mta-name: other\n    allow-null-bind: true\nroutes:\n" ROUTE("C=IT", "x") ROUTE("C=ES", "y");
	char text[1000];
	snprintf(text, sizeof text, no_name, 1);
	doubted(text, "a caller without a name is always taken for the peer of link \"x\", never of link \"y\"");
	snprintf(text, sizeof text, no_name, 2);
	not_doubted(text, "is always taken");
}

#define BOX(name, redirect) "  - {name: " name ", addresses: [\"S=" name "; P=p; A=SIM; C=FR\"], redirect: \"" redirect "\"}\n"
#define LIST(name, members) "  - {name: " name ", addresses: [\"S=" name "; P=p; A=SIM; C=FR\"], members: [" members "]}\n"
#define WHO(name) "\"S=" name "; P=p; A=SIM; C=FR\""

static void test_redirections_and_lists_that_lead_to_themselves(void **state)
{
	(void)state;
#define REST LINKS "routes:\n" GOOD
	doubted(HEAD "mailboxes:\n" BOX("ann", "S=Ann; C=FR; A=sim; P=P") REST, "mailbox \"ann\" leads to itself: its mail is delivered to nobody");
	doubted(HEAD "mailboxes:\n" BOX("ann", "S=bob; P=p; A=SIM; C=FR") BOX("bob", "S=cy; P=p; A=SIM; C=FR") BOX("cy", "S=ann; P=p; A=SIM; C=FR") REST,
		"mailbox \"ann\" leads to itself, by mailbox \"bob\", mailbox \"cy\"");
	doubted(HEAD "lists:\n" LIST("all", WHO("x") ", " WHO("all")) REST, "list \"all\" leads to itself: that member gets nothing");
	doubted(HEAD "lists:\n" LIST("all", WHO("staff")) LIST("staff", WHO("x") ", " WHO("all")) REST, "list \"all\" leads to itself, by list \"staff\"");
	doubted(HEAD "mailboxes:\n" BOX("ann", "S=all; P=p; A=SIM; C=FR") "lists:\n" LIST("all", WHO("ann")) REST, "mailbox \"ann\" leads to itself, by list \"all\"");
	not_doubted(HEAD "mailboxes:\n" BOX("ann", "S=bob; P=p; A=SIM; C=FR") BOX("bob", "") "lists:\n" LIST("all", WHO("ann") ", " WHO("bob")) LIST("two", WHO("all") ", " WHO("ann")) REST,
		    "itself");
	doubted("mta:\n  name: me\n  domain: \"C=FR; A=SIM; P=p\"\n  alternate-recipient: " WHO("ann") "\nstore:\n  directory: x\nmailboxes:\n" BOX("ann", "S=bob; C=GB; A=X") REST,
		"alternate-recipient is mailbox \"ann\", which is redirected");
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
		cmocka_unit_test(test_a_console_for_everybody_or_for_nobody),
		cmocka_unit_test(test_k159186_a_route_through_this_mta_itself),
		cmocka_unit_test(test_k185024_k230498_k262124_k279404_two_ways_for_the_unknown),
		cmocka_unit_test(test_k186344_k178376_our_own_domain_goes_away),
		cmocka_unit_test(test_routes_that_do_nothing),
		cmocka_unit_test(test_a_postoffice_with_nothing_to_doubt),
		cmocka_unit_test(test_lines_of_an_address_map_that_are_never_used),
		cmocka_unit_test(test_names_that_no_program_makes),
		cmocka_unit_test(test_a_link_of_kind_msmail_without_route),
		cmocka_unit_test(test_k169117_a_route_that_no_line_of_the_map_covers),
		cmocka_unit_test(test_two_that_deliver_inqueue3_of_one_postoffice),
		cmocka_unit_test(test_a_wrong_line_of_an_address_map_is_named),
		cmocka_unit_test(test_routes_that_a_better_one_always_stands_before),
		cmocka_unit_test(test_a_link_to_one_of_our_addresses),
		cmocka_unit_test(test_a_link_by_which_nothing_leaves),
		cmocka_unit_test(test_two_links_of_one_caller),
		cmocka_unit_test(test_redirections_and_lists_that_lead_to_themselves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
