/* repair.c - a whole store made of what is left of a damaged one: see check.h.
 *
 * The pages of the original are read by themselves (salvage.c) into a new database; there the rows are made to agree, message by message
 * (repair_message.c), then steps, counters and indexes. The new database gets its name when all of it is on disk, and is checked. */
#include "flow/store/check.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/check_steps.h"
#include "flow/store/repair_impl.h"
#include "flow/store/salvage.h"
#include "flow/store/sqlite_impl.h"
#include "sys/folder.h"

enum {
	CACHE_KB = 65536,
	ID_ARENA = 1 << 20,
	SLACK = 1 << 16, /* beyond the ids that are seen, for those that are not */
};
#define NUMBERS_LOST (INT64_C(1) << 40) /* more than any store has given */
#define DATABASE "store.db"
#define PART "store.db.part"

extern const char store_schema[]; /* schema.sql, by the build */

/* --- words and statements --- */
void repair_did(struct repair *r, const char *fmt, ...)
{
	char text[CHECK_SENTENCE];
	va_list args;
	if (r->w->did == NULL || r->failed)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	r->w->did(r->w->ctx, text);
}

void repair_broken(struct repair *r)
{
	if (!r->failed)
		r->failed = !sqlite_schema_error(r->db, "copy", "be written", r->e);
}

static sqlite3_stmt *ask(struct repair *r, const char *sql, size_t n, const int64_t *v)
{
	sqlite3_stmt *st = NULL;
	if (r->failed)
		return NULL;
	if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) != SQLITE_OK) {
		repair_broken(r);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		sqlite3_bind_int64(st, (int)i + 1, v[i]);
	return st;
}

static bool next(struct repair *r, sqlite3_stmt *st)
{
	const int rc = st == NULL ? SQLITE_DONE : sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		repair_broken(r);
	return rc == SQLITE_ROW && !r->failed;
}

void repair_run(struct repair *r, const char *sql, size_t n, const int64_t *v)
{
	if (FAULT(REPAIR_WRITE) && !r->failed)
		r->failed = !err_set(r->e, ERR_TEMP, ERR_OF_PROCESS, "copy: a row cannot be written (fault point)");
	sqlite3_stmt *st = ask(r, sql, n, v);
	while (next(r, st))
		continue;
	sqlite3_finalize(st);
}

int64_t repair_ask(struct repair *r, const char *sql, int64_t otherwise, size_t n, const int64_t *v)
{
	sqlite3_stmt *st = ask(r, sql, n, v);
	int64_t x = otherwise;
	if (next(r, st) && sqlite3_column_type(st, 0) == SQLITE_INTEGER)
		x = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return x;
}

static struct tree_value value_of(sqlite3_stmt *st, int i)
{
	struct tree_value v = {TREE_NULL};
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER: v = (struct tree_value){.type = TREE_INT, .i = sqlite3_column_int64(st, i)}; break;
	case SQLITE_TEXT: v = (struct tree_value){.type = TREE_TEXT, .v = sqlite_view(st, i)}; break;
	case SQLITE_BLOB: v = (struct tree_value){.type = TREE_BLOB, .v = sqlite_view(st, i)}; break;
	default: break; /* null; and no column of ours is real */
	}
	return v;
}

void repair_keep(struct repair *r, const char *table, const char *where, int64_t a, int64_t b, const char *why)
{
	char sql[160];
	snprintf(sql, sizeof sql, "select * from %s where %s", table, where);
	sqlite3_stmt *st = ask(r, sql, 0, NULL);
	const int parameters = st == NULL ? 0 : sqlite3_bind_parameter_count(st);
	if (parameters > 0)
		sqlite3_bind_int64(st, 1, a);
	if (parameters > 1)
		sqlite3_bind_int64(st, 2, b);
	while (next(r, st)) {
		struct tree_value v[TREE_COLUMNS_MAX];
		const int n = sqlite3_column_count(st);
		for (int i = 0; i < n; i++)
			v[i] = value_of(st, i);
		if (!removed_row(r->kept, table, v[0].i, shapes_find(r->shapes, table), v, (size_t)n, why, r->e))
			r->failed = true;
	}
	sqlite3_finalize(st);
}

