/* supervisor_test.c - this program plays all roles: the tests, the supervisor (--supervise FILE) and its children
 * (--process KIND INSTANCE). A child does what the settings say; the tests read what all of them print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/board.h"
#include "sys/env.h"
#include "sys/event.h"
#include "sys/loop.h"
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- settings of this test: lines of words ---
 * dir D; user U; proc KIND INSTANCE [at-once]; listen NAME ADDR KIND; restart MIN MAX; stop MS; watchdog MS; do KIND.INSTANCE WHAT;
 * broken; crash */

static enum process_kind kind_of(const char *name)
{
	enum process_kind k = PROCESS_KIND_COUNT;
	return process_kind_of(name, &k) ? k : PROCESS_KIND_COUNT;
}

static bool read_line(const char *line, struct plan *p, const char *path, struct err *e)
{
	char w[4][200] = { "" };
	int n = sscanf(line, "%199s %199s %199s %199s", w[0], w[1], w[2], w[3]);
	if (n < 1 || strcmp(w[0], "do") == 0)
		return true;
	if (strcmp(w[0], "crash") == 0)
		raise(SIGKILL);
	if (strcmp(w[0], "whoami") == 0)
		fprintf(stderr, "config as %u in %s\n", (unsigned)geteuid(), getcwd(w[1], sizeof w[1]));
	else if (strcmp(w[0], "dir") == 0)
		snprintf(p->directory, sizeof p->directory, "%s", w[1]);
	else if (strcmp(w[0], "user") == 0)
		snprintf(p->user, sizeof p->user, "%.60s", w[1]);
	else if (strcmp(w[0], "proc") == 0)
		p->processes[p->n_processes++] = (struct plan_process){ kind_of(w[1]), (uint32_t)strtoul(w[2], NULL, 10),
									 strcmp(w[3], "at-once") == 0 };
	else if (strcmp(w[0], "listen") == 0) {
		struct plan_listener *l = &p->listeners[p->n_listeners++];
		snprintf(l->name, sizeof l->name, "%.15s", w[1]);
		snprintf(l->addr, sizeof l->addr, "%.100s", w[2]);
		l->owner = kind_of(w[3]);
	} else if (strcmp(w[0], "restart") == 0) {
		p->restart_min_ms = strtoul(w[1], NULL, 10);
		p->restart_max_ms = strtoul(w[2], NULL, 10);
	} else if (strcmp(w[0], "stop") == 0)
		p->stop_ms = strtoul(w[1], NULL, 10);
	else if (strcmp(w[0], "watchdog") == 0)
		p->watchdog_ms = strtoul(w[1], NULL, 10);
	else
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s:1:1: unknown key \"%s\"", path, w[0]);
	return true;
}

static bool read_config(const char *path, struct plan *plan_r, struct out *canonical, struct err *e)
{
	char text[8192] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s", path, strerror(errno));
	out_str(canonical, text);
	for (char *line = text, *end; *line != 0; line = end + 1) {
		end = strchr(line, '\n');
		*end = 0;
		if (!read_line(line, plan_r, path, e))
			return false;
	}
	return true;
}

static bool compare(struct view old, struct view now, struct out *lines, size_t *n_r, struct err *e)
{
	*n_r = view_eq(old, now) ? 0 : 1;
	out_str(lines, *n_r == 0 ? "" : "something: old -> new\n");
	return memmem(now.p, now.n, "barred", 6) == NULL || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "this cannot change while it runs: restart");
}

static const struct config_reader reader = { read_config, compare };

/* --- a child --- */

struct kid {
	struct process *p;
	char name[32], what[32];
	struct timer act;
	struct stream *streams[64];
	unsigned n_streams;
	int lines; /* a recorder's pipe */
	struct loop_watch *watch;
	char line[8192];
	size_t n_line;
	bool stopping;
};

static void say(struct kid *k, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct kid *k, const char *fmt, ...)
{
	char text[2000];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fprintf(stderr, "%s/%u: %s\n", k->name, process_life(k->p), text);
}

static size_t on_data(void *ctx, struct view data)
{
	say(ctx, "got %.*s", (int)data.n, (const char *)data.p);
	return data.n;
}

static void on_closed(void *ctx, const struct err *why)
{
	(void)ctx;
	(void)why;
}

static const struct stream_events stream_events = { NULL, on_data, NULL, on_closed };

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct kid *k = ctx;
	char text[100];
	(void)instance;
	(void)kind;
	stream_set_events(s, &stream_events, k);
	snprintf(text, sizeof text, "%s from %s/%u", bulk ? "bulk" : "control", k->name, process_life(k->p));
	stream_write(s, view_str(text));
	assert(k->n_streams < ARRAY_LEN(k->streams));
	k->streams[k->n_streams++] = s;
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	say(ctx, "accepted on %s", listener);
	stream_close(&s, false);
}

static void on_peer_died(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *last_words,
			 const char *note)
{
	(void)note;
	say(ctx, "told: %s.%u fault=%d words=%s", process_kind_name(kind), (unsigned)instance, by_fault, last_words);
}

