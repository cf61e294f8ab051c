/* partial_test.c - transfers that break off: what the switch keeps of them, how long, and who gets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "base/fault.h"

enum { MIB = 1 << 20, OCTETS = 3000, MINUTE = 60 * 1000 };

/* links have the default recovery-timeout, 60 s */
static struct bench *with_links(void)
{
	struct bench *b = bench_new();
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	bench_join(b, &b->link[1], PROCESS_LINK, 1);
	return b;
}

static uint8_t octet_at(uint64_t seed, uint64_t i)
{
	return (uint8_t)(seed * 7 + i + i / 253);
}

static void say_octets(struct player *p, uint64_t id, uint64_t seed, uint64_t from, uint64_t to)
{
	uint8_t buf[OCTETS];
	while (from < to) {
		const size_t n = to - from < sizeof buf ? (size_t)(to - from) : sizeof buf;
		for (size_t i = 0; i < n; i++)
			buf[i] = octet_at(seed, from + i);
		const struct msg_piece m = { id, view_of(buf, n) };
		put_msg_piece(chan_begin(p->bulk, MSG_PARTIAL_DATA), &m);
		chan_end(p->bulk);
		from += n;
	}
}

static void put_partial(struct player *p, enum msg kind, uint64_t id, const char *link, const char *reference, uint64_t activity,
			uint32_t serial)
{
	const struct msg_partial m = { .id = id, .link = view_str(link), .host = VIEW("192.0.2.7"), .reference = view_str(reference),
				       .activity = activity, .serial = serial };
	put_msg_partial(chan_begin(p->bulk, (uint16_t)kind), &m);
	chan_end(p->bulk);
	fake_env_settle(p->b->env);
}

static void say_sync(struct player *p, enum msg kind, uint64_t id, uint32_t serial, uint64_t n, bool good)
{
	const struct msg_sync m = { .id = id, .serial = serial, .n = n, .good = good };
	struct chan *c = kind == MSG_PARTIAL_PULL ? p->control : p->bulk;
	put_msg_sync(chan_begin(c, (uint16_t)kind), &m);
	chan_end(c);
	fake_env_settle(p->b->env);
}

static void begin(struct player *p, uint64_t id, uint64_t activity)
{
	put_partial(p, MSG_PARTIAL_BEGIN, id, "to-a", "ref", activity, 0);
}

/* Octets up to `to` with a checkpoint; it is answered good. */
static void checkpoint(struct player *p, uint64_t id, uint64_t seed, uint32_t serial, uint64_t from, uint64_t to)
{
	const size_t n = p->n_syncs;
	say_octets(p, id, seed, from, to);
	say_sync(p, MSG_PARTIAL_SYNC, id, serial, to, false);
	fake_env_pass(p->b->env, 50);
	assert_int_equal(p->n_syncs, n + 1);
	assert_int_equal(p->syncs[n].id, id);
	assert_int_equal(p->syncs[n].serial, serial);
	assert_true(p->syncs[n].good);
}

static bool finds(struct player *p, uint64_t id, uint64_t activity, uint32_t serial)
{
	const unsigned n = p->n_found;
	put_partial(p, MSG_PARTIAL_FIND, id, activity == 0 ? "" : "to-a", "ref", activity, serial);
	assert_int_equal(p->n_found, n + 1);
	assert_int_equal(p->found.id, id);
	if (p->found.found)
		assert_true(view_eq(p->found.link, VIEW("to-a")));
	return p->found.found;
}

static void pulls(struct player *p, uint64_t id, uint64_t seed, uint64_t n)
{
	out_clear(&p->partial);
	assert_int_equal(p->found.octets, n);
	for (uint64_t at = 0; at < n;) {
		const uint64_t want = n - at < 100000 ? n - at : 100000;
		say_sync(p, MSG_PARTIAL_PULL, id, 0, want, false);
		at += want;
		assert_int_equal(out_len(&p->partial), at);
	}
	const struct view v = out_view(&p->partial);
	for (size_t i = 0; i < v.n; i++)
		assert_int_equal(v.p[i], octet_at(seed, i));
}

static uint64_t n_kept(struct bench *b)
{
	if (b->sw != NULL)
		fake_env_pass(b->env, 50);
	return counts_of(b).partials;
}

/* --- */

static void test_a_checkpoint_is_durable_before_it_is_confirmed(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	say_octets(p, 1, 1, 0, 1000);
	fake_env_settle(b->env);
	store_disk_set_full(b->disk, true);
	say_sync(p, MSG_PARTIAL_SYNC, 1, 1, 1000, false);
	fake_env_pass(b->env, 100);
	assert_int_equal(p->n_syncs, 0); /* its group cannot be written */
	store_disk_set_full(b->disk, false);
	fake_env_pass(b->env, 3000);
	assert_int_equal(p->n_syncs, 1);
	assert_true(p->syncs[0].good);
	bench_free(b);
}

