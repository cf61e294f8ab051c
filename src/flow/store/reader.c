/* reader.c - see read.h. A connection of its own; each question is one short read transaction, so
 * that it sees one moment and never keeps the log from being copied back for long. */
#include "flow/store/read.h"

#include "base/cur.h"
#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/store/reader_impl.h"
#include "flow/store/record.h"
#include "flow/store/track.h"

enum {
	PROGRESS_OPS = 2000,
	NAMED_MAX = 16,
	TEXT_MAX = 64 * 1024,
	TRACE_MAX = 20000,
	RELATED_MAX = 32,
	WRITER_PATIENCE_MS = 3000 /* while the writer makes the store, or recovers it after a crash: nobody waits for it otherwise */
};

#define QUEUE_COLUMNS                                                                              \
	"t.id, t.message, q.name, t.priority, m.mts_id, m.envelope, m.recipients, t.error, "       \
	"t.arrived, t.next, t.expires, t.attempts, "                                               \
	"t.recipients, t.size, m.kind"
#define STEP_COLUMNS READER_STEP
#define MAIL_COLUMNS                                                                               \
	"d.id, d.message, d.mailbox, m.kind, m.mts_id, m.envelope, m.recipients, d.recipient, "    \
	"d.delivered, d.size"

static const char *const questions[ASK_COUNT] = {
	[ASK_BEGIN] = "begin",
	[ASK_END] = "commit",
	[ASK_QUEUE_ALL] =
		"select " QUEUE_COLUMNS " from transfer t cross join message m on m.id = t.message "
		"join queue q on q.no = t.queue where t.id > ?2 and ?1 is not null order by t.id "
		"limit ?3",
	/* The index of the queue alone is walked, whatever the other queues hold; all of it, because it
	 * is not in the order of the ids: not for long queues. */
	[ASK_QUEUE_ONE] =
		"select " QUEUE_COLUMNS
		" from (select x.id from transfer x indexed by transfer_due where x.queue = "
		"(select no from queue where name = ?1) and x.id > ?2 order by x.id limit ?3) f "
		"cross join transfer t on t.id = f.id cross join message m on m.id = t.message "
		"join queue q on q.no = t.queue order by t.id",
	[ASK_QUEUE_ROW] =
		"select " QUEUE_COLUMNS " from transfer t cross join message m on m.id = t.message "
		"join queue q on q.no = t.queue where t.id = ?",
	[ASK_IS_LONG] = "select 1 from transfer indexed by transfer_due where queue = ? "
			"limit 1 offset 2000",
	[ASK_QUEUES] = "select no, name from queue order by name",
	[ASK_SUM] = "select count(*), sum(size), min(arrived) from transfer where queue = ?",
	[ASK_LENGTH] = "select count(*), 0, 0 from transfer indexed by transfer_due where queue = ?",
	[ASK_STEP] = "select " STEP_COLUMNS " from step where seq = ?",
	[ASK_STEPS_AFTER] = "select " STEP_COLUMNS " from step where seq > ? order by seq limit ?",
	[ASK_STEPS_LAST] =
		"select " STEP_COLUMNS
		" from (select * from step order by seq desc limit ?2) where seq > ?1 order by seq",
	[ASK_INDEXED] = "select value from counter where name = 'indexed'",
	[ASK_PENDING] = "select seq, key, other_key from step where seq > ? order by seq",
	[ASK_PERIOD] = "select period from step_key where period >= ? order by period limit 1",
	[ASK_KEYS] = "select seq from step_key where period = ? and key between ? and ?",
	[ASK_TRACK_PENDING] = "select seq, key, other_key, keys from step where seq > ? order by seq",
	[ASK_TRACK_PERIOD] = "select period from step_key where period <= ? order by period desc limit 1",
	[ASK_TRACK_KEY] = "select seq from step_key where period = ?1 and key = ?2 and seq < ?3 order by seq desc",
	[ASK_TRACK_ID] = "select seq from step_key where period = ?1 and key between ?2 and ?3 and seq < ?5 "
			 "union select seq from step_key where period = ?1 and key = ?4 and seq < ?5 order by 1 desc",
	[ASK_TRACK_WALK] = "select seq, at, kind, event from step where seq < ? order by seq desc",
	[ASK_TRACK_STEP] = "select " STEP_COLUMNS ", keys from step where seq = ?",
	[ASK_TRACK_FROM] = "select at from step where seq >= ? order by seq limit 1",
	[ASK_TRACK_ENDS] = "select (select min(seq) from step), (select max(seq) from step)",
	[ASK_MAIL_ALL] =
		"select " MAIL_COLUMNS " from delivery d cross join message m on m.id = d.message "
		"where d.id > ?2 and ?1 is not null order by d.id limit ?3",
	[ASK_MAIL_ONE] =
		"select " MAIL_COLUMNS " from delivery d cross join message m on m.id = d.message "
		"where d.mailbox = ?1 and d.id > ?2 order by d.id limit ?3",
	[ASK_QUARANTINE] =
		"select z.id, z.message, z.state, z.octets, m.mts_id, m.envelope, m.recipients, "
		"z.link, z.cause, z.words, z.key, z.at, z.arrived, z.strikes, z.recipients, z.size, "
		"m.kind from quarantine z cross join message m on m.id = z.message "
		"where z.id > ? order by z.id limit ?",
	/* Of what message a thing is, and what it is: ids are unique in a store. */
	[ASK_WHOSE] = "select id, 0, -1 from message where id = ?1 "
		      "union all select message, 1, -1 from transfer where id = ?1 "
		      "union all select message, 1, -1 from quarantine where id = ?1 "
		      "union all select message, 2, recipient from delivery where id = ?1",
	[ASK_MESSAGE] = "select kind, envelope, recipients, peer, size, arrived, expires, file, "
			"mts_id from message where id = ?",
	[ASK_PIECE] = "select file, size, substr(content, ?2 + 1, ?3) from message where id = ?1",
	[ASK_TRANSFERS] = "select id, message, queue, priority, next, arrived, size from transfer "
			  "where id > ? order by id",
	[ASK_QUEUE_NAME] = "select name from queue where no = ?",
	[ASK_QUEUE_NO] = "select no from queue where name = ?",
};

