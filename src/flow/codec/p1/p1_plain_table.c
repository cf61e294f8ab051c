/* p1_plain_table.c - string and number types without a name of their own, domains, identifiers and trace. */
#include "flow/codec/p1/p1_asn1.h"

const struct ber_type p1_any = { .name = "ANY", .kind = BER_ANY, .tag = BER_NO_TAG, .size = sizeof(struct view) };
const struct ber_type p1_null = { .name = "NULL", .kind = BER_NULL, .tag = BER_U(5), .size = 1 };
const struct ber_type p1_integer = { .name = "INTEGER", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t) };
const struct ber_type p1_octets = { .name = "OCTET STRING", .kind = BER_OCTETS, .tag = BER_U(4),
				    .size = sizeof(struct view) };
const struct ber_type p1_bits = { .name = "BIT STRING", .kind = BER_BITS, .tag = BER_U(3),
				  .size = sizeof(struct ber_bits) };
const struct ber_type p1_oid = { .name = "OBJECT IDENTIFIER", .kind = BER_OID, .tag = BER_U(6),
				 .size = sizeof(struct view) };
const struct ber_type p1_utctime = { .name = "UTCTime", .kind = BER_TIME, .tag = BER_U(23),
				     .size = sizeof(struct view) };
const struct ber_type p1_numeric = { .name = "NumericString", .kind = BER_STRING, .tag = BER_U(18),
				     .size = sizeof(struct view) };
const struct ber_type p1_printable = { .name = "PrintableString", .kind = BER_STRING, .tag = BER_U(19),
				       .size = sizeof(struct view) };
const struct ber_type p1_teletex = { .name = "TeletexString", .kind = BER_STRING, .tag = BER_U(20),
				     .size = sizeof(struct view) };
const struct ber_type p1_ia5 = { .name = "IA5String", .kind = BER_STRING, .tag = BER_U(22),
				 .size = sizeof(struct view) };
const struct ber_type p1_opaque_set = { .name = "SET", .kind = BER_SET, .tag = BER_U(17),
					.size = sizeof(struct ber_seq) };
const struct ber_type p1_opaque_sequence = { .name = "SEQUENCE", .kind = BER_SEQ, .tag = BER_U(16),
					     .size = sizeof(struct ber_seq) };

/* --- domains --- */

static const struct ber_field words_rows[] = {
	{ .name = "numeric", P1_FIELD(p1_words, value), .type = &p1_numeric },
	{ .name = "printable", P1_FIELD(p1_words, value), .type = &p1_printable },
};
const struct ber_type p1_words_type = { .name = "PrivateDomainIdentifier", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					.size = sizeof(struct p1_words), P1_ROWS(words_rows), .closed = true };

static const struct ber_field country_rows[] = {
	{ .name = "x121-dcc-code", P1_FIELD(p1_words, value), .type = &p1_numeric },
	{ .name = "iso-3166-alpha2-code", P1_FIELD(p1_words, value), .type = &p1_printable },
};
static const struct ber_type country_choice = { .name = "CountryName", .kind = BER_CHOICE, .tag = BER_NO_TAG,
						.size = sizeof(struct p1_words), P1_ROWS(country_rows),
						.closed = true };
const struct ber_type p1_country_type = { .name = "CountryName", .kind = BER_TAGGED, .tag = BER_A(1),
					  .size = sizeof(struct p1_words), .of = &country_choice };
static const struct ber_type admd_choice = { .name = "AdministrationDomainName", .kind = BER_CHOICE,
					     .tag = BER_NO_TAG, .size = sizeof(struct p1_words),
					     P1_ROWS(words_rows), .closed = true };
const struct ber_type p1_admd_type = { .name = "AdministrationDomainName", .kind = BER_TAGGED, .tag = BER_A(2),
				       .size = sizeof(struct p1_words), .of = &admd_choice };

