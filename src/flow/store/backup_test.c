/* backup_test.c - a store is copied while it changes, and made anew of the copy; and what goes wrong on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/backup.h"
#include "flow/store/beside.h"
#include "flow/store/check_testing.h"
#include "flow/store/manifest.h"
#include "flow/store/sqlite_impl.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define RESTORED_MS INT64_C(1795360100000)
enum { GROUPS = 60, MOST = 12, HALF = 30 };

struct bed {
	struct world *w;
	struct player *y;
	struct play *p;
	size_t group;    /* the next to be played */
	unsigned rests, per_rest, stop_at;
	char base[DAMAGE_PATH], target[DAMAGE_PATH + 20], part[DAMAGE_PATH + 30], to[DAMAGE_PATH + 20];
	struct store_backup_result made;
	struct store_restore_result restored;
	struct err e;
};

static int setup(void **state)
{
	struct bed *b = mem_zero(sizeof *b);
	b->w = world_new(true);
	b->y = mem_zero(sizeof *b->y);
	b->y->w = b->w;
	world_open(b->w);
	snprintf(b->base, sizeof b->base, "%s.backups", b->w->dir);
	assert_true(folder_make(b->base, NULL));
	snprintf(b->target, sizeof b->target, "%s/target", b->base);
	snprintf(b->part, sizeof b->part, "%s.part", b->target);
	snprintf(b->to, sizeof b->to, "%s/to", b->base);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	folder_remove(b->base);
	world_free(&b->w);
	free(b->y);
	free(b->p);
	free(b);
	return 0;
}

/* The switch goes on while the backup rests. */
static bool on_rest(void *ctx)
{
	struct bed *b = ctx;
	b->rests++;
	if (b->p != NULL)
		for (unsigned i = 0; i < b->per_rest && b->group < b->p->groups; i++, b->group++)
			play_groups(b->y, b->p, b->group, b->group + 1);
	return b->stop_at == 0 || b->rests < b->stop_at;
}

static enum store_check_end try_backup(struct bed *b, const char *settings, uint64_t min_free)
{
	const struct store_backup_config c = { .settings = settings, .min_free = min_free, .now = INT64_C(1795360000000) };
	const struct store_backup_watch w = { .rest = on_rest, .ctx = b };
	b->rests = 0;
	return store_backup(b->w->env, "store.db", b->target, &c, &w, &b->made, &b->e);
}

static void backup(struct bed *b)
{
	if (try_backup(b, NULL, 0) != STORE_CHECK_DONE)
		fail_msg("%s", b->e.text);
}

static enum store_check_end try_restore(struct bed *b, bool hold)
{
	const struct store_restore_config c = { .hold = hold, .now = RESTORED_MS };
	const struct store_backup_watch w = { .ctx = b };
	return store_restore(b->target, b->to, &c, &w, &b->restored, &b->e);
}

static struct rows rows_at(const char *folder)
{
	char path[DAMAGE_PATH + 40];
	snprintf(path, sizeof path, "%s/store.db", folder);
	return rows_of(path, true);
}

static void same_rows(const struct rows *a, const struct rows *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!rows_has(b, a->v[i]))
			fail_msg("not there: %.300s", a->v[i]);
	assert_int_equal(a->n, b->n);
}

static void whole(const char *folder)
{
	struct store_check_result r;
	struct err e;
	struct env *env = loop_new(folder);
	if (!store_check(env, "store.db", play_found, NULL, &r, &e))
		fail_msg("%s", e.text);
	assert_int_equal(r.found, 0);
	loop_free(&env);
}

static int64_t number_in(const char *folder, const char *sql)
{
	char path[DAMAGE_PATH + 40];
	sqlite3 *db;
	sqlite3_stmt *st;
	snprintf(path, sizeof path, "%s/store.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	const int64_t x = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return x;
}

static uint64_t content_sum(const char *folder)
{
	char path[DAMAGE_PATH + 40];
	snprintf(path, sizeof path, "%s/content", folder);
	return hash_folder(path);
}

/* Some long contents that wait, so that the backup has files to share. */
static void put_files(struct bed *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		arena_reset(b->w->arena);
		struct store_message *m = put_of(b->w, i, 1, 1, 0);
		struct store_content *file = content_file(b->w, i, TEST_INLINE_MAX + 50 + i);
		m->file = file;
		store_put_message(b->w->store, m);
		store_content_free(&file);
	}
	world_commit(b->w);
}

