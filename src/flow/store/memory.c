/* memory.c - the store of tests and of the simulator. All rows lie in the disk, which outlives the
 * store; each says in which group it was born and died, so that opening can take back what was
 * never committed. Lookups scan: it is small by nature. */
#include "flow/store/store.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/impl.h"
#include "flow/store/record.h"

enum { FORGET_MAX = 1000, ROW_MAX = 256 * 1024 * 1024 };

/* The first member of every row. A row is there when it has not died; it is on disk when its birth
 * is committed and its death not. */
struct life {
	uint64_t id, born, died; /* died 0: lives */
};

struct row_message {
	struct life life;
	struct view envelope, recipients, content, peer;
	uint64_t file, size;
	enum priority priority;
	wall_ms_t arrived, expires;
};

/* What of a transfer may change, kept twice: as it is, and as it is on disk. */
struct schedule {
	struct view queue;
	wall_ms_t next_ms;
	uint32_t attempts;
	bool quarantined;
	enum store_quarantine_state state; /* from here on: of a quarantined one */
	uint32_t strikes;
	wall_ms_t at;
	struct view cause, words;
};

/* Waits in a queue, or is in quarantine; octets always are. */
struct row_transfer {
	struct life life;
	uint64_t message, n_recipients;
	bool octets;
	struct view key;
	struct schedule now, committed;
};

/* In order of key; strikes 0: none. */
struct suspect {
	struct view key;
	struct strikes {
		uint32_t n;
		wall_ms_t at;
		struct view words;
	} now, committed;
};

struct row_delivery {
	struct life life;
	uint64_t message;
	struct view mailbox;
	uint32_t recipient;
};

struct row_step {
	struct life life;
	wall_ms_t at;
	enum store_step_kind kind;
	struct view id, other, peer, text;
	uint64_t digest[2], size;
};

struct row_file {
	struct life life;
	struct out octets;
};

/* Pointers to rows of one kind, in ascending order of id. */
struct table {
	struct life **v;
	size_t n, cap;
};

struct store_disk {
	unsigned magic;
#define STORE_DISK_MAGIC 0x570e0003u
	uint64_t committed; /* groups up to this one count */
	uint64_t next_id, next_number;
	struct table messages, transfers, deliveries, steps, files;
	struct suspect *suspects;
	size_t n_suspects;
	struct view *names; /* queue names and sentences, each once, as long as the disk */
	size_t n_names;
	bool full, open;
};

struct memory {
	struct store s;
	struct store_disk *disk;
	uint64_t group; /* the open one, in the disk's count */
	bool has_group;
};

struct memory_content {
	struct store_content c;
	struct row_file *row;
};

static struct memory *memory_of(const struct store *s)
{
	return CONTAINER(s, struct memory, s);
}

static struct view own(struct view v)
{
	return v.n == 0 ? (struct view){NULL, 0} : view_of(mem_dup(v.p, v.n), v.n);
}

/* Takes what was built; the builder is empty after. */
static struct view own_out(struct out *o)
{
	assert(!o->bad);
	const struct view v = own(out_view(o));
	out_fini(o);
	return v;
}

static void drop(struct view *v)
{
	free((void *)(uintptr_t)v->p);
	*v = (struct view){NULL, 0};
}

/* --- tables --- */
static void *table_add(struct table *t, size_t size, uint64_t id, uint64_t born)
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

static void *table_find(const struct table *t, uint64_t id)
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
static void table_settle(struct table *t, uint64_t committed, bool revive,
			 void (*fini)(struct life *row))
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
	drop(&m->envelope);
	drop(&m->recipients);
	drop(&m->content);
	drop(&m->peer);
}

static void delivery_fini(struct life *row)
{
	drop(&CONTAINER(row, struct row_delivery, life)->mailbox);
}

static void step_fini(struct life *row)
{
	struct row_step *step = CONTAINER(row, struct row_step, life);
	drop(&step->id);
	drop(&step->other);
	drop(&step->peer);
	drop(&step->text);
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
	drop(&CONTAINER(row, struct row_transfer, life)->key);
}

