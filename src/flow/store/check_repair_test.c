/* check_repair_test.c - one kind of damage at a time: what the check says of it, and what the repair makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/check_testing.h"

#include <signal.h>
#include <sys/resource.h>

struct said {
	unsigned found, did;
	char text[1 << 16]; /* all of it, a line each */
};

struct bed {
	struct world *w; /* its folder holds the store */
	char to[DAMAGE_PATH];
	struct said said;
	struct store_check_result checked;
	struct store_repair_result result;
	struct err e;
};

static int setup(void **state)
{
	struct bed *b = mem_zero(sizeof *b);
	b->w = world_new(true);
	snprintf(b->to, sizeof b->to, "%s/to", b->w->dir);
	world_open(b->w);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	world_free(&b->w);
	free(b);
	return 0;
}

static void note(struct said *s, const char *sentence)
{
	const size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof s->text - n, "%s\n", sentence);
}

static void on_found(void *ctx, const char *sentence)
{
	struct said *s = ctx;
	s->found++;
	note(s, sentence);
}

static void on_did(void *ctx, const char *sentence)
{
	struct said *s = ctx;
	s->did++;
	note(s, sentence);
}

static struct store_check_watch watch(struct said *s)
{
	*s = (struct said){0};
	return (struct store_check_watch){.found = on_found, .did = on_did, .ctx = s};
}

static enum store_check_end check_at(struct bed *b, const char *folder)
{
	const struct store_check_watch w = watch(&b->said);
	struct env *env = loop_new(folder);
	const enum store_check_end end = store_check_watched(env, "store.db", &w, &b->checked, &b->e);
	loop_free(&env);
	return end;
}

static enum store_check_end try_repair(struct bed *b)
{
	const struct store_check_watch w = watch(&b->said);
	struct env *copy = loop_new(b->to);
	const enum store_check_end end = store_repair(b->w->env, "store.db", copy, &w, &b->result, &b->e);
	loop_free(&copy);
	return end;
}

/* The check finds it; the repair makes a whole copy, and leaves the original. */
static void repair(struct bed *b, const char *says)
{
	store_close(&b->w->store);
	assert_int_equal(check_at(b, b->w->dir), STORE_CHECK_DONE);
	assert_true(b->checked.found > 0);
	if (says != NULL && strstr(b->said.text, says) == NULL)
		fail_msg("not said: %s\n%s", says, b->said.text);
	const uint64_t hash = hash_folder(b->w->dir);
	if (try_repair(b) != STORE_CHECK_DONE)
		fail_msg("%s", b->e.text);
	char kept[DAMAGE_PATH + 20];
	snprintf(kept, sizeof kept, "%s.kept", b->w->dir);
	assert_int_equal(rename(b->to, kept), 0); /* out of the original's folder */
	assert_int_equal(hash_folder(b->w->dir), hash);
	assert_int_equal(rename(kept, b->to), 0);
	const struct said repaired = b->said;
	assert_int_equal(check_at(b, b->to), STORE_CHECK_DONE);
	if (b->checked.found > 0)
		fail_msg("the copy: %s", b->said.text);
	b->said = repaired;
}

static void must_say(const struct bed *b, const char *text)
{
	if (strstr(b->said.text, text) == NULL)
		fail_msg("not said: %s\n%s", text, b->said.text);
}

