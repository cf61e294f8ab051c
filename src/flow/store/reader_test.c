/* reader_test.c - lists and traces on a second connection, while the writer works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/message/pack.h"
#include "flow/store/read.h"
#include "flow/store/store_testing.h"

static int setup(void **state)
{
	struct world *w = world_new(true);
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

static struct store_reader *reader_of(struct world *w)
{
	struct store_reader *r = store_reader_open(w->env, "store.db", &w->why);
	if (r == NULL)
		fail_msg("%s", w->why.text);
	return r;
}

static struct mts_id id_of(const char *local)
{
	return (struct mts_id){{{ORA_PRINTABLE, VIEW("AQ")},
				{ORA_PRINTABLE, VIEW("ICE")},
				{ORA_PRINTABLE, VIEW("PENGUIN")},
				true},
			       view_str(local)};
}

/* A message of ours from SKUA to n recipients GULL1, GULL2, ... all in one transfer of that queue.
 */
static struct store_message *put_named(struct world *w, const char *local, const char *queue,
				       size_t n)
{
	struct store_message *put = put_of(w, n, n, 1, 100 + n);
	struct message *m = (struct message *)(uintptr_t)put->m;
	m->id = id_of(local);
	m->priority = PRIORITY_URGENT;
	m->content_type = 22;
	assert_true(oraddr_parse(VIEW("C=AQ; A=ICE; P=PENGUIN; S=SKUA"), &m->originator, w->arena,
				 ORADDR_CARRY, NULL));
	for (size_t i = 0; i < n; i++) {
		char text[64];
		snprintf(text, sizeof text, "C=AQ; A=ICE; P=PENGUIN; S=GULL%zu", i + 1);
		assert_true(oraddr_parse(view_str(text), &m->rcpt[i].addr, w->arena, ORADDR_CARRY,
					 NULL));
	}
	put->transfers[0].queue = view_str(queue);
	store_put_message(w->store, put);
	return put;
}

static void test_queue_rows_say_who_and_where(void **state)
{
	struct world *w = *state;
	uint64_t looked;
	struct store_message *put = put_named(w, "one", "TOKYO", 2);
	world_commit(w);
	store_transfer_retry(w->store, put->transfers[0].id_r, 7777, 4, "the peer does not answer");
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_queue_row row;
	size_t n;
	bool more;
	assert_true(store_read_queue(r, VIEW("TOKYO"), 0, &row, 1, &n, &looked, &more, w->arena, &w->why));
	assert_int_equal(n, 1);
	assert_false(more);
	assert_int_equal(row.transfer, put->transfers[0].id_r);
	assert_int_equal(row.message, put->id_r);
	assert_string_equal(row.queue, "TOKYO");
	assert_string_equal(row.priority, "urgent");
	assert_non_null(strstr(row.mts_id, "L=one"));
	assert_non_null(strstr(row.originator, "SKUA"));
	assert_non_null(strstr(row.recipients, "GULL1"));
	assert_non_null(strstr(row.recipients, "GULL2"));
	assert_string_equal(row.last_error, "the peer does not answer");
	assert_int_equal(row.attempts, 4);
	assert_int_equal(row.next_ms, 7777);
	assert_int_equal(row.n_recipients, 2);
	assert_int_equal(row.size, 102);
	assert_int_equal(row.arrived, put->arrived);
	assert_int_equal(row.expires, put->expires);
	store_reader_close(&r);
}

