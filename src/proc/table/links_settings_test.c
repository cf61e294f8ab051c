/* links_settings_test.c - what settings_load finds wrong about a link before anything is called by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "proc/table/settings_table.h"

#define BEFORE                                                                                                   \
	"mta:\n  name: p\n  domain: \"C=FR; A=SIM\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n"         \
	"  - name: a\n"

/* NULL: the settings are right. Else the sentence. */
static const char *wrong(const char *rows)
{
	static struct err e; /* for the text that is returned */
	static struct settings s;
	char yaml[2000];
	struct arena *a = arena_new(1 << 20);
	snprintf(yaml, sizeof yaml, BEFORE "%s", rows);
	const bool good = settings_load(view_str(yaml), "test", &s, a, &e);
	arena_free(&a);
	return good ? NULL : e.text;
}

static void says(const char *rows, const char *text)
{
	const char *found = wrong(rows);
	if (found == NULL)
		fail_msg("taken: %s", rows);
	if (strstr(found, text) == NULL)
		fail_msg("want \"%s\" in: %s", text, found);
}

#define A_PEER "    remote-mta-name: a\n"

/* What is written into the directory would be taken again. */
static void test_ffapi_directories_are_two(void **state)
{
	(void)state;
#define GATE(out) "    kind: msmail\n    msmail:\n      ffapi-import: /in\n      ffapi-export: " out "\n      network: N\n      postoffice-name: P\n"
	assert_null(wrong(GATE("/out")));
	says(GATE("/in"), "one directory");
}

/* Names go into addresses, and a mover's is a folder's; nobody means a mover that puts mail into its own postoffice. Each is said with its place: BEFORE has 8 lines. */
static void test_names_and_peers_that_cannot_be(void **state)
{
	(void)state;
#define PO(more) "    kind: msmail\n    msmail:\n      postoffice: po\n" more
#define MOVER(name, more) PO("") "movers:\n  - name: " name "\n    postoffice: a/b\n" more
	assert_null(wrong(PO("      network: \"A B\"\n      postoffice-name: P_1\n"))); /* a doubt */
	says(PO("      network: \"A/B\"\n"), "test:8:5: link \"a\": network \"A/B\" has a `/` in it");
	says(PO("      network: N\n      postoffice-name: \"P/Q\"\n"), "test:8:5: link \"a\": postoffice-name \"P/Q\" has a `/` in it");
	says(PO("      network: \" N\"\n"), "network \" N\" has a blank at an end");
	says(PO("      network: \"N \"\n"), "network \"N \" has a blank at an end");
	assert_null(wrong(MOVER("\"m 1.x\"", "    peers: [a/c, b, /a/b, a/b/d]\n")));
	says(MOVER("../m", ""), "test:13:5: mover \"../m\": its name is a folder's, too, and cannot have a `/` in it");
	says(MOVER("m", "    peers: [a/c, \"./a//b/\"]\n"), "test:15:18: mover \"m\": its peer \"./a//b/\" is its own postoffice");
	says(MOVER("m", "    peers:\n      - /a/c\n      - a/c\n      - /a/./c/.\n"), "test:18:9: mover \"m\": peer \"/a/./c/.\" is given twice");
	says(MOVER("m", "") "  - name: n\n    postoffice: a/b/\n", "test:15:5: movers \"m\" and \"n\" have the same postoffice");
}

static void test_k164400_addresses(void **state)
{
	(void)state;
	assert_null(wrong(A_PEER "    address: \"192.0.2.1:102\"\n    more-addresses: [\"192.0.2.2:102\", \"[2001:db8::1]:102\"]\n"));
	says(A_PEER "    address: \"192.0.2.1\"\n", "want \"192.0.2.1:102\"");
	says(A_PEER "    address: \"192.0.2.256:102\"\n", "192.0.2.256");
	says(A_PEER "    address: \"192.0.2.1:0\"\n", "port 0");
	says(A_PEER "    address: \"192.0.2.1:66000\"\n", "66000");
	says(A_PEER "    address: \"mail.example:102\"\n", "mail.example");
	says(A_PEER "    address: \"192.0.2.1:102\"\n    more-addresses: [\"192.0.2.2\"]\n", "192.0.2.2");
	says(A_PEER "    address: \"192.0.2.1:102\"\n    more-addresses: [\"\"]\n", "empty");
	says(A_PEER "    more-addresses: [\"192.0.2.2:102\"]\n", "no address");
	assert_null(wrong(A_PEER "    address: \"192.0.2.1:102\"\n    bind-address: \"192.0.2.9:0\"\n"));
	says(A_PEER "    address: \"192.0.2.1:102\"\n    bind-address: \"192.0.2.9\"\n", "192.0.2.9");
	says(A_PEER "    address: \"192.0.2.1:102\"\n    bind-address: \"[::1]:0\"\n", "both IPv4");
	says(A_PEER "    address: \"192.0.2.1:102\"\n    bind-address: \"192.0.2.9:0\"\n    more-addresses: [\"[::1]:102\"]\n", "both IPv4");
}

