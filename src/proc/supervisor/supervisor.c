/* supervisor.c - starts, watches, restarts, ends. Parses nothing: what comes in are signals, fixed messages of children and
 * lines to pass on. One turn: poll(2), what is ready, then timers, so that a word that has come is heard before the
 * timer that waits for it. */
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "proc/supervisor/notify.h"
#include "proc/supervisor/supervisor_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	BULK_OCTETS = 512 * 1024,     /* in the kernel, of one bulk stream and direction */
	EVENT_PIPE = 1024 * 1024,     /* what the system lets anyone have */
	CHILD_PIPES = 16 * 1024 * 1024, CHILD_PIPE = 256 * 1024, CHILD_PIPE_USUAL = 64 * 1024,
	OSERR = 71, CANTCREAT = 73, CONFIG = 78, /* sysexits.h */
	AT_ONCE_MAX = 300,            /* the same for a process for suspects, each of which kills it a few times */
	QUICK_RESTARTS = 8,           /* in a row, before the delay begins to grow */
	HUNG_GRACE_MS = 2000,         /* between SIGABRT, which leaves last words, and SIGKILL */
	DELAY_FIRST_MS = 100, DELAY_LAST_MS = 60 * 1000, STOP_MS = 10 * 1000, /* where the plan says 0 */
	PINGS_A_WATCH = 4,
	TWICE_MS = 500,               /* sooner, it is one wish that came to the process and to its group */
};

/* --- a world of time only --- */

