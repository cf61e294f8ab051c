/* memory_partial.c - rows of partial transfers in memory. */
#include "flow/store/memory_impl.h"

#include "base/mem.h"

static struct row_partial *partial_at(const struct store_disk *d, size_t i)
{
	return CONTAINER(d->partials.v[i], struct row_partial, life);
}

static struct row_sync *sync_at(const struct store_disk *d, size_t i)
{
	return CONTAINER(d->syncs.v[i], struct row_sync, life);
}

static void nothing(struct life *row)
{
	(void)row;
}

void memory_partial_settle(struct store_disk *d, bool revive)
{
	memory_settle(&d->partials, d->committed, revive, nothing);
	memory_settle(&d->syncs, d->committed, revive, nothing);
}

void memory_partial_free(struct store_disk *d)
{
	memory_free_table(&d->partials, nothing);
	memory_free_table(&d->syncs, nothing);
}

bool memory_partial_wants(const struct store_disk *d, uint64_t file)
{
	for (size_t i = 0; i < d->syncs.n; i++)
		if (sync_at(d, i)->sync.file == file)
			return true;
	return false;
}

static struct store_partial_name keep_name(struct store_disk *d, const struct store_partial_name *name)
{
	return (struct store_partial_name){memory_name(d, name->link), memory_name(d, name->host), memory_name(d, name->reference),
					   name->activity};
}

/* The id is that of its first file, which may be older than that of another: kept in order by hand. */
void memory_partial_put(struct store *s, uint64_t id, const struct store_partial_name *name)
{
	struct memory *m = memory_group(s);
	struct table *t = &m->disk->partials;
	struct row_partial *p = memory_add(t, sizeof *p, UINT64_MAX, m->group);
	p->life.id = id;
	p->started = env_wall_ms(s->env);
	p->name = keep_name(m->disk, name);
	for (size_t i = t->n - 1; i > 0 && t->v[i - 1]->id > id; i--) {
		t->v[i] = t->v[i - 1];
		t->v[i - 1] = &p->life;
	}
}

void memory_partial_put_sync(struct store *s, uint64_t id, const struct store_sync *y)
{
	struct memory *m = memory_group(s);
	struct row_sync *row = memory_add(&m->disk->syncs, sizeof *row, m->disk->next_id++, m->group);
	row->partial = id;
	row->sync = *y;
}

static void end_syncs(struct store *s, uint64_t id, uint32_t from, uint32_t to, uint64_t file)
{
	struct memory *m = memory_group(s);
	for (size_t i = 0; i < m->disk->syncs.n; i++) {
		struct row_sync *row = sync_at(m->disk, i);
		if (row->life.died == 0 && row->partial == id && row->sync.serial >= from && row->sync.serial <= to &&
		    (file == 0 || row->sync.file == file))
			row->life.died = m->group;
	}
}

void memory_partial_cut(struct store *s, uint64_t id, uint32_t after)
{
	if (after < UINT32_MAX)
		end_syncs(s, id, after + 1, UINT32_MAX, 0);
}

void memory_partial_trim(struct store *s, uint64_t id, uint32_t before, uint64_t file)
{
	end_syncs(s, id, 0, before - 1, file);
}

void memory_partial_end(struct store *s, uint64_t id)
{
	struct memory *m = memory_group(s);
	struct row_partial *p = memory_find(&m->disk->partials, id);
	if (p != NULL)
		p->life.died = m->group;
	end_syncs(s, id, 0, UINT32_MAX, 0);
}

void memory_partial_file_goes(struct store *s, uint64_t file)
{
	struct memory *m = memory_group(s);
	struct row_file *row = memory_find(&m->disk->files, file);
	if (row != NULL)
		row->life.died = m->group;
}

void memory_partial_syncs(struct store *s, uint64_t id, struct store_syncs *syncs)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t i = 0; i < d->syncs.n; i++) { /* by time, which is by serial: later ones were cut */
		const struct row_sync *row = sync_at(d, i);
		if (row->life.died == 0 && row->partial == id)
			store_syncs_add(syncs, row->sync);
	}
}

void memory_partials(struct store *s, store_partial_f *each, void *ctx)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t i = 0; i < d->partials.n; i++) {
		const struct row_partial *p = partial_at(d, i);
		struct store_syncs syncs = {0};
		if (p->life.died != 0)
			continue;
		memory_partial_syncs(s, p->life.id, &syncs);
		assert(syncs.n > 0);
		const struct store_partial_row row = {p->life.id, p->name, p->started, syncs.v[syncs.n - 1].serial,
						      syncs.v[syncs.n - 1].octets};
		free(syncs.v);
		each(ctx, &row);
	}
}

bool memory_partial_read(struct store *s, uint64_t file, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	const struct row_file *row = memory_find(&memory_of(s)->disk->files, file);
	if (row == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store: there is no content file %llu", (unsigned long long)file);
	const struct view all = out_view(&row->octets);
	const struct view part = view_first(offset > all.n ? (struct view){NULL, 0} : view_from(all, (size_t)offset), n);
	if (part.n > 0)
		memcpy(buf, part.p, part.n);
	*got_r = part.n;
	return true;
}
