/* server.h - HTTP on libmicrohttpd inside our loop: no threads, its epoll descriptors are watched like any other. It bounds what a client can
 * cost before anybody looks at what he wants: connections, their number of one address, octets of headers and bodies, and time: a request
 * that is not whole after SERVER_REQUEST_MS, however slowly it drips, ends its connection. And what he costs afterwards: an answer is held
 * until its octets are taken, and who takes them slowly on many connections gets no more answers meanwhile. */
#pragma once
#include "proc/console/parse.h"
#include "sys/env.h"

enum {
	SERVER_DOORS = 32,
	SERVER_MEMORY = 24 * 1024,       /* of a connection: headers and what is being sent */
	SERVER_REQUEST_MS = 10 * 1000,   /* from the first octet (or the answer before) to the end of the request */
	SERVER_SILENT_S = 20,            /* nothing taken of an answer */
	SERVER_UNSENT = 128 * 1024,      /* that the system keeps of an answer for who does not read; it takes about twice that */
	SERVER_ANSWER_MS = 120 * 1000,   /* for all of an answer that is no stream */
	SERVER_SMALL = 32 * 1024,        /* an answer as small as that is always held: what a refusal is, and what an act has done */
};

struct server_limits {
	unsigned connections, of_address;
	size_t held, held_of_one; /* octets of memory for requests and answers under way: of all, and of one payer */
};

struct server;
struct request;

/* A stream of server-sent events: octets for the client, at most n; 0: none now (request_wake when there are). *end_r: no more for ever; with
 * *broken_r the client has missed some. */
struct server_stream {
	size_t (*read)(void *ctx, uint8_t *to, size_t n, bool *end_r, bool *broken_r);
	/* The client has gone, or took nothing for SERVER_SILENT_S and was ended: silent. Last call. */
	void (*gone)(void *ctx, bool silent);
};

struct server_events {
	/* A whole request: answered before it returns, or later (request_later). */
	void (*handle)(void *ctx, struct request *r);
	/* The client has gone, or has its answer: r->user is to be given up. Last call about r. */
	void (*gone)(void *ctx, struct request *r);
	/* A client was turned away before he had a request: why (a word for the event), his address. */
	void (*refused)(void *ctx, const char *why, const char *address);
};

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

struct request {
	unsigned magic;
#define REQUEST_MAGIC 0x4e90e570u
	struct server *server;
	enum method method;
	struct target target;
	char address[PARSE_ADDRESS]; /* of the peer, without the port; the handler may know better */
	char payer[72];          /* whom its memory is charged to: the address, until the handler knows better */
	struct out body;
	void *user;
	/* The server's own: */
	size_t held;
	int target_status;       /* 0: the target makes sense */
	struct err target_error;
	struct MHD_Connection *mhd;
	struct MHD_Response *response;
	int status;
	struct visitor *visitor;
	bool begun, handled, later, suspended;
	const struct server_stream *stream;
	void *stream_ctx;
	struct request *next, **prev;
};

struct server *server_new(struct env *env, const struct server_limits *limits, const struct server_events *events, void *ctx);
/* Whoever waits gets 503, streams end, listeners are closed. */
void server_free(struct server **s);
/* Takes the listening descriptor over. number: to end it by. */
MUST_CHECK bool server_listen(struct server *s, uint64_t number, int fd, struct err *e);
void server_unlisten(struct server *s, uint64_t number);
/* The ports that are listened on. */
size_t server_ports(const struct server *s, uint16_t *ports, size_t max);
size_t server_connections(const struct server *s);

/* The first header of that name; empty: none. n_r: how many there are; may be NULL. Good while the request is. */
struct view request_header(const struct request *r, const char *name, unsigned *n_r);

/* It holds so many octets from now on, in place of what it held. False: its payer holds too much already, or all together do; what it held
 * stays as it was, and it is to be answered in a few words: 503. */
MUST_CHECK bool request_hold(struct request *r, size_t octets);
/* It is answered later, by one of the next three. */
void request_later(struct request *r);
/* Once. octets are copied, and held until they are taken, whether request_hold was asked or not; the body is given up. extra: more headers, "Name: value" each, ended by NULL; NULL: none. */
void request_answer(struct request *r, int status, const char *type, struct view octets, const char *const *extra);
/* The same with octets that live as long as the program. */
void request_answer_static(struct request *r, int status, const char *type, struct view octets, const char *const *extra);
void request_stream(struct request *r, const struct server_stream *stream, void *ctx);
/* Its connection ends at once; what of its stream is unsent is thrown away, in the system too. */
void request_cut(struct request *r);
/* There are octets for its stream. */
void request_wake(struct request *r);
