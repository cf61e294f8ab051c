/* fake_env.c - see fake_env.h. */
#include "sys/fake_env.h"

#include "base/mem.h"

struct fake_stream {
	struct stream s; /* first */
	struct fake_stream *peer, *next;
	struct out wire; /* on the way to this end */
	bool want_read, connecting, lingering;
	bool dropped;    /* freed with the next deferred calls */
	int64_t keepalive;
	char from[108];
	bool cut;        /* nothing comes any more: `why` once the wire is empty */
	struct err why;
};

struct fake_listener {
	struct listener l; /* first */
	struct net_addr addr;
	accept_f *accepted;
	void *ctx;
	bool paused;
	struct fake_listener *next;
};

struct fake_content {
	char *name;
	struct out octets;
	bool is_synced, removed;
	struct fake_content *next;
};

struct fake_file {
	struct file f; /* first */
	struct fake_content *content;
	unsigned syncing;
};

struct fake_sync {
	struct fake_file *f;
	file_done_f *done;
	void *ctx;
};

struct fake_folder {
	struct folder_watch w; /* first */
	char *path;
};

struct fake_fd {
	struct fd_watch w; /* first */
	int fd;
	void (*ready)(void *ctx);
	void *ctx;
	bool is_ready;
	struct fake_fd *next;
};

struct gone_folder {
	char *path;
	struct gone_folder *next;
};

struct fake {
	struct env env; /* first */
	struct gone_folder *gone;
	struct fake_fd *fds;
	struct fake_stream *streams;
	struct fake_listener *listeners;
	struct fake_content *contents;
	size_t chunk, window;
	unsigned next_port;
	uint64_t random;
	uint64_t disk_free;
	int64_t wall_ahead_ms;
	bool fail_syncs, moved, no_network;
};

static struct fake *fake_of(const struct env *env)
{
	CHECK(env, ENV_MAGIC);
	return (struct fake *)(uintptr_t)env;
}

static struct fake_stream *stream_of(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return (struct fake_stream *)(void *)s;
}

/* --- time and chance --- */

static int64_t fake_wall_ms(struct env *env)
{
	return FAKE_WALL_MS + env->now_ms - FAKE_START_MS + fake_of(env)->wall_ahead_ms;
}

static int64_t fake_precise_us(struct env *env)
{
	return env->now_ms * 1000;
}

