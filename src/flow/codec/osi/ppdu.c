#include "flow/codec/osi/ppdu.h"

#define AT(form, member) .offset = offsetof(struct form, member)
#define TYPE(form, spelt, kind_, tag_, rows) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(struct form), .fields = (rows), \
	  .n_fields = ARRAY_LEN(rows) }
#define LIST(spelt, element) \
	{ .name = (spelt), .kind = BER_SEQ_OF, .tag = BER_U(16), .size = sizeof(struct ber_list), .of = &(element) }
#define NAMED_INTEGER(spelt, rows) \
	{ .name = (spelt), .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = (rows), \
	  .n_names = ARRAY_LEN(rows) }

static const struct ber_name mode_names[] = { { PPDU_MODE_X410, "x410-1984-mode" }, { PPDU_MODE_NORMAL, "normal-mode" } };
static const struct ber_type mode_value_type = NAMED_INTEGER("mode-value", mode_names);
static const struct ber_field mode_fields[] = {
	{ .name = "mode-value", AT(ppdu_mode, value), .type = &mode_value_type, .tag = BER_C(0) },
};
static const struct ber_type mode_type = TYPE(ppdu_mode, "Mode-selector", BER_SET, BER_U(17), mode_fields);

static const struct ber_field mode_only_fields[] = {
	{ .name = "mode-selector", AT(ppdu_mode_only, mode), .type = &mode_type, .tag = BER_C(0) },
};
const struct ber_type ppdu_mode_only_type = TYPE(ppdu_mode_only, "CP-type", BER_SET, BER_U(17), mode_only_fields);

static const struct ber_type transfers_type = LIST("transfer-syntax-name-list", osi_oid);
static const struct ber_field context_fields[] = {
	{ .name = "presentation-context-identifier", AT(ppdu_context, id), .type = &osi_integer, .tag = BER_NO_TAG },
	{ .name = "abstract-syntax-name", AT(ppdu_context, abstract), .type = &osi_oid, .tag = BER_NO_TAG },
	{ .name = "transfer-syntax-name-list", AT(ppdu_context, transfers), .type = &transfers_type, .tag = BER_NO_TAG },
};
static const struct ber_type context_type = TYPE(ppdu_context, "Context", BER_SEQ, BER_U(16), context_fields);
static const struct ber_type contexts_type = LIST("Context-list", context_type);

