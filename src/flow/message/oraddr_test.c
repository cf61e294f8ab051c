/* oraddr_test.c - conformance.md section 9 (OR-01 .. OR-31) and what oraddr.h promises beside it.
 * Expected values are from RFC 1685 (F.401 annex), RFC 2156 3.3, 4.1, 4.3, and X.411's bounds, as
 * noted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/message/oraddr.h"

static struct arena *arena; /* cmocka's fixtures share it; reset for each test */

static int setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct oraddr parse(const char *text)
{
	struct oraddr addr = {0};
	struct err e = {0};
	if (!oraddr_parse(view_str(text), &addr, arena, ORADDR_GENERATE, &e))
		fail_msg("%s: %s", text, e.text);
	return addr;
}

static struct oraddr carry(const char *text)
{
	struct oraddr addr = {0};
	struct err e = {0};
	if (!oraddr_parse(view_str(text), &addr, arena, ORADDR_CARRY, &e))
		fail_msg("%s: %s", text, e.text);
	return addr;
}

static void refused_by(const char *text, enum oraddr_bounds bounds, const char *why)
{
	struct oraddr addr;
	struct err e = {0};
	if (oraddr_parse(view_str(text), &addr, arena, bounds, &e))
		fail_msg("%s: taken", text);
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
	assert_int_equal(e.reason, 1);
	assert_int_equal(e.diagnostic, 11);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, why);
}

static void refused(const char *text, const char *why)
{
	refused_by(text, ORADDR_CARRY, why);
	refused_by(text, ORADDR_GENERATE, why);
}

static void value_is(const struct oraddr *addr, enum oraddr_type type, const char *want)
{
	const struct oraddr_attr *a = oraddr_find(addr, type);
	if (a == NULL)
		fail_msg("%s is missing", oraddr_type_label(type));
	assert_int_equal(a->value.n, strlen(want));
	assert_memory_equal(a->value.p, want, a->value.n);
}

static enum oraddr_form form_of(const struct oraddr *addr, enum oraddr_type type)
{
	const struct oraddr_attr *a = oraddr_find(addr, type);
	assert_non_null(a);
	return a->form;
}

