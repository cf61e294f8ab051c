/* reader_int.h - inside the reader: a client, a row on its way to him, and the questions. */
#pragma once
#include "flow/store/read.h"
#include "proc/reader/reader.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"

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
	const struct settings *settings;
	const char *path;
	const struct board *board;
	struct store_reader *store;
	struct arena *arena;             /* of one question */
	struct arena *scratch;           /* of one row */
	struct client *clients;
	struct env_hook reap;
};

struct row {
	struct client *client;
	uint64_t id;
	uint64_t looked;                 /* SELECT, QUEUE: the last transfer that was looked at; 0: not told */
	struct out pairs;
};

void row_put(struct row *r, const char *name, const char *value); /* NULL: "" */
void row_put_number(struct row *r, const char *name, uint64_t x);
void row_put_time(struct row *r, const char *name, wall_ms_t at);
void row_send(struct row *r);
void row_send_queued(struct row *r, const struct read_queue_row *x);

/* Rows out, *more_r, or false with *e. */
typedef bool question_f(struct reader *rd, const struct msg_ask *q, struct row *row, bool *more_r, struct err *e);
question_f reader_select; /* select.c */
question_f reader_track; /* track.c */
void reader_put_steps(struct row *row, const struct read_step_row *rows, size_t n);
