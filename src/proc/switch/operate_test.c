/* operate_test.c - the operator's hand on a real switch: every act in every state a transfer can be in; acts, results, deaths and
 * restarts in any order, against a model of what each message may still become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

enum { UNKNOWN = 999999 };

/* --- what the command line says --- */

static unsigned act_on(struct bench *b, enum msg_act what, const char *arg, const uint64_t *ids, size_t n)
{
	struct out octets;
	const unsigned before = b->tool.n_acted;
	out_init(&octets, MSG_ACT_IDS * 8);
	for (size_t i = 0; i < n; i++)
		out_u64(&octets, ids[i]);
	const struct msg_act_on m = { .id = 7, .act = what, .arg = view_str(arg), .who = VIEW("olga"), .why = VIEW("a test"),
				      .ids = out_view(&octets) };
	put_msg_act_on(chan_begin(b->tool.control, MSG_ACT), &m);
	chan_end(b->tool.control);
	out_fini(&octets);
	fake_env_settle(b->env);
	assert_int_equal(b->tool.n_acted, before + 1); /* answered, whatever the act was */
	assert_int_equal(b->tool.acted.what.n, n);
	return n == 0 ? 0 : b->tool.acted.what.p[0];
}

static unsigned act(struct bench *b, enum msg_act what, const char *arg, uint64_t id)
{
	return act_on(b, what, arg, &id, 1);
}

/* --- where a transfer is --- */

enum where { IN_QUEUE, IS_HELD, IN_QUARANTINE, IS_GONE };

static enum where where(struct bench *b, uint64_t id, char queue[65])
{
	struct store_queued row;
	struct store_quarantine q;
	struct view name;
	struct err e;
	*queue = 0;
	if (store_find_transfer(b->sw->store, id, &row, &name)) {
		snprintf(queue, 65, "%.*s", (int)name.n, (const char *)name.p);
		return row.next_ms >= STORE_NEVER ? IS_HELD : IN_QUEUE;
	}
	return store_load_quarantine(b->sw->store, id, &q, b->a, &e) ? IN_QUARANTINE : IS_GONE;
}

static void assert_where(struct bench *b, uint64_t id, enum where want, const char *want_queue)
{
	char queue[65];
	assert_int_equal(where(b, id, queue), want);
	assert_string_equal(queue, want_queue);
}

/* The one transfer that waits for to-c. */
static uint64_t only_transfer(struct bench *b)
{
	struct store_place place = { 0 };
	struct store_queued row;
	assert_int_equal(store_queue_next(b->sw->store, VIEW("to-c"), PRIORITY_NORMAL, STORE_NEVER - 1, &place, &row, 1), 1);
	return row.transfer;
}

/* --- states --- */

enum state { IN_WINDOW, IN_STORE, HELD, SUSPECT, IN_FLIGHT, QUARANTINED, DELIVERED, UNKNOWN_ID, STATES };

static struct bench *with_letter(const char *to)
{
	struct bench *b = bench_new();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_true(offer_of(&b->tool, "", LETTER(b, "0", to), VIEW("x"))->accepted);
	return b;
}

static struct bench *in_state(enum state state, uint64_t *id_r)
{
	struct bench *b = with_letter(TO_C);
	struct player *p = &b->link[0];
	const uint64_t id = *id_r = only_transfer(b);
	if (state == IN_STORE || state == IN_FLIGHT || state == DELIVERED)
		open_up(p);
	if (state == IN_STORE) /* the peer says later: 10 s, uncounted ones would be first in line again */
		say_result(p, last_transfer(p)->transfer, ERR_TEMP, ERR_OF_MESSAGE);
	if (state == DELIVERED)
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	if (state == HELD)
		assert_int_equal(act(b, ACT_HOLD, "", id), ACTED_DONE);
	if (state == SUSPECT || state == QUARANTINED) {
		open_up(p);
		bench_dies(b, p, PROCESS_LINK, 1, true, "");
		bench_join(b, p, PROCESS_LINK, 1);
	}
	for (int i = 0; state == QUARANTINED && i < 2; i++) {
		bench_join(b, &b->alone, PROCESS_ALONE, 1);
		open_up(&b->alone);
		bench_dies(b, &b->alone, PROCESS_ALONE, 1, true, "");
	}
	if (state == UNKNOWN_ID)
		*id_r = UNKNOWN;
	return b;
}

/* What is there after the switch has died and come again. */
static void restart(struct bench *b)
{
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->tool);
	if (b->alone.control != NULL)
		bench_leave(b, &b->alone);
	switch_free(&b->sw);
	fake_env_settle(b->env);
	store_disk_crashed(b->disk);
	bench_start(b);
}

struct outcome {
	enum msg_acted_what acted;
	enum where where;
	const char *queue;
	unsigned reports; /* that wait for the originator, at to-a */
};

