/* x410_test.c - X.410 mode, of 1988 and of 1984: octets after X.226 8.5 (CP-type, CPA-PPDU, CPR-PPDU with their X.410 alternatives),
 * X.228 clause 9 and X.419 13.2 (bind values bare, applicationProtocol 12 and 1), and what the facts tell of ISODE/PP; and our two
 * sides against each other in every pair of modes. */
#include "flow/engine/x400/wire_test.h"

#define CR "03000014 0f e0 0000 1234 00 c0010d c10161 c20162"
#define CN_OF(version, cp) "0d[05[130100 1601" version " 1a0100] 1402 0249 c1[" cp "]]"
#define CP_OF(rtorq) "31(a0(800100) a1(" rtorq "))"
#define ARGUMENT "a1(80(4d54412d49) a1(16(7069)))"
#define RTORQ_OF(open, protocol) "800101 a3(a0(" open "))" protocol
#define IS_88 "84010c"
#define IS_84 "840101"
#define CN_84 CN_OF("01", CP_OF(RTORQ_OF(ARGUMENT, IS_84)))
#define CN_88 CN_OF("03", CP_OF(RTORQ_OF(ARGUMENT, IS_88)))
#define RESULT "a1(80(4d54412d52) a1(16(7072)))"
#define CPA_OF(rtoac) "31(a0(800100) a1(" rtoac "))"
#define RTOAC_OF(open) "800101 a2(a0(" open "))"
#define AC_OF(version, cpa) "0e[05[130100 1601" version "] 1402 0249 c1[" cpa "]]"
#define RF_OF(cpr) "0c[110101 1402 0249 160101 32[02" cpr "]]"
#define AS "0100 2d(29(020101))"
#define AE "0100 29(2a(31))"
#define DT "0100 0100"

static const enum x400_mode x410_modes[] = { X400_X410_88, X400_X410_84 };

static void start_responder(struct user *u, unsigned modes)
{
	struct x400_config c = config_of(SESSION_RESPONDER);
	c.modes = modes;
	c.session.user_ref = c.session.common_ref = (struct view){ NULL, 0 };
	c.session.versions = 2; /* of normal mode; X.410 mode brings version 1 with it */
	user_init(u, &c);
	user_feed_hex(u, CR);
}

static void start_initiator(struct user *u, enum x400_mode mode)
{
	struct x400_config c = config_of(SESSION_INITIATOR);
	c.mode = mode;
	c.session.versions = 2;
	c.session.calling_ssel = c.session.called_ssel = VIEW("S");
	c.session.send_ssel = true;
	c.session.user_ref = c.session.common_ref = (struct view){ NULL, 0 };
	user_init(u, &c);
	const struct view cr = out_view(x400_out(u->x));
	char cc[64];
	snprintf(cc, sizeof cc, "0300000e 09 d0 %02x%02x 4711 00 c0010c", cr.p[8], cr.p[9]);
	user_feed_hex(u, cc);
}

static void bound_initiator(struct user *u, enum x400_mode mode)
{
	start_initiator(u, mode);
	say(u, AC_OF("01", CPA_OF(RTOAC_OF(RESULT))));
	if (u->count[X400_BOUND] != 1)
		fail_msg("%s", u->last[X400_ENDED].err.text);
	drain(u);
}

/* --- the responder --- */

static void test_a_caller_of_1984_is_recognised(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u, 0);
	say(&u, CN_84);
	assert_int_equal(u.count[X400_BIND], 1);
	assert_int_equal(u.last[X400_BIND].mode, X400_X410_84);
	assert_int_equal(x400_mode(u.x), X400_X410_84);
	assert_int_equal(x400_transfer_context(u.x), 0);
	assert_string_equal(u.peer_name, "MTA-I");
	assert_string_equal(u.peer_password, "pi");
	/* Session version 1, the result without [17]; the password as IA5String whatever form is configured. */
	assert_last_sent(&u, AC_OF("01 1a0100", CPA_OF("800101 a2(a0(" RESULT "))")));
	say(&u, AS);
	say(&u, DT "a0023100");
	say(&u, AE);
	assert_int_equal(u.octets, 4);
	assert_memory_equal(out_view(&u.received).p, "\xa0\x02\x31\x00", 4); /* no EXTERNAL, no RTTR */
	assert_last_sent(&u, "0200 2a(2a(31))");
	say(&u, "09(110101)");
	assert_int_equal(u.count[X400_UNBOUND], 1);
	assert_last_sent(&u, "0a00"); /* as PP does */
	user_fini(&u);
}

