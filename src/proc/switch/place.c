/* place.c - where each recipient goes. One message becomes one operation on the store: its recipients with their
 * places, one transfer for each next hop, one entry for each mailbox; and, in the same group, the report about those that
 * have no place. A recipient's trouble is that recipient's alone. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

struct placing {
	struct sw *s;
	const struct incoming *in;
	struct waiting *w;
	struct store_recipient *rows;
	struct store_transfer *transfers;
	struct swlink **transfer_links;
	size_t n_transfers;
	struct store_delivery *deliveries;
	size_t n_deliveries;
	struct report_result *results;   /* what is to be told the originator */
	size_t n_results;
	wall_ms_t now;
};

static void *take(struct sw *s, size_t n, size_t size)
{
	void *p = arena_array(s->work, n == 0 ? 1 : n, size);
	assert(p != NULL); /* the quota is far above what the longest envelope can ask for */
	return p;
}

static void step_of(struct placing *p, enum store_step_kind kind, const struct oraddr *addr, struct view peer, const char *cause)
{
	struct out text;
	out_init(&text, 1024);
	if (addr != NULL)
		oraddr_print(addr, ORADDR_F401, &text);
	if (*cause != 0)
		out_fmt(&text, ": %s", cause);
	struct store_step step = { .kind = kind, .id = &p->in->m->id, .other = p->in->about, .peer = peer, .text = out_view(&text),
				   .size = p->in->size };
	store_put_step(p->s->store, &step);
	out_fini(&text);
}

/* --- one recipient --- */

/* Deferred by the MTA where it was submitted, and by no other: until then, or 0. */
static wall_ms_t release_of(const struct placing *p)
{
	return p->in->link.n == 0 && p->in->m->deferred > p->now ? p->in->m->deferred : 0;
}

static uint32_t transfer_to(struct placing *p, struct swlink *l)
{
	for (size_t i = 0; i < p->n_transfers; i++)
		if (p->transfer_links[i] == l)
			return (uint32_t)i;
	p->transfer_links[p->n_transfers] = l;
	p->transfers[p->n_transfers] = (struct store_transfer){ .queue = l->name, .next_ms = release_of(p) };
	return (uint32_t)p->n_transfers++;
}

/* A report that only the originating MTA asked for (X.411 per-recipient-indicators) ends here, not in the user's mailbox. */
static bool is_for_user(const struct message *report)
{
	for (size_t i = 0; i < report->n_rcpt; i++) {
		const struct recipient *r = &report->rcpt[i];
		if (r->originator_report == REPORT_ALL ||
		    (r->originator_report == REPORT_NON_DELIVERY && r->outcome == OUTCOME_NOT_DELIVERED))
			return true;
	}
	return false;
}

static void deliver(struct placing *p, size_t i, const struct oraddr *addr, const char *mailbox)
{
	const struct message *m = p->in->m;
	if (m->kind == MESSAGE_REPORT && !is_for_user(m)) {
		step_of(p, STEP_DISCARDED, addr, p->in->link, "the originator did not ask for this report");
		return;
	}
	if (m->kind != MESSAGE_PROBE) {
		p->deliveries[p->n_deliveries++] = (struct store_delivery){ .mailbox = view_str(mailbox), .recipient = (uint32_t)i };
		step_of(p, STEP_DELIVERED, addr, view_str(mailbox), "");
	}
	if (m->kind != MESSAGE_REPORT && report_is_due(m, &m->rcpt[i], true))
		p->results[p->n_results++] = (struct report_result){ .rcpt = &m->rcpt[i], .delivered = true, .at = p->now,
								     .reason = -1, .diagnostic = -1 };
}

static void fail(struct placing *p, size_t i, const struct oraddr *addr, const struct err *why)
{
	const struct message *m = p->in->m;
	if (m->kind == MESSAGE_REPORT) {
		step_of(p, STEP_DISCARDED, addr, p->in->link, why->text);
		EMIT(&p->s->host, MESSAGE_DISCARDED, "message", p->w->mts_id, "why", why->text);
		return;
	}
	char *cause = arena_str(p->s->work, view_str(why->text));
	p->results[p->n_results++] = (struct report_result){ .rcpt = &m->rcpt[i], .reason = why->reason < 0 ? 1 : why->reason,
							     .diagnostic = why->diagnostic, .supplementary = view_str(cause) };
	EMIT(&p->s->host, MESSAGE_REPORTED, "message", p->w->mts_id, "recipient", oraddr_text(addr, p->s->work), "why", why->text);
}

