/* p1_84_table.c - MPDUs of X.411 (1984) 3.4, over the C forms of 1988: the same members, under the names of 1984, so that one
 * decoder and one encoder serve both.
 *
 * What 1988 has added keeps its row where a peer that calls itself one of 1984 may send it all the same (extensions, extension
 * attributes, directory names, other-actions): it is understood, and never sent. Closed to it: the content type, an INTEGER only. */
#include "flow/codec/p1/p1_84.h"

#define STRING(id, type_name, universal) \
	static const struct ber_type id = { .name = type_name, .kind = BER_STRING, .tag = universal, .size = sizeof(struct view) }
#define INTEGER(id, type_name, tag_, names_) \
	static const struct ber_type id = { .name = type_name, .kind = BER_INT, .tag = tag_, .size = sizeof(int64_t), P1_NAMES(names_) }
#define LIST(id, type_name, element) \
	static const struct ber_type id = { .name = type_name, .kind = BER_SEQ_OF, .tag = BER_U(16), \
					    .size = sizeof(struct ber_list), .of = &element }

/* --- O/R name --- */

STRING(x121_address, "X121Address", BER_U(18));
STRING(terminal_id, "TerminalID", BER_U(19));
STRING(organization_name, "OrganizationName", BER_U(19));
STRING(unique_ua_id, "UniqueUAIdentifier", BER_U(18));
STRING(organizational_unit, "OrganizationalUnit", BER_U(19));

#define NAME_PART(i, row_name) \
	{ .name = row_name, P1_FIELD(p1_personal_name, part[i]), .type = &p1_printable, .tag = BER_C(i), .flags = BER_OPTIONAL }
static const struct ber_field personal_rows[] = { NAME_PART(0, "surName"), NAME_PART(1, "givenName"), NAME_PART(2, "initials"),
						  NAME_PART(3, "generationQualifier") };
static const struct ber_type personal_name = { .name = "PersonalName", .kind = BER_SET, .tag = BER_U(17),
					       .size = sizeof(struct p1_personal_name), P1_ROWS(personal_rows) };
LIST(units, "SEQUENCE OF OrganizationalUnit", organizational_unit);

#define STANDARD_ROW(i, row_name, member, type_, tag_) \
	[i] = { .name = row_name, P1_FIELD(p1_standard_attributes, member), .type = &type_, .tag = tag_, .flags = BER_OPTIONAL }
static const struct ber_field standard_rows[] = {
	STANDARD_ROW(P1_BSA_COUNTRY, "countryName", country, p1_country_type, 0),
	STANDARD_ROW(P1_BSA_ADMD, "administrationDomainName", admd, p1_admd_type, 0),
	STANDARD_ROW(P1_BSA_NETWORK, "x121Address", network, x121_address, BER_C(0)),
	STANDARD_ROW(P1_BSA_TERMINAL, "terminalID", terminal, terminal_id, BER_C(1)),
	[P1_BSA_PRMD] = { .name = "privateDomainName", P1_FIELD(p1_standard_attributes, prmd), .type = &p1_words_type,
			  .tag = BER_C(2), .flags = BER_OPTIONAL | BER_EXPLICIT },
	STANDARD_ROW(P1_BSA_ORGANIZATION, "organizationName", organization, organization_name, BER_C(3)),
	STANDARD_ROW(P1_BSA_NUMERIC_USER, "uniqueUAIdentifier", numeric_user, unique_ua_id, BER_C(4)),
	STANDARD_ROW(P1_BSA_PERSONAL, "personalName", personal, personal_name, BER_C(5)),
	STANDARD_ROW(P1_BSA_UNITS, "organizationalUnits", units, units, BER_C(6)),
};
static const struct ber_type standard_attributes = { .name = "StandardAttributeList", .kind = BER_SEQ, .tag = BER_U(16),
						     .size = sizeof(struct p1_standard_attributes), P1_ROWS(standard_rows) };

static const struct ber_field defined_rows[] = {
	{ .name = "type", P1_FIELD(p1_domain_defined, type), .type = &p1_printable },
	{ .name = "value", P1_FIELD(p1_domain_defined, value), .type = &p1_printable },
};
static const struct ber_type defined_attribute = { .name = "DomainDefinedAttribute", .kind = BER_SEQ, .tag = BER_U(16),
						   .size = sizeof(struct p1_domain_defined), P1_ROWS(defined_rows),
						   .closed = true };
