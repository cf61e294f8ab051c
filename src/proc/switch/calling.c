/* calling.c - when a link calls its peer, at which of its addresses, how many associations it wants, and what brings the next call
 * forward: schedule, the peer's own call, a change of the host's network. */
#include "proc/switch/switch_int.h"

#include <time.h>

enum {
	LOOK_AGAIN_MS = 15 * 60 * 1000, /* at the schedule at least so often: the host's clock may be set */
	STORY_ERROR = 100,              /* octets of the last error in a story, which is part of a report */
};

/* --- the schedule --- */

enum calling calling_now(const struct swlink *l)
{
	if (l->is_stopped)
		return CALLING_NEVER;
	switch ((enum link_schedule)l->set->schedule) {
	case SCHEDULE_ALWAYS:
		return CALLING_ANY;
	case SCHEDULE_SELECTED:
		if (schedule_is_open(&l->schedule, env_wall_ms(l->sw->host.env)))
			return CALLING_ANY;
		return l->set->urgent_any_time ? CALLING_URGENT : CALLING_NEVER;
	case SCHEDULE_NEVER:
	case SCHEDULE_REMOTE:
		return CALLING_NEVER;
	}
	CANT_HAPPEN("schedule of a link");
}

bool calling_has_somebody(const struct swlink *l)
{
	return connector_is_link(l) ? l->connector != NULL : *l->set->address != 0;
}

/* What is open stays so until its lifetime is over, and takes nothing more; a permanent one has none. */
static void close_permanent(struct swlink *l)
{
	for (struct swassoc *a = l->assocs; a != NULL; a = a->next)
		if (a->permanent && a->state == ASSOC_OPEN)
			dispatch_close_assoc(a);
}

static void wait_for_change(struct swlink *l)
{
	const wall_ms_t now = env_wall_ms(l->sw->host.env), next = schedule_changes(&l->schedule, now);
	if (l->set->schedule == SCHEDULE_SELECTED && next != 0)
		timer_after(&l->schedule_timer, next - now < LOOK_AGAIN_MS ? next - now : LOOK_AGAIN_MS);
}

static void on_schedule(void *ctx)
{
	struct swlink *l = ctx;
	const enum calling before = l->calling;
	l->calling = calling_now(l);
	wait_for_change(l);
	if (l->calling == before)
		return;
	EMIT(&l->sw->host, SCHEDULE_CHANGED, "link", l->set->name, "state", l->calling == CALLING_ANY ? "open" : "closed");
	if (l->calling != CALLING_ANY)
		close_permanent(l);
	alone_kick(l->sw);
	dispatch_run(l);
}

static void on_more_timer(void *ctx)
{
	dispatch_run(ctx);
}

static void read_times(struct swlink *l)
{
	const char *const *times = l->set->times.v;
	struct err e;
	l->schedule = (struct schedule){ { 0 } };
	for (size_t i = 0; i < l->set->times.n; i++)
		if (!schedule_add(&l->schedule, view_str(times[i]), &e))
			CANT_HAPPEN("times of a link that settings_load has passed");
}

void calling_settings(struct swlink *l)
{
	read_times(l);
	timer_stop(&l->schedule_timer);
	on_schedule(l);
	if (!l->set->permanent)
		close_permanent(l);
}

void calling_init(struct swlink *l)
{
	read_times(l);
	if (l->set->conformance != CONFORMANCE_1988 && (l->set->calling_ssel.n > 0 || l->set->called_ssel.n > 0))
		EMIT(&l->sw->host, SSEL_IGNORED, "link", l->set->name);
	timer_init(&l->schedule_timer, l->sw->host.env, on_schedule, l);
	timer_init(&l->more_timer, l->sw->host.env, on_more_timer, l);
	l->calling = calling_now(l);
	l->tried_ms = INT64_MIN / 2;
	wait_for_change(l);
}

void calling_fini(struct swlink *l)
{
	timer_stop(&l->schedule_timer);
	timer_stop(&l->more_timer);
}

static void print_time(char *buf, size_t size, wall_ms_t at)
{
	const time_t seconds = (time_t)(at / 1000);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(buf, size, "%Y-%m-%dT%H:%MZ", &utc);
}

void calling_schedule(const struct swlink *l, char *buf, size_t size)
{
	char until[32] = "";
	const wall_ms_t next = schedule_changes(&l->schedule, env_wall_ms(l->sw->host.env));
	const char *state = "always";
	if (l->set->schedule == SCHEDULE_NEVER)
		state = "never";
	else if (l->set->schedule == SCHEDULE_REMOTE)
		state = "remote-initiated";
	else if (l->set->schedule == SCHEDULE_SELECTED)
		state = calling_now(l) == CALLING_ANY ? "open" : calling_now(l) == CALLING_URGENT ? "urgent only" : "closed";
	if (l->set->schedule == SCHEDULE_SELECTED && next != 0)
		print_time(until, sizeof until, next);
	snprintf(buf, size, "%s%s%s", state, *until == 0 ? "" : " until ", until);
}

/* --- addresses --- */

static uint32_t n_addresses(const struct swlink *l)
{
	return 1 + (uint32_t)l->set->more_addresses.n;
}

const char *calling_address(const struct swlink *l)
{
	const char *const *more = l->set->more_addresses.v;
	return l->address == 0 ? l->set->address : more[l->address - 1];
}

bool calling_has_more(const struct swassoc *a)
{
	return !connector_is_link(a->link) && a->n_tried < n_addresses(a->link);
}

uint32_t calling_next(const struct swassoc *a)
{
	return (a->which + 1) % n_addresses(a->link);
}

