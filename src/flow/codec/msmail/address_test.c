/* address_test.c - MS Mail addresses and O/R addresses. Expected octets are from RFC 2156 3.2 (the table of escapes), the Knowledge Base
 * articles that the tests are named by, and facts B1 and B3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/msmail/address_int.h"

#define DOMAIN "C=US; A=MCI; P=Acme"

static struct arena *arena; /* for each test */
static struct mm_map *plain; /* nothing but our domain */

static const struct mm_name own = {.network = "HUB", .postoffice = "PO1"};

static struct mm_map *map_of(const char *const *lines, size_t n, const char *domain)
{
	struct mm_map *m;
	struct err e = {0};
	if (!mm_map_new(lines, n, domain, &own, &m, &e))
		fail_msg("%s", e.text);
	return m;
}
#define MAP(...) map_of((const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})), DOMAIN)

static int setup(void **state)
{
	(void)state;
	arena = arena_new(8 << 20);
	plain = map_of(NULL, 0, DOMAIN);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mm_map_free(&plain);
	arena_free(&arena);
	return 0;
}

static struct oraddr to_n(const struct mm_map *m, unsigned type, struct view text)
{
	struct mm_address from = {.type = type, .text = text};
	struct oraddr x = {0};
	struct err e = {0};
	if (!mm_to_oraddr(m, &from, &x, arena, &e))
		fail_msg("%s", e.text);
	return x;
}

static struct oraddr to(const struct mm_map *m, unsigned type, const char *text)
{
	return to_n(m, type, view_str(text));
}

static struct oraddr parsed(const char *text)
{
	struct oraddr x;
	struct err e = {0};
	if (!oraddr_parse(arena_copy(arena, view_str(text)), &x, arena, ORADDR_CARRY, &e))
		fail_msg("%s: %s", text, e.text);
	return x;
}

/* Attribute for attribute, octet for octet. */
static void same(const struct oraddr *found, const char *want)
{
	struct oraddr w = parsed(want);
	bool equal = found->n == w.n;
	for (size_t i = 0; equal && i < w.n; i++)
		equal = found->v[i].type == w.v[i].type && found->v[i].form == w.v[i].form && view_eq(found->v[i].value, w.v[i].value) &&
			(w.v[i].type != ORA_DDA || view_eq(found->v[i].type_name, w.v[i].type_name));
	if (!equal)
		fail_msg("found \"%s\", want \"%s\"", oraddr_text(found, arena), want);
}

static void becomes(const struct mm_map *m, unsigned type, const char *text, const char *want)
{
	struct oraddr x = to(m, type, text);
	same(&x, want);
}

static struct mm_address from_x(const struct mm_map *m, const struct oraddr *x)
{
	struct mm_address a = {0};
	struct err e = {0};
	if (!mm_from_oraddr(m, x, &a, arena, &e))
		fail_msg("%s: %s", oraddr_text(x, arena), e.text);
	return a;
}

static void back(const struct mm_map *m, const char *x400, unsigned type, const char *want)
{
	struct oraddr x = parsed(x400);
	struct mm_address a = from_x(m, &x);
	if (a.type != type || !view_eq(a.text, view_str(want)))
		fail_msg("%s: found %u \"%.*s\", want %u \"%s\"", x400, a.type, (int)a.text.n, (const char *)a.text.p, type, want);
}

