/* fips_fuzz.c - any octets walked through as FIPS 98 elements, within their bounds and the limits; what is found lies where it says, and a
 * definite element written again is read the same. */
#include "base/mem.h"
#include "flow/codec/msmail/fips.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void written_again(const struct fips_element *x)
{
	struct out o;
	struct fips_element again;
	out_init(&o, x->whole.n + 64);
	const int64_t qualifier = !x->has_qualifier ? -1 : x->vendor_qualifier ? FIPS_VENDOR_QUALIFIER | x->qualifier : (int64_t)x->qualifier;
	fips_put(&o, x->code, qualifier, x->contents);
	assert(!o.bad);
	struct fips_walk w = fips_walk_of(out_view(&o), 1);
	assert(fips_next(&w, &again, NULL) == STEP_DONE && fips_next(&w, &again, NULL) == STEP_WAIT);
	assert(again.code == x->code && again.has_qualifier == x->has_qualifier && again.qualifier == x->qualifier);
	assert(again.vendor_qualifier == x->vendor_qualifier && view_eq(again.contents, x->contents));
	out_fini(&o);
}

static void walk(struct fips_walk w, const uint8_t *data, unsigned depth)
{
	struct fips_element x;
	struct err e = { 0 };
	enum step step;
	assert(depth <= 34);
	while ((step = fips_next(&w, &x, &e)) == STEP_DONE) {
		assert(x.whole.p == data + x.offset && x.contents.n < x.whole.n);
		written_again(&x);
		uint64_t number;
		(void)!fips_le(&x, &number);
		walk(fips_walk_in(&w, &x), data, depth + 1);
	}
	assert(step == STEP_WAIT || (e.kind == ERR_PERM && e.text[0] != 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= 4096) /* each octet is walked at each depth */
		walk(fips_walk_of(view_of(data, size), 1000), data, 0);
	return 0;
}
