/* sqlite_put.c - operations as rows. */
#include "flow/store/sqlite_impl.h"

#include "base/mem.h"
#include "flow/store/record.h"

struct sqlite_queue *sqlite_queue_of(struct sqlite *q, struct view name)
{
	struct sqlite_queue *found = sqlite_queue_named(q, name);
	if (found != NULL)
		return found;
	const int64_t no = q->n_queues == 0 ? 1 : q->queues[q->n_queues - 1].no + 1;
	q->queues = mem_grow(q->queues, mem_mul(q->n_queues + 1, sizeof *q->queues));
	q->queues[q->n_queues++] =
		(struct sqlite_queue){.no = no, .name = view_of(mem_dup(name.p, name.n), name.n)};
	SQLITE_RUN(q, SQL_PUT_QUEUE, BIND_I(no), BIND_T(name));
	return &q->queues[q->n_queues - 1];
}

static void count_in_queue(struct sqlite *q, int64_t no, const struct sqlite_part *p, int by)
{
	struct sqlite_queue *queue = sqlite_queue_no(q, no);
	assert(queue != NULL && p->priority >= 0 && p->priority < PRIORITY_COUNT);
	queue->transfers[p->priority] += (uint64_t)(int64_t)by;
	queue->octets += (uint64_t)(p->size * by);
	queue->recipients += (uint64_t)(p->recipients * by);
}

void sqlite_count_transfer(struct sqlite *q, const struct sqlite_part *p, int by)
{
	count_in_queue(q, p->queue, p, by);
	q->counts.transfers += (uint64_t)(int64_t)by;
	q->counts.recipients_queued += (uint64_t)(p->recipients * by);
}

static uint64_t recipients_in(const struct store_message *m, size_t transfer)
{
	uint64_t n = 0;
	for (size_t i = 0; i < m->n_recipients; i++)
		n += m->recipients[i].state == STORE_RCPT_QUEUED &&
		     m->recipients[i].transfer == transfer;
	return n;
}

static void put_transfers(struct sqlite *q, const struct store_message *m, bool alone,
			  uint64_t size)
{
	for (size_t i = 0; i < m->n_transfers; i++) {
		const struct store_transfer *t = &m->transfers[i];
		const uint64_t n = recipients_in(m, i);
		const struct sqlite_part part = {.queue = sqlite_queue_of(q, t->queue)->no,
						 .priority = (int64_t)m->m->priority,
						 .recipients = (int64_t)n,
						 .size = (int64_t)size};
		SQLITE_RUN(q, SQL_PUT_TRANSFER, BIND_I(t->id_r), BIND_I(m->id_r), BIND_I(part.queue),
			   BIND_I(m->m->priority), BIND_I(t->next_ms), BIND_I(alone), BIND_I(n),
			   BIND_I(m->arrived), BIND_I(m->expires), BIND_I(size));
		sqlite_count_transfer(q, &part, 1);
	}
}

static void put_deliveries(struct sqlite *q, const struct store_message *m, bool alone,
			   uint64_t size)
{
	for (size_t i = 0; i < m->n_deliveries; i++) {
		const struct store_delivery *d = &m->deliveries[i];
		SQLITE_RUN(q, SQL_PUT_DELIVERY, BIND_I(d->id_r), BIND_I(m->id_r),
			   BIND_T(d->mailbox), BIND_I(d->recipient), BIND_I(alone),
			   BIND_I(env_wall_ms(q->s.env)), BIND_I(size));
		q->counts.deliveries++;
	}
}

/* Where its content is: number of the file, 0 for the row; and how long it is. */
static uint64_t content_of(struct sqlite *q, const struct store_message *m, uint64_t *size_r)
{
	uint64_t file = 0;
	if (m->content_of == 0) {
		*size_r = m->file == NULL ? m->content.n : m->file->size;
		return m->file == NULL ? 0 : m->file->file;
	}
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_FILE, BIND_I(m->content_of));
	*size_r = 0;
	if (sqlite_row(q, st)) {
		file = (uint64_t)sqlite3_column_int64(st, 0);
		*size_r = (uint64_t)sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return file;
}

