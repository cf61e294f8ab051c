/* message_test.c - equality, times and words of the canonical form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/message/message.h"

#include "flow/message/message_testing.h"

static struct gdi domain(const char *c, const char *a, const char *p)
{
	return (struct gdi){ { ORA_PRINTABLE, view_str(c) },
			     { ORA_PRINTABLE, view_str(a) },
			     { ORA_PRINTABLE, view_str(p) },
			     p != NULL };
}

/* X.402 18.4: case and runs of spaces do not count; ADMD absent is a single space. */
static void test_domains_compare_folded(void **state)
{
	(void)state;
	static const struct {
		const char *c1, *a1, *p1, *c2, *a2, *p2;
		bool equal;
	} row[] = {
		{ "GB", "PEERNET", "PPA", "gb", "PeerNet", "ppa", true },
		{ "GB", " ", "PPA", "GB", NULL, "PPA", true },
		{ "GB", " ", "PPA", "GB", "", "PPA", true },
		{ "GB", "A  B", NULL, "GB", " a b ", NULL, true },
		{ "GB", "A", NULL, "GB", "A", "", true },
		{ "GB", "AB", NULL, "GB", "A B", NULL, false },
		{ "GB", "A", NULL, "GB", "A", "P", false },
		{ "GB", "A", "P", "FR", "A", "P", false },
		{ "GB", "A", "P", "GB", "B", "P", false },
		{ "GB", "0", "P", "GB", " ", "P", false },
		{ "GB", "A ", "P", "GB", "A B", "P", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct gdi x = domain(row[i].c1, row[i].a1, row[i].p1);
		struct gdi y = domain(row[i].c2, row[i].a2, row[i].p2);
		if (gdi_eq(&x, &y) != row[i].equal || gdi_eq(&y, &x) != row[i].equal)
			fail_msg("row %zu", i);
	}
}

/* ADMD NumericString 400 and PrintableString 400 are the same domain. */
static void test_p1_18_numeric_admd_equals_printable(void **state)
{
	(void)state;
	struct gdi x = domain("GB", "400", NULL), y = x;
	y.admd.form = ORA_NUMERIC;
	assert_true(gdi_eq(&x, &y));
}

static void test_identifiers_compare_local_exactly(void **state)
{
	(void)state;
	struct mts_id x = { domain("GB", " ", "P"), VIEW("abc.1") };
	struct mts_id y = { domain("gb", NULL, "p"), VIEW("abc.1") };
	assert_true(mts_id_eq(&x, &y));
	y.local = VIEW("ABC.1");
	assert_false(mts_id_eq(&x, &y));
}

static void test_identifier_as_text_and_back(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	struct out o;
	out_init(&o, 1 << 16);
	struct mts_id id = { domain("GB", " ", "ORG"), VIEW("x;y\\z\n\x80.1") }, back;
	mts_id_print(&id, &o);
	assert_string_equal(out_cstr(&o), "C=GB;A= ;P=ORG;L=x\\x3by\\x5cz\\x0a\\x80.1");
	struct err e;
	assert_true(mts_id_parse(out_view(&o), &back, a, &e));
	same_mts_id(&id, &back);

	out_clear(&o);
	gdi_print(&id.domain, &o);
	assert_string_equal(out_cstr(&o), "C=GB;A= ;P=ORG");

	out_clear(&o);
	id.domain = domain("GB", NULL, NULL);
	mts_id_print(&id, &o);
	assert_true(mts_id_parse(out_view(&o), &back, a, &e));
	same_mts_id(&id, &back);

	assert_true(mts_id_parse(VIEW("c=gb;a=400;l=1"), &back, a, &e));
	assert_int_equal(back.domain.admd.form, ORA_NUMERIC);
	static const char *const bad[] = { "", "C=GB", "L=1", "C=GB;X=1;L=2", "C=GB;L", "C=GB;L=\\x4",
					   "C=GB;L=\\y41", "GB" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (mts_id_parse(view_str(bad[i]), &back, a, &e))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.reason, 1);
	}
	out_fini(&o);
	arena_free(&a);
}

/* X.680 UTCTime forms; the years 80..99 are 19xx, 00..79 are 20xx (RFC 2156 3.3.5). Seconds since 1970
 * are those of `date -u -d ... +%s`. */
static void test_p1_19_k192084_k194546_utctime(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds; /* 0: not a time */
	} row[] = {
		{ "051001113050Z", 1128166250 },
		{ "0510011130Z", 1128166200 },
		{ "051001113050+0530", 1128146450 },
		{ "0510011130-0100", 1128169800 },
		{ "991231235959Z", 946684799 },
		{ "490101000000Z", 2493072000 },
		{ "800101000000Z", 315532800 },
		{ "791231235959Z", 3471292799 },
		{ "000229120000Z", 951825600 },
		{ "050229120000Z", 0 },
		{ "051301000000Z", 0 },
		{ "051000000000Z", 0 },
		{ "051001240000Z", 0 },
		{ "051001116000Z", 0 },
		{ "0510011130", 0 },
		{ "051001113050", 0 },
		{ "051001113050Z ", 0 },
		{ "051001113050+05", 0 },
		{ "051001113050+2460", 0 },
		{ "05100111305Z", 0 },
		{ "20051001113050Z", 0 },
		{ "", 0 },
		{ "Z", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		wall_ms_t at = 0;
		bool ok = utctime_parse(view_str(row[i].text), &at);
		if (ok != (row[i].seconds != 0) || (ok && at != row[i].seconds * 1000))
			fail_msg("%s: %lld", row[i].text, (long long)at);
	}
}