static int64_t wall_ms(struct env *env)
{
	(void)env;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const struct env_ops time_only = { .wall_ms = wall_ms };

static int64_t monotonic_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *supervisor_number(char buf[24], uint64_t x)
{
	snprintf(buf, 24, "%llu", (unsigned long long)x);
	return buf;
}

/* --- who talks to whom --- */

static bool are_pair(const struct child *x, const struct child *y)
{
	const enum process_kind a = x->kind, b = y->kind;
	if (a == PROCESS_INTERCHANGE)
		return b == PROCESS_CONVERTER && x->instance == y->instance;
	return a == PROCESS_SWITCH &&
	       (b == PROCESS_LINK || b == PROCESS_ALONE || b == PROCESS_CONTENT || b == PROCESS_READER || b == PROCESS_INTERCHANGE);
}

static void say_died(struct child *to, const struct child *dead)
{
	struct wire_msg m = { .type = WIRE_DIED, .kind = dead->kind, .instance = dead->instance, .flag = dead->by_fault };
	snprintf(m.text, sizeof m.text, "%s", dead->last_words);
	snprintf(m.note, sizeof m.note, "%s", dead->note);
	child_say(to, &m, NULL, 0);
}

/* Two streams between a and b: control and bulk. Without descriptors left, the younger one is ended and started again later. */
static void introduce(struct child *a, struct child *b)
{
	int control[2] = { -1, -1 }, bulk[2] = { -1, -1 };
	enum { HOW = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK };
	if (socketpair(AF_UNIX, HOW, 0, control) != 0 || socketpair(AF_UNIX, HOW, 0, bulk) != 0) {
		for (int i = 0; i < 2; i++)
			if (control[i] >= 0)
				close(control[i]);
		kill(a->pid, SIGKILL);
		return;
	}
	/* Room for what credits let several associations have under way: a stream is written once a turn, and a turn of the switch
	 * has a commit in it. The kernel gives what it allows; with less it is only slower. */
	for (int i = 0; i < 2; i++)
		(void)setsockopt(bulk[i], SOL_SOCKET, SO_SNDBUF, &(int){ BULK_OCTETS }, sizeof(int));
	struct wire_msg m = { .type = WIRE_PEER, .kind = b->kind, .instance = b->instance };
	child_say(a, &m, (int[]){ control[0], bulk[0] }, 2);
	m.kind = a->kind;
	m.instance = a->instance;
	child_say(b, &m, (int[]){ control[1], bulk[1] }, 2);
}

static void introduce_all(struct supervisor *s, struct child *c)
{
	for (size_t i = 0; i < s->n_posts; i++) {
		struct child *other = &s->posts[i].c;
		if (other->pid != 0 && other != c && (are_pair(c, other) || are_pair(other, c)))
			introduce(c, other);
	}
}

/* A new process first hears how its predecessor died; a new switch also who died while there was none. */
static void tell_deaths(struct supervisor *s, struct child *c)
{
	if (c->life > 1)
		say_died(c, c);
	for (size_t i = 0; i < s->n_posts && c->kind == PROCESS_SWITCH; i++) {
		struct child *dead = &s->posts[i].c;
		if (dead->death_untold && dead != c)
			say_died(c, dead);
		dead->death_untold = false;
	}
}

static void tell_of_death(struct supervisor *s, struct child *dead)
{
	dead->death_untold = dead->kind != PROCESS_SWITCH;
	for (size_t i = 0; i < s->n_posts; i++) {
		struct child *other = &s->posts[i].c;
		if (other->pid == 0 || (!are_pair(other, dead) && !are_pair(dead, other)))
			continue;
		say_died(other, dead);
		dead->death_untold = false;
	}
}

/* --- starting --- */

static void restart_later(struct post *p)
{
	struct supervisor *s = p->s;
	char delay[24], life[24];
	uint64_t first = s->plan.restart_min_ms, last = s->plan.restart_max_ms;
	bool stable = p->c.life > 0 && env_now_ms(&s->env) - p->c.started_ms >= (int64_t)last;
	p->c.early_deaths = stable ? 0 : p->c.early_deaths + 1;
	/* A few in a row are the work of a few bad messages, which are struck for it: the others are not to wait for that. */
	p->c.delay_ms = p->c.early_deaths <= QUICK_RESTARTS ? first : p->c.delay_ms * 2;
	if (p->c.delay_ms > last)
		p->c.delay_ms = last;
	if (p->c.at_once && p->c.ready && p->c.early_deaths <= AT_ONCE_MAX) /* beyond it is not the suspects' doing */
		p->c.delay_ms = 0;
	event_emit(s->log, EV_PROCESS_RESTART, "name", p->c.name, "delay_ms", supervisor_number(delay, p->c.delay_ms), "life",
		   supervisor_number(life, p->c.life + 1), NULL);
	timer_after(&p->restart, (int64_t)p->c.delay_ms);
}

static void start_post(void *ctx)
{
	struct post *p = ctx;
	struct supervisor *s = p->s;
	struct err e;
	char pid[24];
	if (s->stage != STAGE_RUN)
		return;
	if (!child_start(&p->c, &s->birth, env_now_ms(&s->env), &e)) {
		event_emit(s->log, EV_PROCESS_UNSTARTED, "name", p->c.name, "why", e.text, NULL);
		p->c.ready = false;
		restart_later(p);
		return;
	}
	event_emit(s->log, EV_PROCESS_STARTED, "name", p->c.name, "pid", supervisor_number(pid, (uint64_t)p->c.pid), NULL);
	showing_give(s, &p->c);
	if (!doors_give(&s->doors, &p->c))
		kill(p->c.pid, SIGKILL); /* started again when there are descriptors */
	events_give(s, &p->c);
	tell_deaths(s, &p->c);
	introduce_all(s, &p->c);
	struct wire_msg go = { .type = WIRE_GO };
	child_say(&p->c, &go, NULL, 0);
	showing_soon(s);
}

void supervisor_start(struct post *p)
{
	start_post(p);
}

/* --- stopping --- */

static bool is_in_stage(enum process_kind k, enum stage stage)
{
	const bool first = k == PROCESS_LINK || k == PROCESS_ALONE || k == PROCESS_INTERCHANGE || k == PROCESS_MOVER;
	switch (stage) {
	case STAGE_RUN:
	case STAGE_DONE:
		return false;
	case STAGE_LINKS:
		return first;
	case STAGE_HELPERS:
		return !first && k != PROCESS_SWITCH && k != PROCESS_RECORDER;
	case STAGE_SWITCH:
		return k == PROCESS_SWITCH;
	case STAGE_RECORDER:
		return k == PROCESS_RECORDER;
	}
	CANT_HAPPEN("stage out of range");
}

static void next_stage(struct supervisor *s);

/* The kernel does not let go of it before its call returns: a file server that hangs may keep it for ever, and the mail of all others
 * does not wait for that. */
static void abandon_post(struct post *p)
{
	event_emit(p->s->log, EV_PROCESS_UNKILLABLE, "name", p->c.name, "note", p->c.words == NULL ? "" : p->c.words->note, NULL);
	p->abandoned = true;
	next_stage(p->s);
	reload_go_on(p->s);
}

static void kill_post(void *ctx)
{
	struct post *p = ctx;
	struct supervisor *s = p->s;
	if (p->c.pid == 0 || p->abandoned)
		return;
	const bool ends = s->stage != STAGE_RUN || p->fate != POST_STAYS;
	if (p->c.killed) {
		if (ends)
			abandon_post(p);
		return;
	}
	if (p->c.killed_why[0] == 0)
		event_emit(s->log, EV_PROCESS_KILLED, "name", p->c.name, NULL);
	p->c.killed = ends;
	if (!FAULT(SUPERVISOR_KILL))
		kill(p->c.pid, SIGKILL);
	if (p->c.killed)
		timer_after(&p->kill, HUNG_GRACE_MS);
}

void supervisor_stop(struct post *p)
{
	struct wire_msg m = { .type = WIRE_STOP };
	p->c.asked_to_stop = true;
	child_say(&p->c, &m, NULL, 0);
	timer_after(&p->kill, p->s->hurry ? 0 : (int64_t)p->s->plan.stop_ms);
}

/* Goes on as long as the current stage has nobody left. */
static void next_stage(struct supervisor *s)
{
	while (s->stage != STAGE_RUN && s->stage != STAGE_DONE) {
		for (size_t i = 0; i < s->n_posts; i++)
			if (s->posts[i].c.pid != 0 && !s->posts[i].abandoned && is_in_stage(s->posts[i].c.kind, s->stage))
				return;
		s->stage++;
		if (s->stage == STAGE_RECORDER)
			lines_end(&s->lines);
		for (size_t i = 0; i < s->n_posts; i++)
			if (s->posts[i].c.pid != 0 && is_in_stage(s->posts[i].c.kind, s->stage))
				supervisor_stop(&s->posts[i]);
	}
}

static void stop_all(struct supervisor *s, const char *why, int status)
{
	if (s->stage != STAGE_RUN) {
		if (env_now_ms(&s->env) - s->asked_ms < TWICE_MS)
			return;
		s->hurry = true;
		for (size_t i = 0; i < s->n_posts; i++)
			if (timer_is_set(&s->posts[i].kill))
				timer_after(&s->posts[i].kill, 0);
		return;
	}
	event_emit(s->log, EV_SUPERVISOR_STOPPING, "why", why, NULL);
	reload_cancel(s);
	notify_manager("STOPPING=1");
	s->status = status;
	s->asked_ms = env_now_ms(&s->env);
	timer_stop(&s->ping);
	for (size_t i = 0; i < s->n_posts; i++)
		timer_stop(&s->posts[i].restart);
	s->stage = STAGE_LINKS;
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].c.pid != 0 && is_in_stage(s->posts[i].c.kind, STAGE_LINKS))
			supervisor_stop(&s->posts[i]);
	next_stage(s);
}

