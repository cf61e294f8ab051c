/* converter_main.c - the converter in the real world: map, code pages and settings first, then the jail, then its first stream. */
#include "proc/content/converter.h"

#include "proc/table/process_main.h"
#include "sys/jail.h"

enum { FILES_MAX = 64, EX_CONFIG = 78, EX_OSERR = 71, ENVELOPE_ROOM = 16 * 1024 * 1024, SIZES = 4 };

struct converter_process {
	struct process_main main;
	struct charset_kit *kit;
	struct arena *arena; /* of domain */
	struct gdi domain;
	struct converter *converter;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct converter_process *p = ctx;
	(void)instance;
	if (kind == PROCESS_INTERCHANGE)
		converter_adopt_interchange(p->converter, bulk, s);
	else
		stream_close(&s, false);
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	(void)ctx;
	(void)listener;
	stream_close(&s, false); /* the converter has no listeners */
}

/* What else it reads of them is in its key: with another one it is started anew. */
static void on_settings(void *ctx)
{
	struct converter_process *p = ctx;
	process_main_levels(&p->main);
}

static void on_stop(void *ctx)
{
	struct converter_process *p = ctx;
	process_finished(p->main.process, 0);
}

/* What the settings' check has let pass; names of our own postoffice that are none are as none (XLATE says them). */
static struct converter_config config_of(struct converter_process *p, const struct set_link *link)
{
	const struct set_msmail *m = &link->msmail;
	const struct settings *s = p->main.settings;
	struct converter_config x = {
		.addresses = m->addresses.v, .n_addresses = m->addresses.n, .own_domain = s->mta.domain, .kit = p->kit, .domain = &p->domain,
		.mta = s->mta.name, .code_page = (unsigned)m->code_page, .header_limit = (size_t)m->header_limit, .line_end = (enum ffapi_line_end)m->lines,
		.ffapi = m->ffapi_import[0] != 0 || m->ffapi_export[0] != 0, .scramble = mm_scramble_by_name(m->scramble),
		.message_max = (size_t)s->limits.message + ENVELOPE_ROOM, .arena = (size_t)s->processes.content_memory / 2,
		.budget_ms = (int64_t)s->processes.content_ms, .elements = (size_t)s->limits.elements,
	};
	if (x.scramble == NULL)
		x.scramble = &mm_scramble_none;
	if (!settings_zone_minutes(m->zone, &x.zone_minutes))
		x.zone_minutes = 0;
	snprintf(x.own.network, sizeof x.own.network, "%s", m->network);
	snprintf(x.own.postoffice, sizeof x.own.postoffice, "%s", m->name);
	return x;
}

static int refuse(struct converter_process *p, const char *why, int status)
{
	fprintf(stderr, "posthorn: converter: %s\n", why);
	converter_free(&p->converter);
	charset_kit_free(&p->kit);
	arena_free(&p->arena);
	process_main_end(&p->main);
	return status;
}

int converter_main(uint32_t instance)
{
	struct converter_process p = { 0 };
	struct err e;
	process_main_begin(&p.main, PROCESS_CONVERTER, instance);
	const struct settings *s = p.main.settings;
	const struct set_link *links = s->links.v;
	p.arena = arena_new(64 * 1024);
	if (instance >= s->links.n || links[instance].kind != LINK_MSMAIL)
		return refuse(&p, "its number is of no link of kind msmail", EX_CONFIG);
	if (!gdi_parse(view_str(s->mta.domain), &p.domain, p.arena, &e))
		return refuse(&p, e.text, EX_CONFIG);
	p.kit = charset_kit_new();
	charset_kit_load_pages(p.kit);
	const struct converter_config config = config_of(&p, &links[instance]);
	if (!converter_new(&p.main.host, &config, instance, &p.converter, &e))
		return refuse(&p, e.text, EX_CONFIG);
	/* A message and its result, and what is between them. */
	const struct jail_limits jail = { .memory = (size_t)s->processes.content_memory + SIZES * (config.message_max), .files = FILES_MAX };
	if (!jail_enter(JAIL_CONTENT, &jail, jail_build_flags(), &e))
		return refuse(&p, e.text, EX_OSERR);
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .stop = on_stop, .settings = on_settings };
	const int status = process_main_run(&p.main, &events, &p);
	converter_free(&p.converter);
	charset_kit_free(&p.kit);
	arena_free(&p.arena);
	process_main_end(&p.main);
	return status;
}
