/* store_play.h - for tests: a sequence of operations made from a seed, played on any store; and
 * whether two stores that played the same hold the same. Ids are each store's own, so things are
 * known by their place in the sequence. Tests only. */
#pragma once
#include "flow/store/check.h"
#include "flow/store/store_testing.h"

#include <sqlite3.h>

enum play_kind {
	PLAY_PUT,
	PLAY_DONE,
	PLAY_REPORTED,
	PLAY_RETRY,
	PLAY_MOVE,
	PLAY_REMOVE,
	PLAY_STEP,
	PLAY_NUMBERS,
	PLAY_SUSPECT,
	PLAY_QUARANTINE,
	PLAY_OCTETS,
	PLAY_SET,
	PLAY_RELEASE,
	PLAY_DISMISS,
	PLAY_HOLD,
	PLAY_COMMIT
};

struct play_op {
	enum play_kind kind;
	uint64_t seed;	/* of the message or step */
	uint32_t which; /* transfer, delivery: place in the player's table */
	uint32_t n_rcpt, n_transfers, n_deliveries, size;
	wall_ms_t next_ms;
};

enum { PLAY_OPS = 4000, PLAY_THINGS = 4000, PLAY_STEPS = 64 };

struct play {
	struct play_op ops[PLAY_OPS];
	size_t n, groups;
};

struct player {
	struct world *w;
	uint64_t transfers[PLAY_THINGS], deliveries[PLAY_THINGS], messages[PLAY_THINGS];
	uint64_t octets[PLAY_THINGS]; /* quarantined ones */
	uint32_t n_transfers, n_deliveries, n_messages, n_octets;
	uint64_t content_seed[PLAY_THINGS];
	uint64_t number; /* the next that may be given */
	bool may_refuse; /* a disk that fails: content that cannot be written is not put */
	unsigned n_refused;
};

static inline struct play_op play_put(struct dice *d, uint64_t seed, bool files)
{
	struct play_op op = {.kind = PLAY_PUT, .seed = seed, .n_rcpt = 1};
	if (dice_below(d, 3) == 0)
		op.n_rcpt = (uint32_t)(1 + dice_below(d, 5));
	op.n_transfers = op.n_rcpt < 3 ? 1 : (uint32_t)(1 + dice_below(d, 3));
	op.n_deliveries = dice_below(d, 4) == 0 ? (uint32_t)(1 + dice_below(d, 2)) : 0;
	if (op.n_deliveries > 0 && dice_coin(d))
		op.n_transfers = 0;
	op.size = (uint32_t)(files && dice_below(d, 3) == 0
				     ? TEST_INLINE_MAX + 1 + dice_below(d, 9000)
				     : dice_below(d, TEST_INLINE_MAX));
	op.next_ms = dice_coin(d) ? 0 : (wall_ms_t)dice_below(d, 50);
	return op;
}

/* groups of up to most operations; the things they are about exist, have gone, or were never there.
 */