static void test_queues_are_paged_and_apart(void **state)
{
	struct world *w = *state;
	uint64_t looked;
	uint64_t ids[12];
	for (unsigned i = 0; i < 12; i++) {
		char local[8];
		snprintf(local, sizeof local, "m%u", i);
		ids[i] = put_named(w, local, i % 3 == 0 ? "PARIS" : "TOKYO", 1)->transfers[0].id_r;
	}
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_queue_row rows[5];
	size_t n, seen = 0;
	bool more = true;
	for (uint64_t after = 0; more; after = rows[n - 1].transfer) {
		assert_true(store_read_queue(r, (struct view){NULL, 0}, after, rows, 5, &n, &looked, &more,
					     w->arena, &w->why));
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(rows[i].transfer, ids[seen++]);
	}
	assert_int_equal(seen, 12);
	assert_true(
		store_read_queue(r, VIEW("PARIS"), ids[0], rows, 2, &n, &looked, &more, w->arena, &w->why));
	assert_int_equal(n, 2);
	assert_true(more);
	assert_int_equal(rows[0].transfer, ids[3]);
	assert_int_equal(rows[1].transfer, ids[6]);
	assert_true(store_read_queue(r, VIEW("NOWHERE"), 0, rows, 2, &n, &looked, &more, w->arena, &w->why));
	assert_int_equal(n, 0);

	struct read_queue_sum sums[4];
	assert_true(store_read_queues(r, sums, 4, &n, w->arena, &w->why));
	assert_int_equal(n, 2);
	assert_string_equal(sums[0].queue, "PARIS");
	assert_int_equal(sums[0].transfers, 4);
	assert_int_equal(sums[0].octets, 4 * 101);
	assert_string_equal(sums[1].queue, "TOKYO");
	assert_int_equal(sums[1].transfers, 8);
	store_reader_close(&r);
}

/* A question sees what is committed, never the open group. */
static void test_open_group_is_not_seen(void **state)
{
	struct world *w = *state;
	uint64_t looked;
	put_named(w, "one", "TOKYO", 1);
	world_commit(w);
	struct store_reader *r = reader_of(w);
	put_named(w, "two", "TOKYO", 1);
	struct read_queue_row rows[5];
	size_t n;
	bool more;
	assert_true(store_read_queue(r, VIEW("TOKYO"), 0, rows, 5, &n, &looked, &more, w->arena, &w->why));
	assert_int_equal(n, 1);
	world_commit(w);
	assert_true(store_read_queue(r, VIEW("TOKYO"), 0, rows, 5, &n, &looked, &more, w->arena, &w->why));
	assert_int_equal(n, 2);
	store_reader_close(&r);
}

static void step(struct world *w, enum store_step_kind kind, const char *local, const char *other)
{
	const struct mts_id id = id_of(local), about = id_of(other == NULL ? "" : other);
	const struct store_step s = {.kind = kind,
				     .id = &id,
				     .other = other == NULL ? NULL : &about,
				     .peer = VIEW("TOKYO"),
				     .text = view_str(local),
				     .digest = {1, 2},
				     .size = 9};
	store_put_step(w->store, &s);
}

static void check_journey(struct world *w, struct store_reader *r, const char *id, size_t page,
			  const char *const *want, size_t n_want)
{
	struct read_step_row rows[8];
	size_t n, seen = 0;
	bool more = true;
	for (uint64_t after = 0; more; after = n == 0 ? after : rows[n - 1].seq) {
		assert_true(store_read_trace(r, view_str(id), after, rows, page, &n, &more,
					     w->arena, &w->why));
		assert_true(n > 0 || !more);
		for (size_t i = 0; i < n; i++) {
			assert_true(seen < n_want);
			assert_string_equal(rows[i].step, want[seen++]);
		}
	}
	assert_int_equal(seen, n_want);
}

/* The journey of a message with the report that was made about it, whole or by its local
 * identifier; index or none. */
