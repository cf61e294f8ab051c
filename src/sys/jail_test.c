/* jail_test.c - the jail is closed in a child process each time; how the child ends tells what it could do. The real
 * filter runs in builds without sanitizers only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "sys/jail.h"

enum { CHILD_OK = 7, CHILD_NO_JAIL = 8, CHILD_WRONG = 9 };

static const struct jail_limits limits = { .memory = 512u << 20, .cpu_s = 20, .files = 64 };

/* The child's way of ending after `act` inside the jail, as waitpid gives it. */
static int end_of(enum jail_level level, const struct jail_limits *with, int (*act)(void))
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct err e;
		if (!jail_enter(level, with, jail_build_flags(), &e)) {
			(void)!write(2, e.text, strlen(e.text));
			_exit(CHILD_NO_JAIL);
		}
		_exit(act());
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int act_openat(void) { return (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY); }
static int act_open(void) { return open("/dev/null", O_RDONLY); }
static int act_create(void) { return open("/tmp", O_TMPFILE | O_RDWR, 0600); }
static int act_socket(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static int act_unix(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int act_fork(void) { return fork(); }
static int act_clone(void) { return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0); }
static int act_kill_parent(void) { return kill(getppid(), 0); }
static int act_dup(void) { return dup(0); }
static int act_ptrace(void) { return (int)syscall(SYS_ptrace, 0, 0, 0, 0); }

static int act_exec(void)
{
	char *const argv[] = { "/bin/true", NULL };
	return execv(argv[0], argv);
}

static int act_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	return connect(0, (const struct sockaddr *)(const void *)&to, sizeof to);
}

