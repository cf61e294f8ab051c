/* env_test.c - what all worlds share: timers, the order of a turn, what streams keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/fake_env.h"

/* What happened, as letters in order. */
struct story {
	char text[64];
	struct env *env;
	struct timer timers[8];
	struct env_hook hooks[3];
};

static void tell(struct story *s, char c)
{
	size_t n = strlen(s->text);
	assert_true(n + 1 < sizeof s->text);
	s->text[n] = c;
	s->text[n + 1] = 0;
}

static void fire_a(void *ctx) { tell(ctx, 'a'); }
static void fire_b(void *ctx) { tell(ctx, 'b'); }
static void fire_c(void *ctx) { tell(ctx, 'c'); }

static void test_timers_fire_by_time_then_age(void **state)
{
	(void)state;
	struct story s = { .env = fake_env_new() };
	timer_f *const f[] = { fire_a, fire_b, fire_c };
	for (int i = 0; i < 3; i++)
		timer_init(&s.timers[i], s.env, f[i], &s);
	timer_after(&s.timers[2], 10);
	timer_after(&s.timers[0], 20);
	timer_after(&s.timers[1], 10);
	assert_int_equal(env_next_timer(s.env), FAKE_START_MS + 10);
	fake_env_pass(s.env, 9);
	assert_string_equal(s.text, "");
	fake_env_pass(s.env, 1);
	assert_string_equal(s.text, "cb"); /* c was set first */
	timer_after(&s.timers[2], 100);
	timer_stop(&s.timers[2]);
	timer_stop(&s.timers[2]);
	assert_false(timer_is_set(&s.timers[2]));
	fake_env_pass(s.env, 1000);
	assert_string_equal(s.text, "cba");
	timer_after(&s.timers[0], INT64_MAX); /* never, and no overflow */
	assert_int_equal(env_next_timer(s.env), INT64_MAX);
	timer_stop(&s.timers[0]);
	fake_env_free(&s.env);
}

/* Many, in an order from arithmetic, some stopped or moved: each fires at its own time, in order. */
struct many {
	struct timer t;
	struct env *env;
	int64_t at;
	int64_t *last;
	unsigned *fired;
};

static void fire_many(void *ctx)
{
	struct many *m = ctx;
	assert_int_equal(env_now_ms(m->env), m->at);
	assert_true(*m->last <= m->at);
	*m->last = m->at;
	++*m->fired;
}

static void test_a_thousand_timers(void **state)
{
	(void)state;
	enum { N = 1000 };
	static struct many m[N];
	int64_t last = 0;
	unsigned fired = 0;
	struct env *env = fake_env_new();
	for (unsigned i = 0; i < N; i++) {
		m[i] = (struct many){ .env = env, .last = &last, .fired = &fired };
		timer_init(&m[i].t, env, fire_many, &m[i]);
		m[i].at = FAKE_START_MS + (int64_t)(i * 7919 % 1009);
		timer_set(&m[i].t, m[i].at);
	}
	for (unsigned i = 0; i < N; i += 3)
		timer_stop(&m[i].t);
	for (unsigned i = 1; i < N; i += 3) {
		m[i].at = FAKE_START_MS + (int64_t)(i * 104729 % 2003);
		timer_set(&m[i].t, m[i].at);
	}
	fake_env_pass(env, 3000);
	assert_int_equal(fired, N - (N + 2) / 3);
	fake_env_free(&env);
}

static void set_itself(void *ctx)
{
	struct story *s = ctx;
	tell(s, 'x');
	if (strlen(s->text) < 5)
		timer_set(&s->timers[0], 0); /* in the past: the next turn, not this one for ever */
}

static void test_a_timer_set_by_a_timer_waits_a_turn(void **state)
{
	(void)state;
	struct story s = { .env = fake_env_new() };
	timer_init(&s.timers[0], s.env, set_itself, &s);
	timer_set(&s.timers[0], 0);
	fake_env_turn(s.env);
	assert_string_equal(s.text, "x");
	fake_env_settle(s.env);
	assert_string_equal(s.text, "xxxxx");
	fake_env_free(&s.env);
}

static void defer_c(void *ctx)
{
	struct story *s = ctx;
	tell(s, 'h');
	if (strchr(s->text, 'c') == NULL)
		env_defer(s->env, fire_c, s);
}

static void test_turn_ends_deferred_hooks_by_order(void **state)
{
	(void)state;
	struct story s = { .env = fake_env_new() };
	s.hooks[0] = (struct env_hook){ fire_b, &s, 5, NULL };
	s.hooks[1] = (struct env_hook){ defer_c, &s, 0, NULL };
	env_add_hook(s.env, &s.hooks[0]);
	env_add_hook(s.env, &s.hooks[1]);
	env_defer(s.env, fire_a, &s);
	fake_env_turn(s.env);
	assert_string_equal(s.text, "ahbc");
	env_remove_hook(s.env, &s.hooks[1]);
	fake_env_turn(s.env);
	assert_string_equal(s.text, "ahbcb");
	env_remove_hook(s.env, &s.hooks[0]);
	fake_env_turn(s.env);
	assert_string_equal(s.text, "ahbcb");
	fake_env_free(&s.env);
}

