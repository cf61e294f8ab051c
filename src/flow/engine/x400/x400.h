/* x400.h - one X.400 P1 association as a pure machine: MTA bind over RTSE over ACSE over presentation over
 * session (session.h), in normal mode (X.419 10, X.228, X.227, X.226) or X.410 mode (RTSE in session user data, no ACSE).
 * Initiator or responder.
 * Octets and the time come in; octets, events and the next wake-up time go out.
 *
 * Transfers: one at a time in each direction of the turn (activities). Content flows in parts both ways,
 * with back-pressure: inbound by not calling x400_next, outbound by x400_transfer_room. */
#pragma once
#include "flow/engine/x400/session.h"

enum x400_bind_error { /* MTABindError, X.411 12.1.1.2 */
	X400_BUSY = 0, X400_AUTHENTICATION = 2, X400_DIALOGUE_MODE = 3, X400_SECURITY_CONTEXT = 4, X400_CONFIDENTIALITY = 5,
	X400_NO_BIND_ERROR = -1,
};

enum x400_mode { /* X.419 10: application contexts and applicationProtocol of RTORQ */
	X400_NORMAL,   /* mts-transfer, 2.6.0.1.6 */
	X400_X410_88,  /* mts-transfer-protocol: X.410 mode, applicationProtocol 12 */
	X400_X410_84,  /* mts-transfer-protocol-1984: X.410 mode, applicationProtocol 1; what is transferred is an MPDU of 1984 */
	X400_MODE_COUNT,
};
const char *x400_mode_name(enum x400_mode mode); /* "1988-normal", "1988-x410", "1984": the words of the setting */

enum x400_password_form { X400_PASSWORD_IA5, X400_PASSWORD_OCTETS };

struct x400_credentials {
	bool present;             /* false: NULL bind, unauthenticated */
	struct view mta_name;
	bool has_password;
	struct view password;
	enum x400_password_form form;
};

/* SessionConnectionIdentifier (X.228 9): what one association is called by another that takes its place. The whole TLVs
 * as in session_config; additional may be empty. */
struct x400_reference {
	struct view user, common, additional;
};

/* Where a transfer goes on that was broken off (X.228 8.8; S-ACTIVITY-RESUME, X.225 7.30). */
struct x400_resume {
	struct x400_reference reference; /* of the association it began on; empty: this one */
	uint64_t activity;               /* its identifier there */
	uint32_t serial;                 /* of the last checkpoint that was confirmed */
	uint64_t offset;                 /* RTTR octets before that checkpoint */
};

struct x400_config {
	struct session_config session;
	enum x400_mode mode;           /* initiator */
	unsigned modes;                /* responder: those taken, bits 1 << mode; 0: all. Which one it is, is recognised from the CN */
	bool recover;                  /* initiator: RTORQ asks to recover `recovers`; no bind argument is sent */
	struct x400_reference recovers;
	struct view calling_psel, called_psel;
	bool send_psel;
	/* Responder: the called T-selectors that are ours (TP-10: any other is refused with DR "address unknown").
	 * An entry with p NULL stands for an absent selector. None: every called selector is taken. */
	const struct view *own_tsels;
	size_t n_own_tsels;
	struct x400_credentials own;   /* initiator: bind argument; responder: bind result */
	unsigned checkpoint_size;      /* in units of 1024 octets, 0: no checkpoints; proposed, or the most we agree to */
	unsigned window;               /* minor syncs unconfirmed; proposed, or the most we agree to */
	bool two_way_alternate;        /* dialogue mode */
	bool resumes;                  /* transfers of ours that break off will be resumed: the peer is asked to keep what it has */
	size_t apdu_max;               /* longest transfer taken (RTTR octets), 0: no limit */
	/* Timers, in ms; each wait has one (DESIGN rule 3). */
	uint32_t connect_timeout_ms;   /* TCP open to CC, and CC to AC */
	uint32_t response_timeout_ms;  /* any answer of the peer that is due: AEA, MIA, DN, RLRE, AIA, ADA */
	uint32_t receive_timeout_ms;   /* inside a transfer: between two octets from the peer */
	uint32_t idle_timeout_ms;      /* responder: between activities; 0: none (initiator's user decides itself) */
	uint32_t abort_timeout_ms;     /* TIM: from an abort to closing TCP regardless */
	uint32_t turn_timeout_ms;      /* two-way alternate: without a transfer going on, from asking for the turn to having it, also
	                                * when the peer asks for a turn that is not here; then the association ends. 0: never */
};

