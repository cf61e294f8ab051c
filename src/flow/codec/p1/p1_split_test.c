/* p1_split_test.c - a transfer in pieces of any size is the same transfer; damage ends it with the right culprit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/p1/p1_testing.h"

#include "base/mem.h"
#include "flow/message/message_testing.h"

static const char *const corpus_names[] = { "p772-transfer-success", "pp-normal-mode-1", "pp-normal-mode-4",
					    "message-full", "probe-full", "report-full",
					    "p772-transfer-success-canonical" };

struct result {
	struct message *m; /* a copy, in the arena */
	struct out content;
	enum step step;    /* DONE: END was seen */
	struct err e;
	unsigned envelopes;
};

static void result_fini(struct result *r)
{
	out_fini(&r->content);
}

/* Feeds `octets` in pieces of `piece`; each in memory of its own, so that ASan sees a view kept too long. */
static struct result feed(struct p1_split *s, struct view octets, size_t piece, struct arena *a)
{
	struct result r = { .step = STEP_WAIT };
	struct arena *scratch = arena_new(8 << 20);
	out_init(&r.content, 64 << 20);
	while (octets.n > 0 && r.step == STEP_WAIT) {
		struct view part = view_first(octets, piece);
		uint8_t *own = mem_dup(part.p, part.n);
		struct view in = view_of(own, part.n);
		struct p1_split_event ev;
		enum step step;
		while ((step = p1_split_next(s, &in, &ev, scratch, &r.e)) == STEP_DONE) {
			if (ev.what == P1_SPLIT_ENVELOPE) {
				r.envelopes++;
				r.m = message_copy(ev.message, a);
			} else if (ev.what == P1_SPLIT_CONTENT) {
				assert_true(ev.content.n > 0);
				out_bytes(&r.content, ev.content);
			} else {
				r.step = STEP_DONE;
			}
		}
		if (step == STEP_FAIL)
			r.step = STEP_FAIL;
		else
			assert_int_equal(in.n, 0); /* WAIT has taken all */
		free(own);
		octets = view_from(octets, part.n);
	}
	arena_free(&scratch);
	return r;
}

static struct p1_split *splitter(size_t envelope_max)
{
	return p1_split_new(envelope_max, &test_limits);
}

/* RT-10: cut anywhere, inside tags and lengths too. */
static void test_rt_10_any_piece_size_gives_the_same(void **state)
{
	(void)state;
	struct arena *a = arena_new(64 << 20);
	struct p1_split *s = splitter(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(corpus_names); i++) {
		struct view whole = corpus(corpus_names[i], a), content;
		struct message *m = decoded(whole, &content, a);
		for (size_t piece = 1; piece <= whole.n; piece += piece < 20 ? 1 : 97) {
			p1_split_reset(s);
			struct result r = feed(s, whole, piece, a);
			if (r.step != STEP_DONE)
				fail_msg("%s in pieces of %zu: %s", corpus_names[i], piece, r.e.text);
			assert_int_equal(r.envelopes, 1);
			same_message(m, r.m);
			assert_octets(out_view(&r.content), content);
			result_fini(&r);
		}
	}
	p1_split_free(&s);
	arena_free(&a);
}

/* Content as one primitive, or constructed to depth 3, definite or indefinite; wrapped in any of these or bare. */
static void test_rt_11_forms_of_content_and_wrapper(void **state)
{
	static const char *const content[] = { "0406 616263646566", "240a 0403 616263 0403 646566",
					       "2480 0403 616263 0403 646566 0000",
					       "2480 2480 2405 0403 616263 0000 0403 646566 0000",
					       "2480 0400 0406 616263646566 0400 0000" };
	(void)state;
	struct arena *a = arena_new(16 << 20);
	struct p1_split *s = splitter(1 << 20);
	struct view set = tlv(a, 0x31, hex(a, T_PLAIN));
	for (size_t i = 0; i < ARRAY_LEN(content); i++) {
		struct view inside = join(a, set, hex(a, content[i]));
		struct view apdu = tlv(a, 0xa0, inside), open = join(a, join(a, hex(a, "a080"), inside), hex(a, "0000"));
		struct view form[] = {
			apdu,
			open,
			tlv(a, 0x28, join(a, hex(a, "020105"), tlv(a, 0xa0, apdu))),
			join(a, join(a, hex(a, "2880 020105 a080"), open), hex(a, "0000 0000")),
			tlv(a, 0x28, join(a, hex(a, "06025101 020105 0700"), tlv(a, 0xa0, open))),
		};
		for (size_t k = 0; k < ARRAY_LEN(form); k++) {
			struct view whole_content;
			p1_split_reset(s);
			struct result r = feed(s, form[k], 7, a);
			if (r.step != STEP_DONE)
				fail_msg("content %zu form %zu: %s", i, k, r.e.text);
			assert_octets(out_view(&r.content), VIEW("abcdef"));
			same_message(decoded(form[k], &whole_content, a), r.m);
			assert_octets(whole_content, VIEW("abcdef"));
			result_fini(&r);
		}
	}
	p1_split_free(&s);
	arena_free(&a);
}