static const struct ber_name result_names[] = {
	{ PPDU_ACCEPTANCE, "acceptance" }, { PPDU_USER_REJECTION, "user-rejection" },
	{ PPDU_PROVIDER_REJECTION, "provider-rejection" },
};
static const struct ber_type result_value_type = NAMED_INTEGER("Result", result_names);
static const struct ber_name result_reason_names[] = {
	{ 0, "reason-not-specified" }, { PPDU_ABSTRACT_NOT_SUPPORTED, "abstract-syntax-not-supported" },
	{ PPDU_TRANSFER_NOT_SUPPORTED, "proposed-transfer-syntaxes-not-supported" },
	{ 3, "local-limit-on-DCS-exceeded" },
};
static const struct ber_type result_reason_type = NAMED_INTEGER("provider-reason", result_reason_names);
static const struct ber_field result_fields[] = {
	{ .name = "result", AT(ppdu_result, result), .type = &result_value_type, .tag = BER_C(0) },
	{ .name = "transfer-syntax-name", AT(ppdu_result, transfer), .type = &osi_oid, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
	{ .name = "provider-reason", AT(ppdu_result, reason), .type = &result_reason_type, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
};
static const struct ber_type result_type = TYPE(ppdu_result, "Context-result", BER_SEQ, BER_U(16), result_fields);
static const struct ber_type results_type = LIST("Result-list", result_type);

static const struct ber_field context_id_fields[] = {
	{ .name = "presentation-context-identifier", AT(ppdu_context_id, id), .type = &osi_integer, .tag = BER_NO_TAG },
	{ .name = "transfer-syntax-name", AT(ppdu_context_id, transfer), .type = &osi_oid, .tag = BER_NO_TAG },
};
static const struct ber_type context_id_type =
	TYPE(ppdu_context_id, "Context-identifier", BER_SEQ, BER_U(16), context_id_fields);
static const struct ber_type context_ids_type = LIST("Presentation-context-identifier-list", context_id_type);

static const struct ber_field default_fields[] = {
	{ .name = "abstract-syntax-name", AT(ppdu_default, abstract), .type = &osi_oid, .tag = BER_C(0) },
	{ .name = "transfer-syntax-name", AT(ppdu_default, transfer), .type = &osi_oid, .tag = BER_C(1) },
};
static const struct ber_type default_type =
	TYPE(ppdu_default, "Default-context-name", BER_SEQ, BER_U(16), default_fields);

static const struct ber_field pdv_fields[] = {
	{ .name = "transfer-syntax-name", AT(ppdu_pdv, transfer), .type = &osi_oid, .tag = BER_NO_TAG,
	  .flags = BER_OPTIONAL },
	{ .name = "presentation-context-identifier", AT(ppdu_pdv, context), .type = &osi_integer, .tag = BER_NO_TAG },
	{ .name = "presentation-data-values", AT(ppdu_pdv, values), .type = &osi_encoding_type, .tag = BER_NO_TAG },
};
static const struct ber_type pdv_type = TYPE(ppdu_pdv, "PDV-list", BER_SEQ, BER_U(16), pdv_fields);
static const struct ber_type pdvs_type = LIST("Fully-encoded-data", pdv_type);

static const struct ber_field user_data_fields[] = {
	{ .name = "simply-encoded-data", AT(ppdu_user_data, simple), .type = &osi_octets, .tag = BER_A(0) },
	{ .name = "fully-encoded-data", AT(ppdu_user_data, full), .type = &pdvs_type, .tag = BER_A(1) },
};
const struct ber_type ppdu_user_data_type =
	TYPE(ppdu_user_data, "User-data", BER_CHOICE, BER_NO_TAG, user_data_fields);

#define OPTIONAL(form, member, spelt, type_, tag_) \
	{ .name = (spelt), AT(form, member), .type = &(type_), .tag = (tag_), .flags = BER_OPTIONAL }
/* The module's default is explicit tags, and the amendment of 1997 left out the IMPLICIT of these. */
#define EXPLICITLY(form, member, spelt, type_, tag_) \
	{ .name = (spelt), AT(form, member), .type = &(type_), .tag = (tag_), .flags = BER_OPTIONAL | BER_EXPLICIT }

static const struct ber_field cp_normal_fields[] = {
	OPTIONAL(ppdu_cp_normal, version, "protocol-version", osi_bits, BER_C(0)),
	OPTIONAL(ppdu_cp_normal, calling, "calling-presentation-selector", osi_octets, BER_C(1)),
	OPTIONAL(ppdu_cp_normal, called, "called-presentation-selector", osi_octets, BER_C(2)),
	OPTIONAL(ppdu_cp_normal, contexts, "presentation-context-definition-list", contexts_type, BER_C(4)),
	OPTIONAL(ppdu_cp_normal, default_context, "default-context-name", default_type, BER_C(6)),
	OPTIONAL(ppdu_cp_normal, requirements, "presentation-requirements", osi_bits, BER_C(8)),
	OPTIONAL(ppdu_cp_normal, session_requirements, "user-session-requirements", osi_bits, BER_C(9)),
	EXPLICITLY(ppdu_cp_normal, options, "protocol-options", osi_bits, BER_C(11)),
	EXPLICITLY(ppdu_cp_normal, nominated, "initiators-nominated-context", osi_integer, BER_C(12)),
	OPTIONAL(ppdu_cp_normal, user_data, "user-data", ppdu_user_data_type, BER_NO_TAG),
};
static const struct ber_type cp_normal_type =
	TYPE(ppdu_cp_normal, "CP normal-mode-parameters", BER_SEQ, BER_U(16), cp_normal_fields);

static const struct ber_field cp_fields[] = {
	{ .name = "mode-selector", AT(ppdu_cp, mode), .type = &mode_type, .tag = BER_C(0) },
	OPTIONAL(ppdu_cp, x410, "x410-mode-parameters", rtse_apdu_rtorq_type, BER_C(1)),
	OPTIONAL(ppdu_cp, normal, "normal-mode-parameters", cp_normal_type, BER_C(2)),
};
const struct ber_type ppdu_cp_type = TYPE(ppdu_cp, "CP-type", BER_SET, BER_U(17), cp_fields);

static const struct ber_field cpa_normal_fields[] = {
	OPTIONAL(ppdu_cpa_normal, version, "protocol-version", osi_bits, BER_C(0)),
	OPTIONAL(ppdu_cpa_normal, responding, "responding-presentation-selector", osi_octets, BER_C(3)),
	OPTIONAL(ppdu_cpa_normal, results, "presentation-context-definition-result-list", results_type, BER_C(5)),
	OPTIONAL(ppdu_cpa_normal, requirements, "presentation-requirements", osi_bits, BER_C(8)),
	OPTIONAL(ppdu_cpa_normal, session_requirements, "user-session-requirements", osi_bits, BER_C(9)),
	EXPLICITLY(ppdu_cpa_normal, options, "protocol-options", osi_bits, BER_C(11)),
	EXPLICITLY(ppdu_cpa_normal, nominated, "responders-nominated-context", osi_integer, BER_C(13)),
	OPTIONAL(ppdu_cpa_normal, user_data, "user-data", ppdu_user_data_type, BER_NO_TAG),
};
static const struct ber_type cpa_normal_type =
	TYPE(ppdu_cpa_normal, "CPA normal-mode-parameters", BER_SEQ, BER_U(16), cpa_normal_fields);

static const struct ber_field cpa_fields[] = {
	{ .name = "mode-selector", AT(ppdu_cpa, mode), .type = &mode_type, .tag = BER_C(0) },
	OPTIONAL(ppdu_cpa, x410, "x410-mode-parameters", rtse_apdu_rtoac_type, BER_C(1)),
	OPTIONAL(ppdu_cpa, normal, "normal-mode-parameters", cpa_normal_type, BER_C(2)),
};
const struct ber_type ppdu_cpa_type = TYPE(ppdu_cpa, "CPA-PPDU", BER_SET, BER_U(17), cpa_fields);

static const struct ber_name provider_reason_names[] = {
	{ 0, "reason-not-specified" }, { 1, "temporary-congestion" }, { 2, "local-limit-exceeded" },
	{ 3, "called-presentation-address-unknown" }, { 4, "protocol-version-not-supported" },
	{ 5, "default-context-not-supported" }, { 6, "user-data-not-readable" }, { 7, "no-PSAP-available" },
};
static const struct ber_type provider_reason_type = NAMED_INTEGER("Provider-reason", provider_reason_names);
static const struct ber_field cpr_normal_fields[] = {
	OPTIONAL(ppdu_cpr_normal, version, "protocol-version", osi_bits, BER_C(0)),
	OPTIONAL(ppdu_cpr_normal, responding, "responding-presentation-selector", osi_octets, BER_C(3)),
	OPTIONAL(ppdu_cpr_normal, results, "presentation-context-definition-result-list", results_type, BER_C(5)),
	OPTIONAL(ppdu_cpr_normal, default_result, "default-context-result", result_value_type, BER_C(7)),
	OPTIONAL(ppdu_cpr_normal, provider_reason, "provider-reason", provider_reason_type, BER_C(10)),
	OPTIONAL(ppdu_cpr_normal, user_data, "user-data", ppdu_user_data_type, BER_NO_TAG),
};
static const struct ber_type cpr_normal_type =
	TYPE(ppdu_cpr_normal, "CPR normal-mode-parameters", BER_SEQ, BER_U(16), cpr_normal_fields);

static const struct ber_field cpr_fields[] = {
	{ .name = "x400-mode-parameters", AT(ppdu_cpr, x410), .type = &rtse_apdu_rtorj_type, .tag = BER_NO_TAG },
	{ .name = "normal-mode-parameters", AT(ppdu_cpr, normal), .type = &cpr_normal_type, .tag = BER_NO_TAG },
};
const struct ber_type ppdu_cpr_type = TYPE(ppdu_cpr, "CPR-PPDU", BER_CHOICE, BER_NO_TAG, cpr_fields);

static const struct ber_field aru_fields[] = {
	OPTIONAL(ppdu_aru, contexts, "presentation-context-identifier-list", context_ids_type, BER_C(0)),
	OPTIONAL(ppdu_aru, user_data, "user-data", ppdu_user_data_type, BER_NO_TAG),
};
static const struct ber_type aru_type = TYPE(ppdu_aru, "ARU-PPDU", BER_SEQ, BER_U(16), aru_fields);

static const struct ber_name arp_reason_names[] = {
	{ 0, "reason-not-specified" }, { 1, "unrecognized-ppdu" }, { 2, "unexpected-ppdu" },
	{ 3, "unexpected-session-service-primitive" }, { 4, "unrecognized-ppdu-parameter" },
	{ 5, "unexpected-ppdu-parameter" }, { 6, "invalid-ppdu-parameter-value" },
};
static const struct ber_type arp_reason_type = NAMED_INTEGER("Abort-reason", arp_reason_names);
static const struct ber_field arp_fields[] = {
	OPTIONAL(ppdu_arp, reason, "provider-reason", arp_reason_type, BER_C(0)),
	OPTIONAL(ppdu_arp, event, "event-identifier", osi_integer, BER_C(1)),
};
static const struct ber_type arp_type = TYPE(ppdu_arp, "ARP-PPDU", BER_SEQ, BER_U(16), arp_fields);

static const struct ber_field abort_fields[] = {
	{ .name = "aru-x400-mode", AT(ppdu_abort, x410), .type = &rtse_apdu_rtab_type, .tag = BER_NO_TAG },
	{ .name = "aru-normal-mode", AT(ppdu_abort, aru), .type = &aru_type, .tag = BER_C(0) },
	{ .name = "arp-ppdu", AT(ppdu_abort, arp), .type = &arp_type, .tag = BER_NO_TAG },
};
const struct ber_type ppdu_abort_type = TYPE(ppdu_abort, "Abort-type", BER_CHOICE, BER_NO_TAG, abort_fields);
