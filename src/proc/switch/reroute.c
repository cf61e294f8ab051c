/* reroute.c - the state of links as routing sees it; and what waits for a link that fails: it goes another way when there is one, or is
 * reported when the link could not be opened as often as max-open-retries while it waited. In slices: nobody waits for them.
 *
 * Where a transfer has been is kept with it in the store (`tried`): a line for each link, its name, a space, and when it left. From that
 * the trace is written when the transfer is loaded, so that it has one element for each link and no more. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"
#include "base/text.h"

/* --- what is known of a link --- */

enum route_activation reroute_activation(const struct swlink *l)
{
	const wall_ms_t now = env_wall_ms(l->sw->host.env);
	if (l->is_stopped)
		return ROUTE_REMOTE; /* what has another way takes it, the rest waits */
	if (connector_is_link(l) || l->n_turns > 0) /* what the peer has opened carries our mail too */
		return ROUTE_ACTIVE;
	switch ((enum link_schedule)l->set->schedule) {
	case SCHEDULE_ALWAYS: return *l->set->address == 0 ? ROUTE_REMOTE : ROUTE_ACTIVE;
	case SCHEDULE_SELECTED:
		return schedule_is_open(&l->schedule, now) ? ROUTE_ACTIVE : schedule_changes(&l->schedule, now) != 0 ? ROUTE_LATER : ROUTE_NEVER;
	case SCHEDULE_NEVER: return ROUTE_NEVER;
	case SCHEDULE_REMOTE: return ROUTE_REMOTE;
	}
	CANT_HAPPEN("a link has no such schedule");
}

static bool is_open(const struct swlink *l)
{
	return l->n_assocs > l->n_opening || l->n_turns > 0;
}

/* One association that cannot be opened beside others is a limit of the peer's, and no failure (Q278444). */
static bool is_failing(const struct swlink *l)
{
	return l->open_failures > 0 && !is_open(l);
}

/* --- where a transfer has been --- */

/* Takes a line off; the name is before its last space. False: that was the last. */
static bool next_tried(struct view *rest, struct view *name_r, wall_ms_t *at_r)
{
	struct view line = *rest;
	if (rest->n == 0)
		return false;
	const uint8_t *end = memchr(rest->p, '\n', rest->n);
	if (end != NULL)
		line = view_first(*rest, (size_t)(end - rest->p));
	*rest = end == NULL ? (struct view){ NULL, 0 } : view_from(*rest, line.n + 1);
	const uint8_t *space = memrchr(line.p, ' ', line.n);
	uint64_t at = 0;
	*name_r = space == NULL ? line : view_first(line, (size_t)(space - line.p));
	if (space != NULL && !text_uint(view_from(line, name_r->n + 1), INT64_MAX, &at))
		at = 0;
	*at_r = (wall_ms_t)at;
	return true;
}

static bool has_tried(struct view tried, const char *link)
{
	struct view name;
	wall_ms_t at;
	while (next_tried(&tried, &name, &at))
		if (view_eq(name, view_str(link)))
			return true;
	return false;
}

static unsigned count_tried(struct view tried)
{
	struct view name;
	wall_ms_t at;
	unsigned n = 0;
	while (next_tried(&tried, &name, &at))
		n++;
	return n;
}

struct view reroute_tried(const struct sw *s, struct view tried, const char *link)
{
	struct out o;
	if (has_tried(tried, link))
		return tried;
	out_init(&o, 1 << 16);
	out_bytes(&o, tried);
	if (tried.n > 0)
		out_u8(&o, '\n');
	out_fmt(&o, "%s %lld", link, (long long)env_wall_ms(s->host.env));
	const struct view v = o.bad ? tried : arena_copy(s->work, out_view(&o));
	out_fini(&o);
	return v;
}

/* X.411 12.3.1: of a peer whose domain is not known, its MTA name stands in the internal trace. */
bool reroute_trace(struct sw *s, struct message *m, struct view tried)
{
	struct view name;
	wall_ms_t at;
	while (next_tried(&tried, &name, &at)) {
		const struct swlink *l = switch_link(s, name);
		const struct view mta = l == NULL || *l->set->remote_mta == 0 ? name : view_str(l->set->remote_mta);
		if (!trace_add_rerouted(m, &s->domain, s->mta, &s->domain, mta, at, s->work))
			return false;
	}
	return true;
}

/* --- choosing --- */

struct look {
	struct sw *s;
	const struct swlink *from;       /* it waits there; NULL: it is new */
	struct view tried;
	uint64_t size;
	uint32_t attempts;               /* of the transfer on `from` */
	bool is_exhausted;               /* from could not be opened too often */
	bool is_urgent;
	bool other_conversion;           /* only what converts otherwise than `from` */
};

