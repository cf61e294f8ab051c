/* ipm_convert_test.c - expected values: X.420 clause 7 and annex B (1984 and 1988), RFC 1328 3.2, 5 and 6, RFC 1496 3, RFC 2045 6.7 and
 * 6.8, applied by hand to contents built by hand. Tests named dg_n are the cases of that number in the conformance list, k<n> answer
 * the rows of that number in the failure catalogue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm_convert_testing.h"
#include "flow/codec/ipm/ipm_mime.h"
#include "flow/codec/ipm/ipm_testing.h"

static struct arena *a;
static struct charset_kit *kit;

static int setup(void **state)
{
	(void)state;
	a = arena_new((size_t)64 << 20);
	kit = charset_kit_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&a);
	charset_kit_free(&kit);
	return 0;
}

static struct ipm_convert down(void)
{
	return (struct ipm_convert){ .to_84 = true, .limits = ipm_limits_default(), .kit = kit };
}

static struct ipm_convert up(void)
{
	return (struct ipm_convert){ .from_84 = true, .limits = ipm_limits_default(), .kit = kit };
}

static void assert_octets(struct view got, struct view want)
{
	for (size_t i = 0; i < got.n && i < want.n; i++)
		if (got.p[i] != want.p[i])
			fail_msg("octet %zu of %zu is %02x, want %02x", i, got.n, got.p[i], want.p[i]);
	assert_int_equal(got.n, want.n);
}

/* Twice: the same input gives the same octets. Empty: it needs no change. */
static struct view convert(struct view content, int64_t type, const struct ipm_convert *how, struct ipm_converted *done_r)
{
	struct out o, again;
	struct ipm_converted done;
	struct err e = { 0 };
	out_init(&o, 1 << 24);
	out_init(&again, 1 << 24);
	if (!ipm_convert(content, type, how, a, &o, done_r, &e))
		fail_msg("%s", e.text);
	assert_true(ipm_convert(content, type, how, a, &again, &done, &e));
	assert_octets(out_view(&again), out_view(&o));
	assert_int_equal(done_r->changed, out_len(&o) > 0);
	const struct view got = arena_copy(a, out_view(&o));
	out_fini(&o);
	out_fini(&again);
	return got;
}

