#include "flow/codec/osi/rtse_apdu.h"

#define AT(form, member) .offset = offsetof(struct form, member)
#define TYPE(form, spelt, kind_, tag_, rows) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(struct form), .fields = (rows), \
	  .n_fields = ARRAY_LEN(rows) }

static const struct ber_field reference_fields[] = {
	{ .name = "t61String", AT(rtse_apdu_reference, t61), .type = &osi_t61_string, .tag = BER_NO_TAG },
	{ .name = "octetString", AT(rtse_apdu_reference, octets), .type = &osi_octets, .tag = BER_NO_TAG },
};
static const struct ber_type reference_type =
	TYPE(rtse_apdu_reference, "CallingSSuserReference", BER_CHOICE, BER_NO_TAG, reference_fields);

static const struct ber_field recover_fields[] = {
	{ .name = "callingSSuserReference", AT(rtse_apdu_recover, calling), .type = &reference_type, .tag = BER_NO_TAG },
	{ .name = "commonReference", AT(rtse_apdu_recover, common), .type = &osi_utc_time, .tag = BER_NO_TAG },
	{ .name = "additionalReferenceInformation", AT(rtse_apdu_recover, additional), .type = &osi_t61_string,
	  .tag = BER_C(0), .flags = BER_OPTIONAL },
};
static const struct ber_type recover_type =
	TYPE(rtse_apdu_recover, "SessionConnectionIdentifier", BER_SEQ, BER_U(16), recover_fields);

/* Without user data `open` is [0] IMPLICIT NULL, else [0] around one value (X.228 clause 9, comment in the module). */
static const struct ber_field connection_data_fields[] = {
	{ .name = "open", AT(rtse_apdu_connection_data, open), .type = &osi_any, .tag = BER_C(0),
	  .flags = BER_EXPLICIT | BER_CONSTRUCTED },
	{ .name = "open", AT(rtse_apdu_connection_data, open), .type = &osi_null, .tag = BER_C(0),
	  .flags = BER_PRIMITIVE },
	{ .name = "recover", AT(rtse_apdu_connection_data, recover), .type = &recover_type, .tag = BER_C(1) },
};
static const struct ber_type connection_data_type =
	TYPE(rtse_apdu_connection_data, "ConnectionData", BER_CHOICE, BER_NO_TAG, connection_data_fields);

static const struct ber_name dialogue_names[] = { { 0, "monologue" }, { 1, "twa" } };
static const struct ber_type dialogue_type = {
	.name = "dialogueMode", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = dialogue_names,
	.n_names = ARRAY_LEN(dialogue_names),
};

static const struct ber_field rtorq_fields[] = {
	{ .name = "checkpointSize", AT(rtse_apdu_rtorq, checkpoint_size), .type = &osi_integer, .tag = BER_C(0),
	  .flags = BER_HAS_DEFAULT, .def = 0 },
	{ .name = "windowSize", AT(rtse_apdu_rtorq, window_size), .type = &osi_integer, .tag = BER_C(1),
	  .flags = BER_HAS_DEFAULT, .def = 3 },
	{ .name = "dialogueMode", AT(rtse_apdu_rtorq, dialogue_mode), .type = &dialogue_type, .tag = BER_C(2),
	  .flags = BER_HAS_DEFAULT, .def = RTSE_APDU_MONOLOGUE },
	{ .name = "connectionDataRQ", AT(rtse_apdu_rtorq, data), .type = &connection_data_type, .tag = BER_C(3),
	  .flags = BER_EXPLICIT },
	{ .name = "applicationProtocol", AT(rtse_apdu_rtorq, application_protocol), .type = &osi_integer,
	  .tag = BER_C(4), .flags = BER_OPTIONAL },
};
const struct ber_type rtse_apdu_rtorq_type = TYPE(rtse_apdu_rtorq, "RTORQapdu", BER_SET, BER_U(17), rtorq_fields);

static const struct ber_field rtoac_fields[] = {
	{ .name = "checkpointSize", AT(rtse_apdu_rtoac, checkpoint_size), .type = &osi_integer, .tag = BER_C(0),
	  .flags = BER_HAS_DEFAULT, .def = 0 },
	{ .name = "windowSize", AT(rtse_apdu_rtoac, window_size), .type = &osi_integer, .tag = BER_C(1),
	  .flags = BER_HAS_DEFAULT, .def = 3 },
	{ .name = "connectionDataAC", AT(rtse_apdu_rtoac, data), .type = &connection_data_type, .tag = BER_C(2),
	  .flags = BER_EXPLICIT },
};
const struct ber_type rtse_apdu_rtoac_type = TYPE(rtse_apdu_rtoac, "RTOACapdu", BER_SET, BER_U(17), rtoac_fields);

