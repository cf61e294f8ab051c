/* ber_print_leaf.c - numbers, bits, strings and times as text. */
#include "flow/codec/ber/ber_private.h"

#include "base/cur.h"

#include <inttypes.h>

void ber_print_hex(struct view v, enum ber_form form, struct out *o)
{
	const char *digits = form == BER_JSON ? "0123456789abcdef" : "0123456789ABCDEF";
	uint8_t *p = v.n > SIZE_MAX / 2 ? NULL : out_reserve(o, 2 * v.n);
	if (p == NULL)
		return;
	for (size_t i = 0; i < v.n; i++) {
		p[2 * i] = (uint8_t)digits[v.p[i] >> 4];
		p[2 * i + 1] = (uint8_t)digits[v.p[i] & 15];
	}
}

static void print_octets(struct view v, enum ber_form form, struct out *o)
{
	out_str(o, form == BER_JSON ? "{\"hex\":\"" : "'");
	ber_print_hex(v, form, o);
	out_str(o, form == BER_JSON ? "\"}" : "'H");
}

/* --- characters --- */

enum { REPLACEMENT = 0xfffd };

static bool is_scalar(uint32_t c)
{
	return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* One character of UTF-8; an octet that begins none, or only an overlong one, is taken alone. */
static uint32_t next_utf8(struct cur *c)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t first = cur_u8(c);
	if (first < 0x80)
		return first;
	if (first < 0xc2 || first > 0xf4)
		return REPLACEMENT;
	const unsigned more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	struct cur ahead = *c;
	uint32_t x = first & (0x3fu >> more);
	for (unsigned i = 0; i < more; i++) {
		uint8_t octet = cur_u8(&ahead);
		if (ahead.bad || (octet & 0xc0) != 0x80)
			return REPLACEMENT;
		x = x << 6 | (octet & 0x3f);
	}
	if (x < least[more] || !is_scalar(x))
		return REPLACEMENT;
	*c = ahead;
	return x;
}

