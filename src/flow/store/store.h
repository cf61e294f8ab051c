/* store.h - the durable queue. Its one user is the switch, its one writer is this handle.
 *
 * Asynchronous and ticketed: operations are put in, in order, and join the open group; store_commit makes the group
 * durable, all of it or nothing; then durable(ticket) is told for it. Nobody is answered before that (DESIGN rule 1).
 * An operation given to a store that has failed is dropped; failed() is told once, and the process must end and start
 * again from what is known to be on disk.
 *
 * Two implementations with one contract test: SQLite (sqlite.c) and memory (memory.c; its `disk` outlives the store, so that
 * the simulator can kill a process and keep exactly what was committed).
 *
 * Ids are 64 bits, given at once, unique for ever in one store, ascending. */
#pragma once
#include "base/arena.h"
#include "flow/message/message.h"
#include "flow/message/track_key.h"
#include "sys/env.h"

struct store;

struct store_events {
	void (*durable)(void *ctx, uint64_t ticket);           /* this and all before; from inside store_commit */
	void (*failed)(void *ctx, const struct err *why);      /* the group is lost, the store is over */
	void (*full)(void *ctx, bool full, const struct err *why); /* disk full began or ended: the group is kept and tried again */
	/* So many steps could not be written since it was last told, at most once a minute; mail goes on. NULL: not told. */
	void (*tracking_lost)(void *ctx, uint64_t n, const struct err *why);
};

struct store_config {
	const char *path;        /* SQLite: the database file (relative: in the env's directory); content files: `content/` there */
	size_t inline_max;       /* content up to this lies in the row, longer ones in a file: 64 K */
	uint64_t cache_octets;   /* SQLite's page cache */
};

/* Opens or creates; NULL with ERR_LOCAL on a second user, an unwritable place, an unknown schema version (named). A store of an
 * older version is brought to this one, in one transaction. Recovers: removes content files without a row. */
struct store *store_open_sqlite(struct env *env, const struct store_config *c, const struct store_events *ev, void *ctx,
				struct err *e);
struct store_disk; /* what a memory store has committed */
struct store_disk *store_disk_new(void);
void store_disk_free(struct store_disk **d);
void store_disk_crashed(struct store_disk *d); /* the process that had it open is dead: it may be opened again */
void store_disk_set_full(struct store_disk *d, bool full); /* for tests: what is written from now on finds it full, or not */
void store_disk_damage(struct store_disk *d, uint64_t message); /* for tests: its envelope cannot be read any more */
struct store *store_open_memory(struct env *env, struct store_disk *disk, const struct store_config *c,
				const struct store_events *ev, void *ctx, struct err *e);
void store_close(struct store **s); /* what was not committed is lost: for a memory store, the same as a kill */

/* --- content over inline_max: written once, as it comes, before the message exists --- */
struct store_content;
struct store_content *store_content_new(struct store *s, struct err *e); /* NULL: TEMP, LOCAL */
MUST_CHECK bool store_content_append(struct store_content *c, struct view octets, struct err *e);
uint64_t store_content_size(const struct store_content *c);
/* Calls done when it is on disk (or failed: then it is gone). */
void store_content_sync(struct store_content *c, file_done_f *done, void *ctx);
/* Gives up: the file is removed (a sync under way goes on, done is not called any more). Also for a handle whose message was
 * put and committed: only the handle goes. */
void store_content_free(struct store_content **c);

/* --- a message comes in: one operation, however many recipients --- */
enum store_rcpt_state {
	STORE_RCPT_NOT_OURS = 0, /* responsibility bit off: kept for the envelope, nothing is done */
	STORE_RCPT_QUEUED = 1,   /* waits in transfers[transfer] */
	STORE_RCPT_DELIVERED = 2,/* lies in a mailbox, or handed over */
	STORE_RCPT_REPORTED = 3, /* a report was generated or suppressed by what the originator asked */
};

struct store_recipient {
	const struct recipient *rcpt;   /* packed into the row */
	enum store_rcpt_state state;
	uint32_t transfer;              /* QUEUED: index into transfers */
};

