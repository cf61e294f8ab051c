/* render.h - a message's content as a person reads it: heading fields and body parts as UTF-8, for `posthorn read`
 * and previews. Pure: octets in, packed octets out; hostile content is an error of that item only.
 *
 * Packed form (all numbers big-endian; text is valid UTF-8):
 *     octet   version, RENDER_VERSION
 *     octet   enum render_kind
 *     2       number of heading fields, each a field
 *     2       number of parts, each:
 *         octet   depth: 1 for a part of this message, 2 for one inside a forwarded message ...
 *         octet   flags, RENDER_...
 *         8       size of the part's octets (before conversion)
 *         string  kind ("ia5-text", "file-transfer", ...)
 *         string  name of a file, else empty
 *         2       number of fields, each a field
 *         string  text; or the first octets as hexadecimal lines when RENDER_TEXT is not set
 *     field  = string label, string value
 *
 * Labels are lower case with hyphens. A message: message-id, from, authorized-by, to, cc, bcc, asked-of (what a
 * recipient is to send back), reply-to, in-reply-to, obsoletes, related-to, subject, expires, reply-by, importance,
 * sensitivity, auto-forwarded, and the standard's name of each heading extension, military ones too (STANAG 4406). A part of IA5 text that is
 * MIME (RFC 1496) has mime-type, and mime-charset when what it stands for is shown. A report: report-id, subject-message,
 * to, delivered, not-delivered (one a recipient), intended.
 *
 *     string = 4 octets of length, then the octets */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

enum { RENDER_VERSION = 1 };

enum render_kind {
	RENDER_IPM,          /* an interpersonal message */
	RENDER_NOTIFICATION, /* a receipt, non-receipt or other notification */
	RENDER_UNKNOWN,      /* another content type: one part, its octets */
	RENDER_BROKEN,       /* type 2 or 22 that does not decode: the fields say why, one part, its octets */
	RENDER_REPORT,       /* a delivery or non-delivery report; the returned content, if any, is its one part */
};

enum render_flags {
	RENDER_TEXT = 1,      /* the string is the part's text, else a hexadecimal summary */
	RENDER_TRUNCATED = 2, /* text_max or hex_max cut it */
	RENDER_REPLACED = 4,  /* characters could not be read and were replaced or guessed */
	RENDER_MESSAGE = 8,   /* a forwarded message: its heading is in the fields, its parts follow, one deeper */
};

struct charset_kit;

struct render_limits {
	size_t arena;     /* octets of memory for decoding */
	size_t out;       /* octets of the packed result */
	size_t text_max;  /* octets of text kept per part */
	size_t hex_max;   /* octets shown per part that is not text */
	size_t parts;     /* parts over all levels; more are named in a field, not shown */
	unsigned depth;   /* forwarded messages in one another; deeper ones are shown as octets */
	size_t elements;  /* BER elements in one content */
	/* Asked between parts and pieces of work; true ends the item with an error. NULL: never. */
	bool (*out_of_time)(void *ctx);
	void *ctx;
};

/* Sane values for every number; no clock. */
struct render_limits render_limits_default(void);

/* content_type: the built-in number; -1: `oid` (content octets) says which. A content that does not decode is rendered as
 * RENDER_BROKEN, with what could be read. kit: see charset.h, may be NULL.
 * Fails (ERR_PERM, message; *o is as it was) when the item passes a limit of memory, output or time. */
MUST_CHECK bool content_render(int64_t content_type, struct view oid, struct view content,
			       const struct render_limits *limits, const struct charset_kit *kit, struct out *o, struct err *e);

/* The same for a message with its envelope: a report is shown from its envelope, a message has `mts-id`, `priority` and
 * `submitted` before the heading's fields. content: beside m, as always. */
struct message;
MUST_CHECK bool content_render_message(const struct message *m, struct view content, const struct render_limits *limits,
				       const struct charset_kit *kit, struct out *o, struct err *e);

/* Octets that nobody has decoded, as a peer has sent them: kind RENDER_UNKNOWN, a part `octets` with the first of them as hexadecimal lines,
 * and a part `structure` whose text is what of them can be read as BER, tag by tag, up to where it breaks. */
MUST_CHECK bool content_render_octets(struct view octets, const struct render_limits *limits, struct out *o, struct err *e);

/* Appends the octets of one part: index counts from 1 over the parts as content_render lists them. A text part gives its
 * octets as they came, a forwarded message its BER. Fails (ERR_PERM, message) when there is no such part. */
MUST_CHECK bool content_extract(int64_t content_type, struct view oid, struct view content, size_t index,
				const struct render_limits *limits, struct out *o, struct err *e);

/* --- the other end --- */

struct render_field {
	struct view label, value;
};

struct render_part {
	unsigned depth, flags;
	uint64_t size;
	struct view kind, name, text;
	struct render_field *fields;
	size_t n_fields;
};

struct render {
	enum render_kind kind;
	struct render_field *fields;
	size_t n_fields;
	struct render_part *parts;
	size_t n_parts;
};

/* Views point into `in`, arrays lie in the arena. Trusts nothing. Fails with ERR_LOCAL, process. */
MUST_CHECK bool render_unpack(struct view in, struct render *r, struct arena *a, struct err *e);

/* The result as a page of text, or as one JSON object. */
void render_print(const struct render *r, struct out *o);
void render_print_json(const struct render *r, struct out *o);

const char *render_kind_name(enum render_kind kind);
