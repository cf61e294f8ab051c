/* census.c - who asks how many control blocks are alive gets a row from the switch, one from each link process, and DONE. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { PATIENCE_MS = 1000, PAIRS_MAX = 4000 };

struct census {
	struct census *next;
	struct sw *sw;
	struct proc *asker;   /* NULL: gone */
	uint64_t id, number;  /* the asker's; ours */
	size_t wanted;        /* rows that are still to come */
	struct timer timer;
};

static size_t length_of(const struct limbo *b)
{
	size_t n = 0;
	for (; b != NULL; b = b->next)
		n += !b->over; /* those that are over only wait for a late word */
	return n;
}

void switch_blocks(const struct sw *s, struct blocks *b)
{
	CHECK(s, SW_MAGIC);
	*b = (struct blocks){ 0 };
	b->n[BLOCK_ASSOCIATIONS] = s->assocs.n;
	b->n[BLOCK_HANDOVERS] = s->handovers.n;
	b->n[BLOCK_ORDERS] = s->orders.n;
	b->n[BLOCK_RESUMES] = s->resumes.n;
	b->n[BLOCK_TICKETS] = s->n_waiting;
	b->n[BLOCK_LIMBOS] = length_of(s->limbos);
	for (size_t i = 0; i < s->n_links; i++)
		b->n[BLOCK_PARTIALS] += s->links[i]->n_partials;
	for (const struct render *r = s->renders; r != NULL; r = r->next)
		b->n[BLOCK_SHOWS]++;
	for (const struct proc *p = s->procs; p != NULL; p = p->next) {
		b->n[BLOCK_PROCESSES] += p->kind != PROCESS_TOOL;
		b->n[BLOCK_ASSOCIATIONS] += p->inbound.n;
		b->n[BLOCK_OFFERS] += p->offers.n;
	}
	blocks_of_env(s->host.env, b);
}

static void give_row(struct census *c, struct view pairs)
{
	struct out *o = proc_begin(c->asker, MSG_BLOCKS);
	const struct msg_row row = { .id = c->id, .pairs = pairs };
	if (o == NULL)
		return;
	put_msg_row(o, &row);
	proc_end(c->asker);
}

static void end(struct census *c)
{
	struct census **at = &c->sw->censuses;
	const struct msg_answer done = { .id = c->id, .accepted = true, .err = { .reason = -1, .diagnostic = -1 } };
	struct out *o = proc_begin(c->asker, MSG_DONE);
	if (o != NULL) {
		put_msg_answer(o, &done);
		proc_end(c->asker);
	}
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	timer_stop(&c->timer);
	free(c);
}

static void on_timeout(void *ctx)
{
	end(ctx);
}

static void ask(struct census *c, struct proc *p)
{
	const struct msg_row question = { .id = c->number };
	struct out *o = p->kind == PROCESS_LINK ? proc_begin(p, MSG_BLOCKS) : NULL;
	if (o == NULL)
		return;
	put_msg_row(o, &question);
	proc_end(p);
	c->wanted++;
}

bool census_asked(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_row m;
	struct out pairs;
	struct blocks b;
	if (!get_msg_row(payload, &m, e))
		return false;
	switch_blocks(s, &b);
	struct census *c = mem_zero(sizeof *c);
	*c = (struct census){ .next = s->censuses, .sw = s, .asker = p, .id = m.id, .number = ++s->n_censuses };
	s->censuses = c;
	timer_init(&c->timer, s->host.env, on_timeout, c);
	timer_after(&c->timer, PATIENCE_MS);
	out_init(&pairs, PAIRS_MAX);
	put_blocks(&pairs, "switch", &b);
	give_row(c, out_view(&pairs));
	out_fini(&pairs);
	for (struct proc *q = s->procs; q != NULL; q = q->next)
		ask(c, q);
	if (c->wanted == 0)
		end(c);
	return true;
}

bool census_told(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_row m;
	if (!get_msg_row(payload, &m, e))
		return false;
	for (struct census *c = p->sw->censuses; c != NULL; c = c->next)
		if (c->number == m.id) {
			give_row(c, m.pairs);
			if (--c->wanted == 0)
				end(c);
			break;
		}
	return true;
}

void census_proc_gone(struct proc *p)
{
	for (struct census *c = p->sw->censuses; c != NULL; c = c->next)
		if (c->asker == p)
			c->asker = NULL;
}

void census_fini(struct sw *s)
{
	while (s->censuses != NULL)
		end(s->censuses);
}
