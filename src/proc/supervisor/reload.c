/* reload.c - see reload.h. */
#include "proc/supervisor/supervisor_int.h"

#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_PATIENCE_MS = 60 * 1000, /* with the file; or the watchdog's, where that is shorter */
	KILL_PATIENCE_MS = 2000,      /* with a child that was killed */
	TAKE_PATIENCE_MS = 10 * 1000, /* with those that take the settings: who does not is the watchdog's */
	CHANGES_TOLD = 50,            /* as events of their own */
};

static void start_next(struct supervisor *s);

/* --- answers --- */

static void on_patience(void *ctx);

void reload_init(struct supervisor *s, const struct config_reader *reader, const char *path)
{
	struct reload *r = &s->reload;
	r->reader = reader;
	r->path = path;
	r->settings = -1;
	reread_init(&r->reread);
	out_init(&r->text, REREAD_TEXT_MAX);
	timer_init(&r->patience, &s->env, on_patience, s);
}

void reload_fini(struct supervisor *s)
{
	struct reload *r = &s->reload;
	timer_stop(&r->patience);
	reread_fini(&r->reread);
	doors_drop(&s->doors, &r->doors);
	if (r->settings >= 0)
		close(r->settings);
	r->settings = -1;
	out_fini(&r->text);
}

/* The text travels as a file: no message is so long. Without descriptors the asker hears nothing, and the events say it. */
static void answer(const struct reload_wish *w, enum process_reloaded how, struct view text)
{
	struct post *p = w->asker;
	if (p == NULL || p->c.pid == 0 || p->c.life != w->life)
		return;
	int fd = memfd_create("posthorn-answer", MFD_CLOEXEC);
	if (fd < 0)
		return;
	if (!start_write_all(fd, text)) {
		close(fd);
		return;
	}
	const struct wire_msg m = { .type = WIRE_RELOADED, .number = w->id, .flag = (uint32_t)how };
	child_say(&p->c, &m, &fd, 1);
}

/* Every change is an event of its own, so that it is known later who has changed what. */
static void tell_changes(struct supervisor *s, const char *who, struct view text)
{
	char line[1000], n[24];
	size_t all = 0;
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t len = end == NULL ? text.n : (size_t)(end - text.p);
		snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1), (const char *)text.p);
		if (all++ < CHANGES_TOLD)
			event_emit(s->log, EV_CONFIG_CHANGED, "what", line, "who", who, NULL);
		text = view_from(text, len + (end != NULL));
	}
	event_emit(s->log, EV_CONFIG_RELOADED, "who", who, "changes", supervisor_number(n, all), NULL);
}

static void tell(struct supervisor *s, const struct reload_wish *w, enum process_reloaded how, struct out *text)
{
	if (w->dry)
		return;
	switch (how) {
	case PROCESS_RELOADED:
		tell_changes(s, w->who, out_view(text));
		return;
	case PROCESS_RELOAD_SAME:
		event_emit(s->log, EV_CONFIG_SAME, "who", w->who, NULL);
		return;
	case PROCESS_RELOAD_DRY:
		return;
	case PROCESS_RELOAD_REFUSED:
		event_emit(s->log, EV_CONFIG_REFUSED, "who", w->who, "why", out_cstr(text), NULL);
		return;
	case PROCESS_RELOAD_WRONG:
		event_emit(s->log, EV_CONFIG_WRONG, "who", w->who, "why", out_cstr(text), NULL);
		return;
	}
}

/* The wish under way is over; on with the next. */
static void over(struct supervisor *s, enum process_reloaded how)
{
	struct reload *r = &s->reload;
	tell(s, &r->wishes[0], how, &r->text);
	answer(&r->wishes[0], how, out_view(&r->text));
	timer_stop(&r->patience);
	out_clear(&r->text);
	r->state = RELOAD_IDLE;
	memmove(r->wishes, r->wishes + 1, --r->n * sizeof r->wishes[0]);
	start_next(s);
}

static void over_since(struct supervisor *s, enum process_reloaded how, const char *why)
{
	out_clear(&s->reload.text);
	out_str(&s->reload.text, why);
	over(s, how);
}

/* --- wishes --- */

static void start_next(struct supervisor *s)
{
	struct reload *r = &s->reload;
	struct err e;
	const uint64_t limit = s->plan.watchdog_ms;
	if (r->n == 0 || r->state != RELOAD_IDLE)
		return;
	if (r->reread.pid != 0) {
		timer_after(&r->patience, KILL_PATIENCE_MS);
	} else if (!reread_begin(&r->reread, r->reader, r->path, s->settings, &e)) {
		over_since(s, PROCESS_RELOAD_REFUSED, e.text);
	} else {
		r->state = RELOAD_READING;
		timer_after(&r->patience, limit != 0 && limit < READ_PATIENCE_MS ? (int64_t)limit : READ_PATIENCE_MS);
	}
}

static void wish(struct supervisor *s, const struct reload_wish *w)
{
	struct reload *r = &s->reload;
	if (s->stage != STAGE_RUN || r->n == RELOAD_WISHES_MAX) {
		const struct view why = view_str(s->stage != STAGE_RUN ? "it is being ended" : "too many others want to reload");
		answer(w, PROCESS_RELOAD_REFUSED, why);
		return;
	}
	r->wishes[r->n++] = *w;
	start_next(s);
}

