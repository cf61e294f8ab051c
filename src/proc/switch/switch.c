/* switch.c - the process: its channels, the group commit, what waits for it. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"
#include "proc/table/settings_change.h"
#include "proc/table/settings_doubt.h"

/* --- durable before answered --- */

struct waiting *switch_wait(struct sw *s, void (*done)(struct sw *s, struct waiting *w), struct proc *p, uint64_t id)
{
	struct waiting *w = mem_zero(sizeof *w);
	w->done = done;
	w->proc = p;
	w->id = id;
	w->ticket = store_ticket(s->store);
	*s->waiting_end = w;
	s->waiting_end = &w->next;
	s->n_waiting++;
	return w;
}

static void waiting_free(struct waiting *w)
{
	free(w->orders);
	free(w->answer);
	if (w->file != NULL)
		store_content_free(&w->file);
	free(w);
}

void switch_wait_no_more(struct sw *s, struct waiting *w)
{
	struct waiting **at = &s->waiting;
	w->ticket = store_ticket(s->store);
	if (store_has_group(s->store))
		return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (s->waiting_end == &w->next)
		s->waiting_end = at;
	s->n_waiting--;
	w->done(s, w);
	waiting_free(w);
}

static void on_durable(void *ctx, uint64_t ticket)
{
	struct sw *s = ctx;
	tally_durable(s);
	while (s->waiting != NULL && s->waiting->ticket <= ticket) {
		struct waiting *w = s->waiting;
		s->waiting = w->next;
		if (s->waiting == NULL)
			s->waiting_end = &s->waiting;
		s->n_waiting--;
		w->done(s, w);
		waiting_free(w);
	}
}

static void on_failed(void *ctx, const struct err *why)
{
	struct sw *s = ctx;
	s->failed = true;
	EMIT(&s->host, STORE_FAILED, "why", why->text);
	s->host.die(s->host.ctx, why);
}

static void on_full(void *ctx, bool full, const struct err *why)
{
	struct sw *s = ctx;
	if (s->full != full && full)
		EMIT(&s->host, STORE_FULL, "why", why == NULL ? "" : why->text);
	else if (s->full != full)
		EMIT(&s->host, STORE_ROOM, "what", "the store takes mail again");
	s->full = full;
	room_check(s);
}

static void on_tracking_lost(void *ctx, uint64_t n, const struct err *why)
{
	struct sw *s = ctx;
	char steps[24];
	snprintf(steps, sizeof steps, "%llu", (unsigned long long)n);
	EMIT(&s->host, TRACKING_LOST, "steps", steps, "why", why->text);
}

static const struct store_events store_events = { .durable = on_durable, .failed = on_failed, .full = on_full,
						  .tracking_lost = on_tracking_lost };

static void on_group_due(void *ctx)
{
	((struct sw *)ctx)->is_due = true;
}

/* How long the open group may wait for more. Results of transfers can wait for the next offer: nobody is told of them, and a crash
 * meanwhile costs the peer a duplicate that it knows. Offers that came one at a time are committed at once. Where several
 * associations offer, the others' next ones are on their way: half the time of a commit, spent waiting for them, saves a whole one. */
static int64_t group_patience_ms(const struct sw *s)
{
	if (s->stopping)
		return 0;
	if (s->n_waiting == 0)
		return LAZY_MS;
	size_t most = 0;
	for (size_t i = 0; i < s->n_links; i++)
		most += s->links[i]->n_inbound;
	size_t expected = s->n_before < 2 ? 1 : 2 * (size_t)s->n_before;
	if (s->n_waiting >= (expected < most ? expected : most))
		return 0;
	int64_t half = s->commit_us / 2000;
	return half < GATHER_MS ? half : GATHER_MS;
}

static bool is_held_back(struct sw *s)
{
	int64_t patience = s->is_due ? 0 : group_patience_ms(s);
	if (patience > 0 && (!timer_is_set(&s->group_due) || s->group_due.at_ms > env_now_ms(s->host.env) + patience))
		timer_after(&s->group_due, patience);
	return patience > 0;
}

void switch_commit(struct sw *s)
{
	tally_flush(s);
	int64_t began = env_precise_us(s->host.env);
	store_commit(s->store);
	const int64_t took = env_precise_us(s->host.env) - began;
	s->commit_us += (took - s->commit_us) / 8;
	metric_observe(&s->tallies.commit, METRIC_SWITCH_COMMIT, took < 0 ? 0 : (uint64_t)took);
}

