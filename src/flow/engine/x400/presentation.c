#include "flow/engine/x400/presentation.h"

#include "base/text.h"

static const char LAYER[] = "presentation";

enum presentation_syntax presentation_find(const struct presentation *p, int64_t id)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].id == id && p->v[i].result == PPDU_ACCEPTANCE)
			return p->v[i].syntax;
	}
	return PRESENTATION_UNKNOWN;
}

int64_t presentation_id(const struct presentation *p, enum presentation_syntax syntax)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].syntax == syntax && p->v[i].result == PPDU_ACCEPTANCE)
			return p->v[i].id;
	}
	return 0;
}

void presentation_propose(struct presentation *p)
{
	*p = (struct presentation){ .n = 3 };
	p->v[0] = (struct presentation_context){ .id = 1, .syntax = PRESENTATION_ACSE };
	p->v[1] = (struct presentation_context){ .id = 3, .syntax = PRESENTATION_RTSE };
	p->v[2] = (struct presentation_context){ .id = 5, .syntax = PRESENTATION_MTSE };
}

/* --- writing --- */

static struct ppdu_pdv pdv_of(int64_t context, struct view value)
{
	return (struct ppdu_pdv){
		.seq.has = 1u << PPDU_PDV_CONTEXT | 1u << PPDU_PDV_VALUES,
		.context = context,
		.values = { .choice.which = OSI_ENCODING_SINGLE, .single = value },
	};
}

/* X.226 8.4.2: several contexts are defined, so data are always fully encoded. */
static struct ppdu_user_data user_data_of(struct ppdu_pdv *pdv)
{
	return (struct ppdu_user_data){ .choice.which = PPDU_FULL, .full = { pdv, 1 } };
}

static struct view abstract_of(enum presentation_syntax syntax)
{
	switch (syntax) {
	case PRESENTATION_ACSE: return OSI_OID_ACSE;
	case PRESENTATION_RTSE: return OSI_OID_MTA_RTSE;
	case PRESENTATION_MTSE: return OSI_OID_MTSE;
	case PRESENTATION_UNKNOWN: break;
	}
	CANT_HAPPEN("an unknown syntax is proposed");
}

bool presentation_cp(const struct presentation *p, const struct presentation_selectors *s, struct view apdu,
		     struct out *o, struct err *e)
{
	struct view transfer = OSI_OID_BER;
	struct ppdu_context contexts[PRESENTATION_CONTEXTS_MAX] = { 0 };
	for (size_t i = 0; i < p->n; i++) {
		contexts[i] = (struct ppdu_context){
			.seq.has = 7, .id = p->v[i].id, .abstract = abstract_of(p->v[i].syntax), .transfers = { &transfer, 1 },
		};
	}
	struct ppdu_pdv pdv = pdv_of(presentation_id(p, PRESENTATION_ACSE), apdu);
	struct ppdu_cp cp = {
		.seq.has = 1u << PPDU_CP_MODE | 1u << PPDU_CP_NORMAL,
		.mode = { .seq.has = 1, .value = PPDU_MODE_NORMAL },
		.normal = { .seq.has = 1u << PPDU_CP_CONTEXTS | 1u << PPDU_CP_USER_DATA,
			    .contexts = { contexts, p->n }, .user_data = user_data_of(&pdv) },
	};
	if (s->send) {
		cp.normal.seq.has |= 1u << PPDU_CP_CALLING | 1u << PPDU_CP_CALLED;
		cp.normal.calling = s->calling;
		cp.normal.called = s->called;
	}
	return layer_encode(LAYER, &ppdu_cp_type, &cp, o, e);
}

/* Results in the order proposed (X.226 8.2.2.6); a rejection by us is the provider's, with its reason. */
static struct ber_list results_of(const struct presentation *p, struct ppdu_result *v)
{
	for (size_t i = 0; i < p->n; i++) {
		v[i] = (struct ppdu_result){ .seq.has = 1u << PPDU_RESULT_RESULT, .result = p->v[i].result,
					     .transfer = OSI_OID_BER, .reason = p->v[i].reason };
		v[i].seq.has |= p->v[i].result == PPDU_ACCEPTANCE ? 1u << PPDU_RESULT_TRANSFER
								  : 1u << PPDU_RESULT_REASON;
	}
	return (struct ber_list){ v, p->n };
}

