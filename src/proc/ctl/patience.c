/* patience.c - see patience.h. */
#include "proc/ctl/patience.h"

#include "base/mem.h"
#include "sys/chan.h"
#include "sys/process.h"

struct patience {
	unsigned magic;
#define PATIENCE_MAGIC 0x9a71e4ceu
	struct env *env;
	struct net_addr where;
	int64_t ms;
	void (*over)(void *ctx);
	void *ctx;
	struct timer timer;
	struct chan *probe;          /* the other connection; NULL: it is not time for one */
	bool is_greeted, is_closed;  /* the conversation; the probe, which greeted or ended: whoever ends a connection lives, or the conversation hears of it too */
};

static void on_closed(void *ctx, const struct err *why)
{
	struct patience *p = ctx;
	(void)why;
	p->is_closed = true;
}

static void on_hello(void *ctx, unsigned kind, uint32_t instance)
{
	struct patience *p = ctx;
	(void)kind;
	(void)instance;
	p->is_closed = true;
}

static void no_opened(void *ctx)
{
	(void)ctx;
}

static void probe(struct patience *p)
{
	static const struct chan_events events = { .closed = on_closed, .hello = on_hello };
	static const struct stream_events none = { .opened = no_opened };
	struct stream *s = env_connect(p->env, &p->where, NULL, &none, NULL);
	p->is_closed = false;
	p->probe = chan_new(&s, &events, p, PROCESS_TOOL, 0);
}

static void on_time(void *ctx)
{
	struct patience *p = ctx;
	CHECK(p, PATIENCE_MAGIC);
	if (!p->is_greeted || (p->probe != NULL && !p->is_closed)) {
		p->over(p->ctx);
		return;
	}
	chan_free(&p->probe, false);
	probe(p);
	timer_after(&p->timer, p->ms);
}

struct patience *patience_new(struct env *env, const struct net_addr *where, int64_t ms, void (*over)(void *ctx), void *ctx)
{
	struct patience *p = mem_zero(sizeof *p);
	p->magic = PATIENCE_MAGIC;
	p->env = env;
	p->where = *where;
	p->ms = ms;
	p->over = over;
	p->ctx = ctx;
	timer_init(&p->timer, env, on_time, p);
	if (ms > 0)
		timer_after(&p->timer, ms);
	return p;
}

void patience_free(struct patience **pp)
{
	struct patience *p = *pp;
	if (p == NULL)
		return;
	CHECK(p, PATIENCE_MAGIC);
	timer_stop(&p->timer);
	chan_free(&p->probe, false);
	p->magic = 0;
	MEM_FREE(*pp);
}

void patience_greeted(struct patience *p, bool endless)
{
	CHECK(p, PATIENCE_MAGIC);
	p->is_greeted = true;
	if (endless || p->ms == 0)
		timer_stop(&p->timer);
	else
		timer_after(&p->timer, p->ms);
}
