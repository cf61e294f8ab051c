/* child.c - see child.h. */
#include "proc/supervisor/child.h"

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "sys/board.h"
#include "sys/event.h"
#include "sys/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LINE_MAX_OCTETS = 8192, /* an event has 4000 at most; longer ones are cut in pieces */
	STATUS_OS = 71,
	SUSPECTS_NICE = 10,
};

struct child_message {
	struct child_message *next;
	struct wire_msg m;
	int fds[WIRE_FDS_MAX];
	size_t n_fds;
};

void child_init(struct child *c, enum process_kind kind, uint32_t instance)
{
	*c = (struct child){ .kind = kind, .instance = instance, .chan = -1, .err = -1 };
	snprintf(c->name, sizeof c->name, "%s.%u", process_kind_name(kind), (unsigned)instance);
	c->queue_end = &c->queue;
	out_init(&c->line, LINE_MAX_OCTETS * 2);
}

static void close_fds(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void drop_queue(struct child *c)
{
	while (c->queue != NULL) {
		struct child_message *x = c->queue;
		c->queue = x->next;
		close_fds(x->fds, x->n_fds);
		free(x);
	}
	c->queue_end = &c->queue;
}

static void close_all(struct child *c)
{
	close_fds((int[]){ c->chan, c->err }, 2);
	c->chan = c->err = -1;
	drop_queue(c);
	if (c->words != NULL)
		munmap(c->words, WIRE_WORDS_SIZE);
	c->words = NULL;
}

void child_fini(struct child *c)
{
	close_all(c);
	out_fini(&c->line);
}

/* --- birth --- */

/* Between fork and exec: nothing is inherited but 0, 1, 2 and the channel. */
static NORETURN void become(const struct child *c, const struct child_birth *b, int chan, int err)
{
	struct err e = { 0 };
	sigset_t none;
	char instance[16];
	sigemptyset(&none);
	snprintf(instance, sizeof instance, "%u", (unsigned)c->instance);
	const char *argv[] = { "posthorn", "--process", process_kind_name(c->kind), instance, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool ok = null >= 0 && dup2(null, 0) == 0 && dup2(err, 1) == 1 && dup2(err, 2) == 2;
	if (chan == WIRE_FD)
		ok = ok && fcntl(chan, F_SETFD, 0) == 0;
	else
		ok = ok && dup2(chan, WIRE_FD) == WIRE_FD;
	ok = ok && close_range(WIRE_FD + 1, ~0u, 0) == 0;
	signal(SIGINT, SIG_IGN); /* from a terminal it comes to all; the supervisor says in which order to end */
	signal(SIGTERM, SIG_IGN);
	ok = ok && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
	if (ok && b->change_user && !jail_become(b->uid, b->gid, &e))
		ok = false;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* binding is ours alone; without them exec gives up all */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c->at_once && c->kind == PROCESS_CONTENT) /* what suspects cost is taken from what the others leave; where that is not allowed, they compete */
		(void)setpriority(PRIO_PROCESS, 0, SUSPECTS_NICE);
	if (ok)
		execve("/proc/self/exe", (char **)(uintptr_t)argv, environ);
	fprintf(stderr, "posthorn: process %s cannot be started: %s\n", c->name, e.text[0] != 0 ? e.text : strerror(errno));
	_exit(STATUS_OS);
}

struct new_fds {
	int chan[2], err[2], words, settings;
};

static bool make_fds(struct new_fds *n, const struct child_birth *b, struct err *e)
{
	*n = (struct new_fds){ { -1, -1 }, { -1, -1 }, -1, -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, n->chan) == 0 &&
	    pipe2(n->err, O_CLOEXEC) == 0 && (n->words = memfd_create("posthorn-last-words", MFD_CLOEXEC)) >= 0 &&
	    ftruncate(n->words, WIRE_WORDS_SIZE) == 0 && fcntl(n->err[0], F_SETFL, O_NONBLOCK) == 0 &&
	    (n->settings = fcntl(b->settings, F_DUPFD_CLOEXEC, 0)) >= 0) {
		if (b->event_pipe > 0)
			(void)fcntl(n->err[1], F_SETPIPE_SZ, (int)b->event_pipe); /* what has no room in it is lost, and counted */
		return true;
	}
	err_set(e, ERR_TEMP, ERR_OF_PROCESS, "no descriptors for a process: %s", strerror(errno));
	close_fds(n->chan, 2);
	close_fds(n->err, 2);
	close_fds(&n->words, 1);
	return false;
}

