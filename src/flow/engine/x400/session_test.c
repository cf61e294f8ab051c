/* session_test.c - X.225, the cases SS of the conformance list and more. Octets are from the clause
 * named (8.3 for SPDUs, 6.3.7 for concatenation) or from the captures, written out by hand. */
#include "flow/engine/x400/session_private.h"
#include "flow/engine/x400/stack_test.h"

/* CN: options 00, version 2, all tokens with the initiator, units 0249, user data aa bb. */
#define CN_TAIL "1a0100 14020249 c102aabb"
#define CN "0d13 0509 130100 160102 " CN_TAIL
#define AC_TSDU "0e13 0509 130100 160102 1a0100 14020249 c102ccdd"

static struct session_config config_of(enum session_side side)
{
	return (struct session_config){
		.side = side,
		.called_tsel = VIEW("X400-88"),
		.calling_tsel = VIEW("X400-88"),
		.send_tsel = side == SESSION_INITIATOR,
		.tpdu_size = 65531,
		.versions = 3,
		.collect_max = 20000,
		.tsdu_in_max = 0,
		.out_max = 100000,
	};
}

static void feed_raw(struct session *s, const char *hex)
{
	struct out in = from_hex(hex);
	assert_int_equal(session_feed(s, out_view(&in)), in.n);
	out_fini(&in);
}

static void feed_tsdu(struct session *s, const char *hex)
{
	struct out in;
	out_init(&in, 1 << 20);
	add_tsdu_hex(&in, hex);
	assert_int_equal(session_feed(s, out_view(&in)), in.n);
	out_fini(&in);
}

static struct session_event next(struct session *s)
{
	struct session_event ev;
	struct err e = {0};
	enum step step = session_next(s, &ev, &e);
	if (step != STEP_DONE)
		fail_msg("no event: %s", step == STEP_FAIL ? e.text : "waits");
	session_check_state(s);
	return ev;
}

static struct session_event assert_event(struct session *s, enum session_event_kind kind)
{
	struct session_event ev = next(s);
	assert_string_equal(session_event_name(ev.kind), session_event_name(kind));
	return ev;
}

static void assert_waits(struct session *s)
{
	struct session_event ev = {0};
	struct err e = {0};
	enum step step = session_next(s, &ev, &e);
	if (step != STEP_WAIT)
		fail_msg("does not wait: %s",
			 step == STEP_FAIL ? e.text : session_event_name(ev.kind));
}

/* Everything in the output is DT TPDUs: their TSDUs, "|" between, are these; the output is emptied.
 */
static void assert_sent(struct session *s, const char *want_hex)
{
	struct out got;
	out_init(&got, 1 << 20);
	struct view v = out_view(session_out(s));
	while (v.n > 0) {
		size_t n = (size_t)v.p[2] << 8 | v.p[3];
		assert_true(v.p[0] == 3 && v.p[1] == 0 && n >= 7 && n <= v.n && v.p[4] == 2 &&
			    v.p[5] == 0xf0);
		text_hex(&got, view_first(view_from(v, 7), n - 7));
		if (v.p[6] == 0x80)
			out_str(&got, "|");
		v = view_from(v, n);
	}
	struct out want;
	out_init(&want, 1 << 20);
	for (const char *p = want_hex; *p != 0; p++)
		if (*p != ' ')
			out_u8(&want, (uint8_t)*p);
	out_str(&want, want_hex[0] == 0 ? "" : "|");
	assert_string_equal(out_cstr(&got), out_cstr(&want));
	out_fini(&got);
	out_fini(&want);
	out_drop(session_out(s), out_len(session_out(s)));
}

/* The next step fails with this text, and this TSDU (an abort) is what is sent last. */
static void assert_fails(struct session *s, const char *text, const char *sent)
{
	struct session_event ev;
	struct err e = {0};
	enum step step = session_next(s, &ev, &e);
	if (step != STEP_FAIL)
		fail_msg("does not fail with %s", text);
	assert_string_equal(e.text, text);
	assert_int_equal(e.kind, ERR_PEER);
	assert_int_equal(e.culprit, ERR_OF_ASSOCIATION);
	assert_sent(s, sent);
	assert_true(session_wants_close(s));
	session_check_state(s);
	e.text[0] = 0;
	assert_int_equal(session_next(s, &ev, &e), STEP_FAIL);
	assert_string_equal(e.text, text);
}

static struct session *responder_idle(const struct session_config *config)
{
	struct session *s = session_new(config);
	feed_raw(s, "0300000b06e000000de000");
	assert_event(s, SESSION_T_CONNECT);
	session_t_accept(s);
	assert_octets(out_view(session_out(s)), "0300000b06d00de0000100");
	out_drop(session_out(s), out_len(session_out(s)));
	return s;
}

static struct session *responder_with(const struct session_config *config)
{
	struct session *s = responder_idle(config);
	feed_tsdu(s, CN);
	assert_event(s, SESSION_CONNECT);
	assert_true(session_accept(s, VIEW("\xcc\xdd"), NULL));
	assert_sent(s, AC_TSDU);
	assert_true(session_is_open(s));
	assert_false(session_has_turn(s));
	return s;
}

static struct session *responder(void)
{
	struct session_config config = config_of(SESSION_RESPONDER);
	return responder_with(&config);
}

static struct session *initiator_with(const struct session_config *config, const char *ac)
{
	struct session *s = session_new(config);
	assert_true(session_connect(s, VIEW("\xaa\xbb"), NULL));
	feed_raw(s, "0300000b06d00001000200");
	assert_event(s, SESSION_T_CONNECTED);
	feed_tsdu(s, ac);
	assert_event(s, SESSION_ACCEPTED);
	assert_true(session_is_open(s) && session_has_turn(s));
	out_drop(session_out(s), out_len(session_out(s)));
	return s;
}

static struct session *initiator(void)
{
	struct session_config config = config_of(SESSION_INITIATOR);
	return initiator_with(&config, AC_TSDU);
}

/* An activity of the peer is in progress. */
static struct session *responder_in_activity(void)
{
	struct session *s = responder();
	feed_tsdu(s, "0100 2d05 2903 020101");
	struct session_event ev = assert_event(s, SESSION_ACTIVITY_START);
	assert_octets(ev.activity, "020101");
	return s;
}

static struct session *initiator_in_activity(void)
{
	struct session *s = initiator();
	assert_true(session_activity_start(s, VIEW("\2\1\1"), NULL));
	assert_sent(s, "0100 2d052903020101");
	return s;
}

/* ---- connect ---- */

static void test_connect_confirm(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_INITIATOR);
	config.user_ref = VIEW("\x04\x02vm");
	config.common_ref = VIEW("\x17\x02zz");
	config.send_ssel = true;
	config.called_ssel = VIEW("\xff\xfe");
	struct session *s = session_new(&config);
	assert_octets(out_view(session_out(s)),
		      "0300001d18e00000000100c107583430302d3838c207583430302d3838");
	out_drop(session_out(s), out_len(session_out(s)));
	assert_true(session_connect(s, VIEW("\xaa\xbb"), NULL));
	assert_false(session_connect(s, VIEW("\xaa\xbb"), NULL)); /* once */
	assert_waits(s);
	feed_raw(s, "0300000b06d00001000200");
	assert_event(s, SESSION_T_CONNECTED);
	assert_sent(s, "0d27 010c 0a0404 02766d 0b0417027a7a 0509130100 160103 1a0100 14020249 "
		       "3300 3402fffe c102aabb");
	feed_tsdu(s,
		  "0e1c 0106 09041402766d 0509130100 160102 1a0100 14020249 3400 c101cc"); /* order
											      and 34
											      00 as
											      PP */
	struct session_event ev = assert_event(s, SESSION_ACCEPTED);
	assert_octets(ev.bytes, "cc");
	assert_octets(ev.user_ref, "1402766d");
	assert_int_equal(ev.called_ssel.n, 0);
	assert_int_equal(session_version(s), 2);
	session_free(&s);
}

static void test_ss_02_units_missing(void **state)
{
	(void)state;
	static const char *const units[] = {"0209", "0049", "0241", "0248", "0000"};
	struct session_config config = config_of(SESSION_RESPONDER);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct session *s = responder_idle(&config);
		char cn[200], text[200];
		snprintf(cn, sizeof cn, "0d0f 0509 130100 160102 1a0100 1402%s", units[i]);
		snprintf(text, sizeof text,
			 "session: CONNECT offers functional units %s, want 0249 among them",
			 units[i]);
		feed_tsdu(s, cn);
		assert_fails(s, text, "0c0a 110101 14020249 320185"); /* 128 + 5 */
		session_free(&s);
	}
}

