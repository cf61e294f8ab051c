/* p1_envelope_table.c - MTS-APDU, the envelopes and the report content (X.411 MTAAbstractService, X.419). */
#include "flow/codec/p1/p1_asn1.h"

/* --- content type --- */

static const struct ber_name content_names[] = {
	{ 0, "unidentified" }, { 1, "external" }, { 2, "interpersonal-messaging-1984" },
	{ 22, "interpersonal-messaging-1988" }, { 35, "edi-messaging" }, { 40, "voice-messaging" },
};
static const struct ber_type built_in_content = { .name = "BuiltInContentType", .kind = BER_INT, .tag = BER_A(6),
						  .size = sizeof(int64_t), P1_NAMES(content_names), .max = 32767 };
static const struct ber_field content_type_rows[] = {
	{ .name = "built-in", P1_FIELD(p1_content_type, built_in), .type = &built_in_content },
	{ .name = "extended", P1_FIELD(p1_content_type, extended), .type = &p1_oid },
};
const struct ber_type p1_content_type_type = { .name = "ContentType", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					       .size = sizeof(struct p1_content_type), P1_ROWS(content_type_rows),
					       .closed = true };

/* --- fields of envelopes --- */

static const struct ber_type content_identifier = { .name = "ContentIdentifier", .kind = BER_STRING,
						    .tag = BER_A(10), .size = sizeof(struct view), .min = 1,
						    .max = 16 };
static const struct ber_name priority_names[] = { { 0, "normal" }, { 1, "non-urgent" }, { 2, "urgent" } };
static const struct ber_type priority_type = { .name = "Priority", .kind = BER_ENUM, .tag = BER_A(7),
					       .size = sizeof(int64_t), P1_NAMES(priority_names) };
static const struct ber_name indicator_names[] = {
	{ 0, "disclosure-of-other-recipients" }, { 1, "implicit-conversion-prohibited" },
	{ 2, "alternate-recipient-allowed" }, { 3, "content-return-request" }, { 4, "reserved" }, { 5, "bit-5" },
	{ 6, "bit-6" }, { 7, "service-message" },
};
static const struct ber_type indicators_type = { .name = "PerMessageIndicators", .kind = BER_BITS, .tag = BER_A(8),
						 .size = sizeof(struct ber_bits), P1_NAMES(indicator_names),
						 .max = 16 };
static const struct ber_type content_length = { .name = "ContentLength", .kind = BER_INT, .tag = BER_U(2),
						.size = sizeof(int64_t), .max = INT32_MAX };
static const struct ber_type recipient_number = { .name = "OriginallySpecifiedRecipientNumber", .kind = BER_INT,
						  .tag = BER_U(2), .size = sizeof(int64_t), .min = 1,
						  .max = 32767 };
static const struct ber_name rcpt_indicator_names[] = {
	{ 0, "responsibility" }, { 1, "originating-MTA-report" }, { 2, "originating-MTA-non-delivery-report" },
	{ 3, "originator-report" }, { 4, "originator-non-delivery-report" }, { 5, "reserved-5" },
	{ 6, "reserved-6" }, { 7, "reserved-7" },
};
static const struct ber_type rcpt_indicators = { .name = "PerRecipientIndicators", .kind = BER_BITS, .tag = BER_U(3),
						 .size = sizeof(struct ber_bits), P1_NAMES(rcpt_indicator_names),
						 .min = 8, .max = 16 };
static const struct ber_name conversion_names[] = {
	{ 0, "ia5-text-to-teletex" }, { 8, "ia5-text-to-g3-facsimile" }, { 9, "ia5-text-to-g4-class-1" },
	{ 10, "ia5-text-to-videotex" }, { 11, "teletex-to-ia5-text" }, { 12, "teletex-to-g3-facsimile" },
	{ 13, "teletex-to-g4-class-1" }, { 14, "teletex-to-videotex" }, { 16, "videotex-to-ia5-text" },
	{ 17, "videotex-to-teletex" },
};
static const struct ber_type conversion_type = { .name = "ExplicitConversion", .kind = BER_INT, .tag = BER_U(2),
						 .size = sizeof(int64_t), P1_NAMES(conversion_names), .max = 256 };

/* --- bilateral information --- */

