/* convert_mai_test.c - what X.400 transfers, to MAI. Expected values: X.420 clauses 7 and 8 and X.411 12.2 in octets by hand or by the composer
 * that has tests of its own; facts A5, A6, A10 and B4. k<n> answer the rows of that number in the failure catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/ipm/ipm_testing.h"
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

static struct testing_mai convert(const struct message *m, struct view content)
{
	struct testing_mai r = testing_to_mai(&w, m, content);
	if (!r.ok)
		fail_msg("%s", r.e.text);
	return r;
}

static void done(struct testing_mai *r)
{
	mm_converted_fini(&r->done);
}

static void assert_text(struct view got, const char *want)
{
	if (!view_eq(got, view_str(want)))
		fail_msg("found \"%s\", want \"%s\"", testing_str(&w, got), want);
}

static void assert_has(struct view text, const char *what)
{
	if (strstr(testing_str(&w, text), what) == NULL)
		fail_msg("found no \"%s\" in \"%s\"", what, testing_str(&w, text));
}

static struct ipm_compose_part text_of(const char *utf8)
{
	return (struct ipm_compose_part){ .kind = IPM_COMPOSE_TEXT, .data = view_str(utf8) };
}

static struct ipm_compose_part file_of(const char *name, struct view data)
{
	return (struct ipm_compose_part){ .kind = IPM_COMPOSE_FILE, .name = view_str(name), .data = data };
}

static struct testing_mai convert_parts(const struct ipm_compose_part *parts, size_t n)
{
	const struct message m = testing_message(&w);
	const struct ipm_compose c = { .subject = VIEW("s"), .parts = parts, .n_parts = n };
	return convert(&m, testing_content_of(&w, &c));
}

/* X.420 by hand: [0] { SET { this-IPM [APPLICATION 11] { local "1" }, subject [8] "Hi" }, SEQUENCE { ia5 [0] { SET {}, "A" CR LF "B" } } } */
#define SMALL "\xa0\x19\x31\x0b\x6b\x03\x13\x01" "1\xa8\x04\x14\x02Hi\x30\x0a\xa0\x08\x31\x00\x16\x04" "A\r\nB"

static void test_a_letter(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	struct testing_mai r = convert(&m, VIEW(SMALL));
	assert_text(r.m.subject, "Hi");
	assert_text(r.m.text, "A\rB");
	assert_int_equal(r.m.code_page, 850);
	assert_text(r.m.message_id, "C=FR;A=EXAMPLE;P=AWAY;L=paris-1");
	assert_int_equal(r.m.priority, 0);
	assert_false(r.m.receipt);
	/* 11:30:50 UTC by clocks one hour east (Q161933). */
	assert_int_equal(r.m.date.year, 2005);
	assert_int_equal(r.m.date.month, 10);
	assert_int_equal(r.m.date.day, 1);
	assert_int_equal(r.m.date.hour, 12);
	assert_int_equal(r.m.date.minute, 30);
	/* Q168771: nobody is named in it, so it is for whom the envelope names, from whom the envelope says. */
	assert_int_equal(r.m.n_to, 1);
	assert_text(r.m.to[0].text, "NET1/PO1/BOB");
	assert_true(view_eq_nocase(r.m.from.text, VIEW("FAR/PO9/ANN")));
	const struct mm_envelope *v = &r.done.envelope;
	assert_int_equal(v->n, 1);
	assert_text(v->recipients[0].address.text, "NET1/PO1/BOB");
	assert_int_equal(v->recipients[0].number, 1);
	assert_int_equal(v->recipients[0].notice, 0);
	assert_false(v->recipients[0].wants_delivery_report);
	assert_true(view_eq_nocase(v->from.text, VIEW("FAR/PO9/ANN")));
	assert_int_equal(v->size, out_len(&r.done.packed_or_mai));
	done(&r);
}

static void test_k161952_lines_of_1_to_1000(void **state)
{
	(void)state;
	struct out in, want;
	out_init(&in, 1 << 20);
	out_init(&want, 1 << 20);
	for (size_t n = 1; n <= 1000; n++) {
		for (size_t i = 0; i < n; i++) {
			const uint8_t x = (uint8_t)(i % 13 == 12 ? ' ' : 'A' + i % 26);
			out_u8(&in, x);
			out_u8(&want, x);
		}
		out_str(&in, n % 3 == 0 ? "\r\n" : "\n");
		out_str(&want, "\r");
	}
	const struct ipm_compose_part p = text_of(out_cstr(&in));
	struct testing_mai r = convert_parts(&p, 1);
	assert_true(view_eq(r.m.text, out_view(&want)));
	done(&r);
	out_fini(&in);
	out_fini(&want);
}

