/* reader_quarantine.c - what is in quarantine, and one message in full, by any id of it. */
#include "flow/store/reader_impl.h"

#include "base/cur.h"
#include "flow/message/pack.h"
#include "flow/store/record.h"

enum {
	WORK_MAX = 256 << 20,
	SUBSTR_MAX = 1 << 30, /* more is cut to 32 bits by SQLite; a row holds far less */
};

static void take_row(sqlite3_stmt *st, struct read_quarantine_row *x, struct arena *a)
{
	struct message m;
	*x = (struct read_quarantine_row){
		.id = (uint64_t)sqlite3_column_int64(st, 0),
		.message = (uint64_t)sqlite3_column_int64(st, 1),
		.state = (enum store_quarantine_state)sqlite3_column_int(st, 2),
		.octets = sqlite3_column_int(st, 3) != 0,
		.mts_id = reader_text(st, 4, a),
		.originator = "",
		.recipients = "",
		.link = reader_text(st, 7, a),
		.cause = reader_text(st, 8, a),
		.words = reader_text(st, 9, a),
		.key = reader_text(st, 10, a),
		.at = sqlite3_column_int64(st, 11),
		.arrived = sqlite3_column_int64(st, 12),
		.strikes = (uint32_t)sqlite3_column_int64(st, 13),
		.n_recipients = (uint32_t)sqlite3_column_int64(st, 14),
		.size = (uint64_t)sqlite3_column_int64(st, 15),
	};
	if (x->octets)
		return;
	x->originator = reader_sender(sqlite_view(st, 5), &m, a);
	if (sqlite3_column_int(st, 16) == MESSAGE_REPORT)
		x->recipients = oraddr_text(&m.originator, a); /* one destination for the whole */
	else
		x->recipients = reader_named(sqlite_view(st, 6), x->id, a);
}

bool store_read_quarantine(struct store_reader *r, uint64_t after, struct read_quarantine_row *rows,
			   size_t max, size_t *n_r, bool *more_r, struct arena *a, struct err *e)
{
	reader_begin(r);
	sqlite3_stmt *st = reader_ask(r, ASK_QUARANTINE);
	sqlite3_bind_int64(st, 1, (int64_t)after);
	sqlite3_bind_int64(st, 2, (int64_t)max + 1);
	size_t n = 0;
	bool more = false;
	while (reader_row(r, st) && !(more = n == max)) {
		take_row(st, &rows[n], a);
		if (reader_too_much(r, a))
			break;
		n++;
	}
	*n_r = n;
	*more_r = more || r->late;
	return reader_end(r, e);
}

/* --- one message --- */
struct whose {
	uint64_t message;
	uint64_t transfer; /* 0: the id is not one's */
	int64_t recipient; /* index, of a delivery */
	bool whole;	   /* the id is the message's own */
};

static bool no_such(uint64_t id, struct err *e)
{
	return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
		       "store: %llu is no message, transfer, delivery, and not in quarantine",
		       (unsigned long long)id);
}

static bool late(uint64_t id, struct err *e)
{
	return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "store: %llu could not be read in time",
		       (unsigned long long)id);
}

/* False: there is none, or the question has failed. */
static bool whose_is(struct store_reader *r, uint64_t id, struct whose *w_r)
{
	sqlite3_stmt *st = reader_ask(r, ASK_WHOSE);
	sqlite3_bind_int64(st, 1, (int64_t)id);
	if (!reader_row(r, st))
		return false;
	const int what = sqlite3_column_int(st, 1);
	*w_r = (struct whose){.message = (uint64_t)sqlite3_column_int64(st, 0),
			      .transfer = what == 1 ? id : 0,
			      .recipient = sqlite3_column_int64(st, 2),
			      .whole = what == 0};
	sqlite3_reset(st);
	return true;
}

static void all_that_wait(struct view recipients, struct message *m)
{
	struct record_recipient rr;
	struct cur c = cur_of(recipients);
	for (size_t i = 0; record_next(&c, &rr) && i < m->n_rcpt; i++)
		m->rcpt[i].responsible = rr.state == STORE_RCPT_QUEUED;
}

