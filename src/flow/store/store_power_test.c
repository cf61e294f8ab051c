/* store_power_test.c - the store on a disk that loses its power: whatever call that happens at, what was told durable is there,
 * nothing is there by half, nothing that was over comes back.
 *
 *   store_power_test                              a share, bounded; what `make test` runs
 *   store_power_test --messages N [--seed S]      until N messages were put; prints the figures, and N passed, N failed
 *
 * Random operations are played on SQLite on a simulated disk and on a store in memory. Each death takes both: the memory store
 * has then what was told durable, and the group whose fate nobody knew is played on it when SQLite has kept it. After each
 * the two hold the same, and the next operations go on with the same store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/disk_testing.h"
#include "flow/store/store_play.h"

#include <fcntl.h>
#include <sys/wait.h>

enum { GROUPS = 3, MOST_OPS = 14, CROWD = 60, CALLS_TO_DEATH = 400, REPLAY_OPS = 256,
       LIVES = 8, DEATHS = 40, EACH_UP_TO = 12 };

/* What a player knew when the open group began. */
struct mark {
	uint32_t n_transfers, n_deliveries, n_messages, n_octets;
	uint64_t group;
};

struct figures {
	uint64_t lives, cuts, kills, ends, in_doubt, kept, cuts_opening, checks, fulls, messages, groups, calls;
};

struct life {
	uint64_t seed;
	struct dice d;
	struct disk *disk;
	struct player a, b; /* memory, SQLite */
	struct mark mark_a, mark_b;
	struct play_op since[REPLAY_OPS]; /* played since the last group told durable */
	size_t n_since;
	bool unsure; /* a commit was tried */
	uint64_t group; /* number of the open one: its own step says so */
	struct figures f;
};

/* --- a life's two stores --- */
static void world_on_disk(struct world *w, struct disk *d)
{
	w->sqlite = d != NULL;
	w->env = d == NULL ? w->env : disk_env_new(d);
	w->turn = disk_env_turn;
	w->disk = store_disk_new();
	w->arena = arena_new(TEST_ARENA);
	snprintf(w->path, sizeof w->path, "%s/store.db", w->env->directory);
}

static struct life *life_new(uint64_t seed)
{
	struct life *l = mem_zero(sizeof *l);
	l->seed = seed;
	l->d = (struct dice){seed, NULL};
	char directory[40]; /* of its own: a test that failed leaves its disk */
	snprintf(directory, sizeof directory, "/disk-%p", (void *)l);
	l->disk = disk_new(directory, seed * 7 + 1);
	l->a.w = mem_zero(sizeof *l->a.w);
	l->b.w = mem_zero(sizeof *l->b.w);
	world_on_disk(l->b.w, l->disk);
	l->a.w->env = l->b.w->env; /* the same clock */
	world_on_disk(l->a.w, NULL);
	l->a.may_refuse = l->b.may_refuse = true;
	l->f.lives = 1;
	return l;
}

static void life_free(struct life **lp)
{
	struct life *l = *lp;
	struct player *const players[] = {&l->a, &l->b};
	for (size_t i = 0; i < 2; i++) {
		store_close(&players[i]->w->store);
		store_disk_free(&players[i]->w->disk);
		arena_free(&players[i]->w->arena);
	}
	disk_env_free(&l->b.w->env);
	disk_free(&l->disk);
	MEM_FREE(l->a.w);
	MEM_FREE(l->b.w);
	MEM_FREE(*lp);
}

static struct mark mark_of(const struct life *l, const struct player *y)
{
	return (struct mark){y->n_transfers, y->n_deliveries, y->n_messages, y->n_octets, l->group};
}

static void back_to(struct player *y, const struct mark *m)
{
	y->n_transfers = m->n_transfers;
	y->n_deliveries = m->n_deliveries;
	y->n_messages = m->n_messages;
	y->n_octets = m->n_octets;
}

/* --- operations --- */
static struct mts_id group_id(uint64_t group, char buf[32])
{
	const int n = snprintf(buf, 32, "group-%llu", (unsigned long long)group);
	return (struct mts_id){.domain.country = {ORA_PRINTABLE, VIEW("AQ")}, .local = view_of(buf, (size_t)n)};
}

