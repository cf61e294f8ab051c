/* operate.c - the operator's hand: hold, release, retry, reroute, return, delete, and what to do with quarantined things. The reader
 * selects, the switch acts: each id is one state transition of that moment, whatever has become of it since it was listed. What is in
 * the hands of a process is not touched: the act is remembered and done when it comes back undelivered. Every act stands in the journey
 * and in the events, with who and why, and is answered when it is durable. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { WHO_MAX = OPERATE_WHO_MAX, WHY_MAX = 400 };

/* What is to be done; also kept by an order in somebody's hands. */
struct act {
	enum msg_act what;
	bool report;                     /* DELETE: the originator is told */
	struct swlink *to;               /* REROUTE; QUARANTINE_RELEASE: NULL for the link it has */
	char who[WHO_MAX], why[WHY_MAX];
};

/* One transfer or quarantined thing, out of every window and list. */
struct subject {
	uint64_t id;
	struct order *o;                 /* NULL: in the store only */
	struct swlink *l;                /* its link; NULL: not configured any more */
	struct view queue;
	char queue_name[65];             /* the same, when l is NULL */
	struct store_queued row;
	struct store_loaded loaded;      /* m NULL: not loaded, or octets */
	struct err unloadable;           /* why not */
	const struct mts_id *mts_id;     /* NULL: not known */
	enum message_kind kind;          /* with it */
	char mts_text[220];              /* the same, for when the order has gone */
};

/* The answer, kept until it is durable. */
struct operate_answer {
	struct err err;
	size_t n;
	uint8_t what[];
};

static const char *const act_names[ACT_COUNT] = {
	[ACT_HOLD] = "hold", [ACT_RELEASE] = "release", [ACT_RETRY] = "retry", [ACT_REROUTE] = "reroute", [ACT_RETURN] = "return",
	[ACT_DELETE] = "delete", [ACT_QUARANTINE_RELEASE] = "quarantine-release", [ACT_QUARANTINE_DELETE] = "quarantine-delete",
};

static const char *const outcome_names[] = {
	[ACTED_DONE] = "done", [ACTED_GONE] = "gone", [ACTED_IN_FLIGHT] = "in-flight", [ACTED_REFUSED] = "refused",
};

static bool is_held(const struct subject *x)
{
	return x->row.next_ms >= STORE_NEVER;
}

static wall_ms_t now_of(const struct sw *s)
{
	return env_wall_ms(s->host.env);
}

/* --- what is told --- */

static void say(const struct act *a, const char *done, struct out *o)
{
	out_fmt(o, "%s by %s%s%s", done, a->who, *a->why == 0 ? "" : ": ", a->why);
}

/* In the journey; a message that cannot be read has none that it could be found by. */
static void put_step(struct sw *s, const struct act *a, const struct subject *x, enum store_step_kind kind, const char *done)
{
	struct out text;
	if (x->mts_id == NULL)
		return;
	out_init(&text, 1024);
	say(a, done, &text);
	struct store_step step = { .kind = kind, .id = x->mts_id, .peer = x->queue, .text = out_view(&text), .size = x->row.size, .of = x->kind };
	store_put_step(s->store, &step);
	out_fini(&text);
}

static void audit(struct sw *s, const struct act *a, uint64_t id, const struct subject *x, const char *outcome, const char *refusal)
{
	char number[24];
	snprintf(number, sizeof number, "%llu", (unsigned long long)id);
	EMIT(&s->host, OPERATOR_ACT, "who", a->who, "what", act_names[a->what], "id", number, "message", x->mts_text, "link",
	     a->to == NULL ? "" : a->to->set->name, "why", a->why, "outcome", outcome, "refused", refusal);
}

/* --- where it is --- */

static void keep_id(struct subject *x, const struct mts_id *id, enum message_kind kind)
{
	struct out text;
	out_init(&text, sizeof x->mts_text - 1);
	mts_id_print(id, &text);
	snprintf(x->mts_text, sizeof x->mts_text, "%s", out_cstr(&text));
	out_fini(&text);
	x->mts_id = id;
	x->kind = kind;
}

