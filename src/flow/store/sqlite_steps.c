/* sqlite_steps.c - steps, and finding them: see step_index.h and schema.sql. */
#include "flow/store/sqlite_impl.h"

#include "base/mem.h"
#include "flow/store/record.h"
#include "flow/store/track.h"

enum { FORGET_STEPS = 1000, FORGET_KEYS = 3000 };
#define STEP_OCTETS "step-octets" /* of the steps up to `indexed` */

static struct bind text_or_null(struct view v)
{
	return v.n == 0 ? BIND_N() : BIND_T(v);
}

static struct view digest_octets(const uint64_t digest[2], uint8_t buf[16])
{
	for (unsigned i = 0; i < 16; i++)
		buf[i] = (uint8_t)(digest[i / 8] >> (56 - 8 * (i % 8)));
	return view_of(buf, 16);
}

/* An originator, who is the first, has one entry when he is a recipient too. */
static void add_keys(struct sqlite *q, struct view keys, uint64_t seq)
{
	struct cur c = track_keys_cur(keys);
	uint64_t key, first = 0; /* of no role but the index's own, so no key's entry is 0 */
	for (; track_keys_next(&c, &key); q->period_keys++) {
		const uint64_t entry = step_key_track(key);
		if (entry != first)
			step_index_add(q->steps, entry, seq);
		first = first == 0 ? entry : first;
	}
}

static uint64_t next_seq(struct sqlite *q)
{
	if (q->period_keys >= STEP_PERIOD_KEYS) {
		q->next_seq = (step_period(q->next_seq) + 1) << STEP_PERIOD_BITS;
		q->period_keys = 0;
	}
	const uint64_t seq = q->next_seq++;
	if (step_period(q->next_seq) != step_period(seq))
		q->period_keys = 0;
	return seq;
}

void sqlite_put_step(struct store *s, const struct store_step *step)
{
	struct sqlite *q = sqlite_of(s);
	struct out *id = &q->scratch[0], *other = &q->scratch[1];
	uint8_t digest[16];
	const int event = track_event(step->kind, step->of, step->gateway);
	out_clear(id);
	out_clear(other);
	mts_id_print(step->id, id);
	if (step->other != NULL)
		mts_id_print(step->other, other);
	assert(!id->bad && !other->bad);
	const uint64_t seq = next_seq(q), lost = s->lost;
	const bool keyed = store_step_is_arrival(step->kind);
	const uint64_t key = step_key(step->id->local, keyed ? step->digest : NULL);
	const uint64_t other_key = step->other == NULL ? 0 : step_key_other(step->other->local);
	SQLITE_RUN(q, SQL_PUT_STEP, BIND_I(seq), BIND_I(env_wall_ms(s->env)), BIND_I(step->kind),
		   BIND_I(step->size), BIND_T(out_view(id)), text_or_null(out_view(other)),
		   text_or_null(step->peer),
		   keyed ? BIND_B(digest_octets(step->digest, digest)) : BIND_N(),
		   text_or_null(view_first(step->text, STORE_STEP_TEXT_MAX)), BIND_I(key),
		   step->other == NULL ? BIND_N() : BIND_I(other_key), event == TRACK_NO_EVENT ? BIND_N() : BIND_I(event),
		   step->keys.n == 0 ? BIND_N() : BIND_B(step->keys));
	if (s->lost != lost)
		return; /* what is not there need not be found */
	step_index_add(q->steps, key, seq);
	if (step->other != NULL)
		step_index_add(q->steps, other_key, seq);
	add_keys(q, step->keys, seq);
	q->step_octets += store_step_octets(out_len(id) + out_len(other) + step->peer.n + view_first(step->text, STORE_STEP_TEXT_MAX).n,
					    step->keys.n / sizeof(uint64_t));
}

/* Of a row with SQL_STEP_LENGTHS from that column on. */
static uint64_t octets_of(sqlite3_stmt *st, int texts)
{
	return store_step_octets((uint64_t)sqlite3_column_int64(st, texts), (uint64_t)sqlite3_column_int64(st, texts + 1) / sizeof(uint64_t));
}

/* --- duplicates --- */
static bool is_same(struct sqlite *q, uint64_t seq, struct view id, struct view digest)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_STEP, BIND_I(seq));
	if (!sqlite_step_row(q, st))
		return false; /* forgotten */
	const bool same = store_step_is_arrival((enum store_step_kind)sqlite3_column_int(st, 0)) &&
			  view_eq(sqlite_view(st, 2), digest) &&
			  record_same_id(sqlite_view(st, 1), id);
	sqlite3_reset(st);
	return same;
}

