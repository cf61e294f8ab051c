/* main.c - a process of a mover in the real world. */
#include "proc/mover/mover.h"

#include "proc/table/process_main.h"

#include <sys/stat.h>

struct mover_process {
	struct process_main main;
	struct mover *mover;
	uint32_t instance;
};

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	(void)ctx;
	(void)kind;
	(void)instance;
	(void)bulk;
	stream_close(&s, false); /* a mover needs nobody */
}

static void on_accepted(void *ctx, const char *listener, struct stream *s)
{
	(void)ctx;
	(void)listener;
	stream_close(&s, false);
}

static void on_peer_died(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct mover_process *p = ctx;
	(void)words;
	if (kind == PROCESS_MOVER && instance == p->instance)
		mover_predecessor_died(p->mover, by_fault, note);
}

/* What else it reads of them is in its key: with another one it is started anew. */
static void on_settings(void *ctx)
{
	struct mover_process *p = ctx;
	process_main_levels(&p->main);
}

/* A message in hand is left as a crash would leave it, but for the files that no journal names. */
static void on_stop(void *ctx)
{
	struct mover_process *p = ctx;
	process_finished(p->main.process, 0);
}

int mover_main(uint32_t instance)
{
	struct mover_process p = { .instance = instance };
	const struct set_mover *set;
	const char *peer;
	process_main_begin(&p.main, PROCESS_MOVER, instance);
	umask(S_IRWXO); /* what it writes is for a file server's other users; its files in the store say themselves that they are not */
	const struct settings *s = p.main.settings;
	if (!settings_mover_at(s, instance, &set, &peer)) {
		fprintf(stderr, "posthorn: mover: the settings have no process %u\n", (unsigned)instance);
		process_main_end(&p.main);
		return 78; /* EX_CONFIG */
	}
	p.mover = mover_new(&p.main.host, set, peer, s->store.directory, (unsigned)s->limits.strikes);
	const struct process_events events = { .peer = on_peer, .accepted = on_accepted, .peer_died = on_peer_died, .stop = on_stop, .settings = on_settings };
	const int status = process_main_run(&p.main, &events, &p);
	mover_free(&p.mover);
	process_main_end(&p.main);
	return status;
}
