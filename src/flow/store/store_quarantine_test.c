/* store_quarantine_test.c - what store.h promises about suspects, quarantine, held and expired
 * transfers, and lost steps, asked of every store. */
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

/* In the open group, committed, opened again: everything is asked three times. */
static void next_stage(struct world *w, unsigned stage)
{
	if (stage == 0)
		world_commit(w);
	else
		world_reopen(w);
}

static size_t in_queue(struct world *w, const char *queue)
{
	struct store_queued rows[16];
	size_t n = 0;
	for (int p = 0; p < PRIORITY_COUNT; p++) {
		struct store_place place = {0};
		n += store_queue_next(w->store, view_str(queue), (enum priority)p, INT64_MAX,
				      &place, rows, ARRAY_LEN(rows));
	}
	return n;
}

static bool is_loaded(struct world *w, uint64_t transfer, struct store_loaded *l)
{
	return store_load_transfer(w->store, transfer, l, w->arena, &w->why);
}

static bool is_quarantined(struct world *w, uint64_t id, struct store_quarantine *q)
{
	return store_load_quarantine(w->store, id, q, w->arena, &w->why);
}

#define assert_view(v, text) assert_true(view_eq(v, view_str(text)))

/* --- a transfer --- */
static void test_quarantined_transfer_keeps_id_and_message(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 7, 5, 3, 3000);
	store_put_message(w->store, put);
	const uint64_t id = put->transfers[1].id_r;
	store_transfer_retry(w->store, id, 50, 9, "it died");
	store_transfer_quarantine(w->store, id, 3, "three processes died", "SIGSEGV in ipm");
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_queued row;
		struct store_quarantine q;
		struct store_loaded l;
		struct view queue;
		assert_int_equal(in_queue(w, "q1"), 0);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q1"), 0), 0);
		assert_false(store_find_transfer(w->store, id, &row, &queue));
		assert_true(is_quarantined(w, id, &q));
		assert_int_equal(q.id, id);
		assert_int_equal(q.message, put->id_r);
		assert_int_equal(q.state, STORE_QUARANTINE_KEPT);
		assert_false(q.octets);
		assert_true(q.at > 0);
		assert_int_equal(q.strikes, 3);
		assert_int_equal(q.size, 3000);
		assert_view(q.link, "q1");
		assert_view(q.cause, "three processes died");
		assert_view(q.words, "SIGSEGV in ipm");
		assert_int_equal(q.key.n, 0);
		assert_true(is_loaded(w, id, &l));
		same_envelope(l.m, put->m);
		assert_true(view_eq(l.content, put->content));
		assert_int_equal(l.attempts, 9);
		for (size_t i = 0; i < put->n_recipients; i++)
			assert_int_equal(l.m->rcpt[i].responsible,
					 put->recipients[i].transfer == 1);
		const struct store_counts c = counts_of(w);
		assert_int_equal(c.messages, 1);
		assert_int_equal(c.transfers, 2);
		assert_int_equal(c.quarantined, 1);
		assert_int_equal(c.recipients_queued, 3);
		assert_int_equal(c.octets, 3000);
		next_stage(w, stage);
	}
}

