/* server_test.c - who takes nothing of a stream is ended, by the clock of a small world, over sockets of the system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proc/console/server.h"
#include "sys/fake_env.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEP_MS = 1000, STEPS_MAX = 200000, READ_STEP = 64 * 1024 };

struct world {
	struct env *env;
	struct server *server;
	struct request *request;
	int client, poll;
	bool has_something, is_gone, was_silent;
};

static size_t on_read(void *ctx, uint8_t *to, size_t n, bool *end_r, bool *broken_r)
{
	const struct world *w = ctx;
	(void)end_r;
	(void)broken_r;
	if (!w->has_something)
		return 0;
	memset(to, 'x', n);
	return n;
}

static void on_stream_gone(void *ctx, bool silent)
{
	struct world *w = ctx;
	w->is_gone = true;
	w->was_silent = silent;
}

static void on_handle(void *ctx, struct request *r)
{
	static const struct server_stream stream = { .read = on_read, .gone = on_stream_gone };
	struct world *w = ctx;
	w->request = r;
	request_stream(r, &stream, w);
}

static void on_gone(void *ctx, struct request *r)
{
	(void)ctx;
	(void)r;
}

static void on_refused(void *ctx, const char *why, const char *address)
{
	(void)ctx;
	(void)address;
	fail_msg("refused: %s", why);
}

/* The descriptor that the library waits with: the only one of its kind here. */
static int find_poll(void)
{
	int found = -1;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	for (struct dirent *x; (x = readdir(d)) != NULL;) {
		char what[100] = "";
		if (readlinkat(dirfd(d), x->d_name, what, sizeof what - 1) > 0 && strcmp(what, "anon_inode:[eventpoll]") == 0) {
			assert_int_equal(found, -1);
			found = (int)strtol(x->d_name, NULL, 10);
		}
	}
	closedir(d);
	assert_true(found >= 0);
	return found;
}

/* The library looks at its sockets, a few times. */
static void turn(struct world *w)
{
	for (unsigned i = 0; i < 3; i++) {
		fake_env_ready(w->env, w->poll);
		fake_env_settle(w->env);
	}
}

static int setup(void **state)
{
	static const struct server_events events = { .handle = on_handle, .gone = on_gone, .refused = on_refused };
	static const struct server_limits limits = { .connections = 10, .of_address = 10, .held = 1 << 20, .held_of_one = 1 << 20 };
	static const char ask[] = "GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n";
	struct world *w = mem_zero(sizeof *w);
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof addr;
	const int small = 4096, door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct err e;
	assert_int_equal(bind(door, (struct sockaddr *)&addr, n), 0);
	assert_int_equal(listen(door, 5), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&addr, &n), 0);
	w->env = fake_env_new();
	w->server = server_new(w->env, &limits, &events, w);
	if (!server_listen(w->server, 1, door, &e))
		fail_msg("%s", e.text);
	w->poll = find_poll();
	w->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(w->client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	assert_int_equal(connect(w->client, (struct sockaddr *)&addr, n), 0);
	assert_int_equal(send(w->client, ask, sizeof ask - 1, MSG_NOSIGNAL), (ssize_t)sizeof ask - 1);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	close(w->client);
	server_free(&w->server);
	fake_env_free(&w->env);
	free(w);
	return 0;
}

static void until_it_is_asked(struct world *w)
{
	for (unsigned i = 0; w->request == NULL; i++) {
		assert_true(i < STEPS_MAX);
		turn(w);
	}
}

/* What is on its way to the system goes on being taken for a moment, by its clock: from then on it is 20 s by ours. */
static void test_who_takes_nothing_is_ended(void **state)
{
	struct world *w = *state;
	int64_t passed = 0;
	w->has_something = true;
	until_it_is_asked(w);
	for (unsigned i = 0; !w->is_gone; i++, passed += STEP_MS) {
		assert_true(i < STEPS_MAX);
		fake_env_pass(w->env, STEP_MS);
		turn(w);
	}
	assert_true(w->was_silent);
	assert_true(passed >= (SERVER_SILENT_S - 1) * 1000);
	assert_int_equal(server_connections(w->server), 0);
}

static void test_who_takes_something_goes_on(void **state)
{
	struct world *w = *state;
	uint8_t octets[4096];
	w->has_something = true;
	until_it_is_asked(w);
	for (unsigned i = 0; i < 10 * SERVER_SILENT_S; i++) {
		for (size_t got = 0; got < READ_STEP;) {
			const ssize_t n = recv(w->client, octets, sizeof octets, MSG_DONTWAIT);
			assert_true(n > 0 || (n < 0 && errno == EAGAIN));
			got += n > 0 ? (size_t)n : 0;
			turn(w);
		}
		fake_env_pass(w->env, STEP_MS);
		assert_false(w->is_gone);
	}
}

/* For an hour there is nothing to say: nobody is silent. */
static void test_who_is_told_nothing_goes_on(void **state)
{
	struct world *w = *state;
	char octets[4096];
	ssize_t n;
	until_it_is_asked(w);
	turn(w);
	fake_env_pass(w->env, 3600 * 1000);
	turn(w);
	assert_false(w->is_gone);
	while ((n = recv(w->client, octets, sizeof octets, MSG_DONTWAIT)) > 0)
		; /* the headers */
	assert_true(n < 0 && errno == EAGAIN);
	assert_int_equal(server_connections(w->server), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_who_takes_nothing_is_ended),
		TEST(test_who_takes_something_goes_on),
		TEST(test_who_is_told_nothing_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
