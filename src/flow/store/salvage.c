/* salvage.c - see salvage.h. */
#include "flow/store/salvage.h"

#include "base/cur.h"
#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/sqlite_impl.h"

enum { ROOTS_MAX = 64, NAME_MAX = 40, HEADER_OCTETS = 100, SENTENCE = 300 };

struct root {
	char name[NAME_MAX];
	uint32_t page;
	bool is_table;
};

struct salvage {
	const struct pages *pages;
	const struct shapes *shapes;
	const struct store_check_watch *w;
	sqlite3 *to;
	struct removed *kept;
	sqlite3_stmt **put, **same; /* by table */
	struct root roots[ROOTS_MAX];
	size_t n_roots;
	uint64_t rows;
	bool take_rest; /* rows that no tree reaches are taken: they are known not to be free */
	bool failed;
	struct err *e;
};

static void PRINTF_LIKE(2, 3) found(const struct store_check_watch *w, const char *fmt, ...)
{
	char text[SENTENCE];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	w->found(w->ctx, text);
}

/* --- what the file says of itself --- */
static bool text_is(const struct tree_value *v, const char *text)
{
	return v->type == TREE_TEXT && view_eq(v->v, view_str(text));
}

/* A row of the list of tables: type, name, table, root, sql. */
static bool is_listing(const struct tree_row *row)
{
	return row->has_rowid && row->n == 5 && row->v[1].type == TREE_TEXT &&
	       (text_is(&row->v[0], "table") || text_is(&row->v[0], "index") || text_is(&row->v[0], "view"));
}

static void on_listing(void *ctx, const char *tree, const struct tree_row *row)
{
	struct salvage *s = ctx;
	(void)tree;
	if (!is_listing(row) || row->v[3].type != TREE_INT || row->v[3].i <= 0 || row->v[3].i > UINT32_MAX || s->n_roots == ROOTS_MAX)
		return;
	struct root *r = &s->roots[s->n_roots++];
	*r = (struct root){.page = (uint32_t)row->v[3].i, .is_table = text_is(&row->v[0], "table")};
	snprintf(r->name, sizeof r->name, "%.*s", (int)(row->v[1].v.n < NAME_MAX ? row->v[1].v.n : NAME_MAX - 1),
		 (const char *)row->v[1].v.p);
}

static void on_bad_listing(void *ctx, const char *tree, uint64_t page, const char *why, const uint8_t *octets)
{
	(void)ctx, (void)tree, (void)page, (void)why, (void)octets;
}

static const struct tree_events listing_events = {on_listing, on_bad_listing, NULL};

static const struct root *root_of(const struct salvage *s, const char *name)
{
	for (size_t i = 0; i < s->n_roots; i++)
		if (strcmp(s->roots[i].name, name) == 0)
			return &s->roots[i];
	return NULL;
}

static void read_listing(struct salvage *s)
{
	struct tree *t = tree_new(s->pages, &listing_events, s);
	tree_walk(t, "sqlite_schema", 1, false);
	tree_free(&t);
}

enum salvage_end salvage_recognise(const struct pages *p, const struct shapes *shapes, const struct store_check_watch *w, struct err *e)
{
	uint8_t page[PAGE_OCTETS];
	struct salvage s = {.pages = p, .shapes = shapes};
	if (!pages_get(p, 1, page)) {
		found(w, "the first page of the database cannot be read: its tables are looked for where a new store has them");
		return SALVAGED;
	}
	struct cur c = cur_of(view_of(page, HEADER_OCTETS));
	const bool magic = view_eq(cur_bytes(&c, 16), view_of("SQLite format 3", 16));
	(void)cur_bytes(&c, 60 - 16);
	const uint32_t version = cur_u32(&c);
	(void)cur_bytes(&c, 4);
	const uint32_t application = cur_u32(&c);
	read_listing(&s);
	const bool tables = root_of(&s, "message") != NULL && root_of(&s, "transfer") != NULL;
	if (magic && !tables && application != SQLITE_APPLICATION_ID && s.n_roots > 0) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "it is a database, but not a store of ours");
		return SALVAGE_FOREIGN;
	}
	if (magic && application == SQLITE_APPLICATION_ID && (version < 1 || version > SQLITE_SCHEMA_VERSION)) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the store has schema version %lu, this program knows version %d",
			(unsigned long)version, SQLITE_SCHEMA_VERSION);
		return SALVAGE_FOREIGN;
	}
	if (!magic || application != SQLITE_APPLICATION_ID)
		found(w, "the header of the database is damaged");
	if (!tables)
		found(w, "the list of tables is damaged: they are looked for where a new store has them");
	return SALVAGED;
}

