/* control.c - the command line's requests, and the content processes that show messages. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { RENDER_TRIES = 2, RENDER_CONTENT_MAX = 12 * 1024 * 1024, RENDER_FIELDS = 512 };

/* --- status --- */

bool control_status(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	(void)payload;
	(void)e;
	for (size_t i = 0; i < s->n_links; i++) {
		const struct swlink *l = s->links[i];
		int64_t next = -1;
		if (timer_is_set(&l->open_timer))
			next = l->open_timer.at_ms - env_now_ms(s->host.env);
		char schedule[64];
		struct monitor_shown monitor;
		monitor_show(l, &monitor);
		calling_schedule(l, schedule, sizeof schedule);
		struct msg_status_link m = {
			.name = l->name, .state = view_str(dispatch_state(l)), .last_error = view_str(l->last_error),
			.address = view_str(connector_is_link(l) ? connector_address(l) : calling_address(l)), .schedule = view_str(schedule), .two_way = l->n_turns, .queued = l->queued, .octets = l->octets, .inbound = l->n_inbound,
			.outbound = l->n_assocs - l->n_opening, .in_flight = l->in_flight, .sent = l->sent, .received = l->received,
			.attempts = l->open_failures, .next_attempt_ms = next < 0 ? -1 : next,
			.monitor = view_str(monitor.is_on ? monitor_state_name(monitor.state) : ""), .round_trip_ms = monitor.trip_ms,
			.unanswered_ms = (uint64_t)monitor.waits_ms,
		};
		put_msg_status_link(proc_begin(p, MSG_STATUS_LINK), &m);
		proc_end(p);
	}
	struct store_counts c;
	store_count(s->store, &c);
	uint64_t contents = 0;
	for (struct proc *q = s->procs; q != NULL; q = q->next)
		contents += q->kind == PROCESS_CONTENT && !q->dead;
	struct msg_status_end m = { .mta = s->mta, .domain = view_str(s->settings->mta.domain), .messages = c.messages,
				    .queued = c.transfers, .deliveries = c.deliveries, .links = s->n_links,
				    .content_processes = contents, .uptime_ms = (uint64_t)(env_now_ms(s->host.env) - s->started_ms),
				    .held = store_held(s->store), .quarantined = c.quarantined, .suspects = c.suspects };
	put_msg_status_end(proc_begin(p, MSG_STATUS_END), &m);
	proc_end(p);
	return true;
}

/* --- showing a mailbox entry --- */

static void forget_render(struct sw *s, struct render *r)
{
	if (r->worker != NULL)
		r->worker->render = NULL;
	timer_stop(&r->timer);
	for (struct render **at = &s->renders; *at != NULL; at = &(*at)->next)
		if (*at == r) {
			*at = r->next;
			break;
		}
	free(r);
}

static void shown(struct sw *s, struct render *r, struct view result, const struct err *failed)
{
	struct out *o = proc_begin(r->asker, MSG_SHOWN_MAIL);
	if (o != NULL) {
		struct msg_render m = { .id = r->asker_id, .delivery = r->delivery, .content = result,
					.err = { .reason = -1, .diagnostic = -1 } };
		if (failed != NULL)
			m.err = *failed;
		put_msg_render(o, &m);
		proc_end(r->asker);
	}
	if (failed != NULL && !r->is_gone)
		EMIT(&s->host, RENDER_FAILED, "why", failed->text);
	forget_render(s, r);
}

int64_t control_patience_ms(const struct sw *s)
{
	return 2 * (int64_t)s->settings->processes.content_ms;
}

/* The budget of the item is over: the process is ended by its channel, the item fails, nobody else waits. */
static void on_render_timeout(void *ctx)
{
	struct render *r = ctx;
	struct err e;
	struct proc *worker = r->worker;
	struct sw *s = r->sw;
	err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "showing the message took longer than %lld ms", (long long)control_patience_ms(s));
	shown(s, r, (struct view){ NULL, 0 }, &e);
	if (worker != NULL)
		proc_hung(worker, &e);
	control_run_renders(s);
}

/* A long one is shown as far as the budget goes and one frame holds. */
static bool content_to_show(struct sw *s, const struct store_loaded *loaded, size_t room, struct view *content_r, struct err *e)
{
	size_t max = room < RENDER_CONTENT_MAX ? room : RENDER_CONTENT_MAX, got = 0;
	*content_r = view_first(loaded->content, max);
	if (!loaded->in_file)
		return true;
	size_t n = loaded->content_size < max ? (size_t)loaded->content_size : max;
	uint8_t *buf = arena_get(s->work, n);
	if (buf == NULL)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "no room for %zu octets of content", n);
	if (!store_read_content(s->store, loaded->message, 0, buf, n, &got, e))
		return false;
	*content_r = view_of(buf, got);
	return true;
}

