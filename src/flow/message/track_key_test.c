/* track_key_test.c - what is equal has equal keys, and what is not has others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/message/track_key.h"

static uint64_t subject(const char *text)
{
	return track_key_text(view_str(text), TRACK_SUBJECT);
}

static uint64_t address(const char *text, enum track_role role)
{
	struct arena *a = arena_new(1 << 16);
	struct oraddr addr;
	struct err e;
	if (!oraddr_parse(view_str(text), &addr, a, ORADDR_CARRY, &e))
		fail_msg("%s", e.text);
	const uint64_t key = track_key_address(&addr, role);
	arena_free(&a);
	return key;
}

/* Equality as X.402 18.4 has it: case and blanks are folded. */
static void test_addresses(void **state)
{
	(void)state;
	const char *const ann = "G=Ann; S=Lee; O=Works; P=LONDON; A=POSTHORN; C=GB";
	const uint64_t key = address(ann, TRACK_RECIPIENT);
	assert_int_equal(address("/G=ANN/S=lee/O=works/PRMD=London/ADMD=posthorn/C=gb/", TRACK_RECIPIENT), key);
	assert_int_not_equal(address("G=Ann; S=Leo; O=Works; P=LONDON; A=POSTHORN; C=GB", TRACK_RECIPIENT), key);
	assert_int_not_equal(address(ann, TRACK_ORIGINATOR), key);
	assert_true(track_key_same(address(ann, TRACK_ORIGINATOR), key));
	assert_false(track_key_same(address("G=Ann; S=Leo; O=Works; P=LONDON; A=POSTHORN; C=GB", TRACK_ORIGINATOR), key));
	assert_int_equal(track_key_role(key), TRACK_RECIPIENT);
	struct oraddr none = {.n = 0};
	assert_int_equal(track_key_address(&none, TRACK_RECIPIENT), 0);
}

static void test_subjects(void **state)
{
	(void)state;
	static const char *const equal[][2] = {
		{"The Plan", "the plan"},
		{"  The\t \r\nplan ", "The plan"},
		{"Re: The plan", "the plan"},
		{"RE:the plan", "the plan"},
		{"Re: Fwd: AW: The plan", "the plan"},
		{"\xc3\x84RGER", "\xc3\xa4rger"},		 /* Latin-1 capitals */
		{"\xce\xa9\xce\xb3", "\xcf\x89\xce\xb3"},	 /* Greek */
		{"\xd0\x9f\xd0\xbb\xd0\xb0\xd0\xbd", "\xd0\xbf\xd0\xbb\xd0\xb0\xd0\xbd"},
	};
	static const char *const other[][2] = {
		{"The plan", "The plane"}, {"The plan", "Theplan"}, {"Reply: plan", "plan"}, {"plan re: x", "plan x"}, {"\xc3\x97", "\xc3\xb7"},
	};
	for (size_t i = 0; i < ARRAY_LEN(equal); i++)
		if (subject(equal[i][0]) != subject(equal[i][1]))
			fail_msg("\"%s\" and \"%s\" are to be equal", equal[i][0], equal[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (subject(other[i][0]) == subject(other[i][1]))
			fail_msg("\"%s\" and \"%s\" are not to be equal", other[i][0], other[i][1]);
	assert_int_equal(subject(""), 0);
	assert_int_equal(subject(" Re: "), 0);
	assert_int_equal(track_key_role(subject("x")), TRACK_SUBJECT);
}

static void test_identifiers(void **state)
{
	(void)state;
	assert_int_equal(track_key_text(VIEW(" Note 7"), TRACK_IPM_ID), track_key_text(VIEW("note 7"), TRACK_IPM_ID));
	assert_int_not_equal(track_key_text(VIEW("re: 7"), TRACK_IPM_ID), track_key_text(VIEW("7"), TRACK_IPM_ID));
	assert_false(track_key_same(track_key_text(VIEW("7"), TRACK_IPM_ID), track_key_text(VIEW("7"), TRACK_GATEWAY_ID)));
	assert_int_equal(track_key_text(VIEW("  "), TRACK_IPM_ID), 0);
}

/* Any octets are a subject; those that are no UTF-8 stand for themselves, and a cut never reads on. */
static void test_any_octets(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (size_t n = 1; n <= 4; n++) {
			uint8_t *octets = mem_alloc(n);
			memset(octets, 0x80 | (int)(first >> 1), n);
			octets[0] = (uint8_t)first;
			(void)track_key_text(view_of(octets, n), TRACK_SUBJECT);
			(void)track_key_text(view_of(octets, n), TRACK_IPM_ID);
			free(octets);
		}
	char *longer = mem_alloc(TRACK_TEXT_MAX * 2);
	memset(longer, 'a', TRACK_TEXT_MAX * 2);
	assert_int_equal(track_key_text(view_of(longer, TRACK_TEXT_MAX * 2), TRACK_SUBJECT),
			 track_key_text(view_of(longer, TRACK_TEXT_MAX), TRACK_SUBJECT));
	free(longer);
}

static void test_several(void **state)
{
	(void)state;
	struct track_keys k = {.n = 0}, again;
	track_keys_add(&k, 0);
	track_keys_add(&k, 8);
	track_keys_add(&k, 8);
	track_keys_add(&k, 17);
	assert_int_equal(k.n, 2);
	struct out o;
	out_init(&o, 100);
	track_keys_print(&k, &o);
	assert_int_equal(out_len(&o), 16);
	track_keys_read(out_view(&o), &again);
	assert_int_equal(again.n, 2);
	assert_memory_equal(again.v, k.v, 16);
	for (size_t n = 0; n < 16; n++) { /* cut: whole keys or nothing */
		track_keys_read(view_first(out_view(&o), n), &again);
		assert_int_equal(again.n, n == 8 ? 1 : 0);
	}
	out_clear(&o);
	out_u64(&o, 8 | 7); /* there is no role 7 */
	track_keys_read(out_view(&o), &again);
	assert_int_equal(again.n, 0);
	out_fini(&o);
	for (uint64_t i = 0; i < 2 * TRACK_KEYS_MAX; i++)
		track_keys_add(&k, 800 * (i + 1));
	assert_int_equal(k.n, TRACK_KEYS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_subjects), cmocka_unit_test(test_identifiers),
		cmocka_unit_test(test_any_octets), cmocka_unit_test(test_several),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
