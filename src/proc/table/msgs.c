/* msgs.c - see msgs.h. A get reads every field in order, then says once whether the payload was what it should be. */
#include "proc/table/msgs_int.h"

size_t msg_max(enum msg m)
{
	switch (m) {
#define X(name, number, max, who, what) case MSG_##name: return max;
	MSGS(X)
#undef X
	}
	return 0;
}

const char *msg_name(enum msg m)
{
	switch (m) {
#define X(name, number, max, who, what) case MSG_##name: return #name;
	MSGS(X)
#undef X
	}
	return "unknown";
}

void put_string(struct out *o, struct view v)
{
	out_u32(o, (uint32_t)v.n);
	out_bytes(o, v);
}

struct view get_string(struct cur *c)
{
	return cur_bytes(c, cur_u32(c));
}
void put_msg_offer(struct out *o, const struct msg_offer *m)
{
	out_u64(o, m->offer);
	put_string(o, m->link);
	put_string(o, m->peer);
	put_string(o, m->packed);
	put_string(o, m->content);
	out_u8(o, m->octets);
	out_u64(o, m->hash);
	out_u64(o, m->examined);
	put_err(o, &m->err);
	put_string(o, m->track);
}

bool get_msg_offer(struct view payload, struct msg_offer *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->offer = cur_u64(&c);
	m->link = get_string(&c);
	m->peer = get_string(&c);
	m->packed = get_string(&c);
	m->content = get_string(&c);
	m->octets = cur_u8(&c) != 0;
	m->hash = cur_u64(&c);
	m->examined = cur_u64(&c);
	get_err(&c, &m->err);
	m->track = cur_left(&c) > 0 ? get_string(&c) : (struct view){ NULL, 0 }; /* a connector need not know of it */
	return whole(&c, "OFFER", payload, e);
}

void put_msg_piece(struct out *o, const struct msg_piece *m)
{
	out_u64(o, m->id);
	put_string(o, m->octets);
}

bool get_msg_piece(struct view payload, struct msg_piece *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->octets = get_string(&c);
	return whole(&c, "of a piece", payload, e);
}

void put_msg_count(struct out *o, const struct msg_count *m)
{
	out_u64(o, m->id);
	out_u64(o, m->n);
}

bool get_msg_count(struct view payload, struct msg_count *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->n = cur_u64(&c);
	return whole(&c, "of a count", payload, e);
}

void put_msg_answer(struct out *o, const struct msg_answer *m)
{
	out_u64(o, m->id);
	out_u8(o, m->accepted);
	out_u8(o, m->duplicate);
	put_string(o, m->mts_id);
	put_err(o, &m->err);
}

bool get_msg_answer(struct view payload, struct msg_answer *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->accepted = cur_u8(&c) != 0;
	m->duplicate = cur_u8(&c) != 0;
	m->mts_id = get_string(&c);
	get_err(&c, &m->err);
	return whole(&c, "of an answer", payload, e);
}

void put_msg_assoc_how(struct out *o, const struct msg_assoc_how *m)
{
	out_u64(o, m->assoc);
	out_u32(o, m->which);
	out_u8(o, m->permanent);
	put_string(o, m->reference);
	out_u8(o, m->recovered);
	out_u8(o, m->can_send);
}

bool get_msg_assoc_how(struct view payload, struct msg_assoc_how *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->assoc = cur_u64(&c);
	m->which = cur_u32(&c);
	m->permanent = cur_u8(&c) != 0;
	m->reference = get_string(&c);
	m->recovered = cur_u8(&c) != 0;
	m->can_send = cur_u8(&c) != 0;
	return whole(&c, "ASSOC_HOW", payload, e);
}

void put_msg_resume(struct out *o, const struct msg_resume *m)
{
	out_u64(o, m->transfer);
	put_string(o, m->reference);
	out_u64(o, m->activity);
	out_u64(o, m->offset);
	out_u32(o, m->serial);
}

bool get_msg_resume(struct view payload, struct msg_resume *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->transfer = cur_u64(&c);
	m->reference = get_string(&c);
	m->activity = cur_u64(&c);
	m->offset = cur_u64(&c);
	m->serial = cur_u32(&c);
	return whole(&c, "TRANSFER_RESUME", payload, e);
}

void put_msg_partial(struct out *o, const struct msg_partial *m)
{
	out_u64(o, m->id);
	put_string(o, m->link);
	put_string(o, m->host);
	put_string(o, m->reference);
	out_u64(o, m->activity);
	out_u32(o, m->serial);
	out_u64(o, m->octets);
	out_u8(o, m->found);
}

