/* process_main.c - see process_main.h. */
#include "proc/table/process_main.h"

#include <unistd.h>

static void note(void *ctx, const char *text)
{
	process_note(ctx, "%s", text);
}

/* The supervisor keeps the sentence as last words and starts a successor. No fault signal: what this process had in hand is not
 * what ended it. */
static void die(void *ctx, const struct err *why)
{
	process_note(ctx, "%s", why->text);
	fprintf(stderr, "posthorn: %s\n", why->text);
	process_finished(ctx, 70); /* EX_SOFTWARE */
}

static void accuse(void *ctx, enum process_kind kind, uint32_t instance, const char *why)
{
	process_accuse(ctx, kind, instance, why);
}

void process_main_begin(struct process_main *m, enum process_kind kind, uint32_t instance)
{
	struct err e;
	m->process = process_begin(kind, instance);
	m->arena = arena_new(64 * 1024 * 1024);
	if (!settings_load(process_settings(m->process), "settings", &m->settings, m->arena, &e)) {
		fprintf(stderr, "posthorn: %s: %s\n", process_kind_name(kind), e.text);
		exit(78); /* EX_CONFIG */
	}
	char name[32];
	snprintf(name, sizeof name, "%s-%u", process_kind_name(kind), instance);
	struct env *env = process_env(m->process);
	m->host = (struct actor_host){ .env = env, .note = note, .die = die, .accuse = accuse, .ctx = m->process };
	m->host.log = event_log_new(env, event_kinds, EVENT_KINDS, name, STDERR_FILENO, m->settings.events == 1);
	event_log_set_level(m->host.log, EVENT_INFO);
}

int process_main_run(struct process_main *m, const struct process_events *events, void *ctx)
{
	char pid[16];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	EMIT(&m->host, PROCESS_READY, "pid", pid);
	return process_run(m->process, events, ctx);
}

void process_main_end(struct process_main *m)
{
	event_log_free(&m->host.log);
	arena_free(&m->arena);
	process_free(&m->process);
}
