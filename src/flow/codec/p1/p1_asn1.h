/* p1_asn1.h - the C form of X.411's types (MTAAbstractService, MTSAbstractService 1999) and their tables; private to
 * this folder. Two tables exist for a type where an envelope is relayed: the full one (to print), and one `..._relay`
 * over the same struct that leaves some elements as octets, so that they go on bit-exact and a recipient at a time. */
#pragma once
#include "flow/codec/p1/p1.h"
#include "flow/codec/p1/p1_orname.h"

#define P1_FIELD(form, member) .offset = offsetof(struct form, member)
#define P1_ROWS(rows) .fields = rows, .n_fields = ARRAY_LEN(rows)
#define P1_NAMES(table) .names = table, .n_names = ARRAY_LEN(table)

/* --- plain types --- */
extern const struct ber_type p1_any, p1_null, p1_integer, p1_octets, p1_bits, p1_oid, p1_utctime;
extern const struct ber_type p1_numeric, p1_printable, p1_teletex, p1_ia5;
/* An element whose inside is another standard's: only `seq` in C, what is in it kept in seq.extra. */
extern const struct ber_type p1_opaque_set, p1_opaque_sequence;
/* CHOICE {NumericString, PrintableString}: PrivateDomainIdentifier and the like. Country and administration domain
 * have a tag of their own around it. */
extern const struct ber_type p1_words_type, p1_country_type, p1_admd_type;

/* --- domains, identifiers, trace --- */
struct p1_gdi {
	struct ber_seq seq;
	struct p1_words country, admd, prmd;
};
enum { P1_GDI_COUNTRY, P1_GDI_ADMD, P1_GDI_PRMD };

struct p1_mts_id {
	struct ber_seq seq;
	struct p1_gdi domain;
	struct view local;
};

struct p1_teletex_parameters {
	struct ber_seq seq;
	struct view part[5];
};

struct p1_eits {
	struct ber_seq seq;
	struct ber_bits built_in, g3;
	struct p1_teletex_parameters teletex;
	struct ber_list extended; /* struct view, OID */
};

/* DomainSuppliedInformation and MTASuppliedInformation; `mta` only in the second. */
struct p1_supplied {
	struct ber_seq seq;
	struct view arrival;
	int64_t action;
	struct view mta;
	struct p1_gdi domain;
	struct view deferred;
	struct ber_bits other;
	struct p1_eits *converted;
};
enum { P1_SUPPLIED_ARRIVAL, P1_SUPPLIED_ACTION, P1_SUPPLIED_DOMAIN, P1_SUPPLIED_DEFERRED, P1_SUPPLIED_OTHER,
       P1_SUPPLIED_MTA, P1_SUPPLIED_CONVERTED };

struct p1_trace_element {
	struct ber_seq seq;
	struct p1_gdi domain;
	struct view mta; /* internal trace only */
	struct p1_supplied supplied;
};

extern const struct ber_type p1_gdi_type, p1_mts_id_type, p1_mta_name_type, p1_eits_type;
extern const struct ber_type p1_trace_type, p1_trace_relay, p1_internal_trace_type, p1_internal_trace_relay;

/* --- extensions --- */
struct p1_extension_type {
	struct ber_choice choice;
	int64_t number;
	struct view oid;
};
enum { P1_EXT_TYPE_STANDARD = 1, P1_EXT_TYPE_STANDARD_EXPLICIT, P1_EXT_TYPE_PRIVATE, P1_EXT_TYPE_PRIVATE_EXPLICIT };

struct p1_extension {
	struct ber_seq seq;
	struct p1_extension_type type;
	struct ber_bits criticality;
	struct view value; /* the TLV inside [2] */
};
enum { P1_EXTENSION_TYPE, P1_EXTENSION_CRITICALITY, P1_EXTENSION_VALUE };

extern const struct ber_type p1_extensions_type; /* SET OF ExtensionField */

