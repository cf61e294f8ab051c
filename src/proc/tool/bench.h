/* bench.h - inside `posthorn bench`: associations that send as fast as they are confirmed, and associations that confirm
 * whatever comes. One process and one loop, so that begin and arrival of a message are read from one clock. */
#pragma once
#include "flow/engine/x400/x400.h"
#include "flow/message/message.h"
#include "sys/env.h"

enum {
	BENCH_START = 4096,               /* octets of an arriving transfer in which its identifier is looked for */
	BENCH_BLOCK = 64 * 1024,          /* content is this block again and again */
	BENCH_UNSENT_HIGH = 256 * 1024,   /* octets waiting in a socket's buffer before we stop producing */
	BENCH_PATIENCE_MS = 30 * 1000,    /* without a confirmation or an arrival for so long: given up */
};

struct bench_options {
	const char *to, *listen;          /* addresses; NULL: no load, no sink */
	const char *mta, *password;       /* ours, in the bind */
	const char *recipient;            /* O/R address; # in it is the recipient's number, 0.., % that number modulo 1000 */
	unsigned recipients;              /* of each message */
	unsigned associations, checkpoint_k, window;
	uint64_t messages, warm, size;    /* messages: at most, after the warm-up; size: octets of content */
	uint64_t first;                   /* number of the first message */
	const char *run;                  /* part of each MTS-identifier, NULL: random; a sink alone that has one waits for `messages` */
	uint64_t every;                   /* so many arrivals are told, and the first; 0: none */
	enum priority priority;
	bool report;                      /* non-delivery is to be reported */
	int64_t pause_ms;                 /* from the beginning of a message to that of the next, at least */
	int64_t duration_ms;              /* no message begins later than this after the warm-up; 0: no such limit */
	bool json;
};

/* A message we send, by its number. */
struct bench_item {
	int64_t began_us;
	uint32_t confirmed_us, arrived_us; /* after began_us; 0: not yet */
};

struct bench {
	unsigned magic;
#define BENCH_MAGIC 0xbe4cbe4cu
	struct bench_options o;
	struct env *env;
	struct listener *listener;
	struct bench_peer *peers;         /* all, of load and sink */
	struct out head;                  /* encoded octets before the content, its number to be patched */
	size_t number_at;
	char run[12];                     /* part of each MTS-identifier: tells this run's messages from older ones */
	uint8_t *block;
	struct bench_item *items;
	uint64_t n_items, cap_items;      /* begun */
	uint64_t confirmed, arrived, duplicates, foreign, short_ones, failed;
	uint64_t arrivals_before;         /* of the warm-up */
	int64_t start_us, last_us, moved_ms;
	bool warmed, ended;
	struct timer patience, pace;
	struct err why;                   /* ERR_NONE: ended well */
};

struct bench_peer {
	unsigned magic;
#define BENCH_PEER_MAGIC 0xbe4cbee4u
	struct bench *b;
	struct bench_peer *next;
	struct stream *stream;
	struct x400 *x;
	struct timer timer;
	bool initiator, bound, dead, pumping;
	/* load */
	bool sending;
	uint64_t number, left;            /* message under way, content octets to go */
	int64_t began_ms;                 /* of the last message */
	struct out head;
	/* sink */
	uint8_t start[BENCH_START];
	size_t n_start;
	uint64_t got;                     /* octets of this transfer */
};

/* bench_peer.c: a socket and a machine. */
struct bench_peer *bench_connect(struct bench *b, struct err *e);    /* NULL: the address is wrong */
void bench_accepted(void *ctx, struct stream *s);                    /* an accept_f; ctx is the bench */
void bench_pump(struct bench_peer *p);
void bench_peers_free(struct bench *b);

/* bench_load.c: what is sent. */
MUST_CHECK bool bench_load_init(struct bench *b, struct err *e);
void bench_load_next(struct bench_peer *p);                          /* begins a message if one is due and the machine is free */
void bench_load_produce(struct bench_peer *p);                       /* octets of the one under way */
void bench_load_confirmed(struct bench_peer *p);

/* bench_sink.c: what arrives. */
void bench_sink_begin(struct bench_peer *p);
void bench_sink_octets(struct bench_peer *p, struct view octets);
void bench_sink_end(struct bench_peer *p);

/* bench.c */
void bench_moved(struct bench *b);                                   /* after each confirmation and arrival: warm? over? */
bool bench_may_begin(const struct bench *b);
void bench_fail(struct bench *b, const struct err *why);             /* ends the run */
