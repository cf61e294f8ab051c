/* chan_test.c - the channel: frames as chan.h states them, in any pieces, and nonsense refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "sys/chan.h"
#include "sys/fake_env.h"

/* chan.h: length 4 (of what follows), type 2, payload; HELLO is type 0 with version 2, kind 2, instance 4. */
#define HELLO_7_9 "\0\0\0\x0a" "\0\0" "\0\x01" "\0\x07" "\0\0\0\x09"
#define FRAME_ABC "\0\0\0\x05" "\0\x05" "abc"
#define FRAME_EMPTY "\0\0\0\x02" "\0\x06"

struct side {
	struct chan *c;
	struct out log;
	unsigned closed, drained;
	struct err why;
	bool free_in_handler, pause_in_handler;
};

static bool on_five(void *ctx, struct view payload, struct err *e)
{
	struct side *s = ctx;
	out_fmt(&s->log, "5(%.*s)", (int)payload.n, (const char *)payload.p);
	if (s->free_in_handler)
		chan_free(&s->c, false);
	if (s->pause_in_handler)
		chan_pause(s->c, true);
	if (view_eq(payload, VIEW("bad")))
		return err_set(e, ERR_PEER, ERR_OF_PROCESS, "found \"bad\"");
	return true;
}

static bool on_six(void *ctx, struct view payload, struct err *e)
{
	struct side *s = ctx;
	(void)e;
	out_fmt(&s->log, "6[%zu]", payload.n);
	return true;
}

static void on_hello(void *ctx, unsigned kind, uint32_t instance)
{
	struct side *s = ctx;
	out_fmt(&s->log, "hello %u.%u ", kind, (unsigned)instance);
}

static void on_drained(void *ctx)
{
	struct side *s = ctx;
	s->drained++;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct side *s = ctx;
	assert_int_equal(s->closed, 0);
	s->closed++;
	s->why = *why;
}

static const struct chan_type types[] = {
	{ 5, "five", on_five, 100 },
	{ 6, "six", on_six, CHAN_FRAME_MAX - 2 },
	{ 9, "nine", NULL, 100 },
};
static const struct chan_events events = { types, ARRAY_LEN(types), on_hello, on_drained, on_closed };

struct pair {
	struct env *env;
	struct side a, b;
	struct stream *raw; /* the other end of b, when a is not a channel */
};

static void setup(struct pair *p, bool raw)
{
	memset(p, 0, sizeof *p);
	p->env = fake_env_new();
	struct stream *a, *b;
	fake_env_pair(p->env, &a, &b);
	out_init(&p->a.log, SIZE_MAX / 2);
	out_init(&p->b.log, SIZE_MAX / 2);
	if (raw)
		p->raw = a;
	else
		p->a.c = chan_new(&a, &events, &p->a, 1, 11);
	p->b.c = chan_new(&b, &events, &p->b, 2, 22);
	assert_null(b);
}

static void teardown(struct pair *p)
{
	chan_free(&p->a.c, false);
	chan_free(&p->b.c, false);
	stream_close(&p->raw, false);
	fake_env_free(&p->env);
	out_fini(&p->a.log);
	out_fini(&p->b.log);
}

static void test_messages_go_over_in_order(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, false);
	chan_send(p.a.c, 5, VIEW("abc"));
	struct out *o = chan_begin(p.a.c, 6);
	out_u32(o, 1);
	out_str(o, "12345");
	chan_end(p.a.c);
	chan_send(p.a.c, 5, VIEW(""));
	fake_env_settle(p.env);
	assert_string_equal(out_cstr(&p.b.log), "hello 1.11 5(abc)6[9]5()");
	assert_string_equal(out_cstr(&p.a.log), "hello 2.22 ");
	chan_free(&p.a.c, true);
	fake_env_settle(p.env);
	assert_int_equal(p.b.closed, 1);
	teardown(&p);
}

static void test_octets_on_the_wire(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, true);
	chan_send(p.b.c, 6, VIEW(""));
	/* Counted before it leaves: HELLO 14 and the frame 6. */
	assert_int_equal(chan_unsent(p.b.c), 20);
	struct view want = VIEW("\0\0\0\x0a" "\0\0" "\0\x01" "\0\x02" "\0\0\0\x16" "\0\0\0\x02" "\0\x06");
	assert_true(view_eq(out_view(&((struct stream *)(void *)p.raw)->unsent), VIEW("")));
	struct out got;
	out_init(&got, 100);
	struct stream *raw = p.raw;
	fake_env_settle(p.env); /* nobody reads at raw: kept for whoever comes */
	out_bytes(&got, out_view(&raw->held));
	assert_true(view_eq(out_view(&got), want));
	out_fini(&got);
	teardown(&p);
}

static void test_any_chunks(void **state)
{
	(void)state;
	for (size_t chunk = 1; chunk < 40; chunk++) {
		struct pair p;
		setup(&p, true);
		fake_env_set_chunk(p.env, chunk);
		stream_write(p.raw, VIEW(HELLO_7_9 FRAME_ABC FRAME_EMPTY FRAME_ABC));
		fake_env_settle(p.env);
		assert_string_equal(out_cstr(&p.b.log), "hello 7.9 5(abc)6[0]5(abc)");
		assert_int_equal(p.b.closed, 0);
		teardown(&p);
	}
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct view all = VIEW(HELLO_7_9 FRAME_ABC FRAME_EMPTY);
	for (size_t n = 0; n < all.n; n++) {
		struct pair p;
		setup(&p, true);
		stream_write(p.raw, view_first(all, n));
		stream_close(&p.raw, true);
		fake_env_settle(p.env);
		const char *want = n < 14 ? "" : n < 23 ? "hello 7.9 " : "hello 7.9 5(abc)";
		assert_string_equal(out_cstr(&p.b.log), want);
		assert_int_equal(p.b.closed, 1);
		teardown(&p);
	}
}

