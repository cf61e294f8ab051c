/* ipm_asn1.h - the information objects of X.420 (1999) as C structs and BER tables: P2 and P22.
 *
 * There are two tables for what contains body parts, over the same structs. The full one decodes everything down
 * to nested messages, for printing. The outer one keeps each body part as a TLV (struct view in the list), so that one
 * bad part spoils nothing else; ipm.h decodes parts one by one.
 *
 * Names follow the standard's; enum IPM_x_y is the bit of ber_seq.has. */
#pragma once
#include "flow/codec/p1/p1_orname.h"

/* X.420 7.1.1 (a SET): who, in three ways. */
struct ipm_or_descriptor {
	struct ber_seq seq;
	struct p1_orname *formal_name;
	struct view free_form_name;   /* TeletexString */
	struct view telephone_number; /* PrintableString */
};
enum { IPM_DESCRIPTOR_FORMAL, IPM_DESCRIPTOR_FREE_FORM, IPM_DESCRIPTOR_TELEPHONE };

/* X.420 7.1.4: one message, named by its originator. */
struct ipm_identifier {
	struct ber_seq seq;
	struct p1_orname *user;
	struct view local; /* PrintableString, 0..64 */
};
enum { IPM_ID_LOCAL, IPM_ID_USER };

/* X.420 7.2.17 */
struct ipm_extension {
	struct ber_seq seq;
	struct view type;  /* OID content octets */
	struct view value; /* TLV */
};
enum { IPM_EXT_TYPE, IPM_EXT_VALUE };

struct ipm_recipient_specifier {
	struct ber_seq seq;
	struct ipm_or_descriptor recipient;
	struct ber_bits notification_requests;
	bool reply_requested;
	struct ber_list extensions; /* struct ipm_extension */
};
enum { IPM_RCPT_RECIPIENT, IPM_RCPT_NOTIFICATION, IPM_RCPT_REPLY, IPM_RCPT_EXTENSIONS };

/* X.420 7.2 */
struct ipm_heading {
	struct ber_seq seq;
	struct ipm_identifier this_ipm;
	struct ipm_or_descriptor originator;
	struct ber_list authorizing_users;     /* struct ipm_or_descriptor */
	struct ber_list primary_recipients;    /* struct ipm_recipient_specifier */
	struct ber_list copy_recipients;
	struct ber_list blind_copy_recipients;
	struct ipm_identifier replied_to;
	struct ber_list obsoleted;             /* struct ipm_identifier */
	struct ber_list related;
	struct view subject;                   /* TeletexString, 0..128 */
	struct view expiry_time, reply_time;   /* UTCTime */
	struct ber_list reply_recipients;      /* struct ipm_or_descriptor */
	int64_t importance;                    /* enum ipm_importance */
	int64_t sensitivity;                   /* enum ipm_sensitivity */
	bool auto_forwarded;
	struct ber_list extensions;            /* struct ipm_extension */
};
enum {
	IPM_H_THIS, IPM_H_ORIGINATOR, IPM_H_AUTHORIZING, IPM_H_PRIMARY, IPM_H_COPY, IPM_H_BLIND_COPY, IPM_H_REPLIED_TO,
	IPM_H_OBSOLETED, IPM_H_RELATED, IPM_H_SUBJECT, IPM_H_EXPIRY, IPM_H_REPLY_TIME, IPM_H_REPLY_RECIPIENTS,
	IPM_H_IMPORTANCE, IPM_H_SENSITIVITY, IPM_H_AUTO_FORWARDED, IPM_H_EXTENSIONS, IPM_H_COUNT
};
enum ipm_importance { IPM_LOW, IPM_NORMAL, IPM_HIGH };
enum ipm_sensitivity { IPM_PERSONAL = 1, IPM_PRIVATE, IPM_COMPANY_CONFIDENTIAL };

struct ipm_message {
	struct ber_seq seq;
	struct ipm_heading heading;
	struct ber_list body; /* full tables: struct ipm_body_part; outer tables: struct view */
};

