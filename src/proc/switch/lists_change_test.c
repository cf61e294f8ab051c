/* lists_change_test.c - lists that change while messages to them are half expanded: who stood in them when that began gets each once. Of a real
 * switch; the arena of the settings of before is freed each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

#include "proc/switch/switch_int.h"
#include "proc/table/settings_change.h"

enum { MEMBERS = 2500, SLICE = 1000 /* as in lists.c */, SWEPT_MS = 31 * 1000 };

#define HEAD                                                                                                                  \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlimits:\n  memory: 64 M\nlinks:\n"             \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    max-associations: 1\n"                          \
	"  - name: to-c\n    address: \"127.0.0.1:3\"\n    remote-mta-name: mta-c\n    max-associations: 1\n"                          \
	"routes:\n  - match: \"C=FR; A=SIM; P=p\"\n    to: local\n  - match: \"C=GB\"\n    to: to-a\n  - match: \"C=JP\"\n    to: to-c\n" \
	"lists:\n  - name: all\n    addresses: [\"S=all; P=p; A=SIM; C=FR\"]\n    members: ["
#define ALL "S=all; P=p; A=SIM; C=FR"

struct at {
	struct bench *b;
	struct arena *in;      /* the settings of now */
	struct player *p;
	unsigned char seen[2 * MEMBERS];
};

/* The list has members u<from> to u<from + n - 1>. */
static struct settings *list_of(struct arena *a, unsigned from, unsigned n)
{
	struct out o;
	struct err e;
	struct settings *s = arena_get(a, sizeof *s);
	out_init(&o, 1 << 22);
	out_str(&o, HEAD);
	for (unsigned i = from; i < from + n; i++)
		out_fmt(&o, "%s\"S=u%u; P=c; A=SIM; C=JP\"", i == from ? "" : ", ", i);
	out_str(&o, "]\n");
	if (!settings_load(out_view(&o), "test", s, a, &e))
		fail_msg("%s", e.text);
	out_fini(&o);
	return s;
}

static void reload(struct at *t, unsigned from, unsigned n)
{
	struct err e;
	struct arena *before = t->in;
	t->in = arena_new((size_t)64 << 20);
	const struct settings *now = list_of(t->in, from, n);
	if (!switch_settings(t->b->sw, now, &e))
		fail_msg("%s", e.text);
	arena_free(&before);
	if (t->p->control != NULL)
		say_count(t->p->control, MSG_SETTLED, settings_hash(now), 0);
}

static struct at begin(void)
{
	struct out o;
	out_init(&o, 1 << 16);
	out_str(&o, HEAD "\"S=u0; P=c; A=SIM; C=JP\"]\n");
	struct at t = { .b = bench_with(out_cstr(&o)) };
	out_fini(&o);
	t.p = &t.b->link[0];
	bench_join(t.b, t.p, PROCESS_LINK, 1);
	reload(&t, 0, MEMBERS);
	fake_env_settle(t.b->env);
	return t;
}

static void end(struct at *t)
{
	bench_free(t->b);
	arena_free(&t->in);
}

static void offer(struct at *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char id[24];
		snprintf(id, sizeof id, "m%u", i);
		assert_true(offer_of(t->p, "to-a", LETTER(t->b, arena_str(t->b->a, view_str(id)), ALL), VIEW("x"))->accepted);
	}
}

static uint64_t in_queue(struct at *t)
{
	return switch_link(t->b->sw, VIEW("to-c"))->queued;
}

/* Slices have been placed, and not all. */
static void half_expand(struct at *t, unsigned slices)
{
	for (unsigned i = 0; i < 1000 && in_queue(t) < slices; i++)
		fake_env_pass(t->b->env, 1);
	assert_in_range(in_queue(t), slices, slices + 1);
}

/* Everything goes out; how often each member got a message is in t->seen. */
static void take_all(struct at *t)
{
	fake_env_pass(t->b->env, SWEPT_MS);
	open_up(t->p);
	for (size_t i = 0; i < t->p->n_transfers; i++) {
		const struct message *m = &t->p->transfers[i].m;
		for (size_t k = 0; k < m->n_rcpt; k++) {
			unsigned u;
			const char *at = strstr(oraddr_text(&m->rcpt[k].addr, t->b->a), "S=u");
			assert_non_null(at);
			assert_int_equal(sscanf(at, "S=u%u", &u), 1);
			t->seen[u] = (unsigned char)(t->seen[u] + m->rcpt[k].responsible);
		}
		say_result(t->p, t->p->transfers[i].transfer, ERR_NONE, 0);
	}
	assert_int_equal(counts_of(t->b).transfers, 0);
}

static void each_has(const struct at *t, unsigned from, unsigned n, unsigned times)
{
	for (unsigned i = 0; i < ARRAY_LEN(t->seen); i++)
		if (t->seen[i] != (i >= from && i < from + n ? times : 0))
			fail_msg("member %u has got it %u times", i, t->seen[i]);
}

