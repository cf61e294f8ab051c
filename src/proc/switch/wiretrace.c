/* wiretrace.c - an operator wants a link's octets in clear: every link process is told, each writes a file of its own. */
#include "proc/switch/switch_int.h"

enum { OCTETS_MAX = 1 << 30, TIME_MAX_MS = 24 * 3600 * 1000, NAME_MAX_OCTETS = 40 };

/* What stands for the link and this trace in names of files. */
static void make_name(const struct sw *s, const struct swlink *l, char name[96])
{
	char time[EVENT_TIME];
	size_t n = 0;
	for (const char *c = l->set->name; *c != 0 && n < NAME_MAX_OCTETS; c++)
		name[n++] = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ? *c : '_';
	event_show_time(time, env_wall_ms(s->host.env));
	name[n++] = '-';
	for (const char *c = time; *c != 0; c++) /* 20261122T155000123 */
		if (*c == 'T' || (*c >= '0' && *c <= '9'))
			name[n++] = *c;
	name[n] = 0;
}

static void pass_on(struct sw *s, const struct msg_wiretrace *m)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next) {
		struct out *o = p->kind == PROCESS_LINK || p->kind == PROCESS_ALONE ? proc_begin(p, MSG_WIRETRACE) : NULL;
		if (o == NULL)
			continue;
		put_msg_wiretrace(o, m);
		proc_end(p);
	}
}

static bool is_possible(const struct swlink *l, const struct msg_wiretrace *m, struct err *e)
{
	if (l == NULL)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "no link is called \"%.*s\"", (int)(m->link.n < 60 ? m->link.n : 60), (const char *)m->link.p);
	if (l->set->kind != LINK_X400)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "link %s has no connections that could be traced", l->set->name);
	if (m->on && (m->octets == 0 || m->octets > OCTETS_MAX || m->time_ms == 0 || m->time_ms > TIME_MAX_MS))
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "a trace has 1 to %d octets and ends within 24 h", OCTETS_MAX);
	return true;
}

bool wiretrace_asked(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_wiretrace m;
	if (!get_msg_wiretrace(payload, &m, e))
		return false;
	char who[OPERATE_WHO_MAX], why[200], name[96] = "";
	struct msg_answer done = { .id = m.id, .err = { .reason = -1, .diagnostic = -1 } };
	const struct swlink *l = switch_link(s, m.link);
	done.accepted = is_possible(l, &m, &done.err);
	operate_who(p, m.who, who);
	snprintf(why, sizeof why, "%.*s", (int)(m.why.n < sizeof why ? m.why.n : sizeof why - 1), (const char *)m.why.p);
	if (done.accepted) {
		make_name(s, l, name);
		m.name = view_str(name);
		done.mts_id = m.name;
		pass_on(s, &m);
	}
	EMIT(&s->host, OPERATOR_ACT, "who", who, "what", m.on ? "trace-on" : "trace-off", "link", l == NULL ? "" : l->set->name, "why", why, "outcome",
	     done.accepted ? "done" : "refused", "refused", done.err.text);
	struct out *o = proc_begin(p, MSG_DONE);
	if (o != NULL) {
		put_msg_answer(o, &done);
		proc_end(p);
	}
	return true;
}
