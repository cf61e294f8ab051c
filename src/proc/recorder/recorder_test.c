/* recorder_test.c - lines in, memory and file and followers out, in a world of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "proc/recorder/recorder_int.h"
#include "sys/board.h"
#include "sys/fake_env.h"
#include "sys/folder.h"

#include <fcntl.h>
#include <unistd.h>

enum { SEEN_MAX = 4096 };

/* A follower's side. */
struct reader {
	struct world *w;
	struct chan *chan;
	struct stream *stream;
	char events[SEEN_MAX];       /* the values of field "n", with a space after each */
	uint64_t last, n_events, dropped;
	unsigned n_followed, n_done;
	char rows[1024];             /* the strings of ROWs, with a space after each */
	struct msg_followed followed;
	struct msg_answer done;
	bool closed;
};

struct world {
	struct env *env;
	struct recorder *r;
	struct actor_host host;
	struct set_event_log set;
	char folder[64], path[128], category[64];
	unsigned level, n_levels;
	struct reader *readers[8];
	size_t n_readers;
};

static void on_level(void *ctx, const char *category, unsigned level)
{
	struct world *w = ctx;
	snprintf(w->category, sizeof w->category, "%s", category);
	w->level = level;
	w->n_levels++;
}

static void begin(struct world *w, unsigned memory)
{
	*w = (struct world){ .folder = "/tmp/posthorn-recorder-XXXXXX" };
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof w->path, "%s/events", w->folder);
	w->set = (struct set_event_log){ .file = "", .file_form = 1, .file_size = 1 << 20, .file_keep = 2, .memory = memory };
	w->env = fake_env_new();
	w->host = (struct actor_host){ .env = w->env };
	w->host.log = event_log_new(w->env, event_kinds, EVENT_KINDS, "recorder-0", -1, false);
	w->r = recorder_new(&w->host, &w->set, on_level, w);
}

static void end(struct world *w)
{
	struct err e;
	for (size_t i = 0; i < w->n_readers; i++) {
		chan_free(&w->readers[i]->chan, false);
		free(w->readers[i]);
	}
	fake_env_settle(w->env);
	recorder_free(&w->r);
	event_log_free(&w->host.log);
	fake_env_free(&w->env);
	folder_remove(w->folder);
	assert_true(fault_plan(NULL, &e));
}

/* --- followers --- */

static bool on_event(void *ctx, struct view payload, struct err *e)
{
	struct reader *x = ctx;
	struct msg_event m;
	struct event_line l;
	assert_true(get_msg_event(payload, &m, e));
	assert_true(event_line_parse(m.line, &l, e));
	assert_true(m.number > x->last);
	x->last = m.number;
	x->n_events++;
	size_t at = strlen(x->events);
	snprintf(x->events + at, sizeof x->events - at, "%s ", *event_line_field(&l, "n") == 0 ? l.event : event_line_field(&l, "n"));
	event_line_fini(&l);
	return true;
}

static bool on_followed(void *ctx, struct view payload, struct err *e)
{
	struct reader *x = ctx;
	x->n_followed++;
	assert_true(get_msg_followed(payload, &x->followed, e));
	x->dropped += x->followed.dropped;
	return true;
}

static bool on_done(void *ctx, struct view payload, struct err *e)
{
	struct reader *x = ctx;
	x->n_done++;
	return get_msg_answer(payload, &x->done, e);
}

static bool on_row(void *ctx, struct view payload, struct err *e)
{
	struct reader *x = ctx;
	struct msg_row m;
	assert_true(get_msg_row(payload, &m, e));
	for (struct cur c = cur_of(m.pairs); cur_left(&c) > 0;) {
		const struct view v = get_string(&c);
		const size_t at = strlen(x->rows);
		snprintf(x->rows + at, sizeof x->rows - at, "%.*s ", (int)v.n, (const char *)v.p);
	}
	return true;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct reader *x = ctx;
	(void)why;
	x->closed = true;
}

