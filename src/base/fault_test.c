/* fault_test.c - plans that look at octets, and the actions that do not come back: each in a child process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static unsigned witnessed;
static uint64_t witnessed_pass;

static void witness(enum fault_point point, uint64_t pass)
{
	assert_int_equal(point, FAULT_LINK_OFFER);
	witnessed++;
	witnessed_pass = pass;
}

static void plan(const char *text)
{
	struct err e;
	if (!fault_plan(text, &e))
		fail_msg("%s", e.text);
}

static void test_text_plan_fires_each_time_on_its_octets(void **state)
{
	(void)state;
	plan("LINK_OFFER:@POISON:fail");
	fault_set_witness(witness);
	witnessed = 0;
	for (unsigned i = 0; i < 3; i++) {
		assert_false(FAULT_ON(LINK_OFFER, VIEW("a good message")));
		assert_true(FAULT_ON(LINK_OFFER, VIEW("a POISON")));
		assert_true(FAULT_ON(LINK_OFFER, VIEW("POISON\0 at the beginning")));
		assert_true(FAULT_ON(LINK_OFFER, VIEW("beyond a \0 POISON")));
		assert_false(FAULT_ON(LINK_OFFER, VIEW("POISO")));
		assert_false(FAULT_ON(LINK_OFFER, VIEW("poison")));
		assert_false(FAULT_ON(LINK_OFFER, ((struct view){ NULL, 0 })));
		assert_false(FAULT(LINK_OFFER));                      /* without octets: never */
		assert_false(FAULT_ON(SWITCH_INTAKE, VIEW("POISON"))); /* another point */
	}
	assert_int_equal(witnessed, 9);
	assert_int_equal(witnessed_pass, 2 * 8 + 4); /* the last one that fired */
	assert_int_equal(fault_passes(FAULT_LINK_OFFER), 24);
	assert_int_equal(fault_passes_all(), 27);
	fault_set_witness(NULL);
	plan(NULL);
	assert_false(FAULT_ON(LINK_OFFER, VIEW("POISON")));
}

static void test_octets_count_as_a_pass(void **state)
{
	(void)state;
	plan("LINK_OFFER:2:fail");
	assert_false(FAULT_ON(LINK_OFFER, VIEW("2")));
	assert_true(FAULT_ON(LINK_OFFER, VIEW("x")));
	assert_false(FAULT_ON(LINK_OFFER, VIEW("x")));
	plan("LINK_OFFER:2:stick");
	assert_false(FAULT(LINK_OFFER));
	assert_true(FAULT_ON(LINK_OFFER, VIEW("x")));
	assert_true(FAULT(LINK_OFFER));
	plan("*:3:fail");
	assert_false(FAULT(STORE_BEGIN));
	assert_false(FAULT_ON(LINK_OFFER, VIEW("x")));
	assert_true(FAULT_ON(LINK_OFFER, VIEW("x")));
	plan(NULL);
}

static void test_several_plans_at_one_point(void **state)
{
	(void)state;
	plan("LINK_OFFER:@one:fail,LINK_OFFER:@two:stick,LINK_OFFER:5:fail,*:@any where:fail");
	assert_true(FAULT_ON(LINK_OFFER, VIEW("one")));
	assert_true(FAULT_ON(LINK_OFFER, VIEW("two")));
	assert_false(FAULT_ON(LINK_OFFER, VIEW("three"))); /* `stick` is for just its octets */
	assert_true(FAULT_ON(LINK_OFFER, VIEW("two")));
	assert_true(FAULT_ON(LINK_OFFER, VIEW("five")));
	assert_true(FAULT_ON(SWITCH_INTAKE, VIEW("any where")));
	plan(NULL);
}

