/* x400_pair_test.c - our initiator and our responder on one wire, in random pieces: transfers of every size around
 * checkpoints, windows, refusals, the turn, aborts in every state, every timer. What must hold is taken from X.228
 * clause 8, the order of SPDUs from X.225. */
#include "flow/engine/x400/upper_test.h"
#include "flow/engine/x400/x400_test.h"

#include <malloc.h>

static uint32_t seed = 12345;

/* --- bind --- */

static void test_bind_and_release_in_pieces(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct pair p;
		struct err e;
		pair_config(&p);
		pair_bind(&p, &seed);
		assert_string_equal(p.r.peer_name, "MTA-I");
		assert_string_equal(p.i.peer_name, "MTA-R");
		assert_int_equal(x400_transfer_context(p.i.x), 5);
		assert_int_equal(x400_transfer_context(p.r.x), 5);
		assert_true(x400_can_transfer(p.i.x));
		assert_false(x400_can_transfer(p.r.x));
		assert_true(x400_unbind(p.i.x, p.i.now, &e));
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.i.count[X400_UNBOUND], 1);
		assert_int_equal(p.r.count[X400_UNBOUND], 1);
		assert_true(x400_wants_close(p.i.x));
		assert_false(x400_wants_close(p.r.x)); /* the peer closes (X.225 7.7) ... */
		if (i % 2 == 0) {
			x400_transport_closed(p.r.x, NULL);
			assert_false(user_run(&p.r));
		} else { /* ... or the timer does */
			assert_int_equal(x400_deadline(p.r.x), p.r.now + 500);
			x400_tick(p.r.x, p.r.now + 500);
		}
		assert_true(x400_wants_close(p.r.x));
		pair_close(&p);
	}
}

static void test_peers_habits_in_credentials(void **state)
{
	(void)state;
	static const enum x400_password_form forms[] = { X400_PASSWORD_IA5, X400_PASSWORD_OCTETS };
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 2; k++) {
			struct pair p;
			pair_config(&p);
			p.ci.own.form = forms[i];
			pair_start(&p);
			p.r.own.form = forms[k];
			pump(&p.i, &p.r, NULL);
			assert_int_equal(p.i.count[X400_BOUND], 1);
			assert_int_equal(p.r.last[X400_BIND].peer.form, forms[i]);
			assert_int_equal(p.i.last[X400_BOUND].peer.form, forms[k]);
			pair_close(&p);
		}
	}
}

/* A NULL bind both ways (RT-24: the initiator sees that there are no credentials, and may leave). */
static void test_rt_24_unauthenticated(void **state)
{
	(void)state;
	struct pair p;
	pair_config(&p);
	p.ci.own.present = false;
	pair_start(&p);
	p.r.own.present = p.r.wanted.present = false;
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_BOUND], 1);
	assert_false(p.i.last[X400_BOUND].peer.present);
	assert_false(p.r.last[X400_BIND].peer.present);
	pair_close(&p);
}

static void test_rt_21_and_26_refusals(void **state)
{
	(void)state;
	static const enum x400_bind_error errors[] = { X400_BUSY, X400_AUTHENTICATION, X400_DIALOGUE_MODE,
						       X400_SECURITY_CONTEXT, X400_CONFIDENTIALITY };
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct pair p;
		pair_config(&p);
		pair_start(&p);
		p.r.refuse = errors[i];
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.i.count[X400_BIND_REFUSED], 1);
		assert_int_equal(p.i.last[X400_BIND_REFUSED].bind_error, errors[i]);
		assert_int_equal(p.i.last[X400_BIND_REFUSED].err.kind, errors[i] == X400_BUSY ? ERR_TEMP : ERR_PEER);
		assert_int_equal(p.i.last[X400_BIND_REFUSED].err.culprit, ERR_OF_LINK);
		assert_int_equal(p.i.count[X400_ENDED] + p.r.count[X400_ENDED], 0);
		assert_true(x400_wants_close(p.i.x));
		pair_close(&p);
	}
}

/* RT-23, RT-25: names and passwords of both directions are given to the user as they are. */
static void test_rt_25_passwords_of_both_directions(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	assert_string_equal(p.r.peer_password, "pi");
	assert_string_equal(p.i.peer_password, "pr");
	pair_close(&p);
	pair_config(&p);
	pair_start(&p);
	p.r.wanted.password = VIEW("another");
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.last[X400_BIND_REFUSED].bind_error, X400_AUTHENTICATION);
	pair_close(&p);
}

static void test_rt_05_two_way_alternate_to_monologue(void **state)
{
	(void)state;
	struct pair p;
	pair_config(&p);
	p.ci.two_way_alternate = true;
	pair_start(&p);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.last[X400_BIND_REFUSED].bind_error, X400_DIALOGUE_MODE);
	assert_int_equal(p.r.count[X400_BIND], 0);
	assert_int_equal(p.r.count[X400_ENDED], 1);
	assert_non_null(strstr(p.r.last[X400_ENDED].err.text, "two-way alternate"));
	pair_close(&p);
}

