/* message_testing.h - for tests only: random messages from a seed, and a comparison of every field.
 * Include after cmocka.h. */
#pragma once
#include "flow/message/message.h"

struct dice {
	uint64_t state;
	struct arena *a;
};

static inline uint64_t dice_next(struct dice *d)
{
	/* splitmix64: any seed is a good one */
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline size_t dice_below(struct dice *d, size_t n)
{
	return (size_t)(dice_next(d) % n);
}

static inline bool dice_coin(struct dice *d)
{
	return dice_next(d) & 1;
}

static inline struct view dice_octets(struct dice *d, size_t n)
{
	uint8_t *p = arena_get(d->a, n);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)dice_next(d);
	return (struct view){ p, n };
}

/* Absent, empty, short or (rarely) long. */
static inline struct view dice_view(struct dice *d)
{
	switch (dice_below(d, 8)) {
	case 0: return (struct view){ NULL, 0 };
	case 1: return dice_octets(d, 0);
	case 2: return dice_octets(d, 100 + dice_below(d, 200));
	default: return dice_octets(d, 1 + dice_below(d, 20));
	}
}

static inline int64_t dice_int(struct dice *d)
{
	static const int64_t edge[] = { 0, 1, -1, 127, 128, -129, INT32_MAX, INT64_MAX, INT64_MIN };
	return dice_coin(d) ? edge[dice_below(d, ARRAY_LEN(edge))] : (int64_t)dice_next(d);
}

static inline uint32_t dice_u32(struct dice *d)
{
	return dice_coin(d) ? (uint32_t)dice_below(d, 200) : (uint32_t)dice_next(d);
}

static inline struct view *dice_views(struct dice *d, size_t *n_r)
{
	*n_r = dice_coin(d) ? 0 : dice_below(d, 4);
	struct view *v = *n_r == 0 ? NULL : arena_array(d->a, *n_r, sizeof *v);
	for (size_t i = 0; i < *n_r; i++)
		v[i] = dice_view(d);
	return v;
}

static inline struct oraddr dice_addr(struct dice *d)
{
	struct oraddr addr = { .n = dice_below(d, 9), .directory_name = dice_view(d) };
	addr.v = addr.n == 0 ? NULL : arena_array(d->a, addr.n, sizeof *addr.v);
	for (size_t i = 0; i < addr.n; i++) {
		struct oraddr_attr *at = &addr.v[i];
		at->type = (enum oraddr_type)(1 + dice_below(d, ORA_UNKNOWN_RAW));
		at->form = (enum oraddr_form)dice_below(d, ORA_RAW + 1);
		at->value = dice_view(d);
		if (at->type == ORA_DDA)
			at->type_name = dice_view(d);
		if (at->type == ORA_EXTENSION_RAW || at->type == ORA_UNKNOWN_RAW)
			at->number = dice_u32(d);
	}
	return addr;
}

static inline struct gdi_part dice_part(struct dice *d)
{
	return (struct gdi_part){ dice_coin(d) ? ORA_NUMERIC : ORA_PRINTABLE, dice_view(d) };
}

static inline struct gdi dice_gdi(struct dice *d)
{
	struct gdi g = { .country = dice_part(d), .admd = dice_part(d), .has_prmd = dice_coin(d) };
	if (g.has_prmd)
		g.prmd = dice_part(d);
	return g;
}

static inline struct trace dice_trace(struct dice *d, size_t most)
{
	struct trace t = { .n = dice_below(d, most + 1) };
	t.v = t.n == 0 ? NULL : arena_array(d->a, t.n, sizeof *t.v);
	for (size_t i = 0; i < t.n; i++) {
		struct trace_element *x = &t.v[i];
		x->domain = dice_gdi(d);
		x->mta = dice_view(d);
		x->arrival = dice_int(d);
		x->arrival_raw = dice_view(d);
		x->action = dice_coin(d) ? ROUTING_RELAYED : ROUTING_REROUTED;
		x->has_attempted = dice_coin(d);
		if (x->has_attempted) {
			x->attempted_domain = dice_gdi(d);
			x->attempted_mta = dice_view(d);
		}
		x->deferred = dice_coin(d) ? 0 : dice_int(d);
		x->deferred_raw = dice_view(d);
		x->converted = dice_view(d);
		x->other_actions = (unsigned)dice_below(d, 4);
		x->extra = dice_views(d, &x->n_extra);
	}
	return t;
}

