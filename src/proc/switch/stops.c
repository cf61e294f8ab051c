/* stops.c - the operator's hand on a link: try now, release its associations, stop it, start it again. What he has stopped stays so until he
 * starts it, whatever dies or begins anew meanwhile: the names are kept in the store, and the link processes are told, which answer calls
 * of such a peer busy. Mail for it waits; what has another way takes that when it comes. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"
#include "proc/table/rows.h"

#define STOPPED "stopped " /* before the name, in the store's totals */

static const char *const names[LINK_ACT_COUNT] = {
	[LINK_ACT_RETRY] = "link-retry", [LINK_ACT_CLOSE] = "link-close", [LINK_ACT_STOP] = "link-stop", [LINK_ACT_START] = "link-start",
	[LINK_ACT_LIST] = "link-list",
};

/* --- what is stopped --- */

static struct stop **find(struct sw *s, struct view name)
{
	struct stop **at = &s->stops;
	while (*at != NULL && !view_eq(view_str((*at)->name), name))
		at = &(*at)->next;
	return at;
}

bool stops_has(struct sw *s, struct view name)
{
	return *find(s, name) != NULL;
}

static void add(struct sw *s, struct view name)
{
	struct stop **at = find(s, name);
	if (*at != NULL)
		return;
	*at = mem_zero(sizeof **at);
	snprintf((*at)->name, sizeof (*at)->name, "%.*s", (int)name.n, (const char *)name.p);
}

static void drop(struct stop **at)
{
	struct stop *x = *at;
	if (x == NULL)
		return;
	*at = x->next;
	free(x);
}

static void on_total(void *ctx, struct view name, struct view text)
{
	static const struct view prefix = { (const uint8_t *)STOPPED, sizeof STOPPED - 1 };
	if (text.n > 0 && view_eq(view_first(name, prefix.n), prefix))
		add(ctx, view_from(name, prefix.n));
}

void stops_start(struct sw *s)
{
	store_totals(s->store, on_total, s);
}

void stops_fini(struct sw *s)
{
	while (s->stops != NULL)
		drop(&s->stops);
}

static void tell(struct proc *p, const char *link, enum msg_link_act act)
{
	struct out *o = proc_begin(p, MSG_LINK_ACT);
	if (o == NULL)
		return;
	const struct msg_link_act_on m = { .act = act, .link = view_str(link) };
	put_msg_link_act_on(o, &m);
	proc_end(p);
}

void stops_tell_all(struct proc *p)
{
	for (const struct stop *x = p->sw->stops; x != NULL; x = x->next)
		tell(p, x->name, LINK_ACT_STOP);
}

static void tell_links(struct sw *s, const char *link, enum msg_link_act act)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (p->kind == PROCESS_LINK && !p->dead)
			tell(p, link, act);
}

/* --- the acts --- */

static void try_now(struct swlink *l)
{
	timer_stop(&l->open_timer);
	timer_stop(&l->more_timer);
	l->alone_at_ms = 0;
	dispatch_run(l);
	alone_kick(l->sw);
}

static void keep(struct swlink *l, const char *text)
{
	char name[100];
	snprintf(name, sizeof name, STOPPED "%s", l->set->name);
	store_total_put(l->sw->store, view_str(name), view_str(text));
}

static void stop(struct swlink *l, const char *who)
{
	add(l->sw, l->name);
	l->is_stopped = true;
	keep(l, who);
	timer_stop(&l->open_timer);
	timer_stop(&l->more_timer);
	dispatch_outdate(l);
	tell_links(l->sw, l->set->name, LINK_ACT_STOP);
}

static void start(struct swlink *l)
{
	drop(find(l->sw, l->name));
	l->is_stopped = false;
	keep(l, "");
	tell_links(l->sw, l->set->name, LINK_ACT_START);
	try_now(l);
}

static bool may(const struct swlink *l, enum msg_link_act act, struct err *e)
{
	if (act == LINK_ACT_RETRY && l->is_stopped)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "link %s is stopped: start it", l->set->name);
	if (act == LINK_ACT_RETRY && !calling_has_somebody(l))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "link %s has no address to call: its peer calls us", l->set->name);
	return true;
}

