/* ipm_base_table.c - the small types, extensions and what X.420 takes from X.411. */
#include "flow/codec/ipm/ipm_asn1.h"

#include "flow/codec/ipm/ipm_table_private.h"

const struct ber_type ipm_any_type = { .name = "ANY", .kind = BER_ANY, .tag = BER_NO_TAG, .size = sizeof(struct view) };
const struct ber_type ipm_null_type = { .name = "NULL", .kind = BER_NULL, .tag = BER_U(U_NULL), .size = 1 };
const struct ber_type ipm_bool_type = { .name = "BOOLEAN", .kind = BER_BOOL, .tag = BER_U(U_BOOLEAN), .size = sizeof(bool) };
const struct ber_type ipm_integer_type = {
	.name = "INTEGER", .kind = BER_INT, .tag = BER_U(U_INTEGER), .size = sizeof(int64_t),
};
const struct ber_type ipm_bits_type = {
	.name = "BIT STRING", .kind = BER_BITS, .tag = BER_U(U_BITS), .size = sizeof(struct ber_bits),
};
const struct ber_type ipm_oid_type = STRING("OBJECT IDENTIFIER", BER_OID, BER_U(U_OID), 0, 0);
const struct ber_type ipm_octets_type = STRING("OCTET STRING", BER_OCTETS, BER_U(U_OCTETS), 0, 0);
const struct ber_type ipm_printable_type = STRING("PrintableString", BER_STRING, BER_U(U_PRINTABLE), 0, 0);
const struct ber_type ipm_ia5_string_type = STRING("IA5String", BER_STRING, BER_U(U_IA5), 0, 0);
const struct ber_type ipm_teletex_string_type = STRING("TeletexString", BER_STRING, BER_U(U_TELETEX), 0, 0);
const struct ber_type ipm_videotex_string_type = STRING("VideotexString", BER_STRING, BER_U(U_VIDEOTEX), 0, 0);
const struct ber_type ipm_graphic_string_type = STRING("GraphicString", BER_STRING, BER_U(U_GRAPHIC), 0, 0);
const struct ber_type ipm_general_string_type = STRING("GeneralString", BER_STRING, BER_U(U_GENERAL), 0, 0);
const struct ber_type ipm_utc_time_type = STRING("UTCTime", BER_TIME, BER_U(U_UTC_TIME), 0, 0);
const struct ber_type ipm_generalized_time_type = STRING("GeneralizedTime", BER_TIME, BER_U(U_GENERALIZED_TIME), 0, 0);
const struct ber_type ipm_graphic_list_type = LIST("SEQUENCE OF GraphicString", BER_SEQ_OF, BER_U(U_SEQ), ipm_graphic_string_type);
const struct ber_type ipm_tlv_list_type = LIST("SEQUENCE OF ANY", BER_SEQ_OF, BER_U(U_SEQ), ipm_any_type);
const struct ber_type ipm_tlv_list_of_set_type = LIST("SET OF ANY", BER_SET_OF, BER_U(U_SET), ipm_any_type);

/* --- X.420 7.2.17: extensions --- */

static const struct ber_type *extension_value(const void *parent)
{
	const struct ipm_extension *x = parent;
	return ipm_ext_value_type(ipm_ext_of(x->type));
}
static const struct ber_field extension_fields[] = {
	[IPM_EXT_TYPE] = FIELD(ipm_extension, type, "type", ipm_oid_type, BER_NO_TAG, 0),
	[IPM_EXT_VALUE] = { .name = "value", .offset = offsetof(struct ipm_extension, value), .type = &ipm_any_type,
			    .tag = BER_NO_TAG, .flags = OPT, .resolve = extension_value },
};
const struct ber_type ipm_extension_type = TABLE(ipm_extension, "IPMSExtension", BER_SEQ, BER_U(U_SEQ), extension_fields);
const struct ber_type ipm_extensions_type = LIST("ExtensionsField", BER_SET_OF, BER_U(U_SET), ipm_extension_type);

/* --- X.420 7.1: who and which message --- */