static void remove_all(void *ctx)
{
	struct story *s = ctx;
	tell(s, 'r');
	for (int i = 0; i < 3; i++)
		env_remove_hook(s->env, &s->hooks[i]);
}

static void test_hooks_may_remove_hooks(void **state)
{
	(void)state;
	struct story s = { .env = fake_env_new() };
	s.hooks[0] = (struct env_hook){ remove_all, &s, 0, NULL };
	s.hooks[1] = (struct env_hook){ fire_a, &s, 1, NULL };
	s.hooks[2] = (struct env_hook){ fire_b, &s, 2, NULL };
	for (int i = 0; i < 3; i++)
		env_add_hook(s.env, &s.hooks[i]);
	fake_env_turn(s.env);
	assert_string_equal(s.text, "r");
	fake_env_free(&s.env);
}

/* --- streams --- */

struct reader {
	struct stream *s;
	struct out got;
	size_t take_max;
	unsigned calls, drained, closed;
	bool close_in_data;
	struct err why;
};

static size_t on_data(void *ctx, struct view data)
{
	struct reader *r = ctx;
	r->calls++;
	struct view v = r->take_max == 0 ? data : view_first(data, r->take_max);
	out_bytes(&r->got, v);
	if (r->close_in_data)
		stream_close(&r->s, false);
	return v.n;
}

static void on_drained(void *ctx)
{
	struct reader *r = ctx;
	r->drained++;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct reader *r = ctx;
	assert_int_equal(r->closed, 0);
	r->closed++;
	r->why = *why;
}

static const struct stream_events events = { NULL, on_data, on_drained, on_closed };

struct pair {
	struct env *env;
	struct reader a, b;
};

static void setup(struct pair *p)
{
	memset(p, 0, sizeof *p);
	p->env = fake_env_new();
	fake_env_pair(p->env, &p->a.s, &p->b.s);
	out_init(&p->a.got, SIZE_MAX / 2);
	out_init(&p->b.got, SIZE_MAX / 2);
	stream_set_events(p->a.s, &events, &p->a);
	stream_set_events(p->b.s, &events, &p->b);
}

static void teardown(struct pair *p)
{
	stream_close(&p->a.s, false);
	stream_close(&p->b.s, false);
	out_fini(&p->a.got);
	out_fini(&p->b.got);
	fake_env_free(&p->env);
}

static void test_held_octets_come_again_after_resume(void **state)
{
	(void)state;
	struct pair p;
	setup(&p);
	p.b.take_max = 2;
	stream_write(p.a.s, VIEW("abcdef"));
	fake_env_settle(p.env);
	assert_true(view_eq(out_view(&p.b.got), VIEW("ab")));
	assert_int_equal(p.b.calls, 1);
	stream_write(p.a.s, VIEW("gh")); /* stays in the kernel meanwhile */
	fake_env_settle(p.env);
	assert_int_equal(p.b.calls, 1);
	stream_resume(p.b.s);
	assert_int_equal(p.b.calls, 1); /* never from inside the call */
	fake_env_settle(p.env);
	assert_true(view_eq(out_view(&p.b.got), VIEW("abcd")));
	p.b.take_max = 0;
	stream_resume(p.b.s);
	fake_env_settle(p.env);
	assert_true(view_eq(out_view(&p.b.got), VIEW("abcdefgh")));
	assert_int_equal(p.b.calls, 4);
	teardown(&p);
}

static void test_pause_stops_data_but_loses_none(void **state)
{
	(void)state;
	struct pair p;
	setup(&p);
	stream_pause(p.b.s);
	stream_write(p.a.s, VIEW("abc"));
	fake_env_settle(p.env);
	assert_int_equal(p.b.calls, 0);
	stream_resume(p.b.s);
	fake_env_settle(p.env);
	assert_true(view_eq(out_view(&p.b.got), VIEW("abc")));
	teardown(&p);
}

static void test_end_comes_after_the_held_octets_and_once(void **state)
{
	(void)state;
	struct pair p;
	setup(&p);
	p.b.take_max = 1;
	stream_write(p.a.s, VIEW("xyz"));
	stream_close(&p.a.s, true);
	for (unsigned i = 1; i <= 3; i++) {
		fake_env_settle(p.env);
		assert_int_equal(out_len(&p.b.got), i);
		assert_int_equal(p.b.closed, i == 3);
		stream_resume(p.b.s);
	}
	fake_env_settle(p.env);
	assert_int_equal(p.b.closed, 1);
	assert_int_equal(p.b.why.kind, ERR_PEER);
	assert_int_equal(p.b.why.culprit, ERR_OF_ASSOCIATION);
	teardown(&p);
}