static void test_cut_at_every_offset_waits(void **state)
{
	(void)state;
	struct arena *a = arena_new(64 << 20);
	struct p1_split *s = splitter(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(corpus_names); i++) {
		struct view whole = corpus(corpus_names[i], a);
		for (size_t cut = 1; cut < whole.n; cut += i == 0 ? 1 : 13) {
			p1_split_reset(s);
			struct result r = feed(s, view_first(whole, cut), 64, a);
			assert_int_equal(r.step, STEP_WAIT);
			result_fini(&r);
		}
	}
	p1_split_free(&s);
	arena_free(&a);
}

static struct result one(const char *digits, size_t envelope_max, struct arena *a)
{
	struct p1_split *s = splitter(envelope_max);
	struct result r = feed(s, hex(a, digits), 1000, a);
	result_fini(&r);
	p1_split_free(&s);
	return r;
}

/* The octets are BER, but no MTS-APDU, or not BER: the association's fault. */
static void test_damage_is_the_peers(void **state)
{
	static const char *const bad[] = {
		"300400000000",                     /* no APDU tag */
		"a300",                             /* [3] */
		"8000",                             /* primitive [0] */
		"a0020400",                         /* no envelope */
		"a005 3180 0405 61",                /* a child longer than its parent */
		"a000",                             /* empty message */
		"2800",                             /* empty EXTERNAL */
		"2805 020105 a000",                 /* EXTERNAL without APDU */
		"2804 020105 8200",                 /* arbitrary */
		"2808 020105 a003 020101",          /* not an APDU inside */
		"2806 020105 3000",                 /* something else in the EXTERNAL */
		"a0 84 ff ff",                      /* waits */
		"0000",                             /* end-of-contents of nothing */
		"a0 89 01 02 03 04 05 06 07 08 09", /* a length beyond all */
	};
	(void)state;
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct result r = one(bad[i], 1 << 20, a);
		if (i == 11) {
			assert_int_equal(r.step, STEP_WAIT);
			continue;
		}
		if (r.step != STEP_FAIL || r.e.kind != ERR_PEER || r.e.culprit != ERR_OF_ASSOCIATION)
			fail_msg("row %zu: step %d kind %d %s", i, (int)r.step, (int)r.e.kind, r.e.text);
	}
	arena_free(&a);
}

static struct result after_envelope(const char *rest, struct arena *a)
{
	struct p1_split *s = splitter(1 << 20);
	struct view inside = join(a, tlv(a, 0x31, hex(a, T_PLAIN)), hex(a, rest));
	struct result r = feed(s, tlv(a, 0xa0, inside), 5, a);
	result_fini(&r);
	p1_split_free(&s);
	return r;
}

static void test_damage_after_the_envelope(void **state)
{
	static const char *const bad[] = { "", "3000", "0c0161", "2403 020101", "040161 040162", "2480 0401" };
	(void)state;
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct result r = after_envelope(bad[i], a);
		if (r.step != STEP_FAIL || r.e.kind != ERR_PEER || r.envelopes != 1)
			fail_msg("row %zu: step %d %s", i, (int)r.step, r.e.text);
	}
	arena_free(&a);
}

/* Well formed, and no envelope: the message's fault, with what a report says; the octets are there for a quarantine. */
static void test_bad_envelope_is_the_messages(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct p1_split *s = splitter(1 << 20);
	struct view set = tlv(a, 0x31, hex(a, T_ID T_ORIGINATOR T_TRACE T_RCPTS));
	struct result r = feed(s, tlv(a, 0xa0, join(a, set, hex(a, "040161"))), 3, a);
	assert_int_equal(r.step, STEP_FAIL);
	assert_int_equal(r.e.kind, ERR_PERM);
	assert_int_equal(r.e.culprit, ERR_OF_MESSAGE);
	assert_int_equal(r.e.reason, 1);
	assert_int_equal(r.e.diagnostic, 14);
	assert_octets(p1_split_envelope(s), set);
	result_fini(&r);
	struct p1_split_event ev;
	struct view more = VIEW("\x04\x00");
	assert_int_equal(p1_split_next(s, &more, &ev, a, &r.e), STEP_FAIL); /* for good */
	p1_split_free(&s);
	arena_free(&a);
}

/* What is inside an envelope of known length cannot harm the stream around it. */
static void test_damage_inside_an_envelope_is_the_messages(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct result r = one("a008 3103 048401 040161", 1 << 20, a);
	assert_int_equal(r.step, STEP_FAIL);
	assert_int_equal(r.e.kind, ERR_PERM);
	assert_int_equal(r.e.diagnostic, 14);
	arena_free(&a);
}

