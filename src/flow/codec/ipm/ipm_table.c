/* ipm_table.c - X.420 clauses 7 and 8: heading, body, notifications. */
#include "flow/codec/ipm/ipm_asn1.h"

#include "flow/codec/ipm/ipm_table_private.h"

/* --- heading, 7.2 --- */

static const struct ber_type descriptors_type = LIST("SEQUENCE OF ORDescriptor", BER_SEQ_OF, BER_U(U_SEQ), ipm_or_descriptor_type);
static const struct ber_type specifiers_type =
	LIST("SEQUENCE OF RecipientSpecifier", BER_SEQ_OF, BER_U(U_SEQ), ipm_recipient_specifier_type);
static const struct ber_type identifiers_type = LIST("SEQUENCE OF IPMIdentifier", BER_SEQ_OF, BER_U(U_SEQ), ipm_identifier_type);
static const struct ber_type subject_type = STRING("SubjectField", BER_STRING, BER_U(U_TELETEX), 0, 128);
static const struct ber_name importance_names[] = { { IPM_LOW, "low" }, { IPM_NORMAL, "normal" }, { IPM_HIGH, "high" } };
static const struct ber_type importance_type = NUMBER("ImportanceField", BER_ENUM, BER_U(U_ENUM), importance_names);
static const struct ber_name sensitivity_names[] = {
	{ IPM_PERSONAL, "personal" }, { IPM_PRIVATE, "private" }, { IPM_COMPANY_CONFIDENTIAL, "company-confidential" },
};
static const struct ber_type sensitivity_type = NUMBER("SensitivityField", BER_ENUM, BER_U(U_ENUM), sensitivity_names);

#define HEADING(member, spelt, type, tag, flags) FIELD(ipm_heading, member, spelt, type, tag, flags)
static const struct ber_field heading_fields[] = {
	[IPM_H_THIS] = HEADING(this_ipm, "this-IPM", ipm_identifier_type, BER_NO_TAG, 0),
	[IPM_H_ORIGINATOR] = HEADING(originator, "originator", ipm_or_descriptor_type, BER_C(0), OPT),
	[IPM_H_AUTHORIZING] = HEADING(authorizing_users, "authorizing-users", descriptors_type, BER_C(1), OPT),
	[IPM_H_PRIMARY] = HEADING(primary_recipients, "primary-recipients", specifiers_type, BER_C(2), OPT),
	[IPM_H_COPY] = HEADING(copy_recipients, "copy-recipients", specifiers_type, BER_C(3), OPT),
	[IPM_H_BLIND_COPY] = HEADING(blind_copy_recipients, "blind-copy-recipients", specifiers_type, BER_C(4), OPT),
	[IPM_H_REPLIED_TO] = HEADING(replied_to, "replied-to-IPM", ipm_identifier_type, BER_C(5), OPT),
	[IPM_H_OBSOLETED] = HEADING(obsoleted, "obsoleted-IPMs", identifiers_type, BER_C(6), OPT),
	[IPM_H_RELATED] = HEADING(related, "related-IPMs", identifiers_type, BER_C(7), OPT),
	[IPM_H_SUBJECT] = HEADING(subject, "subject", subject_type, BER_C(8), OPT | BER_EXPLICIT),
	[IPM_H_EXPIRY] = HEADING(expiry_time, "expiry-time", ipm_utc_time_type, BER_C(9), OPT),
	[IPM_H_REPLY_TIME] = HEADING(reply_time, "reply-time", ipm_utc_time_type, BER_C(10), OPT),
	[IPM_H_REPLY_RECIPIENTS] = HEADING(reply_recipients, "reply-recipients", descriptors_type, BER_C(11), OPT),
	[IPM_H_IMPORTANCE] = FIELD_DEFAULT(ipm_heading, importance, "importance", importance_type, BER_C(12), IPM_NORMAL),
	[IPM_H_SENSITIVITY] = HEADING(sensitivity, "sensitivity", sensitivity_type, BER_C(13), OPT),
	[IPM_H_AUTO_FORWARDED] = FIELD_DEFAULT(ipm_heading, auto_forwarded, "auto-forwarded", ipm_bool_type, BER_C(14), false),
	[IPM_H_EXTENSIONS] = HEADING(extensions, "extensions", ipm_extensions_type, BER_C(15), OPT),
};
const struct ber_type ipm_heading_type = TABLE(ipm_heading, "Heading", BER_SET, BER_U(U_SET), heading_fields);