void reload_ask(struct post *asker, const struct wire_msg *m)
{
	struct reload_wish w = { .asker = asker, .life = asker->c.life, .id = m->number, .dry = m->flag != 0 };
	snprintf(w.who, sizeof w.who, "%.*s", RELOAD_WHO_MAX - 1, m->text);
	wish(asker->s, &w);
}

void reload_hup(struct supervisor *s, uint32_t uid, uint32_t pid)
{
	struct reload_wish w = { .dry = false };
	snprintf(w.who, sizeof w.who, "SIGHUP (uid %u, process %u)", (unsigned)uid, (unsigned)pid);
	wish(s, &w);
}

/* --- what changes --- */

static const struct plan_process *planned(const struct plan *plan, const struct child *c)
{
	for (size_t i = 0; i < plan->n_processes; i++)
		if (plan->processes[i].kind == c->kind && plan->processes[i].instance == c->instance)
			return &plan->processes[i];
	return NULL;
}

static struct post *post_of(struct supervisor *s, const struct plan_process *x)
{
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].used && s->posts[i].c.kind == x->kind && s->posts[i].c.instance == x->instance)
			return &s->posts[i];
	return NULL;
}

/* Everything that may still fail, before anything is done. */
static bool prepare(struct supervisor *s, struct err *e)
{
	struct reload *r = &s->reload;
	size_t places = POSTS_MAX;
	if (strcmp(r->plan.directory, s->plan.directory) != 0 || strcmp(r->plan.user, s->plan.user) != 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the directory and the user cannot change while it runs: restart");
	for (size_t i = 0; i < s->n_posts; i++)
		places -= s->posts[i].used;
	for (size_t i = 0; i < r->plan.n_processes; i++)
		if (post_of(s, &r->plan.processes[i]) == NULL && places-- == 0)
			return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "too many processes are still ending: try again");
	return doors_plan(&s->doors, &r->plan, &s->user, &r->doors, e);
}

static void decide(struct supervisor *s, struct post *p)
{
	const struct plan_process *x = planned(&s->reload.plan, &p->c);
	if (p->fate == POST_STAYS && x != NULL && x->key == p->key)
		return;
	p->fate = x == NULL ? POST_GOES : POST_RENEWED;
	timer_stop(&p->restart);
	if (p->c.pid == 0)
		reload_post_ended(p);
	else if (!p->c.asked_to_stop)
		supervisor_stop(p);
}

void reload_post_ended(struct post *p)
{
	struct supervisor *s = p->s;
	const enum post_fate fate = p->fate;
	p->fate = POST_STAYS;
	if (fate == POST_GOES)
		supervisor_remove(p);
	else if (s->reload.state != RELOAD_STOPPING) /* else with the others, when the new settings are in force */
		supervisor_start(p);
}

static bool is_anybody_ending(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].used && s->posts[i].fate != POST_STAYS && s->posts[i].c.pid != 0 && !s->posts[i].abandoned)
			return true;
	return false;
}

/* --- in force --- */

/* What it says it has taken comes after the doors that are shut, and before those that are opened: the settings say what for. */
static void tell_post(struct supervisor *s, struct post *p)
{
	struct reload *r = &s->reload;
	const struct wire_msg m = { .type = WIRE_SETTINGS, .number = r->number };
	int fd = fcntl(s->settings, F_DUPFD_CLOEXEC, 0);
	p->told = r->number;
	doors_shut(&s->doors, &r->doors, &p->c);
	if (fd >= 0)
		child_say(&p->c, &m, &fd, 1);
	if (fd < 0 || !doors_bring(&s->doors, &r->doors, &p->c))
		kill(p->c.pid, SIGKILL); /* started again, with them, when there are descriptors */
}

static void take_plan(struct supervisor *s)
{
	struct reload *r = &s->reload;
	close(s->settings);
	s->settings = s->birth.settings = r->settings;
	r->settings = -1;
	s->plan = r->plan;
	s->birth.directory = s->plan.directory;
	supervisor_watch(s);
}

static void tell_doors(struct supervisor *s)
{
	for (size_t i = 0; i < s->doors.n; i++) {
		const struct door *x = &s->doors.v[i];
		bool is_new = true;
		for (size_t k = 0; k < s->reload.doors.n; k++)
			is_new = is_new && s->reload.doors.v[k].number != x->number;
		if (is_new)
			event_emit(s->log, EV_SUPERVISOR_LISTENING, "name", x->l.name, "address", x->l.addr, "kind", process_kind_name(x->l.owner), NULL);
	}
}

static void tell_posts(struct supervisor *s, enum process_reloaded found)
{
	struct reload *r = &s->reload;
	r->state = RELOAD_TELLING;
	r->found = found;
	r->number++;
	events_anew(s);
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].used && s->posts[i].c.pid != 0 && s->posts[i].fate == POST_STAYS)
			tell_post(s, &s->posts[i]);
	timer_after(&r->patience, TAKE_PATIENCE_MS);
}

