/* store_contract_test.c - what store.h promises, asked of every store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/store_testing.h"

static int setup(void **state)
{
	const bool sqlite = *state != NULL;
	struct world *w = world_new(sqlite);
	world_open(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	world_free(&w);
	return 0;
}

/* --- a message comes in --- */
static void check_loaded(struct world *w, const struct store_message *put, size_t transfer)
{
	struct store_loaded l;
	struct err e;
	if (!store_load_transfer(w->store, put->transfers[transfer].id_r, &l, w->arena, &e))
		fail_msg("%s", e.text);
	assert_int_equal(l.message, put->id_r);
	assert_true(view_eq(l.peer, put->peer));
	assert_int_equal(l.content_size, put->content.n);
	assert_true(view_eq(l.content, put->content));
	assert_false(l.in_file);
	assert_int_equal(l.arrived, put->arrived);
	assert_int_equal(l.expires, put->expires);
	assert_int_equal(l.attempts, 0);
	same_envelope(l.m, put->m);
	assert_int_equal(l.m->n_rcpt, put->n_recipients);
	for (size_t i = 0; i < put->n_recipients; i++) {
		struct recipient want = *put->recipients[i].rcpt;
		want.responsible = put->recipients[i].state == STORE_RCPT_QUEUED &&
				   put->recipients[i].transfer == transfer;
		same_recipient(&l.m->rcpt[i], &want);
	}
}

/* Every field of a message, each transfer with its own recipients: in the open group, committed,
 * and after opening again. */
static void test_transfer_is_loaded_with_its_recipients(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 7, 5, 3, 3000);
	put->recipients[4].state = STORE_RCPT_NOT_OURS;
	const uint64_t id = store_put_message(w->store, put);
	assert_int_equal(id, put->id_r);
	assert_true(id != 0);
	for (unsigned stage = 0; stage < 3; stage++) {
		for (size_t i = 0; i < 3; i++)
			check_loaded(w, put, i);
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
}

static void test_random_messages_come_back(void **state)
{
	struct world *w = *state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct store_message *put = put_of(w, seed, 1 + seed % 4, 1 + seed % 3,
						   (size_t)(seed * 61 % TEST_INLINE_MAX));
		store_put_message(w->store, put);
		if (seed % 3 == 0)
			world_commit(w);
		for (size_t i = 0; i < put->n_transfers; i++)
			check_loaded(w, put, i);
		if (seed % 7 == 0 && store_has_group(w->store))
			world_commit(w);
	}
}

static void test_delivery_is_loaded_for_its_recipient(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 3, 3, 0, 100);
	struct store_delivery deliveries[2] = {{VIEW("anna"), 2, 0}, {VIEW("bert"), 0, 0}};
	put->deliveries = deliveries;
	put->n_deliveries = 2;
	store_put_message(w->store, put);
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_loaded l;
		assert_true(store_load_delivery(w->store, deliveries[0].id_r, &l, w->arena, NULL));
		assert_true(l.m->rcpt[2].responsible && !l.m->rcpt[0].responsible &&
			    !l.m->rcpt[1].responsible);
		assert_true(store_load_delivery(w->store, deliveries[1].id_r, &l, w->arena, NULL));
		assert_true(l.m->rcpt[0].responsible && !l.m->rcpt[2].responsible);
		assert_int_equal(counts_of(w).deliveries, 2);
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
	store_delivery_remove(w->store, deliveries[0].id_r);
	world_commit(w);
	struct store_loaded l;
	struct err e;
	assert_false(store_load_delivery(w->store, deliveries[0].id_r, &l, w->arena, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(counts_of(w).messages, 1);
	store_delivery_remove(w->store, deliveries[1].id_r);
	world_commit(w);
	world_reopen(w);
	assert_int_equal(counts_of(w).messages, 0);
	assert_int_equal(counts_of(w).deliveries, 0);
}

/* By any id there is; by the message's own nobody is to be handed anything. */
static void test_any_id_loads_its_message(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 3, 3, 1, 100);
	struct store_delivery deliveries[1] = {{VIEW("anna"), 2, 0}};
	const struct store_octets o = {.link = VIEW("PARIS"), .cause = VIEW("no P1"), .content = VIEW("octets"), .state = STORE_QUARANTINE_KEPT};
	put->deliveries = deliveries;
	put->n_deliveries = 1;
	store_put_message(w->store, put);
	const uint64_t octets = store_put_octets(w->store, &o);
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_loaded l;
		struct err e;
		const uint64_t ids[] = {put->id_r, put->transfers[0].id_r, deliveries[0].id_r};
		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			if (!store_load_any(w->store, ids[i], &l, w->arena, &e))
				fail_msg("%s", e.text);
			assert_int_equal(l.message, put->id_r);
			same_envelope(l.m, put->m);
			assert_true(view_eq(l.content, put->content));
			assert_int_equal(l.m->rcpt[2].responsible, i == 2 || (i == 1 && put->recipients[2].state == STORE_RCPT_QUEUED));
			assert_true(i != 0 || (!l.m->rcpt[0].responsible && !l.m->rcpt[1].responsible));
		}
		assert_true(store_load_any(w->store, octets, &l, w->arena, &e));
		assert_true(l.m == NULL && view_eq(l.content, VIEW("octets")));
		assert_true(store_load_any(w->store, l.message, &l, w->arena, &e)); /* and by the number of what they are kept as */
		assert_true(l.m == NULL && view_eq(l.content, VIEW("octets")));
		assert_false(store_load_any(w->store, 99999, &l, w->arena, &e));
		assert_int_equal(e.culprit, ERR_OF_MESSAGE);
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
}

