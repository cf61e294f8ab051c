/* content_process_test.c - the content process as it runs: born of the supervisor, on the real loop, in the real jail
 * (builds without sanitizers). This program plays all roles: the test, the supervisor (--supervise FILE) and
 * its children (--process KIND INSTANCE): a switch that asks as the scenario says (CONTENT_TEST in the environment), and the
 * content process itself, or one in its place that tries what the jail forbids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
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
		"processes:\n  restart-min: 1 s\n  content-memory: 256 M\n", directory);
	return true;
}

/* --- the switch of this test --- */

/* X.420: heading with this-IPM "1", one IA5 text of eleven characters. */
#define TEXT(text) "\xa0\x1a\x31\x05\x6b\x03\x13\x01" "1\x30\x11\xa0\x0f\x31\x00\x16\x0b" text

/* What the switch asks, one after the other; an item that the content process dies of is not asked again. */
struct item {
	bool convert;
	const char *content; /* of TEXT's length; LARGE: see large_content */
};
#define LARGE "large"
/* X.420 7.1 and annex B: a P22 with general text of registrations 1, 6 and 101, three letters of ISO 8859-2. */
#define LATIN2 "\xa0\x34\x31\x05\x6b\x03\x13\x01" "1" "\x30\x2b\xaf\x29\xa0\x13\x06\x04\x56\x01\x0b\x0b\xa0\x0b\x31\x09\x02\x01\x01\x02\x01\x06\x02\x01\x65" \
	"\x28\x12\x06\x04\x56\x01\x04\x0b\xa0\x0a\x1b\x08\x1b\x28\x42\x1b\x2d\x42\xbf\xf3"

struct scenario {
	const char *name, *faults; /* CONTENT_TEST, POSTHORN_FAULT_ALWAYS */
	struct item items[16];     /* ends with a NULL */
};

static const struct scenario scenarios[] = {
	{ "poison",
	  "content:CONTENT_CONVERT:@ABORT:abort,content:CONTENT_CONVERT:@KILL:kill,content:CONTENT_CONVERT:@FAIL:fail,"
	  "content:CONTENT_RENDER:@ABORT:abort,content:CONTENT_RENDER:@FAIL:fail",
	  { { true, TEXT("hello world") }, { true, TEXT("one FAIL is") }, { true, TEXT("hello again") }, { true, TEXT("an ABORT ..") },
	    { true, TEXT("still alive") }, { true, TEXT("is a KILL..") }, { true, TEXT("and now too") }, { true, TEXT("one FAIL is") },
	    { false, TEXT("show me now") }, { false, TEXT("one FAIL is") }, { false, TEXT("an ABORT ..") }, { false, TEXT("show me too") } } },
	{ "eat", "content:CONTENT_CONVERT:@EAT:eat,content:CONTENT_RENDER:@EAT:eat",
	  { { true, TEXT("hello world") }, { true, TEXT("do EAT more") }, { true, TEXT("still alive") }, { false, TEXT("do EAT more") },
	    { false, TEXT("show me too") }, { true, LARGE }, { false, LARGE }, { true, LARGE } } },
	{ "ages", "", { { true, LATIN2 }, { true, TEXT("hello world") } } },
	{ "hang", "content:CONTENT_CONVERT:@HANG:hang,content:CONTENT_RENDER:@HANG:hang",
	  { { true, TEXT("hello world") }, { true, TEXT("HANG around") }, { true, TEXT("still alive") }, { false, TEXT("HANG around") },
	    { false, TEXT("show me too") } } },
};

static const struct scenario *scenario_named(const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(scenarios); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}

enum { PATIENCE_MS = 1000 };

struct asker {
	struct process *process;
	struct chan *control, *bulk;
	struct arena *arena;
	const struct scenario *scenario; /* NULL: the two messages of the first test, or nothing */
	bool silent;
	size_t at;                       /* the item at hand */
	struct timer patience;
};

static void ask(struct asker *k, uint64_t id, struct view content)
{
	struct message m = { .kind = MESSAGE_MESSAGE, .content_type = 22, .priority = PRIORITY_NORMAL, .content_length = -1 };
	struct out packed;
	struct err e;
	assert(mts_id_parse(VIEW("C=GB;A= ;P=ORG;L=local-1"), &m.id, k->arena, &e));
	out_init(&packed, 1 << 16);
	pack_message(&packed, &m, 0, 0);
	const struct msg_render r = { .id = id, .delivery = id, .packed = out_view(&packed), .content = content,
				      .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(k->control, MSG_RENDER), &r);
	chan_end(k->control);
	out_fini(&packed);
}