static inline struct extensions dice_extensions(struct dice *d)
{
	struct extensions x = { .n = dice_below(d, 5) };
	x.v = x.n == 0 ? NULL : arena_array(d->a, x.n, sizeof *x.v);
	for (size_t i = 0; i < x.n; i++) {
		x.v[i].is_private = dice_coin(d);
		if (x.v[i].is_private)
			x.v[i].oid = dice_view(d);
		else
			x.v[i].number = dice_u32(d);
		x.v[i].explicit_type = dice_coin(d);
		x.v[i].criticality = (unsigned)dice_below(d, 8);
		x.v[i].criticality_raw = dice_view(d);
		x.v[i].value = dice_view(d);
	}
	return x;
}

static inline struct history dice_history(struct dice *d)
{
	struct history h = { .n = dice_coin(d) ? 0 : dice_below(d, 4) };
	h.v = h.n == 0 ? NULL : arena_array(d->a, h.n, sizeof *h.v);
	for (size_t i = 0; i < h.n; i++)
		h.v[i] = (struct name_at){ dice_addr(d), dice_int(d), dice_view(d) };
	return h;
}

static inline const struct oraddr *dice_maybe_addr(struct dice *d)
{
	if (dice_coin(d))
		return NULL;
	struct oraddr *addr = arena_get(d->a, sizeof *addr);
	*addr = dice_addr(d);
	return addr;
}

static inline void dice_redirections(struct dice *d, struct recipient *r)
{
	r->alternate = dice_maybe_addr(d);
	r->n_redirections = dice_coin(d) ? 0 : dice_below(d, 4);
	r->redirections = r->n_redirections == 0 ? NULL : arena_array(d->a, r->n_redirections, sizeof *r->redirections);
	for (size_t i = 0; i < r->n_redirections; i++)
		r->redirections[i] = (struct redirection){ dice_addr(d), dice_int(d), dice_view(d), (int)dice_below(d, 5) };
}

static inline void dice_lists(struct dice *d, struct message *m)
{
	m->reassignment_prohibited = dice_coin(d);
	m->dl_prohibited = dice_coin(d);
	m->dl_history = dice_history(d);
	m->origin_history = dice_history(d);
	m->reporting_dl = dice_maybe_addr(d);
	m->n_exempted = dice_coin(d) ? 0 : dice_below(d, 4);
	m->exempted = m->n_exempted == 0 ? NULL : arena_array(d->a, m->n_exempted, sizeof *m->exempted);
	for (size_t i = 0; i < m->n_exempted; i++)
		m->exempted[i] = dice_addr(d);
}

static inline struct recipient dice_recipient(struct dice *d, bool report)
{
	struct recipient r = { .addr = dice_addr(d), .number = dice_u32(d),
			       .responsible = dice_coin(d) };
	r.mta_report = (unsigned)dice_below(d, 4);
	r.originator_report = (unsigned)dice_below(d, 3);
	r.indicators_raw = dice_view(d);
	r.explicit_conversion = dice_u32(d);
	r.ext = dice_extensions(d);
	r.extra = dice_views(d, &r.n_extra);
	dice_redirections(d, &r);
	if (!report)
		return r;
	r.outcome = dice_coin(d) ? OUTCOME_DELIVERED : OUTCOME_NOT_DELIVERED;
	r.delivered_at = dice_int(d);
	r.delivered_raw = dice_view(d);
	r.type_of_user = dice_u32(d);
	r.reason = (int)dice_below(d, 40000) - 1;
	r.diagnostic = (int)dice_below(d, 40000) - 1;
	r.converted = dice_view(d);
	r.has_intended = dice_coin(d);
	if (r.has_intended)
		r.intended = dice_addr(d);
	r.supplementary = dice_view(d);
	r.arrival = dice_trace(d, 1);
	r.report_extra = dice_views(d, &r.n_report_extra);
	return r;
}

