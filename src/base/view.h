/* view.h - borrowed octets: a pointer and a length, good as long as their owner says. */
#pragma once
#include "base/check.h"

#include <string.h>

struct view {
	const uint8_t *p;
	size_t n;
};

/* A string literal as a view, without its NUL. */
#define VIEW(literal) ((struct view){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static inline struct view view_of(const void *p, size_t n)
{
	return (struct view){ p, n };
}

static inline struct view view_str(const char *s)
{
	return (struct view){ (const uint8_t *)s, s == NULL ? 0 : strlen(s) };
}

static inline bool view_eq(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The rest of v from octet `from`; empty when v is shorter. */
static inline struct view view_from(struct view v, size_t from)
{
	return from >= v.n ? (struct view){ NULL, 0 } : (struct view){ v.p + from, v.n - from };
}

/* At most the first n octets of v. */
static inline struct view view_first(struct view v, size_t n)
{
	return (struct view){ v.p, n < v.n ? n : v.n };
}

/* Equal when ASCII letters are folded; other octets must be the same. */
bool view_eq_nocase(struct view a, struct view b);

/* -1, 0, 1: octet order, the shorter first. */
int view_cmp(struct view a, struct view b);
