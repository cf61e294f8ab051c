/* rtse_test.c - RTSE's reader of P-DATA, its sender's arithmetic and what two sides agree on. Expected octets are
 * written by hand from X.226 8.4.2 and X.228 clause 9, or are those of the captures. */
#include "flow/engine/x400/upper_test.h"

#include "flow/codec/osi/capture_test.h"
#include "flow/engine/x400/rtse.h"

struct world {
	struct arena *a;
	struct presentation p;
	struct rtse_reader *r;
	struct out got;
	struct err e;
};

static int begin(void **state)
{
	struct world *w = mem_zero(sizeof *w);
	w->a = arena_new(1 << 24);
	presentation_propose(&w->p);
	w->r = rtse_reader_new(&w->p);
	out_init(&w->got, 1 << 20);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	rtse_reader_free(&w->r);
	out_fini(&w->got);
	arena_free(&w->a);
	free(w);
	return 0;
}

/* Reads `in` as one SSDU given in pieces of `chunk` octets. */
static bool read_in_chunks(struct world *w, struct view in, size_t chunk)
{
	out_clear(&w->got);
	rtse_reader_reset(w->r);
	while (in.n > 0) {
		struct view part = view_first(in, chunk), octets;
		in = view_from(in, part.n);
		for (;;) {
			const enum step step = rtse_reader_next(w->r, &part, &octets, &w->e);
			if (step == STEP_FAIL)
				return false;
			if (step == STEP_WAIT)
				break;
			assert_true(octets.n > 0); /* progress */
			out_bytes(&w->got, octets);
		}
		assert_int_equal(part.n, 0);
	}
	return rtse_reader_end(w->r, &w->e);
}

static void assert_reads(struct world *w, const char *form, const char *want)
{
	const struct view in = octets_of(w->a, form), octets = octets_of(w->a, want);
	for (size_t chunk = 1; chunk <= in.n; chunk++) {
		if (!read_in_chunks(w, in, chunk))
			fail_msg("%s in pieces of %zu: %s", form, chunk, w->e.text);
		assert_true(view_eq(out_view(&w->got), octets));
	}
	/* Cut anywhere, it is incomplete. */
	for (size_t n = 0; n < in.n; n++)
		assert_false(read_in_chunks(w, view_first(in, n), 7));
}

static void assert_refuses(struct world *w, const char *form, const char *says, bool is_below)
{
	const struct view in = octets_of(w->a, form);
	for (size_t chunk = 1; chunk <= in.n; chunk++) {
		assert_false(read_in_chunks(w, in, chunk));
		if (strstr(w->e.text, says) == NULL)
			fail_msg("%s says: %s", form, w->e.text);
		assert_int_equal(rtse_reader_failed_below(w->r), is_below);
		assert_int_equal(w->e.kind, ERR_PEER);
	}
}

static void test_pa_06_single_and_octet_aligned(void **state)
{
	struct world *w = *state;
	assert_reads(w, "61(30(020103 a0(0403 010203)))", "010203");
	assert_reads(w, "61(30(020103 81(0403 010203)))", "010203");
	assert_refuses(w, "61(30(020103 82(00 0403 010203)))", "neither single", true);
}

static void test_octet_aligned_constructed(void **state)
{
	struct world *w = *state;
	/* [1] constructed of two strings that together hold 24 07 { 04 02 01 02, 04 01 03 }. */
	assert_reads(w, "61(30(020103 a1(0404 24070402 0405 0102040103)))", "010203");
}

static void test_pa_07_indefinite_at_every_level(void **state)
{
	struct world *w = *state;
	assert_reads(w, "6180 3080 020103 a080 2480 0402 0102 0401 03 0000 0000 0000 0000", "010203");
}

static void test_pa_08_definite_around_indefinite(void **state)
{
	struct world *w = *state;
	assert_reads(w, "61(3080 020103 a080 2480 0402 0102 0000 0000 0000)", "0102");
	/* The definite length is one short of its children. */
	assert_refuses(w, "6112 3080 020103 a080 2480 0402 0102 0000 0000 0000", "", true);
}

static void test_pa_10_context_not_in_the_set(void **state)
{
	struct world *w = *state;
	assert_refuses(w, "61(30(020107 a0(0403 010203)))", "context 7", true);
	assert_refuses(w, "61(30(020105 a0(0403 010203)))", "not RTSE's", false);
	w->p.v[1].result = PPDU_PROVIDER_REJECTION;
	assert_refuses(w, "61(30(020103 a0(0403 010203)))", "context 3", true);
}

static void test_rt_10_and_11_string_forms(void **state)
{
	struct world *w = *state;
	assert_reads(w, "61(30(020103 a0(24(24(24(0401 01)0401 02)0401 03))))", "010203");
	assert_reads(w, "61(30(020103 a0(24 80 2480 2480 0401 01 0000 0000 0400 0401 02 0000)))", "0102");
	assert_reads(w, "61(30(020103 a0(0400)))", "");
	/* Two lists in one SSDU, each with its RTTR. */
	assert_reads(w, "61(30(020103 a0(0401 01)) 30(020103 a0(0401 02)))", "0102");
}

