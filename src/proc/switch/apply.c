/* apply.c - other settings while mail runs. What is compiled from them is made anew beside the old, and takes its place when all of it is
 * good. Links are found by their names: one that stays keeps its struct, its queue, its counters and its associations, and gets a pointer
 * to its new settings.
 *
 *   not there --added--> live --gone from the settings--> removed --nothing refers to it any more--> not there
 *                         ^_________added again______________|
 *
 * A removed link has settings of its own, a copy by which nobody is called and nothing is kept. It stays in sw.links after the live ones
 * while anything refers to it, so that what is in hand comes to its end as ever; again.c empties its queue of what has another way. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"
#include "proc/table/settings_change.h"
#include "proc/table/settings_doubt.h"

/* --- births and ends of links --- */

static void tell(const struct swlink *l, const char *what)
{
	char queued[24];
	snprintf(queued, sizeof queued, "%llu", (unsigned long long)l->queued);
	EMIT(&l->sw->host, LINK_SETTINGS, "link", l->set->name, "what", what, "queued", queued);
}

static struct swlink *link_new(struct sw *s, const struct set_link *set, struct restriction **r)
{
	struct swlink *l = mem_zero(sizeof *l);
	dispatch_link_init(l, s, set);
	l->restriction = *r;
	*r = NULL;
	return l;
}

static void link_free(struct swlink *l)
{
	dispatch_link_fini(l);
	restrict_free(&l->restriction);
	arena_free(&l->own);
	free(l);
}

/* By these nobody is called, nothing is opened, and nothing that breaks off is kept. */
static void make_own(struct swlink *l, const struct set_link *of)
{
	struct arena *own = arena_new(SIZE_MAX);
	struct set_link *set = arena_get(own, sizeof *set);
	settings_copy(settings_link_section(), of, set, own);
	set->address = "";
	set->more_addresses.n = set->times.n = set->accept_from.n = set->reject_from.n = 0;
	set->schedule = SCHEDULE_NEVER;
	set->permanent = set->urgent_any_time = false;
	set->recovery_timeout_ms = 0;
	l->own = own;
	l->set = set;
	l->name = view_str(set->name);
	l->address = 0;
}

static void link_remove(struct swlink *l, struct restriction **none)
{
	make_own(l, l->set);
	l->is_removed = true;
	restrict_free(&l->restriction);
	l->restriction = *none;
	*none = NULL;
	dispatch_set_policy(l);
	calling_settings(l);
	timer_stop(&l->open_timer);
	timer_stop(&l->more_timer);
	timer_stop(&l->wake_timer);
	monitor_settings(l);
	reroute_forget(l);
	partial_link_gone(l);
	resume_link_gone(l);
	dispatch_outdate(l);
	tell(l, "removed");
	again_begin(l);
}

/* --- one link that stays --- */

static bool converts_otherwise(const struct set_link *a, const struct set_link *b)
{
	return a->wrap != b->wrap || a->down != b->down || a->up != b->up || a->body_part_15 != b->body_part_15 || a->text != b->text ||
	       a->free_form_names != b->free_form_names;
}

/* It has other addresses, names or passwords: what it failed of says nothing about them (Q225196: nobody has to start anything). */
static void begin_anew(struct swlink *l)
{
	timer_stop(&l->open_timer);
	timer_stop(&l->more_timer);
	l->open_failures = l->lost_in_vain = l->address = 0;
	l->first_failure = 0;
	l->last_error[0] = 0;
	l->alone_at_ms = 0;
	l->tried_ms = INT64_MIN / 2;
	reroute_forget(l);
	dispatch_outdate(l);
	tell(l, "its associations are opened anew");
}

/* The interval counts from the last attempt. */
static void retime(struct swlink *l, const struct queue_policy *before)
{
	struct env *env = l->sw->host.env;
	if (!timer_is_set(&l->open_timer) || before->open_interval_ms == l->policy.open_interval_ms)
		return;
	const uint64_t random = env_random(env), delay = l->open_failures > 0 ? queue_open_delay(&l->policy, l->open_failures, random)
									      : queue_reopen_delay(&l->policy, l->lost_in_vain, random);
	const int64_t at = l->tried_ms + (int64_t)delay, now = env_now_ms(env);
	timer_set(&l->open_timer, at > now ? at : now);
}

/* A process of another kind serves it now. It knows nothing of what broke off there, and the one of before gets nothing more. */
static void turn(struct swlink *l, enum link_kind before)
{
	static const char *const what[] = { [LINK_X400] = "it is of kind x400 now", [LINK_CONNECTOR] = "it is of kind connector now",
					    [LINK_MSMAIL] = "it is of kind msmail now" };
	partial_link_gone(l);
	resume_link_gone(l);
	wiretrace_link_gone(l);
	monitor_forget(l);
	connector_let_go(l);
	if (before == LINK_MSMAIL || l->set->kind == LINK_MSMAIL)
		examine_keep_all(l);
	l->owes_call = l->is_detached = l->is_missed = l->is_unknown_there = false;
	tell(l, what[l->set->kind]);
}

