/* read.h - questions to the store on a read-only connection, for the reader process: lists and
 * traces, paged and bounded in time, while the switch writes. SQLite only. May be interrupted or
 * die at any time without harm. */
#pragma once
#include "base/arena.h"
#include "flow/store/store.h"

struct store_reader;

/* path as in store_config. NULL with ERR_LOCAL when there is no store, or one of another version.
 * ERR_TEMP when it is just being made. The clock is env's. */
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
 * all are counted. *looked_r: the next question is to begin after this one, also when no row was found
 * in the time (a long queue is walked together with the others). */
MUST_CHECK bool store_read_queue(struct store_reader *r, struct view queue, uint64_t after,
				 struct read_queue_row *rows, size_t max, size_t *n_r,
				 uint64_t *looked_r, bool *more_r, struct arena *a, struct err *e);

struct read_queue_sum {
	const char *queue;
	uint64_t transfers, octets;
	wall_ms_t oldest; /* this and octets 0: not known, the queue is too long to be added up in the time */
};
MUST_CHECK bool store_read_queues(struct store_reader *r, struct read_queue_sum *rows, size_t max,
				  size_t *n_r, struct arena *a, struct err *e);

struct read_step_row {
	uint64_t seq;
	wall_ms_t at;
	const char *step, *mts_id, *other_id, *peer, *text;
	uint64_t size;
	int event; /* track.h; TRACK_NO_EVENT: none, or a step that a program of before version 4 wrote */
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

enum { READ_TRACK_KEYS = 5 };
/* What tracking is searched by; all that is given must fit. Zero: any. */
struct read_track {
	struct view id;			/* MTS-identifier, whole or its local part; or the id by which a gateway knows it */
	uint64_t keys[READ_TRACK_KEYS];	/* track_key.h: each must be one of the message's; 0: none. Of an address with the role of a
					 * recipient: one of those that the message has had, also after redirection and expansion */
	size_t n_keys;
	uint64_t address;		/* originator or recipient: the key of either role */
	wall_ms_t from, to;		/* of the step: from <= at < to */
	int events[16];			/* the step is one of these */
	size_t n_events;
};
/* Steps, newest first, with a smaller seq than before_seq (0: all); *looked_r: go on with it as before_seq while *more_r, also when no row was
 * found in the time. Without events a row is the step by which the message is known under what was asked for (it came in, was
 * expanded or redirected), or with nothing but times each arrival. With events a row is a step that is one of them, of a message
 * that fits. The events of one message stand on one page, as far as that holds them. At the least one step is looked at, so that a search comes to its end however short the time. A time is looked up as if the clock had never been set back. */
MUST_CHECK bool store_read_track(struct store_reader *r, const struct read_track *filter,
				 uint64_t before_seq, struct read_step_row *rows, size_t max,
				 size_t *n_r, uint64_t *looked_r, bool *more_r, struct arena *a,
				 struct err *e);

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

/* --- quarantine --- */
struct read_quarantine_row {
	uint64_t id, message;
	enum store_quarantine_state state;
	bool octets;			  /* octets that nobody has decoded: no mts_id, originator, recipients */
	const char *mts_id, *originator, *link, *recipients, *cause, *words, *key; /* in the arena */
	wall_ms_t at, arrived;
	uint32_t strikes, n_recipients;
	uint64_t size;
};
/* What is in quarantine after id `after`, by it. Recipients and originator as in struct read_queue_row. */
MUST_CHECK bool store_read_quarantine(struct store_reader *r, uint64_t after,
				      struct read_quarantine_row *rows, size_t max, size_t *n_r,
				      bool *more_r, struct arena *a, struct err *e);

/* One message, by any id of it: its own, a transfer's, a quarantined one's or a delivery's. */
struct read_envelope {
	uint64_t message;
	bool octets;		/* nobody has decoded it: packed is empty */
	struct view packed;	/* pack_message, in the arena. Responsible are the recipients of that transfer
				   or delivery, by the message's own id all that still wait */
	const char *peer;	/* link it came by, in the arena; empty: made here */
	uint64_t size;		/* content octets */
	wall_ms_t arrived, expires;
};
/* False: there is no such (ERR_LOCAL, message), it is damaged, or is more than the arena takes (ERR_TEMP, message). */
MUST_CHECK bool store_read_envelope(struct store_reader *r, uint64_t id, struct read_envelope *x_r,
				    struct arena *a, struct err *e);
/* At most n octets of its content from offset, wherever that lies; *got_r < n only at its end. The id as above. Fails as
 * above, and when its file cannot be read. Each piece is a question of its own: the message may go in between. */
MUST_CHECK bool store_read_octets(struct store_reader *r, uint64_t id, uint64_t offset, void *buf,
				  size_t n, size_t *got_r, struct err *e);

/* --- what an operator's command is about --- */
/* All that is given must match; zero matches all. */
struct read_filter {
	struct view queue;
	struct view originator, recipient; /* a part of the address as text (F.401), case ignored; one recipient is enough */
	struct view mts_id;		   /* the whole identifier as text, or the local one */
	bool by_priority;
	enum priority priority;
	wall_ms_t older_than;		   /* arrived before; 0: any */
	uint64_t larger_than;		   /* octets of content */
	enum { READ_HELD_ANY = 0, READ_HELD_ONLY, READ_HELD_NOT } held;
};
struct read_selected {
	uint64_t transfer, message;
	const char *queue, *mts_id, *originator; /* in the arena */
};
/* Transfers that match, after transfer id `after`, by it. *looked_r: all up to it have been looked at, go on after it while
 * *more_r, also when nothing has matched yet: a question ends when its time is over. */
MUST_CHECK bool store_read_select(struct store_reader *r, const struct read_filter *filter,
				  uint64_t after, struct read_selected *rows, size_t max,
				  size_t *n_r, uint64_t *looked_r, bool *more_r, struct arena *a,
				  struct err *e);
