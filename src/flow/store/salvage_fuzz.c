/* salvage_fuzz.c - a database with any octets changed, and any log: reading it ends, within the bounds of its pages, and every view that
 * is told lies in memory that is there.
 *
 * The input is changes: an octet 0 to 253 is a page (modulo what there is), then two of offset, then the octet; 254 cuts the file within
 * the page that follows; 255 says that all the rest is the log. */
#include "base/cur.h"
#include "base/mem.h"
#include "flow/store/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const char store_schema[]; /* schema.sql, by the build */

enum { ROWS = 60, LONG = 20000, CHANGES_MAX = 500 };

struct seen {
	const struct shapes *shapes;
	uint64_t rows, pages;
	uint8_t sum;
};

static void on_row(void *ctx, const char *tree, const struct tree_row *row)
{
	struct seen *s = ctx;
	const size_t n = row->n < TREE_COLUMNS_MAX ? row->n : TREE_COLUMNS_MAX;
	s->rows++;
	for (size_t i = 0; i < n; i++) /* every octet is there */
		for (size_t k = 0; k < row->v[i].v.n; k++)
			s->sum = (uint8_t)(s->sum + row->v[i].v.p[k]);
	if (!row->strange)
		(void)shapes_of_row(s->shapes, tree, row);
}

static void on_bad(void *ctx, const char *tree, uint64_t page, const char *why, const uint8_t *octets)
{
	struct seen *s = ctx;
	(void)tree, (void)page, (void)why;
	if (octets != NULL)
		s->sum = (uint8_t)(s->sum + octets[PAGE_OCTETS - 1]);
}

static void on_page(void *ctx, uint64_t looked_at)
{
	((struct seen *)ctx)->pages = looked_at;
}

static const struct tree_events events = {on_row, on_bad, on_page};

/* Rows of several tables, short and long, some deleted again. */
static uint8_t *make_database(size_t *n_r)
{
	sqlite3 *db;
	sqlite3_int64 n = 0;
	char sql[600];
	snprintf(sql, sizeof sql, "pragma page_size = %d", PAGE_OCTETS);
	bool ok = sqlite3_open(":memory:", &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
		  sqlite3_exec(db, store_schema, NULL, NULL, NULL) == SQLITE_OK;
	for (int i = 1; i <= ROWS && ok; i++) {
		snprintf(sql, sizeof sql,
			 "insert into message values (%d, 2, 0, 1, 5, 6, %d, null, 'A', 'C=GB;L=%d', zeroblob(300), zeroblob(200), "
			 "zeroblob(%d)); insert into transfer values (%d, %d, 1, 1, 0, 0, 0, 1, 5, 6, 7, null, '');"
			 "insert into outcome values (%d, %d, 2); insert into step values (%d, 1, 2, 3, 'C=GB;L=x', null, null, "
			 "x'0102', 'text', %d, null, 0, x'0102030405060708'); insert into share values (%d, 1, 2)",
			 i, i % 7 == 0 ? LONG : 900, i, i % 7 == 0 ? LONG : 900, i + 1000, i, i, i + 2000, i, i * 77, i);
		ok = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
	}
	ok = ok && sqlite3_exec(db, "delete from message where id % 4 = 0", NULL, NULL, NULL) == SQLITE_OK;
	uint8_t *octets = sqlite3_serialize(db, "main", &n, 0);
	assert(ok && octets != NULL);
	uint8_t *copy = mem_dup(octets, (size_t)n);
	sqlite3_free(octets);
	sqlite3_close(db);
	*n_r = (size_t)n;
	return copy;
}

static void read_all(struct view file, struct view log, const struct shapes *shapes)
{
	struct seen s = {.shapes = shapes};
	struct pages *p = pages_of(file, log);
	struct tree *t = tree_new(p, &events, &s);
	for (size_t i = 0; i < shapes->n_tables; i++)
		tree_walk(t, shapes->tables[i].name, shapes->tables[i].root, false);
	for (size_t i = 0; i < shapes->n_indexes; i++)
		tree_walk(t, shapes->indexes[i].name, shapes->indexes[i].root, true);
	(void)!tree_walk_free(t);
	tree_walk_rest(t);
	assert(s.pages <= pages_count(p));
	assert(s.rows <= pages_count(p) * (PAGE_OCTETS / 4));
	tree_free(&t);
	pages_close(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *base; /* made once: the same for every input */
	static size_t n;
	static struct shapes *shapes;
	if (base == NULL) {
		base = make_database(&n);
		shapes = shapes_new();
	}
	uint8_t *file = mem_dup(base, n);
	size_t length = n;
	struct cur c = cur_of(view_of(data, size));
	struct view log = {NULL, 0};
	for (unsigned i = 0; i < CHANGES_MAX && cur_left(&c) > 0 && log.p == NULL; i++) {
		const uint8_t page = cur_u8(&c);
		if (page == 255) {
			log = cur_rest(&c);
			break;
		}
		const size_t at = (size_t)(page == 254 ? cur_u8(&c) : page) % (n / PAGE_OCTETS) * PAGE_OCTETS + cur_u16(&c) % PAGE_OCTETS;
		if (page == 254)
			length = at;
		else
			file[at] = cur_u8(&c);
	}
	read_all(view_of(file, length), log, shapes);
	free(file);
	return 0;
}