static void test_k159180_k148234_character_sets(void **state)
{
	static const struct {
		unsigned page;
		const char *utf8, *octets;
		size_t replaced; /* in text and subject together */
	} rows[] = {
		{ 850, "äöü ©®¼", "\x84\x94\x81 \xb8\xa9\xac", 0 },
		{ 437, "äöü ©", "\x84\x94\x81 ?", 2 },
		{ 852, "łąť", "\x88\xa5\x9c", 0 },
		{ 866, "Привет", "\x8f\xe0\xa8\xa2\xa5\xe2", 0 },
		{ 20866, "Привет", "\xf0\xd2\xc9\xd7\xc5\xd4", 0 },
		{ 1252, "€ “x”", "\x80 \x93x\x94", 0 },
		{ 932, "日本語", "\x93\xfa\x96{\x8c\xea", 0 },
		{ 850, "日本", "??", 4 },
		{ 850, "Привет ä", "?????? \x84", 12 },                    /* Q184681: one page a message, whatever comes */
	};
	(void)state;
	const struct message m = testing_message(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct ipm_compose_part p = text_of(rows[i].utf8);
		const struct ipm_compose c = { .subject = view_str(rows[i].utf8), .parts = &p, .n_parts = 1 };
		w.how.code_page = rows[i].page;
		struct testing_mai r = convert(&m, testing_content_of(&w, &c));
		assert_text(r.m.text, rows[i].octets);
		assert_text(r.m.subject, rows[i].octets);
		assert_int_equal(r.m.code_page, rows[i].page);
		assert_int_equal(r.done.replaced, rows[i].replaced);
		assert_false(r.done.warned_code_page);
		done(&r);
	}
	w.how.code_page = 4711; /* Q167639 */
	const struct ipm_compose_part p = text_of("ä");
	struct testing_mai r = convert_parts(&p, 1);
	assert_text(r.m.text, "?");
	assert_true(r.done.warned_code_page);
	done(&r);
	w.how.code_page = 850;
}

/* The heading names three of a postoffice and the envelope makes us responsible for one: one gets it, once. */
static void test_k100768_the_envelope_says_for_whom_it_is(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	struct ipm_recipient to[3] = { { .ask = IPM_ASK_RN } };
	const struct ipm_compose_part p = text_of("t");
	const struct ipm_compose c = { .subject = VIEW("s"), .parts = &p, .n_parts = 1, .to = to, .n_to = 3 };
	static const char *const given[] = { "G=Bob; S=Builder", "G=Ann; S=Builder", "G=Cid; S=Builder" };
	char text[3][80];
	for (size_t i = 0; i < 3; i++) {
		snprintf(text[i], sizeof text[i], "%s; O=Works; P=SITE; A=EXAMPLE; C=GB", given[i]);
		to[i].user.addr = testing_oraddr(&w, text[i]);
	}
	struct testing_mai r = convert(&m, testing_content_of(&w, &c));
	assert_int_equal(r.m.n_to, 3); /* who reads it sees them all */
	assert_int_equal(r.done.envelope.n, 1);
	assert_text(r.done.envelope.recipients[0].address.text, "NET1/PO1/BOB");
	done(&r);
}

/* X.420 7.3.5: [5] { SET {}, SEQUENCE { TeletexString } }, accent before letter; and the name of a file. */
static void test_k194547_teletex_text_and_names(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	struct testing_mai r = convert(&m, VIEW("\xa0\x1f\x31\x0b\x6b\x03\x13\x01" "1\xa8\x04\x14\x02Hi\x30\x10\xa5\x0e\x31\x00\x30\x0a\x14\x08"
						"Gr\xc8u\xfb" "e \xb0"));
	assert_text(r.m.text, "Gr\x81\xe1" "e \xf8");
	assert_int_equal(r.done.replaced, 0);
	done(&r);
	const struct ipm_compose_part p = file_of("Gr\xc3\xbc\xc3\x9f" "e.txt", VIEW("octets"));
	r = convert_parts(&p, 1);
	assert_int_equal(r.m.n_attachments, 1);
	assert_text(r.m.attachments[0].name, "Gr\x81\xe1" "e.txt");
	done(&r);
}

/* conversion-with-loss-prohibited (X.411 8.2.1.1.1.10): reason 2, diagnostic 19; with nothing lost it goes. */
static void test_loss_prohibited(void **state)
{
	(void)state;
	struct message m = testing_message(&w);
	struct extension x = { .number = EXT_LOSS_PROHIBITED, .criticality = EXT_FOR_DELIVERY, .value = VIEW("\x0a\x01\x01") };
	m.ext = (struct extensions){ &x, 1 };
	const struct ipm_compose_part p[2] = { text_of("日"), text_of("ä") };
	struct ipm_compose c = { .subject = VIEW("s"), .parts = p, .n_parts = 2 };
	struct testing_mai r = testing_to_mai(&w, &m, testing_content_of(&w, &c));
	assert_false(r.ok);
	assert_int_equal(r.e.kind, ERR_PERM);
	assert_int_equal(r.e.reason, 2);
	assert_int_equal(r.e.diagnostic, 19);
	c.parts = p + 1;
	c.n_parts = 1;
	r = convert(&m, testing_content_of(&w, &c));
	done(&r);
	m.ext.n = 0;
	m.has_indicators = true;
	m.indicators = IND_CONVERSION_PROHIBITED;
	c.parts = p;
	r = testing_to_mai(&w, &m, testing_content_of(&w, &c));
	assert_false(r.ok);
	assert_int_equal(r.e.diagnostic, 9);
}