static int64_t number_in(const char *folder, const char *sql)
{
	char path[DAMAGE_PATH + 20];
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

static void put(struct bed *b, uint64_t seed, size_t n_rcpt, size_t n_transfers, size_t octets)
{
	arena_reset(b->w->arena);
	struct store_message *m = put_of(b->w, seed, n_rcpt, n_transfers, octets > TEST_INLINE_MAX ? 0 : octets);
	struct store_content *file = octets > TEST_INLINE_MAX ? content_file(b->w, seed, octets) : NULL;
	m->file = file;
	store_put_message(b->w->store, m);
	store_content_free(&file);
}

static void deliver(struct bed *b, uint64_t seed)
{
	arena_reset(b->w->arena);
	struct store_message *m = put_of(b->w, seed, 1, 0, 100);
	struct store_delivery d = {VIEW("anna"), 0, 0};
	m->deliveries = &d;
	m->n_deliveries = 1;
	store_put_message(b->w->store, m);
}

static void steps(struct bed *b, uint64_t n)
{
	struct player y = {.w = b->w};
	for (uint64_t k = 0; k < n; k++) {
		arena_reset(b->w->arena);
		do_step(&y, k);
	}
}

static void close_and(struct bed *b, const char *sql)
{
	if (store_has_group(b->w->store))
		world_commit(b->w);
	store_close(&b->w->store);
	damage(b->w, sql);
}

static void overwrite_page(struct bed *b, int64_t page, uint8_t octet)
{
	uint8_t octets[8192];
	memset(octets, octet, sizeof octets);
	const int fd = open(b->w->path, O_RDWR);
	assert_true(fd >= 0 && pwrite(fd, octets, sizeof octets, (page - 1) * 8192) == sizeof octets);
	close(fd);
}

/* --- the store's own data (failure catalogue, databases) --- */
static void test_k182085_k274285_k249895_core_data_made_anew(void **state)
{
	struct bed *b = *state;
	for (uint64_t i = 0; i < 50; i++)
		put(b, i, 1, 1, 500);
	steps(b, 8000);
	close_and(b, "delete from counter");
	damage(b->w, "delete from step_key");
	overwrite_page(b, 1, 0); /* header and list of tables */
	repair(b, "the database is damaged");
	must_say(b, "the list of tables is damaged");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 50);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 50);
	assert_int_equal(number_in(b->to, "select count(*) from step"), 8000);
	assert_true(number_in(b->to, "select value from counter where name = 'id'") > number_in(b->to, "select max(id) from transfer"));
}

static void test_k184481_a_queue_is_missing(void **state)
{
	struct bed *b = *state;
	put(b, 1, 3, 3, 100);
	close_and(b, "delete from queue where no = 2");
	repair(b, "waits in queue 2, which does not exist");
	must_say(b, "repair:queue-2");
	assert_int_equal(number_in(b->to, "select count(*) from transfer t join queue q on q.no = t.queue"), 3);
	assert_int_equal(number_in(b->to, "select no from queue where name = 'repair:queue-2'"), 2);
}

static void test_k161949_what_was_deleted_is_not_revived(void **state)
{
	struct bed *b = *state;
	uint64_t done[200];
	for (uint64_t i = 0; i < 200; i++) {
		arena_reset(b->w->arena);
		struct store_message *m = put_of(b->w, i, 1, 1, 3000);
		store_put_message(b->w->store, m);
		done[i] = m->transfers[0].id_r;
	}
	world_commit(b->w);
	for (uint64_t i = 0; i < 190; i++)
		store_transfer_done(b->w->store, done[i]);
	close_and(b, "update message set parts = 5 where id = (select max(id) from message)");
	assert_true(number_in(b->w->dir, "pragma freelist_count") > 50);
	repair(b, "5 parts");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 10);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 10);
}

/* Its message is gone: it cannot be sent, and no message is made up for it. */
static void test_k161949_a_transfer_without_message_is_kept_aside(void **state)
{
	struct bed *b = *state;
	put(b, 1, 1, 1, 100);
	put(b, 2, 1, 1, 100);
	close_and(b, "delete from message where id = 1");
	repair(b, "which does not exist");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 1);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 1);
	struct rows removed = rows_removed(b->to);
	assert_int_equal(removed.n, 1);
	assert_non_null(strstr(removed.v[0], "transfer|i2|i1|"));
	rows_free(&removed);
}

