/* check.c - see check.h. What can be said in SQL is: each row of such a question is a violation, as
 * a sentence. */
#include "flow/store/check.h"

#include "base/cur.h"
#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/store/record.h"
#include "flow/store/sqlite_impl.h"

enum { ARENA_MAX = 64 << 20 };

static const char *const sentences[] = {
	"select 'message ' || id || ' has no reason to exist: no transfer and no delivery is left "
	"of it, and it is not in quarantine' from message m where "
	"not exists (select 1 from transfer where message = m.id) and not exists (select 1 from "
	"delivery where message = m.id) and not exists (select 1 from quarantine where message = m.id)",

	"select 'quarantined ' || id || ' is of message ' || message || ', which does not exist' "
	"from quarantine where message not in (select id from message)",

	"select 'transfer ' || id || ' waits and is in quarantine' from transfer "
	"where id in (select id from quarantine)",

	"select 'quarantined ' || z.id || ' says other than its message ' || m.id || ' what it is, "
	"when it came, when it expires, its size or priority' "
	"from quarantine z join message m on m.id = z.message "
	"where (z.arrived, z.expires, z.size, z.priority, z.octets) <> (m.arrived, m.expires, "
	"m.size, m.priority, m.kind = 3)",

	"select 'quarantined ' || id || ' is in state ' || state || ', which is none for it' from "
	"quarantine where state not in (0, 1) or (state = 1 and not octets)",

	"select 'suspect ' || key || ' has no strike' from suspect where strikes < 1",

	"select 'transfer ' || id || ' is of message ' || message || ', which does not exist' from "
	"transfer "
	"where message not in (select id from message)",

	"select 'delivery ' || id || ' is of message ' || message || ', which does not exist' from "
	"delivery "
	"where message not in (select id from message)",

	"select 'transfer ' || id || ' waits in queue ' || queue || ', which does not exist' from "
	"transfer "
	"where queue not in (select no from queue)",

	"select 'transfer ' || t.id || ' says other than its message ' || m.id || ' when it came, "
	"when it expires, its size or priority' "
	"from transfer t join message m on m.id = t.message "
	"where (t.arrived, t.expires, t.size, t.priority) <> (m.arrived, m.expires, m.size, "
	"m.priority)",

	"select 'message ' || m.id || ' came with ' || m.parts || ' parts, its transfer or "
	"delivery ' || p.id || ' says other' "
	"from (select id, message, alone from transfer union all select id, message, alone from "
	"delivery union all select id, message, alone from quarantine) p "
	"join message m on m.id = p.message where p.alone <> (m.parts = 1)",

	"select 'message ' || m.id || ' of ' || m.parts || ' parts is to have ' || "
	"coalesce(s.remaining, 'no count of them') || ' left, and ' "
	"|| ((select count(*) from transfer where message = m.id) + (select count(*) from delivery "
	"where message = m.id) + (select count(*) from quarantine where message = m.id)) || ' are' "
	"from message m left join share s on s.message = m.id where m.parts > 1 and (s.remaining "
	"is null or s.remaining <> "
	"(select count(*) from transfer where message = m.id) + (select count(*) from delivery "
	"where message = m.id) + (select count(*) from quarantine where message = m.id))",

	"select 'a count of parts is kept for message ' || message || ', which does not exist or "
	"has one part' from share "
	"where message not in (select id from message where parts > 1)",

	"select 'an outcome of transfer ' || transfer || ' is kept for message ' || message || ', "
	"which does not exist' from outcome "
	"where message not in (select id from message)",

	"select 'transfer ' || transfer || ' waits and has an outcome' from outcome where transfer "
	"in (select id from transfer union all select id from quarantine)",

	"select 'message ' || id || ' has its content in a row and in a file, or nowhere' from "
	"message "
	"where (content is null) <> (file is not null)",

	"select 'message ' || id || ' is to have ' || size || ' octets of content, and has ' || "
	"length(content) from message "
	"where content is not null and size <> length(content)",

	"select 'content file ' || file || ' belongs to ' || count(*) || ' messages' from message "
	"where file is not null "
	"group by file having count(*) > 1",

	"select 'id ' || max(id) || ' was given, and the counter is at ' || coalesce((select value "
	"from counter where name = 'id'), 'nothing') "
	"from (select max(id) as id from message union select max(id) from transfer union select "
	"max(id) from delivery "
	"union select max(file) from message union select max(id) from quarantine) having max(id) >= coalesce((select value from "
	"counter where name = 'id'), 0)",

	"select 'the index of steps reaches to ' || value || ', which is over step ' || (select "
	"max(seq) from step) from counter "
	"where name = 'indexed' and value > (select max(seq) from step)",
};

struct check {
	struct env *env;
	sqlite3 *db;
	char *path;
	void (*found)(void *ctx, const char *sentence);
	void *ctx;
	struct store_check_result result;
	struct arena *arena;
	struct out text;
	sqlite3_stmt *has_file;
	bool failed;
};