static void perform(struct swlink *l, enum msg_link_act act, const char *who)
{
	switch (act) {
	case LINK_ACT_RETRY: try_now(l); return;
	case LINK_ACT_CLOSE:
		dispatch_outdate(l);
		dispatch_run(l);
		return;
	case LINK_ACT_STOP: stop(l, who); return;
	case LINK_ACT_START: start(l); return;
	case LINK_ACT_LIST:
	case LINK_ACT_COUNT: break;
	}
	CANT_HAPPEN("an act on a link is none of these");
}

/* --- its associations --- */

static void put_assoc(struct proc *p, uint64_t id, const struct swassoc *a)
{
	static const char *const states[] = { [ASSOC_OPENING] = "opening", [ASSOC_OPEN] = "open", [ASSOC_CLOSING] = "closing" };
	char text[48];
	struct out *o = proc_begin(p, MSG_ROW), pairs;
	if (o == NULL)
		return;
	out_init(&pairs, 1024);
	rows_number(&pairs, "id", a->id & ~MSG_INBOUND_BIT);
	rows_text(&pairs, "direction", view_str(a->inbound ? "in" : "out"));
	rows_text(&pairs, "state", view_str(states[a->state]));
	snprintf(text, sizeof text, "%s-%u", process_kind_name(a->proc->kind), (unsigned)a->proc->instance);
	rows_text(&pairs, "process", view_str(text));
	rows_number(&pairs, "in-flight", a->in_flight);
	if (a->state == ASSOC_CLOSING && a->in_flight > 0)
		rows_text(&pairs, "age-ms", VIEW(""));
	else
		rows_number(&pairs, "age-ms", (uint64_t)(env_now_ms(p->sw->host.env) - a->since_ms));
	rows_number(&pairs, "two-way", a->sends);
	const struct msg_row m = { id, out_view(&pairs) };
	put_msg_row(o, &m);
	proc_end(p);
	out_fini(&pairs);
}

static void list(struct proc *p, uint64_t id, const struct swlink *l)
{
	struct sw *s = p->sw;
	const struct swassoc *a;
	for (size_t i = 0; (a = map_next(&s->assocs, &i)) != NULL;)
		if (a->link == l)
			put_assoc(p, id, a);
	for (struct proc *q = s->procs; q != NULL; q = q->next)
		for (size_t i = 0; (a = map_next(&q->inbound, &i)) != NULL;)
			if (a->link == l)
				put_assoc(p, id, a);
}

/* --- the message --- */

static void answer(struct sw *s, struct waiting *w)
{
	struct out *o = proc_begin(w->proc, MSG_DONE);
	(void)s;
	if (o == NULL)
		return;
	const struct msg_answer m = { .id = w->id, .accepted = true, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_answer(o, &m);
	proc_end(w->proc);
}

static void refuse(struct proc *p, uint64_t id, const struct err *e)
{
	struct out *o = proc_begin(p, MSG_DONE);
	if (o == NULL)
		return;
	const struct msg_answer m = { .id = id, .err = *e };
	put_msg_answer(o, &m);
	proc_end(p);
}

static void audit(struct sw *s, const struct msg_link_act_on *m, const char *who, const char *refused)
{
	char link[65], why[301];
	operate_line(link, sizeof link, m->link);
	operate_line(why, sizeof why, m->why);
	EMIT(&s->host, OPERATOR_ACT, "who", who, "what", names[m->act], "link", link, "why", why, "outcome", *refused == 0 ? "done" : "refused",
	     "refused", refused);
}

bool stops_act(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_link_act_on m;
	struct err why;
	char who[OPERATE_WHO_MAX];
	if (!get_msg_link_act_on(payload, &m, e))
		return false;
	struct swlink *l = switch_link(s, m.link);
	operate_who(p, m.who, who);
	bool good = l != NULL && !l->is_removed;
	if (!good)
		err_set(&why, ERR_PERM, ERR_OF_LINK, "no link is called \"%.*s\"", (int)(m.link.n < 60 ? m.link.n : 60), (const char *)m.link.p);
	good = good && may(l, m.act, &why);
	if (m.act != LINK_ACT_LIST)
		audit(s, &m, who, good ? "" : why.text);
	if (!good) {
		refuse(p, m.id, &why);
		return true;
	}
	struct waiting *w = switch_wait(s, answer, p, m.id);
	if (m.act == LINK_ACT_LIST)
		list(p, m.id, l);
	else
		perform(l, m.act, who);
	switch_wait_no_more(s, w);
	return true;
}
