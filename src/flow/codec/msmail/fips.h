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

/* Writing: begin reserves three octets of length, which end patches (82 hh ll when it fits shorter is not made shorter). */
size_t fips_begin(struct out *o, uint8_t code, int64_t qualifier /* -1 none */);
void fips_end(struct out *o, size_t begun); /* o->bad when over 2^24-1: then use fips_put_long */
void fips_put(struct out *o, uint8_t code, int64_t qualifier, struct view contents); /* minimal length form, any size to 2^32-1 */
