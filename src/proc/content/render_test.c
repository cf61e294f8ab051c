/* render_test.c - what a person sees. Expected values: the fields tshark shows for the captures of an independent
 * implementation, and small contents by hand from X.420 clauses 7 and 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm_testing.h"
#include "flow/codec/osi/capture_test.h"
#include "flow/codec/osi/ppdu.h"
#include "flow/codec/osi/rtse_apdu.h"
#include "flow/codec/p1/p1.h"
#include "proc/content/render.h"
#include "sys/jail.h"

static struct arena *a;
static struct out packed;

static int setup(void **state)
{
	(void)state;
	a = arena_new((size_t)64 << 20);
	out_init(&packed, (size_t)16 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&a);
	out_fini(&packed);
	return 0;
}

static struct render render_with(int64_t type, struct view oid, struct view content, const struct render_limits *limits)
{
	struct render r = { 0 };
	struct err e = { 0 };
	out_clear(&packed);
	if (!content_render(type, oid, content, limits, NULL, &packed, &e))
		fail_msg("%s", e.text);
	if (!render_unpack(out_view(&packed), &r, a, &e))
		fail_msg("%s", e.text);
	return r;
}

static struct render render_ok(int64_t type, struct view content)
{
	const struct render_limits limits = render_limits_default();
	return render_with(type, (struct view){ NULL, 0 }, content, &limits);
}

/* The i-th field of that label; fails when there is none. */
static void assert_field(const struct render_field *v, size_t n, const char *label, unsigned i, const char *want)
{
	for (size_t k = 0; k < n; k++) {
		if (!view_eq(v[k].label, view_str(label)) || i-- > 0)
			continue;
		if (!view_eq(v[k].value, view_str(want)))
			fail_msg("%s: found %.*s, want %s", label, (int)v[k].value.n, v[k].value.p, want);
		return;
	}
	fail_msg("no field %s", label);
}

/* An address prints in one way; the test says it in another. */
static const char *shown(const char *address)
{
	struct oraddr addr;
	struct err e;
	assert_true(oraddr_parse(view_str(address), &addr, a, ORADDR_GENERATE, &e));
	return oraddr_text(&addr, a);
}