static void test_ids_ascend_and_are_never_given_twice(void **state)
{
	struct world *w = *state;
	uint64_t last = 0;
	for (unsigned i = 0; i < 30; i++) {
		struct store_message *put = put_of(w, i, 2, 2, 10);
		store_put_message(w->store, put);
		assert_true(put->id_r > last);
		assert_true(put->transfers[0].id_r > put->id_r &&
			    put->transfers[1].id_r > put->transfers[0].id_r);
		last = put->transfers[1].id_r;
		store_transfer_done(w->store, put->transfers[0].id_r);
		store_transfer_done(w->store, put->transfers[1].id_r);
		world_commit(w);
		if (i % 10 == 9)
			world_reopen(w);
	}
}

/* --- the group --- */
static void test_what_is_not_committed_is_lost_whole(void **state)
{
	struct world *w = *state;
	const uint64_t digest[2] = {11, 12};
	struct store_message *kept = put_simple(w, 1);
	world_commit(w);
	struct store_message *lost = put_simple(w, 2);
	const struct store_step step = {
		.kind = STEP_TRANSFER_IN, .id = &lost->m->id, .digest = {11, 12}};
	store_put_step(w->store, &step);
	store_transfer_done(w->store, kept->transfers[0].id_r);
	assert_true(store_seen(w->store, &lost->m->id, digest));
	assert_int_equal(counts_of(w).messages, 1);
	world_reopen(w);
	assert_false(store_has_group(w->store));
	assert_int_equal(counts_of(w).messages, 1);
	assert_int_equal(counts_of(w).transfers, 1);
	assert_int_equal(counts_of(w).recipients_queued, 1);
	assert_int_equal(counts_of(w).octets, 2048);
	assert_false(store_seen(w->store, &lost->m->id, digest));
	check_loaded(w, kept, 0);
	struct store_loaded l;
	assert_false(store_load_transfer(w->store, lost->transfers[0].id_r, &l, w->arena, NULL));
}

static void put_another(struct world *w)
{
	put_simple(w, 99);
}

/* The switch answers from inside durable(), and what it then puts belongs to the next group. */
static void test_operation_from_inside_durable_joins_next_group(void **state)
{
	struct world *w = *state;
	put_simple(w, 1);
	const uint64_t ticket = store_ticket(w->store);
	w->on_durable = put_another;
	store_commit(w->store);
	assert_int_equal(w->durable, ticket);
	assert_int_equal(w->n_durable, 1);
	assert_true(store_has_group(w->store));
	assert_true(store_ticket(w->store) > ticket);
	world_reopen(w);
	assert_int_equal(counts_of(w).messages, 1);
}

static void test_commit_of_nothing_tells_nothing(void **state)
{
	struct world *w = *state;
	assert_false(store_has_group(w->store));
	store_commit(w->store);
	assert_int_equal(w->n_durable, 0);
}

static void test_full_disk_keeps_the_group_for_the_next_commit(void **state)
{
	struct world *w = *state;
	struct store_message *first = put_simple(w, 1);
	world_commit(w);
	struct store_message *put = put_simple(w, 2);
	store_transfer_done(w->store, first->transfers[0].id_r);
	assert_true(fault_plan("STORE_FULL:1:stick", NULL));
	store_commit(w->store);
	store_commit(w->store);
	assert_int_equal(w->n_durable, 1);
	assert_true(w->full);
	assert_int_equal(w->n_full, 1);
	assert_int_equal(w->why.kind, ERR_TEMP);
	assert_int_equal(w->n_failed, 0);
	assert_true(store_has_group(w->store));
	check_loaded(w, put, 0);
	struct store_message *joined = put_simple(w, 3);
	assert_int_equal(counts_of(w).messages, 2);
	assert_true(fault_plan(NULL, NULL));
	world_commit(w);
	assert_false(w->full);
	assert_int_equal(w->n_full, 2);
	world_reopen(w);
	check_loaded(w, put, 0);
	check_loaded(w, joined, 0);
	assert_int_equal(counts_of(w).messages, 2);
}