/* Says those with "keep" in them. */
static void on_lines_there(void *ctx)
{
	struct kid *k = ctx;
	char c;
	ssize_t n;
	while ((n = read(k->lines, &c, 1)) == 1) {
		if (c == '\n') {
			k->line[k->n_line] = 0;
			if (strstr(k->line, "keep") != NULL)
				say(k, "took %.200s", k->line);
			k->n_line = 0;
		} else if (k->n_line < sizeof k->line - 1) {
			k->line[k->n_line++] = c;
		}
	}
	if (n == 0) {
		say(k, "end of lines");
		loop_watch_free(&k->watch);
		if (k->stopping)
			process_finished(k->p, 0);
	}
}

static void on_lines(void *ctx, int fd)
{
	struct kid *k = ctx;
	k->lines = fd;
	if (strcmp(k->what, "deaf") != 0)
		k->watch = loop_watch_new(process_env(k->p), fd, on_lines_there, k);
}

static void on_level(void *ctx, const char *category, unsigned level)
{
	say(ctx, "level of \"%s\" is %u", category, level);
}

static void on_stop(void *ctx)
{
	struct kid *k = ctx;
	say(k, "stop");
	k->stopping = true;
	if (k->watch != NULL)
		return; /* at the end of lines */
	if (strcmp(k->what, "stubborn") != 0)
		process_finished(k->p, 0);
}

static NORETURN void spin(void)
{
	for (volatile unsigned x = 0;; x++)
		;
}

/* Says what the board has of content.1, once that runs again. */
static void look_at_board(struct kid *k)
{
	static struct board b;
	const struct board_process *x = NULL;
	if (process_board(k->p) == NULL || !board_read(process_board(k->p), &b)) {
		say(k, "no board");
		return;
	}
	for (uint32_t i = 0; i < b.n; i++)
		if (b.processes[i].kind == PROCESS_CONTENT)
			x = &b.processes[i];
	if (x == NULL || x->lives != 2 || !x->ready) {
		timer_after(&k->act, 5);
		return;
	}
	say(k, "board: %u of %u, faults %u, progress %d, answered %d, died of %s", x->instance, b.n, x->faults,
	    x->progress >= 1, x->answered_ms >= x->started_ms && x->started_ms > b.started_ms - 1, x->last_words);
}

static void act(void *ctx)
{
	struct kid *k = ctx;
	if (strcmp(k->what, "board") == 0) {
		look_at_board(k);
		return;
	}
	if (strcmp(k->what, "no-board") == 0 && process_board(k->p) == NULL)
		say(k, "was given no board");
	static const struct {
		const char *what;
		int number;
	} raises[] = { { "bus", SIGBUS }, { "fpe", SIGFPE }, { "ill", SIGILL }, { "sys", SIGSYS }, { "trap", SIGTRAP },
		       { "xcpu", SIGXCPU }, { "kill", SIGKILL } };
	process_note(k->p, "message %d", 42);
	for (size_t i = 0; i < ARRAY_LEN(raises); i++)
		if (strcmp(k->what, raises[i].what) == 0)
			raise(raises[i].number);
	if (strcmp(k->what, "segv") == 0) {
		volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		(void)page[5]; /* a real one, with an address */
	}
	if (strcmp(k->what, "check") == 0)
		CANT_HAPPEN("as the test wants it");
	if (strcmp(k->what, "exit3") == 0)
		process_finished(k->p, 3);
	if (strcmp(k->what, "spin") == 0)
		spin();
	if (strcmp(k->what, "whoami") == 0)
		say(k, "uid %u euid %u gid %u", (unsigned)getuid(), (unsigned)geteuid(), (unsigned)getgid());
	if (strcmp(k->what, "levels") == 0) {
		process_level(k->p, "x400", EVENT_LEVEL_MAXIMUM);
		process_level(k->p, "process", EVENT_LEVEL_NONE);
		process_level(k->p, "store", EVENT_LEVEL_NONE);
		process_level(k->p, "store", EVENT_LEVEL_MINIMUM);
	}
	if (strcmp(k->what, "lines") == 0) {
		char large[20000];
		memset(large, 'z', sizeof large);
		large[sizeof large - 1] = 0;
		fprintf(stderr, "text, nobody's: keep0\n\x1e{\"keep1\":1}\n{\"keep2\":2}\n{\"keep3\":\"%s\n{keep4\nhalf a line of text: keep5", large);
	}
	if (strcmp(k->what, "many") == 0) {
		fprintf(stderr, "{\"keep\":\"first\"}\n");
		for (unsigned i = 0; i < 4000; i++)
			fprintf(stderr, "\x1e{\"line\":\"%01000u\"}\n", i);
		fprintf(stderr, "{\"keep\":\"last\"}\n");
	}
	if (strcmp(k->what, "longline") == 0) {
		char large[20000];
		memset(large, 'z', sizeof large);
		large[sizeof large - 1] = 0;
		fprintf(stderr, "%s\n", large);
		say(k, "after the long line");
	}
}