/* What the switch may die of is noted first, and is not loaded again when it has. */
static void load_message(struct sw *s, struct subject *x)
{
	const struct key k = suspect_key("message", x->row.message);
	const struct suspect *suspect = suspect_find(s, &k);
	if (suspect_is_over(s, suspect)) {
		err_set(&x->unloadable, ERR_PERM, ERR_OF_MESSAGE, "%llu is not touched, processes have died of it: %.120s",
			(unsigned long long)x->id, suspect->words);
		return;
	}
	switch_note(s, "transfer", x->id);
	if (store_load_transfer(s->store, x->id, &x->loaded, s->work, &x->unloadable) && x->loaded.m != NULL)
		keep_id(x, &x->loaded.m->id, x->loaded.m->kind);
	else
		x->loaded.m = NULL;
}

static bool wants_message(const struct act *a)
{
	return a->what == ACT_REROUTE || a->what == ACT_RETURN || a->report;
}

/* The journey wants its identifier; that of a suspect is not worth the risk. */
static void load_if_wanted(struct sw *s, const struct act *a, struct subject *x)
{
	const struct key k = suspect_key("message", x->row.message);
	arena_reset(s->work);
	if (x->o != NULL && x->o->id_octets != NULL)
		keep_id(x, &x->o->id, x->o->kind);
	if (wants_message(a) || (x->mts_id == NULL && suspect_find(s, &k) == NULL))
		load_message(s, x);
}

static void subject_of_order(struct sw *s, const struct act *a, struct order *o, struct subject *x)
{
	*x = (struct subject){ .id = o->transfer, .o = o, .l = o->link, .queue = o->link->name };
	x->row = (struct store_queued){ .transfer = o->transfer, .message = o->message, .priority = o->priority, .arrived = o->arrived,
					.expires = o->expires, .attempts = o->attempts, .size = o->size };
	load_if_wanted(s, a, x);
}

static bool subject_in_store(struct sw *s, const struct act *a, uint64_t id, struct subject *x)
{
	if (!store_find_transfer(s->store, id, &x->row, &x->queue))
		return false;
	x->l = switch_link(s, x->queue);
	snprintf(x->queue_name, sizeof x->queue_name, "%.*s", (int)x->queue.n, (const char *)x->queue.p);
	x->queue = view_str(x->queue_name); /* the store's own lasts until the next call */
	load_if_wanted(s, a, x);
	return true;
}

/* It waits for its link no more. */
static void leave_queue(struct subject *x)
{
	if (x->o != NULL) {
		order_gone(x->o);
		x->o = NULL;
	} else if (x->l != NULL) {
		resume_forget(x->l->sw, x->id);
		x->l->queued -= x->l->queued > 0;
		x->l->octets -= x->l->octets < x->row.size ? x->l->octets : x->row.size;
	}
}

/* Into the window of that link when it is durable. */
static void enter_later(struct waiting *w, struct swlink *l, const struct subject *x)
{
	struct store_queued row = x->row;
	row.next_ms = 0;
	w->orders = mem_grow(w->orders, mem_mul(w->n_orders + 1, sizeof *w->orders));
	w->orders[w->n_orders++] = order_new(l, &row);
}

/* --- may it be done? Nothing is changed by asking. --- */

/* May that link have it? The same questions as when it was routed. */
static bool may_go(const struct subject *x, const struct swlink *to, struct err *e)
{
	unsigned long long id = x->id;
	if (x->loaded.m == NULL) {
		*e = x->unloadable;
		return false;
	}
	if (view_eq(x->loaded.peer, to->name))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "transfer %llu came by link %s: it would go in a circle", id, to->set->name);
	if (!restrict_allows(to, x->loaded.m))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "transfer %llu: its originator may not send over link %s", id, to->set->name);
	if (x->loaded.m->kind != MESSAGE_REPORT && to->set->size_limit != 0 && x->loaded.content_size > to->set->size_limit)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "transfer %llu has %llu octets of content, link %s takes %llu", id,
			       (unsigned long long)x->loaded.content_size, to->set->name, (unsigned long long)to->set->size_limit);
	const struct message *m = x->loaded.m;
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].responsible && !downgrade_link_takes(to->sw, to, m, &m->rcpt[i], e))
			return false;
	return true;
}

