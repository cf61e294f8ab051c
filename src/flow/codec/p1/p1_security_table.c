/* p1_security_table.c - tokens, labels, certificates as far as X.411 itself defines them, and the tokens of X.420 that
 * travel in P1 extensions. What X.509 defines stays octets. */
#include "flow/codec/p1/p1_asn1.h"

struct algorithm {
	struct ber_seq seq;
	struct view oid, parameters;
};
static const struct ber_field algorithm_rows[] = {
	{ .name = "algorithm", P1_FIELD(algorithm, oid), .type = &p1_oid },
	{ .name = "parameters", P1_FIELD(algorithm, parameters), .type = &p1_any, .flags = BER_OPTIONAL },
};
const struct ber_type p1_algorithm_type = { .name = "AlgorithmIdentifier", .kind = BER_SEQ, .tag = BER_U(16),
					    .size = sizeof(struct algorithm), P1_ROWS(algorithm_rows) };

struct signature {
	struct ber_seq seq;
	struct algorithm algorithm;
	struct ber_bits value;
};
static const struct ber_field signature_rows[] = {
	{ .name = "algorithm", P1_FIELD(signature, algorithm), .type = &p1_algorithm_type },
	{ .name = "encrypted", P1_FIELD(signature, value), .type = &p1_bits },
};
const struct ber_type p1_signature_type = { .name = "SIGNATURE", .kind = BER_SEQ, .tag = BER_U(16),
					    .size = sizeof(struct signature), P1_ROWS(signature_rows) };

/* --- security label --- */

struct category {
	struct ber_seq seq;
	struct view type, value;
};
static const struct ber_field category_rows[] = {
	{ .name = "type", P1_FIELD(category, type), .type = &p1_oid, .tag = BER_C(0) },
	{ .name = "value", P1_FIELD(category, value), .type = &p1_any, .tag = BER_C(1), .flags = BER_EXPLICIT },
};
static const struct ber_type category_type = { .name = "SecurityCategory", .kind = BER_SEQ, .tag = BER_U(16),
					       .size = sizeof(struct category), P1_ROWS(category_rows) };
static const struct ber_type categories = { .name = "SecurityCategories", .kind = BER_SET_OF, .tag = BER_U(17),
					    .size = sizeof(struct ber_list), .of = &category_type, .min = 1,
					    .max = 64 };
static const struct ber_name classification_names[] = {
	{ 0, "unmarked" }, { 1, "unclassified" }, { 2, "restricted" }, { 3, "confidential" }, { 4, "secret" },
	{ 5, "top-secret" },
};
static const struct ber_type classification = { .name = "SecurityClassification", .kind = BER_INT, .tag = BER_U(2),
						.size = sizeof(int64_t), P1_NAMES(classification_names),
						.max = 256 };
static const struct ber_type privacy_mark = { .name = "PrivacyMark", .kind = BER_STRING, .tag = BER_U(19),
					      .size = sizeof(struct view), .min = 1, .max = 128 };

struct label {
	struct ber_seq seq;
	struct view policy;
	int64_t classification;
	struct view mark;
	struct ber_list categories;
};
static const struct ber_field label_rows[] = {
	{ .name = "security-policy-identifier", P1_FIELD(label, policy), .type = &p1_oid, .flags = BER_OPTIONAL },
	{ .name = "security-classification", P1_FIELD(label, classification), .type = &classification,
	  .flags = BER_OPTIONAL },
	{ .name = "privacy-mark", P1_FIELD(label, mark), .type = &privacy_mark, .flags = BER_OPTIONAL },
	{ .name = "security-categories", P1_FIELD(label, categories), .type = &categories, .flags = BER_OPTIONAL },
};
const struct ber_type p1_security_label_type = { .name = "SecurityLabel", .kind = BER_SET, .tag = BER_U(17),
						 .size = sizeof(struct label), P1_ROWS(label_rows) };

/* --- tokens --- */

static const struct ber_name on_request[] = { { 0, "proof-of-delivery-not-requested" },
					      { 1, "proof-of-delivery-requested" } };
static const struct ber_type proof_request = { .name = "ProofOfDeliveryRequest", .kind = BER_ENUM,
					       .tag = BER_U(10), .size = sizeof(int64_t), P1_NAMES(on_request) };

struct token_signed {
	struct ber_seq seq;
	struct algorithm confidentiality;
	struct signature integrity;
	struct label label;
	int64_t proof;
	struct view sequence_number;
};
static const struct ber_type big_integer = { .name = "INTEGER", .kind = BER_BIGINT, .tag = BER_U(2),
					     .size = sizeof(struct view) };
