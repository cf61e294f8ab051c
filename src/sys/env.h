/* env.h - the world as a parameter: the only door to time, random numbers, timers, byte streams and files
 * for everything above sys/. Two worlds stand behind it: sys/loop.c (libuv, the real one) and tests/sim
 * (many processes in one, a clock that jumps). One env is one process; nothing here is thread safe.
 *
 * Callbacks run from the loop, never from inside a call made by the user of env (no re-entry):
 * a stream opened, written or closed reports later. */
#pragma once
#include "base/err.h"
#include "base/out.h"

struct env;

/* --- time. Milliseconds. env_now is monotonic and constant during one turn of the loop. --- */
int64_t env_now_ms(const struct env *env);
int64_t env_wall_ms(const struct env *env);  /* since 1970 UTC */
int64_t env_precise_us(struct env *env);     /* monotonic microseconds, read now; for measuring only */
uint64_t env_random(struct env *env);

/* What is alive: to see that nothing is leaked. */
struct env_counts {
	size_t timers, streams, files; /* timers: set ones */
};
struct env_counts env_count(const struct env *env);

/* --- timers, embedded in their owner. --- */
typedef void timer_f(void *ctx);
struct timer {
	struct env *env;
	timer_f *fire;
	void *ctx;
	int64_t at_ms;
	uint64_t age; /* ties fire in the order of setting */
	size_t slot;  /* 1 + place in the heap; 0: not set */
};
void timer_init(struct timer *t, struct env *env, timer_f *fire, void *ctx);
void timer_set(struct timer *t, int64_t at_ms);        /* absolute, by env_now_ms; sets anew if set */
void timer_after(struct timer *t, int64_t delay_ms);
void timer_stop(struct timer *t);                      /* fine when not set; must be stopped before its memory goes */
static inline bool timer_is_set(const struct timer *t) { return t->slot != 0; }

/* --- work at the end of this turn: after all ready callbacks, before the loop sleeps. Hooks run in the order of
 * `order`, every turn; a commit hook (order 0) before a flush hook. Streams are flushed after all hooks. --- */
struct env_hook {
	void (*run)(void *ctx);
	void *ctx;
	int order;
	struct env_hook *next;
};
void env_add_hook(struct env *env, struct env_hook *hook);
void env_remove_hook(struct env *env, struct env_hook *hook);

/* Runs f(ctx) once, in this turn, when the current callback has returned: to free what is on the stack. */
void env_defer(struct env *env, void (*f)(void *ctx), void *ctx);

/* --- addresses: numeric only ("127.0.0.1:102", "[::1]:102", "unix:/path"). --- */
struct net_addr {
	char text[108];
};
MUST_CHECK bool net_addr_parse(const char *text, struct net_addr *addr_r, struct err *e);

/* --- byte streams: TCP, Unix sockets, and the channels between processes. --- */
struct stream;

struct stream_events {
	/* Connected (outgoing only). Not called if it fails: closed is. */
	void (*opened)(void *ctx);
	/* Octets have come; returns how many were taken. What is left is kept, reading stops, and the call comes again after
	 * stream_resume. `data` is good during the call. */
	size_t (*data)(void *ctx, struct view data);
	/* Unsent octets have fallen below the low mark (STREAM_LOW) after having been above. May be NULL. */
	void (*drained)(void *ctx);
	/* The peer's end of file, or an error; last call. The user still calls stream_close. why->text says what. */
	void (*closed)(void *ctx, const struct err *why);
};
enum { STREAM_LOW = 64 * 1024 };

/* Never fails at once: a refusal comes through closed(). from: local address to bind, or NULL. */
struct stream *env_connect(struct env *env, const struct net_addr *to, const struct net_addr *from,
			   const struct stream_events *events, void *ctx);

/* Sets who is told, for streams that came from a listener or a parent. */
void stream_set_events(struct stream *s, const struct stream_events *events, void *ctx);

/* Queues octets; they leave together at the end of the turn (one writev a stream). Never fails: an error comes through closed(). */
void stream_write(struct stream *s, struct view data);
size_t stream_unsent(const struct stream *s);
void stream_pause(struct stream *s);   /* no data() until resume */
void stream_resume(struct stream *s);
/* Closes and nulls. Unsent octets: flush = true tries to send them for up to 5 s in the background, false drops them. No callback
 * comes any more. */