extern const struct ber_type p1_attributes_type; /* ExtensionAttributes */

/* Is this the TLV of a Name (X.501), its strings of their own alphabets? (p1_dn.c) */
bool p1_dn_is_sound(struct view tlv);

/* What a standard extension's value is; NULL beyond the list (p1_extension_table.c). */
const struct ber_type *p1_extension_value_type(int64_t number);
/* The same for an extension attribute of an O/R address (p1_attribute_table.c). */
const struct ber_type *p1_attribute_value_type(int64_t number);

/* Values that are fields of struct message too. */
struct p1_name_and_time {
	struct ber_seq seq;
	struct p1_orname name;
	struct view time;
};
struct p1_redirection {
	struct ber_seq seq;
	struct p1_name_and_time intended;
	int64_t reason;
};
extern const struct ber_type p1_redirection_history;   /* SEQUENCE OF struct p1_redirection */
extern const struct ber_type p1_dl_expansion_history;  /* SEQUENCE OF struct p1_name_and_time */
extern const struct ber_type p1_origin_history;        /* the same */
extern const struct ber_type p1_exempted_recipients;   /* SET OF struct p1_orname */
extern const struct ber_type p1_prohibited;            /* int64_t: ENUMERATED of two */

/* Types that extensions are made of (p1_security_table.c). */
extern const struct ber_type p1_algorithm_type, p1_signature_type, p1_security_label_type, p1_token_type,
	p1_extended_certificates_type, p1_certificate_selectors_type, p1_body_part_tokens_type,
	p1_forwarded_content_token_type;

/* --- envelopes --- */
struct p1_content_type {
	struct ber_choice choice;
	int64_t built_in;
	struct view extended;
};
enum { P1_CONTENT_BUILT_IN = 1, P1_CONTENT_EXTENDED };

struct p1_recipient {
	struct ber_seq seq;
	struct p1_orname name;
	int64_t number;
	struct ber_bits indicators;
	int64_t conversion;
	struct ber_list ext; /* struct p1_extension */
};
enum { P1_RCPT_NAME, P1_RCPT_NUMBER, P1_RCPT_INDICATORS, P1_RCPT_CONVERSION, P1_RCPT_EXT };

/* MessageTransferEnvelope and ProbeTransferEnvelope: `deferred` only in the first, `content_length` in the second. */
struct p1_envelope {
	struct ber_seq seq;
	struct p1_mts_id id;
	struct p1_orname originator;
	struct p1_content_type content_type;
	struct view content_id;
	int64_t priority;
	struct ber_bits indicators;
	struct view deferred;
	int64_t content_length;
	struct ber_list bilateral;  /* full: struct p1_bilateral; relay: struct view */
	struct ber_list trace;      /* struct p1_trace_element */
	struct ber_list ext;        /* struct p1_extension */
	struct ber_list recipients; /* full: struct p1_recipient; relay: struct view */
	struct p1_eits *eits;       /* full only */
};
enum { P1_ENV_ORIGINATOR, P1_ENV_ID, P1_ENV_CONTENT_TYPE, P1_ENV_PRIORITY, P1_ENV_INDICATORS, P1_ENV_TRACE,
       P1_ENV_CONTENT_ID, P1_ENV_ZERO /* deferred-delivery-time or content-length */, P1_ENV_BILATERAL,
       P1_ENV_RECIPIENTS, P1_ENV_EXT, P1_ENV_EITS };

struct p1_bilateral_private {
	struct ber_seq seq;
	struct p1_words admd, prmd;
};

struct p1_bilateral_domain {
	struct ber_choice choice;
	struct p1_words admd;
	struct p1_bilateral_private private_domain;
};

struct p1_bilateral {
	struct ber_seq seq;
	struct p1_words country;
	struct p1_bilateral_domain domain;
	struct view information;
};

struct p1_message {
	struct ber_seq seq;
	struct p1_envelope envelope;
	struct view content;
};