/* X.690 8.18 */
struct ipm_external {
	struct ber_seq seq;
	struct view direct_reference; /* OID content octets */
	int64_t indirect_reference;
	struct view descriptor;
	struct ipm_external_encoding {
		struct ber_choice choice;
		struct view single;       /* TLV */
		struct view octets;       /* octet-aligned */
		struct ber_bits arbitrary;
	} encoding;
};
enum { IPM_EXTERNAL_DIRECT, IPM_EXTERNAL_INDIRECT, IPM_EXTERNAL_DESCRIPTOR, IPM_EXTERNAL_ENCODING };
enum { IPM_EXTERNAL_SINGLE = 1, IPM_EXTERNAL_OCTETS, IPM_EXTERNAL_ARBITRARY }; /* ber_choice.which */

/* X.420 7.3.12: a part whose type an object identifier names. */
struct ipm_extended_part {
	struct ber_seq seq;
	struct ipm_external parameters;
	struct ipm_external data;
};
enum { IPM_EXTENDED_PARAMETERS, IPM_EXTENDED_DATA };

struct ipm_ia5_parameters {
	struct ber_seq seq;
	int64_t repertoire; /* 5 ia5, 2 ita2 */
};
struct ipm_ia5_part {
	struct ber_seq seq;
	struct ipm_ia5_parameters parameters;
	struct view data;
};

struct ipm_g3_parameters {
	struct ber_seq seq;
	int64_t number_of_pages;
	struct ber_bits non_basic;
};
struct ipm_g3_part {
	struct ber_seq seq;
	struct ipm_g3_parameters parameters;
	struct ber_list data; /* struct ber_bits, one a page */
};

struct ipm_teletex_parameters {
	struct ber_seq seq;
	int64_t number_of_pages;
	bool telex_compatible; /* non-basic-parameters [2] is carried in ber_seq.extra */
};
struct ipm_teletex_part {
	struct ber_seq seq;
	struct ipm_teletex_parameters parameters;
	struct ber_list data; /* struct view, one a page */
};

struct ipm_videotex_parameters {
	struct ber_seq seq;
	int64_t syntax;
};
struct ipm_videotex_part {
	struct ber_seq seq;
	struct ipm_videotex_parameters parameters;
	struct view data;
};

struct ipm_encrypted_part {
	struct ber_seq seq;
	struct ber_list parameters; /* struct view: TLVs; algorithm and certificates are X.509's */
	struct ber_bits data;
};

struct ipm_delivery_envelope; /* X.411 8.3.1.1.1, OtherMessageDeliveryFields; below */

struct ipm_message_parameters {
	struct ber_seq seq;
	struct view delivery_time; /* UTCTime */
	struct ipm_delivery_envelope *delivery_envelope;
};
enum { IPM_MESSAGE_DELIVERY_TIME, IPM_MESSAGE_ENVELOPE };

struct ipm_message_part {
	struct ber_seq seq;
	struct ipm_message_parameters parameters;
	struct ipm_message *data;
};

/* X.420 7.3. The alternatives do not share memory: parts are few. */
struct ipm_body_part {
	struct ber_choice choice; /* enum ipm_basic */
	struct ipm_ia5_part ia5;
	struct ipm_g3_part g3;
	struct ber_list g4, mixed; /* struct view: TLVs of T.411 data elements */
	struct ipm_teletex_part teletex;
	struct ipm_videotex_part videotex;
	struct view national;      /* the TLV inside [7] */
	struct ipm_encrypted_part encrypted;
	struct ipm_message_part message;
	struct view bilateral;
	struct ipm_extended_part extended;
	struct ipm_encrypted_part voice; /* 1984: a SET of parameters, a BIT STRING, too */
	struct ber_list sfd;       /* 1984; struct view: TLVs */
};
enum ipm_basic { /* ber_choice.which */
	IPM_BASIC_IA5 = 1, IPM_BASIC_G3, IPM_BASIC_G4, IPM_BASIC_TELETEX, IPM_BASIC_VIDEOTEX, IPM_BASIC_NATIONAL,
	IPM_BASIC_ENCRYPTED, IPM_BASIC_MESSAGE, IPM_BASIC_MIXED, IPM_BASIC_BILATERAL, IPM_BASIC_EXTENDED,
	IPM_BASIC_VOICE, IPM_BASIC_SFD
};