/* The word after "do NAME "; "always-" before it: in every life, else in the first only. */
static void find_what(struct kid *k)
{
	char key[64], text[8192];
	struct view v = process_settings(k->p);
	snprintf(text, sizeof text, "%.*s", (int)v.n, (const char *)v.p);
	snprintf(key, sizeof key, "do %s ", k->name);
	const char *at = strstr(text, key);
	if (at == NULL || sscanf(at + strlen(key), "%31s", k->what) != 1)
		return;
	if (strncmp(k->what, "always-", 7) == 0)
		memmove(k->what, k->what + 7, strlen(k->what + 7) + 1);
	else if (process_life(k->p) != 1)
		k->what[0] = 0;
}

static int run_child(const char *kind, const char *instance)
{
	static const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .peer_died = on_peer_died, .stop = on_stop,
						      .level = on_level, .lines = on_lines };
	struct kid k = { 0 };
	snprintf(k.name, sizeof k.name, "%s.%s", kind, instance);
	k.p = process_begin(kind_of(kind), (uint32_t)strtoul(instance, NULL, 10));
	find_what(&k);
	if (strcmp(k.what, "config") == 0 || strcmp(k.what, "store") == 0) {
		process_free(&k.p);
		return strcmp(k.what, "store") == 0 ? 73 : 78;
	}
	timer_init(&k.act, process_env(k.p), act, &k);
	timer_after(&k.act, 0);
	int status = process_run(k.p, &events, &k);
	loop_watch_free(&k.watch);
	for (unsigned i = 0; i < k.n_streams; i++)
		stream_close(&k.streams[i], false);
	timer_stop(&k.act);
	process_free(&k.p);
	return status;
}

/* --- the tests --- */

struct run {
	pid_t pid;
	int fd;
	char dir[64], config[80], log[1 << 17];
	size_t n;
};

static void begin_in(struct run *r, const char *dir, const char *text)
{
	int fds[2];
	memset(r, 0, sizeof *r);
	snprintf(r->dir, sizeof r->dir, "%s", dir);
	snprintf(r->config, sizeof r->config, "%s.conf%d", dir, rand() % 1000000);
	FILE *f = fopen(r->config, "w");
	assert_non_null(f);
	fprintf(f, "%s", text);
	fclose(f);
	chmod(r->config, 0600); /* a reader that is nobody cannot open it by name */
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	alarm(100); /* a test that waits for what never comes */
	r->pid = fork();
	if (r->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 2);
		execl("/proc/self/exe", "supervisor_test", "--supervise", r->config, NULL);
		_exit(127);
	}
	close(fds[1]);
	r->fd = fds[0];
}