static void test_failed_commit_ends_the_store(void **state)
{
	struct world *w = *state;
	struct store_message *kept = put_simple(w, 1);
	world_commit(w);
	put_simple(w, 2);
	assert_true(fault_plan("STORE_COMMIT:1:fail", NULL));
	store_commit(w->store);
	assert_int_equal(w->n_failed, 1);
	assert_int_equal(w->why.kind, ERR_LOCAL);
	assert_false(store_has_group(w->store));
	put_simple(w, 3); /* dropped */
	store_commit(w->store);
	assert_int_equal(w->n_failed, 1);
	assert_int_equal(w->n_durable, 1);
	world_reopen(w);
	assert_int_equal(counts_of(w).messages, 1);
	check_loaded(w, kept, 0);
}

static void test_second_user_is_refused(void **state)
{
	struct world *w = *state;
	struct store *second = world_try_open(w);
	assert_null(second);
	assert_int_equal(w->why.kind, ERR_LOCAL);
	assert_non_null(strstr(w->why.text, "in use"));
	put_simple(w, 1); /* the first one lives on */
	world_commit(w);
}

/* --- what becomes of a transfer --- */
static void test_message_goes_with_its_last_transfer(void **state)
{
	struct world *w = *state;
	for (unsigned commits = 0; commits < 8; commits++) {
		struct store_message *put = put_of(w, commits, 4, 2, 500);
		struct store_delivery delivery = {VIEW("carl"), 3, 0};
		put->recipients[3].state = STORE_RCPT_DELIVERED;
		put->deliveries = &delivery;
		put->n_deliveries = 1;
		store_put_message(w->store, put);
		if (commits & 1)
			world_commit(w);
		store_transfer_done(w->store, put->transfers[1].id_r);
		assert_int_equal(counts_of(w).messages, 1);
		check_loaded(w, put, 0);
		struct store_loaded l;
		assert_false(
			store_load_transfer(w->store, put->transfers[1].id_r, &l, w->arena, NULL));
		if (commits & 2)
			world_commit(w);
		store_delivery_remove(w->store, delivery.id_r);
		if (commits & 4)
			world_commit(w);
		check_loaded(w, put, 0);
		store_transfer_reported(w->store, put->transfers[0].id_r);
		const struct store_counts c = counts_of(w);
		assert_int_equal(c.messages + c.transfers + c.recipients_queued + c.deliveries +
					 c.octets,
				 0);
		if (store_has_group(w->store))
			world_commit(w);
		world_reopen(w);
		assert_int_equal(counts_of(w).messages, 0);
	}
}

static void test_unknown_transfer_is_left_alone(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_simple(w, 1);
	world_commit(w);
	store_transfer_done(w->store, put->transfers[0].id_r + 1000);
	store_transfer_reported(w->store, put->id_r);
	store_transfer_retry(w->store, 0, 5, 5, "no such");
	store_transfer_move(w->store, UINT64_MAX >> 1, VIEW("q1"), 0, (struct view){NULL, 0});
	store_delivery_remove(w->store, put->transfers[0].id_r);
	if (store_has_group(w->store))
		world_commit(w);
	check_loaded(w, put, 0);
}

static size_t list(struct world *w, const char *queue, enum priority p, wall_ms_t until,
		   uint64_t *ids, size_t max, size_t page)
{
	struct store_place place = {0};
	struct store_queued rows[16];
	size_t n = 0, got;
	assert_true(page <= ARRAY_LEN(rows));
	while ((got = store_queue_next(w->store, view_str(queue), p, until, &place, rows, page)) >
	       0)
		for (size_t i = 0; i < got && n < max; i++) {
			assert_true(rows[i].next_ms <= until);
			assert_int_equal(rows[i].priority, p);
			ids[n++] = rows[i].transfer;
		}
	return n;
}

/* Order is (next_ms, transfer); committed rows and those of the open group stand in one list,
 * whatever the page. */