static struct reader *connect_reader(struct world *w)
{
	static const struct chan_type types[] = {
		{ .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = MSG_MAX_DONE },
		{ .type = MSG_ROW, .name = "ROW", .handle = on_row, .max = MSG_MAX_ROW },
		{ .type = MSG_ROWS_END, .name = "ROWS_END", .handle = on_done, .max = MSG_MAX_ROWS_END },
		{ .type = MSG_FOLLOWED, .name = "FOLLOWED", .handle = on_followed, .max = MSG_MAX_FOLLOWED },
		{ .type = MSG_EVENT, .name = "EVENT", .handle = on_event, .max = MSG_MAX_EVENT },
	};
	static const struct chan_events events = { .types = types, .n_types = ARRAY_LEN(types), .closed = on_closed };
	struct reader *x = mem_zero(sizeof *x);
	struct stream *theirs;
	x->w = w;
	fake_env_pair(w->env, &x->stream, &theirs);
	struct stream *ours = x->stream;
	recorder_accepted(w->r, theirs);
	x->chan = chan_new(&ours, &events, x, PROCESS_TOOL, 0);
	w->readers[w->n_readers++] = x;
	return x;
}

static void ask(struct reader *x, struct msg_follow m)
{
	m.id = 7;
	x->events[0] = 0;
	x->n_followed = 0;
	x->last = 0;
	put_msg_follow(chan_begin(x->chan, MSG_FOLLOW), &m);
	chan_end(x->chan);
	fake_env_settle(x->w->env);
}

/* --- lines --- */

static void say_line(struct world *w, const char *severity, const char *category, const char *link, const char *n)
{
	char line[512];
	snprintf(line, sizeof line, "{\"time\":\"2026-01-01T00:00:%02u.000Z\",\"process\":\"link-3\",\"severity\":\"%s\",\"event\":\"link.Refused\",\"id\":7,"
		 "\"category\":\"%s\",\"fields\":{\"n\":\"%s\",\"link\":\"%s\",\"why\":\"Caf\xc3\xa9 \\\"x\\\"\"}}\n",
		 (unsigned)strtoul(n, NULL, 10) % 60, severity, category, n, link);
	recorder_lines(w->r, view_str(line));
}

static void say_numbers(struct world *w, unsigned from, unsigned to)
{
	char n[16];
	for (unsigned i = from; i < to; i++) {
		snprintf(n, sizeof n, "%u", i);
		say_line(w, "info", "x400", "paris", n);
	}
	fake_env_settle(w->env);
}

static void test_memory_then_live(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	say_numbers(&w, 0, 3);
	struct reader *x = connect_reader(&w), *once = connect_reader(&w);
	ask(x, (struct msg_follow){ .live = true });
	ask(once, (struct msg_follow){ .live = false });
	assert_string_equal(x->events, "0 1 2 ");
	assert_int_equal(x->n_followed, 1);
	assert_true(x->followed.live);
	assert_int_equal(x->followed.id, 7);
	assert_int_equal(x->followed.next, x->last);
	assert_int_equal(x->followed.dropped, 0);
	say_numbers(&w, 3, 5);
	assert_string_equal(x->events, "0 1 2 3 4 ");
	assert_string_equal(once->events, "0 1 2 ");
	assert_false(once->followed.live);
	ask(once, (struct msg_follow){ .after = once->followed.next });
	assert_string_equal(once->events, "3 4 ");
	assert_false(once->followed.anew);
	end(&w);
}

static void test_oldest_go(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	struct reader *x = connect_reader(&w);
	say_numbers(&w, 0, 1);
	ask(x, (struct msg_follow){ .max = 0 });
	uint64_t first = x->last;
	say_numbers(&w, 1, 250);
	x->events[0] = 0;
	ask(x, (struct msg_follow){ .after = first, .max = 2 });
	assert_string_equal(x->events, "150 151 ");
	assert_true(x->followed.more);
	assert_int_equal(x->followed.dropped, 149); /* 1 to 149 were after it and are gone */
	ask(x, (struct msg_follow){ .after = x->followed.next, .max = 1 });
	assert_string_equal(x->events, "152 ");
	ask(x, (struct msg_follow){ .last = true, .max = 3 });
	assert_string_equal(x->events, "247 248 249 ");
	assert_false(x->followed.more);
	ask(x, (struct msg_follow){ .last = true, .max = 3, .text = VIEW("24") });
	assert_string_equal(x->events, "247 248 249 ");
	ask(x, (struct msg_follow){ .last = true, .max = 3, .text = VIEW("20") });
	assert_string_equal(x->events, "208 209 220 ");
	end(&w);
}