static void printed(const struct oraddr *addr, enum oraddr_notation notation, const char *want)
{
	struct out o;
	out_init(&o, 1 << 16);
	oraddr_print(addr, notation, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

static const char *key_of(const struct oraddr *addr)
{
	struct out o;
	out_init(&o, 1 << 16);
	oraddr_key(addr, &o);
	const char *key = arena_str(arena, out_view(&o));
	out_fini(&o);
	return key;
}

static void equal(const struct oraddr *a, const struct oraddr *b)
{
	assert_true(oraddr_eq(a, b));
	assert_true(oraddr_eq(b, a));
	assert_string_equal(key_of(a), key_of(b));
	assert_int_equal(oraddr_hash(a, 5), oraddr_hash(b, 5));
}

static void differ(const struct oraddr *a, const struct oraddr *b)
{
	assert_false(oraddr_eq(a, b));
	assert_int_not_equal(oraddr_hash(a, 5), oraddr_hash(b, 5));
	assert_false(oraddr_eq(b, a));
	assert_string_not_equal(key_of(a), key_of(b));
}

/* Both notations give back an equal address. */
static void survives(const struct oraddr *addr)
{
	for (int notation = ORADDR_F401; notation <= ORADDR_RFC2156; notation++) {
		struct out o;
		out_init(&o, 1 << 16);
		oraddr_print(addr, (enum oraddr_notation)notation, &o);
		struct oraddr again = carry(out_cstr(&o));
		out_fini(&o);
		equal(addr, &again);
	}
}

static void test_or_01_rfc1685_example(void **state)
{
	(void)state;
	const char *text = "G=john; S=smith; O=a bank ltd; P=abl; A=snomail; C=aq";
	struct oraddr a = parse(text);
	value_is(&a, ORA_GIVEN, "john");
	value_is(&a, ORA_SURNAME, "smith");
	value_is(&a, ORA_ORGANIZATION, "a bank ltd");
	value_is(&a, ORA_PRMD, "abl");
	value_is(&a, ORA_ADMD, "snomail");
	value_is(&a, ORA_COUNTRY, "aq");
	assert_int_equal(a.n, 6);
	printed(&a, ORADDR_F401, text);
	assert_string_equal(oraddr_text(&a, arena), text);
	printed(&a, ORADDR_RFC2156, "/G=john/S=smith/O=a bank ltd/PRMD=abl/ADMD=snomail/C=aq/");
	struct oraddr prefixed =
		parse("X.400: G=john; S=smith; O=a bank ltd; P=abl; A=snomail; C=aq");
	equal(&a, &prefixed);
}

/* RFC 1685, examples of application 3: both delimiters, lower case. */
static void test_or_01_rfc1685_both_delimiters(void **state)
{
	(void)state;
	struct oraddr a = parse("g=per;s=hansen;o=teledir;ou1=forskning;p=tele;a=telemax;c=no");
	struct oraddr b = parse("/g=per/s=hansen/o=teledir/ou1=forskning/p=tele/a=telemax/c=no");
	equal(&a, &b);
}

static void test_or_02_print_order(void **state)
{
	(void)state;
	struct oraddr a = parse(
		"C=gb; A=ad; P=pr; OU2=u2; OU1=u1; O=o; CN=cn; Q=jr; S=s; I=i; G=gg; DDA:t=v");
	printed(&a, ORADDR_F401,
		"G=gg; I=i; S=s; Q=jr; CN=cn; DDA:t=v; O=o; OU1=u1; OU2=u2; P=pr; A=ad; C=gb");
	/* RFC 2156 4.3.3: least significant first, O to the right of the OUs. */
	printed(&a, ORADDR_RFC2156,
		"/DD.t=v/CN=cn/G=gg/I=i/S=s/GQ=jr/OU=u2/OU=u1/O=o/PRMD=pr/ADMD=ad/C=gb/");
}

static void test_or_03_doubled_delimiter(void **state)
{
	(void)state;
	struct oraddr a = carry("S=a;;b; C=gb");
	value_is(&a, ORA_SURNAME, "a;b");
	printed(&a, ORADDR_F401, "S=a;;b; C=gb");
	struct oraddr b = parse("/S=a//b/C=gb/");
	value_is(&b, ORA_SURNAME, "a/b");
	printed(&b, ORADDR_F401, "S=a/b; C=gb");
	printed(&b, ORADDR_RFC2156, "/S=a$/b/ADMD= /C=gb/");
	struct oraddr end = carry("S=a;;; C=gb");
	value_is(&end, ORA_SURNAME, "a;");
	survives(&a);
	survives(&b);
	survives(&end);
}

static void test_or_04_doubled_equal_sign(void **state)
{
	(void)state;
	struct oraddr a = parse("S=a==b; C=gb");
	value_is(&a, ORA_SURNAME, "a=b");
	printed(&a, ORADDR_F401, "S=a=b; C=gb");
	struct oraddr d = parse("DDA:x==y=z; C=gb"); /* RFC 1685 F.3.2.3 */
	const struct oraddr_attr *dda = oraddr_find(&d, ORA_DDA);
	assert_true(view_eq(dda->type_name, VIEW("x=y")));
	assert_true(view_eq(dda->value, VIEW("z")));
	printed(&d, ORADDR_F401, "DDA:x==y=z; C=gb");
	printed(&d, ORADDR_RFC2156, "/DD.x$=y=z/ADMD= /C=gb/");
	struct oraddr run = parse("/S=$=$=a$=$=$=/C=gb/");
	value_is(&run, ORA_SURNAME, "==a===");
	survives(&a);
	survives(&d);
	survives(&run);
}

static void test_or_06_dangling_escape(void **state)
{
	(void)state;
	refused("/S=x$", "ends in `$`");
	struct oraddr a = parse("/S=x$/$=/C=gb/");
	value_is(&a, ORA_SURNAME, "x/=");
}

static void test_or_07_keyword_twice(void **state)
{
	(void)state;
	refused("S=a; S=b; C=gb", "twice");
	refused("O=a; O=a; C=gb", "twice");
	refused("/CN=a/CN=b/C=gb/", "twice");
	refused("P=a; PRMD=b; C=gb", "twice");
	refused("OU1=a; OU1=b; C=gb", "twice");
	refused("PN=A.B; PN=C; C=gb", "twice");
	refused("PD-A1=a; PD-A1=b; C=gb", "twice");
	refused("ISDN=1; EXT-22=300380013; C=gb", "twice");
	struct oraddr a = parse("/OU=low/OU=high/DD.a=1/DD.a=2/O=o/C=gb/");
	value_is(&a, ORA_OU1, "high");
	value_is(&a, ORA_OU2, "low");
	assert_int_equal(a.n, 7);
}

static void test_or_08_ou_and_ou1_mixed(void **state)
{
	(void)state;
	refused("/OU=a/OU1=b/O=o/C=gb/", "OU1..OU4");
	refused("OU2=a; OU=b; O=o; C=gb", "OU1..OU4");
	refused("/OU=a/OU=b/OU=c/OU=d/OU=e/C=gb/", "fifth");
}

static void test_or_09_ou2_without_ou1(void **state)
{
	(void)state;
	refused("OU2=a; O=o; C=gb", "above it");
	refused("OU1=a; OU3=c; O=o; C=gb", "above it");
	struct oraddr a = parse("OU2=b; OU1=a; O=o; C=gb");
	value_is(&a, ORA_OU2, "b");
}

/* RFC 2156 4.3.4.1: first the order of 4.3.3, whatever stands left of what; inverting is for a
 * caller who has seen the address refused. */
static void test_or_11_order_is_tried_straight(void **state)
{
	(void)state;
	struct oraddr a = parse("/O=o/OU=first/OU=second/PRMD=p/C=gb/");
	value_is(&a, ORA_OU1, "second");
	value_is(&a, ORA_OU2, "first");
}

static void personal_name(const char *pn, const char *g, const char *i, const char *s)
{
	char text[80];
	snprintf(text, sizeof text, "/PN=%s/O=o/C=gb/", pn);
	struct oraddr a = parse(text);
	value_is(&a, ORA_SURNAME, s);
	if (g == NULL)
		assert_null(oraddr_find(&a, ORA_GIVEN));
	else
		value_is(&a, ORA_GIVEN, g);
	if (i == NULL)
		assert_null(oraddr_find(&a, ORA_INITIALS));
	else
		value_is(&a, ORA_INITIALS, i);
}

static void test_or_12_pn_of_three_parts(void **state)
{
	(void)state;
	personal_name("Marshall.M.T.Rose", "Marshall", "MT", "Rose");
}

static void test_or_13_pn_of_two_parts(void **state)
{
	(void)state;
	personal_name("M.T.Rose", NULL, "MT", "Rose");
	personal_name("Marshall.Rose", "Marshall", NULL, "Rose");
	personal_name("Rose", NULL, NULL, "Rose");
	personal_name("Marshall.O.Rose.Jr", "Marshall", "O",
		      "Rose.Jr"); /* a surname may have full stops later on */
	refused("/PN=Marshall./C=gb/", "personal name");
}

static void test_or_14_pn_beside_its_parts(void **state)
{
	(void)state;
	refused("/PN=A.Rose/S=Rose/C=gb/", "beside S, G or I");
	refused("G=Al; PN=Rose; C=gb", "beside S, G or I");
	refused("PN=Rose; I=A; C=gb", "beside S, G or I");
}

static void test_or_16_country(void **state)
{
	(void)state;
	refused_by("S=s; O=o; C=USA", ORADDR_GENERATE, "two letters");
	refused_by("S=s; O=o; C=8", ORADDR_GENERATE, "three digits");
	struct oraddr n = parse("S=s; O=o; C=840"), a = parse("S=s; O=o; C=us"),
		      b = parse("S=s; O=o; C=US");
	assert_int_equal(form_of(&n, ORA_COUNTRY), ORA_NUMERIC);
	assert_int_equal(form_of(&a, ORA_COUNTRY), ORA_PRINTABLE);
	equal(&a, &b);
	differ(&a, &n);
}

static void test_or_17_no_admd_is_one_space(void **state)
{
	(void)state;
	struct oraddr none = parse("S=s; P=p; C=gb"), empty = parse("S=s; P=p; A=; C=gb");
	struct oraddr space = parse("/S=s/PRMD=p/ADMD= /C=gb/"),
		      zero = parse("S=s; P=p; A=0; C=gb");
	value_is(&none, ORA_ADMD, " ");
	value_is(&empty, ORA_ADMD, " ");
	value_is(&space, ORA_ADMD, " ");
	equal(&none, &empty);
	equal(&none, &space);
	differ(&none, &zero); /* X.402 18.3.1: a single zero says something else */
	printed(&none, ORADDR_F401, "S=s; P=p; C=gb");
	printed(&none, ORADDR_RFC2156, "/S=s/PRMD=p/ADMD= /C=gb/");
	struct oraddr_attr only[] = {{.type = ORA_COUNTRY, .value = VIEW("gb")},
				     {.type = ORA_PRMD, .value = VIEW("p")},
				     {.type = ORA_SURNAME, .value = VIEW("s")}};
	struct oraddr absent = {only, 3, {NULL, 0}};
	equal(&none, &absent);
	survives(&none);
	struct oraddr no_country = parse("S=s; P=p");
	assert_null(oraddr_find(&no_country, ORA_ADMD));
}

static void test_or_18_digits_are_numeric(void **state)
{
	(void)state;
	struct oraddr a = parse("S=s; P=12; A=345; C=gb"), b = parse("S=s; P=12a; A=ad; C=gb");
	assert_int_equal(form_of(&a, ORA_PRMD), ORA_NUMERIC);
	assert_int_equal(form_of(&a, ORA_ADMD), ORA_NUMERIC);
	assert_int_equal(form_of(&b, ORA_PRMD), ORA_PRINTABLE);
	struct oraddr c = oraddr_copy(&a, arena);
	for (size_t i = 0; i < c.n; i++)
		c.v[i].form = ORA_PRINTABLE;
	equal(&a, &c);
}

static void test_or_19_numeric_id(void **state)
{
	(void)state;
	refused("N-ID=12a; A=ad; C=gb", "want digits");
	refused("X.121=2342x; A=ad; C=gb", "want digits");
	struct oraddr a = parse("N-ID=00123; A=ad; C=gb"), b = parse("/UA-ID=00123/ADMD=ad/C=gb/");
	assert_int_equal(form_of(&a, ORA_NUMERIC_USER_ID), ORA_NUMERIC);
	value_is(&a, ORA_NUMERIC_USER_ID, "00123");
	equal(&a, &b);
	printed(&a, ORADDR_F401, "N-ID=00123; A=ad; C=gb");
	printed(&a, ORADDR_RFC2156, "/UA-ID=00123/ADMD=ad/C=gb/");
}

static void test_or_21_case_and_separators(void **state)
{
	(void)state;
	struct oraddr a = parse("/g=John;S=Smith/dd:type=x;PrMd=abl/admd=sno;c=aq/");
	struct oraddr b = parse(";G=john/s=SMITH;Dd.TYPE=X/PRMD=ABL;a=SNO/C=AQ");
	struct oraddr c = parse("G=john; S=smith/DDA:type=x; P=abl/A=sno; C=aq");
	equal(&a, &b);
	equal(&a, &c);
	/* Every key of RFC 2156 4.1.1 beside its F.401 label. */
	static const char *const same[][2] = {
		{"Q", "GQ"},
		{"PD-OFN", "PD-OFFICE-NUM"},
		{"PD-OFFICE NUMBER", "PD-OFFICE-NUM"},
		{"PD-EA", "PD-EXT-ADDRESS"},
		{"PD-ED", "PD-EXT-DELIVERY"},
		{"PD-OF", "PD-OFFICE"},
		{"PD-S", "PD-STREET"},
		{"PD-U", "PD-UNIQUE"},
		{"PD-L", "PD-LOCAL"},
		{"PD-R", "PD-RESTANTE"},
		{"PD-B", "PD-BOX"},
		{"PD-PC", "PD-CODE"},
		{"PD-SN", "PD-SERVICE"},
		{"X.121", "X121"},
		{"E.164", "NET-NUM"},
		{"ISDN", "NET-NUM"},
		{"PD-A", "PD-ADDRESS"},
		{"N-ID", "UA-ID"},
		{"A", "ADMD"},
		{"P", "PRMD"},
	};
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		char one[60], two[60];
		snprintf(one, sizeof one, "%s=12; C=gb", same[i][0]);
		snprintf(two, sizeof two, "/%s=12/C=gb/", same[i][1]);
		struct oraddr x = carry(one), y = carry(two);
		assert_int_equal(x.n, same[i][0][0] == 'A' ? 2 : 3);
		equal(&x, &y);
	}
}

static void test_or_22_teletex_form(void **state)
{
	(void)state;
	struct oraddr a = parse("/CN=yen*{165}/O=o/C=gb/");
	assert_int_equal(a.n, 5);
	value_is(&a, ORA_COMMON_NAME, "yen"); /* the printable form is preferred */
	const struct oraddr_attr *t = NULL;
	for (size_t i = 0; i < a.n; i++)
		if (a.v[i].form == ORA_TELETEX)
			t = &a.v[i];
	assert_non_null(t);
	assert_int_equal(t->type, ORA_COMMON_NAME);
	assert_true(view_eq(t->value, VIEW("\xa5")));
	printed(&a, ORADDR_RFC2156, "/CN=yen*{165}/O=o/ADMD= /C=gb/");
	printed(&a, ORADDR_F401, "CN=yen*{165}; O=o; C=gb");
	struct oraddr b = parse("/CN=*a{165}b/O=o/C=gb/"); /* RFC 2156 3.3.4 */
	value_is(&b, ORA_COMMON_NAME,
		 "a\xa5"
		 "b");
	printed(&b, ORADDR_RFC2156, "/CN=*a{165}b/O=o/ADMD= /C=gb/");
	refused("/CN=*{16}/C=gb/", "three decimal digits");
	refused("/CN=*{256}/C=gb/", "three decimal digits");
	refused("/CN=*{165/C=gb/", "three decimal digits");
	refused("/CN=*{}/C=gb/", "three decimal digits");
	survives(&a);
	survives(&b);
}

static void test_or_23_plain_teletex_prints_as_printable(void **state)
{
	(void)state;
	struct oraddr_attr v[] = {
		{.type = ORA_COUNTRY, .value = VIEW("gb")},
		{.type = ORA_ORGANIZATION, .form = ORA_TELETEX, .value = VIEW("Widget")}};
	struct oraddr teletex = {v, 2, {NULL, 0}}, printable = parse("O=widget; C=gb");
	printed(&teletex, ORADDR_RFC2156, "/O=Widget/C=gb/");
	equal(&teletex, &printable);
	struct oraddr_attr both[] = {
		v[0], {.type = ORA_ORGANIZATION, .value = VIEW("Widget")}, v[1]};
	struct oraddr twice = {both, 3, {NULL, 0}};
	printed(&twice, ORADDR_F401, "O=Widget; C=gb");
	equal(&twice, &printable);
	both[2].value = VIEW("Aidget");
	equal(&twice, &printable);	 /* whichever comes first in the alphabet */
	both[2].value = VIEW("Wijdget"); /* a second spelling is kept, and does not decide */
	printed(&twice, ORADDR_F401, "O=Widget*Wijdget; C=gb");
	equal(&twice, &printable);
	survives(&twice);
}

static void test_or_24_postal_lines(void **state)
{
	(void)state;
	struct oraddr a =
		parse("/PD-ADDRESS=The Dome|The Square|Richmond|England/PD-CODE=TW9/PD-C=gb/C=gb/");
	value_is(&a, ORA_PD_ADDRESS, "The Dome\nThe Square\nRichmond\nEngland");
	struct oraddr b = parse("PD-A2=The Square; PD-A1=The Dome; PD-A3=Richmond; PD-A4=England; "
				"PD-PC=TW9; PD-C=GB; C=gb");
	equal(&a, &b);
	printed(&a, ORADDR_F401,
		"PD-A1=The Dome; PD-A2=The Square; PD-A3=Richmond; PD-A4=England; PD-PC=TW9; "
		"PD-C=gb; C=gb");
	printed(&a, ORADDR_RFC2156,
		"/PD-ADDRESS=The Dome|The Square|Richmond|England/PD-CODE=TW9/PD-C=gb/ADMD= "
		"/C=gb/");
	refused("PD-A1=a; PD-A3=c; C=gb", "line of the postal address is missing");
	refused("PD-A1=a; PD-ADDRESS=b; C=gb", "twice");
	refused("PD-A1={0}; C=gb", "three decimal digits");
	refused("PD-A1=a*{200}; C=gb", "PD-ADDRESS");
	refused("PD-A7=a; C=gb", "no attribute of that name");
	refused_by("PD-ADDRESS=1|2|3|4|5|6|7; C=gb", ORADDR_GENERATE, "6 lines");
	struct oraddr t = parse("/PD-ADDRESS=a|b*c{252}/PD-CODE=1/PD-C=gb/C=gb/");
	survives(&a);
	survives(&t);
	struct oraddr odd = carry("/PD-ADDRESS=a{032}||{124}|/C=gb/");
	value_is(&odd, ORA_PD_ADDRESS, "a \n\n|\n");
	survives(&odd);
}

static void test_or_26_ddas_bounds(void **state)
{
	(void)state;
	char value[160], text[400];
	memset(value, 'v', sizeof value);
	static const struct {
		const char *ddas;
		int n;
		bool ok;
	} cases[] = {
		{"DDA:a=1; DDA:b=2; DDA:c=3; DDA:d=4", 0, true},
		{"DDA:a=1; DDA:b=2; DDA:c=3; DDA:d=4; DDA:e=5", 0, false},
		{"DDA:12345678=1", 0, true},
		{"DDA:123456789=1", 0, false},
		{"DDA:a=", 128, true},
		{"DDA:a=", 129, false},
		{"DDA:a=", 0, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof text, "C=gb; O=o; %s%.*s", cases[i].ddas, cases[i].n, value);
		struct oraddr a = carry(text); /* on relay, all of them */
		survives(&a);
		struct err e;
		assert_int_equal(oraddr_check(&a, &e), cases[i].ok);
		assert_int_equal(oraddr_parse(view_str(text), &a, arena, ORADDR_GENERATE, &e),
				 cases[i].ok);
	}
}

static void test_or_27_delimiters_in_dda_value(void **state)
{
	(void)state;
	struct oraddr a = parse("DDA:SMTP=ou=x/c=us/a==b; O=gate; C=gb");
	const struct oraddr_attr *d = oraddr_find(&a, ORA_DDA);
	assert_true(view_eq(d->type_name, VIEW("SMTP")));
	assert_true(view_eq(d->value, VIEW("ou=x/c=us/a=b")));
	struct oraddr b = parse("/DD.SMTP=ou$=x$/c$=us$/a$=b/O=gate/C=gb/");
	equal(&a, &b);
	printed(&a, ORADDR_RFC2156, "/DD.SMTP=ou$=x$/c$=us$/a$=b/O=gate/ADMD= /C=gb/");
	printed(&a, ORADDR_F401, "DDA:SMTP=ou=x/c=us/a=b; O=gate; C=gb");
	/* RFC 1685 F.3.2.3, and the short form of RFC 2156 4.1.3. */
	struct oraddr c = parse("DDA:RFC-822=fred(a)widget.co.uk; O=gateway; P=abc; C=gb");
	struct oraddr f = parse("/RFC-822=fred(a)widget.co.uk/O=gateway/PRMD=abc/C=gb/");
	equal(&c, &f);
	/* A `/` elsewhere splits only before a label; written so that it does not. */
	struct oraddr o = parse("O=a/b; C=gb"), p = parse("/O=a$/c$=us/C=gb/");
	value_is(&o, ORA_ORGANIZATION, "a/b");
	printed(&p, ORADDR_F401, "O=a{047}c=us; C=gb");
	survives(&a);
	survives(&p);
}

static void test_or_27_dda_order(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"DDA:a=1; DDA:b=2; DDA:c=3; C=gb", /* RFC 1685 F.3.2.3: as represented */
		"/DD.c=3/DD.b=2/DD.a=1/C=gb/", /* RFC 2156 4.3.3: the first is most significant, so
						  rightmost */
		"/DDA:a=1/DDA:b=2/DDA:c=3/C=gb/",
		"/DD1.a=1/DD2.b=2/DD3.c=3/C=gb/", /* RFC 2156 4.1.1: ordered keywords */
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct oraddr a = parse(texts[i]);
		assert_int_equal(a.n, 5);
		for (size_t k = 0; k < 3; k++) {
			assert_int_equal(a.v[2 + k].type, ORA_DDA);
			assert_int_equal(a.v[2 + k].type_name.p[0], 'a' + k);
			assert_int_equal(a.v[2 + k].value.p[0], '1' + k);
			assert_int_equal(a.v[2 + k].number, 0);
		}
		printed(&a, ORADDR_F401, "DDA:a=1; DDA:b=2; DDA:c=3; C=gb");
		printed(&a, ORADDR_RFC2156, "/DD.c=3/DD.b=2/DD.a=1/ADMD= /C=gb/");
	}
	struct oraddr x = parse("DDA:a=1; DDA:b=2; C=gb"), y = parse("DDA:B=2; DDA:A=1; C=gb");
	equal(&x, &y);
	struct oraddr z = parse("DDA:a=2; DDA:b=1; C=gb");
	differ(&x, &z);
}