static void test_k159179_nul_in_text(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	/* as SMALL, the text "A" NUL "B" */
	struct testing_mai r = convert(&m, VIEW("\xa0\x18\x31\x0b\x6b\x03\x13\x01" "1\xa8\x04\x14\x02Hi\x30\x09\xa0\x07\x31\x00\x16\x03" "A\0B"));
	assert_text(r.m.text, "AB");
	assert_int_equal(r.done.replaced, 0);
	done(&r);
}

static void test_several_texts_and_files(void **state)
{
	(void)state;
	const struct ipm_compose_part p[] = {
		text_of("first"), text_of("second\n"), file_of("dir/Ä b.txt", VIEW("one")), text_of("third"), file_of("two", VIEW("")),
		{ .kind = IPM_COMPOSE_BILATERAL, .data = VIEW("\x00\x01\x02") }, text_of("fourth"), file_of("", VIEW("3")),
	};
	struct testing_mai r = convert_parts(p, sizeof p / sizeof *p);
	assert_text(r.m.text, "first\rsecond\rthird\rfourth");
	assert_int_equal(r.m.n_attachments, 4);
	assert_int_equal(r.done.n_attachments, 4);
	assert_text(r.m.attachments[0].name, "\x8e b.txt");
	assert_int_equal(r.m.attachments[0].position, 13); /* behind "second" CR */
	assert_true(view_eq(r.done.attachments[0].octets, VIEW("one")));
	assert_text(r.m.attachments[1].name, "two");
	assert_int_equal(r.m.attachments[1].position, 19);
	assert_int_equal(r.done.attachments[1].octets.n, 0); /* Q193762 */
	assert_text(r.m.attachments[2].name, "ATT00003.DAT");
	assert_true(view_eq(r.done.attachments[2].octets, view_of("\0\1\2", 3)));
	assert_text(r.m.attachments[3].name, "ATT00004.DAT");
	assert_int_equal(r.m.attachments[3].position, UINT32_MAX);
	assert_string_equal(r.m.attachments[3].file.s, "00000004");
	assert_text(r.done.attachments[3].name, "00000004");
	done(&r);
}

/* Q151249, Q166598: three and more, names and octets by index. */
static void test_k151249_k166598_twenty_files(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 20; n++) {
		struct ipm_compose_part p[21];
		char names[20][20];
		p[0] = text_of("see files");
		for (size_t i = 0; i < n; i++) {
			snprintf(names[i], sizeof names[i], "file-%zu.bin", i);
			p[i + 1] = file_of(names[i], view_of("octets of the file", i % 19));
		}
		struct testing_mai r = convert_parts(p, n + 1);
		assert_int_equal(r.m.n_attachments, n);
		for (size_t i = 0; i < n; i++) {
			assert_text(r.m.attachments[i].name, names[i]);
			assert_int_equal(r.m.attachments[i].size, i % 19);
			assert_true(view_eq(r.done.attachments[i].octets, p[i + 1].data));
		}
		done(&r);
	}
}

/* Damaged TNEF is octets like any other: the text is there, and the file as it came. */
static void test_k166585_k222641_tnef(void **state)
{
	(void)state;
	const struct ipm_compose_part p[] = { text_of("the text"), { .kind = IPM_COMPOSE_BILATERAL, .data = VIEW("\x78\x9f\x3e\x22\x01\xff\xff\xff\xff") } };
	struct testing_mai r = convert_parts(p, 2);
	assert_text(r.m.text, "the text");
	assert_int_equal(r.m.n_attachments, 1);
	assert_true(view_eq(r.done.attachments[0].octets, p[1].data));
	done(&r);
}

/* Q114582: a name as a small part of its own before a bilateral one. */
static void test_k176453_names_as_parts(void **state)
{
	(void)state;
	const struct ipm_compose_part p[] = {
		text_of("Dear all"), text_of("BUDGET.XLS\r\n"), { .kind = IPM_COMPOSE_BILATERAL, .data = VIEW("xls") },
		text_of("No name. Just text."), { .kind = IPM_COMPOSE_BILATERAL, .data = VIEW("dat") },
	};
	struct testing_mai r = convert_parts(p, 5);
	assert_text(r.m.text, "Dear all\rNo name. Just text.");
	assert_text(r.m.attachments[0].name, "BUDGET.XLS");
	assert_text(r.m.attachments[1].name, "ATT00002.DAT");
	assert_true(view_eq(r.done.attachments[0].octets, VIEW("xls")));
	done(&r);
}

