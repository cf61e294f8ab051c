/* suspect_test.c - what a process had in hand when it died: strikes, handled alone, quarantine; of a real switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

/* n letters for to-c wait, named "0", "1" ...; two link processes and the one for suspects are there. limits.strikes is 3. */
static struct bench *with_queue(size_t n)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	for (size_t i = 0; i < n; i++) {
		char id[8];
		snprintf(id, sizeof id, "%zu", i);
		assert_true(offer_of(&b->link[0], "to-a", LETTER(b, arena_str(b->a, view_str(id)), TO_C), VIEW("x"))->accepted);
	}
	bench_join(b, &b->link[1], PROCESS_LINK, 2);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	return b;
}

/* The process for suspects opens, gets one transfer, dies of it, is there again. */
static void alone_dies(struct bench *b, const char *id)
{
	struct player *p = &b->alone;
	open_up(p);
	assert_true(is_local_id(&last_transfer(p)->m, id));
	bench_dies(b, p, PROCESS_ALONE, 1, true, "transfer 1");
	bench_join(b, p, PROCESS_ALONE, 1);
}

/* It gets the two, one after the other, on one association, which ends then. */
static void alone_succeeds(struct bench *b, const char *first, const char *second)
{
	struct player *p = &b->alone;
	const char *ids[] = { first, second };
	const size_t opens = p->n_opens, closes = p->n_closes, transfers = p->n_transfers;
	open_up(p);
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		assert_int_equal(p->n_transfers, transfers + i + 1);
		assert_int_equal(p->n_closes, closes);
		assert_int_equal(counts_of(b).suspects, 2 - i);
		assert_true(is_local_id(&last_transfer(p)->m, ids[i]));
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	}
	assert_int_equal(p->n_opens, opens);
	assert_int_equal(p->n_closes, closes + 1);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
}

/* The report about it goes to its originator, at to-a, by the normal process. */
static const struct message *report_at(struct player *p)
{
	assert_true(view_eq(p->opens[p->n_opens - 1].link, VIEW("to-a")));
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	return &last_transfer(p)->m;
}

static uint64_t kept(struct bench *b)
{
	uint64_t ids[10];
	return store_quarantine_next(b->sw->store, STORE_QUARANTINE_KEPT, 0, ids, 10);
}

static struct store_quarantine quarantined(struct bench *b)
{
	struct store_quarantine q;
	uint64_t id;
	struct err e;
	assert_int_equal(store_quarantine_next(b->sw->store, STORE_QUARANTINE_KEPT, 0, &id, 1), 1);
	assert_true(store_load_quarantine(b->sw->store, id, &q, b->a, &e));
	return q;
}

static void test_k151669_a_process_that_dies_with_a_message_in_hand_blocks_nobody(void **state)
{
	(void)state;
	struct bench *b = with_queue(4);
	struct player *p = &b->link[0], *q = &b->link[1];
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	bench_dies(b, p, PROCESS_LINK, 1, true, "");
	/* The others go on at once, in the other process; the two are not among them. */
	open_up(q);
	assert_int_equal(q->n_transfers, 2);
	assert_true(is_local_id(&q->transfers[0].m, "2"));
	assert_true(is_local_id(&q->transfers[1].m, "3"));
	assert_int_equal(counts_of(b).suspects, 2);
	/* One at a time, on an association of their own; without harm each is a suspect no more. */
	assert_int_equal(b->alone.n_opens, 1);
	alone_succeeds(b, "0", "1");
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(counts_of(b).transfers, 2);
	assert_int_equal(q->n_transfers, 2);
	bench_free(b);
}

static void test_k151669_a_message_that_kills_ends_in_quarantine_and_is_reported(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0], *q = &b->link[1];
	open_up(p);
	bench_dies(b, p, PROCESS_LINK, 1, true, "");
	alone_dies(b, "0");
	assert_int_equal(kept(b), 0);
	alone_dies(b, "0");
	assert_int_equal(kept(b), 1);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(b->alone.n_opens, 0);
	const struct store_quarantine row = quarantined(b);
	assert_int_equal(row.strikes, 3);
	assert_false(row.octets);
	assert_true(view_eq(row.link, VIEW("to-c")));
	assert_true(view_eq(row.words, VIEW("link-1 died of signal 11")));
	const struct message *report = report_at(q);
	assert_int_equal(report->n_rcpt, 1);
	assert_int_equal(report->rcpt[0].reason, 0); /* X.411 8.2.1.4: transfer-failure */
	assert_int_equal(report->rcpt[0].diagnostic, -1);
	assert_int_equal(counts_of(b).transfers, 1); /* the report */
	bench_free(b);
}

