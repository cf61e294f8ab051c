/* sqlite_partial.c - rows of partial transfers. */
#include "flow/store/sqlite_impl.h"

#include "base/mem.h"

void sqlite_partial_put(struct store *s, uint64_t id, const struct store_partial_name *name)
{
	struct sqlite *q = sqlite_of(s);
	SQLITE_RUN(q, SQL_PUT_PARTIAL, BIND_I(id), BIND_T(name->link), BIND_T(name->host), BIND_B(name->reference),
		   BIND_I(name->activity), BIND_I(env_wall_ms(s->env)));
	q->counts.partials++;
}

void sqlite_partial_put_sync(struct store *s, uint64_t id, const struct store_sync *y)
{
	SQLITE_RUN(sqlite_of(s), SQL_PUT_PARTIAL_SYNC, BIND_I(id), BIND_I(y->serial), BIND_I(y->octets), BIND_I(y->file),
		   BIND_I(y->start));
}

void sqlite_partial_cut(struct store *s, uint64_t id, uint32_t after)
{
	SQLITE_RUN(sqlite_of(s), SQL_CUT_PARTIAL, BIND_I(id), BIND_I(after));
}

void sqlite_partial_trim(struct store *s, uint64_t id, uint32_t before, uint64_t file)
{
	SQLITE_RUN(sqlite_of(s), SQL_TRIM_PARTIAL, BIND_I(id), BIND_I(before), BIND_I(file));
}

void sqlite_partial_end(struct store *s, uint64_t id)
{
	struct sqlite *q = sqlite_of(s);
	SQLITE_RUN(q, SQL_DEL_PARTIAL, BIND_I(id));
	SQLITE_RUN(q, SQL_DEL_PARTIAL_SYNCS, BIND_I(id));
	q->counts.partials--;
}

void sqlite_partial_file_goes(struct store *s, uint64_t file)
{
	struct sqlite *q = sqlite_of(s);
	sqlite_close_file(q, file | SQLITE_PARTIAL_BIT);
	sqlite_file_goes(q, file);
}

void sqlite_partials(struct store *s, store_partial_f *each, void *ctx)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = sqlite_ask(q, SQL_PARTIALS, 0, NULL);
	while (sqlite_row(q, st)) {
		const struct store_partial_row row = {
			.id = (uint64_t)sqlite3_column_int64(st, 0),
			.name = {sqlite_view(st, 1), sqlite_view(st, 2), sqlite_view(st, 3), (uint64_t)sqlite3_column_int64(st, 4)},
			.started = sqlite3_column_int64(st, 5),
			.serial = (uint32_t)sqlite3_column_int64(st, 6),
			.octets = (uint64_t)sqlite3_column_int64(st, 7),
		};
		each(ctx, &row);
	}
}

void sqlite_partial_syncs(struct store *s, uint64_t id, struct store_syncs *syncs)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_PARTIAL_SYNCS, BIND_I(id));
	while (sqlite_row(q, st))
		store_syncs_add(syncs, (struct store_sync){(uint32_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
							   (uint64_t)sqlite3_column_int64(st, 2), (uint64_t)sqlite3_column_int64(st, 3)});
}

bool sqlite_partial_read(struct store *s, uint64_t file, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	struct file *f = sqlite_open_file(sqlite_of(s), file | SQLITE_PARTIAL_BIT, file, e);
	return f != NULL && file_read(f, offset, buf, n, got_r, e);
}
