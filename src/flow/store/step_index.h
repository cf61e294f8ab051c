/* step_index.h - where the steps of a message are, as far as memory holds it: the entries not yet
 * written to table step_key, and for each period of steps a Bloom filter, so that a message that is
 * new (nearly all are) is known as new without a look at the database. Pure; private to this
 * folder. */
#pragma once
#include "base/view.h"

enum {
	STEP_PERIOD_BITS = 16,	    /* steps a period */
	STEP_FILTER_OCTETS = 65536, /* 8 bits a step */
	STEP_FILTERS_MAX = 256,	    /* kept in memory; older periods are asked in the database */
	STEP_PERIOD_KEYS = 1 << 19,   /* keys of addresses a period, about: they are forgotten together with it, so one of large messages has fewer steps */
	STEP_BATCH = 16384,	    /* entries; each batch touches most pages of its period, so few large ones write less */
};

/* The key of a step: of its own identifier, with the digest that duplicates are known by (NULL:
 * none), or of the other one. */
uint64_t step_key(struct view local, const uint64_t digest[2]);
uint64_t step_key_other(struct view local);
/* All keys of one local identifier lie from here to here + UINT32_MAX. */
uint64_t step_key_first(struct view local);

/* Of a tracking key (track_key.h): whatever its role. The lower half is that of an other identifier, so no filter has it. */
static inline uint64_t step_key_track(uint64_t key)
{
	return (key & ~(uint64_t)UINT32_MAX) | 1;
}

static inline uint64_t step_period(uint64_t seq)
{
	return seq >> STEP_PERIOD_BITS;
}

struct step_entry {
	uint64_t key, seq;
};

struct step_index;
struct step_index *step_index_new(void);
void step_index_free(struct step_index **ix);

/* seq ascends. */
void step_index_add(struct step_index *ix, uint64_t key, uint64_t seq);
/* An entry that is in the table already, of a period whose filter is not: only the filter is
 * filled. */
void step_index_add_written(struct step_index *ix, uint64_t key, uint64_t period);
/* A filter from the database; periods come in any order. False: of the wrong size. */
MUST_CHECK bool step_index_load(struct step_index *ix, uint64_t period, struct view bits);
void step_index_forget(struct step_index *ix, uint64_t period);

/* The next unwritten entry with this key: start with *cursor = 0. */
MUST_CHECK bool step_index_find(const struct step_index *ix, uint64_t key, size_t *cursor,
				uint64_t *seq_r);
/* Periods from first on that may have the key in the table; start with *period_io = the first one,
 * goes up to the newest. */
MUST_CHECK bool step_index_maybe(const struct step_index *ix, uint64_t key, uint64_t *period_io);

size_t step_index_pending(const struct step_index *ix);
/* The unwritten entries by period, key, seq; good until the next call on ix. */
const struct step_entry *step_index_batch(struct step_index *ix);
/* They are in the database now. */
void step_index_written(struct step_index *ix);
/* The filter's octets, empty when there is none. */
struct view step_index_filter(const struct step_index *ix, uint64_t period);
