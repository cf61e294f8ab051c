/* settings_test.c - what a person may write, and what they are told when it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/settings.h"

struct link {
	const char *name;
	uint64_t open_interval, retries, checkpoint;
	struct view selector;
	struct setting_list addresses;
};
struct log {
	unsigned level;
	bool json;
};
struct site {
	const char *mta;
	struct log log;
	struct setting_list links;
};

static const struct setting link_rows[] = {
	{ "name", SETTING_STRING, offsetof(struct link, name), NULL, 1, 32, .manual = "How the link is called." },
	{ "open_interval", SETTING_DURATION_MS, offsetof(struct link, open_interval), "10 min", 1000, 86400000,
	  .manual = "How long to wait before a connection is tried again." },
	{ "retries", SETTING_UINT, offsetof(struct link, retries), "144", 1, 1000, .manual = "Of an association." },
	{ "checkpoint", SETTING_SIZE, offsetof(struct link, checkpoint), "15 K", 1024, 1 << 20, .manual = ".Dot first." },
	{ "selector", SETTING_SELECTOR, offsetof(struct link, selector), "", 0, 16, .manual = "TSEL\\x." },
	{ "addresses", SETTING_STRINGS, offsetof(struct link, addresses), "[]", 1, 50, .manual = "Where to." },
};
static const struct settings_section link_section = { "links", sizeof(struct link), link_rows, ARRAY_LEN(link_rows) };
static const char *const levels[] = { "none", "minimum", "medium", "maximum", NULL };
static const struct setting log_rows[] = {
	{ "level", SETTING_ENUM, offsetof(struct log, level), "minimum", .words = levels, .manual = "How much." },
	{ "json", SETTING_BOOL, offsetof(struct log, json), "false", .manual = "Lines as objects." },
};
static const struct settings_section log_section = { "log", sizeof(struct log), log_rows, ARRAY_LEN(log_rows) };
static const struct setting site_rows[] = {
	{ "mta", SETTING_STRING, offsetof(struct site, mta), NULL, 1, 32, .manual = "The name of this MTA." },
	{ "log", SETTING_MAP, offsetof(struct site, log), "{}", .of = &log_section, .manual = "Events." },
	{ "links", SETTING_LIST, offsetof(struct site, links), "[]", .of = &link_section, .manual = "Peers." },
};
static const struct settings_section site_section = { "the file", sizeof(struct site), site_rows, ARRAY_LEN(site_rows) };

static bool read_site(const char *text, struct site *site, struct arena *a, struct err *e)
{
	memset(site, 0, sizeof *site);
	return settings_read(&site_section, view_str(text), "x.yaml", site, a, e);
}

static const char everything[] =
	"# a comment\n"
	"mta: PARIS\n"
	"log: {level: maximum, json: yes}\n"
	"links:\n"
	"  - name: 'To London'\n"
	"    open_interval: 90\n"
	"    retries: 7\n"
	"    checkpoint: 64K\n"
	"    selector: 0x4d ff\n"
	"    addresses: [\"192.0.2.1:102\", '[::1]:102']\n"
	"  - {name: Tokyo, selector: \"0x41\"}\n";

static void test_every_type_is_read(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct err e = { 0 };
	struct site s;
	assert_true(read_site(everything, &s, a, &e));
	assert_string_equal(s.mta, "PARIS");
	assert_int_equal(s.log.level, 3);
	assert_true(s.log.json);
	assert_int_equal(s.links.n, 2);
	const struct link *l = s.links.v;
	assert_string_equal(l[0].name, "To London");
	assert_int_equal(l[0].open_interval, 90 * 1000);
	assert_int_equal(l[0].retries, 7);
	assert_int_equal(l[0].checkpoint, 65536);
	assert_true(view_eq(l[0].selector, VIEW("\x4d\xff")));
	assert_int_equal(l[0].addresses.n, 2);
	assert_string_equal(((const char **)l[0].addresses.v)[1], "[::1]:102");
	/* Defaults of the second one; a selector in quotes is text whatever it looks like. */
	assert_int_equal(l[1].open_interval, 600 * 1000);
	assert_int_equal(l[1].retries, 144);
	assert_int_equal(l[1].checkpoint, 15 * 1024);
	assert_true(view_eq(l[1].selector, VIEW("0x41")));
	assert_int_equal(l[1].addresses.n, 0);
	arena_free(&a);
}

