/* ring_test.c - loops: several switches with wrong routes, each with its own store; what one hands over is what the next one is offered.
 * RFC 1615 4.1 and 4.3: each loop ends, and with exactly one report. The names bear the numbers of the failure catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

enum { MTAS_MAX = 3, ROUNDS_MAX = 60 };

#define MTA(name)                                                                                                          \
	"mta:\n  name: mta-" name "\n  domain: \"C=FR; A=SIM; P=" name "\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n" \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=" name "; A=SIM; C=FR\"]\nlinks:\n"
#define LINK(name)                                                                                                    \
	"  - name: to-" name "\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-" name "\n    open-interval: 10 s\n"  \
	"    max-associations: 1\n"
#define ROUTE(match, to) "  - match: \"" match "\"\n    to: " to "\n"

/* MTAs a, b and c; link to-X of any of them is MTA X. */
struct ring {
	struct bench *mta[MTAS_MAX];
	size_t n, read[MTAS_MAX];        /* transfers of each that were carried */
	size_t answered[MTAS_MAX];       /* associations asked for that were answered */
	unsigned hops;                   /* of messages, not of reports */
	unsigned reports;                /* made by anybody, as they left or lie in a mailbox */
	bool strips;                     /* peers of 1984: no internal trace gets across */
	bool is_down[MTAS_MAX];          /* nobody reaches it */
};

static struct ring *ring_new(size_t n, const char *const *settings)
{
	struct ring *r = mem_zero(sizeof *r);
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		r->mta[i] = bench_with(settings[i]);
		bench_join(r->mta[i], &r->mta[i]->link[0], PROCESS_LINK, 1);
		bench_join(r->mta[i], &r->mta[i]->tool, PROCESS_TOOL, 0);
	}
	return r;
}

static void ring_free(struct ring *r)
{
	for (size_t i = 0; i < r->n; i++)
		bench_free(r->mta[i]);
	free(r);
}

static void answer_opens(struct ring *r, size_t i)
{
	struct player *p = &r->mta[i]->link[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "down");
	for (; r->answered[i] < p->n_opens; r->answered[i]++) {
		const struct msg_assoc *a = &p->opens[r->answered[i]];
		char link[65];
		snprintf(link, sizeof link, "%.*s", (int)a->link.n, (const char *)a->link.p);
		const bool down = r->is_down[link[3] - 'a'];
		say_assoc(p, down ? MSG_ASSOC_DOWN : MSG_ASSOC_UP, a->assoc, link, down ? &why : NULL);
	}
}

/* The link of an association of that MTA; the link by which its peer knows it. */
static size_t peer_of(const struct player *p, uint64_t assoc)
{
	for (size_t i = 0; i < p->n_opens; i++)
		if (p->opens[i].assoc == assoc)
			return (size_t)(p->opens[i].link.p[3] - 'a');
	fail_msg("no such association");
	return 0;
}

static bool carry(struct ring *r, size_t i)
{
	struct player *p = &r->mta[i]->link[0];
	if (r->read[i] == p->n_transfers)
		return false;
	struct seen_transfer *x = &p->transfers[r->read[i]++];
	const size_t to = peer_of(p, x->assoc);
	const char by[] = { 't', 'o', '-', (char)('a' + (int)i), 0 };
	r->hops += x->m.kind != MESSAGE_REPORT;
	if (r->strips)
		x->m.internal_trace.n = 0;
	assert_true(offer_of(&r->mta[to]->link[0], by, &x->m, x->content)->accepted);
	say_result(p, x->transfer, ERR_NONE, 0);
	return true;
}

/* Until nothing moves any more. */
static void run(struct ring *r)
{
	unsigned rounds = 0;
	for (bool moved = true; moved;) {
		moved = false;
		assert_true(rounds++ < ROUNDS_MAX);
		for (size_t i = 0; i < r->n; i++) {
			answer_opens(r, i);
			fake_env_pass(r->mta[i]->env, 1000);
			answer_opens(r, i);
			while (carry(r, i))
				moved = true;
		}
	}
}

static void submit(struct ring *r, size_t at, const char *to)
{
	struct bench *b = r->mta[at];
	struct message *m = LETTER(b, "", to);
	struct err e;
	char from[60];
	snprintf(from, sizeof from, "S=user; P=%c; A=SIM; C=FR", (char)('a' + (int)at));
	m->trace.n = m->internal_trace.n = 0;
	assert_true(oraddr_parse(view_str(from), &m->originator, b->a, ORADDR_GENERATE, &e));
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
}

