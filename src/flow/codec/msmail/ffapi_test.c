/* ffapi_test.c - message files of the File Format API. Their tokens and layout are those of Q118785, the addresses those of Q94410 and
 * Q116466 (facts B1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/msmail/ffapi.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(8 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

struct file { struct mai m; struct ffapi_body *bodies; struct view text_file; };

static bool parse(struct view v, struct file *f, struct err *e)
{
	struct mai_limits l = mai_limits_default();
	return ffapi_parse(v, &f->m, &f->bodies, &f->text_file, arena, &l, e);
}

static struct file parsed_n(struct view v)
{
	struct file f;
	struct err e = {0};
	if (!parse(v, &f, &e))
		fail_msg("%s", e.text);
	return f;
}

static struct file parsed(const char *text)
{
	return parsed_n(view_str(text));
}

static void refused_n(struct view v, const char *why)
{
	struct file f;
	struct err e = {0};
	if (parse(v, &f, &e))
		fail_msg("taken: %.*s", (int)v.n, (const char *)v.p);
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	assert_int_equal(e.reason, 1);
	assert_int_equal(e.diagnostic, 12);
	if (strstr(e.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

static void refused(const char *text, const char *why)
{
	refused_n(view_str(text), why);
}

#define IS(v, want) assert_true(view_eq((v), VIEW(want)))
#define HEAD "FROM:A/B/C\r\nTO:X/Y/Z\r\n"

/* ---- read ---- */

/* The example of the format, whole, with each of the three line ends and with all of them mixed. */
static void a_whole_message(const char *const ends[4])
{
	struct out o;
	out_init(&o, 10000);
	static const char *const lines[] = {
		"Version:3.00", "TO:NETWORK/PO/JOHN", "to:CSI:NET/PO/BOB", "To:X400:/c=us/admd=mci/o=x/s=Smith", "TO:SMTP:joe@acme.com",
		"TO:FAX:Johns^0DMail_Campus^0DMicrosoft^0d555-1234^0D", "FROM:NET/PO/ALICE", "Date:1994-05-21", "TIME:11:26", "SUBJECT: About it: all ",
		"PRIORITY:5", "ATTACHMENTS:A FILE.TXT 4", "X-UNKNOWN: kept", "XATTACH:00000001.DOC A letter.doc", "attachments:ZERO 0", "",
		"ATTACHMENTS:C:\\DIR\\LAST.BIN 3", "TEXT:12",
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		out_str(&o, lines[i]);
		out_str(&o, ends[i % 4]);
	}
	out_str(&o, "Hello,\rBob!\n" "\rABC" "x\ny");
	struct file f = parsed_n(out_view(&o));
	assert_int_equal(f.m.n_to, 5);
	assert_int_equal(f.m.to[0].type, MM_ADDRESS_MS);
	IS(f.m.to[0].text, "NETWORK/PO/JOHN");
	assert_int_equal(f.m.to[1].type, MM_ADDRESS_MS);
	IS(f.m.to[1].text, "NET/PO/BOB");
	assert_int_equal(f.m.to[2].type, MM_ADDRESS_X400);
	IS(f.m.to[2].text, "/c=us/admd=mci/o=x/s=Smith");
	assert_int_equal(f.m.to[3].type, MM_ADDRESS_TYPED);
	IS(f.m.to[3].text, "SMTP:joe@acme.com");
	IS(f.m.to[4].text, "FAX:Johns\rMail_Campus\rMicrosoft\r555-1234\r");
	IS(f.m.from.text, "NET/PO/ALICE");
	assert_int_equal(f.m.date.year, 1994);
	assert_int_equal(f.m.date.month, 5);
	assert_int_equal(f.m.date.day, 21);
	assert_int_equal(f.m.date.hour, 11);
	assert_int_equal(f.m.date.minute, 26);
	IS(f.m.subject, "About it: all");
	assert_int_equal(f.m.priority, '5');
	IS(f.m.text, "Hello,\rBob!\n");
	assert_int_equal(f.m.n_extra, 1);
	IS(f.m.extra[0], "X-UNKNOWN: kept");
	assert_int_equal(f.m.n_attachments, 4);
	IS(f.m.attachments[0].name, "A FILE.TXT");
	IS(f.bodies[0].octets, "\rABC");
	assert_true(f.bodies[1].in_file);
	IS(f.bodies[1].name, "00000001.DOC");
	IS(f.m.attachments[1].name, "A letter.doc");
	assert_int_equal(f.bodies[2].octets.n, 0);
	IS(f.m.attachments[3].name, "LAST.BIN");
	IS(f.bodies[3].octets, "x\ny");
	assert_int_equal(f.text_file.n, 0);
	out_fini(&o);
}