static void test_trace_follows_a_message_and_its_report(void **state)
{
	struct world *w = *state;
	static const char *const journey[] = {"transfer-in", "transfer-out", "report-made",
					      "transfer-out"};
	static const char *const remote[] = {"transfer-out", "report-in"};
	step(w, STEP_TRANSFER_IN, "one", NULL);
	step(w, STEP_TRANSFER_IN, "two", NULL);
	step(w, STEP_TRANSFER_OUT, "one", NULL);
	step(w, STEP_REPORT_MADE, "one", "the-report");
	step(w, STEP_TRANSFER_OUT, "the-report", NULL);
	step(w, STEP_TRANSFER_OUT, "three", NULL);
	step(w, STEP_REPORT_IN, "their-report", "three");
	world_commit(w);
	struct store_reader *r = reader_of(w);
	for (unsigned stage = 0; stage < 2; stage++) {
		for (size_t page = 1; page < 6; page++) {
			check_journey(w, r, "C=AQ;A=ICE;P=PENGUIN;L=one", page, journey,
				      ARRAY_LEN(journey));
			check_journey(w, r, "one", page, journey, ARRAY_LEN(journey));
			check_journey(w, r, "three", page, remote, ARRAY_LEN(remote));
		}
		check_journey(w, r, "C=AQ;A=ICE;P=SEAL;L=one", 5, NULL, 0);
		check_journey(w, r, "no-such", 5, NULL, 0);
		check_journey(w, r, "the-report", 5, journey, ARRAY_LEN(journey));
		for (unsigned i = 0; i < 18000 && stage == 0;
		     i++) { /* now the first ones are in the table of keys */
			char local[16];
			snprintf(local, sizeof local, "n%u", i);
			step(w, STEP_RETRY, local, NULL);
		}
		if (stage == 0)
			world_commit(w);
	}
	struct read_step_row rows[3];
	size_t n;
	assert_true(store_read_steps(r, 0, rows, 3, &n, w->arena, &w->why)); /* the newest */
	assert_int_equal(n, 3);
	assert_string_equal(rows[2].text, "n17999");
	assert_int_equal(rows[2].size, 9);
	assert_string_equal(rows[2].peer, "TOKYO");
	const uint64_t last = rows[2].seq;
	assert_true(store_read_steps(r, last, rows, 3, &n, w->arena, &w->why));
	assert_int_equal(n, 0);
	step(w, STEP_DISCARDED, "n5000", NULL);
	world_commit(w);
	assert_true(store_read_steps(r, last, rows, 3, &n, w->arena, &w->why));
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].step, "discarded");
	store_reader_close(&r);
}

static void test_mailbox_is_listed(void **state)
{
	struct world *w = *state;
	struct store_delivery deliveries[] = {
		{VIEW("anna"), 1, 0}, {VIEW("bert"), 0, 0}, {VIEW("anna"), 0, 0}};
	struct store_message *put = put_of(w, 5, 2, 0, 321);
	struct message *m = (struct message *)(uintptr_t)put->m;
	m->id = id_of("mail");
	m->content_type = 22;
	assert_true(oraddr_parse(VIEW("C=AQ; A=ICE; S=SKUA"), &m->originator, w->arena,
				 ORADDR_CARRY, NULL));
	assert_true(oraddr_parse(VIEW("C=AQ; A=ICE; S=ANNA"), &m->rcpt[1].addr, w->arena,
				 ORADDR_CARRY, NULL));
	put->deliveries = deliveries;
	put->n_deliveries = 3;
	store_put_message(w->store, put);
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_mail_row rows[4];
	size_t n;
	bool more;
	assert_true(store_read_mailbox(r, VIEW("anna"), 0, rows, 1, &n, &more, w->arena, &w->why));
	assert_int_equal(n, 1);
	assert_true(more);
	assert_int_equal(rows[0].delivery, deliveries[0].id_r);
	assert_int_equal(rows[0].message, put->id_r);
	assert_string_equal(rows[0].mailbox, "anna");
	assert_string_equal(rows[0].kind, "message");
	assert_non_null(strstr(rows[0].mts_id, "L=mail"));
	assert_non_null(strstr(rows[0].originator, "SKUA"));
	assert_non_null(strstr(rows[0].recipient, "ANNA"));
	assert_int_equal(rows[0].content_type, 22);
	assert_int_equal(rows[0].size, 321);
	assert_true(rows[0].delivered > 0);
	assert_true(store_read_mailbox(r, VIEW("anna"), rows[0].delivery, rows, 4, &n, &more,
				       w->arena, &w->why));
	assert_int_equal(n, 1);
	assert_false(more);
	assert_int_equal(rows[0].delivery, deliveries[2].id_r);
	assert_true(store_read_mailbox(r, (struct view){NULL, 0}, 0, rows, 4, &n, &more, w->arena,
				       &w->why));
	assert_int_equal(n, 3);
	store_reader_close(&r);
}

static void test_reader_needs_a_store_of_its_version(void **state)
{
	struct world *w = *state;
	assert_null(store_reader_open(w->env, "nothing.db", &w->why));
	assert_int_equal(w->why.kind, ERR_LOCAL);
	assert_non_null(strstr(w->why.text, "nothing.db"));
}

/* The quota of the answer is a bound like any other: what fits is given, and that there is more is
 * said. */
