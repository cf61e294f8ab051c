/* decode_tcp.h - the TCP connections of a capture, each side's octets in order. Private to decode.
 *
 * One pass over the file makes an index; then each connection is played back alone, so that only one is in work at a time.
 * Octets are views of the file, never copied. */
#pragma once
#include "proc/tool/decode_capture.h"

enum { TCP_PENDING_MAX = 512, TCP_PATIENCE = 32 };

struct tcp_connection {
	struct capture_address initiator, responder;
	uint64_t first_ns;
	uint32_t first, last, n;  /* its packets in the index */
	uint32_t isn;
	bool opened;              /* its SYN is in the file, with sequence number isn */
};

struct tcp_packet {
	struct capture_packet packet;
	uint32_t next;
};

struct tcp_index {
	struct tcp_packet *packets;
	size_t n_packets, packets_cap;
	struct tcp_connection *connections;
	size_t n_connections, connections_cap;
	size_t seen, other, fragments, cut; /* packets of the file; those without TCP, with a part of it, with headers cut */
	uint64_t first_ns;                  /* the earliest packet */
	uint32_t link;                      /* of the first packet */
};

/* Indexes all that can be read. False: the file is damaged at some place, *e says how; what stands before is indexed.
 * ports: those that tell which side was called when no SYN is in the file. Ends with tcp_index_fini in any case. */
MUST_CHECK bool tcp_index_init(struct tcp_index *x, struct capture_file *f, const uint16_t *ports, size_t n_ports,
			       struct err *e);
void tcp_index_fini(struct tcp_index *x);

enum tcp_note {
	TCP_OPENS, TCP_ACCEPTS, TCP_ENDS, TCP_RESETS,
	TCP_MIDDLE,       /* its beginning is not in the file */
	TCP_AGAIN,        /* n octets at offset, which were here before */
	TCP_OVERLAP,      /* the first n octets of a segment were here before: the earlier ones count */
	TCP_EARLY,        /* a segment came before n octets that it follows */
	TCP_LOST,         /* n octets from offset on are not in the file */
};

struct tcp_player {
	void *ctx;
	/* responder: sent by the side that was called. */
	void (*octets)(void *ctx, bool responder, struct view v, uint64_t time_ns);
	void (*note)(void *ctx, bool responder, uint64_t time_ns, enum tcp_note note, uint64_t offset, uint64_t n);
};

/* Plays connection i (from 0). A gap is given up when the peer has confirmed what stands behind it and TCP_PATIENCE packets
 * have passed, when too much waits behind it, or at the end. */
void tcp_play(const struct tcp_index *x, size_t i, const struct tcp_player *player);

/* Does one of the first segments with octets, of either side, pass the test, or a side's first octets together? */
bool tcp_any(const struct tcp_index *x, size_t i, bool (*test)(struct view));
