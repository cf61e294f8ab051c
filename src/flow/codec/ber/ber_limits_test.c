/* ber_limits_test.c - hostile input ends in an error that names the limit, and costs no more than it allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/ber/ber_test_help.h"

enum { BOMB = 1000000 };

/* n constructed elements of the tag octet, each in the one before: indefinite, or with the lengths that fit. */
static void put_nested(struct out *o, uint8_t tag, size_t n, bool indefinite)
{
	for (size_t i = 0; indefinite && i < n; i++) {
		out_u8(o, tag);
		out_u8(o, 0x80);
	}
	for (size_t i = 0; indefinite && i < n; i++)
		out_u16(o, 0);
	for (size_t i = 0; !indefinite && i < n; i++) {
		out_u8(o, tag);
		out_u8(o, 0x84);
		out_u32(o, (uint32_t)(6 * (n - 1 - i)));
	}
}

static void refuse(const struct ber_type *t, struct view in, const struct ber_limits *limits, const char *want)
{
	struct arena *a = arena_new(1u << 16);
	struct err e = { 0 };
	void *value = mem_alloc(t->size);
	assert_false(ber_decode(t, in, value, a, limits, &e));
	if (strstr(e.text, want) == NULL)
		fail_msg("found: %s\nwanted: %s", e.text, want);
	assert_true(arena_used(a) < 1u << 16);
	free(value);
	arena_free(&a);
}

static void check_stream_refuses(struct view in, const char *want)
{
	struct ber_stream *s = ber_stream_new(64);
	struct ber_stream_event ev;
	struct err e = { 0 };
	enum step step;
	ber_stream_limit(s, 1u << 24);
	while ((step = ber_stream_next(s, &in, &ev, &e)) == STEP_DONE)
		assert_true(ev.depth <= 64);
	assert_int_equal(step, STEP_FAIL);
	if (strstr(e.text, want) == NULL)
		fail_msg("found: %s\nwanted: %s", e.text, want);
	ber_stream_free(&s);
}

/* A million nested constructed OCTET STRINGs, as string, as ANY, as unknown element, and without a table. */
static void test_op_11_nested_strings(void **state)
{
	(void)state;
	const struct ber_limits deep = { 2000000, 10000000, 1u << 24 };
	struct out o;
	struct ber_tlv tlv;
	struct err e = { 0 };
	out_init(&o, 1u << 24);
	for (unsigned indefinite = 0; indefinite < 2; indefinite++) {
		out_clear(&o);
		put_nested(&o, 0x24, BOMB, indefinite != 0);
		refuse(&t_octets, out_view(&o), &roomy, "nested deeper than the limit of 64, at octet");
		refuse(&t_octets, out_view(&o), &deep, "nested deeper than the limit of 512, at octet");
		check_stream_refuses(out_view(&o), "nested deeper than the limit");
		struct out shown;
		out_init(&shown, 1u << 24);
		ber_print_raw(out_view(&o), 0, &shown);
		assert_true(out_len(&shown) < 100000);
		out_fini(&shown);
	}
	refuse(&t_any, out_view(&o), &roomy, "nested deeper than the limit of 64");
	refuse(&pick_type, out_view(&o), &roomy, "nested deeper than the limit of 64"); /* unknown alternative */
	assert_false(ber_tlv(out_view(&o), &tlv, &roomy, &e));
	assert_non_null(strstr(e.text, "nested deeper than the limit"));
	/* a type that holds itself */
	out_clear(&o);
	put_nested(&o, 0xa5, BOMB, true);
	refuse(&pick_type, out_view(&o), &deep, "again.again.again.again: elements nested deeper than the limit of 512");
	refuse(&pick_type, out_view(&o), &deep, "...");
	out_fini(&o);
}

static void test_op_11_huge_lengths(void **state)
{
	(void)state;
	static const char *const lengths[] = { "048480000000", "04887FFFFFFFFFFFFFFF", "04888000000000000000",
					       "0488FFFFFFFFFFFFFFFF" };
	static const char *const named[] = { "2147483648", "9223372036854775807", "9223372036854775808",
					     "18446744073709551615" };
	struct arena *a = arena_new(1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct view in = unhex(a, lengths[i]);
		char want[100];
		struct ber_tlv tlv;
		struct err e = { 0 };
		snprintf(want, sizeof want, "length %s where 0 octets are left of the %zu", named[i], in.n);
		refuse(&t_octets, in, &roomy, want);
		snprintf(want, sizeof want, "length %s where", named[i]);
		check_stream_refuses(in, want);
		assert_false(ber_tlv(in, &tlv, &roomy, &e));
		assert_non_null(strstr(e.text, named[i]));
	}
	/* inside a definite parent */
	check_refused(&all_seq_type, "300D 020101 04888000000000000000", &roomy,
		      "length 9223372036854775808 where 0 octets are left of the 13 around it");
	arena_free(&a);
}

