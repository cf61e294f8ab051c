/* dispatch.c - one link's queue at work: associations, orders, results; window.c has what of it is in memory. Everything here is the link's own, so
 * that a dead peer costs no other link anything. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

/* --- associations --- */

static struct proc *least_loaded_link(struct sw *s)
{
	struct proc *best = NULL;
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (p->kind == PROCESS_LINK && !p->dead && p->control != NULL && p->bulk != NULL && apply_is_settled(p) &&
		    (best == NULL || p->n_assocs + p->inbound.n < best->n_assocs + best->inbound.n))
			best = p;
	return best;
}

/* Of those that its link has and wants. */
static void leave_counts(struct swassoc *a)
{
	struct swlink *l = a->link;
	if (a->is_outdated)
		return;
	l->n_assocs--;
	l->n_opening -= a->state == ASSOC_OPENING;
	l->n_kept -= a->kept;
}

static void assoc_free(struct swassoc *a)
{
	struct swlink *l = a->link;
	resume_assoc_gone(a);
	for (struct swassoc **at = &l->assocs; *at != NULL; at = &(*at)->next)
		if (*at == a) {
			*at = a->next;
			break;
		}
	if (a->inbound) {
		l->n_inbound--;
		l->n_turns -= a->sends;
		map_take(&a->proc->inbound, a->id);
	} else {
		leave_counts(a);
		a->proc->n_assocs--;
		map_take(&l->sw->assocs, a->id);
	}
	free(a);
}

/* Its link has other settings now, or is gone: it ends when what is in its hands is done, and others are opened beside it. */
static void outdate(struct swassoc *a)
{
	if (a->is_outdated)
		return;
	if (!a->inbound && !a->alone)
		leave_counts(a);
	a->is_outdated = true;
	dispatch_close_assoc(a);
}

void dispatch_outdate_of(struct proc *p)
{
	struct swassoc *a;
	for (size_t i = 0; (a = map_next(&p->sw->assocs, &i)) != NULL;)
		if (a->proc == p)
			outdate(a);
}

void dispatch_outdate(struct swlink *l)
{
	struct sw *s = l->sw;
	struct swassoc *a;
	for (size_t i = 0; (a = map_next(&s->assocs, &i)) != NULL;)
		if (a->link == l)
			outdate(a);
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		for (size_t i = 0; p->kind == PROCESS_LINK && (a = map_next(&p->inbound, &i)) != NULL;)
			if (a->link == l)
				outdate(a);
}

/* which, n_tried: the peer's address, and the how manieth it is of this attempt. */
static bool open_one(struct swlink *l, uint32_t which, uint32_t n_tried)
{
	struct sw *s = l->sw;
	struct proc *p = connector_is_link(l) ? l->connector : least_loaded_link(s);
	if (p == NULL || p->dead || p->control == NULL)
		return false;
	struct swassoc *a = mem_zero(sizeof *a);
	*a = (struct swassoc){ .id = ++s->next_assoc, .proc = p, .link = l, .state = ASSOC_OPENING, .which = which, .n_tried = n_tried,
			       .since_ms = env_now_ms(s->host.env), .next = l->assocs,
			       .kept = queue_is_kept(&l->policy, l->n_assocs - l->n_kept),
			       .permanent = l->set->permanent && calling_now(l) == CALLING_ANY && !calling_has_permanent(l) };
	l->assocs = a;
	l->n_assocs++;
	l->n_opening++;
	l->n_kept += a->kept;
	p->n_assocs++;
	map_put(&s->assocs, a->id, a);
	calling_open(a);
	return true;
}

void dispatch_open(struct swlink *l)
{
	struct sw *s = l->sw;
	const enum calling calling = calling_now(l);
	if (!calling_has_somebody(l) || calling == CALLING_NEVER || s->stopping || timer_is_set(&l->open_timer))
		return;
	const unsigned want = calling_wanted(l);
	while (l->n_assocs < want && open_one(l, l->address, 1))
		;
}

/* A transfer's own time: the earliest one wins. */
void dispatch_wake_in(struct swlink *l, int64_t delay_ms)
{
	if (!timer_is_set(&l->wake_timer) || l->wake_timer.at_ms > env_now_ms(l->sw->host.env) + delay_ms)
		timer_after(&l->wake_timer, delay_ms);
}

