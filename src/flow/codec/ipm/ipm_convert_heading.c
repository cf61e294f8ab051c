/* ipm_convert_heading.c - what is said about a message rather than in it: headings, notifications and the delivery envelopes of
 * forwarded messages (RFC 1328 5). O/R names of 1984 have no extension attributes and no directory name. */
#include "flow/codec/ipm/ipm_convert_private.h"

#include "flow/codec/ipm/ipm_table_private.h"
#include "flow/message/downgrade.h"

enum {
	FREE_FORM_MAX = 64, TELEPHONE_MAX = 32, SUBJECT_MAX = 128, /* X.420 ub-free-form-name, -telephone-number, -subject-field */
	REQUESTS_1984 = 0xe0,                  /* receipt, non-receipt, return */
	CONTENT_TYPE_UNDEFINED = 0, CONTENT_TYPE_P2 = 2, CONTENT_TYPE_P22 = 22,
	U_UTF8 = 12, U_NUMERIC = 18,
};

bool conv_wants_heading(const struct conv *c)
{
	return c->how->to_84 || c->how->from_84 || c->how->no_free_form;
}

/* --- directory names as a person reads them --- */

static bool add_string(struct conv *c, const struct ber_tlv *t, struct out *utf8)
{
	static const struct {
		uint32_t tag;
		enum charset charset;
	} rows[] = {
		{ BER_U(U_PRINTABLE), CHARSET_IA5 }, { BER_U(U_IA5), CHARSET_IA5 }, { BER_U(U_NUMERIC), CHARSET_IA5 },
		{ BER_U(U_TELETEX), CHARSET_T61 }, { BER_U(U_UTF8), CHARSET_UTF8 }, { BER_U(U_BMP), CHARSET_BMP },
		{ BER_U(U_UNIVERSAL_STRING), CHARSET_UNIVERSAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].tag != t->tag || t->constructed)
			continue;
		(void)charset_to_utf8(c->how->kit, rows[i].charset, 0, t->content, utf8);
		return true;
	}
	return false;
}

/* The values of one RelativeDistinguishedName, a SET OF SEQUENCE { type, value }, with ` + ` between; types are not said. */
static void add_rdn(struct conv *c, struct view rdn, struct out *utf8)
{
	const struct ber_limits limits = c->how->limits;
	struct ber_tlv set, pair, type, value;
	const size_t before = out_len(utf8);
	if (!ber_tlv(rdn, &set, &limits, NULL))
		return;
	for (struct view rest = set.content; rest.n > 0; rest = view_from(rest, pair.whole.n)) {
		if (!ber_tlv(rest, &pair, &limits, NULL))
			return;
		if (!ber_tlv(pair.content, &type, &limits, NULL) ||
		    !ber_tlv(view_from(pair.content, type.whole.n), &value, &limits, NULL))
			continue;
		const size_t had = out_len(utf8);
		if (had > before)
			out_str(utf8, " + ");
		if (!add_string(c, &value, utf8))
			utf8->n = utf8->head + had;
	}
}

/* In T.61, as RFC 1328 5 has it: values from the most specific on, with commas, as many whole ones as `max` octets hold. */
static struct view name_text(struct conv *c, struct view name, size_t max)
{
	struct ber_list rdns;
	struct out t61, utf8;
	out_init(&t61, 4096);
	if (!ber_decode(&ipm_tlv_list_type, name, &rdns, c->a, &c->how->limits, NULL))
		rdns.n = 0;
	for (size_t i = rdns.n; i > 0; i--) {
		const size_t before = out_len(&t61);
		out_init(&utf8, 1024);
		add_rdn(c, ((const struct view *)rdns.v)[i - 1], &utf8);
		if (out_len(&utf8) > 0) {
			out_str(&t61, before > 0 ? ", " : "");
			(void)charset_from_utf8(CHARSET_T61, out_view(&utf8), &t61);
		}
		out_fini(&utf8);
		if (out_len(&t61) > max) {
			t61.n = t61.head + before;
			break;
		}
	}
	return conv_keep(c, &t61);
}

/* --- O/R names --- */

enum { ORNAME_OF_1988 = 1u << P1_ORNAME_EXTENSIONS | 1u << P1_ORNAME_DIRECTORY_NAME };

static bool is_for_us(const struct conv *c, const struct p1_orname *name)
{
	if (c->how->to_84)
		return (name->seq.has & ORNAME_OF_1988) != 0 || name->seq.n_extra > 0;
	return c->how->from_84 && (name->seq.has & 1u << P1_ORNAME_DOMAIN_DEFINED) != 0;
}

