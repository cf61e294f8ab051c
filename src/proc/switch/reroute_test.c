/* reroute_test.c - what waits for a link that fails: other ways (exchange.md C5; X.411 12.3.1 for the trace), open retries of each
 * message. The names bear the numbers of the articles of the failure catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#define HEAD                                                                                                                  \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n"                 \
	"expiry:\n  urgent: 100 h\n  normal: 100 h\n  non-urgent: 100 h\n"
#define LINK(name, more)                                                                                                      \
	"  - name: " name "\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-" name "\n    open-interval: 10 s\n"          \
	"    transfer-interval: 10 s\n    max-open-retries: 3\n    max-transfer-retries: 2\n" more
#define ONE "    max-associations: 1\n"
#define ROUTE(match, to, cost) "  - match: \"" match "\"\n    to: " to "\n    cost: " cost "\n"
#define ROUTES                                                                                                                \
	"routes:\n" ROUTE("C=GB", "to-a", "1") ROUTE("C=JP; P=c", "east", "1") ROUTE("C=JP; P=c", "west", "5")                    \
	ROUTE("C=JP; P=d", "east", "1") ROUTE("C=JP; P=d", "south", "5") ROUTE("C=JP; P=e", "east", "1")                          \
	ROUTE("C=FR; A=SIM; P=p", "local", "1")                                                                                   \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"
#define SETTINGS HEAD "links:\n" LINK("to-a", ONE) LINK("east", ONE) LINK("west", ONE) LINK("south", ONE) ROUTES

#define TO_D "S=dan; P=d; A=SIM; C=JP"
#define TO_E "S=eli; P=e; A=SIM; C=JP"

static struct bench *world(const char *settings)
{
	struct bench *b = bench_with(settings);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

static const struct msg_assoc *open_of(const struct player *p, const char *link)
{
	for (size_t i = p->n_opens; i-- > 0;)
		if (view_eq(p->opens[i].link, view_str(link)))
			return &p->opens[i];
	fail_msg("nothing was opened to %s", link);
	return NULL;
}

static unsigned n_opens(const struct player *p, const char *link)
{
	unsigned n = 0;
	for (size_t i = 0; i < p->n_opens; i++)
		n += view_eq(p->opens[i].link, view_str(link));
	return n;
}

static void settle(struct bench *b)
{
	fake_env_pass(b->env, 200); /* slices */
}

static void fails(struct bench *b, const char *link)
{
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "no answer from %s", link);
	say_assoc(&b->link[0], MSG_ASSOC_DOWN, open_of(&b->link[0], link)->assoc, link, &why);
	settle(b);
}

/* The next attempt is made, and fails too. */
static void fails_again(struct bench *b, const char *link)
{
	const unsigned before = n_opens(&b->link[0], link);
	for (unsigned i = 0; i < 60 && n_opens(&b->link[0], link) == before; i++)
		fake_env_pass(b->env, 1000);
	assert_int_equal(n_opens(&b->link[0], link), before + 1);
	fails(b, link);
}

static void comes_up(struct bench *b, const char *link)
{
	say_assoc(&b->link[0], MSG_ASSOC_UP, open_of(&b->link[0], link)->assoc, link, NULL);
	settle(b);
}

static const struct msg_status_link *status_of(struct bench *b, const char *link)
{
	if (b->tool.control == NULL)
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
	b->tool.n_status = 0;
	chan_send(b->tool.control, MSG_STATUS, (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	for (size_t i = 0; i < b->tool.n_status; i++)
		if (view_eq(b->tool.status[i].name, view_str(link)))
			return &b->tool.status[i];
	fail_msg("no status of %s", link);
	return NULL;
}

static uint64_t queued(struct bench *b, const char *link)
{
	return status_of(b, link)->queued;
}

static void offer(struct bench *b, struct message *m, const char *link)
{
	assert_true(offer_of(&b->link[0], link, m, VIEW("content"))->accepted);
}

static const struct trace_element *rerouted(const struct trace *t, size_t *n_r)
{
	const struct trace_element *last = NULL;
	*n_r = 0;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].action == ROUTING_REROUTED) {
			last = &t->v[i];
			++*n_r;
		}
	return last;
}