LIST(defined_attributes, "DomainDefinedAttributeList", defined_attribute);

static const struct ber_type *directory_name(const void *parent)
{
	(void)parent;
	return &p1_name_type;
}
static const struct ber_field orname_rows[] = {
	[P1_ORNAME_STANDARD] = { .name = "standardAttributeList", P1_FIELD(p1_orname, standard), .type = &standard_attributes },
	[P1_ORNAME_DOMAIN_DEFINED] = { .name = "domainDefinedAttributeList", P1_FIELD(p1_orname, domain_defined),
				       .type = &defined_attributes, .flags = BER_OPTIONAL },
	[P1_ORNAME_EXTENSIONS] = { .name = "extension-attributes", P1_FIELD(p1_orname, extensions), .type = &p1_attributes_type,
				   .flags = BER_OPTIONAL },
	[P1_ORNAME_DIRECTORY_NAME] = { .name = "directory-name", P1_FIELD(p1_orname, directory_name), .type = &p1_any,
				       .tag = BER_C(0), .flags = BER_OPTIONAL | BER_EXPLICIT, .resolve = directory_name },
};
static const struct ber_type orname = { .name = "ORName", .kind = BER_SEQ, .tag = BER_A(0), .size = sizeof(struct p1_orname),
					P1_ROWS(orname_rows) };

/* --- domains, identifiers, types --- */

static const struct ber_field gdi_rows[] = {
	[P1_GDI_COUNTRY] = { .name = "countryName", P1_FIELD(p1_gdi, country), .type = &p1_country_type },
	[P1_GDI_ADMD] = { .name = "administrationDomainName", P1_FIELD(p1_gdi, admd), .type = &p1_admd_type,
			  .flags = BER_OPTIONAL },
	[P1_GDI_PRMD] = { .name = "privateDomainIdentifier", P1_FIELD(p1_gdi, prmd), .type = &p1_words_type,
			  .flags = BER_OPTIONAL },
};
static const struct ber_type gdi = { .name = "GlobalDomainIdentifier", .kind = BER_SEQ, .tag = BER_A(3),
				     .size = sizeof(struct p1_gdi), P1_ROWS(gdi_rows), .closed = true };
static const struct ber_field id_rows[] = {
	{ .name = "globalDomainIdentifier", P1_FIELD(p1_mts_id, domain), .type = &gdi },
	{ .name = "local", P1_FIELD(p1_mts_id, local), .type = &p1_ia5 },
};
static const struct ber_type id = { .name = "MPDUIdentifier", .kind = BER_SEQ, .tag = BER_A(4), .size = sizeof(struct p1_mts_id),
				    P1_ROWS(id_rows), .closed = true };

static const struct ber_name eit_names[] = {
	{ 0, "undefined" }, { 1, "tLX" }, { 2, "iA5Text" }, { 3, "g3Fax" }, { 4, "tIF0" },
	{ 5, "tTX" }, { 6, "videotex" }, { 7, "voice" }, { 8, "sFD" }, { 9, "tIF1" },
};
static const struct ber_type eit_bits = { .name = "BIT STRING", .kind = BER_BITS, .tag = BER_U(3), .size = sizeof(struct ber_bits),
					  P1_NAMES(eit_names) };
static const struct ber_name g3_names[] = {
	{ 8, "twoDimensional" }, { 9, "fineResolution" }, { 20, "unlimitedLength" }, { 21, "b4Length" },
	{ 22, "a3Width" }, { 23, "b4Width" }, { 30, "uncompressed" },
};
static const struct ber_type g3_params = { .name = "G3NonBasicParams", .kind = BER_BITS, .tag = BER_U(3),
					   .size = sizeof(struct ber_bits), P1_NAMES(g3_names) };
#define TELETEX_PART(i, row_name, type_) \
	{ .name = row_name, P1_FIELD(p1_teletex_parameters, part[i]), .type = &type_, .tag = BER_C(i), .flags = BER_OPTIONAL }
static const struct ber_field teletex_rows[] = {
	TELETEX_PART(0, "graphicCharacterSets", p1_teletex), TELETEX_PART(1, "controlCharacterSets", p1_teletex),
	TELETEX_PART(2, "pageFormats", p1_octets), TELETEX_PART(3, "miscTerminalCapabilities", p1_teletex),
	TELETEX_PART(4, "privateUse", p1_octets),
};
static const struct ber_type teletex_params = { .name = "TeletexNonBasicParams", .kind = BER_SET, .tag = BER_U(17),
						.size = sizeof(struct p1_teletex_parameters), P1_ROWS(teletex_rows) };
