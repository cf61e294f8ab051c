/* outbound.c - a message on its way out: the switch's order -> encoded envelope and content -> the machine.
 * An association holds two orders, so that the next activity starts in the turn in which the last one was confirmed. */
#include "proc/link/link_int.h"

#include "base/mem.h"

bool outbound_is_empty(const struct assoc *a)
{
	return a->first == NULL;
}

bool outbound_is_begun(const struct assoc *a)
{
	return a->first != NULL && a->first->begun;
}

static void handover_free(struct assoc *a, struct handover *h)
{
	map_take(&a->link->by_transfer, h->transfer);
	out_fini(&h->head);
	out_fini(&h->content);
	out_fini(&h->from.packed);
	free(h);
}

static void result(struct link *l, uint64_t transfer, const struct err *failed)
{
	if (l->control == NULL)
		return;
	struct msg_result r = { .transfer = transfer, .delivered = failed == NULL, .err = { .reason = -1, .diagnostic = -1 } };
	if (failed != NULL)
		r.err = *failed;
	put_msg_result(chan_begin(l->control, MSG_TRANSFER_RESULT), &r);
	chan_end(l->control);
}

/* The X.400 Connector's transfer time-outs: seconds per begun kilobyte, by priority. */
static int64_t timeout_of(const struct set_link *peer, enum priority p, uint64_t octets)
{
	const uint64_t seconds[PRIORITY_COUNT] = { peer->timeout_non_urgent_s, peer->timeout_normal_s, peer->timeout_urgent_s };
	return (int64_t)((octets / 1024 + 1) * seconds[p] * 1000);
}

static bool encode(struct assoc *a, struct handover *h, const struct msg_transfer *t, struct err *e)
{
	struct link *l = a->link;
	struct message m;
	const struct set_link *peer = a->peer;
	const struct p1_encode_options options = {
		.context_id = x400_transfer_context(a->x), .extension_form = (enum p1_extension_form)peer->extension_form,
		.as_1984 = x400_mode(a->x) == X400_X410_84, .keep_internal_trace = peer->keep_internal_trace_84,
		.no_bilateral = peer->strip_bilateral, .no_internal_trace = peer->strip_internal_trace,
		.no_content_return = !peer->ask_content_return, .domain = l->domain.country.value.n > 0 ? &l->domain : NULL,
	};
	note_transfer(l, t->stored);
	bool good = false;
	if (t->content.n > t->content_size)
		err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "TRANSFER with more content than its size says");
	else if (FAULT_ON(LINK_ENCODE, t->packed))
		err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "the message cannot be encoded (fault point)");
	else
		good = unpack_message(t->packed, &m, l->arena, e) && p1_encode_head(&m, t->content_size, &options, &h->head, e);
	h->priority = good ? m.priority : PRIORITY_NORMAL;
	h->timeout_ms = good ? timeout_of(a->peer, m.priority, t->content_size) : 0;
	e->culprit = ERR_OF_MESSAGE; /* it will fail the same way each time: attempts are counted, then it is reported */
	arena_reset(l->arena);
	return good;
}

/* Asks for content so that at most MSG_CREDIT is on the way or waiting here. */
static void pull(struct assoc *a, struct handover *h)
{
	uint64_t under_way = h->left - h->to_pull;
	if (h->to_pull == 0 || under_way > MSG_CREDIT / 2 || a->link->control == NULL)
		return;
	struct msg_count m = { h->transfer, MSG_CREDIT - under_way };
	if (m.n > h->to_pull)
		m.n = h->to_pull;
	h->to_pull -= m.n;
	put_msg_count(chan_begin(a->link->control, MSG_TRANSFER_PULL), &m);
	chan_end(a->link->control);
}

static void failed(struct assoc *a, const struct err *why, bool message);

void outbound_take(struct assoc *a, const struct msg_transfer *t)
{
	struct handover *h = mem_zero(sizeof *h);
	struct err e;
	h->transfer = t->transfer;
	h->stored = t->stored;
	out_init(&h->head, MSG_ENVELOPE_MAX + MSG_INLINE_MAX);
	out_init(&h->content, 2 * MSG_CREDIT);
	if (!encode(a, h, t, &e)) {
		result(a->link, h->transfer, &e);
		out_fini(&h->head);
		free(h);
		return;
	}
	h->total = out_len(&h->head) + t->content_size;
	h->hash = recover_hash(out_view(&h->head));
	recover_take(a, h);
	out_bytes(&h->head, t->content);
	h->left = h->to_pull = t->content_size - t->content.n;
	map_put(&a->link->by_transfer, h->transfer, a);
	*a->last = h;
	a->last = &h->next;
	/* Content of moderate length is here when its turn comes: no round to the switch between two transfers. */
	if (h->to_pull <= MSG_CREDIT / 2)
		pull(a, h);
	assoc_pump(a);
}

/* What the peer has from before is not given to the machine again; of content, as far as it is here. */
static void skip(struct handover *h)
{
	const size_t head = h->skip < out_len(&h->head) ? (size_t)h->skip : out_len(&h->head);
	out_drop(&h->head, head);
	h->skip -= head;
	const size_t content = h->skip < out_len(&h->content) ? (size_t)h->skip : out_len(&h->content);
	out_drop(&h->content, content);
	h->skip -= content;
	h->left -= content;
}

