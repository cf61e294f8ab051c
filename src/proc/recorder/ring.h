/* ring.h - the last events, by numbers that only grow: the oldest goes for the newest. Pure. */
#pragma once
#include "proc/recorder/record.h"

struct ring;

/* first: number of the first one. */
struct ring *ring_new(size_t max, uint64_t first);
void ring_free(struct ring **r);
/* Another size; the oldest go when there are more. */
void ring_resize(struct ring *r, size_t max);

/* Takes it over and gives it its number. */
void ring_add(struct ring *r, struct record **x);
/* Numbers of those that are kept: from oldest up to, not including, next. The same: none. */
uint64_t ring_oldest(const struct ring *r);
uint64_t ring_next(const struct ring *r);
uint64_t ring_first(const struct ring *r); /* that was ever in it */
const struct record *ring_at(const struct ring *r, uint64_t number); /* one that is kept */