/* --- made while the switch goes on --- */
static void test_it_is_the_store_of_one_moment(void **state)
{
	struct bed *b = *state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		b->p = play_new(seed, GROUPS, MOST, true);
		b->per_rest = (unsigned)(seed % 3) + 1;
		play_groups(b->y, b->p, 0, HALF);
		b->group = HALF;
		struct rows before = rows_at(b->w->dir);
		const uint64_t content = content_sum(b->w->dir);
		backup(b);
		assert_true(b->rests > 0 && b->group > HALF);
		struct rows after = rows_at(b->target);
		same_rows(&before, &after);
		assert_int_equal(content_sum(b->target), content);
		whole(b->target);
		play_groups(b->y, b->p, b->group, b->p->groups);
		store_close(&b->w->store);
		whole(b->w->dir); /* what was to be removed meanwhile has been removed */
		world_free(&b->w);
		folder_remove(b->target);
		b->w = world_new(true);
		memset(b->y, 0, sizeof *b->y);
		b->y->w = b->w;
		world_open(b->w);
		free(b->p);
		b->p = NULL;
		rows_free(&before);
		rows_free(&after);
	}
}

/* Every message that waited is handed over while names are given to their files: they stay until that is done. */
static bool hand_all_over(void *ctx)
{
	struct bed *b = ctx;
	if (b->rests++ > 0)
		return true;
	for (int64_t id; (id = number_in(b->w->dir, "select min(id) from transfer")) > 0;) {
		store_transfer_done(b->w->store, (uint64_t)id);
		world_commit(b->w);
	}
	return true;
}

static void test_what_goes_meanwhile_is_in_it(void **state)
{
	struct bed *b = *state;
	const struct store_backup_config c = { .now = 1 };
	const struct store_backup_watch w = { .rest = hand_all_over, .ctx = b };
	put_files(b, 100);
	const uint64_t content = content_sum(b->w->dir);
	assert_int_equal(store_backup(b->w->env, "store.db", b->target, &c, &w, &b->made, &b->e), STORE_CHECK_DONE);
	assert_int_equal(b->made.is.messages, 100);
	assert_int_equal(b->made.files, 101);
	assert_int_equal(content_sum(b->target), content);
	assert_int_equal(number_in(b->w->dir, "select count(*) from message"), 0);
	put_files(b, 1); /* the next commit takes them away */
	assert_int_equal(content_files(b->w), 1);
}

static void test_of_a_store_that_nobody_has_open(void **state)
{
	struct bed *b = *state;
	char settings[DAMAGE_PATH + 60];
	put_files(b, 3);
	store_close(&b->w->store);
	snprintf(settings, sizeof settings, "%s/there.yaml", b->base);
	assert_true(folder_write_file(settings, VIEW("mta: {}\n"), &b->e));
	assert_int_equal(try_backup(b, settings, 0), STORE_CHECK_DONE);
	assert_int_equal(b->made.files, 5);
	uint64_t size;
	snprintf(settings, sizeof settings, "%s/settings.yaml", b->target);
	assert_true(folder_file_size(settings, &size));
	assert_int_equal(size, 8);
	whole(b->w->dir);
	assert_false(folder_has(b->part));
}

/* What a peer was told of later is not in it: the peer sends it from its beginning. */
static void test_partial_transfers_are_left_out(void **state)
{
	struct bed *b = *state;
	put_files(b, 1);
	store_close(&b->w->store);
	char path[DAMAGE_PATH + 40];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/store.db", b->w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "insert into partial values (9, 'l', 'h', x'01', 1, 1); insert into partial_sync values (9, 1, 1, 10, 0)",
				      NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	backup(b);
	assert_int_equal(b->made.partials, 1);
	assert_int_equal(number_in(b->target, "select (select count(*) from partial) + (select count(*) from partial_sync)"), 0);
	assert_int_equal(number_in(b->w->dir, "select count(*) from partial_sync"), 1);
}