static void settle(struct store_disk *d, bool revive)
{
	table_settle(&d->messages, d->committed, revive, message_fini);
	table_settle(&d->transfers, d->committed, revive, part_fini);
	table_settle(&d->deliveries, d->committed, revive, delivery_fini);
	table_settle(&d->steps, d->committed, revive, step_fini);
	table_settle(&d->files, d->committed, revive, file_fini);
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

static void free_table(struct table *t, void (*fini)(struct life *row))
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
	free_table(&d->messages, message_fini);
	free_table(&d->transfers, part_fini);
	free_table(&d->deliveries, delivery_fini);
	free_table(&d->steps, step_fini);
	free_table(&d->files, file_fini);
	for (size_t i = 0; i < d->n_names; i++)
		drop(&d->names[i]);
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

static struct view name_of(struct store_disk *d, struct view name)
{
	for (size_t i = 0; i < d->n_names; i++)
		if (view_eq(d->names[i], name))
			return d->names[i];
	d->names = mem_grow(d->names, mem_mul(d->n_names + 1, sizeof *d->names));
	return d->names[d->n_names++] = own(name);
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
	mc->row = table_add(&m->disk->files, sizeof *mc->row, mc->c.file, 0);
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
static struct memory *open_group(struct store *s)
{
	struct memory *m = memory_of(s);
	m->has_group = true;
	return m;
}

static void put_message(struct store *s, struct store_message *put)
{
	struct memory *m = open_group(s);
	struct store_disk *d = m->disk;
	struct row_message *row = table_add(&d->messages, sizeof *row, d->next_id++, m->group);
	put->id_r = row->life.id;
	for (size_t i = 0; i < put->n_transfers; i++) {
		struct row_transfer *t =
			table_add(&d->transfers, sizeof *t, d->next_id++, m->group);
		put->transfers[i].id_r = t->life.id;
		t->message = put->id_r;
		t->now = (struct schedule){.queue = name_of(d, put->transfers[i].queue),
					   .next_ms = put->transfers[i].next_ms};
		for (size_t k = 0; k < put->n_recipients; k++)
			t->n_recipients += put->recipients[k].state == STORE_RCPT_QUEUED &&
					   put->recipients[k].transfer == i;
	}
	for (size_t i = 0; i < put->n_deliveries; i++) {
		struct row_delivery *v =
			table_add(&d->deliveries, sizeof *v, d->next_id++, m->group);
		put->deliveries[i].id_r = v->life.id;
		v->message = put->id_r;
		v->mailbox = own(put->deliveries[i].mailbox);
		v->recipient = put->deliveries[i].recipient;
	}
	struct out o;
	out_init(&o, ROW_MAX);
	record_envelope(&o, put);
	row->envelope = own_out(&o);
	out_init(&o, ROW_MAX);
	record_recipients(&o, put);
	row->recipients = own_out(&o);
	row->content = own(put->content);
	row->peer = own(put->peer);
	row->file = put->file == NULL ? 0 : put->file->file;
	row->size = put->file == NULL ? put->content.n : put->file->size;
	row->priority = put->m->priority;
	row->arrived = put->arrived;
	row->expires = put->expires;
}

static struct view id_text(const struct mts_id *id)
{
	struct out o;
	out_init(&o, ROW_MAX);
	if (id != NULL)
		mts_id_print(id, &o);
	return own_out(&o);
}

static void put_step(struct store *s, const struct store_step *step)
{
	struct memory *m = open_group(s);
	struct row_step *row =
		table_add(&m->disk->steps, sizeof *row, m->disk->next_id++, m->group);
	row->at = env_wall_ms(s->env);
	row->kind = step->kind;
	row->id = id_text(step->id);
	row->other = id_text(step->other);
	row->peer = own(step->peer);
	row->text = own(view_first(step->text, STORE_STEP_TEXT_MAX));
	row->digest[0] = step->digest[0];
	row->digest[1] = step->digest[1];
	row->size = step->size;
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

static void release_message(struct memory *m, uint64_t id)
{
	struct row_message *row = table_find(&m->disk->messages, id);
	if (row == NULL || message_needed(m->disk, id))
		return;
	row->life.died = m->group;
	struct row_file *file = row->file == 0 ? NULL : table_find(&m->disk->files, row->file);
	if (file != NULL)
		file->life.died = m->group;
}

static bool waits(const struct row_transfer *t)
{
	return t->life.died == 0 && !t->now.quarantined;
}

static struct row_transfer *find_part(const struct store *s, uint64_t id, bool quarantined)
{
	struct row_transfer *t = table_find(&memory_of(s)->disk->transfers, id);
	return t != NULL && t->now.quarantined == quarantined ? t : NULL;
}

static void transfer_end(struct store *s, uint64_t transfer, enum store_rcpt_state outcome)
{
	(void)outcome; /* a row that says so would be read by nobody here */
	struct memory *m = memory_of(s);
	struct row_transfer *t = find_part(s, transfer, false);
	if (t == NULL)
		return;
	m->has_group = true;
	t->life.died = m->group;
	release_message(m, t->message);
}

static void transfer_retry(struct store *s, uint64_t transfer, wall_ms_t next_ms, uint32_t attempts,
			   struct view why)
{
	(void)why;
	struct row_transfer *t = find_part(s, transfer, false);
	if (t == NULL)
		return;
	open_group(s);
	t->now.next_ms = next_ms;
	t->now.attempts = attempts;
}

static void transfer_move(struct store *s, uint64_t transfer, struct view queue, wall_ms_t next_ms)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = find_part(s, transfer, false);
	if (t == NULL)
		return;
	open_group(s);
	t->now.queue = name_of(d, queue);
	t->now.next_ms = next_ms;
}

static void delivery_remove(struct store *s, uint64_t delivery)
{
	struct memory *m = memory_of(s);
	struct row_delivery *v = table_find(&m->disk->deliveries, delivery);
	if (v == NULL)
		return;
	m->has_group = true;
	v->life.died = m->group;
	release_message(m, v->message);
}

static bool forget_steps(struct store *s, wall_ms_t before)
{
	struct memory *m = memory_of(s);
	size_t n = 0;
	for (size_t i = 0; i < m->disk->steps.n; i++) {
		struct row_step *step = CONTAINER(m->disk->steps.v[i], struct row_step, life);
		if (step->life.died != 0)
			continue;
		if (step->at >= before)
			return false;
		if (n++ == FORGET_MAX)
			return true;
		m->has_group = true;
		step->life.died = m->group;
	}
	return false;
}

/* --- suspects and quarantine --- */
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
	d->suspects[at] = (struct suspect){.key = name_of(d, key)};
	return &d->suspects[at];
}

static void suspect_put(struct store *s, struct view key, uint32_t strikes, struct view words)
{
	struct store_disk *d = memory_of(s)->disk;
	struct suspect *x = suspect_of(d, key);
	if (strikes == 0 && x->now.n == 0)
		return;
	open_group(s);
	x->now = (struct strikes){strikes, env_wall_ms(s->env), name_of(d, words)};
}

/* By key, because they may change meanwhile. */
static void suspects(struct store *s, store_suspect_f *each, void *ctx)
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

static void quarantine(struct store *s, uint64_t transfer, uint32_t strikes, struct view cause,
		       struct view words)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = find_part(s, transfer, false);
	if (t == NULL)
		return;
	open_group(s);
	t->now.quarantined = true;
	t->now.state = STORE_QUARANTINE_KEPT;
	t->now.strikes = strikes;
	t->now.at = env_wall_ms(s->env);
	t->now.cause = name_of(d, cause);
	t->now.words = name_of(d, words);
}

