/* p1_decode.c - MTS-APDU to struct message.
 *
 * The envelope is decoded by its relay table, which leaves each recipient as octets; these are then
 * decoded one after the other through one struct, so that 32,000 recipients cost what their struct
 * recipient costs. */
#include "flow/codec/p1/p1.h"
#include "flow/codec/p1/p1_84.h"

struct decoding {
	const struct p1_table_set *tables;
	struct message *m;
	struct arena *a;
	const struct ber_limits *limits;
	struct err *e;
};

/* X.411 diagnostics of reason 1, unable-to-transfer. */
enum { UNABLE_TO_TRANSFER = 1, SIZE_CONSTRAINT = 13, PROTOCOL_VIOLATION = 14 };

static bool has(const struct ber_seq *seq, unsigned i)
{
	return (seq->has >> i & 1) != 0;
}

static bool full(struct decoding *d)
{
	return err_report(d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, SIZE_CONSTRAINT,
			  "P1: the envelope needs more memory than the quota, %zu octets in use",
			  arena_used(d->a));
}

/* The BER engine knows the text; what to report is ours to say. */
static bool decode(struct decoding *d, const struct ber_type *t, struct view tlv, void *value)
{
	if (ber_decode(t, tlv, value, d->a, d->limits, d->e))
		return true;
	if (d->e != NULL) {
		d->e->kind = ERR_PERM;
		d->e->culprit = ERR_OF_MESSAGE;
		d->e->reason = UNABLE_TO_TRANSFER;
		d->e->diagnostic = arena_full(d->a) || tlv.n > d->limits->bytes
					   ? SIZE_CONSTRAINT
					   : PROTOCOL_VIOLATION;
	}
	return false;
}

/* --- parts --- */

static void take_part(struct gdi_part *to, const struct p1_words *w)
{
	to->form = w->choice.which == P1_WORDS_NUMERIC ? ORA_NUMERIC : ORA_PRINTABLE;
	to->value = w->value;
}

static void take_gdi(struct gdi *to, const struct p1_gdi *g)
{
	take_part(&to->country, &g->country);
	if (has(&g->seq, P1_GDI_ADMD))
		take_part(&to->admd, &g->admd);
	to->has_prmd = has(&g->seq, P1_GDI_PRMD) && g->prmd.value.n > 0;
	if (to->has_prmd)
		take_part(&to->prmd, &g->prmd);
}

static void take_id(struct mts_id *to, const struct p1_mts_id *id)
{
	take_gdi(&to->domain, &id->domain);
	to->local = id->local;
}

/* Of no length it is a syntax error (Q248732); one that cannot be read is carried as it came. */
static bool is_time(struct decoding *d, const char *what, struct view text)
{
	return text.n > 0 || err_report(d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, PROTOCOL_VIOLATION,
					"%s: found a time of no octets, want a UTCTime", what);
}

/* A time that cannot be read is carried as it came, and counts as absent. */
static wall_ms_t take_time(struct view text)
{
	wall_ms_t at;
	return utctime_parse(text, &at) ? at : 0;
}

/* Bit i of the BIT STRING becomes 1 << i; bits beyond 32 are no bits of ours. */
static unsigned take_bits(const struct ber_bits *bits)
{
	unsigned x = 0;
	size_t n = bits->bytes.n * 8 - (bits->bytes.n == 0 ? 0 : bits->unused);
	for (size_t i = 0; i < n && i < 32; i++)
		if (bits->bytes.p[i / 8] >> (7 - i % 8) & 1)
			x |= 1u << i;
	return x;
}

/* Unknown elements, without the one with the tag `but`, which goes to *but_r when it is the first
 * of its kind. */
static bool take_extra(struct decoding *d, const struct ber_seq *seq, uint32_t but,
		       struct view *but_r, struct view **v_r, size_t *n_r)
{
	if (seq->n_extra == 0)
		return true;
	struct view *v = NULL;
	size_t n = 0;
	for (size_t i = 0; i < seq->n_extra; i++) {
		struct view tlv = seq->extra[i].tlv;
		bool ours = but != BER_NO_TAG &&
			    tlv.p[0] == (uint8_t)((but >> 30) << 6 | 0x20 | (but & 0x1f));
		if (ours && but_r->p == NULL) {
			*but_r = tlv;
			continue;
		}
		if (v == NULL)
			v = arena_array(d->a, seq->n_extra, sizeof *v);
		if (v == NULL)
			return full(d);
		v[n++] = tlv;
	}
	*v_r = v;
	*n_r = n;
	return true;
}

