/* keep.c - a transfer on its way in, kept octet by octet by the switch in case that it breaks off.
 *
 *   OFF -> HELD -> KEPT -> OFF
 *    |_> ASKED -> PULLED -^
 *
 * Before its first checkpoint (HELD) the octets wait here: most transfers end before they have one. From then on they go to
 * the switch, which says when all before a checkpoint is durable; only then is it confirmed. What cannot be kept is
 * confirmed at once: that says no more than that the octets have come, and nothing can be resumed.
 * A transfer that goes on is fed from the switch with what came before, as if the peer had sent it again. */
#include "proc/link/link_int.h"

#include "base/mem.h"

enum { SYNCS_MAX = 64 /* checkpoints on their way to be durable: a peer that waits for no window is made to wait */ };

static void put_sync(const struct keep *p, struct link *l, enum msg m, uint32_t serial, uint64_t n, bool good)
{
	struct chan *c = m == MSG_PARTIAL_PULL ? l->control : l->bulk;
	const struct msg_sync s = { .id = p->id, .serial = serial, .n = n, .good = good };
	put_msg_sync(chan_begin(c, (uint16_t)m), &s);
	chan_end(c);
}

static void count(struct assoc *a)
{
	a->link->held += a->keep.held.cap - a->keep.counted;
	a->keep.counted = a->keep.held.cap;
}

static void let_go(struct assoc *a)
{
	struct keep *p = &a->keep;
	if (p->id != 0)
		map_take(&a->link->by_partial, p->id);
	out_fini(&p->held);
	out_init(&p->held, SIZE_MAX / 2);
	count(a);
	*p = (struct keep){ .held = p->held };
}

void keep_init(struct assoc *a)
{
	out_init(&a->keep.held, SIZE_MAX / 2);
}

void keep_fini(struct assoc *a)
{
	let_go(a);
	out_fini(&a->keep.held);
}

/* --- what is kept --- */

/* The association may be known by two names: by its own, and by that of the one it recovers. */
static void put_partial(struct assoc *a, enum msg m, const struct x400_reference *r, uint64_t activity, uint32_t serial, bool bind)
{
	struct link *l = a->link;
	struct out key;
	a->keep.id = ++l->next_partial;
	map_put(&l->by_partial, a->keep.id, a);
	out_init(&key, REFERENCE_MAX);
	recover_key(&key, r);
	const struct msg_partial begin = { .id = a->keep.id, .link = view_str(bind ? "" : a->peer->name), .host = recover_host(a),
					   .reference = out_view(&key), .activity = activity, .serial = serial };
	put_msg_partial(chan_begin(l->bulk, (uint16_t)m), &begin);
	chan_end(l->bulk);
	out_fini(&key);
}

void keep_begin(struct assoc *a, uint64_t activity)
{
	const struct x400_reference own = x400_reference(a->x);
	let_go(a);
	if (a->peer->recovery_timeout_ms == 0 || activity == 0 || x400_checkpoint_size(a->x) == 0 || !recover_has_name(&own))
		return;
	a->keep.state = KEEP_HELD;
	a->keep.activity = activity;
}

