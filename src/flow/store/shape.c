/* shape.c - see shape.h. */
#include "flow/store/shape.h"

#include "base/mem.h"

extern const char store_schema[]; /* schema.sql, by the build */

static sqlite3_stmt *ask(sqlite3 *db, const char *sql, const char *name)
{
	sqlite3_stmt *st;
	const int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	assert(rc == SQLITE_OK);
	if (name != NULL)
		sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	return st;
}

static char *text_of(sqlite3_stmt *st, int column)
{
	const char *text = (const char *)sqlite3_column_text(st, column);
	return mem_strdup(text == NULL ? "" : text);
}

/* --- tables --- */
static enum tree_type type_of(const char *declared)
{
	if (strcmp(declared, "INTEGER") == 0 || strcmp(declared, "integer") == 0)
		return TREE_INT;
	return strcmp(declared, "TEXT") == 0 || strcmp(declared, "text") == 0 ? TREE_TEXT : TREE_BLOB;
}

static void read_columns(sqlite3 *db, struct shape *s)
{
	sqlite3_stmt *st = ask(db, "select name, type, \"notnull\", pk, dflt_value from pragma_table_info(?) order by cid", s->name);
	while (sqlite3_step(st) == SQLITE_ROW && s->n < TREE_COLUMNS_MAX) {
		struct shape_column *c = &s->columns[s->n++];
		c->name = text_of(st, 0);
		c->type = type_of((const char *)sqlite3_column_text(st, 1));
		const bool key = sqlite3_column_int(st, 3) != 0;
		c->is_rowid = key && s->has_rowid && c->type == TREE_INT;
		c->needed = sqlite3_column_int(st, 2) != 0 || key;
		if (sqlite3_column_type(st, 4) == SQLITE_NULL)
			s->n_least = s->n;
	}
	sqlite3_finalize(st);
}

static void read_tables(sqlite3 *db, struct shapes *s)
{
	sqlite3_stmt *st = ask(db,
			       "select m.name, l.wr, m.rootpage from sqlite_schema m join pragma_table_list(m.name) l "
			       "where m.type = 'table' order by m.rootpage",
			       NULL);
	while (sqlite3_step(st) == SQLITE_ROW) {
		s->tables = mem_grow(s->tables, mem_mul(s->n_tables + 1, sizeof *s->tables));
		struct shape *t = &s->tables[s->n_tables++];
		*t = (struct shape){.name = text_of(st, 0),
				    .has_rowid = sqlite3_column_int(st, 1) == 0,
				    .root = (uint32_t)sqlite3_column_int64(st, 2)};
		read_columns(db, t);
	}
	sqlite3_finalize(st);
}

/* --- indexes --- */
static char *columns_of(sqlite3 *db, const char *index)
{
	struct out o;
	out_init(&o, 1 << 16);
	sqlite3_stmt *st = ask(db, "select name from pragma_index_info(?) order by seqno", index);
	while (sqlite3_step(st) == SQLITE_ROW)
		out_fmt(&o, "%s%s", out_len(&o) > 0 ? ", " : "", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	char *text = mem_strdup(out_cstr(&o));
	out_fini(&o);
	return text;
}

static void read_indexes(sqlite3 *db, struct shapes *s)
{
	sqlite3_stmt *st = ask(db, "select name, tbl_name, sql, rootpage from sqlite_schema where type = 'index' and sql is not null",
			       NULL);
	while (sqlite3_step(st) == SQLITE_ROW) {
		s->indexes = mem_grow(s->indexes, mem_mul(s->n_indexes + 1, sizeof *s->indexes));
		struct shape_index *x = &s->indexes[s->n_indexes++];
		*x = (struct shape_index){.name = text_of(st, 0),
					  .table = text_of(st, 1),
					  .sql = text_of(st, 2),
					  .root = (uint32_t)sqlite3_column_int64(st, 3)};
		x->columns = columns_of(db, x->name);
		const char *where = strstr(x->sql, " where ");
		x->where = where == NULL ? NULL : mem_strdup(where + strlen(" where "));
	}
	sqlite3_finalize(st);
}

struct shapes *shapes_new(void)
{
	struct shapes *s = mem_zero(sizeof *s);
	sqlite3 *db;
	char sql[40];
	snprintf(sql, sizeof sql, "pragma page_size = %d", PAGE_OCTETS);
	const bool ok = sqlite3_open(":memory:", &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
			sqlite3_exec(db, store_schema, NULL, NULL, NULL) == SQLITE_OK;
	assert(ok);
	read_tables(db, s);
	read_indexes(db, s);
	sqlite3_close(db);
	return s;
}

void shapes_free(struct shapes **s)
{
	if (*s == NULL)
		return;
	for (size_t i = 0; i < (*s)->n_tables; i++) {
		struct shape *t = &(*s)->tables[i];
		for (size_t k = 0; k < t->n; k++)
			free(t->columns[k].name);
		free(t->name);
	}
	for (size_t i = 0; i < (*s)->n_indexes; i++) {
		struct shape_index *x = &(*s)->indexes[i];
		free(x->name);
		free(x->table);
		free(x->sql);
		free(x->columns);
		free(x->where);
	}
	free((*s)->tables);
	free((*s)->indexes);
	MEM_FREE(*s);
}

const struct shape *shapes_find(const struct shapes *s, const char *table)
{
	for (size_t i = 0; i < s->n_tables; i++)
		if (strcmp(s->tables[i].name, table) == 0)
			return &s->tables[i];
	return NULL;
}

/* --- rows --- */
bool shape_fits(const struct shape_column *c, const struct tree_value *v)
{
	if (c->is_rowid)
		return v->type == TREE_NULL || v->type == TREE_INT;
	return v->type == c->type || (v->type == TREE_NULL && !c->needed);
}

static bool may_be(const struct shape *s, const struct tree_row *row)
{
	return s->has_rowid == row->has_rowid && row->n >= s->n_least && row->n <= s->n;
}

static size_t fits(const struct shape *s, const struct tree_row *row)
{
	size_t n = s->n - row->n;
	for (size_t i = 0; i < row->n; i++)
		n += shape_fits(&s->columns[i], &row->v[i]);
	return n;
}

const struct shape *shapes_of_row(const struct shapes *s, const char *hint, const struct tree_row *row)
{
	const struct shape *best = NULL, *hinted = hint == NULL ? NULL : shapes_find(s, hint);
	size_t most = 0;
	bool tie = false;
	if (hinted != NULL && may_be(hinted, row) && fits(hinted, row) * 2 >= hinted->n)
		return hinted;
	for (size_t i = 0; i < s->n_tables; i++) {
		if (!may_be(&s->tables[i], row))
			continue;
		const size_t n = fits(&s->tables[i], row);
		tie = best != NULL && n == most;
		if (best != NULL && n <= most)
			continue;
		best = &s->tables[i];
		most = n;
	}
	return tie || best == NULL || most * 2 < best->n ? NULL : best;
}

static const char *word_of(enum tree_type type)
{
	return type == TREE_INT ? "integer" : type == TREE_TEXT ? "text" : "blob";
}

void shape_typed(const struct shape *s, const char *alias, size_t n, struct out *sql)
{
	out_str(sql, "(1");
	for (size_t i = 0; i < n; i++) {
		const struct shape_column *c = &s->columns[i];
		if (c->is_rowid)
			continue;
		out_fmt(sql, " and typeof(%s.%s) %s '%s'%s", alias, c->name, c->needed ? "=" : "in ('null',", word_of(c->type),
			c->needed ? "" : ")");
	}
	out_str(sql, ")");
}
