/* store_partial.c - partial transfers: octets in content files, checkpoints as rows, one sync at a time. The same for every
 * implementation, which keeps rows and files. */
#include "flow/store/store.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/impl.h"

enum { SYNCS_KEPT = 256 }; /* of one file; a peer is never further behind than its window */

struct wanted {
	uint32_t serial;
	uint64_t octets;
};

struct store_partial {
	unsigned magic;
#define STORE_PARTIAL_MAGIC 0x570e0004u
	struct store *s;
	uint64_t id, octets;
	struct store_partial_name name; /* ours */
	bool has_row, resumed, broken, syncing;
	uint32_t cut_after;		/* resumed: later ones go with the next checkpoint */
	struct store_syncs files;	/* that are rows: serial, octets of the last checkpoint in each that counts */
	struct store_syncs dropped;	/* files that go with the next checkpoint */
	struct store_content *tail;	/* what comes now; NULL: nothing yet */
	uint64_t tail_start;
	struct wanted *wanted;
	size_t n_wanted, n_covered; /* covered: by the sync under way */
	store_synced_f *done;
	void *done_ctx;
	bool *closed;	    /* while it is told: says so when the handle goes */
	struct timer fails; /* tells what could not be begun */
};

void store_syncs_add(struct store_syncs *y, struct store_sync x)
{
	if (y->n == y->cap) {
		y->cap = y->cap == 0 ? 8 : mem_mul(y->cap, 2);
		y->v = mem_grow(y->v, mem_mul(y->cap, sizeof *y->v));
	}
	y->v[y->n++] = x;
}

static struct view own(struct view v)
{
	return view_of(mem_dup(v.p == NULL ? "" : (const void *)v.p, v.n), v.n);
}

static void failed_before(void *ctx);

static struct store_partial *handle(struct store *s)
{
	struct store_partial *p = mem_zero(sizeof *p);
	p->magic = STORE_PARTIAL_MAGIC;
	p->s = s;
	timer_init(&p->fails, s->env, failed_before, p);
	return p;
}

static void free_handle(struct store_partial *p)
{
	free((void *)(uintptr_t)p->name.link.p);
	free((void *)(uintptr_t)p->name.host.p);
	free((void *)(uintptr_t)p->name.reference.p);
	free(p->files.v);
	free(p->dropped.v);
	free(p->wanted);
	p->magic = 0;
	free(p);
}

static bool is_over(const struct store *s, struct err *e)
{
	if (s->over)
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store: no octets are taken, the store has failed");
	return s->over;
}

struct store_partial *store_partial_new(struct store *s, const struct store_partial_name *name, struct err *e)
{
	CHECK(s, STORE_MAGIC);
	struct store_content *tail = is_over(s, e) ? NULL : s->ops->content_new(s, e);
	if (tail == NULL)
		return NULL;
	struct store_partial *p = handle(s);
	p->tail = tail;
	p->id = tail->file;
	p->name = (struct store_partial_name){own(name->link), own(name->host), own(name->reference), name->activity};
	return p;
}

uint64_t store_partial_id(const struct store_partial *p)
{
	CHECK(p, STORE_PARTIAL_MAGIC);
	return p->id;
}

uint64_t store_partial_octets(const struct store_partial *p)
{
	CHECK(p, STORE_PARTIAL_MAGIC);
	return p->octets;
}

static bool has_tail(struct store_partial *p, struct err *e)
{
	if (p->tail == NULL) {
		p->tail = p->s->ops->content_new(p->s, e);
		p->tail_start = p->octets;
	}
	return p->tail != NULL;
}

bool store_partial_append(struct store_partial *p, struct view octets, struct err *e)
{
	CHECK(p, STORE_PARTIAL_MAGIC);
	if (p->broken)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store: partial transfer %llu has failed before",
			       (unsigned long long)p->id);
	if (is_over(p->s, e) || !has_tail(p, e) || !p->s->ops->content_append(p->tail, octets, e)) {
		p->broken = true;
		return false;
	}
	p->tail->size += octets.n;
	p->octets += octets.n;
	return true;
}

