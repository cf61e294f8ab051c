/* out.c - see out.h. */
#include "base/out.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>

enum { OUT_FIRST = 256 };

void out_init(struct out *o, size_t max)
{
	*o = (struct out){ .max = max };
}

void out_fini(struct out *o)
{
	free(o->p);
	*o = (struct out){ 0 };
}

void out_clear(struct out *o)
{
	o->head = o->n = 0;
	o->bad = false;
}

/* Moves the content to the front before it asks for more, and always keeps one octet for a NUL. */
static void make_room(struct out *o, size_t n)
{
	if (o->head > 0 && (o->n + n >= o->cap || o->head == o->n)) {
		memmove(o->p, o->p + o->head, o->n - o->head);
		o->n -= o->head;
		o->head = 0;
	}
	if (o->n + n < o->cap)
		return;
	size_t cap = o->cap < OUT_FIRST ? OUT_FIRST : o->cap;
	while (cap <= o->n + n)
		cap = mem_mul(cap, 2);
	o->p = mem_grow(o->p, cap);
	o->cap = cap;
}

uint8_t *out_reserve(struct out *o, size_t n)
{
	if (o->bad || n > o->max - (o->n - o->head)) {
		o->bad = true;
		return NULL;
	}
	if (o->head > 0 || n >= o->cap - o->n) /* one octet is kept for a NUL */
		make_room(o, n);
	uint8_t *p = o->p + o->n;
	o->n += n;
	return p;
}

void out_bytes(struct out *o, struct view v)
{
	if (v.n == 0)
		return;
	uint8_t *p = out_reserve(o, v.n);
	if (p != NULL)
		memcpy(p, v.p, v.n);
}

static void put_uint(struct out *o, uint64_t x, unsigned n)
{
	uint8_t *p = out_reserve(o, n);
	if (p == NULL)
		return;
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(x >> (8 * (n - 1 - i)));
}

void out_u16(struct out *o, uint16_t x)
{
	put_uint(o, x, 2);
}

void out_u32(struct out *o, uint32_t x)
{
	put_uint(o, x, 4);
}

void out_u64(struct out *o, uint64_t x)
{
	put_uint(o, x, 8);
}

void out_str(struct out *o, const char *s)
{
	out_bytes(o, view_str(s));
}

void out_fmt(struct out *o, const char *fmt, ...)
{
	char small[256];
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf(small, sizeof small, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof small) {
		out_bytes(o, view_of(small, (size_t)n));
	} else if (n >= 0) {
		uint8_t *p = out_reserve(o, (size_t)n);
		if (p != NULL) /* make_room kept the octet for the NUL */
			vsnprintf((char *)p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
}

void out_drop(struct out *o, size_t n)
{
	assert(n <= o->n - o->head);
	o->head += n;
	if (o->head == o->n)
		o->head = o->n = 0;
}

const char *out_cstr(struct out *o)
{
	make_room(o, 0);
	o->p[o->n] = 0;
	return (const char *)o->p + o->head;
}
