/* reader.c - one question, its rows as name and value pairs, and the end. */
#include "proc/reader/reader.h"

#include "base/mem.h"
#include "flow/store/read.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/process.h"

#include <time.h>

enum { BUDGET_MS = 200, ROWS_MAX = 500, ARENA_MAX = 32 * 1024 * 1024 };

struct client {
	unsigned magic;
#define CLIENT_MAGIC 0xc11e4701u
	struct reader *reader;
	struct chan *chan;
	bool dead;
	struct client *next;
};

struct reader {
	unsigned magic;
#define READER_MAGIC 0x4eade400u
	struct actor_host host;
	const char *path;
	struct store_reader *store;
	struct arena *arena;
	struct client *clients;
	struct env_hook reap;
};

/* --- rows --- */

struct row {
	struct client *client;
	uint64_t id;
	struct out pairs;
};

static void put(struct row *r, const char *name, const char *value)
{
	put_string(&r->pairs, view_str(name));
	put_string(&r->pairs, view_str(value == NULL ? "" : value));
}

static void put_number(struct row *r, const char *name, uint64_t x)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)x);
	put(r, name, text);
}

/* RFC 3339 in UTC with milliseconds. */
static void put_time(struct row *r, const char *name, wall_ms_t at)
{
	char text[40] = "", seconds[24];
	time_t t = (time_t)(at / 1000);
	struct tm tm;
	if (at != 0 && gmtime_r(&t, &tm) != NULL) {
		strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(text, sizeof text, "%s.%03dZ", seconds, (int)(at % 1000));
	}
	put(r, name, text);
}

static void send_row(struct row *r)
{
	struct msg_row m = { r->id, out_view(&r->pairs) };
	put_msg_row(chan_begin(r->client->chan, MSG_ROW), &m);
	chan_end(r->client->chan);
	out_clear(&r->pairs);
}

/* --- questions. Each: rows out, *more_r, or false with *e. --- */

typedef bool question_f(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e);

static bool ask_queue(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_queue_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_queue(rd->store, q->of, q->after, rows, q->max, &n, more_r, rd->arena, e))
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct read_queue_row *x = &rows[i];
		put_number(row, "transfer", x->transfer);
		put_number(row, "message", x->message);
		put(row, "queue", x->queue);
		put(row, "priority", x->priority);
		put(row, "id", x->mts_id);
		put(row, "originator", x->originator);
		put(row, "recipients", x->recipients);
		put_number(row, "size", x->size);
		put_time(row, "arrived", x->arrived);
		put_time(row, "next", x->next_ms);
		put_time(row, "expires", x->expires);
		put_number(row, "attempts", x->attempts);
		put(row, "error", x->last_error);
		send_row(row);
	}
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
		put(row, "queue", rows[i].queue);
		put_number(row, "transfers", rows[i].transfers);
		put_number(row, "octets", rows[i].octets);
		put_time(row, "oldest", rows[i].oldest);
		send_row(row);
	}
	return true;
}

static void put_steps(struct row *row, const struct read_step_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct read_step_row *x = &rows[i];
		put_number(row, "seq", x->seq);
		put_time(row, "at", x->at);
		put(row, "step", x->step);
		put(row, "id", x->mts_id);
		put(row, "other-id", x->other_id);
		put(row, "peer", x->peer);
		put(row, "text", x->text);
		put_number(row, "size", x->size);
		send_row(row);
	}
}

static bool ask_trace(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_step_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_trace(rd->store, q->of, q->after, rows, q->max, &n, more_r, rd->arena, e))
		return false;
	put_steps(row, rows, n);
	return true;
}

static bool ask_steps(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e)
{
	struct read_step_row *rows = arena_array(rd->arena, q->max, sizeof *rows);
	size_t n;
	if (!store_read_steps(rd->store, q->after, rows, q->max, &n, rd->arena, e))
		return false;
	*more_r = n == q->max;
	put_steps(row, rows, n);
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
		put_number(row, "delivery", x->delivery);
		put(row, "mailbox", x->mailbox);
		put(row, "kind", x->kind);
		put(row, "id", x->mts_id);
		put(row, "originator", x->originator);
		put(row, "recipient", x->recipient);
		put_time(row, "delivered", x->delivered);
		put_number(row, "size", x->size);
		send_row(row);
	}
	return true;
}

static question_f *const questions[ASK_COUNT] = {
	[ASK_QUEUE] = ask_queue, [ASK_QUEUES] = ask_queues, [ASK_TRACE] = ask_trace, [ASK_STEPS] = ask_steps, [ASK_MAILBOX] = ask_mailbox,
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
	end.accepted = be_open(rd, &end.err) && questions[q.what](rd, &q, &row, &more, &end.err);
	end.duplicate = more; /* the end's second flag: there is more to come */
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

struct reader *reader_new(const struct actor_host *host, const char *store)
{
	struct reader *r = mem_zero(sizeof *r);
	r->magic = READER_MAGIC;
	r->host = *host;
	r->path = store;
	r->arena = arena_new(ARENA_MAX);
	r->reap = (struct env_hook){ .run = reap, .ctx = r, .order = 50 };
	env_add_hook(host->env, &r->reap);
	return r;
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
	r->magic = 0;
	MEM_FREE(*rp);
}
