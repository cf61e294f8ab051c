/* convert_test.c - texts wrapped on their way out to a link that asks for it; of a real switch, the content process played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h" /* its store is looked into */

/* Link to-c wants lines of at most 72 columns. */
static struct bench *with_wrap(void)
{
	struct bench *b = bench_new();
	((struct set_link *)(uintptr_t)b->settings.links.v)[1].wrap = 72;
	bench_join(b, &b->link[0], PROCESS_LINK, 1);
	bench_join(b, &b->alone, PROCESS_ALONE, 1);
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	return b;
}

static struct message *text(struct bench *b, const char *id, int64_t content_type)
{
	struct message *m = LETTER(b, id, TO_C);
	m->content_type = content_type;
	return m;
}

static void take_in(struct bench *b, struct message *m, struct view content)
{
	assert_true(offer_of(&b->link[0], "to-a", m, content)->accepted);
}

static void say_converted(struct player *p, struct view content, enum err_kind kind)
{
	struct msg_converted m = { .id = p->convert.id, .changed = content.n > 0, .content = content,
				   .content_type = p->convert.content_type, .wrapped = content.n > 0,
				   .err = { .reason = -1, .diagnostic = -1 } };
	if (kind != ERR_NONE)
		err_set(&m.err, kind, ERR_OF_MESSAGE, "no text in it");
	put_msg_converted(chan_begin(p->control, MSG_CONVERTED), &m);
	chan_end(p->control);
	fake_env_settle(p->b->env);
}

static void say_answer(struct player *p, struct msg_converted m)
{
	m.id = p->convert.id;
	put_msg_converted(chan_begin(p->control, MSG_CONVERTED), &m);
	chan_end(p->control);
	fake_env_settle(p->b->env);
}

static struct set_link *settings_of_to_c(struct bench *b)
{
	return &((struct set_link *)(uintptr_t)b->settings.links.v)[1];
}

/* Link to-c is to a peer of 1984. */
static struct bench *with_1984(void)
{
	struct bench *b = with_wrap();
	settings_of_to_c(b)->wrap = 0;
	settings_of_to_c(b)->down = DOWN_TO_1984;
	return b;
}

static void content_dies(struct bench *b)
{
	bench_dies(b, &b->content, PROCESS_CONTENT, 1, true, "transfer 1");
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
}

static size_t kept(struct bench *b)
{
	uint64_t ids[10];
	return store_quarantine_next(b->sw->store, STORE_QUARANTINE_KEPT, 0, ids, 10);
}

static void test_what_was_converted_is_transferred(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0], *c = &b->content;
	take_in(b, text(b, "1", 22), VIEW("a long line"));
	open_up(p);
	assert_int_equal(p->n_transfers, 0);
	assert_int_equal(c->n_converts, 1);
	assert_true(view_eq(c->convert.content, VIEW("a long line")));
	assert_int_equal(c->convert.wrap, 72);
	assert_int_equal(c->convert.content_type, 22);
	say_converted(c, VIEW("a\nlong\nline\n"), ERR_NONE);
	assert_int_equal(p->n_transfers, 1);
	assert_true(view_eq(p->transfers[0].content, VIEW("a\nlong\nline\n")));
	assert_int_equal(p->transfers[0].size, 12);
	assert_int_equal(p->transfers[0].stored, c->convert.transfer);
	/* The association goes: what was converted is kept for the next. */
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	open_up(p);
	assert_int_equal(c->n_converts, 1);
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(p->transfers[1].size, 12);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_what_needs_no_change_goes_as_it_is(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	take_in(b, text(b, "1", 2), VIEW("short"));
	open_up(p);
	say_converted(&b->content, (struct view){ NULL, 0 }, ERR_NONE);
	assert_int_equal(p->n_transfers, 1);
	assert_true(view_eq(p->transfers[0].content, VIEW("short")));
	bench_free(b);
}