#define D_HELD { ACTED_DONE, IS_HELD, "to-c", 0 }
#define D_WAITS { ACTED_DONE, IN_QUEUE, "to-c", 0 }
#define D_MOVED { ACTED_DONE, IN_QUEUE, "to-a", 0 }
#define D_GONE { ACTED_DONE, IS_GONE, "", 0 }
#define D_RETURNED { ACTED_DONE, IS_GONE, "", 1 }
#define FLIES { ACTED_IN_FLIGHT, IN_QUEUE, "to-c", 0 }
#define NO_QUARANTINE { ACTED_GONE, IN_QUEUE, "to-c", 0 }
#define KEPT { ACTED_REFUSED, IN_QUARANTINE, "", 1 }
#define NOTHING { ACTED_GONE, IS_GONE, "", 0 }

static const struct outcome outcomes[STATES][ACT_COUNT] = {
	[IN_WINDOW] = { D_HELD, D_WAITS, D_WAITS, D_MOVED, D_RETURNED, D_GONE, NO_QUARANTINE, NO_QUARANTINE },
	[IN_STORE] = { D_HELD, D_WAITS, D_WAITS, D_MOVED, D_RETURNED, D_GONE, NO_QUARANTINE, NO_QUARANTINE },
	[HELD] = { D_HELD, D_WAITS, { ACTED_REFUSED, IS_HELD, "to-c", 0 }, { ACTED_DONE, IS_HELD, "to-a", 0 }, D_RETURNED, D_GONE,
		   { ACTED_GONE, IS_HELD, "to-c", 0 }, { ACTED_GONE, IS_HELD, "to-c", 0 } },
	[SUSPECT] = { D_HELD, D_WAITS, D_WAITS, D_MOVED, D_RETURNED, D_GONE, NO_QUARANTINE, NO_QUARANTINE },
	[IN_FLIGHT] = { FLIES, D_WAITS, D_WAITS, FLIES, FLIES, FLIES, NO_QUARANTINE, NO_QUARANTINE },
	[QUARANTINED] = { KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, { ACTED_DONE, IN_QUEUE, "to-c", 1 }, { ACTED_DONE, IS_GONE, "", 1 } },
	[DELIVERED] = { NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING },
	[UNKNOWN_ID] = { NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING },
};

static uint64_t waiting_for(struct bench *b, const char *link)
{
	return switch_link(b->sw, view_str(link))->queued;
}

static void assert_outcome(struct bench *b, uint64_t id, const struct outcome *want, bool other)
{
	const uint64_t others = other ? 1 : 0; /* the letter, when the id is not its own */
	assert_where(b, id, want->where, want->queue);
	assert_int_equal(waiting_for(b, "to-c"), (strcmp(want->queue, "to-c") == 0) + others);
	assert_int_equal(waiting_for(b, "to-a"), (strcmp(want->queue, "to-a") == 0) + want->reports);
}

static void test_op_07_every_act_in_every_state(void **state)
{
	(void)state;
	for (unsigned s = 0; s < STATES; s++)
		for (unsigned a = 0; a < ACT_COUNT; a++) {
			const struct outcome *want = &outcomes[s][a];
			uint64_t id;
			struct bench *b = in_state((enum state)s, &id);
			const unsigned got = act(b, (enum msg_act)a, a == ACT_REROUTE ? "to-a" : "", id);
			if (got != want->acted)
				fail_msg("state %u, act %u: %u, want %u: %s", s, a, got, want->acted, b->tool.acted.err.text);
			assert_int_equal(got == ACTED_REFUSED, b->tool.acted.err.kind != ERR_NONE);
			assert_outcome(b, id, want, s == UNKNOWN_ID);
			restart(b); /* it was answered, so it is durable */
			assert_outcome(b, id, want, s == UNKNOWN_ID);
			bench_free(b);
		}
}

/* What is released or moved is handed over, by the right link, once; what is held or gone is not. */
static void test_what_waits_after_an_act_is_handed_over(void **state)
{
	(void)state;
	for (unsigned s = IN_WINDOW; s <= SUSPECT; s++)
		for (unsigned a = ACT_HOLD; a <= ACT_DELETE; a++) {
			const struct outcome *want = &outcomes[s][a];
			uint64_t id;
			struct bench *b = in_state((enum state)s, &id);
			struct player *p = &b->link[0];
			const size_t before = p->n_transfers;
			const size_t opens = s == IN_WINDOW || s == HELD ? 0 : p->n_opens;
			act(b, (enum msg_act)a, a == ACT_REROUTE ? "to-a" : "", id);
			bench_join(b, &b->alone, PROCESS_ALONE, 1);
			for (size_t i = opens; i < p->n_opens; i++) {
				char link[65];
				snprintf(link, sizeof link, "%.*s", (int)p->opens[i].link.n, (const char *)p->opens[i].link.p);
				say_assoc(p, MSG_ASSOC_UP, p->opens[i].assoc, link, NULL);
			}
			if (b->alone.n_opens > 0)
				open_up(&b->alone);
			size_t mine = 0;
			for (size_t i = before; i < p->n_transfers; i++)
				mine += p->transfers[i].stored == id;
			for (size_t i = 0; i < b->alone.n_transfers; i++)
				mine += b->alone.transfers[i].stored == id;
			const bool waits = want->where == IN_QUEUE;
			/* In the store with a time to come: not before it, unless the act says now. */
			const bool later = s == IN_STORE && (a == ACT_RELEASE);
			if (mine != (waits && !later))
				fail_msg("state %u, act %u: handed over %zu times", s, a, mine);
			bench_free(b);
		}
}

