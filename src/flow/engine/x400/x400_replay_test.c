/* x400_replay_test.c - the captures played against our machine: the recorded initiators against our responder, the
 * recorded responders against our initiator. Expected octets are the recorded ones. */
#include "flow/engine/x400/upper_test.h"
#include "flow/engine/x400/x400_test.h"

#include "flow/codec/osi/ppdu.h"

struct recording {
	const char *file;
	size_t connection;
	const char *caller, *caller_password, *called, *called_password;
	enum x400_password_form form;
	const char *tsel;
	unsigned checkpoint;
	uint16_t tsdu_max;
	size_t octets; /* transferred */
	unsigned syncs;
	bool same_answer; /* the recorded AC's user data are octet for octet what we write */
};

/* PP writes windowSize 3 though it is the default, so its answer has three octets more than ours. */
static const struct recording recordings[] = {
	{ "x400-ping-success.pcap", 0, "percival.smhs.co.uk", "excalibur", "guinevere.smhs.co.uk", "merlin",
	  X400_PASSWORD_IA5, "X400-88", 63, 0, 0, 0, true },
	{ "p772-transfer-success.pcap", 1, "percival.smhs.co.uk", "excalibur", "guinevere.smhs.co.uk", "merlin",
	  X400_PASSWORD_IA5, "X400-88", 63, 0, 0x147 + 0x1b7 + 8, 0, true },
	{ "pp-normal-mode.pcap", 0, "PP-A", "secretA", "PP-B", "secretB", X400_PASSWORD_OCTETS, "591", 1, 2041, 0x281, 0, false },
	{ "pp-normal-mode.pcap", 1, "PP-B", "secretB", "PP-A", "secretA", X400_PASSWORD_OCTETS, "591", 1, 2041, 0x27a, 0, false },
	{ "pp-normal-mode.pcap", 2, "PP-B", "secretB", "PP-A", "secretA", X400_PASSWORD_OCTETS, "591", 1, 2041, 0x288, 0, false },
	{ "pp-normal-mode.pcap", 3, "PP-A", "secretA", "NEW-MTA", "secretN", X400_PASSWORD_OCTETS, "591", 1, 2041, 0x2b8, 0, false },
	{ "pp-checkpoints.pcap", 0, "PP-A", "secretA", "PP-B", "secretB", X400_PASSWORD_OCTETS, "591", 1, 2041,
	  195 * 1024 + 512, 195, false },
};

/* Octets of all RTTRs of a side, by the tables: not by the reader that is under test. */
static struct out recorded_octets(const struct out *side)
{
	static const struct ber_limits limits = { .depth = 24, .elements = 10000, .bytes = 1 << 20 };
	struct out tsdu, all;
	struct cur c = cur_of(out_view(side));
	out_init(&tsdu, 1 << 20);
	out_init(&all, 1 << 20);
	while (capture_tsdu(&c, &tsdu)) {
		const struct view v = out_view(&tsdu);
		if (v.n < 5 || v.p[0] != 1 || v.p[2] != 1)
			continue; /* not GT and DT */
		struct arena *a = arena_new(1 << 21);
		struct ppdu_user_data u;
		struct rtse_apdu rtse;
		struct err e;
		assert_true(ber_decode(&ppdu_user_data_type, view_from(v, 4), &u, a, &limits, &e));
		const struct ppdu_pdv *pdv = u.full.v;
		assert_true(ber_decode(&rtse_apdu_type, pdv->values.single, &rtse, a, &limits, &e));
		out_bytes(&all, rtse.rttr);
		arena_free(&a);
	}
	out_fini(&tsdu);
	return all;
}

/* Everything that waits to be sent, to the end of `sent`. */
static void collect(struct user *u)
{
	struct out *o = x400_out(u->x);
	out_bytes(&u->sent, out_view(o));
	out_drop(o, out_len(o));
}

