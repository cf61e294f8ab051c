/* p1_attribute_table.c - the values of extension attributes (X.411 ExtensionAttributeTable). */
#include "flow/codec/p1/p1_attribute.h"

#define STRING(id, type_name, universal, most) \
	static const struct ber_type id = { .name = type_name, .kind = BER_STRING, .tag = BER_U(universal), \
					    .size = sizeof(struct view), .min = 1, .max = most }

STRING(common_name, "CommonName", 19, 64);
STRING(teletex_common_name, "TeletexCommonName", 20, 64);
STRING(teletex_organization, "TeletexOrganizationName", 20, 64);
STRING(teletex_unit, "TeletexOrganizationalUnitName", 20, 32);
STRING(teletex_surname, "TeletexString", 20, 40);
STRING(teletex_given, "TeletexString", 20, 16);
STRING(teletex_initials, "TeletexString", 20, 5);
STRING(teletex_generation, "TeletexString", 20, 3);
STRING(teletex_type, "TeletexString", 20, 8);
STRING(teletex_value, "TeletexString", 20, 128);
STRING(pds_name, "PDSName", 19, 16);
STRING(pds_printable, "PrintableString", 19, 30);
STRING(pds_teletex, "TeletexString", 20, 30);
STRING(unformatted_teletex, "TeletexString", 20, 180);
STRING(e163_4_number, "NumericString", 18, 15);
STRING(e163_4_sub_address, "NumericString", 18, 40);

/* --- teletex --- */