static bool seen_in_table(struct sqlite *q, uint64_t period, uint64_t key, struct view id,
			  struct view digest)
{
	bool found = false;
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_STEP_KEYS, BIND_I(period), BIND_I(key));
	while (!found && sqlite_step_row(q, st))
		found = is_same(q, (uint64_t)sqlite3_column_int64(st, 0), id, digest);
	sqlite3_reset(st);
	return found;
}

bool sqlite_seen(struct store *s, const struct mts_id *id, const uint64_t digest[2])
{
	struct sqlite *q = sqlite_of(s);
	const uint64_t key = step_key(id->local, digest);
	uint64_t period = q->first_period;
	if (!step_index_maybe(q->steps, key, &period))
		return false; /* nearly always */
	uint8_t buf[16];
	struct out *text = &q->scratch[3];
	out_clear(text);
	mts_id_print(id, text);
	const struct view octets = digest_octets(digest, buf);
	uint64_t seq;
	for (size_t cursor = 0; step_index_find(q->steps, key, &cursor, &seq);)
		if (is_same(q, seq, out_view(text), octets))
			return true;
	for (; step_index_maybe(q->steps, key, &period) && !s->over; period++)
		if (seen_in_table(q, period, key, out_view(text), octets))
			return true;
	return false;
}

/* --- the batch --- */
static bool execute_filter(struct sqlite *q, uint64_t period)
{
	const struct view bits = step_index_filter(q->steps, period);
	const struct bind v[] = {BIND_I(period), BIND_B(bits)};
	return bits.n == 0 || sqlite_execute(q, SQL_PUT_STEP_FILTER, ARRAY_LEN(v), v);
}

bool sqlite_steps_flush(struct sqlite *q)
{
	const size_t n = step_index_pending(q->steps);
	if (!q->flush_steps && (n == 0 || (n < STEP_BATCH && step_period(q->next_seq) == q->open_period)))
		return true;
	const struct step_entry *v = n == 0 ? NULL : step_index_batch(q->steps);
	for (size_t i = 0; i < n; i++) {
		const struct bind row[] = {BIND_I(step_period(v[i].seq)), BIND_I(v[i].key),
					   BIND_I(v[i].seq)};
		if (!sqlite_execute(q, SQL_PUT_STEP_KEY, ARRAY_LEN(row), row))
			return false;
	}
	for (uint64_t full = q->open_period; full < step_period(q->next_seq); full++)
		if (!execute_filter(q, full))
			return false;
	const struct bind indexed[] = {BIND_T(VIEW("indexed")), BIND_I(q->next_seq - 1)}, octets[] = {BIND_T(VIEW(STEP_OCTETS)), BIND_I(q->step_octets)};
	if (!sqlite_execute(q, SQL_SET_COUNTER, ARRAY_LEN(indexed), indexed) || !sqlite_execute(q, SQL_SET_COUNTER, ARRAY_LEN(octets), octets))
		return false;
	q->steps_flushed = true;
	return true;
}

void sqlite_steps_committed(struct sqlite *q)
{
	if (!q->steps_flushed)
		return;
	step_index_written(q->steps);
	q->open_period = step_period(q->next_seq);
	q->steps_flushed = q->flush_steps = false;
}

/* --- forgetting --- */
/* How many steps there are, about: numbers that were left out count. At least 1. */
static uint64_t count_of(const struct sqlite *q)
{
	return q->next_seq > q->first_seq ? q->next_seq - q->first_seq : 1;
}

/* The first steps that are too old, or too many, to go in this slice. */
struct oldest {
	uint64_t last, octets; /* last 0: none */
	unsigned n;
};

static struct oldest oldest_of(struct sqlite *q, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r)
{
	struct oldest x = {.n = 0};
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_STEP_AGES, BIND_I(FORGET_STEPS));
	while (sqlite_step_row(q, st)) {
		const wall_ms_t at = sqlite3_column_int64(st, 1);
		if (at >= before && (octets_max == 0 || q->step_octets <= octets_max + x.octets))
			break;
		if (at >= before)
			*short_r = at;
		x.last = (uint64_t)sqlite3_column_int64(st, 0);
		x.octets += octets_of(st, 2);
		x.n++;
	}
	sqlite3_reset(st);
	return x;
}

/* Some keys of a period none of whose steps is left. True: that was all of it. */
static bool forget_keys(struct sqlite *q, uint64_t period)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_SOME_KEY, BIND_I(period), BIND_I(FORGET_KEYS));
	const bool more = sqlite_step_row(q, st);
	const int64_t last = more ? sqlite3_column_int64(st, 0) : INT64_MAX;
	sqlite3_reset(st);
	SQLITE_RUN(q, SQL_DEL_STEP_KEYS, BIND_I(period), BIND_I(last));
	if (!more)
		SQLITE_RUN(q, SQL_DEL_STEP_FILTER, BIND_I(period));
	return !more;
}