static void test_or_27_dda_teletex(void **state)
{
	(void)state;
	struct oraddr a = parse("/DD.name=x*{248}/C=gb/");
	assert_int_equal(a.n, 4); /* country, ADMD, and the DDA in both forms */
	const struct oraddr_attr *t =
		a.v[2].form == ORA_TELETEX ? &a.v[2] : &a.v[3]; /* two lists, no order */
	assert_int_equal(t->form, ORA_TELETEX);
	assert_true(view_eq(t->type_name, VIEW("name")));
	assert_true(view_eq(t->value, VIEW("\xf8")));
	struct oraddr b = parse("DDA:*n{229}=*v{248}; C=gb");
	assert_int_equal(b.n, 3);
	assert_true(view_eq(b.v[2].type_name, VIEW("n\xe5")));
	printed(&b, ORADDR_F401, "DDA:*n{229}=*v{248}; C=gb");
	survives(&a);
	survives(&b);
}

static void test_or_28_terminal_type(void **state)
{
	(void)state;
	static const struct {
		const char *text, *number, *f401, *rfc2156;
	} cases[] = {
		{"g3fax (5)", "5", "g3fax", "g3fax(5)"},
		{"ttx (4)", "4", "ttx", "ttx(4)"},
		{"99", "99", "(99)", "(99)"},
		{"(8)", "8", "vtx", "vtx(8)"},
		{"fax(5)", "5", "g3fax", "g3fax(5)"},
		{"IA5", "7", "ia5", "ia5(7)"},
		{"tlx", "3", "tlx", "tlx(3)"},
		{"G4FAX", "6", "g4fax", "g4fax(6)"},
		{"005", "5", "g3fax", "g3fax(5)"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[60], want[80];
		snprintf(text, sizeof text, "X.121=23421; T-TY=%s; C=gb", cases[i].text);
		struct oraddr a = parse(text);
		value_is(&a, ORA_TERMINAL_TYPE, cases[i].number);
		snprintf(want, sizeof want, "X.121=23421; T-TY=%s; C=gb", cases[i].f401);
		printed(&a, ORADDR_F401, want);
		snprintf(want, sizeof want, "/T-TY=%s/X121=23421/ADMD= /C=gb/", cases[i].rfc2156);
		printed(&a, ORADDR_RFC2156, want);
		survives(&a);
	}
	refused("T-TY=fax; C=gb", "terminal type");
	refused("T-TY=fax(x); C=gb", "terminal type");
	refused("T-TY=; C=gb", "terminal type");
}

static void bound(const char *label, size_t ub, uint8_t fill)
{
	char text[200];
	for (size_t n = ub; n <= ub + 1; n++) {
		size_t at = (size_t)snprintf(text, sizeof text,
					     "C=gb; %s%s=", strcmp(label, "S") != 0 ? "S=s; " : "",
					     label);
		memset(text + at, fill, n);
		text[at + n] = 0;
		struct oraddr a = carry(text);
		survives(&a);
		struct err e;
		bool ok = n == ub;
		assert_int_equal(oraddr_parse(view_str(text), &a, arena, ORADDR_GENERATE, &e), ok);
		assert_int_equal(oraddr_check(&a, &e), ok);
		assert_true(ok || strstr(e.text, label) != NULL);
	}
}

/* X.411 MTSUpperBounds. */
static void test_or_29_upper_bounds(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		size_t ub;
		uint8_t fill;
	} cases[] = {
		{"S", 40, 'x'},	    {"O", 64, 'x'},	{"OU1", 32, 'x'},  {"G", 16, 'x'},
		{"I", 5, 'x'},	    {"Q", 3, 'x'},	{"CN", 64, 'x'},   {"P", 16, 'x'},
		{"A", 16, 'x'},	    {"X.121", 16, '1'}, {"T-ID", 24, 'x'}, {"N-ID", 32, '1'},
		{"PD-SN", 16, 'x'}, {"PD-S", 30, 'x'},	{"PD-O", 30, 'x'},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		bound(cases[i].label, cases[i].ub, cases[i].fill);
	refused_by("S=a_b; C=gb", ORADDR_GENERATE, "PrintableString");
	refused_by("S=; C=gb", ORADDR_GENERATE, "want 1 to 40");
	refused_by("ISDN=1234567890123456; C=gb", ORADDR_GENERATE, "NET-NUM");
	struct oraddr a = carry("S=a_b@c; C=gb");
	printed(&a, ORADDR_F401, "S=a_b@c; C=gb");
}

static void check_is(const char *text, const char *why)
{
	struct oraddr a = carry(text);
	struct err e = {0};
	bool ok = oraddr_check(&a, &e);
	if (ok != (why == NULL))
		fail_msg("%s: %s", text, ok ? "taken" : e.text);
	if (why != NULL && strstr(e.text, why) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, why);
}

/* X.402 18.5: mnemonic, numeric, postal and terminal forms. */
static void test_or_31_address_forms(void **state)
{
	(void)state;
	check_is("S=s; O=o; P=p; C=gb", NULL);
	check_is("CN=list; A=ad; C=gb", NULL);
	check_is("N-ID=123; A=ad; C=gb", NULL);
	check_is("X.121=2342; T-ID=abc", NULL);
	check_is("ISDN=442083325678; T-TY=g3fax; A=ad; C=gb", NULL);
	check_is("PD-PN=J Doe; PD-S=1 High St; PD-PC=TW9 1AA; PD-C=GB; PD-SN=post; A=ad; C=gb",
		 NULL);
	check_is("PD-A1=J Doe; PD-PC=TW9 1AA; PD-C=GB; A=ad; C=gb", NULL);
	static const char *const alone[] = {"P=p", "O=o",     "OU1=u",	 "CN=c",
					    "S=s", "DDA:a=b", "N-ID=1 2"};
	for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
		char text[40];
		snprintf(text, sizeof text, "%s; A=ad; C=gb", alone[i]);
		check_is(text, NULL);
	}
	check_is("S=azAZ09 '()+,-./:=?; A=ad; C=az", NULL);
	check_is("S=s; A=ad; C=ZA", NULL);
	check_is("S=s; A=ad; C={064}A", "two letters");
	check_is("S=s; A=ad; C=[{123}", "two letters");
	check_is("S=s{010}; A=ad; C=gb", "PrintableString");
	check_is("I=i; O=o; C=gb", "wants S");
	check_is("Q=q; O=o; C=gb", "wants S");
	check_is("X.121=1; T-TY=256", NULL);
	check_is("X.121=1; T-TY=257", "0 to 256");
	check_is("T-ID=*x; A=ad; C=gb", "no teletex form");
	check_is("PD-A=1|2|3|4|5|6; PD-PC=1; PD-C=GB; A=ad; C=gb", NULL);
	check_is("PD-A=1||3; PD-PC=1; PD-C=GB; A=ad; C=gb", "a line of PD-ADDRESS");
	check_is("PD-A=1234567890123456789012345678901; PD-PC=1; PD-C=GB; A=ad; C=gb",
		 "a line of PD-ADDRESS");
	check_is("PD-PC=1; A=ad; C=gb", "PD-C");
	check_is("PD-A1=x; A=ad; C=gb", "PD-C");
	check_is("DDA:a=1; DDA:b=1; DDA:c=1; DDA:d=1; DDA:*{200}=1; DDA:*{201}=1; DDA:*{202}=1; "
		 "DDA:*{203}=1; C=gb",
		 NULL);
	check_is("DDA:*{200}=1; DDA:*{201}=1; DDA:*{202}=1; DDA:*{203}=1; DDA:*{204}=1; C=gb",
		 "domain-defined");
	check_is("S=s; O=o; P=p", "C is missing");
	check_is("A=ad; C=gb", "country and domain only");
	check_is("G=g; O=o; C=gb", "wants S");
	check_is("PD-A1=J Doe; PD-C=GB; A=ad; C=gb", "PD-PC");
	struct oraddr none = {0};
	struct err e;
	assert_false(oraddr_check(&none, &e));
	none.directory_name = VIEW("\x30\x00");
	assert_true(oraddr_check(&none, &e));
}