bool reader_is_late(struct store_reader *r)
{
	return r->deadline_us != INT64_MAX && env_precise_us(r->env) > r->deadline_us;
}

static int is_late(void *ctx)
{
	return reader_is_late(ctx);
}

struct store_reader *store_reader_open(struct env *env, const char *path, struct err *e)
{
	struct store_reader *r = mem_zero(sizeof *r);
	r->magic = STORE_READER_MAGIC;
	r->env = env;
	r->path = store_path(env, path);
	r->deadline_us = INT64_MAX;
	r->db = sqlite_schema_connect(r->path, SQLITE_OPEN_READONLY, e);
	if (r->db != NULL)
		sqlite3_busy_timeout(r->db, WRITER_PATIENCE_MS);
	bool ok = r->db != NULL && sqlite_schema_version(r->db, r->path, e);
	for (size_t i = 0; i < ASK_COUNT && ok; i++)
		if (sqlite3_prepare_v3(r->db, questions[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &r->stmt[i], NULL) != SQLITE_OK)
			ok = sqlite_schema_error(r->db, r->path, "be asked", e);
	if (!ok) {
		store_reader_close(&r);
		return NULL;
	}
	sqlite3_progress_handler(r->db, PROGRESS_OPS, is_late, r);
	return r;
}

void store_reader_close(struct store_reader **r)
{
	if (*r == NULL)
		return;
	CHECK(*r, STORE_READER_MAGIC);
	for (size_t i = 0; i < ASK_COUNT; i++)
		sqlite3_finalize((*r)->stmt[i]);
	sqlite3_close((*r)->db);
	free((*r)->path);
	(*r)->magic = 0;
	MEM_FREE(*r);
}

void store_reader_set_budget(struct store_reader *r, uint32_t ms)
{
	CHECK(r, STORE_READER_MAGIC);
	r->budget_ms = ms;
}

/* --- one question --- */
sqlite3_stmt *reader_ask(struct store_reader *r, enum question what)
{
	sqlite3_reset(r->stmt[what]);
	sqlite3_clear_bindings(r->stmt[what]);
	return r->stmt[what];
}

bool reader_row(struct store_reader *r, sqlite3_stmt *st)
{
	if (r->late || r->failed)
		return false;
	const int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return true;
	if (rc == SQLITE_INTERRUPT) {
		r->late = true;
	} else if (rc != SQLITE_DONE) {
		r->failed = true;
		sqlite_schema_error(r->db, r->path, "be read", &r->why);
	}
	sqlite3_reset(st);
	return false;
}

void reader_begin(struct store_reader *r)
{
	CHECK(r, STORE_READER_MAGIC);
	r->late = r->failed = false;
	r->deadline_us = INT64_MAX;
	(void)reader_row(r, reader_ask(r, ASK_BEGIN));
	if (r->budget_ms != 0)
		r->deadline_us = env_precise_us(r->env) + (int64_t)r->budget_ms * 1000;
}

bool reader_end(struct store_reader *r, struct err *e)
{
	for (size_t i = 0; i < ASK_COUNT; i++)
		sqlite3_reset(r->stmt[i]);
	r->deadline_us = INT64_MAX;
	if (sqlite3_get_autocommit(r->db) == 0) {
		sqlite3_step(r->stmt[ASK_END]);
		sqlite3_reset(r->stmt[ASK_END]);
	}
	if (r->failed && e != NULL)
		*e = r->why;
	return !r->failed;
}

bool reader_too_much(struct store_reader *r, const struct arena *a)
{
	if (arena_full(a))
		r->late = true;
	return arena_full(a);
}

const char *reader_text(sqlite3_stmt *st, int column, struct arena *a)
{
	const char *s = arena_str(a, sqlite_view(st, column));
	return s == NULL ? "" : s;
}

void reader_bind_view(sqlite3_stmt *st, int at, struct view v)
{
	sqlite3_bind_text64(st, at, v.n == 0 ? "" : (const char *)v.p, v.n, SQLITE_STATIC,
			    SQLITE_UTF8);
}

/* --- queues --- */
const char *reader_named(struct view recipients, uint64_t transfer, struct arena *a)
{
	struct arena *work = arena_new(4 << 20);
	struct out o;
	out_init(&o, TEXT_MAX);
	struct record_recipient rr;
	unsigned n = 0;
	struct cur c = cur_of(recipients);
	while (record_next(&c, &rr)) {
		if (rr.transfer != transfer || n++ >= NAMED_MAX)
			continue;
		struct recipient rcpt;
		arena_reset(work);
		if (!unpack_recipient(rr.packed, &rcpt, work, NULL))
			continue;
		if (out_len(&o) > 0)
			out_str(&o, ", ");
		oraddr_print(&rcpt.addr, ORADDR_F401, &o);
	}
	if (n > NAMED_MAX)
		out_fmt(&o, ", and %u more", n - NAMED_MAX);
	const char *s = arena_str(a, out_view(&o));
	out_fini(&o);
	arena_free(&work);
	return s == NULL ? "" : s;
}

const char *reader_sender(struct view envelope, struct message *m_r, struct arena *a)
{
	const struct view octets = arena_copy(a, envelope);
	if (arena_full(a) || !unpack_envelope(octets, m_r, a, NULL)) {
		*m_r = (struct message){.content_type = -2};
		return "";
	}
	if (m_r->kind != MESSAGE_REPORT)
		return oraddr_text(&m_r->originator, a);
	struct out o;
	out_init(&o, TEXT_MAX);
	gdi_print(&m_r->id.domain, &o);
	const char *s = arena_str(a, out_view(&o));
	out_fini(&o);
	return s == NULL ? "" : s;
}

static void take_queue_row(sqlite3_stmt *st, struct read_queue_row *x, struct arena *a)
{
	struct message m;
	*x = (struct read_queue_row){
		.transfer = (uint64_t)sqlite3_column_int64(st, 0),
		.message = (uint64_t)sqlite3_column_int64(st, 1),
		.queue = reader_text(st, 2, a),
		.priority = priority_name((enum priority)sqlite3_column_int(st, 3)),
		.mts_id = reader_text(st, 4, a),
		.originator = reader_sender(sqlite_view(st, 5), &m, a),
		.last_error = reader_text(st, 7, a),
		.arrived = sqlite3_column_int64(st, 8),
		.next_ms = sqlite3_column_int64(st, 9),
		.expires = sqlite3_column_int64(st, 10),
		.attempts = (uint32_t)sqlite3_column_int64(st, 11),
		.n_recipients = (uint32_t)sqlite3_column_int64(st, 12),
		.size = (uint64_t)sqlite3_column_int64(st, 13),
	};
	if (sqlite3_column_int(st, 14) == MESSAGE_REPORT)
		x->recipients = oraddr_text(&m.originator, a); /* one destination for the whole */
	else
		x->recipients = reader_named(sqlite_view(st, 6), x->transfer, a);
}

/* The number of a queue, when it is one whose index is too long to be walked for each page; else 0. */
static int64_t long_queue(struct store_reader *r, struct view queue)
{
	sqlite3_stmt *st = reader_ask(r, ASK_QUEUE_NO);
	reader_bind_view(st, 1, queue);
	const int64_t no = reader_row(r, st) ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	st = reader_ask(r, ASK_IS_LONG);
	sqlite3_bind_int64(st, 1, no);
	const bool is_long = no != 0 && reader_row(r, st);
	sqlite3_reset(st);
	return is_long ? no : 0;
}

/* All transfers in the order of their ids, those of the queue taken. True: there may be more after *looked_io. */
static bool read_long(struct store_reader *r, int64_t no, uint64_t *looked_io, struct read_queue_row *rows,
		      size_t max, size_t *n_r, struct arena *a)
{
	const uint64_t after = *looked_io;
	sqlite3_stmt *st = reader_ask(r, ASK_TRANSFERS), *one;
	sqlite3_bind_int64(st, 1, (int64_t)after);
	while (reader_row(r, st)) {
		if (*n_r == max || (*looked_io > after && reader_is_late(r)))
			return true;
		const int64_t id = sqlite3_column_int64(st, 0);
		if (sqlite3_column_int64(st, 2) == no) {
			one = reader_ask(r, ASK_QUEUE_ROW);
			sqlite3_bind_int64(one, 1, id);
			if (reader_row(r, one))
				take_queue_row(one, &rows[(*n_r)++], a);
			sqlite3_reset(one);
			if (reader_too_much(r, a))
				(*n_r)--;
			if (r->late || r->failed)
				return true;
		}
		*looked_io = (uint64_t)id;
	}
	return r->late;
}

static bool read_short(struct store_reader *r, struct view queue, uint64_t after, struct read_queue_row *rows,
		       size_t max, size_t *n_r, struct arena *a)
{
	sqlite3_stmt *st = reader_ask(r, queue.n == 0 ? ASK_QUEUE_ALL : ASK_QUEUE_ONE);
	reader_bind_view(st, 1, queue);
	sqlite3_bind_int64(st, 2, (int64_t)after);
	sqlite3_bind_int64(st, 3, (int64_t)max + 1);
	bool more = false;
	while (reader_row(r, st) && !(more = *n_r == max)) {
		take_queue_row(st, &rows[*n_r], a);
		if (reader_too_much(r, a))
			break;
		++*n_r;
	}
	return more || r->late;
}

bool store_read_queue(struct store_reader *r, struct view queue, uint64_t after,
		      struct read_queue_row *rows, size_t max, size_t *n_r, uint64_t *looked_r,
		      bool *more_r, struct arena *a, struct err *e)
{
	reader_begin(r);
	const int64_t no = queue.n == 0 ? 0 : long_queue(r, queue);
	*n_r = 0;
	*looked_r = after;
	if (no != 0) {
		*more_r = read_long(r, no, looked_r, rows, max, n_r, a);
	} else {
		*more_r = read_short(r, queue, after, rows, max, n_r, a);
		if (*n_r > 0)
			*looked_r = rows[*n_r - 1].transfer;
	}
	return reader_end(r, e);
}

/* A queue of a million is not left out because it cannot be added up in the time: it is only counted, and so are those after it. */
static sqlite3_stmt *sum_of(struct store_reader *r, int64_t queue, bool *only_count)
{
	sqlite3_stmt *st = reader_ask(r, *only_count ? ASK_LENGTH : ASK_SUM);
	sqlite3_bind_int64(st, 1, queue);
	if (reader_row(r, st) || !r->late)
		return st;
	*only_count = true;
	r->late = false;
	r->deadline_us = INT64_MAX;
	return sum_of(r, queue, only_count);
}

bool store_read_queues(struct store_reader *r, struct read_queue_sum *rows, size_t max, size_t *n_r,
		       struct arena *a, struct err *e)
{
	reader_begin(r);
	size_t n = 0;
	bool only_count = false;
	sqlite3_stmt *queues = reader_ask(r, ASK_QUEUES);
	while (n < max && reader_row(r, queues)) {
		sqlite3_stmt *st = sum_of(r, sqlite3_column_int64(queues, 0), &only_count);
		if (r->failed)
			break;
		if (sqlite3_column_int64(st, 0) == 0)
			continue;
		rows[n] = (struct read_queue_sum){
			reader_text(queues, 1, a), (uint64_t)sqlite3_column_int64(st, 0),
			(uint64_t)sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2)};
		if (reader_too_much(r, a))
			break;
		n++;
	}
	*n_r = n;
	return reader_end(r, e);
}

