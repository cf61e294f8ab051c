/* connector.c - what serves one link each, beside the link processes: programs of their own (docs/connector.md), and the interchanges
 * of links of kind msmail. The switch treats one as it treats a link process, with these differences:
 *
 * - There is one for its link: a suspect is given to it while nothing else is in its hands.
 * - Nothing that it sends, or does not read, may cost more than a bounded amount of memory. Silence and nonsense end its channel.
 * - A program comes by the socket `connect`, twice, and registers. It is not our child: nobody says how it died. An end of its channel by
 *   itself strikes nothing, unless the same transfer was in its hands LOSSES_MAX times in a row; hanging and nonsense strike.
 * - An interchange is the supervisor's child, its streams come from there, and how it died is known: limbo.c. It may offer octets. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum {
	GUESTS_MAX = 64,                 /* connections that have not registered yet */
	GUEST_MS = 10 * 1000,            /* both streams have registered in that */
	GUEST_AGAIN_MS = 200,            /* at least between two connectors of a link; before a refusal is told */
	CONNECTOR_OFFERS = 16,           /* streamed offers of one connector at once */
	CONNECTOR_UNSENT = 1024 * 1024,  /* octets that wait for it; then it is not listened to */
	WATCHES = 4,                     /* looks at it in the time of the watchdog */
	DIAGNOSTIC_MAX = 32767,          /* X.411 ub-diagnostic-codes, ub-reason-codes */
	LOCAL_ID_MAX = 32,               /* X.411 ub-local-id-length */
};

/* One of the two streams of a program that has not been let in yet. */
struct guest {
	struct guest *next;
	struct sw *sw;
	struct chan *chan;               /* NULL: taken over, or ended */
	char link[65];
	uint64_t token;
	bool greeted, registered, bulk;
	bool refused;
	struct err why;                  /* refused */
	struct timer timer;              /* patience; when refused: until it is told */
};

bool connector_is_link(const struct swlink *l)
{
	return l->set->kind != LINK_X400;
}

bool connector_is(const struct proc *p)
{
	return p->serves != NULL;
}

/* --- life of a guest --- */

static void guest_free(struct guest *g)
{
	struct sw *s = g->sw;
	for (struct guest **at = &s->guests; *at != NULL; at = &(*at)->next)
		if (*at == g) {
			*at = g->next;
			break;
		}
	s->n_guests--;
	timer_stop(&g->timer);
	if (g->chan != NULL)
		chan_free(&g->chan, true);
	free(g);
}

static void answer(struct chan *c, uint64_t token, const struct err *refused)
{
	struct msg_answer m = { .id = token, .accepted = refused == NULL, .err = { .reason = -1, .diagnostic = -1 } };
	if (refused != NULL)
		m.err = *refused;
	put_msg_answer(chan_begin(c, MSG_REGISTERED), &m);
	chan_end(c);
}

/* Told after a while, so that a program that tries for ever costs little. */
static void refuse(struct guest *g, const struct err *why)
{
	g->refused = true;
	g->why = *why;
	timer_after(&g->timer, GUEST_AGAIN_MS);
}

static struct guest *find_other(const struct guest *g)
{
	for (struct guest *o = g->sw->guests; o != NULL; o = o->next)
		if (o != g && o->registered && !o->refused && o->token == g->token && strcmp(o->link, g->link) == 0)
			return o;
	return NULL;
}

static bool is_servable(struct sw *s, const char *link, struct swlink **link_r, struct err *e)
{
	struct swlink *l = *link_r = switch_link(s, view_str(link));
	if (l == NULL || l->is_removed)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "REGISTER: no link is called \"%s\"", link);
	if (l->set->kind == LINK_MSMAIL)
		return err_set(e, ERR_PERM, ERR_OF_LINK, "REGISTER: link \"%s\" is of kind msmail, which Posthorn's own interchange serves", link);
	if (!connector_is_link(l))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "REGISTER: link \"%s\" is of kind x400, want connector", link);
	if (l->connector != NULL)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "REGISTER: link \"%s\" is served by another connector, which lives", link);
	return !s->stopping || err_set(e, ERR_TEMP, ERR_OF_PROCESS, "this MTA is stopping");
}