/* --- queues --- */
static void read_queues(struct repair *r)
{
	repair_keep(r, "queue", "no < 1 or no > 2147483647", 0, 0, "its number was never given");
	REPAIR_RUN(r, "delete from queue where no < 1 or no > 2147483647", 0);
	r->n_queues = 0;
	sqlite3_stmt *st = ask(r, "select no from queue order by no", 0, NULL);
	while (next(r, st)) {
		r->queues = mem_grow(r->queues, mem_mul(r->n_queues + 1, sizeof *r->queues));
		r->queues[r->n_queues++] = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
}

bool repair_has_queue(const struct repair *r, int64_t no)
{
	for (size_t i = 0; i < r->n_queues; i++)
		if (r->queues[i] == no)
			return true;
	return false;
}

/* "repair:queue-7" has number 7, so that what waits in it need not be changed. */
int64_t repair_queue_named(struct repair *r, const char *name)
{
	sqlite3_stmt *st = ask(r, "select no from queue where name = ?1", 0, NULL);
	uint64_t wanted = 0;
	if (st != NULL)
		sqlite3_bind_text(st, 1, name, -1, SQLITE_TRANSIENT);
	int64_t no = next(r, st) ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	if (no != 0)
		return no;
	if (strncmp(name, REPAIR_QUEUE, strlen(REPAIR_QUEUE)) == 0)
		wanted = strtoull(name + strlen(REPAIR_QUEUE), NULL, 10);
	no = wanted != 0 ? (int64_t)wanted : r->n_queues == 0 ? 1 : r->queues[r->n_queues - 1] + 1;
	st = ask(r, "insert into queue values (?1, ?2)", 1, &no);
	if (st != NULL)
		sqlite3_bind_text(st, 2, name, -1, SQLITE_TRANSIENT);
	(void)next(r, st);
	sqlite3_finalize(st);
	read_queues(r);
	r->result.changed++;
	repair_did(r, "queue %lld, \"%s\", is made for transfers whose own is not known: move them", (long long)no, name);
	return no;
}

/* --- ids --- */
/* Above all ids that are or were given. Those beyond reason do not count: they were never given. */
static void find_next_id(struct repair *r)
{
	static const char *const questions[] = {
		"select max(id) from message where id <= ?1",	 "select max(id) from transfer where id <= ?1",
		"select max(id) from delivery where id <= ?1",	 "select max(id) from quarantine where id <= ?1",
		"select max(message) from outcome where message <= ?1", "select max(transfer) from outcome where transfer <= ?1",
		"select max(id) from partial where id <= ?1",	 "select max(file) from partial_sync where file <= ?1",
	};
	int64_t most = 0;
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		const int64_t id = REPAIR_ASK(r, questions[i], 0, CHECK_ID_MAX);
		most = id > most ? id : most;
	}
	if (r->files.n > 0 && r->files.v[r->files.n - 1] < (uint64_t)CHECK_ID_MAX && (int64_t)r->files.v[r->files.n - 1] > most)
		most = (int64_t)r->files.v[r->files.n - 1];
	const int64_t counter = REPAIR_ASK(r, "select value from counter where name = 'id'", 0, 0);
	r->next_id = counter > most && counter <= CHECK_ID_MAX ? counter : most + SLACK;
}

