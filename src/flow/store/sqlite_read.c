/* sqlite_read.c - what the switch asks. The writer's own connection: it sees the open group. */
#include "flow/store/sqlite_impl.h"

#include "flow/store/record.h"

struct sqlite_queue *sqlite_queue_named(struct sqlite *q, struct view name)
{
	for (size_t i = 0; i < q->n_queues; i++)
		if (view_eq(q->queues[i].name, name))
			return &q->queues[i];
	return NULL;
}

/* Numbers are given from 1 on and no queue is ever removed. */
struct sqlite_queue *sqlite_queue_no(struct sqlite *q, int64_t no)
{
	if (no >= 1 && (uint64_t)no <= q->n_queues && q->queues[no - 1].no == no)
		return &q->queues[no - 1];
	for (size_t i = 0; i < q->n_queues; i++)
		if (q->queues[i].no == no)
			return &q->queues[i];
	return NULL;
}

static size_t take_rows(struct sqlite *q, sqlite3_stmt *st, enum priority p,
			struct store_place *place, struct store_queued *rows)
{
	size_t n = 0;
	for (; sqlite_row(q, st); n++) {
		rows[n] = (struct store_queued){
			.transfer = (uint64_t)sqlite3_column_int64(st, 0),
			.message = (uint64_t)sqlite3_column_int64(st, 1),
			.priority = p,
			.next_ms = sqlite3_column_int64(st, 2),
			.arrived = sqlite3_column_int64(st, 3),
			.expires = sqlite3_column_int64(st, 4),
			.attempts = (uint32_t)sqlite3_column_int64(st, 5),
			.size = (uint64_t)sqlite3_column_int64(st, 6),
		};
		*place = (struct store_place){rows[n].next_ms, rows[n].transfer};
	}
	return n;
}

/* Two questions, because one with (next, id) > (?, ?) would walk over all rows of the same time,
 * and a dead link has a million. */
size_t sqlite_queue_next(struct store *s, struct view queue, enum priority p, wall_ms_t until,
			 struct store_place *place, struct store_queued *rows, size_t max)
{
	struct sqlite *q = sqlite_of(s);
	const struct sqlite_queue *found = sqlite_queue_named(q, queue);
	if (found == NULL || found->transfers[p] == 0 || place->next_ms > until)
		return 0;
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_QUEUE_SAME, BIND_I(found->no), BIND_I(p),
				      BIND_I(place->next_ms), BIND_I(place->transfer), BIND_I(max));
	size_t n = take_rows(q, st, p, place, rows);
	if (n == max || s->over)
		return n;
	st = SQLITE_ASK(q, SQL_QUEUE_LATER, BIND_I(found->no), BIND_I(p), BIND_I(place->next_ms),
			BIND_I(until), BIND_I(max - n));
	return n + take_rows(q, st, p, place, rows + n);
}

wall_ms_t sqlite_queue_wakes(struct store *s, struct view queue, wall_ms_t after)
{
	struct sqlite *q = sqlite_of(s);
	const struct sqlite_queue *found = sqlite_queue_named(q, queue);
	wall_ms_t wakes = 0;
	for (int p = 0; found != NULL && p < PRIORITY_COUNT && !s->over; p++) {
		if (found->transfers[p] == 0)
			continue;
		sqlite3_stmt *st =
			SQLITE_ASK(q, SQL_QUEUE_WAKES, BIND_I(found->no), BIND_I(p), BIND_I(after));
		if (!sqlite_row(q, st))
			continue;
		const wall_ms_t next = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		if (wakes == 0 || next < wakes)
			wakes = next;
	}
	return wakes;
}

uint64_t sqlite_held(struct store *s)
{
	struct sqlite *q = sqlite_of(s);
	uint64_t n = 0;
	for (size_t i = 0; i < q->n_queues; i++)
		for (int p = 0; p < PRIORITY_COUNT; p++) {
			if (q->queues[i].transfers[p] == 0)
				continue;
			sqlite3_stmt *st = SQLITE_ASK(q, SQL_COUNT_HELD, BIND_I(q->queues[i].no),
						      BIND_I(p), BIND_I(STORE_NEVER));
			if (!sqlite_row(q, st))
				continue;
			n += (uint64_t)sqlite3_column_int64(st, 0);
			sqlite3_reset(st);
		}
	return n;
}

/* Of FIND_TRANSFER and EXPIRED. A row whose queue or priority cannot be is no row: only store_check looks at it. */
static bool take_row(struct sqlite *q, sqlite3_stmt *st, struct store_queued *row_r,
		     struct view *queue_r)
{
	const int64_t priority = sqlite3_column_int64(st, 7);
	const struct sqlite_queue *queue = sqlite_queue_no(q, sqlite3_column_int64(st, 8));
	if (queue == NULL || priority < 0 || priority >= PRIORITY_COUNT)
		return false;
	*row_r = (struct store_queued){
		.transfer = (uint64_t)sqlite3_column_int64(st, 0),
		.message = (uint64_t)sqlite3_column_int64(st, 1),
		.priority = (enum priority)priority,
		.next_ms = sqlite3_column_int64(st, 2),
		.arrived = sqlite3_column_int64(st, 3),
		.expires = sqlite3_column_int64(st, 4),
		.attempts = (uint32_t)sqlite3_column_int64(st, 5),
		.size = (uint64_t)sqlite3_column_int64(st, 6),
	};
	*queue_r = queue->name;
	return true;
}

