/* rows.h - a row of an answer, as ROW, BLOCKS and EXPLAINED carry it: fields in order, each a name and a value, which is a text or a number.
 * Who answers says which of the two it is, and nobody guesses it from how the value looks: a link called "42" stays a text, and so does a subject.
 * On the wire a field is two strings (msgs.h), name and value; the name of a number begins with `#`, and its value is decimal digits. */
#pragma once
#include "base/cur.h"
#include "base/out.h"

struct row_field {
	struct view name;            /* without the mark */
	struct view value;           /* a number's: its digits */
	bool is_number;
	uint64_t number;             /* when it is one, at most INT64_MAX */
};

void rows_text(struct out *o, const char *name, struct view value);
/* More than INT64_MAX, which nothing here counts to, is told as that. */
void rows_number(struct out *o, const char *name, uint64_t x);

/* The next field, with views into the row. False: there is none, or the row is cut; *f_r is not touched. A field that is marked as a number and has
 * other things than digits is a text. */
MUST_CHECK bool rows_next(struct cur *c, struct row_field *f_r);
/* The value of the first field of this name, as octets; empty when there is none. */
struct view rows_value(struct view row, const char *name);
