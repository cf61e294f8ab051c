/* world.c - see world.h. */
#include "world.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/disk_testing.h"

struct segment {
	struct segment *next;
	int64_t at_ms;
	bool is_end;        /* the connection ends here */
	bool is_open;       /* the connection stands (to the one who connects) */
	struct err why;
	struct view octets; /* of its own */
	size_t taken;
};

struct end {
	struct sim_stream *s; /* NULL: not accepted yet, closed, or its process is dead */
	struct segment *first, **last;
	int64_t last_at;
};

struct conn {
	struct conn *next;
	struct end end[2];
	bool is_network, is_cut;
	int64_t stalled_until;
	unsigned n_ends;      /* streams that still refer to it */
};

struct sim_stream {
	struct stream s; /* first */
	struct conn *conn;
	int side;
	bool want_read, dropped;
	struct sim_stream *next;
};

struct sim_process {
	struct env env; /* first */
	struct env observer;
	struct world *w;
	char name[32];
	void (*killed)(void *ctx);
	void *ctx;
	bool alive, dying, was_fault;
	uint64_t kill_in; /* calls until it is killed; 0: not */
	struct sim_stream *streams;
	struct sim_process *next;
};

struct backlog {
	struct backlog *next;
	struct conn *conn;
	int64_t at_ms;
};

struct sim_listener {
	struct sim_listener *next;
	char addr[108];
	struct sim_process *(*owner_of)(void *ctx);
	accept_f *accepted;
	void *ctx;
	struct backlog *waiting;
};

struct world {
	int64_t now_ms, latency_ms;
	uint64_t scenario, chance, fingerprint;
	struct sim_process *processes, *running;
	struct sim_listener *listeners;
	struct conn *conns;
	bool is_down;
	struct attempt {
		struct attempt *next;
		int64_t at_ms;
		char initial;
	} *attempts;          /* to connect, the last one first */
	jmp_buf death;
};

static struct world *the_world; /* fault points know no argument; one world at a time */

/* --- chance --- */

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t world_random(struct world *w, uint64_t below)
{
	return splitmix(&w->scenario) % below;
}

static void record(struct world *w, uint64_t what)
{
	w->fingerprint = (w->fingerprint ^ what) * UINT64_C(0x100000001b3) ^ (uint64_t)w->now_ms;
}

uint64_t world_fingerprint(const struct world *w)
{
	return w->fingerprint;
}

/* --- death --- */

static struct sim_process *process_of(const struct env *env)
{
	CHECK(env, ENV_MAGIC);
	return (struct sim_process *)(uintptr_t)env;
}

/* Every call of an env comes by here. */
static struct world *call(const struct env *env)
{
	struct sim_process *p = process_of(env);
	struct world *w = p->w;
	if (w->running == p && p->kill_in > 0 && --p->kill_in == 0)
		longjmp(w->death, 1);
	return w;
}

static void kill_by_fault(void)
{
	if (the_world == NULL || the_world->running == NULL)
		return;
	the_world->running->was_fault = true;
	longjmp(the_world->death, 1);
}

void sim_kill_in(struct sim_process *p, uint64_t n)
{
	p->kill_in = n;
}

void sim_die(struct sim_process *p)
{
	p->dying = true;
}

/* --- connections --- */

static void send_segment(struct world *w, struct conn *c, int to, struct segment *g)
{
	struct end *e = &c->end[to];
	int64_t delay = c->is_network ? 1 + (int64_t)(splitmix(&w->chance) % (uint64_t)(w->latency_ms + 1)) : 0;
	g->at_ms = w->now_ms + delay < e->last_at ? e->last_at : w->now_ms + delay;
	e->last_at = g->at_ms;
	*e->last = g;
	e->last = &g->next;
}

static void send_octets(struct world *w, struct conn *c, int to, struct view v)
{
	if (v.n == 0)
		return;
	struct segment *g = mem_zero(sizeof *g);
	g->octets = view_of(mem_dup(v.p, v.n), v.n);
	send_segment(w, c, to, g);
}

static void send_end(struct world *w, struct conn *c, int to, const char *text)
{
	struct segment *g = mem_zero(sizeof *g);
	g->is_end = true;
	err_set(&g->why, ERR_PEER, ERR_OF_ASSOCIATION, "%s", text);
	send_segment(w, c, to, g);
}

