/* loop_test.c - the real world behind env.h: loopback and Unix sockets, files in a folder of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "sys/loop.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BIG = 3 * 1024 * 1024 };

/* One end of a connection, and what it has seen. */
struct end {
	struct world *w;
	struct stream *s;
	struct out got;
	size_t take_max;  /* taken by one data(); 0: all */
	unsigned opened, drained, closed, calls;
	size_t stop_at;   /* the loop stops when so many octets are here; 0: never */
	bool stop_at_close;
	struct err why;
};

struct world {
	struct env *env;
	struct listener *l;
	struct net_addr addr;
	struct end client, server;
	struct timer watchdog, resume;
};

static void on_opened(void *ctx)
{
	struct end *x = ctx;
	x->opened++;
}

static size_t on_data(void *ctx, struct view data)
{
	struct end *x = ctx;
	x->calls++;
	struct view taken = x->take_max == 0 ? data : view_first(data, x->take_max);
	out_bytes(&x->got, taken);
	if (x->stop_at != 0 && out_len(&x->got) >= x->stop_at)
		loop_stop(x->w->env);
	return taken.n;
}

static void on_drained(void *ctx)
{
	struct end *x = ctx;
	x->drained++;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct end *x = ctx;
	x->closed++;
	x->why = *why;
	if (x->stop_at_close)
		loop_stop(x->w->env);
}

static const struct stream_events end_events = { on_opened, on_data, on_drained, on_closed };

static void on_accepted(void *ctx, struct stream *s)
{
	struct world *w = ctx;
	assert_null(w->server.s);
	w->server.s = s;
	stream_set_events(s, &end_events, &w->server);
}

static void too_long(void *ctx)
{
	(void)ctx;
	fail_msg("the loop did not end by itself");
}

static void start(struct world *w, const char *addr)
{
	struct err e;
	memset(w, 0, sizeof *w);
	w->env = loop_new(NULL);
	w->client.w = w->server.w = w;
	out_init(&w->client.got, SIZE_MAX / 2);
	out_init(&w->server.got, SIZE_MAX / 2);
	timer_init(&w->watchdog, w->env, too_long, w);
	timer_after(&w->watchdog, 60 * 1000);
	assert_true(net_addr_parse(addr, &w->addr, &e));
	w->l = env_listen(w->env, &w->addr, on_accepted, w, &e);
	assert_non_null(w->l);
	w->client.s = env_connect(w->env, &w->addr, NULL, &end_events, &w->client);
}

static void finish(struct world *w)
{
	stream_close(&w->client.s, false);
	stream_close(&w->server.s, false);
	listener_close(&w->l);
	timer_stop(&w->watchdog);
	loop_free(&w->env);
	assert_null(w->env);
	out_fini(&w->client.got);
	out_fini(&w->server.got);
}

static struct view pattern(void)
{
	static uint8_t octets[BIG];
	for (size_t i = 0; i < BIG; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	return view_of(octets, BIG);
}

static void goes_over(const char *addr)
{
	struct world w;
	start(&w, addr);
	stream_write(w.client.s, VIEW("hello, ")); /* before the connection stands */
	stream_write(w.client.s, VIEW("world"));
	w.server.stop_at = 12;
	loop_run(w.env);
	assert_true(view_eq(out_view(&w.server.got), VIEW("hello, world")));
	assert_int_equal(w.server.calls, 1); /* both writes left as one */
	assert_int_equal(w.client.opened, 1);
	assert_int_equal(w.server.opened, 0);
	w.client.stop_at = 2;
	stream_write(w.server.s, VIEW("ok"));
	loop_run(w.env);
	assert_true(view_eq(out_view(&w.client.got), VIEW("ok")));
	assert_true(strlen(stream_peer(w.client.s)) > 0 && strlen(stream_peer(w.server.s)) > 0);
	assert_int_equal(stream_user(w.server.s), strncmp(addr, "unix:", 5) == 0 ? (int64_t)getuid() : -1);
	assert_int_equal(stream_user(w.client.s), -1);
	finish(&w);
}

static void test_streams_over_ipv4(void **state)
{
	(void)state;
	goes_over("127.0.0.1:0");
}

static void test_streams_over_unix(void **state)
{
	(void)state;
	char folder[] = "/tmp/posthorn-loop-XXXXXX", addr[80], path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/s", folder);
	snprintf(addr, sizeof addr, "unix:%s", path);
	goes_over(addr);
	goes_over(addr); /* the file of the first one is still there: stale, so replaced */
	unlink(path);
	rmdir(folder);
}

static void test_much_comes_whole_and_drains_once(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	stream_write(w.client.s, pattern());
	assert_int_equal(stream_unsent(w.client.s), BIG);
	w.server.stop_at = BIG;
	loop_run(w.env);
	assert_true(view_eq(out_view(&w.server.got), pattern()));
	assert_int_equal(w.client.drained, 1);
	assert_int_equal(stream_unsent(w.client.s), 0);
	finish(&w);
}

static void resume_server(void *ctx)
{
	struct world *w = ctx;
	if (w->server.s != NULL) /* a busy machine accepts later */
		stream_resume(w->server.s);
	timer_after(&w->resume, w->server.s == NULL ? 5 : 0);
}

static void test_what_is_not_taken_comes_again(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	struct view sent = view_first(pattern(), 200 * 1000);
	stream_write(w.client.s, sent);
	w.server.take_max = 1000;
	w.server.stop_at = sent.n;
	timer_init(&w.resume, w.env, resume_server, &w);
	/* Nobody resumes: one call, 1000 taken, and the kernel is not read on. */
	struct timer later;
	timer_init(&later, w.env, resume_server, &w);
	timer_after(&later, 50);
	loop_run(w.env);
	timer_stop(&w.resume);
	assert_true(view_eq(out_view(&w.server.got), sent));
	assert_true(w.server.calls >= 200);
	finish(&w);
}

static void test_end_waits_for_held_octets(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	stream_write(w.client.s, view_first(pattern(), 5000));
	stream_close(&w.client.s, true);
	w.server.take_max = 1000;
	w.server.stop_at_close = true;
	timer_init(&w.resume, w.env, resume_server, &w);
	timer_after(&w.resume, 20);
	while (w.server.s == NULL || w.server.closed == 0)
		loop_run(w.env);
	timer_stop(&w.resume);
	assert_int_equal(out_len(&w.server.got), 5000);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.server.why.kind, ERR_PEER);
	finish(&w);
}

