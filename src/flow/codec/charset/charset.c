/* charset.c - ISO 2022 strings to UTF-8 and back. */
#include "flow/codec/charset/charset_private.h"

#include "base/cur.h"

enum { ESC = 0x1b, SO = 0x0e, SI = 0x0f, SS2_T61 = 0x19, SS2 = 0x8e, SS3 = 0x8f, CSI = 0x9b };

/* What may be designated. The value of KIT96 and KIT94N sets is kind + index. */
enum set {
	SET_NONE,
	SET_ASCII,      /* also the IRV, and the primary set of T.61, whose 2/3 and 2/4 are read as in ASCII */
	SET_SUPPLEMENT, /* T.61 and ISO 6937 */
	SET_LATIN1,
	SET_UNKNOWN,    /* one octet a character */
	SET_UNKNOWN2,   /* two */
	SET_KIT96 = 0x100,
	SET_KIT94N = 0x200,
};

struct reader {
	const struct charset_kit *kit;
	struct out *o;
	struct cur in;
	struct cur before; /* where the octet at hand was read */
	unsigned g[4];
	unsigned gl, gr;
	unsigned single;   /* 2, 3: the next character comes from there; 0: not */
	uint8_t accent;    /* a T.61 accent waits for its letter; 0: none */
	bool escapes;      /* this string type has them */
	bool is_utf8;      /* ESC 2/5 has switched to UTF-8 */
	bool guess_utf8;   /* the whole string is UTF-8: how octets without a set are read */
	size_t replaced;
};

