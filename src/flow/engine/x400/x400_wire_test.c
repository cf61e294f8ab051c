/* x400_wire_test.c - peers that behave in ways of their own, written octet by octet above COTP: what the facts tell of
 * other implementations, and what the standards forbid. SPDUs after X.225 8.3, PPDUs after X.226 8.5. */
#include "flow/engine/x400/wire_test.h"

/* The calling side of a Nexor bind (x400-ping-success.pcap), written out: MTA-I and its password "pi". */
#define CR "03000014 0f e0 0000 1234 00 c0010d c10161 c20162"
#define CONTEXTS \
	"a4(30(020101 0604 52010001 30(0602 5101))30(020103 0604 5600020c 30(0602 5101))30(020105 0604 56000207 30(0602 5101)))"
#define ARGUMENT "b0(a1(80(4d54412d49) a1(16(7069))))"
#define RTORQ_OF(open) "b0(800101 a3(a0(" open ")))"
#define AARQ_OF(rtorq) "60(a1(0604 56000106) be(28(0602 5101 020103 a0(" rtorq "))))"
#define CP_OF(aarq) "31(a0(800101) a2(" CONTEXTS "61(30(020101 a0(" aarq ")))))"
#define CN_OF(cp) "0d[05[130100 160102 1a0100] 1402 0249 c1[" cp "]]"
#define CN CN_OF(CP_OF(AARQ_OF(RTORQ_OF(ARGUMENT))))

/* The called side. */
#define RESULT "b1(a1(80(4d54412d52) a1(04(7072))))"
#define RTOAC_OF(sizes, open) "b1(" sizes " a2(a0(" open ")))"
#define AARE_OF(result, diagnostic, apdu) \
	"61(a1(0604 56000106) a2(0201" result ") a3(a1(0201" diagnostic ")) be(28(0602 5101 020103 a0(" apdu "))))"
#define RESULTS "a5(30(800100 81025101)30(800100 81025101)30(800100 81025101))"
#define CPA_OF(aare) "31(a0(800101) a2(" RESULTS "61(30(020101 a0(" aare ")))))"
#define AC_OF(cpa) "0e[05[130100 160102] 1402 0249 c1[" cpa "]]"
#define RF_OF(cpr) "0c[110101 1402 0249 160102 32[02" cpr "]]"
#define CPR_OF(aare) "30(" RESULTS "61(30(020101 a0(" aare "))))"

#define AS "0100 2d(29(020101))"
#define AE "0100 29(2a(31))"
#define DT(data) "0100 0100" data
#define RTTR(octets) "61(30(020103 a0(04(" octets "))))"
#define ABORT_OF(ppdu) "19[110103 c1[" ppdu "]]"
#define ARU_OF(abrt) "a0(a0(30(020101 0602 5101)30(020103 0602 5101)) 61(30(020101 a0(" abrt "))))"
#define ABRT_OF(rtab) "64(800100 be(28(0602 5101 020103 a0(" rtab "))))"

static void start_responder(struct user *u)
{
	const struct x400_config c = config_of(SESSION_RESPONDER);
	user_init(u, &c);
	user_feed_hex(u, CR);
}

static void bound_responder(struct user *u)
{
	start_responder(u);
	say(u, CN);
	if (u->count[X400_ENDED] > 0)
		fail_msg("%s", u->last[X400_ENDED].err.text);
	assert_string_equal(x400_state_name(u->x), "bound");
}

static void start_initiator(struct user *u, unsigned checkpoint)
{
	struct x400_config c = config_of(SESSION_INITIATOR);
	c.checkpoint_size = checkpoint;
	user_init(u, &c);
	const struct view cr = out_view(x400_out(u->x));
	char cc[64];
	snprintf(cc, sizeof cc, "0300000e 09 d0 %02x%02x 4711 00 c0010c", cr.p[8], cr.p[9]);
	user_feed_hex(u, cc);
}

static void bound_initiator(struct user *u, unsigned checkpoint)
{
	start_initiator(u, checkpoint);
	say(u, AC_OF(CPA_OF(AARE_OF("00", "00", RTOAC_OF("800101", RESULT)))));
	if (u->count[X400_BOUND] != 1)
		fail_msg("%s", u->last[X400_ENDED].err.text);
}

