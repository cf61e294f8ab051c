/* ipm_mm_table.c - military heading extensions and body parts (STANAG 4406 annex A). Names of 0 to 15 are NATO's, those beyond are
 * used by some nations. */
#include "flow/codec/ipm/ipm_asn1.h"

#include "flow/codec/ipm/ipm_table_private.h"

/* --- values of extensions --- */

static const struct ber_name precedence_names[] = {
	{ 0, "deferred" }, { 1, "routine" }, { 2, "priority" }, { 3, "immediate" }, { 4, "flash" }, { 5, "override" },
	{ 16, "ecp" }, { 17, "critic" }, { 18, "override" },
};
const struct ber_type ipm_mm_precedence_type = NUMBER("MMHSPrecedence", BER_INT, BER_U(U_INTEGER), precedence_names);
const struct ber_type ipm_mm_codress_type = { .name = "CodressMessage", .kind = BER_INT, .tag = BER_U(U_INTEGER),
					      .size = sizeof(int64_t) };
const struct ber_type ipm_mm_string_type = STRING("MilitaryString", BER_STRING, BER_U(U_PRINTABLE), 1, 69);
const struct ber_type ipm_mm_strings_type = LIST("SEQUENCE OF MilitaryString", BER_SEQ_OF, BER_U(U_SEQ), ipm_mm_string_type);
const struct ber_type ipm_mm_exempted_type = LIST("ExemptedAddress", BER_SEQ_OF, BER_U(U_SEQ), ipm_or_descriptor_type);

static const struct ber_name message_names[] = { { 0, "exercise" }, { 1, "operation" }, { 2, "project" }, { 3, "drill" } };
static const struct ber_type message_kind_type = NUMBER("TypeMessage", BER_INT, BER_U(U_INTEGER), message_names);
static const struct ber_field message_fields[] = {
	FIELD(ipm_mm_message_type, type, "type", message_kind_type, BER_C(0), 0),
	FIELD(ipm_mm_message_type, identifier, "identifier", ipm_mm_string_type, BER_C(1), OPT),
};
const struct ber_type ipm_mm_message_type_type = TABLE(ipm_mm_message_type, "MessageType", BER_SET, BER_U(U_SET), message_fields);

static const struct ber_type sic_type = STRING("Sic", BER_STRING, BER_U(U_PRINTABLE), 3, 8);
static const struct ber_type sics_type = LIST("SEQUENCE OF Sic", BER_SEQ_OF, BER_U(U_SEQ), sic_type);
static const struct ber_field extension_fields[] = {
	FIELD(ipm_mm_distribution_extension, type, "dist-type", ipm_oid_type, BER_NO_TAG, 0),
	FIELD(ipm_mm_distribution_extension, value, "dist-value", ipm_any_type, BER_NO_TAG, 0),
};
static const struct ber_type extension_type =
	TABLE(ipm_mm_distribution_extension, "DistributionExtensionField", BER_SEQ, BER_U(U_SEQ), extension_fields);
static const struct ber_type extensions_type = LIST("SEQUENCE OF DistributionExtensionField", BER_SEQ_OF, BER_U(U_SEQ), extension_type);
static const struct ber_field codes_fields[] = {
	FIELD(ipm_mm_distribution_codes, sics, "sics", sics_type, BER_C(0), OPT),
	FIELD(ipm_mm_distribution_codes, extensions, "dist-Extensions", extensions_type, BER_C(1), OPT),
};
const struct ber_type ipm_mm_distribution_codes_type =
	TABLE(ipm_mm_distribution_codes, "DistributionCodes", BER_SET, BER_U(U_SET), codes_fields);

