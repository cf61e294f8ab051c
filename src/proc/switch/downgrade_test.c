/* downgrade_test.c - a link to a system of 1984 in the switch: what it cannot take is reported for that recipient, with 2/47 and the
 * reason in words (RFC 1328 4, X.411 unable-to-downgrade); everything else goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include <stdlib.h>

/* to-c is of 1984. */
static struct bench *with_old_link(void)
{
	char settings[4096];
	const char *at = strstr(BENCH_SETTINGS, "    size-limit: 300 K\n");
	assert_non_null(at);
	snprintf(settings, sizeof settings, "%.*s    conformance: \"1984\"\n%s", (int)(at - BENCH_SETTINGS), BENCH_SETTINGS, at);
	struct bench *b = bench_with(settings);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

static struct player *offered(struct bench *b, const struct message *m)
{
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", m, VIEW("content"))->accepted);
	return p;
}

static bool opens(const struct player *p, const char *link)
{
	for (size_t i = 0; i < p->n_opens; i++)
		if (view_eq(p->opens[i].link, view_str(link)))
			return true;
	return false;
}

/* The report that goes back to to-a. */
static const struct message *report_of(struct player *p)
{
	for (size_t i = 0; i < p->n_opens; i++)
		if (view_eq(p->opens[i].link, VIEW("to-a")))
			say_assoc(p, MSG_ASSOC_UP, p->opens[i].assoc, "to-a", NULL);
	const struct message *m = &last_transfer(p)->m;
	assert_int_equal(m->kind, MESSAGE_REPORT);
	return m;
}

static struct extensions one_extension(struct bench *b, uint32_t number, unsigned criticality)
{
	struct extension *x = arena_get(b->a, sizeof *x);
	*x = (struct extension){ .number = number, .criticality = criticality, .value = VIEW("\x0a\x01\x01") };
	return (struct extensions){ x, 1 };
}

static bool says(const struct recipient *r, const char *what)
{
	return memmem(r->supplementary.p, r->supplementary.n, what, strlen(what)) != NULL;
}

static void test_dg_05_an_extension_of_the_envelope(void **state)
{
	(void)state;
	for (unsigned critical = 0; critical <= EXT_FOR_DELIVERY; critical += 2) {
		struct bench *b = with_old_link();
		struct message *m = LETTER(b, "1", TO_C, TO_C2, TO_US);
		m->ext = one_extension(b, 20, critical);
		struct player *p = offered(b, m);
		if ((critical & EXT_FOR_TRANSFER) == 0) {
			assert_true(opens(p, "to-c"));
			assert_false(opens(p, "to-a"));
			bench_free(b);
			continue;
		}
		assert_false(opens(p, "to-c"));
		const struct message *report = report_of(p);
		assert_int_equal(report->n_rcpt, 2); /* the one at home has got it */
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(report->rcpt[i].reason, 2);
			assert_int_equal(report->rcpt[i].diagnostic, 47);
			assert_true(says(&report->rcpt[i], "message-security-label"));
		}
		bench_free(b);
	}
}

static void test_dg_05_an_extension_of_one_recipient(void **state)
{
	(void)state;
	struct bench *b = with_old_link();
	struct message *m = LETTER(b, "1", TO_C, TO_C2);
	m->rcpt[1].ext = one_extension(b, EXT_ALTERNATE_RECIPIENT, EXT_FOR_TRANSFER);
	struct player *p = offered(b, m);
	assert_true(opens(p, "to-c"));
	const struct message *report = report_of(p);
	assert_int_equal(report->n_rcpt, 1);
	assert_int_equal(report->rcpt[0].number, 2);
	assert_int_equal(report->rcpt[0].diagnostic, 47);
	assert_true(says(&report->rcpt[0], "originator-requested-alternate-recipient"));
	bench_free(b);
}

/* Longer than X400-C3 holds. */
static void test_dg_04_an_address_without_a_form(void **state)
{
	(void)state;
	struct bench *b = with_old_link();
	struct message *m = LETTER(b, "1", TO_C, TO_C2);
	struct oraddr *addr = &m->rcpt[0].addr;
	struct oraddr_attr *v = arena_array(b->a, addr->n + 1, sizeof *v);
	memcpy(v, addr->v, addr->n * sizeof *v);
	v[addr->n] = (struct oraddr_attr){ .type = ORA_EXTENSION_RAW, .form = ORA_RAW, .number = 77 };
	v[addr->n].value = view_of(arena_get(b->a, 300), 300);
	*addr = (struct oraddr){ v, addr->n + 1, { NULL, 0 } };
	struct player *p = offered(b, m);
	assert_true(opens(p, "to-c"));
	const struct message *report = report_of(p);
	assert_int_equal(report->n_rcpt, 1);
	assert_int_equal(report->rcpt[0].number, 1);
	assert_int_equal(report->rcpt[0].reason, 2);
	assert_int_equal(report->rcpt[0].diagnostic, 47);
	assert_true(says(&report->rcpt[0], "X400-C3"));
	bench_free(b);
}

/* Common names, postal attributes, a latest delivery time that is not critical: they go. */
static void test_dg_01_what_has_a_form_goes(void **state)
{
	(void)state;
	struct bench *b = with_old_link();
	struct message *m = LETTER(b, "1", "CN=list; P=c; A=SIM; C=JP", "PD-A1=x; PD-C=JP; PD-PC=1; P=c; A=SIM; C=JP");
	m->latest_delivery = FAKE_WALL_MS + 3600 * 1000;
	struct player *p = offered(b, m);
	assert_true(opens(p, "to-c"));
	assert_false(opens(p, "to-a"));
	bench_free(b);
}

/* To a link of 1988 all of it goes. */
static void test_a_link_of_1988_takes_it(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	struct message *m = LETTER(b, "1", TO_C);
	m->ext = one_extension(b, 20, EXT_FOR_TRANSFER);
	assert_true(opens(offered(b, m), "to-c"));
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dg_05_an_extension_of_the_envelope),
		cmocka_unit_test(test_dg_05_an_extension_of_one_recipient),
		cmocka_unit_test(test_dg_04_an_address_without_a_form),
		cmocka_unit_test(test_dg_01_what_has_a_form_goes),
		cmocka_unit_test(test_a_link_of_1988_takes_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