/* A message whose id was never given gets one, and all that name it follow. */
static void renumber_messages(struct repair *r)
{
	static const char *const tables[] = {"transfer", "delivery", "quarantine", "share", "outcome"};
	char sql[200];
	if (REPAIR_ASK(r, "select count(*) from message where id < 1 or id > ?1", 0, CHECK_ID_MAX) == 0)
		return;
	repair_keep(r, "message", "id < 1 or id > ?1", CHECK_ID_MAX, 0, "its id was never given");
	REPAIR_RUN(r, "create temp table renumbered (old integer primary key, new integer not null)", 0);
	REPAIR_RUN(r,
		   "insert into renumbered select id, ?2 + row_number() over (order by id) from message where id < 1 or id > ?1",
		   CHECK_ID_MAX, r->next_id);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		snprintf(sql, sizeof sql,
			 "update %s set message = (select new from renumbered where old = message) where message in (select old from "
			 "renumbered)",
			 tables[i]);
		REPAIR_RUN(r, sql, 0);
	}
	REPAIR_RUN(r, "update message set id = (select new from renumbered where old = id) where id in (select old from renumbered)", 0);
	const int64_t n = REPAIR_ASK(r, "select count(*) from renumbered", 0, 0);
	r->next_id += n + 1;
	r->result.changed += (uint64_t)n;
	REPAIR_RUN(r, "drop table renumbered", 0);
	repair_did(r, "%lld messages had an id that was never given, and have a new one", (long long)n);
}

static void set_counter(struct repair *r, const char *name, int64_t value)
{
	char sql[120];
	snprintf(sql, sizeof sql, "insert or replace into counter values ('%s', ?1)", name);
	REPAIR_RUN(r, sql, value);
	r->result.changed++;
	repair_did(r, "counter %s is set to %lld", name, (long long)value);
}

static void settle_counters(struct repair *r)
{
	const int64_t id = REPAIR_ASK(r, "select value from counter where name = 'id'", 0, 0),
		      number = REPAIR_ASK(r, "select value from counter where name = 'number'", -1, 0);
	if (id < r->next_id || id > CHECK_ID_MAX)
		set_counter(r, "id", r->next_id);
	if (number < 0 || number > CHECK_ID_MAX)
		set_counter(r, "number", NUMBERS_LOST);
	if (REPAIR_ASK(r, "select value from counter where name = 'indexed'", 0, 0) < 0)
		set_counter(r, "indexed", 0);
	REPAIR_RUN(r, "delete from counter where value < 0", 0);
}

/* --- steps, suspects --- */
static void mend_key(struct repair *r, int64_t seq, const char *how, uint64_t key)
{
	char sql[80];
	repair_keep(r, "step", "seq = ?1", seq, 0, "it had the key of another identifier");
	snprintf(sql, sizeof sql, "update step set %s where seq = ?1", how);
	REPAIR_RUN(r, sql, seq, (int64_t)key);
	r->result.changed++;
}

static void settle_step(struct repair *r, sqlite3_stmt *st)
{
	const int64_t seq = sqlite3_column_int64(st, 0);
	struct cur in = cur_of(sqlite_view(st, 4));
	const uint64_t digest[2] = {cur_u64(&in), cur_u64(&in)};
	const uint64_t key = (uint64_t)sqlite3_column_int64(st, 5), other_key = (uint64_t)sqlite3_column_int64(st, 6);
	const bool arrival = store_step_is_arrival((enum store_step_kind)sqlite3_column_int(st, 1)),
		   has_other = sqlite3_column_type(st, 3) != SQLITE_NULL;
	struct mts_id id;
	arena_reset(r->arena);
	const bool known = mts_id_parse(sqlite_view(st, 2), &id, r->arena, NULL);
	const uint64_t want = known ? step_key(id.local, arrival ? digest : NULL) : key;
	const bool other_known = has_other && mts_id_parse(sqlite_view(st, 3), &id, r->arena, NULL),
		   has_key = sqlite3_column_type(st, 6) != SQLITE_NULL;
	const uint64_t other_want = other_known ? step_key_other(id.local) : other_key;
	if (want != key) /* the views are gone after this */
		mend_key(r, seq, "key = ?2", want);
	if (has_other && (other_want != other_key || !has_key))
		mend_key(r, seq, "other_key = ?2", other_want);
	if (!has_other && has_key)
		mend_key(r, seq, "other_key = nullif(?2, ?2)", 0);
}

