/* store.c - the door of every store: contracts checked, then dispatched. */
#include "flow/store/store.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/impl.h"

void store_init(struct store *s, const struct store_ops *ops, struct env *env,
		const struct store_config *c, const struct store_events *ev, void *ctx)
{
	*s = (struct store){.magic = STORE_MAGIC,
			    .ops = ops,
			    .env = env,
			    .ev = ev,
			    .ctx = ctx,
			    .inline_max = c->inline_max,
			    .ticket = 1};
}

char *store_path(const struct env *env, const char *path)
{
	const char *directory = env_directory(env);
	if (*path == '/' || directory == NULL)
		return mem_strdup(path);
	struct out o;
	out_init(&o, 64 * 1024);
	out_fmt(&o, "%s/%s", directory, path);
	char *whole = mem_strdup(out_cstr(&o));
	out_fini(&o);
	return whole;
}

void store_failed(struct store *s, const struct err *why)
{
	if (s->over)
		return;
	s->over = true;
	s->ev->failed(s->ctx, why);
}

void store_full(struct store *s, const struct err *why)
{
	const bool full = why != NULL;
	if (full == s->full)
		return;
	s->full = full;
	s->ev->full(s->ctx, full, why);
}

void store_durable(struct store *s)
{
	const uint64_t ticket = s->ticket++;
	store_full(s, NULL);
	s->ev->durable(s->ctx, ticket);
}

void store_step_lost(struct store *s, const struct err *why)
{
	enum { TELL_AGAIN_MS = 60 * 1000 };
	const int64_t now = env_now_ms(s->env);
	s->lost++;
	s->lost_untold++;
	if (s->lost > 1 && now - s->lost_told_ms < TELL_AGAIN_MS)
		return;
	const uint64_t n = s->lost_untold;
	s->lost_untold = 0;
	s->lost_told_ms = now;
	if (s->ev->tracking_lost != NULL)
		s->ev->tracking_lost(s->ctx, n, why);
}

void store_close(struct store **s)
{
	if (*s == NULL)
		return;
	CHECK(*s, STORE_MAGIC);
	(*s)->magic = 0;
	(*s)->ops->close(*s);
	*s = NULL;
}

/* --- content --- */
struct store_content *store_content_new(struct store *s, struct err *e)
{
	CHECK(s, STORE_MAGIC);
	if (s->over) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			"store: no content is taken, the store has failed");
		return NULL;
	}
	return s->ops->content_new(s, e);
}

bool store_content_append(struct store_content *c, struct view octets, struct err *e)
{
	CHECK(c, STORE_CONTENT_MAGIC);
	assert(!c->syncing && !c->synced);
	if (c->broken)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "store: content file %llu has failed before",
			       (unsigned long long)c->file);
	if (!c->store->ops->content_append(c, octets, e)) {
		c->broken = true;
		return false;
	}
	c->size += octets.n;
	return true;
}

uint64_t store_content_size(const struct store_content *c)
{
	CHECK(c, STORE_CONTENT_MAGIC);
	return c->size;
}

void store_content_sync(struct store_content *c, file_done_f *done, void *ctx)
{
	CHECK(c, STORE_CONTENT_MAGIC);
	assert(!c->syncing && !c->synced);
	c->syncing = true;
	c->done = done;
	c->done_ctx = ctx;
	c->store->ops->content_sync(c);
}

void store_content_free(struct store_content **c)
{
	if (*c == NULL)
		return;
	CHECK(*c, STORE_CONTENT_MAGIC);
	(*c)->done = NULL;
	(*c)->store->ops->content_free(*c);
	*c = NULL;
}

/* --- operations --- */
static void check_message(const struct store *s, const struct store_message *m)
{
	assert(m->file == NULL ||
	       (m->content.n == 0 && m->file->store == s && m->file->synced && !m->file->put));
	assert(m->content_of == 0 || (m->content.n == 0 && m->file == NULL));
	assert(m->content.n <= s->inline_max);
	assert(m->m->priority < PRIORITY_COUNT);
	assert(m->n_transfers + m->n_deliveries > 0); /* a message needs a reason to exist */
	for (size_t i = 0; i < m->n_recipients; i++)
		assert(m->recipients[i].state != STORE_RCPT_QUEUED ||
		       m->recipients[i].transfer < m->n_transfers);
	for (size_t i = 0; i < m->n_deliveries;
	     i++) /* a report is delivered to its destination, no recipient of it */
		assert(m->m->kind == MESSAGE_REPORT ||
		       m->deliveries[i].recipient < m->n_recipients);
}

uint64_t store_put_message(struct store *s, struct store_message *m)
{
	CHECK(s, STORE_MAGIC);
	if (s->over)
		return m->id_r = 0;
	check_message(s, m);
	s->ops->put_message(s, m);
	if (m->file != NULL)
		m->file->put = true;
	return m->id_r;
}