static void tokens_with_any_line_end(void **state)
{
	(void)state;
	a_whole_message((const char *const[]){"\r", "\r", "\r", "\r"});
	a_whole_message((const char *const[]){"\n", "\n", "\n", "\n"});
	a_whole_message((const char *const[]){"\r\n", "\r\n", "\r\n", "\r\n"});
	for (unsigned i = 0; i < 81; i++) {
		static const char *const ends[] = {"\r", "\n", "\r\n"};
		a_whole_message((const char *const[]){ends[i % 3], ends[i / 3 % 3], ends[i / 9 % 3], ends[i / 27 % 3]});
	}
}

/* As clients show them (Q94410, Q116466): the address is in the brackets, what stands before them is the friendly name. */
static void addresses_in_brackets(void **state)
{
	(void)state;
	struct file f = parsed("FROM:Joe Doe [SMTP:joe@acme.com]\rTO:[MS:NET/PO/ANN]\rTO:Sue [x400:c=us;a=mci;o=x;s=Smith]\rTO:A/B/C [x]\rTO:[]\rTEXT:0\r");
	assert_int_equal(f.m.from.type, MM_ADDRESS_TYPED);
	IS(f.m.from.text, "SMTP:joe@acme.com");
	IS(f.m.from.friendly, "Joe Doe");
	assert_int_equal(f.m.to[0].type, MM_ADDRESS_MS);
	IS(f.m.to[0].text, "NET/PO/ANN");
	assert_int_equal(f.m.to[0].friendly.n, 0);
	assert_int_equal(f.m.to[1].type, MM_ADDRESS_X400);
	IS(f.m.to[1].text, "c=us;a=mci;o=x;s=Smith");
	IS(f.m.to[1].friendly, "Sue");
	IS(f.m.to[2].text, "A/B/C [x]");
	IS(f.m.to[3].text, "[]");
}

/* With CR as line end a text or attachment may begin with LF: the sizes say whose it is. */
static void a_line_feed_that_belongs_to_what_follows(void **state)
{
	(void)state;
	struct file f = parsed("FROM:a\rTO:b\rTEXT:3\r\nab");
	IS(f.m.text, "\nab");
	f = parsed("FROM:a\rTO:b\rTEXT:2\r\nab");
	IS(f.m.text, "ab");
	f = parsed("FROM:a\rTO:b\rATTACHMENTS:x 2\rTEXT:0\r\nz");
	IS(f.bodies[0].octets, "\nz");
}

static void text_in_a_file(void **state)
{
	(void)state;
	struct file f = parsed(HEAD "ATTACHMENTS:x 2\r\nXTEXT:00000001.TXT\r\nab");
	IS(f.text_file, "00000001.TXT");
	assert_int_equal(f.m.text.n, 0);
	IS(f.bodies[0].octets, "ab");
	f = parsed(HEAD "XTEXT:A.TXT");
	IS(f.text_file, "A.TXT");
}

static void sizes_are_checked_against_what_is_there(void **state)
{
	(void)state;
	struct file f = parsed(HEAD "TEXT:0");
	assert_int_equal(f.m.text.n, 0);
	f = parsed(HEAD "TEXT:0\r\n");
	assert_int_equal(f.m.text.n, 0);
	f = parsed(HEAD "TEXT:3\r\nabc\r\n\r\n\x1a");
	IS(f.m.text, "abc");
	refused(HEAD "TEXT:4\r\nabc", "found 3 octets at offset");
	refused(HEAD "TEXT:2\r\nabc", "found 1 octets at offset");
	refused(HEAD "ATTACHMENTS:x 4\r\nTEXT:3\r\nabcdef", "want 4 of an attachment");
	refused(HEAD "TEXT:-1\r\n", "a size");
	refused(HEAD "TEXT:\r\n", "a size");
	refused(HEAD "TEXT:0x10\r\n", "a size");
	refused(HEAD "TEXT:1073741825\r\n", "a size"); /* the limit and one */
	refused(HEAD "TEXT:99999999999999999999\r\n", "a size");
	refused(HEAD "ATTACHMENTS:x 18446744073709551615\r\nTEXT:0\r\n", "a size");
}

