/* check_group.c - see check_group.h. */
#include "flow/store/check_group.h"

#include "base/mem.h"
#include "flow/store/sqlite_impl.h"

/* The ordered walks. The first column of each is the message it is about. */
enum walk { WALK_MESSAGE, WALK_TRANSFER, WALK_DELIVERY, WALK_QUARANTINE, WALK_SHARE, WALK_OUTCOME, WALK_COUNT };

static const struct {
	const char *table, *columns, *order;
} walks[WALK_COUNT] = {
	[WALK_MESSAGE] = {"message",
			  "t.id, t.parts, t.kind, t.priority, t.arrived, t.expires, t.size, t.file, t.mts_id, t.envelope, "
			  "t.recipients, length(t.content)",
			  "t.id"},
	[WALK_TRANSFER] = {"transfer",
			   "t.message, t.id, t.queue, t.priority, t.alone, t.recipients, t.arrived, t.expires, t.size, "
			   "t.attempts between 0 and 4294967295 and t.alone in (0, 1) and t.next between 0 and 253402300800000",
			   "t.message, t.id"},
	[WALK_DELIVERY] = {"delivery", "t.message, t.id, t.recipient, t.alone, t.size, t.alone in (0, 1)", "t.message, t.id"},
	[WALK_QUARANTINE] = {"quarantine",
			     "t.message, t.id, 0, t.priority, t.alone, t.recipients, t.arrived, t.expires, t.size, "
			     "t.octets in (0, 1) and t.state between 0 and t.octets and t.alone in (0, 1), t.octets",
			     "t.message, t.id"},
	[WALK_SHARE] = {"share", "t.message, t.remaining, t.size", "t.message"},
	[WALK_OUTCOME] = {"outcome", "t.message, t.transfer, t.state", "t.message, t.transfer"},
};

struct groups {
	sqlite3 *db;
	const char *path;
	sqlite3_stmt *st[WALK_COUNT];
	int n_columns[WALK_COUNT]; /* the one after them: are the types right */
	bool has[WALK_COUNT];	   /* a row waits */
	struct group g;
	size_t cap_parts, cap_outcomes, cap_rcpt;
	bool begun;
};

const char *group_kind_name(enum group_kind kind)
{
	switch (kind) {
	case GROUP_TRANSFER: return "transfer";
	case GROUP_DELIVERY: return "delivery";
	case GROUP_QUARANTINE: return "quarantine";
	}
	return "part";
}

size_t group_count(const struct group *g, enum group_kind kind)
{
	size_t n = 0;
	for (size_t i = 0; i < g->n_parts; i++)
		n += g->parts[i].kind == kind;
	return n;
}

/* How many columns it has; older versions lack some, and version 1 has no quarantine: a table that is not there is empty. */
static size_t columns_of(sqlite3 *db, const struct shape *shape)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(db, "select count(*) from pragma_table_info(?)", -1, &st, NULL) != SQLITE_OK)
		return shape->n;
	sqlite3_bind_text(st, 1, shape->name, -1, SQLITE_STATIC);
	const size_t n = sqlite3_step(st) == SQLITE_ROW ? (size_t)sqlite3_column_int(st, 0) : shape->n;
	sqlite3_finalize(st);
	return n < shape->n ? n : shape->n;
}

static bool prepare(struct groups *gs, enum walk w, const struct shapes *shapes, struct err *e)
{
	const struct shape *shape = shapes_find(shapes, walks[w].table);
	const size_t n = shape == NULL ? 0 : columns_of(gs->db, shape);
	if (n == 0)
		return true;
	struct out sql;
	out_init(&sql, 1 << 20);
	out_fmt(&sql, "select %s, ", walks[w].columns);
	shape_typed(shape, "t", n, &sql);
	out_fmt(&sql, " from %s t not indexed order by %s", walks[w].table, walks[w].order);
	const bool ok = sqlite3_prepare_v2(gs->db, out_cstr(&sql), -1, &gs->st[w], NULL) == SQLITE_OK ||
			sqlite_schema_error(gs->db, gs->path, "be checked", e);
	gs->n_columns[w] = ok ? sqlite3_column_count(gs->st[w]) - 1 : 0;
	out_fini(&sql);
	return ok;
}

