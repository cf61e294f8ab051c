/* step_index.c - see step_index.h. */
#include "flow/store/step_index.h"

#include "base/hash.h"
#include "base/mem.h"

enum { BLOCK_WORDS = 8, BLOCKS = STEP_FILTER_OCTETS / 64, BITS_A_KEY = 6, NO_ENTRY = 0 };

struct entry {
	struct step_entry e;
	uint32_t next; /* 1 + place of the next one in its bucket */
};

struct filter {
	uint64_t period;
	uint64_t *words;
};

struct step_index {
	unsigned magic;
#define STEP_INDEX_MAGIC 0x57e91de5u
	struct entry *v;
	size_t n, cap;
	uint32_t *buckets; /* cap of them, a power of two */
	struct step_entry *batch;
	struct filter *filters; /* by period */
	size_t n_filters;
	uint64_t newest;
};

/* Stafford's finalizer: every bit of x changes half of the result's. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t hash(struct view v)
{
	return mix(hash_octets(HASH_START, v));
}

uint64_t step_key_first(struct view local)
{
	return hash(local) << 32;
}

/* The lower half is 0 for a step without digest and 1 for the other identifier, so a digest's is
 * neither. */
uint64_t step_key(struct view local, const uint64_t digest[2])
{
	if (digest == NULL)
		return step_key_first(local);
	const uint32_t low = (uint32_t)mix(digest[0] ^ mix(digest[1]));
	return step_key_first(local) | (low < 2 ? low + 2 : low);
}

uint64_t step_key_other(struct view local)
{
	return step_key_first(local) | 1;
}

static bool has_digest(uint64_t key)
{
	return (uint32_t)key >= 2;
}

struct step_index *step_index_new(void)
{
	struct step_index *ix = mem_zero(sizeof *ix);
	ix->magic = STEP_INDEX_MAGIC;
	ix->cap = STEP_BATCH * 2;
	ix->v = mem_alloc(mem_mul(ix->cap, sizeof *ix->v));
	ix->buckets = mem_zero(mem_mul(ix->cap, sizeof *ix->buckets));
	return ix;
}

void step_index_free(struct step_index **ix)
{
	if (*ix == NULL)
		return;
	CHECK(*ix, STEP_INDEX_MAGIC);
	for (size_t i = 0; i < (*ix)->n_filters; i++)
		free((*ix)->filters[i].words);
	free((*ix)->filters);
	free((*ix)->v);
	free((*ix)->buckets);
	free((*ix)->batch);
	(*ix)->magic = 0;
	MEM_FREE(*ix);
}

/* --- filters --- */
/* Where the period's filter is or belongs. */
static size_t place_of(const struct step_index *ix, uint64_t period)
{
	size_t i = ix->n_filters; /* nearly always the newest */
	while (i > 0 && ix->filters[i - 1].period >= period)
		i--;
	return i;
}

static const struct filter *filter_of(const struct step_index *ix, uint64_t period)
{
	const size_t i = place_of(ix, period);
	return i < ix->n_filters && ix->filters[i].period == period ? &ix->filters[i] : NULL;
}

static void remove_filter(struct step_index *ix, size_t i)
{
	free(ix->filters[i].words);
	memmove(&ix->filters[i], &ix->filters[i + 1],
		(ix->n_filters - i - 1) * sizeof *ix->filters);
	ix->n_filters--;
}

/* NULL: older than all those kept. */
static uint64_t *make_filter(struct step_index *ix, uint64_t period)
{
	const struct filter *f = filter_of(ix, period);
	if (f != NULL)
		return f->words;
	if (ix->n_filters == STEP_FILTERS_MAX) {
		if (period < ix->filters[0].period)
			return NULL;
		remove_filter(ix, 0);
	}
	const size_t i = place_of(ix, period);
	ix->filters = mem_grow(ix->filters, mem_mul(ix->n_filters + 1, sizeof *ix->filters));
	memmove(&ix->filters[i + 1], &ix->filters[i], (ix->n_filters - i) * sizeof *ix->filters);
	ix->filters[i] = (struct filter){period, mem_zero(STEP_FILTER_OCTETS)};
	ix->n_filters++;
	if (period > ix->newest)
		ix->newest = period;
	return ix->filters[i].words;
}

/* All bits of a key lie in one block, which is one cache line. */
static void filter_add(uint64_t *words, uint64_t key)
{
	uint64_t h = mix(key);
	uint64_t *block = words + (h % BLOCKS) * BLOCK_WORDS;
	h >>= 10;
	for (unsigned i = 0; i < BITS_A_KEY; i++, h >>= 9)
		block[h >> 6 & 7] |= UINT64_C(1) << (h & 63);
}

