/* ipm_convert_private.h - what the files of the conversion share. */
#pragma once
#include "flow/codec/ipm/ipm_convert.h"

enum {
	CONVERSION_NOT_PERFORMED = 2, /* X.411 8.2.1.4: the reason; then diagnostics */
	CONVERSION_IMPRACTICAL = 8, CONVERSION_PROHIBITED = 9, CONTENT_SYNTAX_ERROR = 12, CONTENT_TYPE_NOT_SUPPORTED = 15,
	LOSS_PROHIBITED = 19,
};

/* Octets in the making: pieces of the content and of the arena, joined without a copy. */
struct rope_piece {
	struct rope_piece *next;
	struct view octets;
};
struct rope {
	struct rope_piece *first, *last;
	size_t n; /* octets */
};

struct conv {
	struct view content;
	const struct ipm_convert *how;
	struct arena *a;
	struct err *e;
	size_t elements;
	bool narrow;           /* no externally defined parts */
	bool changed;          /* something in the element at hand */
	bool parts;            /* some body part */
	unsigned eits;         /* bits of BuiltInEncodedInformationTypes, bit 0 is 1 */
	struct ber_list types; /* struct view: ExtendedEncodedInformationTypes */
	size_t types_cap;
};

/* Appends; a full arena shows in arena_full, and is asked for at the end. */
void rope_add(struct conv *c, struct rope *r, struct view octets);
void rope_join(struct rope *r, struct rope *tail);
/* tag { inner } */
void rope_in(struct conv *c, struct rope *r, uint32_t tag, bool constructed, struct rope *inner);
/* The rope in one piece, in the arena. */
struct view rope_view(struct conv *c, const struct rope *r);

struct view conv_keep(struct conv *c, struct out *o); /* what was built in `o` (which ends here), in the arena */
struct view conv_encode(struct conv *c, const struct ber_type *t, const void *value); /* empty: it failed, or the arena is full */
MUST_CHECK bool conv_next(struct conv *c, struct view *rest, unsigned depth, struct ber_tlv *t_r); /* *rest is not empty */
bool conv_broken(struct conv *c, const char *what);
MUST_CHECK bool conv_may(struct conv *c, const char *what);  /* a body part becomes another */
MUST_CHECK bool conv_lose(struct conv *c, const char *what); /* something of it is lost */

/* An element whose inside `f` converts: as it came when nothing changes, else with a length of its own. */
typedef bool conv_f(struct conv *c, struct view inside, unsigned depth, struct rope *r);
MUST_CHECK bool conv_element(struct conv *c, const struct ber_tlv *t, unsigned depth, conv_f *f, struct rope *r);

/* ipm_convert.c: what is in an IPM (heading and body). */
MUST_CHECK bool conv_ipm(struct conv *c, struct view inside, unsigned depth, struct rope *r);

/* ipm_convert_heading.c. Each takes what was decoded for it alone, and changes it. */
bool conv_wants_heading(const struct conv *c);
void conv_heading(struct conv *c, struct ipm_heading *h);
void conv_message_parameters(struct conv *c, struct ipm_message_parameters *m);
MUST_CHECK bool conv_notification(struct conv *c, struct ipm_ipn *n);

/* ipm_convert_part.c: one body part. */
MUST_CHECK bool conv_part(struct conv *c, const struct ber_tlv *t, unsigned depth, struct rope *r);
/* ipm_convert_text.c: one that is text; and IA5 text that is MIME, opened: *opened_r. */
MUST_CHECK bool conv_text(struct conv *c, const struct ipm_part *p, struct rope *r);
MUST_CHECK bool conv_mime(struct conv *c, const struct ipm_part *p, unsigned depth, bool *opened_r, struct rope *r);
/* Its whole TLV as MIME in IA5 text. */
MUST_CHECK bool conv_encapsulate(struct conv *c, const struct ipm_part *p, struct rope *r);

/* Encoded information types of a part that is there at the end. */
void conv_note_kind(struct conv *c, const struct ipm_part *p);
void conv_note_bit(struct conv *c, unsigned bit);
void conv_note_registration(struct conv *c, unsigned registration);
void conv_note_type(struct conv *c, struct view oid);
struct view conv_eits(struct conv *c);

/* tag { params, data }; params may be empty: then an empty SET. */
void conv_sequence(struct conv *c, struct rope *r, uint32_t tag, struct view params, struct rope *data);
/* [15] { [0] EXTERNAL {id-ep n, params}, EXTERNAL {id-et n, data} } */
void conv_extended(struct conv *c, struct rope *r, uint8_t n, struct view params, struct rope *data);
