/* p1_84.h - X.411 (1984): its tables over the C forms of 1988, and what in an envelope is written otherwise; private to this
 * folder. */
#pragma once
#include "flow/codec/p1/p1.h"
#include "flow/codec/p1/p1_asn1.h"

enum { P1_84_EITS_BITS, P1_84_EITS_G3, P1_84_EITS_TELETEX };
extern const struct ber_type p1_84_eits, p1_84_envelope;

/* Differs from that of 1988: no private domain. */
struct p1_84_bilateral {
	struct ber_seq seq;
	struct p1_words country, admd;
	struct view information;
};

/* InternalTraceInfo of MOTIS (1986): [APPLICATION 30] in an envelope, elements without a domain. */
#define P1_84_TAG_MOTIS BER_A(30)
enum { P1_84_MOTIS_OCTET = 0x7e /* its identifier octet */ };
struct p1_84_motis_supplied {
	struct ber_seq seq;
	struct view arrival, deferred;
	int64_t action;
	struct p1_words previous;
};
enum { P1_84_MOTIS_ARRIVAL, P1_84_MOTIS_DEFERRED, P1_84_MOTIS_ACTION, P1_84_MOTIS_PREVIOUS };
struct p1_84_motis_element {
	struct ber_seq seq;
	struct p1_words mta;
	struct p1_84_motis_supplied supplied;
};
extern const struct ber_type p1_84_motis_trace;

/* EncodedInformationTypes as 1984 has them: object identifiers 2.6.3.4.n become their bits, others the bit `undefined`
 * (X.419 annex B). Empty: it cannot be read, or the arena is full. */
struct view p1_84_eits_of(struct view tlv, struct arena *a);

/* The header that put_external writes: EXTERNAL { direct-reference, octet-aligned [1] } whose octets fill all of `n`. */
enum { P1_84_EXTERNAL_MAX = 96 }; /* its longest */
struct p1_84_external {
	struct view oid;
	size_t header; /* octets before the content within */
};
/* STEP_WAIT: head is too short to tell. STEP_FAIL: it is none. */
MUST_CHECK enum step p1_84_external(struct view head, uint64_t n, struct p1_84_external *x_r);

/* Is the content type in this envelope's SET external (1)? */
bool p1_84_is_external(struct view envelope);

/* Has this PerDomainBilateralInformation an administration domain, as that of 1984 must? */
bool p1_84_has_bilateral(struct view tlv);

/* The TLV of MOTIS' internal trace, in the arena; empty when the arena is full. And back: elements in the arena, all of them
 * in `domain`; false: it cannot be read. */
struct view p1_84_motis_of(const struct trace *trace, struct arena *a);
MUST_CHECK bool p1_84_motis_to(struct view tlv, const struct gdi *domain, struct trace *trace_r, struct arena *a);
