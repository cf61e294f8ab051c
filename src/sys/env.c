/* env.c - the part of every world that is the same: timers, hooks, deferred calls, what streams keep. */
#include "sys/env.h"

#include "base/fault.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <stdio.h>

enum {
	ROUNDS_MAX = 8,             /* of one end of turn: then others get a turn */
	UNSENT_KEEP = 256 * 1024,   /* an emptied send buffer larger than this is given back */
};

struct env_deferred {
	struct env_deferred *next;
	void (*f)(void *ctx);
	void *ctx;
};

/* --- time --- */

int64_t env_now_ms(const struct env *env)
{
	return env->now_ms;
}

int64_t env_wall_ms(const struct env *env)
{
	return env->ops->wall_ms((struct env *)(uintptr_t)env); /* ops take no const: a simulated clock may count its readers */
}

int64_t env_precise_us(struct env *env)
{
	return env->ops->precise_us(env);
}

uint64_t env_random(struct env *env)
{
	return env->ops->random(env);
}

/* --- timers: a binary heap; slot is 1 + index --- */

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->age < b->age;
}

static void place(struct env *env, size_t i, struct timer *t)
{
	env->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct env *env, size_t i, struct timer *t)
{
	while (i > 0 && before(t, env->heap[(i - 1) / 2])) {
		place(env, i, env->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(env, i, t);
}

static void sift_down(struct env *env, size_t i, struct timer *t)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= env->n_heap)
			break;
		if (child + 1 < env->n_heap && before(env->heap[child + 1], env->heap[child]))
			child++;
		if (!before(env->heap[child], t))
			break;
		place(env, i, env->heap[child]);
		i = child;
	}
	place(env, i, t);
}

void timer_init(struct timer *t, struct env *env, timer_f *fire, void *ctx)
{
	*t = (struct timer){ .env = env, .fire = fire, .ctx = ctx };
}

void timer_stop(struct timer *t)
{
	if (t->slot == 0)
		return;
	struct env *env = t->env;
	CHECK(env, ENV_MAGIC);
	size_t i = t->slot - 1;
	assert(i < env->n_heap && env->heap[i] == t);
	t->slot = 0;
	struct timer *last = env->heap[--env->n_heap];
	if (last == t)
		return;
	if (i > 0 && before(last, env->heap[(i - 1) / 2]))
		sift_up(env, i, last);
	else
		sift_down(env, i, last);
}

void timer_set(struct timer *t, int64_t at_ms)
{
	struct env *env = t->env;
	CHECK(env, ENV_MAGIC);
	timer_stop(t);
	/* Never in the past: so whatever is set while timers run sorts behind all that are due. */
	t->at_ms = at_ms > env->now_ms ? at_ms : env->now_ms;
	t->age = env->age++;
	if (env->n_heap == env->cap_heap) {
		env->cap_heap = env->cap_heap == 0 ? 64 : mem_mul(env->cap_heap, 2);
		env->heap = mem_grow(env->heap, mem_mul(env->cap_heap, sizeof(struct timer *)));
	}
	sift_up(env, env->n_heap++, t);
}

void timer_after(struct timer *t, int64_t delay_ms)
{
	int64_t at;
	if (__builtin_add_overflow(t->env->now_ms, delay_ms, &at))
		at = delay_ms > 0 ? INT64_MAX : t->env->now_ms;
	timer_set(t, at);
}

int64_t env_next_timer(const struct env *env)
{
	return env->n_heap == 0 ? INT64_MAX : env->heap[0]->at_ms;
}

void env_run_timers(struct env *env)
{
	uint64_t set_now = env->age;
	while (env->n_heap > 0 && env->heap[0]->at_ms <= env->now_ms && env->heap[0]->age < set_now) {
		struct timer *t = env->heap[0];
		timer_stop(t);
		t->fire(t->ctx);
	}
}

/* --- the end of a turn --- */

void env_add_hook(struct env *env, struct env_hook *hook)
{
	struct env_hook **at = &env->hooks;
	while (*at != NULL && (*at)->order <= hook->order)
		at = &(*at)->next;
	hook->next = *at;
	*at = hook;
}

void env_remove_hook(struct env *env, struct env_hook *hook)
{
	for (struct env_hook **at = &env->hooks; *at != NULL; at = &(*at)->next)
		if (*at == hook) {
			if (env->next_hook == hook)
				env->next_hook = hook->next;
			*at = hook->next;
			hook->next = NULL;
			return;
		}
}