/* The two sides' TSDUs are the same, except for session's parameters in the first one. */
static void assert_same_tsdus(const struct out *ours, const struct out *theirs, bool same_answer)
{
	struct out a, b;
	struct cur ca = cur_of(out_view(ours)), cb = cur_of(out_view(theirs));
	out_init(&a, 1 << 20);
	out_init(&b, 1 << 20);
	for (unsigned n = 0;; n++) {
		const bool more = capture_tsdu(&cb, &b);
		assert_int_equal(capture_tsdu(&ca, &a), more);
		if (!more)
			break;
		if (n > 0) {
			assert_true(view_eq(out_view(&a), out_view(&b)));
			continue;
		}
		struct cur ta = cur_of(out_view(&a)), tb = cur_of(out_view(&b));
		struct view pa, pb;
		assert_int_equal(capture_spdu(&ta, &pa), capture_spdu(&tb, &pb));
		if (same_answer)
			assert_true(view_eq(capture_parameter(pa, 193), capture_parameter(pb, 193)));
	}
	out_fini(&a);
	out_fini(&b);
}

static struct x400_config responder_of(const struct recording *rec, const struct view *tsel)
{
	struct x400_config c = config_of(SESSION_RESPONDER);
	c.session.tsdu_max_in = c.session.tsdu_max_out = rec->tsdu_max;
	c.session.calling_tsel = c.session.called_tsel = (struct view){ NULL, 0 };
	c.own_tsels = tsel;
	c.n_own_tsels = 1;
	c.checkpoint_size = rec->checkpoint;
	return c;
}

static struct x400_credentials credentials(const char *name, const char *password, enum x400_password_form form)
{
	return (struct x400_credentials){ .present = true, .mta_name = view_str(name), .has_password = true,
					  .password = view_str(password), .form = form };
}

static void replay_initiator(const struct recording *rec, size_t chunk)
{
	struct capture *cap = capture_open(rec->file);
	struct out from = capture_side(cap, rec->connection, true), to = capture_side(cap, rec->connection, false);
	struct out octets = recorded_octets(&from);
	struct user u;
	const struct view tsel = view_str(rec->tsel);
	const struct x400_config c = responder_of(rec, &tsel);
	user_init(&u, &c);
	u.wanted = credentials(rec->caller, rec->caller_password, rec->form);
	u.own = credentials(rec->called, rec->called_password, rec->form);
	for (size_t i = 0; i < cap->n; i++) {
		if (cap->v[i].connection == rec->connection && cap->v[i].initiator)
			user_feed(&u, cap->v[i].bytes, chunk);
	}
	collect(&u);
	if (u.count[X400_ENDED] > 0)
		fail_msg("%s connection %zu: %s", rec->file, rec->connection, u.last[X400_ENDED].err.text);
	assert_int_equal(u.count[X400_BIND], 1);
	assert_int_equal(u.count[X400_UNBOUND], 1);
	assert_int_equal(u.count[X400_TRANSFER_END], rec->octets > 0);
	assert_int_equal(u.count[X400_TRANSFER_CHECKPOINT], rec->syncs);
	assert_int_equal(u.last[X400_BIND].peer.form, rec->form);
	assert_int_equal(u.octets, rec->octets);
	assert_true(view_eq(out_view(&u.received), out_view(&octets)));
	assert_same_tsdus(&u.sent, &to, rec->same_answer);
	if (rec->octets > 0 && rec->syncs == 0)
		assert_int_equal(tsdus_that_begin(&u.sent, "02002a032a0131"), 1); /* RT-01: PT and AEA, serial 1 */
	user_fini(&u);
	out_fini(&from);
	out_fini(&to);
	out_fini(&octets);
	capture_close(&cap);
}

static void test_rt_01_recorded_initiators(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++)
		replay_initiator(&recordings[i], 1 << 16);
}

static void test_recorded_initiators_in_pieces(void **state)
{
	(void)state;
	static const size_t chunks[] = { 1, 2, 3, 7, 100 };
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++) {
		for (size_t k = 0; k < ARRAY_LEN(chunks); k++)
			replay_initiator(&recordings[i], chunks[k]);
	}
}

