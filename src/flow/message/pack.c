/* pack.c - canonical form to octets and back.
 *
 * Layout: version, record type, then fields in a fixed order. Numbers are 7 bits an octet, low
 * first; signed ones zigzag. A view is its length + 1 and its octets; 0 is the absent view (no
 * pointer). A record begins with a set of bits that say which rare groups follow, so that a plain
 * recipient costs a few octets over its address. */
#include "flow/message/pack.h"

#include "base/cur.h"

enum { RECORD_MESSAGE = 'M', RECORD_ENVELOPE = 'E', RECORD_RECIPIENT = 'R' };

/* Groups of a recipient that are mostly absent. */
enum {
	RCPT_RESPONSIBLE = 1,
	RCPT_EXTENSIONS = 2,
	RCPT_EXTRA = 4,
	RCPT_INDICATORS_RAW = 8,
	RCPT_CONVERSION = 16,
	RCPT_REPORT = 32,
	RCPT_INTENDED = 64,
	RCPT_REDIRECTION = 128, /* alternate recipient, redirection history */
};

/* Groups of an envelope. */
enum {
	MSG_HAS_INDICATORS = 1,
	MSG_HAS_RETURNED = 2,
	MSG_REPORT = 4,
	MSG_DEFERRED = 8,
	MSG_LATEST = 16,
	MSG_RARE = 32, /* bilateral information, unknown elements, content length */
	MSG_OID_RELATIVE = 64,
	MSG_EXPLICIT_TYPE = 128,
};

/* More groups of an envelope, in the octet of its kind: that of the groups is full. */
enum {
	KIND_MASK = 3,
	KIND_HISTORY = 4,   /* of lists */
	KIND_NO_REASSIGNMENT = 8,
	KIND_NO_EXPANSION = 16,
};

/* Groups of a trace element. */
enum {
	TRACE_MTA = 1,
	TRACE_ATTEMPTED = 2,
	TRACE_DEFERRED = 4,
	TRACE_CONVERTED = 8,
	TRACE_EXTRA = 16,
};

/* --- writing --- */

static void put_uint(struct out *o, uint64_t x)
{
	uint8_t *p = NULL;
	size_t n = 1;
	for (uint64_t rest = x >> 7; rest > 0; rest >>= 7)
		n++;
	p = out_reserve(o, n);
	for (size_t i = 0; i < n && p != NULL; i++, x >>= 7)
		p[i] = (uint8_t)(i + 1 < n ? (x & 0x7f) | 0x80 : x);
}

static void put_int(struct out *o, int64_t x)
{
	put_uint(o, x < 0 ? ~((uint64_t)x << 1) : (uint64_t)x << 1);
}

static void put_view(struct out *o, struct view v)
{
	if (v.p == NULL) {
		put_uint(o, 0);
		return;
	}
	put_uint(o, (uint64_t)v.n + 1);
	out_bytes(o, v);
}

static void put_views(struct out *o, const struct view *v, size_t n)
{
	put_uint(o, n);
	for (size_t i = 0; i < n; i++)
		put_view(o, v[i]);
}

static void put_addr(struct out *o, const struct oraddr *addr)
{
	put_uint(o, addr->n);
	for (size_t i = 0; i < addr->n; i++) {
		const struct oraddr_attr *at = &addr->v[i];
		put_uint(o, (uint64_t)at->type << 3 | (uint64_t)at->form);
		if (at->type == ORA_EXTENSION_RAW || at->type == ORA_UNKNOWN_RAW)
			put_uint(o, at->number);
		if (at->type == ORA_DDA)
			put_view(o, at->type_name);
		put_view(o, at->value);
	}
	put_view(o, addr->directory_name);
}

static void put_part(struct out *o, const struct gdi_part *part)
{
	out_u8(o, (uint8_t)part->form);
	put_view(o, part->value);
}

static void put_gdi(struct out *o, const struct gdi *d)
{
	put_part(o, &d->country);
	put_part(o, &d->admd);
	out_u8(o, d->has_prmd);
	if (d->has_prmd)
		put_part(o, &d->prmd);
}

static void put_mts_id(struct out *o, const struct mts_id *id)
{
	put_gdi(o, &id->domain);
	put_view(o, id->local);
}