static uint64_t put_octets(struct store *s, const struct store_octets *o)
{
	struct memory *m = open_group(s);
	struct store_disk *d = m->disk;
	struct row_message *row = table_add(&d->messages, sizeof *row, d->next_id++, m->group);
	row->content = own(o->content);
	row->peer = own(o->link);
	row->file = o->file == NULL ? 0 : o->file->file;
	row->size = o->file == NULL ? o->content.n : o->file->size;
	row->priority = PRIORITY_NORMAL;
	row->arrived = o->arrived;
	struct row_transfer *t = table_add(&d->transfers, sizeof *t, d->next_id++, m->group);
	t->message = row->life.id;
	t->octets = true;
	t->key = own(o->key);
	t->now = (struct schedule){.queue = name_of(d, o->link),
				   .quarantined = true,
				   .state = o->state,
				   .at = env_wall_ms(s->env),
				   .cause = name_of(d, o->cause),
				   .words = name_of(d, o->words)};
	return t->life.id;
}

static void quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state,
			   uint32_t strikes, struct view cause, struct view words)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = find_part(s, id, true);
	if (t == NULL)
		return;
	open_group(s);
	t->now.state = state;
	t->now.strikes = strikes;
	if (cause.p != NULL)
		t->now.cause = name_of(d, cause);
	if (words.p != NULL)
		t->now.words = name_of(d, words);
}

