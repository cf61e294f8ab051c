/* process.c - a child's side of process.h. */
#include "sys/process.h"

#include "base/fault.h"
#include "base/mem.h"
#include "sys/board.h"
#include "sys/event.h"
#include "sys/loop.h"
#include "sys/process_wire.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LISTENERS_MAX = 64,
	STATUS_USAGE = 64, STATUS_OS = 71, /* sysexits.h */
	BIRTH_PATIENCE_MS = 60 * 1000,
	HANDLER_STACK = 64 * 1024,
};

struct process_door {
	struct process *p;
	char name[16];
	uint64_t number; /* the supervisor's */
	struct listener *l; /* NULL: shut, the place is free */
};

/* Told from the loop, in order. */
struct pending {
	struct pending *next;
	struct wire_msg m;
	int fds[WIRE_FDS_MAX];
};

struct process {
	unsigned magic;
#define PROCESS_MAGIC 0x9406e550u
	struct env *env;
	enum process_kind kind;
	uint32_t instance;
	unsigned life;
	struct loop_watch *watch;
	struct wire_words *words;
	const struct board *board; /* NULL: not given */
	void *signal_stack;
	struct view settings;
	struct pending *pending, **pending_end;
	struct process_door doors[LISTENERS_MAX];
	size_t n_doors;
	const struct process_events *events;
	void *ctx;
	struct event_log *log;
	int status;
	bool stopping;
};

/* What a signal handler, a failed check and a fault point can reach: they have no argument to carry it in. */
static struct wire_words *the_words;
static char the_name[32];

const char *process_kind_name(enum process_kind k)
{
	static const char *const names[PROCESS_KIND_COUNT] = {
		[PROCESS_SUPERVISOR] = "supervisor", [PROCESS_SWITCH] = "switch", [PROCESS_LINK] = "link",
		[PROCESS_CONTENT] = "content", [PROCESS_READER] = "reader", [PROCESS_CONFIG] = "config",
		[PROCESS_TOOL] = "tool", [PROCESS_ALONE] = "alone", [PROCESS_CONNECTOR] = "connector",
		[PROCESS_INTERCHANGE] = "interchange", [PROCESS_CONVERTER] = "converter", [PROCESS_MOVER] = "mover",
		[PROCESS_RECORDER] = "recorder", [PROCESS_CONSOLE] = "console",
	};
	return k < PROCESS_KIND_COUNT ? names[k] : "unknown";
}

bool process_kind_of(const char *name, enum process_kind *k_r)
{
	for (unsigned k = 0; k < PROCESS_KIND_COUNT; k++)
		if (strcmp(name, process_kind_name((enum process_kind)k)) == 0) {
			*k_r = (enum process_kind)k;
			return true;
		}
	return false;
}

/* --- last words --- */

static void keep_sentence(const char *sentence)
{
	if (the_words != NULL && the_words->death[0] == 0)
		snprintf(the_words->death, sizeof the_words->death, "%s", sentence);
}

static char *put_text(char *at, const char *end, const char *s)
{
	while (*s != 0 && at < end)
		*at++ = *s++;
	return at;
}

static char *put_hex(char *at, const char *end, uintptr_t x)
{
	char digits[sizeof x * 2 + 1];
	size_t n = sizeof digits - 1;
	digits[n] = 0;
	do
		digits[--n] = "0123456789abcdef"[x & 15];
	while ((x >>= 4) != 0);
	return put_text(at, end, digits + n);
}

static const char *signal_word(int number)
{
	switch (number) {
	case SIGSEGV: return "SIGSEGV";
	case SIGBUS: return "SIGBUS";
	case SIGFPE: return "SIGFPE";
	case SIGILL: return "SIGILL";
	case SIGABRT: return "SIGABRT";
	case SIGSYS: return "SIGSYS";
	case SIGTRAP: return "SIGTRAP";
	case SIGXCPU: return "SIGXCPU";
	default: return "signal";
	}
}