/* --- notifications, X.420 8 --- */

struct ipm_non_receipt {
	struct ber_seq seq;
	int64_t reason;            /* 0 discarded, 1 auto-forwarded */
	int64_t discard_reason;    /* 0 expired, 1 obsoleted, 2 subscription terminated, 3 deleted */
	struct view auto_forward_comment;
	struct ipm_message *returned;
	struct ber_list extensions;
};
enum { IPM_NRN_REASON, IPM_NRN_DISCARD, IPM_NRN_COMMENT, IPM_NRN_RETURNED, IPM_NRN_EXTENSIONS };

struct ipm_receipt {
	struct ber_seq seq;
	struct view receipt_time;  /* UTCTime */
	int64_t acknowledgment;    /* 0 manual, 1 automatic */
	struct view supplementary; /* PrintableString */
	struct ber_list extensions;
};
enum { IPM_RN_TIME, IPM_RN_MODE, IPM_RN_SUPPLEMENTARY, IPM_RN_EXTENSIONS };

struct ipm_notification_fields {
	struct ber_choice choice;  /* enum ipm_notification */
	struct ipm_non_receipt non_receipt;
	struct ipm_receipt receipt;
	struct ber_list other;     /* struct ipm_extension */
};
enum ipm_notification { IPM_NON_RECEIPT = 1, IPM_RECEIPT, IPM_OTHER_NOTIFICATION };

struct ipm_ipn {
	struct ber_seq seq;
	struct ipm_eits *eits;     /* conversion-eits */
	struct ipm_identifier subject_ipm;
	struct ipm_notification_fields fields;
	struct ipm_or_descriptor originator, intended_recipient;
	struct ber_list extensions;
};
enum { IPM_IPN_EITS, IPM_IPN_SUBJECT, IPM_IPN_FIELDS, IPM_IPN_ORIGINATOR, IPM_IPN_INTENDED, IPM_IPN_EXTENSIONS };

/* X.420 7 */
struct ipm_object {
	struct ber_choice choice;
	struct ipm_message ipm;
	struct ipm_ipn ipn;
};
enum { IPM_OBJECT_IPM = 1, IPM_OBJECT_IPN };

/* --- X.411 types that X.420 uses --- */

struct ipm_eits {
	struct ber_seq seq;
	struct ber_bits built_in;
	struct ber_bits g3;
	struct view teletex;      /* TLV [2] */
	struct ber_list extended; /* struct view: OIDs */
};

struct ipm_delivery_envelope {
	struct ber_seq seq;
	struct p1_orname *originator;
	int64_t priority;              /* 0 normal, 1 non-urgent, 2 urgent */
	int64_t content_type;
	struct view content_type_oid;
	int64_t content_type_1984;     /* the same, tagged as X.411 of 1984 has it */
	struct ipm_eits *original_eits;
	struct ber_bits flags;
	struct ber_list other_recipients; /* struct p1_orname */
	struct p1_orname *this_recipient, *intended_recipient;
	struct ipm_eits *converted_eits;
	struct view submission_time;   /* UTCTime */
	struct view content_identifier;
	struct ber_list extensions;    /* struct view: TLVs of ExtensionField */
};
enum {
	IPM_ENV_OID, IPM_ENV_ORIGINATOR, IPM_ENV_TYPE_1984, IPM_ENV_PRIORITY, IPM_ENV_TYPE, IPM_ENV_EITS, IPM_ENV_FLAGS, IPM_ENV_OTHERS, IPM_ENV_THIS,
	IPM_ENV_INTENDED, IPM_ENV_CONVERTED, IPM_ENV_SUBMISSION, IPM_ENV_CONTENT_ID, IPM_ENV_EXTENSIONS, IPM_ENV_COUNT
};

