/* backup.c - see backup.h: a backup is made. */
#include "flow/store/backup.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/beside.h"
#include "flow/store/check_impl.h"
#include "flow/store/manifest.h"
#include "flow/store/sqlite_impl.h"
#include "sys/folder.h"
#include "sys/loop.h"

#include <pwd.h>

enum {
	STEP_PAGES = 64,       /* copied at one go */
	SYNC_STEPS = 32,       /* so often what is copied is synced: one big sync at the end would have the switch's commits wait */
	PATIENCE_MS = 5000,    /* a switch that starts recovers the log, and holds a lock meanwhile */
	CACHE_KB = 2048,
};
/* Measured shares of the work. */
static const double SHARE_CONTENT = 0.1, SHARE_PAGES = 0.4, SHARE_CHECK = 0.3;

struct backup {
	struct env *env;
	const char *from, *target, *name;
	const struct store_backup_config *c;
	const struct store_backup_watch *w;
	sqlite3 *src, *dst;
	uint64_t *files;
	size_t n_files;
	struct beside beside;
	struct out part, path, manifest; /* TARGET.part; a path in hand */
	char owner[MANIFEST_OWNER];
	struct store_backup_result result;
	char violation[CHECK_SENTENCE]; /* the first */
	struct err *e;
};

/* A path below a folder; good until the next. */
static const char *below(struct backup *b, const char *folder, const char *name)
{
	out_clear(&b->path);
	out_fmt(&b->path, "%s/%s", folder, name);
	return out_cstr(&b->path);
}

static void say(const struct backup *b, const char *what, double share)
{
	if (b->w->progress != NULL)
		b->w->progress(b->w->ctx, what, share);
}

/* False: somebody needs the room more than a backup does. */
static bool rest(struct backup *b)
{
	uint64_t room = 0;
	const char *const where[] = { b->from, out_cstr(&b->part) };
	if (b->w->rest != NULL && !b->w->rest(b->w->ctx))
		return err_set(b->e, ERR_TEMP, ERR_OF_PROCESS, "backup: it was interrupted");
	for (size_t i = 0; i < ARRAY_LEN(where); i++)
		if (folder_room(where[i], &room) && room < b->c->min_free)
			return err_set(b->e, ERR_TEMP, ERR_OF_PROCESS, "backup: %llu octets of disk are free at %.100s, %llu are to be left",
				       (unsigned long long)room, where[i], (unsigned long long)b->c->min_free);
	return true;
}

static bool fails(struct backup *b, const char *what)
{
	return err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "backup: %s (fault point)", what);
}

static bool execute(struct backup *b, sqlite3 *db, const char *sql, const char *what)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || sqlite_schema_error(db, b->from, what, b->e);
}

/* --- the snapshot --- */
/* Versions before ours too: a backup is what one makes before a new program is started. */
static enum store_check_end is_ours(struct backup *b)
{
	int64_t version = 0, application = 0;
	if (!check_number(b->src, b->from, "pragma user_version", &version, b->e) ||
	    !check_number(b->src, b->from, "pragma application_id", &application, b->e))
		return STORE_CHECK_FAILED;
	if (application == SQLITE_APPLICATION_ID && version >= 1 && version <= SQLITE_SCHEMA_VERSION)
		return STORE_CHECK_DONE;
	return sqlite_schema_version(b->src, b->from, b->e) ? STORE_CHECK_DONE : STORE_CHECK_FOREIGN;
}

/* A read transaction that lasts: all that is read from now on is of this moment. */
static enum store_check_end open_snapshot(struct backup *b)
{
	bool gone;
	int64_t n;
	if (FAULT(BACKUP_OPEN)) {
		(void)!fails(b, "the store cannot be read");
		return STORE_CHECK_FAILED;
	}
	b->src = check_open(below(b, b->from, b->name), SQLITE_OPEN_READONLY, &gone, b->e);
	if (b->src == NULL && gone)
		err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "store %.100s: there is none", b->from);
	if (b->src == NULL)
		return gone ? STORE_CHECK_NONE : STORE_CHECK_FAILED;
	sqlite3_busy_timeout(b->src, PATIENCE_MS);
	if (!execute(b, b->src, "begin", "be read") || !check_number(b->src, b->from, "select count(*) from sqlite_schema", &n, b->e))
		return STORE_CHECK_FAILED;
	return is_ours(b);
}

