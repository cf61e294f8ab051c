/* p1_encode.c - struct message to the octets before its content.
 *
 * Recipients are encoded one after the other into a buffer, through one struct, and go into the
 * envelope's table as one piece of octets. What decode kept as octets goes into ber_seq.extra,
 * which the engine sorts in by tag. */
#include "flow/codec/p1/p1.h"
#include "flow/codec/p1/p1_84.h"
#include "flow/message/downgrade.h"

struct encoding {
	const struct message *m;
	const struct p1_encode_options *options;
	const struct p1_table_set *tables;
	enum p1_extension_form form; /* P1_EXT_NONE for 1984 */
	bool old; /* 1984 */
	struct arena *a; /* of this call */
	struct out out;	 /* recipients, then values of extensions */
	struct err *e;
};

static bool full(struct encoding *c)
{
	return err_set(c->e, ERR_LOCAL, ERR_OF_MESSAGE,
		       "P1: the envelope cannot be encoded, out of memory");
}

static void set(struct ber_seq *seq, unsigned i)
{
	seq->has |= UINT64_C(1) << i;
}

/* --- parts --- */

static void give_part(struct p1_words *to, const struct gdi_part *part)
{
	to->choice.which = part->form == ORA_NUMERIC ? P1_WORDS_NUMERIC : P1_WORDS_PRINTABLE;
	to->value = part->value;
}

/* 1984 has the administration domain mandatory, and so has 1988; but peers of 1988 leave it out. */
static void give_gdi(const struct encoding *c, struct p1_gdi *to, const struct gdi *g)
{
	static const struct gdi_part blank = {ORA_PRINTABLE, {(const uint8_t *)" ", 1}};
	if (g->country.value.n == 0 && c->options->domain != NULL)
		g = c->options->domain;
	to->seq.has = 1u << P1_GDI_COUNTRY;
	give_part(&to->country, &g->country);
	if (g->admd.value.p != NULL || c->old) {
		set(&to->seq, P1_GDI_ADMD);
		give_part(&to->admd, g->admd.value.n > 0 || !c->old ? &g->admd : &blank);
	}
	if (g->has_prmd && g->prmd.value.n > 0) {
		set(&to->seq, P1_GDI_PRMD);
		give_part(&to->prmd, &g->prmd);
	}
}

static void give_id(const struct encoding *c, struct p1_mts_id *to, const struct mts_id *id)
{
	give_gdi(c, &to->domain, &id->domain);
	to->local = id->local;
}

/* As it came, else 13 octets of our own. */
static struct view give_time(struct encoding *c, wall_ms_t at, struct view raw)
{
	return raw.n > 0 ? raw : utctime_print(at, c->a);
}

/* A named bit list without trailing zeroes (X.690 11.2.2); octets in the arena. */
static struct ber_bits give_bits(struct encoding *c, unsigned x)
{
	struct ber_bits bits = {0};
	uint8_t *p = arena_get(c->a, sizeof x);
	for (unsigned i = 0; i < 8 * sizeof x && p != NULL; i++) {
		if ((x >> i & 1) == 0)
			continue;
		p[i / 8] |= (uint8_t)(0x80 >> i % 8);
		bits = (struct ber_bits){view_of(p, i / 8 + 1), 7 - i % 8};
	}
	return bits;
}

/* Octets behind all fields of the table: `tlv` (if any) and unknown elements, which 1984 does not get. One place is
 * left for add_extra. */
static bool give_extra(struct encoding *c, struct ber_seq *seq, struct view tlv,
		       const struct view *v, size_t n)
{
	if (c->old)
		n = 0;
	if (n == 0 && tlv.n == 0)
		return true;
	seq->extra = arena_array(c->a, n + 2, sizeof *seq->extra);
	if (seq->extra == NULL)
		return full(c);
	seq->n_extra = 0;
	if (tlv.n > 0)
		seq->extra[seq->n_extra++] = (struct ber_raw){tlv, 64};
	for (size_t i = 0; i < n; i++)
		seq->extra[seq->n_extra++] = (struct ber_raw){v[i], 64};
	return true;
}

static bool add_extra(struct encoding *c, struct ber_seq *seq, struct view tlv)
{
	if (seq->extra == NULL)
		return give_extra(c, seq, tlv, NULL, 0);
	seq->extra[seq->n_extra++] = (struct ber_raw){tlv, 64};
	return true;
}

