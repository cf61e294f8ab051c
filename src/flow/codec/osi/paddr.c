/* paddr.c - see paddr.h. A network address is put together as digits: AFI, IDI padded to its length, DSP; in octets that are two digits
 * each, `F` behind an odd number. The DSP of a binary AFI is octets behind that. */
#include "flow/codec/osi/paddr.h"

#include "base/text.h"

enum { DIGITS_MAX = 2 * PADDR_NSAP_MAX, IDI_MAX = 15, SELECTORS = 3, PADDED = 0x0f };

/* X.213 table A.2. The second pair: an IDI that begins with a zero, padded with ones. */
static const struct format {
	const char *name;
	uint8_t decimal, binary, zero_decimal, zero_binary;
	uint8_t idi; /* digits */
} formats[] = {
	{ "X121", 36, 37, 52, 53, 14 }, { "DCC", 38, 39, 0, 0, 3 },    { "TELEX", 40, 41, 54, 55, 8 },
	{ "PSTN", 42, 43, 56, 57, 12 }, { "ISDN", 44, 45, 58, 59, 15 }, { "ICD", 46, 47, 0, 0, 4 },
	{ "LOCAL", 48, 49, 0, 0, 0 },
};
enum { LOCAL_TEXT = 50 /* characters of ISO 646, two digits each */ };

/* RFC 1278 6; the Telex number of the scheme, RFC 1277 A. */
#define INTERIM "00728722"
static const struct macro {
	const char *name, *value;
} macros[] = {
	{ "Int-X25(80)", "TELEX+" INTERIM "+X.25(80)+01+" },
	{ "Janet-X25(80)", "TELEX+" INTERIM "+X.25(80)+02+" },
	{ "Internet-RFC-1006", "TELEX+" INTERIM "+RFC-1006+03+" },
	{ "IXI", "TELEX+" INTERIM "+RFC-1006+06+" },
};
enum { PREFIX_X25 = 1, PREFIX_JANET = 2, PREFIX_INTERNET = 3, PREFIX_IXI = 6 };

struct parsing {
	struct view text; /* one network address */
	struct arena *a;
	struct err *e;
};

static bool fail(const struct parsing *p, const char *wanted)
{
	char text[100];
	return err_set(p->e, ERR_PERM, ERR_OF_PROCESS, "presentation address: \"%s\": want %s", text_escaped(text, sizeof text, p->text), wanted);
}

/* The parts of v between marks: one more than there are marks, or max + 1 when there are too many. */
static size_t cut(struct view v, uint8_t mark, struct view *part, size_t max)
{
	size_t n = 0, begin = 0;
	for (size_t i = 0; i <= v.n; i++) {
		if (i < v.n && v.p[i] != mark)
			continue;
		if (n == max)
			return max + 1;
		part[n++] = (struct view){ v.p + begin, i - begin };
		begin = i + 1;
	}
	return n;
}

static bool all_digits(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return v.n > 0;
}

/* RFC 1278 <other>. */
static bool all_other(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t c = v.p[i], low = c | 0x20;
		if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'z') && c != '+' && c != '-' && c != '.')
			return false;
	}
	return v.n > 0;
}

static bool unhex(struct view hex, struct out *o)
{
	return hex.n > 0 && hex.n % 2 == 0 && memchr(hex.p, ' ', hex.n) == NULL && text_unhex(o, hex);
}

/* <dothexstring>: octets in hexadecimal, or in decimal with dots between. */
static bool dot_hex(struct view v, struct out *o)
{
	struct view part[PADDR_NSAP_MAX];
	if (v.n == 0 || memchr(v.p, '.', v.n) == NULL)
		return unhex(v, o);
	const size_t n = cut(v, '.', part, ARRAY_LEN(part));
	for (size_t i = 0; i < n; i++) {
		uint64_t x;
		if (n > ARRAY_LEN(part) || part[i].n > 3 || !text_uint(part[i], 255, &x))
			return false;
		out_u8(o, (uint8_t)x);
	}
	return true;
}

/* --- a network address --- */

