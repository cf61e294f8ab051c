/* downgrade_test.c - envelopes of 1988 before a system of 1984. Expected values: RFC 1328 3.1 and 3.2 (its two examples), RFC
 * 2156 3.4 (its table of encodings), X.411 (1984) for what it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/message/downgrade.h"

#include "flow/message/message_testing.h"

static const struct gdi relay = { { ORA_PRINTABLE, { (const uint8_t *)"GB", 2 } },
				  { ORA_PRINTABLE, { (const uint8_t *)" ", 1 } },
				  { ORA_PRINTABLE, { (const uint8_t *)"UK.AC", 5 } },
				  true };

static int setup(void **state)
{
	*state = arena_new(64 << 20);
	return 0;
}

static int teardown(void **state)
{
	struct arena *a = *state;
	arena_free(&a);
	return 0;
}

static struct oraddr parsed(const char *text, struct arena *a)
{
	struct oraddr addr;
	struct err e;
	if (!oraddr_parse(view_str(text), &addr, a, ORADDR_CARRY, &e))
		fail_msg("%s", e.text);
	return addr;
}

static void assert_is(const struct oraddr *addr, const char *want)
{
	struct out o;
	out_init(&o, 1 << 16);
	oraddr_print(addr, ORADDR_F401, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

static void same_text(const struct oraddr *x, const struct oraddr *y)
{
	struct out o;
	out_init(&o, 1 << 16);
	oraddr_print(y, ORADDR_F401, &o);
	assert_is(x, out_cstr(&o));
	out_fini(&o);
}

static const struct {
	const char *of_1988, *of_1984;
} forms[] = {
	/* RFC 1328 3.2 */
	{ "CN=Postmaster; O=A; A=B; C=GB", "DDA:Common=Postmaster; O=A; A=B; C=GB" },
	/* RFC 1328 3.1, in our relay's domain */
	{ "PD-A1=Empire State Building; P=XX; A=ZZ; C=US",
	  "DDA:X400-88=/PD-ADDRESS=Empire State Building/PRMD=XX/ADMD=ZZ/C=US/; P=UK.AC; C=GB" },
	/* nothing of 1988: as it is */
	{ "G=john; S=smith; DDA:RFC-822=j(a)x; OU1=u; OU2=v; O=o; P=p; A=a; C=AQ",
	  "G=john; S=smith; DDA:RFC-822=j(a)x; O=o; OU1=u; OU2=v; P=p; A=a; C=AQ" },
	{ "X.121=12345; T-ID=t; N-ID=77; A=a; C=840", "X.121=12345; N-ID=77; T-ID=t; A=a; C=840" },
	/* the order of domain-defined attributes stays, behind Common */
	{ "CN=list; DDA:B=2; DDA:A=1; A=a; C=GB", "DDA:Common=list; DDA:B=2; DDA:A=1; A=a; C=GB" },
	/* teletex: * and {} are not of PrintableString (RFC 2156 3.4) */
	{ "/CN=yen*{165}/A=a/C=GB/", "DDA:X400-88=/CN==yen(042)(123)165(125)/ADMD==a/C==GB/; P=UK.AC; C=GB" },
	{ "S=sm*{195}t; A=a; C=GB", NULL },
	{ "T-TY=ttx; X.121=1; A=a; C=GB", NULL },
	{ "ISDN=123456; A=a; C=GB", NULL },
	{ "PD-SN=pds; PD-C=GB; PD-PC=KT1 1AA; PD-PN=J. Smith; A=a; C=GB", NULL },
	{ "PD-B=12; PD-OF=x; PD-R=y; PD-U=u; PD-L=l; PD-EA=e; PD-ED=f; PD-O=o; PD-OFN=7; PD-S=s; A=a; C=GB", NULL },
	/* a common name that cannot be Common */
	{ "CN=n; DDA:Common=m; A=a; C=GB", NULL },
	{ "CN=n; DDA:a=1; DDA:b=2; DDA:c=3; DDA:d=4; A=a; C=GB", NULL },
	{ "CN=n; EXT-99=0101ff; A=a; C=GB", NULL },
	{ "/U-CN=1e040061 0062/A=a/C=GB/", NULL },
};

