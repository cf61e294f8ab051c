/* memory.c - the store of tests and of the simulator. All rows lie in the disk, which outlives the
 * store; each says in which group it was born and died, so that opening can take back what was
 * never committed. Lookups scan: it is small by nature. */
#include "flow/store/memory_impl.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/record.h"

enum { FORGET_MAX = 1000, ROW_MAX = 256 * 1024 * 1024 };

struct memory_content {
	struct store_content c;
	struct row_file *row;
};

struct view memory_own(struct view v)
{
	return v.n == 0 ? (struct view){NULL, 0} : view_of(mem_dup(v.p, v.n), v.n);
}

/* Takes what was built; the builder is empty after. */
static struct view own_out(struct out *o)
{
	assert(!o->bad);
	const struct view v = memory_own(out_view(o));
	out_fini(o);
	return v;
}

void memory_drop(struct view *v)
{
	free((void *)(uintptr_t)v->p);
	*v = (struct view){NULL, 0};
}

/* --- tables --- */
void *memory_add(struct table *t, size_t size, uint64_t id, uint64_t born)
{
	assert(t->n == 0 || t->v[t->n - 1]->id < id);
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 64 : mem_mul(t->cap, 2);
		t->v = mem_grow(t->v, mem_mul(t->cap, sizeof *t->v));
	}
	struct life *row = mem_zero(size);
	row->id = id;
	row->born = born;
	t->v[t->n++] = row;
	return row;
}

