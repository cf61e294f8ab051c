/* logfile_test.c - every line in exactly one file: rotation, its failures at every step, files moved away, disks that fill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fault.h"
#include "base/out.h"
#include "sys/folder.h"
#include "sys/logfile.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
	char folder[64], path[128];
	struct logfile *f;
};

static int setup(void **state)
{
	static struct world w;
	w = (struct world){ .folder = "/tmp/posthorn-logfile-XXXXXX" };
	assert_non_null(mkdtemp(w.folder));
	snprintf(w.path, sizeof w.path, "%s/events.log", w.folder);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	struct err e;
	logfile_free(&w->f);
	folder_remove(w->folder);
	return fault_plan(NULL, &e) ? 0 : -1;
}

/* Content of FILE (0), FILE.1 ...; "-" when it is not there. */
static const char *content(const struct world *w, unsigned number)
{
	static char texts[8][4096], name[160];
	snprintf(name, sizeof name, number == 0 ? "%s" : "%s.%u", w->path, number);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char *text = texts[number];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof texts[0] - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? "-" : text;
}

static bool put(struct world *w, const char *text, int64_t now)
{
	struct err e;
	return logfile_write(w->f, view_str(text), now, &e);
}

static void test_names_go_up_by_one(void **state)
{
	struct world *w = *state;
	w->f = logfile_new(w->path, 8, 2);
	for (const char *c = "abcdef"; *c != 0; c++)
		assert_true(put(w, (char[]){ *c, '1', '2', '\n', 0 }, 0));
	assert_string_equal(content(w, 0), "e12\nf12\n"); /* 8 octets fit */
	assert_string_equal(content(w, 1), "c12\nd12\n");
	assert_string_equal(content(w, 2), "a12\nb12\n");
	assert_true(logfile_take_rotated(w->f));
	assert_false(logfile_take_rotated(w->f));
	assert_true(put(w, "g\n", 0));
	assert_string_equal(content(w, 2), "c12\nd12\n"); /* the oldest has gone */
	assert_string_equal(content(w, 3), "-");
	assert_true(put(w, "longer than all of it\n", 0));
	assert_string_equal(content(w, 0), "longer than all of it\n");
}

static void test_keeps_none_or_fewer(void **state)
{
	struct world *w = *state;
	w->f = logfile_new(w->path, 4, 3);
	for (const char *c = "abcd"; *c != 0; c++)
		assert_true(put(w, (char[]){ *c, '1', '\n', 0 }, 0));
	assert_string_equal(content(w, 3), "a1\n");
	logfile_free(&w->f);
	w->f = logfile_new(w->path, 4, 1); /* as after a reload */
	assert_true(put(w, "e1\n", 0));
	assert_string_equal(content(w, 1), "d1\n");
	assert_string_equal(content(w, 2), "-");
	assert_string_equal(content(w, 3), "-");
	logfile_free(&w->f);
	w->f = logfile_new(w->path, 4, 0);
	assert_true(put(w, "f1\n", 0));
	assert_string_equal(content(w, 0), "f1\n");
}

/* logrotate moves it away, or truncates it where it is; somebody removes it. */
static void test_moved_away_by_others(void **state)
{
	struct world *w = *state;
	char other[160];
	w->f = logfile_new(w->path, 1000, 2);
	snprintf(other, sizeof other, "%s-20261122", w->path);
	assert_true(put(w, "one\n", 0));
	assert_int_equal(rename(w->path, other), 0);
	assert_true(put(w, "two\n", 0));
	assert_string_equal(content(w, 0), "two\n");
	assert_int_equal(truncate(w->path, 0), 0);
	assert_true(put(w, "three\n", 0));
	assert_string_equal(content(w, 0), "three\n");
	assert_int_equal(unlink(w->path), 0);
	assert_true(put(w, "four\n", 0));
	assert_string_equal(content(w, 0), "four\n");
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(mkfifo(w->path, 0600), 0); /* and what is no file keeps nobody */
	assert_false(put(w, "five\n", 0));
}

static void test_half_a_line_is_ended(void **state)
{
	struct world *w = *state;
	struct err e;
	assert_true(folder_write_file(w->path, VIEW("whole\nhal"), &e));
	w->f = logfile_new(w->path, 1000, 2);
	assert_true(put(w, "next\n", 0));
	assert_string_equal(content(w, 0), "whole\nhal\nnext\n");
}

