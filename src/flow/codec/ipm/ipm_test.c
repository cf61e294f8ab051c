/* ipm_test.c - expected values: the fields tshark shows for the captures of an independent implementation (ISODE/PP), and
 * octets written by hand from X.420 clause 7, annexes A and B, with X.690 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm_testing.h"

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	a = arena_new((size_t)64 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&a);
	return 0;
}

static bool parse(struct view content, struct ipm *ipm_r, struct err *e)
{
	const struct ber_limits limits = ipm_limits_default();
	return ipm_parse(content, ipm_r, a, &limits, e);
}

static struct ipm parse_ok(struct view content)
{
	struct ipm ipm = { 0 };
	struct err e = { 0 };
	if (!parse(content, &ipm, &e))
		fail_msg("%s", e.text);
	return ipm;
}

static struct ipm_part part_ok(const struct ipm_message *m, size_t i)
{
	const struct ber_limits limits = ipm_limits_default();
	struct ipm_part part;
	struct err e;
	assert_true(i < ipm_part_count(m));
	assert_true(ipm_part_at(m, i, &part, a, &limits, &e));
	return part;
}

static void assert_view(struct view v, const char *want)
{
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

static void assert_address(const struct p1_orname *name, const char *want)
{
	struct oraddr got = ipm_oraddr(name, a), expected;
	struct err e;
	assert_true(oraddr_parse(view_str(want), &expected, a, ORADDR_GENERATE, &e));
	assert_true(got.n > 0);
	assert_true(oraddr_eq(&got, &expected));
}

/* --- contents of an independent implementation --- */

static void test_contents_of_pp(void **state)
{
	(void)state;
	static const struct {
		const char *id, *from, *to, *subject, *text;
	} rows[] = { /* as tshark -V shows them */
		{ "(q)16955 Sun Nov 22 00:39:02 2026(q)(a)ppa.test", "C=GB;A=PEERNET;P=PPA;S=pp", "C=GB;A=PEERNET;P=PPB;S=bob",
		  "A to B", "Hello from PP-A\r\nsecond line\r\n" },
		{ NULL, "C=GB;A=PEERNET;P=PPB;S=pp", "C=GB;A=PEERNET;P=PPA;S=alice", "B to A", NULL },
		{ NULL, "C=GB;A=PEERNET;P=PPB;S=pp", "C=GB;A=PEERNET;P=NEW;S=carol", "B to C via A", "Hello via A\r\n" },
		{ "(q)16996 Sun Nov 22 00:39:20 2026(q)(a)ppb.test", "C=GB;A=PEERNET;P=PPB;S=pp", "C=GB;A=PEERNET;P=NEW;S=carol",
		  "B to C via A", "Hello via A\r\n" },
	};
	size_t n;
	uint8_t *file = testing_capture("pp-normal-mode.pcap", &n);
	if (file == NULL) {
		print_message("skipped: no captures (POSTHORN_SHARED)\n");
		skip();
	}
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		const struct view content = testing_content(file, n, i);
		const struct ipm ipm = parse_ok(content);
		const struct ipm_heading *h = &ipm.message->heading;
		if (rows[i].id != NULL)
			assert_view(h->this_ipm.local, rows[i].id);
		assert_view(h->subject, rows[i].subject);
		assert_address(h->originator.formal_name, rows[i].from);
		assert_int_equal(h->primary_recipients.n, 1);
		const struct ipm_recipient_specifier *to = h->primary_recipients.v;
		assert_address(to->recipient.formal_name, rows[i].to);
		assert_int_equal(h->importance, IPM_NORMAL);
		assert_int_equal(ipm_part_count(ipm.message), 1);
		const struct ipm_part part = part_ok(ipm.message, 0);
		assert_int_equal(part.kind, IPM_PART_IA5_TEXT);
		if (rows[i].text != NULL)
			assert_view(part.octets, rows[i].text);
		/* The full tables decode it too. */
		struct out o;
		out_init(&o, 1 << 20);
		const struct ber_limits limits = ipm_limits_default();
		ipm_print(content, BER_ASN1, 0, a, &limits, &o);
		assert_non_null(strstr(out_cstr(&o), rows[i].subject));
		assert_non_null(strstr(out_cstr(&o), "ia5-text"));
		out_fini(&o);
	}
	assert_int_equal(testing_content(file, n, ARRAY_LEN(rows)).n, 0);
	free(file);
}