static const struct ber_name list_names[] = { { 0, "primaryAddressList" }, { 1, "copyAddressList" } };
static const struct ber_type list_kind_type = NUMBER("type", BER_INT, BER_U(U_INTEGER), list_names);
static const struct ber_name request_names[] = { { 0, "action" }, { 1, "info" }, { 2, "both" } };
static const struct ber_type request_type = NUMBER("AddressListRequest", BER_INT, BER_U(U_INTEGER), request_names);
static const struct ber_field list_fields[] = {
	FIELD(ipm_mm_address_list, type, "type", list_kind_type, BER_C(0), 0),
	FIELD(ipm_mm_address_list, name, "listName", ipm_or_descriptor_type, BER_C(1), 0),
	FIELD(ipm_mm_address_list, notification_request, "notificationRequest", request_type, BER_C(2), OPT),
	FIELD(ipm_mm_address_list, reply_request, "replyRequest", request_type, BER_C(3), OPT),
};
static const struct ber_type list_type = TABLE(ipm_mm_address_list, "AddressListDesignator", BER_SET, BER_U(U_SET), list_fields);
const struct ber_type ipm_mm_address_lists_type = LIST("AddressListIndicator", BER_SEQ_OF, BER_U(U_SEQ), list_type);

static const struct ber_name recipient_names[] = { { 0, "primary" }, { 1, "copy" } };
static const struct ber_type recipient_kind_type = NUMBER("type", BER_INT, BER_U(U_INTEGER), recipient_names);
static const struct ber_field recipient_fields[] = {
	FIELD(ipm_mm_other_recipient, type, "type", recipient_kind_type, BER_C(0), 0),
	FIELD(ipm_mm_other_recipient, designator, "designator", ipm_mm_string_type, BER_C(1), 0),
};
static const struct ber_type recipient_type =
	TABLE(ipm_mm_other_recipient, "OtherRecipientDesignator", BER_SET, BER_U(U_SET), recipient_fields);
const struct ber_type ipm_mm_other_recipients_type =
	LIST("SEQUENCE OF OtherRecipientDesignator", BER_SEQ_OF, BER_U(U_SEQ), recipient_type);

/* X.411's label is not taken apart: what it says is its policy's. */
const struct ber_type ipm_security_label_type = { .name = "SecurityLabel", .kind = BER_SET, .tag = BER_U(U_SET),
						  .size = sizeof(struct ber_seq) };

static const struct ber_field pilot_fields[] = {
	FIELD(ipm_mm_pilot, precedence, "pilotPrecedence", ipm_mm_precedence_type, BER_C(0), OPT),
	FIELD(ipm_mm_pilot, recipients, "pilotRecipient", ipm_mm_exempted_type, BER_C(1), OPT),
	FIELD(ipm_mm_pilot, security, "pilotSecurity", ipm_security_label_type, BER_C(2), OPT),
	FIELD(ipm_mm_pilot, handling, "pilotHandling", ipm_mm_strings_type, BER_C(3), OPT),
};
static const struct ber_type pilot_type = TABLE(ipm_mm_pilot, "PilotInformation", BER_SEQ, BER_U(U_SEQ), pilot_fields);
const struct ber_type ipm_mm_pilot_type = LIST("SEQUENCE OF PilotInformation", BER_SEQ_OF, BER_U(U_SEQ), pilot_type);

static const struct ber_field part_label_fields[] = {
	FIELD(ipm_mm_body_part_label, label, "body-part-security-label", ipm_security_label_type, BER_C(0), 0),
	FIELD(ipm_mm_body_part_label, number, "body-part-sequence-number", ipm_integer_type, BER_C(1), OPT),
};
static const struct ber_type part_label_type =
	TABLE(ipm_mm_body_part_label, "BodyPartSecurityLabel", BER_SET, BER_U(U_SET), part_label_fields);
static const struct ber_type part_labels_type = LIST("SEQUENCE OF BodyPartSecurityLabel", BER_SEQ_OF, BER_U(U_SEQ), part_label_type);
static const struct ber_field labels_fields[] = {
	FIELD(ipm_mm_labels, content, "content-security-label", ipm_security_label_type, BER_C(0), 0),
	FIELD(ipm_mm_labels, heading, "heading-security-label", ipm_security_label_type, BER_C(1), OPT),
	FIELD(ipm_mm_labels, parts, "body-part-security-labels", part_labels_type, BER_C(2), OPT),
};
const struct ber_type ipm_mm_labels_type = TABLE(ipm_mm_labels, "SecurityInformationLabels", BER_SEQ, BER_U(U_SEQ), labels_fields);