/* X.411 8.5.5 UniversalOrBMPString: a SET of a CHOICE and a language; here the CHOICE's two strings are fields. */
struct ipm_universal_or_bmp {
	struct ber_seq seq;
	struct view language;              /* PrintableString, ISO 639 */
	struct view four_octets;           /* UniversalString */
	struct view two_octets;            /* BMPString */
};
enum { IPM_UNIVERSAL_LANGUAGE, IPM_UNIVERSAL_FOUR, IPM_UNIVERSAL_TWO };

/* --- values of extensions (X.420 annex A) --- */

struct ipm_distribution_code {
	struct ber_seq seq;
	struct view oid_code;
	struct ipm_universal_or_bmp alphanumeric;
	struct ipm_or_descriptor or_descriptor;
};
enum { IPM_CODE_OID, IPM_CODE_ALPHA, IPM_CODE_DESCRIPTOR };

struct ipm_information_category {
	struct ber_seq seq;
	struct view reference; /* OID */
	struct ipm_universal_or_bmp description;
};
enum { IPM_CATEGORY_REFERENCE, IPM_CATEGORY_DESCRIPTION };

struct ipm_circulation_member {
	struct ber_seq seq;
	struct view timestamped; /* GeneralizedTime; Checkmark's alternatives are fields: simple is told by has */
	struct ipm_recipient_specifier recipient;
};
enum { IPM_MEMBER_CHECKED, IPM_MEMBER_TIMESTAMPED, IPM_MEMBER_RECIPIENT };

struct ipm_absence_advice {
	struct ber_seq seq;
	struct view next_available; /* UTCTime; advice, a BodyPart, is carried in ber_seq.extra */
};

struct ipm_address_advice {
	struct ber_seq seq;
	struct ipm_or_descriptor new_address;
	struct view effective_from; /* UTCTime */
};

/* --- file transfer body part (X.420 annex B, ISO 8571-2) --- */

struct ipm_pathname {
	struct ber_choice choice;
	struct ber_list incomplete, complete; /* struct view: GraphicString */
};

struct ipm_time_attribute {
	struct ber_choice choice; /* 1 no-value-available, 2 actual value */
	struct view value;        /* GeneralizedTime */
};
struct ipm_size_attribute {
	struct ber_choice choice;
	int64_t value;
};
struct ipm_name_attribute {
	struct ber_choice choice;
	struct view value;        /* GraphicString */
};

struct ipm_file_attributes {
	struct ber_seq seq;
	struct ipm_pathname pathname;      /* [0] or [23], untagged CHOICE */
	struct ber_bits permitted_actions;
	struct ipm_name_attribute storage_account;
	struct ipm_time_attribute created, modified, read, attributes_modified;
	struct ipm_name_attribute creator, modifier, reader, attributes_modifier;
	struct ipm_size_attribute availability, size, future_size;
	/* access-control, legal-qualifications, private-use and extensions are carried in ber_seq.extra */
};
enum {
	IPM_FILE_PATHNAME, IPM_FILE_ACTIONS, IPM_FILE_ACCOUNT, IPM_FILE_CREATED, IPM_FILE_MODIFIED, IPM_FILE_READ,
	IPM_FILE_ATTRIBUTES_MODIFIED, IPM_FILE_CREATOR, IPM_FILE_MODIFIER, IPM_FILE_READER, IPM_FILE_ATTRIBUTES_MODIFIER,
	IPM_FILE_AVAILABILITY, IPM_FILE_SIZE, IPM_FILE_FUTURE_SIZE
};