/* --- composing, against octets by hand --- */

static struct oraddr address(const char *text)
{
	struct oraddr addr;
	struct err e;
	assert_true(oraddr_parse(view_str(text), &addr, a, ORADDR_GENERATE, &e));
	return addr;
}

static struct view compose(const struct ipm_compose *m, struct ipm_composed *done_r, struct out *o)
{
	struct err e = { 0 };
	out_init(o, 1 << 20);
	if (!ipm_compose(m, NULL, o, done_r, a, &e))
		fail_msg("%s", e.text);
	return out_view(o);
}

static void assert_octets(struct view got, struct view want)
{
	for (size_t i = 0; i < got.n && i < want.n; i++)
		if (got.p[i] != want.p[i])
			fail_msg("octet %zu is %02x, want %02x", i, got.p[i], want.p[i]);
	assert_int_equal(got.n, want.n);
}

static struct ipm_compose small(struct ipm_recipient *to, struct ipm_compose_part *part)
{
	*to = (struct ipm_recipient){ .user.addr = address("C=GB;A=PEERNET;P=PPB;S=bob"), .ask = IPM_ASK_RN };
	return (struct ipm_compose){
		.local_id = VIEW("1"), .originator.addr = address("C=GB;A=PEERNET;P=PPA;S=pp"), .to = to, .n_to = 1,
		.subject = VIEW("Hi"), .importance = IPM_NORMAL, .parts = part, .n_parts = 1,
	};
}

#define SMALL_HEADING                                                                                                 \
	"\x31\x7e"                                       /* Heading SET */                                            \
	"\x6b\x25\x13\x01" "1" TESTING_PP                /* this-IPM: local identifier, user */                       \
	"\xa0\x22" TESTING_PP                            /* originator */                                             \
	"\xa2\x2b\x31\x29\xa0\x23" TESTING_BOB "\x81\x02\x06\xc0" /* primary: bob; rn, nrn */                         \
	"\xa8\x04\x14\x02Hi"                             /* subject, EXPLICIT; importance is the default: absent */

static void test_compose_ia5(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("Hello") };
	const struct ipm_compose m = small(&to, &part);
	struct ipm_composed done;
	struct out o;
	const struct view got = compose(&m, &done, &o);
	assert_octets(got, VIEW("\xa0\x81\x8d" SMALL_HEADING "\x30\x0b\xa0\x09\x31\x00\x16\x05Hello"));
	assert_int_equal(done.replaced, 0);
	assert_int_equal(done.content_type, 2); /* X.420 20.2: nothing in it is new in 1988 */
	const struct ipm ipm = parse_ok(got);
	assert_view(part_ok(ipm.message, 0).octets, "Hello");
	out_fini(&o);
}

/* Q151417: Latin-1 without a designation of G0 was not converted by the peer. */
static void test_k151417_general_text_designates_g0_and_g1(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("\xc3\xa9") };
	const struct ipm_compose m = small(&to, &part);
	struct ipm_composed done;
	struct out o;
	const struct view got = compose(&m, &done, &o);
	assert_octets(got, VIEW("\xa0\x81\xac" SMALL_HEADING "\x30\x2a\xaf\x28"
				"\xa0\x13\x06\x04\x56\x01\x0b\x0b\xa0\x0b\x31\x09\x02\x01\x01\x02\x01\x06\x02\x01\x64"
				"\x28\x11\x06\x04\x56\x01\x04\x0b\xa0\x09\x1b\x07\x1b\x28\x42\x1b\x2d\x41\xe9"));
	assert_int_equal(done.content_type, 22);
	const struct ipm ipm = parse_ok(got);
	const struct ipm_part back = part_ok(ipm.message, 0);
	assert_int_equal(back.kind, IPM_PART_GENERAL_TEXT);
	assert_int_equal(back.registration, 100);
	assert_true(back.extended && back.is_text);
	assert_view(back.octets, "\x1b\x28\x42\x1b\x2d\x41\xe9");
	out_fini(&o);
}

