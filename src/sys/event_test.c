/* event_test.c - lines as an operator's tools read them, storms counted, nothing waited for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/event.h"
#include "sys/fake_env.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

enum { KIND_REFUSED, KIND_DEBUG, KIND_ACT, KIND_COUNT };
static const struct event_kind kinds[KIND_COUNT] = {
	[KIND_REFUSED] = { "link.refused", 17, EVENT_WARNING, "x400", "MSExchangeMTA 289", "The peer said no." },
	[KIND_DEBUG] = { "link.octets", 18, EVENT_DEBUG, "x400", "", "Octets came." },
	[KIND_ACT] = { "operator.act", 19, EVENT_DEBUG, EVENT_AUDIT, "", "Somebody did something." },
};

struct world {
	struct env *env;
	struct event_log *log;
	int in, out; /* a pipe */
	char text[65536];
};

static void setup(struct world *w, bool json)
{
	int fds[2];
	memset(w, 0, sizeof *w);
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	w->in = fds[0];
	w->out = fds[1];
	w->env = fake_env_new();
	w->log = event_log_new(w->env, kinds, KIND_COUNT, "link.1", w->out, json);
}

static const char *lines(struct world *w)
{
	ssize_t n = read(w->in, w->text, sizeof w->text - 1);
	w->text[n < 0 ? 0 : n] = 0;
	return w->text;
}

static unsigned count_lines(const char *s)
{
	unsigned n = 0;
	for (; *s != 0; s++)
		n += *s == '\n';
	return n;
}

static void teardown(struct world *w)
{
	event_log_free(&w->log);
	fake_env_free(&w->env);
	close(w->in);
	close(w->out);
}

static void test_text_line(void **state)
{
	(void)state;
	struct world w;
	setup(&w, false);
	event_emit(w.log, KIND_REFUSED, "peer", "10.0.0.1:102", "why", "a\"b\n\xff", NULL);
	assert_string_equal(lines(&w), "2026-01-01T00:00:00.000Z link.1 warning link.refused peer=\"10.0.0.1:102\" "
		"why=\"a\\\"b\\x0a\\xff\" (MSExchangeMTA 289)\n");
	event_emit(w.log, KIND_DEBUG, NULL);
	assert_string_equal(lines(&w), ""); /* below the level */
	event_log_set_level(w.log, EVENT_DEBUG);
	fake_env_pass(w.env, 61234);
	event_emit(w.log, KIND_DEBUG, NULL);
	assert_string_equal(lines(&w), "2026-01-01T00:01:01.234Z link.1 debug link.octets\n");
	teardown(&w);
}

/* What a log writes is its own, cut anywhere before its name has ended or in another's name it is not. */
static void test_whose_a_line_is(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	event_emit(w.log, KIND_REFUSED, "why", "x", NULL);
	const struct view line = view_str(lines(&w));
	const size_t named = strlen("{\"time\":\"2026-01-01T00:00:00.000Z\",\"process\":\"link.1\"");
	for (size_t n = 0; n <= line.n; n++)
		assert_int_equal(event_is_of(view_first(line, n), "link.1"), n >= named);
	for (size_t i = 0; i < named; i++) {
		char text[200];
		snprintf(text, sizeof text, "%.*s", (int)line.n, (const char *)line.p);
		text[i] = '"';
		assert_int_equal(event_is_of(view_str(text), "link.1"), line.p[i] == '"');
	}
	assert_false(event_is_of(line, "link.11"));
	assert_false(event_is_of(line, "link."));
	assert_false(event_is_of(line, ""));
	assert_true(event_is_of(VIEW("\x1e{\"time\":\"2026-01-01T00:00:00.000Z\",\"process\":\"a-1\"}"), "a-1"));
	assert_false(event_is_of(VIEW("\x1e\x1e{\"time\":\"2026-01-01T00:00:00.000Z\",\"process\":\"a-1\"}"), "a-1"));
	teardown(&w);
}

static void test_dates(void **state)
{
	(void)state;
	/* ISO 8601 dates of these days after 2026-01-01, from a calendar: leap years, none in 2100, one in 2400. */
	static const struct {
		int64_t days;
		const char *date;
	} rows[] = {
		{ 58, "2026-02-28T" }, { 59, "2026-03-01T" }, { 364, "2026-12-31T" }, { 365, "2027-01-01T" },
		{ 789, "2028-02-29T" }, { 790, "2028-03-01T" }, { 27086, "2100-02-28T" }, { 27087, "2100-03-01T" },
		{ 136659, "2400-02-29T" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		setup(&w, false);
		w.env->now_ms += rows[i].days * 86400000;
		event_emit(w.log, KIND_REFUSED, NULL);
		assert_memory_equal(lines(&w), rows[i].date, 11);
		teardown(&w);
	}
}

static void test_json_line_is_json(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	/* Any octets in a value: control, quote, good UTF-8, and octets that are none (RFC 3629). */
	event_emit(w.log, KIND_REFUSED, "why", "q\"b\\c\x01 \xc3\xa4 \xff\xc3", "other", "", NULL);
	json_error_t error;
	json_t *j = json_loads(lines(&w), 0, &error);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "event")), "link.refused");
	assert_string_equal(json_string_value(json_object_get(j, "process")), "link.1");
	assert_string_equal(json_string_value(json_object_get(j, "severity")), "warning");
	assert_string_equal(json_string_value(json_object_get(j, "source")), "MSExchangeMTA 289");
	assert_int_equal(json_integer_value(json_object_get(j, "id")), 17);
	json_t *f = json_object_get(j, "fields");
	assert_string_equal(json_string_value(json_object_get(f, "why")),
			    "q\"b\\c\x01 \xc3\xa4 \xc3\xbf\xc3\x83"); /* as the characters of that number */
	json_decref(j);
	teardown(&w);
}

