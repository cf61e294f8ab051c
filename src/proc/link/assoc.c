/* assoc.c - one association: the pump between socket and machine, its timers, its end. */
#include "proc/link/link_int.h"

#include "base/mem.h"

static void on_timer(void *ctx);
static void on_idle(void *ctx);

static void flush(struct assoc *a)
{
	struct out *o = x400_out(a->x);
	if (a->stream == NULL || out_len(o) == 0)
		return;
	wiretrace_octets(a, true, out_view(o));
	stream_write(a->stream, out_view(o));
	out_drop(o, out_len(o));
}

static void arm(struct assoc *a)
{
	int64_t at = x400_deadline(a->x);
	if (a->first != NULL && a->first->begun && a->transfer_until_ms < at)
		at = a->transfer_until_ms;
	if (a->unbinding && a->release_until_ms < at)
		at = a->release_until_ms;
	if (at == INT64_MAX)
		timer_stop(&a->timer);
	else
		timer_set(&a->timer, at);
}

/* The initiator lets an association rest for its lifetime; any work sets the clock back. */
static void arm_idle(struct assoc *a)
{
	if (a->initiator && a->bound && !a->permanent && !a->releasing && outbound_is_empty(a) && a->in.state == IN_IDLE) {
		if (!timer_is_set(&a->idle))
			timer_after(&a->idle, (int64_t)a->peer->lifetime_ms);
	} else {
		timer_stop(&a->idle);
	}
}

/* Not one more failure to open: nothing changes until somebody does something (Q225196). */
static void tell_refused_credentials(struct assoc *a, const struct err *why)
{
	EMIT(&a->link->host, AUTH_REFUSED, "link", a->peer->name, "peer", a->address, "why", why->text);
	a->told = true;
}

/* The peer does not recover the old association: it is opened afresh with a new connection (RT-16). */
static bool is_refused_recovery(const struct assoc *a, const struct x400_event *ev)
{
	return a->recovering && !a->bound && ev->kind != X400_UNBOUND && a->connected && !a->releasing;
}

static void ended(struct assoc *a, const struct x400_event *ev)
{
	struct err why = ev->err;
	if (is_refused_recovery(a, ev)) {
		a->reopen = true;
		return;
	}
	if (ev->kind == X400_BIND_REFUSED && ev->bind_error == X400_AUTHENTICATION)
		tell_refused_credentials(a, &why);
	if (ev->kind == X400_UNBOUND)
		why = (struct err){ .kind = ERR_NONE, .reason = -1, .diagnostic = -1 };
	keep_end(a, true);
	inbound_cancel(&a->in);
	if (ev->turn_lost)
		turn_lost(a, &why);
	if (why.kind != ERR_NONE) {
		outbound_fail_all(a, &why);
	} else {
		struct err released;
		err_set(&released, ERR_TEMP, ERR_OF_ASSOCIATION, "the association was released before the transfer began");
		outbound_fail_all(a, &released);
	}
	a->why = why;
	a->dead = true;
}

/* By a fault point. The peer interrupts or discards. */
static bool excepted(struct assoc *a)
{
	struct err e;
	return x400_transfer_refuse(a->x, &e);
}

static void handle(struct assoc *a, const struct x400_event *ev)
{
	switch (ev->kind) {
	case X400_BIND: bind_indication(a, ev); break;
	case X400_BOUND: bind_confirmed(a, ev); break;
	case X400_TRANSFER_BEGIN: receive_begin(a, ev->activity); break;
	case X400_TRANSFER_RESUME: keep_resume(a, &ev->resume); break;
	case X400_TRANSFER_DATA:
		keep_octets(a, ev->bytes);
		inbound_octets(&a->in, ev->bytes);
		break;
	case X400_TRANSFER_CHECKPOINT:
		if (!FAULT(LINK_EXCEPTION) || !excepted(a))
			keep_checkpoint(a, ev->serial);
		break;
	case X400_TRANSFER_END:
		if (!FAULT(LINK_REFUSE) || !excepted(a))
			inbound_end(&a->in);
		break;
	case X400_TRANSFER_SYNCED: /* x400_resumable tells of the last one */
		if (FAULT(LINK_INTERRUPT))
			x400_transfer_interrupt(a->x);
		if (FAULT(LINK_DISCARD))
			x400_transfer_discard(a->x);
		break;
	case X400_TRANSFER_INTERRUPTED:
		keep_end(a, true);
		inbound_cancel(&a->in);
		break;
	case X400_TRANSFER_ABORTED:
		keep_end(a, false);
		inbound_cancel(&a->in);
		break;
	case X400_TRANSFER_CONFIRMED: outbound_confirmed(a); break;
	case X400_TRANSFER_FAILED: outbound_refused(a, &ev->err); break;
	case X400_TURN_PLEASE: turn_asked_for(a, ev->priority); break;
	case X400_TURN_GIVEN: turn_given(a); break;
	case X400_BIND_REFUSED:
	case X400_UNBOUND:
	case X400_ENDED: ended(a, ev); break;
	}
}