static void put_group_step(struct player *y, uint64_t group)
{
	char buf[32];
	const struct mts_id id = group_id(group, buf);
	const struct store_step step = {.kind = STEP_SUBMITTED, .id = &id, .digest = {group, 1}};
	store_put_step(y->w->store, &step);
}

static bool has_group_step(struct player *y, uint64_t group)
{
	char buf[32];
	const struct mts_id id = group_id(group, buf);
	return store_seen(y->w->store, &id, (uint64_t[]){group, 1});
}

static bool is_over(const struct life *l)
{
	return disk_is_dead(l->disk) || l->b.w->n_failed > 0 || l->b.w->store == NULL;
}

static void told_durable(struct life *l)
{
	play_op(&l->a, &(struct play_op){.kind = PLAY_COMMIT});
	l->n_since = 0;
	l->unsure = false;
	l->group++;
	l->f.groups++;
	l->mark_a = mark_of(l, &l->a);
	l->mark_b = mark_of(l, &l->b);
}

/* A disk that was full once may have room the next time. */
static void commit(struct life *l)
{
	const unsigned told = l->b.w->n_durable;
	put_group_step(&l->b, l->group);
	put_group_step(&l->a, l->group);
	for (unsigned tries = 0; tries < 2 && !is_over(l) && l->b.w->n_durable == told; tries++) {
		l->unsure = true;
		l->f.fulls += tries > 0;
		store_commit(l->b.w->store);
	}
	if (l->b.w->n_durable > told)
		told_durable(l);
}

/* On SQLite first, because its disk may refuse. */
static void do_op(struct life *l, const struct play_op *op)
{
	const unsigned refused = l->b.n_refused;
	if (op->kind == PLAY_COMMIT) {
		commit(l);
		return;
	}
	assert_true(l->n_since < REPLAY_OPS);
	play_op(&l->b, op);
	if (l->b.n_refused > refused)
		return;
	l->since[l->n_since++] = *op;
	play_op(&l->a, op);
	l->f.messages += op->kind == PLAY_PUT;
}

/* --- what both must agree on --- */
static void keep_message(struct player *y, bool *keep, uint64_t id)
{
	keep[place_in(y->messages, y->n_messages, id)] = true;
}

static uint32_t squeeze(uint64_t *a, uint64_t *b, uint64_t *more_a, uint64_t *more_b, const bool *keep, uint32_t n)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!keep[i])
			continue;
		a[kept] = a[i];
		b[kept] = b[i];
		if (more_a != NULL)
			more_a[kept] = more_a[i];
		if (more_b != NULL)
			more_b[kept] = more_b[i];
		kept++;
	}
	return kept;
}

/* Forgets what is over in both, so that the tables do not grow without end. */
static void squeeze_tables(struct life *l)
{
	struct player *a = &l->a, *b = &l->b;
	bool transfers[PLAY_THINGS] = {0}, deliveries[PLAY_THINGS] = {0}, messages[PLAY_THINGS] = {0},
	     octets[PLAY_THINGS] = {0};
	struct store_loaded loaded;
	for (uint32_t i = 0; i < a->n_transfers; i++) {
		arena_reset(a->w->arena);
		transfers[i] = store_load_transfer(a->w->store, a->transfers[i], &loaded, a->w->arena, NULL);
		if (transfers[i])
			keep_message(a, messages, loaded.message);
		assert_int_equal(transfers[i],
				 store_load_transfer(b->w->store, b->transfers[i], &loaded, a->w->arena, NULL));
	}
	for (uint32_t i = 0; i < a->n_deliveries; i++) {
		arena_reset(a->w->arena);
		deliveries[i] = store_load_delivery(a->w->store, a->deliveries[i], &loaded, a->w->arena, NULL);
		if (deliveries[i])
			keep_message(a, messages, loaded.message);
	}
	for (uint32_t i = 0; i < a->n_octets; i++) {
		struct store_quarantine z;
		arena_reset(a->w->arena);
		octets[i] = store_load_quarantine(a->w->store, a->octets[i], &z, a->w->arena, NULL);
	}
	a->n_octets = b->n_octets = squeeze(a->octets, b->octets, NULL, NULL, octets, a->n_octets);
	a->n_transfers = b->n_transfers = squeeze(a->transfers, b->transfers, NULL, NULL, transfers, a->n_transfers);
	a->n_deliveries = b->n_deliveries = squeeze(a->deliveries, b->deliveries, NULL, NULL, deliveries, a->n_deliveries);
	a->n_messages = b->n_messages = squeeze(a->messages, b->messages, a->content_seed, b->content_seed, messages, a->n_messages);
	l->mark_a = mark_of(l, a);
	l->mark_b = mark_of(l, b);
}

