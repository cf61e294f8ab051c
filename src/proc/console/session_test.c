/* session_test.c - logins, sessions, and who fails too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/console/session.h"

/* "secret", made with ln=10 so that the tests are quick (Python: hashlib.scrypt, salt octets 0 to 15, n 1024, r 8, p 1, dklen 32). */
#define LINE "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$Mdc/jTCPy+uU8aSLbM+FGBQC/AXSzfWCsAUkF/VYCgk"
#define OTHER "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODg$Mdc/jTCPy+uU8aSLbM+FGBQC/AXSzfWCsAUkF/VYCgk" /* another salt: nobody's password */

enum { START = 1000000 };

struct world {
	struct sessions *s;
	struct set_console_user users[2];
	struct set_console set;
	uint32_t next;
};

static void give(void *ctx, uint8_t *octets, size_t n)
{
	struct world *w = ctx;
	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)((w->next = w->next * 1664525u + 1013904223u) >> 24);
}

static void setup(struct world *w)
{
	*w = (struct world){ .users = { { "ann", CONSOLE_OPERATOR, LINE }, { "bob", CONSOLE_VIEWER, LINE } }, .set = { .session_ms = 5000 } };
	w->set.users.v = w->users;
	w->set.users.n = 2;
	w->s = sessions_new(give, w);
	sessions_settings(w->s, &w->set);
}

static bool may(struct world *w, const char *address, const char *name, int64_t now)
{
	int64_t wait;
	return sessions_may_try(w->s, address, view_str(name), now, &wait);
}

static const struct session *login(struct world *w, const char *address, const char *name, const char *password, int64_t now)
{
	return sessions_login(w->s, address, view_str(name), view_str(password), now);
}

static void test_a_session_lives_and_ends(void **state)
{
	(void)state;
	struct world w;
	char token[SESSION_TEXT + 1], other[SESSION_TEXT + 1];
	setup(&w);
	assert_null(login(&w, "1.1.1.1", "ann", "secreT", START));
	assert_null(login(&w, "1.1.1.1", "nobody", "secret", START));
	const struct session *x = login(&w, "1.1.1.1", "ann", "secret", START);
	assert_non_null(x);
	assert_int_equal(x->role, CONSOLE_OPERATOR);
	assert_int_equal(strlen(x->token), 64); /* 256 bits */
	assert_string_not_equal(x->token, x->csrf);
	strncpy(token, x->token, sizeof token);
	x = login(&w, "1.1.1.1", "bob", "secret", START);
	strncpy(other, x->token, sizeof other);
	assert_string_not_equal(token, other);
	for (size_t n = 0; n < SESSION_TEXT; n++) /* no part of it will do */
		assert_null(sessions_find(w.s, view_first(view_str(token), n), true, START));
	assert_non_null(sessions_find(w.s, view_str(token), true, START + 4000));
	assert_non_null(sessions_find(w.s, view_str(token), false, START + 8000)); /* a stream looks, and keeps nothing alive */
	assert_null(sessions_find(w.s, view_str(other), true, START + 8000));
	assert_null(sessions_find(w.s, view_str(token), true, START + 9001));
	assert_int_equal(sessions_n(w.s), 0);
	x = login(&w, "1.1.1.1", "ann", "secret", START + 9001);
	strncpy(token, x->token, sizeof token);
	sessions_logout(w.s, view_str(token));
	assert_null(sessions_find(w.s, view_str(token), true, START + 9001));
	sessions_free(&w.s);
}