static const struct ber_field token_signed_rows[] = {
	{ .name = "content-confidentiality-algorithm-identifier", P1_FIELD(token_signed, confidentiality),
	  .type = &p1_algorithm_type, .tag = BER_C(0), .flags = BER_OPTIONAL },
	{ .name = "content-integrity-check", P1_FIELD(token_signed, integrity), .type = &p1_signature_type,
	  .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "message-security-label", P1_FIELD(token_signed, label), .type = &p1_security_label_type,
	  .tag = BER_C(2), .flags = BER_OPTIONAL },
	{ .name = "proof-of-delivery-request", P1_FIELD(token_signed, proof), .type = &proof_request,
	  .tag = BER_C(3), .flags = BER_OPTIONAL },
	{ .name = "message-sequence-number", P1_FIELD(token_signed, sequence_number), .type = &big_integer,
	  .tag = BER_C(4), .flags = BER_OPTIONAL },
};
static const struct ber_type token_signed_type = { .name = "MessageTokenSignedData", .kind = BER_SEQ,
						   .tag = BER_U(16), .size = sizeof(struct token_signed),
						   P1_ROWS(token_signed_rows) };

struct token_encrypted {
	struct ber_seq seq;
	struct ber_bits confidentiality_key;
	struct signature integrity;
	struct label label;
	struct ber_bits integrity_key;
	struct view sequence_number;
};
static const struct ber_field token_encrypted_rows[] = {
	{ .name = "content-confidentiality-key", P1_FIELD(token_encrypted, confidentiality_key), .type = &p1_bits,
	  .tag = BER_C(0), .flags = BER_OPTIONAL },
	{ .name = "content-integrity-check", P1_FIELD(token_encrypted, integrity), .type = &p1_signature_type,
	  .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "message-security-label", P1_FIELD(token_encrypted, label), .type = &p1_security_label_type,
	  .tag = BER_C(2), .flags = BER_OPTIONAL },
	{ .name = "content-integrity-key", P1_FIELD(token_encrypted, integrity_key), .type = &p1_bits,
	  .tag = BER_C(3), .flags = BER_OPTIONAL },
	{ .name = "message-sequence-number", P1_FIELD(token_encrypted, sequence_number), .type = &big_integer,
	  .tag = BER_C(4), .flags = BER_OPTIONAL },
};
static const struct ber_type token_encrypted_type = { .name = "MessageTokenEncryptedData", .kind = BER_SEQ,
						      .tag = BER_U(16), .size = sizeof(struct token_encrypted),
						      P1_ROWS(token_encrypted_rows) };

struct token_data {
	struct ber_seq seq;
	int64_t type;
	struct view value;
};
static const struct ber_type *token_data_value(const void *parent)
{
	/* 1 bind-token-signed-data, 2 and 3 of a message, 4 bind-token-encrypted-data: an EXTERNAL, kept */
	static const struct ber_type *const types[] = { NULL, &p1_bits, &token_signed_type, &token_encrypted_type };
	int64_t type = ((const struct token_data *)parent)->type;
	return type > 0 && type < (int64_t)ARRAY_LEN(types) ? types[type] : NULL;
}
static const struct ber_field token_data_rows[] = {
	{ .name = "type", P1_FIELD(token_data, type), .type = &p1_integer, .tag = BER_C(0) },
	{ .name = "value", P1_FIELD(token_data, value), .type = &p1_any, .tag = BER_C(1), .flags = BER_EXPLICIT,
	  .resolve = token_data_value },
};
static const struct ber_type token_data_type = { .name = "TokenData", .kind = BER_SEQ, .tag = BER_U(16),
						 .size = sizeof(struct token_data), P1_ROWS(token_data_rows) };

struct token_mta {
	struct ber_seq seq;
	struct p1_gdi domain;
	struct view name;
};
static const struct ber_field token_mta_rows[] = {
	{ .name = "global-domain-identifier", P1_FIELD(token_mta, domain), .type = &p1_gdi_type,
	  .flags = BER_OPTIONAL },
	{ .name = "mta-name", P1_FIELD(token_mta, name), .type = &p1_mta_name_type },
};
static const struct ber_type token_mta_type = { .name = "mta", .kind = BER_SEQ, .tag = BER_U(16),
						.size = sizeof(struct token_mta), P1_ROWS(token_mta_rows) };
struct token_name {
	struct ber_choice choice;
	struct p1_orname recipient;
	struct token_mta mta;
};
static const struct ber_field token_name_rows[] = {
	{ .name = "recipient-name", P1_FIELD(token_name, recipient), .type = &p1_orname_type },
	{ .name = "mta", P1_FIELD(token_name, mta), .type = &token_mta_type, .tag = BER_C(3) },
};
static const struct ber_type token_name_type = { .name = "name", .kind = BER_CHOICE, .tag = BER_NO_TAG,
						 .size = sizeof(struct token_name), P1_ROWS(token_name_rows) };

