/* dispatch_test.c - queues at work: order, results, dead peers and dead link processes, of a real switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

/* n letters for to-c wait, named "0", "1" ...; the first link process is told to open. */
static struct bench *with_queue(size_t n)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	for (size_t i = 0; i < n; i++) {
		char id[8];
		snprintf(id, sizeof id, "%zu", i);
		assert_true(offer_of(&b->link[0], "to-a", LETTER(b, arena_str(b->a, view_str(id)), TO_C), VIEW("x"))->accepted);
	}
	return b;
}

static struct err error_of(enum err_kind kind, enum err_culprit culprit)
{
	struct err e;
	err_set(&e, kind, culprit, "as the test says");
	return e;
}

static void refuse_open(struct player *p)
{
	const struct err why = error_of(ERR_TEMP, ERR_OF_LINK);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", &why);
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

static void test_urgent_overtakes(void **state)
{
	(void)state;
	struct bench *b = with_queue(3);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "urgent", TO_C);
	m->priority = PRIORITY_URGENT;
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	open_up(p);
	assert_true(is_local_id(&p->transfers[0].m, "urgent"));
	assert_true(is_local_id(&p->transfers[1].m, "0"));
	assert_int_equal(p->n_transfers, 2); /* an association holds two */
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	assert_int_equal(p->n_transfers, 3);
	assert_true(is_local_id(&p->transfers[2].m, "1"));
	bench_free(b);
}

static void test_what_was_taken_is_gone_for_good(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0];
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0); /* told twice: nothing more happens */
	assert_int_equal(counts_of(b).transfers, 1);
	fake_env_pass(b->env, 20); /* results ride with the next group, or go after so long */
	bench_leave(b, p);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	bench_start(b);
	bench_join(b, p, PROCESS_LINK, 1);
	assert_int_equal(p->n_opens, 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	assert_true(is_local_id(&p->transfers[0].m, "1"));
	bench_free(b);
}

static void test_an_association_lost_costs_no_attempt_and_keeps_the_order(void **state)
{
	(void)state;
	struct bench *b = with_queue(3);
	struct player *p = &b->link[0];
	for (unsigned i = 0; i < 4; i++) { /* more often than max-transfer-retries */
		open_up(p);
		assert_int_equal(p->n_transfers, 2 * (i + 1));
		assert_true(is_local_id(&p->transfers[2 * i].m, "0"));
		assert_true(is_local_id(&p->transfers[2 * i + 1].m, "1"));
		refuse_open(p); /* the association ends with both in flight */
		fake_env_pass(b->env, 60 * 1000);
	}
	assert_int_equal(counts_of(b).transfers, 3);
	assert_int_equal(status_of(b, "to-c")->in_flight, 0);
	bench_free(b);
}

static void test_a_result_that_charges_the_association_is_uncounted(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0];
	open_up(p);
	const uint64_t first = last_open(p);
	say_result(p, p->transfers[0].transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	assert_int_equal(p->n_closes, 1); /* it gets nothing more and is to end */
	assert_int_equal(p->closes[0], first);
	assert_int_equal(p->n_transfers, 2);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	say_assoc(p, MSG_ASSOC_DOWN, first, "to-c", NULL);
	assert_int_equal(p->n_opens, 2);
	open_up(p);
	assert_int_equal(p->n_transfers, 3);
	assert_true(is_local_id(&p->transfers[2].m, "0"));
	bench_free(b);
}

static void test_what_comes_late_of_an_attempt_is_not_taken_for_the_next(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0];
	open_up(p);
	const uint64_t first = p->transfers[0].transfer;
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_true(p->transfers[1].transfer != first);
	say_result(p, first, ERR_TEMP, ERR_OF_ASSOCIATION); /* crossed the order: was about the first association */
	assert_int_equal(p->n_closes, 0);
	assert_int_equal(p->n_transfers, 2);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_a_permanent_failure_is_reported_at_once(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0];
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_PERM, ERR_OF_MESSAGE);
	assert_int_equal(counts_of(b).transfers, 2); /* the other one, and the report for to-a */
	assert_true(view_eq(p->opens[p->n_opens - 1].link, VIEW("to-a")));
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_true(mts_id_eq(&last_transfer(p)->m.subject_id, &p->transfers[0].m.id));
	bench_free(b);
}