static void assert_refused(struct view content, const struct ipm_convert *how, int diagnostic)
{
	struct ipm_converted done;
	struct out o;
	struct err e = { 0 };
	out_init(&o, 1 << 20);
	assert_false(ipm_convert(content, 22, how, a, &o, &done, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	assert_int_equal(e.reason, 2);
	assert_int_equal(e.diagnostic, diagnostic);
	assert_int_equal(out_len(&o), 0);
	out_fini(&o);
}

/* A content of one part, made to have another. */
static struct view with_part(struct view part)
{
	return ipm_of(a, THIS_IPM, part);
}

/* --- headings, RFC 1328 5 --- */

/* X.411: [APPLICATION 0] SEQUENCE { standard { C=GB, A=B, O=A, CN }: common-name is extension attribute 1. */
#define STANDARD_ATTRIBUTES "\x61\x04\x13\x02GB\x62\x03\x13\x01" "B\x83\x01" "A"
static struct view name_88(void)
{
	return tlv(a, 0x60, 2, tlv(a, 0x30, 1, VIEW(STANDARD_ATTRIBUTES)),
		   VIEW("\x31\x13\x30\x11\x80\x01\x01\xa1\x0c\x13\x0aPostmaster"));
}

static struct view name_84(void)
{
	return tlv(a, 0x60, 2, tlv(a, 0x30, 1, VIEW(STANDARD_ATTRIBUTES)),
		   VIEW("\x30\x16\x30\x14\x13\x06" "Common\x13\x0aPostmaster"));
}

static void test_dg_01_k181947_k232656_common_name_in_the_content(void **state)
{
	(void)state;
	const struct view heading_88 = tlv(a, 0x6b, 2, name_88(), VIEW("\x13\x01" "1"));
	const struct view in = tlv(a, 0xa0, 2, tlv(a, 0x31, 3, heading_88, tlv(a, 0xa0, 1, name_88()),
		tlv(a, 0xa2, 1, tlv(a, 0x31, 1, tlv(a, 0xa0, 1, name_88())))), tlv(a, 0x30, 1, ia5_of(a, VIEW("x"))));
	/* In a SET our own order of the identifier's elements is that of the tags: PrintableString, then the name. */
	const struct view heading_84 = tlv(a, 0x6b, 2, VIEW("\x13\x01" "1"), name_84());
	const struct view want = tlv(a, 0xa0, 2, tlv(a, 0x31, 3, heading_84, tlv(a, 0xa0, 1, name_84()),
		tlv(a, 0xa2, 1, tlv(a, 0x31, 1, tlv(a, 0xa0, 1, name_84())))), tlv(a, 0x30, 1, ia5_of(a, VIEW("x"))));
	const struct ipm_convert how = down(), back = up();
	struct ipm_converted done;
	assert_octets(convert(in, 22, &how, &done), want);
	assert_int_equal(done.content_type, 2);
	assert_false(done.parts);
	/* The way back (DG-02): a common name again. */
	const struct view again = convert(want, 2, &back, &done);
	assert_int_equal(done.content_type, 22);
	struct ipm ipm;
	struct err e;
	assert_true(ipm_parse(again, &ipm, a, &how.limits, &e));
	const struct oraddr addr = ipm_oraddr(ipm.message->heading.originator.formal_name, a);
	const struct oraddr_attr *cn = oraddr_find(&addr, ORA_COMMON_NAME);
	assert_non_null(cn);
	assert_true(view_eq(cn->value, VIEW("Postmaster")));
	assert_null(oraddr_find(&addr, ORA_DDA));
}

/* One RelativeDistinguishedName: SET { SEQUENCE { {2 5 4 n}, PrintableString } } */
static struct view rdn(uint8_t n, struct view value)
{
	const struct view type = arena_copy(a, view_of((uint8_t[]){ 0x06, 3, 0x55, 4, n }, 5));
	return tlv(a, 0x31, 1, tlv(a, 0x30, 2, type, tlv(a, 0x13, 1, value)));
}

static struct view named(struct view directory_name)
{
	return tlv(a, 0x60, 2, tlv(a, 0x30, 1, VIEW(STANDARD_ATTRIBUTES)), directory_name.n == 0 ? NOTHING : tlv(a, 0xa0, 1, directory_name));
}

static void test_dg_07_k161948_heading_of_1988(void **state)
{
	(void)state;
	const struct view dn = tlv(a, 0x30, 4, rdn(6, VIEW("GB")), rdn(10, VIEW("UCL")), rdn(11, VIEW("CS")), rdn(3, VIEW("Steve Kille")));
	const struct view extensions = tlv(a, 0xaf, 2, VIEW("\x30\x08\x06\x04\x56\x01\x05\x00\x05\x00"), /* incomplete-copy */
		VIEW("\x30\x0c\x06\x04\x56\x01\x05\x01\x31\x04\x13\x02" "en"));                        /* languages */
	const struct view subject = VIEW("\xa8\x04\x14\x02Hi");
	const struct view content = tlv(a, 0xa0, 2,
		tlv(a, 0x31, 4, THIS_IPM, tlv(a, 0xa0, 2, named(dn), VIEW("\x80\x05Steve")), subject, extensions),
		tlv(a, 0x30, 1, ia5_of(a, VIEW("x"))));
	/* RFC 1328 5: "(Steve Hardcastle-Kille, Computer Science, University College London, GB)" */
	const struct view want = tlv(a, 0xa0, 2,
		tlv(a, 0x31, 3, THIS_IPM, tlv(a, 0xa0, 2, named(NOTHING), tlv(a, 0x80, 1, VIEW("Steve (Steve Kille, CS, UCL, GB)"))), subject),
		tlv(a, 0x30, 1, ia5_of(a, VIEW("x"))));
	struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(content, 22, &how, &done), want);
	assert_int_equal(done.content_type, 2);
	assert_false(done.parts);
	/* Fields are no encoded information: neither prohibition is about them. */
	how.prohibited = how.no_loss = true;
	assert_octets(convert(content, 22, &how, &done), want);
	/* What is one of 1984 already has another type, and the same octets. */
	assert_octets(convert(want, 22, &how, &done), want);
	assert_int_equal(done.content_type, 2);
	assert_int_equal(convert(want, 2, &how, &done).n, 0);
	assert_int_equal(done.content_type, 2);
}

/* X.420 7.1.1: a free-form name has 64 octets at most. */
static void test_dg_07_a_directory_name_too_long(void **state)
{
	(void)state;
	const struct view dn = tlv(a, 0x30, 3, rdn(6, VIEW("GB")), rdn(10, VIEW("An organisation whose name is very long indeed, Limited")),
				   rdn(3, VIEW("Somebody")));
	const struct view content = tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, tlv(a, 0xa0, 1, named(dn))), tlv(a, 0x30, 0));
	const struct view want = tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM,
		tlv(a, 0xa0, 2, named(NOTHING), VIEW("\x80\x0a(Somebody)"))), tlv(a, 0x30, 0));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(content, 22, &how, &done), want);
}

static void test_extended_subject_is_the_subject_where_there_is_none(void **state)
{
	(void)state;
	const struct view extended = tlv(a, 0xaf, 1, tlv(a, 0x30, 2, VIEW("\x06\x04\x56\x01\x05\x08"),
		VIEW("\x31\x06\x1e\x04\x00H\x00i")));
	const struct view content = tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, extended), tlv(a, 0x30, 0));
	const struct view want = tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, VIEW("\xa8\x04\x14\x02Hi")), tlv(a, 0x30, 0));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(content, 22, &how, &done), want);
}

/* Q194651: an empty subject written as one NUL; it is left out. */
static void test_k194651_a_subject_of_nul_goes(void **state)
{
	(void)state;
	const struct view content = tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, VIEW("\xa8\x03\x14\x01\x00")), tlv(a, 0x30, 0));
	const struct view want = tlv(a, 0xa0, 2, tlv(a, 0x31, 1, THIS_IPM), tlv(a, 0x30, 0));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(content, 22, &how, &done), want);
}

/* Q161946, Q163464: a peer that refuses free-form names. Who has no other name keeps it. */
static void test_k161946_k163464_without_free_form_names(void **state)
{
	(void)state;
	const struct view both = tlv(a, 0xa0, 2, named(NOTHING), VIEW("\x80\x03" "Bob"));
	const struct view alone = tlv(a, 0xa1, 1, VIEW("\x31\x05\x80\x03" "Eve"));
	const struct view content = tlv(a, 0xa0, 2, tlv(a, 0x31, 3, THIS_IPM, both, alone), tlv(a, 0x30, 0));
	const struct view want = tlv(a, 0xa0, 2, tlv(a, 0x31, 3, THIS_IPM, tlv(a, 0xa0, 1, named(NOTHING)), alone), tlv(a, 0x30, 0));
	const struct ipm_convert how = { .no_free_form = true, .limits = ipm_limits_default() };
	struct ipm_converted done;
	assert_octets(convert(content, 22, &how, &done), want);
	assert_int_equal(done.content_type, 22);
	assert_int_equal(convert(want, 22, &how, &done).n, 0);
}