static void agree(struct life *l)
{
	disk_shield(l->disk, true);
	same_stores(&l->a, &l->b);
	squeeze_tables(l);
	disk_shield(l->disk, false);
}

/* The tables stay: marks of the open group point into them. */
static void agree_in_group(struct life *l)
{
	disk_shield(l->disk, true);
	same_stores(&l->a, &l->b);
	disk_shield(l->disk, false);
}

/* --- death, and what comes after --- */
static void arm(struct life *l, uint64_t calls)
{
	const bool at_sync = dice_below(&l->d, 3) == 0;
	const uint64_t n = 1 + dice_below(&l->d, at_sync ? 1 + calls / 20 : calls);
	static const enum disk_death ways[] = {DISK_CUT_BEFORE, DISK_CUT_AFTER, DISK_CUT_BEFORE, DISK_CUT_AFTER, DISK_KILLED};
	if (at_sync && dice_coin(&l->d))
		disk_die_at(l->disk, DISK_SYNC, n, DISK_KILLED);
	else
		disk_die_at(l->disk, at_sync ? DISK_SYNC : DISK_CALL_KINDS, n, ways[dice_below(&l->d, ARRAY_LEN(ways))]);
}

static void count_death(struct life *l, enum disk_death how)
{
	l->f.cuts += how != DISK_KILLED;
	l->f.kills += how == DISK_KILLED;
}

static void reopen(struct life *l, bool disturbed)
{
	struct world *w = l->b.w;
	for (unsigned tries = 0;; tries++) {
		store_close(&w->store);
		w->n_failed = 0;
		if (disk_is_dead(l->disk)) {
			count_death(l, disk_death_of(l->disk));
			l->f.cuts_opening += tries > 0;
		} else if (tries == 0) {
			l->f.ends++;
		} else {
			fail_msg("seed %llu: cannot be opened: %s", (unsigned long long)l->seed, w->why.text);
		}
		disk_restart(l->disk);
		if (disturbed && tries < 4 && dice_below(&l->d, 4) == 0)
			arm(l, 60);
		w->store = world_try_open(w);
		if (!is_over(l))
			break;
	}
	disk_die_at(l->disk, DISK_CALL_KINDS, 0, DISK_KILLED);
}

/* The group in doubt was kept as a whole, or is gone as a whole; everything before it is there. */
static void settle(struct life *l)
{
	world_reopen(l->a.w);
	back_to(&l->a, &l->mark_a);
	if (l->group > 1 && !has_group_step(&l->b, l->group - 1))
		fail_msg("seed %llu, %llu cuts: group %llu was told durable and is not there", (unsigned long long)l->seed,
			 (unsigned long long)l->f.cuts, (unsigned long long)l->group - 1);
	const bool kept = has_group_step(&l->b, l->group);
	l->f.in_doubt += l->unsure;
	l->f.kept += kept;
	if (kept && !l->unsure)
		fail_msg("seed %llu: a group that was not committed is there", (unsigned long long)l->seed);
	if (!kept)
		back_to(&l->b, &l->mark_b);
	if (kept) {
		for (size_t i = 0; i < l->n_since; i++)
			play_op(&l->a, &l->since[i]);
		put_group_step(&l->a, l->group);
		told_durable(l);
	}
	l->n_since = 0;
	l->unsure = false;
}

static void rise(struct life *l, bool disturbed)
{
	reopen(l, disturbed);
	settle(l);
	const struct store_counts a = counts_of(l->a.w), b = counts_of(l->b.w);
	if (memcmp(&a, &b, sizeof a) != 0)
		fail_msg("seed %llu, %llu cuts: what was told durable is not there, or what was over is", (unsigned long long)l->seed,
			 (unsigned long long)l->f.cuts);
	agree(l);
}