static const struct ber_name notification_names[] = { { 0, "acp127-nn" }, { 1, "acp127-pn" }, { 2, "acp127-tn" } };
const struct ber_type ipm_mm_acp127_request_type = BITSET("Acp127NotificationType", notification_names);
static const struct ber_type big_string_type = STRING("PrintableString", BER_STRING, BER_U(U_PRINTABLE), 1, 128);
static const struct ber_field response_fields[] = {
	FIELD(ipm_mm_acp127_response, type, "acp127-notification-type", ipm_mm_acp127_request_type, BER_C(0), 0),
	FIELD(ipm_mm_acp127_response, receipt_time, "receipt-time", ipm_utc_time_type, BER_C(1), 0),
	FIELD(ipm_mm_acp127_response, lists, "addressListIndicator", ipm_mm_address_lists_type, BER_C(2), OPT),
	FIELD(ipm_mm_acp127_response, recipient, "acp127-recipient", big_string_type, BER_C(3), OPT),
	FIELD(ipm_mm_acp127_response, supplementary, "acp127-supp-info", big_string_type, BER_C(4), OPT),
};
const struct ber_type ipm_mm_acp127_response_type =
	TABLE(ipm_mm_acp127_response, "Acp127NotificationResponse", BER_SET, BER_U(U_SET), response_fields);

/* --- body part signatures, X.420 annex A --- */

/* X.509's: a SIGNATURE, a CertificateAssertion. */
static const struct ber_type sequence_type = { .name = "SEQUENCE", .kind = BER_SEQ, .tag = BER_U(U_SEQ), .size = sizeof(struct ber_seq) };
static const struct ber_field signature_fields[] = {
	FIELD(ipm_body_part_signature, number, "body-part-number", ipm_integer_type, BER_NO_TAG, 0),
	FIELD(ipm_body_part_signature, signature, "body-part-signature", sequence_type, BER_NO_TAG, 0),
	FIELD(ipm_body_part_signature, certificate_selector, "originator-certificate-selector", sequence_type, BER_C(1), OPT),
	FIELD(ipm_body_part_signature, certificates, "originator-certificates", ipm_tlv_list_of_set_type, BER_C(0), OPT),
};
static const struct ber_type signature_type =
	TABLE(ipm_body_part_signature, "BodyPartSignature", BER_SET, BER_U(U_SET), signature_fields);
const struct ber_type ipm_signatures_type = LIST("BodyPartSignatures", BER_SET_OF, BER_U(U_SET), signature_type);

/* --- body parts --- */

static const struct ber_type sets_type = LIST("SEQUENCE OF IA5String", BER_SEQ_OF, BER_U(U_SEQ), ipm_ia5_string_type);
static const struct ber_field adatp3_fields[] = {
	[IPM_ADATP3_LINES - 1] = FIELD(ipm_adatp3, line_oriented, "lineOriented", ipm_ia5_string_type, BER_C(0), 0),
	[IPM_ADATP3_SETS - 1] = FIELD(ipm_adatp3, set_oriented, "setOriented", sets_type, BER_C(1), 0),
};
const struct ber_type ipm_adatp3_type = TABLE(ipm_adatp3, "ADatP3Data", BER_CHOICE, BER_NO_TAG, adatp3_fields);

const struct ber_type *ipm_mm_value_type(struct view oid)
{
	static const struct {
		uint8_t n; /* {id-nato-mmhs-et n} */
		const struct ber_type *type;
	} rows[] = {
		{ 0, &ipm_adatp3_type }, { 1, &ipm_ia5_string_type }, { 2, &ipm_integer_type }, { 3, &ipm_integer_type },
		{ 6, &ipm_bits_type }, { 7, &ipm_message_parameters_type }, { 9, &ipm_message_type },
		{ 10, &ipm_message_parameters_type }, { 12, &ipm_ia5_string_type }, { 13, &ipm_integer_type },
	};
	if (oid.n != 8 || !view_eq(view_first(oid, 7), VIEW("\x2b\x1a\x00\xa2\x36\x00\x07")))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].n == oid.p[7])
			return rows[i].type;
	return NULL;
}
