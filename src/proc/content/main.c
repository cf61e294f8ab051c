/* main.c - the content process in the real world: in its jail before it is given its first stream. */
#include "proc/content/content.h"

#include "flow/codec/charset/charset.h"
#include "proc/table/process_main.h"
#include "sys/jail.h"

enum { FILES_MAX = 64 };

struct content_process {
	struct process_main main;
	struct charset_kit *kit;
	struct content *content;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct content_process *p = ctx;
	(void)instance;
	if (kind == PROCESS_SWITCH)
		content_adopt_switch(p->content, bulk, s);
	else
		stream_close(&s, false);
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	(void)ctx;
	(void)listener;
	stream_close(&s, false); /* the content process has no listeners */
}

static void on_stop(void *ctx)
{
	struct content_process *p = ctx;
	process_finished(p->main.process, 0);
}

int content_main(uint32_t instance)
{
	struct content_process p = { 0 };
	struct err e;
	struct render_limits limits = render_limits_default();
	process_main_begin(&p.main, PROCESS_CONTENT, instance);
	const struct set_processes *s = &p.main.settings.processes;
	const struct jail_limits jail = { .memory = (size_t)s->content_memory, .files = FILES_MAX };
	p.kit = charset_kit_new();
	limits.elements = (size_t)p.main.settings.limits.elements;
	if (!jail_enter(JAIL_CONTENT, &jail, jail_build_flags(), &e)) {
		fprintf(stderr, "posthorn: content: %s\n", e.text);
		charset_kit_free(&p.kit);
		process_main_end(&p.main);
		return 71; /* EX_OSERR */
	}
	p.content = content_new(&p.main.host, &limits, (int64_t)s->content_ms, p.kit, instance);
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .stop = on_stop };
	int status = process_main_run(&p.main, &events, &p);
	content_free(&p.content);
	charset_kit_free(&p.kit);
	process_main_end(&p.main);
	return status;
}
