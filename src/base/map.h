/* map.h - 64-bit keys to pointers: open addressing, grows, never shrinks. Key 0 is a key like any other. */
#pragma once
#include "base/check.h"

struct map_slot {
	uint64_t key;
	void *value; /* NULL: empty */
};

struct map {
	struct map_slot *slots;
	size_t n, cap;
};

void map_fini(struct map *m); /* values are the caller's */
/* NULL: absent. */
void *map_get(const struct map *m, uint64_t key);
/* value: not NULL. The key must be absent. */
void map_put(struct map *m, uint64_t key, void *value);
/* Takes the key out and returns its value; NULL: was absent. */
void *map_take(struct map *m, uint64_t key);
/* Walks: i starts at 0; NULL at the end. Nothing may be put or taken between calls. */
void *map_next(const struct map *m, size_t *i);
