/* convert_test.c - there and back again, over messages made from seeds: what one way has made, the other way and this one again make the same.
 * So nothing grows, wraps or drifts from hop to hop (Q161952, Q184104). And the files of the File Format API, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>

#include "flow/codec/ipm/ipm_convert.h"
#include "flow/codec/msmail/convert_testing.h"
#include "flow/codec/msmail/mai_testing.h"

static struct testing_world w;

static int setup(void **state)
{
	(void)state;
	w = testing_world_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	testing_world_free(&w);
	return 0;
}

static const unsigned pages[] = { 437, 850, 852, 1250, 1251, 1252, 866, 20866, 932, 65001 };

/* Characters that the page has: octets of chance, read and written once. `ends`: line ends among them. */
static struct view words(struct testing_random *r, unsigned page, size_t max, bool ends)
{
	struct out raw, utf8, octets;
	const size_t n = testing_below(r, max + 1);
	out_init(&raw, max + 2);
	out_init(&utf8, 4 * max + 16);
	out_init(&octets, 4 * max + 16);
	for (size_t i = 0; i < n; i++) {
		const size_t what = testing_below(r, 20);
		if (what == 0 && ends)
			out_bytes(&raw, view_first(VIEW("\r\n\n\r\r\n"), 1 + testing_below(r, 3)));
		else
			out_u8(&raw, (uint8_t)(what < 14 ? 0x20 + testing_below(r, 95) : 0x80 + testing_below(r, 128)));
		if (out_len(&raw) + 4 > max)
			break;
	}
	(void)charset_page_to_utf8(w.kit, page, out_view(&raw), &utf8);
	(void)charset_page_from_utf8(w.kit, page, out_view(&utf8), &octets);
	const struct view v = arena_copy(w.a, out_view(&octets));
	out_fini(&raw);
	out_fini(&utf8);
	out_fini(&octets);
	return v;
}

static struct mm_address *addresses(struct testing_random *r, unsigned page, size_t n)
{
	struct mm_address *v = arena_array(w.a, n, sizeof *v);
	for (size_t i = 0; i < n; i++) {
		char text[40];
		snprintf(text, sizeof text, "FAR/PO9/U%zu", testing_below(r, 1000));
		v[i] = (struct mm_address){ .type = MM_ADDRESS_MS, .text = arena_copy(w.a, view_str(text)), .friendly = words(r, page, 20, false) };
	}
	return v;
}

static struct mai random_mai(struct testing_random *r, unsigned page, struct mm_file *files)
{
	struct mai m = { .bags = 1, .hops = 10, .code_page = page, .from = testing_ms("NET1/PO1/BOB"), .priority = "12345\0R"[testing_below(r, 7)],
			 .date = { 1993, (uint8_t)(1 + testing_below(r, 9)), (uint8_t)(1 + testing_below(r, 28)), (uint8_t)testing_below(r, 24),
				   (uint8_t)testing_below(r, 60), (uint8_t)testing_below(r, 60) },
			 .subject = words(r, page, testing_below(r, 4) == 0 ? 200 : 40, false), .text = words(r, page, 1 << testing_below(r, 14), true),
			 .receipt = testing_below(r, 2) == 0, .n_attachments = testing_below(r, 21) };
	m.n_to = 1 + testing_below(r, 5);
	m.to = addresses(r, page, m.n_to);
	m.n_cc = testing_below(r, 4);
	m.cc = addresses(r, page, m.n_cc);
	if (testing_below(r, 3) == 0)
		m.class = VIEW("IPM.Some.Form");
	m.attachments = arena_array(w.a, m.n_attachments, sizeof *m.attachments);
	for (size_t i = 0; i < m.n_attachments; i++) {
		m.attachments[i] = (struct mm_attachment){
			.file = mm_id_of((uint32_t)i + 1), .name = words(r, page, 30, false), .kind = testing_below(r, 3) == 0 ? 2 : 0,
			.position = testing_below(r, 3) == 0 ? UINT32_MAX : (uint32_t)testing_below(r, m.text.n + 2),
		};
		if (testing_below(r, 2) == 0)
			m.attachments[i].date = m.date;
		files[i] = (struct mm_file){ VIEW("f"), testing_string(r, w.a, 300) };
		m.attachments[i].size = files[i].octets.n;
	}
	return m;
}