/* X.411 8.2.1.1.1.9 implicit-conversion-prohibited; content types other than 2 and 22; what is no message; other links. */
static void test_k255894_k271706_k176132_k176143_what_is_not_converted(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	struct message *m = text(b, "1", 22);
	m->indicators = IND_CONVERSION_PROHIBITED;
	m->has_indicators = true;
	take_in(b, m, VIEW("x"));
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	struct extension check = { .number = 18, .value = VIEW("\x02\x01\x00") }; /* content-integrity-check */
	m = text(b, "2", 22);
	m->rcpt[0].ext = (struct extensions){ &check, 1 };
	take_in(b, m, VIEW("x"));
	assert_int_equal(p->n_transfers, 2);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	take_in(b, text(b, "2b", 35), VIEW("x"));
	assert_int_equal(p->n_transfers, 3);
	p->n_transfers = 2;
	p->transfers[1] = p->transfers[2];
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	m = text(b, "3", 22);
	m->kind = MESSAGE_PROBE;
	take_in(b, m, (struct view){ NULL, 0 });
	assert_int_equal(p->n_transfers, 3);
	assert_int_equal(b->content.n_converts, 0);
	assert_true(offer_of(p, "to-c", LETTER(b, "4", FROM_A), VIEW("x"))->accepted); /* to-a has no wrap */
	open_up(p);
	assert_int_equal(p->n_transfers, 4);
	assert_int_equal(b->content.n_converts, 0);
	bench_free(b);
}

static void test_others_pass_while_one_is_converted(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	take_in(b, text(b, "slow", 22), VIEW("x"));
	take_in(b, text(b, "other", 35), VIEW("x"));
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	assert_true(is_local_id(&p->transfers[0].m, "other"));
	say_converted(&b->content, (struct view){ NULL, 0 }, ERR_NONE);
	assert_int_equal(p->n_transfers, 2);
	bench_free(b);
}

/* Many wait, one at a time is converted, all leave. */
static void test_more_than_may_wait_for_conversion(void **state)
{
	(void)state;
	enum { N = 3 * CONVERTS_MAX };
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	for (unsigned i = 0; i < N; i++) {
		char id[8];
		snprintf(id, sizeof id, "%u", i);
		take_in(b, text(b, arena_str(b->a, view_str(id)), 22), VIEW("x"));
	}
	open_up(p);
	assert_int_equal(b->sw->converts.n, CONVERTS_MAX - 1);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(b->content.n_converts, i + 1);
		say_converted(&b->content, VIEW("y"), ERR_NONE);
		assert_int_equal(p->n_transfers, i + 1);
		say_result(p, p->transfers[i].transfer, ERR_NONE, 0);
	}
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

/* No content process is there, and those that wait for one are deleted: what waited behind them is handed over. */
static void test_what_waits_behind_the_deleted_goes(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	struct out octets;
	bench_leave(b, &b->content);
	bench_join(b, &b->tool, PROCESS_TOOL, 0);
	for (unsigned i = 0; i < CONVERTS_MAX + 2; i++) {
		char id[8];
		snprintf(id, sizeof id, "%u", i);
		take_in(b, text(b, arena_str(b->a, view_str(id)), i > CONVERTS_MAX ? 0 : 22), VIEW("x"));
	}
	open_up(p);
	assert_int_equal(b->sw->converts.n, CONVERTS_MAX);
	out_init(&octets, CONVERTS_MAX * 8);
	for (const struct order *o = b->sw->converts.first; o != NULL; o = o->next)
		out_u64(&octets, o->transfer);
	const struct msg_act_on m = { .id = 1, .act = ACT_DELETE, .who = VIEW("olga"), .ids = out_view(&octets) };
	put_msg_act_on(chan_begin(b->tool.control, MSG_ACT), &m);
	chan_end(b->tool.control);
	out_fini(&octets);
	fake_env_settle(b->env);
	assert_int_equal(b->sw->converts.n, 1);
	assert_int_equal(p->n_transfers, 1);
	assert_true(is_local_id(&p->transfers[0].m, "17"));
	bench_free(b);
}

