/* loop.c - see loop.h. uv_poll tells when a descriptor is ready; the reads and writes are our own, so that a turn costs one
 * read and one write a stream whatever was put in. */
#include "sys/loop.h"

#include "base/fault.h"
#include "base/mem.h"
#include "sys/loop_fd.h"
#include "sys/loop_file.h"
#include "sys/loop_folder.h"
#include "sys/net.h"
#include "sys/network.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
	READ_MAX = 64 * 1024,
	READS_MAX = 8,        /* of one stream in one turn */
	LINGER_MS = 5000,       /* stream_close(flush): env.h */
	ACCEPT_PAUSE_MS = 200,  /* out of descriptors: how long connections wait in the kernel */
	RANDOM_BATCH = 32,
};

struct loop {
	struct env env; /* first: an env is a loop */
	uv_loop_t uv;
	uv_prepare_t prepare;
	uv_timer_t wake;
	bool awake, stopping;
	int64_t wake_at;
	struct sock *socks;     /* every stream not yet closed in the kernel */
	struct door *doors;
	struct loop_files *files;
	uint64_t random[RANDOM_BATCH];
	size_t n_random;
	uint64_t accept_failures;
	struct loop_watch *network; /* NULL: not watched */
	int network_fd;
	uint8_t buf[READ_MAX];
};

struct sock {
	struct stream s; /* first: a stream is a sock */
	uv_poll_t poll;
	int fd;
	int polled;      /* what uv_poll waits for now */
	bool connecting, blocked, want_read;
	bool lingering;  /* closed by the user, octets left or the peer's end awaited */
	bool shut;       /* our end is sent */
	struct timer linger;
	struct sock *next, **prev;
};

struct door {
	struct listener l; /* first: a listener is a door */
	uv_poll_t poll;
	int fd;
	bool paused, polled;
	struct timer again;
	accept_f *accepted;
	void *ctx;
	char name[108];
	struct door *next, **prev;
};

struct loop_watch {
	uv_poll_t poll;
	struct loop *loop;
	void (*ready)(void *ctx);
	void *ctx;
};

static struct loop *loop_of(const struct env *env)
{
	CHECK(env, ENV_MAGIC);
	return (struct loop *)(uintptr_t)env;
}

static struct sock *sock_of(struct stream *s)
{
	CHECK(s, STREAM_MAGIC);
	return (struct sock *)(void *)s;
}

/* The time stands still from the first callback of a turn to its end. */
static void wake_up(struct loop *l)
{
	if (l->awake)
		return;
	l->awake = true;
	l->env.now_ms = (int64_t)uv_now(&l->uv);
}

static void must(int status, const char *what)
{
	if (status < 0)
		check_failed("loop", -status, what);
}

/* --- streams --- */

static void sock_freed(uv_handle_t *h)
{
	struct sock *t = h->data;
	free(t);
}

/* The deferred half of the end: no callback of t is on the stack any more. */
static void sock_drop(void *ctx)
{
	struct sock *t = ctx;
	stream_fini(&t->s);
	if (t->fd >= 0) {
		uv_close((uv_handle_t *)&t->poll, sock_freed);
		close(t->fd);
		t->fd = -1;
	} else {
		free(t);
	}
}

static void sock_unlink(struct sock *t)
{
	if (t->prev == NULL)
		return;
	*t->prev = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	t->prev = NULL;
}

static void on_sock(uv_poll_t *h, int status, int events);

static void sock_poll(struct sock *t, int events)
{
	if (t->polled == events || t->fd < 0)
		return;
	t->polled = events;
	if (events == 0)
		uv_poll_stop(&t->poll);
	else
		must(uv_poll_start(&t->poll, events, on_sock), "uv_poll_start");
}

static int wanted(const struct sock *t)
{
	if (t->connecting)
		return UV_WRITABLE;
	bool reads = t->lingering ? t->shut : t->want_read && !t->s.ended;
	return (reads ? UV_READABLE : 0) | (t->blocked ? UV_WRITABLE : 0);
}

