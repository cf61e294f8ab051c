/* mailer.c - see mailer.h. */
#include "flow/engine/msmail/mailer.h"

#include <stdarg.h>

#include "base/text.h"

enum { WHY_MAX = 160, NAME_TEXT_MAX = 3 * MM_NAME_MAX + 3 };
enum { EXPANDED = -2 }; /* marks a group within a plan: no value of a notice */

/* The work on one envelope: its recipients in a list that grows as groups are expanded. */
struct plan {
	const struct mailer_world *w;
	struct mm_envelope *v;
	struct mm_recipient *list;
	size_t n, cap, n_given; /* the first n_given came with the message */
	struct arena *arena;
	bool overflowed;
};

/* --- what an envelope is told --- */

static void refuse(struct plan *p, struct mm_recipient *r, int notice, int reason, int diagnostic, const char *fmt, ...) PRINTF_LIKE(6, 7);

static void refuse(struct plan *p, struct mm_recipient *r, int notice, int reason, int diagnostic, const char *fmt, ...)
{
	char text[WHY_MAX];
	va_list ap;
	va_start(ap, fmt);
	const int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	r->bag[0] = 0;
	r->notice = notice;
	r->reason = reason;
	r->diagnostic = diagnostic;
	r->why = arena_copy(p->arena, view_of(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1));
}

static const char *shown(char buf[80], const struct mm_address *a)
{
	return text_escaped(buf, 80, view_first(a->text, 60));
}

static bool same_address(const struct mm_address *a, const struct mm_address *b)
{
	return a->type == b->type && view_eq_nocase(a->text, b->text);
}

/* --- trace --- */

static bool is_hop(const struct mm_hop *hop, const struct mm_name *name)
{
	return mm_same(hop->network, name->network) && mm_same(hop->postoffice, name->postoffice);
}

/* The step from here to `next` is in the trace. */
static bool went_there(const struct plan *p, const struct mm_name *next)
{
	for (size_t i = 0; i + 1 < p->v->n_hops; i++)
		if (is_hop(&p->v->hops[i], &p->w->own) && is_hop(&p->v->hops[i + 1], next))
			return true;
	return false;
}

static void go_on(struct plan *p, struct mm_recipient *r, const struct mailer_route *route, bool is_member)
{
	const struct mm_name *next = &route->next;
	if (p->w->hop_limit != 0 && p->v->n_hops >= p->w->hop_limit)
		refuse(p, r, 3, 1, 3, "hop count exceeded: %zu postoffices were passed, at most %u may be", p->v->n_hops, p->w->hop_limit);
	else if (!is_member && went_there(p, next))
		refuse(p, r, 4, 1, 3, "circular route: it went from %s/%s to %s/%s before", p->w->own.network, p->w->own.postoffice, next->network,
		       next->postoffice);
	else
		memcpy(r->bag, route->mailbag, sizeof r->bag);
}

/* --- groups --- */

static bool is_listed(const struct plan *p, const struct mm_address *a, size_t but)
{
	for (size_t i = 0; i < p->n; i++)
		if (i != but && same_address(&p->list[i].address, a) && (p->list[i].responsible || p->list[i].notice == EXPANDED))
			return true;
	return false;
}

static bool append(struct plan *p, const struct mm_recipient *r)
{
	if (p->n == p->cap) {
		const size_t cap = p->cap * 2;
		struct mm_recipient *list = arena_array(p->arena, cap, sizeof *list);
		if (list == NULL)
			return false;
		memcpy(list, p->list, p->n * sizeof *list);
		p->list = list;
		p->cap = cap;
	}
	p->list[p->n++] = *r;
	return true;
}

struct expansion { struct plan *p; size_t group; };

static bool add_member(void *ctx, const struct mm_name *member)
{
	struct expansion *x = ctx;
	struct plan *p = x->p;
	char text[NAME_TEXT_MAX + 1];
	const int n = snprintf(text, sizeof text, "%s/%s/%s", member->network, member->postoffice, member->mailbox);
	const struct mm_address address = { .type = MM_ADDRESS_MS, .text = view_of(text, (size_t)n) };
	if (is_listed(p, &address, SIZE_MAX))
		return true;
	struct mm_recipient r = { .responsible = true, .is_cc = p->list[x->group].is_cc, .reason = -1, .diagnostic = -1 };
	r.address = (struct mm_address){ .type = MM_ADDRESS_MS, .text = arena_copy(p->arena, address.text) };
	p->overflowed = p->n >= p->w->members_max || !append(p, &r);
	return !p->overflowed;
}