/* Q164528: notification-requests of no bits (03 01 00) ask for nothing; advice, asked for since 1999, is not 1984's. Q232388: a telephone
 * number has 32 characters at most (X.420 7.1.1). */
static void test_k164528_k232388_recipients_of_1988(void **state)
{
	(void)state;
	const struct view long_number = VIEW("\x81\x28" "0123456789012345678901234567890123456789");
	const struct view in = tlv(a, 0xa2, 3, tlv(a, 0x31, 2, tlv(a, 0xa0, 1, named(NOTHING)), VIEW("\x81\x01\x00")),
		tlv(a, 0x31, 3, tlv(a, 0xa0, 2, named(NOTHING), long_number), VIEW("\x81\x02\x03\xc8"),
		    VIEW("\xa3\x0a\x30\x08\x06\x04\x56\x01\x14\x00\x05\x00")), NOTHING);
	const struct view want = tlv(a, 0xa2, 2, tlv(a, 0x31, 2, tlv(a, 0xa0, 1, named(NOTHING)), VIEW("\x81\x01\x00")),
		tlv(a, 0x31, 2, tlv(a, 0xa0, 2, named(NOTHING), VIEW("\x81\x20" "01234567890123456789012345678901")), VIEW("\x81\x02\x05\xc0")));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, in), tlv(a, 0x30, 0)), 22, &how, &done),
		      tlv(a, 0xa0, 2, tlv(a, 0x31, 2, THIS_IPM, want), tlv(a, 0x30, 0)));
}

/* --- body parts --- */

static void test_older_parts_of_the_same_name(void **state)
{
	(void)state;
	const struct {
		struct view extended, basic, eits; /* eits: X.411 8.5.6, [APPLICATION 5] SET { [0] BIT STRING } */
	} rows[] = {
		{ extended_of(a, 0, VIEW("\x31\x03\x80\x01\x02"), VIEW("\x16\x01x")), VIEW("\xa0\x08\x31\x03\x80\x01\x02\x16\x01x"),
		  VIEW("\x65\x04\x80\x02\x05\x20") },
		{ extended_of(a, 0, NOTHING, VIEW("\x16\x01x")), VIEW("\xa0\x05\x31\x00\x16\x01x"), VIEW("\x65\x04\x80\x02\x05\x20") },
		{ extended_of(a, 2, VIEW("\x31\x03\x80\x01\x01"), VIEW("\x30\x04\x03\x02\x00\xff")),
		  VIEW("\xa3\x0b\x31\x03\x80\x01\x01\x30\x04\x03\x02\x00\xff"), VIEW("\x65\x04\x80\x02\x04\x10") },
		{ extended_of(a, 3, NOTHING, VIEW("\x30\x02\x85\x00")), VIEW("\xa4\x02\x85\x00"), VIEW("\x65\x04\x80\x02\x03\x08") },
		{ extended_of(a, 4, VIEW("\x31\x03\x80\x01\x01"), VIEW("\x30\x03\x14\x01x")), VIEW("\xa5\x0a\x31\x03\x80\x01\x01\x30\x03\x14\x01x"),
		  VIEW("\x65\x04\x80\x02\x02\x04") },
		{ extended_of(a, 5, VIEW("\x31\x03\x80\x01\x01"), VIEW("\x15\x01x")), VIEW("\xa6\x08\x31\x03\x80\x01\x01\x15\x01x"),
		  VIEW("\x65\x04\x80\x02\x01\x02") },
		{ extended_of(a, 6, VIEW("\x31\x00"), VIEW("\x03\x02\x00\xff")), VIEW("\xa8\x06\x31\x00\x03\x02\x00\xff"),
		  VIEW("\x65\x04\x80\x02\x07\x80") },
		{ extended_of(a, 8, NOTHING, VIEW("\x30\x02\x85\x00")), VIEW("\xab\x02\x85\x00"), VIEW("\x65\x05\x80\x03\x06\x00\x40") },
		{ extended_of(a, 9, NOTHING, VIEW("\x04\x02hi")), VIEW("\x8e\x02hi"), VIEW("\x65\x04\x80\x02\x07\x80") },
		{ extended_of(a, 10, NOTHING, VIEW("\x02\x01\x05")), VIEW("\xa7\x03\x02\x01\x05"), VIEW("\x65\x04\x80\x02\x07\x80") },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ipm_convert how = down(), narrow = { .no_part_15 = true, .prohibited = true, .limits = ipm_limits_default() };
		struct ipm_converted done;
		print_message("row %zu\n", i);
		assert_octets(convert(with_part(rows[i].extended), 22, &how, &done), with_part(rows[i].basic));
		assert_true(done.parts);
		assert_octets(done.eits, rows[i].eits);
		assert_int_equal(done.content_type, 2);
		/* Without part 15 it stays a P22; the same part under another name is no conversion. */
		assert_octets(convert(with_part(rows[i].extended), 22, &narrow, &done), with_part(rows[i].basic));
		assert_int_equal(done.content_type, 22);
		assert_int_equal(convert(with_part(rows[i].basic), 22, &narrow, &done).n, 0);
	}
}

#define MIME_LATIN1(encoding) \
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: " encoding "\r\n\r\n"