static void test_queue_is_listed_in_order(void **state)
{
	struct world *w = *state;
	const wall_ms_t next[] = {50, 0, 20, 70, 0, 20, 10};
	const size_t order[] = {1, 4, 6, 2, 5, 0, 3};
	uint64_t ids[ARRAY_LEN(next)], listed[16];
	for (size_t i = 0; i < ARRAY_LEN(next); i++) {
		struct store_message *put = put_of(w, i, 1, 1, 100);
		((struct message *)(uintptr_t)put->m)->priority = PRIORITY_URGENT;
		put->transfers[0].next_ms = next[i];
		store_put_message(w->store, put);
		ids[i] = put->transfers[0].id_r;
		if (i == 3)
			world_commit(w);
	}
	for (unsigned stage = 0; stage < 3; stage++) {
		for (size_t page = 1; page < 9; page++) {
			assert_int_equal(list(w, "q0", PRIORITY_URGENT, 1000, listed, 16, page),
					 ARRAY_LEN(next));
			for (size_t i = 0; i < ARRAY_LEN(next); i++)
				assert_int_equal(listed[i], ids[order[i]]);
		}
		assert_int_equal(list(w, "q0", PRIORITY_URGENT, 20, listed, 16, 3), 5);
		assert_int_equal(list(w, "q0", PRIORITY_URGENT, 19, listed, 16, 3), 3);
		assert_int_equal(list(w, "q0", PRIORITY_NORMAL, 1000, listed, 16, 3), 0);
		assert_int_equal(list(w, "q1", PRIORITY_URGENT, 1000, listed, 16, 3), 0);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q0"), 0), 10);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q0"), 20), 50);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q0"), 70), 0);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q1"), 0), 0);
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
}

static void test_rows_of_a_queue_say_what_they_are(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_simple(w, 5);
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_place place = {0};
		struct store_queued row;
		assert_int_equal(
			store_queue_next(w->store, VIEW("q0"), PRIORITY_NORMAL, 0, &place, &row, 1),
			1);
		assert_int_equal(row.transfer, put->transfers[0].id_r);
		assert_int_equal(row.message, put->id_r);
		assert_int_equal(row.arrived, put->arrived);
		assert_int_equal(row.expires, put->expires);
		assert_int_equal(row.size, 2048);
		assert_int_equal(row.attempts, 0);
		assert_int_equal(place.transfer, row.transfer);
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
}

static void test_retry_and_move_change_the_place(void **state)
{
	struct world *w = *state;
	for (unsigned commits = 0; commits < 8; commits++) {
		struct store_message *a = put_simple(w, 1), *b = put_simple(w, 2);
		uint64_t ids[4];
		if (commits & 1)
			world_commit(w);
		store_transfer_retry(w->store, a->transfers[0].id_r, 500, 3,
				     "the peer does not answer");
		assert_int_equal(list(w, "q0", PRIORITY_NORMAL, 499, ids, 4, 4), 1);
		assert_int_equal(ids[0], b->transfers[0].id_r);
		if (commits & 2)
			world_commit(w);
		assert_int_equal(list(w, "q0", PRIORITY_NORMAL, 500, ids, 4, 1), 2);
		assert_int_equal(ids[1], a->transfers[0].id_r);
		store_transfer_move(w->store, b->transfers[0].id_r, VIEW("elsewhere"), 700, (struct view){NULL, 0});
		if (commits & 4)
			world_commit(w);
		for (unsigned stage = 0; stage < 2; stage++) {
			struct store_loaded l;
			assert_true(store_load_transfer(w->store, a->transfers[0].id_r, &l,
							w->arena, NULL));
			assert_int_equal(l.attempts, 3);
			assert_int_equal(list(w, "q0", PRIORITY_NORMAL, 9999, ids, 4, 2), 1);
			assert_int_equal(list(w, "elsewhere", PRIORITY_NORMAL, 9999, ids, 4, 2), 1);
			assert_int_equal(ids[0], b->transfers[0].id_r);
			assert_int_equal(store_queue_wakes(w->store, VIEW("elsewhere"), 0), 700);
			if (stage == 0) {
				if (store_has_group(w->store))
					world_commit(w);
				world_reopen(w);
			}
		}
		store_transfer_done(w->store, a->transfers[0].id_r);
		store_transfer_done(w->store, b->transfers[0].id_r);
		assert_int_equal(list(w, "elsewhere", PRIORITY_NORMAL, 9999, ids, 4, 2), 0);
		world_commit(w);
	}
}

struct sums {
	uint64_t transfers[3], octets[3], recipients;
	unsigned calls;
};

static void add_queue(void *ctx, const struct store_queue *q)
{
	struct sums *s = ctx;
	assert_int_equal(q->name.n, 2);
	s->transfers[q->name.p[1] - '0'] = q->transfers;
	s->octets[q->name.p[1] - '0'] = q->octets;
	s->recipients += q->recipients;
	s->calls++;
}