static bool is_plain_control(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void replace(struct reader *r)
{
	charset_utf8_put(r->o, CHARSET_REPLACEMENT);
	r->replaced++;
}

/* An accent without a letter to stand on. */
static void flush_accent(struct reader *r)
{
	if (r->accent == 0)
		return;
	uint32_t alone = t61_compose(r->accent, ' ');
	charset_utf8_put(r->o, alone != 0 ? alone : t61_mark(r->accent));
	r->accent = 0;
}

static void put(struct reader *r, uint32_t c)
{
	if (c == 0) {
		flush_accent(r);
		replace(r);
		return;
	}
	if (r->accent != 0) {
		uint32_t made = t61_compose(r->accent, c);
		uint8_t accent = r->accent;
		r->accent = 0;
		charset_utf8_put(r->o, made != 0 ? made : c);
		if (made == 0)
			charset_utf8_put(r->o, t61_mark(accent));
		return;
	}
	charset_utf8_put(r->o, c);
}

static void control(struct reader *r, uint8_t octet)
{
	flush_accent(r);
	if (is_plain_control(octet))
		out_u8(r->o, octet);
	else
		replace(r);
}

static unsigned set96_of_final(uint8_t final)
{
	if (final == 'A')
		return SET_LATIN1;
	unsigned i = kit_96_by_final(final);
	return i < KIT_96_COUNT ? SET_KIT96 + i : SET_UNKNOWN;
}

static unsigned set94_of_final(uint8_t final)
{
	switch (final) {
	case 'B': /* 6 */
	case '@': /* 2 */
	case 'u': /* 102, T.61 primary */
		return SET_ASCII;
	case 'v': /* 103, T.61 supplementary */
	case 'l': /* 90, of T.101 */
		return SET_SUPPLEMENT;
	default:
		return SET_UNKNOWN;
	}
}

static unsigned set94n_of_final(uint8_t final)
{
	unsigned i = kit_94n_by_final(final);
	return i < KIT_94N_COUNT ? SET_KIT94N + i : SET_UNKNOWN2;
}

/* ESC I... F with at least one intermediate octet (ISO 2022 13): designations and other coding systems. */
static void designate(struct reader *r, struct view mid, uint8_t final)
{
	uint8_t first = mid.p[0], last = mid.p[mid.n - 1];
	if (first == 0x25) { /* DOCS: 4/7 and 2/15 4/7..4/9 are UTF-8, 4/0 is the way back */
		r->is_utf8 = (mid.n == 1 && final == 0x47) || (mid.n == 2 && last == 0x2f && final >= 0x47 && final <= 0x49);
	} else if (first == 0x24) {
		unsigned g = mid.n > 1 && last >= 0x28 && last <= 0x2b ? last - 0x28u : 0;
		r->g[g] = set94n_of_final(final);
	} else if (mid.n == 1 && first >= 0x28 && first <= 0x2b) {
		r->g[first - 0x28] = set94_of_final(final);
	} else if (mid.n == 1 && first >= 0x2d && first <= 0x2f) {
		r->g[first - 0x2c] = set96_of_final(final);
	} else if (first >= 0x28 && first <= 0x2f) {
		r->g[first & 3] = SET_UNKNOWN;
	} /* else 2/0 announcers, 2/1 and 2/2 control sets: nothing to show changes */
}

/* After ESC. False: no escape sequence stands there, nothing is taken. */
static bool escape(struct reader *r)
{
	struct cur c = r->in;
	const uint8_t *start = c.p;
	size_t n = 0;
	while (cur_peek(&c) >= 0x20 && cur_peek(&c) <= 0x2f && n < 4) {
		(void)cur_u8(&c);
		n++;
	}
	uint8_t final = cur_u8(&c);
	if (c.bad || final < 0x30 || final > 0x7e)
		return false;
	r->in = c;
	if (n > 0) {
		designate(r, view_of(start, n), final);
		return true;
	}
	switch (final) { /* locking shifts (ISO 2022 9.3) */
	case 0x6e: r->gl = 2; break;
	case 0x6f: r->gl = 3; break;
	case 0x7c: r->gr = 3; break;
	case 0x7d: r->gr = 2; break;
	case 0x7e: r->gr = 1; break;
	case 0x4e: r->single = 2; break;
	case 0x4f: r->single = 3; break;
	default: break;
	}
	return true;
}

/* T.61 control sequences set sizes and positions: skipped up to their final octet. */
static void skip_csi(struct reader *r)
{
	for (size_t n = 0; n < 16 && cur_left(&r->in) > 0; n++) {
		uint8_t b = cur_u8(&r->in);
		if (b >= 0x40 && b <= 0x7e)
			return;
	}
}

/* An octet above 127 where no set is designated. */
static void guess(struct reader *r, uint8_t octet)
{
	if (r->guess_utf8) {
		struct view rest = cur_rest(&r->before);
		uint32_t c = charset_utf8_next(&rest);
		if (c != UINT32_MAX) {
			r->in = cur_of(rest);
			r->replaced++;
			put(r, c < 0xa0 ? 0 : c);
			return;
		}
	}
	r->replaced++;
	put(r, octet);
}

static void graphic2(struct reader *r, unsigned set, uint8_t first)
{
	uint8_t second = cur_u8(&r->in) & 0x7f;
	unsigned at = (first - 0x21u) * 94 + (second - 0x21u);
	if (first < 0x21 || second < 0x21 || second > 0x7e || set == SET_UNKNOWN2 || r->kit == NULL)
		put(r, 0);
	else
		put(r, r->kit->set94n[set - SET_KIT94N][at]);
}

/* An octet of GL or GR in the set it stands for. */
static void graphic(struct reader *r, unsigned set, uint8_t octet)
{
	uint8_t low = octet & 0x7f;
	if (set == SET_NONE && octet > 0x7f) {
		guess(r, octet);
	} else if (set >= SET_KIT94N || set == SET_UNKNOWN2) {
		if (low == 0x20)
			put(r, ' ');
		else
			graphic2(r, set, low);
	} else if (set >= SET_KIT96) {
		put(r, r->kit == NULL ? 0 : r->kit->set96[set - SET_KIT96][low - 0x20]);
	} else if (set == SET_LATIN1) {
		put(r, low | 0x80u);
	} else if (set == SET_SUPPLEMENT) {
		uint8_t at = low | 0x80;
		if (t61_is_accent(at)) {
			flush_accent(r);
			r->accent = at;
		} else {
			put(r, low == 0x20 ? ' ' : t61_character(at));
		}
	} else if (set == SET_ASCII) {
		put(r, low == 0x7f ? 0 : low);
	} else {
		put(r, low == 0x20 ? ' ' : 0);
	}
}

static void read_utf8(struct reader *r)
{
	struct view rest = cur_rest(&r->in);
	uint32_t c = charset_utf8_next(&rest);
	r->in = cur_of(rest);
	if (c == ESC && escape(r))
		return;
	put(r, c == UINT32_MAX || (c < 0x20 && !is_plain_control(c)) || (c >= 0x7f && c < 0xa0) ? 0 : c);
}

static void read_one(struct reader *r)
{
	if (r->is_utf8) {
		read_utf8(r);
		return;
	}
	r->before = r->in;
	uint8_t b = cur_u8(&r->in);
	if (r->escapes) {
		if (b == ESC && escape(r))
			return;
		if (b == SO || b == SI) {
			r->gl = b == SO;
			return;
		}
		if (b == SS2_T61 || b == SS2 || b == SS3) {
			r->single = b == SS3 ? 3 : 2;
			return;
		}
		if (b == CSI) {
			skip_csi(r);
			return;
		}
	}
	if (b < 0x20 || b == 0x7f || (b >= 0x80 && b < 0xa0 && !(r->guess_utf8 && r->g[r->gr] == SET_NONE))) {
		control(r, b);
		return;
	}
	unsigned set = r->single != 0 ? r->g[r->single] : r->g[b < 0x80 ? r->gl : r->gr];
	r->single = 0;
	graphic(r, set, b);
}

static unsigned set_of_registration(unsigned registration)
{
	unsigned i;
	if (registration <= CHARSET_REG_ASCII)
		return SET_NONE;
	if (registration == CHARSET_REG_LATIN1)
		return SET_LATIN1;
	if (registration == 103 || registration == 156)
		return SET_SUPPLEMENT;
	if ((i = kit_96_by_registration(registration)) < KIT_96_COUNT)
		return SET_KIT96 + i;
	if ((i = kit_94n_by_registration(registration)) < KIT_94N_COUNT)
		return SET_KIT94N + i;
	return SET_NONE;
}

static size_t from_fixed(struct view in, unsigned width, struct out *o)
{
	struct cur c = cur_of(in);
	size_t replaced = 0;
	while (cur_left(&c) >= width && !o->bad) {
		uint32_t x = width == 2 ? cur_u16(&c) : cur_u32(&c);
		struct cur low = c;
		if (width == 2 && x >= 0xd800 && x < 0xdc00) {
			uint32_t y = cur_u16(&low);
			if (!low.bad && y >= 0xdc00 && y < 0xe000) {
				x = 0x10000 + ((x - 0xd800) << 10) + (y - 0xdc00);
				c = low;
			}
		}
		bool bad = x > 0x10ffff || (x >= 0xd800 && x < 0xe000) || (x < 0x20 && !is_plain_control(x)) ||
			   (x >= 0x7f && x < 0xa0);
		charset_utf8_put(o, bad ? CHARSET_REPLACEMENT : x);
		replaced += bad;
	}
	if (cur_left(&c) > 0) { /* half a character */
		charset_utf8_put(o, CHARSET_REPLACEMENT);
		replaced++;
	}
	return replaced;
}

size_t charset_to_utf8(const struct charset_kit *kit, enum charset from, unsigned registration, struct view in,
		       struct out *o)
{
	if (kit != NULL)
		CHECK(kit, CHARSET_KIT_MAGIC);
	if (from == CHARSET_BMP || from == CHARSET_UNIVERSAL)
		return from_fixed(in, from == CHARSET_BMP ? 2 : 4, o);
	struct reader r = { .kit = kit, .o = o, .in = cur_of(in), .g = { SET_ASCII }, .gr = 1 };
	r.escapes = from == CHARSET_T61 || from == CHARSET_GENERAL;
	r.guess_utf8 = charset_is_utf8(in);
	r.is_utf8 = from == CHARSET_UTF8;
	if (from == CHARSET_T61) /* G2 stands in GR; in G1 too, so that whoever designates G1 needs no shift */
		r.g[1] = r.g[2] = SET_SUPPLEMENT;
	else if (from == CHARSET_GENERAL && registration >= 190 && registration <= 196)
		r.is_utf8 = r.guess_utf8;
	else if (from == CHARSET_GENERAL)
		r.g[1] = set_of_registration(registration);
	while (cur_left(&r.in) > 0 && !o->bad)
		read_one(&r);
	flush_accent(&r);
	return r.replaced;
}

/* --- writing --- */

enum { NOT_THERE = 0 };

static void put_t61(struct out *o, uint32_t c, size_t *replaced)
{
	uint8_t accent, base, octet;
	if ((c < 0x7f && c != '$') || c == '\n' || c == '\r') { /* 2/4 is a currency sign to some readers of T.61 */
		out_u8(o, (uint8_t)c);
	} else if ((octet = t61_octet(c)) != NOT_THERE) {
		out_u8(o, octet);
	} else if (t61_decompose(c, &accent, &base)) {
		out_u8(o, accent);
		out_u8(o, base);
	} else {
		out_u8(o, '?');
		++*replaced;
	}
}

static void put_fixed(struct out *o, enum charset to, uint32_t c)
{
	if (to == CHARSET_UNIVERSAL) {
		out_u32(o, c);
	} else if (c < 0x10000) {
		out_u16(o, (uint16_t)c);
	} else {
		out_u16(o, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)));
		out_u16(o, (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff)));
	}
}