static void put_trace_element(struct out *o, const struct trace_element *t)
{
	unsigned groups = (t->mta.p != NULL ? TRACE_MTA : 0u) |
			  (t->has_attempted ? TRACE_ATTEMPTED : 0u) |
			  (t->deferred != 0 || t->deferred_raw.p != NULL ? TRACE_DEFERRED : 0u) |
			  (t->converted.p != NULL ? TRACE_CONVERTED : 0u) |
			  (t->n_extra > 0 ? TRACE_EXTRA : 0u);
	out_u8(o, (uint8_t)groups);
	put_gdi(o, &t->domain);
	put_int(o, t->arrival);
	put_view(o, t->arrival_raw);
	put_uint(o, (uint64_t)t->action);
	put_uint(o, t->other_actions);
	if (groups & TRACE_MTA)
		put_view(o, t->mta);
	if (groups & TRACE_ATTEMPTED) {
		put_gdi(o, &t->attempted_domain);
		put_view(o, t->attempted_mta);
	}
	if (groups & TRACE_DEFERRED) {
		put_int(o, t->deferred);
		put_view(o, t->deferred_raw);
	}
	if (groups & TRACE_CONVERTED)
		put_view(o, t->converted);
	if (groups & TRACE_EXTRA)
		put_views(o, t->extra, t->n_extra);
}

static void put_trace(struct out *o, const struct trace *t)
{
	put_uint(o, t->n);
	for (size_t i = 0; i < t->n; i++)
		put_trace_element(o, &t->v[i]);
}

static void put_extensions(struct out *o, const struct extensions *x)
{
	put_uint(o, x->n);
	for (size_t i = 0; i < x->n; i++) {
		const struct extension *ext = &x->v[i];
		out_u8(o, (uint8_t)((ext->is_private ? 1 : 0) | (ext->explicit_type ? 2 : 0)));
		if (ext->is_private)
			put_view(o, ext->oid);
		else
			put_uint(o, ext->number);
		put_uint(o, ext->criticality);
		put_view(o, ext->criticality_raw);
		put_view(o, ext->value);
	}
}

static void put_history(struct out *o, const struct history *h)
{
	put_uint(o, h->n);
	for (size_t i = 0; i < h->n; i++) {
		put_addr(o, &h->v[i].name);
		put_int(o, h->v[i].at);
		put_view(o, h->v[i].at_raw);
	}
}

static void put_maybe_addr(struct out *o, const struct oraddr *addr)
{
	out_u8(o, addr != NULL);
	if (addr != NULL)
		put_addr(o, addr);
}

static void put_redirections(struct out *o, const struct recipient *r)
{
	put_maybe_addr(o, r->alternate);
	put_uint(o, r->n_redirections);
	for (size_t i = 0; i < r->n_redirections; i++) {
		put_addr(o, &r->redirections[i].intended);
		put_int(o, r->redirections[i].at);
		put_view(o, r->redirections[i].at_raw);
		put_int(o, r->redirections[i].reason);
	}
}

static void put_lists(struct out *o, const struct message *m)
{
	put_history(o, &m->dl_history);
	put_history(o, &m->origin_history);
	put_maybe_addr(o, m->reporting_dl);
	put_uint(o, m->n_exempted);
	for (size_t i = 0; i < m->n_exempted; i++)
		put_addr(o, &m->exempted[i]);
}

static void put_outcome(struct out *o, const struct recipient *r)
{
	out_u8(o, (uint8_t)r->outcome);
	put_int(o, r->delivered_at);
	put_view(o, r->delivered_raw);
	put_uint(o, r->type_of_user);
	put_int(o, r->reason);
	put_int(o, r->diagnostic);
	put_view(o, r->converted);
	put_view(o, r->supplementary);
	put_trace(o, &r->arrival);
	put_views(o, r->report_extra, r->n_report_extra);
}

/* True when a report field differs from what an unpacked plain recipient has. */
static bool has_outcome(const struct recipient *r)
{
	return r->outcome != OUTCOME_DELIVERED || r->delivered_at != 0 ||
	       r->delivered_raw.p != NULL || r->type_of_user != 0 || r->reason != 0 ||
	       r->diagnostic != 0 || r->converted.p != NULL || r->supplementary.p != NULL ||
	       r->arrival.n > 0 || r->n_report_extra > 0;
}