static void test_message_lives_as_long_as_it_is_in_quarantine(void **state)
{
	struct world *w = *state;
	struct store_message *many = put_of(w, 7, 5, 3, 3000), *one = put_of(w, 8, 1, 1, 0);
	struct store_loaded l;
	struct store_quarantine q;
	one->file = content_file(w, 8, 9000);
	store_put_message(w->store, many);
	store_put_message(w->store, one);
	store_transfer_quarantine(w->store, many->transfers[0].id_r, 3, "cause", NULL);
	store_transfer_quarantine(w->store, one->transfers[0].id_r, 3, "cause", NULL);
	world_commit(w);
	store_content_free(&one->file);
	store_transfer_done(w->store, many->transfers[1].id_r);
	store_transfer_reported(w->store, many->transfers[2].id_r);
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_int_equal(counts_of(w).messages, 2);
		assert_int_equal(counts_of(w).octets, 12000);
		assert_true(is_loaded(w, many->transfers[0].id_r, &l));
		assert_true(is_loaded(w, one->transfers[0].id_r, &l));
		assert_true(l.in_file);
		assert_true(is_quarantined(w, one->transfers[0].id_r, &q));
		assert_int_equal(q.words.n, 0);
		next_stage(w, stage);
	}
	store_quarantine_remove(w->store, many->transfers[0].id_r);
	store_quarantine_remove(w->store, one->transfers[0].id_r);
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_int_equal(counts_of(w).messages, 0);
		assert_int_equal(counts_of(w).octets, 0);
		assert_int_equal(counts_of(w).quarantined, 0);
		assert_false(is_loaded(w, many->transfers[0].id_r, &l));
		assert_false(is_quarantined(w, one->transfers[0].id_r, &q));
		next_stage(w, stage);
	}
	assert_int_equal(content_files(w), 0);
}

static void test_released_transfer_is_one_again(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 7, 5, 3, 3000);
	store_put_message(w->store, put);
	const uint64_t id = put->transfers[0].id_r;
	struct store_queued before, row;
	struct view queue;
	store_transfer_retry(w->store, id, 77, 4, "refused");
	assert_true(store_find_transfer(w->store, id, &before, &queue));
	store_transfer_quarantine(w->store, id, 3, "cause", "words");
	world_commit(w);
	store_quarantine_release(w->store, id, VIEW("q3"), 500);
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_quarantine q;
		struct store_loaded l;
		assert_false(is_quarantined(w, id, &q));
		assert_true(store_find_transfer(w->store, id, &row, &queue));
		assert_view(queue, "q3");
		assert_int_equal(row.transfer, id);
		assert_int_equal(row.message, put->id_r);
		assert_int_equal(row.priority, before.priority);
		assert_int_equal(row.next_ms, 500);
		assert_int_equal(row.arrived, before.arrived);
		assert_int_equal(row.expires, before.expires);
		assert_int_equal(row.attempts, 4);
		assert_int_equal(row.size, before.size);
		assert_int_equal(in_queue(w, "q0"), 0);
		assert_int_equal(in_queue(w, "q3"), 1);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q3"), 0), 500);
		assert_true(is_loaded(w, id, &l));
		assert_int_equal(counts_of(w).transfers, 3);
		assert_int_equal(counts_of(w).recipients_queued, 5);
		assert_int_equal(counts_of(w).quarantined, 0);
		next_stage(w, stage);
	}
	store_transfer_quarantine(w->store, id, 3, "again", "words"); /* and again in one group */
	store_quarantine_release(w->store, id, VIEW("q0"), 0);
	store_transfer_done(w->store, id);
	world_commit(w);
	assert_int_equal(counts_of(w).transfers, 2);
}

/* --- octets --- */
static struct store_octets octets_of(struct world *w, size_t n)
{
	return (struct store_octets){.link = VIEW("PARIS"),
				     .peer = VIEW("10.0.0.7:4711"),
				     .key = VIEW("input PARIS 0123456789abcdef"),
				     .cause = VIEW("it is no P1"),
				     .state = STORE_QUARANTINE_EXAMINE,
				     .content = content_of(w, 3, n),
				     .arrived = 4444};
}