static void quarantine_release(struct store *s, uint64_t id, struct view queue, wall_ms_t next_ms)
{
	struct store_disk *d = memory_of(s)->disk;
	struct row_transfer *t = find_part(s, id, true);
	if (t == NULL || t->octets)
		return;
	open_group(s);
	t->now.quarantined = false;
	t->now.queue = name_of(d, queue);
	t->now.next_ms = next_ms;
}

static void quarantine_remove(struct store *s, uint64_t id)
{
	struct row_transfer *t = find_part(s, id, true);
	if (t == NULL)
		return;
	struct memory *m = open_group(s);
	t->life.died = m->group;
	release_message(m, t->message);
}

static bool load_quarantine(struct store *s, uint64_t id, struct store_quarantine *z,
			    struct arena *a, struct err *e)
{
	const struct row_transfer *t = find_part(s, id, true);
	if (t == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "store: there is nothing in quarantine with id %llu",
			       (unsigned long long)id);
	const struct row_message *row = table_find(&memory_of(s)->disk->messages, t->message);
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

static size_t quarantine_next(struct store *s, enum store_quarantine_state state, uint64_t after,
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

/* --- reads --- */
static void fill_queued(const struct store_disk *d, const struct row_transfer *t,
			struct store_queued *q)
{
	const struct row_message *msg = table_find(&d->messages, t->message);
	assert(msg != NULL);
	*q = (struct store_queued){t->life.id,	 t->message,   msg->priority,	t->now.next_ms,
				   msg->arrived, msg->expires, t->now.attempts, msg->size};
}

static int place_cmp(wall_ms_t next_a, uint64_t id_a, wall_ms_t next_b, uint64_t id_b)
{
	if (next_a != next_b)
		return next_a < next_b ? -1 : 1;
	return id_a < id_b ? -1 : id_a > id_b;
}

/* The live transfer of that queue and priority which is the first after the place. */
static const struct row_transfer *first_after(const struct store_disk *d, struct view queue,
					      enum priority p, const struct store_place *place)
{
	const struct row_transfer *best = NULL;
	for (size_t i = 0; i < d->transfers.n; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		if (!waits(t) || !view_eq(t->now.queue, queue) ||
		    place_cmp(t->now.next_ms, t->life.id, place->next_ms, place->transfer) <= 0)
			continue;
		const struct row_message *msg = table_find(&d->messages, t->message);
		if (msg->priority == p &&
		    (best == NULL ||
		     place_cmp(t->now.next_ms, t->life.id, best->now.next_ms, best->life.id) < 0))
			best = t;
	}
	return best;
}

static size_t queue_next(struct store *s, struct view queue, enum priority p, wall_ms_t until,
			 struct store_place *place, struct store_queued *rows, size_t max)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t n = 0; n < max; n++) {
		const struct row_transfer *t = first_after(d, queue, p, place);
		if (t == NULL || t->now.next_ms > until)
			return n;
		fill_queued(d, t, &rows[n]);
		*place = (struct store_place){t->now.next_ms, t->life.id};
	}
	return max;
}

