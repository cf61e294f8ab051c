/* out.h - output builder: grows up to a limit, then is sticky `bad` and takes no more.
 * Read octets are dropped from the front with out_drop, so that it can be a send buffer. */
#pragma once
#include "base/view.h"

struct out {
	uint8_t *p;
	size_t head, n, cap; /* the content is p[head .. n) */
	size_t max;          /* content octets never pass this */
	bool bad;
};

/* max: most octets it will hold at once. Ends with out_fini. */
void out_init(struct out *o, size_t max);
void out_fini(struct out *o);

/* Forgets the content and the error, keeps the memory. */
void out_clear(struct out *o);

void out_bytes(struct out *o, struct view v);
static inline void out_u8(struct out *o, uint8_t x);
void out_u16(struct out *o, uint16_t x);
void out_u32(struct out *o, uint32_t x);
void out_u64(struct out *o, uint64_t x);
void out_str(struct out *o, const char *s);
void out_fmt(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* n octets to be written by the caller; NULL when over the limit. Good until the next call on o. */
uint8_t *out_reserve(struct out *o, size_t n);

/* Inline where nothing has to be moved or grown: most texts and encodings are written an octet at a time. */
static inline void out_u8(struct out *o, uint8_t x)
{
	uint8_t *p;
	if (!o->bad && o->head == 0 && o->n + 1 < o->cap && o->n < o->max)
		p = o->p + o->n++;
	else
		p = out_reserve(o, 1);
	if (p != NULL)
		*p = x;
}

/* What is in it; good until the next call that writes. */
static inline struct view out_view(const struct out *o)
{
	return (struct view){ o->p == NULL ? NULL : o->p + o->head, o->n - o->head };
}

static inline size_t out_len(const struct out *o)
{
	return o->n - o->head;
}

/* Octets that still fit below max. */
static inline size_t out_room(const struct out *o)
{
	return o->bad ? 0 : o->max - out_len(o);
}

/* Takes n octets away from the front. */
void out_drop(struct out *o, size_t n);

/* The content as a NUL-terminated string, good until the next call on o. */
const char *out_cstr(struct out *o);