struct store_transfer {
	struct view queue;              /* name of the link */
	wall_ms_t next_ms;              /* not before (deferred delivery); 0: now */
	uint64_t id_r;                  /* out */
};

struct store_delivery {
	struct view mailbox;
	uint32_t recipient;             /* index into recipients: whom it is for */
	uint64_t id_r;                  /* out */
};

/* One step in the life of a message, for tracking: what stands in the journey. */
enum store_step_kind {
	STEP_SUBMITTED = 1, STEP_TRANSFER_IN, STEP_TRANSFER_OUT, STEP_DELIVERED, STEP_REPORT_MADE, STEP_RETRY, STEP_DUPLICATE,
	STEP_EXPIRED, STEP_LOOP, STEP_DISCARDED, STEP_REPORT_IN, STEP_DEFERRED,
	STEP_STRUCK, STEP_QUARANTINED, STEP_RELEASED, STEP_HELD, STEP_OPERATOR, STEP_CONVERTED,
	STEP_REDIRECTED, STEP_EXPANDED, STEP_REROUTED, STEP_DOWNGRADED, STEP_ABSORBED, STEP_DELETED,
	STEP_KINDS
};
const char *store_step_name(enum store_step_kind k); /* "transfer-in" ... */

struct store_step {
	enum store_step_kind kind;
	const struct mts_id *id;        /* of the message the step is about */
	const struct mts_id *other;     /* the report's subject, or the report made; NULL: none */
	struct view peer;               /* link or mailbox, empty: none */
	struct view text;               /* for a person: recipient addresses, cause; cut at 1024 octets */
	uint64_t digest[2];             /* SUBMITTED, TRANSFER_IN, REPORT_IN: key of duplicate detection; else not kept */
	uint64_t size;                  /* content octets */
	enum message_kind of;           /* these two say which event of a tracking log it is: track.h */
	bool gateway;
	struct view keys;               /* what a search finds it by (track_key_put), besides its identifiers */
};

struct store_message {
	const struct message *m;        /* its recipients are not stored from here but from `recipients` */
	struct view peer;               /* link it came by; empty: made here */
	struct view content;            /* inline content (at most inline_max) ... */
	struct store_content *file;     /* ... or a synced file; NULL: inline */
	uint64_t content_of;            /* ... or not 0: a message whose content is in a file, and which is there until the group at least: from now
					 * on the file belongs to both, and goes with the last of them */
	wall_ms_t arrived, expires;
	struct store_recipient *recipients;
	size_t n_recipients;
	struct store_transfer *transfers;
	size_t n_transfers;
	struct store_delivery *deliveries;
	size_t n_deliveries;
	uint64_t id_r;                  /* out */
};

/* Puts the message with all its rows. Returns its id (also in the struct, with those of transfers and deliveries). */
uint64_t store_put_message(struct store *s, struct store_message *m);
/* Tracking never stops mail: a step that cannot be written is left out, counted (tracking_lost) and told. Then a duplicate of that
 * arrival is not known. Only an I/O error or a full disk is the group's own. */
void store_put_step(struct store *s, const struct store_step *step);

/* --- what becomes of a transfer --- */
/* An operation on something that has gone, or that is not in that state, does nothing: the operator may remove what is in
 * hand just now. Nothing here says that a transfer is in hand: after a restart every one of a queue is listed again. */
/* Confirmed by the peer: recipients delivered, the transfer row goes; the message goes with the last that refers to it. How many
 * recipients it had. */
