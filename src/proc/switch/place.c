/* place.c - where each recipient goes. One message becomes one operation on the store: its recipients with their
 * places, one transfer for each next hop, one entry for each mailbox; and, in the same group, the report about those that
 * have no place. A recipient's trouble is that recipient's alone. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

/* Of a recipient that is placed again as another one. */
struct redirected {
	size_t index;
	struct recipient rcpt;
};

struct placing {
	struct sw *s;
	struct incoming *in;
	struct waiting *w;
	struct store_recipient *rows;
	struct store_transfer *transfers;
	struct swlink **transfer_links;
	size_t n_transfers;
	struct store_delivery *deliveries;
	size_t n_deliveries;
	struct report_result *results;   /* what is to be told the originator */
	size_t n_results;
	const struct swlink *by;         /* it has failed there; NULL: not on a link */
	struct redirected *redirected;   /* NULL: none yet */
	size_t n_redirected;
	uint32_t *lists_placed;          /* by list: its transfer + 1; 0 none yet */
	uint8_t *links_asked;            /* by link: 0 not yet, 1 it may have the message, 2 not */
	wall_ms_t now;
};

static void *take(struct sw *s, size_t n, size_t size)
{
	void *p = arena_array(s->work, n == 0 ? 1 : n, size);
	assert(p != NULL); /* the quota is far above what the longest envelope can ask for */
	return p;
}

static void step_with(struct placing *p, enum store_step_kind kind, const struct oraddr *addr, struct view peer, const char *cause,
		      struct view keys)
{
	struct out text;
	out_init(&text, 1024);
	if (addr != NULL)
		oraddr_print(addr, ORADDR_F401, &text);
	if (*cause != 0)
		out_fmt(&text, ": %s", cause);
	struct store_step step = { .kind = kind, .id = &p->in->m->id, .other = p->in->about, .peer = peer, .text = out_view(&text),
				   .size = p->in->size, .of = p->in->m->kind, .keys = keys };
	store_put_step(p->s->store, &step);
	out_fini(&text);
}

static void step_of(struct placing *p, enum store_step_kind kind, const struct oraddr *addr, struct view peer, const char *cause)
{
	step_with(p, kind, addr, peer, cause, (struct view){ NULL, 0 });
}

/* --- one recipient --- */

/* Deferred by the MTA where it was submitted, and by no other: until then, or 0. */
static wall_ms_t release_of(const struct placing *p)
{
	const struct message *m = p->in->m;
	bool here = p->in->link.n == 0 && !p->in->again && m->kind == MESSAGE_MESSAGE;
	return here && m->deferred > p->now ? m->deferred : 0;
}

static uint32_t transfer_to(struct placing *p, struct swlink *l)
{
	for (size_t i = 0; i < p->n_transfers; i++)
		if (p->transfer_links[i] == l)
			return (uint32_t)i;
	p->transfer_links[p->n_transfers] = l;
	p->transfers[p->n_transfers] = (struct store_transfer){ .queue = l->name };
	return (uint32_t)p->n_transfers++;
}