static void test_which_mode_a_caller_uses(void **state)
{
	(void)state;
	static const struct { const char *cn; enum x400_mode mode; bool present; } rows[] = {
		{ CN_88, X400_X410_88, true },
		{ CN_84, X400_X410_84, true },
		{ CN_OF("03", CP_OF(RTORQ_OF(ARGUMENT, "84020c00"))), X400_X410_88, true }, /* 3072, by a known peer */
		{ CN_OF("01", CP_OF(RTORQ_OF(ARGUMENT, ""))), X400_X410_84, true },         /* DEFAULT p1 */
		{ CN_OF("01", "31(a1(840101 a3(a0(" ARGUMENT "))) a0(800100))"), X400_X410_84, true }, /* SETs in another order */
		{ CN_OF("01", CP_OF(RTORQ_OF("0500", IS_84))), X400_X410_84, false },
		{ CN_OF("01", CP_OF("a3(8000)" IS_84)), X400_X410_84, false },
		{ CN_OF("02", CP_OF(RTORQ_OF("b0(" ARGUMENT ")", IS_88))), X400_X410_88, true }, /* as in normal mode */
		{ CN_OF("01", CP_OF(RTORQ_OF("a1(80(4d54412d49) a1(04(7069)))", IS_88))), X400_X410_88, true },
		{ "0d[1402 0249 c1[" CP_OF(RTORQ_OF(ARGUMENT, IS_84)) "]]", X400_X410_84, true }, /* session version 1 by default */
		{ "0d[1402 0249 33(61) 34(62) c1[" CP_OF(RTORQ_OF(ARGUMENT, IS_84)) "]]", X400_X410_84, true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_responder(&u, 0);
		u.wanted.present = false;
		say(&u, rows[i].cn);
		if (u.count[X400_BIND] != 1)
			fail_msg("row %zu: %s", i, u.last[X400_ENDED].err.text);
		assert_int_equal(u.last[X400_BIND].mode, rows[i].mode);
		assert_int_equal(u.last[X400_BIND].peer.present, rows[i].present);
		assert_string_equal(x400_state_name(u.x), "bound");
		user_fini(&u);
	}
}

/* The caller's way of wrapping is answered in kind. */
static void test_a_wrapped_bind_is_answered_wrapped(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u, 0);
	say(&u, CN_OF("01", CP_OF(RTORQ_OF("b0(" ARGUMENT ")", IS_88))));
	assert_last_sent(&u, AC_OF("01 1a0100", CPA_OF("800101 a2(a0(b1(" RESULT ")))")));
	user_fini(&u);
}

static void test_rt_04_without_dialogue_mode_is_monologue(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u, 0);
	say(&u, CN_84); /* Q140958: what is left out is the default */
	assert_int_equal(u.count[X400_BIND], 1);
	assert_false(u.last[X400_BIND].peer_two_way_alternate);
	user_fini(&u);
}