/* --- what interchanges and movers remember beside it --- */
static void put_beside(const char *folder, const char *name, const char *text, bool adds)
{
	char path[DAMAGE_PATH + 100];
	struct err e;
	if (!beside_make_folders(folder, name, &e))
		fail_msg("%s", e.text);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, adds ? "a" : "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static void has_beside(const char *folder, const char *name, const char *text)
{
	char path[DAMAGE_PATH + 100], got[200] = "";
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	assert_int_equal(f != NULL, text != NULL);
	if (f == NULL)
		return;
	got[fread(got, 1, sizeof got - 1, f)] = 0;
	fclose(f);
	assert_string_equal(got, text);
}

static void put_folders(struct bed *b)
{
	char path[DAMAGE_PATH + 60];
	put_beside(b->w->dir, "interchange-ms/sent.4", "a\nb\ntorn", false);
	put_beside(b->w->dir, "interchange-ms/sent.5", "to", false);
	put_beside(b->w->dir, "interchange-ms/taken.2", "c\n", false);
	put_beside(b->w->dir, "interchange-ms/strikes.1", "2 INQUEUE3 00000012\n", false);
	put_beside(b->w->dir, "interchange-ms/sent.x", "not one\n", false);
	put_beside(b->w->dir, "interchange-serials/22-1.ms", "", false);
	put_beside(b->w->dir, "mover-London HUB/mailer", "S 00000012 2", false);
	put_beside(b->w->dir, "mover-London HUB/mailer.status", "state OK\n", false);
	put_beside(b->w->dir, "mover-London HUB/mailer.new", "S", false);
	put_beside(b->w->dir, "mover-London HUB/INQUEUE3-00000012/00000012.MAI", "only here", false);
	put_beside(b->w->dir, "mover-London HUB/INQUEUE3-00000012/00000012.P1", "", false);
	snprintf(path, sizeof path, "%s/mover-London HUB/other", b->w->dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof path, "%s/mover-elsewhere", b->w->dir);
	assert_int_equal(symlink("/etc", path), 0);
}

static void has_folders(const char *folder)
{
	has_beside(folder, "interchange-ms/sent.4", "a\nb\n"); /* what is cut there is not whole: its line comes in the next backup */
	has_beside(folder, "interchange-ms/sent.5", "");
	has_beside(folder, "interchange-ms/taken.2", "c\n");
	has_beside(folder, "interchange-ms/strikes.1", "2 INQUEUE3 00000012\n");
	has_beside(folder, "mover-London HUB/mailer", "S 00000012 2");
	has_beside(folder, "mover-London HUB/INQUEUE3-00000012/00000012.MAI", "only here");
	has_beside(folder, "mover-London HUB/INQUEUE3-00000012/00000012.P1", "");
	static const char *const not_theirs[] = { "interchange-ms/sent.x", "interchange-serials/22-1.ms", "mover-London HUB/mailer.status",
						  "mover-London HUB/mailer.new", "mover-London HUB/other", "mover-elsewhere/passwd" };
	for (size_t i = 0; i < ARRAY_LEN(not_theirs); i++)
		has_beside(folder, not_theirs[i], NULL);
}

static void test_what_interchanges_and_movers_remember_is_in_it(void **state)
{
	struct bed *b = *state;
	put_files(b, 2);
	put_folders(b);
	backup(b);
	assert_int_equal(b->made.beside, 7);
	assert_int_equal(b->made.files, 1 + 2 + 7);
	has_folders(b->target);
	assert_int_equal(try_restore(b, true), STORE_CHECK_DONE);
	assert_int_equal(b->restored.beside, 7);
	assert_int_equal(b->restored.taken, INT64_C(1795360000000));
	has_folders(b->to);
	whole(b->to);
}

/* A mailer's only copy of a message is damaged in the backup: it is said, and no store is made of it. */
static void test_a_spoilt_file_of_a_mover_is_refused(void **state)
{
	struct bed *b = *state;
	put_files(b, 1);
	put_folders(b);
	backup(b);
	put_beside(b->target, "mover-London HUB/INQUEUE3-00000012/00000012.MAI", "!", true);
	assert_int_equal(try_restore(b, false), STORE_CHECK_FAILED);
	assert_non_null(strstr(b->e.text, "00000012.MAI is not what it was"));
	assert_false(folder_has(b->to));
	assert_true(folder_make(b->to, &b->e));
	assert_int_equal(try_restore(b, false), STORE_CHECK_FAILED);
	assert_true(folder_make(b->to, &b->e)); /* nothing of it is left: it is empty */
}

/* Between the two moments something goes on: given by an archive after the first, it may not be in the snapshot, so it has to be given again;
 * put into a postoffice until the second, it may still wait in the snapshot, and must not be put there again. */
static bool go_on_beside(void *ctx)
{
	struct bed *b = ctx;
	put_beside(b->w->dir, "interchange-ms/taken.1", "later\n", true);
	put_beside(b->w->dir, "interchange-ms/sent.1", b->rests++ == 0 ? "between\n" : "later\n", true);
	return true;
}

static void test_each_is_of_the_side_of_the_snapshot_that_does_no_harm(void **state)
{
	struct bed *b = *state;
	const struct store_backup_config c = { .now = 1 };
	const struct store_backup_watch w = { .rest = go_on_beside, .ctx = b };
	put_files(b, 1);
	put_beside(b->w->dir, "interchange-ms/taken.1", "before\n", false);
	put_beside(b->w->dir, "interchange-ms/sent.1", "before\n", false);
	assert_int_equal(store_backup(b->w->env, "store.db", b->target, &c, &w, &b->made, &b->e), STORE_CHECK_DONE);
	assert_true(b->rests > 2);
	has_beside(b->target, "interchange-ms/taken.1", "before\n");
	has_beside(b->target, "interchange-ms/sent.1", "before\nbetween\n");
}

/* A generation goes while they are copied: what it had is in the next, so all are looked for again. */
static void test_a_file_that_is_replaced_meanwhile(void **state)
{
	struct bed *b = *state;
	put_files(b, 1);
	put_folders(b);
	for (unsigned n = 1; n <= 7; n++) {
		char plan[60];
		snprintf(plan, sizeof plan, "BACKUP_BESIDE:%u:fail", n);
		assert_true(fault_plan(plan, NULL));
		backup(b);
		assert_true(fault_plan(NULL, NULL));
		assert_int_equal(b->made.beside, 7);
		has_folders(b->target);
		folder_remove(b->target);
	}
	assert_true(fault_plan("BACKUP_BESIDE:1:stick", NULL));
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_COPY);
	assert_true(fault_plan(NULL, NULL));
	assert_int_equal(b->e.kind, ERR_TEMP);
	assert_false(folder_has(b->target) || folder_has(b->part));
}