bool get_msg_partial(struct view payload, struct msg_partial *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->link = get_string(&c);
	m->host = get_string(&c);
	m->reference = get_string(&c);
	m->activity = cur_u64(&c);
	m->serial = cur_u32(&c);
	m->octets = cur_u64(&c);
	m->found = cur_u8(&c) != 0;
	return whole(&c, "of a partial transfer", payload, e);
}

void put_msg_sync(struct out *o, const struct msg_sync *m)
{
	out_u64(o, m->id);
	out_u32(o, m->serial);
	out_u64(o, m->n);
	out_u8(o, m->good);
}

bool get_msg_sync(struct view payload, struct msg_sync *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->serial = cur_u32(&c);
	m->n = cur_u64(&c);
	m->good = cur_u8(&c) != 0;
	return whole(&c, "of a partial transfer's checkpoint", payload, e);
}

void put_msg_assoc(struct out *o, const struct msg_assoc *m)
{
	out_u64(o, m->assoc);
	put_string(o, m->link);
	out_u8(o, m->was_open);
	put_err(o, &m->err);
}

bool get_msg_assoc(struct view payload, struct msg_assoc *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->assoc = cur_u64(&c);
	m->link = get_string(&c);
	m->was_open = cur_u8(&c) != 0;
	get_err(&c, &m->err);
	return whole(&c, "of an association", payload, e);
}

void put_msg_transfer(struct out *o, const struct msg_transfer *m)
{
	out_u64(o, m->transfer);
	out_u64(o, m->assoc);
	put_string(o, m->packed);
	out_u64(o, m->content_size);
	put_string(o, m->content);
	out_u64(o, m->stored);
}

bool get_msg_transfer(struct view payload, struct msg_transfer *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->transfer = cur_u64(&c);
	m->assoc = cur_u64(&c);
	m->packed = get_string(&c);
	m->content_size = cur_u64(&c);
	m->content = get_string(&c);
	m->stored = cur_u64(&c);
	if (m->content_size <= MSG_INLINE_MAX && m->content.n != m->content_size)
		c.bad = true;
	return whole(&c, "TRANSFER", payload, e);
}

void put_msg_result(struct out *o, const struct msg_result *m)
{
	out_u64(o, m->transfer);
	out_u8(o, m->delivered);
	put_err(o, &m->err);
}

bool get_msg_result(struct view payload, struct msg_result *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->transfer = cur_u64(&c);
	m->delivered = cur_u8(&c) != 0;
	get_err(&c, &m->err);
	return whole(&c, "TRANSFER_RESULT", payload, e);
}

void put_msg_render(struct out *o, const struct msg_render *m)
{
	out_u64(o, m->id);
	out_u64(o, m->delivery);
	put_string(o, m->packed);
	put_string(o, m->content);
	put_err(o, &m->err);
}

bool get_msg_render(struct view payload, struct msg_render *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->delivery = cur_u64(&c);
	m->packed = get_string(&c);
	m->content = get_string(&c);
	get_err(&c, &m->err);
	return whole(&c, "of a rendering", payload, e);
}

void put_msg_status_link(struct out *o, const struct msg_status_link *m)
{
	put_string(o, m->name);
	put_string(o, m->state);
	put_string(o, m->last_error);
	put_string(o, m->address);
	put_string(o, m->schedule);
	out_u64(o, m->queued);
	out_u64(o, m->octets);
	out_u64(o, m->inbound);
	out_u64(o, m->two_way);
	out_u64(o, m->outbound);
	out_u64(o, m->in_flight);
	out_u64(o, m->sent);
	out_u64(o, m->received);
	out_u64(o, m->attempts);
	out_u64(o, (uint64_t)m->next_attempt_ms);
	put_string(o, m->monitor);
	out_u64(o, (uint64_t)m->round_trip_ms);
	out_u64(o, m->unanswered_ms);
}

bool get_msg_status_link(struct view payload, struct msg_status_link *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->name = get_string(&c);
	m->state = get_string(&c);
	m->last_error = get_string(&c);
	m->address = get_string(&c);
	m->schedule = get_string(&c);
	m->queued = cur_u64(&c);
	m->octets = cur_u64(&c);
	m->inbound = cur_u64(&c);
	m->two_way = cur_u64(&c);
	m->outbound = cur_u64(&c);
	m->in_flight = cur_u64(&c);
	m->sent = cur_u64(&c);
	m->received = cur_u64(&c);
	m->attempts = cur_u64(&c);
	m->next_attempt_ms = (int64_t)cur_u64(&c);
	m->monitor = get_string(&c);
	m->round_trip_ms = (int64_t)cur_u64(&c);
	m->unanswered_ms = cur_u64(&c);
	return whole(&c, "STATUS_LINK", payload, e);
}

