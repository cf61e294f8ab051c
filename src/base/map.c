/* map.c - linear probing with backward shift on removal, at most three quarters full. */
#include "base/map.h"

#include "base/mem.h"

static size_t home(const struct map *m, uint64_t key)
{
	return (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & (m->cap - 1);
}

void map_fini(struct map *m)
{
	free(m->slots);
	*m = (struct map){ 0 };
}

static size_t find(const struct map *m, uint64_t key)
{
	size_t i = home(m, key);
	while (m->slots[i].value != NULL && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

void *map_get(const struct map *m, uint64_t key)
{
	return m->cap == 0 ? NULL : m->slots[find(m, key)].value;
}

static void grow(struct map *m)
{
	struct map bigger = { .cap = m->cap == 0 ? 16 : mem_mul(m->cap, 2) };
	bigger.slots = mem_zero(mem_mul(bigger.cap, sizeof *bigger.slots));
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].value != NULL)
			map_put(&bigger, m->slots[i].key, m->slots[i].value);
	free(m->slots);
	*m = bigger;
}

void map_put(struct map *m, uint64_t key, void *value)
{
	assert(value != NULL);
	if ((m->n + 1) * 4 > m->cap * 3)
		grow(m);
	size_t i = find(m, key);
	assert(m->slots[i].value == NULL);
	m->slots[i] = (struct map_slot){ key, value };
	m->n++;
}

void *map_take(struct map *m, uint64_t key)
{
	if (m->cap == 0)
		return NULL;
	size_t hole = find(m, key);
	void *value = m->slots[hole].value;
	if (value == NULL)
		return NULL;
	m->n--;
	size_t mask = m->cap - 1;
	for (size_t i = (hole + 1) & mask; m->slots[i].value != NULL; i = (i + 1) & mask) {
		size_t from_home = (i - home(m, m->slots[i].key)) & mask;
		if (from_home < ((i - hole) & mask))
			continue; /* it would stand before its home */
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct map_slot){ 0, NULL };
	return value;
}

void *map_next(const struct map *m, size_t *i)
{
	while (*i < m->cap) {
		void *value = m->slots[(*i)++].value;
		if (value != NULL)
			return value;
	}
	return NULL;
}