static void test_ss_03_all_units(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(s, "0d0f 0509 130100 160102 1a0100 1402ffff");
	assert_event(s, SESSION_CONNECT);
	assert_true(session_accept(s, (struct view){0}, NULL));
	assert_sent(s, "0e0f 0509130100160102 1a0100 14020249");
	session_free(&s);
	s = responder_idle(&config); /* absent: the default has the four (8.3.1.16) */
	feed_tsdu(s, "0d0b 0509 130100 160102 1a0100");
	assert_event(s, SESSION_CONNECT);
	session_free(&s);
}

static void add_octets(struct out *o, uint8_t octet, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_u8(o, octet);
}

static void feed_tsdu_octets(struct session *s, struct out *tsdu)
{
	struct out tpdu = from_hex("02f080"), in;
	out_init(&in, 1 << 20);
	out_bytes(&tpdu, out_view(tsdu));
	add_tpkt(&in, out_view(&tpdu));
	assert_int_equal(session_feed(s, out_view(&in)), in.n);
	out_fini(&tpdu);
	out_fini(&in);
	out_fini(tsdu);
}

static void test_ss_04_version_1(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	struct out cn = from_hex("0dff0213 0509 130100 160101 1a0100 14020249 c1ff0200");
	add_octets(&cn, 0x55, 512);
	cn.p[3] = 0x13;
	feed_tsdu_octets(s, &cn);
	struct session_event ev = assert_event(s, SESSION_CONNECT);
	assert_int_equal(ev.bytes.n, 512);
	assert_int_equal(ev.versions, 1);
	struct err e = {0};
	static const uint8_t zeroes[513];
	assert_false(session_accept(s, view_of(zeroes, 513), &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_true(session_accept(s, VIEW("\xcc"), NULL));
	assert_sent(s, "0e12 0509130100160101 1a0100 14020249 c101cc");
	assert_int_equal(session_version(s), 1);
	session_free(&s);
	s = responder_idle(&config); /* no PI 22 is version 1 */
	feed_tsdu(s, "0d04 14020249");
	assert_int_equal(assert_event(s, SESSION_CONNECT).versions, 1);
	session_free(&s);
	config.versions = 2;
	s = responder_idle(&config);
	feed_tsdu(s, "0d0f 0509 130100 160101 1a0100 14020249");
	assert_fails(s, "session: CONNECT offers versions 01, want one of 02",
		     "0c0a 110101 14020249 320184");
	session_free(&s);
}

static void test_ss_05_extended_user_data(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	struct out cn = from_hex("0dff0397 0509 130100 160102 1a0100 14020249 c2ff0384");
	add_octets(&cn, 0x66, 900);
	feed_tsdu_octets(s, &cn);
	struct session_event ev = assert_event(s, SESSION_CONNECT);
	assert_int_equal(ev.bytes.n, 900);
	assert_int_equal(ev.bytes.p[899], 0x66);
	session_free(&s);
	/* The same from us: 194 over 512 octets, and then only version 2 is offered. */
	config = config_of(SESSION_INITIATOR);
	s = session_new(&config);
	static const uint8_t zeroes[10241];
	assert_false(session_connect(s, view_of(zeroes, 10241), NULL));
	assert_true(session_connect(s, view_of(zeroes, 900), NULL));
	feed_raw(s, "0300000b06d00001000200");
	out_drop(session_out(s), out_len(session_out(s)));
	assert_event(s, SESSION_T_CONNECTED);
	assert_octets(view_first(view_from(out_view(session_out(s)), 7), 23),
		      "0dff0397 0509130100160102 1a0100 14020249 c2ff0384");
	session_free(&s);
}

static void test_ss_07_long_li(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	struct out cn = from_hex("0dff0110 0509 130100 160102 1a0100 14020249 c1fd"); /* 272 */
	add_octets(&cn, 0x11, 253);
	cn.p[cn.head + 2] = 0x01;
	cn.p[cn.head + 3] = 0x0e; /* 11 + 4 + 2 + 253 = 270 */
	feed_tsdu_octets(s, &cn);
	assert_int_equal(assert_event(s, SESSION_CONNECT).bytes.n, 253);
	session_free(&s);
	s = responder_idle(&config);
	cn = from_hex("0dff0110 0509 130100 160102 1a0100 14020249 c1fe");
	add_octets(&cn, 0x11, 254);
	cn.p[cn.head + 3] = 0x0f;
	feed_tsdu_octets(s, &cn);
	assert_int_equal(assert_event(s, SESSION_CONNECT).bytes.n, 254);
	session_free(&s);
	s = responder_in_activity(); /* long form of a short length */
	feed_tsdu(s, "0100 31ff0003 2a0131");
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC).serial, 1);
	feed_tsdu(s, "0100 31ff0005 2aff000132");
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC).serial, 2);
	session_free(&s);
	s = responder(); /* 272, exactly as the case has it */
	struct out fn = from_hex("09ff0110 110101 c1ff0109");
	add_octets(&fn, 0x77, 265);
	feed_tsdu_octets(s, &fn);
	assert_int_equal(assert_event(s, SESSION_RELEASE).bytes.n, 265);
	session_free(&s);
}

static void test_ss_08_li_over_tsdu(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(s, "0d20 0509 130100 160102 1a0100");
	assert_fails(s, "session: CONNECT with length 32, and 11 octets left in its TSDU",
		     "190e 110105 3109 0d2005091301001601");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0100 31ff0040 2a0131");
	assert_fails(s, "session: MINOR SYNC POINT with length 64, and 3 octets left in its TSDU",
		     "190c 110105 3107 31ff00402a0131");
	session_free(&s);
	s = responder(); /* a parameter longer than its SPDU */
	feed_tsdu(s, "0905 1101 01 c109");
	assert_fails(s, "session: FINISH: parameter 193 is longer than its field of 5 octets",
		     "190c 110105 3107 0905110101c109");
	session_free(&s);
}

static void test_ss_09_unknown_parameters(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(
		s,
		"0d1d 0509 130100 160102 1a0100 14020249 7702aaaa 7804 01020304 c102aabb"); /* A.4.3.1.1
											     */
	assert_octets(assert_event(s, SESSION_CONNECT).bytes, "aabb");
	session_free(&s);
}

static void test_ss_10_out_of_order(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(s, "0d13 c102aabb 14020249 0509 1a0100 160102 130100");
	struct session_event ev = assert_event(s, SESSION_CONNECT);
	assert_octets(ev.bytes, "aabb");
	assert_int_equal(ev.versions, 2);
	assert_true(session_accept(s, VIEW("\xcc\xdd"), NULL));
	assert_sent(s, AC_TSDU); /* ascending */
	session_free(&s);
}

static void test_parameter_lengths(void **state)
{
	(void)state;
	static const struct {
		const char *cn, *text;
	} cases[] = {
		{"0d05 1403024900",
		 "session: CONNECT: functional units (PI 20) of 3 octets, want 2..2"},
		{"0d06 0504 16020200",
		 "session: CONNECT: version number (PI 22) of 2 octets, want 1..1"},
	};
	struct session_config config = config_of(SESSION_RESPONDER);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct session *s = responder_idle(&config);
		struct session_event ev;
		struct err e = {0};
		feed_tsdu(s, cases[i].cn);
		assert_int_equal(session_next(s, &ev, &e), STEP_FAIL);
		assert_string_equal(e.text, cases[i].text);
		session_free(&s);
	}
	struct session *s = responder_idle(&config); /* a parameter without value is absent */
	feed_tsdu(s, "0d0f 0509 130100 160102 1a0100 1400 3400");
	assert_event(s, SESSION_CONNECT);
	session_free(&s);
}

static void test_overflow_refused(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(s, "0d16 0509 130100 160102 1a0100 14020249 3c0101 c102aabb");
	assert_fails(s,
		     "session: CONNECT announces more than 10240 octets of user data (PI 60), want "
		     "no more",
		     "0c0a 110101 14020249 320186");
	session_free(&s);
	s = responder();
	feed_tsdu(s, "0f03 190103"); /* CDO */
	assert_fails(s,
		     "session: CONNECT DATA OVERFLOW in state DATA (data transfer, with or without "
		     "an activity)",
		     "190a 110105 3105 0f03190103");
	session_free(&s);
	config = config_of(SESSION_INITIATOR);
	s = session_new(&config);
	assert_true(session_connect(s, VIEW("\xaa"), NULL));
	feed_raw(s, "0300000b06d00001000200");
	assert_event(s, SESSION_T_CONNECTED);
	out_drop(session_out(s), out_len(session_out(s)));
	feed_tsdu(s, "1003 160102"); /* OA */
	assert_fails(s, "session: OVERFLOW ACCEPT in state CN_SENT (waits for ACCEPT or REFUSE)",
		     "190a 110105 3105 1003160102");
	session_free(&s);
}