static void test_the_members_of_before_get_it_each_once(void **state)
{
	(void)state;
	struct at t = begin();
	offer(&t, 1);
	half_expand(&t, 1);
	reload(&t, 1500, 500);
	assert_non_null(t.b->sw->older_lists);
	take_all(&t);
	each_has(&t, 0, MEMBERS, 1);
	assert_null(t.b->sw->older_lists);
	end(&t);
}

static void test_lists_that_change_again_meanwhile(void **state)
{
	(void)state;
	struct at t = begin();
	offer(&t, 1);
	half_expand(&t, 1);
	reload(&t, 1500, 1600);
	reload(&t, 2000, 3000);
	take_all(&t);
	each_has(&t, 0, MEMBERS, 1);
	assert_null(t.b->sw->older_lists);
	end(&t);
}

/* The reload expands nothing: the switch is not held by it, however many they are. */
static void test_a_reload_does_not_wait_for_half_expanded_lists(void **state)
{
	(void)state;
	enum { MANY = 40 };
	struct at t = begin();
	offer(&t, MANY);
	half_expand(&t, MANY);
	const uint64_t queued = in_queue(&t);
	reload(&t, 1500, 500);
	assert_int_equal(in_queue(&t), queued);
	take_all(&t);
	each_has(&t, 0, MEMBERS, MANY);
	end(&t);
}

/* Nothing can be stored while the lists change; when that is over it goes on as if nothing had been. */
static void test_a_full_disk_does_not_mix_the_lists_up(void **state)
{
	(void)state;
	struct at t = begin();
	offer(&t, 1);
	half_expand(&t, 1);
	bench_leave(t.b, t.p); /* it would hang */
	store_disk_set_full(t.b->disk, true);
	fake_env_pass(t.b->env, 100);
	assert_true(t.b->sw->full);
	reload(&t, 1500, 500);
	fake_env_pass(t.b->env, 2 * SWEPT_MS);
	reload(&t, 1700, 600);
	fake_env_pass(t.b->env, 2 * SWEPT_MS);
	store_disk_set_full(t.b->disk, false);
	fake_env_pass(t.b->env, 4 * SWEPT_MS);
	assert_false(t.b->sw->full);
	bench_join(t.b, t.p, PROCESS_LINK, 1);
	take_all(&t);
	each_has(&t, 0, MEMBERS, 1);
	end(&t);
}

/* One that is deleted half way keeps no lists in memory. */
static void test_one_that_is_never_finished_is_forgotten(void **state)
{
	(void)state;
	struct at t = begin();
	struct store_place place = { 0 };
	struct store_queued row;
	offer(&t, 1);
	half_expand(&t, 1);
	reload(&t, 1500, 500);
	assert_int_equal(store_queue_next(t.b->sw->store, VIEW(JOBS_LISTS), PRIORITY_NORMAL, INT64_MAX, &place, &row, 1), 1);
	store_transfer_done(t.b->sw->store, row.transfer);
	fake_env_pass(t.b->env, SWEPT_MS);
	assert_null(t.b->sw->older_lists);
	end(&t);
}

/* The switch dies half way. With the lists of before, or when only others come after the place, each gets it once; when others stand before it, nobody
 * of those of now is left out. */
static void test_a_switch_that_begins_with_other_lists_leaves_nobody_out(void **state)
{
	(void)state;
	static const struct { unsigned from, n, times_before, times; } cases[] = {
		{ 0, MEMBERS, 1, 1 }, { 0, MEMBERS + 700, 1, 1 }, { 0, SLICE + 200, 1, 1 }, { 500, MEMBERS, 1, 2 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct at t = begin();
		offer(&t, 1);
		half_expand(&t, 1);
		bench_leave(t.b, t.p);
		t.b->settings = *list_of(t.b->a, cases[i].from, cases[i].n);
		bench_switch_dies(t.b, "");
		bench_join(t.b, t.p, PROCESS_LINK, 1);
		take_all(&t);
		for (unsigned u = 0; u < ARRAY_LEN(t.seen); u++) {
			const bool was = u < SLICE, is = u >= cases[i].from && u < cases[i].from + cases[i].n;
			const unsigned want = was && is ? cases[i].times : was ? cases[i].times_before : is ? 1 : 0;
			if (t.seen[u] != want)
				fail_msg("case %zu: member %u has got it %u times, want %u", i, u, t.seen[u], want);
		}
		end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_members_of_before_get_it_each_once),
		cmocka_unit_test(test_lists_that_change_again_meanwhile),
		cmocka_unit_test(test_a_reload_does_not_wait_for_half_expanded_lists),
		cmocka_unit_test(test_a_full_disk_does_not_mix_the_lists_up),
		cmocka_unit_test(test_one_that_is_never_finished_is_forgotten),
		cmocka_unit_test(test_a_switch_that_begins_with_other_lists_leaves_nobody_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
