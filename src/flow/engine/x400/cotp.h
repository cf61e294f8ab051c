/* cotp.h - transport protocol class 0 (X.224) over TPKT (RFC 1006, RFC 2126), initiator or responder.
 * Pure: octets in, events and octets out. DT user data are passed on in parts as they come; nothing is
 * collected. Expedited data and every other class are refused. */
#pragma once
#include "base/err.h"
#include "base/out.h"

enum { COTP_TSEL_MAX = 32, COTP_SIZE_UNSTATED = 65531 };

enum cotp_reason { /* DR, X.224 13.5.3 */
	COTP_NOT_SPECIFIED = 0,
	COTP_CONGESTION = 1,
	COTP_NOT_ATTACHED = 2,
	COTP_ADDRESS_UNKNOWN = 3,
	COTP_NORMAL = 0x80,
	COTP_REMOTE_CONGESTION = 0x81,
	COTP_NEGOTIATION_FAILED = 0x82,
	COTP_PROTOCOL_ERROR = 0x85,
};

struct cotp_config {
	bool initiator;
	struct view calling, called; /* TSELs, at most COTP_TSEL_MAX; the initiator's CR, or the responder's CC */
	bool send_tsel;              /* false: no TSEL parameters (absent is not empty) */
	size_t tpdu_size;            /* 128 << n .. 8192, or 65531: none is stated; proposed, or accepted at most */
	uint16_t ref;                /* our reference; 0: 1 */
	bool rfc2126;                /* IPv6 peer: CC always states a size (RFC 2126 6.4) */
	size_t buf_max;              /* octets buffered inbound, 0: 65536 */
};

enum cotp_event_kind {
	COTP_CONNECT,    /* responder: CR has come; answer cotp_accept or cotp_refuse */
	COTP_CONNECTED,  /* initiator: CC has come */
	COTP_DATA,       /* a part of a TSDU; take it with cotp_take, or see it again */
	COTP_DISCONNECT, /* DR or ER: err says why */
};

struct cotp_event {
	enum cotp_event_kind kind;
	struct view calling, called;     /* CONNECT: as in CR; good as long as the cotp */
	bool has_calling, has_called;    /* absent is not empty */
	struct view bytes;               /* DATA: here and not taken; good until feed, space or rest */
	bool end;                        /* DATA: the TSDU ends with these bytes (which may be none) */
	unsigned reason;                 /* DISCONNECT by DR */
	struct err err;                  /* DISCONNECT */
};

struct cotp;

/* Copies the config. An initiator's CR is in the output at once. Never fails. */
struct cotp *cotp_new(const struct cotp_config *config);
void cotp_free(struct cotp **c);

/* As tpkt_feed, tpkt_space, tpkt_filled. After the end (CLOSED) everything is taken and forgotten. */
size_t cotp_feed(struct cotp *c, struct view src);
uint8_t *cotp_space(struct cotp *c, size_t want, size_t *n_r);
void cotp_filled(struct cotp *c, size_t n);

/* STEP_DONE: *ev_r. STEP_WAIT: more octets wanted. STEP_FAIL: protocol error; a DR is in the output where class 0 has
 * one (before CC); flush and close. Every later call fails too. */
MUST_CHECK enum step cotp_next(struct cotp *c, struct cotp_event *ev_r, struct err *e);

/* Takes the first n octets of the last DATA event, and with the last of them its end. */
void cotp_take(struct cotp *c, size_t n);

/* After CONNECT. cotp_accept queues CC; the TPDU size is agreed then. */
void cotp_accept(struct cotp *c);
void cotp_refuse(struct cotp *c, enum cotp_reason reason);

/* Sends octets of a TSDU, `n` views one after the other, as DT TPDUs of the agreed size; `end`: the TSDU ends here.
 * One copy, into the output. Ignored unless OPEN. */
void cotp_send(struct cotp *c, const struct view *v, size_t n, bool end);

/* Nothing more is sent or taken; what is in the output may still be flushed. */
void cotp_close(struct cotp *c);

/* Gives buffers back that hold nothing. Ends all views. */
void cotp_rest(struct cotp *c);

struct out *cotp_out(struct cotp *c);
bool cotp_is_open(const struct cotp *c);
bool cotp_is_closed(const struct cotp *c);
size_t cotp_tpdu_size(const struct cotp *c); /* agreed; proposed before */
size_t cotp_payload_max(const struct cotp *c); /* user data in one DT */
size_t cotp_buffer_size(const struct cotp *c); /* octets of memory held for buffers */
const char *cotp_state_name(const struct cotp *c);
const char *cotp_reason_name(unsigned reason);
/* Aborts with "asserted" if what the state says is not true. */
void cotp_check_state(const struct cotp *c);