struct ipm_document_type {
	struct ber_seq seq;
	struct view name;      /* OID */
	struct view parameter; /* TLV inside [0] */
};
struct ipm_constraint_set {
	struct ber_seq seq;
	struct view name, abstract_syntax; /* OIDs */
};
struct ipm_contents_type {
	struct ber_choice choice; /* 1 document type, 2 constraint set */
	struct ipm_document_type document;
	struct ipm_constraint_set constraint;
};

struct ipm_general_identifier {
	struct ber_choice choice;
	struct view registered;       /* OID */
	struct ber_list descriptive;  /* struct view: GraphicString */
};
struct ipm_environment {
	struct ber_seq seq;
	struct ipm_general_identifier application, machine;
	struct view operating_system; /* OID */
	struct ber_list user_visible; /* struct view: GraphicString */
};
enum { IPM_ENVIRONMENT_APPLICATION, IPM_ENVIRONMENT_MACHINE, IPM_ENVIRONMENT_SYSTEM, IPM_ENVIRONMENT_USER_VISIBLE };

struct ipm_compression {
	struct ber_seq seq;
	struct view algorithm; /* OID */
	struct view parameter; /* TLV inside [1] */
};

struct ipm_file_parameters {
	struct ber_seq seq;
	struct ber_list related;   /* struct view: TLVs */
	struct ipm_contents_type contents_type;
	struct ipm_environment environment;
	struct ipm_compression compression;
	struct ipm_file_attributes attributes;
	struct ber_list extensions; /* struct ipm_extension */
};
enum {
	IPM_FTBP_RELATED, IPM_FTBP_CONTENTS, IPM_FTBP_ENVIRONMENT, IPM_FTBP_COMPRESSION, IPM_FTBP_ATTRIBUTES, IPM_FTBP_EXTENSIONS
};

/* --- voice (X.420 annex B) --- */
struct ipm_voice_parameters {
	struct ber_seq seq;
	int64_t duration_s;
	struct view encoding;      /* OID */
	struct view supplementary; /* IA5String */
};

/* --- military messages (STANAG 4406 annex A): P772 is X.420 with these extensions and body parts --- */

struct ipm_mm_message_type {
	struct ber_seq seq;
	int64_t type;            /* 0 exercise, 1 operation, 2 project, 3 drill */
	struct view identifier;  /* PrintableString */
};

struct ipm_mm_distribution_extension {
	struct ber_seq seq;
	struct view type;        /* OID */
	struct view value;       /* TLV */
};
struct ipm_mm_distribution_codes {
	struct ber_seq seq;
	struct ber_list sics;       /* struct view: PrintableString, subject indicator codes */
	struct ber_list extensions; /* struct ipm_mm_distribution_extension */
};

struct ipm_mm_address_list {
	struct ber_seq seq;
	int64_t type;            /* 0 primary, 1 copy */
	struct ipm_or_descriptor name;
	int64_t notification_request, reply_request; /* 0 action, 1 info, 2 both */
};

struct ipm_mm_other_recipient {
	struct ber_seq seq;
	int64_t type;            /* 0 primary, 1 copy */
	struct view designator;  /* PrintableString */
};

struct ipm_mm_pilot {
	struct ber_seq seq;
	int64_t precedence;
	struct ber_list recipients; /* struct ipm_or_descriptor */
	struct ber_seq security;    /* SecurityLabel, carried in ber_seq.extra */
	struct ber_list handling;   /* struct view: PrintableString */
};

struct ipm_mm_body_part_label {
	struct ber_seq seq;
	struct ber_seq label;       /* SecurityLabel, carried in ber_seq.extra */
	int64_t number;
};
struct ipm_mm_labels {
	struct ber_seq seq;
	struct ber_seq content, heading; /* SecurityLabel, carried in ber_seq.extra */
	struct ber_list parts;           /* struct ipm_mm_body_part_label */
};

struct ipm_mm_acp127_response {
	struct ber_seq seq;
	struct ber_bits type;
	struct view receipt_time;  /* UTCTime */
	struct ber_list lists;     /* struct ipm_mm_address_list */
	struct view recipient, supplementary; /* PrintableString */
};

