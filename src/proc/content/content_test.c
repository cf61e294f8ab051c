/* content_test.c - the process's work against the messages of proc/table/msgs.h, in a world in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "flow/message/pack.h"
#include "proc/content/content.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/fake_env.h"
#include "sys/process.h"

struct world {
	struct env *env;
	struct content *content;
	struct chan *control, *bulk; /* the switch's ends */
	unsigned answers, deaths, closed;
	struct msg_render last;
	struct msg_converted converted; /* points into `kept` */
	char notes[200];                /* each note, with `;` behind it */
	struct render shown;
	struct arena *arena;
	struct out kept;
	struct event_log *log;
};

static bool on_rendered(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	out_clear(&w->kept);
	out_bytes(&w->kept, payload);
	if (!get_msg_render(out_view(&w->kept), &w->last, e))
		return false;
	w->answers++;
	return w->last.err.kind != ERR_NONE || render_unpack(w->last.content, &w->shown, w->arena, e);
}

static bool on_converted(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	out_clear(&w->kept);
	out_bytes(&w->kept, payload);
	w->answers++;
	return get_msg_converted(out_view(&w->kept), &w->converted, e);
}

static void on_note(void *ctx, const char *text)
{
	struct world *w = ctx;
	const size_t n = strlen(w->notes);
	snprintf(w->notes + n, sizeof w->notes - n, "%s;", text);
}

static void on_closed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->closed++;
}

static const struct chan_type types[] = {
	{ .type = MSG_RENDERED, .name = "RENDERED", .handle = on_rendered, .max = CHAN_FRAME_MAX },
	{ .type = MSG_CONVERTED, .name = "CONVERTED", .handle = on_converted, .max = CHAN_FRAME_MAX },
};
static const struct chan_events switch_events = { types, ARRAY_LEN(types), NULL, NULL, on_closed };
static const struct chan_events bulk_events = { NULL, 0, NULL, NULL, on_closed };

static void on_die(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->deaths++;
}

static void connect_pair(struct world *w)
{
	struct stream *ours, *theirs;
	fake_env_pair(w->env, &ours, &theirs);
	w->control = chan_new(&ours, &switch_events, w, PROCESS_SWITCH, 1);
	content_adopt_switch(w->content, false, theirs);
	fake_env_pair(w->env, &ours, &theirs);
	w->bulk = chan_new(&ours, &bulk_events, w, PROCESS_SWITCH, 1);
	content_adopt_switch(w->content, true, theirs);
	fake_env_settle(w->env);
}

static void begin(struct world *w, int64_t budget_ms)
{
	*w = (struct world){ .env = fake_env_new(), .arena = arena_new((size_t)16 << 20) };
	out_init(&w->kept, CHAN_FRAME_MAX);
	w->log = event_log_new(w->env, event_kinds, EVENT_KINDS, "content", -1, false);
	event_log_set_level(w->log, EVENT_ALARM);
	const struct actor_host host = { .env = w->env, .log = w->log, .note = on_note, .die = on_die, .ctx = w };
	const struct render_limits limits = render_limits_default();
	w->content = content_new(&host, &limits, budget_ms, NULL, NULL, 1);
	connect_pair(w);
	w->shown = (struct render){ 0 };
}

static void end(struct world *w)
{
	content_free(&w->content);
	if (w->control != NULL)
		chan_free(&w->control, false);
	if (w->bulk != NULL)
		chan_free(&w->bulk, false);
	fake_env_settle(w->env);
	event_log_free(&w->log);
	fake_env_free(&w->env);
	arena_free(&w->arena);
	out_fini(&w->kept);
}

