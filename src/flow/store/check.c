/* check.c - see check.h. */
#include "flow/store/check.h"

#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/store/check_impl.h"
#include "flow/store/check_partial.h"
#include "flow/store/check_steps.h"
#include "flow/store/sqlite_impl.h"

#include <errno.h>

enum { PROGRESS_OPS = 20000, PROGRESS_ROWS = 512, OWNER_PATIENCE_MS = 1000 };

/* Parts of the work, and what share of it each was measured to be. */
enum phase { PHASE_SOUND, PHASE_MESSAGES, PHASE_INDEXES, PHASE_FILES, PHASE_STEPS, PHASE_COUNT };
static const struct {
	const char *what;
	double share;
} phases[PHASE_COUNT] = {
	[PHASE_SOUND] = {"database", 0.48}, [PHASE_MESSAGES] = {"messages", 0.34}, [PHASE_INDEXES] = {"indexes", 0.07},
	[PHASE_FILES] = {"content", 0.02},  [PHASE_STEPS] = {"steps", 0.09},
};

struct check {
	struct env *env;
	sqlite3 *db;
	char *path;
	const struct store_check_watch *w;
	struct store_check_watch steps_watch;
	struct store_check_result result;
	struct shapes *shapes;
	struct arena *arena;
	struct out text;
	struct err *e;
	enum phase phase;
	uint64_t pages, rows;
	int64_t *queues; /* numbers, ascending */
	size_t n_queues;
	int64_t max_id;
	bool damaged; /* SQLite says so: what comes after would say nothing new */
	bool failed;
};

static void PRINTF_LIKE(2, 3) found(struct check *c, const char *fmt, ...)
{
	char text[CHECK_SENTENCE];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	c->result.found++;
	c->w->found(c->w->ctx, text);
}

static void progress(struct check *c, double share)
{
	if (c->w->progress == NULL)
		return;
	double before = 0;
	for (enum phase p = 0; p < c->phase; p++)
		before += phases[p].share;
	c->w->progress(c->w->ctx, phases[c->phase].what, before + phases[c->phase].share * (share < 1 ? share : 1), c->rows);
}

/* A database that is damaged is found so; one that cannot be read is an error. Returns false. */
static bool cannot(struct check *c)
{
	const int rc = sqlite3_errcode(c->db);
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB || rc == SQLITE_ERROR || rc == SQLITE_FORMAT) {
		if (!c->damaged)
			found(c, "the database is damaged: %s", sqlite3_errmsg(c->db));
		c->damaged = true;
	} else if (!c->failed) {
		c->failed = !sqlite_schema_error(c->db, c->path, "be checked", c->e);
	}
	return false;
}

static bool goes_on(const struct check *c)
{
	return !c->damaged && !c->failed;
}

static sqlite3_stmt *ask(struct check *c, const char *sql)
{
	sqlite3_stmt *st = NULL;
	if (goes_on(c) && sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK)
		cannot(c);
	return st;
}

static bool next(struct check *c, sqlite3_stmt *st)
{
	const int rc = st == NULL ? SQLITE_DONE : sqlite3_step(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		cannot(c);
	return rc == SQLITE_ROW && goes_on(c);
}

/* --- the database --- */
static int on_tick(void *ctx)
{
	struct check *c = ctx;
	int missed = 0, most;
	if (c->phase == PHASE_SOUND && c->pages > 0 &&
	    sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_MISS, &missed, &most, 0) == SQLITE_OK)
		progress(c, (double)missed / (double)(2 * c->pages)); /* its trees, then its rows */
	return 0;
}

/* Not integrity_check: that looks every row up in every index. The indexes are walked beside their tables below. */
static void check_sound(struct check *c)
{
	sqlite3_stmt *st = ask(c, "pragma page_count");
	if (next(c, st))
		c->pages = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	st = ask(c, "pragma quick_check(1000)");
	while (next(c, st)) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		if (strcmp(text, "ok") != 0)
			found(c, "the database is damaged: %s", text);
	}
	sqlite3_finalize(st);
}