/* --- checkpoints --- */
static void put_row(struct store_partial *p)
{
	const struct store_ops *ops = p->s->ops;
	if (!p->has_row)
		ops->partial_put(p->s, p->id, &p->name);
	p->has_row = true;
	if (!p->resumed)
		return;
	ops->partial_cut(p->s, p->id, p->cut_after);
	for (size_t i = 0; i < p->dropped.n; i++)
		ops->partial_file_goes(p->s, p->dropped.v[i].file);
	p->resumed = false;
	p->dropped.n = 0;
}

static void put_syncs(struct store_partial *p)
{
	struct store_sync y = {.file = p->tail->file, .start = p->tail_start};
	put_row(p);
	for (size_t i = 0; i < p->n_covered; i++) {
		y.serial = p->wanted[i].serial;
		y.octets = p->wanted[i].octets;
		p->s->ops->partial_put_sync(p->s, p->id, &y);
	}
	if (!p->tail->put)
		store_syncs_add(&p->files, y);
	p->tail->put = true;
	p->files.v[p->files.n - 1] = y;
	if (y.serial > SYNCS_KEPT)
		p->s->ops->partial_trim(p->s, p->id, y.serial - SYNCS_KEPT + 1, y.file);
}

static void begin_sync(struct store_partial *p);

/* How many are told, taken out; the caller frees them. */
static struct wanted *take_covered(struct store_partial *p, size_t *n_r)
{
	struct wanted *all = p->wanted;
	*n_r = p->n_covered;
	p->n_wanted -= p->n_covered;
	p->n_covered = 0;
	p->wanted = p->n_wanted == 0 ? NULL : mem_dup(all + *n_r, mem_mul(p->n_wanted, sizeof *all));
	return all;
}

/* The handle may be closed by whom it tells. */
static void tell(struct store_partial *p, const struct err *failed)
{
	bool closed = false;
	size_t n;
	struct wanted *told = take_covered(p, &n);
	store_synced_f *done = p->done;
	void *ctx = p->done_ctx;
	if (p->n_wanted > 0)
		begin_sync(p);
	p->closed = &closed;
	for (size_t i = 0; i < n && !closed; i++)
		done(ctx, told[i].serial, told[i].octets, failed);
	if (!closed)
		p->closed = NULL;
	free(told);
}

static void failed_before(void *ctx)
{
	struct store_partial *p = ctx;
	CHECK(p, STORE_PARTIAL_MAGIC);
	struct err e;
	err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "store: partial transfer %llu has failed", (unsigned long long)p->id);
	p->syncing = false;
	p->n_covered = p->n_wanted;
	tell(p, &e);
}

static void synced(void *ctx, const struct err *failed)
{
	struct store_partial *p = ctx;
	CHECK(p, STORE_PARTIAL_MAGIC);
	if (failed != NULL || p->s->over || FAULT(STORE_PARTIAL)) { /* nothing more will be on disk */
		p->broken = true;
		failed_before(p);
		return;
	}
	p->syncing = false;
	put_syncs(p);
	tell(p, NULL);
}

static void begin_sync(struct store_partial *p)
{
	p->syncing = true;
	p->n_covered = p->n_wanted;
	p->tail->syncing = true;
	p->tail->done = synced;
	p->tail->done_ctx = p;
	p->s->ops->content_sync(p->tail);
}

void store_partial_sync(struct store_partial *p, uint32_t serial, store_synced_f *done, void *ctx)
{
	CHECK(p, STORE_PARTIAL_MAGIC);
	p->wanted = mem_grow(p->wanted, mem_mul(p->n_wanted + 1, sizeof *p->wanted));
	p->wanted[p->n_wanted++] = (struct wanted){serial, p->octets};
	p->done = done;
	p->done_ctx = ctx;
	if (p->syncing)
		return;
	if (!p->broken && !p->s->over && has_tail(p, NULL)) {
		begin_sync(p);
		return;
	}
	p->broken = p->syncing = true;
	timer_after(&p->fails, 0);
}

void store_partial_close(struct store_partial **pp)
{
	struct store_partial *p = *pp;
	if (p == NULL)
		return;
	CHECK(p, STORE_PARTIAL_MAGIC);
	timer_stop(&p->fails);
	if (p->tail != NULL) {
		p->tail->done = NULL;
		p->s->ops->content_free(p->tail);
	}
	if (p->closed != NULL)
		*p->closed = true;
	free_handle(p);
	*pp = NULL;
}

