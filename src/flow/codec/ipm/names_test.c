/* names_test.c - rows of the failure catalogue about names and requests in a heading. Expected octets after X.411 8.5.5 and X.420 7.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/ipm/ipm.h"

#include "base/text.h"

static struct oraddr address(const char *text, struct arena *a)
{
	struct oraddr addr;
	struct err e;
	if (!oraddr_parse(view_str(text), &addr, a, ORADDR_CARRY, &e))
		fail_msg("%s", e.text);
	return addr;
}

static bool contains(struct view v, struct view part)
{
	return memmem(v.p, v.n, part.p, part.n) != NULL;
}

/* The octets of the name as an envelope has them, without their tag. */
static struct view envelope_name(const struct oraddr *addr, struct arena *a)
{
	struct p1_orname name;
	struct out o;
	struct err e;
	out_init(&o, 1 << 16);
	assert_true(p1_orname_of_addr(addr, &name, a, &e));
	assert_true(ber_encode(&p1_orname_type, &name, &o, &e));
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

/* A name in a heading had no X.121 address, which that in the envelope had (Q156722): they are the same octets. */
static void test_k156722_a_name_is_the_same_in_heading_and_envelope(void **state)
{
	static const char *const text[] = {
		"X.121=26245050; T-ID=t; A=a; C=DE", "X.121=26245050; S=s; A=a; C=DE", "N-ID=77; X.121=1; P=p; A=a; C=DE",
		"CN=n; X.121=1; O=o; OU1=u; DDA:x=y; A=a; C=DE", "PD-A1=street; PD-C=DE; X.121=5; A=a; C=DE",
	};
	(void)state;
	struct arena *a = arena_new(4 << 20);
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		const struct ipm_recipient to = { .user = { .addr = address(text[i], a) } };
		const struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("x") };
		const struct ipm_compose c = { .local_id = VIEW("1"), .originator = { .addr = address(text[i], a) }, .to = &to, .n_to = 1,
					       .cc = &to, .n_cc = 1, .parts = &part, .n_parts = 1 };
		struct ipm_composed done;
		struct ipm ipm;
		struct out o;
		struct err e;
		out_init(&o, 1 << 20);
		if (!ipm_compose(&c, NULL, &o, &done, a, &e))
			fail_msg("%s", e.text);
		const struct view name = envelope_name(&c.originator.addr, a);
		size_t found = 0;
		for (struct view rest = out_view(&o); contains(rest, name); found++) {
			const uint8_t *at = memmem(rest.p, rest.n, name.p, name.n);
			rest = view_from(rest, (size_t)(at - rest.p) + name.n);
		}
		assert_true(found >= 3); /* originator and two recipients; the identifier may have it too */
		const struct ber_limits limits = ipm_limits_default();
		assert_true(ipm_parse(out_view(&o), &ipm, a, &limits, &e));
		const struct oraddr back = ipm_oraddr(ipm.message->heading.originator.formal_name, a);
		assert_true(oraddr_find(&back, ORA_X121) != NULL && oraddr_eq(&back, &c.originator.addr));
		out_fini(&o);
	}
	arena_free(&a);
}

/* NotificationRequests of no bits (Q164528): [1] BIT STRING of one octet, that none is unused; none is asked for. */
static void test_k164528_requests_of_no_bits(void **state)
{
	static const struct {
		const char *requests;
		size_t octets;
	} row[] = { { "810100", 0 }, { "81020700", 1 }, { "81020600", 1 }, { "", 0 } };
	(void)state;
	struct arena *a = arena_new(4 << 20);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		/* [0] IPM { SET { [APPLICATION 11] { '1' }, [2] { SET { [0] { ORName }, [1] } } }, SEQUENCE {} } */
		struct out spec, set, list, heading, whole;
		struct out *const all[] = { &spec, &set, &list, &heading, &whole };
		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			out_init(all[k], 1 << 16);
		assert_true(text_unhex(&spec, VIEW("a00a 6008 3006 6104 13024445")));
		assert_true(text_unhex(&spec, view_str(row[i].requests)));
		ber_put_header(&set, BER_U(17), true, out_len(&spec));
		out_bytes(&set, out_view(&spec));
		ber_put_header(&list, BER_C(2), true, out_len(&set));
		out_bytes(&list, out_view(&set));
		assert_true(text_unhex(&heading, VIEW("6b03 130131")));
		out_bytes(&heading, out_view(&list));
		ber_put_header(&whole, BER_C(0), true, out_len(&heading) + 2 + 2);
		ber_put_header(&whole, BER_U(17), true, out_len(&heading));
		out_bytes(&whole, out_view(&heading));
		assert_true(text_unhex(&whole, VIEW("3000")));
		const struct ber_limits limits = ipm_limits_default();
		struct ipm ipm;
		struct err e;
		if (!ipm_parse(out_view(&whole), &ipm, a, &limits, &e))
			fail_msg("%s", e.text);
		const struct ipm_recipient_specifier *to = ipm.message->heading.primary_recipients.v;
		assert_int_equal(ipm.message->heading.primary_recipients.n, 1);
		assert_int_equal(to->notification_requests.bytes.n, row[i].octets);
		for (size_t k = 0; k < row[i].octets; k++)
			assert_int_equal(to->notification_requests.bytes.p[k], 0);
		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			out_fini(all[k]);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k156722_a_name_is_the_same_in_heading_and_envelope),
		cmocka_unit_test(test_k164528_requests_of_no_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