static bool take_trace_element(struct decoding *d, struct trace_element *to,
			       const struct p1_trace_element *t)
{
	const struct p1_supplied *s = &t->supplied;
	if (!is_time(d, "trace-information: arrival-time", s->arrival))
		return false;
	take_gdi(&to->domain, &t->domain);
	to->mta = t->mta;
	to->arrival = take_time(s->arrival);
	to->arrival_raw = s->arrival;
	to->action = (enum routing_action)s->action;
	to->has_attempted = has(&s->seq, P1_SUPPLIED_DOMAIN) || has(&s->seq, P1_SUPPLIED_MTA);
	if (has(&s->seq, P1_SUPPLIED_DOMAIN))
		take_gdi(&to->attempted_domain, &s->domain);
	if (has(&s->seq, P1_SUPPLIED_MTA))
		to->attempted_mta = s->mta;
	if (has(&s->seq, P1_SUPPLIED_DEFERRED)) {
		to->deferred = take_time(s->deferred);
		to->deferred_raw = s->deferred;
	}
	if (has(&s->seq, P1_SUPPLIED_OTHER))
		to->other_actions = take_bits(&s->other);
	if (s->action < 0 || s->action > INT32_MAX)
		return err_report(
			d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, PROTOCOL_VIOLATION,
			"trace-information: routing-action %lld, want relayed (0) or rerouted (1)",
			(long long)s->action);
	return take_extra(d, &s->seq, P1_TAG_EITS, &to->converted, &to->extra, &to->n_extra);
}

static bool take_trace(struct decoding *d, struct trace *to, const struct ber_list *list)
{
	if (list->n == 0)
		return true;
	to->v = arena_array(d->a, list->n, sizeof *to->v);
	if (to->v == NULL)
		return full(d);
	to->n = list->n;
	const struct p1_trace_element *t = list->v;
	for (size_t i = 0; i < list->n; i++)
		if (!take_trace_element(d, &to->v[i], &t[i]))
			return false;
	return true;
}

static bool take_name(struct decoding *d, struct oraddr *to, const struct p1_orname *name)
{
	return p1_orname_to_addr(name, to, d->a) || full(d);
}

static void take_content_type(struct message *m, const struct p1_content_type *t)
{
	m->content_type = t->choice.which == P1_CONTENT_BUILT_IN ? t->built_in : -1;
	if (t->choice.which == P1_CONTENT_EXTENDED)
		m->content_type_oid = t->extended;
}

/* --- extensions --- */

/* The fewest bits that say it: what encode writes, so that the octets need not be kept
 * (X.690 11.2.2). */
static bool is_minimal(const struct ber_bits *bits)
{
	if (bits->bytes.n == 0)
		return false; /* encode leaves a criticality of no bits out */
	unsigned last = bits->bytes.p[bits->bytes.n - 1];
	return last != 0 && bits->bytes.n == 1 && (unsigned)__builtin_ctz(last) == bits->unused;
}

/* The content octets of a BIT STRING: the count of unused bits, then the bits. */
static bool keep_bits(struct decoding *d, const struct ber_bits *bits, struct view *raw_r)
{
	uint8_t *p = arena_get(d->a, bits->bytes.n + 1);
	if (p == NULL)
		return full(d);
	p[0] = (uint8_t)bits->unused;
	if (bits->bytes.n > 0)
		memcpy(p + 1, bits->bytes.p, bits->bytes.n);
	*raw_r = view_of(p, bits->bytes.n + 1);
	return true;
}

