/* envelope_test.c - the P1 file. Its layout is ours (docs/postoffice-format.md): the octets here are from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/codec/msmail/envelope.h"
#include "flow/codec/msmail/fips.h"
#include "flow/codec/msmail/mai_testing.h"

static void testing_name(struct testing_random *r, struct arena *a, char *name, size_t max)
{
	const struct view text = testing_string(r, a, max);
	memcpy(name, text.p, text.n);
}

static struct mm_recipient testing_recipient(struct testing_random *r, struct arena *a)
{
	static const int numbers[] = { 0, -1, 1, 30, INT32_MAX, INT32_MIN };
	struct mm_recipient x = { .address = testing_address(r, a), .number = (uint32_t)testing_next(r) >> testing_below(r, 32) };
	x.responsible = testing_below(r, 2);
	x.is_cc = testing_below(r, 2);
	x.wants_delivery_report = testing_below(r, 2);
	testing_name(r, a, x.bag, MM_ID_LENGTH);
	x.tries = (uint16_t)(testing_next(r) >> testing_below(r, 16));
	x.notice = numbers[testing_below(r, 6)];
	x.reason = numbers[testing_below(r, 6)];
	x.diagnostic = numbers[testing_below(r, 6)];
	x.why = testing_string(r, a, 200);
	x.oraddr = testing_string(r, a, 300);
	return x;
}

static struct mm_envelope testing_envelope(struct testing_random *r, struct arena *a)
{
	struct mm_envelope v = { .state = (enum mm_state)testing_below(r, 3), .from = testing_address(r, a), .date = testing_date(r) };
	if (testing_below(r, 4) > 0)
		v.mai = mm_id_of((uint32_t)testing_next(r));
	v.n = testing_below(r, 30);
	v.recipients = arena_array(a, v.n, sizeof *v.recipients);
	for (size_t i = 0; i < v.n; i++)
		v.recipients[i] = testing_recipient(r, a);
	v.n_hops = testing_below(r, 12);
	v.hops = arena_array(a, v.n_hops, sizeof *v.hops);
	for (size_t i = 0; i < v.n_hops; i++) {
		testing_name(r, a, v.hops[i].network, MM_NAME_MAX);
		testing_name(r, a, v.hops[i].postoffice, MM_NAME_MAX);
	}
	v.arrived = (wall_ms_t)testing_next(r) >> testing_below(r, 64);
	v.first_failed = (wall_ms_t)testing_next(r) >> testing_below(r, 64);
	v.priority = "\0001R5"[testing_below(r, 4)];
	v.size = (uint32_t)testing_next(r);
	if (testing_below(r, 2)) {
		v.n_extra = 2;
		v.extra = arena_array(a, 2, sizeof *v.extra);
		v.extra[0] = VIEW("\x7f\x04\x72POE");
		v.extra[1] = VIEW("\x7f\x06\x83\x00\x50\x99\x00\x00");
	}
	return v;
}

static void same_recipient(const struct mm_recipient *x, const struct mm_recipient *y)
{
	testing_same_addresses(&x->address, &y->address, 1);
	assert_int_equal(x->number, y->number);
	assert_true(x->responsible == y->responsible && x->is_cc == y->is_cc && x->wants_delivery_report == y->wants_delivery_report);
	assert_string_equal(x->bag, y->bag);
	assert_int_equal(x->tries, y->tries);
	assert_int_equal(x->notice, y->notice);
	assert_int_equal(x->reason, y->reason);
	assert_int_equal(x->diagnostic, y->diagnostic);
	TESTING_SAME_VIEW(x->why, y->why);
	TESTING_SAME_VIEW(x->oraddr, y->oraddr);
}

static void same_envelope(const struct mm_envelope *x, const struct mm_envelope *y)
{
	assert_string_equal(x->mai.s, y->mai.s);
	assert_int_equal(x->state, y->state);
	testing_same_addresses(&x->from, &y->from, 1);
	assert_int_equal(x->n, y->n);
	for (size_t i = 0; i < x->n; i++)
		same_recipient(&x->recipients[i], &y->recipients[i]);
	assert_int_equal(x->n_hops, y->n_hops);
	for (size_t i = 0; i < x->n_hops; i++) {
		assert_string_equal(x->hops[i].network, y->hops[i].network);
		assert_string_equal(x->hops[i].postoffice, y->hops[i].postoffice);
	}
	TESTING_SAME_DATE(x->date, y->date);
	assert_true(x->arrived == y->arrived && x->first_failed == y->first_failed);
	assert_true(x->priority == y->priority && x->size == y->size);
	assert_int_equal(x->n_extra, y->n_extra);
	for (size_t i = 0; i < x->n_extra; i++)
		TESTING_SAME_VIEW(x->extra[i], y->extra[i]);
}

static void test_all_fields_come_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct testing_random r = { seed };
		struct arena *a = arena_new(1u << 24);
		struct mm_envelope v = testing_envelope(&r, a), again;
		struct out o, o2;
		struct err e;
		out_init(&o, 1u << 24);
		out_init(&o2, 1u << 24);
		if (!mm_envelope_print(&v, &o, &e) || !mm_envelope_parse(out_view(&o), &again, a, &e))
			fail_msg("seed %u: %s", (unsigned)seed, e.text);
		same_envelope(&v, &again);
		assert_true(mm_envelope_print(&again, &o2, &e));
		assert_true(view_eq(out_view(&o), out_view(&o2)));
		out_fini(&o);
		out_fini(&o2);
		arena_free(&a);
	}
}

/* Who works on a message changes this octet and nothing else. */
static void test_the_state_has_a_fixed_place(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct testing_random r = { seed };
		struct arena *a = arena_new(1u << 24);
		struct mm_envelope v = testing_envelope(&r, a), got;
		struct out o;
		out_init(&o, 1u << 24);
		assert_true(mm_envelope_print(&v, &o, NULL));
		uint8_t *file = mem_dup(out_view(&o).p, out_len(&o));
		assert_memory_equal(file + 6, "\x83\x00\x50\x80\x20\x02\x01\x00\x20\x02", 10);
		assert_int_equal(file[MM_ENVELOPE_STATE_AT], v.state);
		for (int s = MM_UNREADY; s <= MM_PLACING + 1; s++) {
			file[MM_ENVELOPE_STATE_AT] = (uint8_t)s;
			struct err e = { 0 };
			assert_int_equal(mm_envelope_parse(view_of(file, out_len(&o)), &got, a, &e), s <= MM_PLACING);
			v.state = (enum mm_state)s;
			if (s <= MM_PLACING)
				same_envelope(&v, &got);
			else
				assert_non_null(strstr(e.text, "no state"));
		}
		free(file);
		out_fini(&o);
		arena_free(&a);
	}
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct testing_random r = { 3 };
	struct arena *a = arena_new(1u << 24);
	struct mm_envelope v = testing_envelope(&r, a), got;
	struct out o;
	out_init(&o, 1u << 24);
	v.n = v.n > 4 ? 4 : v.n;
	assert_true(mm_envelope_print(&v, &o, NULL));
	for (size_t n = 0; n < out_len(&o); n++) {
		uint8_t *copy = mem_dup(out_view(&o).p, n);
		struct err e = { 0 };
		assert_false(mm_envelope_parse(view_of(copy, n), &got, a, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.culprit, ERR_OF_MESSAGE);
		free(copy);
	}
	out_fini(&o);
	arena_free(&a);
}

