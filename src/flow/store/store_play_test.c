/* store_play_test.c - random operations on both stores hold the same, whatever fails or is killed,
 * and the checker agrees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/store_play.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#ifdef __SANITIZE_ADDRESS__
enum { SEEDS = 20, CRASH_GROUPS = 12, EVERY_UP_TO = 4, STRIDE = 3 /* of a pass, later */ };
#else
enum { SEEDS = 20, CRASH_GROUPS = 12, EVERY_UP_TO = 12, STRIDE = 6 };
#endif

static struct player *player_new(bool sqlite)
{
	struct player *y = mem_zero(sizeof *y);
	y->w = world_new(sqlite);
	world_open(y->w);
	return y;
}

static void player_free(struct player **y)
{
	world_free(&(*y)->w);
	MEM_FREE(*y);
}

static void test_both_stores_hold_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct play *p = play_new(seed, 20, 1 + seed * 2, true);
		struct player *a = player_new(false), *b = player_new(true);
		struct dice d = {seed, NULL};
		size_t group = 0;
		for (size_t i = 0; i < p->n; i++) {
			play_op(a, &p->ops[i]);
			play_op(b, &p->ops[i]);
			group += p->ops[i].kind == PLAY_COMMIT;
			const size_t chance = dice_below(&d, 60);
			if (chance < 2)
				same_stores(a, b); /* in the middle of a group */
			if (chance == 2) {
				world_reopen(a->w); /* the group is lost in both */
				world_reopen(b->w);
			}
		}
		assert_int_equal(group, 20);
		same_stores(a, b);
		store_close(&b->w->store);
		check_whole(b->w);
		player_free(&a);
		player_free(&b);
		free(p);
	}
}

/* --- killed --- */
/* What the parent shares with the child that is to die. */
struct shared {
	uint64_t told; /* groups told durable */
};

static struct shared *shared;

static void count_told(struct world *w)
{
	shared->told++;
	w->on_durable = count_told;
}

/* Plays with that fault plan in a child. True: it was killed; false: it came to its end. */
static bool play_in_child(struct player *y, const struct play *p, const char *plan)
{
	shared->told = 0;
	fflush(NULL);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct world *w = y->w;
		w->env = loop_new(w->dir); /* the parent's loop is the parent's */
		world_open(w);
		if (!fault_plan(plan, NULL))
			_exit(9);
		w->on_durable = count_told;
		play_groups(y, p, 0, p->groups);
		_exit(w->n_failed == 0 ? 0 : 7);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return false;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	return true;
}

/* A store that played the first n groups in memory. */
static struct player *played(const struct play *p, size_t n)
{
	struct player *y = player_new(false);
	play_groups(y, p, 0, n);
	return y;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	return (h ^ x) * UINT64_C(0x100000001b3);
}

static uint64_t mix_text(uint64_t h, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		h = mix(h, v.p[i]);
	return mix(h, v.n);
}

/* What became of a thing that was put, and how it stands. */
static uint64_t mix_part(uint64_t h, struct player *y, uint64_t id)
{
	struct store_queued row;
	struct store_quarantine z;
	struct view queue;
	arena_reset(y->w->arena);
	if (store_find_transfer(y->w->store, id, &row, &queue))
		return mix(mix(mix_text(h, queue), (uint64_t)row.next_ms), row.attempts);
	if (store_load_quarantine(y->w->store, id, &z, y->w->arena, NULL))
		return mix(mix_text(mix_text(mix(h, z.strikes), z.words), z.cause), z.state + 1);
	return mix(h, 1);
}

/* Two groups rarely leave the same. */
static uint64_t fingerprint(struct player *y)
{
	const struct store_counts c = counts_of(y->w);
	struct suspects_seen seen = {{0}};
	uint64_t h = mix_text(1, view_of(&c, sizeof c));
	store_suspects(y->w->store, suspect_seen, &seen);
	h = mix_text(h, view_str(seen.text));
	for (uint32_t i = 0; i < y->n_transfers; i++)
		h = mix_part(h, y, y->transfers[i]);
	for (uint32_t i = 0; i < y->n_octets; i++)
		h = mix_part(h, y, y->octets[i]);
	arena_reset(y->w->arena);
	for (uint64_t seed = 0; seed < PLAY_STEPS; seed++) {
		const struct mts_id id = play_step_id(y->w, seed);
		h = mix(h, store_seen(y->w->store, &id, (uint64_t[]){seed, ~seed}));
	}
	return h;
}

