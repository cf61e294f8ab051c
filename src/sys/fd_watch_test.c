/* fd_watch_test.c - descriptors of others, in the small world and in the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/fake_env.h"
#include "sys/loop.h"

#include <unistd.h>

struct told {
	struct env *env;
	struct fd_watch *watch;
	int fd;
	unsigned calls, last;
	bool is_loop;
};

static void on_fake(void *ctx)
{
	struct told *t = ctx;
	if (++t->calls == t->last)
		fd_unwatch(&t->watch);
}

static void test_the_small_world_calls_when_told(void **state)
{
	(void)state;
	struct told t = { .env = fake_env_new(), .last = 2 };
	struct err e;
	t.watch = env_watch_fd(t.env, 7, on_fake, &t, &e);
	assert_non_null(t.watch);
	fake_env_settle(t.env);
	assert_int_equal(t.calls, 0);
	fake_env_ready(t.env, 8);
	fake_env_settle(t.env);
	assert_int_equal(t.calls, 0);
	fake_env_ready(t.env, 7);
	assert_int_equal(t.calls, 0); /* never from inside a call */
	fake_env_settle(t.env);
	assert_int_equal(t.calls, 1);
	fake_env_ready(t.env, 7);
	fake_env_settle(t.env); /* and unwatches itself */
	assert_null(t.watch);
	fake_env_ready(t.env, 7);
	fake_env_settle(t.env);
	assert_int_equal(t.calls, 2);
	fd_unwatch(&t.watch);
	fake_env_free(&t.env);
}

/* Readable until it was read: two octets, one a call. */
static void on_pipe(void *ctx)
{
	struct told *t = ctx;
	char c;
	assert_int_equal(read(t->fd, &c, 1), 1);
	if (++t->calls < 2)
		return;
	fd_unwatch(&t->watch);
	loop_stop(t->env);
}

static void test_the_real_world_calls_while_it_can_be_read(void **state)
{
	(void)state;
	struct told t = { .env = loop_new(NULL) };
	struct err e;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	t.fd = fds[0];
	t.watch = env_watch_fd(t.env, t.fd, on_pipe, &t, &e);
	assert_non_null(t.watch);
	assert_int_equal(write(fds[1], "xy", 2), 2);
	loop_run(t.env);
	assert_int_equal(t.calls, 2);
	assert_null(t.watch);
	loop_free(&t.env);
	assert_int_equal(close(fds[0]), 0); /* it was ours all the time */
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_small_world_calls_when_told),
		cmocka_unit_test(test_the_real_world_calls_while_it_can_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