static void commit(void *ctx)
{
	struct sw *s = ctx;
	if (s->noted) {
		s->noted = false;
		s->host.note(s->host.ctx, "");
	}
	if (FAULT(SWITCH_ANSWER_EARLY) && s->waiting != NULL) {
		tally_flush(s);
		on_durable(s, store_ticket(s->store)); /* a lie; the commit comes with the next turn */
		return;
	}
	if (s->failed || !store_has_group(s->store) || is_held_back(s))
		return;
	timer_stop(&s->group_due);
	s->is_due = false;
	if (s->n_waiting > 0)
		s->n_before = s->n_waiting;
	switch_commit(s);
}

void switch_note_key(struct sw *s, const struct key *k)
{
	s->noted = true;
	s->host.note(s->host.ctx, k->text);
}

void switch_note(struct sw *s, const char *item, uint64_t id)
{
	const struct key k = suspect_key(item, id);
	switch_note_key(s, &k);
}

/* --- identifiers --- */

/* X.411 8.5.10: unique for ever in our domain, at most 32 IA5 characters. The counter is durable; the start time keeps a
 * store that was made anew from giving the same numbers again. */
void switch_next_id(struct sw *s, struct mts_id *id, struct arena *a)
{
	if (s->next_number == s->last_number) {
		s->next_number = store_reserve_numbers(s->store, ID_BLOCK);
		s->last_number = s->next_number + ID_BLOCK;
	}
	char text[40];
	int n = snprintf(text, sizeof text, "%.8s.%08llx.%llx", s->settings->mta.name,
			 (unsigned long long)(s->started_wall_ms / 1000), (unsigned long long)s->next_number++);
	id->domain = s->domain;
	id->local = arena_copy(a, view_of(text, n > 32 ? 32 : (size_t)n));
}

/* --- channels --- */

struct out *proc_begin(struct proc *p, enum msg m)
{
	return p == NULL || p->dead || p->control == NULL ? NULL : chan_begin(p->control, (uint16_t)m);
}

void proc_end(struct proc *p)
{
	chan_end(p->control);
}

#define TYPE(m, handler) { .type = MSG_##m, .name = #m, .handle = handler, .max = MSG_MAX_##m }
static const struct chan_type link_types[] = {
	TYPE(OFFER, intake_offer),
	TYPE(ASSOC_UP, dispatch_assoc_up),
	TYPE(ASSOC_DOWN, dispatch_assoc_down),
	TYPE(TRANSFER_PULL, dispatch_pull),
	TYPE(TRANSFER_RESULT, dispatch_result),
	TYPE(ASSOC_HOW, dispatch_assoc_how),
	TYPE(TRANSFER_RESUME, resume_told),
	TYPE(BLOCKS, census_told),
	TYPE(PARTIAL_PULL, partial_pull),
	TYPE(WIRETRACE, wiretrace_told),
	TYPE(SETTLED, apply_settled),
};
static const struct chan_type alone_types[] = {
	TYPE(OFFER, intake_offer),
	TYPE(ASSOC_UP, dispatch_assoc_up),
	TYPE(ASSOC_DOWN, dispatch_assoc_down),
	TYPE(TRANSFER_PULL, dispatch_pull),
	TYPE(TRANSFER_RESULT, dispatch_result),
	TYPE(EXAMINED, examine_done),
	TYPE(ASSOC_HOW, dispatch_assoc_how),
	TYPE(TRANSFER_RESUME, resume_told),
	TYPE(WIRETRACE, wiretrace_told),
	TYPE(SETTLED, apply_settled),
};
static const struct chan_type bulk_types[] = {
	TYPE(OFFER_BEGIN, intake_begin),
	TYPE(OFFER_DATA, intake_data),
	TYPE(OFFER_END, intake_end),
	TYPE(OFFER_CANCEL, intake_cancel),
	TYPE(OFFER_SPOILED, intake_spoiled),
	TYPE(PARTIAL_BEGIN, partial_begin),
	TYPE(PARTIAL_DATA, partial_data),
	TYPE(PARTIAL_SYNC, partial_sync),
	TYPE(PARTIAL_END, partial_end),
	TYPE(PARTIAL_FIND, partial_find),
};
static const struct chan_type content_types[] = {
	TYPE(RENDERED, control_rendered),
	TYPE(CONVERTED, convert_done),
};
static const struct chan_type tool_types[] = {
	TYPE(OFFER, intake_offer),
	TYPE(OFFER_BEGIN, intake_begin),
	TYPE(OFFER_DATA, intake_data),
	TYPE(OFFER_END, intake_end),
	TYPE(OFFER_CANCEL, intake_cancel),
	TYPE(STATUS, control_status),
	TYPE(SHOW_MAIL, control_show_mail),
	TYPE(REMOVE_MAIL, control_remove_mail),
	TYPE(ACT, operate_act),
	TYPE(EXPLAIN, explain_asked),
	TYPE(BLOCKS, census_asked),
	TYPE(BACKED_UP, told_backed_up),
	TYPE(RELOAD, reloads_asked),
	TYPE(LINK_ACT, stops_act),
	TYPE(METRICS, tally_asked),
	TYPE(WIRETRACE, wiretrace_asked),
	TYPE(SHOW, control_show),
};

