/* descriptors_test.c - the limit goes up as far as it may, and never down; what was closed at the start is nobody's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* In a child, since cmocka prints. Its exit status: 0, or the number of what is not so. */
static int as_started(bool in, bool out, bool err)
{
	const bool closed[] = { in, out, err };
	char octet = 'x';
	for (int fd = 0; fd <= 2; fd++)
		if (closed[fd])
			close(fd);
	if (!descriptors_take_standard())
		return 1;
	const int next = open("/dev/null", O_RDONLY);
	if (next <= 2)
		return 2;
	if (in && read(0, &octet, 1) != 0)
		return 3;
	if (out && (write(1, "x", 1) != -1 || errno != EBADF))
		return 4;
	return err && write(2, "x", 1) != 1 ? 5 : 0;
}

static void test_what_is_closed_at_the_start_is_taken_by_nothing_else(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		int status;
		const pid_t pid = fork();
		if (pid == 0)
			_exit(as_started(i & 1, i & 2, i & 4));
		assert_true(pid > 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_closed_at_the_start_is_taken_by_nothing_else),
		cmocka_unit_test(test_the_soft_limit_is_raised_to_what_is_wanted_or_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