static void test_compose_file(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_FILE, .data = VIEW("xyz"), .name = VIEW("/tmp/a.txt") };
	const struct ipm_compose m = small(&to, &part);
	struct ipm_composed done;
	struct out o;
	const struct view got = compose(&m, &done, &o);
	assert_octets(got, VIEW("\xa0\x81\xba" SMALL_HEADING "\x30\x38\xaf\x36"
				"\xa0\x1a\x06\x04\x56\x01\x0b\x0c\xa0\x12\x30\x10\xa4\x0e\xa0\x07\x19\x05" "a.txt\xad\x03\x81\x01\x03"
				"\x28\x18\x06\x04\x56\x01\x04\x0c\xa0\x10\x30\x0e\x28\x0c\x06\x05\x28\xc2\x7b\x02\x04\x81\x03xyz"));
	const struct ipm ipm = parse_ok(got);
	const struct ipm_part back = part_ok(ipm.message, 0);
	assert_int_equal(back.kind, IPM_PART_FILE_TRANSFER);
	assert_view(back.name, "a.txt");
	assert_int_equal(back.size, 3);
	assert_view(back.octets, "xyz");
	out_fini(&o);
}

static void test_compose_bilateral_and_line_ends(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part parts[] = {
		{ .kind = IPM_COMPOSE_BILATERAL, .data = VIEW("\x00\xff") },
		{ .kind = IPM_COMPOSE_TEXT, .data = VIEW("a\nb\r\nc\n") },
	};
	struct ipm_compose m = small(&to, parts);
	m.n_parts = 2;
	struct ipm_composed done;
	struct out o;
	const struct view got = compose(&m, &done, &o);
	const struct view tail = VIEW("\x30\x13\x8e\x02\x00\xff\xa0\x0d\x31\x00\x16\x09" "a\r\nb\r\nc\r\n");
	assert_octets(view_from(got, got.n - tail.n), tail);
	out_fini(&o);
}

static void test_compose_heading_fields(void **state)
{
	(void)state;
	struct ipm_recipient to, cc = { .user = { address("C=GB;A=PEERNET;P=PPA;S=cc"), VIEW("J\xc3\xbcrgen") }, .ask = IPM_ASK_NRN };
	struct ipm_recipient bcc = { .user.free_form = VIEW("somebody"), .reply_requested = true };
	struct ipm_user reply = { .addr = address("C=GB;A=PEERNET;P=PPA;S=desk") };
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("x") };
	struct ipm_compose m = small(&to, &part);
	m.cc = &cc;
	m.bcc = &bcc;
	m.n_cc = m.n_bcc = m.n_reply_to = 1;
	m.reply_to = &reply;
	m.importance = IPM_HIGH;
	m.sensitivity = IPM_COMPANY_CONFIDENTIAL;
	m.expiry_ms = INT64_C(1795307942000); /* 2026-11-22 00:39:02 UTC */
	m.auto_forwarded = true;
	m.auto_submitted = 1;
	m.subject = VIEW("\xe2\x82\xac 5");
	struct ipm_composed done;
	struct out o;
	const struct ipm ipm = parse_ok(compose(&m, &done, &o));
	const struct ipm_heading *h = &ipm.message->heading;
	const struct ipm_recipient_specifier *copy = h->copy_recipients.v, *blind = h->blind_copy_recipients.v;
	assert_view(copy->recipient.free_form_name, "J\xc8urgen"); /* T.61: diaeresis, then u */
	assert_int_equal(copy->notification_requests.bytes.p[0], 0x40);
	assert_null(blind->recipient.formal_name);
	assert_true(blind->reply_requested);
	assert_int_equal(h->reply_recipients.n, 1);
	assert_int_equal(h->importance, IPM_HIGH);
	assert_int_equal(h->sensitivity, IPM_COMPANY_CONFIDENTIAL);
	assert_view(h->expiry_time, "261122003902Z");
	assert_true(h->auto_forwarded);
	/* The euro is not in T.61: the whole subject stands in extended-subject, a BMPString in a SET. */
	assert_view(h->subject, "? 5");
	const struct view x = ipm_heading_extension(h, IPM_X_EXTENDED_SUBJECT);
	assert_octets(x, VIEW("\x31\x08\x1e\x06\x20\xac\x00 \x00" "5"));
	struct out text;
	out_init(&text, 100);
	ipm_universal_text(x, &text);
	assert_string_equal(out_cstr(&text), "\xe2\x82\xac 5");
	out_fini(&text);
	assert_octets(ipm_heading_extension(h, IPM_X_AUTO_SUBMITTED), VIEW("\x0a\x01\x01"));
	assert_int_equal(done.content_type, 22);
	assert_int_equal(done.replaced, 0);
	out_fini(&o);
}

