/* no_file_testing.h - for tests: what may stand in the place of a file of a postoffice. After <cmocka.h>. */
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

enum testing_no_file { NO_FILE_DIRECTORY, NO_FILE_FIFO, NO_FILE_LINK_OUT, NO_FILE_HUGE, NO_FILES };

/* In place of the file at that path, if there is one. */
static inline void testing_no_file(const char *path, enum testing_no_file how)
{
	assert_true(unlink(path) == 0 || errno == ENOENT);
	switch (how) {
	case NO_FILE_DIRECTORY:
		assert_int_equal(mkdir(path, 0777), 0);
		break;
	case NO_FILE_FIFO:
		assert_int_equal(mkfifo(path, 0666), 0);
		break;
	case NO_FILE_LINK_OUT:
		assert_int_equal(symlink("/etc/passwd", path), 0);
		break;
	case NO_FILE_HUGE: /* 1 TB, of which nothing is there */
		assert_int_equal(mknod(path, S_IFREG | 0666, 0), 0);
		if (truncate(path, INT64_C(1) << 40) != 0)
			assert_int_equal(errno, EFBIG);
		break;
	case NO_FILES:
		fail();
	}
}