static void test_dg_09_general_text_of_latin1(void **state)
{
	(void)state;
	const struct {
		struct view text, want;
	} rows[] = {
		/* RFC 2045 6.7: an octet above 126 is = and two hexadecimal digits; = is one; blanks at the end of a line too */
		{ VIEW("\x1b\x28\x42\x1b\x2d\x41" "caf\xe9 = 1 \r\nend"), VIEW(MIME_LATIN1("quoted-printable") "caf=E9 =3D 1=20\r\nend") },
		{ VIEW("caf\xe9"), VIEW(MIME_LATIN1("quoted-printable") "caf=E9") },
		{ VIEW("\xe9\xe9\xe9\xe9\xe9\xe9"), VIEW(MIME_LATIN1("base64") "6enp6enp\r\n") },
		{ VIEW("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\xe9"),
		  VIEW(MIME_LATIN1("quoted-printable") "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012345678=\r\n9=E9") },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ipm_convert how = down(), back = up();
		struct ipm_converted done;
		const struct view want = with_part(ia5_of(a, rows[i].want));
		assert_octets(convert(with_part(general_of(a, rows[i].text)), 22, &how, &done), want);
		assert_int_equal(done.content_type, 2);
		assert_octets(done.eits, VIEW("\x65\x04\x80\x02\x05\x20"));
		/* Nothing more happens to it on its way, and it comes back. */
		assert_int_equal(convert(want, 2, &how, &done).n, 0);
		(void)convert(want, 2, &back, &done);
		assert_true(done.changed);
	}
	/* What is IA5 is that. */
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(with_part(general_of(a, VIEW("cafe"))), 22, &how, &done), with_part(ia5_of(a, VIEW("cafe"))));
}

static void test_dg_10_mime_text_is_the_real_part(void **state)
{
	(void)state;
	const struct view latin1 = general_of(a, VIEW("\x1b\x28\x42\x1b\x2d\x41" "caf\xe9"));
	const struct {
		struct view text, part;
	} rows[] = {
		{ VIEW(MIME_LATIN1("quoted-printable") "caf=E9"), latin1 },
		{ VIEW(MIME_LATIN1("base64") "Y2Fm\r\n6Q==\r\n"), latin1 },
		{ VIEW("mime-version: 1.0 (x)\ncontent-type: TEXT/plain;\n\tcharset=\"iso-8859-1\"\ncontent-transfer-encoding: Quoted-Printable\n"
		       "X-Other: y\n\ncaf=\n=e9"), latin1 },
		{ VIEW("MIME-Version: 1.0\r\n\r\nplain"), ia5_of(a, VIEW("plain")) },
		{ VIEW("MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"a;b\"\r\nContent-Transfer-Encoding: base64\r\n\r\neHl6"),
		  NOTHING },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows) - 1; i++) {
		const struct ipm_convert how = up();
		struct ipm_converted done;
		print_message("row %zu\n", i);
		assert_octets(convert(with_part(ia5_of(a, rows[i].text)), 2, &how, &done), with_part(rows[i].part));
		assert_int_equal(done.content_type, 22);
	}
	/* A file: its octets and its name. */
	const struct ipm_convert how = up();
	struct ipm_converted done;
	struct ipm ipm;
	struct ipm_part part;
	struct err e;
	const struct view got = convert(with_part(ia5_of(a, rows[ARRAY_LEN(rows) - 1].text)), 2, &how, &done);
	assert_true(ipm_parse(got, &ipm, a, &how.limits, &e));
	assert_true(ipm_part_at(ipm.message, 0, &part, a, &how.limits, &e));
	assert_int_equal(part.kind, IPM_PART_FILE_TRANSFER);
	assert_octets(part.octets, VIEW("xyz"));
	assert_octets(part.name, VIEW("a;b"));
}

static void test_dg_10_what_is_no_mime_stays_text(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"MIME-Version: 1.0", "MIME-Version: 1.0\r\n", "MIME-Version: 1.0\r\nno field\r\n\r\nx",
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=klingon\r\n\r\nx",
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n",
		"MIME-Version: 1.0\r\nContent-Type: image/gif\r\n\r\nx",
		"MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: uuencode\r\n\r\nx",
		MIME_LATIN1("base64") "Y2F*", MIME_LATIN1("base64") "Y2Fm6", MIME_LATIN1("base64") "Y2==6Q==",
		MIME_LATIN1("quoted-printable") "caf=E", MIME_LATIN1("quoted-printable") "caf=XY",
		"MIME-Version: 1.0\r\nContent-Type: application/x400-bp\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
		" MIME-Version: 1.0\r\n\r\nx",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct ipm_convert how = up();
		struct ipm_converted done;
		print_message("row %zu\n", i);
		assert_int_equal(convert(with_part(ia5_of(a, view_str(texts[i]))), 2, &how, &done).n, 0);
		assert_int_equal(done.content_type, 2);
	}
}

static void test_dg_11_conversion_prohibited(void **state)
{
	(void)state;
	struct ipm_convert how = down(), narrow = { .no_part_15 = true, .prohibited = true, .limits = ipm_limits_default() };
	struct ipm_convert text = { .text = IPM_TEXT_IA5, .prohibited = true, .limits = ipm_limits_default() };
	how.prohibited = true;
	const struct view general = with_part(general_of(a, VIEW("caf\xe9"))), voice = with_part(extended_of(a, 16, NOTHING, VIEW("\x04\x01v")));
	const struct view file = with_part(extended_of(a, 12, NOTHING, VIEW("\x30\x00")));
	assert_refused(general, &how, 9);
	assert_refused(general, &narrow, 9);
	assert_refused(general, &text, 9);
	assert_refused(voice, &how, 9);
	assert_refused(file, &how, 9);
	/* In a forwarded message too. */
	const struct view inner = tlv(a, 0x30, 2, tlv(a, 0x31, 1, THIS_IPM), tlv(a, 0x30, 1, general_of(a, VIEW("caf\xe9"))));
	assert_refused(with_part(tlv(a, 0xa9, 2, VIEW("\x31\x00"), inner)), &how, 9);
	struct ipm_converted done;
	const struct view ia5 = with_part(ia5_of(a, VIEW("cafe")));
	assert_octets(convert(ia5, 22, &how, &done), ia5);
	assert_int_equal(convert(ia5, 22, &text, &done).n, 0);
}

