/* capture_test.h - the real captures for tests: TCP payloads of a pcap file, by connection and side, and what
 * RFC 1006 and COTP class 0 carry in them. Understands what those files hold: Ethernet, IPv4, no loss. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cur.h"
#include "base/mem.h"
#include "base/out.h"

#include <stdio.h>

enum { CAPTURE_FLIGHTS_MAX = 1024, CAPTURE_CONNECTIONS_MAX = 16 };

struct capture_flight {
	size_t connection;
	bool initiator;   /* sent by the side that opened the connection */
	struct view bytes;
};

struct capture {
	uint8_t *file;
	struct capture_flight v[CAPTURE_FLIGHTS_MAX];
	size_t n, connections;
	struct { uint32_t ports; } open[CAPTURE_CONNECTIONS_MAX];
};

static inline uint32_t capture_le32(struct cur *c)
{
	return __builtin_bswap32(cur_u32(c));
}

static inline void capture_packet(struct capture *cap, struct view packet)
{
	struct cur c = cur_of(packet);
	(void)cur_bytes(&c, 14);
	const size_t ip_header = (cur_u8(&c) & 15u) * 4u;
	(void)cur_u8(&c);
	const size_t ip_total = cur_u16(&c);
	(void)cur_bytes(&c, ip_header - 4);
	const uint32_t from = cur_u16(&c), to = cur_u16(&c);
	(void)cur_bytes(&c, 8);
	const size_t tcp_header = (cur_u8(&c) >> 4) * 4u;
	const unsigned flags = cur_u8(&c);
	(void)cur_bytes(&c, tcp_header - 14);
	const struct view bytes = cur_bytes(&c, ip_total - ip_header - tcp_header);
	assert_false(c.bad);
	if ((flags & 0x12) == 0x02) { /* SYN without ACK: a new connection, maybe of old ports */
		assert_true(cap->connections < CAPTURE_CONNECTIONS_MAX);
		cap->open[cap->connections++].ports = from << 16 | to;
	}
	if (bytes.n == 0)
		return;
	for (size_t i = cap->connections; i-- > 0;) {
		const bool initiator = cap->open[i].ports == (from << 16 | to);
		if (!initiator && cap->open[i].ports != (to << 16 | from))
			continue;
		assert_true(cap->n < CAPTURE_FLIGHTS_MAX);
		cap->v[cap->n++] = (struct capture_flight){ i, initiator, bytes };
		return;
	}
	fail_msg("octets of a connection whose start is not in the file");
}

/* Skips the test without POSTHORN_SHARED. Ends with capture_close. */
static inline struct capture *capture_open(const char *name)
{
	const char *shared = getenv("POSTHORN_SHARED");
	if (shared == NULL || *shared == 0) {
		print_message("POSTHORN_SHARED is not set: the captures are not here\n");
		skip();
	}
	char path[512];
	snprintf(path, sizeof path, "%s/pcap/%s", shared, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	enum { FILE_MAX = 1 << 20 };
	struct capture *cap = mem_zero(sizeof *cap);
	cap->file = mem_alloc(FILE_MAX);
	const size_t n = fread(cap->file, 1, FILE_MAX, f);
	fclose(f);
	struct cur c = cur_of(view_of(cap->file, n));
	assert_int_equal(capture_le32(&c), 0xa1b2c3d4u);
	(void)cur_bytes(&c, 16);
	assert_int_equal(capture_le32(&c), 1); /* Ethernet */
	while (cur_left(&c) > 0) {
		(void)cur_bytes(&c, 8);
		const size_t length = capture_le32(&c);
		(void)cur_bytes(&c, 4);
		capture_packet(cap, cur_bytes(&c, length));
		assert_false(c.bad);
	}
	return cap;
}

static inline void capture_close(struct capture **cap)
{
	MEM_FREE((*cap)->file);
	MEM_FREE(*cap);
}

/* All octets of one side of a connection. */
static inline struct out capture_side(const struct capture *cap, size_t connection, bool initiator)
{
	struct out o;
	out_init(&o, 1 << 24);
	for (size_t i = 0; i < cap->n; i++) {
		if (cap->v[i].connection == connection && cap->v[i].initiator == initiator)
			out_bytes(&o, cap->v[i].bytes);
	}
	return o;
}

/* The next TSDU of a side's octets, joined over its DTs, in *tsdu (emptied first); other TPDUs are skipped. */
static inline bool capture_tsdu(struct cur *c, struct out *tsdu)
{
	out_clear(tsdu);
	while (cur_left(c) > 0) {
		(void)cur_u16(c);
		const size_t length = cur_u16(c);
		struct cur tpdu = cur_of(cur_bytes(c, length - 4));
		assert_false(c->bad);
		const size_t li = cur_u8(&tpdu);
		const unsigned code = cur_u8(&tpdu);
		if (code != 0xf0)
			continue;
		const bool eot = (cur_u8(&tpdu) & 0x80) != 0;
		(void)cur_bytes(&tpdu, li - 2);
		out_bytes(tsdu, cur_rest(&tpdu));
		if (eot)
			return true;
	}
	return false;
}

/* The next SPDU of a TSDU: its code, its parameters; the rest of the TSDU is *c's. */
static inline unsigned capture_spdu(struct cur *c, struct view *parameters_r)
{
	const unsigned si = cur_u8(c);
	size_t li = cur_u8(c);
	if (li == 255)
		li = cur_u16(c);
	*parameters_r = cur_bytes(c, li);
	assert_false(c->bad);
	return si;
}

/* A parameter by its code, groups 1, 5 and 33 looked into no further; empty when absent. */
static inline struct view capture_parameter(struct view parameters, unsigned code)
{
	struct cur c = cur_of(parameters);
	while (cur_left(&c) > 0) {
		struct view value;
		if (capture_spdu(&c, &value) == code)
			return value;
	}
	return (struct view){ NULL, 0 };
}