static void test_network_address(void **state)
{
	(void)state;
	struct oraddr a = parse("/NET-NUM=+44 (208) 332-5678/NET-SUB=12/C=gb/");
	const struct oraddr_attr *n = oraddr_find(&a, ORA_EXTENDED_NETWORK);
	/* X.411: SEQUENCE { number [0], sub-address [1] }, implicit tags. */
	assert_true(view_eq(n->value, VIEW("\x30\x12\x80\x0c"
					   "442083325678"
					   "\x81\x02"
					   "12")));
	printed(&a, ORADDR_F401, "ISDN=442083325678; NET-SUB=12; C=gb");
	printed(&a, ORADDR_RFC2156, "/NET-NUM=442083325678/NET-SUB=12/ADMD= /C=gb/");
	survives(&a);
	struct oraddr_attr v = {.type = ORA_EXTENDED_NETWORK,
				.form = ORA_RAW,
				.value = VIEW("\xa0\x03\x80\x01\x07")};
	struct oraddr psap = {&v, 1, {NULL, 0}};
	printed(&psap, ORADDR_F401, "EXT-22=a003800107");
	survives(&psap);
	static const char *const odd[] = {"EXT-22=",
					  "EXT-22=3003800131ff",
					  "EXT-22=3004800131ff",
					  "EXT-22=30058001318100",
					  "EXT-22=30038101",
					  "EXT-22=3003800141",
					  "EXT-22=30808001310000",
					  "EXT-22=3081038001310000",
					  "EXT-22=3003810131",
					  "EXT-22=3006800131820131"};
	for (size_t i = 0; i < ARRAY_LEN(odd);
	     i++) { /* not the form that NET-NUM writes, so kept octet for octet */
		struct oraddr o = carry(odd[i]);
		printed(&o, ORADDR_F401, odd[i]);
	}
	refused("NET-SUB=1; C=gb", "without NET-NUM");
	refused("PSAP=x; C=gb", "EXT-22");
	refused("ISDN=; C=gb", "E.163");
	refused("ISDN=12*{200}; C=gb", "E.163");
	refused("ISDN=12x; C=gb", "E.163");
	char text[300];
	for (int digits = 120; digits <= 121; digits++) { /* as many digits as our short form of BER carries */
		snprintf(text, sizeof text, "ISDN=%0*d; C=gb", digits, 7);
		struct oraddr l = {0};
		struct err e;
		assert_int_equal(oraddr_parse(view_str(text), &l, arena, ORADDR_CARRY, &e),
				 digits == 120);
		if (digits == 120)
			survives(&l);
	}
	snprintf(text, sizeof text, "ISDN=%0120d; NET-SUB=%0120d; C=gb", 1, 1);
	refused(text, "too long");
}

