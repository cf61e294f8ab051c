/* paddr_test.c - presentation addresses as text. Expected octets: the examples of RFC 1278 3 with X.213 table A.2's AFIs and RFC 1277
 * 4.3 to 4.5; TP-21 and TP-22 of the conformance cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/osi/paddr.h"

#include "base/text.h"

static int setup(void **state)
{
	*state = arena_new(1 << 20);
	return 0;
}

static int teardown(void **state)
{
	struct arena *a = *state;
	arena_free(&a);
	return 0;
}

static struct paddr parsed(const char *text, struct arena *a)
{
	struct paddr p;
	struct err e;
	if (!paddr_parse(view_str(text), &p, a, &e))
		fail_msg("%s", e.text);
	return p;
}

static void assert_hex(struct view v, const char *want)
{
	struct out o;
	out_init(&o, 1000);
	text_hex(&o, v);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

static void assert_text(const struct paddr *p, const char *want)
{
	struct out o;
	out_init(&o, 1000);
	paddr_print(p, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

static void test_tp_21_two_selectors_and_two_addresses(void **state)
{
	static const char text[] = "#65534/'030842'H/X121+234219200300+d123456_TELEX+00728722+RFC-1006+03+10.0.0.6+65535+65534";
	struct paddr p = parsed(text, *state);
	assert_false(p.has_psel);
	assert_true(p.has_ssel);
	assert_hex(p.ssel, "fffe");
	assert_true(p.has_tsel);
	assert_hex(p.tsel, "030842");
	assert_int_equal(p.n_nsap, 2);
	assert_hex(p.nsap[0], "3600234219200300123456");
	assert_hex(p.nsap[1], "5400728722030100000000066553565534");
	assert_text(&p, "#65534/'030842'H/X121+234219200300+d123456_TELEX+00728722+RFC-1006+03+10.0.0.6+65535+65534");
	struct paddr_ip ip;
	assert_true(paddr_ip(p.nsap[1], &ip));
	assert_int_equal(ip.ip[0], 10);
	assert_int_equal(ip.ip[3], 6);
	assert_int_equal(ip.port, 65535);
	assert_int_equal(ip.tset, 65534);
	assert_false(paddr_ip(p.nsap[0], &ip));
}

static void test_tp_22_an_empty_selector_is_not_none(void **state)
{
	struct paddr empty = parsed("/X121+234219200300+d123456", *state), none = parsed("X121+234219200300+d123456", *state);
	assert_true(empty.has_tsel);
	assert_int_equal(empty.tsel.n, 0);
	assert_false(none.has_tsel);
	assert_text(&empty, "/X121+234219200300+d123456");
	assert_text(&none, "X121+234219200300+d123456");
	struct paddr three = parsed("\"256\"///NS+a433bb93c1", *state);
	assert_true(three.has_psel && three.has_ssel && three.has_tsel);
	assert_hex(three.psel, "323536");
	assert_int_equal(three.ssel.n + three.tsel.n, 0);
	assert_text(&three, "\"256\"///NS+a433bb93c1");
}

static void test_network_addresses(void **state)
{
	static const struct {
		const char *text, *octets, *printed; /* NULL: as text */
	} row[] = {
		{ "NS+a433bb93c1", "a433bb93c1", NULL },
		{ "NS+10.0.0.255", "0a0000ff", "NS+0a0000ff" },
		{ "X121+234219200300", "3600234219200300", NULL },
		{ "X121+234219200300+d123456", "3600234219200300123456", NULL },
		{ "36234219200300+123456", "3600234219200300123456", "X121+234219200300+d123456" },
		{ "X121+234219200300+x01020304", "370023421920030001020304", NULL },
		{ "X121+234219200300+x1.2.3.4", "370023421920030001020304", "X121+234219200300+x01020304" },
		{ "X121+0234+d5", "52111111111102345f", NULL },
		{ "LOCAL++lasdf", "5065836870", "NS+5065836870" },
		{ "LOCAL++d123", "48123f", NULL },
		{ "LOCAL++x0a", "490a", NULL },
		{ "TELEX+00728722+RFC-1006+03+10.0.0.6", "540072872203010000000006", NULL },
		{ "TELEX+00728722+RFC-1006+03+10.0.0.6+65535", "54007287220301000000000665535f", NULL },
		{ "Internet-RFC-1006=10.0.0.6", "540072872203010000000006", "TELEX+00728722+RFC-1006+03+10.0.0.6" },
		{ "IXI=10.0.0.6+102", "54007287220601000000000600102f", "TELEX+00728722+RFC-1006+06+10.0.0.6+102" },
		{ "TELEX+00728722+X.25(80)+02+00002340555+CUDF+892796", "5400728722022313703915000002340555",
		  "TELEX+00728722+d022313703915000002340555" },
		{ "TELEX+00728722+X.25(80)+02+00002340555+CUDF+\"892796\"", "5400728722022313703915000002340555",
		  "TELEX+00728722+d022313703915000002340555" },
		{ "TELEX+00728722+X.25(80)+02+00002340555+PID+892796", "5400728722021313703915000002340555",
		  "TELEX+00728722+d021313703915000002340555" },
		{ "Janet-X25(80)=123", "5400728722020123", "TELEX+00728722+d020123" },
		{ "DCC+840+x0824", "39840f0824", NULL },
		{ "DCC+826+d11000012022", "3882611000012022", NULL },
		{ "DCC+840+ECMA-117-Binary+dead+deadbeefcafe+ab", "39840fdeaddeadbeefcafeab", "DCC+840+xdeaddeadbeefcafeab" },
		{ "PSTN+8881235050+ECMA-117-Decimal+65535+35492+128", "420088812350506553535492128f", "PSTN+8881235050+d6553535492128" },
		{ "PSTN+0881235050+ECMA-117-Decimal+65535+35492+128", "561108812350506553535492128f", "PSTN+0881235050+d6553535492128" },
		{ "ICD+5+d1", "4600051f", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct paddr p = parsed(row[i].text, *state);
		assert_int_equal(p.n_nsap, 1);
		assert_hex(p.nsap[0], row[i].octets);
		assert_text(&p, row[i].printed == NULL ? row[i].text : row[i].printed);
		struct paddr again = parsed(row[i].printed == NULL ? row[i].text : row[i].printed, *state);
		assert_hex(again.nsap[0], row[i].octets);
	}
}

