/* decode_message.c - what a transfer brought: P1, then the content; and files of BER values. See decode_stack.h. */
#include "proc/tool/decode_stack.h"

#include "flow/codec/ipm/ipm.h"
#include "flow/codec/p1/p1.h"

/* --- P1 --- */

static void show_address(struct show *s, const char *key, const struct oraddr *addr, struct arena *a)
{
	show_fmt(s, key, "%s", oraddr_text(addr, a));
}

static void show_id(struct show *s, const char *key, const struct mts_id *id)
{
	struct out o;
	out_init(&o, 4096);
	mts_id_print(id, &o);
	show_fmt(s, key, "%s", o.bad ? "(too long)" : out_cstr(&o));
	out_fini(&o);
}

static const char *content_name(int64_t type)
{
	switch (type) { /* X.411 8.2.1.1.1.34 and its built-in list */
	case 0: return "unidentified";
	case 1: return "external";
	case 2: return "interpersonal-messaging-1984";
	case 22: return "interpersonal-messaging-1988";
	case 35: return "edi-messaging";
	case 40: return "voice-messaging";
	default: return NULL;
	}
}

static void show_content_type(struct show *s, int64_t type, struct view oid)
{
	struct out o;
	if (type >= 0)
		show_int(s, "content type", type, content_name(type));
	if (type != -1)
		return;
	const char *name = decode_oid_name(oid);
	out_init(&o, 4096);
	ber_oid_print(oid, &o);
	show_fmt(s, "content type", "%s%s%s%s", o.bad ? "(too long)" : out_cstr(&o), name == NULL ? "" : " (", name == NULL ? "" : name,
		 name == NULL ? "" : ")");
	out_fini(&o);
}

static void show_report_recipient(struct show *s, const struct recipient *r)
{
	if (r->outcome == OUTCOME_DELIVERED) {
		show_text(s, "delivered", r->delivered_raw);
		return;
	}
	show_fmt(s, "not delivered", "reason %d (%s), diagnostic %d (%s)", r->reason, reason_name(r->reason), r->diagnostic,
		 diagnostic_name(r->diagnostic));
	if (r->supplementary.n > 0)
		show_text(s, "supplementary information", r->supplementary);
}

static void show_recipient(struct show *s, const struct message *m, const struct recipient *r, struct arena *a)
{
	static const char *const asked[] = { "none", "non-delivery", "delivery and non-delivery", "audited" };
	show_object(s, "recipient", NULL);
	show_address(s, "name", &r->addr, a);
	if (m->kind == MESSAGE_REPORT) {
		show_report_recipient(s, r);
	} else {
		show_bool(s, "responsible", r->responsible);
		show_fmt(s, "report asked by originator", "%s", asked[r->originator_report & 3]);
	}
	show_end(s);
}

static void show_trace(struct show *s, const char *key, const struct trace *t)
{
	show_list(s, key);
	for (size_t i = 0; i < t->n && !s->out.bad; i++) {
		const struct trace_element *x = &t->v[i];
		struct out o;
		out_init(&o, 4096);
		gdi_print(&x->domain, &o);
		show_object(s, key, "%s", o.bad ? "" : out_cstr(&o));
		out_fini(&o);
		if (x->mta.n > 0)
			show_text(s, "mta", x->mta);
		show_text(s, "arrival", x->arrival_raw);
		show_fmt(s, "action", "%s", x->action == ROUTING_REROUTED ? "rerouted" : "relayed");
		if ((x->other_actions & TRACE_REDIRECTED) != 0)
			show_bool(s, "redirected", true);
		if ((x->other_actions & TRACE_DL_OPERATION) != 0)
			show_bool(s, "DL expanded", true);
		show_end(s);
	}
	show_end(s);
}

