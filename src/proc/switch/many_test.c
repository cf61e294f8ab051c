/* many_test.c - 32,000 recipients in one message, whatever becomes of them: one pass, one answer (X.411 ub-recipients is 32,767). How
 * long it takes is measured by the bench (tests/bench/many.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

enum { MANY = 32000, LINKS = 300 };

static struct message *to_many(struct bench *b, const char *id, const char *const *to, size_t n_to)
{
	const char **list = mem_alloc(MANY * sizeof *list);
	for (size_t i = 0; i < MANY; i++)
		list[i] = to[i % n_to];
	struct message *m = letter(b, id, MANY, list);
	free(list);
	return m;
}

static void test_32000_local_recipients(void **state)
{
	(void)state;
	static const char *const us[] = { TO_US };
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_true(offer_of(&b->link[0], "to-a", to_many(b, "1", us, 1), VIEW("x"))->accepted);
	const struct store_counts c = counts_of(b);
	assert_int_equal(c.messages, 1);
	assert_int_equal(c.deliveries, MANY);
	assert_int_equal(c.transfers, 0); /* nothing to report: none asks for it */
	bench_free(b);
}

/* A mixture: half are here, the others unknown, or far away. */
static void test_32000_recipients_of_all_kinds(void **state)
{
	(void)state;
	static const char *const all[] = { TO_US, TO_NOBODY, TO_US, TO_C };
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	bench_join(b, p, PROCESS_LINK, 1);
	assert_true(offer_of(p, "to-a", to_many(b, "1", all, 4), VIEW("x"))->accepted);
	const struct store_counts c = counts_of(b);
	assert_int_equal(c.deliveries, MANY / 2);
	assert_int_equal(c.transfers, 2); /* the message to to-c, one report to to-a */
	assert_int_equal(c.recipients_queued, MANY / 4 + MANY / 4);
	bench_free(b);
}

/* The transfer fails for good: one report about all of them. */
static void test_32000_recipients_of_a_transfer_that_fails(void **state)
{
	(void)state;
	static const char *const far[] = { TO_C, TO_C2 };
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	bench_join(b, p, PROCESS_LINK, 1);
	assert_true(offer_of(p, "to-a", to_many(b, "1", far, 2), VIEW("x"))->accepted);
	open_up(p);
	assert_int_equal(last_transfer(p)->m.n_rcpt, MANY);
	say_result(p, last_transfer(p)->transfer, ERR_PERM, ERR_OF_MESSAGE);
	assert_int_equal(counts_of(b).transfers, 1);
	open_up(p);
	const struct message *report = &last_transfer(p)->m;
	assert_int_equal(report->kind, MESSAGE_REPORT);
	assert_int_equal(report->n_rcpt, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(report->rcpt[i].outcome, OUTCOME_NOT_DELIVERED);
		assert_int_equal(report->rcpt[i].number, i + 1);
	}
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

static void with_many_links(struct bench *b)
{
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	out_fmt(&o, "mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n"
		    "  - name: to-a\n    remote-mta-name: mta-a\n");
	for (unsigned i = 0; i < LINKS; i++)
		out_fmt(&o, "  - name: l%u\n    address: \"127.0.0.1:3\"\n    remote-mta-name: m%u\n    max-associations: 1\n", i, i);
	out_fmt(&o, "routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n");
	for (unsigned i = 0; i < LINKS; i++)
		out_fmt(&o, "  - match: \"C=JP; A=SIM; P=p%u\"\n    to: l%u\n", i, i);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	if (!settings_load(out_view(&o), "test", &b->settings, b->a, &e))
		fail_msg("%s", e.text);
	bench_start(b);
	out_fini(&o);
}

/* Each next hop gets one transfer with those recipients that are its own. */
static void test_32000_recipients_on_many_links(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	const char *to[LINKS];
	with_many_links(b);
	bench_join(b, p, PROCESS_LINK, 1);
	for (unsigned i = 0; i < LINKS; i++) {
		char address[64];
		snprintf(address, sizeof address, "S=x; P=p%u; A=SIM; C=JP", i);
		to[i] = arena_str(b->a, view_str(address));
	}
	assert_true(offer_of(p, "to-a", to_many(b, "1", to, LINKS), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, LINKS);
	assert_int_equal(counts_of(b).recipients_queued, MANY);
	assert_int_equal(p->n_opens, LINKS);
	open_up(p);
	const struct message *m = &last_transfer(p)->m;
	size_t ours = 0;
	for (size_t i = 0; i < MANY; i++)
		ours += m->rcpt[i].responsible;
	assert_true(ours == MANY / LINKS || ours == MANY / LINKS + 1);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, LINKS - 1);
	assert_int_equal(counts_of(b).recipients_queued, MANY - ours);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_32000_local_recipients),
		cmocka_unit_test(test_32000_recipients_of_all_kinds),
		cmocka_unit_test(test_32000_recipients_of_a_transfer_that_fails),
		cmocka_unit_test(test_32000_recipients_on_many_links),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