/* --- watching --- */

static void check_up(struct supervisor *s)
{
	char pid[24], n[24];
	if (s->told_up)
		return;
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].used && !s->posts[i].c.ready)
			return;
	s->told_up = true;
	notify_manager("READY=1");
	event_emit(s->log, EV_SUPERVISOR_UP, "pid", supervisor_number(pid, (uint64_t)getpid()), "processes", supervisor_number(n, s->n_posts),
		   "directory", s->plan.directory, NULL);
}

static void on_death(struct post *p, int how)
{
	struct supervisor *s = p->s;
	struct child *c = &p->c;
	char life[24];
	bool was_ready = c->ever_ready;
	child_hear(c, env_now_ms(&s->env));
	was_ready = was_ready || c->ever_ready;
	child_ended(c, &s->lines, how);
	timer_stop(&p->kill);
	supervisor_number(life, c->life);
	if (c->by_fault)
		event_emit(s->log, EV_PROCESS_FAULT, "name", c->name, "last_words", c->last_words, "life", life, NULL);
	else if (!c->asked_to_stop)
		event_emit(s->log, EV_PROCESS_ENDED, "name", c->name, "how", c->last_words, "life", life, NULL);
	else
		event_emit(s->log, EV_PROCESS_STOPPED, "name", c->name, "how", c->last_words, NULL);
	p->told = 0;
	p->abandoned = false;
	if (!c->asked_to_stop || s->stage == STAGE_RUN)
		tell_of_death(s, c);
	if (s->stage != STAGE_RUN)
		next_stage(s);
	else if (p->fate != POST_STAYS)
		reload_post_ended(p);
	else if (!was_ready && !p->late && WIFEXITED(how) && (WEXITSTATUS(how) == CONFIG || WEXITSTATUS(how) == CANTCREAT))
		stop_all(s, "a process cannot run with these settings", WEXITSTATUS(how));
	else
		restart_later(p);
	reload_go_on(s);
}