bool presentation_cpa(const struct presentation *p, struct view apdu, struct out *o, struct err *e)
{
	struct ppdu_result results[PRESENTATION_CONTEXTS_MAX];
	struct ppdu_pdv pdv = pdv_of(presentation_id(p, PRESENTATION_ACSE), apdu);
	const struct ppdu_cpa cpa = {
		.seq.has = 1u << PPDU_CP_MODE | 1u << PPDU_CP_NORMAL,
		.mode = { .seq.has = 1, .value = PPDU_MODE_NORMAL },
		.normal = { .seq.has = 1u << PPDU_CPA_RESULTS | 1u << PPDU_CPA_USER_DATA,
			    .results = results_of(p, results), .user_data = user_data_of(&pdv) },
	};
	return layer_encode(LAYER, &ppdu_cpa_type, &cpa, o, e);
}

bool presentation_cpr(const struct presentation *p, struct view apdu, int64_t provider_reason, struct out *o,
		      struct err *e)
{
	struct ppdu_result results[PRESENTATION_CONTEXTS_MAX];
	struct ppdu_pdv pdv = pdv_of(presentation_id(p, PRESENTATION_ACSE), apdu);
	struct ppdu_cpr cpr = { .choice.which = PPDU_CPR_IS_NORMAL };
	if (p->n > 0) {
		cpr.normal.seq.has |= 1u << PPDU_CPR_RESULTS;
		cpr.normal.results = results_of(p, results);
	}
	if (provider_reason >= 0) {
		cpr.normal.seq.has |= 1u << PPDU_CPR_PROVIDER_REASON;
		cpr.normal.provider_reason = provider_reason;
	}
	if (apdu.n > 0) {
		cpr.normal.seq.has |= 1u << PPDU_CPR_USER_DATA;
		cpr.normal.user_data = user_data_of(&pdv);
	}
	return layer_encode(LAYER, &ppdu_cpr_type, &cpr, o, e);
}

bool presentation_aru(const struct presentation *p, struct view apdu, struct out *o, struct err *e)
{
	struct ppdu_context_id ids[2] = {
		{ .seq.has = 3, .id = presentation_id(p, PRESENTATION_ACSE), .transfer = OSI_OID_BER },
		{ .seq.has = 3, .id = presentation_id(p, PRESENTATION_RTSE), .transfer = OSI_OID_BER },
	};
	struct ppdu_pdv pdv = pdv_of(ids[0].id, apdu);
	struct ppdu_abort v = { .choice.which = PPDU_ABORT_ARU };
	v.aru.seq.has = 1u << PPDU_ARU_CONTEXTS | 1u << PPDU_ARU_USER_DATA;
	v.aru.contexts = (struct ber_list){ ids, 2 };
	v.aru.user_data = user_data_of(&pdv);
	return layer_encode(LAYER, &ppdu_abort_type, &v, o, e);
}

bool presentation_arp(int64_t reason, int64_t event, struct out *o, struct err *e)
{
	struct ppdu_abort v = { .choice.which = PPDU_ABORT_ARP };
	v.arp.seq.has = 1u << PPDU_ARP_REASON | 1u << PPDU_ARP_EVENT;
	v.arp.reason = reason;
	v.arp.event = event;
	return layer_encode(LAYER, &ppdu_abort_type, &v, o, e);
}

bool presentation_user_data(const struct presentation *p, enum presentation_syntax syntax, struct view value,
			    struct out *o, struct err *e)
{
	struct ppdu_pdv pdv = pdv_of(presentation_id(p, syntax), value);
	const struct ppdu_user_data v = user_data_of(&pdv);
	return layer_encode(LAYER, &ppdu_user_data_type, &v, o, e);
}

/* --- reading --- */

static bool read_value(const struct presentation *p, const struct ppdu_user_data *u, struct view *value_r,
		       enum presentation_syntax *syntax_r, struct err *e)
{
	if (u->choice.which != PPDU_FULL)
		return layer_error(e, LAYER, "user data are not fully encoded, which several contexts require");
	if (u->full.n != 1)
		return layer_error(e, LAYER, "%zu presentation data value lists where one is due", u->full.n);
	const struct ppdu_pdv *pdv = u->full.v;
	*syntax_r = presentation_find(p, pdv->context);
	*value_r = osi_encoding_value(&pdv->values);
	if (*syntax_r == PRESENTATION_UNKNOWN)
		return layer_error(e, LAYER, "context %lld is not in the defined context set", (long long)pdv->context);
	if (value_r->n == 0)
		return layer_error(e, LAYER, "a value encoded as arbitrary bits or empty, wanted [0] or [1]");
	return true;
}

static bool read_acse(const struct presentation *p, const struct ppdu_user_data *u, struct view *apdu_r, struct err *e)
{
	enum presentation_syntax syntax = PRESENTATION_UNKNOWN;
	if (!read_value(p, u, apdu_r, &syntax, e))
		return false;
	if (syntax != PRESENTATION_ACSE)
		return layer_error(e, LAYER, "the value is not in the context of ACSE");
	return true;
}

