/* inbound.c - a message on its way in: octets -> envelope and content -> an offer to the switch (offer.c).
 *
 *   IDLE -> HEAD -> ENVELOPE -> CONTENT -> STREAMING -> OFFERED -> IDLE
 *                      |           |__________|_______> SPOILED ---^
 *                      |__ undecodable: CONTENT, and what is offered from there on are the octets as they came
 *
 * P1 has no permanent refusal of a transfer: a peer whose octets cannot be read would send them again for ever. So they are
 * taken as they are, for the quarantine, and it is the switch's answer that confirms them. Only what is temporary is refused.
 *
 * While the state is neither IDLE nor REFUSED the switch is there: when it goes, all transfers are cancelled (link.c). */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "flow/codec/ipm/ipm_track.h"
#include "flow/message/downgrade.h"

enum { KEPT_IDLE = 4 * 1024, RECIPIENTS_MAX = 32767 /* X.411 ub-recipients */ };

void inbound_init(struct inbound *in, struct link *l, const struct inbound_sender *sender)
{
	const struct set_limits *limits = &l->settings->limits;
	const struct ber_limits ber = { .depth = (unsigned)limits->depth, .elements = (size_t)limits->elements,
					.bytes = (size_t)limits->envelope };
	in->link = l;
	in->sender = sender;
	in->split = p1_split_new((size_t)limits->envelope, &ber);
	out_init(&in->packed, MSG_ENVELOPE_MAX);
	out_init(&in->kept, SIZE_MAX / 2); /* keep_as_it_came and pass_on bound it */
}

/* An idle association holds next to nothing. */
static void give_back(struct out *o)
{
	const size_t max = o->max;
	if (o->cap > KEPT_IDLE) {
		out_fini(o);
		out_init(o, max);
	}
	out_clear(o);
}

/* What is held goes; the state is the caller's. */
static void drop(struct inbound *in)
{
	p1_split_reset(in->split);
	give_back(&in->packed);
	give_back(&in->kept);
	quota_count(in);
}

static void reset(struct inbound *in)
{
	drop(in);
	in->state = IN_IDLE;
	in->n_head = 0;
	in->offer = in->size = in->hash = in->examined = 0;
	in->credit = 0;
	in->octets = in->apdu_ended = in->is_ipm = false;
	in->keys.n = 0;
	in->err = (struct err){ .reason = -1, .diagnostic = -1 };
}

void inbound_fini(struct inbound *in)
{
	inbound_cancel(in);
	quota_forget(in);
	p1_split_free(&in->split);
	out_fini(&in->packed);
	out_fini(&in->kept);
}

void inbound_refuse(struct inbound *in, const struct err *why)
{
	drop(in);
	in->err = *why;
	in->state = IN_REFUSED;
}

void inbound_begin(struct inbound *in, const char *link, const char *peer, enum p1_tables tables)
{
	reset(in);
	in->tables = tables;
	p1_split_tables(in->split, tables);
	in->name = link;
	in->peer = peer;
	quota_begin(in);
	in->state = IN_HEAD;
}

/* --- what is offered --- */

static void begin_stream(struct inbound *in)
{
	offer_begin(in);
	give_back(&in->packed);
	in->state = IN_STREAMING;
}

/* As much as the credit allows, first what is kept; a credit that is used up stops this sender and no other. */
static void stream(struct inbound *in, struct view octets)
{
	out_drop(&in->kept, offer_pieces(in, out_view(&in->kept)));
	if (out_len(&in->kept) == 0)
		octets = view_from(octets, offer_pieces(in, octets));
	out_bytes(&in->kept, octets);
	if (in->credit == 0)
		in->sender->stall(in, true);
}

static void spoil(struct inbound *in, const struct err *why)
{
	in->err = *why;
	in->state = IN_SPOILED;
}

static void too_long(struct inbound *in)
{
	const unsigned long long max = in->link->settings->limits.message;
	struct err e;
	if (!in->octets)
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "content is longer than the limit of %llu octets (limits.message)", max);
	else
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "only the first %llu octets are kept (limits.message)%s%.120s", max,
			   in->err.kind == ERR_NONE ? "" : ": ", in->err.kind == ERR_NONE ? "" : in->err.text);
	spoil(in, &e);
}

/* What tracking finds it by, from the first octets of its content. When the envelope alone is long enough to be offered before them, none. */
static void track(struct inbound *in, struct view octets)
{
	if (!in->is_ipm || in->octets)
		return;
	if (out_len(&in->kept) == 0) {
		ipm_track_keys(octets, &in->keys);
		return;
	}
	struct out head;
	out_init(&head, IPM_TRACK_OCTETS);
	out_bytes(&head, view_first(out_view(&in->kept), IPM_TRACK_OCTETS));
	out_bytes(&head, view_first(octets, IPM_TRACK_OCTETS - out_len(&head)));
	ipm_track_keys(out_view(&head), &in->keys);
	out_fini(&head);
}