static bool may(const struct act *a, const struct subject *x, struct err *e)
{
	unsigned long long id = x->id;
	if (a->what == ACT_RETRY && is_held(x))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "transfer %llu is held: release it", id);
	if (a->what == ACT_REROUTE && x->l == a->to)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "transfer %llu waits for link %s already", id, a->to->set->name);
	if (a->what == ACT_REROUTE && jobs_is_queue(x->queue))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "transfer %llu is not for a link yet: it waits in %s", id, x->queue_name);
	if (a->what == ACT_REROUTE)
		return may_go(x, a->to, e);
	if ((a->what == ACT_RETURN || a->report) && x->loaded.m == NULL) {
		*e = x->unloadable;
		return false;
	}
	return true;
}

/* --- the acts. x->o is out of its window, if the act takes it out. --- */

static bool takes_out(const struct act *a)
{
	return a->what != ACT_RELEASE && a->what != ACT_RETRY;
}

static void hold(struct sw *s, const struct act *a, struct subject *x)
{
	struct out text;
	if (is_held(x))
		return;
	out_init(&text, 512);
	say(a, "held", &text);
	store_transfer_retry(s->store, x->id, STORE_NEVER, x->row.attempts, out_cstr(&text));
	out_fini(&text);
	put_step(s, a, x, STEP_HELD, "held");
	if (x->o != NULL)
		order_free(x->o);
	x->o = NULL;
}

/* What is deferred and was only held has its time still to come; to be tried at once is what retry is for. */
static wall_ms_t due_of(struct sw *s, const struct subject *x, enum store_step_kind kind)
{
	const bool waits = kind == STEP_RELEASED && x->loaded.m != NULL && view_eq(x->queue, VIEW(JOBS_DEFERRED));
	return waits && x->loaded.m->deferred > now_of(s) ? x->loaded.m->deferred : now_of(s);
}

/* Held, or its time has not come: now. */
static void wake(struct sw *s, const struct act *a, struct subject *x, enum store_step_kind kind, const char *done, struct waiting *w)
{
	struct out text;
	out_init(&text, 512);
	say(a, done, &text);
	const wall_ms_t due = due_of(s, x, kind);
	store_transfer_retry(s->store, x->id, due, x->row.attempts, out_cstr(&text));
	out_fini(&text);
	put_step(s, a, x, kind, done);
	if (x->l != NULL)
		enter_later(w, x->l, x);
	else
		jobs_at(s, due);
}

static void retry(struct sw *s, const struct act *a, struct subject *x, struct waiting *w)
{
	if (x->l != NULL) {
		timer_stop(&x->l->open_timer);
		timer_stop(&x->l->more_timer);
		x->l->alone_at_ms = 0;
	}
	if (x->o == NULL && x->row.next_ms > now_of(s))
		wake(s, a, x, STEP_OPERATOR, "retry asked for", w);
	else
		put_step(s, a, x, STEP_OPERATOR, "retry asked for");
}

static void reroute(struct sw *s, const struct act *a, struct subject *x, struct waiting *w)
{
	char done[160];
	snprintf(done, sizeof done, "rerouted from %.*s to %s", (int)(x->queue.n < 64 ? x->queue.n : 64), (const char *)x->queue.p,
		 a->to->set->name);
	put_step(s, a, x, STEP_OPERATOR, done);
	store_transfer_move(s->store, x->id, a->to->name, is_held(x) ? STORE_NEVER : now_of(s),
			    x->l == NULL ? x->loaded.tried : reroute_tried(s, x->loaded.tried, x->l->set->name));
	leave_queue(x);
	a->to->queued++;
	a->to->octets += x->row.size;
	if (!is_held(x))
		enter_later(w, a->to, x);
}

/* With a report to the originator, or without: for good either way. */
static void discard(struct sw *s, const struct act *a, struct subject *x, bool report, struct waiting *w)
{
	struct err why;
	bool deferred = x->row.next_ms > now_of(s) && view_eq(x->queue, VIEW(JOBS_DEFERRED));
	put_step(s, a, x, report || deferred ? STEP_OPERATOR : STEP_DELETED, report ? "returned" : deferred ? "cancelled" : "deleted");
	if (report) {
		err_report(&why, ERR_PERM, ERR_OF_MESSAGE, 1, -1, "an operator has returned it%s%s", *a->why == 0 ? "" : ": ", a->why);
		place_failure(s, &x->loaded, NULL, &why, w);
	}
	store_transfer_reported(s->store, x->id);
	if (x->o != NULL)
		suspect_done(x->o, false);
	leave_queue(x);
}