static void test_dg_12_loss_prohibited(void **state)
{
	(void)state;
	struct ipm_convert ia5 = { .text = IPM_TEXT_IA5, .limits = ipm_limits_default(), .kit = kit };
	struct ipm_convert teletex = { .text = IPM_TEXT_TELETEX, .limits = ipm_limits_default(), .kit = kit };
	const struct view latin1 = with_part(general_of(a, VIEW("caf\xe9"))), cyrillic = with_part(general_of(a, VIEW("\x1b\x2d\x4c\xbc")));
	struct ipm_converted done;
	assert_octets(convert(latin1, 22, &ia5, &done), with_part(ia5_of(a, VIEW("caf?"))));
	/* T.61: acute (2/12 + 8/0) before e; one page. */
	const struct view page = VIEW("\xa5\x0e\x31\x03\x80\x01\x01\x30\x07\x14\x05" "caf\xc2" "e");
	assert_octets(convert(latin1, 22, &teletex, &done), with_part(page));
	assert_octets(done.eits, VIEW("\x65\x04\x80\x02\x02\x04"));
	ia5.no_loss = teletex.no_loss = true;
	assert_refused(latin1, &ia5, 19);
	assert_octets(convert(latin1, 22, &teletex, &done), with_part(page));
	assert_refused(cyrillic, &teletex, 19);
	assert_octets(convert(with_part(general_of(a, VIEW("cafe"))), 22, &ia5, &done), with_part(ia5_of(a, VIEW("cafe"))));
	/* As MIME nothing is lost. */
	struct ipm_convert how = down();
	how.no_loss = true;
	(void)convert(cyrillic, 22, &how, &done);
	assert_true(done.changed);
}

static void test_texts_in_the_wanted_form(void **state)
{
	(void)state;
	struct ipm_convert general = { .text = IPM_TEXT_GENERAL, .limits = ipm_limits_default(), .kit = kit };
	const struct view two_pages = VIEW("\xa5\x10\x31\x03\x80\x01\x02\x30\x09\x14\x01" "a\x14\x04" "\xc2" "e\r\n");
	struct ipm_converted done;
	/* Teletex becomes general text, its pages parted by a form feed; and back. */
	const struct view got = convert(with_part(two_pages), 2, &general, &done);
	assert_octets(got, with_part(general_of(a, VIEW("\x1b\x28\x42\x1b\x2d\x41" "a\f\xe9\r\n"))));
	assert_int_equal(done.content_type, 22);
	struct ipm_convert teletex = { .text = IPM_TEXT_TELETEX, .limits = ipm_limits_default(), .kit = kit };
	assert_octets(convert(got, 22, &teletex, &done), with_part(two_pages));
	/* ASCII is general text of registrations 1 and 6, without an escape. */
	assert_octets(convert(with_part(ia5_of(a, VIEW("x"))), 2, &general, &done),
		      with_part(extended_of(a, 11, VIEW("\x31\x06\x02\x01\x01\x02\x01\x06"), VIEW("\x1b\x01x"))));
	/* 1 0 10021 7 1 0 n: 28 ce 25 07 01 00 n (X.690 8.19) */
	assert_octets(done.eits, VIEW("\x65\x17\x80\x01\x00\xa4\x12\x06\x07\x28\xce\x25\x07\x01\x00\x01\x06\x07\x28\xce\x25\x07\x01\x00\x06"));
	/* A peer of 1984 gets no general text, whatever is wanted. */
	general.to_84 = true;
	assert_octets(convert(with_part(ia5_of(a, VIEW("x"))), 2, &general, &done), NOTHING);
}

/* Files lose their name; where that is not allowed they go whole, and come back bit for bit. */
static void test_files_and_other_parts(void **state)
{
	(void)state;
	const struct view params = VIEW("\x30\x09\xa4\x07\xa0\x05\x19\x03" "a.b");
	const struct view data = VIEW("\x30\x0e\x28\x0c\x06\x05\x28\xc2\x7b\x02\x04\x81\x03xyz");
	const struct view file = with_part(extended_of(a, 12, params, data)), voice = with_part(extended_of(a, 16, NOTHING, VIEW("\x04\x01v")));
	struct ipm_convert how = down();
	const struct ipm_convert back = up();
	struct ipm_converted done;
	assert_octets(convert(file, 22, &how, &done), with_part(VIEW("\x8e\x03xyz")));
	assert_octets(done.eits, VIEW("\x65\x04\x80\x02\x07\x80"));
	how.no_loss = true;
	const struct view encapsulated = convert(file, 22, &how, &done);
	struct ipm ipm;
	struct ipm_part part;
	struct err e;
	const struct view begins = VIEW("MIME-Version: 1.0\r\nContent-Type: application/x400-bp; bp-type=2.6.1.4.12\r\n"
					"Content-Transfer-Encoding: base64\r\n\r\nry"); /* af 2f a0 */
	assert_true(ipm_parse(encapsulated, &ipm, a, &how.limits, &e));
	assert_true(ipm_part_at(ipm.message, 0, &part, a, &how.limits, &e));
	assert_int_equal(part.kind, IPM_PART_IA5_TEXT);
	assert_octets(view_first(part.octets, begins.n), begins);
	assert_octets(convert(encapsulated, 2, &back, &done), file);
	how.no_loss = false;
	assert_octets(convert(convert(voice, 22, &how, &done), 2, &back, &done), voice);
	/* af 10 28 0e 06 04 56 01 04 10 a0 06 ... by hand, RFC 2045 6.8 */
	assert_octets(convert(with_part(VIEW("\xaf\x00")), 22, &how, &done),
		      with_part(ia5_of(a, VIEW("MIME-Version: 1.0\r\nContent-Type: application/x400-bp\r\nContent-Transfer-Encoding: base64\r\n\r\nrwA=\r\n"))));
}

