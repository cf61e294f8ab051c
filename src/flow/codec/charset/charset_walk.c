/* charset_walk.c - strings of X.400 content gone through character by character, as they are: for who cuts them. */
#include "flow/codec/charset/charset_private.h"

enum { ESC = 0x1b, SO = 0x0e, SI = 0x0f, SS2 = 0x8e, SS3 = 0x8f, ESCAPE_MAX = 4 };

static bool is_utf8_registration(unsigned registration)
{
	return registration >= 190 && registration <= 196;
}

bool charset_is_octet_set(unsigned registration)
{
	return registration <= CHARSET_REG_ASCII || registration == CHARSET_REG_LATIN1 || is_utf8_registration(registration) ||
	       kit_96_by_registration(registration) < KIT_96_COUNT;
}

struct charset_walk charset_walk_of(enum charset from, unsigned registration, struct view text)
{
	const bool may_be_utf8 = registration <= CHARSET_REG_ASCII || is_utf8_registration(registration);
	assert(from == CHARSET_IA5 || from == CHARSET_GENERAL);
	return (struct charset_walk){ .rest = text, .utf8 = may_be_utf8 && charset_is_utf8(text) };
}

/* What an escape sequence of these intermediate octets and this final one leaves of "an octet is a character". */
static bool stays_simple(struct charset_walk *w, struct view mid, uint8_t final)
{
	const uint8_t first = mid.p[0], last = mid.p[mid.n - 1];
	if (first == 0x25) { /* DOCS, as in charset.c: UTF-8, or the way back */
		w->utf8 = (mid.n == 1 && final == 0x47) || (mid.n == 2 && last == 0x2f && final >= 0x47 && final <= 0x49);
		return w->utf8 || (mid.n == 1 && final == 0x40);
	}
	if (first >= 0x20 && first <= 0x22) /* announcers, control sets */
		return true;
	if (mid.n == 1 && first >= 0x28 && first <= 0x2b) /* all but the supplementary sets, whose accents precede their letter */
		return final != 'v' && final != 'l';
	if (mid.n == 1 && first >= 0x2d && first <= 0x2f)
		return final == 'A' || kit_96_by_final(final) < KIT_96_COUNT;
	return false; /* two octets a character, or nobody knows */
}

static enum charset_unit take(struct charset_walk *w, size_t n, enum charset_unit unit, struct view *octets_r)
{
	*octets_r = view_first(w->rest, n);
	w->rest = view_from(w->rest, n);
	return unit;
}

static enum charset_unit take_escape(struct charset_walk *w, struct view *octets_r)
{
	const struct view in = w->rest;
	size_t n = 1;
	while (n < in.n && n <= ESCAPE_MAX && in.p[n] >= 0x20 && in.p[n] <= 0x2f)
		n++;
	if (n == 1 || n >= in.n || in.p[n] < 0x30 || in.p[n] > 0x7e ||
	    !stays_simple(w, view_of(in.p + 1, n - 1), in.p[n]))
		return take(w, in.n, CHARSET_UNIT_OTHER, octets_r);
	return take(w, n + 1, CHARSET_UNIT_ESCAPE, octets_r);
}

enum charset_unit charset_walk_next(struct charset_walk *w, struct view *octets_r)
{
	const struct view in = w->rest;
	if (in.n == 0)
		return take(w, 0, CHARSET_UNIT_END, octets_r);
	const uint8_t b = in.p[0];
	if (b >= 0x20 && b < 0x80)
		return take(w, 1, CHARSET_UNIT_CHARACTER, octets_r);
	if (b == '\n' || b == '\r')
		return take(w, b == '\r' && in.n > 1 && in.p[1] == '\n' ? 2 : 1, CHARSET_UNIT_LINE_END, octets_r);
	if (b == ESC)
		return take_escape(w, octets_r);
	if (b == SO || b == SI)
		return take(w, in.n, CHARSET_UNIT_OTHER, octets_r);
	if (w->utf8) {
		struct view next = in;
		(void)charset_utf8_next(&next);
		return take(w, in.n - next.n, CHARSET_UNIT_CHARACTER, octets_r);
	}
	const bool single_shift = (b == SS2 || b == SS3) && in.n > 1 && (in.p[1] & 0x7f) > 0x20 && in.p[1] != 0x7f;
	return take(w, single_shift ? 2 : 1, CHARSET_UNIT_CHARACTER, octets_r);
}
