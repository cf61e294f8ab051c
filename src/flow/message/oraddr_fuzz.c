/* oraddr_fuzz.c - what parses prints, in both notations, to what parses to an equal address with an
 * equal key. The first half of an input is one address, the rest another: equal if and only if
 * their keys are. */
#include "flow/message/oraddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool parse(struct arena *a, struct view text, struct oraddr *r)
{
	struct err e;
	return oraddr_parse(text, r, a, ORADDR_CARRY, &e);
}

static void check_pair(const struct oraddr *x, const struct oraddr *y, bool must)
{
	struct out p, q;
	out_init(&p, SIZE_MAX / 4);
	out_init(&q, SIZE_MAX / 4);
	oraddr_key(x, &p);
	oraddr_key(y, &q);
	bool eq = oraddr_eq(x, y);
	assert(eq == view_eq(out_view(&p), out_view(&q)));
	assert(eq == oraddr_eq(y, x));
	assert(eq || !must);
	out_fini(&p);
	out_fini(&q);
}

static void check_round_trip(struct arena *a, const struct oraddr *x)
{
	for (int notation = ORADDR_F401; notation <= ORADDR_RFC2156; notation++) {
		struct out o;
		struct oraddr again = {0};
		out_init(&o, SIZE_MAX / 4);
		oraddr_print(x, (enum oraddr_notation)notation, &o);
		bool ok = parse(a, out_view(&o), &again);
		assert(ok);
		check_pair(x, &again, true);
		out_fini(&o);
	}
	struct oraddr copy = oraddr_copy(x, a);
	check_pair(x, &copy, true);
	struct err e;
	if (oraddr_check(x, &e))
		assert(oraddr_check(&copy, &e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	struct arena *a = arena_new(1 << 24);
	struct oraddr whole, x, y;
	if (parse(a, view_of(data, size), &whole))
		check_round_trip(a, &whole);
	if (parse(a, view_of(data, size / 2), &x) &&
	    parse(a, view_of(data + size / 2, size - size / 2), &y))
		check_pair(&x, &y, false);
	arena_free(&a);
	return 0;
}