static void test_other_settings_end_what_is_no_more(void **state)
{
	(void)state;
	struct world w, now;
	char token[2][SESSION_TEXT + 1];
	setup(&w);
	strncpy(token[0], login(&w, "1.1.1.1", "ann", "secret", START)->token, SESSION_TEXT + 1);
	strncpy(token[1], login(&w, "1.1.1.1", "bob", "secret", START)->token, SESSION_TEXT + 1);
	now = w;
	now.set.users.v = now.users;
	sessions_settings(w.s, &now.set);
	assert_int_equal(sessions_n(w.s), 2);
	now.users[0].password = OTHER;
	sessions_settings(w.s, &now.set);
	assert_null(sessions_find(w.s, view_str(token[0]), true, START));
	assert_non_null(sessions_find(w.s, view_str(token[1]), true, START));
	now.users[1].role = CONSOLE_OPERATOR; /* he is to log in again to be one */
	sessions_settings(w.s, &now.set);
	assert_int_equal(sessions_n(w.s), 0);
	sessions_free(&w.s);
}

static void test_one_user_takes_no_room_of_others(void **state)
{
	(void)state;
	struct world w;
	char first[SESSION_TEXT + 1], bobs[SESSION_TEXT + 1];
	setup(&w);
	strncpy(bobs, login(&w, "1.1.1.1", "bob", "secret", START)->token, sizeof bobs);
	strncpy(first, login(&w, "1.1.1.1", "ann", "secret", START)->token, sizeof first);
	for (int i = 0; i < SESSIONS_OF_ONE; i++)
		assert_non_null(login(&w, "1.1.1.1", "ann", "secret", START + 1 + i));
	assert_int_equal(sessions_n(w.s), 1 + SESSIONS_OF_ONE);
	assert_null(sessions_find(w.s, view_str(first), true, START + 100));
	assert_non_null(sessions_find(w.s, view_str(bobs), true, START + 100));
	sessions_free(&w.s);
}

static void test_failures_are_slowed(void **state)
{
	(void)state;
	struct world w;
	int64_t wait, now = START;
	setup(&w);
	for (int i = 0; i < SLOW_FREE + 1; i++) {
		assert_true(may(&w, "6.6.6.6", "ann", now));
		assert_null(login(&w, "6.6.6.6", "ann", "x", now));
	}
	assert_false(sessions_may_try(w.s, "6.6.6.6", VIEW("ann"), now, &wait));
	assert_int_equal(wait, 1000);
	assert_false(may(&w, "6.6.6.6", "bob", now));     /* the address, whatever name */
	assert_false(may(&w, "7.7.7.7", "ann", now));     /* the name, whatever address */
	assert_true(may(&w, "7.7.7.7", "bob", now));      /* nobody else */
	for (int i = 0; i < 20; i++) {                    /* the wait doubles, and has an end */
		now += wait;
		assert_true(may(&w, "6.6.6.6", "ann", now));
		assert_null(login(&w, "6.6.6.6", "ann", "x", now));
		assert_false(sessions_may_try(w.s, "6.6.6.6", VIEW("ann"), now, &wait));
		assert_true(wait <= SLOW_ADDRESS_MS);
	}
	assert_int_equal(wait, SLOW_ADDRESS_MS);
	assert_false(sessions_may_try(w.s, "8.8.8.8", VIEW("ann"), now, &wait));
	assert_int_equal(wait, SLOW_NAME_MS);
	now += SLOW_FORGET_MS + 1;                        /* and is forgotten */
	assert_true(may(&w, "6.6.6.6", "ann", now));
	assert_null(login(&w, "6.6.6.6", "ann", "x", now));
	assert_true(may(&w, "6.6.6.6", "ann", now));
	sessions_free(&w.s);
}

static void test_who_has_logged_in_is_not_kept_out_by_others(void **state)
{
	(void)state;
	struct world w;
	setup(&w);
	assert_non_null(login(&w, "1.1.1.1", "ann", "secret", START));
	for (int i = 0; i < 10; i++)
		assert_null(login(&w, "6.6.6.6", "ann", "x", START));
	assert_false(may(&w, "2.2.2.2", "ann", START));
	assert_true(may(&w, "1.1.1.1", "ann", START));
	sessions_free(&w.s);
}