struct asymmetric {
	struct ber_seq seq;
	struct algorithm signature_algorithm;
	struct token_name name;
	struct view time;
	struct token_data signed_data;
	struct algorithm encryption_algorithm;
	struct ber_bits encrypted_data;
};
static const struct ber_field asymmetric_rows[] = {
	{ .name = "signature-algorithm-identifier", P1_FIELD(asymmetric, signature_algorithm),
	  .type = &p1_algorithm_type },
	{ .name = "name", P1_FIELD(asymmetric, name), .type = &token_name_type },
	{ .name = "time", P1_FIELD(asymmetric, time), .type = &p1_utctime },
	{ .name = "signed-data", P1_FIELD(asymmetric, signed_data), .type = &token_data_type, .tag = BER_C(0),
	  .flags = BER_OPTIONAL },
	{ .name = "encryption-algorithm-identifier", P1_FIELD(asymmetric, encryption_algorithm),
	  .type = &p1_algorithm_type, .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "encrypted-data", P1_FIELD(asymmetric, encrypted_data), .type = &p1_bits, .tag = BER_C(2),
	  .flags = BER_OPTIONAL },
};
static const struct ber_type asymmetric_type = { .name = "toBeSigned", .kind = BER_SEQ, .tag = BER_U(16),
						 .size = sizeof(struct asymmetric), P1_ROWS(asymmetric_rows) };
struct asymmetric_signed {
	struct ber_seq seq;
	struct asymmetric signed_part;
	struct signature signature;
};
static const struct ber_field asymmetric_signed_rows[] = {
	{ .name = "toBeSigned", P1_FIELD(asymmetric_signed, signed_part), .type = &asymmetric_type },
	{ .name = "algorithm", P1_FIELD(asymmetric_signed, signature.algorithm), .type = &p1_algorithm_type },
	{ .name = "encrypted", P1_FIELD(asymmetric_signed, signature.value), .type = &p1_bits },
};
static const struct ber_type asymmetric_signed_type = { .name = "AsymmetricToken", .kind = BER_SEQ, .tag = BER_U(16),
							.size = sizeof(struct asymmetric_signed),
							P1_ROWS(asymmetric_signed_rows) };

struct token {
	struct ber_seq seq;
	struct view type, value;
};
static const struct ber_type *token_type(const void *parent)
{
	/* id-tok-asymmetricToken, 2.6.3.6.0 */
	bool known = view_eq(((const struct token *)parent)->type, VIEW("\x56\x03\x06\x00"));
	return known ? &asymmetric_signed_type : NULL;
}
static const struct ber_field token_rows[] = {
	{ .name = "token-type-identifier", P1_FIELD(token, type), .type = &p1_oid, .tag = BER_C(0) },
	{ .name = "token", P1_FIELD(token, value), .type = &p1_any, .tag = BER_C(1), .flags = BER_EXPLICIT,
	  .resolve = token_type },
};
const struct ber_type p1_token_type = { .name = "Token", .kind = BER_SEQ, .tag = BER_U(16),
					.size = sizeof(struct token), P1_ROWS(token_rows) };

/* --- certificates --- */

struct extended_certificate {
	struct ber_choice choice;
	struct ber_list directory_entry;
	struct ber_seq certificates;
};
static const struct ber_field extended_certificate_rows[] = {
	{ .name = "directory-entry", P1_FIELD(extended_certificate, directory_entry), .type = &p1_name_type,
	  .tag = BER_C(0), .flags = BER_EXPLICIT },
	{ .name = "certificate", P1_FIELD(extended_certificate, certificates), .type = &p1_opaque_sequence,
	  .tag = BER_C(1) },
};
static const struct ber_type extended_certificate = { .name = "ExtendedCertificate", .kind = BER_CHOICE,
						      .tag = BER_NO_TAG,
						      .size = sizeof(struct extended_certificate),
						      P1_ROWS(extended_certificate_rows) };
const struct ber_type p1_extended_certificates_type = { .name = "ExtendedCertificates", .kind = BER_SET_OF,
							.tag = BER_U(17), .size = sizeof(struct ber_list),
							.of = &extended_certificate, .min = 1, .max = 64 };

struct selectors {
	struct ber_seq seq;
	struct ber_seq part[5];
};
#define SELECTOR(i, row_name) \
	{ .name = row_name, P1_FIELD(selectors, part[i]), .type = &p1_opaque_sequence, .tag = BER_C(i), \
	  .flags = BER_OPTIONAL }