static void perform(struct sw *s, const struct act *a, struct subject *x, struct waiting *w)
{
	switch (a->what) {
	case ACT_HOLD: hold(s, a, x); return;
	case ACT_RELEASE:
		if (is_held(x))
			wake(s, a, x, STEP_RELEASED, "released", w);
		return;
	case ACT_RETRY: retry(s, a, x, w); return;
	case ACT_REROUTE: reroute(s, a, x, w); return;
	case ACT_RETURN: discard(s, a, x, true, w); return;
	case ACT_DELETE: discard(s, a, x, a->report, w); return;
	case ACT_QUARANTINE_RELEASE:
	case ACT_QUARANTINE_DELETE:
	case ACT_COUNT: break;
	}
	CANT_HAPPEN("an act on a transfer is none of these");
}

/* --- in somebody's hands --- */

/* A later act takes the place of an earlier one; to be released or tried again is what comes anyway. */
static enum msg_acted_what remember(const struct act *a, struct order *o)
{
	free(o->act);
	o->act = NULL;
	if (!takes_out(a))
		return ACTED_DONE;
	o->act = mem_alloc(sizeof *o->act);
	*o->act = *a;
	return ACTED_IN_FLIGHT;
}

bool operate_aims_at(const struct order *o, const struct swlink *l)
{
	return o->act != NULL && o->act->to == l;
}

bool operate_returned(struct order *o)
{
	struct sw *s = o->link->sw;
	struct act *a = o->act;
	struct subject x;
	struct err e = { .kind = ERR_NONE };
	if (a == NULL)
		return false;
	o->act = NULL;
	subject_of_order(s, a, o, &x);
	bool good = may(a, &x, &e);
	if (good) {
		struct waiting *w = switch_wait(s, place_enter_windows, NULL, 0);
		perform(s, a, &x, w);
		switch_wait_no_more(s, w);
	}
	audit(s, a, x.id, &x, good ? "done when it came back" : "refused", e.kind == ERR_NONE ? "" : e.text);
	free(a);
	return good;
}

/* --- one id of a transfer --- */

/* Out of its window or list. False: it is in neither, but on its way into one. */
static bool withdraw(struct order *o)
{
	if (o->list == NULL)
		return queue_window_remove(o->link->window, o->priority, o->transfer);
	if (o->list == &o->link->sw->converts)
		o->link->n_converting--;
	order_list_remove(o);
	return true;
}

static bool is_quarantined(struct sw *s, uint64_t id)
{
	struct store_quarantine q;
	struct err e;
	arena_reset(s->work);
	return store_load_quarantine(s->store, id, &q, s->work, &e);
}

static enum msg_acted_what act_on_transfer(struct sw *s, const struct act *a, uint64_t id, struct waiting *w, struct subject *x,
					   struct err *e)
{
	struct order *o = map_get(&s->orders, id);
	if (o != NULL && o->in_hand)
		return remember(a, o);
	if (o != NULL) {
		subject_of_order(s, a, o, x);
	} else if (!subject_in_store(s, a, id, x)) {
		if (!is_quarantined(s, id))
			return ACTED_GONE;
		err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%llu is in quarantine: posthorn quarantine has the commands for it",
			(unsigned long long)id);
		return ACTED_REFUSED;
	}
	if (!may(a, x, e))
		return ACTED_REFUSED;
	if (o != NULL && takes_out(a) && !withdraw(o))
		return remember(a, o);
	perform(s, a, x, w);
	return ACTED_DONE;
}

/* --- one id in quarantine --- */