void stream_close(struct stream **s, bool flush);
const char *stream_peer(const struct stream *s); /* address as text, for events */
/* The user (uid) whose process is at the other end of a Unix socket that was accepted, as the kernel says; -1: not known. */
int64_t stream_user(const struct stream *s);

/* The transport asks, after so long without octets, whether the peer is still there. One that answers nothing for twice as long is
 * gone, as is one that takes nothing of what was sent for so long: closed() says so. 0: it does not ask (as at first). */
void stream_set_keepalive(struct stream *s, int64_t silence_ms);

/* What stands between a stream's user and the network: TLS. The calls append to the outs; they never call the stream.
 * The user's opened() comes when the filter is ready, for accepted streams nothing says so but their first data(). */
struct stream_filter {
	/* First call: says what there is to say at once. */
	bool (*begin)(void *ctx, struct out *to_network, struct err *e);
	/* Octets of the network, or none. False: the stream is over, closed() says why when *to_network has left. */
	bool (*receive)(void *ctx, struct view octets, struct out *to_user, struct out *to_network, struct err *e);
	bool (*ready)(const void *ctx);
	/* Octets of the user; only when ready. */
	bool (*send)(void *ctx, struct view octets, struct out *to_network, struct err *e);
	void (*end)(void *ctx, struct out *to_network); /* the user has closed */
	void (*free)(void *ctx);
};
/* Once, right after env_connect or accepting, before octets have gone or come. The stream owns ctx from now on. Not for streams that
 * are built in place (stream_builder). */
void stream_set_filter(struct stream *s, const struct stream_filter *f, void *ctx, bool accepted);
void *stream_filter_ctx(const struct stream *s, const struct stream_filter *f); /* NULL: it has no such filter */

struct listener;
typedef void accept_f(void *ctx, struct stream *s); /* the callee owns s and sets its events at once */
/* For tests, tools and the simulator; processes get theirs from the supervisor (process.h). *addr_io: port 0 is replaced
 * by the one chosen. NULL with *e set when the address is in use or not ours. */
MUST_CHECK struct listener *env_listen(struct env *env, struct net_addr *addr_io, accept_f *accepted, void *ctx,
				       struct err *e);
/* Stops taking connections (they wait in the kernel's queue) and starts again. */
void listener_pause(struct listener *l, bool paused);
void listener_close(struct listener **l);

/* --- the host's network. changed(ctx) is called when interfaces have gone up or down, addresses or routes have come or gone: once
 * for all that changes within NETWORK_SETTLE_MS. One watch an env; unwatch is fine without one. False: this world or system does
 * not tell. --- */
typedef void network_f(void *ctx);
enum { NETWORK_SETTLE_MS = 1000 };
MUST_CHECK bool env_watch_network(struct env *env, network_f *changed, void *ctx, struct err *e);
void env_unwatch_network(struct env *env);

/* --- a folder anywhere, told of by the kernel: names in it have come or gone, or files in it were written. Only what this host does is told:
 * on a file server others do it unseen, so who watches polls too. May block as a path's lookup does.
 * changed(ctx, NULL): for all that changes within FOLDER_SETTLE_MS once. changed(ctx, why): the folder is gone, or nothing more is told:
 * once, the last call; the user still calls folder_unwatch, which is fine inside the call too. --- */
struct folder_watch;
typedef void folder_f(void *ctx, const struct err *gone);
enum { FOLDER_SETTLE_MS = 50 };
/* NULL with *e set: there is no such folder, or it cannot be watched (this world, a limit of the system): poll. */
MUST_CHECK struct folder_watch *env_watch_folder(struct env *env, const char *path, folder_f *changed, void *ctx, struct err *e);
void folder_unwatch(struct folder_watch **w);

/* --- a descriptor of a library that brings its own waiting (the epoll descriptor of the HTTP server). ready(ctx) is called in each turn in
 * which it can be read, until it was; never from inside a call. The descriptor stays the caller's and has to outlive the watch. --- */