/* Put aside for the switch itself: a transfer of its own each time. */
static uint32_t transfer_to_job(struct placing *p, const char *queue, wall_ms_t at)
{
	p->transfer_links[p->n_transfers] = NULL;
	p->transfers[p->n_transfers] = (struct store_transfer){ .queue = view_str(queue), .next_ms = at };
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

static void fail(struct placing *p, size_t i, const struct oraddr *addr, const struct err *why)
{
	const struct message *m = p->in->m;
	if (monitor_is_probe(p->s, m))
		return; /* the monitor sees it by its clock */
	if (m->kind == MESSAGE_REPORT) {
		step_of(p, STEP_DISCARDED, addr, p->in->link, why->text);
		tally_add(&p->s->tallies.mta, METRIC_MTA_DISCARDED, 1);
		EMIT(&p->s->host, MESSAGE_DISCARDED, "message", p->w->mts_id, "why", why->text);
		return;
	}
	char *cause = arena_str(p->s->work, view_str(why->text));
	tally_add(&p->s->tallies.mta, METRIC_MTA_REPORTED, 1);
	p->results[p->n_results++] = (struct report_result){ .rcpt = &m->rcpt[i], .reason = why->reason < 0 ? 1 : why->reason,
							     .diagnostic = why->diagnostic, .supplementary = view_str(cause) };
	EMIT(&p->s->host, MESSAGE_REPORTED, "message", p->w->mts_id, "recipient", oraddr_text(addr, p->s->work), "why", why->text);
}

/* As another recipient, in a message of its own that is placed in a turn of its own. False: it would go round. */
static bool redirect(struct placing *p, size_t i, const struct oraddr *to, enum redirection_reason reason, struct err *e)
{
	struct sw *s = p->s;
	const struct recipient *r = &p->in->m->rcpt[i];
	if (p->redirected == NULL)
		p->redirected = take(s, p->in->m->n_rcpt, sizeof *p->redirected);
	struct redirected *x = &p->redirected[p->n_redirected];
	if (!redirect_to(r, to, reason, p->now, s->work, &x->rcpt, e))
		return false;
	x->index = i;
	p->n_redirected++;
	const char *other = oraddr_text(to, s->work);
	struct out keys;
	out_init(&keys, STEPS_KEYS_MAX);
	steps_recipient_key(to, &keys);
	step_with(p, STEP_REDIRECTED, &r->addr, p->in->link, other, out_view(&keys));
	out_fini(&keys);
	EMIT(&s->host, MESSAGE_REDIRECTED, "message", p->w->mts_id, "recipient", oraddr_text(&r->addr, s->work), "to", other);
	return true;
}

/* What would hold for any other recipient, or what the originator prohibits. */
static bool may_help(const struct err *why)
{
	return why->reason < 0 || (why->reason <= 1 && why->diagnostic != 3 && why->diagnostic != 5 && why->diagnostic != 18 &&
				   why->diagnostic != 27 && why->diagnostic != 28);
}

/* It cannot be had by this recipient: by the one that the originator names for that (X.411 8.2.1.1.1.2), then the one of this domain. */
static enum store_rcpt_state fail_or_redirect(struct placing *p, size_t i, const struct err *why)
{
	const struct message *m = p->in->m;
	const struct recipient *r = &m->rcpt[i];
	const struct oraddr *by_domain = why->reason == 1 && why->diagnostic == 0 ? redirect_default(p->s, m, &r->addr) : NULL;
	struct err e = *why;
	if (r->alternate != NULL && may_help(why) && redirect(p, i, r->alternate, REDIRECTED_BY_ORIGINATOR, &e))
		return STORE_RCPT_DELIVERED;
	if (by_domain != NULL && redirect(p, i, by_domain, REDIRECTED_BY_DOMAIN, &e))
		return STORE_RCPT_DELIVERED;
	fail(p, i, &r->addr, &e);
	return STORE_RCPT_REPORTED;
}

static void delivered_to(struct placing *p, size_t i, uint32_t type_of_user)
{
	const struct message *m = p->in->m;
	if (report_is_due(m, &m->rcpt[i], true))
		p->results[p->n_results++] = (struct report_result){ .rcpt = &m->rcpt[i], .delivered = true, .at = p->now, .reason = -1,
								     .diagnostic = -1, .type_of_user = type_of_user };
}

static void deliver_report(struct placing *p, const struct oraddr *addr, const char *mailbox)
{
	if (!is_for_user(p->in->m)) {
		step_of(p, STEP_ABSORBED, addr, p->in->link, "the originator did not ask for this report");
		return;
	}
	reports_note(p->s, p->in->m, p->in->size, p->w);
	p->deliveries[p->n_deliveries++] = (struct store_delivery){ .mailbox = view_str(mailbox) };
	tally_transmitted(p->s, NULL, p->in->size, 1, p->in->arrived);
	step_of(p, STEP_DELIVERED, addr, view_str(mailbox), "");
}

static enum store_rcpt_state deliver(struct placing *p, size_t i, const struct oraddr *addr, const char *mailbox)
{
	const struct message *m = p->in->m;
	struct err e;
	const struct oraddr *alternate = redirect_assigned(p->s, addr);
	if (extensions_undeliverable(&m->ext) != NULL || extensions_undeliverable(&m->rcpt[i].ext) != NULL) {
		err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 18, "an extension that is critical for delivery is not known here");
		return fail_or_redirect(p, i, &e);
	}
	if (alternate != NULL && m->reassignment_prohibited) {
		err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 26, "the recipient has an alternate, and the originator prohibits that");
		return fail_or_redirect(p, i, &e);
	}
	if (alternate != NULL)
		return redirect(p, i, alternate, REDIRECTED_BY_RECIPIENT, &e) ? STORE_RCPT_DELIVERED : fail_or_redirect(p, i, &e);
	if (m->kind != MESSAGE_PROBE) {
		p->deliveries[p->n_deliveries++] = (struct store_delivery){ .mailbox = view_str(mailbox), .recipient = (uint32_t)i };
		tally_transmitted(p->s, NULL, p->in->size, 1, p->in->arrived);
		step_of(p, STEP_DELIVERED, addr, view_str(mailbox), "");
	}
	delivered_to(p, i, 0);
	return STORE_RCPT_DELIVERED;
}

