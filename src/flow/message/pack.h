/* pack.h - the canonical form as octets, for the channels between processes and for the store.
 * Not BER and not for peers: both ends are ours. Versioned in its first octet; an unknown version is refused.
 * Unpacking still trusts nothing (the other process may be ill): every length is checked. */
#pragma once
#include "flow/message/message.h"

enum { PACK_VERSION = 1 };

/* Whole message with recipients [from, from + n). m->rcpt beyond them may be missing. */
void pack_message(struct out *o, const struct message *m, size_t from, size_t n);
/* Without recipients: what is stored once per message. */
void pack_envelope(struct out *o, const struct message *m);
/* As pack_message, for a program that is not ours (docs/connector.md): without the fields that repeat what an extension says, which such a
 * program has as octets. */
void pack_message_plain(struct out *o, const struct message *m);
void pack_recipient(struct out *o, const struct recipient *r);

/* Views point into `in`; arrays lie in the arena. Fails with ERR_LOCAL, process. */
MUST_CHECK bool unpack_message(struct view in, struct message *m_r, struct arena *a, struct err *e);
MUST_CHECK bool unpack_envelope(struct view in, struct message *m_r, struct arena *a, struct err *e);
MUST_CHECK bool unpack_recipient(struct view in, struct recipient *r_r, struct arena *a, struct err *e);

/* An error, inside of other octets: no version of its own, length known from itself. Unpacking fails on bad octets
 * (the cursor's `bad` is then set too); text longer than struct err holds is cut. */
void pack_err(struct out *o, const struct err *e);
struct cur;
MUST_CHECK bool unpack_err(struct cur *c, struct err *e_r);