static enum presentation_syntax syntax_of(struct view oid)
{
	if (view_eq(oid, OSI_OID_ACSE))
		return PRESENTATION_ACSE;
	/* Some peers name RTSE's own abstract syntax (2.3.2) beside or instead of id-as-mta-rtse. */
	if (view_eq(oid, OSI_OID_MTA_RTSE) || view_eq(oid, OSI_OID_RTSE))
		return PRESENTATION_RTSE;
	return view_eq(oid, OSI_OID_MTSE) ? PRESENTATION_MTSE : PRESENTATION_UNKNOWN;
}

static struct presentation_context judge(const struct ppdu_context *c)
{
	struct presentation_context r = { .id = c->id, .syntax = syntax_of(c->abstract),
					  .result = PPDU_PROVIDER_REJECTION };
	const struct view *transfers = c->transfers.v;
	if (r.syntax == PRESENTATION_UNKNOWN) {
		r.reason = PPDU_ABSTRACT_NOT_SUPPORTED;
		return r;
	}
	for (size_t i = 0; i < c->transfers.n; i++) {
		if (view_eq(transfers[i], OSI_OID_BER)) {
			r.result = PPDU_ACCEPTANCE;
			return r;
		}
	}
	r.reason = PPDU_TRANSFER_NOT_SUPPORTED;
	return r;
}

static bool read_contexts(struct presentation *p, const struct ber_list *list, struct err *e)
{
	const struct ppdu_context *v = list->v;
	if (list->n > PRESENTATION_CONTEXTS_MAX)
		return layer_error(e, LAYER, "%zu contexts proposed, at most %d are taken", list->n,
				   PRESENTATION_CONTEXTS_MAX);
	for (size_t i = 0; i < list->n; i++) {
		if (v[i].id < 1 || v[i].id > INT32_MAX)
			return layer_error(e, LAYER, "context identifier %lld", (long long)v[i].id);
		for (size_t k = 0; k < i; k++) {
			if (v[k].id == v[i].id)
				return layer_error(e, LAYER, "context identifier %lld proposed twice", (long long)v[i].id);
		}
		p->v[p->n++] = judge(&v[i]);
	}
	if (presentation_id(p, PRESENTATION_ACSE) == 0 || presentation_id(p, PRESENTATION_RTSE) == 0)
		return layer_error(e, LAYER, "no context for %s with BER among the %zu proposed",
				   presentation_id(p, PRESENTATION_ACSE) == 0 ? "ACSE (2.2.1.0.1)"
									      : "RTSE (2.6.0.2.12)",
				   list->n);
	return true;
}

bool presentation_read_cp(struct presentation *p, struct view in, struct arena *a, struct view *apdu_r,
			  int64_t *reason_r, struct err *e)
{
	enum { NOT_SPECIFIED = 0, LOCAL_LIMIT = 2, VERSION = 4, NOT_READABLE = 6 };
	struct ppdu_cp cp;
	*p = (struct presentation){ .n = 0 };
	*reason_r = NOT_READABLE;
	/* CPC-type values may follow, with the same data in other transfer syntaxes. */
	if (!layer_decode_first(LAYER, &ppdu_cp_type, in, &cp, a, e))
		return false;
	*reason_r = NOT_SPECIFIED;
	if (cp.mode.value != PPDU_MODE_NORMAL || (cp.seq.has & 1u << PPDU_CP_NORMAL) == 0)
		return layer_error(e, LAYER, "mode %lld proposed, wanted normal mode (1)", (long long)cp.mode.value);
	const struct ppdu_cp_normal *n = &cp.normal;
	if ((n->seq.has & 1u << PPDU_CP_VERSION) != 0 &&
	    (n->version.bytes.n == 0 || (n->version.bytes.p[0] & 0x80) == 0)) {
		*reason_r = VERSION;
		return layer_error(e, LAYER, "protocol version 1 is not offered");
	}
	*reason_r = n->contexts.n > PRESENTATION_CONTEXTS_MAX ? LOCAL_LIMIT : NOT_SPECIFIED;
	if (!read_contexts(p, &n->contexts, e))
		return false;
	*reason_r = NOT_READABLE;
	if ((n->seq.has & 1u << PPDU_CP_USER_DATA) == 0)
		return layer_error(e, LAYER, "CP without user data");
	return read_acse(p, &n->user_data, apdu_r, e);
}

