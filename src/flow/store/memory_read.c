/* memory_read.c - what the switch asks. */
#include "flow/store/memory_impl.h"

#include "base/mem.h"
#include "flow/store/record.h"

static void fill_queued(const struct store_disk *d, const struct row_transfer *t,
			struct store_queued *q)
{
	const struct row_message *msg = memory_find(&d->messages, t->message);
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
		if (!memory_waits(t) || !view_eq(t->now.queue, queue) ||
		    place_cmp(t->now.next_ms, t->life.id, place->next_ms, place->transfer) <= 0)
			continue;
		const struct row_message *msg = memory_find(&d->messages, t->message);
		if (msg->priority == p &&
		    (best == NULL ||
		     place_cmp(t->now.next_ms, t->life.id, best->now.next_ms, best->life.id) < 0))
			best = t;
	}
	return best;
}

size_t memory_queue_next(struct store *s, struct view queue, enum priority p, wall_ms_t until,
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

wall_ms_t memory_queue_wakes(struct store *s, struct view queue, wall_ms_t after)
{
	const struct store_disk *d = memory_of(s)->disk;
	wall_ms_t wakes = 0;
	for (size_t i = 0; i < d->transfers.n; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		if (memory_waits(t) && view_eq(t->now.queue, queue) && t->now.next_ms > after &&
		    (wakes == 0 || t->now.next_ms < wakes))
			wakes = t->now.next_ms;
	}
	return wakes;
}

uint64_t memory_held(struct store *s)
{
	const struct store_disk *d = memory_of(s)->disk;
	uint64_t n = 0;
	for (size_t i = 0; i < d->transfers.n; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		n += memory_waits(t) && t->now.next_ms >= STORE_NEVER;
	}
	return n;
}

bool memory_find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r,
			  struct view *queue_r)
{
	const struct row_transfer *t = memory_part(s, transfer, false);
	if (t == NULL)
		return false;
	fill_queued(memory_of(s)->disk, t, row_r);
	*queue_r = t->now.queue;
	return true;
}

size_t memory_expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
		      struct store_expired *rows, size_t max)
{
	const struct store_disk *d = memory_of(s)->disk;
	size_t n = 0, seen = 0;
	for (size_t i = 0; i < d->transfers.n && n < max && seen < scan; i++) {
		const struct row_transfer *t =
			CONTAINER(d->transfers.v[i], struct row_transfer, life);
		struct store_queued x;
		if (!memory_waits(t) || t->life.id <= *after)
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

void memory_queues(struct store *s,
		   void (*each)(void *ctx, const struct store_queue *q),
		   void *ctx)
{
	const struct store_disk *d = memory_of(s)->disk;
	for (size_t i = 0; i < d->n_names; i++) {
		struct store_queue q = {.name = d->names[i]};
		for (size_t k = 0; k < d->transfers.n; k++) {
			const struct row_transfer *t =
				CONTAINER(d->transfers.v[k], struct row_transfer, life);
			if (!memory_waits(t) || t->now.queue.p != d->names[i].p)
				continue;
			const struct row_message *msg = memory_find(&d->messages, t->message);
			q.transfers++;
			q.octets += msg->size;
			q.recipients += t->n_recipients;
		}
		if (q.transfers > 0)
			each(ctx, &q);
	}
}

enum store_thing memory_what_is(struct store *s, uint64_t id)
{
	const struct store_disk *d = memory_of(s)->disk;
	return memory_find(&d->transfers, id) != NULL	  ? STORE_TRANSFER
	       : memory_find(&d->deliveries, id) != NULL ? STORE_DELIVERY
	       : memory_find(&d->messages, id) != NULL	  ? STORE_MESSAGE
							  : STORE_NOTHING;
}

bool memory_load(struct store *s, enum store_thing what, uint64_t id, struct store_loaded *l,
		 struct arena *a, struct err *e)
{
	const struct store_disk *d = memory_of(s)->disk;
	const struct row_transfer *t = what == STORE_TRANSFER ? memory_find(&d->transfers, id) : NULL;
	const struct row_delivery *v = what == STORE_DELIVERY ? memory_find(&d->deliveries, id) : NULL;
	if (t == NULL && v == NULL && what != STORE_MESSAGE)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no %s %llu",
			       what == STORE_TRANSFER ? "transfer" : "delivery", (unsigned long long)id);
	const struct row_message *row =
		memory_find(&d->messages, t != NULL ? t->message : v != NULL ? v->message : id);
	assert(row != NULL);
	const bool octets = (t != NULL && t->octets) || row->envelope.n == 0;
	if (!octets && !record_load(row->envelope, row->recipients, t == NULL ? 0 : id,
				    v == NULL ? STORE_NO_RECIPIENT : v->recipient, &l->m, a, e))
		return false;
	l->message = row->life.id;
	l->peer = arena_copy(a, row->peer);
	l->content = arena_copy(a, row->content);
	l->content_size = row->size;
	l->in_file = row->file != 0;
	l->arrived = row->arrived;
	l->expires = row->expires;
	l->attempts = t == NULL ? 0 : t->now.attempts;
	if (t != NULL && !t->now.quarantined)
		l->tried = arena_copy(a, t->now.tried);
	if (arena_full(a))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
			       "store: message %llu of %llu octets passes the memory quota",
			       (unsigned long long)l->message, (unsigned long long)row->size);
	return true;
}

bool memory_read_content(struct store *s, uint64_t message, uint64_t offset, void *buf, size_t n,
			 size_t *got_r, struct err *e)
{
	const struct store_disk *d = memory_of(s)->disk;
	const struct row_message *row = memory_find(&d->messages, message);
	if (row == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no message %llu",
			       (unsigned long long)message);
	const struct row_file *file = row->file == 0 ? NULL : memory_find(&d->files, row->file);
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

bool memory_seen(struct store *s, const struct mts_id *id, const uint64_t digest[2])
{
	const struct store_disk *d = memory_of(s)->disk;
	struct view text = memory_id_text(id);
	bool found = false;
	for (size_t i = d->steps.n; i-- > 0 && !found;) {
		const struct row_step *step = CONTAINER(d->steps.v[i], struct row_step, life);
		found = step->life.died == 0 && store_step_is_arrival(step->kind) &&
			step->digest[0] == digest[0] && step->digest[1] == digest[1] &&
			record_same_id(step->id, text);
	}
	memory_drop(&text);
	return found;
}

void memory_count(struct store *s, struct store_counts *c_r)
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
		c_r->transfers += memory_waits(t);
		c_r->recipients_queued += memory_waits(t) ? t->n_recipients : 0;
	}
	for (size_t i = 0; i < d->n_suspects; i++)
		c_r->suspects += d->suspects[i].now.n > 0;
	for (size_t i = 0; i < d->deliveries.n; i++)
		c_r->deliveries += d->deliveries.v[i]->died == 0;
	c_r->tracking_octets = d->step_octets;
	for (size_t i = 0; i < d->partials.n; i++)
		c_r->partials += d->partials.v[i]->died == 0;
}
