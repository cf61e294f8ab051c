/* read.h - questions to the store on a read-only connection, for the reader process: lists and traces, paged and bounded in
 * time, while the switch writes. SQLite only. May be interrupted or die at any time without harm. */
#pragma once
#include "base/arena.h"
#include "flow/store/store.h"

struct store_reader;

struct store_reader *store_reader_open(const char *path, struct err *e);
void store_reader_close(struct store_reader **r);
/* Each question ends after this long with what it has and more = true. */
void store_reader_set_budget(struct store_reader *r, uint32_t ms);

struct read_queue_row {
	uint64_t transfer, message;
	const char *queue, *priority, *mts_id, *originator, *recipients, *last_error; /* in the arena */
	wall_ms_t arrived, next_ms, expires;
	uint32_t attempts, n_recipients;
	uint64_t size;
};
/* Rows of one queue (empty: all) after transfer id `after`. */
MUST_CHECK bool store_read_queue(struct store_reader *r, struct view queue, uint64_t after, struct read_queue_row *rows, size_t max,
				 size_t *n_r, bool *more_r, struct arena *a, struct err *e);

struct read_queue_sum {
	const char *queue;
	uint64_t transfers, octets;
	wall_ms_t oldest;
};
MUST_CHECK bool store_read_queues(struct store_reader *r, struct read_queue_sum *rows, size_t max, size_t *n_r, struct arena *a,
				  struct err *e);

struct read_step_row {
	uint64_t seq;
	wall_ms_t at;
	const char *step, *mts_id, *other_id, *peer, *text;
	uint64_t size;
};
/* Steps of the message with this MTS-identifier text, or whose local identifier is this; reports about it included. In order. */
MUST_CHECK bool store_read_trace(struct store_reader *r, struct view id, uint64_t after_seq, struct read_step_row *rows, size_t max,
				 size_t *n_r, bool *more_r, struct arena *a, struct err *e);
/* The newest steps of all messages, oldest first, after seq: to follow what happens. */
MUST_CHECK bool store_read_steps(struct store_reader *r, uint64_t after_seq, struct read_step_row *rows, size_t max, size_t *n_r,
				 struct arena *a, struct err *e);

struct read_mail_row {
	uint64_t delivery, message;
	const char *mailbox, *kind, *mts_id, *originator, *recipient;
	int64_t content_type;
	wall_ms_t delivered;
	uint64_t size;
};
MUST_CHECK bool store_read_mailbox(struct store_reader *r, struct view mailbox, uint64_t after, struct read_mail_row *rows, size_t max,
				   size_t *n_r, bool *more_r, struct arena *a, struct err *e);