static bool is_for(const struct message *m, const char *addr, struct arena *a)
{
	struct oraddr want;
	struct err e;
	bool found = false;
	assert_true(oraddr_parse(view_str(addr), &want, a, ORADDR_GENERATE, &e));
	for (size_t i = 0; i < m->n_rcpt; i++)
		found = found || (m->rcpt[i].responsible && oraddr_eq(&m->rcpt[i].addr, &want));
	return found;
}

/* --- the other way --- */

/* TR-07: the next hop is down, and there is another: the second attempt says what was attempted. Nothing in the domain trace, as the
 * peer's domain is not known; the content and the envelope go as they came. */
static void test_tr_07_the_next_hop_is_down_and_another_is_there(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	struct player *p = &b->link[0];
	size_t n;
	offer(b, LETTER(b, "1", TO_C), "to-a");
	fails(b, "east");
	assert_int_equal(queued(b, "east"), 0);
	assert_int_equal(queued(b, "west"), 1);
	comes_up(b, "west");
	assert_int_equal(p->n_transfers, 1);
	const struct message *m = &last_transfer(p)->m;
	const struct trace_element *x = rerouted(&m->internal_trace, &n);
	assert_int_equal(n, 1);
	assert_true(x->has_attempted && view_eq(x->attempted_mta, VIEW("mta-east")) && view_eq(x->mta, VIEW("mta-p")));
	assert_ptr_equal(x, &m->internal_trace.v[m->internal_trace.n - 1]);
	assert_null(rerouted(&m->trace, &n));
	assert_true(view_eq(last_transfer(p)->content, VIEW("content")));
	assert_true(is_for(m, TO_C, b->a));
	const struct gdi ours = domain_of("FR", "p"), next = domain_of("JP", "c");
	assert_int_equal(trace_check(m, &next, VIEW("mta-c"), 512), TRACE_FINE); /* for who gets it it is no loop */
	assert_int_equal(trace_check(m, &ours, VIEW("mta-p"), 512), TRACE_FINE); /* TR-04: nor for us, as it is */
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* Recipients with different ways: each goes its own, one that has none waits, and none is sent twice. */
static void test_recipients_of_one_transfer_go_different_ways(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C, TO_D, TO_E, TO_US, TO_C2);
	m->rcpt[1].number = 17;
	offer(b, m, "to-a");
	assert_int_equal(queued(b, "east"), 1);
	fails(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	assert_int_equal(queued(b, "west"), 1);
	assert_int_equal(queued(b, "south"), 1);
	const char *const links[] = { "west", "south", "east" };
	const char *const to[][2] = { { TO_C, TO_C2 }, { TO_D, NULL }, { TO_E, NULL } };
	fake_env_pass(b->env, 15000); /* east is tried again */
	for (size_t i = 0; i < 3; i++) {
		comes_up(b, links[i]);
		assert_int_equal(p->n_transfers, i + 1);
		const struct message *got = &last_transfer(p)->m;
		unsigned n = 0;
		for (size_t k = 0; k < got->n_rcpt; k++)
			n += got->rcpt[k].responsible;
		assert_int_equal(n, to[i][1] == NULL ? 1 : 2);
		assert_true(is_for(got, to[i][0], b->a) && (to[i][1] == NULL || is_for(got, to[i][1], b->a)));
		assert_int_equal(got->n_rcpt, 5);
		assert_int_equal(got->rcpt[1].number, 17);
		size_t marks;
		(void)rerouted(&got->internal_trace, &marks);
		assert_int_equal(marks, i == 2 ? 0 : 1);
		assert_true(view_eq(last_transfer(p)->content, VIEW("content")));
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	}
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(counts_of(b).messages, 1); /* the user's */
	bench_free(b);
}

/* The same with a content in a file, which all of them share: with none left who wants it, it is gone. */
static void test_recipients_of_a_long_content_go_different_ways(void **state)
{
	(void)state;
	enum { OCTETS = 100000 };
	struct bench *b = world(SETTINGS);
	struct player *p = &b->link[0];
	uint8_t *octets = arena_get(b->a, OCTETS);
	for (size_t i = 0; i < OCTETS; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 9, "to-a", LETTER(b, "1", TO_C, TO_D, TO_E), (struct view){ NULL, 0 });
	for (size_t at = 0; at < OCTETS; at += 50000)
		say_piece(p, 9, view_of(octets + at, 50000));
	say_count(p->bulk, MSG_OFFER_END, 9, OCTETS);
	fake_env_settle(b->env);
	assert_int_equal(queued(b, "east"), 1);
	fails(b, "east");
	const char *const links[] = { "west", "south", "east" };
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(queued(b, links[i]), 1);
	fake_env_pass(b->env, 15000); /* east is tried again */
	for (size_t i = 0; i < 3; i++) {
		comes_up(b, links[i]);
		assert_int_equal(p->n_transfers, i + 1);
		say_count(p->control, MSG_TRANSFER_PULL, last_transfer(p)->transfer, OCTETS);
		fake_env_settle(b->env);
		assert_true(view_eq(out_view(&p->data), view_of(octets, OCTETS)));
		out_clear(&p->data);
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	}
	assert_int_equal(counts_of(b).messages, 0);
	assert_int_equal(counts_of(b).octets, 0);
	bench_free(b);
}

/* A report was queued for a server that was down, and stayed there. */
static void test_k273939_a_report_goes_another_way_too(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	struct message *m = LETTER(b, "r", TO_US);
	struct err e;
	m->kind = MESSAGE_REPORT;
	m->subject_id = (struct mts_id){ domain_of("JP", "c"), VIEW("subject") };
	m->rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m->rcpt[0].reason = 1;
	assert_true(oraddr_parse(VIEW(TO_C), &m->originator, b->a, ORADDR_GENERATE, &e));
	offer(b, m, "to-a");
	assert_int_equal(queued(b, "east"), 1);
	fails(b, "east");
	assert_int_equal(queued(b, "west"), 1);
	comes_up(b, "west");
	assert_int_equal(last_transfer(&b->link[0])->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(&b->link[0])->m.n_rcpt, 1);
	bench_free(b);
}

/* Never back where it came from, whatever is left. */
static void test_k164836_k166611_never_up_the_link_of_its_arrival(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	offer(b, LETTER(b, "1", TO_C), "west");
	offer(b, LETTER(b, "2", TO_C), "to-a");
	for (unsigned i = 0; i < 3; i++) {
		if (i == 0)
			fails(b, "east");
		else
			fails_again(b, "east");
		assert_int_equal(queued(b, "east"), 1);
		assert_int_equal(queued(b, "west"), 1);
	}
	comes_up(b, "west");
	assert_true(is_local_id(&last_transfer(&b->link[0])->m, "2"));
	bench_free(b);
}

/* Each attempt wrote into the trace until the disk was full. */
static void test_k174238_k181948_a_thousand_rounds_leave_the_trace_as_it_is(void **state)
{
	(void)state;
	struct bench *b = world(HEAD "limits:\n  reroutes: 8\nlinks:\n" LINK("to-a", ONE) LINK("east", ONE) LINK("west", ONE) LINK("south", ONE)
				ROUTES);
	struct player *p = &b->link[0];
	struct set_link *links = (struct set_link *)(uintptr_t)b->settings.links.v;
	size_t n;
	bench_leave(b, p);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	for (size_t i = 0; i < b->settings.links.n; i++)
		links[i].max_open_retries = 100000;
	bench_start(b);
	bench_join(b, p, PROCESS_LINK, 1);
	offer(b, LETTER(b, "1", TO_C), "to-a");
	fails(b, "east");
	fails(b, "west");
	for (unsigned i = 0; i < 1000; i++) {
		if (p->n_opens > SEEN_MAX - 4) {
			p->opens[0] = *open_of(p, "west");
			p->n_opens = 1;
		}
		fails_again(b, "west");
	}
	assert_int_equal(queued(b, "west"), 1);
	p->n_opens = 0;
	fake_env_pass(b->env, 15000);
	comes_up(b, "west");
	const struct message *m = &last_transfer(p)->m;
	(void)rerouted(&m->internal_trace, &n);
	assert_int_equal(n, 1);
	assert_int_equal(m->internal_trace.n, 3); /* mta-a, mta-p, and that */
	assert_int_equal(m->trace.n, 2);
	bench_free(b);
}

/* "Limit of associations reached" was taken for a failure of the link, and messages went in a circle. */
static void test_k278444_a_limit_of_associations_is_no_failure(void **state)
{
	(void)state;
	struct bench *b = world(HEAD "links:\n" LINK("to-a", ONE) LINK("east", "    max-associations: 4\n    threshold: 1\n") LINK("west", ONE)
				LINK("south", ONE) ROUTES);
	struct player *p = &b->link[0];
	struct err why;
	char id[8];
	for (unsigned i = 0; i < 8; i++) {
		snprintf(id, sizeof id, "%u", i);
		offer(b, LETTER(b, id, TO_C), "to-a");
	}
	assert_true(n_opens(p, "east") > 1);
	say_assoc(p, MSG_ASSOC_UP, p->opens[0].assoc, "east", NULL);
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "busy");
	for (size_t i = 1; i < p->n_opens; i++)
		say_assoc(p, MSG_ASSOC_DOWN, p->opens[i].assoc, "east", &why);
	settle(b);
	assert_int_equal(queued(b, "east"), 8);
	assert_int_equal(queued(b, "west"), 0);
	bench_free(b);
}

