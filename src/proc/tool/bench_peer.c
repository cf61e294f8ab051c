/* bench_peer.c - one association of the bench: the pump between socket and machine. */
#include "base/mem.h"
#include "proc/tool/bench.h"

static void bury(struct bench_peer *p)
{
	p->dead = true;
	timer_stop(&p->timer);
	if (p->stream != NULL)
		stream_close(&p->stream, true);
	if (p->initiator) {
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "an association to %s has ended", p->b->o.to);
		bench_fail(p->b, &e);
	}
}

static void ended(struct bench_peer *p, const struct x400_event *ev)
{
	if (p->initiator)
		bench_fail(p->b, &ev->err);
	p->dead = true;
}

static void accept_bind(struct bench_peer *p)
{
	struct err e;
	const struct bench_options *o = &p->b->o;
	struct x400_credentials own = { .present = true, .mta_name = view_str(o->mta), .has_password = *o->password != 0,
					.password = view_str(o->password) };
	p->bound = true;
	if (!x400_bind_accept(p->x, &own, &e))
		bench_fail(p->b, &e);
}

static void handle(struct bench_peer *p, const struct x400_event *ev)
{
	switch (ev->kind) {
	case X400_BIND: accept_bind(p); break;
	case X400_BOUND: p->bound = true; break;
	case X400_TRANSFER_BEGIN: bench_sink_begin(p); break;
	case X400_TRANSFER_DATA: bench_sink_octets(p, ev->bytes); break;
	case X400_TRANSFER_CHECKPOINT: x400_checkpoint_confirm(p->x, ev->serial); break;
	case X400_TRANSFER_END: bench_sink_end(p); break;
	case X400_TRANSFER_CONFIRMED: bench_load_confirmed(p); break;
	case X400_TRANSFER_FAILED: bench_fail(p->b, &ev->err); break;
	case X400_TRANSFER_RESUME:
	case X400_TRANSFER_SYNCED:
	case X400_TRANSFER_INTERRUPTED:
	case X400_TRANSFER_ABORTED:
	case X400_TURN_PLEASE:
	case X400_TURN_GIVEN: break;
	case X400_BIND_REFUSED:
	case X400_UNBOUND:
	case X400_ENDED: ended(p, ev); break;
	}
}

static void flush(struct bench_peer *p)
{
	struct out *o = x400_out(p->x);
	if (p->stream == NULL || out_len(o) == 0)
		return;
	stream_write(p->stream, out_view(o));
	out_drop(o, out_len(o));
}

void bench_pump(struct bench_peer *p)
{
	CHECK(p, BENCH_PEER_MAGIC);
	struct x400_event ev;
	if (p->pumping || p->dead)
		return;
	p->pumping = true;
	while (!p->dead && x400_next(p->x, &ev, env_now_ms(p->b->env)) == STEP_DONE)
		handle(p, &ev);
	if (!p->dead && p->initiator) {
		bench_load_next(p);
		bench_load_produce(p);
	}
	flush(p);
	p->pumping = false;
	if (p->dead || x400_wants_close(p->x)) {
		bury(p);
		return;
	}
	const int64_t at = x400_deadline(p->x);
	if (at == INT64_MAX)
		timer_stop(&p->timer);
	else
		timer_set(&p->timer, at);
}

static void on_timer(void *ctx)
{
	struct bench_peer *p = ctx;
	CHECK(p, BENCH_PEER_MAGIC);
	x400_tick(p->x, env_now_ms(p->b->env));
	bench_pump(p);
}

/* A machine that takes nothing is full: what it has is given out, then it takes again. */
static size_t on_data(void *ctx, struct view data)
{
	struct bench_peer *p = ctx;
	CHECK(p, BENCH_PEER_MAGIC);
	for (size_t taken = 0, idle = 0; taken < data.n && p->stream != NULL && idle < 2;) {
		size_t n = x400_feed(p->x, view_from(data, taken), env_now_ms(p->b->env));
		taken += n;
		idle = n == 0 ? idle + 1 : 0;
		bench_pump(p);
	}
	return data.n;
}

static void on_opened(void *ctx)
{
	bench_pump(ctx);
}

static void on_closed(void *ctx, const struct err *why)
{
	struct bench_peer *p = ctx;
	CHECK(p, BENCH_PEER_MAGIC);
	if (p->stream == NULL)
		return;
	x400_transport_closed(p->x, why);
	bench_pump(p);
	if (!p->dead)
		bury(p);
}

static const struct stream_events peer_events = { .opened = on_opened, .data = on_data, .drained = on_opened, .closed = on_closed };

static struct bench_peer *peer_new(struct bench *b, bool initiator)
{
	const struct bench_options *o = &b->o;
	struct bench_peer *p = mem_zero(sizeof *p);
	p->magic = BENCH_PEER_MAGIC;
	p->b = b;
	p->initiator = initiator;
	out_init(&p->head, SIZE_MAX);
	timer_init(&p->timer, b->env, on_timer, p);
	struct x400_config c = {
		.session = { .side = initiator ? SESSION_INITIATOR : SESSION_RESPONDER, .tpdu_size = 65531, .versions = 3,
			     .collect_max = 64 * 1024, .out_max = BENCH_UNSENT_HIGH },
		.own = { .present = initiator, .mta_name = view_str(o->mta), .has_password = *o->password != 0,
			 .password = view_str(o->password) },
		.checkpoint_size = o->checkpoint_k, .window = o->window,
		.connect_timeout_ms = BENCH_PATIENCE_MS, .response_timeout_ms = BENCH_PATIENCE_MS,
		.receive_timeout_ms = BENCH_PATIENCE_MS, .abort_timeout_ms = 1000,
	};
	p->x = x400_new(&c, env_now_ms(b->env));
	p->next = b->peers;
	b->peers = p;
	return p;
}

struct bench_peer *bench_connect(struct bench *b, struct err *e)
{
	struct net_addr to;
	if (!net_addr_parse(b->o.to, &to, e))
		return NULL;
	struct bench_peer *p = peer_new(b, true);
	p->stream = env_connect(b->env, &to, NULL, &peer_events, p);
	return p;
}

void bench_accepted(void *ctx, struct stream *s)
{
	struct bench *b = ctx;
	CHECK(b, BENCH_MAGIC);
	struct bench_peer *p = peer_new(b, false);
	p->stream = s;
	stream_set_events(s, &peer_events, p);
}

void bench_peers_free(struct bench *b)
{
	while (b->peers != NULL) {
		struct bench_peer *p = b->peers;
		b->peers = p->next;
		timer_stop(&p->timer);
		if (p->stream != NULL)
			stream_close(&p->stream, false);
		x400_free(&p->x);
		out_fini(&p->head);
		p->magic = 0;
		free(p);
	}
}
