/* parse_test.c - what anybody says to the console: targets, headers, bodies, times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/console/parse.h"

static int target_status(const char *raw)
{
	static struct target t;
	int status = 0;
	struct err e;
	return target_parse(view_str(raw), &t, &status, &e) ? 200 : status;
}

static void test_a_target_comes_apart(void **state)
{
	(void)state;
	static struct target t;
	int status;
	struct err e;
	bool has;
	assert_true(target_parse(VIEW("/api/links/a%20b%2Fc?x=1+2&y=%3d%26&z&x=3"), &t, &status, &e));
	assert_int_equal(t.n_segments, 3);
	assert_true(view_eq(t.segments[2], VIEW("a b/c")));
	assert_int_equal(t.segments[2].p[t.segments[2].n], 0); /* each can be used as a string */
	assert_true(view_eq(target_value(&t, "x", &has), VIEW("1 2")));
	assert_true(view_eq(target_value(&t, "y", &has), VIEW("=&")));
	assert_true(target_value(&t, "z", &has).n == 0 && has);
	target_value(&t, "w", &has);
	assert_false(has);
	assert_true(target_parse(VIEW("/"), &t, &status, &e));
	assert_int_equal(t.n_segments, 0);
}

static void test_targets_that_lead_elsewhere(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "a", "*", "http://x/", "//", "//x", "/x//y", "/.", "/..", "/x/..", "/x/../y", "/%2e%2e", "/%2E", "/a%00b", "/a%0d%0ab", "/%", "/%2",
					   "/%zz", "/a\\b", "/x?a=%0a", "/x?%=1", "/a\tb" };
	char many[400] = "/x?";
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (target_status(bad[i]) != 400)
			fail_msg("\"%s\": %d", bad[i], target_status(bad[i]));
	assert_int_equal(target_status("/a%5cb%2f..%5c.."), 200); /* a name: nothing here is a path of files */
	assert_int_equal(target_status("/x/"), 404);
	assert_int_equal(target_status("/1/2/3/4/5/6/7/8"), 200);
	assert_int_equal(target_status("/1/2/3/4/5/6/7/8/9"), 404);
	for (int i = 0; i < PARSE_QUERY; i++)
		strncat(many, "&a=b", sizeof many - strlen(many) - 1);
	assert_int_equal(target_status(many), 200);
	strncat(many, "&a=b", sizeof many - strlen(many) - 1);
	assert_int_equal(target_status(many), 400);
}

static void test_a_target_fills_its_room_and_no_more(void **state)
{
	(void)state;
	static char text[PARSE_TARGET + 100];
	for (size_t n = PARSE_TARGET - 200; n < PARSE_TARGET + 50; n++) {
		memset(text, 'a', sizeof text);
		memcpy(text, "/x?", 3);
		for (int i = 0; i < PARSE_QUERY; i++)
			memcpy(text + n - 2 * (size_t)(PARSE_QUERY - i), "a&", 2); /* names without values: two NULs each */
		text[n] = 0;
		const int status = target_status(text);
		assert_true(n < PARSE_TARGET - PARSE_QUERY ? status == 200 || status == 400 : status == 414);
	}
}