static void assert_same(struct view a, struct view b, uint64_t seed, const char *what)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (a.p[i] != b.p[i])
			fail_msg("seed %llu, %s: octet %zu of %zu and %zu", (unsigned long long)seed, what, i, a.n, b.n);
	if (a.n != b.n)
		fail_msg("seed %llu, %s: %zu and %zu octets", (unsigned long long)seed, what, a.n, b.n);
}

static void assert_same_mai(const struct testing_mai *a, const struct testing_mai *b, uint64_t seed)
{
	assert_same(a->m.subject, b->m.subject, seed, "subject");
	assert_same(a->m.text, b->m.text, seed, "text");
	assert_same(a->m.class, b->m.class, seed, "class");
	assert_int_equal(a->m.priority, b->m.priority);
	assert_int_equal(a->m.receipt, b->m.receipt);
	assert_int_equal(a->m.n_attachments, b->m.n_attachments);
	for (size_t i = 0; i < a->m.n_attachments; i++) {
		const struct mm_attachment *x = &a->m.attachments[i], *y = &b->m.attachments[i];
		assert_same(x->name, y->name, seed, "name");
		assert_same(a->done.attachments[i].octets, b->done.attachments[i].octets, seed, "attachment");
		assert_int_equal(x->position, y->position);
		assert_int_equal(x->date.year, y->date.year);
		assert_int_equal(x->date.minute, y->date.minute);
	}
	for (size_t i = 0; i < a->m.n_to; i++) {
		assert_same(a->m.to[i].text, b->m.to[i].text, seed, "to");
		assert_same(a->m.to[i].friendly, b->m.to[i].friendly, seed, "friendly");
	}
}

/* MAI -> P22 -> MAI -> P22 -> MAI: both P22 the same octets, both later MAI the same message. */
static void test_k161952_k184104_there_and_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct testing_random r = { seed };
		struct mm_file files[21];
		w.how.code_page = pages[testing_below(&r, sizeof pages / sizeof *pages)];
		const struct mai m = random_mai(&r, w.how.code_page, files);
		const struct mm_envelope v = testing_envelope(&w, &m);
		struct testing_ipm there = testing_to_ipm(&w, &m, &v, files, m.n_attachments);
		if (!there.ok)
			fail_msg("seed %llu: %s", (unsigned long long)seed, there.e.text);
		struct testing_mai back = testing_to_mai(&w, &there.m, out_view(&there.done.content));
		if (!back.ok)
			fail_msg("seed %llu: %s", (unsigned long long)seed, back.e.text);
		/* Nothing of it is lost that X.400 has a place for. */
		assert_int_equal(back.m.n_to, m.n_to);
		assert_int_equal(back.m.n_cc, m.n_cc);
		assert_int_equal(back.m.n_attachments, m.n_attachments);
		assert_int_equal(back.m.receipt, m.receipt);
		for (size_t i = 0; i < m.n_attachments; i++)
			assert_same(back.done.attachments[i].octets, files[i].octets, seed, "file");
		assert_int_equal(back.m.date.day, m.date.day);
		assert_int_equal(back.m.date.hour, m.date.hour);
		assert_int_equal(back.m.date.second, m.date.second);
		const struct mm_envelope v2 = testing_envelope(&w, &back.m);
		struct testing_ipm again = testing_to_ipm(&w, &back.m, &v2, back.done.attachments, back.done.n_attachments);
		if (!again.ok)
			fail_msg("seed %llu: %s", (unsigned long long)seed, again.e.text);
		assert_same(out_view(&there.done.content), out_view(&again.done.content), seed, "content");
		struct testing_mai last = testing_to_mai(&w, &again.m, out_view(&again.done.content));
		assert_true(last.ok);
		assert_same_mai(&back, &last, seed);
		assert_int_equal(again.done.replaced + last.done.replaced, 0);
		mm_converted_fini(&there.done);
		mm_converted_fini(&back.done);
		mm_converted_fini(&again.done);
		mm_converted_fini(&last.done);
		arena_reset(w.a);
		assert_true(gdi_parse(VIEW("C=GB; A=EXAMPLE; P=SITE"), &w.domain, w.a, NULL));
	}
	w.how.code_page = 850;
}

