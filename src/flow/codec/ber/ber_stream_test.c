/* ber_stream_test.c - the tokenizer gives the same events however the octets come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/ber/ber_private.h"
#include "flow/codec/ber/ber_test_help.h"

/* What the events say, pieces of content run together: "<60 16+10 4a6f..>" and so on; and all octets shown. */
struct seen {
	struct out text, octets;
	uint32_t open[20]; /* their tags */
	unsigned depth;
};

static void see(struct seen *seen, const struct ber_stream_event *ev)
{
	char tag[40];
	out_bytes(&seen->octets, ev->header);
	out_bytes(&seen->octets, ev->bytes);
	switch (ev->what) {
	case BER_S_OPEN:
		seen->open[seen->depth++] = ev->tag;
		out_fmt(&seen->text, "<%s%s ", ber_tag_text(ev->tag, tag, sizeof tag), ev->constructed ? "+" : "");
		if (ev->definite)
			out_fmt(&seen->text, "%zu ", ev->length);
		assert_true(ev->header.n >= 2);
		break;
	case BER_S_BYTES:
		assert_true(ev->bytes.n > 0);
		text_hex(&seen->text, ev->bytes);
		break;
	case BER_S_CLOSE:
		out_str(&seen->text, ">");
		assert_int_equal(ev->tag, seen->open[seen->depth - 1]);
		assert_int_equal(ev->header.n, ev->definite ? 0 : 2);
		break;
	}
	assert_int_equal(ev->depth, seen->depth);
	seen->depth -= ev->what == BER_S_CLOSE;
}

static void seen_init(struct seen *seen)
{
	*seen = (struct seen){ 0 };
	out_init(&seen->text, 1u << 20);
	out_init(&seen->octets, 1u << 20);
}

static void seen_fini(struct seen *seen)
{
	out_fini(&seen->text);
	out_fini(&seen->octets);
}

/* Feeds `in` from a buffer of its own, so that a read past its end is seen. WAIT leaves nothing untaken. */
static enum step feed(struct ber_stream *s, struct view in, struct seen *seen, struct err *e)
{
	struct ber_stream_event ev;
	uint8_t *exact = mem_dup(in.p, in.n);
	struct view left = view_of(exact, in.n);
	enum step step;
	while ((step = ber_stream_next(s, &left, &ev, e)) == STEP_DONE)
		see(seen, &ev);
	if (step == STEP_WAIT)
		assert_int_equal(left.n, 0);
	free(exact);
	return step;
}

static void check_chunked(const char *hex, const char *want)
{
	struct arena *a = arena_new(1u << 20);
	struct view in = unhex(a, hex);
	struct ber_stream *s = ber_stream_new(20);
	for (size_t size = 1; size <= in.n; size++) {
		struct seen seen;
		struct err e = { 0 };
		seen_init(&seen);
		for (size_t i = 0; i < in.n; i += size)
			if (feed(s, view_first(view_from(in, i), size), &seen, &e) != STEP_WAIT)
				fail_msg("in pieces of %zu: %s", size, e.text);
		assert_string_equal(out_cstr(&seen.text), want);
		assert_octets(out_view(&seen.octets), in);
		assert_int_equal(seen.depth, 0);
		seen_fini(&seen);
	}
	ber_stream_free(&s);
	assert_null(s);
	arena_free(&a);
}

static void test_pieces_of_every_size(void **state)
{
	(void)state;
	check_chunked("300A 1605536D697468 0101FF", "<SEQUENCE+ 10 <IA5String 5 536d697468><BOOLEAN 1 ff>>"); /* 8.9.3 */
	check_chunked("23800303000A3B0305045F291CD00000", /* 8.6.4.2 */
		      "<BIT STRING+ <BIT STRING 3 000a3b><BIT STRING 5 045f291cd0>>");
	check_chunked("3000 0500 0400 A280 0000", "<SEQUENCE+ 0 ><NULL 0 ><OCTET STRING 0 ><[2]+ >");
	check_chunked("BF819C20 8400000009 3080 A003020105 0000",
		      "<[20000]+ 9 <SEQUENCE+ <[0]+ 3 <INTEGER 1 05>>>>");
	check_chunked("608185 6110 1A044A6F686E 1A0150 1A05536D697468 A00A 1A084469726563746F72 420133"
		      "A10A 43083139373130393137 A212 6110 1A044D617279 1A0154 1A05536D697468 A342"
		      " 311F 6111 1A0552616C7068 1A0154 1A05536D697468 A00A 43083139353731313131"
		      " 311F 6111 1A05537573616E 1A0142 1A054A6F6E6573 A00A 43083139353930373137",
		      "<[APPLICATION 0]+ 133 <[APPLICATION 1]+ 16 <VisibleString 4 4a6f686e><VisibleString 1 50>"
		      "<VisibleString 5 536d697468>><[0]+ 10 <VisibleString 8 4469726563746f72>>"
		      "<[APPLICATION 2] 1 33><[1]+ 10 <[APPLICATION 3] 8 3139373130393137>>"
		      "<[2]+ 18 <[APPLICATION 1]+ 16 <VisibleString 4 4d617279><VisibleString 1 54>"
		      "<VisibleString 5 536d697468>>><[3]+ 66 <SET+ 31 <[APPLICATION 1]+ 17 "
		      "<VisibleString 5 52616c7068><VisibleString 1 54><VisibleString 5 536d697468>>"
		      "<[0]+ 10 <[APPLICATION 3] 8 3139353731313131>>><SET+ 31 <[APPLICATION 1]+ 17 "
		      "<VisibleString 5 537573616e><VisibleString 1 42><VisibleString 5 4a6f6e6573>>"
		      "<[0]+ 10 <[APPLICATION 3] 8 3139353930373137>>>>>");
}

