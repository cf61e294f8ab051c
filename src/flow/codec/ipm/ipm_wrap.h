/* ipm_wrap.h - the text of an interpersonal message in lines of at most so many columns: what the X.400 Connector called
 * "message text word-wrap".
 *
 * Wrapped are the text parts: ia5-text (basic or extended) and general-text whose sets are ASCII, parts of ISO 8859 or UTF-8;
 * also those of forwarded messages, at any depth. Everything else is carried octet for octet, and so is the whole content
 * when no line is too long: other body parts, headings with whatever is in them, unknown elements, the form of every
 * length. A definite length is written again only where something inside has become longer or shorter, with as many octets
 * as it had if they do; a text in pieces becomes one piece when it is changed.
 *
 * Left as they are: teletex and videotex (pages of their own lay-out), IA5 text that is MIME (ipm_mime.h: lines of its own), file transfer parts (files), notifications with the
 * message they return, parts {id-et 17} (a content as octets, often signed), general texts that shift or use sets of more than
 * one octet a character, and EXTERNALs in any form but single-ASN1-type.
 *
 * The rule, for each line (ended by CR LF, CR, LF or the end of the text; line ends are kept as they are):
 *  - columns count characters: an octet, a UTF-8 sequence, a tab, a NUL; escape sequences that designate a set take none
 *  - a line of at most `column` columns is not touched, so wrapping twice is wrapping once
 *  - else it is broken at the last blank (space or tab) that lets the line fit: that blank becomes CR LF; what follows of
 *    its run of blanks beyond the column goes
 *  - a word longer than a line is cut; one that only does not fit behind the line's indentation takes from the indentation
 *  - blanks at a line's end beyond the column go; they never make another line
 */
#pragma once
#include "base/arena.h"
#include "base/out.h"
#include "flow/codec/ber/ber.h"
#include "flow/codec/charset/charset.h"

struct ipm_wrap {
	size_t column;                  /* most columns in a line; 0: nothing is done */
	struct ber_limits limits;       /* for taking the content apart */
	bool (*out_of_time)(void *ctx); /* asked between pieces of work, of at most IPM_WRAP_PIECE characters; NULL: never */
	void *ctx;
};
enum { IPM_WRAP_PIECE = 65536 };

/* content: a P2 or P22. *changed_r: the wrapped content was appended to *o; false: it needs no change, nothing was. Linear in time,
 * whatever the lines; memory: the result, and from the arena some 100 octets a changed part, the content's heading taken apart, and
 * texts that came in pieces.
 * Fails (ERR_PERM, message, reason conversion-not-performed) and appends nothing:
 *  - diagnostic content-syntax-error: not an InformationObject, or a text or message part that is broken
 *  - diagnostic conversion-impractical: over a limit, the arena's quota, what *o takes, or out of time */
MUST_CHECK bool ipm_wrap(struct view content, const struct ipm_wrap *how, struct arena *a, struct out *o, bool *changed_r,
			 struct err *e);

enum ipm_wrapped { IPM_WRAP_SAME, IPM_WRAP_CHANGED, IPM_WRAP_LEFT /* not known where characters end */ };

/* One text. from: IA5 or GENERAL; registration as in charset_walk_of. *n_r: octets of the result, whatever it is; with `o` (may be
 * NULL) appended to it when *w_r is IPM_WRAP_CHANGED, up to its limit. Fails when out of time only. how->limits is not used. */
MUST_CHECK bool ipm_wrap_text(struct view text, enum charset from, unsigned registration, const struct ipm_wrap *how,
			      struct out *o, size_t *n_r, enum ipm_wrapped *w_r, struct err *e);