enum x400_event_kind {
	X400_BIND,            /* responder: who calls; answer x400_bind_accept or x400_bind_refuse */
	X400_BOUND,           /* initiator: peer accepted; its credentials in the event: check them, abort if unwanted */
	X400_BIND_REFUSED,    /* initiator: bind_error and err (text says which layer refused and why) */
	X400_TRANSFER_BEGIN,  /* inbound activity: `activity` */
	X400_TRANSFER_RESUME, /* inbound activity that goes on: `resume`; answer x400_resume_accept or x400_resume_refuse */
	X400_TRANSFER_DATA,   /* RTTR octets (concatenated over checkpoints): bytes */
	X400_TRANSFER_CHECKPOINT, /* inbound: confirm with x400_checkpoint_confirm(serial) once the octets before it are safe */
	X400_TRANSFER_END,    /* inbound: complete; answer x400_transfer_accept when durable, or _refuse */
	X400_TRANSFER_CONFIRMED, /* outbound: the peer has taken responsibility */
	X400_TRANSFER_SYNCED, /* outbound: the peer has confirmed a checkpoint: `resume` says where the transfer can go on */
	X400_TRANSFER_FAILED, /* outbound: discarded or interrupted (x400_resumable); association still usable; err (TEMP) */
	X400_TRANSFER_ABORTED,/* inbound: peer discarded; forget the octets */
	X400_TRANSFER_INTERRUPTED, /* inbound: peer interrupted; what was confirmed may be resumed */
	X400_TURN_PLEASE, X400_TURN_GIVEN,
	X400_UNBOUND,         /* released in order, by either side; flush, close */
	X400_ENDED,           /* aborted by the peer, by a layer, by a timer; err says which and why; flush, close */
};

const char *x400_event_name(enum x400_event_kind kind);

struct x400_event {
	enum x400_event_kind kind;
	struct x400_credentials peer;          /* BIND, BOUND; views as below */
	struct view calling_tsel, called_tsel; /* BIND */
	enum x400_mode mode;                   /* BIND, BOUND */
	bool recover;                          /* BIND: RTORQ asks to recover an old association: `resume.reference` says which; no credentials */
	bool recovered;                        /* BOUND: the peer has the old association's state */
	struct x400_resume resume;             /* BIND (reference), TRANSFER_RESUME, TRANSFER_SYNCED */
	uint64_t activity;                     /* TRANSFER_BEGIN; 0: what it has for an identifier is no INTEGER, nobody can resume it */
	bool peer_two_way_alternate;
	unsigned checkpoint_size, window;      /* BIND: proposed; BOUND: agreed */
	enum x400_bind_error bind_error;
	struct view bytes;                     /* TRANSFER_DATA; good until the next call */
	uint32_t serial;                       /* TRANSFER_CHECKPOINT */
	unsigned priority;                     /* TURN_PLEASE: 0 to leave, 1 urgent, 2 normal, 3 non-urgent (X.419 13.1.3) */
	bool turn_lost;                        /* ENDED: by turn_timeout_ms */
	struct err err;
};

struct x400;

struct x400 *x400_new(const struct x400_config *c, int64_t now_ms);
void x400_free(struct x400 **x);

/* Octets from the transport connection; returns how many were taken (0: call x400_next until it says WAIT). */
size_t x400_feed(struct x400 *x, struct view src, int64_t now_ms);

/* The transport connection has ended (end of file or error); events that follow are in x400_next: X400_ENDED unless
 * it was over. */
void x400_transport_closed(struct x400 *x, const struct err *why);

/* STEP_DONE: *ev_r. STEP_WAIT: nothing more until octets or time come. STEP_FAIL does not happen after X400_ENDED: errors
 * arrive as X400_ENDED, once, with an abort in the output where the standard allows one. */
MUST_CHECK enum step x400_next(struct x400 *x, struct x400_event *ev_r, int64_t now_ms);

/* Octets to send. */
struct out *x400_out(struct x400 *x);

/* When x400_tick wants to be called next; INT64_MAX: never. */
int64_t x400_deadline(const struct x400 *x);
/* Lets timers act; the events are then in x400_next. */
void x400_tick(struct x400 *x, int64_t now_ms);

/* --- bind --- */
MUST_CHECK bool x400_bind_accept(struct x400 *x, const struct x400_credentials *own, struct err *e);
/* To X400_BIND with recover: the old association's state is here; own credentials are not sent. */
MUST_CHECK bool x400_bind_recover(struct x400 *x, struct err *e);
MUST_CHECK bool x400_bind_refuse(struct x400 *x, enum x400_bind_error why, struct err *e);
/* Because of x400_mode: application-context-name-not-supported in normal mode, validationFailure in X.410 mode. */
MUST_CHECK bool x400_bind_refuse_mode(struct x400 *x, struct err *e);