static void assert_text(struct view v, const char *want)
{
	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

static void test_contents_of_pp_as_tshark_shows_them(void **state)
{
	(void)state;
	size_t n;
	uint8_t *file = testing_capture("pp-normal-mode.pcap", &n);
	if (file == NULL) {
		print_message("skipped: no captures (POSTHORN_SHARED)\n");
		skip();
	}
	const struct render r = render_ok(22, testing_content(file, n, 0));
	assert_int_equal(r.kind, RENDER_IPM);
	assert_field(r.fields, r.n_fields, "message-id", 0, "(q)16955 Sun Nov 22 00:39:02 2026(q)(a)ppa.test");
	assert_field(r.fields, r.n_fields, "from", 0, shown("C=GB;A=PEERNET;P=PPA;S=pp"));
	assert_field(r.fields, r.n_fields, "to", 0, shown("C=GB;A=PEERNET;P=PPB;S=bob"));
	assert_field(r.fields, r.n_fields, "subject", 0, "A to B");
	assert_field(r.fields, r.n_fields, "importance", 0, "normal");
	assert_int_equal(r.n_parts, 1);
	assert_text(r.parts[0].kind, "ia5-text");
	assert_text(r.parts[0].text, "Hello from PP-A\nsecond line\n");
	assert_int_equal(r.parts[0].flags, RENDER_TEXT);
	assert_int_equal(r.parts[0].size, 30);
	/* The octets as they came. */
	const struct render_limits limits = render_limits_default();
	struct err e;
	out_clear(&packed);
	assert_true(content_extract(22, (struct view){ NULL, 0 }, testing_content(file, n, 0), 1, &limits, &packed, &e));
	assert_text(out_view(&packed), "Hello from PP-A\r\nsecond line\r\n");
	free(file);
}

/* The octets of all RTTRs that the initiator of a connection sends: one P1 APDU. */
static struct out transferred(const struct capture *cap, size_t connection)
{
	static const struct ber_limits limits = { .depth = 24, .elements = 10000, .bytes = 1 << 20 };
	struct out side = capture_side(cap, connection, true), tsdu, all;
	struct cur c = cur_of(out_view(&side));
	out_init(&tsdu, 1 << 20);
	out_init(&all, 1 << 20);
	while (capture_tsdu(&c, &tsdu)) {
		const struct view v = out_view(&tsdu);
		struct ppdu_user_data u;
		struct rtse_apdu rtse;
		struct err e;
		if (v.n < 5 || v.p[0] != 1 || v.p[2] != 1) /* GT, then DT: X.225 8.3 */
			continue;
		assert_true(ber_decode(&ppdu_user_data_type, view_from(v, 4), &u, a, &limits, &e));
		const struct ppdu_pdv *pdv = u.full.v;
		assert_true(ber_decode(&rtse_apdu_type, pdv->values.single, &rtse, a, &limits, &e));
		out_bytes(&all, rtse.rttr);
	}
	out_fini(&tsdu);
	out_fini(&side);
	return all;
}

/* As tshark's p772 dissector shows them. */
static void assert_military_fields(const struct render *r)
{
	assert_field(r->fields, r->n_fields, "primary-precedence", 0, "immediate");
	assert_field(r->fields, r->n_fields, "message-type", 0, "{\"type\":\"exercise\"}");
	assert_field(r->fields, r->n_fields, "extended-authorisation-info", 0, "2005-10-01 11:30:50 UTC");
	assert_field(r->fields, r->n_fields, "message-instructions", 0, "Message Instruction");
	assert_field(r->fields, r->n_fields, "distribution-codes", 0, "{\"sics\":[\"ABC\"]}");
}

/* Every message in the captures, from the wire to the page. The values are those of tshark -V. */
static void test_every_message_of_the_captures(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		size_t connection;
		const char *id, *from, *to, *subject, *text; /* text: how it begins */
		size_t size;
	} rows[] = {
		{ "pp-normal-mode.pcap", 0, "(q)16955 Sun Nov 22 00:39:02 2026(q)(a)ppa.test", "C=GB;A=PEERNET;P=PPA;S=pp",
		  "C=GB;A=PEERNET;P=PPB;S=bob", "A to B", "Hello from PP-A\nsecond line\n", 30 },
		{ "pp-normal-mode.pcap", 1, NULL, "C=GB;A=PEERNET;P=PPB;S=pp", "C=GB;A=PEERNET;P=PPA;S=alice", "B to A", "", 0 },
		{ "pp-normal-mode.pcap", 2, NULL, "C=GB;A=PEERNET;P=PPB;S=pp", "C=GB;A=PEERNET;P=NEW;S=carol", "B to C via A",
		  "Hello via A\n", 13 },
		{ "pp-normal-mode.pcap", 3, "(q)16996 Sun Nov 22 00:39:20 2026(q)(a)ppb.test", "C=GB;A=PEERNET;P=PPB;S=pp",
		  "C=GB;A=PEERNET;P=NEW;S=carol", "B to C via A", "Hello via A\n", 13 },
		{ "pp-checkpoints.pcap", 0, "(q)17148 Sun Nov 22 00:39:58 2026(q)(a)ppa.test", "C=GB;A=PEERNET;P=PPA;S=pp",
		  "C=GB;A=PEERNET;P=PPB;S=bob", "big",
		  "line 00000 of a long body, to force several checkpoints in RTSE\nline 00001 of a long body, ", 195000 },
		{ "p772-transfer-success.pcap", 1, NULL, "C=gb;A= ;P=smhs;O=percival;S=gal", "C=gb;A= ;P=smhs;O=lancelot;CN=ethereal",
		  "P772 Message", "hello\n", 7 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct capture *cap = capture_open(rows[i].file);
		struct out apdu = transferred(cap, rows[i].connection);
		struct ber_limits limits = ipm_limits_default();
		const struct render_limits shown_limits = render_limits_default();
		struct message m;
		struct view content;
		struct err e = { 0 };
		if (!p1_decode(out_view(&apdu), &m, &content, a, &limits, &e))
			fail_msg("%s: %s", rows[i].file, e.text);
		out_clear(&packed);
		assert_true(content_render_message(&m, content, &shown_limits, NULL, &packed, &e));
		struct render r;
		assert_true(render_unpack(out_view(&packed), &r, a, &e));
		assert_int_equal(r.kind, RENDER_IPM);
		assert_field(r.fields, r.n_fields, "from", 0, shown(rows[i].from));
		assert_field(r.fields, r.n_fields, "to", 0, shown(rows[i].to));
		assert_field(r.fields, r.n_fields, "subject", 0, rows[i].subject);
		if (rows[i].id != NULL)
			assert_field(r.fields, r.n_fields, "message-id", 0, rows[i].id);
		assert_int_equal(r.n_parts, 1);
		assert_text(r.parts[0].kind, "ia5-text");
		assert_int_equal(r.parts[0].flags, RENDER_TEXT);
		assert_text(view_first(r.parts[0].text, strlen(rows[i].text)), rows[i].text);
		if (rows[i].size != 0)
			assert_int_equal(r.parts[0].size, rows[i].size);
		if (strcmp(rows[i].file, "p772-transfer-success.pcap") == 0)
			assert_military_fields(&r);
		out_fini(&apdu);
		capture_close(&cap);
	}
}

/* RFC 1496 3.2: what came as MIME in IA5 text is read as the text it is; other types are said. */
static void test_dg_10_mime_in_ia5_text_is_shown_decoded(void **state)
{
	(void)state;
	static const char head[] = "\xa0\x81\xb2\x31\x05\x6b\x03\x13\x01" "1\x30\x81\xa8\xa0\x81\xa5\x31\x00\x16\x81\xa0";
	static const char *const bodies[] = {
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 .",
		"MIME-Version: 1.0\r\nContent-Type: application/x400-bp; bp-type=2.6.1.4.16\r\nContent-Transfer-Encoding: base64\r\n\r\nrwA=",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct out o;
		out_init(&o, 1000);
		out_bytes(&o, view_of(head, sizeof head - 1));
		assert_true(strlen(bodies[i]) <= 0xa0);
		out_str(&o, bodies[i]);
		while (out_len(&o) < sizeof head - 1 + 0xa0)
			out_u8(&o, i == 0 ? '.' : ' ');
		const struct render r = render_ok(2, out_view(&o));
		assert_int_equal(r.kind, RENDER_IPM);
		assert_text(r.parts[0].kind, "ia5-text");
		assert_field(r.parts[0].fields, r.parts[0].n_fields, "mime-type", 0, i == 0 ? "text/plain" : "application/x400-bp");
		if (i == 0)
			assert_field(r.parts[0].fields, r.parts[0].n_fields, "mime-charset", 0, "ISO-8859-1");
		assert_text(view_first(r.parts[0].text, 6), i == 0 ? "caf\xc3\xa9 " : "MIME-V");
		assert_int_equal(r.parts[0].size, 0xa0);
		out_fini(&o);
	}
}

static struct oraddr address(const char *text)
{
	struct oraddr addr;
	struct err e;
	assert_true(oraddr_parse(view_str(text), &addr, a, ORADDR_GENERATE, &e));
	return addr;
}

/* A message with text, a file, and a message in it with a text of its own. */
static struct view compose_all(struct out *o)
{
	struct ipm_recipient to = { .user = { address("C=GB;A=PEERNET;P=PPB;S=bob"), VIEW("Bob") }, .ask = IPM_ASK_RN };
	struct ipm_compose_part inner = { .kind = IPM_COMPOSE_TEXT, .data = VIEW("inner\n") };
	struct ipm_compose m = {
		.local_id = VIEW("in-1"), .originator.addr = address("C=GB;A=PEERNET;P=PPA;S=pp"), .to = &to, .n_to = 1,
		.subject = VIEW("Inside"), .importance = IPM_NORMAL, .parts = &inner, .n_parts = 1,
	};
	struct ipm_composed done;
	struct err e;
	struct out nested;
	out_init(&nested, 1 << 16);
	assert_true(ipm_compose(&m, NULL, &nested, &done, a, &e));
	const struct ipm_compose_part parts[] = {
		{ .kind = IPM_COMPOSE_TEXT, .data = VIEW("Gr\xc3\xbc\xc3\x9f" "e\n") },
		{ .kind = IPM_COMPOSE_FILE, .data = VIEW("\x00\x01\x02PK"), .name = VIEW("r\xc3\xa9port.zip"),
		  .modified_ms = INT64_C(1795307942000) },
		{ .kind = IPM_COMPOSE_FORWARD, .data = out_view(&nested) },
		{ .kind = IPM_COMPOSE_BILATERAL, .data = VIEW("\xff") },
	};
	m.parts = parts;
	m.n_parts = ARRAY_LEN(parts);
	m.subject = VIEW("\xc3\x9c" "ber \xe2\x82\xac");
	m.local_id = VIEW("out-1");
	m.importance = IPM_HIGH;
	out_init(o, 1 << 16);
	assert_true(ipm_compose(&m, NULL, o, &done, a, &e));
	out_fini(&nested);
	return out_view(o);
}

static void test_parts_files_and_forwarded_messages(void **state)
{
	(void)state;
	struct out o;
	const struct view content = compose_all(&o);
	const struct render r = render_ok(22, content);
	char bob[200];
	snprintf(bob, sizeof bob, "Bob <%s>", shown("C=GB;A=PEERNET;P=PPB;S=bob"));
	assert_field(r.fields, r.n_fields, "to", 0, bob);
	strncat(bob, ": receipt, non-receipt", sizeof bob - strlen(bob) - 1);
	assert_field(r.fields, r.n_fields, "asked-of", 0, bob);
	assert_field(r.fields, r.n_fields, "importance", 0, "high");
	assert_field(r.fields, r.n_fields, "subject", 0, "\xc3\x9c" "ber ?");
	assert_field(r.fields, r.n_fields, "extended-subject", 0, "\xc3\x9c" "ber \xe2\x82\xac");
	assert_int_equal(r.n_parts, 5);
	assert_text(r.parts[0].kind, "general-text");
	assert_text(r.parts[0].text, "Gr\xc3\xbc\xc3\x9f" "e\n");
	assert_field(r.parts[0].fields, r.parts[0].n_fields, "character-set", 0, "100");
	assert_text(r.parts[1].kind, "file-transfer");
	assert_text(r.parts[1].name, "r\xc3\xa9port.zip");
	assert_int_equal(r.parts[1].size, 5);
	assert_int_equal(r.parts[1].flags, 0);
	assert_text(r.parts[1].text, "00000000  00 01 02 50 4b                                   ...PK\n");
	assert_field(r.parts[1].fields, r.parts[1].n_fields, "modified", 0, "2026-11-22 00:39:02 UTC");
	assert_field(r.parts[1].fields, r.parts[1].n_fields, "announced-size", 0, "5");
	assert_text(r.parts[2].kind, "message");
	assert_int_equal(r.parts[2].flags, RENDER_MESSAGE);
	assert_field(r.parts[2].fields, r.parts[2].n_fields, "subject", 0, "Inside");
	assert_int_equal(r.parts[3].depth, 2);
	assert_text(r.parts[3].text, "inner\n");
	assert_int_equal(r.parts[4].depth, 1);
	/* Parts are numbered as they are listed. */
	const struct render_limits limits = render_limits_default();
	const struct view none = { NULL, 0 };
	struct err e = { 0 };
	out_clear(&packed);
	assert_true(content_extract(22, none, content, 2, &limits, &packed, &e));
	assert_int_equal(out_len(&packed), 5);
	assert_memory_equal(out_view(&packed).p, "\x00\x01\x02PK", 5);
	out_clear(&packed);
	assert_true(content_extract(22, none, content, 4, &limits, &packed, &e));
	assert_text(out_view(&packed), "inner\r\n");
	assert_false(content_extract(22, none, content, 0, &limits, &packed, &e));
	assert_false(content_extract(22, none, content, 6, &limits, &packed, &e));
	assert_non_null(strstr(e.text, "no part 6"));
	out_fini(&o);
}

static void test_notifications(void **state)
{
	(void)state;
	const struct render r = render_ok(2, VIEW(TESTING_RECEIPT));
	assert_int_equal(r.kind, RENDER_NOTIFICATION);
	assert_field(r.fields, r.n_fields, "notification", 0, "receipt");
	assert_field(r.fields, r.n_fields, "received", 0, "2026-11-22 00:39:02 UTC");
	assert_field(r.fields, r.n_fields, "acknowledgment", 0, "automatic");
	assert_field(r.fields, r.n_fields, "supplementary", 0, "hello");
	assert_field(r.fields, r.n_fields, "subject-message", 0, "1");
	assert_field(r.fields, r.n_fields, "from", 0, shown("C=GB;A=PEERNET;P=PPB;S=bobby"));
	assert_int_equal(r.n_parts, 0);
	const struct render nrn = render_ok(22, VIEW("\xa1\x1e\x6b\x03\x13\x01" "1\xa0\x17\xa0\x15\x80\x01\x00\x81\x01\x00\x82\x02no"
						     "\xa3\x09\x31\x05\x6b\x03\x13\x01" "9\x30\x00"));
	assert_field(nrn.fields, nrn.n_fields, "notification", 0, "non-receipt");
	assert_field(nrn.fields, nrn.n_fields, "reason", 0, "discarded");
	assert_field(nrn.fields, nrn.n_fields, "discard-reason", 0, "expired");
	assert_int_equal(nrn.n_parts, 1);
	assert_field(nrn.parts[0].fields, nrn.parts[0].n_fields, "message-id", 0, "9");
}

/* Octets that nobody has decoded: hexadecimal lines, and BER as far as it goes; cut at every offset, and in no time at all. */
static void test_octets_are_shown_with_what_decodes(void **state)
{
	(void)state;
	struct render_limits limits = render_limits_default();
	const struct view octets = VIEW("\x31\x07\x13\x05hello\xff\xff");
	for (size_t n = 0; n <= octets.n; n++) {
		struct render r = { 0 };
		struct err e = { 0 };
		uint8_t *copy = mem_dup(octets.p, n == 0 ? 1 : n);
		out_clear(&packed);
		assert_true(content_render_octets(view_of(copy, n), &limits, &packed, &e));
		free(copy);
		assert_true(render_unpack(out_view(&packed), &r, a, &e));
		assert_int_equal(r.kind, RENDER_UNKNOWN);
		assert_int_equal(r.n_parts, 2);
		assert_true(view_eq(r.parts[0].kind, VIEW("octets")) && view_eq(r.parts[1].kind, VIEW("structure")));
		assert_int_equal(r.parts[1].size, n);
		if (n < octets.n)
			continue;
		const char *hex = arena_str(a, r.parts[0].text), *text = arena_str(a, r.parts[1].text);
		assert_non_null(strstr(hex, "31 07 13 05 68 65 6c 6c 6f ff ff"));
		assert_non_null(strstr(text, "hello"));
		assert_true((r.parts[1].flags & RENDER_TEXT) != 0 && (r.parts[0].flags & RENDER_TEXT) == 0);
	}
	struct err e = { 0 };
	limits.out = 10;
	assert_false(content_render_octets(octets, &limits, &packed, &e));
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
}

static void test_unknown_and_broken_contents(void **state)
{
	(void)state;
	struct render r = render_ok(35, VIEW("UNB+UNOA"));
	assert_int_equal(r.kind, RENDER_UNKNOWN);
	assert_field(r.fields, r.n_fields, "content-type", 0, "35");
	assert_int_equal(r.n_parts, 1);
	assert_text(r.parts[0].text, "00000000  55 4e 42 2b 55 4e 4f 41                          UNB+UNOA\n");
	const struct render_limits limits = render_limits_default();
	r = render_with(-1, VIEW("\x2a\x03\x04"), VIEW("x"), &limits);
	assert_field(r.fields, r.n_fields, "content-type", 0, "1.2.3.4");
	r = render_ok(22, VIEW("\xa0\x05\x30"));
	assert_int_equal(r.kind, RENDER_BROKEN);
	assert_int_equal(r.n_parts, 1);
	r = render_ok(22, VIEW(""));
	assert_int_equal(r.kind, RENDER_BROKEN);
	/* P22 by its object identifier, 2.6.1.10.1 */
	r = render_with(-1, VIEW("\x56\x01\x0a\x01"), VIEW(TESTING_RECEIPT), &limits);
	assert_int_equal(r.kind, RENDER_NOTIFICATION);
}

static void test_one_bad_part_spoils_no_other(void **state)
{
	(void)state;
	const struct render r = render_ok(22, VIEW("\xa0\x1c\x31\x05\x6b\x03\x13\x01" "1\x30\x13"
						    "\xa0\x05\x31\x00\x16\x01" "A" "\xa0\x03\x16\x01x" "\xa0\x05\x31\x00\x16\x01" "B"));
	assert_int_equal(r.n_parts, 3);
	assert_text(r.parts[0].text, "A");
	assert_text(r.parts[1].kind, "unknown");
	assert_true(r.parts[1].n_fields > 0);
	assert_text(r.parts[2].text, "B");
}

static bool always(void *ctx)
{
	unsigned *left = ctx;
	return (*left)-- == 0;
}

static void test_limits_end_the_item_only(void **state)
{
	(void)state;
	struct out o;
	const struct view content = compose_all(&o), none = { NULL, 0 };
	struct render_limits limits = render_limits_default();
	struct err e = { 0 };
	limits.arena = 4096;
	out_clear(&packed);
	assert_false(content_render(22, none, content, &limits, NULL, &packed, &e));
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	assert_int_equal(out_len(&packed), 0);
	limits = render_limits_default();
	limits.out = 100;
	assert_false(content_render(22, none, content, &limits, NULL, &packed, &e));
	unsigned asked = 2;
	limits = render_limits_default();
	limits.out_of_time = always;
	limits.ctx = &asked;
	assert_false(content_render(22, none, content, &limits, NULL, &packed, &e));
	assert_non_null(strstr(e.text, "longer than it may"));
	/* Those that shorten what is shown. */
	limits = render_limits_default();
	limits.text_max = 4; /* G r and half of the third character, which is not shown */
	limits.hex_max = 3;
	limits.parts = 2;
	const struct render r = render_with(22, none, content, &limits);
	assert_text(r.parts[0].text, "Gr\xc3\xbc");
	assert_int_equal(r.parts[0].flags, RENDER_TEXT | RENDER_TRUNCATED);
	assert_int_equal(r.parts[1].flags, RENDER_TRUNCATED);
	assert_int_equal(r.n_parts, 3);
	assert_field(r.parts[2].fields, r.parts[2].n_fields, "note", 0, "2 more parts are not shown, the limit is 2");
	limits = render_limits_default();
	limits.depth = 1;
	const struct render flat = render_with(22, none, content, &limits);
	assert_int_equal(flat.n_parts, 4);
	assert_int_equal(flat.parts[2].flags & RENDER_MESSAGE, 0);
	assert_true(flat.parts[2].text.n > 0);
	out_fini(&o);
}

static void test_unpack_trusts_nothing(void **state)
{
	(void)state;
	struct out o;
	struct render r;
	struct err e = { 0 };
	const struct view content = compose_all(&o);
	(void)render_ok(22, content);
	const struct view whole = arena_copy(a, out_view(&packed));
	for (size_t n = 0; n < whole.n; n++) {
		uint8_t *exact = mem_dup(whole.p, n == 0 ? 1 : n);
		assert_false(render_unpack(view_of(exact, n), &r, a, &e));
		assert_int_equal(e.kind, ERR_LOCAL);
		assert_int_equal(e.culprit, ERR_OF_PROCESS);
		free(exact);
	}
	assert_true(render_unpack(whole, &r, a, &e));
	assert_false(render_unpack(VIEW("\x02\x00\x00\x00\x00\x00"), &r, a, &e)); /* version */
	assert_false(render_unpack(VIEW("\x01\x09\x00\x00\x00\x00"), &r, a, &e)); /* kind */
	assert_false(render_unpack(VIEW("\x01\x00\xff\xff\x00\x00\x00\x00"), &r, a, &e)); /* a count that lies */
	assert_false(render_unpack(VIEW("\x01\x00\x00\x01\x00\x00\x00\x01\xff\x00\x00\x00\x00\x00\x00"), &r, a, &e)); /* no UTF-8 */
	assert_true(render_unpack(VIEW("\x01\x00\x00\x00\x00\x00"), &r, a, &e));
	out_fini(&o);
}

static void test_text_and_json(void **state)
{
	(void)state;
	struct out o, text;
	const struct render r = render_ok(22, compose_all(&o));
	out_init(&text, 1 << 20);
	render_print(&r, &text);
	assert_non_null(strstr(out_cstr(&text), "Subject: \xc3\x9c" "ber ?\n"));
	assert_non_null(strstr(out_cstr(&text), "-- part 2: file-transfer \"r\xc3\xa9port.zip\", 5 octets\n"));
	assert_non_null(strstr(out_cstr(&text), "\n    inner\n"));
	out_clear(&text);
	render_print_json(&r, &text);
	json_error_t why;
	json_t *json = json_loads(out_cstr(&text), 0, &why);
	if (json == NULL)
		fail_msg("%s", why.text);
	assert_string_equal(json_string_value(json_object_get(json, "kind")), "message");
	json_t *parts = json_object_get(json, "parts");
	assert_int_equal(json_array_size(parts), 5);
	assert_string_equal(json_string_value(json_object_get(json_array_get(parts, 3), "text")), "inner\n");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(parts, 1), "size")), 5);
	json_decref(json);
	out_fini(&text);
	out_fini(&o);
}

