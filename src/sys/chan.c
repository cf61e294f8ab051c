/* chan.c - see chan.h. Whole frames are handed out where they lie in the stream's buffer; only a frame that came in
 * pieces is copied together first. */
#include "sys/chan.h"

#include "base/fault.h"
#include "base/mem.h"

enum {
	LENGTH = 4, TYPE = 2, HEADER = LENGTH + TYPE,
	TYPE_HELLO = 0,
	HELLO_SIZE = 8, /* version 2, kind of process 2, instance 4 */
};

struct chan {
	unsigned magic;
#define CHAN_MAGIC 0xc4a4c4a4u
	struct env *env;
	struct stream *stream;
	const struct chan_events *events;
	void *ctx;
	struct out in;       /* the beginning of a frame of which more is to come */
	struct out nowhere;  /* what is built after the end */
	size_t frame_at;     /* while building: where the frame begins, counted from the first unsent octet */
	bool building, greeted, paused;
	bool ended;          /* nothing more comes in or goes out */
	bool freed;          /* by the user; memory goes when no callback is on the stack */
};

/* --- sending --- */

struct out *chan_begin(struct chan *c, uint16_t type)
{
	CHECK(c, CHAN_MAGIC);
	assert(!c->building);
	c->building = true;
	struct out *o = c->ended ? &c->nowhere : stream_builder(c->stream);
	c->frame_at = out_len(o);
	out_u32(o, 0);
	out_u16(o, type);
	return o;
}

static void write_failed(void *ctx)
{
	struct chan *c = ctx;
	struct err why;
	if (c->freed || c->ended)
		return;
	c->ended = true;
	err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "channel: a frame cannot be written (fault point)");
	c->events->closed(c->ctx, &why);
}

void chan_end(struct chan *c)
{
	CHECK(c, CHAN_MAGIC);
	assert(c->building);
	c->building = false;
	if (c->ended) {
		out_clear(&c->nowhere);
		return;
	}
	struct out *o = stream_builder(c->stream);
	size_t n = out_len(o) - c->frame_at - LENGTH;
	assert(!o->bad && n <= CHAN_FRAME_MAX);
	uint8_t *at = o->p + o->head + c->frame_at;
	for (unsigned i = 0; i < LENGTH; i++)
		at[i] = (uint8_t)(n >> (8 * (LENGTH - 1 - i)));
	stream_built(c->stream);
	if (FAULT(CHAN_WRITE))
		env_defer(c->env, write_failed, c);
}

void chan_send(struct chan *c, uint16_t type, struct view payload)
{
	out_bytes(chan_begin(c, type), payload);
	chan_end(c);
}

size_t chan_unsent(const struct chan *c)
{
	CHECK(c, CHAN_MAGIC);
	return c->ended ? 0 : stream_unsent(c->stream);
}

/* --- receiving --- */

/* The last callback: after it c may be on its way to be freed. */
static void end(struct chan *c, const struct err *why)
{
	if (c->ended || c->freed)
		return;
	c->ended = true;
	c->events->closed(c->ctx, why);
}

static void nonsense(struct chan *c, const char *what, unsigned type, size_t n, const char *text)
{
	struct err why;
	err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "channel to %.40s: %s (type %u, %zu octets)%s%s",
		stream_peer(c->stream), what, type, n, *text == 0 ? "" : ": ", text);
	stream_pause(c->stream);
	end(c, &why);
}

static const struct chan_type *find_type(const struct chan *c, unsigned type)
{
	size_t low = 0, high = c->events->n_types;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (c->events->types[mid].type < type)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == c->events->n_types || c->events->types[low].type != type)
		return NULL;
	return &c->events->types[low];
}

/* Before a payload is kept: may a frame like this come at all? n: its payload. */
static bool header_ok(struct chan *c, unsigned type, size_t length)
{
	size_t n = length - TYPE;
	const struct chan_type *t = find_type(c, type);
	if (length < TYPE || length > CHAN_FRAME_MAX)
		nonsense(c, "a frame of impossible length", type, length, "");
	else if (!c->greeted && (type != TYPE_HELLO || n != HELLO_SIZE))
		nonsense(c, "the first frame is no greeting", type, n, "");
	else if (c->greeted && (t == NULL || t->handle == NULL))
		nonsense(c, "an unknown message", type, n, "");
	else if (c->greeted && n > t->max)
		nonsense(c, "a message over its limit", type, n, t->name);
	else
		return true;
	return false;
}

static void handle_hello(struct chan *c, struct view payload)
{
	struct cur p = cur_of(payload);
	unsigned version = cur_u16(&p), kind = cur_u16(&p);
	uint32_t instance = cur_u32(&p);
	if (version != CHAN_VERSION) {
		if (c->events->other_version != NULL)
			c->events->other_version(c->ctx, version);
		nonsense(c, "another version of the protocol", TYPE_HELLO, payload.n, "");
		return;
	}
	c->greeted = true;
	if (c->events->hello != NULL)
		c->events->hello(c->ctx, kind, instance);
}

