/* restrict.c - who may send over a link: accept-from and reject-from, made into tables once, so that asking costs the
 * same for ten patterns and for ten thousand. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

struct restriction {
	struct route_table *accept, *reject; /* NULL: no pattern */
};

struct route_table *restrict_patterns(struct sw *s, const struct setting_list *patterns, const char *what, const char *name, bool *good_r,
				      struct err *e)
{
	struct oraddr addr;
	struct err why;
	const char *const *texts = patterns->v;
	*good_r = true;
	if (patterns->n == 0)
		return NULL;
	struct route_table *t = route_table_new();
	for (size_t i = 0; i < patterns->n && *good_r; i++) {
		*good_r = oraddr_parse(view_str(texts[i]), &addr, s->config_arena, ORADDR_PATTERN, &why) ||
			  err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s %s: %.150s", what, name, why.text);
		if (*good_r)
			route_add(t, &addr, ROUTE_LINK, "them", 0);
	}
	route_table_seal(t);
	return t;
}

bool restrict_matches(const struct route_table *t, const struct oraddr *addr)
{
	struct route_answer to;
	struct err e;
	return t != NULL && route_find(t, addr, NULL, &to, &e);
}

struct restriction *restrict_new(struct sw *s, const struct set_link *set, struct err *e)
{
	bool good[2] = { true, true };
	struct restriction *r = mem_zero(sizeof *r);
	r->accept = restrict_patterns(s, &set->accept_from, "accept-from of link", set->name, &good[0], e);
	if (good[0])
		r->reject = restrict_patterns(s, &set->reject_from, "reject-from of link", set->name, &good[1], e);
	if (!good[0] || !good[1])
		restrict_free(&r);
	return r;
}

void restrict_free(struct restriction **rp)
{
	struct restriction *r = *rp;
	if (r == NULL)
		return;
	route_table_free(&r->accept);
	route_table_free(&r->reject);
	MEM_FREE(*rp);
}

static bool allows(const struct restriction *r, const struct oraddr *who)
{
	return !restrict_matches(r->reject, who) && (r->accept == NULL || restrict_matches(r->accept, who));
}

bool restrict_allows(const struct swlink *l, const struct message *m)
{
	const struct restriction *r = l->restriction;
	const struct history *h = &m->dl_history;
	if (m->kind == MESSAGE_REPORT || (r->accept == NULL && r->reject == NULL))
		return true;
	if (restrict_matches(r->reject, &m->originator))
		return false;
	return allows(r, &m->originator) || (h->n > 0 && allows(r, &h->v[h->n - 1].name));
}
