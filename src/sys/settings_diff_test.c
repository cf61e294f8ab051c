/* settings_diff_test.c - what a person is told of two versions of their settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/settings_diff.h"

struct link {
	const char *name, *password;
	uint64_t interval, size;
	struct view selector;
	struct setting_list hosts; /* const char * */
	bool open;
};
struct route {
	const char *match, *to;
	uint64_t cost;
};
struct site {
	const char *mta;
	unsigned level;
	struct link first;
	struct setting_list links, routes;
};

static const struct setting link_rows[] = {
	{ "name", SETTING_STRING, offsetof(struct link, name), NULL, 1, 32 },
	{ "password", SETTING_STRING, offsetof(struct link, password), "\"\"" },
	{ "interval", SETTING_DURATION_MS, offsetof(struct link, interval), "10 min", 0, 86400000 },
	{ "size", SETTING_SIZE, offsetof(struct link, size), "64 K" },
	{ "selector", SETTING_SELECTOR, offsetof(struct link, selector), "", 0, 16 },
	{ "hosts", SETTING_STRINGS, offsetof(struct link, hosts), "[]" },
	{ "open", SETTING_BOOL, offsetof(struct link, open), "true" },
};
static const struct settings_section link_section = { "link", sizeof(struct link), link_rows, ARRAY_LEN(link_rows) };
static const struct setting route_rows[] = {
	{ "match", SETTING_STRING, offsetof(struct route, match), NULL },
	{ "to", SETTING_STRING, offsetof(struct route, to), NULL },
	{ "cost", SETTING_UINT, offsetof(struct route, cost), "1" },
};
static const struct settings_section route_section = { "route", sizeof(struct route), route_rows, ARRAY_LEN(route_rows) };
static const char *const levels[] = { "none", "minimum", "maximum", NULL };
static const struct setting site_rows[] = {
	{ "mta", SETTING_STRING, offsetof(struct site, mta), "here" },
	{ "level", SETTING_ENUM, offsetof(struct site, level), "none", .words = levels },
	{ "first", SETTING_MAP, offsetof(struct site, first), "{name: x}", .of = &link_section },
	{ "links", SETTING_LIST, offsetof(struct site, links), "[]", .of = &link_section },
	{ "routes", SETTING_LIST, offsetof(struct site, routes), "[]", .of = &route_section },
};
static const struct settings_section site_section = { "site", sizeof(struct site), site_rows, ARRAY_LEN(site_rows) };

static bool is_secret(const char *path)
{
	return strcmp(path, "links.password") == 0 || strcmp(path, "links.hosts") == 0;
}

static void add(void *ctx, const struct settings_diff_line *x)
{
	out_fmt(ctx, "%s\n", x->line);
	assert_ptr_equal(strstr(x->line, x->where), x->line);
	assert_null(strchr(x->path, '['));
}

/* The lines of all changes; good until the next call. */
static const char *diff(const char *old_text, const char *now_text, size_t *n_r)
{
	static char lines[8192];
	struct arena *a = arena_new(1 << 20);
	struct site old = { 0 }, now = { 0 };
	struct err e = { 0 };
	struct out o;
	out_init(&o, sizeof lines - 1);
	assert_true(settings_read(&site_section, view_str(old_text), "old", &old, a, &e));
	assert_true(settings_read(&site_section, view_str(now_text), "now", &now, a, &e));
	*n_r = settings_diff(&site_section, &old, &now, is_secret, add, &o);
	assert_int_equal(settings_diff(&site_section, &old, &now, is_secret, NULL, NULL), *n_r);
	snprintf(lines, sizeof lines, "%s", out_cstr(&o));
	out_fini(&o);
	arena_free(&a);
	return lines;
}

static void expect(const char *old, const char *now, size_t n, const char *lines)
{
	size_t found;
	assert_string_equal(diff(old, now, &found), lines);
	assert_int_equal(found, n);
}

