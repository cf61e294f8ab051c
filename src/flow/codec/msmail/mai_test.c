/* mai_test.c - the message file. Expected values: the dump in Q104423 as facts A6 restate it; FIPS 98 (RFC 841) 4.2 and 4.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/codec/msmail/fips.h"
#include "flow/codec/msmail/mai.h"
#include "flow/codec/msmail/mai_testing.h"

static void test_all_fields_come_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct arena *a = arena_new(1u << 24);
		struct testing_random r = { seed };
		struct mai m = testing_mai(&r, a), again;
		struct out o, o2;
		struct err e;
		out_init(&o, 1u << 24);
		out_init(&o2, 1u << 24);
		const struct mai_limits l = mai_limits_default();
		if (!mai_print(&m, &mm_scramble_none, &o, &e) || !mai_parse(out_view(&o), &mm_scramble_none, &again, a, &l, &e))
			fail_msg("seed %u: %s", (unsigned)seed, e.text);
		testing_same_mai(&m, &again);
		assert_true(mai_print(&again, &mm_scramble_none, &o2, &e));
		assert_true(view_eq(out_view(&o), out_view(&o2)));
		out_fini(&o);
		out_fini(&o2);
		arena_free(&a);
	}
}

/* --- the dump of Q104423: a message to 300 recipients, 7159 octets (0x1BF7) --- */

enum { DUMP_TO = 300, DUMP_SIZE = 7159 };

/* The octets that the article shows, what facts A6 infer for the first six, and a Text field that fills the file up to its size. Names are
 * as the facts read them: NET/PO/MBX, NUL, four octets more. */