/* --- and made into a store again --- */
static void test_restore_is_the_same_store(void **state)
{
	struct bed *b = *state;
	b->p = play_new(77, GROUPS, MOST, true);
	play_groups(b->y, b->p, 0, GROUPS);
	b->group = GROUPS;
	backup(b);
	assert_int_equal(try_restore(b, false), STORE_CHECK_DONE);
	assert_int_equal(b->restored.held, 0);
	struct rows before = rows_at(b->target), after = rows_at(b->to);
	same_rows(&before, &after);
	assert_int_equal(content_sum(b->to), content_sum(b->target));
	whole(b->to);
	rows_free(&before);
	rows_free(&after);
	assert_int_equal(try_restore(b, false), STORE_CHECK_COPY); /* it is used now */
	whole(b->to);
}

static void test_restore_holds_what_waits(void **state)
{
	struct bed *b = *state;
	put_files(b, 5);
	backup(b);
	assert_int_equal(mkdir(b->to, 0700), 0);
	assert_int_equal(try_restore(b, true), STORE_CHECK_DONE);
	assert_int_equal(b->restored.held, 5);
	assert_int_equal(number_in(b->to, "select count(*) from queued where next = 'held'"), 5);
	whole(b->to);
	assert_false(folder_has(b->part));
}

/* What waits for its originator's time is held only when that has come: it may have gone since. Held before, it is held now. */
static void test_restore_keeps_times_to_come(void **state)
{
	struct bed *b = *state;
	static const wall_ms_t times[] = { RESTORED_MS - 1, RESTORED_MS, RESTORED_MS + 1, RESTORED_MS + 86400000, STORE_NEVER };
	put_files(b, 2);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		arena_reset(b->w->arena);
		struct store_message *m = put_of(b->w, 10 + i, 1, 1, 0);
		m->content = VIEW("x");
		m->transfers[0].queue = VIEW(STORE_DEFERRED);
		m->transfers[0].next_ms = times[i];
		store_put_message(b->w->store, m);
	}
	arena_reset(b->w->arena);
	struct store_message *m = put_of(b->w, 20, 1, 1, 0); /* of a link: its next attempt is no time of the originator's */
	m->content = VIEW("x");
	m->transfers[0].next_ms = RESTORED_MS + 86400000;
	store_put_message(b->w->store, m);
	world_commit(b->w);
	backup(b);
	assert_int_equal(try_restore(b, true), STORE_CHECK_DONE);
	assert_int_equal(b->restored.held, 2 + 3 + 1);
	assert_int_equal(number_in(b->to, "select count(*) from queued where next = 'held'"), 6);
	assert_int_equal(number_in(b->to, "select min(next) from transfer"), RESTORED_MS + 1);
	assert_int_equal(number_in(b->to, "select count(*) from transfer where next = 1795446500000"), 1);
	whole(b->to);
}