/* A list of ours: a probe is answered for the list itself (X.411 8.2.1.2), a message is put aside to be expanded. */
static enum store_rcpt_state place_list(struct placing *p, size_t i, const struct list *l, uint32_t *transfer_r)
{
	enum { USER_DL = 3 }; /* X.411 TypeOfMTSUser */
	const struct message *m = p->in->m;
	struct err e;
	switch (lists_check(p->s, m, l, &e)) {
	case LISTS_REFUSE:
		EMIT(&p->s->host, LIST_REFUSED, "message", p->w->mts_id, "list", lists_name(l), "why", e.text);
		return fail_or_redirect(p, i, &e);
	case LISTS_AGAIN:
		step_of(p, STEP_DISCARDED, &m->rcpt[i].addr, p->in->link, "the list has been expanded before, and is in itself");
		return STORE_RCPT_DELIVERED;
	case LISTS_EXPAND: break;
	}
	if (m->kind == MESSAGE_PROBE) {
		delivered_to(p, i, USER_DL);
		return STORE_RCPT_DELIVERED;
	}
	uint32_t *placed = &p->lists_placed[lists_index(p->s, l)]; /* named again and again it is expanded once */
	if (*placed == 0)
		*placed = transfer_to_job(p, JOBS_LISTS, 0) + 1;
	*transfer_r = *placed - 1;
	return STORE_RCPT_QUEUED;
}

/* Octets of content, or those that a probe asks for. */
static uint64_t size_of(const struct placing *p)
{
	const struct message *m = p->in->m;
	return m->kind != MESSAGE_PROBE ? p->in->size : m->content_length > 0 ? (uint64_t)m->content_length : 0;
}

static bool link_takes(struct placing *p, struct swlink *l, struct err *e)
{
	uint8_t *asked = &p->links_asked[l->index];
	const uint64_t size = size_of(p);
	if (p->in->m->kind == MESSAGE_REPORT)
		return true;
	if (*asked == 0)
		*asked = restrict_allows(l, p->in->m) ? 1 : 2;
	if (*asked == 2)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 17, "this originator may not send over link %s", l->set->name);
	if (l->set->size_limit != 0 && size > l->set->size_limit)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 7, "content of %llu octets is over the limit of %llu on link %s",
				  (unsigned long long)size, (unsigned long long)l->set->size_limit, l->set->name);
	return true;
}

/* Where the address leads: the mailbox, or the link. */
static bool find(struct placing *p, const struct oraddr *addr, struct route_answer *to, struct swlink **link_r, struct err *e)
{
	struct sw *s = p->s;
	if (!reroute_choose(s, p->in->m, addr, p->in->link, p->in->m->kind == MESSAGE_REPORT ? 0 : size_of(p), to, e))
		return false;
	*link_r = to->target == ROUTE_LOCAL ? NULL : switch_link(s, view_str(to->link));
	assert(to->target == ROUTE_LOCAL || *link_r != NULL); /* settings_load has checked every route */
	return *link_r == NULL || link_takes(p, *link_r, e);
}