/* --- steps --- */
void reader_take_step(sqlite3_stmt *st, struct read_step_row *x, struct arena *a)
{
	*x = (struct read_step_row){
		.seq = (uint64_t)sqlite3_column_int64(st, 0),
		.at = sqlite3_column_int64(st, 1),
		.step = store_step_name((enum store_step_kind)sqlite3_column_int(st, 2)),
		.mts_id = reader_text(st, 3, a),
		.other_id = reader_text(st, 4, a),
		.peer = reader_text(st, 5, a),
		.text = reader_text(st, 6, a),
		.size = (uint64_t)sqlite3_column_int64(st, 7),
		.event = sqlite3_column_type(st, 8) == SQLITE_NULL ? TRACK_NO_EVENT : sqlite3_column_int(st, 8),
	};
}

bool store_read_steps(struct store_reader *r, uint64_t after_seq, struct read_step_row *rows,
		      size_t max, size_t *n_r, struct arena *a, struct err *e)
{
	reader_begin(r);
	sqlite3_stmt *st = reader_ask(r, after_seq == 0 ? ASK_STEPS_LAST : ASK_STEPS_AFTER);
	sqlite3_bind_int64(st, 1, (int64_t)after_seq);
	sqlite3_bind_int64(st, 2, (int64_t)max);
	size_t n = 0;
	while (n < max && reader_row(r, st)) {
		reader_take_step(st, &rows[n], a);
		if (reader_too_much(r, a))
			break;
		n++;
	}
	*n_r = n;
	return reader_end(r, e);
}