static void test_k271600_ids_are_no_reason_to_delete(void **state)
{
	struct bed *b = *state;
	static const char *const values[] = {"32760", "65530", "4294967290", "1099511627776"};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char sql[100];
		put(b, i, 1, 1, 100);
		snprintf(sql, sizeof sql, "update counter set value = %s where name = 'id'", values[i]);
		close_and(b, sql);
		world_open(b->w);
		for (uint64_t k = 0; k < 10; k++)
			put(b, 100 * (i + 1) + k, 2, 2, k == 0 ? TEST_INLINE_MAX + 10 : 100);
	}
	close_and(b, "update transfer set size = size + 1 where id % 3 = 0");
	const int64_t messages = number_in(b->w->dir, "select count(*) from message"),
		      sum = number_in(b->w->dir, "select sum(id) from message"),
		      transfers = number_in(b->w->dir, "select count(*) from transfer"),
		      sum_of_transfers = number_in(b->w->dir, "select sum(id) from transfer");
	repair(b, "says other than its message");
	assert_int_equal(number_in(b->to, "select count(*) from message"), messages);
	assert_int_equal(number_in(b->to, "select sum(id) from message"), sum);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), transfers);
	assert_int_equal(number_in(b->to, "select sum(id) from transfer"), sum_of_transfers);
	assert_int_equal(b->result.removed, 0);
	assert_true(number_in(b->to, "select max(id) from message") > INT64_C(1099511627776));
}

static void test_k271600_an_id_beyond_reason_gets_another(void **state)
{
	struct bed *b = *state;
	put(b, 1, 2, 2, 100);
	put(b, 2, 1, 1, 100);
	close_and(b, "update message set id = 9223372036854775807 where id = 1; "
		     "update transfer set message = 9223372036854775807 where message = 1; "
		     "update share set message = 9223372036854775807 where message = 1; update transfer set id = -3 where id = 2");
	repair(b, "an id that was never given");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 2);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 3);
	assert_int_equal(number_in(b->to, "select count(*) from transfer where id < 1"), 0);
}

/* What is set aside waits for a person: it is in no queue, and opening the store takes nothing out of removed/. */
static void test_k262865_what_is_set_aside_is_not_replayed(void **state)
{
	struct bed *b = *state;
	char path[700];
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	put(b, 2, 1, 1, TEST_INLINE_MAX + 200);
	put(b, 3, 1, 1, TEST_INLINE_MAX + 300);
	world_commit(b->w);
	assert_true(content_name(b->w->dir, 0, path));
	assert_int_equal(unlink(path), 0);
	assert_true(content_name(b->w->dir, 0, path));
	assert_int_equal(truncate(path, 1000), 0);
	repair(b, "has no content");
	assert_int_equal(number_in(b->to, "select count(*) from quarantine where octets = 0 and state = 0 and recipients = 1"), 2);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 1);
	assert_int_equal(number_in(b->to, "select group_concat(size, '') from message where id in (select message from quarantine)"), 1000);
	struct env *env = loop_new(b->to);
	struct world told = {0};
	const struct store_config c = {"store.db", TEST_INLINE_MAX, 1 << 20};
	struct store *s = store_open_sqlite(env, &c, &world_events, &told, &b->e);
	assert_non_null(s);
	struct store_counts counts;
	store_count(s, &counts);
	assert_int_equal(counts.transfers, 1);
	assert_int_equal(counts.quarantined, 2);
	store_close(&s);
	loop_free(&env);
	struct rows removed = rows_removed(b->to);
	assert_true(removed.n >= 4); /* both messages and transfers, as they were */
	rows_free(&removed);
}

static void test_k174600_other_versions_are_refused_and_named(void **state)
{
	struct bed *b = *state;
	put(b, 1, 1, 1, 100);
	close_and(b, "update message set parts = 7; pragma user_version = 77");
	assert_int_equal(check_at(b, b->w->dir), STORE_CHECK_FOREIGN);
	assert_non_null(strstr(b->e.text, "version 77"));
	assert_int_equal(try_repair(b), STORE_CHECK_FOREIGN);
	assert_non_null(strstr(b->e.text, "version 77"));
	assert_int_not_equal(access(b->to, F_OK), 0);
	FILE *f = fopen(b->w->path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 3000; i++)
		fputs("this is a letter and no database. ", f);
	fclose(f);
	assert_int_equal(try_repair(b), STORE_CHECK_FOREIGN);
	assert_int_not_equal(access(b->to, F_OK), 0);
}