static void test_k151669_a_content_that_kills_its_process(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	take_in(b, text(b, "bad", 22), VIEW("poison"));
	take_in(b, text(b, "good", 22), VIEW("x"));
	open_up(p);
	assert_true(view_eq(b->content.convert.content, VIEW("poison")));
	content_dies(b);
	assert_int_equal(counts_of(b).suspects, 1);
	for (unsigned i = 0; i < 2; i++) {
		if (view_eq(b->content.convert.content, VIEW("x")))
			say_converted(&b->content, (struct view){ NULL, 0 }, ERR_NONE);
		assert_true(view_eq(b->content.convert.content, VIEW("poison")));
		content_dies(b);
	}
	assert_int_equal(kept(b), 1);
	assert_int_equal(b->alone.n_transfers, 0);
	assert_int_equal(p->n_transfers, 1);
	assert_true(is_local_id(&p->transfers[0].m, "good"));
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(p)->m.rcpt[0].reason, 2); /* X.411: conversion-not-performed */
	bench_free(b);
}

static void test_k237182_a_conversion_that_fails_each_time_ends_in_quarantine(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	take_in(b, text(b, "bad", 22), VIEW("poison"));
	open_up(p);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(b->content.n_converts, i);
		say_converted(&b->content, (struct view){ NULL, 0 }, i == 2 ? ERR_TEMP : ERR_PERM);
	}
	assert_int_equal(b->content.n_converts, 3);
	assert_int_equal(kept(b), 1);
	assert_int_equal(p->n_transfers, 0);
	open_up(p);
	assert_int_equal(last_transfer(p)->m.rcpt[0].reason, 2);
	bench_free(b);
}

static void test_a_suspect_that_is_converted_goes_alone(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0], *a = &b->alone;
	take_in(b, text(b, "0", 22), VIEW("x"));
	open_up(p);
	content_dies(b);
	say_converted(&b->content, VIEW("better"), ERR_NONE);
	assert_int_equal(p->n_transfers, 0);
	assert_int_equal(a->n_opens, 1);
	open_up(a);
	assert_true(view_eq(a->transfers[0].content, VIEW("better")));
	say_result(a, a->transfers[0].transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

static void test_a_conversion_that_takes_too_long(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	take_in(b, text(b, "0", 22), VIEW("x"));
	open_up(&b->link[0]);
	const int64_t patience = 2 * (int64_t)b->settings.processes.content_ms;
	fake_env_pass(b->env, patience - 1);
	assert_int_equal(b->n_accused, 0);
	fake_env_pass(b->env, 1);
	assert_int_equal(b->n_accused, 1);
	assert_int_equal(b->accused, PROCESS_CONTENT);
	bench_leave(b, &b->content);
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	switch_peer_died(b->sw, PROCESS_CONTENT, 1, true, "it was accused", "");
	fake_env_settle(b->env);
	assert_int_equal(counts_of(b).suspects, 1);
	assert_int_equal(b->content.n_converts, 1);
	bench_free(b);
}

static void test_a_content_process_that_is_ended_from_outside(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	take_in(b, text(b, "0", 22), VIEW("x"));
	open_up(&b->link[0]);
	bench_dies(b, &b->content, PROCESS_CONTENT, 1, false, "");
	bench_join(b, &b->content, PROCESS_CONTENT, 1);
	assert_int_equal(counts_of(b).suspects, 0);
	assert_int_equal(b->content.n_converts, 1);
	say_converted(&b->content, (struct view){ NULL, 0 }, ERR_NONE);
	assert_int_equal(b->link[0].n_transfers, 1);
	bench_free(b);
}

static void test_converted_is_told_only_when_asked(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	b->content.convert.id = 17;
	say_converted(&b->content, VIEW("x"), ERR_NONE);
	assert_true(b->content.closed > 0);
	bench_free(b);
}

/* In a content file: read in one piece for the conversion, sent from memory after it. */
static void test_a_long_content_is_converted(void **state)
{
	(void)state;
	enum { N = 200 * 1024 };
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	uint8_t *octets = mem_alloc(N);
	for (size_t i = 0; i < N; i++)
		octets[i] = (uint8_t)(i * 7);
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "to-a", text(b, "1", 22), (struct view){ NULL, 0 });
	for (size_t at = 0; at < N; at += 50 * 1024)
		say_piece(p, 1, view_of(octets + at, 50 * 1024));
	say_count(p->bulk, MSG_OFFER_END, 1, N);
	fake_env_settle(b->env);
	open_up(p);
	assert_int_equal(b->content.convert.content.n, N);
	assert_memory_equal(b->content.convert.content.p, octets, N);
	octets[0] = 'y';
	say_converted(&b->content, view_of(octets, N - 1), ERR_NONE);
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(p->transfers[0].size, N - 1);
	for (uint64_t left = N - 1; left > 0;) {
		const uint64_t n = left < 100 * 1024 ? left : 100 * 1024;
		say_count(p->control, MSG_TRANSFER_PULL, p->transfers[0].transfer, n);
		fake_env_settle(b->env);
		left -= n;
	}
	assert_int_equal(out_len(&p->data), N - 1);
	assert_memory_equal(out_view(&p->data).p, octets, N - 1);
	free(octets);
	bench_free(b);
}