static void test_drained_once_below_the_low_mark(void **state)
{
	(void)state;
	struct pair p;
	setup(&p);
	uint8_t *much = mem_zero(STREAM_LOW * 3);
	fake_env_set_window(p.env, STREAM_LOW);
	stream_pause(p.b.s);
	stream_write(p.a.s, view_of(much, STREAM_LOW * 3));
	fake_env_settle(p.env);
	assert_int_equal(stream_unsent(p.a.s), STREAM_LOW * 2);
	assert_int_equal(p.a.drained, 0);
	stream_resume(p.b.s);
	fake_env_settle(p.env);
	assert_int_equal(p.a.drained, 1);
	assert_int_equal(out_len(&p.b.got), STREAM_LOW * 3);
	stream_write(p.a.s, view_of(much, 100)); /* never above: nothing to tell */
	fake_env_settle(p.env);
	assert_int_equal(p.a.drained, 1);
	free(much);
	teardown(&p);
}

static void test_close_inside_data(void **state)
{
	(void)state;
	struct pair p;
	setup(&p);
	p.b.close_in_data = true;
	p.b.take_max = 1; /* the rest of the octets has nobody to go to */
	stream_write(p.a.s, VIEW("abc"));
	fake_env_settle(p.env);
	assert_null(p.b.s);
	assert_int_equal(p.b.closed, 0);
	assert_int_equal(p.a.closed, 1);
	teardown(&p);
}

static void test_octets_leave_at_the_end_of_the_turn(void **state)
{
	(void)state;
	struct pair p;
	setup(&p);
	stream_write(p.a.s, VIEW("ab"));
	stream_write(p.a.s, VIEW("cd"));
	fake_env_turn(p.env);
	assert_int_equal(p.b.calls, 0);
	assert_int_equal(stream_unsent(p.a.s), 0);
	fake_env_turn(p.env);
	assert_int_equal(p.b.calls, 1);
	assert_int_equal(out_len(&p.b.got), 4);
	teardown(&p);
}

static void test_addresses(void **state)
{
	(void)state;
	static const char *const good[] = { "127.0.0.1:102", "[::1]:102", "[2001:db8::5]:65535", "0.0.0.0:0", "unix:/x" };
	static const char *const bad[] = { "", "localhost:102", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:1a", "1.2.3:102", "::1:102", "[::1]", "[::1:102", "unix:", "127.0.0.1:999999999999" };
	struct net_addr a;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(net_addr_parse(good[i], &a, &e));
		assert_string_equal(a.text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(net_addr_parse(bad[i], &a, &e));
	char longest[200];
	snprintf(longest, sizeof longest, "unix:/%0150d", 0);
	assert_false(net_addr_parse(longest, &a, &e));
}

static void count_network(void *ctx)
{
	(*(unsigned *)ctx)++;
}

static void test_changes_of_the_network_are_gathered(void **state)
{
	(void)state;
	struct env *env = fake_env_new();
	struct err e;
	unsigned n = 0;
	env_unwatch_network(env); /* without a watch: nothing */
	fake_env_change_network(env);
	assert_true(env_watch_network(env, count_network, &n, &e));
	for (int i = 0; i < 9; i++) {
		fake_env_change_network(env);
		fake_env_pass(env, 100);
	}
	assert_int_equal(n, 0);
	fake_env_pass(env, 100); /* NETWORK_SETTLE_MS after the first */
	assert_int_equal(n, 1);
	fake_env_pass(env, 5000);
	assert_int_equal(n, 1);
	fake_env_change_network(env);
	env_unwatch_network(env);
	fake_env_pass(env, 5000);
	assert_int_equal(n, 1);
	fake_env_hide_network(env);
	assert_false(env_watch_network(env, count_network, &n, &e));
	fake_env_free(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_of_the_network_are_gathered),
		cmocka_unit_test(test_timers_fire_by_time_then_age),
		cmocka_unit_test(test_a_thousand_timers),
		cmocka_unit_test(test_a_timer_set_by_a_timer_waits_a_turn),
		cmocka_unit_test(test_turn_ends_deferred_hooks_by_order),
		cmocka_unit_test(test_hooks_may_remove_hooks),
		cmocka_unit_test(test_held_octets_come_again_after_resume),
		cmocka_unit_test(test_pause_stops_data_but_loses_none),
		cmocka_unit_test(test_end_comes_after_the_held_octets_and_once),
		cmocka_unit_test(test_drained_once_below_the_low_mark),
		cmocka_unit_test(test_close_inside_data),
		cmocka_unit_test(test_octets_leave_at_the_end_of_the_turn),
		cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