static void ignore(void *ctx, const char *sentence)
{
	(void)ctx, (void)sentence;
}

static void settle_steps(struct repair *r)
{
	const struct store_check_watch quiet = {.found = ignore};
	struct store_check_result result = {0};
	repair_keep(r, "step", "seq < 1 or seq > ?1", CHECK_ID_MAX, 0, "its number was never given");
	REPAIR_RUN(r, "delete from step where seq < 1 or seq > ?1", CHECK_ID_MAX);
	sqlite3_stmt *st = ask(r, "select seq, kind, mts_id, other, digest, key, other_key from step order by seq", 0, NULL);
	while (next(r, st))
		settle_step(r, st);
	sqlite3_finalize(st);
	if (r->failed)
		return;
	if (!check_steps(r->db, "copy", r->shapes, &quiet, &result, r->e)) {
		r->failed = true;
		return;
	}
	if (result.found == 0)
		return;
	if (!check_steps_rebuild(r->db, "copy", r->e))
		r->failed = true;
	r->result.changed++;
	repair_did(r, "the index of steps is made anew");
}

static void settle_suspects(struct repair *r)
{
	repair_keep(r, "suspect", "strikes < 1", 0, 0, "it has no strike");
	REPAIR_RUN(r, "delete from suspect where strikes < 1", 0);
}

/* No peer waits as long as a repair takes: what was broken off comes anew. Its files are not linked into the copy, and so in removed/. */
static void drop_partials(struct repair *r)
{
	const int64_t n = REPAIR_ASK(r, "select count(*) from partial", 0, 0);
	repair_keep(r, "partial", "1", 0, 0, "its peer sends it anew");
	repair_keep(r, "partial_sync", "1", 0, 0, "its peer sends it anew");
	REPAIR_RUN(r, "delete from partial", 0);
	REPAIR_RUN(r, "delete from partial_sync", 0);
	r->result.removed += (uint64_t)n;
	if (n > 0)
		repair_did(r, "%lld partial transfers are in removed/: their peers send them anew", (long long)n);
}