/* A FAT file's dates end in 1980 and 2107; those of a MAI (FIPS 98: four digits of the year) and of a file in a P22 (X.680 GeneralizedTime) do not. By clocks one hour east. */
static void test_file_dates_before_1980_and_after_2107(void **state)
{
	static const struct { struct mm_date date; const char *generalized; } rows[] = {
		{ { 93, 10, 8, 16, 25, 7 }, "00931008152507Z" }, { { 1601, 1, 1, 0, 0, 0 }, "16001231230000Z" }, { { 1969, 12, 31, 23, 59, 59 }, "19691231225959Z" },
		{ { 1979, 12, 31, 23, 59, 58 }, "19791231225958Z" }, { { 1980, 1, 1, 0, 0, 0 }, "19791231230000Z" }, { { 2107, 12, 31, 23, 59, 58 }, "21071231225958Z" },
		{ { 2108, 1, 1, 0, 0, 0 }, "21071231230000Z" }, { { 2155, 2, 28, 12, 0, 1 }, "21550228110001Z" }, { { 9999, 12, 31, 23, 59, 59 }, "99991231225959Z" },
		{ { 1970, 1, 1, 1, 0, 0 }, NULL }, /* the one second that says "none" on its way: docs/postoffice-format.md */
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
		struct mm_attachment file = { .file = mm_id_of(1), .name = VIEW("OLD.TXT"), .size = 4, .date = rows[i].date, .position = UINT32_MAX };
		const struct mm_file octets = { VIEW("f"), VIEW("data") };
		m.attachments = &file;
		m.n_attachments = 1;
		const struct mm_envelope v = testing_envelope(&w, &m);
		struct testing_ipm there = testing_to_ipm(&w, &m, &v, &octets, 1);
		assert_true(there.ok);
		const struct view content = out_view(&there.done.content);
		if (rows[i].generalized != NULL && memmem(content.p, content.n, rows[i].generalized, 15) == NULL)
			fail_msg("row %zu: no %s", i, rows[i].generalized);
		struct testing_mai back = testing_to_mai(&w, &there.m, content);
		assert_true(back.ok);
		const struct mm_date none = { 0 }, *want = rows[i].generalized != NULL ? &rows[i].date : &none;
		TESTING_SAME_DATE(back.m.attachments[0].date, *want);
		mm_converted_fini(&there.done);
		mm_converted_fini(&back.done);
	}
}

/* When a letter was composed is a UTCTime in X.400, with two digits of the year: by 1980 to 2079 it comes back (RFC 2156 3.3.5), beyond by a century off. */
static void test_letters_before_1980_and_after_2079(void **state)
{
	static const struct { struct mm_date date; const char *utc; unsigned back; } rows[] = {
		{ { 1993, 10, 8, 16, 25, 0 }, "931008152500Z", 1993 },
		{ { 2079, 12, 31, 23, 0, 0 }, "791231220000Z", 2079 },
		{ { 2080, 6, 1, 12, 0, 0 }, "800601110000Z", 1980 },
		{ { 2108, 1, 1, 10, 0, 0 }, "080101090000Z", 2008 },
		{ { 1979, 12, 31, 10, 0, 0 }, "791231090000Z", 2079 }, /* and the file's arrival says so, too; else it is the arrival's: k161933 */
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
		m.date = rows[i].date;
		struct mm_envelope v = testing_envelope(&w, &m);
		v.arrived = mm_date_to_wall(&m.date, 60, 0);
		struct testing_ipm there = testing_to_ipm(&w, &m, &v, NULL, 0);
		assert_true(there.ok);
		struct trace_element *first = &there.m.trace.v[0];
		if (!view_eq(first->arrival_raw, view_str(rows[i].utc)))
			fail_msg("row %zu: %.*s", i, (int)first->arrival_raw.n, (const char *)first->arrival_raw.p);
		assert_true(utctime_parse(first->arrival_raw, &first->arrival)); /* as the next MTA reads it */
		struct testing_mai back = testing_to_mai(&w, &there.m, out_view(&there.done.content));
		assert_true(back.ok);
		struct mm_date want = rows[i].date;
		want.year = (uint16_t)rows[i].back;
		TESTING_SAME_DATE(back.m.date, want);
		mm_converted_fini(&there.done);
		mm_converted_fini(&back.done);
	}
}

