/* arena.h - memory with one lifetime and a quota: a message, a session, a request.
 * Nothing in an arena is freed on its own. The quota is what a peer can make us
 * keep; passing it is an error of that message, never the end of the process. */
#pragma once
#include "base/view.h"

struct arena;

/* quota: octets the arena may hand out in its life between resets. Never fails. The caller owns it. */
struct arena *arena_new(size_t quota);

/* Frees *a with all that was taken from it and nulls it; a NULL *a is fine. */
void arena_free(struct arena **a);

/* Takes back everything, keeps the first block, so that a loop allocates nothing. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type, good until reset or free. NULL only when the quota is passed;
 * then arena_full() is true until reset, so that a caller may check once at its end. */
void *arena_get(struct arena *a, size_t n);

/* n * size with the product checked. */
void *arena_array(struct arena *a, size_t n, size_t size);

/* A copy of v inside the arena; an empty view (and arena_full) when the quota is passed. */
struct view arena_copy(struct arena *a, struct view v);

/* A NUL-terminated copy; NULL when the quota is passed. */
char *arena_str(struct arena *a, struct view v);

bool arena_full(const struct arena *a);

/* Octets handed out since the last reset. */
size_t arena_used(const struct arena *a);