void sqlite_put_message(struct store *s, struct store_message *m)
{
	struct sqlite *q = sqlite_of(s);
	const size_t parts = m->n_transfers + m->n_deliveries;
	uint64_t size;
	const uint64_t file = content_of(q, m, &size);
	m->id_r = sqlite_id(q);
	for (size_t i = 0; i < m->n_transfers; i++)
		m->transfers[i].id_r = sqlite_id(q);
	for (size_t i = 0; i < m->n_deliveries; i++)
		m->deliveries[i].id_r = sqlite_id(q);

	struct out *id = &q->scratch[0], *envelope = &q->scratch[1], *recipients = &q->scratch[2];
	out_clear(id);
	out_clear(envelope);
	out_clear(recipients);
	mts_id_print(&m->m->id, id);
	record_envelope(envelope, m);
	record_recipients(recipients, m);
	assert(!id->bad && !envelope->bad && !recipients->bad);
	SQLITE_RUN(q, SQL_PUT_MESSAGE, BIND_I(m->id_r), BIND_I(parts), BIND_I(m->m->kind),
		   BIND_I(m->m->priority), BIND_I(m->arrived), BIND_I(m->expires), BIND_I(size),
		   file == 0 ? BIND_N() : BIND_I(file), BIND_T(m->peer),
		   BIND_T(out_view(id)), BIND_B(out_view(envelope)), BIND_B(out_view(recipients)),
		   file == 0 ? BIND_B(m->content) : BIND_N());
	if (parts > 1)
		SQLITE_RUN(q, SQL_PUT_SHARE, BIND_I(m->id_r), BIND_I(parts), BIND_I(size));
	put_transfers(q, m, parts == 1, size);
	put_deliveries(q, m, parts == 1, size);
	q->counts.messages++;
	q->counts.octets += size;
	q->n_files += file != 0;
}

/* --- ends --- */
static bool file_is_shared(struct sqlite *q, uint64_t file, int64_t message)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_SHARES_FILE, BIND_I(file), BIND_I(message));
	const bool shared = sqlite_row(q, st);
	sqlite3_reset(st);
	return shared;
}

static void remove_message(struct sqlite *q, int64_t message, int64_t size)
{
	if (q->n_files > 0) { /* else there is no need to look */
		sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_FILE, BIND_I(message));
		const bool in_file = sqlite_row(q, st) && sqlite3_column_type(st, 0) != SQLITE_NULL;
		const uint64_t file = in_file ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
		sqlite3_reset(st);
		if (in_file) {
			if (!file_is_shared(q, file, message))
				sqlite_file_goes(q, file);
			sqlite_close_file(q, (uint64_t)message);
			q->n_files--;
		}
	}
	SQLITE_RUN(q, SQL_DEL_MESSAGE, BIND_I(message));
	q->counts.messages--;
	q->counts.octets -= (uint64_t)size;
}

void sqlite_release_part(struct sqlite *q, const struct sqlite_part *p, uint64_t transfer,
			 enum store_rcpt_state outcome)
{
	if (p->alone) {
		remove_message(q, p->message, p->size);
		return;
	}
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_SHARE, BIND_I(p->message));
	const int64_t left = sqlite_row(q, st) ? sqlite3_column_int64(st, 0) - 1 : 0;
	sqlite3_reset(st);
	if (left > 0) {
		SQLITE_RUN(q, SQL_SET_SHARE, BIND_I(left), BIND_I(p->message));
		if (transfer != 0)
			SQLITE_RUN(q, SQL_PUT_OUTCOME, BIND_I(p->message), BIND_I(transfer),
				   BIND_I(outcome));
		return;
	}
	SQLITE_RUN(q, SQL_DEL_SHARE, BIND_I(p->message));
	SQLITE_RUN(q, SQL_DEL_OUTCOMES, BIND_I(p->message));
	remove_message(q, p->message, p->size);
}