/* RT-04: monologue proposed to one that could do more is monologue. */
static void test_rt_04_monologue_to_two_way_alternate(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	pair_config(&p);
	p.cr.two_way_alternate = true;
	pair_bind(&p, NULL);
	assert_false(p.r.last[X400_BIND].peer_two_way_alternate);
	assert_false(x400_turn_please(p.r.x, 0, p.r.now, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	pair_close(&p);
}

static void test_own_name_too_long_is_told(void **state)
{
	(void)state;
	struct x400_config c = config_of(SESSION_INITIATOR);
	struct user u;
	c.own.mta_name = VIEW("a name of more than thirty-two octets");
	user_init(&u, &c);
	(void)user_run(&u);
	assert_int_equal(u.count[X400_ENDED], 1);
	assert_int_equal(u.last[X400_ENDED].err.kind, ERR_LOCAL);
	user_fini(&u);
}

static void test_tp_10_selector_that_is_not_ours(void **state)
{
	(void)state;
	static const struct view own[] = { { (const uint8_t *)"x", 1 }, { (const uint8_t *)"b\xff", 2 } };
	struct pair p;
	pair_config(&p);
	p.cr.own_tsels = own;
	p.cr.n_own_tsels = 2;
	pair_start(&p);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.r.count[X400_ENDED], 1);
	assert_non_null(strstr(p.r.last[X400_ENDED].err.text, "\"b\""));
	assert_int_equal(p.i.count[X400_ENDED], 1);
	pair_close(&p);
	pair_config(&p);
	p.ci.session.called_tsel = own[1];
	p.cr.own_tsels = own;
	p.cr.n_own_tsels = 2;
	pair_bind(&p, NULL);
	pair_close(&p);
	/* Absent is not empty. */
	static const struct view absent[] = { { NULL, 0 } };
	pair_config(&p);
	p.ci.session.send_tsel = false;
	p.cr.own_tsels = absent;
	p.cr.n_own_tsels = 1;
	pair_bind(&p, NULL);
	pair_close(&p);
}

/* --- transfer --- */

static void check_transfer(uint64_t total, unsigned checkpoint, unsigned window, uint32_t *rng)
{
	struct pair p;
	pair_config(&p);
	p.ci.checkpoint_size = checkpoint;
	p.ci.window = window;
	p.cr.checkpoint_size = 63;
	p.cr.window = 63;
	pair_bind(&p, rng);
	assert_int_equal(p.i.last[X400_BOUND].checkpoint_size, checkpoint);
	assert_int_equal(p.i.last[X400_BOUND].window, window);
	transfer(&p.i, &p.r, total, rng);
	if (p.i.count[X400_TRANSFER_CONFIRMED] != 1)
		fail_msg("%llu octets, checkpoint %u, window %u: %s; %s", (unsigned long long)total, checkpoint, window,
			 p.i.last[X400_ENDED].err.text, p.r.last[X400_ENDED].err.text);
	assert_received(&p.r, total);
	const uint64_t size = checkpoint * 1024ull;
	assert_int_equal(p.r.count[X400_TRANSFER_CHECKPOINT], size == 0 ? 0 : (total - 1) / size);
	assert_int_equal(p.r.count[X400_TRANSFER_BEGIN], 1);
	assert_true(x400_can_transfer(p.i.x));
	pair_close(&p);
}

static void test_rt_09_k189753_sizes_around_checkpoints(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { 1, 2, 127, 128, 129, 255, 256, 1023, 1024, 1025, 2047, 2048, 2049, 3071, 3072, 3073,
					  4 * 1024, 5 * 1024 - 1, 10000 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (unsigned window = 1; window <= 4; window++) {
			check_transfer(sizes[i], 1, window, &seed);
			check_transfer(sizes[i], 1, window, NULL);
		}
		check_transfer(sizes[i], 2, 1, &seed);
		check_transfer(sizes[i], 0, 3, &seed);
	}
}

static void test_small_tpdus_and_segmented_tsdus(void **state)
{
	(void)state;
	struct pair p;
	pair_config(&p);
	p.ci.session.tpdu_size = 128;
	p.ci.session.tsdu_max_in = p.ci.session.tsdu_max_out = 300;
	p.cr.session.tsdu_max_in = p.cr.session.tsdu_max_out = 300;
	pair_bind(&p, &seed);
	for (uint64_t n = 1; n < 3000; n += 271) {
		transfer(&p.i, &p.r, n, &seed);
		assert_received(&p.r, n);
	}
	pair_close(&p);
}

/* AS, DT and AE of a small message are in the output before the peer has said anything (DESIGN 4: one flight). */
static void test_small_message_is_one_flight(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_open(&p);
	assert_true(x400_transfer_begin(p.i.x, 700, p.i.now, &e));
	give(&p.i, 700, &done);
	assert_int_equal(done, 700);
	assert_string_equal(x400_state_name(p.i.x), "sent");
	const struct out *o = x400_out(p.i.x);
	assert_int_equal(tsdus_that_begin(o, "01002d"), 1);
	assert_int_equal(tsdus_that_begin(o, "01000100"), 1);
	assert_int_equal(tsdus_that_begin(o, "010029"), 1);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(tsdus_that_begin(&p.r.sent, "02002a032a0131"), 1);
	pair_close(&p);
}

/* Without an answer from the receiver's user, a sender stops after `window` minor syncs. */
static void check_window(unsigned window)
{
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_config(&p);
	p.ci.window = window;
	p.cr.window = 10;
	pair_bind(&p, NULL);
	p.r.hold_confirm = true;
	assert_true(x400_transfer_begin(p.i.x, 20 * 1024, p.i.now, &e));
	for (int i = 0; i < 5; i++) {
		give(&p.i, 20 * 1024, &done);
		pump(&p.i, &p.r, NULL);
	}
	assert_int_equal(done, window * 1024u);
	assert_int_equal(p.r.count[X400_TRANSFER_CHECKPOINT], window);
	assert_int_equal(x400_transfer_room(p.i.x), 0);
	/* One confirmation makes room for one more. */
	x400_checkpoint_confirm(p.r.x, 1);
	pump(&p.i, &p.r, NULL);
	give(&p.i, 20 * 1024, &done);
	assert_int_equal(done, (window + 1) * 1024u);
	/* A later one stands for all before it. */
	pump(&p.i, &p.r, NULL);
	x400_checkpoint_confirm(p.r.x, p.r.last_serial);
	p.r.hold_confirm = false;
	while (done < 20 * 1024) {
		pump(&p.i, &p.r, NULL);
		give(&p.i, 20 * 1024, &done);
	}
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_received(&p.r, 20 * 1024);
	pair_close(&p);
}

static void test_rt_03_window(void **state)
{
	(void)state;
	for (unsigned window = 1; window <= 5; window++)
		check_window(window);
}

/* 5 MB in one RTTR, no checkpoints: neither side holds more than its buffers. */
static void test_one_large_segment_in_little_memory(void **state)
{
	(void)state;
	enum { TOTAL = 5000000, SLACK = 300000 };
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_config(&p);
	p.ci.checkpoint_size = 0;
	p.ci.session.out_max = 1 << 15;
	pair_bind(&p, NULL);
	p.r.keep_octets = false;
	out_fini(&p.i.sent); /* what it records is not kept either */
	out_init(&p.i.sent, 0);
	const size_t before = mallinfo2().uordblks;
	size_t most = 0;
	assert_true(x400_transfer_begin(p.i.x, TOTAL, p.i.now, &e));
	while (done < TOTAL) {
		give(&p.i, TOTAL, &done);
		assert_true(out_len(x400_out(p.i.x)) <= (1 << 15) + 64);
		pump(&p.i, &p.r, NULL);
		const size_t now = mallinfo2().uordblks;
		most = now > before && now - before > most ? now - before : most;
	}
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(p.r.octets, TOTAL);
	assert_true(most < SLACK);
	pair_close(&p);
}

/* AS with ids 1 .. 20 as DER INTEGERs, in order. */
static void test_rt_28_twenty_messages(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	for (unsigned i = 1; i <= 20; i++) {
		transfer(&p.i, &p.r, 100 * i, NULL);
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], i);
		assert_received(&p.r, 100 * i);
	}
	for (unsigned i = 1; i <= 20; i++) {
		char as[40];
		snprintf(as, sizeof as, "01002d05 2903 0201%02x", i);
		assert_int_equal(tsdus_that_begin(&p.i.sent, as), 1);
	}
	p.i.x->activities = 126; /* INTEGERs get their second octet at 128 */
	transfer(&p.i, &p.r, 10, NULL);
	transfer(&p.i, &p.r, 10, NULL);
	assert_int_equal(tsdus_that_begin(&p.i.sent, "01002d05 2903 02017f"), 1);
	assert_int_equal(tsdus_that_begin(&p.i.sent, "01002d06 2904 02020080"), 1);
	pair_close(&p);
}