static struct conn *conn_new(struct world *w, bool is_network)
{
	struct conn *c = mem_zero(sizeof *c);
	c->is_network = is_network;
	c->end[0].last = &c->end[0].first;
	c->end[1].last = &c->end[1].first;
	c->next = w->conns;
	w->conns = c;
	return c;
}

static struct sim_stream *stream_at(struct conn *c, int side, struct sim_process *p, const char *peer)
{
	struct sim_stream *t = mem_zero(sizeof *t);
	stream_init(&t->s, &p->env);
	snprintf(t->s.peer, sizeof t->s.peer, "%s", peer);
	t->conn = c;
	t->side = side;
	t->want_read = true;
	t->next = p->streams;
	p->streams = t;
	c->end[side].s = t;
	c->n_ends++;
	return t;
}

static void drop_segments(struct end *e)
{
	while (e->first != NULL) {
		struct segment *g = e->first;
		e->first = g->next;
		free((void *)(uintptr_t)g->octets.p);
		free(g);
	}
	e->last = &e->first;
}

/* One end is gone; the other hears of it. */
static void leave(struct world *w, struct conn *c, int side, const char *text)
{
	c->end[side].s = NULL;
	drop_segments(&c->end[side]);
	if (!c->is_cut)
		send_end(w, c, !side, text);
	c->n_ends--;
}

static struct sim_stream *stream_of(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return (struct sim_stream *)(void *)s;
}

static void op_flush(struct stream *s)
{
	struct world *w = call(s->env);
	struct sim_stream *t = stream_of(s);
	if (t->conn == NULL)
		return;
	if (!t->conn->is_cut)
		send_octets(w, t->conn, !t->side, out_view(&s->unsent));
	record(w, out_len(&s->unsent));
	stream_sent(s, out_len(&s->unsent));
}

static void op_want_read(struct stream *s, bool want)
{
	call(s->env);
	stream_of(s)->want_read = want;
}

static void free_stream(void *ctx)
{
	struct sim_stream *t = ctx;
	struct sim_process *p = process_of(t->s.env);
	for (struct sim_stream **at = &p->streams; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	stream_fini(&t->s);
	free(t);
}

static void op_close(struct stream *s, bool flush)
{
	struct world *w = call(s->env);
	struct sim_stream *t = stream_of(s);
	if (t->conn != NULL && flush && !t->conn->is_cut)
		send_octets(w, t->conn, !t->side, out_view(&s->unsent));
	if (t->conn != NULL)
		leave(w, t->conn, t->side, "the peer closed the connection");
	t->conn = NULL;
	t->dropped = true;
	env_defer(s->env, free_stream, t);
}

static struct stream *op_connect(struct env *env, const struct net_addr *to, const struct net_addr *from)
{
	struct world *w = call(env);
	(void)from;
	struct conn *c = conn_new(w, true);
	struct sim_stream *t = stream_at(c, 0, process_of(env), to->text);
	struct attempt *attempt = mem_zero(sizeof *attempt);
	*attempt = (struct attempt){ .next = w->attempts, .at_ms = w->now_ms, .initial = process_of(env)->name[0] };
	w->attempts = attempt;
	if (w->is_down) {
		c->is_cut = true;
		send_end(w, c, 0, "network is unreachable");
		return &t->s;
	}
	struct sim_listener *l = w->listeners;
	while (l != NULL && strcmp(l->addr, to->text) != 0)
		l = l->next;
	if (l == NULL) {
		send_end(w, c, 0, "connection refused");
		return &t->s;
	}
	struct backlog *b = mem_zero(sizeof *b), **at = &l->waiting;
	b->conn = c;
	b->at_ms = w->now_ms + 1 + (int64_t)(splitmix(&w->chance) % (uint64_t)(w->latency_ms + 1));
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	struct segment *g = mem_zero(sizeof *g); /* the kernel answers, whoever listens */
	g->is_open = true;
	send_segment(w, c, 0, g);
	return &t->s;
}

void world_pair(struct world *w, struct sim_process *a, struct sim_process *b, struct stream **a_r, struct stream **b_r)
{
	struct conn *c = conn_new(w, false);
	*a_r = &stream_at(c, 0, a, b->name)->s;
	*b_r = &stream_at(c, 1, b, a->name)->s;
}

void world_listen(struct world *w, const char *addr, struct sim_process *(*owner_of)(void *ctx), accept_f *accepted, void *ctx)
{
	struct sim_listener *l = mem_zero(sizeof *l);
	snprintf(l->addr, sizeof l->addr, "%s", addr);
	l->owner_of = owner_of;
	l->accepted = accepted;
	l->ctx = ctx;
	l->next = w->listeners;
	w->listeners = l;
}

/* --- the other calls of an env --- */

static int64_t op_wall_ms(struct env *env)
{
	return INT64_C(1767225600000) + call(env)->now_ms; /* 2026-01-01 00:00 UTC */
}

static int64_t op_precise_us(struct env *env)
{
	return call(env)->now_ms * 1000;
}

static uint64_t op_random(struct env *env)
{
	return splitmix(&call(env)->chance);
}

static struct listener *op_listen(struct env *env, struct net_addr *addr_io, accept_f *accepted, void *ctx, struct err *e)
{
	(void)env;
	(void)accepted;
	(void)ctx;
	err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: in this world listeners belong to the supervisor", addr_io->text);
	return NULL;
}

/* Files: on the simulated disk that the env's directory names; most worlds have none. */
static bool has_disk(const struct env *env, const char *name, struct err *e)
{
	call(env);
	return env_directory(env) != NULL ||
	       err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: there are no files in this world", name);
}

static struct file *op_file_create(struct env *env, const char *name, struct err *e)
{
	return has_disk(env, name, e) ? disk_file_create(env, name, e) : NULL;
}

static struct file *op_file_open(struct env *env, const char *name, struct err *e)
{
	return has_disk(env, name, e) ? disk_file_open(env, name, e) : NULL;
}

static bool op_file_append(struct file *f, struct view data, struct err *e)
{
	call(f->env);
	return disk_file_append(f, data, e);
}

static bool op_file_read(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	call(f->env);
	return disk_file_read(f, offset, buf, n, got_r, e);
}

static void op_file_sync(struct file *f, file_done_f *done, void *ctx)
{
	call(f->env);
	disk_file_sync(f, done, ctx);
}

static bool op_file_remove(struct env *env, const char *name, struct err *e)
{
	return has_disk(env, name, e) && disk_file_remove(env, name, e);
}

static bool op_file_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx, struct err *e)
{
	return has_disk(env, name, e) && disk_file_list(env, name, each, ctx, e);
}