/* Stops being watched and is freed at the end of the turn. */
static void sock_end(struct sock *t)
{
	sock_poll(t, 0);
	sock_unlink(t);
	timer_stop(&t->linger);
	t->lingering = false;
	env_defer(t->s.env, sock_drop, t);
}

static void sock_failed(struct sock *t, const struct err *why)
{
	t->blocked = false;
	t->want_read = false;
	t->connecting = false;
	sock_poll(t, 0);
	if (t->lingering)
		sock_end(t);
	else
		stream_ended(&t->s, why);
}

static void sock_error(struct sock *t, enum err_kind kind, enum err_culprit culprit, const char *what, int code)
{
	struct err why;
	err_set(&why, kind, culprit, "%s %s: %s", what, t->s.peer, strerror(code));
	sock_failed(t, &why);
}

static void linger_over(void *ctx)
{
	struct sock *t = ctx;
	sock_end(t);
}

/* All is sent and the user is gone: say so to the peer, and read on until its end, since a close with octets unread would
 * reset the connection and take from the peer what is still on its way. */
static void say_end(struct sock *t)
{
	t->shut = true;
	if (shutdown(t->fd, SHUT_WR) != 0)
		sock_end(t);
	else
		sock_poll(t, wanted(t));
}

static void sock_flush(struct stream *s)
{
	struct sock *t = sock_of(s);
	if (t->blocked || t->connecting || s->ended)
		return;
	struct view v = out_view(&s->unsent);
	if (FAULT(ENV_WRITE)) {
		sock_error(t, ERR_PEER, ERR_OF_ASSOCIATION, "write to", EIO);
		return;
	}
	ssize_t n = send(t->fd, v.p, v.n, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		sock_error(t, ERR_PEER, ERR_OF_ASSOCIATION, "write to", errno);
		return;
	}
	if (n > 0)
		stream_sent(s, (size_t)n);
	t->blocked = out_len(&s->unsent) > 0;
	if (t->blocked || (t->polled & UV_WRITABLE) != 0)
		sock_poll(t, wanted(t) | (t->polled & UV_READABLE));
	if (t->lingering && !t->blocked)
		say_end(t);
}

/* One read. True: it was full and more is wanted. */
static bool sock_read_once(struct loop *l, struct sock *t)
{
	struct err why;
	if (FAULT(ENV_READ)) {
		sock_error(t, ERR_PEER, ERR_OF_ASSOCIATION, "read from", EIO);
		return false;
	}
	ssize_t n = recv(t->fd, l->buf, sizeof l->buf, 0);
	if (n > 0 && !t->lingering) {
		stream_deliver(&t->s, view_of(l->buf, (size_t)n));
	} else if (n == 0) {
		err_set(&why, ERR_PEER, ERR_OF_ASSOCIATION, "%s closed the connection", t->s.peer);
		sock_failed(t, &why);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		sock_error(t, ERR_PEER, ERR_OF_ASSOCIATION, "read from", errno);
	}
	return n == (ssize_t)sizeof l->buf && t->want_read && !t->lingering && !t->s.closed && !t->s.ended;
}

/* A few times in a turn, so that what ends each turn (a commit) is paid for more than one buffer of content. */
static void sock_read(struct loop *l, struct sock *t)
{
	for (int i = 0; i < READS_MAX && sock_read_once(l, t); i++)
		;
}

static void sock_connected(struct sock *t)
{
	int code = 0;
	socklen_t n = sizeof code;
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &code, &n) != 0)
		code = errno;
	if (code != 0) {
		sock_error(t, ERR_TEMP, ERR_OF_LINK, "connect to", code);
		return;
	}
	t->connecting = false;
	if (out_len(&t->s.unsent) > 0)
		stream_mark_dirty(&t->s);
	stream_opened(&t->s);
	if (!t->s.closed)
		sock_poll(t, wanted(t));
}