/* X.411 8.2.2.1: what the encoded information types became stands in the trace element that we have added. */
static void test_content_for_1984_and_its_envelope(void **state)
{
	(void)state;
	struct bench *b = with_1984();
	struct player *p = &b->link[0], *c = &b->content;
	struct message *m = text(b, "1", 22);
	m->original_eits = VIEW("\x65\x04\x80\x02\x05\x20");
	take_in(b, m, VIEW("P22"));
	open_up(p);
	assert_true(c->convert.to_84);
	assert_false(c->convert.from_84 || c->convert.no_part_15 || c->convert.no_free_form || c->convert.no_loss || c->convert.prohibited);
	assert_int_equal(c->convert.wrap, 0);
	say_answer(c, (struct msg_converted){ .changed = true, .content_type = 2, .content = VIEW("P2"),
					      .eits = VIEW("\x65\x04\x80\x02\x02\x04"), .err = { .reason = -1, .diagnostic = -1 } });
	assert_int_equal(p->n_transfers, 1);
	assert_true(view_eq(p->transfers[0].content, VIEW("P2")));
	const struct message *sent = &p->transfers[0].m;
	assert_int_equal(sent->content_type, 2);
	assert_true(view_eq(sent->original_eits, VIEW("\x65\x04\x80\x02\x05\x20")));
	assert_true(sent->trace.n > 0);
	assert_true(view_eq(sent->trace.v[sent->trace.n - 1].converted, VIEW("\x65\x04\x80\x02\x02\x04")));
	for (size_t i = 0; i + 1 < sent->trace.n; i++)
		assert_int_equal(sent->trace.v[i].converted.n, 0);
	bench_free(b);
}

/* Q152952: a receipt with original encoded information types was refused by peers of 1984. */
static void test_k152952_a_notification_for_1984_has_no_original_types(void **state)
{
	(void)state;
	struct bench *b = with_1984();
	struct player *p = &b->link[0];
	for (unsigned changed = 0; changed < 2; changed++) {
		struct message *m = text(b, changed ? "1" : "0", changed ? 22 : 2);
		m->original_eits = VIEW("\x65\x04\x80\x02\x07\x80");
		take_in(b, m, VIEW("IPN"));
		if (!changed)
			open_up(p);
		say_answer(&b->content, (struct msg_converted){ .changed = changed, .is_notification = true, .content_type = 2,
								.content = changed ? VIEW("IPN84") : (struct view){ NULL, 0 },
								.err = { .reason = -1, .diagnostic = -1 } });
		assert_int_equal(last_transfer(p)->m.content_type, 2);
		assert_int_equal(last_transfer(p)->m.original_eits.n, 0);
		assert_true(view_eq(last_transfer(p)->content, changed ? VIEW("IPN84") : VIEW("IPN")));
		say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	}
	bench_free(b);
}