static void check_octets(struct world *w, uint64_t id, size_t n, bool in_file)
{
	struct store_quarantine q;
	struct store_loaded l;
	assert_true(is_quarantined(w, id, &q));
	assert_true(q.octets);
	assert_int_equal(q.id, id);
	assert_int_equal(q.size, n);
	assert_int_equal(q.strikes, 0);
	assert_view(q.link, "PARIS");
	assert_view(q.cause, "it is no P1");
	assert_view(q.key, "input PARIS 0123456789abcdef");
	assert_true(is_loaded(w, id, &l));
	assert_null(l.m);
	assert_int_equal(l.message, q.message);
	assert_int_equal(l.content_size, n);
	assert_int_equal(l.in_file, in_file);
	assert_int_equal(l.content.n, in_file ? 0 : n);
	assert_int_equal(l.arrived, 4444);
	assert_view(l.peer, "PARIS");
	uint8_t buf[20000];
	size_t got;
	assert_true(n <= sizeof buf);
	assert_true(
		store_read_content(w->store, q.message, 0, buf, sizeof buf, &got, &w->why));
	assert_int_equal(got, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf[i], content_octet(3, i));
}

static void test_octets_are_kept_as_they_came(void **state)
{
	struct world *w = *state;
	struct store_octets small = octets_of(w, 700), large = octets_of(w, 0);
	struct store_content *file = large.file = content_file(w, 3, 15000);
	large.words = VIEW("SIGABRT");
	large.state = STORE_QUARANTINE_KEPT;
	const uint64_t a = store_put_octets(w->store, &small), b = store_put_octets(w->store, &large);
	assert_true(a != 0 && b > a);
	for (unsigned stage = 0; stage < 3; stage++) {
		struct store_quarantine q;
		check_octets(w, a, 700, false);
		check_octets(w, b, 15000, true);
		assert_true(is_quarantined(w, a, &q));
		assert_int_equal(q.state, STORE_QUARANTINE_EXAMINE);
		assert_view(q.words, "10.0.0.7:4711"); /* for want of words */
		assert_true(is_quarantined(w, b, &q));
		assert_int_equal(q.state, STORE_QUARANTINE_KEPT);
		assert_view(q.words, "SIGABRT");
		assert_int_equal(counts_of(w).messages, 2);
		assert_int_equal(counts_of(w).quarantined, 2);
		assert_int_equal(counts_of(w).transfers, 0);
		assert_int_equal(counts_of(w).octets, 15700);
		if (stage == 0)
			world_commit(w);
		store_content_free(&file);
		if (stage > 0)
			world_reopen(w);
	}
	store_quarantine_release(w->store, a, VIEW("q0"), 0); /* cannot be */
	check_octets(w, a, 700, false);
	store_quarantine_remove(w->store, a);
	store_quarantine_remove(w->store, b);
	world_commit(w);
	assert_int_equal(counts_of(w).messages, 0);
	assert_int_equal(counts_of(w).octets, 0);
	assert_int_equal(content_files(w), 0);
}

/* What a kill leaves before they are durable is nothing. */
static void test_octets_are_lost_with_their_group(void **state)
{
	struct world *w = *state;
	struct store_octets o = octets_of(w, 0);
	struct store_quarantine q;
	struct store_content *file = o.file = content_file(w, 3, 15000);
	const uint64_t id = store_put_octets(w->store, &o);
	store_content_free(&file);
	world_reopen(w);
	assert_false(is_quarantined(w, id, &q));
	assert_int_equal(content_files(w), 0);
	assert_int_equal(counts_of(w).quarantined, 0);
}

static void test_quarantine_is_set_and_listed(void **state)
{
	struct world *w = *state;
	uint64_t ids[5], got[3];
	struct store_octets o = octets_of(w, 10);
	struct store_quarantine q;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = store_put_octets(w->store, &o);
	world_commit(w);
	store_quarantine_set(w->store, ids[1], STORE_QUARANTINE_KEPT, 3, "it kills", "SIGBUS");
	store_quarantine_set(w->store, ids[3], STORE_QUARANTINE_EXAMINE, 1, NULL, NULL);
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_int_equal(store_quarantine_next(w->store, STORE_QUARANTINE_EXAMINE, 0, got,
						       3),
				 3);
		assert_true(got[0] == ids[0] && got[1] == ids[2] && got[2] == ids[3]);
		assert_int_equal(store_quarantine_next(w->store, STORE_QUARANTINE_EXAMINE, ids[3],
						       got, 3),
				 1);
		assert_int_equal(got[0], ids[4]);
		assert_int_equal(store_quarantine_next(w->store, STORE_QUARANTINE_KEPT, 0, got, 3),
				 1);
		assert_int_equal(got[0], ids[1]);
		assert_true(is_quarantined(w, ids[1], &q));
		assert_int_equal(q.strikes, 3);
		assert_view(q.cause, "it kills");
		assert_view(q.words, "SIGBUS");
		assert_true(is_quarantined(w, ids[3], &q));
		assert_int_equal(q.strikes, 1);
		assert_view(q.cause, "it is no P1");
		assert_view(q.words, "10.0.0.7:4711");
		next_stage(w, stage);
	}
}

