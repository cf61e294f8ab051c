/* decode_tcp.c - see decode_tcp.h. */
#include "proc/tool/decode_tcp.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

enum { LOOKED_AT = 8 };

/* --- the index --- */

static uint64_t hash_address(const struct capture_address *a)
{
	const uint8_t port[3] = { a->family, (uint8_t)(a->port >> 8), (uint8_t)a->port };
	uint64_t h = hash_octets(HASH_START, view_of(a->octets, sizeof a->octets));
	h = hash_octets(h, view_of(port, sizeof port));
	return h ^ h >> 29;
}

static bool same_address(const struct capture_address *a, const struct capture_address *b)
{
	return a->family == b->family && a->port == b->port && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

/* Both directions have one key. */
static uint64_t key_of(const struct capture_segment *s)
{
	const uint64_t a = hash_address(&s->from), b = hash_address(&s->to);
	return (a ^ b) * 0x9e3779b97f4a7c15u + a + b;
}

static bool sent_by(const struct capture_segment *s, const struct capture_address *from, const struct capture_address *to)
{
	return same_address(&s->from, from) && same_address(&s->to, to);
}

static bool belongs(const struct tcp_connection *c, const struct capture_segment *s)
{
	return sent_by(s, &c->initiator, &c->responder) || sent_by(s, &c->responder, &c->initiator);
}

static bool is_opening(const struct capture_segment *s)
{
	return (s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool called(uint16_t port, const uint16_t *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ports[i] == port)
			return true;
	return port == 102;
}

/* Without a SYN the ports must tell: a known one, else the lower one, was called. */
static bool from_initiator(const struct capture_segment *s, const uint16_t *ports, size_t n_ports)
{
	if ((s->flags & TCP_SYN) != 0)
		return is_opening(s);
	if (called(s->to.port, ports, n_ports) != called(s->from.port, ports, n_ports))
		return called(s->to.port, ports, n_ports);
	return s->from.port >= s->to.port;
}

static void *grow(void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap == 0 ? 64 : mem_mul(*cap, 2);
	return mem_grow(v, mem_mul(*cap, size));
}

static struct tcp_connection *add_connection(struct tcp_index *x, const struct capture_segment *s, bool forward)
{
	x->connections = grow(x->connections, x->n_connections, &x->connections_cap, sizeof *x->connections);
	struct tcp_connection *c = &x->connections[x->n_connections++];
	*c = (struct tcp_connection){
		.initiator = forward ? s->from : s->to,
		.responder = forward ? s->to : s->from,
		.opened = is_opening(s),
		.isn = s->seq,
	};
	return c;
}

/* The connection of a segment: the last one between these addresses, or a new one. */
static struct tcp_connection *find(struct tcp_index *x, struct map *by_key, const struct capture_segment *s,
				   const uint16_t *ports, size_t n_ports)
{
	const uint64_t key = key_of(s);
	const uintptr_t found = (uintptr_t)map_get(by_key, key);
	if (found != 0) {
		struct tcp_connection *c = &x->connections[found - 1];
		const bool reopened = is_opening(s) && (!c->opened || c->isn != s->seq || !sent_by(s, &c->initiator, &c->responder));
		if (belongs(c, s) && !reopened)
			return c;
		(void)map_take(by_key, key);
	}
	struct tcp_connection *c = add_connection(x, s, from_initiator(s, ports, n_ports));
	map_put(by_key, key, (void *)(uintptr_t)x->n_connections);
	return c;
}

static void add_packet(struct tcp_index *x, struct tcp_connection *c, const struct capture_packet *p)
{
	x->packets = grow(x->packets, x->n_packets, &x->packets_cap, sizeof *x->packets);
	const uint32_t here = (uint32_t)x->n_packets++;
	x->packets[here] = (struct tcp_packet){ *p, 0 };
	if (c->n == 0) {
		c->first = here;
		c->first_ns = p->time_ns;
	} else {
		x->packets[c->last].next = here;
	}
	c->last = here;
	c->n++;
}

static void index_packet(struct tcp_index *x, struct map *by_key, const struct capture_packet *p, const uint16_t *ports,
			 size_t n_ports)
{
	struct capture_segment s;
	if (x->seen == 0)
		x->link = p->link;
	if (x->seen == 0 || p->time_ns < x->first_ns)
		x->first_ns = p->time_ns;
	x->seen++;
	switch (capture_segment(p, &s)) {
	case CAPTURE_TCP:
		if (x->n_packets < UINT32_MAX)
			add_packet(x, find(x, by_key, &s, ports, n_ports), p);
		break;
	case CAPTURE_OTHER:
		x->other++;
		break;
	case CAPTURE_FRAGMENT:
		x->fragments++;
		break;
	case CAPTURE_SHORT:
		x->cut++;
		break;
	}
}

bool tcp_index_init(struct tcp_index *x, struct capture_file *f, const uint16_t *ports, size_t n_ports, struct err *e)
{
	struct map by_key = { 0 };
	struct capture_packet p;
	enum step step;
	*x = (struct tcp_index){ 0 };
	while ((step = capture_next(f, &p, e)) == STEP_DONE)
		index_packet(x, &by_key, &p, ports, n_ports);
	map_fini(&by_key);
	return step == STEP_WAIT;
}

void tcp_index_fini(struct tcp_index *x)
{
	MEM_FREE(x->packets);
	MEM_FREE(x->connections);
	*x = (struct tcp_index){ 0 };
}

/* --- playing one connection --- */

struct pending {
	uint32_t seq;
	struct view v;
};

/* One direction. Invariant: pending is in ascending order, each behind `next`. */
struct side {
	bool known, responder, opens, ended, reset, has_acked;
	uint32_t next;        /* sequence number of the octet wanted */
	uint32_t acked;       /* the other side has all before it */
	uint64_t offset;      /* of `next` in the stream */
	unsigned waited;      /* packets since something is pending */
	size_t n;
	struct pending pending[TCP_PENDING_MAX];
};

struct play {
	const struct tcp_player *player;
	uint64_t time_ns;
	struct side *side[2];
};

static int32_t distance(uint32_t to, uint32_t from)
{
	return (int32_t)(to - from);
}

static void note(struct play *p, const struct side *s, enum tcp_note what, uint64_t offset, uint64_t n)
{
	p->player->note(p->player->ctx, s->responder, p->time_ns, what, offset, n);
}

static void deliver(struct play *p, struct side *s, struct view v)
{
	if (v.n == 0)
		return;
	s->next += (uint32_t)v.n;
	s->offset += v.n;
	p->player->octets(p->player->ctx, s->responder, v, p->time_ns);
}

/* What waited and is now in its place. */
static void drain(struct play *p, struct side *s)
{
	size_t n = 0;
	while (n < s->n && distance(s->pending[n].seq, s->next) <= 0) {
		const size_t old = (size_t)-(int64_t)distance(s->pending[n].seq, s->next);
		deliver(p, s, view_from(s->pending[n].v, old));
		n++;
	}
	if (n == 0)
		return;
	memmove(s->pending, s->pending + n, (s->n - n) * sizeof s->pending[0]);
	s->n -= n;
	s->waited = 0;
}

static void give_up_gap(struct play *p, struct side *s)
{
	const uint32_t n = (uint32_t)distance(s->pending[0].seq, s->next);
	note(p, s, TCP_LOST, s->offset, n);
	s->next += n;
	s->offset += n;
	drain(p, s);
}

static void keep(struct play *p, struct side *s, uint32_t seq, struct view v)
{
	size_t at = s->n;
	while (at > 0 && distance(s->pending[at - 1].seq, seq) >= 0)
		at--;
	if (at < s->n && s->pending[at].seq == seq && s->pending[at].v.n >= v.n) {
		note(p, s, TCP_AGAIN, s->offset + (uint32_t)distance(seq, s->next), v.n);
		return;
	}
	note(p, s, TCP_EARLY, s->offset + (uint32_t)distance(seq, s->next), (uint64_t)distance(seq, s->next));
	memmove(s->pending + at + 1, s->pending + at, (s->n - at) * sizeof s->pending[0]);
	s->pending[at] = (struct pending){ seq, v };
	s->n++;
	if (s->n == TCP_PENDING_MAX)
		give_up_gap(p, s);
}

static void on_data(struct play *p, struct side *s, uint32_t seq, const struct capture_segment *g)
{
	const int32_t d = distance(seq, s->next);
	if (d > 0) {
		keep(p, s, seq, g->payload);
		return;
	}
	const size_t old = (size_t)-(int64_t)d;
	if (old >= g->length) {
		note(p, s, TCP_AGAIN, s->offset >= old ? s->offset - old : 0, g->length);
		return;
	}
	if (old > 0)
		note(p, s, TCP_OVERLAP, s->offset, old);
	deliver(p, s, view_from(g->payload, old));
	drain(p, s);
}

static void on_flags(struct play *p, struct side *s, const struct capture_segment *g)
{
	if ((g->flags & TCP_SYN) != 0 && !s->opens) {
		s->opens = true;
		note(p, s, (g->flags & TCP_ACK) != 0 ? TCP_ACCEPTS : TCP_OPENS, 0, 0);
	}
	if (s->known)
		return;
	s->known = true;
	s->next = g->seq + ((g->flags & TCP_SYN) != 0);
	if (!s->opens)
		note(p, s, TCP_MIDDLE, 0, 0);
}

static void check_gap(struct play *p, struct side *s)
{
	if (s->n == 0)
		return;
	s->waited++;
	if (s->waited >= TCP_PATIENCE && s->has_acked && distance(s->acked, s->pending[0].seq) > 0)
		give_up_gap(p, s);
}

static void on_segment(struct play *p, struct side *s, struct side *other, const struct capture_segment *g)
{
	if ((g->flags & TCP_RST) == 0 || s->known) /* a reset in answer to nothing has any number */
		on_flags(p, s, g);
	if ((g->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && (!other->has_acked || distance(g->ack, other->acked) > 0)) {
		other->has_acked = true;
		other->acked = g->ack;
	}
	if (g->length > 0 && (g->flags & TCP_RST) == 0)
		on_data(p, s, g->seq + ((g->flags & TCP_SYN) != 0), g);
	if ((g->flags & TCP_FIN) != 0 && !s->ended) {
		s->ended = true;
		note(p, s, TCP_ENDS, s->offset, 0);
	}
	if ((g->flags & TCP_RST) != 0 && !s->reset) {
		s->reset = true;
		note(p, s, TCP_RESETS, s->offset, 0);
	}
	check_gap(p, s);
	check_gap(p, other);
}

static void finish(struct play *p, struct side *s)
{
	while (s->n > 0)
		give_up_gap(p, s);
	/* One more than the octets is confirmed when the side has ended. */
	if (s->known && s->has_acked && distance(s->acked, s->next) > 1)
		note(p, s, TCP_LOST, s->offset, (uint64_t)distance(s->acked, s->next));
}

void tcp_play(const struct tcp_index *x, size_t i, const struct tcp_player *player)
{
	const struct tcp_connection *c = &x->connections[i];
	struct play p = { .player = player };
	for (int k = 0; k < 2; k++) {
		p.side[k] = mem_zero(sizeof *p.side[k]);
		p.side[k]->responder = k == 1;
	}
	uint32_t at = c->first;
	for (uint32_t n = 0; n < c->n; n++, at = x->packets[at].next) {
		struct capture_segment g;
		if (capture_segment(&x->packets[at].packet, &g) != CAPTURE_TCP)
			CANT_HAPPEN("the index holds only TCP");
		const int k = sent_by(&g, &c->initiator, &c->responder) ? 0 : 1;
		p.time_ns = x->packets[at].packet.time_ns;
		on_segment(&p, p.side[k], p.side[1 - k], &g);
	}
	finish(&p, p.side[0]);
	finish(&p, p.side[1]);
	MEM_FREE(p.side[0]);
	MEM_FREE(p.side[1]);
}

/* The first octets of a side, which may come one by one. */
struct first_octets {
	unsigned segments;
	size_t n;
	uint8_t v[16];
};

static bool looks_right(struct first_octets *f, struct view v, bool (*test)(struct view))
{
	const struct view more = view_first(v, sizeof f->v - f->n);
	if (more.n > 0)
		memcpy(f->v + f->n, more.p, more.n);
	f->n += more.n;
	f->segments++;
	return test(view_of(f->v, f->n)) || (f->segments <= LOOKED_AT && test(v));
}

bool tcp_any(const struct tcp_index *x, size_t i, bool (*test)(struct view))
{
	const struct tcp_connection *c = &x->connections[i];
	struct first_octets first[2] = { 0 };
	uint32_t at = c->first;
	for (uint32_t n = 0; n < c->n; n++, at = x->packets[at].next) {
		struct capture_segment g;
		if (capture_segment(&x->packets[at].packet, &g) != CAPTURE_TCP || g.payload.n == 0)
			continue;
		const int k = sent_by(&g, &c->initiator, &c->responder) ? 0 : 1;
		if (looks_right(&first[k], g.payload, test))
			return true;
		if (first[0].segments > 2 * sizeof first[0].v && first[1].segments > 2 * sizeof first[1].v)
			return false;
	}
	return false;
}
