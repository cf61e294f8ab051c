/* utf8.c - UTF-8, one character at a time. */
#include "flow/codec/charset/charset.h"

#include "base/cur.h"

uint32_t charset_utf8_next(struct view *v)
{
	static const struct {
		uint8_t mask, lead, more;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0, 0 },
		{ 0xe0, 0xc0, 1, 0x80 },
		{ 0xf0, 0xe0, 2, 0x800 },
		{ 0xf8, 0xf0, 3, 0x10000 },
	};
	struct cur c = cur_of(*v);
	uint8_t first = cur_u8(&c);
	*v = view_from(*v, 1);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if ((first & forms[i].mask) != forms[i].lead)
			continue;
		uint32_t x = first & (uint8_t)~forms[i].mask;
		for (unsigned k = 0; k < forms[i].more; k++) {
			uint8_t next = cur_u8(&c);
			if ((next & 0xc0) != 0x80)
				return UINT32_MAX;
			x = x << 6 | (next & 0x3fu);
		}
		if (x < forms[i].least || x > 0x10ffff || (x >= 0xd800 && x <= 0xdfff))
			return UINT32_MAX;
		*v = view_from(*v, forms[i].more);
		return x;
	}
	return UINT32_MAX;
}

void charset_utf8_put(struct out *o, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		out_u8(o, (uint8_t)c);
	} else if (c < 0x800) {
		out_u8(o, (uint8_t)(0xc0 | c >> 6));
		out_u8(o, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		out_u8(o, (uint8_t)(0xe0 | c >> 12));
		out_u8(o, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		out_u8(o, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		out_u8(o, (uint8_t)(0xf0 | c >> 18));
		out_u8(o, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		out_u8(o, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		out_u8(o, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

bool charset_is_utf8(struct view v)
{
	while (v.n > 0)
		if (charset_utf8_next(&v) == UINT32_MAX)
			return false;
	return true;
}

size_t charset_utf8_length(struct view v)
{
	size_t n = 0;
	for (; v.n > 0; n++)
		(void)charset_utf8_next(&v);
	return n;
}