static void test_refused(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(s, CN);
	assert_event(s, SESSION_CONNECT);
	assert_true(session_refuse(s, 129, (struct view){0}, NULL)); /* session selector unknown */
	assert_sent(s, "0c0a 110101 14020249 320181");
	assert_true(session_wants_close(s));
	assert_waits(s);
	session_free(&s);
	config = config_of(SESSION_INITIATOR);
	config.send_ssel = true;
	config.called_ssel = VIEW("\xff\xfe");
	s = session_new(&config);
	assert_true(session_connect(s, VIEW("\xaa"), NULL));
	feed_raw(s, "0300000b06d00001000200");
	assert_event(s, SESSION_T_CONNECTED);
	feed_tsdu(s, "0c06 110101 320181");
	struct session_event ev = assert_event(s, SESSION_REFUSED);
	assert_int_equal(ev.reason, 129);
	assert_string_equal(
		ev.err.text,
		"session: peer refused, reason 129 (session selector unknown), called SSEL fffe "
		"\"\\xff\\xfe\"");
	assert_true(session_wants_close(s));
	assert_waits(s);
	session_free(&s);
}

/* ---- transport ---- */

static void test_unknown_tsel_is_the_users(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = session_new(&config);
	feed_raw(s, "0300001613e000000de000c20358595ac10441424344");
	feed_raw(s, "");
	struct session_event ev;
	assert_int_equal(session_next(s, &ev, NULL),
			 STEP_FAIL); /* LI and TPKT disagree: not this one */
	session_free(&s);
	s = session_new(&config);
	feed_raw(s, "0300001611e000000de000c20358595ac10441424344");
	ev = next(s);
	assert_int_equal(ev.kind, SESSION_T_CONNECT);
	assert_true(view_eq(ev.called_tsel, VIEW("XYZ")) && ev.has_called_tsel);
	assert_true(view_eq(ev.calling_tsel, VIEW("ABCD")) && ev.has_calling_tsel);
	session_t_refuse(s, 3);
	assert_octets(out_view(session_out(s)), "0300000b06800de0000003");
	assert_true(session_wants_close(s));
	assert_waits(s);
	session_free(&s);
}

static void test_tp_14_long_tsdu(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	config.tsdu_in_max = 5u << 20;
	for (unsigned over = 0; over < 2; over++) {
		struct session *s = responder_with(&config);
		feed_tsdu(s, "0100 2d05 2903 020101");
		assert_event(s, SESSION_ACTIVITY_START);
		struct out tpdu = from_hex("0300f00002f000"); /* 60 KiB TPKTs */
		add_octets(&tpdu, 0x42, 0xf000 - 7);
		struct session_event ev;
		struct err e = {0};
		uint64_t got = 0;
		enum step step = STEP_WAIT;
		for (size_t sent = 0; step == STEP_WAIT && sent < (4u + 2 * over) << 20;) {
			bool first = sent == 0;
			if (first)
				memcpy(tpdu.p + 7, "\1\0\1\0", 4);
			else
				memset(tpdu.p + 7, 0x42, 4);
			for (size_t at = 0; at < tpdu.n && step == STEP_WAIT;) {
				at += session_feed(
					s, view_first(view_from(out_view(&tpdu), at), 16384));
				while ((step = session_next(s, &ev, &e)) == STEP_DONE) {
					assert_int_equal(ev.kind, SESSION_DATA);
					assert_false(ev.last);
					got += ev.bytes.n;
				}
				assert_in_range(session_buffer_size(s), 0, 70000);
			}
			sent += tpdu.n - 7;
		}
		if (over == 0) {
			feed_raw(s, "0300000802f08043");
			ev = next(s);
			assert_true(ev.last && ev.bytes.n == 1);
			assert_in_range(got, 4u << 20, (4u << 20) + 65536);
		} else {
			assert_int_equal(step, STEP_FAIL);
			assert_string_equal(
				e.text, "session: a DATA SSDU is over the limit of 5242880 octets");
			assert_sent(s, "1903 110111"); /* implementation restriction */
		}
		out_fini(&tpdu);
		session_free(&s);
	}
}

static void test_collect_limit(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	config.collect_max = 100;
	struct session *s = responder_idle(&config);
	struct out tpdu = from_hex("0300006e 02f000 0dff0400");
	add_octets(&tpdu, 0, 99);
	assert_int_equal(session_feed(s, out_view(&tpdu)), tpdu.n);
	assert_fails(s, "session: an SPDU that is collected whole is over the limit of 100 octets",
		     "1903 110111");
	out_fini(&tpdu);
	session_free(&s);
	s = responder_idle(&config);
	tpdu = from_hex("0300006e 02f080 0d65");
	add_octets(&tpdu, 0, 101);
	assert_int_equal(session_feed(s, out_view(&tpdu)), tpdu.n);
	assert_fails(s, "session: an SPDU that is collected whole is over the limit of 100 octets",
		     "1903 110111");
	out_fini(&tpdu);
	session_free(&s);
}

static void test_tp_17_dr_in_a_transfer(void **state)
{
	(void)state;
	struct session *s = initiator_in_activity();
	assert_true(session_data_begin(s, NULL));
	session_data_bytes(s, VIEW("abc"));
	feed_raw(s, "0300000b068000010002"
		    "80");
	struct session_event ev = assert_event(s, SESSION_P_ABORT);
	assert_string_equal(ev.err.text, "cotp: peer disconnected, reason 128 (normal disconnect)");
	assert_int_equal(ev.err.kind, ERR_PEER);
	assert_true(session_wants_close(s));
	session_data_bytes(s, VIEW("abc")); /* too late, and harmless */
	session_data_end(s);
	assert_waits(s);
	assert_int_equal(out_len(session_out(s)), 0);
	session_free(&s);
	s = responder_in_activity();
	feed_raw(s, "0300000904700001"
		    "01");
	assert_event(s, SESSION_P_ABORT);
	session_free(&s);
}

/* ---- concatenation ---- */

static void test_ss_12_gt_dt(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	feed_tsdu(s, "0100 0100 01020304");
	struct session_event ev = assert_event(s, SESSION_DATA);
	assert_octets(ev.bytes, "01020304");
	assert_true(ev.last);
	assert_waits(s);
	feed_tsdu(s, "0100 0100"); /* nothing in it */
	ev = assert_event(s, SESSION_DATA);
	assert_true(ev.last && ev.bytes.n == 0);
	feed_tsdu(s, "0100 0104 7702 aaaa 55"); /* an unknown parameter in DT */
	assert_octets(assert_event(s, SESSION_DATA).bytes, "55");
	session_free(&s);
}

static void test_ss_13_first_01_is_gt(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	feed_tsdu(s, "0100 414243");
	assert_fails(s, "session: SPDU with SI 65, which X.225 does not have",
		     "1908 110105 3103 414243");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0100"); /* an empty GIVE TOKENS alone says nothing */
	assert_waits(s);
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0200 0100 4142"); /* DT wants GT */
	assert_fails(s, "session: DATA TRANSFER after PLEASE TOKENS, want it after GIVE TOKENS",
		     "1909 110105 3104 01004142");
	session_free(&s);
}

static void test_ss_14_end_or_major_sync(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	feed_tsdu(s, "0100 29032a0131");
	assert_int_equal(assert_event(s, SESSION_ACTIVITY_END).serial, 1);
	assert_true(session_activity_end_response(s, NULL));
	assert_sent(s, "0200 2a032a0131"); /* capture */
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0100 2906 0f0101 2a0131");
	assert_fails(s,
		     "session: MAJOR SYNC POINT in state DATA (data transfer, with or without an "
		     "activity)",
		     "190d 110105 3108 29060f01012a0131");
	session_free(&s);
}

