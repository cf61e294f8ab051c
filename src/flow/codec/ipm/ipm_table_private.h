/* ipm_table_private.h - short forms for the rows of this folder's tables. */
#pragma once
#include "flow/codec/ber/ber.h"
#include "flow/codec/p1/p1_orname.h"

/* FIELD(struct, member, "asn1-name", type, tag, flags) */
#define FIELD(form, member, spelt, type_, tag_, flags_) \
	{ .name = (spelt), .offset = offsetof(struct form, member), .type = &(type_), .tag = (tag_), .flags = (flags_) }
#define FIELD_DEFAULT(form, member, spelt, type_, tag_, default_) \
	{ .name = (spelt), .offset = offsetof(struct form, member), .type = &(type_), .tag = (tag_), \
	  .flags = BER_HAS_DEFAULT, .def = (default_) }
/* TABLE(struct, "ASN1-Name", kind, tag, rows): SEQ, SET, CHOICE */
#define TABLE(form, spelt, kind_, tag_, rows) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(struct form), .fields = (rows), \
	  .n_fields = ARRAY_LEN(rows) }
#define LIST(spelt, kind_, tag_, of_) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(struct ber_list), .of = &(of_) }
/* A string-like type with its bounds in octets. */
#define STRING(spelt, kind_, tag_, least, most) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(struct view), .min = (least), .max = (most) }
#define NUMBER(spelt, kind_, tag_, rows) \
	{ .name = (spelt), .kind = (kind_), .tag = (tag_), .size = sizeof(int64_t), .names = (rows), \
	  .n_names = ARRAY_LEN(rows) }
#define BITSET(spelt, rows) \
	{ .name = (spelt), .kind = BER_BITS, .tag = BER_U(3), .size = sizeof(struct ber_bits), .names = (rows), \
	  .n_names = ARRAY_LEN(rows) }
#define OPT BER_OPTIONAL

/* Universal tags (X.680 8.4). */
enum {
	U_BOOLEAN = 1, U_INTEGER = 2, U_BITS = 3, U_OCTETS = 4, U_NULL = 5, U_OID = 6, U_DESCRIPTOR = 7, U_EXTERNAL = 8,
	U_ENUM = 10, U_SEQ = 16, U_SET = 17, U_PRINTABLE = 19, U_TELETEX = 20, U_VIDEOTEX = 21, U_IA5 = 22, U_UTC_TIME = 23,
	U_GENERALIZED_TIME = 24, U_GRAPHIC = 25, U_GENERAL = 27, U_UNIVERSAL_STRING = 28, U_BMP = 30
};

/* ipm_base_table.c: types used by more than one file. */
extern const struct ber_type ipm_bool_type, ipm_graphic_string_type, ipm_graphic_list_type, ipm_printable_type, ipm_extensions_type,
	ipm_teletex_string_type;

/* The type that a pair of {id-et n} or {id-ep n} (content octets) gives the value; NULL: unknown. */
const struct ber_type *ipm_external_value_type(struct view oid);
/* The same for the military ones, ipm_mm_table.c. */
const struct ber_type *ipm_mm_value_type(struct view oid);
