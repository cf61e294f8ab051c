/* main.c - the content process in the real world: in its jail before it is given its first stream. */
#include "proc/content/content.h"

#include "flow/codec/charset/charset.h"
#include "flow/message/message.h"
#include "proc/table/process_main.h"
#include "sys/jail.h"

enum { FILES_MAX = 64 };

struct content_process {
	struct process_main main;
	struct charset_kit *kit;
	struct gdi domain;
	struct arena *arena; /* of domain */
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

/* What else it reads of them is in its key: with another one it is started anew. */
static void on_settings(void *ctx)
{
	struct content_process *p = ctx;
	process_main_levels(&p->main);
}

static void on_stop(void *ctx)
{
	struct content_process *p = ctx;
	process_finished(p->main.process, 0);
}

/* That the settings' domain is one is the switch's question. */
static void read_domain(struct content_process *p)
{
	struct oraddr addr;
	p->arena = arena_new(64 * 1024);
	if (!oraddr_parse(view_str(p->main.settings->mta.domain), &addr, p->arena, ORADDR_CARRY, NULL))
		return;
	for (size_t i = 0; i < addr.n; i++) {
		const struct gdi_part part = { addr.v[i].form, addr.v[i].value };
		if (addr.v[i].type == ORA_COUNTRY)
			p->domain.country = part;
		else if (addr.v[i].type == ORA_ADMD)
			p->domain.admd = part;
		else if (addr.v[i].type == ORA_PRMD)
			p->domain.prmd = part;
	}
	p->domain.has_prmd = p->domain.prmd.value.n > 0;
}

int content_main(uint32_t instance)
{
	struct content_process p = { 0 };
	struct err e;
	struct render_limits limits = render_limits_default();
	process_main_begin(&p.main, PROCESS_CONTENT, instance);
	const struct set_processes *s = &p.main.settings->processes;
	const struct jail_limits jail = { .memory = (size_t)s->content_memory, .files = FILES_MAX };
	p.kit = charset_kit_new();
	read_domain(&p);
	limits.elements = (size_t)p.main.settings->limits.elements;
	if (!jail_enter(JAIL_CONTENT, &jail, jail_build_flags(), &e)) {
		fprintf(stderr, "posthorn: content: %s\n", e.text);
		charset_kit_free(&p.kit);
		arena_free(&p.arena);
		process_main_end(&p.main);
		return 71; /* EX_OSERR */
	}
	p.content = content_new(&p.main.host, &limits, (int64_t)s->content_ms, p.kit, &p.domain, instance);
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .stop = on_stop, .settings = on_settings };
	int status = process_main_run(&p.main, &events, &p);
	content_free(&p.content);
	charset_kit_free(&p.kit);
	arena_free(&p.arena);
	process_main_end(&p.main);
	return status;
}