void store_put_step(struct store *s, const struct store_step *step)
{
	CHECK(s, STORE_MAGIC);
	if (s->over)
		return;
	struct err e;
	if (FAULT(STORE_STEP)) {
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS,
			"store: a step cannot be written (fault point)");
		store_step_lost(s, &e);
		return;
	}
	s->ops->put_step(s, step);
}

/* Held is one time, so that all held ones look the same. */
static wall_ms_t at_most_never(wall_ms_t next_ms)
{
	return next_ms < STORE_NEVER ? next_ms : STORE_NEVER;
}

uint64_t store_transfer_done(struct store *s, uint64_t transfer)
{
	CHECK(s, STORE_MAGIC);
	return s->over ? 0 : s->ops->transfer_end(s, transfer, STORE_RCPT_DELIVERED);
}

void store_transfer_reported(struct store *s, uint64_t transfer)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->transfer_end(s, transfer, STORE_RCPT_REPORTED);
}

void store_transfer_retry(struct store *s, uint64_t transfer, wall_ms_t next_ms, uint32_t attempts,
			  const char *why)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->transfer_retry(s, transfer, at_most_never(next_ms), attempts,
				       view_first(view_str(why), STORE_WHY_MAX));
}

void store_transfer_move(struct store *s, uint64_t transfer, struct view queue, wall_ms_t next_ms,
			 struct view tried)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->transfer_move(s, transfer, queue, at_most_never(next_ms), tried);
}

void store_delivery_remove(struct store *s, uint64_t delivery)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->delivery_remove(s, delivery);
}

bool store_forget_steps(struct store *s, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r)
{
	CHECK(s, STORE_MAGIC);
	*short_r = 0;
	return !s->over && s->ops->forget_steps(s, before, octets_max, short_r);
}

/* --- suspects and quarantine --- */
/* NULL stays NULL: what that means is said where it is used. */
static struct view sentence(const char *s)
{
	return view_first(view_str(s), STORE_WHY_MAX);
}

void store_suspect_put(struct store *s, const char *key, uint32_t strikes, const char *words)
{
	CHECK(s, STORE_MAGIC);
	assert(strlen(key) <= STORE_KEY_MAX);
	if (!s->over)
		s->ops->suspect_put(s, view_str(key), strikes, sentence(words));
}

void store_suspects(struct store *s, store_suspect_f *each, void *ctx)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->suspects(s, each, ctx);
}

void store_transfer_quarantine(struct store *s, uint64_t transfer, uint32_t strikes,
			       const char *cause, const char *words)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->quarantine(s, transfer, strikes, sentence(cause), sentence(words));
}

uint64_t store_put_octets(struct store *s, const struct store_octets *o)
{
	CHECK(s, STORE_MAGIC);
	if (s->over)
		return 0;
	assert(o->file == NULL ||
	       (o->content.n == 0 && o->file->store == s && o->file->synced && !o->file->put));
	assert(o->content.n <= s->inline_max && o->key.n <= STORE_KEY_MAX);
	struct store_octets put = *o;
	put.cause = view_first(o->cause, STORE_WHY_MAX);
	put.words = view_first(o->words.n > 0 ? o->words : o->peer, STORE_WHY_MAX);
	const uint64_t id = s->ops->put_octets(s, &put);
	if (o->file != NULL)
		o->file->put = true;
	return id;
}

void store_quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state,
			  uint32_t strikes, const char *cause, const char *words)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->quarantine_set(s, id, state, strikes, sentence(cause), sentence(words));
}

void store_quarantine_release(struct store *s, uint64_t id, struct view queue, wall_ms_t next_ms)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->quarantine_release(s, id, queue, at_most_never(next_ms));
}

void store_quarantine_remove(struct store *s, uint64_t id)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->quarantine_remove(s, id);
}

static bool nothing_is_read(struct err *e)
{
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
		       "store: nothing is read, the store has failed");
}

bool store_load_quarantine(struct store *s, uint64_t id, struct store_quarantine *q_r,
			   struct arena *a, struct err *e)
{
	CHECK(s, STORE_MAGIC);
	struct store_quarantine q = {.id = id};
	if (s->over)
		return nothing_is_read(e);
	if (!s->ops->load_quarantine(s, id, &q, a, e))
		return false;
	if (arena_full(a))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
			       "store: quarantined %llu passes the memory quota",
			       (unsigned long long)id);
	*q_r = q;
	return true;
}

size_t store_quarantine_next(struct store *s, enum store_quarantine_state state, uint64_t after,
			     uint64_t *ids, size_t max)
{
	CHECK(s, STORE_MAGIC);
	return s->over ? 0 : s->ops->quarantine_next(s, state, after, ids, max);
}

/* --- the group --- */
bool store_has_group(const struct store *s)
{
	CHECK(s, STORE_MAGIC);
	return !s->over && s->ops->has_group(s);
}

uint64_t store_ticket(const struct store *s)
{
	CHECK(s, STORE_MAGIC);
	return s->ticket;
}

