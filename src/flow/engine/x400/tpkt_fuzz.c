/* tpkt_fuzz.c - any octets, in two ways of cutting them: the same TPDUs, the same end, and always
 * progress. */
#include "base/mem.h"
#include "base/out.h"
#include "flow/engine/x400/tpkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every octet of every TPDU, a mark where one ends; false when the stream failed. */
static bool run(struct view in, size_t chunk, size_t buf_max, struct out *seen)
{
	struct tpkt *t = tpkt_new(buf_max);
	enum step step = STEP_WAIT;
	while (in.n > 0 && step != STEP_FAIL) {
		size_t n = tpkt_feed(t, view_first(in, chunk));
		assert(n > 0);
		in = view_from(in, n);
		struct tpkt_part part;
		while ((step = tpkt_peek(t, &part, NULL)) == STEP_DONE && part.bytes.n > 0) {
			assert(part.bytes.n <= part.left && part.left <= TPKT_TPDU_MAX);
			size_t take = (part.bytes.n + 1) / 2;
			out_bytes(seen, view_first(part.bytes, take));
			if (take == part.left)
				out_str(seen, "\xff|");
			tpkt_take(t, take);
		}
		assert(tpkt_buffer_size(t) <= buf_max);
		tpkt_rest(t);
	}
	tpkt_free(&t);
	return step != STEP_FAIL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 1u << 16)
		return 0;
	struct view in = view_of(data + 1, size - 1);
	struct out a, b;
	out_init(&a, 1 << 20);
	out_init(&b, 1 << 20);
	bool ok_a = run(in, 1u + data[0], TPKT_BUF_MIN, &a);
	bool ok_b = run(in, SIZE_MAX, 65536, &b);
	assert(ok_a == ok_b && view_eq(out_view(&a), out_view(&b)));
	out_fini(&a);
	out_fini(&b);
	return 0;
}
