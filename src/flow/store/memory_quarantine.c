/* memory_quarantine.c - suspects, and what is kept out of the queues. */
#include "flow/store/memory_impl.h"

#include "base/mem.h"

static struct suspect *suspect_of(struct store_disk *d, struct view key)
{
	size_t at = 0;
	while (at < d->n_suspects && view_cmp(d->suspects[at].key, key) < 0)
		at++;
	if (at < d->n_suspects && view_eq(d->suspects[at].key, key))
		return &d->suspects[at];
	d->suspects = mem_grow(d->suspects, mem_mul(d->n_suspects + 1, sizeof *d->suspects));
	memmove(&d->suspects[at + 1], &d->suspects[at],
		(d->n_suspects++ - at) * sizeof *d->suspects);
	d->suspects[at] = (struct suspect){.key = memory_name(d, key)};
	return &d->suspects[at];
}

void memory_suspect_put(struct store *s, struct view key, uint32_t strikes, struct view words)
{
	struct store_disk *d = memory_of(s)->disk;
	struct suspect *x = suspect_of(d, key);
	if (strikes == 0 && x->now.n == 0)
		return;
	memory_group(s);
	x->now = (struct strikes){strikes, env_wall_ms(s->env), memory_name(d, words)};
}

/* By key, because they may change meanwhile. */
void memory_suspects(struct store *s, store_suspect_f *each, void *ctx)
{
	const struct store_disk *d = memory_of(s)->disk;
	struct arena *a = arena_new(SIZE_MAX);
	const size_t n = d->n_suspects;
	struct suspect *all = arena_array(a, n, sizeof *all);
	if (n > 0)
		memcpy(all, d->suspects, n * sizeof *all);
	for (size_t i = 0; i < n; i++)
		if (all[i].now.n > 0)
			each(ctx, arena_str(a, all[i].key), all[i].now.n, all[i].now.at,
			     arena_str(a, all[i].now.words));
	arena_free(&a);
}

void memory_quarantine(struct store *s, uint64_t transfer, uint32_t strikes, struct view cause,
		       struct view words)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = memory_part(s, transfer, false);
	if (t == NULL)
		return;
	memory_group(s);
	t->now.quarantined = true;
	t->now.tried = (struct view){NULL, 0};
	t->now.state = STORE_QUARANTINE_KEPT;
	t->now.strikes = strikes;
	t->now.at = env_wall_ms(s->env);
	t->now.cause = memory_name(d, cause);
	t->now.words = memory_name(d, words);
}

uint64_t memory_put_octets(struct store *s, const struct store_octets *o)
{
	struct memory *m = memory_group(s);
	struct store_disk *d = m->disk;
	struct row_message *row = memory_add(&d->messages, sizeof *row, d->next_id++, m->group);
	row->content = memory_own(o->content);
	row->peer = memory_own(o->link);
	row->file = o->file == NULL ? 0 : o->file->file;
	row->size = o->file == NULL ? o->content.n : o->file->size;
	row->priority = PRIORITY_NORMAL;
	row->arrived = o->arrived;
	struct row_transfer *t = memory_add(&d->transfers, sizeof *t, d->next_id++, m->group);
	t->message = row->life.id;
	t->octets = true;
	t->key = memory_own(o->key);
	t->now = (struct schedule){.queue = memory_name(d, o->link),
				   .quarantined = true,
				   .state = o->state,
				   .at = env_wall_ms(s->env),
				   .cause = memory_name(d, o->cause),
				   .words = memory_name(d, o->words)};
	return t->life.id;
}

void memory_quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state,
			   uint32_t strikes, struct view cause, struct view words)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = memory_part(s, id, true);
	if (t == NULL)
		return;
	memory_group(s);
	t->now.state = state;
	t->now.strikes = strikes;
	if (cause.p != NULL)
		t->now.cause = memory_name(d, cause);
	if (words.p != NULL)
		t->now.words = memory_name(d, words);
}

void memory_quarantine_release(struct store *s, uint64_t id, struct view queue, wall_ms_t next_ms)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = memory_part(s, id, true);
	if (t == NULL || t->octets)
		return;
	memory_group(s);
	t->now.quarantined = false;
	t->now.queue = memory_name(d, queue);
	t->now.next_ms = next_ms;
}

void memory_quarantine_remove(struct store *s, uint64_t id)
{
	struct row_transfer *t = memory_part(s, id, true);
	if (t == NULL)
		return;
	struct memory *m = memory_group(s);
	t->life.died = m->group;
	memory_release(m, t->message);
}

bool memory_load_quarantine(struct store *s, uint64_t id, struct store_quarantine *z,
			    struct arena *a, struct err *e)
{
	const struct row_transfer *t = memory_part(s, id, true);
	if (t == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "store: there is nothing in quarantine with id %llu",
			       (unsigned long long)id);
	const struct row_message *row = memory_find(&memory_of(s)->disk->messages, t->message);
	assert(row != NULL);
	*z = (struct store_quarantine){.id = id,
				       .message = t->message,
				       .state = t->now.state,
				       .octets = t->octets,
				       .at = t->now.at,
				       .strikes = t->now.strikes,
				       .size = row->size,
				       .link = arena_copy(a, t->now.queue),
				       .cause = arena_copy(a, t->now.cause),
				       .words = arena_copy(a, t->now.words),
				       .key = arena_copy(a, t->key)};
	return true;
}

size_t memory_quarantine_next(struct store *s, enum store_quarantine_state state, uint64_t after,
			      uint64_t *ids, size_t max)
{
	const struct store_disk *d = memory_of(s)->disk;
	size_t n = 0;
	for (size_t i = 0; i < d->transfers.n && n < max; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		if (t->life.died == 0 && t->now.quarantined && t->now.state == state &&
		    t->life.id > after)
			ids[n++] = t->life.id;
	}
	return n;
}
