/* settings_doubt.c - see settings_doubt.h. */
#include "proc/table/settings_doubt.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/message/oraddr.h"
#include "proc/table/settings_msmail.h"
#include "sys/net_prefix.h"

#include <stdarg.h>

/* Of one route; there may be ten thousand, and each is looked at with each other one. */
struct known {
	struct oraddr pattern;
	const struct set_link *link;     /* NULL: local or reject */
	uint64_t hash;                   /* of the pattern */
	struct oraddr core;              /* without wildcards of country and ADMD, which take what there is and what there is not */
	uint64_t core_hash;
	unsigned rank;                   /* 2: ADMD is a wildcard, 1: country is; of the same core the higher is the more specific */
	bool is_default;
};

enum { DEAD_TOLD = 20 };

struct doubting {
	const struct settings *s;
	struct known *routes;
	struct oraddr domain;
	settings_doubt_f *tell;
	void *ctx;
};

static void PRINTF_LIKE(2, 3) doubt(const struct doubting *d, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	d->tell(d->ctx, text);
}

static const struct set_route *route_at(const struct doubting *d, size_t i)
{
	return (const struct set_route *)d->s->routes.v + i;
}

static const struct set_link *link_of(const struct doubting *d, const char *name)
{
	const struct set_link *links = d->s->links.v;
	for (size_t i = 0; i < d->s->links.n; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

static bool is_any(const struct oraddr_attr *a)
{
	return a == NULL || view_eq(a->value, VIEW("*"));
}

/* Every address of any country. */
static bool is_default(const struct oraddr *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (!is_any(&p->v[i]) || p->v[i].type > ORA_ADMD)
			return false;
	return true;
}

/* The port is the same, and the host; or we listen at all of them and it is one that is always ours. */
static bool is_own_address(const char *listen, const char *address)
{
	const char *port = strrchr(listen, ':'), *other = strrchr(address, ':');
	if (strcmp(listen, address) == 0)
		return true;
	if (port == NULL || other == NULL || strcmp(port, other) != 0)
		return false;
	const bool everywhere = strncmp(listen, "0.0.0.0:", 8) == 0 || strncmp(listen, "[::]:", 5) == 0;
	return net_same_host(listen, address) || (everywhere && (strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0));
}

static bool is_listened_to(const struct doubting *d, const char *address)
{
	const struct setting_list *const lists[] = { &d->s->listen, &d->s->listen_tls };
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			if (is_own_address(((const char *const *)lists[k]->v)[i], address))
				return true;
	return false;
}

static bool leads_here(const struct doubting *d, const struct set_link *k)
{
	const char *const *more = k->more_addresses.v;
	bool here = *k->address != 0 && (is_listened_to(d, k->address) || view_eq_nocase(view_str(k->remote_mta), view_str(d->s->mta.name)));
	for (size_t i = 0; i < k->more_addresses.n; i++)
		here = here || is_listened_to(d, more[i]);
	return here;
}

/* We never call, and on the peer's associations nothing of ours goes. */
static bool is_dead_end(const struct set_link *k)
{
	return k->kind == LINK_X400 && !k->two_way_alternate && (*k->address == 0 || k->schedule == SCHEDULE_NEVER);
}

static void doubt_links(const struct doubting *d)
{
	const struct set_link *links = d->s->links.v;
	for (size_t i = 0; i < d->s->links.n; i++) {
		bool routed = false;
		if (leads_here(d, &links[i]))
			doubt(d, "link \"%s\" leads to this MTA itself: its address is one of listen, or its remote-mta-name is mta.name",
			      links[i].name);
		for (size_t k = 0; k < d->s->routes.n; k++)
			routed = routed || d->routes[k].link == &links[i];
		if (!routed)
			doubt(d, "no route leads to link \"%s\": mail comes by it, and none goes", links[i].name);
		else if (is_dead_end(&links[i]))
			doubt(d, "nothing leaves by link \"%s\" though a route leads to it: %s, and it is not two-way-alternate", links[i].name,
			      *links[i].address == 0 ? "it has no address" : "its schedule is never");
	}
}

static void doubt_pair(const struct doubting *d, size_t k, size_t i)
{
	const struct known *a = &d->routes[k], *b = &d->routes[i];
	if (a->link == b->link && a->hash == b->hash && oraddr_eq(&a->pattern, &b->pattern) && a->pattern.n == b->pattern.n)
		doubt(d, "routes %zu and %zu are the same, to link \"%s\": a backup is a route to another link", k + 1, i + 1, a->link->name);
	else if (a->link != b->link && a->is_default && b->is_default)
		doubt(d, "routes %zu and %zu both take every address, to link \"%s\" and to link \"%s\": what neither of their MTAs knows may go "
		      "from one to the other by this one", k + 1, i + 1, a->link->name, b->link->name);
}

static void doubt_pairs(const struct doubting *d)
{
	for (size_t i = 0; i < d->s->routes.n; i++)
		for (size_t k = 0; k < i && d->routes[i].link != NULL; k++)
			if (d->routes[k].link != NULL)
				doubt_pair(d, k, i);
}

static const char *target_of(const struct doubting *d, size_t i, char buf[80])
{
	const struct known *r = &d->routes[i];
	snprintf(buf, 80, r->link == NULL ? "%s" : "link \"%s\"", r->link == NULL ? route_at(d, i)->to : r->link->name);
	return buf;
}

/* Whether route k takes every address that i takes, and comes first, whatever the state of links (flow/route/route.h): the same but for wildcards
 * of country and ADMD, which say nothing, and more specific for them; or quite the same, and no link, since none is a way round that. */
static bool stands_before(const struct doubting *d, size_t k, size_t i)
{
	const struct known *a = &d->routes[k], *b = &d->routes[i];
	if (a->core_hash != b->core_hash || a->core.n != b->core.n || !oraddr_eq(&a->core, &b->core))
		return false;
	if (a->rank != b->rank)
		return a->rank > b->rank;
	const uint64_t cost = route_at(d, k)->cost, other = route_at(d, i)->cost;
	const bool twice = k < i && strcmp(route_at(d, k)->to, route_at(d, i)->to) == 0;
	return a->link == NULL && (cost < other || (cost == other && (b->link != NULL || twice)));
}

/* The first that stands before each: there may be ten thousand, and a mistake made once is made often. */
static void doubt_dead(const struct doubting *d)
{
	size_t told = 0;
	for (size_t i = 0; i < d->s->routes.n; i++) {
		char mine[80], theirs[80];
		size_t k = 0;
		while (k < d->s->routes.n && (k == i || !stands_before(d, k, i)))
			k++;
		if (k < d->s->routes.n && told++ < DEAD_TOLD)
			doubt(d, "route %zu, \"%.100s\" to %s, is never used: route %zu, \"%.100s\" to %s, takes all of its addresses before it", i + 1,
			      route_at(d, i)->match, target_of(d, i, mine), k + 1, route_at(d, k)->match, target_of(d, k, theirs));
	}
	if (told > DEAD_TOLD)
		doubt(d, "%zu more routes are never used", told - DEAD_TOLD);
}

/* Whether a user of our domain, of whom nothing else is known, fits it; how far down it says so. */
static bool fits_domain(const struct doubting *d, const struct oraddr *p, unsigned *depth_r)
{
	*depth_r = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct oraddr_attr *a = &p->v[i];
		const struct oraddr_attr *own = oraddr_find(&d->domain, a->type);
		if (a->type > ORA_PRMD || (!is_any(a) && (own == NULL || !oraddr_value_eq(own->value, a->value))))
			return false;
		*depth_r |= (is_any(a) ? 1u : 2u) << 2 * (a->type - ORA_COUNTRY);
	}
	return true;
}

/* Addresses like ours that are not known go out again, and may come back. */
static void doubt_domain(const struct doubting *d)
{
	unsigned local = 0, away = 0, depth;
	bool has_local = false, has_away = false;
	size_t which = 0;
	for (size_t i = 0; i < d->s->routes.n; i++) {
		if (!fits_domain(d, &d->routes[i].pattern, &depth))
			continue;
		if (d->routes[i].link == NULL) {
			local = depth > local ? depth : local;
			has_local = true;
		} else if (!has_away || depth > away) {
			away = depth;
			which = i;
			has_away = true;
		}
	}
	if (has_away && (!has_local || away > local))
		doubt(d, "route %zu sends addresses of mta.domain that are no mailbox here to link \"%s\": a route to local that is as specific "
		      "as mta.domain would report them", which + 1, d->routes[which].link->name);
}

static bool is_mere_wildcard(const struct oraddr_attr *x)
{
	return x->type <= ORA_ADMD && view_eq(x->value, VIEW("*"));
}

static bool know_core(struct known *r, struct arena *a, struct out *key)
{
	r->core.v = arena_array(a, r->pattern.n + 1, sizeof *r->core.v);
	for (size_t i = 0; r->core.v != NULL && i < r->pattern.n; i++)
		if (is_mere_wildcard(&r->pattern.v[i]))
			r->rank |= r->pattern.v[i].type == ORA_ADMD ? 2u : 1u;
		else
			r->core.v[r->core.n++] = r->pattern.v[i];
	out_clear(key);
	oraddr_key(&r->core, key);
	r->core_hash = oraddr_value_hash(out_view(key), r->core.n);
	return r->core.v != NULL;
}

static bool know(struct doubting *d, struct arena *a)
{
	struct out key;
	bool good = true;
	out_init(&key, 1 << 16);
	for (size_t i = 0; i < d->s->routes.n && good; i++) {
		struct known *r = &d->routes[i];
		good = oraddr_parse(view_str(route_at(d, i)->match), &r->pattern, a, ORADDR_PATTERN, NULL);
		out_clear(&key);
		oraddr_key(&r->pattern, &key);
		r->hash = oraddr_value_hash(out_view(&key), r->pattern.n);
		r->link = link_of(d, route_at(d, i)->to);
		r->is_default = is_default(&r->pattern);
		good = good && know_core(r, a, &key);
	}
	out_fini(&key);
	return good;
}

void settings_doubts(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx)
{
	struct doubting d = { .s = s, .tell = tell, .ctx = ctx };
	d.routes = arena_array(a, s->routes.n + 1, sizeof *d.routes);
	if (d.routes == NULL || !oraddr_parse(view_str(s->mta.domain), &d.domain, a, ORADDR_CARRY, NULL) || !know(&d, a))
		return;
	doubt_links(&d);
	doubt_pairs(&d);
	doubt_dead(&d);
	doubt_domain(&d);
	settings_doubt_callers(s, tell, ctx);
	settings_doubt_loops(s, a, tell, ctx);
	settings_doubt_console(s, tell, ctx);
	settings_doubt_msmail(s, a, tell, ctx);
}
