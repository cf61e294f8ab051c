/* console_int.h - inside the console: what its parts share, and a request on its way through a handler. */
#pragma once
#include "base/arena.h"
#include "proc/console/console.h"
#include "proc/console/feed.h"
#include "proc/console/jout.h"
#include "proc/console/sampler.h"
#include "proc/console/server.h"
#include "proc/console/session.h"
#include "proc/console/stream.h"
#include "proc/console/upstream.h"
#include "proc/table/rows.h"

enum {
	TASK_ARENA = 96 * 1024 * 1024, /* most that one request may take: an envelope of 32,000 recipients */
	TASK_ANSWER = 24 * 1024 * 1024,
	HELD = 256 * 1024 * 1024,      /* by all requests: what is found for them, and answers that were not taken yet */
	HELD_OF_ONE = 48 * 1024 * 1024, /* by those of one user, or of one address without a user */
	HELD_AGAIN_S = 5,              /* who has too much is to come again then */
	TASK_SLICE_MS = 600,           /* bulk acts: then the answer says where to go on */
	TASK_BATCH = 50,               /* acts at once: each is a line of the audit */
	ROWS_DEFAULT = 50, ROWS_MOST = 500,
};

struct console {
	unsigned magic;
#define CONSOLE_MAGIC 0xc0450e1eu
	struct actor_host host;
	const struct settings *settings;
	struct server *server;
	struct sessions *sessions;
	struct upstream *up;
	struct sampler *sampler;
	struct feed *feed;
	struct stream_hub *hub;
	struct out scratch;            /* one frame, one answer */
	struct timer review;           /* sessions of viewers */
	uint64_t told_series;          /* which links those who follow were told of last */
	int64_t told_ms;               /* the last overview was sent */
};

/* Who asks. */
struct who {
	bool known;
	char user[65], token[SESSION_TEXT + 1];
	enum console_role role;
};

/* One request and all it needs; it goes with the request. */
struct task {
	unsigned magic;
#define TASK_MAGIC 0x7a5c0001u
	struct console *console;
	struct request *request;
	struct who who;
	struct arena *arena;
	struct out out;                /* the answer under way */
	struct jout j;
	struct call call;
	bool answered;
	/* What a handler keeps between its steps: */
	uint64_t id, after, max, last, next, looked;
	size_t rows;
	int64_t began_ms, first_ms, before_ms;
	const char *kind;
	struct parse_act act;
	enum msg_act what;
	const char *who_text;          /* "console:NAME" */
	uint64_t counts[4], found;     /* enum msg_acted_what */
	uint64_t *ids;
	size_t n_ids, at_id, n_batch;
	char why[200];                 /* the first refusal */
	struct out more;               /* octets of an envelope */
	struct out row;                /* pairs of the row */
};

typedef void handler_f(struct task *t);

/* --- answers: exactly one of them for each task, now or later --- */
void task_fail(struct task *t, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void task_failed(struct task *t, int status, const struct err *e);
/* What upstream says of a call that failed or was refused. */
void task_upstream_failed(struct task *t, const struct call *c, const struct err *e);
void task_answer(struct task *t);       /* t->out is JSON */
/* {"done":true} */
void task_done(struct task *t);
/* What was found for it has grown. False: more than may be held; it is answered, and its call forgotten. */
MUST_CHECK bool task_grown(struct task *t);
/* An answer of n octets: false: more than may be held; it is answered that it is to come again. */
MUST_CHECK bool task_may_hold(struct task *t, size_t n);
static inline struct task *task_of(struct call *c)
{
	struct task *t = CONTAINER(c, struct task, call);
	CHECK(t, TASK_MAGIC);
	return t;
}
/* Parameters after and max. False: answered. */
MUST_CHECK bool task_page(struct task *t);

/* --- handlers --- */
handler_f api_session, api_login, api_logout, api_contract;                     /* http_login.c */
handler_f api_overview, api_history, api_stream, api_metrics, api_events;       /* api_now.c */
handler_f api_link, api_link_act;                                               /* api_link.c */
handler_f api_queue, api_quarantine, api_trace, api_track;                      /* api_list.c */
handler_f api_queue_act, api_quarantine_act;                                    /* api_act.c */
handler_f api_message, api_text;                                                /* api_message.c */

/* http.c */
extern const struct server_events http_events; /* ctx: the console */
/* "mta.example" or an address as a browser names us. */
void http_cookie_name(const struct console *c, char name[32]);

/* The fields of a ROW as members of an open object, with our names, as docs/openapi.yaml has them. */
void pairs_put(struct jout *j, struct view pairs);