/* splitmix64 from a fixed seed */
static uint64_t fake_random(struct env *env)
{
	uint64_t z = fake_of(env)->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* --- streams --- */

static struct fake_stream *new_stream(struct fake *w, const char *peer)
{
	struct fake_stream *t = mem_zero(sizeof *t);
	stream_init(&t->s, &w->env);
	snprintf(t->s.peer, sizeof t->s.peer, "%s", peer);
	out_init(&t->wire, SIZE_MAX / 2);
	t->keepalive = -1;
	t->want_read = true;
	struct fake_stream **at = &w->streams;
	while (*at != NULL)
		at = &(*at)->next;
	*at = t;
	return t;
}

static void unlink_stream(struct fake_stream *t)
{
	struct fake_stream **at = &fake_of(t->s.env)->streams;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

static void drop(void *ctx)
{
	struct fake_stream *t = ctx;
	if (t->peer != NULL) {
		t->peer->peer = NULL;
		t->peer->cut = true;
		err_set(&t->peer->why, ERR_PEER, ERR_OF_ASSOCIATION, "%s closed the connection", t->peer->s.peer);
	}
	unlink_stream(t);
	out_fini(&t->wire);
	stream_fini(&t->s);
	free(t);
}

static void fake_flush(struct stream *s)
{
	struct fake_stream *t = stream_of(s);
	struct fake *w = fake_of(s->env);
	struct err why;
	if (t->connecting)
		return;
	if (t->peer == NULL) {
		if (t->lingering)
			stream_sent(s, out_len(&s->unsent));
		else if (t->cut) {
			err_set(&why, ERR_PEER, ERR_OF_ASSOCIATION, "write to %s: broken", s->peer);
			stream_ended(s, &why);
		}
		return;
	}
	size_t on_way = out_len(&t->peer->wire), n = out_len(&s->unsent);
	if (w->window != 0 && !t->lingering)
		n = on_way >= w->window ? 0 : n < w->window - on_way ? n : w->window - on_way;
	if (n == 0)
		return;
	out_bytes(&t->peer->wire, view_first(out_view(&s->unsent), n));
	stream_sent(s, n);
	w->moved = true;
}

static void fake_want_read(struct stream *s, bool want)
{
	stream_of(s)->want_read = want;
}

static void fake_close(struct stream *s, bool flush)
{
	struct fake_stream *t = stream_of(s);
	t->lingering = flush;
	if (flush) {
		stream_mark_dirty(s);
	} else {
		t->dropped = true;
		env_defer(s->env, drop, t);
	}
}

static struct stream *fake_connect(struct env *env, const struct net_addr *to, const struct net_addr *from)
{
	struct fake_stream *t = new_stream(fake_of(env), to->text);
	snprintf(t->from, sizeof t->from, "%s", from == NULL ? "127.0.0.1:50000" : from->text);
	t->connecting = true;
	return &t->s;
}

static void join(struct fake_stream *a, struct fake_stream *b)
{
	a->peer = b;
	b->peer = a;
}

static void try_connect(struct fake *w, struct fake_stream *t)
{
	struct fake_listener *l = w->listeners;
	while (l != NULL && strcmp(l->addr.text, t->s.peer) != 0)
		l = l->next;
	if (l != NULL && l->paused)
		return;
	w->moved = true;
	t->connecting = false;
	if (l == NULL) {
		struct err why;
		err_set(&why, ERR_TEMP, ERR_OF_LINK, "connect to %s: Connection refused", t->s.peer);
		stream_ended(&t->s, &why);
		return;
	}
	struct fake_stream *other = new_stream(w, t->from);
	join(t, other);
	l->accepted(l->ctx, &other->s);
	if (t->s.closed)
		return;
	if (out_len(&t->s.unsent) > 0)
		stream_mark_dirty(&t->s);
	stream_opened(&t->s);
}

static void run_stream(struct fake *w, struct fake_stream *t)
{
	if (t->dropped || t->s.ended)
		return;
	if (t->connecting) {
		try_connect(w, t);
		return;
	}
	if (out_len(&t->s.unsent) > 0)
		stream_mark_dirty(&t->s); /* there may be room again */
	if (t->lingering) {
		if (out_len(&t->s.unsent) == 0) {
			t->dropped = true;
			env_defer(&w->env, drop, t);
		}
		return;
	}
	size_t n = out_len(&t->wire);
	if (n > 0 && t->want_read) {
		n = w->chunk != 0 && w->chunk < n ? w->chunk : n;
		uint8_t *octets = mem_dup(out_view(&t->wire).p, n); /* of its own, so that a read past the end shows */
		out_drop(&t->wire, n);
		w->moved = true;
		stream_deliver(&t->s, view_of(octets, n));
		free(octets);
	} else if (n == 0 && t->cut && t->want_read) {
		w->moved = true;
		stream_ended(&t->s, &t->why);
	}
}

void fake_env_pair(struct env *env, struct stream **a_r, struct stream **b_r)
{
	struct fake_stream *a = new_stream(fake_of(env), "fake b"), *b = new_stream(fake_of(env), "fake a");
	join(a, b);
	*a_r = &a->s;
	*b_r = &b->s;
}

void fake_env_set_chunk(struct env *env, size_t n)
{
	fake_of(env)->chunk = n;
}

void fake_env_set_window(struct env *env, size_t n)
{
	fake_of(env)->window = n;
}

void fake_env_inject(struct stream *s, struct view data)
{
	out_bytes(&stream_of(s)->wire, data);
}

void fake_env_break(struct stream *s, const char *text)
{
	struct fake_stream *t = stream_of(s);
	t->cut = true;
	err_set(&t->why, ERR_PEER, ERR_OF_ASSOCIATION, "%s", text);
}

static void fake_keepalive(struct stream *s, int64_t silence_ms)
{
	stream_of(s)->keepalive = silence_ms;
}

int64_t fake_env_keepalive(const struct stream *s)
{
	return stream_of((struct stream *)(uintptr_t)s)->keepalive;
}

static bool fake_watch_network(struct env *env, bool watch, struct err *e)
{
	return !watch || !fake_of(env)->no_network || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "no network is told of");
}

void fake_env_change_network(struct env *env)
{
	env_network_changed(env);
}

void fake_env_hide_network(struct env *env)
{
	fake_of(env)->no_network = true;
}

/* --- folders --- */

static struct gone_folder **find_gone(struct fake *w, const char *path)
{
	struct gone_folder **at = &w->gone;
	while (*at != NULL && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	return at;
}

static bool is_gone(struct fake *w, const char *path, struct err *e)
{
	return *find_gone(w, path) != NULL &&
	       !err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "folder %s: No such file or directory", path);
}

static struct folder_watch *fake_watch_folder(struct env *env, const char *path, struct err *e)
{
	if (is_gone(fake_of(env), path, e))
		return NULL;
	struct fake_folder *f = mem_zero(sizeof *f);
	f->path = mem_strdup(path);
	return &f->w;
}

static bool fake_sees_folder(struct folder_watch *w, struct err *why)
{
	return !is_gone(fake_of(w->env), ((struct fake_folder *)(void *)w)->path, why);
}

static void fake_folder_unwatch(struct folder_watch *w)
{
	free(((struct fake_folder *)(void *)w)->path);
	free(w);
}

static void tell_folder(struct env *env, const char *path)
{
	for (struct folder_watch *w = env->folders; w != NULL; w = w->next)
		if (strcmp(((struct fake_folder *)(void *)w)->path, path) == 0)
			env_folder_changed(w, is_gone(fake_of(env), path, NULL));
}

/* --- descriptors --- */

static struct fd_watch *fake_watch_fd(struct env *env, int fd, void (*ready)(void *ctx), void *ctx)
{
	struct fake_fd *f = mem_zero(sizeof *f);
	*f = (struct fake_fd){ .fd = fd, .ready = ready, .ctx = ctx, .next = fake_of(env)->fds };
	fake_of(env)->fds = f;
	return &f->w;
}

static void fake_fd_unwatch(struct fd_watch *w)
{
	struct fake_fd **at = &fake_of(w->env)->fds;
	while (&(*at)->w != w)
		at = &(*at)->next;
	struct fake_fd *f = *at;
	*at = f->next;
	free(f);
}

void fake_env_ready(struct env *env, int fd)
{
	for (struct fake_fd *f = fake_of(env)->fds; f != NULL; f = f->next)
		f->is_ready |= f->fd == fd;
}

/* One at a time: a call may unwatch any. */
static bool run_fds(struct fake *w)
{
	for (struct fake_fd *f = w->fds; f != NULL; f = f->next)
		if (f->is_ready) {
			f->is_ready = false;
			f->ready(f->ctx);
			return true;
		}
	return false;
}

static void bring_back(struct gone_folder **at)
{
	struct gone_folder *g = *at;
	if (g == NULL)
		return;
	*at = g->next;
	free(g->path);
	free(g);
}

void fake_env_change_folder(struct env *env, const char *path)
{
	bring_back(find_gone(fake_of(env), path));
	tell_folder(env, path);
}

void fake_env_remove_folder(struct env *env, const char *path)
{
	struct gone_folder **at = find_gone(fake_of(env), path);
	if (*at == NULL) {
		*at = mem_zero(sizeof **at);
		(*at)->path = mem_strdup(path);
	}
	tell_folder(env, path);
}

/* --- listeners --- */

static struct listener *fake_listen(struct env *env, struct net_addr *addr_io, accept_f *accepted, void *ctx,
				    struct err *e)
{
	struct fake *w = fake_of(env);
	size_t n = strlen(addr_io->text);
	if (n > 2 && strcmp(addr_io->text + n - 2, ":0") == 0)
		snprintf(addr_io->text + n - 1, sizeof addr_io->text - n, "%u", w->next_port++);
	for (struct fake_listener *l = w->listeners; l != NULL; l = l->next)
		if (strcmp(l->addr.text, addr_io->text) == 0) {
			err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "listen on %s: the address is in use by another process",
				addr_io->text);
			return NULL;
		}
	struct fake_listener *l = mem_zero(sizeof *l);
	l->l = (struct listener){ LISTENER_MAGIC, env };
	l->addr = *addr_io;
	l->accepted = accepted;
	l->ctx = ctx;
	l->next = w->listeners;
	w->listeners = l;
	return &l->l;
}

