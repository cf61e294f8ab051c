/* converter_test.c - the converter against the messages of proc/table/msgs.h (docs/connector.md), in a world in memory. What the conversion
 * itself does is tested beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "flow/codec/msmail/convert_testing.h"
#include "proc/content/converter.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/fake_env.h"

struct world {
	struct env *env;
	struct event_log *log;
	struct converter *converter;
	struct testing_world t;
	struct chan *control, *bulk; /* the interchange's ends */
	bool give_credit;            /* for what comes, at once */
	unsigned answers, deaths, closed;
	uint64_t credit;             /* that the converter has given */
	struct msg_xlated last;      /* views into `kept` */
	struct out kept, result;
	char notes[400];             /* each with `;` behind it */
};

static bool on_xlated(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	w->answers++;
	out_clear(&w->kept);
	out_bytes(&w->kept, payload);
	return get_msg_xlated(out_view(&w->kept), &w->last, e);
}

static void say_credit(struct world *w, uint64_t id, uint64_t n)
{
	const struct msg_count m = { id, n };
	put_msg_count(chan_begin(w->bulk, MSG_XLATE_CREDIT), &m);
	chan_end(w->bulk);
}

static bool on_data(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	assert_true(m.octets.n > 0 && m.octets.n <= MSG_PIECE_MAX);
	assert_int_equal(m.id, w->last.id);
	out_bytes(&w->result, m.octets);
	if (w->give_credit)
		say_credit(w, m.id, m.octets.n);
	return true;
}

static bool on_credit(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	w->credit += m.n;
	return true;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->closed++;
}

static const struct chan_type types[] = {
	{ .type = MSG_XLATE_DATA, .name = "XLATE_DATA", .handle = on_data, .max = MSG_MAX_XLATE_DATA },
	{ .type = MSG_XLATE_CREDIT, .name = "XLATE_CREDIT", .handle = on_credit, .max = MSG_MAX_XLATE_CREDIT },
	{ .type = MSG_XLATED, .name = "XLATED", .handle = on_xlated, .max = MSG_MAX_XLATED },
};
static const struct chan_events bulk_events = { types, ARRAY_LEN(types), NULL, NULL, on_closed, NULL };
static const struct chan_events control_events = { NULL, 0, NULL, NULL, on_closed, NULL };

static void on_note(void *ctx, const char *text)
{
	struct world *w = ctx;
	const size_t n = strlen(w->notes);
	snprintf(w->notes + n, sizeof w->notes - n, "%s;", text);
}

static void on_die(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->deaths++;
}

static void leave(struct world *w)
{
	if (w->control != NULL)
		chan_free(&w->control, false);
	if (w->bulk != NULL)
		chan_free(&w->bulk, false);
	fake_env_settle(w->env);
}

static void connect_pair(struct world *w)
{
	struct stream *ours, *theirs;
	leave(w);
	fake_env_pair(w->env, &ours, &theirs);
	w->control = chan_new(&ours, &control_events, w, PROCESS_INTERCHANGE, 3);
	converter_adopt_interchange(w->converter, false, theirs);
	fake_env_pair(w->env, &ours, &theirs);
	w->bulk = chan_new(&ours, &bulk_events, w, PROCESS_INTERCHANGE, 3);
	converter_adopt_interchange(w->converter, true, theirs);
	fake_env_settle(w->env);
}

static void begin(struct world *w, int64_t budget_ms)
{
	static const char *const lines[] = { "NET1/PO1/BOB = G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB",
					     "FAR/PO9/* = S=*; O=Far; P=AWAY; A=EXAMPLE; C=FR" };
	struct err e;
	*w = (struct world){ .env = fake_env_new(), .t = testing_world_new(), .give_credit = true };
	out_init(&w->kept, CHAN_FRAME_MAX);
	out_init(&w->result, 64 << 20);
	w->log = event_log_new(w->env, event_kinds, EVENT_KINDS, "converter", -1, false);
	event_log_set_level(w->log, EVENT_ALARM);
	const struct actor_host host = { .env = w->env, .log = w->log, .note = on_note, .die = on_die, .ctx = w };
	const struct converter_config config = {
		.addresses = lines, .n_addresses = 2, .own_domain = "C=GB; A=EXAMPLE; P=SITE", .own = { "NET1", "PO1", "" }, .kit = w->t.kit,
		.scramble = &mm_scramble_none, .domain = &w->t.domain, .mta = "MTA1", .code_page = 850, .zone_minutes = 60,
		.message_max = 4 << 20, .arena = 16 << 20, .budget_ms = budget_ms,
	};
	assert_true(converter_new(&host, &config, 3, &w->converter, &e));
	connect_pair(w);
	w->notes[0] = 0;
}