static void on_open_timer(void *ctx)
{
	struct swlink *l = ctx;
	alone_kick(l->sw);
	dispatch_run(l);
}

void dispatch_open_failed(struct swlink *l, const struct err *why)
{
	struct sw *s = l->sw;
	const int64_t now = env_now_ms(s->host.env);
	snprintf(l->last_error, sizeof l->last_error, "%s", why->text);
	if (l->open_failures == 0 || queue_open_counts(&l->policy, l->open_failures, (uint64_t)(now - l->counted_ms))) {
		l->counted_ms = now;
		if (l->open_failures++ == 0)
			l->first_failure = env_wall_ms(s->host.env);
	}
	uint64_t delay = queue_open_delay(&l->policy, l->open_failures, env_random(s->host.env));
	timer_after(&l->open_timer, (int64_t)delay);
	reroute_open_failed(l);
}

/* --- handing over --- */

/* Our own ones carry what the schedule lets us call for: what opened it in between takes nothing else (Q217131). */
static bool carries(const struct swassoc *a, enum priority prio, enum calling calling)
{
	if (a->inbound)
		return true;
	return prio == PRIORITY_URGENT ? calling != CALLING_NEVER : calling == CALLING_ANY && !a->kept;
}

static struct swassoc *free_assoc(struct swlink *l, enum priority prio)
{
	const enum calling calling = calling_now(l);
	struct swassoc *best = NULL;
	for (struct swassoc *a = l->assocs; a != NULL; a = a->next)
		if (a->state == ASSOC_OPEN && a->in_flight < HANDOVERS && carries(a, prio, calling) &&
		    (best == NULL || a->in_flight < best->in_flight))
			best = a;
	return best;
}

static enum priority next_priority(const struct swlink *l)
{
	return queue_window_count(l->window, PRIORITY_URGENT) > 0 ? PRIORITY_URGENT : PRIORITY_NON_URGENT;
}

void dispatch_hand_over(struct order *o, struct swassoc *a)
{
	struct swlink *l = o->link;
	switch_note(l->sw, "transfer", o->transfer);
	if (FAULT(SWITCH_TRANSFER))
		CANT_HAPPEN("a transfer could not be given to a link (fault point)");
	/* A number of its own: what is still on its way about an earlier attempt must not be taken for this one. */
	o->handover = ++l->sw->next_handover;
	map_put(&l->sw->handovers, o->handover, o);
	resume_tell(o, a);
	struct msg_transfer m = { .transfer = o->handover, .assoc = a->id, .packed = o->hot_packed, .content_size = o->size_sent,
				  .stored = o->transfer };
	if (o->size_sent <= MSG_INLINE_MAX)
		m.content = o->hot_content;
	put_msg_transfer(proc_begin(a->proc, MSG_TRANSFER), &m);
	proc_end(a->proc);
	o->assoc = a;
	o->in_hand = true;
	o->pulled = 0;
	o->sent_at_ms = env_now_ms(l->sw->host.env);
	a->held[a->in_flight++] = o;
	l->in_flight++;
	if (!o->is_converted && (o->size <= MSG_INLINE_MAX || o->hot_content.n == 0))
		order_forget_hot(o); /* a long inline content is kept to be pulled; a converted one is only here */
}

/* One from the window on its way. False: those that wait for conversion are too many for another. */
static bool start(struct order *o, struct swassoc *a)
{
	struct swlink *l = o->link;
	struct err e;
	if (suspect_of(o) != NULL) { /* struck while it waited, in another transfer of the message */
		alone_add(o);
		return true;
	}
	if (!order_have(o, &e)) {
		if (e.kind == ERR_PERM)
			dispatch_give_up(o, &e);
		else
			quarantine_condemn(o, e.text); /* nobody waits behind it */
		return true;
	}
	if (monitor_drops(o))
		return true;
	if (!convert_wants(o)) {
		dispatch_hand_over(o, a);
		return true;
	}
	if (l->n_converting >= CONVERTS_MAX) {
		dispatch_put_back(o);
		return false;
	}
	convert_enter(o);
	return true;
}

