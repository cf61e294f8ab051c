/* p1_split.c - a transfer's octets to envelope, content, end, as they come.
 *
 *   START -> WRAPPER -> APDU -> ENVELOPE -> BETWEEN -> CONTENT -> TAIL -> ENDED     a message
 *                         \--> ENVELOPE (the whole APDU) -----------------> ENDED     a report, a
 * probe
 *
 *                                            \--> PEEK --/
 * PEEK, for a content of 1984 that is external (1): the envelope waits until the first octets of the content have told its type.
 * WRAPPER is skipped for a bare MTS-APDU. What is kept is the envelope's octets, bit for bit, and
 * nothing of the content: its pieces are handed on as views of the input. */
#include "flow/codec/p1/p1_84.h"

#include "base/mem.h"

enum state { START, WRAPPER, APDU, ENVELOPE, BETWEEN, PEEK, CONTENT, TAIL, ENDED, BROKEN };

/* Invariants: `envelope` holds the octets of the element that opened at depth `top` while in
 * ENVELOPE, and stays until reset; `base` is the depth of the MTS-APDU's own element, 0 until it is
 * open. */
struct p1_split {
	unsigned magic;
#define P1_SPLIT_MAGIC 0x91511701u
	enum state state;
	enum message_kind kind;
	enum p1_tables tables;
	unsigned base, top;
	bool closed; /* the outermost element has ended */
	struct ber_stream *stream;
	struct ber_limits limits;
	struct out envelope;
	struct message message;
	bool held;             /* the envelope is not told yet */
	uint64_t content_n;    /* PEEK: length of the content */
	uint8_t head[P1_84_EXTERNAL_MAX];
	size_t n_head;
	struct view pending[2]; /* content to be told before the stream goes on: of `head`, of the input */
};

enum { WRAPPER_DEPTH = 4, KEEP_MAX = 4 * 1024 };

struct p1_split *p1_split_new(size_t envelope_max, const struct ber_limits *limits)
{
	struct p1_split *s = mem_zero(sizeof *s);
	s->magic = P1_SPLIT_MAGIC;
	s->limits = *limits;
	s->stream = ber_stream_new(limits->depth + WRAPPER_DEPTH);
	out_init(&s->envelope, envelope_max);
	return s;
}

void p1_split_free(struct p1_split **s)
{
	if (*s == NULL)
		return;
	CHECK(*s, P1_SPLIT_MAGIC);
	(*s)->magic = 0;
	ber_stream_free(&(*s)->stream);
	out_fini(&(*s)->envelope);
	MEM_FREE(*s);
}

void p1_split_forget(struct p1_split *s)
{
	CHECK(s, P1_SPLIT_MAGIC);
	s->message = (struct message){0};
	size_t max = s->envelope.max;
	if (s->envelope.cap > KEEP_MAX)
		out_fini(&s->envelope);
	if (s->envelope.cap == 0)
		out_init(&s->envelope, max);
	out_clear(&s->envelope);
}

void p1_split_reset(struct p1_split *s)
{
	CHECK(s, P1_SPLIT_MAGIC);
	s->state = START;
	s->base = s->top = 0;
	s->closed = s->held = false;
	s->n_head = 0;
	s->pending[0] = s->pending[1] = (struct view){ NULL, 0 };
	ber_stream_reset(s->stream);
	p1_split_forget(s);
}

void p1_split_tables(struct p1_split *s, enum p1_tables tables)
{
	CHECK(s, P1_SPLIT_MAGIC);
	assert(s->state == START);
	s->tables = tables;
}

struct view p1_split_envelope(const struct p1_split *s)
{
	CHECK(s, P1_SPLIT_MAGIC);
	return out_view(&s->envelope);
}

/* The stream itself is damaged or is no MTS-APDU. */
static enum step damaged(struct p1_split *s, struct err *e, const char *what, uint32_t tag)
{
	static const char *const class_name[] = {"UNIVERSAL", "APPLICATION", "CONTEXT", "PRIVATE"};
	s->state = BROKEN;
	err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "P1 transfer: found [%s %u], %s",
		class_name[ber_tag_class(tag)], ber_tag_number(tag), what);
	return STEP_FAIL;
}

static enum step too_long(struct p1_split *s, struct err *e)
{
	s->state = BROKEN;
	err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13,
		   "P1: the %s is longer than the limit of %zu octets",
		   s->kind == MESSAGE_MESSAGE ? "envelope" : message_kind_name(s->kind),
		   s->envelope.max);
	return STEP_FAIL;
}

/* An envelope of known length is taken in one piece, and one that is too long refused before any of
 * it is kept. */