/* What an ASSOC_OPEN leaves open: which address, what to recover. Nothing of it: not said, as a connector never hears it. */
void calling_open(struct swassoc *a)
{
	struct swlink *l = a->link;
	const struct msg_assoc_how how = { .assoc = a->id, .which = a->which, .permanent = a->permanent,
					   .reference = resume_reference(a) };
	const struct msg_assoc m = { .assoc = a->id, .link = l->name, .err = { .reason = -1, .diagnostic = -1 } };
	l->tried_ms = env_now_ms(l->sw->host.env);
	tally_stamp(&l->tally, METRIC_LINK_LAST_ATTEMPT);
	if (a->which != 0 || a->permanent || how.reference.n > 0) {
		put_msg_assoc_how(proc_begin(a->proc, MSG_ASSOC_HOW), &how);
		proc_end(a->proc);
	}
	put_msg_assoc(proc_begin(a->proc, MSG_ASSOC_OPEN), &m);
	proc_end(a->proc);
}

/* --- how many, and how soon again --- */

bool calling_has_permanent(const struct swlink *l)
{
	for (const struct swassoc *a = l->assocs; a != NULL; a = a->next)
		if (a->permanent && a->state != ASSOC_CLOSING)
			return true;
	return false;
}

/* For what may be sent now; the one that is kept for urgent mail is not counted when there is none. */
unsigned calling_wanted(const struct swlink *l)
{
	const enum calling calling = calling_now(l);
	const size_t n_urgent = queue_window_count(l->window, PRIORITY_URGENT);
	const uint64_t waiting = calling == CALLING_URGENT ? n_urgent : queue_window_total(l->window) == 0 ? 0 : l->queued;
	unsigned want = queue_associations(&l->policy, waiting, n_urgent > 0);
	if (n_urgent == 0) /* what the peer has opened serves as well, but may be a while about it */
		want -= want < l->n_turns ? want : l->n_turns;
	if (want == 0 && ((connector_is_link(l) && l->suspects.n > 0) || ((l->set->permanent || l->owes_call) && calling == CALLING_ANY)))
		want = 1;
	if ((l->open_failures > 0 || l->lost_in_vain > 0) && want > 1)
		want = 1; /* one probe is enough to learn that the peer is back */
	if (timer_is_set(&l->more_timer) && l->n_assocs > 0)
		want = 0;
	return n_urgent == 0 && want > 0 ? want + l->n_kept : want;
}

bool calling_has_open(const struct swlink *l)
{
	for (const struct swassoc *a = l->assocs; a != NULL; a = a->next)
		if (a->state == ASSOC_OPEN && !a->inbound)
			return true;
	return false;
}

/* The peer takes no more than are open (Q278444: that is no failure of the link), or they break without use: those that are open do,
 * for a while. */
void calling_no_more(struct swlink *l, const struct err *why)
{
	struct sw *s = l->sw;
	snprintf(l->last_error, sizeof l->last_error, "%s", why->text);
	timer_after(&l->more_timer, (int64_t)queue_open_delay(&l->policy, UINT32_MAX, env_random(s->host.env)));
}

/* It was open: the peer is there, or was just now. */
void calling_lost(struct swlink *l, bool used, const struct err *why)
{
	struct sw *s = l->sw;
	l->owes_call = l->set->two_way_alternate && why->kind != ERR_NONE;
	if (calling_has_open(l)) {
		if (!used)
			calling_no_more(l, why);
		return;
	}
	snprintf(l->last_error, sizeof l->last_error, "%s", why->text);
	l->lost_in_vain = used ? 0 : l->lost_in_vain + 1;
	timer_after(&l->open_timer, (int64_t)queue_reopen_delay(&l->policy, l->lost_in_vain, env_random(s->host.env)));
}

/* --- earlier than the interval says --- */

void calling_kick(struct swlink *l, bool spread)
{
	struct env *env = l->sw->host.env;
	if (!timer_is_set(&l->open_timer))
		return;
	const int64_t since = env_now_ms(env) - l->tried_ms;
	const int64_t delay = (int64_t)queue_kick_delay(&l->policy, (uint64_t)since, spread ? env_random(env) : 0);
	if (env_now_ms(env) + delay < l->open_timer.at_ms)
		timer_after(&l->open_timer, delay);
}

static void on_network(void *ctx)
{
	struct sw *s = ctx;
	char waiting[24];
	size_t n = 0;
	CHECK(s, SW_MAGIC);
	for (size_t i = 0; i < s->n_links; i++) {
		n += timer_is_set(&s->links[i]->open_timer);
		calling_kick(s->links[i], true);
	}
	snprintf(waiting, sizeof waiting, "%zu", n);
	EMIT(&s->host, NETWORK_CHANGED, "waiting", waiting);
}

void calling_watch_network(struct sw *s)
{
	struct err e;
	if (!env_watch_network(s->host.env, on_network, s, &e))
		EMIT(&s->host, NETWORK_UNTOLD, "why", e.text);
}

/* --- for reports --- */

void calling_story(const struct swlink *l, uint32_t failures, wall_ms_t since, char *buf, size_t size)
{
	const wall_ms_t now = env_wall_ms(l->sw->host.env);
	const long long minutes = since == 0 || now < since ? 0 : (long long)(now - since) / 60000;
	if (failures == 0)
		snprintf(buf, size, "link %s%s%.*s", l->set->name, *l->last_error == 0 ? "" : ": ", STORY_ERROR, l->last_error);
	else
		snprintf(buf, size, "link %s could not be opened %u times in %lld min: %.*s", l->set->name, failures, minutes, STORY_ERROR,
			 l->last_error);
}