/* The next character that may be written at all; `?` for what is not UTF-8 and for control characters. */
static uint32_t next_for_writing(struct view *v, size_t *replaced)
{
	uint32_t c = charset_utf8_next(v);
	if (c != UINT32_MAX && (c >= 0x20 || is_plain_control(c)) && (c < 0x7f || c >= 0xa0))
		return c;
	++*replaced;
	return '?';
}

size_t charset_from_utf8(enum charset to, struct view utf8, struct out *o)
{
	if (to == CHARSET_GENERAL)
		return charset_general_from_utf8(NULL, CHARSET_REG_LATIN1, utf8, o);
	size_t replaced = 0;
	while (utf8.n > 0 && !o->bad) {
		uint32_t c = next_for_writing(&utf8, &replaced);
		if (to == CHARSET_T61) {
			put_t61(o, c, &replaced);
		} else if (to == CHARSET_BMP || to == CHARSET_UNIVERSAL) {
			put_fixed(o, to, c);
		} else if (to == CHARSET_UTF8) {
			charset_utf8_put(o, c);
		} else {
			out_u8(o, c < 0x80 ? (uint8_t)c : '?');
			replaced += c >= 0x80;
		}
	}
	return replaced;
}

/* The octet above 127 of c in the set with that registration; 0: not in it. */
static uint8_t octet_in(const struct charset_kit *kit, unsigned registration, uint32_t c)
{
	if (registration == CHARSET_REG_LATIN1)
		return c >= 0xa0 && c <= 0xff ? (uint8_t)c : 0;
	unsigned i = kit_96_by_registration(registration);
	return kit == NULL || i == KIT_96_COUNT ? 0 : kit_96_octet(kit, i, c);
}

