/* tpkt.h - RFC 1006 framing: a byte stream in, TPDUs out, in parts as their octets come.
 * Pure: no socket, no clock, no log. The buffer is taken at the first octet, grows with what is fed up to
 * buf_max, and can be given back while nothing is in it: an idle connection keeps none. A TPDU may be much
 * longer than the buffer: its user passes the octets on and takes them. */
#pragma once
#include "base/err.h"

enum {
	TPKT_HEADER = 4,
	TPKT_MIN = 7,          /* RFC 1006 6: shortest packet, header included */
	TPKT_MAX = 65535,
	TPKT_TPDU_MAX = 65531, /* longest TPDU */
	TPKT_BUF_MIN = 512,    /* a COTP header (256) and a TPKT header fit */
};

struct tpkt;

struct tpkt_part {
	struct view bytes; /* octets of the current TPDU that are here and not yet taken; good until feed, space or rest */
	size_t left;       /* octets of it not yet taken, here or not: left >= bytes.n */
};

/* Never fails. buf_max (at least TPKT_BUF_MIN): most octets it holds. The caller owns the result. */
struct tpkt *tpkt_new(size_t buf_max);

/* Frees *t and sets it to NULL; a NULL *t is fine. */
void tpkt_free(struct tpkt **t);

/* Copies in as much of src as fits and returns how much. Ends all views. */
size_t tpkt_feed(struct tpkt *t, struct view src);

/* The same without a copy: room for a socket to read into (*n_r octets, 0 and NULL when full), then how many
 * came. Ends all views. Room is at least `want` where the limit allows it. */
uint8_t *tpkt_space(struct tpkt *t, size_t want, size_t *n_r);
void tpkt_filled(struct tpkt *t, size_t n);

/* STEP_DONE: *part_r describes the current TPDU; the same until octets are taken or fed. bytes may be empty.
 * STEP_WAIT: no whole TPKT header is here.
 * STEP_FAIL: the stream is out of step for good; drop the connection. Every later call fails too. */
MUST_CHECK enum step tpkt_peek(struct tpkt *t, struct tpkt_part *part_r, struct err *e);

/* Takes the first n octets of the current part (n <= bytes.n of the last peek). When none is left the next peek
 * looks at the next packet. Views stay good. */
void tpkt_take(struct tpkt *t, size_t n);

/* Gives the buffer back to the heap if nothing is in it. Ends all views. */
void tpkt_rest(struct tpkt *t);

/* Octets of buffer held now. */
size_t tpkt_buffer_size(const struct tpkt *t);

/* Writes the header of a packet that carries a TPDU of tpdu_len octets (3..TPKT_TPDU_MAX). */
void tpkt_put_header(uint8_t p[TPKT_HEADER], size_t tpdu_len);
