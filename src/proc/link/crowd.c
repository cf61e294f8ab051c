/* crowd.c - connections that have not bound yet, counted by the address they come from (IPv6: its first 64 bits): a storm of
 * callers that say nothing, or nonsense, costs so many connections and no more, and leaves room for the callers of other
 * addresses. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "sys/net_prefix.h"

/* One address while there is such a connection of it. */
struct crowd {
	uint64_t key;  /* hash of the host: two that share one by chance share a limit */
	size_t n;
	bool told;     /* that it is too many; until it is half as many again */
};

/* An IPv6 host has a network of 64 bits to call from, and any address in it. */
static uint64_t key_of(const char *peer)
{
	enum { NETWORK = 64, OCTET = 8 };
	struct net_prefix four, p;
	struct err e;
	char host[64];
	const struct view v = net_host(peer);
	snprintf(host, sizeof host, "%.*s", (int)(v.n < sizeof host ? v.n : 0), (const char *)v.p);
	if (!net_prefix_parse(host, &p, &e) || (net_prefix_parse("::ffff:0:0/96", &four, &e) && net_prefix_has(&four, peer)))
		return suspects_hash(v);
	return suspects_hash(view_of(p.octets, NETWORK / OCTET));
}

struct crowd *crowd_enter(struct link *l, const char *peer)
{
	const uint64_t key = key_of(peer);
	const size_t max = (size_t)l->settings->limits.per_address;
	struct crowd *c = map_get(&l->crowds, key);
	if (c != NULL && c->n >= max) {
		if (!c->told)
			EMIT(&l->host, ASSOC_CROWD, "peer", peer);
		c->told = true;
		return NULL;
	}
	if (c == NULL) {
		c = mem_zero(sizeof *c);
		c->key = key;
		map_put(&l->crowds, key, c);
	}
	c->n++;
	return c;
}

void crowd_leave(struct link *l, struct crowd **cp)
{
	struct crowd *c = *cp;
	*cp = NULL;
	if (c == NULL)
		return;
	c->n--;
	if (c->n <= l->settings->limits.per_address / 2)
		c->told = false;
	if (c->n > 0)
		return;
	map_take(&l->crowds, c->key);
	free(c);
}
