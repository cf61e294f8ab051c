/* steps.c - what the journey of a message says of its arrival, and what a search finds it by. */
#include "proc/switch/switch_int.h"

bool steps_is_gateway(const struct swlink *l)
{
	return l != NULL && l->set->kind != LINK_X400;
}

void steps_recipient_key(const struct oraddr *addr, struct out *keys)
{
	track_key_put(track_key_address(addr, TRACK_RECIPIENT), keys);
}

/* A report is for one address, which its envelope has as the originator. */
static void keys_of(const struct incoming *in, bool gateway, struct out *keys)
{
	const struct message *m = in->m;
	track_key_put(track_key_address(&m->originator, m->kind == MESSAGE_REPORT ? TRACK_RECIPIENT : TRACK_ORIGINATOR), keys);
	for (size_t i = 0; in->track != NULL && i < TRACK_CONTENT_MAX; i++)
		track_key_put(in->track[i], keys);
	if (gateway && in->peer.n > 0)
		track_key_put(track_key_text(in->peer, TRACK_GATEWAY_ID), keys);
	for (size_t i = 0; m->kind != MESSAGE_REPORT && i < m->n_rcpt; i++)
		steps_recipient_key(&m->rcpt[i].addr, keys);
}

/* "G=Ann; ..., to S=Lee; ..., and 3 more, as INQUEUE3 00000062" */
static void tell(const struct incoming *in, bool gateway, struct out *text)
{
	const struct message *m = in->m;
	oraddr_print(&m->originator, ORADDR_F401, text);
	if (m->kind != MESSAGE_REPORT && m->n_rcpt > 0) {
		out_str(text, ", to ");
		oraddr_print(&m->rcpt[0].addr, ORADDR_F401, text);
	}
	if (m->kind != MESSAGE_REPORT && m->n_rcpt > 1)
		out_fmt(text, ", and %zu more", m->n_rcpt - 1);
	if (gateway && in->peer.n > 0)
		out_fmt(text, ", as %.*s", (int)(in->peer.n < 100 ? in->peer.n : 100), (const char *)in->peer.p);
}

void steps_arrived(struct sw *s, const struct incoming *in, const uint64_t digest[2])
{
	const struct message *m = in->m;
	const bool gateway = in->link.n > 0 && steps_is_gateway(switch_link(s, in->link));
	struct out keys, text;
	out_init(&keys, STEPS_KEYS_MAX);
	out_init(&text, 1024);
	keys_of(in, gateway, &keys);
	tell(in, gateway, &text);
	struct store_step step = { .kind = in->link.n == 0 ? STEP_SUBMITTED : m->kind == MESSAGE_REPORT ? STEP_REPORT_IN : STEP_TRANSFER_IN,
				   .id = &m->id, .peer = in->link, .size = in->size, .digest = { digest[0], digest[1] }, .of = m->kind,
				   .gateway = gateway, .keys = out_view(&keys), .text = out_view(&text) };
	if (m->kind == MESSAGE_REPORT)
		step.other = &m->subject_id;
	store_put_step(s->store, &step);
	out_fini(&keys);
	out_fini(&text);
}