static const struct ber_field private_rows[] = {
	{ .name = "administration-domain-name", P1_FIELD(p1_bilateral_private, admd), .type = &p1_admd_type,
	  .tag = BER_C(0), .flags = BER_OPTIONAL },
	{ .name = "private-domain-identifier", P1_FIELD(p1_bilateral_private, prmd), .type = &p1_words_type,
	  .tag = BER_C(1), .flags = BER_EXPLICIT },
};
static const struct ber_type private_type = { .name = "private-domain", .kind = BER_SEQ, .tag = BER_U(16),
					      .size = sizeof(struct p1_bilateral_private), P1_ROWS(private_rows) };
static const struct ber_field bilateral_domain_rows[] = {
	{ .name = "administration-domain-name", P1_FIELD(p1_bilateral_domain, admd), .type = &p1_admd_type },
	{ .name = "private-domain", P1_FIELD(p1_bilateral_domain, private_domain), .type = &private_type },
};
static const struct ber_type bilateral_domain = { .name = "domain", .kind = BER_CHOICE, .tag = BER_NO_TAG,
						  .size = sizeof(struct p1_bilateral_domain),
						  P1_ROWS(bilateral_domain_rows) };
static const struct ber_field bilateral_rows[] = {
	{ .name = "country-name", P1_FIELD(p1_bilateral, country), .type = &p1_country_type },
	{ .name = "domain", P1_FIELD(p1_bilateral, domain), .type = &bilateral_domain },
	{ .name = "bilateral-information", P1_FIELD(p1_bilateral, information), .type = &p1_any },
};
static const struct ber_type bilateral_type = { .name = "PerDomainBilateralInformation", .kind = BER_SEQ,
						.tag = BER_U(16), .size = sizeof(struct p1_bilateral),
						P1_ROWS(bilateral_rows) };

#define LIST(id, type_name, element, most) \
	static const struct ber_type id = { .name = type_name, .kind = BER_SEQ_OF, .tag = BER_U(16), \
					    .size = sizeof(struct ber_list), .of = &element, .min = 1, .max = most }
LIST(bilateral_list, "PerDomainBilateralInformation", bilateral_type, 512);
LIST(raw_list, "SEQUENCE OF", p1_any, 32767);

/* --- message and probe --- */

static const struct ber_field recipient_rows[] = {
	[P1_RCPT_NAME] = { .name = "recipient-name", P1_FIELD(p1_recipient, name), .type = &p1_orname_type },
	[P1_RCPT_NUMBER] = { .name = "originally-specified-recipient-number", P1_FIELD(p1_recipient, number),
			     .type = &recipient_number, .tag = BER_C(0) },
	[P1_RCPT_INDICATORS] = { .name = "per-recipient-indicators", P1_FIELD(p1_recipient, indicators),
				 .type = &rcpt_indicators, .tag = BER_C(1) },
	[P1_RCPT_CONVERSION] = { .name = "explicit-conversion", P1_FIELD(p1_recipient, conversion),
				 .type = &conversion_type, .tag = BER_C(2), .flags = BER_OPTIONAL },
	[P1_RCPT_EXT] = { .name = "extensions", P1_FIELD(p1_recipient, ext), .type = &p1_extensions_type,
			  .tag = BER_C(3), .flags = BER_OPTIONAL },
};
const struct ber_type p1_recipient_relay = { .name = "PerRecipientMessageTransferFields", .kind = BER_SET,
					     .tag = BER_U(17), .size = sizeof(struct p1_recipient),
					     P1_ROWS(recipient_rows) };
LIST(recipients, "PerRecipientMessageTransferFields", p1_recipient_relay, 32767);