static bool list_files(struct backup *b)
{
	sqlite3_stmt *st = NULL;
	size_t cap = 0;
	int rc = sqlite3_prepare_v2(b->src, "select distinct file from message where file is not null order by file", -1, &st, NULL);
	while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		if (b->n_files == cap) {
			cap = cap == 0 ? 256 : mem_mul(cap, 2);
			b->files = mem_grow(b->files, mem_mul(cap, sizeof *b->files));
		}
		b->files[b->n_files++] = (uint64_t)sqlite3_column_int64(st, 0);
	}
	rc = sqlite3_finalize(st);
	return rc == SQLITE_OK || sqlite_schema_error(b->src, b->from, "be read", b->e);
}

/* --- content --- */
static enum store_check_end share_file(struct backup *b, uint64_t file)
{
	struct out from;
	char name[SQLITE_NAME_MAX];
	out_init(&from, 1 << 16);
	out_fmt(&from, "%s/%s", b->from, sqlite_file_name(name, file));
	const char *there = out_cstr(&from);
	enum store_check_end end = STORE_CHECK_DONE;
	if (!folder_has(there)) {
		err_set(b->e, ERR_LOCAL, ERR_OF_MESSAGE, "store %.100s: is not whole: %s is missing; see posthorn check", b->from, name);
		end = STORE_CHECK_FAILED;
	} else if (!folder_share_file(there, below(b, out_cstr(&b->part), name), b->e)) {
		end = STORE_CHECK_COPY;
	}
	out_fini(&from);
	return end;
}

static enum store_check_end share_content(struct backup *b)
{
	if (!list_files(b))
		return STORE_CHECK_FAILED;
	if (b->n_files > 0 && !folder_make(below(b, out_cstr(&b->part), "content"), b->e))
		return STORE_CHECK_COPY;
	for (size_t i = 0; i < b->n_files; i++) {
		const enum store_check_end end = share_file(b, b->files[i]);
		if (end != STORE_CHECK_DONE)
			return end;
		if (i % STEP_PAGES == 0 && !rest(b))
			return STORE_CHECK_COPY;
		say(b, "content", SHARE_CONTENT * (double)i / (double)b->n_files);
	}
	return STORE_CHECK_DONE;
}

/* --- pages --- */
static enum store_check_end copy_pages(struct backup *b, sqlite3_backup *copy)
{
	const char *path = below(b, out_cstr(&b->part), "store.db");
	for (unsigned steps = 1;; steps++) {
		if (FAULT(BACKUP_PAGES)) {
			(void)!fails(b, "pages cannot be copied");
			return STORE_CHECK_COPY;
		}
		const int rc = sqlite3_backup_step(copy, STEP_PAGES);
		if (rc == SQLITE_DONE)
			return STORE_CHECK_DONE;
		if (rc != SQLITE_OK) {
			(void)!sqlite_schema_error(b->dst, path, "be copied to", b->e);
			return STORE_CHECK_COPY;
		}
		const int all = sqlite3_backup_pagecount(copy), left = sqlite3_backup_remaining(copy);
		say(b, "database", SHARE_CONTENT + SHARE_PAGES * (all == 0 ? 0 : (double)(all - left) / (double)all));
		if ((steps % SYNC_STEPS == 0 && !folder_sync_file(path, b->e)) || !rest(b))
			return STORE_CHECK_COPY;
		path = below(b, out_cstr(&b->part), "store.db"); /* rest() has used the room for paths */
	}
}

/* What of it is of the switch that runs only; and one file instead of a log beside it. */
static bool settle(struct backup *b)
{
	int64_t partial = 0;
	if (!check_number(b->dst, b->from, "select count(*) from sqlite_schema where type = 'table' and name = 'partial'", &partial, b->e))
		return false;
	if (partial > 0) {
		int64_t left = 0;
		if (!check_number(b->dst, b->from, "select count(*) from partial", &left, b->e) ||
		    !execute(b, b->dst, "delete from partial; delete from partial_sync", "be written"))
			return false;
		b->result.partials = (uint64_t)left;
	}
	return execute(b, b->dst, "pragma journal_mode = delete", "be written");
}

