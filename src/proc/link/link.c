/* link.c - the process: its channels to the switch, and which association a message is for. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "sys/process.h"

const struct set_link *link_find(const struct link *l, struct view name)
{
	for (size_t i = 0; i < l->n_partners; i++)
		if (view_eq(view_str(l->partners[i]->set.name), name))
			return &l->partners[i]->set;
	return NULL;
}

void link_tell_assoc(struct link *l, enum msg m, const struct assoc *a, const struct err *why, bool was_open)
{
	if (l->control == NULL)
		return;
	struct msg_assoc msg = { .assoc = a->id, .link = view_str(a->peer == NULL ? "" : a->peer->name), .was_open = was_open,
				 .err = { .reason = -1, .diagnostic = -1 } };
	if (why != NULL)
		msg.err = *why;
	put_msg_assoc(chan_begin(l->control, (uint16_t)m), &msg);
	chan_end(l->control);
}

/* Only for the switch's count: nothing was open, and nothing is known of it there. */
void link_tell_refused(struct link *l, const struct assoc *a, const struct set_link *k, const struct err *why)
{
	if (l->control == NULL)
		return;
	const struct msg_assoc msg = { .assoc = a->id, .link = view_str(k->name), .err = *why };
	put_msg_assoc(chan_begin(l->control, MSG_ASSOC_DOWN), &msg);
	chan_end(l->control);
}

void link_tell_how(struct link *l, const struct assoc *a, bool recovered)
{
	const struct msg_assoc_how how = { .assoc = a->id, .recovered = recovered, .can_send = !a->initiator && a->turn.two_way };
	if (l->control == NULL || (!how.recovered && !how.can_send))
		return;
	put_msg_assoc_how(chan_begin(l->control, MSG_ASSOC_HOW), &how);
	chan_end(l->control);
}

/* --- what the switch says --- */

static bool on_offer_credit(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct inbound *in = map_get(&l->by_offer, m.id);
	if (in != NULL)
		inbound_credit(in, m.n);
	return true;
}

static bool on_offer_answer(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	struct inbound *in = map_take(&l->by_offer, m.id);
	if (in != NULL)
		inbound_answer(in, &m);
	return true;
}

static bool on_assoc_how(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_assoc_how m;
	if (!get_msg_assoc_how(payload, &m, e))
		return false;
	recover_how(l, &m);
	l->how = (struct how){ .assoc = m.assoc, .which = m.which, .permanent = m.permanent };
	return true;
}

/* The switch has other settings than this process, for a moment. */
static void answer_unknown(struct link *l, const struct msg_assoc *asked)
{
	struct msg_assoc m = { .assoc = asked->assoc, .link = asked->link };
	err_set(&m.err, ERR_TEMP, ERR_OF_PROCESS, "the settings of this process have no such link, or no such address of it");
	put_msg_assoc(chan_begin(l->control, MSG_ASSOC_DOWN), &m);
	chan_end(l->control);
}

static bool on_assoc_open(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_assoc m;
	if (!get_msg_assoc(payload, &m, e))
		return false;
	const struct set_link *peer = link_find(l, m.link);
	if ((m.assoc & MSG_INBOUND_BIT) != 0 || map_get(&l->by_id, m.assoc) != NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "ASSOC_OPEN %llu is of a peer's, or exists",
			       (unsigned long long)m.assoc);
	const struct how usual = { .assoc = m.assoc }, *how = l->how.assoc == m.assoc ? &l->how : &usual;
	if (peer == NULL || *peer->address == 0 || how->which > peer->more_addresses.n)
		answer_unknown(l, &m);
	else
		assoc_open(l, m.assoc, peer, how);
	return true;
}

static bool on_assoc_close(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct assoc *a = map_get(&l->by_id, m.id);
	if (a != NULL && a->initiator)
		assoc_release_when_idle(a);
	else if (a != NULL)
		assoc_leave(a);
	return true;
}

static void answer_gone(struct link *l, uint64_t transfer)
{
	struct msg_result r = { .transfer = transfer };
	err_set(&r.err, ERR_TEMP, ERR_OF_ASSOCIATION, "the association has ended before the transfer began");
	put_msg_result(chan_begin(l->control, MSG_TRANSFER_RESULT), &r);
	chan_end(l->control);
}