static struct view dump(uint8_t p[DUMP_SIZE])
{
	struct out o;
	out_init(&o, DUMP_SIZE);
	out_bytes(&o, VIEW("\x4d\x83\x00\x1b\xf2\x01"));
	out_bytes(&o, VIEW("\x7f\x05\x31\x20\x02\x2c\x01" "\x7f\x05\x32\x20\x02\x02\x00" "\x7f\x05\x33\x20\x02\x0a\x00" "\x7f\x05\x37\x20\x02\x0a\x00"));
	out_bytes(&o, VIEW("\x4c\x25\x01\x02\x22" "NETWORK/POSTO/Admin\0" "\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	out_u8(&o, 0);
	assert_int_equal(out_len(&o), 0x49);
	out_bytes(&o, VIEW("\x4c\x82\x19\xc9\x05"));
	for (unsigned i = 0; i < DUMP_TO; i++) {
		out_bytes(&o, VIEW("\x02\x14"));
		out_fmt(&o, "NETWORK/POST/%03u", 300 + i % 700);
		out_bytes(&o, VIEW("\0\x80\0\0"));
	}
	out_bytes(&o, VIEW("\x4c\x82\x01\xdd\x04\x02\x82\x01\xd8"));
	while (out_len(&o) < DUMP_SIZE)
		out_str(&o, "x");
	memcpy(p, out_view(&o).p, DUMP_SIZE);
	out_fini(&o);
	return view_of(p, DUMP_SIZE);
}

static void test_published_to_list(void **state)
{
	(void)state;
	uint8_t octets[DUMP_SIZE];
	const struct view file = dump(octets);
	struct arena *a = arena_new(1u << 20);
	const struct mai_limits l = mai_limits_default();
	struct mai m;
	struct err e = { 0 };
	uint16_t bags;
	size_t at;
	if (!mai_parse(file, &mm_scramble_none, &m, a, &l, &e))
		fail_msg("%s", e.text);
	assert_int_equal(m.bags, 300);
	assert_int_equal(m.hops, 10);
	assert_int_equal(m.word_2, 2);
	assert_int_equal(m.word_7, 10);
	assert_int_equal(m.n_to, 300);
	assert_int_equal(m.n_cc, 0);
	assert_true(view_eq(m.from.text, VIEW("NETWORK/POSTO/Admin")));
	assert_int_equal(m.from.text.n + 1 + m.from.rest.n, 34);
	assert_true(view_eq(m.to[0].text, VIEW("NETWORK/POST/300")));
	assert_true(view_eq(m.to[299].text, VIEW("NETWORK/POST/599")));
	for (size_t i = 0; i < m.n_to; i++) {
		assert_int_equal(m.to[i].text.n + 1 + m.to[i].rest.n, 20);
		assert_int_equal(m.to[i].type, MM_ADDRESS_MS);
	}
	assert_int_equal(m.n_extra, 0);
	assert_true(mai_bags(file, &bags, &at, &e));
	assert_int_equal(bags, 300);
	assert_int_equal(at, 0x0b);
	arena_free(&a);
}

/* From what is read the same octets come again: head, vendor elements, From and To stand where the dump has them. */
static void test_published_file_is_written_again(void **state)
{
	(void)state;
	uint8_t octets[DUMP_SIZE];
	const struct view file = dump(octets);
	struct arena *a = arena_new(1u << 20);
	const struct mai_limits l = mai_limits_default();
	struct mai m;
	struct err e;
	struct out o;
	out_init(&o, DUMP_SIZE + 100);
	assert_true(mai_parse(file, &mm_scramble_none, &m, a, &l, &e));
	assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
	assert_int_equal(out_len(&o), DUMP_SIZE);
	assert_memory_equal(out_view(&o).p, octets, DUMP_SIZE);
	out_fini(&o);
	arena_free(&a);
}

/* A program that read a buffer at a time lost the field that lay across two. Here each field is moved over each place of a page. */
static void test_k130382_fields_lie_across_any_boundary(void **state)
{
	(void)state;
	const struct mai_limits l = mai_limits_default();
	for (size_t shift = 3900; shift < 4200; shift++) {
		struct arena *a = arena_new(1u << 20);
		char *subject = arena_get(a, shift + 1);
		memset(subject, 's', shift);
		struct mai m = { .bags = 1, .hops = 10, .priority = '5', .subject = view_str(subject), .text = VIEW("the text"), .code_page = 850 }, got;
		struct mm_attachment attachment = { mm_id_of(0xABCD), VIEW("READ.ME"), 12, { 1993, 10, 8, 16, 25, 0 }, 3, 0 };
		struct mm_address to[2] = { { MM_ADDRESS_MS, VIEW("N/P/A"), VIEW(""), VIEW("") }, { MM_ADDRESS_X400, VIEW("/c=de/a=x/"), VIEW("B"), VIEW("") } };
		m.from = to[0];
		m.to = to;
		m.n_to = 2;
		m.attachments = &attachment;
		m.n_attachments = 1;
		struct out o;
		struct err e;
		out_init(&o, 1u << 16);
		assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
		assert_true(mai_parse(out_view(&o), &mm_scramble_none, &got, a, &l, &e));
		testing_same_attachments(&m, &got);
		testing_same_addresses(m.to, got.to, 2);
		assert_true(view_eq(got.text, m.text) && view_eq(got.subject, m.subject));
		out_fini(&o);
		arena_free(&a);
	}
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	const struct mai_limits l = mai_limits_default();
	for (uint64_t seed = 1; seed < 6; seed++) {
		struct arena *a = arena_new(1u << 24);
		struct testing_random r = { seed };
		struct mai m = testing_mai(&r, a), got;
		struct out o;
		m.text = VIEW("short");
		m.subject = VIEW("short");
		out_init(&o, 1u << 24);
		assert_true(mai_print(&m, &mm_scramble_none, &o, NULL));
		for (size_t n = 0; n < out_len(&o); n++) {
			uint8_t *copy = mem_dup(out_view(&o).p, n);
			struct arena *b = arena_new(1u << 24);
			struct err e = { 0 };
			uint16_t bags = 0;
			size_t at;
			assert_false(mai_parse(view_of(copy, n), &mm_scramble_none, &got, b, &l, &e));
			assert_int_equal(e.kind, ERR_PERM);
			assert_int_equal(e.culprit, ERR_OF_MESSAGE);
			/* The counter can be read as soon as it is there whole. */
			assert_int_equal(mai_bags(view_of(copy, n), &bags, &at, &e), n >= 13);
			if (n >= 13)
				assert_int_equal(bags, m.bags);
			arena_free(&b);
			free(copy);
		}
		out_fini(&o);
		arena_free(&a);
	}
}

/* One field of the standard's own example: no vendor elements, no attachments (FIPS 98 H.2). */
static void test_a_plain_message_of_the_standard(void **state)
{
	(void)state;
	const struct view file = VIEW("\x4d\x5a\x01\x4c\x19\x02\x28\x16\x02\x14" "19800704-180000-0400" "\x4c\x08\x01\x02\x05" "Smith"
				      "\x4c\x28\x04\x02\x25" "Are you going to watch the fireworks?" "\x4c\x08\x05\x02\x05" "Jones");
	struct arena *a = arena_new(1u << 16);
	const struct mai_limits l = mai_limits_default();
	struct mai m;
	struct err e;
	assert_true(mai_parse(file, &mm_scramble_none, &m, a, &l, &e));
	assert_true(view_eq(m.from.text, VIEW("Smith")));
	assert_int_equal(m.n_to, 1);
	assert_true(view_eq(m.to[0].text, VIEW("Jones")));
	assert_true(view_eq(m.text, VIEW("Are you going to watch the fireworks?")));
	TESTING_SAME_DATE(m.date, ((struct mm_date){ 1980, 7, 4, 18, 0, 0 }));
	assert_int_equal(m.bags, 0);
	assert_false(mai_bags(file, &(uint16_t){ 0 }, &(size_t){ 0 }, &e));
	assert_non_null(strstr(e.text, "no counter"));
	arena_free(&a);
}

/* Indefinite lengths, fields in another order, in parts, with a property, with No-Op and Padding between, and octets behind the end. */
static void test_other_forms_of_the_same(void **state)
{
	(void)state;
	const struct view file = VIEW("\x4d\x80\x01\x00\x00" "\x4c\x80\x04\x02\x05one, \x02\x81\x03two\x02\x82\x00\x02.\r\x01\x00" "\x21\x02\xff\xff"
				      "\xcc\x10\x05\x24\x08\x45\x06\x01\x02\x03" "Hm?\x02\x03" "A/B" "\x4c\x05\x06\x02\x02" "C\0"
				      "\x4c\x06\x05\x02\x03" "D/E" "\x7f\x05\x31\x20\x02\x02\x00" "\x4c\x83\x00\x00\x04\x18\x02\x01" "5" "\x01\x00" "\0\0\0\0");
	struct arena *a = arena_new(1u << 16);
	const struct mai_limits l = mai_limits_default();
	struct mai m;
	struct err e;
	if (!mai_parse(file, &mm_scramble_none, &m, a, &l, &e))
		fail_msg("%s", e.text);
	assert_true(view_eq(m.text, VIEW("one, two.\r")));
	assert_int_equal(m.n_to, 2);
	assert_true(view_eq(m.to[0].text, VIEW("A/B")) && view_eq(m.to[1].text, VIEW("D/E")));
	assert_int_equal(m.n_cc, 1);
	assert_true(view_eq(m.cc[0].text, VIEW("C")));
	assert_int_equal(m.bags, 2);
	assert_int_equal(m.priority, '5');
	assert_int_equal(m.n_extra, 0);
	uint16_t bags;
	size_t at;
	assert_false(mai_bags(view_first(file, 10), &bags, &at, &e));
	arena_free(&a);
}

/* A priority, a date or a subject of another form than ours is kept; what a message cannot do without is a corrupt message. */
static void test_fields_of_another_form(void **state)
{
	(void)state;
	static const struct {
		struct view element;
		size_t extra; /* SIZE_MAX: refused */
	} cases[] = {
		{ VIEW("\x4c\x04\x18\x20\x01\x05"), 1 },          /* an INTEGER as priority */
		{ VIEW("\x4c\x05\x18\x02\x02" "55"), 1 },
		{ VIEW("\x4c\x06\x02\x02\x03" "now"), 1 },        /* a date that is a string */
		{ VIEW("\x4c\x03\x02\x28\x00"), 1 },
		{ VIEW("\x4c\x04\x07\xff\xff\xff"), 1 },          /* a subject of no elements */
		{ VIEW("\x7f\x05\x33\x20\x02\xff"), SIZE_MAX },     /* cut */
		{ VIEW("\x7f\x05\x33\x02\x02hi"), 1 },
		{ VIEW("\x7f\x05\x31\x02\x02hi"), SIZE_MAX },       /* the counter */
		{ VIEW("\x4c\x04\x04\x20\x01\x05"), SIZE_MAX },     /* a text that is none */
		{ VIEW("\x4c\x01\x01"), SIZE_MAX },                 /* From nobody */
		{ VIEW("\x4c\x04\x05\xff\xff\xff"), SIZE_MAX },
		{ VIEW("\x4c\x06\x82\x00\x05\x02\x01" "x"), 1 },  /* a vendor's own field 5 is not To */
	};
	const struct mai_limits l = mai_limits_default();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(1u << 16);
		struct mai m;
		struct err e = { 0 };
		struct out file;
		out_init(&file, 100);
		fips_put(&file, FIPS_MESSAGE, 1, cases[i].element);
		const bool ok = mai_parse(out_view(&file), &mm_scramble_none, &m, a, &l, &e);
		if (ok != (cases[i].extra != SIZE_MAX) || (ok && m.n_extra != cases[i].extra))
			fail_msg("case %zu: %d %s", i, ok, e.text);
		if (!ok)
			assert_int_equal(e.diagnostic, 12);
		out_fini(&file);
		arena_free(&a);
	}
}

/* Of fields that come once the first is taken, the others are kept, and so it stays when the file is written again. One that is empty is not
 * written, and so is none. */
static void test_a_second_subject(void **state)
{
	(void)state;
	static const struct view files[] = { VIEW("\x4d\x0f\x01\x4c\x05\x07\x02\x02" "an" "\x4c\x05\x07\x02\x02" "no"),
					     VIEW("\x4d\x14\x01\x4c\x03\x07\x02\x00\x4c\x05\x07\x02\x02" "an" "\x4c\x05\x07\x02\x02" "no") };
	const struct mai_limits l = mai_limits_default();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct arena *a = arena_new(1u << 16);
		struct mai m;
		struct out o;
		out_init(&o, 1000);
		assert_true(mai_parse(files[i], &mm_scramble_none, &m, a, &l, NULL));
		for (int again = 0; again < 2; again++) {
			assert_true(view_eq(m.subject, VIEW("an")));
			assert_int_equal(m.n_extra, 1);
			assert_true(view_eq(m.extra[0], VIEW("\x4c\x05\x07\x02\x02" "no")));
			out_clear(&o);
			assert_true(mai_print(&m, &mm_scramble_none, &o, NULL));
			assert_true(mai_parse(out_view(&o), &mm_scramble_none, &m, a, &l, NULL));
		}
		out_fini(&o);
		arena_free(&a);
	}
}

