/* ber_fuzz.c - what decodes, encodes; and decodes again to the same encoding and the same text. The
 * first octet chooses the table, so that one corpus serves all. */
#include "base/mem.h"
#include "flow/codec/ber/ber_test_tables.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ber_type *const types[] = {&all_seq_type, &all_set_type, &record_type,
					       &picks_type,   &tagged_type,  &t_any};

static void print_both(const struct ber_type *t, const void *value, struct out *o)
{
	out_clear(o);
	ber_print(t, value, BER_ASN1, 0, o);
	ber_print(t, value, BER_JSON, 0, o);
}

/* The bounds of the value are the writer's affair; only that they can be looked at is tested. */
static void round_trip(const struct ber_type *t, const void *value, struct arena *a,
		       const struct ber_limits *limits)
{
	struct out once, twice, text, again;
	struct err e;
	void *value2 = arena_get(a, t->size);
	assert(value2 != NULL);
	out_init(&once, 1u << 24);
	out_init(&twice, 1u << 24);
	out_init(&text, 1u << 24);
	out_init(&again, 1u << 24);
	assert(ber_encode(t, value, &once, &e));
	assert(ber_size(t, value) == out_len(&once));
	assert(ber_decode(t, out_view(&once), value2, a, limits, &e));
	assert(ber_encode(t, value2, &twice, &e));
	assert(view_eq(out_view(&once), out_view(&twice)));
	print_both(t, value2, &again);
	assert(!again.bad);
	print_both(t, value, &text);
	(void)!ber_check_bounds(t, value, &e);
	out_fini(&once);
	out_fini(&twice);
	out_fini(&text);
	out_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ber_limits limits = {40, 10000, 1u << 20};
	if (size == 0)
		return 0;
	const struct ber_type *t = types[data[0] % ARRAY_LEN(types)];
	const struct view in = view_of(data + 1, size - 1);
	struct arena *a = arena_new(1u << 24);
	struct err e = {0};
	void *value = arena_get(a, t->size);
	assert(value != NULL);
	if (ber_decode(t, in, value, a, &limits, &e))
		round_trip(t, value, a, &limits);
	else
		assert(e.kind == ERR_PERM && e.text[0] != 0);
	struct out o;
	out_init(&o, 1u << 24);
	ber_print_raw(in, 0, &o);
	ber_oid_print(in, &o);
	out_fini(&o);
	arena_free(&a);
	return 0;
}
