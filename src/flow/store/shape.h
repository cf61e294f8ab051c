/* shape.h - the tables of today's schema, as SQLite itself reads schema.sql: for whoever must know a row when he sees one, and say what
 * is wrong with it. Private to this folder. */
#pragma once
#include "flow/store/salvage_tree.h"

#include <sqlite3.h>

struct shape_column {
	char *name;
	enum tree_type type; /* INT, TEXT or BLOB */
	bool needed;	     /* not null */
	bool is_rowid;	     /* integer primary key: lies beside the record, which has null there */
};

struct shape {
	char *name;
	bool has_rowid;
	struct shape_column columns[TREE_COLUMNS_MAX];
	size_t n;
	size_t n_least; /* those after were added by a migration: older rows, and older tables, end before them; an empty text, or null */
	uint32_t root; /* where a new database has it: a hint for one whose own list of tables is damaged */
};

struct shape_index {
	char *name, *table, *sql;
	char *columns; /* "queue, priority, next" */
	char *where;   /* "file is not null", or NULL */
	uint32_t root;
};

struct shapes {
	struct shape *tables;
	struct shape_index *indexes;
	size_t n_tables, n_indexes;
};

/* From schema.sql. Never fails but for our own bugs. The caller owns it. */
struct shapes *shapes_new(void);
void shapes_free(struct shapes **s);
const struct shape *shapes_find(const struct shapes *s, const char *table); /* NULL: no such */

/* The table that a row is of; hint: whose tree it was in, or NULL. NULL: of none, or of several. */
const struct shape *shapes_of_row(const struct shapes *s, const char *hint, const struct tree_row *row);

/* May this value stand in that column? */
bool shape_fits(const struct shape_column *c, const struct tree_value *v);

/* Appends an SQL expression over the first n of the table's (or alias's) columns: 1 when each has the type it is to have. */
void shape_typed(const struct shape *s, const char *alias, size_t n, struct out *sql);