static void put_recipient(struct out *o, const struct recipient *r)
{
	unsigned groups =
		(r->responsible ? RCPT_RESPONSIBLE : 0u) | (r->ext.n > 0 ? RCPT_EXTENSIONS : 0u) |
		(r->n_extra > 0 ? RCPT_EXTRA : 0u) |
		(r->indicators_raw.p != NULL ? RCPT_INDICATORS_RAW : 0u) |
		(r->explicit_conversion != 0 ? RCPT_CONVERSION : 0u) |
		(has_outcome(r) ? RCPT_REPORT : 0u) | (r->has_intended ? RCPT_INTENDED : 0u) |
		(r->alternate != NULL || r->n_redirections > 0 ? RCPT_REDIRECTION : 0u);
	out_u8(o, (uint8_t)groups);
	put_addr(o, &r->addr);
	put_uint(o, r->number);
	put_uint(o, r->mta_report);
	put_uint(o, r->originator_report);
	if (groups & RCPT_INDICATORS_RAW)
		put_view(o, r->indicators_raw);
	if (groups & RCPT_CONVERSION)
		put_uint(o, r->explicit_conversion);
	if (groups & RCPT_EXTENSIONS)
		put_extensions(o, &r->ext);
	if (groups & RCPT_EXTRA)
		put_views(o, r->extra, r->n_extra);
	if (groups & RCPT_REPORT)
		put_outcome(o, r);
	if (groups & RCPT_INTENDED)
		put_addr(o, &r->intended);
	if (groups & RCPT_REDIRECTION)
		put_redirections(o, r);
}

static void put_report_part(struct out *o, const struct message *m)
{
	put_mts_id(o, &m->subject_id);
	put_trace(o, &m->subject_trace);
	put_extensions(o, &m->content_ext);
	put_view(o, m->returned_content);
	put_view(o, m->content_extra_raw);
	put_views(o, m->content_extra, m->n_content_extra);
}

static unsigned envelope_groups(const struct message *m)
{
	bool report = m->kind == MESSAGE_REPORT || m->subject_id.local.p != NULL ||
		      m->subject_trace.n > 0 || m->content_ext.n > 0 ||
		      m->returned_content.p != NULL || m->content_extra_raw.p != NULL ||
		      m->n_content_extra > 0;
	bool rare = m->n_bilateral > 0 || m->n_extra > 0 || m->content_length != -1;
	bool latest = m->latest_delivery != 0 || m->latest_raw.p != NULL || m->latest_crit != 0;
	return (m->has_indicators ? MSG_HAS_INDICATORS : 0u) |
	       (m->has_returned_content ? MSG_HAS_RETURNED : 0u) | (report ? MSG_REPORT : 0u) |
	       (m->deferred != 0 || m->deferred_raw.p != NULL ? MSG_DEFERRED : 0u) |
	       (latest ? MSG_LATEST : 0u) | (rare ? MSG_RARE : 0u) |
	       (m->content_type_oid_relative ? MSG_OID_RELATIVE : 0u) |
	       (m->explicit_type ? MSG_EXPLICIT_TYPE : 0u);
}

static unsigned kind_groups(const struct message *m)
{
	bool lists = m->dl_history.n > 0 || m->origin_history.n > 0 || m->reporting_dl != NULL || m->n_exempted > 0;
	unsigned no_reassignment = m->reassignment_prohibited ? KIND_NO_REASSIGNMENT : 0;
	return (lists ? KIND_HISTORY : 0u) | no_reassignment | (m->dl_prohibited ? KIND_NO_EXPANSION : 0u);
}