/* PerMessageTransferFields and PerProbeTransferFields differ in what [0] is and in priority. */
#define ENVELOPE_ROWS(id_name, zero_row, bilateral_of, trace_of, recipients_of) \
	[P1_ENV_ORIGINATOR] = { .name = "originator-name", P1_FIELD(p1_envelope, originator), \
				.type = &p1_orname_type }, \
	[P1_ENV_ID] = { .name = id_name, P1_FIELD(p1_envelope, id), .type = &p1_mts_id_type }, \
	[P1_ENV_CONTENT_TYPE] = { .name = "content-type", P1_FIELD(p1_envelope, content_type), \
				  .type = &p1_content_type_type }, \
	[P1_ENV_PRIORITY] = { .name = "priority", P1_FIELD(p1_envelope, priority), .type = &priority_type, \
			      .flags = BER_HAS_DEFAULT }, \
	[P1_ENV_INDICATORS] = { .name = "per-message-indicators", P1_FIELD(p1_envelope, indicators), \
				.type = &indicators_type, .flags = BER_OPTIONAL }, \
	[P1_ENV_TRACE] = { .name = "trace-information", P1_FIELD(p1_envelope, trace), .type = &trace_of }, \
	[P1_ENV_CONTENT_ID] = { .name = "content-identifier", P1_FIELD(p1_envelope, content_id), \
				.type = &content_identifier, .flags = BER_OPTIONAL }, \
	[P1_ENV_ZERO] = zero_row, \
	[P1_ENV_BILATERAL] = { .name = "per-domain-bilateral-information", P1_FIELD(p1_envelope, bilateral), \
			       .type = &bilateral_of, .tag = BER_C(1), .flags = BER_OPTIONAL }, \
	[P1_ENV_RECIPIENTS] = { .name = "per-recipient-fields", P1_FIELD(p1_envelope, recipients), \
				.type = &recipients_of, .tag = BER_C(2) }, \
	[P1_ENV_EXT] = { .name = "extensions", P1_FIELD(p1_envelope, ext), .type = &p1_extensions_type, \
			 .tag = BER_C(3), .flags = BER_OPTIONAL }
#define DEFERRED_ROW \
	{ .name = "deferred-delivery-time", P1_FIELD(p1_envelope, deferred), .type = &p1_utctime, \
	  .tag = BER_C(0), .flags = BER_OPTIONAL }
#define LENGTH_ROW \
	{ .name = "content-length", P1_FIELD(p1_envelope, content_length), .type = &content_length, \
	  .tag = BER_C(0), .flags = BER_OPTIONAL }
#define EITS_ROW(form) \
	{ .name = "original-encoded-information-types", P1_FIELD(form, eits), .type = &p1_eits_type, \
	  .flags = BER_OPTIONAL | BER_POINTER }

static const struct ber_field message_rows[] = {
	ENVELOPE_ROWS("message-identifier", DEFERRED_ROW, bilateral_list, p1_trace_type, recipients),
	[P1_ENV_EITS] = EITS_ROW(p1_envelope),
};
static const struct ber_field message_relay_rows[] = {
	ENVELOPE_ROWS("message-identifier", DEFERRED_ROW, raw_list, p1_trace_relay, raw_list),
};
static const struct ber_field probe_rows[] = {
	ENVELOPE_ROWS("probe-identifier", LENGTH_ROW, bilateral_list, p1_trace_type, recipients),
	[P1_ENV_EITS] = EITS_ROW(p1_envelope),
};
static const struct ber_field probe_relay_rows[] = {
	ENVELOPE_ROWS("probe-identifier", LENGTH_ROW, raw_list, p1_trace_relay, raw_list),
};

#define ENVELOPE_TYPE(type_name, tag_, rows) \
	{ .name = type_name, .kind = BER_SET, .tag = tag_, .size = sizeof(struct p1_envelope), P1_ROWS(rows) }
const struct ber_type p1_message_envelope_type = ENVELOPE_TYPE("MessageTransferEnvelope", BER_U(17), message_rows);
const struct ber_type p1_message_envelope_relay =
	ENVELOPE_TYPE("MessageTransferEnvelope", BER_U(17), message_relay_rows);
static const struct ber_type probe_type = ENVELOPE_TYPE("ProbeTransferEnvelope", BER_U(17), probe_rows);
const struct ber_type p1_probe_relay = ENVELOPE_TYPE("ProbeTransferEnvelope", BER_C(2), probe_relay_rows);

static const struct ber_field whole_message_rows[] = {
	{ .name = "envelope", P1_FIELD(p1_message, envelope), .type = &p1_message_envelope_type },
	{ .name = "content", P1_FIELD(p1_message, content), .type = &p1_octets },
};
static const struct ber_type message_type = { .name = "Message", .kind = BER_SEQ, .tag = BER_U(16),
					      .size = sizeof(struct p1_message), P1_ROWS(whole_message_rows) };

/* --- report: per recipient --- */

static const struct ber_name user_names[] = {
	{ 0, "public" }, { 1, "private" }, { 2, "ms" }, { 3, "dl" }, { 4, "pdau" }, { 5, "physical-recipient" },
	{ 6, "other" },
};
static const struct ber_type user_type = { .name = "TypeOfMTSUser", .kind = BER_INT, .tag = BER_U(2),
					   .size = sizeof(int64_t), P1_NAMES(user_names), .max = 256 };