void dispatch_run(struct swlink *l)
{
	struct queue_entry entry;
	struct swassoc *a;
	if (l->is_removed || l->sw->is_changing)
		return; /* nothing is opened for it; or it is run when all links have their settings */
	window_refill(l);
	while (connector_takes(l) && (a = free_assoc(l, next_priority(l))) != NULL &&
	       queue_window_take(l->window, PRIORITY_NON_URGENT, &entry) && start(entry.user, a))
		window_refill(l);
	dispatch_open(l);
	if (connector_is_link(l) && l->suspects.n > 0)
		alone_kick(l->sw);
}

void dispatch_release(struct order *o)
{
	struct swassoc *a = o->assoc;
	unsigned i = 0;
	while (a->held[i] != o)
		i++;
	a->in_flight--;
	for (; i < a->in_flight; i++)
		a->held[i] = a->held[i + 1];
	a->held[a->in_flight] = NULL;
	const int64_t now = env_now_ms(a->link->sw->host.env);
	if (a->in_flight > 0) /* it is the next one's turn: its time runs from now */
		a->held[0]->sent_at_ms = now;
	else if (a->state == ASSOC_CLOSING)
		a->since_ms = now;
	a->link->in_flight--;
	o->assoc = NULL;
	o->in_hand = false;
	map_take(&a->link->sw->handovers, o->handover);
}

static void give_back(struct order *o, const struct err *why);

/* Back to the front of the window, in the order in which they were given. A connector could go on like this for ever. */
static void take_back(struct swassoc *a, const struct err *why)
{
	while (a->in_flight > 0) {
		struct order *o = a->held[a->in_flight - 1];
		dispatch_release(o);
		if (connector_is_link(a->link))
			give_back(o, why);
		else
			dispatch_put_back(o);
	}
}

/* Of the peer's: with can_send our mail goes out on it too. */
void dispatch_inbound_up(struct proc *p, uint64_t id, struct swlink *l, bool can_send)
{
	if (map_get(&p->inbound, id) != NULL)
		return;
	struct swassoc *a = mem_zero(sizeof *a);
	*a = (struct swassoc){ .id = id, .proc = p, .link = l, .state = ASSOC_OPEN, .inbound = true, .sends = can_send,
			       .since_ms = env_now_ms(p->sw->host.env) };
	map_put(&p->inbound, id, a);
	l->n_inbound++;
	tally_add(&l->tally, METRIC_LINK_INBOUND_TOTAL, 1);
	tally_stamp(&l->tally, METRIC_LINK_LAST_INBOUND);
	connector_told(p, l, NULL);
	calling_kick(l, false); /* the peer is there: the next attempt to reach it need not wait */
	if (!can_send)
		return;
	a->next = l->assocs;
	l->assocs = a;
	l->n_turns++;
	dispatch_run(l);
}

static void inbound_down(struct proc *p, const struct msg_assoc *m)
{
	struct swassoc *a = map_get(&p->inbound, m->assoc);
	if (p->serves != NULL)
		connector_told(p, p->serves, &m->err);
	if (a == NULL) {
		struct swlink *refused = p->kind != PROCESS_LINK || m->was_open || m->err.kind == ERR_NONE ? NULL : switch_link(p->sw, m->link);
		apply_early_down(p, m->assoc);
		if (refused != NULL)
			tally_refused(refused, &m->err);
		return;
	}
	struct swlink *l = a->link;
	const bool sends = a->sends;
	take_back(a, &m->err);
	assoc_free(a);
	if (sends)
		dispatch_run(l);
}

/* Before ASSOC_UP: what it can do. */
bool dispatch_assoc_how(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_assoc_how m;
	if (!get_msg_assoc_how(payload, &m, e))
		return false;
	p->two_way = (m.assoc & MSG_INBOUND_BIT) != 0 && m.can_send ? m.assoc : 0;
	struct swassoc *a = map_get(&p->sw->assocs, m.assoc);
	if (a != NULL && a->proc == p && a->state == ASSOC_OPENING)
		a->recovered = m.recovered;
	return true;
}

