/* process_main.c - see process_main.h. */
#include "proc/table/process_main.h"

#include "proc/table/settings_operate.h"

#include <unistd.h>

enum { SETTINGS_ARENA = 64 * 1024 * 1024, LEVELS_ARENA = 8 * 1024 * 1024 };

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

static const struct settings *read_settings(const struct process_main *m, struct arena *a, struct err *e)
{
	struct settings *s = arena_array(a, 1, sizeof *s);
	return s != NULL && settings_load(process_settings(m->process), "settings", s, a, e) ? s : NULL;
}

/* What is not to reach standard error has to be told from what has to: the supervisor knows JSON by its first octet. */
static bool wants_json(const struct settings *s)
{
	return s->events == 1 || !s->event_log.standard_error;
}

static void set_levels(struct process_main *m)
{
	const struct set_event_log *set = &m->settings->event_log;
	const char *const *levels = set->levels.v;
	struct arena *a = arena_new(LEVELS_ARENA);
	event_log_set_json(m->host.log, wants_json(m->settings));
	event_log_set_level(m->host.log, event_level_least((enum event_level)set->level));
	for (size_t i = 0; i < set->levels.n; i++) {
		const char *category;
		enum event_level level;
		if (settings_event_level(levels[i], &category, &level, a))
			(void)event_log_set_category(m->host.log, category, event_level_least(level)); /* there is such a category: settings_check_operate */
	}
	arena_free(&a);
}

static void reload(void *ctx, uint64_t id, bool dry, const char *who)
{
	process_reload(ctx, id, dry, who);
}

void process_main_begin(struct process_main *m, enum process_kind kind, uint32_t instance)
{
	struct err e = { 0 };
	m->process = process_begin(kind, instance);
	m->arena = arena_new(SETTINGS_ARENA);
	m->settings = read_settings(m, m->arena, &e);
	if (m->settings == NULL) {
		fprintf(stderr, "posthorn: %s: %s\n", process_kind_name(kind), e.text);
		exit(78); /* EX_CONFIG */
	}
	char name[32];
	snprintf(name, sizeof name, "%s-%u", process_kind_name(kind), instance);
	struct env *env = process_env(m->process);
	m->host = (struct actor_host){ .env = env, .note = note, .die = die, .accuse = accuse, .reload = reload, .ctx = m->process };
	m->host.log = event_log_new(env, event_kinds, EVENT_KINDS, name, STDERR_FILENO, false);
	if (kind != PROCESS_RECORDER) /* which has its own at hand */
		event_log_for_recorder(m->host.log);
	process_log(m->process, m->host.log);
	set_levels(m);
}

void process_main_settings(struct process_main *m, void (*take)(void *ctx, const struct settings *old, const struct settings *now), void *ctx)
{
	struct err e = { 0 };
	struct arena *a = arena_new(SETTINGS_ARENA);
	const struct settings *old = m->settings, *now = read_settings(m, a, &e);
	if (now == NULL) { /* who read them for the supervisor has found them right: this process is not what it was */
		arena_free(&a);
		die(m->process, &e);
		return;
	}
	struct arena *before = m->arena;
	m->settings = now;
	m->arena = a;
	set_levels(m);
	if (take != NULL)
		take(ctx, old, now);
	arena_free(&before);
}

void process_main_levels(struct process_main *m)
{
	struct err e = { 0 };
	struct arena *a = arena_new(SETTINGS_ARENA);
	const struct settings *kept = m->settings, *now = read_settings(m, a, &e);
	if (now != NULL) {
		m->settings = now;
		set_levels(m);
		m->settings = kept;
	}
	arena_free(&a);
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