struct nsap {
	const struct format *format;
	uint8_t afi;
	bool binary;
	char digits[DIGITS_MAX + 1]; /* AFI, IDI, decimal DSP */
	size_t n;
	bool bad;                    /* too long */
	struct out dsp;              /* binary */
};

static void put_digits(struct nsap *s, struct view digits)
{
	if (s->n + digits.n > DIGITS_MAX) {
		s->bad = true;
		return;
	}
	if (digits.n > 0)
		memcpy(s->digits + s->n, digits.p, digits.n);
	s->n += digits.n;
}

static void put_number(struct nsap *s, uint64_t x, int width)
{
	char text[32];
	snprintf(text, sizeof text, "%0*llu", width, (unsigned long long)x);
	put_digits(s, view_str(text));
}

/* AFI and padded IDI; the AFI's syntax is that of the DSP. */
static bool put_idp(const struct parsing *p, struct nsap *s, struct view idi, bool binary)
{
	const struct format *f = s->format;
	const bool zero = idi.n > 0 && idi.p[0] == '0' && f->zero_decimal != 0;
	if ((idi.n > 0 && !all_digits(idi)) || idi.n > f->idi || (idi.n == 0) != (f->idi == 0))
		return fail(p, f->idi == 0 ? "no IDI" : "an IDI of digits, no more than its AFI has");
	s->binary = binary;
	s->afi = zero ? (binary ? f->zero_binary : f->zero_decimal) : (binary ? f->binary : f->decimal);
	s->n = 0;
	put_number(s, s->afi, 2);
	for (size_t i = idi.n; i < f->idi; i++)
		put_digits(s, zero ? VIEW("1") : VIEW("0"));
	put_digits(s, idi);
	return true;
}

/* part: what stands behind the name of the form. */
static bool put_rfc1006(const struct parsing *p, struct nsap *s, const struct view *part, size_t n)
{
	struct out octets;
	uint64_t x;
	out_init(&octets, 16);
	const bool good = n >= 2 && n <= 4 && part[0].n == 2 && all_digits(part[0]) && part[1].n > 0 &&
			  memchr(part[1].p, '.', part[1].n) != NULL && dot_hex(part[1], &octets) && out_len(&octets) == 4;
	if (good)
		put_digits(s, part[0]);
	for (size_t i = 0; i < 4 && good; i++)
		put_number(s, out_view(&octets).p[i], 3);
	out_fini(&octets);
	if (!good)
		return fail(p, "RFC-1006+03+10.0.0.6[+port[+tset]], prefix of two digits, address of four numbers");
	for (size_t i = 2; i < n; i++) {
		if (!text_uint(part[i], 65535, &x))
			return fail(p, "port and transport set of 0 to 65535");
		put_number(s, x, 5);
	}
	return true;
}

/* RFC 1277 4.4: 0 DTE; or 1 (PID) or 2 (CUDF), number of octets, each in three digits, DTE. */
static bool put_x25(const struct parsing *p, struct nsap *s, const struct view *part, size_t n)
{
	if ((n != 2 && n != 4) || part[0].n != 2 || !all_digits(part[0]) || !all_digits(part[1]))
		return fail(p, "X.25(80)+02+dte[+CUDF|PID+hex], prefix of two digits");
	put_digits(s, part[0]);
	if (n == 2) {
		put_digits(s, VIEW("0"));
		put_digits(s, part[1]);
		return true;
	}
	const bool cudf = view_eq(part[2], VIEW("CUDF"));
	struct view hex = part[3];
	struct out octets;
	out_init(&octets, 64);
	if (hex.n >= 2 && hex.p[0] == '"' && hex.p[hex.n - 1] == '"') /* as an example of RFC 1278 has it */
		hex = view_first(view_from(hex, 1), hex.n - 2);
	const bool good = (cudf || view_eq(part[2], VIEW("PID"))) && unhex(hex, &octets) && out_len(&octets) <= 9;
	if (good) {
		put_number(s, cudf ? 2 : 1, 1);
		put_number(s, out_len(&octets), 1);
	}
	for (size_t i = 0; i < out_len(&octets) && good; i++)
		put_number(s, out_view(&octets).p[i], 3);
	out_fini(&octets);
	put_digits(s, part[1]);
	return good || fail(p, "CUDF+hex or PID+hex behind the DTE, at most nine octets");
}