static void reap(struct supervisor *s)
{
	for (size_t i = 0; i < s->n_posts; i++) {
		int how = 0;
		struct post *p = &s->posts[i];
		if (p->c.pid != 0 && waitpid(p->c.pid, &how, WNOHANG) == p->c.pid)
			on_death(p, how);
	}
	reload_reap(s);
}

/* It is ended, as a fault; SIGKILL follows when it does not end of SIGABRT. */
static void end_hung(struct post *p, int64_t grace_ms)
{
	event_emit(p->s->log, EV_PROCESS_HUNG, "name", p->c.name, "why", p->c.killed_why, NULL);
	kill(p->c.pid, SIGABRT);
	timer_after(&p->kill, grace_ms < HUNG_GRACE_MS ? grace_ms : HUNG_GRACE_MS);
}

/* The switch knows how long a process may work at what it was given. */
static void on_accused(void *ctx, const struct wire_msg *m)
{
	struct supervisor *s = ctx;
	for (size_t i = 0; i < s->n_posts; i++) {
		struct post *p = &s->posts[i];
		if (p->c.kind != m->kind || p->c.instance != m->instance || p->c.pid == 0 || !p->c.ready || p->c.killed_why[0] != 0)
			continue;
		struct out why;
		out_init(&why, sizeof p->c.killed_why - 1);
		text_escape(&why, view_str(m->text), sizeof p->c.killed_why / 2);
		snprintf(p->c.killed_why, sizeof p->c.killed_why, "%s", out_cstr(&why));
		out_fini(&why);
		end_hung(p, HUNG_GRACE_MS);
	}
}

static void watch_post(struct post *p)
{
	struct child *c = &p->c;
	int64_t now = env_now_ms(&p->s->env), limit = (int64_t)p->s->plan.watchdog_ms;
	if (c->pid == 0 || c->killed_why[0] != 0)
		return;
	if (!c->ready) { /* being born has the same patience */
		c->silent_since_ms = c->started_ms;
	} else if (c->pong == c->ping) {
		struct wire_msg m = { .type = WIRE_PING, .number = ++c->ping };
		c->silent_since_ms = now;
		child_say(c, &m, NULL, 0);
		return;
	}
	if (now - c->silent_since_ms < limit)
		return;
	snprintf(c->killed_why, sizeof c->killed_why, "watchdog: no answer for %lld ms",
		 (long long)(now - c->silent_since_ms));
	end_hung(p, limit);
}

static void watch_all(void *ctx)
{
	struct supervisor *s = ctx;
	for (size_t i = 0; i < s->n_posts; i++)
		watch_post(&s->posts[i]);
	uint64_t step = s->plan.watchdog_ms / PINGS_A_WATCH;
	timer_after(&s->ping, (int64_t)(step == 0 ? 1 : step));
}

static void on_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			stop_all(s, info.ssi_signo == SIGINT ? "interrupt" : "SIGTERM", 0);
			break;
		case SIGHUP:
			reload_hup(s, info.ssi_uid, info.ssi_pid);
			break;
		default: /* SIGCHLD: see reap, which asks for all */
			break;
		}
	}
	reap(s);
}