/* At every cut it waits for more, is not at the end of a value, and goes on where it was. */
static void test_cut_at_every_octet(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct view in = unhex(a, ALL);
	for (size_t cut = 0; cut <= in.n; cut++) {
		struct ber_stream *s = ber_stream_new(20);
		struct seen seen;
		struct err e = { 0 };
		seen_init(&seen);
		assert_int_equal(feed(s, view_first(in, cut), &seen, &e), STEP_WAIT);
		assert_int_equal(seen.depth > 0, cut > 2 && cut < in.n); /* its header has three octets */
		assert_int_equal(feed(s, view_from(in, cut), &seen, &e), STEP_WAIT);
		assert_octets(out_view(&seen.octets), in);
		assert_int_equal(seen.depth, 0);
		seen_fini(&seen);
		ber_stream_free(&s);
	}
	arena_free(&a);
}

static void check_fails(const char *hex, size_t after, const char *text)
{
	struct arena *a = arena_new(1u << 20);
	struct view in = unhex(a, hex);
	struct ber_stream *s = ber_stream_new(3);
	for (size_t size = 1; size <= in.n; size++) {
		struct seen seen;
		struct err e = { 0 };
		enum step step = STEP_WAIT;
		size_t i = 0;
		ber_stream_reset(s);
		ber_stream_limit(s, 1000);
		seen_init(&seen);
		for (; i < in.n && step == STEP_WAIT; i += size)
			step = feed(s, view_first(view_from(in, i), size), &seen, &e);
		assert_int_equal(step, STEP_FAIL);
		if (size == 1)
			assert_int_equal(i, after); /* as soon as it can be known */
		if (strstr(e.text, text) == NULL)
			fail_msg("found: %s\nwanted: %s", e.text, text);
		assert_int_equal(feed(s, VIEW("\x05"), &seen, &e), STEP_FAIL); /* and stays so */
		assert_non_null(strstr(e.text, "failed before"));
		seen_fini(&seen);
	}
	ber_stream_free(&s);
	arena_free(&a);
}

static void test_failures(void **state)
{
	(void)state;
	check_fails("3003 0202 0101", 4, "an element of length 2 where 1 octets are left of the 3 around it, at octet 4");
	check_fails("3080 3004 0203 010101 0000", 6, "length 3 where 2 octets are left of the 4 around it, at octet 6");
	check_fails("3003 0281 0101", 5, "length 1 where 0 octets are left of the 3");
	check_fails("3002 0281 01", 4, "a header cut short by the end of the definite length around it, at octet 4");
	check_fails("3004 3080 0500 0000", 6, "no end-of-contents before the end of the definite length around it");
	check_fails("3005 3080 0500 00 00", 7, "a header cut short by the end of the definite length");
	check_fails("3080 0001 00", 4, "tag 0 where no end-of-contents is due");
	check_fails("3080 2000 00", 4, "tag 0 where no end-of-contents is due");
	check_fails("3002 0000", 4, "tag 0 where no end-of-contents is due");
	check_fails("0000", 2, "tag 0 where no end-of-contents is due");
	check_fails("0480", 2, "indefinite length on a primitive");
	check_fails("04FF", 2, "length octet 0xff");
	check_fails("3080308030803080", 8, "nested deeper than the limit, at octet 8");
	check_fails("048203E5", 4, "length 997 where 996 octets are left of the 1000 around it");
	check_fails("3080 048203E4", 6, "length 996 where 994 octets are left of the 1000 around it");
	check_fails("1F1E01", 2, "tag number below 31");
	check_fails("1F8FFFFFFF7F01", 5, "tag number over 30 bits");
}

/* A limit counts each outermost value anew. */
static void test_values_one_after_another(void **state)
{
	(void)state;
	struct ber_stream *s = ber_stream_new(1);
	struct seen seen;
	struct err e = { 0 };
	ber_stream_limit(s, 5);
	seen_init(&seen);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(feed(s, VIEW("\x04\x03" "abc"), &seen, &e), STEP_WAIT);
	assert_string_equal(out_cstr(&seen.text),
			    "<OCTET STRING 3 616263><OCTET STRING 3 616263><OCTET STRING 3 616263>");
	assert_int_equal(feed(s, VIEW("\x04\x04"), &seen, &e), STEP_FAIL);
	seen_fini(&seen);
	ber_stream_free(&s);
	ber_stream_free(&s);
}