static void test_print_is_canonical_and_reads_back(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct err e = { 0 };
	struct site s, again;
	struct out once, twice;
	out_init(&once, 1 << 16);
	out_init(&twice, 1 << 16);
	assert_true(read_site(everything, &s, a, &e));
	settings_print(&site_section, &s, &once);
	assert_string_equal(out_cstr(&once),
		"mta: \"PARIS\"\n"
		"log:\n"
		"  level: maximum\n"
		"  json: true\n"
		"links:\n"
		"  - name: \"To London\"\n"
		"    open_interval: 90 s\n"
		"    retries: 7\n"
		"    checkpoint: 64 K\n"
		"    selector: 0x4dff\n"
		"    addresses:\n"
		"      - \"192.0.2.1:102\"\n"
		"      - \"[::1]:102\"\n"
		"  - name: \"Tokyo\"\n"
		"    open_interval: 10 min\n"
		"    retries: 144\n"
		"    checkpoint: 15 K\n"
		"    selector: \"0x41\"\n"
		"    addresses: []\n");
	assert_true(read_site(out_cstr(&once), &again, a, &e));
	settings_print(&site_section, &again, &twice);
	assert_string_equal(out_cstr(&once), out_cstr(&twice));
	out_fini(&once);
	out_fini(&twice);
	arena_free(&a);
}