static enum store_rcpt_state place_one(struct placing *p, size_t i, const struct oraddr *addr, const struct err *refusal,
				       uint32_t *transfer_r)
{
	struct sw *s = p->s;
	struct route_answer to;
	struct err e;
	struct swlink *arrival = switch_link(s, p->in->link);
	const char *exclude = arrival == NULL ? NULL : arrival->set->name;
	if (refusal != NULL) {
		fail(p, i, addr, refusal);
		return STORE_RCPT_REPORTED;
	}
	if (p->in->m->kind != MESSAGE_REPORT && extensions_unsupported(&p->in->m->rcpt[i].ext) != NULL) {
		err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 18, "an extension of the recipient that is critical for transfer is not known here");
		fail(p, i, addr, &e);
		return STORE_RCPT_REPORTED;
	}
	if (!route_find(s->routes, addr, exclude, &to, &e)) {
		fail(p, i, addr, &e);
		return STORE_RCPT_REPORTED;
	}
	if (to.target == ROUTE_LOCAL) {
		deliver(p, i, addr, to.mailbox);
		return STORE_RCPT_DELIVERED;
	}
	struct swlink *l = switch_link(s, view_str(to.link));
	assert(l != NULL); /* settings_load has checked every route */
	if (l->set->size_limit != 0 && p->in->size > l->set->size_limit) {
		err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 7, "content of %llu octets is over the limit of %llu on link %s",
			   (unsigned long long)p->in->size, (unsigned long long)l->set->size_limit, l->set->name);
		fail(p, i, addr, &e);
		return STORE_RCPT_REPORTED;
	}
	if (!downgrade_link_takes(s, l, p->in->m, &p->in->m->rcpt[i], &e)) {
		fail(p, i, addr, &e);
		return STORE_RCPT_REPORTED;
	}
	*transfer_r = transfer_to(p, l);
	return STORE_RCPT_QUEUED;
}

/* --- the whole message --- */

/* A cause that holds for every recipient, found before any route is looked up. */
static const struct err *common_refusal(struct placing *p, struct err *e)
{
	const struct message *m = p->in->m;
	struct sw *s = p->s;
	if (p->in->refusal != NULL)
		return p->in->refusal;
	if (p->in->link.n > 0 && trace_check(m, &s->domain, s->mta, (size_t)s->settings->limits.trace) == TRACE_LOOP) {
		step_of(p, STEP_LOOP, NULL, p->in->link, "it has been here before");
		EMIT(&s->host, MESSAGE_LOOP, "message", p->w->mts_id);
		err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 3, "loop: the trace shows that this MTA has handled the message before");
		return e;
	}
	const struct extension *unknown = extensions_unsupported(&m->ext);
	if (unknown != NULL) {
		err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 18, "%s extension %u, critical for transfer, is not known here",
			   unknown->is_private ? "private" : "standard", unknown->number);
		return e;
	}
	if (m->latest_delivery != 0 && m->latest_delivery <= p->now) {
		step_of(p, STEP_EXPIRED, NULL, p->in->link, "latest delivery time has passed");
		err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 5, "the latest delivery time has passed");
		return e;
	}
	return NULL;
}

static void place_recipients(struct placing *p, const struct err *refusal)
{
	struct message *m = p->in->m;
	if (m->kind == MESSAGE_REPORT) { /* one destination for the whole */
		uint32_t transfer = 0;
		enum store_rcpt_state state = place_one(p, 0, &m->originator, refusal, &transfer);
		for (size_t i = 0; i < m->n_rcpt; i++)
			p->rows[i] = (struct store_recipient){ &m->rcpt[i], state, transfer };
		return;
	}
	for (size_t i = 0; i < m->n_rcpt; i++) {
		struct store_recipient *row = &p->rows[i];
		*row = (struct store_recipient){ &m->rcpt[i], STORE_RCPT_NOT_OURS, 0 };
		if (m->rcpt[i].responsible)
			row->state = place_one(p, i, &m->rcpt[i].addr, refusal, &row->transfer);
	}
}

/* The message as the next hop will get it: kept in memory to save reading it back. Only for the common case of one next hop. */
static void keep_hot(struct placing *p, struct order *o)
{
	struct message *m = p->in->m;
	if (p->n_transfers != 1 || p->in->file != NULL || !order_may_keep_hot(o->link))
		return;
	for (size_t i = 0; i < m->n_rcpt; i++)
		m->rcpt[i].responsible = p->rows[i].state == STORE_RCPT_QUEUED;
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	order_pack(o, &packed, m);
	if (!packed.bad)
		order_keep_hot(o, out_view(&packed), p->in->content);
	out_fini(&packed);
}

static void add_orders(struct placing *p, const struct store_message *stored)
{
	struct waiting *w = p->w;
	w->orders = mem_grow(w->orders, mem_mul(w->n_orders + p->n_transfers, sizeof *w->orders));
	for (size_t i = 0; i < p->n_transfers; i++) {
		struct swlink *l = p->transfer_links[i];
		l->queued++;
		l->octets += p->in->size;
		if (p->transfers[i].next_ms > p->now) {
			dispatch_wake_in(l, p->transfers[i].next_ms - p->now);
			continue;
		}
		struct store_queued q = { .transfer = p->transfers[i].id_r, .message = stored->id_r, .priority = p->in->m->priority,
					  .arrived = stored->arrived, .expires = stored->expires, .size = p->in->size };
		struct order *o = order_new(l, &q);
		order_keep_message(o, p->in->m);
		keep_hot(p, o);
		w->orders[w->n_orders++] = o;
	}
}