/* --- the new database --- */
static bool execute(struct repair *r, const char *sql)
{
	if (r->failed || sqlite3_exec(r->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		repair_broken(r);
		return false;
	}
	return true;
}

static bool create(struct repair *r)
{
	char sql[400];
	struct out path;
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s/" PART, r->to);
	r->db = sqlite_schema_connect(out_cstr(&path), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, r->e);
	out_fini(&path);
	if (r->db == NULL)
		return false;
	/* Nobody uses it before it has its name, so it needs no journal. */
	snprintf(sql, sizeof sql,
		 "pragma page_size = %d; pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive; "
		 "pragma cache_size = -%d; pragma application_id = %d; pragma user_version = %d; begin",
		 PAGE_OCTETS, CACHE_KB, SQLITE_APPLICATION_ID, SQLITE_SCHEMA_VERSION);
	return execute(r, sql) && execute(r, store_schema);
}

/* They are faster made at the end. */
static bool drop_indexes(struct repair *r)
{
	char sql[100];
	for (size_t i = 0; i < r->shapes->n_indexes; i++) {
		snprintf(sql, sizeof sql, "drop index %s", r->shapes->indexes[i].name);
		if (!execute(r, sql))
			return false;
	}
	return true;
}

static bool make_indexes(struct repair *r)
{
	for (size_t i = 0; i < r->shapes->n_indexes; i++)
		if (!execute(r, r->shapes->indexes[i].sql))
			return false;
	return true;
}

static void say(const struct repair *r, const char *what, double share)
{
	if (r->w->progress != NULL)
		r->w->progress(r->w->ctx, what, share, 0);
}

static bool settle(struct repair *r)
{
	say(r, "messages", 0.5);
	read_queues(r);
	find_next_id(r);
	renumber_messages(r);
	drop_partials(r);
	repair_messages(r);
	repair_content_rest(r);
	say(r, "steps", 0.65);
	settle_steps(r);
	settle_suspects(r);
	settle_counters(r);
	say(r, "indexes", 0.7);
	return !r->failed && make_indexes(r) && execute(r, "commit");
}

/* On disk first, then it gets its name. */
static bool finish(struct repair *r)
{
	struct out part, whole;
	if (!execute(r, "pragma locking_mode = normal; pragma journal_mode = wal"))
		return false;
	const bool closed = sqlite3_close(r->db) == SQLITE_OK;
	assert(closed);
	r->db = NULL;
	out_init(&part, 1 << 16);
	out_init(&whole, 1 << 16);
	out_fmt(&part, "%s/" PART, r->to);
	out_fmt(&whole, "%s/" DATABASE, r->to);
	const bool ok = folder_sync(r->to, r->e) && folder_rename(out_cstr(&part), out_cstr(&whole), r->e) && folder_sync(r->to, r->e);
	out_fini(&part);
	out_fini(&whole);
	return ok;
}

/* --- the original --- */
static void on_odd(void *ctx, const char *name)
{
	struct repair *r = ctx;
	struct out path;
	char what[100];
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s/content/%s", r->from, name);
	snprintf(what, sizeof what, "content-%.60s", name);
	if (!r->failed && !removed_file(r->kept, what, out_cstr(&path), "it is no content file of ours", r->e))
		r->failed = true;
	out_fini(&path);
	r->result.removed++;
}

static bool list_content(struct repair *r)
{
	struct out path;
	r->files.odd = on_odd;
	r->files.ctx = r;
	if (!check_files_list(r->env, &r->files, r->e) || r->failed)
		return false;
	r->used = mem_zero(r->files.n + 1);
	if (r->files.n == 0)
		return true;
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s/content", r->to);
	const bool ok = folder_make(out_cstr(&path), r->e);
	out_fini(&path);
	return ok;
}

static void count_found(void *ctx, const char *sentence)
{
	struct repair *r = ctx;
	r->result.found++;
	r->w->found(r->w->ctx, sentence);
}

static void half_progress(void *ctx, const char *what, double share, uint64_t rows)
{
	const struct repair *r = ctx;
	if (r->w->progress != NULL)
		r->w->progress(r->w->ctx, what, share / 2, rows);
}

/* Everything but the check of the copy. pages: NULL when there is no database. */
static enum store_check_end make_copy(struct repair *r, struct pages *pages)
{
	const struct store_check_watch w = {.found = count_found, .progress = half_progress, .ctx = r};
	uint64_t rows = 0;
	enum salvage_end end = pages == NULL ? SALVAGED : salvage_recognise(pages, r->shapes, &w, r->e);
	if (end == SALVAGE_FOREIGN)
		return STORE_CHECK_FOREIGN;
	if (!folder_make(r->to, r->e))
		return STORE_CHECK_COPY;
	r->kept = removed_new(r->copy);
	bool ok = create(r) && drop_indexes(r) && list_content(r);
	if (ok && pages != NULL)
		ok = salvage_rows(pages, r->shapes, r->db, r->kept, &w, &rows, r->e) == SALVAGED;
	if (ok && pages != NULL && rows == 0 && pages_count(pages) > 0 && r->result.found > 0) {
		err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "store %s: nothing in it is of a store of ours", r->from);
		return STORE_CHECK_FOREIGN;
	}
	return ok && settle(r) && finish(r) ? STORE_CHECK_DONE : STORE_CHECK_COPY;
}

struct last {
	struct repair *r;
	char first[CHECK_SENTENCE];
};

static void not_whole(void *ctx, const char *sentence)
{
	struct last *last = ctx;
	if (last->first[0] == 0)
		snprintf(last->first, sizeof last->first, "%s", sentence);
}