void env_defer(struct env *env, void (*f)(void *ctx), void *ctx)
{
	struct env_deferred *d = mem_alloc(sizeof *d);
	*d = (struct env_deferred){ NULL, f, ctx };
	*env->deferred_end = d;
	env->deferred_end = &d->next;
}

/* What is deferred meanwhile waits for the next call, so that this ends. */
static void run_deferred(struct env *env)
{
	struct env_deferred *d = env->deferred;
	env->deferred = NULL;
	env->deferred_end = &env->deferred;
	while (d != NULL) {
		struct env_deferred *next = d->next;
		d->f(d->ctx);
		free(d);
		d = next;
	}
}

static void run_hooks(struct env *env)
{
	for (struct env_hook *h = env->hooks; h != NULL; h = env->next_hook) {
		env->next_hook = h->next; /* a hook may remove any hook, itself too */
		h->run(h->ctx);
	}
	env->next_hook = NULL;
}

/* The first one is the usual case: flush takes them in order. */
static void unlink_dirty(struct stream *s)
{
	struct env *env = s->env;
	if (!s->is_dirty)
		return;
	struct stream *previous = NULL;
	for (struct stream *at = env->dirty; at != s; at = at->next_dirty)
		previous = at;
	if (previous == NULL)
		env->dirty = s->next_dirty;
	else
		previous->next_dirty = s->next_dirty;
	if (env->last_dirty == s)
		env->last_dirty = previous;
	s->next_dirty = NULL;
	s->is_dirty = false;
}

static void flush_streams(struct env *env)
{
	while (env->dirty != NULL) {
		struct stream *s = env->dirty;
		unlink_dirty(s);
		if (out_len(&s->unsent) > 0)
			env->ops->stream_flush(s);
	}
}

bool env_end_turn(struct env *env)
{
	CHECK(env, ENV_MAGIC);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		run_deferred(env);
		run_hooks(env);
		run_deferred(env);
		flush_streams(env);
		if (env->deferred == NULL)
			return false;
	}
	return true;
}

/* --- the host's network --- */

static void network_settled(void *ctx)
{
	struct env *env = ctx;
	CHECK(env, ENV_MAGIC);
	if (env->network != NULL)
		env->network(env->network_ctx);
}

void env_network_changed(struct env *env)
{
	CHECK(env, ENV_MAGIC);
	if (env->network != NULL && !timer_is_set(&env->network_settles))
		timer_after(&env->network_settles, NETWORK_SETTLE_MS);
}

bool env_watch_network(struct env *env, network_f *changed, void *ctx, struct err *e)
{
	CHECK(env, ENV_MAGIC);
	assert(env->network == NULL);
	if (env->ops->watch_network == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "this world does not tell of its network");
	if (!env->ops->watch_network(env, true, e))
		return false;
	env->network = changed;
	env->network_ctx = ctx;
	return true;
}

void env_unwatch_network(struct env *env)
{
	struct err e;
	CHECK(env, ENV_MAGIC);
	timer_stop(&env->network_settles);
	if (env->network != NULL)
		(void)!env->ops->watch_network(env, false, &e);
	env->network = NULL;
}

void env_init(struct env *env, const struct env_ops *ops)
{
	*env = (struct env){ .magic = ENV_MAGIC, .ops = ops };
	timer_init(&env->network_settles, env, network_settled, env);
	env->deferred_end = &env->deferred;
}

void env_fini(struct env *env)
{
	CHECK(env, ENV_MAGIC);
	timer_stop(&env->network_settles);
	for (int round = 0; env->deferred != NULL && round < ROUNDS_MAX; round++)
		run_deferred(env);
	assert(env->deferred == NULL);
	free(env->heap);
	env->magic = 0;
	env->heap = NULL;
}

/* --- addresses --- */

static bool port_ok(const char *s)
{
	unsigned port = 0, n = 0;
	for (; *s >= '0' && *s <= '9' && n < 6; s++, n++)
		port = port * 10 + (unsigned)(*s - '0');
	return n > 0 && *s == 0 && port <= 65535;
}

static bool inet_ok(const char *text)
{
	struct in6_addr six;
	struct in_addr four;
	char host[64];
	const char *colon = strrchr(text, ':');
	if (colon == NULL || !port_ok(colon + 1) || (size_t)(colon - text) >= sizeof host)
		return false;
	size_t n = (size_t)(colon - text);
	memcpy(host, text, n);
	host[n] = 0;
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = 0;
		return inet_pton(AF_INET6, host + 1, &six) == 1;
	}
	return inet_pton(AF_INET, host, &four) == 1;
}