/* A group is marked before its members are looked at, so that groups that hold each other end. */
static bool expand(struct plan *p, size_t i, const struct mailer_route *route, struct err *e)
{
	struct expansion x = { p, i };
	struct err why = { ERR_NONE, ERR_OF_PROCESS, -1, -1, "" };
	const size_t before = p->n;
	p->list[i].responsible = false;
	p->list[i].notice = EXPANDED;
	p->overflowed = false;
	const bool good = p->w->members(p->w->ctx, route->name.mailbox, add_member, &x, &why);
	if (good && !p->overflowed)
		return true;
	if (!good && why.kind != ERR_PERM) {
		if (e != NULL)
			*e = why;
		return false;
	}
	p->n = before; /* all of it or nothing */
	p->list[i].responsible = true;
	if (good)
		refuse(p, &p->list[i], 7, 1, 30, "group %s: more than %zu recipients", route->name.mailbox, p->w->members_max);
	else
		refuse(p, &p->list[i], 7, 1, 30, "group %s no longer exists", route->name.mailbox);
	return true;
}

/* --- the plan --- */

static bool plan_one(struct plan *p, size_t i, struct err *e)
{
	struct mailer_route route = { .where = MAILER_NO_ROUTE };
	struct mm_recipient *r = &p->list[i];
	char name[80];
	if (is_listed(p, &r->address, i)) { /* it is served by the other one */
		r->responsible = false;
		return true;
	}
	if (!p->w->route(p->w->ctx, &r->address, &route, e))
		return false;
	switch (route.where) {
	case MAILER_USER:
	case MAILER_SYSTEM:
		memcpy(r->bag, route.mailbag, sizeof r->bag);
		return true;
	case MAILER_OUTBOUND:
		go_on(p, r, &route, i >= p->n_given);
		return true;
	case MAILER_GROUP:
		return expand(p, i, &route, e);
	case MAILER_ELSEWHERE:
		return true;
	case MAILER_NO_USER:
		refuse(p, r, 2, 1, 0, "unknown address: %s", shown(name, &r->address));
		return true;
	case MAILER_NO_ROUTE:
		refuse(p, r, 1, 1, -1, "no route from %s/%s to %s", p->w->own.network, p->w->own.postoffice, shown(name, &r->address));
		return true;
	case MAILER_AMBIGUOUS:
		refuse(p, r, 30, 1, 1, "duplicate address: two entries have %s", shown(name, &r->address));
		return true;
	}
	CANT_HAPPEN("a route to nowhere");
}

bool mailer_plan(const struct mailer_world *w, struct mm_envelope *v, struct arena *a, struct err *e)
{
	struct plan p = { .w = w, .v = v, .n = v->n, .cap = v->n + 16, .n_given = v->n, .arena = a };
	p.list = arena_array(a, p.cap, sizeof *p.list);
	if (p.list == NULL)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "mailer: no memory for %zu recipients", v->n);
	if (v->n > 0)
		memcpy(p.list, v->recipients, v->n * sizeof *p.list);
	for (size_t i = 0; i < p.n; i++) { /* grows meanwhile */
		if (p.list[i].responsible && p.list[i].notice == 0 && p.list[i].bag[0] == 0 && !plan_one(&p, i, e))
			return false;
	}
	for (size_t i = 0; i < p.n; i++)
		if (p.list[i].notice == EXPANDED)
			p.list[i].notice = 0;
	if (arena_full(a))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "mailer: no memory for the plan of %zu recipients", p.n);
	v->recipients = p.list;
	v->n = p.n;
	return true;
}

size_t mailer_left(const struct mm_envelope *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		n += v->recipients[i].responsible && v->recipients[i].notice == 0 && v->recipients[i].bag[0] == 0;
	return n;
}

/* --- outbound bags --- */

static bool take_address(const struct mailer_world *w, const struct mm_address *address, bool is_cc, const char *bag, struct mm_recipient *r_r,
			 struct err *e)
{
	struct mailer_route route = { .where = MAILER_NO_ROUTE };
	if (!w->route(w->ctx, address, &route, e))
		return false;
	*r_r = (struct mm_recipient){ .address = *address, .is_cc = is_cc, .reason = -1, .diagnostic = -1 };
	if (route.where == MAILER_OUTBOUND && mm_same(route.mailbag, bag)) {
		r_r->responsible = true;
		memcpy(r_r->bag, route.mailbag, sizeof r_r->bag);
	}
	return true;
}

bool mailer_from_mai(const struct mailer_world *w, const struct mai *m, const struct mm_id *id, const char *bag, struct mm_envelope *v_r,
		     struct arena *a, struct err *e)
{
	struct mm_envelope v = { .mai = *id, .state = MM_READY, .from = m->from, .date = m->date, .priority = m->priority };
	v.recipients = arena_array(a, m->n_to + m->n_cc + 1, sizeof *v.recipients);
	if (v.recipients == NULL)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "mailer: no memory for %zu recipients", m->n_to + m->n_cc);
	for (size_t i = 0; i < m->n_to + m->n_cc; i++, v.n++) {
		const bool is_cc = i >= m->n_to;
		if (!take_address(w, is_cc ? &m->cc[i - m->n_to] : &m->to[i], is_cc, bag, &v.recipients[i], e))
			return false;
		for (size_t k = 0; k < i && v.recipients[i].responsible; k++)
			if (v.recipients[k].responsible && same_address(&v.recipients[k].address, &v.recipients[i].address)) {
				v.recipients[i].responsible = false;
				v.recipients[i].bag[0] = 0;
			}
	}
	*v_r = v;
	return true;
}

