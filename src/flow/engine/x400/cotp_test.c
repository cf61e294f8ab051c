/* cotp_test.c - X.224 class 0 with RFC 1006 and RFC 2126. Octets named "capture" are from
 * p772-transfer-success.pcap and pp-normal-mode.pcap. */
#include "flow/engine/x400/cotp.h"
#include "flow/engine/x400/stack_test.h"

static struct cotp *responder(size_t tpdu_size)
{
	return cotp_new(&(struct cotp_config){.tpdu_size = tpdu_size, .ref = 0x047c});
}

static void feed_hex(struct cotp *c, const char *hex)
{
	struct out in = from_hex(hex);
	assert_int_equal(cotp_feed(c, out_view(&in)), in.n);
	out_fini(&in);
}

static struct cotp_event next(struct cotp *c)
{
	struct cotp_event ev;
	struct err e = {0};
	if (cotp_next(c, &ev, &e) != STEP_DONE)
		fail_msg("no event: %s", e.text);
	return ev;
}

static void assert_wait(struct cotp *c)
{
	struct cotp_event ev;
	assert_int_equal(cotp_next(c, &ev, NULL), STEP_WAIT);
}

static void assert_fails(struct cotp *c, const char *text)
{
	struct cotp_event ev;
	struct err e = {0};
	assert_int_equal(cotp_next(c, &ev, &e), STEP_FAIL);
	assert_int_equal(e.kind, ERR_PEER);
	assert_int_equal(e.culprit, ERR_OF_ASSOCIATION);
	assert_string_equal(e.text, text);
	assert_int_equal(cotp_next(c, &ev, &e), STEP_FAIL);
	assert_true(cotp_is_closed(c));
	cotp_check_state(c);
}

/* The answer to this CR, whole. */
static void assert_cc(struct cotp *c, const char *cr, const char *cc)
{
	feed_hex(c, cr);
	assert_int_equal(next(c).kind, COTP_CONNECT);
	cotp_accept(c);
	cotp_check_state(c);
	assert_octets(out_view(cotp_out(c)), cc);
	cotp_free(&c);
}

/* Capture: CR of Nexor; its CC had our reference 047c. */
#define CR_NEXOR "0300001d18e000000de000c107583430302d3838c207583430302d3838"
#define CC_NEXOR "0300000b06d00de0047c00"

static struct cotp *opened(void)
{
	struct cotp *c = responder(65531);
	feed_hex(c, CR_NEXOR);
	assert_int_equal(next(c).kind, COTP_CONNECT);
	cotp_accept(c);
	out_drop(cotp_out(c), out_len(cotp_out(c)));
	return c;
}

static void test_tp_01_cr_cc(void **state)
{
	(void)state;
	struct cotp *c = responder(65531);
	feed_hex(c, CR_NEXOR);
	struct cotp_event ev = next(c);
	assert_int_equal(ev.kind, COTP_CONNECT);
	assert_true(ev.has_calling && ev.has_called);
	assert_true(view_eq(ev.calling, VIEW("X400-88")));
	assert_true(view_eq(ev.called, VIEW("X400-88")));
	cotp_accept(c);
	assert_octets(out_view(cotp_out(c)), CC_NEXOR);
	assert_true(cotp_is_open(c));
	cotp_free(&c);
	c = cotp_new(
		&(struct cotp_config){.tpdu_size = 65531}); /* no reference given: still not zero */
	assert_cc(c, CR_NEXOR, "0300000b06d00de0000100");
}

static void test_initiator_cr(void **state)
{
	(void)state;
	struct cotp_config config = {.initiator = true,
				     .send_tsel = true,
				     .calling = VIEW("X400-88"),
				     .called = VIEW("X400-88"),
				     .tpdu_size = 65531,
				     .ref = 0x0de0};
	struct cotp *c = cotp_new(&config);
	assert_octets(out_view(cotp_out(c)), CR_NEXOR);
	feed_hex(c, CC_NEXOR);
	assert_int_equal(next(c).kind, COTP_CONNECTED);
	assert_int_equal(cotp_tpdu_size(c), 65531);
	cotp_free(&c);
	/* Capture of PP: size 2048 after the TSELs, echoed in CC. */
	config.calling = VIEW("ppa");
	config.called = VIEW("591");
	config.tpdu_size = 2048;
	config.ref = 0x423d;
	c = cotp_new(&config);
	assert_octets(out_view(cotp_out(c)), "0300001813e00000423d00c103707061c203353931c0010b");
	feed_hex(c, "0300000e09d0423d423e00c0010b");
	assert_int_equal(next(c).kind, COTP_CONNECTED);
	assert_int_equal(cotp_tpdu_size(c), 2048);
	cotp_free(&c);
	c = cotp_new(&config); /* CC without a size: what we proposed stands */
	feed_hex(c, "0300000b06d0423d423e00");
	assert_int_equal(next(c).kind, COTP_CONNECTED);
	assert_int_equal(cotp_tpdu_size(c), 2048);
	cotp_free(&c);
}