static void test_what_no_standard_writes(void **state)
{
	(void)state;
	struct oraddr_attr v[] = {
		{.type = ORA_COUNTRY, .value = VIEW("gb")},
		{.type = ORA_ORGANIZATION,
		 .form = ORA_UNIVERSAL,
		 .value = VIEW("\x04\x10\x04\x11")},
		{.type = ORA_OU1, .form = ORA_UNIVERSAL, .value = VIEW("\x04\x12")},
		{.type = ORA_OU2, .value = VIEW("below")},
		{.type = ORA_SURNAME, .value = VIEW(" a\x01 b{*$\x7f\n ")},
		{.type = ORA_DDA,
		 .form = ORA_UNIVERSAL,
		 .type_name = VIEW("\x04\x13"),
		 .value = VIEW("\x04\x14")},
		{.type = ORA_DDA, .type_name = VIEW(" =;/:."), .value = VIEW("=;/=")},
		{.type = ORA_EXTENSION_RAW,
		 .form = ORA_RAW,
		 .number = 99,
		 .value = VIEW("\x02\x01\x05")},
		{.type = ORA_UNKNOWN_RAW, .form = ORA_RAW, .value = VIEW("\x9f\x50\x00")},
	};
	struct oraddr a = {v, ARRAY_LEN(v), {NULL, 0}};
	survives(&a);
	printed(&a, ORADDR_F401,
		"S={032}a{001} b{123042036127010032}; U-DDA:0413=0414; DDA:{032}==;;/:.={061};;/=; "
		"EXT-99=020105; "
		"RAW=9f5000; U-O=04100411; U-OU1=0412; OU2=below; C=gb");
	struct oraddr dn = {NULL, 0, VIEW("\x30\x00")};
	printed(&dn, ORADDR_F401, "X-DN=3000");
	survives(&dn);
	struct oraddr other = {NULL, 0, VIEW("\x30\x01")};
	differ(&dn, &other);
}