static pid_t fork_child(void)
{
	if (!FAULT(SUPERVISOR_FORK))
		return fork();
	errno = EAGAIN;
	return -1;
}

bool child_start(struct child *c, const struct child_birth *b, int64_t now_ms, struct err *e)
{
	assert(c->pid == 0);
	struct new_fds n;
	c->started_ms = now_ms;
	if (!make_fds(&n, b, e))
		return false;
	void *words = mmap(NULL, WIRE_WORDS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, n.words, 0);
	pid_t pid = words == MAP_FAILED ? -1 : fork_child();
	if (pid == 0)
		become(c, b, n.chan[1], n.err[1]);
	int code = errno;
	close_fds((int[]){ n.chan[1], n.err[1] }, 2);
	if (pid < 0) {
		close_fds((int[]){ n.chan[0], n.err[0], n.words, n.settings }, 4);
		if (words != MAP_FAILED)
			munmap(words, WIRE_WORDS_SIZE);
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "fork: %s", strerror(code));
	}
	c->pid = pid;
	c->chan = n.chan[0];
	c->err = n.err[0];
	c->words = words;
	c->life++;
	c->ready = c->asked_to_stop = c->killed = false;
	c->ping = c->pong = 0;
	c->ready_ms = c->answered_ms = 0;
	c->killed_why[0] = 0;
	struct wire_msg m = { .type = WIRE_BIRTH, .kind = c->kind, .instance = c->instance, .number = c->life };
	snprintf(m.text, sizeof m.text, "%s", b->directory);
	child_say(c, &m, (int[]){ n.settings, n.words }, 2);
	return true;
}

/* --- talking --- */

void child_flush(struct child *c)
{
	while (c->queue != NULL) {
		struct child_message *x = c->queue;
		if (wire_send(c->chan, &x->m, x->fds, x->n_fds) == WIRE_LATER)
			return;
		c->queue = x->next; /* sent, or there is nobody: waitpid will say */
		if (c->queue == NULL)
			c->queue_end = &c->queue;
		close_fds(x->fds, x->n_fds);
		free(x);
	}
}

void child_say(struct child *c, const struct wire_msg *m, const int *fds, size_t n_fds)
{
	assert(c->pid != 0 && n_fds <= WIRE_FDS_MAX);
	struct child_message *x = mem_zero(sizeof *x);
	x->m = *m;
	x->n_fds = n_fds;
	for (size_t i = 0; i < n_fds; i++)
		x->fds[i] = fds[i];
	*c->queue_end = x;
	c->queue_end = &x->next;
	child_flush(c);
}

bool child_has_queue(const struct child *c)
{
	return c->queue != NULL;
}

void child_hear(struct child *c, int64_t now_ms)
{
	struct wire_msg m;
	int fds[WIRE_FDS_MAX];
	enum wire_result r;
	while ((r = wire_recv(c->chan, &m, fds)) == WIRE_OK) {
		close_fds(fds, WIRE_FDS_MAX); /* none are wanted */
		if (m.type == WIRE_READY) {
			c->ready = c->ever_ready = true;
			c->silent_since_ms = c->ready_ms = c->answered_ms = now_ms;
		} else if (m.type == WIRE_PONG && m.number == c->ping) {
			c->pong = m.number;
			c->answered_ms = now_ms;
		} else if (m.type == WIRE_ACCUSE && c->accuses != NULL) {
			c->accuses(c->ctx, &m);
		} else if (c->says != NULL && (m.type == WIRE_TAKEN || (m.type == WIRE_RELOAD && c->kind == PROCESS_SWITCH))) {
			c->says(c, &m);
		} else if (m.type == WIRE_LEVEL && c->levels != NULL) {
			c->levels(c->ctx, &m);
		}
	}
	if (r == WIRE_GONE && c->chan >= 0) { /* waitpid or the watchdog will say more; poll must not see it again */
		close(c->chan);
		c->chan = -1;
	}
}

/* --- standard error --- */

/* Only what is a line of its own can be an event: not the rest of one that was cut, and not one that is said in the name of another, as who
 * has taken a process over might. */
