/* salvage_tree.h - the rows in the pages of a damaged database: tree by tree, then what no tree reaches. Every page is looked at once,
 * so the work is bounded by the file whatever its pointers say; a row that cannot be read costs itself, a page the rows on it.
 * Formats as in "Database File Format" of SQLite's documentation. Private to this folder. */
#pragma once
#include "flow/store/salvage_pages.h"

enum { TREE_COLUMNS_MAX = 32 };

enum tree_type { TREE_NULL, TREE_INT, TREE_REAL, TREE_TEXT, TREE_BLOB };
struct tree_value {
	enum tree_type type;
	int64_t i;     /* INT; REAL: its bits */
	struct view v; /* TEXT, BLOB */
	bool cut;      /* only the first octets of it could be read, or none */
};

struct tree_row {
	bool has_rowid; /* of a table; else of an index or a table WITHOUT ROWID */
	int64_t rowid;
	uint64_t page;
	struct tree_value v[TREE_COLUMNS_MAX];
	size_t n;     /* columns, more than TREE_COLUMNS_MAX are not kept */
	bool cut;     /* one or more of v is */
	bool strange; /* the record's header does not fit its length: v is what was read before */
};

struct tree_events {
	/* Views are good during the call. tree: what was given to tree_walk; NULL: from a page that no tree reaches. */
	void (*row)(void *ctx, const char *tree, const struct tree_row *row);
	/* A page, or cells on it, that cannot be read. octets: NULL, or the page as it is. */
	void (*bad)(void *ctx, const char *tree, uint64_t page, const char *why, const uint8_t *octets);
	void (*page)(void *ctx, uint64_t looked_at); /* progress; may be NULL */
};

struct tree;
struct tree *tree_new(const struct pages *p, const struct tree_events *ev, void *ctx);
void tree_free(struct tree **t);

/* All rows of the tree whose root that page is. quiet: only marks its pages, and those of long rows; no rows, nothing bad. */
void tree_walk(struct tree *t, const char *tree, uint64_t root, bool quiet);
/* The free pages: they are no one's. False: the list is damaged, so some free pages are not known as such. */
MUST_CHECK bool tree_walk_free(struct tree *t);
/* Rows on leaves that nothing has reached so far. */
void tree_walk_rest(struct tree *t);