static void open_afresh(struct assoc *a);

/* What the switch closes is closed for an operator, or for settings that it has had before us. */
static const char *why_it_leaves(const struct assoc *a)
{
	if (!a->leaving)
		return "this MTA is stopping";
	return a->is_outdated ? "the settings of its link are others now" : "closed on this side: by an operator, or by new settings of its link";
}

void assoc_pump(struct assoc *a)
{
	CHECK(a, ASSOC_MAGIC);
	if (a->pumping || a->buried)
		return; /* an event's handler asks for what we do anyway, or all is done */
	a->pumping = true;
	struct x400_event ev;
	int64_t now = env_now_ms(a->link->host.env);
	while (!a->dead && !a->reopen && a->stalled == 0 && x400_next(a->x, &ev, now) == STEP_DONE)
		handle(a, &ev);
	if (a->reopen) {
		a->pumping = false;
		open_afresh(a);
		return;
	}
	if (!a->dead) {
		turn_settle(a);
		outbound_start(a);
		outbound_produce(a);
		if (a->releasing && a->initiator && a->bound && !a->unbinding)
			assoc_release_when_idle(a); /* the last transfer may have come to no end */
	}
	if (((a->releasing && a->link->stopping) || a->leaving) && !a->initiator && a->in.state == IN_IDLE && !outbound_is_begun(a)) {
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "%s", why_it_leaves(a));
		assoc_abort(a, &e);
	}
	flush(a);
	a->pumping = false;
	if (a->dead || x400_wants_close(a->x)) {
		assoc_bury(a);
		return;
	}
	arm(a);
	arm_idle(a);
}

static void on_timer(void *ctx)
{
	struct assoc *a = ctx;
	CHECK(a, ASSOC_MAGIC);
	int64_t now = env_now_ms(a->link->host.env);
	if (a->first != NULL && a->first->begun && now >= a->transfer_until_ms) {
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "a transfer of %llu octets took longer than %lld s",
			(unsigned long long)a->first->total, (long long)a->first->timeout_ms / 1000);
		assoc_abort(a, &e);
	} else if (a->unbinding && now >= a->release_until_ms) {
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the release was not answered in %lld s", (long long)a->peer->disconnect_ms / 1000);
		assoc_abort(a, &e);
	} else {
		x400_tick(a->x, now);
	}
	assoc_pump(a);
}

static void on_idle(void *ctx)
{
	struct assoc *a = ctx;
	CHECK(a, ASSOC_MAGIC);
	assoc_release_when_idle(a);
}

void assoc_release_when_idle(struct assoc *a)
{
	a->releasing = true;
	if (!outbound_is_empty(a) || a->in.state != IN_IDLE)
		return; /* outbound_confirmed and inbound_answer come back here */
	struct err e;
	if (a->unbinding)
		return;
	if (a->initiator && a->bound && !turn_is_here(a)) {
		; /* turn_given comes back here */
	} else if (a->initiator && a->bound) {
		a->unbinding = true;
		a->release_until_ms = env_now_ms(a->link->host.env) + (int64_t)a->peer->disconnect_ms;
		if (!x400_unbind(a->x, env_now_ms(a->link->host.env), &e))
			assoc_abort(a, &e);
	} else if (!a->bound) {
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "this MTA is stopping");
		assoc_abort(a, &e);
	}
	assoc_pump(a);
}

/* A responder of RTSE cannot release: it aborts, with a temporary cause, and the peer binds again. */
void assoc_leave(struct assoc *a)
{
	assert(!a->initiator);
	a->leaving = a->releasing = true;
	assoc_pump(a);
}

