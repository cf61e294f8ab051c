/* repair_place.c - a place for every recipient that waits: see repair_hand.h. */
#include "flow/store/repair_hand.h"

#include "base/mem.h"

struct group_part *hand_part(struct hand *h, uint64_t id)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_parts; i++)
		if (!h->gone[i] && g->parts[i].kind != GROUP_DELIVERY && (uint64_t)g->parts[i].id == id)
			return &g->parts[i];
	return NULL;
}

/* --- ids --- */
static bool is_sane(int64_t id)
{
	return id >= 1 && id <= CHECK_ID_MAX;
}

/* May a new row of the three tables have this id? */
static bool is_free(struct repair *r, int64_t id)
{
	return is_sane(id) && REPAIR_ASK(r,
					 "select (select count(*) from transfer where id = ?1) + (select count(*) from delivery where "
					 "id = ?1) + (select count(*) from quarantine where id = ?1)",
					 1, id) == 0;
}

/* A part with an id that was never given gets one; the recipients that name it follow. */
void hand_renumber(struct hand *h)
{
	struct group *g = h->g;
	char sql[80];
	for (size_t i = 0; i < g->n_parts; i++) {
		struct group_part *p = &g->parts[i];
		if (is_sane(p->id))
			continue;
		const int64_t old = p->id;
		repair_keep(h->r, group_kind_name(p->kind), "id = ?1", old, 0, "its id was never given");
		p->id = h->r->next_id++;
		snprintf(sql, sizeof sql, "update %s set id = ?2 where id = ?1", group_kind_name(p->kind));
		REPAIR_RUN(h->r, sql, old, p->id);
		repair_did(h->r, "%s %lld of message %lld has an id that was never given: it is %lld now", group_kind_name(p->kind), (long long)old,
			   (long long)g->id, (long long)p->id);
		for (size_t k = 0; k < g->n_rcpt; k++)
			if (g->rcpt[k].part == p) {
				g->rcpt[k].transfer = (uint64_t)p->id;
				h->changed = true;
			}
	}
}

/* --- a place for those that have none --- */
static uint64_t count_waiting(const struct group *g, uint64_t transfer)
{
	uint64_t n = 0;
	for (size_t i = 0; i < g->n_rcpt; i++)
		n += g->rcpt[i].state == STORE_RCPT_QUEUED && g->rcpt[i].transfer == transfer;
	return n;
}

static void rename_waiting(struct hand *h, uint64_t from, int64_t to)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_rcpt; i++)
		if (g->rcpt[i].state == STORE_RCPT_QUEUED && g->rcpt[i].transfer == from)
			g->rcpt[i].transfer = (uint64_t)to;
	h->changed = true;
}

/* A transfer of this message that nobody names, of as many recipients: it is the one, its id or the name of it was damaged. */
static bool adopt_own(struct hand *h, uint64_t transfer, uint64_t n)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_parts; i++) {
		struct group_part *p = &g->parts[i];
		if (h->gone[i] || p->kind == GROUP_DELIVERY || p->octets || p->named > 0 || (uint64_t)p->recipients != n)
			continue;
		repair_did(h->r, "recipients of message %lld named transfer %llu: they are in its %s %lld, which nobody named",
			   (long long)g->id, (unsigned long long)transfer, group_kind_name(p->kind), (long long)p->id);
		rename_waiting(h, transfer, p->id);
		p->named = n;
		return true;
	}
	return false;
}

/* The caller makes room: one more part. */
struct group_part *hand_add(struct hand *h, struct group_part p)
{
	struct group *g = h->g;
	struct group_part *before = g->parts;
	group_add_part(h->gs, p);
	h->gone = mem_grow(h->gone, mem_mul(g->n_parts, sizeof *h->gone));
	h->gone[g->n_parts - 1] = false;
	if (g->parts != before) /* they have moved */
		for (size_t i = 0; i < g->n_rcpt; i++)
			if (g->rcpt[i].part != NULL)
				g->rcpt[i].part = &g->parts[g->rcpt[i].part - before];
	return &g->parts[g->n_parts - 1];
}

/* A transfer of that id whose message does not exist: the message's id was damaged there, or here. */
static bool adopt_orphan(struct hand *h, uint64_t transfer, uint64_t n)
{
	static const char *const tables[] = {"transfer", "quarantine"};
	const int64_t id = (int64_t)transfer;
	char sql[160];
	for (size_t k = 0; k < ARRAY_LEN(tables); k++) {
		snprintf(sql, sizeof sql,
			 "select 1 from %s t where id = ?1 and %s not exists (select 1 from message m where m.id = t.message)",
			 tables[k], k == 0 ? "" : "octets = 0 and");
		if (REPAIR_ASK(h->r, sql, 0, id) == 0)
			continue;
		repair_keep(h->r, tables[k], "id = ?1", id, 0, "it named a message that is not there");
		snprintf(sql, sizeof sql, "update %s set message = ?2 where id = ?1", tables[k]);
		REPAIR_RUN(h->r, sql, id, h->g->id);
		snprintf(sql, sizeof sql, "select %s from %s where id = ?1", k == 0 ? "queue" : "0", tables[k]);
		const int64_t queue = REPAIR_ASK(h->r, sql, 0, id);
		hand_add(h, (struct group_part){.kind = k == 0 ? GROUP_TRANSFER : GROUP_QUARANTINE,
						.id = id,
						.queue = queue,
						.named = n,
						.is_valid = true,
						.made = true});
		repair_did(h->r, "%s %lld is of message %lld", tables[k], (long long)id, (long long)h->g->id);
		return true;
	}
	return false;
}

