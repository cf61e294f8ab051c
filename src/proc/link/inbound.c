/* inbound.c - a message on its way in: RTTR octets -> envelope and content -> an offer to the switch.
 * Short content rides in the offer; longer content goes in pieces as it comes, under the switch's credits, and a
 * credit that is used up stops the reading of this association and of no other. */
#include "proc/link/link_int.h"

#include "base/mem.h"

void inbound_init(struct assoc *a)
{
	const struct set_limits *limits = &a->link->settings->limits;
	struct inbound *in = &a->in;
	struct ber_limits ber = { .depth = (unsigned)limits->depth, .elements = (size_t)limits->elements,
				  .bytes = (size_t)limits->envelope };
	in->arena = arena_new(mem_mul((size_t)limits->envelope, ARENA_SLACK));
	in->split = p1_split_new((size_t)limits->envelope, &ber);
	out_init(&in->packed, MSG_ENVELOPE_MAX);
	out_init(&in->small, MSG_INLINE_MAX);
}

void inbound_fini(struct assoc *a)
{
	arena_free(&a->in.arena);
	p1_split_free(&a->in.split);
	out_fini(&a->in.packed);
	out_fini(&a->in.small);
}

static void reset(struct inbound *in)
{
	arena_reset(in->arena);
	p1_split_reset(in->split);
	out_clear(&in->packed);
	out_clear(&in->small);
	in->offer = in->size = 0;
	in->credit = 0;
	in->apdu_ended = false;
	in->state = IN_IDLE;
}

static void broken(struct assoc *a, const struct err *why)
{
	struct inbound *in = &a->in;
	EMIT(&a->link->host, DECODE_FAILED, "link", a->peer->name, "peer", stream_peer(a->stream), "why", why->text);
	in->err = *why;
	in->state = IN_BROKEN;
}

void inbound_begin(struct assoc *a)
{
	reset(&a->in);
	a->in.state = IN_ENVELOPE;
}

/* --- the offer --- */

static void put_offer(struct assoc *a, enum msg m)
{
	struct inbound *in = &a->in;
	struct link *l = a->link;
	in->offer = ++l->next_offer;
	map_put(&l->by_offer, in->offer, a);
	struct msg_offer offer = { .offer = in->offer, .link = view_str(a->peer->name), .peer = view_str(stream_peer(a->stream)),
				   .packed = out_view(&in->packed), .content = out_view(&in->small) };
	if (m == MSG_OFFER_BEGIN)
		offer.content = (struct view){ NULL, 0 };
	struct chan *c = m == MSG_OFFER ? l->control : l->bulk;
	put_msg_offer(chan_begin(c, (uint16_t)m), &offer);
	chan_end(c);
}

static void put_pieces(struct assoc *a, struct view octets)
{
	struct chan *c = a->link->bulk;
	while (octets.n > 0) {
		struct msg_piece piece = { a->in.offer, view_first(octets, MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(c, MSG_OFFER_DATA), &piece);
		chan_end(c);
		octets = view_from(octets, piece.octets.n);
	}
}

static void put_count(struct assoc *a, enum msg m, uint64_t n)
{
	struct msg_count count = { a->in.offer, n };
	put_msg_count(chan_begin(a->link->bulk, (uint16_t)m), &count);
	chan_end(a->link->bulk);
}

static void stream_content(struct assoc *a, struct view octets)
{
	struct inbound *in = &a->in;
	put_pieces(a, octets);
	in->credit -= (int64_t)octets.n;
	if (in->credit <= 0)
		assoc_stall(a); /* at most one more part of a transport unit is taken beyond the credit */
}

static void content(struct assoc *a, struct view octets)
{
	struct inbound *in = &a->in;
	in->size += octets.n;
	if (a->link->bulk == NULL) {
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "the switch is not there");
		broken(a, &e);
		return;
	}
	if (in->state == IN_CONTENT && octets.n <= out_room(&in->small)) {
		out_bytes(&in->small, octets);
		return;
	}
	if (in->state == IN_CONTENT) {
		put_offer(a, MSG_OFFER_BEGIN);
		in->state = IN_STREAMING;
		in->credit = MSG_CREDIT;
		stream_content(a, out_view(&in->small));
		out_clear(&in->small);
	}
	stream_content(a, octets);
}