static void test_storm_becomes_one_line(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	event_log_set_level(w.log, EVENT_DEBUG);
	for (int i = 0; i < 500; i++)
		event_emit(w.log, KIND_REFUSED, "n", "1", NULL);
	event_emit(w.log, KIND_DEBUG, NULL); /* another kind is no part of it */
	assert_int_equal(count_lines(lines(&w)), EVENT_STORM_MAX + 1);
	fake_env_pass(w.env, 999);
	assert_string_equal(lines(&w), "");
	fake_env_pass(w.env, 1001); /* a whole window of silence */
	const char *text = lines(&w);
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "\"repeated\":480"));
	fake_env_pass(w.env, 100000);
	assert_string_equal(lines(&w), "");
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_int_equal(count_lines(lines(&w)), 1);
	teardown(&w);
}

/* Op-07: an audit that has a count in place of the acts is none. */
static void test_op_07_every_act_is_written(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	event_log_set_level(w.log, EVENT_ALARM);
	for (int i = 0; i < 10 * EVENT_STORM_MAX; i++)
		event_emit(w.log, KIND_ACT, "n", "1", NULL);
	assert_int_equal(count_lines(lines(&w)), 10 * EVENT_STORM_MAX);
	fake_env_pass(w.env, 100000);
	assert_string_equal(lines(&w), "");
	teardown(&w);
}

static void test_long_storm_is_told_every_minute(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	unsigned written = 0;
	for (int i = 0; i < 1250; i++) { /* 125 s of 300 a second */
		for (int k = 0; k < 30; k++)
			event_emit(w.log, KIND_REFUSED, NULL);
		fake_env_pass(w.env, 100);
		written += count_lines(lines(&w));
	}
	assert_int_equal(written, EVENT_STORM_MAX + 2);
	fake_env_pass(w.env, 5000);
	assert_int_equal(count_lines(lines(&w)), 1);
	teardown(&w);
}

static void test_full_pipe_counts_and_says_so_later(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	char block[4096];
	memset(block, 'x', sizeof block);
	while (write(w.out, block, sizeof block) > 0)
		;
	event_emit(w.log, KIND_REFUSED, NULL);
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_int_equal(event_lost(w.log), 2);
	while (read(w.in, block, sizeof block) > 0)
		;
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_non_null(strstr(lines(&w), "\"lost\":2"));
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_null(strstr(lines(&w), "lost"));
	assert_int_equal(event_lost(w.log), 2);
	teardown(&w);
}

static void test_long_lines_stay_whole(void **state)
{
	(void)state;
	struct world w;
	setup(&w, true);
	char large[5000];
	memset(large, 1, sizeof large); /* six octets each in JSON */
	large[sizeof large - 1] = 0;
	event_emit(w.log, KIND_REFUSED, "a", "kept", "b", large, "c", large, NULL);
	const char *text = lines(&w);
	json_t *j = json_loads(text, 0, NULL);
	assert_non_null(j);
	assert_true(strlen(text) <= 4096);
	assert_string_equal(json_string_value(json_object_get(json_object_get(j, "fields"), "a")), "kept");
	json_decref(j);
	teardown(&w);
}

/* What the recorder's pipe gets of a text log: one line of text, and the same as JSON behind a record separator. */
static void test_text_log_says_it_twice(void **state)
{
	(void)state;
	struct world w;
	setup(&w, false);
	event_log_for_recorder(w.log);
	event_emit(w.log, KIND_REFUSED, "peer", "10.0.0.1:102", NULL);
	char *second = strchr(lines(&w), EVENT_RECORD);
	assert_non_null(second);
	assert_int_equal(count_lines(w.text), 2);
	assert_true(second[-1] == '\n');
	json_t *j = json_loads(second + 1, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "event")), "link.refused");
	assert_string_equal(json_string_value(json_object_get(j, "time")), "2026-01-01T00:00:00.000Z");
	assert_memory_equal(w.text, "2026-01-01T00:00:00.000Z", 24);
	json_decref(j);
	event_log_set_json(w.log, true); /* then one line is both */
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_int_equal(count_lines(lines(&w)), 1);
	assert_true(w.text[0] == '{');
	teardown(&w);
}

