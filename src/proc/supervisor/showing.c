/* showing.c - the board: what we know of every process, for who shows it. */
#include "proc/supervisor/supervisor_int.h"

#include <fcntl.h>
#include <unistd.h>

enum { BOARD_MS = 5000 /* how often progress is looked at, beside what happens */ };

static int64_t on_the_wall(struct supervisor *s, int64_t at_ms)
{
	return at_ms == 0 ? 0 : env_wall_ms(&s->env) - (env_now_ms(&s->env) - at_ms);
}

static void show_all(void *ctx)
{
	struct supervisor *s = ctx;
	if (s->board == NULL)
		return;
	timer_after(&s->show, BOARD_MS);
	board_begin(s->board);
	s->board->written_ms = env_wall_ms(&s->env);
	s->board->pid = (uint32_t)getpid();
	s->board->stopping = s->stage != STAGE_RUN;
	s->board->watchdog_ms = s->plan.watchdog_ms;
	s->board->n = 0;
	for (size_t i = 0; i < s->n_posts && s->board->n < BOARD_PROCESSES; i++) {
		const struct post *p = &s->posts[i];
		struct board_process *x = &s->board->processes[s->board->n];
		if (!p->used)
			continue;
		s->board->n++;
		child_show(&p->c, x);
		x->started_ms = on_the_wall(s, p->c.life == 0 ? 0 : p->c.started_ms);
		x->ready_ms = on_the_wall(s, p->c.ready_ms);
		x->answered_ms = on_the_wall(s, p->c.answered_ms);
		x->silent_ms = p->c.pid == 0 || p->c.pong == p->c.ping ? 0 : on_the_wall(s, p->c.silent_since_ms);
		x->restart_ms = timer_is_set(&p->restart) ? on_the_wall(s, p->restart.at_ms) : 0;
	}
	board_end(s->board);
}

void showing_soon(struct supervisor *s)
{
	if (s->board != NULL)
		timer_after(&s->show, 0);
}

void showing_give(struct supervisor *s, struct child *c)
{
	const struct wire_msg m = { .type = WIRE_BOARD };
	const bool shows = c->kind == PROCESS_CONSOLE || c->kind == PROCESS_READER || c->kind == PROCESS_RECORDER;
	int fd = !shows || s->board == NULL ? -1 : fcntl(s->board_fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		child_say(c, &m, &fd, 1);
}

void showing_begin(struct supervisor *s)
{
	struct err e;
	timer_init(&s->show, &s->env, show_all, s);
	s->board = board_new(&s->board_fd, &e);
	if (s->board == NULL) {
		event_emit(s->log, EV_PROCESS_UNSTARTED, "name", "board", "why", e.text, NULL);
		return;
	}
	s->board->started_ms = env_wall_ms(&s->env);
	show_all(s);
}

void showing_end(struct supervisor *s)
{
	timer_stop(&s->show);
	board_free(&s->board);
}
