/* ffapi_fuzz.c - any octets as a message file: what was read is written with each line end and read again. */
#include "flow/codec/msmail/ffapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False: not read, or not to be written. */
static bool again(struct view in, enum ffapi_line_end end, struct out *o, struct arena *a, bool must_read)
{
	struct mai m;
	struct ffapi_body *bodies;
	struct view text_file;
	struct mai_limits l = mai_limits_default();
	arena_reset(a);
	bool read = ffapi_parse(in, &m, &bodies, &text_file, a, &l, NULL);
	assert(read || !must_read || arena_full(a));
	return read && ffapi_print(&m, bodies, end, o, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 22);
	struct mai m;
	struct ffapi_body *bodies;
	struct view text_file, name;
	const struct mai_limits l = mai_limits_default();
	size_t at = 0, named = 0, files = 0;
	while (ffapi_next_name(view_of(data, size), &at, &name))
		named++;
	if (ffapi_parse(view_of(data, size), &m, &bodies, &text_file, a, &l, NULL)) {
		for (size_t i = 0; i < m.n_attachments; i++)
			files += bodies[i].in_file;
		assert(named == files + (text_file.n > 0));
	}
	for (unsigned i = 0; i < 3; i++) {
		enum ffapi_line_end end = (enum ffapi_line_end)i;
		struct out one, two, three;
		out_init(&one, 1 << 20);
		out_init(&two, 1 << 20);
		out_init(&three, 1 << 20);
		if (again(view_of(data, size), end, &one, a, false) && again(out_view(&one), end, &two, a, true)) {
			bool ok = again(out_view(&two), end, &three, a, true);
			assert((ok && view_eq(out_view(&two), out_view(&three))) || arena_full(a));
		}
		out_fini(&one);
		out_fini(&two);
		out_fini(&three);
	}
	arena_free(&a);
	return 0;
}
