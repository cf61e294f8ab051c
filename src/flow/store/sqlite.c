/* sqlite.c - the SQLite store: the open group, its log, its commit. */
#include "flow/store/sqlite_impl.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>

enum {
	/* The log is copied back into the database when it has this many pages. Longer logs are
	 * copied less often (a page that changed ten times is copied once) but at one go. */
	CHECKPOINT_PAGES = 4000,
};

/* Out of space in any of the words SQLite has for it: nothing is broken, and it passes. */
static bool is_full(const struct sqlite *q, int rc)
{
	if (rc == SQLITE_FULL)
		return true;
	const int code = sqlite3_extended_errcode(q->db), cause = sqlite3_system_errno(q->db);
	return code == SQLITE_IOERR_SHMSIZE ||
	       (code == SQLITE_IOERR_WRITE && (cause == ENOSPC || cause == EDQUOT));
}

void sqlite_broken(struct sqlite *q, const char *what)
{
	struct err e;
	sqlite_schema_error(q->db, q->path, what, &e);
	store_failed(&q->s, &e);
}

static void broken_by_fault(struct sqlite *q, const char *what)
{
	struct err e;
	err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "store %s: cannot %s (fault point)", q->path, what);
	store_failed(&q->s, &e);
}

/* --- statements --- */
static void bind(sqlite3_stmt *st, unsigned n, const struct bind *v)
{
	for (unsigned i = 0; i < n; i++) {
		const int at = (int)i + 1;
		const char *p = v[i].v.p == NULL
					? ""
					: (const char *)v[i].v.p; /* NULL would be the null value */
		int rc = SQLITE_OK;
		switch (v[i].type) {
		case BIND_NULL: rc = sqlite3_bind_null(st, at); break;
		case BIND_INT: rc = sqlite3_bind_int64(st, at, v[i].i); break;
		case BIND_TEXT:
			rc = sqlite3_bind_text64(st, at, p, v[i].v.n, SQLITE_STATIC, SQLITE_UTF8);
			break;
		case BIND_BLOB: rc = sqlite3_bind_blob64(st, at, p, v[i].v.n, SQLITE_STATIC); break;
		}
		assert(rc == SQLITE_OK);
	}
}

static int step_once(struct sqlite *q, enum sql what, unsigned n, const struct bind *v)
{
	sqlite3_stmt *st = q->stmt[what];
	bind(st, n, v);
	const int rc = sqlite3_step(st);
	sqlite3_reset(st);
	return rc;
}

sqlite3_stmt *sqlite_ask(struct sqlite *q, enum sql what, unsigned n, const struct bind *v)
{
	bind(q->stmt[what], n, v);
	return q->stmt[what];
}

bool sqlite_row(struct sqlite *q, sqlite3_stmt *st)
{
	const int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		sqlite_broken(q, "be read");
	sqlite3_reset(st);
	return false;
}

/* --- the group --- */
/* The transaction is gone or goes now; the log says what was in it. */
static void roll_back(struct sqlite *q)
{
	q->applied = false;
	if (sqlite3_get_autocommit(q->db) == 0 &&
	    step_once(q, SQL_ROLLBACK, 0, NULL) != SQLITE_DONE)
		sqlite_broken(q, "roll back");
}

static void told_full(struct sqlite *q)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_PROCESS,
		"store %s: the disk is full; what is not on it yet is kept and tried again",
		q->path);
	store_full(&q->s, &e);
}

/* What to make of rc. True: fine. */
static bool settle(struct sqlite *q, int rc, const char *what)
{
	if (rc == SQLITE_DONE || rc == SQLITE_ROW)
		return true;
	if (!is_full(q, rc)) {
		sqlite_broken(q, what);
		return false;
	}
	roll_back(q);
	told_full(q);
	return false;
}