/* Where it broke off, or from the beginning. */
static bool begin(struct assoc *a, struct handover *h, struct err *e)
{
	const int64_t now = env_now_ms(a->link->host.env);
	char octets[24];
	if (!recover_fits(a, h))
		return x400_transfer_begin(a->x, h->total, now, e);
	if (!x400_transfer_resume(a->x, &h->from.at, h->total, now, e))
		return false;
	snprintf(octets, sizeof octets, "%llu", (unsigned long long)h->from.at.offset);
	EMIT(&a->link->host, TRANSFER_RESUMED, "link", a->peer->name, "peer", stream_peer(a->stream), "octets", octets);
	h->skip = h->from.at.offset;
	skip(h);
	return true;
}

void outbound_start(struct assoc *a)
{
	struct handover *h = a->first;
	struct err e;
	if (h == NULL || h->begun || !a->bound || !x400_can_transfer(a->x))
		return;
	if (!begin(a, h, &e)) {
		failed(a, &e, false);
		return;
	}
	h->begun = true;
	a->transfer_until_ms = env_now_ms(a->link->host.env) + h->timeout_ms;
	pull(a, h);
}

static void give(struct assoc *a, struct out *from, size_t room)
{
	note_transfer(a->link, a->first->stored);
	struct view part = view_first(out_view(from), room);
	x400_transfer_data(a->x, part, env_now_ms(a->link->host.env));
	out_drop(from, part.n);
}

void outbound_produce(struct assoc *a)
{
	struct handover *h = a->first;
	while (h != NULL && h->begun && a->stream != NULL) {
		struct out *from = out_len(&h->head) > 0 ? &h->head : &h->content;
		size_t room = x400_transfer_room(a->x);
		struct out *o = x400_out(a->x);
		if (room == 0 || out_len(from) == 0 || stream_unsent(a->stream) >= UNSENT_HIGH)
			return;
		size_t before = out_len(from);
		give(a, from, room);
		if (from == &h->content) {
			h->left -= before - out_len(from);
			pull(a, h);
		}
		wiretrace_octets(a, true, out_view(o));
		stream_write(a->stream, out_view(o));
		out_drop(o, out_len(o));
	}
}

/* Its turn has not come: the machine knows nothing of it, and the one under way goes on. */
static void give_up_waiting(struct assoc *a, struct handover **at)
{
	struct handover *h = *at;
	struct err e;
	err_set(&e, ERR_LOCAL, ERR_OF_MESSAGE, "its content cannot be read from the store");
	result(a->link, h->transfer, &e);
	*at = h->next;
	if (a->last == &h->next)
		a->last = at;
	handover_free(a, h);
}

/* It is there: by_transfer has led here. An empty piece: the content cannot be read. */
bool outbound_content(struct assoc *a, const struct msg_piece *piece, struct err *e)
{
	struct handover **at = &a->first;
	while ((*at)->transfer != piece->id)
		at = &(*at)->next;
	struct handover *h = *at;
	uint64_t asked = h->left - h->to_pull - out_len(&h->content);
	if (piece->octets.n > asked)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_DATA %llu: %zu octets, %llu were asked for",
			       (unsigned long long)piece->id, piece->octets.n, (unsigned long long)asked);
	if (piece->octets.n > 0) {
		out_bytes(&h->content, piece->octets);
		skip(h);
		if (h->begun)
			pull(a, h); /* for what was skipped */
	} else if (h->begun) {
		x400_transfer_discard(a->x);
	} else {
		give_up_waiting(a, at);
	}
	if (a->releasing && a->first == NULL)
		assoc_release_when_idle(a); /* pumps */
	else
		assoc_pump(a);
	return true;
}

static void pop(struct assoc *a)
{
	struct handover *h = a->first;
	a->first = h->next;
	if (a->first == NULL)
		a->last = &a->first;
	handover_free(a, h);
}

void outbound_confirmed(struct assoc *a)
{
	if (a->first == NULL || !a->first->begun)
		return;
	if (FAULT(LINK_BEFORE_RESULT)) {
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "the result is lost (fault point)");
		assoc_abort(a, &e);
		return;
	}
	result(a->link, a->first->transfer, NULL);
	pop(a);
	if (a->releasing)
		assoc_release_when_idle(a);
}

static void failed(struct assoc *a, const struct err *why, bool message)
{
	struct err e = *why;
	if (message)
		e.culprit = ERR_OF_MESSAGE; /* one of its attempts is used up */
	recover_tell(a, a->first);
	result(a->link, a->first->transfer, &e);
	pop(a);
}

void outbound_refused(struct assoc *a, const struct err *why)
{
	if (a->first != NULL)
		failed(a, why, true);
}

/* An abort by the peer in the middle of a transfer counts against the message: a peer that cannot read it does that each
 * time. A lost connection counts against nobody here. */
void outbound_fail_all(struct assoc *a, const struct err *why)
{
	bool message = a->first != NULL && a->first->begun && why->kind == ERR_PEER && !a->lost;
	while (a->first != NULL) {
		failed(a, why, message);
		message = false;
	}
}
