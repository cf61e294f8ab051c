/* settings_change_test.c - every setting says what a reload does with it; settings are compared and copied value by value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/out.h"
#include "proc/table/settings_change.h"

#define HEAD "mta:\n  name: me\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:102\"]\n"
#define LINK(name, more) "  - name: " name "\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n" more
#define ROUTES "routes:\n  - match: \"C=GB\"\n    to: a\n"

static struct settings load(struct arena *a, const char *text)
{
	struct settings s;
	struct err e;
	if (!settings_load(view_str(text), "test", &s, a, &e))
		fail_msg("%s", e.text);
	return s;
}

static size_t walk(const struct settings_section *section, const char *before)
{
	size_t n = 0;
	for (size_t i = 0; i < section->n_rows; i++) {
		char path[200];
		enum settings_change change;
		snprintf(path, sizeof path, "%s%s", before, section->rows[i].key);
		if (section->rows[i].of == NULL && !settings_change_of(path, &change))
			fail_msg("settings_change.c does not say what a reload does with %s", path);
		n++;
		if (section->rows[i].of == NULL)
			continue;
		snprintf(path, sizeof path, "%s%s.", before, section->rows[i].key);
		n += walk(section->rows[i].of, path);
	}
	return n;
}

static void test_every_setting_says_what_a_reload_does(void **state)
{
	(void)state;
	assert_true(walk(&settings_root, "") > 150);
}

static void change_is(const char *path, enum settings_change want)
{
	enum settings_change got;
	if (!settings_change_of(path, &got))
		fail_msg("%s is unknown", path);
	assert_int_equal(got, want);
}

static void test_what_faces_the_peer_is_told_from_what_does_not(void **state)
{
	enum settings_change change;
	(void)state;
	change_is("mta.name", CHANGE_RESTART);
	change_is("store.directory", CHANGE_RESTART);
	change_is("processes.links", CHANGE_RESTART);
	change_is("processes.watchdog", CHANGE_AT_ONCE);
	change_is("links.remote-password", CHANGE_LINK);
	change_is("links.open-interval", CHANGE_AT_ONCE);
	change_is("links.tls-own.certificate", CHANGE_LINK);
	change_is("links.msmail.poll", CHANGE_PROCESS);
	change_is("movers.quota", CHANGE_PROCESS);
	change_is("routes.to", CHANGE_AT_ONCE);
	assert_false(settings_change_of("links.remote-passwort", &change));
	assert_false(settings_change_of("links.address.more", &change));
	assert_false(settings_change_of("link", &change));
}

static void compare(const char *one, const char *other, bool same, bool differs)
{
	struct arena *a = arena_new(1 << 20);
	const struct settings x = load(a, one), y = load(a, other);
	assert_int_equal(settings_same(&settings_root, &x, &y), same);
	assert_int_equal(settings_hash(&x) == settings_hash(&y), same);
	assert_int_equal(settings_link_differs(x.links.v, y.links.v), differs);
	arena_free(&a);
}

static void test_settings_are_compared_value_by_value(void **state)
{
	(void)state;
	const char *const first = HEAD "links:\n" LINK("a", "") ROUTES;
	compare(first, HEAD "links:\n" LINK("a", "    open-interval: 600 s\n") ROUTES, true, false); /* the default */
	compare(first, HEAD "links:\n" LINK("a", "    open-interval: 5 s\n") ROUTES, false, false);
	compare(first, HEAD "links:\n" LINK("a", "    remote-password: x\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    called-tsel: x\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    more-addresses: [\"127.0.0.1:3\"]\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    tls-own:\n      key: k\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    two-way-alternate: true\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    conformance: 1984\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    window-size: 4\n") ROUTES, false, true);
	compare(first, HEAD "links:\n" LINK("a", "    accept-from: [\"C=GB\"]\n") ROUTES, false, false);
	compare(first, HEAD "links:\n" LINK("a", "") ROUTES "    cost: 2\n", false, false);
	compare(first, HEAD "links:\n" LINK("a", "") LINK("b", "") ROUTES, false, false);
}

static void test_a_copy_outlives_what_it_is_of(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20), *c = arena_new(1 << 20);
	const char *const text = HEAD "links:\n" LINK("a", "    called-tsel: x\n    times: [\"Mon-Fri 08:00-18:00\"]\n    schedule: selected-times\n") ROUTES
		"mailboxes:\n  - name: m\n    addresses: [\"C=FR; A=SIM; P=p; S=m\"]\n";
	const struct settings x = load(a, text), same = load(c, text);
	struct settings y;
	settings_copy(&settings_root, &x, &y, b);
	arena_free(&a); /* under the sanitizer nothing of it can be read any more */
	assert_true(settings_same(&settings_root, &y, &same));
	const struct set_link *k = y.links.v;
	assert_string_equal(k->remote_mta, "mta-a");
	assert_true(view_eq(k->called_tsel, VIEW("x")));
	assert_string_equal(((const char *const *)k->times.v)[0], "Mon-Fri 08:00-18:00");
	arena_free(&b);
	arena_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_setting_says_what_a_reload_does),
		cmocka_unit_test(test_what_faces_the_peer_is_told_from_what_does_not),
		cmocka_unit_test(test_settings_are_compared_value_by_value),
		cmocka_unit_test(test_a_copy_outlives_what_it_is_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
