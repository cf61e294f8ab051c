/* settings_doubt_callers.c - two links for which the same caller is taken: which gets it, their order decides. A caller is known by its MTA name,
 * or by its host when it gives none, by the selectors it calls from and to, and by peer-hosts (proc/link/bind.c). */
#include "proc/table/settings_doubt.h"

#include "sys/net_prefix.h"

/* A link that names no selector takes any. */
static bool can_be_same(struct view a, struct view b)
{
	return a.n == 0 || b.n == 0 || view_eq(a, b);
}

static bool overlap(const char *a, const char *b)
{
	struct net_prefix x, y;
	if (!net_prefix_parse(a, &x, NULL) || !net_prefix_parse(b, &y, NULL))
		return false;
	const unsigned bits = x.bits < y.bits ? x.bits : y.bits;
	if (memcmp(x.octets, y.octets, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((x.octets[bits / 8] ^ y.octets[bits / 8]) >> (8 - bits % 8)) == 0;
}

static bool hosts_overlap(const struct set_link *a, const struct set_link *b)
{
	const char *const *x = a->peer_hosts.v, *const *y = b->peer_hosts.v;
	bool found = a->peer_hosts.n == 0 || b->peer_hosts.n == 0;
	for (size_t i = 0; i < a->peer_hosts.n && !found; i++)
		for (size_t k = 0; k < b->peer_hosts.n && !found; k++)
			found = overlap(x[i], y[k]);
	return found;
}

/* Whence a caller without a name may come as this link's: its addresses, and peer-hosts. */
static bool is_host_of(const struct set_link *k, const char *address)
{
	const char *const *more = k->more_addresses.v, *const *hosts = k->peer_hosts.v;
	struct net_prefix p;
	bool found = *k->address != 0 && net_same_host(k->address, address);
	for (size_t i = 0; i < k->more_addresses.n; i++)
		found = found || net_same_host(more[i], address);
	for (size_t i = 0; i < k->peer_hosts.n; i++)
		found = found || (net_prefix_parse(hosts[i], &p, NULL) && net_prefix_has(&p, address));
	return found;
}

static bool may_come_from_one_host(const struct set_link *a, const struct set_link *b)
{
	const char *const *more = a->more_addresses.v;
	bool found = (*a->address != 0 && is_host_of(b, a->address)) || (*b->address != 0 && is_host_of(a, b->address));
	for (size_t i = 0; i < a->more_addresses.n; i++)
		found = found || is_host_of(b, more[i]);
	return found || (a->peer_hosts.n > 0 && b->peer_hosts.n > 0 && hosts_overlap(a, b));
}

static void doubt_pair(const struct set_link *a, const struct set_link *b, settings_doubt_f *tell, void *ctx)
{
	char text[400];
	if (!can_be_same(a->calling_tsel, b->calling_tsel) || !can_be_same(a->called_tsel, b->called_tsel))
		return;
	if (view_eq_nocase(view_str(a->remote_mta), view_str(b->remote_mta)) && hosts_overlap(a, b))
		snprintf(text, sizeof text, "a caller that says it is \"%s\" is always taken for the peer of link \"%s\", never of link \"%s\": let their transport selectors or "
			 "peer-hosts tell them apart", b->remote_mta, a->name, b->name);
	else if (a->allow_null_bind && b->allow_null_bind && may_come_from_one_host(a, b))
		snprintf(text, sizeof text, "a caller without a name is always taken for the peer of link \"%s\", never of link \"%s\": both allow-null-bind, and nothing else tells "
			 "them apart", a->name, b->name);
	else
		return;
	tell(ctx, text);
}

void settings_doubt_callers(const struct settings *s, settings_doubt_f *tell, void *ctx)
{
	const struct set_link *links = s->links.v;
	for (size_t i = 0; i < s->links.n; i++)
		for (size_t k = 0; k < i && links[i].kind == LINK_X400; k++)
			if (links[k].kind == LINK_X400)
				doubt_pair(&links[k], &links[i], tell, ctx);
}
