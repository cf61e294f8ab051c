/* link_trace.c - `posthorn link trace`: the octets of a link's connections, in a file and decoded as they come. */
#include "proc/ctl/ctl_int.h"

#include "proc/table/event_line.h"
#include "sys/loop.h"
#include "sys/moment.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OCTETS = 16 << 20, TIME_MS = 10 * 60 * 1000,
	AGAIN_MS = 100, AGAIN_MAX = 300, /* a recorder that died is back in a moment; an MTA that was ended is not */
	TAIL_MS = 500,                   /* a few looks of the decoder */
};

static const char usage[] =
	"usage: posthorn link trace -c FILE NAME on [--octets SIZE] [--time TIME] [--why TEXT]\n"
	"       posthorn link trace -c FILE NAME off [--why TEXT]\n"
	"       posthorn link trace -c FILE NAME --follow [--secrets] [--octets SIZE] [--time TIME] [--why TEXT]\n\n"
	"What goes over a link's connections, in clear even where there is TLS: a capture that posthorn decode, tshark and Wireshark read,\n"
	"with made-up headers of IP and TCP, in the folder trace of the store's directory, one file for each link process,\n"
	"and one more (-2, -3 ...) for each time that it was started anew meanwhile.\n"
	"It has passwords and mail in it. An association that is open already is in it from the middle on; posthorn link close begins anew.\n\n"
	"  on             begins; another one of this link ends\n"
	"  off            ends\n"
	"  --follow       begins, shows every layer as it comes, and ends when interrupted, or says what has ended it\n"
	"  --secrets      show passwords too\n"
	"  --octets SIZE  the files of one link process are not longer than that, about (16M)\n"
	"  --time TIME    it ends by itself after so long (10min)\n"
	"  --why TEXT     kept in the audit event\n"
	CTL_FIND CTL_STATUSES;

struct command {
	struct ctl ctl;
	struct msg_wiretrace ask;
	const char *link, *why;
	bool follow, secrets;
	char name[128];              /* what names of files begin with */
	/* --follow */
	pid_t decoder;
	int signals;                 /* signalfd */
	int64_t until_ms;            /* by the wall */
	struct loop_watch *watch;
	struct timer timer;
	struct msg_follow follow_of; /* the events */
	bool heard;                  /* anything of the recorder, in this conversation */
	bool over, at_end;           /* at_end: it is not we who end it */
};

static struct command *command_of(struct ctl *c)
{
	return CONTAINER(c, struct command, ctl);
}

static bool on_done(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct command *q = command_of(c);
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	if (q->ask.on)
		snprintf(q->name, sizeof q->name, "%.*s", (int)(m.mts_id.n < sizeof q->name ? m.mts_id.n : sizeof q->name - 1), (const char *)m.mts_id.p);
	ctl_over(c, m.accepted ? CTL_DONE : ctl_say(c, CTL_REFUSED, "%s", m.err.text));
	return true;
}

static void say(struct ctl *c)
{
	struct command *q = command_of(c);
	const struct passwd *pw = getpwuid(getuid());
	q->ask.id = 1;
	q->ask.link = view_str(q->link);
	q->ask.who = view_str(pw == NULL ? "unknown" : pw->pw_name);
	q->ask.why = view_str(q->why == NULL ? "" : q->why);
	q->ask.name = view_str(q->ask.on ? "" : q->name); /* what --follow has begun, and no later one */
	put_msg_wiretrace(ctl_message(c), &q->ask);
	ctl_message_send(c, MSG_WIRETRACE);
}

static sigset_t signals_of_ours(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	return set;
}

static int turn(struct command *q, bool on)
{
	static const struct chan_type types[] = { { .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = MSG_MAX_DONE } };
	q->ask.on = on;
	return ctl_converse(&q->ctl, "control", types, ARRAY_LEN(types), say);
}