static bool filter_has(const uint64_t *words, uint64_t key)
{
	uint64_t h = mix(key);
	const uint64_t *block = words + (h % BLOCKS) * BLOCK_WORDS;
	h >>= 10;
	for (unsigned i = 0; i < BITS_A_KEY; i++, h >>= 9)
		if ((block[h >> 6 & 7] >> (h & 63) & 1) == 0)
			return false;
	return true;
}

void step_index_add_written(struct step_index *ix, uint64_t key, uint64_t period)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	uint64_t *words = make_filter(ix, period);
	if (words != NULL && has_digest(key))
		filter_add(words, key);
}

bool step_index_load(struct step_index *ix, uint64_t period, struct view bits)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	if (bits.n != STEP_FILTER_OCTETS)
		return false;
	uint64_t *words = make_filter(ix, period);
	if (words != NULL)
		memcpy(words, bits.p, bits.n);
	return true;
}

void step_index_forget(struct step_index *ix, uint64_t period)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	const struct filter *f = filter_of(ix, period);
	if (f != NULL)
		remove_filter(ix, (size_t)(f - ix->filters));
}

bool step_index_maybe(const struct step_index *ix, uint64_t key, uint64_t *period_io)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	if (ix->n_filters == 0)
		return false;
	if (*period_io < ix->filters[0].period)
		return true;
	for (size_t i = place_of(ix, *period_io); i < ix->n_filters; i++)
		if (filter_has(ix->filters[i].words, key)) {
			*period_io = ix->filters[i].period;
			return true;
		}
	return false;
}

struct view step_index_filter(const struct step_index *ix, uint64_t period)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	const struct filter *f = filter_of(ix, period);
	return f == NULL ? (struct view){NULL, 0} : view_of(f->words, STEP_FILTER_OCTETS);
}

/* --- entries not yet written --- */
static uint32_t *bucket_of(const struct step_index *ix, uint64_t key)
{
	return &ix->buckets[mix(key) & (ix->cap - 1)];
}

static void chain(struct step_index *ix, size_t i)
{
	uint32_t *bucket = bucket_of(ix, ix->v[i].e.key);
	ix->v[i].next = *bucket;
	*bucket = (uint32_t)(i + 1);
}

static void grow(struct step_index *ix)
{
	ix->cap = mem_mul(ix->cap, 2);
	assert(ix->cap < UINT32_MAX);
	ix->v = mem_grow(ix->v, mem_mul(ix->cap, sizeof *ix->v));
	free(ix->buckets);
	ix->buckets = mem_zero(mem_mul(ix->cap, sizeof *ix->buckets));
	for (size_t i = 0; i < ix->n; i++)
		chain(ix, i);
}

void step_index_add(struct step_index *ix, uint64_t key, uint64_t seq)
{
	step_index_add_written(ix, key, step_period(seq));
	if (ix->n == ix->cap)
		grow(ix);
	ix->v[ix->n].e = (struct step_entry){key, seq};
	chain(ix, ix->n++);
}

bool step_index_find(const struct step_index *ix, uint64_t key, size_t *cursor, uint64_t *seq_r)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	uint32_t i = *cursor == 0 ? *bucket_of(ix, key) : ix->v[*cursor - 1].next;
	while (i != NO_ENTRY && ix->v[i - 1].e.key != key)
		i = ix->v[i - 1].next;
	if (i == NO_ENTRY)
		return false;
	*cursor = i;
	*seq_r = ix->v[i - 1].e.seq;
	return true;
}

size_t step_index_pending(const struct step_index *ix)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	return ix->n;
}

static int entry_cmp(const void *a, const void *b)
{
	const struct step_entry *x = a, *y = b;
	const uint64_t px = step_period(x->seq), py = step_period(y->seq);
	if (px != py)
		return px < py ? -1 : 1;
	if (x->key != y->key) /* SQLite's integers are signed */
		return (int64_t)x->key < (int64_t)y->key ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

const struct step_entry *step_index_batch(struct step_index *ix)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	ix->batch = mem_grow(ix->batch, mem_mul(ix->n, sizeof *ix->batch));
	for (size_t i = 0; i < ix->n; i++)
		ix->batch[i] = ix->v[i].e;
	qsort(ix->batch, ix->n, sizeof *ix->batch, entry_cmp);
	return ix->batch;
}

void step_index_written(struct step_index *ix)
{
	CHECK(ix, STEP_INDEX_MAGIC);
	ix->n = 0;
	memset(ix->buckets, 0, ix->cap * sizeof *ix->buckets);
}
