/* decode_upper.c - presentation (X.226), ACSE (X.227), RTSE (X.228) and the MTA bind (X.411 12.1.1), by the tables of
 * flow/codec/osi. User data are taken out of a value before it is shown, and shown as what they are, one deeper. See
 * decode_stack.h. */
#include "proc/tool/decode_stack.h"

#include "flow/codec/osi/acse_apdu.h"
#include "flow/codec/osi/mta_bind_apdu.h"
#include "flow/codec/osi/ppdu.h"

enum { NEST_ROOM = 8 }; /* levels that one APDU takes at most, and one more */

#define HAS(value, bit) (((value)->seq.has >> (bit) & 1) != 0)

static void show_value_of(struct decode_stack *d, struct view v);

struct ber_limits decode_limits(size_t bytes)
{
	return (struct ber_limits){ .depth = 64, .elements = 1000000, .bytes = bytes };
}

/* --- names --- */

const char *decode_oid_name(struct view oid)
{
	static const struct {
		const char *oid, *name;
	} names[] = { /* X.419, X.411, X.420 and the modules of the layers below */
		{ "\x52\x01\x00\x01", "acse" }, { "\x53\x02", "rtse" }, { "\x51\x01", "ber" },
		{ "\x56\x00\x02\x01", "id-as-msse" }, { "\x56\x00\x02\x07", "id-as-mtse" }, { "\x56\x00\x02\x08", "id-as-mts-rtse" },
		{ "\x56\x00\x02\x0a", "id-as-ms-rtse" }, { "\x56\x00\x02\x0b", "id-as-mts" }, { "\x56\x00\x02\x0c", "id-as-mta-rtse" },
		{ "\x56\x00\x01\x01", "forced-access-88" }, { "\x56\x00\x01\x02", "reliable-access-88" },
		{ "\x56\x00\x01\x03", "forced-reliable-88" }, { "\x56\x00\x01\x04", "ms-access-88" },
		{ "\x56\x00\x01\x05", "ms-reliable-88" }, { "\x56\x00\x01\x06", "mts-transfer" },
		{ "\x56\x01\x0a\x00", "interpersonal-messaging-1984" }, { "\x56\x01\x0a\x01", "interpersonal-messaging-1988" },
		{ "\x56\x03\x03\x01", "inner-envelope" }, { "\x2b\x1a\x00\xa2\x36\x00\x04\x01", "P772 (STANAG 4406)" },
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		/* 0 is an octet like any other here: the length is by the arcs. */
		const size_t n = names[i].oid[0] == 0x2b ? 8 : names[i].oid[0] == 0x53 || names[i].oid[0] == 0x51 ? 2 : 4;
		if (view_eq(oid, view_of(names[i].oid, n)))
			return names[i].name;
	}
	return NULL;
}

static void show_named_oid(struct show *s, const char *key, struct view oid)
{
	char dotted[160];
	struct out o;
	out_init(&o, sizeof dotted - 1);
	ber_oid_print(oid, &o);
	snprintf(dotted, sizeof dotted, "%s", o.bad ? "long" : out_cstr(&o));
	out_fini(&o);
	const char *name = decode_oid_name(oid);
	if (name != NULL)
		show_fmt(s, key, "%s (%s)", dotted, name);
	else
		show_oid(s, key, oid);
}

static struct decode_context *context_of(struct decode_stack *d, int64_t id)
{
	for (size_t i = 0; i < d->n_contexts; i++)
		if (d->contexts[i].id == id)
			return &d->contexts[i];
	return NULL;
}

static void learn_context(struct decode_stack *d, int64_t id, struct view abstract)
{
	struct decode_context *c = context_of(d, id);
	if (c == NULL && d->n_contexts < DECODE_CONTEXTS_MAX)
		c = &d->contexts[d->n_contexts++];
	if (c == NULL || abstract.n > sizeof c->abstract)
		return;
	c->id = id;
	c->n = abstract.n;
	if (abstract.n > 0)
		memcpy(c->abstract, abstract.p, abstract.n);
}