static void on_closed(void *ctx, const struct err *why)
{
	struct proc *p = ctx;
	if (why->kind == ERR_LOCAL && p->kind != PROCESS_TOOL)
		proc_hung(p, why); /* what it says makes no sense */
	else
		proc_lost(p, why);
}

static const struct chan_events link_events = { link_types, ARRAY_LEN(link_types), NULL, NULL, on_closed };
static const struct chan_events alone_events = { alone_types, ARRAY_LEN(alone_types), NULL, NULL, on_closed };
static const struct chan_events bulk_events = { bulk_types, ARRAY_LEN(bulk_types), NULL, NULL, on_closed };
static const struct chan_events content_events = { content_types, ARRAY_LEN(content_types), NULL, NULL, on_closed };
static const struct chan_events tool_events = { tool_types, ARRAY_LEN(tool_types), NULL, NULL, on_closed };

static const struct chan_events *events_of(enum process_kind kind, bool bulk)
{
	if (bulk)
		return &bulk_events;
	if (kind == PROCESS_LINK)
		return &link_events;
	return kind == PROCESS_ALONE ? &alone_events : kind == PROCESS_CONTENT ? &content_events : &tool_events;
}

static void forget_waiting(struct proc *p)
{
	for (struct waiting *w = p->sw->waiting; w != NULL; w = w->next)
		if (w->proc == p)
			w->proc = NULL;
}

/* The process, or one of its channels, has ended. What it had in hand goes back; its memory goes at the end of the turn. */
void proc_lost(struct proc *p, const struct err *why)
{
	CHECK(p, PROC_MAGIC);
	if (p->dead)
		return;
	p->dead = true;
	if (p->kind != PROCESS_TOOL && p->kind != PROCESS_CONNECTOR)
		EMIT(&p->sw->host, CHANNEL_CLOSED, "to", process_kind_name(p->kind), "why", why->text);
	forget_waiting(p);
	connector_gone(p);
	apply_proc_gone(p);
	limbo_proc_gone(p);
	intake_proc_gone(p);
	partial_proc_gone(p);
	examine_proc_gone(p);
	dispatch_proc_gone(p);
	alone_proc_gone(p);
	control_proc_gone(p);
	census_proc_gone(p);
	reloads_proc_gone(p);
	/* What it has sent and we have not read is not handled any more: a handler may rely on a process that lives. */
	if (p->control != NULL)
		chan_free(&p->control, false);
	if (p->bulk != NULL)
		chan_free(&p->bulk, false);
}

void proc_hung(struct proc *p, const struct err *why)
{
	struct sw *s = p->sw;
	if (p->dead)
		return;
	if (connector_is(p)) {
		connector_hung(p, why);
		return;
	}
	p->accused = true;
	if (s->host.accuse != NULL)
		s->host.accuse(s->host.ctx, p->kind, p->instance, why->text);
	proc_lost(p, why);
}

static void proc_free(struct proc *p)
{
	map_fini(&p->offers);
	map_fini(&p->partials);
	map_fini(&p->inbound);
	p->magic = 0;
	free(p);
}

struct proc *proc_new(struct sw *s, enum process_kind kind, uint32_t instance)
{
	struct proc *p = mem_zero(sizeof *p);
	p->magic = PROC_MAGIC;
	p->sw = s;
	p->user = -1;
	p->kind = kind;
	p->instance = instance;
	p->next = s->procs;
	s->procs = p;
	return p;
}

struct proc *proc_find(struct sw *s, enum process_kind kind, uint32_t instance)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (!p->dead && p->kind == kind && p->instance == instance)
			return p;
	return NULL;
}

