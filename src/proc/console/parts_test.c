/* parts_test.c - small parts of the console: JSON as it is written, history, the memory of events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/console/feed.h"
#include "proc/console/history.h"
#include "proc/console/jout.h"
#include "proc/console/sampler.h"
#include "sys/fake_env.h"

#include <jansson.h>
#include <math.h>

/* RFC 8259 7 and RFC 3629 4: whatever stands in a value, the answer is JSON. */
static void test_any_octets_become_json(void **state)
{
	(void)state;
	uint8_t octets[3];
	struct out o;
	out_init(&o, 4096);
	for (unsigned i = 0; i < 0x1000000; i += i < 0x10000 ? 1 : 251) {
		octets[0] = (uint8_t)(i >> 16);
		octets[1] = (uint8_t)(i >> 8);
		octets[2] = (uint8_t)i;
		struct jout j = { &o, false };
		out_clear(&o);
		jout_open(&j, NULL, '{');
		jout_text(&j, "x", view_of(octets, 3));
		jout_close(&j, '}');
		json_t *x = json_loadb((const char *)out_view(&o).p, out_len(&o), JSON_ALLOW_NUL, NULL);
		if (x == NULL)
			fail_msg("%02x %02x %02x: %s", octets[0], octets[1], octets[2], out_cstr(&o));
		json_decref(x);
	}
	out_fini(&o);
}

static void test_json_as_it_is_written(void **state)
{
	(void)state;
	struct out o;
	struct jout j = { &o, false };
	out_init(&o, 4096);
	jout_open(&j, NULL, '{');
	jout_str(&j, "a", "x\"\\\n\t\x7f");
	jout_text(&j, "b", VIEW("gr\xc3\xbc\xff"));
	jout_int(&j, "c", -5);
	jout_real(&j, "d", 1.5);
	jout_real(&j, "e", 2.0);
	jout_real(&j, "f", NAN);
	jout_open(&j, "g", '[');
	jout_bool(&j, NULL, true);
	jout_null(&j, NULL);
	jout_open(&j, NULL, '{');
	jout_close(&j, '}');
	jout_close(&j, ']');
	jout_time(&j, "h", INT64_C(1795361931313));
	jout_time(&j, "i", 0);
	jout_real(&j, "k", 0.0004);
	jout_close(&j, '}');
	assert_string_equal(out_cstr(&o), "{\"a\":\"x\\\"\\\\\\n\\u0009\\u007f\",\"b\":\"gr\xc3\xbc\\\\xff\",\"c\":-5,\"d\":1.5,\"e\":2,\"f\":null,\"g\":[true,null,{}],"
					  "\"h\":\"2026-11-22T15:38:51.313Z\",\"i\":null,\"k\":0}");
	out_fini(&o);
}

static json_t *history_of(const struct history *h, int64_t since)
{
	struct out o;
	struct jout j = { &o, false };
	out_init(&o, 1 << 20);
	jout_open(&j, NULL, '{');
	history_put(h, since, "samples", &j);
	jout_close(&j, '}');
	json_t *x = json_loads(out_cstr(&o), 0, NULL);
	out_fini(&o);
	assert_non_null(x);
	return x;
}

static void test_history_is_in_order_and_bounded(void **state)
{
	(void)state;
	struct history *h = history_new();
	const int64_t start = INT64_C(1795361931000) / 15000 * 15000;
	for (int i = 0; i < 10 * 3600; i++) { /* ten hours, a second apart */
		const struct history_sample s = { .at_ms = start + i * 1000, .queued = (uint32_t)i, .received_per_s = 2, .sent_per_s = 1, .latency_ms = i % 2 == 0 ? 10 : -1 };
		history_add(h, &s);
	}
	json_t *x = history_of(h, 0), *v = json_object_get(x, "samples");
	assert_in_range(json_array_size(v), 600 + 1440 - 45, 600 + 1440);
	json_int_t before = 0;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *s = json_array_get(v, i);
		const json_int_t at = json_integer_value(json_object_get(s, "at_ms"));
		assert_true(at > before);
		before = at;
		assert_true(json_number_value(json_object_get(s, "received_per_s")) == 2.0);
	}
	const json_t *oldest = json_array_get(v, 0);
	assert_true(json_number_value(json_object_get(oldest, "latency_ms")) == 10.0); /* a mean of those that were measured */
	assert_true(json_integer_value(json_object_get(oldest, "at_ms")) <= start + (10 * 3600 - 6 * 3600 + 60) * 1000);
	assert_int_equal(before, start + (10 * 3600 - 1) * 1000);
	json_decref(x);
	x = history_of(h, before - 59 * 1000);
	assert_int_equal(json_array_size(json_object_get(x, "samples")), 60);
	json_decref(x);
	history_free(&h);
}