static void PRINTF_LIKE(2, 3) found(struct check *c, const char *fmt, ...)
{
	char text[400];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	c->result.found++;
	c->found(c->ctx, text);
}

/* Calls each for every row; false when the database cannot be read. */
static bool for_each(struct check *c, const char *sql,
		     void (*each)(struct check *c, sqlite3_stmt *st), struct err *e)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK)
		return sqlite_schema_error(c->db, c->path, "be checked", e);
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		each(c, st);
	const bool ok = rc == SQLITE_DONE || sqlite_schema_error(c->db, c->path, "be checked", e);
	sqlite3_finalize(st);
	return ok;
}

static void on_sentence(struct check *c, sqlite3_stmt *st)
{
	found(c, "%s", (const char *)sqlite3_column_text(st, 0));
}

static void on_integrity(struct check *c, sqlite3_stmt *st)
{
	const char *text = (const char *)sqlite3_column_text(st, 0);
	if (strcmp(text, "ok") != 0)
		found(c, "the database is damaged: %s", text);
}

/* --- recipients --- */
static int64_t number(struct check *c, const char *sql, int64_t a, int64_t b)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK) {
		c->failed = true;
		return 0;
	}
	sqlite3_bind_int64(st, 1, a);
	sqlite3_bind_int64(st, 2, b);
	const int rc = sqlite3_step(st);
	const int64_t x = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	c->failed |= rc != SQLITE_ROW && rc != SQLITE_DONE;
	sqlite3_finalize(st);
	return x;
}

static void check_recipient(struct check *c, int64_t message, const struct record_recipient *r,
			    uint64_t n)
{
	struct recipient rcpt;
	arena_reset(c->arena);
	if (!unpack_recipient(r->packed, &rcpt, c->arena, NULL))
		found(c, "recipient %llu of message %lld cannot be read", (unsigned long long)n,
		      (long long)message);
	if (r->state != STORE_RCPT_QUEUED)
		return;
	const int64_t places =
		number(c,
		       "select (select count(*) from transfer where id = ?1 and message = ?2) + "
		       "(select count(*) from quarantine where id = ?1 and message = ?2) + "
		       "(select count(*) from outcome where transfer = ?1 and message = ?2)",
		       (int64_t)r->transfer, message);
	if (places != 1)
		found(c,
		      "recipient %llu of message %lld was given to transfer %llu, which has "
		      "neither a place in a queue nor an outcome",
		      (unsigned long long)n, (long long)message, (unsigned long long)r->transfer);
}

static void on_message(struct check *c, sqlite3_stmt *st)
{
	const int64_t id = sqlite3_column_int64(st, 0);
	struct message m;
	c->result.messages++;
	arena_reset(c->arena);
	if (sqlite3_column_int(st, 4) == STORE_KIND_OCTETS) {
		if (sqlite3_column_bytes(st, 1) + sqlite3_column_bytes(st, 2) > 0)
			found(c, "message %lld is octets, and has an envelope", (long long)id);
		return;
	}
	if (!unpack_envelope(sqlite_view(st, 1), &m, c->arena, NULL)) {
		found(c, "the envelope of message %lld cannot be read", (long long)id);
	} else {
		out_clear(&c->text);
		mts_id_print(&m.id, &c->text);
		if (!view_eq(out_view(&c->text), sqlite_view(st, 3)))
			found(c,
			      "message %lld has another identifier in its envelope than beside it",
			      (long long)id);
	}
	struct record_recipient r;
	struct cur in = cur_of(sqlite_view(st, 2));
	for (uint64_t n = 1; record_next(&in, &r); n++) {
		c->result.recipients++;
		check_recipient(c, id, &r, n);
	}
	if (in.bad)
		found(c, "the recipients of message %lld cannot be read", (long long)id);
}

static void on_transfer(struct check *c, sqlite3_stmt *st)
{
	const uint64_t id = (uint64_t)sqlite3_column_int64(st, 0),
		       want = (uint64_t)sqlite3_column_int64(st, 1);
	struct record_recipient r;
	struct cur in = cur_of(sqlite_view(st, 2));
	uint64_t n = 0;
	while (record_next(&in, &r))
		n += r.state == STORE_RCPT_QUEUED && r.transfer == id;
	c->result.transfers++;
	if (n != want)
		found(c, "transfer %llu is to have %llu recipients, and its message has %llu of it",
		      (unsigned long long)id, (unsigned long long)want, (unsigned long long)n);
}

static void on_delivery(struct check *c, sqlite3_stmt *st)
{
	(void)st;
	c->result.deliveries++;
}