static struct view item_content(const struct item *x)
{
	if (strcmp(x->content, LATIN2) == 0)
		return VIEW(LATIN2);
	return view_of(x->content, sizeof TEXT("hello world") - 1);
}

/* As much as a message between processes takes, in texts of 64 K with long lines; their strings come in pieces, so that each is
 * put together in memory. */
static void large_content(struct out *o)
{
	enum { TEXTS = 236, PIECE = 32768 };
	static uint8_t piece[PIECE];
	for (size_t i = 0; i < sizeof piece; i++)
		piece[i] = i % 9 == 8 ? ' ' : 'x';
	out_init(o, CHAN_FRAME_MAX);
	out_bytes(o, VIEW("\xa0\x80\x31\x05\x6b\x03\x13\x01" "1\x30\x80"));
	for (unsigned i = 0; i < TEXTS; i++) {
		out_bytes(o, VIEW("\xa0\x80\x31\x00\x36\x80"));
		for (unsigned j = 0; j < 2; j++) {
			out_bytes(o, VIEW("\x04\x82\x80\x00"));
			out_bytes(o, view_of(piece, sizeof piece));
		}
		out_bytes(o, VIEW("\0\0\0\0"));
	}
	out_bytes(o, VIEW("\0\0\0\0"));
}

static void ask_item(struct asker *k)
{
	const struct item *x = &k->scenario->items[k->at];
	const struct msg_convert m = { .id = k->at, .transfer = 1000 + k->at, .wrap = 5, .content_type = 22 };
	if (x->content == NULL) {
		fprintf(stderr, "all were asked\n");
		return;
	}
	timer_after(&k->patience, PATIENCE_MS);
	struct out large;
	const bool is_large = strcmp(x->content, LARGE) == 0;
	large_content(&large);
	struct msg_convert with = m;
	with.wrap = is_large ? 70 : m.wrap;
	with.to_84 = strcmp(k->scenario->name, "ages") == 0;
	with.content = is_large ? out_view(&large) : item_content(x);
	if (x->convert) {
		put_msg_convert(chan_begin(k->control, MSG_CONVERT), &with);
		chan_end(k->control);
	} else {
		ask(k, k->at, with.content);
	}
	out_fini(&large);
}

static void answered(struct asker *k, const char *how)
{
	fprintf(stderr, "item %zu: %s\n", k->at, how);
	timer_stop(&k->patience);
	k->at++;
	ask_item(k);
}

static bool on_converted(void *ctx, struct view payload, struct err *e)
{
	struct asker *k = ctx;
	struct msg_converted m;
	if (!get_msg_converted(payload, &m, e) || m.id != k->at)
		return false;
	const bool mime = memmem(m.content.p, m.content.n, "charset=ISO-8859-2\r\n", 20) != NULL;
	answered(k, m.err.kind != ERR_NONE                ? m.err.text
		    : m.changed && m.content_type == 2 ? (mime ? "P2, its text is MIME" : "P2")
		    : m.changed                        ? "converted"
						       : "as it was");
	return true;
}

/* As the switch does: one that does not answer is accused. */
static void on_impatient(void *ctx)
{
	struct asker *k = ctx;
	if (strcmp(k->scenario->name, "hang") == 0)
		process_accuse(k->process, PROCESS_CONTENT, 0, "it makes no progress");
	else
		timer_after(&k->patience, PATIENCE_MS); /* a slow machine */
}

static void on_peer_died(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct asker *k = ctx;
	fprintf(stderr, "item %zu: died %s.%u fault=%d words=%s note=%s\n", k->at, process_kind_name(kind), (unsigned)instance, by_fault,
		words, note);
	if (k->scenario == NULL)
		return;
	timer_stop(&k->patience);
	if (note[0] != 0) /* else it had not begun with it: it is asked again */
		k->at++;
}