/* Whoever asks is told: world_change_network. */
static bool op_watch_network(struct env *env, bool watch, struct err *e)
{
	(void)watch;
	(void)e;
	call(env);
	return true;
}

void world_change_network(struct world *w)
{
	for (struct sim_process *p = w->processes; p != NULL; p = p->next)
		if (p->alive)
			env_network_changed(&p->env);
}

static const struct env_ops ops = {
	.wall_ms = op_wall_ms, .precise_us = op_precise_us, .random = op_random, .connect = op_connect, .listen = op_listen,
	.stream_flush = op_flush, .stream_want_read = op_want_read, .stream_close = op_close,
	.watch_network = op_watch_network,
	.file_create = op_file_create, .file_open = op_file_open, .file_append = op_file_append, .file_read = op_file_read,
	.file_sync = op_file_sync, .file_close = disk_file_close, .file_remove = op_file_remove, .file_list = op_file_list,
};

static int64_t observed_wall_ms(struct env *env)
{
	return INT64_C(1767225600000) + env->now_ms;
}

static const struct env_ops observer_ops = { .wall_ms = observed_wall_ms };

/* --- processes --- */

struct sim_process *world_process(struct world *w, const char *name, void (*killed)(void *ctx), void *ctx)
{
	struct sim_process *p = mem_zero(sizeof *p);
	env_init(&p->env, &ops);
	env_init(&p->observer, &observer_ops);
	p->observer.now_ms = p->env.now_ms = w->now_ms;
	p->w = w;
	snprintf(p->name, sizeof p->name, "%s", name);
	p->killed = killed;
	p->ctx = ctx;
	p->alive = true;
	struct sim_process **at = &w->processes; /* in the order of birth, so that a run depends on the seed alone */
	while (*at != NULL)
		at = &(*at)->next;
	*at = p;
	return p;
}

struct env *sim_env(struct sim_process *p)
{
	return &p->env;
}

struct env *sim_observer(struct sim_process *p)
{
	return &p->observer;
}

bool sim_was_fault(const struct sim_process *p)
{
	return p->was_fault;
}