/* --- a life --- */
/* Ends of what has been there longest, so that it does not get crowded. */
static void thin_out(struct life *l)
{
	const struct play_op step = {.kind = PLAY_STEP, .seed = 1}, all = {.kind = PLAY_COMMIT};
	while (l->a.n_transfers + l->a.n_deliveries + l->a.n_octets > CROWD && !is_over(l)) {
		for (uint32_t i = 0; i < 20; i++) {
			do_op(l, &(struct play_op){.kind = PLAY_DISMISS, .which = i, .seed = 3}); /* octets */
			do_op(l, &(struct play_op){.kind = PLAY_DISMISS, .which = i, .seed = 1});
			do_op(l, &(struct play_op){.kind = PLAY_DONE, .which = i});
			do_op(l, &(struct play_op){.kind = PLAY_REMOVE, .which = i});
		}
		do_op(l, &step);
		do_op(l, &all);
		if (!is_over(l))
			agree(l);
	}
}

static void forget_old_steps(struct life *l)
{
	const wall_ms_t now = env_wall_ms(l->b.w->env) + 1;
	l->b.w->env->now_ms += 10;
	while (store_forget_steps(l->b.w->store, now, 0, &(wall_ms_t){0}))
		commit(l);
	while (store_forget_steps(l->a.w->store, now, 0, &(wall_ms_t){0}))
		store_commit(l->a.w->store);
	commit(l);
}

static void close_in_order(struct life *l)
{
	struct world *w = l->b.w;
	store_close(&w->store);
	if (disk_is_dead(l->disk))
		return;
	disk_shield(l->disk, true);
	if (dice_coin(&l->d)) {
		check_whole(w);
		l->f.checks++;
	}
	disk_shield(l->disk, false);
	w->store = world_try_open(w);
}

/* Until it dies once. */
static void live(struct life *l)
{
	arm(l, CALLS_TO_DEATH);
	if (dice_below(&l->d, 8) == 0) /* the disk fails before the power does */
		disk_fail_at(l->disk, dice_coin(&l->d) ? DISK_SYNC : DISK_WRITE, 1 + dice_below(&l->d, 12),
			     dice_coin(&l->d) ? DISK_EIO : DISK_SHORT);
	while (!is_over(l)) {
		struct play *p = play_new(l->seed + dice_next(&l->d) % 1000000, GROUPS, MOST_OPS, true);
		for (size_t i = 0; i < p->n && !is_over(l); i++)
			do_op(l, &p->ops[i]);
		free(p);
		disk_env_turn(l->b.w->env);
		if (!is_over(l))
			agree(l);
		if (!is_over(l))
			thin_out(l);
		if (!is_over(l) && dice_below(&l->d, 4) == 0)
			close_in_order(l);
	}
	rise(l, true);
}

static struct life *life_begin(uint64_t seed)
{
	struct life *l = life_new(seed);
	l->group = 1;
	world_open(l->a.w);
	world_open(l->b.w);
	return l;
}

static void add(struct figures *sum, const struct life *l)
{
	sum->lives += l->f.lives;
	sum->cuts += l->f.cuts;
	sum->kills += l->f.kills;
	sum->ends += l->f.ends;
	sum->in_doubt += l->f.in_doubt;
	sum->kept += l->f.kept;
	sum->cuts_opening += l->f.cuts_opening;
	sum->checks += l->f.checks;
	sum->fulls += l->f.fulls;
	sum->messages += l->f.messages;
	sum->groups += l->f.groups;
	sum->calls += disk_calls_all(l->disk);
}

/* A store, from its making on, through that many deaths. drop: planted, every so many syncs does nothing. */
static void one_life(uint64_t seed, unsigned deaths, uint64_t drop, struct figures *sum)
{
	struct life *l = life_begin(seed);
	disk_drop_syncs(l->disk, drop);
	for (unsigned i = 0; i < deaths; i++) {
		live(l);
		if (i % 4 == 3)
			forget_old_steps(l);
	}
	store_close(&l->b.w->store);
	check_whole(l->b.w);
	add(sum, l);
	life_free(&l);
}

