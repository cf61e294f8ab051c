/* sqlite_content.c - content over inline_max: a file beside the database, written once. */
#include "flow/store/sqlite_impl.h"

#include "base/mem.h"
#include "base/text.h"

struct sqlite_content {
	struct store_content c;
	struct file *file;
	struct env *file_env; /* a sync may end after the store */
};

const char *sqlite_file_name(char buf[SQLITE_NAME_MAX], uint64_t file)
{
	snprintf(buf, SQLITE_NAME_MAX, "content/%016llx", (unsigned long long)file);
	return buf;
}

bool sqlite_file_number(const char *name, uint64_t *file_r)
{
	struct out o;
	out_init(&o, 8);
	const bool ok = strlen(name) == 16 && text_unhex(&o, view_str(name)) && out_len(&o) == 8;
	uint64_t x = 0;
	for (size_t i = 0; ok && i < 8; i++)
		x = x << 8 | out_view(&o).p[i];
	out_fini(&o);
	char again[SQLITE_NAME_MAX];
	if (!ok || strcmp(sqlite_file_name(again, x) + strlen("content/"), name) != 0)
		return false;
	*file_r = x;
	return true;
}

struct store_content *sqlite_content_new(struct store *s, struct err *e)
{
	struct sqlite *q = sqlite_of(s);
	char name[SQLITE_NAME_MAX];
	const uint64_t id = sqlite_id(q);
	struct file *file = env_file_create(s->env, sqlite_file_name(name, id), e);
	if (file == NULL)
		return NULL;
	struct sqlite_content *sc = mem_zero(sizeof *sc);
	sc->c = (struct store_content){.magic = STORE_CONTENT_MAGIC, .store = s, .file = id};
	sc->file = file;
	sc->file_env = s->env;
	return &sc->c;
}

bool sqlite_content_append(struct store_content *c, struct view octets, struct err *e)
{
	return file_append(CONTAINER(c, struct sqlite_content, c)->file, octets, e);
}

static void release(struct sqlite_content *sc)
{
	char name[SQLITE_NAME_MAX];
	struct env *env = sc->file_env;
	file_close(&sc->file);
	if (!sc->c.put && !env_file_remove(env, sqlite_file_name(name, sc->c.file), NULL))
		sc->c.broken = true; /* the next opening removes it */
	sc->c.magic = 0;
	free(sc);
}

static void synced(void *ctx, const struct err *failed)
{
	struct sqlite_content *sc = ctx;
	CHECK(&sc->c, STORE_CONTENT_MAGIC);
	sc->c.syncing = false;
	sc->c.synced = failed == NULL && !sc->c.broken;
	sc->c.broken = !sc->c.synced;
	if (sc->c.done != NULL)
		sc->c.done(sc->c.done_ctx, failed);
	else
		release(sc); /* given up meanwhile */
}

void sqlite_content_sync(struct store_content *c)
{
	struct sqlite_content *sc = CONTAINER(c, struct sqlite_content, c);
	file_sync(sc->file, synced, sc);
}

void sqlite_content_free(struct store_content *c)
{
	struct sqlite_content *sc = CONTAINER(c, struct sqlite_content, c);
	if (!c->syncing) /* a file is closed only after its sync */
		release(sc);
}

/* --- reading --- */
void sqlite_close_file(struct sqlite *q, uint64_t message)
{
	for (size_t i = 0; i < OPEN_FILES; i++)
		if (q->open[i].file != NULL && (message == 0 || q->open[i].message == message))
			file_close(&q->open[i].file);
}

struct file *sqlite_open_file(struct sqlite *q, uint64_t message, uint64_t file, struct err *e)
{
	struct sqlite_file *oldest = &q->open[0];
	for (size_t i = 0; i < OPEN_FILES; i++) {
		struct sqlite_file *f = &q->open[i];
		if (f->file != NULL && f->message == message) {
			f->used = ++q->uses;
			return f->file;
		}
		if (oldest->file != NULL && (f->file == NULL || f->used < oldest->used))
			oldest = f;
	}
	char name[SQLITE_NAME_MAX];
	struct file *opened = env_file_open(q->s.env, sqlite_file_name(name, file), e);
	if (opened == NULL)
		return NULL;
	file_close(&oldest->file);
	*oldest = (struct sqlite_file){message, ++q->uses, opened};
	return opened;
}