static void older_is_known(struct bed *b, const char *sql)
{
	put(b, 1, 2, 2, 100);
	close_and(b, sql);
	assert_int_equal(check_at(b, b->w->dir), STORE_CHECK_DONE);
	if (b->checked.found > 0)
		fail_msg("%s", b->said.text);
	assert_int_equal(try_repair(b), STORE_CHECK_DONE);
	assert_int_equal(number_in(b->to, "pragma user_version"), 4);
	assert_int_equal(number_in(b->to, "select count(*) from quarantine"), 0);
	assert_int_equal(number_in(b->to, "select count(*) from transfer where tried = ''"), 2);
}

#define TO_VERSION_3                                                                                                               \
	"update counter set value = value + 1 where name = 'number'; drop view journey; delete from step_key; delete from step_filter; " \
	"update counter set value = 0 where name = 'indexed'; alter table step drop column event; "      \
	"alter table step drop column keys; "

static void test_k174600_version_3_is_known(void **state)
{
	struct bed *b = *state;
	steps(b, 8000); /* so many that some are in the index */
	older_is_known(b, TO_VERSION_3 "pragma user_version = 3");
	assert_int_equal(number_in(b->to, "select count(*) from step where keys is null and event is null"), 8000);
}

#define TO_VERSION_2                                                                                                               \
	TO_VERSION_3 "drop view quarantined; drop view queued; alter table transfer drop column tried; drop table partial; drop table partial_sync; "

static void test_k174600_version_1_is_known(void **state)
{
	older_is_known(*state, TO_VERSION_2 "drop table quarantine; drop table suspect; pragma user_version = 1");
}

static void test_k174600_version_2_is_known(void **state)
{
	older_is_known(*state, TO_VERSION_2 "pragma user_version = 2");
}

/* Rows of before the migration end before the column that it has added. */
static void test_rows_of_an_older_version_are_salvaged(void **state)
{
	struct bed *b = *state;
	put(b, 1, 2, 2, 100);
	close_and(b, "update counter set value = value + 1 where name = 'number'; drop view quarantined; drop view queued; "
		     "alter table transfer drop column tried; alter table transfer add column tried text not null default ''; "
		     "update transfer set size = 9");
	repair(b, "its size or priority");
	assert_int_equal(number_in(b->to, "select count(*) from transfer where tried = ''"), 2);
}

/* What was broken off comes anew; nothing of it is thrown away. */
static void test_partial_transfers_are_set_aside(void **state)
{
	struct bed *b = *state;
	char path[700];
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	world_commit(b->w);
	close_and(b, "insert into partial select max(file) + 5, 'PARIS', '192.0.2.1', x'01', 7, 8 from message; "
		     "insert into partial_sync select max(file) + 5, 1, 5, max(file) + 5, 0 from message; "
		     "update message set parts = 7");
	snprintf(path, sizeof path, "%s/content/%016llx", b->w->dir,
		 (unsigned long long)number_in(b->w->dir, "select id from partial"));
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("octets", f);
	fclose(f);
	repair(b, "parts");
	assert_int_equal(number_in(b->to, "select count(*) from partial"), 0);
	assert_int_equal(number_in(b->to, "select count(*) from partial_sync"), 0);
	assert_int_equal(number_in(b->to, "select count(*) from message"), 1);
	assert_non_null(strstr(b->said.text, "1 partial transfers are in removed/"));
}