/* --- in flight --- */

static void test_k182009_an_act_on_what_is_in_flight_waits_for_its_return(void **state)
{
	(void)state;
	static const struct outcome after[ACT_COUNT] = { D_HELD, D_WAITS, D_WAITS, D_MOVED, D_RETURNED, D_GONE };
	for (unsigned how = 0; how < 4; how++)
		for (unsigned a = ACT_HOLD; a <= ACT_DELETE; a++) {
			uint64_t id;
			struct bench *b = in_state(IN_FLIGHT, &id);
			struct player *p = &b->link[0];
			act(b, (enum msg_act)a, a == ACT_REROUTE ? "to-a" : "", id);
			const struct msg_assoc up = p->opens[0];
			if (how == 0)
				say_result(p, last_transfer(p)->transfer, ERR_TEMP, ERR_OF_MESSAGE);
			else if (how == 1)
				say_assoc(p, MSG_ASSOC_DOWN, up.assoc, "to-c", NULL);
			else if (how == 2)
				bench_dies(b, p, PROCESS_LINK, 1, false, "");
			else
				bench_dies(b, p, PROCESS_LINK, 1, true, "");
			assert_outcome(b, id, &after[a], false);
			bench_free(b);
		}
}

static void test_k157013_delivered_all_the_same(void **state)
{
	(void)state;
	for (unsigned a = ACT_HOLD; a <= ACT_DELETE; a++) {
		uint64_t id;
		struct bench *b = in_state(IN_FLIGHT, &id);
		struct player *p = &b->link[0];
		act(b, (enum msg_act)a, a == ACT_REROUTE ? "to-a" : "", id);
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
		assert_outcome(b, id, &(struct outcome)NOTHING, false);
		bench_free(b);
	}
}

static void test_the_last_act_counts(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(IN_FLIGHT, &id);
	struct player *p = &b->link[0];
	assert_int_equal(act(b, ACT_DELETE, "", id), ACTED_IN_FLIGHT);
	assert_int_equal(act(b, ACT_HOLD, "", id), ACTED_IN_FLIGHT);
	say_result(p, last_transfer(p)->transfer, ERR_TEMP, ERR_OF_MESSAGE);
	assert_where(b, id, IS_HELD, "to-c");
	bench_free(b);
	b = in_state(IN_FLIGHT, &id);
	assert_int_equal(act(b, ACT_DELETE, "", id), ACTED_IN_FLIGHT);
	assert_int_equal(act(b, ACT_RELEASE, "", id), ACTED_DONE); /* called off */
	say_result(&b->link[0], last_transfer(&b->link[0])->transfer, ERR_TEMP, ERR_OF_MESSAGE);
	assert_where(b, id, IN_QUEUE, "to-c");
	bench_free(b);
}

/* --- reroute --- */

static void test_reroute_is_refused_where_routing_would_refuse(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_true(offer_of(&b->link[0], "to-a", LETTER(b, "0", TO_C), VIEW("x"))->accepted);
	const uint64_t id = only_transfer(b);
	assert_int_equal(act(b, ACT_REROUTE, "to-c", id), ACTED_REFUSED);
	assert_non_null(strstr(b->tool.acted.err.text, "waits for link to-c already"));
	assert_int_equal(act(b, ACT_REROUTE, "to-a", id), ACTED_REFUSED);
	assert_non_null(strstr(b->tool.acted.err.text, "came by link to-a"));
	assert_int_equal(act(b, ACT_REROUTE, "to-b", id), ACTED_REFUSED);
	assert_non_null(strstr(b->tool.acted.err.text, "no link is called \"to-b\""));
	assert_where(b, id, IN_QUEUE, "to-c");
	open_up(&b->link[0]); /* and it is still in its place */
	assert_int_equal(last_transfer(&b->link[0])->stored, id);
	bench_free(b);
}

/* to-c has a size-limit of 300 K, to-a none. */
static void test_reroute_minds_the_size_limit(void **state)
{
	(void)state;
	enum { PIECE = 43 * 1024 };
	for (unsigned pieces = 6; pieces <= 7; pieces++) { /* 258 K, 301 K */
		struct bench *b = bench_new();
		struct player *p = &b->tool;
		struct store_place place = { 0 };
		struct store_queued row;
		uint8_t *piece = mem_zero(PIECE);
		bench_join(b, p, PROCESS_TOOL, 0);
		put_offer(p, p->control, MSG_OFFER_BEGIN, 1, "", LETTER(b, "0", FROM_A), (struct view){ NULL, 0 });
		for (unsigned i = 0; i < pieces; i++) {
			const struct msg_piece m = { 1, view_of(piece, PIECE) };
			put_msg_piece(chan_begin(p->control, MSG_OFFER_DATA), &m);
			chan_end(p->control);
		}
		say_count(p->control, MSG_OFFER_END, 1, pieces * PIECE);
		fake_env_settle(b->env);
		assert_int_equal(store_queue_next(b->sw->store, VIEW("to-a"), PRIORITY_NORMAL, STORE_NEVER - 1, &place, &row, 1), 1);
		assert_int_equal(act(b, ACT_REROUTE, "to-c", row.transfer), pieces == 6 ? ACTED_DONE : ACTED_REFUSED);
		if (pieces == 7)
			assert_non_null(strstr(b->tool.acted.err.text, "link to-c takes 307200"));
		assert_where(b, row.transfer, IN_QUEUE, pieces == 6 ? "to-c" : "to-a");
		free(piece);
		bench_free(b);
	}
}

