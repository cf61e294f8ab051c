/* folder_watch_test.c - a folder's changes, in the small world and in the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sys/fake_env.h"
#include "sys/loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct told {
	struct env *env;
	struct folder_watch *watch;
	unsigned changes, ends;
	bool unwatch_at_end;
	char why[200];
};

static void on_change(void *ctx, const struct err *gone)
{
	struct told *t = ctx;
	if (gone == NULL) {
		t->changes++;
		return;
	}
	t->ends++;
	snprintf(t->why, sizeof t->why, "%s", gone->text);
	if (t->unwatch_at_end)
		folder_unwatch(&t->watch);
}

static void test_a_burst_is_told_once(void **state)
{
	(void)state;
	struct told t = { .env = fake_env_new() };
	struct err e;
	t.watch = env_watch_folder(t.env, "/po/mbg", on_change, &t, &e);
	assert_non_null(t.watch);
	for (int i = 0; i < 7; i++)
		fake_env_change_folder(t.env, "/po/mbg");
	fake_env_change_folder(t.env, "/po/att");
	fake_env_pass(t.env, FOLDER_SETTLE_MS - 1);
	assert_int_equal(t.changes, 0);
	fake_env_pass(t.env, 1);
	assert_int_equal(t.changes, 1);
	fake_env_pass(t.env, 10 * FOLDER_SETTLE_MS);
	assert_int_equal(t.changes, 1);
	fake_env_change_folder(t.env, "/po/mbg"); /* what comes after is told anew */
	fake_env_pass(t.env, FOLDER_SETTLE_MS);
	assert_int_equal(t.changes, 2);
	fake_env_change_folder(t.env, "/po/mbg");
	folder_unwatch(&t.watch);
	assert_null(t.watch);
	fake_env_pass(t.env, 10 * FOLDER_SETTLE_MS);
	assert_int_equal(t.changes, 2);
	assert_int_equal(env_count(t.env).timers, 0);
	fake_env_free(&t.env);
}

static void test_a_folder_that_goes_is_told_of_once(void **state)
{
	(void)state;
	struct told t = { .env = fake_env_new(), .unwatch_at_end = true }, kept = { .env = t.env };
	struct err e;
	t.watch = env_watch_folder(t.env, "/po/mbg", on_change, &t, &e);
	kept.watch = env_watch_folder(t.env, "/po/mbg", on_change, &kept, &e);
	assert_non_null(t.watch);
	assert_non_null(kept.watch);
	fake_env_remove_folder(t.env, "/po/mbg");
	fake_env_pass(t.env, FOLDER_SETTLE_MS);
	assert_int_equal(t.ends + kept.ends, 2);
	assert_null(t.watch);
	assert_string_equal(t.why, "folder /po/mbg: No such file or directory");
	assert_null(env_watch_folder(t.env, "/po/mbg", on_change, &t, &e));
	fake_env_change_folder(t.env, "/po/mbg"); /* there again, but the old watch is over */
	fake_env_pass(t.env, 10 * FOLDER_SETTLE_MS);
	assert_int_equal(kept.ends, 1);
	assert_int_equal(kept.changes, 0);
	t.watch = env_watch_folder(t.env, "/po/mbg", on_change, &t, &e);
	assert_non_null(t.watch);
	fake_env_free(&t.env); /* with watches left */
}

/* --- the real world --- */

static char *new_folder(char *path, size_t n)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(path, n, "%s/folder-watch-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(path));
	return path;
}

static void put_file(const char *folder, const char *name)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

struct run {
	struct told told;
	struct timer guard; /* a test that hangs fails */
	unsigned want_changes, want_ends;
};

static void on_guard(void *ctx)
{
	(void)ctx;
	fail_msg("the folder's change was not told");
}

static void on_real(void *ctx, const struct err *gone)
{
	struct run *r = ctx;
	on_change(&r->told, gone);
	if (r->told.changes >= r->want_changes && r->told.ends >= r->want_ends)
		loop_stop(r->told.env);
}

static void real_run(struct run *r, unsigned changes, unsigned ends)
{
	r->want_changes = changes;
	r->want_ends = ends;
	timer_after(&r->guard, 30 * 1000);
	loop_run(r->told.env);
	timer_stop(&r->guard);
}

static void test_the_kernel_tells(void **state)
{
	(void)state;
	char path[200], file[300];
	struct run r = { .told.env = loop_new(NULL) };
	struct err e;
	new_folder(path, sizeof path);
	timer_init(&r.guard, r.told.env, on_guard, &r);
	r.told.watch = env_watch_folder(r.told.env, path, on_real, &r, &e);
	assert_non_null(r.told.watch);
	for (int i = 0; i < 20; i++) {
		char name[20];
		snprintf(name, sizeof name, "f%d", i);
		put_file(path, name);
	}
	real_run(&r, 1, 0);
	assert_int_equal(r.told.changes, 1); /* all twenty were there before the loop looked */
	assert_int_equal(r.told.ends, 0);
	for (int i = 0; i < 20; i++) {
		snprintf(file, sizeof file, "%s/f%d", path, i);
		assert_int_equal(unlink(file), 0);
	}
	real_run(&r, 2, 0);
	assert_int_equal(r.told.ends, 0);
	assert_int_equal(rmdir(path), 0);
	real_run(&r, 0, 1);
	assert_int_equal(r.told.ends, 1);
	assert_non_null(strstr(r.told.why, "No such file or directory"));
	folder_unwatch(&r.told.watch);
	loop_free(&r.told.env);
}

static void test_a_folder_that_is_exchanged_is_gone(void **state)
{
	(void)state;
	char path[200], away[220];
	struct run r = { .told.env = loop_new(NULL) };
	struct err e;
	new_folder(path, sizeof path);
	snprintf(away, sizeof away, "%s.away", path);
	timer_init(&r.guard, r.told.env, on_guard, &r);
	r.told.watch = env_watch_folder(r.told.env, path, on_real, &r, &e);
	assert_non_null(r.told.watch);
	assert_int_equal(rename(path, away), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	real_run(&r, 0, 1);
	assert_non_null(strstr(r.told.why, "another has taken its place"));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(away), 0);
	loop_free(&r.told.env); /* with the watch left */
}

static void test_what_is_no_folder_is_not_watched(void **state)
{
	(void)state;
	char path[200], file[300];
	struct env *env = loop_new(NULL);
	struct told t = { .env = env };
	struct err e;
	new_folder(path, sizeof path);
	put_file(path, "f");
	snprintf(file, sizeof file, "%s/f", path);
	assert_null(env_watch_folder(env, file, on_change, &t, &e));
	assert_non_null(strstr(e.text, "no folder"));
	assert_int_equal(unlink(file), 0);
	assert_null(env_watch_folder(env, file, on_change, &t, &e));
	assert_non_null(strstr(e.text, "No such file"));
	assert_int_equal(rmdir(path), 0);
	loop_free(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_is_told_once),
		cmocka_unit_test(test_a_folder_that_goes_is_told_of_once),
		cmocka_unit_test(test_the_kernel_tells),
		cmocka_unit_test(test_a_folder_that_is_exchanged_is_gone),
		cmocka_unit_test(test_what_is_no_folder_is_not_watched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
