/* ipm_track_test.c - the keys of headings written by hand after X.420 7 and annex A; every cut of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm.h"
#include "flow/codec/ipm/ipm_track.h"

/* InformationObject [0] { Heading SET { this-IPM [APPLICATION 11] SET { PrintableString "note 7" },
 *   originator [0] { free-form-name [0] "Al" }, subject [8] EXPLICIT TeletexString "Harvest" }, Body SEQUENCE {} } (X.420 7) */
static const uint8_t definite[] = {
	0xa0, 0x21, 0x31, 0x1d, 0x6b, 0x08, 0x13, 0x06, 'n', 'o', 't', 'e', ' ', '7', 0xa0, 0x06, 0xa0, 0x04, 0x14, 0x02, 'A', 'l',
	0xa8, 0x09, 0x14, 0x07, 'H', 'a', 'r', 'v', 'e', 's', 't', 0x30, 0x00,
};
/* The same with indefinite lengths everywhere, and the subject in two pieces. */
static const uint8_t indefinite[] = {
	0xa0, 0x80, 0x31, 0x80, 0x6b, 0x80, 0x13, 0x06, 'n', 'o', 't', 'e', ' ', '7', 0x00, 0x00, 0xa0, 0x80, 0xa0, 0x80, 0x14, 0x02, 'A', 'l',
	0x00, 0x00, 0x00, 0x00, 0xa8, 0x80, 0x34, 0x80, 0x04, 0x03, 'H', 'a', 'r', 0x04, 0x04, 'v', 'e', 's', 't', 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x30, 0x00, 0x00, 0x00,
};
/* Subject "?", and extended-subject (annex A.2, id-hex 8, UniversalOrBMPString) of two characters, U+6771 U+4EAC. */
static const uint8_t extended[] = {
	0xa0, 0x27, 0x31, 0x23, 0x6b, 0x03, 0x13, 0x01, 'x', 0xa8, 0x03, 0x14, 0x01, '?', 0xaf, 0x17, 0x30, 0x05, 0x06, 0x03, 0x56, 0x01, 0x07,
	0x30, 0x0e, 0x06, 0x04, 0x56, 0x01, 0x05, 0x08, 0x31, 0x06, 0x1e, 0x04, 0x67, 0x71, 0x4e, 0xac, 0x30, 0x00,
};
/* A receipt notification: InformationObject [1]. */
static const uint8_t notification[] = {0xa1, 0x0a, 0x31, 0x08, 0x6b, 0x06, 0x13, 0x04, 'n', 'o', 't', 'e'};

static bool has(const struct track_keys *k, enum track_role role, const char *text)
{
	const uint64_t want = track_key_text(view_str(text), role);
	for (size_t i = 0; i < k->n; i++)
		if (k->v[i] == want)
			return true;
	return false;
}

static struct track_keys keys_of(const uint8_t *octets, size_t n)
{
	struct track_keys k = {.n = 0};
	ipm_track_keys(view_of(octets, n), &k);
	return k;
}

static void test_subject_and_identifier(void **state)
{
	(void)state;
	const struct track_keys k = keys_of(definite, sizeof definite);
	assert_int_equal(k.n, 2);
	assert_true(has(&k, TRACK_SUBJECT, "harvest") && has(&k, TRACK_IPM_ID, "NOTE 7"));
	assert_false(has(&k, TRACK_SUBJECT, "Al"));
}

static void test_indefinite_and_in_pieces(void **state)
{
	(void)state;
	const struct track_keys k = keys_of(indefinite, sizeof indefinite);
	assert_int_equal(k.n, 2);
	assert_true(has(&k, TRACK_SUBJECT, "harvest") && has(&k, TRACK_IPM_ID, "note 7"));
}

static void test_extended_subject(void **state)
{
	(void)state;
	const struct track_keys k = keys_of(extended, sizeof extended);
	assert_int_equal(k.n, 3);
	assert_true(has(&k, TRACK_SUBJECT, "\xe6\x9d\xb1\xe4\xba\xac") && has(&k, TRACK_SUBJECT, "?"));
}

/* T.61 writes an accent before its letter (0xc8 is the diaeresis). */
static void test_t61_is_the_text_that_it_stands_for(void **state)
{
	(void)state;
	static const uint8_t octets[] = {0xa0, 0x10, 0x31, 0x0c, 0x6b, 0x03, 0x13, 0x01, 'x', 0xa8, 0x05, 0x14, 0x03, 0xc8, 'u', 'b', 0x30, 0x00};
	const struct track_keys k = keys_of(octets, sizeof octets);
	assert_true(has(&k, TRACK_SUBJECT, "\xc3\x9c" "B"));
}

static void test_what_is_no_heading_has_none(void **state)
{
	(void)state;
	assert_int_equal(keys_of(notification, sizeof notification).n, 0);
	assert_int_equal(keys_of((const uint8_t *)"From: me\r\n", 10).n, 0);
	assert_int_equal(keys_of(NULL, 0).n, 0);
}

/* A cut gives some of the keys of the whole, in order, and never another: a string is taken only when it is whole. */
static void cuts(const uint8_t *octets, size_t n)
{
	const struct track_keys whole = keys_of(octets, n);
	size_t most = 0;
	for (size_t cut = 0; cut <= n; cut++) {
		uint8_t *copy = mem_dup(octets, cut == 0 ? 1 : cut); /* of that size, so that a read over the end is seen */
		const struct track_keys k = keys_of(copy, cut);
		free(copy);
		assert_true(k.n <= whole.n && k.n >= most);
		assert_memory_equal(k.v, whole.v, k.n * sizeof k.v[0]);
		most = k.n;
	}
	assert_int_equal(most, whole.n);
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	cuts(definite, sizeof definite);
	cuts(indefinite, sizeof indefinite);
	cuts(extended, sizeof extended);
	cuts(notification, sizeof notification);
}

/* What our own composer writes, with many recipients before the subject: within the octets that are looked at it is found. */
static void test_after_many_recipients(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 1000; n += 999) {
		struct arena *a = arena_new(1 << 24);
		struct ipm_recipient *to = arena_array(a, n, sizeof *to);
		for (size_t i = 0; i < n; i++)
			to[i] = (struct ipm_recipient){.user = {.free_form = VIEW("Some Body of the Board of Works")}};
		struct ipm_compose c = {.local_id = VIEW("id 1"), .originator = {.free_form = VIEW("Al")}, .to = to, .n_to = n,
					.subject = VIEW("The plan"), .importance = IPM_NORMAL};
		struct ipm_composed done;
		struct out o;
		struct err e;
		out_init(&o, 1 << 24);
		if (!ipm_compose(&c, NULL, &o, &done, a, &e))
			fail_msg("%s", e.text);
		const struct track_keys k = keys_of(out_view(&o).p, out_len(&o));
		assert_true(has(&k, TRACK_IPM_ID, "id 1"));
		assert_int_equal(has(&k, TRACK_SUBJECT, "the plan"), out_len(&o) < IPM_TRACK_OCTETS);
		out_fini(&o);
		arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subject_and_identifier),
		cmocka_unit_test(test_indefinite_and_in_pieces),
		cmocka_unit_test(test_extended_subject),
		cmocka_unit_test(test_t61_is_the_text_that_it_stands_for),
		cmocka_unit_test(test_what_is_no_heading_has_none),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_after_many_recipients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