static void fifty_megabytes(void **state)
{
	(void)state;
	enum { SIZE = 50 << 20 };
	static const char head[] = HEAD "ATTACHMENTS:big 52428800\r\nTEXT:2\r\nhi";
	size_t n = sizeof head - 1 + SIZE;
	uint8_t *octets = calloc(1, n);
	memcpy(octets, head, sizeof head - 1);
	octets[n - 1] = 'z';
	struct file f = parsed_n(view_of(octets, n));
	assert_int_equal(f.bodies[0].octets.n, SIZE);
	assert_int_equal(f.bodies[0].octets.p[SIZE - 1], 'z');
	assert_true(arena_used(arena) < 100000); /* and no copy of it */
	refused_n(view_of(octets, n - 1), "want 52428800");
	free(octets);
}

static void errors_name_the_line(void **state)
{
	(void)state;
	refused(HEAD "SUBJECT x\r\nTEXT:0", "line 3: found \"SUBJECT x\", want TOKEN:value");
	refused(HEAD ":x\r\nTEXT:0", "line 3");
	refused("\r\n\r\n" HEAD "ATTACHMENTS:x\r\nTEXT:0", "line 5: found \"ATTACHMENTS:x\", want ATTACHMENTS:name size");
	refused(HEAD "ATTACHMENTS:x y\r\nTEXT:0", "want a size");
	refused(HEAD "ATTACHMENTS: 5\r\nTEXT:0", "ATTACHMENTS:name size");
	refused("VERSION:4.00\r\n" HEAD "TEXT:0", "line 1: found \"VERSION:4.00\", want VERSION:3.00");
	refused("VERSION:\r\n" HEAD "TEXT:0", "want VERSION:3.00");
	refused(HEAD, "TEXT:size");
	refused("", "TEXT:size");
	refused("TO:X/Y/Z\r\nTEXT:0", "FROM:address");
	refused("FROM:X/Y/Z\r\nTEXT:0", "TO:address");
	(void)parsed("VERSION:2.1\r\n" HEAD "TEXT:0");
	(void)parsed("VERSION:3.00 \r\n" HEAD "TEXT:0");
}

/* No name leads out of the directory; a label loses its path. */
static void paths_do_not_leave_the_directory(void **state)
{
	(void)state;
	static const char *const bad[] = {"../x", "/etc/passwd", "..", ".", "C:\\autoexec.bat", "C:x", "a/b", "a\\b", "..\\x", "", ".hidden", "a\001b"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[200];
		snprintf(text, sizeof text, HEAD "XATTACH:%s\r\nTEXT:0", bad[i]);
		refused(text, "without a path");
		snprintf(text, sizeof text, HEAD "XTEXT:%s", bad[i]);
		refused(text, "without a path");
	}
	struct file f = parsed(HEAD "XATTACH:ok.doc ..\\..\\letter.doc\r\nATTACHMENTS:/tmp/x/y.txt 0\r\nTEXT:0");
	IS(f.m.attachments[0].name, "letter.doc");
	IS(f.m.attachments[1].name, "y.txt");
	IS(f.bodies[0].name, "ok.doc");
}