static void send_octets(struct assoc *a, struct view octets)
{
	struct chan *c = a->link->bulk;
	while (octets.n > 0) {
		const struct msg_piece m = { a->keep.id, view_first(octets, MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(c, MSG_PARTIAL_DATA), &m);
		chan_end(c);
		octets = view_from(octets, m.octets.n);
	}
}

static void begin_at_switch(struct assoc *a)
{
	struct keep *p = &a->keep;
	const struct x400_reference own = x400_reference(a->x);
	if (a->link->bulk == NULL) {
		let_go(a);
		return;
	}
	put_partial(a, MSG_PARTIAL_BEGIN, &own, p->activity, 0, false);
	send_octets(a, out_view(&p->held));
	out_fini(&p->held);
	out_init(&p->held, SIZE_MAX / 2);
	count(a);
	p->state = KEEP_KEPT;
}

/* Nothing will come of a transfer that is being let pass, and what is too long is kept no further either. */
static bool is_in_vain(const struct assoc *a)
{
	return a->in.state == IN_REFUSED || a->in.state == IN_SPOILED;
}

void keep_octets(struct assoc *a, struct view octets)
{
	struct keep *p = &a->keep;
	if (p->state != KEEP_HELD && p->state != KEEP_KEPT)
		return;
	if (is_in_vain(a)) {
		x400_checkpoint_confirm(a->x, p->asked);
		keep_end(a, false);
		return;
	}
	p->octets += octets.n;
	if (p->state == KEEP_HELD && p->octets > (uint64_t)x400_checkpoint_size(a->x) * 1024)
		begin_at_switch(a); /* more than was agreed: it is not for us to hold */
	if (p->state == KEEP_KEPT) {
		send_octets(a, octets);
	} else if (p->state == KEEP_HELD) {
		out_bytes(&p->held, octets);
		count(a);
	}
}

void keep_checkpoint(struct assoc *a, uint32_t serial)
{
	struct keep *p = &a->keep;
	if (p->state == KEEP_HELD)
		begin_at_switch(a);
	if (p->state != KEEP_KEPT) {
		x400_checkpoint_confirm(a->x, serial);
		return;
	}
	p->asked = serial;
	put_sync(p, a->link, MSG_PARTIAL_SYNC, serial, p->octets, false);
	if (++p->waiting == SYNCS_MAX)
		assoc_stall(a, STALL_PARTIAL);
}

void keep_synced(struct assoc *a, const struct msg_sync *m)
{
	struct keep *p = &a->keep;
	if (p->state != KEEP_KEPT)
		return;
	if (m->good) {
		p->synced = m->serial;
		p->waiting -= p->waiting > 0;
		x400_checkpoint_confirm(a->x, m->serial);
	} else {
		x400_checkpoint_confirm(a->x, p->asked);
		keep_end(a, false);
	}
	assoc_unstall(a, STALL_PARTIAL);
	assoc_pump(a);
}

void keep_end(struct assoc *a, bool good)
{
	struct keep *p = &a->keep;
	if (a->link->bulk != NULL && p->state == KEEP_KEPT)
		put_sync(p, a->link, MSG_PARTIAL_END, p->synced, 0, good && p->synced > 0);
	else if (a->link->bulk != NULL && p->state == KEEP_PULLED)
		put_sync(p, a->link, MSG_PARTIAL_END, p->synced, 0, good);
	let_go(a);
}

/* --- what goes on --- */

/* Not everybody who says a name: one of the same link, or who may recover associations of that link. */
static bool may_supersede(const struct assoc *a, const struct assoc *old)
{
	struct err e;
	if (old == a || old->initiator || old->dead || old->stream == NULL || !old->bound || !view_eq(recover_host(old), recover_host(a)))
		return false;
	return a->peer != NULL ? old->peer == a->peer : secure_fits(a, old->peer, &e);
}

/* Who calls again has lost what it had, whether we know it yet or not: it is to be kept before it is asked for. */
static void supersede(struct assoc *a, const struct x400_reference *r)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the peer goes on with it on another association");
	for (struct assoc *old = a->link->assocs, *next; old != NULL; old = next) {
		next = old->next;
		if (!may_supersede(a, old))
			continue;
		const struct x400_reference name = x400_reference(old->x);
		struct out one, other;
		out_init(&one, REFERENCE_MAX);
		out_init(&other, REFERENCE_MAX);
		recover_key(&one, r);
		recover_key(&other, &name);
		const bool same = view_eq(out_view(&one), out_view(&other));
		out_fini(&one);
		out_fini(&other);
		if (!same)
			continue;
		assoc_abort(old, &e);
		assoc_pump(old);
	}
}

bool keep_find(struct assoc *a, const struct x400_resume *r, bool transfer)
{
	if (a->link->bulk == NULL || a->link->control == NULL || !recover_has_name(&r->reference) ||
	    (transfer && (a->peer->recovery_timeout_ms == 0 || r->activity == 0 || r->serial == 0)))
		return false;
	supersede(a, &r->reference);
	let_go(a);
	put_partial(a, MSG_PARTIAL_FIND, &r->reference, transfer ? r->activity : 0, transfer ? r->serial : 0, !transfer);
	a->keep.state = KEEP_ASKED;
	a->keep.activity = r->activity;
	a->keep.synced = r->serial;
	return true;
}

static void refuse_resume(struct assoc *a)
{
	struct err e;
	if (!x400_resume_refuse(a->x, env_now_ms(a->link->host.env), &e))
		assoc_abort(a, &e);
	assoc_unstall(a, STALL_PARTIAL);
	assoc_pump(a);
}