/* The classic: a temporary answer for a cause that cannot change, tried for ever. */
static void test_k237182_a_temporary_failure_ends_in_a_report(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "bad", FROM_A);
	struct err e;
	assert_true(oraddr_parse(VIEW(TO_C), &m->originator, b->a, ORADDR_GENERATE, &e));
	assert_true(offer_of(p, "to-c", m, VIEW("x"))->accepted); /* for to-a, which tries twice again */
	assert_true(offer_of(p, "to-c", LETTER(b, "good", FROM_A), VIEW("x"))->accepted);
	open_up(p);
	unsigned tries = 0;
	for (size_t i = 0; i < p->n_transfers; i++) { /* the loop sees what is handed over while it runs */
		const bool bad = is_local_id(&p->transfers[i].m, "bad");
		tries += bad;
		say_result(p, p->transfers[i].transfer, bad ? ERR_TEMP : ERR_NONE, ERR_OF_MESSAGE);
		if (i == 1) /* while it waits for its interval, the other one has gone */
			assert_int_equal(counts_of(b).transfers, 1);
		fake_env_pass(b->env, 60 * 1000);
	}
	assert_int_equal(tries, 3); /* the first attempt and max-transfer-retries: 2 */
	assert_true(view_eq(p->opens[p->n_opens - 1].link, VIEW("to-c")));
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(p)->m.rcpt[0].reason, 0); /* transfer-failure */
	bench_free(b);
}

static void test_expiry_is_reported(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0];
	bench_leave(b, p); /* nobody is there to try */
	fake_env_pass(b->env, 2 * 3600 * 1000 - 1000); /* expiry.normal is 2 h */
	assert_int_equal(counts_of(b).transfers, 1);
	fake_env_pass(b->env, 61 * 1000);
	bench_join(b, p, PROCESS_LINK, 1);
	assert_int_equal(p->n_opens, 1);
	assert_true(view_eq(p->opens[p->n_opens - 1].link, VIEW("to-a")));
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(p)->m.rcpt[0].reason, 1);
	assert_int_equal(last_transfer(p)->m.rcpt[0].diagnostic, 5); /* maximum-time-expired */
	bench_free(b);
}

/* max-open-retries of to-a is 3: the first attempt and three more. What comes meanwhile has as many of its own. */
static void test_a_link_that_cannot_be_opened(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	assert_true(offer_of(p, "to-c", LETTER(b, "old", FROM_A), VIEW("x"))->accepted);
	const struct err why = error_of(ERR_TEMP, ERR_OF_LINK);
	for (unsigned i = 1; i <= 4; i++) {
		assert_int_equal(p->n_opens, i);
		if (i == 4)
			assert_true(offer_of(p, "to-c", LETTER(b, "new", FROM_A), VIEW("x"))->accepted);
		say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", &why);
		assert_string_equal(arena_str(b->a, status_of(b, "to-a")->state), "waiting");
		if (i < 4)
			fake_env_pass(b->env, 50 * 1000);
	}
	/* The old one was reported: its originator is at to-a too, so the report waits there beside the new one. */
	assert_int_equal(counts_of(b).transfers, 2);
	fake_env_pass(b->env, 50 * 1000);
	open_up(p);
	assert_int_equal(p->transfers[0].m.kind, MESSAGE_REPORT);
	assert_int_equal(p->transfers[0].m.rcpt[0].reason, 0);
	assert_true(is_local_id(&p->transfers[1].m, "new"));
	bench_free(b);
}

/* A switch whose windows hold eight entries at most. */
static struct bench *with_small_windows(void)
{
	struct bench *b = bench_new();
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	b->settings.limits.memory = 4 * 1024;
	bench_start(b);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	return b;
}

/* By that link, of an originator who is there. */
static void offer_many(struct bench *b, const char *from, unsigned n, const char *to)
{
	struct err e;
	struct message *m = LETTER(b, "", to);
	if (strcmp(from, "to-c") == 0)
		assert_true(oraddr_parse(VIEW(TO_C), &m->originator, b->a, ORADDR_GENERATE, &e));
	for (unsigned i = 0; i < n; i++) {
		char id[32];
		snprintf(id, sizeof id, "%s-%u", from, i);
		m->id.local = view_str(id);
		m->priority = (enum priority)(i % PRIORITY_COUNT);
		assert_true(offer_of(&b->link[0], from, m, VIEW("x"))->accepted);
		b->link[0].n_answers = 0;
	}
}

