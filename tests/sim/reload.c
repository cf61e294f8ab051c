/* reload.c - the settings of the three MTAs change at random times, under load and with all the other trouble: links get other names
 * (the old one removed, with its queue), a second link to the same peer comes, carries the mail instead of the first or with it, and goes; intervals change;
 * one side has another password for a while, so that nothing gets through. Each process takes them some time after the others, some of them
 * only the version after. Nothing may be lost, nothing come twice, and no queue be left with anything in it. At times the two links share
 * the mail: what was not confirmed by the one may go by the other, says so in its trace, and must be known for a duplicate. */
#include "sim_int.h"

#include "base/mem.h"

enum { NAMINGS = 5, AFTER_MS = 3000, EVERY_MS = 4000, LATE_MS = 400 };

struct word {
	struct process *p;
	struct mta *mta;
	struct timer timer;
};

/* The supervisor's word comes; meanwhile there may be a newer version, or a new process that was born with it. */
static void on_word(void *ctx)
{
	struct word *w = ctx;
	struct version *v = w->mta->version;
	if (mta_uses_settings(w->p) && w->p->has != NULL && w->p->has->number < v->number)
		mta_take_version(w->p, v);
	free(w);
}

static void tell(struct mta *t, struct process *p)
{
	struct sim *m = t->sim;
	struct word *w = mem_zero(sizeof *w);
	*w = (struct word){ .p = p, .mta = t };
	timer_init(&w->timer, sim_env(m->god), on_word, w);
	timer_after(&w->timer, world_random(m->w, 3) == 0 ? 0 : (int64_t)world_random(m->w, LATE_MS));
}

static void change(struct mta *t)
{
	struct sim *m = t->sim;
	mta_new_version(t);
	m->reloads++;
	if (m->run.verbose)
		printf("%8lld  %c: settings %u, names %u, interval %u%s\n", (long long)world_now_ms(m->w), t->name, t->version->number, t->names,
		       t->interval, t->odd_password ? ", the wrong password" : "");
	tell(t, &t->sw);
	for (int i = 0; i < POSTS; i++)
		if (t->posts[i].kind != PROCESS_CONTENT)
			tell(t, &t->posts[i]);
}

static void on_reload(void *ctx)
{
	struct sim *m = ctx;
	const bool over = world_now_ms(m->w) > TROUBLE_MS;
	for (unsigned i = 0; i < MTAS && over; i++) {
		struct mta *t = &m->mta[i];
		t->odd_password = false;
		t->interval = 2;
		t->names = (unsigned)world_random(m->w, NAMINGS);
		change(t);
	}
	if (over)
		return;
	struct mta *t = &m->mta[world_random(m->w, MTAS)];
	t->names = world_random(m->w, 3) == 0 ? t->names : (unsigned)world_random(m->w, NAMINGS);
	t->interval = 1 + (unsigned)world_random(m->w, 4);
	t->odd_password = world_random(m->w, 4) == 0;
	change(t);
	timer_after(&m->reload, world_random(m->w, 4) == 0 ? 1 : 100 + (int64_t)world_random(m->w, EVERY_MS));
}

/* Everybody uses the last ones. */
bool reload_is_over(const struct sim *m)
{
	for (unsigned i = 0; i < MTAS; i++) {
		const struct mta *t = &m->mta[i];
		for (int k = 0; k <= POSTS; k++) {
			const struct process *p = k == POSTS ? &t->sw : &t->posts[k];
			if (p->kind != PROCESS_CONTENT && p->has != NULL && p->has != t->version)
				return false;
		}
	}
	return !timer_is_set(&m->reload);
}

void reload_begin(struct sim *m)
{
	timer_init(&m->reload, sim_env(m->god), on_reload, m);
	timer_after(&m->reload, AFTER_MS);
}