static void test_what_is_offered_is_forgotten(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	checkpoint(p, 1, 1, 1, 0, 1000);
	assert_int_equal(n_kept(b), 1);
	say_sync(p, MSG_PARTIAL_END, 1, 1, 0, false);
	assert_int_equal(n_kept(b), 0);
	assert_false(finds(p, 2, 5, 1));
	begin(p, 1, 6); /* the number is free again */
	bench_free(b);
}

static void test_a_transfer_goes_on_where_it_broke_off(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	checkpoint(p, 1, 1, 1, 0, 100000);
	checkpoint(p, 1, 1, 2, 100000, 300000);
	say_octets(p, 1, 1, 300000, 310000);
	say_sync(p, MSG_PARTIAL_END, 1, 2, 0, true);
	assert_true(finds(p, 2, 0, 0)); /* is the association known */
	assert_int_equal(n_kept(b), 1);
	assert_false(finds(p, 3, 6, 2)); /* another activity */
	assert_false(finds(p, 4, 5, 3)); /* nobody was told of that checkpoint */
	assert_true(finds(p, 5, 5, 2));
	pulls(p, 5, 1, 300000);
	checkpoint(p, 5, 1, 3, 300000, 400000);
	say_sync(p, MSG_PARTIAL_END, 5, 3, 0, true);
	assert_true(finds(p, 6, 5, 1)); /* it knows of less than we do */
	pulls(p, 6, 1, 100000);
	checkpoint(p, 6, 1, 2, 100000, 150000);
	say_sync(p, MSG_PARTIAL_END, 6, 2, 0, true);
	assert_true(finds(p, 7, 5, 2));
	pulls(p, 7, 1, 150000);
	say_sync(p, MSG_PARTIAL_END, 7, 2, 0, false);
	assert_int_equal(n_kept(b), 0);
	bench_free(b);
}

static void test_nothing_is_kept_without_a_checkpoint(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	say_octets(p, 1, 1, 0, 1000);
	say_sync(p, MSG_PARTIAL_END, 1, 0, 0, true);
	assert_false(finds(p, 2, 5, 1));
	assert_false(finds(p, 3, 0, 0));
	bench_free(b);
}

static void test_it_is_dropped_after_the_recovery_timeout(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	checkpoint(p, 1, 1, 1, 0, 1000);
	fake_env_pass(b->env, 10 * MINUTE); /* in hand: it has all the time there is */
	assert_int_equal(n_kept(b), 1);
	say_sync(p, MSG_PARTIAL_END, 1, 1, 0, true);
	fake_env_pass(b->env, MINUTE - 1000);
	assert_int_equal(n_kept(b), 1);
	fake_env_pass(b->env, 2000);
	assert_int_equal(n_kept(b), 0);
	assert_false(finds(p, 2, 5, 1));
	bench_free(b);
}

static void test_the_death_of_its_process_keeps_it(void **state)
{
	(void)state;
	struct bench *b = with_links();
	begin(&b->link[0], 1, 5);
	checkpoint(&b->link[0], 1, 1, 1, 0, 1000);
	begin(&b->link[0], 2, 6); /* no checkpoint */
	bench_dies(b, &b->link[0], PROCESS_LINK, 0, false, "");
	assert_int_equal(n_kept(b), 1);
	assert_false(finds(&b->link[1], 6, 6, 1));
	assert_true(finds(&b->link[1], 7, 5, 1));
	pulls(&b->link[1], 7, 1, 1000);
	bench_free(b);
}

static void test_the_store_keeps_it_over_a_restart(void **state)
{
	(void)state;
	struct bench *b = with_links();
	begin(&b->link[0], 1, 5);
	checkpoint(&b->link[0], 1, 1, 1, 0, 1000);
	bench_leave(b, &b->link[0]);
	bench_leave(b, &b->link[1]);
	switch_free(&b->sw);
	fake_env_settle(b->env);
	store_disk_crashed(b->disk);
	bench_start(b);
	fake_env_pass(b->env, MINUTE - 5000); /* the time runs from the restart on */
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	assert_true(finds(&b->link[0], 7, 5, 1));
	pulls(&b->link[0], 7, 1, 1000);
	bench_free(b);
}