static void test_queues_are_summed(void **state)
{
	struct world *w = *state;
	store_put_message(w->store, put_of(w, 1, 6, 3, 100));
	world_commit(w);
	struct store_message *put = put_of(w, 2, 2, 2, 50);
	store_put_message(w->store, put);
	for (unsigned stage = 0; stage < 3; stage++) {
		struct sums s = {0};
		store_queues(w->store, add_queue, &s);
		assert_int_equal(s.calls, 3);
		assert_int_equal(s.transfers[0], 2);
		assert_int_equal(s.octets[0], 150);
		assert_int_equal(s.transfers[1], 2);
		assert_int_equal(s.transfers[2], 1);
		assert_int_equal(s.octets[2], 100);
		assert_int_equal(counts_of(w).recipients_queued, 8);
		assert_int_equal(s.recipients, 8);
		assert_int_equal(counts_of(w).transfers, 5);
		assert_int_equal(counts_of(w).octets, 150);
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
	store_transfer_done(w->store, put->transfers[0].id_r);
	store_transfer_move(w->store, put->transfers[1].id_r, VIEW("q2"), 0, (struct view){NULL, 0});
	struct sums s = {0};
	store_queues(w->store, add_queue, &s);
	assert_int_equal(s.transfers[0], 1);
	assert_int_equal(s.transfers[1], 1);
	assert_int_equal(s.transfers[2], 2);
	assert_int_equal(s.octets[2], 150);
}

/* --- content in files --- */
static void check_content(struct world *w, uint64_t message, uint64_t seed, size_t n)
{
	uint8_t buf[777];
	size_t got;
	for (uint64_t at = 0; at < n; at += got) {
		assert_true(
			store_read_content(w->store, message, at, buf, sizeof buf, &got, &w->why));
		assert_int_equal(got, n - at < sizeof buf ? n - at : sizeof buf);
		for (size_t i = 0; i < got; i++)
			assert_int_equal(buf[i], content_octet(seed, at + i));
	}
	assert_true(store_read_content(w->store, message, n, buf, sizeof buf, &got, &w->why));
	assert_int_equal(got, 0);
}

static void test_large_content_lies_in_a_file(void **state)
{
	struct world *w = *state;
	enum { OCTETS = 100 * 1000 };
	struct store_message *put = put_of(w, 4, 1, 1, 0);
	put->file = content_file(w, 4, OCTETS);
	assert_true(w->synced);
	store_put_message(w->store, put);
	struct store_content *handle = put->file;
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_loaded l;
		assert_true(
			store_load_transfer(w->store, put->transfers[0].id_r, &l, w->arena, NULL));
		assert_true(l.in_file);
		assert_int_equal(l.content_size, OCTETS);
		assert_int_equal(l.content.n, 0);
		assert_int_equal(counts_of(w).octets, OCTETS);
		check_content(w, put->id_r, 4, OCTETS);
		if (stage == 0) {
			world_commit(w);
			store_content_free(&handle);
			assert_null(handle);
		} else {
			world_reopen(w);
		}
		if (w->sqlite)
			assert_int_equal(content_files(w), 1);
	}
	store_transfer_done(w->store, put->transfers[0].id_r);
	world_commit(w);
	uint8_t octet;
	size_t got;
	assert_false(store_read_content(w->store, put->id_r, 0, &octet, 1, &got, &w->why));
	assert_int_equal(content_files(w), 0);
}

/* A reader may still be at a message whose end is in the open group: a kill now would bring it
 * back. */
static void test_file_stays_until_its_end_is_durable(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 4, 1, 1, 0);
	put->file = content_file(w, 4, 9000);
	store_put_message(w->store, put);
	world_commit(w);
	store_content_free(&put->file);
	store_transfer_done(w->store, put->transfers[0].id_r);
	world_reopen(w);
	check_content(w, put->id_r, 4, 9000);
}

/* What was split from a message, and the report about it, have its file too: it goes with the last, whichever that is. */
static void test_several_messages_share_a_file(void **state)
{
	struct world *w = *state;
	for (unsigned last = 0; last < 2; last++) {
		struct store_message *put = put_of(w, 4, 1, 1, 0), *other = put_of(w, 5, 1, 1, 0);
		put->file = content_file(w, 4, 9000);
		store_put_message(w->store, put);
		other->content_of = put->id_r;
		store_put_message(w->store, other);
		world_commit(w);
		store_content_free(&put->file);
		assert_int_equal(counts_of(w).octets, 18000);
		const struct store_message *first = last == 0 ? other : put, *second = last == 0 ? put : other;
		store_transfer_done(w->store, first->transfers[0].id_r);
		world_commit(w);
		world_reopen(w);
		struct store_loaded l;
		assert_true(store_load_transfer(w->store, second->transfers[0].id_r, &l, w->arena, NULL));
		assert_true(l.in_file);
		assert_int_equal(l.content_size, 9000);
		check_content(w, second->id_r, 4, 9000);
		store_transfer_done(w->store, second->transfers[0].id_r);
		world_commit(w);
		assert_int_equal(content_files(w), 0);
		assert_int_equal(counts_of(w).octets, 0);
		world_reopen(w);
		assert_int_equal(counts_of(w).messages, 0);
	}
}

