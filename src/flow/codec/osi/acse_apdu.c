#include "flow/codec/osi/acse_apdu.h"

#define AT(form, member) .offset = offsetof(struct form, member)
#define TYPE(form, spelt, kind_, tag_, rows) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(struct form), .fields = (rows), \
	  .n_fields = ARRAY_LEN(rows) }
/* A field of any type in an explicit tag: titles have four forms, the newest of them of 1998. */
#define ANY_FORM(form, member, spelt, number) \
	{ .name = (spelt), AT(form, member), .type = &osi_any, .tag = BER_C(number), \
	  .flags = BER_EXPLICIT | BER_OPTIONAL }

static const struct ber_type user_information_type = {
	.name = "Association-data", .kind = BER_SEQ_OF, .tag = BER_U(16), .size = sizeof(struct ber_list),
	.of = &osi_external_type,
};
static const struct ber_type context_names_type = {
	.name = "ASO-context-name-list", .kind = BER_SEQ_OF, .tag = BER_U(16), .size = sizeof(struct ber_list),
	.of = &osi_oid,
};
static const struct ber_name version_names[] = { { 0, "version1" } };
static const struct ber_type version_type = {
	.name = "protocol-version", .kind = BER_BITS, .tag = BER_U(3), .size = sizeof(struct ber_bits),
	.names = version_names, .n_names = ARRAY_LEN(version_names),
};

static const struct ber_field aarq_fields[] = {
	{ .name = "protocol-version", AT(acse_apdu_aarq, protocol_version), .type = &version_type, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "aSO-context-name", AT(acse_apdu_aarq, context_name), .type = &osi_oid, .tag = BER_C(1),
	  .flags = BER_EXPLICIT },
	ANY_FORM(acse_apdu_aarq, called_ap_title, "called-AP-title", 2),
	ANY_FORM(acse_apdu_aarq, called_ae_qualifier, "called-AE-qualifier", 3),
	ANY_FORM(acse_apdu_aarq, called_ap_invocation, "called-AP-invocation-identifier", 4),
	ANY_FORM(acse_apdu_aarq, called_ae_invocation, "called-AE-invocation-identifier", 5),
	ANY_FORM(acse_apdu_aarq, calling_ap_title, "calling-AP-title", 6),
	ANY_FORM(acse_apdu_aarq, calling_ae_qualifier, "calling-AE-qualifier", 7),
	ANY_FORM(acse_apdu_aarq, calling_ap_invocation, "calling-AP-invocation-identifier", 8),
	ANY_FORM(acse_apdu_aarq, calling_ae_invocation, "calling-AE-invocation-identifier", 9),
	{ .name = "sender-acse-requirements", AT(acse_apdu_aarq, requirements), .type = &osi_bits, .tag = BER_C(10),
	  .flags = BER_OPTIONAL },
	{ .name = "mechanism-name", AT(acse_apdu_aarq, mechanism), .type = &osi_oid, .tag = BER_C(11),
	  .flags = BER_OPTIONAL },
	ANY_FORM(acse_apdu_aarq, authentication, "calling-authentication-value", 12),
	{ .name = "aSO-context-name-list", AT(acse_apdu_aarq, context_names), .type = &context_names_type,
	  .tag = BER_C(13), .flags = BER_OPTIONAL },
	/* [14], [15], [16] of the 1996 amendment are kept as unknown elements. */
	{ .name = "implementation-information", AT(acse_apdu_aarq, implementation), .type = &osi_graphic_string,
	  .tag = BER_C(29), .flags = BER_OPTIONAL },
	{ .name = "user-information", AT(acse_apdu_aarq, user_information), .type = &user_information_type,
	  .tag = BER_C(30), .flags = BER_OPTIONAL },
};
static const struct ber_type aarq_type = TYPE(acse_apdu_aarq, "AARQ-apdu", BER_SEQ, BER_A(0), aarq_fields);

static const struct ber_field diagnostic_fields[] = {
	{ .name = "acse-service-user", AT(acse_apdu_diagnostic, value), .type = &osi_integer, .tag = BER_C(1),
	  .flags = BER_EXPLICIT },
	{ .name = "acse-service-provider", AT(acse_apdu_diagnostic, value), .type = &osi_integer, .tag = BER_C(2),
	  .flags = BER_EXPLICIT },
};
static const struct ber_type diagnostic_type =
	TYPE(acse_apdu_diagnostic, "Associate-source-diagnostic", BER_CHOICE, BER_NO_TAG, diagnostic_fields);

static const struct ber_name result_names[] = {
	{ ACSE_ACCEPTED, "accepted" }, { ACSE_REJECTED_PERMANENT, "rejected-permanent" },
	{ ACSE_REJECTED_TRANSIENT, "rejected-transient" },
};
static const struct ber_type result_type = {
	.name = "Associate-result", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = result_names,
	.n_names = ARRAY_LEN(result_names),
};