static bool put_text(const struct parsing *p, struct nsap *s, struct view text)
{
	if (s->format->idi != 0 || !all_other(text))
		return fail(p, "text only in LOCAL++ltext, letters, digits, + - .");
	s->n = 0;
	put_number(s, LOCAL_TEXT, 2);
	for (size_t i = 0; i < text.n; i++)
		put_number(s, text.p[i] - 32u, 2);
	return true;
}

static bool put_ecma(const struct parsing *p, struct nsap *s, const struct view *part, size_t n, bool binary)
{
	for (size_t i = 0; i < n; i++) {
		if (n != 3 || (binary ? !unhex(part[i], &s->dsp) : !all_digits(part[i])))
			return fail(p, "three parts behind ECMA-117");
		if (!binary)
			put_digits(s, part[i]);
	}
	return n == 3 || fail(p, "three parts behind ECMA-117");
}

/* part[0] begins the DSP. `idi` again: a binary one has another AFI. */
static bool put_dsp(const struct parsing *p, struct nsap *s, struct view idi, const struct view *part, size_t n)
{
	const struct view first = part[0], value = view_from(first, 1);
	const struct view whole = { first.p, (size_t)(p->text.p + p->text.n - first.p) };
	if (view_eq(first, VIEW("RFC-1006")))
		return put_rfc1006(p, s, part + 1, n - 1);
	if (view_eq(first, VIEW("X.25(80)")) || view_eq(first, VIEW("X25(80)")))
		return put_x25(p, s, part + 1, n - 1);
	if (view_eq(first, VIEW("ECMA-117-Decimal")))
		return put_ecma(p, s, part + 1, n - 1, false);
	if (view_eq(first, VIEW("ECMA-117-Binary")))
		return put_idp(p, s, idi, true) && put_ecma(p, s, part + 1, n - 1, true);
	if (whole.n > 1 && whole.p[0] == 'l')
		return put_text(p, s, view_from(whole, 1));
	if (n == 1 && first.n > 1 && first.p[0] == 'd' && all_digits(value)) {
		put_digits(s, value);
		return true;
	}
	if (n == 1 && first.n > 1 && first.p[0] == 'x')
		return put_idp(p, s, idi, true) && (dot_hex(value, &s->dsp) || fail(p, "octets behind x"));
	return fail(p, "a DSP: d123, x0a0b, ltext, RFC-1006+.., X.25(80)+.., ECMA-117-..");
}

static const struct format *format_of(uint8_t afi, bool *binary_r, bool *zero_r)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		const struct format *f = &formats[i];
		*binary_r = afi == f->binary || (f->zero_binary != 0 && afi == f->zero_binary);
		*zero_r = f->zero_decimal != 0 && (afi == f->zero_decimal || afi == f->zero_binary);
		if (*binary_r || *zero_r || afi == f->decimal)
			return f;
	}
	return NULL;
}

/* 36234219200300+123456: the IDP in digits, the DSP in the digits or octets that its AFI has. */
static bool put_compatible(const struct parsing *p, struct nsap *s, struct view idp, struct view dsp)
{
	static const char names[] = "NS+hex, an AFI by name (X121 DCC TELEX PSTN ISDN ICD LOCAL), or in digits with its IDI";
	bool binary, zero;
	uint64_t afi;
	if (idp.n < 2 || !all_digits(idp) || !text_uint(view_first(idp, 2), 99, &afi) ||
	    (s->format = format_of((uint8_t)afi, &binary, &zero)) == NULL)
		return fail(p, names);
	struct view idi = view_from(idp, 2);
	if (!put_idp(p, s, idi, binary))
		return false;
	if (s->afi != afi)
		return fail(p, "an AFI that fits the first digit of its IDI");
	if (binary)
		return unhex(dsp, &s->dsp) || fail(p, "octets in hexadecimal");
	if (!all_digits(dsp))
		return fail(p, "digits");
	put_digits(s, dsp);
	return true;
}

