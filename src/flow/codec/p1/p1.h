/* p1.h - the message transfer protocol (X.411 section 3, X.419): octets <-> struct message.
 *
 * What is read: an MTS-APDU (message, probe, report), bare or in the EXTERNAL that the reliable
 * transfer of X.419 puts around it, definite or indefinite, SETs in any order. What is written:
 * definite, minimal, SETs in tag order. Kept through decode, pack, unpack and encode: unknown
 * elements and extensions bit-exact, times as they came, the order of extensions. Normalised:
 * DEFAULT values are left out, an empty SET OF extensions or content-identifier counts as absent
 * (X.411 has neither), an empty private domain too, per-recipient-indicators have 8 bits. A directory name that is none, or
 * has characters that its string types have not, is not written where the address names somebody without it. Refused: a
 * time of no length where X.411 has one mandatory.
 *
 * Duplicate extensions: the first latest-delivery-time and internal-trace-information count; any
 * further one, and one that does not decode, stays in `ext` as octets and goes out as it came. */
#pragma once
#include "flow/codec/ber/ber.h"
#include "flow/message/message.h"

/* Which standard a peer speaks. The tables of 1984 take what 1988 added too, but for a content type that is no INTEGER; internal
 * trace as MOTIS (1986) had it becomes that of the message, and a content of type external (1) that is one EXTERNAL of object identifier
 * and octets, its lengths said, that content of that type. Addresses stay as they came: upgrade_message. */
enum p1_tables { P1_1988, P1_1984 };

/* Decodes one APDU that fills all of `apdu`. *content_r: the content octets of a message, joined in
 * the arena when they came in pieces; empty for a probe, and for a report (whose content is in
 * m_r->returned_content). Everything in *m_r points into `apdu` or the arena. limits->bytes counts
 * the envelope (of a report or probe: all of it), not a message's content. Fails with ERR_PERM,
 * message, 1/14 (protocol-violation), or 1/13 where a limit or the arena's quota is passed; the
 * text names the path in ASN.1 terms. */
MUST_CHECK bool p1_decode(struct view apdu, struct message *m_r, struct view *content_r,
			  struct arena *a, const struct ber_limits *limits, struct err *e);
MUST_CHECK bool p1_decode_by(enum p1_tables tables, struct view apdu, struct message *m_r, struct view *content_r,
			     struct arena *a, const struct ber_limits *limits, struct err *e);

/* The same for the envelope alone: MessageTransferEnvelope's SET, or the whole [1] Report or [2]
 * Probe element. */
MUST_CHECK bool p1_decode_envelope(enum p1_tables tables, enum message_kind kind, struct view octets, struct message *m_r,
				   struct arena *a, const struct ber_limits *limits, struct err *e);

/* How the type of a standard extension is written (facts: ISODE tags the INTEGER explicitly, X.411
 * implicitly). The values are those of the link setting `extension-form`. */
enum p1_extension_form {
	P1_EXT_STANDARD, /* 80 01 nn, whatever form it came in */
	P1_EXT_EXPLICIT, /* a0 03 02 01 nn */
	P1_EXT_NONE, /* no extensions at all; whether one is critical for transfer was the caller's
			question */
	P1_EXT_AS_CAME, /* each as its field says */
};

struct p1_encode_options {
	unsigned context_id; /* presentation context of the EXTERNAL; 0: the bare MTS-APDU (X.410
				mode) */
	enum p1_extension_form extension_form;
	/* An MPDU of X.411 (1984), by X.419 annex B and RFC 1328. Extensions, unknown elements and other-actions are
	 * left out; addresses are those of downgrade_address, where nobody can be told (a report, a recipient that is not the
	 * peer's) of downgrade_address_rest; encoded types of object identifiers become bits; a content type that is an
	 * object identifier becomes external (1), its content an EXTERNAL (P2's and P22's: 2 and 22); bilateral information
	 * is that of administration domains; an absent ADMD a single space; reason, diagnostic and type of user those of
	 * 1984, with the words of a diagnostic that it has not as supplementary information, if there is none. */
	bool as_1984;
	bool keep_internal_trace; /* as_1984: as MOTIS of 1986 had it ([APPLICATION 30]); else it is left out */
	bool no_bilateral, no_internal_trace; /* left out */
	bool no_content_return; /* the request to return the content is not passed on */
	const struct gdi *domain; /* ours: in place of a global domain without country, and where X400-88 stands; or NULL */
};

/* Appends the octets that stand before the content: EXTERNAL, [0], envelope, and the header of an
 * OCTET STRING of content_size octets (as_1984, external: of more, with the EXTERNAL's own headers behind it). Nothing stands behind it: all lengths are definite. Probes
 * and reports are whole (content_size 0), but a report with content_size > 0 ends with the header
 * of its returned content, whatever m->returned_content holds. Fails with ERR_LOCAL, message, when
 * the message lacks a mandatory field, or *o is full; with ERR_PERM, message or recipient, 2/47 when an address has no form of
 * 1984 (downgrade_check says so before); then *o may hold a part. */
MUST_CHECK bool p1_encode_head(const struct message *m, uint64_t content_size,
			       const struct p1_encode_options *options, struct out *o,
			       struct err *e);

/* --- a transfer as it comes --- */

struct p1_split_event {
	enum { P1_SPLIT_ENVELOPE, P1_SPLIT_CONTENT, P1_SPLIT_END } what;
	const struct message *message; /* ENVELOPE: good until the next ENVELOPE, reset or free, and
					  as long as the arena */
	struct view content; /* CONTENT: the next octets, never empty; good until the next call */
};

struct p1_split;

/* envelope_max: most octets kept of one APDU (a message's envelope; a whole report or probe).
 * limits: of its decode; limits->depth also bounds the nesting of the stream. Never fails; the
 * caller owns it. */
struct p1_split *p1_split_new(size_t envelope_max, const struct ber_limits *limits);
void p1_split_free(struct p1_split **s);

/* Ready for the next transfer. Keeps its memory up to a bound. */
void p1_split_reset(struct p1_split *s);

/* The tables for the transfers from now on; P1_1988 until then. Not inside a transfer. */
void p1_split_tables(struct p1_split *s, enum p1_tables tables);

/* Takes from *in (which it shortens) until there is an event. A transfer is ENVELOPE, CONTENT (any
 * number; messages only), END. STEP_WAIT: *in is empty. The message's arrays go to the arena.
 * STEP_FAIL, once and for all until reset: ERR_PERM, message, with 1/14 or 1/13: the envelope is
 * not one we can read, or too long (p1_split_envelope has what was kept); ERR_PEER, association:
 * the octets around it are not BER or not an MTS-APDU, or go on after its end. */
MUST_CHECK enum step p1_split_next(struct p1_split *s, struct view *in, struct p1_split_event *ev_r,
				   struct arena *a, struct err *e);

/* What was collected of the envelope, for a quarantine; good until the next call. */
struct view p1_split_envelope(const struct p1_split *s);

/* After ENVELOPE, when its message is dealt with: gives the memory of the envelope back. The message is good no more. */
void p1_split_forget(struct p1_split *s);

/* --- for people --- */

/* Appends an APDU (bare or in its EXTERNAL) in ASN.1 value notation or as one JSON value,
 * extensions and open types decoded; of a message's content only its length. What does not decode
 * is shown as raw TLVs; never fails. */
void p1_print(enum p1_tables tables, struct view apdu, enum ber_form form, unsigned indent, struct arena *a,
	      const struct ber_limits *limits, struct out *o);