/* --- tracking never stops mail --- */
/* What is wrong with rows, not with the disk; the transaction goes on without this statement. */
static bool only_rows_are_wrong(const struct sqlite *q, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_ERROR:
	case SQLITE_CORRUPT:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG: return !q->applied || sqlite3_get_autocommit(q->db) == 0;
	default: return false;
	}
}

static void step_lost(struct sqlite *q, const char *what)
{
	struct err e;
	sqlite_schema_error(q->db, q->path, what, &e);
	store_step_lost(&q->s, &e);
}

static bool is_tracking(enum sql what)
{
	return what == SQL_PUT_STEP || what == SQL_PUT_STEP_KEY || what == SQL_PUT_STEP_FILTER ||
	       what == SQL_DEL_STEPS || what == SQL_DEL_STEP_KEYS || what == SQL_DEL_STEP_FILTER;
}

bool sqlite_step_row(struct sqlite *q, sqlite3_stmt *st)
{
	const int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE && only_rows_are_wrong(q, rc))
		step_lost(q, "read the index of steps");
	else if (rc != SQLITE_DONE)
		sqlite_broken(q, "be read");
	sqlite3_reset(st);
	return false;
}

bool sqlite_execute(struct sqlite *q, enum sql what, unsigned n, const struct bind *v)
{
	if (FAULT(STORE_WRITE)) {
		broken_by_fault(q, "write a row");
		return false;
	}
	const int rc = step_once(q, what, n, v);
	if (rc != SQLITE_DONE && is_tracking(what) && only_rows_are_wrong(q, rc)) {
		step_lost(q, "write a step");
		return true;
	}
	return settle(q, rc, "write a row");
}

static bool begin(struct sqlite *q)
{
	if (FAULT(STORE_BEGIN)) {
		broken_by_fault(q, "begin a transaction");
		return false;
	}
	if (!settle(q, step_once(q, SQL_BEGIN, 0, NULL), "begin a transaction"))
		return false;
	q->applied = true;
	return true;
}

/* Executes the log in a new transaction. */
static bool replay(struct sqlite *q)
{
	if (!begin(q))
		return false;
	for (const struct op *op = q->log; op != NULL; op = op->next)
		if (!sqlite_execute(q, op->what, op->n, op->v))
			return false;
	return true;
}

static const struct op *log_op(struct sqlite *q, enum sql what, unsigned n, const struct bind *v)
{
	struct op *op = arena_get(q->group, mem_add(sizeof *op, mem_mul(n, sizeof *v)));
	op->what = what;
	op->n = n;
	for (unsigned i = 0; i < n; i++) {
		op->v[i] = v[i];
		if (v[i].type == BIND_TEXT || v[i].type == BIND_BLOB)
			op->v[i].v = arena_copy(q->group, v[i].v);
	}
	*q->log_end = op;
	q->log_end = &op->next;
	return op;
}

static void clear_log(struct sqlite *q)
{
	arena_reset(q->group);
	q->log = NULL;
	q->log_end = &q->log;
	q->has_group = false;
	q->applied = false;
}

static void checkpoint(void *ctx);

/* Under load the next group is here before the timer. A group that begins on a log which is not written back goes on at its end: the
 * log would grow, with a checkpoint after each commit, as long as the load lasts. The answers of the last group have left. */
static void checkpoint_if_due(struct sqlite *q)
{
	if (!timer_is_set(&q->checkpoint))
		return;
	timer_stop(&q->checkpoint);
	checkpoint(q);
}

void sqlite_run(struct sqlite *q, enum sql what, unsigned n, const struct bind *v)
{
	if (q->s.over)
		return;
	if (!q->has_group) {
		checkpoint_if_due(q);
		if (q->s.over)
			return;
		q->has_group = true;
		if (!begin(q) && q->s.over)
			return;
	}
	const struct op *op = log_op(q, what, n, v);
	if (q->applied && !sqlite_execute(q, op->what, op->n, op->v))
		return; /* over, or full: then the commit executes the log again */
}