static void on_sock(uv_poll_t *h, int status, int events)
{
	struct sock *t = h->data;
	CHECK(&t->s, STREAM_MAGIC);
	struct loop *l = loop_of(t->s.env);
	wake_up(l);
	if (status < 0) { /* libuv has stopped watching; the read or write below gets the cause */
		t->polled = 0;
		events = UV_READABLE | UV_WRITABLE;
	}
	if (t->connecting) {
		sock_connected(t);
		return;
	}
	if ((events & UV_WRITABLE) != 0 && t->blocked) {
		t->blocked = false;
		stream_mark_dirty(&t->s); /* with what this turn adds: one write */
	}
	/* Interest is dropped late, when it fires unwanted, since each change costs a system call. */
	if ((events & UV_READABLE) != 0 && ((wanted(t) & UV_READABLE) != 0 || status < 0))
		sock_read(l, t);
	else if ((events & UV_READABLE) != 0)
		sock_poll(t, wanted(t));
	if (status < 0 && !t->s.ended && t->prev != NULL)
		sock_poll(t, wanted(t));
}

static void sock_want_read(struct stream *s, bool want)
{
	struct sock *t = sock_of(s);
	t->want_read = want;
	if (want && !t->connecting && (t->polled & UV_READABLE) == 0)
		sock_poll(t, wanted(t) | t->polled);
}

static void sock_close(struct stream *s, bool flush)
{
	struct sock *t = sock_of(s);
	if (!flush) {
		sock_end(t);
		return;
	}
	t->lingering = true;
	t->want_read = false;
	timer_after(&t->linger, LINGER_MS);
	if (!t->connecting)
		sock_poll(t, wanted(t));
}

static void sock_keepalive(struct stream *s, int64_t silence_ms)
{
	struct sock *t = sock_of(s);
	if (t->fd >= 0)
		net_keepalive(t->fd, silence_ms);
}

static struct sock *sock_new(struct loop *l, int fd, const char *peer)
{
	struct sock *t = mem_zero(sizeof *t);
	stream_init(&t->s, &l->env);
	t->fd = fd;
	t->poll.data = t;
	timer_init(&t->linger, &l->env, linger_over, t);
	snprintf(t->s.peer, sizeof t->s.peer, "%s", peer);
	t->next = l->socks;
	t->prev = &l->socks;
	if (l->socks != NULL)
		l->socks->prev = &t->next;
	l->socks = t;
	if (fd >= 0)
		must(uv_poll_init(&l->uv, &t->poll, fd), "uv_poll_init");
	return t;
}

struct stream *loop_adopt_fd(struct env *env, int fd, const char *peer)
{
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	struct sock *t = sock_new(loop_of(env), fd, peer);
	t->want_read = true;
	sock_poll(t, UV_READABLE);
	return &t->s;
}

static struct stream *loop_connect(struct env *env, const struct net_addr *to, const struct net_addr *from)
{
	struct err why;
	bool waits = false;
	int fd = -1;
	if (FAULT(ENV_CONNECT))
		err_set(&why, ERR_TEMP, ERR_OF_LINK, "connect to %s: refused (fault point)", to->text);
	else
		fd = net_connect(to, from, &waits, &why);
	struct sock *t = sock_new(loop_of(env), fd, to->text);
	t->want_read = true;
	t->connecting = true;
	if (fd < 0)
		sock_failed(t, &why);
	else
		sock_poll(t, UV_WRITABLE); /* fires at once when it stands already */
	return &t->s;
}

/* --- listeners --- */

static void on_door(uv_poll_t *h, int status, int events);

static void door_poll(struct door *d)
{
	bool want = !d->paused && !timer_is_set(&d->again);
	if (want == d->polled)
		return;
	d->polled = want;
	if (want)
		must(uv_poll_start(&d->poll, UV_READABLE, on_door), "uv_poll_start");
	else
		uv_poll_stop(&d->poll);
}

static void door_again(void *ctx)
{
	struct door *d = ctx;
	CHECK(&d->l, LISTENER_MAGIC);
	door_poll(d);
}

