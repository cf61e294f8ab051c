/* tally_test.c - what the switch counts: when it is shown, when it is durable, what METRICS is answered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proc/switch/switch_int.h"
#include "proc/switch/switch_testing.h"

/* A command line that asks METRICS. */
struct asker {
	struct chan *chan;
	struct metrics *m;
	unsigned ends;
};

static bool on_metric(void *ctx, struct view payload, struct err *e)
{
	struct asker *a = ctx;
	return metrics_add(a->m, payload, e);
}

static bool on_end(void *ctx, struct view payload, struct err *e)
{
	struct asker *a = ctx;
	(void)payload, (void)e;
	a->ends++;
	return true;
}

static void on_asker_closed(void *ctx, const struct err *why)
{
	(void)ctx, (void)why;
}

static struct metrics *ask(struct bench *b)
{
	static const struct chan_type types[] = {
		{ .type = MSG_METRIC, .name = "METRIC", .handle = on_metric, .max = MSG_MAX_METRIC },
		{ .type = MSG_METRICS_END, .name = "METRICS_END", .handle = on_end, .max = MSG_MAX_METRICS_END },
	};
	static const struct chan_events events = { types, ARRAY_LEN(types), NULL, NULL, on_asker_closed };
	struct stream *ours, *theirs;
	struct asker a = { .m = metrics_new() };
	fake_env_pair(b->env, &ours, &theirs);
	a.chan = chan_new(&ours, &events, &a, PROCESS_TOOL, 0);
	switch_adopt_control(b->sw, theirs);
	chan_send(a.chan, MSG_METRICS, (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	assert_int_equal(a.ends, 1);
	assert_non_null(metrics_mta(a.m));
	assert_int_equal(metrics_links(a.m), 2);
	chan_free(&a.chan, false);
	fake_env_settle(b->env);
	return a.m;
}

static int64_t of_mta(struct bench *b, enum metric m)
{
	struct metrics *all = ask(b);
	const int64_t n = metrics_mta(all)->v[m].n;
	metrics_free(&all);
	return n;
}

static int64_t of_link(struct bench *b, const char *link, enum metric m)
{
	struct metrics *all = ask(b);
	const int64_t n = metrics_link_named(all, view_str(link))->v[m].n;
	metrics_free(&all);
	return n;
}

static struct bench *with_link(void)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	return b;
}

/* One message, two recipients behind one link: in, waiting, out. */
static void test_a_relayed_message_is_counted_on_both_sides(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C, TO_C2), VIEW("hello"))->accepted);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), 1);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_RECIPIENTS), 2);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_RECEIVED_OCTETS), 5);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_LAST_INBOUND), FAKE_WALL_MS);
	assert_int_equal(of_mta(b, METRIC_MTA_STORED_MESSAGES), 1);
	assert_int_equal(of_mta(b, METRIC_MTA_STORED_OCTETS), 5);
	assert_int_equal(of_link(b, "to-c", METRIC_LINK_STORED_RECIPIENTS), 2);
	fake_env_pass(b->env, 7000);
	assert_int_equal(of_link(b, "to-c", METRIC_LINK_OLDEST), 7000);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_OLDEST), METRIC_ABSENT);
	open_up(p);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 100); /* results are committed lazily */
	assert_int_equal(of_link(b, "to-c", METRIC_LINK_TRANSMITTED_MESSAGES), 1);
	assert_int_equal(of_link(b, "to-c", METRIC_LINK_TRANSMITTED_RECIPIENTS), 2);
	assert_int_equal(of_link(b, "to-c", METRIC_LINK_OUTBOUND_TOTAL), 1);
	assert_int_equal(of_mta(b, METRIC_MTA_STORED_MESSAGES), 0);
	assert_int_equal(of_link(b, "to-c", METRIC_LINK_OLDEST), METRIC_ABSENT);
	struct metrics *all = ask(b);
	const struct metric_histogram *h = metrics_link_named(all, VIEW("to-c"))->v[METRIC_LINK_DELAY].h;
	assert_int_equal(h->sum, 7000);
	metrics_free(&all);
	bench_free(b);
}

/* A crash takes back what was not on disk, and nothing of that was ever shown: who watches sees no counter go back. */
static void test_what_is_shown_is_durable(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x"))->accepted);
	store_disk_set_full(b->disk, true);
	put_offer(p, p->control, MSG_OFFER, ++b->next_offer, "to-a", LETTER(b, "2", TO_US), VIEW("x"));
	fake_env_settle(b->env);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), 1); /* the second lies in a group that is not durable */
	bench_leave(b, p);
	switch_free(&b->sw);
	fake_env_settle(b->env);
	store_disk_crashed(b->disk);
	store_disk_set_full(b->disk, false);
	bench_start(b);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), 1);
	assert_int_equal(of_mta(b, METRIC_MTA_DELIVERED), 1);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_RECEIVED_MESSAGES), 1);
	bench_join(b, p, PROCESS_LINK, 0);
	assert_true(offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"))->accepted);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), 2);
	bench_free(b);
}

static void test_refusals_and_failures_are_counted_with_their_reason(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	struct err why;
	err_set(&why, ERR_PEER, ERR_OF_ASSOCIATION, "another password");
	say_assoc(p, MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 7, "to-a", &why);
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C), VIEW("x"))->accepted);
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "nobody there");
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", &why);
	fake_env_pass(b->env, 1500);
	struct metrics *all = ask(b);
	const struct metric_set *a = metrics_link_named(all, VIEW("to-a")), *c = metrics_link_named(all, VIEW("to-c"));
	assert_int_equal(a->v[METRIC_LINK_INBOUND_REJECTED].n, 1);
	assert_true(view_eq(a->v[METRIC_LINK_REJECTION_REASON].words, VIEW("another password")));
	assert_int_equal(a->v[METRIC_LINK_INBOUND].n, 0);
	assert_int_equal(a->v[METRIC_LINK_UP].n, 1);
	assert_int_equal(c->v[METRIC_LINK_OUTBOUND_FAILED].n, 1);
	assert_true(view_eq(c->v[METRIC_LINK_FAILURE_REASON].words, VIEW("nobody there")));
	assert_int_equal(c->v[METRIC_LINK_UP].n, 0);
	assert_int_equal(c->v[METRIC_LINK_FAILURES].n, 1);
	assert_true(c->v[METRIC_LINK_RETRY].n > 0);
	metrics_free(&all);
	bench_free(b);
}

