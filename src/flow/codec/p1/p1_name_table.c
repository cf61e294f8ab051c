/* p1_name_table.c - ORName with its built-in and domain-defined attributes (X.411 8.5.5; bounds: MTSUpperBounds). */
#include "flow/codec/p1/p1_asn1.h"

#define STRING(id, type_name, universal, least, most) \
	static const struct ber_type id = { .name = type_name, .kind = BER_STRING, .tag = BER_U(universal), \
					    .size = sizeof(struct view), .min = least, .max = most }

STRING(x121_address, "X121Address", 18, 1, 16);
STRING(terminal_identifier, "TerminalIdentifier", 19, 1, 24);
STRING(organization_name, "OrganizationName", 19, 1, 64);
STRING(numeric_user, "NumericUserIdentifier", 18, 1, 32);
STRING(unit_name, "OrganizationalUnitName", 19, 1, 32);
STRING(surname, "PrintableString", 19, 1, 40);
STRING(given_name, "PrintableString", 19, 1, 16);
STRING(initials, "PrintableString", 19, 1, 5);
STRING(generation, "PrintableString", 19, 1, 3);
STRING(defined_type, "PrintableString", 19, 1, 8);
STRING(defined_value, "PrintableString", 19, 1, 128);

/* X.411 has the surname mandatory; names without one do come, and are to be carried. */
static const struct ber_field personal_rows[] = {
	{ .name = "surname", P1_FIELD(p1_personal_name, part[0]), .type = &surname, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "given-name", P1_FIELD(p1_personal_name, part[1]), .type = &given_name, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
	{ .name = "initials", P1_FIELD(p1_personal_name, part[2]), .type = &initials, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
	{ .name = "generation-qualifier", P1_FIELD(p1_personal_name, part[3]), .type = &generation, .tag = BER_C(3),
	  .flags = BER_OPTIONAL },
};
static const struct ber_type personal_name = { .name = "PersonalName", .kind = BER_SET, .tag = BER_U(17),
					       .size = sizeof(struct p1_personal_name), P1_ROWS(personal_rows) };

static const struct ber_type unit_names = { .name = "OrganizationalUnitNames", .kind = BER_SEQ_OF, .tag = BER_U(16),
					    .size = sizeof(struct ber_list), .of = &unit_name, .min = 1, .max = 4 };

static const struct ber_field standard_rows[] = {
	[P1_BSA_COUNTRY] = { .name = "country-name", P1_FIELD(p1_standard_attributes, country),
			     .type = &p1_country_type, .flags = BER_OPTIONAL },
	[P1_BSA_ADMD] = { .name = "administration-domain-name", P1_FIELD(p1_standard_attributes, admd),
			  .type = &p1_admd_type, .flags = BER_OPTIONAL },
	[P1_BSA_NETWORK] = { .name = "network-address", P1_FIELD(p1_standard_attributes, network),
			     .type = &x121_address, .tag = BER_C(0), .flags = BER_OPTIONAL },
	[P1_BSA_TERMINAL] = { .name = "terminal-identifier", P1_FIELD(p1_standard_attributes, terminal),
			      .type = &terminal_identifier, .tag = BER_C(1), .flags = BER_OPTIONAL },
	[P1_BSA_PRMD] = { .name = "private-domain-name", P1_FIELD(p1_standard_attributes, prmd),
			  .type = &p1_words_type, .tag = BER_C(2), .flags = BER_OPTIONAL | BER_EXPLICIT },
	[P1_BSA_ORGANIZATION] = { .name = "organization-name", P1_FIELD(p1_standard_attributes, organization),
				  .type = &organization_name, .tag = BER_C(3), .flags = BER_OPTIONAL },
	[P1_BSA_NUMERIC_USER] = { .name = "numeric-user-identifier", P1_FIELD(p1_standard_attributes, numeric_user),
				  .type = &numeric_user, .tag = BER_C(4), .flags = BER_OPTIONAL },
	[P1_BSA_PERSONAL] = { .name = "personal-name", P1_FIELD(p1_standard_attributes, personal),
			      .type = &personal_name, .tag = BER_C(5), .flags = BER_OPTIONAL },
	[P1_BSA_UNITS] = { .name = "organizational-unit-names", P1_FIELD(p1_standard_attributes, units),
			   .type = &unit_names, .tag = BER_C(6), .flags = BER_OPTIONAL },
};
static const struct ber_type standard_attributes = { .name = "BuiltInStandardAttributes", .kind = BER_SEQ,
						     .tag = BER_U(16), .size = sizeof(struct p1_standard_attributes),
						     P1_ROWS(standard_rows) };

static const struct ber_field defined_rows[] = {
	{ .name = "type", P1_FIELD(p1_domain_defined, type), .type = &defined_type },
	{ .name = "value", P1_FIELD(p1_domain_defined, value), .type = &defined_value },
};
static const struct ber_type domain_defined = { .name = "BuiltInDomainDefinedAttribute", .kind = BER_SEQ,
						.tag = BER_U(16), .size = sizeof(struct p1_domain_defined),
						P1_ROWS(defined_rows), .closed = true };
static const struct ber_type domain_defined_list = { .name = "BuiltInDomainDefinedAttributes", .kind = BER_SEQ_OF,
						     .tag = BER_U(16), .size = sizeof(struct ber_list),
						     .of = &domain_defined, .min = 1, .max = 4 };

static const struct ber_type *attribute_type(const void *parent)
{
	return p1_attribute_value_type(((const struct p1_extension_attribute *)parent)->type);
}

static const struct ber_name attribute_names[] = {
	{ 1, "common-name" }, { 2, "teletex-common-name" }, { 3, "teletex-organization-name" },
	{ 4, "teletex-personal-name" }, { 5, "teletex-organizational-unit-names" },
	{ 6, "teletex-domain-defined-attributes" }, { 7, "pds-name" }, { 8, "physical-delivery-country-name" },
	{ 9, "postal-code" }, { 10, "physical-delivery-office-name" }, { 11, "physical-delivery-office-number" },
	{ 12, "extension-OR-address-components" }, { 13, "physical-delivery-personal-name" },
	{ 14, "physical-delivery-organization-name" }, { 15, "extension-physical-delivery-address-components" },
	{ 16, "unformatted-postal-address" }, { 17, "street-address" }, { 18, "post-office-box-address" },
	{ 19, "poste-restante-address" }, { 20, "unique-postal-name" }, { 21, "local-postal-attributes" },
	{ 22, "extended-network-address" }, { 23, "terminal-type" }, { 24, "universal-common-name" },
	{ 25, "universal-organization-name" }, { 26, "universal-personal-name" },
	{ 27, "universal-organizational-unit-names" }, { 28, "universal-domain-defined-attributes" },
	{ 29, "universal-physical-delivery-office-name" }, { 30, "universal-physical-delivery-office-number" },
	{ 31, "universal-extension-OR-address-components" }, { 32, "universal-physical-delivery-personal-name" },
	{ 33, "universal-physical-delivery-organization-name" },
	{ 34, "universal-extension-physical-delivery-address-components" },
	{ 35, "universal-unformatted-postal-address" }, { 36, "universal-street-address" },
	{ 37, "universal-post-office-box-address" }, { 38, "universal-poste-restante-address" },
	{ 39, "universal-unique-postal-name" }, { 40, "universal-local-postal-attributes" },
};
static const struct ber_type attribute_number = { .name = "extension-attribute-type", .kind = BER_INT,
						  .tag = BER_U(2), .size = sizeof(int64_t), P1_NAMES(attribute_names),
						  .max = 256 };
static const struct ber_field attribute_rows[] = {
	{ .name = "extension-attribute-type", P1_FIELD(p1_extension_attribute, type), .type = &attribute_number,
	  .tag = BER_C(0) },
	{ .name = "extension-attribute-value", P1_FIELD(p1_extension_attribute, value), .type = &p1_any,
	  .tag = BER_C(1), .flags = BER_EXPLICIT, .resolve = attribute_type },
};
static const struct ber_type attribute = { .name = "ExtensionAttribute", .kind = BER_SEQ, .tag = BER_U(16),
					   .size = sizeof(struct p1_extension_attribute), P1_ROWS(attribute_rows),
					   .closed = true };
const struct ber_type p1_attributes_type = { .name = "ExtensionAttributes", .kind = BER_SET_OF, .tag = BER_U(17),
					    .size = sizeof(struct ber_list), .of = &attribute, .min = 1, .max = 256 };

/* X.501 Name: RDNSequence is its only alternative. */
struct attribute_value {
	struct ber_seq seq;
	struct view type, value;
};
static const struct ber_field value_rows[] = {
	{ .name = "type", P1_FIELD(attribute_value, type), .type = &p1_oid },
	{ .name = "value", P1_FIELD(attribute_value, value), .type = &p1_any },
};
static const struct ber_type value_type = { .name = "AttributeTypeAndValue", .kind = BER_SEQ, .tag = BER_U(16),
					    .size = sizeof(struct attribute_value), P1_ROWS(value_rows) };
static const struct ber_type rdn_type = { .name = "RelativeDistinguishedName", .kind = BER_SET_OF, .tag = BER_U(17),
					  .size = sizeof(struct ber_list), .of = &value_type };
const struct ber_type p1_name_type = { .name = "Name", .kind = BER_SEQ_OF, .tag = BER_U(16),
				       .size = sizeof(struct ber_list), .of = &rdn_type };

static const struct ber_type *directory_name_type(const void *parent)
{
	(void)parent;
	return &p1_name_type;
}

#define ADDRESS_ROWS \
	[P1_ORNAME_STANDARD] = { .name = "built-in-standard-attributes", P1_FIELD(p1_orname, standard), \
				 .type = &standard_attributes }, \
	[P1_ORNAME_DOMAIN_DEFINED] = { .name = "built-in-domain-defined-attributes", \
				       P1_FIELD(p1_orname, domain_defined), .type = &domain_defined_list, \
				       .flags = BER_OPTIONAL }, \
	[P1_ORNAME_EXTENSIONS] = { .name = "extension-attributes", P1_FIELD(p1_orname, extensions), \
				   .type = &p1_attributes_type, .flags = BER_OPTIONAL }

static const struct ber_field oraddress_rows[] = { ADDRESS_ROWS };
static const struct ber_field orname_rows[] = {
	ADDRESS_ROWS,
	[P1_ORNAME_DIRECTORY_NAME] = { .name = "directory-name", P1_FIELD(p1_orname, directory_name),
				       .type = &p1_any, .tag = BER_C(0), .flags = BER_OPTIONAL | BER_EXPLICIT,
				       .resolve = directory_name_type },
};

const struct ber_type p1_oraddress_type = { .name = "ORAddress", .kind = BER_SEQ, .tag = BER_U(16),
					    .size = sizeof(struct p1_orname), P1_ROWS(oraddress_rows) };
const struct ber_type p1_orname_type = { .name = "ORName", .kind = BER_SEQ, .tag = BER_A(0),
					 .size = sizeof(struct p1_orname), P1_ROWS(orname_rows) };
