/* steps.c - what the journey of a message says of its arrival, and what a search finds it by. */
#include "proc/switch/switch_int.h"

bool steps_is_gateway(const struct swlink *l)
{
	return l != NULL && l->set->kind != LINK_X400;
}

void steps_recipient_keys(const struct oraddr *addr, struct track_keys *keys)
{
	track_keys_add(keys, track_key_address(addr, TRACK_RECIPIENT));
}

/* A report is for one address, which its envelope has as the originator. */
static void keys_of(const struct incoming *in, bool gateway, struct track_keys *keys)
{
	const struct message *m = in->m;
	track_keys_add(keys, track_key_address(&m->originator, m->kind == MESSAGE_REPORT ? TRACK_RECIPIENT : TRACK_ORIGINATOR));
	for (size_t i = 0; in->track != NULL && i < TRACK_CONTENT_MAX; i++)
		track_keys_add(keys, in->track[i]);
	if (gateway && in->peer.n > 0)
		track_keys_add(keys, track_key_text(in->peer, TRACK_GATEWAY_ID));
	for (size_t i = 0; m->kind != MESSAGE_REPORT && i < m->n_rcpt && i < TRACK_RECIPIENTS_MAX; i++)
		steps_recipient_keys(&m->rcpt[i].addr, keys);
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
	struct track_keys keys = { .n = 0 };
	struct out text;
	out_init(&text, 1024);
	keys_of(in, gateway, &keys);
	tell(in, gateway, &text);
	struct store_step step = { .kind = in->link.n == 0 ? STEP_SUBMITTED : m->kind == MESSAGE_REPORT ? STEP_REPORT_IN : STEP_TRANSFER_IN,
				   .id = &m->id, .peer = in->link, .size = in->size, .digest = { digest[0], digest[1] }, .of = m->kind,
				   .gateway = gateway, .keys = &keys, .text = out_view(&text) };
	if (m->kind == MESSAGE_REPORT)
		step.other = &m->subject_id;
	store_put_step(s->store, &step);
	out_fini(&text);
}