bool net_addr_parse(const char *text, struct net_addr *addr_r, struct err *e)
{
	size_t n = strlen(text);
	bool is_unix = strncmp(text, "unix:", 5) == 0;
	if (n >= sizeof addr_r->text || (is_unix ? n == 5 : !inet_ok(text)))
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "address \"%.120s\": want \"192.0.2.1:102\", "
			"\"[2001:db8::1]:102\" or \"unix:/path\"", text);
	memcpy(addr_r->text, text, n + 1);
	return true;
}

/* --- streams --- */

void stream_init(struct stream *s, struct env *env)
{
	*s = (struct stream){ .magic = STREAM_MAGIC, .env = env, .user = -1 };
	env->n_streams++;
	out_init(&s->unsent, SIZE_MAX / 2);
	out_init(&s->held, SIZE_MAX / 2);
	out_init(&s->unfiltered, SIZE_MAX / 2);
}

void stream_fini(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	unlink_dirty(s);
	s->env->n_streams--;
	if (s->filter != NULL)
		s->filter->free(s->filter_ctx);
	out_fini(&s->unsent);
	out_fini(&s->held);
	out_fini(&s->unfiltered);
	MEM_FREE(s->why);
	s->magic = 0;
}

struct stream *env_connect(struct env *env, const struct net_addr *to, const struct net_addr *from,
			   const struct stream_events *events, void *ctx)
{
	CHECK(env, ENV_MAGIC);
	struct stream *s = env->ops->connect(env, to, from);
	s->events = events;
	s->ctx = ctx;
	return s;
}

void stream_set_keepalive(struct stream *s, int64_t silence_ms)
{
	CHECK(s, STREAM_MAGIC);
	if (s->env->ops->stream_keepalive != NULL && !s->ended)
		s->env->ops->stream_keepalive(s, silence_ms);
}

/* Gives held octets to the user as far as they are taken; what is left stops reading. */
static void give_held(struct stream *s)
{
	size_t n = out_len(&s->held);
	if (n == 0)
		return;
	size_t taken = s->events->data(s->ctx, out_view(&s->held));
	assert(taken <= n);
	out_drop(&s->held, taken);
	if (taken < n)
		s->paused = true;
	else if (s->held.cap > UNSENT_KEEP)
		out_fini(&s->held), out_init(&s->held, SIZE_MAX / 2);
}

static void tell_drained(struct stream *s)
{
	s->is_drained = false;
	if (s->events->drained != NULL && !s->ended)
		s->events->drained(s->ctx);
}

static void tell_end(struct stream *s)
{
	s->told = true;
	s->events->closed(s->ctx, s->why);
}

/* All that could not be told at once because the user's own call was on the stack. */
static void catch_up(void *ctx)
{
	struct stream *s = ctx;
	CHECK(s, STREAM_MAGIC);
	s->is_deferred = false;
	if (s->closed || s->events == NULL || s->told)
		return;
	if (s->is_drained)
		tell_drained(s);
	if (!s->closed && !s->paused)
		give_held(s);
	if (s->closed)
		return;
	if (s->ended || s->broken) {
		if (out_len(&s->held) == 0)
			tell_end(s);
	} else if (!s->paused) {
		s->env->ops->stream_want_read(s, true);
	}
}

static void catch_up_later(struct stream *s)
{
	if (s->is_deferred || s->closed)
		return;
	s->is_deferred = true;
	env_defer(s->env, catch_up, s);
}

void stream_set_events(struct stream *s, const struct stream_events *events, void *ctx)
{
	CHECK(s, STREAM_MAGIC);
	s->events = events;
	s->ctx = ctx;
	if (out_len(&s->held) > 0 || s->ended || s->broken)
		catch_up_later(s);
}

struct out *stream_builder(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return &s->unsent;
}

void stream_mark_dirty(struct stream *s)
{
	if (s->is_dirty)
		return;
	struct env *env = s->env;
	s->is_dirty = true;
	if (env->dirty == NULL)
		env->dirty = s;
	else
		env->last_dirty->next_dirty = s;
	env->last_dirty = s;
}