static void test_k157941_positions_in_characters_of_the_page(void **state)
{
	(void)state;
	const struct ipm_compose_part p[] = { text_of("日本€\n"), file_of("f", VIEW("x")), text_of("end") };
	w.how.code_page = 932; /* two, two, and one octet that stands for the euro, which it has not */
	struct testing_mai r = convert_parts(p, 3);
	assert_text(r.m.text, "\x93\xfa\x96{?\rend");
	assert_int_equal(r.m.attachments[0].position, 4);
	done(&r);
	w.how.code_page = 850;
}

static void test_k157420_k177979_embedded_messages(void **state)
{
	(void)state;
	const struct ipm_compose_part inner_parts[] = { text_of("inner text"), file_of("inner.doc", VIEW("doc")) };
	const struct ipm_compose inner = { .subject = VIEW("inner subject"), .parts = inner_parts, .n_parts = 2 };
	const struct ipm_compose_part p[] = {
		text_of("outer"), { .kind = IPM_COMPOSE_FORWARD, .data = testing_content_of(&w, &inner) }, text_of("after"), file_of("outer.doc", VIEW("x")),
	};
	struct testing_mai r = convert_parts(p, 4);
	assert_has(r.m.text, "outer\r--- Message ---\rFrom: ");
	assert_has(r.m.text, "Subject: inner subject\r\rinner text\r--- End of message ---\rafter");
	assert_has(r.m.text, "To: NET1/PO1/BOB\r");
	assert_int_equal(r.m.n_attachments, 2);
	assert_text(r.m.attachments[0].name, "inner.doc");
	assert_text(r.m.attachments[1].name, "outer.doc");
	done(&r);
}

/* As deep as a peer likes: beyond eight it is a file. */
static void test_k178204_nested_deep(void **state)
{
	(void)state;
	struct view content = VIEW(SMALL);
	for (unsigned i = 0; i < 20; i++) {
		const struct ipm_compose_part p = { .kind = IPM_COMPOSE_FORWARD, .data = content };
		const struct ipm_compose c = { .subject = VIEW("s"), .parts = &p, .n_parts = 1 };
		content = testing_content_of(&w, &c);
	}
	const struct message m = testing_message(&w);
	struct testing_mai r = convert(&m, content);
	assert_int_equal(r.m.n_attachments, 1);
	assert_text(r.m.attachments[0].name, "ATT00001.P22");
	done(&r);
}

/* Parts that nobody here knows, and one that is no BER: files of their octets (Q192983, Q200661). */
static void test_k200661_parts_of_any_kind(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	/* body: [12] (no such), g3 [3] { SET {}, SEQUENCE {} }, ia5 whose inside is broken */
	static const char content[] = "\xa0\x1d\x31\x0b\x6b\x03\x13\x01" "1\xa8\x04\x14\x02Hi\x30\x0e\x8c\x02xy\xa3\x04\x31\x00\x30\x00\xa0\x02\x99\x00";
	struct testing_mai r = convert(&m, view_of(content, sizeof content - 1));
	assert_int_equal(r.m.n_attachments, 3);
	assert_text(r.m.attachments[0].name, "unknown.BER");
	assert_text(r.m.attachments[1].name, "g3-facsimile.BER");
	assert_true(view_eq(r.done.attachments[0].octets, VIEW("\x8c\x02xy")));
	assert_text(r.m.text, "");
	done(&r);
}

static void test_k156844_subject_over_40(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	const char *subject = "Ein längerer Betreff, der weit über vierzig und hundertachtundzwanzig Zeichen hinausgeht, damit T.61 ihn nicht mehr "
			      "halten kann, nur extended-subject";
	const struct ipm_compose_part p = text_of("t");
	const struct ipm_compose c = { .subject = view_str(subject), .category = VIEW("IPM.Expenses"), .parts = &p, .n_parts = 1 };
	struct testing_mai r = convert(&m, testing_content_of(&w, &c));
	assert_int_equal(r.m.subject.n, charset_utf8_length(view_str(subject)));
	assert_text(r.m.class, "IPM.Expenses");
	done(&r);
}

static void test_k161936_priority(void **state)
{
	static const struct {
		enum priority priority;
		enum ipm_importance importance;
		char want;
	} rows[] = {
		{ PRIORITY_NORMAL, IPM_NORMAL, 0 }, { PRIORITY_URGENT, IPM_NORMAL, '5' }, { PRIORITY_NON_URGENT, IPM_NORMAL, '1' },
		{ PRIORITY_NORMAL, IPM_HIGH, '5' }, { PRIORITY_NORMAL, IPM_LOW, '1' }, { PRIORITY_NON_URGENT, IPM_HIGH, '5' },
		{ PRIORITY_URGENT, IPM_LOW, '1' },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct message m = testing_message(&w);
		const struct ipm_compose_part p = text_of("t");
		/* sensitivity: so that the composer takes importance 0 as it is said */
		const struct ipm_compose c = { .subject = VIEW("s"), .importance = rows[i].importance, .sensitivity = IPM_PRIVATE, .parts = &p, .n_parts = 1 };
		m.priority = rows[i].priority;
		struct testing_mai r = convert(&m, testing_content_of(&w, &c));
		assert_int_equal(r.m.priority, rows[i].want);
		assert_int_equal(r.done.envelope.priority, rows[i].want);
		done(&r);
	}
}