static void test_errors_name_place_found_and_wanted(void **state)
{
	(void)state;
	static const struct {
		const char *yaml, *text;
	} rows[] = {
		{ "mta: A\nlinsk: []\n", "x.yaml:2:1: unknown key \"linsk\" in the file; did you mean \"links\"?" },
		{ "mta: A\nzzzzzzzz: []\n", "x.yaml:2:1: unknown key \"zzzzzzzz\" in the file" },
		{ "mta: A\nlinks:\n  - name: B\n    retrys: 3\n",
		  "x.yaml:4:5: unknown key \"retrys\" in links; did you mean \"retries\"?" },
		{ "log: {}\n", "x.yaml:1:1: key \"mta\" is missing in the file" },
		{ "", "x.yaml:1:1: key \"mta\" is missing in the file" },
		{ "mta: A\nlinks:\n  - retries: 2\n", "x.yaml:3:5: key \"name\" is missing in links" },
		{ "mta: A\nlog: {}\nmta: B\n", "x.yaml:3:1: key \"mta\" is given twice, first in line 1" },
		{ "mta: [A]\n", "x.yaml:1:6: mta: found a list, want text of 1 to 32 octets" },
		{ "mta:\n", "x.yaml:1:5: mta: found nothing, want text of 1 to 32 octets" },
		{ "mta: ~\n", "x.yaml:1:6: mta: found \"~\", want text of 1 to 32 octets" },
		{ "mta: ''\n", "x.yaml:1:6: mta: found \"\", want text of 1 to 32 octets" },
		{ "mta: \"a\\tb\"\n", "x.yaml:1:6: mta: found \"a\\x09b\", which has a character that is not seen, want text of 1 to 32 octets" },
		{ "mta: \"a\\u202Eb\"\n", "x.yaml:1:6: mta: found \"a\\xe2\\x80\\xaeb\", which has a character that is not seen, want text of 1 to 32 octets" },
		{ "mta: \"a\\u009Bb\"\n", "x.yaml:1:6: mta: found \"a\\xc2\\x9bb\", which has a character that is not seen, want text of 1 to 32 octets" },
		{ "mta: A\nlog: minimum\n", "x.yaml:2:6: log: found \"minimum\", want a mapping" },
		{ "mta: A\nlog: []\n", "x.yaml:2:6: log: found a list, want a mapping" },
		{ "mta: A\nlinks: {}\n", "x.yaml:2:8: links: found a mapping, want a list of mappings" },
		{ "mta: A\nlinks: [B]\n", "x.yaml:2:9: links: found \"B\" in the list, want a mapping" },
		{ "mta: A\nlinks: [{name: B, addresses: [[]]}]\n",
		  "x.yaml:2:31: addresses: found a list in the list, want text" },
		{ "mta: A\nlinks: [{name: B, retries: 0}]\n",
		  "x.yaml:2:28: retries: found \"0\", want a number from 1 to 1000" },
		{ "mta: A\nlinks: [{name: B, retries: 1001}]\n",
		  "x.yaml:2:28: retries: found \"1001\", want a number from 1 to 1000" },
		{ "mta: A\nlinks: [{name: B, retries: -1}]\n",
		  "x.yaml:2:28: retries: found \"-1\", want a number from 1 to 1000" },
		{ "mta: A\nlinks: [{name: B, retries: 99999999999999999999}]\n",
		  "x.yaml:2:28: retries: found \"99999999999999999999\", want a number from 1 to 1000" },
		{ "mta: A\nlinks: [{name: B, open_interval: 2 d}]\n",
		  "x.yaml:2:34: open_interval: found \"2 d\", want a time (30 s, 10 min) from 1 s to 1 d" },
		{ "mta: A\nlinks: [{name: B, open_interval: 3 sec}]\n",
		  "x.yaml:2:34: open_interval: found \"3 sec\", want a time (30 s, 10 min) from 1 s to 1 d" },
		{ "mta: A\nlinks: [{name: B, open_interval: 1000.5 ms}]\n",
		  "x.yaml:2:34: open_interval: found \"1000.5 ms\", want a time (30 s, 10 min) from 1 s to 1 d" },
		{ "mta: A\nlinks: [{name: B, open_interval: 5. s}]\n",
		  "x.yaml:2:34: open_interval: found \"5. s\", want a time (30 s, 10 min) from 1 s to 1 d" },
		{ "mta: A\nlinks: [{name: B, checkpoint: 99999999999999999 T}]\n",
		  "x.yaml:2:31: checkpoint: found \"99999999999999999 T\", want a size (4096, 64 K) from 1 K to 1 M" },
		{ "mta: A\nlinks: [{name: B, selector: 0x123}]\n", "x.yaml:2:29: selector: found \"0x123\", want "
		  "a selector as text or 0x and hex digits of 0 to 16 octets" },
		{ "mta: A\nlog: {level: maximun}\n", "x.yaml:2:14: level: found \"maximun\"; did you mean \"maximum\"?" },
		{ "mta: A\nlog: {level: everything}\n",
		  "x.yaml:2:14: level: found \"everything\", want one of none, minimum, medium, maximum" },
		{ "mta: A\nlog: {json: maybe}\n", "x.yaml:2:13: json: found \"maybe\", want true or false" },
		{ "mta: A\nlog:\n\tlevel: none\n", "x.yaml:3:1: a tab: indent with spaces" },
		{ "mta: A\nlinks:\n  - name: B\n  \tretries: 2\n", "x.yaml:4:3: a tab: indent with spaces" },
		{ "mta: &x A\nlog: {}\n", "x.yaml:1:6: anchors and aliases (& and *) are not used here: write the value out" },
		{ "mta: A\nlog: *x\n", "x.yaml:2:6: anchors and aliases (& and *) are not used here: write the value out" },
		{ "mta: A\nlog: &x {}\n", "x.yaml:2:6: anchors and aliases (& and *) are not used here: write the value out" },
		{ "mta: !!str A\n", "x.yaml:1:6: tags (!) are not used here" },
		{ "mta: A\n---\nmta: B\n", "x.yaml:2:1: a second document (---): one file is one set of settings" },
		{ "- mta\n", "x.yaml:1:1: the file is no list of \"key: value\"" },
		{ "just text\n", "x.yaml:1:1: the file is no list of \"key: value\"" },
		{ "[a]: b\n", "x.yaml:1:1: found a list as a key in the file, want a word" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct err e = { 0 };
		struct site s;
		assert_false(read_site(rows[i].yaml, &s, a, &e));
		assert_string_equal(e.text, rows[i].text);
		assert_int_equal(e.kind, ERR_LOCAL);
		arena_free(&a);
	}
}

static void test_broken_yaml_says_where(void **state)
{
	(void)state;
	static const char *const rows[] = { "mta: \"A\n", "mta: A\nlinks: [\n", "mta: A\n  b: c\n", "mta: 'A' B\n", "mta: \xff\n", "}\n" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena *a = arena_new(1 << 16);
		struct err e = { 0 };
		struct site s;
		assert_false(read_site(rows[i], &s, a, &e));
		assert_memory_equal(e.text, "x.yaml:", 7);
		assert_non_null(strstr(e.text, "not YAML"));
		arena_free(&a);
	}
}

static void test_times_and_sizes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
		{ "1 s", 1000 }, { "1s", 1000 }, { "1", 1000 }, { "1500 ms", 1500 }, { "10 min", 600000 },
		{ "1  h", 3600000 }, { "1 d", 86400000 }, { "1.5 s", 1500 }, { "2.125", 2125 }, { "0.25 h", 900000 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char yaml[100];
		struct arena *a = arena_new(1 << 16);
		struct err e = { 0 };
		struct site s;
		snprintf(yaml, sizeof yaml, "mta: A\nlinks: [{name: B, open_interval: %s}]\n", rows[i].text);
		assert_true(read_site(yaml, &s, a, &e));
		assert_int_equal(((struct link *)s.links.v)->open_interval, rows[i].ms);
		arena_free(&a);
	}
}