static const char *context_name(struct decode_stack *d, int64_t id)
{
	const struct decode_context *c = context_of(d, id);
	const char *name = c == NULL ? NULL : decode_oid_name(view_of(c->abstract, c->n));
	return c == NULL ? "not proposed in these octets" : name == NULL ? "of another abstract syntax" : name;
}

/* Octets that should have been something. Those of a bind may hold a password. */
static void show_undecoded(struct show *s, struct view v, bool hide)
{
	if (hide)
		show_hidden(s, "octets", v);
	else
		show_raw(s, "octets", v);
}

/* --- MTA bind --- */

static void show_bind_value(struct show *s, const struct mta_bind_value *v)
{
	if (v->choice.which == MTA_BIND_UNAUTHENTICATED) {
		show_bool(s, "authenticated", false);
		return;
	}
	if (v->choice.which != MTA_BIND_AUTHENTICATED) {
		show_damaged(s, "mta bind: neither NULL nor authenticated [1]");
		return;
	}
	const struct mta_bind_authenticated *a = &v->authenticated;
	const struct mta_bind_credentials *c = &a->credentials;
	show_text(s, "mta-name", a->name);
	switch (c->choice.which) {
	case MTA_BIND_IA5:
	case MTA_BIND_OCTETS:
		show_secret(s, "password", c->password);
		break;
	case MTA_BIND_STRONG:
		show_fmt(s, "credentials", "strong");
		break;
	case MTA_BIND_PROTECTED:
		show_fmt(s, "credentials", "protected password");
		break;
	default:
		show_fmt(s, "credentials", "of an unknown kind");
	}
	if (HAS(a, MTA_BIND_SECURITY_CONTEXT))
		show_uint(s, "security labels", a->security_context.n);
}

static bool read_apdu(struct decode_stack *d, const struct ber_type *t, struct view v, void *value, struct err *e)
{
	const struct ber_limits limits = decode_limits(v.n);
	return ber_decode(t, v, value, d->arena, &limits, e);
}

/* In X.410 mode the value is bare (X.419 13.2.1.1.2), though some may wrap it as in normal mode. */
static const struct ber_type *bind_type(const struct decode_stack *d, bool argument, struct view v)
{
	enum { ARGUMENT = 0xb0, RESULT = 0xb1 }; /* [16], [17] */
	if (d->x410 && v.n > 0 && v.p[0] != ARGUMENT && v.p[0] != RESULT)
		return argument ? &mta_bind_bare_argument_type : &mta_bind_bare_result_type;
	return argument ? &mta_bind_argument_type : &mta_bind_result_type;
}

/* The user data of RTSE's three connection APDUs: argument, result, error. */
static void show_bind(struct decode_stack *d, unsigned which, struct view v)
{
	struct show *s = d->show;
	struct err e;
	if (d->other_application) { /* of P3 or P7: not ours to read */
		show_hidden(s, "user-data", v);
		return;
	}
	show_object(s, "mta-bind", "%s", which == RTSE_APDU_RTORQ ? "argument" : which == RTSE_APDU_RTOAC ? "result" : "error");
	if (which == RTSE_APDU_RTORJ) {
		struct mta_bind_error_value error;
		if (!read_apdu(d, &mta_bind_error_type, v, &error, &e))
			show_damaged(s, "mta bind: %s", e.text);
		else if (error.choice.which == BER_CHOICE_OTHER)
			show_damaged(s, "mta bind: neither an INTEGER nor an error [18]");
		else
			show_int(s, "error", error.error, mta_bind_error_name(error.error));
	} else {
		struct mta_bind_value value;
		if (read_apdu(d, bind_type(d, which == RTSE_APDU_RTORQ, v), v, &value, &e)) {
			show_bind_value(s, &value);
		} else {
			show_damaged(s, "mta bind: %s", e.text);
			show_undecoded(s, v, true);
		}
	}
	show_end(s);
}

/* --- RTSE --- */

static void show_connection_data(struct decode_stack *d, const struct rtse_apdu_connection_data *c, unsigned which)
{
	struct show *s = d->show;
	if (c->choice.which == RTSE_APDU_RECOVER) {
		const struct rtse_apdu_reference *r = &c->recover.calling;
		show_object(s, "recover", NULL);
		show_octets(s, "calling SS-user reference", r->t61.n > 0 ? r->t61 : r->octets);
		show_text(s, "common reference", c->recover.common);
		if (c->recover.additional.n > 0)
			show_octets(s, "additional reference", c->recover.additional);
		show_end(s);
	} else if (c->choice.which == RTSE_APDU_OPEN) {
		show_bind(d, which, c->open);
	} else {
		show_fmt(s, "connection data", "open, without user data");
	}
}

