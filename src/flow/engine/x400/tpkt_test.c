/* tpkt_test.c - RFC 1006 section 6: version 3, reserved octet, length with header, at least 7. */
#include "flow/engine/x400/stack_test.h"
#include "flow/engine/x400/tpkt.h"

/* Appends every TPDU that is complete or partly there, "|" after each; false when the stream
 * failed. */
static bool drain(struct tpkt *t, struct out *text, struct err *e)
{
	for (;;) {
		struct tpkt_part part;
		enum step step = tpkt_peek(t, &part, e);
		if (step == STEP_FAIL)
			return false;
		if (step == STEP_WAIT || part.bytes.n == 0)
			return true;
		text_hex(text, part.bytes);
		if (part.bytes.n == part.left)
			out_str(text, "|");
		tpkt_take(t, part.bytes.n);
	}
}

static bool run(struct view stream, size_t chunk, struct out *text, struct err *e)
{
	struct tpkt *t = tpkt_new(TPKT_BUF_MIN);
	bool ok = true;
	for (size_t at = 0; ok && at < stream.n;) {
		size_t n = tpkt_feed(t, view_first(view_from(stream, at), chunk));
		assert_true(n > 0); /* a full buffer and WAIT together would be a hang */
		at += n;
		ok = drain(t, text, e);
	}
	tpkt_free(&t);
	return ok;
}

static void test_tpdus_in_chunks(void **state)
{
	(void)state;
	struct out in = from_hex("0300000b06d00de0047c00 | 03 00 00 07 02f080 | 03ab0008 02f08041");
	for (size_t chunk = 1; chunk <= in.n; chunk++) {
		struct out text;
		out_init(&text, 4096);
		assert_true(run(out_view(&in), chunk, &text, NULL));
		assert_string_equal(out_cstr(&text), "06d00de0047c00|02f080|02f08041|");
		out_fini(&text);
	}
	out_fini(&in);
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct out in = from_hex("0300000b06d00de0047c00 03000007 02f080");
	for (size_t cut = 0; cut < in.n; cut++) {
		struct out text;
		out_init(&text, 4096);
		assert_true(run(view_first(out_view(&in), cut), 3, &text, NULL));
		size_t whole = 0;
		for (size_t i = 0; i < out_len(&text); i++)
			whole += text.p[text.head + i] == '|';
		assert_int_equal(whole, cut >= 18 ? 2 : cut >= 11 ? 1 : 0);
		out_fini(&text);
	}
	out_fini(&in);
}

static void test_tp_02_k157015_reserved_octet(void **state)
{
	(void)state;
	for (unsigned reserved = 0; reserved < 256; reserved++) {
		struct out in = from_hex("0300000702f080"), text;
		in.p[1] = (uint8_t)reserved;
		out_init(&text, 100);
		assert_true(run(out_view(&in), 100, &text, NULL));
		assert_string_equal(out_cstr(&text), "02f080|");
		out_fini(&text);
		out_fini(&in);
	}
	uint8_t h[TPKT_HEADER];
	tpkt_put_header(h, 0x1234);
	assert_octets(view_of(h, sizeof h), "03001238"); /* own output is always 00 */
}

static void assert_bad(const char *hex, const char *want)
{
	struct out in = from_hex(hex), text;
	out_init(&text, 100);
	struct err e = {0};
	assert_false(run(out_view(&in), 100, &text, &e));
	assert_int_equal(e.kind, ERR_PEER);
	assert_int_equal(e.culprit, ERR_OF_ASSOCIATION);
	assert_string_equal(e.text, want);
	out_fini(&text);
	out_fini(&in);
}

static void test_tp_04_length_below_7(void **state)
{
	(void)state;
	assert_bad("03000006 0102", "tpkt: version 3 length 6, want 3 and 7..65535");
	assert_bad("03000004", "tpkt: version 3 length 4, want 3 and 7..65535");
	assert_bad("03000005 00", "tpkt: version 3 length 5, want 3 and 7..65535");
	assert_bad("03000000", "tpkt: version 3 length 0, want 3 and 7..65535");
}

static void test_version_2(void **state)
{
	(void)state;
	assert_bad("0200000702f080", "tpkt: version 2 length 7, want 3 and 7..65535");
	assert_bad("47455420", "tpkt: version 71 length 21536, want 3 and 7..65535"); /* "GET " */
	struct tpkt *t = tpkt_new(TPKT_BUF_MIN);
	struct tpkt_part part;
	assert_int_equal(tpkt_feed(t, VIEW("\2")), 1);
	assert_int_equal(tpkt_peek(t, &part, NULL), STEP_FAIL);
	assert_int_equal(tpkt_feed(t, VIEW("\3\0\0\7")), 4);
	assert_int_equal(tpkt_peek(t, &part, NULL), STEP_FAIL); /* for good */
	tpkt_free(&t);
}

/* 65535 announced and dribbled: assembled, with a buffer that is far smaller. */
static void test_tp_05_dribbled(void **state)
{
	(void)state;
	struct out in = from_hex("0300ffff"), text;
	for (size_t i = 0; i < TPKT_TPDU_MAX; i++)
		out_u8(&in, (uint8_t)(i * 7));
	out_init(&text, 1 << 20);
	assert_true(run(out_view(&in), 1, &text, NULL));
	assert_int_equal(out_len(&text), 2 * TPKT_TPDU_MAX + 1);
	struct out back;
	out_init(&back, 1 << 20);
	assert_true(text_unhex(&back, view_first(out_view(&text), 2 * TPKT_TPDU_MAX)));
	assert_true(view_eq(out_view(&back), view_from(out_view(&in), TPKT_HEADER)));
	out_fini(&back);
	out_fini(&text);
	out_fini(&in);
}

static void test_memory(void **state)
{
	(void)state;
	struct tpkt *t = tpkt_new(20000);
	assert_int_equal(tpkt_buffer_size(t), 0); /* idle: nothing */
	static const uint8_t zeroes[100000] = {3, 0, 0xff, 0xff};
	assert_int_equal(tpkt_feed(t, view_of(zeroes, 10)), 10);
	assert_in_range(tpkt_buffer_size(t), 10, 4096);
	assert_int_equal(tpkt_feed(t, view_of(zeroes, sizeof zeroes)), 20000 - 10);
	assert_int_equal(tpkt_buffer_size(t), 20000);
	assert_int_equal(tpkt_feed(t, view_of(zeroes, 1)), 0);
	tpkt_rest(t); /* something is in it: stays */
	assert_int_equal(tpkt_buffer_size(t), 20000);
	struct tpkt_part part;
	assert_int_equal(tpkt_peek(t, &part, NULL), STEP_DONE);
	assert_int_equal(part.left, TPKT_TPDU_MAX);
	tpkt_take(t, part.bytes.n);
	tpkt_rest(t);
	assert_int_equal(tpkt_buffer_size(t), 0);
	size_t room;
	uint8_t *p = tpkt_space(t, 8192, &room);
	assert_non_null(p);
	assert_in_range(room, 8192, 20000);
	memset(p, 5, 100);
	tpkt_filled(t, 100);
	assert_int_equal(tpkt_peek(t, &part, NULL), STEP_DONE);
	assert_int_equal(part.bytes.n, 100);
	assert_int_equal(part.bytes.p[99], 5);
	tpkt_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tpdus_in_chunks),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_tp_02_k157015_reserved_octet),
		cmocka_unit_test(test_tp_04_length_below_7),
		cmocka_unit_test(test_version_2),
		cmocka_unit_test(test_tp_05_dribbled),
		cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