/* Content is shown where it lies, not copied. */
static void test_bytes_are_not_copied(void **state)
{
	(void)state;
	struct ber_stream *s = ber_stream_new(4);
	struct ber_stream_event ev;
	struct view in = VIEW("\x24\x07\x04\x05" "abcde"), left = in;
	assert_int_equal(ber_stream_next(s, &left, &ev, NULL), STEP_DONE);
	assert_int_equal(ber_stream_next(s, &left, &ev, NULL), STEP_DONE);
	assert_int_equal(ber_stream_next(s, &left, &ev, NULL), STEP_DONE);
	assert_int_equal(ev.what, BER_S_BYTES);
	assert_true(ev.bytes.p == in.p + 4);
	assert_int_equal(ev.bytes.n, 5);
	ber_stream_free(&s);
}

/* ber_tlv on the same octets: X.690 8.6.4.2's indefinite form, with something behind it. */
/* An opaque element's inside is octets, whatever they are; one of indefinite length cannot be. */
static void test_opaque_element(void **state)
{
	(void)state;
	struct ber_stream *s = ber_stream_new(8);
	struct ber_stream_event ev;
	struct err e;
	struct view in = VIEW("\x30\x05\x31\x03\xff\xff\xff\x30\x80\x00\x00");
	assert_false(ber_stream_opaque(s));
	assert_int_equal(ber_stream_next(s, &in, &ev, &e), STEP_DONE);
	assert_true(ber_stream_opaque(s));
	assert_int_equal(ber_stream_next(s, &in, &ev, &e), STEP_DONE);
	assert_int_equal(ev.what, BER_S_BYTES);
	assert_true(view_eq(ev.bytes, VIEW("\x31\x03\xff\xff\xff")));
	assert_int_equal(ber_stream_next(s, &in, &ev, &e), STEP_DONE);
	assert_int_equal(ev.what, BER_S_CLOSE);
	assert_int_equal(ev.depth, 1);
	assert_int_equal(ber_stream_next(s, &in, &ev, &e), STEP_DONE);
	assert_int_equal(ev.what, BER_S_OPEN);
	assert_false(ber_stream_opaque(s));
	assert_int_equal(ber_stream_next(s, &in, &ev, &e), STEP_DONE);
	assert_int_equal(ev.what, BER_S_CLOSE);
	ber_stream_free(&s);
}

static void test_single_tlv(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 16);
	struct view in = unhex(a, "23800303000A3B0305045F291CD00000 0500");
	struct ber_tlv tlv;
	struct err e = { 0 };
	assert_true(ber_tlv(in, &tlv, &roomy, &e));
	assert_true(tlv.tag == BER_U(3) && tlv.constructed && tlv.indefinite);
	assert_octets(tlv.whole, view_first(in, 16));
	assert_octets(tlv.content, view_first(view_from(in, 2), 12));
	assert_true(ber_tlv(view_from(in, 16), &tlv, &roomy, &e));
	assert_true(tlv.tag == BER_U(5) && !tlv.constructed && !tlv.indefinite && tlv.content.n == 0);
	for (size_t n = 0; n < 16; n++)
		assert_false(ber_tlv(view_first(in, n), &tlv, &roomy, &e));
	assert_false(ber_tlv(unhex(a, "0000"), &tlv, &roomy, &e));
	assert_non_null(strstr(e.text, "end-of-contents where an element should begin"));
	assert_false(ber_tlv(unhex(a, "3080 0100FF 0001 00"), &tlv, &roomy, &e));
	arena_free(&a);
}

static void test_single_tlv_limits(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 16);
	struct ber_tlv tlv;
	struct view in = unhex(a, "3080 3080 0500 0000 0000");
	const struct ber_limits just = { 2, 5, 10 }, shallow = { 1, 5, 10 }, few = { 2, 4, 10 }, small = { 2, 5, 9 };
	assert_true(ber_tlv(in, &tlv, &just, NULL));
	assert_false(ber_tlv(in, &tlv, &shallow, NULL));
	assert_false(ber_tlv(in, &tlv, &few, NULL));
	assert_false(ber_tlv(in, &tlv, &small, NULL));
	const struct ber_limits flat = { 0, 5, 10 }, none = { 2, 0, 10 }, tiny = { 1, 1, 1 }, exact = { 1, 1, 2 };
	struct view null = VIEW("\x05\x00"), octet = VIEW("\x04\x02" "ab");
	assert_true(ber_tlv(null, &tlv, &exact, NULL));
	assert_false(ber_tlv(null, &tlv, &flat, NULL));
	assert_false(ber_tlv(null, &tlv, &none, NULL));
	assert_false(ber_tlv(null, &tlv, &tiny, NULL));
	assert_false(ber_tlv(octet, &tlv, &exact, NULL));
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_every_size),
		cmocka_unit_test(test_cut_at_every_octet),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_values_one_after_another),
		cmocka_unit_test(test_bytes_are_not_copied),
		cmocka_unit_test(test_opaque_element),
		cmocka_unit_test(test_single_tlv),
		cmocka_unit_test(test_single_tlv_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
