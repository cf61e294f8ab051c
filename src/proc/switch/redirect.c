/* redirect.c - other recipients than those a message was for: the one that a mailbox has in its stead, the one that this domain has
 * for recipients nobody knows, and the one the originator asked for (X.411 14.3.2 and 8.2.1.1.1.2 to 4). */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { REDIRECTIONS_MAX = 32 }; /* of one recipient; X.411 ub-redirections is 512, but none needs more */

struct redirects {
	struct route_table *assigned;   /* addresses of mailboxes that have an alternate: by the index of that */
	struct oraddr *to;
	size_t n;
	struct route_table *local;      /* addresses that would be here */
	bool has_default;
	struct oraddr by_domain;
};

static bool read_addr(struct sw *s, const char *what, const char *name, const char *text, enum oraddr_bounds bounds, struct oraddr *addr_r,
		      struct err *e)
{
	struct err why;
	if (oraddr_parse(view_str(text), addr_r, s->config_arena, bounds, &why))
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s%s: %.150s", what, name, why.text);
}

static bool add_mailbox(struct sw *s, const struct set_mailbox *box, struct err *e)
{
	struct redirects *r = s->redirects;
	struct oraddr addr;
	char index[24];
	const char *const *addresses = box->addresses.v;
	snprintf(index, sizeof index, "%zu", r->n);
	if (!read_addr(s, "redirect of mailbox ", box->name, box->redirect, ORADDR_CARRY, &r->to[r->n], e))
		return false;
	r->n++;
	for (size_t i = 0; i < box->addresses.n; i++)
		if (!read_addr(s, "mailbox ", box->name, addresses[i], ORADDR_CARRY, &addr, e) || !route_add_mailbox(r->assigned, &addr, index, e))
			return false;
	return true;
}

bool redirect_init(struct sw *s, struct err *e)
{
	struct redirects *r = s->redirects = mem_zero(sizeof *r);
	const struct set_mailbox *boxes = s->settings->mailboxes.v;
	const struct set_route *routes = s->settings->routes.v;
	struct oraddr addr;
	r->assigned = route_table_new();
	r->local = route_table_new();
	r->to = mem_zero(mem_mul(s->settings->mailboxes.n + 1, sizeof *r->to));
	for (size_t i = 0; i < s->settings->mailboxes.n; i++)
		if (*boxes[i].redirect != 0 && !add_mailbox(s, &boxes[i], e))
			return false;
	for (size_t i = 0; i < s->settings->routes.n; i++) {
		if (strcmp(routes[i].to, "local") != 0)
			continue;
		if (!read_addr(s, "route ", routes[i].match, routes[i].match, ORADDR_PATTERN, &addr, e))
			return false;
		route_add(r->local, &addr, ROUTE_LINK, "local", 0);
	}
	route_table_seal(r->assigned);
	route_table_seal(r->local);
	r->has_default = *s->settings->mta.alternate != 0;
	return !r->has_default || read_addr(s, "mta.alternate-recipient", "", s->settings->mta.alternate, ORADDR_CARRY, &r->by_domain, e);
}

void redirect_fini(struct sw *s)
{
	struct redirects *r = s->redirects;
	if (r == NULL)
		return;
	route_table_free(&r->assigned);
	route_table_free(&r->local);
	free(r->to);
	MEM_FREE(s->redirects);
}

const struct oraddr *redirect_assigned(const struct sw *s, const struct oraddr *addr)
{
	const struct redirects *r = s->redirects;
	struct route_answer to;
	struct err e;
	if (r->n == 0 || !route_find(r->assigned, addr, NULL, &to, &e))
		return NULL;
	return &r->to[strtoul(to.mailbox, NULL, 10)];
}

const struct oraddr *redirect_default(const struct sw *s, const struct message *m, const struct oraddr *addr)
{
	const struct redirects *r = s->redirects;
	struct route_answer to;
	struct err e;
	bool allowed = r->has_default && (m->indicators & IND_ALTERNATE_ALLOWED) != 0;
	return allowed && !oraddr_eq(addr, &r->by_domain) && route_find(r->local, addr, NULL, &to, &e) ? &r->by_domain : NULL;
}

bool redirect_to(const struct recipient *r, const struct oraddr *to, enum redirection_reason reason, wall_ms_t now, struct arena *a,
		 struct recipient *r_r, struct err *e)
{
	bool loops = oraddr_eq(to, &r->addr) || r->n_redirections >= REDIRECTIONS_MAX;
	for (size_t i = 0; i < r->n_redirections && !loops; i++)
		loops = oraddr_eq(to, &r->redirections[i].intended);
	if (loops)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 27, "redirection goes round: %.150s has been a recipient before", oraddr_text(to, a));
	struct redirection *v = arena_array(a, r->n_redirections + 1, sizeof *v);
	assert(v != NULL);
	if (r->n_redirections > 0)
		memcpy(v, r->redirections, r->n_redirections * sizeof *v);
	v[r->n_redirections] = (struct redirection){ .intended = r->addr, .at = now, .reason = (int)reason };
	*r_r = *r;
	r_r->addr = *to;
	r_r->redirections = v;
	r_r->n_redirections++;
	r_r->ext = extensions_without(&r->ext, EXT_REDIRECTION_HISTORY, a);
	if (reason == REDIRECTED_BY_ORIGINATOR) { /* it has been made use of */
		r_r->alternate = NULL;
		r_r->ext = extensions_without(&r_r->ext, EXT_ALTERNATE_RECIPIENT, a);
	}
	return true;
}