/* --- reports --- */
struct p1_delivery {
	struct ber_seq seq;
	struct view time;
	int64_t type_of_user;
};
enum { P1_DELIVERY_TIME, P1_DELIVERY_TYPE_OF_USER };

struct p1_non_delivery {
	struct ber_seq seq;
	int64_t reason, diagnostic;
};
enum { P1_NON_DELIVERY_REASON, P1_NON_DELIVERY_DIAGNOSTIC };

struct p1_report_type {
	struct ber_choice choice;
	struct p1_delivery delivery;
	struct p1_non_delivery non_delivery;
};
enum { P1_REPORT_DELIVERY = 1, P1_REPORT_NON_DELIVERY };

struct p1_last_trace {
	struct ber_seq seq;
	struct view arrival;
	struct p1_report_type type;
	struct p1_eits *converted; /* full only */
};

struct p1_report_recipient {
	struct ber_seq seq;
	struct p1_orname name;
	int64_t number;
	struct ber_bits indicators;
	struct p1_last_trace last;
	struct p1_orname *intended;
	struct view supplementary;
	struct ber_list ext;
};
enum { P1_RR_NAME, P1_RR_NUMBER, P1_RR_INDICATORS, P1_RR_LAST, P1_RR_INTENDED, P1_RR_SUPPLEMENTARY, P1_RR_EXT };

struct p1_report_envelope {
	struct ber_seq seq;
	struct p1_mts_id id;
	struct p1_orname destination;
	struct ber_list trace;
	struct ber_list ext;
};
enum { P1_RE_DESTINATION, P1_RE_ID, P1_RE_TRACE, P1_RE_EXT };

struct p1_report_content {
	struct ber_seq seq;
	struct p1_mts_id subject;
	struct ber_list subject_trace;
	struct p1_content_type content_type;
	struct view content_id;
	struct view returned;
	struct view additional;     /* full only */
	struct ber_list ext;
	struct ber_list recipients; /* full: struct p1_report_recipient; relay: struct view */
	struct p1_eits *eits;       /* full only */
};
enum { P1_RC_SUBJECT, P1_RC_CONTENT_TYPE, P1_RC_TRACE, P1_RC_CONTENT_ID, P1_RC_RECIPIENTS, P1_RC_RETURNED, P1_RC_EXT,
       P1_RC_ADDITIONAL, P1_RC_EITS };

struct p1_report {
	struct ber_seq seq;
	struct p1_report_envelope envelope;
	struct p1_report_content content;
};

struct p1_apdu {
	struct ber_choice choice;
	struct p1_message message;
	struct p1_report report;
	struct p1_envelope probe;
};
enum { P1_APDU_MESSAGE = 1, P1_APDU_REPORT, P1_APDU_PROBE };

extern const struct ber_type p1_apdu_type, p1_content_type_type;
extern const struct ber_type p1_message_envelope_type; /* full */
extern const struct ber_type p1_message_envelope_relay, p1_probe_relay, p1_recipient_relay;
extern const struct ber_type p1_report_relay, p1_report_envelope_relay, p1_report_content_relay, p1_report_recipient_relay;

/* The types that decode and encode go by: those of 1988, or of 1984 over the same C forms (p1_84_table.c). */
struct p1_table_set {
	const struct ber_type *message; /* a message's envelope */
	const struct ber_type *probe, *report, *report_envelope, *report_content, *recipient, *report_recipient; /* relay */
	const struct ber_type *apdu; /* full */
};
extern const struct p1_table_set p1_88_tables, p1_84_tables;
static inline const struct p1_table_set *p1_table_set(enum p1_tables tables)
{
	return tables == P1_1984 ? &p1_84_tables : &p1_88_tables;
}

/* Tags of what the relay tables leave as octets. */
#define P1_TAG_EITS BER_A(5)
#define P1_TAG_ADDITIONAL BER_C(2)