static bool takes_size(const struct swlink *l, uint64_t size)
{
	return l->set->size_limit == 0 || size <= l->set->size_limit;
}

static bool converts_alike(const struct set_link *a, const struct set_link *b)
{
	return a->wrap == b->wrap && a->down == b->down && a->body_part_15 == b->body_part_15 && a->text == b->text;
}

static void state_of(void *ctx, const char *name, struct route_link_state *r)
{
	const struct look *k = ctx;
	const struct swlink *l = switch_link(k->s, view_str(name));
	assert(l != NULL); /* settings_load has checked every route */
	r->activation = k->is_urgent && calling_now(l) == CALLING_URGENT ? ROUTE_ACTIVE : reroute_activation(l);
	r->is_waiting = is_failing(l);
	r->is_unfit = !takes_size(l, k->size);
	if (k->from == NULL)
		return;
	if (l == k->from) {
		r->tries = 1 + k->attempts;
		r->is_exhausted = k->is_exhausted;
		r->is_unfit = false; /* it was taken for it once */
		r->is_barred = k->other_conversion;
		return;
	}
	r->is_tried = has_tried(k->tried, name);
	r->is_barred = !k->is_exhausted && (r->is_waiting || !calling_has_somebody(l));
	if (k->other_conversion && converts_alike(l->set, k->from->set))
		r->is_barred = true;
}

/* Equal links share by it; both domains may number from 1. */
static uint64_t share_of(const struct message *m)
{
	return oraddr_value_hash(m->id.local, oraddr_value_hash(m->id.domain.prmd.value, 1)) | 1;
}

static struct route_question question(struct look *k, const struct message *m, const struct oraddr *addr, struct view arrival)
{
	const struct swlink *from = switch_link(k->s, arrival);
	k->is_urgent = m != NULL && m->priority == PRIORITY_URGENT;
	return (struct route_question){ .addr = addr, .arrival = from == NULL ? NULL : from->set->name, .state = state_of, .ctx = k,
					.share = m == NULL ? 0 : share_of(m),
					.lowest_cost_first = k->s->settings->routing.lowest_cost_first };
}

bool reroute_choose(struct sw *s, const struct message *m, const struct oraddr *addr, struct view arrival, uint64_t size,
		    struct route_answer *answer_r, struct err *e)
{
	struct look k = { .s = s, .size = size };
	const struct route_question q = question(&k, m, addr, arrival);
	return route_choose(s->routes, &q, answer_r, e);
}

void reroute_explain(struct sw *s, const struct oraddr *addr, struct view arrival, uint64_t size,
		     void (*each)(void *ctx, const struct route_candidate *c), void *ctx)
{
	struct look k = { .s = s, .size = size };
	const struct route_question q = question(&k, NULL, addr, arrival);
	route_explain(s->routes, &q, each, ctx);
}

/* --- one transfer --- */

struct way {
	struct look look;
	struct swlink *from;
	const struct store_queued *row;
	struct store_loaded loaded;
	struct swlink **to;              /* for each recipient that is in it; NULL: not in it */
	struct swlink *first;            /* the first of them that is not `from`; NULL: all stay */
	bool is_mixed;                   /* they do not all go the same way */
	const char *why;
};

/* r: NULL for a report, which every link takes. A limit, a restriction and an age are nobody's failure: no report for them, it stays. */
static bool takes(const struct way *p, struct swlink *l, const struct recipient *r)
{
	struct err e;
	return r == NULL || (takes_size(l, p->look.size) && restrict_allows(l, p->loaded.m) &&
			     downgrade_link_takes(p->look.s, l, p->loaded.m, r, &e));
}

static struct swlink *way_for(struct way *p, const struct oraddr *addr, const struct recipient *r)
{
	struct route_answer a;
	struct err e;
	const struct route_question q = question(&p->look, p->loaded.m, addr, p->loaded.peer);
	if (!route_choose(p->look.s->routes, &q, &a, &e) || a.target != ROUTE_LINK)
		return p->from;
	struct swlink *l = switch_link(p->look.s, view_str(a.link));
	return l == p->from || takes(p, l, r) ? l : p->from;
}

