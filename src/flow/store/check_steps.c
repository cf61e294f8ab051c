/* check_steps.c - see check_steps.h. A period of steps at a time (65,536 of them), its keys in memory and sorted as the table is. */
#include "flow/store/check_steps.h"

#include "base/cur.h"
#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/sqlite_impl.h"
#include "flow/store/track.h"

enum { SENTENCE = 300, ID_ARENA = 1 << 20, PROGRESS_EVERY = 1024 };

struct entry {
	int64_t key, seq;
};

struct steps {
	sqlite3 *db;
	const char *path;
	const struct store_check_watch *w;
	struct store_check_result *result;
	struct err *e;
	sqlite3_stmt *step, *key, *filter; /* walks over the three tables */
	bool has_key, has_filter;	   /* a row waits */
	int64_t indexed, first, last;
	struct entry *v; /* what the table is to have of this period */
	size_t n, cap;
	struct arena *arena;
	bool failed;
};

static void PRINTF_LIKE(2, 3) found(struct steps *s, const char *fmt, ...)
{
	char text[SENTENCE];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	s->result->found++;
	s->w->found(s->w->ctx, text);
}

static bool cannot(struct steps *s)
{
	if (!s->failed)
		s->failed = !sqlite_schema_error(s->db, s->path, "be checked", s->e);
	return false;
}

static bool prepare(struct steps *s, const char *sql, sqlite3_stmt **st_r)
{
	return sqlite3_prepare_v2(s->db, sql, -1, st_r, NULL) == SQLITE_OK || cannot(s);
}

static bool next(struct steps *s, sqlite3_stmt *st)
{
	const int rc = sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		cannot(s);
	return rc == SQLITE_ROW;
}

/* otherwise: when there is no row, or null in it. */
static int64_t number(struct steps *s, const char *sql, int64_t otherwise)
{
	sqlite3_stmt *st = NULL;
	int64_t x = otherwise;
	if (prepare(s, sql, &st) && next(s, st) && sqlite3_column_type(st, 0) == SQLITE_INTEGER)
		x = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return x;
}

/* --- entries --- */
static void add(struct steps *s, int64_t key, int64_t seq)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 1 << 17 : mem_mul(s->cap, 2);
		s->v = mem_grow(s->v, mem_mul(s->cap, sizeof *s->v));
	}
	s->v[s->n++] = (struct entry){key, seq};
}

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static uint64_t *filter_of(const struct steps *s, uint64_t period, size_t *words_r)
{
	struct step_index *ix = step_index_new();
	for (size_t i = 0; i < s->n; i++)
		step_index_add_written(ix, (uint64_t)s->v[i].key, period);
	const struct view bits = step_index_filter(ix, period);
	uint64_t *words = bits.n == 0 ? NULL : mem_dup(bits.p, bits.n);
	*words_r = bits.n / sizeof *words;
	step_index_free(&ix);
	return words;
}

/* --- checking --- */
/* An entry that no step has: fine when it is of a step that was forgotten, which goes in two moves. */
static void check_odd(struct steps *s, int64_t period, struct entry x)
{
	if (x.seq >= s->first || period != (int64_t)step_period((uint64_t)x.seq))
		found(s, "the index has an entry for step %lld which is not that step's", (long long)x.seq);
}

/* Entries of the table up to the end of this period, against what they are to be. */
static void check_entries(struct steps *s, int64_t period)
{
	size_t i = 0;
	while (s->has_key && sqlite3_column_int64(s->key, 0) <= period && !s->failed) {
		const struct entry x = {sqlite3_column_int64(s->key, 1), sqlite3_column_int64(s->key, 2)};
		const bool here = sqlite3_column_int64(s->key, 0) == period;
		while (here && i < s->n && entry_cmp(&s->v[i], &x) < 0)
			found(s, "step %lld is not in the index", (long long)s->v[i++].seq);
		if (here && i < s->n && entry_cmp(&s->v[i], &x) == 0)
			i++;
		else
			check_odd(s, sqlite3_column_int64(s->key, 0), x);
		s->has_key = next(s, s->key);
	}
	for (; i < s->n && !s->failed; i++)
		found(s, "step %lld is not in the index", (long long)s->v[i].seq);
}

static void check_filter(struct steps *s, int64_t period, bool full)
{
	size_t words = 0;
	while (s->has_filter && sqlite3_column_int64(s->filter, 0) < period && !s->failed)
		s->has_filter = next(s, s->filter);
	const bool there = s->has_filter && sqlite3_column_int64(s->filter, 0) == period;
	uint64_t *want = full && s->n > 0 ? filter_of(s, (uint64_t)period, &words) : NULL;
	bool good = want == NULL || there;
	if (want != NULL && there) {
		const struct view bits = sqlite_view(s->filter, 1);
		good = bits.n == words * sizeof *want;
		for (size_t i = 0; good && i < words; i++) {
			uint64_t has;
			memcpy(&has, bits.p + i * sizeof has, sizeof has);
			good = (want[i] & ~has) == 0;
		}
	}
	if (!good)
		found(s, "the filter of steps %lld to %lld does not let all of them be found", (long long)(period << STEP_PERIOD_BITS),
		      (long long)((period + 1) << STEP_PERIOD_BITS) - 1);
	free(want);
}