uint64_t store_transfer_done(struct store *s, uint64_t transfer);
/* Tried and failed, or to be tried later: attempts (opening or transferring, the policy's own count) and the last error are kept. */
void store_transfer_retry(struct store *s, uint64_t transfer, wall_ms_t next_ms, uint32_t attempts, const char *why);
/* Given up: its recipients are REPORTED (the report itself is put as a message of its own, in the same group). */
void store_transfer_reported(struct store *s, uint64_t transfer);
/* next_ms of a held transfer: no listing reaches it, it does not wake its queue, it does not expire. */
#define STORE_NEVER INT64_C(253402300800000) /* the year 10000 */
#define STORE_DEFERRED "+deferred" /* the queue of what waits for a time that its originator has set; no link has such a name */
/* Moved to another queue (reroute). tried: links that the message has been through, one a line; with a NULL p: as it was. */
void store_transfer_move(struct store *s, uint64_t transfer, struct view queue, wall_ms_t next_ms, struct view tried);
/* A mailbox entry was fetched and may go. */
void store_delivery_remove(struct store *s, uint64_t delivery);
/* Steps older than this go, and the oldest while steps take more than about octets_max (0: any number) with their index; a bounded number
 * per call; true when there may be more. *short_r: the time of the last that went though it was younger than `before`; 0: none did. With
 * an arrival goes what duplicates of it are known by. The disk space is used again for what comes, it does not become free. */
bool store_forget_steps(struct store *s, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r);

/* --- suspects: what was in the hands of a process that died by a fault (DESIGN 2) --- */
/* key: "message ID" or "input LINK HASH", at most 128 octets. Strikes as they stand now, with the last words (cut at 1024
 * octets, NULL: none); 0 strikes: it is no suspect any more. */
void store_suspect_put(struct store *s, const char *key, uint32_t strikes, const char *words);
/* Calls each for every suspect, by key; with the time of its last strike. Operations are allowed inside. */
void store_suspects(struct store *s, void (*each)(void *ctx, const char *key, uint32_t strikes, wall_ms_t at, const char *words),
		    void *ctx);

/* --- quarantine: a part of a message, as a transfer or a delivery is --- */
enum store_quarantine_state {
	STORE_QUARANTINE_KEPT = 0,    /* for the operator */
	STORE_QUARANTINE_EXAMINE = 1, /* octets that wait to be decoded by a process of their own */
};
struct store_quarantine {
	uint64_t id, message;         /* id: the transfer's, or one of its own for octets */
	enum store_quarantine_state state;
	bool octets;                  /* octets that could not be read, not a message */
	wall_ms_t at;
	uint32_t strikes;
	uint64_t size;                /* content octets */
	struct view link;             /* a transfer's queue; for octets the link they came by */
	struct view cause, words;     /* a sentence; the last words of the process that died, or empty */
	struct view key;              /* octets: their key as a suspect, or empty */
};
/* The transfer leaves its queue and is kept under the same id: its recipients keep their place in it, the message lives on.
 * store_load_transfer goes on to load it. cause and words are cut at 1024 octets, NULL: empty. */
void store_transfer_quarantine(struct store *s, uint64_t transfer, uint32_t strikes, const char *cause, const char *words);
/* Octets of a peer that nobody has decoded: a message of kind octets with an empty envelope and its one quarantine row.
 * content or file as in struct store_message. Returns the quarantine's id. store_load_transfer of that id gives a message NULL, and
 * the octets as it gives a content: inline, or in a file to be read by store_read_content of the message's id. */
struct store_octets {
	struct view link, peer;       /* peer: address, for the operator; kept in words when those are empty */
	struct view key, cause, words;
	enum store_quarantine_state state;
	struct view content;
	struct store_content *file;
	wall_ms_t arrived;
};
uint64_t store_put_octets(struct store *s, const struct store_octets *o);
/* cause, words: NULL leaves what is there. */
void store_quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state, uint32_t strikes, const char *cause,
			  const char *words);
/* A quarantined transfer is a transfer of that queue again, not before next_ms, its cause the error of its last attempt. Octets cannot be released: remove them. */
void store_quarantine_release(struct store *s, uint64_t id, struct view queue, wall_ms_t next_ms);
/* It goes, and the message with its last part; a transfer's recipients are REPORTED. */
void store_quarantine_remove(struct store *s, uint64_t id);
/* One row; the views are in the arena. False: no such row, or it is damaged (*e). */
MUST_CHECK bool store_load_quarantine(struct store *s, uint64_t id, struct store_quarantine *q_r, struct arena *a, struct err *e);
/* Ids of rows in that state after `after`, ascending; how many were written. */
size_t store_quarantine_next(struct store *s, enum store_quarantine_state state, uint64_t after, uint64_t *ids, size_t max);