bool sim_is_alive(const struct sim_process *p)
{
	return p != NULL && p->alive;
}

/* The kernel's part of a death: connections end. */
static void bury(struct world *w, struct sim_process *p)
{
	p->alive = false;
	record(w, 0xdead);
	for (struct sim_stream *t = p->streams; t != NULL; t = t->next)
		if (t->conn != NULL)
			leave(w, t->conn, t->side, "the peer's process died");
	p->killed(p->ctx);
}

void sim_run(struct sim_process *p, void (*f)(void *ctx), void *ctx)
{
	struct world *w = p->w;
	if (!p->alive)
		return;
	w->running = p;
	the_world = w;
	fault_set_killer(kill_by_fault);
	p->observer.now_ms = p->env.now_ms = w->now_ms;
	bool survived = setjmp(w->death) == 0;
	if (survived) {
		f(ctx);
		while (env_end_turn(&p->env))
			;
	}
	w->running = NULL;
	if (!survived || p->dying)
		bury(w, p);
}

/* --- time --- */

static bool is_ready(const struct world *w, const struct sim_stream *t)
{
	const struct conn *c = t->conn;
	if (c == NULL || t->dropped || c->end[t->side].first == NULL)
		return false;
	const struct segment *g = c->end[t->side].first;
	return g->at_ms <= w->now_ms && (c->stalled_until <= w->now_ms || !c->is_network) && (t->want_read || g->is_end || g->is_open);
}

static void deliver_one(struct sim_stream *t)
{
	struct end *e = &t->conn->end[t->side];
	struct segment *g = e->first;
	e->first = g->next;
	if (e->first == NULL)
		e->last = &e->first;
	if (g->is_end)
		stream_ended(&t->s, &g->why);
	else if (g->is_open)
		stream_opened(&t->s);
	else
		stream_deliver(&t->s, g->octets);
	free((void *)(uintptr_t)g->octets.p);
	free(g);
}

static void turn(void *ctx)
{
	struct sim_process *p = ctx;
	bool again = true;
	while (again) {
		again = false;
		for (struct sim_stream *t = p->streams; t != NULL; t = t->next)
			if (is_ready(p->w, t)) {
				deliver_one(t);
				again = true;
				break; /* the list may have changed */
			}
	}
	env_run_timers(&p->env);
}

static bool has_work(struct world *w, struct sim_process *p)
{
	if (env_next_timer(&p->env) <= w->now_ms)
		return true;
	for (struct sim_stream *t = p->streams; t != NULL; t = t->next)
		if (is_ready(w, t))
			return true;
	return false;
}

struct accepting {
	struct sim_listener *l;
	struct stream *s;
};

static void accept_one(void *ctx)
{
	struct accepting *a = ctx;
	a->l->accepted(a->l->ctx, a->s);
}

