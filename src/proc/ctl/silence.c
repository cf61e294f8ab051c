/* silence.c - a process of the MTA does not answer: which one, since when, and what the supervisor will do. The reader is asked, who answers when the
 * switch does not, or the recorder: the supervisor lets them read what it knows (board.h). Of the supervisor itself the system is asked. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "sys/moment.h"

#include <inttypes.h>
#include <time.h>

enum {
	ASK_MS = 10 * 1000,         /* the reader has so long, where the command's own patience is shorter */
	SUPERVISOR_MS = 20 * 1000,  /* it writes each 5 s */
	STATUS_MS = 5 * 1000,       /* `status` waits no longer for the reader */
	QUIET_MS = 10 * 1000,       /* a process that is silent for so long, or not ready, is in trouble */
	LATELY_MS = 10 * 60 * 1000, /* so long it is told that one was started again */
	WHEN_MAX = 60, TEXT_MAX = 700,
};

static const char *kind_of(const struct ctl *c)
{
	return strcmp(c->socket, "read") == 0 ? "reader" : strcmp(c->socket, "events") == 0 ? "recorder" : "switch";
}

/* For a question of our own in the middle of the command's; back() gives back what is the command's. quiet: errors are not said either. */
static struct ctl aside(struct ctl *c, bool quiet)
{
	const struct ctl was = *c;
	c->begin = c->end = NULL;
	c->endless = c->supervisor_stopped = false;
	c->is_silent = true; /* who does not answer either is not asked about */
	c->silent = c->silent || quiet;
	return was;
}

static void back(struct ctl *c, const struct ctl *was)
{
	c->begin = was->begin;
	c->end = was->end;
	c->endless = was->endless;
	c->supervisor_stopped = was->supervisor_stopped;
	c->is_silent = was->is_silent;
	c->silent = was->silent;
	c->patience_ms = was->patience_ms;
	c->rows_of = was->rows_of;
	c->row_user = was->row_user;
	c->status = was->status;
}

static uint64_t number(struct view pairs, const char *name)
{
	uint64_t x = 0;
	return text_uint(ctl_octets(pairs, name), INT64_MAX, &x) ? x : 0;
}