static const struct ber_field aare_fields[] = {
	{ .name = "protocol-version", AT(acse_apdu_aare, protocol_version), .type = &version_type, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "aSO-context-name", AT(acse_apdu_aare, context_name), .type = &osi_oid, .tag = BER_C(1),
	  .flags = BER_EXPLICIT },
	{ .name = "result", AT(acse_apdu_aare, result), .type = &result_type, .tag = BER_C(2), .flags = BER_EXPLICIT },
	{ .name = "result-source-diagnostic", AT(acse_apdu_aare, diagnostic), .type = &diagnostic_type,
	  .tag = BER_C(3), .flags = BER_EXPLICIT },
	ANY_FORM(acse_apdu_aare, ap_title, "responding-AP-title", 4),
	ANY_FORM(acse_apdu_aare, ae_qualifier, "responding-AE-qualifier", 5),
	ANY_FORM(acse_apdu_aare, ap_invocation, "responding-AP-invocation-identifier", 6),
	ANY_FORM(acse_apdu_aare, ae_invocation, "responding-AE-invocation-identifier", 7),
	{ .name = "responder-acse-requirements", AT(acse_apdu_aare, requirements), .type = &osi_bits,
	  .tag = BER_C(8), .flags = BER_OPTIONAL },
	{ .name = "mechanism-name", AT(acse_apdu_aare, mechanism), .type = &osi_oid, .tag = BER_C(9),
	  .flags = BER_OPTIONAL },
	ANY_FORM(acse_apdu_aare, authentication, "responding-authentication-value", 10),
	{ .name = "aSO-context-name-list", AT(acse_apdu_aare, context_names), .type = &context_names_type,
	  .tag = BER_C(11), .flags = BER_OPTIONAL },
	{ .name = "implementation-information", AT(acse_apdu_aare, implementation), .type = &osi_graphic_string,
	  .tag = BER_C(29), .flags = BER_OPTIONAL },
	{ .name = "user-information", AT(acse_apdu_aare, user_information), .type = &user_information_type,
	  .tag = BER_C(30), .flags = BER_OPTIONAL },
};
static const struct ber_type aare_type = TYPE(acse_apdu_aare, "AARE-apdu", BER_SEQ, BER_A(1), aare_fields);

static const struct ber_field release_fields[] = {
	{ .name = "reason", AT(acse_apdu_release, reason), .type = &osi_integer, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "user-information", AT(acse_apdu_release, user_information), .type = &user_information_type,
	  .tag = BER_C(30), .flags = BER_OPTIONAL },
};
static const struct ber_type rlrq_type = TYPE(acse_apdu_release, "RLRQ-apdu", BER_SEQ, BER_A(2), release_fields);
static const struct ber_type rlre_type = TYPE(acse_apdu_release, "RLRE-apdu", BER_SEQ, BER_A(3), release_fields);

static const struct ber_name source_names[] = { { 0, "acse-service-user" }, { 1, "acse-service-provider" } };
static const struct ber_type source_type = {
	.name = "ABRT-source", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = source_names,
	.n_names = ARRAY_LEN(source_names),
};
static const struct ber_type abrt_diagnostic_type = {
	.name = "ABRT-diagnostic", .kind = BER_ENUM, .tag = BER_U(10), .size = sizeof(int64_t),
};
static const struct ber_field abrt_fields[] = {
	{ .name = "abort-source", AT(acse_apdu_abrt, source), .type = &source_type, .tag = BER_C(0) },
	{ .name = "abort-diagnostic", AT(acse_apdu_abrt, diagnostic), .type = &abrt_diagnostic_type,
	  .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "user-information", AT(acse_apdu_abrt, user_information), .type = &user_information_type,
	  .tag = BER_C(30), .flags = BER_OPTIONAL },
};
static const struct ber_type abrt_type = TYPE(acse_apdu_abrt, "ABRT-apdu", BER_SEQ, BER_A(4), abrt_fields);

static const struct ber_field apdu_fields[] = {
	{ .name = "aarq", AT(acse_apdu, aarq), .type = &aarq_type, .tag = BER_NO_TAG },
	{ .name = "aare", AT(acse_apdu, aare), .type = &aare_type, .tag = BER_NO_TAG },
	{ .name = "rlrq", AT(acse_apdu, rlrq), .type = &rlrq_type, .tag = BER_NO_TAG },
	{ .name = "rlre", AT(acse_apdu, rlre), .type = &rlre_type, .tag = BER_NO_TAG },
	{ .name = "abrt", AT(acse_apdu, abrt), .type = &abrt_type, .tag = BER_NO_TAG },
};
const struct ber_type acse_apdu_type = TYPE(acse_apdu, "ACSE-apdu", BER_CHOICE, BER_NO_TAG, apdu_fields);
