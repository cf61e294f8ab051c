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