static enum store_check_end copy_database(struct backup *b)
{
	char sql[120];
	b->dst = sqlite_schema_connect(below(b, out_cstr(&b->part), "store.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, b->e);
	snprintf(sql, sizeof sql, "pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -%d", CACHE_KB);
	if (b->dst == NULL || !execute(b, b->dst, sql, "be written"))
		return STORE_CHECK_COPY;
	sqlite3_backup *copy = sqlite3_backup_init(b->dst, "main", b->src, "main");
	if (copy == NULL) {
		(void)!sqlite_schema_error(b->dst, b->target, "be copied to", b->e);
		return STORE_CHECK_COPY;
	}
	enum store_check_end end = copy_pages(b, copy);
	if (sqlite3_backup_finish(copy) != SQLITE_OK && end == STORE_CHECK_DONE) {
		(void)!sqlite_schema_error(b->dst, b->target, "be copied to", b->e);
		end = STORE_CHECK_COPY;
	}
	sqlite3_close(b->src); /* now the log may be written back */
	b->src = NULL;
	if (end == STORE_CHECK_DONE && !settle(b))
		end = STORE_CHECK_COPY;
	sqlite3_close(b->dst);
	b->dst = NULL;
	return end;
}

/* --- the check, and the manifest --- */
static void on_found(void *ctx, const char *sentence)
{
	struct backup *b = ctx;
	if (b->violation[0] == 0)
		snprintf(b->violation, sizeof b->violation, "%s", sentence);
}

static void on_progress(void *ctx, const char *what, double share, uint64_t rows)
{
	struct backup *b = ctx;
	(void)rows, (void)what;
	say(b, "check", SHARE_CONTENT + SHARE_PAGES + SHARE_CHECK * share);
	if (b->w->rest != NULL)
		(void)!b->w->rest(b->w->ctx); /* whether it goes on is asked when the check is over */
}

static enum store_check_end check_part(struct backup *b)
{
	const struct store_check_watch w = { .found = on_found, .progress = on_progress, .ctx = b };
	struct env *env = loop_new(out_cstr(&b->part));
	enum store_check_end end = store_check_watched(env, "store.db", &w, &b->result.is, b->e);
	loop_free(&env);
	if (end == STORE_CHECK_DONE && b->result.is.found > 0) {
		err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "store is not whole (see posthorn check): %.140s", b->violation);
		end = STORE_CHECK_FAILED;
	}
	return end;
}

static bool sum_up(struct backup *b, const char *name)
{
	char hex[DIGEST_HEX];
	uint64_t size = 0;
	if (!digest_file(below(b, out_cstr(&b->part), name), hex, &size, b->e))
		return false;
	manifest_add(&b->manifest, name, hex);
	b->result.files++;
	b->result.octets += size;
	return rest(b);
}

static bool write_manifest(struct backup *b)
{
	char name[SQLITE_NAME_MAX];
	const double before = SHARE_CONTENT + SHARE_PAGES + SHARE_CHECK;
	manifest_begin(&b->manifest, b->c->now, b->owner, &b->result.is);
	if (!sum_up(b, "store.db"))
		return false;
	for (size_t i = 0; i < b->n_files; i++) {
		if (!sum_up(b, sqlite_file_name(name, b->files[i])))
			return false;
		say(b, "sums", before + (1 - before) * (double)i / (double)b->n_files);
	}
	for (size_t i = 0; i < b->beside.n; i++)
		if (!sum_up(b, b->beside.names[i]))
			return false;
	if (b->c->settings != NULL && (!folder_copy_file(b->c->settings, below(b, out_cstr(&b->part), "settings.yaml"), UINT64_MAX, b->e) ||
				       !sum_up(b, "settings.yaml")))
		return false;
	manifest_end(&b->manifest, (size_t)b->result.files);
	return folder_write_file(below(b, out_cstr(&b->part), MANIFEST_NAME), out_view(&b->manifest), b->e);
}

/* On disk first, then it gets its name; that too is on disk before anybody is told. */
static bool name_it(struct backup *b)
{
	if (!folder_sync(out_cstr(&b->part), b->e))
		return false;
	if (FAULT(BACKUP_NAME))
		return fails(b, "it cannot be given its name");
	if (folder_has(b->target))
		return err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: is there already", b->target);
	if (!folder_rename(out_cstr(&b->part), b->target, b->e))
		return false;
	if (folder_sync(b->target, b->e))
		return true;
	folder_remove(b->target); /* whether it outlives a power cut is not known, so it is none */
	return false;
}

/* --- all of it --- */
static enum store_check_end copy_beside(struct backup *b, enum beside_when when)
{
	const bool ok = beside_copy(b->from, out_cstr(&b->part), when, &b->beside, b->e);
	b->result.beside = b->beside.n;
	return ok ? STORE_CHECK_DONE : STORE_CHECK_COPY;
}

static enum store_check_end take_snapshot(struct backup *b)
{
	int hold = -1;
	struct out path;
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s/" SQLITE_HOLD, b->from);
	enum store_check_end end = STORE_CHECK_FAILED;
	if (!folder_hold(out_cstr(&path), &hold, b->e))
		end = b->e->kind == ERR_TEMP ? STORE_CHECK_IN_USE : STORE_CHECK_FAILED;
	else
		end = copy_beside(b, BESIDE_BEFORE);
	if (end == STORE_CHECK_DONE)
		end = open_snapshot(b);
	if (end == STORE_CHECK_DONE)
		end = share_content(b);
	folder_release(out_cstr(&path), &hold);
	out_fini(&path);
	return end;
}

static enum store_check_end make(struct backup *b)
{
	enum store_check_end end = take_snapshot(b);
	if (end == STORE_CHECK_DONE)
		end = copy_beside(b, BESIDE_AFTER);
	if (end == STORE_CHECK_DONE)
		end = copy_database(b);
	if (end == STORE_CHECK_DONE)
		end = check_part(b);
	if (end == STORE_CHECK_DONE && !(write_manifest(b) && name_it(b)))
		end = STORE_CHECK_COPY;
	return end;
}

/* A backup in the store's own directory is lost with it, and its name may be one that the switch or SQLite uses there. */
static bool is_inside(struct backup *b)
{
	const char *slash = strrchr(b->target, '/');
	const size_t n = slash == NULL ? 0 : slash == b->target ? 1 : (size_t)(slash - b->target);
	bool inside = false;
	out_clear(&b->path);
	out_bytes(&b->path, n == 0 ? VIEW(".") : view_of(b->target, n));
	char *parent = realpath(out_cstr(&b->path), NULL), *store = realpath(b->from, NULL);
	if (parent != NULL && store != NULL) {
		const size_t len = strlen(store);
		inside = strncmp(parent, store, len) == 0 && (parent[len] == 0 || parent[len] == '/');
	}
	free(parent);
	free(store);
	return inside;
}

/* What a backup that was killed has left is taken away: its lock lies beside it. What one has that lives is left alone, and what is of somebody else. */
static enum store_check_end make_part(struct backup *b, int *lock_r)
{
	struct out lock;
	if (is_inside(b)) {
		err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: is in the store's own directory: a backup is kept somewhere else", b->target);
		return STORE_CHECK_COPY;
	}
	if (folder_has(b->target)) {
		err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: is there already", b->target);
		return STORE_CHECK_COPY;
	}
	out_init(&lock, 1 << 16);
	out_fmt(&lock, "%s.lock", out_cstr(&b->part));
	const bool foreign = folder_has(out_cstr(&b->part)) && !folder_has(out_cstr(&lock));
	enum store_check_end end = STORE_CHECK_DONE;
	if (!folder_hold(out_cstr(&lock), lock_r, b->e))
		end = b->e->kind == ERR_TEMP ? STORE_CHECK_IN_USE : STORE_CHECK_COPY;
	else if (foreign && !err_set(b->e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: is there, and no backup has left it", out_cstr(&b->part)))
		end = STORE_CHECK_COPY;
	else
		folder_remove(out_cstr(&b->part));
	if (end == STORE_CHECK_DONE && !folder_make(out_cstr(&b->part), b->e))
		end = STORE_CHECK_COPY;
	if (end == STORE_CHECK_COPY)
		folder_release(out_cstr(&lock), lock_r);
	out_fini(&lock);
	return end;
}

static void end_part(struct backup *b, enum store_check_end end, int *lock)
{
	struct out path;
	sqlite3_close(b->src);
	sqlite3_close(b->dst);
	if (end != STORE_CHECK_DONE)
		folder_remove(out_cstr(&b->part));
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s.lock", out_cstr(&b->part));
	folder_release(out_cstr(&path), lock);
	out_fini(&path);
}

static void find_owner(struct backup *b)
{
	uint32_t user = 0, group;
	if (!folder_owner(below(b, b->from, b->name), &user, &group))
		user = 0;
	const struct passwd *pw = getpwuid(user);
	if (pw != NULL && strlen(pw->pw_name) < sizeof b->owner)
		snprintf(b->owner, sizeof b->owner, "%s", pw->pw_name);
	else
		snprintf(b->owner, sizeof b->owner, "%u", user);
}

enum store_check_end store_backup(struct env *env, const char *name, const char *target, const struct store_backup_config *c,
				  const struct store_backup_watch *w, struct store_backup_result *result_r, struct err *e)
{
	struct err why;
	struct backup b = { .env = env, .from = env_directory(env), .target = target, .name = name, .c = c, .w = w, .e = e != NULL ? e : &why };
	int lock = -1;
	out_init(&b.part, 1 << 16);
	out_init(&b.path, 1 << 16);
	out_init(&b.manifest, MANIFEST_MAX);
	out_fmt(&b.part, "%s.part", target);
	find_owner(&b);
	enum store_check_end end = make_part(&b, &lock);
	if (lock >= 0) {
		end = make(&b);
		end_part(&b, end, &lock);
	}
	if (end == STORE_CHECK_DONE)
		*result_r = b.result;
	out_fini(&b.part);
	out_fini(&b.path);
	out_fini(&b.manifest);
	free(b.files);
	beside_fini(&b.beside);
	return end;
}