/* Only calls that are safe in a handler (signal-safety(7)): stores, sigaction, raise. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (the_words != NULL && the_words->death[0] == 0) {
		char *at = the_words->death, *end = at + sizeof the_words->death - 1;
		at = put_text(at, end, signal_word(number));
		if (info->si_code > 0 && number != SIGABRT && number != SIGXCPU) { /* the kernel's own, so it has an address */
			at = put_text(at, end, " at address 0x");
			at = put_hex(at, end, (uintptr_t)info->si_addr);
		}
		*at = 0;
	}
	/* SA_RESETHAND has put the default back: die of the same signal, once this returns. */
	raise(number);
}

static void arm_last_words(struct process *p)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU };
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE }; /* the supervisor says when to end */
	p->signal_stack = mem_alloc(HANDLER_STACK);
	stack_t stack = { .ss_sp = p->signal_stack, .ss_size = HANDLER_STACK };
	sigaltstack(&stack, NULL);
	the_words = p->words;
	check_set_hook(keep_sentence);
	struct sigaction a = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND };
	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigaction(faults[i], &a, NULL);
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
}

static void disarm_last_words(struct process *p)
{
	check_set_hook(NULL);
	the_words = NULL;
	stack_t off = { .ss_flags = SS_DISABLE };
	sigaltstack(&off, NULL);
	MEM_FREE(p->signal_stack);
}

void process_note(struct process *p, const char *fmt, ...)
{
	CHECK(p, PROCESS_MAGIC);
	va_list args;
	va_start(args, fmt);
	vsnprintf(p->words->note, sizeof p->words->note, fmt, args);
	va_end(args);
	p->words->progress++;
}

/* --- birth --- */

static NORETURN void give_up(int status, const char *sentence)
{
	fprintf(stderr, "posthorn: %s\n", sentence);
	_exit(status); /* nothing of ours is worth saving here */
}

static void must_have_supervisor(void)
{
	int type = 0;
	socklen_t n = sizeof type;
	if (getsockopt(WIRE_FD, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type != SOCK_SEQPACKET)
		give_up(STATUS_USAGE, "a process of its own kind is started by `posthorn run` only, not by hand");
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* again: a change of user has cleared it */
}

static void next_message(struct wire_msg *m, int fds[WIRE_FDS_MAX])
{
	for (;;) {
		enum wire_result r = wire_recv(WIRE_FD, m, fds);
		if (r == WIRE_OK)
			return;
		struct pollfd p = { .fd = WIRE_FD, .events = POLLIN };
		if (r == WIRE_GONE || poll(&p, 1, BIRTH_PATIENCE_MS) == 0)
			give_up(STATUS_OS, "the supervisor has gone or sends nothing");
	}
}

static struct view map_settings(int fd)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		give_up(STATUS_OS, "the supervisor has sent no settings");
	if (st.st_size == 0)
		return (struct view){ NULL, 0 };
	void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		give_up(STATUS_OS, "the settings cannot be mapped");
	return view_of(at, (size_t)st.st_size);
}

static void keep_pending(struct process *p, const struct wire_msg *m, const int fds[WIRE_FDS_MAX])
{
	struct pending *x = mem_zero(sizeof *x);
	x->m = *m;
	memcpy(x->fds, fds, sizeof x->fds);
	*p->pending_end = x;
	p->pending_end = &x->next;
}

static void take_board(struct process *p, int fd)
{
	p->board = board_map(fd);
	if (p->board == NULL)
		give_up(STATUS_OS, "the board of processes cannot be mapped");
	close(fd);
}