/* Bits rn and nrn of NotificationRequests (X.420 7.1.3), those of whom this copy is for. */
static void test_k164835_k164528_receipt_requests(void **state)
{
	static const struct {
		const char *bits; /* the TLV behind recipient in its SET */
		bool want;
	} rows[] = {
		{ "\x81\x02\x06\xc0", true }, { "\x81\x02\x06\x80", true }, /* rn without nrn */
		{ "\x81\x02\x06\x40", false }, { "\x81\x02\x00\x00", false }, { "\x81\x01\x00", false }, /* no bits */
	};
	(void)state;
	const struct message m = testing_message(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		/* primary [2] { SET { recipient [0] { ORName }, notification-requests [1] } } */
		static const char name[] =
			"\x60\x32\x30\x30\x61\x04\x13\x02GB\x62\x09\x13\x07" "EXAMPLE\xa2\x06\x13\x04SITE\x83\x05Works\xa5\x0e\x80\x07" "Builder\x81\x03" "Bob";
		const size_t n_bits = i < 4 ? 4 : 3;
		struct out content, recipient, heading;
		out_init(&content, 1000);
		out_init(&recipient, 1000);
		out_init(&heading, 1000);
		ber_put_header(&recipient, BER_C(0), true, sizeof name - 1);
		out_bytes(&recipient, view_of(name, sizeof name - 1));
		out_bytes(&recipient, view_of(rows[i].bits, n_bits));
		out_bytes(&heading, VIEW("\x6b\x03\x13\x01" "1"));
		ber_put_header(&heading, BER_C(2), true, out_len(&recipient) + 2);
		ber_put_header(&heading, BER_U(17), true, out_len(&recipient));
		out_bytes(&heading, out_view(&recipient));
		ber_put_header(&content, BER_C(0), true, out_len(&heading) + 2 + 9);
		ber_put_header(&content, BER_U(17), true, out_len(&heading));
		out_bytes(&content, out_view(&heading));
		out_bytes(&content, VIEW("\x30\x07\xa0\x05\x31\x00\x16\x01" "A"));
		struct testing_mai r = convert(&m, out_view(&content));
		assert_int_equal(r.m.receipt, rows[i].want);
		assert_int_equal(r.m.n_to, 1);
		done(&r);
		out_fini(&content);
		out_fini(&recipient);
		out_fini(&heading);
	}
}

/* X.420 8, by hand: who read it is in it, of which message only the identifier (Q168771, Q159162, Q164136). */
static void test_k168771_a_receipt(void **state)
{
	(void)state;
	struct message m = testing_message(&w);
	struct testing_mai r = convert(&m, VIEW(TESTING_RECEIPT));
	assert_true(r.m.is_receipt);
	assert_text(r.m.subject, "Read: your message");
	assert_has(r.m.text, "Your message was read by ");
	assert_has(r.m.text, "bobby");
	assert_has(r.m.text, "Read at: 2026-11-22 01:39");
	assert_has(r.m.text, "Remark:  hello");
	assert_int_equal(r.m.date.year, 2026);
	assert_int_equal(r.m.n_to, 1);
	assert_text(r.m.to[0].text, "NET1/PO1/BOB");
	assert_text(r.m.message_id, "1");
	done(&r);
}

/* Our own identifiers bring the subject back. */
static void test_k159162_subject_from_the_identifier(void **state)
{
	(void)state;
	struct mai letter = testing_letter(&w, VIEW("lunch @ noon"), VIEW("t"));
	const struct mm_envelope v = testing_envelope(&w, &letter);
	struct testing_ipm sent = testing_to_ipm(&w, &letter, &v, NULL, 0);
	assert_true(sent.ok);
	struct ipm_object *x = arena_get(w.a, sizeof *x);
	struct out o;
	struct err e;
	x->choice.which = IPM_OBJECT_IPN;
	x->ipn.seq.has = 1u << IPM_IPN_SUBJECT | 1u << IPM_IPN_FIELDS;
	x->ipn.subject_ipm = sent.ipm.message->heading.this_ipm;
	x->ipn.fields.choice.which = IPM_NON_RECEIPT;
	x->ipn.fields.non_receipt.seq.has = 1u << IPM_NRN_REASON | 1u << IPM_NRN_DISCARD;
	out_init(&o, 10000);
	assert_true(ber_encode(&ipm_object_outer_type, x, &o, &e));
	const struct message m = testing_message(&w);
	struct testing_mai r = convert(&m, out_view(&o));
	assert_true(r.m.is_receipt);
	assert_text(r.m.class, "Report.IPM.Note.IPNNRN");
	assert_text(r.m.subject, "Not read: lunch @ noon");
	assert_has(r.m.text, "Your message was not read: it had expired.");
	done(&r);
	mm_converted_fini(&sent.done);
	out_fini(&o);
}