/* What lies in the store only, behind a window, expires too. */
static void test_expiry_reaches_the_whole_queue(void **state)
{
	(void)state;
	struct bench *b = with_small_windows();
	struct player *p = &b->link[0];
	offer_many(b, "to-a", 200, TO_C);
	bench_leave(b, p);
	fake_env_pass(b->env, 3 * 3600 * 1000 - 60 * 1000); /* expiry.urgent, normal, non-urgent: 1, 2, 3 h */
	assert_int_equal(status_of(b, "to-c")->queued, 200 / 3 + 1); /* 0, 3, ... 198 are non-urgent */
	bench_join(b, p, PROCESS_LINK, 2);
	assert_true(offer_of(p, "to-a", LETTER(b, "late", TO_C), VIEW("x"))->accepted); /* not yet */
	bench_leave(b, p);
	fake_env_pass(b->env, 3 * 60 * 1000);
	assert_int_equal(status_of(b, "to-c")->queued, 1);
	assert_int_equal(status_of(b, "to-a")->queued, 200 / 3 + 1); /* the reports; those about the others have expired themselves */
	bench_free(b);
}

/* One that waits for its next attempt is in no window. */
static void test_expiry_reaches_what_waits_for_its_time(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C);
	m->latest_delivery = FAKE_WALL_MS + 30 * 1000;
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	open_up(p);
	say_result(p, p->transfers[0].transfer, ERR_TEMP, ERR_OF_MESSAGE); /* transfer-interval of to-c is 120 s */
	fake_env_pass(b->env, 61 * 1000);
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(status_of(b, "to-c")->queued, 0);
	assert_int_equal(status_of(b, "to-a")->queued, 1);
	bench_free(b);
}

/* What is in somebody's hands is not taken away from them: the result decides. */
static void test_expiry_waits_for_what_is_in_flight(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "1", TO_C);
	m->latest_delivery = FAKE_WALL_MS + 30 * 1000;
	assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	fake_env_pass(b->env, 61 * 1000);
	assert_int_equal(status_of(b, "to-c")->queued, 1);
	assert_int_equal(status_of(b, "to-a")->queued, 0);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

/* The link was taken out of the settings with mail in its queue: its originators hear of it. */
static void test_expiry_reaches_queues_without_a_link(void **state)
{
	(void)state;
	struct bench *b = with_queue(3);
	struct err e;
	static const char without[] =
		"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n"
		"links:\n  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n"
		"routes:\n  - match: \"C=GB; A=SIM; P=a\"\n    to: to-a\n";
	bench_leave(b, &b->link[0]);
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	if (!settings_load(view_str(without), "test", &b->settings, b->a, &e))
		fail_msg("%s", e.text);
	bench_start(b);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	fake_env_pass(b->env, 2 * 3600 * 1000 + 61 * 1000);
	assert_int_equal(status_of(b, "to-a")->queued, 3);
	assert_int_equal(counts_of(b).transfers, 3);
	open_up(&b->link[0]);
	assert_int_equal(last_transfer(&b->link[0])->m.rcpt[0].diagnostic, 5);
	bench_free(b);
}

/* The whole queue of a link that cannot be opened, not only what is in memory; what came after the first failure stays. */
static void test_a_link_that_cannot_be_opened_gives_up_its_whole_queue(void **state)
{
	(void)state;
	struct bench *b = with_small_windows();
	struct player *p = &b->link[0];
	offer_many(b, "to-c", 170, FROM_A);
	const struct err why = error_of(ERR_TEMP, ERR_OF_LINK);
	for (unsigned i = 1; i <= 4; i++) { /* max-open-retries of to-a is 3 */
		if (i == 3)
			offer_many(b, "to-c", 175, FROM_A); /* 170 are known, five are new */
		say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", &why);
		if (i < 4)
			fake_env_pass(b->env, 50 * 1000);
	}
	fake_env_pass(b->env, 1000);
	assert_int_equal(status_of(b, "to-a")->queued, 5);
	assert_int_equal(status_of(b, "to-c")->queued, 170);
	bench_free(b);
}