static void let_in(struct swlink *l, struct guest *control, struct guest *bulk);

/* Both are there. A link's connectors come at most so often. */
static void on_pair(struct guest *g, struct guest *other)
{
	struct sw *s = g->sw;
	struct swlink *l;
	struct err e;
	int64_t now = env_now_ms(s->host.env);
	if (!is_servable(s, g->link, &l, &e)) {
		refuse(g, &e);
		refuse(other, &e);
	} else if (l->register_ms > now) {
		timer_set(&g->timer, l->register_ms);
		timer_set(&other->timer, l->register_ms);
	} else if (g->bulk) {
		let_in(l, other, g);
	} else {
		let_in(l, g, other);
	}
}

static void on_guest_timer(void *ctx)
{
	struct guest *g = ctx;
	struct guest *other = g->registered && !g->refused ? find_other(g) : NULL;
	if (other != NULL) {
		on_pair(g, other);
		return;
	}
	if (!g->refused)
		err_set(&g->why, ERR_TEMP, ERR_OF_PROCESS, !g->greeted ? "no HELLO in %d s" : !g->registered ? "no REGISTER in %d s" :
			"no second stream with this token in %d s", GUEST_MS / 1000);
	EMIT(&g->sw->host, CONNECTOR_REFUSED, "link", g->link, "why", g->why.text);
	answer(g->chan, g->token, &g->why);
	guest_free(g);
}

static void on_hello(void *ctx, unsigned kind, uint32_t instance)
{
	struct guest *g = ctx;
	struct err e;
	(void)instance;
	g->greeted = true;
	if (kind == PROCESS_CONNECTOR)
		return;
	err_set(&e, ERR_PERM, ERR_OF_PROCESS, "HELLO of kind %u on the socket for connectors, want %d", kind, PROCESS_CONNECTOR);
	refuse(g, &e);
}

static void on_other_version(void *ctx, unsigned version)
{
	struct guest *g = ctx;
	struct err e;
	err_set(&e, ERR_PERM, ERR_OF_PROCESS, "HELLO of version %u, this switch speaks version %d", version, CHAN_VERSION);
	g->refused = true;
	g->why = e;
	answer(g->chan, 0, &e);
}

static bool on_register(void *ctx, struct view payload, struct err *e)
{
	struct guest *g = ctx;
	struct msg_register m;
	struct swlink *l;
	if (!get_msg_register(payload, &m, e))
		return false;
	if (g->registered || m.link.n >= sizeof g->link)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, g->registered ? "REGISTER comes twice" : "REGISTER: a link's name has at most 64 octets");
	snprintf(g->link, sizeof g->link, "%.*s", (int)m.link.n, (const char *)m.link.p);
	g->token = m.token;
	g->bulk = m.bulk;
	if (g->refused)
		return true;
	struct guest *other = find_other(g);
	g->registered = true;
	if (!is_servable(g->sw, g->link, &l, e) ||
	    (other != NULL && other->bulk == g->bulk && !err_set(e, ERR_PERM, ERR_OF_PROCESS, "REGISTER: both streams say bulk %d", g->bulk))) {
		refuse(g, e);
		if (other != NULL)
			refuse(other, e);
	} else if (other != NULL) {
		timer_after(&g->timer, 0);
	}
	return true;
}

static void on_guest_closed(void *ctx, const struct err *why)
{
	struct guest *g = ctx;
	EMIT(&g->sw->host, CONNECTOR_REFUSED, "link", g->link, "why", g->refused ? g->why.text : why->text);
	guest_free(g);
}