/* --- binds --- */

static void test_bind_written_by_hand(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	assert_string_equal(u.peer_name, "MTA-I");
	assert_string_equal(u.peer_password, "pi");
	user_fini(&u);
	bound_initiator(&u, 1);
	assert_string_equal(u.peer_name, "MTA-R");
	assert_string_equal(u.peer_password, "pr");
	assert_int_equal(u.last[X400_BOUND].peer.form, X400_PASSWORD_OCTETS);
	user_fini(&u);
}

static void test_pa_02_ids_of_the_peer_are_used(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u);
	say(&u, CN_OF("31(a0(800101) a2(a4(30(020107 0604 56000207 30(0602 5101))30(020109 0604 52010001 30(0602 5101))"
		      "30(02010b 0604 5600020c 30(0602 5101))) 61(30(020109 a0(" AARQ_OF(RTORQ_OF(ARGUMENT)) ")))))"));
	assert_int_equal(u.count[X400_BIND], 1);
	assert_int_equal(x400_transfer_context(u.x), 7);
	say(&u, AS);
	say(&u, DT("61(30(02010b a0(0403 414243)))"));
	say(&u, AE);
	assert_int_equal(u.octets, 3);
	assert_last_sent(&u, "0200 2a(2a(31))");
	/* And in the answer to the release. */
	say(&u, "09(110101 c1(61(30(020109 a0(6203 800100)))))");
	assert_last_sent(&u, "0a(c1(61(30(020109 a0(6303 800100)))))");
	user_fini(&u);
}

static void test_pa_12_p7_to_the_p1_port(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u);
	say(&u, CN_OF(CP_OF("60(a1(0604 5600010b) be(28(0602 5101 020103 a0(" RTORQ_OF(ARGUMENT) "))))")));
	assert_int_equal(u.count[X400_BIND], 0);
	assert_ended(&u, "2.6.0.1.11");
	drain(&u);
	assert_int_equal(tsdus_that_begin(&u.sent, "0c"), 1);
	const struct view aare = octets_of(a, "61(30(020101 a0(61(a1(0604 56000106) a2(020101) a3(a1(020102))))))");
	const struct view sent = out_view(&u.sent);
	assert_true(sent.n > aare.n);
	assert_memory_equal(sent.p + sent.n - aare.n, aare.p, aare.n);
	user_fini(&u);
}

static void test_binds_that_cannot_be_read(void **state)
{
	(void)state;
	static const struct { const char *cn, *says; } rows[] = {
		{ CN_OF("0500"), "presentation: " },
		{ CN_OF("31(a0(800100))"), "X.410 mode and has no parameters" },
		{ CN_OF("31(a0(800100) a1(a3(a0(0500)) 840103))"), "application protocol 3" },
		{ CN_OF("31(a0(800102) a1(a3(a0(0500))))"), "mode 2" },
		{ CN_OF(CP_OF("60(a1(0604 56000106))")), "rtse: no APDU" },
		{ CN_OF(CP_OF(AARQ_OF("b1(a2(a0(0500)))"))), "rtse: another APDU" },
		{ CN_OF(CP_OF(AARQ_OF(RTORQ_OF("b0(a2(0500))")))), "mta bind: " },
		{ CN_OF(CP_OF(AARQ_OF(RTORQ_OF("0500")))), "mta bind: " },
		{ CN_OF(CP_OF(AARQ_OF(RTORQ_OF("b0(a1(800143 a1(a0(3000))))")))), "strong credentials" },
		{ CN_OF(CP_OF("61(a1(0604 56000106))")), "acse: " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_responder(&u);
		say(&u, rows[i].cn);
		assert_int_equal(u.count[X400_BIND], 0);
		assert_ended(&u, rows[i].says);
		assert_int_equal(u.last[X400_ENDED].err.kind, ERR_PEER);
		drain(&u);
		assert_int_equal(tsdus_that_begin(&u.sent, "0c"), 1); /* refused, not dropped */
		user_fini(&u);
	}
}

/* Strong credentials are answered with authentication-error. */
static void test_strong_credentials_are_answered(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u);
	say(&u, CN_OF(CP_OF(AARQ_OF(RTORQ_OF("b0(a1(800143 a1(a0(3000))))")))));
	drain(&u);
	const struct view want = octets_of(a, "b2(a1(b2(020102)))"), sent = out_view(&u.sent);
	assert_memory_equal(sent.p + sent.n - want.n, want.p, want.n);
	user_fini(&u);
}