/* Back-pressure: while the receiver's user takes no events, octets stop being taken, and nothing is lost. */
static void test_receiver_that_does_not_read(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_config(&p);
	p.ci.checkpoint_size = 0;
	pair_bind(&p, NULL);
	assert_true(x400_transfer_begin(p.i.x, 1000000, p.i.now, &e));
	size_t taken = 0;
	for (;;) {
		give(&p.i, 1000000, &done);
		const struct view v = out_view(x400_out(p.i.x));
		const size_t n = x400_feed(p.r.x, v, p.r.now);
		if (n == 0)
			break;
		taken += n;
		out_drop(x400_out(p.i.x), n);
	}
	assert_true(taken < 200000);
	assert_int_equal(x400_deadline(p.r.x) < INT64_MAX, true);
	while (done < 1000000) {
		pump(&p.i, &p.r, NULL);
		give(&p.i, 1000000, &done);
	}
	pump(&p.i, &p.r, NULL);
	assert_received(&p.r, 1000000);
	pair_close(&p);
}

/* A window wider than the output: segments stop where it is full. */
static void test_output_full_between_segments(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_config(&p);
	p.ci.session.out_max = 4096;
	p.ci.window = p.cr.window = 20;
	pair_bind(&p, NULL);
	assert_true(x400_transfer_begin(p.i.x, 20000, p.i.now, &e));
	give(&p.i, 20000, &done);
	assert_true(done > 2000 && done < 4096);
	assert_true(out_len(x400_out(p.i.x)) <= 4096);
	while (done < 20000) {
		pump(&p.i, &p.r, NULL);
		give(&p.i, 20000, &done);
		assert_true(out_len(x400_out(p.i.x)) <= 4096 + 64);
	}
	pump(&p.i, &p.r, NULL);
	assert_received(&p.r, 20000);
	pair_close(&p);
}