static bool take_extension(struct decoding *d, struct extension *to, const struct p1_extension *x)
{
	uint32_t form = x->type.choice.which;
	to->is_private = form == P1_EXT_TYPE_PRIVATE || form == P1_EXT_TYPE_PRIVATE_EXPLICIT;
	to->explicit_type =
		form == P1_EXT_TYPE_STANDARD_EXPLICIT || form == P1_EXT_TYPE_PRIVATE_EXPLICIT;
	if (to->is_private)
		to->oid = x->type.oid;
	else if (x->type.number < 0 || x->type.number > UINT32_MAX)
		return err_report(d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER,
				  PROTOCOL_VIOLATION, "extensions: type %lld, want 0..256",
				  (long long)x->type.number);
	else
		to->number = (uint32_t)x->type.number;
	if (has(&x->seq, P1_EXTENSION_CRITICALITY)) {
		to->criticality = take_bits(&x->criticality);
		if (!is_minimal(&x->criticality) &&
		    !keep_bits(d, &x->criticality, &to->criticality_raw))
			return false;
	}
	if (has(&x->seq, P1_EXTENSION_VALUE))
		to->value = x->value;
	return true;
}

/* Those that the switch reads as fields. True: taken. */
static bool take_latest_delivery(struct decoding *d, const struct extension *x)
{
	struct view time;
	if (d->m->latest_raw.p != NULL ||
	    !ber_decode(&p1_utctime, x->value, &time, d->a, d->limits, NULL))
		return false;
	d->m->latest_raw = time;
	d->m->latest_delivery = take_time(time);
	d->m->latest_crit = x->criticality;
	d->m->explicit_type |= x->explicit_type;
	return true;
}

static bool take_internal_trace(struct decoding *d, const struct extension *x)
{
	struct ber_list list;
	struct trace trace = {0};
	struct decoding silent = *d;
	silent.e = NULL;
	if (d->m->internal_trace.n > 0 ||
	    !ber_decode(&p1_internal_trace_relay, x->value, &list, d->a, d->limits, NULL) ||
	    list.n == 0 || !take_trace(&silent, &trace, &list))
		return false;
	d->m->internal_trace = trace;
	d->m->internal_trace_crit = x->criticality;
	d->m->explicit_type |= x->explicit_type;
	return true;
}

/* --- extensions that stay octets and are fields too; what does not decode is octets only --- */

static bool read_value(struct decoding *d, const struct ber_type *t, const struct extension *x, void *value)
{
	return ber_decode(t, x->value, value, d->a, d->limits, NULL);
}

static void read_history(struct decoding *d, struct history *to, const struct ber_type *t, const struct extension *x)
{
	struct ber_list list;
	if (to->n > 0 || !read_value(d, t, x, &list) || list.n == 0)
		return;
	struct name_at *v = arena_array(d->a, list.n, sizeof *v);
	const struct p1_name_and_time *from = list.v;
	for (size_t i = 0; i < list.n && v != NULL; i++) {
		if (!p1_orname_to_addr(&from[i].name, &v[i].name, d->a))
			return;
		v[i].at = take_time(from[i].time);
		v[i].at_raw = from[i].time;
	}
	if (v != NULL)
		*to = (struct history){v, list.n};
}

static void read_redirections(struct decoding *d, struct recipient *r, const struct extension *x)
{
	struct ber_list list;
	if (r->n_redirections > 0 || !read_value(d, &p1_redirection_history, x, &list) || list.n == 0)
		return;
	struct redirection *v = arena_array(d->a, list.n, sizeof *v);
	const struct p1_redirection *from = list.v;
	for (size_t i = 0; i < list.n && v != NULL; i++) {
		if (!p1_orname_to_addr(&from[i].intended.name, &v[i].intended, d->a))
			return;
		v[i].at = take_time(from[i].intended.time);
		v[i].at_raw = from[i].intended.time;
		v[i].reason = from[i].reason >= 0 && from[i].reason <= INT16_MAX ? (int)from[i].reason : 0;
	}
	if (v != NULL) {
		r->redirections = v;
		r->n_redirections = list.n;
	}
}

