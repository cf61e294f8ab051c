/* ffapi_named.c - see ffapi_int.h: a file that a message names goes along with it, and is no message, whatever it begins with: else what somebody has attached
 * would be posted in whose name it likes. */
#include "proc/interchange/ffapi_int.h"

#include "base/mem.h"
#include "flow/codec/msmail/ffapi.h"

enum { NAMES_MAX = 64 * 1024 }; /* octets, of one file: more than a message may have attachments */

void ffapi_named_set(struct seen *s, struct view head)
{
	struct view name;
	size_t at = 0;
	MEM_FREE(s->names);
	s->names_n = 0;
	while (ffapi_next_name(head, &at, &name)) {
		if (name.n > FFAPI_NAME_MAX || memchr(name.p, 0, name.n) != NULL || s->names_n + name.n + 1 > NAMES_MAX)
			continue;
		s->names = mem_grow(s->names, s->names_n + name.n + 1);
		memcpy(s->names + s->names_n, name.p, name.n);
		s->names[s->names_n + name.n] = 0;
		s->names_n += name.n + 1;
	}
}

/* The file of the name that begins at *at; NULL: it is not here, or is its own. False behind the last one. */
static bool next_named(struct ffapi *f, const struct seen *by, size_t *at, struct seen **named_r)
{
	if (*at >= by->names_n)
		return false;
	const char *name = by->names + *at;
	*at += strlen(name) + 1;
	*named_r = ffapi_find(f, view_str(name), name);
	if (*named_r == by)
		*named_r = NULL;
	return true;
}

void ffapi_named_mark(struct ffapi *f)
{
	struct seen **next = mem_alloc(mem_mul(f->n + 1, sizeof *next)), *named;
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		f->v[i].is_named = f->v[i].is_reached = false;
	for (size_t i = 0; i < f->n; i++)
		for (size_t at = 0; next_named(f, &f->v[i], &at, &named);)
			if (named != NULL)
				named->is_named = true;
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].is_named) {
			f->v[i].is_reached = true;
			next[n++] = &f->v[i];
		}
	while (n > 0) {
		const struct seen *by = next[--n];
		for (size_t at = 0; next_named(f, by, &at, &named);)
			if (named != NULL && !named->is_reached) {
				named->is_reached = true;
				next[n++] = named;
			}
	}
	free(next);
}

const struct seen *ffapi_named_by(struct ffapi *f, const struct seen *s)
{
	struct seen *named;
	for (size_t i = 0; i < f->n; i++)
		for (size_t at = 0; next_named(f, &f->v[i], &at, &named);)
			if (named == s)
				return &f->v[i];
	return NULL;
}