/* Refused for this one recipient, with that diagnostic, and the sentence says `why`. */
static void refused(const struct mm_map *m, unsigned type, struct view text, int diagnostic, const char *why)
{
	struct mm_address from = {.type = type, .text = text};
	struct oraddr x;
	struct err e = {0};
	if (mm_to_oraddr(m, &from, &x, arena, &e))
		fail_msg("\"%.*s\" was taken as %s", (int)text.n, (const char *)text.p, oraddr_text(&x, arena));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
	assert_int_equal(e.reason, 1);
	assert_int_equal(e.diagnostic, diagnostic);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

/* ---- escapes ---- */

static void escapes(struct view ascii, const char *want)
{
	struct out o, again;
	out_init(&o, 1000);
	out_init(&again, 1000);
	mm_escape_printable(ascii, &o);
	assert_string_equal(out_cstr(&o), want);
	mm_unescape_printable(out_view(&o), &again);
	assert_true(view_eq(out_view(&again), ascii));
	out_fini(&o);
	out_fini(&again);
}

static void unescapes(const char *printable, const char *want)
{
	struct out o;
	out_init(&o, 1000);
	mm_unescape_printable(view_str(printable), &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

/* RFC 2156 3.2: the table, and all of PrintableString (X.680) as itself. */
static void rfc2156_3_2_table(void **state)
{
	(void)state;
	escapes(VIEW("@"), "(a)");
	escapes(VIEW("%"), "(p)");
	escapes(VIEW("!"), "(b)");
	escapes(VIEW("\""), "(q)");
	escapes(VIEW("_"), "(u)");
	escapes(VIEW("("), "(l)");
	escapes(VIEW(")"), "(r)");
	escapes(VIEW("#"), "(035)");
	escapes(VIEW("&"), "(038)");
	escapes(VIEW("\n"), "(010)");
	escapes(VIEW("\0"), "(000)");
	escapes(VIEW("\x7f"), "(127)");
	escapes(VIEW("ABCXYZabcxyz0189 '+,-./:=?"), "ABCXYZabcxyz0189 '+,-./:=?");
	escapes(VIEW("first_last@domain.com"), "first(u)last(a)domain.com");
}

/* 3.2 also says what is read: any of them, in either case, and a parenthesis that begins none is itself. */
static void rfc2156_3_2_is_read_tolerantly(void **state)
{
	(void)state;
	unescapes("(A)(P)", "@%");
	unescapes("(040)a(041)", "(a)"); /* facts C2: RFC 987 writes a literal (a) so */
	unescapes("(x) (12) (1234) (a (300) (", "(x) (12) (1234) (a (300) (");
	unescapes("((a)", "(@");
	unescapes("(12a)(a", "(12a)(a");
}

static void code_page_octets_are_kept(void **state)
{
	(void)state;
	escapes(VIEW("M\x81LLER"), "M(129)LLER");
	becomes(plain, MM_ADDRESS_MS, "NET/PO/M\x81LLER", DOMAIN "; DDA:MS=NET/PO/M(129)LLER");
	back(plain, DOMAIN "; DDA:MS=NET/PO/M(129)LLER", MM_ADDRESS_MS, "NET/PO/M\x81LLER");
}

/* Escaped once, and what is escaped already in an X.400 address that a user typed is left as it is. */
static void k241365_parentheses_are_escaped_once(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_X400, "/c=US/a=MCI/p=Org/s=Test/dda.type=EMS/dda.value=TEST(a)", "C=US; A=MCI; P=Org; S=Test; DDA:EMS=TEST(a)");
	becomes(plain, MM_ADDRESS_X400, "/c=US/a=MCI/p=Org/s=Test/dda.type=EMS/dda.value=TEST@", "C=US; A=MCI; P=Org; S=Test; DDA:EMS=TEST(a)");
	back(plain, "C=US; A=MCI; P=Org; S=Test; DDA:EMS=TEST(a)", MM_ADDRESS_X400, "/c=US/a=MCI/p=Org/s=Test/dda:EMS=TEST(a)");
}

static void k254725_mixed_escapes_become_one_layer(void **state)
{
	(void)state;
	static const char want[] = "C=FR; A=ATLAS; P=INTERNET; DDA:RFC-822=first(u)last(a)domain.com";
	static const char *const typed[] = {
		"first(u)last@domain.com", "first_last(a)domain.com", "first_last@domain.com", "first(u)last(a)domain.com",
	};
	for (size_t i = 0; i < ARRAY_LEN(typed); i++) {
		char text[200];
		snprintf(text, sizeof text, "[X400:c=FR;a=ATLAS;p=INTERNET;DDA:RFC-822=%s]", typed[i]);
		becomes(plain, 0, text, want);
		struct oraddr x = to(plain, 0, text);
		struct mm_address a = from_x(plain, &x); /* and another round adds none */
		x = to_n(plain, a.type, a.text);
		same(&x, want);
	}
}

static void typed_round(const char *text, const char *want)
{
	struct oraddr x = to(plain, MM_ADDRESS_TYPED, text);
	if (want != NULL)
		same(&x, want);
	struct mm_address a = from_x(plain, &x);
	if (a.type != MM_ADDRESS_TYPED || !view_eq(a.text, view_str(text)))
		fail_msg("\"%s\" comes back as %u \"%.*s\"", text, a.type, (int)a.text.n, (const char *)a.text.p);
}

/* An area code that a peer did not escape stays one; what we escaped comes back. */
static void k185592_area_codes_are_no_escapes(void **state)
{
	(void)state;
	back(plain, DOMAIN "; DDA:FAX=username(a)(206)9368080", MM_ADDRESS_TYPED, "FAX:username@(206)9368080");
	typed_round("FAX:username@(206)9368080", DOMAIN "; DDA:FAX=username(a)(l)206(r)9368080");
	typed_round("FAX:(042) 555-1234", DOMAIN "; DDA:FAX=(l)042(r) 555-1234");
}

static void k310797_telephone_numbers_are_not_unescaped(void **state)
{
	(void)state;
	back(plain, DOMAIN "; DDA:FAX=1 (212) 555-0100", MM_ADDRESS_TYPED, "FAX:1 (212) 555-0100");
	back(plain, DOMAIN "; DDA:FAX=Fen(234)tre (a) 1 (262)555.0100", MM_ADDRESS_TYPED, "FAX:Fen\xeatre @ 1 (262)555.0100");
	typed_round("FAX:#5551234", NULL); /* written so that it is no number: */
	becomes(plain, MM_ADDRESS_TYPED, "FAX:#5551234", DOMAIN "; DDA:FAX=(035)555123(052)");
	typed_round("FAX:*99#5551234", NULL);
}

/* ---- X.400 text ---- */

static void k176425_dollar_escapes_a_slash(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_X400, "/C=us/a=MCI/p=microsoft/o=PSS/dda.type=ms/dda.value=net$/po$/mailbox",
		"C=us; A=MCI; P=microsoft; O=PSS; DDA:ms=net/po/mailbox");
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=MCI/p=x/o=R$$D/s=A$;B", "C=us; A=MCI; P=x; O=R(036)D; S=A(059)B"); /* neither is printable */
}

static void k177869_escapes_become_a_slash_and_nothing_else(void **state)
{
	(void)state;
	static const char want[] = "C=us; A=mci; P=microsoft; O=pss; DDA:ms=microsoft/pss/mailbox";
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=mci/p=microsoft/o=pss/dda.type=ms/dda.value=microsoft$/pss$/mailbox", want);
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=mci/p=microsoft/o=pss/dda.type=ms/dda.value=microsoft//pss//mailbox", want);
	becomes(plain, MM_ADDRESS_X400, "c=us;a=mci;p=microsoft;o=pss;dda:ms=microsoft/pss/mailbox", want);
	refused(plain, MM_ADDRESS_X400, VIEW("/c=us/a=mci/o=x/dda.type=ms/dda.value=a\253\001b"), 11, "control");
}

static void x400_texts_that_gateways_write(void **state)
{
	(void)state;
	static const char want[] = "C=US; A=WGA; P=PSS; O=Microsoft; OU1=Lab; S=Smith; G=JohnS; I=JS; Q=Jr";
	becomes(plain, 0, "[X400:c=US;a=WGA;p=PSS;o=Microsoft;g=JohnS;s=Smith;i=JS;q=Jr;ou1=Lab]", want);
	becomes(plain, 0, "John Smith [X400:c=US;a=WGA;p=PSS;o=Microsoft;g=JohnS;s=Smith;i=JS;q=Jr;ou1=Lab]", want);
	becomes(plain, MM_ADDRESS_X400, "X400:/c=US/admd=WGA/prmd=PSS/o=Microsoft/ou=Lab/s=Smith/g=JohnS/i=JS/q=Jr/", want);
	becomes(plain, 2, "/c=US/a=WGA/p=PSS/o=Microsoft/ou=Lab/s=Smith/g=JohnS/i=JS/q=Jr", want);
	becomes(plain, MM_ADDRESS_X400, "/c=gb/a= /p=x/cn=Desk", "C=gb; A= ; P=x; CN=Desk");
	becomes(plain, MM_ADDRESS_X400, "/c=gb/a=x/x121=23421/t-id=tx/ua-id=77", "C=gb; A=x; X.121=23421; T-ID=tx; N-ID=77");
}

/* The last article of this kind: several pairs of type and value, in any order. */
static void k176129_k176181_types_and_values_stay_together(void **state)
{
	(void)state;
	static const char want[] = "C=us; A=x; DDA:one=1; DDA:two=2";
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/dda.type=one/dda.value=1/dda.type=two/dda.value=2", want);
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/dda.type1=one/dda.type2=two/dda.value2=2/dda.value1=1", want);
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/dda:one=1/dda:two=2", want);
}

static void k183064_only_the_first_equal_separates(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/dda.type=e/dda.value=a=b=c", "C=us; A=x; DDA:e=a=b=c");
}

static void k139203_dt_and_dv_are_no_keywords(void **state)
{
	(void)state;
	refused(plain, MM_ADDRESS_X400, VIEW("/c=US/a=ATTMail/p=GOV/o=hq/ou=WP4/dt=WPMail/dv=USER.BOB"), 11, "no attribute of that name");
}

static void k146588_of_two_attributes_the_first_counts(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/s=Smith/s=Jones/admd=y", "C=us; A=x; S=Smith");
	struct oraddr x = parsed("C=us; A=x; S=Smith");
	struct oraddr_attr v[4] = {x.v[0], x.v[1], x.v[2], x.v[2]};
	v[3].value = VIEW("Jones");
	struct oraddr twice = {.v = v, .n = 4};
	struct mm_address a = from_x(plain, &twice);
	assert_true(view_eq(a.text, VIEW("/c=us/a=x/s=Smith")));
}

static void k160947_empty_ddas_are_left_out(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/s=Smith/dda.type=/dda.value=v", "C=us; A=x; S=Smith");
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/s=Smith/dda.type=t/dda.value=", "C=us; A=x; S=Smith");
	becomes(plain, MM_ADDRESS_X400, "/c=us/a=x/s=Smith/dda:=v/dda:t=", "C=us; A=x; S=Smith");
	struct oraddr x = parsed("C=us; A=x; S=Smith");
	struct oraddr_attr v[4] = {x.v[0], x.v[1], x.v[2], {.type = ORA_DDA, .type_name = VIEW("t"), .value = view_of(NULL, 0)}};
	struct oraddr with = {.v = v, .n = 4};
	assert_true(view_eq(from_x(plain, &with).text, VIEW("/c=us/a=x/s=Smith")));
}

/* An empty PRMD is as none, in our domain, in what a user wrote, and in what a peer sent (13 00). */
static void k165485_an_empty_prmd_is_left_out(void **state)
{
	(void)state;
	struct mm_map *m = map_of(NULL, 0, "C=US; A=MCI; P=");
	becomes(m, MM_ADDRESS_MS, "NET/PO/MBX", "C=US; A=MCI; DDA:MS=NET/PO/MBX");
	becomes(m, MM_ADDRESS_X400, "/c=us/a=x/p=/o=Org", "C=us; A=x; O=Org");
	mm_map_free(&m);
}

static void with_empty_prmd(const char *want_type_and_text)
{
	struct oraddr x = parsed("C=US; A=MCI; DDA:MS=NET/PO/MBX");
	struct oraddr_attr v[4] = {x.v[0], x.v[1], {.type = ORA_PRMD, .form = ORA_PRINTABLE, .value = view_of(NULL, 0)}, x.v[2]};
	struct oraddr with = {.v = v, .n = 4};
	struct mm_map *m = map_of(NULL, 0, "C=US; A=MCI");
	assert_true(view_eq(from_x(m, &with).text, view_str(want_type_and_text)));
	mm_map_free(&m);
}

static void k176194_absent_is_not_empty(void **state)
{
	(void)state;
	with_empty_prmd("NET/PO/MBX");
}

static void k176952_an_empty_prmd_of_a_peer_is_none(void **state)
{
	(void)state;
	with_empty_prmd("NET/PO/MBX");
	struct oraddr x = parsed("C=au; A=otc; O=Org; S=Smith");
	struct oraddr_attr v[5] = {x.v[0], x.v[1], {.type = ORA_PRMD, .form = ORA_NUMERIC}, x.v[2], x.v[3]};
	struct oraddr with = {.v = v, .n = 5};
	assert_true(view_eq(from_x(plain, &with).text, VIEW("/c=au/a=otc/o=Org/s=Smith")));
}

/* facts B3: the largest that fits, and one more. */
static void k118563_bounds(void **state)
{
	(void)state;
	static const struct { const char *label; unsigned max; } bounds[] = {
		{"a", 16}, {"p", 16}, {"o", 64}, {"ou1", 32}, {"s", 40}, {"g", 16}, {"i", 5}, {"q", 3}, {"dda:type", 128}, {"t-id", 24},
	};
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
		bool admd = strcmp(bounds[i].label, "a") == 0;
		bool surname = strcmp(bounds[i].label, "s") == 0;
		char text[300];
		for (unsigned over = 0; over < 2; over++) {
			int n = snprintf(text, sizeof text, "/c=us%s%s/%s=", admd ? "" : "/a=x", surname ? "/o=Org" : "/s=Smith", bounds[i].label);
			for (unsigned k = 0; k < bounds[i].max + over; k++)
				text[n++] = 'x';
			if (over == 0)
				(void)to_n(plain, MM_ADDRESS_X400, view_of(text, (size_t)n));
			else
				refused(plain, MM_ADDRESS_X400, view_of(text, (size_t)n), 11, "want 1 to");
		}
	}
	refused(plain, MM_ADDRESS_X400, VIEW("/c=usa/a=x/s=Smith"), 11, "two letters");
	refused(plain, MM_ADDRESS_X400, VIEW("/c=us/a=x/s=Smith/dda:ninechars=v"), 11, "DDA type");
	becomes(plain, MM_ADDRESS_X400, "/c=840/a=x/s=Smith", "C=840; A=x; S=Smith");
}