/* A quota of the caller's is kept, and the row is not damaged by it. */
static void test_quarantined_row_respects_the_arena(void **state)
{
	struct world *w = *state;
	struct store_octets o = octets_of(w, 10);
	struct store_quarantine q;
	struct err e;
	const uint64_t id = store_put_octets(w->store, &o);
	struct arena *small = arena_new(16);
	assert_false(store_load_quarantine(w->store, id, &q, small, &e));
	assert_int_equal(e.kind, ERR_TEMP);
	arena_free(&small);
	assert_true(is_quarantined(w, id, &q));
	assert_false(store_load_quarantine(w->store, id + 1000, &q, w->arena, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
}

/* --- suspects --- */
struct heard {
	char text[400];
	struct world *w;
};

static void hear(void *ctx, const char *key, uint32_t strikes, wall_ms_t at, const char *words)
{
	struct heard *h = ctx;
	assert_true(at > 0);
	const size_t n = strlen(h->text);
	snprintf(h->text + n, sizeof h->text - n, "%s=%u(%s) ", key, strikes, words);
	if (h->w != NULL)
		store_suspect_put(h->w->store, key, 0, NULL);
}

static void check_suspects(struct world *w, const char *want)
{
	struct heard h = {.text = ""};
	store_suspects(w->store, hear, &h);
	assert_string_equal(h.text, want);
}

static void test_strikes_are_durable_by_key(void **state)
{
	struct world *w = *state;
	store_suspect_put(w->store, "message 12", 1, "SIGSEGV");
	store_suspect_put(w->store, "input PARIS 00ff00ff00ff00ff", 2, NULL);
	store_suspect_put(w->store, "message 12", 2, "SIGBUS");
	store_suspect_put(w->store, "message 9", 0, NULL); /* was none */
	for (unsigned stage = 0; stage < 3; stage++) {
		check_suspects(w, "input PARIS 00ff00ff00ff00ff=2() message 12=2(SIGBUS) ");
		assert_int_equal(counts_of(w).suspects, 2);
		next_stage(w, stage);
	}
	store_suspect_put(w->store, "message 12", 0, NULL);
	check_suspects(w, "input PARIS 00ff00ff00ff00ff=2() ");
	world_reopen(w); /* that was not committed */
	check_suspects(w, "input PARIS 00ff00ff00ff00ff=2() message 12=2(SIGBUS) ");
	struct heard h = {.w = w};
	store_suspects(w->store, hear, &h); /* cleared while they are told */
	check_suspects(w, "");
	world_commit(w);
	world_reopen(w);
	check_suspects(w, "");
	assert_int_equal(counts_of(w).suspects, 0);
}

static void test_long_words_are_cut(void **state)
{
	struct world *w = *state;
	char words[3000];
	memset(words, 'w', sizeof words);
	words[sizeof words - 1] = '\0';
	struct store_message *put = put_simple(w, 1);
	struct store_quarantine q;
	store_transfer_quarantine(w->store, put->transfers[0].id_r, 1, words, words);
	assert_true(is_quarantined(w, put->transfers[0].id_r, &q));
	assert_int_equal(q.cause.n, 1024);
	assert_int_equal(q.words.n, 1024);
}

/* --- held and expired --- */
static void test_held_transfer_is_in_no_listing(void **state)
{
	struct world *w = *state;
	struct store_message *a = put_simple(w, 1), *b = put_simple(w, 2);
	const uint64_t held = a->transfers[0].id_r;
	struct store_queued row;
	struct view queue;
	store_transfer_move(w->store, held, VIEW("q0"), STORE_NEVER, (struct view){NULL, 0});
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_int_equal(in_queue(w, "q0"), 1);
		assert_int_equal(store_queue_wakes(w->store, VIEW("q0"), 0), 0);
		assert_true(store_find_transfer(w->store, held, &row, &queue));
		assert_int_equal(row.next_ms, STORE_NEVER);
		uint64_t after = 0;
		struct store_expired gone[4];
		assert_int_equal(store_expired(w->store, INT64_MAX, &after, 100, gone, 4), 1);
		assert_int_equal(gone[0].transfer, b->transfers[0].id_r);
		assert_int_equal(counts_of(w).transfers, 2);
		next_stage(w, stage);
	}
	store_transfer_retry(w->store, held, INT64_MAX, 3, "held in another way");
	assert_true(store_find_transfer(w->store, held, &row, &queue));
	assert_int_equal(row.next_ms, STORE_NEVER);
	assert_int_equal(row.attempts, 3);
	store_transfer_move(w->store, held, VIEW("q0"), 0, (struct view){NULL, 0});
	assert_int_equal(in_queue(w, "q0"), 2);
}

static void test_expired_are_found_wherever_they_are(void **state)
{
	struct world *w = *state;
	uint64_t want[20], got[20];
	size_t n_want = 0, n = 0;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct store_message *put = put_of(w, seed, 2, 2, 10);
		put->expires = seed % 4 == 0 ? 1000 : seed % 4 == 1 ? 0 : 5000;
		store_put_message(w->store, put);
		for (size_t i = 0; seed % 4 == 0 && i < 2; i++)
			want[n_want++] = put->transfers[i].id_r;
	}
	uint64_t after = 0;
	unsigned calls = 0;
	do {
		struct store_expired rows[2];
		const size_t more = store_expired(w->store, 1000, &after, 7, rows, 2);
		for (size_t i = 0; i < more; i++) {
			assert_int_equal(rows[i].expires, 1000);
			assert_view(rows[i].queue, n % 2 == 0 ? "q0" : "q1");
			got[n++] = rows[i].transfer;
		}
		assert_true(++calls < 50);
	} while (after != 0);
	assert_int_equal(n, n_want);
	assert_memory_equal(got, want, n * sizeof *got);
	assert_true(calls > 40 / 7);
	struct store_expired rows[2];
	assert_int_equal(store_expired(w->store, 999, &after, 1000, rows, 2), 0);
	assert_int_equal(after, 0);
}

