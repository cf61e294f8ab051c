/* convert_ipm_test.c - MAI to IPM. Expected values: facts A6, A10 and B4 (Microsoft Mail), X.411 12.2 and X.420 7 and 8; what is produced is
 * read by the codecs of X.420 and of the packed form, which have tests of their own. k<n> answer the rows of that number in the
 * failure catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/msmail/convert_testing.h"

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

static struct ipm_part part(const struct testing_ipm *r, size_t i)
{
	const struct ber_limits limits = ipm_limits_default();
	struct ipm_part p;
	struct err e;
	assert_true(i < ipm_part_count(r->ipm.message));
	assert_true(ipm_part_at(r->ipm.message, i, &p, w.a, &limits, &e));
	return p;
}

static const char *utf8(const struct ipm_part *p)
{
	struct out o;
	out_init(&o, 1 << 24);
	assert_true(p->is_text);
	(void)charset_to_utf8(w.kit, p->charset, p->registration, p->octets, &o);
	const char *text = testing_str(&w, out_view(&o));
	out_fini(&o);
	return text;
}

static const char *subject(const struct testing_ipm *r)
{
	const struct view extended = ipm_heading_extension(&r->ipm.message->heading, IPM_X_EXTENDED_SUBJECT);
	struct out o;
	out_init(&o, 1 << 16);
	if (extended.n > 0)
		ipm_universal_text(extended, &o);
	else
		(void)charset_to_utf8(w.kit, CHARSET_T61, 0, r->ipm.message->heading.subject, &o);
	const char *text = testing_str(&w, out_view(&o));
	out_fini(&o);
	return text;
}

static struct testing_ipm convert(const struct mai *m, const struct mm_file *files, size_t n)
{
	const struct mm_envelope v = testing_envelope(&w, m);
	struct testing_ipm r = testing_to_ipm(&w, m, &v, files, n);
	if (!r.ok)
		fail_msg("%s", r.e.text);
	return r;
}

static void done(struct testing_ipm *r)
{
	mm_converted_fini(&r->done);
}

static void test_a_letter(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("This is the subject"), VIEW("Dear Ann\rSecond line\r"));
	struct testing_ipm r = convert(&m, NULL, 0);
	/* The envelope: facts B4; X.411 12.2.1.1. */
	assert_int_equal(r.m.kind, MESSAGE_MESSAGE);
	assert_int_equal(r.m.content_type, 22);
	assert_int_equal(r.m.priority, PRIORITY_NORMAL);
	assert_true(gdi_eq(&r.m.id.domain, &w.domain));
	assert_true(view_eq(r.m.id.local, VIEW("22-28798.00000062.A1B2")));
	assert_string_equal(oraddr_text(&r.m.originator, w.a), "G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB");
	assert_int_equal(r.m.n_rcpt, 1);
	assert_int_equal(r.m.rcpt[0].number, 1);
	assert_true(r.m.rcpt[0].responsible);
	assert_int_equal(r.m.rcpt[0].mta_report, REPORT_NON_DELIVERY);
	assert_int_equal(r.m.rcpt[0].originator_report, REPORT_NON_DELIVERY);
	assert_true(view_eq_nocase(view_str(oraddr_text(&r.m.rcpt[0].addr, w.a)), VIEW("S=ANN; O=Far; P=AWAY; A=EXAMPLE; C=FR")));
	assert_int_equal(r.m.indicators, IND_CONTENT_RETURN);
	assert_true(view_eq(r.m.original_eits, VIEW("\x65\x04\x80\x02\x05\x20"))); /* ia5-text, X.411 8.5.6 */
	assert_true(view_eq(r.m.content_id, VIEW("00000062")));
	assert_int_equal(r.m.trace.n, 1);
	assert_true(gdi_eq(&r.m.trace.v[0].domain, &w.domain));
	/* The IPM. */
	const struct ipm_heading *h = &r.ipm.message->heading;
	assert_string_equal(subject(&r), "This is the subject");
	assert_int_equal(h->importance, IPM_NORMAL);
	assert_int_equal(h->primary_recipients.n, 1);
	assert_int_equal(h->copy_recipients.n, 0);
	assert_true(view_eq(h->this_ipm.local, VIEW("22-28798.00000062.A1B2=This is the subject")));
	assert_int_equal(ipm_part_count(r.ipm.message), 1);
	const struct ipm_part p = part(&r, 0);
	assert_int_equal(p.kind, IPM_PART_IA5_TEXT);
	assert_true(view_eq(p.octets, VIEW("Dear Ann\r\nSecond line\r\n")));
	/* Its octets by hand (X.420 7.3.1): [0] { SET {}, IA5String }. */
	assert_true(view_eq(p.tlv, VIEW("\xa0\x1b\x31\x00\x16\x17" "Dear Ann\r\nSecond line\r\n")));
	assert_int_equal(r.done.envelope.recipients[0].notice, 0);
	assert_true(r.done.envelope.recipients[0].oraddr.n > 0);
	assert_int_equal(r.done.replaced, 0);
	assert_false(r.done.is_notice);
	done(&r);
}