static int act_run_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static void test_forbidden_calls_end_in_sigsys(void **state)
{
	(void)state;
	if (jail_build_flags() & JAIL_SANITIZED) {
		print_message("skipped: a sanitizer's runtime cannot live in the filter\n");
		skip();
	}
	int (*const acts[])(void) = { act_openat, act_open, act_create, act_socket, act_unix, act_fork, act_clone, act_exec,
				      act_connect, act_run_memory, act_kill_parent, act_dup, act_ptrace };
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		int status = end_of(JAIL_CONTENT, &limits, acts[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			print_message("act %zu ended with status %#x\n", i, (unsigned)status);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

/* The recorder's: it keeps files, and neither calls anybody nor starts anything. */
static void test_files_and_nothing_else(void **state)
{
	(void)state;
	if (jail_build_flags() & JAIL_SANITIZED) {
		print_message("skipped: a sanitizer's runtime cannot live in the filter\n");
		skip();
	}
	int (*const never[])(void) = { act_socket, act_fork, act_clone, act_exec, act_run_memory, act_kill_parent, act_dup, act_ptrace };
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		int status = end_of(JAIL_FILES, &limits, never[i]);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
	int (*const fine[])(void) = { act_openat, act_open, act_create, act_unix };
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		int status = end_of(JAIL_FILES, &limits, fine[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 64); /* a descriptor */
	}
}

/* No file, no program, no other network than connections that come: but asking for it is not the end. */
static int act_console(void)
{
	int (*const refused[])(void) = { act_openat, act_open, act_create, act_socket, act_fork, act_clone, act_exec, act_dup, act_ptrace };
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (refused[i]() != -1 || errno != EPERM)
			return 10 + (int)i;
	const int s = act_unix();
	return s < 0 ? 1 : act_run_memory() ? 0 : 2;
}

static void test_the_consoles_jail_refuses(void **state)
{
	(void)state;
	if (jail_build_flags() & JAIL_SANITIZED)
		skip();
	const int status = end_of(JAIL_CONSOLE, &limits, act_console);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_equal(jail_level_name(JAIL_CONSOLE), "console");
}

static int given[2], given_epoll;

/* What the content process lives on. */
static int act_allowed(void)
{
	uint8_t octet = 0;
	struct timespec now;
	struct epoll_event event = { .events = EPOLLIN }, seen;
	if (write(given[1], "x", 1) != 1 || epoll_ctl(given_epoll, EPOLL_CTL_ADD, given[0], &event) != 0)
		return CHILD_WRONG;
	if (epoll_wait(given_epoll, &seen, 1, 1000) != 1 || read(given[0], &octet, 1) != 1 || octet != 'x')
		return CHILD_WRONG;
	uint8_t *big = malloc(8u << 20);
	if (big == NULL)
		return CHILD_WRONG;
	memset(big, 1, 8u << 20);
	octet = big[4321];
	free(big);
	struct tm tm; /* its first use in a process opens a file: the jail has seen to that */
	const time_t then = 0;
	if (gmtime_r(&then, &tm) == NULL || tm.tm_year != 70)
		return CHILD_WRONG;
	int flags = fcntl(given[0], F_GETFL);
	if (flags < 0 || fcntl(given[0], F_SETFL, flags | O_NONBLOCK) != 0 || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return CHILD_WRONG;
	return octet == 1 ? CHILD_OK : CHILD_WRONG;
}

static void test_what_is_needed_works(void **state)
{
	(void)state;
	assert_int_equal(pipe2(given, O_CLOEXEC), 0);
	given_epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_true(given_epoll >= 0);
	int status = end_of(JAIL_CONTENT, &limits, act_allowed);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
	close(given[0]);
	close(given[1]);
	close(given_epoll);
}

static int act_abort(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* An abort is seen as an abort: the supervisor strikes for it and keeps the last words. */
static void test_abort_is_still_an_abort(void **state)
{
	(void)state;
	int status = end_of(JAIL_CONTENT, &limits, act_abort);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static int act_spin(void)
{
	volatile uint64_t n = 0;
	while (n != UINT64_MAX)
		n++;
	return CHILD_WRONG;
}

static void test_processor_time_is_bounded(void **state)
{
	(void)state;
	const struct jail_limits one_second = { .cpu_s = 1 };
	int status = end_of(JAIL_CONTENT, &one_second, act_spin);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXCPU);
}

static int act_memory(void)
{
	struct rlimit core;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return CHILD_WRONG;
	void *p = mmap(NULL, 1u << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED && errno == ENOMEM ? CHILD_OK : CHILD_WRONG;
}

static void test_memory_is_bounded_and_core_is_none(void **state)
{
	(void)state;
	if (jail_build_flags() & JAIL_SANITIZED)
		skip();
	int status = end_of(JAIL_NONE, &limits, act_memory);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static int act_nothing(void) { return CHILD_OK; }

static void test_fault_point_refuses_the_jail(void **state)
{
	(void)state;
	struct err e;
	assert_true(fault_plan("JAIL_ENTER:1:fail", &e));
	int status = end_of(JAIL_CONTENT, &limits, act_nothing);
	assert_true(fault_plan(NULL, &e));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_NO_JAIL);
}

/* Runs in a child: becomes nobody and checks what is left. */
static int become_nobody(void)
{
	struct err e = { 0 };
	if (!jail_become(65534, 65534, &e) || geteuid() != 65534 || getegid() != 65534 || getgroups(0, NULL) != 0)
		return CHILD_WRONG;
	if (setuid(0) == 0 || seteuid(0) == 0 || open("/etc/shadow", O_RDONLY) >= 0)
		return CHILD_WRONG;
	return jail_become(65534, 65534, &e) && !jail_become(65533, 65533, &e) ? CHILD_OK : CHILD_WRONG;
}

static void test_root_is_given_up_for_good(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: not started by root\n");
		skip();
	}
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(become_nobody());
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void test_root_and_unknown_users_are_refused(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_false(jail_become(0, 0, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_false(jail_become(65534, 0, &e));
	assert_false(jail_become_user("no-such-user-here", &e));
	assert_non_null(strstr(e.text, "no-such-user-here"));
	assert_string_equal(jail_level_name(JAIL_CONTENT), "content");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden_calls_end_in_sigsys),
		cmocka_unit_test(test_the_consoles_jail_refuses),
		cmocka_unit_test(test_files_and_nothing_else),
		cmocka_unit_test(test_what_is_needed_works),
		cmocka_unit_test(test_abort_is_still_an_abort),
		cmocka_unit_test(test_processor_time_is_bounded),
		cmocka_unit_test(test_memory_is_bounded_and_core_is_none),
		cmocka_unit_test(test_fault_point_refuses_the_jail),
		cmocka_unit_test(test_root_is_given_up_for_good),
		cmocka_unit_test(test_root_and_unknown_users_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
