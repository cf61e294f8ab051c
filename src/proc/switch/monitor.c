/* monitor.c - the link monitor: probes (X.411 8.2.1.1.2) to an address beyond a link, and what their answers say of it.
 *
 *            no answer for `warning`       for `alert`
 *     OK -------------------------> WARNING ----------> ALERT
 *      ^_______ any report about a probe from beyond ______|
 *
 * A probe tests its link: it is put into that link's queue and takes no other way, and what becomes of it here is reported to nobody. The
 * next one takes the place of one that still waits, so that a link that is down has one at most; of one that is in somebody's hands just
 * then when it comes back undelivered. What a switch before this one, or a monitor with other settings, has left is not sent any more. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

/* The originator of all probes; what comes back to it goes no further, also what an earlier life of the switch has asked for. */
#define ORIGINATOR "S=Link-Monitor"

enum { PROBES_MAX = 32, BUSY_MS = 1000 };

struct probe {
	char id[40];             /* local identifier */
	uint64_t transfer;
	int64_t sent_ms;
};

struct monitor {
	struct swlink *link;
	struct arena *arena;     /* of `to` */
	struct oraddr to;
	char *text;              /* of `to`, as set */
	struct timer timer;      /* the next probe, or a state that begins */
	int64_t next_ms;         /* of the next probe */
	struct probe probes[PROBES_MAX]; /* without an answer, the oldest first */
	size_t n;
	int64_t since_ms;        /* the oldest probe since the last answer was sent; meaning only with is_waiting */
	bool is_waiting;
	bool is_due;             /* the next one was, while the last one was in somebody's hands */
	int64_t trip_ms;         /* of the last answer; -1: none yet */
	enum monitor_state state;
};

const char *monitor_state_name(enum monitor_state state)
{
	switch (state) {
	case MONITOR_OK: return "ok";
	case MONITOR_WARNING: return "warning";
	case MONITOR_ALERT: return "alert";
	}
	CANT_HAPPEN("state of a monitor");
}

static const struct set_monitor *set_of(const struct monitor *x)
{
	return &x->link->set->monitor;
}

static int64_t now_of(const struct monitor *x)
{
	return env_now_ms(x->link->sw->host.env);
}

/* --- states --- */

static void change_state(struct monitor *x, enum monitor_state to)
{
	struct sw *s = x->link->sw;
	char waits[24], trip[24];
	const enum monitor_state from = x->state;
	x->state = to;
	snprintf(waits, sizeof waits, "%lld", (long long)(x->is_waiting ? (now_of(x) - x->since_ms) / 1000 : 0));
	snprintf(trip, sizeof trip, "%lld", (long long)x->trip_ms);
	if (to == from)
		return;
	if (to == MONITOR_OK)
		EMIT(&s->host, MONITOR_OK, "link", x->link->set->name, "was", monitor_state_name(from), "round-trip-ms", trip);
	else if (to == MONITOR_WARNING)
		EMIT(&s->host, MONITOR_WARNING, "link", x->link->set->name, "to", x->text, "unanswered-s", waits, "why", x->link->last_error);
	else
		EMIT(&s->host, MONITOR_ALERT, "link", x->link->set->name, "to", x->text, "unanswered-s", waits, "why", x->link->last_error);
}

static enum monitor_state state_now(const struct monitor *x)
{
	const uint64_t waited = x->is_waiting ? (uint64_t)(now_of(x) - x->since_ms) : 0;
	if (!x->is_waiting)
		return MONITOR_OK;
	if (waited >= set_of(x)->alert_ms)
		return MONITOR_ALERT;
	return waited >= set_of(x)->warning_ms ? MONITOR_WARNING : MONITOR_OK;
}

static uint64_t interval(const struct monitor *x)
{
	return x->state == MONITOR_OK ? set_of(x)->interval_ms : set_of(x)->critical_interval_ms;
}

static void sooner(int64_t *at, int64_t other, int64_t now)
{
	if (other > now && other < *at)
		*at = other;
}

static void rearm(struct monitor *x)
{
	const int64_t now = now_of(x);
	int64_t at = x->next_ms;
	if (x->is_waiting) {
		sooner(&at, x->since_ms + (int64_t)set_of(x)->warning_ms, now);
		sooner(&at, x->since_ms + (int64_t)set_of(x)->alert_ms, now);
	}
	timer_set(&x->timer, at > now ? at : now);
}

/* --- probes --- */

/* What has not left does not leave any more. False: it is in somebody's hands just now. */
static bool withdraw(struct monitor *x, uint64_t transfer)
{
	struct sw *s = x->link->sw;
	struct store_queued row;
	struct view queue;
	if (!store_find_transfer(s->store, transfer, &row, &queue))
		return true;
	if (!view_eq(queue, x->link->name))
		return true; /* an operator has moved it */
	struct order *o = expire_at_rest(x->link, &row);
	if (o == NULL)
		return false;
	store_transfer_reported(s->store, transfer);
	order_gone(o);
	return true;
}