static void end(struct world *w)
{
	converter_free(&w->converter);
	leave(w);
	event_log_free(&w->log);
	fake_env_free(&w->env);
	out_fini(&w->kept);
	out_fini(&w->result);
	testing_world_free(&w->t);
}

static void put_file(struct out *o, const char *name, uint64_t size)
{
	put_string(o, view_str(name));
	out_u64(o, size);
}

static void send_piece(struct world *w, uint64_t id, struct view octets)
{
	const struct msg_piece m = { id, octets };
	put_msg_piece(chan_begin(w->bulk, MSG_XLATE_DATA), &m);
	chan_end(w->bulk);
	fake_env_settle(w->env);
}

/* In pieces of `size`, no more than there is credit for. */
static void send_octets(struct world *w, uint64_t id, struct view octets, size_t size)
{
	uint64_t sent = 0;
	const uint64_t before = w->credit;
	while (octets.n > 0) {
		const struct view piece = view_first(octets, size);
		assert_true(sent + piece.n <= MSG_CREDIT + w->credit - before);
		send_piece(w, id, piece);
		sent += piece.n;
		octets = view_from(octets, piece.n);
	}
}

/* A packed message to BOB; good until the world ends. */
static struct view packed_message(struct world *w)
{
	const struct message m = testing_message(&w->t);
	struct out o;
	out_init(&o, 1 << 20);
	pack_message(&o, &m, 0, m.n_rcpt);
	const struct view v = arena_copy(w->t.a, out_view(&o));
	out_fini(&o);
	return v;
}

static void ask(struct world *w, uint64_t id, uint8_t to_mai, struct view about, struct view files)
{
	const struct msg_xlate m = {
		.id = id, .to_mai = to_mai, .item = to_mai == 1 ? VIEW("transfer 17") : VIEW("INQUEUE3 00000062"),
		.packed = to_mai == 1 ? about : (struct view){ NULL, 0 }, .envelope = to_mai == 1 ? (struct view){ NULL, 0 } : about,
		.local_id = VIEW("local-1"), .files = files, .now_ms = TESTING_NOW, .own = VIEW("NET1/PO1"),
	};
	put_msg_xlate(chan_begin(w->bulk, MSG_XLATE), &m);
	chan_end(w->bulk);
	fake_env_settle(w->env);
}

static void ask_to_mai(struct world *w, uint64_t id, uint64_t size)
{
	struct out files;
	out_init(&files, 1000);
	put_file(&files, "content", size);
	ask(w, id, 1, packed_message(w), out_view(&files));
	out_fini(&files);
}

static struct view content_with_file(struct world *w, struct view octets)
{
	const struct ipm_compose_part p[] = { { .kind = IPM_COMPOSE_TEXT, .data = VIEW("see file") },
					      { .kind = IPM_COMPOSE_FILE, .data = octets, .name = VIEW("f.bin") } };
	const struct ipm_compose c = { .subject = VIEW("s"), .parts = p, .n_parts = 2 };
	return testing_content_of(&w->t, &c);
}

/* Sizes of the result's files, in order. */
static size_t sizes_of(const struct world *w, uint64_t sizes[4])
{
	struct cur c = cur_of(w->last.files);
	size_t n = 0;
	while (cur_left(&c) > 0 && n < 4) {
		(void)get_string(&c);
		sizes[n++] = cur_u64(&c);
	}
	assert_false(c.bad);
	return n;
}

static void test_to_mai_in_pieces_of_any_size(void **state)
{
	static const size_t pieces[] = { 1, 7, 1000, MSG_PIECE_MAX };
	(void)state;
	struct world w;
	begin(&w, 1000);
	const struct view content = content_with_file(&w, VIEW("octets of the file"));
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct mai m;
		struct err e;
		uint64_t sizes[4];
		const struct mai_limits limits = mai_limits_default();
		out_clear(&w.result);
		ask_to_mai(&w, i + 1, content.n);
		assert_int_equal(w.answers, i);
		send_octets(&w, i + 1, content, pieces[i]);
		assert_int_equal(w.answers, i + 1);
		assert_int_equal(w.last.id, i + 1);
		assert_int_equal(w.last.err.kind, ERR_NONE);
		assert_int_equal(sizes_of(&w, sizes), 2);
		assert_int_equal(sizes[1], 18);
		assert_int_equal(out_len(&w.result), sizes[0] + sizes[1]);
		assert_true(mai_parse(view_first(out_view(&w.result), (size_t)sizes[0]), &mm_scramble_none, &m, w.t.a, &limits, &e));
		assert_true(view_eq(m.text, VIEW("see file")));
		assert_true(view_eq(view_from(out_view(&w.result), (size_t)sizes[0]), VIEW("octets of the file")));
		struct mm_envelope v;
		assert_true(mm_envelope_parse(w.last.envelope, &v, w.t.a, &e));
		assert_int_equal(v.n, 1);
		assert_true(view_eq(v.recipients[0].address.text, VIEW("NET1/PO1/BOB")));
	}
	assert_string_equal(w.notes, "transfer 17;;transfer 17;;transfer 17;;transfer 17;;");
	assert_int_equal(w.closed, 0);
	end(&w);
}