static enum step begin_envelope(struct p1_split *s, const struct ber_stream_event *ev,
				struct err *e)
{
	s->state = ENVELOPE;
	s->top = ev->depth;
	out_bytes(&s->envelope, ev->header);
	if (s->envelope.bad || (ev->definite && ev->length > out_room(&s->envelope)))
		return too_long(s, e);
	(void)ber_stream_opaque(s->stream); /* indefinite: element by element */
	return STEP_WAIT;
}

static enum step begin_apdu(struct p1_split *s, const struct ber_stream_event *ev, struct err *e)
{
	unsigned number = ber_tag_number(ev->tag);
	if (ber_tag_class(ev->tag) != BER_CONTEXT || number > MESSAGE_PROBE || !ev->constructed)
		return damaged(s, e, "want message [0], report [1] or probe [2]", ev->tag);
	s->kind = (enum message_kind)number;
	s->base = ev->depth;
	s->state = APDU;
	if (s->kind == MESSAGE_MESSAGE)
		return STEP_WAIT;
	return begin_envelope(s, ev, e);
}

static enum step tell_envelope(struct p1_split *s, struct p1_split_event *ev_r, struct arena *a, struct err *e)
{
	s->held = false;
	if (!p1_decode_envelope(s->tables, s->kind, out_view(&s->envelope), &s->message, a, &s->limits, e)) {
		s->state = BROKEN;
		return STEP_FAIL;
	}
	*ev_r = (struct p1_split_event){.what = P1_SPLIT_ENVELOPE, .message = &s->message};
	return STEP_DONE;
}

static enum step on_open(struct p1_split *s, const struct ber_stream_event *ev, struct p1_split_event *ev_r, struct arena *a,
			 struct err *e)
{
	switch (s->state) {
	case START:
		if (ev->tag != BER_U(8) || !ev->constructed)
			return begin_apdu(s, ev, e);
		s->state = WRAPPER;
		return STEP_WAIT;
	case WRAPPER:
		/* EXTERNAL: references and descriptor are let pass; [0] holds the APDU. */
		if (ev->depth == 3)
			return begin_apdu(s, ev, e);
		if (ev->tag == BER_C(1) || ev->tag == BER_C(2) ||
		    (ev->tag == BER_C(0) && !ev->constructed))
			return damaged(s, e, "want an EXTERNAL with single-ASN1-type [0]", ev->tag);
		if (ev->constructed && ev->tag != BER_C(0))
			return damaged(s, e, "want references and [0] in an EXTERNAL", ev->tag);
		return STEP_WAIT;
	case APDU:
		if (ev->tag != BER_U(17) || !ev->constructed || ev->depth != s->base + 1)
			return damaged(s, e, "want the SET of an envelope", ev->tag);
		return begin_envelope(s, ev, e);
	case ENVELOPE:
		out_bytes(&s->envelope, ev->header);
		return s->envelope.bad ? too_long(s, e) : STEP_WAIT;
	case BETWEEN:
		if (ev->tag != BER_U(4) || ev->depth != s->base + 1)
			return damaged(s, e, "want the OCTET STRING of a content", ev->tag);
		s->state = s->held && !ev->constructed ? PEEK : CONTENT;
		s->content_n = ev->length;
		s->top = ev->depth;
		return s->held && ev->constructed ? tell_envelope(s, ev_r, a, e) : STEP_WAIT;
	case PEEK:
	case CONTENT:
		/* X.690 8.7.3.2: the segments of an OCTET STRING are OCTET STRINGs. */
		return ev->tag == BER_U(4)
			       ? STEP_WAIT
			       : damaged(s, e, "want OCTET STRING as a piece of the content",
					 ev->tag);
	case TAIL:
	case ENDED:
	case BROKEN: break;
	}
	return damaged(s, e, "want the end of the transfer", ev->tag);
}

static enum step end_envelope(struct p1_split *s, struct p1_split_event *ev_r, struct arena *a,
			      struct err *e)
{
	s->held = s->kind == MESSAGE_MESSAGE && s->tables == P1_1984 && p1_84_is_external(out_view(&s->envelope));
	s->state = s->kind == MESSAGE_MESSAGE ? BETWEEN : TAIL;
	return s->held ? STEP_WAIT : tell_envelope(s, ev_r, a, e);
}