/* One that waits for a content process is as free as one in the window; the places for such ones are not used up by it. */
static void test_acts_on_what_waits_for_conversion(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	((struct set_link *)(uintptr_t)b->settings.links.v)[1].wrap = 72;
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	assert_true(offer_of(&b->tool, "", LETTER(b, "0", TO_C), VIEW("x"))->accepted);
	const uint64_t id = only_transfer(b);
	open_up(&b->link[0]);
	const struct swlink *l = switch_link(b->sw, VIEW("to-c"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(l->n_converting, 1);
		assert_int_equal(act(b, ACT_HOLD, "", id), ACTED_DONE);
		assert_int_equal(l->n_converting, 0);
		assert_where(b, id, IS_HELD, "to-c");
		assert_int_equal(act(b, ACT_RELEASE, "", id), ACTED_DONE);
	}
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	assert_int_equal(b->content.n_converts, 1); /* in its hands */
	assert_int_equal(act(b, ACT_DELETE, "", id), ACTED_IN_FLIGHT);
	bench_dies(b, &b->content, PROCESS_CONTENT, 1, true, "");
	assert_where(b, id, IS_GONE, "");
	assert_int_equal(l->n_converting, 0);
	bench_free(b);
}

/* Q115440: mail that waits changes its queue, not its priority. */
static void test_k115440_priority_stays_with_the_message(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	uint64_t ids[PRIORITY_COUNT];
	for (int p = 0; p < PRIORITY_COUNT; p++) {
		struct message *m = LETTER(b, "0", TO_C);
		struct store_place place = { 0 };
		struct store_queued row;
		m->priority = (enum priority)p;
		assert_true(offer_of(&b->tool, "", m, VIEW("x"))->accepted);
		assert_int_equal(store_queue_next(b->sw->store, VIEW("to-c"), m->priority, STORE_NEVER - 1, &place, &row, 1), 1);
		ids[p] = row.transfer;
	}
	act_on(b, ACT_HOLD, "", ids, PRIORITY_COUNT);
	act_on(b, ACT_REROUTE, "to-a", ids, PRIORITY_COUNT);
	act_on(b, ACT_RELEASE, "", ids, PRIORITY_COUNT);
	for (int p = 0; p < PRIORITY_COUNT; p++) {
		struct store_queued row;
		struct view queue;
		assert_true(store_find_transfer(b->sw->store, ids[p], &row, &queue));
		assert_int_equal(row.priority, p);
	}
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	open_up(&b->link[0]);
	assert_int_equal(b->link[0].n_transfers, 2);
	assert_int_equal(b->link[0].transfers[0].stored, ids[PRIORITY_URGENT]);
	assert_int_equal(b->link[0].transfers[1].stored, ids[PRIORITY_NORMAL]);
	bench_free(b);
}

/* --- the link --- */

static void test_retry_cuts_the_wait_short(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(IN_WINDOW, &id);
	struct player *p = &b->link[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "refused");
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", &why);
	assert_int_equal(p->n_opens, 1);
	assert_int_equal(act(b, ACT_RELEASE, "", id), ACTED_DONE);
	assert_int_equal(p->n_opens, 1);
	assert_int_equal(act(b, ACT_RETRY, "", id), ACTED_DONE);
	assert_int_equal(p->n_opens, 2);
	bench_free(b);
}

/* A suspect waits for the same timer as the others of its link. */
static void test_a_suspect_is_tried_again_when_asked_for(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(SUSPECT, &id);
	struct player *a = &b->alone;
	bench_join(b, a, PROCESS_ALONE, 1);
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "refused");
	say_assoc(a, MSG_ASSOC_DOWN, last_open(a), "to-c", &why);
	assert_int_equal(a->n_opens, 1);
	assert_int_equal(act(b, ACT_RETRY, "", id), ACTED_DONE);
	assert_int_equal(a->n_opens, 2);
	open_up(a);
	assert_int_equal(last_transfer(a)->stored, id);
	bench_free(b);
}

/* Time does nothing to what is held: normal mail expires after two hours here. */
static void test_held_does_not_expire(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(HELD, &id);
	fake_env_pass(b->env, INT64_C(10) * 24 * 3600 * 1000);
	fake_env_settle(b->env);
	assert_where(b, id, IS_HELD, "to-c");
	assert_int_equal(act(b, ACT_RELEASE, "", id), ACTED_DONE);
	for (int i = 0; i < 10; i++)
		fake_env_pass(b->env, 60 * 1000);
	assert_where(b, id, IS_GONE, ""); /* its time is over: reported */
	assert_int_equal(waiting_for(b, "to-a"), 1);
	bench_free(b);
}

