/* ber_private.h - what the files of this folder share: element headers, tags of table rows, error paths. */
#pragma once
#include "flow/codec/ber/ber.h"

/* The code recurses once per nesting level, so no caller's limit may pass what the stack carries. */
enum { BER_DEPTH_MAX = 512 };

/* Identifier and length octets, X.690 8.1.2 and 8.1.3. End-of-contents reads as tag BER_U(0), length 0. */
struct ber_head {
	uint32_t tag;
	bool constructed, indefinite;
	unsigned size; /* of the header itself */
	size_t length; /* 0 when indefinite */
};

/* The longest header accepted: six identifier octets, and a length of up to 126 octets after its first. */
enum { BER_HEAD_MAX = 6 + 1 + 126 };

/* Any header. STEP_WAIT: `in` ends within it. STEP_FAIL: *why_r says what is wrong with it. */
enum step ber_head_read_any(struct view in, struct ber_head *h_r, const char **why_r);

/* The same with the common case (one identifier octet, short length) in line. */
static inline enum step ber_head_read(struct view in, struct ber_head *h_r, const char **why_r)
{
	if (in.n < 2 || (in.p[0] & 0x1f) == 0x1f || in.p[1] >= 0x80)
		return ber_head_read_any(in, h_r, why_r);
	*h_r = (struct ber_head){
		.tag = BER_TAG(in.p[0] >> 6, in.p[0] & 0x1f),
		.constructed = (in.p[0] & 0x20) != 0,
		.size = 2,
		.length = in.p[1],
	};
	return STEP_DONE;
}

/* Writes a header of ber_header_size octets to `to`. */
void ber_head_write(uint8_t *to, uint32_t tag, bool constructed, size_t length);

/* A row may leave its tag zero: BER_U(0) is no tag of any type (X.690 8.1.5). */
static inline uint32_t ber_type_tag(const struct ber_type *t)
{
	return t->tag == 0 ? BER_NO_TAG : t->tag;
}

/* The tag an element of this field begins with; BER_NO_TAG: an untagged CHOICE or ANY. */
static inline uint32_t ber_field_tag(const struct ber_field *f)
{
	return f->tag == 0 || f->tag == BER_NO_TAG ? ber_type_tag(f->type) : f->tag;
}

/* Is the field's tag a wrapper of its own? A tag before an untagged type always is (X.680 31.2.7). */
static inline bool ber_field_wraps(const struct ber_field *f)
{
	if (f->tag == 0 || f->tag == BER_NO_TAG)
		return false;
	return (f->flags & BER_EXPLICIT) != 0 || ber_type_tag(f->type) == BER_NO_TAG;
}

/* Does an element with this header begin a value of the field, of the type? */
bool ber_field_matches(const struct ber_field *f, const struct ber_head *h);
bool ber_type_matches(const struct ber_type *t, const struct ber_head *h);

/* Where the field's value lies; NULL for a BER_POINTER not set. */
static inline const void *ber_field_value(const struct ber_field *f, const void *base)
{
	const void *at = (const uint8_t *)base + f->offset;
	return (f->flags & BER_POINTER) != 0 ? *(const void *const *)at : at;
}

/* Is the field to be written? For a DEFAULT its value decides, for an OPTIONAL its bit in `has`. */
bool ber_field_present(const struct ber_type *t, size_t i, const void *base);

/* Octets of the encoding; false when the value breaks its table, or is nested too deep to be gone through. */
MUST_CHECK bool ber_measure(const struct ber_type *t, const void *value, size_t *n_r, struct err *e);

/* The way from the outermost type to where we are, for error texts; lives on the C stack. */
struct ber_path {
	const struct ber_path *up;
	const char *name;
	size_t index; /* of a list's element, else BER_NO_INDEX */
};
#define BER_NO_INDEX SIZE_MAX

/* "MTS-APDU.message.envelope"; the front is left out when it does not fit. Returns buf. */
const char *ber_path_text(const struct ber_path *at, char *buf, size_t size);

/* "INTEGER", "[APPLICATION 3]", "[2]"; "none" for BER_NO_TAG. Returns buf. */
const char *ber_tag_text(uint32_t tag, char *buf, size_t size);

/* The standard's name of a universal tag's type, NULL if it has none. */
const char *ber_universal_name(uint32_t number);

/* The name of a value in t->names, or NULL. */
const char *ber_name_of(const struct ber_type *t, int64_t value);

/* The value of an INTEGER's content octets; false when it does not fit or there are none. */
MUST_CHECK bool ber_int_value(struct view content, int64_t *x_r);

/* Arcs with `separator` between them: 2.6.1 or 2 6 1. False (and nothing is written) when the octets are no
 * OBJECT IDENTIFIER, or an arc is longer than BER_ARC_MAX octets. */
enum { BER_ARC_MAX = 512 };
MUST_CHECK bool ber_oid_arcs(struct view oid, bool relative, char separator, struct out *o);

/* ber_print_leaf.c: a value of any kind that has no rows and no elements. */
void ber_print_leaf(const struct ber_type *t, const void *value, enum ber_form form, struct out *o);

/* Text of a character string type in its quotes; `number` of its universal tag says how its octets read. */
void ber_print_text(struct view v, uint32_t number, enum ber_form form, struct out *o);

/* Hexadecimal digits, lower case in JSON. */
void ber_print_hex(struct view v, enum ber_form form, struct out *o);

/* What a primitive of a universal tag holds, in value notation; false (nothing written) when it is none
 * or bad. */
MUST_CHECK bool ber_print_universal(uint32_t tag, struct view content, struct out *o);