static bool on_rendered(void *ctx, struct view payload, struct err *e)
{
	struct asker *k = ctx;
	struct msg_render m;
	struct render r;
	if (!get_msg_render(payload, &m, e))
		return false;
	if (k->scenario != NULL) {
		answered(k, m.err.kind != ERR_NONE ? m.err.text : "shown");
		return true;
	}
	if (m.err.kind != ERR_NONE || !render_unpack(m.content, &r, k->arena, e))
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
	{ .type = MSG_CONVERTED, .name = "CONVERTED", .handle = on_converted, .max = CHAN_FRAME_MAX },
};
static const struct chan_events control_events = { types, ARRAY_LEN(types), NULL, NULL, on_chan_closed };
static const struct chan_events bulk_events = { NULL, 0, NULL, NULL, on_chan_closed };

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct asker *k = ctx;
	(void)kind;
	(void)instance;
	struct chan **which = bulk ? &k->bulk : &k->control;
	if (*which != NULL) /* of one that has died */
		chan_free(which, false);
	*which = chan_new(&s, bulk ? &bulk_events : &control_events, k, PROCESS_SWITCH, 0);
	if (bulk || k->silent)
		return;
	if (k->scenario != NULL)
		ask_item(k);
	else
		ask(k, 1, VIEW(CONTENT));
}

static void on_stop(void *ctx)
{
	struct asker *k = ctx;
	process_finished(k->process, 0);
}

static int run_switch(void)
{
	const char *test = getenv("CONTENT_TEST");
	struct asker k = { .process = process_begin(PROCESS_SWITCH, 0), .arena = arena_new(1 << 20), .scenario = scenario_named(test) };
	const struct process_events events = { .peer = on_peer, .peer_died = on_peer_died, .stop = on_stop };
	k.silent = test != NULL && strcmp(test, "violate") == 0;
	timer_init(&k.patience, process_env(k.process), on_impatient, &k);
	const int status = process_run(k.process, &events, &k);
	timer_stop(&k.patience);
	if (k.control != NULL)
		chan_free(&k.control, false);
	if (k.bulk != NULL)
		chan_free(&k.bulk, false);
	arena_free(&k.arena);
	process_free(&k.process);
	return status;
}

/* --- one in the place of the content process, that tries what the jail forbids: another thing in each life --- */

static void try_open(void) { (void)!open("/dev/null", O_RDONLY); }
static void try_create(void) { (void)!open("/tmp", O_TMPFILE | O_RDWR, 0600); }
static void try_socket(void) { (void)!socket(AF_INET, SOCK_STREAM, 0); }
static void try_fork(void) { (void)!fork(); }
static void try_kill(void) { (void)!kill(getppid(), SIGTERM); }
static void try_ptrace(void) { (void)!ptrace(PTRACE_TRACEME, 0, NULL, NULL); }

static void try_exec(void)
{
	char *const argv[] = { "/bin/true", NULL };
	(void)!execv(argv[0], argv);
}

static void try_connect(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	(void)!connect(3, (const struct sockaddr *)(const void *)&to, sizeof to);
}

static const struct {
	const char *what;
	void (*act)(void);
} tries[] = {
	{ "open", try_open }, { "create", try_create }, { "socket", try_socket }, { "connect", try_connect },
	{ "fork", try_fork }, { "exec", try_exec }, { "kill", try_kill }, { "ptrace", try_ptrace },
};

static void violate(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct process *p = ctx;
	const size_t i = process_life(p) - 1;
	(void)kind;
	(void)instance;
	(void)bulk;
	stream_close(&s, false);
	if (i >= ARRAY_LEN(tries)) {
		(void)!write(2, "nothing is left to try\n", 23);
		return;
	}
	process_note(p, "transfer 77 %s", tries[i].what);
	tries[i].act();
	process_note(p, "transfer 77 %s was allowed", tries[i].what);
	abort();
}

static void stop_violating(void *ctx)
{
	process_finished(ctx, 0);
}

static int run_violator(void)
{
	struct process *p = process_begin(PROCESS_CONTENT, 0);
	const struct process_events events = { .peer = violate, .stop = stop_violating };
	const struct jail_limits limits = { .memory = (size_t)512 << 20, .files = 64 };
	struct err e;
	if (!jail_enter(JAIL_CONTENT, &limits, jail_build_flags(), &e))
		return 71;
	const int status = process_run(p, &events, p);
	process_free(&p);
	return status;
}

/* --- the test --- */

struct run {
	pid_t pid;
	int fd;
	char directory[40], lock[100], config[100];
	char log[1 << 16];
	size_t n;
};

