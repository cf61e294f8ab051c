/* supervisor_testing.c - see supervisor_testing.h. */
#include "proc/supervisor/supervisor_testing.h"

#include "sys/board.h"
#include "sys/env.h"
#include "sys/event.h"
#include "sys/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static enum process_kind kind_of(const char *name)
{
	enum process_kind k = PROCESS_KIND_COUNT;
	return process_kind_of(name, &k) ? k : PROCESS_KIND_COUNT;
}

static bool read_line(const char *line, struct plan *p, const char *path, struct err *e)
{
	char w[4][200] = { "" };
	int n = sscanf(line, "%199s %199s %199s %199s", w[0], w[1], w[2], w[3]);
	if (n < 1 || strcmp(w[0], "do") == 0 || strcmp(w[0], "say") == 0 || strcmp(w[0], "barred") == 0)
		return true;
	while (strcmp(w[0], "hang") == 0)
		pause();
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
									 strcmp(w[3], "at-once") == 0, strtoul(w[3], NULL, 10) };
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
	struct kid *k = ctx;
	say(k, "accepted on %s", listener);
	stream_close(&s, false);
	if (strcmp(listener, "reload") == 0 || strcmp(listener, "dry") == 0)
		process_reload(k->p, 7, strcmp(listener, "dry") == 0, "the tester");
}

static void on_reloaded(void *ctx, uint64_t id, enum process_reloaded how, struct view text)
{
	static const char *const names[] = { "done", "same", "dry", "refused", "wrong" };
	say(ctx, "reload %llu is %s: %.*s", (unsigned long long)id, names[how], (int)text.n, (const char *)text.p);
}

/* The word after "say ". */
static void say_word(struct kid *k, const char *before)
{
	char text[8192], word[32];
	struct view v = process_settings(k->p);
	snprintf(text, sizeof text, "%.*s", (int)v.n, (const char *)v.p);
	const char *at = strstr(text, "say ");
	if (at != NULL && sscanf(at + 4, "%31s", word) == 1)
		say(k, "%s %s", before, word);
}

static void on_settings(void *ctx)
{
	say_word(ctx, "took");
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
	if (strcmp(k->what, "stubborn") == 0)
		say(k, "will not end");
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
		fprintf(stderr, "text, nobody's: keep0\n\x1e" EVENT_OF("link-1") "\"keep1\":1}\n" EVENT_OF("link-1") "\"keep2\":2}\n" EVENT_OF("link-1")
			"\"keep3\":\"%s\n" EVENT_OF("link-1") "keep4\n\x1e" EVENT_OF("switch-0") "\"keep6\":6}\n" EVENT_OF("link-11") "\"keep7\":7}\n"
			"{\"keep8\":8}\n\x1e\n" EVENT_OF("link-1") "\"keep9\":9}\nhalf a line of text: keep5", large);
	}
	if (strcmp(k->what, "many") == 0) {
		fprintf(stderr, EVENT_OF("link-1") "\"keep\":\"first\"}\n");
		for (unsigned i = 0; i < 4000; i++)
			fprintf(stderr, "\x1e" EVENT_OF("link-1") "\"line\":\"%01000u\"}\n", i);
		fprintf(stderr, EVENT_OF("link-1") "\"keep\":\"last\"}\n");
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
	static const struct process_events all = { .peer = on_peer, .accepted = on_accepted, .peer_died = on_peer_died, .stop = on_stop,
						   .level = on_level, .lines = on_lines, .settings = on_settings, .reloaded = on_reloaded };
	struct process_events events = all;
	struct kid k = { 0 };
	snprintf(k.name, sizeof k.name, "%s.%s", kind, instance);
	k.p = process_begin(kind_of(kind), (uint32_t)strtoul(instance, NULL, 10));
	find_what(&k);
	if (strcmp(k.what, "config") == 0 || strcmp(k.what, "store") == 0) {
		process_free(&k.p);
		return strcmp(k.what, "store") == 0 ? 73 : 78;
	}
	if (strcmp(k.what, "set-once") == 0)
		events.settings = NULL;
	say_word(&k, "born with");
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

/* --- for the tests --- */


void begin_in(struct run *r, const char *dir, const char *text)
{
	int fds[2];
	memset(r, 0, sizeof *r);
	snprintf(r->dir, sizeof r->dir, "%s", dir);
	snprintf(r->config, sizeof r->config, "%s.conf%d-%d", dir, (int)getpid(), rand() % 1000000);
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

void begin(struct run *r, const char *fmt, ...)
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

bool more(struct run *r)
{
	assert_true(r->n < sizeof r->log - 1);
	ssize_t n = read(r->fd, r->log + r->n, sizeof r->log - 1 - r->n);
	if (n > 0)
		r->log[r->n += (size_t)n] = 0;
	return n > 0;
}

const char *expect(struct run *r, const char *text)
{
	const char *at;
	while ((at = strstr(r->log, text)) == NULL)
		if (!more(r)) {
			print_message("%s", r->log);
			fail_msg("\"%s\" has not come", text);
		}
	return at;
}

const char *expect_after(struct run *r, const char *before, const char *text)
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

int finish(struct run *r)
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

int stop(struct run *r)
{
	kill(r->pid, SIGTERM);
	return finish(r);
}

pid_t pid_of(struct run *r, const char *name)
{
	char key[64];
	snprintf(key, sizeof key, "process.started name=\"%s\" pid=\"", name);
	return (pid_t)strtol(expect(r, key) + strlen(key), NULL, 10);
}

/* The address of the listener of that name, when it was bound for the first time. */
static int open_to(struct run *r, const char *name, int *status_r)
{
	char key[100], text[100];
	snprintf(key, sizeof key, "supervisor.listening name=\"%s\" address=\"", name);
	const char *at = expect(r, key) + strlen(key);
	expect_after(r, at, "\n");
	snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\""), at);
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool local = strncmp(text, "unix:", 5) == 0;
	if (local) {
		snprintf(u.sun_path, sizeof u.sun_path, "%s", text + 5);
	} else {
		char *colon = strrchr(text, ':');
		in.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
		*colon = 0;
		assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	}
	int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	*status_r = local ? connect(fd, (struct sockaddr *)&u, sizeof u) : connect(fd, (struct sockaddr *)&in, sizeof in);
	return fd;
}

void connect_to(struct run *r, const char *name)
{
	int status, fd = open_to(r, name, &status);
	assert_int_equal(status, 0);
	char buf[8];
	assert_int_equal(read(fd, buf, sizeof buf), 0); /* accepted and closed */
	close(fd);
}

int try_to_connect(struct run *r, const char *name)
{
	int status, fd = open_to(r, name, &status);
	close(fd);
	return status;
}

void rewrite(struct run *r, const char *text)
{
	FILE *f = fopen(r->config, "w");
	assert_non_null(f);
	fprintf(f, "dir %s\n%s", r->dir, text);
	fclose(f);
	chmod(r->config, 0600);
}

bool plays_a_role(int argc, char **argv, int *status_r)
{
	if (argc == 3 && strcmp(argv[1], "--supervise") == 0)
		*status_r = supervisor_run(&reader, argv[2]);
	else if (argc == 4 && strcmp(argv[1], "--process") == 0)
		*status_r = run_child(argv[2], argv[3]);
	else
		return false;
	return true;
}