bool sqlite_forget_steps(struct store *s, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r)
{
	struct sqlite *q = sqlite_of(s);
	const uint64_t lost = s->lost;
	const struct oldest x = oldest_of(q, before, octets_max, short_r);
	if (x.n > 0) {
		q->step_octets -= x.octets < q->step_octets ? x.octets : q->step_octets;
		SQLITE_RUN(q, SQL_DEL_STEPS, BIND_I(x.last));
		q->first_seq = x.last + 1;
		q->flush_steps = true; /* so that a number is never given twice: counter `indexed`
					  knows the last one */
	}
	if (q->first_period < step_period(q->first_seq) && !s->over &&
	    forget_keys(q, q->first_period))
		step_index_forget(q->steps, q->first_period++);
	if (s->lost != lost)
		return false; /* the same would be found again, and again */
	return !s->over && (x.n == FORGET_STEPS || q->first_period < step_period(q->first_seq));
}

/* --- opening --- */
static bool load_filters(struct sqlite *q, struct err *e)
{
	sqlite3_stmt *st;
	char sql[100];
	snprintf(sql, sizeof sql,
		 "select period, bits from step_filter order by period desc limit %d",
		 STEP_FILTERS_MAX - 1);
	if (sqlite3_prepare_v2(q->db, sql, -1, &st, NULL) != SQLITE_OK)
		return sqlite_schema_error(q->db, q->path, "be read", e);
	int rc;
	bool ok = true;
	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const uint64_t period = (uint64_t)sqlite3_column_int64(st, 0);
		if (!step_index_load(q->steps, period, sqlite_view(st, 1)))
			ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
				     "store %s: the filter of period %llu has %d octets, want %d",
				     q->path, (unsigned long long)period,
				     sqlite3_column_bytes(st, 1), STEP_FILTER_OCTETS);
	}
	ok = ok && (rc == SQLITE_DONE || sqlite_schema_error(q->db, q->path, "be read", e));
	sqlite3_finalize(st);
	return ok;
}

static void fill_open_filter(struct sqlite *q)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_PERIOD_KEYS, BIND_I(q->open_period));
	for (; sqlite_row(q, st); q->period_keys++)
		step_index_add_written(q->steps, (uint64_t)sqlite3_column_int64(st, 0),
				       q->open_period);
}

static void estimate(struct sqlite *q)
{
	sqlite3_stmt *st = sqlite_ask(q, SQL_STEP_SIZE, 0, NULL);
	if (q->next_seq > q->first_seq && sqlite_step_row(q, st))
		q->step_octets = octets_of(st, 0) * count_of(q);
	sqlite3_reset(st);
}

/* The steps that were not in the table when the store was closed. */
static void fill_pending(struct sqlite *q, uint64_t indexed)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_STEPS_AFTER, BIND_I(indexed));
	while (sqlite_row(q, st)) {
		const uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);
		step_index_add(q->steps, (uint64_t)sqlite3_column_int64(st, 1), seq);
		if (sqlite3_column_type(st, 2) != SQLITE_NULL)
			step_index_add(q->steps, (uint64_t)sqlite3_column_int64(st, 2), seq);
		add_keys(q, sqlite_view(st, 3), seq);
		q->step_octets += octets_of(st, 4);
	}
}

/* The first column of the first row; otherwise when there is none. */
static uint64_t first_of(struct sqlite *q, enum sql what, unsigned n, const struct bind *v,
			 uint64_t otherwise)
{
	sqlite3_stmt *st = sqlite_ask(q, what, n, v);
	const uint64_t x = sqlite_row(q, st) ? (uint64_t)sqlite3_column_int64(st, 0) : otherwise;
	sqlite3_reset(st);
	return x;
}

bool sqlite_steps_open(struct sqlite *q, struct err *e)
{
	const struct bind name[] = {BIND_T(VIEW("indexed"))}, start[] = {BIND_I(0)};
	const uint64_t indexed = first_of(q, SQL_GET_COUNTER, 1, name, 0),
		       last = first_of(q, SQL_LAST_STEP, 0, NULL, 0);
	q->next_seq = (last > indexed ? last : indexed) + 1;
	q->open_period = step_period(indexed + 1);
	q->first_seq = first_of(q, SQL_FIRST_STEP, 1, start, q->next_seq);
	q->first_period = first_of(q, SQL_FIRST_PERIOD, 0, NULL, step_period(q->first_seq));
	if (!load_filters(q, e))
		return false;
	fill_open_filter(q);
	const struct bind octets[] = {BIND_T(VIEW(STEP_OCTETS))};
	const int64_t counted = (int64_t)first_of(q, SQL_GET_COUNTER, 1, octets, UINT64_MAX);
	q->step_octets = counted < 0 ? 0 : (uint64_t)counted;
	fill_pending(q, indexed);
	if (counted < 0)
		estimate(q);
	return !q->s.over;
}
