/* sqlite_quarantine.c - suspects, and what is kept out of the queues. */
#include "flow/store/sqlite_impl.h"

/* --- suspects --- */
void sqlite_suspect_put(struct store *s, struct view key, uint32_t strikes, struct view words)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_SUSPECT, BIND_T(key));
	const bool known = sqlite_row(q, st);
	sqlite3_reset(st);
	if (strikes > 0) {
		SQLITE_RUN(q, SQL_PUT_SUSPECT, BIND_T(key), BIND_I(strikes),
			   BIND_I(env_wall_ms(s->env)), BIND_T(words));
		q->counts.suspects += !known;
	} else if (known) {
		SQLITE_RUN(q, SQL_DEL_SUSPECT, BIND_T(key));
		q->counts.suspects--;
	}
}

struct suspect {
	struct suspect *next;
	const char *key, *words;
	uint32_t strikes;
	wall_ms_t at;
};

/* Read whole before anybody is told, because he may change them. */
void sqlite_suspects(struct store *s, store_suspect_f *each, void *ctx)
{
	struct sqlite *q = sqlite_of(s);
	struct arena *a = arena_new(SIZE_MAX);
	struct suspect *first = NULL, **end = &first;
	sqlite3_stmt *st = sqlite_ask(q, SQL_SUSPECTS, 0, NULL);
	while (sqlite_row(q, st)) {
		struct suspect *x = arena_get(a, sizeof *x);
		*x = (struct suspect){.key = arena_str(a, sqlite_view(st, 0)),
				      .words = arena_str(a, sqlite_view(st, 3)),
				      .strikes = (uint32_t)sqlite3_column_int64(st, 1),
				      .at = sqlite3_column_int64(st, 2)};
		*end = x;
		end = &x->next;
	}
	for (const struct suspect *x = first; x != NULL; x = x->next)
		each(ctx, x->key, x->strikes, x->at, x->words);
	arena_free(&a);
}

/* --- in --- */
void sqlite_quarantine(struct store *s, uint64_t transfer, uint32_t strikes, struct view cause,
		       struct view words)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (!sqlite_get_transfer(q, transfer, &p))
		return;
	SQLITE_RUN(q, SQL_PUT_QUARANTINE, BIND_I(env_wall_ms(s->env)), BIND_I(strikes),
		   BIND_T(cause), BIND_T(words), BIND_I(transfer));
	SQLITE_RUN(q, SQL_DEL_TRANSFER, BIND_I(transfer));
	sqlite_count_transfer(q, &p, -1);
	q->counts.quarantined++;
}

uint64_t sqlite_put_octets(struct store *s, const struct store_octets *o)
{
	struct sqlite *q = sqlite_of(s);
	const uint64_t message = sqlite_id(q), id = sqlite_id(q);
	const uint64_t size = o->file == NULL ? o->content.n : o->file->size;
	const struct view none = {NULL, 0};
	SQLITE_RUN(q, SQL_PUT_MESSAGE, BIND_I(message), BIND_I(1), BIND_I(STORE_KIND_OCTETS),
		   BIND_I(PRIORITY_NORMAL), BIND_I(o->arrived), BIND_I(0), BIND_I(size),
		   o->file == NULL ? BIND_N() : BIND_I(o->file->file), BIND_T(o->link),
		   BIND_T(none), BIND_B(none), BIND_B(none),
		   o->file == NULL ? BIND_B(o->content) : BIND_N());
	SQLITE_RUN(q, SQL_PUT_OCTETS, BIND_I(id), BIND_I(message), BIND_I(o->state),
		   BIND_I(env_wall_ms(s->env)), BIND_I(size), BIND_T(o->link), BIND_T(o->cause),
		   BIND_T(o->words), BIND_T(o->key), BIND_I(PRIORITY_NORMAL), BIND_I(o->arrived));
	q->counts.messages++;
	q->counts.octets += size;
	q->counts.quarantined++;
	q->n_files += o->file != NULL;
	return id;
}

