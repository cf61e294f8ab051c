/* sqlite_impl.h - what the parts of the SQLite store share. Private to this folder.
 *
 * Operations are executed at once, in the transaction of the open group, so that reads see them;
 * the page cache keeps them (cache_spill is off), and COMMIT is the only thing that writes. Each is
 * also kept in a log until the group is durable: SQLite rolls back when the disk is full, and then
 * the log is executed again. */
#pragma once
#include "flow/store/impl.h"
#include "flow/store/step_index.h"

#include <sqlite3.h>

enum { SQLITE_SCHEMA_VERSION = 4, SQLITE_APPLICATION_ID = 0x50484f52 }; /* "PHOR" */

/* While a backup holds this file of the store's folder (folder_hold), no content file is removed: it gives a name of its own to each that its
 * snapshot names. Asked after a commit and before a removal, so that what is removed was over in every snapshot made since. */
#define SQLITE_HOLD "backup.hold"

/* What store_step_octets is told, of a row of table step. */
#define SQL_STEP_LENGTHS                                                                                                              \
	"length(mts_id) + coalesce(length(other), 0) + coalesce(length(peer), 0) + coalesce(length(text), 0) as texts, "              \
	"coalesce(length(keys), 0) as keys"
enum sql {
#define X(name, text) SQL_##name,
#include "flow/store/sql_table.h"
#undef X
	SQL_COUNT
};

struct bind {
	enum bind_type { BIND_NULL, BIND_INT, BIND_TEXT, BIND_BLOB } type;
	int64_t i;
	struct view v;
};
#define BIND_I(x) ((struct bind){BIND_INT, (int64_t)(x), {NULL, 0}})
#define BIND_T(x) ((struct bind){BIND_TEXT, 0, (x)})
#define BIND_B(x) ((struct bind){BIND_BLOB, 0, (x)})
#define BIND_N() ((struct bind){BIND_NULL, 0, {NULL, 0}})

struct op {
	struct op *next;
	enum sql what;
	unsigned n;
	struct bind v[];
};

/* A link's queue, known by number in the rows. */
struct sqlite_queue {
	int64_t no;
	struct view name;
	uint64_t transfers[PRIORITY_COUNT], octets, recipients;
};

enum { OPEN_FILES = 16, SQLITE_COUNTER_BLOCK = 65536 };
struct sqlite_file { /* a content file that is being read */
	uint64_t message, used;
	struct file *file;
};

struct sqlite {
	struct store s;
	sqlite3 *db, *owner, *checkpointer; /* owner: holds the lock that keeps a second user out */
	sqlite3_stmt *stmt[SQL_COUNT];
	char *path;

	bool has_group, applied; /* applied: the transaction is open and holds all of the log */
	struct arena *group;	 /* of the log */
	struct op *log, **log_end;
	uint64_t *gone; /* content files that go when the group is durable */
	size_t n_gone, cap_gone;
	struct timer checkpoint;
	int wal_pages;

	uint64_t next_id, id_ceiling, next_number,
		number_ceiling; /* ceilings are on disk, or soon are */
	struct sqlite_queue *queues;
	size_t n_queues;
	struct store_counts counts;
	uint64_t n_files; /* messages with their content in a file */
	struct step_index *steps;
	uint64_t first_seq, next_seq, first_period, open_period;
	uint64_t period_keys;  /* those of the period of next_seq, about */
	uint64_t step_octets;  /* that they take, about: counted, on disk as of the last batch; before there was one, an estimate */
	bool steps_flushed;    /* the batch is in the transaction */
	bool flush_steps;      /* it is to be, however small */
	struct out scratch[4]; /* for packing; kept so that no message allocates */
	struct sqlite_file open[OPEN_FILES];
	uint64_t uses;
};

static inline struct sqlite *sqlite_of(const struct store *s)
{
	return CONTAINER(s, struct sqlite, s);
}

/* --- sqlite.c --- */
/* Joins the open group (or opens one) and executes; the store may be over afterwards. */
void sqlite_run(struct sqlite *q, enum sql what, unsigned n, const struct bind *v);
#define SQLITE_RUN(q, what, ...)                                                                   \
	sqlite_run(q, what, sizeof((struct bind[]){__VA_ARGS__}) / sizeof(struct bind),            \
		   (struct bind[]){__VA_ARGS__})