static void test_status_counts_what_is_held_and_kept(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(QUARANTINED, &id);
	chan_send(b->tool.control, MSG_STATUS, (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	assert_int_equal(b->tool.totals.quarantined, 1);
	assert_int_equal(b->tool.totals.held, 0);
	bench_free(b);
	b = in_state(HELD, &id);
	chan_send(b->tool.control, MSG_STATUS, (struct view){ NULL, 0 });
	fake_env_settle(b->env);
	assert_int_equal(b->tool.totals.quarantined, 0);
	assert_int_equal(b->tool.totals.held, 1);
	bench_free(b);
}

/* --- quarantine --- */

/* Q262865: what an operator lets out is read and checked again, and handled alone; it is not simply put back where it killed. */
static void test_k262865_released_is_checked_and_handled_alone(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(QUARANTINED, &id);
	struct player *p = &b->link[0];
	assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, "to-b", id), ACTED_REFUSED);
	assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, "", id), ACTED_DONE);
	assert_where(b, id, IN_QUEUE, "to-c");
	for (size_t i = 0; i < p->n_opens; i++)
		if (view_eq(p->opens[i].link, VIEW("to-c")))
			say_assoc(p, MSG_ASSOC_UP, p->opens[i].assoc, "to-c", NULL);
	for (size_t i = 0; i < p->n_transfers; i++)
		assert_true(p->transfers[i].stored != id);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	open_up(&b->alone);
	assert_int_equal(last_transfer(&b->alone)->stored, id);
	say_result(&b->alone, last_transfer(&b->alone)->transfer, ERR_NONE, 0);
	assert_where(b, id, IS_GONE, "");
	assert_int_equal(counts_of(b).suspects, 0);
	bench_free(b);
}

static void test_k262865_released_elsewhere(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(QUARANTINED, &id);
	assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, "to-a", id), ACTED_DONE);
	assert_where(b, id, IN_QUEUE, "to-a");
	assert_int_equal(waiting_for(b, "to-a"), 2); /* and the report */
	assert_int_equal(waiting_for(b, "to-c"), 0);
	bench_free(b);
}

/* Q247618, Q159305: an object that cannot be read at the head of the queue, and nobody could delete it. */
static void test_k247618_k159305_what_cannot_be_read_can_be_deleted(void **state)
{
	(void)state;
	for (unsigned s = IN_WINDOW; s <= QUARANTINED; s++) {
		uint64_t id;
		if (s == IN_FLIGHT)
			continue;
		struct bench *b = in_state((enum state)s, &id);
		struct store_queued row;
		struct store_quarantine q = { 0 };
		struct view queue;
		struct err e;
		const bool waits = store_find_transfer(b->sw->store, id, &row, &queue);
		assert_true(waits || store_load_quarantine(b->sw->store, id, &q, b->a, &e));
		restart(b); /* nothing of it is in memory */
		store_disk_damage(b->disk, waits ? row.message : q.message);
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
		if (waits && s != QUARANTINED) {
			assert_int_equal(act(b, ACT_RETURN, "", id), ACTED_REFUSED);
			assert_int_equal(act(b, ACT_REROUTE, "to-a", id), ACTED_REFUSED);
		}
		if (!waits)
			assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, "", id), ACTED_REFUSED);
		assert_int_equal(act(b, waits ? ACT_DELETE : ACT_QUARANTINE_DELETE, "", id), ACTED_DONE);
		assert_where(b, id, IS_GONE, "");
		assert_int_equal(waiting_for(b, "to-c"), 0);
		bench_free(b);
	}
}

/* The switch has died of making its report: it is not loaded again to be deleted. */
static void test_k247618_what_kills_the_switch_can_be_deleted(void **state)
{
	(void)state;
	uint64_t id;
	char note[64];
	struct bench *b = in_state(QUARANTINED, &id);
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->tool);
	snprintf(note, sizeof note, "quarantine %llu", (unsigned long long)id);
	bench_switch_dies(b, note);
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	assert_int_equal(act(b, ACT_QUARANTINE_RELEASE, "", id), ACTED_REFUSED);
	assert_non_null(strstr(b->tool.acted.err.text, "the switch has died of it"));
	assert_string_equal(b->note, ""); /* nothing was tried */
	assert_int_equal(act(b, ACT_QUARANTINE_DELETE, "", id), ACTED_DONE);
	assert_string_equal(b->note, "");
	assert_where(b, id, IS_GONE, "");
	bench_free(b);
}

/* What a tool has decoded goes in as its link's: it keeps its identifier, is known when it comes again, and is stopped when the trace
 * says that it has been here. */
static void test_k262865_octets_come_back_as_their_links(void **state)
{
	(void)state;
	struct bench *b = bench_new();
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	const struct msg_answer *a = offer_of(&b->tool, "to-a", LETTER(b, "from-octets", TO_US), VIEW("x"));
	assert_true(a->accepted && !a->duplicate);
	assert_true(view_eq(a->mts_id, VIEW("C=GB;A=SIM;P=a;L=from-octets")));
	assert_int_equal(counts_of(b).deliveries, 1);
	a = offer_of(&b->tool, "to-a", LETTER(b, "from-octets", TO_US), VIEW("x"));
	assert_true(a->accepted && a->duplicate);
	assert_int_equal(counts_of(b).deliveries, 1);
	struct message *been = LETTER(b, "loop", TO_US);
	add_trace(b, been, domain_of("FR", "p"), "mta-p");
	been->trace.v[1].action = ROUTING_RELAYED;
	add_trace(b, been, domain_of("GB", "a"), "mta-a");
	assert_true(offer_of(&b->tool, "to-a", been, VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).deliveries, 1); /* reported instead */
	assert_false(offer_of(&b->tool, "to-x", LETTER(b, "x", TO_US), VIEW("x"))->accepted);
	bench_free(b);
}