bool dispatch_assoc_up(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_assoc m;
	if (!get_msg_assoc(payload, &m, e))
		return false;
	struct swlink *l = switch_link(s, m.link);
	if (l != NULL && (m.assoc & MSG_INBOUND_BIT) != 0) {
		dispatch_inbound_up(p, m.assoc, l, m.assoc == p->two_way);
		return true;
	}
	if (l == NULL && apply_early_up(p, &m))
		return true;
	struct swassoc *a = map_get(&s->assocs, m.assoc);
	if (a != NULL && a->proc == p && a->is_outdated)
		return true; /* its end is on its way */
	if (a == NULL || a->proc != p || a->link != l || a->state != ASSOC_OPENING)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "ASSOC_UP %llu: no association that this process was told to open",
			       (unsigned long long)m.assoc);
	a->state = ASSOC_OPEN;
	tally_add(&l->tally, METRIC_LINK_OUTBOUND_TOTAL, 1);
	tally_stamp(&l->tally, METRIC_LINK_LAST_OUTBOUND);
	l->open_failures = 0;
	l->owes_call = l->is_detached = false;
	l->address = a->which;
	if (l->lost_in_vain == 0)
		l->last_error[0] = 0;
	if (a->alone) {
		alone_up(a);
		return true;
	}
	l->n_opening--;
	if (a->permanent && calling_now(l) != CALLING_ANY) /* its time was over before it stood */
		dispatch_close_assoc(a);
	struct order *first = a->state == ASSOC_OPEN ? resume_first(a) : NULL;
	if (first == NULL || start(first, a))
		dispatch_run(l);
	return true;
}

/* What its end means for the link. */
static void down(struct swassoc *a, const struct err *why)
{
	struct swlink *l = a->link;
	const bool opening = a->state == ASSOC_OPENING, failed = why->kind != ERR_NONE, used = a->used;
	const bool comes_again = a->permanent && a->state == ASSOC_OPEN, outdated = a->is_outdated;
	const bool has_more = opening && failed && calling_has_more(a);
	const uint32_t next = calling_next(a), n_tried = a->n_tried + 1;
	assoc_free(a);
	if (outdated || (has_more && open_one(l, next, n_tried)))
		return;
	l->is_unknown_there = l->is_unknown_there || (opening && why->kind == ERR_TEMP && why->culprit == ERR_OF_PROCESS && !connector_is_link(l));
	if (opening && failed && calling_has_open(l))
		calling_no_more(l, why);
	else if (opening && failed)
		dispatch_open_failed(l, why);
	else if (failed || comes_again)
		calling_lost(l, used, why);
}

bool dispatch_assoc_down(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_assoc m;
	if (!get_msg_assoc(payload, &m, e))
		return false;
	if ((m.assoc & MSG_INBOUND_BIT) != 0) {
		inbound_down(p, &m);
		return true;
	}
	struct swassoc *a = map_get(&p->sw->assocs, m.assoc);
	if (a == NULL || a->proc != p)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "ASSOC_DOWN %llu: no association of this process",
			       (unsigned long long)m.assoc);
	struct swlink *l = a->link;
	if (a->state == ASSOC_OPENING && m.err.kind != ERR_NONE && !a->is_outdated)
		tally_open_failed(l, &m.err);
	if (a->alone) {
		alone_down(a, &m.err);
		return true;
	}
	take_back(a, &m.err);
	down(a, &m.err);
	dispatch_run(l);
	return true;
}

/* Streams what was pulled: from the order's own copy, or from the content file, in pieces. */
bool dispatch_pull(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct order *o = map_get(&s->handovers, m.id);
	if (examine_is_of(p, m.id))
		return examine_pull(p, &m, e);
	if (o == NULL || o->assoc == NULL || o->assoc->proc != p || m.n > o->size_sent - o->pulled)
		return o == NULL || o->assoc == NULL ||
		       err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_PULL %llu asks for more than there is", (unsigned long long)m.id);
	uint8_t *buf = mem_alloc(MSG_PIECE_MAX);
	while (m.n > 0 && p->bulk != NULL) {
		size_t n = m.n < MSG_PIECE_MAX ? (size_t)m.n : MSG_PIECE_MAX, got = 0;
		struct msg_piece piece = { o->handover, { NULL, 0 } };
		struct err why = { .text = "it ends too early" };
		if (o->has_hot && o->hot_content.n == o->size_sent) {
			piece.octets = view_of(o->hot_content.p + o->pulled, n);
		} else if (store_read_content(s->store, o->message, o->pulled, buf, n, &got, &why) && got == n) {
			piece.octets = view_of(buf, n);
		} else {
			char transfer[24];
			snprintf(transfer, sizeof transfer, "%llu", (unsigned long long)o->transfer);
			EMIT(&s->host, STORE_DAMAGED, "transfer", transfer, "why", why.text);
			o->damaged = true;
			m.n = n = 0; /* an empty piece: no more comes, give the transfer up */
		}
		put_msg_piece(chan_begin(p->bulk, MSG_TRANSFER_DATA), &piece);
		chan_end(p->bulk);
		o->pulled += n;
		m.n -= n;
	}
	free(buf);
	return true;
}