static const struct ber_type free_form_type = STRING("FreeFormName", BER_STRING, BER_U(U_TELETEX), 0, 64);
static const struct ber_type telephone_type = STRING("TelephoneNumber", BER_STRING, BER_U(U_PRINTABLE), 0, 32);
static const struct ber_field descriptor_fields[] = {
	[IPM_DESCRIPTOR_FORMAL] = FIELD(ipm_or_descriptor, formal_name, "formal-name", p1_orname_type, BER_NO_TAG, OPT | BER_POINTER),
	[IPM_DESCRIPTOR_FREE_FORM] = FIELD(ipm_or_descriptor, free_form_name, "free-form-name", free_form_type, BER_C(0), OPT),
	[IPM_DESCRIPTOR_TELEPHONE] = FIELD(ipm_or_descriptor, telephone_number, "telephone-number", telephone_type, BER_C(1), OPT),
};
const struct ber_type ipm_or_descriptor_type = TABLE(ipm_or_descriptor, "ORDescriptor", BER_SET, BER_U(U_SET), descriptor_fields);

static const struct ber_type local_id_type = STRING("LocalIPMIdentifier", BER_STRING, BER_U(U_PRINTABLE), 0, 64);
static const struct ber_field identifier_fields[] = {
	[IPM_ID_LOCAL] = FIELD(ipm_identifier, local, "user-relative-identifier", local_id_type, BER_NO_TAG, 0),
	[IPM_ID_USER] = FIELD(ipm_identifier, user, "user", p1_orname_type, BER_NO_TAG, OPT | BER_POINTER),
};
const struct ber_type ipm_identifier_type = TABLE(ipm_identifier, "IPMIdentifier", BER_SET, BER_A(11), identifier_fields);

static const struct ber_name request_names[] = {
	{ 0, "rn" }, { 1, "nrn" }, { 2, "ipm-return" }, { 3, "an-supported" }, { 4, "suppress-an" },
};
static const struct ber_type requests_type = BITSET("NotificationRequests", request_names);
static const struct ber_field specifier_fields[] = {
	[IPM_RCPT_RECIPIENT] = FIELD(ipm_recipient_specifier, recipient, "recipient", ipm_or_descriptor_type, BER_C(0), 0),
	[IPM_RCPT_NOTIFICATION] = FIELD(ipm_recipient_specifier, notification_requests, "notification-requests", requests_type,
					BER_C(1), OPT),
	[IPM_RCPT_REPLY] = FIELD_DEFAULT(ipm_recipient_specifier, reply_requested, "reply-requested", ipm_bool_type, BER_C(2), false),
	[IPM_RCPT_EXTENSIONS] = FIELD(ipm_recipient_specifier, extensions, "recipient-extensions", ipm_extensions_type, BER_C(3), OPT),
};
const struct ber_type ipm_recipient_specifier_type =
	TABLE(ipm_recipient_specifier, "RecipientSpecifier", BER_SET, BER_U(U_SET), specifier_fields);

/* --- X.690 8.18: EXTERNAL --- */

static const struct ber_type *external_value(const void *parent)
{
	const struct ipm_external *x = (const void *)((const uint8_t *)parent - offsetof(struct ipm_external, encoding));
	return ipm_external_value_type(x->direct_reference);
}
static const struct ber_field encoding_fields[] = {
	[IPM_EXTERNAL_SINGLE - 1] = { .name = "single-ASN1-type", .offset = offsetof(struct ipm_external_encoding, single),
				      .type = &ipm_any_type, .tag = BER_C(0), .flags = BER_EXPLICIT, .resolve = external_value },
	[IPM_EXTERNAL_OCTETS - 1] = FIELD(ipm_external_encoding, octets, "octet-aligned", ipm_octets_type, BER_C(1), 0),
	[IPM_EXTERNAL_ARBITRARY - 1] = FIELD(ipm_external_encoding, arbitrary, "arbitrary", ipm_bits_type, BER_C(2), 0),
};
static const struct ber_type encoding_type = TABLE(ipm_external_encoding, "encoding", BER_CHOICE, BER_NO_TAG, encoding_fields);
static const struct ber_type object_descriptor_type = STRING("ObjectDescriptor", BER_STRING, BER_U(U_DESCRIPTOR), 0, 0);
static const struct ber_field external_fields[] = {
	[IPM_EXTERNAL_DIRECT] = FIELD(ipm_external, direct_reference, "direct-reference", ipm_oid_type, BER_NO_TAG, OPT),
	[IPM_EXTERNAL_INDIRECT] = FIELD(ipm_external, indirect_reference, "indirect-reference", ipm_integer_type, BER_NO_TAG, OPT),
	[IPM_EXTERNAL_DESCRIPTOR] = FIELD(ipm_external, descriptor, "data-value-descriptor", object_descriptor_type, BER_NO_TAG, OPT),
	[IPM_EXTERNAL_ENCODING] = FIELD(ipm_external, encoding, "encoding", encoding_type, BER_NO_TAG, 0),
};
const struct ber_type ipm_external_type = TABLE(ipm_external, "EXTERNAL", BER_SEQ, BER_U(U_EXTERNAL), external_fields);
const struct ber_type ipm_file_data_type = LIST("FileTransferData", BER_SEQ_OF, BER_U(U_SEQ), ipm_external_type);

