/* pcap.c - see pcap.h. Formats: the libpcap file format (little-endian, microseconds); RFC 791 3.1; RFC 793 3.1. */
#include "flow/wire/pcap.h"

enum {
	LINKTYPE_RAW = 101, SNAPLEN = 65535,
	IP_HEADER = 20, TCP_HEADER = 20, PROTOCOL_TCP = 6,
	FIN = 0x01, SYN = 0x02, PSH = 0x08, ACK = 0x10,
};

static void little32(struct out *o, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		out_u8(o, (uint8_t)(x >> (8 * i)));
}

static void little16(struct out *o, uint16_t x)
{
	out_u8(o, (uint8_t)x);
	out_u8(o, (uint8_t)(x >> 8));
}

void pcap_begin(struct out *o)
{
	little32(o, 0xa1b2c3d4);
	little16(o, 2);
	little16(o, 4);
	little32(o, 0);
	little32(o, 0);
	little32(o, SNAPLEN);
	little32(o, LINKTYPE_RAW);
}

/* --- one packet --- */

static uint32_t sum(uint32_t at, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		at += (uint32_t)v.p[i] << (i % 2 == 0 ? 8 : 0);
	return at;
}

static uint16_t folded(uint32_t x)
{
	while (x > 0xffff)
		x = (x & 0xffff) + (x >> 16);
	return (uint16_t)~x;
}

static void set16(struct out *o, size_t at, uint16_t x)
{
	uint8_t *p = o->p + o->head + at;
	p[0] = (uint8_t)(x >> 8);
	p[1] = (uint8_t)x;
}

static void ip_header(struct out *o, const struct pcap_connection *c, unsigned who, size_t n)
{
	out_u8(o, 0x45);
	out_u8(o, 0);
	out_u16(o, (uint16_t)(IP_HEADER + TCP_HEADER + n));
	out_u16(o, 0);
	out_u16(o, 0x4000); /* not to be fragmented */
	out_u8(o, 64);
	out_u8(o, PROTOCOL_TCP);
	out_u16(o, 0);
	out_u32(o, c->address[who]);
	out_u32(o, c->address[!who]);
}

static void tcp_header(struct out *o, const struct pcap_connection *c, unsigned who, unsigned flags)
{
	out_u16(o, c->port[who]);
	out_u16(o, c->port[!who]);
	out_u32(o, c->next[who]);
	out_u32(o, (flags & ACK) != 0 ? c->next[!who] : 0);
	out_u8(o, TCP_HEADER / 4 << 4);
	out_u8(o, (uint8_t)flags);
	out_u16(o, 0xffff);
	out_u16(o, 0);
	out_u16(o, 0);
}

static void packet(struct out *o, struct pcap_connection *c, unsigned who, unsigned flags, struct view v, int64_t wall_us)
{
	const uint32_t n = (uint32_t)(IP_HEADER + TCP_HEADER + v.n);
	if (out_room(o) < n + 16)
		o->bad = true;
	little32(o, (uint32_t)(wall_us / 1000000));
	little32(o, (uint32_t)(wall_us % 1000000));
	little32(o, n);
	little32(o, n);
	const size_t ip = out_len(o), tcp = ip + IP_HEADER;
	ip_header(o, c, who, v.n);
	tcp_header(o, c, who, flags);
	out_bytes(o, v);
	if (o->bad)
		return;
	const struct view all = view_from(out_view(o), ip);
	set16(o, ip + 10, folded(sum(0, view_first(all, IP_HEADER))));
	/* the pseudo header: addresses, protocol, length */
	const uint32_t pseudo = sum(PROTOCOL_TCP + TCP_HEADER + (uint32_t)v.n, view_first(view_from(all, 12), 8));
	set16(o, tcp + 16, folded(sum(pseudo, view_from(all, IP_HEADER))));
	c->next[who] += (uint32_t)v.n + ((flags & (SYN | FIN)) != 0);
}

void pcap_open(struct out *o, struct pcap_connection *c, int64_t wall_us)
{
	static const struct view none = { NULL, 0 };
	packet(o, c, 0, SYN, none, wall_us);
	packet(o, c, 1, SYN | ACK, none, wall_us);
	packet(o, c, 0, ACK, none, wall_us);
}

void pcap_octets(struct out *o, struct pcap_connection *c, unsigned who, struct view v, int64_t wall_us)
{
	for (; v.n > 0; v = view_from(v, PCAP_SEGMENT))
		packet(o, c, who, PSH | ACK, view_first(v, PCAP_SEGMENT), wall_us);
}

void pcap_close(struct out *o, struct pcap_connection *c, unsigned who, int64_t wall_us)
{
	static const struct view none = { NULL, 0 };
	packet(o, c, who, FIN | ACK, none, wall_us);
	packet(o, c, !who, FIN | ACK, none, wall_us);
	packet(o, c, who, ACK, none, wall_us);
}