/* --- results --- */

static void nothing_more(struct sw *s, struct waiting *w)
{
	place_enter_windows(s, w); /* a report made on the way may have transfers of its own */
}

static void tell_handover(const struct order *o)
{
	struct out id;
	char size[24];
	if (o->id_octets == NULL || !event_is_heard(o->link->sw->host.log, EV_MESSAGE_OUT))
		return;
	out_init(&id, 1024);
	mts_id_print(&o->id, &id);
	snprintf(size, sizeof size, "%llu", (unsigned long long)o->size);
	EMIT(&o->link->sw->host, MESSAGE_OUT, "message", out_cstr(&id), "link", o->link->set->name, "size", size);
	out_fini(&id);
}

static void delivered(struct order *o)
{
	struct sw *s = o->link->sw;
	o->link->sent++;
	tell_handover(o);
	order_step(o, STEP_TRANSFER_OUT, "");
	tally_transmitted(s, o->link, o->size, store_transfer_done(s->store, o->transfer), o->arrived);
	suspect_done(o, true);
	order_gone(o);
}

/* For good: every recipient of this transfer is reported, in the same group in which the transfer goes. */
void dispatch_give_up(struct order *o, const struct err *why)
{
	struct sw *s = o->link->sw;
	struct store_loaded loaded;
	struct err e;
	const struct suspect *x = suspect_of(o);
	if (suspect_is_over(s, x)) {
		quarantine_condemn(o, x->words);
		return;
	}
	switch_note(s, "transfer", o->transfer);
	arena_reset(s->work);
	if (!store_load_transfer(s->store, o->transfer, &loaded, s->work, &e)) {
		quarantine_condemn(o, e.text);
		return;
	}
	struct waiting *w = switch_wait(s, nothing_more, NULL, 0);
	order_keep_message(o, loaded.m);
	tally_add(&o->link->tally, METRIC_LINK_REPORTED, 1);
	if (why->diagnostic == 5)
		tally_add(&s->tallies.mta, METRIC_MTA_EXPIRED, 1);
	if (why->diagnostic == 5)
		order_step(o, STEP_EXPIRED, why->text);
	place_failure(s, &loaded, o->link, why, w);
	store_transfer_reported(s->store, o->transfer);
	w->ticket = store_ticket(s->store);
	suspect_done(o, false);
	order_gone(o);
}

static void wait_in_store(struct order *o, uint32_t attempts, const char *why)
{
	struct swlink *l = o->link;
	o->in_hand = false;
	if (again_returned(o))
		return;
	struct sw *s = l->sw;
	tally_add(&l->tally, METRIC_LINK_RETRIES, 1);
	uint64_t delay = queue_transfer_delay(&l->policy, attempts == 0 ? 1 : attempts, env_random(s->host.env));
	store_transfer_retry(s->store, o->transfer, env_wall_ms(s->host.env) + (wall_ms_t)delay, attempts, why);
	order_step(o, STEP_RETRY, why);
	order_free(o);
	dispatch_wake_in(l, (int64_t)delay);
}

static void retry_later(struct order *o, const struct err *why)
{
	struct swlink *l = o->link;
	struct sw *s = l->sw;
	uint32_t failures = o->attempts + 1;
	o->in_hand = false;
	if (again_returned(o))
		return;
	if (queue_gives_up(&l->policy, failures)) {
		struct err final = *why;
		final.reason = why->reason < 0 ? 0 : why->reason; /* transfer-failure */
		dispatch_give_up(o, &final);
		return;
	}
	char text[24];
	snprintf(text, sizeof text, "%u", failures);
	EMIT(&s->host, MESSAGE_RETRY, "link", l->set->name, "attempts", text, "why", why->text);
	wait_in_store(o, failures, why->text);
}

/* Its association ended. It waits for another one, first in line, uncounted. One that has lost several in a row lets the others go
 * first for a while; when others got through on this link meanwhile, it is what ends them, and that counts. */
