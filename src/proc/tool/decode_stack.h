/* decode_stack.h - what one connection carries, from TPKT up to the message: both directions apart, without the state
 * machines, so that a broken capture still shows. Private to decode.
 *
 *   decode_stack.c    octets -> TPKT -> COTP -> TSDU
 *   decode_session.c  TSDU -> SPDUs -> user data
 *   decode_upper.c    presentation, ACSE, RTSE, MTA bind -> RTTR octets
 *   decode_message.c  the RTTR octets of a transfer -> P1 -> content; values of a file of octets */
#pragma once
#include "flow/engine/x400/session_private.h"
#include "proc/tool/decode_show.h"

enum { DECODE_CONTEXTS_MAX = 32 };

/* What one transfer (an activity) has brought so far. */
struct decode_transfer {
	bool open;
	bool headless;       /* its ACTIVITY START is not in the file */
	bool resumed;        /* ACTIVITY RESUME: the octets before are elsewhere */
	bool gap;            /* octets are missing in it */
	struct out octets;
	uint64_t total;      /* octets that came; more than `octets` has when over the limit */
	size_t pieces, checkpoints;
};

/* One direction. */
struct decode_side {
	struct out stream;   /* octets not yet a whole TPKT packet */
	bool searching;      /* out of step: octets are skipped up to what looks like a packet */
	size_t skipped;
	struct out tsdu;     /* of the DTs so far, up to the limit */
	uint64_t tsdu_octets;
	size_t tpdus, framed; /* DTs of it; octets of their TPKT packets */
	struct out ssdu;     /* user data of a segmented SPDU (X.225 8.3.11.3, enclosure item) */
	bool ssdu_open;
	enum spdu_kind ssdu_kind;
	struct decode_transfer transfer;
};

struct decode_context {
	int64_t id;
	uint8_t abstract[16]; /* object identifier, content octets; longer ones are cut */
	size_t n;
};

struct decode_stack {
	struct show *show;
	struct show_at at;
	size_t tsdu_max, transfer_max;
	struct arena *arena;  /* of the APDU in work */
	struct arena *print;  /* of what the printers need */
	bool x410;            /* the connection is of X.410 mode: no presentation, no RTTR around the octets */
	bool other_application; /* the application context is not that of message transfer */
	struct decode_context contexts[DECODE_CONTEXTS_MAX];
	size_t n_contexts;
	struct decode_side side[2]; /* initiator, responder */
};

/* at: time, connection and side of the first event; time_ns and responder follow what comes. */
void decode_stack_init(struct decode_stack *d, struct show *show, const struct decode_options *options,
		       const struct show_at *at);
void decode_stack_fini(struct decode_stack *d);

/* The next octets of one side. */
void decode_octets(struct decode_stack *d, bool responder, struct view v);
/* Octets are missing here: what is half done is shown as it is, then a new packet is looked for. */
void decode_gap(struct decode_stack *d, bool responder);
/* No more comes: the same for both sides, and transfers that have not ended. */
void decode_end(struct decode_stack *d);

/* Could these octets be the beginning of a TPKT packet with a COTP TPDU in it? */
bool decode_is_tpkt(struct view v);

/* --- decode_session.c --- */

/* Could this be a TSDU of session: its first SPDU is well formed, and what follows one that leads is there? */
bool decode_is_tsdu(struct view v);

/* One TSDU of a side, as one event. `cut`: its end is missing. */
void decode_tsdu(struct decode_stack *d, bool responder, struct view v, bool cut);

/* --- decode_upper.c --- */

/* User data of an SPDU, shown in the event in work. */
void decode_user_data(struct decode_stack *d, struct decode_side *side, enum spdu_kind kind, struct view v);

/* Could it be one of these? Shows it when it is. */
bool decode_try_apdu(struct decode_stack *d, struct view tlv);

struct ber_limits decode_limits(size_t bytes);

/* "id-as-mtse"; NULL when it has no name here. */
const char *decode_oid_name(struct view oid);

/* --- decode_message.c --- */

void decode_transfer_begin(struct decode_transfer *t);
void decode_transfer_octets(struct decode_transfer *t, struct view v);
enum decode_how { DECODE_ENDED, DECODE_INTERRUPTED, DECODE_DISCARDED, DECODE_ABORTED, DECODE_REPLACED, DECODE_UNENDED };

/* Shows what the transfer has brought, as one event of its own, and forgets it. */
void decode_transfer_end(struct decode_stack *d, bool responder, enum decode_how how);

/* A file of BER values, or of anything. */
void decode_values(struct decode_stack *d, struct view v);