static void test_strikes_are_durable(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0];
	open_up(p);
	bench_dies(b, p, PROCESS_LINK, 1, true, "");
	bench_leave(b, &b->link[1]);
	bench_leave(b, &b->alone);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, p, PROCESS_LINK, 1);
	assert_int_equal(p->n_opens, 0); /* they are not first in line again */
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	alone_succeeds(b, "0", "1");
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(counts_of(b).suspects, 0);
	bench_free(b);
}

static void test_without_a_word_nothing_is_struck(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0], *q = &b->link[1];
	open_up(p);
	bench_leave(b, p);
	fake_env_pass(b->env, PEER_WORD_MS - 1);
	assert_int_equal(q->n_opens, 0);
	fake_env_pass(b->env, 1);
	open_up(q);
	assert_int_equal(q->n_transfers, 2);
	assert_true(is_local_id(&q->transfers[0].m, "0"));
	assert_int_equal(counts_of(b).suspects, 0);
	bench_free(b);
}

/* The supervisor may speak before the switch reads the end of the streams. */
static void test_a_word_that_comes_first(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0];
	open_up(p);
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "signal 6", "");
	fake_env_settle(b->env);
	assert_true(p->closed > 0);
	assert_int_equal(counts_of(b).suspects, 1);
	assert_int_equal(b->alone.n_opens, 1);
	bench_free(b);
}

static void test_all_transfers_of_a_suspect_go_alone(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0], *q = &b->link[1];
	struct message *m = LETTER(b, "both", TO_C, FROM_A);
	struct err e;
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	assert_true(oraddr_parse(VIEW(TO_US), &m->originator, b->a, ORADDR_GENERATE, &e));
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
	assert_int_equal(p->n_opens + q->n_opens, 2); /* to-c and to-a */
	struct player *to_c = view_eq(p->opens[0].link, VIEW("to-c")) ? p : q, *other = to_c == p ? q : p;
	open_up(to_c);
	assert_int_equal(to_c->n_transfers, 1);
	bench_dies(b, to_c, PROCESS_LINK, to_c == p ? 1 : 2, true, "");
	open_up(other); /* to-a: it waited in the window */
	assert_int_equal(other->n_transfers, 0);
	for (int i = 0; i < 2; i++) {
		struct player *a = &b->alone;
		open_up(a);
		say_result(a, last_transfer(a)->transfer, ERR_NONE, 0);
		say_assoc(a, MSG_ASSOC_DOWN, last_open(a), arena_str(b->a, a->opens[a->n_opens - 1].link), NULL);
	}
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(counts_of(b).suspects, 0);
	bench_free(b);
}

static void test_a_link_that_cannot_be_reached_holds_up_no_other_suspect(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0], *a = &b->alone;
	assert_true(offer_of(p, "to-c", LETTER(b, "a", FROM_A), VIEW("x"))->accepted);
	open_up(p);
	for (size_t i = 0; i < p->n_opens; i++)
		if (i + 1 < p->n_opens || b->link[1].n_opens == 0)
			open_up(p);
	if (b->link[1].n_opens > 0)
		open_up(&b->link[1]);
	bench_dies(b, p, PROCESS_LINK, 1, true, "");
	bench_dies(b, &b->link[1], PROCESS_LINK, 2, true, "");
	assert_int_equal(counts_of(b).suspects, 2);
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "refused");
	const struct view first = a->opens[0].link;
	say_assoc(a, MSG_ASSOC_DOWN, last_open(a), arena_str(b->a, first), &why);
	assert_int_equal(a->n_opens, 2);
	assert_false(view_eq(a->opens[1].link, first));
	open_up(a);
	say_result(a, last_transfer(a)->transfer, ERR_NONE, 0);
	say_assoc(a, MSG_ASSOC_DOWN, last_open(a), arena_str(b->a, a->opens[1].link), NULL);
	assert_int_equal(a->n_opens, 2);
	fake_env_pass(b->env, 12 * 1000); /* open-interval is 10 s */
	assert_int_equal(a->n_opens, 3);
	assert_true(view_eq(a->opens[2].link, first));
	bench_free(b);
}