static void load_quarantined(struct sw *s, const struct store_quarantine *q, struct subject *x)
{
	const size_t n = strlen(QUARANTINE_UNREPORTED);
	*x = (struct subject){ .id = q->id, .queue = q->link, .l = switch_link(s, q->link), .row = { .message = q->message, .size = q->size } };
	if (q->octets || (q->cause.n >= n && memcmp(q->cause.p, QUARANTINE_UNREPORTED, n) == 0)) {
		err_set(&x->unloadable, ERR_PERM, ERR_OF_MESSAGE, "%llu is not touched: the switch has died of it", (unsigned long long)q->id);
		return;
	}
	switch_note(s, "quarantine", x->id);
	if (store_load_transfer(s->store, x->id, &x->loaded, s->work, &x->unloadable) && x->loaded.m != NULL)
		keep_id(x, &x->loaded.m->id, x->loaded.m->kind);
	else
		x->loaded.m = NULL;
}

/* What is released to a job of the switch's own has no link yet, and goes on where it was. */
static bool is_job(const struct act *a, const struct store_quarantine *q)
{
	return a->to == NULL && jobs_is_queue(q->link);
}

/* Not a replay: it is read again, and has to pass what every message passes on that link. */
static bool may_let_go(const struct act *a, const struct store_quarantine *q, const struct subject *x, const struct swlink *to, struct err *e)
{
	unsigned long long id = q->id;
	if (q->octets)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%llu is octets that nobody has decoded: they are offered as a message, not released", id);
	if (a->to != NULL && jobs_is_queue(q->link))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%llu is not for a link yet: release it to where it was", id);
	if (to == NULL && !is_job(a, q))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%llu waited for link %.*s, which is not configured: release it to another", id,
			       (int)q->link.n, (const char *)q->link.p);
	if (to != NULL)
		return may_go(x, to, e);
	if (x->loaded.m == NULL)
		*e = x->unloadable;
	return x->loaded.m != NULL;
}

/* Its interchange reads them again; of another link they are nobody's here (posthorn quarantine decodes those). */
static bool let_octets_go(struct sw *s, const struct act *a, const struct store_quarantine *q, const struct subject *x, struct err *e)
{
	unsigned long long id = q->id;
	if (a->to != NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%llu is octets: they go in by the link they came by", id);
	if (examine_has(s, id))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%llu is being examined: try it again", id);
	examine_release(s, q);
	put_step(s, a, x, STEP_RELEASED, "released from quarantine");
	return true;
}

static bool let_go(struct sw *s, const struct act *a, const struct store_quarantine *q, struct waiting *w, struct subject *x, struct err *e)
{
	struct swlink *to = a->to == NULL ? x->l : a->to;
	struct view queue;
	if (q->octets && x->l != NULL && x->l->set->kind == LINK_MSMAIL)
		return let_octets_go(s, a, q, x, e);
	if (!may_let_go(a, q, x, to, e))
		return false;
	store_quarantine_release(s->store, q->id, to == NULL ? q->link : to->name, now_of(s));
	if (!store_find_transfer(s->store, q->id, &x->row, &queue))
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "%llu could not be released", (unsigned long long)q->id);
	const struct key k = suspect_key("message", q->message);
	suspect_released(s, &k);
	put_step(s, a, x, STEP_RELEASED, "released from quarantine");
	if (to == NULL) {
		jobs_at(s, 0);
		return true;
	}
	to->queued++;
	to->octets += x->row.size;
	enter_later(w, to, x);
	return true;
}

static uint64_t quarantined(struct sw *s)
{
	struct store_counts c;
	store_count(s->store, &c);
	return c.quarantined;
}

/* To delete works always, also for what cannot be read; but not while a process reads it. */
static enum msg_acted_what act_on_quarantined(struct sw *s, const struct act *a, uint64_t id, struct waiting *w, struct subject *x,
					      struct err *e)
{
	struct store_quarantine q = { .id = id };
	arena_reset(s->work);
	const bool known = store_load_quarantine(s->store, id, &q, s->work, e);
	if (known)
		load_quarantined(s, &q, x);
	if (a->what == ACT_QUARANTINE_RELEASE)
		return !known ? ACTED_GONE : let_go(s, a, &q, w, x, e) ? ACTED_DONE : ACTED_REFUSED;
	if (examine_has(s, id)) { /* what they are may be on its way already */
		err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%llu is being examined: try it again", (unsigned long long)id);
		return ACTED_REFUSED;
	}
	const uint64_t before = quarantined(s);
	store_quarantine_remove(s->store, id);
	if (quarantined(s) == before)
		return ACTED_GONE;
	put_step(s, a, x, STEP_DELETED, "deleted from quarantine");
	return ACTED_DONE;
}

