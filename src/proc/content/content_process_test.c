/* content_process_test.c - the content process as it runs: born of the supervisor, on the real loop, in the real jail
 * (builds without sanitizers). This program plays all roles: the test, the supervisor (--supervise FILE) and
 * its children (--process KIND INSTANCE): a switch that asks for two messages, and the content process itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/message/pack.h"
#include "proc/content/content.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/jail.h"
#include "sys/process.h"

/* X.420: heading with this-IPM "1" and subject "Hi", expiry time, one general text in Latin-2. */
#define CONTENT                                                                                                       \
	"\xa0\x3e\x31\x1a\x6b\x03\x13\x01" "1\xa8\x04\x14\x02Hi\x89\x0d" "261122003902Z" "\x30\x20\xaf\x1e"             \
	"\x28\x1c\x06\x04\x56\x01\x04\x0b\xa0\x14\x1b\x12\x1b\x2d\x42" "Za\xbf\xf3\xb3\xe6 g\xea\xb6l\xb1 ja"

/* The file's one line is the directory. */
static bool read_config(const char *path, struct plan *plan_r, struct out *canonical, struct err *e)
{
	char directory[200] = "";
	FILE *f = fopen(path, "r");
	if (f == NULL || fgets(directory, sizeof directory, f) == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the test's settings cannot be read");
	fclose(f);
	*plan_r = (struct plan){ .magic = PLAN_MAGIC, .n_processes = 2, .restart_min_ms = 50, .restart_max_ms = 100, .stop_ms = 20000 };
	plan_r->processes[0] = (struct plan_process){ PROCESS_SWITCH, 0 };
	plan_r->processes[1] = (struct plan_process){ PROCESS_CONTENT, 0 };
	snprintf(plan_r->directory, sizeof plan_r->directory, "%s", directory);
	out_fmt(canonical, "mta:\n  name: TEST\n  domain: \"C=GB; A=TEST; P=TEST\"\nstore:\n  directory: %s\n"
		"processes:\n  restart-min: 1 s\n", directory);
	return true;
}

/* --- the switch of this test --- */

struct asker {
	struct process *process;
	struct chan *control, *bulk;
	struct arena *arena;
};

static void ask(struct asker *k, uint64_t id, struct view content)
{
	struct message m = { .kind = MESSAGE_MESSAGE, .content_type = 22, .priority = PRIORITY_NORMAL, .content_length = -1 };
	struct out packed;
	struct err e;
	assert(mts_id_parse(VIEW("C=GB;A= ;P=ORG;L=local-1"), &m.id, k->arena, &e));
	out_init(&packed, 1 << 16);
	pack_message(&packed, &m, 0, 0);
	const struct msg_render r = { .id = id, .packed = out_view(&packed), .content = content,
				      .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(k->control, MSG_RENDER), &r);
	chan_end(k->control);
	out_fini(&packed);
}

static bool on_rendered(void *ctx, struct view payload, struct err *e)
{
	struct asker *k = ctx;
	struct msg_render m;
	struct render r;
	if (!get_msg_render(payload, &m, e) || m.err.kind != ERR_NONE || !render_unpack(m.content, &r, k->arena, e))
		return false;
	struct out text;
	out_init(&text, 1 << 20);
	render_print(&r, &text);
	fprintf(stderr, "shown %llu: %s\nend of %llu\n", (unsigned long long)m.id, out_cstr(&text), (unsigned long long)m.id);
	out_fini(&text);
	if (m.id == 1)
		ask(k, 2, VIEW("\xa0\x80\xff\xff"));
	return true;
}

static void on_chan_closed(void *ctx, const struct err *why)
{
	(void)ctx;
	(void)why;
}

static const struct chan_type types[] = {
	{ .type = MSG_RENDERED, .name = "RENDERED", .handle = on_rendered, .max = CHAN_FRAME_MAX },
};
static const struct chan_events control_events = { types, ARRAY_LEN(types), NULL, NULL, on_chan_closed };
static const struct chan_events bulk_events = { NULL, 0, NULL, NULL, on_chan_closed };

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct asker *k = ctx;
	(void)kind;
	(void)instance;
	if (bulk) {
		k->bulk = chan_new(&s, &bulk_events, k, PROCESS_SWITCH, 0);
	} else {
		k->control = chan_new(&s, &control_events, k, PROCESS_SWITCH, 0);
		ask(k, 1, VIEW(CONTENT));
	}
}