static void test_longer_than_the_limit(void **state)
{
	(void)state;
	struct pair p;
	pair_config(&p);
	p.cr.apdu_max = 5000;
	pair_bind(&p, NULL);
	transfer(&p.i, &p.r, 5000, &seed);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	transfer(&p.i, &p.r, 5001, &seed);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(p.r.count[X400_ENDED], 1);
	assert_non_null(strstr(p.r.last[X400_ENDED].err.text, "more than 5000"));
	assert_int_equal(p.i.count[X400_ENDED], 1);
	assert_non_null(strstr(p.i.last[X400_ENDED].err.text, "permanentProblem"));
	assert_true(p.r.octets <= 10000);
	pair_close(&p);
}

/* --- refusals and discards --- */

static void test_transfer_refused_then_sent_again(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { 10, 1024, 4000 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct pair p;
		pair_config(&p);
		pair_bind(&p, &seed);
		p.r.refuse_transfer = true;
		transfer(&p.i, &p.r, sizes[i], &seed);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		assert_int_equal(p.i.last[X400_TRANSFER_FAILED].err.kind, ERR_TEMP);
		assert_int_equal(p.r.count[X400_TRANSFER_ABORTED], 1);
		p.r.refuse_transfer = false;
		transfer(&p.i, &p.r, sizes[i], &seed);
		assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
		assert_received(&p.r, sizes[i]);
		pair_close(&p);
	}
}

/* In the middle: the exception crosses data, which are dropped. */
static void test_transfer_refused_in_the_middle(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		struct pair p;
		struct err e;
		uint64_t done = 0;
		pair_config(&p);
		p.ci.checkpoint_size = round % 2;
		pair_bind(&p, &seed);
		assert_true(x400_transfer_begin(p.i.x, 6000, p.i.now, &e));
		give(&p.i, 3000, &done);
		pump(&p.i, &p.r, &seed);
		give(&p.i, 5000, &done);
		assert_true(x400_transfer_refuse(p.r.x, &e));
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		assert_int_equal(p.r.count[X400_TRANSFER_ABORTED], 1);
		assert_int_equal(p.i.count[X400_ENDED] + p.r.count[X400_ENDED], 0);
		transfer(&p.i, &p.r, 6000, &seed);
		assert_received(&p.r, 6000);
		pair_close(&p);
	}
}

static void test_discard_at_every_point(void **state)
{
	(void)state;
	for (uint64_t at = 0; at <= 5000; at += 500) {
		struct pair p;
		struct err e;
		uint64_t done = 0;
		pair_config(&p);
		pair_bind(&p, NULL);
		p.r.hold_end = true;
		assert_true(x400_transfer_begin(p.i.x, 5000, p.i.now, &e));
		while (done < at) {
			give(&p.i, at, &done);
			pump(&p.i, &p.r, NULL);
		}
		x400_transfer_discard(p.i.x);
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.i.count[X400_TRANSFER_FAILED], 1);
		assert_int_equal(p.r.count[X400_TRANSFER_ABORTED], 1);
		assert_false(x400_transfer_accept(p.r.x, &e)); /* too late, and said so */
		p.r.hold_end = false;
		transfer(&p.i, &p.r, 5000, NULL);
		assert_received(&p.r, 5000);
		pair_close(&p);
	}
}

/* Octets given after the peer has ended the transfer are forgotten, not an error. */
static void test_data_after_the_end_are_ignored(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_open(&p);
	assert_true(x400_transfer_begin(p.i.x, 6000, p.i.now, &e));
	give(&p.i, 100, &done);
	pump(&p.i, &p.r, NULL);
	assert_true(x400_transfer_refuse(p.r.x, &e));
	pump(&p.i, &p.r, NULL);
	x400_transfer_data(p.i.x, VIEW("late"), p.i.now);
	assert_int_equal(x400_transfer_room(p.i.x), 0);
	transfer(&p.i, &p.r, 50, NULL);
	assert_received(&p.r, 50);
	pair_close(&p);
}