static void test_content_that_is_given_up_is_removed(void **state)
{
	struct world *w = *state;
	struct store_content *c = content_file(w, 1, 5000);
	store_content_free(&c);
	assert_int_equal(content_files(w), 0);
	struct store_message *put = put_of(w, 4, 1, 1, 0); /* put, but never committed */
	put->file = content_file(w, 4, 9000);
	store_put_message(w->store, put);
	store_content_free(&put->file);
	world_reopen(w);
	assert_int_equal(content_files(w), 0);
	assert_int_equal(counts_of(w).messages, 0);
	/* Put and over within one group. */
	put->file = content_file(w, 4, 9000);
	store_put_message(w->store, put);
	store_transfer_done(w->store, put->transfers[0].id_r);
	world_commit(w);
	store_content_free(&put->file);
	assert_int_equal(content_files(w), 0);
}

struct until_gone {
	struct world *w;
	struct timer timer;
};

static void look_again(void *ctx)
{
	struct until_gone *u = ctx;
	if (content_files(u->w) == 0)
		loop_stop(u->w->env);
	else
		timer_after(&u->timer, 1);
}

/* Its link died while the disk was busy. */
static void test_content_is_given_up_while_it_is_synced(void **state)
{
	struct world *w = *state;
	struct store_content *c = store_content_new(w->store, &w->why);
	assert_true(store_content_append(c, VIEW("some octets"), &w->why));
	w->synced = w->sync_failed = false;
	store_content_sync(c, world_sync_done, w);
	store_content_free(&c);
	assert_null(c);
	struct until_gone u = {.w = w};
	timer_init(&u.timer, w->env, look_again, &u);
	timer_after(&u.timer, 0);
	loop_run(w->env); /* ends when the file is gone, which is when the sync is done */
	assert_false(w->synced || w->sync_failed);
}

static void test_content_that_fails_is_told(void **state)
{
	struct world *w = *state;
	assert_true(fault_plan("CONTENT_OPEN:1:fail", NULL));
	assert_null(store_content_new(w->store, &w->why));
	assert_true(fault_plan("CONTENT_WRITE:1:fail", NULL));
	struct store_content *c = store_content_new(w->store, &w->why);
	assert_non_null(c);
	assert_false(store_content_append(c, VIEW("x"), &w->why));
	assert_false(store_content_append(c, VIEW("y"), &w->why)); /* no hole in the middle */
	store_content_free(&c);
	assert_true(fault_plan("CONTENT_SYNC:1:fail", NULL));
	c = content_file(w, 1, 5000);
	assert_true(w->sync_failed);
	store_content_free(&c);
	assert_int_equal(content_files(w), 0);
}

/* --- duplicates --- */
static void put_seen(struct world *w, enum store_step_kind kind, const struct mts_id *id,
		     uint64_t a, uint64_t b)
{
	const struct store_step step = {
		.kind = kind, .id = id, .peer = VIEW("PARIS"), .digest = {a, b}, .size = 5};
	store_put_step(w->store, &step);
}

static bool is_seen(struct world *w, const struct mts_id *id, uint64_t a, uint64_t b)
{
	return store_seen(w->store, id, (uint64_t[]){a, b});
}

static void test_duplicate_is_known_by_identifier_and_digest(void **state)
{
	struct world *w = *state;
	const struct mts_id id = dice_message(1, w->arena)->id;
	struct mts_id other = id;
	other.local = VIEW("another");
	put_seen(w, STEP_TRANSFER_IN, &id, 1, 2);
	put_seen(w, STEP_TRANSFER_OUT, &id, 5, 6);
	put_seen(w, STEP_SUBMITTED, &other, 3, 4);
	put_seen(w, STEP_REPORT_IN, &other, 7, 8);
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_true(is_seen(w, &id, 1, 2));
		assert_true(is_seen(w, &other, 3, 4));
		assert_true(is_seen(w, &other, 7, 8));
		assert_false(is_seen(w, &id, 1, 3));
		assert_false(is_seen(w, &id, 2, 2));
		assert_false(is_seen(w, &other, 1, 2));
		assert_false(is_seen(w, &id, 3, 4));
		assert_false(is_seen(w, &id, 5, 6)); /* it went out, it did not come */
		if (stage == 0)
			world_commit(w);
		else
			world_reopen(w);
	}
}

/* Domains compare folded (X.411 MTSIdentifier, message.h), so the copy need not have the same
 * octets. */
static void test_duplicate_is_known_with_its_domain_folded(void **state)
{
	struct world *w = *state;
	struct mts_id id = {.domain = {.country = {ORA_PRINTABLE, VIEW("AQ")},
				       .admd = {ORA_PRINTABLE, VIEW("Penguin")}},
			    .local = VIEW("0815")};
	put_seen(w, STEP_TRANSFER_IN, &id, 1, 2);
	id.domain.admd.value = VIEW("PENGUIN");
	assert_true(is_seen(w, &id, 1, 2));
	id.domain.admd.value = VIEW("SEAL");
	assert_false(is_seen(w, &id, 1, 2));
	world_commit(w);
	assert_false(is_seen(w, &id, 1, 2));
	id.domain.admd.value = VIEW("PENGUIN");
	assert_true(is_seen(w, &id, 1, 2));
}