static void test_small_arena_gives_less(void **state)
{
	struct world *w = *state;
	uint64_t looked;
	for (unsigned i = 0; i < 20; i++)
		put_named(w, "m", "TOKYO", 3);
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct arena *small = arena_new(16 * 1024);
	struct read_queue_row rows[20];
	size_t n;
	bool more;
	assert_true(store_read_queue(r, VIEW("TOKYO"), 0, rows, 20, &n, &looked, &more, small, &w->why));
	assert_true(n > 0 && n < 20);
	assert_true(more);
	arena_free(&small);
	store_reader_close(&r);
}

static int64_t jumping_us;

static int64_t jump(struct env *env)
{
	(void)env;
	return jumping_us += 1000 * 1000;
}

/* Longer than its index is walked for: it is walked with the others, a page at a time, and ends with the time too. */
static void test_a_long_queue_is_paged(void **state)
{
	struct world *w = *state;
	enum { N = 5000, PAGE = 300 };
	uint64_t *ids = mem_zero((N + 1) * sizeof *ids), looked = 0;
	for (unsigned i = 0, n = 0; i < 2 * N; i++) {
		const uint64_t id = put_named(w, "m", i % 2 == 0 ? "TOKYO" : "PARIS", 1)->transfers[0].id_r;
		if (i % 2 == 0)
			ids[n++] = id;
		if (i % 1000 != 999)
			continue;
		world_commit(w);
		arena_reset(w->arena);
	}
	const struct env_ops *ops = w->env->ops;
	struct env_ops jumping = *ops;
	jumping.precise_us = jump;
	struct store_reader *r = reader_of(w);
	struct read_queue_row *rows = mem_zero(PAGE * sizeof *rows);
	size_t n, seen = 0, pages = 0;
	for (bool more = true; more; pages++) {
		w->env->ops = pages % 2 == 0 ? ops : &jumping; /* every second one is late after some rows */
		store_reader_set_budget(r, 10000);
		const uint64_t before = looked;
		assert_true(store_read_queue(r, VIEW("TOKYO"), looked, rows, PAGE, &n, &looked, &more, w->arena, &w->why));
		assert_true(!more || looked > before);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(rows[i].transfer, ids[seen++]);
		arena_reset(w->arena);
	}
	assert_int_equal(seen, N);
	assert_true(pages > N / PAGE + 1);
	free(rows);
	free(ids);
	store_reader_close(&r);
	w->env->ops = ops;
}

/* A queue that cannot be added up in the time is counted, and so are those after it. */
static void test_queues_too_long_to_be_added_up_are_counted(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 3000; i++) {
		put_named(w, "m", i % 10 == 0 ? "PARIS" : "TOKYO", 1);
		if (i % 1000 != 999)
			continue;
		world_commit(w);
		arena_reset(w->arena);
	}
	const struct env_ops *ops = w->env->ops;
	struct env_ops jumping = *ops;
	jumping.precise_us = jump;
	struct store_reader *r = reader_of(w);
	struct read_queue_sum sums[4];
	size_t n;
	assert_true(store_read_queues(r, sums, 4, &n, w->arena, &w->why));
	assert_int_equal(n, 2);
	assert_true(sums[0].octets > 0 && sums[0].oldest > 0 && sums[1].octets > 0);
	w->env->ops = &jumping;
	store_reader_set_budget(r, 1);
	assert_true(store_read_queues(r, sums, 4, &n, w->arena, &w->why));
	assert_int_equal(n, 2);
	assert_string_equal(sums[0].queue, "PARIS");
	assert_int_equal(sums[0].transfers, 300);
	assert_string_equal(sums[1].queue, "TOKYO");
	assert_int_equal(sums[1].transfers, 2700);
	assert_int_equal(sums[1].octets, 0);
	assert_int_equal(sums[1].oldest, 0);
	store_reader_close(&r);
	w->env->ops = ops;
}