static inline struct play *play_new(uint64_t seed, size_t groups, size_t most, bool files)
{
	struct play *p = mem_zero(sizeof *p);
	struct dice d = {seed, NULL};
	uint32_t transfers = 1, deliveries = 1;
	for (p->groups = 0; p->groups < groups; p->groups++) {
		for (size_t k = 1 + dice_below(&d, most); k > 0; k--) {
			struct play_op op = {.seed = seed * 1000 + p->n};
			assert_true(p->n + 2 < PLAY_OPS && transfers + 10 < PLAY_THINGS);
			const uint32_t recent =
				transfers > 12 && dice_coin(&d) ? transfers - 12 : 0;
			op.which = recent + (uint32_t)dice_below(&d, transfers - recent);
			op.next_ms = (wall_ms_t)dice_below(&d, 60);
			switch (dice_below(&d, 24)) {
			case 0:
			case 1:
			case 2:
			case 3:
			case 4: op = play_put(&d, op.seed, files); break;
			case 5:
			case 6:
			case 7: op.kind = PLAY_DONE; break;
			case 8: op.kind = PLAY_REPORTED; break;
			case 9:
			case 10: op.kind = PLAY_RETRY; break;
			case 11: op.kind = PLAY_MOVE; break;
			case 12:
				op.kind = PLAY_REMOVE;
				op.which = (uint32_t)dice_below(&d, deliveries);
				break;
			case 13: op.kind = PLAY_NUMBERS; break;
			case 14: op.kind = PLAY_SUSPECT; break;
			case 15:
			case 16: op.kind = PLAY_QUARANTINE; break;
			case 17:
				op.kind = PLAY_OCTETS;
				op.size = (uint32_t)dice_below(&d, files ? 2 * TEST_INLINE_MAX
									 : TEST_INLINE_MAX);
				break;
			case 18: op.kind = PLAY_SET; break;
			case 19: op.kind = PLAY_RELEASE; break;
			case 20: op.kind = PLAY_DISMISS; break;
			case 21: op.kind = PLAY_HOLD; break;
			default:
				op.kind = PLAY_STEP;
				op.seed = dice_below(&d, PLAY_STEPS);
				break;
			}
			transfers += op.n_transfers;
			deliveries += op.n_deliveries;
			p->ops[p->n++] = op;
		}
		p->ops[p->n++] = (struct play_op){
			.kind = PLAY_STEP,
			.seed = dice_below(&d, PLAY_STEPS)}; /* so that no group is empty */
		p->ops[p->n++] = (struct play_op){.kind = PLAY_COMMIT};
	}
	return p;
}

static inline void do_put(struct player *y, const struct play_op *op)
{
	struct world *w = y->w;
	const bool in_file = op->size > TEST_INLINE_MAX;
	struct store_message *put =
		put_of(w, op->seed, op->n_rcpt, op->n_transfers, in_file ? 0 : op->size);
	struct store_delivery deliveries[2] = {{VIEW("anna"), 0, 0},
					       {VIEW("bert"), op->n_rcpt - 1, 0}};
	put->deliveries = deliveries;
	put->n_deliveries = op->n_deliveries;
	for (size_t i = 0; i < op->n_transfers; i++)
		put->transfers[i].next_ms = op->next_ms;
	struct store_content *file = in_file ? content_try_file(w, op->seed, op->size) : NULL;
	if (in_file && (file == NULL || !w->synced)) {
		assert_true(y->may_refuse);
		store_content_free(&file);
		y->n_refused++;
		return;
	}
	put->file = file;
	y->content_seed[y->n_messages] = op->seed;
	y->messages[y->n_messages++] = store_put_message(w->store, put);
	for (size_t i = 0; i < op->n_transfers; i++)
		y->transfers[y->n_transfers++] = put->transfers[i].id_r;
	for (size_t i = 0; i < op->n_deliveries; i++)
		y->deliveries[y->n_deliveries++] = deliveries[i].id_r;
	store_content_free(&file);
}

static inline struct mts_id play_step_id(struct world *w, uint64_t seed)
{
	return dice_message(seed + 77, w->arena)->id;
}

static inline uint64_t play_key(uint64_t which, enum track_role role)
{
	return (which / 2 + 1) << 40 | which << 4 | (uint64_t)role;
}

static inline void do_step(struct player *y, uint64_t seed)
{
	static const enum store_step_kind kinds[] = {STEP_TRANSFER_IN, STEP_TRANSFER_OUT,
						     STEP_SUBMITTED, STEP_REPORT_MADE};
	const struct mts_id id = play_step_id(y->w, seed), other = play_step_id(y->w, seed + 1);
	/* Of three addresses, two at times the same; half of what the index has of a key is the same for some of different ones. */
	const struct track_keys keys = {.v = {play_key(seed % 5, TRACK_ORIGINATOR), play_key(seed % 7, TRACK_RECIPIENT),
					      play_key(seed % 11 + 5, TRACK_SUBJECT)}, .n = seed % 4};
	struct out octets;
	out_init(&octets, 1000);
	track_keys_print(&keys, &octets);
	const struct store_step step = {.kind = kinds[seed % 4],
					.id = &id,
					.other = seed % 4 == 3 ? &other : NULL,
					.text = VIEW("a step"), .keys = out_view(&octets),
					.digest = {seed, ~seed}};
	store_put_step(y->w->store, &step);
	out_fini(&octets);
}

