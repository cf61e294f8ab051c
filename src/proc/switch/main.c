/* main.c - the switch process in the real world. */
#include "proc/switch/switch.h"

#include "proc/table/process_main.h"

struct switch_process {
	struct process_main main;
	struct sw *sw;
};

static struct store *open_sqlite(void *ctx, const struct store_events *ev, void *ev_ctx, struct err *e)
{
	struct switch_process *p = ctx;
	const struct set_store *set = &p->main.settings->store;
	struct store_config c = { .path = "store.db", .inline_max = (size_t)set->inline_max, .cache_octets = set->cache };
	return store_open_sqlite(p->main.host.env, &c, ev, ev_ctx, e);
}

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct switch_process *p = ctx;
	if (kind == PROCESS_LINK || kind == PROCESS_ALONE || kind == PROCESS_CONTENT || kind == PROCESS_INTERCHANGE)
		switch_adopt_peer(p->sw, kind, instance, bulk, s);
	else
		stream_close(&s, false);
}

static void on_peer_died(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct switch_process *p = ctx;
	switch_peer_died(p->sw, kind, instance, by_fault, words, note);
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	struct switch_process *p = ctx;
	if (strcmp(listener, "control") == 0)
		switch_adopt_control(p->sw, s);
	else
		switch_adopt_connector(p->sw, s);
}

static void on_finished(void *ctx)
{
	struct switch_process *p = ctx;
	process_finished(p->main.process, 0);
}

static void on_stop(void *ctx)
{
	struct switch_process *p = ctx;
	switch_stop(p->sw, on_finished, p);
}

/* Those of before are gone when this returns. */
static void take_settings(void *ctx, const struct settings *old, const struct settings *now)
{
	struct switch_process *p = ctx;
	struct err e;
	(void)old;
	if (switch_settings(p->sw, now, &e))
		return;
	fprintf(stderr, "posthorn: switch: %s\n", e.text);
	exit(78); /* EX_CONFIG: its successor begins with them, or says so too */
}

static void on_settings(void *ctx)
{
	struct switch_process *p = ctx;
	process_main_settings(&p->main, take_settings, p);
}

static void on_reloaded(void *ctx, uint64_t id, enum process_reloaded how, struct view text)
{
	struct switch_process *p = ctx;
	switch_reloaded(p->sw, id, how, text);
}

int switch_main(uint32_t instance)
{
	struct switch_process p = { 0 };
	struct err e;
	process_main_begin(&p.main, PROCESS_SWITCH, instance);
	p.sw = switch_new(&p.main.host, p.main.settings, open_sqlite, &p, &e);
	if (p.sw == NULL) {
		fprintf(stderr, "posthorn: switch: %s\n", e.text);
		process_main_end(&p.main);
		return 73; /* EX_CANTCREAT: the store */
	}
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .peer_died = on_peer_died, .stop = on_stop,
					       .settings = on_settings, .reloaded = on_reloaded };
	int status = process_main_run(&p.main, &events, &p);
	switch_free(&p.sw);
	process_main_end(&p.main);
	return status;
}