/* Q166585: damaged TNEF in a file. Nobody here looks into it: it goes as the octets it is. */
static void test_k166585_damaged_tnef_is_carried(void **state)
{
	(void)state;
	const struct view tnef = VIEW("\x78\x9f\x3e\x22\x01\x00\x01\x06\x90\x08\x00\xff\xff\xff\xff\x04");
	const struct view data = tlv(a, 0x30, 1, tlv(a, 0x28, 2, VIEW("\x06\x05\x28\xc2\x7b\x02\x04"), tlv(a, 0x81, 1, tnef)));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(with_part(extended_of(a, 12, NOTHING, data)), 22, &how, &done), with_part(tlv(a, 0x8e, 1, tnef)));
	assert_int_equal(convert(with_part(tlv(a, 0x8e, 1, tnef)), 2, &how, &done).n, 0);
}

static void test_k193762_a_file_of_no_octets(void **state)
{
	(void)state;
	const struct view data = tlv(a, 0x30, 1, tlv(a, 0x28, 2, VIEW("\x06\x05\x28\xc2\x7b\x02\x04"), VIEW("\x81\x00")));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(with_part(extended_of(a, 12, NOTHING, data)), 22, &how, &done), with_part(VIEW("\x8e\x00")));
	assert_octets(convert(with_part(extended_of(a, 12, NOTHING, VIEW("\x30\x00"))), 22, &how, &done), with_part(VIEW("\x8e\x00")));
}

/* Characters that were lost or became others (section 6 of the catalogue): through MIME and back they are what they were, and through
 * teletex those that T.61 has. Octets: ISO 8859-1, -5, -7, -15; T.61 (register 103). */