static void put_envelope(struct out *o, const struct message *m)
{
	unsigned groups = envelope_groups(m), more = kind_groups(m);
	out_u8(o, (uint8_t)((unsigned)m->kind | more));
	out_u8(o, (uint8_t)groups);
	out_u8(o, (uint8_t)m->priority);
	put_mts_id(o, &m->id);
	put_addr(o, &m->originator);
	put_view(o, m->original_eits);
	put_int(o, m->content_type);
	put_view(o, m->content_type_oid);
	put_view(o, m->content_id);
	put_uint(o, m->indicators);
	if (groups & MSG_DEFERRED) {
		put_int(o, m->deferred);
		put_view(o, m->deferred_raw);
	}
	put_trace(o, &m->trace);
	put_trace(o, &m->internal_trace);
	put_uint(o, m->internal_trace_crit);
	if (groups & MSG_LATEST) {
		put_int(o, m->latest_delivery);
		put_view(o, m->latest_raw);
		put_uint(o, m->latest_crit);
	}
	put_extensions(o, &m->ext);
	if (groups & MSG_RARE) {
		put_int(o, m->content_length);
		put_views(o, m->bilateral, m->n_bilateral);
		put_views(o, m->extra, m->n_extra);
	}
	if (groups & MSG_REPORT)
		put_report_part(o, m);
	if (more & KIND_HISTORY)
		put_lists(o, m);
}

static void put_head(struct out *o, uint8_t record)
{
	out_u8(o, PACK_VERSION);
	out_u8(o, record);
}

void pack_envelope(struct out *o, const struct message *m)
{
	put_head(o, RECORD_ENVELOPE);
	put_envelope(o, m);
}

void pack_message(struct out *o, const struct message *m, size_t from, size_t n)
{
	put_head(o, RECORD_MESSAGE);
	put_envelope(o, m);
	put_uint(o, n);
	for (size_t i = 0; i < n; i++)
		put_recipient(o, &m->rcpt[from + i]);
}

void pack_message_plain(struct out *o, const struct message *m)
{
	struct message plain = *m;
	plain.reassignment_prohibited = plain.dl_prohibited = false;
	plain.dl_history = plain.origin_history = (struct history){NULL, 0};
	plain.reporting_dl = NULL, plain.n_exempted = 0;
	put_head(o, RECORD_MESSAGE);
	put_envelope(o, &plain);
	put_uint(o, m->n_rcpt);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		struct recipient r = m->rcpt[i];
		r.alternate = NULL, r.n_redirections = 0;
		put_recipient(o, &r);
	}
}

void pack_recipient(struct out *o, const struct recipient *r)
{
	put_head(o, RECORD_RECIPIENT);
	put_recipient(o, r);
}

/* --- reading: everything goes through the cursor; `bad` is looked at once, at the end --- */

struct in {
	struct cur c;
	struct arena *a;
};

static uint64_t get_uint(struct in *in)
{
	uint64_t x = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = cur_u8(&in->c);
		x |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			in->c.bad |= shift == 63 && b > 1;
			return x;
		}
	}
	in->c.bad = true;
	return 0;
}

/* A number no larger than max; else bad and 0. */
static uint64_t get_upto(struct in *in, uint64_t max)
{
	uint64_t x = get_uint(in);
	if (x <= max)
		return x;
	in->c.bad = true;
	return 0;
}

static int64_t get_int(struct in *in)
{
	uint64_t x = get_uint(in);
	return (int64_t)(x & 1 ? ~(x >> 1) : x >> 1);
}

static struct view get_view(struct in *in)
{
	uint64_t n = get_uint(in);
	if (n == 0)
		return (struct view){NULL, 0};
	if (n - 1 > cur_left(&in->c)) {
		in->c.bad = true;
		return (struct view){NULL, 0};
	}
	return cur_bytes(&in->c, (size_t)(n - 1));
}

/* An array whose count stands next; each element takes at least `least` octets, so that a
 * false count cannot cost more memory than what is left of the input. */
static void *get_array(struct in *in, size_t *n_r, size_t least, size_t size)
{
	uint64_t n = get_uint(in);
	*n_r = 0;
	if (n == 0)
		return NULL;
	if (n > cur_left(&in->c) / least) {
		in->c.bad = true;
		return NULL;
	}
	void *v = arena_array(in->a, (size_t)n, size);
	if (v == NULL)
		in->c.bad = true;
	else
		*n_r = (size_t)n;
	return v;
}

static struct view *get_views(struct in *in, size_t *n_r)
{
	struct view *v = get_array(in, n_r, 1, sizeof *v);
	for (size_t i = 0; i < *n_r; i++)
		v[i] = get_view(in);
	return v;
}