static void test_k161952_lines_of_1_to_1000(void **state)
{
	static const char *const ends[] = { "\r", "\n", "\r\n" };
	(void)state;
	for (size_t e = 0; e < 3; e++) {
		struct out in, want;
		out_init(&in, 1 << 20);
		out_init(&want, 1 << 20);
		for (size_t n = 1; n <= 1000; n++) {
			for (size_t i = 0; i < n; i++) {
				const uint8_t x = (uint8_t)(i % 11 == 10 ? ' ' : 'a' + i % 26);
				out_u8(&in, x);
				out_u8(&want, x);
			}
			out_str(&in, ends[e]);
			out_str(&want, "\r\n");
		}
		struct mai m = testing_letter(&w, VIEW("lines"), out_view(&in));
		struct testing_ipm r = convert(&m, NULL, 0);
		assert_true(view_eq(part(&r, 0).octets, out_view(&want)));
		done(&r);
		out_fini(&in);
		out_fini(&want);
	}
}

static void test_k148234_k155790_k224987_code_pages(void **state)
{
	static const struct {
		unsigned page;
		const char *octets, *utf8;
		unsigned registration;
	} rows[] = {
		{ 437, "\x84\x94\x81", "äöü", 100 },
		{ 850, "\xb8\xa9\xac", "©®¼", 100 },                     /* Q148234 */
		{ 852, "\x88\xa5\x9c", "łąť", 101 },
		{ 866, "\x8f\xe0\xa8\xa2\xa5\xe2", "Привет", 144 },
		{ 1252, "\x80", "€", 203 },
		{ 1251, "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет", 144 },
		{ 20866, "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет", 144 },
		{ 932, "\x93\xfa\x96{", "日本", 192 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, view_str(rows[i].octets), view_str(rows[i].octets));
		m.code_page = rows[i].page;
		m.from.friendly = view_str(rows[i].octets);
		struct testing_ipm r = convert(&m, NULL, 0);
		const struct ipm_part p = part(&r, 0);
		assert_int_equal(p.kind, IPM_PART_GENERAL_TEXT);
		assert_int_equal(p.registration, rows[i].registration);
		assert_string_equal(utf8(&p), rows[i].utf8);
		assert_string_equal(subject(&r), rows[i].utf8);
		/* Q155790, Q224987: the name too, as far as a TeletexString goes. */
		const struct ipm_or_descriptor *from = &r.ipm.message->heading.originator;
		struct out name;
		out_init(&name, 100);
		(void)charset_to_utf8(w.kit, CHARSET_T61, 0, from->free_form_name, &name);
		if (rows[i].page == 437)
			assert_string_equal(out_cstr(&name), rows[i].utf8);
		assert_true(from->free_form_name.n > 0);
		out_fini(&name);
		assert_false(r.done.warned_code_page);
		done(&r);
	}
}

/* What is not said is the setting; one that nobody has is taken as it can be, and said once. */
static void test_k167139_k167639_unknown_code_page(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("\x84"));
	m.code_page = 0;
	struct testing_ipm r = convert(&m, NULL, 0);
	struct ipm_part p = part(&r, 0);
	assert_string_equal(utf8(&p), "ä");
	assert_false(r.done.warned_code_page);
	done(&r);
	m.code_page = 4711;
	m.text = VIEW("x\xe4");
	r = convert(&m, NULL, 0);
	p = part(&r, 0);
	assert_string_equal(utf8(&p), "xä");
	assert_true(r.done.warned_code_page);
	done(&r);
}

