/* ber_encode_test.c - values that encode and ber_check_bounds refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/ber/ber_test_help.h"

static void check_no_encode(const struct all *v, const char *text)
{
	struct out o;
	struct err e = { 0 };
	out_init(&o, 100);
	assert_false(ber_encode(&all_seq_type, v, &o, &e));
	if (strstr(e.text, text) == NULL)
		fail_msg("found: %s\nwanted: %s", e.text, text);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(out_len(&o), 0);
	out_fini(&o);
}

static void test_values_that_break_their_table(void **state)
{
	(void)state;
	struct all v = { .count = 1, .colour = 1, .seq.has = 1u << 11 };
	check_no_encode(&v, "All.pick: cannot be encoded, no alternative of its CHOICE is set");
	v.pick.choice.which = 6;
	check_no_encode(&v, "All.pick: cannot be encoded, no alternative");
	v.pick.choice.which = 4;
	check_no_encode(&v, "All.pick.again: cannot be encoded, it is absent");
	v.pick.again = &v.pick; /* without end */
	check_no_encode(&v, "it is nested too deep");
	v.seq.has = 1u << 4;
	v.bits.unused = 8;
	check_no_encode(&v, "All.bits: cannot be encoded, its count of unused bits");
	assert_int_equal(ber_size(&all_seq_type, &v), 0);
	v.seq.has = 1u << 6;
	check_no_encode(&v, "All.oid: cannot be encoded, it has no octets");
	v.seq.has = 1u << 5;
	v.octets = view_of("", 0);
	v.text = VIEW("0123456789" "0123456789" "0123456789" "0123456789" "0123456789" "0123456789" "0123456789"
		      "0123456789" "0123456789" "0123456789");
	v.seq.has |= 1u << 9;
	check_no_encode(&v, "All: 109 octets of encoding do not fit the output, whose limit is 100");
}

static void check_bound(struct all *v, const char *text)
{
	struct err e = { 0 };
	if (text == NULL) {
		assert_true(ber_check_bounds(&all_seq_type, v, &e));
		return;
	}
	assert_false(ber_check_bounds(&all_seq_type, v, &e));
	if (strstr(e.text, text) == NULL)
		fail_msg("found: %s\nwanted: %s", e.text, text);
}

static void test_bounds(void **state)
{
	(void)state;
	uint8_t octets[65] = { 0 };
	struct view texts[2] = { { octets, 64 }, { octets, 65 } };
	int64_t counts[2] = { 1, -6 };
	struct all v = { .count = 1000, .colour = 1 };
	check_bound(&v, NULL);
	v.count = 1001;
	check_bound(&v, "All.count: the value 1001 is outside -5..1000");
	v.count = -5;
	v.seq.has = 1u << 4;
	v.bits = (struct ber_bits){ { octets, 5 }, 7 };
	check_bound(&v, "All.bits: the number of bits 33 is outside 0..32");
	v.bits.bytes.n = 4;
	check_bound(&v, NULL);
	v.seq.has |= 1u << 14;
	v.set_of = (struct ber_list){ texts, 1 };
	check_bound(&v, NULL);
	v.set_of.n = 2;
	check_bound(&v, "All.set_of[1]: the number of octets 65 is outside 1..64");
	texts[0].n = 0;
	check_bound(&v, "All.set_of[0]: the number of octets 0 is outside 1..64");
	v.flag = true;
	v.seq.has = 0;
	check_bound(&v, NULL);
	v.seq.has = 1u << 15;
	v.tagged.choice.which = 1;
	v.tagged.many = (struct ber_list){ counts, 2 };
	check_bound(&v, "All.tagged.many[1]: the value -6 is outside");
	v.tagged.choice.which = 0;
	check_bound(&v, "no alternative of its CHOICE is set");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_that_break_their_table),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
