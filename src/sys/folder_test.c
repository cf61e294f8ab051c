/* Tests of folder.h's locks and of digest.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/digest.h"
#include "sys/folder.h"
#include "sys/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/folder_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/hold", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_remove(dir);
	return 0;
}

static void test_a_file_is_held_until_its_holder_lets_go(void **state)
{
	(void)state;
	struct env *env = loop_new(dir);
	struct err e;
	int fd = -1, other = -1;
	assert_false(env_file_is_held(env, "hold"));
	assert_true(folder_hold(path, &fd, &e));
	assert_true(env_file_is_held(env, "hold"));
	assert_true(folder_has(path));
	assert_false(folder_hold(path, &other, &e));
	assert_int_equal(e.kind, ERR_TEMP);
	folder_release(path, &fd);
	assert_int_equal(fd, -1);
	folder_release(path, &fd);
	assert_false(folder_has(path));
	assert_false(env_file_is_held(env, "hold"));
	loop_free(&env);
}

/* A holder that is killed holds nothing, and what it left is taken away, or over. */
static void hold_and_die(void)
{
	const pid_t pid = fork();
	if (pid == 0) {
		int fd;
		_exit(folder_hold(path, &fd, NULL) ? 0 : 1);
	}
	int how = -1;
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_int_equal(how, 0);
	assert_true(folder_has(path));
}

static void test_what_a_dead_holder_left(void **state)
{
	(void)state;
	struct env *env = loop_new(dir);
	struct err e;
	int fd = -1;
	hold_and_die();
	assert_false(env_file_is_held(env, "hold"));
	assert_false(folder_has(path));
	hold_and_die();
	assert_true(folder_hold(path, &fd, &e));
	assert_true(env_file_is_held(env, "hold"));
	folder_release(path, &fd);
	loop_free(&env);
}

/* FIPS 180-4's examples, as published by NIST: "abc", and nothing (RFC 6234's test vectors). */
static void test_sha_256(void **state)
{
	(void)state;
	char hex[DIGEST_HEX];
	struct digest *d = digest_new();
	digest_add(d, VIEW("a"));
	digest_add(d, VIEW(""));
	digest_add(d, VIEW("bc"));
	digest_end(d, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_end(d, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_free(&d);
	digest_free(&d);
}

static void test_sha_256_of_a_file(void **state)
{
	(void)state;
	char hex[DIGEST_HEX] = "as it was";
	struct err e;
	uint64_t size = 7;
	assert_false(digest_file(path, hex, &size, &e));
	assert_string_equal(hex, "as it was");
	assert_int_equal(size, 7);
	assert_true(folder_write_file(path, VIEW("abc"), &e));
	assert_true(digest_file(path, hex, &size, &e));
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(size, 3);
	assert_true(folder_sync_file(path, &e));
	assert_true(folder_room(dir, &size));
	assert_true(size > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_file_is_held_until_its_holder_lets_go),
		TEST(test_what_a_dead_holder_left),
		TEST(test_sha_256),
		TEST(test_sha_256_of_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