/* --- basic body parts, 7.3 --- */

static const struct ber_name repertoire_names[] = { { 2, "ita2" }, { 5, "ia5" } };
static const struct ber_type repertoire_type = NUMBER("Repertoire", BER_ENUM, BER_U(U_ENUM), repertoire_names);
static const struct ber_field ia5_parameters_fields[] = {
	FIELD_DEFAULT(ipm_ia5_parameters, repertoire, "repertoire", repertoire_type, BER_C(0), 5),
};
const struct ber_type ipm_ia5_parameters_type =
	TABLE(ipm_ia5_parameters, "IA5TextParameters", BER_SET, BER_U(U_SET), ia5_parameters_fields);
static const struct ber_field ia5_fields[] = {
	FIELD(ipm_ia5_part, parameters, "parameters", ipm_ia5_parameters_type, BER_NO_TAG, 0),
	FIELD(ipm_ia5_part, data, "data", ipm_ia5_string_type, BER_NO_TAG, 0),
};
static const struct ber_type ia5_type = TABLE(ipm_ia5_part, "IA5TextBodyPart", BER_SEQ, BER_U(U_SEQ), ia5_fields);

static const struct ber_field g3_parameters_fields[] = {
	FIELD(ipm_g3_parameters, number_of_pages, "number-of-pages", ipm_integer_type, BER_C(0), OPT),
	FIELD(ipm_g3_parameters, non_basic, "non-basic-parameters", ipm_bits_type, BER_C(1), OPT),
};
const struct ber_type ipm_g3_parameters_type =
	TABLE(ipm_g3_parameters, "G3FacsimileParameters", BER_SET, BER_U(U_SET), g3_parameters_fields);
const struct ber_type ipm_g3_data_type = LIST("G3FacsimileData", BER_SEQ_OF, BER_U(U_SEQ), ipm_bits_type);
static const struct ber_field g3_fields[] = {
	FIELD(ipm_g3_part, parameters, "parameters", ipm_g3_parameters_type, BER_NO_TAG, 0),
	FIELD(ipm_g3_part, data, "data", ipm_g3_data_type, BER_NO_TAG, 0),
};
static const struct ber_type g3_type = TABLE(ipm_g3_part, "G3FacsimileBodyPart", BER_SEQ, BER_U(U_SEQ), g3_fields);

static const struct ber_field teletex_parameters_fields[] = {
	FIELD(ipm_teletex_parameters, number_of_pages, "number-of-pages", ipm_integer_type, BER_C(0), OPT),
	FIELD_DEFAULT(ipm_teletex_parameters, telex_compatible, "telex-compatible", ipm_bool_type, BER_C(1), false),
};
const struct ber_type ipm_teletex_parameters_type =
	TABLE(ipm_teletex_parameters, "TeletexParameters", BER_SET, BER_U(U_SET), teletex_parameters_fields);
const struct ber_type ipm_teletex_data_type = LIST("TeletexData", BER_SEQ_OF, BER_U(U_SEQ), ipm_teletex_string_type);
static const struct ber_field teletex_fields[] = {
	FIELD(ipm_teletex_part, parameters, "parameters", ipm_teletex_parameters_type, BER_NO_TAG, 0),
	FIELD(ipm_teletex_part, data, "data", ipm_teletex_data_type, BER_NO_TAG, 0),
};
static const struct ber_type teletex_type = TABLE(ipm_teletex_part, "TeletexBodyPart", BER_SEQ, BER_U(U_SEQ), teletex_fields);

static const struct ber_name syntax_names[] = { { 0, "ids" }, { 1, "data-syntax1" }, { 2, "data-syntax2" }, { 3, "data-syntax3" } };
static const struct ber_type syntax_type = NUMBER("VideotexSyntax", BER_INT, BER_U(U_INTEGER), syntax_names);
static const struct ber_field videotex_parameters_fields[] = {
	FIELD(ipm_videotex_parameters, syntax, "syntax", syntax_type, BER_C(0), OPT),
};
const struct ber_type ipm_videotex_parameters_type =
	TABLE(ipm_videotex_parameters, "VideotexParameters", BER_SET, BER_U(U_SET), videotex_parameters_fields);
static const struct ber_field videotex_fields[] = {
	FIELD(ipm_videotex_part, parameters, "parameters", ipm_videotex_parameters_type, BER_NO_TAG, 0),
	FIELD(ipm_videotex_part, data, "data", ipm_videotex_string_type, BER_NO_TAG, 0),
};
static const struct ber_type videotex_type = TABLE(ipm_videotex_part, "VideotexBodyPart", BER_SEQ, BER_U(U_SEQ), videotex_fields);

