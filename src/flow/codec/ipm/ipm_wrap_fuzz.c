/* ipm_wrap_fuzz.c - any octets as a content, wrapped at a column that the first octet gives: what comes out is a content still,
 * and wrapping it again changes nothing. The octets as a text too. */
#include "base/check.h"
#include "flow/codec/ipm/ipm.h"
#include "flow/codec/ipm/ipm_wrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void content(struct view in, const struct ipm_wrap *how, struct arena *a)
{
	struct out o, again;
	struct ipm ipm;
	bool changed, changed_again = false;
	out_init(&o, 1 << 20);
	out_init(&again, 1 << 20);
	if (ipm_wrap(in, how, a, &o, &changed, NULL)) {
		assert(changed == (out_len(&o) > 0));
		arena_reset(a);
		if (changed && !ipm_parse(out_view(&o), &ipm, a, &how->limits, NULL))
			assert(arena_full(a));
		arena_reset(a);
		/* The texts' pieces are one now, so nothing needs more elements or depth than it did. */
		if (changed && !ipm_wrap(out_view(&o), how, a, &again, &changed_again, NULL))
			assert(arena_full(a));
		assert(!changed_again);
	}
	out_fini(&o);
	out_fini(&again);
}

static void text(struct view in, enum charset from, unsigned registration, const struct ipm_wrap *how)
{
	struct out o, again;
	enum ipm_wrapped wrapped;
	size_t n, n_again;
	out_init(&o, 1 << 20);
	out_init(&again, 1 << 20);
	if (!ipm_wrap_text(in, from, registration, how, &o, &n, &wrapped, NULL))
		CANT_HAPPEN("out of time without a clock");
	assert(wrapped == IPM_WRAP_CHANGED ? n == out_len(&o) : out_len(&o) == 0 && n == in.n);
	if (wrapped == IPM_WRAP_CHANGED) {
		if (!ipm_wrap_text(out_view(&o), from, registration, how, &again, &n_again, &wrapped, NULL))
			CANT_HAPPEN("out of time without a clock");
		assert(wrapped == IPM_WRAP_SAME && n_again == n);
	}
	out_fini(&o);
	out_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct view in = view_of(data + 1, size - 1);
	struct ipm_wrap how = { .column = data[0], .limits = ipm_limits_default() };
	how.limits.elements = 20000;
	struct arena *a = arena_new(1 << 22);
	content(in, &how, a);
	text(in, CHARSET_IA5, CHARSET_REG_NONE, &how);
	text(in, CHARSET_GENERAL, CHARSET_REG_LATIN1, &how);
	text(in, CHARSET_GENERAL, CHARSET_REG_UTF8, &how);
	arena_free(&a);
	return 0;
}