static wall_ms_t queue_wakes(struct store *s, struct view queue, wall_ms_t after)
{
	const struct store_disk *d = memory_of(s)->disk;
	wall_ms_t wakes = 0;
	for (size_t i = 0; i < d->transfers.n; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		if (waits(t) && view_eq(t->now.queue, queue) && t->now.next_ms > after &&
		    (wakes == 0 || t->now.next_ms < wakes))
			wakes = t->now.next_ms;
	}
	return wakes;
}

static bool find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r,
			  struct view *queue_r)
{
	const struct row_transfer *t = find_part(s, transfer, false);
	if (t == NULL)
		return false;
	fill_queued(memory_of(s)->disk, t, row_r);
	*queue_r = t->now.queue;
	return true;
}

static size_t expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
		      struct store_expired *rows, size_t max)
{
	const struct store_disk *d = memory_of(s)->disk;
	size_t n = 0, seen = 0;
	for (size_t i = 0; i < d->transfers.n && n < max && seen < scan; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		struct store_queued x;
		if (!waits(t) || t->life.id <= *after)
			continue;
		seen++;
		fill_queued(d, t, &x);
		*after = t->life.id;
		if (x.expires != 0 && x.expires <= now && x.next_ms < STORE_NEVER)
			rows[n++] =
				(struct store_expired){x.transfer, x.message, t->now.queue, x.priority,
						       x.arrived,  x.expires, x.attempts,   x.size};
	}
	if (n < max && seen < scan)
		*after = 0;
	return n;
}

static void queues(struct store *s,
		   void (*each)(void *ctx, struct view queue, uint64_t transfers, uint64_t octets),
		   void *ctx)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t i = 0; i < d->n_names; i++) {
		uint64_t n = 0, octets = 0;
		for (size_t k = 0; k < d->transfers.n; k++) {
			const struct row_transfer *t =
				CONTAINER(d->transfers.v[k], struct row_transfer, life);
			if (!waits(t) || t->now.queue.p != d->names[i].p)
				continue;
			const struct row_message *msg = table_find(&d->messages, t->message);
			n++;
			octets += msg->size;
		}
		if (n > 0)
			each(ctx, d->names[i], n, octets);
	}
}

static bool load(struct store *s, uint64_t transfer, uint64_t delivery, struct store_loaded *l,
		 struct arena *a, struct err *e)
{
	const struct store_disk *d = memory_of(s)->disk;
	const struct row_transfer *t = transfer == 0 ? NULL : table_find(&d->transfers, transfer);
	const struct row_delivery *v = delivery == 0 ? NULL : table_find(&d->deliveries, delivery);
	if (t == NULL && v == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no %s %llu",
			       transfer != 0 ? "transfer" : "delivery",
			       (unsigned long long)(transfer != 0 ? transfer : delivery));
	const struct row_message *row =
		table_find(&d->messages, t != NULL ? t->message : v->message);
	assert(row != NULL);
	const bool octets = t != NULL && t->octets;
	if (!octets && !record_load(row->envelope, row->recipients, transfer,
				    v == NULL ? 0 : v->recipient, &l->m, a, e))
		return false;
	l->message = row->life.id;
	l->peer = arena_copy(a, row->peer);
	l->content = arena_copy(a, row->content);
	l->content_size = row->size;
	l->in_file = row->file != 0;
	l->arrived = row->arrived;
	l->expires = row->expires;
	l->attempts = t == NULL ? 0 : t->now.attempts;
	if (arena_full(a))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
			       "store: message %llu of %llu octets passes the memory quota",
			       (unsigned long long)l->message, (unsigned long long)row->size);
	return true;
}