/* A value that is one star is what routes call a wildcard. */
static void test_star_alone(void **state)
{
	(void)state;
	struct oraddr a = carry("DDA:x=*; O=*; A=*; C=gb");
	value_is(&a, ORA_ORGANIZATION, "*");
	value_is(&a, ORA_ADMD, "*");
	printed(&a, ORADDR_F401, "DDA:x=*; O=*; A=*; C=gb");
	survives(&a);
	refused_by("O=*; C=gb", ORADDR_GENERATE, "PrintableString");
	struct oraddr any = carry("C=*");
	assert_int_equal(any.n,
			 1); /* the pattern of every address, not of those with a blank ADMD */
}

static void test_refusals_name_what_is_wanted(void **state)
{
	(void)state;
	refused("", "no attribute");
	refused(" ; ;; ", "LABEL=value");
	refused("/", "no attribute");
	refused("john@example.org", "LABEL=value");
	refused("X=1; C=gb", "no attribute of that name");
	refused("S=a{0}; C=gb", "three decimal digits");
	refused("RAW=0g; C=gb", "hexadecimal");
	refused("EXT-x=00", "EXT-");
	refused("U-T-TY=00", "no attribute of that name");
	struct arena *small = arena_new(64);
	struct oraddr a;
	struct err e;
	assert_false(oraddr_parse(VIEW("S=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; C=gb"), &a, small,
				  ORADDR_CARRY, &e));
	assert_non_null(strstr(e.text, "memory"));
	arena_free(&small);
}