/* What a person asks for first; the whole value stands below it. */
static void show_summary(struct show *s, const struct message *m, struct arena *a)
{
	show_id(s, "mts-id", &m->id);
	show_address(s, m->kind == MESSAGE_REPORT ? "report destination" : "originator", &m->originator, a);
	if (m->kind == MESSAGE_REPORT)
		show_id(s, "subject", &m->subject_id);
	show_content_type(s, m->content_type, m->content_type_oid);
	if (m->content_id.n > 0)
		show_text(s, "content-id", m->content_id);
	if (m->kind != MESSAGE_REPORT)
		show_fmt(s, "priority", "%s", priority_name(m->priority));
	show_list(s, "recipients");
	for (size_t i = 0; i < m->n_rcpt && !s->out.bad; i++)
		show_recipient(s, m, &m->rcpt[i], a);
	show_end(s);
	show_trace(s, "trace", &m->trace);
	show_trace(s, "internal trace", &m->internal_trace);
}

static void show_apdu_value(struct decode_stack *d, struct view apdu)
{
	const struct ber_limits limits = decode_limits(apdu.n);
	enum ber_form form;
	unsigned indent;
	struct out *o = show_value(d->show, "mts-apdu", &form, &indent);
	p1_print(d->tables, apdu, form, indent, d->print, &limits, o);
	show_value_end(d->show);
}

/* --- content --- */

static bool is_ipm(int64_t type, struct view oid)
{
	static const struct view oids[] = { { (const uint8_t *)"\x56\x01\x0a\x00", 4 }, { (const uint8_t *)"\x56\x01\x0a\x01", 4 },
					    /* P772 has the heading of P22 with extensions of its own */
					    { (const uint8_t *)"\x2b\x1a\x00\xa2\x36\x00\x04\x01", 8 } };
	for (size_t i = 0; type == -1 && i < ARRAY_LEN(oids); i++)
		if (view_eq(oid, oids[i]))
			return true;
	return type == 2 || type == 22;
}

static void show_ipm(struct decode_stack *d, struct view content)
{
	const struct ber_limits limits = decode_limits(content.n);
	enum ber_form form;
	unsigned indent;
	struct out *o = show_value(d->show, "information-object", &form, &indent);
	ipm_print(content, form, indent, d->print, &limits, o);
	show_value_end(d->show);
}

/* Says what is wrong with a content that should be one. False: nothing of it can be read. */
static bool check_ipm(struct decode_stack *d, struct view content)
{
	const struct ber_limits limits = decode_limits(content.n);
	struct ipm ipm;
	struct ipm_part part;
	struct err e = { 0 };
	const bool readable = ipm_parse(content, &ipm, d->print, &limits, &e);
	bool good = readable;
	const size_t n = good && ipm.message != NULL ? ipm_part_count(ipm.message) : 0;
	for (size_t i = 0; good && i < n; i++) {
		good = ipm_part_at(ipm.message, i, &part, d->print, &limits, &e);
		if (good && part.kind == IPM_PART_UNKNOWN && part.why.kind != ERR_NONE) {
			e = part.why;
			good = false;
		}
	}
	if (!good)
		show_damaged(d->show, "content: %s", e.text);
	return readable;
}

static void show_content(struct decode_stack *d, int64_t type, struct view oid, struct view content)
{
	static const struct view inner_envelope = { (const uint8_t *)"\x56\x03\x03\x01", 4 };
	struct show *s = d->show;
	show_object(s, "content", NULL);
	show_uint(s, "octets", content.n);
	arena_reset(d->print);
	if (content.n > 0 && is_ipm(type, oid)) {
		const bool readable = check_ipm(d, content);
		arena_reset(d->print);
		if (readable)
			show_ipm(d, content);
		else
			show_raw(s, "octets shown", content);
	} else if (type == -1 && view_eq(oid, inner_envelope)) {
		show_apdu_value(d, content);
	} else if (content.n > 0) {
		show_dump(s, "octets shown", content);
	}
	show_end(s);
}

/* A decoded APDU; `m`, `content` lie in it or in d->arena. */
static void show_p1(struct decode_stack *d, struct view apdu, const struct message *m, struct view content)
{
	struct show *s = d->show;
	show_object(s, "p1", "%s", message_kind_name(m->kind));
	arena_reset(d->print);
	show_summary(s, m, d->print);
	arena_reset(d->print);
	show_apdu_value(d, apdu);
	show_end(s);
	if (m->kind == MESSAGE_MESSAGE)
		show_content(d, m->content_type, m->content_type_oid, content);
	else if (m->kind == MESSAGE_REPORT && m->has_returned_content)
		show_content(d, m->content_type, m->content_type_oid, m->returned_content);
}