uint64_t sqlite_id(struct sqlite *q)
{
	/* Well before the ceiling: an id given in a group that is lost is not given again. */
	if (q->next_id + SQLITE_COUNTER_BLOCK / 2 >= q->id_ceiling) {
		q->id_ceiling = q->next_id + SQLITE_COUNTER_BLOCK;
		SQLITE_RUN(q, SQL_SET_COUNTER, BIND_T(VIEW("id")), BIND_I(q->id_ceiling));
	}
	return q->next_id++;
}

void sqlite_file_goes(struct sqlite *q, uint64_t file)
{
	if (q->n_gone == q->cap_gone) {
		q->cap_gone = q->cap_gone == 0 ? 64 : mem_mul(q->cap_gone, 2);
		q->gone = mem_grow(q->gone, mem_mul(q->cap_gone, sizeof *q->gone));
	}
	q->gone[q->n_gone++] = file;
}

static bool has_group(const struct store *s)
{
	return sqlite_of(s)->has_group;
}

/* A file that cannot be removed now is removed by the next opening. */
static void remove_gone(struct sqlite *q)
{
	char name[SQLITE_NAME_MAX];
	if (q->n_gone == 0 || env_file_is_held(q->s.env, SQLITE_HOLD))
		return; /* after a later commit, or by the next opening */
	for (size_t i = 0; i < q->n_gone; i++)
		if (!env_file_remove(q->s.env, sqlite_file_name(name, q->gone[i]), NULL))
			continue;
	q->n_gone = 0;
}

/* False: it is not durable, and told why. */
static bool commit_group(struct sqlite *q)
{
	if (!q->applied && !replay(q))
		return false;
	if (!sqlite_steps_flush(q))
		return false;
	if (FAULT(STORE_COMMIT)) {
		broken_by_fault(q, "commit");
		return false;
	}
	if (FAULT(STORE_FULL)) {
		roll_back(q);
		told_full(q);
		return false;
	}
	return settle(q, step_once(q, SQL_COMMIT, 0, NULL), "commit");
}

static void commit(struct store *s)
{
	struct sqlite *q = sqlite_of(s);
	if (!commit_group(q)) {
		q->steps_flushed = false;
		if (!s->over) /* full: where the log is written back, the next try writes it from its beginning, on room it has */
			checkpoint(q);
		/* Reads are to see the group meanwhile. That needs no disk: only COMMIT writes. */
		if (!s->over && !replay(q) && !s->over)
			roll_back(q);
		return;
	}
	clear_log(q);
	sqlite_steps_committed(q);
	if (FAULT(STORE_COMMITTED)) {
		broken_by_fault(q, "go on after a commit");
		return;
	}
	remove_gone(q);
	if (q->wal_pages >= CHECKPOINT_PAGES && !timer_is_set(&q->checkpoint))
		timer_after(&q->checkpoint, 0);
	store_durable(s);
}

/* --- checkpoints: after the answers of the group have left --- */
static int wal_has(void *ctx, sqlite3 *db, const char *name, int pages)
{
	(void)db, (void)name;
	struct sqlite *q = ctx;
	q->wal_pages = pages;
	return SQLITE_OK;
}

/* Passive, so that it waits for nobody: what a reader still needs stays in the log. By a connection
 * of its own, because the writer's may be inside a group. */
static void checkpoint(void *ctx)
{
	struct sqlite *q = ctx;
	q->wal_pages = 0;
	const int rc = sqlite3_wal_checkpoint_v2(q->checkpointer, NULL, SQLITE_CHECKPOINT_PASSIVE,
						 NULL, NULL);
	if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED && rc != SQLITE_FULL) {
		struct err e; /* the log still has everything, but a disk that fails is not written
				 to again */
		sqlite_schema_error(q->checkpointer, q->path, "be checkpointed", &e);
		store_failed(&q->s, &e);
	}
}