/* The first octets of a content, or (`end`) all of it: its type may be in them. */
static enum step peek(struct p1_split *s, struct view bytes, bool end, struct p1_split_event *ev_r, struct arena *a, struct err *e)
{
	const struct view part = view_first(bytes, sizeof s->head - s->n_head);
	if (part.n > 0)
		memcpy(s->head + s->n_head, part.p, part.n);
	s->n_head += part.n;
	const struct view head = view_of(s->head, s->n_head);
	struct p1_84_external x = {.header = 0};
	enum step step = p1_84_external(head, s->content_n, &x);
	if (step == STEP_WAIT && !end && s->n_head < sizeof s->head)
		return STEP_WAIT;
	s->state = CONTENT;
	if (tell_envelope(s, ev_r, a, e) != STEP_DONE)
		return STEP_FAIL;
	if (step == STEP_DONE) {
		s->message.content_type = -1;
		s->message.content_type_oid = x.oid;
	}
	s->pending[0] = view_from(head, step == STEP_DONE ? x.header : 0);
	s->pending[1] = view_from(bytes, part.n);
	return STEP_DONE;
}

/* What peek has kept, first; false: nothing. */
static bool pending(struct p1_split *s, struct p1_split_event *ev_r)
{
	for (size_t i = 0; i < ARRAY_LEN(s->pending); i++) {
		if (s->pending[i].n == 0)
			continue;
		*ev_r = (struct p1_split_event){.what = P1_SPLIT_CONTENT, .content = s->pending[i]};
		s->pending[i] = (struct view){NULL, 0};
		return true;
	}
	return false;
}

static enum step on_close(struct p1_split *s, const struct ber_stream_event *ev,
			  struct p1_split_event *ev_r, struct arena *a, struct err *e)
{
	if (s->state == ENVELOPE) {
		out_bytes(&s->envelope, ev->header);
		if (s->envelope.bad)
			return too_long(s, e);
		return ev->depth == s->top ? end_envelope(s, ev_r, a, e) : STEP_WAIT;
	}
	if (s->state == PEEK && ev->depth == s->top) { /* shorter than an EXTERNAL may be */
		enum step step = peek(s, (struct view){NULL, 0}, true, ev_r, a, e);
		if (step == STEP_DONE)
			s->state = TAIL;
		return step;
	}
	if (s->state == CONTENT && ev->depth == s->top)
		s->state = TAIL;
	return STEP_WAIT;
}

static enum step on_event(struct p1_split *s, const struct ber_stream_event *ev,
			  struct p1_split_event *ev_r, struct arena *a, struct err *e)
{
	switch (ev->what) {
	case BER_S_OPEN: return on_open(s, ev, ev_r, a, e);
	case BER_S_CLOSE: return on_close(s, ev, ev_r, a, e);
	case BER_S_BYTES:
		if (s->state == ENVELOPE) {
			out_bytes(&s->envelope, ev->bytes);
			return s->envelope.bad ? too_long(s, e) : STEP_WAIT;
		}
		if (s->state == PEEK)
			return peek(s, ev->bytes, false, ev_r, a, e);
		if (s->state != CONTENT || ev->bytes.n == 0)
			return STEP_WAIT;
		*ev_r = (struct p1_split_event){.what = P1_SPLIT_CONTENT, .content = ev->bytes};
		return STEP_DONE;
	}
	CANT_HAPPEN("an event of no kind");
}

static enum step broken(struct p1_split *s, struct err *e, const char *what)
{
	s->state = BROKEN;
	err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "P1 transfer: %s", what);
	return STEP_FAIL;
}

/* The outermost element has ended: nothing may be missing, nothing may follow. */
static enum step after_close(struct p1_split *s, struct view *in, struct p1_split_event *ev_r,
			     struct err *e)
{
	if (s->state == TAIL) {
		s->state = ENDED;
		*ev_r = (struct p1_split_event){.what = P1_SPLIT_END};
		return STEP_DONE;
	}
	if (s->state != ENDED)
		return broken(s, e, "it ends before the message is whole");
	return in->n == 0 ? STEP_WAIT : broken(s, e, "octets after the end of the MTS-APDU");
}

enum step p1_split_next(struct p1_split *s, struct view *in, struct p1_split_event *ev_r,
			struct arena *a, struct err *e)
{
	CHECK(s, P1_SPLIT_MAGIC);
	if (s->state == BROKEN)
		return broken(s, e, "it has failed before");
	if (pending(s, ev_r))
		return STEP_DONE;
	while (!s->closed) {
		struct ber_stream_event ev;
		enum step step = ber_stream_next(s->stream, in, &ev, e);
		if (step == STEP_WAIT)
			return STEP_WAIT;
		if (step == STEP_FAIL) {
			s->state = BROKEN;
			if (e != NULL) {
				e->kind = ERR_PEER;
				e->culprit = ERR_OF_ASSOCIATION;
			}
			return STEP_FAIL;
		}
		s->closed = ev.what == BER_S_CLOSE && ev.depth == 1;
		step = on_event(s, &ev, ev_r, a, e);
		if (s->state == BROKEN)
			return STEP_FAIL;
		if (step == STEP_DONE)
			return STEP_DONE;
	}
	return after_close(s, in, ev_r, e);
}