static void test_k159179_k181649_nul_and_end_of_file(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, view_of("su\0b", 4), view_of("be\0fore\0\rafter\x1a", 15));
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_true(view_eq(part(&r, 0).octets, VIEW("before\r\nafter")));
	assert_string_equal(subject(&r), "sub");
	done(&r);
}

static void test_k151249_k193762_attachments(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 20; n++) {
		struct mai m = testing_letter(&w, VIEW("files"), VIEW("text"));
		struct mm_file files[20];
		m.attachments = arena_array(w.a, n, sizeof *m.attachments);
		m.n_attachments = n;
		for (size_t i = 0; i < n; i++) {
			char name[40];
			snprintf(name, sizeof name, "N\x84M%zu.DOC", i);
			files[i] = (struct mm_file){ VIEW("x"), view_of("contents of a file", i % 18) };
			m.attachments[i] = (struct mm_attachment){ .file = mm_id_of((uint32_t)i + 7), .name = arena_copy(w.a, view_str(name)),
								   .size = i % 18, .position = UINT32_MAX };
		}
		struct testing_ipm r = convert(&m, files, n);
		assert_int_equal(ipm_part_count(r.ipm.message), n + 1);
		for (size_t i = 0; i < n; i++) {
			const struct ipm_part p = part(&r, i + 1);
			char want[40];
			struct out name;
			out_init(&name, 100);
			snprintf(want, sizeof want, "NäM%zu.DOC", i);
			(void)charset_to_utf8(w.kit, CHARSET_GENERAL, 0, p.name, &name);
			assert_int_equal(p.kind, IPM_PART_FILE_TRANSFER);
			assert_string_equal(out_cstr(&name), want);
			assert_true(view_eq(p.octets, files[i].octets));
			assert_int_equal(p.size, i % 18);
			out_fini(&name);
		}
		done(&r);
	}
}

static void test_attachments_without_a_name_or_with_a_strange_one(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "", "ATT00001.DAT" }, { "C:\\DOCS\\A.TXT", "A.TXT" }, { "../../etc/passwd", "passwd" }, { "a*b?.t<x", "a_b_.t_x" },
		{ "Z:", "ATT00001.DAT" }, { " \r\n ", "ATT00001.DAT" }, { "...", "ATT00001.DAT" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, VIEW("files"), VIEW(""));
		struct mm_attachment x = { .file = mm_id_of(1), .name = view_str(rows[i].name), .position = UINT32_MAX };
		const struct mm_file file = { VIEW("x"), VIEW("octets") };
		m.attachments = &x;
		m.n_attachments = 1;
		struct testing_ipm r = convert(&m, &file, 1);
		assert_int_equal(ipm_part_count(r.ipm.message), 1);
		assert_true(view_eq(part(&r, 0).name, view_str(rows[i].want)));
		done(&r);
	}
}

/* An attachment that its MAI names and nobody has is [018] (X.411 0/48), never a message without it. */
static void test_k118675_a_missing_attachment(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	struct mm_attachment x[2] = { { .file = mm_id_of(1), .position = UINT32_MAX }, { .file = mm_id_of(2), .position = UINT32_MAX } };
	const struct mm_file file = { VIEW("x"), VIEW("octets") };
	m.attachments = x;
	m.n_attachments = 2;
	const struct mm_envelope v = testing_envelope(&w, &m);
	const struct testing_ipm r = testing_to_ipm(&w, &m, &v, &file, 1);
	assert_false(r.ok);
	assert_int_equal(r.e.kind, ERR_PERM);
	assert_int_equal(r.e.reason, 0);
	assert_int_equal(r.e.diagnostic, 48);
	assert_non_null(strstr(r.e.text, "attachment 2 of 2"));
}