static void test_dg_01_addresses_as_1984_has_them(void **state)
{
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct oraddr addr = parsed(forms[i].of_1988, a), old, want;
		struct err e;
		if (!downgrade_address(&addr, &relay, &old, a, &e))
			fail_msg("%s: %s", forms[i].of_1988, e.text);
		for (size_t k = 0; k < old.n; k++) {
			assert_true(old.v[k].form == ORA_PRINTABLE || old.v[k].form == ORA_NUMERIC);
			assert_true(old.v[k].type < ORA_TERMINAL_TYPE || old.v[k].type == ORA_DDA);
			assert_int_not_equal(old.v[k].type, ORA_COMMON_NAME);
			assert_true(old.v[k].value.n <= 128);
		}
		assert_int_equal(old.directory_name.n, 0);
		if (forms[i].of_1984 == NULL)
			continue;
		want = parsed(forms[i].of_1984, a);
		same_text(&old, &want);
	}
}

/* What goes there comes back. */
static void test_dg_02_addresses_come_back_whole(void **state)
{
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct oraddr addr = parsed(forms[i].of_1988, a), old, back;
		assert_true(downgrade_address(&addr, &relay, &old, a, NULL));
		assert_true(upgrade_address(&old, &relay, &back, a));
		assert_true(oraddr_eq(&addr, &back));
		same_text(&back, &addr);
		assert_true(downgrade_address(&addr, NULL, &old, a, NULL));
		assert_true(upgrade_address(&old, NULL, &back, a));
		same_text(&back, &addr);
	}
}

static void test_dg_02_common_of_1984_is_a_common_name(void **state)
{
	static const struct {
		const char *of_1984, *want;
	} row[] = {
		{ "DDA:Common=Postmaster; O=A; A=B; C=GB", "CN=Postmaster; O=A; A=B; C=GB" },
		{ "DDA:common-name=Postmaster; O=A; A=B; C=GB", "CN=Postmaster; O=A; A=B; C=GB" }, /* RFC 1615 */
		{ "DDA:COMMON=x; DDA:y=z; A=B; C=GB", "CN=x; DDA:y=z; A=B; C=GB" },
		/* two say nothing; one beside a common name neither */
		{ "DDA:Common=x; DDA:common-name=y; A=B; C=GB", "DDA:Common=x; DDA:common-name=y; A=B; C=GB" },
		{ "CN=n; DDA:Common=x; A=B; C=GB", "CN=n; DDA:Common=x; A=B; C=GB" },
		/* X400-88 is undone in the relay's domain only */
		{ "DDA:X400-88=/CN==n/O==o/ADMD==b/C==fr/; P=uk.ac; C=gb", "CN=n; O=o; A=b; C=fr" },
		{ "DDA:X400-88=/CN==n/ADMD==b/C==fr/; P=other; C=gb", "DDA:X400-88=/CN==n/ADMD==b/C==fr/; P=other; C=gb" },
		/* not an address: it stays */
		{ "DDA:X400-88=rubbish; P=UK.AC; C=GB", "DDA:X400-88=rubbish; P=UK.AC; C=GB" },
		{ "DDA:X400-88=/CN==(999)/C==fr/; P=UK.AC; C=GB", "DDA:X400-88=/CN==(999)/C==fr/; P=UK.AC; C=GB" },
		{ "DDA:X400-88=/CN==(x/C==fr/; P=UK.AC; C=GB", "DDA:X400-88=/CN==(x/C==fr/; P=UK.AC; C=GB" },
		{ "DDA:X400-88=(; P=UK.AC; C=GB", "DDA:X400-88=(; P=UK.AC; C=GB" },
	};
	struct arena *a = *state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct oraddr old = parsed(row[i].of_1984, a), want = parsed(row[i].want, a), back;
		assert_true(upgrade_address(&old, &relay, &back, a));
		same_text(&back, &want);
	}
}

/* 65 octets are more than a common name may have (X.411 ub-common-name-length). */
static void test_dg_02_a_long_common_stays(void **state)
{
	struct arena *a = *state;
	char text[200];
	snprintf(text, sizeof text, "DDA:Common=%065d; A=B; C=GB", 7);
	struct oraddr old = parsed(text, a), back;
	assert_true(upgrade_address(&old, &relay, &back, a));
	assert_null(oraddr_find(&back, ORA_COMMON_NAME));
	snprintf(text, sizeof text, "DDA:Common=%064d; A=B; C=GB", 7);
	old = parsed(text, a);
	assert_true(upgrade_address(&old, &relay, &back, a));
	assert_non_null(oraddr_find(&back, ORA_COMMON_NAME));
}

/* An unknown extension attribute of n octets; each is two digits of the text. */
static struct oraddr with_extension(size_t n, struct arena *a)
{
	struct oraddr addr = parsed("S=s; A=a; C=GB", a);
	struct oraddr_attr *v = arena_array(a, addr.n + 1, sizeof *v);
	memcpy(v, addr.v, addr.n * sizeof *v);
	uint8_t *octets = arena_get(a, n);
	memset(octets, 0x41, n);
	v[addr.n] = (struct oraddr_attr){ .type = ORA_EXTENSION_RAW, .form = ORA_RAW, .number = 99, .value = view_of(octets, n) };
	return (struct oraddr){ v, addr.n + 1, { NULL, 0 } };
}