static void test_k157702_counts_are_checked(void **state)
{
	static const struct {
		const char *sql, *says;
	} damages[] = {
		{"update share set remaining = remaining + 1", "left, and"},
		{"delete from share", "left, and"},
		{"update transfer set recipients = 9 where id = (select min(id) from transfer)", "is to have 9 recipients"},
		{"update transfer set alone = 1", "says other"},
		{"update message set parts = 1", "parts"},
		{"update share set size = 1", "another size"},
		{"update message set size = size - 1", "octets of content"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		void *each;
		setup(&each);
		struct bed *b = each;
		put(b, 1, 4, 2, 100);
		close_and(b, damages[i].sql);
		repair(b, damages[i].says);
		assert_int_equal(number_in(b->to, "select sum(recipients) from transfer"), 4);
		assert_int_equal(number_in(b->to, "select remaining from share"), 2);
		assert_int_equal(number_in(b->to, "select size from message"), 100);
		assert_int_equal(number_in(b->to, "select count(*) from quarantine"), 0);
		teardown(&each);
	}
}

/* --- rows of a message --- */
static void test_lost_transfers_are_made_anew(void **state)
{
	struct bed *b = *state;
	for (uint64_t i = 0; i < 3; i++) {
		arena_reset(b->w->arena);
		put_simple(b->w, i); /* all in one queue */
	}
	close_and(b, "delete from transfer where id < 6");
	repair(b, "neither a place in a queue nor an outcome");
	assert_int_equal(number_in(b->to, "select count(*) from transfer t join queue q on q.no = t.queue where q.name = 'q0'"), 3);
	assert_int_equal(number_in(b->to, "select count(*) from queue"), 1);
	assert_int_equal(number_in(b->to, "select count(*) from transfer t join message m on m.id = t.message where t.expires = m.expires"), 3);
}

static void test_lost_transfers_of_several_queues_wait_to_be_moved(void **state)
{
	struct bed *b = *state;
	put(b, 1, 6, 3, 100);
	close_and(b, "delete from transfer where queue <> 1");
	repair(b, NULL);
	must_say(b, "repair:lost");
	assert_int_equal(number_in(b->to, "select sum(recipients) from transfer t join queue q on q.no = t.queue where q.name = 'repair:lost'"), 4);
	assert_int_equal(number_in(b->to, "select remaining from share"), 3);
}

static void test_a_transfer_finds_its_message_again(void **state)
{
	struct bed *b = *state;
	put(b, 1, 2, 2, 100);
	put(b, 2, 1, 1, 100);
	close_and(b, "update transfer set message = 77 where queue = 2"); /* the message's id was damaged in it */
	repair(b, "is of message 77, which does not exist");
	assert_int_equal(number_in(b->to, "select count(*) from transfer where message = 1 and queue = 2"), 1);
	assert_int_equal(b->result.removed, 0);
}

static void test_a_lost_mailbox_entry_is_in_quarantine(void **state)
{
	struct bed *b = *state;
	deliver(b, 1);
	close_and(b, "delete from delivery");
	repair(b, "no reason to exist");
	assert_int_equal(number_in(b->to, "select count(*) from quarantine where octets = 0 and recipients = 1"), 1);
	assert_int_equal(number_in(b->to, "select count(*) from message"), 1);
}

static void test_a_message_of_which_all_is_over_is_kept_aside(void **state)
{
	struct bed *b = *state;
	put(b, 1, 2, 2, 100);
	put(b, 2, 1, 1, 100);
	close_and(b, "insert into outcome select message, id, 2 from transfer where message = 1; delete from transfer where message = 1");
	repair(b, "no reason to exist");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 1);
	struct rows removed = rows_removed(b->to);
	assert_true(removed.n >= 3); /* the message, two outcomes, the count */
	rows_free(&removed);
}

static void test_an_envelope_that_cannot_be_read(void **state)
{
	struct bed *b = *state;
	put(b, 1, 2, 2, 100);
	put(b, 2, 1, 1, TEST_INLINE_MAX + 100);
	close_and(b, "update message set envelope = x'00ff'");
	repair(b, "the envelope of message");
	assert_int_equal(number_in(b->to, "select count(*) from message where kind = 3 and length(envelope) = 0"), 2);
	assert_int_equal(number_in(b->to, "select count(*) from quarantine where octets = 1 and state = 0"), 2);
	assert_int_equal(number_in(b->to, "select sum(size) from message"), 100 + TEST_INLINE_MAX + 100);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 0);
}

