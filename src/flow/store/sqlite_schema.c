/* sqlite_schema.c - a database of ours: made, recognised, prepared, and one owner at a time. */
#include "flow/store/sqlite_impl.h"

#include "base/mem.h"

#include <errno.h>

enum { PAGE_OCTETS = 8192 };
enum {
	OWNER_PATIENCE_MS = 1000,   /* a predecessor that was killed may still be in its last sync */
	READERS_PATIENCE_MS = 5000, /* after a crash whoever reads first recovers the log, and holds a lock meanwhile */
};

extern const char store_schema[]; /* schema.sql, by the build */

static const char *const statements[SQL_COUNT] = {
#define X(name, text) text,
#include "flow/store/sql_table.h"
#undef X
};

bool sqlite_schema_error(sqlite3 *db, const char *path, const char *what, struct err *e)
{
	const int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db),
		  cause = db == NULL ? 0 : sqlite3_system_errno(db);
	const char *why = db == NULL ? "out of memory" : sqlite3_errmsg(db);
	if (code == SQLITE_FULL || cause == ENOSPC || cause == EDQUOT)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "store %s: cannot %s: the disk is full",
			       path, what);
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store %s: cannot %s: %s%s%s", path, what, why,
		       cause == 0 ? "" : ": ", cause == 0 ? "" : strerror(cause));
}

sqlite3 *sqlite_schema_connect(const char *path, int flags, struct err *e)
{
	sqlite3 *db = NULL;
	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    NULL) == SQLITE_OK)
		return db;
	sqlite_schema_error(db, path, "be opened", e);
	sqlite3_close(db);
	return NULL;
}

static bool execute(sqlite3 *db, const char *path, const char *sql, const char *what, struct err *e)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       sqlite_schema_error(db, path, what, e);
}

/* The first column of the first row, -1 when there is none. */
static bool number(sqlite3 *db, const char *path, const char *sql, int64_t *x_r, struct err *e)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return sqlite_schema_error(db, path, "be read", e);
	const int rc = sqlite3_step(st);
	*x_r = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
	const bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE ||
			sqlite_schema_error(db, path, "be read", e);
	sqlite3_finalize(st);
	return ok;
}

bool sqlite_schema_own(const char *path, sqlite3 **owner_r, struct err *e)
{
	struct out name;
	out_init(&name, 64 * 1024);
	out_fmt(&name, "%s.lock", path);
	sqlite3 *owner = sqlite_schema_connect(out_cstr(&name),
					       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
	bool ok = owner != NULL;
	if (ok)
		sqlite3_busy_timeout(owner, OWNER_PATIENCE_MS);
	if (ok && sqlite3_exec(owner, "begin exclusive", NULL, NULL, NULL) != SQLITE_OK) {
		if (sqlite3_errcode(owner) == SQLITE_BUSY)
			ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
				     "store %s: is in use by another process", path);
		else
			ok = sqlite_schema_error(owner, out_cstr(&name), "be locked", e);
	}
	out_fini(&name);
	if (ok)
		*owner_r = owner;
	else
		sqlite3_close(owner);
	return ok;
}

static bool set_up(struct sqlite *q, const struct store_config *c, struct err *e)
{
	char sql[400];
	snprintf(sql, sizeof sql,
		 "pragma page_size = %d; pragma journal_mode = wal; pragma synchronous = full; "
		 "pragma wal_autocheckpoint = 0;"
		 "pragma cache_size = -%llu; pragma cache_spill = off; pragma temp_store = memory; "
		 "pragma foreign_keys = off",
		 PAGE_OCTETS,
		 (unsigned long long)(c->cache_octets / 1024 < 256 ? 256 : c->cache_octets / 1024));
	if (!execute(q->db, q->path, sql, "be set up", e))
		return false;
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(q->db, "pragma journal_mode", -1, &st, NULL) != SQLITE_OK)
		return sqlite_schema_error(q->db, q->path, "be set up", e);
	const bool wal = sqlite3_step(st) == SQLITE_ROW &&
			 strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
	sqlite3_finalize(st);
	return wal || err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			      "store %s: this file system cannot keep a write-ahead log", q->path);
}

bool sqlite_schema_version(sqlite3 *db, const char *path, struct err *e)
{
	int64_t tables = 0, version = 0, application = 0;
	if (!number(db, path, "pragma application_id", &application, e))
		return false;
	if (application == 0) { /* All of it comes into being in one moment, which may be now. */
		if (!number(db, path, "select count(*) from sqlite_schema", &tables, e))
			return false;
		if (tables == 0)
			return err_set(e, ERR_TEMP, ERR_OF_PROCESS,
				       "store %s: is empty: its MTA is just being started for the first time, or never was",
				       path);
		if (!number(db, path, "pragma application_id", &application, e))
			return false;
	}
	if (!number(db, path, "pragma user_version", &version, e))
		return false;
	if (application != SQLITE_APPLICATION_ID)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "store %s: is a database, but not a store of ours", path);
	if (version >= 1 && version < SQLITE_SCHEMA_VERSION)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "store %s: has schema version %lld, which the MTA brings to version %d "
			       "when it is started",
			       path, (long long)version, SQLITE_SCHEMA_VERSION);
	if (version != SQLITE_SCHEMA_VERSION)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "store %s: has schema version %lld, this program knows version %d",
			       path, (long long)version, SQLITE_SCHEMA_VERSION);
	return true;
}