/* RFC 1328 3.1: 128 octets in X400-88, three times 128 more; longer there is none. "/EXT-99=" and "/S=s/ADMD=a/C=GB/" around. */
static void test_dg_04_long_addresses(void **state)
{
	const size_t around = strlen("/EXT-99=") + strlen("/S=s/ADMD=a/C=GB/");
	struct arena *a = *state;
	struct err e;
	for (size_t n = 1; n < 300; n++) {
		struct oraddr addr = with_extension(n, a), old, back;
		const size_t length = around + 2 * n;
		const bool fits = downgrade_address(&addr, &relay, &old, a, &e);
		assert_int_equal(fits, length <= 512);
		if (!fits) {
			assert_int_equal(e.kind, ERR_PERM);
			assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
			assert_int_equal(e.reason, 2);
			assert_int_equal(e.diagnostic, 47);
			assert_non_null(strstr(e.text, "X400-C3"));
			continue;
		}
		assert_int_equal(old.n, 3 + (length + 127) / 128);
		static const char *const names[] = { "X400-88", "X400-C1", "X400-C2", "X400-C3" };
		for (size_t i = 3; i < old.n; i++) {
			assert_true(view_eq(old.v[i].type_name, view_str(names[i - 3])));
			assert_int_equal(old.v[i].value.n, i + 1 < old.n ? 128 : length - 128 * (old.n - 4));
		}
		assert_true(upgrade_address(&old, &relay, &back, a));
		same_text(&back, &addr);
	}
}

/* No report without recipient, no recipient without name. */
static void test_rp_12_k188597_k238838_k232656_never_an_empty_address(void **state)
{
	struct arena *a = *state;
	struct oraddr empty = { 0 }, dn = { 0 }, long_one = with_extension(400, a), rest;
	struct err e;
	dn.directory_name = VIEW("\x30\x00");
	assert_false(downgrade_address(&empty, &relay, &rest, a, &e));
	assert_int_equal(e.diagnostic, 47);
	assert_true(downgrade_address_rest(&empty, &relay, &rest, a));
	assert_is(&rest, "P=UK.AC; C=GB");
	assert_true(downgrade_address(&dn, &relay, &rest, a, &e));
	assert_int_equal(rest.n, 4);
	assert_false(downgrade_address(&dn, NULL, &rest, a, &e));
	assert_true(downgrade_address_rest(&long_one, &relay, &rest, a));
	assert_is(&rest, "S=s; A=a; C=GB");
}

/* Random addresses of every form: what can go comes back, whatever it is; nothing of 1988 goes. */
static void test_random_addresses(void **state)
{
	(void)state;
	struct arena *a = arena_new(64 << 20);
	size_t gone = 0;
	for (uint64_t seed = 1; seed < 3000; seed++) {
		arena_reset(a);
		struct dice d = { seed, a };
		struct oraddr addr = dice_addr(&d), old, back, rest;
		if (!downgrade_address_rest(&addr, &relay, &rest, a) || rest.n == 0)
			fail_msg("seed %llu: nothing", (unsigned long long)seed);
		if (!downgrade_address(&addr, &relay, &old, a, NULL))
			continue;
		gone++;
		for (size_t k = 0; k < old.n; k++)
			if (old.v[k].form > ORA_NUMERIC || old.v[k].type == ORA_COMMON_NAME ||
			    (old.v[k].type >= ORA_TERMINAL_TYPE && old.v[k].type != ORA_DDA))
				fail_msg("seed %llu: attribute %zu is of 1988", (unsigned long long)seed, k);
		assert_true(upgrade_address(&old, &relay, &back, a));
	}
	assert_true(gone > 100);
	arena_free(&a);
}

static struct extension extension_of(uint32_t number, unsigned criticality)
{
	return (struct extension){ .number = number, .criticality = criticality, .value = VIEW("\x0a\x01\x01") };
}

