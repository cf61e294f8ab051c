/* route_choose.c - see route.h: the candidates of an address, compared. One comparison chooses and explains, and knows the step
 * at which it was decided. */
#include "flow/route/route_int.h"

#include "base/mem.h"
#include "base/text.h"

enum decision {
	BY_NONE,
	/* left out */
	BY_ARRIVAL, BY_TRIED, BY_EXHAUSTED, BY_UNFIT, BY_BARRED,
	/* compared */
	BY_ACTIVATION, BY_TRIES, BY_WAITING, BY_COST, BY_SHARE, BY_ORDER,
};

struct candidate {
	const struct entry *entry; /* NULL: none */
	struct route_link_state state;
	bool is_arrival;
};

struct choice {
	const struct entry *any;   /* one of the most specific */
	struct candidate plain;    /* what counts without the state of links */
	struct candidate best;     /* of the links that are not left out */
};

static struct candidate candidate_of(const struct route_table *t, const struct route_question *q, const struct entry *entry)
{
	struct candidate c = { .entry = entry };
	if (entry->target != ROUTE_LINK)
		return c;
	const char *link = t->links[entry->link];
	c.is_arrival = q->arrival != NULL && strcmp(link, q->arrival) == 0;
	if (q->state != NULL)
		q->state(q->ctx, link, &c.state);
	return c;
}

static enum decision left_out(const struct candidate *c)
{
	return c->is_arrival ? BY_ARRIVAL : c->state.is_tried ? BY_TRIED : c->state.is_exhausted ? BY_EXHAUSTED :
	       c->state.is_unfit ? BY_UNFIT : c->state.is_barred ? BY_BARRED : BY_NONE;
}

/* Highest of hashes of message and link: each message has an order of its own, and when one link is left out, only its
 * messages go elsewhere. */
static uint64_t weight(const struct route_table *t, const struct route_question *q, const struct candidate *c)
{
	if (q->share == 0 || c->entry->target != ROUTE_LINK)
		return 0;
	uint64_t h = oraddr_value_hash(view_str(t->links[c->entry->link]), q->share);
	return (h ^ h >> 29) * 0x9e3779b97f4a7c15u;
}

/* Below 0: a is the better one. Entries lie in the order of adding, so the lower address was first. */
static int by_share(const struct route_table *t, const struct route_question *q, const struct candidate *a, const struct candidate *b,
		    enum decision *by_r)
{
	uint64_t wa = weight(t, q, a), wb = weight(t, q, b);
	*by_r = wa != wb ? BY_SHARE : BY_ORDER;
	return wa != wb ? (wa > wb ? -1 : 1) : (a->entry > b->entry) - (a->entry < b->entry);
}

/* exchange.md C5, steps 3 to 6, or with lowest_cost_first the cost before most of them. Step 7, local before remote, is for `plain`. */
static int compare(const struct route_table *t, const struct route_question *q, const struct candidate *a, const struct candidate *b,
		   enum decision *by_r)
{
	const struct { enum decision by; uint64_t a, b; } steps[] = {
		{ BY_ACTIVATION, q->lowest_cost_first && a->state.activation != ROUTE_ACTIVE,
		  q->lowest_cost_first && b->state.activation != ROUTE_ACTIVE },
		{ BY_COST, q->lowest_cost_first ? a->entry->cost : 0, q->lowest_cost_first ? b->entry->cost : 0 },
		{ BY_ACTIVATION, a->state.activation, b->state.activation },
		{ BY_TRIES, a->state.tries, b->state.tries },
		{ BY_WAITING, a->state.is_waiting, b->state.is_waiting },
		{ BY_COST, a->entry->cost, b->entry->cost },
	};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i].a != steps[i].b) {
			*by_r = steps[i].by;
			return steps[i].a < steps[i].b ? -1 : 1;
		}
	return by_share(t, q, a, b, by_r);
}

static int compare_plain(const struct route_table *t, const struct route_question *q, const struct candidate *a, const struct candidate *b)
{
	enum decision by;
	const bool a_link = a->entry->target == ROUTE_LINK, b_link = b->entry->target == ROUTE_LINK;
	if (a->entry->cost != b->entry->cost)
		return a->entry->cost < b->entry->cost ? -1 : 1;
	if (a->state.is_unfit != b->state.is_unfit)
		return a->state.is_unfit ? 1 : -1;
	return a_link != b_link ? (a_link ? 1 : -1) : by_share(t, q, a, b, &by);
}

static void consider(const struct route_table *t, const struct route_question *q, const struct entry *entry, struct choice *c)
{
	enum decision by;
	if (c->any != NULL && entry->specific < c->any->specific)
		return;
	if (c->any == NULL || entry->specific > c->any->specific)
		*c = (struct choice){ .any = entry };
	else if (entry < c->any)
		c->any = entry;
	const struct candidate x = candidate_of(t, q, entry);
	if (!x.is_arrival && (c->plain.entry == NULL || compare_plain(t, q, &x, &c->plain) < 0))
		c->plain = x;
	if (entry->target == ROUTE_LINK && left_out(&x) == BY_NONE &&
	    (c->best.entry == NULL || compare(t, q, &x, &c->best, &by) < 0))
		c->best = x;
}

