/* fips_test.c - FIPS 98 data elements. Expected values: the examples of appendix H of FIPS PUB 98 (RFC 841), by the number of their
 * section; length codes and qualifiers: 4.2 there. Each is decoded to what the example says it is, and written again to the same octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/codec/msmail/fips.h"

#define DEADLINE_TEXT "Don't forget the project report is due tomorrow.  Please have\r\nyour section to me by three this afternoon."
#define DEADLINE_FIELDS                                                                                                        \
	"\x4c\x0a\x05\x02\x07" "Johnson" "\x4c\x0a\x01\x02\x07" "Stevens" "\x4c\x13\x07\x02\x10" "Project Deadline"             \
	"\x4c\x17\x02\x28\x14\x02\x12" "19800814-1000-0400" "\x4c\x6d\x04\x02\x6a" DEADLINE_TEXT
#define DEADLINE "\x4d\x81\xb6\x01" DEADLINE_FIELDS
#define FIREWORKS                                                                                                              \
	"\x4d\x5a\x01\x4c\x19\x02\x28\x16\x02\x14" "19800704-180000-0400" "\x4c\x08\x01\x02\x05" "Smith"                         \
	"\x4c\x28\x04\x02\x25" "Are you going to watch the fireworks?" "\x4c\x08\x05\x02\x05" "Jones"

/* What an element is, in words: code, qualifier in [] (v: a vendor's), properties in {}, text in "", other octets in hexadecimal,
 * constructors in (). */
static void describe(const struct fips_walk *outer, const struct fips_element *x, struct out *o);

static void describe_all(struct fips_walk w, struct out *o)
{
	struct fips_element x;
	struct err e;
	enum step step;
	while ((step = fips_next(&w, &x, &e)) == STEP_DONE)
		describe(&w, &x, o);
	if (step == STEP_FAIL)
		fail_msg("%s", e.text);
}

static void describe(const struct fips_walk *outer, const struct fips_element *x, struct out *o)
{
	out_fmt(o, "%02X", x->code);
	if (x->has_qualifier)
		out_fmt(o, "[%s%X]", x->vendor_qualifier ? "v" : "", (unsigned)x->qualifier);
	if (x->properties.n > 0) {
		struct fips_element list = { .contents = x->properties };
		out_str(o, "{");
		describe_all(fips_walk_in(outer, &list), o);
		out_str(o, "}");
	}
	if (x->is_constructor) {
		out_str(o, "(");
		describe_all(fips_walk_in(outer, x), o);
		out_str(o, ")");
	} else if (x->code == FIPS_ASCII) {
		out_fmt(o, "\"");
		text_escape(o, x->contents, 1000);
		out_fmt(o, "\"");
	} else {
		out_str(o, "=");
		text_hex(o, x->contents);
	}
	out_str(o, " ");
}

static void again_all(struct fips_walk w, struct out *o)
{
	struct fips_element x;
	while (fips_next(&w, &x, NULL) == STEP_DONE) {
		const int64_t qualifier = !x.has_qualifier ? -1 : x.vendor_qualifier ? FIPS_VENDOR_QUALIFIER | x.qualifier : (int64_t)x.qualifier;
		const size_t begun = fips_begin(o, x.whole.p[0], qualifier);
		if (x.properties.n > 0)
			fips_put(o, FIPS_PROPERTY_LIST, -1, x.properties);
		if (x.is_constructor)
			again_all(fips_walk_in(&w, &x), o);
		else
			out_bytes(o, x.contents);
		fips_end(o, begun);
	}
}

