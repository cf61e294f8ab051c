/* events.c - event lines of the others on their way to the recorder, what operators want to hear of them, and our own. */
#include "proc/supervisor/supervisor_int.h"

#include <fcntl.h>
#include <unistd.h>

static void say_level(struct child *c, const struct level *x)
{
	struct wire_msg m = { .type = WIRE_LEVEL, .number = x->level };
	snprintf(m.text, sizeof m.text, "%s", x->category);
	child_say(c, &m, NULL, 0);
}

void events_give(struct supervisor *s, struct child *c)
{
	struct wire_msg m = { .type = WIRE_LINES };
	int fd = c->kind != PROCESS_RECORDER || s->lines.out < 0 ? -1 : fcntl(s->lines.out, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		child_say(c, &m, &fd, 1);
	for (size_t i = 0; i < s->n_levels; i++)
		say_level(c, &s->levels[i]);
}

/* The last word on a category counts, and a word on all takes the place of those on each. False: there are too many. */
static bool keep_level(struct supervisor *s, const struct level *x)
{
	size_t i = 0;
	if (x->category[0] == 0)
		s->n_levels = 0;
	while (i < s->n_levels && strcmp(s->levels[i].category, x->category) != 0)
		i++;
	if (i == LEVELS_MAX)
		return false;
	s->levels[i] = *x;
	s->n_levels = i == s->n_levels ? i + 1 : s->n_levels;
	return true;
}

void events_on_level(void *ctx, const struct wire_msg *m)
{
	struct supervisor *s = ctx;
	struct level x = { .level = (unsigned)m->number };
	if (m->number >= EVENT_LEVEL_COUNT || strlen(m->text) >= sizeof x.category)
		return; /* not a word that the recorder says */
	memcpy(x.category, m->text, strlen(m->text) + 1);
	const enum event_severity least = event_level_least((enum event_level)x.level);
	if (x.category[0] != 0 && !event_log_set_category(s->log, x.category, least))
		return;
	if (x.category[0] == 0)
		event_log_set_level(s->log, least);
	for (size_t i = 0; keep_level(s, &x) && i < s->n_posts; i++)
		if (s->posts[i].c.pid != 0)
			say_level(&s->posts[i].c, &x);
}

static bool copy_own(void *ctx, struct view line)
{
	struct supervisor *s = ctx;
	return lines_copy(&s->lines, line);
}

void events_tell_lost(struct supervisor *s)
{
	char n[24];
	uint64_t lost = lines_take_lost(&s->lines);
	if (lost > 0)
		event_emit(s->log, EV_EVENTS_LOST, "events", supervisor_number(n, lost), NULL);
}

static void open_log(struct supervisor *s)
{
	s->lines.quiet = s->plan.events_quiet != 0;
	s->log = event_log_new(&s->env, event_kinds, EVENT_KINDS, "supervisor", s->lines.quiet ? -1 : STDERR_FILENO, s->plan.events_json != 0);
	event_log_set_level(s->log, (enum event_severity)s->plan.events_least);
	event_log_copy(s->log, copy_own, s);
}

void events_begin(struct supervisor *s)
{
	for (size_t i = 0; i < s->plan.n_processes; i++)
		if (s->plan.processes[i].kind == PROCESS_RECORDER)
			lines_open(&s->lines);
	open_log(s);
}

void events_anew(struct supervisor *s)
{
	s->n_levels = 0;
	event_log_free(&s->log);
	open_log(s);
}