/* Every field takes values that no codec would produce too: pack must carry them. */
static inline struct message *dice_message(uint64_t seed, struct arena *a)
{
	struct dice d = { seed, a };
	struct message *m = arena_get(a, sizeof *m);
	m->kind = (enum message_kind)dice_below(&d, 3);
	m->id = (struct mts_id){ dice_gdi(&d), dice_view(&d) };
	m->originator = dice_addr(&d);
	m->original_eits = dice_view(&d);
	m->content_type = dice_int(&d);
	m->content_type_oid = dice_view(&d);
	m->content_type_oid_relative = dice_coin(&d);
	m->content_id = dice_view(&d);
	m->priority = (enum priority)dice_below(&d, PRIORITY_COUNT);
	m->indicators = dice_u32(&d);
	m->has_indicators = dice_coin(&d);
	m->deferred = dice_coin(&d) ? 0 : dice_int(&d);
	m->deferred_raw = dice_view(&d);
	m->content_length = dice_coin(&d) ? -1 : dice_int(&d);
	m->bilateral = dice_views(&d, &m->n_bilateral);
	m->trace = dice_trace(&d, 3);
	m->internal_trace = dice_trace(&d, 3);
	m->internal_trace_crit = (unsigned)dice_below(&d, 8);
	m->latest_delivery = dice_coin(&d) ? 0 : dice_int(&d);
	m->latest_raw = dice_view(&d);
	m->latest_crit = (unsigned)dice_below(&d, 8);
	m->explicit_type = dice_coin(&d);
	m->ext = dice_extensions(&d);
	m->extra = dice_views(&d, &m->n_extra);
	dice_lists(&d, m);
	m->n_rcpt = dice_below(&d, 5);
	m->rcpt = m->n_rcpt == 0 ? NULL : arena_array(a, m->n_rcpt, sizeof *m->rcpt);
	for (size_t i = 0; i < m->n_rcpt; i++)
		m->rcpt[i] = dice_recipient(&d, m->kind == MESSAGE_REPORT);
	if (m->kind != MESSAGE_REPORT)
		return m;
	m->subject_id = (struct mts_id){ dice_gdi(&d), dice_view(&d) };
	m->subject_trace = dice_trace(&d, 2);
	m->content_ext = dice_extensions(&d);
	m->returned_content = dice_view(&d);
	m->has_returned_content = dice_coin(&d);
	m->content_extra_raw = dice_view(&d);
	m->content_extra = dice_views(&d, &m->n_content_extra);
	return m;
}

/* --- comparison; an absent view (no pointer) is not an empty one --- */

#define SAME(a, b, field) assert_true((a)->field == (b)->field)

static inline void same_view(struct view a, struct view b)
{
	assert_true((a.p == NULL) == (b.p == NULL));
	assert_true(view_eq(a, b));
}

static inline void same_views(const struct view *a, size_t n_a, const struct view *b, size_t n_b)
{
	assert_int_equal(n_a, n_b);
	for (size_t i = 0; i < n_a; i++)
		same_view(a[i], b[i]);
}

static inline void same_addr(const struct oraddr *a, const struct oraddr *b)
{
	SAME(a, b, n);
	for (size_t i = 0; i < a->n; i++) {
		SAME(a, b, v[i].type);
		SAME(a, b, v[i].form);
		SAME(a, b, v[i].number);
		same_view(a->v[i].type_name, b->v[i].type_name);
		same_view(a->v[i].value, b->v[i].value);
	}
	same_view(a->directory_name, b->directory_name);
}

static inline void same_gdi(const struct gdi *a, const struct gdi *b)
{
	SAME(a, b, country.form);
	SAME(a, b, admd.form);
	SAME(a, b, prmd.form);
	SAME(a, b, has_prmd);
	same_view(a->country.value, b->country.value);
	same_view(a->admd.value, b->admd.value);
	same_view(a->prmd.value, b->prmd.value);
}

static inline void same_mts_id(const struct mts_id *a, const struct mts_id *b)
{
	same_gdi(&a->domain, &b->domain);
	same_view(a->local, b->local);
}

static inline void same_trace(const struct trace *a, const struct trace *b)
{
	SAME(a, b, n);
	for (size_t i = 0; i < a->n; i++) {
		const struct trace_element *x = &a->v[i], *y = &b->v[i];
		same_gdi(&x->domain, &y->domain);
		same_view(x->mta, y->mta);
		SAME(x, y, arrival);
		same_view(x->arrival_raw, y->arrival_raw);
		SAME(x, y, action);
		SAME(x, y, has_attempted);
		same_gdi(&x->attempted_domain, &y->attempted_domain);
		same_view(x->attempted_mta, y->attempted_mta);
		SAME(x, y, deferred);
		same_view(x->deferred_raw, y->deferred_raw);
		same_view(x->converted, y->converted);
		SAME(x, y, other_actions);
		same_views(x->extra, x->n_extra, y->extra, y->n_extra);
	}
}

static inline void same_extensions(const struct extensions *a, const struct extensions *b)
{
	SAME(a, b, n);
	for (size_t i = 0; i < a->n; i++) {
		const struct extension *x = &a->v[i], *y = &b->v[i];
		SAME(x, y, is_private);
		SAME(x, y, number);
		SAME(x, y, criticality);
		SAME(x, y, explicit_type);
		same_view(x->oid, y->oid);
		same_view(x->criticality_raw, y->criticality_raw);
		same_view(x->value, y->value);
	}
}