static bool run_listener(struct world *w, struct sim_listener *l)
{
	struct backlog *b = l->waiting;
	if (b == NULL || b->at_ms > w->now_ms)
		return false;
	struct sim_process *p = l->owner_of(l->ctx);
	if (!sim_is_alive(p))
		return false;
	l->waiting = b->next;
	struct conn *c = b->conn;
	free(b);
	struct accepting a = { l, &stream_at(c, 1, p, "127.0.0.1:40000")->s };
	sim_run(p, accept_one, &a);
	return true;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_due(const struct world *w)
{
	int64_t at = INT64_MAX;
	for (const struct sim_process *p = w->processes; p != NULL; p = p->next) {
		if (!p->alive)
			continue;
		at = sooner(at, env_next_timer(&p->env));
		for (const struct sim_stream *t = p->streams; t != NULL; t = t->next) {
			const struct segment *g = t->conn == NULL || t->dropped ? NULL : t->conn->end[t->side].first;
			if (g == NULL || !(t->want_read || g->is_end || g->is_open))
				continue;
			at = sooner(at, g->at_ms > t->conn->stalled_until || !t->conn->is_network ? g->at_ms : t->conn->stalled_until);
		}
	}
	for (const struct sim_listener *l = w->listeners; l != NULL; l = l->next)
		if (l->waiting != NULL && sim_is_alive(l->owner_of(l->ctx)))
			at = sooner(at, l->waiting->at_ms);
	return at;
}

static void forget_conns(struct world *w)
{
	for (struct conn **at = &w->conns; *at != NULL;) {
		struct conn *c = *at;
		bool waiting = false;
		for (struct sim_listener *l = w->listeners; l != NULL; l = l->next)
			for (struct backlog *b = l->waiting; b != NULL; b = b->next)
				waiting = waiting || b->conn == c;
		if (c->n_ends > 0 || waiting) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		drop_segments(&c->end[0]);
		drop_segments(&c->end[1]);
		free(c);
	}
}

bool world_step(struct world *w, int64_t until_ms)
{
	int64_t at = next_due(w);
	if (at > until_ms) {
		w->now_ms = until_ms;
		return false;
	}
	w->now_ms = at > w->now_ms ? at : w->now_ms;
	for (struct sim_listener *l = w->listeners; l != NULL; l = l->next)
		while (run_listener(w, l))
			;
	for (struct sim_process *p = w->processes; p != NULL; p = p->next)
		if (p->alive && has_work(w, p)) {
			record(w, (uint64_t)(uintptr_t)p->name[0]);
			sim_run(p, turn, p);
		}
	forget_conns(w);
	return true;
}

/* --- trouble --- */

static struct conn *pick(struct world *w)
{
	size_t n = world_connections(w);
	if (n == 0)
		return NULL;
	size_t k = (size_t)world_random(w, n);
	for (struct conn *c = w->conns; c != NULL; c = c->next)
		if (c->is_network && !c->is_cut && k-- == 0)
			return c;
	return NULL;
}

size_t world_connections(const struct world *w)
{
	size_t n = 0;
	for (const struct conn *c = w->conns; c != NULL; c = c->next)
		n += c->is_network && !c->is_cut;
	return n;
}

static void cut(struct world *w, struct conn *c)
{
	for (int side = 0; side < 2; side++) {
		drop_segments(&c->end[side]); /* what was on the way is lost */
		c->end[side].last_at = 0;
		send_end(w, c, side, "connection reset");
	}
	c->is_cut = true;
	c->stalled_until = 0;
}

bool world_cut(struct world *w)
{
	struct conn *c = pick(w);
	if (c != NULL)
		cut(w, c);
	return c != NULL;
}

void world_down(struct world *w)
{
	w->is_down = true;
	for (struct conn *c = w->conns; c != NULL; c = c->next)
		if (c->is_network && !c->is_cut)
			cut(w, c);
}

void world_up(struct world *w)
{
	w->is_down = false;
}

int64_t world_first_connect(const struct world *w, char initial, int64_t since_ms)
{
	int64_t first = -1;
	for (const struct attempt *a = w->attempts; a != NULL; a = a->next)
		if (a->initial == initial && a->at_ms >= since_ms)
			first = a->at_ms;
	return first;
}

bool world_stall(struct world *w, int64_t ms)
{
	struct conn *c = pick(w);
	if (c != NULL)
		c->stalled_until = w->now_ms + ms;
	return c != NULL;
}

void world_slow(struct world *w, int64_t ms)
{
	w->latency_ms = ms;
}

int64_t world_now_ms(const struct world *w)
{
	return w->now_ms;
}

struct world *world_new(uint64_t seed)
{
	struct world *w = mem_zero(sizeof *w);
	w->scenario = seed * 2 + 1;
	w->chance = seed ^ UINT64_C(0x5eed5eed5eed5eed);
	w->now_ms = 1000;
	w->latency_ms = 5;
	return w;
}

void world_free(struct world **wp)
{
	struct world *w = *wp;
	while (w->listeners != NULL) {
		struct sim_listener *l = w->listeners;
		w->listeners = l->next;
		while (l->waiting != NULL) {
			struct backlog *b = l->waiting;
			l->waiting = b->next;
			free(b);
		}
		free(l);
	}
	while (w->conns != NULL) {
		struct conn *c = w->conns;
		w->conns = c->next;
		drop_segments(&c->end[0]);
		drop_segments(&c->end[1]);
		free(c);
	}
	while (w->attempts != NULL) {
		struct attempt *a = w->attempts;
		w->attempts = a->next;
		free(a);
	}
	while (w->processes != NULL) {
		struct sim_process *p = w->processes;
		w->processes = p->next;
		free(p->observer.heap);
		free(p); /* what a killed process had is abandoned; the others were ended by their owners */
	}
	the_world = NULL;
	fault_set_killer(NULL);
	MEM_FREE(*wp);
}