static void test_eq_folds_case_and_spaces(void **state)
{
	(void)state;
	struct oraddr a = carry("S=van der  Berg; O={032}X{032}; C=NL"),
		      b = carry("C=nl; O=x; S=VAN DER BERG");
	equal(&a, &b);
	assert_int_equal(oraddr_value_hash(VIEW("  A  b "), 7), oraddr_value_hash(VIEW("a B"), 7));
	assert_true(oraddr_value_hash(VIEW("a b"), 7) != oraddr_value_hash(VIEW("ab"), 7));
	assert_true(oraddr_value_eq(VIEW(" A  b "), VIEW("a B")));
	assert_false(oraddr_value_eq(VIEW("ab"), VIEW("a b")));
	static const char *const others[] = {
		"S=van der Berg; O=x; C=be", "S=vander Berg; O=x; C=nl", "S=van der Berg; C=nl",
		"S=van der Berg; O=x; P=p; C=nl", "S=van der Berg; O=x; C=nl; DDA:a=b"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct oraddr c = parse(others[i]);
		differ(&a, &c);
	}
}

/* Keys must not run into one another. */
static void test_key_is_injective(void **state)
{
	(void)state;
	struct oraddr a = carry("S=a;;o=b; C=gb"), b = parse("S=a; O=b; C=gb");
	differ(&a, &b);
	struct oraddr c = parse("DDA:a=b=c; C=gb"), d = parse("DDA:a==b=c; C=gb");
	differ(&c, &d);
	assert_string_equal(key_of(&b), "C=gb;O=b;S=a;");
}

