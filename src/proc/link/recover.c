/* recover.c - what outlives an association: the switch keeps where a transfer of ours broke off, and says so again before it
 * has it handed over anew; and a caller that names an old association is taken for the one that had it. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "sys/net_prefix.h"

/* --- references: strings that only link processes read --- */

/* The contents of a TLV with one octet of length. A peer may call by T61String what it named by OCTET STRING. */
static struct view contents(struct view tlv)
{
	return tlv.n >= 2 && tlv.p[1] == tlv.n - 2 ? view_from(tlv, 2) : tlv;
}

void recover_key(struct out *o, const struct x400_reference *r)
{
	put_string(o, contents(r->user));
	put_string(o, contents(r->common));
	put_string(o, contents(r->additional));
}

bool recover_has_name(const struct x400_reference *r)
{
	return r->user.n > 0 && r->common.n > 0;
}

static void pack(struct out *o, const struct go_on *g)
{
	put_string(o, g->at.reference.user);
	put_string(o, g->at.reference.common);
	put_string(o, g->at.reference.additional);
	out_u64(o, g->total);
	out_u64(o, g->hash);
}

static bool unpack(struct view packed, struct go_on *g_r)
{
	struct cur c = cur_of(packed);
	g_r->at.reference.user = get_string(&c);
	g_r->at.reference.common = get_string(&c);
	g_r->at.reference.additional = get_string(&c);
	g_r->total = cur_u64(&c);
	g_r->hash = cur_u64(&c);
	return !c.bad && cur_left(&c) == 0;
}

struct view recover_host(const struct assoc *a)
{
	return net_host(stream_peer(a->stream));
}

/* --- what the switch says before ASSOC_OPEN and TRANSFER --- */

void recover_how(struct link *l, const struct msg_assoc_how *m)
{
	l->lost.assoc = m->assoc;
	out_clear(&l->lost.reference);
	out_bytes(&l->lost.reference, m->reference);
}

void recover_open(struct assoc *a, struct x400_config *c)
{
	struct link *l = a->link;
	struct go_on g = { 0 };
	c->resumes = a->peer == NULL || a->peer->recovery_timeout_ms > 0;
	if (!a->initiator)
		return;
	bind_references(a, &c->session);
	if (l->lost.assoc != a->id || out_len(&l->lost.reference) == 0 || a->tried_recovery)
		return;
	/* The last association of this link process that was told to: another one reads it at once or not at all. */
	a->recovers = l->lost.reference;
	out_init(&l->lost.reference, REFERENCE_MAX);
	if (!unpack(out_view(&a->recovers), &g))
		return;
	c->recover = a->recovering = a->tried_recovery = true;
	c->recovers = g.at.reference;
}

void recover_resume(struct link *l, const struct msg_resume *m)
{
	l->resume.transfer = m->transfer;
	l->resume.activity = m->activity;
	l->resume.offset = m->offset;
	l->resume.serial = m->serial;
	out_clear(&l->resume.reference);
	out_bytes(&l->resume.reference, m->reference);
}

/* --- outbound --- */

uint64_t recover_hash(struct view head)
{
	return suspects_hash(head);
}

void recover_take(struct assoc *a, struct handover *h)
{
	struct link *l = a->link;
	if (l->resume.transfer != h->transfer)
		return;
	l->resume.transfer = 0;
	h->from.packed = l->resume.reference;
	out_init(&l->resume.reference, REFERENCE_MAX);
	if (!unpack(out_view(&h->from.packed), &h->from))
		return;
	h->from.at.activity = l->resume.activity;
	h->from.at.offset = l->resume.offset;
	h->from.at.serial = l->resume.serial;
	h->from.set = true;
}

static bool same_reference(const struct x400_reference *a, const struct x400_reference *b)
{
	return view_eq(a->user, b->user) && view_eq(a->common, b->common) && view_eq(a->additional, b->additional);
}

/* Where it broke off is a place in these very octets, on this association or on the one that it recovers. */
bool recover_fits(const struct assoc *a, const struct handover *h)
{
	const struct x400_reference own = x400_reference(a->x);
	struct go_on g = { 0 };
	if (!h->from.set || h->from.total != h->total || h->from.hash != h->hash || h->from.at.offset >= h->total)
		return false;
	if (same_reference(&h->from.at.reference, &own))
		return true;
	return a->recovered && unpack(out_view(&a->recovers), &g) && same_reference(&h->from.at.reference, &g.at.reference);
}

/* The machine knows it for what was begun; what never was stays as it came. */
void recover_tell(struct assoc *a, const struct handover *h)
{
	struct go_on now = h->from;
	struct out packed;
	if (a->peer->recovery_timeout_ms == 0 || a->link->control == NULL || a->link->is_alone)
		return;
	if (h->begun) {
		if (!x400_resumable(a->x, &now.at))
			return;
		now.total = h->total;
		now.hash = h->hash;
	} else if (!h->from.set) {
		return;
	}
	out_init(&packed, REFERENCE_MAX);
	pack(&packed, &now);
	const struct msg_resume m = { .transfer = h->transfer, .reference = out_view(&packed), .activity = now.at.activity,
				      .offset = now.at.offset, .serial = now.at.serial };
	put_msg_resume(chan_begin(a->link->control, MSG_TRANSFER_RESUME), &m);
	chan_end(a->link->control);
	out_fini(&packed);
}

/* --- binds --- */

void recover_tell_how(const struct assoc *a)
{
	link_tell_how(a->link, a, a->recovered);
	if (a->recovered)
		EMIT(&a->link->host, ASSOC_RECOVERED, "link", a->peer->name, "peer", stream_peer(a->stream));
}

void recover_asked(struct assoc *a, const struct x400_event *ev)
{
	a->asks_two_way = ev->peer_two_way_alternate;
	if (!keep_find(a, &ev->resume, false))
		bind_refuse_recovery(a);
}