bool sqlite_get_transfer(struct sqlite *q, uint64_t transfer, struct sqlite_part *p_r)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_TRANSFER, BIND_I(transfer));
	if (!sqlite_row(q, st))
		return false;
	*p_r = (struct sqlite_part){.message = sqlite3_column_int64(st, 0),
				    .queue = sqlite3_column_int64(st, 1),
				    .priority = sqlite3_column_int64(st, 2),
				    .alone = sqlite3_column_int(st, 3) != 0,
				    .recipients = sqlite3_column_int64(st, 4),
				    .size = sqlite3_column_int64(st, 5)};
	sqlite3_reset(st);
	return true;
}

uint64_t sqlite_transfer_end(struct store *s, uint64_t transfer, enum store_rcpt_state outcome)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (!sqlite_get_transfer(q, transfer, &p))
		return 0;
	SQLITE_RUN(q, SQL_DEL_TRANSFER, BIND_I(transfer));
	sqlite_count_transfer(q, &p, -1);
	sqlite_release_part(q, &p, transfer, outcome);
	return (uint64_t)p.recipients;
}

void sqlite_transfer_retry(struct store *s, uint64_t transfer, wall_ms_t next_ms, uint32_t attempts,
			   struct view why)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (sqlite_get_transfer(q, transfer, &p))
		SQLITE_RUN(q, SQL_SET_RETRY, BIND_I(next_ms), BIND_I(attempts), BIND_T(why),
			   BIND_I(transfer));
}

void sqlite_transfer_move(struct store *s, uint64_t transfer, struct view queue, wall_ms_t next_ms,
			  struct view tried)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (!sqlite_get_transfer(q, transfer, &p))
		return;
	const int64_t no = sqlite_queue_of(q, queue)->no;
	SQLITE_RUN(q, SQL_SET_QUEUE, BIND_I(no), BIND_I(next_ms), tried.p == NULL ? BIND_N() : BIND_T(tried),
		   BIND_I(transfer));
	count_in_queue(q, p.queue, &p, -1);
	count_in_queue(q, no, &p, 1);
}

void sqlite_delivery_remove(struct store *s, uint64_t delivery)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_DELIVERY, BIND_I(delivery));
	if (!sqlite_row(q, st))
		return;
	const struct sqlite_part p = {.message = sqlite3_column_int64(st, 0),
				      .alone = sqlite3_column_int(st, 1) != 0,
				      .size = sqlite3_column_int64(st, 2)};
	sqlite3_reset(st);
	SQLITE_RUN(q, SQL_DEL_DELIVERY, BIND_I(delivery));
	q->counts.deliveries--;
	sqlite_release_part(q, &p, 0, STORE_RCPT_NOT_OURS);
}

uint64_t sqlite_reserve_numbers(struct store *s, uint64_t n)
{
	struct sqlite *q = sqlite_of(s);
	const uint64_t first = q->next_number;
	q->next_number += n;
	if (q->next_number + SQLITE_COUNTER_BLOCK / 2 >= q->number_ceiling) {
		q->number_ceiling = q->next_number + SQLITE_COUNTER_BLOCK;
		SQLITE_RUN(q, SQL_SET_COUNTER, BIND_T(VIEW("number")), BIND_I(q->number_ceiling));
	}
	return first;
}

static bool is_text(struct view v)
{
	size_t n = 0;
	while (n < v.n && v.p[n] >= ' ' && v.p[n] <= '~')
		n++;
	return n == v.n;
}

/* What can be read is to be read by people. */
void sqlite_total_put(struct store *s, struct view name, struct view text)
{
	char key[sizeof STORE_TOTAL + STORE_TOTAL_NAME_MAX];
	const int n = snprintf(key, sizeof key, STORE_TOTAL "%.*s", (int)name.n, (const char *)name.p);
	SQLITE_RUN(sqlite_of(s), SQL_SET_COUNTER, BIND_T(view_of(key, (size_t)n)), is_text(text) ? BIND_T(text) : BIND_B(text));
}