static const struct example {
	const char *section;
	struct view octets;
	const char *want;
	bool indefinite; /* written again it has a length */
} examples[] = {
	{ "H.1 Boolean", VIEW("\x08\x01\xff"), "08=ff " },
	{ "H.1 Integer", VIEW("\x20\x05\x01\x00\x00\x00\x00"), "20=0100000000 " },
	{ "H.1 Padding", VIEW("\x21\x03\xff\xff\xff"), "21=ffffff " },
	{ "H.1 ASCII-String", VIEW("\x02\x09Hi There."), "02\"Hi There.\" " },
	{ "H.1 Bit-String", VIEW("\x43\x07\x04\x0a\x3b\x5f\x29\x1c\xd0"), "43[4]=0a3b5f291cd0 " },
	{ "H.2 Property-List", VIEW("\x24\x11\x45\x0f\x02\x02\x0c" "Distribution"), "24(45[2](02\"Distribution\" ) ) " },
	{ "H.2 Property", VIEW("\x45\x0f\x02\x02\x0c" "Distribution"), "45[2](02\"Distribution\" ) " },
	{ "H.2 Compressed", VIEW("\x46\x0b\x00\x43\x08\x00\x1c\x5f\x2d\x77\xba\xf6\x29"), "46[0](43[0]=1c5f2d77baf629 ) " },
	{ "H.2 Encrypted", VIEW("\x47\x07\x00\x43\x04\x02\xa3\x78\x1c"), "47[0](43[2]=a3781c ) " },
	{ "H.2 Date", VIEW("\x28\x0a\x02\x08" "19800815"), "28(02\"19800815\" ) " },
	{ "H.2 Unique-ID", VIEW("\x09\x04\x20\x02\x00\x81"), "09(20=0081 ) " },
	{ "H.2 Sequence", VIEW("\x0a\x12\x02\x07This is\x02\x07 a list"), "0A(02\"This is\" 02\" a list\" ) " },
	{ "H.2 Set", VIEW("\x0b\x08\x20\x02\x02\x07\x20\x02\x00\x47"), "0B(20=0207 20=0047 ) " },
	{ "H.2 Field", VIEW("\x4c\x1b\x04\x02\x18I will see you at lunch."), "4C[4](02\"I will see you at lunch.\" ) " },
	{ "H.2 Message", VIEW(FIREWORKS), "4D[1](4C[2](28(02\"19800704-180000-0400\" ) ) 4C[1](02\"Smith\" ) "
	  "4C[4](02\"Are you going to watch the fireworks?\" ) 4C[5](02\"Jones\" ) ) " },
	{ "H.3 Extension", VIEW("\x7e\x03\x07\x4a\xe9"), "7E[7]=4ae9 " },
	{ "H.3 Vendor-Defined", VIEW("\x7f\x03\x72\x50\x4f"), "7F[72]=504f " },
	{ "H.4 Keywords", VIEW("\x4c\x14\x14\x02\x07Message\x02\x08" "Computer"), "4C[14](02\"Message\" 02\"Computer\" ) " },
	{ "H.4 Text with a comment", VIEW("\xcc\x20\x04\x24\x09\x45\x07\x01\x02\x04Now?\x02\x12" "Do you want lunch?"),
	  "4C[4]{45[1](02\"Now?\" ) }(02\"Do you want lunch?\" ) " },
	{ "H.4 Subject", VIEW("\x4c\x21\x07\x02\x1eGood restaurants in Detroit.\r\n"),
	  "4C[7](02\"Good restaurants in Detroit.\\x0d\\x0a\" ) " },
	{ "H.4 vendor's field", VIEW("\xcc\x1f\x82\x00\x0c\x24\x0e\x45\x0c\x02\x02\x09Reply-By:\x28\x0a\x02\x08" "19810107"),
	  "4C[vC]{45[2](02\"Reply-By:\" ) }(28(02\"19810107\" ) ) " },
	{ "H.5 Message", VIEW(DEADLINE), "4D[1](4C[5](02\"Johnson\" ) 4C[1](02\"Stevens\" ) 4C[7](02\"Project Deadline\" ) "
	  "4C[2](28(02\"19800814-1000-0400\" ) ) 4C[4](02\"Don't forget the project report is due tomorrow.  Please have\\x0d\\x0a"
	  "your section to me by three this afternoon.\" ) ) " },
	{ "H.5 reissued", VIEW("\x4d\x81\xfc\x01\x4c\x09\x05\x02\x06" "Cooper" "\x4c\x0a\x01\x02\x07Johnson"
	  "\x4c\x17\x02\x28\x14\x02\x12" "19800814-1030-0400" "\x4c\x10\x25\x02\x0dRedistributed" DEADLINE),
	  "4D[1](4C[5](02\"Cooper\" ) 4C[1](02\"Johnson\" ) 4C[2](28(02\"19800814-1030-0400\" ) ) 4C[25](02\"Redistributed\" ) "
	  "4D[1](4C[5](02\"Johnson\" ) 4C[1](02\"Stevens\" ) 4C[7](02\"Project Deadline\" ) 4C[2](28(02\"19800814-1000-0400\" ) ) "
	  "4C[4](02\"Don't forget the project report is due tomorrow.  Please have\\x0d\\x0ayour section to me by three this afternoon.\" ) ) ) " },
	/* H.6 with the End-of-Constructor of 4.3, 01 00; what H.6 prints is 00 00, a No-Op: see below. */
	{ "H.6 Set", VIEW("\x0b\x80\x20\x02\x02\x07\x20\x02\x00\x47\x01\x00"), "0B(20=0207 20=0047 ) ", true },
	{ "H.6 Message", VIEW("\x4d\x80\x01" DEADLINE_FIELDS "\x01\x00"), "4D[1](4C[5](02\"Johnson\" ) 4C[1](02\"Stevens\" ) "
	  "4C[7](02\"Project Deadline\" ) 4C[2](28(02\"19800814-1000-0400\" ) ) 4C[4](02\"Don't forget the project report is due tomorrow.  "
	  "Please have\\x0d\\x0ayour section to me by three this afternoon.\" ) ) ", true },
};