/* test, faults: for the environment of all processes; NULL: not set. */
static void begin(struct run *r, const char *test, const char *faults)
{
	int fds[2];
	*r = (struct run){ .directory = "/tmp/posthorn-content-XXXXXX" };
	assert_non_null(mkdtemp(r->directory));
	snprintf(r->lock, sizeof r->lock, "%s/posthorn.lock", r->directory);
	snprintf(r->config, sizeof r->config, "%s/settings", r->directory);
	FILE *f = fopen(r->config, "w");
	assert_non_null(f);
	fputs(r->directory, f);
	fclose(f);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	alarm(100); /* a test that waits for what never comes */
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 2);
		if (test != NULL)
			setenv("CONTENT_TEST", test, 1);
		if (faults != NULL)
			setenv("POSTHORN_FAULT_ALWAYS", faults, 1);
		execl("/proc/self/exe", "content_process_test", "--supervise", r->config, NULL);
		_exit(127);
	}
	close(fds[1]);
	r->fd = fds[0];
}

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

/* Asks the supervisor to end, and reads what is left of the log. */
static void finish(struct run *r, bool ok)
{
	int how = 0;
	kill(r->pid, SIGTERM);
	(void)expect(r, "nothing that is ever written");
	assert_int_equal(waitpid(r->pid, &how, 0), r->pid);
	close(r->fd);
	alarm(0);
	unlink(r->lock);
	unlink(r->config);
	rmdir(r->directory);
	if (!ok || !WIFEXITED(how) || WEXITSTATUS(how) != 0)
		print_message("%s", r->log);
	assert_true(ok);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
}

static void assert_said(const struct run *r, const char *text)
{
	if (strstr(r->log, text) == NULL)
		fail_msg("\"%s\" is not in:\n%s", text, r->log);
}

static void test_renders_as_it_runs(void **state)
{
	(void)state;
	static struct run r;
	begin(&r, NULL, NULL);
	bool ok = expect(&r, "end of 1") && expect(&r, "end of 2");
	const bool jailed = ok && content_is_jailed(&r);
	finish(&r, ok);
	assert_non_null(strstr(r.log, "Subject: Hi"));
	assert_non_null(strstr(r.log, "Expires: 2026-11-22 00:39:02 UTC"));
	/* Latin-2, from the kit that was made before the jail closed. */
	assert_non_null(strstr(r.log, "Za\xc5\xbc\xc3\xb3\xc5\x82\xc4\x87 g\xc4\x99\xc5\x9bl\xc4\x85 ja"));
	assert_non_null(strstr(r.log, "Kind: broken"));
	if (!(jail_build_flags() & JAIL_SANITIZED))
		assert_true(jailed);
}

static void run_scenario(struct run *r, const char *name)
{
	begin(r, name, scenario_named(name)->faults);
	finish(r, expect(r, "all were asked"));
	assert_null(strstr(r->log, "died switch"));
}

/* RFC 1328 and 1496 as it runs: the character sets are there behind the jail's door. */
static void test_dg_09_contents_of_1984_as_it_runs(void **state)
{
	(void)state;
	static struct run r;
	run_scenario(&r, "ages");
	assert_said(&r, "item 0: P2, its text is MIME\n");
	assert_said(&r, "item 1: P2\n");
}

/* Q151669: a death costs the item at hand, and nothing after it; a refusal costs not even the process. */
static void k151669_deaths_are_charged_to_the_item_at_hand(void **state)
{
	(void)state;
	static struct run r;
	run_scenario(&r, "poison");
	assert_said(&r, "item 0: converted\n");
	assert_said(&r, "item 1: content: cannot be converted (fault point)\n");
	assert_said(&r, "item 2: converted\n");
	assert_said(&r, "item 3: died content.0 fault=1 words=signal 6 (SIGABRT)");
	assert_said(&r, "note=transfer 1003\n");
	assert_said(&r, "item 4: converted\n");
	assert_said(&r, "item 5: died content.0 fault=0 words=signal 9 (SIGKILL)"); /* from outside, for all that is known */
	assert_said(&r, "note=transfer 1005\n");
	assert_said(&r, "item 6: converted\n");
	assert_said(&r, "item 7: content: cannot be converted (fault point)\n");
	assert_said(&r, "item 8: shown\n");
	assert_said(&r, "item 9: content: cannot be shown (fault point)\n");
	assert_said(&r, "item 10: died content.0 fault=1 words=signal 6 (SIGABRT)");
	assert_said(&r, "note=delivery 10\n");
	assert_said(&r, "item 11: shown\n");
}