static void on_door(uv_poll_t *h, int status, int events)
{
	struct door *d = h->data;
	CHECK(&d->l, LISTENER_MAGIC);
	struct loop *l = loop_of(d->l.env);
	(void)events;
	wake_up(l);
	if (status < 0)
		d->polled = false;
	struct net_addr peer;
	int fd = -1;
	enum net_accept got = NET_ACCEPT_FULL;
	if (!FAULT(ENV_ACCEPT))
		got = net_accept(d->fd, d->name, &fd, &peer);
	if (got == NET_ACCEPT_FULL || status < 0) {
		l->accept_failures++;
		timer_after(&d->again, ACCEPT_PAUSE_MS);
		door_poll(d);
	}
	if (got != NET_ACCEPT_OK)
		return;
	struct stream *s = loop_adopt_fd(&l->env, fd, peer.text);
	s->user = net_peer_user(fd);
	d->accepted(d->ctx, s);
}

static void door_freed(uv_handle_t *h)
{
	struct door *d = h->data;
	free(d);
}

static void loop_listener_close(struct listener *listener)
{
	struct door *d = (struct door *)(void *)listener;
	timer_stop(&d->again);
	*d->prev = d->next;
	if (d->next != NULL)
		d->next->prev = d->prev;
	d->l.magic = 0;
	uv_close((uv_handle_t *)&d->poll, door_freed);
	close(d->fd);
}

static void loop_listener_pause(struct listener *listener, bool paused)
{
	struct door *d = (struct door *)(void *)listener;
	d->paused = paused;
	door_poll(d);
}

struct listener *loop_adopt_listener(struct env *env, int fd, accept_f *accepted, void *ctx)
{
	struct loop *l = loop_of(env);
	struct door *d = mem_zero(sizeof *d);
	d->l = (struct listener){ LISTENER_MAGIC, env };
	d->fd = fd;
	d->accepted = accepted;
	d->ctx = ctx;
	d->poll.data = d;
	struct net_addr own;
	net_own_addr(fd, &own);
	memcpy(d->name, own.text, sizeof d->name);
	timer_init(&d->again, env, door_again, d);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	must(uv_poll_init(&l->uv, &d->poll, fd), "uv_poll_init");
	d->next = l->doors;
	d->prev = &l->doors;
	if (l->doors != NULL)
		l->doors->prev = &d->next;
	l->doors = d;
	door_poll(d);
	return &d->l;
}

static struct listener *loop_listen(struct env *env, struct net_addr *addr_io, accept_f *accepted, void *ctx,
				    struct err *e)
{
	int fd = net_listen(addr_io, e);
	if (fd < 0)
		return NULL;
	net_own_addr(fd, addr_io);
	return loop_adopt_listener(env, fd, accepted, ctx);
}

uint64_t loop_accept_failures(const struct env *env)
{
	return loop_of(env)->accept_failures;
}

/* --- bare descriptors --- */

static void on_watch(uv_poll_t *h, int status, int events)
{
	struct loop_watch *w = h->data;
	(void)events;
	wake_up(w->loop);
	if (status < 0)
		must(uv_poll_start(h, UV_READABLE, on_watch), "uv_poll_start");
	w->ready(w->ctx);
}

struct loop_watch *loop_watch_new(struct env *env, int fd, void (*ready)(void *ctx), void *ctx)
{
	struct loop_watch *w = mem_zero(sizeof *w);
	w->loop = loop_of(env);
	w->ready = ready;
	w->ctx = ctx;
	w->poll.data = w;
	must(uv_poll_init(&w->loop->uv, &w->poll, fd), "uv_poll_init");
	must(uv_poll_start(&w->poll, UV_READABLE, on_watch), "uv_poll_start");
	return w;
}

static void watch_freed(uv_handle_t *h)
{
	struct loop_watch *w = h->data;
	free(w);
}

void loop_watch_free(struct loop_watch **w)
{
	if (*w == NULL)
		return;
	uv_close((uv_handle_t *)&(*w)->poll, watch_freed);
	*w = NULL;
}

/* --- time and chance --- */

