/* bench_load.c - the messages of the load: one envelope encoded once, its number patched for each message. */
#include "base/arena.h"
#include "base/mem.h"
#include "flow/codec/p1/p1.h"
#include "proc/tool/bench.h"

enum { ARENA = 64 << 20, NUMBER_DIGITS = 10, HEAD_MAX = 16 << 20, ADDRESS_MAX = 512 };

static bool make_recipients(const struct bench *b, struct message *m, struct arena *a, struct err *e)
{
	m->n_rcpt = b->o.recipients;
	m->rcpt = arena_array(a, m->n_rcpt, sizeof *m->rcpt);
	struct out address;
	out_init(&address, ADDRESS_MAX);
	bool good = m->rcpt != NULL;
	for (uint32_t i = 0; i < m->n_rcpt && good; i++) {
		out_clear(&address);
		for (const char *p = b->o.recipient; *p != 0; p++)
			if (*p == '#' || *p == '%')
				out_fmt(&address, "%u", *p == '#' ? i : i % 1000);
			else
				out_u8(&address, (uint8_t)*p);
		m->rcpt[i] = (struct recipient){ .number = i + 1, .responsible = true,
						 .originator_report = b->o.report ? REPORT_NON_DELIVERY : REPORT_NONE };
		good = oraddr_parse(out_view(&address), &m->rcpt[i].addr, a, ORADDR_CARRY, e);
	}
	out_fini(&address);
	return good;
}

static bool make_head(struct bench *b, struct arena *a, struct err *e)
{
	static const char originator[] = "C=GB; A=BENCH; P=LOAD; O=Example; OU1=Operations; S=Sender; G=Some";
	char local[32];
	struct message m = { .kind = MESSAGE_MESSAGE, .content_type = 22, .priority = b->o.priority, .content_length = -1 };
	snprintf(local, sizeof local, "%s%0*d", b->run, NUMBER_DIGITS, 0);
	m.id.domain = (struct gdi){ { ORA_PRINTABLE, VIEW("GB") }, { ORA_PRINTABLE, VIEW("BENCH") }, { ORA_PRINTABLE, VIEW("LOAD") }, true };
	m.id.local = view_str(local);
	const wall_ms_t now = env_wall_ms(b->env);
	struct trace_element trace = { .domain = m.id.domain, .arrival = now, .arrival_raw = utctime_print(now, a) };
	m.trace = (struct trace){ &trace, 1 };
	if (!oraddr_parse(VIEW(originator), &m.originator, a, ORADDR_CARRY, e) ||
	    !make_recipients(b, &m, a, e))
		return false;
	/* An initiator proposes this context for the message transfer syntax (x400_transfer_context). */
	const struct p1_encode_options options = { .context_id = 5 };
	return p1_encode_head(&m, b->o.size, &options, &b->head, e);
}

bool bench_load_init(struct bench *b, struct err *e)
{
	struct arena *a = arena_new(ARENA);
	out_init(&b->head, HEAD_MAX);
	bool good = make_head(b, a, e);
	arena_free(&a);
	if (!good)
		return false;
	struct view head = out_view(&b->head);
	const uint8_t *at = memmem(head.p, head.n, b->run, strlen(b->run));
	assert(at != NULL);
	b->number_at = (size_t)(at - head.p) + strlen(b->run);
	b->block = mem_alloc(BENCH_BLOCK);
	for (size_t i = 0; i < BENCH_BLOCK; i++)
		b->block[i] = (uint8_t)('a' + i % 23);
	for (unsigned i = 0; i < b->o.associations; i++)
		if (bench_connect(b, e) == NULL)
			return false;
	return true;
}

static void patch_number(struct bench_peer *p)
{
	struct bench *b = p->b;
	char digits[24];
	snprintf(digits, sizeof digits, "%0*llu", NUMBER_DIGITS, (unsigned long long)(b->o.first + p->number));
	out_clear(&p->head);
	out_bytes(&p->head, out_view(&b->head));
	memcpy(p->head.p + p->head.head + b->number_at, digits, NUMBER_DIGITS);
}

void bench_load_next(struct bench_peer *p)
{
	struct bench *b = p->b;
	struct err e;
	const int64_t now_ms = env_now_ms(b->env);
	if (p->sending || !p->bound || !bench_may_begin(b) || !x400_can_transfer(p->x))
		return;
	if (b->o.pause_ms > 0 && p->began_ms != 0 && now_ms - p->began_ms < b->o.pause_ms)
		return; /* the pace pumps again */
	p->began_ms = now_ms;
	if (b->n_items == b->cap_items) {
		b->cap_items = b->cap_items == 0 ? 4096 : 2 * b->cap_items;
		b->items = mem_grow(b->items, mem_mul((size_t)b->cap_items, sizeof *b->items));
	}
	p->number = b->n_items++;
	b->items[p->number] = (struct bench_item){ .began_us = env_precise_us(b->env) };
	patch_number(p);
	p->left = b->o.size;
	p->sending = true;
	if (!x400_transfer_begin(p->x, out_len(&p->head) + p->left, now_ms, &e))
		bench_fail(b, &e);
}

void bench_load_produce(struct bench_peer *p)
{
	struct bench *b = p->b;
	while (p->sending && (out_len(&p->head) > 0 || p->left > 0) && p->stream != NULL) {
		const size_t room = x400_transfer_room(p->x);
		if (room == 0 || stream_unsent(p->stream) >= BENCH_UNSENT_HIGH)
			return;
		struct view part = out_view(&p->head);
		const bool is_head = part.n > 0;
		if (!is_head)
			part = view_of(b->block, p->left < BENCH_BLOCK ? (size_t)p->left : BENCH_BLOCK);
		part = view_first(part, room);
		x400_transfer_data(p->x, part, env_now_ms(b->env));
		if (is_head)
			out_drop(&p->head, part.n);
		else
			p->left -= part.n;
		struct out *o = x400_out(p->x);
		stream_write(p->stream, out_view(o));
		out_drop(o, out_len(o));
	}
}

void bench_load_confirmed(struct bench_peer *p)
{
	struct bench *b = p->b;
	struct bench_item *item = &b->items[p->number];
	const int64_t now = env_precise_us(b->env);
	item->confirmed_us = (uint32_t)(now - item->began_us) + 1;
	if (b->o.listen == NULL)
		b->last_us = now;
	p->sending = false;
	b->confirmed++;
	bench_moved(b);
}