void stream_built(struct stream *s)
{
	if (s->ended) {
		out_clear(&s->unsent);
		return;
	}
	if (out_len(&s->unsent) > STREAM_LOW)
		s->above_low = true;
	stream_mark_dirty(s);
}

static void tell_opened(struct stream *s);

/* What it had to say about it is in unsent, and leaves when the user closes, as after any end. */
static void filter_broke(struct stream *s, const struct err *why)
{
	if (s->broken || s->ended)
		return;
	s->broken = true;
	s->why = mem_dup(why, sizeof *why);
	if (!s->closed)
		s->env->ops->stream_want_read(s, false);
	catch_up_later(s);
}

static bool filter_send(struct stream *s, struct view data)
{
	struct err e;
	if (!s->filter->ready(s->filter_ctx)) {
		out_bytes(&s->unfiltered, data);
		return true;
	}
	if (s->filter->send(s->filter_ctx, data, &s->unsent, &e))
		return true;
	filter_broke(s, &e);
	return false;
}

static void filter_begin(struct stream *s)
{
	struct err e;
	if (!s->filter->begin(s->filter_ctx, &s->unsent, &e))
		filter_broke(s, &e);
	stream_built(s);
}

static void filter_is_ready(struct stream *s)
{
	struct out waiting = s->unfiltered;
	if (out_len(&waiting) > 0) {
		out_init(&s->unfiltered, SIZE_MAX / 2);
		if (filter_send(s, out_view(&waiting)))
			stream_built(s);
		out_fini(&waiting);
	}
	tell_opened(s);
}

void stream_set_filter(struct stream *s, const struct stream_filter *f, void *ctx, bool accepted)
{
	CHECK(s, STREAM_MAGIC);
	assert(s->filter == NULL);
	s->filter = f;
	s->filter_ctx = ctx;
	s->is_open = accepted; /* who accepts is not told */
	if (accepted)
		filter_begin(s);
}

void *stream_filter_ctx(const struct stream *s, const struct stream_filter *f)
{
	CHECK(s, STREAM_MAGIC);
	return s->filter == f ? s->filter_ctx : NULL;
}

void stream_write(struct stream *s, struct view data)
{
	CHECK(s, STREAM_MAGIC);
	if (data.n == 0 || s->ended || s->broken)
		return;
	if (s->filter == NULL)
		out_bytes(&s->unsent, data);
	else if (!filter_send(s, data))
		return;
	stream_built(s);
}

size_t stream_unsent(const struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return out_len(&s->unsent) + out_len(&s->unfiltered);
}

void stream_pause(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	if (s->paused)
		return;
	s->paused = true;
	if (!s->ended)
		s->env->ops->stream_want_read(s, false);
}

void stream_resume(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	if (!s->paused)
		return;
	s->paused = false;
	if (out_len(&s->held) > 0 || s->ended || s->broken)
		catch_up_later(s);
	else
		s->env->ops->stream_want_read(s, true);
}

void stream_close(struct stream **sp, bool flush)
{
	struct stream *s = *sp;
	*sp = NULL;
	if (s == NULL)
		return;
	CHECK(s, STREAM_MAGIC);
	assert(!s->closed);
	s->closed = true;
	s->events = NULL;
	if (s->filter != NULL && flush && !s->ended && !s->broken) {
		s->filter->end(s->filter_ctx, &s->unsent);
		stream_mark_dirty(s);
	}
	flush = flush && !s->ended && out_len(&s->unsent) > 0;
	if (!flush)
		unlink_dirty(s);
	s->env->ops->stream_close(s, flush);
}

const char *stream_peer(const struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return s->peer;
}

int64_t stream_user(const struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return s->user;
}

static void tell_opened(struct stream *s)
{
	if (s->is_open)
		return;
	s->is_open = true;
	if (!s->closed && s->events != NULL && s->events->opened != NULL)
		s->events->opened(s->ctx);
}

void stream_opened(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	if (s->filter == NULL)
		tell_opened(s);
	else
		filter_begin(s);
}

static void give(struct stream *s, struct view data)
{
	if (s->closed || data.n == 0)
		return;
	if (s->paused || s->events == NULL || out_len(&s->held) > 0) {
		out_bytes(&s->held, data);
		s->env->ops->stream_want_read(s, false);
		return;
	}
	size_t taken = s->events->data(s->ctx, data);
	assert(taken <= data.n);
	if (s->closed || taken == data.n)
		return;
	out_bytes(&s->held, view_from(data, taken));
	s->paused = true;
	s->env->ops->stream_want_read(s, false);
}