/* Every character of the three pages, in text, subject, class of an attachment's name and friendly name: the same octets come back. The table of what
 * each octet of a page is is iconv's, not ours. */
static void test_k148234_every_code_point(void **state)
{
	static const unsigned all[] = { 437, 850, 1252 };
	(void)state;
	for (size_t p = 0; p < sizeof all / sizeof *all; p++) {
		uint8_t octets[256], one[3] = { 'x', 0, 'x' };
		size_t n = 0;
		for (unsigned c = 0x20; c < 0x100; c++) {
			const bool is_none = c == 0x7f || (all[p] == 1252 && (c == 0x81 || c == 0x8d || c == 0x8f || c == 0x90 || c == 0x9d));
			if (!is_none)
				octets[n++] = (uint8_t)c;
		}
		struct mm_address to = testing_ms("FAR/PO9/ANN"); /* the arena's would go with the first round */
		struct mai m = testing_letter(&w, view_of(one, 3), view_of(octets, n));
		m.to = &to;
		w.how.code_page = m.code_page = all[p];
		for (size_t i = 0; i <= n; i++) { /* all in one, then each by itself in names */
			struct mm_attachment x = { .file = mm_id_of(1), .position = UINT32_MAX };
			const struct mm_file file = { VIEW("x"), VIEW("octets") };
			one[1] = i < n ? octets[i] : 'x';
			const bool is_name = memchr("/\\:*?\"<>|", one[1], 9) == NULL;
			x.name = view_of(one, 3);
			m.attachments = &x;
			m.n_attachments = 1;
			const struct mm_envelope v = testing_envelope(&w, &m);
			struct testing_ipm there = testing_to_ipm(&w, &m, &v, &file, 1);
			if (!there.ok)
				fail_msg("page %u: %s", all[p], there.e.text);
			struct testing_mai back = testing_to_mai(&w, &there.m, out_view(&there.done.content));
			if (!back.ok)
				fail_msg("page %u: %s", all[p], back.e.text);
			assert_same(back.m.text, m.text, all[p], "text");
			assert_int_equal(back.m.subject.n, 3);
			if (back.m.subject.p[1] != one[1] && memchr(" -'\"", back.m.subject.p[1], 4) == NULL) /* T.61 has the plain ones only */
				fail_msg("page %u, subject: %02x has become %02x", all[p], one[1], back.m.subject.p[1]);
			const bool is_blank = one[1] == (all[p] == 1252 ? 0xa0 : 0xff); /* the no-break space becomes the plain one */
			if (is_name && !is_blank)
				assert_same(back.m.attachments[0].name, x.name, one[1], "name");
			assert_int_equal(there.done.replaced + back.done.replaced, 0);
			mm_converted_fini(&there.done);
			mm_converted_fini(&back.done);
			arena_reset(w.a);
			assert_true(gdi_parse(VIEW("C=GB; A=EXAMPLE; P=SITE"), &w.domain, w.a, NULL));
		}
	}
	w.how.code_page = 850;
}

