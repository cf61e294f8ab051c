/* p1_extension_table.c - ExtensionField and the values of the standard extensions (X.411, "Extension Fields"). */
#include "flow/codec/p1/p1.h"
#include "flow/codec/p1/p1_asn1.h"

#define ENUM2(id, type_name, zero, one) \
	static const struct ber_name id##_names[] = { { 0, zero }, { 1, one } }; \
	static const struct ber_type id = { .name = type_name, .kind = BER_ENUM, .tag = BER_U(10), \
					    .size = sizeof(int64_t), P1_NAMES(id##_names) }

ENUM2(reassignment, "RecipientReassignmentProhibited", "recipient-reassignment-allowed",
      "recipient-reassignment-prohibited");
ENUM2(dl_prohibited, "DLExpansionProhibited", "dl-expansion-allowed", "dl-expansion-prohibited");
ENUM2(loss_prohibited, "ConversionWithLossProhibited", "conversion-with-loss-allowed",
      "conversion-with-loss-prohibited");
ENUM2(forwarding_prohibited, "PhysicalForwardingProhibited", "physical-forwarding-allowed",
      "physical-forwarding-prohibited");
ENUM2(forwarding_address_request, "PhysicalForwardingAddressRequest", "physical-forwarding-address-not-requested",
      "physical-forwarding-address-requested");
ENUM2(proof_of_submission_request, "ProofOfSubmissionRequest", "proof-of-submission-not-requested",
      "proof-of-submission-requested");
ENUM2(proof_of_delivery_request, "ProofOfDeliveryRequest", "proof-of-delivery-not-requested",
      "proof-of-delivery-requested");

static const struct ber_name method_names[] = {
	{ 0, "any-delivery-method" }, { 1, "mhs-delivery" }, { 2, "physical-delivery" }, { 3, "telex-delivery" },
	{ 4, "teletex-delivery" }, { 5, "g3-facsimile-delivery" }, { 6, "g4-facsimile-delivery" },
	{ 7, "ia5-terminal-delivery" }, { 8, "videotex-delivery" }, { 9, "telephone-delivery" },
};
static const struct ber_type delivery_method = { .name = "INTEGER", .kind = BER_INT, .tag = BER_U(2),
						 .size = sizeof(int64_t), P1_NAMES(method_names), .max = 256 };
static const struct ber_type delivery_methods = { .name = "RequestedDeliveryMethod", .kind = BER_SEQ_OF,
						  .tag = BER_U(16), .size = sizeof(struct ber_list),
						  .of = &delivery_method };

static const struct ber_name mode_names[] = {
	{ 0, "ordinary-mail" }, { 1, "special-delivery" }, { 2, "express-mail" }, { 3, "counter-collection" },
	{ 4, "counter-collection-with-telephone-advice" }, { 5, "counter-collection-with-telex-advice" },
	{ 6, "counter-collection-with-teletex-advice" }, { 7, "bureau-fax-delivery" },
};
static const struct ber_type delivery_modes = { .name = "PhysicalDeliveryModes", .kind = BER_BITS, .tag = BER_U(3),
						.size = sizeof(struct ber_bits), P1_NAMES(mode_names), .max = 16 };

static const struct ber_name registered_names[] = {
	{ 0, "non-registered-mail" }, { 1, "registered-mail" }, { 2, "registered-mail-to-addressee-in-person" },
};
static const struct ber_type registered_mail = { .name = "RegisteredMailType", .kind = BER_INT, .tag = BER_U(2),
						 .size = sizeof(int64_t), P1_NAMES(registered_names), .max = 256 };

static const struct ber_type number_for_advice = { .name = "RecipientNumberForAdvice", .kind = BER_STRING,
						   .tag = BER_U(20), .size = sizeof(struct view), .min = 1,
						   .max = 32 };

static const struct ber_name report_request_names[] = {
	{ 0, "return-of-undeliverable-mail-by-PDS" }, { 1, "return-of-notification-by-PDS" },
	{ 2, "return-of-notification-by-MHS" }, { 3, "return-of-notification-by-MHS-and-PDS" },
};
static const struct ber_type delivery_report_request = { .name = "PhysicalDeliveryReportRequest", .kind = BER_INT,
							 .tag = BER_U(2), .size = sizeof(int64_t),
							 P1_NAMES(report_request_names), .max = 256 };

struct correlator {
	struct ber_choice choice;
	struct view value;
};
static const struct ber_type correlator_text = { .name = "IA5String", .kind = BER_STRING, .tag = BER_U(22),
						 .size = sizeof(struct view), .max = 512 };
static const struct ber_field correlator_rows[] = {
	{ .name = "ia5text", P1_FIELD(correlator, value), .type = &correlator_text },
	{ .name = "octets", P1_FIELD(correlator, value), .type = &p1_octets },
};
static const struct ber_type content_correlator = { .name = "ContentCorrelator", .kind = BER_CHOICE,
						    .tag = BER_NO_TAG, .size = sizeof(struct correlator),
						    P1_ROWS(correlator_rows) };

const struct ber_type p1_prohibited = { .name = "ENUMERATED", .kind = BER_ENUM, .tag = BER_U(10), .size = sizeof(int64_t) };

/* --- histories --- */

#define NAME_AND_TIME(id, type_name, name_name, time_name) \
	static const struct ber_field id##_rows[] = { \
		{ .name = name_name, P1_FIELD(p1_name_and_time, name), .type = &p1_orname_type }, \
		{ .name = time_name, P1_FIELD(p1_name_and_time, time), .type = &p1_utctime }, \
	}; \
	static const struct ber_type id = { .name = type_name, .kind = BER_SEQ, .tag = BER_U(16), \
					    .size = sizeof(struct p1_name_and_time), P1_ROWS(id##_rows) }

NAME_AND_TIME(intended_name, "IntendedRecipientName", "intended-recipient", "redirection-time");
NAME_AND_TIME(dl_expansion, "DLExpansion", "dl", "dl-expansion-time");
NAME_AND_TIME(origination, "OriginatorAndDLExpansion", "originator-or-dl-name", "origination-or-expansion-time");

static const struct ber_name redirection_names[] = {
	{ 0, "recipient-assigned-alternate-recipient" }, { 1, "originator-requested-alternate-recipient" },
	{ 2, "recipient-MD-assigned-alternate-recipient" }, { 3, "directory-look-up" }, { 4, "alias" },
};
static const struct ber_type redirection_reason = { .name = "RedirectionReason", .kind = BER_ENUM, .tag = BER_U(10),
						    .size = sizeof(int64_t), P1_NAMES(redirection_names) };
static const struct ber_field redirection_rows[] = {
	{ .name = "intended-recipient-name", P1_FIELD(p1_redirection, intended), .type = &intended_name },
	{ .name = "redirection-reason", P1_FIELD(p1_redirection, reason), .type = &redirection_reason },
};
static const struct ber_type redirection = { .name = "Redirection", .kind = BER_SEQ, .tag = BER_U(16),
					     .size = sizeof(struct p1_redirection), P1_ROWS(redirection_rows) };

#define SHARED_LIST(id, type_name, kind_, tag_, element, least, most) \
	const struct ber_type id = { .name = type_name, .kind = kind_, .tag = BER_U(tag_), \
					    .size = sizeof(struct ber_list), .of = &element, .min = least, \
					    .max = most }
#define LIST(id, ...) static SHARED_LIST(id, __VA_ARGS__)
SHARED_LIST(p1_redirection_history, "RedirectionHistory", BER_SEQ_OF, 16, redirection, 1, 512);
SHARED_LIST(p1_dl_expansion_history, "DLExpansionHistory", BER_SEQ_OF, 16, dl_expansion, 1, 512);
SHARED_LIST(p1_origin_history, "OriginatorAndDLExpansionHistory", BER_SEQ_OF, 16, origination, 2, 513);
SHARED_LIST(p1_exempted_recipients, "DLExemptedRecipients", BER_SET_OF, 17, p1_orname_type, 0, 0);

struct reporting_mta {
	struct ber_seq seq;
	struct p1_gdi domain;
	struct view name;
	struct ber_list directory_name;
};
static const struct ber_field reporting_rows[] = {
	{ .name = "domain", P1_FIELD(reporting_mta, domain), .type = &p1_gdi_type },
	{ .name = "mta-name", P1_FIELD(reporting_mta, name), .type = &p1_mta_name_type },
	{ .name = "mta-directory-name", P1_FIELD(reporting_mta, directory_name), .type = &p1_name_type,
	  .tag = BER_C(0), .flags = BER_OPTIONAL | BER_EXPLICIT },
};
static const struct ber_type reporting_mta = { .name = "ReportingMTAName", .kind = BER_SEQ, .tag = BER_U(16),
					       .size = sizeof(struct reporting_mta), P1_ROWS(reporting_rows) };

/* --- X.420 BlindCopyRecipientsField: SEQUENCE OF RecipientSpecifier --- */

struct descriptor {
	struct ber_seq seq;
	struct p1_orname formal_name;
	struct view free_form, telephone;
};
struct specifier {
	struct ber_seq seq;
	struct descriptor recipient;
	struct ber_bits requests;
	bool reply_requested;
	struct ber_list extensions;
};
static const struct ber_field descriptor_rows[] = {
	{ .name = "formal-name", P1_FIELD(descriptor, formal_name), .type = &p1_orname_type,
	  .flags = BER_OPTIONAL },
	{ .name = "free-form-name", P1_FIELD(descriptor, free_form), .type = &p1_teletex, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "telephone-number", P1_FIELD(descriptor, telephone), .type = &p1_printable, .tag = BER_C(1),
	  .flags = BER_OPTIONAL },
};
static const struct ber_type descriptor = { .name = "ORDescriptor", .kind = BER_SET, .tag = BER_U(17),
					    .size = sizeof(struct descriptor), P1_ROWS(descriptor_rows) };
static const struct ber_name request_names[] = {
	{ 0, "rn" }, { 1, "nrn" }, { 2, "ipm-return" }, { 3, "an-supported" }, { 4, "suppress-an" },
};
static const struct ber_type notification_requests = { .name = "NotificationRequests", .kind = BER_BITS,
						       .tag = BER_U(3), .size = sizeof(struct ber_bits),
						       P1_NAMES(request_names) };
static const struct ber_type reply_requested = { .name = "BOOLEAN", .kind = BER_BOOL, .tag = BER_U(1),
						 .size = sizeof(bool) };
LIST(ipms_extensions, "RecipientExtensionsField", BER_SET_OF, 17, p1_any, 0, 0);
static const struct ber_field specifier_rows[] = {
	{ .name = "recipient", P1_FIELD(specifier, recipient), .type = &descriptor, .tag = BER_C(0) },
	{ .name = "notification-requests", P1_FIELD(specifier, requests), .type = &notification_requests,
	  .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "reply-requested", P1_FIELD(specifier, reply_requested), .type = &reply_requested,
	  .tag = BER_C(2), .flags = BER_HAS_DEFAULT },
	{ .name = "recipient-extensions", P1_FIELD(specifier, extensions), .type = &ipms_extensions,
	  .tag = BER_C(3), .flags = BER_OPTIONAL },
};
static const struct ber_type specifier = { .name = "RecipientSpecifier", .kind = BER_SET, .tag = BER_U(17),
					   .size = sizeof(struct specifier), P1_ROWS(specifier_rows) };
LIST(blind_copies, "BlindCopyRecipientsField", BER_SEQ_OF, 16, specifier, 0, 0);

/* --- the field itself --- */

const struct ber_type *p1_extension_value_type(int64_t number)
{
	static const struct ber_type *const types[] = {
#define X(number, type) [number] = &type,
#include "flow/codec/p1/p1_extension_table.h"
#undef X
	};
	return number > 0 && number < (int64_t)ARRAY_LEN(types) ? types[number] : NULL;
}

static const struct ber_name extension_names[] = {
#define X(number, name) { number, name },
#include "flow/message/extension_table.h"
#undef X
};

static const struct ber_type standard_number = { .name = "standard-extension", .kind = BER_INT, .tag = BER_U(2),
						 .size = sizeof(int64_t), P1_NAMES(extension_names), .max = 256 };
/* ISODE writes the type with an explicit tag, which is a constructed one. */
static const struct ber_field type_rows[] = {
	{ .name = "standard-extension", P1_FIELD(p1_extension_type, number), .type = &standard_number,
	  .tag = BER_C(0), .flags = BER_PRIMITIVE },
	{ .name = "standard-extension", P1_FIELD(p1_extension_type, number), .type = &standard_number,
	  .tag = BER_C(0), .flags = BER_EXPLICIT | BER_CONSTRUCTED },
	{ .name = "private-extension", P1_FIELD(p1_extension_type, oid), .type = &p1_oid, .tag = BER_C(3),
	  .flags = BER_PRIMITIVE },
	{ .name = "private-extension", P1_FIELD(p1_extension_type, oid), .type = &p1_oid, .tag = BER_C(3),
	  .flags = BER_EXPLICIT | BER_CONSTRUCTED },
};
static const struct ber_type extension_type = { .name = "ExtensionType", .kind = BER_CHOICE, .tag = BER_NO_TAG,
						.size = sizeof(struct p1_extension_type), P1_ROWS(type_rows),
						.closed = true };

static const struct ber_name criticality_names[] = {
	{ 0, "for-submission" }, { 1, "for-transfer" }, { 2, "for-delivery" },
};
static const struct ber_type criticality = { .name = "Criticality", .kind = BER_BITS, .tag = BER_U(3),
					     .size = sizeof(struct ber_bits), P1_NAMES(criticality_names),
					     .max = 16 };

static const struct ber_type *value_type(const void *parent)
{
	const struct p1_extension *x = parent;
	bool standard = x->type.choice.which == P1_EXT_TYPE_STANDARD ||
			x->type.choice.which == P1_EXT_TYPE_STANDARD_EXPLICIT;
	return standard ? p1_extension_value_type(x->type.number) : NULL;
}

static const struct ber_field extension_rows[] = {
	[P1_EXTENSION_TYPE] = { .name = "type", P1_FIELD(p1_extension, type), .type = &extension_type },
	[P1_EXTENSION_CRITICALITY] = { .name = "criticality", P1_FIELD(p1_extension, criticality),
				       .type = &criticality, .tag = BER_C(1), .flags = BER_OPTIONAL },
	[P1_EXTENSION_VALUE] = { .name = "value", P1_FIELD(p1_extension, value), .type = &p1_any, .tag = BER_C(2),
				 .flags = BER_OPTIONAL | BER_EXPLICIT, .resolve = value_type },
};
static const struct ber_type extension = { .name = "ExtensionField", .kind = BER_SEQ, .tag = BER_U(16),
					   .size = sizeof(struct p1_extension), P1_ROWS(extension_rows),
					   .closed = true };
const struct ber_type p1_extensions_type = { .name = "Extensions", .kind = BER_SET_OF, .tag = BER_U(17),
					     .size = sizeof(struct ber_list), .of = &extension };