static bool put_address(const struct parsing *p, struct nsap *s)
{
	enum { PARTS = 10 }; /* text of LOCAL may have more */
	struct view part[PARTS + 1];
	size_t n = cut(p->text, '+', part, PARTS);
	if (n > PARTS)
		n = PARTS;
	for (size_t i = 0; i < ARRAY_LEN(formats) && n > 1; i++) {
		if (!view_eq(part[0], view_str(formats[i].name)))
			continue;
		s->format = &formats[i];
		return put_idp(p, s, part[1], false) && (n == 2 || put_dsp(p, s, part[1], part + 2, n - 2));
	}
	if (n != 2)
		return fail(p, "NS+hex, or an AFI by name (X121 DCC TELEX PSTN ISDN ICD LOCAL) with its IDI");
	return put_compatible(p, s, part[0], part[1]);
}

static void finish(const struct nsap *s, struct out *o)
{
	for (size_t i = 0; i < s->n; i += 2) {
		const unsigned high = (unsigned)(s->digits[i] - '0'), low = i + 1 < s->n ? (unsigned)(s->digits[i + 1] - '0') : PADDED;
		out_u8(o, (uint8_t)(high << 4 | low));
	}
	out_bytes(o, out_view(&s->dsp));
}

static bool parse_address(struct parsing *p, struct view *nsap_r)
{
	struct nsap s = { .n = 0 };
	struct out o;
	bool good;
	out_init(&s.dsp, 64);
	out_init(&o, 64);
	if (p->text.n > 3 && view_eq(view_first(p->text, 3), VIEW("NS+"))) {
		good = dot_hex(view_from(p->text, 3), &o) || fail(p, "octets in hexadecimal behind NS+");
	} else {
		good = put_address(p, &s);
		finish(&s, &o);
	}
	if (good && (s.bad || s.dsp.bad || o.bad || out_len(&o) > PADDR_NSAP_MAX || out_len(&o) == 0))
		good = fail(p, "a network address of 1 to 20 octets");
	if (good)
		*nsap_r = arena_copy(p->a, out_view(&o));
	out_fini(&o);
	out_fini(&s.dsp);
	return good;
}

/* name=rest: the macro's value before the rest. One that is not known is no address either. */
static bool expand(struct parsing *p)
{
	struct view part[2];
	if (p->text.n == 0 || memchr(p->text.p, '=', p->text.n) == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(macros) && cut(p->text, '=', part, 2) == 2; i++) {
		if (!view_eq(part[0], view_str(macros[i].name)))
			continue;
		struct out o;
		out_init(&o, 1024);
		out_str(&o, macros[i].value);
		out_bytes(&o, part[1]);
		p->text = o.bad ? (struct view){ NULL, 0 } : arena_copy(p->a, out_view(&o));
		out_fini(&o);
		return p->text.n > 0 || fail(p, "a shorter address");
	}
	return fail(p, "one of the macros Internet-RFC-1006, Int-X25(80), Janet-X25(80), IXI before =");
}

/* --- selectors --- */

static bool parse_selector(struct parsing *p, struct view *selector_r)
{
	const struct view t = p->text;
	uint64_t x;
	if (t.n == 0) {
		*selector_r = arena_copy(p->a, t);
		return true;
	}
	if (t.n > 2 && t.p[0] == '"' && t.p[t.n - 1] == '"' && all_other(view_first(view_from(t, 1), t.n - 2))) {
		*selector_r = arena_copy(p->a, view_first(view_from(t, 1), t.n - 2));
		return true;
	}
	if (t.p[0] == '#' && text_uint(view_from(t, 1), 65535, &x)) {
		const uint8_t octets[2] = { (uint8_t)(x >> 8), (uint8_t)x };
		*selector_r = arena_copy(p->a, view_of(octets, 2));
		return true;
	}
	struct out o;
	out_init(&o, 1024);
	const bool good = t.n > 3 && t.p[0] == '\'' && t.p[t.n - 1] == 'H' && t.p[t.n - 2] == '\'' &&
			  unhex(view_first(view_from(t, 1), t.n - 3), &o);
	if (good)
		*selector_r = arena_copy(p->a, out_view(&o));
	out_fini(&o);
	return good || fail(p, "a selector: \"text\", #0 to #65535, '0a0b'H, or nothing");
}

