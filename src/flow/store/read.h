/* read.h - questions to the store on a read-only connection, for the reader process: lists and
 * traces, paged and bounded in time, while the switch writes. SQLite only. May be interrupted or
 * die at any time without harm. */
#pragma once
#include "base/arena.h"
#include "flow/store/store.h"

struct store_reader;

/* path as in store_config. NULL with ERR_LOCAL when there is no store, or one of another version.
 * The clock is env's. */
struct store_reader *store_reader_open(struct env *env, const char *path, struct err *e);
void store_reader_close(struct store_reader **r);
/* Each question ends after this long with what it has and more = true. 0: no limit. */
void store_reader_set_budget(struct store_reader *r, uint32_t ms);

struct read_queue_row {
	uint64_t transfer, message;
	const char *queue, *priority, *mts_id, *originator, *recipients,
		*last_error; /* in the arena */
	wall_ms_t arrived, next_ms, expires;
	uint32_t attempts, n_recipients;
	uint64_t size;
};
/* Rows of one queue (empty: all) after transfer id `after`, by it. At most 16 recipients are named,
 * all are counted. */
MUST_CHECK bool store_read_queue(struct store_reader *r, struct view queue, uint64_t after,
				 struct read_queue_row *rows, size_t max, size_t *n_r, bool *more_r,
				 struct arena *a, struct err *e);

struct read_queue_sum {
	const char *queue;
	uint64_t transfers, octets;
	wall_ms_t oldest;
};
MUST_CHECK bool store_read_queues(struct store_reader *r, struct read_queue_sum *rows, size_t max,
				  size_t *n_r, struct arena *a, struct err *e);

struct read_step_row {
	uint64_t seq;
	wall_ms_t at;
	const char *step, *mts_id, *other_id, *peer, *text;
	uint64_t size;
};
/* Steps of the message with this MTS-identifier text, or whose local identifier is this; those of
 * reports about it included. In order, after seq after_seq. */
MUST_CHECK bool store_read_trace(struct store_reader *r, struct view id, uint64_t after_seq,
				 struct read_step_row *rows, size_t max, size_t *n_r, bool *more_r,
				 struct arena *a, struct err *e);
/* Steps of all messages, oldest first, after seq: to follow what happens. after_seq = 0: the newest
 * ones. */
MUST_CHECK bool store_read_steps(struct store_reader *r, uint64_t after_seq,
				 struct read_step_row *rows, size_t max, size_t *n_r,
				 struct arena *a, struct err *e);

struct read_mail_row {
	uint64_t delivery, message;
	const char *mailbox, *kind, *mts_id, *originator, *recipient;
	int64_t content_type;
	wall_ms_t delivered;
	uint64_t size;
};
/* What lies in a mailbox (empty: in all) after delivery id `after`, by it. Of a report: originator
 * is the domain that made it. */
MUST_CHECK bool store_read_mailbox(struct store_reader *r, struct view mailbox, uint64_t after,
				   struct read_mail_row *rows, size_t max, size_t *n_r,
				   bool *more_r, struct arena *a, struct err *e);