static int sleep_ms(const struct supervisor *s)
{
	int64_t next = env_next_timer(&s->env);
	if (next == INT64_MAX)
		return -1;
	int64_t left = next - monotonic_ms();
	return left < 0 ? 0 : left > 60 * 1000 ? 60 * 1000 : (int)left;
}

static void turn(struct supervisor *s)
{
	struct pollfd polls[1 + 2 * POSTS_MAX];
	polls[0] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	for (size_t i = 0; i < s->n_posts; i++) {
		const struct child *c = &s->posts[i].c;
		short out = child_has_queue(c) ? POLLOUT : 0;
		polls[1 + 2 * i] = (struct pollfd){ .fd = c->chan, .events = (short)(POLLIN | out) };
		polls[2 + 2 * i] = (struct pollfd){ .fd = c->err, .events = POLLIN };
	}
	const size_t polled = s->n_posts; /* what a child says may add posts */
	int n = poll(polls, 1 + 2 * polled, sleep_ms(s));
	s->env.now_ms = monotonic_ms();
	for (size_t i = 0; n > 0 && i < polled; i++) {
		struct child *c = &s->posts[i].c;
		short chan = polls[1 + 2 * i].revents, err = polls[2 + 2 * i].revents;
		if (err != 0)
			child_pass_lines(c, &s->lines, false);
		if ((chan & POLLOUT) != 0)
			child_flush(c);
		if ((chan & (POLLIN | POLLHUP | POLLERR)) != 0)
			child_hear(c, s->env.now_ms);
		if (chan != 0)
			showing_soon(s);
	}
	if (n > 0 && polls[0].revents != 0) {
		on_signals(s);
		showing_soon(s);
	}
	check_up(s);
	events_tell_lost(s);
	env_run_timers(&s->env);
}

/* --- begin and end --- */

static void keep_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int arm_faults(void)
{
	const char *text = getenv("POSTHORN_FAULT");
	struct out plan;
	struct err e;
	if (text == NULL)
		return 0;
	process_fault_plan(text, PROCESS_SUPERVISOR, &plan);
	bool ok = fault_plan(out_cstr(&plan), &e);
	out_fini(&plan);
	if (ok)
		return 0;
	fprintf(stderr, "posthorn: %s\n", e.text);
	return CONFIG;
}

static int catch_signals(struct supervisor *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signals >= 0)
		return 0;
	fprintf(stderr, "posthorn: cannot catch signals: %s\n", strerror(errno));
	return OSERR;
}

void supervisor_fill_in(struct plan *p)
{
	p->restart_min_ms = p->restart_min_ms == 0 ? DELAY_FIRST_MS : p->restart_min_ms;
	p->restart_max_ms = p->restart_max_ms == 0 ? DELAY_LAST_MS : p->restart_max_ms;
	if (p->restart_max_ms < p->restart_min_ms)
		p->restart_max_ms = p->restart_min_ms;
	p->stop_ms = p->stop_ms == 0 ? STOP_MS : p->stop_ms;
}

static int prepare(struct supervisor *s)
{
	supervisor_fill_in(&s->plan);
	int status = start_find_user(s->plan.user, &s->user);
	if (status == 0)
		status = start_directory(s->plan.directory, &s->user, &s->lock);
	if (status == 0)
		status = doors_open(&s->doors, &s->plan, &s->user);
	if (status == 0)
		status = start_drop_capabilities(&s->user);
	if (status == 0)
		status = catch_signals(s);
	return status;
}

static void on_says(struct child *c, const struct wire_msg *m)
{
	struct post *p = CONTAINER(c, struct post, c);
	if (m->type == WIRE_RELOAD)
		reload_ask(p, m);
	else
		reload_taken(p, m);
}