static void test_numbers_of_another_life(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	struct reader *x = connect_reader(&w);
	say_numbers(&w, 0, 2);
	ask(x, (struct msg_follow){ .max = 0 });
	uint64_t last = x->last;
	/* A recorder that is started later has higher numbers, however many events there were. */
	fake_env_pass(w.env, 1000);
	recorder_free(&w.r);
	w.r = recorder_new(&w.host, &w.set, on_level, &w);
	struct reader *y = connect_reader(&w);
	say_numbers(&w, 2, 4);
	ask(y, (struct msg_follow){ .after = last });
	assert_string_equal(y->events, "2 3 ");
	assert_true(y->followed.anew);
	assert_true(y->last > last);
	/* And numbers of the future, as after a clock that was set back, hide nothing. */
	ask(y, (struct msg_follow){ .after = UINT64_MAX });
	y->last = 0;
	assert_true(y->followed.anew);
	end(&w);
}

static void test_filters(void **state)
{
	(void)state;
	static const struct {
		struct msg_follow ask;
		const char *seen;
	} cases[] = {
		{ { .severity = EVENT_WARNING }, "2 3 " },
		{ { .categories = VIEW("store") }, "3 " },
		{ { .categories = VIEW("store,msmail") }, "3 4 " },
		{ { .link = VIEW("paris") }, "1 3 " },
		{ { .link = VIEW("pari") }, "" },
		{ { .text = VIEW("CAF\xc3\xa9 \"x") }, "1 2 3 4 " },
		{ { .text = VIEW("link.refused") }, "1 2 3 4 " },
		{ { .text = VIEW("link-3") }, "1 2 3 4 " },
		{ { .text = VIEW("severity") }, "" }, /* a name of the line's own, no value */
		{ { .since = FAKE_WALL_MS + 3000 }, "3 4 " },
		{ { .severity = EVENT_WARNING, .link = VIEW("paris"), .categories = VIEW("store") }, "3 " },
	};
	struct world w;
	begin(&w, 100);
	say_line(&w, "info", "x400", "paris", "1");
	say_line(&w, "warning", "x400", "tokyo", "2");
	say_line(&w, "alarm", "store", "paris", "3");
	say_line(&w, "debug", "msmail", "", "4");
	struct reader *x = connect_reader(&w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		x->last = 0;
		ask(x, cases[i].ask);
		assert_string_equal(x->events, cases[i].seen);
		assert_int_equal(x->followed.err.kind, ERR_NONE);
	}
	ask(x, (struct msg_follow){ .categories = VIEW("stor"), .live = true });
	assert_int_equal(x->followed.err.kind, ERR_PERM);
	assert_non_null(strstr(x->followed.err.text, "stor"));
	ask(x, (struct msg_follow){ .severity = 9 });
	assert_int_equal(x->followed.err.kind, ERR_PERM);
	assert_string_equal(x->events, "");
	assert_false(x->closed);
	end(&w);
}

static void test_a_slow_one_is_left_behind(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	struct reader *slow = connect_reader(&w), *fast = connect_reader(&w);
	ask(slow, (struct msg_follow){ .live = true, .categories = VIEW("x400") });
	ask(fast, (struct msg_follow){ .live = true, .categories = VIEW("x400") });
	fake_env_set_window(w.env, 1000);
	chan_pause(slow->chan, true);
	for (unsigned i = 0; i < 200; i++)
		say_numbers(&w, 20 * i, 20 * i + 20);
	assert_int_equal(fast->n_events, 4000);
	assert_int_equal(fast->dropped, 0);
	struct follower *f = w.r->followers; /* it cost no more than a stream's worth */
	while (chan_unsent(f->chan) == 0)
		f = f->next;
	assert_in_range(chan_unsent(f->chan), 200 * 1024, 300 * 1024);
	chan_pause(slow->chan, false);
	fake_env_settle(w.env);
	assert_true(slow->dropped > 1000);
	assert_in_range(slow->n_events + slow->dropped, 4000, 4001); /* that it is slow is one more, of another category: dropped or passed over */
	ask(fast, (struct msg_follow){ .last = true, .max = 1, .text = VIEW("recorder.follower-slow") });
	assert_string_equal(fast->events, "recorder.follower-slow ");
	end(&w);
}

