/* restore.c - see backup.h: a store is made of a backup. */
#include "flow/store/backup.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/store/beside.h"
#include "flow/store/check_impl.h"
#include "flow/store/manifest.h"
#include "flow/store/sqlite_impl.h"
#include "sys/folder.h"
#include "sys/loop.h"

#define PART "store.db.part"
#define LOCK "posthorn.lock" /* the supervisor's: no MTA starts here meanwhile */

struct restore {
	const char *from, *to;
	const struct store_restore_config *c;
	const struct store_backup_watch *w;
	struct manifest m;
	struct arena *arena;
	struct out a, b; /* paths in hand */
	struct store_restore_result result;
	char violation[CHECK_SENTENCE];
	struct err *e;
};

static const char *below(struct out *o, const char *folder, const char *name)
{
	out_clear(o);
	out_fmt(o, "%s/%s", folder, name);
	return out_cstr(o);
}

static void say(const struct restore *r, const char *what, double share)
{
	if (r->w->progress != NULL)
		r->w->progress(r->w->ctx, what, share);
}

/* --- the manifest --- */
static bool load(struct env *env, struct out *o, struct err *e)
{
	struct file *f = env_file_open(env, MANIFEST_NAME, e);
	bool ok = f != NULL;
	size_t got = 1;
	uint8_t piece[1 << 14];
	for (uint64_t at = 0; ok && got > 0; at += got) {
		ok = file_read(f, at, piece, sizeof piece, &got, e);
		if (ok)
			out_bytes(o, view_of(piece, got));
	}
	if (f != NULL)
		file_close(&f);
	return ok && (!o->bad || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "manifest: it is larger than any of ours"));
}

/* What is wrong with a file of the backup, with the backup's path. */
static enum store_check_end of_backup(struct restore *r, enum store_check_end end)
{
	const struct err why = *r->e;
	err_set(r->e, why.kind, why.culprit, "%.90s: %s", r->from, why.text);
	return end;
}

/* What there is instead of a backup with a manifest; *e says so far why there is none. */
static enum store_check_end tell_none(struct restore *r)
{
	uint64_t size;
	if (folder_file_size(r->from, &size))
		err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "%.110s: found a file, want the directory that posthorn backup made", r->from);
	else if (folder_has(r->from))
		err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "%.90s: there is no backup, or none that was finished: it has no manifest, which is written last", r->from);
	else
		return of_backup(r, STORE_CHECK_NONE);
	return STORE_CHECK_NONE;
}

static enum store_check_end read_manifest(struct restore *r)
{
	struct env *env = loop_new(r->from);
	struct out text;
	enum store_check_end end = STORE_CHECK_DONE;
	out_init(&text, MANIFEST_MAX);
	bool is_there;
	if (!folder_can_read(below(&r->a, r->from, MANIFEST_NAME), &is_there, r->e))
		end = is_there ? STORE_CHECK_FAILED : tell_none(r);
	else if (!load(env, &text, r->e))
		end = of_backup(r, STORE_CHECK_FAILED);
	else if (!manifest_read(out_view(&text), &r->m, r->arena, r->e))
		end = of_backup(r, STORE_CHECK_FOREIGN);
	out_fini(&text);
	loop_free(&env);
	return end;
}

/* --- files --- */
static enum store_check_end bring(struct restore *r, const struct manifest_file *f)
{
	char hex[DIGEST_HEX];
	uint64_t size;
	const bool database = strcmp(f->name, "store.db") == 0;
	const char *from = below(&r->a, r->from, f->name), *to = below(&r->b, r->to, database ? PART : f->name);
	bool is_there;
	if (!folder_can_read(from, &is_there, r->e)) {
		if (!is_there)
			err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "backup %.100s: %s is missing", r->from, f->name);
		return STORE_CHECK_FAILED;
	}
	if (!folder_copy_file(from, to, UINT64_MAX, r->e) || !digest_file(to, hex, &size, r->e))
		return STORE_CHECK_COPY;
	if (strcmp(hex, f->sum) != 0) {
		err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "backup %.100s: %s is not what it was: it is damaged, or was changed", r->from, f->name);
		return STORE_CHECK_FAILED;
	}
	r->result.files++;
	return STORE_CHECK_DONE;
}

static bool make_folders(struct restore *r, const char *name)
{
	if (beside_name_ok(view_str(name))) {
		r->result.beside++;
		return beside_make_folders(r->to, name, r->e);
	}
	const char *content = below(&r->b, r->to, "content");
	return strcmp(name, "store.db") == 0 || folder_has(content) || folder_make(content, r->e);
}

static enum store_check_end bring_all(struct restore *r)
{
	enum store_check_end end = STORE_CHECK_DONE;
	for (size_t i = 0; i < r->m.n && end == STORE_CHECK_DONE; i++) {
		const struct manifest_file *f = &r->m.files[i];
		if (strcmp(f->name, "settings.yaml") == 0)
			continue; /* for a person: settings are no part of a store */
		if (!make_folders(r, f->name))
			return STORE_CHECK_COPY;
		end = bring(r, f);
		say(r, "files", 0.6 * (double)i / (double)r->m.n);
		if (end == STORE_CHECK_DONE && r->w->rest != NULL && !r->w->rest(r->w->ctx)) {
			err_set(r->e, ERR_TEMP, ERR_OF_PROCESS, "restore: it was interrupted");
			return STORE_CHECK_COPY;
		}
	}
	return end;
}

