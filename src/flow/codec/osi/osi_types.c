#include "flow/codec/osi/osi_types.h"

#define PLAIN(name, spelt, kind, tag, form) \
	const struct ber_type name = { spelt, kind, tag, sizeof(form), NULL, 0, NULL, NULL, 0, 0, 0, false }

PLAIN(osi_integer, "INTEGER", BER_INT, BER_U(2), int64_t);
PLAIN(osi_octets, "OCTET STRING", BER_OCTETS, BER_U(4), struct view);
PLAIN(osi_bits, "BIT STRING", BER_BITS, BER_U(3), struct ber_bits);
PLAIN(osi_oid, "OBJECT IDENTIFIER", BER_OID, BER_U(6), struct view);
PLAIN(osi_any, "ANY", BER_ANY, BER_NO_TAG, struct view);
PLAIN(osi_ia5_string, "IA5String", BER_STRING, BER_U(22), struct view);
PLAIN(osi_t61_string, "T61String", BER_STRING, BER_U(20), struct view);
PLAIN(osi_graphic_string, "GraphicString", BER_STRING, BER_U(25), struct view);
PLAIN(osi_utc_time, "UTCTime", BER_TIME, BER_U(23), struct view);
static PLAIN(osi_object_descriptor, "ObjectDescriptor", BER_STRING, BER_U(7), struct view);
const struct ber_type osi_null = { .name = "NULL", .kind = BER_NULL, .tag = BER_U(5), .size = 0 };

static const struct ber_field encoding_fields[] = {
	{ .name = "single-ASN1-type", .offset = offsetof(struct osi_encoding, single),
	  .type = &osi_any, .tag = BER_C(0), .flags = BER_EXPLICIT },
	{ .name = "octet-aligned", .offset = offsetof(struct osi_encoding, octets),
	  .type = &osi_octets, .tag = BER_C(1) },
	{ .name = "arbitrary", .offset = offsetof(struct osi_encoding, bits),
	  .type = &osi_bits, .tag = BER_C(2) },
};

const struct ber_type osi_encoding_type = {
	.name = "encoding", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct osi_encoding),
	.fields = encoding_fields, .n_fields = ARRAY_LEN(encoding_fields), .closed = true,
};

static const struct ber_field external_fields[] = {
	{ .name = "direct-reference", .offset = offsetof(struct osi_external, direct),
	  .type = &osi_oid, .tag = BER_NO_TAG, .flags = BER_OPTIONAL },
	{ .name = "indirect-reference", .offset = offsetof(struct osi_external, indirect),
	  .type = &osi_integer, .tag = BER_NO_TAG, .flags = BER_OPTIONAL },
	{ .name = "data-value-descriptor", .offset = offsetof(struct osi_external, descriptor),
	  .type = &osi_object_descriptor, .tag = BER_NO_TAG, .flags = BER_OPTIONAL },
	{ .name = "encoding", .offset = offsetof(struct osi_external, encoding),
	  .type = &osi_encoding_type, .tag = BER_NO_TAG },
};

const struct ber_type osi_external_type = {
	.name = "EXTERNAL", .kind = BER_SEQ, .tag = BER_U(8), .size = sizeof(struct osi_external),
	.fields = external_fields, .n_fields = ARRAY_LEN(external_fields),
};

struct view osi_encoding_value(const struct osi_encoding *e)
{
	if (e->choice.which == OSI_ENCODING_SINGLE)
		return e->single;
	if (e->choice.which == OSI_ENCODING_OCTETS)
		return e->octets;
	return (struct view){ NULL, 0 };
}
