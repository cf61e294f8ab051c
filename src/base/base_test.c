/* base_test.c - what everything stands on: bounds, quotas, sticky errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/cur.h"
#include "base/fault.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

static void test_cursor_is_sticky(void **state)
{
	(void)state;
	struct cur c = cur_of(VIEW("\x01\x02\x03\x04\x05"));
	assert_int_equal(cur_u8(&c), 1);
	assert_int_equal(cur_u16(&c), 0x0203);
	assert_false(c.bad);
	assert_int_equal(cur_u32(&c), 0); /* two octets left: not enough */
	assert_true(c.bad);
	assert_int_equal(cur_u8(&c), 0); /* though two are there */
	assert_int_equal(cur_left(&c), 0);
}

static void test_cursor_of_nothing(void **state)
{
	(void)state;
	struct cur c = cur_of((struct view){ NULL, 0 });
	assert_int_equal(cur_rest(&c).n, 0);
	assert_false(c.bad);
	assert_int_equal(cur_u8(&c), 0);
	assert_true(c.bad);
}

static void test_arena_quota(void **state)
{
	(void)state;
	struct arena *a = arena_new(1000);
	assert_non_null(arena_get(a, 600));
	assert_null(arena_get(a, 401));
	assert_true(arena_full(a));
	assert_null(arena_get(a, 1)); /* sticky */
	arena_reset(a);
	assert_false(arena_full(a));
	uint8_t *p = arena_get(a, 1000);
	assert_non_null(p);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	arena_free(&a);
	assert_null(a);
}

static void test_arena_many_blocks(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	for (unsigned round = 0; round < 3; round++) {
		for (size_t n = 1; n < 1000; n++) {
			uint8_t *p = arena_get(a, n);
			assert_int_equal((uintptr_t)p % 16, 0);
			memset(p, 0xff, n);
		}
		arena_reset(a);
	}
	arena_free(&a);
}

static void test_out_limit(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 10);
	out_str(&o, "12345678");
	out_u32(&o, 7);
	assert_true(o.bad);
	assert_int_equal(out_len(&o), 8);
	out_u8(&o, 1); /* would fit, but an output with a hole is worse than none */
	assert_int_equal(out_len(&o), 8);
	out_clear(&o);
	out_fmt(&o, "%d", 42);
	assert_string_equal(out_cstr(&o), "42");
	out_fini(&o);
}

static void test_out_as_send_buffer(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 4096);
	uint8_t next = 0, want = 0;
	for (unsigned round = 0; round < 1000; round++) {
		for (unsigned i = 0; i < round % 40; i++)
			out_u8(&o, next++);
		size_t take = out_len(&o) < round % 37 ? out_len(&o) : round % 37;
		for (size_t i = 0; i < take; i++)
			assert_int_equal(out_view(&o).p[i], want++);
		out_drop(&o, take);
	}
	out_fini(&o);
}

static void test_out_long_format(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 4096);
	out_fmt(&o, "%0900d|", 5);
	assert_int_equal(out_len(&o), 901);
	assert_int_equal(out_view(&o).p[900], '|');
	out_fini(&o);
}

static void test_text_escape_and_hex(void **state)
{
	(void)state;
	char buf[64];
	assert_string_equal(text_escaped(buf, sizeof buf, VIEW("a\"\\\x01\xff")), "a\\\"\\\\\\x01\\xff");
	struct out o;
	out_init(&o, 100);
	assert_true(text_unhex(&o, VIEW("0a FF\n10")));
	assert_int_equal(out_len(&o), 3);
	assert_false(text_unhex(&o, VIEW("0")));
	assert_false(text_unhex(&o, VIEW("0g")));
	assert_int_equal(out_len(&o), 3);
	out_fini(&o);
}

