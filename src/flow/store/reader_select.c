/* reader_select.c - transfers that an operator's command is about. All are looked at in order of
 * id, the cheap conditions first: where a question has ended by its time is then one number. */
#include "flow/store/reader_impl.h"

#include "base/cur.h"
#include "flow/message/pack.h"
#include "flow/store/record.h"

enum { WORK_MAX = 256 << 20, TEXT_MAX = 64 * 1024 };

struct selection {
	struct store_reader *r;
	const struct read_filter *f;
	int64_t queue; /* its number; -1: there is none of that name, 0: any */
	bool whole_id; /* else only the local one */
	struct mts_id id;
	struct arena *ids, *work;
	struct out text;
};

static bool contains_nocase(struct view text, struct view part)
{
	for (size_t i = 0; i + part.n <= text.n; i++)
		if (view_eq_nocase(view_first(view_from(text, i), part.n), part))
			return true;
	return part.n == 0;
}

static bool address_has(struct selection *s, const struct oraddr *addr, struct view part)
{
	out_clear(&s->text);
	oraddr_print(addr, ORADDR_F401, &s->text);
	return contains_nocase(out_view(&s->text), part);
}

/* What the row of the transfer itself says. */
static bool row_matches(const struct selection *s, sqlite3_stmt *st)
{
	const struct read_filter *f = s->f;
	const bool held = sqlite3_column_int64(st, 4) >= STORE_NEVER;
	return (s->queue == 0 || sqlite3_column_int64(st, 2) == s->queue) &&
	       (!f->by_priority || sqlite3_column_int64(st, 3) == (int64_t)f->priority) &&
	       (f->held == READ_HELD_ANY || held == (f->held == READ_HELD_ONLY)) &&
	       (f->older_than == 0 || sqlite3_column_int64(st, 5) < f->older_than) &&
	       (uint64_t)sqlite3_column_int64(st, 6) >= f->larger_than + (f->larger_than > 0);
}

static bool id_matches(struct selection *s, struct view text)
{
	struct mts_id x;
	if (s->f->mts_id.n == 0)
		return true;
	arena_reset(s->work);
	return mts_id_parse(text, &x, s->work, NULL) &&
	       (s->whole_id ? mts_id_eq(&x, &s->id) : view_eq(x.local, s->id.local));
}

static bool recipient_matches(struct selection *s, struct view recipients, uint64_t transfer)
{
	struct record_recipient rr;
	struct cur c = cur_of(recipients);
	while (record_next(&c, &rr)) {
		struct recipient rcpt;
		if (rr.transfer != transfer)
			continue;
		arena_reset(s->work);
		if (unpack_recipient(rr.packed, &rcpt, s->work, NULL) &&
		    address_has(s, &rcpt.addr, s->f->recipient))
			return true;
	}
	return false;
}

/* What its message says. Of a report: its originator is the domain that made it, its recipient whom it is for. */
static bool message_matches(struct selection *s, sqlite3_stmt *st, uint64_t transfer)
{
	const struct read_filter *f = s->f;
	if (!id_matches(s, sqlite_view(st, 8)))
		return false;
	const bool report = sqlite3_column_int(st, 0) == MESSAGE_REPORT;
	if (f->originator.n > 0 || (report && f->recipient.n > 0)) {
		struct message m;
		arena_reset(s->work);
		const char *sender = reader_sender(sqlite_view(st, 1), &m, s->work);
		if (!contains_nocase(view_str(sender), f->originator))
			return false;
		if (report)
			return address_has(s, &m.originator, f->recipient);
	}
	return f->recipient.n == 0 || recipient_matches(s, sqlite_view(st, 2), transfer);
}

static const char *queue_name(struct store_reader *r, int64_t no, struct arena *a)
{
	sqlite3_stmt *st = reader_ask(r, ASK_QUEUE_NAME);
	sqlite3_bind_int64(st, 1, no);
	const char *name = reader_row(r, st) ? reader_text(st, 0, a) : "";
	sqlite3_reset(st);
	return name;
}

/* True: it matches, and is in *x. */
static bool take(struct selection *s, sqlite3_stmt *st, struct read_selected *x, struct arena *a)
{
	if (!row_matches(s, st))
		return false;
	const uint64_t transfer = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_stmt *message = reader_ask(s->r, ASK_MESSAGE);
	sqlite3_bind_int64(message, 1, sqlite3_column_int64(st, 1));
	const bool matches = reader_row(s->r, message) && message_matches(s, message, transfer);
	struct message m;
	if (matches) {
		arena_reset(s->work);
		const char *sender = reader_sender(sqlite_view(message, 1), &m, s->work);
		*x = (struct read_selected){
			.transfer = transfer,
			.message = (uint64_t)sqlite3_column_int64(st, 1),
			.mts_id = reader_text(message, 8, a),
			.originator = arena_str(a, view_str(sender)),
		};
		x->queue = queue_name(s->r, sqlite3_column_int64(st, 2), a);
	}
	sqlite3_reset(message);
	return matches;
}

static void selection_init(struct selection *s, struct store_reader *r, const struct read_filter *f)
{
	*s = (struct selection){
		.r = r, .f = f, .ids = arena_new(1 << 20), .work = arena_new(WORK_MAX)};
	out_init(&s->text, TEXT_MAX);
	s->whole_id = f->mts_id.n > 0 && mts_id_parse(f->mts_id, &s->id, s->ids, NULL);
	if (!s->whole_id)
		s->id = (struct mts_id){.local = f->mts_id};
	if (f->queue.n == 0)
		return;
	sqlite3_stmt *st = reader_ask(r, ASK_QUEUE_NO);
	reader_bind_view(st, 1, f->queue);
	s->queue = reader_row(r, st) ? sqlite3_column_int64(st, 0) : -1;
	sqlite3_reset(st);
}

static void selection_fini(struct selection *s)
{
	out_fini(&s->text);
	arena_free(&s->work);
	arena_free(&s->ids);
}

bool store_read_select(struct store_reader *r, const struct read_filter *filter, uint64_t after,
		       struct read_selected *rows, size_t max, size_t *n_r, uint64_t *looked_r,
		       bool *more_r, struct arena *a, struct err *e)
{
	struct selection s;
	size_t n = 0;
	uint64_t looked = after;
	bool more = false;
	reader_begin(r);
	selection_init(&s, r, filter);
	sqlite3_stmt *st = reader_ask(r, ASK_TRANSFERS);
	sqlite3_bind_int64(st, 1, (int64_t)after);
	while (s.queue >= 0 && reader_row(r, st)) {
		struct read_selected x;
		/* At least one row is looked at, however short the time. */
		if ((more = n == max || (looked > after && reader_is_late(r))))
			break;
		const bool matches = take(&s, st, &x, a);
		if (reader_too_much(r, a) || r->late || r->failed)
			break; /* it was not looked at to the end */
		looked = (uint64_t)sqlite3_column_int64(st, 0);
		if (matches)
			rows[n++] = x;
	}
	selection_fini(&s);
	*n_r = n;
	*looked_r = looked;
	*more_r = more || r->late;
	return reader_end(r, e);
}