static void test_nonsense_ends_the_channel(void **state)
{
	(void)state;
	static const struct {
		struct view octets;
		const char *log, *text;
	} rows[] = {
		{ VIEW("\0\0\0\x0a" "\0\0" "\0\x02" "\0\x07" "\0\0\0\x09"), "", "another version" },
		{ VIEW(FRAME_ABC), "", "no greeting" },
		{ VIEW("\0\0\0\x0b" "\0\0"), "", "no greeting" },
		{ VIEW("\0\0\0\x01" "\0\0"), "", "impossible length" },
		{ VIEW("\xff\xff\xff\xff" "\0\x05"), "", "impossible length" },
		{ VIEW(HELLO_7_9 HELLO_7_9), "hello 7.9 ", "unknown message" },
		{ VIEW(HELLO_7_9 "\0\0\0\x02" "\0\x07"), "hello 7.9 ", "unknown message" },
		{ VIEW(HELLO_7_9 "\0\0\0\x02" "\0\x09"), "hello 7.9 ", "unknown message" },
		{ VIEW(HELLO_7_9 "\0\0\0\x67" "\0\x05"), "hello 7.9 ", "over its limit" }, /* 101 octets of 100 */
		{ VIEW(HELLO_7_9 "\x01\0\0\x01" "\0\x06"), "hello 7.9 ", "impossible length" },
		{ VIEW(HELLO_7_9 "\0\0\0\x05" "\0\x05" "bad" FRAME_ABC), "hello 7.9 5(bad)", "found \"bad\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t chunk = 0; chunk < 4; chunk++) {
			struct pair p;
			setup(&p, true);
			fake_env_set_chunk(p.env, chunk);
			stream_write(p.raw, rows[i].octets);
			fake_env_settle(p.env);
			assert_string_equal(out_cstr(&p.b.log), rows[i].log);
			assert_int_equal(p.b.closed, 1);
			assert_non_null(strstr(p.b.why.text, rows[i].text));
			chan_send(p.b.c, 5, VIEW("dropped"));
			assert_int_equal(chan_unsent(p.b.c), 0);
			teardown(&p);
		}
	}
}

static void test_a_large_frame_in_pieces(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, false);
	enum { N = CHAN_FRAME_MAX - 2 };
	uint8_t *large = mem_zero(N);
	fake_env_set_chunk(p.env, 64 * 1024);
	chan_send(p.a.c, 6, view_of(large, N));
	chan_send(p.a.c, 5, VIEW("x"));
	fake_env_settle(p.env);
	char want[64];
	snprintf(want, sizeof want, "hello 1.11 6[%d]5(x)", N);
	assert_string_equal(out_cstr(&p.b.log), want);
	assert_int_equal(p.a.drained, 1);
	free(large);
	teardown(&p);
}

static void test_pause_holds_back_whole_frames(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, false);
	p.b.pause_in_handler = true;
	for (int i = 0; i < 3; i++)
		chan_send(p.a.c, 5, VIEW("x"));
	fake_env_settle(p.env);
	assert_string_equal(out_cstr(&p.b.log), "hello 1.11 5(x)");
	chan_pause(p.b.c, false);
	fake_env_settle(p.env);
	assert_string_equal(out_cstr(&p.b.log), "hello 1.11 5(x)5(x)");
	p.b.pause_in_handler = false;
	chan_pause(p.b.c, false);
	fake_env_settle(p.env);
	assert_string_equal(out_cstr(&p.b.log), "hello 1.11 5(x)5(x)5(x)");
	teardown(&p);
}

static void test_free_inside_a_handler(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, false);
	p.b.free_in_handler = true;
	chan_send(p.a.c, 5, VIEW("bad")); /* and refused after that: nobody left to tell */
	chan_send(p.a.c, 5, VIEW("never"));
	fake_env_settle(p.env);
	assert_string_equal(out_cstr(&p.b.log), "hello 1.11 5(bad)");
	assert_null(p.b.c);
	assert_int_equal(p.b.closed, 0);
	assert_int_equal(p.a.closed, 1);
	teardown(&p);
}

static void test_fault_point_ends_the_channel_later(void **state)
{
	(void)state;
	struct pair p;
	setup(&p, false);
	assert_true(fault_plan("CHAN_WRITE:1:fail", NULL));
	chan_send(p.a.c, 5, VIEW("x"));
	assert_int_equal(p.a.closed, 0);
	fake_env_settle(p.env);
	assert_int_equal(p.a.closed, 1);
	assert_true(fault_plan(NULL, NULL));
	teardown(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_go_over_in_order),
		cmocka_unit_test(test_octets_on_the_wire),
		cmocka_unit_test(test_any_chunks),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_nonsense_ends_the_channel),
		cmocka_unit_test(test_a_large_frame_in_pieces),
		cmocka_unit_test(test_pause_holds_back_whole_frames),
		cmocka_unit_test(test_free_inside_a_handler),
		cmocka_unit_test(test_fault_point_ends_the_channel_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