/* That the new names are on disk is not known: they are taken away, and the folder that was there is as it was. */
static void test_a_restore_that_fails_at_its_end_leaves_nothing(void **state)
{
	struct bed *b = *state;
	put_files(b, 2);
	put_folders(b);
	backup(b);
	static const char *const here[] = { "FOLDER_RENAME:1:fail", "FOLDER_SYNC:1:fail", "FOLDER_SYNC:2:fail" };
	for (size_t i = 0; i < ARRAY_LEN(here); i++) {
		assert_true(folder_make(b->to, &b->e));
		assert_true(fault_plan(here[i], NULL));
		assert_int_equal(try_restore(b, false), STORE_CHECK_COPY);
		assert_true(fault_plan(NULL, NULL));
		assert_true(folder_make(b->to, &b->e)); /* it is there, and empty */
		assert_int_equal(rmdir(b->to), 0);
	}
}

static void test_targets_within_the_store(void **state)
{
	struct bed *b = *state;
	char was[sizeof b->target];
	put_files(b, 1);
	snprintf(was, sizeof was, "%s", b->target);
	static const char *const names[] = { "store.db-journal", "content/backup", "./backup", "content/../backup" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(b->target, sizeof b->target, "%.60s/%s", b->w->dir, names[i]);
		snprintf(b->part, sizeof b->part, "%s.part", b->target);
		assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_COPY);
		assert_non_null(strstr(b->e.text, "own directory"));
		assert_false(folder_has(b->target) || folder_has(b->part));
	}
	snprintf(b->target, sizeof b->target, "%s", was); /* whose name begins with the store's */
	snprintf(b->part, sizeof b->part, "%s.part", was);
	backup(b);
}

static void spoil(const char *folder, const char *name, bool cut)
{
	char path[DAMAGE_PATH + 100];
	struct stat st;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	const int fd = open(path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	if (cut)
		assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
	else
		assert_int_equal(pwrite(fd, "!", 1, st.st_size / 2), 1);
	close(fd);
}

static void test_a_spoilt_backup_is_refused(void **state)
{
	struct bed *b = *state;
	char content[700];
	static const struct {
		const char *name;
		enum store_check_end end;
	} cases[] = { { "store.db", STORE_CHECK_FAILED }, { NULL, STORE_CHECK_FAILED }, { "manifest", STORE_CHECK_FOREIGN } };
	put_files(b, 2);
	store_close(&b->w->store); /* a hard link is the store's file too */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int cut = 0; cut < 2; cut++) {
			if (cases[i].name == NULL && cut == 1)
				continue;
			backup(b);
			assert_true(content_name(b->target, 0, content));
			const char *name = cases[i].name != NULL ? cases[i].name : content + strlen(b->target) + 1;
			spoil(b->target, name, cut == 1);
			assert_int_equal(try_restore(b, false), cases[i].end);
			assert_false(folder_has(b->to));
			if (cases[i].name == NULL)
				spoil(b->target, name, false); /* stays so, of the right size */
			folder_remove(b->target);
		}
	assert_int_equal(try_restore(b, false), STORE_CHECK_NONE);
}

static void refused(struct bed *b, enum store_check_end end, const char *says)
{
	assert_int_equal(try_restore(b, false), end);
	if (strstr(b->e.text, b->target) == NULL || strstr(b->e.text, says) == NULL)
		fail_msg("want \"%s\" of %s, found: %s", says, b->target, b->e.text);
	assert_false(folder_has(b->to));
}

/* Each of them names what is wrong, and where. */
static void test_what_is_no_backup_is_told_apart(void **state)
{
	struct bed *b = *state;
	char path[DAMAGE_PATH + 60];
	put_files(b, 1);
	store_close(&b->w->store);
	snprintf(path, sizeof path, "%s/manifest", b->target);
	refused(b, STORE_CHECK_NONE, "No such file or directory");
	assert_int_equal(close(open(b->target, O_CREAT | O_WRONLY, 0600)), 0);
	refused(b, STORE_CHECK_NONE, "found a file, want the directory that posthorn backup made");
	assert_int_equal(unlink(b->target), 0);
	assert_int_equal(mkdir(b->target, 0700), 0);
	refused(b, STORE_CHECK_NONE, "it has no manifest");
	assert_int_equal(mkdir(path, 0700), 0);
	refused(b, STORE_CHECK_FAILED, "/manifest: found a directory, want a file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(b, STORE_CHECK_FAILED, "/manifest: found no regular file, want a file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(path, path), 0);
	refused(b, STORE_CHECK_FAILED, "/manifest: cannot be opened: Too many levels of symbolic links");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/proc/self/mem", path), 0); /* nothing is mapped at 0: proc(5), EIO */
	refused(b, STORE_CHECK_FAILED, "manifest: cannot read: Input/output error");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(b->target), 0);
	backup(b);
	assert_int_equal(truncate(path, 0), 0);
	refused(b, STORE_CHECK_FOREIGN, "manifest: ");
	folder_remove(b->target);
	backup(b);
	spoil(b->target, "manifest", true);
	refused(b, STORE_CHECK_FOREIGN, "manifest: its last line is cut");
	folder_remove(b->target);
	backup(b);
	snprintf(path, sizeof path, "%s/store.db", b->target);
	assert_int_equal(unlink(path), 0);
	refused(b, STORE_CHECK_FAILED, "store.db is missing");
	assert_int_equal(mkdir(path, 0700), 0);
	refused(b, STORE_CHECK_FAILED, "/store.db: found a directory, want a file");
}

