/* alone.c - suspects, handled alone: the process for them has one item in its hands at a time, a transfer on an association of its
 * own or octets to examine, while normal traffic goes on in the other processes. What it dies of is known by that.
 *
 * Everything begins in run(), at the top of a turn: what it does may kill the switch, so the open group is committed first. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

static struct proc *find(struct sw *s, enum process_kind kind)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (p->kind == kind && !p->dead && p->control != NULL && p->bulk != NULL && apply_is_settled(p))
			return p;
	return NULL;
}

static bool is_busy(const struct sw *s)
{
	const struct alone *a = &s->alone;
	return (a->examine.number != 0 && a->examine.by->kind == PROCESS_ALONE) || (a->assoc != NULL && a->assoc->in_flight > 0);
}

static size_t count(const struct sw *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_links; i++)
		n += s->links[i]->suspects.n;
	return n;
}

void alone_kick(struct sw *s)
{
	timer_after(&s->alone.run, 0);
}

void alone_add(struct order *o)
{
	struct sw *s = o->link->sw;
	struct suspect *x = suspect_of(o);
	o->in_hand = false;
	alone_kick(s);
	if (suspect_is_over(s, x)) {
		quarantine_condemn(o, x->words);
	} else if (count(s) >= ALONE_MAX) {
		s->alone.missed = true; /* it stays in the store until there is room */
		order_free(o);
	} else {
		order_list_add(&o->link->suspects, o);
	}
}

/* --- its association --- */

static void free_assoc(struct sw *s)
{
	struct swassoc *a = s->alone.assoc;
	map_take(&s->assocs, a->id);
	a->proc->n_assocs--;
	free(a);
	s->alone.assoc = NULL;
}

static void drop_chosen(struct sw *s)
{
	struct order *o = s->alone.order;
	s->alone.order = NULL;
	if (o != NULL)
		dispatch_put_back(o);
}

/* which, n_tried: as in dispatch.c. */
static void open_for(struct order *o, struct proc *p, uint32_t which, uint32_t n_tried)
{
	struct swlink *l = o->link;
	struct sw *s = l->sw;
	struct swassoc *a = mem_zero(sizeof *a);
	*a = (struct swassoc){ .id = ++s->next_assoc, .proc = p, .link = l, .state = ASSOC_OPENING, .alone = true, .which = which, .n_tried = n_tried,
			       .since_ms = env_now_ms(s->host.env) };
	map_put(&s->assocs, a->id, a);
	p->n_assocs++;
	s->alone.assoc = a;
	s->alone.order = o;
	s->alone.in_a_row = 1;
	o->in_hand = true;
	calling_open(a);
}

void alone_up(struct swassoc *a)
{
	alone_kick(a->link->sw);
}

void alone_down(struct swassoc *a, const struct err *why)
{
	struct swlink *l = a->link;
	struct sw *s = l->sw;
	bool failed = why->kind != ERR_NONE && !a->is_outdated, was_opening = a->state == ASSOC_OPENING;
	while (a->in_flight > 0) {
		struct order *o = a->held[0];
		dispatch_release(o);
		dispatch_put_back(o);
	}
	if (failed && was_opening && s->alone.order != NULL && calling_has_more(a)) {
		struct order *o = s->alone.order;
		struct proc *p = a->proc;
		const uint32_t next = calling_next(a), n_tried = a->n_tried + 1;
		free_assoc(s);
		open_for(o, p, next, n_tried);
		return;
	}
	free_assoc(s);
	drop_chosen(s);
	if (failed)
		l->alone_at_ms = env_now_ms(s->host.env) + (int64_t)queue_open_delay(&l->policy, 1, env_random(s->host.env));
	if (failed && was_opening && l->n_assocs == l->n_opening) /* with others open it is not the link that cannot be reached */
		dispatch_open_failed(l, why);
	alone_kick(s);
}

void alone_proc_gone(struct proc *p)
{
	struct sw *s = p->sw;
	if (p->kind != PROCESS_ALONE)
		return;
	if (s->alone.assoc != NULL && s->alone.assoc->proc == p) {
		free_assoc(s);
		drop_chosen(s);
	}
}

/* --- the next one --- */

static void commit_before(struct sw *s)
{
	if (store_has_group(s->store))
		switch_commit(s);
}

/* What a conversion is suspected of is alone there as well: one at a time. */
static bool is_converting(struct sw *s)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (p->conversion != NULL && suspect_of_conversion(p->conversion->order))
			return true;
	for (struct order *o = s->converts.first; o != NULL; o = o->next)
		if (suspect_of_conversion(o))
			return true;
	return false;
}