void *memory_find(const struct table *t, uint64_t id)
{
	size_t low = 0, high = t->n;
	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		if (t->v[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n && t->v[low]->id == id && t->v[low]->died == 0 ? t->v[low] : NULL;
}

/* Frees what is dead for good (revive false), or takes back what was never committed (revive true).
 */
void memory_settle(struct table *t, uint64_t committed, bool revive, void (*fini)(struct life *row))
{
	size_t kept = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct life *row = t->v[i];
		if (revive && row->died > committed)
			row->died = 0;
		if ((revive && row->born > committed) ||
		    (row->died != 0 && row->died <= committed)) {
			fini(row);
			free(row);
		} else {
			t->v[kept++] = row;
		}
	}
	t->n = kept;
}

static void message_fini(struct life *row)
{
	struct row_message *m = CONTAINER(row, struct row_message, life);
	memory_drop(&m->envelope);
	memory_drop(&m->recipients);
	memory_drop(&m->content);
	memory_drop(&m->peer);
}

static void delivery_fini(struct life *row)
{
	memory_drop(&CONTAINER(row, struct row_delivery, life)->mailbox);
}

static void step_fini(struct life *row)
{
	struct row_step *step = CONTAINER(row, struct row_step, life);
	memory_drop(&step->id);
	memory_drop(&step->other);
	memory_drop(&step->peer);
	memory_drop(&step->text);
}

static void file_fini(struct life *row)
{
	out_fini(&CONTAINER(row, struct row_file, life)->octets);
}

static void transfer_settle(struct row_transfer *t, bool revive)
{
	if (revive)
		t->now = t->committed;
	else
		t->committed = t->now;
}

static void part_fini(struct life *row)
{
	memory_drop(&CONTAINER(row, struct row_transfer, life)->key);
}

static void settle(struct store_disk *d, bool revive)
{
	memory_settle(&d->messages, d->committed, revive, message_fini);
	memory_settle(&d->transfers, d->committed, revive, part_fini);
	memory_settle(&d->deliveries, d->committed, revive, delivery_fini);
	memory_settle(&d->steps, d->committed, revive, step_fini);
	memory_settle(&d->files, d->committed, revive, file_fini);
	memory_partial_settle(d, revive);
	memory_total_settle(d, revive);
	for (size_t i = 0; i < d->transfers.n; i++)
		transfer_settle(CONTAINER(d->transfers.v[i], struct row_transfer, life), revive);
	for (size_t i = 0; i < d->n_suspects; i++) {
		struct suspect *x = &d->suspects[i];
		if (revive)
			x->now = x->committed;
		else
			x->committed = x->now;
	}
}

struct store_disk *store_disk_new(void)
{
	struct store_disk *d = mem_zero(sizeof *d);
	d->magic = STORE_DISK_MAGIC;
	d->next_id = d->next_number = 1;
	return d;
}

void memory_free_table(struct table *t, void (*fini)(struct life *row))
{
	for (size_t i = 0; i < t->n; i++) {
		fini(t->v[i]);
		free(t->v[i]);
	}
	MEM_FREE(t->v);
}

void store_disk_free(struct store_disk **disk)
{
	struct store_disk *d = *disk;
	if (d == NULL)
		return;
	CHECK(d, STORE_DISK_MAGIC);
	memory_free_table(&d->messages, message_fini);
	memory_free_table(&d->transfers, part_fini);
	memory_free_table(&d->deliveries, delivery_fini);
	memory_free_table(&d->steps, step_fini);
	memory_free_table(&d->files, file_fini);
	memory_partial_free(d);
	memory_total_free(d);
	for (size_t i = 0; i < d->n_names; i++)
		memory_drop(&d->names[i]);
	free(d->names);
	free(d->suspects);
	d->magic = 0;
	MEM_FREE(*disk);
}

void store_disk_crashed(struct store_disk *d)
{
	CHECK(d, STORE_DISK_MAGIC);
	d->open = false;
}

void store_disk_set_full(struct store_disk *d, bool full)
{
	CHECK(d, STORE_DISK_MAGIC);
	d->full = full;
}

void store_disk_damage(struct store_disk *d, uint64_t message)
{
	CHECK(d, STORE_DISK_MAGIC);
	struct row_message *row = memory_find(&d->messages, message);
	assert(row != NULL);
	row->envelope.n /= 2;
}

struct view memory_name(struct store_disk *d, struct view name)
{
	for (size_t i = 0; i < d->n_names; i++)
		if (view_eq(d->names[i], name))
			return d->names[i];
	d->names = mem_grow(d->names, mem_mul(d->n_names + 1, sizeof *d->names));
	return d->names[d->n_names++] = memory_own(name);
}

/* --- content --- */
static struct store_content *content_new(struct store *s, struct err *e)
{
	struct memory *m = memory_of(s);
	if (FAULT(CONTENT_OPEN) || m->disk->full) {
		err_set(e, ERR_TEMP, ERR_OF_PROCESS,
			"store: a content file cannot be created, the disk in memory is full");
		return NULL;
	}
	struct memory_content *mc = mem_zero(sizeof *mc);
	mc->c = (struct store_content){
		.magic = STORE_CONTENT_MAGIC, .store = s, .file = m->disk->next_id++};
	/* On disk at once, as a file is; the sweep of the next opening takes it if no message does.
	 */
	mc->row = memory_add(&m->disk->files, sizeof *mc->row, mc->c.file, 0);
	out_init(&mc->row->octets, ROW_MAX);
	return &mc->c;
}

static bool content_append(struct store_content *c, struct view octets, struct err *e)
{
	struct memory_content *mc = CONTAINER(c, struct memory_content, c);
	if (FAULT(CONTENT_WRITE) || memory_of(c->store)->disk->full)
		return err_set(
			e, ERR_TEMP, ERR_OF_PROCESS,
			"store: content file %llu cannot be written, the disk in memory is full",
			(unsigned long long)c->file);
	out_bytes(&mc->row->octets, octets);
	assert(!mc->row->octets.bad);
	return true;
}

static void content_synced(void *ctx)
{
	struct memory_content *mc = ctx;
	CHECK(&mc->c, STORE_CONTENT_MAGIC);
	struct err e;
	mc->c.syncing = false;
	if (mc->c.done == NULL) {
		free(mc); /* given up meanwhile */
		return;
	}
	if (mc->c.broken || FAULT(CONTENT_SYNC)) {
		mc->c.broken = true;
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "store: content file %llu cannot be synced",
			(unsigned long long)mc->c.file);
		mc->c.done(mc->c.done_ctx, &e);
		return;
	}
	mc->c.synced = true;
	mc->c.done(mc->c.done_ctx, NULL);
}