static struct view give_eits(struct encoding *c, struct view tlv)
{
	return c->old && tlv.n > 0 ? p1_84_eits_of(tlv, c->a) : tlv;
}

static bool give_trace_element(struct encoding *c, struct p1_trace_element *to,
			       const struct trace_element *t)
{
	struct p1_supplied *s = &to->supplied;
	give_gdi(c, &to->domain, &t->domain);
	to->mta = t->mta;
	s->arrival = give_time(c, t->arrival, t->arrival_raw);
	s->action = t->action;
	if (t->has_attempted && t->attempted_mta.p != NULL) {
		set(&s->seq, P1_SUPPLIED_MTA);
		s->mta = t->attempted_mta;
	} else if (t->has_attempted) {
		set(&s->seq, P1_SUPPLIED_DOMAIN);
		give_gdi(c, &s->domain, &t->attempted_domain);
	}
	if (t->deferred != 0 || t->deferred_raw.n > 0) {
		set(&s->seq, P1_SUPPLIED_DEFERRED);
		s->deferred = give_time(c, t->deferred, t->deferred_raw);
	}
	if (t->other_actions != 0 && !c->old) {
		set(&s->seq, P1_SUPPLIED_OTHER);
		s->other = give_bits(c, t->other_actions);
	}
	return give_extra(c, &s->seq, give_eits(c, t->converted), t->extra, t->n_extra);
}

static bool give_trace(struct encoding *c, struct ber_list *to, const struct trace *t)
{
	struct p1_trace_element *v = arena_array(c->a, t->n, sizeof *v);
	if (v == NULL)
		return full(c);
	*to = (struct ber_list){v, t->n};
	for (size_t i = 0; i < t->n; i++)
		if (!give_trace_element(c, &v[i], &t->v[i]))
			return false;
	return true;
}

/* Somebody, and not only a domain. */
static bool names_somebody(const struct oraddr *addr)
{
	for (size_t i = 0; i < addr->n; i++)
		if (addr->v[i].type > ORA_PRMD)
			return true;
	return false;
}

/* A directory name that peers refuse is left out where the address says the same. rest: nobody could be told that it has no form
 * of 1984. */
static bool give_name(struct encoding *c, struct p1_orname *to, const struct oraddr *addr, bool rest)
{
	struct oraddr old;
	if (c->old && rest && !downgrade_address_rest(addr, c->options->domain, &old, c->a))
		return full(c);
	if (c->old && !rest && !downgrade_address(addr, c->options->domain, &old, c->a, c->e))
		return false;
	if (p1_orname_of_addr(c->old ? &old : addr, to, c->a, c->e)) {
		if (to->directory_name.n > 0 && names_somebody(addr) && !p1_dn_is_sound(to->directory_name)) {
			to->directory_name = (struct view){NULL, 0};
			to->seq.has &= ~(UINT64_C(1) << P1_ORNAME_DIRECTORY_NAME);
		}
		return true;
	}
	if (c->e != NULL)
		c->e->kind = ERR_LOCAL; /* what we hold should have a form; to whom it is charged
					   stays */
	return false;
}

/* 2.6.1.10.0 and .1: P2 and P22 under their other names. */
static int64_t content_number(const struct message *m)
{
	enum { EXTERNAL_CONTENT = 1, P2 = 2, P22 = 22 };
	if (m->content_type >= 0)
		return m->content_type;
	if (view_eq(m->content_type_oid, VIEW("\x56\x01\x0a\x00")))
		return P2;
	return view_eq(m->content_type_oid, VIEW("\x56\x01\x0a\x01")) ? P22 : EXTERNAL_CONTENT;
}

static void give_content_type(struct encoding *c, struct p1_content_type *to)
{
	const struct message *m = c->m;
	bool built_in = m->content_type >= 0 || c->old;
	to->choice.which = built_in ? P1_CONTENT_BUILT_IN : P1_CONTENT_EXTENDED;
	to->built_in = built_in ? content_number(m) : m->content_type;
	to->extended = m->content_type_oid;
}

/* --- extensions --- */