static void test_appendix_h_decodes(void **state)
{
	(void)state;
	assert_int_equal(sizeof FIREWORKS - 1, 2 + 90); /* the contents are the 90 octets */
	for (const struct example *x = examples; x < examples + ARRAY_LEN(examples); x++) {
		struct out o;
		out_init(&o, 1u << 20);
		describe_all(fips_walk_of(x->octets, 100), &o);
		if (strcmp(out_cstr(&o), x->want) != 0)
			fail_msg("%s: %s", x->section, out_cstr(&o));
		out_fini(&o);
	}
}

static void test_appendix_h_is_written_again(void **state)
{
	(void)state;
	for (const struct example *x = examples; x < examples + ARRAY_LEN(examples); x++) {
		struct out o, words;
		out_init(&o, 1u << 20);
		out_init(&words, 1u << 20);
		again_all(fips_walk_of(x->octets, 100), &o);
		if (!x->indefinite && !view_eq(out_view(&o), x->octets))
			fail_msg("%s is written otherwise", x->section);
		describe_all(fips_walk_of(out_view(&o), 100), &words);
		assert_string_equal(out_cstr(&words), x->want);
		out_fini(&o);
		out_fini(&words);
	}
}

static enum step first(struct view octets, struct fips_element *x_r, struct err *e)
{
	struct fips_walk w = fips_walk_of(octets, 100);
	return fips_next(&w, x_r, e);
}

/* An element that is there in part is none, wherever it ends: no octet behind the end is looked at (the sanitizer sees it). */
static void test_cut_at_every_offset(void **state)
{
	(void)state;
	for (const struct example *x = examples; x < examples + ARRAY_LEN(examples); x++)
		for (size_t n = 1; n < x->octets.n; n++) {
			uint8_t *copy = mem_dup(x->octets.p, n);
			struct fips_element got;
			struct err e = { 0 };
			assert_int_equal(first(view_of(copy, n), &got, &e), STEP_FAIL);
			assert_int_equal(e.kind, ERR_PERM);
			assert_int_equal(e.culprit, ERR_OF_MESSAGE);
			assert_int_equal(e.diagnostic, 12);
			free(copy);
		}
}

static void test_printed_end_of_constructor_is_a_no_op(void **state)
{
	(void)state;
	struct fips_element x;
	struct err e = { 0 };
	assert_int_equal(first(VIEW("\x0b\x80\x20\x02\x02\x07\x20\x02\x00\x47\x00\x00"), &x, &e), STEP_FAIL);
	assert_non_null(strstr(e.text, "no End-of-Constructor"));
}

/* 4.2: short, long of one octet and more, minimal or not; a reader takes them all. */
static void test_length_forms(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 127, 128, 255, 256, 65535, 65536, 0xffffff, 0x1000000 };
	static const struct view codes[] = { VIEW("\x00"), VIEW("\x01"), VIEW("\x7f"), VIEW("\x81\x80"), VIEW("\x81\xff"), VIEW("\x82\x01\x00"),
					     VIEW("\x82\xff\xff"), VIEW("\x83\x01\x00\x00"), VIEW("\x83\xff\xff\xff"), VIEW("\x84\x01\x00\x00\x00") };
	uint8_t *zeros = mem_zero(0x1000000);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct out o;
		struct fips_element x;
		out_init(&o, 0x1000000 + 64);
		fips_put(&o, FIPS_ASCII, -1, view_of(zeros, sizes[i]));
		assert_true(view_eq(view_first(view_from(out_view(&o), 1), codes[i].n), codes[i]));
		assert_int_equal(out_len(&o), 1 + codes[i].n + sizes[i]);
		assert_int_equal(first(out_view(&o), &x, NULL), STEP_DONE);
		assert_int_equal(x.contents.n, sizes[i]);
		out_fini(&o);
	}
	free(zeros);
	static const struct view wide[] = { VIEW("\x02\x81\x02Hi"), VIEW("\x02\x82\x00\x02Hi"), VIEW("\x02\x83\x00\x00\x02Hi"),
					    VIEW("\x02\x86\x00\x00\x00\x00\x00\x02Hi") };
	for (size_t i = 0; i < ARRAY_LEN(wide); i++) {
		struct fips_element x;
		assert_int_equal(first(wide[i], &x, NULL), STEP_DONE);
		assert_true(view_eq(x.contents, VIEW("Hi")));
		assert_true(view_eq(x.whole, wide[i]));
	}
}