static void what_cannot_be_read_is_kept(void **state)
{
	(void)state;
	struct file f = parsed(HEAD "Date:21.05.1994\r\nTIME:late\r\nPRIORITY:high\r\nFROM:second\r\nSUBJECT:one\r\nSUBJECT:two\r\nCOLOUR:red\r\nTEXT:0");
	assert_int_equal(f.m.date.year, 0);
	assert_int_equal(f.m.priority, 0);
	IS(f.m.from.text, "A/B/C");
	IS(f.m.subject, "one");
	assert_int_equal(f.m.n_extra, 6);
	IS(f.m.extra[0], "Date:21.05.1994");
	IS(f.m.extra[3], "FROM:second");
	IS(f.m.extra[5], "COLOUR:red");
	f = parsed(HEAD "DATE:1994-13-01\r\nDATE:1994-12-01\r\nTIME:23:59:58\r\nPRIORITY:r\r\nTEXT:0");
	assert_int_equal(f.m.date.month, 12);
	assert_int_equal(f.m.date.second, 58);
	assert_int_equal(f.m.priority, 'r');
}

/* ---- written ---- */

static void printed(struct out *o, const struct file *f, enum ffapi_line_end end)
{
	struct err e = {0};
	out_clear(o);
	if (!ffapi_print(&f->m, f->bodies, end, o, &e))
		fail_msg("%s", e.text);
}

static void the_form_of_a_file(void **state)
{
	(void)state;
	struct mm_address to[] = {{.type = MM_ADDRESS_MS, .text = VIEW("NET/PO/BOB")}, {.type = MM_ADDRESS_X400, .text = VIEW("/c=us/a=x/s=S")}};
	struct mm_address cc[] = {{.type = MM_ADDRESS_TYPED, .text = VIEW("FAX:a\rb")}};
	struct mm_attachment attachments[] = {{.name = VIEW("one.txt")}, {.name = VIEW("../two:x")}, {.name = view_of(NULL, 0)}};
	struct ffapi_body bodies[] = {{.octets = VIEW("abc")}, {.name = VIEW("00000007.BIN"), .in_file = true}, {.octets = VIEW("")}};
	struct view extra[] = {VIEW("COLOUR:red"), VIEW("\x7f\x05" "1 \x02"), VIEW("TO:nobody"), VIEW("a\nTO:x")};
	struct file f = {.bodies = bodies, .m = {
		.from = {.type = MM_ADDRESS_MS, .text = VIEW("NET/PO/ALICE")}, .to = to, .n_to = 2, .cc = cc, .n_cc = 1,
		.date = {2026, 1, 2, 3, 4, 5}, .priority = '5', .subject = VIEW("a\rb"), .text = VIEW("one\rtwo\nthree\r\n\r\nend"),
		.attachments = attachments, .n_attachments = 3, .extra = extra, .n_extra = 4,
	}};
	struct out o;
	out_init(&o, 10000);
	printed(&o, &f, FFAPI_CRLF);
	assert_string_equal(out_cstr(&o), "VERSION:3.00\r\nFROM:NET/PO/ALICE\r\nTO:NET/PO/BOB\r\nTO:X400:/c=us/a=x/s=S\r\nTO:FAX:a^0Db\r\n"
					  "Date:2026-01-02\r\nTIME:03:04\r\nSUBJECT:a b\r\nPRIORITY:5\r\nCOLOUR:red\r\nATTACHMENTS:one.txt 3\r\n"
					  "XATTACH:00000007.BIN .._two_x\r\nATTACHMENTS:ATT.DAT 0\r\nTEXT:22\r\none\r\ntwo\r\nthree\r\n\r\nendabc");
	out_fini(&o);
}