static const char *event_name(enum message_kind kind)
{
	return kind == MESSAGE_MESSAGE ? "MESSAGE" : kind == MESSAGE_REPORT ? "REPORT" : "PROBE";
}

static void count(struct decode_totals *t, enum message_kind kind)
{
	if (kind == MESSAGE_MESSAGE)
		t->messages++;
	else if (kind == MESSAGE_REPORT)
		t->reports++;
	else
		t->probes++;
}

/* --- an APDU that is damaged or cut --- */

/* The envelope, and as much of the content as there is, closed again so that it can be read. False: no envelope. */
static bool mend(enum p1_tables tables, struct view octets, struct arena *a, struct out *o)
{
	const struct ber_limits limits = decode_limits(octets.n);
	struct p1_split *split = p1_split_new(octets.n + 1, &limits);
	struct p1_split_event ev;
	struct out content, header;
	struct err e;
	bool envelope = false;
	p1_split_tables(split, tables);
	out_init(&content, octets.n + 1);
	out_init(&header, 64);
	while (p1_split_next(split, &octets, &ev, a, &e) == STEP_DONE && ev.what != P1_SPLIT_END) {
		if (ev.what == P1_SPLIT_CONTENT)
			out_bytes(&content, ev.content);
		else if (ev.message->kind == MESSAGE_MESSAGE)
			envelope = true;
	}
	if (envelope) {
		const struct view kept = p1_split_envelope(split);
		ber_put_header(&header, BER_U(4), false, out_len(&content));
		ber_put_header(o, BER_C(0), true, kept.n + out_len(&header) + out_len(&content));
		out_bytes(o, kept);
		out_bytes(o, out_view(&header));
		out_bytes(o, out_view(&content));
	}
	out_fini(&content);
	out_fini(&header);
	p1_split_free(&split);
	return envelope;
}

static void show_broken(struct decode_stack *d, struct view octets)
{
	const struct ber_limits limits = decode_limits(octets.n + 256);
	struct message m;
	struct view content;
	struct out whole;
	struct err e;
	out_init(&whole, octets.n + 256);
	arena_reset(d->arena);
	const bool mended = mend(d->tables, octets, d->arena, &whole);
	arena_reset(d->arena);
	if (mended && p1_decode_by(d->tables, out_view(&whole), &m, &content, d->arena, &limits, &e))
		show_p1(d, out_view(&whole), &m, content);
	else
		show_raw(d->show, "octets", octets);
	out_fini(&whole);
}

/* --- a transfer --- */

static const char *const words_of_end[] = {
	[DECODE_ENDED] = "ended",
	[DECODE_INTERRUPTED] = "interrupted",
	[DECODE_DISCARDED] = "discarded",
	[DECODE_ABORTED] = "cut off by an abort",
	[DECODE_REPLACED] = "not ended when another activity begins",
	[DECODE_UNENDED] = "not ended in these octets",
};

static void show_transfer(struct show *s, const struct decode_transfer *t, enum decode_how how)
{
	show_object(s, "transfer", "%s", words_of_end[how]);
	show_uint(s, "octets", t->total);
	show_uint(s, "pieces", t->pieces);
	show_uint(s, "checkpoints", t->checkpoints);
	if (t->headless)
		show_fmt(s, "note", "its ACTIVITY START is not in these octets");
	if (t->joined)
		show_fmt(s, "note", "resumed: joined to the octets before its checkpoint");
	else if (t->resumed)
		show_fmt(s, "note", "resumed: the octets before are not in these octets");
	if (t->gap)
		show_damaged(s, "transfer: octets are missing in it");
	else if (t->total > out_len(&t->octets))
		show_damaged(s, "transfer: %llu octets, want at most %zu", (unsigned long long)t->total, out_len(&t->octets));
	show_end(s);
}

/* A sender may break off a transfer, or bring its first part elsewhere: then a part is all that is wanted. */
static bool part_is_fair(const struct decode_transfer *t, enum decode_how how)
{
	return (t->resumed && !t->joined) || how == DECODE_INTERRUPTED || how == DECODE_DISCARDED || how == DECODE_ABORTED;
}