/* The peer has called again, to another process; the first has not noticed that its association is broken. */
static void test_the_finder_wins(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *old = &b->link[0], *new = &b->link[1];
	begin(old, 1, 5);
	checkpoint(old, 1, 1, 1, 0, 1000);
	assert_true(finds(new, 9, 5, 1));
	const size_t told = old->n_syncs;
	say_octets(old, 1, 1, 1000, 2000);
	say_sync(old, MSG_PARTIAL_SYNC, 1, 2, 2000, false);
	say_sync(old, MSG_PARTIAL_END, 1, 2, 0, false);
	assert_int_equal(old->n_syncs, told + 1); /* it is not kept; should that peer be there after all, it does not wait */
	assert_false(old->syncs[told].good);
	assert_int_equal(old->closed + new->closed, 0);
	pulls(new, 9, 1, 1000);
	checkpoint(new, 9, 1, 2, 1000, 1500);
	say_sync(new, MSG_PARTIAL_END, 9, 2, 0, true);
	assert_true(finds(old, 3, 5, 2));
	pulls(old, 3, 1, 1500);
	bench_free(b);
}

/* --- room --- */

static void test_op_02_a_low_disk_keeps_nothing(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	checkpoint(p, 1, 1, 1, 0, 1000);
	begin(p, 2, 6);
	checkpoint(p, 2, 1, 1, 0, 1000);
	say_sync(p, MSG_PARTIAL_END, 2, 1, 0, true);
	assert_int_equal(n_kept(b), 2);
	fake_env_set_disk_free(b->env, 63 * MIB); /* store.min-free is 64 M */
	fake_env_pass(b->env, 2000);
	assert_int_equal(n_kept(b), 1); /* that which nobody had in hand is gone */
	const size_t n = p->n_syncs;
	say_octets(p, 1, 1, 1000, 2000);
	say_sync(p, MSG_PARTIAL_SYNC, 1, 2, 2000, false);
	assert_int_equal(p->n_syncs, n + 1);
	assert_false(p->syncs[n].good);
	assert_int_equal(n_kept(b), 0);
	begin(p, 3, 7);
	say_octets(p, 3, 1, 0, 1000);
	say_sync(p, MSG_PARTIAL_SYNC, 3, 1, 1000, false);
	assert_false(p->syncs[n + 1].good);
	say_sync(p, MSG_PARTIAL_END, 3, 0, 0, false);
	assert_int_equal(p->closed, 0);
	bench_free(b);
}

static void test_the_oldest_of_too_many_goes(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	enum { MOST = 256 };
	for (uint64_t i = 1; i <= MOST; i++) {
		begin(p, i, i);
		checkpoint(p, i, i, 1, 0, 100);
		say_sync(p, MSG_PARTIAL_END, i, 1, 0, true);
	}
	assert_int_equal(n_kept(b), MOST);
	begin(p, 500, 500);
	checkpoint(p, 500, 500, 1, 0, 100);
	assert_int_equal(n_kept(b), MOST);
	assert_false(finds(p, 600, 1, 1));
	assert_true(finds(p, 601, 2, 1));
	bench_free(b);
}

/* limits.message is 1 M here: eight of them, all transfers of the link together. */
static void test_octets_of_a_link_are_bounded(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	for (uint64_t i = 1; i <= 10; i++) {
		begin(p, i, i);
		say_octets(p, i, i, 0, MIB);
		say_sync(p, MSG_PARTIAL_SYNC, i, 1, MIB, false);
		fake_env_pass(b->env, 50);
	}
	assert_int_equal(p->n_syncs, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(p->syncs[i].good, i < 8);
	assert_int_equal(n_kept(b), 8);
	bench_free(b);
}

/* --- what fails --- */

static void test_a_checkpoint_that_cannot_be_kept_is_said_so(void **state)
{
	(void)state;
	static const char *const plans[] = { "SWITCH_PARTIAL:1:fail", "CONTENT_WRITE:1:fail", "CONTENT_SYNC:1:fail", "STORE_PARTIAL:1:fail" };
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct bench *b = with_links();
		struct player *p = &b->link[0];
		begin(p, 1, 5);
		checkpoint(p, 1, 1, 1, 0, 1000);
		assert_true(fault_plan(plans[i], NULL));
		say_octets(p, 1, 1, 1000, 2000);
		say_sync(p, MSG_PARTIAL_SYNC, 1, 2, 2000, false);
		fake_env_pass(b->env, 50);
		assert_true(fault_plan(NULL, NULL));
		assert_int_equal(p->n_syncs, 2);
		assert_false(p->syncs[1].good);
		assert_int_equal(n_kept(b), 0);
		say_sync(p, MSG_PARTIAL_SYNC, 1, 3, 2000, false); /* was on its way already */
		assert_int_equal(p->n_syncs, 3);
		assert_false(p->syncs[2].good);
		say_sync(p, MSG_PARTIAL_END, 1, 1, 0, true);
		assert_false(finds(p, 2, 5, 1));
		assert_int_equal(b->deaths + p->closed, 0);
		bench_free(b);
	}
}