/* --- rows into the new database --- */
static size_t number_of(const struct salvage *s, const struct shape *t)
{
	return (size_t)(t - s->shapes->tables);
}

static sqlite3_stmt *prepare(struct salvage *s, struct out *sql)
{
	sqlite3_stmt *st = NULL;
	if (sqlite3_prepare_v2(s->to, out_cstr(sql), -1, &st, NULL) != SQLITE_OK)
		s->failed = !sqlite_schema_error(s->to, "copy", "be written", s->e);
	out_clear(sql);
	return st;
}

static void prepare_all(struct salvage *s)
{
	struct out sql;
	out_init(&sql, 1 << 20);
	s->put = mem_zero(mem_mul(s->shapes->n_tables, sizeof *s->put));
	s->same = mem_zero(mem_mul(s->shapes->n_tables, sizeof *s->same));
	for (size_t i = 0; i < s->shapes->n_tables && !s->failed; i++) {
		const struct shape *t = &s->shapes->tables[i];
		out_fmt(&sql, "insert or ignore into %s values (", t->name);
		for (size_t k = 1; k <= t->n; k++)
			out_fmt(&sql, "%s?%zu", k > 1 ? ", " : "", k);
		out_str(&sql, ")");
		s->put[i] = prepare(s, &sql);
		out_fmt(&sql, "select 1 from %s where ", t->name);
		for (size_t k = 1; k <= t->n; k++) /* `=` finds the row by its key */
			out_fmt(&sql, "%s%s %s ?%zu", k > 1 ? " and " : "", t->columns[k - 1].name,
				t->columns[k - 1].needed ? "=" : "is", k);
		s->same[i] = prepare(s, &sql);
	}
	out_fini(&sql);
}

static void finalize_all(struct salvage *s)
{
	for (size_t i = 0; i < s->shapes->n_tables; i++) {
		sqlite3_finalize(s->put[i]);
		sqlite3_finalize(s->same[i]);
	}
	free(s->put);
	free(s->same);
}

static void bind_row(sqlite3_stmt *st, const struct tree_value *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const int at = (int)i + 1;
		const char *p = v[i].v.p == NULL ? "" : (const char *)v[i].v.p;
		switch (v[i].type) {
		case TREE_NULL:
		case TREE_REAL: sqlite3_bind_null(st, at); break; /* no column of ours is real */
		case TREE_INT: sqlite3_bind_int64(st, at, v[i].i); break;
		case TREE_TEXT: sqlite3_bind_text64(st, at, p, v[i].v.n, SQLITE_STATIC, SQLITE_UTF8); break;
		case TREE_BLOB: sqlite3_bind_blob64(st, at, p, v[i].v.n, SQLITE_STATIC); break;
		}
	}
}

static int run(sqlite3_stmt *st, const struct tree_value *v, size_t n)
{
	bind_row(st, v, n);
	const int rc = sqlite3_step(st);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc;
}

/* step_key and step_filter are made anew from the steps when anything is wrong with them. */
static bool is_derived(const struct shape *t)
{
	return strcmp(t->name, "step_key") == 0 || strcmp(t->name, "step_filter") == 0;
}