void keep_resume(struct assoc *a, const struct x400_resume *resume)
{
	struct x400_resume r = *resume;
	struct err e;
	if (link_is_busy(a->link, &e)) {
		assoc_abort(a, &e); /* a temporary problem: it comes again */
		return;
	}
	if (r.reference.user.n == 0 && r.reference.common.n == 0)
		r.reference = x400_reference(a->x);
	if (keep_find(a, &r, true))
		assoc_stall(a, STALL_PARTIAL);
	else if (!x400_resume_refuse(a->x, env_now_ms(a->link->host.env), &e))
		assoc_abort(a, &e);
}

static void pull(struct assoc *a)
{
	struct keep *p = &a->keep;
	if (p->state != KEEP_PULLED || p->pulled > 0 || p->left == 0 || (a->stalled & STALL_OFFER) != 0)
		return;
	p->pulled = p->left < MSG_CREDIT ? p->left : MSG_CREDIT;
	p->left -= p->pulled;
	put_sync(p, a->link, MSG_PARTIAL_PULL, 0, p->pulled, false);
}

void keep_offer_goes_on(struct assoc *a)
{
	if (a->link->control != NULL)
		pull(a);
}

/* Nobody asks any more: it stays kept. */
static void give_back(struct link *l, uint64_t id)
{
	const struct keep nobody = { .id = id };
	if (l->bulk != NULL)
		put_sync(&nobody, l, MSG_PARTIAL_END, 0, 0, true);
}

static bool is_its_own(const struct assoc *a, const struct msg_partial *m)
{
	return view_eq(m->host, recover_host(a)) && (a->peer == NULL || view_eq(m->link, view_str(a->peer->name)));
}

static void found(struct assoc *a, const struct msg_partial *m)
{
	struct keep *p = &a->keep;
	struct err e;
	if (!m->found || m->octets == 0 || m->serial != p->synced || !is_its_own(a, m)) {
		if (m->found)
			give_back(a->link, m->id);
		let_go(a);
		refuse_resume(a);
	} else if (link_is_busy(a->link, &e)) {
		give_back(a->link, m->id);
		let_go(a);
		assoc_abort(a, &e);
		assoc_pump(a);
	} else {
		p->state = KEEP_PULLED;
		p->left = m->octets;
		receive_again(a);
		pull(a);
	}
}

void keep_found(struct link *l, const struct msg_partial *m)
{
	struct assoc *a = map_get(&l->by_partial, m->id);
	if (a == NULL || a->dead || a->keep.state != KEEP_ASKED || a->stream == NULL) {
		if (m->found && m->activity != 0)
			give_back(l, m->id);
		return;
	}
	if (a->bound) {
		found(a, m);
		return;
	}
	const bool good = m->found && is_its_own(a, m);
	let_go(a);
	if (good)
		bind_recovered(a, link_find(l, m->link));
	else
		bind_refuse_recovery(a);
	assoc_pump(a);
}

static void all_here(struct assoc *a)
{
	struct keep *p = &a->keep;
	char octets[24];
	struct err e;
	snprintf(octets, sizeof octets, "%llu", (unsigned long long)p->octets);
	p->state = KEEP_KEPT;
	p->asked = p->synced;
	EMIT(&a->link->host, TRANSFER_RESUMED, "link", a->peer->name, "peer", stream_peer(a->stream), "octets", octets);
	if (!x400_resume_accept(a->x, &e))
		assoc_abort(a, &e);
	assoc_unstall(a, STALL_PARTIAL);
	assoc_pump(a);
}

bool keep_data(struct assoc *a, const struct msg_piece *m, struct err *e)
{
	struct keep *p = &a->keep;
	if (p->state != KEEP_PULLED)
		return true;
	if (m->octets.n > p->pulled)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "PARTIAL_DATA %llu: %zu octets, %llu were asked for",
			       (unsigned long long)m->id, m->octets.n, (unsigned long long)p->pulled);
	if (m->octets.n == 0) { /* it cannot be read */
		keep_end(a, false);
		inbound_cancel(&a->in);
		refuse_resume(a);
		return true;
	}
	p->pulled -= m->octets.n;
	p->octets += m->octets.n;
	inbound_octets(&a->in, m->octets);
	if (p->left + p->pulled == 0)
		all_here(a);
	else
		pull(a);
	return true;
}
