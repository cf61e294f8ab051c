/* render_fields.c - headings and notifications as label and value.
 *
 * Labels are lower case with hyphens; one field a recipient, in the order of the heading. */
#include "proc/content/render_private.h"

#include <inttypes.h>

#include "base/text.h"

enum { FIELD_MAX = 4096 };

struct view field_text(struct renderer *r, enum charset from, struct view octets)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	(void)charset_to_utf8(r->kit, from, 0, octets, &o);
	struct view whole = out_view(&o), rest = whole;
	while (rest.n > 0) { /* a full builder may have cut a character */
		struct view next = rest;
		if (charset_utf8_next(&next) == UINT32_MAX)
			break;
		rest = next;
	}
	struct view v = arena_copy(r->a, view_first(whole, whole.n - rest.n));
	out_fini(&o);
	return v;
}

void fields_add(struct renderer *r, struct field_list *list, const char *label, struct view value)
{
	if (list->n == list->cap) {
		const size_t cap = list->cap == 0 ? 16 : 2 * list->cap;
		struct render_field *more = arena_array(r->a, cap, sizeof *more);
		if (more == NULL)
			return;
		if (list->n > 0)
			memcpy(more, list->v, list->n * sizeof *more);
		list->v = more;
		list->cap = cap;
	}
	list->v[list->n++] = (struct render_field){ view_str(label), value };
}

void fields_add_str(struct renderer *r, struct field_list *list, const char *label, const char *value)
{
	fields_add(r, list, label, field_text(r, CHARSET_UTF8, view_str(value)));
}

void fields_add_fmt(struct renderer *r, struct field_list *list, const char *label, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fields_add_str(r, list, label, text);
}

void fields_add_built(struct renderer *r, struct field_list *list, const char *label, struct out *o)
{
	const struct view v = out_view(o);
	fields_add(r, list, label, field_text(r, charset_is_utf8(v) ? CHARSET_UTF8 : CHARSET_IA5, v));
	out_fini(o);
}

void fields_add_oid(struct renderer *r, struct field_list *list, const char *label, struct view oid)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	ber_oid_print(oid, &o);
	fields_add_built(r, list, label, &o);
}

/* Without the C library's time functions: this is pure, and theirs look for a time zone. */
void fields_add_time(struct renderer *r, struct field_list *list, const char *label, wall_ms_t at)
{
	const struct view t = utctime_print(at, r->a);
	const char *s = (const char *)t.p;
	if (t.n == 13)
		fields_add_fmt(r, list, label, "%s%.2s-%.2s-%.2s %.2s:%.2s:%.2s UTC", s[0] >= '8' ? "19" : "20", s, s + 2, s + 4, s + 6,
			       s + 8, s + 10);
}

void fields_add_utctime(struct renderer *r, struct field_list *list, const char *label, struct view text)
{
	wall_ms_t at;
	if (utctime_parse(text, &at))
		fields_add_time(r, list, label, at);
	else
		fields_add(r, list, label, field_text(r, CHARSET_IA5, text));
}

/* YYYYMMDDhhmmss[.f][Z] as a person writes it; anything else as it came. */
static void add_generalized(struct renderer *r, struct field_list *list, const char *label, struct view t)
{
	const struct view digits = view_first(t, 14);
	uint64_t number;
	if (digits.n < 14 || !text_uint(digits, UINT64_C(99999999999999), &number)) {
		fields_add(r, list, label, field_text(r, CHARSET_IA5, t));
		return;
	}
	const char *s = (const char *)t.p;
	fields_add_fmt(r, list, label, "%.4s-%.2s-%.2s %.2s:%.2s:%.2s%s", s, s + 4, s + 6, s + 8, s + 10, s + 12,
		       t.p[t.n - 1] == 'Z' ? " UTC" : "");
}

/* --- who and what --- */