static inline void do_octets(struct player *y, const struct play_op *op)
{
	struct world *w = y->w;
	const bool in_file = op->size > TEST_INLINE_MAX;
	struct store_content *file = in_file ? content_try_file(w, op->seed, op->size) : NULL;
	if (in_file && (file == NULL || !w->synced)) {
		assert_true(y->may_refuse);
		store_content_free(&file);
		y->n_refused++;
		return;
	}
	const struct store_octets o = {
		.link = VIEW("PARIS"),
		.peer = VIEW("10.0.0.7"),
		.key = op->seed % 3 == 0 ? VIEW("input PARIS 0123456789abcdef") : VIEW(""),
		.cause = VIEW("cannot be decoded"),
		.words = op->seed % 2 == 0 ? VIEW("last words") : VIEW(""),
		.state = op->seed % 4 == 0 ? STORE_QUARANTINE_EXAMINE : STORE_QUARANTINE_KEPT,
		.content = in_file ? (struct view){NULL, 0} : content_of(w, op->seed, op->size),
		.file = file,
		.arrived = 1000 + (wall_ms_t)op->seed,
	};
	y->octets[y->n_octets++] = store_put_octets(w->store, &o);
	store_content_free(&file);
}

/* Octets or a transfer, one that is in quarantine or not. */
static inline uint64_t play_quarantined(const struct player *y, const struct play_op *op)
{
	if (op->seed % 3 == 0 && y->n_octets > 0)
		return y->octets[op->which % y->n_octets];
	return op->which < y->n_transfers ? y->transfers[op->which] : 0;
}

static inline void do_suspect(struct player *y, const struct play_op *op)
{
	char key[64];
	snprintf(key, sizeof key, "message %u", (unsigned)(op->seed % 7));
	store_suspect_put(y->w->store, key, (uint32_t)(op->which % 4), op->seed % 2 == 0 ? "aborted" : "");
}

static inline void do_set(struct player *y, const struct play_op *op)
{
	const uint64_t id = play_quarantined(y, op);
	struct store_quarantine z;
	const bool octets = store_load_quarantine(y->w->store, id, &z, y->w->arena, NULL) && z.octets;
	store_quarantine_set(y->w->store, id,
			     octets && op->which % 2 == 0 ? STORE_QUARANTINE_EXAMINE
							  : STORE_QUARANTINE_KEPT,
			     (uint32_t)(op->seed % 5), op->which % 3 == 0 ? NULL : "once more",
			     op->which % 5 == 0 ? "" : NULL);
}

static inline void play_op(struct player *y, const struct play_op *op)
{
	struct store *s = y->w->store;
	static const char *const queues[] = {"q0", "q1", "q2", "q3"};
	arena_reset(y->w->arena);
	const uint64_t transfer = op->which < y->n_transfers ? y->transfers[op->which] : 0;
	switch (op->kind) {
	case PLAY_PUT: do_put(y, op); break;
	case PLAY_DONE: store_transfer_done(s, transfer); break;
	case PLAY_REPORTED: store_transfer_reported(s, transfer); break;
	case PLAY_RETRY:
		store_transfer_retry(s, transfer, op->next_ms, (uint32_t)op->seed % 100,
				     "try again");
		break;
	case PLAY_MOVE:
		store_transfer_move(s, transfer, view_str(queues[op->seed % 4]), op->next_ms,
				    op->seed % 3 == 0 ? VIEW("q7\nq8") : op->seed % 3 == 1 ? VIEW("") : (struct view){NULL, 0});
		break;
	case PLAY_REMOVE:
		store_delivery_remove(s,
				      op->which < y->n_deliveries ? y->deliveries[op->which] : 0);
		break;
	case PLAY_STEP: do_step(y, op->seed); break;
	case PLAY_NUMBERS: {
		const uint64_t first = store_reserve_numbers(s, 10);
		assert_true(first >= y->number);
		y->number = first + 10;
		break;
	}
	case PLAY_SUSPECT: do_suspect(y, op); break;
	case PLAY_QUARANTINE:
		store_transfer_quarantine(s, transfer, 3, "three strikes",
					  op->seed % 2 == 0 ? "SIGSEGV" : NULL);
		break;
	case PLAY_OCTETS: do_octets(y, op); break;
	case PLAY_SET: do_set(y, op); break;
	case PLAY_RELEASE:
		store_quarantine_release(s, play_quarantined(y, op), view_str(queues[op->seed % 4]),
					 op->next_ms);
		break;
	case PLAY_DISMISS: store_quarantine_remove(s, play_quarantined(y, op)); break;
	case PLAY_HOLD: store_transfer_move(s, transfer, VIEW("q1"), STORE_NEVER, (struct view){NULL, 0}); break;
	case PLAY_COMMIT: store_commit(s); break;
	}
}