static void test_refusals_in_every_form(void **state)
{
	(void)state;
	static const struct { const char *rf; int error; enum err_kind kind; const char *says; } rows[] = {
		{ RF_OF(CPR_OF(AARE_OF("01", "01", "b2(a1(b2(020102)))"))), 2, ERR_PEER, "authentication-error" },
		{ RF_OF(CPR_OF(AARE_OF("01", "01", "b2(a1(020102))"))), 2, ERR_PEER, "authentication-error" }, /* PP: bare */
		{ RF_OF(CPR_OF(AARE_OF("01", "01", "b2(a1(020100))"))), 0, ERR_TEMP, "busy" },
		{ RF_OF(CPR_OF(AARE_OF("01", "01", "b2(a1(020163))"))), 0x63, ERR_PEER, "error 99" },
		{ RF_OF(CPR_OF(AARE_OF("02", "01", "b2()"))), -1, ERR_TEMP, "result 2" },
		{ RF_OF(CPR_OF("61(a1(0604 56000106) a2(020101) a3(a2(020102)))")), -1, ERR_PEER, "diagnostic 2 of the provider" },
		{ RF_OF("30(8a0101)"), -1, ERR_PEER, "normal mode by the provider, reason 1" },
		{ RF_OF("31(800101)"), -1, ERR_PEER, "X.410" },
		{ RF_OF("0500"), -1, ERR_PEER, "presentation: " },
		{ RF_OF(""), -1, ERR_TEMP, "no user data" },
		{ "0c(110101 320101)", -1, ERR_TEMP, "session: " },
		{ "0c(110101)", -1, ERR_TEMP, "session: " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_initiator(&u, 1);
		say(&u, rows[i].rf);
		assert_int_equal(u.count[X400_BIND_REFUSED], 1);
		const struct x400_event *ev = &u.last[X400_BIND_REFUSED];
		assert_int_equal(ev->bind_error, rows[i].error);
		if (ev->err.kind != rows[i].kind || strstr(ev->err.text, rows[i].says) == NULL)
			fail_msg("row %zu: kind %d, %s", i, (int)ev->err.kind, ev->err.text);
		assert_int_equal(u.count[X400_ENDED], 0);
		user_fini(&u);
	}
}

static void test_acceptances_that_cannot_be_used(void **state)
{
	(void)state;
	static const struct { const char *ac, *says; } rows[] = {
		{ AC_OF("0500"), "presentation: " },
		{ AC_OF(CPA_OF(AARE_OF("01", "01", RTOAC_OF("", RESULT)))), "acse: rejected" },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", "b2(a1(020100))"))), "rtse: another APDU" },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", RTOAC_OF("", "b1(a2(0500))")))), "mta bind: " },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", RTOAC_OF("", "0500")))), "mta bind: " },
		{ AC_OF("31(a0(800101) a2(a5(30(800100 81025101)30(800102 820101)30(800100 81025101))"
			"61(30(020101 a0(" AARE_OF("00", "00", RTOAC_OF("", RESULT)) ")))))"), "context 3 rejected" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_initiator(&u, 1);
		say(&u, rows[i].ac);
		assert_int_equal(u.count[X400_BOUND], 0);
		assert_ended(&u, rows[i].says);
		drain(&u);
		assert_int_equal(tsdus_that_begin(&u.sent, "19"), 1);
		user_fini(&u);
	}
}