static const struct ber_field selector_rows[] = {
	SELECTOR(0, "encryption-recipient"), SELECTOR(1, "encryption-originator"),
	SELECTOR(2, "content-integrity-check"), SELECTOR(3, "token-signature"),
	SELECTOR(4, "message-origin-authentication"),
};
const struct ber_type p1_certificate_selectors_type = { .name = "CertificateSelectors", .kind = BER_SET,
							.tag = BER_U(17), .size = sizeof(struct selectors),
							P1_ROWS(selector_rows) };

/* --- X.420 IPMSSecurityExtensions: tokens for body parts, nested as the body parts are --- */

struct encryption_token {
	struct ber_seq seq;
	struct algorithm algorithm;
	struct ber_bits key;
	struct ber_seq recipient_selector, recipient_certificate, originator_selector;
	struct ber_list originator_certificates;
};
static const struct ber_field encryption_token_rows[] = {
	{ .name = "encryption-algorithm-identifier", P1_FIELD(encryption_token, algorithm),
	  .type = &p1_algorithm_type },
	{ .name = "encrypted-key", P1_FIELD(encryption_token, key), .type = &p1_bits },
	{ .name = "recipient-certificate-selector", P1_FIELD(encryption_token, recipient_selector),
	  .type = &p1_opaque_sequence, .tag = BER_C(0), .flags = BER_OPTIONAL },
	{ .name = "recipient-certificate", P1_FIELD(encryption_token, recipient_certificate),
	  .type = &p1_opaque_sequence, .tag = BER_C(1), .flags = BER_OPTIONAL },
	{ .name = "originator-certificate-selector", P1_FIELD(encryption_token, originator_selector),
	  .type = &p1_opaque_sequence, .tag = BER_C(2), .flags = BER_OPTIONAL },
	{ .name = "originator-certificates", P1_FIELD(encryption_token, originator_certificates),
	  .type = &p1_extended_certificates_type, .tag = BER_C(3), .flags = BER_OPTIONAL },
};
static const struct ber_type encryption_token_type = { .name = "EncryptionToken", .kind = BER_SET, .tag = BER_U(17),
						       .size = sizeof(struct encryption_token),
						       P1_ROWS(encryption_token_rows) };

struct part_choice {
	struct ber_choice choice;
	struct encryption_token encryption;
	struct token forwarding;
	struct ber_list nested;
};
struct part_token {
	struct ber_seq seq;
	int64_t number;
	struct part_choice choice;
};

static const struct ber_field body_choice_rows[] = {
	{ .name = "encryption-token", P1_FIELD(part_choice, encryption), .type = &encryption_token_type },
	{ .name = "message-or-content-body-part", P1_FIELD(part_choice, nested), .type = &p1_body_part_tokens_type,
	  .tag = BER_C(0) },
};
static const struct ber_type body_choice = { .name = "body-part-choice", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					     .size = sizeof(struct part_choice), P1_ROWS(body_choice_rows) };
static const struct ber_field body_token_rows[] = {
	{ .name = "body-part-number", P1_FIELD(part_token, number), .type = &p1_integer },
	{ .name = "body-part-choice", P1_FIELD(part_token, choice), .type = &body_choice },
};
static const struct ber_type body_token = { .name = "SET", .kind = BER_SET, .tag = BER_U(17),
					    .size = sizeof(struct part_token), P1_ROWS(body_token_rows) };
const struct ber_type p1_body_part_tokens_type = { .name = "BodyPartTokens", .kind = BER_SET_OF, .tag = BER_U(17),
						   .size = sizeof(struct ber_list), .of = &body_token };

static const struct ber_field forwarded_choice_rows[] = {
	{ .name = "forwarding-token", P1_FIELD(part_choice, forwarding), .type = &p1_token_type },
	{ .name = "message-or-content-body-part", P1_FIELD(part_choice, nested),
	  .type = &p1_forwarded_content_token_type },
};
static const struct ber_type forwarded_choice = { .name = "body-part-choice", .kind = BER_CHOICE, .tag = BER_NO_TAG,
						  .size = sizeof(struct part_choice),
						  P1_ROWS(forwarded_choice_rows) };
static const struct ber_field forwarded_rows[] = {
	{ .name = "body-part-number", P1_FIELD(part_token, number), .type = &p1_integer },
	{ .name = "body-part-choice", P1_FIELD(part_token, choice), .type = &forwarded_choice },
};
static const struct ber_type forwarded_token = { .name = "SET", .kind = BER_SET, .tag = BER_U(17),
						 .size = sizeof(struct part_token), P1_ROWS(forwarded_rows) };
const struct ber_type p1_forwarded_content_token_type = { .name = "ForwardedContentToken", .kind = BER_SET_OF,
							  .tag = BER_U(17), .size = sizeof(struct ber_list),
							  .of = &forwarded_token };