/* PresentationCapabilities [3] are T.73's: kept as unknown. */
static const struct ber_field eits_rows[] = {
	[P1_84_EITS_BITS] = { .name = "types", P1_FIELD(p1_eits, built_in), .type = &eit_bits, .tag = BER_C(0) },
	[P1_84_EITS_G3] = { .name = "g3NonBasicParams", P1_FIELD(p1_eits, g3), .type = &g3_params, .tag = BER_C(1),
			    .flags = BER_OPTIONAL },
	[P1_84_EITS_TELETEX] = { .name = "teletexNonBasicParams", P1_FIELD(p1_eits, teletex), .type = &teletex_params,
				 .tag = BER_C(2), .flags = BER_OPTIONAL },
};
const struct ber_type p1_84_eits = { .name = "EncodedInformationTypes", .kind = BER_SET, .tag = BER_A(5),
				     .size = sizeof(struct p1_eits), P1_ROWS(eits_rows) };

static const struct ber_name content_names[] = { { 0, "unidentified" }, { 1, "external" }, { 2, "p2" }, { 22, "p22" } };
INTEGER(content_integer, "ContentType", BER_A(6), content_names);
static const struct ber_field content_type_rows[] = {
	{ .name = "contentType", P1_FIELD(p1_content_type, built_in), .type = &content_integer },
};
static const struct ber_type content_type = { .name = "ContentType", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					      .size = sizeof(struct p1_content_type), P1_ROWS(content_type_rows), .closed = true };

/* --- trace --- */

static const struct ber_name action_names[] = { { 0, "relayed" }, { 1, "rerouted" } };
INTEGER(action, "INTEGER", BER_U(2), action_names);
static const struct ber_name other_names[] = { { 0, "redirected" }, { 1, "dl-operation" } };
static const struct ber_type other_actions = { .name = "OtherActions", .kind = BER_BITS, .tag = BER_U(3),
					       .size = sizeof(struct ber_bits), P1_NAMES(other_names) };

#define SUPPLIED_ROWS \
	[P1_SUPPLIED_ARRIVAL] = { .name = "arrival", P1_FIELD(p1_supplied, arrival), .type = &p1_utctime, .tag = BER_C(0) }, \
	[P1_SUPPLIED_ACTION] = { .name = "action", P1_FIELD(p1_supplied, action), .type = &action, .tag = BER_C(2) }, \
	[P1_SUPPLIED_DOMAIN] = { .name = "previous", P1_FIELD(p1_supplied, domain), .type = &gdi, .flags = BER_OPTIONAL }, \
	[P1_SUPPLIED_DEFERRED] = { .name = "deferred", P1_FIELD(p1_supplied, deferred), .type = &p1_utctime, .tag = BER_C(1), \
				   .flags = BER_OPTIONAL }, \
	[P1_SUPPLIED_OTHER] = { .name = "other-actions", P1_FIELD(p1_supplied, other), .type = &other_actions, .tag = BER_C(3), \
				.flags = BER_OPTIONAL }
static const struct ber_field supplied_rows[] = {
	SUPPLIED_ROWS,
	{ .name = "converted", P1_FIELD(p1_supplied, converted), .type = &p1_84_eits, .flags = BER_OPTIONAL | BER_POINTER },
};
static const struct ber_field supplied_relay_rows[] = { SUPPLIED_ROWS };
#define SUPPLIED_TYPE(rows) \
	{ .name = "DomainSuppliedInfo", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_supplied), P1_ROWS(rows) }
static const struct ber_type supplied = SUPPLIED_TYPE(supplied_rows), supplied_relay = SUPPLIED_TYPE(supplied_relay_rows);

#define ELEMENT_ROWS(supplied_) \
	{ .name = "globalDomainIdentifier", P1_FIELD(p1_trace_element, domain), .type = &gdi }, \
	{ .name = "domainSuppliedInfo", P1_FIELD(p1_trace_element, supplied), .type = &supplied_ }
static const struct ber_field element_rows[] = { ELEMENT_ROWS(supplied) };
static const struct ber_field element_relay_rows[] = { ELEMENT_ROWS(supplied_relay) };
#define ELEMENT_TYPE(rows) \
	{ .name = "SEQUENCE", .kind = BER_SEQ, .tag = BER_U(16), .size = sizeof(struct p1_trace_element), P1_ROWS(rows), .closed = true }