static void test_utctime_prints_every_day(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	assert_true(view_eq(utctime_print(1128166250999, a), VIEW("051001113050Z")));
	assert_true(view_eq(utctime_print(951825600000, a), VIEW("000229120000Z")));
	for (wall_ms_t at = 315532800000; at < 3471292799000; at += 86399000) {
		wall_ms_t back;
		arena_reset(a);
		assert_true(utctime_parse(utctime_print(at, a), &back));
		assert_true(at == back);
	}
	arena_free(&a);
}

/* Only what is critical for transfer and unknown stops a transfer. */
static void test_p1_11_unsupported_critical_function(void **state)
{
	(void)state;
	static const struct {
		struct extension ext;
		bool unsupported;
	} row[] = {
		{ { .number = 23, .criticality = EXT_FOR_TRANSFER }, false },
		{ { .number = 46, .criticality = EXT_FOR_TRANSFER }, false },
		{ { .number = 47, .criticality = EXT_FOR_TRANSFER }, true },
		{ { .number = 0, .criticality = EXT_FOR_TRANSFER }, true },
		{ { .number = 99, .criticality = EXT_FOR_SUBMISSION | EXT_FOR_DELIVERY }, false },
		{ { .is_private = true }, false },
		{ { .is_private = true, .criticality = EXT_FOR_DELIVERY }, false },
		{ { .is_private = true, .criticality = EXT_FOR_TRANSFER | EXT_FOR_DELIVERY }, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct extension v[] = { { .number = 1 }, row[i].ext };
		const struct extension *found = extensions_unsupported(&(struct extensions){ v, 2 });
		if ((found == &v[1]) != row[i].unsupported)
			fail_msg("row %zu", i);
	}
}

/* X.411 NonDeliveryReasonCode, NonDeliveryDiagnosticCode: the numbers in the module. */
static void test_words(void **state)
{
	(void)state;
	assert_string_equal(reason_name(0), "transfer-failure");
	assert_string_equal(reason_name(1), "unable-to-transfer");
	assert_string_equal(reason_name(8), "transfer-failure-for-security-reason");
	assert_string_equal(reason_name(9), "unknown");
	assert_string_equal(reason_name(-1), "none");
	assert_string_equal(diagnostic_name(0), "unrecognised-OR-name");
	assert_string_equal(diagnostic_name(3), "loop-detected");
	assert_string_equal(diagnostic_name(18), "unsupported-critical-function");
	assert_string_equal(diagnostic_name(31), "physical-rendition-attributes-not-supported");
	assert_string_equal(diagnostic_name(47), "unable-to-downgrade");
	assert_string_equal(diagnostic_name(60), "unreliable-system");
	assert_string_equal(diagnostic_name(78), "unsupported-security-policy");
	assert_string_equal(diagnostic_name(79), "unknown");
	assert_string_equal(diagnostic_name(-2), "unknown");
	assert_string_equal(diagnostic_name(-1), "none");
	assert_string_equal(priority_name(PRIORITY_URGENT), "urgent");
	assert_string_equal(priority_name((enum priority)9), "unknown");
	assert_string_equal(message_kind_name(MESSAGE_PROBE), "probe");
}

/* As mta.domain is written: country and ADMD are wanted, digits are numeric. */
static void test_a_domain_as_a_setting_says_it(void **state)
{
	(void)state;
	static const struct {
		const char *text, *printed; /* NULL: none */
	} row[] = {
		{ "C=GB; A=POSTHORN; P=LONDON", "C=GB;A=POSTHORN;P=LONDON" }, { "/C=GB/A=400/", "C=GB;A=400" }, { "C=GB", "C=GB;A= " },
		{ "A=POSTHORN; P=LONDON", NULL }, { "", NULL }, { "nonsense", NULL },
	};
	struct arena *a = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct gdi d;
		struct err e;
		struct out o;
		const bool good = gdi_parse(view_str(row[i].text), &d, a, &e);
		if (good != (row[i].printed != NULL))
			fail_msg("row %zu", i);
		if (!good)
			continue;
		out_init(&o, 1000);
		gdi_print(&d, &o);
		assert_string_equal(out_cstr(&o), row[i].printed);
		assert_int_equal(d.admd.form, i == 1 ? ORA_NUMERIC : ORA_PRINTABLE);
		out_fini(&o);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_domain_as_a_setting_says_it),
		cmocka_unit_test(test_domains_compare_folded),
		cmocka_unit_test(test_p1_18_numeric_admd_equals_printable),
		cmocka_unit_test(test_identifiers_compare_local_exactly),
		cmocka_unit_test(test_identifier_as_text_and_back),
		cmocka_unit_test(test_p1_19_k192084_k194546_utctime),
		cmocka_unit_test(test_utctime_prints_every_day),
		cmocka_unit_test(test_p1_11_unsupported_critical_function),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