static uint32_t type_form(const struct encoding *c, const struct extension *x)
{
	bool wrapped =
		c->form == P1_EXT_EXPLICIT || (c->form == P1_EXT_AS_CAME && x->explicit_type);
	if (x->is_private)
		return wrapped ? P1_EXT_TYPE_PRIVATE_EXPLICIT : P1_EXT_TYPE_PRIVATE;
	return wrapped ? P1_EXT_TYPE_STANDARD_EXPLICIT : P1_EXT_TYPE_STANDARD;
}

static void give_extension(struct encoding *c, struct p1_extension *to, const struct extension *x)
{
	to->type.choice.which = type_form(c, x);
	to->type.number = x->number;
	to->type.oid = x->oid;
	if (x->criticality_raw.n > 0) {
		set(&to->seq, P1_EXTENSION_CRITICALITY);
		to->criticality = (struct ber_bits){view_from(x->criticality_raw, 1),
						    x->criticality_raw.p[0]};
	} else if (x->criticality != 0) {
		set(&to->seq, P1_EXTENSION_CRITICALITY);
		to->criticality = give_bits(c, x->criticality);
	}
	if (x->value.n > 0) {
		set(&to->seq, P1_EXTENSION_VALUE);
		to->value = x->value;
	}
}

/* Room for `more` extensions behind those of x. */
static bool give_extensions(struct encoding *c, struct ber_list *to, const struct extensions *x,
			    size_t more)
{
	if (c->form == P1_EXT_NONE || x->n + more == 0)
		return true;
	struct p1_extension *v = arena_array(c->a, x->n + more, sizeof *v);
	if (v == NULL)
		return full(c);
	*to = (struct ber_list){v, x->n};
	for (size_t i = 0; i < x->n; i++)
		give_extension(c, &v[i], &x->v[i]);
	return true;
}

/* One made here; its value encoded by its table. */
static bool add_extension(struct encoding *c, struct ber_list *to, uint32_t number, unsigned crit,
			  const struct ber_type *t, const void *value)
{
	size_t before = out_len(&c->out);
	if (!ber_encode(t, value, &c->out, c->e))
		return false;
	struct extension x = {
		.number = number, .criticality = crit, .explicit_type = c->m->explicit_type};
	x.value = arena_copy(c->a, view_from(out_view(&c->out), before));
	c->out.n -= out_len(&c->out) - before; /* recipients lie there too, one behind the other */
	if (arena_full(c->a))
		return full(c);
	give_extension(c, (struct p1_extension *)to->v + to->n++, &x);
	return true;
}

/* --- fields whose extension was dropped when they were changed, or never was --- */

/* Criticality as X.411 recommends it. */
static bool add_history(struct encoding *c, struct ber_list *to, uint32_t number, const struct ber_type *t,
			const struct history *h, const struct extensions *x)
{
	if (h->n == 0 || extensions_has(x, number))
		return true;
	struct p1_name_and_time *v = arena_array(c->a, h->n, sizeof *v);
	if (v == NULL)
		return full(c);
	for (size_t i = 0; i < h->n; i++) {
		v[i].time = give_time(c, h->v[i].at, h->v[i].at_raw);
		if (!give_name(c, &v[i].name, &h->v[i].name, true))
			return false;
	}
	struct ber_list list = {v, h->n};
	return add_extension(c, to, number, 0, t, &list);
}

static bool add_redirections(struct encoding *c, struct ber_list *to, const struct recipient *r)
{
	if (r->n_redirections == 0 || extensions_has(&r->ext, EXT_REDIRECTION_HISTORY))
		return true;
	struct p1_redirection *v = arena_array(c->a, r->n_redirections, sizeof *v);
	if (v == NULL)
		return full(c);
	for (size_t i = 0; i < r->n_redirections; i++) {
		const struct redirection *from = &r->redirections[i];
		v[i].intended.time = give_time(c, from->at, from->at_raw);
		v[i].reason = from->reason;
		if (!give_name(c, &v[i].intended.name, &from->intended, true))
			return false;
	}
	struct ber_list list = {v, r->n_redirections};
	return add_extension(c, to, EXT_REDIRECTION_HISTORY, 0, &p1_redirection_history, &list);
}

static bool add_name(struct encoding *c, struct ber_list *to, uint32_t number, unsigned crit,
		     const struct oraddr *addr, const struct extensions *x)
{
	struct p1_orname name;
	if (addr == NULL || extensions_has(x, number))
		return true;
	return give_name(c, &name, addr, true) && add_extension(c, to, number, crit, &p1_orname_type, &name);
}