static const struct ber_field encrypted_fields[] = {
	FIELD(ipm_encrypted_part, parameters, "parameters", ipm_tlv_list_of_set_type, BER_NO_TAG, 0),
	FIELD(ipm_encrypted_part, data, "data", ipm_bits_type, BER_NO_TAG, 0),
};
static const struct ber_type encrypted_type = TABLE(ipm_encrypted_part, "EncryptedBodyPart", BER_SEQ, BER_U(U_SEQ), encrypted_fields);

/* X.420 (1984) 3.3.1: parameters for further study, then the bits. */
static const struct ber_type voice_type = TABLE(ipm_encrypted_part, "VoiceBodyPart", BER_SEQ, BER_U(U_SEQ), encrypted_fields);

static const struct ber_field message_parameters_fields[] = {
	[IPM_MESSAGE_DELIVERY_TIME] = FIELD(ipm_message_parameters, delivery_time, "delivery-time", ipm_utc_time_type, BER_C(0), OPT),
	[IPM_MESSAGE_ENVELOPE] = FIELD(ipm_message_parameters, delivery_envelope, "delivery-envelope", ipm_delivery_envelope_type,
				       BER_C(1), OPT | BER_POINTER),
};
const struct ber_type ipm_message_parameters_type =
	TABLE(ipm_message_parameters, "MessageParameters", BER_SET, BER_U(U_SET), message_parameters_fields);
static const struct ber_field message_part_fields[] = {
	FIELD(ipm_message_part, parameters, "parameters", ipm_message_parameters_type, BER_NO_TAG, 0),
	FIELD(ipm_message_part, data, "data", ipm_message_type, BER_NO_TAG, BER_POINTER),
};
static const struct ber_type message_part_type = TABLE(ipm_message_part, "MessageBodyPart", BER_SEQ, BER_U(U_SEQ), message_part_fields);
static const struct ber_field message_part_outer_fields[] = {
	FIELD(ipm_message_part, parameters, "parameters", ipm_message_parameters_type, BER_NO_TAG, 0),
	FIELD(ipm_message_part, data, "data", ipm_message_outer_type, BER_NO_TAG, BER_POINTER),
};
static const struct ber_type message_part_outer_type =
	TABLE(ipm_message_part, "MessageBodyPart", BER_SEQ, BER_U(U_SEQ), message_part_outer_fields);

static const struct ber_field extended_fields[] = {
	[IPM_EXTENDED_PARAMETERS] = FIELD(ipm_extended_part, parameters, "parameters", ipm_external_type, BER_C(0), OPT),
	[IPM_EXTENDED_DATA] = FIELD(ipm_extended_part, data, "data", ipm_external_type, BER_NO_TAG, 0),
};
static const struct ber_type extended_type = TABLE(ipm_extended_part, "ExtendedBodyPart", BER_SEQ, BER_U(U_SEQ), extended_fields);

#define PART(which, member, spelt, type, number) \
	[which - 1] = FIELD(ipm_body_part, member, spelt, type, BER_C(number), 0)
#define PARTS(message_type)                                                                  \
	PART(IPM_BASIC_IA5, ia5, "ia5-text", ia5_type, 0),                                   \
	PART(IPM_BASIC_G3, g3, "g3-facsimile", g3_type, 3),                                  \
	PART(IPM_BASIC_G4, g4, "g4-class1", ipm_tlv_list_type, 4),                           \
	PART(IPM_BASIC_TELETEX, teletex, "teletex", teletex_type, 5),                        \
	PART(IPM_BASIC_VIDEOTEX, videotex, "videotex", videotex_type, 6),                    \
	PART(IPM_BASIC_NATIONAL, national, "nationally-defined", ipm_any_type, 7),           \
	PART(IPM_BASIC_ENCRYPTED, encrypted, "encrypted", encrypted_type, 8),                \
	PART(IPM_BASIC_MESSAGE, message, "message", message_type, 9),                        \
	PART(IPM_BASIC_MIXED, mixed, "mixed-mode", ipm_tlv_list_type, 11),                   \
	PART(IPM_BASIC_BILATERAL, bilateral, "bilaterally-defined", ipm_octets_type, 14),    \
	PART(IPM_BASIC_EXTENDED, extended, "extended", extended_type, 15),                   \
	PART(IPM_BASIC_VOICE, voice, "voice", voice_type, 2),                                \
	PART(IPM_BASIC_SFD, sfd, "sfd", ipm_tlv_list_type, 10)

