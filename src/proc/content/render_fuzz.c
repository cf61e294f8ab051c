/* render_fuzz.c - the first octet chooses: any octets rendered as a content (what comes out unpacks, and prints as
 * UTF-8), or taken for a rendered result. */
#include "base/check.h"
#include "flow/codec/charset/charset.h"
#include "proc/content/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct render *r)
{
	struct out o;
	out_init(&o, 1 << 22);
	render_print(r, &o);
	assert(o.bad || charset_is_utf8(out_view(&o)));
	out_clear(&o);
	render_print_json(r, &o);
	assert(o.bad || charset_is_utf8(out_view(&o)));
	out_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t types[] = { 22, 2, 35, -1 };
	if (size == 0)
		return 0;
	struct arena *a = arena_new(1 << 22);
	struct render r;
	struct out o;
	const struct view in = view_of(data + 1, size - 1), none = { NULL, 0 };
	out_init(&o, 1 << 22);
	if (data[0] % 5 == 4) {
		if (render_unpack(in, &r, a, NULL))
			show(&r);
	} else {
		struct render_limits limits = render_limits_default();
		limits.arena = 1 << 22;
		limits.out = 1 << 20;
		limits.elements = 20000;
		limits.depth = 1 + data[0] / 50;
		const int64_t type = types[data[0] % 5];
		if (content_render(type, none, in, &limits, NULL, &o, NULL)) {
			const bool fits = render_unpack(out_view(&o), &r, a, NULL);
			assert(fits || arena_full(a));
			if (fits)
				show(&r);
		}
		out_clear(&o);
		if (content_extract(type, none, in, 2, &limits, &o, NULL))
			assert(out_len(&o) <= size);
	}
	out_fini(&o);
	arena_free(&a);
	return 0;
}