static void show_rtorq(struct decode_stack *d, const struct rtse_apdu_rtorq *r)
{
	struct show *s = d->show;
	show_int(s, "checkpoint size", r->checkpoint_size, r->checkpoint_size == 0 ? "none" : "units of 1024 octets");
	show_uint(s, "window size", (uint64_t)r->window_size);
	show_int(s, "dialogue mode", r->dialogue_mode,
		 r->dialogue_mode == RTSE_APDU_MONOLOGUE ? "monologue" : r->dialogue_mode == RTSE_APDU_TWA ? "two-way alternate" : NULL);
	if (HAS(r, RTSE_APDU_RTORQ_PROTOCOL))
		show_int(s, "application protocol", r->application_protocol,
			 r->application_protocol == 1 ? "P1 of 1984" : r->application_protocol == 12 ? "P1 of 1988" : NULL);
	/* X.410 mode: none named is that of 1984; 12, and 12 with its octets swapped, that of 1988 */
	if (d->x410 && (!HAS(r, RTSE_APDU_RTORQ_PROTOCOL) || r->application_protocol == 1))
		d->tables = P1_1984;
	show_connection_data(d, &r->data, RTSE_APDU_RTORQ);
}

static void show_rtoac(struct decode_stack *d, const struct rtse_apdu_rtoac *r)
{
	struct show *s = d->show;
	show_int(s, "checkpoint size", r->checkpoint_size, r->checkpoint_size == 0 ? "none" : "units of 1024 octets");
	show_uint(s, "window size", (uint64_t)r->window_size);
	show_connection_data(d, &r->data, RTSE_APDU_RTOAC);
}

static void show_rtorj(struct decode_stack *d, const struct rtse_apdu_rtorj *r)
{
	if (HAS(r, RTSE_APDU_RTORJ_REASON))
		show_int(d->show, "refuse reason", r->refuse_reason, rtse_refuse_reason_name(r->refuse_reason));
	if (r->user_data.n > 0)
		show_bind(d, RTSE_APDU_RTORJ, r->user_data);
}

static void show_rtab(struct show *s, const struct rtse_apdu_rtab *r)
{
	if (HAS(r, RTSE_APDU_RTAB_REASON))
		show_int(s, "reason", r->reason, rtse_abort_reason_name(r->reason));
	if (HAS(r, RTSE_APDU_RTAB_REFLECTED))
		show_octets(s, "reflected parameter", r->reflected.bytes);
	if (r->user_data.n > 0)
		show_raw(s, "user-data", r->user_data);
}

/* The transfer that the octets of RTTR belong to; NULL in a file of values. */
static void show_rtse(struct decode_stack *d, struct decode_side *side, const struct rtse_apdu *a)
{
	static const char *const names[] = { "", "RTORQ", "RTOAC", "RTORJ", "RTTP", "RTTR", "RTAB" };
	struct show *s = d->show;
	show_object(s, "rtse", "%s", a->choice.which < ARRAY_LEN(names) ? names[a->choice.which] : "unknown");
	switch (a->choice.which) {
	case RTSE_APDU_RTORQ: show_rtorq(d, &a->rtorq); break;
	case RTSE_APDU_RTOAC: show_rtoac(d, &a->rtoac); break;
	case RTSE_APDU_RTORJ: show_rtorj(d, &a->rtorj); break;
	case RTSE_APDU_RTTP: show_int(s, "priority", a->rttp, NULL); break;
	case RTSE_APDU_RTTR:
		show_uint(s, "octets", a->rttr.n);
		if (side != NULL)
			decode_transfer_octets(&side->transfer, a->rttr);
		break;
	case RTSE_APDU_RTAB: show_rtab(s, &a->rtab); break;
	default: break;
	}
	show_end(s);
}

/* --- ACSE --- */