#define TYPE(m, handler) { .type = MSG_##m, .name = #m, .handle = handler, .max = MSG_MAX_##m }
static const struct chan_type guest_types[] = { TYPE(REGISTER, on_register) };
static const struct chan_events guest_events = { guest_types, ARRAY_LEN(guest_types), on_hello, NULL, on_guest_closed, on_other_version };

void switch_adopt_connector(struct sw *s, struct stream *stream)
{
	CHECK(s, SW_MAGIC);
	if (s->n_guests >= GUESTS_MAX) {
		EMIT(&s->host, CONNECTOR_REFUSED, "why", "too many connections that have not registered yet");
		stream_close(&stream, false);
		return;
	}
	struct guest *g = mem_zero(sizeof *g);
	g->sw = s;
	g->next = s->guests;
	s->guests = g;
	s->n_guests++;
	timer_init(&g->timer, s->host.env, on_guest_timer, g);
	timer_after(&g->timer, GUEST_MS);
	g->chan = chan_new(&stream, &guest_events, g, PROCESS_SWITCH, 0);
}

void connector_fini(struct sw *s)
{
	while (s->guests != NULL)
		guest_free(s->guests);
}

/* --- what a connector has said; the rest is as from a link process --- */

static void resume(struct proc *p)
{
	p->is_full = false;
	chan_pause(p->control, false);
	chan_pause(p->bulk, false);
}

static size_t unsent(const struct proc *p)
{
	return chan_unsent(p->control) + chan_unsent(p->bulk);
}

/* It does not read: it is not listened to, so that nothing more comes to be unsent, until it does. */
static bool is_full(struct proc *p)
{
	if (p->dead || p->is_full)
		return true;
	if (unsent(p) < CONNECTOR_UNSENT)
		return false;
	p->is_full = true;
	p->full_ms = env_now_ms(p->sw->host.env);
	chan_pause(p->control, true);
	chan_pause(p->bulk, true);
	return true;
}

static bool heard(struct proc *p, bool good)
{
	p->heard_ms = env_now_ms(p->sw->host.env);
	if (good)
		(void)is_full(p);
	return good;
}

static bool on_offer(void *ctx, struct view payload, struct err *e)
{
	return heard(ctx, intake_offer(ctx, payload, e));
}

/* What it has begun lies in memory. */
static bool on_begin(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct offer *f;
	size_t octets = 0;
	for (size_t i = 0; (f = map_next(&p->offers, &i)) != NULL;)
		octets += out_len(&f->packed);
	if (p->offers.n >= CONNECTOR_OFFERS || (p->offers.n > 0 && octets + payload.n > p->sw->settings->limits.memory / 2))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER_BEGIN with %zu offers and %zu octets of envelopes under way already", p->offers.n,
			       octets);
	return heard(p, intake_begin(p, payload, e));
}

static bool on_data(void *ctx, struct view payload, struct err *e)
{
	return heard(ctx, intake_data(ctx, payload, e));
}

static bool on_end(void *ctx, struct view payload, struct err *e)
{
	return heard(ctx, intake_end(ctx, payload, e));
}

static bool on_cancel(void *ctx, struct view payload, struct err *e)
{
	return heard(ctx, intake_cancel(ctx, payload, e));
}

static bool on_spoiled(void *ctx, struct view payload, struct err *e)
{
	return heard(ctx, intake_spoiled(ctx, payload, e));
}

static bool on_up(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_assoc m;
	if (!get_msg_assoc(payload, &m, e))
		return false;
	if (!view_eq(m.link, p->serves->name) || p->inbound.n >= p->sw->settings->limits.associations)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "ASSOC_UP of another link, or one too many");
	return heard(p, dispatch_assoc_up(p, payload, e));
}