/* --- what an operator may do to what is in hand --- */
/* Everything on ids that have gone, or are in another state. */
static void do_everything(struct world *w, uint64_t id)
{
	store_transfer_done(w->store, id);
	store_transfer_reported(w->store, id);
	store_transfer_retry(w->store, id, 5, 5, "no such");
	store_transfer_move(w->store, id, VIEW("q1"), 0, (struct view){NULL, 0});
	store_transfer_quarantine(w->store, id, 3, "no such", "no such");
	store_quarantine_set(w->store, id, STORE_QUARANTINE_KEPT, 3, "no such", "no such");
	store_quarantine_release(w->store, id, VIEW("q1"), 0);
	store_quarantine_remove(w->store, id);
	store_delivery_remove(w->store, id);
}

static void test_k157013_k182009_operations_on_what_has_gone_do_nothing(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 1, 3, 3, 100);
	struct store_octets o = octets_of(w, 10);
	store_put_message(w->store, put);
	const uint64_t octets = store_put_octets(w->store, &o);
	store_transfer_reported(w->store, put->transfers[0].id_r); /* deleted while in hand */
	store_quarantine_remove(w->store, octets);
	world_commit(w);
	const struct store_counts before = counts_of(w);
	for (unsigned stage = 0; stage < 2; stage++, world_reopen(w)) {
		struct store_loaded l;
		struct store_queued row;
		struct view queue;
		const uint64_t gone[] = {put->transfers[0].id_r, octets, put->id_r, 0, UINT64_MAX >> 1};
		for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
			do_everything(w, gone[i]);
			assert_false(store_find_transfer(w->store, gone[i], &row, &queue));
			assert_false(is_loaded(w, gone[i], &l));
		}
		if (store_has_group(w->store))
			world_commit(w);
		const struct store_counts after = counts_of(w);
		assert_memory_equal(&before, &after, sizeof before);
		assert_int_equal(in_queue(w, "q1") + in_queue(w, "q2"), 2);
	}
	assert_int_equal(w->n_failed, 0);
}

