/* notify_test.c - what a service manager hears (sd_notify(3), "NOTES"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/supervisor/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager(const char *name, size_t n)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	memcpy(at.sun_path, name, n);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
	return fd;
}

static void hears(int fd)
{
	char text[64] = "";
	assert_true(notify_manager("READY=1"));
	assert_int_equal(recv(fd, text, sizeof text, 0), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
	assert_false(notify_manager("READY=1")); /* nobody is there any more: that is no reason to wait */
}

static void test_a_socket_with_a_path(void **state)
{
	(void)state;
	char dir[] = "/tmp/notify_test.XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/socket", dir);
	setenv("NOTIFY_SOCKET", path, 1);
	hears(manager(path, strlen(path)));
	unlink(path);
	rmdir(dir);
}

static void test_an_abstract_name(void **state)
{
	(void)state;
	char name[64];
	snprintf(name, sizeof name, "@posthorn-notify-test-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = 0;
	hears(manager(name, 1 + strlen(name + 1)));
}

static void test_nobody_asked(void **state)
{
	(void)state;
	char longer[200];
	unsetenv("NOTIFY_SOCKET");
	assert_false(notify_manager("READY=1"));
	static const char *const odd[] = { "", "/", "relative", "unix:/x" };
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		setenv("NOTIFY_SOCKET", odd[i], 1);
		assert_false(notify_manager("READY=1"));
	}
	memset(longer, 'a', sizeof longer - 1);
	longer[0] = '/';
	longer[sizeof longer - 1] = 0;
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_false(notify_manager("READY=1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_socket_with_a_path),
		cmocka_unit_test(test_an_abstract_name),
		cmocka_unit_test(test_nobody_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