static void ask(struct world *w, uint64_t id, struct view packed, struct view content)
{
	const struct msg_render m = { .id = id, .delivery = 7, .packed = packed, .content = content,
				      .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(w->control, MSG_RENDER), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

static const char *field(const struct world *w, const char *label)
{
	static char text[256];
	for (size_t i = 0; i < w->shown.n_fields; i++) {
		if (!view_eq(w->shown.fields[i].label, view_str(label)))
			continue;
		const struct view v = w->shown.fields[i].value;
		snprintf(text, sizeof text, "%.*s", (int)v.n, (const char *)v.p);
		return text;
	}
	return "";
}

/* X.420: heading with this-IPM "1" and subject "Hi", one IA5 text. */
#define CONTENT "\xa0\x16\x31\x0b\x6b\x03\x13\x01" "1\xa8\x04\x14\x02Hi\x30\x07\xa0\x05\x31\x00\x16\x01" "A"

static struct message message_of(struct world *w, enum message_kind kind)
{
	struct message m = { .kind = kind, .content_type = 22, .priority = PRIORITY_URGENT, .content_length = -1 };
	struct err e;
	assert_true(mts_id_parse(VIEW("C=GB;A= ;P=ORG;L=local-1"), &m.id, w->arena, &e));
	assert_true(mts_id_parse(VIEW("C=GB;A= ;P=ORG;L=subject-9"), &m.subject_id, w->arena, &e));
	assert_true(oraddr_parse(VIEW("C=GB; A=X; S=pp"), &m.originator, w->arena, ORADDR_GENERATE, &e));
	m.rcpt = arena_array(w->arena, 2, sizeof *m.rcpt);
	m.n_rcpt = 1;
	m.rcpt[0] = (struct recipient){ .number = 1, .reason = -1, .diagnostic = -1, .type_of_user = UINT32_MAX };
	assert_true(oraddr_parse(VIEW("C=GB; A=X; S=bob"), &m.rcpt[0].addr, w->arena, ORADDR_GENERATE, &e));
	return m;
}

static void test_a_message_is_shown(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	const struct message m = message_of(&w, MESSAGE_MESSAGE);
	struct out packed;
	out_init(&packed, 1 << 16);
	pack_message(&packed, &m, 0, m.n_rcpt);
	ask(&w, 41, out_view(&packed), VIEW(CONTENT));
	assert_int_equal(w.answers, 1);
	assert_int_equal(w.last.id, 41);
	assert_int_equal(w.last.delivery, 7);
	assert_int_equal(w.last.err.kind, ERR_NONE);
	assert_int_equal(w.shown.kind, RENDER_IPM);
	assert_string_equal(field(&w, "subject"), "Hi");
	assert_string_equal(field(&w, "priority"), "urgent");
	assert_non_null(strstr(field(&w, "mts-id"), "local-1"));
	assert_int_equal(w.shown.n_parts, 1);
	/* A second one, and one that is no content: each its own answer. */
	ask(&w, 42, out_view(&packed), VIEW("\xa0\x80\xff"));
	assert_int_equal(w.last.id, 42);
	assert_int_equal(w.shown.kind, RENDER_BROKEN);
	assert_int_equal(w.answers, 2);
	out_fini(&packed);
	end(&w);
}

static void test_a_report_is_shown_with_what_it_returns(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	struct message m = message_of(&w, MESSAGE_REPORT);
	m.rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m.rcpt[0].reason = 1;
	m.rcpt[0].diagnostic = 0;
	m.rcpt[0].supplementary = VIEW("nobody");
	m.rcpt[1] = m.rcpt[0];
	m.rcpt[1].number = 2;
	m.rcpt[1].outcome = OUTCOME_DELIVERED;
	m.rcpt[1].reason = m.rcpt[1].diagnostic = -1;
	m.rcpt[1].delivered_at = INT64_C(1795307942000); /* 2026-11-22 00:39:02 UTC */
	m.n_rcpt = 2;
	m.has_returned_content = true;
	m.returned_content = VIEW(CONTENT);
	struct out packed;
	out_init(&packed, 1 << 16);
	pack_message(&packed, &m, 0, m.n_rcpt);
	ask(&w, 1, out_view(&packed), (struct view){ NULL, 0 });
	assert_int_equal(w.last.err.kind, ERR_NONE);
	assert_int_equal(w.shown.kind, RENDER_REPORT);
	assert_non_null(strstr(field(&w, "subject-message"), "subject-9"));
	assert_non_null(strstr(field(&w, "not-delivered"), "S=bob"));
	assert_non_null(strstr(field(&w, "not-delivered"), reason_name(1)));
	assert_non_null(strstr(field(&w, "not-delivered"), diagnostic_name(0)));
	assert_non_null(strstr(field(&w, "not-delivered"), "nobody"));
	assert_string_equal(field(&w, "delivered-at"), "2026-11-22 00:39:02 UTC");
	assert_int_equal(w.shown.n_parts, 2); /* the message, and its text */
	assert_int_equal(w.shown.parts[0].flags, RENDER_MESSAGE);
	assert_int_equal(w.shown.parts[1].depth, 2);
	out_fini(&packed);
	end(&w);
}

static void test_a_bad_item_is_answered_with_its_error(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	ask(&w, 5, VIEW("\xff\xff"), VIEW(CONTENT));
	assert_int_equal(w.answers, 1);
	assert_int_equal(w.last.id, 5);
	assert_int_not_equal(w.last.err.kind, ERR_NONE);
	assert_int_equal(w.closed, 0);
	end(&w);
	/* A budget that is over before it begins. */
	begin(&w, -1);
	const struct message m = message_of(&w, MESSAGE_MESSAGE);
	struct out packed;
	out_init(&packed, 1 << 16);
	pack_message(&packed, &m, 0, m.n_rcpt);
	ask(&w, 6, out_view(&packed), VIEW(CONTENT));
	assert_int_equal(w.last.err.kind, ERR_PERM);
	assert_int_equal(w.last.err.culprit, ERR_OF_MESSAGE);
	out_fini(&packed);
	end(&w);
}

static void test_without_a_switch_it_ends(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	chan_free(&w.control, false);
	fake_env_settle(w.env);
	fake_env_pass(w.env, CONTENT_ALONE_MS - 1);
	assert_int_equal(w.deaths, 0);
	fake_env_pass(w.env, 1);
	assert_int_equal(w.deaths, 1);
	/* In time, a new pair is taken instead. */
	chan_free(&w.bulk, false);
	fake_env_settle(w.env);
	connect_pair(&w);
	fake_env_pass(w.env, 2 * CONTENT_ALONE_MS);
	assert_int_equal(w.deaths, 1);
	end(&w);
}

static void test_nonsense_ends_the_channel(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	chan_send(w.control, MSG_RENDER, VIEW("\x00"));
	fake_env_settle(w.env);
	assert_int_equal(w.answers, 0);
	assert_int_equal(w.closed, 1);
	end(&w);
}

/* --- conversion --- */

/* X.420: heading with this-IPM "1", one IA5 text of eleven characters; and its line in two. */
#define LONG_LINE(text) "\xa0\x1a\x31\x05\x6b\x03\x13\x01" "1\x30\x11\xa0\x0f\x31\x00\x16\x0b" text
#define TWO_LINES(text) "\xa0\x1b\x31\x05\x6b\x03\x13\x01" "1\x30\x12\xa0\x10\x31\x00\x16\x0c" text

static void ask_convert(struct world *w, uint64_t id, int64_t type, uint64_t wrap, struct view content)
{
	const struct msg_convert m = { .id = id, .transfer = 70 + id, .wrap = wrap, .content_type = type, .content = content };
	w->notes[0] = 0;
	put_msg_convert(chan_begin(w->control, MSG_CONVERT), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
	assert_int_equal(w->converted.id, id);
	assert_int_equal(w->closed, 0);
}

static void assert_failed(const struct world *w, int diagnostic)
{
	assert_false(w->converted.changed);
	assert_int_equal(w->converted.content.n, 0);
	assert_int_equal(w->converted.err.kind, ERR_PERM);
	assert_int_equal(w->converted.err.culprit, ERR_OF_MESSAGE);
	assert_int_equal(w->converted.err.reason, 2);
	assert_int_equal(w->converted.err.diagnostic, diagnostic);
}

static void test_a_content_is_converted(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 10000);
	ask_convert(&w, 1, 22, 5, VIEW(LONG_LINE("hello world")));
	assert_int_equal(w.converted.err.kind, ERR_NONE);
	assert_true(w.converted.changed);
	assert_true(view_eq(w.converted.content, VIEW(TWO_LINES("hello\r\nworld"))));
	assert_string_equal(w.notes, "transfer 71;;");
	/* What needs no change comes back empty: P2 too, and never. */
	ask_convert(&w, 2, 2, 11, VIEW(LONG_LINE("hello world")));
	assert_true(w.converted.err.kind == ERR_NONE && !w.converted.changed && w.converted.content.n == 0);
	ask_convert(&w, 3, 2, 0, VIEW(LONG_LINE("hello world")));
	assert_true(w.converted.err.kind == ERR_NONE && !w.converted.changed && w.converted.content.n == 0);
	ask_convert(&w, 4, 2, UINT64_MAX, VIEW(LONG_LINE("hello world")));
	assert_true(w.converted.err.kind == ERR_NONE && !w.converted.changed);
	end(&w);
}

/* X.420 7.1: a P22 with the extension incomplete-copy; a voice part {id-et 16}; a receipt (8.2). RFC 1328 5 and 6. */
static void test_contents_for_another_age(void **state)
{
	(void)state;
	static const struct view
		extension = { (const uint8_t *)"\xa0\x15\x31\x11\x6b\x03\x13\x01" "1\xaf\x0a\x30\x08\x06\x04\x56\x01\x05\x00\x05\x00\x30\x00", 23 },
		plain = { (const uint8_t *)"\xa0\x09\x31\x05\x6b\x03\x13\x01" "1\x30\x00", 11 },
		voice = { (const uint8_t *)"\xa0\x1a\x31\x05\x6b\x03\x13\x01" "1\x30\x11\xaf\x0f\x28\x0d\x06\x04\x56\x01\x04\x10\xa0\x05\x04\x03" "abc", 28 },
		receipt = { (const uint8_t *)"\xa1\x18\x6b\x03\x13\x01" "1\xa0\x11\xa1\x0f\x80\x0d" "261122003902Z", 26 };
	struct world w;
	begin(&w, 10000);
	const struct {
		struct msg_convert m;
		int diagnostic; /* 0: converted */
		struct view want;
		bool eits, is_notification;
	} rows[] = {
		{ { .to_84 = true, .content_type = 22, .content = extension }, 0, plain, false, false },
		{ { .to_84 = true, .prohibited = true, .content_type = 22, .content = extension }, 0, plain, false, false },
		{ { .to_84 = true, .content_type = 2, .content = plain }, 0, { NULL, 0 }, false, false },
		{ { .to_84 = true, .content_type = 22, .content = receipt }, 0, receipt, false, true },
		{ { .no_part_15 = true, .prohibited = true, .content_type = 22, .content = voice }, 9, { NULL, 0 }, false, false },
		{ { .text = 250, .content_type = 22, .content = voice }, 0, { NULL, 0 }, false, false }, /* nobody's wish */
		{ { .from_84 = true, .no_free_form = true, .text = 1, .no_loss = true, .content_type = 22, .content = extension }, 0, { NULL, 0 }, false, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct msg_convert m = rows[i].m;
		m.id = i + 1;
		put_msg_convert(chan_begin(w.control, MSG_CONVERT), &m);
		chan_end(w.control);
		fake_env_settle(w.env);
		assert_int_equal(w.converted.id, i + 1);
		if (rows[i].diagnostic != 0) {
			assert_failed(&w, rows[i].diagnostic);
			continue;
		}
		assert_int_equal(w.converted.err.kind, ERR_NONE);
		assert_int_equal(w.converted.content_type, m.to_84 ? 2 : 22);
		assert_true(view_eq(w.converted.content, rows[i].want));
		assert_int_equal(w.converted.changed, rows[i].want.n > 0);
		assert_int_equal(w.converted.eits.n > 0, rows[i].eits);
		assert_int_equal(w.converted.is_notification, rows[i].is_notification);
	}
	end(&w);
}

static void test_what_cannot_be_converted_fails_alone_and_the_same_way(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 10000);
	for (unsigned i = 0; i < 3; i++) {
		ask_convert(&w, 1, 22, 5, VIEW("\xa0\x80\xff\xff"));
		assert_failed(&w, 12); /* content-syntax-error */
		assert_string_equal(w.notes, "transfer 71;;");
		ask_convert(&w, 2, 35, 5, VIEW(LONG_LINE("hello world")));
		assert_failed(&w, 15); /* content-type-not-supported */
		assert_non_null(strstr(w.converted.err.text, "35"));
		ask_convert(&w, 3, -1, 5, (struct view){ NULL, 0 });
		assert_failed(&w, 15);
		ask_convert(&w, 4, 22, 5, VIEW(LONG_LINE("hello world")));
		assert_true(w.converted.changed);
	}
	end(&w);
	begin(&w, -1); /* a budget that is over before it begins; asked within a long text */
	const size_t n = 1 << 20;
	uint8_t *text = mem_alloc(n);
	memset(text, 'x', n);
	struct out o;
	out_init(&o, n + 100);
	out_bytes(&o, VIEW("\xa0\x80\x31\x05\x6b\x03\x13\x01" "1\x30\x80\xa0\x80\x31\x00\x16\x83\x10\x00\x00"));
	out_bytes(&o, view_of(text, n));
	out_bytes(&o, VIEW("\0\0\0\0\0\0"));
	ask_convert(&w, 5, 22, 70, out_view(&o));
	assert_failed(&w, 8); /* conversion-impractical */
	assert_non_null(strstr(w.converted.err.text, "longer than it may"));
	out_fini(&o);
	free(text);
	end(&w);
}

/* The longest content that a frame takes: converted when the result is no longer, else refused. */
static void test_contents_as_long_as_a_frame(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 600000);
	const size_t n = MSG_MAX_CONVERT - 1000; /* what a CONVERTED has besides, and some breaks */
	uint8_t *text = mem_alloc(n);
	memset(text, 'x', n);
	struct out o;
	out_init(&o, n + 100);
	const uint8_t length[] = { 0x84, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	out_bytes(&o, VIEW("\xa0\x80\x31\x05\x6b\x03\x13\x01" "1\x30\x80\xa0\x80\x31\x00\x16"));
	out_bytes(&o, view_of(length, sizeof length));
	out_bytes(&o, view_of(text, n));
	out_bytes(&o, VIEW("\0\0\0\0\0\0"));
	ask_convert(&w, 1, 22, 70, out_view(&o));
	assert_failed(&w, 8);
	ask_convert(&w, 2, 22, n, out_view(&o));
	assert_true(w.converted.err.kind == ERR_NONE && !w.converted.changed);
	/* Lines of 70, but for one place. */
	for (size_t i = 70; i < n; i += 71)
		text[i] = '\n';
	out_clear(&o);
	out_bytes(&o, VIEW("\xa0\x80\x31\x05\x6b\x03\x13\x01" "1\x30\x80\xa0\x80\x31\x00\x16"));
	out_bytes(&o, view_of(length, sizeof length));
	memcpy(text + n - 200, "word and                                                                        ", 80);
	out_bytes(&o, view_of(text, n));
	out_bytes(&o, VIEW("\0\0\0\0\0\0"));
	ask_convert(&w, 3, 22, 70, out_view(&o));
	assert_int_equal(w.converted.err.kind, ERR_NONE);
	assert_true(w.converted.changed);
	out_fini(&o);
	free(text);
	end(&w);
}

/* A marker in a message's text makes just that message fail, each time; others go on. */
static void test_fault_points_by_marker(void **state)
{
	(void)state;
	struct world w;
	struct err e;
	begin(&w, 10000);
	assert_true(fault_plan("CONTENT_CONVERT:@POISON:fail,CONTENT_RENDER:@POISON:fail", &e));
	for (unsigned i = 0; i < 3; i++) {
		ask_convert(&w, 1, 22, 5, VIEW(LONG_LINE("my POISON!!")));
		assert_failed(&w, 8);
		assert_non_null(strstr(w.converted.err.text, "fault point"));
		ask_convert(&w, 2, 22, 5, VIEW(LONG_LINE("hello world")));
		assert_true(w.converted.changed);
	}
	struct message m = message_of(&w, MESSAGE_MESSAGE);
	struct out packed;
	out_init(&packed, 1 << 16);
	pack_message(&packed, &m, 0, m.n_rcpt);
	ask(&w, 41, out_view(&packed), VIEW(LONG_LINE("my POISON!!")));
	assert_int_equal(w.last.err.kind, ERR_PERM);
	assert_int_equal(w.last.err.culprit, ERR_OF_MESSAGE);
	w.notes[0] = 0;
	ask(&w, 42, out_view(&packed), VIEW(LONG_LINE("hello world")));
	assert_int_equal(w.last.err.kind, ERR_NONE);
	assert_string_equal(w.notes, "delivery 7;;");
	/* What a report returns is in its envelope. */
	m = message_of(&w, MESSAGE_REPORT);
	m.rcpt[0].outcome = OUTCOME_NOT_DELIVERED;
	m.rcpt[0].reason = 1;
	m.has_returned_content = true;
	m.returned_content = VIEW(LONG_LINE("my POISON!!"));
	out_clear(&packed);
	pack_message(&packed, &m, 0, m.n_rcpt);
	ask(&w, 43, out_view(&packed), (struct view){ NULL, 0 });
	assert_int_equal(w.last.err.kind, ERR_PERM);
	assert_true(fault_plan(NULL, &e));
	out_fini(&packed);
	end(&w);
}

static void test_nonsense_convert_ends_the_channel(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	chan_send(w.control, MSG_CONVERT, VIEW("\x00"));
	fake_env_settle(w.env);
	assert_int_equal(w.answers, 0);
	assert_int_equal(w.closed, 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_is_shown),
		cmocka_unit_test(test_a_report_is_shown_with_what_it_returns),
		cmocka_unit_test(test_a_bad_item_is_answered_with_its_error),
		cmocka_unit_test(test_without_a_switch_it_ends),
		cmocka_unit_test(test_nonsense_ends_the_channel),
		cmocka_unit_test(test_a_content_is_converted),
		cmocka_unit_test(test_contents_for_another_age),
		cmocka_unit_test(test_what_cannot_be_converted_fails_alone_and_the_same_way),
		cmocka_unit_test(test_contents_as_long_as_a_frame),
		cmocka_unit_test(test_fault_points_by_marker),
		cmocka_unit_test(test_nonsense_convert_ends_the_channel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