static bool read_inline(struct sqlite *q, uint64_t message, uint64_t offset, void *buf, size_t n,
			size_t *got_r, struct err *e)
{
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_CONTENT, BIND_I(message));
	if (!sqlite_row(q, st))
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no message %llu",
			       (unsigned long long)message);
	const struct view all = sqlite_view(st, 0);
	const struct view part = view_first(
		offset > all.n ? (struct view){NULL, 0} : view_from(all, (size_t)offset), n);
	if (part.n > 0)
		memcpy(buf, part.p, part.n);
	*got_r = part.n;
	sqlite3_reset(st);
	return true;
}

bool sqlite_read_content(struct store *s, uint64_t message, uint64_t offset, void *buf, size_t n,
			 size_t *got_r, struct err *e)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = SQLITE_ASK(q, SQL_GET_FILE, BIND_I(message));
	if (!sqlite_row(q, st))
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "store: there is no message %llu",
			       (unsigned long long)message);
	const bool in_file = sqlite3_column_type(st, 0) != SQLITE_NULL;
	const uint64_t id = (uint64_t)sqlite3_column_int64(st, 0),
		       size = (uint64_t)sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	if (!in_file)
		return read_inline(q, message, offset, buf, n, got_r, e);
	struct file *file = sqlite_open_file(q, message, id, e);
	size_t got;
	if (file == NULL || !file_read(file, offset, buf, n, &got, e))
		return false;
	if (offset < size && got < n && offset + got < size)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "store: content file %016llx ends at %llu of %llu octets",
			       (unsigned long long)id, (unsigned long long)(offset + got),
			       (unsigned long long)size);
	*got_r = got;
	return true;
}

/* --- what a crash left --- */
struct sweep {
	sqlite3_stmt *has;
	uint64_t *partial; /* files of partial transfers, ascending */
	size_t n_partial;
	uint64_t *orphans;
	size_t n;
	bool failed;
};

static int file_cmp(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static bool is_partial(const struct sweep *sw, uint64_t file)
{
	return sw->n_partial > 0 &&
	       bsearch(&file, sw->partial, sw->n_partial, sizeof *sw->partial, file_cmp) != NULL;
}

static bool list_partial(struct sqlite *q, struct sweep *sw, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(q->db, "select distinct file from partial_sync order by file", -1,
				    &st, NULL);
	while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		sw->partial = mem_grow(sw->partial, mem_mul(sw->n_partial + 1, sizeof *sw->partial));
		sw->partial[sw->n_partial++] = (uint64_t)sqlite3_column_int64(st, 0);
	}
	rc = sqlite3_finalize(st);
	return rc == SQLITE_OK || sqlite_schema_error(q->db, q->path, "be read", e);
}

static void look(void *ctx, const char *name)
{
	struct sweep *sw = ctx;
	uint64_t file;
	if (sw->failed || !sqlite_file_number(name, &file) || is_partial(sw, file))
		return; /* not ours, or in use */
	sqlite3_bind_int64(sw->has, 1, (int64_t)file);
	const int rc = sqlite3_step(sw->has);
	sqlite3_reset(sw->has);
	sw->failed = rc != SQLITE_ROW && rc != SQLITE_DONE;
	if (rc != SQLITE_DONE)
		return;
	sw->orphans = mem_grow(sw->orphans, mem_mul(sw->n + 1, sizeof *sw->orphans));
	sw->orphans[sw->n++] = file;
}

bool sqlite_sweep(struct sqlite *q, struct err *e)
{
	struct sweep sw = {0};
	if (env_file_is_held(q->s.env, SQLITE_HOLD))
		return true; /* the next opening does it */
	if (sqlite3_prepare_v2(q->db, "select 1 from message where file = ?", -1, &sw.has, NULL) !=
	    SQLITE_OK)
		return sqlite_schema_error(q->db, q->path, "be read", e);
	bool ok = list_partial(q, &sw, e) && env_file_list(q->s.env, "content", look, &sw, e);
	if (ok && sw.failed)
		ok = sqlite_schema_error(q->db, q->path, "be read", e);
	char name[SQLITE_NAME_MAX];
	for (size_t i = 0; i < sw.n && ok; i++)
		ok = env_file_remove(q->s.env, sqlite_file_name(name, sw.orphans[i]), e);
	sqlite3_finalize(sw.has);
	free(sw.partial);
	free(sw.orphans);
	return ok;
}