static void test_no_message(void **state)
{
	(void)state;
	static const struct view files[] = { VIEW(""), VIEW("\0"), VIEW("\x4e\x01\x01"), VIEW("\x4c\x01\x01"), VIEW("\x4d\x00"), VIEW("MZ\x90\0") };
	const struct mai_limits l = mai_limits_default();
	struct arena *a = arena_new(1u << 16);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct mai m;
		struct err e = { 0 };
		assert_false(mai_parse(files[i], &mm_scramble_none, &m, a, &l, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_false(mai_bags(files[i], &(uint16_t){ 0 }, &(size_t){ 0 }, &e));
		assert_false(mai_rename_attachments((uint8_t[8]){ 0x4e }, 8, &mm_scramble_none, NULL, 0, &e));
	}
	arena_free(&a);
}

static void test_limits(void **state)
{
	(void)state;
	uint8_t octets[DUMP_SIZE];
	const struct view file = dump(octets);
	static const struct {
		struct mai_limits l;
		size_t quota;
		bool ok;
	} cases[] = {
		{ { 400, 10000 }, 1u << 20, true },
		{ { 400, DUMP_SIZE }, 1u << 20, true },
		{ { 400, DUMP_SIZE - 1 }, 1u << 20, false },
		{ { 299, 10000 }, 1u << 20, false },
		{ { 400, 10000 }, 1000, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(cases[i].quota);
		struct mai m;
		struct err e = { 0 };
		assert_int_equal(mai_parse(file, &mm_scramble_none, &m, a, &cases[i].l, &e), cases[i].ok);
		assert_int_equal(e.kind, cases[i].ok ? ERR_NONE : ERR_PERM);
		arena_free(&a);
	}
}

/* 200,000 addresses and as many nested constructors: one pass each, or a refusal. */
static void test_hostile_files(void **state)
{
	(void)state;
	const struct mai_limits l = { 1000000, 1u << 24 };
	struct out o;
	out_init(&o, 1u << 23);
	const size_t message = fips_begin(&o, FIPS_MESSAGE, 1), to = fips_begin(&o, FIPS_FIELD, FIPS_TO);
	for (unsigned i = 0; i < 200000; i++)
		out_bytes(&o, VIEW("\x02\x01x"));
	fips_end(&o, to);
	fips_end(&o, message);
	struct arena *a = arena_new(1u << 25);
	struct mai m;
	struct err e;
	assert_true(mai_parse(out_view(&o), &mm_scramble_none, &m, a, &l, &e));
	assert_int_equal(m.n_to, 200000);
	out_clear(&o);
	out_bytes(&o, VIEW("\x4d\x80\x01"));
	for (unsigned i = 0; i < 200000; i++)
		out_bytes(&o, VIEW("\x4c\x80\x05"));
	assert_false(mai_parse(out_view(&o), &mm_scramble_none, &m, a, &l, &e));
	out_fini(&o);
	arena_free(&a);
}

/* Beyond 16 MB the length of the Message has four octets, and the counter is found where it then stands. */
static void test_a_text_of_17_megabytes(void **state)
{
	(void)state;
	enum { N = 17000000 };
	uint8_t *text = mem_alloc(N);
	memset(text, 't', N);
	struct mai m = { .bags = 0xabcd, .hops = 10, .from = { .type = MM_ADDRESS_MS, .text = VIEW("N/P/A") }, .text = view_of(text, N) }, got;
	struct out o;
	struct err e;
	struct arena *a = arena_new(1u << 16);
	const struct mai_limits l = mai_limits_default();
	uint16_t bags;
	size_t at;
	out_init(&o, N + 1000);
	assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
	assert_true(mai_bags(view_first(out_view(&o), 64), &bags, &at, &e));
	assert_int_equal(bags, 0xabcd);
	assert_int_equal(at, 0x0c);
	assert_true(mai_parse(out_view(&o), &mm_scramble_none, &got, a, &l, &e));
	assert_true(view_eq(got.text, m.text));
	out_fini(&o);
	arena_free(&a);
	free(text);
}

static void test_what_cannot_be_written(void **state)
{
	(void)state;
	static char big[MAI_STRING_MAX + 2];
	memset(big, 'b', sizeof big - 1);
	const struct view over = view_of(big, MAI_STRING_MAX + 1);
	struct mm_attachment attachment = { .name = over };
	const struct mai base = { .from = { .type = MM_ADDRESS_MS, .text = VIEW("N/P/A") } };
	struct mai cases[8];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cases[i] = base;
	cases[0].subject = cases[1].class = cases[2].message_id = over;
	cases[3].from.text = cases[4].from.friendly = cases[5].from.rest = over;
	cases[6].from.text = VIEW("N/P\0/A");
	cases[7].attachments = &attachment;
	cases[7].n_attachments = 1;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct out o;
		struct err e = { 0 };
		out_init(&o, 1u << 20);
		out_str(&o, "before");
		assert_false(mai_print(&cases[i], &mm_scramble_none, &o, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.culprit, ERR_OF_MESSAGE);
		assert_string_equal(out_cstr(&o), "before");
		out_fini(&o);
	}
	struct out o;
	struct err e = { 0 };
	out_init(&o, 20);
	assert_false(mai_print(&base, &mm_scramble_none, &o, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	out_fini(&o);
}

/* A date that no digits of FIPS 98 can say is left out; one that no calendar has is written as it is. */
static void test_k214565_bad_dates(void **state)
{
	(void)state;
	static const struct { struct mm_date date, want; } cases[] = {
		{ { 1993, 99, 99, 99, 99, 99 }, { 1993, 99, 99, 99, 99, 99 } },
		{ { 12345, 1, 1, 0, 0, 0 }, { 0 } },
		{ { 1993, 100, 1, 0, 0, 0 }, { 0 } },
		{ { 0, 5, 1, 0, 0, 0 }, { 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mm_attachment attachment = { .date = cases[i].date };
		struct mai m = { .from = { .type = MM_ADDRESS_MS }, .date = cases[i].date, .attachments = &attachment, .n_attachments = 1 }, got;
		struct arena *a = arena_new(1u << 16);
		const struct mai_limits l = mai_limits_default();
		struct out o;
		out_init(&o, 1000);
		assert_true(mai_print(&m, &mm_scramble_none, &o, NULL));
		assert_true(mai_parse(out_view(&o), &mm_scramble_none, &got, a, &l, NULL));
		TESTING_SAME_DATE(got.date, cases[i].want);
		TESTING_SAME_DATE(got.attachments[0].date, cases[i].want);
		assert_int_equal(got.n_extra, 0);
		out_fini(&o);
		arena_free(&a);
	}
}

static void test_attachments_are_renamed(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 100; seed++) {
		struct arena *a = arena_new(1u << 24);
		struct testing_random r = { seed };
		struct mai m = testing_mai(&r, a), got;
		struct mm_id ids[21];
		struct out o;
		struct err e = { 0 };
		const struct mai_limits l = mai_limits_default();
		out_init(&o, 1u << 24);
		assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
		for (size_t i = 0; i < ARRAY_LEN(ids); i++)
			ids[i] = mm_id_of((uint32_t)testing_next(&r));
		uint8_t *file = mem_dup(out_view(&o).p, out_len(&o));
		const struct view whole = view_of(file, out_len(&o));
		assert_false(mai_rename_attachments(file, whole.n, &mm_scramble_none, ids, m.n_attachments + 1, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_true(view_eq(whole, out_view(&o)));
		assert_true(mai_rename_attachments(file, whole.n, &mm_scramble_none, ids, m.n_attachments, &e));
		assert_true(mai_parse(whole, &mm_scramble_none, &got, a, &l, &e));
		for (size_t i = 0; i < m.n_attachments; i++)
			m.attachments[i].file = ids[i];
		testing_same_mai(&m, &got);
		free(file);
		out_fini(&o);
		arena_free(&a);
	}
}

/* --- scrambling --- */

/* A codec of the tests' own, that covers all: what is written with one is read with it, and stands differently in the file. */
static void apply_testing(uint8_t *octets, size_t n, uint64_t offset_in_run, uint8_t *state, bool hide)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t in = octets[i];
		octets[i] = (uint8_t)(in ^ *state ^ (offset_in_run + i) * 7);
		*state = hide ? octets[i] : in;
	}
}
static const struct mm_scramble scramble_testing = { "testing", apply_testing, 0, UINT64_MAX };

static void test_scrambling_is_replaceable(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 100; seed++) {
		struct arena *a = arena_new(1u << 24);
		struct testing_random r = { seed };
		struct mai m = testing_mai(&r, a), got;
		struct out plain, o;
		struct err e;
		const struct mai_limits l = mai_limits_default();
		out_init(&plain, 1u << 24);
		out_init(&o, 1u << 24);
		m.class = VIEW("IPM.Note.Something");
		assert_true(mai_print(&m, &mm_scramble_none, &plain, &e));
		assert_true(mai_print(&m, &scramble_testing, &o, &e));
		assert_int_equal(out_len(&plain), out_len(&o));
		assert_null(memmem(out_view(&o).p, out_len(&o), "IPM.Note.Something", 18));
		assert_true(mai_parse(out_view(&o), &scramble_testing, &got, a, &l, &e));
		testing_same_mai(&m, &got);
		struct mm_id ids[21] = { { "" } };
		for (size_t i = 0; i < m.n_attachments; i++)
			m.attachments[i].file = ids[i] = mm_id_of((uint32_t)i);
		uint8_t *file = mem_dup(out_view(&o).p, out_len(&o));
		assert_true(mai_rename_attachments(file, out_len(&o), &scramble_testing, ids, m.n_attachments, &e));
		assert_true(mai_parse(view_of(file, out_len(&o)), &scramble_testing, &got, a, &l, &e));
		testing_same_mai(&m, &got);
		free(file);
		out_fini(&plain);
		out_fini(&o);
		arena_free(&a);
	}
}

/* Facts A6: c[i] = p[i] ^ c[i-1] ^ k[i] with k[11..19] as its table has them; From shows "Admi" at 12 to 15. */
static void test_chain_shows_what_is_known(void **state)
{
	(void)state;
	static const uint8_t k[] = { 0x52, 0x6e, 0x79, 0x68, 0x55, 0x48, 0x61, 0x66, 0x4b };
	const char plain[] = "NETWORK/POS/Admin\0\0\0" "behind";
	uint8_t octets[sizeof plain - 1], before = 0;
	for (size_t i = 0; i < sizeof octets; i++)
		before = octets[i] = (uint8_t)((uint8_t)plain[i] ^ before ^ (i >= 11 && i < 20 ? k[i - 11] : 0x99));
	for (size_t piece = 1; piece <= sizeof octets; piece++) {
		uint8_t shown[sizeof octets], chain = 0;
		memcpy(shown, octets, sizeof shown);
		for (size_t at = 0; at < sizeof shown; at += piece)
			mm_scramble_chain.apply(shown + at, piece < sizeof shown - at ? piece : sizeof shown - at, at, &chain, false);
		assert_memory_equal(shown, "???????????" "/Admin\0\0\0" "??????", sizeof shown);
	}
}

/* Nothing is read or written by guess: both are refused, and the error names the scrambling. */
static void test_chain_is_refused(void **state)
{
	(void)state;
	uint8_t octets[DUMP_SIZE];
	const struct view file = dump(octets);
	struct arena *a = arena_new(1u << 20);
	const struct mai_limits l = mai_limits_default();
	struct mai m;
	struct err e = { 0 };
	struct out o;
	out_init(&o, 10000);
	assert_false(mai_parse(file, &mm_scramble_chain, &m, a, &l, &e));
	assert_non_null(strstr(e.text, "\"chain\""));
	assert_true(mai_parse(file, &mm_scramble_none, &m, a, &l, &e));
	assert_false(mai_print(&m, &mm_scramble_chain, &o, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_non_null(strstr(e.text, "\"chain\""));
	assert_int_equal(out_len(&o), 0);
	assert_true(mm_scramble_covers(&mm_scramble_chain, 0, &e));
	assert_true(mm_scramble_covers(&mm_scramble_none, UINT64_MAX, &e));
	assert_ptr_equal(mm_scramble_by_name("none"), &mm_scramble_none);
	assert_ptr_equal(mm_scramble_by_name("chain"), &mm_scramble_chain);
	assert_null(mm_scramble_by_name("other"));
	out_fini(&o);
	arena_free(&a);
}

/* --- its attachments' ids alone --- */

/* Reads f with pieces of `piece` octets; the ids into `ids`, at most max. */
static enum step list_files(struct view file, size_t piece, const struct mm_scramble *s, struct mm_id *ids, size_t max, size_t *n_r)
{
	struct mai_files f = mai_files_of(file.n);
	enum step step;
	struct mm_id id;
	struct err e;
	for (*n_r = 0; (step = mai_files_next(&f, view_first(view_from(file, (size_t)f.at), piece), s, &id, &e)) != STEP_FAIL;) {
		if (step == STEP_DONE && id.s[0] == 0)
			break;
		if (step == STEP_DONE && *n_r < max)
			ids[(*n_r)++] = id;
	}
	return step;
}

/* What mai_parse finds, from pieces that hold no more than is asked for. */
static void test_files_are_listed(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct arena *a = arena_new(1u << 24);
		struct testing_random r = { seed };
		const struct mai m = testing_mai(&r, a);
		struct mm_id ids[24];
		struct out o;
		struct err e;
		size_t n, at = 0;
		out_init(&o, 1u << 24);
		assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
		assert_int_equal(list_files(out_view(&o), seed % 2 ? MAI_FILES_PIECE : SIZE_MAX, &mm_scramble_none, ids, ARRAY_LEN(ids), &n), STEP_DONE);
		for (size_t i = 0; i < m.n_attachments; i++)
			if (m.attachments[i].file.s[0] != 0) {
				assert_true(at < n);
				assert_string_equal(ids[at++].s, m.attachments[i].file.s);
			}
		assert_int_equal(at, n);
		/* A scrambling that is not known for those octets tells nothing. */
		(void)list_files(out_view(&o), MAI_FILES_PIECE, &mm_scramble_chain, ids, ARRAY_LEN(ids), &n);
		assert_int_equal(n, 0);
		out_fini(&o);
		arena_free(&a);
	}
}

/* Cut anywhere it ends, without a step too many, and never with the end of a whole file. */
static void test_files_of_a_cut_file(void **state)
{
	(void)state;
	struct mm_attachment two[2] = { { .file = mm_id_of(1), .name = VIEW("A") }, { .file = mm_id_of(0xABCDEF01), .name = VIEW("B") } };
	struct mm_address to = { .type = MM_ADDRESS_MS, .text = VIEW("N/P/M") };
	const struct mai m = { .from = to, .to = &to, .n_to = 1, .text = VIEW("text"), .attachments = two, .n_attachments = 2 };
	struct mm_id ids[4];
	struct out o;
	struct err e;
	size_t n;
	out_init(&o, 4096);
	assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
	const struct view file = out_view(&o);
	assert_int_equal(list_files(file, SIZE_MAX, &mm_scramble_none, ids, 4, &n), STEP_DONE);
	assert_int_equal(n, 2);
	assert_string_equal(ids[1].s, "ABCDEF01");
	for (size_t cut = 0; cut < file.n; cut++) {
		uint8_t *copy = mem_dup(file.p, cut + 1); /* of just those octets, for the sanitizer */
		assert_int_equal(list_files(view_of(copy, cut), SIZE_MAX, &mm_scramble_none, ids, 4, &n), STEP_FAIL);
		free(copy);
	}
	out_fini(&o);
}

/* FIPS 98 (RFC 841), 4.2.1: lengths may be indefinite, to an End-of-Constructor; two lists; a list behind the text. */
static void test_files_in_other_forms(void **state)
{
	(void)state;
	/* 7F, qualifier of the vendor form (83 00 50 04), of indefinite length; in it a SEQUENCE, an unknown constructor in front of both. */
	static const char octets[] = "\x4d\x80\x01"
				     "\x4c\x80\x22\x0a\x80\x02\x01x\x01\x00\x02\x01y\x01\x00"
				     "\x7f\x80\x83\x00\x50\x04\x0a\x80\x02\x01n\x02\x08" "0000000a\x01\x00\x01\x00"
				     "\x4c\x07\x04\x02\x04text"
				     "\x7f\x13\x83\x00\x50\x04\x0a\x0d\x02\x01n\x02\x08" "0000000B"
				     "\x01\x00" "behind it";
	struct mm_id ids[4];
	size_t n;
	assert_int_equal(list_files(view_of(octets, sizeof octets - 1), MAI_FILES_PIECE, &mm_scramble_none, ids, 4, &n), STEP_DONE);
	assert_int_equal(n, 2);
	assert_string_equal(ids[0].s, "0000000A");
	assert_string_equal(ids[1].s, "0000000B");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields_come_back),
		cmocka_unit_test(test_published_to_list),
		cmocka_unit_test(test_published_file_is_written_again),
		cmocka_unit_test(test_k130382_fields_lie_across_any_boundary),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_a_plain_message_of_the_standard),
		cmocka_unit_test(test_other_forms_of_the_same),
		cmocka_unit_test(test_fields_of_another_form),
		cmocka_unit_test(test_a_second_subject),
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_a_text_of_17_megabytes),
		cmocka_unit_test(test_what_cannot_be_written),
		cmocka_unit_test(test_k214565_bad_dates),
		cmocka_unit_test(test_attachments_are_renamed),
		cmocka_unit_test(test_scrambling_is_replaceable),
		cmocka_unit_test(test_chain_shows_what_is_known),
		cmocka_unit_test(test_chain_is_refused),
		cmocka_unit_test(test_files_are_listed),
		cmocka_unit_test(test_files_of_a_cut_file),
		cmocka_unit_test(test_files_in_other_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