static void keep(struct salvage *s, const char *table, const struct shape *names, const struct tree_row *row,
		 const struct tree_value *v, const char *why)
{
	const size_t n = row->n < TREE_COLUMNS_MAX ? row->n : TREE_COLUMNS_MAX;
	found(s->w, "%s %lld on page %llu: %s", table, (long long)row->rowid, (unsigned long long)row->page, why);
	s->failed |= !removed_row(s->kept, table, row->rowid, names, v, n, why, s->e);
}

/* Among the counters are the totals, which are texts or octets. */
static bool is_total(const struct shape *t, const struct tree_value *v)
{
	return strcmp(t->name, "counter") == 0 && v[0].type == TREE_TEXT && (v[1].type == TREE_TEXT || v[1].type == TREE_BLOB) &&
	       view_eq(view_first(v[0].v, strlen(STORE_TOTAL)), VIEW(STORE_TOTAL));
}

/* A value of a type that its column does not have gives way to an empty one. False: the row cannot do without it. */
static bool mend(const struct shape *t, struct tree_value *v, char why[SENTENCE], bool *mended_r)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct shape_column *c = &t->columns[i];
		const bool last = i + 1 == t->n, content = last && strcmp(c->name, "content") == 0;
		if (v[i].cut && content) {
			v[i].cut = false; /* what is left of it; that it is too short is seen by its size */
			continue;
		}
		if (v[i].cut) {
			snprintf(why, SENTENCE, "column %s of it cannot be read", c->name);
			return false;
		}
		if (shape_fits(c, &v[i]) || (i == 1 && is_total(t, v)))
			continue;
		snprintf(why, SENTENCE, "column %s has a value of another type", c->name);
		if (!t->has_rowid && c->needed)
			return false; /* it may be of the key */
		v[i] = (struct tree_value){.type = c->needed ? c->type : TREE_NULL};
		*mended_r = true;
	}
	return true;
}

static void put(struct salvage *s, const struct shape *t, const struct tree_row *row)
{
	struct tree_value v[TREE_COLUMNS_MAX], was[TREE_COLUMNS_MAX];
	char why[SENTENCE];
	bool mended = false;
	memcpy(v, row->v, sizeof v);
	for (size_t i = row->n; i < t->n; i++)
		v[i] = (struct tree_value){.type = t->columns[i].needed ? t->columns[i].type : TREE_NULL};
	for (size_t i = 0; i < t->n; i++)
		if (t->columns[i].is_rowid)
			v[i] = (struct tree_value){.type = TREE_INT, .i = row->rowid};
	memcpy(was, v, sizeof was);
	if (!mend(t, v, why, &mended)) {
		if (!is_derived(t))
			keep(s, t->name, t, row, was, why);
		return;
	}
	if (mended && is_derived(t))
		return;
	if (mended)
		keep(s, t->name, t, row, was, why);
	const size_t i = number_of(s, t);
	if (FAULT(REPAIR_WRITE))
		s->failed = !err_set(s->e, ERR_TEMP, ERR_OF_PROCESS, "copy: a row cannot be written (fault point)");
	else if (run(s->put[i], v, t->n) != SQLITE_DONE)
		s->failed = !sqlite_schema_error(s->to, "copy", "be written", s->e);
	else if (sqlite3_changes(s->to) > 0)
		s->rows++;
	else if (!is_derived(t) && run(s->same[i], v, t->n) != SQLITE_ROW)
		keep(s, t->name, t, row, was, "another row has its place");
}

/* Of the same shape: what ends in a state is an outcome, of a message that is not 0. */
static const struct shape *outcome_or_key(const struct salvage *s, const struct tree_row *row)
{
	if (row->has_rowid || row->n != 3 || row->v[2].type != TREE_INT)
		return NULL;
	const int64_t last = row->v[2].i;
	return shapes_find(s->shapes, (last == STORE_RCPT_DELIVERED || last == STORE_RCPT_REPORTED) && row->v[0].i != 0 ? "outcome"
															 : "step_key");
}