static void begin(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Each run has a directory of its own below /tmp; the supervisor makes it. */
static void begin(struct run *r, const char *fmt, ...)
{
	char text[7000], all[7200], dir[] = "/tmp/posthorn-sup-XXXXXX";
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	assert_non_null(mkdtemp(dir));
	rmdir(dir);
	snprintf(all, sizeof all, "dir %s\n%s", dir, text);
	begin_in(r, dir, all);
}

static bool more(struct run *r)
{
	assert_true(r->n < sizeof r->log - 1);
	ssize_t n = read(r->fd, r->log + r->n, sizeof r->log - 1 - r->n);
	if (n > 0)
		r->log[r->n += (size_t)n] = 0;
	return n > 0;
}

/* Reads until the text has come, wherever it is in the log. */
static const char *expect(struct run *r, const char *text)
{
	const char *at;
	while ((at = strstr(r->log, text)) == NULL)
		if (!more(r)) {
			print_message("%s", r->log);
			fail_msg("\"%s\" has not come", text);
		}
	return at;
}

static const char *expect_after(struct run *r, const char *before, const char *text)
{
	size_t from = (size_t)(before - r->log);
	const char *at;
	while ((at = strstr(r->log + from, text)) == NULL)
		if (!more(r)) {
			print_message("%s", r->log);
			fail_msg("\"%s\" has not come after \"%.40s\"", text, before);
		}
	return at;
}

static int finish(struct run *r)
{
	int how = 0;
	while (more(r))
		;
	assert_int_equal(waitpid(r->pid, &how, 0), r->pid);
	close(r->fd);
	char lock[100];
	snprintf(lock, sizeof lock, "%s/posthorn.lock", r->dir);
	unlink(lock);
	rmdir(r->dir);
	unlink(r->config);
	alarm(0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

static int stop(struct run *r)
{
	kill(r->pid, SIGTERM);
	return finish(r);
}

static pid_t pid_of(struct run *r, const char *name)
{
	char key[64];
	snprintf(key, sizeof key, "process.started name=\"%s\" pid=\"", name);
	return (pid_t)strtol(expect(r, key) + strlen(key), NULL, 10);
}

static void test_all_are_connected_and_end_in_order(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc reader 0\nproc switch 0\nproc link 1\nproc link 2\nproc content 1\n");
	expect(&r, "supervisor.up");
	static const char *const pairs[] = { "link.1", "link.2", "reader.0", "content.1" };
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char text[100];
		snprintf(text, sizeof text, "switch.0/1: got control from %s/1\n", pairs[i]);
		expect(&r, text);
		snprintf(text, sizeof text, "switch.0/1: got bulk from %s/1\n", pairs[i]);
		expect(&r, text);
		snprintf(text, sizeof text, "%s/1: got control from switch.0/1\n", pairs[i]);
		expect(&r, text);
	}
	assert_int_equal(stop(&r), 0);
	const char *switch_stop = expect(&r, "switch.0/1: stop");
	static const char *const ends[] = { "process.stopped name=\"link.1\"", "process.stopped name=\"link.2\"",
		"process.stopped name=\"reader.0\"", "process.stopped name=\"content.1\"" };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		assert_true(expect(&r, ends[i]) < switch_stop);
	assert_true(expect(&r, "process.stopped name=\"link.2\"") < expect(&r, "reader.0/1: stop"));
	assert_true(expect(&r, "process.stopped name=\"link.1\"") < expect(&r, "content.1/1: stop"));
	expect(&r, "supervisor.down");
	assert_null(strstr(r.log, "link.1/1: got control from link"));
}

static void expect_pair(struct run *r, const char *a, const char *b)
{
	char text[100];
	static const char *const streams[] = { "control", "bulk" };
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		snprintf(text, sizeof text, "%s/1: got %s from %s/1\n", a, streams[i], b);
		expect(r, text);
		snprintf(text, sizeof text, "%s/1: got %s from %s/1\n", b, streams[i], a);
		expect(r, text);
	}
}

/* An interchange has its own converter and the switch; a mover has nobody. All that write to postoffices end first, the converter after
 * its interchange, the switch last. */
static void test_interchanges_have_their_converters(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc interchange 1\nproc converter 1 at-once\nproc interchange 4\nproc converter 4 at-once\nproc mover 0\nproc mover 1\n");
	expect(&r, "supervisor.up");
	expect_pair(&r, "interchange.1", "switch.0");
	expect_pair(&r, "interchange.4", "switch.0");
	expect_pair(&r, "interchange.1", "converter.1");
	expect_pair(&r, "interchange.4", "converter.4");
	assert_int_equal(stop(&r), 0);
	static const char *const never[] = { "got control from mover", "mover.0/1: got", "mover.1/1: got", "switch.0/1: got control from converter",
		"interchange.1/1: got control from converter.4", "interchange.4/1: got control from converter.1", "converter.1/1: got control from switch" };
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		assert_null(strstr(r.log, never[i]));
	static const char *const first[] = { "interchange.1", "interchange.4", "mover.0", "mover.1" };
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		char text[100];
		snprintf(text, sizeof text, "process.stopped name=\"%s\"", first[i]);
		assert_true(expect(&r, text) < expect(&r, "converter.1/1: stop"));
		assert_true(expect(&r, text) < expect(&r, "switch.0/1: stop"));
	}
	assert_true(expect(&r, "process.stopped name=\"converter.4\"") < expect(&r, "switch.0/1: stop"));
}

/* A converter that dies of a message is there again at once, and only its interchange hears of it; of an interchange the switch hears. */
static void test_a_converter_is_started_again_at_once(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc interchange 1\nproc converter 1 at-once\nproc interchange 2\nproc converter 2 at-once\nrestart 60000 60000\n"
		  "do converter.1 segv\n");
	expect(&r, "process.restart name=\"converter.1\" delay_ms=\"0\" life=\"2\"");
	expect(&r, "interchange.1/1: told: converter.1 fault=1 words=signal 11");
	expect(&r, "interchange.1/1: got bulk from converter.1/2");
	expect(&r, "converter.1/2: got bulk from interchange.1/1");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "switch.0/1: told: converter"));
	assert_null(strstr(r.log, "interchange.2/1: told"));
	begin(&r, "proc switch 0\nproc interchange 1\nproc converter 1 at-once\nproc mover 0\nrestart 1 10\ndo interchange.1 segv\ndo mover.0 segv\n");
	expect(&r, "switch.0/1: told: interchange.1 fault=1 words=signal 11");
	expect(&r, "interchange.1/2: told: interchange.1 fault=1");
	expect(&r, "switch.0/1: got control from interchange.1/2");
	expect(&r, "converter.1/1: got control from interchange.1/2");
	expect(&r, "mover.0/2: told: mover.0 fault=1");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "switch.0/1: told: mover"));
}