static void test_k157941_positions_split_the_text_at_lines(void **state)
{
	(void)state;
	/* Characters of the page, of two octets each here: the 4th stands in the second line. */
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("\x93\xfa\x96{\r\x8c\xea\x93\xfa\rthird"));
	struct mm_attachment x[3] = {
		{ .file = mm_id_of(1), .name = VIEW("a"), .position = 4 },
		{ .file = mm_id_of(2), .name = VIEW("b"), .position = 1 }, /* in order of index all the same */
		{ .file = mm_id_of(3), .name = VIEW("c"), .position = 4000 },
	};
	const struct mm_file files[3] = { { VIEW("x"), VIEW("1") }, { VIEW("x"), VIEW("2") }, { VIEW("x"), VIEW("3") } };
	m.code_page = 932;
	m.attachments = x;
	m.n_attachments = 3;
	struct testing_ipm r = convert(&m, files, 3);
	assert_int_equal(ipm_part_count(r.ipm.message), 5);
	struct ipm_part p = part(&r, 0);
	assert_string_equal(utf8(&p), "日本\r\n語日\r\n");
	assert_true(view_eq(part(&r, 1).octets, VIEW("1")));
	assert_true(view_eq(part(&r, 2).octets, VIEW("2")));
	p = part(&r, 3);
	assert_string_equal(utf8(&p), "third");
	assert_true(view_eq(part(&r, 4).octets, VIEW("3")));
	done(&r);
}

static void test_k156844_subject_over_40(void **state)
{
	char longest[300];
	(void)state;
	memset(longest, 'x', sizeof longest);
	const struct {
		struct view octets;
		size_t characters;
	} rows[] = { { view_of(longest, 41), 41 }, { view_of(longest, 129), 129 }, { view_of(longest, 256), 256 }, { view_of(longest, 300), 256 } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, rows[i].octets, VIEW("t"));
		m.class = VIEW("IPM.Expenses.Form");
		struct testing_ipm r = convert(&m, NULL, 0);
		assert_int_equal(strlen(subject(&r)), rows[i].characters);
		const struct view category = ipm_heading_extension(&r.ipm.message->heading, IPM_X_INFORMATION_CATEGORY);
		assert_true(category.n > 0);
		done(&r);
	}
}