/* It is reached while its queue is being given up: the rest goes out. */
static void test_giving_up_ends_when_the_link_opens(void **state)
{
	(void)state;
	struct bench *b = with_small_windows();
	struct player *p = &b->link[0];
	offer_many(b, "to-c", 170, FROM_A);
	const struct err why = error_of(ERR_TEMP, ERR_OF_LINK);
	for (unsigned i = 1; i <= 4; i++) {
		say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", &why);
		if (i < 4)
			fake_env_pass(b->env, 50 * 1000);
	}
	const uint64_t left = status_of(b, "to-a")->queued; /* the first slice has gone */
	assert_int_equal(left, 120);
	say_assoc(p, MSG_ASSOC_UP, MSG_INBOUND_BIT | 1, "to-a", NULL); /* it calls: the attempt need not wait */
	open_up(p);
	fake_env_pass(b->env, 10 * 1000);
	assert_int_equal(status_of(b, "to-a")->queued, left);
	bench_free(b);
}

/* Steps are forgotten as fast as they have come, not some with each sweep. */
static void test_all_old_steps_are_forgotten(void **state)
{
	(void)state;
	enum { N = 1700 };
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	struct message *m = LETTER(b, "", TO_US);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < N; i++) {
			char id[8];
			snprintf(id, sizeof id, "%u", i);
			m->id.local = view_str(id);
			assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
			assert_false(p->answers[0].duplicate);
			p->n_answers = 0;
		}
		fake_env_pass(b->env, 7 * 24 * 3600 * 1000ll + 31 * 1000); /* keep-tracking is 7 d */
	}
	bench_free(b);
}

static void test_k193760_a_dead_link_slows_no_other(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	bench_join(b, p, PROCESS_LINK, 1);
	struct message *m = LETTER(b, "", TO_C);
	for (unsigned i = 0; i < 1500; i++) { /* more than a window full for the dead one */
		char id[8];
		snprintf(id, sizeof id, "c%u", i);
		m->id.local = view_str(id);
		assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
		p->n_answers = 0;
	}
	refuse_open(p);
	for (unsigned i = 0; i < 20; i++) {
		char id[8];
		snprintf(id, sizeof id, "a%u", i);
		const size_t before = p->n_transfers;
		assert_true(offer_of(p, "to-c", LETTER(b, arena_str(b->a, view_str(id)), FROM_A), VIEW("x"))->accepted);
		if (i == 0)
			open_up(p);
		assert_int_equal(p->n_transfers, before + 1); /* at once, whatever to-c has waiting */
		assert_true(is_local_id(&last_transfer(p)->m, id));
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	}
	assert_int_equal(counts_of(b).transfers, 1500);
	bench_free(b);
}

/* The whole queue of a link leaves, however much longer than the window it is, and each once. */
static void test_a_queue_longer_than_the_window_is_worked_off(void **state)
{
	(void)state;
	enum { N = 1500 };
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	bool *seen = mem_zero(N);
	bench_join(b, p, PROCESS_LINK, 1);
	struct message *m = LETTER(b, "", TO_C);
	unsigned offered = 0, left = 0;
	while (left < N) {
		if (offered < N) {
			char id[8];
			snprintf(id, sizeof id, "%u", offered++);
			m->id.local = view_str(id);
			assert_true(offer_of(p, "to-a", m, VIEW("x"))->accepted);
			p->n_answers = 0;
		}
		if (offered == N - 100 && left == 0)
			open_up(p);
		if (p->n_transfers == 0)
			continue;
		const struct seen_transfer t = p->transfers[0];
		memmove(p->transfers, p->transfers + 1, --p->n_transfers * sizeof t);
		const unsigned n = (unsigned)strtoul(arena_str(b->a, t.m.id.local), NULL, 10);
		assert_false(seen[n]);
		seen[n] = true;
		left++;
		say_result(p, t.transfer, ERR_NONE, 0);
	}
	assert_int_equal(counts_of(b).transfers, 0);
	assert_int_equal(status_of(b, "to-c")->queued, 0);
	free(seen);
	bench_free(b);
}

/* --- a model of the queue: random arrivals, results and losses --- */