/* What was measured after the time that it is now was measured by a clock that was wrong: it goes, and the plots go on at once. */
static void test_history_after_a_clock_was_set_back(void **state)
{
	(void)state;
	struct history *h = history_new();
	const int64_t start = INT64_C(1795361931000) / 15000 * 15000;
	for (int i = 0; i < 3600; i++)
		history_add(h, &(struct history_sample){ .at_ms = start + i * 1000, .queued = 1, .received_per_s = 2, .latency_ms = -1 });
	for (int i = 0; i < 60; i++) { /* an hour back, but for ten minutes */
		history_add(h, &(struct history_sample){ .at_ms = start + 600500 + i * 1000, .queued = 7, .received_per_s = 4, .latency_ms = -1 });
		assert_int_equal(history_last(h)->at_ms, start + 600500 + i * 1000);
	}
	json_t *x = history_of(h, 0), *v = json_object_get(x, "samples");
	json_int_t before = 0;
	size_t n_new = 0;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_int_t at = json_integer_value(json_object_get(json_array_get(v, i), "at_ms"));
		const bool is_new = at >= start + 600500;
		assert_true(at > before);
		assert_int_equal(json_integer_value(json_object_get(json_array_get(v, i), "queued")), is_new ? 7 : 1);
		n_new += is_new;
		before = at;
	}
	assert_int_equal(n_new, 60);
	assert_in_range(json_array_size(v) - n_new, 30, 45); /* what was kept of the ten minutes, each 15 s */
	json_decref(x);
	history_free(&h);
}

static void sample(struct sampler *s, const char *link, uint64_t received, uint64_t sent)
{
	sampler_link(s, &(struct msg_status_link){ .name = view_str(link), .state = VIEW("open"), .received = received, .sent = sent, .next_attempt_ms = -1 });
}

static double rate_of(struct sampler *s, const char *link, const char *name)
{
	struct out o;
	struct jout j = { &o, false };
	out_init(&o, 1 << 20);
	assert_true(sampler_put_link(s, view_str(link), NULL, &j));
	json_t *x = json_loads(out_cstr(&o), 0, NULL);
	const double rate = json_number_value(json_object_get(x, name));
	json_decref(x);
	out_fini(&o);
	return rate;
}

static void on_sampled(void *ctx, bool changed)
{
	(void)ctx;
	(void)changed;
}

static void on_turned(void *ctx, enum upstream_socket which, bool here)
{
	(void)ctx;
	(void)which;
	(void)here;
}

/* Counters are over all of a link's life: one that is seen for the first time has no rate yet. */
static void test_rates_of_a_link_that_is_new(void **state)
{
	static const struct sampler_events events = { .sampled = on_sampled };
	static const struct settings settings = { 0 };
	(void)state;
	static const struct upstream_events silent = { .turned = on_turned };
	struct env *env = fake_env_new();
	struct upstream *u = upstream_new(env, "/nowhere", &silent, NULL);
	struct sampler *s = sampler_new(env, &settings, &events, NULL);
	sampler_set_upstream(s, u);
	for (uint64_t i = 0; i < 3; i++) {
		fake_env_pass(env, 1000);
		sample(s, "paris", 5000 + 3 * i, 7000 + i);
		if (i > 0)
			sample(s, "oslo", 90000 + 10 * i, 80000);
		sampler_end(s, &(struct msg_status_end){ .mta = VIEW("london") });
		assert_true(rate_of(s, "paris", "received_per_s") == (i == 0 ? 0 : 3));
		assert_true(rate_of(s, "paris", "sent_per_s") == (i == 0 ? 0 : 1));
		if (i > 0)
			assert_true(rate_of(s, "oslo", "received_per_s") == (i == 1 ? 0 : 10));
	}
	sampler_free(&s);
	upstream_free(&u);
	fake_env_free(&env);
}