struct groups *groups_new(sqlite3 *db, const char *path, const struct shapes *shapes, struct err *e)
{
	struct groups *gs = mem_zero(sizeof *gs);
	gs->db = db;
	gs->path = path;
	for (enum walk w = 0; w < WALK_COUNT; w++)
		if (!prepare(gs, w, shapes, e)) {
			groups_free(&gs);
			return NULL;
		}
	return gs;
}

void groups_free(struct groups **gs)
{
	if (*gs == NULL)
		return;
	for (enum walk w = 0; w < WALK_COUNT; w++)
		sqlite3_finalize((*gs)->st[w]);
	free((*gs)->g.parts);
	free((*gs)->g.outcomes);
	free((*gs)->g.rcpt);
	MEM_FREE(*gs);
}

/* --- walking --- */
static bool advance(struct groups *gs, enum walk w, struct err *e)
{
	if (gs->st[w] == NULL)
		return true;
	const int rc = sqlite3_step(gs->st[w]);
	gs->has[w] = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE || sqlite_schema_error(gs->db, gs->path, "be checked", e);
}

static int64_t column(const struct groups *gs, enum walk w, int i)
{
	return sqlite3_column_int64(gs->st[w], i);
}

static bool is_typed(const struct groups *gs, enum walk w)
{
	return column(gs, w, gs->n_columns[w]) != 0;
}

static bool is_at(const struct groups *gs, enum walk w, int64_t id)
{
	return gs->has[w] && column(gs, w, 0) == id;
}

void group_add_part(struct groups *gs, struct group_part p)
{
	struct group *g = &gs->g;
	if (g->n_parts == gs->cap_parts) {
		gs->cap_parts = gs->cap_parts == 0 ? 64 : mem_mul(gs->cap_parts, 2);
		g->parts = mem_grow(g->parts, mem_mul(gs->cap_parts, sizeof *g->parts));
	}
	g->parts[g->n_parts++] = p;
}

static void add_part(struct groups *gs, enum walk w)
{
	struct group_part p = {.kind = w == WALK_TRANSFER ? GROUP_TRANSFER : w == WALK_DELIVERY ? GROUP_DELIVERY : GROUP_QUARANTINE,
			       .typed = is_typed(gs, w),
			       .id = column(gs, w, 1)};
	if (w == WALK_DELIVERY) {
		p.recipient = column(gs, w, 2);
		p.alone = column(gs, w, 3) != 0;
		p.size = column(gs, w, 4);
		p.is_valid = column(gs, w, 5) != 0;
	} else {
		p.queue = column(gs, w, 2);
		p.priority = column(gs, w, 3);
		p.alone = column(gs, w, 4) != 0;
		p.recipients = column(gs, w, 5);
		p.arrived = column(gs, w, 6);
		p.expires = column(gs, w, 7);
		p.size = column(gs, w, 8);
		p.is_valid = column(gs, w, 9) != 0;
		p.octets = w == WALK_QUARANTINE && column(gs, w, 10) != 0;
	}
	group_add_part(gs, p);
}

static void add_outcome(struct groups *gs)
{
	struct group *g = &gs->g;
	if (g->n_outcomes == gs->cap_outcomes) {
		gs->cap_outcomes = gs->cap_outcomes == 0 ? 64 : mem_mul(gs->cap_outcomes, 2);
		g->outcomes = mem_grow(g->outcomes, mem_mul(gs->cap_outcomes, sizeof *g->outcomes));
	}
	g->outcomes[g->n_outcomes++] =
		(struct group_outcome){.transfer = column(gs, WALK_OUTCOME, 1), .state = column(gs, WALK_OUTCOME, 2)};
}

static void take(struct groups *gs, enum walk w)
{
	struct group *g = &gs->g;
	if (w == WALK_OUTCOME) {
		add_outcome(gs);
	} else if (w == WALK_SHARE) {
		g->has_share = true;
		g->remaining = column(gs, w, 1);
		g->share_size = column(gs, w, 2);
		g->share_typed = is_typed(gs, w);
	} else {
		add_part(gs, w);
	}
}