/* --- a link that is in the settings no more --- */

static void test_k152876_queue_of_a_link_that_is_gone(void **state)
{
	(void)state;
	for (unsigned a = ACT_HOLD; a <= ACT_DELETE; a++) {
		static const struct outcome after[ACT_COUNT] = { D_HELD, D_WAITS, D_WAITS, D_MOVED, D_RETURNED, D_GONE };
		uint64_t id;
		struct bench *b = in_state(IN_WINDOW, &id);
		restart(b);
		/* A queue that no link has: as if to-c had been called so. */
		store_transfer_move(b->sw->store, id, VIEW("old"), 0, (struct view){NULL, 0});
		store_commit(b->sw->store);
		bench_join(b, &b->tool, PROCESS_TOOL, 0);
		assert_int_equal(act(b, (enum msg_act)a, a == ACT_REROUTE ? "to-a" : "", id), ACTED_DONE);
		char queue[65];
		assert_int_equal(where(b, id, queue), after[a].where);
		assert_string_equal(queue, strcmp(after[a].queue, "to-c") == 0 ? "old" : after[a].queue);
		assert_int_equal(waiting_for(b, "to-a"), (a == ACT_REROUTE) + after[a].reports);
		bench_free(b);
	}
}

/* --- many, and nonsense --- */

static void test_as_many_as_one_act_may_name(void **state)
{
	(void)state;
	struct bench *b = with_letter(TO_C);
	static uint64_t ids[MSG_ACT_IDS];
	const uint64_t id = only_transfer(b);
	for (size_t i = 0; i < MSG_ACT_IDS; i++)
		ids[i] = i == MSG_ACT_IDS - 1 ? id : UNKNOWN + i;
	act_on(b, ACT_HOLD, "", ids, MSG_ACT_IDS);
	assert_int_equal(b->tool.acted.what.p[0], ACTED_GONE);
	assert_int_equal(b->tool.acted.what.p[MSG_ACT_IDS - 1], ACTED_DONE);
	act_on(b, ACT_HOLD, "", ids, 0);
	/* The same one twice: the second finds what the first has left. */
	const uint64_t twice[] = { id, id };
	act_on(b, ACT_DELETE, "", twice, 2);
	assert_int_equal(b->tool.acted.what.p[0], ACTED_DONE);
	assert_int_equal(b->tool.acted.what.p[1], ACTED_GONE);
	bench_free(b);
}

static void test_delete_with_a_report(void **state)
{
	(void)state;
	uint64_t id;
	struct bench *b = in_state(IN_WINDOW, &id);
	assert_int_equal(act(b, ACT_DELETE, "nonsense", id), ACTED_REFUSED);
	assert_int_equal(act(b, ACT_DELETE, "report", id), ACTED_DONE);
	assert_outcome(b, id, &(struct outcome)D_RETURNED, false);
	struct player *p = &b->link[0];
	open_up(p);
	const struct message *report = &last_transfer(p)->m;
	assert_int_equal(report->kind, MESSAGE_REPORT);
	assert_int_equal(report->rcpt[0].reason, 1); /* X.411 8.3.1.2.1.1.7: unable-to-transfer */
	assert_int_equal(report->rcpt[0].diagnostic, -1);
	bench_free(b);
}

/* --- in any order --- */

enum { LETTERS = 8, STEPS = 80, SEEDS = 500 };

enum fate { F_WAITS, F_HELD, F_OVER };

struct modelled {
	uint64_t id;
	enum fate fate;
	bool in_hand;                    /* of a player: this attempt */
	uint64_t attempt;
	int pending;                     /* enum msg_act remembered by the switch; -1: none */
	unsigned failures, faults, deliveries;
};

struct model {
	struct bench *b;
	struct modelled v[LETTERS];
	uint64_t seed, first_seed;
	unsigned refused;                /* attempts to open: max-open-retries is 3 */
	size_t looked[2];                /* transfers of link[0] and alone that have been seen */
};

static unsigned pick(struct model *m, unsigned n)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return (unsigned)(m->seed % n);
}

static struct modelled *find(struct model *m, uint64_t id)
{
	for (size_t i = 0; i < LETTERS; i++)
		if (m->v[i].id == id)
			return &m->v[i];
	return NULL;
}

static void done_to(struct modelled *x, int act)
{
	x->fate = act == ACT_HOLD ? F_HELD : act == ACT_RELEASE || act == ACT_RETRY || act == ACT_REROUTE ? F_WAITS : F_OVER;
}