/* A clock that jumps a second at each look: the question ends early, says so, and goes on where it ended. */
static void test_budget_of_time_ends_a_question(void **state)
{
	struct world *w = *state;
	uint64_t looked;
	for (unsigned i = 0; i < 400; i++)
		put_named(w, "m", "TOKYO", 1);
	world_commit(w);
	const struct env_ops *ops = w->env->ops;
	struct env_ops jumping = *ops;
	jumping.precise_us = jump;
	w->env->ops = &jumping;
	struct store_reader *r = reader_of(w);
	store_reader_set_budget(r, 3000);
	struct read_queue_row *rows = mem_zero(500 * sizeof *rows);
	size_t n, all = 0;
	bool more = true;
	unsigned calls = 0;
	for (uint64_t after = 0; more; after = rows[n - 1].transfer, calls++) {
		assert_true(store_read_queue(r, (struct view){ NULL, 0 }, after, rows, 500, &n, &looked, &more,
					     w->arena, &w->why));
		assert_true(n > 0);
		all += n;
	}
	assert_int_equal(all, 400);
	assert_true(calls > 1);
	free(rows);
	store_reader_close(&r);
	w->env->ops = ops;
}

/* --- quarantine --- */
static struct store_octets octets_of(struct world *w, size_t n)
{
	return (struct store_octets){.link = VIEW("PARIS"),
				     .key = VIEW("input PARIS 0123456789abcdef"),
				     .cause = VIEW("it is no P1"),
				     .words = VIEW("SIGABRT"),
				     .state = STORE_QUARANTINE_EXAMINE,
				     .content = content_of(w, 3, n),
				     .arrived = 4444};
}

static void test_quarantine_is_listed_with_who_and_why(void **state)
{
	struct world *w = *state;
	const uint64_t id = put_named(w, "bad", "TOKYO", 20)->transfers[0].id_r;
	put_named(w, "good", "TOKYO", 1);
	store_transfer_quarantine(w->store, id, 3, "three processes died", "SIGSEGV");
	struct store_octets o = octets_of(w, 70);
	const uint64_t octets = store_put_octets(w->store, &o);
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_quarantine_row rows[3];
	size_t n;
	bool more;
	assert_true(store_read_quarantine(r, 0, rows, 3, &n, &more, w->arena, &w->why));
	assert_int_equal(n, 2);
	assert_false(more);
	assert_int_equal(rows[0].id, id);
	assert_false(rows[0].octets);
	assert_int_equal(rows[0].state, STORE_QUARANTINE_KEPT);
	assert_non_null(strstr(rows[0].mts_id, "L=bad"));
	assert_non_null(strstr(rows[0].originator, "SKUA"));
	assert_string_equal(rows[0].link, "TOKYO");
	assert_non_null(strstr(rows[0].recipients, "GULL16"));
	assert_null(strstr(rows[0].recipients, "GULL17"));
	assert_non_null(strstr(rows[0].recipients, "and 4 more"));
	assert_string_equal(rows[0].cause, "three processes died");
	assert_string_equal(rows[0].words, "SIGSEGV");
	assert_string_equal(rows[0].key, "");
	assert_int_equal(rows[0].strikes, 3);
	assert_int_equal(rows[0].n_recipients, 20);
	assert_int_equal(rows[0].size, 120);
	assert_int_equal(rows[1].id, octets);
	assert_true(rows[1].octets);
	assert_int_equal(rows[1].state, STORE_QUARANTINE_EXAMINE);
	assert_string_equal(rows[1].mts_id, "");
	assert_string_equal(rows[1].originator, "");
	assert_string_equal(rows[1].recipients, "");
	assert_string_equal(rows[1].link, "PARIS");
	assert_string_equal(rows[1].key, "input PARIS 0123456789abcdef");
	assert_int_equal(rows[1].arrived, 4444);
	assert_int_equal(rows[1].size, 70);
	assert_true(store_read_quarantine(r, 0, rows, 1, &n, &more, w->arena, &w->why));
	assert_true(n == 1 && more);
	assert_true(store_read_quarantine(r, id, rows, 1, &n, &more, w->arena, &w->why));
	assert_true(n == 1 && !more && rows[0].id == octets);
	store_reader_close(&r);
}