static bool on_transfer(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_transfer m;
	if (!get_msg_transfer(payload, &m, e))
		return false;
	if (map_get(&l->by_transfer, m.transfer) != NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER %llu is under way already", (unsigned long long)m.transfer);
	struct assoc *a = map_get(&l->by_id, m.assoc);
	if (a != NULL && !a->initiator && !a->turn.two_way)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER %llu for an association that the peer opened as monologue",
			       (unsigned long long)m.transfer);
	if (a == NULL || a->dead || a->releasing)
		answer_gone(l, m.transfer);
	else
		outbound_take(a, &m);
	return true;
}

static bool on_transfer_data(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	if (exam_is(l->examination, m.id))
		return exam_content(l->examination, &m, e);
	struct assoc *a = map_get(&l->by_transfer, m.id);
	return a == NULL || outbound_content(a, &m, e);
}

static bool on_suspect(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_suspect m;
	if (!get_msg_suspect(payload, &m, e))
		return false;
	suspects_set(l, &m);
	return true;
}

static bool on_wiretrace(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_wiretrace m;
	if (!get_msg_wiretrace(payload, &m, e))
		return false;
	wiretrace_take(l, &m);
	return true;
}

static bool on_busy(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_busy m;
	if (!get_msg_busy(payload, &m, e))
		return false;
	l->busy = m.busy;
	l->busy_why = m.err;
	for (struct assoc *a = l->told ? NULL : l->assocs; a != NULL; a = a->next)
		if (!a->initiator && a->stalled == 0 && a->stream != NULL)
			stream_resume(a->stream);
	l->told = true;
	return true;
}

static bool on_examine(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_examine m;
	return get_msg_examine(payload, &m, e) && exam_take(l->examination, &m, e);
}

static bool on_blocks(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_row m;
	struct blocks b;
	struct out pairs;
	char name[24];
	if (!get_msg_row(payload, &m, e))
		return false;
	link_blocks(l, &b);
	snprintf(name, sizeof name, "link-%u", (unsigned)l->instance);
	out_init(&pairs, MSG_MAX_BLOCKS);
	put_blocks(&pairs, name, &b);
	const struct msg_row answer = { .id = m.id, .pairs = out_view(&pairs) };
	put_msg_row(chan_begin(l->control, MSG_BLOCKS), &answer);
	chan_end(l->control);
	out_fini(&pairs);
	return true;
}

static bool on_transfer_resume(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_resume m;
	if (!get_msg_resume(payload, &m, e))
		return false;
	recover_resume(l, &m);
	return true;
}

static bool on_partial_synced(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_sync m;
	if (!get_msg_sync(payload, &m, e))
		return false;
	struct assoc *a = map_get(&l->by_partial, m.id);
	if (a != NULL)
		keep_synced(a, &m);
	return true;
}

static bool on_partial_found(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_partial m;
	if (!get_msg_partial(payload, &m, e))
		return false;
	keep_found(l, &m);
	return true;
}

static bool on_partial_data(void *ctx, struct view payload, struct err *e)
{
	struct link *l = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	struct assoc *a = map_get(&l->by_partial, m.id);
	return a == NULL || keep_data(a, &m, e);
}

#define TYPE(m, handler) { .type = MSG_##m, .name = #m, .handle = handler, .max = MSG_MAX_##m }
static const struct chan_type control_types[] = {
	TYPE(OFFER_CREDIT, on_offer_credit),
	TYPE(OFFER_ANSWER, on_offer_answer),
	TYPE(SUSPECT, on_suspect),
	TYPE(BUSY, on_busy),
	TYPE(ASSOC_OPEN, on_assoc_open),
	TYPE(ASSOC_CLOSE, on_assoc_close),
	TYPE(TRANSFER, on_transfer),
	TYPE(EXAMINE, on_examine),
	TYPE(ASSOC_HOW, on_assoc_how),
	TYPE(TRANSFER_RESUME, on_transfer_resume),
	TYPE(BLOCKS, on_blocks),
	TYPE(PARTIAL_SYNCED, on_partial_synced),
	TYPE(PARTIAL_FOUND, on_partial_found),
	TYPE(LINK_ACT, link_stop_told),
	TYPE(WIRETRACE, on_wiretrace),
};
static const struct chan_type bulk_types[] = {
	TYPE(TRANSFER_DATA, on_transfer_data),
	TYPE(PARTIAL_DATA, on_partial_data),
};