static void test_to_ipm_with_a_notice(void **state)
{
	(void)state;
	struct world w;
	struct out mai, envelope, files, text;
	struct err e;
	struct view names[] = { VIEW("NET1/PO1/NOBODY") };
	struct mm_notice n = { .code = 2, .from = VIEW("FAR/PO9/ANN"), .to = VIEW("NET1/PO1/NOBODY"), .subject = VIEW("lunch"), .unreached = names, .n_unreached = 1 };
	begin(&w, 1000);
	out_init(&mai, 100000);
	out_init(&envelope, 100000);
	out_init(&files, 1000);
	out_init(&text, 10000);
	notice_print(&n, &text);
	struct mai m = testing_letter(&w.t, VIEW(NOTICE_SUBJECT), out_view(&text));
	struct mm_attachment x = { .file = mm_id_of(5), .name = VIEW("A.TXT"), .position = UINT32_MAX };
	m.from = testing_ms("NET1/PO1/POSTMASTER");
	m.attachments = &x;
	m.n_attachments = 1;
	assert_true(mai_print(&m, &mm_scramble_none, &mai, &e));
	const struct mm_envelope v = testing_envelope(&w.t, &m);
	assert_true(mm_envelope_print(&v, &envelope, &e));
	put_file(&files, "MAI", out_len(&mai));
	put_file(&files, "00000005", 3);
	ask(&w, 9, 0, out_view(&envelope), out_view(&files));
	send_octets(&w, 9, out_view(&mai), 100);
	assert_int_equal(w.answers, 0);
	send_octets(&w, 9, VIEW("abc"), 100);
	assert_int_equal(w.answers, 1);
	assert_int_equal(w.last.err.kind, ERR_NONE);
	uint64_t sizes[4];
	struct message message;
	struct ipm ipm;
	const struct ber_limits limits = ipm_limits_default();
	assert_int_equal(sizes_of(&w, sizes), 1);
	assert_int_equal(out_len(&w.result), sizes[0]);
	assert_true(unpack_message(w.last.packed, &message, w.t.a, &e));
	assert_true(view_eq(message.id.local, VIEW("local-1")));
	assert_true(ipm_parse(out_view(&w.result), &ipm, w.t.a, &limits, &e));
	assert_int_equal(ipm_part_count(ipm.message), 2);
	struct cur c = cur_of(w.last.notice); /* code, from, to, subject, date, name, its code */
	assert_true(view_eq(get_string(&c), VIEW("2")));
	(void)get_string(&c);
	(void)get_string(&c);
	assert_true(view_eq(get_string(&c), VIEW("lunch")));
	(void)get_string(&c);
	assert_true(view_eq(get_string(&c), VIEW("NET1/PO1/NOBODY")));
	assert_true(view_eq(get_string(&c), VIEW("2")));
	assert_int_equal(cur_left(&c), 0);
	assert_string_equal(w.notes, "INQUEUE3 00000062;;");
	out_fini(&mai);
	out_fini(&envelope);
	out_fini(&files);
	out_fini(&text);
	end(&w);
}

/* 1 MB each way: the first MSG_CREDIT octets go at once, no more until they are said to be taken. */
static void test_results_wait_for_credit(void **state)
{
	enum { N = 1 << 20 };
	(void)state;
	struct world w;
	begin(&w, 1000);
	uint8_t *octets = mem_zero(N);
	const struct view content = content_with_file(&w, view_of(octets, N));
	w.give_credit = false;
	ask_to_mai(&w, 1, content.n);
	send_octets(&w, 1, content, MSG_PIECE_MAX);
	assert_true(w.credit + MSG_PIECE_MAX >= content.n); /* all but the last piece */
	assert_int_equal(w.answers, 1);
	assert_int_equal(out_len(&w.result), MSG_CREDIT);
	say_credit(&w, 1, 1);
	say_credit(&w, 99, 1 << 20); /* of another message */
	fake_env_settle(w.env);
	assert_int_equal(out_len(&w.result), MSG_CREDIT + 1);
	assert_string_equal(w.notes, "transfer 17;");
	say_credit(&w, 1, UINT64_MAX);
	fake_env_settle(w.env);
	uint64_t sizes[4];
	assert_int_equal(sizes_of(&w, sizes), 2);
	assert_int_equal(out_len(&w.result), sizes[0] + N);
	assert_string_equal(w.notes, "transfer 17;;");
	say_credit(&w, 1, 5); /* for what has gone already */
	ask_to_mai(&w, 2, content.n);
	assert_int_equal(w.closed, 0);
	free(octets);
	end(&w);
}

