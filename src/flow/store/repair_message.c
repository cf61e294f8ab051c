/* repair_message.c - message by message: what the rows of one say of each other is made to agree. The message's own row and its
 * envelope say what it is; its recipients say whom it still has to reach, and each of them gets a place when it has none. */
#include "flow/store/repair_hand.h"

#include "base/mem.h"
#include "flow/message/pack.h"

enum { DROPPED = -1 }; /* a recipient that cannot be read */

/* The message's row, before it is changed. */
static void keep_message(struct hand *h, const char *why)
{
	if (h->kept)
		return;
	h->kept = true;
	repair_keep(h->r, "message", "id = ?1", h->g->id, 0, why);
}

static void remove_part(struct hand *h, size_t i, const char *why)
{
	const struct group_part *p = &h->g->parts[i];
	if (h->gone[i])
		return;
	h->gone[i] = true;
	repair_keep(h->r, group_kind_name(p->kind), "id = ?1", p->id, 0, why);
	char sql[80];
	snprintf(sql, sizeof sql, "delete from %s where id = ?1", group_kind_name(p->kind));
	REPAIR_RUN(h->r, sql, p->id);
	h->r->result.removed++;
	repair_did(h->r, "%s %lld of message %lld is in removed/: %s", group_kind_name(p->kind), (long long)p->id, (long long)h->g->id, why);
}

static void remove_outcome(struct hand *h, struct group_outcome *o, const char *why)
{
	repair_keep(h->r, "outcome", "message = ?1 and transfer = ?2", h->g->id, o->transfer, why);
	REPAIR_RUN(h->r, "delete from outcome where message = ?1 and transfer = ?2", h->g->id, o->transfer);
	h->r->result.removed++;
	repair_did(h->r, "the outcome of transfer %lld of message %lld is in removed/: %s", (long long)o->transfer, (long long)h->g->id,
		   why);
	o->state = 0;
}

static size_t parts_left(const struct hand *h)
{
	size_t n = 0;
	for (size_t i = 0; i < h->g->n_parts; i++)
		n += !h->gone[i];
	return n;
}

/* --- envelope --- */
static bool has_octets(const struct group *g)
{
	for (size_t i = 0; i < g->n_parts; i++)
		if (g->parts[i].octets)
			return true;
	return false;
}

/* What the envelope says stands; mts_id is compared and printed into r->text. */
static void read_envelope(struct hand *h)
{
	struct group *g = h->g;
	struct message m;
	struct out *text = &h->r->text;
	arena_reset(h->r->arena);
	out_clear(text);
	if (g->envelope.n == 0 && (g->kind == STORE_KIND_OCTETS || has_octets(g))) {
		h->octets = true;
		return;
	}
	if (!unpack_envelope(g->envelope, &m, h->r->arena, NULL)) {
		snprintf(h->why, sizeof h->why, "its envelope cannot be read");
		h->octets = true;
		return;
	}
	mts_id_print(&m.id, text);
	h->was.mts_id = view_eq(out_view(text), g->mts_id);
	g->kind = (int64_t)m.kind;
	g->priority = (int64_t)m.priority;
}

/* --- when it came, when it expires --- */
enum { OF_ARRIVED, OF_EXPIRES };
static int64_t said_by(const struct group_part *p, int what)
{
	return what == OF_ARRIVED ? p->arrived : p->expires;
}

/* Where two parts and more agree, the message was damaged; one against one the message is believed, unless it says nothing. */
static int64_t vote(const struct group *g, int64_t own, int what)
{
	int64_t said = 0;
	size_t n = 0;
	for (size_t i = 0; i < g->n_parts; i++) {
		const struct group_part *p = &g->parts[i];
		if (p->kind == GROUP_DELIVERY || p->octets)
			continue;
		if (said_by(p, what) == own || (n > 0 && said_by(p, what) != said))
			return own;
		said = said_by(p, what);
		n++;
	}
	return n >= 2 || (n == 1 && own <= 0) ? said : own;
}

