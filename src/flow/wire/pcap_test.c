/* pcap_test.c - headers by RFC 791 and 793, the file as libpcap writes it. That tools read it: tests/scenario/wiretrace.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/wire/pcap.h"

static const struct pcap_connection fresh = { .address = { 0xc0000201, 0xc0000202 }, .port = { 20001, 102 }, .next = { 1, 1 } };

/* The one's complement sum over a header or segment with its checksum in place is 0xffff (RFC 1071, 1). */
static uint32_t sum(uint32_t at, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		at += (uint32_t)v.p[i] << (i % 2 == 0 ? 8 : 0);
	while (at > 0xffff)
		at = (at & 0xffff) + (at >> 16);
	return at;
}

static uint32_t at32(struct view v, size_t at)
{
	return (uint32_t)v.p[at] << 24 | (uint32_t)v.p[at + 1] << 16 | (uint32_t)v.p[at + 2] << 8 | v.p[at + 3];
}

/* One packet off the front: its flags, and its sums are right. */
static struct view take(struct view *rest, unsigned flags, uint32_t seq, uint32_t ack, size_t n)
{
	const size_t length = 40 + n;
	struct view p = view_first(view_from(*rest, 16), length);
	assert_int_equal(p.n, length);
	assert_int_equal(rest->p[8] | rest->p[9] << 8, length);
	assert_int_equal(p.p[2] << 8 | p.p[3], length);
	assert_int_equal(sum(0, view_first(p, 20)), 0xffff);
	assert_int_equal(sum(sum(6 + 20 + (uint32_t)n, view_first(view_from(p, 12), 8)), view_from(p, 20)), 0xffff);
	assert_int_equal(p.p[33], flags);
	assert_int_equal(at32(p, 24), seq);
	assert_int_equal(at32(p, 28), ack);
	*rest = view_from(*rest, 16 + length);
	return view_from(p, 40);
}

static void test_a_connection(void **state)
{
	(void)state;
	struct pcap_connection c = fresh;
	struct out o;
	out_init(&o, 1 << 20);
	pcap_begin(&o);
	pcap_open(&o, &c, 1000000);
	pcap_octets(&o, &c, 0, VIEW("abc"), 1500000);
	pcap_octets(&o, &c, 1, VIEW("de"), 1500001);
	pcap_close(&o, &c, 1, 2000000);
	struct view rest = out_view(&o);
	assert_memory_equal(rest.p, "\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0", 24);
	rest = view_from(rest, 24);
	assert_memory_equal(rest.p, "\x01\0\0\0\0\0\0\0", 8);
	take(&rest, 0x02, 1, 0, 0);
	take(&rest, 0x12, 1, 2, 0);
	take(&rest, 0x10, 2, 2, 0);
	assert_memory_equal(rest.p, "\x01\0\0\0\x20\xa1\x07\0", 8); /* 1.5 s */
	assert_true(view_eq(take(&rest, 0x18, 2, 2, 3), VIEW("abc")));
	assert_true(view_eq(take(&rest, 0x18, 2, 5, 2), VIEW("de")));
	take(&rest, 0x11, 4, 5, 0);
	take(&rest, 0x11, 5, 5, 0);
	take(&rest, 0x10, 5, 6, 0);
	assert_int_equal(rest.n, 0);
	out_fini(&o);
}

static void test_long_ones_are_cut(void **state)
{
	(void)state;
	static uint8_t octets[100000];
	for (size_t n = PCAP_SEGMENT - 1; n < sizeof octets; n += 7919) {
		struct pcap_connection c = fresh;
		struct out o;
		out_init(&o, 1 << 20);
		pcap_octets(&o, &c, 1, view_of(octets, n), 0);
		struct view rest = out_view(&o);
		for (size_t done = 0; done < n; done += PCAP_SEGMENT)
			take(&rest, 0x18, 1 + (uint32_t)done, 1, n - done < PCAP_SEGMENT ? n - done : PCAP_SEGMENT);
		assert_int_equal(rest.n, 0);
		assert_int_equal(c.next[1], 1 + n);
		out_fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_connection), cmocka_unit_test(test_long_ones_are_cut) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