static void test_every_type_says_old_and_new(void **state)
{
	(void)state;
	expect("links: [{name: paris}]", "links: [{name: paris, interval: 5 min, size: 1 M, selector: 0x00ff, open: no}]", 4,
	       "links[paris].interval: 10 min -> 5 min\n"
	       "links[paris].size: 64 K -> 1 M\n"
	       "links[paris].selector: \"\" -> 0x00ff\n"
	       "links[paris].open: true -> false\n");
	expect("{mta: A, level: none}", "{mta: \"B \\\" C\", level: maximum}", 2,
	       "mta: \"A\" -> \"B \\\" C\"\nlevel: none -> maximum\n");
}

static void test_what_means_the_same_is_no_change(void **state)
{
	(void)state;
	expect("links: [{name: paris, interval: 600 s, size: 65536, selector: 0x41}]", "links:\n  - {selector: A, name: 'paris', hosts: []}\n", 0, "");
	expect("", "", 0, "");
}

static void test_items_are_known_by_name(void **state)
{
	(void)state;
	expect("links: [{name: a}, {name: b, interval: 1 s}, {name: c}]", "links: [{name: new}, {name: b, interval: 2 s}, {name: c}]", 3,
	       "links[new]: new\nlinks[b].interval: 1 s -> 2 s\nlinks[a]: gone\n");
	expect("links: [{name: a}, {name: b}]", "links: [{name: b}, {name: a}]", 1, "links: in another order\n");
}

static void test_routes_are_known_by_all_their_texts(void **state)
{
	(void)state;
	expect("routes: [{match: C=FR, to: paris}, {match: C=GB, to: local}]", "routes: [{match: C=FR, to: paris, cost: 3}, {match: C=GB, to: paris}]", 3,
	       "routes[C=FR -> paris].cost: 1 -> 3\nroutes[C=GB -> paris]: new\nroutes[C=GB -> local]: gone\n");
	/* twice the same: the first is the first */
	expect("routes: [{match: C=FR, to: paris}, {match: C=FR, to: paris, cost: 2}]", "routes: [{match: C=FR, to: paris}, {match: C=FR, to: paris, cost: 7}]", 1, "routes[C=FR -> paris].cost: 2 -> 7\n");
	expect("routes: [{match: C=FR, to: paris}, {match: C=FR, to: paris}]", "routes: [{match: C=FR, to: paris}]", 1, "routes[C=FR -> paris]: gone\n");
}

static void test_texts_of_lists_come_and_go(void **state)
{
	(void)state;
	expect("first: {name: x, hosts: [a, b, b]}", "first: {name: x, hosts: [b, c]}", 3,
	       "first.hosts: + \"c\"\nfirst.hosts: - \"a\"\nfirst.hosts: - \"b\"\n");
	expect("first: {name: x, hosts: [a, b]}", "first: {name: x, hosts: [b, a]}", 1, "first.hosts: in another order\n");
}

static void test_secrets_are_never_shown(void **state)
{
	(void)state;
	expect("links: [{name: a, password: old-one, hosts: [hidden-a]}]", "links: [{name: a, password: new-one, hosts: [hidden-b]}]", 3,
	       "links[a].password: another one\nlinks[a].hosts: +\nlinks[a].hosts: -\n");
	expect("", "links: [{name: a, password: new-one}]", 1, "links[a]: new\n");
}

static void test_long_values_are_cut_between_characters(void **state)
{
	(void)state;
	char text[700] = "{mta: \"", cut[260] = "\"";
	size_t n = strlen(text), found;
	for (int i = 0; i < 200; i++, n += 2)
		memcpy(text + n, "\xc3\xa9", 2); /* e with acute */
	memcpy(text + n, "\"}", 3);
	for (n = 1; n < 199; n += 2)
		memcpy(cut + n, "\xc3\xa9", 2);
	memcpy(cut + n, "...\n", 5);
	const char *lines = diff("{mta: A}", text, &found);
	assert_string_equal(lines + strlen("mta: \"A\" -> "), cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_says_old_and_new),
		cmocka_unit_test(test_what_means_the_same_is_no_change),
		cmocka_unit_test(test_items_are_known_by_name),
		cmocka_unit_test(test_routes_are_known_by_all_their_texts),
		cmocka_unit_test(test_texts_of_lists_come_and_go),
		cmocka_unit_test(test_secrets_are_never_shown),
		cmocka_unit_test(test_long_values_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