static void test_ss_15_leads(void **state)
{
	(void)state;
	struct session *s = initiator_in_activity();
	uint32_t serial;
	assert_true(session_minor_sync(s, &serial, NULL));
	assert_sent(s, "0100 31032a0131");
	feed_tsdu(s, "0200 32032a0131");
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC_CONFIRM).serial, 1);
	assert_true(session_minor_sync(s, &serial, NULL));
	assert_sent(s, "0100 31032a0132");
	feed_tsdu(s, "0100 32032a0132");
	assert_fails(s, "session: MINOR SYNC ACK after GIVE TOKENS, want it after PLEASE TOKENS",
		     "190a 110105 3105 32032a0132");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "31032a0131");
	assert_fails(
		s, "session: MINOR SYNC POINT stands first in its TSDU, want it after GIVE TOKENS",
		"190a 110105 3105 31032a0131");
	session_free(&s);
	s = responder();
	feed_tsdu(s, "0100 0900");
	assert_fails(s, "session: FINISH stands second in its TSDU, want it alone",
		     "1907 110105 3102 0900");
	session_free(&s);
	s = responder();
	feed_tsdu(s, "0903110101 00");
	assert_fails(s, "session: FINISH is followed by 1 octets, want it alone",
		     "190b 110105 3106 090311010100");
	session_free(&s);
}

static void test_ss_17_three_spdus(void **state)
{
	(void)state;
	struct session *s = responder();
	feed_tsdu(s, "0100 2d05 2903 020101 0100 6162");
	assert_fails(s, "session: ACTIVITY START is followed by 4 octets, want no third SPDU",
		     "1909 110105 3104 01006162");
	session_free(&s);
}

/* The initiator has given the turn away, and the peer has an activity. */
static struct session *initiator_served(void)
{
	struct session *s = initiator();
	assert_true(session_control_give(s, NULL));
	assert_sent(s, "1500");
	assert_false(session_has_turn(s));
	feed_tsdu(s, "1600");
	feed_tsdu(s, "0100 2d05 2903 020101");
	assert_event(s, SESSION_ACTIVITY_START);
	return s;
}

static void test_ss_18_token_after_category_2(void **state)
{
	(void)state;
	struct session *s = initiator_served();
	feed_tsdu(s, "0103 100101 31032a0131"); /* the data token with a minor sync point */
	assert_event(s, SESSION_MINOR_SYNC);
	assert_int_equal(assert_event(s, SESSION_TOKENS_GIVE).tokens, 0x01);
	assert_waits(s);
	session_free(&s);
	s = initiator_served();
	feed_tsdu(s, "0103 100115 0100 6162"); /* all with DATA */
	assert_octets(assert_event(s, SESSION_DATA).bytes, "6162");
	assert_false(session_has_turn(s));
	feed_raw(s, ""); /* what is fed meanwhile must not hurt */
	assert_int_equal(assert_event(s, SESSION_TOKENS_GIVE).tokens, 0x15);
	assert_true(session_has_turn(s));
	session_free(&s);
	s = initiator_in_activity(); /* PLEASE TOKENS with its user data after MINOR SYNC ACK */
	uint32_t serial;
	assert_true(session_minor_sync(s, &serial, NULL));
	feed_tsdu(s, "0208 100115 c103020105 32032a0131");
	assert_event(s, SESSION_MINOR_SYNC_CONFIRM);
	feed_tsdu(s, "0208 100115 c103020107");
	assert_octets(assert_event(s, SESSION_TOKENS_PLEASE).bytes, "020105");
	assert_octets(assert_event(s, SESSION_TOKENS_PLEASE).bytes, "020107");
	session_free(&s);
}

/* ---- sync points ---- */

static void test_ss_19_wrong_serial(void **state)
{
	(void)state;
	static const struct {
		const char *tsdu, *text, *sent;
	} cases[] = {
		{"0100 31032a0135", "session: MINOR SYNC POINT with serial number 5, want 1",
		 "190a 110105 3105 31032a0135"},
		{"0100 29032a0132", "session: ACTIVITY END with serial number 2, want 1",
		 "190a 110105 3105 29032a0132"},
		{"0100 31032a0141",
		 "session: MINOR SYNC POINT with serial number \"A\", want 1 to 6 digits",
		 "190a 110105 3105 31032a0141"},
		{"0100 3100", "session: MINOR SYNC POINT without serial number (PI 42)",
		 "1907 110105 3102 3100"},
		{"0200 32032a0131", "session: MINOR SYNC ACK with serial number 1, want 1..0",
		 "190a 110105 3105 32032a0131"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct session *s = responder_in_activity();
		feed_tsdu(s, cases[i].tsdu);
		assert_fails(s, cases[i].text, cases[i].sent);
		session_free(&s);
	}
	struct session *s = initiator_in_activity();
	assert_true(session_activity_end(s, NULL));
	assert_sent(s, "0100 29032a0131");
	feed_tsdu(s, "0200 2a032a0132");
	assert_fails(s, "session: ACTIVITY END ACK with serial number 2, want 1",
		     "190a 110105 3105 2a032a0132");
	session_free(&s);
}

static void test_ss_20_last_serial(void **state)
{
	(void)state;
	struct session *s = responder();
	feed_tsdu(s, "0100 1d14 210d 2903020101 2a06393939393937 2903020102");
	struct session_event ev = assert_event(s, SESSION_ACTIVITY_RESUME);
	assert_int_equal(ev.from.serial, 999997);
	assert_octets(ev.from.old_activity, "020101");
	assert_octets(ev.activity, "020102");
	assert_int_equal(ev.from.user_ref.n + ev.from.common_ref.n + ev.from.additional_ref.n, 0);
	feed_tsdu(s, "0100 3108 2a06393939393938");
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC).serial, 999998);
	assert_true(session_minor_sync_response(s, 999998, NULL));
	assert_sent(s, "0200 3208 2a06393939393938");
	feed_tsdu(s, "0100 3108 2a06393939393939");
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC).serial, 999999);
	feed_tsdu(s, "0100 3109 2a0731303030303030");
	assert_fails(s, "session: MINOR SYNC POINT: serial number (PI 42) of 7 octets, want 1..6",
		     "190e 110105 3109 31092a073130303030");
	session_free(&s);
	s = responder();
	feed_tsdu(s, "0200 1d14 210d 2903020101 2a06393939393939 2903020102"); /* PT lead: accepted
										  too */
	assert_fails(s,
		     "session: ACTIVITY RESUME at serial number 999999, want one that has a next",
		     "190e 110105 3109 1d14210d2903020101");
	session_free(&s);
	s = initiator_in_activity(); /* ours: a minor sync point leaves the last number to ACTIVITY
					END */
	s->next_serial = s->low_serial = 999998;
	uint32_t serial;
	struct err e = {0};
	assert_true(session_minor_sync(s, &serial, NULL));
	assert_false(session_minor_sync(s, &serial, &e));
	assert_string_equal(e.text, "session: sync point number 999999, want at most 999998");
	assert_true(session_activity_end(s, NULL));
	assert_sent(s, "0100 3108 2a06393939393938 | 0100 2908 2a06393939393939");
	session_check_state(s);
	session_free(&s);
}

static void test_window(void **state)
{
	(void)state; /* PP: four outstanding, the last confirmed after ACTIVITY END (pp-checkpoints)
		      */
	struct session *s = initiator_in_activity();
	uint32_t serial;
	for (unsigned i = 1; i <= 4; i++) {
		assert_true(session_minor_sync(s, &serial, NULL));
		assert_int_equal(serial, i);
	}
	feed_tsdu(s, "0200 32032a0132"); /* 2 confirms 1 as well */
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC_CONFIRM).serial, 2);
	assert_true(session_activity_end(s, NULL));
	feed_tsdu(s, "0200 32032a0134");
	assert_int_equal(assert_event(s, SESSION_MINOR_SYNC_CONFIRM).serial, 4);
	feed_tsdu(s, "0200 2a032a0135");
	assert_int_equal(assert_event(s, SESSION_ACTIVITY_END_CONFIRM).serial, 5);
	assert_true(session_activity_start(s, VIEW("\2\1\2"), NULL)); /* counts from 1 again */
	assert_true(session_minor_sync(s, &serial, NULL));
	assert_int_equal(serial, 1);
	session_free(&s);
	s = initiator_in_activity();
	assert_true(session_minor_sync(s, &serial, NULL));
	assert_true(session_activity_end(s, NULL));
	out_drop(session_out(s), out_len(session_out(s)));
	feed_tsdu(s, "0200 32032a0132"); /* ACTIVITY END's own number */
	assert_fails(s, "session: MINOR SYNC ACK with serial number 2, want 1..1",
		     "190a 110105 3105 32032a0132");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0100 3106 0f0101 2a0131"); /* no confirmation asked */
	assert_false(assert_event(s, SESSION_MINOR_SYNC).explicit_ack);
	feed_tsdu(s, "0100 31032a0132");
	assert_true(assert_event(s, SESSION_MINOR_SYNC).explicit_ack);
	feed_tsdu(s, "0100 29032a0133");
	assert_event(s, SESSION_ACTIVITY_END);
	assert_true(session_minor_sync_response(s, 2, NULL));
	assert_false(session_minor_sync_response(s, 2, NULL));
	assert_false(session_minor_sync_response(s, 3, NULL));
	assert_true(session_activity_end_response(s, NULL));
	assert_sent(s, "0200 32032a0132 | 0200 2a032a0133");
	session_free(&s);
}