enum { MODEL_MESSAGES = 400, MODEL_STEPS = 600 };

struct model {
	struct bench *b;
	uint64_t random;
	unsigned offered, left;
	bool gone[MODEL_MESSAGES];
	unsigned failures[MODEL_MESSAGES];
	uint64_t in_hand[8]; /* numbers of attempts */
	unsigned which[8], n_in_hand;
	bool is_up, calm; /* calm: nothing fails, so no wake-up finds what was forgotten */
};

static unsigned draw(struct model *x, unsigned n)
{
	x->random = x->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((x->random >> 33) % n);
}

/* What was handed over since: each message waits, is in hand once, or is gone for good. */
static void model_hears(struct model *x)
{
	struct player *p = &x->b->link[0];
	for (size_t i = 0; i < p->n_answers; i++)
		if (!p->answers[i].accepted) { /* the disk was full: it is not ours */
			x->gone[p->answers[i].id - 1] = true;
			x->left++;
		}
	for (size_t i = 0; i < p->n_transfers; i++) {
		const unsigned n = (unsigned)strtoul(arena_str(x->b->a, p->transfers[i].m.id.local), NULL, 10);
		assert_true(n < x->offered);
		assert_false(x->gone[n]);
		assert_true(x->n_in_hand < 2);
		for (unsigned j = 0; j < x->n_in_hand; j++)
			assert_int_not_equal(x->which[j], n);
		x->in_hand[x->n_in_hand] = p->transfers[i].transfer;
		x->which[x->n_in_hand++] = n;
	}
	p->n_transfers = p->n_answers = 0;
}

static void model_offers_one(struct model *x)
{
	char id[8];
	if (x->offered == MODEL_MESSAGES)
		return;
	snprintf(id, sizeof id, "%u", x->offered++);
	struct message *m = LETTER(x->b, arena_str(x->b->a, view_str(id)), TO_C);
	m->priority = draw(x, 4) == 0 ? (enum priority)draw(x, PRIORITY_COUNT) : PRIORITY_NORMAL;
	put_offer(&x->b->link[0], x->b->link[0].control, MSG_OFFER, x->offered, "to-a", m, VIEW("x"));
}

/* Several in one group; in a group that waits for the disk while results and listings go on. */
static void model_offers(struct model *x)
{
	const bool is_full = draw(x, 3) == 0;
	for (unsigned n = 1 + draw(x, 20); n > 0; n--)
		model_offers_one(x);
	store_disk_set_full(x->b->disk, is_full);
}

static void model_results(struct model *x)
{
	if (x->n_in_hand == 0)
		return;
	const unsigned i = draw(x, x->n_in_hand), n = x->which[i];
	const uint64_t attempt = x->in_hand[i];
	const bool fails = !x->calm && draw(x, 3) == 0 && x->failures[n] < 2; /* one more would be reported */
	x->n_in_hand--;
	x->in_hand[i] = x->in_hand[x->n_in_hand];
	x->which[i] = x->which[x->n_in_hand];
	x->failures[n] += fails;
	x->gone[n] = !fails;
	x->left += !fails;
	say_result(&x->b->link[0], attempt, fails ? ERR_TEMP : ERR_NONE, ERR_OF_MESSAGE);
}

static void model_association(struct model *x, bool up)
{
	struct player *p = &x->b->link[0];
	if (up == x->is_up || p->n_opens == 0)
		return;
	x->is_up = up;
	if (up) {
		open_up(p);
		return;
	}
	x->n_in_hand = 0;
	const uint64_t id = last_open(p);
	p->n_opens = 0;
	say_assoc(p, MSG_ASSOC_DOWN, id, "to-c", NULL);
}

static void model_step(struct model *x)
{
	switch (draw(x, 12)) {
	case 0: model_offers(x); break;
	case 1: case 2: case 3: case 4: case 5: case 6: case 7: model_results(x); break;
	case 8: case 9: model_association(x, true); break;
	case 10: model_association(x, x->calm); break;
	case 11: fake_env_pass(x->b->env, (int64_t)draw(x, 20000)); break;
	}
	fake_env_settle(x->b->env);
	model_hears(x);
}

/* k194750: mail that came while the queue was being scanned stayed until the next start. The window is a level of what the store
 * has, never a list of what was told: whatever comes while it is full, while a listing is under way or while a group waits
 * for the disk, is found. */