/* --- content files --- */
static void on_file(struct check *c, sqlite3_stmt *st)
{
	char name[SQLITE_NAME_MAX];
	struct err why;
	const uint64_t size = (uint64_t)sqlite3_column_int64(st, 2);
	const char *file_name = sqlite_file_name(name, (uint64_t)sqlite3_column_int64(st, 1));
	uint8_t octets[2];
	size_t got = 0, more = 0;
	struct file *f = env_file_open(c->env, file_name, &why);
	if (f == NULL) {
		found(c, "message %lld has no content: %s", (long long)sqlite3_column_int64(st, 0),
		      why.text);
		return;
	}
	const bool ok = (size == 0 || file_read(f, size - 1, octets, 1, &got, &why)) &&
			file_read(f, size, octets, 1, &more, &why);
	if (!ok || (size > 0 && got != 1) || more != 0)
		found(c, "message %lld is to have %llu octets of content, and %s has not so many",
		      (long long)sqlite3_column_int64(st, 0), (unsigned long long)size, file_name);
	file_close(&f);
}

static void on_name(void *ctx, const char *name)
{
	struct check *c = ctx;
	uint64_t file;
	c->result.files++;
	if (!sqlite_file_number(name, &file)) {
		found(c, "content/%s is no file of ours", name);
		return;
	}
	if (number(c, "select count(*) from message where file = ?1 and ?2 = 0", (int64_t)file,
		   0) == 0)
		found(c, "content/%s belongs to no message", name);
}

/* --- steps --- */
static void check_key(struct check *c, int64_t seq, uint64_t key)
{
	if (number(c,
		   "select count(*) from step_key where period = ?1 >> 16 and key = ?2 and seq = "
		   "?1",
		   seq, (int64_t)key) != 1)
		found(c, "step %lld is not in the index", (long long)seq);
}

/* An identifier that no text can say (X.411 lets its parts be empty) has no key to compare with. */
static void check_hash(struct check *c, int64_t seq, struct view id_text, uint64_t key,
		       const uint64_t *digest, bool other)
{
	struct mts_id id;
	arena_reset(c->arena);
	if (mts_id_parse(id_text, &id, c->arena, NULL) &&
	    key != (other ? step_key_other(id.local) : step_key(id.local, digest)))
		found(c, "step %lld has the key of another identifier", (long long)seq);
}

static void on_step(struct check *c, sqlite3_stmt *st)
{
	const int64_t seq = sqlite3_column_int64(st, 0);
	const bool arrival = store_step_is_arrival((enum store_step_kind)sqlite3_column_int(st, 1)),
		   has_other = sqlite3_column_type(st, 3) != SQLITE_NULL,
		   indexed = sqlite3_column_int(st, 7) != 0;
	const uint64_t key = (uint64_t)sqlite3_column_int64(st, 5),
		       other_key = (uint64_t)sqlite3_column_int64(st, 6);
	struct cur in = cur_of(sqlite_view(st, 4));
	const uint64_t digest[2] = {cur_u64(&in), cur_u64(&in)};
	c->result.steps++;
	check_hash(c, seq, sqlite_view(st, 2), key, arrival ? digest : NULL, false);
	if (indexed)
		check_key(c, seq, key);
	if (!has_other)
		return;
	check_hash(c, seq, sqlite_view(st, 3), other_key, NULL, true);
	if (indexed)
		check_key(c, seq, other_key);
}

static bool check_all(struct check *c, struct err *e)
{
	if (!for_each(c, "pragma integrity_check", on_integrity, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (!for_each(c, sentences[i], on_sentence, e))
			return false;
	return for_each(c, "select id, envelope, recipients, mts_id, kind from message", on_message, e) &&
	       for_each(c,
			"select t.id, t.recipients, m.recipients from (select id, message, recipients "
			"from transfer union all select id, message, recipients from quarantine) t "
			"join message m on m.id = t.message",
			on_transfer, e) &&
	       for_each(c, "select id from delivery", on_delivery, e) &&
	       for_each(c, "select id, file, size from message where file is not null", on_file,
			e) &&
	       env_file_list(c->env, "content", on_name, c, e) &&
	       for_each(c,
			"select seq, kind, mts_id, other, digest, key, other_key, seq <= "
			"coalesce((select value from counter where name = 'indexed'), 0) "
			"from step",
			on_step, e) &&
	       (!c->failed || sqlite_schema_error(c->db, c->path, "be checked", e));
}

bool store_check(struct env *env, const char *path,
		 void (*found_f)(void *ctx, const char *sentence), void *ctx,
		 struct store_check_result *result_r, struct err *e)
{
	struct check c = {.env = env,
			  .path = store_path(env, path),
			  .found = found_f,
			  .ctx = ctx,
			  .arena = arena_new(ARENA_MAX)};
	sqlite3 *owner = NULL;
	out_init(&c.text, 1 << 20);
	bool ok = sqlite_schema_own(c.path, &owner, e);
	ok = ok && (c.db = sqlite_schema_connect(c.path, SQLITE_OPEN_READONLY, e)) != NULL;
	ok = ok && sqlite_schema_version(c.db, c.path, e) && check_all(&c, e);
	if (ok)
		*result_r = c.result;
	sqlite3_close(c.db);
	sqlite3_close(owner);
	out_fini(&c.text);
	arena_free(&c.arena);
	free(c.path);
	return ok;
}