/* --- what can go wrong --- */
static void test_targets_that_are_used(void **state)
{
	struct bed *b = *state;
	put_files(b, 1);
	backup(b);
	const uint64_t hash = hash_folder(b->target);
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_COPY);
	assert_int_equal(hash_folder(b->target), hash);
	folder_remove(b->target);
	char lock[DAMAGE_PATH + 60];
	int fd;
	snprintf(lock, sizeof lock, "%s.lock", b->part);
	assert_true(folder_hold(lock, &fd, &b->e));
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_IN_USE);
	folder_release(lock, &fd);
	snprintf(lock, sizeof lock, "%s/" SQLITE_HOLD, b->w->dir);
	assert_true(folder_hold(lock, &fd, &b->e));
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_IN_USE);
	folder_release(lock, &fd);
	assert_true(folder_make(b->part, &b->e)); /* of somebody else */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_COPY);
		assert_non_null(strstr(b->e.text, ".part: is there, and no backup has left it"));
		assert_true(folder_has(b->part));
	}
	snprintf(lock, sizeof lock, "%s.lock", b->part);
	assert_true(folder_write_file(lock, VIEW(""), &b->e)); /* of one that was killed */
	backup(b);
}

static void test_no_store_and_a_store_that_is_not_whole(void **state)
{
	struct bed *b = *state;
	char path[700];
	put_files(b, 2);
	store_close(&b->w->store);
	assert_true(content_name(b->w->dir, 0, path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_FAILED);
	assert_non_null(strstr(b->e.text, "content/"));
	assert_false(folder_has(b->target) || folder_has(b->part));
	snprintf(path, sizeof path, "%s/store.db", b->w->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_NONE);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("a letter to whom it concerns, and longer than a header of a hundred octets has to be, which this one is by now\n", f);
	fclose(f);
	assert_int_not_equal(try_backup(b, NULL, 0), STORE_CHECK_DONE);
	assert_false(folder_has(b->target) || folder_has(b->part));
}

static void test_it_gives_way(void **state)
{
	struct bed *b = *state;
	put_files(b, 1);
	assert_int_equal(try_backup(b, NULL, UINT64_MAX / 2), STORE_CHECK_COPY);
	assert_int_equal(b->e.kind, ERR_TEMP);
	b->stop_at = 2;
	assert_int_equal(try_backup(b, NULL, 0), STORE_CHECK_COPY);
	assert_false(folder_has(b->target) || folder_has(b->part));
	b->stop_at = 0;
	backup(b);
}

static void test_full_disk(void **state)
{
	struct bed *b = *state;
	struct rlimit was, limit;
	put_files(b, 200);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_IGN);
	limit = (struct rlimit){ 40000, was.rlim_max }; /* the store's own index of its log fits */
	store_close(&b->w->store);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	const enum store_check_end end = try_backup(b, NULL, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(end, STORE_CHECK_COPY);
	assert_false(folder_has(b->target) || folder_has(b->part));
	whole(b->w->dir);
}

static const char *const points[] = { "BACKUP_OPEN", "BACKUP_PAGES", "BACKUP_NAME", "FOLDER_MAKE", "FOLDER_SHARE", "FOLDER_WRITE",
				      "FOLDER_SYNC", "FOLDER_RENAME" };

/* The n-th pass of each point fails, n = 1, 2, ...: nothing is left, and the store is as it was. */
static void test_failures_at_every_point(void **state)
{
	struct bed *b = *state;
	put_files(b, 3);
	put_folders(b);
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		unsigned failed = 0;
		bool done = false;
		for (unsigned n = 1; !done; n++) {
			char plan[60];
			snprintf(plan, sizeof plan, "%s:%u:fail", points[i], n);
			assert_true(fault_plan(plan, NULL));
			done = try_backup(b, NULL, 0) == STORE_CHECK_DONE;
			assert_true(fault_plan(NULL, NULL));
			failed += !done;
			assert_int_equal(folder_has(b->target), done);
			assert_false(folder_has(b->part));
			folder_remove(b->target);
			assert_true(n < 100);
		}
		assert_true(failed > 0);
	}
}

