/* rows.c - see rows.h. */
#include "proc/table/rows.h"

#include "base/text.h"
#include "proc/table/msgs.h"

enum { NUMBER_MARK = '#' };

void rows_text(struct out *o, const char *name, struct view value)
{
	put_string(o, view_str(name));
	put_string(o, value);
}

void rows_number(struct out *o, const char *name, uint64_t x)
{
	char marked[64], digits[24];
	snprintf(marked, sizeof marked, "%c%s", NUMBER_MARK, name);
	snprintf(digits, sizeof digits, "%llu", (unsigned long long)(x > INT64_MAX ? INT64_MAX : x));
	put_string(o, view_str(marked));
	put_string(o, view_str(digits));
}

bool rows_next(struct cur *c, struct row_field *f_r)
{
	if (cur_left(c) == 0)
		return false;
	struct row_field f = { .name = get_string(c) };
	f.value = get_string(c);
	if (c->bad)
		return false;
	if (f.name.n > 0 && f.name.p[0] == NUMBER_MARK) {
		f.name = view_from(f.name, 1);
		f.is_number = text_uint(f.value, INT64_MAX, &f.number);
	}
	*f_r = f;
	return true;
}

struct view rows_value(struct view row, const char *name)
{
	struct cur c = cur_of(row);
	struct row_field f;
	while (rows_next(&c, &f))
		if (view_eq(f.name, view_str(name)))
			return f.value;
	return (struct view){ NULL, 0 };
}