/* The peer is asked again as often as for any other message. */
static void test_a_suspect_that_the_peer_refuses_is_reported_in_the_end(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0], *a = &b->alone;
	bench_leave(b, &b->link[1]);
	assert_true(offer_of(p, "to-c", LETTER(b, "0", FROM_A), VIEW("x"))->accepted); /* to-a: max-transfer-retries 2 */
	open_up(p);
	bench_dies(b, p, PROCESS_LINK, 1, true, "");
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(a->n_opens, i);
		open_up(a);
		say_result(a, last_transfer(a)->transfer, ERR_TEMP, ERR_OF_MESSAGE);
		say_assoc(a, MSG_ASSOC_DOWN, last_open(a), "to-a", NULL);
		fake_env_pass(b->env, 60 * 1000);
	}
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(counts_of(b).quarantined, 0);
	assert_int_equal(counts_of(b).transfers, 1); /* the report, at its own link */
	bench_free(b);
}

/* The classic (out of buffer space, answered as temporary): a failure of our own that comes each time. */
static void test_k237182_a_failure_of_our_own_that_comes_again_is_bounded(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0], *a = &b->alone;
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_LOCAL, ERR_OF_MESSAGE);
	assert_int_equal(counts_of(b).suspects, 0); /* once is chance: it waits for its interval */
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 200 * 1000);
	assert_int_equal(p->n_transfers, 3);
	say_result(p, p->transfers[2].transfer, ERR_LOCAL, ERR_OF_MESSAGE);
	assert_int_equal(counts_of(b).suspects, 1);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(a->n_opens, i);
		open_up(a);
		say_result(a, last_transfer(a)->transfer, ERR_LOCAL, ERR_OF_MESSAGE);
		say_assoc(a, MSG_ASSOC_DOWN, last_open(a), "to-c", NULL);
	}
	assert_int_equal(kept(b), 1);
	assert_true(view_eq(quarantined(b).words, VIEW("as the test says")));
	assert_int_equal(report_at(&b->link[1])->rcpt[0].reason, 0);
	bench_free(b);
}

static void lose(struct player *p, uint64_t transfer)
{
	say_result(p, transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", NULL);
	fake_env_pass(p->b->env, 1);
}

/* While others get through, the one that loses its association each time counts as refused; when nothing does, it is the link. */
static void test_k237182_a_message_that_ends_associations_is_charged(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	bench_leave(b, &b->link[1]);
	assert_true(offer_of(p, "to-c", LETTER(b, "bad", FROM_A), VIEW("x"))->accepted);
	unsigned tries = 0, good = 0;
	for (unsigned round = 0; round < 40 && counts_of(b).transfers > 0; round++) {
		char id[8];
		snprintf(id, sizeof id, "g%u", round);
		if (round < 20)
			assert_true(offer_of(p, "to-c", LETTER(b, arena_str(b->a, view_str(id)), FROM_A), VIEW("x"))->accepted);
		if (view_eq(p->opens[p->n_opens - 1].link, VIEW("to-c")))
			break; /* the report */
		const size_t before = p->n_transfers;
		open_up(p);
		for (size_t i = before; i < p->n_transfers; i++) {
			if (is_local_id(&p->transfers[i].m, "bad"))
				continue;
			say_result(p, p->transfers[i].transfer, ERR_NONE, 0);
			good++;
		}
		for (size_t i = before; i < p->n_transfers; i++)
			if (is_local_id(&p->transfers[i].m, "bad")) {
				tries++;
				lose(p, p->transfers[i].transfer);
				break;
			}
		if (p->n_opens > 0 && tries % LOSSES_MAX == 0)
			fake_env_pass(b->env, 60 * 1000);
	}
	assert_in_range(tries, 9, 9); /* LOSSES_MAX for each of the first attempt and max-transfer-retries 2 */
	assert_true(good > 0);
	bench_free(b);
}

static void test_a_process_that_says_nothing_is_ended(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0];
	open_up(p);
	fake_env_pass(b->env, 2000 * 1000); /* the timeout of one begun K of a normal message */
	assert_int_equal(b->n_accused, 0);
	fake_env_pass(b->env, (60 + 30) * 1000);
	assert_int_equal(b->n_accused, 1);
	assert_int_equal(b->accused, PROCESS_LINK);
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "it made no progress", "");
	fake_env_settle(b->env);
	assert_int_equal(counts_of(b).suspects, 1);
	assert_int_equal(b->alone.n_opens, 1);
	bench_free(b);
}

