/* ber_test.c - decode and encode against octets of X.690 (2002): the examples of clause 8 and Annex A. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "flow/codec/ber/ber_test_tables.h"

static const struct ber_limits roomy = { 64, 100000, 1u << 24 };

/* X.690 A.3, as printed there. */
static const char annex_a[] =
	"608185"
	"6110 1A044A6F686E 1A0150 1A05536D697468"
	"A00A 1A084469726563746F72"
	"420133"
	"A10A 43083139373130393137"
	"A212 6110 1A044D617279 1A0154 1A05536D697468"
	"A342"
	" 311F 6111 1A0552616C7068 1A0154 1A05536D697468 A00A 43083139353731313131"
	" 311F 6111 1A05537573616E 1A0142 1A054A6F6E6573 A00A 43083139353930373137";

static struct view unhex(struct arena *a, const char *hex)
{
	struct out o;
	out_init(&o, 1u << 24);
	assert_true(text_unhex(&o, view_str(hex)));
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static void test_annex_a_decodes(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 20);
	struct record r;
	struct err e = { 0 };
	assert_true(ber_decode(&record_type, unhex(a, annex_a), &r, a, &roomy, &e));
	assert_true(view_eq(r.name.givenName, VIEW("John")));
	assert_true(view_eq(r.name.initial, VIEW("P")));
	assert_true(view_eq(r.title, VIEW("Director")));
	assert_int_equal(r.number, 51);
	assert_true(view_eq(r.dateOfHire, VIEW("19710917")));
	assert_true(view_eq(r.nameOfSpouse.givenName, VIEW("Mary")));
	assert_int_equal(r.children.n, 2);
	const struct child *children = r.children.v;
	assert_true(view_eq(children[0].name.givenName, VIEW("Ralph")));
	assert_true(view_eq(children[1].name.familyName, VIEW("Jones")));
	assert_true(view_eq(children[1].dateOfBirth, VIEW("19590717")));
	arena_free(&a);
}

/* Annex A writes the SET in the order of the notation; in tag order (X.690 10.3: application before context)
 * the same elements stand so. */
static void test_annex_a_encodes_in_tag_order(void **state)
{
	(void)state;
	static const char in_tag_order[] =
		"608185"
		"6110 1A044A6F686E 1A0150 1A05536D697468"
		"420133"
		"A00A 1A084469726563746F72"
		"A10A 43083139373130393137"
		"A212 6110 1A044D617279 1A0154 1A05536D697468"
		"A342"
		" 311F 6111 1A0552616C7068 1A0154 1A05536D697468 A00A 43083139353731313131"
		" 311F 6111 1A05537573616E 1A0142 1A054A6F6E6573 A00A 43083139353930373137";
	struct arena *a = arena_new(1u << 20);
	struct record r;
	struct err e = { 0 };
	struct out o;
	out_init(&o, 4096);
	assert_true(ber_decode(&record_type, unhex(a, annex_a), &r, a, &roomy, &e));
	assert_true(ber_encode(&record_type, &r, &o, &e));
	assert_int_equal(ber_size(&record_type, &r), 136);
	assert_true(view_eq(out_view(&o), unhex(a, in_tag_order)));
	out_fini(&o);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_annex_a_decodes),
		cmocka_unit_test(test_annex_a_encodes_in_tag_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