static const struct oraddr *read_name(struct decoding *d, const struct extension *x)
{
	struct p1_orname name;
	if (!read_value(d, &p1_orname_type, x, &name))
		return NULL;
	struct oraddr *addr = arena_get(d->a, sizeof *addr);
	return addr != NULL && p1_orname_to_addr(&name, addr, d->a) ? addr : NULL;
}

static void read_exempted(struct decoding *d, const struct extension *x)
{
	struct ber_list list;
	if (d->m->n_exempted > 0 || !read_value(d, &p1_exempted_recipients, x, &list) || list.n == 0)
		return;
	struct oraddr *v = arena_array(d->a, list.n, sizeof *v);
	const struct p1_orname *from = list.v;
	for (size_t i = 0; i < list.n && v != NULL; i++)
		if (!p1_orname_to_addr(&from[i], &v[i], d->a))
			return;
	if (v != NULL) {
		d->m->exempted = v;
		d->m->n_exempted = list.n;
	}
}

static bool read_prohibited(struct decoding *d, const struct extension *x)
{
	int64_t value;
	return read_value(d, &p1_prohibited, x, &value) && value == 1;
}

static void read_envelope_extension(struct decoding *d, const struct extension *x)
{
	struct message *m = d->m;
	bool report = m->kind == MESSAGE_REPORT;
	switch (x->number) {
	case EXT_REASSIGNMENT_PROHIBITED: m->reassignment_prohibited |= read_prohibited(d, x); break;
	case EXT_DL_PROHIBITED: m->dl_prohibited |= read_prohibited(d, x); break;
	case EXT_EXEMPTED_RECIPIENTS: read_exempted(d, x); break;
	case EXT_DL_EXPANSION_HISTORY:
		if (!report)
			read_history(d, &m->dl_history, &p1_dl_expansion_history, x);
		break;
	case EXT_ORIGINATOR_AND_DL_HISTORY:
		if (report)
			read_history(d, &m->origin_history, &p1_origin_history, x);
		break;
	case EXT_REPORTING_DL_NAME:
		if (report && m->reporting_dl == NULL)
			m->reporting_dl = read_name(d, x);
		break;
	default: break;
	}
}

static void read_envelope_extensions(struct decoding *d)
{
	for (size_t i = 0; i < d->m->ext.n; i++)
		if (!d->m->ext.v[i].is_private)
			read_envelope_extension(d, &d->m->ext.v[i]);
}

static void read_recipient_extensions(struct decoding *d, struct recipient *r)
{
	for (size_t i = 0; i < r->ext.n; i++) {
		const struct extension *x = &r->ext.v[i];
		if (x->is_private)
			continue;
		if (x->number == EXT_REDIRECTION_HISTORY)
			read_redirections(d, r, x);
		else if (x->number == EXT_ALTERNATE_RECIPIENT && r->alternate == NULL)
			r->alternate = read_name(d, x);
	}
}

static bool take_extensions(struct decoding *d, struct extensions *to, const struct ber_list *list,
			    bool envelope)
{
	if (list->n == 0)
		return true;
	to->v = arena_array(d->a, list->n, sizeof *to->v);
	if (to->v == NULL)
		return full(d);
	const struct p1_extension *x = list->v;
	for (size_t i = 0; i < list->n; i++) {
		struct extension *ext = &to->v[to->n];
		*ext = (struct extension){0};
		if (!take_extension(d, ext, &x[i]))
			return false;
		bool ours = envelope && !ext->is_private;
		if (ours && ext->number == EXT_LATEST_DELIVERY && take_latest_delivery(d, ext))
			continue;
		if (ours && ext->number == EXT_INTERNAL_TRACE && take_internal_trace(d, ext))
			continue;
		to->n++;
	}
	if (envelope)
		read_envelope_extensions(d);
	return !arena_full(d->a) || full(d);
}

static bool take_recipient_extensions(struct decoding *d, struct recipient *r, const struct ber_list *list)
{
	if (!take_extensions(d, &r->ext, list, false))
		return false;
	read_recipient_extensions(d, r);
	return !arena_full(d->a) || full(d);
}

/* --- recipients --- */

/* X.411 PerRecipientIndicators; bits 1 and 2 say which report the originating MTA wants, 3 and 4
 * which the originator. */
