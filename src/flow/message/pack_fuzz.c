/* pack_fuzz.c - any octets: refused, or what was read packs to octets that read the same. */
#include "flow/message/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct view in, struct arena *a)
{
	struct message m, back;
	struct err e;
	if (!unpack_message(in, &m, a, &e)) {
		assert(e.kind == ERR_LOCAL && e.text[0] != '\0');
		return;
	}
	struct out first, second;
	out_init(&first, SIZE_MAX);
	out_init(&second, SIZE_MAX);
	pack_message(&first, &m, 0, m.n_rcpt);
	struct arena *b = arena_new(64 << 20);
	assert(unpack_message(out_view(&first), &back, b, &e));
	pack_message(&second, &back, 0, back.n_rcpt);
	assert(view_eq(out_view(&first), out_view(&second)));
	arena_free(&b);
	out_fini(&second);
	out_fini(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct arena *a = arena_new(16 << 20);
	struct message m;
	struct recipient r;
	struct err e;
	check_message(in, a);
	if (unpack_envelope(in, &m, a, &e) || unpack_recipient(in, &r, a, &e)) {
		arena_free(&a);
		return 0;
	}
	arena_free(&a);
	return 0;
}