static void test_cookies(void **state)
{
	(void)state;
	static const struct { const char *header, *value; } rows[] = {
		{ "p=1", "1" }, { "a=b; p=1", "1" }, { "a=b;p=1;c=d", "1" }, { " p = 1 ; x=y", "1" }, { "pp=1; p=2", "2" }, { "p=1; p=2", "1" }, { "", "" }, { ";;;", "" },
		{ "p", "" }, { "=1", "" }, { "xp=1", "" }, { "a=p=1", "" }, { "p==1", "=1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(view_eq(parse_cookie(view_str(rows[i].header), VIEW("p")), view_str(rows[i].value)));
}

/* As nginx appends it by $proxy_add_x_forwarded_for; what stands before the first address of nobody trusted was said by that one. */
static void test_clients_of_proxies(void **state)
{
	(void)state;
	static const char *const trusted[] = { "127.0.0.1", "2001:DB8::0001", "10.0.0.7" };
	static const struct { const char *peer, *said, *wanted; } rows[] = {
		{ "127.0.0.1", "203.0.113.7", "203.0.113.7" }, { "127.0.0.1", "", "127.0.0.1" }, { "203.0.113.9", "203.0.113.7", "203.0.113.9" },
		{ "127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7" }, { "127.0.0.1", "198.51.100.1, 203.0.113.7,10.0.0.7", "203.0.113.7" },
		{ "127.0.0.1", "10.0.0.7", "10.0.0.7" }, { "127.0.0.1", "10.0.0.7, 127.0.0.1 , 10.0.0.7", "10.0.0.7" }, { "2001:db8::1", "2001:DB8:0::2", "2001:db8::2" },
		{ "::ffff:127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7" }, { "127.0.0.1", "unknown", "127.0.0.1" }, { "127.0.0.1", "203.0.113.7:5555", "127.0.0.1" },
		{ "127.0.0.1", "203.0.113.7,", "127.0.0.1" }, { "127.0.0.1", ",203.0.113.7", "203.0.113.7" }, { "127.0.0.1", "203.0.113.7, x, 10.0.0.7", "10.0.0.7" },
		{ "127.0.0.1", ",,,", "127.0.0.1" }, { "127.0.0.1", "0300.1.1.1", "127.0.0.1" }, { "local", "203.0.113.7", "local" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char address[PARSE_ADDRESS] = "";
		snprintf(address, sizeof address, "%s", rows[i].peer);
		parse_client(view_str(rows[i].said), trusted, ARRAY_LEN(trusted), address);
		assert_string_equal(address, rows[i].wanted);
		snprintf(address, sizeof address, "%s", rows[i].peer);
		parse_client(view_str(rows[i].said), NULL, 0, address);
		assert_string_equal(address, rows[i].peer);
	}
}

static void test_hosts(void **state)
{
	(void)state;
	static const uint16_t ports[] = { 8025, 80 };
	static const char *const good[] = { "127.0.0.1:8025", "localhost:8025", "LOCALHOST:8025", "[::1]:8025", "10.1.2.3:8025", "127.0.0.1", "[::1]", "mta.example", "MTA.example:443" };
	static const char *const bad[] = { "", ":8025", "evil.example:8025", "127.0.0.1:8026", "127.0.0.1:", "127.0.0.1:08025x", "localhost.evil.example:8025", "127.0.0.1.evil:8025",
					   "mta.example:8025", "mta.example:80", "mta.example:4430", "mta.example.", "::1:8025", "[::1", "[]:8025", "0x7f.1:8025", "127.1:8025", "127.0.0.1:8025:8025", "a@127.0.0.1:8025",
					   "127.0.0.1:99999999999999999999" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!parse_host_is_ours(view_str(good[i]), ports, ARRAY_LEN(ports), "https://mta.example"))
			fail_msg("%s is ours", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse_host_is_ours(view_str(bad[i]), ports, ARRAY_LEN(ports), "https://mta.example"))
			fail_msg("%s is not ours", bad[i]);
	assert_false(parse_host_is_ours(VIEW("mta.example"), ports, ARRAY_LEN(ports), ""));
	assert_true(parse_host_is_ours(VIEW("mta.example:80"), ports, ARRAY_LEN(ports), "http://mta.example"));
	assert_false(parse_host_is_ours(VIEW(":443"), ports, ARRAY_LEN(ports), ""));
	assert_true(parse_origin_is_ours(VIEW("http://127.0.0.1:8025"), VIEW("127.0.0.1:8025"), ""));
	assert_true(parse_origin_is_ours(VIEW("https://mta.example"), VIEW("mta.example"), "https://mta.example"));
	assert_false(parse_origin_is_ours(VIEW("http://mta.example"), VIEW("127.0.0.1"), "https://mta.example"));
	assert_false(parse_origin_is_ours(VIEW("null"), VIEW("127.0.0.1:8025"), ""));
	assert_false(parse_origin_is_ours(VIEW(""), VIEW("127.0.0.1:8025"), ""));
	assert_false(parse_origin_is_ours(VIEW("http://127.0.0.1:80250"), VIEW("127.0.0.1:8025"), ""));
}

#define NOW INT64_C(1795361931000)

static int act_status(const char *body, struct parse_act *x, struct arena *a)
{
	int status = 0;
	struct err e;
	arena_reset(a);
	return parse_act_body(view_str(body), true, NOW, x, a, &status, &e) ? 200 : status;
}

static void test_acts(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct parse_act x;
	static const char *const bad[] = { "", "{}", "[]", "{\"ids\":[]}", "{\"ids\":[-1]}", "{\"ids\":[1.5]}", "{\"ids\":[\"1\"]}", "{\"ids\":1}", "{\"filter\":{}}", "{\"filter\":[]}",
					   "{\"filter\":{\"all\":false}}", "{\"filter\":{\"held\":false}}", "{\"ids\":[1],\"filter\":{\"all\":true}}", "{\"filter\":{\"recipient\":\"\"}}",
					   "{\"filter\":{\"recipient\":\"a\\nheld=1\"}}", "{\"filter\":{\"priority\":\"high\"}}", "{\"filter\":{\"other\":1}}", "{\"ids\":[1],\"why\":\"a\\nb\"}",
					   "{\"ids\":[1],\"why\":5}", "{\"ids\":[1],\"after\":\"x\"}", "{\"ids\":[1],\"ids\":[2]}", "{\"ids\":[1]} x", "{\"ids\":[99999999999999999999]}" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (act_status(bad[i], &x, a) != 400)
			fail_msg("%s: %d", bad[i], act_status(bad[i], &x, a));
	assert_int_equal(act_status("{\"ids\":[5,7],\"link\":\"paris\",\"why\":\"so\"}", &x, a), 200);
	assert_true(x.n_ids == 2 && x.ids[1] == 7 && !x.has_filter);
	assert_string_equal(x.link, "paris");
	assert_int_equal(act_status("{\"filter\":{\"all\":true},\"after\":9}", &x, a), 200);
	assert_true(x.has_filter && x.selection.n == 0 && x.after == 9);
	assert_int_equal(act_status("{\"filter\":{\"link\":\"paris\",\"held\":true,\"older\":60,\"larger\":5}}", &x, a), 200);
	assert_true(view_eq(x.selection, VIEW("link=paris\nheld=1\nbefore=1795361871000\nlarger=5\n")));
	arena_free(&a);
}

static void test_a_selection_out_of_a_query(void **state)
{
	(void)state;
	static struct target t;
	struct out o;
	int status;
	struct err e;
	out_init(&o, PARSE_SELECTION);
	assert_true(target_parse(VIEW("/api/queue?recipient=claude&priority=urgent&held=1&older=3600&max=5"), &t, &status, &e));
	assert_true(parse_selection(&t, NOW, &o, &status, &e));
	assert_true(view_eq(out_view(&o), VIEW("recipient=claude\npriority=urgent\nheld=1\nbefore=1795358331000\n")));
	static const char *const bad[] = { "/?recipient=", "/?held=0", "/?older=-1", "/?larger=x", "/?priority=" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		out_clear(&o);
		assert_true(target_parse(view_str(bad[i]), &t, &status, &e));
		assert_false(parse_selection(&t, NOW, &o, &status, &e));
		assert_int_equal(status, 400);
	}
	out_fini(&o);
}

/* Seconds by date(1): TZ=UTC date -d ... +%s */
static void test_times(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "0", 0 }, { "1795361931", 1795361931000 }, { "2026-11-22T15:38:51.313Z", 1795361931313 }, { "2026-11-22T15:38:51Z", 1795361931000 },
		{ "2026-11-22T16:38:51+01:00", 1795361931000 }, { "2026-11-22t10:08:51.5-05:30", 1795361931500 }, { "2026-11-22", 1795305600000 },
		{ "2000-02-29", 951782400000 }, { "1970-01-01T00:00:00Z", 0 },
	};
	static const char *const bad[] = { "", "x", "-1", "2026-13-01", "2026-00-01", "2026-11-32", "1969-12-31", "2026-11-22T", "2026-11-22T15:38Z", "2026-11-22T24:00:00Z",
					   "2026-11-22T15:38:51", "2026-11-22T15:38:51+1:00", "2026-11-22T15:38:51Zx", "999999999999" };
	int64_t ms;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		if (!parse_time(view_str(good[i].text), &ms))
			fail_msg("%s", good[i].text);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse_time(view_str(bad[i]), &ms))
			fail_msg("%s", bad[i]);
}

static void test_logins(void **state)
{
	(void)state;
	struct arena *a = arena_new(1 << 20);
	struct parse_login x;
	int status;
	struct err e;
	assert_true(parse_login_body(VIEW("{\"name\":\"ann\",\"password\":\"p\\nq\"}"), &x, a, &status, &e));
	assert_true(view_eq(x.name, VIEW("ann")) && view_eq(x.password, VIEW("p\nq")));
	static const char whole[] = "{\"name\":\"ann\",\"password\":\"pq\"}";
	for (size_t n = 0; n < sizeof whole - 1; n++) { /* cut anywhere it is none */
		uint8_t *copy = memcpy(malloc(n + 1), whole, n);
		assert_false(parse_login_body(view_of(copy, n), &x, a, &status, &e));
		assert_int_equal(status, 400);
		free(copy);
	}
	assert_false(parse_login_body((struct view){ NULL, 0 }, &x, a, &status, &e));
	assert_int_equal(status, 400);
	assert_string_equal(e.text, "the body is no JSON: it is empty");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_target_comes_apart),
		cmocka_unit_test(test_targets_that_lead_elsewhere),
		cmocka_unit_test(test_a_target_fills_its_room_and_no_more),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_clients_of_proxies),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_a_selection_out_of_a_query),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_logins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