/* --- X.411: encoded information types and the delivery envelope of forwarded messages --- */

static const struct ber_name built_in_names[] = {
	{ 0, "unknown" }, { 1, "telex" }, { 2, "ia5-text" }, { 3, "g3-facsimile" }, { 4, "g4-class-1" }, { 5, "teletex" },
	{ 6, "videotex" }, { 7, "voice" }, { 8, "sfd" }, { 9, "mixed-mode" },
};
static const struct ber_type built_in_type = BITSET("BuiltInEncodedInformationTypes", built_in_names);
static const struct ber_type extended_eits_type = LIST("ExtendedEncodedInformationTypes", BER_SET_OF, BER_U(U_SET), ipm_oid_type);
static const struct ber_field eits_fields[] = {
	FIELD(ipm_eits, built_in, "built-in-encoded-information-types", built_in_type, BER_C(0), 0),
	FIELD(ipm_eits, g3, "g3-facsimile", ipm_bits_type, BER_C(1), OPT),
	/* teletex [2] is carried as an unknown element */
	FIELD(ipm_eits, extended, "extended-encoded-information-types", extended_eits_type, BER_C(4), OPT),
};
const struct ber_type ipm_eits_type = TABLE(ipm_eits, "EncodedInformationTypes", BER_SET, BER_A(5), eits_fields);

static const struct ber_name priority_names[] = { { 0, "normal" }, { 1, "non-urgent" }, { 2, "urgent" } };
static const struct ber_type priority_type = NUMBER("Priority", BER_ENUM, BER_A(7), priority_names);
static const struct ber_name content_type_names[] = {
	{ 0, "unidentified" }, { 1, "external" }, { 2, "interpersonal-messaging-1984" },
	{ 22, "interpersonal-messaging-1988" }, { 35, "edi-messaging" }, { 40, "voice-messaging" },
};
static const struct ber_type content_type_type = NUMBER("BuiltInContentType", BER_INT, BER_A(6), content_type_names);
static const struct ber_name flag_names[] = { { 1, "implicit-conversion-prohibited" } };
static const struct ber_type flags_type = BITSET("DeliveryFlags", flag_names);
static const struct ber_type names_type = LIST("OtherRecipientNames", BER_SEQ_OF, BER_U(U_SEQ), p1_orname_type);
static const struct ber_type content_id_type = STRING("ContentIdentifier", BER_STRING, BER_A(10), 1, 16);
#define ENVELOPE(member, spelt, type, tag, flags) FIELD(ipm_delivery_envelope, member, spelt, type, tag, flags)
static const struct ber_field envelope_fields[] = {
	[IPM_ENV_OID] = ENVELOPE(content_type_oid, "content-type-extended", ipm_oid_type, BER_NO_TAG, OPT),
	[IPM_ENV_ORIGINATOR] = ENVELOPE(originator, "originator-name", p1_orname_type, BER_NO_TAG, OPT | BER_POINTER),
	[IPM_ENV_TYPE_1984] = ENVELOPE(content_type_1984, "content-type", content_type_type, BER_NO_TAG, OPT),
	[IPM_ENV_PRIORITY] = FIELD_DEFAULT(ipm_delivery_envelope, priority, "priority", priority_type, BER_NO_TAG, 0),
	[IPM_ENV_TYPE] = ENVELOPE(content_type, "content-type", content_type_type, BER_C(0), OPT),
	[IPM_ENV_EITS] = ENVELOPE(original_eits, "original-encoded-information-types", ipm_eits_type, BER_C(1), OPT | BER_POINTER),
	[IPM_ENV_FLAGS] = ENVELOPE(flags, "delivery-flags", flags_type, BER_C(2), OPT),
	[IPM_ENV_OTHERS] = ENVELOPE(other_recipients, "other-recipient-names", names_type, BER_C(3), OPT),
	[IPM_ENV_THIS] = ENVELOPE(this_recipient, "this-recipient-name", p1_orname_type, BER_C(4), OPT | BER_POINTER),
	[IPM_ENV_INTENDED] = ENVELOPE(intended_recipient, "originally-intended-recipient-name", p1_orname_type, BER_C(5), OPT | BER_POINTER),
	[IPM_ENV_CONVERTED] = ENVELOPE(converted_eits, "converted-encoded-information-types", ipm_eits_type, BER_C(6), OPT | BER_POINTER),
	[IPM_ENV_SUBMISSION] = ENVELOPE(submission_time, "message-submission-time", ipm_utc_time_type, BER_C(7), OPT),
	[IPM_ENV_CONTENT_ID] = ENVELOPE(content_identifier, "content-identifier", content_id_type, BER_C(8), OPT),
	[IPM_ENV_EXTENSIONS] = ENVELOPE(extensions, "extensions", ipm_tlv_list_of_set_type, BER_C(9), OPT),
};
const struct ber_type ipm_delivery_envelope_type =
	TABLE(ipm_delivery_envelope, "OtherMessageDeliveryFields", BER_SET, BER_U(U_SET), envelope_fields);