/* --- recipients --- */
/* Drops those that cannot be read; deliveries follow the number of theirs. */
static void drop_unreadable(struct hand *h)
{
	struct group *g = h->g;
	struct recipient rcpt;
	size_t n = 0;
	int64_t *now = mem_alloc(mem_mul(g->n_rcpt + 1, sizeof *now));
	for (size_t i = 0; i < g->n_rcpt; i++) {
		arena_reset(h->r->arena);
		const bool good = unpack_recipient(g->rcpt[i].packed, &rcpt, h->r->arena, NULL);
		now[i] = good ? (int64_t)n : DROPPED;
		if (good)
			g->rcpt[n++] = g->rcpt[i];
		else if (g->rcpt[i].part != NULL)
			g->rcpt[i].part->named--;
	}
	if (n < g->n_rcpt || g->rcpt_cut) {
		snprintf(h->why, sizeof h->why, "recipients of it cannot be read; %zu can", n);
		keep_message(h, h->why);
		h->changed = true;
		repair_did(h->r, "message %lld: %s", (long long)g->id, h->why);
	}
	for (size_t i = 0; i < g->n_parts && n < g->n_rcpt; i++) {
		struct group_part *p = &g->parts[i];
		if (p->kind == GROUP_DELIVERY && p->recipient >= 0 && (uint64_t)p->recipient < g->n_rcpt)
			p->recipient = now[p->recipient];
	}
	g->n_rcpt = n;
	free(now);
}

/* A recipient that waits for nothing names no transfer; one whose transfer waits, waits in it. */
static void settle_states(struct hand *h)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_rcpt; i++) {
		struct group_recipient *rc = &g->rcpt[i];
		if (rc->state == STORE_RCPT_QUEUED || rc->transfer == 0)
			continue;
		h->changed = true;
		rc->part = hand_part(h, rc->transfer);
		if (rc->part != NULL) {
			rc->state = STORE_RCPT_QUEUED;
			rc->part->named++;
		} else {
			rc->transfer = 0;
		}
	}
}

static void settle_outcomes(struct hand *h)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_outcomes; i++) {
		struct group_outcome *o = &g->outcomes[i];
		if (o->waits)
			remove_outcome(h, o, "the transfer waits");
		else if (o->state != STORE_RCPT_DELIVERED && o->state != STORE_RCPT_REPORTED)
			remove_outcome(h, o, "it is none");
	}
	for (size_t i = 0; i < g->n_rcpt; i++)
		if (g->rcpt[i].outcome != NULL && g->rcpt[i].outcome->state == 0)
			g->rcpt[i].outcome = NULL;
}

/* --- parts and counts --- */
static int64_t some_recipient(const struct group *g)
{
	for (size_t i = 0; i < g->n_rcpt; i++)
		if (g->rcpt[i].state == STORE_RCPT_DELIVERED)
			return (int64_t)i;
	return 0;
}

static void settle_delivery(struct hand *h, struct group_part *p)
{
	const struct group *g = h->g;
	const bool known = p->recipient >= 0 && (uint64_t)p->recipient < g->n_rcpt;
	const int64_t stored = REPAIR_ASK(h->r, "select recipient from delivery where id = ?1", -1, p->id),
		      recipient = known ? p->recipient : some_recipient(g);
	if (recipient == stored && p->size == g->size && p->is_valid)
		return;
	repair_keep(h->r, "delivery", "id = ?1", p->id, 0, "it said other than its message");
	REPAIR_RUN(h->r, "update delivery set recipient = ?2, size = ?3 where id = ?1", p->id, recipient, g->size);
	h->r->result.changed++;
	repair_did(h->r, "delivery %lld of message %lld said other than its message", (long long)p->id, (long long)g->id);
}

static void settle_waiting(struct hand *h, struct group_part *p)
{
	const struct group *g = h->g;
	const int64_t queue = p->kind == GROUP_TRANSFER ? hand_queue(h->r, p->queue) : 0;
	char sql[400];
	if (p->is_valid && queue == p->queue && p->arrived == g->arrived && p->expires == g->expires && p->size == g->size &&
	    p->priority == g->priority && p->recipients == (int64_t)p->named)
		return;
	repair_keep(h->r, group_kind_name(p->kind), "id = ?1", p->id, 0, "it said other than its message");
	snprintf(sql, sizeof sql,
		 "update %s set arrived = ?2, expires = ?3, size = ?4, priority = ?5, recipients = ?6, "
		 "attempts = case when attempts between 0 and 4294967295 then attempts else 0 end, %s where id = ?1",
		 group_kind_name(p->kind),
		 p->kind == GROUP_TRANSFER ? "queue = ?7, next = case when next between 0 and 253402300800000 then next else 0 end"
					   : "octets = 0, state = 0 * ?7");
	REPAIR_RUN(h->r, sql, p->id, g->arrived, g->expires, g->size, g->priority, (int64_t)p->named, queue);
	h->r->result.changed++;
	repair_did(h->r, "%s %lld of message %lld said other than its message", group_kind_name(p->kind), (long long)p->id, (long long)g->id);
}