static void x400_text_that_is_none(void **state)
{
	(void)state;
	refused(plain, MM_ADDRESS_X400, VIEW("/"), 11, "no attribute");
	refused(plain, MM_ADDRESS_X400, VIEW("/c"), 11, "label=value");
	refused(plain, MM_ADDRESS_X400, VIEW("Smith, John"), 11, "label=value");
	refused(plain, MM_ADDRESS_X400, VIEW("/c=us/a=x/s={99}"), 11, "ddd");
	refused(plain, 0, VIEW("[X400:]"), 11, "no attribute");
}

/* Without a country it is in our domain, as what a gateway sends without one is. */
static void x400_without_country_is_ours(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_X400, "/o=Org/s=Smith", DOMAIN "; O=Org; S=Smith");
	becomes(plain, MM_ADDRESS_X400, "/a=other/o=Org/s=Smith", "C=US; A=other; O=Org; S=Smith");
}

static void k243701_an_unresolved_directory_name_is_one_recipients_fault(void **state)
{
	(void)state;
	refused(plain, MM_ADDRESS_TYPED, VIEW("EX:/o=Org/ou=Site/cn=Recipients/cn=Joe"), 0, "directory name");
	refused(plain, MM_ADDRESS_X400, VIEW("/o=Org/ou=Site/cn=Recipients/cn=Joe"), 0, "directory name");
	refused(plain, 0, VIEW("[EX:/o=Org]"), 0, "directory name");
	struct oraddr x = {.directory_name = VIEW("\x30\x00")};
	struct mm_address a;
	struct err e = {0};
	assert_false(mm_from_oraddr(plain, &x, &a, arena, &e));
	assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
	assert_int_equal(e.diagnostic, 0);
}

/* ---- foreign types ---- */

