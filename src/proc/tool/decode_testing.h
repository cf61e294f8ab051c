/* decode_testing.h - what the tests of decode share: run it into a string, captures made packet by packet from the
 * formats' own descriptions, the octets of tests/corpus/x400_capture. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "proc/tool/decode.h"

#include <stdio.h>
#include <stdlib.h>

struct decoded {
	struct out text;
	struct decode_totals totals;
	bool whole;
};

static inline void collect_text(void *ctx, struct view text)
{
	out_bytes(ctx, text);
}

static inline struct decoded run_decode(struct view file, const struct decode_options *options)
{
	struct decoded d;
	out_init(&d.text, 1 << 28);
	/* An exact copy, so that a read past its end is seen. */
	uint8_t *copy = mem_dup(file.p, file.n);
	d.whole = decode_file(view_of(copy, file.n), options, collect_text, &d.text, &d.totals);
	free(copy);
	assert_false(d.text.bad);
	assert_int_equal(d.whole, d.totals.damaged == 0);
	return d;
}

static inline void decoded_fini(struct decoded *d)
{
	out_fini(&d->text);
}

static inline bool has_text(struct decoded *d, const char *what)
{
	return strstr(out_cstr(&d->text), what) != NULL;
}

/* How often; overlapping ones count once. */
static inline size_t count_text(struct decoded *d, const char *what)
{
	size_t n = 0;
	for (const char *p = out_cstr(&d->text); (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

/* cmocka cuts long messages. */
static inline void fail_with(struct decoded *d, const char *how, const char *what)
{
	fprintf(stderr, "%s\n", out_cstr(&d->text));
	fail_msg("%s \"%s\" in the text above", how, what);
}

#define assert_has(d, what) \
	do { \
		if (!has_text(d, what)) \
			fail_with(d, "no", what); \
	} while (0)
#define assert_has_not(d, what) \
	do { \
		if (has_text(d, what)) \
			fail_with(d, "unwanted", what); \
	} while (0)

/* Reads a whole file; fails the test when it cannot. */
static inline struct out read_whole(const char *path)
{
	struct out o;
	out_init(&o, 1 << 26);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	uint8_t piece[4096];
	for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
		out_bytes(&o, view_of(piece, n));
	fclose(f);
	return o;
}

/* A real capture; skips the test without POSTHORN_SHARED. */
static inline struct out real_capture(const char *name)
{
	const char *shared = getenv("POSTHORN_SHARED");
	if (shared == NULL || *shared == 0) {
		print_message("POSTHORN_SHARED is not set: the captures are not here\n");
		skip();
	}
	char path[1024];
	snprintf(path, sizeof path, "%s/pcap/%s", shared, name);
	return read_whole(path);
}

/* tests/corpus/x400_capture/NAME.hex as text. */
static inline struct out fixture(const char *name)
{
	const char *root = getenv("POSTHORN_SOURCE");
	char path[1024];
	snprintf(path, sizeof path, "%s/tests/corpus/x400_capture/%s.hex", root == NULL ? "." : root, name);
	return read_whole(path);
}

/* --- the octets of a fixture, flight by flight --- */

enum { FLIGHTS_MAX = 600 };

struct flight {
	bool responder;
	struct out octets;
};

struct flights {
	struct flight v[FLIGHTS_MAX];
	size_t n;
};

static inline struct flights *load_flights(const char *name)
{
	struct flights *f = mem_zero(sizeof *f);
	struct out text = fixture(name);
	char *copy = mem_strdup(out_cstr(&text)), *save = NULL;
	for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		if (line[0] == '>' || line[0] == '<') {
			assert_true(f->n < FLIGHTS_MAX);
			f->v[f->n].responder = line[0] == '<';
			out_init(&f->v[f->n++].octets, 1 << 20);
		} else {
			assert_true(text_unhex(&f->v[f->n - 1].octets, view_str(line)));
		}
	}
	free(copy);
	out_fini(&text);
	return f;
}

static inline void free_flights(struct flights **f)
{
	for (size_t i = 0; i < (*f)->n; i++)
		out_fini(&(*f)->v[i].octets);
	MEM_FREE(*f);
}

/* --- captures, octet by octet --- */

enum pcap_form { FORM_LITTLE, FORM_BIG, FORM_LITTLE_NANO, FORM_BIG_NANO, FORM_NG_LITTLE, FORM_NG_BIG };
enum pcap_link { LINK_IS_NULL = 0, LINK_IS_ETHERNET = 1, LINK_IS_RAW = 101, LINK_IS_LOOP = 108, LINK_IS_SLL = 113, LINK_IS_SLL2 = 276 };

struct pcap {
	struct out file;
	enum pcap_form form;
	enum pcap_link link;
	bool vlan, ipv6;
	uint64_t time_ns;     /* of the next packet; goes on by one millisecond */
	uint32_t seq[2];      /* of the initiator, of the responder */
	uint16_t port[2];
};

static inline bool pcap_little(const struct pcap *p)
{
	return p->form == FORM_LITTLE || p->form == FORM_LITTLE_NANO || p->form == FORM_NG_LITTLE;
}

static inline void put32(struct pcap *p, uint32_t x)
{
	out_u32(&p->file, pcap_little(p) ? __builtin_bswap32(x) : x);
}

static inline void put16(struct pcap *p, uint16_t x)
{
	out_u16(&p->file, pcap_little(p) ? __builtin_bswap16(x) : x);
}

static inline void pcap_init(struct pcap *p, enum pcap_form form, enum pcap_link link)
{
	*p = (struct pcap){ .form = form, .link = link, .time_ns = 1700000000000000000u, .seq = { 0xfffffff0u, 1000 },
			    .port = { 2288, 10102 } };
	out_init(&p->file, 1 << 24);
	if (form == FORM_NG_LITTLE || form == FORM_NG_BIG) {
		put32(p, 0x0a0d0d0a); /* section header */
		put32(p, 28);
		put32(p, 0x1a2b3c4d);
		put16(p, 1);
		put16(p, 0);
		put32(p, 0xffffffffu);
		put32(p, 0xffffffffu);
		put32(p, 28);
		put32(p, 1);          /* interface description, if_tsresol 9 */
		put32(p, 32);
		put16(p, (uint16_t)link);
		put16(p, 0);
		put32(p, 0);
		put16(p, 9);
		put16(p, 1);
		out_u32(&p->file, 0x09000000);
		put32(p, 0);
		put32(p, 32);
		return;
	}
	put32(p, form == FORM_LITTLE || form == FORM_BIG ? 0xa1b2c3d4u : 0xa1b23c4du);
	put16(p, 2);
	put16(p, 4);
	put32(p, 0);
	put32(p, 0);
	put32(p, 65535);
	put32(p, link);
}

static inline void put_packet(struct pcap *p, struct view octets)
{
	static const uint8_t zero[4];
	const bool nano = p->form == FORM_LITTLE_NANO || p->form == FORM_BIG_NANO;
	const size_t pad = (4 - octets.n % 4) % 4;
	if (p->form == FORM_NG_LITTLE || p->form == FORM_NG_BIG) {
		put32(p, 6);          /* enhanced packet */
		put32(p, (uint32_t)(32 + octets.n + pad));
		put32(p, 0);
		put32(p, (uint32_t)(p->time_ns >> 32));
		put32(p, (uint32_t)p->time_ns);
		put32(p, (uint32_t)octets.n);
		put32(p, (uint32_t)octets.n);
		out_bytes(&p->file, octets);
		out_bytes(&p->file, view_of(zero, pad));
		put32(p, (uint32_t)(32 + octets.n + pad));
	} else {
		put32(p, (uint32_t)(p->time_ns / 1000000000u));
		put32(p, (uint32_t)(p->time_ns % 1000000000u / (nano ? 1 : 1000)));
		put32(p, (uint32_t)octets.n);
		put32(p, (uint32_t)octets.n);
		out_bytes(&p->file, octets);
	}
	p->time_ns += 1000000;
}

static inline void put_link(struct pcap *p, struct out *o)
{
	const uint16_t type = p->ipv6 ? 0x86dd : 0x0800;
	switch (p->link) {
	case LINK_IS_ETHERNET:
		out_bytes(o, view_of("\2\0\0\0\0\1\2\0\0\0\0\2", 12));
		if (p->vlan)
			out_u32(o, 0x81000005);
		out_u16(o, type);
		break;
	case LINK_IS_SLL:
		out_bytes(o, view_of("\0\0\0\1\0\6\2\0\0\0\0\2\0\0", 14));
		out_u16(o, type);
		break;
	case LINK_IS_SLL2:
		out_u16(o, type);
		out_bytes(o, view_of("\0\0\0\0\0\1\0\1\0\6\2\0\0\0\0\2\0\0", 18));
		break;
	case LINK_IS_NULL:
		out_bytes(o, view_of(p->ipv6 ? "\36\0\0\0" : "\2\0\0\0", 4));
		break;
	case LINK_IS_LOOP:
		out_bytes(o, view_of(p->ipv6 ? "\0\0\0\36" : "\0\0\0\2", 4));
		break;
	case LINK_IS_RAW:
		break;
	}
}

/* RFC 791, RFC 8200: without checksums, which nobody here looks at. */
static inline void put_ip(struct pcap *p, struct out *o, bool responder, size_t n)
{
	const uint8_t from = responder ? 2 : 1, to = responder ? 1 : 2;
	if (p->ipv6) {
		out_u32(o, 0x60000000);
		out_u16(o, (uint16_t)n);
		out_u16(o, 0x0640);
		for (int i = 0; i < 2; i++) {
			out_bytes(o, view_of("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 15));
			out_u8(o, i == 0 ? from : to);
		}
		return;
	}
	out_u16(o, 0x4500);
	out_u16(o, (uint16_t)(n + 20));
	out_u32(o, 0x00004000);
	out_u32(o, 0x40060000);
	out_u32(o, 0xc0000200u + from);
	out_u32(o, 0xc0000200u + to);
}

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* One segment at an absolute sequence number (RFC 9293 3.1), with what the other side has sent confirmed. */
static inline void put_segment(struct pcap *p, bool responder, uint32_t seq, unsigned flags, struct view payload)
{
	struct out o;
	out_init(&o, 1 << 17);
	put_link(p, &o);
	put_ip(p, &o, responder, 20 + payload.n);
	out_u16(&o, p->port[responder]);
	out_u16(&o, p->port[!responder]);
	out_u32(&o, seq);
	out_u32(&o, (flags & ACK) != 0 ? p->seq[!responder] : 0);
	out_u16(&o, (uint16_t)(0x5000 | flags));
	out_u16(&o, 65535);
	out_u32(&o, 0);
	out_bytes(&o, payload);
	if (p->link == LINK_IS_ETHERNET && out_len(&o) < 60) /* frames are padded */
		out_bytes(&o, view_of("\0\0\0\0\0\0", 60 - out_len(&o) < 6 ? 60 - out_len(&o) : 6));
	put_packet(p, out_view(&o));
	out_fini(&o);
}

static inline void put_open(struct pcap *p)
{
	const struct view none = { NULL, 0 };
	put_segment(p, false, p->seq[0]++, SYN, none);
	put_segment(p, true, p->seq[1]++, SYN | ACK, none);
	put_segment(p, false, p->seq[0], ACK, none);
}

static inline void put_close(struct pcap *p)
{
	const struct view none = { NULL, 0 };
	put_segment(p, false, p->seq[0]++, FIN | ACK, none);
	put_segment(p, true, p->seq[1]++, FIN | ACK, none);
	put_segment(p, false, p->seq[0], ACK, none);
}

/* Octets in order, in segments of at most `piece`. */
static inline void put_data(struct pcap *p, bool responder, struct view v, size_t piece)
{
	while (v.n > 0) {
		const struct view now = view_first(v, piece);
		put_segment(p, responder, p->seq[responder], ACK, now);
		p->seq[responder] += (uint32_t)now.n;
		v = view_from(v, piece);
	}
}

static inline void put_flights(struct pcap *p, const struct flights *f, size_t piece)
{
	for (size_t i = 0; i < f->n; i++)
		put_data(p, f->v[i].responder, out_view(&f->v[i].octets), piece);
}
