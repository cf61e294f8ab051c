/* text.c - see text.h. */
#include "base/text.h"

static const char digits[] = "0123456789abcdef";

static void escape_octet(struct out *o, uint8_t c)
{
	if (c == '"' || c == '\\') {
		out_u8(o, '\\');
		out_u8(o, c);
	} else if (c >= 0x20 && c < 0x7f) {
		out_u8(o, c);
	} else {
		out_str(o, "\\x");
		out_u8(o, (uint8_t)digits[c >> 4]);
		out_u8(o, (uint8_t)digits[c & 15]);
	}
}

void text_escape(struct out *o, struct view v, size_t max)
{
	for (size_t i = 0; i < v.n && i < max; i++)
		escape_octet(o, v.p[i]);
	if (v.n > max)
		out_fmt(o, "...(%zu more)", v.n - max);
}

const char *text_escaped(char *buf, size_t size, struct view v)
{
	assert(size > 0);
	struct out o;
	out_init(&o, 4096);
	text_escape(&o, v, size / 4);
	struct view done = view_first(out_view(&o), size - 1);
	if (done.n > 0)
		memcpy(buf, done.p, done.n);
	buf[done.n] = 0;
	out_fini(&o);
	return buf;
}

size_t text_utf8(struct view v, uint32_t *c_r)
{
	static const struct {
		uint8_t first, last, low, high; /* range of the first octet, then of the second */
		uint8_t n, bits;                /* of the first octet */
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f }, { 0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f }, { 0xe1, 0xec, 0x80, 0xbf, 3, 0x0f },
		{ 0xed, 0xed, 0x80, 0x9f, 3, 0x0f }, { 0xee, 0xef, 0x80, 0xbf, 3, 0x0f }, { 0xf0, 0xf0, 0x90, 0xbf, 4, 0x07 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4, 0x07 }, { 0xf4, 0xf4, 0x80, 0x8f, 4, 0x07 },
	};
	if (v.n > 0 && v.p[0] < 0x80) {
		*c_r = v.p[0];
		return 1;
	}
	for (size_t i = 0; v.n > 0 && i < ARRAY_LEN(rows); i++) {
		if (v.p[0] < rows[i].first || v.p[0] > rows[i].last)
			continue;
		if (v.n < rows[i].n || v.p[1] < rows[i].low || v.p[1] > rows[i].high)
			return 0;
		uint32_t c = v.p[0] & rows[i].bits;
		for (size_t k = 1; k < rows[i].n; k++) {
			if ((v.p[k] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (v.p[k] & 0x3f);
		}
		*c_r = c;
		return rows[i].n;
	}
	return 0;
}

bool text_is_hidden(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} rows[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c }, { 0x180e, 0x180e }, { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (c >= rows[i].first && c <= rows[i].last)
			return true;
	return false;
}

void text_show(struct out *o, struct view v, bool lines)
{
	while (v.n > 0) {
		uint32_t c = 0;
		const size_t n = text_utf8(v, &c);
		if (n == 0 || (text_is_hidden(c) && c < 0x80 && !(lines && (c == '\n' || c == '\t'))))
			out_fmt(o, "\\x%02x", v.p[0]);
		else if (text_is_hidden(c) && c >= 0x80)
			out_fmt(o, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
		else
			out_bytes(o, view_first(v, n));
		v = view_from(v, n == 0 ? 1 : n);
	}
}

void text_hex(struct out *o, struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		out_u8(o, (uint8_t)digits[v.p[i] >> 4]);
		out_u8(o, (uint8_t)digits[v.p[i] & 15]);
	}
}

static int nibble(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool text_unhex(struct out *o, struct view hex)
{
	size_t before = o->n;
	int high = -1;
	for (size_t i = 0; i < hex.n; i++) {
		if (is_blank(hex.p[i]))
			continue;
		int d = nibble(hex.p[i]);
		if (d < 0)
			goto bad;
		if (high >= 0)
			out_u8(o, (uint8_t)(high << 4 | d));
		high = high >= 0 ? -1 : d;
	}
	if (high < 0 && !o->bad)
		return true;
bad:
	o->n = before;
	return false;
}

size_t text_distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	size_t row[MAX + 1];
	size_t na = strnlen(a, MAX), nb = strnlen(b, MAX);
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			best = row[j] + 1 < best ? row[j] + 1 : best;
			row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
		}
	}
	return row[nb];
}

bool text_uint(struct view v, uint64_t max, uint64_t *x_r)
{
	uint64_t x = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9' || x > (UINT64_MAX - 9) / 10)
			return false;
		x = x * 10 + (uint64_t)(v.p[i] - '0');
	}
	if (v.n == 0 || x > max)
		return false;
	*x_r = x;
	return true;
}
