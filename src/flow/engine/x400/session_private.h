/* session_private.h - what the files of the session machine share: session.c (life, pull loop), session_tsdu.c
 * (TSDUs in), spdu_parse.c (octets to struct spdu), session_fsm.c (table, actions), session_send.c (SPDUs and data out). */
#pragma once
#include "flow/engine/x400/cotp.h"
#include "flow/engine/x400/session.h"

enum spdu_lead { LEAD_NONE = 0, LEAD_GT = 1, LEAD_PT = 2 };

enum spdu_kind {
#define SPDU(name, si, category, lead, needs, title, clause) SPDU_##name,
#include "flow/engine/x400/spdu_table.h"
	SPDU_KINDS
};

enum spdu_param {
#define SPDU_PARAM(name, code, linking, min, max, title) PARAM_##name,
#include "flow/engine/x400/spdu_table.h"
	PARAM_COUNT
};

#define SPDU_BIT(name) (1u << PARAM_##name)

enum { /* token item, 8.3.15; the release token is never available to us */
	TOKEN_DATA = 0x01,
	TOKEN_MINOR = 0x04,
	TOKEN_MAJOR = 0x10,
	TOKENS_ALL = TOKEN_DATA | TOKEN_MINOR | TOKEN_MAJOR,
};

enum {
	UNITS_WANTED = 0x0249,    /* half-duplex, minor synchronize, activity management, exceptions */
	UNITS_DEFAULT = 0x0349,   /* CN without PI 20, 8.3.1.16 */
	VERSION_1 = 0x01,
	VERSION_2 = 0x02,
	SERIAL_MAX = 999999,
	CN_DATA_MAX = 512,        /* PGI 193 in CN, and all user data in version 1 */
	CN_EXTENDED_MAX = 10240,  /* PGI 194 in CN */
	AB_DATA_MAX_1 = 9,        /* ABORT in version 1 */
	REFLECT_MAX = 9,
	SPDU_DATA_MAX = 65000,    /* LI counts to 65535 */
	ENCLOSURE_BEGIN = 0x01,
	ENCLOSURE_END = 0x02,
	TSDU_MAX_LEAST = 64,      /* we do not segment into less */
};

enum abort_bits { /* PI 17, 8.3.9 */
	ABORT_RELEASED = 0x01,
	ABORT_USER = 0x02,
	ABORT_PROTOCOL = 0x04,
	ABORT_NO_REASON = 0x08,
	ABORT_RESTRICTION = 0x10,
};

enum refuse_reason { /* PI 50 of REFUSE, 8.3.5 */
	REFUSE_USER_DATA = 2,
	REFUSE_VERSION = 128 + 4,
	REFUSE_NOT_SPECIFIED = 128 + 5,
	REFUSE_RESTRICTION = 128 + 6,
};

struct spdu {
	enum spdu_kind kind;
	uint32_t has; /* SPDU_BIT(...) */
	struct view param[PARAM_COUNT];
	struct view raw;  /* all its octets */
	struct view user; /* user data, or the user information field of DT */
};

/* The row of the table: name for people. */
const char *spdu_title(enum spdu_kind kind);

/* Reads one SPDU that stands after `lead` at the front of v. False: *e names it. raw.n tells how long it is (DT: all of v). */
MUST_CHECK bool spdu_parse(struct view v, enum spdu_lead lead, struct spdu *s_r, struct err *e);

bool spdu_has(const struct spdu *s, enum spdu_param p);
/* A one-octet or two-octet parameter, `absent` without it. */
unsigned spdu_uint(const struct spdu *s, enum spdu_param p, unsigned absent);
/* A serial number: 1 to 6 decimal digits. */
MUST_CHECK bool spdu_serial(const struct spdu *s, enum spdu_param p, uint32_t *serial_r, struct err *e);

enum spdu_head { HEAD_MORE, HEAD_DATA, HEAD_OTHER };

struct data_head {
	size_t n;           /* octets of GT and DT before the user information */
	unsigned tokens;    /* in GT */
	unsigned enclosure; /* in DT, both bits when absent */
	struct view dt;     /* DT's own head */
};

/* Does the TSDU that begins with v carry a DATA TRANSFER after GIVE TOKENS? `end`: v is the whole TSDU. */
enum spdu_head spdu_data_head(struct view v, bool end, struct data_head *h_r);

enum session_state {
#define SESSION_STATE(name, sta, truths, words) ST_##name,
#include "flow/engine/x400/session_table.h"
	ST_ANY
};

enum session_request {
	RQ_CONNECT, RQ_ACCEPT, RQ_REFUSE, RQ_ACTIVITY_START, RQ_ACTIVITY_RESUME, RQ_ACTIVITY_END, RQ_ACTIVITY_END_RESPONSE,
	RQ_ACTIVITY_INTERRUPT, RQ_ACTIVITY_INTERRUPT_RESPONSE, RQ_ACTIVITY_DISCARD, RQ_ACTIVITY_DISCARD_RESPONSE,
	RQ_MINOR_SYNC, RQ_MINOR_SYNC_RESPONSE, RQ_EXCEPTION_REPORT, RQ_TOKENS_PLEASE, RQ_CONTROL_GIVE,
	RQ_RELEASE, RQ_RELEASE_RESPONSE, RQ_DATA_BEGIN,
};

