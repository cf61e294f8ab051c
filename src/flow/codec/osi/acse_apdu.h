/* acse_apdu.h - the APDUs of ACSE as tables (X.227 clause 9, module ACSE-1), with the fields that the
 * amendments added. Titles and qualifiers are carried in whatever form they come. */
#pragma once
#include "flow/codec/osi/osi_types.h"

struct acse_apdu_aarq {
	struct ber_seq seq;
	struct ber_bits protocol_version;
	struct view context_name;
	struct view called_ap_title, called_ae_qualifier, called_ap_invocation, called_ae_invocation;
	struct view calling_ap_title, calling_ae_qualifier, calling_ap_invocation, calling_ae_invocation;
	struct ber_bits requirements;
	struct view mechanism;
	struct view authentication;
	struct ber_list context_names;   /* struct view, OBJECT IDENTIFIERs */
	struct view implementation;
	struct ber_list user_information; /* struct osi_external */
};
enum { ACSE_APDU_AARQ_VERSION = 0, ACSE_APDU_AARQ_USER_INFORMATION = 15 };

struct acse_apdu_diagnostic {
	struct ber_choice choice;
	int64_t value;
};
enum { ACSE_APDU_USER = 1, ACSE_APDU_PROVIDER };

struct acse_apdu_aare {
	struct ber_seq seq;
	struct ber_bits protocol_version;
	struct view context_name;
	int64_t result;
	struct acse_apdu_diagnostic diagnostic;
	struct view ap_title, ae_qualifier, ap_invocation, ae_invocation;
	struct ber_bits requirements;
	struct view mechanism;
	struct view authentication;
	struct ber_list context_names;
	struct view implementation;
	struct ber_list user_information;
};
enum { ACSE_APDU_AARE_VERSION = 0, ACSE_APDU_AARE_USER_INFORMATION = 13 };

/* RLRQ and RLRE. */
struct acse_apdu_release {
	struct ber_seq seq;
	int64_t reason;
	struct ber_list user_information;
};
enum { ACSE_APDU_RELEASE_REASON, ACSE_APDU_RELEASE_USER_INFORMATION };

struct acse_apdu_abrt {
	struct ber_seq seq;
	int64_t source; /* 0 service user, 1 service provider */
	int64_t diagnostic;
	struct ber_list user_information;
};
enum { ACSE_APDU_ABRT_SOURCE, ACSE_APDU_ABRT_DIAGNOSTIC, ACSE_APDU_ABRT_USER_INFORMATION };

/* ACSE-apdu. */
struct acse_apdu {
	struct ber_choice choice;
	union {
		struct acse_apdu_aarq aarq;
		struct acse_apdu_aare aare;
		struct acse_apdu_release rlrq, rlre;
		struct acse_apdu_abrt abrt;
	};
};
enum { ACSE_APDU_AARQ = 1, ACSE_APDU_AARE, ACSE_APDU_RLRQ, ACSE_APDU_RLRE, ACSE_APDU_ABRT };

enum { ACSE_ACCEPTED = 0, ACSE_REJECTED_PERMANENT = 1, ACSE_REJECTED_TRANSIENT = 2 };
enum { ACSE_USER_NULL = 0, ACSE_USER_NO_REASON = 1, ACSE_USER_CONTEXT_NAME = 2, ACSE_PROVIDER_NO_VERSION = 2 };

extern const struct ber_type acse_apdu_type;
