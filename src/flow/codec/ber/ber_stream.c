/* ber_stream.c - BER in pieces of any size. Kept are the open elements and the octets of a header
 * not yet whole. Ends are counted from the start of the outermost element: an indefinite element
 * takes over the end of what it lies in, so that the nearest definite length bounds every header
 * and every content. */
#include "flow/codec/ber/ber_private.h"

#include "base/cur.h"
#include "base/mem.h"

struct level {
	uint32_t tag;
	bool constructed, indefinite;
	uint64_t end;	/* of the nearest definite element: this one or one around it */
	uint64_t bound; /* its length, for texts */
};

/* Invariant between calls: pos <= end of the top level; n_head octets of `head` are a header not
 * yet whole, of an element that begins at pos - n_head. A primitive is only ever the top level. */
struct ber_stream {
	unsigned magic;
#define BER_STREAM_MAGIC 0xbe55ea01u
	bool failed;
	bool head_used; /* the last event shows `head`: it ends with this call */
	unsigned depth, depth_max;
	unsigned n_head;
	uint64_t pos, length_max;
	uint8_t head[BER_HEAD_MAX];
	struct level levels[];
};

struct ber_stream *ber_stream_new(unsigned depth_max)
{
	struct ber_stream *s =
		mem_zero(mem_add(sizeof *s, mem_mul(depth_max, sizeof s->levels[0])));
	s->magic = BER_STREAM_MAGIC;
	s->depth_max = depth_max;
	s->length_max = INT64_MAX;
	return s;
}

void ber_stream_free(struct ber_stream **s)
{
	if (*s == NULL)
		return;
	CHECK(*s, BER_STREAM_MAGIC);
	(*s)->magic = 0;
	MEM_FREE(*s);
}

void ber_stream_limit(struct ber_stream *s, uint64_t length_max)
{
	CHECK(s, BER_STREAM_MAGIC);
	s->length_max = length_max < INT64_MAX ? length_max : INT64_MAX;
}

void ber_stream_reset(struct ber_stream *s)
{
	CHECK(s, BER_STREAM_MAGIC);
	s->failed = s->head_used = false;
	s->depth = s->n_head = 0;
	s->pos = 0;
}

bool ber_stream_opaque(struct ber_stream *s)
{
	CHECK(s, BER_STREAM_MAGIC);
	if (s->depth == 0 || s->levels[s->depth - 1].indefinite)
		return false;
	s->levels[s->depth - 1].constructed = false;
	return true;
}

static enum step fail(struct ber_stream *s, struct err *e, const char *what)
{
	s->failed = true;
	err_set(e, ERR_PERM, ERR_OF_MESSAGE, "BER: %s, at octet %llu", what,
		(unsigned long long)s->pos);
	return STEP_FAIL;
}

/* The end that bounds what comes next, and how long the element is that ends there. */
static uint64_t end_of(const struct ber_stream *s, uint64_t *bound_r)
{
	*bound_r = s->depth == 0 ? s->length_max : s->levels[s->depth - 1].bound;
	return s->depth == 0 ? s->length_max : s->levels[s->depth - 1].end;
}

static enum step close_top(struct ber_stream *s, struct ber_stream_event *ev_r)
{
	const struct level *top = &s->levels[s->depth - 1];
	ev_r->what = BER_S_CLOSE;
	ev_r->tag = top->tag;
	ev_r->constructed = top->constructed;
	ev_r->definite = !top->indefinite;
	ev_r->depth = s->depth;
	s->depth--;
	if (s->depth == 0)
		s->pos = 0;
	return STEP_DONE;
}