/* The peer's window is full: it sends octets, and no checkpoint before it has heard of those that are out. */
static void test_checkpoints_under_way_are_answered_when_the_next_octets_cannot_be_kept(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	begin(p, 1, 5);
	say_octets(p, 1, 1, 0, 1000);
	assert_true(fault_plan("SWITCH_PARTIAL:2:fail", NULL));
	const struct msg_sync m = { .id = 1, .serial = 1, .n = 1000 };
	put_msg_sync(chan_begin(p->bulk, MSG_PARTIAL_SYNC), &m);
	chan_end(p->bulk);
	say_octets(p, 1, 1, 1000, 1500); /* before the disk has answered */
	fake_env_pass(b->env, 3000);
	assert_true(fault_plan(NULL, NULL));
	assert_true(p->n_syncs > 0);
	assert_int_equal(p->syncs[0].serial, 1);
	assert_false(p->syncs[0].good);
	bench_free(b);
}

static void nonsense(struct bench *b, struct player *p)
{
	fake_env_settle(b->env);
	assert_int_equal(p->closed, 2);
	assert_int_equal(b->n_accused, 1);
	bench_free(b);
}

/* The link process has other settings than the switch, for a moment: nothing is kept, and each checkpoint is answered so. */
static void test_of_a_link_that_is_not_known_nothing_is_kept(void **state)
{
	(void)state;
	struct bench *b = with_links();
	struct player *p = &b->link[0];
	put_partial(p, MSG_PARTIAL_BEGIN, 1, "nobody", "ref", 1, 0);
	say_octets(p, 1, 1, 0, 100);
	say_sync(p, MSG_PARTIAL_SYNC, 1, 7, 100, false);
	assert_int_equal(p->closed, 0);
	assert_int_equal(p->n_syncs, 1);
	assert_int_equal(p->syncs[0].serial, 7);
	assert_false(p->syncs[0].good);
	say_sync(p, MSG_PARTIAL_END, 1, 7, 0, true);
	assert_int_equal(p->closed, 0);
	bench_free(b);
}

static void test_nonsense_ends_its_sender(void **state)
{
	(void)state;
	struct bench *b = with_links();
	begin(&b->link[0], 1, 5);
	begin(&b->link[0], 1, 5); /* twice */
	nonsense(b, &b->link[0]);
	b = with_links();
	begin(&b->link[0], 1, 5);
	say_octets(&b->link[0], 1, 1, 0, 100);
	say_sync(&b->link[0], MSG_PARTIAL_SYNC, 1, 1, 101, false); /* not what has come */
	nonsense(b, &b->link[0]);
	b = with_links();
	begin(&b->link[0], 1, 5);
	checkpoint(&b->link[0], 1, 1, 1, 0, 1000);
	say_sync(&b->link[0], MSG_PARTIAL_PULL, 1, 0, 1001, false);
	nonsense(b, &b->link[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_checkpoint_is_durable_before_it_is_confirmed),
		cmocka_unit_test(test_what_is_offered_is_forgotten),
		cmocka_unit_test(test_a_transfer_goes_on_where_it_broke_off),
		cmocka_unit_test(test_nothing_is_kept_without_a_checkpoint),
		cmocka_unit_test(test_it_is_dropped_after_the_recovery_timeout),
		cmocka_unit_test(test_the_death_of_its_process_keeps_it),
		cmocka_unit_test(test_the_store_keeps_it_over_a_restart),
		cmocka_unit_test(test_the_finder_wins),
		cmocka_unit_test(test_op_02_a_low_disk_keeps_nothing),
		cmocka_unit_test(test_the_oldest_of_too_many_goes),
		cmocka_unit_test(test_octets_of_a_link_are_bounded),
		cmocka_unit_test(test_a_checkpoint_that_cannot_be_kept_is_said_so),
		cmocka_unit_test(test_checkpoints_under_way_are_answered_when_the_next_octets_cannot_be_kept),
		cmocka_unit_test(test_of_a_link_that_is_not_known_nothing_is_kept),
		cmocka_unit_test(test_nonsense_ends_its_sender),
	};
	return cmocka_run_group_tests_name("partial transfers in the switch", tests, NULL, NULL);
}