static bool read_results(struct presentation *p, const struct ber_list *list, struct err *e)
{
	const struct ppdu_result *v = list->v;
	if (list->n != p->n)
		return layer_error(e, LAYER, "%zu context results for %zu contexts proposed", list->n, p->n);
	for (size_t i = 0; i < p->n; i++) {
		p->v[i].result = v[i].result;
		p->v[i].reason = v[i].reason;
	}
	return true;
}

bool presentation_read_cpa(struct presentation *p, struct view in, struct arena *a, struct view *apdu_r, struct err *e)
{
	struct ppdu_cpa cpa;
	if (!layer_decode(LAYER, &ppdu_cpa_type, in, &cpa, a, e))
		return false;
	if (cpa.mode.value != PPDU_MODE_NORMAL || (cpa.seq.has & 1u << PPDU_CP_NORMAL) == 0)
		return layer_error(e, LAYER, "mode %lld answered, wanted normal mode (1)", (long long)cpa.mode.value);
	const struct ppdu_cpa_normal *n = &cpa.normal;
	if (!read_results(p, &n->results, e))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i].result != PPDU_ACCEPTANCE)
			return layer_error(e, LAYER, "context %lld rejected (result %lld, reason %lld)",
					   (long long)p->v[i].id, (long long)p->v[i].result, (long long)p->v[i].reason);
	}
	if ((n->seq.has & 1u << PPDU_CPA_USER_DATA) == 0)
		return layer_error(e, LAYER, "CPA without user data");
	return read_acse(p, &n->user_data, apdu_r, e);
}

bool presentation_read_cpr(const struct presentation *p, struct view in, struct arena *a,
			   struct presentation_refusal *r, struct err *e)
{
	struct ppdu_cpr cpr;
	*r = (struct presentation_refusal){ .provider_reason = -1, .refuse_reason = -1 };
	if (!layer_decode(LAYER, &ppdu_cpr_type, in, &cpr, a, e))
		return false;
	if (cpr.choice.which == PPDU_CPR_IS_X410) {
		r->x410 = true;
		if ((cpr.x410.seq.has & 1u << RTSE_APDU_RTORJ_REASON) != 0)
			r->refuse_reason = cpr.x410.refuse_reason;
		return true;
	}
	if (cpr.choice.which != PPDU_CPR_IS_NORMAL)
		return layer_error(e, LAYER, "the refusal is no CPR (first octet %02x)", in.p[0]);
	if ((cpr.normal.seq.has & 1u << PPDU_CPR_PROVIDER_REASON) != 0)
		r->provider_reason = cpr.normal.provider_reason;
	if ((cpr.normal.seq.has & 1u << PPDU_CPR_USER_DATA) == 0)
		return true;
	return read_acse(p, &cpr.normal.user_data, &r->apdu, e);
}

bool presentation_read_user_data(const struct presentation *p, struct view in, struct arena *a, struct view *value_r,
				 enum presentation_syntax *syntax_r, struct err *e)
{
	struct ppdu_user_data u;
	return layer_decode(LAYER, &ppdu_user_data_type, in, &u, a, e) && read_value(p, &u, value_r, syntax_r, e);
}

void presentation_read_abort(const struct presentation *p, struct view in, struct arena *a,
			     struct presentation_abort *r)
{
	struct ppdu_abort v;
	struct err e;
	*r = (struct presentation_abort){ .what = PRESENTATION_ABORT_NO_DATA, .reason = -1, .event = -1 };
	if (in.n == 0)
		return;
	r->what = PRESENTATION_ABORT_UNREADABLE;
	if (!layer_decode(LAYER, &ppdu_abort_type, in, &v, a, &e))
		return;
	if (v.choice.which == PPDU_ABORT_ARP) {
		r->what = PRESENTATION_ABORT_PROVIDER;
		r->reason = (v.arp.seq.has & 1u << PPDU_ARP_REASON) != 0 ? v.arp.reason : -1;
		r->event = (v.arp.seq.has & 1u << PPDU_ARP_EVENT) != 0 ? v.arp.event : -1;
	} else if (v.choice.which == PPDU_ABORT_X410) {
		r->what = PRESENTATION_ABORT_X410;
		r->reason = (v.x410.seq.has & 1u << RTSE_APDU_RTAB_REASON) != 0 ? v.x410.reason : -1;
	} else if (v.choice.which == PPDU_ABORT_ARU) {
		r->what = PRESENTATION_ABORT_USER;
		if ((v.aru.seq.has & 1u << PPDU_ARU_USER_DATA) != 0 && !read_acse(p, &v.aru.user_data, &r->apdu, &e))
			r->what = PRESENTATION_ABORT_UNREADABLE;
	}
}