/* BMPString is meant to have no surrogates; who writes them means UTF-16. */
static uint32_t next_utf16(struct cur *c)
{
	uint32_t x = cur_u16(c);
	if (!c->bad && x >= 0xd800 && x <= 0xdbff) {
		struct cur ahead = *c;
		uint32_t low = cur_u16(&ahead);
		if (!ahead.bad && low >= 0xdc00 && low <= 0xdfff) {
			*c = ahead;
			return 0x10000 + ((x - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return x;
}

static uint32_t next_char(struct cur *c, uint32_t number)
{
	uint32_t x;
	if (number == 12)
		return next_utf8(c);
	if (number != 30 && number != 28)
		return cur_u8(c); /* ISO 646, and T.61 read as Latin-1 */
	x = number == 30 ? next_utf16(c) : cur_u32(c);
	if (!c->bad)
		return is_scalar(x) ? x : REPLACEMENT;
	*c = cur_of((struct view){NULL, 0}); /* octets that are too few for a character */
	return REPLACEMENT;
}

static void put_utf8(struct out *o, uint32_t x)
{
	if (x < 0x80) {
		out_u8(o, (uint8_t)x);
	} else if (x < 0x800) {
		out_u8(o, (uint8_t)(0xc0 | x >> 6));
		out_u8(o, (uint8_t)(0x80 | (x & 0x3f)));
	} else if (x < 0x10000) {
		out_u8(o, (uint8_t)(0xe0 | x >> 12));
		out_u8(o, (uint8_t)(0x80 | (x >> 6 & 0x3f)));
		out_u8(o, (uint8_t)(0x80 | (x & 0x3f)));
	} else {
		out_u8(o, (uint8_t)(0xf0 | x >> 18));
		out_u8(o, (uint8_t)(0x80 | (x >> 12 & 0x3f)));
		out_u8(o, (uint8_t)(0x80 | (x >> 6 & 0x3f)));
		out_u8(o, (uint8_t)(0x80 | (x & 0x3f)));
	}
}

/* X.680 doubles a quote; control characters have no notation there and are shown as \xNN. */
static void put_char(struct out *o, uint32_t x, enum ber_form form)
{
	const bool control = x < 0x20 || (x >= 0x7f && x < 0xa0);
	if (control)
		out_fmt(o, form == BER_JSON ? "\\u%04x" : "\\x%02x", x);
	else if (x == '"')
		out_str(o, form == BER_JSON ? "\\\"" : "\"\"");
	else if (x == '\\' && form == BER_JSON)
		out_str(o, "\\\\");
	else
		put_utf8(o, x);
}

void ber_print_text(struct view v, uint32_t number, enum ber_form form, struct out *o)
{
	struct cur c = cur_of(v);
	out_u8(o, '"');
	while (cur_left(&c) > 0 && !o->bad)
		put_char(o, next_char(&c, number), form);
	out_u8(o, '"');
}

/* A string whose own tag is not universal is read as what most are: octets of ISO 646 or Latin-1.
 */
static uint32_t charset_of(const struct ber_type *t)
{
	return ber_tag_class(t->tag) == BER_UNIVERSAL ? ber_tag_number(t->tag) : 0;
}

/* --- numbers --- */

static void print_name(const char *name, enum ber_form form, struct out *o)
{
	out_fmt(o, form == BER_JSON ? "\"%s\"" : "%s", name);
}

static void print_int(const struct ber_type *t, int64_t x, enum ber_form form, struct out *o)
{
	const char *name = ber_name_of(t, x);
	if (name != NULL)
		print_name(name, form, o);
	else
		out_fmt(o, "%" PRId64, x);
}

static void print_big(struct view v, enum ber_form form, struct out *o)
{
	int64_t x;
	if (ber_int_value(v, &x))
		out_fmt(o, "%" PRId64, x);
	else
		print_octets(v, form, o);
}

/* The binary forms of X.690 8.5.7 whose mantissa fits 63 bits; false for any other. */
static bool print_binary_real(struct view v, enum ber_form form, struct out *o)
{
	static const unsigned bases[] = {2, 8, 16};
	struct cur c = cur_of(v);
	const uint8_t first = cur_u8(&c);
	size_t octets = (first & 3) + 1u;
	int64_t exponent, mantissa;
	if (octets == 4)
		octets = cur_u8(&c);
	struct view exp = cur_bytes(&c, octets), rest = cur_rest(&c);
	if (c.bad || (first >> 4 & 3) == 3 || !ber_int_value(exp, &exponent) || rest.n == 0 ||
	    rest.n > 7 || !ber_int_value(rest, &mantissa))
		return false;
	uint64_t n = (uint64_t)mantissa &
		     (UINT64_MAX >> (64 - 8 * rest.n)); /* it has no sign of its own */
	out_fmt(o,
		form == BER_JSON ? "{\"mantissa\":%s%" PRIu64 ",\"base\":%u,\"exponent\":%" PRId64
				   "}"
				 : "{mantissa %s%" PRIu64 ", base %u, exponent %" PRId64 "}",
		(first & 0x40) != 0 ? "-" : "", n << (first >> 2 & 3), bases[first >> 4 & 3],
		exponent);
	return true;
}

static void print_real(struct view v, enum ber_form form, struct out *o)
{
	static const char *const special[] = {"PLUS-INFINITY", "MINUS-INFINITY", "NOT-A-NUMBER",
					      "-0"};
	if (v.n == 0)
		out_str(o, "0");
	else if (v.n == 1 && v.p[0] >= 0x40 && v.p[0] < 0x40 + ARRAY_LEN(special))
		print_name(special[v.p[0] - 0x40], form, o); /* 8.5.9 */
	else if (v.p[0] < 0x40)
		ber_print_text(view_from(v, 1), 0, form, o); /* 8.5.8: ISO 6093 */
	else if (v.p[0] < 0x80 || !print_binary_real(v, form, o))
		print_octets(v, form, o);
}

/* --- bits --- */

static bool bit_at(const struct ber_bits *bits, size_t i)
{
	return (bits->bytes.p[i / 8] >> (7 - i % 8) & 1) != 0;
}

static size_t count_bits(const struct ber_bits *bits)
{
	return bits->bytes.n == 0 ? 0 : bits->bytes.n * 8 - bits->unused % 8;
}

static void print_digits(const struct ber_bits *bits, size_t n, struct out *o)
{
	for (size_t i = 0; i < n && !o->bad; i++)
		out_u8(o, bit_at(bits, i) ? '1' : '0');
}

static void print_plain_bits(const struct ber_bits *bits, size_t n, enum ber_form form,
			     struct out *o)
{
	enum { SHORT = 64 };
	const bool json = form == BER_JSON;
	if (n <= SHORT) {
		out_str(o, json ? "{\"bits\":\"" : "'");
		print_digits(bits, n, o);
		out_str(o, json ? "\"}" : "'B");
		return;
	}
	out_str(o, json ? "{\"hex\":\"" : "'");
	ber_print_hex(bits->bytes, form, o);
	if (json)
		out_fmt(o, "\",\"unused\":%u}", bits->unused);
	else if (bits->unused == 0)
		out_str(o, "'H");
	else
		out_fmt(o, "'H -- the last %u bits do not count --", bits->unused);
}

/* { name, name }; a bit without a name makes the ASN.1 form digits with the names beside. */
static void print_named_bits(const struct ber_type *t, const struct ber_bits *bits, size_t n,
			     enum ber_form form, struct out *o)
{
	const bool json = form == BER_JSON;
	bool nameless = false, first = true;
	for (size_t i = 0; i < n; i++)
		nameless = nameless || (bit_at(bits, i) && ber_name_of(t, (int64_t)i) == NULL);
	if (nameless && !json) {
		print_plain_bits(bits, n, form, o);
		return;
	}
	out_str(o, json ? "[" : "{");
	for (size_t i = 0; i < n; i++) {
		const char *name = ber_name_of(t, (int64_t)i);
		if (!bit_at(bits, i))
			continue;
		out_str(o, first ? "" : json ? "," : ", ");
		if (name != NULL)
			print_name(name, form, o);
		else
			out_fmt(o, "%zu", i);
		first = false;
	}
	out_str(o, json ? "]" : "}");
}

static void print_bits(const struct ber_type *t, const struct ber_bits *bits, enum ber_form form,
		       struct out *o)
{
	/* a named bit string is short; a hostile one is not searched for names */
	enum { NAMED_MAX = 4096 };
	size_t n = count_bits(bits);
	if (t->n_names > 0 && n <= NAMED_MAX)
		print_named_bits(t, bits, n, form, o);
	else
		print_plain_bits(bits, n, form, o);
}

static void print_oid(struct view v, bool relative, enum ber_form form, struct out *o)
{
	const size_t before = out_len(o);
	const bool json = form == BER_JSON;
	out_str(o, json ? "\"" : "{");
	if (ber_oid_arcs(v, relative, json ? '.' : ' ', o)) {
		out_str(o, json ? "\"" : "}");
		return;
	}
	if (!o->bad)
		o->n -= out_len(o) - before;
	print_octets(v, form, o);
}

void ber_print_leaf(const struct ber_type *t, const void *value, enum ber_form form, struct out *o)
{
	const struct view *v = value;
	const bool *flag = value;
	const bool json = form == BER_JSON;
	switch (t->kind) {
	case BER_BOOL:
		out_str(o, json ? (*flag ? "true" : "false") : (*flag ? "TRUE" : "FALSE"));
		return;
	case BER_INT:
	case BER_ENUM: print_int(t, *(const int64_t *)value, form, o); return;
	case BER_BIGINT: print_big(*v, form, o); return;
	case BER_BITS: print_bits(t, value, form, o); return;
	case BER_NULL: out_str(o, json ? "null" : "NULL"); return;
	case BER_OID:
	case BER_RELATIVE_OID: print_oid(*v, t->kind == BER_RELATIVE_OID, form, o); return;
	case BER_REAL: print_real(*v, form, o); return;
	case BER_STRING:
	case BER_TIME: ber_print_text(*v, charset_of(t), form, o); return;
	case BER_OCTETS:
	case BER_ANY: print_octets(*v, form, o); return;
	case BER_SEQ:
	case BER_SET:
	case BER_SEQ_OF:
	case BER_SET_OF:
	case BER_CHOICE:
	case BER_TAGGED: break;
	}
	CANT_HAPPEN("a kind with rows");
}

static enum ber_kind universal_kind(uint32_t number)
{
	if (number == 7 || number == 12 || (number >= 18 && number <= 28) || number == 30)
		return BER_STRING;
	switch (number) {
	case 1: return BER_BOOL;
	case 2: return BER_BIGINT;
	case 5: return BER_NULL;
	case 6: return BER_OID;
	case 9: return BER_REAL;
	case 10: return BER_BIGINT;
	case 13: return BER_RELATIVE_OID;
	default: return BER_ANY;
	}
}

bool ber_print_universal(uint32_t tag, struct view content, struct out *o)
{
	if (ber_tag_class(tag) != BER_UNIVERSAL)
		return false;
	const struct ber_type t = {.kind = universal_kind(ber_tag_number(tag)), .tag = tag};
	const bool flag = content.n == 1 && content.p[0] != 0;
	if (t.kind == BER_ANY || (t.kind == BER_BOOL && content.n != 1) ||
	    (t.kind == BER_NULL && content.n != 0))
		return false;
	if (t.kind == BER_BOOL)
		ber_print_leaf(&t, &flag, BER_ASN1, o);
	else
		ber_print_leaf(&t, &content, BER_ASN1, o);
	return true;
}