/* X.420 annex: ub-free-form-name 64, in octets of T.61; an accent is not parted from its letter. */
static void test_k194548_free_form_names_have_64_octets(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("x") };
	static const char *const lengths[] = { "", "x", "xx" };
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct ipm_compose m = small(&to, &part);
		struct ipm_composed done;
		struct out o, name;
		out_init(&name, 1000);
		out_str(&name, lengths[i]);
		for (unsigned k = 0; k < 70; k++)
			out_str(&name, "\xc3\xa9");
		to.user.free_form = out_view(&name);
		const struct ipm ipm = parse_ok(compose(&m, &done, &o));
		const struct ipm_recipient_specifier *r = ipm.message->heading.primary_recipients.v;
		const struct view got = r->recipient.free_form_name;
		assert_int_equal(got.n, i == 1 ? 63 : 64);
		assert_memory_equal(got.p + got.n - 4, "\xc2" "e" "\xc2" "e", 4);
		out_fini(&name);
		out_fini(&o);
	}
}

static void test_compose_refuses_what_the_bounds_forbid(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("x") };
	struct ipm_compose m = small(&to, &part);
	struct ipm_composed done;
	struct err e;
	struct out o;
	uint8_t longer[300];
	memset(longer, 'i', sizeof longer);
	out_init(&o, 1 << 20);
	m.local_id = view_of(longer, 65); /* ub-local-ipm-identifier is 64 */
	assert_false(ipm_compose(&m, NULL, &o, &done, a, &e));
	assert_int_equal(e.kind, ERR_PERM);
	m.local_id = VIEW("a@b");
	assert_false(ipm_compose(&m, NULL, &o, &done, a, &e));
	m.local_id = view_of(longer, 64);
	m.subject = view_of(longer, 257); /* ub-extended-subject-length is 256 */
	assert_false(ipm_compose(&m, NULL, &o, &done, a, &e));
	m.subject = view_of(longer, 256);
	assert_true(ipm_compose(&m, NULL, &o, &done, a, &e));
	const struct ipm ipm = parse_ok(out_view(&o));
	assert_int_equal(ipm.message->heading.subject.n, 128); /* ub-subject-field */
	out_fini(&o);
	out_init(&o, 100);
	assert_false(ipm_compose(&m, NULL, &o, &done, a, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	out_fini(&o);
}

/* --- parts --- */

/* A content around the parts given: heading with this-IPM "1" only. */
static struct view around(struct view parts)
{
	struct out o;
	out_init(&o, 1 << 20);
	const size_t body = ber_header_size(BER_U(16), parts.n) + parts.n;
	ber_put_header(&o, BER_C(0), true, 7 + body);
	out_bytes(&o, VIEW("\x31\x05\x6b\x03\x13\x01" "1"));
	ber_put_header(&o, BER_U(16), true, parts.n);
	out_bytes(&o, parts);
	const struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static void test_every_kind_of_part(void **state)
{
	(void)state;
#define ROW(octets, kind, data, text) { { (const uint8_t *)octets, sizeof octets - 1 }, kind, { (const uint8_t *)data, sizeof data - 1 }, text }
	static const struct {
		struct view octets;
		enum ipm_part_kind kind;
		struct view data;
		bool is_text;
	} rows[] = {
		ROW("\xa0\x0a\x31\x03\x80\x01\x02\x16\x03" "abc", IPM_PART_IA5_TEXT, "abc", true),
		ROW("\xa3\x0c\x31\x03\x80\x01\x01\x30\x05\x03\x03\x00\xff\xee", IPM_PART_G3_FACSIMILE,
		    "\xa3\x0c\x31\x03\x80\x01\x01\x30\x05\x03\x03\x00\xff\xee", false),
		ROW("\xa4\x03\x04\x01x", IPM_PART_G4_CLASS1, "\xa4\x03\x04\x01x", false),
		ROW("\xa5\x0f\x31\x03\x80\x01\x02\x30\x08\x14\x02hi\x14\x02ho", IPM_PART_TELETEX, "hi\fho", true),
		ROW("\xa6\x05\x31\x00\x15\x01v", IPM_PART_VIDEOTEX, "v", false),
		ROW("\xa7\x03\x04\x01n", IPM_PART_NATIONALLY_DEFINED, "\x04\x01n", false),
		ROW("\xa8\x0b\x31\x05\x30\x03\x06\x01\x2a\x03\x02\x00\x99", IPM_PART_ENCRYPTED, "\x99", false),
		ROW("\xab\x03\x04\x01m", IPM_PART_MIXED_MODE, "\xab\x03\x04\x01m", false),
		ROW("\x8e\x02\x01\x02", IPM_PART_BILATERALLY_DEFINED, "\x01\x02", false),
		/* BER lets the octets come in pieces */
		ROW("\xae\x06\x04\x01\x01\x04\x01\x02", IPM_PART_BILATERALLY_DEFINED, "\x01\x02", false),
		/* extended forms: {id-et 0}, {id-et 9}, {id-et 16} voice, {id-et 18} pkcs7 */
		ROW("\xaf\x0d\x28\x0b\x06\x04\x56\x01\x04\x00\xa0\x03\x16\x01z", IPM_PART_IA5_TEXT, "z", true),
		ROW("\xaf\x0d\x28\x0b\x06\x04\x56\x01\x04\x09\xa0\x03\x04\x01z", IPM_PART_BILATERALLY_DEFINED, "z", false),
		ROW("\xaf\x0d\x28\x0b\x06\x04\x56\x01\x04\x10\xa0\x03\x04\x01z", IPM_PART_VOICE, "z", false),
		ROW("\xaf\x0d\x28\x0b\x06\x04\x56\x01\x04\x12\xa0\x03\x04\x01z", IPM_PART_PKCS7, "\x04\x01z", false),
		/* {id-et 17}.22: forwarded content */
		ROW("\xaf\x0e\x28\x0c\x06\x05\x56\x01\x04\x11\x16\xa0\x03\x04\x01z", IPM_PART_CONTENT, "z", false),
		/* a private type, octet-aligned */
		ROW("\xaf\x09\x28\x07\x06\x02\x2a\x03\x81\x01z", IPM_PART_EXTENDED, "z", false),
		/* tags X.420 does not have, and parts that do not decode */
		ROW("\x9e\x01x", IPM_PART_UNKNOWN, "\x9e\x01x", false),
		ROW("\xa0\x03\x16\x01x", IPM_PART_UNKNOWN, "\xa0\x03\x16\x01x", false),
		ROW("\xaf\x0d\x28\x0b\x06\x04\x56\x01\x04\x00\xa0\x03\x02\x01\x01", IPM_PART_UNKNOWN,
		    "\xaf\x0d\x28\x0b\x06\x04\x56\x01\x04\x00\xa0\x03\x02\x01\x01", false),
	};
	struct out all;
	out_init(&all, 4096);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		out_bytes(&all, rows[i].octets);
	const struct ipm ipm = parse_ok(around(out_view(&all)));
	assert_int_equal(ipm_part_count(ipm.message), ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct ipm_part part = part_ok(ipm.message, i);
		if (part.kind != rows[i].kind)
			print_message("row %zu: %s, want %s: %s\n", i, ipm_part_kind_name(part.kind), ipm_part_kind_name(rows[i].kind),
				      part.why.text);
		assert_int_equal(part.kind, rows[i].kind);
		assert_octets(part.octets, rows[i].data);
		assert_int_equal(part.is_text, rows[i].is_text);
		assert_octets(part.tlv, rows[i].octets);
	}
	assert_true(part_ok(ipm.message, 0).ita2);
	assert_int_equal(part_ok(ipm.message, 1).pages, 1);
	assert_int_equal(part_ok(ipm.message, 3).pages, 2);
	out_fini(&all);
}

/* A file in two pieces: an OCTET STRING as single-ASN1-type, then octet-aligned; attributes X.420 annex B. */
static void test_file_in_pieces(void **state)
{
	(void)state;
	const struct ipm ipm = parse_ok(around(VIEW(
		"\xaf\x5f"
		"\xa0\x33\x06\x04\x56\x01\x0b\x0c\xa0\x2b\x30\x29"
		"\xa1\x09\xa0\x07\x06\x05\x28\xc2\x7b\x05\x03" /* contents-type: document-type FTAM-3 */
		"\xa4\x1c\xa0\x07\x19\x01" "d\x19\x02" "f1"     /* pathname d, f1 */
		"\xa5\x11\x81\x0f" "20261122003902Z"              /* last modification */
		"\x28\x28\x06\x04\x56\x01\x04\x0c\xa0\x20\x30\x1e"
		"\x28\x0d\x06\x05\x28\xc2\x7b\x02\x04\xa0\x04\x04\x02" "ab"
		"\x28\x0d\x06\x05\x28\xc2\x7b\x02\x04\x81\x04" "cdef")));
	const struct ipm_part part = part_ok(ipm.message, 0);
	assert_string_equal(part.why.text, "");
	assert_int_equal(part.kind, IPM_PART_FILE_TRANSFER);
	assert_view(part.octets, "abcdef");
	assert_view(part.name, "f1");
	assert_int_equal(part.size, -1);
	assert_non_null(part.file);
	assert_view(part.file->attributes.modified.value, "20261122003902Z");
}

static void test_forwarded_message(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part text = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("inner") };
	struct ipm_compose m = small(&to, &text);
	struct ipm_composed done;
	struct out inner, outer;
	struct ipm_compose_part forward = { .kind = IPM_COMPOSE_FORWARD, .data = compose(&m, &done, &inner) };
	m.parts = &forward;
	m.subject = VIEW("Fwd");
	const struct ipm ipm = parse_ok(compose(&m, &done, &outer));
	const struct ipm_part part = part_ok(ipm.message, 0);
	assert_int_equal(part.kind, IPM_PART_MESSAGE);
	assert_non_null(part.message);
	assert_view(part.message->heading.subject, "Hi");
	assert_view(part_ok(part.message, 0).octets, "inner");
	forward.data = VIEW("\x04\x01x");
	struct err e;
	out_clear(&outer);
	assert_false(ipm_compose(&m, NULL, &outer, &done, a, &e));
	out_fini(&inner);
	out_fini(&outer);
}

/* A message body part with its delivery envelope (X.411 OtherMessageDeliveryFields), by hand. */
static void test_delivery_envelope(void **state)
{
	(void)state;
	const struct ipm ipm = parse_ok(around(VIEW(
		"\xa9\x7e"
		"\x31\x70\x80\x0d" "261122003902Z" "\xa1\x5f"
		TESTING_PP "\x47\x01\x02" "\x80\x01\x16" "\xa4\x21\x30\x1f\x61\x04\x13\x02GB\x62\x09\x13\x07PEERNET\xa2\x05\x13\x03PPB"
		"\xa5\x05\x80\x03" "bob" "\x87\x0d" "261122003800Z" "\x88\x03" "abc"
		"\x30\x0a\x31\x06\x6b\x04\x13\x02in\x30\x00")));
	const struct ipm_part part = part_ok(ipm.message, 0);
	assert_string_equal(part.why.text, "");
	assert_non_null(part.delivery);
	assert_view(part.delivery->delivery_time, "261122003902Z");
	const struct ipm_delivery_envelope *v = part.delivery->delivery_envelope;
	assert_non_null(v);
	assert_address(v->originator, "C=GB;A=PEERNET;P=PPA;S=pp");
	assert_address(v->this_recipient, "C=GB;A=PEERNET;P=PPB;S=bob");
	assert_int_equal(v->priority, 2);
	assert_int_equal(v->content_type, 22);
	assert_view(v->submission_time, "261122003800Z");
}

static void test_receipt_notification(void **state)
{
	(void)state;
	const struct ipm ipm = parse_ok(VIEW(TESTING_RECEIPT));
	assert_null(ipm.message);
	const struct ipm_ipn *n = ipm.notification;
	assert_view(n->subject_ipm.local, "1");
	assert_int_equal(n->fields.choice.which, IPM_RECEIPT);
	assert_view(n->fields.receipt.receipt_time, "261122003902Z");
	assert_int_equal(n->fields.receipt.acknowledgment, 1);
	assert_view(n->fields.receipt.supplementary, "hello");
	assert_address(n->originator.formal_name, "C=GB;A=PEERNET;P=PPB;S=bobby");
	/* Encoding it again gives the same octets. */
	const struct ber_limits limits = ipm_limits_default();
	struct ipm_object object;
	struct err e;
	struct out o;
	out_init(&o, 1000);
	assert_true(ber_decode(&ipm_object_type, VIEW(TESTING_RECEIPT), &object, a, &limits, &e));
	assert_true(ber_encode(&ipm_object_type, &object, &o, &e));
	assert_octets(out_view(&o), VIEW(TESTING_RECEIPT));
	out_fini(&o);
}

/* X.420 8.2: discarded because expired, with the message itself. */
static void test_non_receipt_notification(void **state)
{
	(void)state;
	const struct ipm ipm = parse_ok(VIEW("\xa1\x1e\x6b\x03\x13\x01" "1\xa0\x17\xa0\x15\x80\x01\x00\x81\x01\x00\x82\x02no"
					     "\xa3\x09\x31\x05\x6b\x03\x13\x01" "1\x30\x00"));
	const struct ipm_non_receipt *n = &ipm.notification->fields.non_receipt;
	assert_int_equal(ipm.notification->fields.choice.which, IPM_NON_RECEIPT);
	assert_int_equal(n->reason, 0);
	assert_int_equal(n->discard_reason, 0);
	assert_view(n->auto_forward_comment, "no");
	assert_non_null(n->returned);
	assert_view(n->returned->heading.this_ipm.local, "1");
}

/* Every extension of X.420 annex A: known ones are typed, unknown ones carried bit-exact. */
static void test_heading_extensions(void **state)
{
	(void)state;
	const struct ipm ipm = parse_ok(VIEW(
		"\xa0\x6d\x31\x69\x6b\x03\x13\x01" "1\xaf\x62"
		"\x30\x06\x06\x04\x56\x01\x05\x00"
		"\x30\x0c\x06\x04\x56\x01\x05\x01\x31\x04\x13\x02" "en"
		"\x30\x09\x06\x04\x56\x01\x05\x02\x0a\x01\x02"
		"\x30\x17\x06\x04\x56\x01\x05\x05\x18\x0f" "20261122003902Z"
		"\x30\x0c\x06\x04\x56\x01\x05\x0c\x06\x04\x2b\x06\x01\x04"
		"\x30\x0f\x06\x04\x56\x01\x05\x0b\x31\x07\x1e\x02\x00r\x13\x01" "x"
		"\x30\x07\x06\x02\x2a\x03\x04\x01z"
		"\x30\x00"));
	const struct ipm_heading *h = &ipm.message->heading;
	assert_int_equal(h->extensions.n, 7);
	assert_octets(ipm_heading_extension(h, IPM_X_AUTO_SUBMITTED), VIEW("\x0a\x01\x02"));
	assert_octets(ipm_heading_extension(h, IPM_X_COUNT), VIEW("\x04\x01z"));
	assert_int_equal(ipm_heading_extension(h, IPM_X_SECURITY_LABEL).n, 0);
	const struct ipm_extension *v = h->extensions.v;
	assert_int_equal(ipm_ext_of(v[0].type), IPM_X_INCOMPLETE_COPY);
	assert_string_equal(ipm_ext_name(ipm_ext_of(v[5].type)), "originators-reference");
	for (size_t i = 0; i < 6; i++) {
		const struct ber_type *t = ipm_ext_value_type(ipm_ext_of(v[i].type));
		const struct ber_limits limits = ipm_limits_default();
		uint8_t value[sizeof(struct ipm_heading)];
		assert_non_null(t);
		assert_true(t->size <= sizeof value);
		struct err e;
		if (v[i].value.n > 0 && !ber_decode(t, v[i].value, value, a, &limits, &e))
			fail_msg("%s", e.text);
	}
}

/* --- hostile input --- */

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part parts[] = {
		{ .kind = IPM_COMPOSE_FILE, .data = VIEW("data"), .name = VIEW("n\xc3\xa9"), .modified_ms = 1 },
		{ .kind = IPM_COMPOSE_TEXT, .data = VIEW("caf\xc3\xa9") },
	};
	struct ipm_compose m = small(&to, parts);
	m.n_parts = 2;
	struct ipm_composed done;
	struct out o;
	const struct view whole = arena_copy(a, compose(&m, &done, &o));
	out_fini(&o);
	struct arena *own = a;
	for (size_t n = 0; n < whole.n; n++) {
		a = arena_new(1 << 20);
		uint8_t *exact = mem_dup(whole.p, n == 0 ? 1 : n);
		struct ipm ipm;
		struct err e = { 0 };
		assert_false(parse(view_of(exact, n), &ipm, &e));
		assert_int_equal(e.kind, ERR_PERM);
		free(exact);
		arena_free(&a);
	}
	a = own;
	parse_ok(whole);
}