static void test_wide_lengths_can_be_patched(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 1000);
	const size_t begun = fips_begin(&o, FIPS_MESSAGE, 1);
	fips_put(&o, FIPS_ASCII, -1, VIEW("Hi"));
	fips_end_wide(&o, begun, 3);
	assert_true(view_eq(out_view(&o), VIEW("\x4d\x83\x00\x00\x05\x01\x02\x02Hi")));
	out_fini(&o);
}

static void test_qualifiers(void **state)
{
	(void)state;
	static const struct {
		struct view octets;
		uint32_t value;
		bool vendor;
	} cases[] = {
		{ VIEW("\x7f\x01\x31"), 0x31, false },
		{ VIEW("\x7f\x02\x81\x80"), 0x80, false },
		{ VIEW("\x7f\x03\x82\x01\x00"), 0x100, false },
		{ VIEW("\x7f\x03\x82\x00\x0c"), 0x0c, true },
		{ VIEW("\x7f\x04\x83\x00\x50\x01"), 0x5001, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fips_element x;
		struct out o;
		out_init(&o, 100);
		assert_int_equal(first(cases[i].octets, &x, NULL), STEP_DONE);
		assert_true(x.has_qualifier);
		assert_int_equal(x.qualifier, cases[i].value);
		assert_int_equal(x.vendor_qualifier, cases[i].vendor);
		assert_int_equal(x.contents.n, 0);
		again_all(fips_walk_of(cases[i].octets, 10), &o);
		assert_true(view_eq(out_view(&o), cases[i].octets));
		out_fini(&o);
	}
}

static void test_what_is_refused(void **state)
{
	(void)state;
	static const struct {
		struct view octets;
		const char *why;
	} cases[] = {
		{ VIEW("\x02"), "end in its head" },
		{ VIEW("\x02\x85\x01\x00\x00\x00\x00"), "over 2^32" },
		{ VIEW("\x02\xff"), "end in its head" },
		{ VIEW("\x02\x84\xff\xff\xff\xff\x00"), "beyond what holds it" },
		{ VIEW("\x02\x83\x7f\xff\xff\x00"), "beyond what holds it" },
		{ VIEW("\x02\x80\x00\x01\x00"), "no constructor" },
		{ VIEW("\x4c\x00\x05"), "ends before the qualifier" },
		{ VIEW("\x4c\x02\x82\x00\x05"), "ends before the qualifier" },
		{ VIEW("\x4c\x04\x80\x02\x00\x00"), "the qualifier has no value" },
		{ VIEW("\xcc\x03\x04\x02\x00"), "announces a property list" },
		{ VIEW("\xcc\x01\x04"), "announces a property list" },
		{ VIEW("\xcc\x03\x04\x24\x05"), "beyond what holds it" },
		{ VIEW("\x4d\x80\x01\x4c\x80\x04\x01\x00"), "no End-of-Constructor" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fips_element x;
		struct err e = { 0 };
		assert_int_equal(first(cases[i].octets, &x, &e), STEP_FAIL);
		if (strstr(e.text, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, e.text);
	}
}

static void test_an_offset_is_one_of_the_file(void **state)
{
	(void)state;
	struct fips_walk w = fips_walk_of(VIEW("\x00\x00\x4d\x09\x01\x4c\x05\x05\x02\x63Hi"), 10);
	struct fips_element x, in;
	struct err e;
	assert_int_equal(fips_next(&w, &x, &e), STEP_DONE);
	assert_int_equal(x.code, FIPS_NO_OP);
	assert_int_equal(fips_next(&w, &x, &e), STEP_FAIL); /* 09 where 08 follow */
	assert_non_null(strstr(e.text, "offset 2:"));
	w = fips_walk_of(VIEW("\x00\x00\x4d\x08\x01\x4c\x05\x05\x02\x63Hi"), 10);
	assert_int_equal(fips_next(&w, &x, &e), STEP_DONE);
	assert_int_equal(fips_next(&w, &x, &e), STEP_DONE);
	w = fips_walk_in(&w, &x);
	assert_int_equal(fips_next(&w, &x, &e), STEP_DONE);
	assert_int_equal(x.offset, 5);
	w = fips_walk_in(&w, &x);
	assert_int_equal(fips_next(&w, &in, &e), STEP_FAIL);
	assert_non_null(strstr(e.text, "offset 8:"));
}

static void test_elements_have_a_limit(void **state)
{
	(void)state;
	struct fips_walk w = fips_walk_of(VIEW("\x00\x00\x00\x00\x00\x00"), 2);
	struct fips_element x;
	struct err e;
	assert_int_equal(fips_next(&w, &x, &e), STEP_DONE);
	assert_int_equal(fips_next(&w, &x, &e), STEP_DONE);
	assert_int_equal(fips_next(&w, &x, &e), STEP_FAIL);
	assert_non_null(strstr(e.text, "limit"));
}

/* 32 constructors in one another are walked through, 33 are not; definite or not. */
static void test_depth_has_a_limit(void **state)
{
	(void)state;
	for (unsigned depth = 30; depth <= 40; depth++) {
		struct out o;
		out_init(&o, 10000);
		for (unsigned i = 0; i < depth; i++)
			out_bytes(&o, VIEW("\x0a\x80"));
		for (unsigned i = 0; i < depth; i++)
			out_bytes(&o, VIEW("\x01\x00"));
		struct fips_element x;
		struct err e;
		assert_int_equal(first(out_view(&o), &x, &e), depth <= 32 ? STEP_DONE : STEP_FAIL);
		out_fini(&o);
	}
	struct fips_element x = { .contents = VIEW("\x0a\x00") };
	struct fips_walk w = fips_walk_of(x.contents, 1000);
	for (unsigned depth = 0; depth < 32; depth++)
		w = fips_walk_in(&w, &x);
	struct fips_walk deepest = w, too_deep = fips_walk_in(&w, &x);
	assert_int_equal(fips_next(&deepest, &x, NULL), STEP_DONE);
	assert_int_equal(fips_next(&too_deep, &x, NULL), STEP_FAIL);
}

/* A million indefinite openings are refused at the thirty-third, and a long flat one is passed once. */
static void test_hostile_nesting_costs_nothing(void **state)
{
	(void)state;
	enum { N = 1000000 };
	uint8_t *p = mem_alloc(2 * N);
	for (size_t i = 0; i < N; i++) {
		p[2 * i] = 0x0a;
		p[2 * i + 1] = 0x80;
	}
	struct fips_element x;
	assert_int_equal(first(view_of(p, 2 * N), &x, NULL), STEP_FAIL);
	free(p);
}

static void test_little_endian_numbers(void **state)
{
	(void)state;
	static const struct {
		uint64_t x;
		struct view want;
	} cases[] = {
		{ 0, VIEW("\x20\x02\x00\x00") },
		{ 300, VIEW("\x20\x02\x2c\x01") }, /* facts A6: 0x012C is 2C 01 */
		{ 0x10000, VIEW("\x20\x04\x00\x00\x01\x00") },
		{ UINT64_MAX, VIEW("\x20\x08\xff\xff\xff\xff\xff\xff\xff\xff") },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct out o;
		struct fips_element x;
		uint64_t got;
		out_init(&o, 100);
		fips_put_le(&o, cases[i].x);
		assert_true(view_eq(out_view(&o), cases[i].want));
		assert_int_equal(first(out_view(&o), &x, NULL), STEP_DONE);
		assert_true(fips_le(&x, &got));
		assert_int_equal(got, cases[i].x);
		out_fini(&o);
	}
	struct fips_element x;
	uint64_t got;
	assert_int_equal(first(VIEW("\x20\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09"), &x, NULL), STEP_DONE);
	assert_false(fips_le(&x, &got));
	assert_int_equal(first(VIEW("\x20\x00"), &x, NULL), STEP_DONE);
	assert_false(fips_le(&x, &got));
}

static void test_a_full_builder_is_bad(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 8);
	const size_t begun = fips_begin(&o, FIPS_FIELD, 5);
	fips_put(&o, FIPS_ASCII, -1, VIEW("too long"));
	fips_end(&o, begun);
	assert_true(o.bad);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appendix_h_decodes),
		cmocka_unit_test(test_appendix_h_is_written_again),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_printed_end_of_constructor_is_a_no_op),
		cmocka_unit_test(test_length_forms),
		cmocka_unit_test(test_wide_lengths_can_be_patched),
		cmocka_unit_test(test_qualifiers),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_an_offset_is_one_of_the_file),
		cmocka_unit_test(test_elements_have_a_limit),
		cmocka_unit_test(test_depth_has_a_limit),
		cmocka_unit_test(test_hostile_nesting_costs_nothing),
		cmocka_unit_test(test_little_endian_numbers),
		cmocka_unit_test(test_a_full_builder_is_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
