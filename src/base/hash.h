/* hash.h - FNV-1a, 64 bits: names of inputs, keys of tables. Not for what somebody gains by a collision. */
#pragma once
#include "base/view.h"

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Of octets after those that gave `before`; HASH_START: none. */
static inline uint64_t hash_octets(uint64_t before, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		before = (before ^ v.p[i]) * UINT64_C(0x100000001b3);
	return before;
}
