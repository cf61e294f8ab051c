/* envelope_fuzz.c - an envelope that can be read can be written, and is read the same again. */
#include "base/mem.h"
#include "flow/codec/msmail/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1u << 24);
	struct mm_envelope v, again;
	struct err e = { 0 };
	if (!mm_envelope_parse(view_of(data, size), &v, a, &e)) {
		assert(e.kind == ERR_PERM && e.culprit == ERR_OF_MESSAGE && e.text[0] != 0);
		arena_free(&a);
		return 0;
	}
	struct out o, o2;
	out_init(&o, 1u << 22);
	out_init(&o2, 1u << 22);
	assert(mm_envelope_print(&v, &o, &e));
	assert(out_view(&o).p[MM_ENVELOPE_STATE_AT] == v.state);
	assert(mm_envelope_parse(out_view(&o), &again, a, &e));
	assert(again.n == v.n && again.n_hops == v.n_hops && again.n_extra == v.n_extra && again.state == v.state);
	assert(mm_envelope_print(&again, &o2, &e));
	assert(view_eq(out_view(&o), out_view(&o2)));
	out_fini(&o);
	out_fini(&o2);
	arena_free(&a);
	return 0;
}