/* An association that could not be opened has a cause, or the next attempt would follow at once. */
static bool on_down(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_assoc m;
	if (!get_msg_assoc(payload, &m, e))
		return false;
	const struct swassoc *a = map_get(&p->sw->assocs, m.assoc);
	if (a != NULL && a->proc == p && a->state == ASSOC_OPENING && m.err.kind == ERR_NONE)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "ASSOC_DOWN %llu: it was not up, and there is no error", (unsigned long long)m.assoc);
	return heard(p, dispatch_assoc_down(p, payload, e));
}

static bool on_pull(void *ctx, struct view payload, struct err *e)
{
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	if (m.n > MSG_CREDIT)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_PULL of %llu octets, at most %d at once", (unsigned long long)m.n, MSG_CREDIT);
	return heard(ctx, dispatch_pull(ctx, payload, e));
}

static bool on_result(void *ctx, struct view payload, struct err *e)
{
	struct msg_result m;
	if (!get_msg_result(payload, &m, e))
		return false;
	if (m.delivered != (m.err.kind == ERR_NONE))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_RESULT %llu: delivered with an error, or not delivered without one",
			       (unsigned long long)m.transfer);
	if (m.err.reason < -1 || m.err.reason > DIAGNOSTIC_MAX || m.err.diagnostic < -1 || m.err.diagnostic > DIAGNOSTIC_MAX)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_RESULT %llu: reason %d, diagnostic %d, want -1 to %d",
			       (unsigned long long)m.transfer, m.err.reason, m.err.diagnostic, DIAGNOSTIC_MAX);
	return heard(ctx, dispatch_result(ctx, payload, e));
}

static bool on_alive(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	if (m.id == p->alive)
		p->asked_ms = 0;
	return heard(p, true);
}

static bool on_examined(void *ctx, struct view payload, struct err *e)
{
	return heard(ctx, examine_done(ctx, payload, e));
}

#define OF_BOTH                                                                                                        \
	TYPE(OFFER, on_offer), TYPE(ASSOC_UP, on_up), TYPE(ASSOC_DOWN, on_down), TYPE(TRANSFER_PULL, on_pull),          \
		TYPE(TRANSFER_RESULT, on_result)
static const struct chan_type control_types[] = { OF_BOTH, TYPE(ALIVE, on_alive) };
static const struct chan_type interchange_types[] = { OF_BOTH, TYPE(EXAMINED, on_examined), TYPE(ALIVE, on_alive) };
static const struct chan_type bulk_types[] = {
	TYPE(OFFER_BEGIN, on_begin),
	TYPE(OFFER_DATA, on_data),
	TYPE(OFFER_END, on_end),
	TYPE(OFFER_CANCEL, on_cancel),
	TYPE(OFFER_SPOILED, on_spoiled),
};

static void on_drained(void *ctx)
{
	struct proc *p = ctx;
	if (p->dead || !p->is_full || unsent(p) >= CONNECTOR_UNSENT)
		return;
	resume(p);
	dispatch_run(p->serves);
}

static void accuse(struct proc *p, const struct err *why)
{
	p->accused = true;
	snprintf(p->words, sizeof p->words, "%s", why->text);
}

void connector_hung(struct proc *p, const struct err *why)
{
	const struct actor_host *host = &p->sw->host;
	accuse(p, why);
	EMIT(host, CONNECTOR_HUNG, "link", p->serves->set->name, "why", why->text);
	if (p->kind == PROCESS_INTERCHANGE && host->accuse != NULL)
		host->accuse(host->ctx, p->kind, p->instance, why->text);
	proc_lost(p, why);
}

static void on_closed(void *ctx, const struct err *why)
{
	struct proc *p = ctx;
	const struct actor_host *host = &p->sw->host;
	if (why->kind == ERR_LOCAL) {
		accuse(p, why);
		EMIT(host, CONNECTOR_NONSENSE, "link", p->serves->set->name, "why", why->text);
		if (p->kind == PROCESS_INTERCHANGE && host->accuse != NULL)
			host->accuse(host->ctx, p->kind, p->instance, why->text);
	} else if (p->kind == PROCESS_CONNECTOR) { /* proc_lost says it of our own processes */
		EMIT(host, CONNECTOR_LOST, "link", p->serves->set->name, "why", why->text);
	}
	proc_lost(p, why);
}