/* The decoder is a process of its own, as what a peer says is not decoded here. */
static bool start_decoder(struct command *q)
{
	char prefix[512];
	snprintf(prefix, sizeof prefix, "%s/trace/%s-", q->ctl.directory, q->name);
	const char *argv[] = { "posthorn", "decode", "--follow", prefix, q->ctl.json ? "--json" : q->secrets ? "--secrets" : NULL,
			       q->ctl.json && q->secrets ? "--secrets" : NULL, NULL };
	posix_spawnattr_t attr;
	sigset_t defaults = signals_of_ours(), none;
	sigdelset(&defaults, SIGCHLD);
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	int code = posix_spawn(&q->decoder, "/proc/self/exe", NULL, &attr, (char **)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	if (code != 0)
		ctl_say(&q->ctl, CTL_REFUSED, "cannot start the decoder: %s", strerror(code));
	return code == 0;
}

/* --- what becomes of the trace meanwhile, by the events --- */

/* why: NULL when it is interrupted, or its decoder has ended. */
static void be_over(struct command *q, const char *why)
{
	if (why != NULL)
		fprintf(stderr, "posthorn link trace: the trace of %s has ended: %s\n", q->link, why);
	q->over = true;
	q->at_end = why != NULL;
	ctl_over(&q->ctl, CTL_DONE);
}

/* SIGCHLD comes, too, when the decoder is stopped and goes on: Ctrl-Z and fg. */
static void on_signal(void *ctx)
{
	struct command *q = ctx;
	struct signalfd_siginfo signal;
	siginfo_t child = { 0 };
	if (read(q->signals, &signal, sizeof signal) == (ssize_t)sizeof signal && signal.ssi_signo == SIGCHLD &&
	    waitid(P_PID, (id_t)q->decoder, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid == 0)
		return;
	be_over(q, NULL);
}

static void on_time(void *ctx)
{
	be_over(ctx, "its time is over");
}

/* Another operator, or another life of the MTA. In one link process it may end alone; one that is started anew goes on with it. */
static void hear(struct command *q, const struct event_line *l)
{
	const char *what = event_line_field(l, "what"), *trace = event_line_field(l, "trace");
	const bool done = strcmp(event_line_field(l, "outcome"), "done") == 0 && strcmp(event_line_field(l, "link"), q->link) == 0;
	if (strcmp(l->event, "supervisor.up") == 0)
		be_over(q, "the MTA was started anew");
	else if (strcmp(l->event, "link.trace-ended") == 0 && strstr(event_line_field(l, "file"), q->name) != NULL)
		fprintf(stderr, "posthorn link trace: %s has ended: %s\n", event_line_field(l, "file"), event_line_field(l, "why"));
	else if (done && strcmp(what, "trace-off") == 0 && strcmp(trace, q->name) == 0)
		be_over(q, "an operator has ended it");
	else if (done && strcmp(what, "trace-on") == 0 && strcmp(trace, q->name) > 0) /* the time is in names */
		be_over(q, "an operator has begun another one");
}

static bool on_event(void *ctx, struct view payload, struct err *e)
{
	struct command *q = command_of(ctx);
	struct msg_event m;
	struct event_line line;
	if (!get_msg_event(payload, &m, e) || !event_line_parse(m.line, &line, e))
		return false;
	q->heard = true;
	q->follow_of.after = m.number;
	if (!q->over)
		hear(q, &line);
	event_line_fini(&line);
	return true;
}

static bool on_followed(void *ctx, struct view payload, struct err *e)
{
	struct command *q = command_of(ctx);
	struct msg_followed m;
	if (!get_msg_followed(payload, &m, e))
		return false;
	q->heard = true;
	q->follow_of.after = m.next > q->follow_of.after ? m.next : q->follow_of.after;
	return true;
}

static void begin_watch(struct ctl *c)
{
	struct command *q = command_of(c);
	const int64_t left = q->until_ms - moment_wall_ms();
	q->watch = loop_watch_new(c->env, q->signals, on_signal, q);
	timer_init(&q->timer, c->env, on_time, q);
	timer_after(&q->timer, left < 0 ? 0 : left);
}

static void ask_watch(struct ctl *c)
{
	const struct command *q = command_of(c);
	put_msg_follow(chan_begin(c->chan, MSG_FOLLOW), &q->follow_of);
	chan_end(c->chan);
}

static void end_watch(struct ctl *c)
{
	struct command *q = command_of(c);
	loop_watch_free(&q->watch);
	timer_stop(&q->timer);
}

/* Until it is over, or no recorder has been there for long. */
static void watch(struct command *q)
{
	static const struct chan_type types[] = {
		{ .type = MSG_FOLLOWED, .name = "FOLLOWED", .handle = on_followed, .max = MSG_MAX_FOLLOWED },
		{ .type = MSG_EVENT, .name = "EVENT", .handle = on_event, .max = MSG_MAX_EVENT },
	};
	const uint64_t patience_ms = q->ctl.patience_ms;
	q->ctl.patience_ms = 0; /* what is heard here is of less use than what is decoded */
	q->ctl.begin = begin_watch;
	q->ctl.end = end_watch;
	q->ctl.is_silent = true;
	for (unsigned missed = 0; !q->over && missed < AGAIN_MAX; missed++) {
		q->heard = false;
		ctl_converse(&q->ctl, "events", types, ARRAY_LEN(types), ask_watch);
		missed = q->heard ? 0 : missed;
		if (!q->over)
			moment_wait_ms(AGAIN_MS);
	}
	q->ctl.begin = q->ctl.end = NULL;
	q->ctl.patience_ms = patience_ms;
	q->ctl.is_silent = false;
}

static int follow(struct command *q)
{
	int how;
	if (!start_decoder(q))
		return turn(q, false);
	watch(q);
	if (q->at_end)
		moment_wait_ms(TAIL_MS); /* what it has not read yet */
	kill(q->decoder, SIGTERM); /* ours to end when the signal came to us alone */
	waitpid(q->decoder, &how, 0);
	return turn(q, false);
}

static int begin_and_follow(struct command *q)
{
	const sigset_t set = signals_of_ours();
	sigprocmask(SIG_BLOCK, &set, NULL); /* waited for, so that the trace is ended in any case */
	q->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (q->signals < 0)
		return ctl_say(&q->ctl, CTL_REFUSED, "cannot wait for signals: %s", strerror(errno));
	const int64_t now = moment_wall_ms();
	q->until_ms = now + (int64_t)q->ask.time_ms + TAIL_MS;
	q->follow_of = (struct msg_follow){ .id = 1, .since = (uint64_t)now, .categories = VIEW("operator,process,x400"), .live = true };
	const int status = turn(q, true) == CTL_DONE ? follow(q) : q->ctl.status;
	close(q->signals);
	return status;
}

static int begin(struct command *q)
{
	if (turn(q, true) != CTL_DONE)
		return q->ctl.status;
	char files[400];
	snprintf(files, sizeof files, "%s/trace/%s-*.pcap", q->ctl.directory, q->name);
	if (q->ctl.json)
		ctl_print_texts((const char *const[]){ "link", q->link, "files", files, NULL });
	else
		puts(files);
	return CTL_DONE;
}

static int finish(struct command *q)
{
	if (turn(q, false) == CTL_DONE && q->ctl.json)
		ctl_print_texts((const char *const[]){ "link", q->link, "act", "trace-off", "outcome", "done", NULL });
	return q->ctl.status;
}

int ctl_link_trace(int argc, char **argv)
{
	struct command q = { .ask = { .octets = OCTETS, .time_ms = TIME_MS } };
	const struct ctl_option own[] = { { "follow", .flag = &q.follow, .letter = 'f' }, { "secrets", .flag = &q.secrets }, { "octets", .octets = &q.ask.octets },
					  { "time", .ms = &q.ask.time_ms }, { "why", .text = &q.why } };
	ctl_begin(&q.ctl, "link trace");
	const bool good = ctl_options(&q.ctl, argc, argv, usage, own, ARRAY_LEN(own));
	const char *verb = optind + 1 < argc ? argv[optind + 1] : "";
	const bool on = strcmp(verb, "on") == 0, off = strcmp(verb, "off") == 0;
	q.link = optind < argc ? argv[optind] : "";
	if (good && (argc - optind != (q.follow ? 1 : 2) || (!q.follow && !on && !off)))
		ctl_say(&q.ctl, CTL_USAGE, "want the name of a link, and on, off, or --follow");
	else if (good && (strlen(q.link) > 64 || (q.why != NULL && strlen(q.why) > 300)))
		ctl_say(&q.ctl, CTL_USAGE, "a link's name has at most 64 octets, --why at most 300");
	else if (good && ctl_find_mta(&q.ctl))
		q.ctl.status = q.follow ? begin_and_follow(&q) : on ? begin(&q) : finish(&q);
	ctl_end(&q.ctl);
	return q.ctl.status;
}