/* UTF-8 of chance: letters of many alphabets, line ends, what no page has. */
static struct view unicode(struct testing_random *r, size_t max, bool ends)
{
	static const uint32_t firsts[] = { 0x20, 0x20, 0x20, 0xa0, 0x100, 0x390, 0x410, 0x4e00, 0x1f600 };
	struct out o;
	out_init(&o, 4 * max + 16);
	for (size_t i = testing_below(r, max + 1); i > 0; i--) {
		const uint32_t c = firsts[testing_below(r, sizeof firsts / sizeof *firsts)] + (uint32_t)testing_below(r, 64);
		if (ends && testing_below(r, 16) == 0)
			out_bytes(&o, view_first(VIEW("\r\n"), 2));
		else
			charset_utf8_put(&o, c);
	}
	const struct view v = arena_copy(w.a, out_view(&o));
	out_fini(&o);
	return v;
}

static size_t random_parts(struct testing_random *r, struct ipm_compose_part *p, unsigned depth)
{
	const size_t n = 1 + testing_below(r, 6);
	for (size_t i = 0; i < n; i++) {
		const size_t what = testing_below(r, 8);
		if (what < 4) {
			p[i] = (struct ipm_compose_part){ .kind = IPM_COMPOSE_TEXT, .data = unicode(r, 1 << testing_below(r, 12), true) };
		} else if (what == 4) {
			p[i] = (struct ipm_compose_part){ .kind = IPM_COMPOSE_BILATERAL, .data = testing_string(r, w.a, 300) };
		} else if (what == 5 && depth < 3) {
			struct ipm_compose_part *inner = arena_array(w.a, 6, sizeof *inner);
			const struct ipm_compose c = { .subject = unicode(r, 100, false), .parts = inner, .n_parts = random_parts(r, inner, depth + 1) };
			p[i] = (struct ipm_compose_part){ .kind = IPM_COMPOSE_FORWARD, .data = testing_content_of(&w, &c) };
		} else {
			p[i] = (struct ipm_compose_part){ .kind = IPM_COMPOSE_FILE, .data = testing_string(r, w.a, 300), .name = unicode(r, 20, false),
							  .modified_ms = testing_below(r, 2) == 0 ? 0 : INT64_C(1000000000000) + (int64_t)testing_below(r, 100000000) * 1000 };
		}
	}
	return n;
}

/* P22 -> MAI -> P22 -> MAI: both MAI the same message, and the second pass loses nothing. */
static void test_k148234_from_the_other_side(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct testing_random r = { seed };
		struct ipm_compose_part parts[6];
		const struct ipm_compose c = { .subject = unicode(&r, 250, false), .importance = (enum ipm_importance)testing_below(&r, 3),
					       .sensitivity = (int64_t)testing_below(&r, 4), .auto_forwarded = testing_below(&r, 2) == 0,
					       .parts = parts, .n_parts = random_parts(&r, parts, 0) };
		w.how.code_page = pages[testing_below(&r, sizeof pages / sizeof *pages)];
		const struct message m = testing_message(&w);
		struct testing_mai first = testing_to_mai(&w, &m, testing_content_of(&w, &c));
		if (!first.ok)
			fail_msg("seed %llu: %s", (unsigned long long)seed, first.e.text);
		struct mai turned = first.m;
		const struct mm_envelope v = testing_envelope(&w, &turned);
		struct testing_ipm there = testing_to_ipm(&w, &turned, &v, first.done.attachments, first.done.n_attachments);
		if (!there.ok)
			fail_msg("seed %llu: %s", (unsigned long long)seed, there.e.text);
		assert_int_equal(there.ipm.message->heading.auto_forwarded, c.auto_forwarded);
		assert_int_equal(there.done.replaced, 0);
		struct testing_mai second = testing_to_mai(&w, &there.m, out_view(&there.done.content));
		assert_true(second.ok);
		assert_int_equal(second.done.replaced, 0);
		assert_same_mai(&first, &second, seed);
		mm_converted_fini(&first.done);
		mm_converted_fini(&there.done);
		mm_converted_fini(&second.done);
		arena_reset(w.a);
		assert_true(gdi_parse(VIEW("C=GB; A=EXAMPLE; P=SITE"), &w.domain, w.a, NULL));
	}
	w.how.code_page = 850;
}

