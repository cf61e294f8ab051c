/* journal_test.c - entries as JOURNAL_NATIVE_PROTOCOL has them, and a journal that is not there or does not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fault.h"
#include "sys/folder.h"
#include "sys/journal.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void test_fields(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 1000);
	journal_field(&o, "MESSAGE", "one line = one");
	journal_field(&o, "POSTHORN_FIELD_WHY", "a\nb");
	journal_field(&o, "EMPTY", "");
	/* systemd.io/JOURNAL_NATIVE_PROTOCOL: "the field name, followed by a newline, a 64-bit little-endian size, the value, a newline" */
	static const char wanted[] = "MESSAGE=one line = one\nPOSTHORN_FIELD_WHY\n\x03\0\0\0\0\0\0\0" "a\nb\nEMPTY=\n";
	assert_true(view_eq(out_view(&o), VIEW(wanted)));
	out_fini(&o);
}

static int bind_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void test_comes_and_goes(void **state)
{
	(void)state;
	char folder[] = "/tmp/posthorn-journal-XXXXXX", path[64], got[64];
	struct err e;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
	struct journal *j = journal_new(path);
	assert_false(journal_send(j, VIEW("A=1\n"), &e));
	assert_int_equal(e.kind, ERR_TEMP);
	int fd = bind_socket(path);
	assert_true(journal_send(j, VIEW("A=2\n"), &e));
	assert_int_equal(recv(fd, got, sizeof got, 0), 4);
	assert_memory_equal(got, "A=2\n", 4);
	unsigned taken = 0;
	while (journal_send(j, VIEW("A=3\n"), &e)) /* it does not read: no call waits for it */
		assert_true(taken++ < 1000000);
	assert_non_null(strstr(e.text, "no room"));
	assert_int_equal(recv(fd, got, sizeof got, 0), 4);
	assert_true(journal_send(j, VIEW("A=4\n"), &e)); /* there is room again */
	close(fd);
	assert_false(journal_send(j, VIEW("A=5\n"), &e));
	assert_int_equal(unlink(path), 0);
	fd = bind_socket(path);
	assert_true(journal_send(j, VIEW("A=6\n"), &e)); /* another one in its place */
	assert_int_equal(recv(fd, got, sizeof got, 0), 4);
	assert_memory_equal(got, "A=6\n", 4);
	close(fd);
	journal_free(&j);
	folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields), cmocka_unit_test(test_comes_and_goes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
