/* net_prefix.h - numeric hosts and networks, IPv4 and IPv6: whether an address is among them. No names, no look-up. */
#pragma once
#include "base/err.h"
#include "base/view.h"

struct net_prefix {
	uint8_t octets[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned bits;      /* that count, of 128 */
};

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32". Bits beyond the prefix have to be zero: "192.0.2.1/24" is a slip. */
MUST_CHECK bool net_prefix_parse(const char *text, struct net_prefix *p_r, struct err *e);

/* Is the host of "192.0.2.1:102", "[2001:db8::1]:102" in it? False for anything else. A mapped IPv4 address is that IPv4 address. */
bool net_prefix_has(const struct net_prefix *p, const char *address);

/* The host of an address with a port: "192.0.2.1", "2001:db8::1"; anything else whole. A view into `address`. */
struct view net_host(const char *address);
/* The same host in two addresses, however they are written. */
bool net_same_host(const char *a, const char *b);