struct order *alone_ready(struct swlink *l)
{
	struct sw *s = l->sw;
	struct order *o;
	struct err e;
	for (size_t n = l->suspects.n; n > 0 && (o = order_list_take(&l->suspects)) != NULL; n--) {
		commit_before(s);
		if (suspect_is_over(s, suspect_of(o))) {
			quarantine_condemn(o, suspect_of(o)->words);
		} else if (!order_have(o, &e)) {
			if (e.kind == ERR_PERM)
				dispatch_give_up(o, &e);
			else
				quarantine_condemn(o, e.text);
		} else if (!convert_wants(o)) {
			return o;
		} else if (suspect_of_conversion(o) && is_converting(s)) {
			order_list_add(&l->suspects, o); /* the others do not wait for it */
		} else {
			convert_enter(o);
		}
	}
	return NULL;
}

static void look_again_at(struct sw *s, int64_t at_ms)
{
	if (!timer_is_set(&s->alone.run) || s->alone.run.at_ms > at_ms)
		timer_set(&s->alone.run, at_ms);
}

static bool may_call_for_suspects(const struct swlink *l)
{
	const enum calling calling = calling_now(l);
	return calling == CALLING_ANY || (calling == CALLING_URGENT && l->suspects.first->priority == PRIORITY_URGENT);
}

/* The links take turns; one that cannot be reached waits and costs the others nothing. */
static void open_next(struct sw *s, struct proc *p)
{
	int64_t now = env_now_ms(s->host.env);
	for (size_t i = 0; i < s->n_links && s->alone.assoc == NULL; i++) {
		struct swlink *l = s->links[(s->alone.next_link + i) % s->n_links];
		if (l->suspects.n == 0 || connector_is_link(l) || *l->set->address == 0 || timer_is_set(&l->open_timer) || !may_call_for_suspects(l))
			continue;
		if (l->alone_at_ms > now) {
			look_again_at(s, l->alone_at_ms);
			continue;
		}
		struct order *o = alone_ready(l);
		if (o == NULL)
			continue;
		s->alone.next_link = l->index + 1;
		open_for(o, p, l->address, 1);
	}
}

static void hand_over_chosen(struct sw *s)
{
	struct alone *a = &s->alone;
	if (a->assoc == NULL || a->assoc->state != ASSOC_OPEN)
		return;
	struct order *o = a->order;
	a->order = NULL;
	if (o == NULL && a->in_a_row < ALONE_IN_A_ROW && (o = alone_ready(a->assoc->link)) != NULL) {
		o->in_hand = true;
		a->in_a_row++;
	}
	if (o == NULL) {
		dispatch_close_assoc(a->assoc);
		return;
	}
	commit_before(s);
	switch_note(s, "transfer", o->transfer);
	if (FAULT(SWITCH_EXAMINE))
		CANT_HAPPEN("a suspect could not be handled alone (fault point)");
	dispatch_hand_over(o, a->assoc);
}

/* A connector's are handed over by itself, one alone. */
static void run_connectors(struct sw *s)
{
	for (size_t i = 0; i < s->n_links; i++) {
		struct swlink *l = s->links[i];
		if (l->suspects.n == 0 || !connector_is_link(l))
			continue;
		struct swassoc *a = connector_free_for_suspect(l);
		struct order *o = a == NULL ? NULL : alone_ready(l);
		if (a == NULL)
			dispatch_open(l);
		else if (o == NULL && l->suspects.n == 0)
			dispatch_run(l); /* the others have waited for it */
		if (o == NULL)
			continue;
		switch_note(s, "transfer", o->transfer);
		if (FAULT(SWITCH_EXAMINE))
			CANT_HAPPEN("a suspect could not be handled alone (fault point)");
		dispatch_hand_over(o, a);
	}
}

static void relist(struct sw *s)
{
	s->alone.missed = false;
	for (size_t i = 0; i < s->n_links; i++)
		dispatch_relist(s->links[i]);
}

static void run(void *ctx)
{
	struct sw *s = ctx;
	struct proc *p = find(s, PROCESS_ALONE);
	if (s->failed || s->stopping)
		return;
	if (quarantine_run(s)) {
		alone_kick(s);
		return;
	}
	if (s->alone.missed && count(s) < ALONE_MAX / 2)
		relist(s);
	run_connectors(s);
	if (p != NULL && !is_busy(s))
		hand_over_chosen(s);
	if (p != NULL || find(s, PROCESS_INTERCHANGE) != NULL)
		examine_begin(s, is_busy(s) ? NULL : p);
	if (p != NULL && s->alone.assoc == NULL)
		open_next(s, p);
}

void alone_init(struct sw *s)
{
	timer_init(&s->alone.run, s->host.env, run, s);
	examine_init(s);
	if (s->alone.n_owed > 0)
		alone_kick(s);
}

void alone_fini(struct sw *s)
{
	struct order *o;
	timer_stop(&s->alone.run);
	timer_stop(&s->alone.examine.timer);
	if (s->alone.order != NULL)
		order_free(s->alone.order);
	s->alone.order = NULL;
	while ((o = order_list_take(&s->alone.condemned)) != NULL)
		order_free(o);
	MEM_FREE(s->alone.owed);
}