/* Groups [from, to). Stops when the store has failed. */
static inline void play_groups(struct player *y, const struct play *p, size_t from, size_t to)
{
	size_t group = 0;
	for (size_t i = 0; i < p->n && group < to && y->w->n_failed == 0; i++) {
		if (group >= from)
			play_op(y, &p->ops[i]);
		group += p->ops[i].kind == PLAY_COMMIT;
	}
}

/* --- the same? --- */
static inline size_t place_in(const uint64_t *v, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == id)
			return i;
	fail_msg("id %llu was never given", (unsigned long long)id);
	return 0;
}

static inline void same_loaded(struct player *a, struct player *b, const struct store_loaded *x,
			       const struct store_loaded *z)
{
	const size_t place = place_in(a->messages, a->n_messages, x->message);
	assert_int_equal(place, place_in(b->messages, b->n_messages, z->message));
	same_message(x->m, z->m);
	assert_true(view_eq(x->peer, z->peer));
	assert_true(view_eq(x->content, z->content));
	SAME(x, z, content_size);
	SAME(x, z, in_file);
	SAME(x, z, arrived);
	SAME(x, z, expires);
	SAME(x, z, attempts);
	assert_true(view_eq(x->tried, z->tried));
	uint8_t buf[TEST_INLINE_MAX + 10000];
	struct player *const players[] = {a, b};
	for (size_t k = 0; k < 2; k++) {
		size_t got;
		struct err e;
		if (!store_read_content(players[k]->w->store, k == 0 ? x->message : z->message, 0,
					buf, sizeof buf, &got, &e))
			fail_msg("%s", e.text);
		assert_int_equal(got, x->content_size);
		for (size_t i = 0; i < got; i += 13)
			assert_int_equal(buf[i], content_octet(a->content_seed[place], i));
	}
}

static inline void same_queue(struct player *a, struct player *b, struct view queue,
			      enum priority p)
{
	struct store_place pa = {0}, pb = {0};
	struct store_queued x, z;
	struct err e;
	for (;;) {
		const size_t n = store_queue_next(a->w->store, queue, p, 45, &pa, &x, 1);
		assert_int_equal(n, store_queue_next(b->w->store, queue, p, 45, &pb, &z, 1));
		if (n == 0)
			return;
		assert_int_equal(place_in(a->transfers, a->n_transfers, x.transfer),
				 place_in(b->transfers, b->n_transfers, z.transfer));
		SAME(&x, &z, priority);
		SAME(&x, &z, next_ms);
		SAME(&x, &z, attempts);
		SAME(&x, &z, size);
		struct store_loaded lx, lz;
		arena_reset(a->w->arena);
		arena_reset(b->w->arena);
		if (!store_load_transfer(a->w->store, x.transfer, &lx, a->w->arena, &e) ||
		    !store_load_transfer(b->w->store, z.transfer, &lz, b->w->arena, &e))
			fail_msg("%s", e.text);
		same_loaded(a, b, &lx, &lz);
	}
}

static inline void same_deliveries(struct player *a, struct player *b)
{
	for (uint32_t i = 0; i < a->n_deliveries && i < b->n_deliveries; i++) {
		struct store_loaded x, z;
		arena_reset(a->w->arena);
		arena_reset(b->w->arena);
		const bool there =
			store_load_delivery(a->w->store, a->deliveries[i], &x, a->w->arena, NULL);
		assert_int_equal(there, store_load_delivery(b->w->store, b->deliveries[i], &z,
							    b->w->arena, NULL));
		if (there)
			same_loaded(a, b, &x, &z);
	}
}