static void remove_unnamed(struct hand *h)
{
	const struct group *g = h->g;
	for (size_t i = 0; i < g->n_parts && !h->r->failed; i++)
		if (g->parts[i].kind != GROUP_DELIVERY && g->parts[i].named == 0)
			remove_part(h, i, "no recipient of its message is in it");
}

static void settle_parts(struct hand *h)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_parts && !h->r->failed; i++) {
		struct group_part *p = &g->parts[i];
		if (h->gone[i])
			continue;
		if (p->kind == GROUP_DELIVERY)
			settle_delivery(h, p);
		else
			settle_waiting(h, p);
	}
}

static size_t outcomes_left(const struct group *g)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n_outcomes; i++)
		n += g->outcomes[i].state != 0;
	return n;
}

static void settle_alone(struct hand *h, bool alone)
{
	const struct group *g = h->g;
	char sql[80];
	for (size_t i = 0; i < g->n_parts; i++) {
		const struct group_part *p = &g->parts[i];
		if (h->gone[i])
			continue;
		snprintf(sql, sizeof sql, "select alone from %s where id = ?1", group_kind_name(p->kind));
		if (REPAIR_ASK(h->r, sql, -1, p->id) == (int64_t)alone)
			continue;
		if (!p->made)
			repair_keep(h->r, group_kind_name(p->kind), "id = ?1", p->id, 0, "it said other than its message of how many parts that has");
		snprintf(sql, sizeof sql, "update %s set alone = ?2 where id = ?1", group_kind_name(p->kind));
		REPAIR_RUN(h->r, sql, p->id, (int64_t)alone);
		h->r->result.changed++;
	}
}

/* The count of parts, and who says that he is the only one. */
static void settle_count(struct hand *h)
{
	struct group *g = h->g;
	const int64_t n = (int64_t)parts_left(h), over = (int64_t)outcomes_left(g);
	bool alone = n == 1 && over == 0 && g->parts_said <= 1;
	if (n == 1 && over == 0 && g->parts_said > 1 && !g->has_share)
		for (size_t i = 0; i < g->n_parts; i++) /* the count is wrong, or gone */
			alone |= !h->gone[i] && g->parts[i].alone;
	if (alone)
		g->parts_said = 1;
	else if (g->parts_said < n + over || g->parts_said < 2)
		g->parts_said = n + over > 2 ? n + over : 2;
	settle_alone(h, alone);
	if (alone && g->has_share) {
		repair_keep(h->r, "share", "message = ?1", g->id, 0, "its message has one part");
		REPAIR_RUN(h->r, "delete from share where message = ?1", g->id);
		h->r->result.removed++;
	}
	if (alone || (g->has_share && g->remaining == n && g->share_size == g->size))
		return;
	if (g->has_share)
		repair_keep(h->r, "share", "message = ?1", g->id, 0, "it counted wrong");
	REPAIR_RUN(h->r, "insert or replace into share values (?1, ?2, ?3)", g->id, n, g->size);
	h->r->result.changed++;
	repair_did(h->r, "the parts of message %lld are counted anew: %lld", (long long)g->id, (long long)n);
}

/* --- the message's row --- */
static void pack_recipients(struct hand *h)
{
	struct out copy;
	out_init(&copy, INT32_MAX);
	for (size_t i = 0; i < h->g->n_rcpt; i++) {
		const struct group_recipient *rc = &h->g->rcpt[i];
		out_u8(&copy, (uint8_t)rc->state);
		out_u64(&copy, rc->transfer);
		out_u32(&copy, (uint32_t)rc->packed.n);
		out_bytes(&copy, rc->packed);
	}
	out_clear(&h->r->recipients);
	out_bytes(&h->r->recipients, out_view(&copy));
	out_fini(&copy);
}

static void bind_text(struct repair *r, const char *sql, int64_t id, struct view v, bool text)
{
	sqlite3_stmt *st = NULL;
	const char *p = v.p == NULL ? "" : (const char *)v.p;
	int rc = sqlite3_prepare_v2(r->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, id);
		if (text)
			sqlite3_bind_text64(st, 2, p, v.n, SQLITE_STATIC, SQLITE_UTF8);
		else
			sqlite3_bind_blob64(st, 2, p, v.n, SQLITE_STATIC);
		rc = sqlite3_step(st);
	}
	if (rc != SQLITE_DONE)
		repair_broken(r);
	sqlite3_finalize(st);
}