/* True: a table or index of that name is there, and a table has our columns. */
static bool has_ours(struct check *c, const char *type, const char *name, const struct shape *shape)
{
	sqlite3_stmt *st = ask(c, "select 1 from sqlite_schema where type = ? and name = ?");
	if (st == NULL)
		return true;
	sqlite3_bind_text(st, 1, type, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
	bool has = next(c, st);
	sqlite3_finalize(st);
	if (shape == NULL || !has)
		return has;
	st = ask(c, "select name from pragma_table_info(?) order by cid");
	if (st != NULL)
		sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	size_t i = 0;
	for (; next(c, st); i++)
		has = has && i < shape->n && strcmp((const char *)sqlite3_column_text(st, 0), shape->columns[i].name) == 0;
	sqlite3_finalize(st);
	return has && i >= shape->n_least; /* a version that lacks them is known by its number */
}

static bool is_since(int64_t version, const char *table)
{
	return (version < 2 && (strcmp(table, "suspect") == 0 || strcmp(table, "quarantine") == 0)) ||
	       (version < 3 && strncmp(table, "partial", strlen("partial")) == 0);
}

static void check_tables(struct check *c)
{
	int64_t version = 0;
	bool all = true;
	if (!check_number(c->db, c->path, "pragma user_version", &version, c->e))
		c->failed = true;
	for (size_t i = 0; i < c->shapes->n_tables; i++) {
		const struct shape *t = &c->shapes->tables[i];
		if (is_since(version, t->name) || has_ours(c, "table", t->name, t))
			continue;
		found(c, "the database has no table %s with our columns", t->name);
		all = false;
	}
	for (size_t i = 0; i < c->shapes->n_indexes; i++) {
		const struct shape_index *x = &c->shapes->indexes[i];
		if (is_since(version, x->table) || has_ours(c, "index", x->name, NULL))
			continue;
		found(c, "the database has no index %s", x->name);
		all = false;
	}
	if (!all) /* nothing can be asked without them */
		c->damaged = true;
}

/* --- messages --- */
static void saw_id(struct check *c, int64_t id, const char *what)
{
	if (id < 1 || id > CHECK_ID_MAX)
		found(c, "%s %lld has an id that was never given", what, (long long)id);
	else if (id > c->max_id)
		c->max_id = id;
}

static bool has_queue(const struct check *c, int64_t no)
{
	size_t low = 0, high = c->n_queues;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (c->queues[middle] == no)
			return true;
		if (c->queues[middle] < no)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void check_queues(struct check *c)
{
	sqlite3_stmt *st = ask(c, "select no, typeof(name) = 'text' and no > 0 from queue order by no");
	while (next(c, st)) {
		c->queues = mem_grow(c->queues, mem_mul(c->n_queues + 1, sizeof *c->queues));
		c->queues[c->n_queues++] = sqlite3_column_int64(st, 0);
		if (sqlite3_column_int(st, 1) == 0)
			found(c, "queue %lld has a number that was never given, or no name", (long long)sqlite3_column_int64(st, 0));
	}
	sqlite3_finalize(st);
}

static void check_orphans(struct check *c, const struct group *g)
{
	for (size_t i = 0; i < g->n_parts; i++) {
		const char *what = group_kind_name(g->parts[i].kind);
		saw_id(c, g->parts[i].id, what);
		found(c, "%s %lld is of message %lld, which does not exist", what, (long long)g->parts[i].id, (long long)g->id);
	}
	if (g->has_share)
		found(c, "a count of parts is kept for message %lld, which does not exist", (long long)g->id);
	for (size_t i = 0; i < g->n_outcomes; i++)
		found(c, "an outcome of transfer %lld is kept for message %lld, which does not exist",
		      (long long)g->outcomes[i].transfer, (long long)g->id);
}

static void count_part(struct check *c, enum group_kind kind)
{
	c->result.transfers += kind == GROUP_TRANSFER;
	c->result.deliveries += kind == GROUP_DELIVERY;
	c->result.quarantined += kind == GROUP_QUARANTINE;
	c->rows++;
}

static bool says_other(const struct group *g, const struct group_part *p)
{
	if (p->size != g->size)
		return true;
	return p->kind != GROUP_DELIVERY && (p->arrived != g->arrived || p->expires != g->expires || p->priority != g->priority);
}

static void check_part(struct check *c, const struct group *g, const struct group_part *p)
{
	const char *what = group_kind_name(p->kind);
	const long long id = (long long)p->id, of = (long long)g->id;
	count_part(c, p->kind);
	saw_id(c, p->id, what);
	if (!p->typed || !p->is_valid)
		found(c, "%s %lld of message %lld has a value that its column does not take", what, id, of);
	if (p->kind == GROUP_TRANSFER && !has_queue(c, p->queue))
		found(c, "transfer %lld waits in queue %lld, which does not exist", id, (long long)p->queue);
	if (says_other(g, p))
		found(c, "%s %lld says other than its message %lld when it came, when it expires, its size or priority", what, id, of);
	if (p->alone != (g->parts_said == 1))
		found(c, "message %lld came with %lld parts, its %s %lld says other", of, (long long)g->parts_said, what, id);
	if (p->kind == GROUP_DELIVERY && (p->recipient < 0 || (uint64_t)p->recipient >= g->n_rcpt))
		found(c, "delivery %lld is for recipient %lld of message %lld, which has %zu", id, (long long)p->recipient + 1, of,
		      g->n_rcpt);
	if (p->octets != (g->kind == STORE_KIND_OCTETS))
		found(c, "%s %lld and message %lld do not both say that it is octets", what, id, of);
	if (p->octets && p->recipients != 0)
		found(c, "%s %lld is octets, and is to have %lld recipients", what, id, (long long)p->recipients);
	if (p->kind == GROUP_DELIVERY || p->octets)
		return;
	if (p->recipients < 0 || (uint64_t)p->recipients != p->named)
		found(c, "%s %lld is to have %lld recipients, and its message has %llu of it", what, id, (long long)p->recipients,
		      (unsigned long long)p->named);
	else if (p->named == 0)
		found(c, "%s %lld of message %lld is for nobody", what, id, of);
}

static void check_count(struct check *c, const struct group *g)
{
	const long long id = (long long)g->id, said = (long long)g->parts_said;
	if (g->n_parts == 0)
		found(c, "message %lld has no reason to exist: no transfer, no delivery and no place in quarantine is left of it", id);
	if (g->parts_said < 1 || (uint64_t)g->parts_said < g->n_parts)
		found(c, "message %lld is to have come with %lld parts, and %zu are there", id, said, g->n_parts);
	if (g->parts_said > 1 && (!g->has_share || g->remaining < 0 || (uint64_t)g->remaining != g->n_parts))
		found(c, "message %lld of %lld parts is to have %lld left, and %zu are", id, said,
		      g->has_share ? (long long)g->remaining : -1LL, g->n_parts);
	if (g->parts_said <= 1 && g->has_share)
		found(c, "a count of parts is kept for message %lld, which has one part", id);
	if (g->has_share && (!g->share_typed || g->share_size != g->size))
		found(c, "the count of parts of message %lld says another size than the message", id);
	for (size_t i = 0; i < g->n_outcomes; i++) {
		const struct group_outcome *o = &g->outcomes[i];
		if (o->waits)
			found(c, "transfer %lld waits and has an outcome", (long long)o->transfer);
		if (o->state != STORE_RCPT_DELIVERED && o->state != STORE_RCPT_REPORTED)
			found(c, "transfer %lld of message %lld has outcome %lld, which is none", (long long)o->transfer, id,
			      (long long)o->state);
	}
}

static void check_recipients(struct check *c, const struct group *g)
{
	struct recipient rcpt;
	for (size_t i = 0; i < g->n_rcpt; i++) {
		const struct group_recipient *r = &g->rcpt[i];
		c->result.recipients++;
		arena_reset(c->arena);
		if (!unpack_recipient(r->packed, &rcpt, c->arena, NULL))
			found(c, "recipient %zu of message %lld cannot be read", i + 1, (long long)g->id);
		if (r->state == STORE_RCPT_QUEUED && r->part == NULL && r->outcome == NULL)
			found(c,
			      "recipient %zu of message %lld was given to transfer %llu, which has neither a place in a queue nor an "
			      "outcome",
			      i + 1, (long long)g->id, (unsigned long long)r->transfer);
		if (r->state != STORE_RCPT_QUEUED && r->transfer != 0)
			found(c, "recipient %zu of message %lld waits for nothing, and names transfer %llu", i + 1, (long long)g->id,
			      (unsigned long long)r->transfer);
	}
	if (g->rcpt_cut)
		found(c, "the recipients of message %lld cannot be read after %zu", (long long)g->id, g->n_rcpt);
}

static void check_envelope(struct check *c, const struct group *g)
{
	struct message m;
	arena_reset(c->arena);
	if (g->kind == STORE_KIND_OCTETS) {
		if (g->envelope.n + g->recipients.n + g->mts_id.n > 0)
			found(c, "message %lld is octets, and has an envelope", (long long)g->id);
		return;
	}
	if (!unpack_envelope(g->envelope, &m, c->arena, NULL)) {
		found(c, "the envelope of message %lld cannot be read", (long long)g->id);
		return;
	}
	out_clear(&c->text);
	mts_id_print(&m.id, &c->text);
	if (!view_eq(out_view(&c->text), g->mts_id))
		found(c, "message %lld has another identifier in its envelope than beside it", (long long)g->id);
	if ((int64_t)m.kind != g->kind || (int64_t)m.priority != g->priority)
		found(c, "message %lld is of another kind or priority in its envelope than beside it", (long long)g->id);
}

static void check_content(struct check *c, const struct group *g)
{
	if (g->has_content == g->has_file)
		found(c, "message %lld has its content in a row and in a file, or nowhere", (long long)g->id);
	if (g->size < 0 || (g->has_content && g->size != g->content_octets))
		found(c, "message %lld is to have %lld octets of content, and has %lld", (long long)g->id, (long long)g->size,
		      (long long)g->content_octets);
}

static void check_message(struct check *c, struct groups *gs, struct group *g)
{
	c->result.messages++;
	c->rows++;
	saw_id(c, g->id, "message");
	group_recipients(gs, g);
	if (!g->typed || g->kind < 0 || g->kind > STORE_KIND_OCTETS || g->priority < 0 || g->priority >= PRIORITY_COUNT)
		found(c, "message %lld has a value that its column does not take", (long long)g->id);
	for (size_t i = 0; i < g->n_parts; i++)
		check_part(c, g, &g->parts[i]);
	check_count(c, g);
	check_recipients(c, g);
	check_envelope(c, g);
	check_content(c, g);
}

static void check_messages(struct check *c)
{
	int64_t last = 0;
	c->phase = PHASE_MESSAGES;
	if (!goes_on(c) || !check_number(c->db, c->path, "select max(id) from message", &last, NULL))
		return;
	struct groups *gs = groups_new(c->db, c->path, c->shapes, NULL);
	struct group *g;
	enum step step = gs == NULL ? STEP_FAIL : STEP_WAIT;
	while (gs != NULL && (step = groups_next(gs, &g, NULL)) == STEP_DONE) {
		if (g->has_message)
			check_message(c, gs, g);
		else
			check_orphans(c, g);
		if (c->result.messages % PROGRESS_ROWS == 0 && last > 0)
			progress(c, (double)g->id / (double)last);
	}
	if (step == STEP_FAIL)
		cannot(c);
	groups_free(&gs);
}

/* --- counters, suspects, partial transfers --- */
static void check_all_partials(struct check *c)
{
	if (has_ours(c, "table", "partial_sync", NULL) && goes_on(c) &&
	    !check_partials(c->db, c->path, c->shapes, c->w, &c->result, &c->max_id, NULL))
		cannot(c);
}

static void check_suspects(struct check *c)
{
	const struct shape *suspect = shapes_find(c->shapes, "suspect");
	struct out sql;
	out_init(&sql, 1 << 16);
	out_str(&sql, "select key, ");
	shape_typed(suspect, "t", suspect->n, &sql);
	out_str(&sql, " from suspect t where strikes < 1 or not ");
	shape_typed(suspect, "t", suspect->n, &sql);
	sqlite3_stmt *st = has_ours(c, "table", "suspect", NULL) ? ask(c, out_cstr(&sql)) : NULL;
	while (next(c, st))
		found(c, "suspect %.140s has no strike, or a value that its column does not take",
		      sqlite3_column_type(st, 0) == SQLITE_TEXT ? (const char *)sqlite3_column_text(st, 0) : "without a name");
	sqlite3_finalize(st);
	out_fini(&sql);
}

static void check_counters(struct check *c)
{
	int64_t file = 0, id = 0, odd = 0;
	if (!goes_on(c))
		return;
	if (!check_number(c->db, c->path, "select max(file) from message where file is not null", &file, NULL) ||
	    !check_number(c->db, c->path, "select value from counter where name = 'id'", &id, NULL) ||
	    !check_number(c->db, c->path, "select count(*) from counter where case when name glob '" STORE_TOTAL "*' then typeof(value) not in ('text', 'blob') else "
			  "typeof(value) <> 'integer' or value not between 0 and 1152921504606846976 end", &odd,
			  NULL)) {
		cannot(c);
		return;
	}
	if (odd > 0)
		found(c, "%lld counters have a value that was never reached", (long long)odd);
	if (!check_number(c->db, c->path, "select count(*) from counter where name in ('id', 'number')", &odd, NULL) || odd != 2)
		found(c, "a counter is missing: what it counted could be given again");
	if (file > c->max_id && file <= CHECK_ID_MAX)
		c->max_id = file;
	if (c->max_id >= id && c->max_id > 0)
		found(c, "id %lld was given, and the counter is at %lld", (long long)c->max_id, (long long)id);
}

/* --- indexes --- */
static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
	if (sqlite3_column_type(a, i) != sqlite3_column_type(b, i))
		return false;
	if (sqlite3_column_type(a, i) == SQLITE_INTEGER)
		return sqlite3_column_int64(a, i) == sqlite3_column_int64(b, i);
	return view_eq(sqlite_view(a, i), sqlite_view(b, i));
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (int i = 0; i < sqlite3_column_count(a); i++)
		if (!same_value(a, b, i))
			return false;
	return true;
}

static sqlite3_stmt *ask_index(struct check *c, const struct shape_index *x, bool by_index)
{
	struct out sql;
	out_init(&sql, 1 << 16);
	out_fmt(&sql, "select %s, rowid from %s %s %s%s%s order by %s, rowid", x->columns, x->table,
		by_index ? "indexed by" : "not indexed", by_index ? x->name : "", x->where == NULL ? "" : " where ",
		x->where == NULL ? "" : x->where, x->columns);
	sqlite3_stmt *st = ask(c, out_cstr(&sql));
	out_fini(&sql);
	return st;
}

static void check_index(struct check *c, const struct shape_index *x)
{
	sqlite3_stmt *table = ask_index(c, x, false), *index = ask_index(c, x, true);
	bool more = goes_on(c), same = true;
	for (uint64_t n = 1; more && same; n++) {
		const bool a = next(c, table), b = next(c, index);
		more = a && b;
		same = a == b && (!more || same_row(table, index));
		c->rows += more;
		if (n % PROGRESS_ROWS == 0)
			progress(c, (double)(x - c->shapes->indexes) / (double)c->shapes->n_indexes);
	}
	if (!same && goes_on(c))
		found(c, "index %s does not agree with table %s", x->name, x->table);
	sqlite3_finalize(table);
	sqlite3_finalize(index);
}

static void check_indexes(struct check *c)
{
	c->phase = PHASE_INDEXES;
	for (size_t i = 0; i < c->shapes->n_indexes && goes_on(c); i++)
		if (has_ours(c, "index", c->shapes->indexes[i].name, NULL))
			check_index(c, &c->shapes->indexes[i]);
}

/* --- content files --- */
static int number_cmp(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void on_name(void *ctx, const char *name)
{
	struct check_files *f = ctx;
	uint64_t file;
	if (!sqlite_file_number(name, &file)) {
		f->odd(f->ctx, name);
		return;
	}
	if (f->n == f->cap) {
		f->cap = f->cap == 0 ? 1024 : mem_mul(f->cap, 2);
		f->v = mem_grow(f->v, mem_mul(f->cap, sizeof *f->v));
	}
	f->v[f->n++] = file;
}

bool check_files_list(struct env *env, struct check_files *f, struct err *e)
{
	if (!env_file_list(env, "content", on_name, f, e))
		return false;
	if (f->n > 0)
		qsort(f->v, f->n, sizeof *f->v, number_cmp);
	return true;
}

void check_files_fini(struct check_files *f)
{
	MEM_FREE(f->v);
	f->n = f->cap = 0;
}

bool check_files_has(const struct check_files *f, uint64_t number)
{
	return f->n > 0 && bsearch(&number, f->v, f->n, sizeof *f->v, number_cmp) != NULL;
}

static void on_odd(void *ctx, const char *name)
{
	struct check *c = ctx;
	c->result.files++;
	found(c, "content/%.100s is no file of ours", name);
}

/* A file may belong to several messages: what was split from one, and the report that returns it. */
static void check_owner(struct check *c, const struct check_files *f, sqlite3_stmt *st, int64_t before)
{
	char name[SQLITE_NAME_MAX];
	const bool partial = sqlite3_column_int(st, 3) != 0; /* it may have more: what came after the last checkpoint */
	const char *what = partial ? "partial transfer" : "message";
	const int64_t file = sqlite3_column_int64(st, 0), id = sqlite3_column_int64(st, 1), size = sqlite3_column_int64(st, 2);
	sqlite_file_name(name, (uint64_t)file);
	if (file == before && partial)
		found(c, "content file %lld belongs to several; %s %lld is one", (long long)file, what, (long long)id);
	if (file < 1 || !check_files_has(f, (uint64_t)file))
		found(c, "%s %lld has no content: there is no file %s", what, (long long)id, name);
	else if (size < 0 || !check_file_is(c->env, (uint64_t)file, (uint64_t)size, !partial))
		found(c, "%s %lld is to have %lld octets of content, and %s has not so many", what, (long long)id, (long long)size, name);
}

static void check_files(struct check *c)
{
	struct check_files f = {.odd = on_odd, .ctx = c};
	size_t i = 0, n = 0;
	int64_t before = 0;
	c->phase = PHASE_FILES;
	if (!goes_on(c))
		return;
	if (!check_files_list(c->env, &f, c->e)) {
		c->failed = true;
		return;
	}
	sqlite3_stmt *st = ask(c, has_ours(c, "table", "partial_sync", NULL)
					  ? "select file, id, size, 0 from message where file is not null union all "
					    "select file, partial, max(octets) - start, 1 from partial_sync group by file, partial, start order by 1, 4, 2"
					  : "select file, id, size, 0 from message where file is not null order by file, id");
	while (next(c, st)) {
		const int64_t file = sqlite3_column_int64(st, 0);
		for (; i < f.n && (file > 0 && f.v[i] < (uint64_t)file); i++)
			found(c, "content/%016llx belongs to no message", (unsigned long long)f.v[i]);
		check_owner(c, &f, st, before);
		before = file;
		i += i < f.n && f.v[i] == (uint64_t)file;
		if (++n % PROGRESS_ROWS == 0)
			progress(c, (double)n / (double)(f.n + 1));
	}
	for (; i < f.n && goes_on(c); i++)
		found(c, "content/%016llx belongs to no message", (unsigned long long)f.v[i]);
	sqlite3_finalize(st);
	c->result.files += f.n;
	c->rows += f.n;
	check_files_fini(&f);
}

/* --- steps --- */
static void steps_found(void *ctx, const char *sentence)
{
	struct check *c = ctx;
	c->w->found(c->w->ctx, sentence); /* counted by check_steps */
}

static void steps_progress(void *ctx, const char *what, double share, uint64_t rows)
{
	struct check *c = ctx;
	(void)what;
	const uint64_t before = c->rows;
	c->rows += rows;
	progress(c, share);
	c->rows = before;
}

static void check_all_steps(struct check *c)
{
	c->phase = PHASE_STEPS;
	c->steps_watch = (struct store_check_watch){.found = steps_found, .progress = steps_progress, .ctx = c};
	if (goes_on(c) && !check_steps(c->db, c->path, c->shapes, &c->steps_watch, &c->result, NULL))
		cannot(c);
	c->rows += c->result.steps;
}

/* --- all of it --- */
bool check_number(sqlite3 *db, const char *path, const char *sql, int64_t *x_r, struct err *e)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		return sqlite_schema_error(db, path, "be read", e);
	const int rc = sqlite3_step(st);
	*x_r = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	const bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || sqlite_schema_error(db, path, "be read", e);
	sqlite3_finalize(st);
	return ok;
}

/* Not there at all, as SQLite sees it (a test's disk is not the system's): other reasons are errors. */
sqlite3 *check_open(const char *path, int flags, bool *gone_r, struct err *e)
{
	sqlite3 *db = NULL;
	*gone_r = false;
	if (sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) == SQLITE_OK)
		return db;
	const int cause = db == NULL ? 0 : sqlite3_system_errno(db);
	*gone_r = db != NULL && sqlite3_errcode(db) == SQLITE_CANTOPEN && (cause == 0 || cause == ENOENT || cause == ENOTDIR);
	sqlite_schema_error(db, path, "be opened", e);
	sqlite3_close(db);
	return NULL;
}