/* Levels of events, and files that the settings name, are as the settings say again. */
static void tell_same(struct supervisor *s)
{
	s->reload.doors = s->doors;
	tell_posts(s, PROCESS_RELOAD_SAME);
	s->reload.doors.n = 0;
	reload_go_on(s);
}

static void put_in_force(struct supervisor *s)
{
	struct reload *r = &s->reload;
	take_plan(s);
	tell_posts(s, PROCESS_RELOADED);
	struct doors before = s->doors;
	doors_take(&s->doors, &r->doors);
	r->doors = before; /* only to be compared with: its descriptors are closed, or ours */
	tell_doors(s);
	r->doors.n = 0;
	for (size_t i = 0; i < s->plan.n_processes; i++) {
		const struct plan_process *x = &s->plan.processes[i];
		struct post *p = post_of(s, x);
		if (p == NULL)
			p = supervisor_add(s, x);
		p->key = x->key;
		p->late = true;
		p->c.at_once = x->at_once != 0;
		if (p->c.pid == 0 && !timer_is_set(&p->restart))
			supervisor_start(p);
	}
	reload_go_on(s);
}

void reload_taken(struct post *p, const struct wire_msg *m)
{
	struct supervisor *s = p->s;
	if (m->number == p->told)
		p->told = 0;
	const bool others = s->reload.found == PROCESS_RELOADED; /* or it has them, and need not take them */
	if (m->flag == 0 && others && s->stage == STAGE_RUN && p->fate == POST_STAYS && !p->c.asked_to_stop) { /* it cannot, while it runs */
		p->fate = POST_RENEWED;
		supervisor_stop(p);
	}
	reload_go_on(s);
}

static bool has_everybody_taken(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].used && s->posts[i].c.pid != 0 && s->posts[i].told != 0)
			return false;
	return !is_anybody_ending(s);
}

void reload_go_on(struct supervisor *s)
{
	struct reload *r = &s->reload;
	if (s->stage != STAGE_RUN)
		return;
	if (r->state == RELOAD_STOPPING && !is_anybody_ending(s))
		put_in_force(s);
	else if (r->state == RELOAD_TELLING && has_everybody_taken(s))
		over(s, r->found);
}

/* --- the child's answer --- */

static void change(struct supervisor *s)
{
	struct reload *r = &s->reload;
	struct err e = { 0 };
	if (!prepare(s, &e)) {
		close(r->settings);
		r->settings = -1;
		over_since(s, PROCESS_RELOAD_REFUSED, e.text);
		return;
	}
	(void)FAULT(SUPERVISOR_RELOAD); /* only to end here */
	r->state = RELOAD_STOPPING;
	timer_stop(&r->patience);
	for (size_t i = 0; i < s->n_posts; i++)
		if (s->posts[i].used)
			decide(s, &s->posts[i]);
	reload_go_on(s);
}

void reload_reap(struct supervisor *s)
{
	struct reload *r = &s->reload;
	int how = 0;
	if (r->reread.pid == 0 || waitpid(r->reread.pid, &how, WNOHANG) != r->reread.pid)
		return;
	struct out text;
	out_init(&text, REREAD_TEXT_MAX);
	enum process_reloaded found = reread_end(&r->reread, how, &r->plan, &r->settings, &text);
	if (r->state == RELOAD_READING && s->stage == STAGE_RUN) {
		out_clear(&r->text);
		out_bytes(&r->text, out_view(&text));
		if (found == PROCESS_RELOADED && !r->wishes[0].dry) {
			supervisor_fill_in(&r->plan);
			out_fini(&text);
			change(s);
			return;
		}
		found = found == PROCESS_RELOADED ? PROCESS_RELOAD_DRY : found;
	}
	if (r->settings >= 0)
		close(r->settings);
	r->settings = -1;
	out_fini(&text);
	if (r->state == RELOAD_READING && s->stage == STAGE_RUN && found == PROCESS_RELOAD_SAME && !r->wishes[0].dry)
		tell_same(s);
	else if (r->state == RELOAD_READING && s->stage == STAGE_RUN)
		over(s, found);
	else
		start_next(s); /* it was killed, and its answer given: the next one has waited for that */
}

static void on_patience(void *ctx)
{
	struct supervisor *s = ctx;
	struct reload *r = &s->reload;
	if (r->state == RELOAD_READING) {
		kill(r->reread.pid, SIGKILL);
		over_since(s, PROCESS_RELOAD_WRONG, "reading the settings took too long");
	} else if (r->state == RELOAD_TELLING) {
		over(s, r->found);
	} else if (r->n > 0) {
		over_since(s, PROCESS_RELOAD_WRONG, "the process that was to read the settings the last time does not end: the file's server hangs");
	}
}

void reload_cancel(struct supervisor *s)
{
	struct reload *r = &s->reload;
	if (r->reread.pid != 0)
		kill(r->reread.pid, SIGKILL);
	timer_stop(&r->patience);
	for (size_t i = 0; i < r->n; i++)
		answer(&r->wishes[i], PROCESS_RELOAD_REFUSED, VIEW("it is being ended"));
	r->n = 0;
}
