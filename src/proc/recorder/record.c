/* record.c - see record.h. */
#include "proc/recorder/record.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/table/events_table.h"
#include "proc/table/msgs.h"

#include <ctype.h>

/* --- lines --- */

static void add_small(struct out *o, const char *s)
{
	for (; *s != 0; s++)
		out_u8(o, (uint8_t)tolower((unsigned char)*s));
	out_u8(o, '\n');
}

struct record *record_new(struct view line, const struct event_line *p)
{
	struct out o;
	out_init(&o, SIZE_MAX / 2);
	const char *link = event_line_field(p, "link");
	size_t category_at = 0, link_at = strlen(p->category) + 1, search_at = link_at + strlen(link) + 1;
	out_bytes(&o, view_of(p->category, link_at));
	out_bytes(&o, view_of(link, strlen(link) + 1));
	add_small(&o, p->event);
	add_small(&o, p->process);
	for (size_t i = 0; i < p->n_fields; i++)
		add_small(&o, p->fields[i].value);
	out_u8(&o, 0);
	size_t line_at = out_len(&o);
	out_bytes(&o, line);
	struct record *r = mem_zero(sizeof *r + out_len(&o));
	memcpy(r->text, out_view(&o).p, out_len(&o));
	memcpy(r->time, p->time, EVENT_LINE_TIME);
	r->severity = p->severity;
	r->category = r->text + category_at;
	r->link = r->text + link_at;
	r->search = r->text + search_at;
	r->line = view_of(r->text + line_at, line.n);
	out_fini(&o);
	return r;
}

/* --- what is wanted --- */

static bool copy_text(char *to, size_t size, struct view v, const char *what, struct err *e)
{
	if (v.n >= size)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "the %s has %zu octets, at most %zu", what, v.n, size - 1);
	if (v.n > 0)
		memcpy(to, v.p, v.n);
	to[v.n] = 0;
	return true;
}

static bool is_category(const char *name)
{
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (strcmp(event_kinds[i].category, name) == 0)
			return true;
	return false;
}

/* "x400,store" with a comma at both ends, so that names are found whole. */
static bool take_categories(struct view list, struct filter *f, struct err *e)
{
	size_t at = 0;
	while (list.n > 0) {
		char name[64];
		size_t n = 0;
		while (n < list.n && list.p[n] != ',')
			n++;
		if (!copy_text(name, sizeof name, view_first(list, n), "category", e))
			return false;
		if (!is_category(name))
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "no event is of category \"%s\"; posthorn events list names them", name);
		if (at + n + 3 > sizeof f->categories)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "there are too many categories");
		at += (size_t)snprintf(f->categories + at, sizeof f->categories - at, "%s%s,", at == 0 ? "," : "", name);
		list = view_from(list, n + 1);
	}
	return true;
}

bool filter_of(const struct msg_follow *m, struct filter *f, struct err *e)
{
	*f = (struct filter){ .least = (enum event_severity)m->severity };
	if (m->severity > EVENT_ALARM)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "severity %u is none", m->severity);
	if (!copy_text(f->link, sizeof f->link, m->link, "link", e) || !copy_text(f->text, sizeof f->text, m->text, "text", e) ||
	    !take_categories(m->categories, f, e))
		return false;
	for (char *at = f->text; *at != 0; at++)
		*at = (char)tolower((unsigned char)*at);
	if (m->since > 0)
		event_show_time(f->since, (int64_t)m->since);
	return true;
}

static bool names_category(const char *list, const char *category)
{
	size_t n = strlen(category);
	for (const char *at = list; (at = strstr(at, category)) != NULL; at++)
		if (at[-1] == ',' && at[n] == ',')
			return true;
	return false;
}

bool filter_fits(const struct filter *f, const struct record *r)
{
	return r->severity >= f->least && (*f->categories == 0 || names_category(f->categories, r->category)) &&
	       (*f->link == 0 || strcmp(f->link, r->link) == 0) && (*f->since == 0 || strcmp(r->time, f->since) >= 0) &&
	       (*f->text == 0 || strstr(r->search, f->text) != NULL);
}
