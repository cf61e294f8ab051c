/* ipm_file_table.c - X.420 annex B: parameters and data of extended body parts, file transfer above all. */
#include "flow/codec/ipm/ipm_asn1.h"

#include "flow/codec/ipm/ipm_table_private.h"

/* --- file attributes (ISO 8571-2 as X.420 tags them) --- */

static const struct ber_field pathname_fields[] = {
	FIELD(ipm_pathname, incomplete, "incomplete-pathname", ipm_graphic_list_type, BER_C(0), 0),
	FIELD(ipm_pathname, complete, "complete-pathname", ipm_graphic_list_type, BER_C(23), 0),
};
static const struct ber_type pathname_type = TABLE(ipm_pathname, "Pathname-Attribute", BER_CHOICE, BER_NO_TAG, pathname_fields);

static const struct ber_field time_fields[] = {
	FIELD(ipm_time_attribute, value, "no-value-available", ipm_null_type, BER_C(0), 0),
	FIELD(ipm_time_attribute, value, "actual-values", ipm_generalized_time_type, BER_C(1), 0),
};
static const struct ber_type time_type = TABLE(ipm_time_attribute, "Date-and-Time-Attribute", BER_CHOICE, BER_NO_TAG, time_fields);

static const struct ber_field size_fields[] = {
	FIELD(ipm_size_attribute, value, "no-value-available", ipm_null_type, BER_C(0), 0),
	FIELD(ipm_size_attribute, value, "actual-values", ipm_integer_type, BER_C(1), 0),
};
static const struct ber_type size_type = TABLE(ipm_size_attribute, "Object-Size-Attribute", BER_CHOICE, BER_NO_TAG, size_fields);

static const struct ber_field name_fields[] = {
	FIELD(ipm_name_attribute, value, "no-value-available", ipm_null_type, BER_C(0), 0),
	FIELD(ipm_name_attribute, value, "actual-values", ipm_graphic_string_type, BER_NO_TAG, 0),
};
static const struct ber_type name_type = TABLE(ipm_name_attribute, "User-Identity-Attribute", BER_CHOICE, BER_NO_TAG, name_fields);

static const struct ber_name action_names[] = {
	{ 0, "read" }, { 1, "insert" }, { 2, "replace" }, { 3, "extend" }, { 4, "erase" }, { 5, "read-attribute" },
	{ 6, "change-attribute" }, { 7, "delete-object" }, { 8, "traversal" }, { 9, "reverse-traversal" }, { 10, "random-order" },
	{ 11, "pass" }, { 12, "link" },
};
static const struct ber_type actions_type = BITSET("Permitted-Actions-Attribute", action_names);

#define ATTRIBUTE(member, spelt, type, tag) FIELD(ipm_file_attributes, member, spelt, type, tag, OPT)
static const struct ber_field attributes_fields[] = {
	[IPM_FILE_PATHNAME] = ATTRIBUTE(pathname, "pathname", pathname_type, BER_NO_TAG),
	[IPM_FILE_ACTIONS] = ATTRIBUTE(permitted_actions, "permitted-actions", actions_type, BER_C(1)),
	[IPM_FILE_ACCOUNT] = ATTRIBUTE(storage_account, "storage-account", name_type, BER_C(3)),
	[IPM_FILE_CREATED] = ATTRIBUTE(created, "date-and-time-of-creation", time_type, BER_C(4)),
	[IPM_FILE_MODIFIED] = ATTRIBUTE(modified, "date-and-time-of-last-modification", time_type, BER_C(5)),
	[IPM_FILE_READ] = ATTRIBUTE(read, "date-and-time-of-last-read-access", time_type, BER_C(6)),
	[IPM_FILE_ATTRIBUTES_MODIFIED] =
		ATTRIBUTE(attributes_modified, "date-and-time-of-last-attribute-modification", time_type, BER_C(7)),
	[IPM_FILE_CREATOR] = ATTRIBUTE(creator, "identity-of-creator", name_type, BER_C(8)),
	[IPM_FILE_MODIFIER] = ATTRIBUTE(modifier, "identity-of-last-modifier", name_type, BER_C(9)),
	[IPM_FILE_READER] = ATTRIBUTE(reader, "identity-of-last-reader", name_type, BER_C(10)),
	[IPM_FILE_ATTRIBUTES_MODIFIER] =
		ATTRIBUTE(attributes_modifier, "identity-of-last-attribute-modifier", name_type, BER_C(11)),
	[IPM_FILE_AVAILABILITY] = ATTRIBUTE(availability, "object-availability", size_type, BER_C(12)),
	[IPM_FILE_SIZE] = ATTRIBUTE(size, "object-size", size_type, BER_C(13)),
	[IPM_FILE_FUTURE_SIZE] = ATTRIBUTE(future_size, "future-object-size", size_type, BER_C(14)),
};
static const struct ber_type attributes_type = TABLE(ipm_file_attributes, "FileAttributes", BER_SEQ, BER_U(U_SEQ), attributes_fields);