/* The stored form has recipients apart, each with its state. */
static bool pack_row(sqlite3_stmt *st, const struct whose *w, struct view *packed_r,
		     struct arena *a, struct err *e)
{
	struct arena *work = arena_new(WORK_MAX);
	struct message *m;
	const uint32_t index = w->recipient < 0 ? UINT32_MAX : (uint32_t)w->recipient;
	bool ok = record_load(sqlite_view(st, 1), sqlite_view(st, 2), w->transfer, index, &m, work, e);
	if (ok) {
		if (w->whole)
			all_that_wait(sqlite_view(st, 2), m);
		struct out o;
		out_init(&o, WORK_MAX);
		pack_message(&o, m, 0, m->n_rcpt);
		*packed_r = arena_copy(a, out_view(&o));
		if (o.bad || arena_full(a))
			ok = err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
				     "store: the envelope of message %llu passes the memory quota",
				     (unsigned long long)w->message);
		out_fini(&o);
	}
	arena_free(&work);
	return ok;
}

static bool take_envelope(sqlite3_stmt *st, const struct whose *w, struct read_envelope *x,
			  struct arena *a, struct err *e)
{
	*x = (struct read_envelope){
		.message = w->message,
		.octets = sqlite3_column_int(st, 0) == STORE_KIND_OCTETS,
		.peer = reader_text(st, 3, a),
		.size = (uint64_t)sqlite3_column_int64(st, 4),
		.arrived = sqlite3_column_int64(st, 5),
		.expires = sqlite3_column_int64(st, 6),
	};
	return x->octets || pack_row(st, w, &x->packed, a, e);
}

bool store_read_envelope(struct store_reader *r, uint64_t id, struct read_envelope *x_r,
			 struct arena *a, struct err *e)
{
	struct whose w;
	struct read_envelope x = {0};
	bool found = false, ok = false;
	reader_begin(r);
	if (whose_is(r, id, &w)) {
		sqlite3_stmt *st = reader_ask(r, ASK_MESSAGE);
		sqlite3_bind_int64(st, 1, (int64_t)w.message);
		found = reader_row(r, st);
		ok = found && take_envelope(st, &w, &x, a, e);
	}
	const bool in_time = found || !r->late;
	if (!reader_end(r, e))
		return false;
	if (!found)
		return in_time ? no_such(id, e) : late(id, e);
	if (ok)
		*x_r = x;
	return ok;
}

/* --- its content --- */
static bool read_file(struct store_reader *r, uint64_t file, uint64_t offset, void *buf, size_t n,
		      size_t *got_r, struct err *e)
{
	char name[SQLITE_NAME_MAX];
	struct file *f = env_file_open(r->env, sqlite_file_name(name, file), e);
	const bool ok = f != NULL && file_read(f, offset, buf, n, got_r, e);
	file_close(&f);
	return ok;
}

bool store_read_octets(struct store_reader *r, uint64_t id, uint64_t offset, void *buf, size_t n,
		       size_t *got_r, struct err *e)
{
	struct whose w;
	bool found = false, in_file = false;
	uint64_t file = 0, size = 0;
	size_t got = 0;
	reader_begin(r);
	if (whose_is(r, id, &w)) {
		sqlite3_stmt *st = reader_ask(r, ASK_PIECE);
		sqlite3_bind_int64(st, 1, (int64_t)w.message);
		sqlite3_bind_int64(st, 2, (int64_t)(offset < SUBSTR_MAX ? offset : SUBSTR_MAX));
		sqlite3_bind_int64(st, 3, (int64_t)(n < SUBSTR_MAX ? n : SUBSTR_MAX));
		found = reader_row(r, st);
		in_file = found && sqlite3_column_type(st, 0) != SQLITE_NULL;
		file = found ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
		size = found ? (uint64_t)sqlite3_column_int64(st, 1) : 0;
		const struct view piece = found && !in_file ? sqlite_view(st, 2) : (struct view){0};
		got = piece.n < n ? piece.n : n;
		if (got > 0)
			memcpy(buf, piece.p, got);
	}
	const bool in_time = found || !r->late;
	if (!reader_end(r, e))
		return false;
	if (!found)
		return in_time ? no_such(id, e) : late(id, e);
	if (in_file && offset < size && !read_file(r, file, offset, buf, n, &got, e))
		return false;
	const uint64_t want = offset >= size ? 0 : size - offset < n ? size - offset : n;
	if (got < want)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "store: the content of message %llu ends at %llu of %llu octets",
			       (unsigned long long)w.message, (unsigned long long)(offset + got),
			       (unsigned long long)size);
	*got_r = got;
	return true;
}