static void test_refusals_are_rtorj(void **state)
{
	(void)state;
	static const struct { const char *cn, *rf; bool password, says; } rows[] = {
		/* RT-05: Q171113, Q169701, unacceptableDialogueMode 3 */
		{ CN_OF("01", CP_OF("800101 820101 a3(a0(" ARGUMENT "))" IS_84)), "31(800103)", false, true },
		/* RT-21: validationFailure 2 */
		{ CN_OF("01", CP_OF(RTORQ_OF("a1(80(4d54412d49) a1(16(7070)))", IS_84))), "31(800102)", true, false },
		{ CN_OF("01", CP_OF(RTORQ_OF("a1(80(43) a1(a0(3000)))", IS_88))), "31(800102)", false, true },
		{ CN_OF("01", CP_OF(RTORQ_OF(ARGUMENT, "840103"))), "31(800102)", false, true },
		/* RT-15: cannotRecover 1 */
		{ CN_OF("01", CP_OF("a3(a1(1401 61 17(3236303130313030303030305a)))" IS_84)), "31(800101)", false, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_responder(&u, 0);
		say(&u, rows[i].cn);
		assert_int_equal(u.count[X400_ENDED], rows[i].says);
		drain(&u);
		const struct view want = octets_of(a, rows[i].rf), sent = out_view(&u.sent);
		assert_int_equal(tsdus_that_begin(&u.sent, "0c"), 1);
		assert_memory_equal(sent.p + sent.n - want.n, want.p, want.n);
		assert_int_equal(sent.p[sent.n - want.n - 1], 2); /* X.225 8.3.5.10: rejected by the user, data follow */
		user_fini(&u);
	}
}

static void test_modes_that_are_not_taken(void **state)
{
	(void)state;
	struct user u;
	start_responder(&u, 1u << X400_X410_84);
	say(&u, CN_88);
	assert_int_equal(u.count[X400_BIND], 0);
	assert_ended(&u, "1988-x410");
	drain(&u);
	assert_int_equal(tsdus_that_begin(&u.sent, "0c"), 1);
	user_fini(&u);
	start_responder(&u, 1u << X400_NORMAL);
	say(&u, CN_84); /* without X.410 mode there is no version 1 either */
	assert_ended(&u, "versions 01");
	user_fini(&u);
	start_responder(&u, 1u << X400_NORMAL);
	say(&u, CN_OF("03", CP_OF(RTORQ_OF(ARGUMENT, IS_84))));
	assert_ended(&u, "1984");
	user_fini(&u);
}

/* Normal mode needs version 2 where a link does not allow version 1, though X.410 mode does. */
static void test_version_1_is_for_x410_mode_only(void **state)
{
	(void)state;
	struct pair p;
	pair_config(&p);
	p.ci.session.versions = 1;
	p.cr.session.versions = 2;
	pair_start(&p);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_BIND_REFUSED], 1);
	assert_int_equal(p.r.count[X400_BIND], 0);
	assert_non_null(strstr(p.r.last[X400_ENDED].err.text, "1988-normal"));
	assert_int_equal(tsdus_that_begin(&p.r.sent, "0c"), 1);
	pair_close(&p);
}

/* --- the initiator --- */

/* Q152932: an S-selector is configured, and none is sent in X.410 mode. */
static void test_k152932_the_call_and_its_selectors(void **state)
{
	(void)state;
	struct user u;
	start_initiator(&u, X400_X410_84);
	assert_last_sent(&u, CN_OF("01", CP_OF(RTORQ_OF(ARGUMENT, IS_84))));
	user_fini(&u);
	start_initiator(&u, X400_X410_88);
	assert_last_sent(&u, CN_OF("03", CP_OF(RTORQ_OF(ARGUMENT, IS_88))));
	user_fini(&u);
}

static void test_a_transfer_as_octets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(x410_modes); i++) {
		struct user u;
		struct err e;
		uint64_t done = 0;
		bound_initiator(&u, x410_modes[i]);
		assert_int_equal(u.last[X400_BOUND].mode, x410_modes[i]);
		assert_string_equal(u.peer_name, "MTA-R");
		assert_true(x400_transfer_begin(u.x, 3, u.now, &e));
		give(&u, 3, &done);
		drain(&u);
		assert_int_equal(tsdus_that_begin(&u.sent, "01002d0529030201 01"), 1);
		char dt[64];
		snprintf(dt, sizeof dt, "01000100%02x%02x%02x", octet_at(0), octet_at(1), octet_at(2));
		assert_int_equal(tsdus_that_begin(&u.sent, dt), 1);
		say(&u, "0200 2a(2a(31))");
		assert_int_equal(u.count[X400_TRANSFER_CONFIRMED], 1);
		assert_true(x400_unbind(u.x, u.now, &e));
		assert_last_sent(&u, "09(110101)");
		say(&u, "0a()");
		assert_int_equal(u.count[X400_UNBOUND], 1);
		user_fini(&u);
	}
}