/* The name in the other age; NULL when it has none there. */
static struct p1_orname *other_name(struct conv *c, const struct oraddr *addr)
{
	struct p1_orname *name = arena_get(c->a, sizeof *name);
	struct oraddr other;
	const bool ok = c->how->to_84 ? downgrade_address(addr, c->how->relay, &other, c->a, NULL)
				      : upgrade_address(addr, c->how->relay, &other, c->a);
	return name != NULL && ok && other.n > 0 && p1_orname_of_addr(&other, name, c->a, NULL) ? name : NULL;
}

/* *addr_r: what it was, its directory name too. */
static void conv_name(struct conv *c, struct p1_orname **name, struct oraddr *addr_r)
{
	*addr_r = (struct oraddr){ 0 };
	if (*name == NULL || !is_for_us(c, *name))
		return;
	*addr_r = ipm_oraddr(*name, c->a);
	struct oraddr without = *addr_r;
	if (c->how->to_84)
		without.directory_name = (struct view){ NULL, 0 };
	*name = other_name(c, &without);
}

static void conv_identifier(struct conv *c, struct ipm_identifier *id)
{
	struct oraddr was;
	conv_name(c, &id->user, &was);
	if (id->user == NULL)
		id->seq.has &= ~(UINT64_C(1) << IPM_ID_USER);
}

static void set_free_form(struct ipm_or_descriptor *d, struct view t61)
{
	d->free_form_name = t61;
	d->seq.has |= 1u << IPM_DESCRIPTOR_FREE_FORM;
}

/* "Free Form (Common Name, Organisation, GB)" */
static void append_directory_name(struct conv *c, struct ipm_or_descriptor *d, struct view name)
{
	const bool has = (d->seq.has & 1u << IPM_DESCRIPTOR_FREE_FORM) != 0 && d->free_form_name.n > 0;
	const size_t around = has ? d->free_form_name.n + 3 : 2;
	if (around >= FREE_FORM_MAX)
		return;
	const struct view text = name_text(c, name, FREE_FORM_MAX - around);
	struct out o;
	if (text.n == 0)
		return;
	out_init(&o, FREE_FORM_MAX);
	if (has)
		out_bytes(&o, d->free_form_name);
	out_str(&o, has ? " (" : "(");
	out_bytes(&o, text);
	out_u8(&o, ')');
	set_free_form(d, conv_keep(c, &o));
}

/* Who it was is said all the same: a recipient without any name is what nobody can read (Q188597, Q232656). */
static void say_address(struct conv *c, struct ipm_or_descriptor *d, const struct oraddr *was)
{
	struct out o;
	if ((d->seq.has & 1u << IPM_DESCRIPTOR_FREE_FORM) != 0 && d->free_form_name.n > 0)
		return;
	out_init(&o, FREE_FORM_MAX);
	const char *text = oraddr_text(was, c->a);
	(void)charset_from_utf8(CHARSET_T61, view_first(view_str(text), FREE_FORM_MAX), &o);
	if (out_len(&o) > 0)
		set_free_form(d, conv_keep(c, &o));
	else
		out_fini(&o);
}

static void conv_descriptor(struct conv *c, struct ipm_or_descriptor *d)
{
	struct oraddr was;
	const bool had = d->formal_name != NULL;
	conv_name(c, &d->formal_name, &was);
	if (c->how->to_84) {
		d->seq.n_extra = 0;
		d->telephone_number = view_first(d->telephone_number, TELEPHONE_MAX);
	}
	if (c->how->no_free_form && d->formal_name != NULL) {
		d->seq.has &= ~(UINT64_C(1) << IPM_DESCRIPTOR_FREE_FORM);
		return;
	}
	if (c->how->to_84 && was.directory_name.n > 0)
		append_directory_name(c, d, was.directory_name);
	if (had && d->formal_name == NULL) {
		d->seq.has &= ~(UINT64_C(1) << IPM_DESCRIPTOR_FORMAL);
		say_address(c, d, &was);
	}
}

static void conv_descriptors(struct conv *c, struct ber_list *list)
{
	struct ipm_or_descriptor *v = list->v;
	for (size_t i = 0; i < list->n && !arena_full(c->a); i++)
		conv_descriptor(c, &v[i]);
}

static void conv_identifiers(struct conv *c, struct ber_list *list)
{
	struct ipm_identifier *v = list->v;
	for (size_t i = 0; i < list->n && !arena_full(c->a); i++)
		conv_identifier(c, &v[i]);
}