/* A message that wants all memory meets the process's own limit: an abort with last words, not the host's killer. */
static void test_eating_memory_ends_at_the_limit(void **state)
{
	(void)state;
	static struct run r;
	if (jail_build_flags() & JAIL_SANITIZED) {
		print_message("skipped: a sanitizer's runtime cannot live under a limit of memory\n");
		skip();
	}
	run_scenario(&r, "eat");
	assert_said(&r, "item 0: converted\n");
	assert_said(&r, "item 1: died content.0 fault=1 words=signal 6 (SIGABRT)");
	assert_said(&r, "out of memory");
	assert_null(strstr(r.log, "no limit has stopped it"));
	assert_said(&r, "note=transfer 1001\n");
	assert_said(&r, "item 2: converted\n");
	assert_said(&r, "item 3: died content.0 fault=1 words=signal 6 (SIGABRT)");
	assert_said(&r, "note=delivery 3\n");
	assert_said(&r, "item 4: shown\n");
	/* The largest that it may be given are no reason to die, one after the other, under the least memory that can be set. */
	assert_said(&r, "item 5: converted\n");
	assert_said(&r, "item 6: shown\n");
	assert_said(&r, "item 7: converted\n");
}

/* One that hangs answers nobody; whoever waits for it accuses it, and it is ended as a fault. */
static void test_a_hang_ends_by_accusation(void **state)
{
	(void)state;
	static struct run r;
	run_scenario(&r, "hang");
	assert_said(&r, "item 0: converted\n");
	assert_said(&r, "item 1: died content.0 fault=1 words=");
	assert_said(&r, "it makes no progress");
	assert_said(&r, "note=transfer 1001\n");
	assert_said(&r, "item 2: converted\n");
	assert_said(&r, "item 3: died content.0 fault=1 words=");
	assert_said(&r, "note=delivery 3\n");
	assert_said(&r, "item 4: shown\n");
}

/* Each thing that the jail forbids ends the process with SIGSYS before it is done, and what it was at is kept. */
static void test_what_the_jail_forbids_is_told_by_the_supervisor(void **state)
{
	(void)state;
	static struct run r;
	if (jail_build_flags() & JAIL_SANITIZED) {
		print_message("skipped: a sanitizer's runtime cannot live in the filter\n");
		skip();
	}
	begin(&r, "violate", NULL);
	finish(&r, expect(&r, "nothing is left to try"));
	for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
		char want[200];
		snprintf(want, sizeof want, "note=transfer 77 %s\n", tries[i].what);
		assert_said(&r, want);
		const char *line = strstr(r.log, want), *from = line;
		while (from > r.log && from[-1] != '\n')
			from--;
		snprintf(want, sizeof want, "item 0: died content.0 fault=1 words=signal 31 (SIGSYS); it was at: transfer 77 %s ", tries[i].what);
		if (strncmp(from, want, strlen(want)) != 0)
			fail_msg("\"%s\" is not what \"%.*s\" begins with", want, (int)(line - from), from);
	}
	assert_null(strstr(r.log, "was allowed"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renders_as_it_runs),
		cmocka_unit_test(test_dg_09_contents_of_1984_as_it_runs),
		cmocka_unit_test(k151669_deaths_are_charged_to_the_item_at_hand),
		cmocka_unit_test(test_eating_memory_ends_at_the_limit),
		cmocka_unit_test(test_a_hang_ends_by_accusation),
		cmocka_unit_test(test_what_the_jail_forbids_is_told_by_the_supervisor),
	};
	const char *test = getenv("CONTENT_TEST");
	if (argc == 3 && strcmp(argv[1], "--supervise") == 0)
		return supervisor_run(&(const struct config_reader){ .read = read_config }, argv[2]);
	if (argc == 4 && strcmp(argv[1], "--process") == 0) {
		if (strcmp(argv[2], process_kind_name(PROCESS_CONTENT)) != 0)
			return run_switch();
		return test != NULL && strcmp(test, "violate") == 0 ? run_violator() : content_main(0);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
