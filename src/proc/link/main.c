/* main.c - the link process in the real world. */
#include "proc/link/link.h"

#include "base/mem.h"
#include "proc/table/config.h"
#include "proc/table/process_main.h"
#include "sys/descriptors.h"

struct link_process {
	struct process_main main;
	struct link *link;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct link_process *p = ctx;
	(void)instance;
	if (kind == PROCESS_SWITCH)
		link_adopt_switch(p->link, bulk, s);
	else
		stream_close(&s, false);
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	struct link_process *p = ctx;
	link_accepted(p->link, s, strcmp(listener, CONFIG_LISTENER_TLS) == 0);
}

static void on_finished(void *ctx)
{
	struct link_process *p = ctx;
	process_finished(p->main.process, 0);
}

static void on_stop(void *ctx)
{
	struct link_process *p = ctx;
	link_stop(p->link, on_finished, p);
}

/* One more than the settings of before allow may be open: the system is asked for them first. */
static void take_settings(void *ctx, const struct settings *old, const struct settings *now)
{
	struct link_process *p = ctx;
	(void)old;
	link_settings(p->link, now);
	link_clamp(p->link, descriptors_allow(2 * (size_t)now->limits.associations + 64));
}

static void on_settings(void *ctx)
{
	struct link_process *p = ctx;
	process_main_settings(&p->main, take_settings, p);
}

static int run(enum process_kind kind, uint32_t instance)
{
	struct link_process p = { 0 };
	process_main_begin(&p.main, kind, instance);
	p.link = link_new(&p.main.host, p.main.settings, instance);
	if (kind == PROCESS_ALONE)
		link_alone(p.link);
	const size_t associations = (size_t)p.main.settings->limits.associations;
	link_clamp(p.link, descriptors_allow(2 * associations + 64)); /* those over the limit are answered, up to twice as many */
	const struct process_events events = { .settings = on_settings, .peer = on_peer, .accepted = on_accepted, .stop = on_stop };
	int status = process_main_run(&p.main, &events, &p);
	link_free(&p.link);
	process_main_end(&p.main);
	return status;
}

int link_main(uint32_t instance)
{
	return run(PROCESS_LINK, instance);
}

int link_alone_main(uint32_t instance)
{
	return run(PROCESS_ALONE, instance);
}