static void print_figures(const struct figures *f)
{
	printf("%llu power cuts (%llu of them while opening again), %llu kills, %llu ends of a store, in %llu lives: %llu messages "
	       "put, %llu groups told durable, %llu in doubt of which %llu were kept, %llu calls of the disk, %llu checks\n",
	       (unsigned long long)f->cuts, (unsigned long long)f->cuts_opening, (unsigned long long)f->kills,
	       (unsigned long long)f->ends, (unsigned long long)f->lives, (unsigned long long)f->messages,
	       (unsigned long long)f->groups, (unsigned long long)f->in_doubt, (unsigned long long)f->kept,
	       (unsigned long long)f->calls, (unsigned long long)f->checks);
}

static void test_op_01_k238189_k198958_k244144_power_cuts(void **state)
{
	(void)state;
	struct figures f = {0};
	for (uint64_t seed = 1; seed <= LIVES; seed++)
		one_life(seed, DEATHS, 0, &f);
	print_figures(&f);
	assert_true(f.cuts >= LIVES * DEATHS / 2);
	assert_true(f.kills > 0 && f.ends > 0 && f.cuts_opening > 0 && f.in_doubt > f.kept && f.kept > 0);
}

/* --- planted: syncs that do nothing --- */
static void test_op_01_dropped_syncs_are_found(void **state)
{
	(void)state;
	static const char *const every[] = {"1", "5", "30"};
	for (size_t i = 0; i < ARRAY_LEN(every); i++) {
		fflush(NULL);
		const pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			const int nowhere = open("/dev/null", O_WRONLY);
			dup2(nowhere, 1);
			dup2(nowhere, 2);
			execl("/proc/self/exe", "store_power_test", "--messages", "4000", "--drop", every[i], (char *)NULL);
			_exit(77);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) || WIFSIGNALED(status));
		if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77))
			fail_msg("each %sth sync did nothing, and nobody saw it", every[i]);
	}
}

/* --- each kind of failure, at each call --- */
struct outcome {
	uint64_t runs, refused, fulls, failed, unopened;
};

static void assert_loud(const struct life *l, enum disk_fault fault)
{
	const struct world *w = l->b.w;
	assert_true(w->n_failed <= 1); /* once */
	assert_true(w->why.text[0] != 0);
	if (w->store == NULL && fault == DISK_ENOSPC)
		assert_true(w->why.kind == ERR_TEMP || w->why.kind == ERR_LOCAL); /* a sync may not say what it failed of */
	else
		assert_int_equal(w->why.kind, ERR_LOCAL);
}

/* After the failure as before it, to the end; then the power goes too. */
static void play_with_failure(struct life *l, const struct play *p, enum disk_fault fault, struct outcome *o)
{
	size_t commits = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (is_over(l)) {
			assert_loud(l, fault);
			o->failed += l->b.w->store != NULL;
			o->unopened += l->b.w->store == NULL;
			rise(l, false);
		}
		do_op(l, &p->ops[i]);
		if (p->ops[i].kind == PLAY_COMMIT && ++commits == p->groups / 2 && !is_over(l)) {
			store_close(&l->b.w->store);
			l->b.w->store = world_try_open(l->b.w);
		}
	}
	if (!is_over(l))
		disk_die(l->disk, DISK_CUT_BEFORE);
	else
		o->failed++;
	rise(l, false);
	disk_die(l->disk, DISK_CUT_BEFORE); /* what was mended is durable too */
	rise(l, false);
	store_close(&l->b.w->store);
	check_whole(l->b.w);
}

/* False: the run was over before the n-th call. */
static bool fails_once(enum disk_call kind, uint64_t n, enum disk_fault fault, const struct play *p, struct outcome *o)
{
	struct life *l = life_new(n * 31 + kind);
	l->group = 1;
	world_open(l->a.w);
	disk_fail_at(l->disk, kind, n, fault);
	l->b.w->store = world_try_open(l->b.w);
	play_with_failure(l, p, fault, o);
	const bool fired = disk_faults(l->disk) > 0;
	o->runs += fired;
	o->refused += l->b.n_refused;
	o->fulls += l->f.fulls;
	life_free(&l);
	return fired;
}