static void test_storm_is_one_line_in_both_forms(void **state)
{
	(void)state;
	struct world w;
	setup(&w, false);
	event_log_for_recorder(w.log);
	for (int i = 0; i < 500; i++)
		event_emit(w.log, KIND_REFUSED, NULL);
	assert_int_equal(count_lines(lines(&w)), 2 * EVENT_STORM_MAX);
	fake_env_pass(w.env, 2000);
	const char *text = lines(&w);
	assert_int_equal(count_lines(text), 2);
	assert_non_null(strstr(text, " and 480 more like it"));
	assert_non_null(strstr(strchr(text, EVENT_RECORD), "\"repeated\":480"));
	teardown(&w);
}

/* Of each form: 4000 octets at most, whole, the first fields kept. */
static void test_lines_are_cut_at_4000_octets(void **state)
{
	(void)state;
	struct world w;
	setup(&w, false);
	event_log_for_recorder(w.log);
	char large[1001];
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	event_emit(w.log, KIND_REFUSED, "a", "kept", "b", large, "c", large, "d", large, "e", large, NULL);
	const char *text = lines(&w), *second = strchr(text, EVENT_RECORD);
	assert_non_null(second);
	assert_int_equal(count_lines(text), 2);
	assert_in_range((size_t)(second - text), 3000, 4000);
	assert_in_range(strlen(second), 3000, 4000);
	json_t *j = json_loads(second + 1, 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_object_size(json_object_get(j, "fields")), 4);
	json_decref(j);
	teardown(&w);
}

struct taker {
	unsigned n;
	bool full;
	char last[5000];
};

static bool take(void *ctx, struct view line)
{
	struct taker *t = ctx;
	if (t->full)
		return false;
	t->n++;
	snprintf(t->last, sizeof t->last, "%.*s", (int)line.n, (const char *)line.p);
	return true;
}

static void test_copies_are_counted_by_themselves(void **state)
{
	(void)state;
	struct world w;
	struct taker t = { .full = true };
	setup(&w, false);
	event_log_copy(w.log, take, &t);
	event_emit(w.log, KIND_REFUSED, NULL);
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_int_equal(count_lines(lines(&w)), 2);
	assert_int_equal(event_lost(w.log), 0);
	t.full = false;
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_null(strstr(lines(&w), "lost"));
	assert_non_null(strstr(t.last, "\"lost\":2"));
	assert_int_equal(t.last[strlen(t.last) - 1], '\n');
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_null(strstr(t.last, "lost"));
	teardown(&w);
}

static void test_levels(void **state)
{
	(void)state;
	static const enum event_severity least[EVENT_LEVEL_COUNT] = { /* as the manual has them */
		[EVENT_LEVEL_NONE] = EVENT_ERROR, [EVENT_LEVEL_MINIMUM] = EVENT_WARNING, [EVENT_LEVEL_MEDIUM] = EVENT_INFO, [EVENT_LEVEL_MAXIMUM] = EVENT_DEBUG };
	struct world w;
	setup(&w, false);
	for (unsigned i = 0; i < EVENT_LEVEL_COUNT; i++) {
		assert_int_equal(event_level_least((enum event_level)i), least[i]);
		assert_int_equal(event_level_of(least[i]), i);
	}
	assert_true(event_log_set_category(w.log, "x400", EVENT_DEBUG));
	assert_int_equal(event_log_least(w.log, KIND_DEBUG), EVENT_DEBUG);
	event_emit(w.log, KIND_DEBUG, NULL);
	assert_int_equal(count_lines(lines(&w)), 1);
	assert_true(event_log_set_category(w.log, "x400", EVENT_ERROR));
	event_emit(w.log, KIND_REFUSED, NULL);
	assert_int_equal(count_lines(lines(&w)), 0);
	event_emit(w.log, KIND_ACT, NULL); /* no level hides what operators do */
	assert_int_equal(count_lines(lines(&w)), 1);
	assert_false(event_log_set_category(w.log, "x40", EVENT_DEBUG));
	event_log_set_level(w.log, EVENT_DEBUG); /* of all: the category's own is gone */
	event_emit(w.log, KIND_DEBUG, NULL);
	assert_int_equal(count_lines(lines(&w)), 1);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_log_says_it_twice),
		cmocka_unit_test(test_storm_is_one_line_in_both_forms),
		cmocka_unit_test(test_lines_are_cut_at_4000_octets),
		cmocka_unit_test(test_copies_are_counted_by_themselves),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_text_line),
		cmocka_unit_test(test_whose_a_line_is),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_json_line_is_json),
		cmocka_unit_test(test_storm_becomes_one_line),
		cmocka_unit_test(test_long_storm_is_told_every_minute),
		cmocka_unit_test(test_op_07_every_act_is_written),
		cmocka_unit_test(test_full_pipe_counts_and_says_so_later),
		cmocka_unit_test(test_long_lines_stay_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