static json_t *json_of(struct out *o, size_t most)
{
	json_t *x = json_loads(out_cstr(o), 0, NULL);
	assert_non_null(x);
	assert_true(out_len(o) <= most);
	out_clear(o);
	return x;
}

static size_t links_of(const json_t *x)
{
	return json_array_size(json_object_get(x, "links"));
}

static const char *link_of(const json_t *x, size_t i)
{
	return json_string_value(json_object_get(json_array_get(json_object_get(x, "links"), i), "name"));
}

/* 5000 links, from `first` on; of those whose number divides by `each` the queue is `queued`. */
enum { MANY = 5000 };
static void sample_many(struct sampler *s, struct env *env, unsigned first, unsigned each, uint64_t queued)
{
	char name[20];
	fake_env_pass(env, 1000);
	for (unsigned i = first; i < first + MANY; i++) {
		snprintf(name, sizeof name, "link-%u", i);
		const struct msg_status_link m = { .name = view_str(name), .state = VIEW("idle"), .next_attempt_ms = -1, .queued = i % each == 0 ? queued : 0 };
		sampler_link(s, &m);
	}
	sampler_end(s, &(struct msg_status_end){ .mta = VIEW("london") });
}

/* All pages for who was told of nothing, or of another series: each link once, in order. */
static void all_pages(struct sampler *s, struct sampler_place *place, unsigned first, struct out *o)
{
	unsigned at = 0;
	while (sampler_page(s, place, o)) {
		json_t *x = json_of(o, 1 << 20);
		assert_int_equal(json_integer_value(json_object_get(x, "from")), at);
		assert_int_equal(json_integer_value(json_object_get(x, "of")), MANY);
		assert_in_range(links_of(x), 1, SAMPLE_WHOLE);
		for (size_t i = 0; i < links_of(x); i++, at++)
			assert_int_equal(strtoul(link_of(x, i) + 5, NULL, 10), first + at);
		json_decref(x);
	}
	assert_int_equal(at, MANY);
}

