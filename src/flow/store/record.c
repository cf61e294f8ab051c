/* record.c - see record.h. */
#include "flow/store/record.h"

#include "flow/message/pack.h"

void record_envelope(struct out *o, const struct store_message *m)
{
	pack_envelope(o, m->m);
}

void record_recipients(struct out *o, const struct store_message *m)
{
	for (size_t i = 0; i < m->n_recipients; i++) {
		const struct store_recipient *r = &m->recipients[i];
		out_u8(o, (uint8_t)r->state);
		out_u64(o, r->state == STORE_RCPT_QUEUED ? m->transfers[r->transfer].id_r : 0);
		const size_t at = out_len(o);
		out_u32(o, 0);
		pack_recipient(o, r->rcpt);
		if (o->bad)
			return;
		const size_t n = out_len(o) - at - 4;
		uint8_t *p = o->p + o->head + at; /* the length is known only now */
		p[0] = (uint8_t)(n >> 24);
		p[1] = (uint8_t)(n >> 16);
		p[2] = (uint8_t)(n >> 8);
		p[3] = (uint8_t)n;
	}
}

bool record_next(struct cur *c, struct record_recipient *r_r)
{
	if (cur_left(c) == 0)
		return false;
	struct record_recipient r = {.state = (enum store_rcpt_state)cur_u8(c)};
	r.transfer = cur_u64(c);
	r.packed = cur_bytes(c, cur_u32(c));
	if (c->bad || r.state > STORE_RCPT_REPORTED) {
		c->bad = true;
		return false;
	}
	*r_r = r;
	return true;
}

/* Our own octets that cannot be read are charged to their message, not to the process that found
 * them. */
static bool of_message(struct err *e)
{
	if (e != NULL)
		e->culprit = ERR_OF_MESSAGE;
	return false;
}

static bool load_recipients(struct view recipients, uint64_t transfer, uint32_t index,
			    struct message *m, struct arena *a, struct err *e)
{
	struct record_recipient r;
	struct cur c = cur_of(recipients);
	while (record_next(&c, &r))
		m->n_rcpt++;
	if (c.bad)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "store: recipients of a message are damaged after %zu", m->n_rcpt);
	m->rcpt = arena_array(a, m->n_rcpt, sizeof *m->rcpt);
	if (m->rcpt == NULL && m->n_rcpt > 0)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
			       "store: %zu recipients pass the memory quota", m->n_rcpt);
	c = cur_of(recipients);
	for (size_t i = 0; record_next(&c, &r); i++) {
		if (!unpack_recipient(r.packed, &m->rcpt[i], a, e))
			return of_message(e);
		const bool ours = transfer != 0 ? r.transfer == transfer : i == index;
		m->rcpt[i].responsible = ours;
	}
	return true;
}

bool record_load(struct view envelope, struct view recipients, uint64_t transfer, uint32_t index,
		 struct message **m_r, struct arena *a, struct err *e)
{
	struct message *m = arena_get(a, sizeof *m);
	const struct view env = arena_copy(a, envelope), rcpt = arena_copy(a, recipients);
	if (arena_full(a))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
			       "store: an envelope of %zu octets passes the memory quota",
			       envelope.n + recipients.n);
	if (!unpack_envelope(env, m, a, e))
		return of_message(e);
	m->rcpt = NULL;
	m->n_rcpt = 0;
	if (!load_recipients(rcpt, transfer, index, m, a, e))
		return false;
	*m_r = m;
	return true;
}

bool record_same_id(struct view text_a, struct view text_b)
{
	if (view_eq(text_a, text_b))
		return true;
	struct arena *a = arena_new(64 * 1024);
	struct mts_id x, y;
	const bool same = mts_id_parse(text_a, &x, a, NULL) && mts_id_parse(text_b, &y, a, NULL) &&
			  mts_id_eq(&x, &y);
	arena_free(&a);
	return same;
}