/* --- partial transfers: octets of a transfer on its way in, kept from checkpoint to checkpoint --- */
/* What it is called by: a transfer is found again by link, association and activity. Views are copied. */
struct store_partial_name {
	struct view link, host, reference; /* at most 255, 107, 4096 octets */
	uint64_t activity;
};
struct store_partial; /* one that octets are added to, or read from */
/* Nothing of it outlives the process before its first checkpoint. NULL: TEMP, LOCAL. */
struct store_partial *store_partial_new(struct store *s, const struct store_partial_name *name, struct err *e);
uint64_t store_partial_id(const struct store_partial *p);
MUST_CHECK bool store_partial_append(struct store_partial *p, struct view octets, struct err *e);
uint64_t store_partial_octets(const struct store_partial *p);
/* A checkpoint after all octets so far; serials ascend. Calls done, never from inside the call, when they are on disk and the checkpoint is a
 * row of the open group: it is durable with store_ticket. One sync at a time is under way, and covers all checkpoints asked for until it
 * began; done comes for each, in order. failed: the octets count as lost, and nothing more can be added; what was durable before is. */
typedef void store_synced_f(void *ctx, uint32_t serial, uint64_t octets, const struct err *failed);
void store_partial_sync(struct store_partial *p, uint32_t serial, store_synced_f *done, void *ctx);
/* The handle goes: done is not called any more, and what had no checkpoint is gone. */
void store_partial_close(struct store_partial **p);

/* What there is, with the last checkpoint. */
struct store_partial_row {
	uint64_t id;
	struct store_partial_name name; /* good during the call */
	wall_ms_t started;
	uint32_t serial;
	uint64_t octets;
};
/* Calls each for every one by id; no operation is allowed inside. */
typedef void store_partial_f(void *ctx, const struct store_partial_row *row);
void store_partials(struct store *s, store_partial_f *each, void *ctx);
/* To go on after that checkpoint (0: the last), and to be read up to it. Later ones are there until the next one is: then they go, in one
 * group, so that a process that dies meanwhile has lost nothing. No other handle of it may be open. NULL with PERM: that checkpoint is
 * not known, though it may have been (the last 256 are). */
struct store_partial *store_partial_resume(struct store *s, uint64_t id, uint32_t serial, struct err *e);
/* Octets from an offset; *got_r < n at their end only. LOCAL: they are not there, or cannot be read. */
MUST_CHECK bool store_partial_read(struct store_partial *p, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
/* It goes, octets and all. No handle of it is open. */
void store_partial_remove(struct store *s, uint64_t id);

/* --- the group --- */
bool store_has_group(const struct store *s);
uint64_t store_ticket(const struct store *s); /* of the open group: durable when durable(t >= this) is told */
void store_commit(struct store *s);           /* blocks for the disk; tells durable, failed or full before it returns */

/* --- reads, of what is committed and of the open group alike --- */
struct store_queued {
	uint64_t transfer, message;
	enum priority priority;
	wall_ms_t next_ms, arrived, expires;
	uint32_t attempts;
	uint64_t size;
};
struct store_place { /* where a listing goes on; zero: from the start */
	wall_ms_t next_ms;
	uint64_t transfer;
};
/* Transfers of one queue and priority with next_ms <= until, ordered by (next_ms, transfer), after *place (updated).
 * Returns how many were written to rows (at most max). */
size_t store_queue_next(struct store *s, struct view queue, enum priority p, wall_ms_t until, struct store_place *place,
			struct store_queued *rows, size_t max);
/* The earliest next_ms after `after` in that queue; 0: none. */
wall_ms_t store_queue_wakes(struct store *s, struct view queue, wall_ms_t after);
/* Transfers that have expired by `now`, held ones left out: looks at `scan` rows after transfer id *after (updated; 0 when the end
 * was reached, to begin again) and writes the expired ones of any queue. Returns how many, at most max (then *after is the last of
 * them); `queue` of a row is valid until the next call. expires 0: never. */
struct store_expired {
	uint64_t transfer, message;
	struct view queue;
	enum priority priority;
	wall_ms_t arrived, expires;
	uint32_t attempts;
	uint64_t size;
};
size_t store_expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan, struct store_expired *rows, size_t max);
/* One transfer as a listing gives it, in whatever queue it is (*queue_r is valid until the next call). False: no such transfer. */
MUST_CHECK bool store_find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r, struct view *queue_r);
/* Transfers that are held, of all queues; counted now, in time that grows with them. */
uint64_t store_held(struct store *s);
/* Calls each for every queue that has transfers. */
struct store_queue {
	struct view name; /* good during the call */
	uint64_t transfers, octets, recipients;
};
void store_queues(struct store *s, void (*each)(void *ctx, const struct store_queue *q), void *ctx);