/* To read only. Without a log there is nothing to recover, so that no file need be made beside it: all that is written is promised to
 * stay as it is, because we hold the store's lock. */
static sqlite3 *open_to_read(const char *path, bool *gone_r, struct err *e)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	struct out o;
	int log = 0;
	out_init(&o, 1 << 18);
	out_fmt(&o, "%s-wal", path);
	const bool known = vfs->xAccess(vfs, out_cstr(&o), SQLITE_ACCESS_EXISTS, &log) == SQLITE_OK; /* and not empty */
	out_clear(&o);
	out_str(&o, *path == '/' ? "file://" : "file:"); /* else two slashes at its beginning would be a host */
	for (const char *c = path; *c != 0; c++)
		out_fmt(&o, strchr("%?#", *c) != NULL ? "%%%02x" : "%c", (unsigned char)*c);
	out_str(&o, "?immutable=1");
	sqlite3 *db = known && log == 0 ? check_open(out_cstr(&o), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, gone_r, e)
					: check_open(path, SQLITE_OPEN_READONLY, gone_r, e);
	out_fini(&o);
	return db;
}

/* A store that no switch has ever opened has no lock, and none is made here: it would be the checker's. */
enum store_check_end check_own(const char *path, sqlite3 **owner_r, struct err *e)
{
	struct out name;
	bool gone;
	out_init(&name, 64 * 1024);
	out_fmt(&name, "%s.lock", path);
	enum store_check_end end = STORE_CHECK_DONE;
	sqlite3 *owner = check_open(out_cstr(&name), SQLITE_OPEN_READWRITE, &gone, e);
	if (owner == NULL && !gone)
		end = STORE_CHECK_FAILED;
	if (owner != NULL)
		sqlite3_busy_timeout(owner, OWNER_PATIENCE_MS);
	if (owner != NULL && sqlite3_exec(owner, "begin exclusive", NULL, NULL, NULL) != SQLITE_OK) {
		end = sqlite3_errcode(owner) == SQLITE_BUSY ? STORE_CHECK_IN_USE : STORE_CHECK_FAILED;
		if (end == STORE_CHECK_IN_USE)
			err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "store %s: is in use by another process", path);
		else
			sqlite_schema_error(owner, out_cstr(&name), "be locked", e);
		sqlite3_close(owner);
		owner = NULL;
	}
	out_fini(&name);
	*owner_r = owner;
	return end;
}

