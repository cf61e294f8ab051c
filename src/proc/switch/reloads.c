/* reloads.c - who asks for a reload is asked for it at the supervisor, and hears its answer. The new settings come to this process as to every
 * other, before that answer does. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

struct reload_asked {
	struct reload_asked *next;
	struct proc *asker;
	uint64_t id, number; /* the asker's; ours */
};

static void answer(struct proc *asker, uint64_t id, enum process_reloaded how, struct view text)
{
	struct out *o = proc_begin(asker, MSG_RELOADED);
	const struct msg_reloaded m = { .id = id, .how = (uint32_t)how, .text = text };
	if (o == NULL)
		return;
	put_msg_reloaded(o, &m);
	proc_end(asker);
}

bool reloads_asked(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_reload m;
	char who[OPERATE_WHO_MAX];
	if (!get_msg_reload(payload, &m, e))
		return false;
	if (s->host.reload == NULL) {
		answer(p, m.id, PROCESS_RELOAD_REFUSED, VIEW("nobody here reads the settings again"));
		return true;
	}
	struct reload_asked *x = mem_zero(sizeof *x);
	*x = (struct reload_asked){ .next = s->reloads, .asker = p, .id = m.id, .number = ++s->n_reloads };
	s->reloads = x;
	operate_who(p, m.who, who);
	s->host.reload(s->host.ctx, x->number, m.dry, who);
	return true;
}

void switch_reloaded(struct sw *s, uint64_t id, enum process_reloaded how, struct view text)
{
	CHECK(s, SW_MAGIC);
	for (struct reload_asked **at = &s->reloads; *at != NULL; at = &(*at)->next) {
		struct reload_asked *x = *at;
		if (x->number != id)
			continue;
		*at = x->next;
		answer(x->asker, x->id, how, text);
		free(x);
		return;
	}
}

void reloads_proc_gone(const struct proc *p)
{
	for (struct reload_asked **at = &p->sw->reloads; *at != NULL;) {
		struct reload_asked *x = *at;
		if (x->asker != p) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		free(x);
	}
}