/* A key is one line: what is not plain stands in hexadecimal, so that `;` and `=` only separate. */
static void test_key_escapes(void **state)
{
	(void)state;
	struct oraddr a = carry("S=A Z%;;=0\x1f~\x7f\x80; C=gb; DDA:b=2; DDA:a=9; EXT-8=00; "
				"EXT-7=ff; EXT-8=01; U-G=0041");
	assert_string_equal(
		key_of(&a),
		"C=gb;S=a z%25%3b%3d0%1f~%7f%80;U-G=0041;DDA:a=9;DDA:b=2;R-EXT-7=ff;R-EXT-8=00;"
		"R-EXT-8=01;");
	survives(&a);
	struct oraddr x = carry("EXT-7=01"), y = carry("EXT-8=01"), z = carry("EXT-7=02"),
		      u = carry("U-S=41"), v = carry("S=A");
	differ(&x, &y);
	differ(&x, &z);
	differ(&u, &v);
	struct oraddr t = carry("U-DDA:41=42"), r = carry("DDA:A=B"), q = carry("U-DDA:43=42"),
		      o = carry("U-DDA:41=43");
	differ(&t, &r);
	differ(&t, &q);
	differ(&t, &o);
	struct oraddr both = carry("U-DDA:41=42; DDA:A=B"), turned = carry("DDA:A=B; U-DDA:41=42");
	equal(&both, &turned);
}

static void test_directory_name_beside_attributes_does_not_count(void **state)
{
	(void)state;
	struct oraddr a = carry("S=s; C=gb"), b = carry("S=s; C=gb; X-DN=3000");
	assert_int_equal(b.directory_name.n, 2);
	equal(&a, &b);
	assert_null(strstr(key_of(&b), "DN"));
	struct oraddr none = {0}, dn = carry("X-DN=3000");
	differ(&none, &dn);
}

static void test_copy_is_deep_and_bounded(void **state)
{
	(void)state;
	char text[] = "DDA:type=value; S=smith; O=o; C=gb";
	struct oraddr a = parse(text), want = parse("DDA:type=value; S=smith; O=o; C=gb");
	struct oraddr c = oraddr_copy(&a, arena);
	for (size_t i = 0; i < a.n; i++)
		a.v[i].value = a.v[i].type_name = VIEW("gone");
	equal(&c, &want);
	struct arena *small = arena_new(32);
	struct oraddr none = oraddr_copy(&want, small);
	assert_int_equal(none.n, 0);
	assert_true(arena_full(small));
	arena_free(&small);
}

/* Many attributes take the sorted way; and nothing in the text may take quadratic time that
 * matters. */
static void test_many_ddas(void **state)
{
	(void)state;
	struct out o, r;
	out_init(&o, 1 << 16);
	out_init(&r, 1 << 16);
	for (int i = 0; i < 300; i++) {
		out_fmt(&o, "DDA:k%d=v;", i % 150);
		out_fmt(&r, "DDA:K%d=V;", 149 - i % 150);
	}
	struct oraddr a = carry(out_cstr(&o)), b = carry(out_cstr(&r));
	equal(&a, &b);
	out_fini(&o);
	out_fini(&r);
}

/* Cut anywhere, a text is read or refused, and what is read survives. */
static void test_cut_at_every_offset(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"DDA:a==b=c;;d; G=g; S=s*{165}; OU1=u; O=o/p; P=p; A= ; C=gb",
		"/DD.x$/=y$=/CN=a*b{001}/NET-NUM=12/NET-SUB=3/PD-A=1|2/OU=u/O=o//p/PRMD= /C=gb/",
	};
	for (size_t t = 0; t < ARRAY_LEN(texts); t++)
		for (size_t n = 0; n <= strlen(texts[t]); n++) {
			struct oraddr a;
			struct err e;
			if (oraddr_parse(view_of(texts[t], n), &a, arena, ORADDR_CARRY, &e))
				survives(&a);
			arena_reset(arena);
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_or_01_rfc1685_example),
		TEST(test_or_01_rfc1685_both_delimiters),
		TEST(test_or_02_print_order),
		TEST(test_or_03_doubled_delimiter),
		TEST(test_or_04_doubled_equal_sign),
		TEST(test_or_06_dangling_escape),
		TEST(test_or_07_keyword_twice),
		TEST(test_or_08_ou_and_ou1_mixed),
		TEST(test_or_09_ou2_without_ou1),
		TEST(test_or_11_order_is_tried_straight),
		TEST(test_or_12_pn_of_three_parts),
		TEST(test_or_13_pn_of_two_parts),
		TEST(test_or_14_pn_beside_its_parts),
		TEST(test_or_16_country),
		TEST(test_or_17_no_admd_is_one_space),
		TEST(test_or_18_digits_are_numeric),
		TEST(test_or_19_numeric_id),
		TEST(test_or_21_case_and_separators),
		TEST(test_or_22_teletex_form),
		TEST(test_or_23_plain_teletex_prints_as_printable),
		TEST(test_or_24_postal_lines),
		TEST(test_or_26_ddas_bounds),
		TEST(test_or_27_delimiters_in_dda_value),
		TEST(test_or_27_dda_order),
		TEST(test_or_27_dda_teletex),
		TEST(test_or_28_terminal_type),
		TEST(test_or_29_upper_bounds),
		TEST(test_or_31_address_forms),
		TEST(test_network_address),
		TEST(test_what_no_standard_writes),
		TEST(test_star_alone),
		TEST(test_refusals_name_what_is_wanted),
		TEST(test_eq_folds_case_and_spaces),
		TEST(test_key_is_injective),
		TEST(test_key_escapes),
		TEST(test_directory_name_beside_attributes_does_not_count),
		TEST(test_copy_is_deep_and_bounded),
		TEST(test_many_ddas),
		TEST(test_cut_at_every_offset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