static const struct ber_type element = ELEMENT_TYPE(element_rows), element_relay = ELEMENT_TYPE(element_relay_rows);
#define TRACE_TYPE(of_) \
	{ .name = "TraceInformation", .kind = BER_SEQ_OF, .tag = BER_A(9), .size = sizeof(struct ber_list), .of = &of_ }
static const struct ber_type trace = TRACE_TYPE(element), trace_relay = TRACE_TYPE(element_relay);

/* Internal trace of the first draft of MOTIS (DIS 8883, 1986), which implementors of 1984 took up (RFC 1615 4.1). */
static const struct ber_field motis_name_rows[] = {
	{ .name = "printable", P1_FIELD(p1_words, value), .type = &p1_printable },
	{ .name = "ia5", P1_FIELD(p1_words, value), .type = &p1_ia5 },
};
static const struct ber_type motis_name = { .name = "MTAName", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct p1_words),
					    P1_ROWS(motis_name_rows), .closed = true };
static const struct ber_field motis_supplied_rows[] = {
	[P1_84_MOTIS_ARRIVAL] = { .name = "arrival", P1_FIELD(p1_84_motis_supplied, arrival), .type = &p1_utctime, .tag = BER_C(0) },
	[P1_84_MOTIS_DEFERRED] = { .name = "deferred", P1_FIELD(p1_84_motis_supplied, deferred), .type = &p1_utctime,
				   .tag = BER_C(1), .flags = BER_OPTIONAL },
	[P1_84_MOTIS_ACTION] = { .name = "action", P1_FIELD(p1_84_motis_supplied, action), .type = &action, .tag = BER_C(2) },
	[P1_84_MOTIS_PREVIOUS] = { .name = "previous", P1_FIELD(p1_84_motis_supplied, previous), .type = &motis_name,
				   .flags = BER_OPTIONAL },
};
static const struct ber_type motis_supplied = { .name = "MTASuppliedInfo", .kind = BER_SET, .tag = BER_U(17),
						.size = sizeof(struct p1_84_motis_supplied), P1_ROWS(motis_supplied_rows) };
static const struct ber_field motis_rows[] = {
	{ .name = "mTAName", P1_FIELD(p1_84_motis_element, mta), .type = &motis_name },
	{ .name = "mTASuppliedInfo", P1_FIELD(p1_84_motis_element, supplied), .type = &motis_supplied },
};
static const struct ber_type motis_element = { .name = "SEQUENCE", .kind = BER_SEQ, .tag = BER_U(16),
					       .size = sizeof(struct p1_84_motis_element), P1_ROWS(motis_rows) };
const struct ber_type p1_84_motis_trace = { .name = "InternalTraceInfo", .kind = BER_SEQ_OF, .tag = P1_84_TAG_MOTIS,
					    .size = sizeof(struct ber_list), .of = &motis_element };

/* --- message and probe --- */

STRING(ua_content_id, "UAContentId", BER_A(10));
static const struct ber_name priority_names[] = { { 0, "normal" }, { 1, "nonUrgent" }, { 2, "urgent" } };
INTEGER(priority, "Priority", BER_A(7), priority_names);
static const struct ber_name flag_names[] = {
	{ 0, "discloseRecipients" }, { 1, "conversionProhibited" }, { 2, "alternateRecipientAllowed" }, { 3, "contentReturnRequest" },
};
static const struct ber_type message_flag = { .name = "PerMessageFlag", .kind = BER_BITS, .tag = BER_A(8),
					      .size = sizeof(struct ber_bits), P1_NAMES(flag_names) };
/* X.411 (1984) figure 23. */
static const struct ber_name recipient_flag_names[] = {
	{ 0, "responsibility" }, { 1, "report-request-1" }, { 2, "report-request-2" }, { 3, "user-report-request-1" },
	{ 4, "user-report-request-2" },
};
static const struct ber_type recipient_flag = { .name = "PerRecipientFlag", .kind = BER_BITS, .tag = BER_U(3),
						.size = sizeof(struct ber_bits), P1_NAMES(recipient_flag_names) };
static const struct ber_name conversion_names[] = { { 0, "iA5TextTeletex" }, { 1, "teletexTelex" } };
INTEGER(conversion, "ExplicitConversion", BER_U(2), conversion_names);