static const struct ber_field delivery_rows[] = {
	[P1_DELIVERY_TIME] = { .name = "message-delivery-time", P1_FIELD(p1_delivery, time), .type = &p1_utctime,
			       .tag = BER_C(0) },
	[P1_DELIVERY_TYPE_OF_USER] = { .name = "type-of-MTS-user", P1_FIELD(p1_delivery, type_of_user),
				       .type = &user_type, .tag = BER_C(1), .flags = BER_OPTIONAL },
};
static const struct ber_type delivery_type = { .name = "DeliveryReport", .kind = BER_SET, .tag = BER_U(17),
					       .size = sizeof(struct p1_delivery), P1_ROWS(delivery_rows) };

static const struct ber_name reason_names[] = {
	{ 0, "transfer-failure" }, { 1, "unable-to-transfer" }, { 2, "conversion-not-performed" },
	{ 3, "physical-rendition-not-performed" }, { 4, "physical-delivery-not-performed" },
	{ 5, "restricted-delivery" }, { 6, "directory-operation-unsuccessful" },
	{ 7, "deferred-delivery-not-performed" }, { 8, "transfer-failure-for-security-reason" },
};
static const struct ber_type reason_type = { .name = "NonDeliveryReasonCode", .kind = BER_INT, .tag = BER_U(2),
					     .size = sizeof(int64_t), P1_NAMES(reason_names), .max = 32767 };
static const struct ber_name diagnostic_names[] = {
#define X(number, name) { number, name },
#include "flow/message/diagnostic_table.h"
#undef X
};
static const struct ber_type diagnostic_type = { .name = "NonDeliveryDiagnosticCode", .kind = BER_INT,
						 .tag = BER_U(2), .size = sizeof(int64_t),
						 P1_NAMES(diagnostic_names), .max = 32767 };
static const struct ber_field non_delivery_rows[] = {
	[P1_NON_DELIVERY_REASON] = { .name = "non-delivery-reason-code", P1_FIELD(p1_non_delivery, reason),
				     .type = &reason_type, .tag = BER_C(0) },
	[P1_NON_DELIVERY_DIAGNOSTIC] = { .name = "non-delivery-diagnostic-code",
					 P1_FIELD(p1_non_delivery, diagnostic), .type = &diagnostic_type,
					 .tag = BER_C(1), .flags = BER_OPTIONAL },
};
static const struct ber_type non_delivery_type = { .name = "NonDeliveryReport", .kind = BER_SET, .tag = BER_U(17),
						   .size = sizeof(struct p1_non_delivery),
						   P1_ROWS(non_delivery_rows) };
static const struct ber_field report_type_rows[] = {
	{ .name = "delivery", P1_FIELD(p1_report_type, delivery), .type = &delivery_type, .tag = BER_C(0) },
	{ .name = "non-delivery", P1_FIELD(p1_report_type, non_delivery), .type = &non_delivery_type,
	  .tag = BER_C(1) },
};
static const struct ber_type report_type_type = { .name = "ReportType", .kind = BER_CHOICE, .tag = BER_NO_TAG,
						  .size = sizeof(struct p1_report_type), P1_ROWS(report_type_rows),
						  .closed = true };

#define LAST_ROWS \
	{ .name = "arrival-time", P1_FIELD(p1_last_trace, arrival), .type = &p1_utctime, .tag = BER_C(0) }, \
	{ .name = "report-type", P1_FIELD(p1_last_trace, type), .type = &report_type_type, .tag = BER_C(1), \
	  .flags = BER_EXPLICIT }
static const struct ber_field last_rows[] = {
	LAST_ROWS,
	{ .name = "converted-encoded-information-types", P1_FIELD(p1_last_trace, converted), .type = &p1_eits_type,
	  .flags = BER_OPTIONAL | BER_POINTER },
};
static const struct ber_field last_relay_rows[] = { LAST_ROWS };
#define LAST_TYPE(rows) \
	{ .name = "LastTraceInformation", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct p1_last_trace), \
	  P1_ROWS(rows) }
static const struct ber_type last_type = LAST_TYPE(last_rows);
static const struct ber_type last_relay = LAST_TYPE(last_relay_rows);