/* --- the whole ACT --- */

void operate_line(char *to, size_t size, struct view from)
{
	size_t n = from.n < size - 1 ? from.n : size - 1;
	for (size_t i = 0; i < n; i++)
		to[i] = from.p[i] < 0x20 || from.p[i] == 0x7f ? ' ' : (char)from.p[i];
	to[n] = 0;
}

void operate_who(const struct proc *p, struct view claimed, char who[OPERATE_WHO_MAX])
{
	char name[WHO_MAX - 32];
	operate_line(name, sizeof name, claimed);
	if (p->user >= 0)
		snprintf(who, WHO_MAX, "%s (uid %lld)", name, (long long)p->user);
	else
		snprintf(who, WHO_MAX, "%s", name);
}

static bool read_act(struct proc *p, const struct msg_act_on *m, struct act *a, struct err *e)
{
	struct sw *s = p->sw;
	*a = (struct act){ .what = m->act };
	operate_line(a->why, sizeof a->why, m->why);
	operate_who(p, m->who, a->who);
	if (s->stopping)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "this MTA is stopping");
	if (m->act == ACT_DELETE && m->arg.n > 0) {
		a->report = view_eq(m->arg, VIEW("report"));
		return a->report || err_set(e, ERR_PERM, ERR_OF_PROCESS, "delete takes \"report\" or nothing");
	}
	if (m->act != ACT_REROUTE && (m->act != ACT_QUARANTINE_RELEASE || m->arg.n == 0))
		return true;
	char name[65];
	operate_line(name, sizeof name, m->arg);
	a->to = switch_link(s, m->arg);
	if (a->to != NULL && a->to->is_removed)
		a->to = NULL;
	return a->to != NULL || err_set(e, ERR_PERM, ERR_OF_PROCESS, "no link is called \"%s\"", name);
}

static void answer(struct sw *s, struct waiting *w)
{
	place_enter_windows(s, w);
	struct out *o = proc_begin(w->proc, MSG_ACTED);
	if (o == NULL)
		return;
	struct msg_acted m = { .id = w->id, .what = view_of(w->answer->what, w->answer->n), .err = w->answer->err };
	put_msg_acted(o, &m);
	proc_end(w->proc);
}

static uint64_t id_at(struct view ids, size_t i)
{
	struct cur c = cur_of(view_from(ids, i * 8));
	return cur_u64(&c);
}

static enum msg_acted_what act_on(struct sw *s, const struct act *a, uint64_t id, struct waiting *w, struct err *e)
{
	struct subject x = { .id = id };
	bool in_quarantine = a->what == ACT_QUARANTINE_RELEASE || a->what == ACT_QUARANTINE_DELETE;
	enum msg_acted_what done = (in_quarantine ? act_on_quarantined : act_on_transfer)(s, a, id, w, &x, e);
	audit(s, a, id, &x, outcome_names[done], done == ACTED_REFUSED ? e->text : "");
	return done;
}

bool operate_act(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_act_on m;
	struct act a;
	struct err why;
	if (!get_msg_act_on(payload, &m, e))
		return false;
	struct waiting *w = switch_wait(s, answer, p, m.id);
	size_t n = m.ids.n / 8;
	w->answer = mem_zero(mem_add(sizeof *w->answer, n));
	*w->answer = (struct operate_answer){ .n = n, .err = { .kind = ERR_NONE, .reason = -1, .diagnostic = -1 } };
	bool good = read_act(p, &m, &a, &why);
	for (size_t i = 0; i < n; i++) {
		enum msg_acted_what done = good ? act_on(s, &a, id_at(m.ids, i), w, &why) : ACTED_REFUSED;
		if (done == ACTED_REFUSED && w->answer->err.kind == ERR_NONE)
			w->answer->err = why;
		w->answer->what[i] = (uint8_t)done;
	}
	switch_wait_no_more(s, w);
	if (good) /* what others have waited behind may have gone */
		for (size_t i = 0; i < s->n_links; i++)
			dispatch_run(s->links[i]);
	alone_kick(s); /* a suspect has waited for the same timer */
	return true;
}