static void test_errors_are_of_the_message(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	ask_to_mai(&w, 1, 6);
	send_octets(&w, 1, VIEW("no BER"), 6);
	assert_int_equal(w.answers, 1);
	assert_int_equal(w.last.err.kind, ERR_PERM);
	assert_int_equal(w.last.err.reason, 1);
	assert_int_equal(w.last.err.diagnostic, 12);
	assert_int_equal(w.last.files.n, 0);
	/* Too large: said at once, and what is under way is let pass without credit. */
	ask_to_mai(&w, 2, (4 << 20) + 1);
	assert_int_equal(w.answers, 2);
	assert_int_equal(w.last.id, 2);
	assert_int_equal(w.last.err.diagnostic, 7);
	const uint64_t credit = w.credit;
	send_piece(&w, 2, VIEW("late"));
	assert_int_equal(w.credit, credit);
	/* Sizes whose sum is no number; no file at all. */
	struct out files;
	out_init(&files, 1000);
	put_file(&files, "a", UINT64_MAX);
	put_file(&files, "b", UINT64_MAX);
	ask(&w, 3, 1, packed_message(&w), out_view(&files));
	assert_int_equal(w.answers, 3);
	assert_int_equal(w.last.err.kind, ERR_PERM);
	ask(&w, 4, 0, (struct view){ NULL, 0 }, (struct view){ NULL, 0 });
	assert_int_equal(w.answers, 4);
	assert_int_equal(w.last.err.kind, ERR_PERM);
	ask(&w, 5, 1, VIEW("no packed form"), (struct view){ NULL, 0 });
	assert_int_equal(w.answers, 5);
	assert_int_not_equal(w.last.err.kind, ERR_NONE);
	/* And the next one is a message like any other. */
	const struct view content = content_with_file(&w, VIEW("x"));
	ask_to_mai(&w, 6, content.n);
	send_octets(&w, 6, content, 100);
	assert_int_equal(w.last.err.kind, ERR_NONE);
	assert_int_equal(w.closed, 0);
	out_fini(&files);
	end(&w);
}

static void test_out_of_time(void **state)
{
	(void)state;
	struct world w;
	begin(&w, -1);
	const struct view content = content_with_file(&w, VIEW("x"));
	ask_to_mai(&w, 1, content.n);
	send_octets(&w, 1, content, 1000);
	assert_int_equal(w.last.err.kind, ERR_PERM);
	assert_int_equal(w.last.err.culprit, ERR_OF_MESSAGE);
	end(&w);
}

/* A poison item is charged by its octets. */
static void test_fault_point(void **state)
{
	(void)state;
	struct world w;
	struct err e;
	begin(&w, 1000);
	assert_true(fault_plan("CONVERTER_XLATE:@POISON:fail", &e));
	const struct view good = content_with_file(&w, VIEW("wholesome")), bad = content_with_file(&w, VIEW("POISON"));
	ask_to_mai(&w, 1, bad.n);
	send_octets(&w, 1, bad, 1000);
	assert_int_equal(w.last.err.kind, ERR_PERM);
	ask_to_mai(&w, 2, good.n);
	send_octets(&w, 2, good, 1000);
	assert_int_equal(w.last.err.kind, ERR_NONE);
	assert_true(fault_plan(NULL, &e));
	end(&w);
}

enum wrong { TOO_MANY, OTHER_ID, TWO_AT_ONCE, CUT_LIST, NOTHING_ASKED, NO_XLATE, WRONGS };