/* X.411 has the administration domain mandatory; a private domain without one sends none (Q168136). */
static const struct ber_field gdi_rows[] = {
	[P1_GDI_COUNTRY] = { .name = "country-name", P1_FIELD(p1_gdi, country), .type = &p1_country_type },
	[P1_GDI_ADMD] = { .name = "administration-domain-name", P1_FIELD(p1_gdi, admd), .type = &p1_admd_type,
			  .flags = BER_OPTIONAL },
	[P1_GDI_PRMD] = { .name = "private-domain-identifier", P1_FIELD(p1_gdi, prmd), .type = &p1_words_type,
			  .flags = BER_OPTIONAL },
};
const struct ber_type p1_gdi_type = { .name = "GlobalDomainIdentifier", .kind = BER_SEQ, .tag = BER_A(3),
				      .size = sizeof(struct p1_gdi), P1_ROWS(gdi_rows), .closed = true };

static const struct ber_type local_identifier = { .name = "LocalIdentifier", .kind = BER_STRING, .tag = BER_U(22),
						  .size = sizeof(struct view), .min = 1, .max = 32 };
static const struct ber_field mts_id_rows[] = {
	{ .name = "global-domain-identifier", P1_FIELD(p1_mts_id, domain), .type = &p1_gdi_type },
	{ .name = "local-identifier", P1_FIELD(p1_mts_id, local), .type = &local_identifier },
};
const struct ber_type p1_mts_id_type = { .name = "MTSIdentifier", .kind = BER_SEQ, .tag = BER_A(4),
					 .size = sizeof(struct p1_mts_id), P1_ROWS(mts_id_rows), .closed = true };

const struct ber_type p1_mta_name_type = { .name = "MTAName", .kind = BER_STRING, .tag = BER_U(22),
					   .size = sizeof(struct view), .min = 1, .max = 32 };

/* --- encoded information types --- */

static const struct ber_name built_in_eits[] = {
	{ 0, "unknown" }, { 2, "ia5-text" }, { 3, "g3-facsimile" }, { 4, "g4-class-1" }, { 5, "teletex" },
	{ 6, "videotex" }, { 7, "voice" }, { 8, "sfd" }, { 9, "mixed-mode" },
};
static const struct ber_type built_in_type = { .name = "BuiltInEncodedInformationTypes", .kind = BER_BITS,
					       .tag = BER_U(3), .size = sizeof(struct ber_bits),
					       P1_NAMES(built_in_eits), .max = 32 };
static const struct ber_name g3_names[] = {
	{ 8, "two-dimensional" }, { 9, "fine-resolution" }, { 20, "unlimited-length" }, { 21, "b4-length" },
	{ 22, "a3-width" }, { 23, "b4-width" }, { 25, "t6-coding" }, { 30, "uncompressed" },
	{ 37, "width-middle-864-of-1728" }, { 38, "width-middle-1216-of-1728" }, { 44, "resolution-type" },
	{ 45, "resolution-400x400" }, { 46, "resolution-300x300" }, { 47, "resolution-8x15" }, { 49, "edi" },
	{ 50, "dtm" }, { 51, "bft" }, { 58, "mixed-mode" }, { 60, "character-mode" }, { 65, "twelve-bits" },
	{ 66, "preferred-huffmann" }, { 67, "full-colour" }, { 68, "jpeg" }, { 71, "processable-mode-26" },
};
static const struct ber_type g3_type = { .name = "G3FacsimileNonBasicParameters", .kind = BER_BITS, .tag = BER_U(3),
					 .size = sizeof(struct ber_bits), P1_NAMES(g3_names) };