static void show_information(struct decode_stack *d, const struct ber_list *list)
{
	const struct osi_external *x = list->v;
	if (list->n == 0)
		return;
	show_list(d->show, "user-information");
	for (size_t i = 0; i < list->n && !d->show->out.bad; i++) {
		show_object(d->show, "user-information", NULL);
		if (HAS(&x[i], OSI_EXTERNAL_INDIRECT))
			show_int(d->show, "context", x[i].indirect, context_name(d, x[i].indirect));
		show_value_of(d, osi_encoding_value(&x[i].encoding));
		show_end(d->show);
	}
	show_end(d->show);
}

static void show_context_name(struct decode_stack *d, struct view oid)
{
	show_named_oid(d->show, "application context", oid);
	d->other_application = !view_eq(oid, OSI_OID_MTS_TRANSFER);
}

static void show_aarq(struct decode_stack *d, const struct acse_apdu_aarq *a)
{
	const struct {
		const char *key;
		struct view v;
	} titles[] = { { "called AP title", a->called_ap_title }, { "called AE qualifier", a->called_ae_qualifier },
		       { "calling AP title", a->calling_ap_title }, { "calling AE qualifier", a->calling_ae_qualifier } };
	show_context_name(d, a->context_name);
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].v.n > 0)
			show_raw(d->show, titles[i].key, titles[i].v);
	if (a->mechanism.n > 0)
		show_oid(d->show, "authentication mechanism", a->mechanism);
	if (a->authentication.n > 0)
		show_secret(d->show, "authentication value", a->authentication);
	show_information(d, &a->user_information);
}

static const char *diagnostic_of(const struct acse_apdu_diagnostic *diagnostic)
{
	static const char *const user[] = { "null", "no reason given", "application context name not supported" };
	static const char *const provider[] = { "null", "no reason given", "no common ACSE version" };
	if (diagnostic->value < 0 || diagnostic->value >= 3)
		return NULL;
	return diagnostic->choice.which == ACSE_APDU_PROVIDER ? provider[diagnostic->value] : user[diagnostic->value];
}

static void show_aare(struct decode_stack *d, const struct acse_apdu_aare *a)
{
	static const char *const results[] = { "accepted", "rejected permanently", "rejected for now" };
	struct show *s = d->show;
	show_context_name(d, a->context_name);
	show_int(s, "result", a->result, a->result >= 0 && a->result < 3 ? results[a->result] : NULL);
	show_int(s, a->diagnostic.choice.which == ACSE_APDU_PROVIDER ? "diagnostic of the provider" : "diagnostic of the user",
		 a->diagnostic.value, diagnostic_of(&a->diagnostic));
	if (a->ap_title.n > 0)
		show_raw(s, "responding AP title", a->ap_title);
	if (a->ae_qualifier.n > 0)
		show_raw(s, "responding AE qualifier", a->ae_qualifier);
	if (a->authentication.n > 0)
		show_secret(s, "authentication value", a->authentication);
	show_information(d, &a->user_information);
}

static const char *release_reason(bool response, int64_t reason)
{
	switch (reason) { /* X.227 9.4, 9.5 */
	case 0: return "normal";
	case 1: return response ? "not finished" : "urgent";
	case 30: return "user-defined";
	default: return NULL;
	}
}

static void show_release(struct decode_stack *d, const struct acse_apdu_release *r, bool response)
{
	if (HAS(r, ACSE_APDU_RELEASE_REASON))
		show_int(d->show, "reason", r->reason, release_reason(response, r->reason));
	show_information(d, &r->user_information);
}

static void show_acse(struct decode_stack *d, const struct acse_apdu *a)
{
	static const char *const names[] = { "", "AARQ", "AARE", "RLRQ", "RLRE", "ABRT" };
	show_object(d->show, "acse", "%s", a->choice.which < ARRAY_LEN(names) ? names[a->choice.which] : "unknown");
	switch (a->choice.which) {
	case ACSE_APDU_AARQ: show_aarq(d, &a->aarq); break;
	case ACSE_APDU_AARE: show_aare(d, &a->aare); break;
	case ACSE_APDU_RLRQ: show_release(d, &a->rlrq, false); break;
	case ACSE_APDU_RLRE: show_release(d, &a->rlre, true); break;
	case ACSE_APDU_ABRT:
		show_int(d->show, "source", a->abrt.source, a->abrt.source == 0 ? "user" : a->abrt.source == 1 ? "provider" : NULL);
		if (HAS(&a->abrt, ACSE_APDU_ABRT_DIAGNOSTIC))
			show_int(d->show, "diagnostic", a->abrt.diagnostic, NULL);
		show_information(d, &a->abrt.user_information);
		break;
	default: break;
	}
	show_end(d->show);
}

