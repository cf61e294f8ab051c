/* removed.h - the folder `removed` of a repaired copy: everything that the repair took away or changed, as it was. Private to this
 * folder.
 *
 * Each thing is a file NUMBER-TABLE-ID.json, one JSON object: what, why, and the row by columns. Octets longer than a line are files
 * of their own beside it, NUMBER-TABLE-ID.COLUMN, named in the row. index.jsonl has a line for each: file, what, why. The folder is
 * made with the first of them. */
#pragma once
#include "flow/store/shape.h"

struct removed;
/* env: of the copy. */
struct removed *removed_new(struct env *env);
void removed_free(struct removed **r);
uint64_t removed_count(const struct removed *r);

/* A row. names: of its columns; fewer than v has: the others are "column 5". */
MUST_CHECK bool removed_row(struct removed *r, const char *table, int64_t id, const struct shape *names, const struct tree_value *v,
			    size_t n, const char *why, struct err *e);
/* Octets without a row: a page, a damaged header. */
MUST_CHECK bool removed_octets(struct removed *r, const char *what, struct view octets, const char *why, struct err *e);
/* A file of the original, by its path: linked or copied. */
MUST_CHECK bool removed_file(struct removed *r, const char *what, const char *path, const char *why, struct err *e);
