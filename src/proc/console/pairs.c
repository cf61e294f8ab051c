/* pairs.c - rows of the reader and the switch (name, value pairs of text) as members of JSON, with the API's names and types. */
#include "proc/console/console_int.h"

#include "base/text.h"

enum form { TEXT, NUMBER, NUMBER_OR_NULL, TIME, FLAG, SKIP };

struct member {
	const char *name, *as; /* as NULL: the same, with _ for - */
	enum form form;
};

static const struct member members[] = {
	{ "transfer", NULL, NUMBER }, { "message", NULL, NUMBER }, { "queue", "link", TEXT }, { "size", NULL, NUMBER }, { "arrived", NULL, TIME },
	{ "next", NULL, TIME }, { "expires", NULL, TIME }, { "attempts", NULL, NUMBER }, { "held", NULL, FLAG }, { "quarantine", NULL, NUMBER },
	{ "strikes", NULL, NUMBER }, { "at", NULL, TIME }, { "seq", NULL, NUMBER }, { "event", "number", NUMBER_OR_NULL }, { "event-name", "number_name", TEXT },
	{ "in-flight", NULL, NUMBER }, { "age-ms", NULL, NUMBER_OR_NULL }, { "two-way", NULL, FLAG }, { "delivery", NULL, NUMBER }, { "delivered", NULL, TIME },
};

struct view pairs_value(struct view pairs, const char *name)
{
	struct cur cur = cur_of(pairs);
	while (cur_left(&cur) > 0) {
		struct view key = get_string(&cur), value = get_string(&cur);
		if (view_eq(key, view_str(name)))
			return value;
	}
	return (struct view){ NULL, 0 };
}

static const struct member *find(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (view_eq(name, view_str(members[i].name)))
			return &members[i];
	return NULL;
}

static void put(struct jout *j, const char *name, struct view value, enum form form)
{
	uint64_t x = 0;
	switch (form) {
	case NUMBER:
	case NUMBER_OR_NULL:
		if (text_uint(value, INT64_MAX, &x) || form == NUMBER)
			jout_int(j, name, (int64_t)x);
		else
			jout_null(j, name);
		return;
	case TIME:
		if (value.n == 0)
			jout_null(j, name);
		else
			jout_text(j, name, value);
		return;
	case FLAG:
		jout_bool(j, name, value.n == 1 && value.p[0] == '1');
		return;
	case TEXT:
		jout_text(j, name, value);
		return;
	case SKIP:
		return;
	}
}

void pairs_put(struct jout *j, struct view pairs)
{
	struct cur cur = cur_of(pairs);
	while (cur_left(&cur) > 0) {
		struct view key = get_string(&cur), value = get_string(&cur);
		const struct member *m = find(key);
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)(key.n < 60 ? key.n : 60), (const char *)key.p);
		for (char *c = name; *c != 0; c++) /* names are our own processes': still, nothing of them leaves a name */
			*c = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ? *c : '_';
		put(j, m == NULL || m->as == NULL ? name : m->as, value, m == NULL ? TEXT : m->form);
	}
}