static enum store_rcpt_state place_one(struct placing *p, size_t i, const struct err *refusal, uint32_t *transfer_r)
{
	const struct recipient *r = &p->in->m->rcpt[i];
	struct route_answer to;
	struct swlink *l;
	struct err e;
	if (refusal != NULL) {
		fail(p, i, &r->addr, refusal);
		return STORE_RCPT_REPORTED;
	}
	if (extensions_unsupported(&r->ext) != NULL) {
		err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 18, "an extension of the recipient that is critical for transfer is not known here");
		return fail_or_redirect(p, i, &e);
	}
	const struct list *list = lists_find(p->s, &r->addr);
	if (list != NULL)
		return place_list(p, i, list, transfer_r);
	if (!find(p, &r->addr, &to, &l, &e))
		return fail_or_redirect(p, i, &e);
	if (l == NULL)
		return deliver(p, i, &r->addr, to.mailbox);
	if (!downgrade_link_takes(p->s, l, p->in->m, r, &e))
		return fail_or_redirect(p, i, &e);
	*transfer_r = transfer_to(p, l);
	return STORE_RCPT_QUEUED;
}

/* A report has one destination for the whole. */
static enum store_rcpt_state place_report(struct placing *p, const struct err *refusal, uint32_t *transfer_r)
{
	const struct oraddr *addr = &p->in->m->originator;
	struct route_answer to;
	struct swlink *l;
	struct err e;
	const struct list *list = lists_find(p->s, addr);
	if (refusal == NULL && monitor_takes(p->s, p->in->m, p->in->link)) {
		step_of(p, STEP_DISCARDED, addr, p->in->link, "it was for the link monitor");
		return STORE_RCPT_DELIVERED;
	}
	if (refusal == NULL && list != NULL) {
		if (lists_report(p->s, p->in, list, p->w))
			return STORE_RCPT_DELIVERED;
		refusal = &e;
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 3, "the report goes round from list to list");
	}
	if (refusal != NULL || !find(p, addr, &to, &l, &e)) {
		fail(p, 0, addr, refusal != NULL ? refusal : &e);
		return STORE_RCPT_REPORTED;
	}
	if (l == NULL) {
		deliver_report(p, addr, to.mailbox);
		return STORE_RCPT_DELIVERED;
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
	if (p->in->again && monitor_is_probe(s, m)) {
		err_set(e, ERR_PERM, ERR_OF_MESSAGE, "a probe of the link monitor takes no other way");
		return e;
	}
	if (p->in->link.n > 0 && !p->in->again && trace_check(m, &s->domain, s->mta, (size_t)s->settings->limits.trace) == TRACE_LOOP) {
		step_of(p, STEP_LOOP, NULL, p->in->link, "it has been here before");
		tally_add(&s->tallies.mta, METRIC_MTA_LOOPS, 1);
		if (switch_link(s, p->in->link) != NULL)
			tally_add(&switch_link(s, p->in->link)->tally, METRIC_LINK_LOOPS, 1);
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
	if (m->kind == MESSAGE_PROBE && size_of(p) > s->settings->limits.message) {
		err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "content would be longer than the limit of %llu octets (limits.message)",
			   (unsigned long long)s->settings->limits.message);
		return e;
	}
	if (m->latest_delivery != 0 && m->latest_delivery <= p->now) {
		step_of(p, STEP_EXPIRED, NULL, p->in->link, "latest delivery time has passed");
		err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 5, "the latest delivery time has passed");
		return e;
	}
	return NULL;
}

/* The whole message waits: the trace says until when (X.411 12.3.1 deferred-time). */
static uint32_t defer(struct placing *p, wall_ms_t release)
{
	struct message *m = p->in->m;
	m->trace.v[m->trace.n - 1].deferred = release;
	m->internal_trace.v[m->internal_trace.n - 1].deferred = release;
	step_of(p, STEP_DEFERRED, NULL, VIEW(JOBS_DEFERRED), "");
	return transfer_to_job(p, JOBS_DEFERRED, release);
}

static void place_recipients(struct placing *p, const struct err *refusal)
{
	struct message *m = p->in->m;
	const wall_ms_t release = refusal == NULL ? release_of(p) : 0;
	uint32_t transfer = 0;
	if (m->kind == MESSAGE_REPORT) {
		enum store_rcpt_state state = place_report(p, refusal, &transfer);
		for (size_t i = 0; i < m->n_rcpt; i++)
			p->rows[i] = (struct store_recipient){ &m->rcpt[i], state, transfer };
		return;
	}
	if (release != 0)
		transfer = defer(p, release);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		struct store_recipient *row = &p->rows[i];
		*row = (struct store_recipient){ &m->rcpt[i], STORE_RCPT_NOT_OURS, transfer };
		if (m->rcpt[i].responsible)
			row->state = release != 0 ? STORE_RCPT_QUEUED : place_one(p, i, refusal, &row->transfer);
	}
}