/* The only queue there is, or one that says that nobody knows. */
static int64_t queue_for_lost(struct repair *r)
{
	if (r->queue == 0)
		r->queue = r->n_queues == 1 ? r->queues[0] : repair_queue_named(r, REPAIR_LOST);
	return r->queue;
}

static void make_transfer(struct hand *h, uint64_t transfer, uint64_t n)
{
	struct group *g = h->g;
	const int64_t queue = queue_for_lost(h->r);
	int64_t id = (int64_t)transfer;
	if (!is_free(h->r, id)) {
		id = h->r->next_id++;
		rename_waiting(h, transfer, id);
	}
	REPAIR_RUN(h->r, "insert into transfer values (?1, ?2, ?3, ?4, 0, 0, 0, ?5, ?6, ?7, ?8, 'made anew by posthorn check --repair', '')", id,
		   g->id, queue, g->priority, (int64_t)n, g->arrived, g->expires, g->size);
	hand_add(h, (struct group_part){.kind = GROUP_TRANSFER,
					.id = id,
					.queue = queue,
					.priority = g->priority,
					.recipients = (int64_t)n,
					.arrived = g->arrived,
					.expires = g->expires,
					.size = g->size,
					.is_valid = true,
					.made = true,
					.named = n});
	h->r->result.changed++;
	repair_did(h->r, "transfer %lld of message %lld was gone: its %llu recipients wait again, in queue %lld", (long long)id,
		   (long long)g->id, (unsigned long long)n, (long long)queue);
}

void hand_give_places(struct hand *h)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_rcpt && !h->r->failed; i++) {
		const struct group_recipient *rc = &g->rcpt[i];
		if (rc->state != STORE_RCPT_QUEUED || rc->part != NULL || rc->outcome != NULL || hand_part(h, rc->transfer) != NULL)
			continue;
		const uint64_t transfer = rc->transfer, n = count_waiting(g, transfer);
		if (!adopt_own(h, transfer, n) && !adopt_orphan(h, transfer, n))
			make_transfer(h, transfer, n);
	}
}

/* --- quarantine --- */
void hand_quarantine(struct hand *h, int64_t id, bool octets, int64_t n, int64_t queue, const char *cause)
{
	struct group *g = h->g;
	sqlite3_stmt *st = NULL;
	if (h->r->failed)
		return;
	if (sqlite3_prepare_v2(h->r->db,
			       "insert into quarantine select ?1, ?2, 0, ?3, ?4, 0, 0, ?5, ?6, coalesce((select name from queue where no = "
			       "?7), (select peer from message where id = ?2), ''), ?8, '', '', ?9, 0, ?10, ?11",
			       -1, &st, NULL) != SQLITE_OK) {
		repair_broken(h->r);
		return;
	}
	const int64_t v[] = {id, g->id, octets ? 1 : 0, env_wall_ms(h->r->env), n, g->size, queue};
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		sqlite3_bind_int64(st, (int)i + 1, v[i]);
	sqlite3_bind_text(st, 8, cause, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 9, g->priority);
	sqlite3_bind_int64(st, 10, g->arrived);
	sqlite3_bind_int64(st, 11, g->expires);
	const int rc = sqlite3_step(st);
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		repair_broken(h->r);
	h->r->result.changed++;
}

/* Its transfers are kept for the operator, under their ids: the content is not what was accepted. */
void hand_set_aside(struct hand *h)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_parts; i++) {
		struct group_part *p = &g->parts[i];
		if (h->gone[i] || p->kind != GROUP_TRANSFER)
			continue;
		repair_keep(h->r, "transfer", "id = ?1", p->id, 0, h->why);
		REPAIR_RUN(h->r, "delete from transfer where id = ?1", p->id);
		hand_quarantine(h, p->id, 0, (int64_t)p->named, p->queue, h->why);
		p->kind = GROUP_QUARANTINE;
		p->made = true;
		repair_did(h->r, "transfer %lld of message %lld is in quarantine: %s", (long long)p->id, (long long)g->id, h->why);
	}
}

/* It lay in a mailbox, and nobody knows in which: those recipients wait in quarantine. */
void hand_quarantine_delivered(struct hand *h)
{
	struct group *g = h->g;
	const int64_t id = h->r->next_id++;
	int64_t n = 0;
	for (size_t i = 0; i < g->n_rcpt; i++) {
		struct group_recipient *rc = &g->rcpt[i];
		if (rc->state != STORE_RCPT_DELIVERED)
			continue;
		rc->state = STORE_RCPT_QUEUED;
		rc->transfer = (uint64_t)id;
		n++;
	}
	if (n == 0)
		return;
	h->changed = true;
	hand_quarantine(h, id, 0, n, 0, "the entry of the mailbox in which it lay is gone");
	hand_add(h, (struct group_part){.kind = GROUP_QUARANTINE,
					.id = id,
					.priority = g->priority,
					.recipients = n,
					.arrived = g->arrived,
					.expires = g->expires,
					.size = g->size,
					.is_valid = true,
					.made = true,
					.named = (uint64_t)n});
	repair_did(h->r, "message %lld lay in a mailbox that is not known any more: it is in quarantine", (long long)g->id);
}

int64_t hand_queue(struct repair *r, int64_t no)
{
	char name[64];
	if (repair_has_queue(r, no))
		return no;
	if (no < 1 || no > INT32_MAX)
		return queue_for_lost(r);
	snprintf(name, sizeof name, REPAIR_QUEUE "%lld", (long long)no);
	return repair_queue_named(r, name);
}