/* What is looked for: a whole identifier, or only the local one. */
struct wanted {
	bool whole;
	struct mts_id id;
};

struct journey {
	struct store_reader *r;
	struct arena *ids, *work;	    /* ids: of what is wanted; work: of one row */
	struct wanted related[RELATED_MAX]; /* [0] is what was asked for, the others are reports
					       about it (or what a report is about) */
	size_t n_related;
	uint64_t *seqs;
	size_t n, cap;
};

static bool is_wanted(struct journey *t, struct view id, const struct wanted *w)
{
	struct mts_id x;
	arena_reset(t->work);
	if (id.n == 0 || !mts_id_parse(id, &x, t->work, NULL))
		return false;
	return w->whole ? mts_id_eq(&x, &w->id) : view_eq(x.local, w->id.local);
}

static void add_seq(struct journey *t, uint64_t seq)
{
	if (t->n == TRACE_MAX)
		return;
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 64 : t->cap * 2;
		t->seqs = mem_grow(t->seqs, mem_mul(t->cap, sizeof *t->seqs));
	}
	t->seqs[t->n++] = seq;
}

static void add_related(struct journey *t, struct view id)
{
	for (size_t i = 0; i < t->n_related; i++)
		if (is_wanted(t, id, &t->related[i]))
			return;
	struct wanted w = {.whole = true};
	if (t->n_related < RELATED_MAX && id.n > 0 &&
	    mts_id_parse(arena_copy(t->ids, id), &w.id, t->ids, NULL))
		t->related[t->n_related++] = w;
}