static const struct ber_field bilateral_rows[] = {
	{ .name = "countryName", P1_FIELD(p1_84_bilateral, country), .type = &p1_country_type },
	{ .name = "administrationDomainName", P1_FIELD(p1_84_bilateral, admd), .type = &p1_admd_type },
	{ .name = "bilateralInfo", P1_FIELD(p1_84_bilateral, information), .type = &p1_any },
};
static const struct ber_type bilateral = { .name = "PerDomainBilateralInfo", .kind = BER_SEQ, .tag = BER_U(16),
					   .size = sizeof(struct p1_84_bilateral), P1_ROWS(bilateral_rows) };
LIST(bilaterals, "SEQUENCE OF PerDomainBilateralInfo", bilateral);
LIST(raw_list, "SEQUENCE OF", p1_any);

#define EXTENSIONS_ROW(form, tag_) \
	{ .name = "extensions", P1_FIELD(form, ext), .type = &p1_extensions_type, .tag = tag_, .flags = BER_OPTIONAL }
static const struct ber_field recipient_rows[] = {
	[P1_RCPT_NAME] = { .name = "recipient", P1_FIELD(p1_recipient, name), .type = &orname },
	[P1_RCPT_NUMBER] = { .name = "extensionIdentifier", P1_FIELD(p1_recipient, number), .type = &p1_integer, .tag = BER_C(0) },
	[P1_RCPT_INDICATORS] = { .name = "perRecipientFlag", P1_FIELD(p1_recipient, indicators), .type = &recipient_flag,
				 .tag = BER_C(1) },
	[P1_RCPT_CONVERSION] = { .name = "explicitConversion", P1_FIELD(p1_recipient, conversion), .type = &conversion,
				 .tag = BER_C(2), .flags = BER_OPTIONAL },
	[P1_RCPT_EXT] = EXTENSIONS_ROW(p1_recipient, BER_C(3)),
};
static const struct ber_type recipient = { .name = "RecipientInfo", .kind = BER_SET, .tag = BER_U(17),
					   .size = sizeof(struct p1_recipient), P1_ROWS(recipient_rows) };
LIST(recipients, "SEQUENCE OF RecipientInfo", recipient);

#define ENVELOPE_ROWS(id_name, zero_row, bilateral_, trace_, recipients_) \
	[P1_ENV_ORIGINATOR] = { .name = "originator", P1_FIELD(p1_envelope, originator), .type = &orname }, \
	[P1_ENV_ID] = { .name = id_name, P1_FIELD(p1_envelope, id), .type = &id }, \
	[P1_ENV_CONTENT_TYPE] = { .name = "contentType", P1_FIELD(p1_envelope, content_type), .type = &content_type }, \
	[P1_ENV_PRIORITY] = { .name = "priority", P1_FIELD(p1_envelope, priority), .type = &priority, .flags = BER_HAS_DEFAULT }, \
	[P1_ENV_INDICATORS] = { .name = "perMessageFlag", P1_FIELD(p1_envelope, indicators), .type = &message_flag, \
				.flags = BER_OPTIONAL }, \
	[P1_ENV_TRACE] = { .name = "traceInformation", P1_FIELD(p1_envelope, trace), .type = &trace_ }, \
	[P1_ENV_CONTENT_ID] = { .name = "uAContentId", P1_FIELD(p1_envelope, content_id), .type = &ua_content_id, \
				.flags = BER_OPTIONAL }, \
	[P1_ENV_ZERO] = zero_row, \
	[P1_ENV_BILATERAL] = { .name = "perDomainBilateralInfo", P1_FIELD(p1_envelope, bilateral), .type = &bilateral_, \
			       .tag = BER_C(1), .flags = BER_OPTIONAL }, \
	[P1_ENV_RECIPIENTS] = { .name = "recipientInfo", P1_FIELD(p1_envelope, recipients), .type = &recipients_, .tag = BER_C(2) }, \
	[P1_ENV_EXT] = EXTENSIONS_ROW(p1_envelope, BER_C(3))
#define DEFERRED_ROW \
	{ .name = "deferredDelivery", P1_FIELD(p1_envelope, deferred), .type = &p1_utctime, .tag = BER_C(0), .flags = BER_OPTIONAL }
#define LENGTH_ROW \
	{ .name = "contentLength", P1_FIELD(p1_envelope, content_length), .type = &p1_integer, .tag = BER_C(0), \
	  .flags = BER_OPTIONAL }