/* --- while it is there, and out --- */
static bool get_quarantine(struct sqlite *q, uint64_t id, struct sqlite_part *p_r)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_QUARANTINE, BIND_I(id));
	if (!sqlite_row(q, st))
		return false;
	*p_r = (struct sqlite_part){.message = sqlite3_column_int64(st, 0),
				    .octets = sqlite3_column_int(st, 1) != 0,
				    .priority = sqlite3_column_int64(st, 2),
				    .alone = sqlite3_column_int(st, 3) != 0,
				    .recipients = sqlite3_column_int64(st, 4),
				    .size = sqlite3_column_int64(st, 5)};
	sqlite3_reset(st);
	return true;
}

static struct bind text_or_null(struct view v)
{
	return v.p == NULL ? BIND_N() : BIND_T(v);
}

void sqlite_quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state,
			   uint32_t strikes, struct view cause, struct view words)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (get_quarantine(q, id, &p))
		SQLITE_RUN(q, SQL_SET_QUARANTINE, BIND_I(state), BIND_I(strikes),
			   text_or_null(cause), text_or_null(words), BIND_I(id));
}

void sqlite_quarantine_release(struct store *s, uint64_t id, struct view queue, wall_ms_t next_ms)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (!get_quarantine(q, id, &p) || p.octets)
		return;
	p.queue = sqlite_queue_of(q, queue)->no;
	SQLITE_RUN(q, SQL_PUT_RELEASED, BIND_I(p.queue), BIND_I(next_ms), BIND_I(id));
	SQLITE_RUN(q, SQL_DEL_QUARANTINE, BIND_I(id));
	sqlite_count_transfer(q, &p, 1);
	q->counts.quarantined--;
}

void sqlite_quarantine_remove(struct store *s, uint64_t id)
{
	struct sqlite *q = sqlite_of(s);
	struct sqlite_part p;
	if (!get_quarantine(q, id, &p))
		return;
	SQLITE_RUN(q, SQL_DEL_QUARANTINE, BIND_I(id));
	q->counts.quarantined--;
	sqlite_release_part(q, &p, p.octets ? 0 : id, STORE_RCPT_REPORTED);
}

/* --- reads --- */
bool sqlite_load_quarantine(struct store *s, uint64_t id, struct store_quarantine *z,
			    struct arena *a, struct err *e)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_QUARANTINE_ROW, BIND_I(id));
	if (!sqlite_row(q, st))
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "store: there is nothing in quarantine with id %llu",
			       (unsigned long long)id);
	const int64_t state = sqlite3_column_int64(st, 1);
	z->message = (uint64_t)sqlite3_column_int64(st, 0);
	z->state = (enum store_quarantine_state)state;
	z->octets = sqlite3_column_int(st, 2) != 0;
	z->at = sqlite3_column_int64(st, 3);
	z->strikes = (uint32_t)sqlite3_column_int64(st, 4);
	z->size = (uint64_t)sqlite3_column_int64(st, 5);
	z->link = arena_copy(a, sqlite_view(st, 6));
	z->cause = arena_copy(a, sqlite_view(st, 7));
	z->words = arena_copy(a, sqlite_view(st, 8));
	z->key = arena_copy(a, sqlite_view(st, 9));
	sqlite3_reset(st);
	return (state >= STORE_QUARANTINE_KEPT && state <= STORE_QUARANTINE_EXAMINE) ||
	       err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
		       "store: quarantined %llu is in state %lld, and there is no such",
		       (unsigned long long)id, (long long)state);
}

size_t sqlite_quarantine_next(struct store *s, enum store_quarantine_state state, uint64_t after,
			      uint64_t *ids, size_t max)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st =
		SQLITE_ASK(q, SQL_QUARANTINE_NEXT, BIND_I(state), BIND_I(after), BIND_I(max));
	size_t n = 0;
	while (sqlite_row(q, st))
		ids[n++] = (uint64_t)sqlite3_column_int64(st, 0);
	return n;
}