static void test_answers_are_read(void **state)
{
	(void)state;
	static const char *const results[] = { RESULT, "b1(" RESULT ")", "a1(80(4d54412d52) a1(04(7072)))" };
	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		struct user u;
		char ac[512];
		snprintf(ac, sizeof ac, "0e[05[130100 160101] 1402 0249 c1[31(a0(800100) a1(800101 810103 a2(a0(%s))))]]", results[i]);
		start_initiator(&u, X400_X410_88);
		say(&u, ac);
		assert_int_equal(u.count[X400_BOUND], 1);
		assert_string_equal(u.peer_password, "pr");
		user_fini(&u);
	}
}

static void test_refusals_are_read(void **state)
{
	(void)state;
	static const struct { const char *rf; int error; enum err_kind kind; const char *says; } rows[] = {
		{ RF_OF("31(800100)"), X400_BUSY, ERR_TEMP, "rtsBusy" },
		{ RF_OF("31(800101)"), X400_NO_BIND_ERROR, ERR_TEMP, "cannotRecover" },
		{ RF_OF("31(800102)"), X400_AUTHENTICATION, ERR_PEER, "validationFailure" },
		{ RF_OF("31(800103)"), X400_DIALOGUE_MODE, ERR_PEER, "unacceptableDialogueMode" },
		{ RF_OF("3100"), X400_NO_BIND_ERROR, ERR_PEER, "mode 1984" },
		{ RF_OF("30(8a0104)"), X400_NO_BIND_ERROR, ERR_PEER, "mode 1984" }, /* it answers in normal mode */
		{ RF_OF(""), X400_NO_BIND_ERROR, ERR_TEMP, "mode 1984" },
		{ RF_OF("0500"), X400_NO_BIND_ERROR, ERR_PEER, "presentation: " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		start_initiator(&u, X400_X410_84);
		say(&u, rows[i].rf);
		assert_int_equal(u.count[X400_BIND_REFUSED], 1);
		const struct x400_event *ev = &u.last[X400_BIND_REFUSED];
		assert_int_equal(ev->bind_error, rows[i].error);
		if (ev->err.kind != rows[i].kind || strstr(ev->err.text, rows[i].says) == NULL)
			fail_msg("row %zu: kind %d, %s", i, (int)ev->err.kind, ev->err.text);
		user_fini(&u);
	}
}

static void test_an_answer_in_the_other_mode(void **state)
{
	(void)state;
	struct user u;
	start_initiator(&u, X400_X410_84);
	say(&u, AC_OF("01", "31(a0(800101) a2(a5(30(800100 81025101))))"));
	assert_ended(&u, "answered in normal mode, called in mode 1984");
	user_fini(&u);
	start_initiator(&u, X400_NORMAL);
	say(&u, AC_OF("02", CPA_OF(RTOAC_OF(RESULT))));
	assert_ended(&u, "answered in X.410 mode, called in mode 1988-normal");
	user_fini(&u);
	start_initiator(&u, X400_X410_88);
	say(&u, AC_OF("01", "31(a0(800100))"));
	assert_ended(&u, "x410: ");
	user_fini(&u);
}

/* --- aborts --- */

/* RTAB in nine octets, which session version 1 allows; X.410 has no reasons 5 and 6. */
static void test_aborts_say_why_in_version_1(void **state)
{
	(void)state;
	static const struct { enum err_kind kind; const char *ab; } rows[] = {
		{ ERR_PEER, "19(110103 c1(31(800104)))" }, { ERR_TEMP, "19(110103 c1(31(800103)))" },
		{ ERR_LOCAL, "19(110103 c1(31(800100)))" }, { ERR_PERM, "19(110103 c1(31(800100)))" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct user u;
		struct err e;
		bound_initiator(&u, X400_X410_84);
		err_set(&e, rows[i].kind, ERR_OF_ASSOCIATION, "as the test says");
		x400_abort(u.x, &e, u.now);
		assert_last_sent(&u, rows[i].ab);
		user_fini(&u);
	}
}

static void test_aborts_are_read(void **state)
{
	(void)state;
	struct user u;
	bound_initiator(&u, X400_X410_84);
	say(&u, "19(110103 c1(31(800103)))");
	assert_ended(&u, "temporaryProblem");
	assert_int_equal(u.last[X400_ENDED].err.kind, ERR_TEMP);
	user_fini(&u);
}

/* --- damaged, cut, in pieces --- */

/* The octets of a CR and the TSDUs, each in one TPKT. */
static struct out stream_of(const char *const *forms, size_t n)
{
	struct out o = from_hex(CR);
	for (size_t i = 0; i < n; i++) {
		struct out t;
		out_init(&t, 1 << 16);
		out_bytes(&t, octets_of(a, "02f080"));
		out_bytes(&t, octets_of(a, forms[i]));
		add_tpkt(&o, out_view(&t));
		out_fini(&t);
	}
	return o;
}

static const char *const whole_88[] = { CN_88, AS, DT "a0023100", "0100 31(2a(31))", DT "0000", "0100 29(2a(32))", "09(110101)" };
static const char *const whole_84[] = { CN_84, AS, DT "a0023100", "0100 31(2a(31))", DT "0000", "0100 29(2a(32))", "09(110101)" };
static const char *const *const wholes[] = { whole_88, whole_84 };

static void test_in_pieces_of_every_size(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(wholes); k++) {
		struct out o = stream_of(wholes[k], ARRAY_LEN(whole_88));
		for (size_t chunk = 1; chunk < out_len(&o); chunk++) {
			struct user u;
			const struct x400_config c = config_of(SESSION_RESPONDER);
			user_init(&u, &c);
			user_feed(&u, out_view(&o), chunk);
			assert_int_equal(u.count[X400_BIND], 1);
			assert_int_equal(u.octets, 6);
			assert_int_equal(u.count[X400_TRANSFER_CHECKPOINT], 1);
			assert_int_equal(u.count[X400_TRANSFER_END], 1);
			assert_int_equal(u.count[X400_UNBOUND], 1);
			user_fini(&u);
		}
		out_fini(&o);
	}
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(wholes); k++) {
		struct out o = stream_of(wholes[k], ARRAY_LEN(whole_88));
		for (size_t n = 0; n < out_len(&o); n++) {
			struct user u;
			const struct x400_config c = config_of(SESSION_RESPONDER);
			user_init(&u, &c);
			user_feed(&u, view_first(out_view(&o), n), 1 << 16);
			assert_int_equal(u.count[X400_ENDED] + u.count[X400_UNBOUND], 0);
			x400_transport_closed(u.x, NULL);
			(void)user_run(&u);
			assert_int_equal(u.count[X400_ENDED], 1); /* and nothing before it */
			user_fini(&u);
		}
		out_fini(&o);
	}
}