static void refused(int diagnostic, unsigned strikes, size_t in_quarantine)
{
	struct bench *b = with_1984();
	struct player *p = &b->link[0];
	struct message *m = text(b, "1", 22);
	struct extension loss = { .number = EXT_LOSS_PROHIBITED, .value = VIEW("\x0a\x01\x01") };
	m->indicators = diagnostic == 9 ? IND_CONVERSION_PROHIBITED : 0;
	m->has_indicators = true;
	if (diagnostic == 19)
		m->ext = (struct extensions){ &loss, 1 };
	take_in(b, m, VIEW("x"));
	open_up(p);
	for (unsigned i = 0; i < strikes; i++) {
		struct msg_converted answer = { .content_type = 22 };
		assert_int_equal(b->content.n_converts, i + 1);
		assert_int_equal(b->content.convert.prohibited, diagnostic == 9);
		assert_int_equal(b->content.convert.no_loss, diagnostic == 19);
		err_report(&answer.err, ERR_PERM, ERR_OF_MESSAGE, 2, diagnostic, "it may not");
		say_answer(&b->content, answer);
	}
	assert_int_equal(kept(b), in_quarantine);
	assert_int_equal(counts_of(b).suspects, 0);
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(p)->m.rcpt[0].reason, 2);
	if (in_quarantine == 0)
		assert_int_equal(last_transfer(p)->m.rcpt[0].diagnostic, diagnostic);
	bench_free(b);
}

/* RFC 1328 6: what may not be converted is reported, at once: it is nobody's fault. */
static void test_dg_11_k177862_conversion_prohibited_is_reported(void **state)
{
	(void)state;
	refused(9, 1, 0);
}

static void test_dg_12_loss_prohibited_is_reported(void **state)
{
	(void)state;
	refused(19, 1, 0);
	refused(15, 1, 0);
	refused(8, 3, 1); /* a failure of the conversion is struck, as ever */
}

static void test_what_a_link_wants(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	struct set_link *l = settings_of_to_c(b);
	l->wrap = 0;
	l->up = UP_TO_1988;
	l->body_part_15 = false;
	l->free_form_names = false;
	l->text = TEXT_TELETEX;
	take_in(b, text(b, "1", 2), VIEW("x"));
	open_up(p);
	const struct msg_convert *c = &b->content.convert;
	assert_true(c->from_84 && !c->to_84 && c->no_part_15 && c->no_free_form);
	assert_int_equal(c->text, TEXT_TELETEX);
	bench_free(b);
}

/* Longer than is converted: with a demand it is reported, not sent as something the peer has not asked for. */
static void test_a_content_too_long_to_be_converted(void **state)
{
	(void)state;
	enum { PIECE = 64 * 1024 };
	struct bench *b = with_1984();
	struct player *p = &b->link[0];
	uint8_t *octets = mem_zero(PIECE);
	uint64_t n = 0;
	b->settings.limits.message = 16 * 1024 * 1024;
	settings_of_to_c(b)->size_limit = 0;
	put_offer(p, p->bulk, MSG_OFFER_BEGIN, 1, "to-a", text(b, "1", 22), (struct view){ NULL, 0 });
	for (; n <= 12 * 1024 * 1024; n += PIECE)
		say_piece(p, 1, view_of(octets, PIECE));
	say_count(p->bulk, MSG_OFFER_END, 1, n);
	fake_env_settle(b->env);
	open_up(p);
	assert_int_equal(b->content.n_converts, 0);
	open_up(p);
	assert_int_equal(last_transfer(p)->m.kind, MESSAGE_REPORT);
	assert_int_equal(last_transfer(p)->m.rcpt[0].reason, 2);
	assert_int_equal(last_transfer(p)->m.rcpt[0].diagnostic, 8);
	free(octets);
	bench_free(b);
}