static bool add_exempted(struct encoding *c, struct ber_list *to, const struct message *m)
{
	if (m->n_exempted == 0 || extensions_has(&m->ext, EXT_EXEMPTED_RECIPIENTS))
		return true;
	struct p1_orname *v = arena_array(c->a, m->n_exempted, sizeof *v);
	if (v == NULL)
		return full(c);
	for (size_t i = 0; i < m->n_exempted; i++)
		if (!give_name(c, &v[i], &m->exempted[i], true))
			return false;
	struct ber_list list = {v, m->n_exempted};
	return add_extension(c, to, EXT_EXEMPTED_RECIPIENTS, 0, &p1_exempted_recipients, &list);
}

static bool add_prohibited(struct encoding *c, struct ber_list *to, uint32_t number, bool prohibited)
{
	int64_t yes = 1;
	if (!prohibited || extensions_has(&c->m->ext, number))
		return true;
	return add_extension(c, to, number, EXT_FOR_DELIVERY, &p1_prohibited, &yes);
}

enum { ENVELOPE_FIELDS = 6, RECIPIENT_FIELDS = 2 }; /* extensions that the next two may add */

static bool add_envelope_fields(struct encoding *c, struct ber_list *to)
{
	const struct message *m = c->m;
	bool report = m->kind == MESSAGE_REPORT;
	return add_prohibited(c, to, EXT_REASSIGNMENT_PROHIBITED, m->reassignment_prohibited) &&
	       add_prohibited(c, to, EXT_DL_PROHIBITED, m->dl_prohibited) && add_exempted(c, to, m) &&
	       (report ? add_history(c, to, EXT_ORIGINATOR_AND_DL_HISTORY, &p1_origin_history, &m->origin_history, &m->ext)
		       : add_history(c, to, EXT_DL_EXPANSION_HISTORY, &p1_dl_expansion_history, &m->dl_history, &m->ext)) &&
	       (!report || add_name(c, to, EXT_REPORTING_DL_NAME, 0, m->reporting_dl, &m->ext));
}

static bool give_recipient_extensions(struct encoding *c, struct ber_list *to, const struct recipient *r)
{
	size_t more = r->alternate != NULL || r->n_redirections > 0 ? RECIPIENT_FIELDS : 0;
	if (!give_extensions(c, to, &r->ext, more))
		return false;
	return c->form == P1_EXT_NONE ||
	       (add_name(c, to, EXT_ALTERNATE_RECIPIENT, EXT_FOR_SUBMISSION, r->alternate, &r->ext) &&
		add_redirections(c, to, r));
}

/* Those of the envelope: latest delivery and internal trace are fields of struct message. */
static bool give_envelope_extensions(struct encoding *c, struct ber_list *to)
{
	const struct message *m = c->m;
	bool latest = m->latest_delivery != 0 || m->latest_raw.n > 0;
	if (!give_extensions(c, to, &m->ext, 2 + ENVELOPE_FIELDS))
		return false;
	if (c->form == P1_EXT_NONE)
		return true;
	if (!add_envelope_fields(c, to))
		return false;
	if (latest) {
		struct view time = give_time(c, m->latest_delivery, m->latest_raw);
		if (!add_extension(c, to, EXT_LATEST_DELIVERY, m->latest_crit, &p1_utctime, &time))
			return false;
	}
	if (m->internal_trace.n == 0 || c->options->no_internal_trace)
		return true;
	struct ber_list trace;
	return give_trace(c, &trace, &m->internal_trace) &&
	       add_extension(c, to, EXT_INTERNAL_TRACE, m->internal_trace_crit,
			     &p1_internal_trace_relay, &trace);
}

/* --- recipients --- */