/* Each octet of the CONNECT replaced: refused or bound, never anything else. */
static void test_every_octet_of_the_connect_damaged(void **state)
{
	(void)state;
	const struct view cn = octets_of(a, CN_84);
	static const uint8_t others[] = { 0x00, 0x01, 0x30, 0x7f, 0x80, 0xff };
	for (size_t i = 1; i < cn.n; i++) { /* 0: another SPDU */
		for (size_t k = 0; k < ARRAY_LEN(others); k++) {
			struct user u;
			uint8_t *copy = arena_get(a, cn.n);
			memcpy(copy, cn.p, cn.n);
			copy[i] = others[k];
			start_responder(&u, 0);
			u.wanted.present = false;
			feed_tsdu(&u, view_of(copy, cn.n), 60000);
			if (u.count[X400_BIND] + u.count[X400_ENDED] == 0)
				fail_msg("octet %zu as %02x: nothing, state %s", i, others[k], x400_state_name(u.x));
			user_fini(&u);
		}
	}
}

/* --- every pair of modes --- */

static void check_transfers(struct pair *p, uint32_t *rng)
{
	static const uint64_t sizes[] = { 1, 1023, 1024, 1025, 5000 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		p->r.octets = 0;
		transfer(&p->i, &p->r, sizes[i], rng);
		assert_int_equal(p->i.count[X400_TRANSFER_CONFIRMED], i + 1);
		assert_received(&p->r, sizes[i]);
	}
}