/* --- from open to close --- */
static void release(struct sqlite *q)
{
	timer_stop(&q->checkpoint);
	sqlite_close_file(q, 0);
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(q->stmt[i]);
	sqlite3_close(q->checkpointer);
	sqlite3_close(q->db);
	sqlite3_close(q->owner);
	arena_free(&q->group);
	step_index_free(&q->steps);
	for (size_t i = 0; i < q->n_queues; i++)
		free((void *)(uintptr_t)q->queues[i].name.p);
	for (size_t i = 0; i < ARRAY_LEN(q->scratch); i++)
		out_fini(&q->scratch[i]);
	free(q->queues);
	free(q->gone);
	free(q->path);
	free(q);
}

static void close_sqlite(struct store *s)
{
	release(sqlite_of(s));
}

static const struct store_ops sqlite_ops = {
	.close = close_sqlite,
	.content_new = sqlite_content_new,
	.content_append = sqlite_content_append,
	.content_sync = sqlite_content_sync,
	.content_free = sqlite_content_free,
	.put_message = sqlite_put_message,
	.put_step = sqlite_put_step,
	.transfer_end = sqlite_transfer_end,
	.transfer_retry = sqlite_transfer_retry,
	.transfer_move = sqlite_transfer_move,
	.delivery_remove = sqlite_delivery_remove,
	.forget_steps = sqlite_forget_steps,
	.suspect_put = sqlite_suspect_put,
	.suspects = sqlite_suspects,
	.quarantine = sqlite_quarantine,
	.put_octets = sqlite_put_octets,
	.quarantine_set = sqlite_quarantine_set,
	.quarantine_release = sqlite_quarantine_release,
	.quarantine_remove = sqlite_quarantine_remove,
	.load_quarantine = sqlite_load_quarantine,
	.quarantine_next = sqlite_quarantine_next,
	.partial_put = sqlite_partial_put,
	.partial_put_sync = sqlite_partial_put_sync,
	.partial_cut = sqlite_partial_cut,
	.partial_trim = sqlite_partial_trim,
	.partial_end = sqlite_partial_end,
	.partials = sqlite_partials,
	.partial_syncs = sqlite_partial_syncs,
	.partial_read = sqlite_partial_read,
	.partial_file_goes = sqlite_partial_file_goes,
	.has_group = has_group,
	.commit = commit,
	.queue_next = sqlite_queue_next,
	.queue_wakes = sqlite_queue_wakes,
	.expired = sqlite_expired,
	.find_transfer = sqlite_find_transfer,
	.held = sqlite_held,
	.queues = sqlite_queues,
	.what_is = sqlite_what_is,
	.load = sqlite_load,
	.read_content = sqlite_read_content,
	.seen = sqlite_seen,
	.total_put = sqlite_total_put,
	.totals = sqlite_totals,
	.reserve_numbers = sqlite_reserve_numbers,
	.count = sqlite_count,
};

struct store *store_open_sqlite(struct env *env, const struct store_config *c,
				const struct store_events *ev, void *ctx, struct err *e)
{
	struct sqlite *q = mem_zero(sizeof *q);
	store_init(&q->s, &sqlite_ops, env, c, ev, ctx);
	q->path = store_path(env, c->path);
	q->group = arena_new(SIZE_MAX);
	q->log_end = &q->log;
	q->steps = step_index_new();
	timer_init(&q->checkpoint, env, checkpoint, q);
	for (size_t i = 0; i < ARRAY_LEN(q->scratch); i++)
		out_init(&q->scratch[i], INT32_MAX);
	bool ok = false;
	if (FAULT(STORE_OPEN))
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store %s: cannot be opened (fault point)",
			c->path);
	else
		ok = sqlite_schema_open(q, c, e) && sqlite_steps_open(q, e) && sqlite_sweep(q, e);
	if (!ok) {
		release(q);
		return NULL;
	}
	sqlite3_wal_hook(q->db, wal_has, q);
	return &q->s;
}
