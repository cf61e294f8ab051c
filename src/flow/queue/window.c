/* window.c - the part of a link's queue that is in memory (queue.h): for each priority a ring with
 * two ends. */
#include "flow/queue/queue.h"

#include "base/mem.h"

enum { RING_FIRST = 16, REFILL_PART = 4 };

struct ring {
	struct queue_entry *v; /* cap of them, a power of two; grows as needed, so that an idle link
				  costs little */
	size_t head, n, cap;
};

struct queue_window {
	unsigned magic;
#define QUEUE_WINDOW_MAGIC 0x3e0e1d07u
	size_t max;
	struct ring rings[PRIORITY_COUNT];
};

struct queue_window *queue_window_new(size_t max)
{
	assert(max > 0);
	struct queue_window *w = mem_zero(sizeof *w);
	w->magic = QUEUE_WINDOW_MAGIC;
	w->max = max;
	return w;
}

void queue_window_free(struct queue_window **w)
{
	if (*w == NULL)
		return;
	CHECK(*w, QUEUE_WINDOW_MAGIC);
	(*w)->magic = 0;
	for (unsigned p = 0; p < PRIORITY_COUNT; p++)
		free((*w)->rings[p].v);
	free(*w);
	*w = NULL;
}

static void make_room(struct ring *r)
{
	if (r->n < r->cap)
		return;
	size_t cap = r->cap == 0 ? RING_FIRST : mem_mul(r->cap, 2);
	struct queue_entry *v = mem_alloc(mem_mul(cap, sizeof *v));
	for (size_t i = 0; i < r->n; i++)
		v[i] = r->v[(r->head + i) & (r->cap - 1)];
	free(r->v);
	*r = (struct ring){v, 0, r->n, cap};
}

bool queue_window_push(struct queue_window *w, struct queue_entry e)
{
	CHECK(w, QUEUE_WINDOW_MAGIC);
	assert(e.priority < PRIORITY_COUNT);
	struct ring *r = &w->rings[e.priority];
	if (r->n >= w->max)
		return false;
	make_room(r);
	r->v[(r->head + r->n++) & (r->cap - 1)] = e;
	return true;
}

void queue_window_unget(struct queue_window *w, struct queue_entry e)
{
	CHECK(w, QUEUE_WINDOW_MAGIC);
	assert(e.priority < PRIORITY_COUNT);
	struct ring *r = &w->rings[e.priority];
	make_room(r);
	r->head = (r->head - 1) & (r->cap - 1);
	r->v[r->head] = e;
	r->n++;
}

bool queue_window_take(struct queue_window *w, enum priority least, struct queue_entry *e_r)
{
	CHECK(w, QUEUE_WINDOW_MAGIC);
	for (unsigned p = PRIORITY_COUNT; p-- > (unsigned)least;) {
		struct ring *r = &w->rings[p];
		if (r->n == 0)
			continue;
		*e_r = r->v[r->head];
		r->head = (r->head + 1) & (r->cap - 1);
		r->n--;
		return true;
	}
	return false;
}

bool queue_window_remove(struct queue_window *w, enum priority p, uint64_t transfer)
{
	CHECK(w, QUEUE_WINDOW_MAGIC);
	assert(p < PRIORITY_COUNT);
	struct ring *r = &w->rings[p];
	size_t i = 0;
	while (i < r->n && r->v[(r->head + i) & (r->cap - 1)].transfer != transfer)
		i++;
	if (i == r->n)
		return false;
	for (r->n--; i < r->n; i++)
		r->v[(r->head + i) & (r->cap - 1)] = r->v[(r->head + i + 1) & (r->cap - 1)];
	return true;
}

size_t queue_window_count(const struct queue_window *w, enum priority p)
{
	CHECK(w, QUEUE_WINDOW_MAGIC);
	assert(p < PRIORITY_COUNT);
	return w->rings[p].n;
}

size_t queue_window_total(const struct queue_window *w)
{
	size_t n = 0;
	for (unsigned p = 0; p < PRIORITY_COUNT; p++)
		n += queue_window_count(w, (enum priority)p);
	return n;
}

bool queue_window_wants_refill(const struct queue_window *w, enum priority p)
{
	return queue_window_count(w, p) < (w->max + REFILL_PART - 1) / REFILL_PART;
}

size_t queue_window_room(const struct queue_window *w, enum priority p)
{
	size_t n = queue_window_count(w, p);
	return n >= w->max ? 0 : w->max - n;
}