static void test_rt_14_connection_lost_before_the_confirmation(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	p.r.hold_end = true;
	transfer(&p.i, &p.r, 3000, NULL);
	assert_int_equal(p.r.count[X400_TRANSFER_END], 1);
	x400_transport_closed(p.i.x, NULL);
	(void)user_run(&p.i);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 0);
	assert_int_equal(p.i.count[X400_ENDED], 1);
	assert_int_equal(p.i.last[X400_ENDED].err.kind, ERR_TEMP);
	assert_non_null(strstr(p.i.last[X400_ENDED].err.text, "\"sent\""));
	pair_close(&p);
}

/* What came before the end of the connection is still looked at. */
static void test_octets_before_the_end_of_the_connection_count(void **state)
{
	(void)state;
	struct pair p;
	pair_open(&p);
	p.r.hold_end = true;
	transfer(&p.i, &p.r, 3000, NULL);
	struct err e;
	assert_true(x400_transfer_accept(p.r.x, &e));
	const struct view v = out_view(x400_out(p.r.x));
	assert_int_equal(x400_feed(p.i.x, v, p.i.now), v.n);
	x400_transport_closed(p.i.x, NULL);
	(void)user_run(&p.i);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(p.i.count[X400_ENDED], 1);
	pair_close(&p);
}

/* --- the turn --- */

static void test_turn_goes_to_and_fro(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	pair_config(&p);
	p.ci.two_way_alternate = p.cr.two_way_alternate = true;
	pair_bind(&p, &seed);
	assert_true(p.i.last[X400_BOUND].peer_two_way_alternate);
	for (unsigned round = 1; round <= 5; round++) {
		transfer(&p.i, &p.r, 2500, &seed);
		assert_true(x400_turn_please(p.r.x, round, p.r.now, &e));
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.i.count[X400_TURN_PLEASE], round);
		assert_int_equal(p.i.priority, round);
		assert_true(x400_turn_give(p.i.x, &e));
		assert_false(x400_can_transfer(p.i.x));
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.r.count[X400_TURN_GIVEN], round);
		assert_false(x400_unbind(p.i.x, p.i.now, &e)); /* only who has the turn may leave */
		assert_false(x400_unbind(p.r.x, p.r.now, &e)); /* and who began it */
		transfer(&p.r, &p.i, 3000, &seed);
		assert_received(&p.i, 3000);
		assert_int_equal(p.r.count[X400_TRANSFER_CONFIRMED], round);
		assert_true(x400_turn_give(p.r.x, &e));
		pump(&p.i, &p.r, &seed);
		assert_int_equal(p.i.count[X400_TURN_GIVEN], round);
	}
	assert_true(x400_unbind(p.i.x, p.i.now, &e));
	pump(&p.i, &p.r, &seed);
	assert_int_equal(p.i.count[X400_UNBOUND], 1);
	pair_close(&p);
}

/* RTTP in its wrapping: 61 30 (02 01 03, a0 (02 01 07)) (X.228 clause 9). */
static void test_turn_please_on_the_wire_and_in_a_transfer(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_config(&p);
	p.ci.two_way_alternate = p.cr.two_way_alternate = true;
	pair_bind(&p, NULL);
	assert_true(x400_turn_please(p.r.x, 7, p.r.now, &e));
	struct arena *a = arena_new(1 << 20);
	const struct view want = octets_of(a, "61(30(020103 a0(020107)))"), got = out_view(x400_out(p.r.x));
	assert_true(got.n > want.n);
	assert_memory_equal(got.p + got.n - want.n, want.p, want.n);
	arena_free(&a);
	assert_true(x400_transfer_begin(p.i.x, 3000, p.i.now, &e));
	give(&p.i, 1000, &done);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.priority, 7);
	while (done < 3000) {
		give(&p.i, 3000, &done);
		pump(&p.i, &p.r, NULL);
	}
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	pair_close(&p);
}

/* --- the ends --- */