/* More steps than any index keeps apart; then all of them forgotten. */
static void test_many_steps_are_kept_and_forgotten(void **state)
{
	struct world *w = *state;
	enum { STEPS = 20000 };
	char name[32];
	struct mts_id id = {.domain = {.country = {ORA_PRINTABLE, VIEW("AQ")}}};
	for (unsigned i = 0; i < STEPS; i++) {
		snprintf(name, sizeof name, "id-%u", i);
		id.local = view_str(name);
		put_seen(w, STEP_TRANSFER_IN, &id, i, i + 1);
		if (i % 500 == 499)
			world_commit(w);
	}
	for (unsigned stage = 0; stage < 2; stage++, world_reopen(w))
		for (unsigned i = 0; i < STEPS; i += 37) {
			snprintf(name, sizeof name, "id-%u", i);
			id.local = view_str(name);
			assert_true(is_seen(w, &id, i, i + 1));
			assert_false(is_seen(w, &id, i + 1, i + 1));
		}
	assert_false(store_forget_steps(w->store, 1000, 0, &(wall_ms_t){0})); /* none is that old */
	assert_false(store_has_group(w->store));
	unsigned calls = 0;
	while (store_forget_steps(w->store, INT64_MAX, 0, &(wall_ms_t){0})) {
		world_commit(w);
		assert_true(++calls < STEPS);
	}
	assert_true(calls > 1);
	if (store_has_group(w->store))
		world_commit(w);
	for (unsigned stage = 0; stage < 2; stage++, world_reopen(w))
		for (unsigned i = 0; i < STEPS; i += 37) {
			snprintf(name, sizeof name, "id-%u", i);
			id.local = view_str(name);
			assert_false(is_seen(w, &id, i, i + 1));
		}
}

static uint64_t tracking_octets(struct world *w)
{
	struct store_counts c;
	store_count(w->store, &c);
	return c.tracking_octets;
}

/* The oldest go until the others take as little as that; what a search and duplicates know of them goes with them. */
static void test_steps_are_bounded_by_size(void **state)
{
	struct world *w = *state;
	enum { STEPS = 6000 };
	char name[32];
	wall_ms_t until = 1;
	struct mts_id id = {.domain = {.country = {ORA_PRINTABLE, VIEW("AQ")}}};
	const uint64_t none = tracking_octets(w);
	assert_int_equal(none, 0);
	for (unsigned i = 0; i < STEPS; i++) {
		snprintf(name, sizeof name, "id-%05u", i);
		id.local = view_str(name);
		const struct store_step step = {.kind = STEP_TRANSFER_IN, .id = &id, .digest = {i, i}, .keys = VIEW("\0\0\0\0\0\0\0\x09"), .text = VIEW("to somebody")};
		store_put_step(w->store, &step);
	}
	world_commit(w);
	const uint64_t all = tracking_octets(w);
	assert_true(all > STEPS * 100 && all < STEPS * 400);
	world_reopen(w); /* an estimate now, of what is there */
	assert_true(tracking_octets(w) > all / 2 && tracking_octets(w) < all * 2);
	assert_false(store_forget_steps(w->store, 1000, tracking_octets(w), &until));
	assert_int_equal(until, 0);
	unsigned calls = 0;
	for (bool more = true; more; calls++) {
		more = store_forget_steps(w->store, 1000, all / 4, &until);
		assert_true(until != 0 && calls < STEPS);
		if (store_has_group(w->store))
			world_commit(w);
	}
	assert_true(calls > 1);
	assert_true(tracking_octets(w) <= all / 4 && tracking_octets(w) > all / 8);
	for (unsigned stage = 0; stage < 2; stage++, world_reopen(w)) {
		id.local = VIEW("id-00100");
		assert_false(is_seen(w, &id, 100, 100));
		id.local = VIEW("id-05900");
		assert_true(is_seen(w, &id, 5900, 5900));
	}
}

static void test_numbers_are_never_given_twice(void **state)
{
	struct world *w = *state;
	uint64_t next = store_reserve_numbers(w->store, 1000);
	next += 1000;
	for (unsigned i = 0; i < 10; i++) {
		if (store_has_group(w->store))
			world_commit(w);
		if (i % 2 == 0)
			world_reopen(w);
		const uint64_t first = store_reserve_numbers(w->store, 100 + i);
		assert_true(first >= next);
		next = first + 100 + i;
	}
}

static void add_total(void *ctx, struct view name, struct view text)
{
	struct out *o = ctx;
	out_fmt(o, "%.*s=%.*s;", (int)name.n, (const char *)name.p, (int)text.n, (const char *)text.p);
}