static bool take_indicators(struct decoding *d, struct recipient *r, const struct ber_bits *bits)
{
	unsigned x = take_bits(bits);
	r->responsible = (x & 1) != 0;
	switch (x >> 1 & 3) {
	case 0: r->mta_report = REPORT_NONE; break;
	case 1: r->mta_report = REPORT_ALL; break;
	case 2: r->mta_report = REPORT_NON_DELIVERY; break;
	case 3: r->mta_report = REPORT_ALL_AUDITED; break;
	}
	r->originator_report = (x & 8) != 0    ? REPORT_ALL
			       : (x & 16) != 0 ? REPORT_NON_DELIVERY
					       : REPORT_NONE;
	bool said = x < 0x20 && bits->bytes.n <= 4;
	return said || keep_bits(d, bits, &r->indicators_raw);
}

static bool take_number(struct decoding *d, struct recipient *r, int64_t number)
{
	if (number < 0 || number > UINT32_MAX)
		return err_report(
			d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, PROTOCOL_VIOLATION,
			"originally-specified-recipient-number: found %lld, want 1..32767",
			(long long)number);
	r->number = (uint32_t)number;
	return true;
}

static bool take_recipient(struct decoding *d, struct recipient *r, struct view tlv)
{
	struct p1_recipient p;
	struct view none = {NULL, 0};
	if (!decode(d, d->tables->recipient, tlv, &p) || !take_name(d, &r->addr, &p.name) ||
	    !take_number(d, r, p.number) || !take_indicators(d, r, &p.indicators))
		return false;
	if (has(&p.seq, P1_RCPT_CONVERSION)) {
		if (p.conversion < 0 || p.conversion >= UINT32_MAX)
			return err_report(d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER,
					  PROTOCOL_VIOLATION,
					  "explicit-conversion: found %lld, want 0..256",
					  (long long)p.conversion);
		r->explicit_conversion = (uint32_t)p.conversion + 1;
	}
	return take_recipient_extensions(d, r, &p.ext) &&
	       take_extra(d, &p.seq, BER_NO_TAG, &none, &r->extra, &r->n_extra);
}

static bool take_outcome(struct decoding *d, struct recipient *r, const struct p1_report_type *t)
{
	struct view none = {NULL, 0};
	const struct ber_seq *seq;
	r->reason = r->diagnostic = -1;
	r->type_of_user = UINT32_MAX;
	if (t->choice.which == P1_REPORT_DELIVERY) {
		seq = &t->delivery.seq;
		if (!is_time(d, "report-type: message-delivery-time", t->delivery.time))
			return false;
		r->outcome = OUTCOME_DELIVERED;
		r->delivered_at = take_time(t->delivery.time);
		r->delivered_raw = t->delivery.time;
		if (has(seq, P1_DELIVERY_TYPE_OF_USER) && t->delivery.type_of_user >= 0 &&
		    t->delivery.type_of_user < UINT32_MAX)
			r->type_of_user = (uint32_t)t->delivery.type_of_user;
	} else {
		int64_t reason = t->non_delivery.reason, diagnostic = t->non_delivery.diagnostic;
		seq = &t->non_delivery.seq;
		r->outcome = OUTCOME_NOT_DELIVERED;
		bool said = has(seq, P1_NON_DELIVERY_DIAGNOSTIC);
		if (reason < 0 || reason > INT32_MAX ||
		    (said && (diagnostic < 0 || diagnostic > INT32_MAX)))
			return err_report(
				d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER,
				PROTOCOL_VIOLATION,
				"non-delivery-reason-code %lld, diagnostic %lld: want 0..32767",
				(long long)reason, (long long)diagnostic);
		r->reason = (int)reason;
		r->diagnostic = said ? (int)diagnostic : -1;
	}
	return take_extra(d, seq, BER_NO_TAG, &none, &r->report_extra, &r->n_report_extra);
}

