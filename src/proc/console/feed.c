/* feed.c - see feed.h. */
#include "proc/console/feed.h"

#include "base/mem.h"
#include "proc/table/events_table.h"

#include <jansson.h>

struct kept {
	uint64_t number;
	enum event_severity severity;
	const char *category, *link; /* in octets, behind the JSON */
	char *octets;                /* JSON, category, link, each with its NUL */
	size_t n, size;              /* of the JSON; of all */
};

struct feed {
	struct kept v[FEED_EVENTS]; /* number i of all is at i % FEED_EVENTS */
	uint64_t oldest, next, last_number;
	uint64_t missing;            /* of those up to this number not all are here */
	size_t octets;
	bool begins;                 /* the next one may have any number */
	struct out out;
};

struct feed *feed_new(void)
{
	struct feed *f = mem_zero(sizeof *f);
	out_init(&f->out, 64 * 1024);
	return f;
}

static void drop_oldest(struct feed *f)
{
	struct kept *k = &f->v[f->oldest++ % FEED_EVENTS];
	f->octets -= k->size;
	f->missing = k->number;
	MEM_FREE(k->octets);
}

void feed_free(struct feed **fp)
{
	struct feed *f = *fp;
	if (f == NULL)
		return;
	while (f->oldest < f->next)
		drop_oldest(f);
	out_fini(&f->out);
	MEM_FREE(*fp);
}

uint64_t feed_last(const struct feed *f)
{
	return f->last_number;
}

static const char *text_of(const json_t *x, const char *name)
{
	const char *s = json_string_value(json_object_get(x, name));
	return s == NULL ? "" : s;
}

static enum event_severity severity_of(const char *name)
{
	for (unsigned s = EVENT_DEBUG; s <= EVENT_ALARM; s++)
		if (strcmp(name, event_severity_name((enum event_severity)s)) == 0)
			return (enum event_severity)s;
	return EVENT_INFO;
}

static const char *sentence_of(json_int_t id)
{
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (event_kinds[i].id == (unsigned)id)
			return event_kinds[i].sentence;
	return "";
}

static void render(struct out *o, uint64_t number, json_t *x)
{
	struct jout j = { o, false };
	json_t *fields = json_object_get(x, "fields"), *v;
	const json_int_t id = json_integer_value(json_object_get(x, "id"));
	const char *name;
	jout_open(&j, NULL, '{');
	jout_int(&j, "seq", (int64_t)number);
	jout_str(&j, "at", text_of(x, "time"));
	jout_str(&j, "event", text_of(x, "event"));
	jout_int(&j, "id", id);
	jout_str(&j, "severity", event_severity_name(severity_of(text_of(x, "severity"))));
	jout_str(&j, "category", text_of(x, "category"));
	jout_str(&j, "source", text_of(x, "source"));
	jout_str(&j, "process", text_of(x, "process"));
	jout_str(&j, "sentence", sentence_of(id));
	jout_open(&j, "fields", '[');
	json_object_foreach(fields, name, v) {
		jout_open(&j, NULL, '{');
		jout_str(&j, "name", name);
		jout_str(&j, "value", json_string_value(v));
		jout_close(&j, '}');
	}
	jout_close(&j, ']');
	if (json_integer_value(json_object_get(x, "repeated")) > 0)
		jout_int(&j, "repeated", json_integer_value(json_object_get(x, "repeated")));
	jout_close(&j, '}');
}

static void keep(struct feed *f, uint64_t number, const json_t *x)
{
	const char *category = text_of(x, "category"), *link = text_of(json_object_get(x, "fields"), "link");
	const size_t n = out_len(&f->out), of_category = strlen(category) + 1, of_link = strlen(link) + 1, size = n + 1 + of_category + of_link;
	while (f->oldest < f->next && (f->next - f->oldest == FEED_EVENTS || f->octets + size > FEED_OCTETS))
		drop_oldest(f);
	char *octets = mem_alloc(size);
	memcpy(octets, out_cstr(&f->out), n + 1);
	memcpy(octets + n + 1, category, of_category);
	memcpy(octets + n + 1 + of_category, link, of_link);
	f->v[f->next++ % FEED_EVENTS] = (struct kept){ .number = number, .severity = severity_of(text_of(x, "severity")), .octets = octets, .n = n,
						       .size = size, .category = octets + n + 1, .link = octets + n + 1 + of_category };
	f->octets += size;
}

void feed_begins(struct feed *f)
{
	f->begins = true;
}

struct view feed_add(struct feed *f, const struct msg_event *m)
{
	if (f->begins && m->number <= f->last_number) {
		while (f->oldest < f->next)
			drop_oldest(f);
		f->last_number = f->missing = 0;
	}
	f->begins = false;
	if (m->number <= f->last_number)
		return (struct view){ NULL, 0 };
	if (m->number != f->last_number + 1)
		f->missing = m->number - 1; /* it was dropped for us, or is of another recorder, whose life we know from here */
	json_error_t error;
	json_t *x = json_loadb((const char *)m->line.p, m->line.n, 0, &error);
	out_clear(&f->out);
	f->last_number = m->number;
	if (json_is_object(x))
		render(&f->out, m->number, x);
	if (json_is_object(x) && !f->out.bad)
		keep(f, m->number, x);
	else
		f->missing = m->number;
	json_decref(x);
	return f->out.bad ? (struct view){ NULL, 0 } : out_view(&f->out);
}

/* --- looking --- */

struct view feed_after(const struct feed *f, uint64_t after, uint64_t *number_r, bool *gap_r)
{
	uint64_t low = f->oldest, high = f->next; /* numbers grow: the first one over `after` is among these */
	*gap_r = after < f->missing || after > f->last_number;
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		if (f->v[middle % FEED_EVENTS].number > after)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == f->next)
		return (struct view){ NULL, 0 };
	const struct kept *k = &f->v[low % FEED_EVENTS];
	*number_r = k->number;
	return view_of(k->octets, k->n);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool contains(struct view hay, struct view needle)
{
	for (size_t i = 0; i + needle.n <= hay.n; i++) {
		size_t k = 0;
		while (k < needle.n && lower(hay.p[i + k]) == lower(needle.p[k]))
			k++;
		if (k == needle.n)
			return true;
	}
	return false;
}

static bool fits(const struct kept *k, const struct feed_filter *x)
{
	return (x->before == 0 || k->number < x->before) && k->severity >= x->severity && (x->category.n == 0 || view_eq(x->category, view_str(k->category))) &&
	       (x->link.n == 0 || view_eq(x->link, view_str(k->link))) && (x->text.n == 0 || contains(view_of(k->octets, k->n), x->text));
}

void feed_put(const struct feed *f, const struct feed_filter *x, size_t max, uint64_t *next_r, struct jout *j)
{
	uint64_t last = 0;
	size_t n = 0;
	*next_r = 0;
	for (uint64_t i = f->next; i > f->oldest; i--) {
		const struct kept *k = &f->v[(i - 1) % FEED_EVENTS];
		if (!fits(k, x))
			continue;
		if (n++ == max) {
			*next_r = last;
			return;
		}
		if (j->comma)
			out_u8(j->o, ',');
		j->comma = true;
		out_bytes(j->o, view_of(k->octets, k->n));
		last = k->number;
	}
}
