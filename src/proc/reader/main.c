/* main.c - the reader process in the real world. */
#include "proc/reader/reader.h"

#include "proc/table/process_main.h"

struct reader_process {
	struct process_main main;
	struct reader *reader;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	(void)ctx;
	(void)kind;
	(void)instance;
	(void)bulk;
	stream_close(&s, false); /* the reader needs nobody: it reads what the switch has made durable */
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	struct reader_process *p = ctx;
	(void)listener;
	reader_accepted(p->reader, s);
}

static void on_stop(void *ctx)
{
	struct reader_process *p = ctx;
	process_finished(p->main.process, 0);
}

static void take_settings(void *ctx, const struct settings *old, const struct settings *now)
{
	struct reader_process *p = ctx;
	(void)old;
	reader_settings(p->reader, now);
}

static void on_settings(void *ctx)
{
	struct reader_process *p = ctx;
	process_main_settings(&p->main, take_settings, p);
}

int reader_main(uint32_t instance)
{
	struct reader_process p = { 0 };
	char path[300];
	process_main_begin(&p.main, PROCESS_READER, instance);
	snprintf(path, sizeof path, "%s/store.db", p.main.settings->store.directory);
	p.reader = reader_new(&p.main.host, p.main.settings, path);
	reader_set_board(p.reader, process_board(p.main.process));
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .stop = on_stop, .settings = on_settings };
	int status = process_main_run(&p.main, &events, &p);
	reader_free(&p.reader);
	process_main_end(&p.main);
	return status;
}