static void check_opened(struct check *c)
{
	sqlite3_progress_handler(c->db, PROGRESS_OPS, on_tick, c);
	check_sound(c);
	check_tables(c);
	check_queues(c);
	check_messages(c);
	check_all_partials(c);
	check_counters(c);
	check_suspects(c);
	check_indexes(c);
	check_files(c);
	check_all_steps(c);
}

/* Damage that hides what it is shows as no version at all; the pages may still be read. */
static bool is_ours(struct check *c, enum store_check_end *end_r)
{
	struct err why;
	int64_t version = 0;
	if (sqlite_schema_version(c->db, c->path, &why))
		return true;
	if (check_number(c->db, c->path, "pragma user_version", &version, NULL) && version >= 1 && version < SQLITE_SCHEMA_VERSION &&
	    check_number(c->db, c->path, "pragma application_id", &version, NULL) && version == SQLITE_APPLICATION_ID)
		return true; /* it lacks tables, and all that is there means the same */
	const int rc = sqlite3_errcode(c->db);
	if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
		cannot(c);
		return false;
	}
	*end_r = rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW ? STORE_CHECK_FOREIGN : STORE_CHECK_FAILED;
	*c->e = why;
	return false;
}

static void gone_found(void *ctx, const char *name)
{
	struct check *c = ctx;
	found(c, "content/%.100s belongs to a message of the database that is not there", name);
	c->result.files++;
}