static void link_update(struct swlink *l, const struct set_link *set, struct restriction **r)
{
	const struct set_link *before = l->set;
	const enum link_kind kind = before->kind;
	const struct queue_policy policy = l->policy;
	const bool differs = l->is_removed || settings_link_differs(before, set), converts = converts_otherwise(before, set);
	struct arena *own = l->own;
	restrict_free(&l->restriction);
	l->restriction = *r;
	*r = NULL;
	l->set = set;
	l->name = view_str(set->name);
	l->own = NULL;
	l->again.is_begun = l->again.is_begun && !l->is_removed;
	if (l->is_removed)
		tell(l, "added");
	l->is_removed = false;
	dispatch_set_policy(l);
	reroute_settings(l);
	if (kind != (enum link_kind)set->kind)
		turn(l, kind);
	if (converts)
		convert_forget(l);
	if (differs)
		begin_anew(l);
	else
		retime(l, &policy);
	calling_settings(l);
	monitor_settings(l);
	arena_free(&own); /* `before` lay in it */
}

/* --- all of them --- */

static struct swlink *find(struct sw *s, const char *name)
{
	return switch_link(s, view_str(name));
}

static void free_restrictions(struct restriction **r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		restrict_free(&r[i]);
	free(r);
}

/* For each link of s->settings, and an empty one for each that there is now. NULL: *e says why not. */
static struct restriction **make_restrictions(struct sw *s, size_t *n_r, struct err *e)
{
	const struct set_link *set = s->settings->links.v;
	const size_t n = *n_r = s->settings->links.n + s->n_links;
	struct restriction **r = mem_zero(mem_mul(n + 1, sizeof *r));
	struct set_link none;
	settings_blank(settings_link_section(), &none);
	for (size_t i = 0; i < n; i++) {
		r[i] = restrict_new(s, i < s->settings->links.n ? &set[i] : &none, e);
		if (r[i] == NULL) {
			free_restrictions(r, i);
			return NULL;
		}
	}
	return r;
}

/* In the order of the settings; then those that are gone. */
static void set_links(struct sw *s, struct restriction **r)
{
	const struct set_link *set = s->settings->links.v;
	const size_t n = s->settings->links.n, n_before = s->n_links;
	struct swlink **before = s->links, **after = mem_zero(mem_mul(n + n_before + 1, sizeof *after));
	size_t n_after = n;
	bool *stays = mem_zero(n_before + 1);
	for (size_t i = 0; i < n; i++) {
		struct swlink *l = find(s, set[i].name);
		after[i] = l;
		if (l != NULL)
			stays[l->index] = true;
	}
	/* Those that go first: the settings of before are gone when this returns, whatever a new link asks for. */
	for (size_t i = 0; i < n_before; i++) {
		if (stays[i])
			continue;
		after[n_after++] = before[i];
		if (!before[i]->is_removed)
			link_remove(before[i], &r[n + i]);
	}
	for (size_t i = 0; i < n; i++)
		if (after[i] != NULL)
			link_update(after[i], &set[i], &r[i]);
	for (size_t i = 0; i < n; i++)
		if (after[i] == NULL) {
			after[i] = link_new(s, &set[i], &r[i]);
			tell(after[i], "added");
		}
	for (size_t i = 0; i < n_after; i++)
		after[i]->index = i;
	s->links = after;
	s->n_links = n_after;
	s->alone.next_link = s->expire_link = 0;
	free(before);
	free(stays);
}

/* --- which settings a link process uses --- */

bool apply_is_settled(const struct proc *p)
{
	return p->settled == 0 ? !p->must_settle : p->settled == p->sw->settings_hash;
}

static void run_all(struct sw *s)
{
	for (size_t i = 0; i < s->n_links; i++)
		dispatch_run(s->links[i]);
	alone_kick(s);
}

/* A link that it did not know when it was told to call it is called now. What it was told to open before its first word was opened by what it
 * has: with other settings than ours it ends. */
bool apply_settled(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	const bool is_first = p->settled == 0 && !p->must_settle;
	p->settled = m.id;
	p->must_settle = false;
	if (is_first && !apply_is_settled(p))
		dispatch_outdate_of(p);
	suspect_tell_all(p); /* of a link that was gone it has forgotten them */
	for (size_t i = 0; i < s->n_links && apply_is_settled(p); i++)
		if (s->links[i]->is_unknown_there) {
			s->links[i]->is_unknown_there = false;
			begin_anew(s->links[i]);
		}
	run_all(s);
	return true;
}

