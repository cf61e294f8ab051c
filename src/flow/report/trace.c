/* trace.c - see report.h: what a message has passed through, and whether it goes round. */
#include "flow/report/report.h"

static bool append(struct trace *t, struct trace_element element, wall_ms_t now, struct arena *a)
{
	struct trace_element *v = arena_array(a, t->n + 1, sizeof *v);
	if (v == NULL)
		return false;
	if (t->n > 0)
		memcpy(v, t->v, t->n * sizeof *v);
	element.arrival = now;
	element.arrival_raw = utctime_print(now, a);
	v[t->n] = element;
	*t = (struct trace){v, t->n + 1};
	return !arena_full(a);
}

static bool is_domain(const struct trace_element *element, const struct gdi *domain)
{
	return gdi_eq(&element->domain, domain);
}

/* Peers do not agree on the case of an MTA name; two that differ only in it are not given to two
 * MTAs. */
static bool is_mta(const struct trace_element *element, const struct gdi *domain, struct view mta)
{
	return view_eq_nocase(element->mta, mta) && is_domain(element, domain);
}

static const struct trace_element *last_of(const struct trace *t)
{
	return t->n == 0 ? NULL : &t->v[t->n - 1];
}

bool trace_add(struct message *m, const struct gdi *domain, struct view mta, bool entered,
	       wall_ms_t now, struct arena *a)
{
	struct trace_element element = {.domain = *domain, .action = ROUTING_RELAYED};
	const struct trace_element *last = last_of(&m->trace),
				   *last_mta = last_of(&m->internal_trace);
	if (entered && (last == NULL || !is_domain(last, domain)) &&
	    !append(&m->trace, element, now, a))
		return false;
	if (!entered && last_mta != NULL && is_mta(last_mta, domain, mta))
		return true;
	element.mta = mta;
	return append(&m->internal_trace, element, now, a);
}

bool trace_add_rerouted(struct message *m, const struct gdi *domain, struct view mta,
			const struct gdi *attempted, struct view attempted_mta, wall_ms_t now,
			struct arena *a)
{
	struct trace_element element = {.domain = *domain,
					.action = ROUTING_REROUTED,
					.has_attempted = true,
					.attempted_domain = *attempted};
	bool foreign = !gdi_eq(attempted, domain);
	if (foreign && !append(&m->trace, element, now, a))
		return false;
	element.mta = mta;
	if (!foreign) {
		element.attempted_domain = (struct gdi){0};
		element.attempted_mta = attempted_mta;
	}
	return append(&m->internal_trace, element, now, a);
}

static void mark_last(struct trace *t, unsigned actions)
{
	if (t->n > 0)
		t->v[t->n - 1].other_actions |= actions;
}

void trace_mark(struct message *m, unsigned actions)
{
	mark_last(&m->trace, actions);
	mark_last(&m->internal_trace, actions);
}

/* RFC 1615 4.3: the trace is looked at from the last redirection or DL expansion on, since after
 * one of those a message may pass the same way again. The marked element itself counts: who marked
 * it and sees it again has a loop. */
static size_t window_start(const struct trace *t)
{
	size_t i = t->n;
	while (i > 0)
		if ((t->v[--i].other_actions & (TRACE_REDIRECTED | TRACE_DL_OPERATION)) != 0)
			return i;
	return 0;
}

/* Our domain, then another: the message left and came back. Several elements of ours at the end are
 * one visit in which an MTA of the domain rerouted, and no loop. */
static bool domain_loops(const struct trace *t, const struct gdi *domain)
{
	bool ours = false;
	for (size_t i = window_start(t); i < t->n; i++) {
		bool is_ours = is_domain(&t->v[i], domain);
		if (ours && !is_ours)
			return true;
		ours = ours || is_ours;
	}
	return false;
}

/* Our MTA was here already. Only rerouted elements at the very end are no proof: they say that it
 * did not get away. */
static bool mta_loops(const struct trace *t, const struct gdi *domain, struct view mta)
{
	size_t n = t->n, start = window_start(t);
	while (n > start && t->v[n - 1].action == ROUTING_REROUTED &&
	       is_mta(&t->v[n - 1], domain, mta))
		n--;
	bool rerouted = n < t->n;
	for (size_t i = start; i < n; i++)
		if (is_mta(&t->v[i], domain, mta) && !(rerouted && i == n - 1))
			return true;
	return false;
}

enum trace_verdict trace_check(const struct message *m, const struct gdi *domain, struct view mta, size_t max)
{
	bool full = m->trace.n >= max || m->internal_trace.n >= max;
	bool loops = full || domain_loops(&m->trace, domain) ||
		     mta_loops(&m->internal_trace, domain, mta);
	return loops ? TRACE_LOOP : TRACE_FINE;
}