/* In a call on a file server that hangs not even SIGKILL ends it: the switch is ended all the same, and so are we. */
static void test_one_that_cannot_be_killed_keeps_nobody(void **state)
{
	(void)state;
	struct run r;
	setenv("POSTHORN_FAULT", "supervisor:SUPERVISOR_KILL:1:fail", 1);
	begin(&r, "proc switch 0\nproc interchange 1\nstop 50\ndo interchange.1 stubborn\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "supervisor.up");
	assert_int_equal(stop(&r), 0);
	const char *given_up = expect(&r, "error process.unkillable name=\"interchange.1\" note=\"message 42\"");
	expect_after(&r, given_up, "process.stopped name=\"switch.0\"");
	expect_after(&r, given_up, "supervisor.down");
}

/* As many as a plan may have. */
static void test_256_processes(void **state)
{
	(void)state;
	struct run r;
	struct out text;
	out_init(&text, 8000);
	out_str(&text, "stop 60000\nproc switch 0\nproc interchange 1\nproc converter 1\n");
	for (unsigned i = 0; i < 253; i++)
		out_fmt(&text, "proc mover %u\n", i);
	begin(&r, "%s", out_cstr(&text));
	expect(&r, "supervisor.up");
	expect(&r, "processes=\"256\"");
	assert_int_equal(stop(&r), 0); /* all have ended: a line of so many may be lost in our pipe */
	out_fini(&text);
}

static void connect_to(struct run *r, const char *name)
{
	char key[100], text[100];
	snprintf(key, sizeof key, "supervisor.listening name=\"%s\" address=\"", name);
	const char *at = expect(r, key) + strlen(key);
	expect_after(r, at, "\n");
	snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\""), at);
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool local = strncmp(text, "unix:", 5) == 0;
	if (local)
		snprintf(u.sun_path, sizeof u.sun_path, "%s", text + 5);
	else
		in.sin_port = htons((uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10));
	int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	int status = local ? connect(fd, (struct sockaddr *)&u, sizeof u) : connect(fd, (struct sockaddr *)&in, sizeof in);
	assert_int_equal(status, 0);
	char buf[8];
	assert_int_equal(read(fd, buf, sizeof buf), 0); /* accepted and closed */
	close(fd);
}

static void test_listeners_belong_to_every_instance(void **state)
{
	(void)state;
	struct run r;
	char path[] = "/tmp/posthorn-sup-sock-XXXXXX";
	close(mkstemp(path));
	unlink(path);
	begin(&r, "proc switch 0\nproc link 1\nlisten p1 127.0.0.1:0 link\nlisten control unix:%s switch\n", path);
	expect(&r, "supervisor.up");
	connect_to(&r, "p1");
	expect(&r, "link.1/1: accepted on p1");
	connect_to(&r, "control");
	expect(&r, "switch.0/1: accepted on control");
	/* The listener outlives its process: a connection made meanwhile waits for the next one. */
	kill(pid_of(&r, "link.1"), SIGKILL);
	connect_to(&r, "p1");
	expect(&r, "link.1/2: accepted on p1");
	assert_int_equal(stop(&r), 0);
	assert_int_equal(access(path, F_OK), -1); /* the socket file is gone with it */
}

static void test_faults_are_told_with_last_words(void **state)
{
	(void)state;
	static const struct {
		const char *what, *words;
	} rows[] = {
		{ "segv", "fault=1 words=signal 11 (SIGSEGV): SIGSEGV at address 0x" },
		{ "check", "fault=1 words=signal 6 (SIGABRT): " },
		{ "bus", "fault=1 words=signal 7 (SIGBUS): SIGBUS; it was at: message 42" },
		{ "fpe", "fault=1 words=signal 8 (SIGFPE): SIGFPE; it was at: message 42" },
		{ "ill", "fault=1 words=signal 4 (SIGILL): SIGILL; it was at: message 42" },
		{ "sys", "fault=1 words=signal 31 (SIGSYS): SIGSYS; it was at: message 42" },
		{ "trap", "fault=1 words=signal 5 (SIGTRAP): SIGTRAP; it was at: message 42" },
		{ "xcpu", "fault=1 words=signal 24 (SIGXCPU): SIGXCPU; it was at: message 42" },
		{ "kill", "fault=0 words=signal 9 (SIGKILL); it was at: message 42" },
		{ "exit3", "fault=0 words=exit status 3; it was at: message 42" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct run r;
		char text[200];
		begin(&r, "proc switch 0\nproc link 1\nrestart 1 10\ndo link.1 %s\n", rows[i].what);
		snprintf(text, sizeof text, "switch.0/1: told: link.1 %s", rows[i].words);
		const char *told = expect(&r, text);
		expect_after(&r, told, "; it was at: message 42\n");
		/* Born again, with new streams on both sides; and it hears how it died. */
		expect(&r, "switch.0/1: got control from link.1/2");
		expect(&r, "link.1/2: got bulk from switch.0/1");
		snprintf(text, sizeof text, "link.1/2: told: link.1 %.20s", rows[i].words);
		expect(&r, text);
		expect(&r, strncmp(rows[i].words, "fault=1", 7) == 0 ? "alarm process.fault name=\"link.1\"" :
		       "warning process.ended name=\"link.1\"");
		assert_int_equal(stop(&r), 0);
	}
}

static void test_check_leaves_its_sentence(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\nrestart 1 10\ndo link.1 check\n");
	expect(&r, "supervisor_test.c:");
	expect(&r, "cannot happen: as the test wants it; it was at: message 42");
	assert_int_equal(stop(&r), 0);
}

static void test_switch_hears_of_deaths_it_missed(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\nproc switch 0\nrestart 1 10\nstop 5000\ndo switch.0 segv\n");
	const char *own = expect(&r, "switch.0/2: told: switch.0 fault=1 words=signal 11");
	expect(&r, "link.1/1: told: switch.0 fault=1");
	const char *met = expect(&r, "switch.0/2: got control from link.1/1");
	assert_true(own < met);
	assert_int_equal(stop(&r), 0);
	/* A link that dies before there is a switch: its death waits. Fork fails for the switch the first time. */
	setenv("POSTHORN_FAULT", "supervisor:SUPERVISOR_FORK:2:fail", 1);
	begin(&r, "proc link 1\nproc switch 0\nrestart 300 300\ndo link.1 segv\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "alarm process.unstarted name=\"switch.0\"");
	expect(&r, "switch.0/1: told: link.1 fault=1 words=signal 11");
	assert_int_equal(stop(&r), 0);
}

static void test_delay_doubles_to_the_maximum(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\nrestart 4 200\ndo link.1 always-exit3\n");
	static const char *const delays[] = { "delay_ms=\"4\" life=\"2\"", "delay_ms=\"4\" life=\"3\"", "delay_ms=\"4\" life=\"4\"",
		"delay_ms=\"4\" life=\"5\"", "delay_ms=\"4\" life=\"6\"", "delay_ms=\"4\" life=\"7\"", "delay_ms=\"4\" life=\"8\"",
		"delay_ms=\"4\" life=\"9\"", "delay_ms=\"8\" life=\"10\"", "delay_ms=\"16\" life=\"11\"", "delay_ms=\"32\" life=\"12\"",
		"delay_ms=\"64\" life=\"13\"", "delay_ms=\"128\" life=\"14\"", "delay_ms=\"200\" life=\"15\"", "delay_ms=\"200\" life=\"16\"" };
	/* A slow machine may let one live past the maximum, which begins anew: then this run says nothing. */
	const char *at = r.log;
	for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
		at = expect_after(&r, at, "process.restart") + 1;
		expect_after(&r, at, "\n");
		if (i > 7 && strncmp(strstr(at, "delay_ms"), "delay_ms=\"4\"", 12) == 0)
			break;
		assert_memory_equal(strstr(at, "delay_ms"), delays[i], strlen(delays[i]));
	}
	assert_int_equal(stop(&r), 0);
}

