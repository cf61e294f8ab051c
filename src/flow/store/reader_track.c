/* reader_track.c - the search of tracking. What is rarest in what was asked for drives: its entries in the index are gone through from the
 * newest back, each step looked at whether it really bears it (the index has half of a hash), and whether its message has the rest
 * too: by its own keys, or those of all its steps. The newest steps are in no index yet; they are read once a question. */
#include "flow/store/reader_impl.h"

#include "base/mem.h"
#include "flow/store/track.h"

enum { WALK_CHECKED = 128, IDS_MAX = 1 << 20, WORK_MAX = 64 << 20, JOURNEY_MAX = 4000 };

/* An entry as the index has it, of a step that is not in it yet. */
struct pending {
	uint64_t key, seq;
};

enum { WANT_ADDRESS = READ_TRACK_KEYS, WANT_GATEWAY, WANTS };

struct want {
	uint64_t key; /* 0: nothing */
	bool any_role;
};

struct track {
	struct store_reader *r;
	const struct read_track *f;
	struct arena *ids, *work, *rows_arena;
	struct read_step_row *rows;
	size_t max, n;
	int64_t deadline_us;
	bool whole;		    /* id: the whole identifier, else its local part */
	struct mts_id id;
	struct want want[WANTS];    /* keys in the order of the filter, and those two */
	uint32_t all, fixed;	    /* bits of want: must be borne, and by the step it came in with: recipients alone are added later */
	uint32_t drive;		    /* the bit of what the step at hand must bear; 0: by id */
	uint64_t entry;		    /* of it in the index */
	struct pending *pending;    /* ascending */
	size_t n_pending, cap_pending;
	uint64_t first, low, looked; /* first: of all; low: no step before it */
	bool full;		    /* the page is, before the step at hand was done with */
};

static bool is_over(const struct track *t)
{
	return t->r->failed || t->full || t->n == t->max || env_precise_us(t->r->env) > t->deadline_us;
}

/* --- what is wanted --- */
#define BIT(i) (UINT32_C(1) << (i))

/* Once through the keys: a message may have as many as recipients. */
static uint32_t borne_by(const struct track *t, struct view octets, bool *any_r)
{
	struct cur c = track_keys_cur(octets);
	uint32_t borne = 0;
	uint64_t key;
	for (*any_r = false; track_keys_next(&c, &key); *any_r = true)
		for (unsigned i = 0; i < WANTS; i++)
			if (t->want[i].any_role ? track_key_same(key, t->want[i].key) && track_key_role(key) <= TRACK_RECIPIENT
						: key == t->want[i].key)
				borne |= BIT(i);
	return borne;
}

static bool is_event(const struct track *t, int event)
{
	for (size_t i = 0; i < t->f->n_events; i++)
		if (t->f->events[i] == event)
			return true;
	return false;
}

/* That a report about a message has come is a step of the message too, and no arrival of it. */
static bool is_arrival(enum store_step_kind kind, int event)
{
	return store_step_is_arrival(kind) && (kind != STEP_REPORT_IN || event != TRACK_NO_EVENT);
}

static bool is_in_time(const struct track *t, wall_ms_t at)
{
	return at >= t->f->from && (t->f->to == 0 || at < t->f->to);
}

/* The rarest first: an address writes more mail than any gets, or any has the subject of. */
static unsigned rarest(const struct track *t)
{
	static const enum track_role order[] = {TRACK_GATEWAY_ID, TRACK_IPM_ID, TRACK_RECIPIENT, TRACK_SUBJECT};
	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (unsigned i = READ_TRACK_KEYS; i-- > 0;)
			if (t->want[i].key != 0 && track_key_role(t->want[i].key) == order[k])
				return i;
	if (t->want[WANT_ADDRESS].key != 0)
		return WANT_ADDRESS;
	for (unsigned i = 0; i < READ_TRACK_KEYS; i++)
		if (t->want[i].key != 0)
			return i;
	return WANTS;
}