void assoc_settings(struct assoc *a)
{
	if (a->peer == NULL || a->dead || a->buried)
		return;
	a->in.name = a->peer->name;
	if (a->stream != NULL)
		stream_set_keepalive(a->stream, (int64_t)a->peer->keepalive_ms);
	if (timer_is_set(&a->idle)) {
		timer_stop(&a->idle);
		timer_after(&a->idle, (int64_t)a->peer->lifetime_ms);
	}
}

void assoc_stall(struct assoc *a, enum stall why)
{
	a->stalled |= why;
	if (a->stream != NULL)
		stream_pause(a->stream);
}

void assoc_unstall(struct assoc *a, enum stall why)
{
	if ((a->stalled & why) == 0)
		return;
	a->stalled &= ~(unsigned)why;
	if (why == STALL_OFFER)
		keep_offer_goes_on(a);
	if (a->stalled != 0)
		return;
	if (a->stream != NULL)
		stream_resume(a->stream);
	assoc_pump(a);
}

void assoc_abort(struct assoc *a, const struct err *why)
{
	if (a->dead)
		return;
	a->why = *why;
	keep_end(a, true);
	inbound_cancel(&a->in);
	x400_abort(a->x, why, env_now_ms(a->link->host.env));
	outbound_fail_all(a, why);
	a->dead = true;
}

/* --- the socket --- */

static size_t on_data(void *ctx, struct view data)
{
	struct assoc *a = ctx;
	CHECK(a, ASSOC_MAGIC);
	int64_t now = env_now_ms(a->link->host.env);
	const unsigned generation = a->generation;
	size_t taken = 0;
	do {
		size_t n = x400_feed(a->x, view_from(data, taken), now);
		wiretrace_octets(a, false, view_first(view_from(data, taken), n));
		taken += n;
		assoc_pump(a);
		if (a->generation != generation)
			return data.n;
		if (n == 0 && taken < data.n && !a->stalled && a->stream != NULL) {
			n = x400_feed(a->x, view_from(data, taken), now);
			wiretrace_octets(a, false, view_first(view_from(data, taken), n));
			taken += n;
		}
		if (n == 0)
			break;
	} while (taken < data.n && !a->stalled && a->stream != NULL);
	return a->stream == NULL ? data.n : taken;
}

static void on_opened(void *ctx)
{
	struct assoc *a = ctx;
	CHECK(a, ASSOC_MAGIC);
	a->connected = true;
	assoc_pump(a); /* the connect request waits in the machine's output */
}

static void on_drained(void *ctx)
{
	struct assoc *a = ctx;
	CHECK(a, ASSOC_MAGIC);
	assoc_pump(a);
}

static void on_closed(void *ctx, const struct err *why)
{
	struct assoc *a = ctx;
	CHECK(a, ASSOC_MAGIC);
	if (a->stream == NULL)
		return;
	const unsigned generation = a->generation;
	a->lost = true;
	x400_transport_closed(a->x, why);
	a->stalled = 0;
	assoc_pump(a);
	if (a->stream == NULL || a->generation != generation)
		return; /* buried, or opened afresh */
	a->why = *why;
	keep_end(a, true);
	inbound_cancel(&a->in);
	outbound_fail_all(a, why);
	assoc_bury(a);
}

static const struct stream_events assoc_stream_events = {
	.opened = on_opened, .data = on_data, .drained = on_drained, .closed = on_closed,
};

/* --- birth and end --- */

static void new_machine(struct assoc *a)
{
	struct x400_config c;
	bind_config(a->link, a->peer, a->initiator, &c);
	recover_open(a, &c);
	a->x = x400_new(&c, env_now_ms(a->link->host.env));
}

static struct assoc *assoc_new(struct link *l, uint64_t id, const struct set_link *peer, bool initiator)
{
	struct assoc *a = mem_zero(sizeof *a);
	a->magic = ASSOC_MAGIC;
	a->link = l;
	a->id = id;
	a->peer = peer;
	a->initiator = initiator;
	a->opened_ms = env_now_ms(l->host.env);
	a->last = &a->first;
	timer_init(&a->timer, l->host.env, on_timer, a);
	timer_init(&a->idle, l->host.env, on_idle, a);
	new_machine(a);
	receive_init(a);
	keep_init(a);
	a->next = l->assocs;
	a->prev = &l->assocs;
	if (a->next != NULL)
		a->next->prev = &a->next;
	l->assocs = a;
	map_put(&l->by_id, id, a);
	return a;
}

