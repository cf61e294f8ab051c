/* decode_live.c - see decode_live.h. */
#include "proc/tool/decode_live.h"

#include "base/mem.h"
#include "proc/tool/decode_capture.h"
#include "proc/tool/decode_stack.h"

enum { FILE_HEADER = 24, PACKET_HEADER = 16, PACKET_MAX = 256 * 1024, HELD_MAX = 4 * 1024 * 1024 };

struct talk {
	struct capture_address initiator, responder;
	struct decode_stack stack;
	struct talk *next;
};

struct decode_live {
	unsigned magic;
#define DECODE_LIVE_MAGIC 0xdec0de11u
	const struct decode_options *options;
	struct show show;
	struct decode_totals totals;
	struct decode_stash stash;
	struct out held;         /* not a whole packet yet */
	bool has_header, bad;
	struct capture_file file;
	uint8_t header[FILE_HEADER];
	uint64_t first_ns;
	size_t *connections;
	struct talk *talks;
};

struct decode_live *decode_live_new(const struct decode_options *options, decode_write_f *write, void *ctx, size_t *connections)
{
	struct decode_live *d = mem_zero(sizeof *d);
	d->magic = DECODE_LIVE_MAGIC;
	d->options = options;
	d->connections = connections;
	show_init(&d->show, options, write, ctx, &d->totals);
	out_init(&d->held, HELD_MAX);
	return d;
}

static void end_talk(struct talk **at)
{
	struct talk *t = *at;
	*at = t->next;
	decode_end(&t->stack);
	decode_stack_fini(&t->stack);
	free(t);
}

void decode_live_free(struct decode_live **dp)
{
	struct decode_live *d = *dp;
	if (d == NULL)
		return;
	CHECK(d, DECODE_LIVE_MAGIC);
	while (d->talks != NULL)
		end_talk(&d->talks);
	decode_stash_fini(&d->stash);
	show_fini(&d->show);
	out_fini(&d->held);
	d->magic = 0;
	MEM_FREE(*dp);
}

static void show_address(struct show *s, const char *key, const struct capture_address *a)
{
	struct out o;
	out_init(&o, 128);
	capture_address_print(a, &o);
	show_fmt(s, key, "%s", out_cstr(&o));
	out_fini(&o);
}

static bool same(const struct capture_address *a, const struct capture_address *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

static struct talk **find(struct decode_live *d, const struct capture_segment *s)
{
	struct talk **at = &d->talks;
	while (*at != NULL && !(same(&(*at)->initiator, &s->from) && same(&(*at)->responder, &s->to)) &&
	       !(same(&(*at)->initiator, &s->to) && same(&(*at)->responder, &s->from)))
		at = &(*at)->next;
	return at;
}

/* Who was called has port 102. */
static struct talk *begin_talk(struct decode_live *d, const struct capture_segment *s)
{
	struct talk *t = mem_zero(sizeof *t);
	const bool called = s->to.port == 102;
	t->initiator = called ? s->from : s->to;
	t->responder = called ? s->to : s->from;
	t->next = d->talks;
	d->talks = t;
	struct show_at at = { .has_time = true, .connection = ++*d->connections };
	show_event(&d->show, &at, "CONNECTION");
	if (!d->show.json)
		show_uint(&d->show, "number", at.connection);
	show_address(&d->show, "initiator", &t->initiator);
	show_address(&d->show, "responder", &t->responder);
	if ((s->flags & TCP_SYN) == 0)
		show_fmt(&d->show, "from the middle on", "it was open before the trace began");
	show_event_end(&d->show);
	at.has_side = true;
	decode_stack_init(&t->stack, &d->show, d->options, &at, &d->stash);
	return t;
}

static void take_packet(struct decode_live *d, const struct capture_packet *p)
{
	struct capture_segment s;
	if (capture_segment(p, &s) != CAPTURE_TCP)
		return;
	if (d->first_ns == 0)
		d->first_ns = p->time_ns;
	struct talk **at = find(d, &s);
	if (*at != NULL && (s.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) /* the same numbers again */
		end_talk(at);
	if (*(at = find(d, &s)) == NULL && (s.payload.n > 0 || (s.flags & TCP_SYN) != 0))
		at = (begin_talk(d, &s), &d->talks);
	struct talk *t = *at;
	if (t == NULL)
		return; /* what follows a connection's end */
	const bool responder = same(&s.from, &t->responder);
	t->stack.at.time_ns = p->time_ns < d->first_ns ? 0 : p->time_ns - d->first_ns; /* the clock may be set back */
	t->stack.at.responder = responder;
	if (s.payload.n > 0)
		decode_octets(&t->stack, responder, s.payload);
	if ((s.flags & (TCP_FIN | TCP_RST)) != 0)
		end_talk(at);
}

static uint32_t little32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* False: it is none, or not one that we write. */
static bool take_header(struct decode_live *d, struct err *e)
{
	if (d->has_header || out_len(&d->held) < FILE_HEADER)
		return true;
	memcpy(d->header, out_view(&d->held).p, FILE_HEADER);
	if (!capture_open(view_of(d->header, FILE_HEADER), &d->file, e))
		return false;
	if (d->file.format != CAPTURE_PCAP || !d->file.little || d->file.nano)
		return err_set(e, ERR_PERM, ERR_OF_PROCESS, "decode: this capture is none of a link's trace: it can be decoded when it is complete");
	out_drop(&d->held, FILE_HEADER);
	d->has_header = true;
	return true;
}

static bool take_all(struct decode_live *d, struct err *e)
{
	if (!take_header(d, e))
		return false;
	while (d->has_header && out_len(&d->held) >= PACKET_HEADER) {
		const struct view v = out_view(&d->held);
		const uint32_t n = little32(v.p + 8);
		if (n > PACKET_MAX)
			return err_set(e, ERR_PERM, ERR_OF_PROCESS, "decode: a packet of %u octets, want at most %d", n, PACKET_MAX);
		if (v.n < PACKET_HEADER + n)
			return true;
		const struct capture_packet p = { .time_ns = little32(v.p) * UINT64_C(1000000000) + little32(v.p + 4) * UINT64_C(1000),
						  .link = d->file.interfaces[0].link, .octets = view_first(view_from(v, PACKET_HEADER), n) };
		take_packet(d, &p);
		out_drop(&d->held, PACKET_HEADER + n);
	}
	return true;
}

bool decode_live_octets(struct decode_live *d, struct view v, struct err *e)
{
	CHECK(d, DECODE_LIVE_MAGIC);
	while (v.n > 0 && !d->bad) {
		const size_t n = v.n < HELD_MAX / 2 ? v.n : HELD_MAX / 2;
		out_bytes(&d->held, view_first(v, n));
		v = view_from(v, n);
		d->bad = !take_all(d, e);
		if (d->bad)
			return false;
	}
	return true;
}