/* Advice (an-supported, suppress-an) was asked for later than 1984. */
static void mask_requests(struct conv *c, struct ipm_recipient_specifier *s)
{
	struct ber_bits *bits = &s->notification_requests;
	if ((s->seq.has & 1u << IPM_RCPT_NOTIFICATION) == 0 || bits->bytes.n == 0)
		return;
	const uint8_t kept = bits->bytes.p[0] & REQUESTS_1984;
	if (bits->bytes.n == 1 && kept == bits->bytes.p[0])
		return;
	bits->bytes = arena_copy(c->a, view_of(&kept, 1));
	bits->unused = 5;
}

static void conv_recipients(struct conv *c, struct ber_list *list)
{
	struct ipm_recipient_specifier *v = list->v;
	for (size_t i = 0; i < list->n && !arena_full(c->a); i++) {
		conv_descriptor(c, &v[i].recipient);
		if (!c->how->to_84)
			continue;
		mask_requests(c, &v[i]);
		v[i].seq.has &= ~(UINT64_C(1) << IPM_RCPT_EXTENSIONS);
		v[i].seq.n_extra = 0;
	}
}

/* --- headings --- */

static void subject_of_extended(struct conv *c, struct ipm_heading *h)
{
	const struct view tlv = ipm_heading_extension(h, IPM_X_EXTENDED_SUBJECT);
	struct out utf8, t61;
	if (tlv.n == 0)
		return;
	out_init(&utf8, 4096);
	out_init(&t61, SUBJECT_MAX);
	ipm_universal_text(tlv, &utf8);
	(void)charset_from_utf8(CHARSET_T61, out_view(&utf8), &t61);
	if (out_len(&t61) > 0) {
		h->subject = arena_copy(c->a, out_view(&t61));
		h->seq.has |= UINT64_C(1) << IPM_H_SUBJECT;
	}
	out_fini(&t61);
	out_fini(&utf8);
}

/* Some write an empty subject as one NUL (Q194651). */
static void conv_subject(struct conv *c, struct ipm_heading *h)
{
	bool empty = true;
	for (size_t i = 0; i < h->subject.n; i++)
		empty &= h->subject.p[i] == 0;
	if (empty)
		h->seq.has &= ~(UINT64_C(1) << IPM_H_SUBJECT);
	if (c->how->to_84 && (h->seq.has & UINT64_C(1) << IPM_H_SUBJECT) == 0)
		subject_of_extended(c, h);
}

void conv_heading(struct conv *c, struct ipm_heading *h)
{
	conv_identifier(c, &h->this_ipm);
	conv_descriptor(c, &h->originator);
	conv_descriptors(c, &h->authorizing_users);
	conv_recipients(c, &h->primary_recipients);
	conv_recipients(c, &h->copy_recipients);
	conv_recipients(c, &h->blind_copy_recipients);
	conv_identifier(c, &h->replied_to);
	conv_identifiers(c, &h->obsoleted);
	conv_identifiers(c, &h->related);
	conv_descriptors(c, &h->reply_recipients);
	conv_subject(c, h);
	if (!c->how->to_84)
		return;
	h->seq.has &= ~(UINT64_C(1) << IPM_H_EXTENSIONS);
	h->extensions.n = 0;
	h->seq.n_extra = 0;
}

/* --- delivery envelopes of forwarded messages --- */

static void conv_types(struct ipm_eits *t)
{
	enum { BUILT_IN, G3, EXTENDED };
	static const uint8_t undefined = 0x80;
	if (t == NULL || (t->seq.has & 1u << EXTENDED) == 0)
		return;
	t->seq.has &= ~(UINT64_C(1) << EXTENDED);
	for (size_t i = 0; i < t->built_in.bytes.n; i++)
		if (t->built_in.bytes.p[i] != 0)
			return;
	t->built_in = (struct ber_bits){ view_of(&undefined, 1), 7 };
	t->seq.has |= 1u << BUILT_IN;
}

static void clear_if_null(struct ber_seq *seq, const struct p1_orname *name, unsigned bit)
{
	if (name == NULL)
		seq->has &= ~(UINT64_C(1) << bit);
}

