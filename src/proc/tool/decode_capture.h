/* decode_capture.h - packets of a pcap or pcapng file, and the TCP segments in them. Private to decode. */
#pragma once
#include "base/cur.h"
#include "base/err.h"
#include "base/out.h"

enum { CAPTURE_INTERFACES_MAX = 64 };

enum capture_format { CAPTURE_PCAP, CAPTURE_PCAPNG };

struct capture_interface {
	uint32_t link;        /* LINKTYPE_... */
	uint64_t per_second;  /* ticks of its clock */
};

struct capture_file {
	enum capture_format format;
	bool little, nano;    /* byte order; the file counts nanoseconds */
	struct cur cur;
	struct capture_interface interfaces[CAPTURE_INTERFACES_MAX]; /* pcap: one */
	size_t n_interfaces;
};

struct capture_packet {
	uint64_t time_ns;     /* since 1970 UTC */
	uint32_t link;
	struct view octets;   /* good as long as the file's */
};

/* Does the file begin like one of the two formats? */
bool capture_is(struct view file);

/* Reads the header. False: *e says what is wrong. */
MUST_CHECK bool capture_open(struct view file, struct capture_file *f_r, struct err *e);

/* STEP_DONE: a packet. STEP_WAIT: the end. STEP_FAIL: the file is damaged here; nothing more can be read. */
MUST_CHECK enum step capture_next(struct capture_file *f, struct capture_packet *p_r, struct err *e);

/* "Ethernet"; "unknown" for a link type that capture_segment does not read. */
const char *capture_link_name(uint32_t link);

struct capture_address {
	uint8_t family;       /* 4 or 6 */
	uint8_t octets[16];   /* the rest zero */
	uint16_t port;
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

struct capture_segment {
	struct capture_address from, to;
	uint32_t seq, ack;
	unsigned flags;
	struct view payload;  /* what the file has of it */
	size_t length;        /* what it was; more than payload.n when the capture cut packets short */
};

enum capture_what { CAPTURE_TCP, CAPTURE_OTHER, CAPTURE_FRAGMENT, CAPTURE_SHORT };

/* CAPTURE_TCP: *s_r is filled. Else why not: another protocol, an IP fragment, headers cut short. */
enum capture_what capture_segment(const struct capture_packet *p, struct capture_segment *s_r);

/* "192.0.2.1:102", "[2001:db8::1]:102"; appends. */
void capture_address_print(const struct capture_address *a, struct out *o);