static void last_progress(void *ctx, const char *what, double share, uint64_t rows)
{
	const struct last *last = ctx;
	(void)what;
	if (last->r->w->progress != NULL)
		last->r->w->progress(last->r->w->ctx, "check of the copy", 0.75 + share / 4, rows);
}

/* A copy that is not whole is our bug. It stays, to be looked at. */
static enum store_check_end check_copy(struct repair *r)
{
	struct last last = {.r = r};
	const struct store_check_watch w = {.found = not_whole, .progress = last_progress, .ctx = &last};
	const enum store_check_end end = store_check_watched(r->copy, DATABASE, &w, &r->result.is, r->e);
	if (end != STORE_CHECK_DONE || r->result.is.found == 0)
		return end;
	err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "the copy %.60s is not whole, which is a bug: %s", r->to, last.first);
	return STORE_CHECK_COPY;
}

static void fini(struct repair *r)
{
	sqlite3_close(r->db);
	removed_free(&r->kept);
	shapes_free(&r->shapes);
	check_files_fini(&r->files);
	free(r->used);
	free(r->queues);
	arena_free(&r->arena);
	out_fini(&r->envelope);
	out_fini(&r->recipients);
	out_fini(&r->text);
}

static void count_file(void *ctx, const char *name)
{
	struct repair *r = ctx;
	char text[CHECK_SENTENCE];
	snprintf(text, sizeof text, "content/%.100s belongs to a message of the database that is not there", name);
	count_found(r, text);
}

/* The pages of the original; NULL with DONE: there is no database, and there are content files. */
static enum store_check_end open_original(struct repair *r, const char *name, struct pages **pages_r)
{
	struct out path;
	bool gone;
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s/%s", r->from, name);
	sqlite3 *db = check_open(out_cstr(&path), SQLITE_OPEN_READONLY, &gone, r->e);
	sqlite3_close(db);
	out_fini(&path);
	*pages_r = NULL;
	if (!gone)
		return (*pages_r = pages_open(r->env, name, r->e)) != NULL ? STORE_CHECK_DONE : STORE_CHECK_FAILED;
	struct err why;
	if (!env_file_list(r->env, "content", count_file, r, &why) || r->result.found == 0) {
		err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "store %.100s: there is none", r->from);
		return STORE_CHECK_NONE;
	}
	return STORE_CHECK_DONE;
}

static enum store_check_end repair_all(struct repair *r, const char *name)
{
	struct pages *pages;
	enum store_check_end end = open_original(r, name, &pages);
	if (end == STORE_CHECK_DONE)
		end = make_copy(r, pages);
	if (end != STORE_CHECK_DONE && r->kept != NULL) { /* the folder is ours */
		sqlite3_close(r->db);
		r->db = NULL;
		folder_remove(r->to);
	}
	pages_close(&pages);
	return end == STORE_CHECK_DONE ? check_copy(r) : end;
}

enum store_check_end store_repair(struct env *env, const char *name, struct env *copy, const struct store_check_watch *w,
				  struct store_repair_result *result_r, struct err *e)
{
	struct err why;
	struct repair r = {.env = env,
			   .copy = copy,
			   .from = env_directory(env),
			   .to = env_directory(copy),
			   .shapes = shapes_new(),
			   .w = w,
			   .arena = arena_new(CHECK_UNPACK_MAX),
			   .e = e != NULL ? e : &why};
	out_init(&r.envelope, INT32_MAX);
	out_init(&r.recipients, INT32_MAX);
	out_init(&r.text, ID_ARENA);
	char *path = store_path(env, name);
	sqlite3 *owner = NULL;
	enum store_check_end end = check_own(path, &owner, r.e);
	if (end == STORE_CHECK_DONE)
		end = repair_all(&r, name);
	if (end == STORE_CHECK_DONE)
		*result_r = r.result;
	sqlite3_close(owner);
	free(path);
	fini(&r);
	return end;
}
