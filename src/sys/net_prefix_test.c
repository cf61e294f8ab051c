/* net_prefix_test.c - hosts and networks, as RFC 4291 and RFC 4632 write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/net_prefix.h"

static bool has(const char *pattern, const char *address)
{
	struct net_prefix p;
	struct err e;
	if (!net_prefix_parse(pattern, &p, &e))
		fail_msg("%s", e.text);
	return net_prefix_has(&p, address);
}

static void test_hosts(void **state)
{
	(void)state;
	assert_true(has("192.0.2.1", "192.0.2.1:40000"));
	assert_false(has("192.0.2.1", "192.0.2.2:40000"));
	assert_true(has("2001:db8::1", "[2001:db8::1]:102"));
	assert_true(has("2001:db8::1", "[2001:0db8:0:0:0:0:0:1]:102"));
	assert_false(has("2001:db8::1", "[2001:db8::2]:102"));
	assert_true(has("192.0.2.1", "[::ffff:192.0.2.1]:102")); /* the same host, seen through a socket of the other family */
	assert_true(has("::ffff:192.0.2.1", "192.0.2.1:5"));
	assert_false(has("::c000:201", "192.0.2.1:5"));
	assert_false(has("192.0.2.1", "unix:/tmp/x"));
	assert_false(has("192.0.2.1", ""));
}

static void test_networks(void **state)
{
	(void)state;
	assert_true(has("192.0.2.0/24", "192.0.2.255:1"));
	assert_false(has("192.0.2.0/24", "192.0.3.0:1"));
	assert_true(has("192.0.2.128/25", "192.0.2.128:1"));
	assert_false(has("192.0.2.128/25", "192.0.2.127:1"));
	assert_true(has("10.0.0.0/8", "10.255.0.1:1"));
	assert_true(has("0.0.0.0/0", "203.0.113.7:1"));
	assert_false(has("0.0.0.0/0", "[2001:db8::1]:1")); /* IPv4 only */
	assert_true(has("::/0", "[2001:db8::1]:1"));
	assert_true(has("2001:db8::/32", "[2001:db8:ffff::1]:1"));
	assert_false(has("2001:db8::/33", "[2001:db8:8000::1]:1"));
	assert_true(has("192.0.2.1/32", "192.0.2.1:1"));
	assert_true(has("fe80::/10", "[febf::1]:1"));
}

static void test_what_is_no_host(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "/", "/24", "192.0.2", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/2x", "192.0.2.0/0024",
					   "192.0.2.1/24", "mail.example", "[2001:db8::1]", "2001:db8::/129", "2001:db8::1/32", "192.0.2.1:102",
					   "192.0.2.0/24/8", "2001:db8:::1", "11111111111111111111111111111111111111111111111111111111111111111" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct net_prefix p;
		struct err e;
		if (net_prefix_parse(bad[i], &p, &e))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void test_same_host(void **state)
{
	(void)state;
	assert_true(net_same_host("192.0.2.1:102", "192.0.2.1:40000"));
	assert_false(net_same_host("192.0.2.1:102", "192.0.2.10:102"));
	assert_true(net_same_host("[::1]:102", "[0:0:0:0:0:0:0:1]:5"));
	assert_true(net_same_host("unix:/a", "unix:/a"));
	assert_false(net_same_host("unix:/a", "unix:/b"));
	assert_true(view_eq(net_host("[2001:db8::1]:102"), VIEW("2001:db8::1")));
	assert_true(view_eq(net_host("fake a"), VIEW("fake a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_what_is_no_host),
		cmocka_unit_test(test_same_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