/* --- quarantine --- */
static inline void same_content(struct player *y, uint64_t message, const struct store_loaded *l,
				uint64_t seed)
{
	uint8_t buf[3 * TEST_INLINE_MAX];
	size_t got;
	struct err e;
	assert_null(l->m);
	if (!store_read_content(y->w->store, message, 0, buf, sizeof buf, &got, &e))
		fail_msg("%s", e.text);
	assert_int_equal(got, l->content_size);
	for (size_t i = 0; i < got; i += 7)
		assert_int_equal(buf[i], content_octet(seed, i));
	assert_true(l->in_file || (l->content.n == got &&
				   (got == 0 || memcmp(l->content.p, buf, got) == 0)));
}

static inline void same_quarantined(struct player *a, struct player *b, uint64_t id_a, uint64_t id_b)
{
	struct store_quarantine x, z;
	struct store_loaded lx, lz;
	struct err e;
	arena_reset(a->w->arena);
	arena_reset(b->w->arena);
	const bool there = store_load_quarantine(a->w->store, id_a, &x, a->w->arena, NULL);
	assert_int_equal(there, store_load_quarantine(b->w->store, id_b, &z, b->w->arena, NULL));
	if (!there)
		return;
	assert_int_equal(x.id, id_a);
	assert_int_equal(z.id, id_b);
	SAME(&x, &z, state);
	SAME(&x, &z, octets);
	SAME(&x, &z, strikes);
	SAME(&x, &z, size);
	assert_true(view_eq(x.link, z.link) && view_eq(x.cause, z.cause) &&
		    view_eq(x.words, z.words) && view_eq(x.key, z.key));
	if (!store_load_transfer(a->w->store, id_a, &lx, a->w->arena, &e) ||
	    !store_load_transfer(b->w->store, id_b, &lz, b->w->arena, &e))
		fail_msg("%s", e.text);
	assert_int_equal(lx.message, x.message);
	assert_int_equal(lz.message, z.message);
	if (!x.octets) {
		same_loaded(a, b, &lx, &lz);
		return;
	}
	assert_int_equal(x.size, lx.content_size);
	assert_true(view_eq(lx.peer, lz.peer) && lx.arrived == lz.arrived &&
		    lx.in_file == lz.in_file);
	const uint64_t seed = (uint64_t)(lx.arrived - 1000);
	same_content(a, x.message, &lx, seed);
	same_content(b, z.message, &lz, seed);
}

/* A listing gives those that are there, ascending, each once. */
static inline size_t listed(struct player *y, enum store_quarantine_state state)
{
	uint64_t ids[3], after = 0;
	size_t all = 0;
	for (size_t n; (n = store_quarantine_next(y->w->store, state, after, ids, ARRAY_LEN(ids))) > 0;)
		for (size_t i = 0; i < n; i++) {
			struct store_quarantine z;
			assert_true(ids[i] > after);
			after = ids[i];
			arena_reset(y->w->arena);
			assert_true(store_load_quarantine(y->w->store, after, &z, y->w->arena, NULL));
			assert_int_equal(z.state, state);
			all++;
		}
	return all;
}

struct suspects_seen {
	char text[2000];
};

static inline void suspect_seen(void *ctx, const char *key, uint32_t strikes, wall_ms_t at,
				const char *words)
{
	struct suspects_seen *s = ctx;
	assert_true(at > 0);
	const size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "%s:%u:%s\n", key, strikes, words);
}

static inline void same_quarantine(struct player *a, struct player *b)
{
	for (uint32_t i = 0; i < a->n_transfers && i < b->n_transfers; i++)
		same_quarantined(a, b, a->transfers[i], b->transfers[i]);
	for (uint32_t i = 0; i < a->n_octets && i < b->n_octets; i++)
		same_quarantined(a, b, a->octets[i], b->octets[i]);
	const size_t kept = listed(a, STORE_QUARANTINE_KEPT), wait = listed(a, STORE_QUARANTINE_EXAMINE);
	assert_int_equal(kept, listed(b, STORE_QUARANTINE_KEPT));
	assert_int_equal(wait, listed(b, STORE_QUARANTINE_EXAMINE));
	assert_int_equal(kept + wait, counts_of(a->w).quarantined);
	struct suspects_seen sa = {{0}}, sb = {{0}};
	store_suspects(a->w->store, suspect_seen, &sa);
	store_suspects(b->w->store, suspect_seen, &sb);
	assert_string_equal(sa.text, sb.text);
}