static void test_a_process_that_talks_nonsense_is_ended(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0];
	open_up(p);
	chan_send(p->control, MSG_TRANSFER_RESULT, VIEW("nonsense"));
	fake_env_settle(b->env);
	assert_int_equal(b->n_accused, 1);
	fake_env_pass(b->env, PEER_WORD_MS); /* even without a word it is known why */
	assert_int_equal(counts_of(b).suspects, 1);
	bench_free(b);
}

/* k142257: a corrupt object at the head of a queue; k159305, k247618: the whole queue waited behind it, and nothing could delete it. */
static void test_k142257_k159305_k247618_a_damaged_row_at_the_head_is_set_aside(void **state)
{
	(void)state;
	struct bench *b = with_queue(3);
	struct player *p = &b->link[0], *q = &b->link[1];
	struct store_place place = { 0 };
	struct store_queued row;
	assert_int_equal(store_queue_next(b->sw->store, VIEW("to-c"), PRIORITY_NORMAL, FAKE_WALL_MS + 1000, &place, &row, 1), 1);
	store_disk_damage(b->disk, row.message);
	bench_leave(b, p);
	bench_leave(b, q);
	switch_free(&b->sw); /* what it has in memory is good */
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, p, PROCESS_LINK, 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_true(is_local_id(&p->transfers[0].m, "1"));
	assert_true(is_local_id(&p->transfers[1].m, "2"));
	assert_int_equal(kept(b), 1);
	assert_int_equal(quarantined(b).strikes, 0);
	assert_int_equal(counts_of(b).transfers, 2); /* no report: nobody can say to whom */
	assert_int_equal(counts_of(b).suspects, 0);
	store_quarantine_remove(b->sw->store, row.transfer);
	assert_int_equal(counts_of(b).quarantined, 0);
	bench_free(b);
}

/* --- the switch itself --- */

static void all_leave(struct bench *b)
{
	struct player *all[] = { &b->link[0], &b->link[1], &b->alone, &b->tool };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i]->control != NULL)
			bench_leave(b, all[i]);
}

static void test_what_the_switch_dies_of_is_noted(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	open_up(&b->link[0]);
	char wanted[40];
	snprintf(wanted, sizeof wanted, "transfer %llu", (unsigned long long)b->link[0].transfers[0].stored);
	assert_string_equal(b->note, wanted);
	bench_free(b);
}

static void test_k151669_a_message_that_kills_the_switch(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	char note[40];
	open_up(&b->link[0]);
	snprintf(note, sizeof note, "transfer %llu", (unsigned long long)b->link[0].transfers[0].stored);
	for (int i = 0; i < 2; i++) {
		all_leave(b);
		bench_switch_dies(b, note);
		assert_int_equal(counts_of(b).suspects, 1);
		assert_int_equal(kept(b), 0);
		bench_join(b, &b->link[0], PROCESS_LINK, 1);
		open_up(&b->link[0]); /* the other one goes on */
		assert_int_equal(b->link[0].n_transfers, 1);
		assert_true(is_local_id(&b->link[0].transfers[0].m, "1"));
		bench_join(b, &b->alone, PROCESS_ALONE, 1);
		assert_int_equal(b->alone.n_opens, 1);
	}
	all_leave(b);
	bench_switch_dies(b, note);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_int_equal(kept(b), 1);
	assert_int_equal(quarantined(b).strikes, 3);
	assert_int_equal(report_at(&b->link[0])->rcpt[0].reason, 0);
	bench_free(b);
}

/* What is expired is loaded to be reported: it is not, when the switch has died of that too often. */
static void dies_of_expiring(struct bench *b, const char *queue)
{
	struct store_place place = { 0 };
	struct store_queued row;
	char note[40];
	struct store *store = b->sw->store;
	assert_int_equal(store_queue_next(store, VIEW("to-c"), PRIORITY_NORMAL, STORE_NEVER - 1, &place, &row, 1), 1);
	if (*queue != 0)
		store_transfer_move(store, row.transfer, view_str(queue), 0, (struct view){NULL, 0});
	else
		store_transfer_retry(store, row.transfer, env_wall_ms(b->env) + (wall_ms_t)100 * 3600 * 1000, 1, "later");
	store_commit(store);
	snprintf(note, sizeof note, "transfer %llu", (unsigned long long)row.transfer);
	for (int i = 0; i < 3; i++) {
		all_leave(b);
		bench_switch_dies(b, note);
	}
	fake_env_pass(b->env, *queue != 0 ? 1000 : (2 * 3600 + 120) * 1000); /* expiry.normal is 2 h; what is in the queue of no link is placed again at once */
	assert_int_equal(kept(b), 1);
	assert_int_equal(quarantined(b).strikes, 3);
	assert_int_equal(counts_of(b).suspects, 0);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_int_equal(report_at(&b->link[0])->rcpt[0].reason, 0); /* transfer-failure */
}