static void content_sync(struct store_content *c)
{
	env_defer(c->store->env, content_synced, CONTAINER(c, struct memory_content, c));
}

static void content_free(struct store_content *c)
{
	struct memory_content *mc = CONTAINER(c, struct memory_content, c);
	struct store_disk *d = memory_of(c->store)->disk;
	if (!c->put) {
		mc->row->life.died =
			d->committed == 0
				? 1
				: d->committed; /* gone now, whatever becomes of the group */
		out_clear(&mc->row->octets);
	}
	if (!c->syncing)
		free(mc);
}

/* --- operations --- */
struct memory *memory_group(struct store *s)
{
	struct memory *m = memory_of(s);
	m->has_group = true;
	return m;
}

static void put_message(struct store *s, struct store_message *put)
{
	struct memory *m = memory_group(s);
	struct store_disk *d = m->disk;
	struct row_message *row = memory_add(&d->messages, sizeof *row, d->next_id++, m->group);
	put->id_r = row->life.id;
	for (size_t i = 0; i < put->n_transfers; i++) {
		struct row_transfer *t =
			memory_add(&d->transfers, sizeof *t, d->next_id++, m->group);
		put->transfers[i].id_r = t->life.id;
		t->message = put->id_r;
		t->now = (struct schedule){.queue = memory_name(d, put->transfers[i].queue),
					   .next_ms = put->transfers[i].next_ms};
		for (size_t k = 0; k < put->n_recipients; k++)
			t->n_recipients += put->recipients[k].state == STORE_RCPT_QUEUED &&
					   put->recipients[k].transfer == i;
	}
	for (size_t i = 0; i < put->n_deliveries; i++) {
		struct row_delivery *v =
			memory_add(&d->deliveries, sizeof *v, d->next_id++, m->group);
		put->deliveries[i].id_r = v->life.id;
		v->message = put->id_r;
		v->mailbox = memory_own(put->deliveries[i].mailbox);
		v->recipient = put->deliveries[i].recipient;
	}
	struct out o;
	out_init(&o, ROW_MAX);
	record_envelope(&o, put);
	row->envelope = own_out(&o);
	out_init(&o, ROW_MAX);
	record_recipients(&o, put);
	row->recipients = own_out(&o);
	row->content = memory_own(put->content);
	row->peer = memory_own(put->peer);
	const struct row_message *of = put->content_of == 0 ? NULL : memory_find(&d->messages, put->content_of);
	row->file = of != NULL ? of->file : put->file == NULL ? 0 : put->file->file;
	row->size = of != NULL ? of->size : put->file == NULL ? put->content.n : put->file->size;
	row->priority = put->m->priority;
	row->arrived = put->arrived;
	row->expires = put->expires;
}

struct view memory_id_text(const struct mts_id *id)
{
	struct out o;
	out_init(&o, ROW_MAX);
	if (id != NULL)
		mts_id_print(id, &o);
	return own_out(&o);
}

static void put_step(struct store *s, const struct store_step *step)
{
	struct memory *m = memory_group(s);
	struct row_step *row =
		memory_add(&m->disk->steps, sizeof *row, m->disk->next_id++, m->group);
	row->at = env_wall_ms(s->env);
	row->kind = step->kind;
	row->id = memory_id_text(step->id);
	row->other = memory_id_text(step->other);
	row->peer = memory_own(step->peer);
	row->text = memory_own(view_first(step->text, STORE_STEP_TEXT_MAX));
	row->digest[0] = step->digest[0];
	row->digest[1] = step->digest[1];
	row->size = step->size;
	row->octets = store_step_octets(row->id.n + row->other.n + row->peer.n + row->text.n, step->keys.n / sizeof(uint64_t));
	m->disk->step_octets += row->octets;
}