static void k192052_k146032_k169695_foreign_types_have_our_domain_before_them(void **state)
{
	(void)state;
	typed_round("SMTP:joe_b@acme.com", DOMAIN "; DDA:SMTP=joe(u)b(a)acme.com");
	typed_round("SMTP:attmail!username", DOMAIN "; DDA:SMTP=attmail(b)username");
	typed_round("SNADS:SMTPgtwy/PSS/JohnS", DOMAIN "; DDA:SNADS=SMTPgtwy/PSS/JohnS");
	typed_round("PROFS:Profsgty/WGADiv/JohnS", DOMAIN "; DDA:PROFS=Profsgty/WGADiv/JohnS");
	typed_round("MHS:User@gateway {Network/Postoffice}", DOMAIN "; DDA:MHS=User(a)gateway (123)Network/Postoffice(125)");
	typed_round("FAX:Johns\r Mail_Campus\r Microsoft\r 9,12061234567\r", NULL);
	typed_round("MCI:JohnS\r EMS:MCI Mail\r MBX:123-4567", NULL);
	becomes(plain, 0, "[SMTP:JohnS@Microsoft.com]", DOMAIN "; DDA:SMTP=JohnS(a)Microsoft.com");
	refused(plain, 0, VIEW("COMPUSERVE:70000,1"), 0, "8 characters");
	struct mm_map *none = map_of(NULL, 0, NULL);
	refused(none, 0, VIEW("SMTP:joe@acme.com"), 0, "no domain");
	mm_map_free(&none);
}

static void k169671_a_malformed_smtp_address_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"SMTP:", "SMTP:@", "SMTP:joe@", "SMTP:@acme.com", "SMTP:joe@acme@com", "SMTP:joe@.com", "SMTP:joe@acme.", "SMTP:joe@a..b",
		"SMTP:joe smith@acme.com", "SMTP:\"joe@acme.com", "SMTP:<joe@acme.com", "SMTP:joe@acme.com,eve@acme.com", "SMTP:joe\001@acme.com",
		"[SMTP:]", "SMTP:joe\r@acme.com",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(plain, 0, view_str(bad[i]), 0, "");
	typed_round("SMTP:\"joe smith\"@acme.com", NULL);
	typed_round("SMTP:User", NULL); /* Q94410 */
}

static void k173344_over_long_addresses_are_refused(void **state)
{
	(void)state;
	char text[1100];
	memset(text, 'x', sizeof text);
	memcpy(text, "SMTP:a@", 7);
	refused(plain, 0, view_of(text, 7 + 126), 0, "128 characters"); /* a(a) and 126: one more than DDA values have */
	(void)to_n(plain, 0, view_of(text, 7 + 124));
	refused(plain, 0, view_of(text, 1024), 0, "128 characters");
	refused(plain, 0, view_of(text, 1025), 0, "1024 octets");
	memcpy(text, "/c=us/a=x/s=Smit", 16);
	for (size_t i = 16; i < 1024; i += 3)
		memcpy(text + i, "/o=", 3);
	(void)to_n(plain, MM_ADDRESS_X400, view_of(text, 1024));
}

/* ---- NETWORK/POSTOFFICE/MAILBOX ---- */

