/* blocks_test.c - control blocks of a link process: whatever begins ends, however it ends. */
#include "proc/link/link_testing.h"

#include <malloc.h>

#include "proc/table/blocks.h"

#if defined(__SANITIZE_ADDRESS__)
enum { CONNECTS = 2000, HEAP_IS_KNOWN = 0 };
#else
enum { CONNECTS = 100000, HEAP_IS_KNOWN = 1 };
#endif

static size_t heap(void)
{
	const struct mallinfo2 m = mallinfo2();
	return m.uordblks + m.hblkhd;
}

static struct blocks rest(struct world *w)
{
	struct blocks b;
	fake_env_settle(w->env);
	link_blocks(w->link, &b);
	return b;
}

static void same_rest(struct world *w, const struct blocks *before)
{
	const struct blocks b = rest(w);
	for (enum block i = 0; i < BLOCK_COUNT; i++)
		if (b.n[i] != before->n[i])
			fail_msg("%s: %llu, were %llu", block_name(i), (unsigned long long)b.n[i], (unsigned long long)before->n[i]);
}

static void many_opens(struct world *w, uint64_t from, uint64_t n)
{
	const unsigned downs = w->downs;
	for (uint64_t i = 0; i < n; i++) {
		arena_reset(w->heard);
		say_open(w, from + i);
	}
	assert_int_equal(w->downs - downs, n);
	assert_int_equal(w->ups, 0);
}

/* There: a connect that failed did not free its control block, until 9156 and the end. */
static void test_k193894_k229643_k247419_k247133_k260167_refused_connects_leak_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	event_log_set_level(w->log, EVENT_ALARM);
	listener_close(&w->listener);
	many_opens(w, 1, 100);
	const struct blocks before = rest(w);
	const size_t held = HEAP_IS_KNOWN ? heap() : 0;
	many_opens(w, 1000, CONNECTS);
	same_rest(w, &before);
	if (HEAP_IS_KNOWN)
		assert_true(heap() < held + 64 * 1024);
	world_free(w);
}

/* Callers that vanish at any moment of their bind. */
static void test_k205533_k152900_broken_binds_leak_nothing(void **state)
{
	(void)state;
	struct world *w = world_new();
	event_log_set_level(w->log, EVENT_ALARM);
	const struct blocks before = rest(w);
	for (unsigned i = 0; i < 200; i++) {
		struct stream *ours, *theirs;
		fake_env_pair(w->env, &ours, &theirs);
		link_accepted(w->link, theirs, false);
		stream_set_events(ours, NULL, NULL);
		uint8_t octets[40] = { 3, 0, 0, 22 }; /* of a CR, or nonsense */
		stream_write(ours, view_of(octets, i % sizeof octets));
		fake_env_settle(w->env);
		stream_close(&ours, i % 2 == 0);
		fake_env_settle(w->env);
	}
	same_rest(w, &before);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k193894_k229643_k247419_k247133_k260167_refused_connects_leak_nothing),
		cmocka_unit_test(test_k205533_k152900_broken_binds_leak_nothing),
	};
	return cmocka_run_group_tests_name("control blocks of a link", tests, NULL, NULL);
}