static void set_wants(struct track *t)
{
	assert(t->f->n_keys <= READ_TRACK_KEYS);
	for (unsigned i = 0; i < t->f->n_keys; i++) {
		t->want[i].key = t->f->keys[i];
		t->all |= t->want[i].key != 0 ? BIT(i) : 0;
		t->fixed |= t->want[i].key != 0 && track_key_role(t->want[i].key) != TRACK_RECIPIENT ? BIT(i) : 0;
	}
	t->want[WANT_ADDRESS] = (struct want){t->f->address, t->f->address != 0};
	t->all |= t->f->address != 0 ? BIT(WANT_ADDRESS) : 0;
	const unsigned drive = t->f->id.n > 0 ? WANTS : rarest(t);
	if (drive == WANTS)
		return;
	t->drive = BIT(drive);
	t->entry = step_key_track(t->want[drive].key);
}

/* --- one step --- */
struct step_now {
	uint64_t seq;
	wall_ms_t at;
	int kind, event;
	struct mts_id id; /* in work */
	bool has_id, is_ours; /* is_ours: its or the other identifier is the one asked for */
	bool has_keys;
	uint32_t borne; /* bits of want */
};

static bool is_asked(struct track *t, struct view text)
{
	struct mts_id x;
	return text.n > 0 && mts_id_parse(text, &x, t->work, NULL) &&
	       (t->whole ? mts_id_eq(&x, &t->id) : view_eq(x.local, t->id.local));
}

/* False: it has been forgotten. */
static bool load(struct track *t, uint64_t seq, struct step_now *x)
{
	sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_STEP);
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	if (!reader_row(t->r, st))
		return false;
	*x = (struct step_now){.seq = seq, .at = sqlite3_column_int64(st, 1), .kind = sqlite3_column_int(st, 2)};
	x->event = sqlite3_column_type(st, 8) == SQLITE_NULL ? TRACK_NO_EVENT : sqlite3_column_int(st, 8);
	x->borne = borne_by(t, sqlite_view(st, 9), &x->has_keys);
	x->has_id = mts_id_parse(arena_copy(t->work, sqlite_view(st, 3)), &x->id, t->work, NULL);
	x->is_ours = t->f->id.n > 0 && (is_asked(t, sqlite_view(st, 3)) || is_asked(t, sqlite_view(st, 4)));
	sqlite3_reset(st);
	return true;
}

/* False: it does not fit any more. */
static bool emit(struct track *t, uint64_t seq)
{
	if (t->n == t->max)
		return false;
	sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_STEP);
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	if (!reader_row(t->r, st))
		return true;
	reader_take_step(st, &t->rows[t->n], t->rows_arena);
	sqlite3_reset(st);
	t->n += !arena_full(t->rows_arena);
	return !arena_full(t->rows_arena);
}

/* The next page is to begin with this step, unless it alone is too much for a page. */
static void put_off(struct track *t, uint64_t seq, size_t had)
{
	t->full = true;
	if (had == 0)
		return;
	t->n = had;
	t->looked = seq + 1;
}

/* --- all steps of a message --- */
struct journey {
	uint64_t *v;
	size_t n, cap;
};

static void journey_add(struct journey *j, uint64_t seq)
{
	if (j->n == j->cap) {
		j->cap = j->cap == 0 ? 16 : j->cap * 2;
		j->v = mem_grow(j->v, mem_mul(j->cap, sizeof *j->v));
	}
	j->v[j->n++] = seq;
}

static int seq_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* In order, and each once: a step may be there by both its identifiers. */
static void journey_sort(struct journey *j)
{
	size_t n = 0;
	if (j->n > 0)
		qsort(j->v, j->n, sizeof *j->v, seq_cmp);
	for (size_t i = 0; i < j->n; i++)
		if (n == 0 || j->v[n - 1] != j->v[i])
			j->v[n++] = j->v[i];
	j->n = n;
}