static bool message_needed(const struct store_disk *d, uint64_t message)
{
	for (size_t i = 0; i < d->transfers.n; i++)
		if (d->transfers.v[i]->died == 0 &&
		    CONTAINER(d->transfers.v[i], struct row_transfer, life)->message == message)
			return true;
	for (size_t i = 0; i < d->deliveries.n; i++)
		if (d->deliveries.v[i]->died == 0 &&
		    CONTAINER(d->deliveries.v[i], struct row_delivery, life)->message == message)
			return true;
	return false;
}

static bool file_needed(const struct store_disk *d, uint64_t file)
{
	for (size_t i = 0; i < d->messages.n; i++)
		if (d->messages.v[i]->died == 0 && CONTAINER(d->messages.v[i], struct row_message, life)->file == file)
			return true;
	return false;
}

void memory_release(struct memory *m, uint64_t id)
{
	struct row_message *row = memory_find(&m->disk->messages, id);
	if (row == NULL || message_needed(m->disk, id))
		return;
	row->life.died = m->group;
	struct row_file *file = row->file == 0 ? NULL : memory_find(&m->disk->files, row->file);
	if (file != NULL && !file_needed(m->disk, row->file))
		file->life.died = m->group;
}

struct row_transfer *memory_part(const struct store *s, uint64_t id, bool quarantined)
{
	struct row_transfer *t = memory_find(&memory_of(s)->disk->transfers, id);
	return t != NULL && t->now.quarantined == quarantined ? t : NULL;
}

static uint64_t transfer_end(struct store *s, uint64_t transfer, enum store_rcpt_state outcome)
{
	(void)outcome; /* a row that says so would be read by nobody here */
	struct memory *m = memory_of(s);
	struct row_transfer *t = memory_part(s, transfer, false);
	if (t == NULL)
		return 0;
	const uint64_t recipients = t->n_recipients;
	m->has_group = true;
	t->life.died = m->group;
	memory_release(m, t->message);
	return recipients;
}

static void transfer_retry(struct store *s, uint64_t transfer, wall_ms_t next_ms, uint32_t attempts,
			   struct view why)
{
	(void)why;
	struct row_transfer *t = memory_part(s, transfer, false);
	if (t == NULL)
		return;
	memory_group(s);
	t->now.next_ms = next_ms;
	t->now.attempts = attempts;
}

static void transfer_move(struct store *s, uint64_t transfer, struct view queue, wall_ms_t next_ms,
			  struct view tried)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = memory_part(s, transfer, false);
	if (t == NULL)
		return;
	memory_group(s);
	t->now.queue = memory_name(d, queue);
	t->now.next_ms = next_ms;
	if (tried.p != NULL)
		t->now.tried = memory_name(d, tried);
}

static void delivery_remove(struct store *s, uint64_t delivery)
{
	struct memory *m = memory_of(s);
	struct row_delivery *v = memory_find(&m->disk->deliveries, delivery);
	if (v == NULL)
		return;
	m->has_group = true;
	v->life.died = m->group;
	memory_release(m, v->message);
}

static bool forget_steps(struct store *s, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r)
{
	struct memory *m = memory_of(s);
	size_t n = 0;
	for (size_t i = 0; i < m->disk->steps.n; i++) {
		struct row_step *step = CONTAINER(m->disk->steps.v[i], struct row_step, life);
		if (step->life.died != 0)
			continue;
		const bool too_many = octets_max != 0 && m->disk->step_octets > octets_max;
		if (step->at >= before && !too_many)
			return false;
		if (n++ == FORGET_MAX)
			return true;
		if (step->at >= before)
			*short_r = step->at;
		m->disk->step_octets -= step->octets;
		m->has_group = true;
		step->life.died = m->group;
	}
	return false;
}

/* --- the group --- */
static bool has_group(const struct store *s)
{
	return memory_of(s)->has_group;
}