/* Between two sites of Microsoft Mail an X.400 backbone wraps lines, and downgrades: it is mail all the same, and all of it is there. */
static void test_k152724_wrapped_on_the_way(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("many words that make a long line of text, longer than what the backbone lets pass, "
							  "and then some\rshort\r"));
	struct mm_attachment x[2] = { { .file = mm_id_of(1), .name = VIEW("A.DOC"), .position = UINT32_MAX },
				      { .file = mm_id_of(2), .name = VIEW("B.DOC"), .position = UINT32_MAX } };
	const struct mm_file files[2] = {
		{ VIEW("x"), VIEW("first\r\nwith lines that are long enough to be wrapped if anybody took them for text, which they are not") },
		{ VIEW("y"), VIEW("second") },
	};
	m.attachments = x;
	m.n_attachments = 2;
	const struct mm_envelope v = testing_envelope(&w, &m);
	struct testing_ipm there = testing_to_ipm(&w, &m, &v, files, 2);
	assert_true(there.ok);
	for (unsigned down = 0; down < 2; down++) {
		const struct ipm_convert how = { .column = 40, .to_84 = down != 0, .limits = ipm_limits_default(), .kit = w.kit };
		struct ipm_converted changed;
		struct out o;
		struct err e;
		out_init(&o, 1 << 20);
		assert_true(ipm_convert(out_view(&there.done.content), 22, &how, w.a, &o, &changed, &e));
		assert_true(changed.wrapped);
		struct testing_mai back = testing_to_mai(&w, &there.m, out_view(&o));
		assert_true(back.ok);
		assert_int_equal(back.m.n_attachments, 2);
		assert_true(view_eq(back.done.attachments[0].octets, files[0].octets));
		assert_true(view_eq(back.done.attachments[1].octets, files[1].octets));
		assert_true(view_eq(back.m.attachments[0].name, down ? VIEW("ATT00001.DAT") : VIEW("A.DOC"))); /* 1984 has no place for names */
		assert_non_null(strstr(testing_str(&w, back.m.text), "many words"));
		assert_non_null(strstr(testing_str(&w, back.m.text), "short\r"));
		mm_converted_fini(&back.done);
		out_fini(&o);
	}
	mm_converted_fini(&there.done);
}

/* Both forms, cut off at every octet: a result or an error of that message. */
static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct testing_random r = { 77 };
	struct mm_file files[21];
	struct mai m = random_mai(&r, 850, files);
	m.text = view_first(m.text, 300);
	m.n_attachments = m.n_attachments < 3 ? m.n_attachments : 3;
	const struct mm_envelope v = testing_envelope(&w, &m);
	struct testing_ipm whole = testing_to_ipm(&w, &m, &v, files, m.n_attachments);
	struct mm_converted done;
	struct out file, packed;
	struct err e;
	out_init(&file, 1 << 20);
	out_init(&packed, 1 << 20);
	assert_true(whole.ok);
	assert_true(mai_print(&m, &mm_scramble_none, &file, &e));
	pack_message(&packed, &whole.m, 0, whole.m.n_rcpt);
	const struct view mai = out_view(&file), content = out_view(&whole.done.content);
	struct arena *a = arena_new(16 << 20);
	for (size_t n = 0; n < mai.n; n++, arena_reset(a)) {
		if (mm_to_ipm(&w.how, view_first(mai, n), false, &v, files, m.n_attachments, "x", TESTING_NOW, &done, a, &e))
			mm_converted_fini(&done);
		else
			assert_int_equal(e.kind, ERR_PERM);
	}
	for (size_t n = 0; n < content.n; n++, arena_reset(a)) {
		assert_false(mm_to_mai(&w.how, out_view(&packed), view_first(content, n), false, &done, a, &e));
		assert_int_equal(e.kind, ERR_PERM);
		assert_int_equal(e.diagnostic, 12);
	}
	for (size_t n = 0; n < out_len(&packed); n++, arena_reset(a))
		assert_false(mm_to_mai(&w.how, view_first(out_view(&packed), n), content, false, &done, a, &e));
	arena_free(&a);
	mm_converted_fini(&whole.done);
	out_fini(&file);
	out_fini(&packed);
}

