/* mai_test.c - the message file. Expected values: the dump in Q104423 as facts A6 restate it; FIPS 98 (RFC 841) 4.2 and 4.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "flow/codec/msmail/mai.h"
#include "flow/codec/msmail/mai_testing.h"

static void test_all_fields_come_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct arena *a = arena_new(1u << 24);
		struct testing_random r = { seed };
		struct mai m = testing_mai(&r, a), again;
		struct out o, o2;
		struct err e;
		out_init(&o, 1u << 24);
		out_init(&o2, 1u << 24);
		const struct mai_limits l = mai_limits_default();
		if (!mai_print(&m, &mm_scramble_none, &o, &e) || !mai_parse(out_view(&o), &mm_scramble_none, &again, a, &l, &e))
			fail_msg("seed %u: %s", (unsigned)seed, e.text);
		testing_same_mai(&m, &again);
		assert_true(mai_print(&again, &mm_scramble_none, &o2, &e));
		assert_true(view_eq(out_view(&o), out_view(&o2)));
		out_fini(&o);
		out_fini(&o2);
		arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