static void test_bounded(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct site s;
	/* A file over the limit is not looked at; one below it that would fill more memory than given is refused. */
	struct arena *a = arena_new(1 << 16);
	struct out huge;
	out_init(&huge, 8 << 20);
	out_str(&huge, "mta: A\nlinks:\n");
	while (out_len(&huge) < 1 << 19)
		out_str(&huge, "  - name: B\n");
	assert_false(settings_read(&site_section, out_view(&huge), "x.yaml", &s, a, &e));
	assert_non_null(strstr(e.text, "more memory than they may have"));
	while (out_len(&huge) <= 4 << 20)
		out_str(&huge, "# comment\n");
	assert_false(settings_read(&site_section, out_view(&huge), "x.yaml", &s, a, &e));
	assert_non_null(strstr(e.text, "at most 4194304"));
	arena_reset(a);
	/* Nesting is refused by the schema before it costs anything. */
	out_clear(&huge);
	out_str(&huge, "mta: ");
	for (int i = 0; i < 100000; i++)
		out_str(&huge, "[");
	assert_false(settings_read(&site_section, out_view(&huge), "x.yaml", &s, a, &e));
	assert_non_null(strstr(e.text, "found a list"));
	out_fini(&huge);
	arena_free(&a);
}

static void test_manual_has_every_key(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 1 << 16);
	settings_manual(&site_section, NULL, &o);
	const char *text = out_cstr(&o);
	assert_non_null(strstr(text, ".Ss the file\n"));
	assert_non_null(strstr(text, ".Ss links\n"));
	assert_non_null(strstr(text, ".It Ic open_interval\nHow long to wait before a connection is tried again.\n"
				     "Takes a time (30 s, 10 min) from 1 s to 1 d; 10 min when left out.\n"));
	assert_non_null(strstr(text, ".It Ic mta\nThe name of this MTA.\nTakes text of 1 to 32 octets; must be given.\n"));
	assert_non_null(strstr(text, "\n\\&.Dot first.")); /* no request of troff's */
	assert_non_null(strstr(text, "TSEL\\ex."));
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_is_read),
		cmocka_unit_test(test_print_is_canonical_and_reads_back),
		cmocka_unit_test(test_errors_name_place_found_and_wanted),
		cmocka_unit_test(test_broken_yaml_says_where),
		cmocka_unit_test(test_times_and_sizes),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_manual_has_every_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