static void test_every_pair_of_modes(void **state)
{
	(void)state;
	uint32_t rng = 7;
	for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
		for (unsigned modes = 0; modes < 1u << X400_MODE_COUNT; modes++) {
			struct pair p;
			struct err e;
			pair_config(&p);
			p.ci.mode = (enum x400_mode)mode;
			p.cr.modes = modes;
			p.cr.two_way_alternate = p.ci.two_way_alternate = (modes & 2) != 0;
			pair_start(&p);
			pump(&p.i, &p.r, &rng);
			const bool taken = modes == 0 || (modes & 1u << mode) != 0;
			assert_int_equal(p.i.count[X400_BOUND], taken);
			assert_int_equal(p.r.count[X400_BIND], taken);
			if (taken) {
				assert_int_equal(x400_mode(p.r.x), mode);
				assert_int_equal(p.r.last[X400_BIND].mode, mode);
				assert_int_equal(p.i.last[X400_BOUND].mode, mode);
				assert_int_equal(x400_transfer_context(p.r.x), mode == X400_NORMAL ? 5 : 0);
				check_transfers(&p, &rng);
				assert_true(x400_unbind(p.i.x, p.i.now, &e));
				pump(&p.i, &p.r, &rng);
				assert_int_equal(p.i.count[X400_UNBOUND] + p.r.count[X400_UNBOUND], 2);
			} else {
				assert_int_equal(p.i.count[X400_BIND_REFUSED], 1);
				assert_non_null(strstr(p.r.last[X400_ENDED].err.text, x400_mode_name((enum x400_mode)mode)));
			}
			pair_close(&p);
		}
	}
}

static void test_rt_09_checkpoints_and_segmented_tsdus(void **state)
{
	(void)state;
	uint32_t rng = 99;
	for (size_t i = 0; i < ARRAY_LEN(x410_modes); i++) {
		for (unsigned checkpoint = 0; checkpoint < 3; checkpoint++) {
			struct pair p;
			pair_config(&p);
			p.ci.mode = x410_modes[i];
			p.ci.checkpoint_size = p.cr.checkpoint_size = checkpoint;
			p.ci.session.tsdu_max_in = p.ci.session.tsdu_max_out = 300;
			p.cr.session.tsdu_max_in = p.cr.session.tsdu_max_out = 300;
			p.ci.session.tpdu_size = 128;
			pair_bind(&p, &rng);
			check_transfers(&p, &rng);
			pair_close(&p);
		}
	}
}

static void test_a_refused_transfer_is_discarded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(x410_modes); i++) {
		struct pair p;
		pair_config(&p);
		p.ci.mode = x410_modes[i];
		pair_bind(&p, NULL);
		p.r.refuse_transfer = true;
		transfer(&p.i, &p.r, 3000, NULL);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		p.r.refuse_transfer = false;
		transfer(&p.i, &p.r, 3000, NULL);
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
		assert_received(&p.r, 3000);
		pair_close(&p);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_a_caller_of_1984_is_recognised),
		CASE(test_which_mode_a_caller_uses),
		CASE(test_a_wrapped_bind_is_answered_wrapped),
		CASE(test_rt_04_without_dialogue_mode_is_monologue),
		CASE(test_refusals_are_rtorj),
		CASE(test_modes_that_are_not_taken),
		CASE(test_version_1_is_for_x410_mode_only),
		CASE(test_k152932_the_call_and_its_selectors),
		CASE(test_a_transfer_as_octets),
		CASE(test_answers_are_read),
		CASE(test_refusals_are_read),
		CASE(test_an_answer_in_the_other_mode),
		CASE(test_aborts_say_why_in_version_1),
		CASE(test_aborts_are_read),
		CASE(test_in_pieces_of_every_size),
		CASE(test_cut_at_every_offset),
		CASE(test_every_octet_of_the_connect_damaged),
		CASE(test_every_pair_of_modes),
		CASE(test_rt_09_checkpoints_and_segmented_tsdus),
		CASE(test_a_refused_transfer_is_discarded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