/* Nothing stays behind of a conversion, good or bad. */
static void test_k232604_k176708_no_leak(void **state)
{
	(void)state;
	size_t before = 0;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t\x84"));
	const struct mm_envelope v = testing_envelope(&w, &m);
	struct out file;
	struct err e;
	out_init(&file, 10000);
	assert_true(mai_print(&m, &mm_scramble_none, &file, &e));
	for (unsigned i = 0; i < 200; i++) {
		struct arena *a = arena_new(1 << 20);
		struct mm_converted done, back;
		assert_true(mm_to_ipm(&w.how, out_view(&file), false, &v, NULL, 0, "x", TESTING_NOW, &done, a, &e));
		assert_true(mm_to_mai(&w.how, out_view(&done.packed_or_mai), out_view(&done.content), false, &back, a, &e));
		mm_converted_fini(&back);
		assert_false(mm_to_mai(&w.how, out_view(&done.packed_or_mai), VIEW("\xa0\x80"), false, &back, a, &e));
		mm_converted_fini(&done);
		arena_free(&a);
		if (i == 10)
			before = mallinfo2().uordblks;
	}
	assert_int_equal(mallinfo2().uordblks, before);
	out_fini(&file);
}

/* One line of 4 MB, and as many recipients as one letter has: every step is linear, and keeps a few times the text, no more. */
static void test_k176396_k178365_huge_text(void **state)
{
	enum { N = 4 << 20, RECIPIENTS = 5000 };
	(void)state;
	uint8_t *p = mem_alloc(N);
	for (size_t i = 0; i < N; i++)
		p[i] = (uint8_t)(i % 50 == 49 ? 0x84 : 'a' + i % 26);
	struct mai m = testing_letter(&w, VIEW("s"), view_of(p, N));
	m.to = arena_array(w.a, RECIPIENTS, sizeof *m.to);
	m.n_to = RECIPIENTS;
	for (unsigned i = 0; i < RECIPIENTS; i++) {
		char text[40];
		snprintf(text, sizeof text, "FAR/PO9/U%u", i);
		m.to[i] = testing_ms(arena_str(w.a, view_str(text)));
	}
	const struct mm_envelope v = testing_envelope(&w, &m);
	const size_t before = arena_used(w.a);
	struct testing_ipm there = testing_to_ipm(&w, &m, &v, NULL, 0);
	assert_true(there.ok);
	struct testing_mai back = testing_to_mai(&w, &there.m, out_view(&there.done.content));
	assert_true(back.ok);
	assert_true(view_eq(back.m.text, m.text));
	assert_int_equal(back.done.envelope.n, RECIPIENTS);
	assert_int_equal(back.m.n_to, RECIPIENTS);
	assert_true(arena_used(w.a) - before < 10 * (size_t)N + (32 << 20));
	mm_converted_fini(&there.done);
	mm_converted_fini(&back.done);
	free(p);
}

