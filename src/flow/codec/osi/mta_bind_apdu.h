/* mta_bind_apdu.h - MTABind as tables (X.411 12.1.1, module MTAAbstractService), in the wrapping that the
 * remote operations notation gives it inside RTSE's user data: argument [16], result [17], error [18]. */
#pragma once
#include "flow/codec/osi/osi_types.h"

/* Opaque: strong and protected credentials are shown and carried, not understood. */
struct mta_bind_opaque {
	struct ber_seq seq;
};

/* Credentials: simple is Password, itself a CHOICE of two strings. */
struct mta_bind_credentials {
	struct ber_choice choice;
	struct view password; /* of both simple forms */
	struct mta_bind_opaque strong, protected_password;
};
enum { MTA_BIND_IA5 = 1, MTA_BIND_OCTETS, MTA_BIND_STRONG, MTA_BIND_PROTECTED };

struct mta_bind_authenticated {
	struct ber_seq seq;
	struct view name;     /* MTAName, IA5String */
	struct mta_bind_credentials credentials;
	struct ber_list security_context; /* struct view, whole TLVs */
};
enum { MTA_BIND_NAME, MTA_BIND_CREDENTIALS, MTA_BIND_SECURITY_CONTEXT };

/* MTABindArgument and MTABindResult have the same form. */
struct mta_bind_value {
	struct ber_choice choice;
	struct mta_bind_authenticated authenticated;
};
enum { MTA_BIND_UNAUTHENTICATED = 1, MTA_BIND_AUTHENTICATED };

/* MTABindError: in [18] by the notation, bare from ISODE/PP. */
struct mta_bind_error_value {
	struct ber_choice choice;
	int64_t error;
};
enum { MTA_BIND_ERROR_WRAPPED = 1, MTA_BIND_ERROR_BARE };

extern const struct ber_type mta_bind_argument_type, mta_bind_result_type; /* struct mta_bind_value */
/* The same without [16] and [17]: X.410 mode has the bare value in RTSE's user data (X.419 13.2.1.1.2). */
extern const struct ber_type mta_bind_bare_argument_type, mta_bind_bare_result_type;
extern const struct ber_type mta_bind_error_type;                          /* struct mta_bind_error_value */

/* "authentication-error"; never NULL. */
const char *mta_bind_error_name(int64_t error);