static bool holds(struct player *y, const struct play *p, size_t n)
{
	struct player *want = played(p, n);
	const bool same = fingerprint(y) == fingerprint(want);
	player_free(&want);
	return same;
}

/* The ids that a killed child gave, by giving them again: the same operations on a new store give
 * the same ids. */
static void learn_ids(struct player *y, const struct play *p, size_t n)
{
	struct player *again = player_new(true);
	play_groups(again, p, 0, n);
	struct world *w = y->w;
	const uint64_t number = y->number;
	*y = *again;
	y->w = w;
	y->number = number;
	player_free(&again);
}

/* After the kill: what was told is there, nothing is there by half, and what remains can be played
 * to the end. */
static void check_after_kill(struct player *y, const struct play *p, const char *plan)
{
	struct world *w = y->w;
	world_open(w);
	store_close(&w->store); /* opening recovers; then it must be whole */
	check_whole(w);
	world_open(w);
	size_t n = shared->told;
	learn_ids(y, p, n);
	if (!holds(y, p, n))
		learn_ids(y, p, ++n); /* committed, and killed before it was told */
	if (n > p->groups || !holds(y, p, n))
		fail_msg("%s: after %zu groups told, the store holds neither these nor one more",
			 plan, (size_t)shared->told);
	struct player *want = played(p, n);
	same_stores(want, y);
	play_groups(want, p, n, p->groups);
	play_groups(y, p, n, p->groups);
	same_stores(want, y);
	player_free(&want);
	store_close(&w->store);
	check_whole(w);
}

/* n = 1, 2, 3 ..., and larger steps later, until the child lives to its end. */
static void kill_at_every(const char *point, uint64_t seed, unsigned at_least)
{
	struct play *p = play_new(seed, CRASH_GROUPS, 8, true);
	unsigned kills = 0;
	for (unsigned n = 1;; n += n < EVERY_UP_TO ? 1 : (n + STRIDE - 1) / STRIDE) {
		char plan[64];
		snprintf(plan, sizeof plan, "%s:%u:kill", point, n);
		struct player *y = mem_zero(sizeof *y);
		y->w = world_new(true);
		const bool killed = play_in_child(y, p, plan);
		if (killed)
			check_after_kill(y, p, plan);
		kills += killed;
		player_free(&y);
		if (!killed)
			break;
	}
	assert_true(kills >= at_least * STRIDE / 6); /* wider strides, fewer */
	free(p);
}

static void test_killed_at_store_begin(void **state)
{
	(void)state;
	kill_at_every("STORE_BEGIN", 1, CRASH_GROUPS);
}
static void test_killed_at_store_write(void **state)
{
	(void)state;
	kill_at_every("STORE_WRITE", 2, 20);
}
static void test_killed_at_store_commit(void **state)
{
	(void)state;
	kill_at_every("STORE_COMMIT", 3, CRASH_GROUPS);
}
static void test_killed_at_store_committed(void **state)
{
	(void)state;
	kill_at_every("STORE_COMMITTED", 4, CRASH_GROUPS);
}
static void test_killed_at_content_open(void **state)
{
	(void)state;
	kill_at_every("CONTENT_OPEN", 5, 2);
}
static void test_killed_at_content_write(void **state)
{
	(void)state;
	kill_at_every("CONTENT_WRITE", 5, 10);
}
static void test_killed_at_content_sync(void **state)
{
	(void)state;
	kill_at_every("CONTENT_SYNC", 5, 2);
}