static const struct ber_type language_type = STRING("Language", BER_STRING, BER_U(U_PRINTABLE), 2, 5);
static const struct ber_type universal_string_type = STRING("UniversalString", BER_STRING, BER_U(U_UNIVERSAL_STRING), 4, 1024);
static const struct ber_type bmp_string_type = STRING("BMPString", BER_STRING, BER_U(U_BMP), 2, 512);
static const struct ber_field universal_fields[] = {
	[IPM_UNIVERSAL_LANGUAGE] = FIELD(ipm_universal_or_bmp, language, "iso-639-language-code", language_type, BER_NO_TAG, OPT),
	[IPM_UNIVERSAL_FOUR] = FIELD(ipm_universal_or_bmp, four_octets, "four-octets", universal_string_type, BER_NO_TAG, OPT),
	[IPM_UNIVERSAL_TWO] = FIELD(ipm_universal_or_bmp, two_octets, "two-octets", bmp_string_type, BER_NO_TAG, OPT),
};
const struct ber_type ipm_universal_or_bmp_type =
	TABLE(ipm_universal_or_bmp, "UniversalOrBMPString", BER_SET, BER_U(U_SET), universal_fields);
const struct ber_type ipm_universal_or_bmp_list_type =
	LIST("SEQUENCE OF UniversalOrBMPString", BER_SEQ_OF, BER_U(U_SEQ), ipm_universal_or_bmp_type);

/* --- values of extensions, X.420 annex A --- */

const struct ber_type ipm_languages_type = LIST("Languages", BER_SET_OF, BER_U(U_SET), language_type);

static const struct ber_name auto_submitted_names[] = { { 0, "not-auto-submitted" }, { 1, "auto-generated" }, { 2, "auto-replied" } };
const struct ber_type ipm_auto_submitted_type = NUMBER("AutoSubmitted", BER_ENUM, BER_U(U_ENUM), auto_submitted_names);

static const struct ber_field code_fields[] = {
	[IPM_CODE_OID] = FIELD(ipm_distribution_code, oid_code, "oid-code", ipm_oid_type, BER_NO_TAG, OPT),
	[IPM_CODE_ALPHA] = FIELD(ipm_distribution_code, alphanumeric, "alphanumeric-code", ipm_universal_or_bmp_type, BER_NO_TAG, OPT),
	[IPM_CODE_DESCRIPTOR] = FIELD(ipm_distribution_code, or_descriptor, "or-descriptor", ipm_or_descriptor_type, BER_C(0), OPT),
};
static const struct ber_type code_type = TABLE(ipm_distribution_code, "DistributionCode", BER_SEQ, BER_U(U_SEQ), code_fields);
const struct ber_type ipm_distribution_codes_type = LIST("DistributionCodes", BER_SEQ_OF, BER_U(U_SEQ), code_type);