static void test_wrong_plans_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"LINK_OFFER:@:fail", "LINK_OFFER:@a:b:fail", "LINK_OFFER:@a", "LINK_OFFER:@a:", "LINK_OFFER:@a:eats",
		"LINK_OFFER::fail", "LINK_OFFER:a:fail", "@a:LINK_OFFER:fail",
		"LINK_OFFER:@0123456789012345678901234567890123456789012345678901234567890123:fail",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err e = { 0 };
		assert_false(fault_plan(wrong[i], &e));
		assert_int_equal(e.kind, ERR_LOCAL);
		assert_non_null(strstr(e.text, "@TEXT"));
		assert_false(fault_armed);
	}
	plan("LINK_OFFER:@012345678901234567890123456789012345678901234567890123456789012:fail"); /* 63 */
	assert_true(FAULT_ON(LINK_OFFER, VIEW("...012345678901234567890123456789012345678901234567890123456789012")));
	plan(NULL);
}

/* --- in a child --- */

static int words_fd;

static void keep_words(const char *sentence)
{
	(void)!write(words_fd, sentence, strlen(sentence));
}

static void on_signal(int number)
{
	(void)number;
	(void)!write(words_fd, "s", 1);
}

/* Passes the point with octets that fire, after `prepare`; whoever returns says "returned". */
static pid_t child_with(const char *text, void (*prepare)(void), int *fd_r)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		words_fd = fds[1];
		plan(text);
		prepare();
		(void)!write(words_fd, "b", 1);
		(void)FAULT_ON(LINK_OFFER, VIEW("a POISON"));
		keep_words("returned");
		_exit(0);
	}
	close(fds[1]);
	*fd_r = fds[0];
	return pid;
}

static void prepare_hang(void)
{
	const struct sigaction a = { .sa_handler = on_signal }; /* without SA_RESTART: a wait is interrupted */
	assert_int_equal(sigaction(SIGUSR1, &a, NULL), 0);
	assert_int_equal(sigaction(SIGXCPU, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL), 0);
	const struct rlimit second = { 1, 2 };
	assert_int_equal(setrlimit(RLIMIT_CPU, &second), 0); /* one that burns its time dies of it, if we are slow */
}

static void test_hang_never_returns(void **state)
{
	(void)state;
	int fd, how = 0;
	const pid_t pid = child_with("LINK_OFFER:@POISON:hang", prepare_hang, &fd);
	char c = 0;
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, 'b');
	for (unsigned i = 0; i < 200; i++) { /* had one of them ended the wait, "returned" or the end would come */
		assert_int_equal(kill(pid, SIGUSR1), 0);
		assert_int_equal(read(fd, &c, 1), 1);
		assert_int_equal(c, 's');
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
}

static void prepare_eat(void)
{
	const struct rlimit limit = { 300u << 20, 300u << 20 };
	check_set_hook(keep_words);
	signal(SIGABRT, SIG_DFL);
	(void)!freopen("/dev/null", "w", stderr);
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static void test_eat_ends_at_the_limit_with_last_words(void **state)
{
	(void)state;
	if (SANITIZED) {
		print_message("skipped: a sanitizer's runtime cannot live under a limit of memory\n");
		skip();
	}
	int fd, how = 0;
	const pid_t pid = child_with("LINK_OFFER:@POISON:eat", prepare_eat, &fd);
	char words[200] = "";
	size_t n = 0;
	for (ssize_t got; n < sizeof words - 1 && (got = read(fd, words + n, sizeof words - 1 - n)) > 0;)
		n += (size_t)got;
	struct rusage used;
	assert_int_equal(wait4(pid, &how, 0, &used), pid);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
	assert_non_null(strstr(words, "out of memory"));
	assert_true(used.ru_maxrss > 200 * 1024); /* KiB: it was touched */
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_plan_fires_each_time_on_its_octets),
		cmocka_unit_test(test_octets_count_as_a_pass),
		cmocka_unit_test(test_several_plans_at_one_point),
		cmocka_unit_test(test_wrong_plans_are_refused),
		cmocka_unit_test(test_hang_never_returns),
		cmocka_unit_test(test_eat_ends_at_the_limit_with_last_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
