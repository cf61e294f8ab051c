/* memory_total.c - totals: as they are, and as they are on disk. */
#include "flow/store/memory_impl.h"

#include "base/mem.h"

static void set(struct view *at, struct view to)
{
	memory_drop(at);
	*at = memory_own(to);
}

void memory_total_settle(struct store_disk *d, bool revive)
{
	for (size_t i = 0; i < d->n_totals; i++) {
		struct total *x = &d->totals[i];
		if (revive)
			set(&x->now, x->committed);
		else if (!view_eq(x->now, x->committed))
			set(&x->committed, x->now);
	}
}

void memory_total_free(struct store_disk *d)
{
	for (size_t i = 0; i < d->n_totals; i++) {
		memory_drop(&d->totals[i].name);
		memory_drop(&d->totals[i].now);
		memory_drop(&d->totals[i].committed);
	}
	MEM_FREE(d->totals);
}

void memory_total_put(struct store *s, struct view name, struct view text)
{
	struct store_disk *d = memory_group(s)->disk;
	size_t at = 0;
	while (at < d->n_totals && view_cmp(d->totals[at].name, name) < 0)
		at++;
	if (at == d->n_totals || !view_eq(d->totals[at].name, name)) {
		d->totals = mem_grow(d->totals, mem_mul(d->n_totals + 1, sizeof *d->totals));
		memmove(&d->totals[at + 1], &d->totals[at], (d->n_totals++ - at) * sizeof *d->totals);
		d->totals[at] = (struct total){.name = memory_own(name)};
	}
	set(&d->totals[at].now, text);
}

/* One that was never committed is empty after a crash: there is none. */
void memory_totals(struct store *s, void (*each)(void *ctx, struct view name, struct view text), void *ctx)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t i = 0; i < d->n_totals; i++)
		if (d->totals[i].now.n > 0)
			each(ctx, d->totals[i].name, d->totals[i].now);
}