static bool holds_all(const struct charset_kit *kit, unsigned registration, struct view utf8)
{
	size_t replaced = 0;
	while (utf8.n > 0) {
		uint32_t c = next_for_writing(&utf8, &replaced);
		if (c >= 0x80 && (registration == CHARSET_REG_ASCII || octet_in(kit, registration, c) == 0))
			return false;
	}
	return true;
}

unsigned charset_choose(const struct charset_kit *kit, struct view utf8)
{
	if (holds_all(kit, CHARSET_REG_ASCII, utf8))
		return CHARSET_REG_ASCII;
	if (holds_all(kit, CHARSET_REG_LATIN1, utf8))
		return CHARSET_REG_LATIN1;
	for (unsigned i = 0; kit != NULL && i < KIT_96_COUNT; i++)
		if (holds_all(kit, kit_96_registration(i), utf8))
			return kit_96_registration(i);
	return CHARSET_REG_UTF8;
}

size_t charset_octets_from_utf8(const struct charset_kit *kit, unsigned registration, struct view utf8, struct out *o)
{
	size_t replaced = 0;
	while (utf8.n > 0 && !o->bad) {
		uint32_t c = next_for_writing(&utf8, &replaced);
		uint8_t high = c < 0x80 || registration == CHARSET_REG_UTF8 ? 0 : octet_in(kit, registration, c);
		if (registration == CHARSET_REG_UTF8) {
			charset_utf8_put(o, c);
		} else if (c >= 0x80 && high == 0) {
			out_u8(o, '?');
			replaced++;
		} else {
			out_u8(o, high != 0 ? high : (uint8_t)c);
		}
	}
	return replaced;
}

size_t charset_general_from_utf8(const struct charset_kit *kit, unsigned registration, struct view utf8, struct out *o)
{
	unsigned i = kit_96_by_registration(registration);
	uint8_t final = registration == CHARSET_REG_LATIN1 ? 'A' : i < KIT_96_COUNT ? kit_96_final(i) : 0;
	if (registration == CHARSET_REG_UTF8)
		out_bytes(o, VIEW("\x1b\x25\x2f\x49"));
	else if (final != 0) /* G0 too: some readers know no default of it */
		out_bytes(o, view_of((uint8_t[]){ ESC, 0x28, 0x42, ESC, 0x2d, final }, 6));
	return charset_octets_from_utf8(kit, registration, utf8, o);
}

/* --- names of MIME --- */

static const struct {
	unsigned registration;
	const char *name;
} mime_names[] = {
	{ CHARSET_REG_ASCII, "US-ASCII" },
	{ CHARSET_REG_LATIN1, "ISO-8859-1" },
	{ CHARSET_REG_UTF8, "UTF-8" },
#define X96(registration, final, name) { registration, name },
#define X94N(registration, final, name)
#include "flow/codec/charset/charset_table.h"
#undef X96
#undef X94N
};

const char *charset_mime_name(unsigned registration)
{
	for (size_t i = 0; i < ARRAY_LEN(mime_names); i++)
		if (mime_names[i].registration == registration)
			return mime_names[i].name;
	return NULL;
}

unsigned charset_of_mime_name(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(mime_names); i++)
		if (view_eq_nocase(view_str(mime_names[i].name), name))
			return mime_names[i].registration;
	return CHARSET_REG_NONE;
}