/* RFC 3629 4; Unicode 15.0, 23.2 and Bidi_Control of PropList.txt; ISO/IEC 6429 for C0 and C1. */
static void test_text_show(void **state)
{
	static const struct {
		const char *v, *shown, *lines; /* lines NULL: the same */
	} rows[] = {
		{ "plain \"text\", C:\\x", "plain \"text\", C:\\x", NULL },
		{ "caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x93\xae", "caf\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x93\xae", NULL },
		{ "a\x1b[2J\x7f\r", "a\\x1b[2J\\x7f\\x0d", NULL },
		{ "a\tb\nc", "a\\x09b\\x0ac", "a\tb\nc" },
		{ "a\xc2\x80\xc2\x9b" "1m\xc2\xa0", "a\\u0080\\u009b" "1m\xc2\xa0", NULL },             /* C1, and what comes after it */
		{ "\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", "\\u202a\\u202e\\u2066\\u2069", NULL }, /* LRE RLO LRI PDI */
		{ "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c", NULL },                    /* LRM RLM ALM */
		{ "\xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xa8", "\\u200b\\ufeff\\u2028", NULL },
		{ "\xe2\x80\x8c\xe2\x80\x8d", "\xe2\x80\x8c\xe2\x80\x8d", NULL },                       /* joiners */
		{ "\xf3\xa0\x81\x81", "\\U000e0041", NULL },                                              /* a tag */
		{ "\xff\x80z\xc0\xaf\xed\xa0\x80\xe2\x80", "\\xff\\x80z\\xc0\\xaf\\xed\\xa0\\x80\\xe2\\x80", NULL }, /* no UTF-8: overlong, half a pair, cut */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", NULL },                                     /* beyond 10FFFF */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (int lines = 0; lines < 2; lines++) {
			struct out o;
			out_init(&o, 1000);
			text_show(&o, view_str(rows[i].v), lines != 0);
			assert_string_equal(out_cstr(&o), lines != 0 && rows[i].lines != NULL ? rows[i].lines : rows[i].shown);
			out_fini(&o);
		}
}

static void test_text_distance(void **state)
{
	(void)state;
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("same", "same"), 0);
}

static void test_text_uint(void **state)
{
	(void)state;
	uint64_t x = 0;
	assert_true(text_uint(VIEW("65535"), 65535, &x));
	assert_int_equal(x, 65535);
	assert_false(text_uint(VIEW("65536"), 65535, &x));
	assert_false(text_uint(VIEW(""), 9, &x));
	assert_false(text_uint(VIEW("1x"), 99, &x));
	assert_false(text_uint(VIEW("99999999999999999999999"), UINT64_MAX, &x));
}

static void test_fault_plan(void **state)
{
	(void)state;
	struct err e;
	assert_true(fault_plan("STORE_COMMIT:2:fail,STORE_WRITE:1:stick", &e));
	assert_false(FAULT(STORE_COMMIT));
	assert_true(FAULT(STORE_COMMIT));
	assert_false(FAULT(STORE_COMMIT));
	assert_true(FAULT(STORE_WRITE));
	assert_true(FAULT(STORE_WRITE));
	assert_int_equal(fault_passes(FAULT_STORE_COMMIT), 3);
	assert_true(fault_plan("*:2:fail", &e));
	assert_false(FAULT(STORE_WRITE));
	assert_true(FAULT(STORE_BEGIN));
	assert_false(fault_plan("STORE_COMIT:1:fail", &e));
	assert_non_null(strstr(e.text, "STORE_COMIT"));
	assert_true(fault_plan(NULL, &e));
	assert_false(FAULT(STORE_WRITE));
}

static void test_map_against_an_array(void **state)
{
	(void)state;
	enum { KEYS = 512 };
	struct map m = { 0 };
	static char there[KEYS];
	uint64_t x = 88172645463325252u;
	for (unsigned round = 0; round < 20000; round++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		uint64_t key = x % KEYS;
		assert_int_equal(map_get(&m, key) != NULL, there[key] != 0);
		if (there[key])
			assert_ptr_equal(map_take(&m, key), &there[key]);
		else
			map_put(&m, key, &there[key]);
		there[key] = !there[key];
	}
	size_t n = 0, seen = 0;
	for (size_t i = 0; map_next(&m, &i) != NULL;)
		seen++;
	for (size_t i = 0; i < KEYS; i++)
		n += there[i] != 0;
	assert_int_equal(seen, n);
	assert_int_equal(m.n, n);
	map_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_is_sticky), cmocka_unit_test(test_cursor_of_nothing),
		cmocka_unit_test(test_arena_quota), cmocka_unit_test(test_arena_many_blocks),
		cmocka_unit_test(test_out_limit), cmocka_unit_test(test_out_as_send_buffer),
		cmocka_unit_test(test_out_long_format), cmocka_unit_test(test_text_escape_and_hex),
		cmocka_unit_test(test_text_show), cmocka_unit_test(test_text_distance), cmocka_unit_test(test_text_uint),
		cmocka_unit_test(test_fault_plan), cmocka_unit_test(test_map_against_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