static void fail_at_every(enum disk_call kind, enum disk_fault fault, uint64_t each_up_to)
{
	static const char *const names[] = {"EIO", "EIO after a part", "ENOSPC"};
	struct outcome o = {0};
	struct play *p = play_new(9 + kind, 8, 8, true);
	uint64_t n = 1;
	for (; fails_once(kind, n, fault, p, &o); n += n < each_up_to ? 1 : n / 6 + 1)
		;
	free(p);
	printf("%s of %s: %llu runs up to call %llu: %llu contents refused, %llu times full, %llu ends, %llu not opened\n",
	       names[fault], disk_call_name(kind), (unsigned long long)o.runs, (unsigned long long)n,
	       (unsigned long long)o.refused, (unsigned long long)o.fulls, (unsigned long long)o.failed,
	       (unsigned long long)o.unopened);
	assert_true(o.runs > 0);
	assert_true(o.failed + o.unopened + o.refused + o.fulls > 0 || kind == DISK_DELETE);
}

static void fail_everywhere(uint64_t each_up_to)
{
	static const struct {
		enum disk_call kind;
		enum disk_fault fault;
	} rows[] = {{DISK_OPEN, DISK_EIO},   {DISK_OPEN, DISK_ENOSPC},	{DISK_READ, DISK_EIO},	 {DISK_WRITE, DISK_EIO},
		    {DISK_WRITE, DISK_SHORT}, {DISK_WRITE, DISK_ENOSPC}, {DISK_SYNC, DISK_EIO},	 {DISK_SYNC, DISK_ENOSPC},
		    {DISK_DELETE, DISK_EIO}, {DISK_MAP, DISK_EIO},	{DISK_MAP, DISK_ENOSPC}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fail_at_every(rows[i].kind, rows[i].fault, each_up_to);
}

static void test_op_01_each_call_fails_in_each_way(void **state)
{
	(void)state;
	fail_everywhere(EACH_UP_TO);
}

/* --- full --- */
static void play_and_agree(struct life *l, uint64_t seed, size_t groups)
{
	struct play *p = play_new(seed, groups, MOST_OPS, true);
	for (size_t i = 0; i < p->n && !is_over(l); i++)
		do_op(l, &p->ops[i]);
	free(p);
}

/* While the disk is full: nothing of a group is lost, what is in the store can be handed over, results are taken, content is
 * refused with a cause that passes; all of it is durable as soon as there is room. */
static void full_for_a_time(struct life *l, uint64_t room)
{
	const unsigned refused = l->b.n_refused;
	disk_set_room(l->disk, room);
	for (unsigned i = 0; i < 200 && !l->b.w->full; i++)
		play_and_agree(l, l->seed * 100 + i, 1);
	assert_false(is_over(l));
	assert_true(l->b.w->full);
	assert_int_equal(l->b.w->why.kind, ERR_TEMP);
	const unsigned told = l->b.w->n_durable;
	agree_in_group(l);
	disk_set_room(l->disk, 0);
	const unsigned told_full = l->b.w->n_full;
	for (uint32_t i = 0; i < 10; i++)
		do_op(l, &(struct play_op){.kind = PLAY_DONE, .which = i});
	do_op(l, &(struct play_op){.kind = PLAY_PUT, .seed = 5, .n_rcpt = 1, .n_transfers = 1, .size = TEST_INLINE_MAX + 100});
	assert_true(l->b.n_refused > refused);
	assert_int_equal(l->b.w->why.kind, ERR_TEMP);
	agree_in_group(l);
	commit(l);
	if (l->b.w->n_durable == told)
		assert_int_equal(l->b.w->n_full, told_full); /* an operator is told once */
	disk_set_room(l->disk, UINT64_MAX);
	commit(l);
	assert_true(l->b.w->n_durable > told);
	assert_false(l->b.w->full);
	agree(l);
}

static void test_k152918_k263835_full_disk_keeps_what_it_has_and_recovers(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct life *l = life_begin(seed);
		play_and_agree(l, seed, 10);
		full_for_a_time(l, dice_below(&l->d, 300000));
		full_for_a_time(l, dice_below(&l->d, 100000));
		disk_die(l->disk, DISK_CUT_BEFORE);
		rise(l, false);
		store_close(&l->b.w->store);
		check_whole(l->b.w);
		life_free(&l);
	}
}

/* The process dies while the disk is full: what was told is there, the group is lost as a whole; while there is no room it is
 * refused with a sentence, and opened when there is. */