static void test_k157013_operations_of_another_state_do_nothing(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_simple(w, 1), *other = put_simple(w, 2);
	const uint64_t quarantined = put->transfers[0].id_r, waiting = other->transfers[0].id_r;
	store_transfer_quarantine(w->store, quarantined, 3, "cause", "words");
	world_commit(w);
	/* The process that had it in hand tells how that ended, late. */
	store_transfer_done(w->store, quarantined);
	store_transfer_reported(w->store, quarantined);
	store_transfer_retry(w->store, quarantined, 5, 5, "late");
	store_transfer_move(w->store, quarantined, VIEW("q1"), 0, (struct view){NULL, 0});
	store_transfer_quarantine(w->store, quarantined, 9, "late", "late");
	store_quarantine_set(w->store, waiting, STORE_QUARANTINE_KEPT, 3, "late", "late");
	store_quarantine_release(w->store, waiting, VIEW("q1"), 0);
	store_quarantine_remove(w->store, waiting);
	for (unsigned stage = 0; stage < 2; stage++, world_reopen(w)) {
		struct store_quarantine q;
		assert_true(is_quarantined(w, quarantined, &q));
		assert_int_equal(q.strikes, 3);
		assert_view(q.cause, "cause");
		assert_int_equal(in_queue(w, "q0"), 1);
		assert_int_equal(in_queue(w, "q1"), 0);
		if (store_has_group(w->store))
			world_commit(w);
	}
}

/* Whatever was done with it before: after a restart each transfer of a queue is offered again. */
static void test_k164841_k164840_nothing_is_in_hand_after_a_restart(void **state)
{
	struct world *w = *state;
	uint64_t ids[6];
	for (uint64_t i = 0; i < ARRAY_LEN(ids); i++)
		ids[i] = put_simple(w, i)->transfers[0].id_r;
	for (unsigned round = 0; round < 3; round++) {
		struct store_loaded l;
		struct store_queued row;
		struct view queue;
		struct store_expired gone[8];
		uint64_t after = 0;
		size_t got;
		uint8_t octet;
		assert_int_equal(in_queue(w, "q0"), ARRAY_LEN(ids));
		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			assert_true(is_loaded(w, ids[i], &l));
			assert_true(store_find_transfer(w->store, ids[i], &row, &queue));
			assert_true(store_read_content(w->store, l.message, 0, &octet, 1, &got,
						       &w->why));
		}
		store_expired(w->store, INT64_MAX, &after, 100, gone, 8);
		store_transfer_retry(w->store, ids[1], 5, round, "the association was lost");
		store_transfer_move(w->store, ids[2], VIEW("q0"), round, (struct view){NULL, 0});
		store_suspect_put(w->store, "message 4", round + 1, "SIGSEGV");
		store_transfer_quarantine(w->store, ids[3], 3, "cause", "words");
		store_quarantine_release(w->store, ids[3], VIEW("q0"), 0);
		if (round != 1)
			world_commit(w);
		arena_reset(w->arena);
		world_reopen(w);
	}
	assert_int_equal(in_queue(w, "q0"), ARRAY_LEN(ids));
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		store_transfer_done(w->store, ids[i]);
	world_commit(w);
	assert_int_equal(counts_of(w).messages, 0);
}