static void on_stop(void *ctx)
{
	struct asker *k = ctx;
	process_finished(k->process, 0);
}

static int run_switch(void)
{
	struct asker k = { .process = process_begin(PROCESS_SWITCH, 0), .arena = arena_new(1 << 20) };
	const struct process_events events = { .peer = on_peer, .stop = on_stop };
	const int status = process_run(k.process, &events, &k);
	if (k.control != NULL)
		chan_free(&k.control, false);
	if (k.bulk != NULL)
		chan_free(&k.bulk, false);
	arena_free(&k.arena);
	process_free(&k.process);
	return status;
}

/* --- the test --- */

struct run {
	pid_t pid;
	int fd;
	char log[1 << 16];
	size_t n;
};

/* Reads until the text has come; false at the end of the log. */
static bool expect(struct run *r, const char *text)
{
	while (strstr(r->log, text) == NULL) {
		assert_true(r->n < sizeof r->log - 1);
		const ssize_t n = read(r->fd, r->log + r->n, sizeof r->log - 1 - r->n);
		if (n <= 0)
			return false;
		r->log[r->n += (size_t)n] = 0;
	}
	return true;
}

static bool read_proc(const char *pid, const char *name, char *text, size_t size)
{
	char path[300];
	snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++)
		text[i] = text[i] == 0 ? ' ' : text[i];
	text[n < 0 ? 0 : n] = 0;
	return n > 0;
}

/* Is the content process of this run under a system call filter, and without new privileges? */
static bool content_is_jailed(const struct run *r)
{
	char parent[32], text[4096];
	bool jailed = false;
	snprintf(parent, sizeof parent, "PPid:\t%d\n", (int)r->pid);
	DIR *d = opendir("/proc");
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		if (!read_proc(entry->d_name, "cmdline", text, sizeof text) || strstr(text, "--process content") == NULL)
			continue;
		if (read_proc(entry->d_name, "status", text, sizeof text) && strstr(text, parent) != NULL)
			jailed = strstr(text, "Seccomp:\t2") != NULL && strstr(text, "NoNewPrivs:\t1") != NULL;
	}
	closedir(d);
	return jailed;
}

static void test_renders_as_it_runs(void **state)
{
	(void)state;
	static struct run r;
	char directory[] = "/tmp/posthorn-content-XXXXXX", lock[100], config[100];
	int fds[2], how = 0;
	assert_non_null(mkdtemp(directory));
	snprintf(lock, sizeof lock, "%s/posthorn.lock", directory);
	snprintf(config, sizeof config, "%s/settings", directory);
	FILE *f = fopen(config, "w");
	assert_non_null(f);
	fputs(directory, f);
	fclose(f);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	alarm(100); /* a test that waits for what never comes */
	r.pid = fork();
	assert_true(r.pid >= 0);
	if (r.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 2);
		execl("/proc/self/exe", "content_process_test", "--supervise", config, NULL);
		_exit(127);
	}
	close(fds[1]);
	r.fd = fds[0];
	bool ok = expect(&r, "end of 1") && expect(&r, "end of 2");
	const bool jailed = ok && content_is_jailed(&r);
	kill(r.pid, SIGTERM);
	(void)expect(&r, "nothing that is ever written");
	assert_int_equal(waitpid(r.pid, &how, 0), r.pid);
	close(r.fd);
	alarm(0);
	unlink(lock);
	unlink(config);
	rmdir(directory);
	if (!ok || !WIFEXITED(how) || WEXITSTATUS(how) != 0)
		print_message("%s", r.log);
	assert_true(ok);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
	assert_non_null(strstr(r.log, "Subject: Hi"));
	assert_non_null(strstr(r.log, "Expires: 2026-11-22 00:39:02 UTC"));
	/* Latin-2, from the kit that was made before the jail closed. */
	assert_non_null(strstr(r.log, "Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 g\xc4\x99\xc5\x9bl\xc4\x85 ja"));
	assert_non_null(strstr(r.log, "Kind: broken"));
	if (!(jail_build_flags() & JAIL_SANITIZED))
		assert_true(jailed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renders_as_it_runs),
	};
	if (argc == 3 && strcmp(argv[1], "--supervise") == 0)
		return supervisor_run(read_config, argv[2]);
	if (argc == 4 && strcmp(argv[1], "--process") == 0)
		return strcmp(argv[2], process_kind_name(PROCESS_CONTENT)) == 0 ? content_main(0) : run_switch();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
