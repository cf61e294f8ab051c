/* mailbag_test.c - MBG records and the KEY. Expected values: the record dumped in Q108027, as facts A5 decode it. What stands where in the
 * KEY is ours (docs/postoffice-format.md): those octets are this project's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/msmail/mailbag.h"
#include "flow/codec/msmail/mai_testing.h"

/* Facts A5, column "sample". */
static void published_record(uint8_t record[MM_RECORD_SIZE])
{
	memset(record, 0, MM_RECORD_SIZE);
	memcpy(record + 2, "Martian", 7);
	memcpy(record + 13, "This is the subject", 19);
	memcpy(record + 56, "\x19\x00\x10\x00\x08\x00\x0a\x00\xc9\x07", 10); /* 25 16 8 10 1993 */
	memcpy(record + 67, "00000062", 8);
	memcpy(record + 78, "\x28\x02\x00\x00", 4);
	memcpy(record + 88, "\x18\x00", 2);
	memcpy(record + 108, "\x98\xc9\x5b\x00", 4);
}

static void test_published_record(void **state)
{
	(void)state;
	uint8_t record[MM_RECORD_SIZE], again[MM_RECORD_SIZE];
	struct mm_header h;
	struct err e;
	published_record(record);
	assert_true(mm_header_parse(view_of(record, sizeof record), &h, &e));
	assert_string_equal(h.from, "Martian");
	assert_string_equal(h.subject, "This is the subject");
	TESTING_SAME_DATE(h.date, ((struct mm_date){ 1993, 10, 8, 16, 25, 0 }));
	assert_string_equal(h.mai.s, "00000062");
	assert_int_equal(h.size, 0x228);
	assert_int_equal(h.word_88, 0x18);
	assert_int_equal(h.dword_108, 0x005BC998);
	assert_int_equal(h.priority, 0);
	mm_header_print(&h, again);
	assert_memory_equal(again, record, sizeof record);
}

/* The year is a word (facts A5): no date of a FAT file. */
static void test_years_before_1980_and_after_2107(void **state)
{
	(void)state;
	static const struct { uint16_t year; const char *octets; } rows[] = { { 1601, "\x41\x06" }, { 1979, "\xbb\x07" }, { 2108, "\x3c\x08" }, { 9999, "\x0f\x27" } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t record[MM_RECORD_SIZE];
		struct mm_header h = { .mai = mm_id_of(1), .date = { rows[i].year, 12, 31, 23, 59, 0 } }, got;
		struct err e;
		mm_header_print(&h, record);
		assert_memory_equal(record + 64, rows[i].octets, 2);
		assert_true(mm_header_parse(view_of(record, sizeof record), &got, &e));
		TESTING_SAME_DATE(got.date, h.date);
	}
}

static void test_headers_come_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 500; seed++) {
		struct testing_random r = { seed };
		struct arena *a = arena_new(1u << 20);
		struct mm_header h = { .mai = mm_id_of((uint32_t)testing_next(&r)), .size = (uint32_t)testing_next(&r),
				       .word_88 = (uint16_t)testing_next(&r), .dword_108 = (uint32_t)testing_next(&r),
				       .priority = "\0001R5"[testing_below(&r, 4)], .enveloped = seed % 2 == 0 };
		const struct view from = testing_string(&r, a, MM_NAME_MAX), subject = testing_string(&r, a, MM_SUBJECT_MAX);
		memcpy(h.from, from.p, from.n);
		memcpy(h.subject, subject.p, subject.n);
		h.date = testing_date(&r);
		h.date.second = 0; /* a record has none */
		uint8_t record[MM_RECORD_SIZE];
		struct mm_header got;
		mm_header_print(&h, record);
		assert_true(mm_header_parse(view_of(record, sizeof record), &got, NULL));
		assert_string_equal(got.from, h.from);
		assert_string_equal(got.subject, h.subject);
		assert_string_equal(got.mai.s, h.mai.s);
		TESTING_SAME_DATE(got.date, h.date);
		assert_true(got.size == h.size && got.word_88 == h.word_88 && got.dword_108 == h.dword_108 && got.priority == h.priority && got.enveloped == h.enveloped);
		arena_free(&a);
	}
}