static void handle_frame(struct chan *c, unsigned type, struct view payload)
{
	struct err e = { 0 };
	if (!c->greeted) {
		handle_hello(c, payload);
		return;
	}
	const struct chan_type *t = find_type(c, type);
	if (t->handle(c->ctx, payload, &e) || c->freed)
		return;
	char what[64];
	snprintf(what, sizeof what, "message %s makes no sense", t->name);
	nonsense(c, what, type, payload.n, e.text);
}

static bool takes_more(const struct chan *c)
{
	return !c->ended && !c->freed && !c->paused;
}

/* The frame at the beginning of v: 0 when it is not whole yet (*want_r says how much it needs) or refused. */
static size_t frame_at_front(struct chan *c, struct view v, size_t *want_r)
{
	struct cur h = cur_of(v);
	size_t length = cur_u32(&h);
	unsigned type = cur_u16(&h);
	*want_r = HEADER;
	if (h.bad || !header_ok(c, type, length))
		return 0;
	*want_r = LENGTH + length;
	if (v.n < *want_r)
		return 0;
	handle_frame(c, type, view_of(v.p + HEADER, length - TYPE));
	return LENGTH + length;
}

/* Completes the frame begun in c->in from v; how much of v that took. */
static size_t complete(struct chan *c, struct view v)
{
	size_t taken = 0, want = 0;
	while (takes_more(c) && out_len(&c->in) > 0) {
		size_t whole = frame_at_front(c, out_view(&c->in), &want);
		if (whole > 0) {
			out_clear(&c->in);
			if (c->in.cap > STREAM_LOW) {
				out_fini(&c->in);
				out_init(&c->in, LENGTH + CHAN_FRAME_MAX);
			}
			break;
		}
		struct view more = view_first(view_from(v, taken), want - out_len(&c->in));
		if (more.n == 0 || !takes_more(c))
			break;
		out_bytes(&c->in, more);
		taken += more.n;
	}
	return taken;
}

static size_t on_data(void *ctx, struct view data)
{
	struct chan *c = ctx;
	CHECK(c, CHAN_MAGIC);
	size_t taken = complete(c, data), want = 0;
	while (takes_more(c) && taken < data.n && out_len(&c->in) == 0) {
		size_t whole = frame_at_front(c, view_from(data, taken), &want);
		taken += whole;
		if (whole > 0 || !takes_more(c))
			continue;
		out_bytes(&c->in, view_from(data, taken));
		taken = data.n;
	}
	return c->ended || c->freed ? data.n : taken;
}

static void on_drained(void *ctx)
{
	struct chan *c = ctx;
	CHECK(c, CHAN_MAGIC);
	if (c->events->drained != NULL && !c->ended)
		c->events->drained(c->ctx);
}

static void on_closed(void *ctx, const struct err *why)
{
	struct chan *c = ctx;
	CHECK(c, CHAN_MAGIC);
	end(c, why);
}

static const struct stream_events stream_events = {
	.data = on_data, .drained = on_drained, .closed = on_closed,
};

/* --- life --- */

void chan_set_events(struct chan *c, const struct chan_events *events, void *ctx)
{
	CHECK(c, CHAN_MAGIC);
	for (size_t i = 0; i < events->n_types; i++)
		assert(events->types[i].type > (i == 0 ? TYPE_HELLO : events->types[i - 1].type));
	c->events = events;
	c->ctx = ctx;
}

struct chan *chan_new(struct stream **s, const struct chan_events *events, void *ctx, unsigned process_kind,
		      uint32_t instance)
{
	CHECK(*s, STREAM_MAGIC);
	struct chan *c = mem_zero(sizeof *c);
	c->magic = CHAN_MAGIC;
	c->env = (*s)->env;
	c->stream = *s;
	chan_set_events(c, events, ctx);
	out_init(&c->in, LENGTH + CHAN_FRAME_MAX);
	out_init(&c->nowhere, SIZE_MAX / 2);
	*s = NULL;
	stream_set_events(c->stream, &stream_events, c);
	struct out *o = chan_begin(c, TYPE_HELLO);
	out_u16(o, CHAN_VERSION);
	out_u16(o, (uint16_t)process_kind);
	out_u32(o, instance);
	chan_end(c);
	return c;
}

static void release(void *ctx)
{
	struct chan *c = ctx;
	out_fini(&c->in);
	out_fini(&c->nowhere);
	c->magic = 0;
	free(c);
}

void chan_free(struct chan **c, bool flush)
{
	if (*c == NULL)
		return;
	CHECK(*c, CHAN_MAGIC);
	assert(!(*c)->freed);
	(*c)->freed = true;
	stream_close(&(*c)->stream, flush);
	env_defer((*c)->env, release, *c);
	*c = NULL;
}

void chan_pause(struct chan *c, bool paused)
{
	CHECK(c, CHAN_MAGIC);
	if (c->paused == paused || c->ended)
		return;
	c->paused = paused;
	if (paused)
		stream_pause(c->stream);
	else
		stream_resume(c->stream);
}