/* What may be asked of the machine, one bit each, with a sentence for the error (session_fsm.c). */
enum session_truth {
	T_ACT = 1 << 0,
	T_NO_ACT = 1 << 1,
	T_TURN = 1 << 2,          /* all tokens are ours */
	T_NO_TURN = 1 << 3,       /* none is */
	T_DATA_TOKEN = 1 << 4,
	T_NO_DATA_TOKEN = 1 << 5,
	T_NO_TX = 1 << 6,         /* no DATA SSDU of ours is open */
	T_SSDU_WHOLE = 1 << 7,    /* the peer's last DATA SSDU is complete */
	T_INITIATOR = 1 << 8,
	T_RESPONDER = 1 << 9,
	T_VERSION = 1 << 10,
	T_NO_VERSION = 1 << 11,
};

/* What a table action made of an SPDU. */
enum act { ACT_FAIL, ACT_QUIET, ACT_EVENT };

struct session_rx {
	bool stream;        /* inside a DATA TSDU: the rest of it goes up as it comes */
	bool drop;          /* ... or nowhere */
	bool decided;       /* the TSDU is no DATA: collected whole */
	bool ssdu_open;     /* a segmented DATA SSDU has begun and not ended */
	bool enclosure_end; /* the DATA TSDU in work ends its SSDU */
	unsigned tokens;    /* in the GT before DATA */
	uint64_t total;     /* octets of the DATA SSDU so far */
	bool collect_done;  /* collect holds what an event shows: cleared at the next step */
	struct out collect; /* a TSDU that did not come in one piece */
	struct out segment, segment_data; /* a segmented SPDU other than DT: its first octets, its user data */
	enum spdu_lead segment_lead;
	bool lead_due;      /* GT or PT with tokens stood before what has just gone up: its turn is next (6.3.7.1) */
	enum spdu_kind lead_kind;
	uint8_t lead_tokens;
	struct out lead_data; /* PT's user data, copied: what is fed meanwhile must not hurt them */
};

struct session_tx {
	bool open;     /* between data_begin and data_end */
	bool began;    /* something of this SSDU is in the output */
	bool dead;     /* the peer has stopped it: octets are ignored */
	struct out held; /* not yet sent: so much that the end can still be marked on it */
};

struct session {
	unsigned magic;
#define SESSION_MAGIC 0x5e5510a1u
	enum session_state state;
	bool initiator, failed, wants_close, peer_closes;
	struct session_config config;
	struct arena *arena;  /* the config's strings */
	struct cotp *cotp;
	unsigned versions;    /* offered and supported (CN_ASKED), then the one in use; a bit mask */
	unsigned tokens;      /* owned by us */
	size_t tsdu_max_out, tsdu_max_in;
	bool echo_tsdu_max;   /* CN had PI 21 and we agree to some of it */
	uint8_t token_setting;
	bool activity, may_confirm; /* Vact, Vsc of 5.8 */
	bool just_ended;      /* the last activity ended with a confirmation of ours, and nothing has come since */
	uint32_t next_serial, low_serial; /* V(M), V(A) */
	uint8_t peer_ref[SESSION_REF_MAX], peer_common[SESSION_REF_MAX], peer_additional[4];
	struct view refs[3];  /* what AC and RF echo */
	bool connect_waiting; /* session_connect before CC: in connect_data */
	struct out connect_data, params;
	struct session_rx rx;
	struct session_tx tx;
	struct err err;       /* when failed */
};

/* ---- session_fsm.c ---- */
void session_change_state(struct session *s, enum session_state to);
const char *session_state_word(enum session_state state);
/* The table's answer to an SPDU. ACT_FAIL: *e says why, the state is as it was. */
enum act session_receive(struct session *s, const struct spdu *p, struct session_event *ev, struct err *e);
/* The table's answer to a request: false with ERR_LOCAL; *next_r is the state to change to once the SPDU is out. */
MUST_CHECK bool session_allow(struct session *s, enum session_request rq, enum session_state *next_r, struct err *e);

/* ---- session_tsdu.c ---- */
/* Takes octets of one COTP DATA event. STEP_WAIT: taken, no event came of it. */
enum step session_tsdu(struct session *s, const struct cotp_event *c, struct session_event *ev, struct err *e);
/* The category 0 SPDU that is due. STEP_WAIT: no event came of it. */
enum step session_lead(struct session *s, struct session_event *ev, struct err *e);

/* ---- session_send.c ---- */
/* Begins the parameters of the next SPDU (in s->params). */
struct out *session_params(struct session *s);
void session_put(struct out *o, unsigned code, struct view v);
void session_put_u8(struct out *o, unsigned code, unsigned x);
void session_put_serial(struct out *o, uint32_t serial);
/* Sends lead, SI, parameters and user data (PGI 193, or none when empty) as one TSDU, or as several where a TSDU maximum
 * size was agreed. */
void session_send(struct session *s, enum spdu_lead lead, enum spdu_kind kind, struct view user);
void session_send_connect(struct session *s, struct view user);
void session_send_refuse(struct session *s, unsigned reason, struct view user);
/* Provider abort: AB with what was wrong; the session is over. */
void session_send_abort(struct session *s, unsigned bits, struct view reflect);
/* Closes an open DATA SSDU of ours where it stands. */
void session_abandon_data(struct session *s);