/* What the model does not decide (attempts that have run out, strikes) is read from the store, and must be allowed. */
static void settle(struct model *m)
{
	struct player *players[] = { &m->b->link[0], &m->b->alone };
	for (size_t k = 0; k < 2; k++) {
		for (size_t i = m->looked[k]; players[k]->control != NULL && i < players[k]->n_transfers; i++) {
			struct modelled *x = find(m, players[k]->transfers[i].stored);
			if (x == NULL)
				continue; /* a report */
			assert_int_equal(x->fate, F_WAITS); /* what is held, gone or kept is handed to nobody */
			assert_false(x->in_hand);
			x->in_hand = true;
			x->attempt = players[k]->transfers[i].transfer;
		}
		m->looked[k] = players[k]->n_transfers;
	}
	for (size_t i = 0; i < LETTERS; i++) {
		struct modelled *x = &m->v[i];
		char queue[65];
		const enum where at = where(m->b, x->id, queue);
		if (x->pending >= 0 && !x->in_hand && at != IN_QUEUE && at != IN_QUARANTINE) { /* its association did not open */
			done_to(x, x->pending);
			x->pending = -1;
		}
		if (x->fate == F_WAITS && !x->in_hand && (at == IS_GONE || at == IN_QUARANTINE)) {
			assert_true(at == IN_QUARANTINE ? x->faults + x->failures > 0 : x->failures > 2 || m->refused > 3);
			x->fate = F_OVER;
		}
		if (at == IN_QUARANTINE) {
			assert_int_equal(x->fate, F_OVER);
			assert_int_equal(act(m->b, ACT_QUARANTINE_RELEASE, "", x->id), ACTED_DONE);
			x->fate = F_WAITS;
			settle(m);
			return;
		}
		const enum where wanted = x->fate == F_WAITS ? IN_QUEUE : x->fate == F_HELD ? IS_HELD : IS_GONE;
		if (at != wanted)
			fail_msg("seed %llu: transfer %llu is in state %d, want %d", (unsigned long long)m->first_seed,
				 (unsigned long long)x->id, at, wanted);
		assert_true(x->deliveries <= 1);
	}
}

/* It is in no hands any more. */
static void came_back(struct modelled *x, bool fault, bool failed)
{
	x->in_hand = false;
	x->failures += failed;
	x->faults += fault;
	if (x->pending >= 0 && x->fate == F_WAITS)
		done_to(x, x->pending);
	x->pending = -1;
}

static void all_came_back(struct model *m, bool fault)
{
	for (size_t i = 0; i < LETTERS; i++)
		if (m->v[i].in_hand)
			came_back(&m->v[i], fault, true);
}

static void step_act(struct model *m)
{
	struct modelled *x = &m->v[pick(m, LETTERS)];
	const enum msg_act what = (enum msg_act)pick(m, ACT_DELETE + 1);
	const bool to_a = pick(m, 2) == 0;
	const unsigned got = act(m->b, what, what == ACT_REROUTE ? (to_a ? "to-a" : "to-c") : "", x->id);
	const bool wakes = what == ACT_RELEASE || what == ACT_RETRY;
	if (x->fate == F_OVER) {
		assert_int_equal(got, ACTED_GONE);
	} else if (x->in_hand || got == ACTED_IN_FLIGHT) { /* a suspect is in hand while its association opens */
		assert_true(x->in_hand || x->faults > 0);
		assert_int_equal(got, wakes ? ACTED_DONE : ACTED_IN_FLIGHT);
		x->pending = wakes ? -1 : (int)what;
	} else if (what == ACT_RETRY && x->fate == F_HELD) {
		assert_int_equal(got, ACTED_REFUSED);
	} else if (what == ACT_REROUTE) {
		assert_true(got == ACTED_DONE || got == ACTED_REFUSED);
	} else {
		assert_int_equal(got, ACTED_DONE);
		x->pending = -1;
		if (what != ACT_RETRY)
			done_to(x, (int)what);
	}
}

/* A rerouted one that comes back stays where it is when it is there already: REROUTE leaves it waiting either way. */
static void step_result(struct model *m, struct player *p)
{
	for (size_t i = p->n_transfers; i-- > 0;) {
		struct modelled *x = find(m, p->transfers[i].stored);
		if (x == NULL || !x->in_hand || x->attempt != p->transfers[i].transfer)
			continue;
		const unsigned how = pick(m, 4);
		if (how == 0) {
			x->in_hand = false;
			x->pending = -1;
			x->deliveries++;
			x->fate = F_OVER;
			say_result(p, p->transfers[i].transfer, ERR_NONE, 0);
			fake_env_pass(m->b->env, 2 * LAZY_MS); /* a result waits for a group; a restart before that sends it again */
		} else {
			came_back(x, false, true);
			say_result(p, p->transfers[i].transfer, ERR_TEMP, how == 1 ? ERR_OF_ASSOCIATION : ERR_OF_MESSAGE);
		}
		return;
	}
}

static void step_assoc(struct model *m, struct player *p)
{
	if (p->control == NULL || p->n_opens == 0)
		return;
	const struct msg_assoc a = p->opens[--p->n_opens];
	char link[65];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "refused");
	snprintf(link, sizeof link, "%.*s", (int)a.link.n, (const char *)a.link.p);
	const bool refused = pick(m, 5) == 0;
	m->refused += refused;
	say_assoc(p, refused ? MSG_ASSOC_DOWN : MSG_ASSOC_UP, a.assoc, link, &why);
}