/* Everything needed to hand a transfer over: the message with exactly those recipients that are in it, and those NOT_OURS or
 * in other transfers with `responsible` false. False: no such transfer, or the row is damaged (ERR_LOCAL, message). Waiting and
 * quarantined ones alike. */
struct store_loaded {
	uint64_t message;
	struct message *m;      /* in the arena; NULL: octets that nobody has decoded */
	struct view peer;       /* link it came by */
	uint64_t content_size;
	struct view content;    /* inline, in the arena; empty when in a file */
	bool in_file;
	wall_ms_t arrived, expires;
	uint32_t attempts;
	struct view tried;      /* of a waiting transfer: as given to store_transfer_move; empty: none */
};
MUST_CHECK bool store_load_transfer(struct store *s, uint64_t transfer, struct store_loaded *loaded_r, struct arena *a, struct err *e);
MUST_CHECK bool store_load_delivery(struct store *s, uint64_t delivery, struct store_loaded *loaded_r, struct arena *a, struct err *e);
/* By any id: a transfer's or what is in quarantine (m NULL: octets), a delivery's, or the message's own: then no recipient is responsible. */
MUST_CHECK bool store_load_any(struct store *s, uint64_t id, struct store_loaded *loaded_r, struct arena *a, struct err *e);
/* Octets of a message's content in a file, from offset. */
MUST_CHECK bool store_read_content(struct store *s, uint64_t message, uint64_t offset, void *buf, size_t n, size_t *got_r,
				   struct err *e);

/* Was a message, probe or report with this id taken in before (SUBMITTED, TRANSFER_IN or REPORT_IN step with the same digest)? */
bool store_seen(struct store *s, const struct mts_id *id, const uint64_t digest[2]);

/* A persistent counter, for MTS-identifiers: reserves n numbers and returns the first (may open a group); numbers are
 * never given twice, a crash may skip some. Blocks of some thousands make it cheap; n is at most 32768. */
uint64_t store_reserve_numbers(struct store *s, uint64_t n);

/* --- totals: what a process counts for ever, each some octets under a name (at most 4000, and 100) --- */
/* In the open group: durable with what it counts, or lost with it. */
void store_total_put(struct store *s, struct view name, struct view text);
/* Calls each for every one by name, of what is committed and of the open group alike; no operation is allowed inside. */
void store_totals(struct store *s, void (*each)(void *ctx, struct view name, struct view text), void *ctx);

struct store_counts {
	uint64_t messages, transfers, recipients_queued, deliveries, octets;
	uint64_t quarantined, suspects; /* quarantined: transfers, which are not among `transfers`, and octets */
	uint64_t partials;              /* partial transfers with a checkpoint */
	uint64_t tracking_octets;       /* that steps take, about */
	uint64_t tracking_lost;         /* steps that could not be written, since this store was opened */
};
void store_count(struct store *s, struct store_counts *c_r);