#define EITS_ROW \
	{ .name = "original", P1_FIELD(p1_envelope, eits), .type = &p1_84_eits, .flags = BER_OPTIONAL | BER_POINTER }

static const struct ber_field message_rows[] = {
	ENVELOPE_ROWS("mPDUIdentifier", DEFERRED_ROW, bilaterals, trace, recipients),
	[P1_ENV_EITS] = EITS_ROW,
};
static const struct ber_field message_relay_rows[] = {
	ENVELOPE_ROWS("mPDUIdentifier", DEFERRED_ROW, raw_list, trace_relay, raw_list),
};
static const struct ber_field probe_rows[] = {
	ENVELOPE_ROWS("probe", LENGTH_ROW, bilaterals, trace, recipients),
	[P1_ENV_EITS] = EITS_ROW,
};
static const struct ber_field probe_relay_rows[] = { ENVELOPE_ROWS("probe", LENGTH_ROW, raw_list, trace_relay, raw_list) };
#define ENVELOPE_TYPE(type_name, tag_, rows) \
	{ .name = type_name, .kind = BER_SET, .tag = tag_, .size = sizeof(struct p1_envelope), P1_ROWS(rows) }
const struct ber_type p1_84_envelope = ENVELOPE_TYPE("UMPDUEnvelope", BER_U(17), message_rows);
static const struct ber_type message_relay = ENVELOPE_TYPE("UMPDUEnvelope", BER_U(17), message_relay_rows);
static const struct ber_type probe = ENVELOPE_TYPE("ProbeMPDU", BER_U(17), probe_rows);
static const struct ber_type probe_relay = ENVELOPE_TYPE("ProbeMPDU", BER_C(2), probe_relay_rows);

static const struct ber_field user_rows[] = {
	{ .name = "envelope", P1_FIELD(p1_message, envelope), .type = &p1_84_envelope },
	{ .name = "content", P1_FIELD(p1_message, content), .type = &p1_octets },
};
static const struct ber_type user_mpdu = { .name = "UserMPDU", .kind = BER_SEQ, .tag = BER_U(16), .size = sizeof(struct p1_message),
					   P1_ROWS(user_rows) };

/* --- delivery report --- */

static const struct ber_name ua_names[] = { { 0, "public" }, { 1, "private" } };
INTEGER(type_of_ua, "INTEGER", BER_U(2), ua_names);
static const struct ber_field delivered_rows[] = {
	[P1_DELIVERY_TIME] = { .name = "delivery", P1_FIELD(p1_delivery, time), .type = &p1_utctime, .tag = BER_C(0) },
	[P1_DELIVERY_TYPE_OF_USER] = { .name = "typeOfUA", P1_FIELD(p1_delivery, type_of_user), .type = &type_of_ua,
				       .tag = BER_C(1), .flags = BER_OPTIONAL },
};
static const struct ber_type delivered = { .name = "DeliveredInfo", .kind = BER_SET, .tag = BER_U(17),
					   .size = sizeof(struct p1_delivery), P1_ROWS(delivered_rows) };
static const struct ber_name reason_names[] = { { 0, "transferFailure" }, { 1, "unableToTransfer" }, { 2, "conversionNotPerformed" } };
INTEGER(reason, "ReasonCode", BER_U(2), reason_names);
static const struct ber_name diagnostic_names[] = {
	{ 0, "unrecognizedORName" }, { 1, "ambiguousORName" }, { 2, "mtaCongestion" }, { 3, "loopDetected" },
	{ 4, "uaUnavailable" }, { 5, "maximumTimeExpired" }, { 6, "encodedInformationTypesUnsupported" },
	{ 7, "contentTooLong" }, { 8, "conversionImpractical" }, { 9, "conversionProhibited" },
	{ 10, "implicitConversionNotRegistered" }, { 11, "invalidParameters" },
};
INTEGER(diagnostic, "DiagnosticCode", BER_U(2), diagnostic_names);
static const struct ber_field non_delivered_rows[] = {
	[P1_NON_DELIVERY_REASON] = { .name = "reasonCode", P1_FIELD(p1_non_delivery, reason), .type = &reason, .tag = BER_C(0) },
	[P1_NON_DELIVERY_DIAGNOSTIC] = { .name = "diagnosticCode", P1_FIELD(p1_non_delivery, diagnostic), .type = &diagnostic,
					 .tag = BER_C(1), .flags = BER_OPTIONAL },
};
static const struct ber_type non_delivered = { .name = "NonDeliveredInfo", .kind = BER_SET, .tag = BER_U(17),
					       .size = sizeof(struct p1_non_delivery), P1_ROWS(non_delivered_rows) };