/* --- one APDU, told by its tag: no context is needed, so that a capture without its beginning shows too --- */

static uint32_t tag_of(struct view v)
{
	struct ber_tlv tlv;
	const struct ber_limits limits = decode_limits(v.n);
	if (ber_tlv(v, &tlv, &limits, NULL))
		return tlv.tag;
	return v.n == 0 || (v.p[0] & 0x1f) == 0x1f ? BER_NO_TAG : BER_TAG(v.p[0] >> 6, v.p[0] & 0x1f);
}

static bool is_acse(uint32_t tag)
{
	return ber_tag_class(tag) == BER_APPLICATION && ber_tag_number(tag) <= 4;
}

static bool is_rtse(uint32_t tag)
{
	return tag == BER_C(16) || tag == BER_C(17) || tag == BER_C(18) || tag == BER_C(22) || tag == BER_U(2) || tag == BER_U(4);
}

static void show_apdu(struct decode_stack *d, struct decode_side *side, struct view v)
{
	struct show *s = d->show;
	const uint32_t tag = tag_of(v);
	struct err e;
	if (s->depth + NEST_ROOM > SHOW_DEPTH) {
		show_damaged(s, "acse: APDUs in one another, %u deep", s->depth);
		return;
	}
	if (is_acse(tag)) {
		struct acse_apdu a;
		if (read_apdu(d, &acse_apdu_type, v, &a, &e)) {
			show_acse(d, &a);
			return;
		}
	} else if (is_rtse(tag)) {
		struct rtse_apdu a;
		if (read_apdu(d, &rtse_apdu_type, v, &a, &e)) {
			show_rtse(d, side, &a);
			return;
		}
	} else {
		show_undecoded(s, v, d->other_application);
		return;
	}
	show_damaged(s, "%s: %s", is_acse(tag) ? "acse" : "rtse", e.text);
	show_undecoded(s, v, tag != BER_U(4));
}

static void show_value_of(struct decode_stack *d, struct view v)
{
	show_apdu(d, NULL, v);
}

/* --- presentation --- */

static void show_pdvs(struct decode_stack *d, struct decode_side *side, const struct ppdu_user_data *u)
{
	struct show *s = d->show;
	if (u->choice.which == PPDU_SIMPLE) {
		show_object(s, "simply-encoded-data", NULL);
		show_apdu(d, side, u->simple);
		show_end(s);
		return;
	}
	if (u->choice.which != PPDU_FULL) {
		show_damaged(s, "presentation: user data neither simply nor fully encoded");
		return;
	}
	const struct ppdu_pdv *pdv = u->full.v;
	show_list(s, "user-data");
	for (size_t i = 0; i < u->full.n && !s->out.bad; i++) {
		show_object(s, "pdv", NULL);
		show_int(s, "context", pdv[i].context, context_name(d, pdv[i].context));
		if (HAS(&pdv[i], PPDU_PDV_TRANSFER))
			show_named_oid(s, "transfer syntax", pdv[i].transfer);
		show_apdu(d, side, osi_encoding_value(&pdv[i].values));
		show_end(s);
	}
	show_end(s);
}

static void show_proposed(struct decode_stack *d, const struct ber_list *list)
{
	const struct ppdu_context *c = list->v;
	show_list(d->show, "contexts");
	for (size_t i = 0; i < list->n && !d->show->out.bad; i++) {
		const struct view *transfers = c[i].transfers.v;
		learn_context(d, c[i].id, c[i].abstract);
		show_object(d->show, "context", NULL);
		show_int(d->show, "id", c[i].id, NULL);
		show_named_oid(d->show, "abstract syntax", c[i].abstract);
		if (c[i].transfers.n > 0)
			show_named_oid(d->show, "transfer syntax", transfers[0]);
		if (c[i].transfers.n > 1)
			show_uint(d->show, "transfer syntaxes", c[i].transfers.n);
		show_end(d->show);
	}
	show_end(d->show);
}

