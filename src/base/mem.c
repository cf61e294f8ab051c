/* mem.c - see mem.h. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *mem_alloc(size_t n)
{
	void *p = malloc(n == 0 ? 1 : n);
	if (p == NULL)
		check_failed(__FILE__, __LINE__, "out of memory");
	return p;
}

void *mem_zero(size_t n)
{
	void *p = calloc(1, n == 0 ? 1 : n);
	if (p == NULL)
		check_failed(__FILE__, __LINE__, "out of memory");
	return p;
}

void *mem_grow(void *old, size_t n)
{
	void *p = realloc(old, n == 0 ? 1 : n);
	if (p == NULL)
		check_failed(__FILE__, __LINE__, "out of memory");
	return p;
}

void *mem_dup(const void *p, size_t n)
{
	void *copy = mem_alloc(n);
	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}

void mem_free_(void *p)
{
	free(p);
}

size_t mem_add(size_t a, size_t b)
{
	size_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		check_failed(__FILE__, __LINE__, "a sum of sizes overflows");
	return sum;
}

size_t mem_mul(size_t a, size_t b)
{
	size_t product;
	if (__builtin_mul_overflow(a, b, &product))
		check_failed(__FILE__, __LINE__, "a product of sizes overflows");
	return product;
}