static void test_expired_in_no_window_it_kills_the_switch(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	dies_of_expiring(b, "");
	bench_free(b);
}

static void test_placed_again_from_the_queue_of_no_link_it_kills_the_switch(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	dies_of_expiring(b, "old");
	bench_free(b);
}

/* Its report kills the switch as well: it is kept, and the report given up. */
static void test_a_report_that_kills_the_switch_is_given_up(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	char note[40];
	open_up(&b->link[0]);
	const unsigned long long id = b->link[0].transfers[0].stored;
	all_leave(b);
	snprintf(note, sizeof note, "transfer %llu", id);
	for (int i = 0; i < 2; i++)
		bench_switch_dies(b, note);
	snprintf(note, sizeof note, "quarantine %llu", id);
	bench_switch_dies(b, note);
	assert_int_equal(kept(b), 1);
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(b->note[0], 0); /* it was not loaded */
	bench_switch_dies(b, "");
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

/* A switch that is ended between the two groups makes the report when it is there again. */
static void test_a_report_that_is_owed_is_made(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	open_up(&b->link[0]);
	const uint64_t id = b->link[0].transfers[0].stored;
	char owed[40];
	snprintf(owed, sizeof owed, "quarantine %llu", (unsigned long long)id);
	all_leave(b);
	fake_env_pass(b->env, PEER_WORD_MS);
	store_transfer_quarantine(b->sw->store, id, 3, "why", "words");
	store_suspect_put(b->sw->store, owed, 1, "why");
	store_commit(b->sw->store);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	fake_env_settle(b->env);
	assert_int_equal(counts_of(b).suspects, 0);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_int_equal(report_at(&b->link[0])->rcpt[0].reason, 0);
	bench_free(b);
}

static void test_k151669_a_submission_that_kills_the_switch_is_refused_in_the_end(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct message *m = LETTER(b, "", TO_US);
	m->trace.n = m->internal_trace.n = 0;
	char note[200];
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
	assert_memory_equal(b->note, "input  ", 7); /* submitted: no link */
	snprintf(note, sizeof note, "%s", b->note);
	for (int i = 0; i < 3; i++) {
		all_leave(b);
		bench_switch_dies(b, note);
	}
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	const struct msg_answer *answer = offer_of(&b->tool, "", m, VIEW("x"));
	assert_false(answer->accepted);
	assert_int_equal(answer->err.kind, ERR_PERM);
	m = LETTER(b, "", TO_US);
	m->content_id = VIEW("another");
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
	bench_free(b);
}

/* What was given out before the switch died is struck by what the link noted. */
static void test_a_link_that_outlived_its_switch_dies_of_a_transfer(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	char note[40];
	open_up(&b->link[0]);
	snprintf(note, sizeof note, "transfer %llu", (unsigned long long)b->link[0].transfers[0].stored);
	all_leave(b);
	bench_switch_dies(b, "");
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "signal 11", note);
	fake_env_settle(b->env);
	assert_int_equal(counts_of(b).suspects, 1);
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "signal 11", "transfer 4711"); /* names nothing of ours */
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "signal 11", "input nowhere 0123456789abcdef");
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "signal 11", "input to-a xyz");
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "signal 11", "transfer");
	fake_env_settle(b->env);
	assert_int_equal(counts_of(b).suspects, 1);
	bench_free(b);
}