struct fd_watch;
/* NULL with *e set: this world has no descriptors. */
MUST_CHECK struct fd_watch *env_watch_fd(struct env *env, int fd, void (*ready)(void *ctx), void *ctx, struct err *e);
void fd_unwatch(struct fd_watch **w); /* a NULL *w is fine; fine inside ready() too */

/* --- files (content files beside the store). Paths are relative to the env's directory. Reads and writes go to the page
 * cache and are done at once; sync is done off the loop. --- */
/* That directory, for a library that opens files by itself (the database); NULL when there is none. Lives as long as env. */
const char *env_directory(const struct env *env);
struct file;
MUST_CHECK struct file *env_file_create(struct env *env, const char *name, struct err *e); /* exclusive; NULL on failure */
MUST_CHECK struct file *env_file_open(struct env *env, const char *name, struct err *e);   /* to read */
MUST_CHECK bool file_append(struct file *f, struct view data, struct err *e);
/* Reads at most n octets at offset into buf; *got_r < n only at the end of the file. */
MUST_CHECK bool file_read(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
/* done(ctx, NULL) when the data and the name are on disk; done(ctx, err) when that failed: never tried again, the data count as
 * lost. A file may be closed only after done. */
typedef void file_done_f(void *ctx, const struct err *failed);
void file_sync(struct file *f, file_done_f *done, void *ctx);
void file_close(struct file **f);
MUST_CHECK bool env_file_remove(struct env *env, const char *name, struct err *e); /* a missing file is fine */
/* Calls each(ctx, name) for every regular file in the directory `name`. */
MUST_CHECK bool env_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx,
			      struct err *e);

/* Octets that a user like us may still write below the directory. False: this world or system does not say. */
MUST_CHECK bool env_disk_free(struct env *env, uint64_t *octets_r);