/* Exactly 8 bits (fewer made peers reject, Q140937), more only where the peer had set some. */
static struct ber_bits give_indicators(struct encoding *c, const struct recipient *r)
{
	static const uint8_t mta[] = {[REPORT_NONE] = 0,
				      [REPORT_NON_DELIVERY] = 0x20,
				      [REPORT_ALL] = 0x40,
				      [REPORT_ALL_AUDITED] = 0x60};
	static const uint8_t originator[] = {[REPORT_NONE] = 0,
					     [REPORT_NON_DELIVERY] = 0x08,
					     [REPORT_ALL] = 0x10,
					     [REPORT_ALL_AUDITED] = 0x10};
	struct view raw = c->old ? (struct view){NULL, 0} : view_from(r->indicators_raw, 1);
	uint8_t *p = arena_get(c->a, raw.n == 0 ? 1 : raw.n);
	if (p == NULL)
		return (struct ber_bits){0};
	if (raw.n > 0)
		memcpy(p, raw.p, raw.n);
	p[0] = (uint8_t)((p[0] & 0x07) | (r->responsible ? 0x80 : 0) | mta[r->mta_report & 3] |
			 originator[r->originator_report & 3]);
	if (raw.n <= 1)
		return (struct ber_bits){view_of(p, 1), 0};
	return (struct ber_bits){view_of(p, raw.n), r->indicators_raw.p[0] & 7u};
}

static bool give_recipient(struct encoding *c, const struct recipient *r)
{
	struct p1_recipient p = {0};
	p.number = r->number;
	p.indicators = give_indicators(c, r);
	if (r->explicit_conversion != 0) {
		set(&p.seq, P1_RCPT_CONVERSION);
		p.conversion = (int64_t)r->explicit_conversion - 1;
	}
	if (!give_name(c, &p.name, &r->addr, !r->responsible) || !give_recipient_extensions(c, &p.ext, r) ||
	    !give_extra(c, &p.seq, (struct view){NULL, 0}, r->extra, r->n_extra))
		return false;
	if (p.ext.n > 0)
		set(&p.seq, P1_RCPT_EXT);
	return ber_encode(c->tables->recipient, &p, &c->out, c->e);
}

static bool give_outcome(struct encoding *c, struct p1_report_type *to, const struct recipient *r)
{
	struct ber_seq *seq;
	if (r->outcome == OUTCOME_DELIVERED) {
		seq = &to->delivery.seq;
		to->choice.which = P1_REPORT_DELIVERY;
		to->delivery.time = give_time(c, r->delivered_at, r->delivered_raw);
		if (r->type_of_user != UINT32_MAX)
			set(seq, P1_DELIVERY_TYPE_OF_USER);
		/* TypeOfUA of 1984: public (0), private (1) */
		to->delivery.type_of_user = c->old && r->type_of_user > 1 ? 1 : r->type_of_user;
	} else {
		seq = &to->non_delivery.seq;
		to->choice.which = P1_REPORT_NON_DELIVERY;
		int diagnostic = c->old ? downgrade_diagnostic(r->diagnostic) : r->diagnostic;
		to->non_delivery.reason = c->old ? downgrade_reason(r->reason) : r->reason;
		if (diagnostic >= 0)
			set(seq, P1_NON_DELIVERY_DIAGNOSTIC);
		to->non_delivery.diagnostic = diagnostic;
	}
	return give_extra(c, seq, (struct view){NULL, 0}, r->report_extra, r->n_report_extra);
}

static bool give_last_trace(struct encoding *c, struct p1_last_trace *to, const struct recipient *r)
{
	if (r->arrival.n == 0)
		return err_set(c->e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "P1: a report's recipient has no arrival time");
	const struct trace_element *t = &r->arrival.v[0];
	to->arrival = give_time(c, t->arrival, t->arrival_raw);
	return give_outcome(c, &to->type, r) &&
	       give_extra(c, &to->seq, give_eits(c, r->converted), t->extra, t->n_extra);
}

/* What the codes of 1984 cannot say, in words, where nothing else is said. */
static struct view give_supplementary(const struct encoding *c, const struct recipient *r)
{
	bool lost = c->old && r->outcome == OUTCOME_NOT_DELIVERED &&
		    downgrade_diagnostic(r->diagnostic) != r->diagnostic;
	return lost && r->supplementary.n == 0 ? view_str(diagnostic_name(r->diagnostic)) : r->supplementary;
}