static bool create(struct sqlite *q, struct err *e)
{
	char sql[100];
	snprintf(sql, sizeof sql, "pragma application_id = %d; pragma user_version = %d; commit",
		 SQLITE_APPLICATION_ID, SQLITE_SCHEMA_VERSION);
	return execute(q->db, q->path, "begin immediate", "be created", e) &&
	       execute(q->db, q->path, store_schema, "be created", e) &&
	       execute(q->db, q->path, sql, "be created", e);
}

/* An older version has the tables of schema.sql before a mark, and some views, which are made anew with all others. */
static bool migrate(struct sqlite *q, struct err *e)
{
	int64_t version, application;
	if (!number(q->db, q->path, "pragma user_version", &version, e) ||
	    !number(q->db, q->path, "pragma application_id", &application, e))
		return false;
	if (version < 1 || version >= SQLITE_SCHEMA_VERSION || application != SQLITE_APPLICATION_ID)
		return true;
	char sql[100];
	snprintf(sql, sizeof sql, "-- Since version %d", (int)version + 1);
	const char *added = strstr(store_schema, sql);
	assert(added != NULL);
	snprintf(sql, sizeof sql, "pragma user_version = %d; commit", SQLITE_SCHEMA_VERSION);
	return execute(q->db, q->path,
		       "begin immediate; drop view if exists quarantined; drop view queued; drop view journey; "
		       "alter table step add column event integer default null; alter table step add column keys blob default null",
		       "be brought to a new version", e) &&
	       (version > 2 || execute(q->db, q->path, "alter table transfer add column tried text not null default ''",
				       "be brought to a new version", e)) &&
	       execute(q->db, q->path, added, "be brought to a new version", e) &&
	       execute(q->db, q->path, sql, "be brought to a new version", e);
}

static bool prepare(struct sqlite *q, struct err *e)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(q->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &q->stmt[i], NULL) != SQLITE_OK)
			return sqlite_schema_error(q->db, q->path, statements[i], e);
	return true;
}

/* --- what is kept in memory --- */
static bool load_queues(struct sqlite *q, struct err *e)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(q->db, "select no, name from queue order by no", -1, &st, NULL) !=
	    SQLITE_OK)
		return sqlite_schema_error(q->db, q->path, "be read", e);
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		q->queues = mem_grow(q->queues, mem_mul(q->n_queues + 1, sizeof *q->queues));
		const struct view name = sqlite_view(st, 1);
		q->queues[q->n_queues++] =
			(struct sqlite_queue){.no = sqlite3_column_int64(st, 0),
					      .name = view_of(mem_dup(name.p, name.n), name.n)};
	}
	const bool ok = rc == SQLITE_DONE || sqlite_schema_error(q->db, q->path, "be read", e);
	sqlite3_finalize(st);
	return ok;
}

static bool count_transfers(struct sqlite *q, struct err *e)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(q->db,
			       "select queue, priority, count(*), sum(size), sum(recipients), "
			       "sum(alone), sum(alone * size) "
			       "from transfer group by queue, priority",
			       -1, &st, NULL) != SQLITE_OK)
		return sqlite_schema_error(q->db, q->path, "be read", e);
	int rc;
	bool ok = true;
	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct sqlite_queue *queue = sqlite_queue_no(q, sqlite3_column_int64(st, 0));
		const int64_t priority = sqlite3_column_int64(st, 1);
		if (queue == NULL || priority < 0 || priority >= PRIORITY_COUNT) {
			ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
				     "store %s: a transfer is in queue %lld with priority %lld, "
				     "and there is no such",
				     q->path, (long long)sqlite3_column_int64(st, 0),
				     (long long)priority);
			break;
		}
		queue->transfers[priority] = (uint64_t)sqlite3_column_int64(st, 2);
		queue->octets += (uint64_t)sqlite3_column_int64(st, 3);
		queue->recipients += (uint64_t)sqlite3_column_int64(st, 4);
		q->counts.transfers += queue->transfers[priority];
		q->counts.recipients_queued += (uint64_t)sqlite3_column_int64(st, 4);
		q->counts.messages += (uint64_t)sqlite3_column_int64(st, 5);
		q->counts.octets += (uint64_t)sqlite3_column_int64(st, 6);
	}
	ok = ok && (rc == SQLITE_DONE || sqlite_schema_error(q->db, q->path, "be read", e));
	sqlite3_finalize(st);
	return ok;
}