/* Content, or octets as they came: both end at limits.message, so that no peer can fill the disk with one transfer. */
static void pass_on(struct inbound *in, struct view octets)
{
	const uint64_t room = in->link->settings->limits.message - in->size;
	const bool cut = octets.n > room;
	octets = view_first(octets, cut ? (size_t)room : octets.n);
	in->size += octets.n;
	if (in->state == IN_CONTENT && out_len(&in->kept) + octets.n > MSG_INLINE_MAX) {
		track(in, octets);
		begin_stream(in);
	}
	if (in->state == IN_STREAMING)
		stream(in, octets);
	else
		out_bytes(&in->kept, octets);
	if (cut)
		too_long(in);
}

/* --- what cannot be read --- */

/* All that came before and all that will come is offered as it is. The examined are in the store already. */
static void undecodable(struct inbound *in, struct view octets, const struct err *why)
{
	struct out came = in->kept;
	if (in->examined != 0) {
		inbound_refuse(in, why);
		return;
	}
	out_init(&in->kept, SIZE_MAX / 2);
	give_back(&in->packed);
	p1_split_reset(in->split);
	in->octets = true;
	in->err = *why;
	in->state = IN_CONTENT;
	pass_on(in, out_view(&came));
	out_fini(&came);
	if (in->state != IN_SPOILED)
		pass_on(in, octets);
	quota_count(in);
}

/* octets: not in `kept`. */
static void broken(struct inbound *in, struct view octets, const struct err *why)
{
	EMIT(&in->link->host, DECODE_FAILED, "link", in->name, "peer", in->peer, "why", why->text);
	if (in->state == IN_ENVELOPE) {
		undecodable(in, octets, why);
		return;
	}
	struct err e;
	err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 0, 14, "%s", why->text);
	spoil(in, &e);
}

/* --- decoding --- */

static bool envelope(struct inbound *in, const struct message *came, struct err *e)
{
	struct message upgraded = *came;
	const struct message *m = &upgraded;
	if (m->n_rcpt > RECIPIENTS_MAX)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "%zu recipients, X.411 allows %d", m->n_rcpt, RECIPIENTS_MAX);
	if (in->tables == P1_1984 && !upgrade_message(&upgraded, &in->link->domain, in->link->arena))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "the envelope with %zu recipients needs more memory than it may", m->n_rcpt);
	pack_message(&in->packed, m, 0, m->n_rcpt);
	if (in->packed.bad)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "the envelope with %zu recipients is longer than %d octets",
				  m->n_rcpt, MSG_ENVELOPE_MAX);
	in->is_ipm = m->kind == MESSAGE_MESSAGE && (m->content_type == 2 || m->content_type == 22);
	p1_split_forget(in->split);
	give_back(&in->kept);
	in->state = IN_CONTENT;
	if (out_len(&in->packed) > MSG_INLINE_MAX)
		begin_stream(in); /* not kept here while the content comes */
	return true;
}

static bool split_event(struct inbound *in, const struct p1_split_event *ev, struct err *e)
{
	switch (ev->what) {
	case P1_SPLIT_ENVELOPE: return envelope(in, ev->message, e);
	case P1_SPLIT_CONTENT: pass_on(in, ev->content); return true;
	case P1_SPLIT_END: in->apdu_ended = true; return true;
	}
	CANT_HAPPEN("a splitter event has no such kind");
}

static bool is_decoding(const struct inbound *in)
{
	return !in->octets && (in->state == IN_ENVELOPE || in->state == IN_CONTENT || in->state == IN_STREAMING);
}

/* For the quarantine, should the envelope prove to be none. */
static bool keep_as_it_came(struct inbound *in, struct view octets, struct err *e)
{
	const uint64_t max = in->link->settings->limits.envelope + WRAPPER_MAX;
	if (in->state != IN_ENVELOPE)
		return true;
	if (octets.n > max - out_len(&in->kept))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "no whole envelope in the first %llu octets", (unsigned long long)max);
	out_bytes(&in->kept, octets);
	return true;
}

static void decode(struct inbound *in, struct view octets)
{
	const struct view came = octets;
	struct p1_split_event ev;
	struct err e;
	note_input(in->link, in->name, in->hash);
	bool good = !FAULT_ON(LINK_DECODE, octets);
	if (!good)
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 14, "the octets cannot be decoded (fault point)");
	while (good && is_decoding(in)) {
		const enum step step = p1_split_next(in->split, &octets, &ev, in->link->arena, &e);
		if (step == STEP_WAIT) {
			good = keep_as_it_came(in, came, &e);
			break;
		}
		good = step == STEP_DONE && split_event(in, &ev, &e);
	}
	arena_reset(in->link->arena);
	if (!good)
		broken(in, came, &e);
}

