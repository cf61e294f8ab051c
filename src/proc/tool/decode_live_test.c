/* decode_live_test.c - a capture in pieces of every size says what it says in one, and one that ends anywhere harms nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/wire/pcap.h"
#include "proc/tool/decode_live.h"

/* X.224, 13.3 and 13.4: CR with source reference 1, CC that answers it with 2; RFC 1006, 6. */
static const char cr[] = "\x03\0\0\x0b\x06\xe0\0\0\0\x01\0", cc[] = "\x03\0\0\x0b\x06\xd0\0\x01\0\x02\0";

static void write_text(void *ctx, struct view text)
{
	out_bytes(ctx, text);
}

/* One that is there from its beginning and closes, and one that was open before and does not. */
static void make_capture(struct out *o)
{
	struct pcap_connection whole = { { 0xc0000201, 0xc0000202 }, { 20001, 102 }, { 1, 1 } }, part = { { 0xc0000202, 0xc0000201 }, { 20002, 102 }, { 1, 1 } };
	out_init(o, 1 << 16);
	pcap_begin(o);
	pcap_open(o, &whole, 1000000);
	pcap_octets(o, &whole, 0, view_of(cr, sizeof cr - 1), 1000000);
	pcap_octets(o, &part, 1, view_of(cc, 5), 1250000);
	pcap_octets(o, &whole, 1, view_of(cc, sizeof cc - 1), 1500000);
	pcap_octets(o, &part, 1, view_of(cc + 5, sizeof cc - 1 - 5), 1750000);
	pcap_close(o, &whole, 0, 2000000);
}

static const char *show(struct view file, size_t piece, bool *good_r)
{
	static struct out text;
	static bool begun;
	const struct decode_options options = { .json = true };
	size_t connections = 0;
	struct err e;
	if (!begun)
		out_init(&text, 1 << 20);
	begun = true;
	out_clear(&text);
	struct decode_live *d = decode_live_new(&options, write_text, &text, &connections);
	*good_r = true;
	for (; file.n > 0; file = view_from(file, piece))
		*good_r = decode_live_octets(d, view_first(file, piece), &e) && *good_r;
	decode_live_free(&d);
	return out_cstr(&text);
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void test_in_pieces(void **state)
{
	(void)state;
	struct out file;
	bool good;
	make_capture(&file);
	char *whole = strdup(show(out_view(&file), out_len(&file), &good));
	assert_true(good);
	assert_int_equal(count(whole, "\"event\":\"CONNECTION\""), 2);
	assert_int_equal(count(whole, "it was open before the trace began"), 1);
	assert_int_equal(count(whole, "\"event\":\"CR\""), 1);
	assert_int_equal(count(whole, "\"event\":\"CC\""), 2);
	assert_int_equal(count(whole, "\"from\":\"responder\""), 2);
	assert_null(strstr(whole, "damaged"));
	for (size_t n = 1; n < out_len(&file); n++) {
		assert_string_equal(show(out_view(&file), n, &good), whole);
		assert_true(good);
	}
	free(whole);
	out_fini(&file);
}

static void test_ends_anywhere(void **state)
{
	(void)state;
	struct out file;
	bool good;
	make_capture(&file);
	for (size_t n = 0; n < out_len(&file); n++) {
		const char *text = show(view_first(out_view(&file), n), 7, &good);
		assert_true(good); /* more may come */
		assert_in_range(count(text, "\"event\":\"CC\""), 0, 2);
	}
	out_fini(&file);
}

static void test_no_capture_of_ours(void **state)
{
	(void)state;
	static const struct view files[] = {
		VIEW("this is no capture, and long enough to be told"),
		VIEW("\xa1\xb2\xc3\xd4\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\x65"),             /* big-endian: somebody else's */
		VIEW("\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0" "\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0"), /* a packet of 4 GB */
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		bool good;
		show(files[i], 3, &good);
		assert_false(good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_in_pieces), cmocka_unit_test(test_ends_anywhere), cmocka_unit_test(test_no_capture_of_ours) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