static const struct ber_type supplementary_type = { .name = "SupplementaryInformation", .kind = BER_STRING,
						    .tag = BER_U(19), .size = sizeof(struct view), .min = 1,
						    .max = 256 };

#define REPORT_RECIPIENT_ROWS(last_of) \
	[P1_RR_NAME] = { .name = "actual-recipient-name", P1_FIELD(p1_report_recipient, name), \
			 .type = &p1_orname_type, .tag = BER_C(0) }, \
	[P1_RR_NUMBER] = { .name = "originally-specified-recipient-number", \
			   P1_FIELD(p1_report_recipient, number), .type = &recipient_number, .tag = BER_C(1) }, \
	[P1_RR_INDICATORS] = { .name = "per-recipient-indicators", P1_FIELD(p1_report_recipient, indicators), \
			       .type = &rcpt_indicators, .tag = BER_C(2) }, \
	[P1_RR_LAST] = { .name = "last-trace-information", P1_FIELD(p1_report_recipient, last), .type = &last_of, \
			 .tag = BER_C(3) }, \
	[P1_RR_INTENDED] = { .name = "originally-intended-recipient-name", \
			     P1_FIELD(p1_report_recipient, intended), .type = &p1_orname_type, .tag = BER_C(4), \
			     .flags = BER_OPTIONAL | BER_POINTER }, \
	[P1_RR_SUPPLEMENTARY] = { .name = "supplementary-information", \
				  P1_FIELD(p1_report_recipient, supplementary), .type = &supplementary_type, \
				  .tag = BER_C(5), .flags = BER_OPTIONAL }, \
	[P1_RR_EXT] = { .name = "extensions", P1_FIELD(p1_report_recipient, ext), .type = &p1_extensions_type, \
			.tag = BER_C(6), .flags = BER_OPTIONAL }
static const struct ber_field report_recipient_rows[] = { REPORT_RECIPIENT_ROWS(last_type) };
static const struct ber_field report_recipient_relay_rows[] = { REPORT_RECIPIENT_ROWS(last_relay) };
#define REPORT_RECIPIENT_TYPE(rows) \
	{ .name = "PerRecipientReportTransferFields", .kind = BER_SET, .tag = BER_U(17), \
	  .size = sizeof(struct p1_report_recipient), P1_ROWS(rows) }
static const struct ber_type report_recipient = REPORT_RECIPIENT_TYPE(report_recipient_rows);
const struct ber_type p1_report_recipient_relay = REPORT_RECIPIENT_TYPE(report_recipient_relay_rows);
LIST(report_recipients, "PerRecipientReportTransferFields", report_recipient, 32767);

/* --- report: envelope and content --- */

#define REPORT_ENVELOPE_ROWS(trace_of) \
	[P1_RE_DESTINATION] = { .name = "report-destination-name", P1_FIELD(p1_report_envelope, destination), \
				.type = &p1_orname_type }, \
	[P1_RE_ID] = { .name = "report-identifier", P1_FIELD(p1_report_envelope, id), .type = &p1_mts_id_type }, \
	[P1_RE_TRACE] = { .name = "trace-information", P1_FIELD(p1_report_envelope, trace), .type = &trace_of }, \
	[P1_RE_EXT] = { .name = "extensions", P1_FIELD(p1_report_envelope, ext), .type = &p1_extensions_type, \
			.tag = BER_C(1), .flags = BER_OPTIONAL }
static const struct ber_field report_envelope_rows[] = { REPORT_ENVELOPE_ROWS(p1_trace_type) };
static const struct ber_field report_envelope_relay_rows[] = { REPORT_ENVELOPE_ROWS(p1_trace_relay) };
#define REPORT_ENVELOPE_TYPE(rows) \
	{ .name = "ReportTransferEnvelope", .kind = BER_SET, .tag = BER_U(17), \
	  .size = sizeof(struct p1_report_envelope), P1_ROWS(rows) }
static const struct ber_type report_envelope = REPORT_ENVELOPE_TYPE(report_envelope_rows);
const struct ber_type p1_report_envelope_relay = REPORT_ENVELOPE_TYPE(report_envelope_relay_rows);

