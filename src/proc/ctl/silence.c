/* silence.c - a process of the MTA does not answer: which one, since when, and what the supervisor will do. The reader is asked, who answers when the
 * switch does not: the supervisor lets him read what it knows (board.h). */
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

static void put_end(struct out *o, struct view row, uint64_t since_ms)
{
	char text[WHEN_MAX];
	const uint64_t watchdog = number(row, "watchdog");
	if (number(row, "hung") != 0)
		out_str(o, "; the supervisor is ending it, and starts it again");
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

static void on_row(struct ctl *c, struct view row)
{
	char text[WHEN_MAX];
	struct out o;
	const uint64_t written = number(row, "written");
	out_init(&o, TEXT_MAX);
	put_row(c, &o, row);
	ctl_say(c, CTL_SILENT, "%s", out_cstr(&o));
	if (written + SUPERVISOR_MS < (uint64_t)moment_wall_ms())
		ctl_say(c, CTL_SILENT, "the supervisor itself (process %" PRIu64 ") was heard of last at %s", number(row, "supervisor"), when(text, written));
	out_fini(&o);
}

int ctl_say_silence(struct ctl *c)
{
	const struct ctl was = *c;
	const char *kind = kind_of(c);
	uint64_t after = 0;
	ctl_say(c, CTL_SILENT, "%s/%s: the %s does not answer (for %" PRIu64 " s now); %s", c->directory, c->socket, kind, c->patience_ms / 1000,
		c->greeted ? "what was asked may have been done, or may be done yet" : "nothing was asked of it");
	if (c->silent)
		return CTL_SILENT;
	c->begin = c->end = NULL;
	c->endless = false;
	c->is_silent = true; /* when the reader does not answer either it is not asked about */
	if (c->patience_ms < ASK_MS)
		c->patience_ms = ASK_MS;
	if (strcmp(kind, "reader") == 0 || ctl_ask(c, ASK_PROCESSES, kind, "", &after, 1, on_row) != CTL_DONE)
		ctl_say(c, CTL_SILENT, "more is not known: the reader, who would be asked, does not answer; the supervisor ends a process that does not answer it "
				       "for processes.watchdog");
	c->begin = was.begin;
	c->end = was.end;
	c->endless = was.endless;
	c->is_silent = was.is_silent;
	c->patience_ms = was.patience_ms;
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
	const struct ctl was = *c;
	uint64_t after = 0;
	c->is_silent = c->silent = true;
	if (c->patience_ms == 0 || c->patience_ms > STATUS_MS)
		c->patience_ms = STATUS_MS;
	if (ctl_ask(c, ASK_PROCESSES, "", "", &after, 1, on_process) != CTL_DONE && !c->json)
		puts("process reader does not answer: more is not known of processes");
	c->is_silent = was.is_silent;
	c->silent = was.silent;
	c->patience_ms = was.patience_ms;
	c->status = was.status;
}