/* In a child that dies of it; true: it did not. */
static bool survives(struct bed *b, const char *plan, bool restores)
{
	const pid_t pid = fork();
	if (pid == 0) {
		struct env *env = loop_new(b->w->dir);
		const struct store_backup_config c = { .now = 1 };
		const struct store_restore_config rc = { .hold = true };
		const struct store_backup_watch w = { .ctx = b };
		if (!fault_plan(plan, NULL))
			_exit(9);
		const enum store_check_end end = restores ? store_restore(b->target, b->to, &rc, &w, &b->restored, &b->e)
							  : store_backup(env, "store.db", b->target, &c, &w, &b->made, &b->e);
		_exit(end == STORE_CHECK_DONE ? 0 : 8);
	}
	int how = 0;
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFSIGNALED(how) ? WTERMSIG(how) == SIGKILL : how == 0);
	return how == 0;
}

/* Killed at each pass of each point: there is a backup that is whole, or none; and the next one is made as if nothing had been. */
static void test_killed_at_every_point(void **state)
{
	struct bed *b = *state;
	put_files(b, 3);
	store_close(&b->w->store);
	unsigned killed = 0;
	for (unsigned n = 1;; n++) {
		char plan[60];
		snprintf(plan, sizeof plan, "*:%u:kill", n);
		const bool done = survives(b, plan, false);
		killed += !done;
		if (folder_has(b->target)) {
			assert_int_equal(try_restore(b, true), STORE_CHECK_DONE);
			whole(b->to);
			folder_remove(b->to);
			folder_remove(b->target);
		}
		backup(b);
		folder_remove(b->target);
		if (done)
			break;
		assert_true(n < 100);
	}
	assert_true(killed > 5);
	whole(b->w->dir);
}

static void test_a_restore_that_is_killed_leaves_no_store(void **state)
{
	struct bed *b = *state;
	put_files(b, 3);
	backup(b);
	unsigned killed = 0;
	for (unsigned n = 1;; n++) {
		char plan[60], db[DAMAGE_PATH + 40];
		snprintf(plan, sizeof plan, "*:%u:kill", n);
		snprintf(db, sizeof db, "%s/store.db", b->to);
		const bool done = survives(b, plan, true);
		killed += !done;
		if (folder_has(db)) {
			whole(b->to);
			assert_int_equal(number_in(b->to, "select count(*) from queued where next = 'held'"), 3);
		} else {
			assert_false(done);
		}
		folder_remove(b->to);
		if (done)
			break;
		assert_true(n < 100);
	}
	assert_true(killed > 3);
	static const char *const here[] = { "FOLDER_MAKE", "FOLDER_WRITE", "RESTORE_HOLD", "FOLDER_SYNC", "FOLDER_RENAME" };
	for (size_t i = 0; i < ARRAY_LEN(here); i++) {
		char plan[60];
		snprintf(plan, sizeof plan, "%s:1:fail", here[i]);
		assert_true(fault_plan(plan, NULL));
		assert_int_equal(try_restore(b, true), STORE_CHECK_COPY);
		assert_true(fault_plan(NULL, NULL));
		assert_false(folder_has(b->to));
	}
}