static const struct ber_field body_part_fields[] = { PARTS(message_part_type) };
static const struct ber_field body_part_outer_fields[] = { PARTS(message_part_outer_type) };
const struct ber_type ipm_body_part_type = TABLE(ipm_body_part, "BodyPart", BER_CHOICE, BER_NO_TAG, body_part_fields);
const struct ber_type ipm_body_part_outer_type = TABLE(ipm_body_part, "BodyPart", BER_CHOICE, BER_NO_TAG, body_part_outer_fields);

/* --- IPM, 7.1 --- */

static const struct ber_type body_type = LIST("Body", BER_SEQ_OF, BER_U(U_SEQ), ipm_body_part_type);
static const struct ber_field message_fields[] = {
	FIELD(ipm_message, heading, "heading", ipm_heading_type, BER_NO_TAG, 0),
	FIELD(ipm_message, body, "body", body_type, BER_NO_TAG, 0),
};
const struct ber_type ipm_message_type = TABLE(ipm_message, "IPM", BER_SEQ, BER_U(U_SEQ), message_fields);
static const struct ber_type body_outer_type = LIST("Body", BER_SEQ_OF, BER_U(U_SEQ), ipm_any_type);
static const struct ber_field message_outer_fields[] = {
	FIELD(ipm_message, heading, "heading", ipm_heading_type, BER_NO_TAG, 0),
	FIELD(ipm_message, body, "body", body_outer_type, BER_NO_TAG, 0),
};
const struct ber_type ipm_message_outer_type = TABLE(ipm_message, "IPM", BER_SEQ, BER_U(U_SEQ), message_outer_fields);

/* --- notifications, 8 --- */

static const struct ber_name reason_names[] = { { 0, "ipm-discarded" }, { 1, "ipm-auto-forwarded" } };
static const struct ber_type non_receipt_reason_type = NUMBER("NonReceiptReasonField", BER_ENUM, BER_U(U_ENUM), reason_names);
static const struct ber_name discard_names[] = {
	{ 0, "ipm-expired" }, { 1, "ipm-obsoleted" }, { 2, "user-subscription-terminated" }, { 3, "ipm-deleted" },
};
static const struct ber_type discard_type = NUMBER("DiscardReasonField", BER_ENUM, BER_U(U_ENUM), discard_names);
static const struct ber_type comment_type = STRING("AutoForwardCommentField", BER_STRING, BER_U(U_PRINTABLE), 0, 256);
static const struct ber_type supplementary_type = STRING("SupplReceiptInfoField", BER_STRING, BER_U(U_PRINTABLE), 1, 256);

#define NON_RECEIPT(returned_type)                                                                                    \
	[IPM_NRN_REASON] = FIELD(ipm_non_receipt, reason, "non-receipt-reason", non_receipt_reason_type, BER_C(0), 0), \
	[IPM_NRN_DISCARD] = FIELD(ipm_non_receipt, discard_reason, "discard-reason", discard_type, BER_C(1), OPT),    \
	[IPM_NRN_COMMENT] = FIELD(ipm_non_receipt, auto_forward_comment, "auto-forward-comment", comment_type, BER_C(2), OPT), \
	[IPM_NRN_RETURNED] = FIELD(ipm_non_receipt, returned, "returned-ipm", returned_type, BER_C(3), OPT | BER_POINTER), \
	[IPM_NRN_EXTENSIONS] = FIELD(ipm_non_receipt, extensions, "nrn-extensions", ipm_extensions_type, BER_C(4), OPT)
static const struct ber_field non_receipt_fields[] = { NON_RECEIPT(ipm_message_type) };
static const struct ber_field non_receipt_outer_fields[] = { NON_RECEIPT(ipm_message_outer_type) };
static const struct ber_type non_receipt_type = TABLE(ipm_non_receipt, "NonReceiptFields", BER_SET, BER_U(U_SET), non_receipt_fields);
static const struct ber_type non_receipt_outer_type =
	TABLE(ipm_non_receipt, "NonReceiptFields", BER_SET, BER_U(U_SET), non_receipt_outer_fields);

