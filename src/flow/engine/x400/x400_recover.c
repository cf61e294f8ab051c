/* x400_recover.c - what outlives an association: its name, by which a later one recovers it, and the point at which a
 * transfer that was broken off goes on. */
#include "flow/engine/x400/x400_private.h"

enum { TAG_OCTET_STRING = 0x04, TAG_T61_STRING = 0x14, TAG_UTC_TIME = 0x17 };

/* --- SessionConnectionIdentifier: session says it as TLVs, RTSE as one value --- */

struct x400_reference x400_reference(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	struct view refs[3];
	session_references(x->s, refs);
	return (struct x400_reference){ refs[0], refs[1], refs[2] };
}

/* The contents of a TLV with one octet of length; empty when it is none. */
static struct view contents(struct view tlv)
{
	return tlv.n >= 2 && tlv.p[1] == tlv.n - 2 ? view_from(tlv, 2) : (struct view){ NULL, 0 };
}

bool x400_name_recovered(struct x400 *x, struct err *e)
{
	const struct x400_reference *r = &x->c.recovers;
	struct rtse_apdu_recover *v = &x->proposed.recovers;
	const struct view user = contents(r->user), common = contents(r->common);
	if (user.n == 0 || common.n == 0 || r->common.p[0] != TAG_UTC_TIME ||
	    (r->user.p[0] != TAG_OCTET_STRING && r->user.p[0] != TAG_T61_STRING))
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: an association without a name cannot be recovered");
	*v = (struct rtse_apdu_recover){ .seq.has = 3, .common = common };
	if (r->user.p[0] == TAG_T61_STRING) {
		v->calling.choice.which = RTSE_APDU_BY_T61;
		v->calling.t61 = user;
	} else {
		v->calling.choice.which = RTSE_APDU_BY_OCTETS;
		v->calling.octets = user;
	}
	if (r->additional.n > 0) {
		v->seq.has |= 1u << RTSE_APDU_RECOVER_ADDITIONAL;
		v->additional = contents(r->additional);
	}
	x->proposed.recover = true;
	return true;
}

static struct view tlv(struct x400 *x, uint8_t tag, struct view v)
{
	uint8_t *p = arena_get(x->keep, v.n + 2);
	assert(p != NULL && v.n <= REFERENCE_PART_MAX);
	p[0] = tag;
	p[1] = (uint8_t)v.n;
	if (v.n > 0)
		memcpy(p + 2, v.p, v.n);
	return view_of(p, v.n + 2);
}

/* Longer than session allows it to be named: it is none that ever was. */
struct x400_reference x400_keep_recovered(struct x400 *x)
{
	struct rtse_apdu_recover *v = &x->proposed.recovers;
	const bool t61 = v->calling.choice.which == RTSE_APDU_BY_T61;
	struct view *user = t61 ? &v->calling.t61 : &v->calling.octets;
	struct x400_reference r = { 0 };
	if (user->n > REFERENCE_PART_MAX || v->common.n > REFERENCE_PART_MAX || v->additional.n > REFERENCE_PART_MAX) {
		*v = (struct rtse_apdu_recover){ 0 };
		return r;
	}
	r.user = tlv(x, t61 ? TAG_T61_STRING : TAG_OCTET_STRING, *user);
	r.common = tlv(x, TAG_UTC_TIME, v->common);
	*user = view_from(r.user, 2); /* what was read goes with its event; the answer names it again */
	v->common = view_from(r.common, 2);
	if ((v->seq.has & 1u << RTSE_APDU_RECOVER_ADDITIONAL) != 0) {
		r.additional = tlv(x, TAG_T61_STRING, v->additional);
		v->additional = view_from(r.additional, 2);
	}
	return r;
}

/* --- activity identifiers: a DER INTEGER (X.228 8.3) --- */

struct view x400_activity_octets(uint64_t activity, uint8_t octets[SESSION_ACTIVITY_MAX])
{
	assert(activity > 0 && activity <= ACTIVITY_NUMBER_MAX);
	size_t size = 1;
	while (activity >> (8 * size - 1) > 0)
		size++;
	octets[0] = 2;
	octets[1] = (uint8_t)size;
	for (size_t i = 0; i < size; i++)
		octets[2 + i] = (uint8_t)(activity >> (8 * (size - 1 - i)));
	return view_of(octets, 2 + size);
}

uint64_t x400_activity_number(struct view octets)
{
	uint8_t again[SESSION_ACTIVITY_MAX];
	uint64_t n = 0;
	if (octets.n < 3 || octets.n > SESSION_ACTIVITY_MAX || octets.p[0] != 2)
		return 0;
	for (size_t i = 2; i < octets.n; i++)
		n = n << 8 | octets.p[i];
	return n > 0 && n <= ACTIVITY_NUMBER_MAX && view_eq(octets, x400_activity_octets(n, again)) ? n : 0;
}

/* --- where the outbound transfer can go on --- */

static struct view keep_part(uint8_t **at, struct view v)
{
	struct view kept = { *at, v.n };
	if (v.n > 0)
		memcpy(*at, v.p, v.n);
	*at += v.n;
	return kept;
}

void x400_tx_begins(struct x400 *x, const struct x400_reference *r, uint64_t activity)
{
	uint8_t *at = x->tx_reference;
	x->tx_kept = false;
	x->tx_point = (struct x400_resume){ .activity = activity };
	x->tx_point.reference.user = keep_part(&at, r->user);
	x->tx_point.reference.common = keep_part(&at, r->common);
	x->tx_point.reference.additional = keep_part(&at, r->additional);
}

void x400_tx_synced(struct x400 *x, uint32_t serial)
{
	x->tx_kept = true;
	x->tx_point.serial = serial;
	x->tx_point.offset = rtse_sender_offset(&x->tx, serial);
}

bool x400_resumable(const struct x400 *x, struct x400_resume *r)
{
	CHECK(x, X400_MAGIC);
	if (x->tx_kept)
		*r = x->tx_point;
	return x->tx_kept;
}

bool x400_may_be_complete(const struct x400 *x)
{
	switch (x->state) {
	case X400_S_DISCARDING:
	case X400_S_INTERRUPTING: return true;
	case X400_S_ENDING:
	case X400_S_SENDING: return x->tx.base > 0;
	case X400_S_CONNECTING: case X400_S_BINDING: case X400_S_LISTENING: case X400_S_ACCEPTING: case X400_S_DECIDING:
	case X400_S_OPEN: case X400_S_RESUMING: case X400_S_RECEIVING: case X400_S_RECEIVED: case X400_S_EXCEPTED:
	case X400_S_RELEASING: case X400_S_CLOSING: case X400_S_CLOSED: case X400_S_COUNT: break;
	}
	return false;
}

unsigned x400_checkpoint_size(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return x->agreed.checkpoint_size;
}
