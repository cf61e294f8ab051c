/* session.h - session layer of X.225 over COTP class 0 over TPKT (RFC 1006), for the functional
 * units that RTSE needs: kernel, half-duplex, minor synchronize, activity management, exceptions.
 * One machine for a transport connection, initiator or responder. Pure: octets and the time come in,
 * octets and events go out; no socket, clock or log.
 *
 * Pull model: session_feed copies in what fits; session_next gives one event at a time and may be
 * stopped by its user at any moment, which is the back-pressure: a full buffer makes feed take 0.
 * A full buffer never makes next answer STEP_WAIT.
 * Views in an event are good until the next call of session_next or session_feed. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

enum session_side { SESSION_INITIATOR, SESSION_RESPONDER };

enum { SESSION_SELECTOR_MAX = 32, SESSION_ACTIVITY_MAX = 6, SESSION_REF_MAX = 64 };

struct session_config {
	enum session_side side;
	/* Transport: in the initiator's CR, or in the responder's CC. */
	struct view calling_tsel, called_tsel;
	bool send_tsel;          /* false: parameter absent (absent is not empty) */
	size_t tpdu_size;        /* what we propose or accept at most: 128 << n .. 8192, or 65531 = state none as initiator */
	uint16_t local_ref;      /* our transport reference; 0: 1 */
	bool rfc2126;            /* IPv6 peer: CC always states a TPDU size */
	size_t buf_max;          /* octets buffered inbound, 0: 65536; only what is fed costs memory, and idle costs none */
	/* Session. */
	struct view calling_ssel, called_ssel;
	bool send_ssel;          /* responder: the called one is in AC (PI 52) */
	unsigned versions;       /* bit 0: version 1, bit 1: version 2; offered or accepted */
	uint16_t tsdu_max_in, tsdu_max_out; /* TSDU maximum size offered, or accepted at most (PI 21), 0: none */
	struct view user_ref, common_ref, additional_ref; /* SS-user reference etc. as BER TLVs; empty: absent
	                                                   * (initiator), or the peer's echoed (responder) */
	/* Limits, enforced before memory is spent. */
	size_t collect_max;      /* longest SPDU that is collected whole (CN, AC, AB ... user data) */
	size_t tsdu_in_max;      /* longest DATA SSDU passed up in parts, 0: no limit */
	size_t out_max;          /* most octets waiting to be sent; begin/bytes take no more above it */
};

/* Linking information of ACTIVITY RESUME (8.3.30): which activity goes on, and after which sync point. */
struct session_link {
	struct view old_activity;
	uint32_t serial;         /* 0: from the beginning */
	/* Of the session it was interrupted on, as its CONNECT said them; all empty: this one. */
	struct view user_ref, common_ref, additional_ref;
};

enum session_event_kind {
	SESSION_T_CONNECT,   /* responder: CR has come (selectors in the event); answer session_t_accept or _refuse */
	SESSION_T_CONNECTED, /* initiator: CC has come; CN has been sent if session_connect was called before */
	SESSION_CONNECT,     /* responder: S-CONNECT indication with user data; answer session_accept or _refuse */
	SESSION_ACCEPTED,    /* initiator: S-CONNECT confirm + */
	SESSION_REFUSED,     /* initiator: S-CONNECT confirm - ; reason, user data; nothing follows but close */
	SESSION_DATA,        /* part of a DATA SSDU (normal data): bytes, last */
	SESSION_ACTIVITY_START, SESSION_ACTIVITY_RESUME,
	SESSION_ACTIVITY_END, SESSION_ACTIVITY_END_CONFIRM,
	SESSION_ACTIVITY_INTERRUPT, SESSION_ACTIVITY_INTERRUPT_CONFIRM,
	SESSION_ACTIVITY_DISCARD, SESSION_ACTIVITY_DISCARD_CONFIRM,
	SESSION_MINOR_SYNC,  /* serial, explicit_ack */
	SESSION_MINOR_SYNC_CONFIRM,
	SESSION_EXCEPTION,   /* S-U-EXCEPTION-REPORT (ED) or S-P-EXCEPTION-REPORT (ER): reason */
	SESSION_TOKENS_PLEASE, SESSION_TOKENS_GIVE, /* PT with tokens, user data; GT with tokens */
	SESSION_CONTROL_GIVE,         /* GTC: GTA has been sent */
	SESSION_RELEASE,     /* S-RELEASE indication; answer session_release_response */
	SESSION_RELEASED,    /* S-RELEASE confirm */
	SESSION_U_ABORT,     /* peer's user aborted: user data */
	SESSION_P_ABORT,     /* peer's provider aborted or the transport was refused or lost: err says why */
};

const char *session_event_name(enum session_event_kind kind);

struct session_event {
	enum session_event_kind kind;
	struct view bytes;    /* user data (whole), or the part of DATA */
	bool last;            /* DATA: the SSDU ends here (a last part may be empty) */
	struct view calling_tsel, called_tsel, calling_ssel, called_ssel; /* T_CONNECT, CONNECT */
	bool has_calling_tsel, has_called_tsel;
	unsigned versions;    /* CONNECT: offered and supported; ACCEPTED: the one in use */
	struct view activity; /* START, RESUME: activity identifier octets (PI 41), as sent */
	struct session_link from; /* RESUME */
	bool late;            /* INTERRUPT, DISCARD: of an activity whose end has been confirmed, the two crossed */
	bool provider;        /* EXCEPTION: reported by the peer's provider (ER) */
	uint32_t serial;      /* sync point serial number */
	bool explicit_ack;    /* MINOR_SYNC: the peer expects a confirmation */
	unsigned reason;      /* REFUSED, EXCEPTION, INTERRUPT, DISCARD: the reason octet */
	unsigned tokens;      /* PLEASE, GIVE: token item octet */
	struct view user_ref, common_ref; /* CONNECT, ACCEPTED */
	struct err err;       /* P_ABORT, REFUSED */
};