/* Those that the index says it may have. */
static void journey_of(struct track *t, struct view local, struct journey *j)
{
	const uint64_t first = step_key_first(local);
	for (int64_t period = (int64_t)step_period(t->first); !t->r->failed; period++) {
		sqlite3_stmt *st = reader_ask(t->r, ASK_PERIOD);
		sqlite3_bind_int64(st, 1, period);
		if (!reader_row(t->r, st))
			break;
		period = sqlite3_column_int64(st, 0);
		sqlite3_stmt *keys = reader_ask(t->r, ASK_KEYS);
		sqlite3_bind_int64(keys, 1, period);
		sqlite3_bind_int64(keys, 2, (int64_t)first);
		sqlite3_bind_int64(keys, 3, (int64_t)(first | UINT32_MAX));
		while (reader_row(t->r, keys) && j->n < JOURNEY_MAX)
			journey_add(j, (uint64_t)sqlite3_column_int64(keys, 0));
	}
	for (size_t i = 0; i < t->n_pending && j->n < JOURNEY_MAX; i++)
		if (t->pending[i].key >> 32 == first >> 32)
			journey_add(j, t->pending[i].seq);
	journey_sort(j);
}

static void show_events(struct track *t, const struct step_now *x, const struct journey *j)
{
	const size_t had = t->n;
	for (size_t i = j->n; i-- > 0;) {
		struct step_now y;
		if (!load(t, j->v[i], &y) || !y.has_id || !mts_id_eq(&y.id, &x->id) || !is_event(t, y.event) || !is_in_time(t, y.at))
			continue;
		if (!emit(t, y.seq)) {
			put_off(t, x->seq, had);
			return;
		}
	}
}

/* An earlier one that bears what drives stands for the message, and it comes later. */
static bool is_earlier(const struct track *t, const struct step_now *x, const struct step_now *y)
{
	if (y->seq >= x->seq)
		return false;
	return t->drive != 0 ? (y->borne & t->drive) != 0 : y->has_keys;
}

/* What all its steps bear together; its events, when they are asked for. */
static void look_at_all(struct track *t, const struct step_now *x)
{
	struct journey j = {.n = 0};
	uint32_t borne = x->borne;
	bool is_first = true;
	journey_of(t, x->id.local, &j);
	for (size_t i = 0; i < j.n && is_first; i++) {
		struct step_now y;
		if (j.v[i] == x->seq || !load(t, j.v[i], &y) || !y.has_id || !mts_id_eq(&y.id, &x->id))
			continue;
		is_first = t->f->n_events == 0 || !is_earlier(t, x, &y);
		borne |= y.borne;
	}
	if (is_first && (borne & t->all) == t->all) {
		if (t->f->n_events > 0)
			show_events(t, x, &j);
		else if (!emit(t, x->seq))
			put_off(t, x->seq, t->n);
	}
	free(j.v);
}

static void look_at(struct track *t, uint64_t seq)
{
	struct step_now x;
	arena_reset(t->work);
	t->looked = seq;
	if (!load(t, seq, &x) || !x.has_id)
		return;
	const bool arrival = is_arrival((enum store_step_kind)x.kind, x.event);
	if ((x.borne & t->drive) != t->drive)
		return;
	if (t->f->id.n > 0 && !x.is_ours && (x.borne & BIT(WANT_GATEWAY)) == 0)
		return;
	if (t->drive == 0 && !x.has_keys && !arrival && x.kind != STEP_REPORT_MADE)
		return;
	const bool all = (x.borne & t->all) == t->all;
	if (!all && arrival && (x.borne & t->fixed) != t->fixed)
		return;
	if (t->f->n_events == 0 && !is_in_time(t, x.at))
		return;
	if (!all || t->f->n_events > 0)
		look_at_all(t, &x);
	else if (!emit(t, seq))
		put_off(t, seq, t->n);
}