static void test_a_hung_process_is_ended_as_a_fault(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nrestart 1 10\nwatchdog 400\ndo link.1 spin\n");
	expect(&r, "error process.hung name=\"link.1\"");
	expect(&r, "switch.0/1: told: link.1 fault=1 words=watchdog: no answer for ");
	expect(&r, ": SIGABRT; it was at: message 42");
	expect(&r, "switch.0/1: got control from link.1/2");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "process.hung name=\"switch.0\""));
}

static void test_patience_at_the_end_is_bounded(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc switch 0\nproc link 1\nstop 50\ndo link.1 stubborn\ndo switch.0 stubborn\n");
	expect(&r, "supervisor.up");
	assert_int_equal(stop(&r), 0);
	expect(&r, "link.1/1: stop");
	expect(&r, "process.killed name=\"link.1\"");
	expect(&r, "process.killed name=\"switch.0\"");
	begin(&r, "proc switch 0\nproc link 1\nstop 1000000\ndo link.1 stubborn\n");
	expect(&r, "supervisor.up");
	kill(r.pid, SIGINT);
	expect(&r, "link.1/1: stop");
	struct pollfd p = { .fd = r.fd, .events = POLLIN };
	while (strstr(r.log, "supervisor.down") == NULL) { /* asked again, until it counts as such */
		kill(r.pid, SIGTERM);
		if (poll(&p, 1, 50) == 1 && !more(&r))
			break;
	}
	assert_int_equal(finish(&r), 0);
	expect(&r, "process.killed name=\"link.1\"");
}

