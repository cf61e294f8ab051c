/* board_test.c - one writes, nobody else can; a board is read as a whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sys/board.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static void test_what_is_written_is_read(void **state)
{
	struct err e;
	int fd = -1;
	static struct board copy;
	(void)state;
	struct board *b = board_new(&fd, &e);
	assert_non_null(b);
	const struct board *seen = board_map(fd);
	assert_non_null(seen);
	board_begin(b);
	b->n = 2;
	b->processes[1] = (struct board_process){ .kind = PROCESS_LINK, .instance = 3, .progress = 17 };
	board_end(b);
	assert_true(board_read(seen, &copy));
	assert_int_equal(copy.n, 2);
	assert_int_equal(copy.processes[1].kind, PROCESS_LINK);
	assert_int_equal(copy.processes[1].progress, 17);
	board_unmap(&seen);
	assert_null(seen);
	board_free(&b);
	close(fd);
}

/* Its writer is in the middle of it, for ever: nobody is given half of it, and nobody waits for ever. */
static void test_half_a_board_is_none(void **state)
{
	struct err e;
	int fd = -1;
	static struct board copy;
	(void)state;
	struct board *b = board_new(&fd, &e);
	assert_non_null(b);
	board_begin(b);
	b->n = 1;
	assert_false(board_read(b, &copy));
	board_end(b);
	assert_true(board_read(b, &copy));
	b->n = 100000; /* as no supervisor writes it */
	assert_true(board_read(b, &copy));
	assert_int_equal(copy.n, BOARD_PROCESSES);
	board_free(&b);
	close(fd);
}

static void test_nobody_else_can_write(void **state)
{
	struct err e;
	int fd = -1;
	(void)state;
	struct board *b = board_new(&fd, &e);
	assert_non_null(b);
	assert_ptr_equal(mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
	const struct board *seen = board_map(fd);
	assert_int_equal(mprotect((void *)(uintptr_t)seen, sizeof *seen, PROT_READ | PROT_WRITE), -1);
	board_unmap(&seen);
	board_free(&b);
	close(fd);
}

static void test_what_is_no_board_is_not_mapped(void **state)
{
	int fds[2];
	(void)state;
	assert_null(board_map(-1));
	assert_int_equal(pipe(fds), 0);
	assert_null(board_map(fds[0]));
	close(fds[0]);
	close(fds[1]);
	int fd = memfd_create("no-board", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, sizeof(struct board)), 0); /* the right size, and no magic */
	assert_null(board_map(fd));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_half_a_board_is_none),
		cmocka_unit_test(test_nobody_else_can_write),
		cmocka_unit_test(test_what_is_no_board_is_not_mapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