/* A limit of size went round and round until 512 hops. */
static void test_k160534_size_reroutes_nothing(void **state)
{
	(void)state;
	struct bench *b = world(HEAD "links:\n" LINK("to-a", ONE) LINK("east", ONE) LINK("west", "    size-limit: 6\n" ONE) LINK("south", ONE)
				ROUTES);
	struct player *p = &b->link[0];
	offer(b, LETTER(b, "1", TO_C), "to-a"); /* 7 octets: too long for the other way */
	fails(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	assert_int_equal(queued(b, "west"), 0);
	fake_env_pass(b->env, 15000);
	comes_up(b, "east");
	struct msg_result m = { .transfer = last_transfer(p)->transfer };
	err_report(&m.err, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "too long");
	put_msg_result(chan_begin(p->control, MSG_TRANSFER_RESULT), &m);
	chan_end(p->control);
	settle(b);
	assert_int_equal(queued(b, "east"), 0);
	assert_int_equal(queued(b, "west"), 0);
	comes_up(b, "to-a");
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(p)->m.rcpt[0].diagnostic, 7);
	bench_free(b);
}

/* The limit of the cheaper link is the answer, also for what would be taken by the dearer one. */
static void test_k160534_too_long_for_its_link_is_reported_at_once(void **state)
{
	(void)state;
	struct bench *b = world(HEAD "links:\n" LINK("to-a", ONE) LINK("east", "    size-limit: 6\n" ONE) LINK("west", ONE) LINK("south", ONE)
				ROUTES);
	offer(b, LETTER(b, "1", TO_C), "to-a");
	comes_up(b, "to-a");
	assert_int_equal(last_transfer(&b->link[0])->m.rcpt[0].diagnostic, 7);
	assert_int_equal(counts_of(b).transfers, 1);
	bench_free(b);
}