static void test_recipients_that_cannot_be_read(void **state)
{
	struct bed *b = *state;
	put(b, 1, 5, 1, 100);
	close_and(b, "update message set recipients = substr(recipients, 1, length(recipients) - 3)");
	repair(b, "cannot be read after 4");
	assert_int_equal(number_in(b->to, "select recipients from transfer"), 4);
}

static void test_content_of_another_length(void **state)
{
	struct bed *b = *state;
	char path[700];
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	world_commit(b->w);
	assert_true(content_name(b->w->dir, 0, path));
	FILE *f = fopen(path, "ab");
	assert_non_null(f);
	fputs("a tail", f);
	fclose(f);
	repair(b, "has not so many");
	uint64_t size;
	assert_true(content_name(b->to, 0, path));
	assert_true(folder_file_size(path, &size));
	assert_int_equal(size, TEST_INLINE_MAX + 100);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 1);
}

static void test_two_messages_with_one_content_file(void **state)
{
	struct bed *b = *state;
	char path[700];
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	put(b, 2, 1, 1, TEST_INLINE_MAX + 100);
	close_and(b, "update message set file = (select min(file) from message)");
	repair(b, "belongs to no message"); /* to share one is no damage; the other's is left over */
	assert_int_equal(number_in(b->to, "select count(distinct file) from message"), 2);
	assert_true(content_name(b->to, 1, path));
}

/* --- pages --- */
static void fill(struct bed *b, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		put(b, i, 1, 1, 700);
		if (i % 100 == 99)
			world_commit(b->w);
	}
}

/* The page that all others of the table hang on: its leaves are found all the same. */
static void test_the_root_of_a_table_is_gone(void **state)
{
	struct bed *b = *state;
	fill(b, 1500);
	close_and(b, "update counter set value = value + 1 where name = 'number'");
	overwrite_page(b, number_in(b->w->dir, "select rootpage from sqlite_schema where name = 'message'"), 0xff);
	repair(b, "the database is damaged");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 1500);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 1500);
	assert_int_equal(number_in(b->to, "select count(*) from quarantine"), 0);
}

static void test_a_leaf_costs_its_own_rows(void **state)
{
	struct bed *b = *state;
	fill(b, 1500);
	close_and(b, "update counter set value = value + 1 where name = 'number'");
	const int64_t page = number_in(b->w->dir, "select pageno from dbstat where name = 'message' and pagetype = 'leaf' limit 1 offset 20"),
		      cells = number_in(b->w->dir, "select ncell from dbstat where name = 'message' and pagetype = 'leaf' limit 1 offset 20");
	overwrite_page(b, page, 0xff);
	repair(b, "the database is damaged");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 1500 - cells);
	assert_int_equal(number_in(b->to, "select count(*) from transfer"), 1500 - cells);
}

static bool (*real_read)(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
static uint64_t bad_sector;
static bool read_but_one(struct file *f, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e)
{
	if (offset <= bad_sector && bad_sector < offset + n)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "a sector cannot be read");
	return real_read(f, offset, buf, n, got_r, e);
}

static void test_a_sector_that_the_disk_cannot_read(void **state)
{
	struct bed *b = *state;
	fill(b, 500);
	close_and(b, "update counter set value = value + 1 where name = 'number'");
	const int64_t page = number_in(b->w->dir, "select pageno from dbstat where name = 'message' and pagetype = 'leaf' limit 1 offset 9"),
		      cells = number_in(b->w->dir, "select ncell from dbstat where name = 'message' and pagetype = 'leaf' limit 1 offset 9");
	const struct env_ops *ops = b->w->env->ops;
	struct env_ops bad = *ops;
	real_read = ops->file_read;
	bad.file_read = read_but_one;
	bad_sector = (uint64_t)(page - 1) * 8192 + 1000;
	b->w->env->ops = &bad;
	const enum store_check_end end = try_repair(b);
	b->w->env->ops = ops;
	assert_int_equal(end, STORE_CHECK_DONE);
	must_say(b, "the disk cannot read it");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 500 - cells);
}

