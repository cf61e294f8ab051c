/* p1_fields_test.c - extensions that are fields of struct message too. Expected octets are put together by hand from the types in
 * X.411 (MTSAbstractService): untouched they go out as they came, changed they are made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/p1/p1_testing.h"

#define T_TIME "170d3236313132323038333030305a"  /* UTCTime 261122083000Z */
#define T_TIME2 "170b323631313232303833305a"     /* 2611220830Z: no seconds */

/* ExtensionField { [0] number, [1] criticality (when not 0), [2] value } */
static struct view field(struct arena *a, unsigned number, const char *criticality, struct view value)
{
	uint8_t type[] = { 0x80, 1, (uint8_t)number };
	struct view head = join(a, view_of(type, sizeof type), hex(a, criticality));
	return tlv(a, 0x30, join(a, arena_copy(a, head), tlv(a, 0xa2, value)));
}

/* The message of the capture with one extension in the envelope, or at its recipient. */
static struct view with_envelope(struct arena *a, struct view extension)
{
	struct view set = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE T_RCPTS), tlv(a, 0xa3, extension));
	return tlv(a, 0xa0, join(a, tlv(a, 0x31, set), hex(a, "040178")));
}

static struct view with_recipient(struct arena *a, struct view extension)
{
	struct view rcpt = tlv(a, 0x31, join(a, hex(a, T_NAME "800101 810200f0"), tlv(a, 0xa3, extension)));
	struct view set = join(a, hex(a, T_ID T_ORIGINATOR T_CONTENT_TYPE T_TRACE), tlv(a, 0xa2, rcpt));
	return tlv(a, 0xa0, join(a, tlv(a, 0x31, set), hex(a, "040178")));
}

/* The same octets: untouched by way of the store; and with the extension gone, made from the field. */
static struct message *through(struct view apdu, struct extensions **ext_r, bool recipient, struct arena *a)
{
	struct view content;
	struct message *m = decoded(apdu, &content, a);
	assert_octets(again(apdu, 0, P1_EXT_STANDARD, a), encoded(m, content, 0, P1_EXT_STANDARD, a));
	struct view once = again(apdu, 0, P1_EXT_STANDARD, a);
	struct extensions *x = recipient ? &m->rcpt[0].ext : &m->ext;
	assert_int_equal(x->n, 1);
	x->n = 0;
	assert_octets(encoded(m, content, 0, P1_EXT_STANDARD, a), once);
	*ext_r = x;
	return m;
}

static void assert_guinevere(const struct oraddr *addr)
{
	const struct oraddr_attr *o = oraddr_find(addr, ORA_ORGANIZATION);
	assert_non_null(o);
	assert_true(view_eq(o->value, VIEW("guinevere")));
}

/* X.411 8.3.1.1.1.5: RedirectionHistory */
static void test_redirection_history_is_a_field(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct view one = tlv(a, 0x30, join(a, tlv(a, 0x30, hex(a, T_NAME T_TIME)), hex(a, "0a0101")));
	struct view two = tlv(a, 0x30, join(a, tlv(a, 0x30, hex(a, T_NAME T_TIME2)), hex(a, "0a0102")));
	struct extensions *ext;
	struct message *m = through(with_recipient(a, field(a, 25, "", tlv(a, 0x30, join(a, one, two)))), &ext, true, a);
	const struct recipient *r = &m->rcpt[0];
	assert_int_equal(r->n_redirections, 2);
	assert_guinevere(&r->redirections[0].intended);
	assert_int_equal(r->redirections[0].reason, REDIRECTED_BY_ORIGINATOR);
	assert_int_equal(r->redirections[1].reason, REDIRECTED_BY_DOMAIN);
	assert_int_equal(r->redirections[0].at, INT64_C(1795336200000)); /* 2026-11-22 08:30:00 */
	assert_true(view_eq(r->redirections[1].at_raw, VIEW("2611220830Z")));
	arena_free(&a);
}

/* 8.2.1.1.1.4: for-submission is its criticality */
static void test_alternate_recipient_is_a_field(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct extensions *ext;
	struct message *m = through(with_recipient(a, field(a, 2, "81020780", hex(a, T_NAME))), &ext, true, a);
	assert_non_null(m->rcpt[0].alternate);
	assert_guinevere(m->rcpt[0].alternate);
	arena_free(&a);
}

/* 8.3.1.1.1.7: DLExpansionHistory */
static void test_dl_history_is_a_field(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct extensions *ext;
	struct view list = tlv(a, 0x30, join(a, tlv(a, 0x30, hex(a, T_NAME T_TIME)), tlv(a, 0x30, hex(a, T_NAME T_TIME2))));
	struct message *m = through(with_envelope(a, field(a, 26, "", list)), &ext, false, a);
	assert_int_equal(m->dl_history.n, 2);
	assert_guinevere(&m->dl_history.v[0].name);
	assert_int_equal(m->dl_history.v[0].at, m->dl_history.v[1].at);
	assert_int_equal(m->origin_history.n, 0);
	arena_free(&a);
}

/* 8.2.1.1.1.6 */
static void test_exempted_recipients_are_a_field(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct extensions *ext;
	struct message *m = through(with_envelope(a, field(a, 42, "", tlv(a, 0x31, hex(a, T_NAME T_NAME)))), &ext, false, a);
	assert_int_equal(m->n_exempted, 2);
	assert_guinevere(&m->exempted[1]);
	arena_free(&a);
}