/* --- the other parameters of a file transfer part --- */

static const struct ber_field document_fields[] = {
	FIELD(ipm_document_type, name, "document-type-name", ipm_oid_type, BER_NO_TAG, 0),
	FIELD(ipm_document_type, parameter, "parameter", ipm_any_type, BER_C(0), OPT | BER_EXPLICIT),
};
static const struct ber_type document_type = TABLE(ipm_document_type, "document-type", BER_SEQ, BER_U(U_SEQ), document_fields);
static const struct ber_field constraint_fields[] = {
	FIELD(ipm_constraint_set, name, "constraint-set-name", ipm_oid_type, BER_NO_TAG, 0),
	FIELD(ipm_constraint_set, abstract_syntax, "abstract-syntax-name", ipm_oid_type, BER_NO_TAG, 0),
};
static const struct ber_type constraint_type =
	TABLE(ipm_constraint_set, "constraint-set-and-abstract-syntax", BER_SEQ, BER_U(U_SEQ), constraint_fields);
static const struct ber_field contents_fields[] = {
	FIELD(ipm_contents_type, document, "document-type", document_type, BER_C(0), 0),
	FIELD(ipm_contents_type, constraint, "constraint-set-and-abstract-syntax", constraint_type, BER_C(1), 0),
};
static const struct ber_type contents_type = TABLE(ipm_contents_type, "ContentsTypeParameter", BER_CHOICE, BER_NO_TAG, contents_fields);

static const struct ber_field identifier_fields[] = {
	FIELD(ipm_general_identifier, registered, "registered-identifier", ipm_oid_type, BER_C(0), 0),
	FIELD(ipm_general_identifier, descriptive, "descriptive-identifier", ipm_graphic_list_type, BER_C(1), 0),
};
static const struct ber_type identifier_type =
	TABLE(ipm_general_identifier, "GeneralIdentifier", BER_CHOICE, BER_NO_TAG, identifier_fields);
#define ENVIRONMENT(member, spelt, type, tag) FIELD(ipm_environment, member, spelt, type, tag, OPT)
static const struct ber_field environment_fields[] = {
	[IPM_ENVIRONMENT_APPLICATION] = ENVIRONMENT(application, "application-reference", identifier_type, BER_C(0)),
	[IPM_ENVIRONMENT_MACHINE] = ENVIRONMENT(machine, "machine", identifier_type, BER_C(1)),
	[IPM_ENVIRONMENT_SYSTEM] = ENVIRONMENT(operating_system, "operating-system", ipm_oid_type, BER_C(2)),
	[IPM_ENVIRONMENT_USER_VISIBLE] = ENVIRONMENT(user_visible, "user-visible-string", ipm_graphic_list_type, BER_C(3)),
};
static const struct ber_type environment_type = TABLE(ipm_environment, "EnvironmentParameter", BER_SEQ, BER_U(U_SEQ), environment_fields);