static bool give_report_recipient(struct encoding *c, const struct recipient *r)
{
	struct p1_report_recipient p = {0};
	struct p1_orname intended;
	p.number = r->number;
	p.indicators = give_indicators(c, r);
	if (r->has_intended) {
		set(&p.seq, P1_RR_INTENDED);
		p.intended = &intended;
		if (!give_name(c, &intended, &r->intended, true))
			return false;
	}
	p.supplementary = give_supplementary(c, r);
	if (p.supplementary.n > 0)
		set(&p.seq, P1_RR_SUPPLEMENTARY);
	if (!give_name(c, &p.name, &r->addr, true) || !give_last_trace(c, &p.last, r) ||
	    !give_recipient_extensions(c, &p.ext, r) ||
	    !give_extra(c, &p.seq, (struct view){NULL, 0}, r->extra, r->n_extra))
		return false;
	if (p.ext.n > 0)
		set(&p.seq, P1_RR_EXT);
	return ber_encode(c->tables->report_recipient, &p, &c->out, c->e);
}

/* All recipients as the octets of one list; `one` is where their view lies. */
static bool give_recipients(struct encoding *c, struct ber_list *to, struct view *one)
{
	const struct message *m = c->m;
	if (m->n_rcpt == 0)
		return err_set(c->e, ERR_LOCAL, ERR_OF_MESSAGE, "P1: the %s has no recipient",
			       message_kind_name(m->kind));
	size_t before = out_len(&c->out);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		bool good = m->kind == MESSAGE_REPORT ? give_report_recipient(c, &m->rcpt[i])
						      : give_recipient(c, &m->rcpt[i]);
		if (!good)
			return false;
	}
	*one = view_from(out_view(&c->out), before);
	*to = (struct ber_list){one, 1};
	return true;
}

/* --- envelopes --- */

/* X.411 8.2.1.1.1.9; PerMessageFlag of 1984 has four bits. */
static void give_message_indicators(struct encoding *c, struct p1_envelope *to)
{
	enum { OF_1984 = 0x0f };
	const struct message *m = c->m;
	unsigned bits = m->indicators & (c->options->no_content_return ? ~(unsigned)IND_CONTENT_RETURN : ~0u);
	if (!m->has_indicators)
		return;
	set(&to->seq, P1_ENV_INDICATORS);
	to->indicators = give_bits(c, c->old ? bits & OF_1984 : bits);
}

static bool give_bilateral(struct encoding *c, struct p1_envelope *to)
{
	const struct message *m = c->m;
	if (m->n_bilateral == 0 || c->options->no_bilateral)
		return true;
	struct view *v = arena_array(c->a, m->n_bilateral, sizeof *v);
	if (v == NULL)
		return full(c);
	to->bilateral = (struct ber_list){v, 0};
	for (size_t i = 0; i < m->n_bilateral; i++)
		if (!c->old || p1_84_has_bilateral(m->bilateral[i]))
			v[to->bilateral.n++] = m->bilateral[i];
	if (to->bilateral.n > 0)
		set(&to->seq, P1_ENV_BILATERAL);
	return true;
}

/* The elements that no row has: encoded types (none in a report's envelope), what is unknown, MOTIS' internal trace. */
static bool give_envelope_extra(struct encoding *c, struct ber_seq *seq, struct view eits)
{
	const struct message *m = c->m;
	if (!give_extra(c, seq, give_eits(c, eits), m->extra, m->n_extra))
		return false;
	bool motis = c->old && c->options->keep_internal_trace && !c->options->no_internal_trace;
	if (!motis || m->internal_trace.n == 0)
		return true;
	struct view tlv = p1_84_motis_of(&m->internal_trace, c->a);
	return tlv.n == 0 ? full(c) : add_extra(c, seq, tlv);
}

static bool give_envelope(struct encoding *c, struct p1_envelope *to, struct view *recipients)
{
	static const int64_t priority[] = {
		[PRIORITY_NON_URGENT] = 1, [PRIORITY_NORMAL] = 0, [PRIORITY_URGENT] = 2};
	const struct message *m = c->m;
	give_id(c, &to->id, &m->id);
	give_content_type(c, &to->content_type);
	to->priority = priority[m->priority];
	if (m->content_id.n > 0) {
		set(&to->seq, P1_ENV_CONTENT_ID);
		to->content_id = m->content_id;
	}
	give_message_indicators(c, to);
	if (m->kind == MESSAGE_MESSAGE && (m->deferred != 0 || m->deferred_raw.n > 0)) {
		set(&to->seq, P1_ENV_ZERO);
		to->deferred = give_time(c, m->deferred, m->deferred_raw);
	}
	if (m->kind == MESSAGE_PROBE && m->content_length >= 0) {
		set(&to->seq, P1_ENV_ZERO);
		to->content_length = m->content_length;
	}
	/* Extensions before recipients: the view of the recipients must outlive every write to
	 * c->out. */
	if (!give_bilateral(c, to) || !give_name(c, &to->originator, &m->originator, false) ||
	    !give_trace(c, &to->trace, &m->trace) || !give_envelope_extensions(c, &to->ext) ||
	    !give_recipients(c, &to->recipients, recipients) ||
	    !give_envelope_extra(c, &to->seq, m->original_eits))
		return false;
	if (to->ext.n > 0)
		set(&to->seq, P1_ENV_EXT);
	return !arena_full(c->a) || full(c);
}