static void join_all(struct model *m)
{
	if (m->b->tool.control == NULL)
		bench_join(m->b, &m->b->tool, PROCESS_TOOL, 0);
	if (m->b->link[0].control == NULL)
		bench_join(m->b, &m->b->link[0], PROCESS_LINK, 1);
	if (m->b->alone.control == NULL)
		bench_join(m->b, &m->b->alone, PROCESS_ALONE, 1);
}

static void step_death(struct model *m)
{
	struct bench *b = m->b;
	const bool fault = pick(m, 2) == 0, alone = pick(m, 2) == 0;
	struct player *p = alone ? &b->alone : &b->link[0];
	for (size_t i = 0; i < p->n_transfers; i++) {
		struct modelled *x = find(m, p->transfers[i].stored);
		if (x != NULL && x->in_hand && x->attempt == p->transfers[i].transfer)
			came_back(x, fault, true);
	}
	m->looked[alone] = 0;
	bench_dies(b, p, alone ? PROCESS_ALONE : PROCESS_LINK, 1, fault, "");
}

static void step_restart(struct model *m)
{
	char queue[65];
	for (size_t i = 0; i < LETTERS; i++)
		if (m->v[i].in_hand)
			m->v[i].pending = -1; /* remembered by the switch only, as ACTED_IN_FLIGHT says */
	all_came_back(m, false);
	m->looked[0] = m->looked[1] = 0;
	restart(m->b); /* the players leave first: what was not handed over yet has come back */
	for (size_t i = 0; i < LETTERS; i++)
		if (where(m->b, m->v[i].id, queue) == IN_QUEUE)
			m->v[i].pending = -1;
}

static void play(struct model *m)
{
	struct player *players[] = { &m->b->link[0], &m->b->alone };
	for (int i = 0; i < STEPS; i++) {
		const unsigned what = pick(m, 40);
		join_all(m);
		if (what < 16)
			step_act(m);
		else if (what < 26)
			step_assoc(m, players[pick(m, 2)]);
		else if (what < 34)
			step_result(m, players[pick(m, 2)]);
		else if (what < 36)
			fake_env_pass(m->b->env, 11 * 1000);
		else if (what < 38)
			step_death(m);
		else if (what == 39)
			step_restart(m);
		join_all(m);
		settle(m);
	}
}

static void test_k157013_k182009_k152876_acts_in_any_order_against_a_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct model m = { .b = bench_new(), .seed = seed * UINT64_C(0x9e3779b97f4a7c15), .first_seed = seed };
		struct store_queued rows[LETTERS];
		struct store_place place = { 0 };
		bench_join(m.b, &m.b->tool, PROCESS_TOOL, 0);
		for (size_t i = 0; i < LETTERS; i++)
			assert_true(offer_of(&m.b->tool, "", LETTER(m.b, "0", TO_C), VIEW("x"))->accepted);
		assert_int_equal(store_queue_next(m.b->sw->store, VIEW("to-c"), PRIORITY_NORMAL, STORE_NEVER - 1, &place, rows, LETTERS),
				 LETTERS);
		for (size_t i = 0; i < LETTERS; i++)
			m.v[i] = (struct modelled){ .id = rows[i].transfer, .pending = -1 };
		play(&m);
		bench_free(m.b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_07_every_act_in_every_state),
		cmocka_unit_test(test_what_waits_after_an_act_is_handed_over),
		cmocka_unit_test(test_k182009_an_act_on_what_is_in_flight_waits_for_its_return),
		cmocka_unit_test(test_k157013_delivered_all_the_same),
		cmocka_unit_test(test_the_last_act_counts),
		cmocka_unit_test(test_reroute_is_refused_where_routing_would_refuse),
		cmocka_unit_test(test_reroute_minds_the_size_limit),
		cmocka_unit_test(test_acts_on_what_waits_for_conversion),
		cmocka_unit_test(test_k115440_priority_stays_with_the_message),
		cmocka_unit_test(test_retry_cuts_the_wait_short),
		cmocka_unit_test(test_a_suspect_is_tried_again_when_asked_for),
		cmocka_unit_test(test_held_does_not_expire),
		cmocka_unit_test(test_status_counts_what_is_held_and_kept),
		cmocka_unit_test(test_k262865_released_is_checked_and_handled_alone),
		cmocka_unit_test(test_k262865_released_elsewhere),
		cmocka_unit_test(test_k247618_k159305_what_cannot_be_read_can_be_deleted),
		cmocka_unit_test(test_k247618_what_kills_the_switch_can_be_deleted),
		cmocka_unit_test(test_k262865_octets_come_back_as_their_links),
		cmocka_unit_test(test_k152876_queue_of_a_link_that_is_gone),
		cmocka_unit_test(test_as_many_as_one_act_may_name),
		cmocka_unit_test(test_delete_with_a_report),
		cmocka_unit_test(test_k157013_k182009_k152876_acts_in_any_order_against_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