/* "Free Form <address>", or what of it there is. */
static void put_descriptor(struct renderer *r, const struct ipm_or_descriptor *d, struct out *o)
{
	const struct oraddr addr = ipm_oraddr(d->formal_name, r->a);
	const bool has_name = d->seq.has & 1u << IPM_DESCRIPTOR_FREE_FORM && d->free_form_name.n > 0;
	if (has_name)
		(void)charset_to_utf8(r->kit, CHARSET_T61, 0, d->free_form_name, o);
	if (d->formal_name != NULL) {
		out_str(o, has_name ? " <" : "");
		oraddr_print(&addr, ORADDR_F401, o);
		out_str(o, has_name ? ">" : "");
	}
	if (d->seq.has & 1u << IPM_DESCRIPTOR_TELEPHONE) {
		out_str(o, " tel. ");
		(void)charset_to_utf8(NULL, CHARSET_IA5, 0, d->telephone_number, o);
	}
}

static void add_descriptor(struct renderer *r, struct field_list *list, const char *label, const struct ipm_or_descriptor *d)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	put_descriptor(r, d, &o);
	fields_add_built(r, list, label, &o);
}

static void add_descriptors(struct renderer *r, struct field_list *list, const char *label, const struct ber_list *from)
{
	const struct ipm_or_descriptor *v = from->v;
	for (size_t i = 0; i < from->n; i++)
		add_descriptor(r, list, label, &v[i]);
}

/* The local identifier, and the user it is relative to as RFC 2156 writes it: local*address. */
static void add_identifier(struct renderer *r, struct field_list *list, const char *label, const struct ipm_identifier *id)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	(void)charset_to_utf8(NULL, CHARSET_IA5, 0, id->local, &o);
	if (id->user != NULL) {
		const struct oraddr addr = ipm_oraddr(id->user, r->a);
		out_u8(&o, '*');
		oraddr_print(&addr, ORADDR_F401, &o);
	}
	fields_add_built(r, list, label, &o);
}

static void add_identifiers(struct renderer *r, struct field_list *list, const char *label, const struct ber_list *from)
{
	const struct ipm_identifier *v = from->v;
	for (size_t i = 0; i < from->n; i++)
		add_identifier(r, list, label, &v[i]);
}

static unsigned first_octet(const struct ber_bits *bits)
{
	return bits->bytes.n == 0 ? 0 : bits->bytes.p[0];
}

/* What a recipient is asked for: notifications and a reply. */
static void add_asked(struct renderer *r, struct field_list *list, const struct ipm_recipient_specifier *s)
{
	static const char *const names[] = { "receipt", "non-receipt", "return of the message", "advice", "no advice" };
	const unsigned bits = s->seq.has & 1u << IPM_RCPT_NOTIFICATION ? first_octet(&s->notification_requests) : 0;
	const char *comma = "";
	struct out o;
	out_init(&o, FIELD_MAX);
	put_descriptor(r, &s->recipient, &o);
	out_str(&o, ": ");
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!(bits & 0x80u >> i))
			continue;
		out_fmt(&o, "%s%s", comma, names[i]);
		comma = ", ";
	}
	if (s->reply_requested)
		out_fmt(&o, "%sreply", comma);
	if ((bits & 0xf8) != 0 || s->reply_requested)
		fields_add_built(r, list, "asked-of", &o);
	else
		out_fini(&o);
}

static void add_recipients(struct renderer *r, struct field_list *list, const char *label, const struct ber_list *from)
{
	const struct ipm_recipient_specifier *v = from->v;
	for (size_t i = 0; i < from->n && !arena_full(r->a); i++) {
		add_descriptor(r, list, label, &v[i].recipient);
		add_asked(r, list, &v[i]);
	}
}

/* --- extensions --- */

static void add_number(struct renderer *r, struct field_list *list, const char *label, const struct ber_type *t, int64_t x)
{
	for (size_t i = 0; i < t->n_names; i++) {
		if (t->names[i].value == x) {
			fields_add_str(r, list, label, t->names[i].name);
			return;
		}
	}
	fields_add_fmt(r, list, label, "%" PRId64, x);
}

