/* mem.h - heap memory that cannot fail: out of memory ends the process, and the
 * supervisor starts a new one. What a peer may make us keep is bounded elsewhere
 * (arena quotas, struct out limits), before the bytes are kept. */
#pragma once
#include "base/check.h"

/* Never NULL, even for n = 0. The caller owns the result; release with free() or mem_free. */
void *mem_alloc(size_t n);
void *mem_zero(size_t n);
void *mem_grow(void *p, size_t n);
char *mem_strdup(const char *s);
void *mem_dup(const void *p, size_t n);

/* Frees and nulls: MEM_FREE(x->name). */
#define MEM_FREE(p) (mem_free_(p), (p) = NULL)
void mem_free_(void *p);

/* Sums and products of sizes; an overflow ends the process. */
size_t mem_add(size_t a, size_t b);
size_t mem_mul(size_t a, size_t b);