/* ---- release ---- */

static void test_ss_22_finish_without_pi_17(void **state)
{
	(void)state;
	struct session *s = responder();
	feed_tsdu(s, "0904 c1026869");
	assert_octets(assert_event(s, SESSION_RELEASE).bytes, "6869");
	assert_true(session_release_response(s, VIEW("\x61"), NULL));
	assert_sent(s, "0a03 c10161");
	assert_true(session_wants_close(s)); /* 8.3.6.3: the transport connection is released */
	session_free(&s);
}

static void test_ss_23_finish(void **state)
{
	(void)state; /* capture: FN 09 13 11 01 01 c1 0e ..., DN 0a 10 c1 0e ..., then the initiator
			closes */
	struct session *s = responder();
	feed_tsdu(s, "0913 110101 c10e 610c300a020101a0056203800100");
	assert_octets(assert_event(s, SESSION_RELEASE).bytes, "610c300a020101a0056203800100");
	assert_true(session_release_response(s, VIEW("\x61\x0c\x30\x0a\2\1\1\xa0\5\x63\3\x80\1\0"),
					     NULL));
	assert_sent(s, "0a10c10e610c300a020101a0056303800100");
	assert_false(session_wants_close(s));
	assert_waits(s);
	feed_raw(s, "0300000b0680000142ff80"); /* PP: DR, then close */
	assert_waits(s);
	assert_true(session_wants_close(s));
	session_free(&s);
	s = initiator();
	assert_true(session_release(s, VIEW("\x61\x0c\x30\x0a\2\1\1\xa0\5\x62\3\x80\1\0"), NULL));
	assert_sent(s, "0913110101c10e610c300a020101a0056203800100");
	feed_tsdu(s, "0a10c10e610c300a020101a0056303800100");
	assert_octets(assert_event(s, SESSION_RELEASED).bytes, "610c300a020101a0056303800100");
	assert_true(session_wants_close(s));
	assert_false(session_is_open(s));
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0903110101");
	assert_fails(s, "session: FINISH in state DATA, but an activity is in progress",
		     "190a 110105 3105 0903110101");
	session_free(&s);
}

/* ---- trouble ---- */

static void start_data(struct session *s, size_t n)
{
	static const uint8_t zeroes[20000];
	assert_true(n <= sizeof zeroes);
	assert_true(session_data_begin(s, NULL));
	session_data_bytes(s, view_of(zeroes, n));
}

static void test_ss_24_exception_stops_sender(void **state)
{
	(void)state;
	static const char *const reports[] = {"0200 3003 320101", "0200 0000"}; /* ED, ER */
	for (unsigned i = 0; i < 4; i++) {
		struct session *s = initiator_in_activity();
		uint32_t serial;
		assert_true(session_minor_sync(s, &serial, NULL));
		start_data(s, 10000);
		assert_true(session_data_room(s) > 0);
		feed_tsdu(s, reports[i % 2]);
		assert_int_equal(assert_event(s, SESSION_EXCEPTION).reason, i % 2 == 0 ? 1 : 0);
		assert_int_equal(session_data_room(s), 0);
		size_t before = out_len(session_out(s));
		session_data_bytes(s, VIEW("more"));
		session_data_end(s);
		assert_int_equal(out_len(session_out(s)), before);
		assert_false(session_minor_sync(s, &serial, NULL));
		out_drop(session_out(s), before);
		if (i < 2) {
			assert_true(session_activity_discard(s, 0, NULL));
			feed_tsdu(s, "0200 3a00");
			assert_event(s, SESSION_ACTIVITY_DISCARD_CONFIRM);
		} else {
			assert_true(session_activity_interrupt(s, 5, NULL));
			feed_tsdu(s, "0200 1a00");
			assert_event(s, SESSION_ACTIVITY_INTERRUPT_CONFIRM);
		}
		struct view v = out_view(session_out(s)); /* the open TSDU is ended first */
		assert_true(v.p[6] == 0x80);
		size_t tpkt = (size_t)v.p[2] << 8 | v.p[3];
		assert_octets(view_from(v, tpkt), i < 2 ? "0300000e02f0800100 3903320100"
							: "0300000e02f0800100 1903320105");
		assert_true(session_activity_start(s, VIEW("\2\1\2"), NULL));
		assert_true(session_data_begin(s, NULL));
		session_free(&s);
	}
}

static void test_exception_reported(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	feed_raw(s, "0300000c02f000 0100010061");
	struct session_event ev = assert_event(s, SESSION_DATA);
	assert_false(ev.last);
	assert_true(session_exception_report(s, 1, NULL));
	assert_sent(s, "0200 3003320101");
	feed_raw(s, "0300000802f08062"); /* the rest, and all that comes until the sender has heard:
					    dropped */
	feed_tsdu(s, "0100 31032a0131");
	feed_tsdu(s, "0100 0100 6364");
	feed_tsdu(s, "0100 29032a0132");
	assert_waits(s);
	feed_tsdu(s, "0100 3903 320101");
	assert_int_equal(assert_event(s, SESSION_ACTIVITY_DISCARD).reason, 1);
	assert_true(session_activity_discard_response(s, NULL));
	assert_sent(s, "0200 3a00");
	feed_tsdu(s, "0100 2d05 2903 020102");
	assert_event(s, SESSION_ACTIVITY_START);
	feed_tsdu(s, "0100 0100 6364");
	assert_octets(assert_event(s, SESSION_DATA).bytes, "6364");
	feed_tsdu(s, "0100 29032a0131");
	assert_event(s, SESSION_ACTIVITY_END);
	assert_true(session_exception_report(s, 5, NULL)); /* in place of ACTIVITY END ACK */
	assert_sent(s, "0200 3003320105");
	feed_tsdu(s, "0100 1903 320100");
	assert_int_equal(assert_event(s, SESSION_ACTIVITY_INTERRUPT).reason, 0);
	assert_true(session_activity_interrupt_response(s, NULL));
	assert_sent(s, "0200 1a00");
	session_free(&s);
}

static void test_end_answered_by_exception(void **state)
{
	(void)state;
	struct session *s = initiator_in_activity();
	assert_true(session_activity_end(s, NULL));
	assert_sent(s, "0100 29032a0131");
	feed_tsdu(s, "0200 3003320101");
	assert_event(s, SESSION_EXCEPTION);
	assert_true(session_activity_discard(s, 0, NULL));
	assert_sent(s, "0100 3903320100");
	feed_tsdu(s, "0200 3a00");
	assert_event(s, SESSION_ACTIVITY_DISCARD_CONFIRM);
	session_free(&s);
	s = initiator_in_activity(); /* what crosses ACTIVITY DISCARD is dropped */
	uint32_t serial;
	assert_true(session_minor_sync(s, &serial, NULL));
	assert_true(session_activity_end(s, NULL));
	assert_true(session_activity_discard(s, 0, NULL));
	feed_tsdu(s, "0200 32032a0131");
	feed_tsdu(s, "0200 2a032a0132");
	feed_tsdu(s, "0200 3003320101");
	feed_tsdu(s, "0203 100115");
	assert_waits(s);
	feed_tsdu(s, "0200 3a00");
	assert_event(s, SESSION_ACTIVITY_DISCARD_CONFIRM);
	session_free(&s);
}