static void get_addr(struct in *in, struct oraddr *addr)
{
	addr->v = get_array(in, &addr->n, 2, sizeof *addr->v);
	for (size_t i = 0; i < addr->n; i++) {
		struct oraddr_attr *at = &addr->v[i];
		uint64_t x = get_upto(in, (uint64_t)ORA_UNKNOWN_RAW << 3 | 7);
		at->type = (enum oraddr_type)(x >> 3);
		at->form = (enum oraddr_form)(x & 7);
		if (at->type < ORA_COUNTRY || at->form > ORA_RAW)
			in->c.bad = true;
		if (at->type == ORA_EXTENSION_RAW || at->type == ORA_UNKNOWN_RAW)
			at->number = (uint32_t)get_upto(in, UINT32_MAX);
		if (at->type == ORA_DDA)
			at->type_name = get_view(in);
		at->value = get_view(in);
	}
	addr->directory_name = get_view(in);
}

static void get_part(struct in *in, struct gdi_part *part)
{
	part->form = (enum oraddr_form)get_upto(in, ORA_RAW);
	part->value = get_view(in);
}

static bool get_bool(struct in *in)
{
	return get_upto(in, 1) == 1;
}

static void get_gdi(struct in *in, struct gdi *d)
{
	get_part(in, &d->country);
	get_part(in, &d->admd);
	d->has_prmd = get_bool(in);
	if (d->has_prmd)
		get_part(in, &d->prmd);
}

static void get_mts_id(struct in *in, struct mts_id *id)
{
	get_gdi(in, &id->domain);
	id->local = get_view(in);
}

static void get_trace_element(struct in *in, struct trace_element *t)
{
	unsigned groups = cur_u8(&in->c);
	get_gdi(in, &t->domain);
	t->arrival = get_int(in);
	t->arrival_raw = get_view(in);
	t->action = (enum routing_action)get_upto(in, INT32_MAX);
	t->other_actions = (unsigned)get_upto(in, UINT32_MAX);
	if (groups & TRACE_MTA)
		t->mta = get_view(in);
	if (groups & TRACE_ATTEMPTED) {
		t->has_attempted = true;
		get_gdi(in, &t->attempted_domain);
		t->attempted_mta = get_view(in);
	}
	if (groups & TRACE_DEFERRED) {
		t->deferred = get_int(in);
		t->deferred_raw = get_view(in);
	}
	if (groups & TRACE_CONVERTED)
		t->converted = get_view(in);
	if (groups & TRACE_EXTRA)
		t->extra = get_views(in, &t->n_extra);
}

static void get_trace(struct in *in, struct trace *t)
{
	t->v = get_array(in, &t->n, 10, sizeof *t->v);
	for (size_t i = 0; i < t->n; i++)
		get_trace_element(in, &t->v[i]);
}

static void get_extensions(struct in *in, struct extensions *x)
{
	x->v = get_array(in, &x->n, 5, sizeof *x->v);
	for (size_t i = 0; i < x->n; i++) {
		struct extension *ext = &x->v[i];
		unsigned groups = (unsigned)get_upto(in, 3);
		ext->is_private = groups & 1;
		ext->explicit_type = groups & 2;
		if (ext->is_private)
			ext->oid = get_view(in);
		else
			ext->number = (uint32_t)get_upto(in, UINT32_MAX);
		ext->criticality = (unsigned)get_upto(in, UINT32_MAX);
		ext->criticality_raw = get_view(in);
		ext->value = get_view(in);
	}
}

static int get_small(struct in *in)
{
	int64_t x = get_int(in);
	if (x < INT32_MIN || x > INT32_MAX)
		in->c.bad = true;
	return (int)x;
}

static void get_history(struct in *in, struct history *h)
{
	h->v = get_array(in, &h->n, 4, sizeof *h->v);
	for (size_t i = 0; i < h->n; i++) {
		get_addr(in, &h->v[i].name);
		h->v[i].at = get_int(in);
		h->v[i].at_raw = get_view(in);
	}
}

static const struct oraddr *get_maybe_addr(struct in *in)
{
	if (!get_bool(in))
		return NULL;
	struct oraddr *addr = arena_get(in->a, sizeof *addr);
	if (addr == NULL)
		in->c.bad = true;
	else
		get_addr(in, addr);
	return addr;
}