/* A peer that takes the association but not the transfer. */
static void test_a_transfer_refused_for_now_goes_another_way(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	struct player *p = &b->link[0];
	offer(b, LETTER(b, "1", TO_C), "to-a");
	offer(b, LETTER(b, "2", TO_E), "to-a");
	comes_up(b, "east");
	assert_int_equal(p->n_transfers, 2);
	say_result(p, p->transfers[0].transfer, ERR_TEMP, ERR_OF_MESSAGE);
	say_result(p, p->transfers[1].transfer, ERR_TEMP, ERR_OF_MESSAGE);
	assert_int_equal(queued(b, "west"), 1);
	assert_int_equal(queued(b, "east"), 1); /* no other way: later, as ever */
	fake_env_pass(b->env, 15000);
	assert_int_equal(p->n_transfers, 3);
	assert_true(is_local_id(&last_transfer(p)->m, "2"));
	comes_up(b, "west");
	assert_true(is_local_id(&last_transfer(p)->m, "1"));
	bench_free(b);
}

/* What comes while a link cannot be opened goes the other way at once; and nothing goes back when it can. */
/* Q232396: a conversion that fails was tried on another server. Only a link that wants something else of the content is another way. */
static void test_k232396_a_conversion_that_fails_goes_where_another_is_wanted(void **state)
{
	(void)state;
	static const char old[] = "    downgrade-content: \"1984\"\n";
	for (int same = 0; same < 2; same++) {
		char settings[4000];
		snprintf(settings, sizeof settings, HEAD "links:\n" LINK("to-a", ONE) LINK("east", ONE "%s") LINK("west", ONE "%s") LINK("south", ONE) ROUTES,
			 old, same ? old : "");
		struct bench *b = world(settings);
		bench_join(b, &b->content, PROCESS_CONTENT, 1);
		struct message *m = LETTER(b, "1", TO_C);
		m->content_type = 22;
		assert_true(offer_of(&b->link[0], "to-a", m, VIEW("x"))->accepted);
		comes_up(b, "east");
		struct msg_converted answer = { .id = b->content.convert.id };
		err_report(&answer.err, ERR_PERM, ERR_OF_MESSAGE, 2, 9, "it may not be converted");
		put_msg_converted(chan_begin(b->content.control, MSG_CONVERTED), &answer);
		chan_end(b->content.control);
		settle(b);
		assert_int_equal(n_opens(&b->link[0], "west"), !same);
		assert_int_equal(n_opens(&b->link[0], "to-a"), same); /* the report */
		assert_int_equal(status_of(b, "east")->queued, 0);
		bench_free(b);
	}
}