/* --- tracking --- */
static void put_step(struct world *w, enum store_step_kind kind, const struct mts_id *id,
		     uint64_t digest)
{
	const struct store_step step = {.kind = kind, .id = id, .digest = {digest, digest}};
	store_put_step(w->store, &step);
}

static void test_k200003_k257348_lost_step_stops_no_mail(void **state)
{
	struct world *w = *state;
	const struct mts_id id = dice_message(1, w->arena)->id;
	assert_true(fault_plan("STORE_STEP:2:stick", NULL));
	struct store_message *put = put_simple(w, 1);
	put_step(w, STEP_TRANSFER_IN, &id, 1);
	put_step(w, STEP_TRANSFER_IN, &id, 2);
	for (unsigned i = 0; i < 50; i++)
		put_step(w, STEP_TRANSFER_OUT, &id, 3);
	assert_int_equal(w->n_lost, 1); /* once a minute */
	assert_int_equal(w->lost, 1);
	assert_true(w->why.text[0] != '\0');
	world_commit(w);
	assert_true(fault_plan(NULL, NULL));
	put_step(w, STEP_TRANSFER_IN, &id, 4);
	world_commit(w);
	assert_int_equal(w->n_failed, 0);
	assert_int_equal(counts_of(w).tracking_lost, 51);
	assert_int_equal(counts_of(w).messages, 1);
	for (unsigned stage = 0; stage < 2; stage++, world_reopen(w)) {
		struct store_loaded l;
		assert_true(is_loaded(w, put->transfers[0].id_r, &l));
		assert_true(store_seen(w->store, &id, (uint64_t[]){1, 1}));
		assert_false(store_seen(w->store, &id, (uint64_t[]){2, 2})); /* not known: mail goes on */
		assert_true(store_seen(w->store, &id, (uint64_t[]){4, 4}));
	}
	assert_int_equal(counts_of(w).tracking_lost, 0); /* of this life */
}

#define TESTS(X)                                                                                   \
	X(test_quarantined_transfer_keeps_id_and_message)                                          \
	X(test_message_lives_as_long_as_it_is_in_quarantine)                                       \
	X(test_released_transfer_is_one_again)                                                     \
	X(test_octets_are_kept_as_they_came)                                                       \
	X(test_octets_are_lost_with_their_group)                                                   \
	X(test_quarantine_is_set_and_listed)                                                       \
	X(test_quarantined_row_respects_the_arena)                                                 \
	X(test_strikes_are_durable_by_key)                                                         \
	X(test_long_words_are_cut)                                                                 \
	X(test_held_transfer_is_in_no_listing)                                                     \
	X(test_expired_are_found_wherever_they_are)                                                \
	X(test_k157013_k182009_operations_on_what_has_gone_do_nothing)                             \
	X(test_k157013_operations_of_another_state_do_nothing)                                     \
	X(test_k164841_k164840_nothing_is_in_hand_after_a_restart)                                 \
	X(test_k200003_k257348_lost_step_stops_no_mail)

int main(void)
{
#define ROW(f) {#f " (memory)", f, setup, teardown, NULL},
	const struct CMUnitTest memory[] = {TESTS(ROW)};
#undef ROW
#define ROW(f) {#f " (sqlite)", f, setup, teardown, (void *)(uintptr_t) "sqlite"},
	const struct CMUnitTest sqlite[] = {TESTS(ROW)};
#undef ROW
	const int failures =
		cmocka_run_group_tests_name("store quarantine: memory", memory, NULL, NULL);
	return failures +
	       cmocka_run_group_tests_name("store quarantine: SQLite", sqlite, NULL, NULL);
}