static void test_long_envelope_is_refused_before_it_is_kept(void **state)
{
	static const char *const name[] = { "message-full", "report-full", "probe-full" };
	(void)state;
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		struct p1_split *s = splitter(300);
		struct result r = feed(s, corpus(name[i], a), 100, a);
		assert_int_equal(r.step, STEP_FAIL);
		assert_int_equal(r.e.kind, ERR_PERM);
		assert_int_equal(r.e.diagnostic, 13);
		assert_true(p1_split_envelope(s).n <= 300);
		result_fini(&r);
		p1_split_free(&s);
	}
	arena_free(&a);
}

static void test_octets_after_the_end(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct p1_split *s = splitter(1 << 20);
	struct result r = feed(s, corpus("probe-full", a), 1000, a);
	assert_int_equal(r.step, STEP_DONE);
	result_fini(&r);
	struct p1_split_event ev;
	struct view more = VIEW("\0");
	assert_int_equal(p1_split_next(s, &more, &ev, a, &r.e), STEP_FAIL);
	assert_int_equal(r.e.kind, ERR_PEER);
	p1_split_reset(s);
	r = feed(s, corpus("probe-full", a), 1, a);
	assert_int_equal(r.step, STEP_DONE);
	result_fini(&r);
	p1_split_free(&s);
	arena_free(&a);
}

/* OP-11: 10^6 nested constructed OCTET STRINGs, as content and in the envelope. */
static void test_op_11_nesting_bomb(void **state)
{
	(void)state;
	struct arena *a = arena_new(16 << 20);
	uint8_t bomb[4096];
	for (size_t i = 0; i < sizeof bomb; i++)
		bomb[i] = i % 2 == 0 ? 0x24 : 0x80;
	const char *const front[] = { "a080 3180", NULL };
	struct view set = tlv(a, 0x31, hex(a, T_PLAIN));
	struct view start[] = { hex(a, front[0]), join(a, hex(a, "a080"), set) };
	for (size_t i = 0; i < ARRAY_LEN(start); i++) {
		struct p1_split *s = splitter(1 << 20);
		struct result r = feed(s, join(a, start[i], view_of(bomb, sizeof bomb)), 100, a);
		assert_int_equal(r.step, STEP_FAIL);
		assert_int_equal(r.e.kind, ERR_PEER);
		result_fini(&r);
		p1_split_free(&s);
	}
	arena_free(&a);
}

/* 100 MiB in one TLV, and in pieces of 64 KiB: nothing of it stays here. */
static void test_pf_05_content_is_never_kept(void **state)
{
	enum { PIECE = 1 << 16, PIECES = 1600 };
	static uint8_t piece[PIECE];
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct view content;
	struct message *m = decoded(message_of(a, T_PLAIN), &content, a);
	struct p1_encode_options options = { 5, P1_EXT_STANDARD };
	struct p1_split *s = splitter(1 << 16);
	struct out head;
	struct err e;
	out_init(&head, 1 << 16);
	assert_true(p1_encode_head(m, (uint64_t)PIECE * PIECES, &options, &head, &e));
	struct result r = feed(s, out_view(&head), 10, a);
	assert_int_equal(r.step, STEP_WAIT);
	assert_int_equal(r.envelopes, 1);
	size_t used = arena_used(a);
	uint64_t total = 0;
	bool ended = false;
	for (unsigned i = 0; i < PIECES; i++) {
		struct view in = view_of(piece, PIECE);
		struct p1_split_event ev;
		enum step step;
		while ((step = p1_split_next(s, &in, &ev, a, &e)) == STEP_DONE) {
			if (ev.what == P1_SPLIT_CONTENT)
				total += ev.content.n;
			ended |= ev.what == P1_SPLIT_END;
		}
		assert_int_equal(step, STEP_WAIT);
		assert_int_equal(ended, i + 1 == PIECES);
	}
	assert_true(total == (uint64_t)PIECE * PIECES);
	assert_int_equal(arena_used(a), used);
	result_fini(&r);
	out_fini(&head);
	p1_split_free(&s);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rt_10_any_piece_size_gives_the_same),
		cmocka_unit_test(test_rt_11_forms_of_content_and_wrapper),
		cmocka_unit_test(test_cut_at_every_offset_waits),
		cmocka_unit_test(test_damage_is_the_peers),
		cmocka_unit_test(test_damage_after_the_envelope),
		cmocka_unit_test(test_bad_envelope_is_the_messages),
		cmocka_unit_test(test_damage_inside_an_envelope_is_the_messages),
		cmocka_unit_test(test_long_envelope_is_refused_before_it_is_kept),
		cmocka_unit_test(test_octets_after_the_end),
		cmocka_unit_test(test_op_11_nesting_bomb),
		cmocka_unit_test(test_pf_05_content_is_never_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