static const struct ber_field report_type_rows[] = {
	{ .name = "deliveredInfo", P1_FIELD(p1_report_type, delivery), .type = &delivered, .tag = BER_C(0) },
	{ .name = "nonDeliveredInfo", P1_FIELD(p1_report_type, non_delivery), .type = &non_delivered, .tag = BER_C(1) },
};
static const struct ber_type report_type = { .name = "Report", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					     .size = sizeof(struct p1_report_type), P1_ROWS(report_type_rows), .closed = true };

#define LAST_ROWS \
	{ .name = "arrival", P1_FIELD(p1_last_trace, arrival), .type = &p1_utctime, .tag = BER_C(0) }, \
	{ .name = "report", P1_FIELD(p1_last_trace, type), .type = &report_type, .tag = BER_C(1), .flags = BER_EXPLICIT }
static const struct ber_field last_rows[] = {
	LAST_ROWS,
	{ .name = "converted", P1_FIELD(p1_last_trace, converted), .type = &p1_84_eits, .flags = BER_OPTIONAL | BER_POINTER },
};
static const struct ber_field last_relay_rows[] = { LAST_ROWS };
#define LAST_TYPE(rows) \
	{ .name = "LastTraceInformation", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_last_trace), P1_ROWS(rows) }
static const struct ber_type last = LAST_TYPE(last_rows), last_relay = LAST_TYPE(last_relay_rows);

STRING(supplementary, "SupplementaryInformation", BER_U(19));
#define REPORTED_ROWS(last_) \
	[P1_RR_NAME] = { .name = "recipient", P1_FIELD(p1_report_recipient, name), .type = &orname, .tag = BER_C(0) }, \
	[P1_RR_NUMBER] = { .name = "extensionIdentifier", P1_FIELD(p1_report_recipient, number), .type = &p1_integer, \
			   .tag = BER_C(1) }, \
	[P1_RR_INDICATORS] = { .name = "perRecipientFlag", P1_FIELD(p1_report_recipient, indicators), .type = &recipient_flag, \
			       .tag = BER_C(2) }, \
	[P1_RR_LAST] = { .name = "lastTraceInformation", P1_FIELD(p1_report_recipient, last), .type = &last_, .tag = BER_C(3) }, \
	[P1_RR_INTENDED] = { .name = "intendedRecipient", P1_FIELD(p1_report_recipient, intended), .type = &orname, \
			     .tag = BER_C(4), .flags = BER_OPTIONAL | BER_POINTER }, \
	[P1_RR_SUPPLEMENTARY] = { .name = "supplementaryInformation", P1_FIELD(p1_report_recipient, supplementary), \
				  .type = &supplementary, .tag = BER_C(5), .flags = BER_OPTIONAL }, \
	[P1_RR_EXT] = EXTENSIONS_ROW(p1_report_recipient, BER_C(6))
static const struct ber_field reported_rows[] = { REPORTED_ROWS(last) };
static const struct ber_field reported_relay_rows[] = { REPORTED_ROWS(last_relay) };
#define REPORTED_TYPE(rows) \
	{ .name = "ReportedRecipientInfo", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_report_recipient), \
	  P1_ROWS(rows) }
static const struct ber_type reported = REPORTED_TYPE(reported_rows), reported_relay = REPORTED_TYPE(reported_relay_rows);
LIST(reporteds, "SEQUENCE OF ReportedRecipientInfo", reported);

#define REPORT_ENVELOPE_ROWS(trace_) \
	[P1_RE_DESTINATION] = { .name = "originator", P1_FIELD(p1_report_envelope, destination), .type = &orname }, \
	[P1_RE_ID] = { .name = "report", P1_FIELD(p1_report_envelope, id), .type = &id }, \
	[P1_RE_TRACE] = { .name = "traceInformation", P1_FIELD(p1_report_envelope, trace), .type = &trace_ }, \
	[P1_RE_EXT] = EXTENSIONS_ROW(p1_report_envelope, BER_C(1))
static const struct ber_field report_envelope_rows[] = { REPORT_ENVELOPE_ROWS(trace) };
static const struct ber_field report_envelope_relay_rows[] = { REPORT_ENVELOPE_ROWS(trace_relay) };
#define REPORT_ENVELOPE_TYPE(rows) \
	{ .name = "DeliveryReportEnvelope", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_report_envelope), \
	  P1_ROWS(rows) }