/* --- what there is --- */
void store_partials(struct store *s, store_partial_f *each, void *ctx)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->partials(s, each, ctx);
}

static bool has_file(const struct store_syncs *y, uint64_t file)
{
	for (size_t i = 0; i < y->n; i++)
		if (y->v[i].file == file)
			return true;
	return false;
}

/* Of each file its last row up to the serial; *last_r is the row of that. */
static bool read_files(struct store_partial *p, uint32_t serial, const struct store_syncs *rows, struct store_sync *last_r)
{
	bool found = false;
	for (size_t i = 0; i < rows->n; i++) {
		const struct store_sync y = rows->v[i];
		if (serial != 0 && y.serial > serial) {
			if (!has_file(&p->files, y.file) && !has_file(&p->dropped, y.file))
				store_syncs_add(&p->dropped, y);
			continue;
		}
		if (has_file(&p->files, y.file))
			p->files.v[p->files.n - 1] = y;
		else
			store_syncs_add(&p->files, y);
		found = serial == 0 || y.serial == serial;
		*last_r = y;
	}
	return found;
}

struct store_partial *store_partial_resume(struct store *s, uint64_t id, uint32_t serial, struct err *e)
{
	CHECK(s, STORE_MAGIC);
	struct store_syncs rows = {0};
	struct store_sync last;
	if (is_over(s, e))
		return NULL;
	struct store_partial *p = handle(s);
	s->ops->partial_syncs(s, id, &rows);
	const bool found = read_files(p, serial, &rows, &last);
	free(rows.v);
	if (!found) {
		err_set(e, ERR_PERM, ERR_OF_ASSOCIATION, "store: partial transfer %llu is not there, or has no checkpoint %lu",
			(unsigned long long)id, (unsigned long)serial);
		free_handle(p);
		return NULL;
	}
	p->id = id;
	p->octets = last.octets;
	p->has_row = p->resumed = true;
	p->cut_after = last.serial;
	return p;
}

/* The file that has this octet, and where in it; how many follow there. False: none. */
static bool file_at(const struct store_partial *p, uint64_t offset, uint64_t *file_r, uint64_t *at_r, uint64_t *left_r)
{
	const struct store_content *tail = p->tail;
	if (tail != NULL && offset >= p->tail_start) {
		*file_r = tail->file;
		*at_r = offset - p->tail_start;
		*left_r = p->octets - offset;
		return *left_r > 0;
	}
	for (size_t i = 0; i < p->files.n; i++) {
		const struct store_sync *y = &p->files.v[i];
		if (offset < y->start || offset >= y->octets)
			continue;
		*file_r = y->file;
		*at_r = offset - y->start;
		*left_r = y->octets - offset;
		return true;
	}
	return false;
}

bool store_partial_read(struct store_partial *p, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	CHECK(p, STORE_PARTIAL_MAGIC);
	size_t got = 0;
	uint64_t file, at, left;
	if (is_over(p->s, e))
		return false;
	while (got < n && file_at(p, offset + got, &file, &at, &left)) {
		const size_t want = left < n - got ? (size_t)left : n - got;
		size_t more;
		if (!p->s->ops->partial_read(p->s, file, at, (uint8_t *)buf + got, want, &more, e))
			return false;
		if (more < want)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store: partial transfer %llu ends at %llu of %llu octets",
				       (unsigned long long)p->id, (unsigned long long)(offset + got + more), (unsigned long long)p->octets);
		got += more;
	}
	*got_r = got;
	return true;
}

void store_partial_remove(struct store *s, uint64_t id)
{
	CHECK(s, STORE_MAGIC);
	struct store_syncs rows = {0};
	if (s->over)
		return;
	s->ops->partial_syncs(s, id, &rows);
	for (size_t i = 0; i < rows.n; i++)
		if (i == 0 || rows.v[i].file != rows.v[i - 1].file)
			s->ops->partial_file_goes(s, rows.v[i].file);
	if (rows.n > 0)
		s->ops->partial_end(s, id);
	free(rows.v);
}