/* The database is not there; is anything else? */
static enum store_check_end check_gone(struct check *c)
{
	struct err why;
	if (!env_file_list(c->env, "content", gone_found, c, &why) || c->result.files == 0) {
		err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "store %s: is not there", c->path);
		return STORE_CHECK_NONE;
	}
	found(c, "the database %s is not there, and %llu content files are", c->path, (unsigned long long)c->result.files);
	return STORE_CHECK_DONE;
}

static enum store_check_end check_store(struct check *c)
{
	sqlite3 *owner = NULL;
	int64_t pages = 1;
	struct err *e = c->e;
	bool gone = false;
	enum store_check_end end = check_own(c->path, &owner, e);
	if (end == STORE_CHECK_DONE && (c->db = open_to_read(c->path, &gone, e)) == NULL)
		end = gone ? check_gone(c) : STORE_CHECK_FAILED;
	else if (end == STORE_CHECK_DONE && check_number(c->db, c->path, "pragma page_count", &pages, NULL) && pages == 0)
		found(c, "the database is damaged: its file is empty");
	else if (end == STORE_CHECK_DONE && is_ours(c, &end))
		check_opened(c);
	if (c->failed)
		end = STORE_CHECK_FAILED;
	sqlite3_close(c->db);
	sqlite3_close(owner);
	return end;
}

enum store_check_end store_check_watched(struct env *env, const char *path, const struct store_check_watch *w,
					 struct store_check_result *result_r, struct err *e)
{
	struct err why;
	struct check c = {.env = env,
			  .path = store_path(env, path),
			  .w = w,
			  .shapes = shapes_new(),
			  .arena = arena_new(CHECK_UNPACK_MAX),
			  .e = e != NULL ? e : &why};
	out_init(&c.text, 1 << 20);
	const enum store_check_end end = check_store(&c);
	if (end == STORE_CHECK_DONE)
		*result_r = c.result;
	if (end == STORE_CHECK_DONE && w->progress != NULL)
		w->progress(w->ctx, "done", 1, c.rows);
	out_fini(&c.text);
	arena_free(&c.arena);
	shapes_free(&c.shapes);
	free(c.queues);
	free(c.path);
	return end;
}

bool store_check(struct env *env, const char *path, void (*found_f)(void *ctx, const char *sentence), void *ctx,
		 struct store_check_result *result_r, struct err *e)
{
	const struct store_check_watch w = {.found = found_f, .ctx = ctx};
	return store_check_watched(env, path, &w, result_r, e) == STORE_CHECK_DONE;
}