/* A report goes to one destination, whatever recipients it tells of. */
static void find_ways(struct way *p)
{
	const struct message *m = p->loaded.m;
	struct swlink *one = m->kind == MESSAGE_REPORT ? way_for(p, &m->originator, NULL) : NULL, *last = NULL;
	p->to = arena_array(p->look.s->work, m->n_rcpt + 1, sizeof *p->to);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		p->to[i] = one != NULL ? one : m->rcpt[i].responsible ? way_for(p, &m->rcpt[i].addr, &m->rcpt[i]) : NULL;
		if (p->to[i] == NULL)
			continue;
		p->is_mixed = p->is_mixed || (last != NULL && last != p->to[i]);
		last = p->to[i];
		if (p->first == NULL && last != p->from)
			p->first = last;
	}
	if (m->kind == MESSAGE_REPORT && m->n_rcpt == 0)
		p->first = one == p->from ? NULL : one;
}

/* False: it stays. The arena's last content is the message. */
static bool look_for_way(struct way *p)
{
	struct sw *s = p->look.s;
	struct err e;
	arena_reset(s->work);
	switch_note(s, "transfer", p->row->transfer);
	if (!store_load_transfer(s->store, p->row->transfer, &p->loaded, s->work, &e) || p->loaded.m == NULL)
		return false; /* told when it is its turn to be handed over */
	if (monitor_is_probe(s, p->loaded.m))
		return false;
	p->look.tried = p->loaded.tried;
	p->look.size = p->loaded.m->kind == MESSAGE_REPORT ? 0 : p->loaded.content_size;
	p->look.attempts = p->row->attempts;
	if (count_tried(p->look.tried) >= s->settings->limits.reroutes)
		return false;
	find_ways(p);
	return p->first != NULL;
}

static void tell(struct way *p, const struct swlink *to)
{
	struct sw *s = p->look.s;
	struct out id;
	char text[600];
	out_init(&id, 220);
	mts_id_print(&p->loaded.m->id, &id);
	snprintf(text, sizeof text, "rerouted from %s to %s: %s", p->from->set->name, to->set->name, p->why);
	const struct store_step step = { .kind = STEP_REROUTED, .id = &p->loaded.m->id, .peer = to->name, .text = view_str(text),
					 .size = p->row->size, .of = p->loaded.m->kind };
	store_put_step(s->store, &step);
	tally_add(&p->from->tally, METRIC_LINK_REROUTED, 1);
	EMIT(&s->host, MESSAGE_REROUTED, "message", out_cstr(&id), "from", p->from->set->name, "to", to->set->name, "why", p->why);
	out_fini(&id);
}

/* Into the window of its link when it is durable. */
static void enter_later(struct waiting *w, struct swlink *l, const struct store_queued *row)
{
	l->queued++;
	l->octets += row->size;
	w->orders = mem_grow(w->orders, mem_mul(w->n_orders + 1, sizeof *w->orders));
	w->orders[w->n_orders++] = order_new(l, row);
}

/* It begins anew there: no attempts, and what it waits for it waits from now on. */
static void put_in_queue(struct way *p, uint64_t transfer, struct swlink *to)
{
	struct sw *s = p->look.s;
	const wall_ms_t now = env_wall_ms(s->host.env);
	store_transfer_retry(s->store, transfer, now, 0, p->why);
	store_transfer_move(s->store, transfer, to->name, now, reroute_tried(s, p->loaded.tried, p->from->set->name));
	tell(p, to);
}

static void move_whole(struct way *p, struct order *o, struct waiting *w)
{
	struct store_queued row = *p->row;
	put_in_queue(p, row.transfer, p->first);
	order_gone(o);
	row.next_ms = env_wall_ms(p->look.s->host.env);
	row.attempts = 0;
	enter_later(w, p->first, &row);
}

/* Recipients with different ways: a message of its own in the place of this transfer, with one transfer for each way. A content in a
 * file is that of both. */
static void split(struct way *p, struct order *o, struct waiting *w)
{
	struct sw *s = p->look.s;
	const struct store_loaded *x = &p->loaded;
	const size_t n = x->m->n_rcpt;
	struct store_message put = { .m = x->m, .peer = x->peer, .content = x->content, .content_of = x->in_file ? x->message : 0,
				     .arrived = x->arrived, .expires = x->expires,
				     .recipients = arena_array(s->work, n, sizeof *put.recipients), .n_recipients = n,
				     .transfers = arena_array(s->work, s->n_links, sizeof *put.transfers) };
	struct swlink **links = arena_array(s->work, s->n_links, sizeof *links);
	for (size_t i = 0; i < n; i++) {
		uint32_t k = 0;
		put.recipients[i] = (struct store_recipient){ &x->m->rcpt[i], STORE_RCPT_NOT_OURS, 0 };
		if (p->to[i] == NULL)
			continue;
		while (k < put.n_transfers && links[k] != p->to[i])
			k++;
		if (k == put.n_transfers) {
			links[k] = p->to[i];
			put.transfers[put.n_transfers++] = (struct store_transfer){ .queue = p->to[i]->name };
		}
		put.recipients[i].state = STORE_RCPT_QUEUED;
		put.recipients[i].transfer = k;
	}
	store_put_message(s->store, &put);
	store_transfer_done(s->store, o->transfer); /* handed over: to that one */
	for (size_t k = 0; k < put.n_transfers; k++) {
		struct store_queued row = { .transfer = put.transfers[k].id_r, .message = put.id_r, .priority = x->m->priority,
					    .arrived = x->arrived, .expires = x->expires, .size = x->content_size };
		if (links[k] != p->from)
			put_in_queue(p, row.transfer, links[k]);
		else
			store_transfer_move(s->store, row.transfer, p->from->name, 0, x->tried);
		enter_later(w, links[k], &row);
	}
	order_gone(o);
}