static void test_what_is_no_rttr(void **state)
{
	struct world *w = *state;
	assert_refuses(w, "61(30(020103 a0(020101)))", "no RTTR", false);
	assert_refuses(w, "61(30(020103 a0(0401 01 0401 02)))", "two values", false);
	assert_refuses(w, "61(30(020103 a0(240302 0101)))", "no RTTR", false);
	assert_refuses(w, "60(0401 01)", "not fully encoded", true);
	assert_refuses(w, "61(31(020103 a0(0401 01)))", "not a PDV-list", true);
	assert_refuses(w, "61(30(a0(0401 01) 020103))", "out of place", true);
	assert_refuses(w, "61(30(020103))", "without value", true);
	assert_refuses(w, "61(30(0205 0100000003 a0(0401 01)))", "more than 4 octets", true);
	assert_refuses(w, "61()", "no PDV-list", true);
	assert_refuses(w, "61(30(020103 a0(0401 01))) 61(30(020103 a0(0401 01)))", "more than one", true);
	assert_refuses(w, "61(30(020103 81(0401 01 00)))", "", false);
	assert_refuses(w, "61(30(020103 81(0403 01)))", "ends inside", false);
	assert_refuses(w, "61(30(020103 a0()))", "without value", true);
}

static void test_nesting_has_a_limit(void **state)
{
	struct world *w = *state;
	char form[400] = "6180 3080 020103 a080";
	for (int i = 0; i < 60; i++)
		snprintf(form + strlen(form), sizeof form - strlen(form), "2480");
	assert_refuses(w, form, "", true);
}

/* The RTTR octets of the segment that the checkpoint capture begins with, as the reader gives them. */
static void test_segments_of_the_capture(void **state)
{
	struct world *w = *state;
	struct capture *cap = capture_open("pp-checkpoints.pcap");
	struct out tsdu, side = capture_side(cap, 0, true);
	struct cur c = cur_of(out_view(&side));
	size_t segments = 0, octets = 0;
	out_init(&tsdu, 1 << 16);
	while (capture_tsdu(&c, &tsdu)) {
		const struct view v = out_view(&tsdu);
		if (v.n < 5 || v.p[0] != 1 || v.p[2] != 1)
			continue; /* not GT and DT */
		assert_true(read_in_chunks(w, view_from(v, 4), 100));
		segments++;
		octets += out_len(&w->got);
	}
	assert_int_equal(segments, 196);
	assert_int_equal(octets, 195 * 1024 + 512);
	out_fini(&tsdu);
	out_fini(&side);
	capture_close(&cap);
}