static void show_results(struct show *s, const struct ber_list *list)
{
	static const char *const names[] = { "acceptance", "user rejection", "provider rejection" };
	static const char *const reasons[] = { "not specified", "abstract syntax not supported",
					       "proposed transfer syntaxes not supported", "local limit on contexts" };
	const struct ppdu_result *r = list->v;
	show_list(s, "results");
	for (size_t i = 0; i < list->n && !s->out.bad; i++) {
		const int64_t reason = r[i].reason;
		show_object(s, "result", NULL);
		show_int(s, "result", r[i].result, r[i].result >= 0 && r[i].result < 3 ? names[r[i].result] : NULL);
		if (HAS(&r[i], PPDU_RESULT_TRANSFER))
			show_named_oid(s, "transfer syntax", r[i].transfer);
		if (HAS(&r[i], PPDU_RESULT_REASON))
			show_int(s, "reason", reason, reason >= 0 && reason < 4 ? reasons[reason] : NULL);
		show_end(s);
	}
	show_end(s);
}

static void show_selector(struct show *s, const char *key, bool has, struct view v)
{
	if (has)
		show_octets(s, key, v);
}

static void show_requirements(struct show *s, bool has, const struct ber_bits *bits)
{
	if (has)
		show_octets(s, "requirements", bits->bytes);
}

static void show_mode(struct decode_stack *d, bool has, int64_t mode)
{
	d->x410 = has && mode == PPDU_MODE_X410;
	d->tables = P1_1988;
	show_fmt(d->show, "mode", "%s", d->x410 ? "X.410-1984" : "normal");
}

static void show_cp(struct decode_stack *d, struct decode_side *side, const struct ppdu_cp *v)
{
	struct show *s = d->show;
	show_object(s, "presentation", "CP");
	show_mode(d, HAS(v, PPDU_CP_MODE), v->mode.value);
	if (HAS(v, PPDU_CP_X410)) {
		show_object(s, "rtse", "RTORQ");
		show_rtorq(d, &v->x410);
		show_end(s);
	}
	if (HAS(v, PPDU_CP_NORMAL)) {
		const struct ppdu_cp_normal *n = &v->normal;
		show_selector(s, "calling PSEL", HAS(n, PPDU_CP_CALLING), n->calling);
		show_selector(s, "called PSEL", HAS(n, PPDU_CP_CALLED), n->called);
		show_proposed(d, &n->contexts);
		show_requirements(s, HAS(n, PPDU_CP_REQUIREMENTS), &n->requirements);
		if (HAS(n, PPDU_CP_USER_DATA))
			show_pdvs(d, side, &n->user_data);
	}
	show_end(s);
}

static void show_cpa(struct decode_stack *d, struct decode_side *side, const struct ppdu_cpa *v)
{
	struct show *s = d->show;
	show_object(s, "presentation", "CPA");
	show_mode(d, HAS(v, PPDU_CP_MODE), v->mode.value);
	if (HAS(v, PPDU_CP_X410)) {
		show_object(s, "rtse", "RTOAC");
		show_rtoac(d, &v->x410);
		show_end(s);
	}
	if (HAS(v, PPDU_CP_NORMAL)) {
		const struct ppdu_cpa_normal *n = &v->normal;
		show_selector(s, "responding PSEL", HAS(n, PPDU_CPA_RESPONDING), n->responding);
		show_results(s, &n->results);
		show_requirements(s, HAS(n, PPDU_CPA_REQUIREMENTS), &n->requirements);
		if (HAS(n, PPDU_CPA_USER_DATA))
			show_pdvs(d, side, &n->user_data);
	}
	show_end(s);
}

