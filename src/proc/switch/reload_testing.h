/* reload_testing.h - for tests only: a bench that is given other settings while it runs. The arena of the old ones is freed each time: under the
 * sanitizer whatever still points there is found. Include after cmocka.h. */
#pragma once
#include "proc/switch/switch_testing.h"
#include "proc/table/settings_change.h" /* settings_hash */

struct at {
	struct bench *b;
	struct arena *in;      /* the settings of now */
	struct settings *now;
	struct player *p;      /* the link process */
};

static inline void settled(const struct at *t)
{
	say_count(t->p->control, MSG_SETTLED, settings_hash(t->now), 0);
	fake_env_settle(t->b->env);
}

/* The switch has them; the link process has not said so. */
static inline void given(struct at *t, const char *yaml)
{
	struct err e;
	struct arena *before = t->in;
	t->in = arena_new((size_t)64 << 20);
	t->now = arena_get(t->in, sizeof *t->now);
	if (!settings_load(view_str(yaml), "test", t->now, t->in, &e) || !switch_settings(t->b->sw, t->now, &e))
		fail_msg("%s", e.text);
	arena_free(&before);
	fake_env_settle(t->b->env);
}

static inline void reload(struct at *t, const char *yaml)
{
	given(t, yaml);
	settled(t);
	fake_env_pass(t->b->env, 200); /* slices */
}

static inline struct at begin(const char *yaml)
{
	struct at t = { .b = bench_with(yaml) };
	t.p = &t.b->link[0];
	bench_join(t.b, t.p, PROCESS_LINK, 1);
	reload(&t, yaml); /* from an arena of its own */
	return t;
}

static inline void end(struct at *t)
{
	bench_free(t->b);
	arena_free(&t->in);
}