static bool connect_to(struct assoc *a)
{
	const struct set_link *peer = a->peer;
	struct net_addr to, from;
	struct err e;
	bool bind = *peer->bind_address != 0;
	if (FAULT(ENV_CONNECT)) {
		err_set(&e, ERR_TEMP, ERR_OF_LINK, "%s: cannot connect (fault point)", a->address);
	} else if (net_addr_parse(a->address, &to, &e) && (!bind || net_addr_parse(peer->bind_address, &from, &e))) {
		a->stream = env_connect(a->link->host.env, &to, bind ? &from : NULL, &assoc_stream_events, a);
		if (secure_connect(a->link, peer, a->address, a->stream, &e)) {
			stream_set_keepalive(a->stream, (int64_t)peer->keepalive_ms);
			arm(a);
			return true;
		}
		stream_close(&a->stream, false);
	}
	a->why = e;
	a->dead = true;
	assoc_bury(a);
	return false;
}

struct assoc *assoc_open(struct link *l, uint64_t id, const struct set_link *peer, const struct how *how)
{
	const char *const *more = peer->more_addresses.v;
	struct assoc *a = assoc_new(l, id, peer, true);
	const char *address = how->which == 0 ? peer->address : more[how->which - 1];
	a->address = mem_dup(address, strlen(address) + 1);
	a->permanent = how->permanent;
	return connect_to(a) ? a : NULL;
}

/* The refused recovery cost one connection: another one, with a new name and nothing to recover. */
static void open_afresh(struct assoc *a)
{
	a->reopen = a->recovering = a->connected = a->lost = false;
	a->generation++;
	flush(a);
	wiretrace_closed(a);
	if (a->stream != NULL)
		stream_close(&a->stream, true);
	x400_free(&a->x);
	new_machine(a);
	(void)connect_to(a);
}

struct assoc *assoc_accept(struct link *l, struct stream *s, struct crowd *c)
{
	struct assoc *a = assoc_new(l, MSG_INBOUND_BIT | l->next_inbound++, NULL, false);
	a->stream = s;
	a->crowd = c;
	l->n_inbound++;
	stream_set_events(s, &assoc_stream_events, a);
	arm(a);
	return a;
}

static void tell_end(struct assoc *a)
{
	struct link *l = a->link;
	const char *name = a->peer == NULL ? "" : a->peer->name;
	const char *where = a->stream == NULL ? "" : stream_peer(a->stream);
	if (a->why.kind == ERR_NONE)
		EMIT(&l->host, ASSOC_RELEASED, "link", name, "peer", where);
	else if (a->bound)
		EMIT(&l->host, ASSOC_ENDED, "link", name, "peer", where, "why", a->why.text);
	else if (a->told)
		; /* by bind.c, with more than we know here */
	else if (a->initiator)
		EMIT(&l->host, OPEN_FAILED, "link", name, "peer", a->address, "why", a->why.text);
	else
		EMIT(&l->host, ASSOC_REFUSED, "peer", where, "why", a->why.text);
	if (a->initiator || a->bound)
		link_tell_assoc(l, MSG_ASSOC_DOWN, a, &a->why, a->bound);
}

void assoc_bury(struct assoc *a)
{
	CHECK(a, ASSOC_MAGIC);
	struct link *l = a->link;
	a->buried = true;
	keep_end(a, true);
	inbound_cancel(&a->in);
	if (a->first != NULL) { /* the machine wants to close with its last event unread */
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the association has ended");
		outbound_fail_all(a, &e);
	}
	tell_end(a);
	flush(a);
	wiretrace_closed(a);
	if (a->stream != NULL)
		stream_close(&a->stream, true);
	timer_stop(&a->timer);
	timer_stop(&a->idle);
	crowd_leave(l, &a->crowd);
	if (!a->initiator)
		l->n_inbound--;
	if (!a->initiator && a->bound)
		bind_is_over(a);
	map_take(&l->by_id, a->id);
	*a->prev = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	a->dead = true;
	a->next = l->graves;
	l->graves = a;
}

void assoc_free_graves(struct link *l)
{
	while (l->graves != NULL) {
		struct assoc *a = l->graves;
		l->graves = a->next;
		inbound_fini(&a->in);
		keep_fini(a);
		out_fini(&a->recovers);
		free(a->address);
		x400_free(&a->x);
		a->magic = 0;
		free(a);
	}
}
