/* record.h - the octets of a message's rows, the same in every store. Private to this folder.
 *
 * envelope:   pack_envelope
 * recipients: for each: state (1), its transfer's id or 0 (8), length (4), pack_recipient;
 * big-endian */
#pragma once
#include "base/cur.h"
#include "flow/store/store.h"

void record_envelope(struct out *o, const struct store_message *m);
/* After the ids of the transfers have been given. */
void record_recipients(struct out *o, const struct store_message *m);

struct record_recipient {
	enum store_rcpt_state state;
	uint64_t transfer;
	struct view packed;
};
/* The next of them; false at the end, or when the octets are damaged (c->bad). */
bool record_next(struct cur *c, struct record_recipient *r_r);

/* The message as store_load_transfer promises it: responsible are those in `transfer`, or if that
 * is 0 the recipient with that index (of a delivery). Copies both views into the arena. Fails with
 * ERR_LOCAL, message. */
MUST_CHECK bool record_load(struct view envelope, struct view recipients, uint64_t transfer,
			    uint32_t index, struct message **m_r, struct arena *a, struct err *e);

/* What says that a step is about the same message: equal as text, or as identifiers. */
bool record_same_id(struct view text_a, struct view text_b);