/* --- outbound transfer. total: RTTR octets that will follow, known before (our encodings are definite). --- */
bool x400_can_transfer(const struct x400 *x);  /* bound, has the turn, no activity open */
MUST_CHECK bool x400_transfer_begin(struct x400 *x, uint64_t total, int64_t now_ms, struct err *e);
/* The same for one that was broken off: octets from r->offset on follow. With the reference empty: interrupted on this association. */
MUST_CHECK bool x400_transfer_resume(struct x400 *x, const struct x400_resume *r, uint64_t total, int64_t now_ms, struct err *e);
size_t x400_transfer_room(const struct x400 *x); /* octets wanted now: 0 when the output is full or the window is closed */
void x400_transfer_data(struct x400 *x, struct view part, int64_t now_ms); /* at most room octets; the last one ends the activity */
/* Broken off, to be resumed (S-ACTIVITY-INTERRUPT), or given up when no checkpoint was confirmed: X400_TRANSFER_FAILED follows. */
void x400_transfer_interrupt(struct x400 *x);
/* The outbound transfer under way, or the last one when it was broken off: from where it could be resumed. False: there is
 * none, no checkpoint was confirmed, or the way it ended forbids it (it was given up; the peer does not know it, or objects
 * to it). To be asked on X400_TRANSFER_FAILED, X400_ENDED and after x400_abort; views in *r are good as long as x. */
bool x400_resumable(const struct x400 *x, struct x400_resume *r);
void x400_transfer_discard(struct x400 *x); /* gives the outbound transfer up: X400_TRANSFER_FAILED follows */

/* Presentation context identifier agreed for the message transfer syntax (2.6.0.2.7): the indirect-reference of the
 * EXTERNAL in the transferred octets, theirs and ours. An initiator proposes 5; a responder uses what it was offered.
 * 0 until bound, when the peer offered none, and in X.410 mode, where the APDU stands there without an EXTERNAL. */
unsigned x400_transfer_context(const struct x400 *x);

/* Agreed, in units of 1024 octets; 0: there are no checkpoints. */
unsigned x400_checkpoint_size(const struct x400 *x);

enum x400_mode x400_mode(const struct x400 *x); /* once bound, or from X400_BIND on */
/* What this association is called by a later one that recovers it; good as long as x. */
struct x400_reference x400_reference(const struct x400 *x);

/* --- inbound transfer --- */
/* Octets after the checkpoint resume.serial follow as X400_TRANSFER_DATA; apdu_max counts from there. Until then nothing is
 * taken from the peer. */
MUST_CHECK bool x400_resume_accept(struct x400 *x, struct err *e);
/* Nothing is kept of it: the association is aborted as X.228 has it (RTAB unrecognizedActivity), the peer starts anew on
 * another one. X400_ENDED follows. */
MUST_CHECK bool x400_resume_refuse(struct x400 *x, int64_t now_ms, struct err *e);
void x400_checkpoint_confirm(struct x400 *x, uint32_t serial);
MUST_CHECK bool x400_transfer_accept(struct x400 *x, struct err *e);
/* temporary: S-U-EXCEPTION-REPORT, the peer tries again. X.400 has no permanent refusal (DESIGN 6). */
MUST_CHECK bool x400_transfer_refuse(struct x400 *x, struct err *e);

/* --- turn (two-way alternate) --- */
/* Without the turn, with or without a transfer of the peer going on; again with another priority (0 is the highest). Answered by
 * X400_TURN_GIVEN, or by X400_ENDED after turn_timeout_ms in which nothing moved. */
MUST_CHECK bool x400_turn_please(struct x400 *x, unsigned priority, int64_t now_ms, struct err *e);
/* With the turn, between transfers. */
MUST_CHECK bool x400_turn_give(struct x400 *x, struct err *e);
bool x400_has_turn(const struct x400 *x);

/* --- end --- */
MUST_CHECK bool x400_unbind(struct x400 *x, int64_t now_ms, struct err *e); /* initiator, no activity open: X400_UNBOUND follows */
/* Aborts now (RTAB, ABRT, ARU, AB); the user may free x once the output is flushed or abort_timeout_ms has passed. */
void x400_abort(struct x400 *x, const struct err *why, int64_t now_ms);

/* Flush the output, then close TCP. After a release or a refusal a responder leaves closing to the peer for
 * abort_timeout_ms (X.225 7.5, 7.7): false until then. */
bool x400_wants_close(const struct x400 *x);
const char *x400_state_name(const struct x400 *x);
