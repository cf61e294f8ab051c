/* settings_compare_test.c - what a reload says of two versions of the settings, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "proc/table/settings_compare.h"

#define BASE "mta: {name: L, domain: C=GB; A=A; P=L}\nstore: {directory: /tmp/x}\n"

static struct settings *load(struct arena *a, const char *text)
{
	struct err e = { 0 };
	struct settings *s = arena_array(a, 1, sizeof *s);
	if (!settings_load(view_str(text), "x.yaml", s, a, &e))
		fail_msg("%s", e.text);
	return s;
}

static void expect(const char *old, const char *now, size_t n_wanted, const char *lines_wanted, const char *error)
{
	struct arena *a = arena_new(1 << 24);
	struct err e = { 0 };
	struct out lines;
	size_t n;
	out_init(&lines, 1 << 16);
	const bool good = settings_compare(load(a, old), load(a, now), &lines, &n, &e);
	assert_string_equal(out_cstr(&lines), lines_wanted);
	assert_int_equal(n, n_wanted);
	assert_int_equal(good, error == NULL);
	if (!good)
		assert_string_equal(e.text, error);
	out_fini(&lines);
	arena_free(&a);
}

static void test_lines_say_what_a_change_does(void **state)
{
	(void)state;
	expect(BASE "links: [{name: p, remote-mta-name: P, address: '127.0.0.1:1', remote-password: hush}]",
	       BASE "links: [{name: p, remote-mta-name: P, address: '127.0.0.1:2', remote-password: tell, open-interval: 5 min}]", 3,
	       "links[p].address: \"127.0.0.1:1\" -> \"127.0.0.1:2\" (the associations of the link are released in order)\n"
	       "links[p].remote-password: another one (the associations of the link are released in order)\n"
	       "links[p].open-interval: 10 min -> 5 min\n", NULL);
	expect(BASE "movers: [{name: m, postoffice: /a}]", BASE "movers: [{name: m, postoffice: /b}, {name: n, postoffice: /c}]", 2,
	       "movers[m].postoffice: \"/a\" -> \"/b\" (its process is started anew)\nmovers[n]: new\n", NULL);
	expect(BASE, BASE "# the same\n", 0, "", NULL);
}

static void test_what_cannot_change_is_named_with_why(void **state)
{
	(void)state;
	expect(BASE "processes: {links: 2}", BASE "processes: {links: 3, stop: 1 min}\nroutes: [{match: C=FR, to: reject}]", 3,
	       "processes.links: 2 -> 3 (not while it runs)\nprocesses.stop: 10 s -> 1 min\nroutes[C=FR -> reject]: new\n",
	       "processes.links cannot change while it runs (how many there are is decided at the start): restart");
	expect(BASE "links: [{name: p, remote-mta-name: P}]", BASE "links: [{name: p, kind: connector}]", 2,
	       "links[p].remote-mta-name: \"P\" -> \"\" (the associations of the link are released in order)\nlinks[p].kind: x400 -> connector "
	       "(the associations of the link are released in order)\n", NULL);
}

static void check_all(const struct settings_section *s, const char *path)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		char at[256];
		enum settings_change change;
		snprintf(at, sizeof at, "%s%s%s", path, *path == 0 ? "" : ".", s->rows[i].key);
		if (s->rows[i].of != NULL) {
			check_all(s->rows[i].of, at);
			continue;
		}
		assert_true(settings_change_of(at, &change));
		if ((change == CHANGE_RESTART) != (*settings_change_why(at) != 0))
			fail_msg("%s: why?", at);
		if (s->rows[i].type == SETTING_STRING && (strstr(s->rows[i].key, "password") != NULL || strstr(s->rows[i].key, "token") != NULL) &&
		    !settings_is_secret(at))
			fail_msg("%s may be shown", at);
	}
}

static void test_every_password_is_a_secret_and_every_bar_has_its_reason(void **state)
{
	(void)state;
	check_all(&settings_root, "");
	assert_false(settings_is_secret("links.password-form"));
	assert_false(settings_is_secret("links.name"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_say_what_a_change_does),
		cmocka_unit_test(test_what_cannot_change_is_named_with_why),
		cmocka_unit_test(test_every_password_is_a_secret_and_every_bar_has_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