/* Each message is counted with its only part, or as a share; its own row need not be read. */
static bool count_all(struct sqlite *q, struct err *e)
{
	int64_t deliveries, alone, alone_octets, shares, shared_octets, files, quarantined, suspects, partials;
	if (!count_transfers(q, e) ||
	    !number(q->db, q->path, "select count(*) from delivery", &deliveries, e) ||
	    !number(q->db, q->path,
		    "select (select count(*) from delivery where alone) + "
		    "(select count(*) from quarantine where alone)",
		    &alone, e) ||
	    !number(q->db, q->path,
		    "select (select coalesce(sum(size), 0) from delivery where alone) + "
		    "(select coalesce(sum(size), 0) from quarantine where alone)",
		    &alone_octets, e) ||
	    !number(q->db, q->path, "select count(*) from quarantine", &quarantined, e) ||
	    !number(q->db, q->path, "select count(*) from suspect", &suspects, e) ||
	    !number(q->db, q->path, "select count(*) from partial", &partials, e) ||
	    !number(q->db, q->path, "select count(*) from share", &shares, e) ||
	    !number(q->db, q->path, "select coalesce(sum(size), 0) from share", &shared_octets,
		    e) ||
	    !number(q->db, q->path, "select count(*) from message where file is not null", &files,
		    e))
		return false;
	q->counts.deliveries = (uint64_t)deliveries;
	q->counts.messages += (uint64_t)(alone + shares);
	q->counts.octets += (uint64_t)(alone_octets + shared_octets);
	q->counts.quarantined = (uint64_t)quarantined;
	q->counts.suspects = (uint64_t)suspects;
	q->counts.partials = (uint64_t)partials;
	q->n_files = (uint64_t)files;
	return true;
}

static bool load_counters(struct sqlite *q, struct err *e)
{
	int64_t id, next;
	if (!number(q->db, q->path, "select value from counter where name = 'id'", &id, e) ||
	    !number(q->db, q->path, "select value from counter where name = 'number'", &next, e))
		return false;
	q->next_id = id < 1 ? 1 : (uint64_t)id;
	q->next_number = next < 1 ? 1 : (uint64_t)next;
	q->id_ceiling = q->next_id + SQLITE_COUNTER_BLOCK;
	q->number_ceiling = q->next_number + SQLITE_COUNTER_BLOCK;
	char sql[200]; /* on disk now, so that a group that is lost never had numbers that are given
			  again */
	snprintf(sql, sizeof sql,
		 "insert or replace into counter values ('id', %llu), ('number', %llu)",
		 (unsigned long long)q->id_ceiling, (unsigned long long)q->number_ceiling);
	return execute(q->db, q->path, sql, "be written", e);
}

/* --- the log that a predecessor left --- */
static int write_again(sqlite3_file *f)
{
	uint8_t buf[65536];
	sqlite3_int64 size = 0;
	int rc = f->pMethods->xFileSize(f, &size);
	for (sqlite3_int64 at = 0; rc == SQLITE_OK && at < size; at += (sqlite3_int64)sizeof buf) {
		const sqlite3_int64 left = size - at;
		const int n = left < (sqlite3_int64)sizeof buf ? (int)left : (int)sizeof buf;
		rc = f->pMethods->xRead(f, buf, n, at);
		if (rc == SQLITE_OK)
			rc = f->pMethods->xWrite(f, buf, n, at);
	}
	return rc != SQLITE_OK || size == 0 ? rc : f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
}

/* It may have ended because a sync failed. Then the kernel still shows what the disk has not got, and never writes it, because
 * it counts as written: commits after it in the log would be lost with it when the power goes. So what is seen is written once
 * more and synced before anything is built on it. (The database needs none of this: a checkpoint that did not end well is done
 * again from the log.) */
static bool make_log_durable(struct sqlite *q, struct err *e)
{
	sqlite3_file *log = NULL;
	if (sqlite3_file_control(q->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || log == NULL ||
	    log->pMethods == NULL)
		return true; /* there is none */
	const int rc = write_again(log);
	if (rc == SQLITE_OK)
		return true;
	return err_set(e, rc == SQLITE_FULL ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "store %s: the log cannot be made durable: %s",
		       q->path, sqlite3_errstr(rc));
}

bool sqlite_schema_open(struct sqlite *q, const struct store_config *c, struct err *e)
{
	enum { FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE };
	int64_t tables;
	if (!sqlite_schema_own(q->path, &q->owner, e) ||
	    (q->db = sqlite_schema_connect(q->path, FLAGS, e)) == NULL)
		return false;
	sqlite3_busy_timeout(q->db, READERS_PATIENCE_MS);
	if (!set_up(q, c, e) ||
	    !number(q->db, q->path, "select count(*) from sqlite_schema", &tables, e))
		return false;
	if (!make_log_durable(q, e) || (tables == 0 && !create(q, e)))
		return false;
	if (!migrate(q, e) || !sqlite_schema_version(q->db, q->path, e) || !prepare(q, e) ||
	    !load_queues(q, e) || !count_all(q, e) || !load_counters(q, e))
		return false;
	sqlite3_busy_timeout(q->db, 0); /* from here on nobody waits for a lock */
	q->checkpointer = sqlite_schema_connect(q->path, SQLITE_OPEN_READWRITE, e);
	/* The checkpoint syncs the log before it copies, and the database after. */
	return q->checkpointer != NULL &&
	       execute(q->checkpointer, q->path,
		       "pragma synchronous = full; pragma cache_size = -64", "be set up", e);
}