static bool give_report_content(struct encoding *c, struct p1_report_content *to,
				struct view *recipients)
{
	const struct message *m = c->m;
	give_id(c, &to->subject, &m->subject_id);
	if (m->content_type != -2 && !c->old) {
		set(&to->seq, P1_RC_CONTENT_TYPE);
		give_content_type(c, &to->content_type);
	}
	if (m->content_id.n > 0) {
		set(&to->seq, P1_RC_CONTENT_ID);
		to->content_id = m->content_id;
	}
	if (m->subject_trace.n > 0) {
		set(&to->seq, P1_RC_TRACE);
		if (!give_trace(c, &to->subject_trace, &m->subject_trace))
			return false;
	}
	if (m->has_returned_content) {
		set(&to->seq, P1_RC_RETURNED);
		to->returned = m->returned_content;
	}
	if (!give_extensions(c, &to->ext, &m->content_ext, 0) ||
	    !give_recipients(c, &to->recipients, recipients) ||
	    !give_extra(c, &to->seq, c->old ? (struct view){NULL, 0} : m->original_eits, m->content_extra,
			m->n_content_extra) ||
	    (m->content_extra_raw.n > 0 && !add_extra(c, &to->seq, m->content_extra_raw)))
		return false;
	if (to->ext.n > 0)
		set(&to->seq, P1_RC_EXT);
	return !arena_full(c->a) || full(c);
}

static bool give_report(struct encoding *c, struct p1_report *to, struct view *recipients)
{
	const struct message *m = c->m;
	give_id(c, &to->envelope.id, &m->id);
	if (!give_name(c, &to->envelope.destination, &m->originator, true) ||
	    !give_trace(c, &to->envelope.trace, &m->trace) ||
	    !give_envelope_extensions(c, &to->envelope.ext) ||
	    !give_envelope_extra(c, &to->envelope.seq, (struct view){NULL, 0}))
		return false;
	if (to->envelope.ext.n > 0)
		set(&to->envelope.seq, P1_RE_EXT);
	return give_report_content(c, &to->content, recipients);
}

/* --- the octets around --- */

/* EXTERNAL { indirect-reference context, single-ASN1-type [0] } around `n` octets (X.228, X.227).
 */
static void put_wrapper(struct out *o, unsigned context, uint64_t n)
{
	if (context == 0)
		return;
	struct out reference;
	int64_t id = context;
	out_init(&reference, 16);
	if (!ber_encode(&p1_integer, &id, &reference, NULL))
		CANT_HAPPEN("an INTEGER is longer than 16 octets");
	size_t inner = ber_header_size(BER_C(0), (size_t)n) + (size_t)n;
	ber_put_header(o, BER_U(8), true, out_len(&reference) + inner);
	out_bytes(o, out_view(&reference));
	ber_put_header(o, BER_C(0), true, (size_t)n);
	out_fini(&reference);
}

/* What stands inside the OCTET STRING before a content whose type 1984 has no number for: EXTERNAL { direct-reference,
 * octet-aligned [1] }. Nothing for any other. */
static void put_external(const struct encoding *c, uint64_t content_size, struct out *o)
{
	const struct message *m = c->m;
	if (!c->old || m->content_type >= 0 || content_number(m) != 1)
		return;
	size_t inside = ber_header_size(p1_oid.tag, m->content_type_oid.n) + m->content_type_oid.n +
			ber_header_size(BER_C(1), (size_t)content_size) + (size_t)content_size;
	ber_put_header(o, BER_U(8), true, inside);
	ber_put_header(o, p1_oid.tag, false, m->content_type_oid.n);
	out_bytes(o, m->content_type_oid);
	ber_put_header(o, BER_C(1), false, (size_t)content_size);
}