static void test_new_mail_avoids_a_link_that_waits(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	struct player *p = &b->link[0];
	offer(b, LETTER(b, "1", TO_E), "to-a");
	fails(b, "east");
	offer(b, LETTER(b, "2", TO_C), "to-a");
	assert_int_equal(queued(b, "west"), 1);
	fake_env_pass(b->env, 15000);
	comes_up(b, "east");
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(queued(b, "west"), 1); /* stays */
	offer(b, LETTER(b, "3", TO_C), "to-a");
	assert_int_equal(queued(b, "east"), 2);
	bench_free(b);
}

static void test_no_other_way_while_that_fails_too(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	offer(b, LETTER(b, "1", TO_C), "to-a");
	offer(b, LETTER(b, "2", TO_C), "east"); /* for west only */
	fails(b, "west");
	fails(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	assert_int_equal(queued(b, "west"), 1);
	fake_env_pass(b->env, 15000);
	comes_up(b, "west");
	fails(b, "east"); /* now there is one */
	assert_int_equal(queued(b, "east"), 0);
	bench_free(b);
}

static void test_lowest_cost_first_waits_for_the_cheaper_link(void **state)
{
	(void)state;
	struct bench *b = world(HEAD "routing:\n  lowest-cost-first: true\nlinks:\n" LINK("to-a", ONE) LINK("east", ONE) LINK("west", ONE)
				LINK("south", ONE) ROUTES);
	offer(b, LETTER(b, "1", TO_C), "to-a");
	fails(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	for (unsigned i = 0; i < 3; i++)
		fails_again(b, "east");
	assert_int_equal(queued(b, "west"), 1); /* when it is given up there */
	bench_free(b);
}

/* By schedule: what waited for a link that is never open goes another way when the switch starts. */
static void test_a_link_that_is_never_open_is_left(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	struct set_link *links = (struct set_link *)(uintptr_t)b->settings.links.v;
	offer(b, LETTER(b, "1", TO_C), "to-a");
	offer(b, LETTER(b, "2", TO_E), "to-a");
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->tool);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	links[1].schedule = SCHEDULE_NEVER;
	bench_start(b);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	settle(b);
	assert_int_equal(queued(b, "west"), 1);
	assert_int_equal(queued(b, "east"), 1);
	bench_free(b);
}

/* Where it has been is known after a restart. */
static void test_what_was_tried_is_durable(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	size_t n;
	offer(b, LETTER(b, "1", TO_C), "to-a");
	fails(b, "east");
	bench_leave(b, &b->link[0]);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	fails(b, "west");
	assert_int_equal(queued(b, "west"), 1);
	fake_env_pass(b->env, 15000);
	comes_up(b, "west");
	(void)rerouted(&last_transfer(&b->link[0])->m.internal_trace, &n);
	assert_int_equal(n, 1);
	bench_free(b);
}

/* A whole queue, in slices: urgent first, and other mail passes meanwhile. */
static void test_a_long_queue_moves_in_slices(void **state)
{
	(void)state;
	enum { N = 300 };
	struct bench *b = world(SETTINGS);
	char id[12];
	for (unsigned i = 0; i < N; i++) {
		snprintf(id, sizeof id, "m%u", i);
		struct message *m = LETTER(b, id, TO_C);
		m->priority = (enum priority)(i % PRIORITY_COUNT);
		offer(b, m, "to-a");
	}
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "down");
	say_assoc(&b->link[0], MSG_ASSOC_DOWN, open_of(&b->link[0], "east")->assoc, "east", &why);
	const uint64_t left = queued(b, "east");
	assert_in_range(left, 1, N); /* not in one go */
	fake_env_pass(b->env, 1000);
	assert_int_equal(queued(b, "east"), 0);
	assert_int_equal(queued(b, "west"), N);
	comes_up(b, "west");
	assert_int_equal(b->link[0].transfers[0].m.priority, PRIORITY_URGENT);
	bench_free(b);
}