static void test_lines_cut_anywhere(void **state)
{
	(void)state;
	static const char text[] =
		"rest of a line that a recorder before has begun to read\n\n"
		"{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"p\",\"severity\":\"info\",\"event\":\"a.b\",\"id\":7,\"category\":\"x400\",\"fields\":{\"n\":\"1\"}}\n"
		"{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"p\",\"severity\":\"info\",\"event\":\"a.b\",\"id\":7,\"category\":\"x400\",\"fields\":{\"n\":\"2\"}}\n";
	for (size_t n = 1; n < sizeof text; n++) {
		struct world w;
		begin(&w, 100);
		for (struct view v = view_str(text); v.n > 0; v = view_from(v, n))
			recorder_lines(w.r, view_first(v, n));
		struct reader *x = connect_reader(&w);
		ask(x, (struct msg_follow){ .max = 0 });
		assert_string_equal(x->events, "recorder.nonsense 1 2 ");
		end(&w);
	}
}

/* What a child writes that has gone mad. */
static void test_hostile_lines(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"{\n", "{}\n", "{\"time\":1}\n", "[]\n", "{\"time\":\"now\",\"process\":\"p\",\"severity\":\"info\",\"event\":\"e\",\"category\":\"c\"}\n",
		"{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"p\",\"severity\":\"dire\",\"event\":\"e\",\"category\":\"c\"}\n",
		"{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"\",\"severity\":\"info\",\"event\":\"e\",\"category\":\"c\"}\n",
		"{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"p\",\"severity\":\"info\",\"event\":\"e\",\"category\":\"c\\u0000d\"}\n",
		"{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"p\",\"process\":\"supervisor\",\"severity\":\"info\",\"event\":\"e\",\"category\":\"c\"}\n",
		"{\"a\":\"\xff\xfe\"}\n", "\x1e{\n", "{{{{{{{{{{{{\n",
	};
	struct world w;
	begin(&w, 1000);
	struct reader *x = connect_reader(&w);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		recorder_lines(w.r, view_str(lines[i]));
	char *large = mem_alloc(100000);
	memset(large, '[', 99999);
	large[99999] = '\n';
	recorder_lines(w.r, view_of(large, 100000));
	free(large);
	say_line(&w, "info", "x400", "paris", "9");
	ask(x, (struct msg_follow){ .max = 0 });
	assert_int_equal(x->n_events, ARRAY_LEN(lines) + 2); /* each told as what it is, below a storm */
	assert_non_null(strstr(x->events, "recorder.nonsense 9 "));
	/* Wrong kinds of values are no fields, more than an event has are not taken, and nothing of it stops anybody. */
	recorder_lines(w.r, VIEW("{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"p\",\"severity\":\"info\",\"event\":\"e\",\"category\":\"c\",\"id\":-4,"
				 "\"fields\":{\"a\":1,\"b\":[],\"c\":\"\",\"n\":\"10\",\"link\":{}}}\n"));
	ask(x, (struct msg_follow){ .last = true, .max = 1 });
	x->last = 0;
	assert_string_equal(x->events, "10 ");
	end(&w);
}

/* --- levels --- */

static void set_level(struct reader *x, const char *category, uint32_t level)
{
	struct msg_level m = { .id = 3, .category = view_str(category), .level = level, .who = VIEW("anna"), .why = VIEW("why not") };
	put_msg_level(chan_begin(x->chan, MSG_LEVEL), &m);
	chan_end(x->chan);
	fake_env_settle(x->w->env);
}

static const char *levels_of(struct reader *x)
{
	x->rows[0] = 0;
	chan_send(x->chan, MSG_LEVELS, (struct view){ NULL, 0 });
	fake_env_settle(x->w->env);
	assert_true(x->done.accepted);
	return x->rows;
}

/* What it is now is the recorder's own log, which every process's follows; what the settings say is theirs. */
static void test_levels_are_shown(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	const char *lines[] = { "x400 none", "store maximum", "x400 minimum" };
	w.set.level = EVENT_LEVEL_MEDIUM;
	w.set.levels.v = lines;
	w.set.levels.n = ARRAY_LEN(lines);
	recorder_set(w.r, &w.set);
	struct reader *x = connect_reader(&w);
	assert_true(event_log_set_category(w.host.log, "msmail", EVENT_DEBUG));
	assert_true(event_log_set_category(w.host.log, "store", EVENT_ERROR));
	assert_non_null(strstr(levels_of(x), "category x400 level medium settings minimum "));
	assert_non_null(strstr(x->rows, "category msmail level maximum settings medium "));
	assert_non_null(strstr(x->rows, "category store level none settings maximum "));
	assert_non_null(strstr(x->rows, "category operator level always settings always "));
	assert_null(strstr(strstr(x->rows, "category x400") + 1, "category x400"));
	event_log_set_level(w.host.log, EVENT_WARNING);
	w.set.levels.n = 0;
	recorder_set(w.r, &w.set);
	assert_non_null(strstr(levels_of(x), "category x400 level minimum settings medium "));
	chan_send(x->chan, MSG_LEVELS, VIEW("x"));
	fake_env_settle(w.env);
	assert_true(x->closed);
	end(&w);
}