#define REPORT_CONTENT_ROWS(trace_of, recipients_of) \
	[P1_RC_SUBJECT] = { .name = "subject-identifier", P1_FIELD(p1_report_content, subject), \
			    .type = &p1_mts_id_type }, \
	[P1_RC_CONTENT_TYPE] = { .name = "content-type", P1_FIELD(p1_report_content, content_type), \
				 .type = &p1_content_type_type, .flags = BER_OPTIONAL }, \
	[P1_RC_TRACE] = { .name = "subject-intermediate-trace-information", \
			  P1_FIELD(p1_report_content, subject_trace), .type = &trace_of, .flags = BER_OPTIONAL }, \
	[P1_RC_CONTENT_ID] = { .name = "content-identifier", P1_FIELD(p1_report_content, content_id), \
			       .type = &content_identifier, .flags = BER_OPTIONAL }, \
	[P1_RC_RECIPIENTS] = { .name = "per-recipient-fields", P1_FIELD(p1_report_content, recipients), \
			       .type = &recipients_of, .tag = BER_C(0) }, \
	[P1_RC_RETURNED] = { .name = "returned-content", P1_FIELD(p1_report_content, returned), .type = &p1_octets, \
			     .tag = BER_C(1), .flags = BER_OPTIONAL }, \
	[P1_RC_EXT] = { .name = "extensions", P1_FIELD(p1_report_content, ext), .type = &p1_extensions_type, \
			.tag = BER_C(3), .flags = BER_OPTIONAL }
static const struct ber_field report_content_rows[] = {
	REPORT_CONTENT_ROWS(p1_trace_type, report_recipients),
	[P1_RC_ADDITIONAL] = { .name = "additional-information", P1_FIELD(p1_report_content, additional),
			       .type = &p1_any, .tag = BER_C(2), .flags = BER_OPTIONAL | BER_EXPLICIT },
	[P1_RC_EITS] = EITS_ROW(p1_report_content),
};
static const struct ber_field report_content_relay_rows[] = { REPORT_CONTENT_ROWS(p1_trace_relay, raw_list) };
#define REPORT_CONTENT_TYPE(rows) \
	{ .name = "ReportTransferContent", .kind = BER_SET, .tag = BER_U(17), \
	  .size = sizeof(struct p1_report_content), P1_ROWS(rows) }
static const struct ber_type report_content = REPORT_CONTENT_TYPE(report_content_rows);
const struct ber_type p1_report_content_relay = REPORT_CONTENT_TYPE(report_content_relay_rows);

static const struct ber_field report_rows[] = {
	{ .name = "envelope", P1_FIELD(p1_report, envelope), .type = &report_envelope },
	{ .name = "content", P1_FIELD(p1_report, content), .type = &report_content },
};
static const struct ber_field report_relay_rows[] = {
	{ .name = "envelope", P1_FIELD(p1_report, envelope), .type = &p1_report_envelope_relay },
	{ .name = "content", P1_FIELD(p1_report, content), .type = &p1_report_content_relay },
};
static const struct ber_type report_type = { .name = "Report", .kind = BER_SEQ, .tag = BER_U(16),
					     .size = sizeof(struct p1_report), P1_ROWS(report_rows) };
const struct ber_type p1_report_relay = { .name = "Report", .kind = BER_SEQ, .tag = BER_C(1),
					  .size = sizeof(struct p1_report), P1_ROWS(report_relay_rows) };

/* --- the APDU --- */

static const struct ber_field apdu_rows[] = {
	{ .name = "message", P1_FIELD(p1_apdu, message), .type = &message_type, .tag = BER_C(0) },
	{ .name = "report", P1_FIELD(p1_apdu, report), .type = &report_type, .tag = BER_C(1) },
	{ .name = "probe", P1_FIELD(p1_apdu, probe), .type = &probe_type, .tag = BER_C(2) },
};
const struct ber_type p1_apdu_type = { .name = "MTS-APDU", .kind = BER_CHOICE, .tag = BER_NO_TAG,
				       .size = sizeof(struct p1_apdu), P1_ROWS(apdu_rows), .closed = true };

const struct p1_table_set p1_88_tables = {
	.message = &p1_message_envelope_relay, .probe = &p1_probe_relay, .report = &p1_report_relay,
	.report_envelope = &p1_report_envelope_relay, .report_content = &p1_report_content_relay,
	.recipient = &p1_recipient_relay, .report_recipient = &p1_report_recipient_relay,
	.apdu = &p1_apdu_type,
};