static const struct ber_field teletex_name_rows[] = {
	{ .name = "surname", P1_FIELD(p1_personal_name, part[0]), .type = &teletex_surname, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "given-name", P1_FIELD(p1_personal_name, part[1]), .type = &teletex_given, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
	{ .name = "initials", P1_FIELD(p1_personal_name, part[2]), .type = &teletex_initials, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
	{ .name = "generation-qualifier", P1_FIELD(p1_personal_name, part[3]), .type = &teletex_generation,
	  .tag = BER_C(3), .flags = BER_OPTIONAL },
};
const struct ber_type p1_teletex_name_type = { .name = "TeletexPersonalName", .kind = BER_SET, .tag = BER_U(17),
					       .size = sizeof(struct p1_personal_name), P1_ROWS(teletex_name_rows) };

const struct ber_type p1_teletex_units_type = { .name = "TeletexOrganizationalUnitNames", .kind = BER_SEQ_OF,
						.tag = BER_U(16), .size = sizeof(struct ber_list),
						.of = &teletex_unit, .min = 1, .max = 4 };

static const struct ber_field teletex_defined_rows[] = {
	{ .name = "type", P1_FIELD(p1_domain_defined, type), .type = &teletex_type },
	{ .name = "value", P1_FIELD(p1_domain_defined, value), .type = &teletex_value },
};
static const struct ber_type teletex_defined = { .name = "TeletexDomainDefinedAttribute", .kind = BER_SEQ,
						 .tag = BER_U(16), .size = sizeof(struct p1_domain_defined),
						 P1_ROWS(teletex_defined_rows), .closed = true };
const struct ber_type p1_teletex_defined_type = { .name = "TeletexDomainDefinedAttributes", .kind = BER_SEQ_OF,
						  .tag = BER_U(16), .size = sizeof(struct ber_list),
						  .of = &teletex_defined, .min = 1, .max = 4 };

/* --- physical delivery --- */

static const struct ber_field country_rows[] = {
	{ .name = "x121-dcc-code", P1_FIELD(p1_words, value), .type = &p1_numeric },
	{ .name = "iso-3166-alpha2-code", P1_FIELD(p1_words, value), .type = &p1_printable },
};
const struct ber_type p1_postal_country_type = { .name = "PhysicalDeliveryCountryName", .kind = BER_CHOICE,
						 .tag = BER_NO_TAG, .size = sizeof(struct p1_words),
						 P1_ROWS(country_rows), .closed = true };
static const struct ber_field code_rows[] = {
	{ .name = "numeric-code", P1_FIELD(p1_words, value), .type = &p1_numeric },
	{ .name = "printable-code", P1_FIELD(p1_words, value), .type = &p1_printable },
};
const struct ber_type p1_postal_code_type = { .name = "PostalCode", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					      .size = sizeof(struct p1_words), P1_ROWS(code_rows), .closed = true };

static const struct ber_field parameter_rows[] = {
	[P1_PDS_PRINTABLE] = { .name = "printable-string", P1_FIELD(p1_pds_parameter, printable),
			       .type = &pds_printable, .flags = BER_OPTIONAL },
	[P1_PDS_TELETEX] = { .name = "teletex-string", P1_FIELD(p1_pds_parameter, teletex), .type = &pds_teletex,
			     .flags = BER_OPTIONAL },
};
const struct ber_type p1_pds_parameter_type = { .name = "PDSParameter", .kind = BER_SET, .tag = BER_U(17),
						.size = sizeof(struct p1_pds_parameter), P1_ROWS(parameter_rows) };

static const struct ber_type address_lines = { .name = "printable-address", .kind = BER_SEQ_OF, .tag = BER_U(16),
					       .size = sizeof(struct ber_list), .of = &pds_printable,
					       .min = 1, .max = 6 };
static const struct ber_field lines_rows[] = {
	[P1_PDS_PRINTABLE] = { .name = "printable-address", P1_FIELD(p1_postal_lines, printable),
			       .type = &address_lines, .flags = BER_OPTIONAL },
	[P1_PDS_TELETEX] = { .name = "teletex-string", P1_FIELD(p1_postal_lines, teletex),
			     .type = &unformatted_teletex, .flags = BER_OPTIONAL },
};
const struct ber_type p1_postal_lines_type = { .name = "UnformattedPostalAddress", .kind = BER_SET, .tag = BER_U(17),
					       .size = sizeof(struct p1_postal_lines), P1_ROWS(lines_rows) };

/* --- universal strings --- */

static const struct ber_type bmp = { .name = "BMPString", .kind = BER_STRING, .tag = BER_U(30),
				     .size = sizeof(struct view) };
static const struct ber_type universal = { .name = "UniversalString", .kind = BER_STRING, .tag = BER_U(28),
					   .size = sizeof(struct view) };
static const struct ber_field encoding_rows[] = {
	{ .name = "two-octets", .offset = sizeof(struct ber_choice), .type = &bmp },
	{ .name = "four-octets", .offset = sizeof(struct ber_choice), .type = &universal },
};
static const struct ber_type encoding_type = { .name = "character-encoding", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					       .size = sizeof(((struct p1_universal *)0)->encoding),
					       P1_ROWS(encoding_rows) };
static const struct ber_field universal_rows[] = {
	{ .name = "character-encoding", P1_FIELD(p1_universal, encoding), .type = &encoding_type },
	{ .name = "iso-639-language-code", P1_FIELD(p1_universal, language), .type = &p1_printable,
	  .flags = BER_OPTIONAL },
};
static const struct ber_type universal_type = { .name = "UniversalOrBMPString", .kind = BER_SET, .tag = BER_U(17),
						.size = sizeof(struct p1_universal), P1_ROWS(universal_rows) };

static const struct ber_field universal_name_rows[] = {
	{ .name = "surname", P1_FIELD(p1_universal_name, part[0]), .type = &universal_type, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "given-name", P1_FIELD(p1_universal_name, part[1]), .type = &universal_type, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
	{ .name = "initials", P1_FIELD(p1_universal_name, part[2]), .type = &universal_type, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
	{ .name = "generation-qualifier", P1_FIELD(p1_universal_name, part[3]), .type = &universal_type,
	  .tag = BER_C(3), .flags = BER_OPTIONAL },
};
static const struct ber_type universal_name = { .name = "UniversalPersonalName", .kind = BER_SET, .tag = BER_U(17),
						.size = sizeof(struct p1_universal_name),
						P1_ROWS(universal_name_rows) };
static const struct ber_type universal_units = { .name = "UniversalOrganizationalUnitNames", .kind = BER_SEQ_OF,
						 .tag = BER_U(16), .size = sizeof(struct ber_list),
						 .of = &universal_type, .min = 1, .max = 4 };
static const struct ber_field universal_defined_rows[] = {
	{ .name = "type", P1_FIELD(p1_universal_defined, type), .type = &universal_type },
	{ .name = "value", P1_FIELD(p1_universal_defined, value), .type = &universal_type },
};
static const struct ber_type universal_defined = { .name = "UniversalDomainDefinedAttribute", .kind = BER_SEQ,
						   .tag = BER_U(16), .size = sizeof(struct p1_universal_defined),
						   P1_ROWS(universal_defined_rows) };
static const struct ber_type universal_defined_list = { .name = "UniversalDomainDefinedAttributes",
							.kind = BER_SEQ_OF, .tag = BER_U(16),
							.size = sizeof(struct ber_list), .of = &universal_defined,
							.min = 1, .max = 4 };

/* --- network address, terminal type --- */

static const struct ber_field e163_4_rows[] = {
	{ .name = "number", P1_FIELD(p1_e163_4, number), .type = &e163_4_number, .tag = BER_C(0) },
	{ .name = "sub-address", P1_FIELD(p1_e163_4, sub_address), .type = &e163_4_sub_address, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
};
static const struct ber_type e163_4 = { .name = "e163-4-address", .kind = BER_SEQ, .tag = BER_U(16),
					.size = sizeof(struct p1_e163_4), P1_ROWS(e163_4_rows) };

static const struct ber_type n_addresses = { .name = "nAddresses", .kind = BER_SET_OF, .tag = BER_U(17),
					     .size = sizeof(struct ber_list), .of = &p1_octets, .min = 1,
					     .max = INT64_MAX };
/* X.520 PresentationAddress: its module has explicit tags. */
static const struct ber_field psap_rows[] = {
	{ .name = "pSelector", P1_FIELD(p1_presentation_address, selector[0]), .type = &p1_octets, .tag = BER_C(0),
	  .flags = BER_OPTIONAL | BER_EXPLICIT },
	{ .name = "sSelector", P1_FIELD(p1_presentation_address, selector[1]), .type = &p1_octets, .tag = BER_C(1),
	  .flags = BER_OPTIONAL | BER_EXPLICIT },
	{ .name = "tSelector", P1_FIELD(p1_presentation_address, selector[2]), .type = &p1_octets, .tag = BER_C(2),
	  .flags = BER_OPTIONAL | BER_EXPLICIT },
	{ .name = "nAddresses", P1_FIELD(p1_presentation_address, addresses), .type = &n_addresses, .tag = BER_C(3),
	  .flags = BER_EXPLICIT },
};
static const struct ber_type presentation_address = { .name = "PresentationAddress", .kind = BER_SEQ,
						      .tag = BER_U(16),
						      .size = sizeof(struct p1_presentation_address),
						      P1_ROWS(psap_rows) };
static const struct ber_field network_rows[] = {
	{ .name = "e163-4-address", P1_FIELD(p1_network_address, e163_4), .type = &e163_4 },
	{ .name = "psap-address", P1_FIELD(p1_network_address, psap), .type = &presentation_address,
	  .tag = BER_C(0) },
};
static const struct ber_type network_address = { .name = "ExtendedNetworkAddress", .kind = BER_CHOICE,
						 .tag = BER_NO_TAG, .size = sizeof(struct p1_network_address),
						 P1_ROWS(network_rows) };

static const struct ber_name terminal_names[] = {
	{ 3, "telex" }, { 4, "teletex" }, { 5, "g3-facsimile" }, { 6, "g4-facsimile" }, { 7, "ia5-terminal" },
	{ 8, "videotex" },
};
const struct ber_type p1_terminal_type = { .name = "TerminalType", .kind = BER_INT, .tag = BER_U(2),
					   .size = sizeof(int64_t), P1_NAMES(terminal_names), .max = 256 };

const struct ber_type *p1_attribute_value_type(int64_t number)
{
	static const struct ber_type *const types[] = {
		[1] = &common_name, [2] = &teletex_common_name, [3] = &teletex_organization,
		[4] = &p1_teletex_name_type, [5] = &p1_teletex_units_type, [6] = &p1_teletex_defined_type,
		[7] = &pds_name, [8] = &p1_postal_country_type, [9] = &p1_postal_code_type,
		[10] = &p1_pds_parameter_type, [11] = &p1_pds_parameter_type, [12] = &p1_pds_parameter_type,
		[13] = &p1_pds_parameter_type, [14] = &p1_pds_parameter_type, [15] = &p1_pds_parameter_type,
		[16] = &p1_postal_lines_type, [17] = &p1_pds_parameter_type, [18] = &p1_pds_parameter_type,
		[19] = &p1_pds_parameter_type, [20] = &p1_pds_parameter_type, [21] = &p1_pds_parameter_type,
		[22] = &network_address, [23] = &p1_terminal_type, [24] = &universal_type, [25] = &universal_type,
		[26] = &universal_name, [27] = &universal_units, [28] = &universal_defined_list,
		[29] = &universal_type, [30] = &universal_type, [31] = &universal_type, [32] = &universal_type,
		[33] = &universal_type, [34] = &universal_type, [35] = &universal_type, [36] = &universal_type,
		[37] = &universal_type, [38] = &universal_type, [39] = &universal_type, [40] = &universal_type,
	};
	return number > 0 && number < (int64_t)ARRAY_LEN(types) ? types[number] : NULL;
}
