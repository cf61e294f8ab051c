/* reader_impl.h - what the parts of the reader share. Private to this folder. */
#pragma once
#include "flow/store/read.h"
#include "flow/store/sqlite_impl.h"

enum question {
	ASK_BEGIN,
	ASK_END,
	ASK_QUEUE_ALL,
	ASK_QUEUE_ONE,
	ASK_QUEUE_ROW,
	ASK_IS_LONG,
	ASK_QUEUES,
	ASK_SUM,
	ASK_LENGTH,
	ASK_STEP,
	ASK_STEPS_AFTER,
	ASK_STEPS_LAST,
	ASK_INDEXED,
	ASK_PENDING,
	ASK_PERIOD,
	ASK_KEYS,
	ASK_TRACK_PENDING,
	ASK_TRACK_PERIOD,
	ASK_TRACK_KEY,
	ASK_TRACK_ID,
	ASK_TRACK_WALK,
	ASK_TRACK_STEP,
	ASK_TRACK_FROM,
	ASK_TRACK_ENDS,
	ASK_MAIL_ALL,
	ASK_MAIL_ONE,
	ASK_QUARANTINE,
	ASK_WHOSE,
	ASK_MESSAGE,
	ASK_PIECE,
	ASK_TRANSFERS,
	ASK_QUEUE_NAME,
	ASK_QUEUE_NO,
	ASK_COUNT
};

struct store_reader {
	unsigned magic;
#define STORE_READER_MAGIC 0x570e4ead
	struct env *env;
	char *path;
	sqlite3 *db;
	sqlite3_stmt *stmt[ASK_COUNT];
	uint32_t budget_ms;
	int64_t deadline_us; /* INT64_MAX: none */
	bool late, failed;   /* of this question */
	struct err why;
};

/* --- one question: begin, statements and their rows, end --- */
void reader_begin(struct store_reader *r);
sqlite3_stmt *reader_ask(struct store_reader *r, enum question what);
/* True while there are rows, time, and no error. */
bool reader_row(struct store_reader *r, sqlite3_stmt *st);
/* The time of this question is over. */
bool reader_is_late(struct store_reader *r);
/* The row is more than the arena takes: what is there so far is the answer. */
bool reader_too_much(struct store_reader *r, const struct arena *a);
/* Gives what the question returns. */
MUST_CHECK bool reader_end(struct store_reader *r, struct err *e);

const char *reader_text(sqlite3_stmt *st, int column, struct arena *a); /* never NULL */
void reader_bind_view(sqlite3_stmt *st, int at, struct view v);
void reader_take_step(sqlite3_stmt *st, struct read_step_row *x, struct arena *a); /* of READER_STEP */
#define READER_STEP "seq, at, kind, mts_id, other, peer, text, size, event"
/* The recipients of a transfer as text, the first ones. */
const char *reader_named(struct view recipients, uint64_t transfer, struct arena *a);
/* Who sent it; of a report, the domain that made it. */
const char *reader_sender(struct view envelope, struct message *m_r, struct arena *a);