/* What a file says is the same after it is written again, with any line end; the lines of the text have that one then. */
static void written_and_read_again_is_the_same(void **state)
{
	(void)state;
	static const char *const files[] = {
		HEAD "TEXT:0",
		"VERSION:3.00\rTO:A/B/C\rTO:X400:/c=us/a=x/s=y\rTO:SMTP:joe@x\rTO:FAX:a^0Db^0D\rFROM:A/B/C\rDate:1994-05-21\rTIME:11:26\rSUBJECT:s\r"
		"PRIORITY:R\rNEW:thing\rATTACHMENTS:a b.txt 3\rXATTACH:p.doc the doc.doc\rATTACHMENTS:z 0\rTEXT:11\rline\rline\r\r" "\n\r\n",
		HEAD "XATTACH:p.doc\r\nPRIORITY:x y\r\nFROM:two\r\nTEXT:3\r\n\r\rx",
	};
	for (size_t i = 0; i < ARRAY_LEN(files) * 3; i++) {
		enum ffapi_line_end end = (enum ffapi_line_end)(i % 3);
		struct out o, again;
		out_init(&o, 10000);
		out_init(&again, 10000);
		struct file f = parsed(files[i / 3]);
		printed(&o, &f, end);
		struct file g = parsed_n(out_view(&o));
		printed(&again, &g, end);
		assert_true(view_eq(out_view(&o), out_view(&again)));
		assert_int_equal(f.m.n_to, g.m.n_to);
		assert_int_equal(f.m.n_extra, g.m.n_extra);
		assert_int_equal(f.m.n_attachments, g.m.n_attachments);
		assert_true(view_eq(f.m.subject, g.m.subject) && f.m.priority == g.m.priority);
		assert_memory_equal(&f.m.date, &g.m.date, sizeof f.m.date);
		for (size_t k = 0; k < f.m.n_to; k++)
			assert_true(f.m.to[k].type == g.m.to[k].type && view_eq(f.m.to[k].text, g.m.to[k].text));
		for (size_t k = 0; k < f.m.n_attachments; k++) {
			assert_true(view_eq(f.m.attachments[k].name, g.m.attachments[k].name));
			assert_true(view_eq(f.bodies[k].octets, g.bodies[k].octets) && f.bodies[k].in_file == g.bodies[k].in_file);
		}
		out_fini(&o);
		out_fini(&again);
	}
}

