/* text.h - octets as a person reads them. */
#pragma once
#include "base/out.h"

/* Appends v with everything but printable ASCII as \xNN, `"` and `\` escaped, so that peer
 * bytes can stand in any log line. Cuts after max octets of v and says how many are missing. */
void text_escape(struct out *o, struct view v, size_t max);

/* The same into a caller's buffer, always NUL-terminated; returns buf, for use in a printf. */
const char *text_escaped(char *buf, size_t size, struct view v);

/* Octets of the UTF-8 character at the front of v, and it; 0 when there is none (RFC 3629, 4). */
size_t text_utf8(struct view v, uint32_t *c_r);

/* A character that a terminal obeys, or that changes how those around it are read, instead of being seen: C0 and C1 controls, separators of lines,
 * marks, embeddings, overrides and isolates of direction, widths of zero (but the joiners, without which some scripts cannot be written), tags. */
bool text_is_hidden(uint32_t c);

/* Appends v for a person's eyes, in any language: all that is seen stays as it is, the rest stands as \xNN (C0 and octets that are no UTF-8)
 * or \uNNNN. lines: tabs and ends of lines stay, too. What programs print to a terminal and have not made themselves goes through here. */
void text_show(struct out *o, struct view v, bool lines);

/* Lower-case hexadecimal, no separators. */
void text_hex(struct out *o, struct view v);

/* Hexadecimal digits (spaces and line ends skipped) to octets. False: *o is as it was. */
MUST_CHECK bool text_unhex(struct out *o, struct view hex);

/* Levenshtein distance, for "did you mean"; at most 64 octets of each are looked at. */
size_t text_distance(const char *a, const char *b);

/* An unsigned decimal number that fills all of v and is at most max. */
MUST_CHECK bool text_uint(struct view v, uint64_t max, uint64_t *x_r);