static const struct chan_events control_events = { control_types, ARRAY_LEN(control_types), NULL, on_drained, on_closed, NULL };
static const struct chan_events interchange_events = { interchange_types, ARRAY_LEN(interchange_types), NULL, on_drained, on_closed, NULL };
static const struct chan_events bulk_events = { bulk_types, ARRAY_LEN(bulk_types), NULL, on_drained, on_closed, NULL };

/* --- silence --- */

/* Its silence means something while it has something to do. */
static bool has_in_hand(const struct proc *p)
{
	const struct swlink *l = p->serves;
	return l->in_flight > 0 || l->n_opening > 0 || examine_by(p);
}

static void ask(struct proc *p)
{
	const struct msg_count m = { ++p->alive, 0 };
	p->asked_ms = env_now_ms(p->sw->host.env);
	put_msg_count(proc_begin(p, MSG_ALIVE), &m);
	proc_end(p);
}

static void on_watch(void *ctx)
{
	struct proc *p = ctx;
	struct err e;
	const int64_t now = env_now_ms(p->sw->host.env), patience = (int64_t)p->sw->settings->processes.watchdog_ms;
	timer_after(&p->watch, patience / WATCHES > 0 ? patience / WATCHES : 1);
	if (p->is_full && now - p->full_ms >= patience) {
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "it has not read for %lld ms: %zu octets wait for it", (long long)patience, unsent(p));
		connector_hung(p, &e);
	} else if (p->asked_ms != 0 && now - p->asked_ms >= patience) {
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "ALIVE was not answered in %lld ms", (long long)patience);
		connector_hung(p, &e);
	} else if (!has_in_hand(p) && p->asked_ms == 0) {
		p->heard_ms = now;
	} else if (!p->is_full && p->asked_ms == 0 && now - p->heard_ms >= patience) {
		ask(p);
	}
}

/* --- one that serves --- */

static struct proc *new_connector(struct swlink *l, enum process_kind kind, uint32_t instance)
{
	struct proc *p = proc_new(l->sw, kind, instance);
	p->serves = l;
	timer_init(&p->watch, l->sw->host.env, on_watch, p);
	return p;
}

/* Both its streams are there. */
static void serve(struct proc *p)
{
	struct swlink *l = p->serves;
	struct sw *s = p->sw;
	const int64_t patience = (int64_t)s->settings->processes.watchdog_ms;
	p->heard_ms = env_now_ms(s->host.env);
	if (patience > 0)
		timer_after(&p->watch, patience / WATCHES > 0 ? patience / WATCHES : 1);
	l->connector = p;
	l->is_missed = l->is_detached = false;
	if (p->kind == PROCESS_CONNECTOR)
		timer_stop(&l->open_timer);
	if (!timer_is_set(&l->open_timer)) /* else it is the file server's, whose time goes on */
		l->last_error[0] = 0;
	EMIT(&s->host, CONNECTOR_IN, "link", l->set->name);
	if (s->busy)
		room_tell(p);
	dispatch_run(l);
	alone_kick(s);
}

static void let_in(struct swlink *l, struct guest *control, struct guest *bulk)
{
	struct sw *s = l->sw;
	struct proc *p = new_connector(l, PROCESS_CONNECTOR, ++s->next_connector);
	p->control = control->chan;
	p->bulk = bulk->chan;
	control->chan = bulk->chan = NULL;
	chan_set_events(p->control, &control_events, p);
	chan_set_events(p->bulk, &bulk_events, p);
	answer(p->control, control->token, NULL);
	answer(p->bulk, bulk->token, NULL);
	guest_free(control);
	guest_free(bulk);
	l->register_ms = env_now_ms(s->host.env) + GUEST_AGAIN_MS;
	serve(p);
}