void switch_adopt_peer(struct sw *s, enum process_kind kind, uint32_t instance, bool bulk, struct stream *stream)
{
	struct err e;
	if (kind == PROCESS_INTERCHANGE) {
		connector_adopt(s, instance, bulk, stream);
		return;
	}
	struct proc *p = proc_find(s, kind, instance);
	if (p != NULL && (bulk ? p->bulk : p->control) != NULL) {
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "its successor has come");
		proc_lost(p, &e);
		p = NULL;
	}
	if (p == NULL)
		p = proc_new(s, kind, instance);
	struct chan **c = bulk ? &p->bulk : &p->control;
	*c = chan_new(&stream, events_of(kind, bulk), p, PROCESS_SWITCH, 0);
	if (kind == PROCESS_LINK && !bulk) {
		suspect_tell_all(p);
		stops_tell_all(p);
		room_tell(p);
	}
	if ((kind == PROCESS_LINK || kind == PROCESS_ALONE) && !bulk)
		wiretrace_tell_all(p);
	if (kind == PROCESS_LINK)
		for (size_t i = 0; i < s->n_links; i++)
			dispatch_run(s->links[i]);
	else if (kind == PROCESS_ALONE)
		alone_kick(s);
	else
		control_run_renders(s);
}

void switch_adopt_control(struct sw *s, struct stream *stream)
{
	struct proc *p = proc_new(s, PROCESS_TOOL, 0);
	p->user = stream_user(stream);
	p->control = chan_new(&stream, &tool_events, p, PROCESS_SWITCH, 0);
}

static void reap(void *ctx)
{
	struct sw *s = ctx;
	for (struct proc **at = &s->procs; *at != NULL;) {
		struct proc *p = *at;
		if (p->dead) {
			*at = p->next;
			proc_free(p);
		} else {
			at = &p->next;
		}
	}
	if (s->stopping && s->stopped != NULL && s->waiting == NULL) {
		void (*stopped)(void *) = s->stopped;
		s->stopped = NULL;
		stopped(s->stopped_ctx);
	}
}

/* --- birth --- */

struct swlink *switch_link(struct sw *s, struct view name)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (view_eq(s->links[i]->name, name))
			return s->links[i];
	return NULL;
}

static bool read_domain(struct sw *s, struct err *e)
{
	struct oraddr addr;
	if (!oraddr_parse(view_str(s->settings->mta.domain), &addr, s->config_arena, ORADDR_CARRY, e))
		return false;
	const struct oraddr_attr *c = oraddr_find(&addr, ORA_COUNTRY), *admd = oraddr_find(&addr, ORA_ADMD),
				 *prmd = oraddr_find(&addr, ORA_PRMD);
	if (c == NULL || admd == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "mta.domain \"%s\" wants a country C and an ADMD A", s->settings->mta.domain);
	s->domain.country = (struct gdi_part){ c->form, c->value };
	s->domain.admd = (struct gdi_part){ admd->form, admd->value };
	s->domain.has_prmd = prmd != NULL;
	if (prmd != NULL)
		s->domain.prmd = (struct gdi_part){ prmd->form, prmd->value };
	return true;
}

static bool read_routes(struct sw *s, struct err *e)
{
	const struct set_route *routes = s->settings->routes.v;
	const struct set_mailbox *boxes = s->settings->mailboxes.v;
	struct oraddr addr;
	s->routes = route_table_new();
	for (size_t i = 0; i < s->settings->routes.n; i++) {
		const char *to = routes[i].to;
		enum route_target target = strcmp(to, "local") == 0 ? ROUTE_LOCAL : strcmp(to, "reject") == 0 ? ROUTE_REJECT : ROUTE_LINK;
		if (!oraddr_parse(view_str(routes[i].match), &addr, s->config_arena, ORADDR_PATTERN, e))
			return false;
		route_add(s->routes, &addr, target, to, (unsigned)routes[i].cost);
	}
	for (size_t i = 0; i < s->settings->mailboxes.n; i++) {
		const char *const *addresses = boxes[i].addresses.v;
		for (size_t j = 0; j < boxes[i].addresses.n; j++)
			if (!oraddr_parse(view_str(addresses[j]), &addr, s->config_arena, ORADDR_CARRY, e) ||
			    !route_add_mailbox(s->routes, &addr, boxes[i].name, e))
				return false;
	}
	route_table_seal(s->routes);
	return true;
}

bool switch_compile(struct sw *s, struct err *e)
{
	s->mta = view_str(s->settings->mta.name);
	return read_domain(s, e) && read_routes(s, e) && redirect_init(s, e) && lists_init(s, e);
}

void switch_decompile(struct sw *s)
{
	lists_fini(s);
	redirect_fini(s);
	route_table_free(&s->routes);
	arena_free(&s->config_arena);
}

static void count_queue(void *ctx, const struct store_queue *q)
{
	struct swlink *l = switch_link(ctx, q->name);
	if (l != NULL) {
		l->queued = q->transfers;
		l->octets = q->octets;
	}
}