static void model_run(uint64_t seed, uint64_t orders)
{
	struct bench *b = bench_new();
	struct model x = { .b = b, .random = seed, .calm = seed % 2 == 0 };
	switch_free(&b->sw);
	store_disk_crashed(b->disk);
	b->settings.limits.memory = orders * 1024;
	bench_start(b);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	for (unsigned i = 0; i < MODEL_STEPS; i++)
		model_step(&x);
	store_disk_set_full(b->disk, false);
	for (unsigned i = 0; i < 4 * MODEL_STEPS && (x.left < x.offered || x.offered < MODEL_MESSAGES); i++) {
		model_offers(&x);
		store_disk_set_full(b->disk, false);
		fake_env_pass(b->env, 5000);
		model_association(&x, true);
		model_hears(&x);
		model_results(&x);
		model_hears(&x);
	}
	if (x.left < MODEL_MESSAGES)
		fail_msg("seed %llu, %llu orders: %u of %u are left behind", (unsigned long long)seed, (unsigned long long)orders,
			 MODEL_MESSAGES - x.left, MODEL_MESSAGES);
	fake_env_pass(b->env, 1000);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_k194750_nothing_that_comes_meanwhile_is_forgotten(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++)
		model_run(seed, seed % 3 == 0 ? 65536 : seed % 3 == 1 ? 4 : 40);
}

static void test_a_link_process_dies_with_transfers_in_flight(void **state)
{
	(void)state;
	struct bench *b = with_queue(2);
	struct player *p = &b->link[0], *q = &b->link[1];
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	bench_join(b, q, PROCESS_LINK, 2);
	assert_int_equal(q->n_opens, 0);
	bench_leave(b, p);
	assert_int_equal(q->n_opens, 0); /* how it died is not known yet */
	switch_peer_died(b->sw, PROCESS_LINK, 1, false, "killed from outside", "transfer 1");
	fake_env_settle(b->env);
	assert_int_equal(q->n_opens, 1);
	open_up(q);
	assert_int_equal(q->n_transfers, 2);
	assert_true(is_local_id(&q->transfers[0].m, "0"));
	assert_true(is_local_id(&q->transfers[1].m, "1"));
	bench_free(b);
}

static void test_a_successor_with_the_same_number_takes_over(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0], *q = &b->link[1];
	open_up(p);
	bench_join(b, q, PROCESS_LINK, 1); /* the old one's end has not been seen yet */
	assert_true(p->closed > 0);
	fake_env_pass(b->env, PEER_WORD_MS); /* nobody says how the old one died */
	assert_int_equal(q->n_opens, 1);
	open_up(q);
	assert_int_equal(q->n_transfers, 1);
	switch_peer_died(b->sw, PROCESS_LINK, 1, true, "too late", ""); /* about the old one: the new one lives */
	fake_env_settle(b->env);
	assert_int_equal(q->closed, 0);
	assert_int_equal(counts_of(b).suspects, 0);
	bench_free(b);
}

static void test_inbound_associations_are_counted_by_process(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	bench_join(b, &b->link[1], PROCESS_LINK, 2);
	for (unsigned i = 0; i < 2; i++) {
		say_assoc(&b->link[i], MSG_ASSOC_UP, MSG_INBOUND_BIT | 1, "to-a", NULL);
		say_assoc(&b->link[i], MSG_ASSOC_UP, MSG_INBOUND_BIT | 2, "to-a", NULL);
	}
	assert_int_equal(status_of(b, "to-a")->inbound, 4);
	say_assoc(&b->link[1], MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 2, "to-a", NULL);
	say_assoc(&b->link[1], MSG_ASSOC_DOWN, MSG_INBOUND_BIT | 2, "to-a", NULL);
	assert_int_equal(status_of(b, "to-a")->inbound, 3);
	bench_leave(b, &b->link[0]);
	assert_int_equal(status_of(b, "to-a")->inbound, 1);
	bench_free(b);
}