/* facts B1: tokens, XTEXT and XATTACH name files beside it, others follow inline. */
static void test_ffapi_in(void **state)
{
	static const char file[] = "VERSION:3.00\rFROM:NET1/PO1/BOB\rTO:CSI:FAR/PO9/ANN\rDate:1993-10-08\rTIME:16:25\rSUBJECT:lunch\rPRIORITY:5\r"
				   "XATTACH:0001.DAT BUDGET.XLS\rXTEXT:TEXT.TXT\r";
	(void)state;
	const struct mm_file files[] = { { VIEW("text.txt"), VIEW("Dear Ann\r\nlet us eat\r\n") }, { VIEW("0001.DAT"), VIEW("xls") } };
	struct mai m = testing_letter(&w, VIEW(""), VIEW(""));
	const struct mm_envelope v = testing_envelope(&w, &m);
	struct mm_converted done;
	struct message got;
	struct ipm ipm;
	struct ipm_part p;
	struct err e;
	const struct ber_limits limits = ipm_limits_default();
	w.how.domain = &w.domain;
	if (!mm_to_ipm(&w.how, view_of(file, sizeof file - 1), true, &v, files, 2, "ff-1", TESTING_NOW, &done, w.a, &e))
		fail_msg("%s", e.text);
	assert_true(unpack_message(out_view(&done.packed_or_mai), &got, w.a, &e));
	assert_int_equal(got.priority, PRIORITY_URGENT);
	assert_true(ipm_parse(out_view(&done.content), &ipm, w.a, &limits, &e));
	assert_true(view_eq(ipm.message->heading.subject, VIEW("lunch")));
	assert_int_equal(ipm_part_count(ipm.message), 2);
	assert_true(ipm_part_at(ipm.message, 0, &p, w.a, &limits, &e));
	assert_true(view_eq(p.octets, VIEW("Dear Ann\r\nlet us eat\r\n")));
	assert_true(ipm_part_at(ipm.message, 1, &p, w.a, &limits, &e));
	assert_true(view_eq(p.octets, VIEW("xls")));
	assert_true(view_eq(p.name, VIEW("BUDGET.XLS")));
	mm_converted_fini(&done);
	/* Without one of its files it is [018]. */
	assert_false(mm_to_ipm(&w.how, view_of(file, sizeof file - 1), true, &v, files, 1, "ff-1", TESTING_NOW, &done, w.a, &e));
	assert_int_equal(e.diagnostic, 48);
}

static void test_ffapi_out(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	const struct ipm_compose_part parts[] = {
		{ .kind = IPM_COMPOSE_TEXT, .data = VIEW("Dear Bob\nÄ\n") }, { .kind = IPM_COMPOSE_FILE, .data = VIEW("abc"), .name = VIEW("a.txt") },
		{ .kind = IPM_COMPOSE_FILE, .data = VIEW(""), .name = VIEW("b.txt") },
	};
	const struct ipm_compose c = { .subject = VIEW("Hello"), .parts = parts, .n_parts = 3, .sensitivity = IPM_PRIVATE, .importance = IPM_NORMAL };
	const struct view content = testing_content_of(&w, &c);
	static const enum ffapi_line_end ends[] = { FFAPI_CR, FFAPI_LF, FFAPI_CRLF };
	for (size_t i = 0; i < 3; i++) {
		struct out packed;
		struct mm_converted done;
		struct ffapi_body *bodies;
		struct view text_file;
		struct mai got;
		struct err e;
		const struct mai_limits limits = mai_limits_default();
		out_init(&packed, 100000);
		pack_message(&packed, &m, 0, 1);
		w.how.line_end = ends[i];
		if (!mm_to_mai(&w.how, out_view(&packed), content, true, &done, w.a, &e))
			fail_msg("%s", e.text);
		assert_int_equal(done.n_attachments, 0);
		if (!ffapi_parse(out_view(&done.packed_or_mai), &got, &bodies, &text_file, w.a, &limits, &e))
			fail_msg("%s", e.text);
		assert_true(view_eq(got.subject, VIEW("Hello")));
		assert_int_equal(got.n_attachments, 2);
		assert_true(view_eq(bodies[0].octets, VIEW("abc")));
		assert_true(view_eq(got.attachments[1].name, VIEW("b.txt")));
		assert_true(view_eq(done.envelope.recipients[0].address.text, VIEW("NET1/PO1/BOB")));
		mm_converted_fini(&done);
		out_fini(&packed);
	}
	w.how.line_end = FFAPI_CR;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k161952_k184104_there_and_back), cmocka_unit_test(test_file_dates_before_1980_and_after_2107),
		cmocka_unit_test(test_letters_before_1980_and_after_2079),
		cmocka_unit_test(test_k148234_every_code_point),
		cmocka_unit_test(test_k148234_from_the_other_side),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_k232604_k176708_no_leak),
		cmocka_unit_test(test_k152724_wrapped_on_the_way),
		cmocka_unit_test(test_k176396_k178365_huge_text),
		cmocka_unit_test(test_ffapi_in),
		cmocka_unit_test(test_ffapi_out),
	};
	return cmocka_run_group_tests_name("convert", tests, setup, teardown);
}
