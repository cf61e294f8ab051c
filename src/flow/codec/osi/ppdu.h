/* ppdu.h - the protocol data units of presentation as tables (X.226 clause 8.5, module ISO8823-PRESENTATION),
 * and User-data as session carries it. X.410 mode's parameters are RTSE's APDUs. */
#pragma once
#include "flow/codec/osi/osi_types.h"
#include "flow/codec/osi/rtse_apdu.h"

struct ppdu_mode {
	struct ber_seq seq;
	int64_t value;
};
enum { PPDU_MODE_X410 = 0, PPDU_MODE_NORMAL = 1 };

/* What CP and CPA have in common: which mode the rest is of. */
struct ppdu_mode_only {
	struct ber_seq seq;
	struct ppdu_mode mode;
};

/* One proposed context; `transfers` holds struct view, OBJECT IDENTIFIERs. */
struct ppdu_context {
	struct ber_seq seq;
	int64_t id;
	struct view abstract;
	struct ber_list transfers;
};

struct ppdu_result {
	struct ber_seq seq;
	int64_t result;
	struct view transfer;
	int64_t reason;
};
enum { PPDU_RESULT_RESULT, PPDU_RESULT_TRANSFER, PPDU_RESULT_REASON };
enum { PPDU_ACCEPTANCE = 0, PPDU_USER_REJECTION = 1, PPDU_PROVIDER_REJECTION = 2 };
enum { PPDU_ABSTRACT_NOT_SUPPORTED = 1, PPDU_TRANSFER_NOT_SUPPORTED = 2 };

/* Presentation-context-identifier-list. */
struct ppdu_context_id {
	struct ber_seq seq;
	int64_t id;
	struct view transfer;
};

struct ppdu_default {
	struct ber_seq seq;
	struct view abstract, transfer;
};

/* PDV-list. */
struct ppdu_pdv {
	struct ber_seq seq;
	struct view transfer;
	int64_t context;
	struct osi_encoding values;
};
enum { PPDU_PDV_TRANSFER, PPDU_PDV_CONTEXT, PPDU_PDV_VALUES };

struct ppdu_user_data {
	struct ber_choice choice;
	struct view simple;
	struct ber_list full; /* struct ppdu_pdv */
};
enum { PPDU_SIMPLE = 1, PPDU_FULL };

struct ppdu_cp_normal {
	struct ber_seq seq;
	struct ber_bits version;
	struct view calling, called;    /* selectors */
	struct ber_list contexts;       /* struct ppdu_context */
	struct ppdu_default default_context;
	struct ber_bits requirements, session_requirements, options;
	int64_t nominated;
	struct ppdu_user_data user_data;
};
enum { PPDU_CP_VERSION, PPDU_CP_CALLING, PPDU_CP_CALLED, PPDU_CP_CONTEXTS, PPDU_CP_DEFAULT, PPDU_CP_REQUIREMENTS,
       PPDU_CP_SESSION_REQUIREMENTS, PPDU_CP_OPTIONS, PPDU_CP_NOMINATED, PPDU_CP_USER_DATA };

struct ppdu_cp {
	struct ber_seq seq;
	struct ppdu_mode mode;
	struct rtse_apdu_rtorq x410;
	struct ppdu_cp_normal normal;
};

struct ppdu_cpa_normal {
	struct ber_seq seq;
	struct ber_bits version;
	struct view responding;
	struct ber_list results;        /* struct ppdu_result */
	struct ber_bits requirements, session_requirements, options;
	int64_t nominated;
	struct ppdu_user_data user_data;
};
enum { PPDU_CPA_VERSION, PPDU_CPA_RESPONDING, PPDU_CPA_RESULTS, PPDU_CPA_REQUIREMENTS,
       PPDU_CPA_SESSION_REQUIREMENTS, PPDU_CPA_OPTIONS, PPDU_CPA_NOMINATED, PPDU_CPA_USER_DATA };

struct ppdu_cpa {
	struct ber_seq seq;
	struct ppdu_mode mode;
	struct rtse_apdu_rtoac x410;
	struct ppdu_cpa_normal normal;
};
enum { PPDU_CP_MODE, PPDU_CP_X410, PPDU_CP_NORMAL }; /* of CP and CPA */

struct ppdu_cpr_normal {
	struct ber_seq seq;
	struct ber_bits version;
	struct view responding;
	struct ber_list results;
	int64_t default_result, provider_reason;
	struct ppdu_user_data user_data;
};
enum { PPDU_CPR_VERSION, PPDU_CPR_RESPONDING, PPDU_CPR_RESULTS, PPDU_CPR_DEFAULT, PPDU_CPR_PROVIDER_REASON,
       PPDU_CPR_USER_DATA };

/* CPR: a SEQUENCE in normal mode, a SET in X.410 mode. */
struct ppdu_cpr {
	struct ber_choice choice;
	union {
		struct rtse_apdu_rtorj x410;
		struct ppdu_cpr_normal normal;
	};
};
enum { PPDU_CPR_IS_X410 = 1, PPDU_CPR_IS_NORMAL };

struct ppdu_aru {
	struct ber_seq seq;
	struct ber_list contexts;       /* struct ppdu_context_id */
	struct ppdu_user_data user_data;
};
enum { PPDU_ARU_CONTEXTS, PPDU_ARU_USER_DATA };

struct ppdu_arp {
	struct ber_seq seq;
	int64_t reason, event;
};
enum { PPDU_ARP_REASON, PPDU_ARP_EVENT };
enum { PPDU_ARP_UNRECOGNIZED = 1, PPDU_ARP_UNEXPECTED = 2, PPDU_ARP_UNEXPECTED_PRIMITIVE = 3,
       PPDU_ARP_INVALID_VALUE = 6 };
enum { PPDU_EVENT_CPA = 1, PPDU_EVENT_TD = 7, PPDU_EVENT_TOKEN_PLEASE = 17 };

/* Abort-type: ARU of X.410 mode (SET), ARU of normal mode ([0]), ARP (SEQUENCE). */
struct ppdu_abort {
	struct ber_choice choice;
	union {
		struct rtse_apdu_rtab x410;
		struct ppdu_aru aru;
		struct ppdu_arp arp;
	};
};
enum { PPDU_ABORT_X410 = 1, PPDU_ABORT_ARU, PPDU_ABORT_ARP };

extern const struct ber_type ppdu_mode_only_type, ppdu_cp_type, ppdu_cpa_type, ppdu_cpr_type, ppdu_abort_type, ppdu_user_data_type;