static void pass(struct child *c, struct lines *to, struct view line)
{
	char name[sizeof c->name];
	snprintf(name, sizeof name, "%s-%u", process_kind_name(c->kind), (unsigned)c->instance);
	lines_pass(to, line, c->kind != PROCESS_RECORDER && !c->in_long_line && event_is_of(line, name));
}

static void pass_whole_lines(struct child *c, struct lines *to, bool all)
{
	for (;;) {
		struct view v = out_view(&c->line);
		const uint8_t *end = v.n == 0 ? NULL : memchr(v.p, '\n', v.n);
		size_t n = end == NULL ? 0 : (size_t)(end - v.p) + 1;
		if (n == 0 && (v.n > LINE_MAX_OCTETS || (all && v.n > 0))) {
			n = v.n > LINE_MAX_OCTETS ? LINE_MAX_OCTETS : v.n;
			c->in_long_line = true;
			pass(c, to, view_first(v, n));
			lines_pass(to, VIEW("\n"), false);
		} else if (n > 0) {
			pass(c, to, view_first(v, n));
			c->in_long_line = false;
		} else {
			return;
		}
		out_drop(&c->line, n);
	}
}

void child_pass_lines(struct child *c, struct lines *to, bool all)
{
	uint8_t buf[LINE_MAX_OCTETS / 2];
	ssize_t n;
	do {
		n = c->err < 0 ? 0 : read(c->err, buf, sizeof buf);
		if (n > 0)
			out_bytes(&c->line, view_of(buf, (size_t)n));
		pass_whole_lines(c, to, all && n <= 0);
	} while (n > 0 && all); /* a running one gets one read a turn, so that none keeps the others waiting */
	if (n == 0 && c->err >= 0) {
		close(c->err);
		c->err = -1;
	}
}

/* --- the end --- */

static bool is_fault_signal(int number)
{
	static const int faults[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGXCPU };
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (number == faults[i])
			return true;
	return false;
}

/* From memory the dead process could write: bounded, escaped. */
static void add_words(struct out *o, const char *before, const char *text, size_t size)
{
	size_t n = strnlen(text, size);
	if (n == 0)
		return;
	out_str(o, before);
	text_escape(o, view_of(text, n), 200);
}

static void keep_note(struct child *c, const char note[WIRE_NOTE])
{
	size_t n = strnlen(note, WIRE_NOTE - 1);
	for (size_t i = 0; i < n; i++)
		c->note[i] = note[i] >= ' ' && note[i] <= '~' ? note[i] : '?';
	c->note[n] = 0;
}

static void keep_last_words(struct child *c, int how)
{
	struct wire_words words = *c->words;
	keep_note(c, words.note);
	struct out o;
	out_init(&o, 4 * WIRE_TEXT);
	if (c->killed_why[0] != 0)
		out_str(&o, c->killed_why);
	else if (WIFSIGNALED(how))
		out_fmt(&o, "signal %d (SIG%s)", WTERMSIG(how), sigabbrev_np(WTERMSIG(how)));
	else
		out_fmt(&o, "exit status %d", WEXITSTATUS(how));
	add_words(&o, ": ", words.death, sizeof words.death);
	add_words(&o, "; it was at: ", words.note, sizeof words.note);
	snprintf(c->last_words, sizeof c->last_words, "%s", out_cstr(&o));
	out_fini(&o);
}

void child_show(const struct child *c, struct board_process *p)
{
	p->kind = c->kind;
	p->instance = c->instance;
	p->pid = (uint32_t)c->pid;
	p->lives = c->life;
	p->faults = c->faults;
	p->ready = c->pid != 0 && c->ready;
	p->busy = c->words != NULL && c->words->note[0] != 0;
	p->hung = c->pid != 0 && c->killed_why[0] != 0;
	p->progress = c->progress + (c->words == NULL ? 0 : c->words->progress);
	snprintf(p->last_words, sizeof p->last_words, "%.*s", BOARD_WORDS - 1, c->last_words);
}

void child_ended(struct child *c, struct lines *to, int how)
{
	child_pass_lines(c, to, true);
	c->in_long_line = false;
	keep_last_words(c, how);
	c->progress += c->words->progress;
	c->by_fault = c->killed_why[0] != 0 || (WIFSIGNALED(how) && is_fault_signal(WTERMSIG(how)));
	c->faults += c->by_fault;
	c->pid = 0;
	close_all(c);
}