static void check_totals(struct world *w, const char *want)
{
	struct out o;
	out_init(&o, 4096);
	store_totals(w->store, add_total, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

/* A total is durable with what it counts: both or neither survive. */
static void test_totals_go_with_their_group(void **state)
{
	struct world *w = *state;
	check_totals(w, "");
	store_total_put(w->store, VIEW("mta"), VIEW("received 1"));
	store_put_message(w->store, put_of(w, 1, 6, 3, 100));
	check_totals(w, "mta=received 1;"); /* of the open group too */
	world_reopen(w);
	check_totals(w, "");
	assert_int_equal(counts_of(w).messages, 0);
	store_total_put(w->store, VIEW("mta"), VIEW("received 1"));
	store_total_put(w->store, VIEW("link b"), VIEW("sent 7"));
	store_total_put(w->store, VIEW("link a"), VIEW("sent 0"));
	store_put_message(w->store, put_of(w, 1, 6, 3, 100));
	world_commit(w);
	store_total_put(w->store, VIEW("mta"), VIEW("received 2"));
	check_totals(w, "link a=sent 0;link b=sent 7;mta=received 2;");
	world_reopen(w);
	check_totals(w, "link a=sent 0;link b=sent 7;mta=received 1;");
	assert_int_equal(counts_of(w).messages, 1);
	store_total_put(w->store, VIEW("mta"), VIEW("received 3"));
	world_commit(w);
	world_reopen(w);
	check_totals(w, "link a=sent 0;link b=sent 7;mta=received 3;");
}

static void test_a_transfer_that_is_done_says_its_recipients(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 1, 6, 3, 100); /* six recipients, each third of them in one transfer */
	store_put_message(w->store, put);
	world_commit(w);
	uint64_t n = 0;
	for (size_t i = 0; i < put->n_recipients; i++)
		n += put->recipients[i].state == STORE_RCPT_QUEUED && put->recipients[i].transfer == 0;
	assert_int_equal(store_transfer_done(w->store, put->transfers[0].id_r), n);
	assert_true(n > 0);
	assert_int_equal(store_transfer_done(w->store, put->transfers[0].id_r), 0); /* it is gone */
}

#define TESTS(X)                                                                                   \
	X(test_transfer_is_loaded_with_its_recipients)                                             \
	X(test_totals_go_with_their_group)                                                         \
	X(test_a_transfer_that_is_done_says_its_recipients)                                        \
	X(test_random_messages_come_back)                                                          \
	X(test_delivery_is_loaded_for_its_recipient)                                               \
	X(test_any_id_loads_its_message)                                                           \
	X(test_ids_ascend_and_are_never_given_twice)                                               \
	X(test_what_is_not_committed_is_lost_whole)                                                \
	X(test_operation_from_inside_durable_joins_next_group)                                     \
	X(test_commit_of_nothing_tells_nothing)                                                    \
	X(test_full_disk_keeps_the_group_for_the_next_commit)                                      \
	X(test_failed_commit_ends_the_store)                                                       \
	X(test_second_user_is_refused)                                                             \
	X(test_message_goes_with_its_last_transfer)                                                \
	X(test_unknown_transfer_is_left_alone)                                                     \
	X(test_queue_is_listed_in_order)                                                           \
	X(test_rows_of_a_queue_say_what_they_are)                                                  \
	X(test_retry_and_move_change_the_place)                                                    \
	X(test_queues_are_summed)                                                                  \
	X(test_large_content_lies_in_a_file)                                                       \
	X(test_file_stays_until_its_end_is_durable)                                                \
	X(test_several_messages_share_a_file)                                                      \
	X(test_content_that_is_given_up_is_removed)                                                \
	X(test_content_is_given_up_while_it_is_synced)                                             \
	X(test_content_that_fails_is_told)                                                         \
	X(test_duplicate_is_known_by_identifier_and_digest)                                        \
	X(test_duplicate_is_known_with_its_domain_folded)                                          \
	X(test_many_steps_are_kept_and_forgotten)                                                  \
	X(test_steps_are_bounded_by_size)                                                          \
	X(test_numbers_are_never_given_twice)

int main(void)
{
#define ROW(f) {#f " (memory)", f, setup, teardown, NULL},
	const struct CMUnitTest memory[] = {TESTS(ROW)};
#undef ROW
#define ROW(f) {#f " (sqlite)", f, setup, teardown, (void *)(uintptr_t) "sqlite"},
	const struct CMUnitTest sqlite[] = {TESTS(ROW)};
#undef ROW
	const int failures =
		cmocka_run_group_tests_name("store contract: memory", memory, NULL, NULL);
	return failures + cmocka_run_group_tests_name("store contract: SQLite", sqlite, NULL, NULL);
}