static const struct ber_field category_fields[] = {
	[IPM_CATEGORY_REFERENCE] = FIELD(ipm_information_category, reference, "reference", ipm_oid_type, BER_C(0), OPT),
	[IPM_CATEGORY_DESCRIPTION] = FIELD(ipm_information_category, description, "description", ipm_universal_or_bmp_type, BER_C(1), OPT),
};
static const struct ber_type category_type =
	TABLE(ipm_information_category, "InformationCategory", BER_SEQ, BER_U(U_SEQ), category_fields);
const struct ber_type ipm_information_categories_type = LIST("InformationCategories", BER_SEQ_OF, BER_U(U_SEQ), category_type);

static const struct ber_field member_fields[] = {
	[IPM_MEMBER_CHECKED] = FIELD(ipm_circulation_member, seq, "simple", ipm_null_type, BER_NO_TAG, OPT),
	[IPM_MEMBER_TIMESTAMPED] = FIELD(ipm_circulation_member, timestamped, "timestamped", ipm_generalized_time_type, BER_NO_TAG, OPT),
	/* Checkmark's signed form is a SEQUENCE and is carried as an unknown element */
	[IPM_MEMBER_RECIPIENT] = FIELD(ipm_circulation_member, recipient, "circulation-recipient", ipm_recipient_specifier_type,
				       BER_NO_TAG, 0),
};
static const struct ber_type member_type = TABLE(ipm_circulation_member, "CirculationMember", BER_SET, BER_U(U_SET), member_fields);
const struct ber_type ipm_circulation_list_type = LIST("CirculationList", BER_SEQ_OF, BER_U(U_SEQ), member_type);

static const struct ber_name security_names[] = {
	{ 0, "content-non-repudiation" }, { 1, "content-proof" }, { 2, "ipn-non-repudiation" }, { 3, "ipn-proof" },
};
const struct ber_type ipm_security_request_type = BITSET("RecipientSecurityRequest", security_names);
const struct ber_type ipm_precedence_type = {
	.name = "Precedence", .kind = BER_INT, .tag = BER_U(U_INTEGER), .size = sizeof(int64_t), .min = 0, .max = 127,
};

static const struct ber_field absence_fields[] = {
	FIELD(ipm_absence_advice, next_available, "next-available", ipm_utc_time_type, BER_NO_TAG, OPT),
	/* advice, a BodyPart before it, is carried as an unknown element */
};
const struct ber_type ipm_absence_advice_type = TABLE(ipm_absence_advice, "AbsenceAdvice", BER_SEQ, BER_U(U_SEQ), absence_fields);

static const struct ber_field advice_fields[] = {
	FIELD(ipm_address_advice, new_address, "new-address", ipm_or_descriptor_type, BER_C(0), 0),
	FIELD(ipm_address_advice, effective_from, "effective-from", ipm_utc_time_type, BER_C(1), OPT),
};
const struct ber_type ipm_address_advice_type =
	TABLE(ipm_address_advice, "ChangeOfAddressAdvice", BER_SEQ, BER_U(U_SEQ), advice_fields);

/* --- which extension --- */

#define MILITARY 0x2b, 0x1a, 0x00, 0xa2, 0x36, 0x00, 0x02 /* 1.3.26.0.4406.0.2 */

static const struct {
	const char *name;
	uint8_t n, oid[8];
	const struct ber_type *type;
} exts[IPM_X_COUNT] = {
#define X(id, name, arc, last, type) [IPM_X_##id] = { name, 4, { 0x56, 1, arc, last }, &type },
#define M(id, name, last, type) [IPM_X_##id] = { name, 8, { MILITARY, last }, &type },
#include "flow/codec/ipm/ipm_ext_table.h"
#undef X
#undef M
};

enum ipm_ext ipm_ext_of(struct view oid)
{
	for (unsigned i = 0; i < IPM_X_COUNT; i++)
		if (view_eq(oid, view_of(exts[i].oid, exts[i].n)))
			return (enum ipm_ext)i;
	return IPM_X_COUNT;
}

const char *ipm_ext_name(enum ipm_ext x)
{
	return x < IPM_X_COUNT ? exts[x].name : "extension";
}

const struct ber_type *ipm_ext_value_type(enum ipm_ext x)
{
	return x < IPM_X_COUNT ? exts[x].type : NULL;
}

struct view ipm_ext_oid(enum ipm_ext x)
{
	assert(x < IPM_X_COUNT);
	return view_of(exts[x].oid, exts[x].n);
}
