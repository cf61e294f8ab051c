/* address_escape.c - RFC 2156 3.2 (and RFC 987 before it): ASCII inside PrintableString. Octets from 128 on, which that does not know,
 * are written as (nnn) like the others: a mailbox's name is the octets that its postoffice has. */
#include "flow/codec/msmail/address_int.h"

#include "base/text.h"

static const struct { uint8_t plain, letter; } letters[] = {
	{'@', 'a'}, {'%', 'p'}, {'!', 'b'}, {'"', 'q'}, {'_', 'u'}, {'(', 'l'}, {')', 'r'},
};

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* X.680 PrintableString, but for the parentheses. */
static bool is_plain(uint8_t c)
{
	return is_letter(c) || is_digit(c) || (c != 0 && strchr(" '+,-./:=?", c) != NULL);
}

static void escape_octet(uint8_t c, struct out *o)
{
	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (letters[i].plain == c) {
			out_fmt(o, "(%c)", letters[i].letter);
			return;
		}
	if (is_plain(c))
		out_u8(o, c);
	else
		out_fmt(o, "(%03u)", c);
}

void mm_escape_printable(struct view ascii, struct out *o)
{
	for (size_t i = 0; i < ascii.n; i++)
		escape_octet(ascii.p[i], o);
}

/* Octets of v that the escape at its beginning takes; 0: there is none. */
static size_t escape_at(struct view v, uint8_t *c_r)
{
	uint64_t number;
	if (v.n < 3 || v.p[0] != '(')
		return 0;
	if (v.p[2] == ')')
		for (size_t i = 0; i < ARRAY_LEN(letters); i++)
			if ((v.p[1] | 0x20) == letters[i].letter) {
				*c_r = letters[i].plain;
				return 3;
			}
	if (v.n < 5 || v.p[4] != ')' || !text_uint(view_of(v.p + 1, 3), UINT8_MAX, &number))
		return 0;
	*c_r = (uint8_t)number;
	return 5;
}

/* Is the (nnn) at i an area code? What follows is the rest of a telephone number, to the end of the value (Q310797), and no word ends
 * before it. */
static bool is_area_code(struct view v, size_t i)
{
	size_t digits = 0;
	if (i > 0 && is_letter(v.p[i - 1]))
		return false;
	for (size_t k = i + 5; k < v.n; k++) {
		if (!is_digit(v.p[k]) && strchr(" -./,", v.p[k]) == NULL)
			return false;
		digits += is_digit(v.p[k]);
	}
	return digits >= 5;
}

static void unescape(struct view v, bool telephone, struct out *o)
{
	for (size_t i = 0; i < v.n;) {
		uint8_t c = v.p[i];
		size_t n = escape_at(view_from(v, i), &c);
		if (n == 5 && telephone && is_area_code(v, i)) {
			n = 0;
			c = v.p[i];
		}
		out_u8(o, c);
		i += n == 0 ? 1 : n;
	}
}

void mm_unescape_printable(struct view printable, struct out *o)
{
	unescape(printable, false, o);
}

void mm_unescape_typed(struct view printable, struct out *o)
{
	unescape(printable, true, o);
}

void mm_escape_typed(struct view plain, struct out *o)
{
	struct out tried, back;
	out_init(&tried, 5 * plain.n + 1);
	out_init(&back, 5 * plain.n + 1);
	mm_escape_printable(plain, &tried);
	unescape(out_view(&tried), true, &back);
	if (view_eq(out_view(&back), plain)) {
		out_bytes(o, out_view(&tried));
	} else { /* `#5551234`: with an escape at its end it is no telephone number any more */
		mm_escape_printable(view_first(plain, plain.n - 1), o);
		out_fmt(o, "(%03u)", plain.p[plain.n - 1]);
	}
	out_fini(&tried);
	out_fini(&back);
}