/* --- associations of links that we do not know yet --- */

bool apply_early_up(struct proc *p, const struct msg_assoc *m)
{
	size_t n = 0;
	if (p->kind != PROCESS_LINK || (m->assoc & MSG_INBOUND_BIT) == 0)
		return false;
	for (const struct early *x = p->early; x != NULL; x = x->next)
		n++;
	if (n >= EARLY_MAX)
		return true; /* it is not sent on; what comes on it is refused for now */
	struct early *x = mem_zero(sizeof *x);
	*x = (struct early){ .next = p->early, .id = m->assoc, .can_send = m->assoc == p->two_way };
	snprintf(x->link, sizeof x->link, "%.*s", (int)(m->link.n < sizeof x->link ? m->link.n : 0), (const char *)m->link.p);
	p->early = x;
	return true;
}

static void take_early(struct early **at)
{
	struct early *x = *at;
	*at = x->next;
	free(x);
}

void apply_early_down(struct proc *p, uint64_t assoc)
{
	for (struct early **at = &p->early; *at != NULL; at = &(*at)->next)
		if ((*at)->id == assoc) {
			take_early(at);
			return;
		}
}

void apply_proc_gone(struct proc *p)
{
	while (p->early != NULL)
		take_early(&p->early);
}

static void enter_early(struct proc *p)
{
	for (struct early **at = &p->early; *at != NULL;) {
		struct early *x = *at;
		struct swlink *l = find(p->sw, x->link);
		if (l == NULL) {
			at = &x->next;
			continue;
		}
		dispatch_inbound_up(p, x->id, l, x->can_send);
		take_early(at);
	}
}

/* --- the settings as a whole --- */

static const struct settings_section *section_of(const char *key, size_t *offset_r)
{
	for (size_t i = 0; i < settings_root.n_rows; i++)
		if (strcmp(settings_root.rows[i].key, key) == 0) {
			*offset_r = settings_root.rows[i].offset;
			return settings_root.rows[i].of;
		}
	CANT_HAPPEN("the settings have no such section");
}

static bool same_list(const char *key, const struct settings *a, const struct settings *b)
{
	size_t offset;
	const struct settings_section *section = section_of(key, &offset);
	const struct setting_list *x = (const void *)((const char *)a + offset), *y = (const void *)((const char *)b + offset);
	bool same = x->n == y->n;
	for (size_t i = 0; same && i < x->n; i++)
		same = settings_same(section, (const char *)x->v + i * section->size, (const char *)y->v + i * section->size);
	return same;
}

/* Something may go otherwise that waits already. */
static bool routes_otherwise(const struct settings *a, const struct settings *b)
{
	const struct set_link *x = a->links.v, *y = b->links.v;
	bool same = same_list("routes", a, b) && same_list("mailboxes", a, b) && same_list("lists", a, b) &&
		    a->routing.lowest_cost_first == b->routing.lowest_cost_first && a->links.n == b->links.n;
	for (size_t i = 0; same && i < a->links.n; i++)
		same = strcmp(x[i].name, y[i].name) == 0 && x[i].size_limit == y[i].size_limit && x[i].schedule == y[i].schedule &&
		       x[i].kind == y[i].kind &&
		       (*x[i].address == 0) == (*y[i].address == 0);
	return !same;
}

static void tell_doubt(void *ctx, const char *sentence)
{
	EMIT(&((struct sw *)ctx)->host, CONFIG_DOUBTFUL, "what", sentence);
}

/* What follows from them, when all tables and links are those of now. */
static void follow(struct sw *s, bool other_routes)
{
	s->settings_hash = settings_hash(s->settings);
	for (struct proc *p = s->procs; p != NULL; p = p->next) {
		p->must_settle = p->kind == PROCESS_LINK || p->kind == PROCESS_ALONE;
		if (!p->dead)
			enter_early(p);
	}
	suspect_relink(s);
	for (size_t i = 0; i < s->n_links && other_routes; i++)
		again_begin(s->links[i]);
	reroute_start(s);
	settings_doubts(s->settings, s->config_arena, tell_doubt, s);
	room_check(s);
	jobs_at(s, 0);
	run_all(s);
}