static void ms_names(void **state)
{
	(void)state;
	static const char want[] = DOMAIN "; DDA:MS=NET/PO/MBX";
	becomes(plain, MM_ADDRESS_MS, "NET/PO/MBX", want);
	becomes(plain, 0, "MS:NET/PO/MBX", want);
	becomes(plain, 0, "[MS:NET/PO/MBX]", want);
	becomes(plain, 0, "CSI:NET/PO/MBX", want);
	becomes(plain, 0, "PCM:NET/PO/MBX", want);
	becomes(plain, MM_ADDRESS_MS, " NET/PO/MBX ", want);
	becomes(plain, MM_ADDRESS_MS, "MBX", DOMAIN "; DDA:MS=HUB/PO1/MBX"); /* of our own postoffice */
	back(plain, "C=us; A=mci; P=acme; DDA:ms=net/po/mbx", MM_ADDRESS_MS, "NET/PO/MBX");
	back(plain, "C=us; A=mci; P=other; DDA:MS=NET/PO/MBX", MM_ADDRESS_X400, "/c=us/a=mci/p=other/dda:MS=NET$/PO$/MBX");
	static const char *const bad[] = {"", "NET", "NET/PO", "NET/PO/", "/PO/MBX", "NET//MBX", "NET/PO/MBX/X", "NETWORK4567/PO/MBX",
					  "NET/PO/M\001", "NET/PO/\x7f"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (strcmp(bad[i], "NET") != 0 && bad[i][0] != '/')
			refused(plain, MM_ADDRESS_MS, view_str(bad[i]), 0, "");
	refused(plain, 0, VIEW("MS:B:A/PO/MBX"), 0, "a colon");
	refused(plain, MM_ADDRESS_MS, VIEW("/PO/MBX"), 11, ""); /* looks like X.400, and is none */
}

static void k183104_names_are_upper_case_outwards(void **state)
{
	(void)state;
	becomes(plain, MM_ADDRESS_MS, "net/po/mbx", DOMAIN "; DDA:MS=NET/PO/MBX");
}

/* All ten characters count, and names that share nine are two. */
static void k128627_ten_characters_are_compared(void **state)
{
	(void)state;
	struct mm_map *m = MAP("NETWORK901/POSTOFF901/MAILBOX901 = S=One; P=Acme; A=MCI; C=US",
			       "NETWORK902/POSTOFF901/MAILBOX901 = S=Two; P=Acme; A=MCI; C=US",
			       "NETWORK90/POSTOFF90/MAILBOX90 = S=Nine; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "NETWORK901/POSTOFF901/MAILBOX901", "S=One; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "NETWORK902/POSTOFF901/MAILBOX901", "S=Two; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "NETWORK90/POSTOFF90/MAILBOX90", "S=Nine; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "NETWORK90/POSTOFF90/MAILBOX901", DOMAIN "; DDA:MS=NETWORK90/POSTOFF90/MAILBOX901");
	mm_map_free(&m);
}

static void ms_dda_that_is_no_name(void **state)
{
	(void)state;
	static const char *const bad[] = {"NET", "NET/PO", "NET/PO/MBX/X", "NET/PO/(000)", "NET/PO/(008)", "NETWORK4567/PO/MBX"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[100];
		struct mm_address a;
		struct err e = {0};
		snprintf(text, sizeof text, DOMAIN "; DDA:MS=%s", bad[i]);
		struct oraddr x = parsed(text);
		assert_false(mm_from_oraddr(plain, &x, &a, arena, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
		assert_int_equal(e.diagnostic, 0);
	}
}

/* ---- the table ---- */

static void the_first_line_wins_both_ways(void **state)
{
	(void)state;
	/* Q107098: three addresses of one mailbox, and one address of two mailboxes. */
	struct mm_map *m = MAP("MSOFT/WGC/PETER = G=Peter; I=E; S=Gron; O=Msoft; P=Acme; A=MCI; C=US",
			       "MSOFT/WGC/PETER = G=Peter; S=Gron; O=Msoft; P=Acme; A=MCI; C=US",
			       "NEWNET/NEWPO/NEWMBX = S=Moved; P=Acme; A=MCI; C=US", "OLDNET/OLDPO/OLDMBX = S=Moved; P=Acme; A=MCI; C=US",
			       "NEWNET/*/NEWMBX = S=*; O=Never; P=Acme; A=MCI; C=US", "*/WGC/* = O=*; S=*; P=Wild; A=MCI; C=US",
			       "MSOFT/WGC/PAUL = S=Late; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "Msoft/WGC/Peter", "G=Peter; I=E; S=Gron; O=Msoft; P=Acme; A=MCI; C=US");
	back(m, "G=Peter; I=E; S=Gron; O=Msoft; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "MSOFT/WGC/PETER");
	back(m, "G=Peter; S=Gron; O=Msoft; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "MSOFT/WGC/PETER");
	becomes(m, MM_ADDRESS_MS, "NEWNET/NEWPO/NEWMBX", "S=Moved; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "OLDNET/OLDPO/OLDMBX", "S=Moved; P=Acme; A=MCI; C=US");
	back(m, "s=moved; P=ACME; A=mci; C=us", MM_ADDRESS_MS, "NEWNET/NEWPO/NEWMBX");
	becomes(m, MM_ADDRESS_MS, "MSOFT/WGC/PAUL", "O=MSOFT; S=PAUL; P=Wild; A=MCI; C=US"); /* the wildcard stands first */
	back(m, "S=Late; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "MSOFT/WGC/PAUL");
	mm_map_free(&m);
}

static void wildcards_take_the_parts_in_order(void **state)
{
	(void)state;
	struct mm_map *m = MAP("*/*/* = OU1=*; O=*; CN=*; P=Acme; A=MCI; C=US", "HUB/*/X = S=*; P=Acme; A=MCI; C=US",
			       "NUM/PO/* = N-ID=*; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "NET/PO/MBX", "OU1=NET; O=PO; CN=MBX; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "N&T/P_O/M@X", "OU1=N(038)T; O=P(u)O; CN=M(a)X; P=Acme; A=MCI; C=US");
	back(m, "OU1=N(038)T; O=P(u)O; CN=M(a)X; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "N&T/P_O/M@X");
	back(m, "OU1=net; O=po; CN=mbx; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "NET/PO/MBX");
	back(m, "S=Site; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "HUB/SITE/X");
	/* What makes no name is no match, and an attribute more is another address. */
	back(m, "OU1=net; O=po; CN=mailbox-of-many; P=Acme; A=MCI; C=US", MM_ADDRESS_X400,
	     "/c=US/a=MCI/p=Acme/o=po/ou1=net/cn=mailbox-of-many");
	back(m, "OU1=net; O=po; CN=mbx; S=more; P=Acme; A=MCI; C=US", MM_ADDRESS_X400,
	     "/c=US/a=MCI/p=Acme/o=po/ou1=net/cn=mbx/s=more");
	mm_map_free(&m);
}

/* What would be over its bounds as an attribute goes the other way round: a name comes back in any case. */
static void a_part_that_does_not_fit_falls_through(void **state)
{
	(void)state;
	struct mm_map *m = MAP("A/B/* = I=*; S=Fix; P=Acme; A=MCI; C=US", "N/P/* = N-ID=*; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "A/B/JOE", "I=JOE; S=Fix; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "A/B/JOSEPH", DOMAIN "; DDA:MS=A/B/JOSEPH");
	back(m, DOMAIN "; DDA:MS=A/B/JOSEPH", MM_ADDRESS_MS, "A/B/JOSEPH");
	becomes(m, MM_ADDRESS_MS, "N/P/4711", "N-ID=4711; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "N/P/JOE", DOMAIN "; DDA:MS=N/P/JOE");
	mm_map_free(&m);
}

/* The gateway's own table (Q107098, Q118860): no value outwards, any or none inwards. */
static void k107098_lines_of_the_gateways_table(void **state)
{
	(void)state;
	struct mm_map *m = MAP("MSM:Msoft/WGC/Peter      X400:o=Msoft;ou1=*;s=Gron;g=Peter");
	becomes(m, MM_ADDRESS_MS, "MSOFT/WGC/PETER", DOMAIN "; O=Msoft; G=Peter; S=Gron");
	back(m, DOMAIN "; O=Msoft; G=Peter; S=Gron", MM_ADDRESS_MS, "MSOFT/WGC/PETER");
	back(m, DOMAIN "; O=Msoft; OU1=Any; G=Peter; S=Gron", MM_ADDRESS_MS, "MSOFT/WGC/PETER");
	back(m, DOMAIN "; O=Msoft; OU1=Any; OU2=X; G=Peter; S=Gron", MM_ADDRESS_X400, "/c=US/a=MCI/p=Acme/o=Msoft/ou1=Any/ou2=X/s=Gron/g=Peter");
	mm_map_free(&m);
}

/* A DDA that only passes through keeps its type: RFC-822 does not become SMTP. */
static void k245585_the_type_of_a_dda_is_kept(void **state)
{
	(void)state;
	typed_round("RFC-822:joe@acme.com", DOMAIN "; DDA:RFC-822=joe(a)acme.com");
	back(plain, DOMAIN "; DDA:RFC-822=joe(a)acme.com", MM_ADDRESS_TYPED, "RFC-822:joe@acme.com");
	back(plain, "C=FR; A=ATLAS; P=INTERNET; DDA:RFC-822=joe(a)acme.com", MM_ADDRESS_X400, "/c=FR/a=ATLAS/p=INTERNET/dda:RFC-822=joe(a)acme.com");
}

/* A name in the postoffice's code page (here 850) on the left of a line. */
static void k155790_names_of_a_code_page_in_the_table(void **state)
{
	(void)state;
	struct mm_map *m = MAP("SALES/WEST/M{154}LLER = S=Mueller; P=Acme; A=MCI; C=US");
	becomes(m, MM_ADDRESS_MS, "SALES/WEST/M\232LLER", "S=Mueller; P=Acme; A=MCI; C=US");
	back(m, "S=Mueller; P=Acme; A=MCI; C=US", MM_ADDRESS_MS, "SALES/WEST/M\232LLER");
	mm_map_free(&m);
}

static void k168136_admd_zero_is_the_blank(void **state)
{
	(void)state;
	struct mm_map *m = MAP("A/B/C = S=Zero; P=Acme; A=0; C=US");
	back(m, "S=Zero; P=Acme; C=US", MM_ADDRESS_MS, "A/B/C");
	back(m, "S=Zero; P=Acme; A=0; C=US", MM_ADDRESS_MS, "A/B/C");
	mm_map_free(&m);
}

static void a_wrong_line_is_named(void **state)
{
	(void)state;
	static const struct { const char *line, *why; } bad[] = {
		{"NET/PO/MBX", "no `=`"},
		{"NET/PO = S=x; A=MCI; C=US", "three parts"},
		{"NET/PO/MBX/X = S=x; A=MCI; C=US", "three parts"},
		{"NET/PO/ = S=x; A=MCI; C=US", "NET/PO/MBX"},
		{"NET/POSTOFFICE1/MBX = S=x; A=MCI; C=US", "10 characters"},
		{"NET/PO/MBX = ", "no attribute"},
		{"NET/PO/MBX = Z=x; C=US", "no attribute of that name"},
		{"NET/PO/MBX = S=x; A=MCI; C=USA", "two letters"},
		{"NET/PO/MBX = S=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; A=MCI; C=US", "want 1 to 40"},
		{"NET/*/* = S=*; A=MCI; C=US", "as many `*`"},
		{"NET/PO/* = S=x; A=MCI; C=US", "as many `*`"},
		{"MSM:NET/PO/MBX S=x", "no `X400:`"},
		{"NET/PO/* = S=x; A=MCI; C=*", "two letters"},
		{"NET/PO/A{007} = S=x; A=MCI; C=US", "control"},
		{"NET/PO/A{999} = S=x; A=MCI; C=US", NULL},
		{"NETWORK456/POSTOFF456/MAILBOX456/AND/SOME/MORE = S=x; A=MCI; C=US", "NET/PO/MBX"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *const lines[] = {"A/B/C = S=Good; A=MCI; C=US", bad[i].line};
		struct mm_map *m = NULL;
		struct err e = {0};
		bool taken = mm_map_new(lines, 2, DOMAIN, &own, &m, &e);
		if (bad[i].why == NULL) { /* braces that are no octet are themselves */
			assert_true(taken);
			mm_map_free(&m);
			continue;
		}
		if (taken)
			fail_msg("%s was taken", bad[i].line);
		assert_null(m);
		assert_int_equal(e.kind, ERR_LOCAL);
		if (strstr(e.text, "line 2") == NULL || strstr(e.text, bad[i].why) == NULL)
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", bad[i].line, e.text, bad[i].why);
	}
	struct mm_map *m = NULL;
	struct err e = {0};
	assert_false(mm_map_new(NULL, 0, "C=Nowhere", &own, &m, &e));
	assert_non_null(strstr(e.text, "domain"));
	assert_false(mm_map_new((const char *const[]){"A/B/C = S=x"}, 1, "", &own, &m, &e));
	assert_non_null(strstr(e.text, "no country"));
}

/* 10,000 lines and 40,000 look-ups: by walking them it would be 400 million comparisons. */
static void ten_thousand_lines(void **state)
{
	(void)state;
	enum { N = 10000 };
	char (*text)[80] = calloc(N, sizeof *text);
	const char **lines = calloc(N, sizeof *lines);
	for (unsigned i = 0; i < N; i++) {
		snprintf(text[i], sizeof text[i], "NET%u/PO%u/U%u = S=User%u; O=Org%u; P=Acme; A=MCI; C=US", i % 7, i % 100, i, i, i % 13);
		lines[i] = text[i];
	}
	struct mm_map *m = map_of(lines, N, DOMAIN);
	struct arena *a = arena_new(1 << 20);
	for (unsigned i = 0; i < 2 * N; i++) {
		char name[40], want[80];
		unsigned u = i % N;
		struct oraddr x;
		struct mm_address back_again, from = {.type = MM_ADDRESS_MS};
		struct err e = {0};
		arena_reset(a);
		snprintf(name, sizeof name, "NET%u/PO%u/U%u", u % 7, u % 100, u);
		snprintf(want, sizeof want, "User%u", u);
		from.text = view_str(name);
		assert_true(mm_to_oraddr(m, &from, &x, a, &e));
		assert_true(view_eq(oraddr_find(&x, ORA_SURNAME)->value, view_str(want)));
		assert_true(mm_from_oraddr(m, &x, &back_again, a, &e));
		assert_true(view_eq(back_again.text, from.text));
	}
	arena_free(&a);
	mm_map_free(&m);
	free(lines);
	free(text);
}

static size_t shadow(const struct mm_map *m, size_t line)
{
	size_t by;
	return mm_map_is_shadowed(m, line, &by) ? by : 0;
}

static void lines_that_are_never_used(void **state)
{
	(void)state;
	struct mm_map *m = MAP("A/B/C = S=One; P=Acme; A=MCI; C=US", /* 1 */
			       "A/B/C = S=Two; P=Acme; A=MCI; C=US", /* 2: inwards only */
			       "A/B/D = S=One; P=Acme; A=MCI; C=US", /* 3: outwards only */
			       "a/b/c = S=one; P=acme; A=MCI; C=US", /* 4: never */
			       "A/B/C = S=One; P=Acme; A=MCI; C=US", /* 5: never */
			       "A/B/D = S=Two; P=Acme; A=MCI; C=US", /* 6: never, by two different ones */
			       "N/*/* = O=*; S=*; P=Acme; A=MCI; C=US",    /* 7 */
			       "N/P/* = O=Org; S=*; P=Acme; A=MCI; C=US",  /* 8: never */
			       "N/P/X = O=Org; S=X; P=Acme; A=MCI; C=US",  /* 9: never */
			       "N/P/X = O=Org; G=X; S=X; P=Acme; A=MCI; C=US", /* 10: inwards */
			       "M/P/* = O=Org; S=*; P=Acme; A=MCI; C=US",  /* 11: outwards */
			       "*/*/* = O=*; OU1=*; S=*; P=Acme; A=MCI; C=US"); /* 12: wider than those before */
	static const size_t want[] = {0, 0, 0, 1, 1, 3, 0, 7, 7, 0, 0, 0};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		if (shadow(m, i + 1) != want[i])
			fail_msg("line %zu: %zu, want %zu", i + 1, shadow(m, i + 1), want[i]);
	mm_map_free(&m);
	m = MAP("MSM:A/B/C X400:o=x;ou1=*;s=y", "A/B/C = S=y; O=x; P=Acme; A=MCI; C=US", "A/B/C = S=y; O=x; OU1=1; OU2=2; P=Acme; A=MCI; C=US");
	assert_int_equal(shadow(m, 1), 0);
	assert_int_equal(shadow(m, 2), 1);
	assert_int_equal(shadow(m, 3), 0);
	mm_map_free(&m);
}

static bool covers(const struct mm_map *m, const char *pattern)
{
	struct oraddr p;
	struct err e;
	if (!oraddr_parse(view_str(pattern), &p, arena, ORADDR_PATTERN, &e))
		fail_msg("%s", e.text);
	return mm_map_covers(m, &p);
}

static void k169117_spaces_that_no_line_covers(void **state)
{
	(void)state;
	struct mm_map *m = MAP("N/*/* = O=*; S=*; P=Sales; A=MCI; C=US");
	assert_true(covers(m, "C=US; A=MCI; P=Acme"));
	assert_true(covers(m, "C=US; A=MCI; P=Acme; DDA:MS=*"));
	assert_true(covers(m, "C=*"));
	assert_true(covers(m, "C=us; P=sales"));
	assert_true(covers(m, "C=US; A=MCI; P=Sales; O=Any"));
	assert_true(covers(m, "C=US; A=MCI; P=Sales; O=*; S=*"));
	assert_false(covers(m, "C=US; A=MCI; P=Sales; OU1=x"));
	assert_false(covers(m, "C=US; A=MCI; P=Acme; DDA:SMTP=x"));
	assert_false(covers(m, "C=US; A=MCI; P=Acme; DDA:SMTP=*"));
	assert_false(covers(m, "C=US; A=MCI; P=Acme; O=Org"));
	assert_false(covers(m, "C=GB"));
	mm_map_free(&m);
}

/* docs/msmail.md shows these. */
static void the_examples_of_the_docs(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"SALES/WEST/ANNA = G=Anna; S=Archer; O=Sales; P=LONDON; A=POSTHORN; C=GB",
		"SALES/*/* = OU1=*; S=*; O=Sales; P=LONDON; A=POSTHORN; C=GB",
		"MSM:PLANT/LINE1/BOSS   X400:o=Plant;ou1=*;s=Boss",
	};
	struct mm_map *m = map_of(lines, ARRAY_LEN(lines), "C=GB; A=POSTHORN; P=LONDON");
	becomes(m, MM_ADDRESS_MS, "SALES/WEST/ANNA", "G=Anna; S=Archer; O=Sales; P=LONDON; A=POSTHORN; C=GB");
	becomes(m, MM_ADDRESS_MS, "sales/east/bob", "S=BOB; O=Sales; OU1=EAST; P=LONDON; A=POSTHORN; C=GB");
	becomes(m, MM_ADDRESS_MS, "SALES/EAST/R_D", "S=R(u)D; O=Sales; OU1=EAST; P=LONDON; A=POSTHORN; C=GB");
	becomes(m, MM_ADDRESS_MS, "PLANT/LINE1/BOSS", "O=Plant; S=Boss; P=LONDON; A=POSTHORN; C=GB");
	becomes(m, MM_ADDRESS_MS, "OTHER/PO/EVE", "DDA:MS=OTHER/PO/EVE; P=LONDON; A=POSTHORN; C=GB");
	becomes(m, 0, "Joe [SMTP:joe@acme.com]", "DDA:SMTP=joe(a)acme.com; P=LONDON; A=POSTHORN; C=GB");
	back(m, "C=de; A=x; S=Mueller*M{200}uller", MM_ADDRESS_X400, "/c=de/a=x/s=Mueller*M{200}uller");
	mm_map_free(&m);
}

/* ---- properties ---- */

struct dice { uint64_t x; };

static unsigned roll(struct dice *d, unsigned sides)
{
	d->x = d->x * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(d->x >> 33) % sides;
}

/* 1..10 octets of anything but `/`, controls, lower case, and blanks at an end. */
static void some_part(struct dice *d, char *to_r)
{
	static const char often[] = "ABCXYZ0123456789()@_%!\"#&*$;=,:'+-. []{}\\|";
	unsigned n = 1 + roll(d, MM_NAME_MAX);
	for (unsigned i = 0; i < n; i++) {
		char c = often[roll(d, sizeof often - 1)];
		if (roll(d, 6) == 0)
			c = (char)(0x80 + roll(d, 0x80));
		if (c == ' ' && (i == 0 || i + 1 == n))
			c = '_';
		to_r[i] = c;
	}
	to_r[n] = 0;
}

static void from_and_to_are_inverse_for_any_name(void **state)
{
	(void)state;
	struct mm_map *m = MAP("NET/*/* = O=*; S=*; P=Acme; A=MCI; C=US", "*/PO/* = CN=*; OU1=*; O=Way; P=Acme; A=MCI; C=US");
	struct dice d = {20260101};
	for (unsigned round = 0; round < 20000; round++) {
		struct mm_name n = {0};
		struct err e = {0};
		char text[64];
		arena_reset(arena);
		some_part(&d, n.network);
		some_part(&d, n.postoffice);
		some_part(&d, n.mailbox);
		if (roll(&d, 3) == 0)
			snprintf(n.network, sizeof n.network, "NET");
		if (roll(&d, 3) == 0)
			snprintf(n.postoffice, sizeof n.postoffice, "PO");
		for (char *c = n.network; *c != 0; c++) /* a colon there would end a type */
			*c = *c == ':' ? '-' : *c;
		snprintf(text, sizeof text, "%s/%s/%s", n.network, n.postoffice, n.mailbox);
		struct mm_address from = {.type = MM_ADDRESS_MS, .text = view_str(text)}, again = {0};
		struct oraddr x;
		if (!mm_to_oraddr(m, &from, &x, arena, &e) || !oraddr_check(&x, &e) || !mm_from_oraddr(m, &x, &again, arena, &e))
			fail_msg("%s: %s", text, e.text);
		if (again.type != MM_ADDRESS_MS || !view_eq(again.text, view_str(text)))
			fail_msg("%s comes back as %.*s by %s", text, (int)again.text.n, (const char *)again.text.p, oraddr_text(&x, arena));
	}
	mm_map_free(&m);
}

static void from_and_to_are_inverse_for_any_type(void **state)
{
	(void)state;
	static const char often[] = "ABxyz0123456789()@_%!\"#&*$;=,:'+-. /";
	struct dice d = {4711};
	for (unsigned round = 0; round < 20000; round++) {
		char text[64] = "FAX:";
		unsigned n = 4 + 1 + roll(&d, 22);
		for (unsigned i = 4; i < n; i++)
			text[i] = roll(&d, 3) == 0 ? (char)('0' + roll(&d, 10)) : often[roll(&d, sizeof often - 1)];
		if (text[4] == ' ')
			text[4] = '1';
		if (text[n - 1] == ' ')
			text[n - 1] = '2';
		text[n] = 0;
		arena_reset(arena);
		typed_round(text, NULL);
	}
}

/* Any O/R address that is printed for MS Mail is read as the same again. */
static void from_and_to_are_inverse_for_x400(void **state)
{
	(void)state;
	static const char *const some[] = {
		"C=gb; A=gold; P=x; O=Org/Unit; OU1=a; OU2=b; S=Smith; G=John; I=JS; Q=III",
		"C=gb; P=x; CN=Desk = 7; DDA:RFC-822=joe(a)acme.com; DDA:x=a/b=c",
		"C=gb; A=x; X.121=23421; T-ID=abc; N-ID=99; T-TY=tlx",
		"C=de; A=x; S=Mueller*M{200}uller; O=Org",
		"C=fr; A=x; PD-C=fr; PD-PC=75001; PD-A1=one; PD-A2=two; S=Un",
		"ISDN=441234567; NET-SUB=12; C=gb; A=x",
		"C=gb; A=x; EXT-99=0C0161; S=Who",
	};
	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		struct oraddr x = parsed(some[i]);
		struct mm_address a = from_x(plain, &x);
		assert_int_equal(a.type, MM_ADDRESS_X400);
		struct oraddr again = to_n(plain, a.type, a.text);
		if (!oraddr_eq(&x, &again))
			fail_msg("%s comes back as %s by %.*s", some[i], oraddr_text(&again, arena), (int)a.text.n, (const char *)a.text.p);
	}
}

static void a_full_arena_is_an_error_of_the_recipient(void **state)
{
	(void)state;
	static const char *const texts[] = {"NET/PO/MBX", "[X400:c=us;a=x;s=Smith]", "SMTP:joe@acme.com"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t quota = 1; quota < 4000; quota += 64) {
			struct arena *small = arena_new(quota);
			struct mm_address from = {.text = view_str(texts[i])}, again;
			struct oraddr x;
			struct err e = {0};
			if (!mm_to_oraddr(plain, &from, &x, small, &e) || !mm_from_oraddr(plain, &x, &again, small, &e))
				assert_int_equal(e.kind, ERR_PERM);
			arena_free(&small);
		}
}

/* Q116466, Q94410: a client's text says what it is, whatever type the address bears; a mover leads it to the mailbag of that gateway. */
static void a_name_to_route_by(void **state)
{
	static const struct { unsigned type; const char *text, *want; } rows[] = {
		{ MM_ADDRESS_MS, "NET/PO/MBX", "NET/PO/MBX" },
		{ MM_ADDRESS_MS, "net/po/m b", "net/po/m b" },
		{ MM_ADDRESS_MS, "NET/PO", "NET/PO" },
		{ MM_ADDRESS_MS, "MS:NET/PO/MBX", "NET/PO/MBX" },
		{ MM_ADDRESS_TYPED, "CSI:NET/PO/MBX", "NET/PO/MBX" },
		{ MM_ADDRESS_MS, "[MS:NET/PO/MBX]", "NET/PO/MBX" },
		{ MM_ADDRESS_MS, "Joe Doe [PCM: NET/PO/MBX]", "NET/PO/MBX" },
		{ MM_ADDRESS_MS, "X400:/c=gb/a=x/s=y", "X400/" },
		{ MM_ADDRESS_MS, "x400:c=gb;a=x", "X400/" },
		{ MM_ADDRESS_MS, "[X400:c=gb;a=x;s=y]", "X400/" },
		{ MM_ADDRESS_MS, "/c=gb/a=x/p=y/s=z", "X400/" },
		{ MM_ADDRESS_X400, "/c=gb/a=x/s=y", "X400/" },
		{ MM_ADDRESS_X400, "NET/PO/MBX", "X400/" },
		{ MM_ADDRESS_X400, "SMTP:joe@host", "X400/" },
		{ MM_ADDRESS_TYPED, "SMTP:joe@host", "SMTP/" },
		{ MM_ADDRESS_MS, "SMTP:joe@host", "SMTP/" },
		{ MM_ADDRESS_MS, "Joe [SMTP:joe@host/x]", "SMTP/" },
		{ 9, "FAX:1 (212) 555-0100", "FAX/" },
		{ MM_ADDRESS_MS, "EX:/o=a/cn=Recipients/cn=b", NULL },
		{ MM_ADDRESS_MS, "", NULL },
		{ MM_ADDRESS_TYPED, "", NULL },
		{ MM_ADDRESS_TYPED, "joe", NULL },
		{ MM_ADDRESS_MS, "NET/PO/MAILBOXOF13", NULL },
		{ MM_ADDRESS_MS, "A/B/C/D", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct mm_address from = { .type = rows[i].type, .text = view_str(rows[i].text) };
		struct mm_name n;
		struct err e;
		struct out o;
		out_init(&o, 100);
		if (!mm_route_name(&from, &n, &e)) {
			if (rows[i].want != NULL)
				fail_msg("%s: %s", rows[i].text, e.text);
			assert_int_equal(e.kind, ERR_PERM);
			assert_int_equal(e.culprit, ERR_OF_RECIPIENT);
		} else {
			mm_name_print(&n, &o);
			if (rows[i].want == NULL || strcmp(out_cstr(&o), rows[i].want) != 0)
				fail_msg("%s: %s", rows[i].text, out_cstr(&o));
		}
		out_fini(&o);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(rfc2156_3_2_table), T(rfc2156_3_2_is_read_tolerantly), T(code_page_octets_are_kept),
		T(k241365_parentheses_are_escaped_once), T(k254725_mixed_escapes_become_one_layer),
		T(k185592_area_codes_are_no_escapes), T(k310797_telephone_numbers_are_not_unescaped),
		T(k176425_dollar_escapes_a_slash), T(k177869_escapes_become_a_slash_and_nothing_else),
		T(x400_texts_that_gateways_write), T(k176129_k176181_types_and_values_stay_together), T(k183064_only_the_first_equal_separates),
		T(k139203_dt_and_dv_are_no_keywords), T(k146588_of_two_attributes_the_first_counts), T(k160947_empty_ddas_are_left_out),
		T(k165485_an_empty_prmd_is_left_out), T(k176194_absent_is_not_empty), T(k176952_an_empty_prmd_of_a_peer_is_none),
		T(k118563_bounds), T(x400_text_that_is_none), T(x400_without_country_is_ours),
		T(k243701_an_unresolved_directory_name_is_one_recipients_fault), T(k192052_k146032_k169695_foreign_types_have_our_domain_before_them),
		T(k169671_a_malformed_smtp_address_is_refused), T(k173344_over_long_addresses_are_refused), T(ms_names),
		T(k183104_names_are_upper_case_outwards), T(k128627_ten_characters_are_compared), T(ms_dda_that_is_no_name),
		T(a_name_to_route_by),
		T(the_first_line_wins_both_ways), T(wildcards_take_the_parts_in_order), T(a_part_that_does_not_fit_falls_through),
		T(k107098_lines_of_the_gateways_table), T(k168136_admd_zero_is_the_blank),
		T(k245585_the_type_of_a_dda_is_kept), T(k155790_names_of_a_code_page_in_the_table), T(a_wrong_line_is_named), T(ten_thousand_lines),
		T(lines_that_are_never_used), T(the_examples_of_the_docs), T(k169117_spaces_that_no_line_covers),
		T(from_and_to_are_inverse_for_any_name), T(from_and_to_are_inverse_for_any_type), T(from_and_to_are_inverse_for_x400),
		T(a_full_arena_is_an_error_of_the_recipient),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