static bool put_message(struct encoding *c, uint64_t content_size, unsigned context, struct out *o)
{
	struct p1_envelope env = {0};
	struct view recipients;
	struct out external;
	if (!give_envelope(c, &env, &recipients))
		return false;
	out_init(&external, SIZE_MAX);
	put_external(c, content_size, &external);
	size_t envelope = ber_size(c->tables->message, &env);
	uint64_t content = out_len(&external) + content_size;
	size_t header = ber_header_size(p1_octets.tag, (size_t)content);
	uint64_t inside = envelope + header + content;
	put_wrapper(o, context, ber_header_size(BER_C(MESSAGE_MESSAGE), (size_t)inside) + inside);
	ber_put_header(o, BER_C(MESSAGE_MESSAGE), true, (size_t)inside);
	bool good = ber_encode(c->tables->message, &env, o, c->e);
	ber_put_header(o, p1_octets.tag, false, (size_t)content);
	out_bytes(o, out_view(&external));
	out_fini(&external);
	return good;
}

static bool put_probe(struct encoding *c, unsigned context, struct out *o)
{
	struct p1_envelope env = {0};
	struct view recipients;
	if (!give_envelope(c, &env, &recipients))
		return false;
	put_wrapper(o, context, ber_size(c->tables->probe, &env));
	return ber_encode(c->tables->probe, &env, o, c->e);
}

/* With content to follow, returned-content is the last element of the report's content: a SET has
 * no order. */
static bool put_open_report(struct encoding *c, struct p1_report *report, uint64_t content_size,
			    unsigned context, struct out *o)
{
	struct out set_of;
	struct ber_tlv content;
	static const struct ber_limits any = {.depth = 1, .elements = SIZE_MAX, .bytes = SIZE_MAX};
	out_init(&set_of, SIZE_MAX);
	report->content.seq.has &= ~(UINT64_C(1) << P1_RC_RETURNED);
	bool good = ber_encode(c->tables->report_content, &report->content, &set_of, c->e) &&
		    ber_tlv(out_view(&set_of), &content, &any, c->e);
	if (good) {
		size_t returned =
			ber_header_size(BER_C(1), (size_t)content_size) + (size_t)content_size;
		size_t in_set = content.content.n + returned;
		size_t inside = ber_size(c->tables->report_envelope, &report->envelope) +
				ber_header_size(BER_U(17), in_set) + in_set;
		put_wrapper(o, context, ber_header_size(BER_C(MESSAGE_REPORT), inside) + inside);
		ber_put_header(o, BER_C(MESSAGE_REPORT), true, inside);
		good = ber_encode(c->tables->report_envelope, &report->envelope, o, c->e);
		ber_put_header(o, BER_U(17), true, in_set);
		out_bytes(o, content.content);
		ber_put_header(o, BER_C(1), false, (size_t)content_size);
	}
	out_fini(&set_of);
	return good;
}

static bool put_report(struct encoding *c, uint64_t content_size, unsigned context, struct out *o)
{
	struct p1_report report = {0};
	struct view recipients;
	if (!give_report(c, &report, &recipients))
		return false;
	if (content_size > 0)
		return put_open_report(c, &report, content_size, context, o);
	put_wrapper(o, context, ber_size(c->tables->report, &report));
	return ber_encode(c->tables->report, &report, o, c->e);
}

bool p1_encode_head(const struct message *m, uint64_t content_size,
		    const struct p1_encode_options *options, struct out *o, struct err *e)
{
	struct encoding c = {.m = m, .options = options, .old = options->as_1984, .e = e};
	c.form = c.old ? P1_EXT_NONE : options->extension_form;
	c.tables = p1_table_set(c.old ? P1_1984 : P1_1988);
	bool good = false;
	c.a = arena_new(SIZE_MAX);
	out_init(&c.out, SIZE_MAX);
	switch (m->kind) {
	case MESSAGE_MESSAGE: good = put_message(&c, content_size, options->context_id, o); break;
	case MESSAGE_PROBE: good = put_probe(&c, options->context_id, o); break;
	case MESSAGE_REPORT: good = put_report(&c, content_size, options->context_id, o); break;
	}
	if (good && o->bad)
		good = err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "P1: the envelope does not fit the output of %zu octets", o->max);
	out_fini(&c.out);
	arena_free(&c.a);
	return good;
}