/* Q189754: a window of 5 answered to 3; and an answer without sizes, and without user data. */
static void test_answers_of_other_sizes(void **state)
{
	(void)state;
	static const struct { const char *ac; unsigned checkpoint, window; bool present; } rows[] = {
		{ AC_OF(CPA_OF(AARE_OF("00", "00", RTOAC_OF("800101 810105", RESULT)))), 1, 3, true },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", RTOAC_OF("810102", RESULT)))), 0, 2, true },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", RTOAC_OF("", "b1(0500)")))), 0, 3, false },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", "b1(a2(8000))"))), 0, 3, false },
		{ AC_OF(CPA_OF(AARE_OF("00", "00", "b1(a2(a0(" RESULT ")) 810101 800102)"))), 1, 1, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_initiator(&u, 1);
		say(&u, rows[i].ac);
		if (u.count[X400_BOUND] != 1)
			fail_msg("row %zu: %s", i, u.last[X400_ENDED].err.text);
		assert_int_equal(u.last[X400_BOUND].checkpoint_size, rows[i].checkpoint);
		assert_int_equal(u.last[X400_BOUND].window, rows[i].window);
		assert_int_equal(u.last[X400_BOUND].peer.present, rows[i].present);
		user_fini(&u);
	}
}

/* --- transfers --- */

/* Q246302: a large first segment, then small ones. */
static void test_rt_08_k246302_segments_of_different_sizes(void **state)
{
	(void)state;
	struct user u;
	struct out dt;
	bound_responder(&u);
	say(&u, AS);
	uint64_t total = 0;
	static const size_t sizes[] = { 65536, 1024, 1024, 1, 3000, 1024 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		out_init(&dt, 1 << 20);
		out_bytes(&dt, octets_of(a, "0100 0100"));
		rtse_segment_header(3, sizes[i], &dt);
		for (size_t k = 0; k < sizes[i]; k++)
			out_u8(&dt, octet_at(total++));
		feed_tsdu(&u, out_view(&dt), 8000);
		out_fini(&dt);
		if (i + 1 < ARRAY_LEN(sizes)) {
			char mip[40];
			snprintf(mip, sizeof mip, "0100 31(2a(3%zu))", i + 1);
			say(&u, mip);
			snprintf(mip, sizeof mip, "0200 32(2a(3%zu))", i + 1);
			assert_last_sent(&u, mip);
		}
	}
	say(&u, "0100 29(2a(36))");
	assert_received(&u, total);
	assert_last_sent(&u, "0200 2a(2a(36))");
	user_fini(&u);
}

/* ISODE has one more out than its window. */
static void test_four_minor_syncs_with_a_window_of_three(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	u.hold_confirm = true;
	say(&u, AS);
	for (char i = '1'; i <= '4'; i++) {
		char mip[40];
		say(&u, DT(RTTR("41")));
		snprintf(mip, sizeof mip, "0100 31(2a(3%c))", i);
		say(&u, mip);
	}
	assert_int_equal(u.count[X400_TRANSFER_CHECKPOINT], 4);
	assert_int_equal(u.count[X400_ENDED], 0);
	x400_checkpoint_confirm(u.x, 4);
	assert_last_sent(&u, "0200 32(2a(34))");
	say(&u, DT(RTTR("41")));
	say(&u, "0100 29(2a(35))");
	assert_int_equal(u.octets, 5);
	assert_last_sent(&u, "0200 2a(2a(35))");
	user_fini(&u);
}

static void test_pa_06_and_07_and_rt_11_forms_of_data(void **state)
{
	(void)state;
	static const char *const forms[] = {
		DT(RTTR("010203")),
		DT("61(30(020103 81(0403 010203)))"),
		DT("6180 3080 020103 a080 2480 0402 0102 0401 03 0000 0000 0000 0000"),
		DT("61(30(0602 5101 020103 a0(24(24(24(0401 01) 0401 02) 0401 03))))"),
	};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct user u;
		bound_responder(&u);
		say(&u, AS);
		say(&u, forms[i]);
		say(&u, AE);
		assert_true(view_eq(out_view(&u.received), VIEW("\x01\x02\x03")));
		assert_last_sent(&u, "0200 2a(2a(31))");
		user_fini(&u);
	}
}

static void test_pa_10_data_in_an_unknown_context(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	say(&u, AS);
	say(&u, DT("61(30(020109 a0(0401 41)))"));
	assert_ended(&u, "context 9 is not in the defined context set");
	assert_last_sent(&u, "19(110103 c1(30(800106 810107)))"); /* user abort with ARP */
	user_fini(&u);
}