static void fake_listener_pause(struct listener *listener, bool paused)
{
	((struct fake_listener *)(void *)listener)->paused = paused;
}

static void fake_listener_close(struct listener *listener)
{
	struct fake_listener *l = (struct fake_listener *)(void *)listener;
	struct fake_listener **at = &fake_of(l->l.env)->listeners;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	free(l);
}

/* --- files --- */

static struct fake_content *find_content(struct fake *w, const char *name)
{
	for (struct fake_content *c = w->contents; c != NULL; c = c->next)
		if (!c->removed && strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static struct file *open_content(struct env *env, struct fake_content *c)
{
	struct fake_file *f = mem_zero(sizeof *f);
	f->f = (struct file){ FILE_MAGIC, env };
	f->content = c;
	return &f->f;
}

static struct file *fake_create(struct env *env, const char *name, struct err *e)
{
	struct fake *w = fake_of(env);
	if (find_content(w, name) != NULL) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "file %s: cannot create: File exists", name);
		return NULL;
	}
	struct fake_content *c = mem_zero(sizeof *c);
	c->name = mem_strdup(name);
	out_init(&c->octets, SIZE_MAX / 2);
	c->next = w->contents;
	w->contents = c;
	return open_content(env, c);
}

static struct file *fake_open(struct env *env, const char *name, struct err *e)
{
	struct fake_content *c = find_content(fake_of(env), name);
	if (c == NULL) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "file %s: cannot open: No such file or directory", name);
		return NULL;
	}
	return open_content(env, c);
}

