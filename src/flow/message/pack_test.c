/* pack_test.c - what goes in comes out, field by field; damaged octets are refused, never believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/message/pack.h"

#include "base/cur.h"
#include "base/mem.h"
#include "flow/message/message_testing.h"

enum { SEEDS = 400 };

static void test_random_messages_come_back_whole(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct out o;
	out_init(&o, 1 << 20);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		arena_reset(a);
		out_clear(&o);
		const struct message *m = dice_message(seed, a);
		pack_message(&o, m, 0, m->n_rcpt);
		struct message back;
		struct err e;
		if (!unpack_message(out_view(&o), &back, a, &e))
			fail_msg("seed %u: %s", (unsigned)seed, e.text);
		same_message(m, &back);
	}
	out_fini(&o);
	arena_free(&a);
}

static void test_recipients_go_apart_and_by_range(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct out o;
	out_init(&o, 1 << 20);
	struct dice d = { 7, a };
	struct message m = *dice_message(3, a);
	m.n_rcpt = 6;
	m.rcpt = arena_array(a, m.n_rcpt, sizeof *m.rcpt);
	for (size_t i = 0; i < m.n_rcpt; i++)
		m.rcpt[i] = dice_recipient(&d, i % 2 == 0);

	pack_message(&o, &m, 2, 3);
	struct message part;
	assert_true(unpack_message(out_view(&o), &part, a, NULL));
	assert_int_equal(part.n_rcpt, 3);
	for (size_t i = 0; i < 3; i++)
		same_recipient(&m.rcpt[2 + i], &part.rcpt[i]);

	out_clear(&o);
	pack_envelope(&o, &m);
	struct message envelope;
	assert_true(unpack_envelope(out_view(&o), &envelope, a, NULL));
	same_envelope(&m, &envelope);
	assert_int_equal(envelope.n_rcpt, 0);

	for (size_t i = 0; i < m.n_rcpt; i++) {
		out_clear(&o);
		pack_recipient(&o, &m.rcpt[i]);
		struct recipient r;
		assert_true(unpack_recipient(out_view(&o), &r, a, NULL));
		same_recipient(&m.rcpt[i], &r);
	}
	out_fini(&o);
	arena_free(&a);
}

/* For a connector: the form of version 1 without the fields that came later, everything else as it is. */
static void test_plain_is_without_what_extensions_say(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct out o, p;
	out_init(&o, 1 << 20);
	out_init(&p, 1 << 20);
	for (uint64_t seed = 0; seed < 50; seed++) {
		arena_reset(a);
		out_clear(&o);
		out_clear(&p);
		struct message *m = dice_message(seed, a), back;
		pack_message_plain(&o, m);
		m->reassignment_prohibited = m->dl_prohibited = false;
		m->dl_history.n = m->origin_history.n = m->n_exempted = 0;
		m->reporting_dl = NULL;
		for (size_t i = 0; i < m->n_rcpt; i++) {
			m->rcpt[i].alternate = NULL;
			m->rcpt[i].n_redirections = 0;
		}
		pack_message(&p, m, 0, m->n_rcpt);
		assert_true(view_eq(out_view(&o), out_view(&p)));
		assert_true(out_view(&o).p[2] <= MESSAGE_PROBE); /* the kind alone */
		assert_true(unpack_message(out_view(&o), &back, a, NULL));
	}
	out_fini(&o);
	out_fini(&p);
	arena_free(&a);
}

/* One kind of record is not taken for another, and a version from the future is refused by name. */
static void test_version_and_record_type_are_checked(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct out o;
	out_init(&o, 1 << 20);
	struct message *m = dice_message(3, a), back;
	pack_envelope(&o, m);
	struct err e;
	assert_false(unpack_message(out_view(&o), &back, a, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(e.culprit, ERR_OF_PROCESS);
	o.p[o.head] = PACK_VERSION + 1;
	assert_false(unpack_envelope(out_view(&o), &back, a, &e));
	assert_string_equal(e.text, "pack: version 2, want 1");
	out_fini(&o);
	arena_free(&a);
}

/* Cut at every offset, and with octets behind it: refused. */
static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct arena *a = arena_new(4 << 20), *b = arena_new(1 << 20);
	struct out o;
	out_init(&o, 1 << 20);
	for (uint64_t seed = 0; seed < 12; seed++) {
		arena_reset(a);
		out_clear(&o);
		struct message *m = dice_message(seed, a), back;
		pack_message(&o, m, 0, m->n_rcpt);
		size_t n = out_len(&o);
		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *exact = mem_dup(out_view(&o).p, cut); /* ASan sees a read past it */
			struct err e;
			arena_reset(b);
			if (unpack_message(view_of(exact, cut), &back, b, &e))
				fail_msg("seed %u cut at %zu of %zu is accepted", (unsigned)seed, cut, n);
			assert_int_equal(e.kind, ERR_LOCAL);
			free(exact);
		}
		out_u8(&o, 0);
		assert_false(unpack_message(out_view(&o), &back, a, NULL));
	}
	out_fini(&o);
	arena_free(&b);
	arena_free(&a);
}