static struct message report(enum recipient_outcome first, enum recipient_outcome second)
{
	struct message m = testing_message(&w);
	struct err e;
	m.kind = MESSAGE_REPORT;
	m.content_type = -2;
	m.originator = testing_oraddr(&w, "G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB");
	assert_true(mts_id_parse(VIEW("C=GB;A=EXAMPLE;P=SITE;L=ours-9"), &m.subject_id, w.a, &e));
	m.rcpt = arena_array(w.a, 2, sizeof *m.rcpt);
	m.n_rcpt = 2;
	const enum recipient_outcome outcomes[] = { first, second };
	for (unsigned i = 0; i < 2; i++) {
		const char *who = i == 0 ? "S=ann; O=Far; P=AWAY; A=EXAMPLE; C=FR" : "S=ben; O=Far; P=AWAY; A=EXAMPLE; C=FR";
		m.rcpt[i] = (struct recipient){ .addr = testing_oraddr(&w, who), .number = i + 1, .outcome = outcomes[i], .reason = -1, .diagnostic = -1, .type_of_user = UINT32_MAX };
		if (outcomes[i] == OUTCOME_NOT_DELIVERED) {
			m.rcpt[i].reason = 1;
			m.rcpt[i].diagnostic = i == 0 ? 0 : 4;
			m.rcpt[i].supplementary = VIEW("nobody of that name");
		} else {
			m.rcpt[i].delivered_at = INT64_C(1128166260000);
			m.rcpt[i].delivered_raw = VIEW("051001113100Z");
		}
	}
	return m;
}

/* facts A10: [002] for 1/0, [017] mailbag full for 1/4; each recipient with its own (Q121732, Q127919). */
static void test_k121732_k127919_a_non_delivery_report(void **state)
{
	(void)state;
	struct message m = report(OUTCOME_NOT_DELIVERED, OUTCOME_NOT_DELIVERED);
	m.has_returned_content = true;
	m.returned_content = VIEW(SMALL);
	struct testing_mai r = convert(&m, VIEW(""));
	struct mm_notice n;
	assert_text(r.m.subject, NOTICE_SUBJECT);
	assert_text(r.m.from.text, "NET1/PO1/POSTMASTER");
	assert_text(r.done.envelope.from.text, "NET1/PO1/POSTMASTER");
	assert_int_equal(r.done.envelope.n, 1);
	assert_text(r.done.envelope.recipients[0].address.text, "NET1/PO1/BOB");
	assert_text(r.m.message_id, "C=GB;A=EXAMPLE;P=SITE;L=ours-9");
	assert_true(notice_parse(r.m.text, &n, w.a)); /* it is one of the mover's */
	assert_int_equal(n.n_unreached, 2);
	assert_has(r.m.text, "[002]");
	assert_has(r.m.text, "[017]");
	assert_has(r.m.text, "nobody of that name");
	assert_has(r.m.text, "Hi");
	assert_has(r.m.text, "A\rB"); /* what was sent */
	assert_false(r.m.receipt);
	done(&r);
	/* A large content stands beside the report. */
	m.returned_content = VIEW("");
	r = convert(&m, VIEW(SMALL));
	assert_has(r.m.text, "A\rB");
	done(&r);
}

static void test_k156728_k149021_delivered_is_no_failure(void **state)
{
	(void)state;
	struct message m = report(OUTCOME_DELIVERED, OUTCOME_DELIVERED);
	struct testing_mai r = convert(&m, VIEW(""));
	struct mm_notice n;
	assert_text(r.m.subject, "Delivered");
	assert_has(r.m.text, "Your message was delivered.");
	assert_has(r.m.text, "2005-10-01 12:31");
	assert_false(notice_parse(r.m.text, &n, w.a));
	assert_null(strstr(testing_str(&w, r.m.text), "["));
	done(&r);
	/* Both kinds in one: only who was not reached is named. */
	m = report(OUTCOME_DELIVERED, OUTCOME_NOT_DELIVERED);
	r = convert(&m, VIEW(""));
	assert_text(r.m.subject, NOTICE_SUBJECT);
	assert_true(notice_parse(r.m.text, &n, w.a));
	assert_int_equal(n.n_unreached, 1);
	assert_null(strstr(testing_str(&w, n.unreached[0]), "ANN"));
	done(&r);
}

