/* offers.c - messages on their way to the switch: short ones in one frame, others in pieces under its credit. */
#include "proc/interchange/interchange_int.h"

#include "base/fault.h"
#include "base/mem.h"

void offer_start(struct interchange *x, struct offer *o, struct msg_offer *m, uint64_t size, const struct offer_user *user, void *ctx)
{
	assert(o->id == 0 && x->control != NULL && x->bulk != NULL);
	(void)FAULT_ON(INTERCHANGE_OFFER, m->packed);
	*o = (struct offer){ .id = ++x->next_offer, .user = user, .ctx = ctx, .size = size, .inline_ = size <= MSG_INLINE_MAX };
	map_put(&x->offers, o->id, o);
	m->offer = o->id;
	m->link = view_str(x->link->name);
	if (!m->octets)
		m->err = (struct err){ .reason = -1, .diagnostic = -1 };
	out_init(&o->kept, MSG_ENVELOPE_MAX + MSG_INLINE_MAX);
	if (!o->inline_) {
		o->credit = MSG_CREDIT;
		put_msg_offer(chan_begin(x->bulk, MSG_OFFER_BEGIN), m);
		chan_end(x->bulk);
	} else if (size == 0) {
		put_msg_offer(chan_begin(x->control, MSG_OFFER), m);
		chan_end(x->control);
	} else { /* its content has yet to come: the frame is kept until then, in its fields */
		put_string(&o->kept, m->packed);
		put_string(&o->kept, m->peer);
		out_u8(&o->kept, m->octets);
		out_u64(&o->kept, m->hash);
		out_u64(&o->kept, m->examined);
		put_string(&o->kept, m->track);
		put_string(&o->kept, view_of(&m->err, sizeof m->err));
	}
}

/* All of a short one is here. */
static void send_whole(struct interchange *x, struct offer *o)
{
	struct cur c = cur_of(out_view(&o->kept));
	struct msg_offer m = { .offer = o->id, .link = view_str(x->link->name) };
	m.packed = get_string(&c);
	m.peer = get_string(&c);
	m.octets = cur_u8(&c) != 0;
	m.hash = cur_u64(&c);
	m.examined = cur_u64(&c);
	m.track = get_string(&c);
	const struct view err = get_string(&c);
	assert(err.n == sizeof m.err);
	memcpy(&m.err, err.p, sizeof m.err);
	m.content = cur_rest(&c);
	put_msg_offer(chan_begin(x->control, MSG_OFFER), &m);
	chan_end(x->control);
	out_clear(&o->kept);
}

size_t offer_feed(struct interchange *x, struct offer *o, struct view content)
{
	if (o->id == 0 || x->control == NULL || x->bulk == NULL)
		return 0;
	size_t n = content.n < o->size - o->fed ? content.n : (size_t)(o->size - o->fed);
	if (n == 0)
		return 0;
	if (o->inline_) {
		out_bytes(&o->kept, view_first(content, n));
		o->fed += n;
		if (o->fed == o->size)
			send_whole(x, o);
		return n;
	}
	n = n < o->credit ? n : (size_t)o->credit;
	for (struct view left = view_first(content, n); left.n > 0;) {
		const struct msg_piece piece = { o->id, view_first(left, MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(x->bulk, MSG_OFFER_DATA), &piece);
		chan_end(x->bulk);
		left = view_from(left, piece.octets.n);
	}
	o->credit -= n;
	o->fed += n;
	if (n > 0 && o->fed == o->size) {
		const struct msg_count end = { o->id, o->size };
		put_msg_count(chan_begin(x->bulk, MSG_OFFER_END), &end);
		chan_end(x->bulk);
	}
	return n;
}

static void forget(struct interchange *x, struct offer *o)
{
	(void)map_take(&x->offers, o->id);
	o->id = 0;
	out_fini(&o->kept);
}

void offer_drop(struct interchange *x, struct offer *o)
{
	if (o->id == 0)
		return;
	if (!o->inline_ && o->fed < o->size && x->bulk != NULL) {
		const struct msg_count m = { o->id, 0 };
		put_msg_count(chan_begin(x->bulk, MSG_OFFER_CANCEL), &m);
		chan_end(x->bulk);
	}
	forget(x, o);
}

bool offers_on_credit(struct interchange *x, const struct msg_count *m)
{
	struct offer *o = map_get(&x->offers, m->id);
	if (o != NULL) {
		o->credit += m->n;
		if (o->user->room != NULL)
			o->user->room(o->ctx);
	}
	return true;
}

bool offers_on_answer(struct interchange *x, const struct msg_answer *m)
{
	struct offer *o = map_get(&x->offers, m->id);
	if (o == NULL)
		return true; /* it was given up */
	const struct offer_user *user = o->user;
	void *ctx = o->ctx;
	forget(x, o);
	user->answered(ctx, m);
	return true;
}

void offers_lost(struct interchange *x)
{
	size_t i = 0;
	for (struct offer *o; (o = map_next(&x->offers, &i)) != NULL; i = 0) {
		const struct offer_user *user = o->user;
		void *ctx = o->ctx;
		forget(x, o);
		user->lost(ctx);
	}
}