static bool read_content(struct store *s, uint64_t message, uint64_t offset, void *buf, size_t n,
			 size_t *got_r, struct err *e)
{
	const struct store_disk *d = memory_of(s)->disk;
	const struct row_message *row = table_find(&d->messages, message);
	if (row == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no message %llu",
			       (unsigned long long)message);
	const struct row_file *file = row->file == 0 ? NULL : table_find(&d->files, row->file);
	assert(row->file == 0 || file != NULL);
	const struct view rest =
		offset > row->size
			? (struct view){NULL, 0}
			: view_from(file == NULL ? row->content : out_view(&file->octets),
				    (size_t)offset);
	const struct view part = view_first(rest, n);
	if (part.n > 0)
		memcpy(buf, part.p, part.n);
	*got_r = part.n;
	return true;
}

static bool seen(struct store *s, const struct mts_id *id, const uint64_t digest[2])
{
	const struct store_disk *d = memory_of(s)->disk;
	struct view text = id_text(id);
	bool found = false;
	for (size_t i = d->steps.n; i-- > 0 && !found;) {
		const struct row_step *step = CONTAINER(d->steps.v[i], struct row_step, life);
		found = step->life.died == 0 && store_step_is_arrival(step->kind) &&
			step->digest[0] == digest[0] && step->digest[1] == digest[1] &&
			record_same_id(step->id, text);
	}
	drop(&text);
	return found;
}

static uint64_t reserve_numbers(struct store *s, uint64_t n)
{
	struct store_disk *d = open_group(s)->disk;
	const uint64_t first = d->next_number;
	d->next_number += n; /* at once: skipping some is allowed, giving one twice is not */
	return first;
}

static void count(struct store *s, struct store_counts *c_r)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t i = 0; i < d->messages.n; i++)
		if (d->messages.v[i]->died == 0) {
			c_r->messages++;
			c_r->octets += CONTAINER(d->messages.v[i], struct row_message, life)->size;
		}
	for (size_t i = 0; i < d->transfers.n; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		c_r->quarantined += t->life.died == 0 && t->now.quarantined;
		c_r->transfers += waits(t);
		c_r->recipients_queued += waits(t) ? t->n_recipients : 0;
	}
	for (size_t i = 0; i < d->n_suspects; i++)
		c_r->suspects += d->suspects[i].now.n > 0;
	for (size_t i = 0; i < d->deliveries.n; i++)
		c_r->deliveries += d->deliveries.v[i]->died == 0;
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
	.suspect_put = suspect_put,
	.suspects = suspects,
	.quarantine = quarantine,
	.put_octets = put_octets,
	.quarantine_set = quarantine_set,
	.quarantine_release = quarantine_release,
	.quarantine_remove = quarantine_remove,
	.load_quarantine = load_quarantine,
	.quarantine_next = quarantine_next,
	.has_group = has_group,
	.commit = commit,
	.queue_next = queue_next,
	.queue_wakes = queue_wakes,
	.expired = expired,
	.find_transfer = find_transfer,
	.queues = queues,
	.load = load,
	.read_content = read_content,
	.seen = seen,
	.reserve_numbers = reserve_numbers,
	.count = count,
};

/* Content files that no committed message refers to. */
static void sweep(struct store_disk *d)
{
	for (size_t i = 0; i < d->files.n; i++) {
		bool wanted = false;
		for (size_t k = 0; k < d->messages.n && !wanted; k++)
			wanted = CONTAINER(d->messages.v[k], struct row_message, life)->file ==
				 d->files.v[i]->id;
		if (!wanted)
			d->files.v[i]->died = 1;
	}
	if (d->committed == 0)
		d->committed = 1; /* so that a death in group 1 counts */
	table_settle(&d->files, d->committed, false, file_fini);
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