/* The message as the next hop will get it: kept in memory to save reading it back. Only for the common case of one next hop. */
static void keep_hot(struct placing *p, struct order *o)
{
	struct message *m = p->in->m;
	if (p->n_transfers != 1 || p->in->file != NULL || p->in->content_of != 0 || !order_may_keep_hot(o->link))
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
		if (l == NULL) {
			jobs_at(p->s, p->transfers[i].next_ms);
			continue;
		}
		l->queued++;
		l->octets += p->in->size;
		struct store_queued q = { .transfer = p->transfers[i].id_r, .message = stored->id_r, .priority = p->in->m->priority,
					  .arrived = stored->arrived, .expires = stored->expires, .size = p->in->size };
		struct order *o = order_new(l, &q);
		order_keep_message(o, p->in->m);
		keep_hot(p, o);
		w->orders[w->n_orders++] = o;
	}
}

static wall_ms_t expiry_of(const struct placing *p, wall_ms_t from)
{
	struct sw *s = p->s;
	const struct message *m = p->in->m;
	struct queue_policy policy = s->n_links > 0 ? s->links[0]->policy : queue_policy_default();
	if (p->n_transfers > 0 && p->transfer_links[0] != NULL)
		policy = p->transfer_links[0]->policy;
	return p->in->expires != 0 ? p->in->expires : queue_expires(&policy, m->priority, from, m->latest_delivery);
}

static struct store_message storable(const struct placing *p, const struct message *m)
{
	const wall_ms_t release = release_of(p);
	struct store_message put = { .m = m, .peer = p->in->link, .arrived = p->in->arrived != 0 ? p->in->arrived : p->now,
				     .expires = expiry_of(p, release == 0 ? p->now : release) };
	if (m->kind == MESSAGE_PROBE)
		return put;
	if (p->in->file != NULL)
		put.file = p->in->file;
	else if (p->in->content_of != 0)
		put.content_of = p->in->content_of;
	else
		put.content = p->in->content;
	return put;
}

static void put_it(struct placing *p, struct store_message *put)
{
	store_put_message(p->s->store, put);
	if (put->file == NULL)
		return;
	p->in->file = NULL; /* whoever needs the content again has it with this one */
	p->in->content_of = put->id_r;
}

static void store_it(struct placing *p)
{
	struct store_message put = storable(p, p->in->m);
	put.recipients = p->rows;
	put.n_recipients = p->in->m->n_rcpt;
	put.transfers = p->transfers;
	put.n_transfers = p->n_transfers;
	put.deliveries = p->deliveries;
	put.n_deliveries = p->n_deliveries;
	if (p->n_transfers == 0 && p->n_deliveries == 0)
		return; /* nothing to keep: all were reported */
	put_it(p, &put);
	add_orders(p, &put);
}

static struct trace trace_copy(struct sw *s, const struct trace *t)
{
	struct trace copy = { take(s, t->n, sizeof *t->v), t->n };
	if (t->n > 0)
		memcpy(copy.v, t->v, t->n * sizeof *t->v);
	return copy;
}