bool switch_settings(struct sw *s, const struct settings *settings, struct err *e)
{
	CHECK(s, SW_MAGIC);
	size_t n = 0;
	const struct settings *before_settings = s->settings;
	const bool other_routes = routes_otherwise(s->settings, settings);
	struct sw before = *s; /* its tables */
	s->settings = settings;
	s->config_arena = arena_new(WORK_ARENA);
	s->routes = NULL;
	s->redirects = NULL;
	s->lists = NULL;
	struct restriction **r = switch_compile(s, e) ? make_restrictions(s, &n, e) : NULL;
	if (r == NULL) {
		switch_decompile(s);
		s->settings = before_settings;
		s->config_arena = before.config_arena;
		s->routes = before.routes;
		s->redirects = before.redirects;
		s->lists = before.lists;
		s->domain = before.domain;
		s->mta = before.mta;
		return false;
	}
	lists_keep(s, &before.lists);
	switch_decompile(&before);
	s->is_changing = true; /* what goes out, or is given up, is routed: to links that are not there yet, by restrictions of before */
	set_links(s, r);
	s->is_changing = false;
	free_restrictions(r, n);
	follow(s, other_routes);
	return true;
}

/* --- the start --- */

struct homeless {
	struct sw *s;
	char (*names)[65];
	size_t n;
};

static void note_homeless(void *ctx, const struct store_queue *q)
{
	struct homeless *h = ctx;
	const struct view queue = q->name;
	if (queue.n == 0 || queue.n >= sizeof h->names[0] || queue.p[0] == '+' || switch_link(h->s, queue) != NULL)
		return;
	h->names = mem_grow(h->names, mem_mul(h->n + 1, sizeof *h->names));
	snprintf(h->names[h->n++], sizeof *h->names, "%.*s", (int)queue.n, (const char *)queue.p);
}

/* The settings were changed while no switch ran: as if it had seen it. */
static void add_homeless(struct sw *s)
{
	struct homeless h = { .s = s };
	struct err e;
	store_queues(s->store, note_homeless, &h);
	s->links = mem_grow(s->links, mem_mul(s->n_links + h.n + 1, sizeof *s->links));
	for (size_t i = 0; i < h.n; i++) {
		struct set_link blank;
		settings_blank(settings_link_section(), &blank);
		blank.name = h.names[i];
		struct restriction *none = restrict_new(s, &blank, &e);
		struct swlink *l = mem_zero(sizeof *l);
		struct swlink seed = { .sw = s };
		make_own(&seed, &blank);
		dispatch_link_init(l, s, seed.set);
		l->own = seed.own;
		l->restriction = none;
		l->is_removed = true;
		l->index = s->n_links;
		s->links[s->n_links++] = l;
	}
	free(h.names);
}

bool apply_start(struct sw *s, struct err *e)
{
	const struct set_link *set = s->settings->links.v;
	s->settings_hash = settings_hash(s->settings);
	s->links = mem_zero(mem_mul(s->settings->links.n + 1, sizeof *s->links));
	for (size_t i = 0; i < s->settings->links.n; i++) {
		struct restriction *r = restrict_new(s, &set[i], e);
		if (r == NULL)
			return false;
		s->links[i] = link_new(s, &set[i], &r);
		s->links[i]->index = i;
		s->n_links++;
	}
	add_homeless(s);
	return true;
}

void apply_fini(struct sw *s)
{
	for (size_t i = 0; i < s->n_links; i++)
		link_free(s->links[i]);
	s->n_links = 0;
	MEM_FREE(s->links);
}

/* --- the end of removed links --- */

static bool is_referred_to(struct sw *s, const struct swlink *l)
{
	const struct swassoc *a;
	const struct order *o;
	bool is = l->n_partials > 0 || s->alone.examine.octets.link == l;
	for (size_t i = 0; !is && (a = map_next(&s->assocs, &i)) != NULL;)
		is = a->link == l;
	for (size_t i = 0; !is && (o = map_next(&s->orders, &i)) != NULL;)
		is = o->link == l || operate_aims_at(o, l);
	for (const struct limbo *b = s->limbos; b != NULL && !is; b = b->next)
		is = b->serves == l || b->octets.link == l;
	for (const struct proc *p = s->procs; p != NULL && !is; p = p->next) {
		is = p->serves == l;
		for (size_t i = 0; !is && (a = map_next(&p->inbound, &i)) != NULL;)
			is = a->link == l;
	}
	return is;
}

static bool has_queue(struct sw *s, const struct swlink *l)
{
	struct store_queued row;
	for (int prio = PRIORITY_URGENT; prio >= PRIORITY_NON_URGENT; prio--) {
		struct store_place place = { 0 };
		if (store_queue_next(s->store, l->name, (enum priority)prio, INT64_MAX, &place, &row, 1) > 0)
			return true;
	}
	return false;
}

void apply_sweep(struct sw *s)
{
	connector_end_idle(s);
	for (size_t i = s->settings->links.n; i < s->n_links;) {
		struct swlink *l = s->links[i];
		if (l->queued > 0 || has_queue(s, l) || is_referred_to(s, l)) { /* what is held no listing reaches */
			i++;
		} else {
			s->links[i] = s->links[--s->n_links];
			s->links[i]->index = i;
			link_free(l);
			suspect_relink(s);
		}
	}
}