static bool take_last_trace(struct decoding *d, struct recipient *r, const struct p1_last_trace *t)
{
	struct trace_element *x = arena_get(d->a, sizeof *x);
	if (x == NULL)
		return full(d);
	r->arrival = (struct trace){x, 1};
	x->arrival = take_time(t->arrival);
	x->arrival_raw = t->arrival;
	return is_time(d, "last-trace-information: arrival-time", t->arrival) && take_outcome(d, r, &t->type) &&
	       take_extra(d, &t->seq, P1_TAG_EITS, &r->converted, &x->extra, &x->n_extra);
}

static bool take_report_recipient(struct decoding *d, struct recipient *r, struct view tlv)
{
	struct p1_report_recipient p;
	struct view none = {NULL, 0};
	if (!decode(d, d->tables->report_recipient, tlv, &p) || !take_name(d, &r->addr, &p.name) ||
	    !take_number(d, r, p.number) || !take_indicators(d, r, &p.indicators) ||
	    !take_last_trace(d, r, &p.last))
		return false;
	r->has_intended = has(&p.seq, P1_RR_INTENDED);
	if (r->has_intended && !take_name(d, &r->intended, p.intended))
		return false;
	if (has(&p.seq, P1_RR_SUPPLEMENTARY))
		r->supplementary = p.supplementary;
	return take_recipient_extensions(d, r, &p.ext) &&
	       take_extra(d, &p.seq, BER_NO_TAG, &none, &r->extra, &r->n_extra);
}

static bool take_recipients(struct decoding *d, const struct ber_list *list)
{
	struct message *m = d->m;
	if (list->n == 0)
		return err_report(d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER,
				  PROTOCOL_VIOLATION,
				  "per-recipient-fields: found no recipient, want at least one");
	m->rcpt = arena_array(d->a, list->n, sizeof *m->rcpt);
	if (m->rcpt == NULL)
		return full(d);
	m->n_rcpt = list->n;
	const struct view *tlv = list->v;
	for (size_t i = 0; i < list->n; i++) {
		bool good = m->kind == MESSAGE_REPORT
				    ? take_report_recipient(d, &m->rcpt[i], tlv[i])
				    : take_recipient(d, &m->rcpt[i], tlv[i]);
		if (!good)
			return false;
	}
	return true;
}

/* --- message, probe --- */

static bool take_priority(struct decoding *d, int64_t x)
{
	static const enum priority of[] = {PRIORITY_NORMAL, PRIORITY_NON_URGENT, PRIORITY_URGENT};
	if (x < 0 || x >= (int64_t)ARRAY_LEN(of))
		return err_report(
			d->e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, PROTOCOL_VIOLATION,
			"priority: found %lld, want normal (0), non-urgent (1) or urgent (2)",
			(long long)x);
	d->m->priority = of[x];
	return true;
}

static bool take_envelope(struct decoding *d, const struct p1_envelope *env)
{
	struct message *m = d->m;
	take_id(&m->id, &env->id);
	take_content_type(m, &env->content_type);
	if (has(&env->seq, P1_ENV_CONTENT_ID) && env->content_id.n > 0)
		m->content_id = env->content_id;
	m->has_indicators = has(&env->seq, P1_ENV_INDICATORS);
	if (m->has_indicators)
		m->indicators = take_bits(&env->indicators);
	if (m->kind == MESSAGE_MESSAGE && has(&env->seq, P1_ENV_ZERO)) {
		m->deferred = take_time(env->deferred);
		m->deferred_raw = env->deferred;
	}
	if (m->kind == MESSAGE_PROBE && has(&env->seq, P1_ENV_ZERO) && env->content_length >= 0)
		m->content_length = env->content_length;
	if (env->bilateral.n > 0) {
		m->bilateral = env->bilateral.v;
		m->n_bilateral = env->bilateral.n;
	}
	return take_priority(d, env->priority) && take_name(d, &m->originator, &env->originator) &&
	       take_trace(d, &m->trace, &env->trace) &&
	       take_extensions(d, &m->ext, &env->ext, true) &&
	       take_extra(d, &env->seq, P1_TAG_EITS, &m->original_eits, &m->extra, &m->n_extra) &&
	       take_recipients(d, &env->recipients);
}

/* --- report --- */