static void take(struct inbound *in, struct view octets)
{
	struct err e;
	if (is_decoding(in))
		decode(in, octets);
	else if (in->state == IN_CONTENT || in->state == IN_STREAMING)
		pass_on(in, octets);
	const size_t before = in->held;
	quota_count(in);
	if (in->held <= before || (in->state != IN_ENVELOPE && in->state != IN_CONTENT) || quota_allows(in, &e))
		return;
	if (e.kind == ERR_PERM)
		broken(in, (struct view){ NULL, 0 }, &e);
	else
		inbound_refuse(in, &e);
}

/* --- the first octets: nothing is decoded before it has a name that outlives this process --- */

static void let_go_of_head(struct inbound *in)
{
	const struct view head = view_of(in->head, in->n_head);
	if (in->examined == 0)
		in->hash = suspects_hash(head);
	const bool suspect = in->examined == 0 && suspects_has(in->link, in->name, in->hash);
	in->octets = suspect;
	in->state = suspect ? IN_CONTENT : IN_ENVELOPE;
	take(in, head);
}

void inbound_octets(struct inbound *in, struct view octets)
{
	if (in->state == IN_HEAD) {
		const struct view part = view_first(octets, MSG_HEAD - in->n_head);
		if (part.n > 0)
			memcpy(in->head + in->n_head, part.p, part.n);
		in->n_head += part.n;
		octets = view_from(octets, part.n);
		if (in->n_head < MSG_HEAD)
			return;
		let_go_of_head(in);
	}
	if (octets.n > 0)
		take(in, octets);
}

/* --- the end --- */

static void ended_inside(struct inbound *in)
{
	struct err e;
	if (in->state == IN_ENVELOPE)
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 14, "the transfer ended inside the envelope, after %zu octets", out_len(&in->kept));
	else
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 0, 14, "the transfer ended inside the message, after %llu octets of content",
			   (unsigned long long)in->size);
	broken(in, (struct view){ NULL, 0 }, &e);
}

static void refused(struct inbound *in)
{
	const struct err why = in->err;
	inbound_cancel(in);
	in->sender->answered(in, &why);
}

/* A spoiled one that was short is begun now; its content fits into the first credit. */
static void offer(struct inbound *in)
{
	if (in->state == IN_CONTENT) {
		track(in, (struct view){ NULL, 0 });
		offer_whole(in);
	} else if (in->state == IN_STREAMING) {
		offer_end(in);
	} else {
		if (in->offer == 0) {
			begin_stream(in);
			stream(in, (struct view){ NULL, 0 });
		}
		offer_spoiled(in);
	}
	in->state = IN_OFFERED;
	drop(in);
}

void inbound_end(struct inbound *in)
{
	if (in->state == IN_HEAD)
		let_go_of_head(in);
	if (is_decoding(in) && !in->apdu_ended)
		ended_inside(in);
	if (in->state != IN_REFUSED && FAULT(LINK_OFFER)) {
		err_set(&in->err, ERR_TEMP, ERR_OF_PROCESS, "the offer is not sent (fault point)");
		refused(in);
	} else if (in->state == IN_REFUSED) {
		refused(in);
	} else {
		offer(in);
	}
}

void inbound_cancel(struct inbound *in)
{
	const bool begun = in->offer != 0 && in->state != IN_OFFERED;
	if (begun && in->link->bulk != NULL)
		offer_cancel(in);
	/* Whole and offered: the switch may have stored it; its answer finds nobody, the peer sends it again, and it is known. */
	if (in->offer != 0)
		map_take(&in->link->by_offer, in->offer);
	reset(in);
}

/* --- what the switch says --- */

void inbound_credit(struct inbound *in, uint64_t octets)
{
	in->credit += octets <= MSG_CREDIT ? (size_t)octets : MSG_CREDIT;
	if (in->credit > MSG_CREDIT)
		in->credit = MSG_CREDIT;
	if (out_len(&in->kept) > 0)
		stream(in, (struct view){ NULL, 0 });
	if (in->credit > 0)
		in->sender->stall(in, false);
}

void inbound_answer(struct inbound *in, const struct msg_answer *answer)
{
	const bool early = in->state != IN_OFFERED; /* refused while it was still streaming */
	in->offer = 0;
	if (early) {
		inbound_refuse(in, &answer->err);
		in->sender->stall(in, false);
		return;
	}
	reset(in);
	in->sender->answered(in, answer->accepted ? NULL : &answer->err);
}