/* The first connection of p772 asks to recover, is refused as busy in the recorded octets, and the second opens. */
static void test_rt_15_and_26_recover_is_refused_as_recorded(void **state)
{
	(void)state;
	struct capture *cap = capture_open("p772-transfer-success.pcap");
	struct out from = capture_side(cap, 0, true), to = capture_side(cap, 0, false), a, b;
	struct user u;
	const struct x400_config c = config_of(SESSION_RESPONDER);
	user_init(&u, &c);
	user_feed(&u, out_view(&from), 1 << 16);
	collect(&u);
	assert_int_equal(u.count[X400_BIND], 1);
	assert_true(u.last[X400_BIND].recover);
	assert_false(u.last[X400_BIND].peer.present);
	out_init(&a, 1 << 16);
	out_init(&b, 1 << 16);
	struct cur ca = cur_of(out_view(&u.sent)), cb = cur_of(out_view(&to));
	assert_true(capture_tsdu(&ca, &a) && capture_tsdu(&cb, &b));
	struct cur ta = cur_of(out_view(&a)), tb = cur_of(out_view(&b));
	struct view pa, pb;
	assert_int_equal(capture_spdu(&ta, &pa), 12); /* REFUSE */
	assert_int_equal(capture_spdu(&tb, &pb), 12);
	assert_true(view_eq(capture_parameter(pa, 50), capture_parameter(pb, 50)));
	assert_int_equal(x400_deadline(u.x), u.now + 500);
	out_fini(&a);
	out_fini(&b);
	out_fini(&from);
	out_fini(&to);
	user_fini(&u);
	capture_close(&cap);
	replay_initiator(&recordings[1], 1 << 16);
}

/* X.228 8.2: the answer to a recovery that can be had names the association in the form in which it was asked for: T61String. */
static void test_rt_15_recovery_names_it_as_it_was_asked(void **state)
{
	(void)state;
	struct capture *cap = capture_open("p772-transfer-success.pcap");
	struct out from = capture_side(cap, 0, true);
	struct user u;
	const struct x400_config c = config_of(SESSION_RESPONDER);
	user_init(&u, &c);
	u.keeps = true;
	user_feed(&u, out_view(&from), 1 << 16);
	collect(&u);
	assert_int_equal(u.count[X400_BIND], 1);
	assert_string_equal(x400_state_name(u.x), "bound");
	/* connectionDataAC [2] { recover [1] { T61String, UTCTime } }, the names as in the recorded RTORQ */
	struct out want = from_hex("a21ba119 1408506572636976616c 170d3035313030313134353130385a");
	const struct view sent = out_view(&u.sent);
	assert_non_null(memmem(sent.p, sent.n, out_view(&want).p, out_len(&want)));
	out_fini(&want);
	out_fini(&from);
	user_fini(&u);
	capture_close(&cap);
}

/* A user that accepts what asks to recover is not obeyed. */
static void test_rt_15_recover_cannot_be_accepted(void **state)
{
	(void)state;
	struct capture *cap = capture_open("p772-transfer-success.pcap");
	struct out from = capture_side(cap, 0, true);
	struct user u;
	struct err e;
	const struct x400_config c = config_of(SESSION_RESPONDER);
	user_init(&u, &c);
	u.hold_bind = true;
	user_feed(&u, out_view(&from), 1 << 16);
	assert_false(x400_bind_accept(u.x, &u.own, &e));
	assert_int_equal(e.kind, ERR_PEER);
	collect(&u);
	assert_int_equal(tsdus_that_begin(&u.sent, "0c"), 1);
	out_fini(&from);
	user_fini(&u);
	capture_close(&cap);
}

