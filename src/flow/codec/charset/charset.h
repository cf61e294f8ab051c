/* charset.h - the strings of X.400 content to UTF-8 and back (X.690 8.23, ISO/IEC 2022, T.61).
 * Nothing here is an error: what cannot be read becomes U+FFFD, what cannot be written becomes `?`, and both are
 * counted, so that the caller can say so once. Output stops only when the struct out is full.
 *
 * What is known without a kit: IA5, T.61 (with the accents of ISO 6937), Latin-1, UTF-8, BMP and UCS-4. The kit adds the
 * other parts of ISO 8859 and the two-octet sets GB 2312, JIS X 0208 and KS X 1001, taken from iconv when it
 * is made; later it opens no file, so it is made before a jail closes. */
#pragma once
#include "base/out.h"

enum charset {
	CHARSET_IA5,       /* IA5String, VisibleString, PrintableString, NumericString; no escapes (X.690 8.23.5.4) */
	CHARSET_T61,       /* TeletexString: T.61 in G0 and G2, escapes */
	CHARSET_GENERAL,   /* GeneralString, GraphicString: registration 6 in G0, escapes */
	CHARSET_UTF8,
	CHARSET_BMP,       /* BMPString: two octets a character, big-endian (surrogate pairs are joined) */
	CHARSET_UNIVERSAL, /* UniversalString: four octets a character */
};

/* Registrations of the ISO register that X.400 names as a number (CharacterSetRegistration). */
enum {
	CHARSET_REG_NONE = 0,
	CHARSET_REG_C0 = 1,
	CHARSET_REG_ASCII = 6,
	CHARSET_REG_LATIN1 = 100,
	CHARSET_REG_UTF8 = 192, /* UTF-8, level 3 */
};

struct charset_kit;

/* Never fails: a set that this system's iconv lacks stays unknown. */
struct charset_kit *charset_kit_new(void);
void charset_kit_free(struct charset_kit **kit);

/* Appends `in` as UTF-8; returns how many characters were replaced or guessed. Octets above 127 where no set is
 * designated for them are guessed: UTF-8 when the whole string is, else Latin-1.
 * kit: NULL for the built-in sets only. registration: GENERAL only, the set that stands in G1 from the start
 * (CHARSET_REG_NONE: none), as the parameters of a general text part announce it.
 * Control characters other than tab, line feed, carriage return and form feed become U+FFFD. */
size_t charset_to_utf8(const struct charset_kit *kit, enum charset from, unsigned registration, struct view in,
		       struct out *o);

/* Appends UTF-8 text in another set; returns how many characters became `?`. Bad UTF-8 counts as such.
 * GENERAL writes Latin-1 (see charset_general_from_utf8). */
size_t charset_from_utf8(enum charset to, struct view utf8, struct out *o);

/* The smallest registration that holds all of the text: 6, 100, another part of ISO 8859 (with a kit), or 192. */
unsigned charset_choose(const struct charset_kit *kit, struct view utf8);

/* Appends a GeneralString: the escapes that designate 6 into G0 and `registration` into G1 (none at all for 6; for UTF-8 the one
 * that switches to it), then the text in eight bits. Returns how many characters became `?`. registration: one that
 * charset_choose gives. */
size_t charset_general_from_utf8(const struct charset_kit *kit, unsigned registration, struct view utf8, struct out *o);

/* The same text without any escape: the octets that a charset of MIME has. */
size_t charset_octets_from_utf8(const struct charset_kit *kit, unsigned registration, struct view utf8, struct out *o);

/* "ISO-8859-1" for 100; NULL: MIME has no name for it that is known here. The other way in any case; CHARSET_REG_NONE: not known. */
const char *charset_mime_name(unsigned registration);
unsigned charset_of_mime_name(struct view name);

/* --- code pages: texts without any escape, as Microsoft's programs write them, by number (charset_page_table.h) --- */

enum { CHARSET_PAGE_UTF8 = 65001 };

/* Takes them from iconv into the kit, once; not part of charset_kit_new, for only the converter wants them. Never fails. */
void charset_kit_load_pages(struct charset_kit *kit);
bool charset_page_known(const struct charset_kit *kit, unsigned page); /* kit NULL: 65001 only */

/* Appends `in` as UTF-8; returns how many characters became `?`: octets that have no character there, and control characters but tab, line
 * feed, carriage return and form feed. NUL is left out. A page that is not known: UTF-8 when all of it is, else Latin-1. */
size_t charset_page_to_utf8(const struct charset_kit *kit, unsigned page, struct view in, struct out *o);
/* Appends UTF-8 text in that page (not known: ASCII); returns how many characters became `?`. A quotation mark, dash or blank that the page
 * has not is the plain one. NUL is left out. */
size_t charset_page_from_utf8(const struct charset_kit *kit, unsigned page, struct view utf8, struct out *o);

/* --- text as it is, for who cuts it between characters --- */

/* Is a character of this set (a registration) one octet that stands for itself, or UTF-8? So are ASCII and the parts of ISO 8859;
 * T.61, ISO 6937 and the sets of two octets are not, nor is one that nobody here knows. */
bool charset_is_octet_set(unsigned registration);

enum charset_unit {
	CHARSET_UNIT_END,
	CHARSET_UNIT_CHARACTER, /* control characters too, but those of a line end */
	CHARSET_UNIT_LINE_END,  /* CR LF, CR or LF */
	CHARSET_UNIT_ESCAPE,    /* designates a set or another coding: not a character */
	CHARSET_UNIT_OTHER,     /* from here on it is not known where characters end: all the rest */
};

struct charset_walk {
	struct view rest;
	bool utf8;
};

/* from: IA5 or GENERAL; both may hold escapes, as what peers send does. registration: one of charset_is_octet_set, as announced
 * beside the text; with none or UTF-8, text that is UTF-8 is taken as such. */
struct charset_walk charset_walk_of(enum charset from, unsigned registration, struct view text);

/* Takes one unit; its octets, of the text itself. */
enum charset_unit charset_walk_next(struct charset_walk *w, struct view *octets_r);

/* --- UTF-8 itself --- */

/* Takes one character from the front of *v (which must not be empty); UINT32_MAX and one octet for what is not UTF-8
 * (RFC 3629: no overlong forms, no surrogates). */
uint32_t charset_utf8_next(struct view *v);
void charset_utf8_put(struct out *o, uint32_t c);
bool charset_is_utf8(struct view v);
size_t charset_utf8_length(struct view v); /* characters */