/* Brings a pair to where state n is reached by one of its sides; that side, or NULL after the last. */
static struct user *reach(struct pair *p, unsigned n)
{
	struct err e;
	uint64_t done = 0;
	pair_config(p);
	p->ci.two_way_alternate = p->cr.two_way_alternate = true;
	switch ((enum x400_state)n) {
	case X400_S_CONNECTING:
		pair_start(p);
		return &p->i;
	case X400_S_LISTENING:
		pair_start(p);
		return &p->r;
	case X400_S_ACCEPTING: /* CR has come, CN not */
		pair_start(p);
		(void)wire_move(&p->i, &p->r, SIZE_MAX);
		return &p->r;
	case X400_S_BINDING:
		pair_start(p);
		(void)wire_move(&p->i, &p->r, SIZE_MAX);
		(void)wire_move(&p->r, &p->i, SIZE_MAX);
		return &p->i;
	case X400_S_DECIDING:
		pair_start(p);
		p->r.hold_bind = true;
		pump(&p->i, &p->r, NULL);
		return &p->r;
	case X400_S_OPEN:
		pair_bind(p, NULL);
		return &p->r;
	case X400_S_SENDING:
		pair_bind(p, NULL);
		p->r.hold_confirm = true;
		assert_true(x400_transfer_begin(p->i.x, 9000, p->i.now, &e));
		give(&p->i, 9000, &done);
		pump(&p->i, &p->r, NULL);
		return &p->i;
	case X400_S_RECEIVING:
		pair_bind(p, NULL);
		assert_true(x400_transfer_begin(p->i.x, 9000, p->i.now, &e));
		give(&p->i, 500, &done);
		pump(&p->i, &p->r, NULL);
		return &p->r;
	case X400_S_ENDING:
	case X400_S_RECEIVED:
		pair_bind(p, NULL);
		p->r.hold_end = true;
		transfer(&p->i, &p->r, 500, NULL);
		return n == X400_S_ENDING ? &p->i : &p->r;
	case X400_S_DISCARDING:
		pair_bind(p, NULL);
		assert_true(x400_transfer_begin(p->i.x, 9000, p->i.now, &e));
		give(&p->i, 500, &done);
		x400_transfer_discard(p->i.x);
		return &p->i;
	case X400_S_INTERRUPTING:
	case X400_S_RESUMING:
		p->ci.resumes = true;
		pair_bind(p, NULL);
		assert_true(x400_transfer_begin(p->i.x, 9000, p->i.now, &e));
		give(&p->i, 9000, &done);
		pump(&p->i, &p->r, NULL);
		x400_transfer_interrupt(p->i.x);
		if (n == X400_S_INTERRUPTING)
			return &p->i;
		p->r.hold_resume = true;
		pump(&p->i, &p->r, NULL);
		struct x400_resume at;
		assert_true(x400_resumable(p->i.x, &at));
		assert_true(x400_transfer_resume(p->i.x, &at, 9000, p->i.now, &e));
		pump(&p->i, &p->r, NULL);
		return &p->r;
	case X400_S_EXCEPTED:
		pair_bind(p, NULL);
		assert_true(x400_transfer_begin(p->i.x, 9000, p->i.now, &e));
		give(&p->i, 500, &done);
		pump(&p->i, &p->r, NULL);
		assert_true(x400_transfer_refuse(p->r.x, &e));
		return &p->r;
	case X400_S_RELEASING:
		pair_bind(p, NULL);
		assert_true(x400_unbind(p->i.x, p->i.now, &e));
		return &p->i;
	case X400_S_CLOSING:
	case X400_S_CLOSED:
	case X400_S_COUNT:
		break;
	}
	return NULL;
}

static void test_abort_in_every_state(void **state)
{
	(void)state;
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "the test wants it");
	for (unsigned n = 0; n < X400_S_CLOSING; n++) {
		struct pair p;
		struct user *u = reach(&p, n);
		assert_non_null(u);
		assert_int_equal(u->x->state, n);
		struct user *other = u == &p.i ? &p.r : &p.i;
		x400_abort(u->x, &why, u->now);
		x400_check_state(u->x);
		pump(&p.i, &p.r, &seed);
		assert_int_equal(u->count[X400_ENDED], 0); /* who aborts knows */
		assert_true(x400_wants_close(u->x));
		x400_transport_closed(other->x, NULL);
		(void)user_run(other);
		if (n == X400_S_RELEASING) { /* FN went before the abort: the other has answered and left */
			assert_int_equal(other->count[X400_UNBOUND], 1);
			pair_close(&p);
			continue;
		}
		if (other->count[X400_ENDED] != 1)
			fail_msg("abort in state %u: %u ends, %s", n, other->count[X400_ENDED], x400_state_name(other->x));
		if (n >= X400_S_OPEN) {
			assert_int_equal(other->last[X400_ENDED].err.kind, ERR_TEMP);
			if (strstr(other->last[X400_ENDED].err.text, "temporaryProblem") == NULL)
				fail_msg("state %s: %s", x400_state_name(u->x), other->last[X400_ENDED].err.text); /* RT-19 */
		}
		/* Over is over. */
		assert_int_equal(x400_feed(u->x, VIEW("whatever"), u->now), 8);
		assert_false(user_run(u));
		assert_int_equal(x400_transfer_room(u->x), 0);
		pair_close(&p);
	}
}

