/* offer.c - one message offered to the switch: whole when it is short, else in pieces under the switch's credits. */
#include "proc/ctl/ctl_int.h"

#include "flow/codec/ipm/ipm_track.h"

enum { THE_OFFER = 1 };

static void send_pieces(struct ctl *c, struct ctl_offer *offer)
{
	while (offer->credit > 0 && offer->sent < offer->content.n) {
		struct msg_piece piece = { THE_OFFER, view_first(view_from(offer->content, offer->sent), MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(c->chan, MSG_OFFER_DATA), &piece);
		chan_end(c->chan);
		offer->sent += piece.octets.n;
		offer->credit = offer->credit > piece.octets.n ? offer->credit - piece.octets.n : 0;
		if (offer->sent == offer->content.n) {
			struct msg_count end = { THE_OFFER, offer->content.n };
			put_msg_count(chan_begin(c->chan, MSG_OFFER_END), &end);
			chan_end(c->chan);
		}
	}
}

static void start(struct ctl *c)
{
	struct ctl_offer *offer = c->user;
	bool whole = offer->content.n <= MSG_INLINE_MAX;
	struct msg_offer m = { .offer = THE_OFFER, .link = offer->link, .packed = offer->packed, .hash = offer->hash,
			       .err = { .reason = -1, .diagnostic = -1 } };
	if (whole)
		m.content = offer->content;
	struct track_keys keys = { .n = 0 };
	struct out track;
	out_init(&track, sizeof keys);
	ipm_track_keys(offer->content, &keys);
	track_keys_print(&keys, &track);
	m.track = out_view(&track);
	put_msg_offer(chan_begin(c->chan, whole ? MSG_OFFER : MSG_OFFER_BEGIN), &m);
	chan_end(c->chan);
	out_fini(&track);
	offer->sent = 0;
	offer->credit = MSG_CREDIT;
	if (!whole)
		send_pieces(c, offer);
}

static bool on_credit(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct ctl_offer *offer = c->user;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	offer->credit += m.n;
	send_pieces(c, offer);
	return true;
}

static bool on_answer(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct ctl_offer *offer = c->user;
	if (!get_msg_answer(payload, &offer->answer, e))
		return false;
	offer->answer.mts_id = arena_copy(c->arena, offer->answer.mts_id);
	ctl_over(c, offer->answer.accepted ? CTL_DONE : ctl_say(c, CTL_REFUSED, "%s", offer->answer.err.text));
	return true;
}

int ctl_offer(struct ctl *c, struct ctl_offer *offer)
{
	static const struct chan_type types[] = {
		{ .type = MSG_OFFER_CREDIT, .name = "OFFER_CREDIT", .handle = on_credit, .max = 16 },
		{ .type = MSG_OFFER_ANSWER, .name = "OFFER_ANSWER", .handle = on_answer, .max = 4096 },
	};
	void *user = c->user;
	c->user = offer;
	int status = ctl_converse(c, "control", types, ARRAY_LEN(types), start);
	c->user = user;
	return status;
}