static int64_t loop_wall_ms(struct env *env)
{
	(void)env;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t loop_precise_us(struct env *env)
{
	(void)env;
	return (int64_t)(uv_hrtime() / 1000);
}

static uint64_t loop_random(struct env *env)
{
	struct loop *l = loop_of(env);
	if (l->n_random == 0) {
		if (getrandom(l->random, sizeof l->random, 0) != (ssize_t)sizeof l->random)
			CANT_HAPPEN("getrandom of 256 octets fell short");
		l->n_random = RANDOM_BATCH;
	}
	return l->random[--l->n_random];
}

/* --- files: loop_file.c does them, this hands it the loop's thread pool --- */

struct sync_job {
	uv_work_t work;
	struct loop *loop;
	struct loop_sync *sync;
};

static void sync_works(uv_work_t *w)
{
	struct sync_job *j = w->data;
	loop_sync_work(j->sync);
}

static void sync_is_done(uv_work_t *w, int status)
{
	struct sync_job *j = w->data;
	(void)status;
	wake_up(j->loop);
	loop_sync_done(j->sync);
	free(j);
}

static void loop_file_sync(struct file *f, file_done_f *done, void *ctx)
{
	struct loop *l = loop_of(f->env);
	struct sync_job *j = mem_zero(sizeof *j);
	j->work.data = j;
	j->loop = l;
	j->sync = loop_sync_new(f, done, ctx);
	must(uv_queue_work(&l->uv, &j->work, sync_works, sync_is_done), "uv_queue_work");
}

struct loop_files *loop_files_of(const struct env *env)
{
	return loop_of(env)->files;
}

/* --- the network --- */

static void on_network(void *ctx)
{
	struct loop *l = ctx;
	if (network_read(l->network_fd))
		env_network_changed(&l->env);
}

static bool loop_watch_network(struct env *env, bool watch, struct err *e)
{
	struct loop *l = loop_of(env);
	if (l->network != NULL) {
		loop_watch_free(&l->network);
		close(l->network_fd);
	}
	if (!watch)
		return true;
	l->network_fd = network_open(e);
	if (l->network_fd < 0)
		return false;
	l->network = loop_watch_new(env, l->network_fd, on_network, l);
	return true;
}

/* --- folders --- */

struct seen_folder {
	struct folder_watch w; /* first: a watch is one */
	uv_fs_event_t event;
	struct loop_folder folder;
};

static struct seen_folder *seen_of(struct folder_watch *w)
{
	CHECK(w, FOLDER_WATCH_MAGIC);
	return (struct seen_folder *)(void *)w;
}

static void on_folder(uv_fs_event_t *h, const char *name, int events, int status)
{
	struct seen_folder *s = h->data;
	const char *own = strrchr(s->folder.path, '/');
	wake_up(loop_of(s->w.env));
	/* libuv gives the folder's own name for what befalls the folder itself, and when the kernel has dropped the watch */
	bool itself = status < 0 || name == NULL || strcmp(name, own == NULL ? s->folder.path : own + 1) == 0;
	env_folder_changed(&s->w, itself && (status < 0 || (events & UV_RENAME) != 0));
}

static void folder_freed(uv_handle_t *h)
{
	struct seen_folder *s = h->data;
	loop_folder_fini(&s->folder);
	free(s);
}

static struct folder_watch *loop_watch_folder(struct env *env, const char *path, struct err *e)
{
	struct seen_folder *s = mem_zero(sizeof *s);
	if (!loop_folder_init(&s->folder, path, e)) {
		free(s);
		return NULL;
	}
	s->event.data = s;
	must(uv_fs_event_init(&loop_of(env)->uv, &s->event), "uv_fs_event_init");
	const int status = uv_fs_event_start(&s->event, on_folder, path, 0);
	if (status == 0)
		return &s->w;
	loop_folder_error(&s->folder, -status, e);
	uv_close((uv_handle_t *)&s->event, folder_freed);
	return NULL;
}

static bool loop_sees_folder(struct folder_watch *w, struct err *why)
{
	return loop_folder_is_there(&seen_of(w)->folder, why);
}

static void loop_folder_unwatch(struct folder_watch *w)
{
	uv_close((uv_handle_t *)&seen_of(w)->event, folder_freed);
	w->magic = 0;
}

/* --- turns --- */

static const struct env_ops loop_ops = {
	.wall_ms = loop_wall_ms,
	.precise_us = loop_precise_us,
	.random = loop_random,
	.connect = loop_connect,
	.listen = loop_listen,
	.listener_pause = loop_listener_pause,
	.listener_close = loop_listener_close,
	.stream_flush = sock_flush,
	.stream_want_read = sock_want_read,
	.stream_close = sock_close,
	.stream_keepalive = sock_keepalive,
	.watch_network = loop_watch_network,
	.watch_folder = loop_watch_folder, .folder_is_there = loop_sees_folder, .folder_unwatch = loop_folder_unwatch,
	.watch_fd = loop_fd_watch, .fd_unwatch = loop_fd_unwatch,
	.file_create = loop_file_create,
	.file_open = loop_file_open,
	.file_append = loop_file_append,
	.file_read = loop_file_read,
	.file_sync = loop_file_sync,
	.file_close = loop_file_close,
	.file_remove = loop_file_remove,
	.file_list = loop_file_list,
	.disk_free = loop_disk_free, .file_is_held = loop_file_is_held,
};

static void on_wake(uv_timer_t *t)
{
	struct loop *l = t->data;
	l->wake_at = INT64_MAX;
	wake_up(l);
}

/* Before libuv sleeps: the rest of the turn, and how long to sleep. */
static void on_prepare(uv_prepare_t *h)
{
	struct loop *l = h->data;
	wake_up(l);
	env_run_timers(&l->env);
	bool more = env_end_turn(&l->env);
	l->awake = false;
	int64_t at = more ? l->env.now_ms : env_next_timer(&l->env);
	if (at == l->wake_at)
		return;
	l->wake_at = at;
	if (at == INT64_MAX) {
		uv_timer_stop(&l->wake);
		return;
	}
	uv_update_time(&l->uv);
	int64_t now = (int64_t)uv_now(&l->uv);
	must(uv_timer_start(&l->wake, on_wake, at > now ? (uint64_t)(at - now) : 0, 0), "uv_timer_start");
}

struct env *loop_new(const char *directory)
{
	struct loop *l = mem_zero(sizeof *l);
	env_init(&l->env, &loop_ops);
	must(uv_loop_init(&l->uv), "uv_loop_init");
	must(uv_prepare_init(&l->uv, &l->prepare), "uv_prepare_init");
	must(uv_timer_init(&l->uv, &l->wake), "uv_timer_init");
	l->prepare.data = l->wake.data = l;
	l->wake_at = INT64_MAX;
	l->files = loop_files_new(directory);
	l->env.directory = loop_files_directory(l->files);
	l->env.now_ms = (int64_t)uv_now(&l->uv);
	must(uv_prepare_start(&l->prepare, on_prepare), "uv_prepare_start");
	return &l->env;
}

static bool lingers(const struct loop *l)
{
	for (const struct sock *t = l->socks; t != NULL; t = t->next)
		if (t->lingering && !t->shut)
			return true;
	return false;
}

void loop_run(struct env *env)
{
	struct loop *l = loop_of(env);
	while (!l->stopping)
		uv_run(&l->uv, UV_RUN_DEFAULT);
	l->stopping = false;
	wake_up(l);
	env_end_turn(env);
	while (lingers(l)) /* each has its timer, so this ends */
		uv_run(&l->uv, UV_RUN_ONCE);
	env_end_turn(env);
	l->awake = false;
}

void loop_stop(struct env *env)
{
	struct loop *l = loop_of(env);
	l->stopping = true;
	uv_stop(&l->uv);
}

void loop_free(struct env **env)
{
	if (*env == NULL)
		return;
	struct loop *l = loop_of(*env);
	for (struct sock *t = l->socks, *next; t != NULL; t = next) {
		next = t->next;
		t->s.closed = true;
		sock_end(t);
	}
	while (l->doors != NULL)
		loop_listener_close(&l->doors->l);
	env_unwatch_network(*env);
	for (struct folder_watch *w; (w = l->env.folders) != NULL;)
		folder_unwatch(&w);
	uv_close((uv_handle_t *)&l->prepare, NULL); /* no timer has its turn any more */
	uv_close((uv_handle_t *)&l->wake, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	env_fini(&l->env);
	uv_run(&l->uv, UV_RUN_DEFAULT); /* what that has closed */
	must(uv_loop_close(&l->uv), "uv_loop_close");
	loop_files_free(&l->files);
	free(l);
	*env = NULL;
}