static const struct ber_field teletex_rows[] = {
	{ .name = "graphic-character-sets", P1_FIELD(p1_teletex_parameters, part[0]), .type = &p1_teletex,
	  .tag = BER_C(0), .flags = BER_OPTIONAL },
	{ .name = "control-character-sets", P1_FIELD(p1_teletex_parameters, part[1]), .type = &p1_teletex,
	  .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "page-formats", P1_FIELD(p1_teletex_parameters, part[2]), .type = &p1_octets, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
	{ .name = "miscellaneous-terminal-capabilities", P1_FIELD(p1_teletex_parameters, part[3]),
	  .type = &p1_teletex, .tag = BER_C(3), .flags = BER_OPTIONAL },
	{ .name = "private-use", P1_FIELD(p1_teletex_parameters, part[4]), .type = &p1_octets, .tag = BER_C(4),
	  .flags = BER_OPTIONAL },
};
static const struct ber_type teletex_type = { .name = "TeletexNonBasicParameters", .kind = BER_SET, .tag = BER_U(17),
					      .size = sizeof(struct p1_teletex_parameters), P1_ROWS(teletex_rows) };
static const struct ber_type extended_eits = { .name = "ExtendedEncodedInformationTypes", .kind = BER_SET_OF,
					       .tag = BER_U(17), .size = sizeof(struct ber_list), .of = &p1_oid,
					       .min = 1, .max = 1024 };
static const struct ber_field eits_rows[] = {
	{ .name = "built-in-encoded-information-types", P1_FIELD(p1_eits, built_in), .type = &built_in_type,
	  .tag = BER_C(0) },
	{ .name = "g3-facsimile", P1_FIELD(p1_eits, g3), .type = &g3_type, .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "teletex", P1_FIELD(p1_eits, teletex), .type = &teletex_type, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
	{ .name = "extended-encoded-information-types", P1_FIELD(p1_eits, extended), .type = &extended_eits,
	  .tag = BER_C(4), .flags = BER_OPTIONAL },
};
const struct ber_type p1_eits_type = { .name = "EncodedInformationTypes", .kind = BER_SET, .tag = BER_A(5),
				       .size = sizeof(struct p1_eits), P1_ROWS(eits_rows) };

/* --- trace --- */

static const struct ber_name action_names[] = { { 0, "relayed" }, { 1, "rerouted" } };
static const struct ber_type action_type = { .name = "RoutingAction", .kind = BER_ENUM, .tag = BER_U(10),
					     .size = sizeof(int64_t), P1_NAMES(action_names) };
static const struct ber_name other_names[] = { { 0, "redirected" }, { 1, "dl-operation" } };
static const struct ber_type other_type = { .name = "OtherActions", .kind = BER_BITS, .tag = BER_U(3),
					    .size = sizeof(struct ber_bits), P1_NAMES(other_names), .max = 16 };

#define SUPPLIED_ROWS \
	[P1_SUPPLIED_ARRIVAL] = { .name = "arrival-time", P1_FIELD(p1_supplied, arrival), .type = &p1_utctime, \
				  .tag = BER_C(0) }, \
	[P1_SUPPLIED_ACTION] = { .name = "routing-action", P1_FIELD(p1_supplied, action), .type = &action_type, \
				 .tag = BER_C(2) }, \
	[P1_SUPPLIED_DOMAIN] = { .name = "attempted-domain", P1_FIELD(p1_supplied, domain), .type = &p1_gdi_type, \
				 .flags = BER_OPTIONAL }, \
	[P1_SUPPLIED_DEFERRED] = { .name = "deferred-time", P1_FIELD(p1_supplied, deferred), .type = &p1_utctime, \
				   .tag = BER_C(1), .flags = BER_OPTIONAL }, \
	[P1_SUPPLIED_OTHER] = { .name = "other-actions", P1_FIELD(p1_supplied, other), .type = &other_type, \
				.tag = BER_C(3), .flags = BER_OPTIONAL }

/* MTASuppliedInformation: `attempted` is a CHOICE of name and domain; the two as optional rows read the same. */
#define ATTEMPTED_MTA_ROW \
	[P1_SUPPLIED_MTA] = { .name = "attempted-mta", P1_FIELD(p1_supplied, mta), .type = &p1_mta_name_type, \
			      .flags = BER_OPTIONAL }
#define CONVERTED_ROW \
	{ .name = "converted-encoded-information-types", P1_FIELD(p1_supplied, converted), .type = &p1_eits_type, \
	  .flags = BER_OPTIONAL | BER_POINTER }

static const struct ber_field domain_supplied_rows[] = { SUPPLIED_ROWS, CONVERTED_ROW };
static const struct ber_field domain_supplied_relay_rows[] = { SUPPLIED_ROWS };
static const struct ber_field mta_supplied_rows[] = { SUPPLIED_ROWS, ATTEMPTED_MTA_ROW, CONVERTED_ROW };
static const struct ber_field mta_supplied_relay_rows[] = { SUPPLIED_ROWS, ATTEMPTED_MTA_ROW };

#define SUPPLIED_TYPE(type_name, rows) \
	{ .name = type_name, .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_supplied), P1_ROWS(rows) }
static const struct ber_type domain_supplied = SUPPLIED_TYPE("DomainSuppliedInformation", domain_supplied_rows);
static const struct ber_type domain_supplied_relay =
	SUPPLIED_TYPE("DomainSuppliedInformation", domain_supplied_relay_rows);
static const struct ber_type mta_supplied = SUPPLIED_TYPE("MTASuppliedInformation", mta_supplied_rows);
static const struct ber_type mta_supplied_relay = SUPPLIED_TYPE("MTASuppliedInformation", mta_supplied_relay_rows);

#define DOMAIN_ELEMENT_ROWS(supplied_type) \
	{ .name = "global-domain-identifier", P1_FIELD(p1_trace_element, domain), .type = &p1_gdi_type }, \
	{ .name = "domain-supplied-information", P1_FIELD(p1_trace_element, supplied), .type = &supplied_type }
#define MTA_ELEMENT_ROWS(supplied_type) \
	{ .name = "global-domain-identifier", P1_FIELD(p1_trace_element, domain), .type = &p1_gdi_type }, \
	{ .name = "mta-name", P1_FIELD(p1_trace_element, mta), .type = &p1_mta_name_type }, \
	{ .name = "mta-supplied-information", P1_FIELD(p1_trace_element, supplied), .type = &supplied_type }
#define ELEMENT_TYPE(type_name, rows) \
	{ .name = type_name, .kind = BER_SEQ, .tag = BER_U(16), .size = sizeof(struct p1_trace_element), \
	  P1_ROWS(rows), .closed = true }

static const struct ber_field trace_rows[] = { DOMAIN_ELEMENT_ROWS(domain_supplied) };
static const struct ber_field trace_relay_rows[] = { DOMAIN_ELEMENT_ROWS(domain_supplied_relay) };
static const struct ber_field internal_rows[] = { MTA_ELEMENT_ROWS(mta_supplied) };
static const struct ber_field internal_relay_rows[] = { MTA_ELEMENT_ROWS(mta_supplied_relay) };
static const struct ber_type trace_element = ELEMENT_TYPE("TraceInformationElement", trace_rows);
static const struct ber_type trace_element_relay = ELEMENT_TYPE("TraceInformationElement", trace_relay_rows);
static const struct ber_type internal_element = ELEMENT_TYPE("InternalTraceInformationElement", internal_rows);
static const struct ber_type internal_element_relay =
	ELEMENT_TYPE("InternalTraceInformationElement", internal_relay_rows);

#define TRACE_TYPE(type_name, tag_, element) \
	{ .name = type_name, .kind = BER_SEQ_OF, .tag = tag_, .size = sizeof(struct ber_list), .of = &element, \
	  .min = 1, .max = 512 }
const struct ber_type p1_trace_type = TRACE_TYPE("TraceInformation", BER_A(9), trace_element);
const struct ber_type p1_trace_relay = TRACE_TYPE("TraceInformation", BER_A(9), trace_element_relay);
const struct ber_type p1_internal_trace_type = TRACE_TYPE("InternalTraceInformation", BER_U(16), internal_element);
const struct ber_type p1_internal_trace_relay =
	TRACE_TYPE("InternalTraceInformation", BER_U(16), internal_element_relay);