static void test_k141135_k191947_returned_content_of_any_kind(void **state)
{
	(void)state;
	struct message m = report(OUTCOME_NOT_DELIVERED, OUTCOME_NOT_DELIVERED);
	const struct view contents[] = {
		{ NULL, 0 }, VIEW("\x78\x9f\x3e\x22 TNEF or anything"), VIEW("\xa0\x80\x31"), VIEW("\xa0\x02\x31\x00"), VIEW(TESTING_RECEIPT),
	};
	m.has_returned_content = true;
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		m.returned_content = contents[i];
		struct testing_mai r = convert(&m, VIEW(""));
		assert_text(r.m.subject, NOTICE_SUBJECT);
		assert_has(r.m.text, "[002]");
		done(&r);
	}
	/* No trace, no address of a recipient, an unknown diagnostic. */
	m.trace.n = 0;
	m.rcpt[0].addr = (struct oraddr){ 0 };
	m.rcpt[1].diagnostic = 4000;
	struct testing_mai r = convert(&m, VIEW(""));
	assert_has(r.m.text, "[0");
	done(&r);
}

/* Q193035: To and Cc in so many octets, and a line that says what is not there. Who gets it stays in the envelope. */
static void test_k193035_header_limit(void **state)
{
	(void)state;
	struct message m = testing_message(&w);
	struct ipm_recipient to[100] = { 0 };
	for (size_t i = 0; i < 100; i++) {
		char text[100];
		snprintf(text, sizeof text, "S=user%02zu; O=Far; P=AWAY; A=EXAMPLE; C=FR", i);
		to[i].user.addr = testing_oraddr(&w, text);
	}
	const struct ipm_compose_part p[] = { text_of("text\n"), file_of("f", VIEW("x")), text_of("more") };
	const struct ipm_compose c = { .subject = VIEW("s"), .to = to, .n_to = 60, .cc = to + 60, .n_cc = 40, .parts = p, .n_parts = 3 };
	const struct view content = testing_content_of(&w, &c);
	struct testing_mai r = convert(&m, content);
	assert_int_equal(r.m.n_to + r.m.n_cc, 100);
	done(&r);
	w.how.header_limit = 1400; /* each FAR/PO9/USERnn is 14 and 4 */
	r = convert(&m, content);
	assert_int_equal(r.m.n_to, 60);
	assert_int_equal(r.m.n_cc, 17);
	assert_has(r.m.text, "[23 more recipients of this message are not listed");
	assert_int_equal(r.m.attachments[0].position, strlen(testing_str(&w, r.m.text)) - 4);
	done(&r);
	w.how.header_limit = 100;
	r = convert(&m, content);
	assert_int_equal(r.m.n_to, 5);
	assert_int_equal(r.m.n_cc, 0);
	done(&r);
	w.how.header_limit = 0;
}

/* Extensions that nobody knows: of RFC 1327's headings, private ones (Q161948). */
static void test_k161948_unknown_heading_extensions(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	/* heading: this-IPM "1", extensions [15] { SEQUENCE { 1.2.3.4.5, SEQUENCE { NULL } } } */
	static const char content[] = "\xa0\x1e\x31\x13\x6b\x03\x13\x01" "1\xaf\x0c\x30\x0a\x06\x04\x2a\x03\x04\x05\x30\x02\x05\x00\x30\x07\xa0\x05\x31\x00\x16\x01" "A";
	struct testing_mai r = convert(&m, view_of(content, sizeof content - 1));
	assert_text(r.m.text, "A");
	done(&r);
}

static void test_marks_that_mai_has_no_field_for(void **state)
{
	(void)state;
	struct message m = testing_message(&w);
	const struct ipm_compose_part p = text_of("t");
	const struct ipm_compose c = { .subject = VIEW("s"), .importance = IPM_NORMAL, .sensitivity = IPM_COMPANY_CONFIDENTIAL,
				       .auto_forwarded = true, .parts = &p, .n_parts = 1 };
	struct testing_mai r = convert(&m, testing_content_of(&w, &c));
	assert_int_equal(r.m.n_extra, 1);
	/* ... and they come back. */
	r.m.from = testing_ms("NET1/PO1/BOB");
	r.m.to[0] = testing_ms("FAR/PO9/ANN");
	const struct mm_envelope v = testing_envelope(&w, &r.m);
	struct testing_ipm back = testing_to_ipm(&w, &r.m, &v, NULL, 0);
	assert_true(back.ok);
	assert_int_equal(back.ipm.message->heading.sensitivity, IPM_COMPANY_CONFIDENTIAL);
	assert_true(back.ipm.message->heading.auto_forwarded);
	mm_converted_fini(&back.done);
	done(&r);
}

static void test_k151791_recipients_that_cannot_be_mapped(void **state)
{
	(void)state;
	struct message m = testing_message(&w);
	struct recipient *v = arena_array(w.a, 2, sizeof *v);
	v[0] = m.rcpt[0];
	v[1] = m.rcpt[0];
	v[1].number = 2;
	v[1].addr = testing_oraddr(&w, "DDA:MS=NET1//PO1//TOOLONGMAILBOXNAME; C=GB; A=EXAMPLE; P=SITE");
	m.rcpt = v;
	m.n_rcpt = 2;
	struct testing_mai r = convert(&m, VIEW(SMALL));
	assert_int_equal(r.done.envelope.n, 2);
	assert_int_equal(r.done.envelope.recipients[0].notice, 0);
	assert_int_equal(r.done.envelope.recipients[1].notice, 2);
	assert_int_equal(r.done.envelope.recipients[1].reason, 1);
	assert_true(r.done.envelope.recipients[1].why.n > 0);
	done(&r);
}