/* 8.2.1.1.1.3 and 5: for-delivery is their criticality; 0 is the default and says nothing. */
static void test_prohibitions_are_fields(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct extensions *ext;
	struct view content;
	struct message *m = through(with_envelope(a, field(a, 1, "81020520", hex(a, "0a0101"))), &ext, false, a);
	assert_true(m->reassignment_prohibited && !m->dl_prohibited);
	m = through(with_envelope(a, field(a, 3, "81020520", hex(a, "0a0101"))), &ext, false, a);
	assert_true(!m->reassignment_prohibited && m->dl_prohibited);
	struct view no = with_envelope(a, field(a, 3, "81020520", hex(a, "0a0100")));
	assert_false(decoded(no, &content, a)->dl_prohibited);
	assert_true(contains(again(no, 0, P1_EXT_STANDARD, a), hex(a, "0a0100")));
	arena_free(&a);
}

/* What is no value of its type is carried as it came, and is no field. */
static void test_values_that_are_none_are_carried(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	static const unsigned numbers[] = { 1, 3, 26, 42, 2, 25 };
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct view content, x = field(a, numbers[i], "", hex(a, "0403abcdef"));
		struct view apdu = numbers[i] == 2 || numbers[i] == 25 ? with_recipient(a, x) : with_envelope(a, x);
		const struct message *m = decoded(apdu, &content, a);
		assert_false(m->reassignment_prohibited || m->dl_prohibited);
		assert_int_equal(m->dl_history.n + m->n_exempted + m->rcpt[0].n_redirections, 0);
		assert_null(m->rcpt[0].alternate);
		assert_true(contains(again(apdu, 0, P1_EXT_STANDARD, a), x));
	}
	arena_free(&a);
}

/* A report made here: two names in OriginatorAndDLExpansionHistory, and the reporting DL, as X.411 8.3.1.2.1 types them. */
static void test_histories_of_a_report_are_made(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct view content, none = { NULL, 0 };
	struct message *m = decoded(corpus("report-full", a), &content, a);
	struct message plain = *m, back;
	plain.ext = (struct extensions){ NULL, 0 };
	plain.origin_history = (struct history){ NULL, 0 };
	plain.reporting_dl = NULL;
	struct view without = encoded(&plain, none, 0, P1_EXT_STANDARD, a);
	const struct message *capture = decoded(message_of(a, T_PLAIN), &content, a);
	const struct oraddr *name = &capture->rcpt[0].addr;
	struct name_at v[] = { { *name, 0, VIEW("261122083000Z") }, { *name, INT64_C(1795336200000), { NULL, 0 } } };
	plain.origin_history = (struct history){ v, 2 };
	plain.reporting_dl = name;
	struct view list = tlv(a, 0x30, join(a, tlv(a, 0x30, hex(a, T_NAME T_TIME)), tlv(a, 0x30, hex(a, T_NAME T_TIME))));
	struct view with = encoded(&plain, none, 0, P1_EXT_STANDARD, a);
	assert_true(with.n > without.n);
	assert_true(contains(with, field(a, 30, "", list)));
	assert_true(contains(with, field(a, 31, "", hex(a, T_NAME))));
	assert_true(p1_decode(with, &back, &content, a, &test_limits, NULL));
	assert_int_equal(back.origin_history.n, 2);
	assert_non_null(back.reporting_dl);
	arena_free(&a);
}

/* What the switch does to a field of one recipient leaves the others as they are: they are encoded one behind the other. */
static void test_fields_of_many_recipients(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 22);
	struct view content;
	const struct message *one = decoded(message_of(a, T_PLAIN), &content, a);
	struct message m = *one, back;
	struct recipient rcpt[3] = { one->rcpt[0], one->rcpt[0], one->rcpt[0] };
	struct redirection x = { one->originator, 0, VIEW("261122083000Z"), REDIRECTED_BY_RECIPIENT };
	rcpt[0].redirections = rcpt[2].redirections = &x;
	rcpt[0].n_redirections = rcpt[2].n_redirections = 1;
	rcpt[1].alternate = &one->originator;
	m.rcpt = rcpt;
	m.n_rcpt = 3;
	assert_true(p1_decode(encoded(&m, content, 0, P1_EXT_STANDARD, a), &back, &content, a, &test_limits, NULL));
	assert_int_equal(back.n_rcpt, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_guinevere(&back.rcpt[i].addr);
		assert_int_equal(back.rcpt[i].n_redirections, i == 1 ? 0 : 1);
		assert_true((back.rcpt[i].alternate != NULL) == (i == 1));
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redirection_history_is_a_field),
		cmocka_unit_test(test_alternate_recipient_is_a_field),
		cmocka_unit_test(test_dl_history_is_a_field),
		cmocka_unit_test(test_exempted_recipients_are_a_field),
		cmocka_unit_test(test_prohibitions_are_fields),
		cmocka_unit_test(test_values_that_are_none_are_carried),
		cmocka_unit_test(test_histories_of_a_report_are_made),
		cmocka_unit_test(test_fields_of_many_recipients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