/* --- the manifest --- */
static struct out a_manifest(void)
{
	struct out o;
	const struct store_check_result is = { .messages = 2 };
	static const char sum[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	out_init(&o, MANIFEST_MAX);
	manifest_begin(&o, INT64_C(1795360000000), "posthorn", &is);
	manifest_add(&o, "store.db", sum);
	manifest_add(&o, "content/00000000000000a1", sum);
	manifest_add(&o, "mover-Z\xc3\xbcrich 1/mailer", sum);
	manifest_end(&o, 3);
	return o;
}

static bool reads(struct view text, struct manifest *m_r)
{
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	const bool ok = manifest_read(text, m_r, a, &e);
	assert_true(ok || e.text[0] != 0);
	arena_free(&a);
	return ok;
}

static void test_manifest_is_read_whole_or_not(void **state)
{
	(void)state;
	struct manifest m;
	struct out o = a_manifest();
	const struct view all = out_view(&o);
	assert_true(reads(all, &m));
	assert_int_equal(m.n, 3);
	assert_int_equal(m.taken, INT64_C(1795360000000));
	assert_string_equal(m.owner, "posthorn");
	for (size_t n = 0; n < all.n; n++)
		assert_false(reads(view_first(all, n), &m));
	for (size_t i = 0; i < all.n; i++) {
		o.p[o.head + i] ^= 1;
		assert_false(reads(all, &m));
		o.p[o.head + i] ^= 1;
	}
	out_str(&o, "\n");
	assert_false(reads(out_view(&o), &m));
	out_fini(&o);
	static const char *const owners[] = { "", "a b", "\x1b[2J", "a\tb", "0123456789012345678901234567890123456789012345678901234567890123" };
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) { /* shown to people, and looked for among users */
		const struct store_check_result is = { .messages = 1 };
		out_init(&o, MANIFEST_MAX);
		manifest_begin(&o, 1, owners[i], &is);
		manifest_add(&o, "store.db", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		manifest_end(&o, 1);
		assert_false(reads(out_view(&o), &m));
		out_fini(&o);
	}
}

static void test_manifest_names_lead_nowhere(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "/etc/passwd", "../store.db", "content/../../x", "content/", "content/00000000000000A1",
					   "content/00000000000000a", "content/00000000000000a11", "store.db-wal", "store.db ", "manifest", "mover-a/../../x", "mover-a/..", "mover-a/.x", "mover-/",
					   "mover-a//x", "mover-../x/y/z", "mover-a/b/c/d", "mover-a", "mover-a/b/", "mover-a/x\x1b[2J", "mover-a/b/x\n", "mover-a/m.status",
					   "interchange-a/sent", "interchange-a/sent.", "interchange-a/sent.x", "interchange-a/b/sent.1", "interchange-a/other.1",
					   "x/mover-a/b" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(manifest_name_ok(view_str(bad[i])));
	assert_true(manifest_name_ok(VIEW("store.db")));
	assert_true(manifest_name_ok(VIEW("settings.yaml")));
	assert_true(manifest_name_ok(VIEW("content/0123456789abcdef")));
	assert_true(manifest_name_ok(VIEW("interchange-paris/taken.12")));
	assert_true(manifest_name_ok(VIEW("mover-London HUB/lane-0123456789abcdef")));
	assert_true(manifest_name_ok(VIEW("mover-x/INQUEUE3-00000012/00000012.ATT")));
	assert_false(manifest_name_ok(view_of("mover-x/a\0b", 11)));
}

/* As the first version wrote it, before it had files of interchanges and movers; the sum is sha256sum's. */
static void test_a_manifest_of_the_first_version_is_read(void **state)
{
	(void)state;
	struct manifest m;
	assert_true(reads(VIEW("# posthorn backup 1\n# taken 1795360000000 Sun Nov 22 15:06:40 2026 UTC\n# owner posthorn\n"
			       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  store.db\n"
			       "# end 1 0cac9ba34afdf53fae009c59e7c3833d396f883d983500371f0606061766267d\n"), &m));
	assert_int_equal(m.n, 1);
	assert_false(reads(VIEW("# posthorn backup 3\n"), &m));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_it_is_the_store_of_one_moment),
		TEST(test_what_goes_meanwhile_is_in_it),
		TEST(test_of_a_store_that_nobody_has_open),
		TEST(test_partial_transfers_are_left_out),
		TEST(test_what_interchanges_and_movers_remember_is_in_it),
		TEST(test_a_spoilt_file_of_a_mover_is_refused),
		TEST(test_each_is_of_the_side_of_the_snapshot_that_does_no_harm),
		TEST(test_a_file_that_is_replaced_meanwhile),
		TEST(test_restore_is_the_same_store),
		TEST(test_restore_holds_what_waits),
		TEST(test_restore_keeps_times_to_come),
		TEST(test_a_restore_that_fails_at_its_end_leaves_nothing),
		TEST(test_targets_within_the_store),
		TEST(test_a_spoilt_backup_is_refused),
		TEST(test_what_is_no_backup_is_told_apart),
		TEST(test_targets_that_are_used),
		TEST(test_no_store_and_a_store_that_is_not_whole),
		TEST(test_it_gives_way),
		TEST(test_full_disk),
		TEST(test_failures_at_every_point),
		TEST(test_killed_at_every_point),
		TEST(test_a_restore_that_is_killed_leaves_no_store),
		cmocka_unit_test(test_manifest_is_read_whole_or_not),
		cmocka_unit_test(test_manifest_names_lead_nowhere),
		cmocka_unit_test(test_a_manifest_of_the_first_version_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