static bool parse_list(struct parsing *p, struct view list, struct paddr *to)
{
	size_t most = 1;
	for (size_t i = 0; i < list.n; i++)
		most += list.p[i] == '_';
	struct view *part = arena_array(p->a, most, sizeof *part);
	to->nsap = arena_array(p->a, most, sizeof *to->nsap);
	if (part == NULL || to->nsap == NULL)
		return fail(p, "an address that fits the memory it may take");
	for (to->n_nsap = 0; to->n_nsap < cut(list, '_', part, most); to->n_nsap++) {
		p->text = part[to->n_nsap];
		if (!expand(p) || !parse_address(p, &to->nsap[to->n_nsap]))
			return false;
	}
	return !arena_full(p->a) || fail(p, "an address that fits the memory it may take");
}

bool paddr_parse(struct view text, struct paddr *p_r, struct arena *a, struct err *e)
{
	struct parsing p = { .text = text, .a = a, .e = e };
	struct view part[SELECTORS + 1];
	const size_t n = cut(text, '/', part, ARRAY_LEN(part));
	if (n > ARRAY_LEN(part))
		return fail(&p, "at most three selectors, each before a /");
	struct paddr to = { .has_tsel = n > 1, .has_ssel = n > 2, .has_psel = n > 3 };
	struct view *const selector[] = { &to.tsel, &to.ssel, &to.psel };
	for (size_t i = 0; i + 1 < n; i++) {
		p.text = part[i];
		if (!parse_selector(&p, selector[n - 2 - i]))
			return false;
	}
	if (!parse_list(&p, part[n - 1], &to))
		return false;
	*p_r = to;
	return true;
}

/* --- as text --- */

static void print_selector(struct view v, struct out *o)
{
	if (all_other(v)) {
		out_fmt(o, "\"%.*s\"", (int)v.n, (const char *)v.p);
	} else if (v.n == 2) {
		out_fmt(o, "#%u", (unsigned)v.p[0] << 8 | v.p[1]);
	} else if (v.n > 0) {
		out_u8(o, '\'');
		text_hex(o, v);
		out_str(o, "'H");
	}
	out_u8(o, '/');
}

/* The digits of a network address behind the first `skip`; false: there are others than decimal ones, but for one F at the end. */
static bool digits_of(struct view v, size_t skip, char digits[DIGITS_MAX + 1])
{
	size_t n = 0;
	for (size_t i = skip; i < 2 * v.n; i++) {
		const unsigned x = (i % 2 == 0 ? v.p[i / 2] >> 4 : v.p[i / 2]) & 0x0fu;
		if (x == PADDED && i + 1 == 2 * v.n)
			break;
		if (x > 9)
			return false;
		digits[n++] = (char)('0' + x);
	}
	digits[n] = 0;
	return true;
}

struct split {
	const struct format *format;
	bool binary;
	char idi[IDI_MAX + 1];        /* without padding */
	char digits[DIGITS_MAX + 1];  /* decimal DSP */
	struct view octets;           /* binary DSP */
};