/* Executes outside of the log, in the transaction of the group; false: the disk is full (rolled
 * back) or the store over. */
MUST_CHECK bool sqlite_execute(struct sqlite *q, enum sql what, unsigned n, const struct bind *v);
/* A question: true while there are rows; the last call, or sqlite_done, resets it. */
sqlite3_stmt *sqlite_ask(struct sqlite *q, enum sql what, unsigned n, const struct bind *v);
#define SQLITE_ASK(q, what, ...)                                                                   \
	sqlite_ask(q, what, sizeof((struct bind[]){__VA_ARGS__}) / sizeof(struct bind),            \
		   (struct bind[]){__VA_ARGS__})
MUST_CHECK bool sqlite_row(struct sqlite *q, sqlite3_stmt *st);
/* As sqlite_row, of a question about steps: what is wrong with them alone is a lost step, and no row. */
MUST_CHECK bool sqlite_step_row(struct sqlite *q, sqlite3_stmt *st);
/* The store is over, with what SQLite says. */
void sqlite_broken(struct sqlite *q, const char *what);
/* An id from the counter. */
uint64_t sqlite_id(struct sqlite *q);
/* What of the group is not rows: a content file goes when it is durable. */
void sqlite_file_goes(struct sqlite *q, uint64_t file);

static inline struct view sqlite_view(sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_blob(st, column);
	return (struct view){p, (size_t)sqlite3_column_bytes(st, column)};
}

/* --- sqlite_schema.c --- */
/* Opens the database, creates or checks the schema, prepares; what was opened is in *q even on
 * failure. */
MUST_CHECK bool sqlite_schema_open(struct sqlite *q, const struct store_config *c, struct err *e);
/* One process owns the store. Its lock lies on a file beside the database, because readers share
 * the database itself; it is held until the connection is closed. */
MUST_CHECK bool sqlite_schema_own(const char *path, sqlite3 **owner_r, struct err *e);
/* A connection with our settings to an existing file; also for readers. NULL with *e. */
sqlite3 *sqlite_schema_connect(const char *path, int flags, struct err *e);
bool sqlite_schema_error(sqlite3 *db, const char *path, const char *what,
			 struct err *e); /* returns false */
MUST_CHECK bool sqlite_schema_version(sqlite3 *db, const char *path, struct err *e);

/* --- sqlite_put.c --- */
void sqlite_put_message(struct store *s, struct store_message *m);
uint64_t sqlite_transfer_end(struct store *s, uint64_t transfer, enum store_rcpt_state outcome);
void sqlite_transfer_retry(struct store *s, uint64_t transfer, wall_ms_t next_ms, uint32_t attempts,
			   struct view why);
void sqlite_transfer_move(struct store *s, uint64_t transfer, struct view queue, wall_ms_t next_ms,
			  struct view tried);
void sqlite_delivery_remove(struct store *s, uint64_t delivery);
uint64_t sqlite_reserve_numbers(struct store *s, uint64_t n);
void sqlite_total_put(struct store *s, struct view name, struct view text);
void sqlite_totals(struct store *s, void (*each)(void *ctx, struct view name, struct view text), void *ctx);
struct sqlite_queue *sqlite_queue_of(struct sqlite *q, struct view name); /* made when there is none */
/* A transfer enters (by 1) or leaves (by -1) a queue. */
struct sqlite_part {
	int64_t message, queue, priority, recipients, size;
	bool alone, octets;
};
void sqlite_count_transfer(struct sqlite *q, const struct sqlite_part *p, int by);
MUST_CHECK bool sqlite_get_transfer(struct sqlite *q, uint64_t transfer, struct sqlite_part *p_r);
/* One part of a message is over. outcome: of a transfer. */
void sqlite_release_part(struct sqlite *q, const struct sqlite_part *p, uint64_t transfer,
			 enum store_rcpt_state outcome);

/* --- sqlite_quarantine.c --- */
void sqlite_suspect_put(struct store *s, struct view key, uint32_t strikes, struct view words);
void sqlite_suspects(struct store *s, store_suspect_f *each, void *ctx);
void sqlite_quarantine(struct store *s, uint64_t transfer, uint32_t strikes, struct view cause,
		       struct view words);
uint64_t sqlite_put_octets(struct store *s, const struct store_octets *o);
void sqlite_quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state,
			   uint32_t strikes, struct view cause, struct view words);
