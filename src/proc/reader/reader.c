/* reader.c - one question, its rows as name and value pairs, and the end. */
#include "proc/reader/reader_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/table/processes.h"
#include "proc/table/rows.h"
#include "sys/process.h"

#include <time.h>

enum { BUDGET_MS = 200, ROWS_MAX = 500, ARENA_MAX = 128 * 1024 * 1024, PIECE = 64 * 1024, PIECES = 8 };

/* --- rows --- */

void row_put(struct row *r, const char *name, const char *value)
{
	rows_text(&r->pairs, name, view_str(value == NULL ? "" : value));
}

void row_put_number(struct row *r, const char *name, uint64_t x)
{
	rows_number(&r->pairs, name, x);
}

/* RFC 3339 in UTC with milliseconds. */
void row_put_time(struct row *r, const char *name, wall_ms_t at)
{
	char text[40] = "", seconds[24];
	time_t t = (time_t)(at / 1000);
	struct tm tm;
	if (at != 0 && gmtime_r(&t, &tm) != NULL) {
		strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(text, sizeof text, "%s.%03dZ", seconds, (int)(at % 1000));
	}
	row_put(r, name, text);
}

void row_send(struct row *r)
{
	struct msg_row m = { r->id, out_view(&r->pairs) };
	put_msg_row(chan_begin(r->client->chan, MSG_ROW), &m);
	chan_end(r->client->chan);
	out_clear(&r->pairs);
}

void row_send_queued(struct row *row, const struct read_queue_row *x)
{
	bool held = x->next_ms >= STORE_NEVER;
	row_put_number(row, "transfer", x->transfer);
	row_put_number(row, "message", x->message);
	row_put(row, "queue", x->queue);
	row_put(row, "priority", x->priority);
	row_put(row, "id", x->mts_id);
	row_put(row, "originator", x->originator);
	row_put(row, "recipients", x->recipients);
	row_put_number(row, "size", x->size);
	row_put_time(row, "arrived", x->arrived);
	row_put_time(row, "next", held ? 0 : x->next_ms);
	row_put_time(row, "expires", x->expires);
	row_put_number(row, "attempts", x->attempts);
	row_put(row, "error", x->last_error);
	row_put_number(row, "held", held);
	row_send(row);
}

/* --- questions --- */

static bool ask_queue(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_queue_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_queue(rd->store, q->of, q->after, rows, q->max, &n, &row->looked, more_r, rd->arena, e))
		return false;
	for (size_t i = 0; i < n; i++)
		row_send_queued(row, &rows[i]);
	return true;
}

static bool ask_queues(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_queue_sum *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	*more_r = false;
	if (!store_read_queues(rd->store, rows, q->max, &n, rd->arena, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		row_put(row, "queue", rows[i].queue);
		row_put_number(row, "transfers", rows[i].transfers);
		row_put_number(row, "octets", rows[i].octets);
		row_put_time(row, "oldest", rows[i].oldest);
		row_send(row);
	}
	return true;
}

static bool ask_trace(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_step_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_trace(rd->store, q->of, q->after, rows, q->max, &n, more_r, rd->arena, e))
		return false;
	reader_put_steps(row, rows, n);
	return true;
}

static bool ask_steps(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_step_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_steps(rd->store, q->after, rows, q->max, &n, rd->arena, e))
		return false;
	*more_r = n == q->max;
	reader_put_steps(row, rows, n);
	return true;
}

static bool ask_mailbox(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_mail_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_mailbox(rd->store, q->of, q->after, rows, q->max, &n, more_r, rd->arena, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct read_mail_row *x = &rows[i];
		row_put_number(row, "delivery", x->delivery);
		row_put(row, "mailbox", x->mailbox);
		row_put(row, "kind", x->kind);
		row_put(row, "id", x->mts_id);
		row_put(row, "originator", x->originator);
		row_put(row, "recipient", x->recipient);
		row_put_time(row, "delivered", x->delivered);
		row_put_number(row, "size", x->size);
		row_send(row);
	}
	return true;
}

/* What octets of a link are: a transfer as P1 has it, or the files of a message of a postoffice. */
static const char *form_of(const struct settings *s, const struct read_quarantine_row *x)
{
	const struct set_link *links = s->links.v;
	for (size_t i = 0; x->octets && i < s->links.n; i++)
		if (strcmp(links[i].name, x->link) == 0 && links[i].kind == LINK_MSMAIL)
			return "msmail";
	return x->octets ? "p1" : "";
}