static void test_close_with_flush_sends_all(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	stream_write(w.client.s, pattern());
	stream_close(&w.client.s, true);
	w.server.stop_at_close = true;
	loop_run(w.env);
	assert_true(view_eq(out_view(&w.server.got), pattern()));
	finish(&w);
}

static void test_octets_of_closed_streams_leave_after_stop(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	stream_write(w.client.s, VIEW("x"));
	w.server.stop_at = 1;
	loop_run(w.env);
	w.server.stop_at = 0;
	stream_write(w.client.s, pattern());
	stream_close(&w.client.s, true);
	loop_stop(w.env); /* stops at once: the linger is what sends, into the kernel */
	loop_run(w.env);
	w.server.stop_at_close = true;
	if (w.server.closed == 0)
		loop_run(w.env);
	assert_int_equal(out_len(&w.server.got), 1 + BIG);
	finish(&w);
}

static void test_refused_connection_is_temporary_and_the_links(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	w.server.stop_at = 1;
	stream_write(w.client.s, VIEW("x"));
	loop_run(w.env);
	stream_close(&w.client.s, false);
	listener_close(&w.l); /* now nobody listens there */
	w.client.s = env_connect(w.env, &w.addr, NULL, &end_events, &w.client);
	w.client.stop_at_close = true;
	unsigned opened = w.client.opened;
	assert_int_equal(w.client.closed, 0); /* never from inside the call */
	loop_run(w.env);
	assert_int_equal(w.client.closed, 1);
	assert_int_equal(w.client.opened, opened);
	assert_int_equal(w.client.why.kind, ERR_TEMP);
	assert_int_equal(w.client.why.culprit, ERR_OF_LINK);
	assert_non_null(strstr(w.client.why.text, "refused"));
	finish(&w);
}

static void test_address_in_use_is_one_sentence(void **state)
{
	(void)state;
	struct world w;
	struct err e = { 0 };
	start(&w, "127.0.0.1:0");
	struct net_addr again = w.addr;
	assert_null(env_listen(w.env, &again, on_accepted, &w, &e));
	assert_non_null(strstr(e.text, "in use"));
	assert_non_null(strstr(e.text, w.addr.text));
	finish(&w);
}

static void test_broken_connection_is_told_once(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	stream_write(w.client.s, VIEW("x"));
	w.server.stop_at = 1;
	loop_run(w.env);
	/* Octets unread at the client's end make its close a reset. */
	stream_pause(w.client.s);
	stream_write(w.server.s, pattern());
	loop_stop(w.env);
	loop_run(w.env);
	stream_close(&w.client.s, false);
	w.server.stop_at_close = true;
	loop_run(w.env);
	assert_int_equal(w.server.closed, 1);
	assert_int_equal(w.server.why.kind, ERR_PEER);
	stream_write(w.server.s, VIEW("dropped")); /* fine, and nothing happens */
	assert_int_equal(stream_unsent(w.server.s), 0);
	finish(&w);
}

struct limited {
	struct env *env;
	struct rlimit before;
	struct timer lift;
	bool met;
};