static void test_aborts(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	feed_tsdu(
		s,
		"1907 110103 c1026869"); /* 25 alone is ABORT, after GT it is ACTIVITY INTERRUPT */
	assert_octets(assert_event(s, SESSION_U_ABORT).bytes, "6869");
	assert_true(session_wants_close(s));
	assert_waits(s);
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "190a 110105 310529032a0131");
	assert_string_equal(assert_event(s, SESSION_P_ABORT).err.text,
			    "session: peer's provider aborted: protocol error (PI 17 05), "
			    "reflected octets \"29032a0131\"");
	session_free(&s);
	s = responder();
	feed_tsdu(s, "1903 110109");
	assert_string_equal(
		assert_event(s, SESSION_P_ABORT).err.text,
		"session: peer's provider aborted: no reason (PI 17 09), reflected octets \"\"");
	session_free(&s);
	s = responder(); /* PI 17 is mandatory */
	feed_tsdu(s, "1900");
	assert_fails(s, "session: ABORT without transport disconnect (PI 17)",
		     "1907 110105 3102 1900");
	session_free(&s);
	s = responder(); /* AA answers an AB, and there was none */
	feed_tsdu(s, "1a00");
	assert_fails(
		s,
		"session: ABORT ACCEPT in state DATA (data transfer, with or without an activity)",
		"1907 110105 3102 1a00");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0200 1a00"); /* AIA without AI */
	assert_fails(s,
		     "session: ACTIVITY INTERRUPT ACK in state DATA (data transfer, with or "
		     "without an activity)",
		     "1907 110105 3102 1a00");
	session_free(&s);
}

static void test_u_abort(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	session_u_abort(s, VIEW("\x61\x62"));
	assert_sent(s, "1907 110103 c1026162");
	assert_true(session_wants_close(s));
	assert_waits(s);
	assert_false(session_activity_end_response(s, NULL));
	session_u_abort(s, VIEW("\x61")); /* twice: nothing more */
	assert_sent(s, "");
	session_free(&s);
	s = initiator_in_activity(); /* in the middle of a TSDU: that ends first */
	start_data(s, 5000);
	session_u_abort(s, (struct view){0});
	struct view v = out_view(session_out(s));
	assert_octets(view_from(v, v.n - 12), "0300000c02f0801903110103");
	assert_int_equal(v.p[(size_t)v.p[2] << 8 | v.p[3]], 3); /* TPKTs join */
	session_free(&s);
	struct session_config config = config_of(SESSION_RESPONDER);
	s = session_new(&config);
	feed_raw(s, "0300000b06e000000de000");
	assert_event(s, SESSION_T_CONNECT);
	session_u_abort(s, VIEW("x"));
	assert_octets(out_view(session_out(s)), "0300000b06800de0000080");
	session_free(&s);
	config.versions = 1; /* version 1 has room for 9 octets */
	s = responder_idle(&config);
	feed_tsdu(s, "0d0f 0509 130100 160101 1a0100 14020249");
	assert_event(s, SESSION_CONNECT);
	session_u_abort(s, VIEW("0123456789"));
	assert_sent(s, "1903 110103");
	session_free(&s);
}

/* ---- turn ---- */

static void test_ss_25_control_give(void **state)
{
	(void)state;
	struct session *s = responder();
	struct err e = {0};
	assert_false(session_activity_start(s, VIEW("\2\1\1"), &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_true(session_tokens_please(s, VIEW("\2\1\5"), NULL));
	assert_sent(s, "0208 100115 c103020105");
	feed_tsdu(s, "1500");
	assert_event(s, SESSION_CONTROL_GIVE);
	assert_sent(s, "1600");
	assert_true(session_has_turn(s));
	assert_true(session_activity_start(s, VIEW("\2\1\1"), NULL));
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "1500");
	assert_fails(s,
		     "session: GIVE TOKENS CONFIRM in state DATA, but an activity is in progress",
		     "1907 110105 3102 1500");
	session_free(&s);
	s = initiator(); /* the turn is ours: the peer cannot give it */
	feed_tsdu(s, "1500");
	assert_fails(s,
		     "session: GIVE TOKENS CONFIRM in state DATA, but its sender does not hold all "
		     "tokens",
		     "1907 110105 3102 1500");
	session_free(&s);
	s = initiator();
	feed_tsdu(s, "0100 2d05 2903 020101");
	assert_fails(
		s, "session: ACTIVITY START in state DATA, but its sender does not hold all tokens",
		"190c 110105 3107 2d052903020101");
	session_free(&s);
	s = initiator();
	feed_tsdu(s, "0103 100101");
	assert_fails(s, "session: GIVE TOKENS of 01, of which 01 are ours",
		     "190a 110105 3105 0103100101");
	session_free(&s);
}

static void test_tokens_with_responder(void **state)
{
	(void)state; /* 8.3.1.11: bits 01 for the three tokens we have: the responder begins */
	struct session_config config = config_of(SESSION_RESPONDER);
	struct session *s = responder_idle(&config);
	feed_tsdu(s, "0d0f 0509 130100 160102 1a0115 14020249");
	assert_event(s, SESSION_CONNECT);
	assert_true(session_accept(s, (struct view){0}, NULL));
	assert_sent(s, "0e0f 0509130100160102 1a0115 14020249");
	assert_true(session_has_turn(s));
	session_free(&s);
}

/* ---- data ---- */

static void test_one_flight(void **state)
{
	(void)state; /* the shape of the capture: start, data, end in one output */
	struct session *s = initiator();
	assert_true(session_activity_start(s, VIEW("\2\1\1"), NULL));
	assert_true(session_data_begin(s, NULL));
	session_data_bytes(s, VIEW("\x61\x80"));
	session_data_bytes(s, VIEW("\x30"));
	session_data_end(s);
	assert_true(session_activity_end(s, NULL));
	assert_octets(out_view(session_out(s)),
		      "0300001002f08001002d052903020101 0300000e02f08001000100618030 "
		      "0300000e02f080010029032a0131");
	session_free(&s);
}

static void test_data_out_of_place(void **state)
{
	(void)state;
	struct session *s = responder();
	feed_tsdu(s, "0100 0100 61");
	assert_fails(s, "session: DATA TRANSFER in state DATA, but no activity is in progress",
		     "1907 110105 3102 0100");
	session_free(&s);
	s = initiator_in_activity();
	feed_tsdu(s, "0100 0100 61");
	assert_fails(
		s,
		"session: DATA TRANSFER in state DATA, but the data token is with the wrong side",
		"1907 110105 3102 0100");
	session_free(&s);
	s = initiator();
	assert_false(session_data_begin(s, NULL));
	assert_int_equal(session_data_room(s), 0);
	session_data_bytes(s, VIEW("x"));
	session_data_end(s);
	assert_sent(s, "");
	session_free(&s);
	s = initiator_in_activity();
	start_data(s, 3);
	assert_false(session_data_begin(s, NULL));
	assert_false(session_activity_end(s, NULL));
	session_free(&s);
}

static void test_data_in_large_parts(void **state)
{
	(void)state;
	static const size_t parts[] = {1, 4095, 4096, 4097, 65536, 3, 200000, 1, 0, 70000};
	static const size_t sizes[] = {128, 2048, 8192, 65531};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct session_config config = config_of(SESSION_INITIATOR);
		config.tpdu_size = sizes[i];
		struct session *s = initiator_with(&config, AC_TSDU);
		assert_true(session_activity_start(s, VIEW("\2\1\1"), NULL));
		out_drop(session_out(s), out_len(session_out(s)));
		struct out all;
		out_init(&all, 1 << 20);
		assert_true(session_data_begin(s, NULL));
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			size_t at = out_len(&all);
			for (size_t m = 0; m < parts[k]; m++)
				out_u8(&all, (uint8_t)(m * 11 + k));
			session_data_bytes(s, view_from(out_view(&all), at));
		}
		session_data_end(s);
		struct out got;
		out_init(&got, 1 << 20);
		size_t tpdus = 0;
		for (struct view v = out_view(session_out(s)); v.n > 0; tpdus++) {
			size_t n = (size_t)v.p[2] << 8 | v.p[3];
			assert_true(n > 7 && n - 4 <= sizes[i]);
			assert_int_equal(v.p[6], n == v.n ? 0x80 : 0);
			out_bytes(&got, view_from(view_first(v, n), 7));
			v = view_from(v, n);
		}
		assert_octets(view_first(out_view(&got), 4), "01000100");
		assert_true(view_eq(view_from(out_view(&got), 4), out_view(&all)));
		assert_true(tpdus <= all.n / (sizes[i] - 3) + 2 + ARRAY_LEN(parts));
		out_fini(&all);
		out_fini(&got);
		session_free(&s);
	}
}

/* ---- segmentation ---- */

#define AC_SEGMENTED "0e19 050f 130100 1504 07f907f9 160102 1a0100 14020249 c102ccdd"