static void get_redirections(struct in *in, struct recipient *r)
{
	r->alternate = get_maybe_addr(in);
	r->redirections = get_array(in, &r->n_redirections, 5, sizeof *r->redirections);
	for (size_t i = 0; i < r->n_redirections; i++) {
		struct redirection *x = &r->redirections[i];
		get_addr(in, &x->intended);
		x->at = get_int(in);
		x->at_raw = get_view(in);
		x->reason = get_small(in);
	}
}

static void get_lists(struct in *in, struct message *m)
{
	get_history(in, &m->dl_history);
	get_history(in, &m->origin_history);
	m->reporting_dl = get_maybe_addr(in);
	m->exempted = get_array(in, &m->n_exempted, 2, sizeof *m->exempted);
	for (size_t i = 0; i < m->n_exempted; i++)
		get_addr(in, &m->exempted[i]);
}

static void get_outcome(struct in *in, struct recipient *r)
{
	r->outcome = (enum recipient_outcome)get_upto(in, OUTCOME_NOT_DELIVERED);
	r->delivered_at = get_int(in);
	r->delivered_raw = get_view(in);
	r->type_of_user = (uint32_t)get_upto(in, UINT32_MAX);
	r->reason = get_small(in);
	r->diagnostic = get_small(in);
	r->converted = get_view(in);
	r->supplementary = get_view(in);
	get_trace(in, &r->arrival);
	r->report_extra = get_views(in, &r->n_report_extra);
}

static void get_recipient(struct in *in, struct recipient *r)
{
	unsigned groups = cur_u8(&in->c);
	r->responsible = groups & RCPT_RESPONSIBLE;
	get_addr(in, &r->addr);
	r->number = (uint32_t)get_upto(in, UINT32_MAX);
	r->mta_report = (unsigned)get_upto(in, UINT32_MAX);
	r->originator_report = (unsigned)get_upto(in, UINT32_MAX);
	if (groups & RCPT_INDICATORS_RAW)
		r->indicators_raw = get_view(in);
	if (groups & RCPT_CONVERSION)
		r->explicit_conversion = (uint32_t)get_upto(in, UINT32_MAX);
	if (groups & RCPT_EXTENSIONS)
		get_extensions(in, &r->ext);
	if (groups & RCPT_EXTRA)
		r->extra = get_views(in, &r->n_extra);
	if (groups & RCPT_REPORT)
		get_outcome(in, r);
	if (groups & RCPT_INTENDED) {
		r->has_intended = true;
		get_addr(in, &r->intended);
	}
	if (groups & RCPT_REDIRECTION)
		get_redirections(in, r);
}

static void get_report_part(struct in *in, struct message *m)
{
	get_mts_id(in, &m->subject_id);
	get_trace(in, &m->subject_trace);
	get_extensions(in, &m->content_ext);
	m->returned_content = get_view(in);
	m->content_extra_raw = get_view(in);
	m->content_extra = get_views(in, &m->n_content_extra);
}

static void get_envelope(struct in *in, struct message *m)
{
	*m = (struct message){.content_length = -1};
	unsigned more = cur_u8(&in->c), groups = cur_u8(&in->c);
	in->c.bad |= (more & KIND_MASK) > MESSAGE_PROBE || more >= KIND_NO_EXPANSION << 1;
	m->kind = in->c.bad ? MESSAGE_MESSAGE : (enum message_kind)(more & KIND_MASK);
	m->reassignment_prohibited = more & KIND_NO_REASSIGNMENT;
	m->dl_prohibited = more & KIND_NO_EXPANSION;
	m->priority = (enum priority)get_upto(in, PRIORITY_COUNT - 1);
	m->has_indicators = groups & MSG_HAS_INDICATORS;
	m->has_returned_content = groups & MSG_HAS_RETURNED;
	m->content_type_oid_relative = groups & MSG_OID_RELATIVE;
	m->explicit_type = groups & MSG_EXPLICIT_TYPE;
	get_mts_id(in, &m->id);
	get_addr(in, &m->originator);
	m->original_eits = get_view(in);
	m->content_type = get_int(in);
	m->content_type_oid = get_view(in);
	m->content_id = get_view(in);
	m->indicators = (unsigned)get_upto(in, UINT32_MAX);
	if (groups & MSG_DEFERRED) {
		m->deferred = get_int(in);
		m->deferred_raw = get_view(in);
	}
	get_trace(in, &m->trace);
	get_trace(in, &m->internal_trace);
	m->internal_trace_crit = (unsigned)get_upto(in, UINT32_MAX);
	if (groups & MSG_LATEST) {
		m->latest_delivery = get_int(in);
		m->latest_raw = get_view(in);
		m->latest_crit = (unsigned)get_upto(in, UINT32_MAX);
	}
	get_extensions(in, &m->ext);
	if (groups & MSG_RARE) {
		m->content_length = get_int(in);
		m->bilateral = get_views(in, &m->n_bilateral);
		m->extra = get_views(in, &m->n_extra);
	}
	if (groups & MSG_REPORT)
		get_report_part(in, m);
	if (more & KIND_HISTORY)
		get_lists(in, m);
}