static enum step open_element(struct ber_stream *s, const struct ber_head *h,
			      struct ber_stream_event *ev_r, struct err *e)
{
	uint64_t bound, end = end_of(s, &bound);
	if (h->length > end - s->pos) {
		s->failed = true;
		err_set(e, ERR_PERM, ERR_OF_MESSAGE,
			"BER: an element of length %zu where %llu octets are left "
			"of the %llu around it, at octet %llu",
			h->length, (unsigned long long)(end - s->pos), (unsigned long long)bound,
			(unsigned long long)s->pos);
		return STEP_FAIL;
	}
	if (s->depth >= s->depth_max)
		return fail(s, e, "elements nested deeper than the limit");
	s->levels[s->depth++] = (struct level){
		.tag = h->tag,
		.constructed = h->constructed,
		.indefinite = h->indefinite,
		.end = h->indefinite ? end : s->pos + h->length,
		.bound = h->indefinite ? bound : h->length,
	};
	*ev_r = (struct ber_stream_event){
		.what = BER_S_OPEN,
		.tag = h->tag,
		.constructed = h->constructed,
		.definite = !h->indefinite,
		.length = h->length,
		.depth = s->depth,
		.header = view_of(s->head, s->n_head),
	};
	s->head_used = true;
	return STEP_DONE;
}

static enum step end_of_contents(struct ber_stream *s, const struct ber_head *h,
				 struct ber_stream_event *ev_r, struct err *e)
{
	if (h->constructed || h->length != 0 || h->size != 2 || s->depth == 0 ||
	    !s->levels[s->depth - 1].indefinite)
		return fail(s, e, "tag 0 where no end-of-contents is due");
	*ev_r = (struct ber_stream_event){.header = view_of(s->head, s->n_head)};
	s->head_used = true;
	return close_top(s, ev_r);
}

static enum step past_end(struct ber_stream *s, struct err *e)
{
	return fail(s, e,
		    s->n_head == 0
			    ? "no end-of-contents before the end of the definite length around it"
			    : "a header cut short by the end of the definite length around it");
}

/* Collects header octets one by one; a header has few, and may lie across pieces. */
static enum step next_header(struct ber_stream *s, struct view *in, struct ber_stream_event *ev_r,
			     struct err *e)
{
	uint64_t bound, end = end_of(s, &bound);
	if (s->pos >= end)
		return past_end(s, e);
	while (in->n > 0) {
		struct ber_head h;
		const char *why = "";
		s->head[s->n_head++] = in->p[0];
		s->pos++;
		*in = view_from(*in, 1);
		switch (ber_head_read(view_of(s->head, s->n_head), &h, &why)) {
		case STEP_FAIL: return fail(s, e, why);
		case STEP_WAIT:
			assert(s->n_head < BER_HEAD_MAX);
			if (s->pos >= end)
				return past_end(s, e);
			break;
		case STEP_DONE:
			return h.tag == BER_U(0) ? end_of_contents(s, &h, ev_r, e)
						 : open_element(s, &h, ev_r, e);
		}
	}
	return STEP_WAIT;
}

static enum step next_bytes(struct ber_stream *s, struct view *in, struct ber_stream_event *ev_r)
{
	const struct level *top = &s->levels[s->depth - 1];
	const uint64_t left = top->end - s->pos;
	if (in->n == 0)
		return STEP_WAIT;
	const size_t n = left < in->n ? (size_t)left : in->n;
	*ev_r = (struct ber_stream_event){
		.what = BER_S_BYTES,
		.tag = top->tag,
		.depth = s->depth,
		.bytes = view_first(*in, n),
	};
	*in = view_from(*in, n);
	s->pos += n;
	return STEP_DONE;
}

enum step ber_stream_next(struct ber_stream *s, struct view *in, struct ber_stream_event *ev_r,
			  struct err *e)
{
	CHECK(s, BER_STREAM_MAGIC);
	if (s->failed)
		return fail(s, e, "the stream has failed before");
	if (s->head_used)
		s->n_head = 0;
	s->head_used = false;
	const struct level *top = s->depth == 0 ? NULL : &s->levels[s->depth - 1];
	if (top != NULL && !top->indefinite && s->pos == top->end && s->n_head == 0) {
		*ev_r = (struct ber_stream_event){.header = {NULL, 0}};
		return close_top(s, ev_r);
	}
	if (top != NULL && !top->constructed)
		return next_bytes(s, in, ev_r);
	return next_header(s, in, ev_r, e);
}