/* So many links were too many for one frame: nobody had live updates. */
static void test_any_number_of_links_is_told_of_in_pieces(void **state)
{
	static const struct sampler_events events = { .sampled = on_sampled };
	static const struct settings settings = { 0 };
	static const struct upstream_events silent = { .turned = on_turned };
	(void)state;
	struct env *env = fake_env_new();
	struct upstream *u = upstream_new(env, "/nowhere", &silent, NULL);
	struct sampler *s = sampler_new(env, &settings, &events, NULL);
	struct sampler_place place = { 0 }, late = { 0 };
	struct out o;
	out_init(&o, 16 << 20);
	sampler_set_upstream(s, u);
	sample_many(s, env, 0, 1, 0);
	assert_true(sampler_first(s, &o));
	json_t *x = json_of(&o, 1 << 16);
	assert_int_equal(json_integer_value(json_object_get(x, "of")), MANY);
	assert_int_equal(links_of(x), 0);
	json_decref(x);
	all_pages(s, &place, 0, &o);
	assert_false(sampler_page(s, &place, &o));
	assert_true(sampler_overview(s, &o)); /* who asks for all of it gets that */
	x = json_of(&o, 16 << 20);
	assert_int_equal(links_of(x), MANY);
	json_decref(x);
	/* nobody was told of these as changes yet: bounded pieces, each link once */
	unsigned told = 0, pieces = 0;
	do {
		assert_true(sampler_changes(s, &o));
		x = json_of(&o, SAMPLE_CHANGES + 4096);
		told += (unsigned)links_of(x);
		pieces++;
		const bool over = links_of(x) == 0;
		json_decref(x);
		if (over)
			break;
	} while (true);
	assert_int_equal(told, MANY);
	assert_true(pieces > 2);
	/* what changes is told of, and nothing else */
	const uint64_t series = sampler_series(s);
	sample_many(s, env, 0, 1000, 7);
	assert_true(sampler_changes(s, &o));
	x = json_of(&o, 1 << 14);
	assert_int_equal(links_of(x), 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(strtoul(link_of(x, i) + 5, NULL, 10) % 1000, 0);
	json_decref(x);
	assert_int_equal(sampler_series(s), series);
	assert_false(sampler_page(s, &place, &o));
	/* others come and go: all of it again, from the beginning, for who had it and for who has half of it */
	assert_true(sampler_page(s, &late, &o));
	out_clear(&o);
	sample_many(s, env, 10, 1000, 7);
	assert_true(sampler_series(s) != series);
	all_pages(s, &place, 10, &o);
	all_pages(s, &late, 10, &o);
	out_fini(&o);
	sampler_free(&s);
	upstream_free(&u);
	fake_env_free(&env);
}

/* A next attempt that only comes nearer is no change; one at another time is. */
static void test_another_time_of_the_next_attempt_is_told_of(void **state)
{
	static const struct sampler_events events = { .sampled = on_sampled };
	static const struct settings settings = { 0 };
	static const struct upstream_events silent = { .turned = on_turned };
	(void)state;
	static const struct { int64_t next_ms; size_t told; } steps[] = { { 60000, 1 }, { 59000, 0 }, { 58000, 0 }, { 60000, 1 }, { 30000, 1 }, { -1, 1 } };
	struct env *env = fake_env_new();
	struct upstream *u = upstream_new(env, "/nowhere", &silent, NULL);
	struct sampler *s = sampler_new(env, &settings, &events, NULL);
	struct out o;
	out_init(&o, 1 << 20);
	sampler_set_upstream(s, u);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		fake_env_pass(env, 1000);
		sampler_link(s, &(struct msg_status_link){ .name = VIEW("paris"), .state = VIEW("waiting"), .next_attempt_ms = steps[i].next_ms });
		sampler_end(s, &(struct msg_status_end){ .mta = VIEW("london") });
		assert_true(sampler_changes(s, &o));
		json_t *x = json_of(&o, 1 << 14);
		assert_int_equal(links_of(x), steps[i].told);
		json_decref(x);
	}
	out_fini(&o);
	sampler_free(&s);
	upstream_free(&u);
	fake_env_free(&env);
}

static size_t found(const struct feed *f, const struct feed_filter *x, size_t max, uint64_t *next_r)
{
	struct out o;
	struct jout j = { &o, false };
	out_init(&o, 4 << 20);
	jout_open(&j, NULL, '[');
	feed_put(f, x, max, next_r, &j);
	jout_close(&j, ']');
	json_t *v = json_loads(out_cstr(&o), 0, NULL);
	assert_non_null(v);
	const size_t n = json_array_size(v);
	json_decref(v);
	out_fini(&o);
	return n;
}

static void test_events_are_kept_and_found(void **state)
{
	(void)state;
	struct feed *f = feed_new();
	char line[300];
	uint64_t next;
	for (unsigned i = 1; i <= FEED_EVENTS + 100; i++) {
		snprintf(line, sizeof line, "{\"time\":\"2026-11-22T15:38:51.313Z\",\"process\":\"link-0\",\"severity\":\"%s\",\"event\":\"link.open-failed\",\"id\":207,"
			 "\"category\":\"%s\",\"fields\":{\"link\":\"l%u\",\"why\":\"Reason %u\"}}", i % 2 == 0 ? "warning" : "info", i % 5 == 0 ? "store" : "x400", i % 10, i);
		const struct msg_event m = { .number = i, .line = view_str(line) };
		assert_true(feed_add(f, &m).n > 0);
		assert_int_equal(feed_add(f, &m).n, 0); /* known */
	}
	const struct msg_event nonsense = { .number = FEED_EVENTS + 101, .line = VIEW("{\"time\":") };
	assert_int_equal(feed_add(f, &nonsense).n, 0);
	assert_int_equal(feed_last(f), FEED_EVENTS + 101);
	struct feed_filter x = { .severity = EVENT_DEBUG };
	assert_int_equal(found(f, &x, 1 << 20, &next), FEED_EVENTS);
	assert_int_equal(next, 0);
	x.severity = EVENT_WARNING;
	assert_int_equal(found(f, &x, 1 << 20, &next), FEED_EVENTS / 2);
	x.category = VIEW("store");
	assert_int_equal(found(f, &x, 1 << 20, &next), FEED_EVENTS / 10);
	x = (struct feed_filter){ .severity = EVENT_DEBUG, .link = VIEW("l3") };
	assert_int_equal(found(f, &x, 1 << 20, &next), FEED_EVENTS / 10);
	x = (struct feed_filter){ .severity = EVENT_DEBUG, .text = VIEW("rEASON 2001") };
	assert_int_equal(found(f, &x, 10, &next), 1);
	size_t n = 0;
	x = (struct feed_filter){ .severity = EVENT_DEBUG };
	do { /* page by page: all of them, each once */
		n += found(f, &x, 300, &next);
		x.before = next;
	} while (next != 0);
	assert_int_equal(n, FEED_EVENTS);
	/* A recorder whose clock was set back begins at lower numbers: it is believed once, at its beginning. */
	struct msg_event lower = { .number = 7, .line = VIEW("{\"time\":\"t\",\"event\":\"a\",\"id\":1,\"severity\":\"info\",\"category\":\"c\"}") };
	assert_int_equal(feed_add(f, &lower).n, 0);
	feed_begins(f);
	assert_true(feed_add(f, &lower).n > 0);
	assert_int_equal(feed_add(f, &lower).n, 0);
	assert_int_equal(feed_last(f), 7);
	x = (struct feed_filter){ .severity = EVENT_DEBUG };
	assert_int_equal(found(f, &x, 100, &next), 1);
	feed_free(&f);
}