/* The shape of the recorded refusal, with error 2 for its 0. */
static void test_rt_21_wrong_password(void **state)
{
	(void)state;
	const struct recording *rec = &recordings[0];
	struct capture *cap = capture_open(rec->file);
	struct capture *refusal = capture_open("p772-transfer-success.pcap");
	struct out from = capture_side(cap, 0, true), to = capture_side(refusal, 0, false), a, b;
	struct user u;
	const struct x400_config c = config_of(SESSION_RESPONDER);
	user_init(&u, &c);
	u.wanted = credentials(rec->caller, "not excalibur", rec->form);
	user_feed(&u, view_first(out_view(&from), 29 + 205), 1 << 16); /* CR and CN */
	collect(&u);
	out_init(&a, 1 << 16);
	out_init(&b, 1 << 16);
	struct cur ca = cur_of(out_view(&u.sent)), cb = cur_of(out_view(&to));
	assert_true(capture_tsdu(&ca, &a) && capture_tsdu(&cb, &b));
	struct cur ta = cur_of(out_view(&a)), tb = cur_of(out_view(&b));
	struct view pa, pb;
	assert_int_equal(capture_spdu(&ta, &pa), 12);
	(void)capture_spdu(&tb, &pb);
	const struct view reason = capture_parameter(pa, 50), recorded = capture_parameter(pb, 50);
	assert_int_equal(reason.n, recorded.n);
	assert_memory_equal(reason.p, recorded.p, reason.n - 1);
	assert_int_equal(recorded.p[recorded.n - 1], 0);
	assert_int_equal(reason.p[reason.n - 1], 2);
	out_fini(&a);
	out_fini(&b);
	out_fini(&from);
	out_fini(&to);
	user_fini(&u);
	capture_close(&cap);
	capture_close(&refusal);
}

/* --- the recorded responders --- */

/* The recorded CC names the recorded initiator's reference: put ours there. */
static struct out answers_for(const struct capture *cap, size_t connection, struct view our_cr)
{
	struct out to = capture_side(cap, connection, false);
	assert_true(our_cr.n > 10 && out_len(&to) > 8);
	to.p[to.head + 6] = our_cr.p[8];
	to.p[to.head + 7] = our_cr.p[9];
	return to;
}

/* Gives the next recorded TPDU, or is false at the end. */
static bool next_answer(struct user *u, struct cur *answers)
{
	if (cur_left(answers) == 0)
		return false;
	struct cur peek = *answers;
	(void)cur_u16(&peek);
	user_feed(u, cur_bytes(answers, cur_u16(&peek)), 1 << 16);
	return true;
}

static struct x400_config initiator_of(const struct recording *rec)
{
	struct x400_config c = config_of(SESSION_INITIATOR);
	c.session.called_tsel = view_str(rec->tsel);
	c.session.versions = rec->form == X400_PASSWORD_OCTETS ? 3 : 2;
	c.session.tsdu_max_in = c.session.tsdu_max_out = rec->tsdu_max;
	c.own = credentials(rec->caller, rec->caller_password, rec->form);
	c.checkpoint_size = 63;
	return c;
}

static void replay_responder(const struct recording *rec, unsigned proposed, unsigned agreed)
{
	struct capture *cap = capture_open(rec->file);
	struct user u;
	struct err e;
	struct x400_config c = initiator_of(rec);
	c.checkpoint_size = proposed;
	user_init(&u, &c);
	struct out to = answers_for(cap, rec->connection, out_view(x400_out(u.x)));
	struct cur answers = cur_of(out_view(&to));
	collect(&u);
	assert_true(next_answer(&u, &answers)); /* CC */
	assert_true(next_answer(&u, &answers)); /* AC */
	if (u.count[X400_BOUND] != 1)
		fail_msg("%s: %s", rec->file, u.last[X400_ENDED].err.text);
	assert_string_equal(u.peer_name, rec->called);
	assert_string_equal(u.peer_password, rec->called_password);
	assert_int_equal(u.last[X400_BOUND].checkpoint_size, agreed);
	assert_int_equal(u.last[X400_BOUND].window, 3);
	if (rec->octets > 0) {
		uint64_t done = 0;
		assert_true(x400_transfer_begin(u.x, rec->octets, u.now, &e));
		for (give(&u, rec->octets, &done); u.count[X400_TRANSFER_CONFIRMED] == 0; give(&u, rec->octets, &done)) {
			collect(&u);
			assert_true(next_answer(&u, &answers)); /* MIA ..., AEA */
			if (u.count[X400_ENDED] > 0)
				fail_msg("%s: %s", rec->file, u.last[X400_ENDED].err.text);
		}
		assert_int_equal(done, rec->octets);
	}
	assert_true(x400_unbind(u.x, u.now, &e));
	assert_true(next_answer(&u, &answers)); /* DN */
	assert_int_equal(u.count[X400_UNBOUND], 1);
	assert_int_equal(cur_left(&answers), 0);
	assert_true(x400_wants_close(u.x));
	collect(&u);
	assert_int_equal(tsdus_that_begin(&u.sent, "01003103 2a0131"), rec->syncs > 0);
	assert_int_equal(tsdus_that_begin(&u.sent, "0913110101c10e610c300a020101a0056203800100"), 1); /* FN as recorded */
	user_fini(&u);
	out_fini(&to);
	capture_close(&cap);
}

