/* main.c - the recorder process in the real world. */
#include "proc/recorder/recorder.h"

#include "base/mem.h"
#include "proc/table/process_main.h"
#include "sys/jail.h"
#include "sys/loop.h"

#include <errno.h>
#include <unistd.h>

enum { READ_OCTETS = 256 * 1024, EXIT_OSERR = 71 };

struct recorder_process {
	struct process_main main;
	struct recorder *recorder;
	struct loop_watch *watch;
	int lines;                 /* the pipe, -1: it has ended or was never there */
	bool stopping;
	uint8_t buf[READ_OCTETS];
};

static void end_when_read(struct recorder_process *p)
{
	if (!p->stopping || p->lines >= 0)
		return;
	event_emit(p->main.host.log, EV_RECORDER_ENDED, NULL);
	process_finished(p->main.process, 0);
}

static void close_lines(struct recorder_process *p)
{
	loop_watch_free(&p->watch);
	close(p->lines);
	p->lines = -1;
	end_when_read(p);
}

static void on_readable(void *ctx)
{
	struct recorder_process *p = ctx;
	ssize_t n = read(p->lines, p->buf, sizeof p->buf);
	if (n > 0)
		recorder_lines(p->recorder, view_of(p->buf, (size_t)n));
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_lines(p);
}

static void on_lines(void *ctx, int fd)
{
	struct recorder_process *p = ctx;
	p->lines = fd;
	p->watch = loop_watch_new(p->main.host.env, fd, on_readable, p);
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	struct recorder_process *p = ctx;
	(void)listener;
	recorder_accepted(p->recorder, s);
}

/* The supervisor says it when all others have ended, and has closed its end of the pipe: what is in it is read first. */
static void on_stop(void *ctx)
{
	struct recorder_process *p = ctx;
	p->stopping = true;
	end_when_read(p);
}

static void set_level(void *ctx, const char *category, unsigned level)
{
	struct recorder_process *p = ctx;
	process_level(p->main.process, category, level);
}

static void take(void *ctx, const struct settings *old, const struct settings *now)
{
	struct recorder_process *p = ctx;
	(void)old;
	recorder_set(p->recorder, &now->event_log);
}

static void on_settings(void *ctx)
{
	struct recorder_process *p = ctx;
	process_main_settings(&p->main, take, p);
}

int recorder_main(uint32_t instance)
{
	struct recorder_process *p = mem_zero(sizeof *p);
	p->lines = -1;
	process_main_begin(&p->main, PROCESS_RECORDER, instance);
	p->recorder = recorder_new(&p->main.host, &p->main.settings->event_log, set_level, p);
	recorder_set_board(p->recorder, process_board(p->main.process));
	struct err e;
	const struct process_events events = { .accepted = on_accepted, .stop = on_stop, .lines = on_lines, .settings = on_settings };
	int status = EXIT_OSERR;
	if (jail_enter(JAIL_FILES, NULL, jail_build_flags(), &e))
		status = process_main_run(&p->main, &events, p);
	else
		fprintf(stderr, "posthorn: recorder: %s\n", e.text);
	loop_watch_free(&p->watch);
	recorder_free(&p->recorder);
	process_main_end(&p->main);
	free(p);
	return status;
}