static void start_render(struct sw *s, struct render *r, struct proc *worker)
{
	struct store_loaded loaded;
	struct err e;
	const struct key k = suspect_key("delivery", r->delivery);
	const struct suspect *x = suspect_find(s, &k);
	if (suspect_is_over(s, x)) {
		err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "it is not shown: %u processes died of it: %.120s", x->strikes, x->words);
		shown(s, r, (struct view){ NULL, 0 }, &e);
		return;
	}
	switch_note(s, "delivery", r->delivery);
	arena_reset(s->work);
	if (!(r->any ? store_load_any(s->store, r->delivery, &loaded, s->work, &e)
		     : store_load_delivery(s->store, r->delivery, &loaded, s->work, &e))) {
		r->is_gone = r->any && e.kind == ERR_PERM; /* delivered or deleted while somebody looked at it */
		shown(s, r, (struct view){ NULL, 0 }, &e);
		return;
	}
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	if (loaded.m != NULL) /* else octets that nobody has decoded */
		pack_message(&packed, loaded.m, 0, loaded.m->n_rcpt);
	struct msg_render m = { .id = r->id, .delivery = r->delivery, .packed = out_view(&packed),
				.err = { .reason = -1, .diagnostic = -1 } };
	if (packed.bad || !content_to_show(s, &loaded, MSG_MAX_RENDER - RENDER_FIELDS - out_len(&packed), &m.content, &e)) {
		if (packed.bad)
			err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "the envelope is longer than %d octets", MSG_ENVELOPE_MAX);
		shown(s, r, (struct view){ NULL, 0 }, &e);
		out_fini(&packed);
		return;
	}
	put_msg_render(proc_begin(worker, MSG_RENDER), &m);
	proc_end(worker);
	out_fini(&packed);
	r->worker = worker;
	r->tries++;
	worker->render = r;
	timer_after(&r->timer, control_patience_ms(s));
}

void control_run_renders(struct sw *s)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		while (p->kind == PROCESS_CONTENT && !p->dead && p->control != NULL && p->render == NULL && p->conversion == NULL) {
			struct render *r = s->renders;
			while (r != NULL && r->worker != NULL)
				r = r->next;
			if (r == NULL) {
				convert_run(s);
				return;
			}
			start_render(s, r, p); /* one that cannot be loaded is answered, and the next one follows */
		}
}

static bool show_one(struct proc *p, struct view payload, bool any, struct err *e)
{
	struct sw *s = p->sw;
	struct msg_render m;
	if (!get_msg_render(payload, &m, e))
		return false;
	struct render *r = mem_zero(sizeof *r);
	*r = (struct render){ .sw = s, .id = ++s->next_render, .delivery = m.delivery, .any = any, .asker = p, .asker_id = m.id };
	timer_init(&r->timer, s->host.env, on_render_timeout, r);
	struct render **at = &s->renders;
	while (*at != NULL)
		at = &(*at)->next;
	*at = r;
	timer_after(&r->timer, control_patience_ms(s));
	control_run_renders(s);
	return true;
}

bool control_show_mail(void *ctx, struct view payload, struct err *e)
{
	return show_one(ctx, payload, false, e);
}

bool control_show(void *ctx, struct view payload, struct err *e)
{
	return show_one(ctx, payload, true, e);
}

bool control_rendered(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_render m;
	if (!get_msg_render(payload, &m, e))
		return false;
	struct render *r = p->render;
	if (r == NULL || r->id != m.id)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "RENDERED %llu was not asked for", (unsigned long long)m.id);
	shown(p->sw, r, m.content, m.err.kind == ERR_NONE ? NULL : &m.err);
	control_run_renders(p->sw);
	return true;
}

/* --- removing one --- */

static void removed(struct sw *s, struct waiting *w)
{
	(void)s;
	struct out *o = proc_begin(w->proc, MSG_DONE);
	if (o == NULL)
		return;
	struct msg_answer m = { .id = w->id, .accepted = true, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_answer(o, &m);
	proc_end(w->proc);
}

bool control_remove_mail(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_render m;
	if (!get_msg_render(payload, &m, e))
		return false;
	struct waiting *w = switch_wait(p->sw, removed, p, m.id);
	store_delivery_remove(p->sw->store, m.delivery);
	switch_wait_no_more(p->sw, w);
	return true;
}

void control_proc_gone(struct proc *p)
{
	struct sw *s = p->sw;
	for (struct render *r = s->renders, *next; r != NULL; r = next) {
		next = r->next;
		if (r->asker == p)
			r->asker = NULL;
		if (r->worker == NULL && r->asker == NULL) {
			forget_render(s, r);
			continue;
		}
		if (r->worker != p)
			continue;
		r->worker = NULL;
		p->render = NULL;
		if (r->asker == NULL) {
			forget_render(s, r);
		} else if (r->tries >= RENDER_TRIES) {
			struct err e;
			err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "the content process died %u times of this message", r->tries);
			shown(s, r, (struct view){ NULL, 0 }, &e);
		}
	}
	if (p->kind == PROCESS_CONTENT)
		control_run_renders(s);
}