static void test_recorded_responders(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(recordings); i++)
		replay_responder(&recordings[i], 63, recordings[i].checkpoint);
}

/* PP answers 1 to whatever is proposed: also to no checkpoints. */
static void test_rt_06_answer_above_a_proposal_of_zero(void **state)
{
	(void)state;
	replay_responder(&recordings[6], 0, 1);
}

static void test_rt_26_recorded_refusal_is_read(void **state)
{
	(void)state;
	struct capture *cap = capture_open("p772-transfer-success.pcap");
	struct user u;
	const struct x400_config c = initiator_of(&recordings[1]);
	user_init(&u, &c);
	struct out to = answers_for(cap, 0, out_view(x400_out(u.x)));
	user_feed(&u, out_view(&to), 5);
	assert_int_equal(u.count[X400_BIND_REFUSED], 1);
	assert_int_equal(u.last[X400_BIND_REFUSED].bind_error, X400_BUSY);
	assert_int_equal(u.last[X400_BIND_REFUSED].err.kind, ERR_TEMP);
	assert_non_null(strstr(u.last[X400_BIND_REFUSED].err.text, "busy"));
	assert_int_equal(u.count[X400_ENDED], 0);
	assert_true(x400_wants_close(u.x));
	out_fini(&to);
	user_fini(&u);
	capture_close(&cap);
}

/* The recorded bind, without windowSize and dialogueMode where they are the defaults (X.228 clause 9): the CN's user data
 * as they follow from the recorded ones. */
static void test_bind_is_the_recorded_one(void **state)
{
	(void)state;
	static const char form[] =
		"31(a0(800101) a2(a4(30(020101 0604 52010001 30(0602 5101)) 30(020103 0604 5600020c 30(0602 5101))"
		" 30(020105 0604 56000207 30(0602 5101)))"
		" 61(30(020101 a0(60(a1(0604 56000106) be(28(0602 5101 020103 a0(b0(80013f a3(a0(b0(a1("
		"80(706572636976616c2e736d68732e636f2e756b) a1(16(657863616c69627572))))))))))))))))";
	const struct recording *rec = &recordings[0];
	struct capture *cap = capture_open(rec->file);
	struct arena *a = arena_new(1 << 20);
	struct out tsdu;
	struct user u;
	const struct x400_config c = initiator_of(rec);
	user_init(&u, &c);
	struct out to = answers_for(cap, 0, out_view(x400_out(u.x)));
	struct cur answers = cur_of(out_view(&to));
	assert_true(next_answer(&u, &answers));
	collect(&u);
	out_init(&tsdu, 1 << 16);
	struct cur ours = cur_of(out_view(&u.sent));
	assert_true(capture_tsdu(&ours, &tsdu));
	struct cur t = cur_of(out_view(&tsdu));
	struct view parameters;
	assert_int_equal(capture_spdu(&t, &parameters), 13); /* CONNECT */
	assert_true(view_eq(capture_parameter(parameters, 193), octets_of(a, form)));
	out_fini(&tsdu);
	out_fini(&to);
	arena_free(&a);
	user_fini(&u);
	capture_close(&cap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rt_01_recorded_initiators),
		cmocka_unit_test(test_recorded_initiators_in_pieces),
		cmocka_unit_test(test_rt_15_and_26_recover_is_refused_as_recorded),
		cmocka_unit_test(test_rt_15_recover_cannot_be_accepted),
		cmocka_unit_test(test_rt_15_recovery_names_it_as_it_was_asked),
		cmocka_unit_test(test_rt_21_wrong_password),
		cmocka_unit_test(test_recorded_responders),
		cmocka_unit_test(test_rt_06_answer_above_a_proposal_of_zero),
		cmocka_unit_test(test_rt_26_recorded_refusal_is_read),
		cmocka_unit_test(test_bind_is_the_recorded_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