void sqlite_quarantine_release(struct store *s, uint64_t id, struct view queue, wall_ms_t next_ms);
void sqlite_quarantine_remove(struct store *s, uint64_t id);
bool sqlite_load_quarantine(struct store *s, uint64_t id, struct store_quarantine *z,
			    struct arena *a, struct err *e);
size_t sqlite_quarantine_next(struct store *s, enum store_quarantine_state state, uint64_t after,
			      uint64_t *ids, size_t max);

/* --- sqlite_read.c --- */
struct sqlite_queue *sqlite_queue_named(struct sqlite *q, struct view name); /* NULL: no such */
struct sqlite_queue *sqlite_queue_no(struct sqlite *q, int64_t no);
size_t sqlite_queue_next(struct store *s, struct view queue, enum priority p, wall_ms_t until,
			 struct store_place *place, struct store_queued *rows, size_t max);
wall_ms_t sqlite_queue_wakes(struct store *s, struct view queue, wall_ms_t after);
uint64_t sqlite_held(struct store *s);
size_t sqlite_expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
		      struct store_expired *rows, size_t max);
bool sqlite_find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r,
			  struct view *queue_r);
void sqlite_queues(struct store *s,
		   void (*each)(void *ctx, const struct store_queue *q),
		   void *ctx);
enum store_thing sqlite_what_is(struct store *s, uint64_t id);
bool sqlite_load(struct store *s, enum store_thing what, uint64_t id, struct store_loaded *l,
		 struct arena *a, struct err *e);
void sqlite_count(struct store *s, struct store_counts *c_r);

/* --- sqlite_content.c --- */
enum { SQLITE_NAME_MAX = 32 };
const char *sqlite_file_name(char buf[SQLITE_NAME_MAX],
			     uint64_t file); /* "content/0123456789abcdef" */
MUST_CHECK bool sqlite_file_number(const char *name, uint64_t *file_r); /* without the folder */
struct store_content *sqlite_content_new(struct store *s, struct err *e);
bool sqlite_content_append(struct store_content *c, struct view octets, struct err *e);
void sqlite_content_sync(struct store_content *c);
void sqlite_content_free(struct store_content *c);
bool sqlite_read_content(struct store *s, uint64_t message, uint64_t offset, void *buf, size_t n,
			 size_t *got_r, struct err *e);
#define SQLITE_PARTIAL_BIT (UINT64_C(1) << 63) /* with a file's number, in place of a message */
/* The message's file, open: kept so, because a transfer reads it piece by piece. NULL with *e. */
struct file *sqlite_open_file(struct sqlite *q, uint64_t message, uint64_t file, struct err *e);
void sqlite_close_file(struct sqlite *q, uint64_t message); /* 0: all */
MUST_CHECK bool sqlite_sweep(struct sqlite *q, struct err *e);

/* --- sqlite_partial.c --- */
void sqlite_partial_put(struct store *s, uint64_t id, const struct store_partial_name *name);
void sqlite_partial_put_sync(struct store *s, uint64_t id, const struct store_sync *y);
void sqlite_partial_cut(struct store *s, uint64_t id, uint32_t after);
void sqlite_partial_trim(struct store *s, uint64_t id, uint32_t before, uint64_t file);
void sqlite_partial_end(struct store *s, uint64_t id);
void sqlite_partials(struct store *s, store_partial_f *each, void *ctx);
void sqlite_partial_syncs(struct store *s, uint64_t id, struct store_syncs *syncs);
bool sqlite_partial_read(struct store *s, uint64_t file, uint64_t offset, void *buf, size_t n,
			 size_t *got_r, struct err *e);
void sqlite_partial_file_goes(struct store *s, uint64_t file);

/* --- sqlite_steps.c --- */
void sqlite_put_step(struct store *s, const struct store_step *step);
bool sqlite_forget_steps(struct store *s, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r);
bool sqlite_seen(struct store *s, const struct mts_id *id, const uint64_t digest[2]);
MUST_CHECK bool sqlite_steps_open(struct sqlite *q, struct err *e);
/* Before a commit: writes the batch of the index if it is time. False as sqlite_execute. */
MUST_CHECK bool sqlite_steps_flush(struct sqlite *q);
void sqlite_steps_committed(struct sqlite *q);