static void add_keys(struct steps *s, struct view octets, int64_t seq)
{
	struct cur keys = track_keys_cur(octets);
	uint64_t key;
	while (track_keys_next(&keys, &key))
		add(s, (int64_t)step_key_track(key), seq);
}

/* In the order of the table, and each once: two keys of a step may be the same. */
static void sort_entries(struct steps *s)
{
	size_t n = 0;
	if (s->n > 0)
		qsort(s->v, s->n, sizeof *s->v, entry_cmp);
	for (size_t i = 0; i < s->n; i++)
		if (n == 0 || entry_cmp(&s->v[n - 1], &s->v[i]) != 0)
			s->v[n++] = s->v[i];
	s->n = n;
}

static void end_of_period(struct steps *s, int64_t period)
{
	sort_entries(s);
	check_entries(s, period);
	check_filter(s, period, period < (int64_t)step_period((uint64_t)s->indexed + 1));
	s->n = 0;
}

/* An identifier that no text can say (X.411 lets its parts be empty) has no key to compare with. */
static void check_hash(struct steps *s, int64_t seq, struct view id_text, uint64_t key, const uint64_t *digest, bool other)
{
	struct mts_id id;
	arena_reset(s->arena);
	if (mts_id_parse(id_text, &id, s->arena, NULL) && key != (other ? step_key_other(id.local) : step_key(id.local, digest)))
		found(s, "step %lld has the key of another identifier", (long long)seq);
}

static void check_step(struct steps *s)
{
	sqlite3_stmt *st = s->step;
	const int64_t seq = sqlite3_column_int64(st, 0);
	const bool arrival = store_step_is_arrival((enum store_step_kind)sqlite3_column_int(st, 1)),
		   has_other = sqlite3_column_type(st, 3) != SQLITE_NULL;
	const uint64_t key = (uint64_t)sqlite3_column_int64(st, 5), other_key = (uint64_t)sqlite3_column_int64(st, 6);
	struct cur in = cur_of(sqlite_view(st, 4));
	const uint64_t digest[2] = {cur_u64(&in), cur_u64(&in)};
	s->result->steps++;
	if (sqlite3_column_int(st, 7) == 0)
		found(s, "step %lld has a value of another type", (long long)seq);
	if (seq < 1)
		found(s, "step %lld has a number that was never given", (long long)seq);
	check_hash(s, seq, sqlite_view(st, 2), key, arrival ? digest : NULL, false);
	const bool has_key = sqlite3_column_type(st, 6) != SQLITE_NULL;
	if (has_other != has_key)
		found(s, "step %lld has another identifier without its key, or the reverse", (long long)seq);
	if (has_other && has_key)
		check_hash(s, seq, sqlite_view(st, 3), other_key, NULL, true);
	if (seq > s->indexed)
		return;
	add(s, (int64_t)key, seq);
	if (has_key)
		add(s, (int64_t)other_key, seq);
	if (sqlite3_column_bytes(st, 8) % (int)sizeof(uint64_t) != 0)
		found(s, "step %lld has keys that are cut", (long long)seq);
	add_keys(s, sqlite_view(st, 8), seq);
}

static void walk(struct steps *s)
{
	int64_t period = INT64_MIN;
	s->has_key = next(s, s->key);
	s->has_filter = next(s, s->filter);
	while (!s->failed && next(s, s->step)) {
		const int64_t now = sqlite3_column_int64(s->step, 0) >> STEP_PERIOD_BITS;
		if (period != INT64_MIN && now != period)
			end_of_period(s, period);
		period = now;
		check_step(s);
		if (s->w->progress != NULL && s->result->steps % PROGRESS_EVERY == 0 && s->last > s->first)
			s->w->progress(s->w->ctx, "steps",
				       (double)(sqlite3_column_int64(s->step, 0) - s->first) / (double)(s->last - s->first),
				       s->result->steps);
	}
	if (period != INT64_MIN && !s->failed)
		end_of_period(s, period);
	if (!s->failed)
		check_entries(s, INT64_MAX);
}

static bool ask_all(struct steps *s, const struct shapes *shapes)
{
	const struct shape *shape = shapes_find(shapes, "step");
	const int64_t has = number(s, "select count(*) from pragma_table_info('step')", 0);
	const size_t n = has < (int64_t)shape->n ? shape->n_least : shape->n; /* an older version lacks some */
	struct out sql;
	out_init(&sql, 1 << 20);
	out_str(&sql, "select t.seq, t.kind, t.mts_id, t.other, t.digest, t.key, t.other_key, ");
	shape_typed(shape, "t", n, &sql);
	out_fmt(&sql, ", %s from step t order by t.seq", n < shape->n ? "null" : "t.keys");
	const bool ok = prepare(s, out_cstr(&sql), &s->step) &&
			prepare(s, "select period, key, seq from step_key order by period, key, seq", &s->key) &&
			prepare(s, "select period, bits from step_filter order by period", &s->filter);
	out_fini(&sql);
	return ok;
}

