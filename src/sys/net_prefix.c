/* net_prefix.c - see net_prefix.h. */
#include "sys/net_prefix.h"

#include <arpa/inet.h>
#include <string.h>

enum { BITS = 128, MAPPED = 12, TEXT_MAX = 64 }; /* ::ffff:0:0/96 */

static bool host_parse(struct view text, uint8_t octets[16], bool *four_r)
{
	static const uint8_t mapped[MAPPED] = { [10] = 0xff, [11] = 0xff };
	char host[TEXT_MAX];
	if (text.n == 0 || text.n >= sizeof host)
		return false;
	memcpy(host, text.p, text.n);
	host[text.n] = 0;
	*four_r = inet_pton(AF_INET, host, octets + MAPPED) == 1;
	if (*four_r)
		memcpy(octets, mapped, MAPPED);
	return *four_r || inet_pton(AF_INET6, host, octets) == 1;
}

static bool bits_parse(struct view v, unsigned most, unsigned *bits_r)
{
	unsigned n = 0;
	if (v.n == 0 || v.n > 3)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(v.p[i] - '0');
	}
	*bits_r = n;
	return n <= most;
}

static bool bit(const uint8_t *octets, unsigned i)
{
	return (octets[i / 8] >> (7 - i % 8) & 1) != 0;
}

bool net_prefix_parse(const char *text, struct net_prefix *p, struct err *e)
{
	const struct view v = view_str(text);
	struct net_prefix got = { .bits = BITS };
	bool four = false;
	size_t slash = 0;
	while (slash < v.n && v.p[slash] != '/')
		slash++;
	if (!host_parse(view_first(v, slash), got.octets, &four))
		goto bad;
	if (slash < v.n) {
		unsigned bits;
		if (!bits_parse(view_from(v, slash + 1), four ? 32 : BITS, &bits))
			goto bad;
		got.bits = bits + (four ? 8 * MAPPED : 0);
	}
	for (unsigned i = got.bits; i < BITS; i++)
		if (bit(got.octets, i))
			return err_set(e, ERR_LOCAL, ERR_OF_LINK, "host \"%.80s\" has bits set beyond its prefix", text);
	*p = got;
	return true;
bad:
	return err_set(e, ERR_LOCAL, ERR_OF_LINK, "host \"%.80s\": want \"192.0.2.1\", \"192.0.2.0/24\", \"2001:db8::1\" or \"2001:db8::/32\"", text);
}

struct view net_host(const char *address)
{
	const struct view v = view_str(address);
	size_t n = v.n;
	if (strncmp(address, "unix:", 5) == 0)
		return v;
	while (n > 0 && v.p[n - 1] != ':')
		n--;
	if (n == 0)
		return v;
	n--;
	if (n >= 2 && v.p[0] == '[' && v.p[n - 1] == ']')
		return view_first(view_from(v, 1), n - 2);
	return view_first(v, n);
}

bool net_prefix_has(const struct net_prefix *p, const char *address)
{
	uint8_t octets[16];
	bool four;
	if (!host_parse(net_host(address), octets, &four))
		return false;
	for (unsigned i = 0; i < p->bits; i++)
		if (bit(octets, i) != bit(p->octets, i))
			return false;
	return true;
}

bool net_same_host(const char *a, const char *b)
{
	struct net_prefix p = { .bits = BITS };
	bool four;
	return host_parse(net_host(a), p.octets, &four) ? net_prefix_has(&p, b) : view_eq(net_host(a), net_host(b));
}