/* Additional information is kept as its whole [2]. */
static bool take_report_extra(struct decoding *d, const struct ber_seq *seq)
{
	struct message *m = d->m;
	struct view *rest = NULL;
	size_t n_rest = 0;
	if (!take_extra(d, seq, P1_TAG_EITS, &m->original_eits, &rest, &n_rest))
		return false;
	size_t n = 0;
	for (size_t i = 0; i < n_rest; i++) {
		bool additional = rest[i].p[0] == 0xa2 && m->content_extra_raw.p == NULL;
		if (additional)
			m->content_extra_raw = rest[i];
		else
			rest[n++] = rest[i];
	}
	m->content_extra = rest;
	m->n_content_extra = n;
	return true;
}

static bool take_report(struct decoding *d, const struct p1_report *p)
{
	struct message *m = d->m;
	const struct p1_report_content *c = &p->content;
	struct view none = {NULL, 0};
	take_id(&m->id, &p->envelope.id);
	take_id(&m->subject_id, &c->subject);
	m->content_type = -2;
	if (has(&c->seq, P1_RC_CONTENT_TYPE))
		take_content_type(m, &c->content_type);
	if (has(&c->seq, P1_RC_CONTENT_ID) && c->content_id.n > 0)
		m->content_id = c->content_id;
	m->has_returned_content = has(&c->seq, P1_RC_RETURNED);
	if (m->has_returned_content)
		m->returned_content = c->returned;
	return take_name(d, &m->originator, &p->envelope.destination) &&
	       take_trace(d, &m->trace, &p->envelope.trace) &&
	       take_extensions(d, &m->ext, &p->envelope.ext, true) &&
	       take_extra(d, &p->envelope.seq, BER_NO_TAG, &none, &m->extra, &m->n_extra) &&
	       take_trace(d, &m->subject_trace, &c->subject_trace) &&
	       take_extensions(d, &m->content_ext, &c->ext, false) &&
	       take_report_extra(d, &c->seq) && take_recipients(d, &c->recipients);
}

/* --- whole --- */

static bool decode_kind(struct decoding *d, struct view octets)
{
	struct p1_envelope env;
	struct p1_report report;
	switch (d->m->kind) {
	case MESSAGE_MESSAGE:
		return decode(d, d->tables->message, octets, &env) && take_envelope(d, &env);
	case MESSAGE_PROBE:
		return decode(d, d->tables->probe, octets, &env) && take_envelope(d, &env);
	case MESSAGE_REPORT:
		return decode(d, d->tables->report, octets, &report) && take_report(d, &report);
	}
	CANT_HAPPEN("a message of no kind");
}

/* MOTIS' internal trace is an element of the envelope, and its elements are all of the domain that has handed it over. One that
 * cannot be read stays an unknown element. */
static bool take_motis(struct decoding *d)
{
	struct message *m = d->m;
	size_t n = 0;
	for (size_t i = 0; i < m->n_extra; i++) {
		struct trace t;
		const bool ours = m->extra[i].p[0] == P1_84_MOTIS_OCTET && m->internal_trace.n == 0 && m->trace.n > 0;
		if (ours && p1_84_motis_to(m->extra[i], &m->trace.v[m->trace.n - 1].domain, &t, d->a))
			m->internal_trace = t;
		else
			m->extra[n++] = m->extra[i];
	}
	m->n_extra = n;
	return !arena_full(d->a) || full(d);
}

bool p1_decode_envelope(enum p1_tables tables, enum message_kind kind, struct view octets, struct message *m_r,
			struct arena *a, const struct ber_limits *limits, struct err *e)
{
	struct message m = {.kind = kind, .priority = PRIORITY_NORMAL, .content_length = -1};
	struct decoding d = {.tables = p1_table_set(tables), .m = &m, .a = a, .limits = limits, .e = e};
	if (!decode_kind(&d, octets) || (tables == P1_1984 && !take_motis(&d)))
		return false;
	*m_r = m;
	return true;
}

static bool not_apdu(struct err *e, const char *found, uint32_t tag)
{
	return err_report(
		e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, PROTOCOL_VIOLATION,
		"P1: found %s (tag class %u number %u), want message [0], report [1] or probe [2]",
		found, (unsigned)ber_tag_class(tag), ber_tag_number(tag));
}