/* What waits, one by one, and what has expired, by steps of any size. */
static inline void same_waiting(struct player *a, struct player *b)
{
	size_t waiting = 0;
	for (uint32_t i = 0; i < a->n_transfers && i < b->n_transfers; i++) {
		struct store_queued x, z;
		struct view qx, qz;
		const bool there = store_find_transfer(a->w->store, a->transfers[i], &x, &qx);
		assert_int_equal(there, store_find_transfer(b->w->store, b->transfers[i], &z, &qz));
		if (!there)
			continue;
		waiting++;
		assert_int_equal(x.transfer, a->transfers[i]);
		assert_true(view_eq(qx, qz));
		SAME(&x, &z, priority);
		SAME(&x, &z, next_ms);
		SAME(&x, &z, arrived);
		SAME(&x, &z, expires);
		SAME(&x, &z, attempts);
		SAME(&x, &z, size);
	}
	assert_int_equal(waiting, counts_of(a->w).transfers);
	uint64_t pa = 0, pb = 0;
	do {
		struct store_expired x[2], z[2];
		const size_t n = store_expired(a->w->store, 900000, &pa, 3, x, 2);
		assert_int_equal(n, store_expired(b->w->store, 900000, &pb, 3, z, 2));
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(place_in(a->transfers, a->n_transfers, x[i].transfer),
					 place_in(b->transfers, b->n_transfers, z[i].transfer));
			assert_true(view_eq(x[i].queue, z[i].queue));
			SAME(&x[i], &z[i], expires);
			SAME(&x[i], &z[i], attempts);
		}
		assert_int_equal(pa == 0, pb == 0);
	} while (pa != 0);
}

struct play_sums {
	uint64_t v[4][3];
};

static inline void play_sum(void *ctx, const struct store_queue *q)
{
	struct play_sums *s = ctx;
	s->v[q->name.p[1] - '0'][0] = q->transfers;
	s->v[q->name.p[1] - '0'][1] = q->octets;
	s->v[q->name.p[1] - '0'][2] = q->recipients;
}

static inline void same_stores(struct player *a, struct player *b)
{
	static const char *const queues[] = {"q0", "q1", "q2", "q3"};
	for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
		for (int p = 0; p < PRIORITY_COUNT; p++)
			same_queue(a, b, view_str(queues[i]), (enum priority)p);
		for (wall_ms_t after = 0; after < 60; after += 7)
			assert_int_equal(
				store_queue_wakes(a->w->store, view_str(queues[i]), after),
				store_queue_wakes(b->w->store, view_str(queues[i]), after));
	}
	same_deliveries(a, b);
	same_quarantine(a, b);
	same_waiting(a, b);
	struct play_sums sa = {0}, sb = {0};
	store_queues(a->w->store, play_sum, &sa);
	store_queues(b->w->store, play_sum, &sb);
	assert_memory_equal(&sa, &sb, sizeof sa);
	const struct store_counts ca = counts_of(a->w), cb = counts_of(b->w);
	assert_memory_equal(&ca, &cb, sizeof ca);
	arena_reset(a->w->arena);
	for (uint64_t seed = 0; seed < PLAY_STEPS; seed++) {
		const struct mts_id id = play_step_id(a->w, seed);
		const uint64_t digest[2] = {seed, ~seed};
		assert_int_equal(store_seen(a->w->store, &id, digest),
				 store_seen(b->w->store, &id, digest));
	}
}

static inline void play_found(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "store_check: %s\n", sentence);
}

/* The world's store is closed. */
static inline void check_whole(struct world *w)
{
	struct store_check_result result;
	struct err e;
	if (!store_check(w->env, "store.db", play_found, NULL, &result, &e))
		fail_msg("%s", e.text);
	assert_int_equal(result.found, 0);
}

/* The store is closed. */
static inline void damage(struct world *w, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_true(sqlite3_total_changes(db) > 0);
	sqlite3_close(db);
}
