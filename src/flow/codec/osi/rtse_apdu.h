/* rtse_apdu.h - the APDUs of RTSE as tables (X.228 clause 9, module Reliable-Transfer-APDU). */
#pragma once
#include "flow/codec/osi/osi_types.h"

/* SessionConnectionIdentifier. */
struct rtse_apdu_reference {
	struct ber_choice choice; /* CallingSSuserReference: T.61 by X.410 and Nexor, OCTET STRING by X.228 */
	struct view t61, octets;
};
enum { RTSE_APDU_BY_T61 = 1, RTSE_APDU_BY_OCTETS };

struct rtse_apdu_recover {
	struct ber_seq seq;
	struct rtse_apdu_reference calling;
	struct view common;       /* UTCTime */
	struct view additional;   /* T61String */
};
enum { RTSE_APDU_RECOVER_CALLING, RTSE_APDU_RECOVER_COMMON, RTSE_APDU_RECOVER_ADDITIONAL };

struct rtse_apdu_connection_data {
	struct ber_choice choice;
	struct view open;         /* RTSE user data, the whole TLV */
	struct rtse_apdu_recover recover;
};
enum { RTSE_APDU_OPEN = 1, RTSE_APDU_OPEN_NULL, RTSE_APDU_RECOVER };

struct rtse_apdu_rtorq {
	struct ber_seq seq;
	int64_t checkpoint_size, window_size, dialogue_mode;
	struct rtse_apdu_connection_data data;
	int64_t application_protocol; /* only in X.410 mode */
};
enum { RTSE_APDU_RTORQ_CHECKPOINT, RTSE_APDU_RTORQ_WINDOW, RTSE_APDU_RTORQ_DIALOGUE, RTSE_APDU_RTORQ_DATA,
       RTSE_APDU_RTORQ_PROTOCOL };
enum { RTSE_APDU_MONOLOGUE = 0, RTSE_APDU_TWA = 1 };

struct rtse_apdu_rtoac {
	struct ber_seq seq;
	int64_t checkpoint_size, window_size;
	struct rtse_apdu_connection_data data;
};
enum { RTSE_APDU_RTOAC_CHECKPOINT, RTSE_APDU_RTOAC_WINDOW, RTSE_APDU_RTOAC_DATA };

struct rtse_apdu_rtorj {
	struct ber_seq seq;
	int64_t refuse_reason;    /* only in X.410 mode */
	struct view user_data;    /* the whole TLV */
};
enum { RTSE_APDU_RTORJ_REASON, RTSE_APDU_RTORJ_USER_DATA };
/* RefuseReason. But for cannotRecover the numbers are those of MTABindError (X.419 13.2.1.1.3). */
enum rtse_refuse_reason {
	RTSE_REFUSE_BUSY = 0, RTSE_REFUSE_CANNOT_RECOVER = 1, RTSE_REFUSE_VALIDATION = 2, RTSE_REFUSE_DIALOGUE_MODE = 3,
};

struct rtse_apdu_rtab {
	struct ber_seq seq;
	int64_t reason;
	struct ber_bits reflected;
	struct view user_data;
};
enum { RTSE_APDU_RTAB_REASON, RTSE_APDU_RTAB_REFLECTED, RTSE_APDU_RTAB_USER_DATA };

/* RTSE-apdus. */
struct rtse_apdu {
	struct ber_choice choice;
	union {
		struct rtse_apdu_rtorq rtorq;
		struct rtse_apdu_rtoac rtoac;
		struct rtse_apdu_rtorj rtorj;
		int64_t rttp;
		struct view rttr;
		struct rtse_apdu_rtab rtab;
	};
};
enum { RTSE_APDU_RTORQ = 1, RTSE_APDU_RTOAC, RTSE_APDU_RTORJ, RTSE_APDU_RTTP, RTSE_APDU_RTTR, RTSE_APDU_RTAB };

enum rtse_abort_reason { /* X.228 AbortReason */
	RTSE_ABORT_LOCAL_SYSTEM = 0, RTSE_ABORT_INVALID_PARAMETER = 1, RTSE_ABORT_UNRECOGNIZED_ACTIVITY = 2,
	RTSE_ABORT_TEMPORARY = 3, RTSE_ABORT_PROTOCOL = 4, RTSE_ABORT_PERMANENT = 5, RTSE_ABORT_USER = 6,
	RTSE_ABORT_TRANSFER_COMPLETED = 7,
};

extern const struct ber_type rtse_apdu_rtorq_type, rtse_apdu_rtoac_type, rtse_apdu_rtorj_type, rtse_apdu_rtab_type;
extern const struct ber_type rtse_apdu_type;

/* "validationFailure"; never NULL. */
const char *rtse_refuse_reason_name(int64_t reason);

/* "temporaryProblem"; never NULL. */
const char *rtse_abort_reason_name(int64_t reason);