/* 16:25 by clocks one hour east of Greenwich. */
static void test_k161933_submission_time(void **state)
{
	static const struct {
		struct mm_date date;
		const char *want;
	} rows[] = {
		{ { 1993, 10, 8, 16, 25, 0 }, "931008152500Z" },
		{ { 1980, 1, 1, 0, 0, 0 }, "931008164320Z" },   /* a clock that was never set: when it arrived */
		{ { 1993, 10, 12, 0, 0, 0 }, "931008164320Z" }, /* one that runs ahead */
		{ { 1993, 14, 40, 99, 0, 0 }, "931008164320Z" },
		{ { 0 }, "931008164320Z" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
		m.date = rows[i].date;
		struct testing_ipm r = convert(&m, NULL, 0);
		assert_true(view_eq(r.m.trace.v[0].arrival_raw, view_str(rows[i].want)));
		done(&r);
	}
}

static void test_k161936_k166587_priority(void **state)
{
	static const struct {
		char ms;
		enum priority priority;
		enum ipm_importance importance;
	} rows[] = { /* facts B4; letters are reserved classes */
		{ '1', PRIORITY_NON_URGENT, IPM_LOW }, { '2', PRIORITY_NORMAL, IPM_NORMAL }, { '3', PRIORITY_NORMAL, IPM_NORMAL },
		{ '4', PRIORITY_NORMAL, IPM_NORMAL }, { '5', PRIORITY_URGENT, IPM_HIGH }, { 0, PRIORITY_NORMAL, IPM_NORMAL },
		{ 'R', PRIORITY_NORMAL, IPM_NORMAL }, { 'C', PRIORITY_NORMAL, IPM_NORMAL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
		m.priority = rows[i].ms;
		struct testing_ipm r = convert(&m, NULL, 0);
		assert_int_equal(r.m.priority, rows[i].priority);
		assert_int_equal(r.ipm.message->heading.importance, rows[i].importance);
		done(&r);
	}
}

/* facts B4, Q113383: a receipt is basic non-delivery and confirmed delivery of the transfer, and a receipt notification of X.420 (rn implies
 * nrn). */
static void test_k113383_receipt_request(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	m.receipt = true;
	struct testing_ipm r = convert(&m, NULL, 0);
	const struct ipm_recipient_specifier *to = r.ipm.message->heading.primary_recipients.v;
	assert_int_equal(r.m.rcpt[0].originator_report, REPORT_ALL);
	assert_true(view_eq(to[0].notification_requests.bytes, VIEW("\xc0")));
	done(&r);
}

/* One recipient is no address: he is refused, the others go on (Q151791). */
static void test_k151791_recipients_that_cannot_be_mapped(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	m.to = arena_array(w.a, 3, sizeof *m.to);
	m.to[0] = testing_ms("NOT AN ADDRESS \x01");
	m.to[1] = testing_ms("FAR/PO9/ANN");
	m.to[2] = testing_ms("");
	m.n_to = 3;
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_int_equal(r.m.n_rcpt, 1);
	assert_int_equal(r.m.rcpt[0].number, 2);
	const struct mm_recipient *v = r.done.envelope.recipients;
	assert_int_equal(v[0].notice, 2); /* [002] unknown address */
	assert_int_equal(v[0].reason, 1);
	assert_true(v[0].why.n > 0);
	assert_int_equal(v[1].notice, 0);
	assert_int_equal(v[2].notice, 2);
	done(&r);
	/* Nobody is left: nobody is responsible, and the caller tells the sender. */
	m.n_to = 1;
	r = convert(&m, NULL, 0);
	assert_int_equal(r.m.n_rcpt, 0);
	done(&r);
}

static void test_only_whom_we_are_responsible_for(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	m.to = arena_array(w.a, 2, sizeof *m.to);
	m.to[0] = testing_ms("FAR/PO9/ANN");
	m.to[1] = testing_ms("FAR/PO9/BEN");
	m.n_to = 2;
	struct mm_envelope v = testing_envelope(&w, &m);
	v.recipients[0].responsible = false;
	v.recipients[1].number = 7; /* the caller's numbers stay */
	struct testing_ipm r = testing_to_ipm(&w, &m, &v, NULL, 0);
	assert_true(r.ok);
	assert_int_equal(r.m.n_rcpt, 1);
	assert_int_equal(r.m.rcpt[0].number, 7);
	assert_int_equal(r.done.envelope.recipients[1].number, 7);
	assert_int_equal(r.ipm.message->heading.primary_recipients.n, 2);
	done(&r);
}

static void test_k175965_a_sender_that_is_none(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	m.from = testing_ms("\x01\x02");
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_non_null(strstr(oraddr_text(&r.m.originator, w.a), "POSTMASTER"));
	done(&r);
}

/* facts A10, Q98067: it is a notice, goes on as a letter nobody is to answer, and nobody reports on it. */
static void test_k98067_a_movers_notice(void **state)
{
	(void)state;
	struct out text;
	struct mm_notice n = { .code = 2, .from = VIEW("FAR/PO9/ANN"), .to = VIEW("NET1/PO1/NOBODY"), .subject = VIEW("lunch"),
			       .date = { 1993, 10, 8, 16, 25, 0 } };
	struct view names[] = { VIEW("NET1/PO1/NOBODY") };
	n.unreached = names;
	n.n_unreached = 1;
	n.original = VIEW("let us eat");
	out_init(&text, 10000);
	notice_print(&n, &text);
	struct mai m = testing_letter(&w, VIEW(NOTICE_SUBJECT), out_view(&text));
	m.from = testing_ms("NET1/PO1/POSTMASTER");
	m.receipt = true;
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_true(r.done.is_notice);
	assert_int_equal(r.done.notice.code, 2);
	assert_int_equal(r.done.notice.n_unreached, 1);
	assert_true(view_eq(r.done.notice.unreached[0], VIEW("NET1/PO1/NOBODY")));
	assert_int_equal(r.m.rcpt[0].originator_report, REPORT_NONE);
	assert_int_equal(r.m.indicators, 0);
	assert_true(ipm_heading_extension(&r.ipm.message->heading, IPM_X_AUTO_SUBMITTED).n > 0);
	done(&r);
	/* The same words of anybody else are mail, and other words of a postmaster too. */
	m.from = testing_ms("NET1/PO1/BOB");
	r = convert(&m, NULL, 0);
	assert_false(r.done.is_notice);
	done(&r);
	m.from = testing_ms("NET1/PO1/POSTMASTER");
	m.text = VIEW("The disk is nearly full.");
	r = convert(&m, NULL, 0);
	assert_false(r.done.is_notice);
	done(&r);
	out_fini(&text);
}

/* An embedded message is one of X.420 too; octets that are none stay a file (Q166553). */
static void test_k157420_k166553_embedded_message(void **state)
{
	(void)state;
	struct mai inner = testing_letter(&w, VIEW("inner subject"), VIEW("inner text"));
	struct mai m = testing_letter(&w, VIEW("outer"), VIEW("outer text"));
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	assert_true(mai_print(&inner, &mm_scramble_none, &o, &e));
	struct mm_attachment x[2] = { { .file = mm_id_of(1), .kind = 1, .position = UINT32_MAX },
				      { .file = mm_id_of(2), .kind = 1, .name = VIEW("LETTER"), .position = UINT32_MAX } };
	const struct mm_file files[2] = { { VIEW("x"), out_view(&o) }, { VIEW("y"), VIEW("no MAI at all") } };
	m.attachments = x;
	m.n_attachments = 2;
	struct testing_ipm r = convert(&m, files, 2);
	assert_int_equal(ipm_part_count(r.ipm.message), 3);
	const struct ipm_part p = part(&r, 1), file = part(&r, 2);
	assert_int_equal(p.kind, IPM_PART_MESSAGE);
	assert_non_null(p.message);
	assert_true(view_eq(p.message->heading.subject, VIEW("inner subject")));
	assert_int_equal(file.kind, IPM_PART_FILE_TRANSFER);
	assert_true(view_eq(file.octets, VIEW("no MAI at all")));
	assert_true(view_eq(file.name, VIEW("LETTER")));
	done(&r);
	out_fini(&o);
}

/* An identifier is unique (X.420 7.1.1), and a free-form name has 64 octets of T.61 (ub-free-form-name), where an accent is an octet before its
 * letter: none is left without it. */
static void test_identifiers_and_names_that_others_can_read(void **state)
{
	(void)state;
	struct mai inner = testing_letter(&w, VIEW("inner subject"), VIEW("inner text"));
	struct mai m = testing_letter(&w, VIEW("outer"), VIEW("outer text"));
	char name[40];
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	assert_true(mai_print(&inner, &mm_scramble_none, &o, &e));
	struct mm_attachment x[2] = { { .file = mm_id_of(1), .kind = 1, .position = UINT32_MAX }, { .file = mm_id_of(2), .kind = 1, .position = UINT32_MAX } };
	const struct mm_file files[2] = { { VIEW("x"), out_view(&o) }, { VIEW("y"), out_view(&o) } };
	m.attachments = x;
	m.n_attachments = 2;
	memset(name, 0x81, sizeof name); /* u with diaeresis in 850 */
	name[0] = 'x';
	m.from.friendly = view_of(name, sizeof name);
	struct testing_ipm r = convert(&m, files, 2);
	const struct ipm_part a = part(&r, 1), b = part(&r, 2);
	assert_non_null(a.message);
	assert_non_null(b.message);
	assert_false(view_eq(a.message->heading.this_ipm.local, b.message->heading.this_ipm.local));
	const struct view free_form = r.ipm.message->heading.originator.free_form_name;
	assert_int_equal(free_form.n, 63);
	assert_int_equal(free_form.p[62], 'u');
	done(&r);
	out_fini(&o);
}

/* As many as a message of X.400 may have (X.411 ub-recipients): what is made is read by our own reader, too. */
static void test_as_many_recipients_as_may_be(void **state)
{
	(void)state;
	enum { N = 32767 };
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	m.n_to = N;
	m.to = calloc(N, sizeof *m.to);
	for (size_t i = 0; i < N; i++)
		m.to[i] = testing_ms("FAR/PO9/ANN");
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_int_equal(r.m.n_rcpt, N);
	assert_int_equal(r.ipm.message->heading.primary_recipients.n, N);
	done(&r);
	free(m.to);
}

/* Each in a place of its own in a long text; and all in one line. It must not take time for each of them that the whole text takes. */
static void test_many_files_in_a_long_text(void **state)
{
	(void)state;
	enum { N = 20000, LONG = 2000000 };
	char *text = malloc(LONG);
	struct mm_attachment *x = calloc(N, sizeof *x);
	struct mm_file *files = calloc(N, sizeof *files);
	for (unsigned lines = 0; lines < 2; lines++) {
		memset(text, 0x81, LONG);
		for (size_t i = 99; i < LONG && lines == 0; i += 100)
			text[i] = '\r';
		struct mai m = testing_letter(&w, VIEW("s"), view_of(text, LONG));
		for (size_t i = 0; i < N; i++) {
			x[i] = (struct mm_attachment){ .file = mm_id_of((uint32_t)i + 1), .name = VIEW("a"), .position = (uint32_t)(i * 100 + 50) };
			files[i] = (struct mm_file){ VIEW("x"), VIEW("1") };
		}
		m.attachments = x;
		m.n_attachments = N;
		struct testing_ipm r = convert(&m, files, N);
		assert_int_equal(ipm_part_count(r.ipm.message), lines == 0 ? 2 * N : N + 1);
		done(&r);
	}
	free(text);
	free(x);
	free(files);
}

static void test_k214565_k143197_receipts_become_notifications(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("Registered: lunch"), VIEW("read"));
	m.is_receipt = true;
	m.message_id = VIEW("C=FR;A=EXAMPLE;P=AWAY;L=paris-1");
	m.date = (struct mm_date){ 94, 0, 0, 25, 61, 0 }; /* no date: the receipt counts all the same */
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_null(r.ipm.message);
	const struct ipm_ipn *n = r.ipm.notification;
	assert_non_null(n);
	assert_int_equal(n->fields.choice.which, IPM_RECEIPT);
	assert_true(view_eq(n->subject_ipm.local, VIEW("paris-1")));
	assert_true(view_eq(n->fields.receipt.receipt_time, VIEW("931008164320Z")));
	assert_true(view_eq(n->fields.receipt.supplementary, VIEW("Registered: lunch")));
	assert_int_equal(r.m.rcpt[0].originator_report, REPORT_NONE); /* Q143197: nothing about a receipt */
	const struct oraddr user = ipm_oraddr(n->subject_ipm.user, w.a);
	assert_true(oraddr_eq(&user, &r.m.rcpt[0].addr));
	done(&r);
	/* Not read. */
	m.class = VIEW("Report.IPM.Note.IPNNRN");
	r = convert(&m, NULL, 0);
	assert_int_equal(r.ipm.notification->fields.choice.which, IPM_NON_RECEIPT);
	assert_int_equal(r.ipm.notification->fields.non_receipt.reason, 0);
	done(&r);
	/* Nothing says of what: a letter, for a notification would be of nothing. */
	m.message_id = VIEW("");
	r = convert(&m, NULL, 0);
	assert_non_null(r.ipm.message);
	assert_string_equal(subject(&r), "Registered: lunch");
	done(&r);
}

static void test_k169682_unknown_elements_are_passed_over(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	struct view extra[] = { VIEW("\x7f\x03\x39\x02\x00"), VIEW("\x4c\x05\x14\x02\x02hi") };
	m.extra = extra;
	m.n_extra = 2;
	struct testing_ipm r = convert(&m, NULL, 0);
	assert_string_equal(subject(&r), "s");
	done(&r);
}

static void test_what_is_no_mai_is_refused(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t"));
	const struct mm_envelope v = testing_envelope(&w, &m);
	struct mm_converted result;
	struct err e;
	w.how.domain = &w.domain;
	assert_false(mm_to_ipm(&w.how, VIEW("nothing of the kind"), false, &v, NULL, 0, "x", TESTING_NOW, &result, w.a, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	assert_int_equal(e.reason, 1);
	assert_int_equal(e.diagnostic, 12); /* [012] corrupt message */
}

static bool no_time(void *ctx)
{
	unsigned *left = ctx;
	return (*left)-- == 0;
}

static void test_limits_are_errors_of_the_message(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("s"), VIEW("t\xe4"));
	const struct mm_envelope v = testing_envelope(&w, &m);
	for (unsigned left = 0; left < 3; left++) {
		unsigned n = left;
		w.how.out_of_time = no_time;
		w.how.ctx = &n;
		struct testing_ipm r = testing_to_ipm(&w, &m, &v, NULL, 0);
		if (!r.ok)
			assert_int_equal(r.e.kind, ERR_PERM);
		if (left == 0)
			assert_false(r.ok);
		done(&r);
	}
	w.how.out_of_time = NULL;
	w.how.out_max = 60;
	struct testing_ipm r = testing_to_ipm(&w, &m, &v, NULL, 0);
	assert_false(r.ok);
	assert_int_equal(r.e.kind, ERR_PERM);
	assert_int_equal(r.e.diagnostic, 7); /* content-too-long */
	w.how.out_max = 1 << 28;
	/* Any quota: a result, or that error. */
	struct out file;
	out_init(&file, 10000);
	assert_true(mai_print(&m, &mm_scramble_none, &file, &r.e));
	for (size_t quota = 0; quota < 40000; quota += 97) {
		struct arena *small = arena_new(quota);
		struct mm_converted result;
		if (mm_to_ipm(&w.how, out_view(&file), false, &v, NULL, 0, "x", TESTING_NOW, &result, small, &r.e))
			mm_converted_fini(&result);
		else
			assert_int_equal(r.e.kind, ERR_PERM);
		arena_free(&small);
	}
	out_fini(&file);
}

static void test_50_megabytes(void **state)
{
	enum { N = 50 * 1000 * 1000 };
	(void)state;
	uint8_t *octets = mem_alloc(N);
	for (size_t i = 0; i < N; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	struct mai m = testing_letter(&w, VIEW("big"), VIEW("see the file"));
	struct mm_attachment x = { .file = mm_id_of(1), .name = VIEW("BIG.BIN"), .size = N, .position = UINT32_MAX };
	const struct mm_file file = { VIEW("x"), view_of(octets, N) };
	m.attachments = &x;
	m.n_attachments = 1;
	const size_t before = arena_used(w.a);
	struct testing_ipm r = convert(&m, &file, 1);
	assert_true(arena_used(w.a) - before < 1 << 20); /* the octets go once, from input to output */
	const struct ipm_part p = part(&r, 1);
	assert_true(view_eq(p.octets, file.octets));
	done(&r);
	free(octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter),
		cmocka_unit_test(test_k161952_lines_of_1_to_1000),
		cmocka_unit_test(test_k148234_k155790_k224987_code_pages),
		cmocka_unit_test(test_k167139_k167639_unknown_code_page),
		cmocka_unit_test(test_k159179_k181649_nul_and_end_of_file),
		cmocka_unit_test(test_k151249_k193762_attachments),
		cmocka_unit_test(test_attachments_without_a_name_or_with_a_strange_one),
		cmocka_unit_test(test_k118675_a_missing_attachment),
		cmocka_unit_test(test_k157941_positions_split_the_text_at_lines),
		cmocka_unit_test(test_k156844_subject_over_40),
		cmocka_unit_test(test_k161933_submission_time),
		cmocka_unit_test(test_k161936_k166587_priority),
		cmocka_unit_test(test_k113383_receipt_request),
		cmocka_unit_test(test_k151791_recipients_that_cannot_be_mapped),
		cmocka_unit_test(test_only_whom_we_are_responsible_for),
		cmocka_unit_test(test_k175965_a_sender_that_is_none),
		cmocka_unit_test(test_k98067_a_movers_notice),
		cmocka_unit_test(test_k157420_k166553_embedded_message),
		cmocka_unit_test(test_identifiers_and_names_that_others_can_read),
		cmocka_unit_test(test_many_files_in_a_long_text),
		cmocka_unit_test(test_as_many_recipients_as_may_be),
		cmocka_unit_test(test_k214565_k143197_receipts_become_notifications),
		cmocka_unit_test(test_k169682_unknown_elements_are_passed_over),
		cmocka_unit_test(test_what_is_no_mai_is_refused),
		cmocka_unit_test(test_limits_are_errors_of_the_message),
		cmocka_unit_test(test_50_megabytes),
	};
	return cmocka_run_group_tests_name("convert_ipm", tests, setup, teardown);
}