static void on_row(void *ctx, const char *tree, const struct tree_row *row)
{
	struct salvage *s = ctx;
	if (s->failed || is_listing(row))
		return;
	const struct shape *t = row->strange ? NULL : shapes_of_row(s->shapes, tree, row);
	if (t == NULL && tree == NULL && !row->strange)
		t = outcome_or_key(s, row);
	/* The entries of indexes, and counters, are made anew. */
	if (tree == NULL && !row->has_rowid && (t == NULL || strcmp(t->name, "counter") == 0))
		return;
	if (t == NULL)
		keep(s, tree == NULL ? "row" : tree, NULL, row, row->v,
		     row->strange ? "it cannot be read as a whole" : "it is of no table of ours");
	else if (tree == NULL && !s->take_rest && !is_derived(t))
		keep(s, t->name, t, row, row->v, "no table reaches it, and the list of free pages is damaged: it may have been deleted");
	else
		put(s, t, row);
}

static void on_bad(void *ctx, const char *tree, uint64_t page, const char *why, const uint8_t *octets)
{
	struct salvage *s = ctx;
	char what[80], text[SENTENCE];
	snprintf(what, sizeof what, "page %llu", (unsigned long long)page);
	snprintf(text, sizeof text, "page %llu%s%s: %s", (unsigned long long)page, tree == NULL ? "" : " of table ",
		 tree == NULL ? "" : tree, why);
	found(s->w, "%s", text);
	if (octets != NULL && !s->failed)
		s->failed = !removed_octets(s->kept, what, view_of(octets, PAGE_OCTETS), text, s->e);
}

static void on_page(void *ctx, uint64_t looked_at)
{
	const struct salvage *s = ctx;
	if (s->w->progress != NULL && looked_at % 64 == 0)
		s->w->progress(s->w->ctx, "reading", (double)looked_at / (double)pages_count(s->pages), s->rows);
}

static const struct tree_events row_events = {on_row, on_bad, on_page};

/* Tables first: a damaged list of tables or of free pages cannot take pages away from them. */
static void walk(struct salvage *s, struct tree *t)
{
	for (size_t i = 0; i < s->shapes->n_tables; i++) {
		const struct shape *table = &s->shapes->tables[i];
		const struct root *r = root_of(s, table->name);
		tree_walk(t, table->name, r != NULL ? r->page : table->root, false);
	}
	for (size_t i = 0; i < s->n_roots; i++)
		if (!s->roots[i].is_table)
			tree_walk(t, s->roots[i].name, s->roots[i].page, true);
	const bool free_known = tree_walk_free(t);
	if (!free_known)
		found(s->w, "the list of free pages is damaged");
	/* Where deleted rows are wiped, what no tree reaches was not deleted. */
	s->take_rest = free_known || sqlite3_compileoption_used("SECURE_DELETE") != 0;
	tree_walk_rest(t);
}

static void say_log(struct salvage *s)
{
	const struct pages_log *log = pages_log(s->pages);
	if (log->header_bad)
		found(s->w, "the write-ahead log cannot be read: what was committed to it last is lost");
	else if (log->lost > 0)
		found(s->w, "the write-ahead log is damaged after page %llu of %llu: %llu later ones are not used",
		      (unsigned long long)log->used, (unsigned long long)log->frames, (unsigned long long)log->lost);
}

enum salvage_end salvage_rows(const struct pages *p, const struct shapes *shapes, sqlite3 *to, struct removed *kept,
			      const struct store_check_watch *w, uint64_t *rows_r, struct err *e)
{
	struct salvage s = {.pages = p, .shapes = shapes, .w = w, .to = to, .kept = kept, .e = e};
	if (pages_octets(p) % PAGE_OCTETS != 0)
		found(w, "the database is cut: it ends within page %llu", (unsigned long long)(pages_octets(p) / PAGE_OCTETS + 1));
	say_log(&s);
	read_listing(&s);
	prepare_all(&s);
	if (!s.failed) {
		struct tree *t = tree_new(p, &row_events, &s);
		walk(&s, t);
		tree_free(&t);
	}
	finalize_all(&s);
	*rows_r = s.rows;
	return s.failed ? SALVAGE_FAILED : SALVAGED;
}