/* With no mail beside it, it waits a second for some, and then is durable by itself. */
static void test_what_no_group_was_open_for(void **state)
{
	(void)state;
	struct bench *b = with_link();
	say_assoc(&b->link[0], MSG_ASSOC_UP, MSG_INBOUND_BIT | 1, "to-a", NULL);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_INBOUND), 1);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_INBOUND_TOTAL), 0);
	fake_env_pass(b->env, 1100);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_INBOUND_TOTAL), 1);
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, "");
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_INBOUND_TOTAL), 1);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_INBOUND), 0);
	bench_free(b);
}

static void test_reports_loops_and_duplicates(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_NOBODY), VIEW("x"))->accepted);
	assert_true(offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"))->accepted);
	assert_true(offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"))->duplicate);
	struct message *m = LETTER(b, "3", TO_US);
	add_trace(b, m, domain_of("FR", "p"), "mta-p");
	add_trace(b, m, domain_of("GB", "a"), "mta-a");
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	fake_env_pass(b->env, 100);
	assert_int_equal(of_mta(b, METRIC_MTA_REPORTED), 2); /* nobody, and who was in the loop */
	assert_int_equal(of_mta(b, METRIC_MTA_DUPLICATES), 1);
	assert_int_equal(of_mta(b, METRIC_MTA_LOOPS), 1);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_LOOPS), 1);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), 3); /* a duplicate was received before */
	bench_free(b);
}

/* A text of the store that an older or a newer program has written: what is known is taken, the rest is nobody's. */
static void add_strange(struct bench *b, const char *name, const char *text)
{
	store_total_put(b->sw->store, view_str(name), view_str(text));
	store_commit(b->sw->store);
}

static void test_strange_totals_are_taken_as_far_as_they_are_known(void **state)
{
	(void)state;
	struct bench *b = with_link();
	add_strange(b, "mta", "received_messages 41 no_such_thing 7 received_bytes x transmitted_messages 99999999999999999999 loops_detected 3");
	add_strange(b, "link to-a", "received_messages");
	add_strange(b, "link nobody", "received_messages 5 ");
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, "");
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), 41);
	assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_OCTETS), 0);
	assert_int_equal(of_mta(b, METRIC_MTA_TRANSMITTED_MESSAGES), 0);
	assert_int_equal(of_mta(b, METRIC_MTA_LOOPS), 3);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_RECEIVED_MESSAGES), 0);
	bench_free(b);
}

/* The texts are a second old at most; what came since is in the short row, and a crash takes neither away. */
static void test_between_two_texts(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct player *p = &b->link[0];
	char id[8];
	for (int i = 0; i < 7; i++) {
		snprintf(id, sizeof id, "%d", i);
		assert_true(offer_of(p, "to-a", LETTER(b, id, TO_US), VIEW("x"))->accepted);
		fake_env_pass(b->env, 300);
		if (i % 2 == 0)
			continue;
		bench_leave(b, p);
		bench_switch_dies(b, "");
		assert_int_equal(of_mta(b, METRIC_MTA_RECEIVED_MESSAGES), i + 1);
		assert_int_equal(of_link(b, "to-a", METRIC_LINK_RECEIVED_OCTETS), i + 1);
		assert_int_equal(of_mta(b, METRIC_MTA_DELIVERED), i + 1);
		bench_join(b, p, PROCESS_LINK, 0);
	}
	bench_free(b);
}

/* All at once, with as many digits as there are, fits into a text of the store. */
static void test_the_longest_totals_fit(void **state)
{
	(void)state;
	struct bench *b = with_link();
	struct tally *tallies[] = { &b->sw->tallies.mta, &switch_link(b->sw, VIEW("to-a"))->tally };
	for (size_t t = 0; t < ARRAY_LEN(tallies); t++) {
		enum metric last = METRIC_COUNT;
		for (unsigned i = 0; i < METRIC_COUNT; i++)
			if (metric_kinds[i].scope == tallies[t]->scope && metric_kinds[i].type == METRIC_TOTAL) {
				tally_add(tallies[t], (enum metric)i, INT64_MAX);
				last = (enum metric)i;
			}
		tally_flush(b->sw);
		switch_commit(b->sw);
		assert_int_equal(tallies[t]->durable[last], INT64_MAX);
	}
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, "");
	assert_int_equal(of_mta(b, METRIC_MTA_QUARANTINES), INT64_MAX);
	assert_int_equal(of_link(b, "to-a", METRIC_LINK_PROBES_ANSWERED), INT64_MAX);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_relayed_message_is_counted_on_both_sides),
		cmocka_unit_test(test_what_is_shown_is_durable),
		cmocka_unit_test(test_refusals_and_failures_are_counted_with_their_reason),
		cmocka_unit_test(test_what_no_group_was_open_for),
		cmocka_unit_test(test_reports_loops_and_duplicates),
		cmocka_unit_test(test_strange_totals_are_taken_as_far_as_they_are_known),
		cmocka_unit_test(test_between_two_texts),
		cmocka_unit_test(test_the_longest_totals_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
