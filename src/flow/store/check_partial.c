/* check_partial.c - see check_partial.h. */
#include "flow/store/check_partial.h"

#include "flow/store/check_impl.h"
#include "flow/store/sqlite_impl.h"

struct partials {
	const struct store_check_watch *w;
	struct store_check_result *result;
	int64_t *max_id;
	/* the checkpoint before: */
	int64_t id, octets, file, start;
};

static void PRINTF_LIKE(2, 3) found(struct partials *p, const char *fmt, ...)
{
	char text[CHECK_SENTENCE];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	p->result->found++;
	p->w->found(p->w->ctx, text);
}

static void saw_id(struct partials *p, int64_t id, const char *what)
{
	if (id < 1 || id > CHECK_ID_MAX)
		found(p, "%s %lld has an id that was never given", what, (long long)id);
	else if (id > *p->max_id)
		*p->max_id = id;
}

/* Columns: partial, serial, octets, file, start, is its partial transfer there, typed. */
static void check_sync(struct partials *p, sqlite3_stmt *st)
{
	const int64_t id = sqlite3_column_int64(st, 0), serial = sqlite3_column_int64(st, 1), octets = sqlite3_column_int64(st, 2),
		      file = sqlite3_column_int64(st, 3), start = sqlite3_column_int64(st, 4);
	const bool first = id != p->id, same_file = !first && file == p->file;
	const int64_t before = first ? 0 : p->octets;
	if (first && sqlite3_column_int(st, 5) == 0)
		found(p, "a checkpoint is kept for partial transfer %lld, which does not exist", (long long)id);
	if (sqlite3_column_int(st, 6) == 0 || serial < 1 || serial > UINT32_MAX)
		found(p, "checkpoint %lld of partial transfer %lld has a value that its column does not take", (long long)serial, (long long)id);
	if (octets < before || start > octets || (same_file ? start != p->start : start != before))
		found(p, "checkpoint %lld of partial transfer %lld is after %lld octets, from %lld on in file %lld, which does not follow %lld",
		      (long long)serial, (long long)id, (long long)octets, (long long)start, (long long)file, (long long)before);
	saw_id(p, file, "content file");
	p->id = id;
	p->octets = octets;
	p->file = file;
	p->start = start;
}

static bool walk(struct partials *p, sqlite3 *db, const char *path, const char *sql, void (*each)(struct partials *p, sqlite3_stmt *st),
		 struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			each(p, st);
	const bool ok = rc == SQLITE_DONE || sqlite_schema_error(db, path, "be checked", e);
	sqlite3_finalize(st);
	return ok;
}

/* Columns: id, has it a checkpoint, typed. */
static void check_partial(struct partials *p, sqlite3_stmt *st)
{
	const long long id = sqlite3_column_int64(st, 0);
	saw_id(p, id, "partial transfer");
	if (sqlite3_column_int(st, 1) == 0)
		found(p, "partial transfer %lld has no checkpoint", id);
	if (sqlite3_column_int(st, 2) == 0)
		found(p, "partial transfer %lld has a value that its column does not take", id);
}

bool check_partials(sqlite3 *db, const char *path, const struct shapes *shapes, const struct store_check_watch *w,
		    struct store_check_result *result, int64_t *max_id, struct err *e)
{
	struct partials p = {.w = w, .result = result, .max_id = max_id};
	const struct shape *partial = shapes_find(shapes, "partial"), *sync = shapes_find(shapes, "partial_sync");
	struct out sql;
	out_init(&sql, 1 << 20);
	out_str(&sql, "select t.id, exists (select 1 from partial_sync s where s.partial = t.id), ");
	shape_typed(partial, "t", partial->n, &sql);
	out_str(&sql, " from partial t order by t.id");
	bool ok = walk(&p, db, path, out_cstr(&sql), check_partial, e);
	out_clear(&sql);
	out_str(&sql, "select t.partial, t.serial, t.octets, t.file, t.start, exists (select 1 from partial p where p.id = t.partial), ");
	shape_typed(sync, "t", sync->n, &sql);
	out_str(&sql, " from partial_sync t order by t.partial, t.serial");
	ok = ok && walk(&p, db, path, out_cstr(&sql), check_sync, e);
	out_fini(&sql);
	return ok;
}

bool check_file_is(struct env *env, uint64_t file, uint64_t size, bool exactly)
{
	char name[SQLITE_NAME_MAX];
	uint8_t octets[2];
	size_t got = 0, more = 0;
	struct file *f = env_file_open(env, sqlite_file_name(name, file), NULL);
	if (f == NULL)
		return false;
	const bool ok = (size == 0 || file_read(f, size - 1, octets, 1, &got, NULL)) && file_read(f, size, octets, 1, &more, NULL);
	file_close(&f);
	return ok && (size == 0 || got == 1) && (more == 0 || !exactly);
}