static void do_wrong(struct world *w, enum wrong what)
{
	struct out o;
	switch (what) {
	case TOO_MANY:
		ask_to_mai(w, 1, 5);
		send_piece(w, 1, VIEW("six of"));
		break;
	case OTHER_ID:
		ask_to_mai(w, 1, 5);
		send_piece(w, 2, VIEW("five."));
		break;
	case TWO_AT_ONCE:
		ask_to_mai(w, 1, 5);
		ask_to_mai(w, 2, 5);
		break;
	case CUT_LIST:
		out_init(&o, 100);
		put_file(&o, "content", 5);
		ask(w, 1, 1, packed_message(w), view_first(out_view(&o), out_len(&o) - 1));
		out_fini(&o);
		break;
	case NOTHING_ASKED:
		send_piece(w, 1, VIEW("octets"));
		break;
	case NO_XLATE:
		chan_send(w->bulk, MSG_XLATE, VIEW("\1\2\3"));
		fake_env_settle(w->env);
		break;
	case WRONGS:
		break;
	}
}

/* Out of step: the stream ends; with a new pair it works again. */
static void test_nonsense_ends_the_stream(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WRONGS; i++) {
		struct world w;
		begin(&w, 1000);
		do_wrong(&w, (enum wrong)i);
		if (w.closed != 1)
			fail_msg("wrong %u: %u streams closed", i, w.closed);
		assert_int_equal(w.answers, 0);
		connect_pair(&w);
		const struct view content = content_with_file(&w, VIEW("x"));
		ask_to_mai(&w, 50, content.n);
		send_octets(&w, 50, content, 1000);
		assert_int_equal(w.answers, 1);
		assert_int_equal(w.last.err.kind, ERR_NONE);
		fake_env_pass(w.env, 2 * CONVERTER_ALONE_MS);
		assert_int_equal(w.deaths, 0);
		end(&w);
	}
}

/* The interchange goes at any point: what was in hand is forgotten, its note too. */
static void test_cut_streams(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 1000);
	uint8_t *octets = mem_zero(600000);
	const struct view content = content_with_file(&w, view_of(octets, 600000));
	for (unsigned cut = 0; cut < 3; cut++) {
		w.notes[0] = 0;
		w.give_credit = false;
		if (cut > 0)
			ask_to_mai(&w, 7, content.n);
		if (cut == 1)
			send_octets(&w, 7, view_first(content, 1000), 1000);
		if (cut == 2) /* the result is half out */
			send_octets(&w, 7, content, MSG_PIECE_MAX);
		leave(&w);
		assert_string_equal(w.notes, cut == 0 ? ";;" : "transfer 17;;;");
		connect_pair(&w);
		w.give_credit = true;
		w.answers = 0;
		out_clear(&w.result);
		ask_to_mai(&w, 7, content.n);
		send_octets(&w, 7, content, MSG_PIECE_MAX);
		assert_int_equal(w.answers, 1);
		assert_true(out_len(&w.result) > 600000);
	}
	fake_env_pass(w.env, CONVERTER_ALONE_MS + 1);
	assert_int_equal(w.deaths, 0);
	leave(&w);
	fake_env_pass(w.env, CONVERTER_ALONE_MS - 1);
	assert_int_equal(w.deaths, 0);
	fake_env_pass(w.env, 1);
	assert_int_equal(w.deaths, 1);
	free(octets);
	end(&w);
}

/* What an XLATE says of the postoffice goes before the settings. */
static void test_of_another_postoffice(void **state)
{
	(void)state;
	struct world w;
	struct message m;
	struct out packed;
	struct err e;
	struct mm_envelope v;
	begin(&w, 1000);
	m = testing_message(&w.t);
	m.kind = MESSAGE_REPORT;
	m.content_type = -2;
	m.subject_id = m.id;
	out_init(&packed, 10000);
	pack_message(&packed, &m, 0, 1);
	const struct msg_xlate ask_it = { .id = 1, .to_mai = 1, .item = VIEW("transfer 1"), .packed = out_view(&packed), .own = VIEW("OTHER/PLACE") };
	put_msg_xlate(chan_begin(w.bulk, MSG_XLATE), &ask_it);
	chan_end(w.bulk);
	fake_env_settle(w.env);
	assert_int_equal(w.last.err.kind, ERR_NONE);
	assert_true(mm_envelope_parse(w.last.envelope, &v, w.t.a, &e));
	assert_true(view_eq(v.from.text, VIEW("OTHER/PLACE/POSTMASTER")));
	out_fini(&packed);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_mai_in_pieces_of_any_size),
		cmocka_unit_test(test_to_ipm_with_a_notice),
		cmocka_unit_test(test_results_wait_for_credit),
		cmocka_unit_test(test_errors_are_of_the_message),
		cmocka_unit_test(test_out_of_time),
		cmocka_unit_test(test_fault_point),
		cmocka_unit_test(test_nonsense_ends_the_stream),
		cmocka_unit_test(test_cut_streams),
		cmocka_unit_test(test_of_another_postoffice),
	};
	return cmocka_run_group_tests_name("converter", tests, NULL, NULL);
}
