/* offer.c - a message on its way in, as the switch hears of it: whole with OFFER while it is short, else in pieces under
 * the switch's credits. */
#include "proc/link/link_int.h"

static void put_offer(struct inbound *in, struct chan *c, enum msg m, struct view content)
{
	struct link *l = in->link;
	in->offer = ++l->next_offer;
	map_put(&l->by_offer, in->offer, in);
	struct out track;
	out_init(&track, sizeof in->keys);
	track_keys_print(&in->keys, &track);
	const struct msg_offer offer = {
		.offer = in->offer, .link = view_str(in->name), .peer = view_str(in->peer), .packed = out_view(&in->packed), .content = content,
		.octets = in->octets, .hash = in->hash, .examined = in->examined, .track = in->octets ? (struct view){ NULL, 0 } : out_view(&track),
		.err = in->octets ? in->err : (struct err){ .reason = -1, .diagnostic = -1 },
	};
	put_msg_offer(chan_begin(c, (uint16_t)m), &offer);
	chan_end(c);
	out_fini(&track);
	out_clear(&in->packed);
}

void offer_whole(struct inbound *in)
{
	put_offer(in, in->link->control, MSG_OFFER, out_view(&in->kept));
	out_clear(&in->kept);
}

void offer_begin(struct inbound *in)
{
	put_offer(in, in->link->bulk, MSG_OFFER_BEGIN, (struct view){ NULL, 0 });
	in->credit = MSG_CREDIT;
}

size_t offer_pieces(struct inbound *in, struct view octets)
{
	struct chan *c = in->link->bulk;
	const struct view all = view_first(octets, in->credit);
	in->credit -= all.n;
	for (struct view left = all; left.n > 0;) {
		const struct msg_piece piece = { in->offer, view_first(left, MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(c, MSG_OFFER_DATA), &piece);
		chan_end(c);
		left = view_from(left, piece.octets.n);
	}
	return all.n;
}

static void put_count(struct inbound *in, enum msg m, uint64_t n)
{
	const struct msg_count count = { in->offer, n };
	put_msg_count(chan_begin(in->link->bulk, (uint16_t)m), &count);
	chan_end(in->link->bulk);
}

void offer_end(struct inbound *in)
{
	put_count(in, MSG_OFFER_END, in->size);
}

void offer_spoiled(struct inbound *in)
{
	const struct msg_spoiled m = { .offer = in->offer, .n = in->size, .err = in->err };
	put_msg_spoiled(chan_begin(in->link->bulk, MSG_OFFER_SPOILED), &m);
	chan_end(in->link->bulk);
}

void offer_cancel(struct inbound *in)
{
	put_count(in, MSG_OFFER_CANCEL, 0);
}
