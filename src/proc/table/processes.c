/* processes.c - see processes.h. */
#include "proc/table/processes.h"

#include "proc/table/rows.h"
#include "sys/process.h"

enum { ROW_MAX = 4096 };

static void put(struct out *o, const struct board *b, const struct board_process *p)
{
	char name[40];
	snprintf(name, sizeof name, "%s.%u", process_kind_name(p->kind), p->instance);
	rows_text(o, "name", view_str(name));
	rows_number(o, "pid", p->pid);
	rows_number(o, "ready", p->ready);
	rows_number(o, "hung", p->hung);
	rows_number(o, "started", (uint64_t)p->started_ms);
	rows_number(o, "answered", (uint64_t)p->answered_ms);
	rows_number(o, "silent", (uint64_t)p->silent_ms);
	rows_number(o, "restart", (uint64_t)p->restart_ms);
	rows_text(o, "words", view_str(p->last_words));
	rows_number(o, "supervisor", b->pid);
	rows_number(o, "stopping", b->stopping);
	rows_number(o, "written", (uint64_t)b->written_ms);
	rows_number(o, "watchdog", b->watchdog_ms);
}

bool processes_rows(const struct board *board, struct view kind, void (*each)(void *ctx, struct view row), void *ctx, struct err *e)
{
	struct board b;
	struct out o;
	if (board == NULL || !board_read(board, &b))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the supervisor tells nothing of its processes");
	out_init(&o, ROW_MAX);
	for (size_t i = 0; i < b.n; i++) {
		if (kind.n > 0 && !view_eq(kind, view_str(process_kind_name(b.processes[i].kind))))
			continue;
		out_clear(&o);
		put(&o, &b, &b.processes[i]);
		each(ctx, out_view(&o));
	}
	out_fini(&o);
	return true;
}
