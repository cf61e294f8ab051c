/* osi_types.h - the ASN.1 types and object identifiers that the tables of presentation, ACSE, RTSE and the
 * MTA bind share. */
#pragma once
#include "flow/codec/ber/ber.h"

extern const struct ber_type osi_integer, osi_octets, osi_bits, osi_oid, osi_any, osi_null;
extern const struct ber_type osi_ia5_string, osi_t61_string, osi_graphic_string, osi_utc_time;

/* An EXTERNAL in the form of X.226 8.4 and X.227: X.690 8.18, references and one encoding. */
struct osi_encoding {
	struct ber_choice choice;
	struct view single;         /* single-ASN1-type [0]: the whole TLV inside */
	struct view octets;         /* octet-aligned [1] */
	struct ber_bits bits;       /* arbitrary [2] */
};
enum { OSI_ENCODING_SINGLE = 1, OSI_ENCODING_OCTETS, OSI_ENCODING_BITS };

struct osi_external {
	struct ber_seq seq;
	struct view direct;         /* transfer syntax */
	int64_t indirect;           /* presentation context identifier */
	struct view descriptor;
	struct osi_encoding encoding;
};
enum { OSI_EXTERNAL_DIRECT, OSI_EXTERNAL_INDIRECT, OSI_EXTERNAL_DESCRIPTOR, OSI_EXTERNAL_ENCODING };

extern const struct ber_type osi_encoding_type, osi_external_type;

/* The octets of the value inside, whichever of [0] and [1] it is in; empty for [2]. */
struct view osi_encoding_value(const struct osi_encoding *e);

/* Content octets of the object identifiers (X.419 annex; X.227; X.228; X.690). */
#define OSI_OID_ACSE ((struct view){ (const uint8_t *)"\x52\x01\x00\x01", 4 })     /* 2.2.1.0.1 */
#define OSI_OID_RTSE ((struct view){ (const uint8_t *)"\x53\x02", 2 })             /* 2.3.2 */
#define OSI_OID_MTA_RTSE ((struct view){ (const uint8_t *)"\x56\x00\x02\x0c", 4 }) /* 2.6.0.2.12 */
#define OSI_OID_MTSE ((struct view){ (const uint8_t *)"\x56\x00\x02\x07", 4 })     /* 2.6.0.2.7 */
#define OSI_OID_BER ((struct view){ (const uint8_t *)"\x51\x01", 2 })              /* 2.1.1 */
#define OSI_OID_MTS_TRANSFER ((struct view){ (const uint8_t *)"\x56\x00\x01\x06", 4 }) /* 2.6.0.1.6 */
