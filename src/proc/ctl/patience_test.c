/* patience_test.c - a process that goes on is waited for as long as its answer takes, one that does not is told of, in a world of fake time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proc/ctl/patience.h"
#include "sys/chan.h"
#include "sys/fake_env.h"
#include "sys/process.h"

enum { PATIENCE_MS = 5000, HOUR_MS = 3600 * 1000 };

struct world {
	struct env *env;
	struct net_addr where;
	struct listener *listener;
	unsigned came, over;
	struct chan *chans[2000];
	bool gone[2000];
	struct patience *patience;
};

static void on_closed(void *ctx, const struct err *why)
{
	(void)why;
	*(bool *)ctx = true;
}

static void on_accept(void *ctx, struct stream *s)
{
	static const struct chan_events events = { .closed = on_closed };
	struct world *w = ctx;
	w->chans[w->came] = chan_new(&s, &events, &w->gone[w->came], PROCESS_SWITCH, 0);
	w->came++;
	assert_true(w->came < ARRAY_LEN(w->chans));
}

static void on_over(void *ctx)
{
	struct world *w = ctx;
	w->over++;
}

static int setup(void **state)
{
	struct world *w = mem_zero(sizeof *w);
	struct err e;
	w->env = fake_env_new();
	assert_true(net_addr_parse("127.0.0.1:102", &w->where, &e));
	w->listener = env_listen(w->env, &w->where, on_accept, w, &e);
	assert_non_null(w->listener);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	patience_free(&w->patience);
	for (unsigned i = 0; i < w->came; i++)
		chan_free(&w->chans[i], false);
	listener_close(&w->listener);
	fake_env_settle(w->env);
	fake_env_free(&w->env);
	free(w);
	return 0;
}

static void begin(struct world *w, int64_t ms)
{
	w->patience = patience_new(w->env, &w->where, ms, on_over, w);
}

static void stop(struct world *w)
{
	listener_pause(w->listener, true);
}

static unsigned open_ones(const struct world *w)
{
	unsigned n = 0;
	for (unsigned i = 0; i < w->came; i++)
		n += !w->gone[i];
	return n;
}

static void test_a_conversation_that_is_not_greeted_is_told_of(void **state)
{
	struct world *w = *state;
	begin(w, PATIENCE_MS);
	fake_env_pass(w->env, PATIENCE_MS - 1);
	assert_int_equal(w->over, 0);
	fake_env_pass(w->env, 1);
	assert_int_equal(w->over, 1);
	fake_env_pass(w->env, HOUR_MS);
	assert_int_equal(w->over, 1);
	assert_int_equal(w->came, 0);
}

/* An answer that takes an hour is waited for, as long as others are greeted; one connection at a time is there for that. */
static void test_what_takes_long_by_right_is_waited_for(void **state)
{
	struct world *w = *state;
	begin(w, PATIENCE_MS);
	patience_greeted(w->patience, false);
	fake_env_pass(w->env, HOUR_MS);
	assert_int_equal(w->over, 0);
	assert_int_equal(w->came, HOUR_MS / PATIENCE_MS);
	assert_true(open_ones(w) <= 1);
	stop(w); /* the last probe was greeted: the next is not */
	fake_env_pass(w->env, 2 * PATIENCE_MS - 1);
	assert_int_equal(w->over, 0);
	fake_env_pass(w->env, 1);
	assert_int_equal(w->over, 1);
	fake_env_pass(w->env, HOUR_MS);
	assert_int_equal(w->over, 1);
}

/* It ends: the conversation hears that by itself, and says more of it. */
static void test_one_that_ends_connections_is_not_told_of(void **state)
{
	struct world *w = *state;
	begin(w, PATIENCE_MS);
	patience_greeted(w->patience, false);
	listener_close(&w->listener);
	fake_env_pass(w->env, HOUR_MS);
	assert_int_equal(w->over, 0);
}

static void test_endless_and_without_patience_nothing_is_asked(void **state)
{
	struct world *w = *state;
	begin(w, PATIENCE_MS);
	patience_greeted(w->patience, true);
	stop(w);
	fake_env_pass(w->env, HOUR_MS);
	patience_free(&w->patience);
	begin(w, 0);
	fake_env_pass(w->env, HOUR_MS);
	patience_greeted(w->patience, false);
	fake_env_pass(w->env, HOUR_MS);
	assert_int_equal(w->over + w->came, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_conversation_that_is_not_greeted_is_told_of),
		TEST(test_what_takes_long_by_right_is_waited_for),
		TEST(test_one_that_ends_connections_is_not_told_of),
		TEST(test_endless_and_without_patience_nothing_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