static const struct ber_name mode_names[] = { { 0, "manual" }, { 1, "automatic" } };
static const struct ber_type mode_type = NUMBER("AcknowledgmentModeField", BER_ENUM, BER_U(U_ENUM), mode_names);
static const struct ber_field receipt_fields[] = {
	[IPM_RN_TIME] = FIELD(ipm_receipt, receipt_time, "receipt-time", ipm_utc_time_type, BER_C(0), 0),
	[IPM_RN_MODE] = FIELD_DEFAULT(ipm_receipt, acknowledgment, "acknowledgment-mode", mode_type, BER_C(1), 0),
	[IPM_RN_SUPPLEMENTARY] = FIELD(ipm_receipt, supplementary, "suppl-receipt-info", supplementary_type, BER_C(2), OPT),
	[IPM_RN_EXTENSIONS] = FIELD(ipm_receipt, extensions, "rn-extensions", ipm_extensions_type, BER_C(3), OPT),
};
static const struct ber_type receipt_type = TABLE(ipm_receipt, "ReceiptFields", BER_SET, BER_U(U_SET), receipt_fields);

#define NOTIFICATION(form_type)                                                                                        \
	FIELD(ipm_notification_fields, non_receipt, "non-receipt-fields", form_type, BER_C(0), 0),                     \
	FIELD(ipm_notification_fields, receipt, "receipt-fields", receipt_type, BER_C(1), 0),                          \
	FIELD(ipm_notification_fields, other, "other-notification-type-fields", ipm_extensions_type, BER_C(2), 0)
static const struct ber_field notification_fields[] = { NOTIFICATION(non_receipt_type) };
static const struct ber_field notification_outer_fields[] = { NOTIFICATION(non_receipt_outer_type) };
static const struct ber_type notification_type =
	TABLE(ipm_notification_fields, "choice", BER_CHOICE, BER_NO_TAG, notification_fields);
static const struct ber_type notification_outer_type =
	TABLE(ipm_notification_fields, "choice", BER_CHOICE, BER_NO_TAG, notification_outer_fields);

#define IPN(choice_type)                                                                                              \
	[IPM_IPN_EITS] = FIELD(ipm_ipn, eits, "conversion-eits", ipm_eits_type, BER_NO_TAG, OPT | BER_POINTER),        \
	[IPM_IPN_SUBJECT] = FIELD(ipm_ipn, subject_ipm, "subject-ipm", ipm_identifier_type, BER_NO_TAG, 0),            \
	[IPM_IPN_FIELDS] = FIELD(ipm_ipn, fields, "choice", choice_type, BER_C(0), BER_EXPLICIT),                      \
	[IPM_IPN_ORIGINATOR] = FIELD(ipm_ipn, originator, "ipn-originator", ipm_or_descriptor_type, BER_C(1), OPT),    \
	[IPM_IPN_INTENDED] = FIELD(ipm_ipn, intended_recipient, "ipm-intended-recipient", ipm_or_descriptor_type, BER_C(2), OPT), \
	[IPM_IPN_EXTENSIONS] = FIELD(ipm_ipn, extensions, "notification-extensions", ipm_extensions_type, BER_C(3), OPT)
static const struct ber_field ipn_fields[] = { IPN(notification_type) };
static const struct ber_field ipn_outer_fields[] = { IPN(notification_outer_type) };
const struct ber_type ipm_ipn_type = TABLE(ipm_ipn, "IPN", BER_SET, BER_U(U_SET), ipn_fields);
const struct ber_type ipm_ipn_outer_type = TABLE(ipm_ipn, "IPN", BER_SET, BER_U(U_SET), ipn_outer_fields);

static const struct ber_field object_fields[] = {
	[IPM_OBJECT_IPM - 1] = FIELD(ipm_object, ipm, "ipm", ipm_message_type, BER_C(0), 0),
	[IPM_OBJECT_IPN - 1] = FIELD(ipm_object, ipn, "ipn", ipm_ipn_type, BER_C(1), 0),
};
const struct ber_type ipm_object_type = TABLE(ipm_object, "InformationObject", BER_CHOICE, BER_NO_TAG, object_fields);
static const struct ber_field object_outer_fields[] = {
	[IPM_OBJECT_IPM - 1] = FIELD(ipm_object, ipm, "ipm", ipm_message_outer_type, BER_C(0), 0),
	[IPM_OBJECT_IPN - 1] = FIELD(ipm_object, ipn, "ipn", ipm_ipn_outer_type, BER_C(1), 0),
};
const struct ber_type ipm_object_outer_type = TABLE(ipm_object, "InformationObject", BER_CHOICE, BER_NO_TAG, object_outer_fields);