static void give_back(struct order *o, const struct err *why)
{
	if (o->losses++ == 0)
		o->sent_before = o->link->sent;
	if (o->losses < LOSSES_MAX)
		dispatch_put_back(o);
	else if (reroute_order(o, why))
		return;
	else if (o->link->sent > o->sent_before)
		retry_later(o, why);
	else
		wait_in_store(o, o->attempts, why->text);
}

/* In our own process, by no fault of the peer: once is chance, the same way again is the message. */
static void failed_here(struct order *o, const struct err *why)
{
	if (o->damaged)
		quarantine_condemn(o, "its content cannot be read from the store");
	else if (o->attempts > 0 || suspect_of(o) != NULL)
		suspect_strike_order(o, why->text);
	else
		retry_later(o, why);
}

/* It gets nothing more; its end is told by ASSOC_DOWN. */
void dispatch_close_assoc(struct swassoc *a)
{
	if (a->state == ASSOC_CLOSING)
		return;
	a->state = ASSOC_CLOSING;
	a->since_ms = env_now_ms(a->link->sw->host.env);
	struct out *o = proc_begin(a->proc, MSG_ASSOC_CLOSE);
	if (o == NULL)
		return;
	struct msg_count m = { a->id, 0 };
	put_msg_count(o, &m);
	proc_end(a->proc);
}

bool dispatch_result(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_result m;
	if (!get_msg_result(payload, &m, e))
		return false;
	struct order *o = map_get(&p->sw->handovers, m.transfer);
	if (o == NULL || o->assoc == NULL || o->assoc->proc != p)
		return true; /* of an attempt that was taken back meanwhile */
	struct swlink *l = o->link;
	struct swassoc *a = o->assoc;
	dispatch_release(o);
	switch_note(l->sw, "transfer", o->transfer);
	if (FAULT(SWITCH_RESULT))
		CANT_HAPPEN("a result could not be stored (fault point)");
	const enum err_culprit culprit = m.err.culprit;
	const bool here = culprit == ERR_OF_PROCESS || (culprit == ERR_OF_MESSAGE && m.err.kind == ERR_LOCAL) || o->damaged;
	const bool ends = culprit == ERR_OF_ASSOCIATION || culprit == ERR_OF_LINK || culprit == ERR_OF_PROCESS;
	a->used = a->used || m.delivered;
	if (m.delivered)
		l->lost_in_vain = 0;
	if (m.delivered)
		delivered(o);
	else if (operate_returned(o))
		alone_kick(l->sw);
	else if (m.err.kind == ERR_PERM)
		dispatch_give_up(o, &m.err);
	else if (here)
		failed_here(o, &m.err);
	else if (ends && a->is_outdated)
		dispatch_put_back(o);
	else if (ends)
		give_back(o, &m.err);
	else if (!reroute_order(o, &m.err))
		retry_later(o, &m.err);
	if ((a->alone && !m.delivered) || (ends && !m.delivered && m.err.kind != ERR_PERM))
		dispatch_close_assoc(a);
	else if (a->alone)
		alone_kick(l->sw);
	dispatch_run(l);
	return true;
}

/* --- life --- */

void dispatch_link_init(struct swlink *l, struct sw *s, const struct set_link *set)
{
	*l = (struct swlink){ .sw = s, .set = set, .name = view_str(set->name), .is_stopped = stops_has(s, view_str(set->name)) };
	dispatch_set_policy(l);
	tally_link_init(l);
	calling_init(l);
	timer_init(&l->open_timer, s->host.env, on_open_timer, l);
	window_init(l);
	monitor_settings(l);
}

void dispatch_set_policy(struct swlink *l)
{
	const struct set_link *set = l->set;
	const struct set_expiry *expiry = &l->sw->settings->expiry;
	l->policy = (struct queue_policy){
		.max_open_retries = (uint32_t)set->max_open_retries, .max_transfer_retries = (uint32_t)set->max_transfer_retries,
		.open_interval_ms = set->open_interval_ms, .transfer_interval_ms = set->transfer_interval_ms,
		.threshold = (unsigned)set->threshold, .max_associations = (unsigned)set->max_associations,
		.timeout_s_per_k = { (uint32_t)set->timeout_non_urgent_s, (uint32_t)set->timeout_normal_s, (uint32_t)set->timeout_urgent_s },
		.expiry_ms = { expiry->non_urgent_ms, expiry->normal_ms, expiry->urgent_ms },
	};
}