void stream_deliver(struct stream *s, struct view data)
{
	CHECK(s, STREAM_MAGIC);
	if (s->closed || s->broken || data.n == 0)
		return;
	if (s->filter == NULL) {
		give(s, data);
		return;
	}
	struct out plain;
	struct err e;
	out_init(&plain, SIZE_MAX / 2);
	const bool good = s->filter->receive(s->filter_ctx, data, &plain, &s->unsent, &e);
	stream_built(s);
	if (good && s->filter->ready(s->filter_ctx))
		filter_is_ready(s);
	give(s, out_view(&plain));
	out_fini(&plain);
	if (!good)
		filter_broke(s, &e);
}

void stream_sent(struct stream *s, size_t n)
{
	CHECK(s, STREAM_MAGIC);
	out_drop(&s->unsent, n);
	size_t left = out_len(&s->unsent);
	if (left == 0 && s->unsent.cap > UNSENT_KEEP) {
		out_fini(&s->unsent);
		out_init(&s->unsent, SIZE_MAX / 2);
	}
	if (s->above_low && left < STREAM_LOW) {
		s->above_low = false;
		s->is_drained = true;
		catch_up_later(s);
	}
}

void stream_ended(struct stream *s, const struct err *why)
{
	CHECK(s, STREAM_MAGIC);
	if (s->ended)
		return;
	s->ended = true;
	if (s->why == NULL) /* else the filter has broken before */
		s->why = mem_dup(why, sizeof *why);
	unlink_dirty(s);
	out_clear(&s->unsent);
	catch_up_later(s);
}

/* --- listeners and files: the world's --- */

struct listener *env_listen(struct env *env, struct net_addr *addr_io, accept_f *accepted, void *ctx, struct err *e)
{
	CHECK(env, ENV_MAGIC);
	return env->ops->listen(env, addr_io, accepted, ctx, e);
}

void listener_pause(struct listener *l, bool paused)
{
	CHECK(l, LISTENER_MAGIC);
	l->env->ops->listener_pause(l, paused);
}

void listener_close(struct listener **l)
{
	if (*l == NULL)
		return;
	CHECK(*l, LISTENER_MAGIC);
	(*l)->env->ops->listener_close(*l);
	*l = NULL;
}

const char *env_directory(const struct env *env)
{
	return env->directory;
}

static struct file *counted(struct env *env, struct file *f)
{
	env->n_files += f != NULL;
	return f;
}

struct env_counts env_count(const struct env *env)
{
	return (struct env_counts){ .timers = env->n_heap, .streams = env->n_streams, .files = env->n_files };
}

struct file *env_file_create(struct env *env, const char *name, struct err *e)
{
	if (FAULT(CONTENT_OPEN)) {
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "file %s: cannot be created (fault point)", name);
		return NULL;
	}
	return counted(env, env->ops->file_create(env, name, e));
}

struct file *env_file_open(struct env *env, const char *name, struct err *e)
{
	return counted(env, env->ops->file_open(env, name, e));
}

bool file_append(struct file *f, struct view data, struct err *e)
{
	CHECK(f, FILE_MAGIC);
	if (FAULT(CONTENT_WRITE))
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "file: cannot be written (fault point)");
	return f->env->ops->file_append(f, data, e);
}

bool file_read(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	CHECK(f, FILE_MAGIC);
	return f->env->ops->file_read(f, offset, buf, n, got_r, e);
}

void file_sync(struct file *f, file_done_f *done, void *ctx)
{
	CHECK(f, FILE_MAGIC);
	f->env->ops->file_sync(f, done, ctx);
}

void file_close(struct file **f)
{
	if (*f == NULL)
		return;
	CHECK(*f, FILE_MAGIC);
	(*f)->env->n_files--;
	(*f)->env->ops->file_close(*f);
	*f = NULL;
}

bool env_file_remove(struct env *env, const char *name, struct err *e)
{
	return env->ops->file_remove(env, name, e);
}

bool env_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx,
		   struct err *e)
{
	return env->ops->file_list(env, name, each, ctx, e);
}

bool env_disk_free(struct env *env, uint64_t *octets_r)
{
	*octets_r = 0;
	if (FAULT(DISK_LOW))
		return true;
	return env->ops->disk_free != NULL && env->ops->disk_free(env, octets_r);
}