static struct session *segmenting(size_t max)
{
	struct session_config config = config_of(SESSION_INITIATOR);
	config.tsdu_max_in = config.tsdu_max_out = (uint16_t)max;
	char ac[200];
	snprintf(ac, sizeof ac, "0e19 050f 130100 1504 %04zx%04zx 160102 1a0100 14020249 c102ccdd",
		 max, max);
	return initiator_with(&config, ac);
}

static void test_tsdu_max_agreed(void **state)
{
	(void)state; /* capture of PP: 15 04 07f9 07f9 in CN */
	struct session_config config = config_of(SESSION_INITIATOR);
	config.tsdu_max_in = config.tsdu_max_out = 2041;
	struct session *s = session_new(&config);
	assert_true(session_connect(s, VIEW("\xaa\xbb"), NULL));
	feed_raw(s, "0300000b06d00001000200");
	out_drop(session_out(s), out_len(session_out(s)));
	assert_event(s, SESSION_T_CONNECTED);
	assert_sent(s, "0d19 050f 130100 150407f907f9 160103 1a0100 14020249 c102aabb");
	feed_tsdu(s, AC_TSDU); /* not echoed: no segmentation */
	assert_event(s, SESSION_ACCEPTED);
	assert_int_equal(session_tsdu_max_out(s), 0);
	session_free(&s);
	s = initiator_with(&config, AC_SEGMENTED);
	assert_int_equal(session_tsdu_max_out(s), 2041);
	session_free(&s);
	config = config_of(SESSION_RESPONDER);
	s = responder_idle(&config); /* we do not want it */
	feed_tsdu(s, "0d15 050f 130100 150407f907f9 160103 1a0100 14020249");
	assert_event(s, SESSION_CONNECT);
	assert_true(session_accept(s, (struct view){0}, NULL));
	assert_sent(s, "0e0f 0509130100160102 1a0100 14020249");
	session_free(&s);
	config.tsdu_max_in = 1000;
	config.tsdu_max_out = 4000;
	s = responder_idle(&config); /* we do, 1000 to us */
	feed_tsdu(s, "0d15 050f 130100 150407f907f9 160103 1a0100 14020249");
	assert_event(s, SESSION_CONNECT);
	assert_true(session_accept(s, (struct view){0}, NULL));
	assert_sent(s, "0e15 050f130100 150403e807f9 160102 1a0100 14020249");
	assert_int_equal(session_tsdu_max_out(s), 2041);
	session_free(&s);
}

static void test_segments_out(void **state)
{
	(void)state;
	struct session *s = segmenting(64);
	assert_true(session_activity_start(s, VIEW("\2\1\1"), NULL));
	out_drop(session_out(s), out_len(session_out(s)));
	assert_true(session_data_begin(s, NULL));
	session_data_bytes(s, VIEW("\x61"));
	session_data_end(s);
	assert_sent(s, "0100 0103190103 61"); /* whole */
	uint8_t octets[57 * 2 + 1];
	memset(octets, 0x62, sizeof octets);
	assert_true(session_data_begin(s, NULL));
	session_data_bytes(s, view_of(octets, sizeof octets));
	session_data_end(s);
	struct view v = out_view(session_out(s));
	assert_octets(view_first(v, 15), "0300004702f0800100 0103190101 62"); /* 7 + 64 */
	assert_octets(view_first(view_from(v, 71), 15), "0300004702f0800100 0103190100 62");
	assert_octets(view_from(v, 142), "0300000f02f0800100 0103190102 62");
	out_drop(session_out(s), v.n);
	start_data(s, 10000); /* discarded half way: it just stops */
	assert_true(session_activity_discard(s, 0, NULL));
	v = out_view(session_out(s));
	assert_octets(view_from(v, v.n - 14), "0300000e02f0800100 3903320100");
	feed_tsdu(s, "0200 3a00");
	assert_event(s, SESSION_ACTIVITY_DISCARD_CONFIRM);
	out_drop(session_out(s), out_len(session_out(s)));
	assert_true(
		session_release(s, view_of(octets, 60), NULL)); /* 8.4: other SPDUs in version 2 */
	v = out_view(session_out(s));
	assert_octets(view_first(v, 18), "0300003f02f080 0936 110101 190101 c12e 62");
	assert_octets(view_first(view_from(v, 63), 18),
		      "0300001f02f080 0916 110101 190102 c10e 62");
	session_free(&s);
}

static void test_segments_in(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	feed_tsdu(s, "0100 0103190101 6162");
	feed_tsdu(s, "0100 0103190100 63");
	feed_tsdu(s, "0100 0103190100"); /* a segment with nothing in it */
	feed_tsdu(s, "0100 0103190102 64");
	feed_tsdu(s, "0100 0103190103 65");
	static const char *const parts[] = {"6162", "63", "64", "65"};
	for (size_t i = 0; i < 4; i++) {
		struct session_event ev = assert_event(s, SESSION_DATA);
		assert_octets(ev.bytes, parts[i]);
		assert_int_equal(ev.last, i >= 2);
	}
	assert_waits(s);
	feed_tsdu(s, "0100 0103190102 66");
	assert_fails(s, "session: DATA TRANSFER with enclosure item 02, but no SSDU has begun",
		     "190a 110105 3105 0103190102");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0100 0103190101 61");
	assert_event(s, SESSION_DATA);
	feed_tsdu(s, "0100 31032a0131");
	assert_fails(s,
		     "session: MINOR SYNC POINT in state DATA, but a segmented DATA SSDU is open",
		     "190a 110105 3105 31032a0131");
	session_free(&s);
	s = responder_in_activity();
	feed_tsdu(s, "0100 0103190101 61");
	assert_event(s, SESSION_DATA);
	feed_tsdu(s, "0100 0100 61");
	assert_fails(
		s,
		"session: DATA TRANSFER with enclosure item 03, but the SSDU before has not ended",
		"1907 110105 3102 0100");
	session_free(&s);
	s = responder_in_activity(); /* ACTIVITY DISCARD ends a half SSDU */
	feed_tsdu(s, "0100 0103190101 61");
	assert_event(s, SESSION_DATA);
	feed_tsdu(s, "0100 3903 320100");
	assert_event(s, SESSION_ACTIVITY_DISCARD);
	assert_true(session_activity_discard_response(s, NULL));
	feed_tsdu(s, "0100 2d05 2903 020101");
	assert_event(s, SESSION_ACTIVITY_START);
	feed_tsdu(s, "0100 0100 61");
	assert_true(assert_event(s, SESSION_DATA).last);
	session_free(&s);
}

static void test_segmented_finish_in(void **state)
{
	(void)state;
	struct session *s = responder();
	feed_tsdu(s, "090a 110101 190101 c1026162");
	assert_waits(s);
	feed_tsdu(s, "0906 190100 c10163");
	assert_waits(s);
	feed_tsdu(s, "0906 190102 c10164");
	assert_octets(assert_event(s, SESSION_RELEASE).bytes, "61626364");
	assert_true(session_release_response(s, (struct view){0}, NULL));
	assert_sent(s, "0a00");
	assert_false(session_wants_close(s)); /* PI 17 was in the first one */
	session_free(&s);
	s = responder();
	feed_tsdu(s, "0907 190101 c1026162");
	feed_tsdu(s, "0100 2d05 2903 020101");
	assert_fails(s, "session: ACTIVITY START inside a segmented FINISH",
		     "190c 110105 3107 2d052903020101");
	session_free(&s);
	s = responder();
	feed_tsdu(s, "0907 190101 c1026162");
	feed_tsdu(s, "1903 110109");
	assert_event(s, SESSION_P_ABORT);
	session_free(&s);
}

static void test_limits_to_the_octet(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	config.tsdu_in_max = 5;
	config.collect_max = 64;
	struct session *s = responder_with(&config);
	feed_tsdu(s, "0100 2d05 2903 020101");
	assert_event(s, SESSION_ACTIVITY_START);
	feed_tsdu(s, "0100 0100 6162636465");
	assert_event(s, SESSION_DATA);
	feed_tsdu(s, "0100 0103190101 616263"); /* counted over all segments */
	assert_event(s, SESSION_DATA);
	feed_tsdu(s, "0100 0103190102 646566");
	assert_fails(s, "session: a DATA SSDU is over the limit of 5 octets", "1903 110111");
	session_free(&s);
	s = responder_with(&config); /* user data of a segmented FINISH: 32, 32, 1 */
	const char *thirty_two = "6161616161616161616161616161616161616161616161616161616161616161";
	char hex[200];
	for (unsigned i = 0; i < 2; i++) {
		snprintf(hex, sizeof hex, "0925 19010%u c120 %s", i == 0 ? 1 : 0, thirty_two);
		feed_tsdu(s, hex);
		assert_waits(s);
	}
	feed_tsdu(s, "0906 190102 c10161");
	assert_fails(s, "session: segmented FINISH is over the limit of 64 octets",
		     "190d 110105 3108 0906190102c10161");
	session_free(&s);
	session_free(&s); /* NULL is fine */
	config = config_of(SESSION_RESPONDER);
	s = session_new(&config);
	assert_int_equal(session_version(s), 0);
	assert_string_equal(session_state_name(s), "TRANSPORT");
	session_free(&s);
}

