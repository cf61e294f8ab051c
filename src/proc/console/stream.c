/* stream.c - see stream.h. */
#include "proc/console/stream.h"

#include "base/mem.h"
#include "proc/console/jout.h"
#include "proc/console/session.h"

struct frame {
	uint8_t *p;
	size_t n;
};

struct viewer {
	struct stream_hub *hub;
	struct request *request;
	struct viewer *next, **prev;
	uint64_t at;             /* number of the frame he reads */
	size_t offset;           /* in it */
	struct out first;        /* his alone, before the frames */
	char token[SESSION_TEXT + 1];
	struct sampler_place place; /* among the links, in pages, when there are no frames */
	bool catches_up;         /* with what he has missed, before the frames */
	uint64_t after, until;   /* numbers of events */
	bool ends;               /* after `first` */
	bool is_cut;
};

struct stream_hub {
	unsigned magic;
#define STREAM_HUB_MAGIC 0x57e40b00u
	const struct stream_hub_events *events;
	void *ctx;
	struct frame frames[STREAM_FRAMES]; /* number n is at n % STREAM_FRAMES */
	uint64_t oldest, next;
	size_t octets;
	struct viewer *viewers;
	size_t n_viewers;
};

struct stream_hub *stream_hub_new(const struct stream_hub_events *events, void *ctx)
{
	struct stream_hub *h = mem_zero(sizeof *h);
	h->magic = STREAM_HUB_MAGIC;
	h->events = events;
	h->ctx = ctx;
	return h;
}

static void drop_oldest(struct stream_hub *h)
{
	struct frame *f = &h->frames[h->oldest++ % STREAM_FRAMES];
	h->octets -= f->n;
	MEM_FREE(f->p);
}

void stream_hub_free(struct stream_hub **hp)
{
	struct stream_hub *h = *hp;
	if (h == NULL)
		return;
	CHECK(h, STREAM_HUB_MAGIC);
	assert(h->viewers == NULL);
	while (h->oldest < h->next)
		drop_oldest(h);
	h->magic = 0;
	MEM_FREE(*hp);
}

void stream_frame(struct out *o, const char *event, uint64_t id, struct view data)
{
	if (id != 0)
		out_fmt(o, "id: %llu\n", (unsigned long long)id);
	out_fmt(o, "event: %s\ndata: ", event);
	out_bytes(o, data);
	out_str(o, "\n\n");
}

/* What he has not read is not kept any more. */
static void cut(struct viewer *v)
{
	if (v->is_cut)
		return;
	v->is_cut = true;
	v->hub->events->cut(v->hub->ctx, v->request->address);
	request_cut(v->request);
}

void stream_hub_send(struct stream_hub *h, const char *event, uint64_t id, struct view data)
{
	struct out o;
	if (h->viewers == NULL)
		return;
	out_init(&o, STREAM_OCTETS / 2);
	stream_frame(&o, event, id, data);
	const size_t n = o.bad ? 0 : out_len(&o);
	while (h->oldest < h->next && (h->next - h->oldest == STREAM_FRAMES || h->octets + n > STREAM_OCTETS))
		drop_oldest(h);
	if (n > 0) {
		h->frames[h->next++ % STREAM_FRAMES] = (struct frame){ mem_dup(out_view(&o).p, n), n };
		h->octets += n;
	}
	out_fini(&o);
	for (struct viewer *v = h->viewers; v != NULL; v = v->next)
		if (v->at < h->oldest)
			cut(v);
		else
			request_wake(v->request);
}

/* --- one viewer --- */

static size_t take_first(struct viewer *v, uint8_t *to, size_t n)
{
	const size_t got = out_len(&v->first) < n ? out_len(&v->first) : n;
	memcpy(to, out_view(&v->first).p, got);
	out_drop(&v->first, got);
	return got;
}

static size_t on_read(void *ctx, uint8_t *to, size_t n, bool *end_r, bool *broken_r)
{
	struct viewer *v = ctx;
	struct stream_hub *h = v->hub;
	size_t got = 0;
	if (v->catches_up && out_len(&v->first) == 0 && !v->ends)
		v->catches_up = h->events->missed(h->ctx, &v->after, v->until, &v->first);
	if (out_len(&v->first) > 0 && v->offset == 0)
		return take_first(v, to, n);
	if (v->ends && v->offset == 0) {
		*end_r = true;
		return 0;
	}
	if (v->is_cut || v->at < h->oldest) {
		*broken_r = true;
		return 0;
	}
	while (got < n && v->at < h->next) {
		const struct frame *f = &h->frames[v->at % STREAM_FRAMES];
		const size_t piece = f->n - v->offset < n - got ? f->n - v->offset : n - got;
		memcpy(to + got, f->p + v->offset, piece);
		got += piece;
		v->offset += piece;
		if (v->offset < f->n)
			break;
		v->offset = 0;
		v->at++;
		if (out_len(&v->first) > 0)
			break; /* a bye has come meanwhile */
	}
	/* Behind all frames: what is in a page is newer than what they say. */
	if (got == 0 && v->at == h->next && h->events->page(h->ctx, &v->place, &v->first))
		return take_first(v, to, n);
	return got;
}

static void on_gone(void *ctx, bool silent)
{
	struct viewer *v = ctx;
	struct stream_hub *h = v->hub;
	if (silent && !v->is_cut)
		h->events->cut(h->ctx, v->request->address);
	*v->prev = v->next;
	if (v->next != NULL)
		v->next->prev = v->prev;
	out_fini(&v->first);
	free(v);
	h->events->viewers(h->ctx, --h->n_viewers);
}

void stream_hub_join(struct stream_hub *h, struct request *r, const struct stream_join *j)
{
	static const struct server_stream stream = { .read = on_read, .gone = on_gone };
	struct viewer *v = mem_zero(sizeof *v);
	v->hub = h;
	v->request = r;
	v->at = h->next;
	out_init(&v->first, STREAM_OCTETS);
	out_bytes(&v->first, j->first);
	snprintf(v->token, sizeof v->token, "%.*s", (int)j->token.n, (const char *)j->token.p);
	v->catches_up = j->again;
	v->after = j->after;
	v->until = j->until;
	v->next = h->viewers;
	v->prev = &h->viewers;
	if (v->next != NULL)
		v->next->prev = &v->next;
	h->viewers = v;
	h->n_viewers++;
	request_stream(r, &stream, v);
	h->events->viewers(h->ctx, h->n_viewers);
}

static void say_bye(struct viewer *v, const char *why)
{
	struct out text;
	struct jout j = { &text, false };
	out_init(&text, 400);
	jout_open(&j, NULL, '{');
	jout_str(&j, "error", why);
	jout_close(&j, '}');
	stream_frame(&v->first, "bye", 0, out_view(&text));
	out_fini(&text);
	v->ends = true;
	request_wake(v->request);
}

void stream_hub_review(struct stream_hub *h, bool (*still)(void *ctx, struct view token), void *ctx, const char *why)
{
	for (struct viewer *v = h->viewers; v != NULL; v = v->next)
		if (!v->ends && !still(ctx, view_str(v->token)))
			say_bye(v, why);
}

size_t stream_hub_viewers(const struct stream_hub *h)
{
	return h->n_viewers;
}

size_t stream_hub_viewers_of(const struct stream_hub *h, const char *payer)
{
	size_t n = 0;
	for (const struct viewer *v = h->viewers; v != NULL; v = v->next)
		n += strcmp(v->request->payer, payer) == 0;
	return n;
}
