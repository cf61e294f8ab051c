/* cur.h - a bounded cursor over a view, with a sticky error: read ten fields, check once.
 * Reading past the end gives zeroes and sets `bad`, for good. The only way peer bytes are read. */
#pragma once
#include "base/view.h"

struct cur {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct cur cur_of(struct view v)
{
	return (struct cur){ v.p, v.n == 0 ? v.p : v.p + v.n, false };
}

static inline size_t cur_left(const struct cur *c)
{
	return c->bad || c->p == NULL ? 0 : (size_t)(c->end - c->p);
}

/* The next n octets; an empty view and `bad` when fewer are left. */
static inline struct view cur_bytes(struct cur *c, size_t n)
{
	if (n > cur_left(c)) {
		c->bad = true;
		return (struct view){ NULL, 0 };
	}
	struct view v = { c->p, n };
	if (n > 0)
		c->p += n;
	return v;
}

static inline uint64_t cur_uint_(struct cur *c, size_t n)
{
	struct view v = cur_bytes(c, n);
	uint64_t x = 0;
	for (size_t i = 0; i < v.n; i++)
		x = x << 8 | v.p[i];
	return x;
}

/* Big-endian, as on the wire. */
static inline uint8_t cur_u8(struct cur *c) { return (uint8_t)cur_uint_(c, 1); }
static inline uint16_t cur_u16(struct cur *c) { return (uint16_t)cur_uint_(c, 2); }
static inline uint32_t cur_u32(struct cur *c) { return (uint32_t)cur_uint_(c, 4); }
static inline uint64_t cur_u64(struct cur *c) { return cur_uint_(c, 8); }

/* The next octet without taking it; 0 at the end (no error). */
static inline uint8_t cur_peek(const struct cur *c)
{
	return cur_left(c) == 0 ? 0 : *c->p;
}

/* All that is left. */
static inline struct view cur_rest(struct cur *c)
{
	return cur_bytes(c, cur_left(c));
}