static void show_cpr(struct decode_stack *d, struct decode_side *side, const struct ppdu_cpr *v)
{
	struct show *s = d->show;
	show_object(s, "presentation", "CPR");
	if (v->choice.which == PPDU_CPR_IS_X410) {
		show_object(s, "rtse", "RTORJ");
		show_rtorj(d, &v->x410);
		show_end(s);
	} else if (v->choice.which != PPDU_CPR_IS_NORMAL) {
		show_damaged(s, "presentation: neither a SET nor a SEQUENCE");
	} else {
		const struct ppdu_cpr_normal *n = &v->normal;
		show_selector(s, "responding PSEL", HAS(n, PPDU_CPR_RESPONDING), n->responding);
		show_results(s, &n->results);
		if (HAS(n, PPDU_CPR_PROVIDER_REASON))
			show_int(s, "provider reason", n->provider_reason, NULL);
		if (HAS(n, PPDU_CPR_USER_DATA))
			show_pdvs(d, side, &n->user_data);
	}
	show_end(s);
}

static void show_abort(struct decode_stack *d, struct decode_side *side, const struct ppdu_abort *v)
{
	static const char *const names[] = { "", "ARU of X.410 mode", "ARU", "ARP" };
	struct show *s = d->show;
	show_object(s, "presentation", "%s", v->choice.which < ARRAY_LEN(names) ? names[v->choice.which] : "abort");
	if (v->choice.which == PPDU_ABORT_X410) {
		show_object(s, "rtse", "RTAB");
		show_rtab(s, &v->x410);
		show_end(s);
	} else if (v->choice.which == PPDU_ABORT_ARU && HAS(&v->aru, PPDU_ARU_USER_DATA)) {
		show_pdvs(d, side, &v->aru.user_data);
	} else if (v->choice.which == PPDU_ABORT_ARP) {
		if (HAS(&v->arp, PPDU_ARP_REASON))
			show_int(s, "reason", v->arp.reason, NULL);
		if (HAS(&v->arp, PPDU_ARP_EVENT))
			show_int(s, "event", v->arp.event, NULL);
	} else if (v->choice.which == BER_CHOICE_OTHER) {
		show_damaged(s, "presentation: neither ARU nor ARP");
	}
	show_end(s);
}

/* The five PPDUs we read, by the SPDU that carries them. */
enum ppdu { PPDU_OF_CP, PPDU_OF_CPA, PPDU_OF_CPR, PPDU_OF_ABORT, PPDU_OF_DATA };

static bool try_ppdu(struct decode_stack *d, struct decode_side *side, enum ppdu which, struct view v, struct err *e)
{
	union {
		struct ppdu_cp cp;
		struct ppdu_cpa cpa;
		struct ppdu_cpr cpr;
		struct ppdu_abort abort;
		struct ppdu_user_data data;
	} u;
	static const struct ber_type *const types[] = { &ppdu_cp_type, &ppdu_cpa_type, &ppdu_cpr_type, &ppdu_abort_type,
							&ppdu_user_data_type };
	if (!read_apdu(d, types[which], v, &u, e))
		return false;
	switch (which) {
	case PPDU_OF_CP: show_cp(d, side, &u.cp); break;
	case PPDU_OF_CPA: show_cpa(d, side, &u.cpa); break;
	case PPDU_OF_CPR: show_cpr(d, side, &u.cpr); break;
	case PPDU_OF_ABORT: show_abort(d, side, &u.abort); break;
	case PPDU_OF_DATA:
		show_object(d->show, "presentation", "user data");
		show_pdvs(d, side, &u.data);
		show_end(d->show);
		break;
	}
	return true;
}

static enum ppdu ppdu_of(enum spdu_kind kind)
{
	switch ((int)kind) {
	case SPDU_CN: return PPDU_OF_CP;
	case SPDU_AC: return PPDU_OF_CPA;
	case SPDU_RF: return PPDU_OF_CPR;
	case SPDU_AB: return PPDU_OF_ABORT;
	default: return PPDU_OF_DATA;
	}
}

/* Of a DT that is cut or damaged: the octets of RTTR as far as they go, which stand in an OCTET STRING in a PDV. False when
 * there are none. */