/* --- the database --- */
static bool hold_all(struct restore *r)
{
	char sql[200];
	if (!r->c->hold)
		return true;
	const char *path = below(&r->a, r->to, PART);
	sqlite3 *db = sqlite_schema_connect(path, SQLITE_OPEN_READWRITE, r->e);
	snprintf(sql, sizeof sql, "update transfer set next = %lld where next <= %lld or next >= %lld or queue not in "
		 "(select no from queue where name = '" STORE_DEFERRED "')", (long long)STORE_NEVER, (long long)r->c->now, (long long)STORE_NEVER);
	bool ok = db != NULL;
	if (ok && (FAULT(RESTORE_HOLD) || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK))
		ok = sqlite_schema_error(db, path, "be written", r->e);
	if (ok)
		r->result.held = (uint64_t)sqlite3_changes64(db);
	sqlite3_close(db);
	return ok;
}

static void on_found(void *ctx, const char *sentence)
{
	struct restore *r = ctx;
	if (r->violation[0] == 0)
		snprintf(r->violation, sizeof r->violation, "%s", sentence);
}

static void on_progress(void *ctx, const char *what, double share, uint64_t rows)
{
	(void)rows, (void)what;
	say(ctx, "check", 0.6 + 0.4 * share);
}

static enum store_check_end check_it(struct restore *r)
{
	const struct store_check_watch w = { .found = on_found, .progress = on_progress, .ctx = r };
	struct env *env = loop_new(r->to);
	enum store_check_end end = store_check_watched(env, PART, &w, &r->result.is, r->e);
	loop_free(&env);
	if (end == STORE_CHECK_DONE && r->result.is.found > 0) {
		err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "backup %.60s is not whole: %.120s", r->from, r->violation);
		end = STORE_CHECK_FAILED;
	}
	return end;
}

/* All of it is on disk before the database has its name: without that there is no store. */
static bool name_it(struct restore *r)
{
	if (r->c->give && !folder_give(r->to, r->c->user, r->c->group, r->e))
		return false;
	return folder_sync(r->to, r->e) && folder_rename(below(&r->a, r->to, PART), below(&r->b, r->to, "store.db"), r->e) &&
	       folder_sync(r->to, r->e);
}

/* --- all of it --- */
static void take_away(struct restore *r, bool made)
{
	static const char *const ours[] = { "store.db", PART, PART "-journal", "content" };
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		folder_remove(below(&r->a, r->to, ours[i]));
	for (size_t i = 0; i < r->m.n; i++) {
		char folder[BESIDE_NAME_MAX];
		if (!beside_name_ok(view_str(r->m.files[i].name)))
			continue;
		snprintf(folder, sizeof folder, "%.*s", (int)strcspn(r->m.files[i].name, "/"), r->m.files[i].name);
		folder_remove(below(&r->a, r->to, folder));
	}
	if (made)
		folder_remove(r->to);
}

static enum store_check_end make(struct restore *r)
{
	enum store_check_end end = bring_all(r);
	if (end == STORE_CHECK_DONE && !hold_all(r))
		end = STORE_CHECK_COPY;
	if (end == STORE_CHECK_DONE)
		end = check_it(r);
	if (end == STORE_CHECK_DONE && !name_it(r))
		end = STORE_CHECK_COPY;
	return end;
}

static enum store_check_end restore_to(struct restore *r)
{
	const bool made = !folder_has(r->to);
	int lock = -1;
	struct out path;
	if (!folder_make(r->to, r->e))
		return STORE_CHECK_COPY;
	out_init(&path, 1 << 16);
	enum store_check_end end = STORE_CHECK_COPY;
	if (folder_hold(below(&path, r->to, LOCK), &lock, r->e))
		end = make(r);
	if (end != STORE_CHECK_DONE && lock >= 0) /* else what is there may be another's */
		take_away(r, made);
	folder_release(out_cstr(&path), &lock);
	out_fini(&path);
	return end;
}

enum store_check_end store_restore(const char *backup, const char *directory, const struct store_restore_config *c,
				   const struct store_backup_watch *w, struct store_restore_result *result_r, struct err *e)
{
	struct err why;
	struct restore r = { .from = backup, .to = directory, .c = c, .w = w, .arena = arena_new(SIZE_MAX), .e = e != NULL ? e : &why };
	out_init(&r.a, 1 << 16);
	out_init(&r.b, 1 << 16);
	enum store_check_end end = read_manifest(&r);
	if (end == STORE_CHECK_DONE)
		end = restore_to(&r);
	r.result.taken = r.m.taken;
	if (end == STORE_CHECK_DONE)
		*result_r = r.result;
	out_fini(&r.a);
	out_fini(&r.b);
	arena_free(&r.arena);
	return end;
}

bool store_backup_owner(const char *backup, char *owner_r, size_t size, struct err *e)
{
	struct restore r = { .from = backup, .arena = arena_new(SIZE_MAX), .e = e };
	out_init(&r.a, 1 << 16);
	const bool ok = read_manifest(&r) == STORE_CHECK_DONE;
	if (ok)
		snprintf(owner_r, size, "%s", r.m.owner);
	out_fini(&r.a);
	arena_free(&r.arena);
	return ok;
}