static void write_message(struct hand *h)
{
	struct group *g = h->g;
	const struct hand_was *was = &h->was;
	const bool numbers = was->kind != g->kind || was->priority != g->priority || was->arrived != g->arrived ||
			     was->expires != g->expires || was->size != g->size || was->parts != g->parts_said;
	const bool content = was->has_file != g->has_file || was->file != g->file || was->has_content == g->has_file;
	if (!numbers && !content && !h->changed && was->mts_id)
		return;
	keep_message(h, h->why[0] != 0 ? h->why : "its rows did not agree");
	h->r->result.changed++;
	REPAIR_RUN(h->r, "update message set kind = ?2, priority = ?3, arrived = ?4, expires = ?5, size = ?6, parts = ?7 where id = ?1",
		   g->id, g->kind, g->priority, g->arrived, g->expires, g->size, g->parts_said);
	if (g->has_file)
		REPAIR_RUN(h->r, "update message set file = ?2, content = null where id = ?1", g->id, g->file);
	else if (content)
		REPAIR_RUN(h->r, "update message set file = null, content = coalesce(content, x'') where id = ?1", g->id);
	if (h->changed) {
		pack_recipients(h);
		bind_text(h->r, "update message set recipients = ?2 where id = ?1", g->id, out_view(&h->r->recipients), false);
	}
	if (!was->mts_id)
		bind_text(h->r, "update message set mts_id = ?2 where id = ?1", g->id, out_view(&h->r->text), true);
	repair_did(h->r, "the row of message %lld is changed", (long long)g->id);
}

/* --- octets: what cannot be a message any more --- */
static struct group_part *octets_part(struct hand *h)
{
	struct group *g = h->g;
	for (size_t i = 0; i < g->n_parts; i++)
		if (g->parts[i].kind == GROUP_QUARANTINE && g->parts[i].octets && !h->gone[i])
			return &g->parts[i];
	return NULL;
}

static void settle_octets(struct hand *h)
{
	struct group *g = h->g;
	struct group_part *one = octets_part(h);
	const char *why = h->why[0] != 0 ? h->why : "it is octets that nobody has read";
	for (size_t i = 0; i < g->n_parts; i++)
		if (&g->parts[i] != one)
			remove_part(h, i, why);
	for (size_t i = 0; i < g->n_outcomes; i++)
		remove_outcome(h, &g->outcomes[i], why);
	const bool was_octets = h->was.kind == STORE_KIND_OCTETS && g->envelope.n + g->recipients.n + g->mts_id.n == 0;
	g->kind = STORE_KIND_OCTETS;
	if (g->priority < 0 || g->priority >= PRIORITY_COUNT)
		g->priority = PRIORITY_NORMAL;
	if (!was_octets) {
		keep_message(h, why);
		h->r->result.changed++;
		REPAIR_RUN(h->r, "update message set envelope = x'', recipients = x'', mts_id = '' where id = ?1", g->id);
		repair_did(h->r, "message %lld is kept as octets in quarantine, its row in removed/: %s", (long long)g->id, why);
	}
	h->was.mts_id = true;
	h->changed = false;
	if (one == NULL) {
		const int64_t id = h->r->next_id++;
		hand_quarantine(h, id, true, 0, 0, why);
		one = hand_add(h, (struct group_part){.kind = GROUP_QUARANTINE,
						      .id = id,
						      .alone = true,
						      .octets = true,
						      .made = true,
						      .priority = g->priority,
						      .arrived = g->arrived,
						      .expires = g->expires,
						      .size = g->size,
						      .is_valid = true});
	}
	if (!one->is_valid || one->arrived != g->arrived || one->expires != g->expires || one->size != g->size ||
	    one->priority != g->priority || one->recipients != 0) {
		repair_keep(h->r, "quarantine", "id = ?1", one->id, 0, "it said other than its message");
		REPAIR_RUN(h->r,
			   "update quarantine set octets = 1, recipients = 0, state = state = 1, arrived = ?2, expires = ?3, size = ?4, priority = ?5 "
			   "where id = ?1",
			   one->id, g->arrived, g->expires, g->size, g->priority);
		h->r->result.changed++;
	}
	g->parts_said = 1;
	settle_count(h);
	write_message(h);
}

/* --- a message --- */
static void remove_message(struct hand *h)
{
	keep_message(h, "no part is left of it, and nobody waits for it");
	for (size_t i = 0; i < h->g->n_outcomes; i++)
		if (h->g->outcomes[i].state != 0)
			remove_outcome(h, &h->g->outcomes[i], "its message is gone");
	if (h->g->has_share)
		repair_keep(h->r, "share", "message = ?1", h->g->id, 0, "its message is gone");
	REPAIR_RUN(h->r, "delete from share where message = ?1", h->g->id);
	REPAIR_RUN(h->r, "delete from message where id = ?1", h->g->id);
	h->r->result.removed++;
	repair_did(h->r, "message %lld is in removed/: no part is left of it, and nobody waits for it", (long long)h->g->id);
}