static void entered(struct sw *s, struct waiting *w)
{
	place_enter_windows(s, w);
}

static struct message *compose(struct monitor *x)
{
	struct sw *s = x->link->sw;
	struct message *m = arena_get(s->work, sizeof *m);
	*m = (struct message){ .kind = MESSAGE_PROBE, .originator = *s->monitor, .content_type = 22, .content_length = 0, .priority = PRIORITY_NORMAL };
	switch_next_id(s, &m->id, s->work);
	m->rcpt = arena_get(s->work, sizeof *m->rcpt);
	m->n_rcpt = 1;
	m->rcpt[0] = (struct recipient){ .addr = x->to, .number = 1, .responsible = true, .reason = -1, .diagnostic = -1,
					 .originator_report = REPORT_ALL, .mta_report = REPORT_ALL, .type_of_user = UINT32_MAX };
	if (!trace_add(m, &s->domain, s->mta, true, env_wall_ms(s->host.env), s->work))
		CANT_HAPPEN("the work arena is too small for a probe");
	return m;
}

static void put_step(struct monitor *x, const struct message *m)
{
	const struct store_step step = { .kind = STEP_SUBMITTED, .id = &m->id, .text = VIEW("probe of the link monitor"), .digest = { 1, 1 } };
	store_put_step(x->link->sw->store, &step);
}

static uint64_t put(struct monitor *x, struct message *m)
{
	struct sw *s = x->link->sw;
	const wall_ms_t now = env_wall_ms(s->host.env);
	struct store_recipient rcpt = { .rcpt = &m->rcpt[0], .state = STORE_RCPT_QUEUED };
	struct store_transfer transfer = { .queue = x->link->name };
	struct store_message stored = { .m = m, .arrived = now, .expires = now + (wall_ms_t)interval(x), .recipients = &rcpt, .n_recipients = 1,
					.transfers = &transfer, .n_transfers = 1 };
	struct waiting *w = switch_wait(s, entered, NULL, 0);
	put_step(x, m);
	store_put_message(s->store, &stored);
	tally_received(s, NULL, m, 0);
	tally_add(&x->link->tally, METRIC_LINK_PROBES, 1);
	const struct store_queued row = { .transfer = transfer.id_r, .message = stored.id_r, .priority = m->priority, .arrived = now,
					  .expires = stored.expires };
	struct order *o = order_new(x->link, &row);
	order_keep_message(o, m);
	w->orders = mem_alloc(sizeof *w->orders);
	w->orders[0] = o;
	w->n_orders = 1;
	x->link->queued++;
	w->ticket = store_ticket(s->store);
	return transfer.id_r;
}

static void drop_oldest(struct monitor *x, size_t n)
{
	memmove(x->probes, x->probes + n, (x->n - n) * sizeof *x->probes);
	x->n -= n;
}

static void send(struct monitor *x)
{
	struct sw *s = x->link->sw;
	x->is_due = x->n > 0 && !withdraw(x, x->probes[x->n - 1].transfer);
	if (x->is_due)
		return; /* it is being handed over: its answer is as good */
	arena_reset(s->work);
	const struct message *m = compose(x);
	if (x->n == PROBES_MAX)
		drop_oldest(x, 1);
	struct probe *p = &x->probes[x->n++];
	*p = (struct probe){ .sent_ms = now_of(x) };
	snprintf(p->id, sizeof p->id, "%.*s", (int)m->id.local.n, (const char *)m->id.local.p);
	p->transfer = put(x, (struct message *)(uintptr_t)m);
	if (!x->is_waiting)
		x->since_ms = p->sent_ms;
	x->is_waiting = true;
}

static void on_timer(void *ctx)
{
	struct monitor *x = ctx;
	struct sw *s = x->link->sw;
	const int64_t now = now_of(x);
	struct err e;
	const enum monitor_state before = x->state;
	change_state(x, state_now(x));
	if (before == MONITOR_OK && x->state != MONITOR_OK && x->next_ms > now + (int64_t)set_of(x)->critical_interval_ms)
		x->next_ms = now + (int64_t)set_of(x)->critical_interval_ms;
	if (s->stopping || s->failed)
		return;
	if (now >= x->next_ms && !intake_is_ready(s, true, &e)) {
		x->next_ms = now + BUSY_MS; /* nothing is taken in: a probe of ours neither */
	} else if (now >= x->next_ms) {
		send(x);
		x->next_ms = now + (int64_t)interval(x);
	}
	rearm(x);
}

/* The last one, and none was due since. */
static bool is_current(const struct monitor *x, uint64_t transfer)
{
	return x != NULL && x->n > 0 && x->probes[x->n - 1].transfer == transfer && !x->is_due;
}

