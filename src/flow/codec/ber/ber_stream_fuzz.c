/* ber_stream_fuzz.c - the tokenizer against ber_tlv, which looks at whole octets: each accepts what
 * the other accepts, and sees the same elements. The first octet is the size of the pieces. */
#include "base/out.h"
#include "flow/codec/ber/ber.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = 24 };

static void put_open(struct out *o, uint32_t tag, bool constructed, bool definite)
{
	out_u8(o, constructed ? '<' : '(');
	out_u32(o, tag);
	out_u8(o, definite ? 'd' : 'i');
}

/* What a walk with ber_tlv sees of the elements in `in`; false when one is bad. */
static bool walk(struct view in, unsigned depth, struct out *o)
{
	const struct ber_limits limits = {DEPTH + 1 - depth, SIZE_MAX, SIZE_MAX};
	while (in.n > 0) {
		struct ber_tlv tlv;
		if (depth > DEPTH || !ber_tlv(in, &tlv, &limits, NULL))
			return false;
		put_open(o, tlv.tag, tlv.constructed, !tlv.indefinite);
		if (!tlv.constructed)
			out_bytes(o, tlv.content);
		else if (!walk(tlv.content, depth + 1, o))
			return false;
		out_u8(o, '>');
		in = view_from(in, tlv.whole.n);
	}
	return true;
}

static void show(struct out *o, const struct ber_stream_event *ev)
{
	switch (ev->what) {
	case BER_S_OPEN: put_open(o, ev->tag, ev->constructed, ev->definite); break;
	case BER_S_BYTES: out_bytes(o, ev->bytes); break;
	case BER_S_CLOSE: out_u8(o, '>'); break;
	}
}

/* The same from the tokenizer; every octet comes back in a header or as bytes. True: it ended
 * between values. */
static bool tokenize(struct view in, size_t piece, struct out *o)
{
	struct ber_stream *s = ber_stream_new(DEPTH);
	struct out octets;
	enum step step = STEP_WAIT;
	unsigned open = 0;
	size_t at = 0;
	out_init(&octets, 1u << 24);
	while (at < in.n && step == STEP_WAIT) {
		struct view left = view_first(view_from(in, at), piece);
		struct ber_stream_event ev;
		at += left.n;
		while ((step = ber_stream_next(s, &left, &ev, NULL)) == STEP_DONE) {
			show(o, &ev);
			out_bytes(&octets, ev.header);
			out_bytes(&octets, ev.bytes);
			open += ev.what == BER_S_OPEN;
			open -= ev.what == BER_S_CLOSE;
			assert(open <= DEPTH);
		}
		assert(step == STEP_FAIL || left.n == 0);
	}
	const bool whole = step == STEP_WAIT && out_len(&octets) == in.n && open == 0;
	assert(view_eq(out_view(&octets), view_first(in, out_len(&octets))));
	out_fini(&octets);
	ber_stream_free(&s);
	return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct view in = view_of(data + 1, size - 1);
	struct out by_tlv, by_stream;
	out_init(&by_tlv, 1u << 24);
	out_init(&by_stream, 1u << 24);
	const bool good = walk(in, 1, &by_tlv);
	const bool whole = tokenize(in, data[0] == 0 ? SIZE_MAX : data[0], &by_stream);
	assert(good == whole);
	if (good)
		assert(view_eq(out_view(&by_tlv), out_view(&by_stream)));
	out_fini(&by_tlv);
	out_fini(&by_stream);
	return 0;
}