static void say(struct feed *f, uint64_t number, size_t octets)
{
	struct out o;
	out_init(&o, 20000);
	out_str(&o, "{\"event\":\"x\",\"fields\":{\"f\":\"");
	for (size_t i = 0; i < octets; i++)
		out_u8(&o, 'x');
	out_str(&o, "\"}}");
	feed_add(f, &(struct msg_event){ .number = number, .line = out_view(&o) });
	out_fini(&o);
}

/* What comes after `after`: its number, 0 for none; and whether some between are missing. */
static void follows(const struct feed *f, uint64_t after, uint64_t wanted, bool gap_wanted)
{
	uint64_t number = 0;
	bool gap;
	const struct view json = feed_after(f, after, &number, &gap);
	assert_int_equal(json.n > 0 ? number : 0, wanted);
	assert_int_equal(gap, gap_wanted);
}

static void test_events_after_one(void **state)
{
	(void)state;
	struct feed *f = feed_new();
	follows(f, 0, 0, false);
	follows(f, 7, 0, true);
	for (uint64_t n = 100; n < 110; n++)
		say(f, n, 10);
	follows(f, 98, 100, true); /* what was before the first one nobody knows */
	follows(f, 99, 100, false);
	follows(f, 100, 101, false);
	follows(f, 108, 109, false);
	follows(f, 109, 0, false);
	follows(f, 110, 0, true);
	say(f, 200, 10); /* another recorder, or some were dropped for us */
	follows(f, 109, 200, true);
	follows(f, 199, 200, false);
	feed_add(f, &(struct msg_event){ .number = 201, .line = VIEW("no JSON") });
	say(f, 202, 10);
	follows(f, 200, 202, true);
	follows(f, 201, 202, false);
	for (uint64_t n = 203; n < 203 + FEED_EVENTS; n++)
		say(f, n, 10);
	follows(f, 201, 203, true); /* 202 made room */
	follows(f, 202, 203, false);
	follows(f, 202 + FEED_EVENTS, 0, false);
	feed_begins(f);
	say(f, 50, 10); /* the clock was set back */
	follows(f, 49, 50, false);
	follows(f, 202 + FEED_EVENTS, 0, true);
	feed_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_octets_become_json),
		cmocka_unit_test(test_json_as_it_is_written),
		cmocka_unit_test(test_history_is_in_order_and_bounded),
		cmocka_unit_test(test_history_after_a_clock_was_set_back),
		cmocka_unit_test(test_rates_of_a_link_that_is_new),
		cmocka_unit_test(test_any_number_of_links_is_told_of_in_pieces), cmocka_unit_test(test_another_time_of_the_next_attempt_is_told_of),
		cmocka_unit_test(test_events_are_kept_and_found),
		cmocka_unit_test(test_events_after_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
