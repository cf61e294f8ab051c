/* salvage.h - what can be read of a damaged store, into a new database. Row by row past whatever is damaged; rows that nobody can place
 * are kept in the folder `removed`. What the rows then say of each other is the repair's matter. Private to this folder. */
#pragma once
#include "flow/store/check.h"
#include "flow/store/removed.h"

enum salvage_end {
	SALVAGED = 0,
	SALVAGE_FOREIGN, /* no store of ours, or of a version that this program does not know: *e names it */
	SALVAGE_FAILED,  /* the copy cannot be written */
};

/* Is this, by its header and list of tables, a store that may be salvaged? Says what is damaged of that. */
enum salvage_end salvage_recognise(const struct pages *p, const struct shapes *shapes, const struct store_check_watch *w,
				   struct err *e);

/* to: has the tables of today's schema, empty, without indexes; a transaction is open. *rows_r: rows that were put. */
enum salvage_end salvage_rows(const struct pages *p, const struct shapes *shapes, sqlite3 *to, struct removed *kept,
			      const struct store_check_watch *w, uint64_t *rows_r, struct err *e);
