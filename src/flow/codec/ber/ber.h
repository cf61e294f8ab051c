/* ber.h - Basic Encoding Rules (X.690), driven by one static table per ASN.1 type.
 *
 * A table row says what ASN.1 says (tag, implicit or explicit, optional, default) and where the
 * value lies in a C struct. The same table decodes, encodes, sizes and prints.
 *
 * C form of each kind:
 *   BOOL               bool
 *   INT, ENUM          int64_t                    (a longer INTEGER is a decode error; use BIGINT)
 *   BIGINT             struct view                content octets
 *   BITS               struct ber_bits
 *   OCTETS, STRING, TIME, OID, RELATIVE_OID, REAL
 *                      struct view                content octets, constructed forms joined
 *   NULL               (nothing; `has` tells)
 *   ANY                struct view                the whole TLV, bit-exact
 *   SEQ, SET           a struct whose first member is struct ber_seq
 *   SEQ_OF, SET_OF     struct ber_list
 *   CHOICE             a struct whose first member is struct ber_choice; every alternative at its own offset
 *                      (members of a union may share one)
 *   TAGGED             the C form of `of` (an explicitly tagged type: [APPLICATION 1] CHOICE)
 *
 * Views point into the input (zero copy) where the encoding is primitive or has one piece, else into
 * the arena; so a decoded value lives as long as both. Unknown elements of an extensible SEQ/SET are
 * kept as raw TLVs in ber_seq.extra and written again by encode: in a SEQ after the field they followed,
 * in a SET in tag order. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

/* A tag: class in the two top bits of the first octet's value, number below. */
enum ber_class { BER_UNIVERSAL = 0, BER_APPLICATION = 1, BER_CONTEXT = 2, BER_PRIVATE = 3 };
#define BER_TAG(class, number) (((uint32_t)(class) << 30) | (uint32_t)(number))
#define BER_U(n) BER_TAG(BER_UNIVERSAL, n)
#define BER_A(n) BER_TAG(BER_APPLICATION, n)
#define BER_C(n) BER_TAG(BER_CONTEXT, n)
#define BER_P(n) BER_TAG(BER_PRIVATE, n)
#define BER_NO_TAG UINT32_MAX /* CHOICE and ANY have none of their own */

static inline enum ber_class ber_tag_class(uint32_t tag) { return (enum ber_class)(tag >> 30); }
static inline uint32_t ber_tag_number(uint32_t tag) { return tag & 0x3fffffffu; }

enum ber_kind {
	BER_BOOL, BER_INT, BER_ENUM, BER_BIGINT, BER_BITS, BER_OCTETS, BER_NULL, BER_OID,
	BER_RELATIVE_OID, BER_REAL, BER_STRING, BER_TIME, BER_ANY,
	BER_SEQ, BER_SET, BER_SEQ_OF, BER_SET_OF, BER_CHOICE, BER_TAGGED,
};

struct ber_bits {
	struct view bytes; /* bit 0 is the top bit of the first octet */
	unsigned unused;   /* bits of the last octet that do not count, 0..7 */
};

struct ber_raw {
	struct view tlv;
	size_t after; /* SEQ: how many fields of the table stand before it */
};

struct ber_seq {
	uint64_t has;          /* bit i: fields[i] is present (DEFAULT fields: was on the wire) */
	struct ber_raw *extra; /* unknown elements, in the order found */
	size_t n_extra;
};

struct ber_list {
	void *v; /* n elements of of->size octets each */
	size_t n;
};

struct ber_choice {
	uint32_t which;  /* 1 + index of the alternative in fields; 0: none set */
#define BER_CHOICE_OTHER UINT32_MAX /* an unknown alternative of an extensible CHOICE, in `other` */
	struct view other;
};

enum ber_flags {
	BER_OPTIONAL = 1,   /* has-bit tells; that of a mandatory field is set by decode, not looked at by encode */
	BER_EXPLICIT = 2,   /* field tag is wrapped around the type's own; without it the tag replaces it */
	BER_POINTER = 4,    /* the struct holds a pointer to the value, in the arena (recursive or rare types) */
	BER_HAS_DEFAULT = 8, /* BOOL, INT, ENUM: `def`; not encoded when equal (and not kept by `has`) */
	BER_CONSTRUCTED = 16, /* CHOICE alternative that matches its tag only in constructed form ... */
	BER_PRIMITIVE = 32,   /* ... or only in primitive form: for peers that write [0] both ways */
};

struct ber_type;

struct ber_field {
	const char *name;            /* ASN.1 identifier */
	size_t offset;               /* in the C struct */
	const struct ber_type *type;
	uint32_t tag;                /* the field's own tag; BER_NO_TAG or 0 (left out): the type's.
				      * Before a CHOICE or ANY without tag it is explicit by itself. */
	unsigned flags;
	int64_t def;
	/* Open types: given the enclosing struct's value, the type inside the ANY, NULL if unknown.
	 * Used to print (and by those who want to decode on); decode itself keeps the octets. */
	const struct ber_type *(*resolve)(const void *parent);
};

struct ber_name {
	int64_t value; /* of an INTEGER or ENUMERATED, or a bit number */
	const char *name;
};

struct ber_type {
	const char *name; /* as the standard spells it: "MTSIdentifier" */
	enum ber_kind kind;
	uint32_t tag;     /* BER_NO_TAG for CHOICE and ANY */
	size_t size;      /* sizeof the C form */
	const struct ber_field *fields; /* SEQ, SET, CHOICE; at most 64 in SEQ and SET */
	size_t n_fields;
	const struct ber_type *of;      /* SEQ_OF, SET_OF, TAGGED */
	const struct ber_name *names;   /* INT, ENUM, BITS */
	size_t n_names;
	/* Bounds of the standard, for those who generate: octets of a string, bits, elements or an
	 * INTEGER's value; 0, 0: none. Decode never enforces them (tolerant in what is carried). */
	int64_t min, max;
	bool closed;      /* SEQ, SET, CHOICE: an unknown element is an error instead of being kept */
};