static void what_cannot_be_written_is_said(void **state)
{
	(void)state;
	struct file f = parsed(HEAD "TEXT:0");
	struct out o;
	struct err e = {0};
	out_init(&o, 10000);
	f.m.to[0].text = VIEW("A/B/C\nTO:D/E/F"); /* would be a line of its own */
	assert_false(ffapi_print(&f.m, f.bodies, FFAPI_LF, &o, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(out_len(&o), 0);
	out_fini(&o);
	f = parsed(HEAD "XATTACH:x\r\nTEXT:0");
	out_init(&o, 10000);
	f.bodies[0].name = VIEW("../x");
	assert_false(ffapi_print(&f.m, f.bodies, FFAPI_LF, &o, &e));
	assert_int_equal(e.kind, ERR_PERM);
	out_fini(&o);
	f = parsed(HEAD "TEXT:0");
	out_init(&o, 20);
	assert_false(ffapi_print(&f.m, f.bodies, FFAPI_LF, &o, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	out_fini(&o);
}

/* ---- hostile ---- */

static void cut_at_every_offset(void **state)
{
	(void)state;
	static const char text[] = "VERSION:3.00\r\nFROM:A/B/C\r\nTO:FAX:x^0D\r\nDate:1994-05-21\r\nTIME:11:26\r\nATTACHMENTS:a 3\r\nTEXT:4\r\nabcdxyz";
	for (size_t n = 0; n < sizeof text; n++) {
		uint8_t *copy = malloc(n + 1);
		struct file f;
		struct err e = {0};
		memcpy(copy, text, n);
		arena_reset(arena);
		assert_int_equal(parse(view_of(copy, n), &f, &e), n == sizeof text - 1);
		free(copy);
	}
}

static void limits(void **state)
{
	(void)state;
	struct mai_limits l = {.elements = 3, .octets = 60};
	struct file f;
	struct err e = {0};
	assert_true(ffapi_parse(VIEW("FROM:a\nTO:b\nTEXT:1\nx"), &f.m, &f.bodies, &f.text_file, arena, &l, &e));
	assert_false(ffapi_parse(VIEW("FROM:a\nTO:b\nTO:c\nTEXT:1\nx"), &f.m, &f.bodies, &f.text_file, arena, &l, &e));
	assert_int_equal(e.kind, ERR_PERM);
	l = (struct mai_limits){.elements = 9, .octets = 10};
	assert_false(ffapi_parse(VIEW("FROM:a\nTO:b\nTEXT:1\nx"), &f.m, &f.bodies, &f.text_file, arena, &l, &e));
	l.octets = 1000;
	for (size_t quota = 0; quota < 4000; quota += 32) {
		struct arena *small = arena_new(quota);
		if (!ffapi_parse(VIEW("FROM:a\nTO:b\nATTACHMENTS:x 0\nTEXT:1\nx"), &f.m, &f.bodies, &f.text_file, small, &l, &e))
			assert_int_equal(e.kind, ERR_PERM);
		arena_free(&small);
	}
}

/* Every beginning of a file is one, but for where only ends of lines are missing; no other bad file is. */
static void a_beginning_is_told_from_a_bad_file(void **state)
{
	static const char *const wholes[] = {
		"VERSION:3.00\rTO:A/B/C\rFROM:A/B/D\rATTACHMENTS:x.dat 3\rTEXT:5\rhelloabc", "version:3.00\r\nFROM:A/B/D\r\nTO:A/B/C\r\nXTEXT:FILE.TXT\r\n",
	};
	static const char *const bad[] = {
		"VERSION:3.00\rTEXT:900\rshort", "VERSION:3.00\rTO A/B/C\rFROM:A/B/D\rTEXT:5\r", "VERSION:9.00\rTO:A/B/C\rFROM:A/B/D\rTEXT:5\rhello",
		"VERSION:3.00\rTO:A/B/C\rFROM:A/B/D\rTEXT:5\rhello and more", "VERSION:3.00\rTO:A/B/C\rFROM:A/B/D\rTEXT:x\rhello",
	};
	const struct mai_limits limits = mai_limits_default();
	struct arena *a = arena_new(1 << 20);
	struct ffapi_body *bodies;
	struct view text_file;
	struct mai m;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wholes); i++)
		for (size_t n = 0; n < strlen(wholes[i]); n++) {
			const struct view v = view_of(wholes[i], n);
			if (!ffapi_parse(v, &m, &bodies, &text_file, a, &limits, NULL) && !ffapi_is_cut(v, a, &limits))
				fail_msg("file %zu at %zu: is no beginning", i, n);
		}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(ffapi_parse(view_str(bad[i]), &m, &bodies, &text_file, a, &limits, NULL));
		if (ffapi_is_cut(view_str(bad[i]), a, &limits))
			fail_msg("bad file %zu is none that is cut", i);
	}
	arena_free(&a);
}

/* The names in a beginning of any length are those that the whole has there; text and what is behind it names nothing. */
static void names_in_the_lines(void **state)
{
	(void)state;
	static const char *const ends[] = { "\r", "\n", "\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char file[300], text[12];
		struct view name;
		snprintf(file, sizeof file, "VERSION:3.00%sno colon%s xattach : A.DOC  the letter.doc%sATTACHMENTS:B.DOC 3%sXATTACH:C%sXATTACH:%sTEXT:99%sXATTACH:D%sXTEXT:E%s",
			 ends[i], ends[i], ends[i], ends[i], ends[i], ends[i], ends[i], ends[i], ends[i]);
		size_t at = 0, n = 0;
		for (; ffapi_next_name(view_str(file), &at, &name); n++)
			assert_true(n < 3 && view_eq(name, view_str(((const char *const[]){ "A.DOC", "C", "" })[n])));
		assert_int_equal(n, 3);
		for (size_t cut = 0; cut < strlen(file); cut++) {
			n = at = 0;
			while (ffapi_next_name(view_of(file, cut), &at, &name))
				n++;
			assert_true(n <= 3 && at <= cut);
		}
		snprintf(text, sizeof text, "%sxtext:F G", ends[i]);
		at = 0;
		assert_true(ffapi_next_name(view_str(text), &at, &name));
		assert_true(view_eq(name, VIEW("F G")));
		assert_false(ffapi_next_name(view_str(text), &at, &name));
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(tokens_with_any_line_end), T(addresses_in_brackets), T(a_line_feed_that_belongs_to_what_follows), T(text_in_a_file),
		T(sizes_are_checked_against_what_is_there), T(fifty_megabytes), T(errors_name_the_line), T(paths_do_not_leave_the_directory),
		T(what_cannot_be_read_is_kept), T(the_form_of_a_file), T(written_and_read_again_is_the_same), T(what_cannot_be_written_is_said),
		T(cut_at_every_offset), T(limits), T(a_beginning_is_told_from_a_bad_file),
		T(names_in_the_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