struct ipm_adatp3 {
	struct ber_choice choice;
	struct view line_oriented;     /* IA5String */
	struct ber_list set_oriented;  /* struct view: IA5String */
};
enum { IPM_ADATP3_LINES = 1, IPM_ADATP3_SETS };

/* --- body part signatures (X.420 annex A) --- */
struct ipm_body_part_signature {
	struct ber_seq seq;
	int64_t number;
	struct ber_seq signature, certificate_selector; /* carried in ber_seq.extra */
	struct ber_list certificates; /* struct view: TLVs */
};

/* Tables. _outer_: body parts are TLVs; the others decode everything. */
extern const struct ber_type ipm_object_type, ipm_object_outer_type;
extern const struct ber_type ipm_message_type, ipm_message_outer_type;
extern const struct ber_type ipm_body_part_type, ipm_body_part_outer_type;
extern const struct ber_type ipm_heading_type, ipm_ipn_type, ipm_ipn_outer_type;
extern const struct ber_type ipm_or_descriptor_type, ipm_identifier_type, ipm_recipient_specifier_type;
extern const struct ber_type ipm_extension_type, ipm_external_type;
extern const struct ber_type ipm_message_parameters_type, ipm_delivery_envelope_type, ipm_eits_type;

/* Parameters and data of extended body parts. */
extern const struct ber_type ipm_ia5_parameters_type, ipm_g3_parameters_type, ipm_teletex_parameters_type,
	ipm_videotex_parameters_type, ipm_general_parameters_type, ipm_file_parameters_type, ipm_voice_parameters_type;
extern const struct ber_type ipm_ia5_string_type, ipm_general_string_type, ipm_videotex_string_type, ipm_octets_type,
	ipm_bits_type, ipm_g3_data_type, ipm_teletex_data_type, ipm_file_data_type, ipm_tlv_list_type, ipm_tlv_list_of_set_type;

/* Values of extensions, named in ipm_ext_table.h. */
extern const struct ber_type ipm_any_type, ipm_null_type, ipm_oid_type, ipm_generalized_time_type, ipm_languages_type,
	ipm_auto_submitted_type, ipm_circulation_list_type, ipm_distribution_codes_type, ipm_universal_or_bmp_type,
	ipm_universal_or_bmp_list_type, ipm_information_categories_type, ipm_security_request_type, ipm_absence_advice_type,
	ipm_address_advice_type, ipm_precedence_type, ipm_signatures_type, ipm_security_label_type;

/* ipm_mm_table.c */
extern const struct ber_type ipm_mm_precedence_type, ipm_mm_message_type_type, ipm_mm_address_lists_type, ipm_mm_exempted_type,
	ipm_mm_distribution_codes_type, ipm_mm_strings_type, ipm_mm_codress_type, ipm_mm_string_type, ipm_mm_other_recipients_type,
	ipm_mm_pilot_type, ipm_mm_acp127_request_type, ipm_mm_acp127_response_type, ipm_mm_labels_type, ipm_adatp3_type,
	ipm_integer_type, ipm_utc_time_type;

enum ipm_ext {
#define X(id, name, arc, last, type) IPM_X_##id,
#define M(id, name, last, type) IPM_X_##id,
#include "flow/codec/ipm/ipm_ext_table.h"
#undef X
#undef M
	IPM_X_COUNT /* also: an extension that has no row */
};

/* Which extension an object identifier (content octets) names; IPM_X_COUNT: none we know. */
enum ipm_ext ipm_ext_of(struct view oid);
const char *ipm_ext_name(enum ipm_ext x);           /* as the standard spells it; "extension" for IPM_X_COUNT */
const struct ber_type *ipm_ext_value_type(enum ipm_ext x); /* NULL for IPM_X_COUNT */
struct view ipm_ext_oid(enum ipm_ext x);            /* content octets; good for ever */