static void test_quota_is_an_error_of_the_message(void **state)
{
	(void)state;
	struct ipm_recipient to;
	struct ipm_compose_part part = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("x") };
	const struct ipm_compose m = small(&to, &part);
	struct ipm_composed done;
	struct out o;
	const struct view content = compose(&m, &done, &o);
	const struct ber_limits limits = ipm_limits_default();
	bool failed = false, worked = false;
	for (size_t quota = 0; quota < 64 * 1024; quota += 512) {
		struct arena *tiny = arena_new(quota);
		struct ipm ipm;
		struct ipm_part p;
		struct err e = { 0 };
		if (ipm_parse(content, &ipm, tiny, &limits, &e) && ipm_part_at(ipm.message, 0, &p, tiny, &limits, &e)) {
			worked = true;
		} else {
			assert_int_equal(e.kind, ERR_PERM);
			assert_int_equal(e.culprit, ERR_OF_MESSAGE);
			failed = true;
		}
		arena_free(&tiny);
	}
	assert_true(failed && worked);
	out_fini(&o);
}

static void test_messages_in_messages_are_bounded(void **state)
{
	(void)state;
	struct out content, next;
	out_init(&content, 1 << 22);
	out_init(&next, 1 << 22);
	out_bytes(&content, VIEW("\x31\x05\x6b\x03\x13\x01" "1\x30\x00"));
	for (unsigned i = 0; i < 300; i++) { /* [9] { SET {}, IPM } in a body in an IPM */
		const size_t ipm = out_len(&content), seq = ber_header_size(BER_U(16), ipm) + ipm;
		const size_t part = 2 + seq, body = ber_header_size(BER_C(9), part) + part;
		out_clear(&next);
		out_bytes(&next, VIEW("\x31\x05\x6b\x03\x13\x01" "1"));
		ber_put_header(&next, BER_U(16), true, body);
		ber_put_header(&next, BER_C(9), true, part);
		out_bytes(&next, VIEW("\x31\x00"));
		ber_put_header(&next, BER_U(16), true, ipm);
		out_bytes(&next, out_view(&content));
		out_clear(&content);
		out_bytes(&content, out_view(&next));
	}
	out_clear(&next);
	ber_put_header(&next, BER_C(0), true, out_len(&content));
	out_bytes(&next, out_view(&content));
	/* The outer tables open one level, whatever is inside; each level is asked for. */
	const struct ipm_message *m = parse_ok(out_view(&next)).message;
	for (unsigned i = 0; i < 300; i++) {
		const struct ipm_part part = part_ok(m, 0);
		assert_int_equal(part.kind, IPM_PART_MESSAGE);
		m = part.message;
	}
	/* The full tables stop at the limit of depth, and printing shows what there is. */
	const struct ber_limits limits = ipm_limits_default();
	struct ipm_object object;
	struct err e;
	struct out o;
	assert_false(ber_decode(&ipm_object_type, out_view(&next), &object, a, &limits, &e));
	out_init(&o, 1 << 22);
	ipm_print(out_view(&next), BER_ASN1, 0, a, &limits, &o);
	assert_true(out_len(&o) > 0);
	out_fini(&o);
	out_fini(&content);
	out_fini(&next);
}

static void test_print_never_fails(void **state)
{
	(void)state;
	const struct ber_limits limits = ipm_limits_default();
	const struct view inputs[] = { VIEW(""), VIEW("\xa0"), VIEW("\x04\x01x"), VIEW(TESTING_RECEIPT) };
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct out o;
		out_init(&o, 1 << 16);
		ipm_print(inputs[i], BER_JSON, 0, a, &limits, &o);
		assert_true(charset_is_utf8(out_view(&o)));
		assert_true(out_len(&o) >= 2);
		if (i == 3)
			assert_non_null(strstr(out_cstr(&o), "receipt-fields"));
		out_fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_contents_of_pp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compose_ia5, setup, teardown),
		cmocka_unit_test_setup_teardown(test_k151417_general_text_designates_g0_and_g1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compose_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compose_bilateral_and_line_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compose_heading_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_k194548_free_form_names_have_64_octets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compose_refuses_what_the_bounds_forbid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_kind_of_part, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forwarded_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delivery_envelope, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receipt_notification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_non_receipt_notification, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heading_extensions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_at_every_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quota_is_an_error_of_the_message, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages_in_messages_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_print_never_fails, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