static void add_value(struct renderer *r, struct field_list *list, const char *label, const struct ber_type *t, const void *value)
{
	const struct ber_list *of = value;
	struct out o;
	switch (t->kind) {
	case BER_INT: case BER_ENUM:
		add_number(r, list, label, t, *(const int64_t *)value);
		return;
	case BER_STRING: /* those that stand alone are PrintableString or IA5String */
		fields_add(r, list, label, field_text(r, CHARSET_IA5, *(const struct view *)value));
		return;
	case BER_TIME:
		if (t == &ipm_generalized_time_type)
			add_generalized(r, list, label, *(const struct view *)value);
		else
			fields_add_utctime(r, list, label, *(const struct view *)value);
		return;
	case BER_OID:
		fields_add_oid(r, list, label, *(const struct view *)value);
		return;
	case BER_SEQ_OF: case BER_SET_OF:
		for (size_t i = 0; t->of->kind == BER_STRING && i < of->n && !arena_full(r->a); i++)
			fields_add(r, list, label, field_text(r, CHARSET_IA5, ((const struct view *)of->v)[i]));
		if (t->of->kind == BER_STRING)
			return;
		break;
	case BER_BOOL: case BER_BIGINT: case BER_BITS: case BER_OCTETS: case BER_NULL: case BER_RELATIVE_OID: case BER_REAL: case BER_ANY:
	case BER_SEQ: case BER_SET: case BER_CHOICE: case BER_TAGGED:
		break;
	}
	out_init(&o, FIELD_MAX);
	ber_print(t, value, BER_JSON, 0, &o);
	fields_add_built(r, list, label, &o);
}

static void add_extension(struct renderer *r, struct field_list *list, const struct ipm_extension *x)
{
	const enum ipm_ext which = ipm_ext_of(x->type);
	const struct ber_type *t = ipm_ext_value_type(which);
	struct out o;
	if (t == NULL) {
		out_init(&o, FIELD_MAX);
		ber_oid_print(x->type, &o);
		out_str(&o, x->value.n > 0 ? ": " : "");
		text_hex(&o, view_first(x->value, 256));
		fields_add_built(r, list, "extension", &o);
		return;
	}
	out_init(&o, FIELD_MAX);
	if (t == &ipm_universal_or_bmp_type) {
		ipm_universal_text(x->value, &o);
	} else if (t == &ipm_null_type) {
		out_str(&o, "yes");
	} else {
		void *value = arena_get(r->a, t->size);
		if (value != NULL && ber_decode(t, x->value, value, r->a, &r->ber, NULL)) {
			out_fini(&o);
			add_value(r, list, ipm_ext_name(which), t, value);
			return;
		}
		text_hex(&o, view_first(x->value, 256));
	}
	fields_add_built(r, list, ipm_ext_name(which), &o);
}

static void add_extensions(struct renderer *r, struct field_list *list, const struct ber_list *from)
{
	const struct ipm_extension *v = from->v;
	for (size_t i = 0; i < from->n && !arena_full(r->a); i++)
		add_extension(r, list, &v[i]);
}

/* --- the heading --- */

static bool has(const struct ipm_heading *h, unsigned bit)
{
	return (h->seq.has & UINT64_C(1) << bit) != 0;
}

static const char *importance_name(int64_t x)
{
	return x == IPM_LOW ? "low" : x == IPM_NORMAL ? "normal" : x == IPM_HIGH ? "high" : "unknown";
}

static const char *sensitivity_name(int64_t x)
{
	return x == IPM_PERSONAL ? "personal" : x == IPM_PRIVATE ? "private" : x == IPM_COMPANY_CONFIDENTIAL ? "company-confidential"
														 : "unknown";
}