/* --- the drive --- */
static void add_pending(struct track *t, uint64_t key, uint64_t seq)
{
	if (t->n_pending == t->cap_pending) {
		t->cap_pending = t->cap_pending == 0 ? 1024 : t->cap_pending * 2;
		t->pending = mem_grow(t->pending, mem_mul(t->cap_pending, sizeof *t->pending));
	}
	t->pending[t->n_pending++] = (struct pending){key, seq};
}

static void load_pending(struct track *t)
{
	sqlite3_stmt *indexed = reader_ask(t->r, ASK_INDEXED);
	const int64_t last = reader_row(t->r, indexed) ? sqlite3_column_int64(indexed, 0) : 0;
	sqlite3_reset(indexed);
	sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_PENDING);
	sqlite3_bind_int64(st, 1, last);
	while (reader_row(t->r, st)) {
		const uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);
		struct cur keys = track_keys_cur(sqlite_view(st, 3));
		add_pending(t, (uint64_t)sqlite3_column_int64(st, 1), seq);
		if (sqlite3_column_type(st, 2) != SQLITE_NULL)
			add_pending(t, (uint64_t)sqlite3_column_int64(st, 2), seq);
		for (uint64_t key; track_keys_next(&keys, &key);)
			add_pending(t, step_key_track(key), seq);
	}
}

static bool drives(const struct track *t, uint64_t key)
{
	const uint64_t gateway_id = t->want[WANT_GATEWAY].key;
	if (t->drive != 0)
		return key == t->entry;
	return key >> 32 == step_key_first(t->id.local) >> 32 || (gateway_id != 0 && key == step_key_track(gateway_id));
}

static sqlite3_stmt *ask_period(struct track *t, int64_t period, uint64_t before)
{
	sqlite3_stmt *st = reader_ask(t->r, t->drive != 0 ? ASK_TRACK_KEY : ASK_TRACK_ID);
	sqlite3_bind_int64(st, 1, period);
	if (t->drive != 0) {
		sqlite3_bind_int64(st, 2, (int64_t)t->entry);
		sqlite3_bind_int64(st, 3, (int64_t)before);
		return st;
	}
	const uint64_t first = step_key_first(t->id.local);
	sqlite3_bind_int64(st, 2, (int64_t)first);
	sqlite3_bind_int64(st, 3, (int64_t)(first | UINT32_MAX));
	sqlite3_bind_int64(st, 4, (int64_t)step_key_track(t->want[WANT_GATEWAY].key));
	sqlite3_bind_int64(st, 5, (int64_t)before);
	return st;
}

/* The statement stays open while its steps are looked at: nothing else uses it. True: all of the period is done. */
static bool look_at_period(struct track *t, int64_t period, uint64_t before)
{
	sqlite3_stmt *st = ask_period(t, period, before);
	while (reader_row(t->r, st)) {
		const uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);
		if (seq < t->low)
			break;
		look_at(t, seq);
		if (is_over(t)) {
			sqlite3_reset(st);
			return false;
		}
	}
	sqlite3_reset(st);
	return !t->r->failed;
}

/* True: the end was reached. */
static bool by_index(struct track *t, uint64_t before)
{
	load_pending(t);
	for (size_t i = t->n_pending; i-- > 0;) {
		if (t->pending[i].seq >= before || t->pending[i].seq < t->low || !drives(t, t->pending[i].key) || t->pending[i].seq == t->looked)
			continue;
		look_at(t, t->pending[i].seq);
		if (is_over(t))
			return false;
	}
	for (int64_t period = (int64_t)step_period(before - 1); period >= (int64_t)step_period(t->low); period--) {
		sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_PERIOD);
		sqlite3_bind_int64(st, 1, period);
		if (!reader_row(t->r, st))
			break;
		period = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		if (!look_at_period(t, period, before))
			return false;
		const uint64_t first = (uint64_t)period << STEP_PERIOD_BITS;
		if (first <= t->low)
			return true;
		if (first < t->looked)
			t->looked = first;
		if (is_over(t))
			return false;
	}
	return true;
}