/* False: it can only be shown as octets. */
static bool split_nsap(struct view v, struct split *s)
{
	char head[DIGITS_MAX + 1];
	bool zero;
	if (v.n > PADDR_NSAP_MAX || v.n == 0 || (v.p[0] >> 4) > 9 || (v.p[0] & 0x0f) > 9)
		return false;
	s->format = format_of((uint8_t)((v.p[0] >> 4) * 10 + (v.p[0] & 0x0f)), &s->binary, &zero);
	if (s->format == NULL)
		return false;
	const size_t idi = s->format->idi, octets = (2 + idi + 1) / 2;
	if (v.n < octets || !digits_of(view_first(v, octets), 2, head) || strlen(head) < idi)
		return false;
	if (s->binary && idi % 2 != 0 && (v.p[octets - 1] & 0x0f) != PADDED)
		return false;
	const char *at = head;
	const char pad = zero ? '1' : '0';
	while (at < head + idi && *at == pad && (size_t)(head + idi - at) > 1)
		at++;
	memcpy(s->idi, at, (size_t)(head + idi - at));
	s->idi[head + idi - at] = 0;
	if (idi > 0 && s->format->zero_decimal != 0 && (s->idi[0] == '0') != zero)
		return false; /* padding that is none: another AFI would come of it */
	if (s->format->zero_decimal == 0 && strlen(s->idi) < idi && s->idi[0] == '0')
		return false;
	s->octets = s->binary ? view_from(v, octets) : (struct view){ NULL, 0 };
	return s->binary ? s->octets.n > 0 : digits_of(v, 2 + idi, s->digits);
}

static bool number_of(const char *digits, size_t n, uint64_t max, uint64_t *x_r)
{
	return text_uint(view_of(digits, n), max, x_r);
}

static bool ip_of(const struct split *s, unsigned *prefix_r, struct paddr_ip *ip_r, size_t *n_r)
{
	const size_t n = strlen(s->digits);
	uint64_t x[7] = { 0 };
	if (s->binary || strcmp(s->format->name, "TELEX") != 0 || strcmp(s->idi, INTERIM) != 0 || (n != 14 && n != 19 && n != 24))
		return false;
	if (!number_of(s->digits, 2, 99, &x[0]) || (x[0] != PREFIX_INTERNET && x[0] != PREFIX_IXI))
		return false;
	for (size_t i = 0; i < 4; i++)
		if (!number_of(s->digits + 2 + 3 * i, 3, 255, &x[1 + i]))
			return false;
	if ((n > 14 && !number_of(s->digits + 14, 5, 65535, &x[5])) || (n > 19 && !number_of(s->digits + 19, 5, 65535, &x[6])))
		return false;
	*prefix_r = (unsigned)x[0];
	*n_r = n;
	*ip_r = (struct paddr_ip){ { (uint8_t)x[1], (uint8_t)x[2], (uint8_t)x[3], (uint8_t)x[4] }, (uint16_t)x[5], (uint16_t)x[6] };
	return true;
}

bool paddr_ip(struct view nsap, struct paddr_ip *ip_r)
{
	struct split s;
	unsigned prefix;
	size_t n;
	return split_nsap(nsap, &s) && ip_of(&s, &prefix, ip_r, &n);
}

static void print_nsap(struct view v, struct out *o)
{
	struct split s;
	struct paddr_ip ip;
	unsigned prefix;
	size_t n;
	if (!split_nsap(v, &s)) {
		out_str(o, "NS+");
		text_hex(o, v);
		return;
	}
	out_fmt(o, "%s+%s", s.format->name, s.idi);
	if (ip_of(&s, &prefix, &ip, &n)) {
		out_fmt(o, "+RFC-1006+%02u+%u.%u.%u.%u", prefix, ip.ip[0], ip.ip[1], ip.ip[2], ip.ip[3]);
		if (n > 14)
			out_fmt(o, "+%u", ip.port);
		if (n > 19)
			out_fmt(o, "+%u", ip.tset);
	} else if (s.binary) {
		out_str(o, "+x");
		text_hex(o, s.octets);
	} else if (s.digits[0] != 0) {
		out_fmt(o, "+d%s", s.digits);
	}
}

void paddr_print(const struct paddr *p, struct out *o)
{
	if (p->has_psel)
		print_selector(p->psel, o);
	if (p->has_psel || p->has_ssel)
		print_selector(p->ssel, o);
	if (p->has_psel || p->has_ssel || p->has_tsel)
		print_selector(p->tsel, o);
	for (size_t i = 0; i < p->n_nsap; i++) {
		if (i > 0)
			out_u8(o, '_');
		print_nsap(p->nsap[i], o);
	}
}