static void ask_rows(struct reader *x, enum msg_question what, struct view of)
{
	const struct msg_ask m = { .id = 9, .what = what, .of = of };
	x->rows[0] = 0;
	put_msg_ask(chan_begin(x->chan, MSG_ASK), &m);
	chan_end(x->chan);
	fake_env_settle(x->w->env);
}

/* When it is the reader that hangs. */
static void test_processes_are_told(void **state)
{
	(void)state;
	struct world w;
	struct err e;
	int fd;
	struct board *board = board_new(&fd, &e);
	assert_non_null(board);
	board_begin(board);
	board->pid = 77;
	board->written_ms = 5000;
	board->watchdog_ms = 30000;
	board->n = 2;
	board->processes[0] = (struct board_process){ .kind = PROCESS_SWITCH, .pid = 80, .ready = 1 };
	board->processes[1] = (struct board_process){ .kind = PROCESS_READER, .pid = 81, .ready = 1, .started_ms = 1, .answered_ms = 2, .silent_ms = 3 };
	board_end(board);
	begin(&w, 100);
	struct reader *x = connect_reader(&w);
	ask_rows(x, ASK_PROCESSES, VIEW("reader")); /* a recorder without a board */
	assert_int_equal(x->n_done, 1);
	assert_false(x->done.accepted);
	recorder_set_board(w.r, board);
	ask_rows(x, ASK_PROCESSES, VIEW("reader"));
	assert_int_equal(x->n_done, 2);
	assert_true(x->done.accepted && x->done.id == 9);
	assert_string_equal(x->rows, "name reader.0 #pid 81 #ready 1 #hung 0 #started 1 #answered 2 #silent 3 #restart 0 words  #supervisor 77 #stopping 0 #written 5000 "
				     "#watchdog 30000 ");
	ask_rows(x, ASK_PROCESSES, VIEW(""));
	assert_non_null(strstr(x->rows, "name switch.0 #pid 80 "));
	assert_non_null(strstr(x->rows, "name reader.0 #pid 81 "));
	for (enum msg_question what = 0; what < ASK_COUNT; what++) {
		if (what == ASK_PROCESSES)
			continue;
		ask_rows(x, what, VIEW("")); /* that is in the store */
		assert_false(x->done.accepted);
		assert_string_equal(x->rows, "");
	}
	assert_false(x->closed);
	end(&w);
	board_free(&board);
	close(fd);
}

static void test_levels_are_audited(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	struct reader *x = connect_reader(&w);
	set_level(x, "x400", EVENT_LEVEL_MAXIMUM);
	assert_true(x->done.accepted);
	assert_string_equal(w.category, "x400");
	assert_int_equal(w.level, EVENT_LEVEL_MAXIMUM);
	set_level(x, "", EVENT_LEVEL_NONE);
	assert_string_equal(w.category, "");
	assert_int_equal(w.n_levels, 2);
	set_level(x, "x4000", EVENT_LEVEL_NONE);
	assert_false(x->done.accepted);
	assert_non_null(strstr(x->done.err.text, "x4000"));
	set_level(x, "x400", EVENT_LEVEL_COUNT);
	assert_false(x->done.accepted);
	set_level(x, "0123456789012345678901234567890123456789", EVENT_LEVEL_NONE);
	assert_false(x->done.accepted);
	assert_int_equal(w.n_levels, 2);
	ask(x, (struct msg_follow){ .text = VIEW("anna") });
	assert_string_equal(x->events, "operator.act operator.act operator.act operator.act operator.act ");
	ask(x, (struct msg_follow){ .text = VIEW("why not") });
	assert_int_equal(x->n_events, 10);
	end(&w);
}

/* --- the file --- */