/* --- open retries of each message --- */

static const struct recipient *reported(struct bench *b, size_t transfer)
{
	const struct player *p = &b->link[0];
	assert_true(p->n_transfers > transfer);
	assert_int_equal(p->transfers[transfer].m.kind, MESSAGE_REPORT);
	return &p->transfers[transfer].m.rcpt[0];
}

static bool says(struct view text, const char *part)
{
	return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* What has come just now is not reported since others have waited long; each has its own attempts, and its report says which link,
 * how often, and why. */
static void test_k230497_k271968_each_message_has_its_own_open_retries(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS); /* max-open-retries: 3, so four attempts */
	offer(b, LETTER(b, "1", TO_E), "to-a");
	fails(b, "east");
	fails_again(b, "east");
	fake_env_pass(b->env, 10);
	offer(b, LETTER(b, "2", TO_E), "to-a");
	fails_again(b, "east");
	assert_int_equal(queued(b, "east"), 2);
	fails_again(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	fails_again(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	fails_again(b, "east");
	assert_int_equal(queued(b, "east"), 0);
	comes_up(b, "to-a");
	const struct recipient *r = reported(b, 0);
	assert_true(view_eq(b->link[0].transfers[0].m.subject_id.local, VIEW("1")));
	assert_int_equal(r->reason, 0); /* transfer-failure */
	assert_true(says(r->supplementary, "east") && says(r->supplementary, "4 ") && says(r->supplementary, "no answer"));
	assert_true(view_eq(b->link[0].transfers[1].m.subject_id.local, VIEW("2")));
	bench_free(b);
}

/* One that was opened meanwhile begins anew. */
static void test_a_link_that_opens_has_all_retries_again(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	offer(b, LETTER(b, "1", TO_E), "to-a");
	fails(b, "east");
	for (unsigned i = 0; i < 2; i++)
		fails_again(b, "east");
	fake_env_pass(b->env, 15000);
	comes_up(b, "east");
	assert_int_equal(b->link[0].n_transfers, 1);
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_ASSOCIATION, "cut");
	say_assoc(&b->link[0], MSG_ASSOC_DOWN, open_of(&b->link[0], "east")->assoc, "east", &why);
	for (unsigned i = 0; i < 2; i++)
		fails_again(b, "east");
	assert_int_equal(queued(b, "east"), 1);
	bench_free(b);
}

/* A message that was rerouted has as many attempts there as any. */
static void test_a_rerouted_message_begins_anew(void **state)
{
	(void)state;
	struct bench *b = world(SETTINGS);
	offer(b, LETTER(b, "1", TO_C), "to-a");
	fake_env_pass(b->env, 60000);
	fails(b, "east");
	fails(b, "west");
	for (unsigned i = 0; i < 2; i++)
		fails_again(b, "west");
	assert_int_equal(queued(b, "west"), 1);
	fails_again(b, "west");
	assert_int_equal(queued(b, "west"), 0);
	comes_up(b, "to-a");
	assert_true(says(reported(b, 0)->supplementary, "west"));
	bench_free(b);
}

/* The last way is taken before a report, though it fails too; and limits.reroutes is an end. */
static void test_given_up_is_what_has_no_way_left(void **state)
{
	(void)state;
	struct bench *b = world(HEAD "limits:\n  reroutes: 1\nlinks:\n" LINK("to-a", ONE) LINK("east", ONE) LINK("west", ONE) LINK("south", ONE)
				"routes:\n" ROUTE("C=GB", "to-a", "1") ROUTE("C=JP; P=c", "east", "1") ROUTE("C=JP; P=c", "west", "5")
				ROUTE("C=JP; P=c", "south", "9"));
	offer(b, LETTER(b, "1", TO_C), "east"); /* for west, or south */
	offer(b, LETTER(b, "2", TO_C), "to-a");
	fails(b, "east"); /* 2 goes west, its one reroute */
	assert_int_equal(queued(b, "west"), 2);
	fails(b, "west"); /* 1 goes south */
	assert_int_equal(queued(b, "west"), 1);
	assert_int_equal(queued(b, "south"), 1);
	for (unsigned i = 0; i < 3; i++)
		fails_again(b, "west");
	assert_int_equal(queued(b, "west"), 0);
	assert_int_equal(queued(b, "south"), 1);
	comes_up(b, "to-a");
	assert_true(view_eq(b->link[0].transfers[0].m.subject_id.local, VIEW("2")));
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tr_07_the_next_hop_is_down_and_another_is_there),
		cmocka_unit_test(test_recipients_of_one_transfer_go_different_ways),
		cmocka_unit_test(test_recipients_of_a_long_content_go_different_ways),
		cmocka_unit_test(test_k273939_a_report_goes_another_way_too),
		cmocka_unit_test(test_k164836_k166611_never_up_the_link_of_its_arrival),
		cmocka_unit_test(test_k174238_k181948_a_thousand_rounds_leave_the_trace_as_it_is),
		cmocka_unit_test(test_k278444_a_limit_of_associations_is_no_failure),
		cmocka_unit_test(test_k160534_size_reroutes_nothing),
		cmocka_unit_test(test_k160534_too_long_for_its_link_is_reported_at_once),
		cmocka_unit_test(test_a_transfer_refused_for_now_goes_another_way),
		cmocka_unit_test(test_k232396_a_conversion_that_fails_goes_where_another_is_wanted),
		cmocka_unit_test(test_new_mail_avoids_a_link_that_waits),
		cmocka_unit_test(test_no_other_way_while_that_fails_too),
		cmocka_unit_test(test_lowest_cost_first_waits_for_the_cheaper_link),
		cmocka_unit_test(test_a_link_that_is_never_open_is_left),
		cmocka_unit_test(test_what_was_tried_is_durable),
		cmocka_unit_test(test_a_long_queue_moves_in_slices),
		cmocka_unit_test(test_k230497_k271968_each_message_has_its_own_open_retries),
		cmocka_unit_test(test_a_link_that_opens_has_all_retries_again),
		cmocka_unit_test(test_a_rerouted_message_begins_anew),
		cmocka_unit_test(test_given_up_is_what_has_no_way_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