/* --- behind the door: what a world provides. Only worlds and env.c look inside. --- */
struct env_ops {
	int64_t (*wall_ms)(struct env *env);
	int64_t (*precise_us)(struct env *env);
	uint64_t (*random)(struct env *env);
	struct stream *(*connect)(struct env *env, const struct net_addr *to, const struct net_addr *from);
	struct listener *(*listen)(struct env *env, struct net_addr *addr_io, accept_f *accepted, void *ctx, struct err *e);
	void (*listener_pause)(struct listener *l, bool paused);
	void (*listener_close)(struct listener *l);
	/* stream: see struct stream below */
	void (*stream_flush)(struct stream *s);  /* there are octets in s->unsent; may do nothing when it waits for room */
	void (*stream_want_read)(struct stream *s, bool want);
	/* s->events is NULL now. Frees s (stream_fini), but not before a function given to env_defer here runs: a callback of s
	 * may be on the stack. flush: there are octets in s->unsent; stream_flush comes at the end of the turn. */
	void (*stream_close)(struct stream *s, bool flush);
	void (*stream_keepalive)(struct stream *s, int64_t silence_ms);          /* NULL: nothing to do */
	bool (*watch_network)(struct env *env, bool watch, struct err *e);       /* NULL: it does not tell. watch false never fails */
	struct folder_watch *(*watch_folder)(struct env *env, const char *path, struct err *e); /* NULL: it does not tell */
	bool (*folder_is_there)(struct folder_watch *w, struct err *why); /* the same as when it was opened */
	void (*folder_unwatch)(struct folder_watch *w);                   /* frees it, now or later */
	struct fd_watch *(*watch_fd)(struct env *env, int fd, void (*ready)(void *ctx), void *ctx); /* NULL: it has none */
	void (*fd_unwatch)(struct fd_watch *w);                           /* frees it, now or later */
	struct file *(*file_create)(struct env *env, const char *name, struct err *e);
	struct file *(*file_open)(struct env *env, const char *name, struct err *e);
	bool (*file_append)(struct file *f, struct view data, struct err *e);
	bool (*file_read)(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
	void (*file_sync)(struct file *f, file_done_f *done, void *ctx);
	void (*file_close)(struct file *f);
	bool (*file_remove)(struct env *env, const char *name, struct err *e);
	bool (*file_list)(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx, struct err *e);
	bool (*disk_free)(struct env *env, uint64_t *octets_r); /* NULL: not known */
	bool (*file_is_held)(struct env *env, const char *name); /* NULL: there is nobody else */
};

/* First members of a world's listener and file. */
struct listener {
	unsigned magic;
#define LISTENER_MAGIC 0x115e4e40u
	struct env *env;
};
struct file {
	unsigned magic;
#define FILE_MAGIC 0xf11ef11eu
	struct env *env;
};

struct fd_watch {
	unsigned magic;
#define FD_WATCH_MAGIC 0xfd3a7c11u
	struct env *env;
};

struct folder_watch {
	unsigned magic;
#define FOLDER_WATCH_MAGIC 0xf01de4a0u
	struct env *env;
	folder_f *changed;
	void *ctx;
	struct timer settles;
	bool in_doubt, over; /* in doubt: perhaps the folder itself is gone; over: that has been told */
	struct folder_watch *next;
};

/* First member of a world's env. */
struct env {
	unsigned magic;
#define ENV_MAGIC 0xe4f0e4f0u
	const struct env_ops *ops;
	const char *directory; /* set by the world; NULL: none */
	int64_t now_ms;
	struct timer **heap; /* binary heap by at_ms, ties by age of setting */
	size_t n_heap, cap_heap;
	size_t n_streams, n_files;
	uint64_t age;
	struct env_hook *hooks, *next_hook; /* next_hook: while they run */
	struct env_deferred *deferred, **deferred_end;
	network_f *network;    /* NULL: not watched */
	void *network_ctx;
	struct timer network_settles;
	struct folder_watch *folders;
	struct stream *dirty, *last_dirty; /* streams written to in this turn, first written first */
};

/* First member of a world's stream. The common part keeps what was not taken or not sent. */
struct stream {
	unsigned magic;
#define STREAM_MAGIC 0x57e4a400u
	struct env *env;
	const struct stream_events *events;
	void *ctx;
	struct out unsent, held; /* held: octets read but not taken by data() */
	const struct stream_filter *filter; /* NULL: none */
	void *filter_ctx;
	struct out unfiltered; /* written before the filter was ready */
	bool broken;      /* by the filter: closed() when what it had to say has left */
	bool is_open;     /* opened() has been called, or need not be */
	struct stream *next_dirty;
	bool is_dirty, paused, above_low, ended;
	bool told;        /* closed() has been called */
	bool closed;      /* by the user: no callback any more */
	bool is_deferred; /* stream_catch_up is queued */
	bool is_drained;  /* drained() is owed */
	struct err *why;  /* of the end, kept until closed() is called */
	char peer[108];
	int64_t user;     /* of the peer; -1: not known */
};

/* Does another process hold the file `name` (folder_hold)? One that a dead process left is removed. */
static inline bool env_file_is_held(struct env *env, const char *name)
{
	return env->ops->file_is_held != NULL && env->ops->file_is_held(env, name);
}

void env_init(struct env *env, const struct env_ops *ops);
void env_fini(struct env *env);
int64_t env_next_timer(const struct env *env); /* INT64_MAX: none */
void env_run_timers(struct env *env);          /* all with at_ms <= now_ms */
/* Deferred, hooks, deferred, flush of dirty streams; again, a few times, when that left something to do. True: something is
 * left, so the world must not sleep before the next turn. */
bool env_end_turn(struct env *env);
void env_network_changed(struct env *env);     /* world: it has, while it is watched */
/* World: something in it has changed; it: perhaps the folder itself. Nothing happens when the user has been told of the end. */
void env_folder_changed(struct folder_watch *w, bool itself);
void stream_init(struct stream *s, struct env *env);
void stream_fini(struct stream *s);
void stream_opened(struct stream *s);                            /* world: an outgoing connection stands */
void stream_deliver(struct stream *s, struct view data);         /* world: octets have come */
void stream_sent(struct stream *s, size_t n);                    /* world: n octets of unsent are gone */
/* World: after held octets are taken, closed(). May be called from stream_flush: the user is told later. */
void stream_ended(struct stream *s, const struct err *why);
void stream_mark_dirty(struct stream *s);                        /* world: there is room again; flush at the end of the turn */
/* To build octets in place, for chan.c: append only, then stream_built. Never NULL; after the end what is built is dropped. */
struct out *stream_builder(struct stream *s);
void stream_built(struct stream *s);