static void test_children_die_with_the_supervisor(void **state)
{
	(void)state;
	struct run r;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	begin(&r, "proc switch 0\nproc link 1\ndo link.1 spin\n");
	pid_t link = pid_of(&r, "link.1"), sw = pid_of(&r, "switch.0");
	expect(&r, "supervisor.up");
	kill(r.pid, SIGKILL);
	assert_int_equal(finish(&r), -SIGKILL);
	assert_int_equal(waitpid(link, NULL, 0), link);
	assert_int_equal(waitpid(sw, NULL, 0), sw);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void test_second_instance_is_refused(void **state)
{
	(void)state;
	struct run r, second;
	char text[200], want[200];
	begin(&r, "proc switch 0\n");
	expect(&r, "supervisor.up");
	snprintf(text, sizeof text, "dir %s\nproc switch 0\n", r.dir);
	begin_in(&second, r.dir, text);
	while (more(&second))
		;
	unlink(second.config);
	int how;
	waitpid(second.pid, &how, 0);
	close(second.fd);
	assert_int_equal(WEXITSTATUS(how), 75);
	snprintf(want, sizeof want, "posthorn: directory %s is in use by another instance (process %d)\n", r.dir, (int)r.pid);
	assert_string_equal(second.log, want);
	assert_int_equal(stop(&r), 0);
}

static void test_what_cannot_start_says_one_sentence(void **state)
{
	(void)state;
	struct run r;
	struct run holder;
	begin(&holder, "proc link 1\nlisten p1 127.0.0.1:0 link\n");
	const char *at = strstr(expect(&holder, "supervisor.listening"), "127.");
	expect_after(&holder, at, "\n");
	char addr[64], want[300];
	snprintf(addr, sizeof addr, "%.*s", (int)strcspn(at, "\""), at);
	begin(&r, "listen p1 %s link\n", addr);
	assert_int_equal(finish(&r), 69);
	snprintf(want, sizeof want, "posthorn: listen on %s: the address is in use by another process\n", addr);
	assert_string_equal(r.log, want);
	assert_int_equal(stop(&holder), 0);

	begin_in(&r, "/tmp/posthorn-sup-x", "dir /dev/null/store\nproc link 1\n");
	assert_int_equal(finish(&r), 73);
	assert_string_equal(r.log, "posthorn: cannot make directory /dev/null/store: Not a directory\n");
	begin_in(&r, "/tmp/posthorn-sup-x", "dir /dev/null\nproc link 1\n");
	assert_int_equal(finish(&r), 73);
	assert_string_equal(r.log, "posthorn: /dev/null is no directory\n");
	begin(&r, "procc link 1\n");
	assert_int_equal(finish(&r), 78);
	snprintf(want, sizeof want, "posthorn: %s:1:1: unknown key \"procc\"\n", r.config);
	assert_string_equal(r.log, want);
	begin(&r, "crash\n");
	assert_int_equal(finish(&r), 70);
	assert_non_null(strstr(r.log, "died of signal 9"));
	begin(&r, "user no-such-user\n");
	assert_int_equal(finish(&r), 77);
	assert_string_equal(r.log, "posthorn: user \"no-such-user\" is not known here\n");
	begin(&r, "proc switch 0\nproc link 1\ndo link.1 config\n");
	assert_int_equal(finish(&r), 78);
	assert_non_null(strstr(r.log, "supervisor.stopping"));
	begin(&r, "proc switch 0\nproc link 1\ndo switch.0 store\n");
	assert_int_equal(finish(&r), 73);
}

static void test_privileges_are_dropped(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	struct run r;
	begin(&r, "whoami\nuser nobody\nproc link 1\ndo link.1 always-whoami\nrestart 1 10\n");
	expect(&r, "config as 65534 in /tmp\n");
	expect(&r, "link.1/1: uid 65534 euid 65534 gid 65534");
	kill(pid_of(&r, "link.1"), SIGKILL); /* the capability to end and to start again is kept */
	expect(&r, "link.1/2: uid 65534 euid 65534 gid 65534");
	struct stat st;
	assert_int_equal(stat(r.dir, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(stop(&r), 0);
}

static void test_lines_of_children_are_passed_whole(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc link 1\ndo link.1 longline\n");
	expect(&r, "link.1/1: after the long line\n");
	assert_int_equal(stop(&r), 0);
}

static void test_fault_plan_by_kind(void **state)
{
	(void)state;
	static const struct {
		const char *text, *of_link;
	} rows[] = {
		{ "", "" },
		{ "link:STORE_COMMIT:3:kill", "STORE_COMMIT:3:kill" },
		{ "switch:STORE_COMMIT:3:kill", "" },
		{ "STORE_COMMIT:3:kill", "STORE_COMMIT:3:kill" },
		{ "switch:*:1:fail,link:ENV_READ:2:abort,*:9:stick", "ENV_READ:2:abort,*:9:stick" },
		{ "link:LINK_OFFER:@POISON:hang,content:LINK_OFFER:@X:eat,LINK_OFFER:@a b:abort",
		  "LINK_OFFER:@POISON:hang,LINK_OFFER:@a b:abort" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o;
		process_fault_plan(rows[i].text, PROCESS_LINK, &o);
		assert_string_equal(out_cstr(&o), rows[i].of_link);
		out_fini(&o);
	}
	/* And armed in the first life only. */
	struct run r;
	setenv("POSTHORN_FAULT", "link:ENV_READ:1:abort", 1);
	begin(&r, "proc switch 0\nproc link 1\nrestart 1 10\n");
	unsetenv("POSTHORN_FAULT");
	expect(&r, "switch.0/1: told: link.1 fault=1 words=signal 6 (SIGABRT)");
	expect(&r, "link.1/2: got control from switch.0/1");
	assert_int_equal(stop(&r), 0);
}

static void test_child_by_hand_is_refused(void **state)
{
	(void)state;
	int how;
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 2);
		close(3);
		execl("/proc/self/exe", "x", "--process", "link", "1", NULL);
		_exit(127);
	}
	waitpid(pid, &how, 0);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 64);
}

/* What the supervisor knows is on the board, for the console and nobody else. */
static void test_the_board_shows_what_the_supervisor_knows(void **state)
{
	struct run r;
	(void)state;
	begin(&r, "proc switch 0\nproc content 1\nproc console 0\nrestart 1 10\nwatchdog 10000\ndo content.1 segv\ndo console.0 board\ndo switch.0 no-board\n");
	expect(&r, "console.0/1: board: 1 of 3, faults 1, progress 1, answered 1, died of signal 11 (SIGSEGV): SIGSEGV at address 0x");
	expect(&r, "switch.0/1: was given no board");
	kill(r.pid, SIGTERM);
	assert_int_equal(finish(&r), 0);
}

/* Events of all go to the recorder, as JSON; to standard error goes what was meant for it. The recorder ends last, when it has read all. */
static void test_lines_go_to_the_recorder(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc switch 0\nproc link 1\ndo link.1 lines\n");
	expect(&r, "recorder.0/1: took {\"keep1\":1}\n");
	expect(&r, "recorder.0/1: took {\"keep2\":2}\n");
	expect(&r, "recorder.0/1: took {keep4\n"); /* what makes sense is the recorder's affair */
	expect(&r, "supervisor.up");
	assert_int_equal(stop(&r), 0);
	assert_non_null(strstr(r.log, "\ntext, nobody's: keep0\n"));
	assert_non_null(strstr(r.log, "\n{\"keep2\":2}\n"));
	assert_null(strstr(r.log, "took text"));
	assert_null(strstr(r.log, "\n{\"keep1\""));
	assert_null(strchr(r.log, 0x1e));
	assert_null(strstr(r.log, "took {\"keep3\""));  /* too long for an event */
	assert_non_null(strstr(r.log, "\n{\"keep3\""));
	assert_true(expect(&r, "process.stopped name=\"switch.0\"") < expect(&r, "recorder.0/1: stop"));
	expect(&r, "recorder.0/1: end of lines");
	expect(&r, "process.stopped name=\"recorder.0\" how=\"exit status 0");
}

/* One that does not read costs nobody anything but the lines there is no room for; what is in the pipe outlives it. */
static void test_a_deaf_recorder(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc link 1\nrestart 1 10\ndo recorder.0 deaf\ndo link.1 many\n");
	expect(&r, "{\"keep\":\"last\"}\n");
	assert_null(strstr(r.log, "took"));
	assert_null(strstr(r.log, "events.lost"));
	kill(pid_of(&r, "recorder.0"), SIGKILL);
	expect(&r, "recorder.0/2: took {\"keep\":\"first\"}");
	unsigned long lost = strtoul(expect(&r, "events.lost events=\"") + strlen("events.lost events=\""), NULL, 10);
	assert_in_range(lost, 4000 - (1 << 20) / 1000, 4000); /* a pipe has a megabyte at most */
	assert_int_equal(stop(&r), 0);
}

static void test_levels_reach_all_and_stay(void **state)
{
	(void)state;
	struct run r;
	begin(&r, "proc recorder 0\nproc link 1\nrestart 1 10\ndo recorder.0 levels\n");
	expect(&r, "link.1/1: level of \"x400\" is 3\n");
	expect(&r, "recorder.0/1: level of \"x400\" is 3\n");
	expect(&r, "link.1/1: level of \"store\" is 1\n");
	kill(pid_of(&r, "link.1"), SIGKILL);
	expect(&r, "link.1/2: level of \"x400\" is 3\n");
	expect(&r, "link.1/2: level of \"process\" is 0\n");
	expect(&r, "link.1/2: level of \"store\" is 1\n");
	assert_int_equal(stop(&r), 0);
	assert_null(strstr(r.log, "link.1/2: level of \"store\" is 0\n")); /* the last word counts */
	assert_null(strstr(r.log, "process.restart name=\"link.1\"")); /* a notice of category process: the supervisor has heard it too */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_go_to_the_recorder),
		cmocka_unit_test(test_a_deaf_recorder),
		cmocka_unit_test(test_levels_reach_all_and_stay),
		cmocka_unit_test(test_all_are_connected_and_end_in_order),
		cmocka_unit_test(test_interchanges_have_their_converters),
		cmocka_unit_test(test_a_converter_is_started_again_at_once),
		cmocka_unit_test(test_one_that_cannot_be_killed_keeps_nobody),
		cmocka_unit_test(test_256_processes),
		cmocka_unit_test(test_listeners_belong_to_every_instance),
		cmocka_unit_test(test_faults_are_told_with_last_words),
		cmocka_unit_test(test_check_leaves_its_sentence),
		cmocka_unit_test(test_switch_hears_of_deaths_it_missed),
		cmocka_unit_test(test_delay_doubles_to_the_maximum),
		cmocka_unit_test(test_a_hung_process_is_ended_as_a_fault),
		cmocka_unit_test(test_patience_at_the_end_is_bounded),
		cmocka_unit_test(test_children_die_with_the_supervisor),
		cmocka_unit_test(test_second_instance_is_refused),
		cmocka_unit_test(test_what_cannot_start_says_one_sentence),
		cmocka_unit_test(test_privileges_are_dropped),
		cmocka_unit_test(test_lines_of_children_are_passed_whole),
		cmocka_unit_test(test_fault_plan_by_kind),
		cmocka_unit_test(test_child_by_hand_is_refused),
		cmocka_unit_test(test_the_board_shows_what_the_supervisor_knows),
	};
	if (argc == 3 && strcmp(argv[1], "--supervise") == 0)
		return supervisor_run(&reader, argv[2]);
	if (argc == 4 && strcmp(argv[1], "--process") == 0)
		return run_child(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