/* A step that may be about w. Of what was asked for, the reports are followed too; of those, only
 * their own steps count. */
static void look_at(struct journey *t, uint64_t seq, size_t which)
{
	sqlite3_stmt *st = reader_ask(t->r, ASK_STEP);
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	if (!reader_row(t->r, st))
		return;
	const struct wanted *w = &t->related[which];
	const struct view id = sqlite_view(st, 3), other = sqlite_view(st, 4);
	const bool of_id = is_wanted(t, id, w), of_other = which == 0 && is_wanted(t, other, w);
	if (!of_id && !of_other)
		return;
	add_seq(t, seq);
	if (which == 0)
		add_related(t, of_id ? other : id);
}

static void gather(struct journey *t, size_t which)
{
	const struct wanted *w = &t->related[which];
	const uint64_t first = step_key_first(w->id.local);
	for (int64_t period = 0;; period++) {
		sqlite3_stmt *st = reader_ask(t->r, ASK_PERIOD);
		sqlite3_bind_int64(st, 1, period);
		if (!reader_row(t->r, st))
			break;
		period = sqlite3_column_int64(st, 0);
		sqlite3_stmt *keys = reader_ask(t->r, ASK_KEYS);
		sqlite3_bind_int64(keys, 1, period);
		sqlite3_bind_int64(keys, 2, (int64_t)first);
		sqlite3_bind_int64(keys, 3, (int64_t)(first | UINT32_MAX));
		while (reader_row(t->r, keys))
			look_at(t, (uint64_t)sqlite3_column_int64(keys, 0), which);
	}
	/* The newest steps are in no index yet. */
	sqlite3_stmt *indexed = reader_ask(t->r, ASK_INDEXED);
	const int64_t last = reader_row(t->r, indexed) ? sqlite3_column_int64(indexed, 0) : 0;
	sqlite3_stmt *pending = reader_ask(t->r, ASK_PENDING);
	sqlite3_bind_int64(pending, 1, last);
	while (reader_row(t->r, pending))
		if ((uint64_t)sqlite3_column_int64(pending, 1) >> 32 == first >> 32 ||
		    (uint64_t)sqlite3_column_int64(pending, 2) >> 32 == first >> 32)
			look_at(t, (uint64_t)sqlite3_column_int64(pending, 0), which);
}