/* What is refused without a look at a password is no failure: it makes nobody else's failures forgotten, nor who has logged in. */
static void test_tries_that_are_refused_forget_nothing(void **state)
{
	(void)state;
	struct world w;
	char name[32];
	setup(&w);
	assert_non_null(login(&w, "1.1.1.1", "ann", "secret", START));
	for (int i = 0; i < SLOW_FREE + 4; i++)
		assert_null(login(&w, "6.6.6.6", "ann", "x", START));
	for (int i = 0; i < 10 * SLOW_KEYS; i++) {
		snprintf(name, sizeof name, "u%d", i);
		assert_false(may(&w, "6.6.6.6", name, START + 1));
	}
	assert_false(may(&w, "6.6.6.6", "bob", START + 1));
	assert_false(may(&w, "2.2.2.2", "ann", START + 1));
	assert_true(may(&w, "1.1.1.1", "ann", START + 1));
	sessions_free(&w.s);
}

/* RFC 4291 2.5.4: the lower half is the host's own to choose. */
static void test_a_network_of_ipv6_is_one_address(void **state)
{
	(void)state;
	struct world w;
	char address[48];
	setup(&w);
	for (int i = 0; i < SLOW_FREE + 1; i++) {
		snprintf(address, sizeof address, "2001:db8:0:1::%x", i + 1);
		assert_null(login(&w, address, "ann", "x", START));
	}
	assert_false(may(&w, "2001:db8:0:1:ffff::99", "bob", START));
	assert_true(may(&w, "2001:db8:0:2::1", "bob", START));
	for (int i = 0; i < SLOW_FREE + 1; i++) {
		snprintf(address, sizeof address, "::ffff:10.0.0.%d", i + 1); /* IPv4 by way of a door of both */
		assert_null(login(&w, address, "bob", "x", START));
	}
	assert_true(may(&w, "::ffff:10.0.0.9", "eve", START));
	sessions_free(&w.s);
}

static void test_a_flood_keeps_nobody_out_who_has_logged_in(void **state)
{
	(void)state;
	struct world w;
	char address[32];
	setup(&w);
	assert_non_null(login(&w, "1.1.1.1", "ann", "secret", START));
	for (int i = 0; i < SLOW_CHECKS; i++) {
		snprintf(address, sizeof address, "10.0.0.%d", i);
		assert_true(may(&w, address, "bob", START + 5000));
	}
	assert_false(may(&w, "10.0.1.1", "bob", START + 5000));
	assert_true(may(&w, "1.1.1.1", "ann", START + 5000));
	for (int i = 0; i < SLOW_SPARE; i++) /* not without end */
		(void)may(&w, "1.1.1.1", "ann", START + 5000);
	assert_false(may(&w, "1.1.1.1", "ann", START + 5000));
	sessions_free(&w.s);
}

static void test_all_together_cost_so_much_a_second(void **state)
{
	(void)state;
	struct world w;
	char address[32];
	setup(&w);
	for (int i = 0; i < SLOW_CHECKS; i++) {
		snprintf(address, sizeof address, "10.0.0.%d", i);
		assert_true(may(&w, address, address, START));
	}
	assert_false(may(&w, "10.0.1.1", "x", START));
	assert_true(may(&w, "10.0.1.1", "x", START + 1000));
	for (int i = 0; i < 20000; i++) { /* addresses without end are kept in bounded memory */
		snprintf(address, sizeof address, "10.%d.%d.1", i / 256, i % 256);
		(void)may(&w, address, address, START + 2000 + i);
	}
	sessions_free(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_session_lives_and_ends),
		cmocka_unit_test(test_other_settings_end_what_is_no_more),
		cmocka_unit_test(test_one_user_takes_no_room_of_others),
		cmocka_unit_test(test_failures_are_slowed),
		cmocka_unit_test(test_who_has_logged_in_is_not_kept_out_by_others),
		cmocka_unit_test(test_tries_that_are_refused_forget_nothing),
		cmocka_unit_test(test_a_network_of_ipv6_is_one_address),
		cmocka_unit_test(test_a_flood_keeps_nobody_out_who_has_logged_in),
		cmocka_unit_test(test_all_together_cost_so_much_a_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