/* A channel can end between two processes that both live on; only a new process is given new ones. */
static void on_alone(void *ctx)
{
	struct link *l = ctx;
	struct err why;
	CHECK(l, LINK_MAGIC);
	err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "link: no switch for %d ms", LINK_ALONE_MS);
	l->host.die(l->host.ctx, &why);
}

/* Without the switch nothing can be made durable: what is under way is given up, peers send it again. */
static void switch_gone(struct link *l, const struct err *why)
{
	EMIT(&l->host, CHANNEL_CLOSED, "to", "switch", "why", why->text);
	if (l->control != NULL)
		chan_free(&l->control, false);
	if (l->bulk != NULL)
		chan_free(&l->bulk, false);
	if (!l->stopping)
		timer_after(&l->alone, LINK_ALONE_MS);
	link_stops_forget(l);
	l->told = l->busy = false; /* and no suspects: the next one says it again */
	l->n_suspects = 0;
	exam_stop(l->examination);
	struct err gone;
	err_set(&gone, ERR_TEMP, ERR_OF_PROCESS, "the switch has gone");
	while (l->assocs != NULL) {
		struct assoc *a = l->assocs;
		a->stalled = 0;
		assoc_abort(a, &gone);
		assoc_pump(a);
		assert(l->assocs != a);
	}
}

static void on_control_closed(void *ctx, const struct err *why)
{
	switch_gone(ctx, why);
}

static const struct chan_events control_events = {
	.types = control_types, .n_types = ARRAY_LEN(control_types), .closed = on_control_closed,
};
static const struct chan_events bulk_events = {
	.types = bulk_types, .n_types = ARRAY_LEN(bulk_types), .closed = on_control_closed,
};

void link_adopt_switch(struct link *l, bool bulk, struct stream *s)
{
	struct chan **c = bulk ? &l->bulk : &l->control;
	if (*c != NULL) {
		struct err e;
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "a new switch has taken over");
		switch_gone(l, &e);
	}
	*c = chan_new(&s, bulk ? &bulk_events : &control_events, l, PROCESS_LINK, l->instance);
	if (!bulk) {
		link_tell_settled(l);
		wiretrace_report(l);
	}
	if (l->control != NULL && l->bulk != NULL)
		timer_stop(&l->alone);
}

void link_accepted(struct link *l, struct stream *s, bool secure)
{
	/* Twice the limit: those over it are told "busy" in the protocol, a flood beyond is cut. */
	if (FAULT(ENV_ACCEPT) || l->n_inbound >= 2 * l->inbound_max) {
		EMIT(&l->host, ASSOC_LIMIT, "peer", stream_peer(s));
		stream_close(&s, false);
		return;
	}
	struct crowd *c = crowd_enter(l, stream_peer(s));
	if (c == NULL) {
		stream_close(&s, false);
		return;
	}
	if (secure && !secure_accept(l, s)) {
		crowd_leave(l, &c);
		stream_close(&s, false);
		return;
	}
	struct assoc *a = assoc_accept(l, s, c);
	if (l->control != NULL && !l->told) /* what the last process died of may come again before its successor knows it */
		stream_pause(a->stream);
}

/* --- life --- */

static void reap(void *ctx)
{
	struct link *l = ctx;
	assoc_free_graves(l);
	partners_reap(l);
	note_nothing(l);
	if (l->stopping && l->assocs == NULL && exam_is_idle(l->examination) && l->stopped != NULL) {
		void (*stopped)(void *) = l->stopped;
		l->stopped = NULL;
		stopped(l->stopped_ctx);
	}
}

/* Within one call, so once a process: a decoded envelope may be many times as long as it was. */
size_t link_arena_quota(const struct set_limits *limits)
{
	const size_t slack = mem_mul((size_t)limits->envelope, ARENA_SLACK);
	return slack < limits->memory / 2 ? slack : (size_t)limits->memory / 2;
}

