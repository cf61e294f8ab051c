/* main.c - the interchange in the real world. */
#include "proc/interchange/interchange.h"

#include "proc/table/process_main.h"

#include <sys/stat.h>

struct interchange_process {
	struct process_main main;
	struct interchange *interchange;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct interchange_process *p = ctx;
	(void)instance;
	if (kind == PROCESS_SWITCH)
		interchange_adopt_switch(p->interchange, bulk, s);
	else if (kind == PROCESS_CONVERTER)
		interchange_adopt_converter(p->interchange, bulk, s);
	else
		stream_close(&s, false);
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	(void)ctx;
	(void)listener;
	stream_close(&s, false); /* it has no listeners */
}

static void on_peer_died(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct interchange_process *p = ctx;
	(void)instance;
	interchange_peer_died(p->interchange, kind, by_fault, words, note);
}

static void on_finished(void *ctx)
{
	struct interchange_process *p = ctx;
	process_finished(p->main.process, 0);
}

/* What else it reads of them is in its key: with another one it is started anew. */
static void on_settings(void *ctx)
{
	struct interchange_process *p = ctx;
	process_main_levels(&p->main);
}

static void on_stop(void *ctx)
{
	struct interchange_process *p = ctx;
	interchange_stop(p->interchange, on_finished, p);
}

int interchange_main(uint32_t instance)
{
	struct interchange_process p = { 0 };
	process_main_begin(&p.main, PROCESS_INTERCHANGE, instance);
	umask(S_IRWXO); /* what it writes is for a file server's other users, clients and gateways; its files in the store say themselves that they are not */
	const struct setting_list *links = &p.main.settings->links;
	if (instance >= links->n || ((const struct set_link *)links->v)[instance].kind != LINK_MSMAIL) {
		fprintf(stderr, "posthorn: interchange: link %u of the settings is not of kind msmail\n", instance);
		process_main_end(&p.main);
		return 78; /* EX_CONFIG */
	}
	p.interchange = interchange_new(&p.main.host, p.main.settings, instance);
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .peer_died = on_peer_died, .stop = on_stop, .settings = on_settings };
	const int status = process_main_run(&p.main, &events, &p);
	interchange_free(&p.interchange);
	process_main_end(&p.main);
	return status;
}