/* From the supervisor. Nothing of it is read before both its streams are there. */
void connector_adopt(struct sw *s, uint32_t instance, bool bulk, struct stream *stream)
{
	struct err e;
	struct proc *p = proc_find(s, PROCESS_INTERCHANGE, instance);
	if (instance >= s->settings->links.n || s->links[instance]->set->kind != LINK_MSMAIL) {
		stream_close(&stream, false);
		return;
	}
	if (p != NULL && (bulk ? p->bulk : p->control) != NULL) {
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "its successor has come");
		proc_lost(p, &e);
		p = NULL;
	}
	if (p == NULL && s->links[instance]->connector != NULL) { /* links have come or gone: it has another number now */
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "its successor has come");
		proc_lost(s->links[instance]->connector, &e);
	}
	if (p == NULL)
		p = new_connector(s->links[instance], PROCESS_INTERCHANGE, instance);
	struct chan **c = bulk ? &p->bulk : &p->control;
	*c = chan_new(&stream, bulk ? &bulk_events : &interchange_events, p, PROCESS_SWITCH, 0);
	if (p->control == NULL || p->bulk == NULL) {
		chan_pause(*c, true);
		return;
	}
	chan_pause(bulk ? p->control : p->bulk, false);
	serve(p);
}

void connector_gone(struct proc *p)
{
	if (!connector_is(p))
		return;
	struct swlink *l = p->serves;
	timer_stop(&p->watch);
	if (l->connector != p)
		return; /* its link is another's now */
	l->connector = NULL;
	snprintf(l->last_error, sizeof l->last_error, "the %s has gone: %.150s", process_kind_name(p->kind), p->accused ? p->words :
		 "its channel has ended");
}

/* The supervisor has ended an interchange before the switch hears of the new settings, but for one that cannot be ended. */
void connector_let_go(struct swlink *l)
{
	struct err e;
	struct proc *p = l->connector;
	l->connector = NULL;
	if (p == NULL || p->kind == PROCESS_CONNECTOR)
		return;
	err_set(&e, ERR_TEMP, ERR_OF_LINK, "its link is of another kind now");
	proc_lost(p, &e);
}

static bool has_associations(struct proc *p)
{
	const struct swassoc *a;
	for (size_t i = 0; (a = map_next(&p->sw->assocs, &i)) != NULL;)
		if (a->proc == p)
			return true;
	return false;
}

/* Of removed links: an interchange is the supervisor's to end. */
void connector_end_idle(struct sw *s)
{
	struct err e;
	err_set(&e, ERR_PERM, ERR_OF_LINK, "its link is in the settings no more, or of another kind");
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (p->kind == PROCESS_CONNECTOR && !p->dead && (p->serves->is_removed || p->serves->connector != p) && !has_associations(p))
			proc_lost(p, &e);
}

/* What an interchange says of its postoffice: an association of its own is up while that is there; NULL: one has come up. */
void connector_told(const struct proc *p, struct swlink *l, const struct err *down)
{
	if (l->connector != p || l->set->kind != LINK_MSMAIL || (down != NULL && down->kind == ERR_NONE))
		return;
	snprintf(l->last_error, sizeof l->last_error, "%s", down == NULL ? "" : down->text);
	l->is_detached = down != NULL;
}

const char *connector_state(const struct swlink *l)
{
	if (l->connector == NULL)
		return "starting";
	if (l->n_assocs > l->n_opening)
		return "open";
	if (l->is_detached || timer_is_set(&l->open_timer))
		return "detached";
	if (l->n_opening > 0)
		return "opening";
	if (calling_now(l) != CALLING_ANY)
		return "closed";
	return l->n_inbound > 0 ? "attached" : "idle";
}