static void settle_message(struct hand *h)
{
	struct group *g = h->g;
	char content[CHECK_SENTENCE] = "";
	drop_unreadable(h);
	if (g->n_rcpt == 0) {
		if (h->why[0] == 0)
			snprintf(h->why, sizeof h->why, "it has no recipients");
		(void)repair_content_of(h->r, g, content);
		settle_octets(h);
		return;
	}
	settle_states(h);
	settle_outcomes(h);
	hand_renumber(h);
	hand_give_places(h);
	remove_unnamed(h);
	if (parts_left(h) == 0)
		hand_quarantine_delivered(h);
	if (parts_left(h) == 0) {
		remove_message(h);
		return;
	}
	const bool damaged = repair_content_of(h->r, g, content) == CONTENT_DAMAGED;
	if (damaged)
		snprintf(h->why, sizeof h->why, "%s", content);
	settle_parts(h);
	if (damaged)
		hand_set_aside(h);
	settle_count(h);
	write_message(h);
}

/* The group's own views end with the first write. */
static void take_views(struct repair *r, struct group *g)
{
	out_clear(&r->envelope);
	out_bytes(&r->envelope, g->envelope);
	g->envelope = out_view(&r->envelope);
	out_clear(&r->recipients);
	out_bytes(&r->recipients, g->recipients);
	g->recipients = out_view(&r->recipients);
}

static void on_message(struct repair *r, struct groups *gs, struct group *g)
{
	struct hand h = {.r = r, .gs = gs, .g = g};
	h.was = (struct hand_was){g->kind, g->priority, g->arrived, g->expires, g->size, g->file, g->parts_said, g->has_file, g->has_content, true};
	h.gone = mem_zero(mem_mul(g->n_parts + 1, sizeof *h.gone));
	read_envelope(&h);
	take_views(r, g);
	g->arrived = vote(g, g->arrived, OF_ARRIVED);
	g->expires = vote(g, g->expires, OF_EXPIRES);
	group_recipients(gs, g);
	if (h.octets) {
		char content[CHECK_SENTENCE] = "";
		hand_renumber(&h);
		(void)repair_content_of(r, g, content);
		settle_octets(&h);
	} else {
		settle_message(&h);
	}
	free(h.gone);
}

/* --- what is of no message --- */
static void on_orphan(struct repair *r, const struct group *g)
{
	char sql[80];
	for (size_t i = 0; i < g->n_parts; i++) {
		const char *table = group_kind_name(g->parts[i].kind);
		repair_keep(r, table, "id = ?1", g->parts[i].id, 0, "its message does not exist");
		snprintf(sql, sizeof sql, "delete from %s where id = ?1", table);
		REPAIR_RUN(r, sql, g->parts[i].id);
		repair_did(r, "%s %lld is in removed/: its message %lld does not exist", table, (long long)g->parts[i].id,
			   (long long)g->id);
		r->result.removed++;
	}
	for (size_t i = 0; i < g->n_outcomes; i++) {
		repair_keep(r, "outcome", "message = ?1 and transfer = ?2", g->id, g->outcomes[i].transfer, "its message does not exist");
		REPAIR_RUN(r, "delete from outcome where message = ?1 and transfer = ?2", g->id, g->outcomes[i].transfer);
		r->result.removed++;
	}
	if (!g->has_share)
		return;
	repair_keep(r, "share", "message = ?1", g->id, 0, "its message does not exist");
	REPAIR_RUN(r, "delete from share where message = ?1", g->id);
	r->result.removed++;
}

static void walk(struct repair *r, bool messages)
{
	struct group *g;
	enum step step = STEP_FAIL;
	struct groups *gs = groups_new(r->db, "copy", r->shapes, r->e);
	while (gs != NULL && !r->failed && (step = groups_next(gs, &g, r->e)) == STEP_DONE) {
		if (messages && g->has_message)
			on_message(r, gs, g);
		else if (!messages && !g->has_message)
			on_orphan(r, g);
		r->orphans |= !g->has_message;
	}
	r->failed |= step == STEP_FAIL;
	groups_free(&gs);
}

void repair_messages(struct repair *r)
{
	walk(r, true);
	if (r->orphans && !r->failed)
		walk(r, false);
}