static void take_message(struct groups *gs)
{
	struct group *g = &gs->g;
	sqlite3_stmt *st = gs->st[WALK_MESSAGE];
	g->has_message = true;
	g->typed = is_typed(gs, WALK_MESSAGE);
	g->parts_said = sqlite3_column_int64(st, 1);
	g->kind = sqlite3_column_int64(st, 2);
	g->priority = sqlite3_column_int64(st, 3);
	g->arrived = sqlite3_column_int64(st, 4);
	g->expires = sqlite3_column_int64(st, 5);
	g->size = sqlite3_column_int64(st, 6);
	g->has_file = sqlite3_column_type(st, 7) != SQLITE_NULL;
	g->file = sqlite3_column_int64(st, 7);
	g->mts_id = sqlite_view(st, 8);
	g->envelope = sqlite_view(st, 9);
	g->recipients = sqlite_view(st, 10);
	g->has_content = sqlite3_column_type(st, 11) != SQLITE_NULL;
	g->content_octets = sqlite3_column_int64(st, 11);
}

static bool begin(struct groups *gs, struct err *e)
{
	for (enum walk w = 0; w < WALK_COUNT; w++)
		if (!advance(gs, w, e))
			return false;
	gs->begun = true;
	return true;
}

static void clear(struct group *g)
{
	*g = (struct group){.parts = g->parts, .outcomes = g->outcomes, .rcpt = g->rcpt};
}

enum step groups_next(struct groups *gs, struct group **g_r, struct err *e)
{
	struct group *g = &gs->g;
	const bool had_message = g->has_message;
	clear(g);
	if (!gs->begun ? !begin(gs, e) : had_message && !advance(gs, WALK_MESSAGE, e))
		return STEP_FAIL;
	bool any = false;
	for (enum walk w = 0; w < WALK_COUNT; w++)
		if (gs->has[w] && (!any || column(gs, w, 0) < g->id)) {
			g->id = column(gs, w, 0);
			any = true;
		}
	if (!any)
		return STEP_WAIT;
	*g_r = g;
	if (is_at(gs, WALK_MESSAGE, g->id))
		take_message(gs);
	for (enum walk w = WALK_TRANSFER; w < WALK_COUNT; w++)
		while (is_at(gs, w, g->id)) {
			take(gs, w);
			if (!advance(gs, w, e))
				return STEP_FAIL;
			if (!g->has_message)
				return STEP_DONE;
		}
	return STEP_DONE;
}

/* --- recipients --- */
static struct group_part *part_of(struct group *g, enum group_kind kind, uint64_t id)
{
	size_t low = 0, high = g->n_parts;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		struct group_part *p = &g->parts[middle];
		if (p->kind == kind && p->id == (int64_t)id)
			return p;
		if (p->kind < kind || (p->kind == kind && p->id < (int64_t)id))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static struct group_outcome *outcome_of(struct group *g, uint64_t transfer)
{
	size_t low = 0, high = g->n_outcomes;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (g->outcomes[middle].transfer == (int64_t)transfer)
			return &g->outcomes[middle];
		if (g->outcomes[middle].transfer < (int64_t)transfer)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void find_place(struct group *g, struct group_recipient *r)
{
	if (r->state != STORE_RCPT_QUEUED)
		return;
	r->part = part_of(g, GROUP_TRANSFER, r->transfer);
	if (r->part == NULL)
		r->part = part_of(g, GROUP_QUARANTINE, r->transfer);
	if (r->part != NULL)
		r->part->named++;
	r->outcome = outcome_of(g, r->transfer);
}

void group_recipients(struct groups *gs, struct group *g)
{
	struct cur in = cur_of(g->recipients);
	struct record_recipient r;
	while (record_next(&in, &r)) {
		if (g->n_rcpt == gs->cap_rcpt) {
			gs->cap_rcpt = gs->cap_rcpt == 0 ? 64 : mem_mul(gs->cap_rcpt, 2);
			g->rcpt = mem_grow(g->rcpt, mem_mul(gs->cap_rcpt, sizeof *g->rcpt));
		}
		struct group_recipient *to = &g->rcpt[g->n_rcpt++];
		*to = (struct group_recipient){.state = r.state, .transfer = r.transfer, .packed = r.packed};
		find_place(g, to);
	}
	g->rcpt_cut = in.bad;
	for (size_t i = 0; i < g->n_outcomes; i++) {
		struct group_outcome *o = &g->outcomes[i];
		o->waits = part_of(g, GROUP_TRANSFER, (uint64_t)o->transfer) != NULL ||
			   part_of(g, GROUP_QUARANTINE, (uint64_t)o->transfer) != NULL;
	}
}