static struct choice choose(const struct route_table *t, const struct route_question *q, const struct probe *p)
{
	struct choice c = { .any = NULL };
	for (uint32_t g = 0; g < t->n_groups; g++) {
		const struct group *group = &t->groups[g];
		if (c.any != NULL && group->specific_max < c.any->specific)
			break;
		if ((group->mask & ~p->present) != 0)
			continue;
		uint64_t hash = route_hash_of_mask(p, group->mask);
		for (uint32_t i = t->entry_buckets[hash & t->entry_mask]; i != NO_ENTRY; i = t->entries[i].next) {
			const struct entry *entry = &t->entries[i];
			if (entry->hash == hash && entry->mask == group->mask && route_matches(&entry->pattern, p))
				consider(t, q, entry, &c);
		}
	}
	return c;
}

/* NULL: none is left. What is not for a link, or too long for the one that it is for, no state of links changes. */
static const struct entry *chosen(const struct choice *c)
{
	const struct candidate *plain = &c->plain;
	if (plain->entry != NULL && (plain->entry->target != ROUTE_LINK || plain->state.is_unfit))
		return plain->entry;
	return c->best.entry;
}

/* The error of an address, which it names. */
static bool refuse(const struct oraddr *addr, int reason, int diagnostic, const char *what, struct err *e)
{
	struct out o;
	char text[140];
	out_init(&o, SIZE_MAX / 4);
	oraddr_print(addr, ORADDR_F401, &o);
	text_escaped(text, sizeof text, out_view(&o));
	out_fini(&o);
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, reason, diagnostic, "%s: \"%s\"", what, text);
}

static bool answer_entry(const struct route_table *t, const struct oraddr *addr, const struct entry *entry,
			 struct route_answer *answer_r, struct err *e)
{
	switch (entry->target) {
	case ROUTE_LOCAL: return refuse(addr, 1, 0, "no mailbox of this address here", e);
	case ROUTE_REJECT: return refuse(addr, entry->reason, entry->diagnostic, "a route refuses this address", e);
	case ROUTE_LINK: break;
	}
	*answer_r = (struct route_answer){ .target = ROUTE_LINK, .link = t->links[entry->link], .link_index = entry->link,
					   .cost = entry->cost };
	return true;
}

bool route_choose(const struct route_table *t, const struct route_question *q, struct route_answer *answer_r, struct err *e)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(t->sealed);
	struct probe p;
	route_probe_init(&p, q->addr);
	const struct mailbox *mailbox = route_mailbox(t, &p, route_hash_of_all(&p));
	if (mailbox != NULL) {
		*answer_r = (struct route_answer){ .target = ROUTE_LOCAL, .mailbox = mailbox->name, .link_index = NO_ENTRY };
		return true;
	}
	const struct choice c = choose(t, q, &p);
	const struct entry *entry = chosen(&c);
	if (c.any == NULL)
		return refuse(q->addr, 1, 0, "no route to this address", e);
	if (c.plain.entry == NULL)
		return refuse(q->addr, 1, 3, "the only route is back to the link it came by", e);
	if (entry == NULL)
		return refuse(q->addr, 0, -1, "every link that leads there has been tried", e);
	return answer_entry(t, q->addr, entry, answer_r, e);
}

bool route_find(const struct route_table *t, const struct oraddr *addr, const char *exclude, struct route_answer *answer_r, struct err *e)
{
	const struct route_question q = { .addr = addr, .arrival = exclude };
	return route_choose(t, &q, answer_r, e);
}

/* ---- explaining ---- */

struct explanation {
	const struct route_table *t;
	const struct route_question *q;
	struct choice c;
	const struct entry *winner; /* NULL: none */
	const struct mailbox *mailbox;
	char why[200];
};

static unsigned number_of(const struct explanation *x, const struct entry *entry)
{
	return (unsigned)(entry - x->t->entries) + 1;
}

/* The step at which it lost against the winner, both being links. */
static const char *lost_at(const struct explanation *x, const struct candidate *c)
{
	enum decision by;
	const struct candidate best = candidate_of(x->t, x->q, x->winner);
	(void)compare(x->t, x->q, &best, c, &by);
	switch (by) {
	case BY_ACTIVATION: return "is active sooner";
	case BY_TRIES: return "has been tried less often with this message";
	case BY_WAITING: return "is not waiting after a failure to open";
	case BY_COST: return "costs less";
	case BY_SHARE: return "costs the same, and this message is of its share";
	case BY_ORDER: return "stands before it";
	case BY_NONE:
	case BY_ARRIVAL:
	case BY_TRIED:
	case BY_EXHAUSTED:
	case BY_UNFIT:
	case BY_BARRED: break;
	}
	CANT_HAPPEN("two candidates were compared by what leaves them out");
}