bool monitor_drops(struct order *o)
{
	struct monitor *x = o->link->monitor;
	if (!o->is_probe_of_monitor || is_current(x, o->transfer))
		return false;
	store_transfer_reported(o->link->sw->store, o->transfer);
	order_gone(o);
	if (x == NULL || !x->is_due)
		return true;
	x->is_due = false;
	x->next_ms = now_of(x);
	rearm(x);
	return true;
}

/* --- answers --- */

bool monitor_is_probe(const struct sw *s, const struct message *m)
{
	return m->kind == MESSAGE_PROBE && s->monitor != NULL && oraddr_eq(&m->originator, s->monitor);
}

static void answered(struct monitor *x, size_t i)
{
	const int64_t now = now_of(x);
	x->trip_ms = now - x->probes[i].sent_ms;
	drop_oldest(x, i + 1);
	x->is_waiting = x->n > 0;
	if (x->is_waiting)
		x->since_ms = x->probes[0].sent_ms;
	tally_add(&x->link->tally, METRIC_LINK_PROBES_ANSWERED, 1);
	tally_stamp(&x->link->tally, METRIC_LINK_MONITOR_SUCCESS);
	const enum monitor_state before = x->state;
	change_state(x, state_now(x));
	if (before != MONITOR_OK && x->state == MONITOR_OK)
		x->next_ms = now + (int64_t)interval(x);
	rearm(x);
}

/* One that we make ourselves says nothing of the link; there is none about a probe of ours. */
bool monitor_takes(struct sw *s, const struct message *report, struct view link)
{
	if (s->monitor == NULL || !oraddr_eq(&report->originator, s->monitor))
		return false;
	for (size_t k = 0; k < s->n_links && link.n > 0; k++) {
		struct monitor *x = s->links[k]->monitor;
		for (size_t i = 0; x != NULL && i < x->n; i++)
			if (view_eq(report->subject_id.local, view_str(x->probes[i].id))) {
				answered(x, i);
				return true;
			}
	}
	return true;
}

/* --- life --- */

static void stop(struct swlink *l)
{
	struct monitor *x = l->monitor;
	if (x == NULL)
		return;
	timer_stop(&x->timer);
	arena_free(&x->arena);
	free(x->text);
	free(x);
	l->monitor = NULL;
}

void monitor_forget(struct swlink *l)
{
	struct monitor *x = l->monitor;
	if (x != NULL && x->n > 0)
		(void)withdraw(x, x->probes[x->n - 1].transfer); /* in somebody's hands: dropped when it comes back */
	stop(l);
}

static void begin(struct swlink *l)
{
	struct monitor *x = mem_zero(sizeof *x);
	struct err e;
	x->link = l;
	x->arena = arena_new(64 * 1024);
	x->text = mem_strdup(l->set->monitor.to);
	x->trip_ms = -1;
	x->next_ms = env_now_ms(l->sw->host.env);
	timer_init(&x->timer, l->sw->host.env, on_timer, x);
	l->monitor = x;
	if (oraddr_parse(view_str(x->text), &x->to, x->arena, ORADDR_CARRY, &e))
		rearm(x);
	else
		stop(l); /* settings_load has looked at it: it cannot be */
}

void monitor_settings(struct swlink *l)
{
	const char *to = l->is_removed ? "" : l->set->monitor.to;
	struct monitor *x = l->monitor;
	if (x != NULL && strcmp(x->text, to) != 0)
		monitor_forget(l);
	if (*to == 0)
		return;
	if (l->monitor == NULL) {
		begin(l);
		return;
	}
	const int64_t latest = now_of(x) + (int64_t)interval(x);
	x->next_ms = x->next_ms < latest ? x->next_ms : latest;
	change_state(x, state_now(x));
	rearm(x);
}

void monitor_link_fini(struct swlink *l)
{
	stop(l);
}

bool monitor_init(struct sw *s, struct err *e)
{
	char text[600];
	const char *domain = s->settings->mta.domain;
	snprintf(text, sizeof text, *domain == '/' ? "/" ORIGINATOR "%s" : ORIGINATOR "; %s", domain);
	struct oraddr *addr = arena_get(s->monitor_arena, sizeof *addr);
	if (!oraddr_parse(view_str(text), addr, s->monitor_arena, ORADDR_CARRY, e))
		return false;
	s->monitor = addr;
	return true;
}

void monitor_show(const struct swlink *l, struct monitor_shown *m_r)
{
	const struct monitor *x = l->monitor;
	*m_r = (struct monitor_shown){ .is_on = x != NULL, .trip_ms = -1 };
	if (x == NULL)
		return;
	m_r->state = x->state;
	m_r->trip_ms = x->trip_ms;
	m_r->waits_ms = x->is_waiting ? now_of(x) - x->since_ms : 0;
}