static int seq_cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static void emit(struct journey *t, uint64_t after, struct read_step_row *rows, size_t max,
		 size_t *n_r, bool *more_r, struct arena *a)
{
	if (t->n > 0)
		qsort(t->seqs, t->n, sizeof *t->seqs, seq_cmp);
	size_t n = 0;
	bool more = t->r->late;
	uint64_t last = after;
	t->r->late = false; /* what was found is shown; that is bounded by max */
	t->r->deadline_us = INT64_MAX;
	for (size_t i = 0; i < t->n; i++) {
		if (t->seqs[i] <= last)
			continue; /* shown before, or found twice */
		sqlite3_stmt *st = reader_ask(t->r, ASK_STEP);
		sqlite3_bind_int64(st, 1, (int64_t)t->seqs[i]);
		if (n == max) {
			more = true;
			break;
		}
		if (!reader_row(t->r, st))
			continue;
		reader_take_step(st, &rows[n], a);
		if (reader_too_much(t->r, a))
			break;
		n++;
		last = t->seqs[i];
	}
	*n_r = n;
	*more_r = more || t->r->late;
}

bool store_read_trace(struct store_reader *r, struct view id, uint64_t after_seq,
		      struct read_step_row *rows, size_t max, size_t *n_r, bool *more_r,
		      struct arena *a, struct err *e)
{
	struct journey t = {
		.r = r, .ids = arena_new(1 << 20), .work = arena_new(1 << 20), .n_related = 1};
	t.related[0].whole = mts_id_parse(id, &t.related[0].id, t.ids, NULL);
	if (!t.related[0].whole)
		t.related[0].id = (struct mts_id){.local = id};
	reader_begin(r);
	for (size_t i = 0; i < t.n_related; i++)
		gather(&t, i);
	emit(&t, after_seq, rows, max, n_r, more_r, a);
	free(t.seqs);
	arena_free(&t.ids);
	arena_free(&t.work);
	return reader_end(r, e);
}