static void test_refused_as_a_whole(void **state)
{
	(void)state;
	struct message m = testing_message(&w);
	struct testing_mai r = testing_to_mai(&w, &m, VIEW("no BER"));
	assert_false(r.ok);
	assert_int_equal(r.e.kind, ERR_PERM);
	assert_int_equal(r.e.reason, 1);
	assert_int_equal(r.e.diagnostic, 12); /* content-syntax-error */
	m.content_type = 35;
	r = testing_to_mai(&w, &m, VIEW(SMALL));
	assert_false(r.ok);
	assert_int_equal(r.e.diagnostic, 15); /* content-type-not-supported */
	m.kind = MESSAGE_PROBE;
	r = testing_to_mai(&w, &m, VIEW(""));
	assert_false(r.ok);
}

static void test_any_quota(void **state)
{
	(void)state;
	const struct message m = testing_message(&w);
	const struct ipm_compose_part p[] = { text_of("tä\n"), file_of("f", VIEW("x")), text_of("more") };
	const struct ipm_compose c = { .subject = VIEW("s"), .parts = p, .n_parts = 3 };
	const struct view content = testing_content_of(&w, &c);
	struct out packed;
	out_init(&packed, 10000);
	pack_message(&packed, &m, 0, 1);
	for (size_t quota = 0; quota < 60000; quota += 101) {
		struct arena *small = arena_new(quota);
		struct mm_converted result;
		struct err e;
		if (mm_to_mai(&w.how, out_view(&packed), content, false, &result, small, &e))
			mm_converted_fini(&result);
		else
			assert_true(e.kind == ERR_PERM || e.kind == ERR_LOCAL);
		arena_free(&small);
	}
	out_fini(&packed);
}

static void test_50_megabytes(void **state)
{
	enum { N = 50 * 1000 * 1000 };
	(void)state;
	uint8_t *octets = mem_alloc(N);
	memset(octets, 0xa5, N);
	const struct ipm_compose_part p = file_of("big", view_of(octets, N));
	const struct ipm_compose c = { .subject = VIEW("s"), .parts = &p, .n_parts = 1 };
	const struct view content = testing_content_of(&w, &c);
	const struct message m = testing_message(&w);
	const size_t before = arena_used(w.a);
	struct testing_mai r = convert(&m, content);
	assert_true(arena_used(w.a) - before < 1 << 20); /* the file is where it came in */
	assert_int_equal(r.done.attachments[0].octets.n, N);
	assert_true(r.done.attachments[0].octets.p > content.p && r.done.attachments[0].octets.p < content.p + content.n);
	done(&r);
	free(octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter),
		cmocka_unit_test(test_k161952_lines_of_1_to_1000),
		cmocka_unit_test(test_k159180_k148234_character_sets),
		cmocka_unit_test(test_loss_prohibited),
		cmocka_unit_test(test_k159179_nul_in_text),
		cmocka_unit_test(test_several_texts_and_files),
		cmocka_unit_test(test_k151249_k166598_twenty_files),
		cmocka_unit_test(test_k166585_k222641_tnef),
		cmocka_unit_test(test_k176453_names_as_parts),
		cmocka_unit_test(test_k157941_positions_in_characters_of_the_page),
		cmocka_unit_test(test_k157420_k177979_embedded_messages),
		cmocka_unit_test(test_k178204_nested_deep),
		cmocka_unit_test(test_k200661_parts_of_any_kind),
		cmocka_unit_test(test_k156844_subject_over_40),
		cmocka_unit_test(test_k161936_priority),
		cmocka_unit_test(test_k164835_k164528_receipt_requests),
		cmocka_unit_test(test_k168771_a_receipt),
		cmocka_unit_test(test_k159162_subject_from_the_identifier),
		cmocka_unit_test(test_k121732_k127919_a_non_delivery_report),
		cmocka_unit_test(test_k100768_the_envelope_says_for_whom_it_is),
		cmocka_unit_test(test_k194547_teletex_text_and_names),
		cmocka_unit_test(test_k156728_k149021_delivered_is_no_failure),
		cmocka_unit_test(test_k141135_k191947_returned_content_of_any_kind),
		cmocka_unit_test(test_k193035_header_limit),
		cmocka_unit_test(test_k161948_unknown_heading_extensions),
		cmocka_unit_test(test_marks_that_mai_has_no_field_for),
		cmocka_unit_test(test_k151791_recipients_that_cannot_be_mapped),
		cmocka_unit_test(test_refused_as_a_whole),
		cmocka_unit_test(test_any_quota),
		cmocka_unit_test(test_50_megabytes),
	};
	return cmocka_run_group_tests_name("convert_mai", tests, setup, teardown);
}