void put_msg_status_end(struct out *o, const struct msg_status_end *m)
{
	put_string(o, m->mta);
	put_string(o, m->domain);
	out_u64(o, m->messages);
	out_u64(o, m->queued);
	out_u64(o, m->deliveries);
	out_u64(o, m->links);
	out_u64(o, m->content_processes);
	out_u64(o, m->uptime_ms);
	out_u64(o, m->held);
	out_u64(o, m->quarantined);
	out_u64(o, m->suspects);
}

bool get_msg_status_end(struct view payload, struct msg_status_end *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->mta = get_string(&c);
	m->domain = get_string(&c);
	m->messages = cur_u64(&c);
	m->queued = cur_u64(&c);
	m->deliveries = cur_u64(&c);
	m->links = cur_u64(&c);
	m->content_processes = cur_u64(&c);
	m->uptime_ms = cur_u64(&c);
	m->held = cur_u64(&c);
	m->quarantined = cur_u64(&c);
	m->suspects = cur_u64(&c);
	return whole(&c, "STATUS_END", payload, e);
}

void put_msg_ask(struct out *o, const struct msg_ask *m)
{
	out_u64(o, m->id);
	out_u64(o, m->after);
	out_u8(o, (uint8_t)m->what);
	out_u32(o, m->max);
	put_string(o, m->of);
}

bool get_msg_ask(struct view payload, struct msg_ask *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->after = cur_u64(&c);
	unsigned what = cur_u8(&c);
	m->what = (enum msg_question)what;
	m->max = cur_u32(&c);
	m->of = get_string(&c);
	if (what >= ASK_COUNT)
		c.bad = true;
	return whole(&c, "ASK", payload, e);
}

void put_msg_row(struct out *o, const struct msg_row *m)
{
	out_u64(o, m->id);
	put_string(o, m->pairs);
}

bool get_msg_row(struct view payload, struct msg_row *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->pairs = get_string(&c);
	return whole(&c, "ROW", payload, e);
}

void put_msg_spoiled(struct out *o, const struct msg_spoiled *m)
{
	out_u64(o, m->offer);
	out_u64(o, m->n);
	put_err(o, &m->err);
}

bool get_msg_spoiled(struct view payload, struct msg_spoiled *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->offer = cur_u64(&c);
	m->n = cur_u64(&c);
	get_err(&c, &m->err);
	return whole(&c, "OFFER_SPOILED", payload, e);
}

void put_msg_suspect(struct out *o, const struct msg_suspect *m)
{
	put_string(o, m->link);
	out_u64(o, m->hash);
	out_u32(o, m->strikes);
}

bool get_msg_suspect(struct view payload, struct msg_suspect *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->link = get_string(&c);
	m->hash = cur_u64(&c);
	m->strikes = cur_u32(&c);
	return whole(&c, "SUSPECT", payload, e);
}

void put_msg_busy(struct out *o, const struct msg_busy *m)
{
	out_u8(o, m->busy);
	put_err(o, &m->err);
}

bool get_msg_busy(struct view payload, struct msg_busy *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->busy = cur_u8(&c) != 0;
	get_err(&c, &m->err);
	return whole(&c, "BUSY", payload, e);
}

void put_msg_explain(struct out *o, const struct msg_explain *m)
{
	out_u64(o, m->id);
	put_string(o, m->address);
	put_string(o, m->link);
	out_u64(o, m->size);
}

bool get_msg_explain(struct view payload, struct msg_explain *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->address = get_string(&c);
	m->link = get_string(&c);
	m->size = cur_u64(&c);
	return whole(&c, "EXPLAIN", payload, e);
}

void put_msg_explained(struct out *o, const struct msg_explained *m)
{
	out_u64(o, m->id);
	put_string(o, m->rows);
	put_err(o, &m->err);
}

bool get_msg_explained(struct view payload, struct msg_explained *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->rows = get_string(&c);
	get_err(&c, &m->err);
	return whole(&c, "EXPLAINED", payload, e);
}

void put_msg_examine(struct out *o, const struct msg_examine *m)
{
	out_u64(o, m->examine);
	put_string(o, m->link);
	put_string(o, m->peer);
	out_u64(o, m->hash);
	out_u64(o, m->size);
	put_string(o, m->content);
}

bool get_msg_examine(struct view payload, struct msg_examine *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->examine = cur_u64(&c);
	m->link = get_string(&c);
	m->peer = get_string(&c);
	m->hash = cur_u64(&c);
	m->size = cur_u64(&c);
	m->content = get_string(&c);
	if (m->size <= MSG_INLINE_MAX && m->content.n != m->size)
		c.bad = true;
	return whole(&c, "EXAMINE", payload, e);
}