/* --- mailboxes --- */
static const char *recipient_at(struct view recipients, int64_t index, struct arena *a)
{
	struct record_recipient rr;
	struct recipient rcpt;
	struct cur c = cur_of(recipients);
	for (int64_t i = 0; record_next(&c, &rr); i++)
		if (i == index)
			return unpack_recipient(arena_copy(a, rr.packed), &rcpt, a, NULL)
				       ? oraddr_text(&rcpt.addr, a)
				       : "";
	return "";
}

static void take_mail(sqlite3_stmt *st, struct read_mail_row *x, struct arena *a)
{
	struct message m;
	const enum message_kind kind = (enum message_kind)sqlite3_column_int(st, 3);
	*x = (struct read_mail_row){
		.delivery = (uint64_t)sqlite3_column_int64(st, 0),
		.message = (uint64_t)sqlite3_column_int64(st, 1),
		.mailbox = reader_text(st, 2, a),
		.kind = message_kind_name(kind),
		.mts_id = reader_text(st, 4, a),
		.originator = reader_sender(sqlite_view(st, 5), &m, a),
		.delivered = sqlite3_column_int64(st, 8),
		.size = (uint64_t)sqlite3_column_int64(st, 9),
	};
	x->content_type = m.content_type;
	x->recipient = kind == MESSAGE_REPORT
			       ? oraddr_text(&m.originator, a)
			       : recipient_at(sqlite_view(st, 6), sqlite3_column_int64(st, 7), a);
}

bool store_read_mailbox(struct store_reader *r, struct view mailbox, uint64_t after,
			struct read_mail_row *rows, size_t max, size_t *n_r, bool *more_r,
			struct arena *a, struct err *e)
{
	reader_begin(r);
	sqlite3_stmt *st = reader_ask(r, mailbox.n == 0 ? ASK_MAIL_ALL : ASK_MAIL_ONE);
	reader_bind_view(st, 1, mailbox);
	sqlite3_bind_int64(st, 2, (int64_t)after);
	sqlite3_bind_int64(st, 3, (int64_t)max + 1);
	size_t n = 0;
	bool more = false;
	while (reader_row(r, st) && !(more = n == max)) {
		take_mail(st, &rows[n], a);
		if (reader_too_much(r, a))
			break;
		n++;
	}
	*n_r = n;
	*more_r = more || r->late;
	return reader_end(r, e);
}
