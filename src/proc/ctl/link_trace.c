/* link_trace.c - `posthorn link trace`: the octets of a link's connections, in a file and decoded as they come. */
#include "proc/ctl/ctl_int.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OCTETS = 16 << 20, TIME_MS = 10 * 60 * 1000 };

static const char usage[] =
	"usage: posthorn link trace -c FILE NAME on [--octets SIZE] [--time TIME] [--why TEXT]\n"
	"       posthorn link trace -c FILE NAME off [--why TEXT]\n"
	"       posthorn link trace -c FILE NAME --follow [--secrets] [--octets SIZE] [--time TIME] [--why TEXT]\n\n"
	"What goes over a link's connections, in clear even where there is TLS: a capture that posthorn decode, tshark and Wireshark read,\n"
	"with made-up headers of IP and TCP, in the folder trace of the store's directory, one file for each link process.\n"
	"It has passwords and mail in it. An association that is open already is in it from the middle on; posthorn link close begins anew.\n\n"
	"  on             begins; another one of this link ends\n"
	"  off            ends\n"
	"  --follow       begins, shows every layer as it comes, and ends when interrupted\n"
	"  --secrets      show passwords too\n"
	"  --octets SIZE  a file is not longer than that, about (16M)\n"
	"  --time TIME    it ends by itself after so long (10min)\n"
	"  --why TEXT     kept in the audit event\n"
	CTL_FIND CTL_STATUSES;

struct command {
	struct ctl ctl;
	struct msg_wiretrace ask;
	const char *link, *why;
	bool follow, secrets;
	char name[128];              /* what names of files begin with */
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
	put_msg_wiretrace(chan_begin(c->chan, MSG_WIRETRACE), &q->ask);
	chan_end(c->chan);
}

static int turn(struct command *q, bool on)
{
	static const struct chan_type types[] = { { .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = MSG_MAX_DONE } };
	q->ask.on = on;
	return ctl_converse(&q->ctl, "control", types, ARRAY_LEN(types), say);
}

/* The decoder is a process of its own, as what a peer says is not decoded here; interrupted, it ends, and we end the trace. */
static int follow(struct command *q)
{
	char prefix[512];
	pid_t pid;
	snprintf(prefix, sizeof prefix, "%s/trace/%s-", q->ctl.directory, q->name);
	const char *argv[] = { "posthorn", "decode", "--follow", prefix, q->ctl.json ? "--json" : q->secrets ? "--secrets" : NULL,
			       q->ctl.json && q->secrets ? "--secrets" : NULL, NULL };
	posix_spawnattr_t attr;
	sigset_t defaults;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGTERM);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	sigset_t none;
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	int code = posix_spawn(&pid, "/proc/self/exe", NULL, &attr, (char **)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attr);
	if (code != 0)
		return ctl_say(&q->ctl, CTL_REFUSED, "cannot start the decoder: %s", strerror(code));
	int how;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	siginfo_t info;
	while (sigwaitinfo(&set, &info) < 0 && errno == EINTR)
		;
	kill(pid, SIGTERM); /* ours to end when the signal came to us alone */
	waitpid(pid, &how, 0);
	return turn(q, false);
}

static int begin_and_follow(struct command *q)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL); /* waited for, so that the trace is ended in any case */
	return turn(q, true) == CTL_DONE ? follow(q) : q->ctl.status;
}

static int begin(struct command *q)
{
	if (turn(q, true) != CTL_DONE)
		return q->ctl.status;
	if (q->ctl.json)
		printf("{\"link\":\"%s\",\"files\":\"%s/trace/%s-*.pcap\"}\n", q->link, q->ctl.directory, q->name);
	else
		printf("%s/trace/%s-*.pcap\n", q->ctl.directory, q->name);
	return CTL_DONE;
}

/* False: the command is over, with the ctl's status. */
static bool take_option(struct command *q, int option)
{
	struct ctl *c = &q->ctl;
	switch (option) {
	case 'c': c->config = optarg; return true;
	case 'd': snprintf(c->directory, sizeof c->directory, "%s", optarg); return true;
	case 'j': c->json = true; return true;
	case 'f': q->follow = true; return true;
	case 's': q->secrets = true; return true;
	case 'w': q->why = optarg; return true;
	case 'o': return ctl_size(c, "octets", optarg, &q->ask.octets);
	case 't': return ctl_age(c, "time", optarg, &q->ask.time_ms);
	case 'h':
		puts(usage);
		c->status = CTL_DONE;
		return false;
	default: c->status = CTL_USAGE; return false;
	}
}

int ctl_link_trace(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", 1, NULL, 'c' }, { "directory", 1, NULL, 'd' }, { "json", 0, NULL, 'j' }, { "follow", 0, NULL, 'f' }, { "secrets", 0, NULL, 's' },
		{ "octets", 1, NULL, 'o' }, { "time", 1, NULL, 't' }, { "why", 1, NULL, 'w' }, { "help", 0, NULL, 'h' }, { 0 },
	};
	struct command q = { .ask = { .octets = OCTETS, .time_ms = TIME_MS } };
	ctl_begin(&q.ctl, "link trace");
	bool good = true;
	for (int o; good && (o = getopt_long(argc, argv, "c:d:jfh", options, NULL)) != -1;)
		good = take_option(&q, o);
	const char *verb = optind + 1 < argc ? argv[optind + 1] : "";
	const bool on = strcmp(verb, "on") == 0, off = strcmp(verb, "off") == 0;
	q.link = optind < argc ? argv[optind] : "";
	if (good && (argc - optind != (q.follow ? 1 : 2) || (!q.follow && !on && !off)))
		ctl_say(&q.ctl, CTL_USAGE, "want the name of a link, and on, off, or --follow");
	else if (good && (strlen(q.link) > 64 || (q.why != NULL && strlen(q.why) > 300)))
		ctl_say(&q.ctl, CTL_USAGE, "a link's name has at most 64 octets, --why at most 300");
	else if (good && ctl_find_mta(&q.ctl))
		q.ctl.status = q.follow ? begin_and_follow(&q) : on ? begin(&q) : turn(&q, false);
	ctl_end(&q.ctl);
	return q.ctl.status;
}