/* Everything of a row's message that a person wants to know before he acts. */
static void send_quarantined(const struct settings *s, struct row *row, const struct read_quarantine_row *x)
{
	row_put_number(row, "quarantine", x->id);
	row_put_number(row, "message", x->message);
	row_put(row, "what", x->octets ? "octets" : "message");
	row_put(row, "form", form_of(s, x));
	row_put(row, "state", x->state == STORE_QUARANTINE_EXAMINE ? "examine" : "kept");
	row_put_time(row, "at", x->at);
	row_put(row, "id", x->mts_id);
	row_put(row, "originator", x->originator);
	row_put(row, "recipients", x->recipients);
	row_put(row, "link", x->link);
	row_put_number(row, "size", x->size);
	row_put_number(row, "strikes", x->strikes);
	row_put(row, "cause", x->cause);
	row_put(row, "words", x->words);
	row_put(row, "key", x->key);
	row_put_time(row, "arrived", x->arrived);
	row_send(row);
}

static bool ask_quarantine(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_quarantine_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	uint64_t one = 0;
	size_t n;
	if (q->of.n > 0 && (!text_uint(q->of, INT64_MAX, &one) || one == 0))
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the question about quarantine names no number");
	if (!store_read_quarantine(rd->store, one > 0 ? one - 1 : q->after, rows, one > 0 ? 1 : q->max, &n, more_r, rd->arena, e))
		return false;
	for (size_t i = 0; i < n; i++)
		if (one == 0 || rows[i].id == one)
			send_quarantined(rd->settings, row, &rows[i]);
	*more_r = *more_r && one == 0;
	return true;
}

/* --- octets, in pieces --- */

static void send_piece(struct row *row, uint64_t next, struct view octets)
{
	row_put_number(row, "next", next);
	rows_text(&row->pairs, "octets", octets);
	row_send(row);
}

static bool envelope_pieces(struct reader *rd, uint64_t id, struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_envelope x;
	if (!store_read_envelope(rd->store, id, &x, rd->arena, e))
		return false;
	for (size_t i = 0; i < PIECES && q->after < x.packed.n; i++) {
		struct view piece = view_first(view_from(x.packed, (size_t)q->after), PIECE);
		q->after += piece.n;
		send_piece(row, q->after, piece);
	}
	*more_r = q->after < x.packed.n;
	return true;
}

static bool content_pieces(struct reader *rd, uint64_t id, struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	uint8_t *buf = arena_get(rd->arena, PIECE);
	size_t got = PIECE;
	for (size_t i = 0; i < PIECES && got == PIECE; i++) {
		if (!store_read_octets(rd->store, id, q->after, buf, PIECE, &got, e))
			return false;
		q->after += got;
		if (got > 0)
			send_piece(row, q->after, view_of(buf, got));
	}
	*more_r = got == PIECE;
	return true;
}

static bool ask_octets(struct reader *rd, const struct msg_ask *asked, struct row *row, bool *more_r, struct err *e)
{
	struct msg_ask q = *asked;
	struct cur c = cur_of(q.of);
	uint64_t id;
	size_t n = 0;
	while (n < q.of.n && q.of.p[n] != ' ')
		n++;
	struct view number = cur_bytes(&c, n), part = view_from(q.of, n < q.of.n ? n + 1 : n);
	if (!text_uint(number, INT64_MAX, &id))
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the question about octets names no number");
	if (view_eq(part, VIEW("envelope")))
		return envelope_pieces(rd, id, &q, row, more_r, e);
	if (view_eq(part, VIEW("content")))
		return content_pieces(rd, id, &q, row, more_r, e);
	return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the question about octets is neither of an envelope nor of a content");
}

static void put_process(void *ctx, struct view pairs)
{
	struct row *row = ctx;
	out_bytes(&row->pairs, pairs);
	row_send(row);
}

/* None of it is in the store. */
static bool ask_processes(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	*more_r = false;
	return processes_rows(rd->board, q->of, put_process, row, e);
}