/* The MTS-APDU within an EXTERNAL: the element within its single-ASN1-type [0]. */
static bool unwrap(struct view external, struct view *apdu_r, const struct ber_limits *limits,
		   struct err *e)
{
	struct ber_tlv child = {0};
	for (struct view rest = external; rest.n > 0; rest = view_from(rest, child.whole.n)) {
		if (!ber_tlv(rest, &child, limits, e))
			return false;
		if (child.tag == BER_C(0) && child.constructed) {
			*apdu_r = child.content;
			return true;
		}
	}
	return not_apdu(e, "an EXTERNAL without single-ASN1-type", child.tag);
}

/* A content that is one EXTERNAL of object identifier and octets has that type, which 1984 had no other way to say. Only where its
 * length was said, so that a splitter can tell as soon. */
static void take_external(struct view rest, const struct ber_limits *limits, struct message *m, struct view *content)
{
	struct p1_84_external x;
	struct ber_tlv tlv;
	if (!ber_tlv(rest, &tlv, limits, NULL) || tlv.constructed || p1_84_external(*content, content->n, &x) != STEP_DONE)
		return;
	m->content_type = -1;
	m->content_type_oid = x.oid;
	*content = view_from(*content, x.header);
}

static bool decode_message(enum p1_tables tables, struct view inside, struct message *m_r, struct view *content_r,
			   struct arena *a, const struct ber_limits *limits,
			   const struct ber_limits *whole, struct err *e)
{
	struct ber_tlv envelope;
	if (!ber_tlv(inside, &envelope, whole, e) ||
	    !p1_decode_envelope(tables, MESSAGE_MESSAGE, envelope.whole, m_r, a, limits, e))
		return false;
	struct ber_limits content_limits = *whole;
	struct view rest = view_from(inside, envelope.whole.n);
	if (!ber_decode(&p1_octets, rest, content_r, a, &content_limits, e))
		return false;
	if (tables == P1_1984 && p1_84_is_external(envelope.whole))
		take_external(rest, whole, m_r, content_r);
	return true;
}

bool p1_decode(struct view apdu, struct message *m_r, struct view *content_r, struct arena *a,
	       const struct ber_limits *limits, struct err *e)
{
	return p1_decode_by(P1_1988, apdu, m_r, content_r, a, limits, e);
}

bool p1_decode_by(enum p1_tables tables, struct view apdu, struct message *m_r, struct view *content_r, struct arena *a,
		  const struct ber_limits *limits, struct err *e)
{
	struct ber_limits whole = *limits;
	struct ber_tlv tlv;
	bool good = false;
	whole.bytes = SIZE_MAX;
	*content_r = (struct view){NULL, 0};
	if (e != NULL)
		e->reason = e->diagnostic = -1;
	if (!ber_tlv(apdu, &tlv, &whole, e))
		goto out;
	if (tlv.tag == BER_U(8) &&
	    (!unwrap(tlv.content, &apdu, &whole, e) || !ber_tlv(apdu, &tlv, &whole, e)))
		goto out;
	if (tlv.whole.n != apdu.n)
		good = err_set(e, ERR_PERM, ERR_OF_MESSAGE, "P1: %zu octets after the MTS-APDU",
			       apdu.n - tlv.whole.n);
	else if (tlv.tag == BER_C(MESSAGE_MESSAGE) && tlv.constructed)
		good = decode_message(tables, tlv.content, m_r, content_r, a, limits, &whole, e);
	else if (tlv.tag == BER_C(MESSAGE_REPORT) || tlv.tag == BER_C(MESSAGE_PROBE))
		good = p1_decode_envelope(tables, (enum message_kind)ber_tag_number(tlv.tag), tlv.whole,
					  m_r, a, limits, e);
	else
		good = not_apdu(e, "an element", tlv.tag);
out:
	if (!good && e != NULL && e->reason == -1) {
		e->reason = UNABLE_TO_TRANSFER;
		e->diagnostic = PROTOCOL_VIOLATION;
	}
	return good;
}