/* Some time after somebody has met it. */
static void lift_limit(void *ctx)
{
	struct limited *x = ctx;
	if (x->met)
		setrlimit(RLIMIT_NOFILE, &x->before);
	else
		timer_after(&x->lift, loop_accept_failures(x->env) == 0 ? 5 : 300);
	x->met = loop_accept_failures(x->env) > 0;
}

static void test_no_descriptors_waits_without_spinning(void **state)
{
	(void)state;
	struct world w;
	start(&w, "127.0.0.1:0");
	struct rlimit low;
	struct limited x = { .env = w.env };
	getrlimit(RLIMIT_NOFILE, &x.before);
	int next = dup(0);
	close(next);
	low = x.before;
	low.rlim_cur = (rlim_t)next; /* not one descriptor more */
	setrlimit(RLIMIT_NOFILE, &low);
	timer_init(&x.lift, w.env, lift_limit, &x);
	timer_after(&x.lift, 5);
	stream_write(w.client.s, VIEW("x"));
	w.server.stop_at = 1;
	loop_run(w.env);
	timer_stop(&x.lift);
	setrlimit(RLIMIT_NOFILE, &x.before);
	assert_true(view_eq(out_view(&w.server.got), VIEW("x"))); /* it came in later */
	assert_in_range(loop_accept_failures(w.env), 1, 5);
	finish(&w);
}

static void test_fault_points_of_streams(void **state)
{
	(void)state;
	static const char *const plans[] = { "ENV_CONNECT:1:fail", "ENV_WRITE:1:fail", "ENV_READ:1:fail" };
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct world w;
		assert_true(fault_plan(plans[i], NULL));
		start(&w, "127.0.0.1:0");
		stream_write(w.client.s, VIEW("x"));
		w.client.stop_at_close = w.server.stop_at_close = true;
		loop_run(w.env);
		assert_int_equal(w.client.closed + w.server.closed, 1);
		assert_true(fault_plan(NULL, NULL));
		finish(&w);
	}
}

static void count(void *ctx, const char *name)
{
	unsigned *n = ctx;
	assert_string_equal(name, "7");
	++*n;
}

struct syncing {
	struct env *env;
	unsigned done, failed;
};

static void synced(void *ctx, const struct err *failed)
{
	struct syncing *s = ctx;
	s->done++;
	s->failed += failed != NULL;
	loop_stop(s->env);
}

static void test_files(void **state)
{
	(void)state;
	char folder[] = "/tmp/posthorn-loop-XXXXXX", path[64], buf[16];
	assert_non_null(mkdtemp(folder));
	struct syncing s = { .env = loop_new(folder) };
	struct err e;
	unsigned n = 0;
	size_t got = 0;
	assert_true(env_file_list(s.env, "content", count, &n, &e)); /* not there yet: empty */
	uint64_t room;
	assert_true(env_disk_free(s.env, &room));
	assert_true(room > 0);
	struct file *f = env_file_create(s.env, "content/7", &e);
	assert_non_null(f);
	assert_null(env_file_create(s.env, "content/7", &e)); /* exclusive */
	assert_null(env_file_create(s.env, "../7", &e));
	assert_null(env_file_open(s.env, "content/8", &e));
	assert_true(file_append(f, VIEW("abc"), &e));
	assert_true(file_append(f, VIEW("defg"), &e));
	file_sync(f, synced, &s);
	assert_int_equal(s.done, 0);
	loop_run(s.env);
	assert_int_equal(s.done, 1);
	assert_int_equal(s.failed, 0);
	assert_true(fault_plan("CONTENT_SYNC:1:fail", NULL));
	file_sync(f, synced, &s);
	loop_run(s.env);
	assert_int_equal(s.failed, 1);
	assert_true(fault_plan(NULL, NULL));
	file_close(&f);
	f = env_file_open(s.env, "content/7", &e);
	assert_true(file_read(f, 2, buf, sizeof buf, &got, &e));
	assert_true(view_eq(view_of(buf, got), VIEW("cdefg")));
	file_close(&f);
	assert_true(env_file_list(s.env, "content", count, &n, &e));
	assert_int_equal(n, 1);
	assert_true(env_file_remove(s.env, "content/7", &e));
	assert_true(env_file_remove(s.env, "content/7", &e));
	loop_free(&s.env);
	snprintf(path, sizeof path, "%s/content", folder);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void close_it(void *ctx, const struct err *failed)
{
	(void)failed;
	file_close(ctx);
}

/* Given up by its user, who closes it when its sync has ended: also when nothing else goes on any more. */
static void test_a_file_given_up_is_closed_by_the_end(void **state)
{
	(void)state;
	char folder[] = "/tmp/posthorn-loop-XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct env *env = loop_new(folder);
	struct err e;
	struct file *f = env_file_create(env, "7", &e);
	assert_non_null(f);
	file_sync(f, close_it, &f);
	loop_free(&env);
	assert_null(f);
	char path[64];
	snprintf(path, sizeof path, "%s/7", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* --- half-open peers, and the host's network --- */

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t n = sizeof value;
	assert_int_equal(getsockopt(fd, level, name, &value, &n), 0);
	return value;
}

/* A peer that says nothing for 60 s is asked, three times in the next 60 s; then it is gone. */
static void test_keepalive_in_the_kernels_words(void **state)
{
	(void)state;
	struct env *env = loop_new(NULL);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct stream *s = loop_adopt_fd(env, fd, "peer");
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	stream_set_keepalive(s, 60 * 1000);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 20);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 120 * 1000);
	stream_set_keepalive(s, 100); /* the kernel knows no less than a second */
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 1);
	stream_set_keepalive(s, INT64_C(366) * 86400 * 1000);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 32767);
	stream_set_keepalive(s, 0);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	stream_close(&s, false);
	loop_free(&env);
}