static void test_depth_is_exact(void **state)
{
	(void)state;
	struct out o;
	struct arena *a = arena_new(1u << 20);
	out_init(&o, 1u << 20);
	for (unsigned n = 1; n <= 512; n += 73) {
		const struct ber_limits just = { n, 10000, 1u << 20 }, less = { n - 1, 10000, 1u << 20 };
		struct view v;
		for (unsigned indefinite = 0; indefinite < 2; indefinite++) {
			out_clear(&o);
			put_nested(&o, 0x24, n, indefinite != 0);
			assert_true(ber_decode(&t_octets, out_view(&o), &v, a, &just, NULL));
			refuse(&t_octets, out_view(&o), &less, "nested deeper");
		}
		assert_true(ber_decode(&t_any, out_view(&o), &v, a, &just, NULL));
		refuse(&t_any, out_view(&o), &less, "nested deeper");
	}
	out_fini(&o);
	arena_free(&a);
}

/* Annex A's record has 30 elements, counted in the standard's listing. */
static void test_elements_are_exact(void **state)
{
	(void)state;
	const struct ber_limits just = { 10, 30, 1000 }, less = { 10, 29, 1000 };
	struct arena *a = arena_new(1u << 20);
	struct record r;
	assert_true(ber_decode(&record_type, unhex(a, ANNEX_A), &r, a, &just, NULL));
	check_refused(&record_type, ANNEX_A, &less, "more elements than the limit");
	arena_free(&a);
}

static void test_octets_are_exact(void **state)
{
	(void)state;
	const struct ber_limits just = { 10, 100, 136 }, less = { 10, 100, 135 }, definite = { 10, 100, 100 };
	struct arena *a = arena_new(1u << 20);
	struct record r;
	size_t used;
	struct err e = { 0 };
	struct view in = unhex(a, ANNEX_A);
	assert_true(ber_decode(&record_type, in, &r, a, &just, NULL));
	assert_false(ber_decode(&record_type, in, &r, a, &less, &e));
	assert_string_equal(e.text, "PersonnelRecord: 136 octets are over the limit of 135");
	assert_false(ber_decode_first(&record_type, in, &r, &used, a, &less, &e));
	assert_false(ber_decode_first(&record_type, in, &r, &used, a, &definite, &e));
	assert_string_equal(e.text, "PersonnelRecord: length 133 is over the limit of 100 octets, at octet 0");
	arena_free(&a);
}

/* Every quota from none to enough: an error, never a crash, and in the end the value. */
static void test_arena_quota(void **state)
{
	(void)state;
	struct arena *source = arena_new(1u << 20);
	struct view in = unhex(source, ALL);
	unsigned refused = 0;
	for (size_t quota = 0;; quota += 8) {
		struct arena *a = arena_new(quota);
		struct err e = { 0 };
		struct all v;
		bool ok = ber_decode(&all_seq_type, in, &v, a, &roomy, &e);
		arena_free(&a);
		if (ok)
			break;
		assert_non_null(strstr(e.text, "quota"));
		refused++;
	}
	assert_true(refused > 10);
	arena_free(&source);
}

/* Two octets an element and hundreds in memory: the quota stops it at once. */
static void test_many_small_elements(void **state)
{
	(void)state;
	enum { N = 90000 };
	struct out o;
	out_init(&o, 1u << 20);
	ber_put_header(&o, BER_U(16), true, 2 * N);
	for (size_t i = 0; i < N; i++)
		out_u16(&o, 0x8000);
	refuse(&picks_type, out_view(&o), &roomy, "quota");
	out_clear(&o);
	ber_put_header(&o, BER_U(16), true, 3 + 2 * N);
	out_bytes(&o, VIEW("\x02\x01\x01"));
	for (size_t i = 0; i < N; i++)
		out_u16(&o, 0x8900);
	refuse(&all_seq_type, out_view(&o), &roomy, "quota"); /* as unknown elements */
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_11_nested_strings),
		cmocka_unit_test(test_op_11_huge_lengths),
		cmocka_unit_test(test_depth_is_exact),
		cmocka_unit_test(test_elements_are_exact),
		cmocka_unit_test(test_octets_are_exact),
		cmocka_unit_test(test_arena_quota),
		cmocka_unit_test(test_many_small_elements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