/* "2026-11-22T21:40:00Z (8 s ago)" */
static const char *when(char text[WHEN_MAX], uint64_t at_ms)
{
	const time_t seconds = (time_t)(at_ms / 1000);
	const int64_t ago = (moment_wall_ms() - (int64_t)at_ms) / 1000;
	struct tm tm;
	size_t n = 0;
	text[0] = 0;
	if (gmtime_r(&seconds, &tm) != NULL)
		n = strftime(text, WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(text + n, WHEN_MAX - n, ago < 0 ? " (in %" PRId64 " s)" : " (%" PRId64 " s ago)", ago < 0 ? -ago : ago);
	return text;
}

/* What the system says it is at: 'T' stopped, 'D' in a call that does not end; 0: not known. */
static char state_of(uint64_t pid)
{
	char path[40], line[300] = "";
	snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	line[fread(line, 1, sizeof line - 1, f)] = 0;
	fclose(f);
	const char *end = strrchr(line, ')'); /* its name may have anything in it */
	return end != NULL && end[1] == ' ' ? end[2] : 0;
}

static void put_state(struct out *o, uint64_t pid)
{
	switch (state_of(pid)) {
	case 'T': out_fmt(o, " is stopped by a signal (kill -CONT %" PRIu64 " lets it go on)", pid); break;
	case 't': out_str(o, " is stopped by a debugger"); break;
	case 'D': out_str(o, " waits for a disk or a file server"); break;
	default: out_str(o, " is busy, or hangs"); break;
	}
}

static bool is_stopped(uint64_t pid)
{
	const char state = pid == 0 ? 0 : state_of(pid);
	return state == 'T' || state == 't';
}

static void put_end(struct out *o, struct view row, uint64_t since_ms)
{
	char text[WHEN_MAX];
	const uint64_t watchdog = number(row, "watchdog");
	if (number(row, "hung") != 0)
		out_str(o, "; the supervisor is ending it, and starts it again");
	else if (is_stopped(number(row, "supervisor")))
		out_str(o, "; nobody ends it, since the supervisor is stopped, too");
	else if (watchdog == 0)
		out_str(o, "; nobody ends it (processes.watchdog is 0)");
	else
		out_fmt(o, "; the supervisor ends it and starts it again when it has not for %" PRIu64 " s (processes.watchdog), at about %s", watchdog / 1000,
			when(text, since_ms + watchdog));
}

static void put_row(struct ctl *c, struct out *o, struct view row)
{
	char text[WHEN_MAX];
	const uint64_t pid = number(row, "pid"), silent = number(row, "silent"), answered = number(row, "answered");
	out_str(o, ctl_value(c, row, "name"));
	if (pid == 0 && number(row, "restart") != 0) {
		out_fmt(o, " does not run: it ended by %s; it is started again at %s", ctl_value(c, row, "words"), when(text, number(row, "restart")));
		return;
	}
	if (pid == 0) {
		out_str(o, " does not run");
		return;
	}
	out_fmt(o, " (process %" PRIu64 ")", pid);
	put_state(o, pid);
	if (number(row, "ready") == 0)
		out_fmt(o, "; it was started at %s and is not ready yet", when(text, number(row, "started")));
	else
		out_fmt(o, "; it answered the supervisor last at %s", when(text, answered));
	put_end(o, row, number(row, "ready") == 0 ? number(row, "started") : silent != 0 ? silent : answered);
}

/* --- the supervisor --- */

static void say_stopped(struct ctl *c, uint64_t pid, uint64_t heard_ms)
{
	char text[WHEN_MAX];
	struct out o;
	out_init(&o, TEXT_MAX);
	out_fmt(&o, "the supervisor (process %" PRIu64 ")", pid);
	put_state(&o, pid);
	if (heard_ms != 0)
		out_fmt(&o, "; it was heard of last at %s", when(text, heard_ms));
	ctl_say(c, c->status, "%s; as long as that is so, no process that ends or hangs is started again, and no settings are taken", out_cstr(&o));
	out_fini(&o);
}

/* Its lock says who it is; nothing: we may not read that. */
static uint64_t pid_of_lock(const struct ctl *c)
{
	char path[320], text[24] = "";
	uint64_t pid = 0;
	snprintf(path, sizeof path, "%s/posthorn.lock", c->directory);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	const size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	return text_uint(view_of(text, n > 0 && text[n - 1] == '\n' ? n - 1 : n), INT32_MAX, &pid) ? pid : 0;
}

struct supervisor {
	uint64_t pid, written;
};

static void on_supervisor(struct ctl *c, struct view row)
{
	struct supervisor *s = c->row_user;
	*s = (struct supervisor){ number(row, "supervisor"), number(row, "written") };
}

/* What is on the board of it; zeros when nobody says. */
static struct supervisor ask_supervisor(struct ctl *c)
{
	const struct ctl was = aside(c, true);
	struct supervisor s = { 0 };
	uint64_t after = 0;
	c->row_user = &s;
	(void)ctl_ask(c, ASK_PROCESSES, "reader", "", &after, 1, on_supervisor);
	back(c, &was);
	return s;
}

bool ctl_supervisor_is_stopped(struct ctl *c)
{
	return is_stopped(pid_of_lock(c));
}

void ctl_say_supervisor(struct ctl *c)
{
	const struct supervisor s = ask_supervisor(c);
	const uint64_t pid = s.pid != 0 ? s.pid : pid_of_lock(c);
	if (is_stopped(pid))
		say_stopped(c, pid, s.written);
}

/* --- a process --- */

static void on_row(struct ctl *c, struct view row)
{
	char text[WHEN_MAX];
	struct out o;
	const uint64_t written = number(row, "written");
	out_init(&o, TEXT_MAX);
	put_row(c, &o, row);
	ctl_say(c, CTL_SILENT, "%s", out_cstr(&o));
	if (is_stopped(number(row, "supervisor")))
		say_stopped(c, number(row, "supervisor"), written);
	else if (written + SUPERVISOR_MS < (uint64_t)moment_wall_ms())
		ctl_say(c, CTL_SILENT, "the supervisor itself (process %" PRIu64 ") was heard of last at %s", number(row, "supervisor"), when(text, written));
	out_fini(&o);
}

/* socket: of whom is asked. kind empty: of all processes. */
static bool ask_processes(struct ctl *c, const char *socket, const char *kind, ctl_row_f *row)
{
	uint64_t after = 0;
	c->rows_of = socket;
	return ctl_ask(c, ASK_PROCESSES, kind, "", &after, 1, row) == CTL_DONE;
}

/* Those who know, but for the one that is asked for: it does not answer. */
static bool ask_others(struct ctl *c, const char *kind)
{
	return (strcmp(kind, "reader") != 0 && ask_processes(c, "read", kind, on_row)) ||
	       (strcmp(kind, "recorder") != 0 && ask_processes(c, "events", kind, on_row));
}

int ctl_say_silence(struct ctl *c)
{
	const char *kind = kind_of(c);
	if (c->supervisor_stopped) {
		ctl_say_supervisor(c);
		return c->status = CTL_SILENT;
	}
	ctl_say(c, CTL_SILENT, "%s/%s: the %s does not answer (for %" PRIu64 " s now); %s", c->directory, c->socket, kind, c->patience_ms / 1000,
		c->greeted ? "what was asked may have been done, or may be done yet" : "nothing was asked of it");
	if (c->silent)
		return CTL_SILENT;
	const struct ctl was = aside(c, false);
	if (c->patience_ms < ASK_MS)
		c->patience_ms = ASK_MS;
	if (!ask_others(c, kind)) {
		ctl_say(c, CTL_SILENT, "more is not known: nobody who would be asked, the reader or the recorder, answers; the supervisor ends a process that does not "
				       "answer it for processes.watchdog");
		if (ctl_supervisor_is_stopped(c))
			say_stopped(c, pid_of_lock(c), 0);
	}
	back(c, &was);
	return c->status = CTL_SILENT;
}

/* --- what `status` tells of processes --- */

static bool is_in_trouble(struct view row, uint64_t now)
{
	const uint64_t silent = number(row, "silent");
	return number(row, "pid") == 0 || number(row, "hung") != 0 || (silent != 0 && silent + QUIET_MS < now) ||
	       (number(row, "ready") == 0 && number(row, "started") + QUIET_MS < now);
}

static void on_process(struct ctl *c, struct view row)
{
	const uint64_t now = (uint64_t)moment_wall_ms();
	const bool in_trouble = is_in_trouble(row, now);
	const bool is_new = ctl_octets(row, "words").n > 0 && number(row, "started") + LATELY_MS > now;
	char text[WHEN_MAX];
	struct out o;
	if (number(row, "stopping") != 0 || (!in_trouble && !is_new))
		return;
	if (c->json) {
		ctl_print_json(row);
		return;
	}
	out_init(&o, TEXT_MAX);
	if (in_trouble)
		put_row(c, &o, row);
	else
		out_fmt(&o, "%s (process %" PRIu64 ") was started again at %s: it had ended by %s", ctl_value(c, row, "name"), number(row, "pid"),
			when(text, number(row, "started")), ctl_value(c, row, "words"));
	printf("process %s\n", out_cstr(&o));
	out_fini(&o);
}

void ctl_processes(struct ctl *c)
{
	const struct ctl was = aside(c, true);
	if (c->patience_ms == 0 || c->patience_ms > STATUS_MS)
		c->patience_ms = STATUS_MS;
	if (!ask_processes(c, "read", "", on_process)) {
		if (!c->json)
			puts("process reader does not answer");
		if (!ask_processes(c, "events", "", on_process) && !c->json)
			puts("process recorder does not answer: more is not known of processes");
	}
	back(c, &was);
}
