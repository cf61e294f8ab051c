/* descriptors_test.c - the limit goes up as far as it may, and never down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "sys/descriptors.h"

static void test_the_soft_limit_is_raised_to_what_is_wanted_or_allowed(void **state)
{
	(void)state;
	const struct rlimit low = { .rlim_cur = 100, .rlim_max = 300 };
	struct rlimit now;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(descriptors_allow(50), 100);
	assert_int_equal(descriptors_allow(200), 200);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, 200);
	assert_int_equal(now.rlim_max, 300);
	assert_int_equal(descriptors_allow(1000), 300);
	assert_int_equal(descriptors_allow(100), 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_soft_limit_is_raised_to_what_is_wanted_or_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