/* ---- memory and back-pressure ---- */

static void test_idle_memory(void **state)
{
	(void)state;
	struct session *s = responder_in_activity();
	struct out tpdu = from_hex("0300c35702f000 01000100");
	add_octets(&tpdu, 0x42, 50000 - 4);
	assert_int_equal(session_feed(s, out_view(&tpdu)), tpdu.n);
	assert_event(s, SESSION_DATA);
	assert_waits(s);
	assert_in_range(session_buffer_size(s), 50000, 70000);
	feed_raw(s, "0300000802f08061");
	assert_event(s, SESSION_DATA);
	feed_tsdu(s, "0100 29032a0131");
	assert_event(s, SESSION_ACTIVITY_END);
	assert_true(session_activity_end_response(s, NULL));
	assert_sent(s, "0200 2a032a0131");
	assert_waits(s);
	assert_in_range(session_buffer_size(s), 0, 2048); /* idle: next to nothing */
	assert_in_range(sizeof *s, 0, 8192);
	out_fini(&tpdu);
	session_free(&s);
}

static void test_back_pressure(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_RESPONDER);
	config.buf_max = 4096;
	struct session *s = responder_with(&config);
	feed_tsdu(s, "0100 2d05 2903 020101");
	assert_event(s, SESSION_ACTIVITY_START);
	struct out tpdu = from_hex("0300c35702f080 01000100");
	add_octets(&tpdu, 0x42, 50000 - 4);
	size_t at = 0, got = 0;
	bool last = false;
	while (!last) {
		size_t n = session_feed(s, view_from(out_view(&tpdu), at));
		at += n;
		assert_int_equal(session_feed(s, view_from(out_view(&tpdu), at)),
				 0); /* full, or all fed */
		struct session_event ev =
			assert_event(s, SESSION_DATA); /* full and WAIT together would be a hang */
		got += ev.bytes.n;
		last = ev.last;
	}
	assert_int_equal(got, 50000 - 4);
	assert_int_equal(at, tpdu.n);
	out_fini(&tpdu);
	size_t room; /* read without a copy */
	uint8_t *p = session_space(s, 1000, &room);
	assert_true(p != NULL && room >= 1000);
	struct out in;
	out_init(&in, 100);
	add_tsdu_hex(&in, "0100 29032a0131");
	memcpy(p, in.p, in.n);
	session_filled(s, in.n);
	assert_event(s, SESSION_ACTIVITY_END);
	out_fini(&in);
	session_free(&s);
}

static void test_out_room(void **state)
{
	(void)state;
	struct session_config config = config_of(SESSION_INITIATOR);
	config.out_max = 10000;
	struct session *s = initiator_with(&config, AC_TSDU);
	assert_true(session_activity_start(s, VIEW("\2\1\1"), NULL));
	out_drop(session_out(s), out_len(session_out(s)));
	assert_true(session_data_begin(s, NULL));
	size_t room = session_data_room(s);
	assert_in_range(room, 9000, 10000);
	static const uint8_t zeroes[20000];
	session_data_bytes(s, view_of(zeroes, room));
	assert_in_range(session_data_room(s), 0, 10);
	session_data_bytes(s,
			   view_of(zeroes, sizeof zeroes)); /* the limit is the caller's courtesy */
	assert_int_equal(session_data_room(s), 0);
	out_drop(session_out(s), out_len(session_out(s)));
	assert_in_range(session_data_room(s), 5000, 10000);
	session_data_end(s);
	session_free(&s);
}

/* 10^6 inputs: random octets, and real SPDUs with some octets changed. Every view lies inside the
 * input. */
static void test_ss_27_random_octets(void **state)
{
	(void)state;
	static const char *const seeds[] = {
		CN,
		AC_TSDU,
		"0913110101c10e610c300a020101a0056203800100",
		"1d14210d29030201012a06393939393937",
		"31032a0131",
		"190e1101053109310320010531092a01",
		"010319010361626364",
		"0100010061626364",
	};
	struct out from[ARRAY_LEN(seeds)];
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++)
		from[i] = from_hex(seeds[i]);
	uint64_t x = 88172645463325252u;
	unsigned parsed = 0, refused = 0;
	for (unsigned round = 0; round < 1000000; round++) {
		uint8_t octets[64];
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		const struct out *seed = &from[x % ARRAY_LEN(seeds)];
		size_t n = seed->n < sizeof octets ? seed->n : sizeof octets;
		memcpy(octets, seed->p, n);
		for (unsigned k = 0; k < 1 + round % 3; k++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			octets[(x >> 8) % n] = (uint8_t)x;
		}
		n -= (x >> 40) % (round % 2 == 0 ? 1 : n);
		struct view v = view_of(octets, n);
		struct spdu p;
		struct data_head h = {0};
		struct err e = {0};
		if (spdu_parse(v, (enum spdu_lead)(round % 3), &p, &e)) {
			assert_true(p.raw.p == octets && p.raw.n >= 2 && p.raw.n <= n);
			for (unsigned i = 0; i < PARAM_COUNT; i++)
				if (p.param[i].n > 0)
					assert_true(p.param[i].p > octets &&
						    p.param[i].p + p.param[i].n <= octets + n);
			parsed++;
		} else {
			assert_true(e.kind == ERR_PEER && strlen(e.text) > 10);
			refused++;
		}
		if (spdu_data_head(v, true, &h) == HEAD_DATA)
			assert_true(h.n >= 4 && h.n <= n);
	}
	assert_true(parsed > 10000 && refused > 10000);
	for (size_t i = 0; i < ARRAY_LEN(seeds); i++)
		out_fini(&from[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_confirm),
		cmocka_unit_test(test_ss_02_units_missing),
		cmocka_unit_test(test_ss_03_all_units),
		cmocka_unit_test(test_ss_04_version_1),
		cmocka_unit_test(test_ss_05_extended_user_data),
		cmocka_unit_test(test_ss_07_long_li),
		cmocka_unit_test(test_ss_08_li_over_tsdu),
		cmocka_unit_test(test_ss_09_unknown_parameters),
		cmocka_unit_test(test_ss_10_out_of_order),
		cmocka_unit_test(test_parameter_lengths),
		cmocka_unit_test(test_overflow_refused),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown_tsel_is_the_users),
		cmocka_unit_test(test_tp_14_long_tsdu),
		cmocka_unit_test(test_collect_limit),
		cmocka_unit_test(test_tp_17_dr_in_a_transfer),
		cmocka_unit_test(test_ss_12_gt_dt),
		cmocka_unit_test(test_ss_13_first_01_is_gt),
		cmocka_unit_test(test_ss_14_end_or_major_sync),
		cmocka_unit_test(test_ss_15_leads),
		cmocka_unit_test(test_ss_17_three_spdus),
		cmocka_unit_test(test_ss_18_token_after_category_2),
		cmocka_unit_test(test_ss_19_wrong_serial),
		cmocka_unit_test(test_ss_20_last_serial),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_ss_22_finish_without_pi_17),
		cmocka_unit_test(test_ss_23_finish),
		cmocka_unit_test(test_ss_24_exception_stops_sender),
		cmocka_unit_test(test_exception_reported),
		cmocka_unit_test(test_end_answered_by_exception),
		cmocka_unit_test(test_aborts),
		cmocka_unit_test(test_u_abort),
		cmocka_unit_test(test_ss_25_control_give),
		cmocka_unit_test(test_tokens_with_responder),
		cmocka_unit_test(test_ss_27_random_octets),
		cmocka_unit_test(test_one_flight),
		cmocka_unit_test(test_data_out_of_place),
		cmocka_unit_test(test_data_in_large_parts),
		cmocka_unit_test(test_tsdu_max_agreed),
		cmocka_unit_test(test_segments_out),
		cmocka_unit_test(test_segments_in),
		cmocka_unit_test(test_segmented_finish_in),
		cmocka_unit_test(test_limits_to_the_octet),
		cmocka_unit_test(test_idle_memory),
		cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_out_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