static void test_data_that_are_no_rttr(void **state)
{
	(void)state;
	static const struct { const char *dt, *says; } rows[] = {
		{ DT("61(30(020103 a0(0201 41)))"), "no RTTR" },
		{ DT("61(30(020105 a0(0401 41)))"), "not RTSE's" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		bound_responder(&u);
		say(&u, AS);
		say(&u, rows[i].dt);
		assert_ended(&u, rows[i].says);
		assert_last_sent(&u, ABORT_OF(ARU_OF(ABRT_OF("b6(800104)")))); /* RTAB protocolError */
		user_fini(&u);
	}
}

static void test_value_that_ends_after_its_ssdu_k196852(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	say(&u, AS);
	say(&u, DT("610c 300a 020103 a005 0403 0102"));
	assert_int_equal(u.count[X400_ENDED], 0); /* it may be discarded yet */
	say(&u, AE);
	assert_ended(&u, "end inside the value");
	user_fini(&u);
}

/* X.228 8.8, and x400-stack.md 5: an ACTIVITY RESUME of what is not kept is answered with RTAB unrecognizedActivity (2). */
static void test_rt_18_resume_of_what_is_not_kept(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	say(&u, "0100 1d(21(29(020105) 2a(31)) 29(020106))");
	assert_ended(&u, "resumes an activity");
	assert_last_sent(&u, ABORT_OF(ARU_OF(ABRT_OF("b6(800102)"))));
	user_fini(&u);
}

static void test_interrupted_and_discarded_by_the_sender(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	say(&u, AS);
	say(&u, DT(RTTR("4142")));
	say(&u, "0100 19(320100)"); /* AI */
	assert_int_equal(u.count[X400_TRANSFER_INTERRUPTED], 1);
	assert_last_sent(&u, "0200 1a()");
	say(&u, "0100 2d(29(020102))");
	say(&u, DT(RTTR("43")));
	say(&u, "0100 39(320100)"); /* AD */
	assert_int_equal(u.count[X400_TRANSFER_ABORTED], 1);
	assert_last_sent(&u, "0200 3a()");
	say(&u, "0100 2d(29(020103))");
	say(&u, DT(RTTR("44")));
	say(&u, AE);
	assert_true(view_eq(out_view(&u.received), VIEW("D")));
	assert_last_sent(&u, "0200 2a(2a(31))");
	user_fini(&u);
}

/* While part of an SSDU is being handed up nothing is taken: its octets are still in use. */
static void test_nothing_is_taken_while_a_part_is_in_use(void **state)
{
	(void)state;
	struct user u;
	struct x400_event ev;
	struct out o;
	bound_responder(&u);
	say(&u, AS);
	out_init(&o, 1 << 10);
	add_tsdu_hex(&o, "01000100 6114 3012 020103 a00d 240b 0402 4142 0405 4344454647");
	assert_int_equal(x400_feed(u.x, out_view(&o), u.now), out_len(&o));
	assert_int_equal(x400_next(u.x, &ev, u.now), STEP_DONE);
	assert_int_equal(ev.kind, X400_TRANSFER_DATA);
	assert_true(view_eq(ev.bytes, VIEW("AB")));
	assert_int_equal(x400_feed(u.x, VIEW("\x03"), u.now), 0);
	assert_true(view_eq(ev.bytes, VIEW("AB")));
	assert_int_equal(x400_next(u.x, &ev, u.now), STEP_DONE);
	assert_true(view_eq(ev.bytes, VIEW("CDEFG")));
	assert_int_equal(x400_next(u.x, &ev, u.now), STEP_WAIT);
	assert_int_equal(x400_feed(u.x, VIEW("\x03"), u.now), 1);
	out_fini(&o);
	user_fini(&u);
}

static void test_confirming_twice_or_too_much_says_nothing(void **state)
{
	(void)state;
	struct user u;
	bound_responder(&u);
	u.hold_confirm = u.hold_end = true;
	say(&u, AS);
	say(&u, DT(RTTR("41")));
	say(&u, "0100 31(2a(31))");
	drain(&u);
	x400_checkpoint_confirm(u.x, 2);
	assert_int_equal(out_len(x400_out(u.x)), 0);
	x400_checkpoint_confirm(u.x, 1);
	assert_last_sent(&u, "0200 32(2a(31))");
	x400_checkpoint_confirm(u.x, 1);
	assert_int_equal(out_len(x400_out(u.x)), 0);
	/* After the end of the activity it may still be said, and after its answer not any more. */
	say(&u, DT(RTTR("42")));
	say(&u, "0100 31(2a(32))");
	say(&u, DT(RTTR("43")));
	say(&u, "0100 29(2a(33))");
	x400_checkpoint_confirm(u.x, 2);
	assert_last_sent(&u, "0200 32(2a(32))");
	struct err e;
	assert_true(x400_transfer_accept(u.x, &e));
	drain(&u);
	x400_checkpoint_confirm(u.x, 2);
	assert_int_equal(out_len(x400_out(u.x)), 0);
	assert_int_equal(u.count[X400_ENDED], 0);
	user_fini(&u);
}

/* --- release, abort --- */

static void test_pa_15_release_for_any_reason(void **state)
{
	(void)state;
	static const char *const rlrq[] = { "62(800100)", "62(800101)", "62(80011e)", "62(80017f)", "6200", "0500" };
	for (size_t i = 0; i < ARRAY_LEN(rlrq); i++) {
		struct user u;
		char fn[120];
		bound_responder(&u);
		snprintf(fn, sizeof fn, "09(110101 c1(61(30(020101 a0(%s)))))", rlrq[i]);
		say(&u, fn);
		assert_int_equal(u.count[X400_UNBOUND], 1);
		assert_last_sent(&u, "0a(c1(61(30(020101 a0(6303 800100)))))");
		user_fini(&u);
	}
}

static void test_pa_16_and_rt_19_aborts_of_the_peer(void **state)
{
	(void)state;
	static const struct { const char *ab; enum err_kind kind; const char *says; } rows[] = {
		{ ABORT_OF(ARU_OF(ABRT_OF("b6(800103)"))), ERR_TEMP, "temporaryProblem" },
		{ ABORT_OF(ARU_OF(ABRT_OF("b6(800100)"))), ERR_TEMP, "localSystemProblem" },
		{ ABORT_OF(ARU_OF(ABRT_OF("b6(800106 a2(0500))"))), ERR_PEER, "userError" }, /* PP: P1 it could not parse */
		{ ABORT_OF(ARU_OF(ABRT_OF("b600"))), ERR_PEER, "not given" },
		{ ABORT_OF(ARU_OF("64(800101)")), ERR_PEER, "acse: the peer's provider aborted" },
		{ ABORT_OF(ARU_OF("64(800100 be(28(020103 a0(b6(800105)))))")), ERR_PEER, "permanentProblem" },
		{ ABORT_OF("a0(61(30(020101 a0(" ABRT_OF("b6(800104)") "))))"), ERR_PEER, "protocolError" },
		{ ABORT_OF("a000"), ERR_PEER, "without a readable ABRT" },
		{ ABORT_OF("30(800106)"), ERR_PEER, "reason 6, event -1" },
		{ ABORT_OF("3000"), ERR_PEER, "reason -1" },
		{ ABORT_OF("31(800103)"), ERR_TEMP, "temporaryProblem" },
		{ ABORT_OF("ffff"), ERR_PEER, "cannot be read" },
		{ "19(110103)", ERR_PEER, "without saying why" },
		{ "19(110101)", ERR_PEER, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		bound_responder(&u);
		say(&u, AS);
		say(&u, rows[i].ab);
		if (u.count[X400_ENDED] != 1 || u.last[X400_ENDED].err.kind != rows[i].kind ||
		    strstr(u.last[X400_ENDED].err.text, rows[i].says) == NULL)
			fail_msg("row %zu: %u ends, kind %d, %s", i, u.count[X400_ENDED],
				 (int)u.last[X400_ENDED].err.kind, u.last[X400_ENDED].err.text);
		assert_true(x400_wants_close(u.x));
		user_fini(&u);
	}
}

static void test_rt_20_transfer_completed(void **state)
{
	(void)state;
	for (int discarding = 0; discarding < 2; discarding++) {
		struct user u;
		struct err e;
		uint64_t done = 0;
		bound_initiator(&u, 1);
		assert_true(x400_transfer_begin(u.x, 100, u.now, &e));
		give(&u, 100, &done);
		if (discarding)
			x400_transfer_discard(u.x);
		say(&u, ABORT_OF(ARU_OF(ABRT_OF("b6(800107)"))));
		assert_int_equal(u.count[X400_TRANSFER_CONFIRMED], discarding);
		assert_ended(&u, "transferCompleted");
		user_fini(&u);
	}
}

static void test_exceptions_reported_by_the_receiver(void **state)
{
	(void)state;
	static const char *const exceptions[] = { "0200 30(320105)", "0200 30(320101)", "0200 00(320100)" };
	for (size_t i = 0; i < ARRAY_LEN(exceptions); i++) {
		struct user u;
		struct err e;
		uint64_t done = 0;
		bound_initiator(&u, 1);
		assert_true(x400_transfer_begin(u.x, 5000, u.now, &e));
		give(&u, 5000, &done);
		say(&u, exceptions[i]);
		assert_last_sent(&u, "0100 39(320100)");
		assert_int_equal(u.count[X400_TRANSFER_FAILED], 0);
		say(&u, "0200 3a()");
		assert_int_equal(u.count[X400_TRANSFER_FAILED], 1);
		assert_true(x400_can_transfer(u.x));
		user_fini(&u);
	}
}

static void test_confirmation_of_what_is_not_out(void **state)
{
	(void)state;
	struct user u;
	struct err e;
	uint64_t done = 0;
	bound_initiator(&u, 1);
	assert_true(x400_transfer_begin(u.x, 5000, u.now, &e));
	give(&u, 5000, &done);
	assert_int_equal(done, 3 * 1024);
	say(&u, "0200 32(2a(32))");
	give(&u, 5000, &done);
	assert_int_equal(done, 5000);
	say(&u, "0200 32(2a(39))");
	assert_int_equal(u.count[X400_ENDED], 1);
	user_fini(&u);
}

static void test_events_that_are_not_due(void **state)
{
	(void)state;
	static const char *const forms[] = { DT(RTTR("41")), AE, "0100 31(2a(31))", "0200 2a(2a(31))", "0200 1a()", "0e()" };
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct user u;
		bound_responder(&u);
		say(&u, forms[i]);
		assert_int_equal(u.count[X400_ENDED], 1);
		drain(&u);
		assert_int_equal(tsdus_that_begin(&u.sent, "19"), 1);
		user_fini(&u);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_bind_written_by_hand),
		CASE(test_pa_02_ids_of_the_peer_are_used),
		CASE(test_pa_12_p7_to_the_p1_port),
		CASE(test_binds_that_cannot_be_read),
		CASE(test_strong_credentials_are_answered),
		CASE(test_refusals_in_every_form),
		CASE(test_acceptances_that_cannot_be_used),
		CASE(test_answers_of_other_sizes),
		CASE(test_rt_08_k246302_segments_of_different_sizes),
		CASE(test_four_minor_syncs_with_a_window_of_three),
		CASE(test_pa_06_and_07_and_rt_11_forms_of_data),
		CASE(test_pa_10_data_in_an_unknown_context),
		CASE(test_data_that_are_no_rttr),
		CASE(test_value_that_ends_after_its_ssdu_k196852),
		CASE(test_rt_18_resume_of_what_is_not_kept),
		CASE(test_interrupted_and_discarded_by_the_sender),
		CASE(test_nothing_is_taken_while_a_part_is_in_use),
		CASE(test_confirming_twice_or_too_much_says_nothing),
		CASE(test_pa_15_release_for_any_reason),
		CASE(test_pa_16_and_rt_19_aborts_of_the_peer),
		CASE(test_rt_20_transfer_completed),
		CASE(test_exceptions_reported_by_the_receiver),
		CASE(test_confirmation_of_what_is_not_out),
		CASE(test_events_that_are_not_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