static void test_connection_lost_in_every_state(void **state)
{
	(void)state;
	for (unsigned n = 0; n < X400_S_CLOSING; n++) {
		struct pair p;
		struct user *u = reach(&p, n);
		char name[64];
		snprintf(name, sizeof name, "\"%s\"", x400_state_name(u->x));
		x400_transport_closed(u->x, NULL);
		(void)user_run(u);
		assert_int_equal(u->count[X400_ENDED], 1);
		assert_non_null(strstr(u->last[X400_ENDED].err.text, name));
		assert_true(x400_wants_close(u->x));
		assert_false(user_run(u));
		assert_int_equal(u->count[X400_ENDED], 1);
		pair_close(&p);
	}
}

/* What is waited for in each state and how long, from the comments of struct x400_config. */
static void test_every_wait_has_its_limit(void **state)
{
	(void)state;
	static const struct { enum x400_state state; int64_t ms; const char *waits_for; } rows[] = {
		{ X400_S_CONNECTING, 1000, "(CC)" }, { X400_S_BINDING, 1000, "AC or RF" }, { X400_S_LISTENING, 1000, "(CR)" },
		{ X400_S_ACCEPTING, 1000, "(CN)" }, { X400_S_DECIDING, 1000, "decision" }, { X400_S_OPEN, 4000, "next activity" },
		{ X400_S_SENDING, 2000, "minor sync" }, { X400_S_ENDING, 2000, "(AEA)" }, { X400_S_DISCARDING, 2000, "(ADA)" },
		{ X400_S_INTERRUPTING, 2000, "(AIA)" },
		{ X400_S_RECEIVING, 3000, "octets" }, { X400_S_EXCEPTED, 2000, "(AD, AI)" }, { X400_S_RELEASING, 2000, "(DN)" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pair p;
		struct user *u = reach(&p, rows[i].state);
		(void)user_run(u);
		const int64_t at = x400_deadline(u->x);
		char name[64], ms[32];
		snprintf(name, sizeof name, "\"%s\"", x400_state_name(u->x));
		snprintf(ms, sizeof ms, "waited %lld ms", (long long)rows[i].ms);
		assert_int_equal(at, u->now + rows[i].ms);
		x400_tick(u->x, at - 1);
		u->now = at - 1;
		assert_false(user_run(u));
		assert_int_equal(x400_deadline(u->x), at);
		x400_tick(u->x, at);
		u->now = at;
		(void)user_run(u);
		assert_int_equal(u->count[X400_ENDED], 1);
		const struct err *e = &u->last[X400_ENDED].err;
		if (strstr(e->text, rows[i].waits_for) == NULL || strstr(e->text, name) == NULL || strstr(e->text, ms) == NULL)
			fail_msg("state %s says: %s", name, e->text);
		assert_int_equal(e->culprit, ERR_OF_ASSOCIATION);
		/* And the abort has its own: TIM. */
		assert_int_equal(x400_deadline(u->x), at + 500);
		x400_tick(u->x, at + 500);
		assert_true(x400_wants_close(u->x));
		assert_int_equal(x400_deadline(u->x), INT64_MAX);
		pair_close(&p);
	}
}

static void test_waits_that_have_no_limit(void **state)
{
	(void)state;
	struct pair p;
	/* An initiator's user decides how long it stays; a responder without idle timeout stays. */
	pair_config(&p);
	p.cr.idle_timeout_ms = 0;
	pair_bind(&p, NULL);
	assert_int_equal(x400_deadline(p.i.x), INT64_MAX);
	assert_int_equal(x400_deadline(p.r.x), INT64_MAX);
	pair_close(&p);
	/* Our own user has the message. */
	struct user *u = reach(&p, X400_S_RECEIVED);
	assert_int_equal(x400_deadline(u->x), INT64_MAX);
	pair_close(&p);
	/* Room to send, and nothing to send: that is not the peer's doing. */
	struct err e;
	pair_open(&p);
	assert_true(x400_transfer_begin(p.i.x, 9000, p.i.now, &e));
	assert_true(x400_transfer_room(p.i.x) > 0);
	assert_int_equal(x400_deadline(p.i.x), INT64_MAX);
	pair_close(&p);
}

/* Octets put off the receiver's limit; a window held closed by its own user suspends it. */
static void test_receive_limit_is_between_octets(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	pair_config(&p);
	p.ci.checkpoint_size = p.cr.checkpoint_size = 63;
	pair_bind(&p, NULL);
	p.r.hold_confirm = true;
	assert_true(x400_transfer_begin(p.i.x, 300000, p.i.now, &e));
	for (unsigned i = 1; i <= 10; i++) {
		give(&p.i, 6000 * i, &done);
		p.r.now += 2999;
		x400_tick(p.r.x, p.r.now);
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.r.count[X400_ENDED], 0);
		assert_int_equal(x400_deadline(p.r.x), p.r.now + 3000);
	}
	while (x400_transfer_room(p.i.x) > 0) {
		give(&p.i, 300000, &done);
		pump(&p.i, &p.r, NULL);
	}
	assert_int_equal(p.r.count[X400_TRANSFER_CHECKPOINT], 3);
	assert_int_equal(x400_deadline(p.r.x), INT64_MAX);
	p.r.now += 100000;
	x400_checkpoint_confirm(p.r.x, 1); /* told no time: the wait begins when time is next told */
	x400_tick(p.r.x, p.r.now);
	assert_int_equal(x400_deadline(p.r.x), p.r.now + 3000);
	assert_int_equal(p.r.count[X400_ENDED], 0);
	pair_close(&p);
}