static const char *why_left_out(const struct candidate *c)
{
	switch (left_out(c)) {
	case BY_ARRIVAL: return "the message came by this link";
	case BY_TRIED: return "the message has been there";
	case BY_EXHAUSTED: return "it could not be opened as often as max-open-retries while the message waited";
	case BY_UNFIT: return "the message is over its size-limit";
	case BY_BARRED: return "it is no way round at present";
	case BY_NONE:
	case BY_ACTIVATION:
	case BY_TRIES:
	case BY_WAITING:
	case BY_COST:
	case BY_SHARE:
	case BY_ORDER: break;
	}
	return NULL;
}

static void explain_winner(struct explanation *x, const struct candidate *c)
{
	const char *but = c->entry->target == ROUTE_LOCAL ? ", but there is no mailbox of this address" :
			  c->entry->target == ROUTE_REJECT ? ": the address is refused" :
			  c->state.is_unfit ? ", but the message is over its size-limit: it is refused" : "";
	snprintf(x->why, sizeof x->why, "won%s", but);
}

static void explain_loser(struct explanation *x, const struct candidate *c)
{
	const char *out = why_left_out(c);
	const unsigned any = number_of(x, x->winner != NULL ? x->winner : x->c.any);
	if (x->mailbox != NULL)
		snprintf(x->why, sizeof x->why, "lost: there is a mailbox of this address");
	else if (c->entry->specific < x->c.any->specific)
		snprintf(x->why, sizeof x->why, "lost: route %u is more specific", any);
	else if (out != NULL)
		snprintf(x->why, sizeof x->why, "lost: %s", out);
	else if (x->winner == NULL)
		snprintf(x->why, sizeof x->why, "lost: it is no way round a link");
	else if (x->winner == x->c.plain.entry && x->c.plain.state.is_unfit)
		snprintf(x->why, sizeof x->why, "lost: it is no way round the limit of route %u", number_of(x, x->winner));
	else if (x->winner->target == ROUTE_LINK && c->entry->target == ROUTE_LINK)
		snprintf(x->why, sizeof x->why, "lost: route %u %s", number_of(x, x->winner), lost_at(x, c));
	else if (x->winner->cost < c->entry->cost)
		snprintf(x->why, sizeof x->why, "lost: route %u costs less", number_of(x, x->winner));
	else if (x->winner->target == ROUTE_LINK)
		snprintf(x->why, sizeof x->why, "lost: it is no way round a link");
	else
		snprintf(x->why, sizeof x->why, "lost: route %u is for this MTA itself", number_of(x, x->winner));
}

/* The order of telling; a and b have both matched. */
static int order_of(const struct explanation *x, const struct candidate *a, const struct candidate *b)
{
	enum decision by;
	const int won = (b->entry == x->winner) - (a->entry == x->winner);
	const int link = (b->entry->target == ROUTE_LINK) - (a->entry->target == ROUTE_LINK);
	if (a->entry->specific != b->entry->specific)
		return a->entry->specific > b->entry->specific ? -1 : 1;
	if (won != 0 || link != 0)
		return won != 0 ? won : link;
	if (a->entry->target != ROUTE_LINK)
		return compare_plain(x->t, x->q, a, b);
	const enum decision out_a = left_out(a), out_b = left_out(b);
	return out_a != out_b ? (out_a < out_b ? -1 : 1) : compare(x->t, x->q, a, b, &by);
}

static int sort_cmp(const void *pa, const void *pb, void *ctx)
{
	return order_of(ctx, pa, pb);
}

static void tell(struct explanation *x, const struct candidate *c, void (*each)(void *, const struct route_candidate *), void *ctx)
{
	const struct entry *entry = c->entry;
	const bool won = entry == x->winner;
	if (won)
		explain_winner(x, c);
	else
		explain_loser(x, c);
	const struct route_candidate told = {
		.number = number_of(x, entry), .pattern = &entry->pattern, .target = entry->target,
		.link = entry->target == ROUTE_LINK ? x->t->links[entry->link] : NULL, .cost = entry->cost, .is_winner = won,
		.why = x->why, .state = c->state,
	};
	each(ctx, &told);
}

void route_explain(const struct route_table *t, const struct route_question *q, void (*each)(void *ctx, const struct route_candidate *c),
		   void *ctx)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(t->sealed);
	struct probe p;
	struct explanation x = { .t = t, .q = q };
	route_probe_init(&p, q->addr);
	x.mailbox = route_mailbox(t, &p, route_hash_of_all(&p));
	x.c = choose(t, q, &p);
	x.winner = x.mailbox != NULL ? NULL : chosen(&x.c);
	if (x.mailbox != NULL) {
		const struct route_candidate told = { .target = ROUTE_LOCAL, .mailbox = x.mailbox->name, .is_winner = true,
						      .why = "won: it has this address" };
		each(ctx, &told);
	}
	size_t n = 0;
	struct candidate *v = mem_alloc(mem_mul(t->n_entries + 1, sizeof *v));
	for (uint32_t i = 0; i < t->n_entries; i++)
		if (route_matches(&t->entries[i].pattern, &p))
			v[n++] = candidate_of(t, q, &t->entries[i]);
	qsort_r(v, n, sizeof *v, sort_cmp, &x);
	for (size_t i = 0; i < n; i++)
		tell(&x, &v[i], each, ctx);
	free(v);
}