static void store_it(struct placing *p)
{
	struct sw *s = p->s;
	struct message *m = p->in->m;
	const wall_ms_t release = release_of(p);
	struct queue_policy policy = s->n_links > 0 ? s->links[0].policy : queue_policy_default();
	if (p->n_transfers > 0)
		policy = p->transfer_links[0]->policy;
	struct store_message put = {
		.m = m, .peer = p->in->link, .content = p->in->content, .file = p->in->file, .arrived = p->now,
		.expires = queue_expires(&policy, m->priority, release == 0 ? p->now : release, m->latest_delivery),
		.recipients = p->rows, .n_recipients = m->n_rcpt, .transfers = p->transfers, .n_transfers = p->n_transfers,
		.deliveries = p->deliveries, .n_deliveries = p->n_deliveries,
	};
	if (m->kind == MESSAGE_PROBE) {
		put.content = (struct view){ NULL, 0 };
		put.file = NULL;
	}
	if (p->n_transfers == 0 && p->n_deliveries == 0)
		return; /* nothing to keep: all were reported */
	store_put_message(s->store, &put);
	add_orders(p, &put);
}

static void make_report(struct placing *p)
{
	struct sw *s = p->s;
	struct report_maker maker = { .domain = s->domain, .mta = s->mta, .now = p->now };
	struct err e = { .kind = ERR_NONE };
	const struct message *m = p->in->m;
	switch_next_id(s, &maker.id, s->work);
	struct message *report = report_build(m, p->results, p->n_results, &maker, s->work, &e);
	if (report == NULL) {
		if (e.kind != ERR_NONE)
			EMIT(&s->host, MESSAGE_DISCARDED, "message", p->w->mts_id, "why", e.text);
		return;
	}
	bool failed = false;
	for (size_t i = 0; i < p->n_results; i++)
		failed = failed || !p->results[i].delivered;
	if (failed && report_returns_content(m) && p->in->content.n > 0 && p->in->file == NULL) {
		report->returned_content = p->in->content;
		report->has_returned_content = true;
	}
	struct incoming in = { .m = report, .about = &m->id };
	struct store_step step = { .kind = STEP_REPORT_MADE, .id = &m->id, .other = &report->id };
	struct out text;
	out_init(&text, 1024);
	for (size_t i = 0; i < p->n_results && i < 4; i++) {
		const struct report_result *r = &p->results[i];
		oraddr_print(&r->rcpt->addr, ORADDR_F401, &text);
		out_fmt(&text, r->delivered ? ": delivered" : ": %s, %s; ", reason_name(r->reason), diagnostic_name(r->diagnostic));
	}
	step.text = out_view(&text);
	store_put_step(s->store, &step);
	out_fini(&text);
	place_message(s, &in, p->w);
}

void place_message(struct sw *s, const struct incoming *in, struct waiting *w)
{
	struct message *m = in->m;
	size_t n = m->n_rcpt + 1;
	struct err e;
	struct placing p = { .s = s, .in = in, .w = w, .now = env_wall_ms(s->host.env) };
	p.rows = take(s, n, sizeof *p.rows);
	p.transfers = take(s, s->n_links, sizeof *p.transfers);
	p.transfer_links = take(s, s->n_links, sizeof *p.transfer_links);
	p.deliveries = take(s, n, sizeof *p.deliveries);
	p.results = take(s, n, sizeof *p.results);
	if (FAULT(SWITCH_ROUTE))
		CANT_HAPPEN("routing failed (fault point)");
	const struct err *refusal = common_refusal(&p, &e);
	if (in->about == NULL && !trace_add(m, &s->domain, s->mta, true, p.now, s->work))
		CANT_HAPPEN("the work arena is too small for a trace element");
	place_recipients(&p, refusal);
	store_it(&p);
	if (p.n_results > 0)
		make_report(&p);
}

void place_failure(struct sw *s, const struct store_loaded *loaded, const struct err *why, struct waiting *w)
{
	struct message *m = loaded->m;
	struct incoming in = { .m = m, .link = loaded->peer, .content = loaded->content, .size = loaded->content_size };
	struct placing p = { .s = s, .in = &in, .w = w, .now = env_wall_ms(s->host.env) };
	p.results = take(s, m->n_rcpt + 1, sizeof *p.results);
	struct out id;
	out_init(&id, sizeof w->mts_id - 1);
	mts_id_print(&m->id, &id);
	snprintf(w->mts_id, sizeof w->mts_id, "%s", out_cstr(&id));
	out_fini(&id);
	if (m->kind == MESSAGE_REPORT) {
		fail(&p, 0, &m->originator, why);
		return;
	}
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].responsible)
			fail(&p, i, &m->rcpt[i].addr, why);
	if (p.n_results > 0)
		make_report(&p);
}

void place_enter_windows(struct sw *s, struct waiting *w)
{
	(void)s;
	for (size_t i = 0; i < w->n_orders; i++)
		dispatch_enter(w->orders[i]->link, w->orders[i]);
	w->n_orders = 0;
}