/* --- failed, and full --- */
static void test_failure_anywhere_loses_only_the_open_group(void **state)
{
	(void)state;
	static const char *const points[] = {"STORE_BEGIN", "STORE_WRITE", "STORE_COMMIT",
					     "STORE_COMMITTED"};
	struct play *p = play_new(6, CRASH_GROUPS, 6, false);
	for (size_t k = 0; k < ARRAY_LEN(points); k++)
		for (unsigned n = 1; n < 60; n += n < EVERY_UP_TO * 2 / 3 ? 1 : 9) {
			char plan[64];
			snprintf(plan, sizeof plan, "%s:%u:fail", points[k], n);
			struct player *y = player_new(true);
			assert_true(fault_plan(plan, NULL));
			play_groups(y, p, 0, p->groups);
			assert_true(fault_plan(NULL, NULL));
			if (y->w->n_failed > 0) {
				assert_int_equal(y->w->n_failed, 1);
				assert_int_equal(y->w->why.kind, ERR_LOCAL);
				shared->told = y->w->n_durable;
				y->w->n_failed = 0;
				store_close(&y->w->store);
				check_after_kill(y, p, plan);
			}
			player_free(&y);
		}
	free(p);
}

/* The disk is full now and then: nothing is lost, and reads do not see the difference. */
static void test_full_disk_loses_nothing(void **state)
{
	(void)state;
	struct play *p = play_new(7, 20, 10, false);
	struct player *a = player_new(false), *b = player_new(true);
	for (size_t i = 0; i < p->n; i++) {
		if (p->ops[i].kind == PLAY_COMMIT) {
			assert_true(fault_plan("STORE_FULL:1:fail", NULL));
			store_commit(b->w->store);
			assert_true(fault_plan(NULL, NULL));
			assert_true(b->w->full);
			same_stores(a, b);
			if (i % 3 == 0)
				continue; /* what comes joins the same group */
		}
		play_op(a, &p->ops[i]);
		play_op(b, &p->ops[i]);
		if (p->ops[i].kind == PLAY_COMMIT)
			assert_false(b->w->full);
	}
	play_op(a, &(struct play_op){.kind = PLAY_COMMIT});
	play_op(b, &(struct play_op){.kind = PLAY_COMMIT});
	world_reopen(b->w);
	same_stores(a, b);
	store_close(&b->w->store);
	check_whole(b->w);
	player_free(&a);
	player_free(&b);
	free(p);
}

/* --- the checker itself: what is not whole is found --- */
static void remember(void *ctx, const char *sentence)
{
	snprintf(ctx, 400, "%s", sentence);
}