static void sweep(void *ctx)
{
	struct sw *s = ctx;
	timer_after(&s->sweep, SWEEP_MS);
	for (size_t i = 0; i < s->n_links; i++)
		dispatch_sweep(s->links[i]);
	dispatch_watch(s);
	apply_sweep(s);
	jobs_sweep(s);
	suspect_sweep(s);
}

static void tell_doubt(void *ctx, const char *sentence)
{
	EMIT(&((struct sw *)ctx)->host, CONFIG_DOUBTFUL, "what", sentence);
}

static void announce(struct sw *s)
{
	struct store_counts c;
	char messages[24], transfers[24], mail[24];
	store_count(s->store, &c);
	snprintf(messages, sizeof messages, "%llu", (unsigned long long)c.messages);
	snprintf(transfers, sizeof transfers, "%llu", (unsigned long long)c.transfers);
	snprintf(mail, sizeof mail, "%llu", (unsigned long long)c.deliveries);
	EMIT(&s->host, STORE_OPEN, "messages", messages, "transfers", transfers, "mailbox-entries", mail);
}

struct sw *switch_new(const struct actor_host *host, const struct settings *settings, switch_open_f *open, void *open_ctx,
		      struct err *e)
{
	struct sw *s = mem_zero(sizeof *s);
	s->magic = SW_MAGIC;
	s->host = *host;
	s->settings = settings;
	s->config_arena = arena_new(WORK_ARENA);
	s->work = arena_new(WORK_ARENA);
	s->monitor_arena = arena_new(64 * 1024);
	s->waiting_end = &s->waiting;
	s->started_wall_ms = env_wall_ms(host->env);
	s->started_ms = env_now_ms(host->env);
	timer_init(&s->sweep, host->env, sweep, s);
	timer_init(&s->group_due, host->env, on_group_due, s);
	tally_init(s);
	s->commit = (struct env_hook){ .run = commit, .ctx = s, .order = 0 };
	s->reap = (struct env_hook){ .run = reap, .ctx = s, .order = 50 };
	env_add_hook(host->env, &s->commit);
	env_add_hook(host->env, &s->reap);
	if (!switch_compile(s, e) || !monitor_init(s, e) || (s->store = open(open_ctx, &store_events, s, e)) == NULL) {
		switch_free(&s);
		return NULL;
	}
	stops_start(s);
	if (!apply_start(s, e)) {
		switch_free(&s);
		return NULL;
	}
	tally_start(s);
	store_queues(s->store, count_queue, s);
	suspect_start(s);
	partial_start(s);
	alone_init(s);
	announce(s);
	settings_doubts(settings, s->config_arena, tell_doubt, s);
	room_init(s);
	calling_watch_network(s);
	timer_after(&s->sweep, SWEEP_MS);
	expire_init(s);
	jobs_init(s);
	reroute_start(s);
	again_start(s);
	return s;
}

void switch_free(struct sw **sp)
{
	struct sw *s = *sp;
	if (s == NULL)
		return;
	CHECK(s, SW_MAGIC);
	struct err e;
	err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "the switch ends");
	connector_fini(s);
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		proc_lost(p, &e);
	s->stopped = NULL;
	reap(s);
	while (s->waiting != NULL) {
		struct waiting *w = s->waiting;
		s->waiting = w->next;
		for (size_t i = 0; i < w->n_orders; i++)
			order_free(w->orders[i]);
		waiting_free(w);
	}
	jobs_fini(s);
	expire_fini(s);
	census_fini(s);
	resume_fini(s);
	wiretrace_fini(s);
	partial_fini(s);
	alone_fini(s);
	convert_fini(s);
	limbo_fini(s);
	suspect_fini(s);
	apply_fini(s);
	stops_fini(s);
	tally_fini(s);
	env_unwatch_network(s->host.env);
	timer_stop(&s->sweep);
	timer_stop(&s->room);
	timer_stop(&s->group_due);
	env_remove_hook(s->host.env, &s->commit);
	env_remove_hook(s->host.env, &s->reap);
	map_fini(&s->orders);
	map_fini(&s->handovers);
	map_fini(&s->assocs);
	store_close(&s->store);
	arena_free(&s->work);
	arena_free(&s->monitor_arena);
	lists_forget_older(s);
	switch_decompile(s);
	s->magic = 0;
	MEM_FREE(*sp);
}

void switch_count(const struct sw *s, struct store_counts *c_r)
{
	store_count(s->store, c_r);
}

void switch_stop(struct sw *s, void (*done)(void *ctx), void *ctx)
{
	tally_stop(s);
	s->stopping = true;
	s->stopped = done;
	s->stopped_ctx = ctx;
}
