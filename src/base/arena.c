/* arena.c - a chain of blocks; the first one is kept across resets. */
#include "base/arena.h"

#include "base/mem.h"

#include <stdlib.h>

enum { ALIGN = 16, FIRST = 2048 - 64, BLOCK_MAX = 256 * 1024 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ALIGN) uint8_t octets[];
};

struct arena {
	unsigned magic;
#define ARENA_MAGIC 0xa7e4a001u
	bool full;
	size_t quota, used, next_size;
	struct block *first, *last;
};

static struct block *block_new(size_t size)
{
	struct block *b = mem_alloc(mem_add(sizeof *b, size));
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *arena_new(size_t quota)
{
	struct arena *a = mem_zero(sizeof *a);
	a->magic = ARENA_MAGIC;
	a->quota = quota;
	a->next_size = FIRST;
	return a;
}

static void free_from(struct block *b)
{
	while (b != NULL) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
}

void arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	CHECK(*a, ARENA_MAGIC);
	free_from((*a)->first);
	(*a)->magic = 0;
	MEM_FREE(*a);
}

void arena_reset(struct arena *a)
{
	CHECK(a, ARENA_MAGIC);
	if (a->first != NULL) {
		free_from(a->first->next);
		a->first->next = NULL;
		a->first->used = 0;
		a->last = a->first;
	}
	a->used = 0;
	a->full = false;
	a->next_size = FIRST * 2;
}

/* Blocks double up to BLOCK_MAX; a large request gets a block of its own size. */
static void add_block(struct arena *a, size_t n)
{
	struct block *b = block_new(n > a->next_size ? n : a->next_size);
	if (a->next_size < BLOCK_MAX)
		a->next_size *= 2;
	if (a->last == NULL)
		a->first = b;
	else
		a->last->next = b;
	a->last = b;
}

void *arena_get(struct arena *a, size_t n)
{
	CHECK(a, ARENA_MAGIC);
	if (a->full || n > a->quota - a->used) {
		a->full = true;
		return NULL;
	}
	a->used += n;
	n = (mem_add(n == 0 ? 1 : n, ALIGN - 1)) & ~(size_t)(ALIGN - 1);
	if (a->last == NULL || n > a->last->size - a->last->used)
		add_block(a, n);
	void *p = a->last->octets + a->last->used;
	a->last->used += n;
	return memset(p, 0, n);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(n, size, &total)) {
		a->full = true;
		return NULL;
	}
	return arena_get(a, total);
}

struct view arena_copy(struct arena *a, struct view v)
{
	uint8_t *p = arena_get(a, v.n);
	if (p == NULL)
		return (struct view){ NULL, 0 };
	if (v.n > 0)
		memcpy(p, v.p, v.n);
	return (struct view){ p, v.n };
}

char *arena_str(struct arena *a, struct view v)
{
	char *p = arena_get(a, mem_add(v.n, 1));
	if (p != NULL && v.n > 0)
		memcpy(p, v.p, v.n);
	return p;
}

bool arena_full(const struct arena *a)
{
	CHECK(a, ARENA_MAGIC);
	return a->full;
}

size_t arena_used(const struct arena *a)
{
	CHECK(a, ARENA_MAGIC);
	return a->used;
}