/* --- one message --- */
static void check_envelope(struct world *w, struct store_reader *r, uint64_t id,
			   const struct store_message *put, unsigned responsible)
{
	struct read_envelope x;
	struct message m;
	if (!store_read_envelope(r, id, &x, w->arena, &w->why))
		fail_msg("%s", w->why.text);
	assert_int_equal(x.message, put->id_r);
	assert_false(x.octets);
	assert_string_equal(x.peer, "PARIS");
	assert_int_equal(x.size, put->content.n);
	assert_int_equal(x.arrived, put->arrived);
	assert_int_equal(x.expires, put->expires);
	assert_true(unpack_message(x.packed, &m, w->arena, &w->why));
	same_envelope(&m, put->m);
	assert_int_equal(m.n_rcpt, put->n_recipients);
	for (size_t i = 0; i < m.n_rcpt; i++) {
		struct recipient want = *put->recipients[i].rcpt;
		want.responsible = (responsible >> i & 1) != 0;
		same_recipient(&m.rcpt[i], &want);
	}
}

static void test_envelope_is_found_by_any_id(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 5, 4, 2, 333);
	struct store_delivery delivery = {VIEW("anna"), 3, 0};
	put->recipients[3].state = STORE_RCPT_DELIVERED;
	put->deliveries = &delivery;
	put->n_deliveries = 1;
	store_put_message(w->store, put);
	store_transfer_quarantine(w->store, put->transfers[1].id_r, 3, "cause", "words");
	world_commit(w);
	struct store_reader *r = reader_of(w);
	check_envelope(w, r, put->transfers[0].id_r, put, 1 | 4); /* recipient i is in transfer i % 2 */
	check_envelope(w, r, put->transfers[1].id_r, put, 2);
	check_envelope(w, r, delivery.id_r, put, 8);
	check_envelope(w, r, put->id_r, put, 1 | 2 | 4);
	struct read_envelope x;
	struct err e;
	assert_false(store_read_envelope(r, delivery.id_r + 1, &x, w->arena, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	struct arena *small = arena_new(64);
	assert_false(store_read_envelope(r, put->id_r, &x, small, &e));
	assert_int_equal(e.kind, ERR_TEMP);
	arena_free(&small);
	store_reader_close(&r);
}

static void check_pieces(struct world *w, struct store_reader *r, uint64_t id, uint64_t seed, size_t size)
{
	uint8_t buf[1000];
	size_t got;
	for (uint64_t at = 0; at < size + 3; at += 777) {
		if (!store_read_octets(r, id, at, buf, sizeof buf, &got, &w->why))
			fail_msg("%s", w->why.text);
		assert_int_equal(got, at >= size ? 0 : size - at < sizeof buf ? size - at : sizeof buf);
		for (size_t i = 0; i < got; i++)
			assert_int_equal(buf[i], content_octet(seed, at + i));
	}
	assert_true(store_read_octets(r, id, size, buf, sizeof buf, &got, &w->why));
	assert_int_equal(got, 0);
	assert_true(store_read_octets(r, id, (uint64_t)INT64_MAX - 1, buf, sizeof buf, &got, &w->why));
	assert_int_equal(got, 0);
}

static void test_content_is_read_in_pieces(void **state)
{
	struct world *w = *state;
	struct store_octets o = octets_of(w, 3000);
	const uint64_t octets = store_put_octets(w->store, &o);
	struct store_message *large = put_of(w, 4, 1, 1, 0), *empty = put_of(w, 4, 1, 1, 0);
	large->file = content_file(w, 4, 20000);
	store_put_message(w->store, large);
	store_put_message(w->store, empty);
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_envelope x;
	check_pieces(w, r, octets, 3, 3000);
	check_pieces(w, r, large->id_r, 4, 20000);
	check_pieces(w, r, large->transfers[0].id_r, 4, 20000);
	check_pieces(w, r, empty->id_r, 4, 0);
	assert_true(store_read_envelope(r, octets, &x, w->arena, &w->why));
	assert_true(x.octets);
	assert_int_equal(x.packed.n, 0);
	assert_int_equal(x.size, 3000);
	assert_string_equal(x.peer, "PARIS");
	store_content_free(&large->file);
	store_transfer_done(w->store, large->transfers[0].id_r); /* it goes in between */
	world_commit(w);
	uint8_t octet;
	size_t got;
	assert_false(store_read_octets(r, large->id_r, 0, &octet, 1, &got, &w->why));
	assert_int_equal(w->why.culprit, ERR_OF_MESSAGE);
	store_reader_close(&r);
}

/* --- selections --- */
static struct read_filter none(void)
{
	return (struct read_filter){.queue = {NULL, 0}};
}

/* How many match, one by one; *sum_r: of their transfers' ids. */
static size_t selected(struct world *w, struct store_reader *r, struct read_filter f, uint64_t *sum_r)
{
	struct read_selected row;
	size_t n, all = 0;
	uint64_t looked = 0, last = 0;
	bool more = true;
	*sum_r = 0;
	while (more) {
		if (!store_read_select(r, &f, looked, &row, 1, &n, &looked, &more, w->arena, &w->why))
			fail_msg("%s", w->why.text);
		if (n == 0)
			continue;
		assert_true(row.transfer > last && looked >= row.transfer);
		last = row.transfer;
		*sum_r += row.transfer;
		all++;
	}
	return all;
}

static void select_one(struct world *w, struct store_reader *r, struct read_filter f, uint64_t want)
{
	uint64_t sum;
	assert_int_equal(selected(w, r, f, &sum), want == 0 ? 0 : 1);
	assert_int_equal(sum, want);
}

static void test_selection_by_each_condition(void **state)
{
	struct world *w = *state;
	struct store_message *a = put_named(w, "aaa", "TOKYO", 1), *b = put_named(w, "bbb", "PARIS", 3),
			     *c = put_of(w, 9, 1, 1, 1000);
	((struct message *)(uintptr_t)c->m)->priority = PRIORITY_NON_URGENT;
	((struct message *)(uintptr_t)c->m)->id = id_of("ccc");
	assert_true(oraddr_parse(VIEW("C=AQ; A=ICE; P=SEAL; S=WEDDELL"),
				 &((struct message *)(uintptr_t)c->m)->originator, w->arena, ORADDR_CARRY,
				 NULL));
	assert_true(oraddr_parse(VIEW("C=AQ; A=ICE; P=SEAL; S=CRABEATER"), &c->m->rcpt[0].addr, w->arena,
				 ORADDR_CARRY, NULL));
	c->arrived = 10;
	store_put_message(w->store, c);
	const uint64_t ta = a->transfers[0].id_r, tb = b->transfers[0].id_r, tc = c->transfers[0].id_r;
	store_transfer_move(w->store, tb, VIEW("PARIS"), STORE_NEVER, (struct view){NULL, 0});
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_filter f = none();
	struct out whole;
	uint64_t sum;
	assert_int_equal(selected(w, r, none(), &sum), 3);
	assert_int_equal(sum, ta + tb + tc);
	select_one(w, r, (f = none(), f.queue = VIEW("PARIS"), f), tb);
	select_one(w, r, (f = none(), f.queue = VIEW("NOWHERE"), f), 0);
	select_one(w, r, (f = none(), f.by_priority = true, f.priority = PRIORITY_NON_URGENT, f), tc);
	select_one(w, r, (f = none(), f.originator = VIEW("s=weddell"), f), tc);
	select_one(w, r, (f = none(), f.recipient = VIEW("gull3"), f), tb);
	select_one(w, r, (f = none(), f.recipient = VIEW("WEDDELL"), f), 0);
	select_one(w, r, (f = none(), f.mts_id = VIEW("aaa"), f), ta);
	select_one(w, r, (f = none(), f.mts_id = VIEW("aa"), f), 0);
	select_one(w, r, (f = none(), f.older_than = 11, f), tc);
	select_one(w, r, (f = none(), f.older_than = 10, f), 0);
	select_one(w, r, (f = none(), f.held = READ_HELD_ONLY, f), tb);
	select_one(w, r, (f = none(), f.held = READ_HELD_NOT, f.originator = VIEW("SKUA"), f), ta);
	select_one(w, r, (f = none(), f.larger_than = 999, f), tc);
	select_one(w, r, (f = none(), f.larger_than = 1000, f), 0);
	select_one(w, r, (f = none(), f.queue = VIEW("TOKYO"), f.larger_than = 999, f), 0); /* all of it */
	const struct mts_id id = id_of("bbb");
	out_init(&whole, 1000);
	mts_id_print(&id, &whole);
	select_one(w, r, (f = none(), f.mts_id = out_view(&whole), f), tb);
	out_fini(&whole);
	struct read_selected row;
	size_t n;
	uint64_t looked;
	bool more;
	assert_true(store_read_select(r, (f = none(), f.queue = VIEW("PARIS"), &f), 0, &row, 1, &n, &looked,
				      &more, w->arena, &w->why));
	assert_int_equal(row.transfer, tb);
	assert_int_equal(row.message, b->id_r);
	assert_string_equal(row.queue, "PARIS");
	assert_non_null(strstr(row.mts_id, "L=bbb"));
	assert_non_null(strstr(row.originator, "SKUA"));
	assert_int_equal(looked, tb); /* there was no room to look further */
	assert_true(more);
	assert_true(store_read_select(r, &f, looked, &row, 1, &n, &looked, &more, w->arena, &w->why));
	assert_int_equal(n, 0);
	assert_int_equal(looked, tc);
	assert_false(more);
	store_reader_close(&r);
}

/* Of a report: its originator is the domain that made it, its recipient whom it is for. */
static void test_selection_of_a_report(void **state)
{
	struct world *w = *state;
	struct store_message *put = put_of(w, 9, 0, 1, 10);
	struct message *m = dice_message(4, w->arena);
	m->kind = MESSAGE_REPORT;
	m->id = id_of("rrr");
	m->n_rcpt = 0;
	assert_true(oraddr_parse(VIEW("C=AQ; A=ICE; P=SEAL; S=WEDDELL"), &m->originator, w->arena,
				 ORADDR_CARRY, NULL));
	put->m = m;
	store_put_message(w->store, put);
	world_commit(w);
	struct store_reader *r = reader_of(w);
	struct read_filter f;
	const uint64_t id = put->transfers[0].id_r;
	select_one(w, r, (f = none(), f.recipient = VIEW("weddell"), f), id);
	select_one(w, r, (f = none(), f.originator = VIEW("penguin"), f), id);
	select_one(w, r, (f = none(), f.originator = VIEW("weddell"), f), 0);
	store_reader_close(&r);
}

/* A million that do not match cost many short questions, each of which comes further. */
static void test_budget_ends_a_selection_that_finds_nothing(void **state)
{
	struct world *w = *state;
	for (unsigned i = 0; i < 400; i++)
		put_named(w, "m", "TOKYO", 1);
	const uint64_t last = put_named(w, "last", "TOKYO", 1)->transfers[0].id_r;
	world_commit(w);
	const struct env_ops *ops = w->env->ops;
	struct env_ops jumping = *ops;
	jumping.precise_us = jump;
	w->env->ops = &jumping;
	struct store_reader *r = reader_of(w);
	struct read_filter f = {.mts_id = VIEW("last")};
	struct read_selected row;
	size_t n = 0;
	uint64_t looked = 0;
	bool more = true;
	unsigned calls = 0;
	for (store_reader_set_budget(r, 3000); more; calls++) {
		const uint64_t before = looked;
		assert_int_equal(n, 0);
		assert_true(store_read_select(r, &f, looked, &row, 1, &n, &looked, &more, w->arena, &w->why));
		assert_true(looked > before);
	}
	assert_int_equal(n, 1);
	assert_int_equal(row.transfer, last);
	assert_true(calls > 10);
	store_reader_close(&r);
	w->env->ops = ops;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_queue_rows_say_who_and_where, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queues_are_paged_and_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_group_is_not_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trace_follows_a_message_and_its_report, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_mailbox_is_listed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_needs_a_store_of_its_version, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_small_arena_gives_less, setup, teardown),
		cmocka_unit_test_setup_teardown(test_budget_of_time_ends_a_question, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_long_queue_is_paged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queues_too_long_to_be_added_up_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quarantine_is_listed_with_who_and_why, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_envelope_is_found_by_any_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_content_is_read_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_selection_by_each_condition, setup, teardown),
		cmocka_unit_test_setup_teardown(test_selection_of_a_report, setup, teardown),
		cmocka_unit_test_setup_teardown(test_budget_ends_a_selection_that_finds_nothing, setup,
						teardown),
	};
	return cmocka_run_group_tests_name("store reader", tests, NULL, NULL);
}