/* Those that do not fit in memory stay in the store, and have their turn. */
static void test_more_suspects_than_are_kept_in_memory(void **state)
{
	(void)state;
	enum { N = ALONE_MAX + 50 };
	struct bench *b = bench_new();
	struct player *p = &b->link[0], *a = &b->alone;
	bench_join(b, p, PROCESS_LINK, 1);
	struct message *m = LETTER(b, "", TO_C);
	for (unsigned i = 0; i < N; i++) {
		char id[8], key[40];
		snprintf(id, sizeof id, "%u", i);
		m->id.local = view_str(id);
		assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
		p->n_answers = 0;
		snprintf(key, sizeof key, "message %u", i);
	}
	struct order *o;
	for (size_t i = 0; (o = map_next(&b->sw->orders, &i)) != NULL;)
		store_suspect_put(b->sw->store, suspect_key("message", o->message).text, 1, "words");
	struct store_place place = { 0 };
	static struct store_queued rows[N];
	const size_t n = store_queue_next(b->sw->store, VIEW("to-c"), PRIORITY_NORMAL, FAKE_WALL_MS + 1000, &place, rows, N);
	assert_int_equal(n, N);
	for (size_t i = 0; i < n; i++)
		store_suspect_put(b->sw->store, suspect_key("message", rows[i].message).text, 1, "words");
	store_commit(b->sw->store);
	bench_leave(b, p);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, p, PROCESS_LINK, 1);
	bench_join(b, a, PROCESS_ALONE, 1);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(a->n_opens, 1);
		a->n_opens = a->n_transfers = a->n_closes = 0;
		const uint64_t assoc = a->opens[0].assoc;
		say_assoc(a, MSG_ASSOC_UP, assoc, "to-c", NULL);
		assert_int_equal(a->n_transfers, 1);
		say_result(a, a->transfers[0].transfer, ERR_NONE, 0);
		say_assoc(a, MSG_ASSOC_DOWN, assoc, "to-c", NULL);
	}
	assert_int_equal(p->n_opens, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(counts_of(b).suspects, 0);
	bench_free(b);
}

static void test_a_delivery_that_kills_the_switch_is_not_shown(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	for (int i = 0; i < 3; i++)
		switch_peer_died(b->sw, PROCESS_SWITCH, 1, true, "signal 11", "delivery 5");
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	const struct msg_render m = { .id = 1, .delivery = 5, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(b->tool.control, MSG_SHOW_MAIL), &m);
	chan_end(b->tool.control);
	b->note[0] = 0;
	fake_env_settle(b->env);
	assert_int_equal(b->tool.n_shown, 1);
	assert_int_equal(b->tool.shown.err.kind, ERR_PERM);
	assert_int_equal(b->note[0], 0);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k151669_a_process_that_dies_with_a_message_in_hand_blocks_nobody),
		cmocka_unit_test(test_k151669_a_message_that_kills_ends_in_quarantine_and_is_reported),
		cmocka_unit_test(test_strikes_are_durable),
		cmocka_unit_test(test_without_a_word_nothing_is_struck),
		cmocka_unit_test(test_a_word_that_comes_first),
		cmocka_unit_test(test_all_transfers_of_a_suspect_go_alone),
		cmocka_unit_test(test_a_link_that_cannot_be_reached_holds_up_no_other_suspect),
		cmocka_unit_test(test_a_suspect_that_the_peer_refuses_is_reported_in_the_end),
		cmocka_unit_test(test_k237182_a_failure_of_our_own_that_comes_again_is_bounded),
		cmocka_unit_test(test_k237182_a_message_that_ends_associations_is_charged),
		cmocka_unit_test(test_a_process_that_says_nothing_is_ended),
		cmocka_unit_test(test_a_process_that_talks_nonsense_is_ended),
		cmocka_unit_test(test_k142257_k159305_k247618_a_damaged_row_at_the_head_is_set_aside),
		cmocka_unit_test(test_what_the_switch_dies_of_is_noted),
		cmocka_unit_test(test_k151669_a_message_that_kills_the_switch),
		cmocka_unit_test(test_expired_in_no_window_it_kills_the_switch),
		cmocka_unit_test(test_placed_again_from_the_queue_of_no_link_it_kills_the_switch),
		cmocka_unit_test(test_a_report_that_kills_the_switch_is_given_up),
		cmocka_unit_test(test_a_report_that_is_owed_is_made),
		cmocka_unit_test(test_k151669_a_submission_that_kills_the_switch_is_refused_in_the_end),
		cmocka_unit_test(test_a_link_that_outlived_its_switch_dies_of_a_transfer),
		cmocka_unit_test(test_more_suspects_than_are_kept_in_memory),
		cmocka_unit_test(test_a_delivery_that_kills_the_switch_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