static bool fake_append(struct file *file, struct view data, struct err *e)
{
	(void)e;
	struct fake_file *f = (struct fake_file *)(void *)file;
	out_bytes(&f->content->octets, data);
	f->content->is_synced = false;
	return true;
}

static bool fake_read(struct file *file, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	(void)e;
	struct fake_file *f = (struct fake_file *)(void *)file;
	struct view v = view_from(out_view(&f->content->octets), offset);
	v = view_first(v, n);
	if (v.n > 0)
		memcpy(buf, v.p, v.n);
	*got_r = v.n;
	return true;
}

static void sync_done(void *ctx)
{
	struct fake_sync *s = ctx;
	struct err why;
	bool fail = fake_of(s->f->f.env)->fail_syncs;
	s->f->syncing--;
	if (fail)
		err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "file %s: cannot sync: Input/output error",
			s->f->content->name);
	else
		s->f->content->is_synced = true;
	fake_of(s->f->f.env)->moved = true;
	s->done(s->ctx, fail ? &why : NULL);
	free(s);
}

static void fake_sync(struct file *file, file_done_f *done, void *ctx)
{
	struct fake_sync *s = mem_alloc(sizeof *s);
	*s = (struct fake_sync){ (struct fake_file *)(void *)file, done, ctx };
	s->f->syncing++;
	env_defer(file->env, sync_done, s);
}

static void fake_file_close(struct file *file)
{
	struct fake_file *f = (struct fake_file *)(void *)file;
	assert(f->syncing == 0);
	free(f);
}

static bool fake_remove(struct env *env, const char *name, struct err *e)
{
	(void)e;
	struct fake_content *c = find_content(fake_of(env), name);
	if (c != NULL)
		c->removed = true; /* kept for those who have it open */
	return true;
}

static bool fake_list(struct env *env, const char *name, void (*each)(void *ctx, const char *name), void *ctx,
		      struct err *e)
{
	(void)e;
	size_t n = strlen(name);
	for (struct fake_content *c = fake_of(env)->contents; c != NULL; c = c->next)
		if (!c->removed && strncmp(c->name, name, n) == 0 && c->name[n] == '/' &&
		    strchr(c->name + n + 1, '/') == NULL)
			each(ctx, c->name + n + 1);
	return true;
}