static void test_checker_finds_what_is_not_whole(void **state)
{
	(void)state;
	static const char *const damages[][2] = {
		{"delete from transfer", "no reason to exist"},
		{"delete from message", "does not exist"},
		{"delete from queue", "waits in queue"},
		{"update transfer set size = size + 1", "says other"},
		{"update transfer set alone = 1 - alone", "parts"},
		{"update share set remaining = 9", "left"},
		{"delete from share", "no count"},
		{"insert into outcome select 999999, 5, 2", "outcome"},
		{"insert into outcome select message, id, 2 from transfer", "has an outcome"},
		{"update message set content = null", "nowhere"},
		{"update message set content = x'00' where content is not null",
		 "octets of content"},
		{"update message set file = 77 where file is not null", "content"},
		{"update counter set value = 1 where name = 'id'", "counter"},
		{"update message set recipients = x'0100'", "cannot be read"},
		{"update message set envelope = x'00'", "envelope"},
		{"delete from transfer where alone = 0 and id = (select max(id) from transfer "
		 "where alone = 0)",
		 ""},
		{"update transfer set recipients = recipients + 1", "recipients"},
		{"delete from step_key where seq = 100", "not in the index"},
		{"delete from quarantine", "no reason to exist"},
		{"delete from message where id in (select message from quarantine)",
		 "does not exist"},
		{"update quarantine set size = size + 1", "says other"},
		{"update quarantine set octets = 1 - octets", "says other"},
		{"update quarantine set alone = 1 - alone", "parts"},
		{"update quarantine set state = 2", "is in state"},
		{"update quarantine set state = 1 where not octets", "is in state"},
		{"update quarantine set recipients = recipients + 1 where not octets",
		 "recipients"},
		{"update message set envelope = x'00' where kind = 3", "has an envelope"},
		{"insert into transfer select id, message, 1, priority, 0, 0, alone, recipients, "
		 "arrived, expires, size, null, '' from quarantine",
		 "waits and is in quarantine"},
		{"insert into outcome select message, id, 3 from quarantine where not octets",
		 "has an outcome"},
		{"insert into suspect values ('message 1', 0, 5, '')", "has no strike"},
	};
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct player *y = player_new(true);
		do_put(y, &(struct play_op){.seed = 1, .n_rcpt = 1, .n_transfers = 1, .size = 100});
		do_put(y, &(struct play_op){.seed = 2,
					    .n_rcpt = 4,
					    .n_transfers = 2,
					    .n_deliveries = 1,
					    .size = 100});
		do_put(y, &(struct play_op){.seed = 3,
					    .n_rcpt = 1,
					    .n_transfers = 1,
					    .size = TEST_INLINE_MAX + 100});
		do_put(y, &(struct play_op){.seed = 4,
					    .n_rcpt = 4,
					    .n_transfers = 2,
					    .n_deliveries = 1,
					    .size = 100});
		store_transfer_quarantine(y->w->store, y->transfers[y->n_transfers - 1], 3, "c",
					  "w");
		do_octets(y, &(struct play_op){.seed = 5, .size = 100});
		store_suspect_put(y->w->store, "message 9", 1, "SIGSEGV");
		const uint64_t steps = strstr(damages[i][0], "step_key") == NULL ? 100 : 7500; /* so many have an index */
		for (uint64_t k = 0; k < steps; k++) {
			arena_reset(y->w->arena);
			do_step(y, k);
		}
		world_commit(y->w);
		store_close(&y->w->store);
		check_whole(y->w);
		damage(y->w, damages[i][0]);
		char last[400] = "";
		struct store_check_result result;
		assert_true(
			store_check(y->w->env, "store.db", remember, last, &result, &y->w->why));
		if (result.found == 0)
			fail_msg("not found: %s", damages[i][0]);
		player_free(&y);
	}
}

static void test_checker_finds_content_files_astray(void **state)
{
	(void)state;
	struct player *y = player_new(true);
	do_put(y, &(struct play_op){
			  .seed = 3, .n_rcpt = 1, .n_transfers = 1, .size = TEST_INLINE_MAX + 100});
	world_commit(y->w);
	struct store_check_result result;
	char last[400] = "", path[200];
	assert_false(store_check(y->w->env, "store.db", remember, last, &result,
				 &y->w->why)); /* it runs */
	assert_non_null(strstr(y->w->why.text, "in use"));
	store_close(&y->w->store);
	check_whole(y->w);
	snprintf(path, sizeof path, "%s/content/00000000000000ff", y->w->dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_true(store_check(y->w->env, "store.db", remember, last, &result, &y->w->why));
	assert_int_equal(result.found, 1);
	assert_non_null(strstr(last, "belongs to no message"));
	world_open(y->w); /* swept */
	store_close(&y->w->store);
	check_whole(y->w);
	damage(y->w, "update message set size = size + 1");
	assert_true(store_check(y->w->env, "store.db", remember, last, &result, &y->w->why));
	assert_true(result.found >= 1);
	player_free(&y);
}

int main(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_stores_hold_the_same),
		cmocka_unit_test(test_killed_at_store_begin),
		cmocka_unit_test(test_killed_at_store_write),
		cmocka_unit_test(test_killed_at_store_commit),
		cmocka_unit_test(test_killed_at_store_committed),
		cmocka_unit_test(test_killed_at_content_open),
		cmocka_unit_test(test_killed_at_content_write),
		cmocka_unit_test(test_killed_at_content_sync),
		cmocka_unit_test(test_failure_anywhere_loses_only_the_open_group),
		cmocka_unit_test(test_full_disk_loses_nothing),
		cmocka_unit_test(test_checker_finds_what_is_not_whole),
		cmocka_unit_test(test_checker_finds_content_files_astray),
	};
	return cmocka_run_group_tests_name("stores played", tests, NULL, NULL);
}
