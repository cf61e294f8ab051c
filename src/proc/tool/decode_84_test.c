/* decode_84_test.c - MPDUs of 1984 in `posthorn decode`; and what an independent decoder makes of those we encode: in a recorded association of
 * normal mode, whose transfer is replaced, since 1984 is a part of 1988 (RFC 1328 1). Skipped without tshark. */
#include "proc/tool/decode_testing.h"

#include "flow/codec/p1/p1.h"

#include <unistd.h>

static const struct ber_limits limits = { .depth = 64, .elements = 1000000, .bytes = 16 << 20 };

static const struct gdi ours = { { ORA_PRINTABLE, { (const uint8_t *)"GB", 2 } },
				 { ORA_PRINTABLE, { (const uint8_t *)"POST", 4 } },
				 { ORA_PRINTABLE, { (const uint8_t *)"HORN", 4 } },
				 true };

static struct view corpus(const char *name, struct arena *a)
{
	const char *root = getenv("POSTHORN_SOURCE");
	char path[1024];
	snprintf(path, sizeof path, "%s/tests/corpus/%s", root == NULL ? "." : root, name);
	struct out o = read_whole(path);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

/* The APDU of the corpus, encoded by us: as 1984 or as 1988. */
static struct view encoded(const char *name, bool old, struct arena *a)
{
	const struct p1_encode_options options = { .as_1984 = old, .domain = &ours };
	struct message m;
	struct view content;
	struct out o;
	struct err e;
	if (!p1_decode(corpus(name, a), &m, &content, a, &limits, &e))
		fail_msg("%s", e.text);
	out_init(&o, 1 << 20);
	/* What has no form of 1984 is let pass, or taken away. */
	if (m.kind != MESSAGE_REPORT && m.originator.n > 5)
		m.originator.n = 2;
	for (size_t i = 0; i < m.n_rcpt; i++)
		m.rcpt[i].responsible = m.rcpt[i].addr.n <= 6;
	if (!p1_encode_head(&m, content.n, &options, &o, &e))
		fail_msg("%s", e.text);
	if (m.kind == MESSAGE_MESSAGE)
		out_bytes(&o, content);
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static void wrap(struct out *o, uint32_t tag, struct view content)
{
	ber_put_header(o, tag, ber_tag_class(tag) != BER_UNIVERSAL || tag == BER_U(8) || tag == BER_U(16), content.n);
	out_bytes(o, content);
}

/* The DT of the capture with another APDU: session, presentation context 3, RTTR, EXTERNAL of context 5. */
static void put_transfer(struct pcap *p, struct view apdu)
{
	struct out part[6], tpkt;
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		out_init(&part[i], 1 << 20);
	out_init(&tpkt, 1 << 20);
	assert_true(text_unhex(&part[0], VIEW("020105")));
	wrap(&part[0], BER_C(0), apdu);
	wrap(&part[1], BER_U(8), out_view(&part[0]));
	wrap(&part[2], BER_U(4), out_view(&part[1]));
	assert_true(text_unhex(&part[3], VIEW("020103")));
	wrap(&part[3], BER_C(0), out_view(&part[2]));
	wrap(&part[4], BER_U(16), out_view(&part[3]));
	wrap(&part[5], BER_A(1), out_view(&part[4]));
	assert_true(text_unhex(&tpkt, VIEW("03000010 02f080 0100 2d05 2903 020101"))); /* ACTIVITY START */
	out_u16(&tpkt, 0x0300);
	out_u16(&tpkt, (uint16_t)(11 + out_len(&part[5])));
	assert_true(text_unhex(&tpkt, VIEW("02f080 01000100")));
	out_bytes(&tpkt, out_view(&part[5]));
	assert_true(text_unhex(&tpkt, VIEW("0300000e 02f080 0100 2903 2a0131"))); /* ACTIVITY END */
	put_data(p, false, out_view(&tpkt), 60000);
	for (size_t i = 0; i < ARRAY_LEN(part); i++)
		out_fini(&part[i]);
	out_fini(&tpkt);
}

static void put_association(struct pcap *p, const struct flights *f, struct view apdu)
{
	put_open(p);
	for (size_t i = 0; i < f->n; i++)
		if (i == 4)
			put_transfer(p, apdu);
		else
			put_data(p, f->v[i].responder, out_view(&f->v[i].octets), 60000);
	put_close(p);
}

/* tshark -V of the capture; false: there is none. */
static bool run_tshark(const struct pcap *p, struct out *o)
{
	char path[] = "/tmp/posthorn-84-XXXXXX", command[1000], piece[4096];
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	const struct view file = out_view(&p->file);
	assert_true(write(fd, file.p, file.n) == (ssize_t)file.n);
	close(fd);
	snprintf(command, sizeof command, "tshark -r %s -d tcp.port==10102,tpkt -V 2>/dev/null", path);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	out_init(o, 1 << 26);
	for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
		out_bytes(o, view_of(piece, n));
	const bool good = pclose(f) == 0 && out_len(o) > 0;
	unlink(path);
	return good;
}

static size_t count_in(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

static const char *const apdus[] = { "p1_fuzz/p772-transfer-success", "p1_fuzz/pp-normal-mode-4", "p1_fuzz/message-full", "p1_fuzz/probe-full",
				     "p1_fuzz/report-full" };

static void test_what_we_encode_as_1984_is_read_by_tshark(void **state)
{
	(void)state;
	struct flights *f = load_flights("pp-message");
	for (size_t i = 0; i < ARRAY_LEN(apdus); i++) {
		struct arena *a = arena_new(64 << 20);
		struct pcap p;
		struct out text;
		pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
		put_association(&p, f, encoded(apdus[i], true, a));
		if (!run_tshark(&p, &text)) {
			print_message("tshark is not here\n");
			out_fini(&text);
			out_fini(&p.file);
			arena_free(&a);
			free_flights(&f);
			skip();
		}
		const char *t = out_cstr(&text);
		const char *bad[] = { "Malformed", "BER Error", "standard-extension", "private-extension", "other-actions:", "extension-attributes" };
		for (size_t k = 0; k < ARRAY_LEN(bad); k++)
			if (strstr(t, bad[k]) != NULL)
				fail_msg("%s: tshark shows \"%s\"", apdus[i], bad[k]);
		assert_true(count_in(t, "MTS-APDU") > 0);
		assert_true(count_in(t, "arrival-time: ") > 0);
		out_fini(&text);
		out_fini(&p.file);
		arena_free(&a);
	}
	free_flights(&f);
}

/* The same as 1988 has what is looked for above: the test can fail. */
static void test_what_we_encode_as_1988_has_extensions(void **state)
{
	(void)state;
	struct flights *f = load_flights("pp-message");
	struct arena *a = arena_new(64 << 20);
	struct pcap p;
	struct out text;
	pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
	put_association(&p, f, encoded("p1_fuzz/p772-transfer-success", false, a));
	const bool there = run_tshark(&p, &text);
	if (there) {
		assert_true(count_in(out_cstr(&text), "standard-extension") > 0);
		assert_true(count_in(out_cstr(&text), "private-extension") > 0);
		assert_true(count_in(out_cstr(&text), "extension-attributes") > 0);
	}
	out_fini(&text);
	out_fini(&p.file);
	arena_free(&a);
	free_flights(&f);
	if (!there)
		skip();
}

/* --- ours --- */

#define CR "03000014 0fe0 0000 1234 00 c0010d c10161 c20162"
#define CC "0300000e 09d0 1234 4711 00 c0010d"
/* X.410 mode, RTORQ { checkpointSize 1, connectionData open, applicationProtocol 1 } (X.228 9, X.419 13.2) */
#define CN "0300003c02f0800d3305091301001601011a010014020249c1223120a003800100a119800101a311a00fa10d80054d54412d49a10416027069840101"
#define AS "03000010 02f080 0100 2d05 2903 020101"
#define AE "0300000e 02f080 0100 2903 2a0131"

static void put_hex(struct pcap *p, bool responder, const char *digits)
{
	struct out o;
	out_init(&o, 1000);
	assert_true(text_unhex(&o, view_str(digits)));
	put_data(p, responder, out_view(&o), 60000);
	out_fini(&o);
}

static void test_decode_shows_mpdus_of_1984(void **state)
{
	static const struct {
		const char *name, *want[4];
	} row[] = {
		{ "p1_84_fuzz/user-84", { "userMPDU", "uAContentId \"id\"", "DDA:Common=lists", "extensionIdentifier 32767" } },
		{ "p1_84_fuzz/probe-84", { "probeMPDU", "contentLength 10000", "perMessageFlag", "alternateRecipientAllowed" } },
		{ "p1_84_fuzz/report-84", { "deliveryReportMPDU", "billingInformation", "unrecognizedORName", "typeOfUA" } },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct arena *a = arena_new(1 << 20);
		struct view mpdu = corpus(row[i].name, a);
		struct pcap p;
		struct out o;
		pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
		put_open(&p);
		put_hex(&p, false, CR);
		put_hex(&p, true, CC);
		put_hex(&p, false, CN);
		put_hex(&p, false, AS);
		out_init(&o, 1 << 16);
		out_u16(&o, 0x0300);
		out_u16(&o, (uint16_t)(11 + mpdu.n));
		assert_true(text_unhex(&o, VIEW("02f080 01000100")));
		out_bytes(&o, mpdu);
		put_data(&p, false, out_view(&o), 60000);
		put_hex(&p, false, AE);
		put_close(&p);
		const struct decode_options plain = { 0 };
		struct decoded d = run_decode(out_view(&p.file), &plain);
		assert_has(&d, "P1 of 1984");
		for (size_t k = 0; k < 4; k++)
			assert_has(&d, row[i].want[k]);
		decoded_fini(&d);
		out_fini(&o);
		out_fini(&p.file);
		arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_we_encode_as_1984_is_read_by_tshark),
		cmocka_unit_test(test_what_we_encode_as_1988_has_extensions),
		cmocka_unit_test(test_decode_shows_mpdus_of_1984),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