/* Any octet changed: an answer, never a crash or more memory than the quota. */
static void test_any_octet_may_be_wrong(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20);
	struct out o;
	out_init(&o, 1 << 20);
	struct message *m = dice_message(5, a), back;
	pack_message(&o, m, 0, m->n_rcpt);
	size_t n = out_len(&o), refused = 0;
	for (size_t i = 0; i < n; i++) {
		static const uint8_t value[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
		for (size_t k = 0; k < ARRAY_LEN(value); k++) {
			uint8_t *wrong = mem_dup(out_view(&o).p, n);
			wrong[i] = value[k];
			arena_reset(b);
			refused += !unpack_message(view_of(wrong, n), &back, b, NULL);
			free(wrong);
		}
	}
	assert_true(refused > 0);
	out_fini(&o);
	arena_free(&b);
	arena_free(&a);
}

/* A count of 2^60 recipients in a few octets costs nothing. */
static void test_false_count_is_refused_before_memory(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct out o;
	out_init(&o, 1 << 20);
	struct message m = { .content_length = -1 }, back;
	pack_envelope(&o, &m);
	o.p[o.head + 1] = 'M';
	out_bytes(&o, VIEW("\xff\xff\xff\xff\xff\xff\xff\xff\x0f"));
	size_t before = arena_used(a);
	struct err e;
	assert_false(unpack_message(out_view(&o), &back, a, &e));
	assert_int_equal(arena_used(a), before);
	out_fini(&o);
	arena_free(&a);
}

static void test_quota_is_an_error(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20), *small = arena_new(256);
	struct out o;
	out_init(&o, 1 << 20);
	struct message *m = dice_message(5, a), back;
	pack_message(&o, m, 0, m->n_rcpt);
	struct err e;
	assert_false(unpack_message(out_view(&o), &back, small, &e));
	assert_non_null(strstr(e.text, "quota"));
	assert_null(message_copy(m, small));
	out_fini(&o);
	arena_free(&small);
	arena_free(&a);
}

/* A relayed recipient with C, A, P, O, S costs little more than its letters. */
static void test_plain_recipient_is_small(void **state)
{
	(void)state;
	struct oraddr_attr at[] = {
		{ ORA_COUNTRY, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("GB") },
		{ ORA_ADMD, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW(" ") },
		{ ORA_PRMD, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("smhs") },
		{ ORA_ORGANIZATION, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("percival") },
		{ ORA_SURNAME, ORA_PRINTABLE, 0, { NULL, 0 }, VIEW("gal") },
	};
	struct recipient r = { .addr = { at, ARRAY_LEN(at), { NULL, 0 } }, .number = 1,
			       .responsible = true, .mta_report = 3, .originator_report = 1 };
	struct out o;
	out_init(&o, 1000);
	pack_recipient(&o, &r);
	assert_true(out_len(&o) <= 18 + 2 * 5 + 8);
	out_fini(&o);
}

static void test_errors_travel(void **state)
{
	(void)state;
	struct err e, back;
	err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 0, "nobody of that name");
	struct out o;
	out_init(&o, 1000);
	pack_err(&o, &e);
	out_u8(&o, 0x55);
	struct cur c = cur_of(out_view(&o));
	assert_true(unpack_err(&c, &back));
	assert_int_equal(cur_u8(&c), 0x55);
	assert_int_equal(back.kind, ERR_PERM);
	assert_int_equal(back.culprit, ERR_OF_RECIPIENT);
	assert_int_equal(back.reason, 1);
	assert_int_equal(back.diagnostic, 0);
	assert_string_equal(back.text, "nobody of that name");
	for (size_t cut = 0; cut + 1 < out_len(&o); cut++) {
		c = cur_of(view_first(out_view(&o), cut));
		assert_false(unpack_err(&c, &back));
	}
	out_fini(&o);
}

static void test_copy_is_deep(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20), *b = arena_new(1 << 20), *again = arena_new(1 << 20);
	struct message *copy = message_copy(dice_message(11, a), b);
	assert_non_null(copy);
	arena_free(&a); /* ASan sees a view that still points there */
	same_message(dice_message(11, again), copy);
	arena_free(&again);
	arena_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_messages_come_back_whole),
		cmocka_unit_test(test_recipients_go_apart_and_by_range),
		cmocka_unit_test(test_plain_is_without_what_extensions_say),
		cmocka_unit_test(test_version_and_record_type_are_checked),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_any_octet_may_be_wrong),
		cmocka_unit_test(test_false_count_is_refused_before_memory),
		cmocka_unit_test(test_quota_is_an_error),
		cmocka_unit_test(test_plain_recipient_is_small),
		cmocka_unit_test(test_errors_travel),
		cmocka_unit_test(test_copy_is_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