void put_msg_examined(struct out *o, const struct msg_examined *m)
{
	out_u64(o, m->examine);
	out_u8(o, m->offered);
	put_err(o, &m->err);
}

bool get_msg_examined(struct view payload, struct msg_examined *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->examine = cur_u64(&c);
	m->offered = cur_u8(&c) != 0;
	get_err(&c, &m->err);
	return whole(&c, "EXAMINED", payload, e);
}

void put_msg_convert(struct out *o, const struct msg_convert *m)
{
	out_u64(o, m->id);
	out_u64(o, m->transfer);
	out_u64(o, m->wrap);
	out_u8(o, m->to_84);
	out_u8(o, m->from_84);
	out_u8(o, m->no_part_15);
	out_u8(o, m->no_free_form);
	out_u8(o, m->text);
	out_u8(o, m->no_loss);
	out_u8(o, m->prohibited);
	out_u64(o, (uint64_t)m->content_type);
	put_string(o, m->content);
}

bool get_msg_convert(struct view payload, struct msg_convert *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->transfer = cur_u64(&c);
	m->wrap = cur_u64(&c);
	m->to_84 = cur_u8(&c) != 0;
	m->from_84 = cur_u8(&c) != 0;
	m->no_part_15 = cur_u8(&c) != 0;
	m->no_free_form = cur_u8(&c) != 0;
	m->text = cur_u8(&c);
	m->no_loss = cur_u8(&c) != 0;
	m->prohibited = cur_u8(&c) != 0;
	m->content_type = (int64_t)cur_u64(&c);
	m->content = get_string(&c);
	return whole(&c, "CONVERT", payload, e);
}

void put_msg_converted(struct out *o, const struct msg_converted *m)
{
	out_u64(o, m->id);
	out_u8(o, m->changed);
	out_u64(o, (uint64_t)m->content_type);
	out_u8(o, m->wrapped);
	out_u8(o, m->is_notification);
	put_string(o, m->eits);
	put_string(o, m->content);
	put_err(o, &m->err);
}

bool get_msg_converted(struct view payload, struct msg_converted *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->changed = cur_u8(&c) != 0;
	m->content_type = (int64_t)cur_u64(&c);
	m->wrapped = cur_u8(&c) != 0;
	m->is_notification = cur_u8(&c) != 0;
	m->eits = get_string(&c);
	m->content = get_string(&c);
	get_err(&c, &m->err);
	return whole(&c, "CONVERTED", payload, e);
}

void put_msg_register(struct out *o, const struct msg_register *m)
{
	put_string(o, m->link);
	out_u8(o, m->bulk);
	out_u64(o, m->token);
}

bool get_msg_register(struct view payload, struct msg_register *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->link = get_string(&c);
	m->bulk = cur_u8(&c) != 0;
	m->token = cur_u64(&c);
	return whole(&c, "REGISTER", payload, e);
}

void put_msg_xlate(struct out *o, const struct msg_xlate *m)
{
	out_u64(o, m->id);
	out_u8(o, m->to_mai);
	put_string(o, m->item);
	put_string(o, m->packed);
	put_string(o, m->envelope);
	put_string(o, m->local_id);
	put_string(o, m->files);
	out_u64(o, (uint64_t)m->now_ms);
	put_string(o, m->own);
}

bool get_msg_xlate(struct view payload, struct msg_xlate *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->to_mai = cur_u8(&c);
	m->item = get_string(&c);
	m->packed = get_string(&c);
	m->envelope = get_string(&c);
	m->local_id = get_string(&c);
	m->files = get_string(&c);
	m->now_ms = (int64_t)cur_u64(&c);
	m->own = get_string(&c);
	return whole(&c, "XLATE", payload, e);
}

void put_msg_xlated(struct out *o, const struct msg_xlated *m)
{
	out_u64(o, m->id);
	put_string(o, m->packed);
	put_string(o, m->envelope);
	put_string(o, m->files);
	put_string(o, m->notice);
	out_u64(o, m->replaced);
	out_u8(o, m->warned);
	out_u64(o, m->not_listed);
	put_string(o, m->track);
	put_err(o, &m->err);
}

bool get_msg_xlated(struct view payload, struct msg_xlated *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->packed = get_string(&c);
	m->envelope = get_string(&c);
	m->files = get_string(&c);
	m->notice = get_string(&c);
	m->replaced = cur_u64(&c);
	m->warned = cur_u8(&c) != 0;
	m->not_listed = cur_u64(&c);
	m->track = get_string(&c);
	get_err(&c, &m->err);
	return whole(&c, "XLATED", payload, e);
}
