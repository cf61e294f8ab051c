/* decode_stack.h - what one connection carries, from TPKT up to the message: both directions apart, without the state
 * machines, so that a broken capture still shows. Private to decode.
 *
 *   decode_stack.c    octets -> TPKT -> COTP -> TSDU
 *   decode_session.c  TSDU -> SPDUs -> user data
 *   decode_upper.c    presentation, ACSE, RTSE, MTA bind -> RTTR octets
 *   decode_transfer.c the RTTR octets of a transfer, over checkpoints, and over connections when it is resumed
 *   decode_message.c  these octets -> P1 -> content; values of a file of octets */
#pragma once
#include "flow/codec/p1/p1.h"
#include "flow/engine/x400/session_private.h"
#include "proc/tool/decode_show.h"

enum { DECODE_CONTEXTS_MAX = 32 };

enum { DECODE_ACTIVITY_MAX = 6, DECODE_STASHED_MAX = 8 };

/* A minor synchronization point: its serial number, and how many octets and pieces of the transfer stand before it. */
struct decode_mark {
	uint32_t serial;
	size_t offset, pieces;
};

/* What one transfer (an activity) has brought so far. */
struct decode_transfer {
	uint8_t id[DECODE_ACTIVITY_MAX]; /* activity identifier */
	size_t id_n;
	struct decode_mark *marks;
	size_t n_marks, marks_cap;
	bool open;
	bool headless;       /* its ACTIVITY START is not in the file */
	bool resumed;        /* ACTIVITY RESUME ... */
	bool joined;         /* ... and the octets before its checkpoint were kept: they are in `octets` */
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

/* Transfers that broke off, kept for an ACTIVITY RESUME in the same or a later connection; the newest last. */
struct decode_stash {
	struct decode_transfer v[DECODE_STASHED_MAX];
	size_t n;
};

struct decode_context {
	int64_t id;
	uint8_t abstract[16]; /* object identifier, content octets; longer ones are cut */
	size_t n;
};

struct decode_stack {
	struct show *show;
	struct decode_stash *stash; /* borrowed */
	struct show_at at;
	size_t tsdu_max, transfer_max;
	struct arena *arena;  /* of the APDU in work */
	struct arena *print;  /* of what the printers need */
	enum p1_tables tables; /* of what is transferred, as the bind says */
	bool x410;            /* the connection is of X.410 mode: no presentation, no RTTR around the octets */
	bool other_application; /* the application context is not that of message transfer */
	struct decode_context contexts[DECODE_CONTEXTS_MAX];
	size_t n_contexts;
	struct decode_side side[2]; /* initiator, responder */
};

/* at: time, connection and side of the first event; time_ns and responder follow what comes. */
void decode_stack_init(struct decode_stack *d, struct show *show, const struct decode_options *options,
		       const struct show_at *at, struct decode_stash *stash);
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

/* --- decode_transfer.c --- */

void decode_transfer_begin(struct decode_transfer *t, struct view id);
void decode_transfer_octets(struct decode_transfer *t, struct view v);
void decode_transfer_mark(struct decode_transfer *t, uint32_t serial);
/* ACTIVITY RESUME of activity old_id after `serial`: goes on from what the stash has of it, if it has that checkpoint. */
void decode_transfer_resume(struct decode_transfer *t, struct decode_stash *stash, struct view id, struct view old_id,
			    uint32_t serial);
/* Forgets it, or keeps it in the stash. */
void decode_transfer_close(struct decode_transfer *t, struct decode_stash *stash, bool keep);
void decode_transfer_fini(struct decode_transfer *t);
void decode_stash_fini(struct decode_stash *stash);

/* --- decode_message.c --- */

enum decode_how { DECODE_ENDED, DECODE_INTERRUPTED, DECODE_DISCARDED, DECODE_ABORTED, DECODE_REPLACED, DECODE_UNENDED };

/* Shows what the transfer has brought, as one event of its own, and forgets it. */
void decode_transfer_end(struct decode_stack *d, bool responder, enum decode_how how);

/* A file of BER values, or of anything. */
void decode_values(struct decode_stack *d, struct view v);
