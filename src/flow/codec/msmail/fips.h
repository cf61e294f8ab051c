/* fips.h - FIPS PUB 98 data elements (RFC 841; facts A7): read one at a time, written from the inside out or with patched lengths.
 * Integers inside MS Mail files are little-endian; of the standard itself big-endian: the caller says which. */
#pragma once
#include "base/cur.h"
#include "base/err.h"
#include "base/out.h"

enum fips_code {
	FIPS_NO_OP = 0x00, FIPS_EOC = 0x01, FIPS_ASCII = 0x02, FIPS_BOOLEAN = 0x08, FIPS_UNIQUE_ID = 0x09, FIPS_SEQUENCE = 0x0A, FIPS_SET = 0x0B,
	FIPS_INTEGER = 0x20, FIPS_PADDING = 0x21, FIPS_PROPERTY_LIST = 0x24, FIPS_DATE = 0x28, FIPS_BIT_STRING = 0x43, FIPS_PROPERTY = 0x45,
	FIPS_COMPRESSED = 0x46, FIPS_ENCRYPTED = 0x47, FIPS_FIELD = 0x4C, FIPS_MESSAGE = 0x4D, FIPS_EXTENSION = 0x7E, FIPS_VENDOR = 0x7F,
};
enum fips_field { FIPS_FROM = 1, FIPS_POSTED = 2, FIPS_REPLY_TO = 3, FIPS_TEXT = 4, FIPS_TO = 5, FIPS_CC = 6, FIPS_SUBJECT = 7, FIPS_ATTACHMENTS = 8,
		  FIPS_COMMENTS = 0x10, FIPS_MESSAGE_CLASS = 0x15, FIPS_MESSAGE_ID = 0x16, FIPS_PRECEDENCE = 0x18 };

struct fips_element {
	uint8_t code;             /* without bit 7 */
	bool is_constructor, indefinite;
	uint32_t qualifier;       /* its value; has_qualifier */
	bool has_qualifier, vendor_qualifier; /* vendor: the long form with first value octet 0 */
	struct view properties;   /* the property list's contents; empty: none */
	struct view contents;     /* of an indefinite one: up to its end-of-constructor */
	struct view whole;
	size_t offset;            /* of `whole` in what the walk began with */
};
struct fips_walk { struct view all, rest; unsigned depth; size_t elements_left; };
struct fips_walk fips_walk_of(struct view octets, size_t max_elements);
struct fips_walk fips_walk_in(const struct fips_walk *outer, const struct fips_element *x); /* contents of a constructor */
/* STEP_DONE: one element; STEP_WAIT: the end, in order. Fails (ERR_PERM, message, 1/12): offset, found, wanted. Depth at most 32. */
enum step fips_next(struct fips_walk *w, struct fips_element *x_r, struct err *e);

/* The head alone: everything in front of the contents, though these are not all in `octets` (the first look at a file). *length_r: of the
 * contents with the properties; UINT64_MAX: indefinite. contents and whole are empty. Fails as fips_next does; offset: for its words. */
MUST_CHECK bool fips_head(struct view octets, size_t offset, struct fips_element *x_r, size_t *head_r, uint64_t *length_r, struct err *e);

/* Writing. Between begin and end stand the contents; lengths are minimal (so the dumps of facts A6 have them), or of at least `width`
 * octets behind 8n, for what is patched later. Any size to 2^32-1; more: o->bad. */
size_t fips_begin(struct out *o, uint8_t code, int64_t qualifier /* -1 none; FIPS_VENDOR_QUALIFIER | n: a vendor's */);
void fips_end(struct out *o, size_t begun);
void fips_end_wide(struct out *o, size_t begun, unsigned width);
void fips_put(struct out *o, uint8_t code, int64_t qualifier, struct view contents);
#define FIPS_VENDOR_QUALIFIER ((int64_t)1 << 32)

/* INTEGER elements of MS Mail: little-endian, unsigned; written in 2, 4 or 8 octets. */
void fips_put_le(struct out *o, uint64_t x);
MUST_CHECK bool fips_le(const struct fips_element *x, uint64_t *value_r); /* false: no INTEGER, or of no or more than 8 octets */
bool fips_is_vendor(const struct fips_element *x, uint32_t qualifier); /* a vendor's element, with this qualifier of the plain form */