struct session;

/* Copies what it needs of the config. Never fails. An initiator's CR is in the output at once. */
struct session *session_new(const struct session_config *c);
void session_free(struct session **s);

/* Takes as much of src as fits; returns how much. After the end everything is taken and forgotten. */
size_t session_feed(struct session *s, struct view src);

/* The same without a copy: room for a socket to read into (*n_r octets, about `want`; NULL and 0 when full), and how many
 * came. Ends views like feed. */
uint8_t *session_space(struct session *s, size_t want, size_t *n_r);
void session_filled(struct session *s, size_t n);

/* STEP_DONE: *ev_r. STEP_WAIT: more octets wanted. STEP_FAIL: protocol error by the peer, or a limit of ours passed: an
 * ABORT SPDU (or a REFUSE, or a DR before the transport is open) is in the output where the standard allows one; flush it
 * and close; every later call fails too. After the association is over (RELEASED, REFUSED, aborts): STEP_WAIT. */
MUST_CHECK enum step session_next(struct session *s, struct session_event *ev_r, struct err *e);

/* Octets to send; the user drops from the front what the socket took (out_drop). */
struct out *session_out(struct session *s);

/* --- responder, after T_CONNECT --- */
void session_t_accept(struct session *s);
void session_t_refuse(struct session *s, unsigned reason); /* DR; X.224 13.5: 3 address unknown, 1 congestion, 0x80 normal */

/* --- requests and responses. Each queues its SPDU(s); false with ERR_LOCAL when the state does not allow it (our bug is
 * the caller's to avoid; state may also have changed by the peer's abort). User data are copied. --- */
MUST_CHECK bool session_connect(struct session *s, struct view user_data, struct err *e);
MUST_CHECK bool session_accept(struct session *s, struct view user_data, struct err *e);
MUST_CHECK bool session_refuse(struct session *s, unsigned reason, struct view user_data, struct err *e);
MUST_CHECK bool session_activity_start(struct session *s, struct view id, struct err *e);
MUST_CHECK bool session_activity_resume(struct session *s, struct view id, const struct session_link *from, struct err *e);
MUST_CHECK bool session_activity_end(struct session *s, struct err *e);
MUST_CHECK bool session_activity_end_response(struct session *s, struct err *e);
MUST_CHECK bool session_activity_interrupt(struct session *s, unsigned reason, struct err *e);
MUST_CHECK bool session_activity_interrupt_response(struct session *s, struct err *e);
MUST_CHECK bool session_activity_discard(struct session *s, unsigned reason, struct err *e);
MUST_CHECK bool session_activity_discard_response(struct session *s, struct err *e);
MUST_CHECK bool session_minor_sync(struct session *s, uint32_t *serial_r, struct err *e); /* explicit confirmation asked */
MUST_CHECK bool session_minor_sync_response(struct session *s, uint32_t serial, struct err *e);
MUST_CHECK bool session_exception_report(struct session *s, unsigned reason, struct err *e); /* S-U-EXCEPTION-REPORT */
MUST_CHECK bool session_tokens_please(struct session *s, struct view user_data, struct err *e);
MUST_CHECK bool session_control_give(struct session *s, struct err *e);
MUST_CHECK bool session_release(struct session *s, struct view user_data, struct err *e);
MUST_CHECK bool session_release_response(struct session *s, struct view user_data, struct err *e);
void session_u_abort(struct session *s, struct view user_data); /* allowed in every state; queues AB, or DR/close only */
/* Interrupt, discard and u_abort may come while a DATA SSDU of ours is open: it is closed where it stands.
 * An exception report of the peer stops it too: what session_data_bytes is given from then on is ignored. */

/* After RELEASED, REFUSED or an abort was flushed: what the transport sends before TCP is closed (a DR if CR is
 * unanswered; class 0 has none later). */
void session_t_disconnect(struct session *s);

/* --- a DATA SSDU in parts: begin, bytes..., end. Segmented into TPDUs (and TSDUs with enclosure items where a TSDU maximum
 * size was agreed) as the octets come. session_data_room: octets `bytes` takes now without passing out_max. --- */
MUST_CHECK bool session_data_begin(struct session *s, struct err *e);
size_t session_data_room(const struct session *s);
void session_data_bytes(struct session *s, struct view part); /* part.n may exceed room: the limit is the caller's courtesy */
void session_data_end(struct session *s);

/* --- facts --- */
/* What CONNECT said this session is called: SS-user reference, common reference, additional; empty where it said none. */
void session_references(const struct session *s, struct view refs_r[3]);
bool session_is_open(const struct session *s);       /* S-CONNECT is complete, nothing has ended it */
/* Flush the output, then close TCP. A responder that has answered FINISH leaves closing to the peer (X.225 7.7) unless
 * FINISH had no PI 17: false then; bound that wait with a timer. */
bool session_wants_close(const struct session *s);
bool session_has_turn(const struct session *s);      /* we hold the data, minor and major/activity tokens */
unsigned session_version(const struct session *s);
size_t session_tpdu_size(const struct session *s);   /* agreed */
size_t session_tsdu_max_out(const struct session *s); /* agreed: our SSDUs are segmented above it; 0: unlimited */
size_t session_buffer_size(const struct session *s); /* octets of memory held for buffers now */
const char *session_state_name(const struct session *s);
/* Aborts with "asserted" if the invariant of the current state does not hold. */
void session_check_state(const struct session *s);