/* All octets set: no field has its NUL, no part of the date fits. Only the id must be one. */
static void test_k214565_a_strange_record_is_read(void **state)
{
	(void)state;
	uint8_t record[MM_RECORD_SIZE];
	struct mm_header h;
	struct err e = { 0 };
	memset(record, 0xff, sizeof record);
	assert_false(mm_header_parse(view_of(record, sizeof record), &h, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	memcpy(record + 67, "0000abcd", 8);
	assert_true(mm_header_parse(view_of(record, sizeof record), &h, &e));
	assert_string_equal(h.mai.s, "0000ABCD");
	assert_int_equal(strlen(h.from), MM_NAME_MAX);
	assert_int_equal(strlen(h.subject), MM_SUBJECT_MAX);
	assert_int_equal(h.date.year, 0);
}

static void test_a_cut_record_is_none(void **state)
{
	(void)state;
	uint8_t record[MM_RECORD_SIZE];
	struct mm_header h;
	published_record(record);
	for (size_t n = 0; n < sizeof record; n++)
		assert_false(mm_header_parse(view_of(record, n), &h, NULL));
}

static void test_an_empty_bag_is_all_zero(void **state)
{
	(void)state;
	struct mm_key k = { 0 };
	assert_int_equal(sizeof k, 560); /* A2 */
	assert_true(mm_key_check(&k, 0, NULL));
	assert_int_equal(mm_key_live(&k), 0);
	assert_int_equal(mm_key_free_slot(&k, 0), 0);
	mm_key_add(&k, 7, true);
	mm_key_drop(&k, 7, true);
	for (size_t i = 0; i < sizeof k; i++)
		assert_int_equal(k.octets[i], 0);
}

static void test_where_things_stand_in_the_key(void **state)
{
	(void)state;
	struct mm_key k = { 0 };
	mm_key_add(&k, 0, true);
	mm_key_add(&k, 9, true);
	mm_key_add(&k, 4095, false);
	assert_memory_equal(k.octets, "\x02\x00\x02\x00\x00", 5);
	assert_int_equal(k.octets[48], 0x01);
	assert_int_equal(k.octets[49], 0x02);
	assert_int_equal(k.octets[559], 0x80);
	assert_true(mm_key_is_live(&k, 9));
	assert_false(mm_key_is_live(&k, 8));
	assert_int_equal(mm_key_live(&k), 3);
}

static void test_steps_done_again_change_nothing(void **state)
{
	(void)state;
	struct mm_key k = { 0 };
	mm_key_add(&k, 3, true);
	mm_key_add(&k, 3, true);
	assert_int_equal(mm_key_new(&k), 1);
	assert_int_equal(mm_key_unread(&k), 1);
	mm_key_drop(&k, 3, true);
	mm_key_drop(&k, 3, true);
	mm_key_drop(&k, 4, true);
	assert_int_equal(mm_key_unread(&k), 0);
	assert_int_equal(mm_key_live(&k), 0);
}

/* A bag is full at 4096 and has room again as soon as one goes. */
static void test_k138054_four_thousand_and_ninety_six(void **state)
{
	(void)state;
	struct mm_key k = { 0 };
	for (unsigned i = 0; i < MM_BAG_RECORDS; i++) {
		assert_int_equal(mm_key_free_slot(&k, i), i);
		mm_key_add(&k, i, true);
	}
	assert_int_equal(mm_key_live(&k), 4096);
	assert_int_equal(mm_key_new(&k), 4096);
	assert_int_equal(mm_key_free_slot(&k, 4096), -1);
	assert_true(mm_key_check(&k, 4096ull * 116, NULL));
	mm_key_drop(&k, 4000, false);
	assert_int_equal(mm_key_free_slot(&k, 4096), 4000);
	assert_int_equal(mm_key_unread(&k), 4095); /* never more than are live */
}

/* The backlog is what the bitmap says, not the size of the MBG. */
static void test_k146113_freed_slots_are_not_counted(void **state)
{
	(void)state;
	struct mm_key k = { 0 };
	for (unsigned i = 0; i < 100; i++)
		mm_key_add(&k, i, false);
	for (unsigned i = 0; i < 100; i++)
		if (i != 42)
			mm_key_drop(&k, i, false);
	assert_int_equal(mm_key_live(&k), 1);
	assert_int_equal(mm_key_free_slot(&k, 100), 0);
	assert_true(mm_key_check(&k, 100 * 116, NULL));
}

static void test_damaged_keys(void **state)
{
	(void)state;
	struct err e;
	struct mm_key k = { 0 };
	mm_key_add(&k, 10, false);
	assert_true(mm_key_check(&k, 11 * 116, &e));
	assert_true(mm_key_check(&k, 12 * 116 - 1, &e)); /* a record that is there in part is not live */
	assert_false(mm_key_check(&k, 11 * 116 - 1, &e));
	assert_non_null(strstr(e.text, "record 10"));
	assert_false(mm_key_check(&k, 0, &e));
	k.octets[0] = 2;
	assert_false(mm_key_check(&k, 11 * 116, &e));
	assert_non_null(strstr(e.text, "2 new"));
	k.octets[0] = 0;
	k.octets[3] = 1;
	assert_false(mm_key_check(&k, 11 * 116, &e));
	assert_non_null(strstr(e.text, "256 unread"));
	const struct mm_key empty = { 0 };
	assert_true(mm_key_check(&empty, 4096ull * 116, &e));
	assert_false(mm_key_check(&empty, 4097ull * 116, &e));
	assert_false(mm_key_check(&empty, UINT64_MAX, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_record),
		cmocka_unit_test(test_years_before_1980_and_after_2107),
		cmocka_unit_test(test_headers_come_back),
		cmocka_unit_test(test_k214565_a_strange_record_is_read),
		cmocka_unit_test(test_a_cut_record_is_none),
		cmocka_unit_test(test_an_empty_bag_is_all_zero),
		cmocka_unit_test(test_where_things_stand_in_the_key),
		cmocka_unit_test(test_steps_done_again_change_nothing),
		cmocka_unit_test(test_k138054_four_thousand_and_ninety_six),
		cmocka_unit_test(test_k146113_freed_slots_are_not_counted),
		cmocka_unit_test(test_damaged_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
