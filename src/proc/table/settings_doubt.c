/* settings_doubt.c - see settings_doubt.h. */
#include "proc/table/settings_doubt.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/message/oraddr.h"
#include "proc/table/settings_msmail.h"

#include <stdarg.h>

/* Of one route; there may be ten thousand, and each is looked at with each other one. */
struct known {
	struct oraddr pattern;
	const struct set_link *link;     /* NULL: local or reject */
	uint64_t hash;                   /* of the pattern */
	bool is_default;
};

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

static bool is_listened_to(const struct doubting *d, const char *address)
{
	const char *const *listen = d->s->listen.v;
	for (size_t i = 0; i < d->s->listen.n; i++)
		if (strcmp(listen[i], address) == 0)
			return true;
	return false;
}

static void doubt_links(const struct doubting *d)
{
	const struct set_link *links = d->s->links.v;
	for (size_t i = 0; i < d->s->links.n; i++) {
		bool routed = false;
		if (*links[i].address != 0 && (is_listened_to(d, links[i].address) || strcmp(links[i].remote_mta, d->s->mta.name) == 0))
			doubt(d, "link \"%s\" leads to this MTA itself: its address is one of listen, or its remote-mta-name is mta.name",
			      links[i].name);
		for (size_t k = 0; k < d->s->routes.n; k++)
			routed = routed || d->routes[k].link == &links[i];
		if (!routed)
			doubt(d, "no route leads to link \"%s\": mail comes by it, and none goes", links[i].name);
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
	doubt_domain(&d);
	settings_doubt_msmail(s, a, tell, ctx);
}