/* Version and record type; false with the error set when they are not ours. */
static bool get_head(struct in *in, uint8_t want, struct err *e)
{
	unsigned version = cur_u8(&in->c), record = cur_u8(&in->c);
	if (in->c.bad)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "pack: fewer than 2 octets");
	if (version != PACK_VERSION)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "pack: version %u, want %d", version,
			       PACK_VERSION);
	if (record != want)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "pack: record type %u, want %u",
			       record, want);
	return true;
}

static bool finish(struct in *in, size_t whole, struct err *e)
{
	if (arena_full(in->a))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "pack: a record of %zu octets passes its memory quota", whole);
	if (in->c.bad)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "pack: a record of %zu octets is cut short or damaged", whole);
	if (cur_left(&in->c) > 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "pack: %zu octets after the record",
			       cur_left(&in->c));
	return true;
}

bool unpack_message(struct view octets, struct message *m_r, struct arena *a, struct err *e)
{
	struct in in = {cur_of(octets), a};
	struct message m;
	if (!get_head(&in, RECORD_MESSAGE, e))
		return false;
	get_envelope(&in, &m);
	m.rcpt = get_array(&in, &m.n_rcpt, 6, sizeof *m.rcpt);
	for (size_t i = 0; i < m.n_rcpt; i++)
		get_recipient(&in, &m.rcpt[i]);
	if (!finish(&in, octets.n, e))
		return false;
	*m_r = m;
	return true;
}

bool unpack_envelope(struct view octets, struct message *m_r, struct arena *a, struct err *e)
{
	struct in in = {cur_of(octets), a};
	struct message m;
	if (!get_head(&in, RECORD_ENVELOPE, e))
		return false;
	get_envelope(&in, &m);
	if (!finish(&in, octets.n, e))
		return false;
	*m_r = m;
	return true;
}

bool unpack_recipient(struct view octets, struct recipient *r_r, struct arena *a, struct err *e)
{
	struct in in = {cur_of(octets), a};
	struct recipient r = {0};
	if (!get_head(&in, RECORD_RECIPIENT, e))
		return false;
	get_recipient(&in, &r);
	if (!finish(&in, octets.n, e))
		return false;
	*r_r = r;
	return true;
}

/* --- errors --- */

void pack_err(struct out *o, const struct err *e)
{
	out_u8(o, (uint8_t)e->kind);
	out_u8(o, (uint8_t)e->culprit);
	put_int(o, e->reason);
	put_int(o, e->diagnostic);
	put_view(o, view_of(e->text, strnlen(e->text, sizeof e->text - 1)));
}

bool unpack_err(struct cur *c, struct err *e_r)
{
	struct in in = {*c, NULL};
	struct err e = {0};
	e.kind = (enum err_kind)get_upto(&in, ERR_LOCAL);
	e.culprit = (enum err_culprit)get_upto(&in, ERR_OF_LINK);
	e.reason = get_small(&in);
	e.diagnostic = get_small(&in);
	struct view text = view_first(get_view(&in), sizeof e.text - 1);
	if (text.n > 0)
		memcpy(e.text, text.p, text.n);
	*c = in.c;
	if (in.c.bad)
		return false;
	*e_r = e;
	return true;
}