/* The process dies before the n-th rename of a rotation that fills a gap or drops the oldest: what is there is there once, in order. */
static void test_dies_in_the_middle(void **state)
{
	struct world *w = *state;
	for (unsigned n = 1; n <= 3; n++) {
		w->f = logfile_new(w->path, 4, 3);
		for (const char *c = "abc"; *c != 0; c++)
			assert_true(put(w, (char[]){ *c, '1', '\n', 0 }, 0));
		pid_t pid = fork();
		if (pid == 0) {
			struct err e;
			char plan[64];
			snprintf(plan, sizeof plan, "LOGFILE_RENAME:%u:kill", n);
			_exit(fault_plan(plan, &e) && put(w, "d1\n", 0) ? 1 : 2);
		}
		int how;
		assert_int_equal(waitpid(pid, &how, 0), pid);
		assert_true(WIFSIGNALED(how));
		struct out all;
		out_init(&all, 4096);
		for (unsigned i = 4; i-- > 0;)
			if (strcmp(content(w, i), "-") != 0)
				out_str(&all, content(w, i));
		assert_string_equal(out_cstr(&all), "a1\nb1\nc1\n");
		out_fini(&all);
		assert_true(put(w, "e1\n", 0)); /* a successor: the gap is filled, nothing is dropped for it */
		out_init(&all, 4096);
		for (unsigned i = 4; i-- > 0;)
			if (strcmp(content(w, i), "-") != 0)
				out_str(&all, content(w, i));
		assert_string_equal(out_cstr(&all), "a1\nb1\nc1\ne1\n");
		out_fini(&all);
		logfile_free(&w->f);
		folder_remove(w->folder);
		assert_int_equal(mkdir(w->folder, 0700), 0);
	}
}

static void test_not_put_aside(void **state)
{
	struct world *w = *state;
	struct err e;
	w->f = logfile_new(w->path, 4, 2);
	assert_true(put(w, "a1\n", 1000));
	assert_true(fault_plan("LOGFILE_RENAME:1:fail", &e));
	assert_true(put(w, "b1\n", 1000)); /* it grows */
	assert_string_equal(content(w, 0), "a1\nb1\n");
	assert_true(logfile_take_not_rotated(w->f, &e));
	assert_non_null(strstr(e.text, "put aside"));
	assert_true(put(w, "c1\n", 2000)); /* not tried again at once */
	assert_string_equal(content(w, 1), "-");
	assert_false(logfile_take_not_rotated(w->f, &e));
	assert_true(put(w, "d1\n", 61000));
	assert_string_equal(content(w, 1), "a1\nb1\nc1\n");
	assert_true(logfile_take_rotated(w->f));
}

static void test_no_room(void **state)
{
	struct world *w = *state;
	struct err e;
	w->f = logfile_new(w->path, 1000, 2);
	assert_true(fault_plan("LOGFILE_OPEN:1:fail,LOGFILE_WRITE:2:fail", &e));
	assert_false(logfile_write(w->f, VIEW("one\n"), 0, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_string_equal(content(w, 0), "-");
	assert_true(put(w, "two\n", 0));
	assert_false(logfile_write(w->f, VIEW("three\n"), 0, &e));
	assert_int_equal(e.kind, ERR_TEMP);
	assert_true(put(w, "four\n", 0));
	assert_string_equal(content(w, 0), "two\nfour\n");
}

/* The kernel writes a part of it (a limit of file size stands for a disk that fills): the part is taken back. */
static void test_a_part_is_taken_back(void **state)
{
	struct world *w = *state;
	w->f = logfile_new(w->path, 1 << 20, 2);
	assert_true(put(w, "two\n", 0));
	pid_t pid = fork();
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		signal(SIGXFSZ, SIG_IGN);
		_exit(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 8, 8 }) == 0 && !put(w, "a line of more\n", 0) ? 0 : 1);
	}
	int how;
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
	assert_string_equal(content(w, 0), "two\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_go_up_by_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keeps_none_or_fewer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_away_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_a_line_is_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dies_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_put_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_part_is_taken_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