struct link *link_new(const struct actor_host *host, const struct settings *settings, uint32_t instance)
{
	struct link *l = mem_zero(sizeof *l);
	l->magic = LINK_MAGIC;
	l->host = *host;
	l->settings = settings;
	l->instance = instance;
	l->inbound_max = (size_t)settings->limits.associations;
	l->arena = arena_new(link_arena_quota(&settings->limits));
	l->config_arena = arena_new(SIZE_MAX);
	/* The switch ends the process for settings with another domain; without one nothing of 1984 finds its way back. */
	if (!gdi_parse(view_str(settings->mta.domain), &l->domain, l->config_arena, NULL))
		l->domain = (struct gdi){ 0 };
	l->examination = exam_new(l);
	out_init(&l->lost.reference, REFERENCE_MAX);
	out_init(&l->resume.reference, REFERENCE_MAX);
	partners_begin(l);
	bind_list_selectors(l);
	secure_read(l);
	timer_init(&l->alone, host->env, on_alone, l);
	l->reap = (struct env_hook){ .run = reap, .ctx = l, .order = 50 };
	env_add_hook(host->env, &l->reap);
	return l;
}

void link_free(struct link **lp)
{
	struct link *l = *lp;
	if (l == NULL)
		return;
	CHECK(l, LINK_MAGIC);
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "the link process ends");
	switch_gone(l, &e);
	assoc_free_graves(l);
	wiretrace_end_all(l);
	exam_free(&l->examination);
	arena_free(&l->arena);
	arena_free(&l->config_arena);
	timer_stop(&l->alone);
	env_remove_hook(l->host.env, &l->reap);
	map_fini(&l->by_id);
	map_fini(&l->by_offer);
	map_fini(&l->by_transfer);
	map_fini(&l->crowds);
	map_fini(&l->by_partial);
	out_fini(&l->lost.reference);
	out_fini(&l->resume.reference);
	secure_end(l);
	partners_end(l);
	free(l->own_tsels);
	l->magic = 0;
	MEM_FREE(*lp);
}

void link_alone(struct link *l)
{
	l->is_alone = true;
}

void link_clamp(struct link *l, size_t descriptors)
{
	const size_t allowed = descriptors > DESCRIPTORS_KEPT ? descriptors - DESCRIPTORS_KEPT : 1;
	char wanted[24], given[24];
	if (l->inbound_max <= allowed)
		return;
	snprintf(wanted, sizeof wanted, "%zu", l->inbound_max);
	snprintf(given, sizeof given, "%zu", allowed);
	l->inbound_max = allowed;
	EMIT(&l->host, LINK_CLAMPED, "limits.associations", wanted, "allowed", given);
}

bool link_is_busy(const struct link *l, struct err *e)
{
	if (l->stopping)
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "this MTA is stopping");
	else if (l->control == NULL || l->bulk == NULL)
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the switch is not there");
	else if (!l->told)
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the switch has just begun");
	else if (l->busy)
		*e = l->busy_why;
	else if (l->is_short)
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "messages under way hold as much memory as limits.memory allows");
	else
		return false;
	return true;
}

void link_blocks(const struct link *l, struct blocks *b)
{
	const struct assoc *const lists[] = { l->assocs, l->graves };
	*b = (struct blocks){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct assoc *a = lists[i]; a != NULL; a = a->next) {
			b->n[BLOCK_ASSOCIATIONS]++;
			for (const struct handover *h = a->first; h != NULL; h = h->next)
				b->n[BLOCK_HANDOVERS]++;
		}
	b->n[BLOCK_OFFERS] = l->by_offer.n;
	b->n[BLOCK_PARTIALS] = l->by_partial.n;
	blocks_of_env(l->host.env, b);
}

void link_stop(struct link *l, void (*done)(void *ctx), void *ctx)
{
	l->stopping = true;
	l->stopped = done;
	l->stopped_ctx = ctx;
	for (struct assoc *a = l->assocs, *next; a != NULL; a = next) {
		next = a->next;
		if (!a->initiator && a->in.state == IN_IDLE && !outbound_is_begun(a)) {
			struct err e;
			err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "this MTA is stopping");
			assoc_abort(a, &e);
			assoc_pump(a);
		} else {
			assoc_release_when_idle(a);
		}
	}
}