static void test_cc_checked(void **state)
{
	(void)state;
	struct cotp_config config = {.initiator = true, .tpdu_size = 2048, .ref = 0x0102};
	static const struct {
		const char *cc, *text;
	} cases[] = {
		{"0300000b06d01111047c00", "cotp: CC for reference 1111, want 0102"},
		{"0300000b06d00102047c40", "cotp: CC selects class 4, want class 0"},
		{"0300000e09d00102047c00c0010c",
		 "cotp: CC states TPDU size 4096, want at most the proposed 2048"},
		{"0300000e09d00102047c00c00106",
		 "cotp: TPDU size parameter of 1 octets, code 0x06; want one octet of 07..0d"},
		{"0300000c07d00102047c00c0",
		 "cotp: parameter 0xc0 is longer than its TPDU of 8 octets"},
		{"0300000d08d00102047c00c002",
		 "cotp: parameter 0xc0 is longer than its TPDU of 9 octets"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cotp *c = cotp_new(&config);
		feed_hex(c, cases[i].cc);
		assert_fails(c, cases[i].text);
		cotp_free(&c);
	}
}

static size_t longest_dt(struct cotp *c)
{
	struct view v = out_view(cotp_out(c));
	size_t longest = 0;
	while (v.n > 0) {
		size_t len = (size_t)v.p[2] << 8 | v.p[3];
		assert_true(len >= 7 && len <= v.n);
		assert_int_equal(v.p[4], 2);
		assert_int_equal(v.p[5], 0xf0);
		assert_int_equal(v.p[6], len == v.n ? 0x80 : 0);
		longest = len - 4 > longest ? len - 4 : longest;
		v = view_from(v, len);
	}
	return longest;
}

static void test_tp_06_no_size(void **state)
{
	(void)state;
	struct cotp *c = opened();
	assert_int_equal(cotp_tpdu_size(c), 65531);
	static const uint8_t big[200000];
	struct view v = view_of(big, sizeof big);
	cotp_send(c, &v, 1, true);
	assert_int_equal(longest_dt(c), 65531); /* TPDU of the longest TPKT: 65535 - 4 */
	assert_int_equal(out_len(cotp_out(c)), 200000 + 4 * 7);
	out_drop(cotp_out(c), out_len(cotp_out(c)));
	struct out in = from_hex("0300ffff02f080");
	out_bytes(&in, view_of(big, 65528));
	size_t got = 0;
	for (size_t at = 0; at < in.n;) {
		at += cotp_feed(c, view_from(out_view(&in), at));
		struct cotp_event ev = next(c);
		assert_int_equal(ev.kind, COTP_DATA);
		got += ev.bytes.n;
		assert_int_equal(ev.end, got == 65528);
		cotp_take(c, ev.bytes.n);
	}
	assert_int_equal(got, 65528);
	out_fini(&in);
	cotp_free(&c);
}

static void test_tp_07_size_1024(void **state)
{
	(void)state;
	struct cotp *c = responder(65531);
	feed_hex(c, "0300000e09e000000de000c0010a");
	assert_int_equal(next(c).kind, COTP_CONNECT);
	cotp_accept(c);
	assert_octets(out_view(cotp_out(c)), "0300000e09d00de0047c00c0010a");
	out_drop(cotp_out(c), out_len(cotp_out(c)));
	static const uint8_t big[5000];
	struct view v[3] = {view_of(big, 1000), view_of(big, 21), view_of(big, 3979)};
	cotp_send(c, v, 3, true);
	assert_int_equal(longest_dt(c), 1024);
	assert_int_equal(out_len(cotp_out(c)), 5000 + 5 * 7);
	cotp_free(&c);
	assert_cc(responder(512), "0300000e09e000000de000c0010a",
		  "0300000e09d00de0047c00c00109"); /* lowered */
	assert_cc(responder(8192), "0300000e09e000000de000c0010a", "0300000e09d00de0047c00c0010a");
	assert_cc(responder(8192), "0300000e09e000000de000c00110",
		  "0300000e09d00de0047c00c0010d"); /* over 8192 */
	assert_cc(responder(2048), CR_NEXOR,
		  "0300000e09d00de0047c00c0010b"); /* none proposed, one wanted */
}

static void test_preferred_size(void **state)
{
	(void)state; /* X.224 13.3.4: preferred maximum TPDU size in units of 128; CC answers in
			kind, never more */
	assert_cc(responder(65531), "030000110ce000000de000c0010af0010f",
		  "0300000e09d00de0047c00f0010f");
	assert_cc(responder(65531), "0300000f0ae000000de000f0020400",
		  "0300000f0ad00de0047c00f00201ff");
	assert_cc(responder(1024), "0300000f0ae000000de000f0020400",
		  "0300000e09d00de0047c00f00108");
}

static void test_tp_09_class_4_only(void **state)
{
	(void)state;
	struct cotp *c = responder(65531);
	feed_hex(c, "0300000b06e000000de040");
	assert_fails(c, "cotp: CR proposes class 4 and no class 0; want class 0");
	assert_octets(out_view(cotp_out(c)), "0300000b06800de0000082"); /* DR: negotiation failed */
	cotp_free(&c);
	assert_cc(responder(65531), "0300000e09e000000de040c70100",
		  CC_NEXOR); /* class 0 as alternative */
	assert_cc(responder(65531), "0300000b06e000000de010", CC_NEXOR); /* class 1 implies 0 */
}

static void test_tp_10_refused_tsel(void **state)
{
	(void)state;
	struct cotp *c = responder(65531);
	feed_hex(c, CR_NEXOR);
	assert_int_equal(next(c).kind, COTP_CONNECT);
	cotp_refuse(c, COTP_ADDRESS_UNKNOWN);
	assert_octets(out_view(cotp_out(c)), "0300000b06800de0000003");
	assert_true(cotp_is_closed(c));
	assert_wait(c);
	cotp_free(&c);
	/* The refused side's error names the selectors, in hex and as text. */
	c = cotp_new(&(struct cotp_config){.initiator = true,
					   .send_tsel = true,
					   .called = VIEW("591"),
					   .calling = VIEW("pp\xff"),
					   .tpdu_size = 2048});
	feed_hex(c, "0300000b0680000100000"
		    "3");
	struct cotp_event ev = next(c);
	assert_int_equal(ev.kind, COTP_DISCONNECT);
	assert_int_equal(ev.reason, 3);
	assert_string_equal(
		ev.err.text,
		"cotp: peer disconnected, reason 3 (address unknown), called TSEL 353931 "
		"\"591\", calling TSEL 7070ff \"pp\\xff\"");
	cotp_free(&c);
}

static void test_tp_11_unknown_parameter(void **state)
{
	(void)state;
	assert_cc(responder(65531), "030000110ae000000de000990212345555", CC_NEXOR);
	assert_cc(responder(65531), "0300000f0ae000000de00099021234", CC_NEXOR);
}

/* User data after a CR are not for class 0: skipped, however many, and what follows is read. */
static void test_user_data_of_cr(void **state)
{
	(void)state;
	static const char *const crs[] = {"0300000b06e000000de000", "0300000c06e000000de00055",
					  "0300000d06e000000de0005555"};
	for (size_t i = 0; i < ARRAY_LEN(crs); i++) {
		struct cotp *c = responder(65531);
		feed_hex(c, crs[i]);
		assert_int_equal(next(c).kind, COTP_CONNECT);
		cotp_accept(c);
		feed_hex(c, "0300000802f08041");
		struct cotp_event ev = next(c);
		assert_octets(ev.bytes, "41");
		assert_true(ev.end);
		cotp_free(&c);
	}
}

static void test_tp_12_expedited(void **state)
{
	(void)state; /* X.224 13.3.4: additional options c6, bit 1 expedited; the answer says 0 */
	assert_cc(responder(65531), "0300000e09e000000de000c60101", "0300000e09d00de0047c00c60100");
	assert_cc(responder(65531), "0300000e09e000000de000c60100", CC_NEXOR);
}

static void test_tp_15_tpdu_nr(void **state)
{
	(void)state;
	struct cotp *c = opened();
	feed_hex(c, "0300000802f08141");
	assert_fails(c, "cotp: DT header of 3 octets with TPDU-NR 1, want 3 and 0");
	cotp_free(&c);
	c = opened();
	feed_hex(c, "0300000903f0800041");
	assert_fails(c, "cotp: DT header of 4 octets with TPDU-NR 0, want 3 and 0");
	cotp_free(&c);
}

static void test_tp_16_out_of_state(void **state)
{
	(void)state;
	struct cotp *c = responder(65531);
	feed_hex(c, "0300000802f08041");
	assert_fails(c, "cotp: TPDU 0xf0 (DT) in state WAIT_CR");
	cotp_free(&c);
	c = responder(65531);
	feed_hex(c, CR_NEXOR "0300000802f08041");
	assert_int_equal(next(c).kind, COTP_CONNECT);
	assert_fails(c, "cotp: TPDU 0xf0 (DT) in state ASKED");
	cotp_accept(c); /* too late: nothing happens */
	assert_octets(out_view(cotp_out(c)), "0300000b06800de0000085");
	cotp_free(&c);
	c = opened();
	feed_hex(c, CR_NEXOR);
	assert_fails(c, "cotp: TPDU 0xe0 (CR) in state OPEN");
	assert_int_equal(out_len(cotp_out(c)), 0);
	cotp_free(&c);
	c = cotp_new(&(struct cotp_config){.initiator = true});
	out_drop(cotp_out(c), out_len(cotp_out(c)));
	feed_hex(c, "0300000802f08041");
	assert_fails(c, "cotp: TPDU 0xf0 (DT) in state WAIT_CC");
	cotp_free(&c);
	c = opened();
	feed_hex(c, "0300000a0510800000"
		    "0041"); /* expedited data: not in class 0 */
	assert_fails(c, "cotp: TPDU 0x10 (of no class 0 kind) in state OPEN");
	cotp_free(&c);
}

static void test_tp_17_dr_and_er(void **state)
{
	(void)state;
	struct cotp *c = opened();
	feed_hex(c, "0300000802f00041 0300000b0680047c0de080");
	assert_int_equal(next(c).kind, COTP_DATA);
	cotp_take(c, 1);
	struct cotp_event ev = next(c);
	assert_int_equal(ev.kind, COTP_DISCONNECT);
	assert_string_equal(ev.err.text, "cotp: peer disconnected, reason 128 (normal disconnect)");
	assert_wait(c);
	cotp_free(&c);
	c = opened();
	feed_hex(c, "030000090470047c01");
	ev = next(c);
	assert_int_equal(ev.kind, COTP_DISCONNECT);
	assert_string_equal(ev.err.text, "cotp: peer reports a TPDU error, cause 1");
	cotp_free(&c);
}

static void test_tp_19_rfc2126(void **state)
{
	(void)state; /* RFC 2126 6.4: CC always states a size; 6.5: TPDU-NR is 0 (TP-15) */
	struct cotp *c =
		cotp_new(&(struct cotp_config){.ref = 0x047c, .rfc2126 = true, .tpdu_size = 65531});
	assert_cc(c, CR_NEXOR, "0300000e09d00de0047c00c0010d");
}

static void test_tp_20_tsel_octets(void **state)
{
	(void)state;
	static const uint8_t octets[33] = {0, 0xff, 3, 0, 0xe0};
	static const size_t lengths[] = {0, 1, 32};
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct view tsel = view_of(octets, lengths[i]);
		struct cotp *a = cotp_new(&(struct cotp_config){
			.initiator = true, .send_tsel = true, .calling = tsel, .called = tsel});
		struct cotp *b = responder(65531);
		assert_int_equal(cotp_feed(b, out_view(cotp_out(a))), out_len(cotp_out(a)));
		struct cotp_event ev = next(b);
		assert_true(ev.has_calling && ev.has_called);
		assert_true(view_eq(ev.calling, tsel) && view_eq(ev.called, tsel));
		cotp_free(&a);
		cotp_free(&b);
	}
	struct cotp *c = responder(65531);
	feed_hex(c, "0300000b06e000000de000"); /* absent is not empty */
	struct cotp_event ev = next(c);
	assert_false(ev.has_calling || ev.has_called);
	cotp_free(&c);
	c = responder(65531);
	struct out in = from_hex("0300002e29e000000de000c221");
	out_bytes(&in, view_of(octets, 33));
	cotp_feed(c, out_view(&in));
	assert_fails(c, "cotp: called TSEL of 33 octets, want at most 32");
	out_fini(&in);
	cotp_free(&c);
}