static bool salvage(struct decode_side *side, struct view v, size_t *n_r)
{
	enum { STREAM_DEPTH = 64, PDV_DEPTH = 4 }; /* fully-encoded-data, PDV-list, [0], OCTET STRING */
	struct ber_stream *stream = ber_stream_new(STREAM_DEPTH);
	struct ber_stream_event ev;
	struct err e;
	unsigned inside = 0; /* depth of the OCTET STRING we are in */
	*n_r = 0;
	while (ber_stream_next(stream, &v, &ev, &e) == STEP_DONE) {
		if (ev.what == BER_S_OPEN && inside == 0 && ev.depth >= PDV_DEPTH && ev.tag == BER_U(4))
			inside = ev.depth;
		else if (ev.what == BER_S_CLOSE && ev.depth == inside)
			inside = 0;
		if (ev.what != BER_S_BYTES || inside == 0)
			continue;
		decode_transfer_octets(&side->transfer, ev.bytes);
		*n_r += ev.bytes.n;
	}
	ber_stream_free(&stream);
	return *n_r > 0;
}

static void show_damaged_data(struct decode_stack *d, struct decode_side *side, enum spdu_kind kind, struct view v,
			      const struct err *e)
{
	size_t n;
	show_object(d->show, "presentation", NULL);
	show_damaged(d->show, "presentation: %s", e->text);
	if (kind == SPDU_DT && salvage(side, v, &n)) {
		side->transfer.gap = true;
		show_uint(d->show, "octets of RTTR that could be read", n);
	} else {
		show_undecoded(d->show, v, kind == SPDU_CN || kind == SPDU_AC);
	}
	show_end(d->show);
}

void decode_user_data(struct decode_stack *d, struct decode_side *side, enum spdu_kind kind, struct view v)
{
	struct show *s = d->show;
	struct err e;
	arena_reset(d->arena);
	/* X.410 mode: the octets of a transfer stand there as they are (X.226 8.4.3.2). */
	const bool bare = d->x410 || (v.p[0] != 0x61 && v.p[0] != 0x60 && d->n_contexts == 0);
	if (kind == SPDU_DT && bare) {
		show_object(s, "rtse", "octets of X.410 mode");
		show_uint(s, "octets", v.n);
		decode_transfer_octets(&side->transfer, v);
		show_end(s);
		return;
	}
	if (d->x410 && ppdu_of(kind) == PPDU_OF_DATA) { /* the priority in PLEASE TOKENS, and the like */
		show_object(s, "user data", NULL);
		show_apdu(d, side, v);
		show_end(s);
		return;
	}
	if (try_ppdu(d, side, ppdu_of(kind), v, &e))
		return;
	show_damaged_data(d, side, kind, v, &e);
}

bool decode_try_apdu(struct decode_stack *d, struct view tlv)
{
	struct err e;
	struct acse_apdu acse;
	struct rtse_apdu rtse;
	const uint32_t tag = tag_of(tlv);
	arena_reset(d->arena);
	if (is_acse(tag) && read_apdu(d, &acse_apdu_type, tlv, &acse, &e)) {
		show_acse(d, &acse);
		return true;
	}
	if (is_rtse(tag) && ber_tag_class(tag) == BER_CONTEXT && read_apdu(d, &rtse_apdu_type, tlv, &rtse, &e)) {
		show_rtse(d, NULL, &rtse);
		return true;
	}
	if (tag == BER_C(16) || tag == BER_C(17)) {
		struct mta_bind_value value;
		const bool argument = tag == BER_C(16);
		if (read_apdu(d, argument ? &mta_bind_argument_type : &mta_bind_result_type, tlv, &value, &e)) {
			show_bind(d, argument ? RTSE_APDU_RTORQ : RTSE_APDU_RTOAC, tlv);
			return true;
		}
	}
	struct ppdu_cpa cpa; /* without its results it is no different from a CP */
	if (tag == BER_U(17) && read_apdu(d, &ppdu_cpa_type, tlv, &cpa, &e) && HAS(&cpa, PPDU_CP_NORMAL) &&
	    HAS(&cpa.normal, PPDU_CPA_RESULTS)) {
		show_cpa(d, NULL, &cpa);
		return true;
	}
	if (tag == BER_U(17) && try_ppdu(d, NULL, PPDU_OF_CP, tlv, &e))
		return true;
	return (tag == BER_A(0) || tag == BER_A(1)) && try_ppdu(d, NULL, PPDU_OF_DATA, tlv, &e);
}
