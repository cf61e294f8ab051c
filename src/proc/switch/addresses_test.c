/* addresses_test.c - rows of the failure catalogue about O/R addresses that an MTA relays: what came goes out, and one bad address
 * is that recipient's alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/mts_testing.h"

#define SETTINGS MTS_HEAD("") MTS_LINKS MTS_BOXES

/* One bad of several recipients made all of them fail. */
static void test_k147093_one_bad_of_several(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", TO_C, TO_NOBODY, TO_US, "S=x; P=nowhere; A=SIM; C=DE", TO_C2), VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, NULL), 2);
	assert_int_equal(responsible_for(b, MESSAGE_REPORT, NULL), 2);
	assert_int_equal(responsible_for(b, MESSAGE_REPORT, TO_NOBODY), 1);
	bench_free(b);
}

/* Of an address as text: the value of that DDA, and the whole printed and read again. */
static void dda_is(const char *text, const char *type, const char *value)
{
	struct arena *a = arena_new(1 << 20);
	struct oraddr addr, back;
	struct err e;
	size_t found = 0;
	if (!oraddr_parse(view_str(text), &addr, a, ORADDR_CARRY, &e))
		fail_msg("%s: %s", text, e.text);
	for (size_t i = 0; i < addr.n; i++)
		if (addr.v[i].type == ORA_DDA && view_eq_nocase(addr.v[i].type_name, view_str(type))) {
			assert_true(view_eq(addr.v[i].value, view_str(value)));
			found++;
		}
	assert_int_equal(found, 1);
	for (int notation = ORADDR_F401; notation <= ORADDR_RFC2156; notation++) { /* printing and reading is each other's inverse, once and twice */
		struct out once, twice;
		out_init(&once, 4096);
		out_init(&twice, 4096);
		oraddr_print(&addr, (enum oraddr_notation)notation, &once);
		assert_true(oraddr_parse(out_view(&once), &back, a, ORADDR_CARRY, &e));
		assert_true(oraddr_eq(&addr, &back));
		oraddr_print(&back, (enum oraddr_notation)notation, &twice);
		assert_true(view_eq(out_view(&once), out_view(&twice)));
		out_fini(&once);
		out_fini(&twice);
	}
	arena_free(&a);
}

/* Only the first `=` separates: the rest belongs to the value. */
static void test_k183064_equals_sign_in_a_value(void **state)
{
	(void)state;
	dda_is("DDA:ID=a==b==; P=c; A=SIM; C=JP", "ID", "a=b=");
	dda_is("/DD.SMTP=x=y=z/P=c/A=SIM/C=JP/", "SMTP", "x=y=z");
}

/* The escapes of mail addresses in printable strings were undone once too often, or made twice: for an MTA they are characters. */
static void test_k185592_k241365_k254725_k310797_escapes_are_characters(void **state)
{
	(void)state;
	static const char *const values[] = { "user(a)example.org", "first(u)last(a)x.y", "(064)", "(a)(u)(p)", "+44 (020) 7946", "((a))" };
	char text[128];
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		snprintf(text, sizeof text, "DDA:RFC-822=%s; P=c; A=SIM; C=JP", values[i]);
		dda_is(text, "RFC-822", values[i]);
		snprintf(text, sizeof text, "DDA:FAX=%s; P=c; A=SIM; C=JP", values[i]);
		dda_is(text, "FAX", values[i]);
	}
}

/* Type and value stay together, in any order of several. */
static void test_k176129_k176181_several_ddas(void **state)
{
	(void)state;
	static const char text[] = "DDA:A=1; DDA:B=2; DDA:C=3; DDA:D=4; P=c; A=SIM; C=JP";
	dda_is(text, "A", "1");
	dda_is(text, "B", "2");
	dda_is(text, "C", "3");
	dda_is(text, "D", "4");
	dda_is("DDA:D=4; DDA:C=3; P=c; A=SIM; C=JP; DDA:B=2", "B", "2");
}

/* A relayed DDA was given another type: its octets are the same when it goes out. */
static void test_k245585_a_relayed_dda_is_left_alone(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	static const char to[] = "DDA:rfc-822=Joe.User(a)Example.ORG; P=c; A=SIM; C=JP";
	send(b, LETTER(b, "1", to), VIEW("x"));
	const struct message *m = only(b, MESSAGE_MESSAGE);
	const struct oraddr_attr *dda = oraddr_find(&m->rcpt[0].addr, ORA_DDA);
	assert_non_null(dda);
	assert_true(view_eq(dda->type_name, VIEW("rfc-822")));
	assert_true(view_eq(dda->value, VIEW("Joe.User(a)Example.ORG")));
	bench_free(b);
}