static void test_k245742_k276222_k269158_k254334_a_process_may_not_speak_of_anothers_association(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0], *q = &b->link[1];
	bench_join(b, q, PROCESS_LINK, 2);
	open_up(p);
	say_assoc(q, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	assert_true(q->closed > 0);
	assert_int_equal(p->closed, 0);
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_a_peer_that_calls_ends_the_wait(void **state)
{
	(void)state;
	struct bench *b = with_queue(1);
	struct player *p = &b->link[0];
	refuse_open(p);
	assert_int_equal(p->n_opens, 1);
	say_assoc(p, MSG_ASSOC_UP, MSG_INBOUND_BIT | 1, "to-c", NULL);
	fake_env_pass(b->env, 1000); /* a tenth of the interval after the last attempt: it would have been 2.25 s */
	assert_int_equal(p->n_opens, 2);
	bench_free(b);
}

static void test_deferred_mail_wakes_its_link(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	struct message *m = LETTER(b, "", TO_C);
	m->trace.n = m->internal_trace.n = 0;
	m->deferred = FAKE_WALL_MS + 10 * 1000;
	assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
	fake_env_pass(b->env, 9 * 1000);
	assert_int_equal(b->link[0].n_opens, 0);
	fake_env_pass(b->env, 1500);
	assert_int_equal(b->link[0].n_opens, 1);
	bench_free(b);
}

static void on_stopped(void *ctx)
{
	*(bool *)ctx = true;
}

static void test_stop_waits_for_what_is_not_durable(void **state)
{
	(void)state;
	struct bench *b = with_queue(0);
	struct player *p = &b->link[0];
	bool stopped = false;
	store_disk_set_full(b->disk, true);
	assert_null(offer_of(p, "to-a", LETTER(b, "1", TO_US), VIEW("x")));
	switch_stop(b->sw, on_stopped, &stopped);
	fake_env_pass(b->env, 1000);
	assert_false(stopped);
	store_disk_set_full(b->disk, false);
	fake_env_pass(b->env, 60 * 1000);
	assert_true(stopped);
	assert_int_equal(p->n_answers, 1);
	const struct msg_answer *late = offer_of(p, "to-a", LETTER(b, "2", TO_US), VIEW("x"));
	assert_false(late->accepted);
	assert_int_equal(late->err.kind, ERR_TEMP);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgent_overtakes),
		cmocka_unit_test(test_what_was_taken_is_gone_for_good),
		cmocka_unit_test(test_an_association_lost_costs_no_attempt_and_keeps_the_order),
		cmocka_unit_test(test_a_result_that_charges_the_association_is_uncounted),
		cmocka_unit_test(test_what_comes_late_of_an_attempt_is_not_taken_for_the_next),
		cmocka_unit_test(test_a_permanent_failure_is_reported_at_once),
		cmocka_unit_test(test_k237182_a_temporary_failure_ends_in_a_report),
		cmocka_unit_test(test_expiry_is_reported),
		cmocka_unit_test(test_a_link_that_cannot_be_opened),
		cmocka_unit_test(test_expiry_reaches_the_whole_queue),
		cmocka_unit_test(test_expiry_reaches_what_waits_for_its_time),
		cmocka_unit_test(test_expiry_waits_for_what_is_in_flight),
		cmocka_unit_test(test_expiry_reaches_queues_without_a_link),
		cmocka_unit_test(test_a_link_that_cannot_be_opened_gives_up_its_whole_queue),
		cmocka_unit_test(test_giving_up_ends_when_the_link_opens),
		cmocka_unit_test(test_all_old_steps_are_forgotten),
		cmocka_unit_test(test_k193760_a_dead_link_slows_no_other),
		cmocka_unit_test(test_a_queue_longer_than_the_window_is_worked_off),
		cmocka_unit_test(test_k194750_nothing_that_comes_meanwhile_is_forgotten),
		cmocka_unit_test(test_a_link_process_dies_with_transfers_in_flight),
		cmocka_unit_test(test_a_successor_with_the_same_number_takes_over),
		cmocka_unit_test(test_inbound_associations_are_counted_by_process),
		cmocka_unit_test(test_k245742_k276222_k269158_k254334_a_process_may_not_speak_of_anothers_association),
		cmocka_unit_test(test_a_peer_that_calls_ends_the_wait),
		cmocka_unit_test(test_deferred_mail_wakes_its_link),
		cmocka_unit_test(test_stop_waits_for_what_is_not_durable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
