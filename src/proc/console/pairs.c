/* pairs.c - rows of the reader and the switch as members of JSON, with the API's names. What is a number the row says; here is what the API has otherwise. */
#include "proc/console/console_int.h"

enum form { AS_TOLD, TEXT, NUMBER_OR_NULL, TIME, FLAG };

struct member {
	const char *name, *as; /* as NULL: the same, with _ for - */
	enum form form;
};

static const struct member members[] = {
	{ "queue", "link", AS_TOLD }, { "arrived", NULL, TIME }, { "next", NULL, TIME }, { "expires", NULL, TIME }, { "held", NULL, FLAG }, { "at", NULL, TIME },
	{ "event", "number", NUMBER_OR_NULL }, { "event-name", "number_name", AS_TOLD }, { "age-ms", NULL, NUMBER_OR_NULL }, { "two-way", NULL, FLAG },
	{ "delivered", NULL, TIME }, { "id", NULL, TEXT }, /* of an association too */
};

static const struct member *find(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (view_eq(name, view_str(members[i].name)))
			return &members[i];
	return NULL;
}

static void put(struct jout *j, const char *name, const struct row_field *f, enum form form)
{
	switch (form) {
	case TEXT:
		jout_text(j, name, f->value);
		return;
	case NUMBER_OR_NULL:
	case TIME:
		if (f->value.n == 0) {
			jout_null(j, name);
			return;
		}
		break;
	case FLAG:
		jout_bool(j, name, f->number != 0);
		return;
	case AS_TOLD:
		break;
	}
	if (f->is_number)
		jout_int(j, name, (int64_t)f->number);
	else
		jout_text(j, name, f->value);
}

void pairs_put(struct jout *j, struct view pairs)
{
	struct cur cur = cur_of(pairs);
	struct row_field f;
	while (rows_next(&cur, &f)) {
		const struct member *m = find(f.name);
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)(f.name.n < 60 ? f.name.n : 60), (const char *)f.name.p);
		for (char *c = name; *c != 0; c++) /* names are our own processes': still, nothing of them leaves a name */
			*c = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ? *c : '_';
		put(j, m == NULL || m->as == NULL ? name : m->as, &f, m == NULL ? AS_TOLD : m->form);
	}
}