static void test_the_database_is_gone(void **state)
{
	struct bed *b = *state;
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	world_commit(b->w);
	store_close(&b->w->store);
	assert_int_equal(unlink(b->w->path), 0);
	repair(b, "is not there");
	must_say(b, "belongs to a message of the database that is not there");
	char path[DAMAGE_PATH + 60];
	snprintf(path, sizeof path, "%s/removed/index.jsonl", b->to);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(number_in(b->to, "select count(*) from message"), 0);
	char content[700];
	assert_true(content_name(b->w->dir, 0, content));
	assert_int_equal(unlink(content), 0);
	folder_remove(b->to);
	assert_int_equal(check_at(b, b->w->dir), STORE_CHECK_NONE);
	assert_int_equal(try_repair(b), STORE_CHECK_NONE);
}

static void test_an_empty_database_file(void **state)
{
	struct bed *b = *state;
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	world_commit(b->w);
	store_close(&b->w->store);
	assert_int_equal(truncate(b->w->path, 0), 0);
	repair(b, "its file is empty");
	assert_int_equal(number_in(b->to, "select count(*) from message"), 0);
}

/* --- the copy --- */
static void test_a_running_store_is_left_alone(void **state)
{
	struct bed *b = *state;
	put(b, 1, 1, 1, 100);
	world_commit(b->w);
	assert_int_equal(check_at(b, b->w->dir), STORE_CHECK_IN_USE);
	assert_int_equal(try_repair(b), STORE_CHECK_IN_USE);
	assert_int_not_equal(access(b->to, F_OK), 0);
}

static void test_a_folder_that_is_used_is_left_alone(void **state)
{
	struct bed *b = *state;
	char path[DAMAGE_PATH + 20];
	put(b, 1, 1, 1, 100);
	world_commit(b->w);
	store_close(&b->w->store);
	assert_int_equal(mkdir(b->to, 0700), 0);
	snprintf(path, sizeof path, "%s/letter", b->to);
	assert_true(folder_write_file(path, VIEW("dear"), &b->e));
	assert_int_equal(try_repair(b), STORE_CHECK_COPY);
	assert_int_equal(access(path, F_OK), 0);
}

/* The n-th pass of each point fails, n = 1, 2 ...: the copy is taken away, the original is as it was. */
static void test_failures_while_the_copy_is_made(void **state)
{
	struct bed *b = *state;
	static const char *const points[] = {"FOLDER_MAKE", "FOLDER_SHARE", "FOLDER_WRITE", "FOLDER_RENAME", "FOLDER_SYNC",
					     "REPAIR_WRITE", "CONTENT_OPEN", "CONTENT_WRITE"};
	char path[700];
	for (uint64_t i = 0; i < 4; i++)
		put(b, i, 3, 2, i < 2 ? TEST_INLINE_MAX + 100 : 500);
	steps(b, 20);
	close_and(b, "update transfer set size = 1 where id % 2 = 0; delete from transfer where id % 5 = 0");
	damage(b->w, "delete from step_key; update step set key = 1 where seq = 3; update counter set value = 5 where name = 'indexed'");
	assert_true(content_name(b->w->dir, 0, path));
	assert_int_equal(truncate(path, TEST_INLINE_MAX + 200), 0);
	const uint64_t hash = hash_folder(b->w->dir);
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		unsigned n = 1, failed = 0;
		for (bool done = false; !done; n += points[i][0] == 'R' ? 3 : 1) {
			char plan[60];
			snprintf(plan, sizeof plan, "%s:%u:fail", points[i], n);
			assert_true(fault_plan(plan, NULL));
			done = try_repair(b) == STORE_CHECK_DONE;
			assert_true(fault_plan(NULL, NULL));
			failed += !done;
			if (!done)
				assert_int_not_equal(access(b->to, F_OK), 0);
			folder_remove(b->to);
			assert_int_equal(hash_folder(b->w->dir), hash);
			assert_true(n < 500);
		}
		assert_true(failed > 0);
	}
}

