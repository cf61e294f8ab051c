/* ring.c - see ring.h. */
#include "proc/recorder/ring.h"

#include "base/mem.h"

struct ring {
	unsigned magic;
#define RING_MAGIC 0x4146e4e0u
	size_t max;
	uint64_t first, oldest, next; /* first <= oldest <= next <= oldest + max */
	struct record **slots;        /* by number modulo max */
};

struct ring *ring_new(size_t max, uint64_t first)
{
	assert(max > 0);
	struct ring *r = mem_zero(sizeof *r);
	r->magic = RING_MAGIC;
	r->max = max;
	r->first = r->oldest = r->next = first;
	r->slots = mem_zero(mem_mul(max, sizeof *r->slots));
	return r;
}

static struct record **slot(const struct ring *r, uint64_t number)
{
	return &r->slots[number % r->max];
}

static void drop_oldest(struct ring *r)
{
	MEM_FREE(*slot(r, r->oldest));
	r->oldest++;
}

void ring_free(struct ring **rp)
{
	struct ring *r = *rp;
	if (r == NULL)
		return;
	CHECK(r, RING_MAGIC);
	while (r->oldest < r->next)
		drop_oldest(r);
	MEM_FREE(r->slots);
	r->magic = 0;
	MEM_FREE(*rp);
}

void ring_resize(struct ring *r, size_t max)
{
	CHECK(r, RING_MAGIC);
	assert(max > 0);
	struct record **slots = mem_zero(mem_mul(max, sizeof *slots));
	while (r->next - r->oldest > max)
		drop_oldest(r);
	for (uint64_t n = r->oldest; n < r->next; n++)
		slots[n % max] = *slot(r, n);
	free(r->slots);
	r->slots = slots;
	r->max = max;
}

void ring_add(struct ring *r, struct record **x)
{
	CHECK(r, RING_MAGIC);
	if (r->next - r->oldest == r->max)
		drop_oldest(r);
	(*x)->number = r->next;
	*slot(r, r->next++) = *x;
	*x = NULL;
}

uint64_t ring_oldest(const struct ring *r)
{
	CHECK(r, RING_MAGIC);
	return r->oldest;
}

uint64_t ring_next(const struct ring *r)
{
	CHECK(r, RING_MAGIC);
	return r->next;
}

uint64_t ring_first(const struct ring *r)
{
	CHECK(r, RING_MAGIC);
	return r->first;
}

const struct record *ring_at(const struct ring *r, uint64_t number)
{
	CHECK(r, RING_MAGIC);
	assert(number >= r->oldest && number < r->next);
	return *slot(r, number);
}