void store_commit(struct store *s)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over && s->ops->has_group(s))
		s->ops->commit(s);
}

/* --- reads: a store that is over answers nothing, its process is about to end --- */
size_t store_queue_next(struct store *s, struct view queue, enum priority p, wall_ms_t until,
			struct store_place *place, struct store_queued *rows, size_t max)
{
	CHECK(s, STORE_MAGIC);
	const wall_ms_t last = until < STORE_NEVER ? until : STORE_NEVER - 1;
	return s->over ? 0 : s->ops->queue_next(s, queue, p, last, place, rows, max);
}

wall_ms_t store_queue_wakes(struct store *s, struct view queue, wall_ms_t after)
{
	CHECK(s, STORE_MAGIC);
	const wall_ms_t wakes = s->over ? 0 : s->ops->queue_wakes(s, queue, after);
	return wakes < STORE_NEVER ? wakes : 0;
}

uint64_t store_held(struct store *s)
{
	CHECK(s, STORE_MAGIC);
	return s->over ? 0 : s->ops->held(s);
}

size_t store_expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
		     struct store_expired *rows, size_t max)
{
	CHECK(s, STORE_MAGIC);
	return s->over || max == 0 ? 0 : s->ops->expired(s, now, after, scan, rows, max);
}

bool store_find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r,
			 struct view *queue_r)
{
	CHECK(s, STORE_MAGIC);
	return !s->over && s->ops->find_transfer(s, transfer, row_r, queue_r);
}

void store_queues(struct store *s, void (*each)(void *ctx, const struct store_queue *q), void *ctx)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->queues(s, each, ctx);
}

static bool load(struct store *s, enum store_thing what, uint64_t id, struct store_loaded *loaded_r,
		 struct arena *a, struct err *e)
{
	CHECK(s, STORE_MAGIC);
	if (s->over)
		return nothing_is_read(e);
	struct store_loaded l = {0};
	if (!s->ops->load(s, what, id, &l, a, e))
		return false;
	*loaded_r = l;
	return true;
}

bool store_load_transfer(struct store *s, uint64_t transfer, struct store_loaded *loaded_r,
			 struct arena *a, struct err *e)
{
	return load(s, STORE_TRANSFER, transfer, loaded_r, a, e);
}

bool store_load_delivery(struct store *s, uint64_t delivery, struct store_loaded *loaded_r,
			 struct arena *a, struct err *e)
{
	return load(s, STORE_DELIVERY, delivery, loaded_r, a, e);
}

bool store_load_any(struct store *s, uint64_t id, struct store_loaded *loaded_r, struct arena *a,
		    struct err *e)
{
	CHECK(s, STORE_MAGIC);
	const enum store_thing what = s->over ? STORE_NOTHING : s->ops->what_is(s, id);
	if (what == STORE_NOTHING && !s->over)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE,
			       "store: there is no message, transfer or delivery %llu",
			       (unsigned long long)id);
	return load(s, what, id, loaded_r, a, e);
}

bool store_read_content(struct store *s, uint64_t message, uint64_t offset, void *buf, size_t n,
			size_t *got_r, struct err *e)
{
	CHECK(s, STORE_MAGIC);
	if (s->over)
		return nothing_is_read(e);
	return s->ops->read_content(s, message, offset, buf, n, got_r, e);
}

bool store_seen(struct store *s, const struct mts_id *id, const uint64_t digest[2])
{
	CHECK(s, STORE_MAGIC);
	return !s->over && s->ops->seen(s, id, digest);
}

uint64_t store_reserve_numbers(struct store *s, uint64_t n)
{
	CHECK(s, STORE_MAGIC);
	assert(n <= 32768);
	return s->over ? 0 : s->ops->reserve_numbers(s, n);
}

void store_total_put(struct store *s, struct view name, struct view text)
{
	CHECK(s, STORE_MAGIC);
	assert(name.n > 0 && name.n <= STORE_TOTAL_NAME_MAX && text.n <= STORE_TOTAL_MAX);
	if (!s->over)
		s->ops->total_put(s, name, text);
}

void store_totals(struct store *s, void (*each)(void *ctx, struct view name, struct view text), void *ctx)
{
	CHECK(s, STORE_MAGIC);
	if (!s->over)
		s->ops->totals(s, each, ctx);
}

void store_count(struct store *s, struct store_counts *c_r)
{
	CHECK(s, STORE_MAGIC);
	*c_r = (struct store_counts){0};
	if (!s->over)
		s->ops->count(s, c_r);
	c_r->tracking_lost = s->lost;
}

const char *store_step_name(enum store_step_kind k)
{
	switch (k) {
#define X(kind, name, ...) case STEP_##kind: return name;
#include "flow/store/track_table.h"
#undef X
	case STEP_KINDS: break;
	}
	return "unknown"; /* read back from a newer store's row */
}
