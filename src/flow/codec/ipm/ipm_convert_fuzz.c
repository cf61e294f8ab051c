/* ipm_convert_fuzz.c - any octets as a content for a peer of another age; the first two octets say how. What comes out is a content
 * still, and doing the same again changes nothing more of its body. The octets as MIME too. */
#include "base/check.h"
#include "flow/codec/ipm/ipm_convert.h"
#include "flow/codec/ipm/ipm_mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ipm_convert how_of(const uint8_t *data)
{
	const unsigned age = data[0] % 3;
	struct ipm_convert how = {
		.to_84 = age == 1, .from_84 = age == 2, .no_part_15 = data[0] & 8, .no_free_form = data[0] & 16,
		.text = (enum ipm_text)(data[0] >> 6), .no_loss = data[1] & 1, .prohibited = data[1] & 2,
		.column = data[1] & 4 ? data[1] : 0, .limits = ipm_limits_default(),
	};
	how.limits.elements = 20000;
	return how;
}

static void content(struct view in, const struct ipm_convert *how, struct arena *a)
{
	struct out o, again;
	struct ipm ipm;
	struct ipm_converted done, done_again;
	out_init(&o, 1 << 20);
	out_init(&again, 1 << 20);
	if (ipm_convert(in, 22, how, a, &o, &done, NULL)) {
		assert(done.changed == (out_len(&o) > 0));
		arena_reset(a);
		if (done.changed && !ipm_parse(out_view(&o), &ipm, a, &how->limits, NULL))
			assert(arena_full(a));
		arena_reset(a);
		/* MIME in MIME is opened a layer a time only when the outer one is the same part again: not compared. */
		if (done.changed && !how->from_84 && ipm_convert(out_view(&o), done.content_type, how, a, &again, &done_again, NULL))
			assert(!done_again.parts);
	} else {
		assert(out_len(&o) == 0);
	}
	out_fini(&o);
	out_fini(&again);
}

static void mime(struct view in, struct arena *a)
{
	struct ipm_mime m, back;
	struct out o;
	out_init(&o, 1 << 22);
	arena_reset(a);
	if (ipm_mime_open(in, &m, a))
		assert(m.octets.n <= in.n);
	ipm_mime_put_part((struct view){ NULL, 0 }, in, &o);
	if (ipm_mime_open(out_view(&o), &back, a))
		assert(back.kind == IPM_MIME_PART && view_eq(back.octets, in));
	else
		assert(arena_full(a));
	out_clear(&o);
	ipm_mime_put_text(CHARSET_REG_LATIN1, in, &o);
	if (ipm_mime_open(out_view(&o), &back, a))
		assert(back.kind == IPM_MIME_TEXT && back.registration == CHARSET_REG_LATIN1);
	else
		assert(arena_full(a));
	out_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const struct ipm_convert how = how_of(data);
	struct arena *a = arena_new(1 << 22);
	content(view_of(data + 2, size - 2), &how, a);
	mime(view_of(data + 2, size - 2), a);
	arena_free(&a);
	return 0;
}