/* The report about an address that is none was made and not delivered: it goes to the originator, and carries what was wrong as it was. */
static void test_k176126_k176148_k178537_reports_about_invalid_addresses(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_US, TO_US, TO_US);
	struct oraddr_attr odd[] = { { .type = ORA_SURNAME, .form = ORA_PRINTABLE, .value = VIEW("no country") },
				     { .type = ORA_ORGANIZATION, .form = ORA_PRINTABLE, .value = VIEW("\x01\xff{}") } };
	m->rcpt[0].addr = (struct oraddr){ odd, 1, { NULL, 0 } };
	m->rcpt[1].addr = (struct oraddr){ odd, 2, { NULL, 0 } };
	send(b, m, VIEW("x"));
	const struct message *report = only(b, MESSAGE_REPORT);
	assert_delivered(b, 1);
	assert_true(is_addr(b, &report->originator, FROM_A));
	assert_int_equal(report->n_rcpt, 2);
	assert_failed(report, 0, 1, 0);
	assert_true(oraddr_eq(&report->rcpt[1].addr, &m->rcpt[1].addr));
	bench_free(b);
}

/* An originator that nobody can answer: the message is delivered all the same, a report about it has nowhere to go and ends here. */
static void test_k146032_k169695_an_originator_without_a_domain(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_US, TO_NOBODY);
	struct oraddr_attr dda = { .type = ORA_DDA, .form = ORA_PRINTABLE, .type_name = VIEW("MS"), .value = VIEW("NET/PO/USER") };
	m->originator = (struct oraddr){ &dda, 1, { NULL, 0 } };
	send(b, m, VIEW("x"));
	drain(b);
	assert_delivered(b, 1);
	assert_int_equal(b->link[0].n_transfers, 0);
	bench_free(b);
}

/* A name that is a directory name only was sent out to a peer that ends the association for it: it is reported, and the others go. A directory
 * name beside an address goes out with it. */
static void test_k181263_k177867_k166619_k198392_k241904_k193321_k195124_k275631_k175499_names_without_address(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	struct message *m = LETTER(b, "1", TO_C, TO_C2);
	static const struct view name = { (const uint8_t *)"\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02GB", 15 };
	m->rcpt[0].addr = (struct oraddr){ .directory_name = name };
	m->rcpt[1].addr.directory_name = name;
	send(b, m, VIEW("x"));
	drain(b);
	assert_int_equal(responsible_for(b, MESSAGE_MESSAGE, TO_C2), 1);
	for (size_t i = 0; i < b->link[0].n_transfers; i++) {
		const struct message *t = &b->link[0].transfers[i].m;
		if (t->kind == MESSAGE_REPORT)
			assert_failed(t, 0, 1, 0);
		else
			assert_true(view_eq(t->rcpt[1].addr.directory_name, name));
	}
	assert_int_equal(b->link[0].n_transfers, 2);
	bench_free(b);
}

/* Upper and lower case are one address, here and in duplicates. */
static void test_k183104_case_does_not_matter(void **state)
{
	(void)state;
	struct bench *b = mts_bench(SETTINGS);
	send(b, LETTER(b, "1", "s=USER; p=P; a=sim; c=fr", "S=User; P=p; A=Sim; C=FR"), VIEW("x"));
	assert_delivered(b, 2); /* two recipients, as the originator said */
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k147093_one_bad_of_several),
		cmocka_unit_test(test_k183064_equals_sign_in_a_value),
		cmocka_unit_test(test_k185592_k241365_k254725_k310797_escapes_are_characters),
		cmocka_unit_test(test_k176129_k176181_several_ddas),
		cmocka_unit_test(test_k245585_a_relayed_dda_is_left_alone),
		cmocka_unit_test(test_k176126_k176148_k178537_reports_about_invalid_addresses),
		cmocka_unit_test(test_k146032_k169695_an_originator_without_a_domain),
		cmocka_unit_test(test_k181263_k177867_k166619_k198392_k241904_k193321_k195124_k275631_k175499_names_without_address),
		cmocka_unit_test(test_k183104_case_does_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