static void move(struct way *p, struct order *o, struct waiting *w)
{
	if (p->is_mixed)
		split(p, o, w);
	else
		move_whole(p, o, w);
}

static bool move_order(struct order *o, struct look look, const char *why)
{
	struct sw *s = o->link->sw;
	const struct store_queued row = { .transfer = o->transfer, .message = o->message, .priority = o->priority, .attempts = o->attempts,
					  .arrived = o->arrived, .expires = o->expires, .size = o->size };
	struct way p = { .look = look, .from = o->link, .row = &row, .why = why };
	p.look.s = s;
	p.look.from = o->link;
	if (!route_has_rival(s->routes, o->link->set->name) || suspect_of(o) != NULL || o->act != NULL || !look_for_way(&p))
		return false;
	struct waiting *w = switch_wait(s, place_enter_windows, NULL, 0);
	move(&p, o, w);
	switch_wait_no_more(s, w);
	return true;
}

bool reroute_order(struct order *o, const struct err *why)
{
	return move_order(o, (struct look){ .attempts = 0 }, why->text);
}

bool reroute_conversion(struct order *o, const struct err *why)
{
	return move_order(o, (struct look){ .other_conversion = true }, why->text);
}

/* --- a link that fails --- */

/* Of very many retries only each `unit`th failure is kept: memory is bounded, and a message waits at most that many attempts longer. */
static uint32_t unit_of(const struct swlink *l)
{
	return l->policy.max_open_retries / FAILURES_MAX + 1;
}

/* So many kept ones stand for at least one failure more than there may be retries. */
static uint32_t kept_of(const struct swlink *l)
{
	const uint32_t unit = unit_of(l);
	return (l->policy.max_open_retries + unit - 1) / unit + 1;
}

static void note_failure(struct swlink *l)
{
	struct reroute *r = &l->way;
	const wall_ms_t now = env_wall_ms(l->sw->host.env);
	const uint32_t most = kept_of(l);
	if (l->open_failures <= 1)
		r->n = r->oldest = r->skipped = 0;
	else if (l->open_failures == r->counted)
		return; /* one that came too soon to count */
	r->counted = l->open_failures;
	if (r->n > 0 && ++r->skipped < unit_of(l))
		return;
	r->skipped = 0;
	if (r->n == most) {
		r->failures[r->oldest] = now;
		r->oldest = (r->oldest + 1) % most;
		return;
	}
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : r->cap * 2;
		r->failures = mem_grow(r->failures, mem_mul(r->cap, sizeof *r->failures));
	}
	r->failures[r->n++] = now;
}

/* What waits since then, or longer, has seen one failure more than there may be retries. 0: nothing has. */
static wall_ms_t exhausted_before(const struct swlink *l)
{
	return l->way.n < kept_of(l) ? 0 : l->way.failures[l->way.oldest];
}

/* There may be a way round at present: else no message needs to be read to know that it stays. */
static bool may_look(const struct swlink *l)
{
	const struct sw *s = l->sw;
	const bool wants = is_failing(l) || reroute_activation(l) == ROUTE_NEVER;
	if (!wants || is_open(l) || !route_has_rival(s->routes, l->set->name))
		return false;
	for (size_t i = 0; i < s->n_links; i++) {
		const struct swlink *k = s->links[i];
		if (k != l && !is_failing(k) && calling_has_somebody(k) && route_has_rival(s->routes, k->set->name))
			return true;
	}
	return false;
}

static void begin(struct swlink *l)
{
	struct reroute *r = &l->way;
	r->before = exhausted_before(l);
	r->may_look = may_look(l);
	if (r->is_begun || (r->before == 0 && !r->may_look))
		return; /* what a round under way has passed already is seen by the next one */
	r->is_begun = true;
	r->is_told = false;
	r->priority = PRIORITY_URGENT;
	r->place = (struct store_place){ 0 };
	timer_after(&l->sw->expire, 0);
}