static const struct ber_name refuse_names[] = {
	{ RTSE_REFUSE_BUSY, "rtsBusy" }, { RTSE_REFUSE_CANNOT_RECOVER, "cannotRecover" },
	{ RTSE_REFUSE_VALIDATION, "validationFailure" }, { RTSE_REFUSE_DIALOGUE_MODE, "unacceptableDialogueMode" },
};
static const struct ber_type refuse_reason_type = {
	.name = "RefuseReason", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = refuse_names,
	.n_names = ARRAY_LEN(refuse_names),
};
static const struct ber_field rtorj_fields[] = {
	{ .name = "refuseReason", AT(rtse_apdu_rtorj, refuse_reason), .type = &refuse_reason_type, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "userDataRJ", AT(rtse_apdu_rtorj, user_data), .type = &osi_any, .tag = BER_C(1),
	  .flags = BER_EXPLICIT | BER_OPTIONAL },
};
const struct ber_type rtse_apdu_rtorj_type = TYPE(rtse_apdu_rtorj, "RTORJapdu", BER_SET, BER_U(17), rtorj_fields);

static const struct ber_name abort_names[] = {
	{ RTSE_ABORT_LOCAL_SYSTEM, "localSystemProblem" }, { RTSE_ABORT_INVALID_PARAMETER, "invalidParameter" },
	{ RTSE_ABORT_UNRECOGNIZED_ACTIVITY, "unrecognizedActivity" }, { RTSE_ABORT_TEMPORARY, "temporaryProblem" },
	{ RTSE_ABORT_PROTOCOL, "protocolError" }, { RTSE_ABORT_PERMANENT, "permanentProblem" },
	{ RTSE_ABORT_USER, "userError" }, { RTSE_ABORT_TRANSFER_COMPLETED, "transferCompleted" },
};
static const struct ber_type abort_reason_type = {
	.name = "AbortReason", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = abort_names,
	.n_names = ARRAY_LEN(abort_names),
};
static const struct ber_field rtab_fields[] = {
	{ .name = "abortReason", AT(rtse_apdu_rtab, reason), .type = &abort_reason_type, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "reflectedParameter", AT(rtse_apdu_rtab, reflected), .type = &osi_bits, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
	{ .name = "userdataAB", AT(rtse_apdu_rtab, user_data), .type = &osi_any, .tag = BER_C(2),
	  .flags = BER_EXPLICIT | BER_OPTIONAL },
};
const struct ber_type rtse_apdu_rtab_type = TYPE(rtse_apdu_rtab, "RTABapdu", BER_SET, BER_U(17), rtab_fields);

static const struct ber_field apdu_fields[] = {
	{ .name = "rtorq-apdu", AT(rtse_apdu, rtorq), .type = &rtse_apdu_rtorq_type, .tag = BER_C(16) },
	{ .name = "rtoac-apdu", AT(rtse_apdu, rtoac), .type = &rtse_apdu_rtoac_type, .tag = BER_C(17) },
	{ .name = "rtorj-apdu", AT(rtse_apdu, rtorj), .type = &rtse_apdu_rtorj_type, .tag = BER_C(18) },
	{ .name = "rttp-apdu", AT(rtse_apdu, rttp), .type = &osi_integer, .tag = BER_NO_TAG },
	{ .name = "rttr-apdu", AT(rtse_apdu, rttr), .type = &osi_octets, .tag = BER_NO_TAG },
	{ .name = "rtab-apdu", AT(rtse_apdu, rtab), .type = &rtse_apdu_rtab_type, .tag = BER_C(22) },
};
const struct ber_type rtse_apdu_type = TYPE(rtse_apdu, "RTSE-apdus", BER_CHOICE, BER_NO_TAG, apdu_fields);

const char *rtse_refuse_reason_name(int64_t reason)
{
	for (size_t i = 0; i < ARRAY_LEN(refuse_names); i++) {
		if (refuse_names[i].value == reason)
			return refuse_names[i].name;
	}
	return "unknown reason";
}

const char *rtse_abort_reason_name(int64_t reason)
{
	for (size_t i = 0; i < ARRAY_LEN(abort_names); i++) {
		if (abort_names[i].value == reason)
			return abort_names[i].name;
	}
	return "unknown reason";
}