static bool fake_disk_free(struct env *env, uint64_t *octets_r)
{
	*octets_r = fake_of(env)->disk_free;
	return true;
}

void fake_env_set_clock(struct env *env, int64_t by_ms)
{
	fake_of(env)->wall_ahead_ms += by_ms;
}

void fake_env_set_disk_free(struct env *env, uint64_t octets)
{
	fake_of(env)->disk_free = octets;
}

void fake_env_fail_syncs(struct env *env, bool fail)
{
	fake_of(env)->fail_syncs = fail;
}

struct view fake_env_file(struct env *env, const char *name, bool *synced_r)
{
	struct fake_content *c = find_content(fake_of(env), name);
	*synced_r = c != NULL && c->is_synced;
	return c == NULL ? (struct view){ NULL, 0 } : out_view(&c->octets);
}

/* --- turns --- */

static const struct env_ops fake_ops = {
	.wall_ms = fake_wall_ms,
	.precise_us = fake_precise_us,
	.random = fake_random,
	.connect = fake_connect,
	.listen = fake_listen,
	.listener_pause = fake_listener_pause,
	.listener_close = fake_listener_close,
	.stream_flush = fake_flush,
	.stream_want_read = fake_want_read,
	.stream_close = fake_close,
	.stream_keepalive = fake_keepalive,
	.watch_network = fake_watch_network,
	.watch_folder = fake_watch_folder,
	.folder_is_there = fake_sees_folder,
	.folder_unwatch = fake_folder_unwatch,
	.watch_fd = fake_watch_fd,
	.fd_unwatch = fake_fd_unwatch,
	.file_create = fake_create,
	.file_open = fake_open,
	.file_append = fake_append,
	.file_read = fake_read,
	.file_sync = fake_sync,
	.file_close = fake_file_close,
	.file_remove = fake_remove,
	.file_list = fake_list,
	.disk_free = fake_disk_free,
};

struct env *fake_env_new(void)
{
	struct fake *w = mem_zero(sizeof *w);
	env_init(&w->env, &fake_ops);
	w->env.now_ms = FAKE_START_MS;
	w->next_port = 40000;
	w->disk_free = UINT64_C(1) << 40;
	return &w->env;
}

bool fake_env_turn(struct env *env)
{
	struct fake *w = fake_of(env);
	w->moved = env->deferred != NULL || env->dirty != NULL || env_next_timer(env) <= env->now_ms;
	for (struct fake_stream *t = w->streams; t != NULL; t = t->next)
		run_stream(w, t);
	while (run_fds(w))
		w->moved = true;
	env_run_timers(env);
	if (env_end_turn(env))
		w->moved = true;
	return w->moved;
}

void fake_env_settle(struct env *env)
{
	for (unsigned turns = 0; fake_env_turn(env); turns++)
		assert(turns < 1000 * 1000);
}

void fake_env_pass(struct env *env, int64_t ms)
{
	int64_t until = env->now_ms + ms;
	fake_env_settle(env);
	while (env_next_timer(env) <= until) {
		env->now_ms = env_next_timer(env);
		fake_env_settle(env);
	}
	env->now_ms = until;
	fake_env_settle(env);
}

void fake_env_free(struct env **env)
{
	if (*env == NULL)
		return;
	struct fake *w = fake_of(*env);
	for (struct fake_stream *t = w->streams; t != NULL; t = t->next) {
		t->s.closed = true;
		if (!t->dropped)
			env_defer(*env, drop, t);
	}
	while (w->listeners != NULL)
		fake_listener_close(&w->listeners->l);
	for (struct folder_watch *f; (f = (*env)->folders) != NULL;)
		folder_unwatch(&f);
	for (struct fd_watch *f; w->fds != NULL;) {
		f = &w->fds->w;
		fd_unwatch(&f);
	}
	while (w->gone != NULL)
		bring_back(&w->gone);
	env_fini(*env);
	for (struct fake_content *c = w->contents, *next; c != NULL; c = next) {
		next = c->next;
		free(c->name);
		out_fini(&c->octets);
		free(c);
	}
	free(w);
	*env = NULL;
}