/* All is over: nothing waits anywhere, and the originator has so many reports in its mailbox. */
static void ended_with(struct ring *r, size_t origin, unsigned reports)
{
	for (size_t i = 0; i < r->n; i++) {
		assert_int_equal(counts_of(r->mta[i]).transfers, 0);
		assert_int_equal(counts_of(r->mta[i]).deliveries, i == origin ? reports : 0);
	}
}

#define HOME(name) ROUTE("C=FR; A=SIM; P=" name, "local")

/* TR-05: A sends to B what B sends to A. The second of them knows. */
static void test_tr_05_two_mtas_that_route_to_each_other(void **state)
{
	(void)state;
	struct ring *r = ring_new(2, (const char *const[]){
		MTA("a") LINK("b") "routes:\n" HOME("a") ROUTE("C=*", "to-b"),
		MTA("b") LINK("a") "routes:\n" HOME("b") ROUTE("C=*", "to-a"),
	});
	submit(r, 0, "S=x; A=nowhere; C=ZZ");
	run(r);
	assert_int_equal(r->hops, 1);
	ended_with(r, 0, 1);
	ring_free(r);
}

static const char *const ring_of_three[] = {
	MTA("a") LINK("b") LINK("c") "routes:\n" HOME("a") ROUTE("C=*", "to-b"),
	MTA("b") LINK("a") LINK("c") "routes:\n" HOME("b") ROUTE("C=FR; A=SIM; P=a", "to-a") ROUTE("C=*", "to-c"),
	MTA("c") LINK("a") LINK("b") "routes:\n" HOME("c") ROUTE("C=FR; A=SIM; P=b", "to-b") ROUTE("C=*", "to-a"),
};

/* Three of them in a ring: the first one knows its own trace when it comes back. One report, whoever has sent it. */
static void test_k164836_k176127_k128627_a_ring_of_three_ends(void **state)
{
	(void)state;
	for (size_t origin = 0; origin < 3; origin++) {
		struct ring *r = ring_new(3, ring_of_three);
		submit(r, origin, "S=x; A=nowhere; C=ZZ");
		run(r);
		assert_int_equal(r->hops, 3);
		ended_with(r, origin, 1);
		ring_free(r);
	}
}

/* TR-06: no internal trace across peers of 1984: the domains' own tell it. */
static void test_tr_06_a_ring_without_internal_trace_ends(void **state)
{
	(void)state;
	struct ring *r = ring_new(3, ring_of_three);
	r->strips = true;
	submit(r, 1, "S=x; A=nowhere; C=ZZ");
	run(r);
	assert_in_range(r->hops, 3, 4);
	ended_with(r, 1, 1);
	ring_free(r);
}

/* An unknown user of the ring's own domain, which is the third MTA's, gets no further than there. */
static void test_k186344_an_unknown_user_is_reported_where_its_domain_is(void **state)
{
	(void)state;
	struct ring *r = ring_new(3, ring_of_three);
	submit(r, 0, "S=nobody; P=c; A=SIM; C=FR");
	run(r);
	assert_int_equal(r->hops, 2);
	ended_with(r, 0, 1);
	ring_free(r);
}

/* All lines of a ring fail and come back while it goes round, and each MTA has two ways: it ends, and there is one report. */
static void test_k174238_a_ring_with_two_ways_each_and_lines_that_fail(void **state)
{
	(void)state;
	struct ring *r = ring_new(3, (const char *const[]){
		MTA("a") LINK("b") LINK("c") "routes:\n" HOME("a") ROUTE("C=*", "to-b") ROUTE("C=*", "to-c"),
		MTA("b") LINK("a") LINK("c") "routes:\n" HOME("b") ROUTE("C=*", "to-a") ROUTE("C=*", "to-c"),
		MTA("c") LINK("a") LINK("b") "routes:\n" HOME("c") ROUTE("C=*", "to-a") ROUTE("C=*", "to-b"),
	});
	r->is_down[1] = true;
	submit(r, 0, "S=x; A=nowhere; C=ZZ");
	run(r);
	r->is_down[2] = true;
	run(r);
	r->is_down[1] = r->is_down[2] = false;
	for (unsigned i = 0; i < 20; i++)
		run(r);
	assert_in_range(r->hops, 1, 8);
	ended_with(r, 0, 1);
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < r->mta[i]->link[0].n_transfers; k++)
			assert_true(r->mta[i]->link[0].transfers[k].m.internal_trace.n < 16);
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tr_05_two_mtas_that_route_to_each_other),
		cmocka_unit_test(test_k164836_k176127_k128627_a_ring_of_three_ends),
		cmocka_unit_test(test_tr_06_a_ring_without_internal_trace_ends),
		cmocka_unit_test(test_k186344_an_unknown_user_is_reported_where_its_domain_is),
		cmocka_unit_test(test_k174238_a_ring_with_two_ways_each_and_lines_that_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