/* Those that were redirected, in a copy that says so; placed again in a turn of its own, so that a chain of them grows nothing here. */
static void store_redirected(struct placing *p)
{
	struct sw *s = p->s;
	struct message m = *p->in->m;
	if (p->n_redirected == 0)
		return;
	m.trace = trace_copy(s, &m.trace);
	m.internal_trace = trace_copy(s, &m.internal_trace);
	trace_mark(&m, TRACE_REDIRECTED);
	m.rcpt = take(s, m.n_rcpt, sizeof *m.rcpt);
	memcpy(m.rcpt, p->in->m->rcpt, m.n_rcpt * sizeof *m.rcpt);
	struct store_recipient *rows = take(s, m.n_rcpt, sizeof *rows);
	for (size_t i = 0; i < m.n_rcpt; i++) {
		m.rcpt[i].responsible = false;
		rows[i] = (struct store_recipient){ &m.rcpt[i], STORE_RCPT_NOT_OURS, 0 };
	}
	for (size_t i = 0; i < p->n_redirected; i++) {
		m.rcpt[p->redirected[i].index] = p->redirected[i].rcpt;
		rows[p->redirected[i].index].state = STORE_RCPT_QUEUED;
	}
	struct store_transfer again = { .queue = VIEW(JOBS_AGAIN) };
	struct store_message put = storable(p, &m);
	put.peer = (struct view){ NULL, 0 }; /* it may go back whence it came */
	put.recipients = rows;
	put.n_recipients = m.n_rcpt;
	put.transfers = &again;
	put.n_transfers = 1;
	put_it(p, &put);
	jobs_at(s, 0);
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
	struct incoming in = { .m = report, .about = &m->id, .again = true };
	if (failed && report_returns_content(m) && p->in->content.n > 0) {
		report->returned_content = p->in->content;
		report->has_returned_content = true;
	} else if (failed && report_returns_content(m) && (p->in->file != NULL || p->in->content_of != 0) && p->in->refusal == NULL) {
		report->has_returned_content = true; /* it follows from the file */
		in.file = p->in->file;
		in.content_of = p->in->content_of;
		in.size = p->in->size;
	}
	struct store_step step = { .kind = STEP_REPORT_MADE, .id = &m->id, .other = &report->id, .of = m->kind,
				   .gateway = failed && steps_is_gateway(p->by) };
	struct out text;
	out_init(&text, 1 << 20);
	reports_show(p->results, p->n_results, &text);
	step.text = out_view(&text);
	store_put_step(s->store, &step);
	out_fini(&text);
	place_message(s, &in, p->w);
	if (in.content_of != 0) {
		p->in->file = NULL;
		p->in->content_of = in.content_of;
	}
}

void place_name(struct waiting *w, const struct message *m)
{
	struct out id;
	out_init(&id, sizeof w->mts_id - 1);
	mts_id_print(&m->id, &id);
	snprintf(w->mts_id, sizeof w->mts_id, "%s", out_cstr(&id));
	out_fini(&id);
}

void place_message(struct sw *s, struct incoming *in, struct waiting *w)
{
	struct message *m = in->m;
	size_t n = m->n_rcpt + 1, n_transfers = s->n_links + (s->settings->lists.n > 0 ? n : 1);
	struct err e;
	struct placing p = { .s = s, .in = in, .w = w, .now = env_wall_ms(s->host.env) };
	p.rows = take(s, n, sizeof *p.rows);
	p.transfers = take(s, n_transfers, sizeof *p.transfers);
	p.transfer_links = take(s, n_transfers, sizeof *p.transfer_links);
	p.links_asked = take(s, s->n_links, 1);
	p.lists_placed = take(s, s->settings->lists.n, sizeof *p.lists_placed);
	p.deliveries = take(s, n, sizeof *p.deliveries);
	p.results = take(s, n, sizeof *p.results);
	if (FAULT(SWITCH_ROUTE))
		CANT_HAPPEN("routing failed (fault point)");
	const struct err *refusal = common_refusal(&p, &e);
	if (in->about == NULL && !in->again && !trace_add(m, &s->domain, s->mta, true, p.now, s->work))
		CANT_HAPPEN("the work arena is too small for a trace element");
	place_recipients(&p, refusal);
	store_it(&p);
	store_redirected(&p);
	if (p.n_results > 0)
		make_report(&p);
}

void place_results(struct sw *s, struct incoming *in, struct report_result *results, size_t n, struct waiting *w)
{
	struct placing p = { .s = s, .in = in, .w = w, .now = env_wall_ms(s->host.env), .results = results, .n_results = n };
	make_report(&p);
}

void place_failure(struct sw *s, const struct store_loaded *loaded, const struct swlink *by, const struct err *why, struct waiting *w)
{
	struct message *m = loaded->m;
	struct incoming in = jobs_incoming(loaded);
	struct placing p = { .s = s, .in = &in, .w = w, .now = env_wall_ms(s->host.env), .by = by };
	in.link = loaded->peer;
	p.results = take(s, m->n_rcpt + 1, sizeof *p.results);
	place_name(w, m);
	if (m->kind == MESSAGE_REPORT) {
		fail(&p, 0, &m->originator, why);
		return;
	}
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].responsible)
			(void)fail_or_redirect(&p, i, why);
	store_redirected(&p);
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
