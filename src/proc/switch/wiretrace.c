/* wiretrace.c - an operator wants a link's octets in clear: every link process is told, each writes a file of its own; those that are started
 * later are told too, until its time is over. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { OCTETS_MAX = 1 << 30, TIME_MAX_MS = 24 * 3600 * 1000, NAME_MAX_OCTETS = 40, TRACED_NAME = 96 };

struct traced {
	struct traced *next;
	char link[256], name[TRACED_NAME]; /* name: what names of its files begin with */
	uint64_t octets;
	int64_t until_ms;
};

/* What stands for the link and this trace in names of files. */
static void make_name(const struct sw *s, const struct swlink *l, char name[TRACED_NAME])
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

static void tell(struct proc *p, const struct msg_wiretrace *m)
{
	struct out *o = p->kind == PROCESS_LINK || p->kind == PROCESS_ALONE ? proc_begin(p, MSG_WIRETRACE) : NULL;
	if (o == NULL)
		return;
	put_msg_wiretrace(o, m);
	proc_end(p);
}

static void pass_on(struct sw *s, const struct msg_wiretrace *m)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		tell(p, m);
}

/* --- those that are on --- */

static struct traced **find(struct sw *s, struct view link)
{
	struct traced **at = &s->traced;
	while (*at != NULL && !view_eq(view_str((*at)->link), link))
		at = &(*at)->next;
	return at;
}

static void forget(struct traced **at)
{
	struct traced *t = *at;
	if (t == NULL)
		return;
	*at = t->next;
	free(t);
}

/* In place of another one of that link. */
static void keep(struct sw *s, const struct msg_wiretrace *m)
{
	forget(find(s, m->link));
	struct traced *t = mem_zero(sizeof *t);
	snprintf(t->link, sizeof t->link, "%.*s", (int)m->link.n, (const char *)m->link.p);
	snprintf(t->name, sizeof t->name, "%.*s", (int)m->name.n, (const char *)m->name.p);
	t->octets = m->octets;
	t->until_ms = env_now_ms(s->host.env) + (int64_t)m->time_ms;
	t->next = s->traced;
	s->traced = t;
}

void wiretrace_tell_all(struct proc *p)
{
	const int64_t now = env_now_ms(p->sw->host.env);
	for (struct traced **at = &p->sw->traced; *at != NULL;) {
		const struct traced *t = *at;
		if (t->until_ms <= now || switch_link(p->sw, view_str(t->link)) == NULL) {
			forget(at);
			continue;
		}
		const struct msg_wiretrace m = { .link = view_str(t->link), .on = true, .octets = t->octets, .time_ms = (uint64_t)(t->until_ms - now),
						 .name = view_str(t->name) };
		tell(p, &m);
		at = &(*at)->next;
	}
}

void wiretrace_link_gone(const struct swlink *l)
{
	struct traced **at = find(l->sw, l->name);
	if (*at == NULL || l->set->kind == LINK_X400)
		return;
	const struct msg_wiretrace m = { .link = l->name, .name = view_str((*at)->name) };
	pass_on(l->sw, &m);
	forget(at);
}

void wiretrace_fini(struct sw *s)
{
	while (s->traced != NULL)
		forget(&s->traced);
}

/* A link process has one that a switch before this one began: the last one that was begun counts, and is everybody's. */
bool wiretrace_told(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_wiretrace m;
	if (!get_msg_wiretrace(payload, &m, e))
		return false;
	if (!m.on || m.name.n >= sizeof s->traced->name || m.time_ms > TIME_MAX_MS)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "WIRETRACE of a link process: it is none that goes on");
	const struct traced *t = *find(s, m.link);
	if (t != NULL && view_cmp(view_str(t->name), m.name) >= 0)
		return true;
	keep(s, &m);
	pass_on(s, &m);
	return true;
}

/* --- an operator --- */

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

/* The one that is to end has ended already: another one is not its asker's to end. */
static bool is_over(struct sw *s, const struct msg_wiretrace *m)
{
	const struct traced *t = *find(s, m->link);
	return m->name.n > 0 && (t == NULL || t->until_ms <= env_now_ms(s->host.env) || !view_eq(view_str(t->name), m->name));
}

static void begin_or_end(struct sw *s, const struct swlink *l, struct msg_wiretrace *m, char name[TRACED_NAME])
{
	struct traced **at = find(s, m->link);
	if (m->on)
		make_name(s, l, name);
	else if (*at != NULL)
		snprintf(name, TRACED_NAME, "%s", (*at)->name);
	m->name = view_str(name);
	if (m->on)
		keep(s, m);
	else
		forget(at);
	pass_on(s, m);
}

static void answer(struct proc *p, const struct msg_answer *m)
{
	struct out *o = proc_begin(p, MSG_DONE);
	if (o == NULL)
		return;
	put_msg_answer(o, m);
	proc_end(p);
}

bool wiretrace_asked(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_wiretrace m;
	if (!get_msg_wiretrace(payload, &m, e))
		return false;
	char who[OPERATE_WHO_MAX], why[200], name[TRACED_NAME] = "";
	struct msg_answer done = { .id = m.id, .err = { .reason = -1, .diagnostic = -1 } };
	const struct swlink *l = switch_link(s, m.link);
	done.accepted = is_possible(l, &m, &done.err);
	operate_who(p, m.who, who);
	snprintf(why, sizeof why, "%.*s", (int)(m.why.n < sizeof why ? m.why.n : sizeof why - 1), (const char *)m.why.p);
	if (done.accepted && !m.on && is_over(s, &m)) {
		answer(p, &done);
		return true;
	}
	if (done.accepted)
		begin_or_end(s, l, &m, name);
	done.mts_id = view_str(name);
	EMIT(&s->host, OPERATOR_ACT, "who", who, "what", m.on ? "trace-on" : "trace-off", "link", l == NULL ? "" : l->set->name, "trace", name, "why", why,
	     "outcome", done.accepted ? "done" : "refused", "refused", done.err.text);
	answer(p, &done);
	return true;
}