struct post *supervisor_add(struct supervisor *s, const struct plan_process *x)
{
	struct post *p = s->posts;
	while (p < s->posts + s->n_posts && p->used)
		p++;
	if (p == s->posts + POSTS_MAX)
		return NULL;
	if (p == s->posts + s->n_posts)
		s->n_posts++;
	*p = (struct post){ .s = s, .used = true, .key = x->key };
	child_init(&p->c, x->kind, x->instance);
	p->c.ctx = s;
	p->c.at_once = x->at_once != 0;
	p->c.says = on_says;
	if (p->c.kind == PROCESS_SWITCH || p->c.kind == PROCESS_INTERCHANGE)
		p->c.accuses = on_accused;
	if (p->c.kind == PROCESS_RECORDER)
		p->c.levels = events_on_level;
	timer_init(&p->restart, &s->env, start_post, p);
	timer_init(&p->kill, &s->env, kill_post, p);
	return p;
}

void supervisor_remove(struct post *p)
{
	timer_stop(&p->restart);
	timer_stop(&p->kill);
	child_fini(&p->c);
	p->used = false;
	showing_soon(p->s);
}

void supervisor_watch(struct supervisor *s)
{
	if (s->plan.watchdog_ms != 0)
		watch_all(s);
	else
		timer_stop(&s->ping);
}

/* Of each process. All pipes of a user who is not root have 64 MB together, pipe(7): with more the last ones would get next to nothing. The system
 * takes the next power of two. */
static size_t event_pipe(size_t n_processes)
{
	const size_t share = CHILD_PIPES / (n_processes + 1);
	return share >= CHILD_PIPE ? CHILD_PIPE : share > CHILD_PIPE_USUAL ? share : 0;
}

static void start_all(struct supervisor *s)
{
	/* Nobody waits for who reads the events: the more a pipe holds, the fewer lines are lost. Fails when it is none: fine. */
	(void)fcntl(STDERR_FILENO, F_SETPIPE_SZ, EVENT_PIPE);
	events_begin(s);
	s->birth = (struct child_birth){ s->settings, s->plan.directory, s->user.change, s->user.uid, s->user.gid, event_pipe(s->plan.n_processes) };
	for (size_t i = 0; i < s->doors.n; i++)
		event_emit(s->log, EV_SUPERVISOR_LISTENING, "name", s->doors.v[i].l.name, "address", s->doors.v[i].l.addr, "kind",
			   process_kind_name(s->doors.v[i].l.owner), NULL);
	for (size_t i = 0; i < s->plan.n_processes; i++)
		(void)supervisor_add(s, &s->plan.processes[i]); /* there is room for twice a plan */
	showing_begin(s);
	timer_init(&s->ping, &s->env, watch_all, s);
	supervisor_watch(s);
	for (size_t i = 0; i < s->n_posts; i++)
		start_post(&s->posts[i]);
}

static void take_down(struct supervisor *s)
{
	reload_fini(s);
	for (size_t i = 0; i < s->n_posts; i++) {
		if (!s->posts[i].used)
			continue;
		timer_stop(&s->posts[i].restart);
		timer_stop(&s->posts[i].kill);
		child_fini(&s->posts[i].c);
	}
	timer_stop(&s->ping);
	showing_end(s);
	doors_close(&s->doors);
	event_log_free(&s->log);
	lines_close(&s->lines);
	for (size_t i = 0; i < 4; i++) {
		int fd = i == 0 ? s->signals : i == 1 ? s->settings : i == 2 ? s->lock : s->board_fd;
		if (fd >= 0)
			close(fd);
	}
	env_fini(&s->env);
}

int supervisor_run(const struct config_reader *reader, const char *config_path)
{
	struct supervisor *s = mem_zero(sizeof *s);
	s->signals = s->settings = s->lock = s->board_fd = s->lines.in = s->lines.out = -1;
	env_init(&s->env, &time_only);
	s->env.now_ms = monotonic_ms();
	reload_init(s, reader, config_path);
	keep_standard_descriptors();
	umask(S_IRWXG | S_IRWXO); /* the database is mail, whoever may look into its folder */
	int status = arm_faults();
	if (status == 0)
		status = start_read_config(reader->read, config_path, &s->plan, &s->settings);
	if (status == 0)
		status = prepare(s);
	if (status == 0) {
		start_all(s);
		while (s->stage != STAGE_DONE)
			turn(s);
		status = s->status;
		event_emit(s->log, EV_SUPERVISOR_DOWN, NULL);
	}
	take_down(s);
	free(s);
	return status;
}