void fields_heading(struct renderer *r, struct field_list *list, const struct ipm_heading *h)
{
	add_identifier(r, list, "message-id", &h->this_ipm);
	if (has(h, IPM_H_ORIGINATOR))
		add_descriptor(r, list, "from", &h->originator);
	add_descriptors(r, list, "authorized-by", &h->authorizing_users);
	add_recipients(r, list, "to", &h->primary_recipients);
	add_recipients(r, list, "cc", &h->copy_recipients);
	add_recipients(r, list, "bcc", &h->blind_copy_recipients);
	add_descriptors(r, list, "reply-to", &h->reply_recipients);
	if (has(h, IPM_H_REPLIED_TO))
		add_identifier(r, list, "in-reply-to", &h->replied_to);
	add_identifiers(r, list, "obsoletes", &h->obsoleted);
	add_identifiers(r, list, "related-to", &h->related);
	if (has(h, IPM_H_SUBJECT))
		fields_add(r, list, "subject", field_text(r, CHARSET_T61, h->subject));
	if (has(h, IPM_H_EXPIRY))
		fields_add_utctime(r, list, "expires", h->expiry_time);
	if (has(h, IPM_H_REPLY_TIME))
		fields_add_utctime(r, list, "reply-by", h->reply_time);
	fields_add_str(r, list, "importance", importance_name(h->importance));
	if (has(h, IPM_H_SENSITIVITY))
		fields_add_str(r, list, "sensitivity", sensitivity_name(h->sensitivity));
	if (h->auto_forwarded)
		fields_add_str(r, list, "auto-forwarded", "yes");
	add_extensions(r, list, &h->extensions);
	if (h->seq.n_extra > 0)
		fields_add_fmt(r, list, "note", "%zu heading fields that X.420 does not have", h->seq.n_extra);
}

/* --- notifications --- */

static void add_receipt(struct renderer *r, struct field_list *list, const struct ipm_receipt *n)
{
	fields_add_str(r, list, "notification", "receipt");
	fields_add_utctime(r, list, "received", n->receipt_time);
	fields_add_str(r, list, "acknowledgment", n->acknowledgment == 0 ? "manual" : n->acknowledgment == 1 ? "automatic" : "unknown");
	if (n->seq.has & 1u << IPM_RN_SUPPLEMENTARY)
		fields_add(r, list, "supplementary", field_text(r, CHARSET_IA5, n->supplementary));
	add_extensions(r, list, &n->extensions);
}

static void add_non_receipt(struct renderer *r, struct field_list *list, const struct ipm_non_receipt *n)
{
	static const char *const reasons[] = { "discarded", "auto-forwarded" };
	static const char *const discards[] = { "expired", "obsoleted", "user subscription terminated", "deleted" };
	fields_add_str(r, list, "notification", "non-receipt");
	if (n->reason >= 0 && n->reason < (int64_t)ARRAY_LEN(reasons))
		fields_add_str(r, list, "reason", reasons[n->reason]);
	else
		fields_add_fmt(r, list, "reason", "%" PRId64, n->reason);
	if (!(n->seq.has & 1u << IPM_NRN_DISCARD))
		;
	else if (n->discard_reason >= 0 && n->discard_reason < (int64_t)ARRAY_LEN(discards))
		fields_add_str(r, list, "discard-reason", discards[n->discard_reason]);
	else
		fields_add_fmt(r, list, "discard-reason", "%" PRId64, n->discard_reason);
	if (n->seq.has & 1u << IPM_NRN_COMMENT)
		fields_add(r, list, "auto-forward-comment", field_text(r, CHARSET_IA5, n->auto_forward_comment));
	add_extensions(r, list, &n->extensions);
}