/* X.411 (1984) has the content type with its own tag, and neither content identifier nor extensions here. */
static void conv_envelope_fields(struct ipm_delivery_envelope *v)
{
	const bool had = (v->seq.has & (1u << IPM_ENV_TYPE | 1u << IPM_ENV_OID)) != 0;
	if (had) {
		const bool ipm = (v->seq.has & 1u << IPM_ENV_TYPE) != 0 &&
				 (v->content_type == CONTENT_TYPE_P2 || v->content_type == CONTENT_TYPE_P22);
		v->content_type_1984 = ipm ? CONTENT_TYPE_P2 : CONTENT_TYPE_UNDEFINED;
		v->seq.has |= UINT64_C(1) << IPM_ENV_TYPE_1984;
	}
	v->seq.has &= ~(UINT64_C(1) << IPM_ENV_TYPE | UINT64_C(1) << IPM_ENV_OID | UINT64_C(1) << IPM_ENV_CONTENT_ID |
			UINT64_C(1) << IPM_ENV_EXTENSIONS);
	v->seq.n_extra = 0;
	conv_types(v->original_eits);
	conv_types(v->converted_eits);
}

void conv_message_parameters(struct conv *c, struct ipm_message_parameters *m)
{
	struct ipm_delivery_envelope *v = m->delivery_envelope;
	struct oraddr was;
	if (c->how->to_84)
		m->seq.n_extra = 0;
	if (v == NULL || (!c->how->to_84 && !c->how->from_84))
		return;
	struct p1_orname **others = arena_array(c->a, v->other_recipients.n, sizeof *others);
	struct p1_orname *names = v->other_recipients.v;
	size_t n = 0;
	conv_name(c, &v->originator, &was);
	conv_name(c, &v->this_recipient, &was);
	conv_name(c, &v->intended_recipient, &was);
	for (size_t i = 0; others != NULL && i < v->other_recipients.n; i++) {
		others[i] = &names[i];
		conv_name(c, &others[i], &was);
		if (others[i] != NULL)
			names[n++] = *others[i];
	}
	v->other_recipients.n = n;
	if (n == 0)
		v->seq.has &= ~(UINT64_C(1) << IPM_ENV_OTHERS);
	clear_if_null(&v->seq, v->originator, IPM_ENV_ORIGINATOR);
	clear_if_null(&v->seq, v->this_recipient, IPM_ENV_THIS);
	clear_if_null(&v->seq, v->intended_recipient, IPM_ENV_INTENDED);
	if (c->how->to_84)
		conv_envelope_fields(v);
}

/* --- notifications --- */

/* The returned message goes through its octets, as one that is not returned. */
static bool conv_returned(struct conv *c, struct ipm_non_receipt *n)
{
	enum { DEPTH = 4 }; /* InformationObject, IPN, choice, non-receipt-fields */
	struct rope r = { 0 };
	struct ber_tlv t;
	struct view tlv = n->returned == NULL ? (struct view){ NULL, 0 } : conv_encode(c, &ipm_message_outer_type, n->returned);
	if (tlv.n == 0)
		return true;
	return conv_next(c, &tlv, DEPTH, &t) && conv_element(c, &t, DEPTH, conv_ipm, &r) &&
	       ber_decode(&ipm_message_outer_type, rope_view(c, &r), n->returned, c->a, &c->how->limits, c->e);
}

static void drop(struct ber_seq *seq, unsigned bit, struct ber_list *list)
{
	seq->has &= ~(UINT64_C(1) << bit);
	seq->n_extra = 0;
	list->n = 0;
}

bool conv_notification(struct conv *c, struct ipm_ipn *n)
{
	conv_identifier(c, &n->subject_ipm);
	conv_descriptor(c, &n->originator);
	conv_descriptor(c, &n->intended_recipient);
	if (c->how->to_84) {
		conv_types(n->eits);
		drop(&n->seq, IPM_IPN_EXTENSIONS, &n->extensions);
	}
	switch ((enum ipm_notification)n->fields.choice.which) {
	case IPM_NON_RECEIPT:
		if (c->how->to_84)
			drop(&n->fields.non_receipt.seq, IPM_NRN_EXTENSIONS, &n->fields.non_receipt.extensions);
		return conv_returned(c, &n->fields.non_receipt);
	case IPM_RECEIPT:
		if (c->how->to_84)
			drop(&n->fields.receipt.seq, IPM_RN_EXTENSIONS, &n->fields.receipt.extensions);
		return true;
	case IPM_OTHER_NOTIFICATION:
		break;
	}
	return !c->how->to_84 || err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONTENT_TYPE_NOT_SUPPORTED,
					    "content: a notification of a kind that 1984 has not");
}