static void test_bad_headers(void **state)
{
	(void)state;
	static const struct {
		const char *hex, *text;
	} cases[] = {
		{"0300000701f080",
		 "cotp: header of 2 octets in a TPDU of 3, want 3..255 and inside"},
		{"0300000703f080",
		 "cotp: header of 4 octets in a TPDU of 3, want 3..255 and inside"},
		{"03000007ff", "cotp: header of 256 octets in a TPDU of 3, want 3..255 and inside"},
		{"0300000702e000", "cotp: TPDU 0xe0 of 3 octets is too short"},
		{"0200000702e000", "tpkt: version 2 length 7, want 3 and 7..65535"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cotp *c = responder(65531);
		feed_hex(c, cases[i].hex);
		assert_fails(c, cases[i].text);
		bool tpkt =
			i < ARRAY_LEN(cases) - 1; /* else not even that: closed without a word */
		assert_octets(out_view(cotp_out(c)), tpkt ? "0300000b0680000000008"
							    "5"
							  : "");
		cotp_free(&c);
	}
}

/* Whole, in chunks, cut: the same events, and never a wrong one. */
static void test_chunks_and_cuts(void **state)
{
	(void)state;
	struct out in = from_hex(
		CR_NEXOR "0300000802f00041 0300000702f000 0300000b02f08042434445 0300000702f080"
			 "0300000b0680047c0de080");
	for (size_t cut = 0; cut <= in.n; cut++)
		for (size_t chunk = 1; chunk < 9; chunk += 2) {
			struct cotp *c = responder(65531);
			struct out text;
			out_init(&text, 1000);
			for (size_t at = 0; at < cut;) {
				size_t n = cut - at < chunk ? cut - at : chunk;
				assert_int_equal(cotp_feed(c, view_of(in.p + at, n)), n);
				at += n;
				struct cotp_event ev;
				enum step step;
				while ((step = cotp_next(c, &ev, NULL)) == STEP_DONE) {
					if (ev.kind == COTP_CONNECT)
						cotp_accept(c);
					if (ev.kind == COTP_DATA) {
						out_bytes(&text, ev.bytes);
						cotp_take(c, ev.bytes.n);
						if (ev.end)
							out_str(&text, ".");
					}
					if (ev.kind == COTP_DISCONNECT)
						out_str(&text, "!");
				}
				assert_int_equal(step, STEP_WAIT);
				cotp_check_state(c);
			}
			size_t got = out_len(&text);
			assert_true(view_eq(out_view(&text), view_first(VIEW("ABCDE..!"), got)));
			if (cut == in.n)
				assert_int_equal(got, 8);
			out_fini(&text);
			cotp_free(&c);
		}
	out_fini(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tp_01_cr_cc),
		cmocka_unit_test(test_initiator_cr),
		cmocka_unit_test(test_cc_checked),
		cmocka_unit_test(test_tp_06_no_size),
		cmocka_unit_test(test_tp_07_size_1024),
		cmocka_unit_test(test_preferred_size),
		cmocka_unit_test(test_tp_09_class_4_only),
		cmocka_unit_test(test_tp_10_refused_tsel),
		cmocka_unit_test(test_tp_11_unknown_parameter),
		cmocka_unit_test(test_user_data_of_cr),
		cmocka_unit_test(test_tp_12_expedited),
		cmocka_unit_test(test_tp_15_tpdu_nr),
		cmocka_unit_test(test_tp_16_out_of_state),
		cmocka_unit_test(test_tp_17_dr_and_er),
		cmocka_unit_test(test_tp_19_rfc2126),
		cmocka_unit_test(test_tp_20_tsel_octets),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_chunks_and_cuts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