void fields_notification(struct renderer *r, struct field_list *list, const struct ipm_ipn *n)
{
	switch ((enum ipm_notification)n->fields.choice.which) {
	case IPM_RECEIPT:
		add_receipt(r, list, &n->fields.receipt);
		break;
	case IPM_NON_RECEIPT:
		add_non_receipt(r, list, &n->fields.non_receipt);
		break;
	case IPM_OTHER_NOTIFICATION:
		fields_add_str(r, list, "notification", "other");
		add_extensions(r, list, &n->fields.other);
		break;
	}
	add_identifier(r, list, "subject-message", &n->subject_ipm);
	if (n->seq.has & 1u << IPM_IPN_ORIGINATOR)
		add_descriptor(r, list, "from", &n->originator);
	if (n->seq.has & 1u << IPM_IPN_INTENDED)
		add_descriptor(r, list, "intended-recipient", &n->intended_recipient);
	if (n->eits != NULL) {
		struct out o;
		out_init(&o, FIELD_MAX);
		ber_print(&ipm_eits_type, n->eits, BER_JSON, 0, &o);
		fields_add_built(r, list, "converted", &o);
	}
	add_extensions(r, list, &n->extensions);
}

/* --- parts --- */

static void add_name(struct renderer *r, struct field_list *list, const char *label, const struct p1_orname *name)
{
	const struct oraddr addr = ipm_oraddr(name, r->a);
	fields_add_str(r, list, label, oraddr_text(&addr, r->a));
}

static void add_delivery(struct renderer *r, struct field_list *list, const struct ipm_message_parameters *m)
{
	if (m->seq.has & 1u << IPM_MESSAGE_DELIVERY_TIME)
		fields_add_utctime(r, list, "delivered", m->delivery_time);
	const struct ipm_delivery_envelope *v = m->delivery_envelope;
	if (v == NULL)
		return;
	if (v->seq.has & 1u << IPM_ENV_SUBMISSION)
		fields_add_utctime(r, list, "submitted", v->submission_time);
	if (v->originator != NULL)
		add_name(r, list, "originator", v->originator);
	if (v->this_recipient != NULL)
		add_name(r, list, "recipient", v->this_recipient);
}

static void add_file(struct renderer *r, struct field_list *list, const struct ipm_file_parameters *f)
{
	const struct ipm_file_attributes *at = &f->attributes;
	if (f->seq.has & 1u << IPM_FTBP_CONTENTS && f->contents_type.choice.which == 1)
		fields_add_oid(r, list, "document-type", f->contents_type.document.name);
	if (f->seq.has & 1u << IPM_FTBP_COMPRESSION)
		fields_add_oid(r, list, "compression", f->compression.algorithm);
	if (f->seq.has & 1u << IPM_FTBP_ENVIRONMENT && f->environment.seq.has & 1u << IPM_ENVIRONMENT_APPLICATION &&
	    f->environment.application.choice.which == 1)
		fields_add_oid(r, list, "application", f->environment.application.registered);
	if (!(f->seq.has & 1u << IPM_FTBP_ATTRIBUTES))
		return;
	if (at->seq.has & 1u << IPM_FILE_CREATED && at->created.choice.which == 2)
		add_generalized(r, list, "created", at->created.value);
	if (at->seq.has & 1u << IPM_FILE_MODIFIED && at->modified.choice.which == 2)
		add_generalized(r, list, "modified", at->modified.value);
	if (at->seq.has & 1u << IPM_FILE_SIZE && at->size.choice.which == 2)
		fields_add_fmt(r, list, "announced-size", "%" PRId64, at->size.value);
}

void fields_part(struct renderer *r, struct field_list *list, const struct ipm_part *p)
{
	if (p->type.n > 0)
		fields_add_oid(r, list, "type", p->type);
	if (p->registration != 0)
		fields_add_fmt(r, list, "character-set", "%u", p->registration);
	if (p->ita2)
		fields_add_str(r, list, "repertoire", "ita2");
	if (p->pages >= 0)
		fields_add_fmt(r, list, "pages", "%" PRId64, p->pages);
	if (p->file != NULL)
		add_file(r, list, p->file);
	if (p->delivery != NULL)
		add_delivery(r, list, p->delivery);
	if (p->why.kind != ERR_NONE)
		fields_add_str(r, list, "error", p->why.text);
}