static void take_birth(struct process *p)
{
	struct wire_msg m;
	int fds[WIRE_FDS_MAX];
	next_message(&m, fds);
	if (m.type != WIRE_BIRTH || fds[1] < 0)
		give_up(STATUS_OS, "the supervisor's first word was not understood");
	p->settings = map_settings(fds[0]);
	p->life = (unsigned)m.number;
	void *words = mmap(NULL, WIRE_WORDS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
	if (words == MAP_FAILED)
		give_up(STATUS_OS, "the memory for last words cannot be mapped");
	p->words = words;
	close(fds[0]);
	close(fds[1]);
	p->env = loop_new(m.text[0] == 0 ? NULL : m.text);
	for (;;) {
		next_message(&m, fds);
		if (m.type == WIRE_GO)
			return;
		if (m.type == WIRE_BOARD) {
			take_board(p, fds[0]);
			continue;
		}
		keep_pending(p, &m, fds);
	}
}

static bool is_for(struct view prefix, enum process_kind kind)
{
	return view_eq(prefix, view_str(process_kind_name(kind)));
}

void process_fault_plan(const char *text, enum process_kind kind, struct out *plan_r)
{
	out_init(plan_r, 4096);
	struct view rest = view_str(text);
	while (rest.n > 0) {
		size_t n = 0, colons = 0, first = 0;
		for (; n < rest.n && rest.p[n] != ','; n++)
			if (rest.p[n] == ':' && colons++ == 0)
				first = n;
		struct view plan = view_first(rest, n);
		rest = view_from(rest, n + 1);
		if (colons == 3 && !is_for(view_first(plan, first), kind))
			continue;
		if (out_len(plan_r) > 0)
			out_u8(plan_r, ',');
		out_bytes(plan_r, colons == 3 ? view_from(plan, first + 1) : plan);
	}
}

/* dprintf keeps nothing back: the line is in the pipe before the plan acts. */
static void tell_fault(enum fault_point point, uint64_t pass)
{
	dprintf(STDERR_FILENO, "posthorn: %s: fault point %s fires at pass %llu\n", the_name, fault_name(point),
		(unsigned long long)pass);
}

static void tell_passes(void)
{
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		if (fault_passes((enum fault_point)i) > 0)
			dprintf(STDERR_FILENO, "posthorn: %s: fault point %s was passed %llu times\n", the_name,
				fault_name((enum fault_point)i), (unsigned long long)fault_passes((enum fault_point)i));
}

static void arm_faults(struct process *p)
{
	const char *always = getenv("POSTHORN_FAULT_ALWAYS"), *first = p->life == 1 ? getenv("POSTHORN_FAULT") : NULL;
	if (always == NULL && first == NULL)
		return;
	struct out all, plan;
	struct err e;
	out_init(&all, 8192);
	out_fmt(&all, "%s%s%s", always == NULL ? "" : always, always == NULL || first == NULL ? "" : ",", first == NULL ? "" : first);
	process_fault_plan(out_cstr(&all), p->kind, &plan);
	if (!fault_plan(out_cstr(&plan), &e))
		give_up(STATUS_USAGE, e.text);
	fault_set_witness(tell_fault);
	out_fini(&plan);
	out_fini(&all);
}

struct process *process_begin(enum process_kind kind, uint32_t instance)
{
	must_have_supervisor();
	struct process *p = mem_zero(sizeof *p);
	p->magic = PROCESS_MAGIC;
	p->kind = kind;
	p->instance = instance;
	p->pending_end = &p->pending;
	snprintf(the_name, sizeof the_name, "%s.%u", process_kind_name(kind), (unsigned)instance);
	take_birth(p);
	arm_last_words(p);
	arm_faults(p);
	return p;
}

struct env *process_env(struct process *p)
{
	CHECK(p, PROCESS_MAGIC);
	return p->env;
}

struct view process_settings(const struct process *p)
{
	CHECK(p, PROCESS_MAGIC);
	return p->settings;
}

const struct board *process_board(const struct process *p)
{
	CHECK(p, PROCESS_MAGIC);
	return p->board;
}

unsigned process_life(const struct process *p)
{
	CHECK(p, PROCESS_MAGIC);
	return p->life;
}

/* --- life --- */

static void on_accepted(void *ctx, struct stream *s)
{
	struct process_door *d = ctx;
	if (d->p->events->accepted != NULL)
		d->p->events->accepted(d->p->ctx, d->name, s);
	else
		stream_close(&s, false);
}

static void open_door(struct process *p, const struct wire_msg *m, int fd)
{
	if (p->events->listening != NULL) {
		p->events->listening(p->ctx, m->name, m->number, fd);
		return;
	}
	struct process_door *d = p->doors;
	while (d < p->doors + p->n_doors && d->l != NULL)
		d++;
	assert(d < p->doors + LISTENERS_MAX);
	if (d == p->doors + p->n_doors)
		p->n_doors++;
	d->p = p;
	d->number = m->number;
	snprintf(d->name, sizeof d->name, "%s", m->name);
	d->l = loop_adopt_listener(p->env, fd, on_accepted, d);
}

static void shut_door(struct process *p, uint64_t number)
{
	for (size_t i = 0; i < p->n_doors; i++)
		if (p->doors[i].l != NULL && p->doors[i].number == number)
			listener_close(&p->doors[i].l);
	if (p->events->listening != NULL)
		p->events->listening(p->ctx, "", number, -1);
}

static void meet_peer(struct process *p, const struct wire_msg *m, const int fds[WIRE_FDS_MAX])
{
	for (size_t i = 0; i < WIRE_FDS_MAX; i++) {
		char name[64];
		snprintf(name, sizeof name, "%s.%u", process_kind_name(m->kind), (unsigned)m->instance);
		struct stream *s = loop_adopt_fd(p->env, fds[i], name);
		if (p->events->peer != NULL)
			p->events->peer(p->ctx, (enum process_kind)m->kind, m->instance, i == 1, s);
		else
			stream_close(&s, false);
	}
}

static void answer(enum wire_type type, uint64_t number, bool flag)
{
	struct wire_msg m = { .type = (uint32_t)type, .number = number, .flag = flag };
	(void)wire_send(WIRE_FD, &m, NULL, 0); /* full or gone: the supervisor will see, or is no more */
}

void process_accuse(struct process *p, enum process_kind kind, uint32_t instance, const char *why)
{
	CHECK(p, PROCESS_MAGIC);
	struct wire_msg m = { .type = WIRE_ACCUSE, .kind = kind, .instance = instance };
	snprintf(m.text, sizeof m.text, "%s", why);
	(void)wire_send(WIRE_FD, &m, NULL, 0); /* full or gone: the watchdog will see it later */
}

void process_reload(struct process *p, uint64_t id, bool dry, const char *who)
{
	CHECK(p, PROCESS_MAGIC);
	struct wire_msg m = { .type = WIRE_RELOAD, .number = id, .flag = dry };
	snprintf(m.text, sizeof m.text, "%s", who);
	if (wire_send(WIRE_FD, &m, NULL, 0) != WIRE_OK && p->events->reloaded != NULL)
		p->events->reloaded(p->ctx, id, PROCESS_RELOAD_REFUSED, VIEW("the supervisor hears nothing now: try again"));
}

static void unmap(struct view v)
{
	if (v.n > 0)
		munmap((void *)(uintptr_t)v.p, v.n);
}

static void take_settings(struct process *p, uint64_t number, int fd)
{
	const struct view old = p->settings;
	(void)FAULT(PROCESS_SETTINGS); /* only to end here */
	p->settings = map_settings(fd);
	close(fd);
	if (p->events->settings != NULL)
		p->events->settings(p->ctx);
	unmap(old);
	answer(WIRE_TAKEN, number, p->events->settings != NULL);
}

static void hear_reloaded(struct process *p, const struct wire_msg *m, int fd)
{
	const struct view text = map_settings(fd);
	close(fd);
	if (p->events->reloaded != NULL)
		p->events->reloaded(p->ctx, m->number, (enum process_reloaded)m->flag, text);
	unmap(text);
}

static void set_log_level(struct process *p, const struct wire_msg *m)
{
	const enum event_severity least = event_level_least((enum event_level)m->number);
	if (p->log != NULL && m->text[0] == 0)
		event_log_set_level(p->log, least);
	else if (p->log != NULL)
		(void)event_log_set_category(p->log, m->text, least);
}

void process_level(struct process *p, const char *category, unsigned level)
{
	CHECK(p, PROCESS_MAGIC);
	struct wire_msg m = { .type = WIRE_LEVEL, .number = level };
	snprintf(m.text, sizeof m.text, "%s", category);
	if (wire_send(WIRE_FD, &m, NULL, 0) == WIRE_OK) /* full or gone: the watchdog will see it later */
		set_log_level(p, &m);
}

void process_log(struct process *p, struct event_log *log)
{
	CHECK(p, PROCESS_MAGIC);
	p->log = log;
}

static void take_level(struct process *p, const struct wire_msg *m)
{
	if (m->number >= EVENT_LEVEL_COUNT)
		CANT_HAPPEN("a level the supervisor does not send");
	set_log_level(p, m);
	if (p->events->level != NULL)
		p->events->level(p->ctx, m->text, (unsigned)m->number);
}

static void handle(struct process *p, const struct wire_msg *m, const int fds[WIRE_FDS_MAX])
{
	switch ((enum wire_type)m->type) {
	case WIRE_LISTENER:
		open_door(p, m, fds[0]);
		return;
	case WIRE_PEER:
		meet_peer(p, m, fds);
		return;
	case WIRE_DIED:
		if (p->events->peer_died != NULL)
			p->events->peer_died(p->ctx, (enum process_kind)m->kind, m->instance, m->flag != 0, m->text, m->note);
		return;
	case WIRE_STOP:
		if (p->stopping)
			return;
		p->stopping = true;
		if (p->events->stop != NULL)
			p->events->stop(p->ctx);
		else
			process_finished(p, 0);
		return;
	case WIRE_PING:
		answer(WIRE_PONG, m->number, false);
		return;
	case WIRE_SETTINGS:
		take_settings(p, m->number, fds[0]);
		return;
	case WIRE_SHUT:
		shut_door(p, m->number);
		return;
	case WIRE_RELOADED:
		hear_reloaded(p, m, fds[0]);
		return;
	case WIRE_LINES:
		if (p->events->lines != NULL)
			p->events->lines(p->ctx, fds[0]);
		else
			close(fds[0]);
		return;
	case WIRE_LEVEL:
		take_level(p, m);
		return;
	case WIRE_BIRTH:
	case WIRE_GO:
	case WIRE_TAKEN:
	case WIRE_RELOAD:
	case WIRE_READY:
	case WIRE_PONG:
	case WIRE_ACCUSE:
	case WIRE_BOARD:
		break;
	}
	CANT_HAPPEN("a message the supervisor does not send");
}

static void on_wire(void *ctx)
{
	struct process *p = ctx;
	CHECK(p, PROCESS_MAGIC);
	struct wire_msg m;
	int fds[WIRE_FDS_MAX];
	for (;;) {
		switch (wire_recv(WIRE_FD, &m, fds)) {
		case WIRE_OK:
			handle(p, &m, fds);
			break;
		case WIRE_LATER:
			return;
		case WIRE_GONE:
			/* Nobody is left to restart, stop or charge us; and a new supervisor starts its own. */
			give_up(STATUS_OS, "the supervisor has gone, so this process ends");
		}
	}
}

static void begin_life(struct process *p)
{
	while (p->pending != NULL) {
		struct pending *x = p->pending;
		p->pending = x->next;
		handle(p, &x->m, x->fds);
		free(x);
	}
	p->watch = loop_watch_new(p->env, WIRE_FD, on_wire, p);
	answer(WIRE_READY, 0, false);
}

int process_run(struct process *p, const struct process_events *events, void *ctx)
{
	CHECK(p, PROCESS_MAGIC);
	p->events = events;
	p->ctx = ctx;
	begin_life(p);
	loop_run(p->env);
	for (size_t i = 0; i < p->n_doors; i++)
		listener_close(&p->doors[i].l);
	loop_watch_free(&p->watch);
	if (fault_armed)
		tell_passes();
	return p->status;
}

void process_finished(struct process *p, int status)
{
	CHECK(p, PROCESS_MAGIC);
	p->status = status;
	loop_stop(p->env);
}

struct listener *process_listener(struct process *p, const char *name)
{
	CHECK(p, PROCESS_MAGIC);
	for (size_t i = 0; i < p->n_doors; i++)
		if (p->doors[i].l != NULL && strcmp(p->doors[i].name, name) == 0)
			return p->doors[i].l;
	return NULL;
}

void process_free(struct process **pp)
{
	struct process *p = *pp;
	if (p == NULL)
		return;
	CHECK(p, PROCESS_MAGIC);
	disarm_last_words(p);
	while (p->pending != NULL) {
		struct pending *x = p->pending;
		p->pending = x->next;
		free(x);
	}
	loop_free(&p->env);
	unmap(p->settings);
	board_unmap(&p->board);
	munmap(p->words, WIRE_WORDS_SIZE);
	p->magic = 0;
	MEM_FREE(*pp);
}