const char *connector_address(const struct swlink *l)
{
	const struct set_msmail *m = &l->set->msmail;
	return l->set->kind != LINK_MSMAIL ? "" : *m->postoffice != 0 ? m->postoffice : m->ffapi_import;
}

static bool holds_suspect(const struct swlink *l)
{
	for (const struct swassoc *a = l->assocs; a != NULL; a = a->next)
		for (unsigned i = 0; i < a->in_flight; i++)
			if (suspect_of(a->held[i]) != NULL)
				return true;
	return false;
}

bool connector_takes(const struct swlink *l)
{
	if (!connector_is_link(l))
		return true;
	return l->connector != NULL && l->suspects.n == 0 && !is_full(l->connector) && (l->sw->suspects.n == 0 || !holds_suspect(l));
}

struct swassoc *connector_free_for_suspect(const struct swlink *l)
{
	if (!connector_is_link(l) || l->connector == NULL || l->in_flight > 0 || is_full(l->connector))
		return NULL;
	for (struct swassoc *a = l->assocs; a != NULL; a = a->next)
		if (a->state == ASSOC_OPEN)
			return a;
	return NULL;
}

void connector_sweep(struct swlink *l)
{
	if (!connector_is_link(l) || l->connector != NULL || l->queued == 0 || l->is_missed)
		return;
	char queued[24];
	l->is_missed = true;
	if (*l->last_error == 0)
		snprintf(l->last_error, sizeof l->last_error, l->set->kind == LINK_MSMAIL ? "its interchange does not run" : "no connector has registered");
	snprintf(queued, sizeof queued, "%llu", (unsigned long long)l->queued);
	EMIT(&l->sw->host, CONNECTOR_MISSED, "link", l->set->name, "queued", queued, "why", l->last_error);
}

/* --- a message of its own making --- */

static bool is_domain(const struct gdi *d)
{
	return d->country.value.n > 0 && d->admd.value.p != NULL && d->country.form <= ORA_NUMERIC && d->admd.form <= ORA_NUMERIC &&
	       (!d->has_prmd || (d->prmd.value.n > 0 && d->prmd.form <= ORA_NUMERIC));
}

static bool is_name(const struct oraddr *a)
{
	return a->n > 0 || a->directory_name.n > 0;
}

static bool check_recipient(const struct message *m, size_t i, struct err *e)
{
	const struct recipient *r = &m->rcpt[i];
	if (!is_name(&r->addr) && !r->has_intended)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "recipient %zu has no address", i + 1);
	if (r->number == 0 || r->number > RECIPIENTS_MAX)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "recipient %zu has the number %u, want 1 to %d", i + 1, r->number,
				  RECIPIENTS_MAX);
	if (r->mta_report > REPORT_ALL_AUDITED || r->originator_report > REPORT_ALL)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "recipient %zu asks for reports %u and %u, want at most 3 and 2", i + 1,
				  r->mta_report, r->originator_report);
	return true;
}

bool connector_check_message(const struct message *m, struct err *e)
{
	bool ours = m->kind == MESSAGE_REPORT;
	if (!is_domain(&m->id.domain) || m->id.local.n == 0 || m->id.local.n > LOCAL_ID_MAX)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "no MTS-identifier: a country, an ADMD and 1 to %d octets are wanted", LOCAL_ID_MAX);
	if (m->kind == MESSAGE_REPORT && (!is_domain(&m->subject_id.domain) || m->subject_id.local.n == 0))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "a report without the MTS-identifier of its subject");
	if (!is_name(&m->originator))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "no originator");
	if (m->content_type < (ours ? -2 : -1) || (m->content_type == -1 && m->content_type_oid.n == 0))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 15, "content type %lld is none", (long long)m->content_type);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		if (!check_recipient(m, i, e))
			return false;
		ours = ours || m->rcpt[i].responsible;
	}
	return (ours && m->n_rcpt > 0) ||
	       err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "of %zu recipients none that this MTA becomes responsible for", m->n_rcpt);
}