static void test_k162674_peer_hosts(void **state)
{
	(void)state;
	assert_null(wrong(A_PEER "    peer-hosts: [\"192.0.2.1\", \"198.51.100.0/24\", \"2001:db8::/32\"]\n"));
	says(A_PEER "    peer-hosts: [\"192.0.2.1/24\"]\n", "beyond its prefix");
	says(A_PEER "    peer-hosts: [\"192.0.2.1\", \"mail.example\"]\n", "mail.example"); /* no look-up, so none can fail */
	says(A_PEER "    peer-hosts: [\"192.0.2.0/33\"]\n", "192.0.2.0/33");
}

static void test_schedules(void **state)
{
	(void)state;
#define CALLED A_PEER "    address: \"192.0.2.1:102\"\n"
	assert_null(wrong(CALLED "    schedule: selected-times\n    times: [\"Mon-Fri 08:00-18:00\", \"Sun 22:00-02:00\"]\n"));
	says(CALLED "    schedule: selected-times\n    times: [\"Mon-Fri 08:00-18:10\"]\n", "quarter");
	says(CALLED "    schedule: selected-times\n", "go together");
	says(CALLED "    times: [\"Mon 08:00-09:00\"]\n", "go together");
	says(A_PEER "    schedule: remote-initiated\n", "two-way-alternate");
	assert_null(wrong(A_PEER "    schedule: remote-initiated\n    two-way-alternate: true\n"));
	assert_null(wrong(CALLED "    permanent: true\n"));
	says(A_PEER "    permanent: true\n", "permanent wants an address");
	says(CALLED "    schedule: never\n    permanent: true\n", "permanent wants");
	assert_null(wrong(CALLED "    schedule: never\n"));
	says(CALLED "    schedule: sometimes\n", "sometimes");
}

static void test_contents_for_peers_of_another_age(void **state)
{
	(void)state;
	assert_null(wrong(CALLED "    downgrade-content: 1984\n    text: teletex\n    free-form-names: false\n    wrap: 72\n"));
	assert_null(wrong(CALLED "    upgrade-content: 1988\n    text: general\n"));
	assert_null(wrong(CALLED "    body-part-15: false\n    text: ia5\n"));
	says(CALLED "    downgrade-content: 1984\n    upgrade-content: 1988\n", "want one of them");
	says(CALLED "    downgrade-content: 1984\n    text: general\n", "1984 does not leave it");
	says(CALLED "    body-part-15: false\n    text: general\n", "false does not leave it");
	says(CALLED "    downgrade-content: 1988\n", "1988");
}

static void test_what_means_nothing_to_a_connector(void **state)
{
	(void)state;
	assert_null(wrong("    kind: connector\n    schedule: selected-times\n    times: [\"08:00-09:00\"]\n"));
	says("    kind: connector\n    peer-hosts: [\"192.0.2.1\"]\n", "peer-hosts");
	says("    kind: connector\n    more-addresses: [\"192.0.2.1:102\"]\n", "more-addresses");
	says("    kind: connector\n    permanent: true\n", "permanent");
	says("    kind: connector\n    remote-password-next: x\n", "remote-password-next");
	says("    kind: connector\n    local-password-answer: x\n", "local-password-answer");
	says("    kind: connector\n    schedule: remote-initiated\n    two-way-alternate: true\n", "remote-initiated");
}

/* Every process gets all settings, printed: a site of a thousand links has to fit, whatever rows are added. */
static void test_k200259_k166602_a_thousand_links(void **state)
{
	(void)state;
	struct settings s, again;
	struct err e;
	struct out yaml, printed;
	struct arena *a = arena_new(64 << 20);
	out_init(&yaml, 4 << 20);
	out_init(&printed, 64 << 20);
	out_str(&yaml, "mta:\n  name: p\n  domain: \"C=FR; A=SIM\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n");
	for (unsigned i = 0; i < 1000; i++)
		out_fmt(&yaml, "  - name: l%u\n    address: \"127.0.0.1:%u\"\n    remote-mta-name: m%u\n", i, i + 1, i);
	if (!settings_load(out_view(&yaml), "test", &s, a, &e))
		fail_msg("%s", e.text);
	settings_print(&settings_root, &s, &printed);
	if (!settings_load(out_view(&printed), "printed", &again, a, &e))
		fail_msg("%s", e.text);
	assert_int_equal(again.links.n, 1000);
	out_fini(&yaml);
	out_fini(&printed);
	arena_free(&a);
}