/* RFC 1278 3, its second and third example. */
static void test_examples_with_selectors(void **state)
{
	struct paddr p = parsed("#63/#41/#12/X121+234219200300", *state);
	assert_hex(p.psel, "003f");
	assert_hex(p.ssel, "0029");
	assert_hex(p.tsel, "000c");
	p = parsed("'3a'H/TELEX+00728722+X.25(80)+02+00002340555+CUDF+\"892796\"", *state);
	assert_false(p.has_ssel);
	assert_hex(p.tsel, "3a");
	p = parsed("\"256\"/NS+a433bb93c1_NS+aa3106", *state);
	assert_hex(p.tsel, "323536");
	assert_int_equal(p.n_nsap, 2);
	assert_hex(p.nsap[1], "aa3106");
}

static void test_what_is_no_address(void **state)
{
	static const char *const row[] = {
		"", "/", "_", "NS+", "NS+a", "NS+zz", "NS+1.2.3.256", "NS+1..2", "NS+1.2.", "NS+a4_", "_NS+a4", "a/b/c/d/NS+a4", "x/NS+a4",
		"\"a b\"/NS+a4", "\"\"/NS+a4", "#65536/NS+a4", "#/NS+a4", "'0'H/NS+a4", "''H/NS+a4", "'0a'/NS+a4",
		"NS+000102030405060708090a0b0c0d0e0f1011121314", /* 21 octets */
		"X121+", "X121", "NS+a4/", "TELEX+00728722+RFC-1006+03+10.0.0.6+", "X121+a", "X121+123456789012345", "ICD+23452+x0824", "ICD+23F3+x0824", "NONE+1", "X121+1+", "X121+1+q5",
		"X121+1+d", "X121+1+x", "X121+1+l5", "LOCAL+1+d1", "X121+1+d12345678901234567890123456789",
		"TELEX+00728722+RFC-1006+3+10.0.0.6", "TELEX+00728722+RFC-1006+033+10.0.0.6", "TELEX+00728722+RFC-1006+0A+10.0.0.6",
		"TELEX+00728722+RFC-1006+03+10.0.0", "TELEX+00728722+RFC-1006+03+10.0.0.6++2", "TELEX+00728722+RFC-1006+03+10.0.0.6+9+",
		"TELEX+00728722+RFC-1006+03+10.0.0.6+abc", "TELEX+00728722+RFC-1006+03+10.0.0.6+9+abc",
		"TELEX+00728722+RFC-1006+03+10.0.0.6+65536", "TELEX+00728722+RFC-1006+03+10.0.0.6+-1",
		"TELEX+00728722+RFC-1006+03+10.0.0.6+9+65536", "TELEX+00728722+RFC-1006+03+twg.com",
		"TELEX+00728722+X.25(80)+02+00002340555+PID+89279", "TELEX+00728722+X.25(80)+02+00002340555+CUDF+892796+452975",
		"TELEX+00728722+X.25(80)+02+00002340555+NONCUDF+892796", "TELEX+00728722+X.25(80)+02+12352058028502058250020850820850",
		"Leeds=22", "99123+45", "3+1", "521+1",
	};
	struct paddr p;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		if (paddr_parse(view_str(row[i]), &p, *state, &e))
			fail_msg("taken: %s", row[i]);
		assert_int_equal(e.kind, ERR_PERM);
		assert_true(strlen(e.text) > 20);
	}
}

/* Every octet string of up to three octets behind an AFI is said by its text. */
static void test_octets_come_back(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 16);
	for (unsigned x = 0; x < 1u << 16; x++) {
		const uint8_t octets[4] = { (uint8_t)(0x36 + x % 0x25), (uint8_t)(x >> 8), (uint8_t)x, 0xff };
		struct view nsap = view_of(octets, 1 + x % 4);
		struct paddr p = { .nsap = &nsap, .n_nsap = 1 }, again;
		struct err e;
		struct out o;
		arena_reset(a);
		out_init(&o, 200);
		paddr_print(&p, &o);
		if (!paddr_parse(out_view(&o), &again, a, &e))
			fail_msg("%s", e.text);
		assert_true(again.n_nsap == 1 && view_eq(again.nsap[0], nsap));
		out_fini(&o);
	}
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tp_21_two_selectors_and_two_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tp_22_an_empty_selector_is_not_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_network_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_examples_with_selectors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_no_address, setup, teardown),
		cmocka_unit_test(test_octets_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