/* Nothing that an index has: step by step. */
static bool by_walk(struct track *t, uint64_t before)
{
	sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_WALK);
	sqlite3_bind_int64(st, 1, (int64_t)before);
	for (unsigned n = 1; reader_row(t->r, st); n++) {
		const uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);
		if (seq < t->low)
			break;
		const enum store_step_kind kind = (enum store_step_kind)sqlite3_column_int(st, 2);
		const int event = sqlite3_column_type(st, 3) == SQLITE_NULL ? TRACK_NO_EVENT : sqlite3_column_int(st, 3);
		if (is_in_time(t, sqlite3_column_int64(st, 1)) &&
		    (t->f->n_events > 0 ? is_event(t, event)
				       : is_arrival(kind, event)))
			(void)emit(t, seq);
		t->looked = seq;
		if (t->n == t->max || t->r->failed || arena_full(t->rows_arena) || (n % WALK_CHECKED == 0 && is_over(t))) {
			sqlite3_reset(st);
			return false;
		}
	}
	sqlite3_reset(st);
	return true;
}

/* The first step that is not older; after the last: none is. */
static uint64_t first_since(struct track *t, wall_ms_t at, uint64_t low, uint64_t high)
{
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_FROM);
		sqlite3_bind_int64(st, 1, (int64_t)middle);
		const bool is_before = reader_row(t->r, st) && sqlite3_column_int64(st, 0) < at;
		sqlite3_reset(st);
		if (is_before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool search(struct track *t, uint64_t before)
{
	sqlite3_stmt *st = reader_ask(t->r, ASK_TRACK_ENDS);
	if (!reader_row(t->r, st) || sqlite3_column_type(st, 0) == SQLITE_NULL)
		return true;
	const uint64_t first = (uint64_t)sqlite3_column_int64(st, 0), end = (uint64_t)sqlite3_column_int64(st, 1) + 1;
	sqlite3_reset(st);
	const bool keyed = t->drive != 0 || t->f->id.n > 0;
	t->low = t->first = first;
	if (before == 0 || before > end)
		before = end;
	if (t->f->to != 0) { /* what comes to a message later comes after its arrival */
		const uint64_t limit = first_since(t, t->f->to, first, end);
		before = limit < before ? limit : before;
	}
	if (t->f->from != 0 && (!keyed || t->f->n_events == 0))
		t->low = first_since(t, t->f->from, first, end);
	t->looked = before;
	if (before <= t->low)
		return true;
	return keyed ? by_index(t, before) : by_walk(t, before);
}

bool store_read_track(struct store_reader *r, const struct read_track *filter, uint64_t before_seq,
		      struct read_step_row *rows, size_t max, size_t *n_r, uint64_t *looked_r,
		      bool *more_r, struct arena *a, struct err *e)
{
	struct track t = {.r = r, .f = filter, .ids = arena_new(IDS_MAX), .work = arena_new(WORK_MAX), .rows_arena = a, .rows = rows, .max = max};
	if (filter->id.n > 0) {
		t.whole = mts_id_parse(filter->id, &t.id, t.ids, NULL);
		if (!t.whole)
			t.id = (struct mts_id){.local = filter->id};
		t.want[WANT_GATEWAY].key = track_key_text(filter->id, TRACK_GATEWAY_ID);
	}
	set_wants(&t);
	reader_begin(r);
	t.deadline_us = r->deadline_us;
	r->deadline_us = INT64_MAX; /* it ends between steps, so that each question comes further than the one before */
	*more_r = !search(&t, before_seq) && !r->failed;
	*n_r = t.n;
	*looked_r = t.looked;
	free(t.pending);
	arena_free(&t.ids);
	arena_free(&t.work);
	return reader_end(r, e);
}