static inline void same_history(const struct history *a, const struct history *b)
{
	SAME(a, b, n);
	for (size_t i = 0; i < a->n; i++) {
		same_addr(&a->v[i].name, &b->v[i].name);
		SAME(a, b, v[i].at);
		same_view(a->v[i].at_raw, b->v[i].at_raw);
	}
}

static inline void same_maybe_addr(const struct oraddr *a, const struct oraddr *b)
{
	assert_true((a == NULL) == (b == NULL));
	if (a != NULL)
		same_addr(a, b);
}

static inline void same_redirections(const struct recipient *a, const struct recipient *b)
{
	same_maybe_addr(a->alternate, b->alternate);
	SAME(a, b, n_redirections);
	for (size_t i = 0; i < a->n_redirections; i++) {
		same_addr(&a->redirections[i].intended, &b->redirections[i].intended);
		SAME(a, b, redirections[i].at);
		same_view(a->redirections[i].at_raw, b->redirections[i].at_raw);
		SAME(a, b, redirections[i].reason);
	}
}

static inline void same_lists(const struct message *a, const struct message *b)
{
	SAME(a, b, reassignment_prohibited);
	SAME(a, b, dl_prohibited);
	same_history(&a->dl_history, &b->dl_history);
	same_history(&a->origin_history, &b->origin_history);
	same_maybe_addr(a->reporting_dl, b->reporting_dl);
	SAME(a, b, n_exempted);
	for (size_t i = 0; i < a->n_exempted; i++)
		same_addr(&a->exempted[i], &b->exempted[i]);
}

static inline void same_recipient(const struct recipient *a, const struct recipient *b)
{
	same_addr(&a->addr, &b->addr);
	SAME(a, b, number);
	SAME(a, b, responsible);
	SAME(a, b, mta_report);
	SAME(a, b, originator_report);
	same_view(a->indicators_raw, b->indicators_raw);
	SAME(a, b, explicit_conversion);
	same_extensions(&a->ext, &b->ext);
	same_views(a->extra, a->n_extra, b->extra, b->n_extra);
	SAME(a, b, outcome);
	SAME(a, b, delivered_at);
	same_view(a->delivered_raw, b->delivered_raw);
	SAME(a, b, type_of_user);
	SAME(a, b, reason);
	SAME(a, b, diagnostic);
	same_view(a->converted, b->converted);
	SAME(a, b, has_intended);
	same_addr(&a->intended, &b->intended);
	same_view(a->supplementary, b->supplementary);
	same_trace(&a->arrival, &b->arrival);
	same_views(a->report_extra, a->n_report_extra, b->report_extra, b->n_report_extra);
	same_redirections(a, b);
}

/* All but the recipients. */
static inline void same_envelope(const struct message *a, const struct message *b)
{
	SAME(a, b, kind);
	same_mts_id(&a->id, &b->id);
	same_addr(&a->originator, &b->originator);
	same_view(a->original_eits, b->original_eits);
	SAME(a, b, content_type);
	same_view(a->content_type_oid, b->content_type_oid);
	SAME(a, b, content_type_oid_relative);
	same_view(a->content_id, b->content_id);
	SAME(a, b, priority);
	SAME(a, b, indicators);
	SAME(a, b, has_indicators);
	SAME(a, b, deferred);
	same_view(a->deferred_raw, b->deferred_raw);
	SAME(a, b, content_length);
	same_views(a->bilateral, a->n_bilateral, b->bilateral, b->n_bilateral);
	same_trace(&a->trace, &b->trace);
	same_trace(&a->internal_trace, &b->internal_trace);
	SAME(a, b, internal_trace_crit);
	SAME(a, b, latest_delivery);
	same_view(a->latest_raw, b->latest_raw);
	SAME(a, b, latest_crit);
	SAME(a, b, explicit_type);
	same_extensions(&a->ext, &b->ext);
	same_views(a->extra, a->n_extra, b->extra, b->n_extra);
	same_lists(a, b);
	same_mts_id(&a->subject_id, &b->subject_id);
	same_trace(&a->subject_trace, &b->subject_trace);
	same_extensions(&a->content_ext, &b->content_ext);
	same_view(a->returned_content, b->returned_content);
	SAME(a, b, has_returned_content);
	same_view(a->content_extra_raw, b->content_extra_raw);
	same_views(a->content_extra, a->n_content_extra, b->content_extra, b->n_content_extra);
}

static inline void same_message(const struct message *a, const struct message *b)
{
	same_envelope(a, b);
	SAME(a, b, n_rcpt);
	for (size_t i = 0; i < a->n_rcpt; i++)
		same_recipient(&a->rcpt[i], &b->rcpt[i]);
}