void decode_transfer_end(struct decode_stack *d, bool responder, enum decode_how how)
{
	struct decode_transfer *t = &d->side[responder].transfer;
	struct show *s = d->show;
	const struct view octets = out_view(&t->octets);
	const struct ber_limits limits = decode_limits(octets.n);
	struct message m;
	struct view content;
	struct err e;
	arena_reset(d->arena);
	const bool whole = octets.n > 0 && p1_decode_by(d->tables, octets, &m, &content, d->arena, &limits, &e);
	d->at.responder = responder;
	show_event(s, &d->at, whole ? event_name(m.kind) : "TRANSFER");
	show_transfer(s, t, how);
	if (whole) {
		show_p1(d, octets, &m, content);
		if (how == DECODE_ENDED)
			count(s->totals, m.kind);
	} else if (octets.n > 0) {
		if (part_is_fair(t, how))
			show_fmt(s, "incomplete", "%s", e.text);
		else
			show_damaged(s, "p1: %s", e.text);
		show_broken(d, octets);
	}
	show_event_end(s);
	decode_transfer_close(t, d->stash, how == DECODE_INTERRUPTED || how == DECODE_ABORTED || how == DECODE_UNENDED);
}

/* --- files of values --- */

static bool child_with(struct view v, uint32_t tag, unsigned depth)
{
	const struct ber_limits limits = decode_limits(v.n);
	struct ber_tlv tlv;
	for (; ber_tlv(v, &tlv, &limits, NULL); v = view_from(v, tlv.whole.n))
		if (tlv.tag == tag || (depth > 0 && tlv.constructed && child_with(tlv.content, tag, depth - 1)))
			return true;
	return false;
}

/* An EXTERNAL, or [0], [1], [2] with an MTS-identifier where an envelope has it. */
static bool resembles_p1(const struct ber_tlv *tlv)
{
	return tlv->tag == BER_U(8) || (ber_tag_class(tlv->tag) == BER_CONTEXT && ber_tag_number(tlv->tag) <= 2 &&
					child_with(tlv->content, BER_A(4), 1));
}

/* [0] or [1] with an IPM identifier where a heading or a notification has it. */
static bool resembles_ipm(const struct ber_tlv *tlv)
{
	return (tlv->tag == BER_C(0) || tlv->tag == BER_C(1)) && child_with(tlv->content, BER_A(11), 1);
}

static void show_as_p1(struct decode_stack *d, struct view v)
{
	const struct ber_limits limits = decode_limits(v.n);
	struct message m;
	struct view content;
	struct err e;
	arena_reset(d->arena);
	if (p1_decode_by(d->tables, v, &m, &content, d->arena, &limits, &e)) {
		show_event(d->show, &d->at, event_name(m.kind));
		show_p1(d, v, &m, content);
		count(d->show->totals, m.kind);
	} else {
		show_event(d->show, &d->at, "MTS-APDU");
		show_damaged(d->show, "p1: %s", e.text);
		show_broken(d, v);
	}
	show_event_end(d->show);
}

static void show_one(struct decode_stack *d, const struct ber_tlv *tlv)
{
	enum { P22 = 22 };
	if (resembles_p1(tlv)) {
		show_as_p1(d, tlv->whole);
		return;
	}
	if (resembles_ipm(tlv)) {
		show_event(d->show, &d->at, "CONTENT");
		show_content(d, P22, (struct view){ NULL, 0 }, tlv->whole);
		show_event_end(d->show);
		return;
	}
	show_event(d->show, &d->at, "APDU");
	if (!decode_try_apdu(d, tlv->whole))
		show_raw(d->show, "value", tlv->whole);
	show_event_end(d->show);
}

void decode_values(struct decode_stack *d, struct view v)
{
	while (v.n > 0) {
		const struct ber_limits limits = decode_limits(v.n);
		struct ber_tlv tlv;
		struct err e;
		if (!ber_tlv(v, &tlv, &limits, &e)) {
			show_event(d->show, &d->at, "OCTETS");
			show_damaged(d->show, "%s", e.text);
			show_broken(d, v);
			show_event_end(d->show);
			return;
		}
		show_one(d, &tlv);
		v = view_from(v, tlv.whole.n);
	}
}