static void on_network_changed(void *ctx)
{
	struct world *w = ctx;
	w->client.opened++;
	loop_stop(w->env);
}

/* In a network of its own, where this process may bring an interface up. Exit status: 0 told, 77 not possible here. */
static int watches_an_interface_come_up(void)
{
	struct world w = { 0 };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	struct err e;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;
	w.env = loop_new(NULL);
	timer_init(&w.watchdog, w.env, too_long, &w);
	timer_after(&w.watchdog, 60 * 1000);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (!env_watch_network(w.env, on_network_changed, &w, &e) || ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		return 77;
	loop_run(w.env);
	env_unwatch_network(w.env);
	timer_stop(&w.watchdog);
	loop_free(&w.env);
	close(fd);
	return w.client.opened == 1 ? 0 : 1; /* an interface, its addresses and their routes: once */
}

static void test_a_change_of_the_network_is_told_once(void **state)
{
	(void)state;
	int status = 0;
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(watches_an_interface_come_up());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Q170006: a descriptor is closed only when nobody waits on it any more: its number may be another's in the same turn. */
static size_t close_and_open_again(void *ctx, struct view data);
static const struct stream_events again_events = { on_opened, close_and_open_again, on_drained, on_closed };

static size_t close_and_open_again(void *ctx, struct view data)
{
	struct end *x = ctx;
	struct world *w = x->w;
	stream_close(&x->s, false);
	x->s = env_connect(w->env, &w->addr, NULL, &again_events, x);
	x->calls++;
	return data.n;
}

static void again_accepted(void *ctx, struct stream *s)
{
	struct world *w = ctx;
	if (w->server.s != NULL)
		stream_close(&w->server.s, false);
	w->server.s = s;
	w->server.opened++;
	stream_set_events(s, &end_events, &w->server);
	stream_write(s, VIEW("x"));
	if (w->server.opened == 50)
		loop_stop(w->env);
}

static void test_k170006_a_descriptor_used_again_at_once(void **state)
{
	(void)state;
	struct world w = { 0 };
	struct err e;
	w.env = loop_new(NULL);
	w.client.w = w.server.w = &w;
	out_init(&w.server.got, SIZE_MAX / 2);
	out_init(&w.client.got, SIZE_MAX / 2);
	timer_init(&w.watchdog, w.env, too_long, &w);
	timer_after(&w.watchdog, 60 * 1000);
	assert_true(net_addr_parse("127.0.0.1:0", &w.addr, &e));
	w.l = env_listen(w.env, &w.addr, again_accepted, &w, &e);
	assert_non_null(w.l);
	w.client.s = env_connect(w.env, &w.addr, NULL, &again_events, &w.client);
	loop_run(w.env);
	assert_int_equal(w.client.closed, 0);
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keepalive_in_the_kernels_words),
		cmocka_unit_test(test_a_change_of_the_network_is_told_once),
		cmocka_unit_test(test_k170006_a_descriptor_used_again_at_once),
		cmocka_unit_test(test_streams_over_ipv4),
		cmocka_unit_test(test_streams_over_unix),
		cmocka_unit_test(test_much_comes_whole_and_drains_once),
		cmocka_unit_test(test_what_is_not_taken_comes_again),
		cmocka_unit_test(test_end_waits_for_held_octets),
		cmocka_unit_test(test_close_with_flush_sends_all),
		cmocka_unit_test(test_octets_of_closed_streams_leave_after_stop),
		cmocka_unit_test(test_refused_connection_is_temporary_and_the_links),
		cmocka_unit_test(test_address_in_use_is_one_sentence),
		cmocka_unit_test(test_broken_connection_is_told_once),
		cmocka_unit_test(test_no_descriptors_waits_without_spinning),
		cmocka_unit_test(test_fault_points_of_streams),
		cmocka_unit_test(test_files), cmocka_unit_test(test_a_file_given_up_is_closed_by_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
