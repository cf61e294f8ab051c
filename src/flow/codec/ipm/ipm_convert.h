/* ipm_convert.h - an interpersonal message for a peer of another age: P22 of 1988 as P2 of 1984 and back, texts in another body part,
 * lines wrapped. Octets in, octets out; the same input gives the same octets, so that a transfer can be resumed.
 *
 * What is done, in this order, down to forwarded messages at any depth:
 *
 * 1. Age. to_84 (RFC 1328 5): heading, recipient and notification extensions go (an extended-subject becomes the subject when there is
 *    none); O/R names get the form of 1984 (flow/message/downgrade.h); a directory name is said in parentheses behind the free-form name; the
 *    delivery envelope of a forwarded message loses what 1984 has not. Fields as such do not count as conversion or as loss: they are
 *    no encoded information types. from_84 is the way back: O/R names, and IA5 texts that are MIME (RFC 1496) become the
 *    parts they stand for: general text, the body part itself, a file.
 * 2. Body parts. to_84 and no_part_15: an externally defined part [15] becomes
 *      the older part of the same name (ia5-text, g3, g4, teletex, videotex, encrypted, message, mixed-mode, bilateral, national)
 *      general text: ia5-text, when all of it is IA5; else the form that `text` says; else MIME in ia5-text (RFC 1496 3.2)
 *      a file: bilaterally-defined [14], its name is lost; with no_loss as the following
 *      anything else, and what does not decode: MIME in ia5-text, application/x400-bp
 * 3. Text. `text` is the part that every text comes in, whatever it was; characters it has not become `?`.
 * 4. Wrap: see ipm_wrap.h.
 *
 * Everything else is carried octet for octet, and so is the whole content when nothing changes. no_free_form: a free-form name goes
 * where there is a formal one. */
#pragma once
#include "flow/codec/ipm/ipm.h"
#include "flow/message/message.h"

enum ipm_text { IPM_TEXT_AS_IS, IPM_TEXT_IA5, IPM_TEXT_TELETEX, IPM_TEXT_GENERAL };

struct ipm_convert {
	bool to_84, from_84;            /* at most one */
	bool no_part_15;
	bool no_free_form;
	enum ipm_text text;
	bool no_loss;                   /* conversion-with-loss-prohibited */
	bool prohibited;                /* conversion-prohibited: steps 2 and 3 must not be needed, 4 is left out */
	const struct gdi *relay;        /* our domain, where X400-88 stands; NULL: the address's own */
	size_t column;                  /* most columns in a line; 0: not wrapped */
	struct ber_limits limits;       /* for taking the content apart */
	const struct charset_kit *kit;  /* may be NULL, see charset.h */
	bool (*out_of_time)(void *ctx); /* asked between pieces of work; NULL: never */
	void *ctx;
};

struct ipm_converted {
	bool changed;                   /* the converted content was appended; false: it needs no change, nothing was */
	bool wrapped;                   /* lines were */
	bool parts;                     /* body parts were: eits says what they are now */
	bool is_notification;
	int64_t content_type;           /* 2 or 22, of what is to be sent */
	struct view eits;               /* the TLV of EncodedInformationTypes (X.411 8.5.6), in the arena; empty when !parts */
};

/* content: a P2 (2) or P22 (22). Fails (ERR_PERM, message, reason conversion-not-performed 2) and appends nothing, diagnostic
 *  9 implicit-conversion-prohibited: prohibited, and a part has to become another
 *  19 conversion-with-loss-prohibited: no_loss, and a text has characters that its new form has not
 *  15 content-type-not-supported: an other-notification, which 1984 has not
 *  12 content-syntax-error, 8 conversion-impractical: as ipm_wrap. */
MUST_CHECK bool ipm_convert(struct view content, int64_t content_type, const struct ipm_convert *how, struct arena *a, struct out *o,
			    struct ipm_converted *done_r, struct err *e);