/* A real limit on what may be written: as a disk that is full. */
static void test_full_disk_leaves_the_original(void **state)
{
	struct bed *b = *state;
	fill(b, 300);
	close_and(b, "delete from transfer where id % 2 = 0");
	const uint64_t hash = hash_folder(b->w->dir);
	struct rlimit was, limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_IGN);
	limit = (struct rlimit){60000, was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	const enum store_check_end end = try_repair(b);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(end, STORE_CHECK_COPY);
	assert_int_not_equal(access(b->to, F_OK), 0);
	assert_int_equal(hash_folder(b->w->dir), hash);
	assert_int_equal(try_repair(b), STORE_CHECK_DONE);
}

/* A file that is linked into the copy is still the original's: removing one leaves the other. */
static void test_content_is_shared_safely(void **state)
{
	struct bed *b = *state;
	char a[700], c[700];
	put(b, 1, 1, 1, TEST_INLINE_MAX + 100);
	close_and(b, "update message set parts = 3");
	repair(b, NULL);
	assert_true(content_name(b->w->dir, 0, a));
	assert_true(content_name(b->to, 0, c));
	assert_int_equal(unlink(c), 0);
	uint64_t size;
	assert_true(folder_file_size(a, &size));
	assert_int_equal(size, TEST_INLINE_MAX + 100);
}

static void test_32000_recipients(void **state)
{
	struct bed *b = *state;
	struct arena *small = b->w->arena;
	b->w->arena = arena_new(1 << 30);
	put(b, 1, 32000, 1, 100);
	arena_free(&b->w->arena);
	b->w->arena = small;
	close_and(b, "delete from transfer");
	repair(b, "neither a place");
	assert_int_equal(number_in(b->to, "select recipients from transfer"), 32000);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_k182085_k274285_k249895_core_data_made_anew),
		TEST(test_k184481_a_queue_is_missing),
		TEST(test_k161949_what_was_deleted_is_not_revived),
		TEST(test_k161949_a_transfer_without_message_is_kept_aside),
		TEST(test_k271600_ids_are_no_reason_to_delete),
		TEST(test_k271600_an_id_beyond_reason_gets_another),
		TEST(test_k262865_what_is_set_aside_is_not_replayed),
		TEST(test_k174600_other_versions_are_refused_and_named),
		TEST(test_k174600_version_1_is_known),
		TEST(test_k174600_version_2_is_known),
		TEST(test_k174600_version_3_is_known),
		TEST(test_rows_of_an_older_version_are_salvaged),
		TEST(test_partial_transfers_are_set_aside),
		TEST(test_k157702_counts_are_checked),
		TEST(test_lost_transfers_are_made_anew),
		TEST(test_lost_transfers_of_several_queues_wait_to_be_moved),
		TEST(test_a_transfer_finds_its_message_again),
		TEST(test_a_lost_mailbox_entry_is_in_quarantine),
		TEST(test_a_message_of_which_all_is_over_is_kept_aside),
		TEST(test_an_envelope_that_cannot_be_read),
		TEST(test_recipients_that_cannot_be_read),
		TEST(test_content_of_another_length),
		TEST(test_two_messages_with_one_content_file),
		TEST(test_the_root_of_a_table_is_gone),
		TEST(test_a_leaf_costs_its_own_rows),
		TEST(test_a_sector_that_the_disk_cannot_read),
		TEST(test_the_database_is_gone),
		TEST(test_an_empty_database_file),
		TEST(test_a_running_store_is_left_alone),
		TEST(test_a_folder_that_is_used_is_left_alone),
		TEST(test_failures_while_the_copy_is_made),
		TEST(test_full_disk_leaves_the_original),
		TEST(test_content_is_shared_safely),
		TEST(test_32000_recipients),
	};
	return cmocka_run_group_tests_name("check and repair", tests, NULL, NULL);
}