static question_f *const questions[ASK_COUNT] = {
	[ASK_QUEUE] = ask_queue, [ASK_QUEUES] = ask_queues, [ASK_TRACE] = ask_trace, [ASK_STEPS] = ask_steps, [ASK_MAILBOX] = ask_mailbox,
	[ASK_QUARANTINE] = ask_quarantine, [ASK_OCTETS] = ask_octets, [ASK_SELECT] = reader_select, [ASK_TRACK] = reader_track,
	[ASK_PROCESSES] = ask_processes,
};

/* The switch makes the database; until it is there the answer is an error of this question alone. */
static bool be_open(struct reader *rd, struct err *e)
{
	if (rd->store == NULL)
		rd->store = store_reader_open(rd->host.env, rd->path, e);
	if (rd->store != NULL)
		store_reader_set_budget(rd->store, BUDGET_MS);
	return rd->store != NULL;
}

static bool on_ask(void *ctx, struct view payload, struct err *e)
{
	struct client *c = ctx;
	CHECK(c, CLIENT_MAGIC);
	struct reader *rd = c->reader;
	struct msg_ask q;
	if (!get_msg_ask(payload, &q, e))
		return false;
	if (q.max == 0 || q.max > ROWS_MAX)
		q.max = ROWS_MAX;
	struct row row = { .client = c, .id = q.id };
	struct msg_answer end = { .id = q.id, .err = { .reason = -1, .diagnostic = -1 } };
	out_init(&row.pairs, 512 * 1024);
	arena_reset(rd->arena);
	bool more = false;
	end.accepted = (q.what == ASK_PROCESSES || be_open(rd, &end.err)) && questions[q.what](rd, &q, &row, &more, &end.err);
	end.duplicate = more; /* the end's second flag: there is more to come */
	char looked[24];
	snprintf(looked, sizeof looked, "%llu", (unsigned long long)row.looked);
	if (row.looked > 0)
		end.mts_id = view_str(looked);
	put_msg_answer(chan_begin(c->chan, MSG_ROWS_END), &end);
	chan_end(c->chan);
	out_fini(&row.pairs);
	return true;
}

/* --- clients --- */

static void on_closed(void *ctx, const struct err *why)
{
	struct client *c = ctx;
	(void)why;
	c->dead = true;
}

static const struct chan_type types[] = { { .type = MSG_ASK, .name = "ASK", .handle = on_ask, .max = 1024 } };
static const struct chan_events events = { .types = types, .n_types = ARRAY_LEN(types), .closed = on_closed };

void reader_accepted(struct reader *r, struct stream *s)
{
	struct client *c = mem_zero(sizeof *c);
	c->magic = CLIENT_MAGIC;
	c->reader = r;
	c->chan = chan_new(&s, &events, c, PROCESS_READER, 0);
	c->next = r->clients;
	r->clients = c;
}

static void reap(void *ctx)
{
	struct reader *r = ctx;
	for (struct client **at = &r->clients; *at != NULL;) {
		struct client *c = *at;
		if (!c->dead) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		chan_free(&c->chan, true);
		c->magic = 0;
		free(c);
	}
}

struct reader *reader_new(const struct actor_host *host, const struct settings *settings, const char *store)
{
	struct reader *r = mem_zero(sizeof *r);
	r->magic = READER_MAGIC;
	r->host = *host;
	r->settings = settings;
	r->path = store;
	r->arena = arena_new(ARENA_MAX);
	r->scratch = arena_new(ARENA_MAX);
	r->reap = (struct env_hook){ .run = reap, .ctx = r, .order = 50 };
	env_add_hook(host->env, &r->reap);
	return r;
}

void reader_settings(struct reader *r, const struct settings *settings)
{
	r->settings = settings;
}

void reader_set_board(struct reader *r, const struct board *board)
{
	r->board = board;
}

void reader_free(struct reader **rp)
{
	struct reader *r = *rp;
	if (r == NULL)
		return;
	CHECK(r, READER_MAGIC);
	for (struct client *c = r->clients; c != NULL; c = c->next)
		c->dead = true;
	reap(r);
	env_remove_hook(r->host.env, &r->reap);
	store_reader_close(&r->store);
	arena_free(&r->arena);
	arena_free(&r->scratch);
	r->magic = 0;
	MEM_FREE(*rp);
}