static const char *file(const struct world *w)
{
	static char text[65536];
	int fd = open(w->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void test_file_in_both_forms(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	w.set.file = w.path;
	recorder_set(w.r, &w.set);
	say_numbers(&w, 1, 2);
	assert_string_equal(file(&w), "{\"time\":\"2026-01-01T00:00:01.000Z\",\"process\":\"link-3\",\"severity\":\"info\",\"event\":\"link.Refused\",\"id\":7,"
		"\"category\":\"x400\",\"fields\":{\"n\":\"1\",\"link\":\"paris\",\"why\":\"Caf\xc3\xa9 \\\"x\\\"\"}}\n");
	assert_int_equal(unlink(w.path), 0);
	w.set.file_form = 0;
	recorder_set(w.r, &w.set);
	say_numbers(&w, 2, 3);
	assert_string_equal(file(&w), "2026-01-01T00:00:02.000Z link-3 info link.Refused n=\"2\" link=\"paris\" why=\"Caf\\xc3\\xa9 \\\"x\\\"\"\n");
	end(&w);
}

/* Nothing waits for a file that fails; it is said once, and how much is missing when it is over. */
static void test_disk_full(void **state)
{
	(void)state;
	struct world w;
	struct err e;
	begin(&w, 1000);
	w.set.file = w.path;
	recorder_set(w.r, &w.set);
	struct reader *x = connect_reader(&w);
	ask(x, (struct msg_follow){ .live = true });
	say_numbers(&w, 0, 2);
	assert_true(fault_plan("LOGFILE_WRITE:1:stick", &e));
	for (unsigned i = 2; i < 52; i++) {
		say_numbers(&w, i, i + 1);
		fake_env_pass(w.env, 100);
	}
	assert_int_equal(count(x->events, "recorder.file-failed"), 1);
	assert_int_equal(count(file(&w), "\n"), 2);
	assert_true(fault_plan(NULL, &e));
	fake_env_pass(w.env, 1000);
	say_numbers(&w, 52, 53);
	assert_int_equal(count(x->events, "recorder.file-again"), 1);
	assert_int_equal(x->n_events, 53 + 2);
	assert_int_equal(count(file(&w), "\n"), 2 + 1 + 1);
	assert_non_null(strstr(file(&w), "\"missing\":\"51\"")); /* 50, and what was said of it */
	end(&w);
}

static void test_rotation_under_load_loses_no_line(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	w.set.file = w.path;
	w.set.file_size = 64 << 10;
	w.set.file_keep = 1000;
	recorder_set(w.r, &w.set);
	for (unsigned i = 0; i < 100; i++)
		say_numbers(&w, 100 * i, 100 * i + 100);
	static bool seen[10000];
	unsigned files = 0, lines = 0;
	for (unsigned i = 0; i < 1000; i++) {
		char name[160], line[1000];
		snprintf(name, sizeof name, i == 0 ? "%s" : "%s.%u", w.path, i);
		FILE *f = fopen(name, "r");
		if (f == NULL)
			break;
		files++;
		while (fgets(line, sizeof line, f) != NULL) {
			const char *n = strstr(line, "\"n\":\"");
			if (n == NULL)
				continue;
			unsigned long number = strtoul(n + 5, NULL, 10);
			assert_false(seen[number]);
			seen[number] = true;
			lines++;
		}
		fclose(f);
	}
	assert_int_equal(lines, 10000);
	assert_in_range(files, 10000u * 180 / (64 << 10), 60);
	end(&w);
}

static void test_another_size_of_memory(void **state)
{
	(void)state;
	struct world w;
	begin(&w, 100);
	struct reader *x = connect_reader(&w);
	say_numbers(&w, 0, 130);
	w.set.memory = 10;
	recorder_set(w.r, &w.set);
	ask(x, (struct msg_follow){ .max = 2 });
	assert_string_equal(x->events, "120 121 ");
	w.set.memory = 30;
	recorder_set(w.r, &w.set);
	say_numbers(&w, 130, 150);
	x->last = 0;
	ask(x, (struct msg_follow){ .max = 1 });
	assert_string_equal(x->events, "120 ");
	ask(x, (struct msg_follow){ .last = true, .max = 1 });
	assert_string_equal(x->events, "149 ");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_then_live),
		cmocka_unit_test(test_oldest_go),
		cmocka_unit_test(test_numbers_of_another_life),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_a_slow_one_is_left_behind),
		cmocka_unit_test(test_lines_cut_anywhere),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_processes_are_told), cmocka_unit_test(test_levels_are_audited),
		cmocka_unit_test(test_levels_are_shown),
		cmocka_unit_test(test_file_in_both_forms),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_rotation_under_load_loses_no_line),
		cmocka_unit_test(test_another_size_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