/* The store does not open with a filter of another size, so these are looked at by themselves. */
static void check_filter_sizes(struct steps *s)
{
	char sql[160];
	snprintf(sql, sizeof sql, "select count(*) from step_filter where typeof(bits) <> 'blob' or length(bits) <> %d", STEP_FILTER_OCTETS);
	const int64_t n = number(s, sql, 0);
	if (n > 0)
		found(s, "%lld filters of steps are not of the right size", (long long)n);
}

static void fini(struct steps *s)
{
	sqlite3_finalize(s->step);
	sqlite3_finalize(s->key);
	sqlite3_finalize(s->filter);
	free(s->v);
	arena_free(&s->arena);
}

bool check_steps(sqlite3 *db, const char *path, const struct shapes *shapes, const struct store_check_watch *w,
		 struct store_check_result *result, struct err *e)
{
	struct steps s = {.db = db, .path = path, .w = w, .result = result, .e = e, .arena = arena_new(ID_ARENA)};
	s.indexed = number(&s, "select value from counter where name = 'indexed'", 0);
	s.first = number(&s, "select min(seq) from step", INT64_MAX);
	s.last = number(&s, "select max(seq) from step", INT64_MIN);
	if (s.last != INT64_MIN && s.indexed > s.last)
		found(&s, "the index of steps reaches to %lld, which is over step %lld", (long long)s.indexed, (long long)s.last);
	check_filter_sizes(&s);
	if (!s.failed && ask_all(&s, shapes))
		walk(&s);
	const bool ok = !s.failed;
	fini(&s);
	return ok;
}

/* --- making it so --- */
static bool execute(struct steps *s, const char *sql)
{
	if (FAULT(REPAIR_WRITE))
		return err_set(s->e, ERR_TEMP, ERR_OF_PROCESS, "copy: the index of steps cannot be written (fault point)");
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || sqlite_schema_error(s->db, s->path, "be written", s->e);
}

static bool put_period(struct steps *s, int64_t period, bool full)
{
	sqlite3_stmt *st = NULL;
	size_t words = 0;
	sort_entries(s);
	if (!prepare(s, "insert into step_key values (?, ?, ?)", &st))
		return false;
	for (size_t i = 0; i < s->n && !s->failed; i++) {
		sqlite3_bind_int64(st, 1, period);
		sqlite3_bind_int64(st, 2, s->v[i].key);
		sqlite3_bind_int64(st, 3, s->v[i].seq);
		(void)next(s, st);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	st = NULL;
	if (full && s->n > 0 && !s->failed && prepare(s, "insert into step_filter values (?, ?)", &st)) {
		uint64_t *bits = filter_of(s, (uint64_t)period, &words);
		sqlite3_bind_int64(st, 1, period);
		sqlite3_bind_blob64(st, 2, bits, words * sizeof *bits, SQLITE_STATIC);
		(void)next(s, st);
		sqlite3_finalize(st);
		free(bits);
	}
	s->n = 0;
	return !s->failed;
}

static bool rebuild(struct steps *s)
{
	int64_t period = INT64_MIN;
	while (!s->failed && next(s, s->step)) {
		const int64_t seq = sqlite3_column_int64(s->step, 0), now = seq >> STEP_PERIOD_BITS;
		if (period != INT64_MIN && now != period && !put_period(s, period, true))
			return false;
		period = now;
		add(s, sqlite3_column_int64(s->step, 1), seq);
		if (sqlite3_column_type(s->step, 2) != SQLITE_NULL)
			add(s, sqlite3_column_int64(s->step, 2), seq);
		add_keys(s, sqlite_view(s->step, 3), seq);
	}
	/* The last period is open, unless `indexed` is its last step. */
	return !s->failed && (period == INT64_MIN || put_period(s, period, period < (int64_t)step_period((uint64_t)s->last + 1)));
}

bool check_steps_rebuild(sqlite3 *db, const char *path, struct err *e)
{
	struct steps s = {.db = db, .path = path, .e = e, .arena = arena_new(ID_ARENA)};
	char sql[120];
	s.last = number(&s, "select max(seq) from step", number(&s, "select value from counter where name = 'indexed'", 0));
	snprintf(sql, sizeof sql, "insert or replace into counter values ('indexed', %lld)", (long long)s.last);
	const bool ok = !s.failed && execute(&s, "delete from step_key; delete from step_filter; delete from counter where name = 'step-octets'") &&
			prepare(&s, "select seq, key, other_key, keys from step order by seq", &s.step) && rebuild(&s) && execute(&s, sql);
	fini(&s);
	return ok;
}