void reroute_open_failed(struct swlink *l)
{
	if (is_open(l))
		return;
	note_failure(l);
	begin(l);
}

/* Q230497: which link, how long, how many attempts. */
static void say_exhausted(const struct swlink *l, struct err *e)
{
	char story[190];
	calling_story(l, (l->way.n - 1) * unit_of(l) + 1, l->way.failures[l->way.oldest], story, sizeof story);
	err_report(e, ERR_PERM, ERR_OF_LINK, 0, -1, "%s", story);
}

static void tell_exhausted(struct swlink *l, const struct err *e)
{
	if (!l->way.is_told)
		EMIT(&l->sw->host, OPEN_RETRIES, "link", l->set->name, "why", e->text);
	l->way.is_told = true;
}

/* 0: it was not read. */
static size_t look_at(struct swlink *l, const struct store_queued *row, struct waiting *w)
{
	struct sw *s = l->sw;
	struct err e;
	const wall_ms_t entered = row->next_ms > row->arrived ? row->next_ms : row->arrived;
	const bool is_over = l->way.before != 0 && entered <= l->way.before;
	const struct key k = suspect_key("message", row->message);
	struct way p = { .look = { .s = s, .from = l, .is_exhausted = is_over }, .from = l, .row = row, .why = l->last_error };
	if (!is_over && (!l->way.may_look || suspect_find(s, &k) != NULL))
		return 0;
	if (is_failing(l) == false)
		p.why = "its link is closed by schedule";
	const bool moves = suspect_find(s, &k) == NULL && look_for_way(&p);
	if (!moves && !is_over)
		return 1;
	struct order *o = expire_at_rest(l, row);
	if (o == NULL)
		return 1;
	if (is_over) {
		say_exhausted(l, &e);
		tell_exhausted(l, &e);
	}
	if (moves)
		move(&p, o, w);
	else
		expire_give_up(o, &e);
	return 1;
}

static size_t slice(struct swlink *l)
{
	enum { BATCH = 50 };
	struct sw *s = l->sw;
	struct reroute *r = &l->way;
	struct store_queued rows[BATCH];
	size_t done = 0;
	const size_t n = store_queue_next(s->store, l->name, r->priority, env_wall_ms(s->host.env), &r->place, rows, BATCH);
	struct waiting *w = switch_wait(s, place_enter_windows, NULL, 0);
	for (size_t i = 0; i < n; i++)
		done += look_at(l, &rows[i], w);
	switch_wait_no_more(s, w);
	if (n == BATCH)
		return done + 1;
	r->place = (struct store_place){ 0 };
	if (r->priority == PRIORITY_NON_URGENT)
		r->is_begun = false;
	else
		r->priority--;
	return done + 1;
}

/* One that was reached meanwhile keeps what it has. */
static bool is_over(const struct swlink *l)
{
	return is_open(l) || (l->open_failures == 0 && reroute_activation(l) != ROUTE_NEVER);
}

bool reroute_slices(struct sw *s, size_t max)
{
	size_t done = 0;
	bool more = false;
	for (size_t i = 0; i < s->n_links; i++) {
		struct swlink *l = s->links[(s->expire_link + i) % s->n_links];
		if (is_over(l))
			l->way.is_begun = false;
		while (l->way.is_begun && done < max)
			done += slice(l);
		if (l->way.is_begun && !more) {
			s->expire_link = l->index + 1;
			more = true;
		}
	}
	return more;
}

/* --- life --- */

void reroute_start(struct sw *s)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (reroute_activation(s->links[i]) == ROUTE_NEVER)
			begin(s->links[i]);
}

/* The newest failures, as many as are looked at now, the oldest first. */
void reroute_settings(struct swlink *l)
{
	struct reroute *r = &l->way;
	const uint32_t most = kept_of(l), n = r->n < most ? r->n : most;
	wall_ms_t *kept = n == 0 ? NULL : mem_alloc(mem_mul(n, sizeof *kept));
	for (uint32_t i = 0; i < n; i++)
		kept[i] = r->failures[(r->oldest + r->n - n + i) % r->n];
	free(r->failures);
	r->failures = kept;
	r->n = r->cap = n;
	r->oldest = r->skipped = 0;
}

void reroute_forget(struct swlink *l)
{
	struct reroute *r = &l->way;
	r->n = r->oldest = r->skipped = r->counted = 0;
	r->is_begun = false;
}

void reroute_link_fini(struct swlink *l)
{
	MEM_FREE(l->way.failures);
}