/* The real jail: a kit made before it closes, a content rendered inside, nothing killed. */
static void test_renders_inside_the_jail(void **state)
{
	(void)state;
	struct out o;
	const struct view content = compose_all(&o);
	if (jail_build_flags() & JAIL_SANITIZED) {
		print_message("skipped: a sanitizer's runtime cannot live in the filter\n");
		out_fini(&o);
		skip();
	}
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct jail_limits jail = { .memory = (size_t)1 << 30, .cpu_s = 20 };
		const struct render_limits limits = render_limits_default();
		struct charset_kit *kit = charset_kit_new();
		struct err e;
		if (!jail_enter(JAIL_CONTENT, &jail, 0, &e))
			_exit(1);
		out_clear(&packed);
		const struct view none = { NULL, 0 };
		if (!content_render(22, none, content, &limits, kit, &packed, &e) ||
		    !content_render(22, none, VIEW(TESTING_RECEIPT), &limits, kit, &packed, &e) ||
		    !content_render(22, none, VIEW("\xa0\x80\x31"), &limits, kit, &packed, &e))
			_exit(2);
		charset_kit_free(&kit);
		_exit(7);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_contents_of_pp_as_tshark_shows_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_message_of_the_captures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dg_10_mime_in_ia5_text_is_shown_decoded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts_files_and_forwarded_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notifications, setup, teardown),
		cmocka_unit_test_setup_teardown(test_octets_are_shown_with_what_decodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_and_broken_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_bad_part_spoils_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits_end_the_item_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unpack_trusts_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text_and_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renders_inside_the_jail, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