/* --- without an envelope --- */

static bool is_here(const struct mailer_world *w, const struct mm_address *a, bool *here_r, struct err *e)
{
	struct mailer_route r = { .where = MAILER_NO_ROUTE };
	if (!w->route(w->ctx, a, &r, e))
		return false;
	*here_r = r.where != MAILER_OUTBOUND && r.where != MAILER_NO_ROUTE;
	return true;
}

static bool guess_mine(const struct mailer_world *w, struct mm_envelope *v, struct err *e)
{
	bool some = false;
	for (size_t i = 0; i < v->n; i++) {
		if (!is_here(w, &v->recipients[i].address, &v->recipients[i].responsible, e))
			return false;
		some |= v->recipients[i].responsible;
	}
	for (size_t i = 0; i < v->n && !some; i++)
		v->recipients[i].responsible = true;
	return true;
}

static void copy_address(struct mm_address *address, struct arena *a)
{
	address->text = arena_copy(a, address->text);
	address->friendly = arena_copy(a, address->friendly);
	address->rest = arena_copy(a, address->rest);
}

bool mailer_rebuild(const struct mailer_world *w, const struct mai *m, const struct mm_id *id, struct mm_envelope *v_r, struct arena *a, struct err *e)
{
	struct mm_envelope v = { .mai = *id, .state = MM_READY };
	if (m != NULL && !mailer_from_mai(w, m, id, "", &v, a, e))
		return false;
	copy_address(&v.from, a);
	for (size_t i = 0; i < v.n; i++)
		copy_address(&v.recipients[i].address, a);
	if (arena_full(a))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "mailer: no memory for an envelope of %zu recipients", v.n);
	if (v.n > 0 && (!guess_mine(w, &v, e) || !mailer_plan(w, &v, a, e)))
		return false;
	if (v.n == 0) {
		v.recipients = arena_array(a, 1, sizeof *v.recipients);
		if (v.recipients == NULL)
			return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "mailer: no memory for an envelope");
		v.recipients[v.n++] = (struct mm_recipient){ .address = { .type = MM_ADDRESS_MS, .text = VIEW("?") }, .responsible = true, .reason = -1, .diagnostic = -1 };
	}
	*v_r = v;
	return true;
}

static bool is_of(const struct mm_recipient *r, const char *bag)
{
	return r->notice == 0 && mm_same(r->bag, bag);
}

size_t mailer_of_bag(const struct mm_envelope *v, const char *bag)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		n += is_of(&v->recipients[i], bag);
	return n;
}

static bool is_system(const struct mm_address *a)
{
	static const char end[] = "/$SYSTEM";
	const size_t n = sizeof end - 1;
	return a->type == MM_ADDRESS_MS && a->text.n >= n && view_eq_nocase(view_from(a->text, a->text.n - n), view_of(end, n));
}

size_t mailer_limit_size(struct mm_envelope *v, const char *bag, uint64_t size, uint64_t limit)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++) {
		struct mm_recipient *r = &v->recipients[i];
		if (!is_of(r, bag))
			continue;
		if (limit != 0 && size > limit && !is_system(&r->address)) {
			r->notice = 9;
			r->reason = 1;
			r->diagnostic = 7; /* content-too-long */
		}
		else
			n++;
	}
	return n;
}

bool mailer_hand_over(const struct mm_envelope *v, const char *bag, const struct mm_name *own, wall_ms_t now, struct mm_envelope *to_r,
		      struct arena *a, struct err *e)
{
	struct mm_envelope to = *v;
	to.state = MM_UNREADY;
	to.arrived = now;
	to.first_failed = 0;
	to.recipients = arena_array(a, v->n + 1, sizeof *to.recipients);
	to.hops = arena_array(a, v->n_hops + 1, sizeof *to.hops);
	if (to.recipients == NULL || to.hops == NULL)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "mailer: no memory for an envelope of %zu recipients", v->n);
	for (size_t i = 0; i < v->n; i++) {
		struct mm_recipient *r = &to.recipients[i];
		*r = v->recipients[i];
		r->responsible = is_of(r, bag);
		r->bag[0] = 0;
		r->tries = 0;
		r->notice = 0;
		r->reason = r->diagnostic = -1;
		r->why = view_of(NULL, 0);
	}
	if (v->n_hops > 0)
		memcpy(to.hops, v->hops, v->n_hops * sizeof *to.hops);
	memcpy(to.hops[v->n_hops].network, own->network, sizeof own->network);
	memcpy(to.hops[v->n_hops].postoffice, own->postoffice, sizeof own->postoffice);
	to.n_hops++;
	*to_r = to;
	return true;
}