static bool split_event(struct assoc *a, const struct p1_split_event *ev)
{
	struct inbound *in = &a->in;
	switch (ev->what) {
	case P1_SPLIT_ENVELOPE:
		pack_message(&in->packed, ev->message, 0, ev->message->n_rcpt);
		if (in->packed.bad) {
			struct err e;
			err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "the envelope with %zu recipients is longer than %d octets",
				ev->message->n_rcpt, MSG_ENVELOPE_MAX);
			broken(a, &e);
			return false;
		}
		in->state = IN_CONTENT;
		return true;
	case P1_SPLIT_CONTENT:
		content(a, ev->content);
		return true;
	case P1_SPLIT_END:
		in->apdu_ended = true;
		return true;
	}
	CANT_HAPPEN("a splitter event has no such kind");
}

void inbound_octets(struct assoc *a, struct view octets)
{
	struct inbound *in = &a->in;
	struct p1_split_event ev;
	struct err e;
	while (in->state != IN_BROKEN && in->state != IN_IDLE) {
		switch (p1_split_next(in->split, &octets, &ev, in->arena, &e)) {
		case STEP_WAIT: return;
		case STEP_DONE:
			if (!split_event(a, &ev))
				return;
			break;
		case STEP_FAIL:
			if (in->state == IN_STREAMING)
				inbound_cancel(a);
			broken(a, &e);
			return;
		}
	}
}

/* Temporary in the protocol, whatever the cause: P1 has no permanent refusal of a transfer. */
static void refuse(struct assoc *a, const struct err *why)
{
	struct err e;
	EMIT(&a->link->host, MESSAGE_REFUSED, "link", a->peer->name, "why", why->text);
	reset(&a->in);
	if (!x400_transfer_refuse(a->x, &e))
		assoc_abort(a, &e);
}

void inbound_end(struct assoc *a)
{
	struct inbound *in = &a->in;
	struct err e;
	if (in->state != IN_BROKEN && !in->apdu_ended) {
		err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "the transfer ended inside the message, after %llu octets of content",
			(unsigned long long)in->size);
		if (in->state == IN_STREAMING)
			inbound_cancel(a);
		broken(a, &e);
	}
	if (in->state == IN_BROKEN) {
		struct err why = in->err;
		refuse(a, &why);
		return;
	}
	if (a->link->control == NULL || a->link->bulk == NULL || FAULT(LINK_OFFER)) {
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "the switch is not there");
		if (in->state == IN_STREAMING)
			inbound_cancel(a);
		refuse(a, &e);
		return;
	}
	if (in->state == IN_STREAMING)
		put_count(a, MSG_OFFER_END, in->size);
	else
		put_offer(a, MSG_OFFER);
	in->state = IN_OFFERED;
}

void inbound_cancel(struct assoc *a)
{
	struct inbound *in = &a->in;
	if (in->state == IN_STREAMING && a->link->bulk != NULL)
		put_count(a, MSG_OFFER_CANCEL, 0);
	/* Whole and offered: the switch may have stored it; its answer finds nobody, the peer sends it again, and it is known. */
	if (in->offer != 0)
		map_take(&a->link->by_offer, in->offer);
	reset(in);
}

void inbound_credit(struct assoc *a, uint64_t octets)
{
	a->in.credit += octets <= MSG_CREDIT ? (int64_t)octets : MSG_CREDIT;
	if (a->stalled && a->in.credit > 0)
		assoc_unstall(a);
}

void inbound_answer(struct assoc *a, const struct msg_answer *answer)
{
	struct err e;
	if (a->in.state != IN_OFFERED) { /* refused while it was still streaming: drop what comes, refuse at the end */
		a->in.offer = 0;
		a->in.err = answer->err;
		a->in.state = IN_BROKEN;
		assoc_unstall(a);
		return;
	}
	a->in.offer = 0;
	if (!answer->accepted) {
		refuse(a, &answer->err);
	} else if (FAULT(LINK_BEFORE_CONFIRM)) {
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the confirmation is not sent (fault point)");
		assoc_abort(a, &e);
	} else {
		reset(&a->in);
		if (!x400_transfer_accept(a->x, &e))
			assoc_abort(a, &e);
	}
	if (!a->dead && (a->releasing || a->link->stopping))
		assoc_release_when_idle(a);
	else
		assoc_pump(a);
}