static const struct ber_type report_envelope = REPORT_ENVELOPE_TYPE(report_envelope_rows);
static const struct ber_type report_envelope_relay = REPORT_ENVELOPE_TYPE(report_envelope_relay_rows);

/* The content type is of 1988 here, and the subject's trace and identifier have no tag of their own. */
#define REPORT_CONTENT_ROWS(trace_, recipients_) \
	[P1_RC_SUBJECT] = { .name = "original", P1_FIELD(p1_report_content, subject), .type = &id }, \
	[P1_RC_CONTENT_TYPE] = { .name = "content-type", P1_FIELD(p1_report_content, content_type), \
				 .type = &p1_content_type_type, .flags = BER_OPTIONAL }, \
	[P1_RC_TRACE] = { .name = "intermediate", P1_FIELD(p1_report_content, subject_trace), .type = &trace_, \
			  .flags = BER_OPTIONAL }, \
	[P1_RC_CONTENT_ID] = { .name = "uAContentId", P1_FIELD(p1_report_content, content_id), .type = &ua_content_id, \
			       .flags = BER_OPTIONAL }, \
	[P1_RC_RECIPIENTS] = { .name = "reportedRecipientInfo", P1_FIELD(p1_report_content, recipients), .type = &recipients_, \
			       .tag = BER_C(0) }, \
	[P1_RC_RETURNED] = { .name = "returned", P1_FIELD(p1_report_content, returned), .type = &p1_octets, .tag = BER_C(1), \
			     .flags = BER_OPTIONAL }, \
	[P1_RC_EXT] = EXTENSIONS_ROW(p1_report_content, BER_C(3))
static const struct ber_field report_content_rows[] = {
	REPORT_CONTENT_ROWS(trace, reporteds),
	[P1_RC_ADDITIONAL] = { .name = "billingInformation", P1_FIELD(p1_report_content, additional), .type = &p1_any,
			       .tag = BER_C(2), .flags = BER_OPTIONAL | BER_EXPLICIT },
};
static const struct ber_field report_content_relay_rows[] = { REPORT_CONTENT_ROWS(trace_relay, raw_list) };
#define REPORT_CONTENT_TYPE(rows) \
	{ .name = "DeliveryReportContent", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_report_content), \
	  P1_ROWS(rows) }
static const struct ber_type report_content = REPORT_CONTENT_TYPE(report_content_rows);
static const struct ber_type report_content_relay = REPORT_CONTENT_TYPE(report_content_relay_rows);

static const struct ber_field report_rows[] = {
	{ .name = "envelope", P1_FIELD(p1_report, envelope), .type = &report_envelope },
	{ .name = "content", P1_FIELD(p1_report, content), .type = &report_content },
};
static const struct ber_field report_relay_rows[] = {
	{ .name = "envelope", P1_FIELD(p1_report, envelope), .type = &report_envelope_relay },
	{ .name = "content", P1_FIELD(p1_report, content), .type = &report_content_relay },
};
static const struct ber_type report = { .name = "DeliveryReportMPDU", .kind = BER_SEQ, .tag = BER_U(16),
					.size = sizeof(struct p1_report), P1_ROWS(report_rows) };
static const struct ber_type report_relay = { .name = "DeliveryReportMPDU", .kind = BER_SEQ, .tag = BER_C(1),
					      .size = sizeof(struct p1_report), P1_ROWS(report_relay_rows) };

/* --- the MPDU --- */

static const struct ber_field mpdu_rows[] = {
	{ .name = "userMPDU", P1_FIELD(p1_apdu, message), .type = &user_mpdu, .tag = BER_C(0) },
	{ .name = "deliveryReportMPDU", P1_FIELD(p1_apdu, report), .type = &report, .tag = BER_C(1) },
	{ .name = "probeMPDU", P1_FIELD(p1_apdu, probe), .type = &probe, .tag = BER_C(2) },
};
static const struct ber_type mpdu = { .name = "MPDU", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct p1_apdu),
				      P1_ROWS(mpdu_rows), .closed = true };

const struct p1_table_set p1_84_tables = {
	.message = &message_relay, .probe = &probe_relay, .report = &report_relay, .report_envelope = &report_envelope_relay,
	.report_content = &report_content_relay, .recipient = &recipient, .report_recipient = &reported_relay,
	.apdu = &mpdu,
};