bool sqlite_find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r,
			  struct view *queue_r)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_FIND_TRANSFER, BIND_I(transfer));
	const bool found = sqlite_row(q, st) && take_row(q, st, row_r, queue_r);
	sqlite3_reset(st);
	return found;
}

size_t sqlite_expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
		      struct store_expired *rows, size_t max)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_EXPIRED, BIND_I(*after), BIND_I(scan));
	size_t n = 0, seen = 0;
	struct store_queued x;
	struct view queue;
	while (n < max && sqlite_row(q, st)) {
		seen++;
		*after = (uint64_t)sqlite3_column_int64(st, 0);
		const wall_ms_t expires = sqlite3_column_int64(st, 4);
		if (expires == 0 || expires > now || sqlite3_column_int64(st, 2) >= STORE_NEVER ||
		    !take_row(q, st, &x, &queue))
			continue;
		rows[n++] = (struct store_expired){x.transfer, x.message, queue,      x.priority,
						   x.arrived,  x.expires, x.attempts, x.size};
	}
	sqlite3_reset(st);
	if (n < max && seen < scan)
		*after = 0;
	return n;
}

void sqlite_queues(struct store *s,
		   void (*each)(void *ctx, const struct store_queue *q),
		   void *ctx)
{
	const struct sqlite *q = sqlite_of(s);
	for (size_t i = 0; i < q->n_queues; i++) {
		uint64_t n = 0;
		for (int p = 0; p < PRIORITY_COUNT; p++)
			n += q->queues[i].transfers[p];
		if (n > 0)
			each(ctx, &(struct store_queue){q->queues[i].name, n, q->queues[i].octets, q->queues[i].recipients});
	}
}

void sqlite_totals(struct store *s, void (*each)(void *ctx, struct view name, struct view text), void *ctx)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = sqlite_ask(q, SQL_TOTALS, 0, NULL);
	while (sqlite_row(q, st)) {
		const struct view text = sqlite_view(st, 1); /* of a number too: that is no total of ours, and counts nothing */
		each(ctx, view_from(sqlite_view(st, 0), strlen(STORE_TOTAL)), text);
	}
}

enum store_thing sqlite_what_is(struct store *s, uint64_t id)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_WHAT_IS, BIND_I(id));
	const enum store_thing what = sqlite_row(q, st) ? (enum store_thing)sqlite3_column_int(st, 0) : STORE_NOTHING;
	sqlite3_reset(st);
	return what;
}

bool sqlite_load(struct store *s, enum store_thing what, uint64_t id, struct store_loaded *l,
		 struct arena *a, struct err *e)
{
	struct sqlite *q = sqlite_of(s);
	const bool transfer = what == STORE_TRANSFER;
	sqlite3_stmt *st = transfer		    ? SQLITE_ASK(q, SQL_LOAD_TRANSFER, BIND_I(id))
			   : what == STORE_DELIVERY ? SQLITE_ASK(q, SQL_LOAD_DELIVERY, BIND_I(id))
						    : SQLITE_ASK(q, SQL_LOAD_MESSAGE, BIND_I(id));
	bool there = sqlite_row(q, st), octets = there && what == STORE_MESSAGE && sqlite3_column_int(st, 11) == STORE_KIND_OCTETS;
	if (there && transfer)
		l->tried = arena_copy(a, sqlite_view(st, 11));
	if (!there && transfer && !s->over) {
		st = SQLITE_ASK(q, SQL_LOAD_QUARANTINE, BIND_I(id));
		there = sqlite_row(q, st);
		octets = there && sqlite3_column_int(st, 11) != 0;
	}
	if (!there)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no %s %llu",
			       transfer ? "transfer" : what == STORE_DELIVERY ? "delivery" : "message",
			       (unsigned long long)id);
	l->message = (uint64_t)sqlite3_column_int64(st, 0);
	l->peer = arena_copy(a, sqlite_view(st, 1));
	l->content_size = (uint64_t)sqlite3_column_int64(st, 2);
	l->in_file = sqlite3_column_type(st, 3) != SQLITE_NULL;
	l->arrived = sqlite3_column_int64(st, 4);
	l->expires = sqlite3_column_int64(st, 5);
	l->attempts = (uint32_t)sqlite3_column_int64(st, 6);
	l->content = arena_copy(a, sqlite_view(st, 10));
	const uint32_t index = what == STORE_DELIVERY ? (uint32_t)sqlite3_column_int64(st, 7) : STORE_NO_RECIPIENT;
	bool ok = octets || record_load(sqlite_view(st, 8), sqlite_view(st, 9), transfer ? id : 0, index, &l->m, a, e);
	sqlite3_reset(st);
	if (ok && arena_full(a))
		ok = err_set(e, ERR_TEMP, ERR_OF_MESSAGE,
			     "store: message %llu of %llu octets passes the memory quota",
			     (unsigned long long)l->message, (unsigned long long)l->content_size);
	return ok;
}

void sqlite_count(struct store *s, struct store_counts *c_r)
{
	*c_r = sqlite_of(s)->counts;
	c_r->tracking_octets = sqlite_of(s)->step_octets;
}