static const struct ber_field compression_fields[] = {
	FIELD(ipm_compression, algorithm, "compression-algorithm-id", ipm_oid_type, BER_C(0), 0),
	FIELD(ipm_compression, parameter, "compression-algorithm-param", ipm_any_type, BER_C(1), OPT | BER_EXPLICIT),
};
static const struct ber_type compression_type = TABLE(ipm_compression, "CompressionParameter", BER_SEQ, BER_U(U_SEQ), compression_fields);

#define PARAMETER(member, spelt, type, tag) FIELD(ipm_file_parameters, member, spelt, type, tag, OPT)
static const struct ber_field file_fields[] = {
	[IPM_FTBP_RELATED] = PARAMETER(related, "related-stored-file", ipm_tlv_list_of_set_type, BER_C(0)),
	[IPM_FTBP_CONTENTS] = PARAMETER(contents_type, "contents-type", contents_type, BER_C(1)),
	[IPM_FTBP_ENVIRONMENT] = PARAMETER(environment, "environment", environment_type, BER_C(2)),
	[IPM_FTBP_COMPRESSION] = PARAMETER(compression, "compression", compression_type, BER_C(3)),
	[IPM_FTBP_ATTRIBUTES] = PARAMETER(attributes, "file-attributes", attributes_type, BER_C(4)),
	[IPM_FTBP_EXTENSIONS] = PARAMETER(extensions, "extensions", ipm_extensions_type, BER_C(5)),
};
const struct ber_type ipm_file_parameters_type = TABLE(ipm_file_parameters, "FileTransferParameters", BER_SEQ, BER_U(U_SEQ), file_fields);

/* --- general text and voice --- */

static const struct ber_type registration_type = {
	.name = "CharacterSetRegistration", .kind = BER_INT, .tag = BER_U(U_INTEGER), .size = sizeof(int64_t), .min = 1, .max = 32767,
};
const struct ber_type ipm_general_parameters_type = LIST("GeneralTextParameters", BER_SET_OF, BER_U(U_SET), registration_type);

static const struct ber_field voice_fields[] = {
	FIELD(ipm_voice_parameters, duration_s, "voice-message-duration", ipm_integer_type, BER_C(0), OPT),
	FIELD(ipm_voice_parameters, encoding, "voice-encoding-type", ipm_oid_type, BER_C(1), 0),
	FIELD(ipm_voice_parameters, supplementary, "supplementary-information", ipm_ia5_string_type, BER_C(2), OPT),
};
const struct ber_type ipm_voice_parameters_type = TABLE(ipm_voice_parameters, "VoiceParameters", BER_SEQ, BER_U(U_SEQ), voice_fields);

/* --- what an object identifier of an extended part says --- */

const struct ber_type *ipm_external_value_type(struct view oid)
{
	static const struct {
		uint8_t n; /* {id-et n} and {id-ep n} */
		const struct ber_type *data, *parameters;
	} rows[] = {
		{ 0, &ipm_ia5_string_type, &ipm_ia5_parameters_type },
		{ 2, &ipm_g3_data_type, &ipm_g3_parameters_type },
		{ 3, &ipm_tlv_list_type, NULL },
		{ 4, &ipm_teletex_data_type, &ipm_teletex_parameters_type },
		{ 5, &ipm_videotex_string_type, &ipm_videotex_parameters_type },
		{ 6, &ipm_bits_type, &ipm_tlv_list_of_set_type },
		{ 7, &ipm_message_type, &ipm_message_parameters_type },
		{ 8, &ipm_tlv_list_type, NULL },
		{ 9, &ipm_octets_type, NULL },
		{ 11, &ipm_general_string_type, &ipm_general_parameters_type },
		{ 12, &ipm_file_data_type, &ipm_file_parameters_type },
		{ 15, &ipm_ipn_type, &ipm_message_parameters_type },
		{ 16, &ipm_octets_type, &ipm_voice_parameters_type },
	};
	const struct ber_type *military = ipm_mm_value_type(oid);
	if (military != NULL)
		return military;
	if (oid.n != 4 || oid.p[0] != 0x56 || oid.p[1] != 1)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].n == oid.p[3])
			return oid.p[2] == 4 ? rows[i].data : oid.p[2] == 11 ? rows[i].parameters : NULL;
	return NULL;
}