static void test_k148234_k169687_k175042_k176235_k179739_k193345_k232579_k237421_k263898_characters(void **state)
{
	(void)state;
	static const struct {
		struct view general, teletex; /* teletex empty: T.61 has them not all */
	} rows[] = {
		{ { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x41\xa9\xae\xbc", 9 }, { NULL, 0 } },
		{ { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x41\xe6\xf8\xe5", 9 }, { (const uint8_t *)"\xf1\xf9\xca" "a", 4 } },
		{ { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x41\xe9\xe8\xe7\xf4", 10 }, { (const uint8_t *)"\xc2" "e\xc1" "e\xcb" "c\xc3" "o", 8 } },
		{ { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x4c\xb0\xd0", 8 }, { NULL, 0 } },
		{ { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x46\xe1", 7 }, { NULL, 0 } },
		{ { (const uint8_t *)"\x1b\x28\x42\x1b\x2d\x62" "5 \xa4", 9 }, { NULL, 0 } },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ipm_convert how = down(), back = up();
		const struct ipm_convert teletex = { .text = IPM_TEXT_TELETEX, .no_loss = true, .limits = ipm_limits_default(), .kit = kit };
		struct ipm_converted done;
		struct ipm ipm;
		struct ipm_part part;
		struct err e;
		print_message("row %zu\n", i);
		const struct view in = with_part(general_of(a, rows[i].general));
		const struct view mime = convert(in, 22, &how, &done);
		const struct view again = convert(mime, 2, &back, &done);
		assert_true(ipm_parse(again, &ipm, a, &how.limits, &e));
		assert_true(ipm_part_at(ipm.message, 0, &part, a, &how.limits, &e));
		assert_int_equal(part.kind, IPM_PART_GENERAL_TEXT);
		assert_octets(part.octets, rows[i].general);
		if (rows[i].teletex.n == 0) {
			assert_refused(in, &teletex, 19);
			continue;
		}
		assert_true(ipm_parse(convert(in, 22, &teletex, &done), &ipm, a, &how.limits, &e));
		assert_true(ipm_part_at(ipm.message, 0, &part, a, &how.limits, &e));
		assert_octets(part.octets, rows[i].teletex);
	}
}

/* Q159179, Q181649: a NUL ended the text; here it is one character that is replaced, and the rest stays. */
static void test_k159179_k181649_nul_in_a_converted_text(void **state)
{
	(void)state;
	const struct ipm_convert ia5 = { .text = IPM_TEXT_IA5, .limits = ipm_limits_default(), .kit = kit };
	struct ipm_converted done;
	assert_octets(convert(with_part(general_of(a, VIEW("a\0b"))), 22, &ia5, &done), with_part(ia5_of(a, VIEW("a?b"))));
}

/* --- forwarded messages --- */

static struct view forwarded(struct view part, struct view extra, bool extended)
{
	const struct view inner = tlv(a, 0x30, 2, tlv(a, 0x31, 2, THIS_IPM, extra), tlv(a, 0x30, 1, part));
	return extended ? extended_of(a, 7, VIEW("\x31\x00"), inner) : tlv(a, 0xa9, 2, VIEW("\x31\x00"), inner);
}

static void test_forwarded_messages_all_the_way_down(void **state)
{
	(void)state;
	const struct view extension = VIEW("\xaf\x0a\x30\x08\x06\x04\x56\x01\x05\x00\x05\x00");
	struct view in = general_of(a, VIEW("cafe")), want = ia5_of(a, VIEW("cafe"));
	for (unsigned i = 0; i < 6; i++) {
		in = forwarded(in, extension, i % 2 == 0);
		want = forwarded(want, NOTHING, false);
	}
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(with_part(in), 22, &how, &done), with_part(want));
	assert_octets(done.eits, VIEW("\x65\x04\x80\x02\x05\x20"));
	/* Deeper than the limit is an error of the message, not of the stack. */
	for (unsigned i = 0; i < 100; i++)
		in = forwarded(in, extension, false);
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	assert_false(ipm_convert(with_part(in), 22, &how, a, &o, &done, &e));
	assert_int_equal(e.reason, 2);
	out_fini(&o);
}

/* X.411 (1984): the content type of a delivery envelope is [APPLICATION 6], there is no content identifier and no extension. */
static void test_delivery_envelope_of_1984(void **state)
{
	(void)state;
	const struct view inner = tlv(a, 0x30, 2, tlv(a, 0x31, 1, THIS_IPM), tlv(a, 0x30, 1, ia5_of(a, VIEW("x"))));
	const struct view time = VIEW("\x80\x0d" "261122003902Z"), submitted = VIEW("\x87\x0d" "261122003900Z");
	const struct view env_88 = tlv(a, 0xa1, 5, name_88(), VIEW("\x80\x01\x16"), tlv(a, 0xa4, 1, view_from(name_88(), 2)), submitted,
				       VIEW("\x88\x02id"));
	const struct view env_84 = tlv(a, 0xa1, 4, name_84(), VIEW("\x46\x01\x02"), tlv(a, 0xa4, 1, view_from(name_84(), 2)), submitted);
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(with_part(tlv(a, 0xa9, 2, tlv(a, 0x31, 2, time, env_88), inner)), 22, &how, &done),
		      with_part(tlv(a, 0xa9, 2, tlv(a, 0x31, 2, time, env_84), inner)));
}

/* --- notifications --- */

/* Q146929: the subject's identifier came without a name; it goes as it came. */
static void test_k146929_a_receipt_names_its_subject_as_it_came(void **state)
{
	(void)state;
	const struct view receipt = VIEW(TESTING_RECEIPT);
	const struct ipm_convert how = down();
	struct ipm_converted done;
	assert_octets(convert(receipt, 22, &how, &done), receipt);
	assert_true(done.is_notification);
	assert_int_equal(done.content_type, 2);
	assert_int_equal(convert(receipt, 2, &how, &done).n, 0);
}

static void test_notifications_of_1988(void **state)
{
	(void)state;
	const struct view extensions = VIEW("\xa3\x0a\x30\x08\x06\x04\x56\x01\x13\x02\x05\x00");
	const struct view general = tlv(a, 0x30, 2, tlv(a, 0x31, 1, THIS_IPM), tlv(a, 0x30, 1, general_of(a, VIEW("cafe"))));
	const struct view ia5 = tlv(a, 0x30, 2, tlv(a, 0x31, 1, THIS_IPM), tlv(a, 0x30, 1, ia5_of(a, VIEW("cafe"))));
	const struct ipm_convert how = down();
	struct ipm_converted done;
	/* nrn: reason, returned-ipm [3], nrn-extensions [4]; notification-extensions [3] of the IPN */
	const struct view in = tlv(a, 0xa1, 3, THIS_IPM, tlv(a, 0xa0, 1, tlv(a, 0xa0, 3, VIEW("\x80\x01\x00"),
		tlv(a, 0xa3, 1, view_from(general, 2)), VIEW("\xa4\x0a\x30\x08\x06\x04\x56\x01\x13\x02\x05\x00"))), extensions);
	const struct view want = tlv(a, 0xa1, 2, THIS_IPM, tlv(a, 0xa0, 1, tlv(a, 0xa0, 2, VIEW("\x80\x01\x00"),
		tlv(a, 0xa3, 1, view_from(ia5, 2)))));
	assert_octets(convert(in, 22, &how, &done), want);
	assert_true(done.is_notification);
	/* 1984 has no other notification. */
	assert_refused(tlv(a, 0xa1, 2, THIS_IPM, VIEW("\xa0\x02\xa2\x00")), &how, 15);
}

/* --- the whole --- */

static void test_wrapped_after_its_conversion(void **state)
{
	(void)state;
	struct ipm_convert how = down();
	struct ipm_converted done;
	how.column = 5;
	assert_octets(convert(with_part(general_of(a, VIEW("hello world"))), 22, &how, &done), with_part(ia5_of(a, VIEW("hello\r\nworld"))));
	assert_true(done.wrapped && done.parts);
	/* MIME has lines of its own: they stay. */
	const struct view mime = with_part(ia5_of(a, VIEW(MIME_LATIN1("quoted-printable") "caf=E9")));
	assert_octets(convert(with_part(general_of(a, VIEW("caf\xe9"))), 22, &how, &done), mime);
	assert_false(done.wrapped);
	/* Prohibited: lines stay as they are. */
	how.prohibited = true;
	assert_int_equal(convert(with_part(ia5_of(a, VIEW("hello world"))), 2, &how, &done).n, 0);
}

/* Elements that nobody knows stay in a P22, and what comes indefinite stays that where nothing changes. */
static void test_what_is_not_asked_for_stays(void **state)
{
	(void)state;
	const struct view content = VIEW("\xa0\x80\x31\x80\x6b\x03\x13\x01" "1\x00\x00\x30\x80\xa0\x80\x31\x80\x00\x00\x36\x80\x16\x01x\x16\x01y"
					 "\x00\x00\x00\x00\xaf\x05\x01\x02\x03\x04\x05\x00\x00\x00\x00");
	struct ipm_convert none = { .limits = ipm_limits_default() }, ia5 = { .text = IPM_TEXT_IA5, .limits = ipm_limits_default() };
	struct ipm_converted done;
	assert_int_equal(convert(content, 22, &none, &done).n, 0);
	assert_int_equal(convert(content, 22, &ia5, &done).n, 0);
	assert_int_equal(done.content_type, 22);
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	const struct view whole = with_part(forwarded(general_of(a, VIEW("caf\xe9")), VIEW("\xaf\x0a\x30\x08\x06\x04\x56\x01\x05\x00\x05\x00"), true));
	const struct ipm_convert how = down(), back = up();
	for (size_t n = 0; n < whole.n; n++) {
		uint8_t *cut = mem_alloc(n + 1);
		struct ipm_converted done;
		struct out o;
		struct err e;
		memcpy(cut, whole.p, n);
		out_init(&o, 1 << 20);
		assert_false(ipm_convert(view_of(cut, n), 22, &how, a, &o, &done, &e));
		assert_int_equal(e.reason, 2);
		assert_int_equal(e.diagnostic, 12);
		assert_false(ipm_convert(view_of(cut, n), 2, &back, a, &o, &done, &e));
		assert_int_equal(out_len(&o), 0);
		out_fini(&o);
		free(cut);
	}
}

static void test_limits_are_errors(void **state)
{
	(void)state;
	const struct view whole = with_part(general_of(a, VIEW("caf\xe9")));
	struct ipm_convert how = down();
	struct ipm_converted done;
	struct err e;
	for (size_t quota = 0; quota < 8192; quota += 64) { /* every place that takes memory */
		struct arena *small = arena_new(quota);
		struct out o;
		out_init(&o, 1 << 20);
		if (!ipm_convert(whole, 22, &how, small, &o, &done, &e)) {
			assert_int_equal(e.kind, ERR_PERM);
			assert_int_equal(out_len(&o), 0);
		}
		out_fini(&o);
		arena_free(&small);
	}
	struct out tight;
	out_init(&tight, 20);
	assert_false(ipm_convert(whole, 22, &how, a, &tight, &done, &e));
	assert_int_equal(e.diagnostic, 8);
	out_fini(&tight);
	how.limits.elements = 4;
	assert_refused(whole, &how, 12);
}

/* Q232604, Q176708: each conversion kept some memory. */
static void test_k232604_k176708_no_conversion_keeps_memory(void **state)
{
	(void)state;
	const struct view whole = with_part(forwarded(general_of(a, VIEW("caf\xe9")), NOTHING, true));
	const struct ipm_convert how = down();
	size_t in_use = 0;
	for (unsigned i = 0; i < 50; i++) {
		struct arena *own = arena_new(1 << 20);
		struct ipm_converted done;
		struct out o;
		out_init(&o, i % 2 == 0 ? 1 << 20 : 30); /* every other one fails */
		assert_int_equal(ipm_convert(whole, 22, &how, own, &o, &done, NULL), i % 2 == 0);
		out_fini(&o);
		arena_free(&own);
		if (i == 10)
			in_use = mallinfo2().uordblks;
	}
	assert_int_equal(mallinfo2().uordblks, in_use);
}

/* Contents of an independent implementation (ISODE/PP) are of both ages: only the type changes. */
static void test_contents_of_pp(void **state)
{
	(void)state;
	size_t n;
	uint8_t *file = testing_capture("pp-normal-mode.pcap", &n);
	if (file == NULL) {
		print_message("skipped: no captures (POSTHORN_SHARED)\n");
		skip();
	}
	for (unsigned i = 0; testing_content(file, n, i).n > 0; i++) {
		const struct view content = testing_content(file, n, i);
		const struct ipm_convert how = down(), back = up();
		struct ipm_converted done;
		assert_octets(convert(content, 22, &how, &done), content);
		assert_int_equal(done.content_type, 2);
		assert_int_equal(convert(content, 2, &back, &done).n, 0);
	}
	free(file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dg_01_k181947_k232656_common_name_in_the_content),
		TEST(test_dg_07_k161948_heading_of_1988),
		TEST(test_dg_07_a_directory_name_too_long),
		TEST(test_extended_subject_is_the_subject_where_there_is_none),
		TEST(test_k194651_a_subject_of_nul_goes),
		TEST(test_k161946_k163464_without_free_form_names),
		TEST(test_older_parts_of_the_same_name),
		TEST(test_dg_09_general_text_of_latin1),
		TEST(test_dg_10_mime_text_is_the_real_part),
		TEST(test_dg_10_what_is_no_mime_stays_text),
		TEST(test_dg_11_conversion_prohibited),
		TEST(test_dg_12_loss_prohibited),
		TEST(test_texts_in_the_wanted_form),
		TEST(test_files_and_other_parts),
		TEST(test_k166585_damaged_tnef_is_carried),
		TEST(test_k164528_k232388_recipients_of_1988),
		TEST(test_k193762_a_file_of_no_octets),
		TEST(test_k148234_k169687_k175042_k176235_k179739_k193345_k232579_k237421_k263898_characters),
		TEST(test_k159179_k181649_nul_in_a_converted_text),
		TEST(test_forwarded_messages_all_the_way_down),
		TEST(test_delivery_envelope_of_1984),
		TEST(test_k146929_a_receipt_names_its_subject_as_it_came),
		TEST(test_notifications_of_1988),
		TEST(test_wrapped_after_its_conversion),
		TEST(test_what_is_not_asked_for_stays),
		TEST(test_cut_at_every_offset),
		TEST(test_limits_are_errors),
		TEST(test_k232604_k176708_no_conversion_keeps_memory),
		TEST(test_contents_of_pp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