struct ber_limits {
	unsigned depth;  /* nesting of constructed TLVs, strings included; never more than 512 */
	size_t elements; /* TLVs looked at in one call */
	size_t bytes;    /* longest input */
};

/* Decodes one value that fills all of `in`. value_r has t->size octets, need not be zeroed.
 * Fails (ERR_PERM, message) on anything not BER, on a missing field, an element in the wrong place, a limit
 * or a full arena. An INTEGER with needless leading octets is let pass, and written minimal. e->text names the
 * path ("MTS-APDU.message.envelope.originator: ..."), found, wanted, octet. */
MUST_CHECK bool ber_decode(const struct ber_type *t, struct view in, void *value_r, struct arena *a,
			   const struct ber_limits *limits, struct err *e);

/* The same for one value at the start of `in`; *used_r: its octets. */
MUST_CHECK bool ber_decode_first(const struct ber_type *t, struct view in, void *value_r, size_t *used_r,
				 struct arena *a, const struct ber_limits *limits, struct err *e);

/* Octets that encode will write; 0 when it would fail. */
size_t ber_size(const struct ber_type *t, const void *value);

/* Appends the definite, minimal encoding in tag order (SET; SET OF in ascending octet order is not forced:
 * elements keep their order). False only when the value breaks its table (mandatory field absent,
 * CHOICE unset: ERR_LOCAL) or *o is full. */
MUST_CHECK bool ber_encode(const struct ber_type *t, const void *value, struct out *o, struct err *e);

/* What encode checks, and every bound (min, max) in the tables: for what we originate. A bound that is
 * broken is ERR_PERM of the message. */
MUST_CHECK bool ber_check_bounds(const struct ber_type *t, const void *value, struct err *e);

enum ber_form { BER_ASN1, BER_JSON };

/* Appends the value in ASN.1 value notation, each line after the first `indent` blanks in, or as one JSON
 * value on one line. The value must be one that decode gave or encode takes. Every string in JSON is valid
 * UTF-8: printable strings as text, T.61 as Latin-1, OCTET STRING as {"hex": "..."}. An ANY whose `resolve`
 * knows no better is shown as octets, in JSON {"tlv": "hex"}; elements that no row knows as comments, in
 * JSON as member "_unknown". */
void ber_print(const struct ber_type *t, const void *value, enum ber_form form, unsigned indent, struct out *o);

/* Prints TLVs without a table, each on a line of its own: tags, lengths, hex and text. Bad octets are shown,
 * never an error. Long strings are cut. */
void ber_print_raw(struct view tlv, unsigned indent, struct out *o);

/* --- single TLVs, for those who look without a table --- */

struct ber_tlv {
	uint32_t tag;
	bool constructed, indefinite;
	struct view whole;    /* header, content, and end-of-contents of an indefinite length */
	struct view content;  /* without end-of-contents */
};

/* The TLV at the start of `in`; indefinite lengths are followed down to limits->depth. */
MUST_CHECK bool ber_tlv(struct view in, struct ber_tlv *tlv_r, const struct ber_limits *limits, struct err *e);

/* Appends a minimal identifier and definite length. */
void ber_put_header(struct out *o, uint32_t tag, bool constructed, size_t length);
size_t ber_header_size(uint32_t tag, size_t length);

/* "2.6.1.4.0" <-> content octets of an OBJECT IDENTIFIER. Print never fails: octets that are none, or have
 * an arc over 512 octets, are shown as "hex:...". Parse wants two arcs or more, no leading zeroes, arcs of
 * 1075 digits at most; false: *o is as it was. */
void ber_oid_print(struct view oid, struct out *o);
MUST_CHECK bool ber_oid_parse(const char *text, struct out *o);

/* --- streaming: octets come in any pieces, nothing is kept but the open lengths --- */

struct ber_stream_event {
	enum { BER_S_OPEN, BER_S_BYTES, BER_S_CLOSE } what;
	uint32_t tag;       /* OPEN, CLOSE */
	bool constructed;   /* OPEN */
	bool definite;      /* OPEN: `length` is known */
	size_t length;      /* OPEN, when definite */
	unsigned depth;     /* of the TLV: 1 = outermost */
	struct view bytes;  /* BYTES: part of a primitive's content */
	struct view header; /* OPEN and CLOSE: the identifier and length (or end-of-contents) octets as they came;
			     * good until the next call. So that a consumer can keep a subtree bit-exact. */
};

struct ber_stream;

/* depth_max bounds memory. A child longer than its definite parent is an error. */
struct ber_stream *ber_stream_new(unsigned depth_max);
void ber_stream_free(struct ber_stream **s);
void ber_stream_reset(struct ber_stream *s);

/* Right after an OPEN: the element's content comes as BYTES up to its CLOSE, constructed or not, without a look at what
 * is in it. False, and nothing is changed, when its length is indefinite. */
bool ber_stream_opaque(struct ber_stream *s);

/* From now on an outermost element of more octets is an error, as soon as a length says so or they have
 * come. */
void ber_stream_limit(struct ber_stream *s, uint64_t octets_max);

/* Takes from *in (which it shortens) until there is an event. STEP_WAIT: *in is empty, more is wanted.
 * After the outermost CLOSE it is ready for another value. bytes and header: good until the next call. */
MUST_CHECK enum step ber_stream_next(struct ber_stream *s, struct view *in, struct ber_stream_event *ev_r,
				     struct err *e);