static void all_says(const char *yaml, const char *text)
{
	struct settings s;
	struct err e;
	struct arena *a = arena_new(1 << 20);
	if (settings_load(view_str(yaml), "test", &s, a, &e) != (text == NULL) || (text != NULL && strstr(e.text, text) == NULL))
		fail_msg("want %s, found: %s", text == NULL ? "it is taken" : text, e.text);
	arena_free(&a);
}

#define MTA(domain) "mta:\n  name: p\n  domain: \"" domain "\"\nstore:\n  directory: x\n"
#define RIGHT MTA("C=FR; A=SIM")

/* X.411, figure 2 (GlobalDomainIdentifier) and its upper bounds: a country of two letters or three digits, an ADMD, names of 16. */
static void test_a_domain_that_traces_can_have(void **state)
{
	(void)state;
	all_says(MTA("C=FR; A=SIM; P=p"), NULL);
	all_says(MTA("C=208; A= ; P=p"), NULL);
	all_says(MTA("/C=fr/A=400/"), NULL);
	all_says(MTA("P=LONDON"), "want a country C and an ADMD A");
	all_says(MTA("C=FRANCE; A=SIM"), "test:3:11: mta.domain \"C=FRANCE; A=SIM\"");
	all_says("store:\n  directory: x\nmta: {name: p, domain: C=FRANCE}\n", "test:3:24: mta.domain \"C=FRANCE\"");
	all_says("mta: {name: p, domain: C=FR; A=SIM,\n  alternate-recipient: nobody}\nstore: {directory: x}\n", "test:2:24: mta \"p\": alternate-recipient");
	all_says(MTA("C=FR; A=SIM") "lists:\n  - {name: a, addresses: [\"S=a; C=FR\"], members: [\"S=x; C=FR\"]}\n"
				    "  - {name: b, addresses: [\"S=b; C=FR\"], members: [\"S=x; C=FR\"], owner: \"S=a; C=FR\"}\n", "test:8:5: list \"b\" is owned by list \"a\"");
	all_says(MTA("C=FR; A=SIM; P=12345678901234567"), "mta.domain");
	all_says(MTA("C=FR; A=SIM; S=Smith"), "want C, A and P alone");
}

static void test_names_that_are_somebody_elses(void **state)
{
	(void)state;
	all_says(RIGHT "listen: [\"127.0.0.1:1\", \"127.0.0.1:2\", \"127.0.0.1:1\"]\n", "\"127.0.0.1:1\" is given twice");
	all_says(RIGHT "mailboxes:\n  - {name: a, addresses: [\"S=a; C=FR\"]}\n  - {name: b, addresses: [\"S=b; C=FR\"]}\n"
		       "  - {name: a, addresses: [\"S=c; C=FR\"]}\n", "two mailboxes are called \"a\"");
	all_says(RIGHT "lists:\n  - {name: a, addresses: [\"S=a; C=FR\"], members: [\"S=x; C=FR\"]}\n"
		       "  - {name: a, addresses: [\"S=b; C=FR\"], members: [\"S=x; C=FR\"]}\n", "two lists are called \"a\"");
	all_says(RIGHT "mailboxes:\n  - {name: a, addresses: [\"S=a; C=FR\"]}\nlists:\n  - {name: a, addresses: [\"S=b; C=FR\"], members: [\"S=x; C=FR\"]}\n", NULL);
	all_says(RIGHT "links:\n  - {name: \"..\", remote-mta-name: x}\n", "cannot be called \"..\"");
	all_says(RIGHT "links:\n  - {name: \".\", remote-mta-name: x}\n", "cannot be called \".\"");
	all_says(RIGHT "links:\n  - {name: \"a\\\\b/..\", remote-mta-name: x}\n", NULL);
}

/* What the kernel would refuse at the start, as "in use by another process" (net.c: IPv6 does not take IPv4 too). */
static void test_addresses_that_one_process_cannot_have_both(void **state)
{
	(void)state;
#define CONSOLE(addr) "console:\n  listen: [\"" addr "\"]\n"
	all_says(RIGHT "listen: [\"0.0.0.0:102\", \"[::]:102\"]\n" CONSOLE("127.0.0.1:8025"), NULL);
	all_says(RIGHT "listen: [\"127.0.0.1:102\", \"127.0.0.2:102\", \"127.0.0.1:0\"]\n" CONSOLE("127.0.0.1:0"), NULL);
	all_says(RIGHT "listen: [\"0.0.0.0:102\", \"127.0.0.1:102\"]\n", "test:6:25: addresses \"0.0.0.0:102\" and \"127.0.0.1:102\" of listen and listen-tls overlap");
	all_says(RIGHT "listen: [\"[::1]:102\", \"[0::0]:102\"]\n", "overlap");
	all_says(RIGHT "listen: [\"[::1]:102\", \"[0::1]:102\"]\n", "overlap");
	all_says(RIGHT "listen: [\"127.0.0.1:102\"]\n" CONSOLE("127.0.0.1:102"), "test:8:12: console: address \"127.0.0.1:102\" is taken by \"127.0.0.1:102\" of listen or listen-tls");
	all_says(RIGHT "listen: [\"127.0.0.1:102\"]\n" CONSOLE("0.0.0.0:102"), "of listen or listen-tls");
	all_says(RIGHT CONSOLE("127.0.0.1:8025\", \"127.0.0.1:8025"), "of console.listen");
	all_says(RIGHT "event-log:\n  levels: [\"x400 loud\"]\n", "test:7:12: event-log: found level \"x400 loud\"");
	all_says(RIGHT "event-log:\n  levels: [\"x400 none\", \"mail none\"]\n", "test:7:25: event-log: no event is of category \"mail\"");
}