#define FRONT "\x83\x00\x50\x80\x20\x02\x01\x00\x20\x02\x01\x00"

static void test_what_is_refused(void **state)
{
	(void)state;
	static const struct {
		struct view contents;
		const char *why;
	} cases[] = {
		{ VIEW("\x83\x00\x50\x81\x20\x02\x01\x00"), "no envelope" },
		{ VIEW("\x01"), "no envelope" },
		{ VIEW("\x83\x00\x50\x80"), "no version" },
		{ VIEW("\x83\x00\x50\x80\x02\x01" "1"), "no version" },
		{ VIEW("\x83\x00\x50\x80\x20\x02\x02\x00\x20\x02\x01\x00"), "version 2" },
		{ VIEW("\x83\x00\x50\x80\x20\x02\x01\x00"), "no state" },
		{ VIEW("\x83\x00\x50\x80\x20\x02\x01\x00\x20\x02\x03\x00"), "no state" },
		{ VIEW(FRONT "\x7f\x0c\x01\x02\x09" "000000001"), "kind or length" }, /* an id of nine digits */
		{ VIEW(FRONT "\x7f\x05\x01\x02\x02" "A\0"), "kind or length" },
		{ VIEW(FRONT "\x7f\x01\x05"), "empty" },
		{ VIEW(FRONT "\x7f\x05\x05\x20\x02\x00\x01"), "kind or length" },                 /* a priority of 256 */
		{ VIEW(FRONT "\x7f\x07\x06\x02\x04" "size"), "kind or length" },
		{ VIEW(FRONT "\x7f\x09\x21\x7f\x06\x46\x20\x03\x00\x00\x01"), "kind or length" }, /* the same in three octets */
		{ VIEW(FRONT "\x7f\x09\x21\x7f\x07\x46\x20\x04\x00\x00\x01\x00"), "end in its head" },
		{ VIEW(FRONT "\x7f\x0a\x21\x7f\x07\x46\x20\x04\x00\x00\x01\x00"), "kind or length" }, /* 65536 tries */
		{ VIEW(FRONT "\x7f\x07\x21\x7f\x04\x42\x20\x01\x02"), "kind or length" },         /* a flag of 2 */
		{ VIEW(FRONT "\x7f\x07\x21\x7f\x04\x32\x20\x01\x02"), "no ASCII" },
		{ VIEW(FRONT "\x7f\x11\x22\x7f\x0e\x51\x02\x0b" "NETWORK1234"), "kind or length" }, /* a network of eleven characters */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(1u << 16);
		struct mm_envelope v;
		struct err e = { 0 };
		struct out file;
		out_init(&file, 200);
		fips_put(&file, FIPS_VENDOR, -1, cases[i].contents);
		assert_false(mm_envelope_parse(out_view(&file), &v, a, &e));
		if (strstr(e.text, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, e.text);
		out_fini(&file);
		arena_free(&a);
	}
}

static void test_the_least_envelope(void **state)
{
	(void)state;
	struct arena *a = arena_new(1u << 16);
	struct mm_envelope v;
	struct err e = { 0 };
	assert_true(mm_envelope_parse(VIEW("\x7f\x0c" FRONT), &v, a, &e));
	assert_int_equal(v.state, MM_READY);
	assert_int_equal(v.n, 0);
	assert_string_equal(v.mai.s, "");
	/* Of a recipient only what is understood is taken. */
	assert_true(mm_envelope_parse(VIEW("\x7f\x18" FRONT "\x7f\x0a\x21\x7f\x04\x41\x20\x01\x07\x7f\x01\x7e"), &v, a, &e));
	assert_int_equal(v.n, 1);
	assert_int_equal(v.recipients[0].number, 7);
	/* The length of the whole may be indefinite. */
	assert_true(mm_envelope_parse(VIEW("\x7f\x80" FRONT "\x01\x00"), &v, a, &e));
	assert_int_equal(v.state, MM_READY);
	arena_free(&a);
}

static void test_many_recipients(void **state)
{
	(void)state;
	enum { N = 20000 };
	struct arena *a = arena_new(1u << 26);
	struct mm_envelope v = { .state = MM_READY }, got;
	struct out o;
	struct err e;
	v.recipients = arena_array(a, N, sizeof *v.recipients);
	v.n = N;
	for (size_t i = 0; i < N; i++)
		v.recipients[i] = (struct mm_recipient){ .address = { MM_ADDRESS_MS, VIEW("NET/PO/MBX"), VIEW("A Friendly Name"), VIEW("") },
							 .number = (uint32_t)i, .responsible = true, .bag = "00000001", .reason = -1, .diagnostic = -1 };
	out_init(&o, 1u << 26);
	assert_true(mm_envelope_print(&v, &o, &e));
	assert_true(mm_envelope_parse(out_view(&o), &got, a, &e));
	same_envelope(&v, &got);
	struct arena *small = arena_new(1u << 16);
	assert_false(mm_envelope_parse(out_view(&o), &got, small, &e));
	assert_non_null(strstr(e.text, "memory"));
	arena_free(&small);
	struct out full;
	out_init(&full, 100000);
	assert_false(mm_envelope_print(&v, &full, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	out_fini(&full);
	out_fini(&o);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields_come_back),
		cmocka_unit_test(test_the_state_has_a_fixed_place),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_the_least_envelope),
		cmocka_unit_test(test_many_recipients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