static void commit(struct store *s)
{
	struct memory *m = memory_of(s);
	struct err e;
	if (m->disk->full || FAULT(STORE_FULL)) {
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "store: the disk in memory is full");
		store_full(s, &e);
		return;
	}
	if (FAULT(STORE_COMMIT)) {
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS,
			"store: a group cannot be committed to the disk in memory");
		store_failed(s, &e);
		return;
	}
	m->disk->committed = m->group++;
	settle(m->disk, false);
	m->has_group = false;
	if (FAULT(STORE_COMMITTED)) {
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS,
			"store: the process failed after a commit to the disk in memory");
		store_failed(s, &e);
		return;
	}
	store_durable(s);
}

static uint64_t reserve_numbers(struct store *s, uint64_t n)
{
	struct store_disk *d = memory_group(s)->disk;
	const uint64_t first = d->next_number;
	d->next_number += n; /* at once: skipping some is allowed, giving one twice is not */
	return first;
}

static void close_memory(struct store *s)
{
	struct memory *m = memory_of(s);
	m->disk->open = false;
	free(m);
}

static const struct store_ops memory_ops = {
	.close = close_memory,
	.content_new = content_new,
	.content_append = content_append,
	.content_sync = content_sync,
	.content_free = content_free,
	.put_message = put_message,
	.put_step = put_step,
	.transfer_end = transfer_end,
	.transfer_retry = transfer_retry,
	.transfer_move = transfer_move,
	.delivery_remove = delivery_remove,
	.forget_steps = forget_steps,
	.suspect_put = memory_suspect_put,
	.suspects = memory_suspects,
	.quarantine = memory_quarantine,
	.put_octets = memory_put_octets,
	.quarantine_set = memory_quarantine_set,
	.quarantine_release = memory_quarantine_release,
	.quarantine_remove = memory_quarantine_remove,
	.load_quarantine = memory_load_quarantine,
	.quarantine_next = memory_quarantine_next,
	.partial_put = memory_partial_put,
	.partial_put_sync = memory_partial_put_sync,
	.partial_cut = memory_partial_cut,
	.partial_trim = memory_partial_trim,
	.partial_end = memory_partial_end,
	.partials = memory_partials,
	.partial_syncs = memory_partial_syncs,
	.partial_read = memory_partial_read,
	.partial_file_goes = memory_partial_file_goes,
	.has_group = has_group,
	.commit = commit,
	.queue_next = memory_queue_next,
	.queue_wakes = memory_queue_wakes,
	.expired = memory_expired,
	.find_transfer = memory_find_transfer,
	.held = memory_held,
	.queues = memory_queues,
	.what_is = memory_what_is,
	.load = memory_load,
	.read_content = memory_read_content,
	.seen = memory_seen,
	.total_put = memory_total_put,
	.totals = memory_totals,
	.reserve_numbers = reserve_numbers,
	.count = memory_count,
};

/* Content files that no committed message or partial transfer refers to. */
static void sweep(struct store_disk *d)
{
	for (size_t i = 0; i < d->files.n; i++) {
		bool wanted = memory_partial_wants(d, d->files.v[i]->id);
		for (size_t k = 0; k < d->messages.n && !wanted; k++)
			wanted = CONTAINER(d->messages.v[k], struct row_message, life)->file ==
				 d->files.v[i]->id;
		if (!wanted)
			d->files.v[i]->died = 1;
	}
	if (d->committed == 0)
		d->committed = 1; /* so that a death in group 1 counts */
	memory_settle(&d->files, d->committed, false, file_fini);
}

struct store *store_open_memory(struct env *env, struct store_disk *disk,
				const struct store_config *c, const struct store_events *ev,
				void *ctx, struct err *e)
{
	CHECK(disk, STORE_DISK_MAGIC);
	if (disk->open || FAULT(STORE_OPEN)) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			"store: the disk in memory is in use by another store");
		return NULL;
	}
	settle(disk, true);
	sweep(disk);
	struct memory *m = mem_zero(sizeof *m);
	store_init(&m->s, &memory_ops, env, c, ev, ctx);
	m->disk = disk;
	m->disk->open = true;
	m->group = disk->committed + 1;
	return &m->s;
}