/* RFC 6454, 6.2: scheme, host, and the port where it is not the scheme's own. With anything else the console would refuse everybody. */
static void test_an_origin_that_browsers_can_have(void **state)
{
	(void)state;
	static const char *const good[] = { "https://mta.example", "http://mta.example", "https://mta.example:8443", "http://mta.example:443", "https://[2001:db8::1]",
					    "https://[2001:db8::1]:8443", "https://192.0.2.1:81", "https://MTA-1.example" };
	static const char *const bad[] = { "mta.example", "https://", "https://mta.example/", "https://mta.example/console", "https://mta.example:443", "http://mta.example:80", "https://:8443",
					   "https://mta.example:", "https://mta.example:x", "https://mta.example:70000", "HTTPS://mta.example", "ftp://mta.example", "https://u@mta.example",
					   "https://a b", "https://[::1]:443", "//mta.example", "https://mta.example?x" };
	char yaml[300];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		snprintf(yaml, sizeof yaml, RIGHT "console:\n  origin: \"%s\"\n", good[i]);
		all_says(yaml, NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(yaml, sizeof yaml, RIGHT "console:\n  origin: \"%s\"\n", bad[i]);
		all_says(yaml, "want what browsers say");
	}
}

/* What one value does not show is named with the place of the element that has it, as what one value shows. */
static void test_what_is_wrong_together_has_a_place(void **state)
{
	(void)state;
	all_says(RIGHT "links:\n  - name: a\n    remote-mta-name: a\n  - name: b\n    remote-mta-name: b\n    address: x\n", "test:9:5: address \"x\"");
	all_says(RIGHT "links:\n  - {name: a, remote-mta-name: a}\n  - {name: a, remote-mta-name: b}\n", "test:8:5: two links");
	all_says(RIGHT "routes:\n  - {match: C=FR, to: local}\n  - {match: C=FR, to: b}\n", "test:8:5: route to \"b\"");
	all_says(RIGHT "routes:\n  - {match: C=FR, to: local}\n  - {match: nonsense, to: local}\n", "test:8:5: route \"nonsense\"");
	all_says(RIGHT "listen: [\"127.0.0.1:1\",\n  \"127.0.0.1\"]\n", "test:7:3: address");
	all_says(RIGHT "mailboxes:\n  - {name: a, addresses: [\"S=a; C=FR\"]}\n  - {name: a, addresses: [\"S=b; C=FR\"]}\n", "test:8:5: two mailboxes");
	all_says(RIGHT "mailboxes:\n  - {name: z, addresses: [\"S=a; C=FR\"]}\n  - {name: b, addresses: [nonsense]}\n", "test:8:5: mailbox \"b\"");
	all_says(RIGHT "mailboxes:\n  - {name: a, addresses: [\"S=a; C=FR\"]}\nlists:\n  - {name: b, addresses: [\"S=A; C=fr\"], members: [\"S=x; C=FR\"]}\n", "have the same address");
	all_says(RIGHT "console:\n  users:\n    - {name: a, role: viewer, password: x}\n", "test:8:7: console: the password");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ffapi_directories_are_two),
		cmocka_unit_test(test_names_and_peers_that_cannot_be),
		cmocka_unit_test(test_k164400_addresses),
		cmocka_unit_test(test_k162674_peer_hosts),
		cmocka_unit_test(test_contents_for_peers_of_another_age),
		cmocka_unit_test(test_schedules),
		cmocka_unit_test(test_a_domain_that_traces_can_have),
		cmocka_unit_test(test_names_that_are_somebody_elses),
		cmocka_unit_test(test_an_origin_that_browsers_can_have),
		cmocka_unit_test(test_addresses_that_one_process_cannot_have_both),
		cmocka_unit_test(test_what_is_wrong_together_has_a_place),
		cmocka_unit_test(test_what_means_nothing_to_a_connector),
		cmocka_unit_test(test_k200259_k166602_a_thousand_links),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