/* Answers that need no clock begin their wait when the clock is next told. */
static void test_waits_after_calls_without_a_clock(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	pair_config(&p);
	pair_start(&p);
	p.r.hold_bind = true;
	pump(&p.i, &p.r, NULL);
	p.r.now += 900;
	assert_true(x400_bind_accept(p.r.x, &p.r.own, &e));
	(void)user_run(&p.r);
	assert_int_equal(x400_deadline(p.r.x), p.r.now + 4000);
	pair_close(&p);
	pair_config(&p);
	pair_start(&p);
	p.r.hold_bind = true;
	pump(&p.i, &p.r, NULL);
	p.r.now += 900;
	assert_true(x400_bind_refuse(p.r.x, X400_BUSY, &e));
	(void)user_run(&p.r);
	assert_int_equal(x400_deadline(p.r.x), p.r.now + 500);
	pair_close(&p);
}

static void test_calls_out_of_place(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	pair_open(&p);
	assert_false(x400_bind_accept(p.r.x, NULL, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_false(x400_bind_refuse(p.r.x, X400_BUSY, &e));
	assert_false(x400_transfer_accept(p.r.x, &e));
	assert_false(x400_transfer_refuse(p.r.x, &e));
	assert_false(x400_unbind(p.r.x, p.r.now, &e));
	assert_false(x400_transfer_begin(p.r.x, 10, p.r.now, &e));
	assert_false(x400_transfer_begin(p.i.x, 0, p.i.now, &e));
	assert_false(x400_turn_give(p.i.x, &e));
	x400_checkpoint_confirm(p.r.x, 1);
	x400_transfer_discard(p.i.x);
	struct x400 *none = NULL;
	x400_free(&none);
	assert_true(x400_transfer_begin(p.i.x, 10, p.i.now, &e));
	assert_false(x400_unbind(p.i.x, p.i.now, &e));
	assert_false(x400_transfer_begin(p.i.x, 10, p.i.now, &e));
	x400_transfer_discard(p.i.x);
	pump(&p.i, &p.r, NULL);
	transfer(&p.i, &p.r, 2000, NULL);
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], 1);
	assert_int_equal(p.i.count[X400_ENDED] + p.r.count[X400_ENDED], 0);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind_and_release_in_pieces),
		cmocka_unit_test(test_peers_habits_in_credentials),
		cmocka_unit_test(test_rt_24_unauthenticated),
		cmocka_unit_test(test_rt_21_and_26_refusals),
		cmocka_unit_test(test_rt_25_passwords_of_both_directions),
		cmocka_unit_test(test_rt_05_two_way_alternate_to_monologue),
		cmocka_unit_test(test_rt_04_monologue_to_two_way_alternate),
		cmocka_unit_test(test_own_name_too_long_is_told),
		cmocka_unit_test(test_tp_10_selector_that_is_not_ours),
		cmocka_unit_test(test_rt_09_k189753_sizes_around_checkpoints),
		cmocka_unit_test(test_small_tpdus_and_segmented_tsdus),
		cmocka_unit_test(test_small_message_is_one_flight),
		cmocka_unit_test(test_rt_03_window),
		cmocka_unit_test(test_one_large_segment_in_little_memory),
		cmocka_unit_test(test_rt_28_twenty_messages),
		cmocka_unit_test(test_receiver_that_does_not_read),
		cmocka_unit_test(test_output_full_between_segments),
		cmocka_unit_test(test_longer_than_the_limit),
		cmocka_unit_test(test_transfer_refused_then_sent_again),
		cmocka_unit_test(test_transfer_refused_in_the_middle),
		cmocka_unit_test(test_discard_at_every_point),
		cmocka_unit_test(test_data_after_the_end_are_ignored),
		cmocka_unit_test(test_rt_14_connection_lost_before_the_confirmation),
		cmocka_unit_test(test_octets_before_the_end_of_the_connection_count),
		cmocka_unit_test(test_turn_goes_to_and_fro),
		cmocka_unit_test(test_turn_please_on_the_wire_and_in_a_transfer),
		cmocka_unit_test(test_abort_in_every_state),
		cmocka_unit_test(test_connection_lost_in_every_state),
		cmocka_unit_test(test_every_wait_has_its_limit),
		cmocka_unit_test(test_waits_that_have_no_limit),
		cmocka_unit_test(test_receive_limit_is_between_octets),
		cmocka_unit_test(test_waits_after_calls_without_a_clock),
		cmocka_unit_test(test_calls_out_of_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