/* RFC 1328 4: what is critical for transfer is not dropped. */
static void test_dg_05_critical_extensions(void **state)
{
	static const struct {
		uint32_t number;
		unsigned criticality;
		const char *named; /* NULL: it may go */
	} row[] = {
		{ EXT_DL_PROHIBITED, EXT_FOR_TRANSFER, "dl-expansion-prohibited" },
		{ EXT_DL_PROHIBITED, EXT_FOR_TRANSFER | EXT_FOR_DELIVERY, "dl-expansion-prohibited" },
		{ EXT_DL_PROHIBITED, EXT_FOR_DELIVERY, NULL },
		{ EXT_CONTENT_CORRELATOR, 0, NULL },
		{ 20, EXT_FOR_TRANSFER, "message-security-label" },
		{ 99, EXT_FOR_TRANSFER, "extension 99" },
	};
	struct arena *a = *state;
	struct recipient r = { .addr = parsed("S=s; A=a; C=GB", a) };
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct extension x = extension_of(row[i].number, row[i].criticality);
		struct message m = { .originator = parsed("S=o; A=a; C=GB", a), .rcpt = &r, .n_rcpt = 1 };
		struct err e = { 0 };
		m.ext = (struct extensions){ &x, 1 };
		assert_int_equal(downgrade_check(&m, &relay, a, &e), row[i].named == NULL);
		if (row[i].named != NULL) {
			assert_int_equal(e.culprit, ERR_OF_MESSAGE);
			assert_int_equal(e.reason, 2);
			assert_int_equal(e.diagnostic, 47);
			assert_non_null(strstr(e.text, row[i].named));
		}
		m.kind = MESSAGE_REPORT;
		assert_true(downgrade_check(&m, &relay, a, &e));
		m.kind = MESSAGE_PROBE;
		m.ext.n = 0;
		r.ext = (struct extensions){ &x, 1 };
		assert_true(downgrade_check(&m, &relay, a, &e));
		assert_int_equal(downgrade_check_recipient(&m, &r, &relay, a, &e), row[i].named == NULL);
		if (row[i].named != NULL)
			assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
		r.ext.n = 0;
	}
	struct extension private = { .is_private = true, .oid = VIEW("\x2a\x03"), .criticality = EXT_FOR_TRANSFER };
	struct message m = { .originator = r.addr };
	struct err e;
	m.ext = (struct extensions){ &private, 1 };
	assert_false(downgrade_check(&m, &relay, a, &e));
	m.ext.n = 0;
	m.latest_delivery = 1;
	assert_true(downgrade_check(&m, &relay, a, &e));
	m.latest_crit = EXT_FOR_TRANSFER;
	assert_false(downgrade_check(&m, &relay, a, &e));
	assert_non_null(strstr(e.text, "latest-delivery-time"));
	m.latest_crit = 0;
	m.internal_trace_crit = EXT_FOR_TRANSFER; /* X.419 annex B takes it away whatever it says */
	assert_true(downgrade_check(&m, &relay, a, &e));
	m.originator = with_extension(400, a);
	assert_false(downgrade_check(&m, &relay, a, &e));
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
}

/* X.411 (1984) ReasonCode 0 to 2, DiagnosticCode 0 to 11. */
static void test_reasons_of_1984(void **state)
{
	(void)state;
	static const int row[][4] = { { 0, 0, 0, 0 }, { 1, 11, 1, 11 }, { 2, 12, 2, -1 }, { 3, 47, 1, -1 }, { 8, -1, 1, -1 } };
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		assert_int_equal(downgrade_reason(row[i][0]), row[i][2]);
		assert_int_equal(downgrade_diagnostic(row[i][1]), row[i][3]);
	}
}

static void test_all_addresses_of_a_message_come_back(void **state)
{
	struct arena *a = *state;
	struct recipient r[2] = { { .addr = parsed("DDA:Common=r; A=a; C=GB", a) },
				  { .addr = parsed("S=s; A=a; C=GB", a), .has_intended = true,
				    .intended = parsed("DDA:Common=i; A=a; C=GB", a) } };
	struct message m = { .originator = parsed("DDA:Common=o; A=a; C=GB", a), .rcpt = r, .n_rcpt = 2 };
	assert_true(upgrade_message(&m, &relay, a));
	assert_is(&m.originator, "CN=o; A=a; C=GB");
	assert_is(&r[0].addr, "CN=r; A=a; C=GB");
	assert_is(&r[1].addr, "S=s; A=a; C=GB");
	assert_is(&r[1].intended, "CN=i; A=a; C=GB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dg_01_addresses_as_1984_has_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dg_02_addresses_come_back_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dg_02_common_of_1984_is_a_common_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dg_02_a_long_common_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dg_04_long_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rp_12_k188597_k238838_k232656_never_an_empty_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dg_05_critical_extensions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_addresses_of_a_message_come_back, setup, teardown),
		cmocka_unit_test(test_random_addresses),
		cmocka_unit_test(test_reasons_of_1984),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