/* What was converted is charged to limits.memory; when that is spent, what waits is converted again later, to the same octets. */
static void test_converted_contents_are_counted(void **state)
{
	(void)state;
	enum { N = 100 * 1024 };
	struct bench *b = with_1984();
	struct player *p = &b->link[0];
	uint8_t *octets = mem_zero(N);
	const struct msg_converted answer = { .changed = true, .content_type = 2, .content = view_of(octets, N),
					      .err = { .reason = -1, .diagnostic = -1 } };
	take_in(b, text(b, "1", 22), VIEW("x"));
	open_up(p);
	say_answer(&b->content, answer);
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(b->sw->under_way, N);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-c", NULL);
	assert_int_equal(b->sw->under_way, N); /* kept for the next association ... */
	b->settings.limits.memory = N / 2;
	room_check(b->sw);
	assert_int_equal(b->sw->under_way, 0); /* ... while there is room */
	assert_false(b->sw->busy);
	open_up(p);
	assert_int_equal(b->content.n_converts, 2);
	say_answer(&b->content, answer);
	assert_int_equal(p->n_transfers, 2);
	assert_true(b->sw->busy); /* in hand: it is not forgotten, nothing new is taken */
	assert_int_equal(p->transfers[1].size, N);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	assert_int_equal(b->sw->under_way, 0);
	free(octets);
	bench_free(b);
}

/* Q135063: what a link wants is looked at when a message is sent, not when it came. Q163689 and its kind: the conversion is of a copy; the
 * message in the store stays what it was, whatever becomes of the converted one. */
static void test_k135063_k163689_k165093_k178365_k178821_k179837_the_message_itself_is_untouched(void **state)
{
	(void)state;
	struct bench *b = with_wrap();
	struct player *p = &b->link[0];
	settings_of_to_c(b)->wrap = 0;
	take_in(b, text(b, "1", 22), VIEW("P22"));
	for (unsigned i = 0; i < 3; i++) {
		const bool old = i == 1; /* the peer is of 1984 from now on, and later no more */
		bench_leave(b, p);
		bench_leave(b, &b->alone);
		bench_leave(b, &b->content);
		settings_of_to_c(b)->down = old ? DOWN_TO_1984 : DOWN_NEVER;
		bench_switch_dies(b, "");
		bench_join(b, p, PROCESS_LINK, 1);
		bench_join(b, &b->alone, PROCESS_ALONE, 1);
		bench_join(b, &b->content, PROCESS_CONTENT, 1);
		const unsigned before = b->content.n_converts;
		open_up(p);
		assert_int_equal(b->content.n_converts - before, old);
		if (old)
			say_answer(&b->content, (struct msg_converted){ .changed = true, .content_type = 2, .content = VIEW("P2"),
									.err = { .reason = -1, .diagnostic = -1 } });
		assert_int_equal(last_transfer(p)->m.content_type, old ? 2 : 22);
		assert_true(view_eq(last_transfer(p)->content, old ? VIEW("P2") : VIEW("P22")));
	}
	say_result(p, last_transfer(p)->transfer, ERR_NONE, 0);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_converted_is_transferred),
		cmocka_unit_test(test_what_needs_no_change_goes_as_it_is),
		cmocka_unit_test(test_k255894_k271706_k176132_k176143_what_is_not_converted),
		cmocka_unit_test(test_others_pass_while_one_is_converted),
		cmocka_unit_test(test_more_than_may_wait_for_conversion),
		cmocka_unit_test(test_what_waits_behind_the_deleted_goes),
		cmocka_unit_test(test_k151669_a_content_that_kills_its_process),
		cmocka_unit_test(test_k237182_a_conversion_that_fails_each_time_ends_in_quarantine),
		cmocka_unit_test(test_a_suspect_that_is_converted_goes_alone),
		cmocka_unit_test(test_a_conversion_that_takes_too_long),
		cmocka_unit_test(test_a_content_process_that_is_ended_from_outside),
		cmocka_unit_test(test_converted_is_told_only_when_asked),
		cmocka_unit_test(test_a_long_content_is_converted),
		cmocka_unit_test(test_content_for_1984_and_its_envelope),
		cmocka_unit_test(test_k152952_a_notification_for_1984_has_no_original_types),
		cmocka_unit_test(test_dg_11_k177862_conversion_prohibited_is_reported),
		cmocka_unit_test(test_dg_12_loss_prohibited_is_reported),
		cmocka_unit_test(test_what_a_link_wants),
		cmocka_unit_test(test_a_content_too_long_to_be_converted),
		cmocka_unit_test(test_converted_contents_are_counted),
		cmocka_unit_test(test_k135063_k163689_k165093_k178365_k178821_k179837_the_message_itself_is_untouched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
