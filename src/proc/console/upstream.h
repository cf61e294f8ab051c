/* upstream.h - the console as a client: of the switch (socket control), the reader (read) and the recorder (events), as the commands are. A
 * connection that ends is opened again; who waited for it is told at once, and everybody is told when his time is over. */
#pragma once
#include "proc/table/msgs.h"
#include "sys/chan.h"

enum upstream_socket { UPSTREAM_SWITCH, UPSTREAM_READER, UPSTREAM_RECORDER, UPSTREAM_COUNT };
enum { UPSTREAM_PATIENCE_MS = 5000, UPSTREAM_AGAIN_MS = 100, UPSTREAM_AGAIN_MOST_MS = 2000 };

struct upstream;
struct call_answer;

/* A question on its way. In its owner, who keeps it until end() was called, or calls upstream_forget. */
struct call {
	/* Rows, one by one. False: enough, the rest is not wanted. May be NULL. */
	bool (*row)(struct call *c, struct view pairs);
	/* The end. failed NULL: it was answered, `answer` says what: views good during the call. */
	void (*end)(struct call *c, const struct call_answer *answer, const struct err *failed);
	/* Upstream's own: */
	uint64_t id;
	enum upstream_socket socket;
	bool away;               /* the failure: it is not there, or takes too long (503) */
	struct timer timer;
	struct upstream *up;     /* NULL: not on its way */
	struct call *next;
};

struct call_answer {
	bool more;               /* rows: there are others */
	uint64_t looked;         /* rows: how far was looked; 0: not told */
	struct err err;          /* kind ERR_NONE, or why it was refused */
	struct view what;        /* ACTED: outcomes; SHOWN_MAIL: what was rendered */
};

struct upstream_events {
	/* It is there, or away since just now: sockets that came and went. */
	void (*turned)(void *ctx, enum upstream_socket s, bool here);
	/* Frames that answer no call. */
	void (*status_link)(void *ctx, const struct msg_status_link *m);
	void (*status_end)(void *ctx, const struct msg_status_end *m);
	void (*metric)(void *ctx, struct view payload);
	void (*metrics_end)(void *ctx);
	void (*event)(void *ctx, const struct msg_event *m);
	void (*followed)(void *ctx, const struct msg_followed *m);
};

/* directory: of the store, where the sockets are. */
struct upstream *upstream_new(struct env *env, const char *directory, const struct upstream_events *events, void *ctx);
void upstream_free(struct upstream **u); /* who waits is told nothing */
bool upstream_is_here(const struct upstream *u, enum upstream_socket s);
/* It answers nothing: the connection is given up, and opened again. */
void upstream_lost(struct upstream *u, enum upstream_socket s, const char *why);

/* Each tells c->end later, never from inside the call: answered, or failed for want of the other side. */
void upstream_ask(struct upstream *u, struct call *c, enum msg_question what, struct view of, uint64_t after, uint32_t max);
void upstream_act(struct upstream *u, struct call *c, enum msg_act act, const char *arg, const char *who, const char *why, const uint64_t *ids,
		  size_t n);
void upstream_show(struct upstream *u, struct call *c, uint64_t id);
void upstream_link(struct upstream *u, struct call *c, enum msg_link_act act, const char *link, const char *who, const char *why);
void upstream_forget(struct call *c);

/* Questions without a call. */
void upstream_status(struct upstream *u);
void upstream_metrics(struct upstream *u);
void upstream_follow(struct upstream *u, const struct msg_follow *m);