static void test_segment_headers(void **state)
{
	(void)state;
	static const struct { int64_t context; uint64_t n; const char *want; } rows[] = {
		{ 3, 3, "610c 300a 020103 a005 0403" }, /* 30 counts 3 + 2 + 5 */
		{ 3, 1024, "6182040f 3082040b 020103 a0820404 04820400" },
		{ 200, 3, "610d 300b 020200c8 a005 0403" },
		{ 3, 5000000, "61834c4b52 30834c4b4d 020103 a0834c4b45 04834c4b40" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o;
		out_init(&o, 64);
		rtse_segment_header(rows[i].context, rows[i].n, &o);
		assert_octets(out_view(&o), rows[i].want);
		out_fini(&o);
	}
}

/* --- agreement --- */

static void test_rt_06_sizes_agreed(void **state)
{
	(void)state;
	static const struct { unsigned proposed, answered, agreed; } checkpoint[] = {
		{ 0, 10, 10 }, { 0, 0, 0 }, { 63, 63, 63 }, { 63, 1, 1 }, { 63, 0, 0 }, { 10, 63, 10 },
	}, window[] = {
		{ 3, 3, 3 }, { 3, 5, 3 } /* Q189754 */, { 5, 3, 3 }, { 1, 3, 1 }, { 3, 0, 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(checkpoint); i++) {
		const struct rtse_open p = { .checkpoint_size = checkpoint[i].proposed, .window = 3 };
		const struct rtse_open q = { .checkpoint_size = checkpoint[i].answered, .window = 3 };
		assert_int_equal(rtse_agree(&p, &q).checkpoint_size, checkpoint[i].agreed);
	}
	for (size_t i = 0; i < ARRAY_LEN(window); i++) {
		const struct rtse_open p = { .window = window[i].proposed }, q = { .window = window[i].answered };
		assert_int_equal(rtse_agree(&p, &q).window, window[i].agreed);
	}
}

/* A responder lowers and never raises; no checkpoints proposed stay none. */
static void test_sizes_answered(void **state)
{
	(void)state;
	static const struct { unsigned proposed, own, answer; } rows[] = {
		{ 63, 63, 63 }, { 63, 1, 1 }, { 10, 63, 10 }, { 0, 63, 0 }, { 63, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct rtse_open p = { .checkpoint_size = rows[i].proposed, .window = 5 };
		const struct rtse_open own = { .checkpoint_size = rows[i].own, .window = 0 };
		assert_int_equal(rtse_answer(&p, &own).checkpoint_size, rows[i].answer);
		assert_int_equal(rtse_answer(&p, &own).window, 3);
	}
}

static void test_rt_04_rtorq_without_dialogue_mode(void **state)
{
	struct world *w = *state;
	struct rtse_open v;
	assert_true(rtse_read_rtorq(octets_of(w->a, "b0(a3(a0(b0(0500))))"), w->a, &v, &w->e));
	assert_false(v.two_way_alternate);
	assert_int_equal(v.checkpoint_size, 0);
	assert_int_equal(v.window, 3);
	assert_true(view_eq(v.user_data, octets_of(w->a, "b0(0500)")));
	assert_true(rtse_read_rtorq(octets_of(w->a, "b0(a3(a0(b0(0500))) 820101 81010580 010a)"), w->a, &v, &w->e));
	assert_true(v.two_way_alternate && v.window == 5 && v.checkpoint_size == 10);
	assert_false(rtse_read_rtorq(octets_of(w->a, "b0(820105 a3(a0(b0(0500))))"), w->a, &v, &w->e));
	assert_false(rtse_read_rtorq(octets_of(w->a, "b0(8001ff a3(a0(b0(0500))))"), w->a, &v, &w->e));
	assert_false(rtse_read_rtorq(octets_of(w->a, "b0(8101ff a3(a0(b0(0500))))"), w->a, &v, &w->e));
	assert_false(rtse_read_rtorq(octets_of(w->a, "b1(a2(a0(b1(0500))))"), w->a, &v, &w->e));
	assert_false(rtse_read_rtorq(octets_of(w->a, "b0(8000)"), w->a, &v, &w->e));
	assert_false(rtse_read_rtoac(octets_of(w->a, "b1(8001ff a2(a0(b1(0500))))"), w->a, &v, &w->e));
	assert_false(rtse_read_rtoac(octets_of(w->a, "b1(8101ff a2(a0(b1(0500))))"), w->a, &v, &w->e));
	assert_false(v.recover);
	assert_true(rtse_read_rtoac(octets_of(w->a, "b1(a2(a1(140141 170d3236313132323030333932325a)))"), w->a, &v, &w->e));
	assert_true(v.recover && view_eq(v.recovers.calling.t61, VIEW("A")) && view_eq(v.recovers.common, VIEW("261122003922Z")));
	assert_true(rtse_read_rtoac(octets_of(w->a, "b1(800109 a2(a0(b1(0500))))"), w->a, &v, &w->e));
	assert_true(v.checkpoint_size == 9 && v.window == 3);
}

/* --- sender --- */

static void test_sender_stops_at_the_window(void **state)
{
	(void)state;
	struct rtse_sender s;
	const struct rtse_open agreed = { .checkpoint_size = 1, .window = 2 };
	rtse_sender_init(&s, 5000, &agreed);
	assert_int_equal(rtse_sender_allowed(&s), 2048);
	assert_int_equal(rtse_sender_segment(&s), 1024);
	s.segment_left = 24; /* inside the first segment */
	s.sent = 1000;
	assert_int_equal(rtse_sender_allowed(&s), 24 + 1024);
	s.segment_left = 0;
	s.sent = 1024;
	s.unconfirmed = 1;
	s.last_serial = 1;
	assert_int_equal(rtse_sender_allowed(&s), 1024);
	s.sent = 2048;
	s.unconfirmed = 2;
	s.last_serial = 2;
	assert_int_equal(rtse_sender_allowed(&s), 0);
	assert_false(rtse_sender_confirm(&s, 3));
	assert_false(rtse_sender_confirm(&s, 0));
	assert_true(rtse_sender_confirm(&s, 2)); /* confirms 1 too */
	assert_int_equal(s.unconfirmed, 0);
	assert_false(rtse_sender_confirm(&s, 2));
	s.sent = 4096;
	assert_int_equal(rtse_sender_segment(&s), 904);
	assert_int_equal(rtse_sender_allowed(&s), 904);
}

static void test_sender_without_checkpoints(void **state)
{
	(void)state;
	struct rtse_sender s;
	const struct rtse_open agreed = { .checkpoint_size = 0, .window = 1 };
	rtse_sender_init(&s, 5000000, &agreed);
	assert_int_equal(rtse_sender_allowed(&s), 5000000);
	assert_int_equal(rtse_sender_segment(&s), 5000000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_pa_06_single_and_octet_aligned),
		CASE(test_octet_aligned_constructed),
		CASE(test_pa_07_indefinite_at_every_level),
		CASE(test_pa_08_definite_around_indefinite),
		CASE(test_pa_10_context_not_in_the_set),
		CASE(test_rt_10_and_11_string_forms),
		CASE(test_what_is_no_rttr),
		CASE(test_nesting_has_a_limit),
		CASE(test_segments_of_the_capture),
		CASE(test_segment_headers),
		CASE(test_rt_06_sizes_agreed),
		CASE(test_sizes_answered),
		CASE(test_rt_04_rtorq_without_dialogue_mode),
		CASE(test_sender_stops_at_the_window),
		CASE(test_sender_without_checkpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