static void test_k152918_killed_while_full(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct life *l = life_begin(seed);
		play_and_agree(l, seed, 10);
		disk_set_room(l->disk, dice_below(&l->d, 200000));
		for (unsigned i = 0; i < 200 && !l->b.w->full; i++)
			play_and_agree(l, seed * 100 + i, 1);
		assert_true(l->b.w->full);
		disk_die(l->disk, seed % 2 == 0 ? DISK_KILLED : DISK_CUT_BEFORE);
		store_close(&l->b.w->store);
		disk_restart(l->disk);
		disk_set_room(l->disk, 0);
		l->b.w->store = world_try_open(l->b.w);
		if (l->b.w->store == NULL) {
			assert_int_equal(l->b.w->why.kind, ERR_TEMP);
			assert_non_null(strstr(l->b.w->why.text, "full"));
		}
		disk_set_room(l->disk, UINT64_MAX);
		rise(l, false);
		store_close(&l->b.w->store);
		check_whole(l->b.w);
		life_free(&l);
	}
}

/* Results of transfers are durable without any new room, where the log has some that is written back. */
static void test_k263835_results_are_durable_on_a_full_disk(void **state)
{
	(void)state;
	struct life *l = life_begin(3);
	struct play_op put = {.kind = PLAY_PUT, .n_rcpt = 1, .n_transfers = 1, .size = 3000};
	for (put.seed = 0; put.seed < 40; put.seed++)
		do_op(l, &put);
	commit(l);
	store_close(&l->b.w->store); /* all of it is in the database */
	world_open(l->b.w);
	for (uint32_t i = 0; i < 20; i++)
		do_op(l, &(struct play_op){.kind = PLAY_DONE, .which = i});
	commit(l);
	for (uint32_t i = 0; i < 15; i++)
		do_op(l, &(struct play_op){.kind = PLAY_RETRY, .which = 20 + i, .next_ms = 7});
	commit(l);
	disk_set_room(l->disk, 0);
	const unsigned told = l->b.w->n_durable;
	for (uint32_t i = 0; i < 10; i++)
		do_op(l, &(struct play_op){.kind = PLAY_DONE, .which = 20 + i});
	commit(l); /* full at first */
	assert_true(l->f.fulls > 0);
	assert_true(l->b.w->n_durable > told);
	assert_false(l->b.w->full);
	disk_die(l->disk, DISK_CUT_BEFORE);
	rise(l, false);
	assert_int_equal(counts_of(l->b.w).transfers, 10);
	life_free(&l);
}

/* A disk that takes a second for each sync is slow, and nothing else. */
static void test_slow_disk_is_no_failure(void **state)
{
	(void)state;
	struct life *l = life_begin(4);
	disk_set_slow(l->disk, 1000);
	const int64_t before = env_now_ms(l->b.w->env);
	play_and_agree(l, 4, 10);
	assert_false(is_over(l));
	assert_true(env_now_ms(l->b.w->env) >= before + 10 * 1000);
	agree(l);
	life_free(&l);
}

/* --- from the command line --- */
static int play_many(uint64_t seed, uint64_t messages, uint64_t drop)
{
	struct figures f = {0};
	while (f.messages < messages)
		one_life(seed++, DEATHS, drop, &f);
	print_figures(&f);
	fail_everywhere(300);
	printf("%llu passed, 0 failed\n", (unsigned long long)f.lives + 1);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, messages = 0, drop = 0;
	for (int i = 1; i + 1 < argc; i += 2) {
		const uint64_t n = strtoull(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--seed") == 0)
			seed = n;
		else if (strcmp(argv[i], "--messages") == 0)
			messages = n;
		else if (strcmp(argv[i], "--drop") == 0)
			drop = n;
		else
			return 64;
	}
	if (messages > 0)
		return play_many(seed, messages, drop);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_01_k238189_k198958_k244144_power_cuts),
		cmocka_unit_test(test_op_01_dropped_syncs_are_found),
		cmocka_unit_test(test_op_01_each_call_fails_in_each_way),
		cmocka_unit_test(test_k152918_k263835_full_disk_keeps_what_it_has_and_recovers),
		cmocka_unit_test(test_k152918_killed_while_full),
		cmocka_unit_test(test_k263835_results_are_durable_on_a_full_disk),
		cmocka_unit_test(test_slow_disk_is_no_failure),
	};
	return cmocka_run_group_tests_name("store and the power", tests, NULL, NULL);
}