void dispatch_link_fini(struct swlink *l)
{
	struct queue_entry entry;
	monitor_link_fini(l);
	tally_link_fini(l);
	calling_fini(l);
	timer_stop(&l->open_timer);
	timer_stop(&l->wake_timer);
	while (queue_window_take(l->window, PRIORITY_NON_URGENT, &entry))
		order_free(entry.user);
	queue_window_free(&l->window);
	reroute_link_fini(l);
	while (l->suspects.first != NULL)
		order_free(l->suspects.first);
	while (l->assocs != NULL)
		assoc_free(l->assocs);
}

void dispatch_proc_gone(struct proc *p)
{
	struct sw *s = p->sw;
	struct swlink *l;
	if (p->kind != PROCESS_LINK && !connector_is(p))
		return;
	struct swassoc *of_peer;
	for (size_t i = 0; (of_peer = map_next(&p->inbound, &i)) != NULL; i = 0)
		assoc_free(of_peer);
	for (size_t i = 0; i < s->n_links; i++) {
		l = s->links[i];
		for (struct swassoc *a = l->assocs, *next; a != NULL; a = next) {
			next = a->next;
			l->owes_call = l->owes_call || (a->proc == p && !a->inbound && a->state == ASSOC_OPEN && l->set->two_way_alternate);
			if (a->proc == p)
				assoc_free(a); /* what it held is in limbo */
		}
		dispatch_run(l);
	}
}

/* --- watch --- */

/* Only the first in hand runs; the link enforces its timeout itself, so that this one is passed only by a process that is ill. */
static struct proc *hangs_at_transfer(struct sw *s, struct err *e)
{
	struct order *o;
	int64_t now = env_now_ms(s->host.env);
	for (size_t i = 0; (o = map_next(&s->handovers, &i)) != NULL;) {
		uint64_t most = queue_transfer_timeout_ms(&o->link->policy, o->priority, o->size_sent);
		if (o->assoc->held[0] != o || most > INT64_MAX / 2 || now - o->sent_at_ms < (int64_t)most + HAND_GRACE_MS)
			continue;
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "it says nothing about transfer %llu for %lld s", (unsigned long long)o->transfer,
			(long long)(now - o->sent_at_ms) / 1000);
		return o->assoc->proc;
	}
	return NULL;
}

/* A link process may have a transfer of the peer's to end on it first, and watches that itself. */
static bool is_to_end(const struct swassoc *a)
{
	return a->state == ASSOC_CLOSING && a->in_flight == 0 && (a->alone || connector_is(a->proc));
}

static struct proc *hangs_at_opening(struct sw *s, struct err *e)
{
	struct swassoc *a;
	const struct set_limits *limits = &s->settings->limits;
	int64_t most = (int64_t)(limits->connect_timeout_ms + limits->response_timeout_ms) + HAND_GRACE_MS;
	for (size_t i = 0; (a = map_next(&s->assocs, &i)) != NULL;) {
		if ((a->state != ASSOC_OPENING && !is_to_end(a)) || env_now_ms(s->host.env) - a->since_ms < most)
			continue;
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "it says nothing about an association to %s for %lld s", a->link->set->name,
			(long long)most / 1000);
		return a->proc;
	}
	return NULL;
}

void dispatch_watch(struct sw *s)
{
	struct proc *p;
	struct err e;
	while ((p = hangs_at_transfer(s, &e)) != NULL || (p = hangs_at_opening(s, &e)) != NULL)
		proc_hung(p, &e);
}

const char *dispatch_state(const struct swlink *l)
{
	unsigned open = l->n_assocs - l->n_opening + l->n_turns;
	if (l->is_removed)
		return "removed";
	if (l->is_stopped)
		return "stopped";
	if (l->set->kind == LINK_MSMAIL)
		return connector_state(l);
	if (connector_is_link(l) && l->connector == NULL)
		return "no connector";
	if (open > 0)
		return "open";
	if (l->n_opening > 0)
		return "opening";
	if (timer_is_set(&l->open_timer))
		return "waiting";
	if (calling_now(l) != CALLING_ANY && l->set->schedule != SCHEDULE_REMOTE)
		return "closed";
	return l->set->schedule == SCHEDULE_REMOTE || (*l->set->address == 0 && !connector_is_link(l)) ? "remote-initiated" : "idle";
}
