/* ipm_compose.c - a P22 content from text, files and addresses.
 *
 * The heading goes through its table. Body parts do not: their data may be large, so each part is a prefix (all the
 * identifiers and lengths around the data, in the arena) and the data itself, copied once into the output. */
#include "flow/codec/ipm/ipm.h"

#include <time.h>

#include "base/mem.h"
#include "flow/codec/ipm/ipm_table_private.h"
#include "flow/message/message.h"

enum { HEADING_MAX = 16 * 1024 * 1024, SUBJECT_MAX = 128, EXTENDED_SUBJECT_MAX = 256, FREE_FORM_MAX = 64, FILE_NAME_MAX = 1024 };

struct composer {
	const struct charset_kit *kit;
	struct arena *a;
	struct err *e;
	size_t replaced;
	bool is_1988; /* something is in it that P2 of 1984 does not have */
};

/* The octets of a part: prefix, then data. */
struct piece {
	struct view prefix, data;
};

static bool full(struct composer *c)
{
	return err_set(c->e, ERR_LOCAL, ERR_OF_MESSAGE, "compose: no memory is left of the quota, %zu octets in use",
		       arena_used(c->a));
}

/* --- strings --- */

/* What was built in `o` (which ends here), in the arena. */
static struct view keep(struct composer *c, struct out *o)
{
	struct view v = arena_copy(c->a, out_view(o));
	out_fini(o);
	return v;
}

/* UTF-8 in another set. */
static struct view convert(struct composer *c, enum charset to, struct view utf8, size_t *replaced_r)
{
	struct out o;
	out_init(&o, mem_add(mem_mul(utf8.n, 4), 16));
	*replaced_r = charset_from_utf8(to, utf8, &o);
	return keep(c, &o);
}

static struct view convert_general(struct composer *c, unsigned registration, struct view utf8)
{
	struct out o;
	out_init(&o, mem_add(mem_mul(utf8.n, 2), 16));
	c->replaced += charset_general_from_utf8(c->kit, registration, utf8, &o);
	return keep(c, &o);
}

/* The longest front of T.61 octets that cuts no accent from its letter. */
static struct view first_of_t61(struct view t61, size_t max)
{
	if (t61.n <= max)
		return t61;
	const uint8_t last = t61.p[max - 1];
	return view_first(t61, last > 0xc0 && last <= 0xcf ? max - 1 : max);
}

/* X.680 41.4 */
static bool is_printable_string(struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		uint8_t b = v.p[i];
		bool letter = (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9');
		if (!letter && (b == 0 || strchr(" '()+,-./:=?", b) == NULL))
			return false;
	}
	return true;
}

/* Lines end with carriage return and line feed in IA5 and general text. */
static struct view lines(struct composer *c, struct view text)
{
	size_t more = 0, at = 0;
	for (size_t i = 0; i < text.n; i++)
		more += text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r');
	if (more == 0)
		return text;
	uint8_t *p = arena_get(c->a, mem_add(text.n, more));
	for (size_t i = 0; p != NULL && i < text.n; i++) {
		if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
			p[at++] = '\r';
		p[at++] = text.p[i];
	}
	return view_of(p, p == NULL ? 0 : at);
}

/* --- octets around octets --- */

/* tag { fixed, inner... }: `rest` octets of data follow inner. */
static struct view wrap(struct composer *c, uint32_t tag, bool constructed, struct view fixed, struct view inner, size_t rest)
{
	const size_t length = mem_add(mem_add(fixed.n, inner.n), rest);
	struct out o;
	out_init(&o, mem_add(mem_add(fixed.n, inner.n), 32));
	ber_put_header(&o, tag, constructed, length);
	out_bytes(&o, fixed);
	out_bytes(&o, inner);
	return keep(c, &o);
}

static const struct view nothing;

static struct view encode_value(struct composer *c, const struct ber_type *t, const void *value)
{
	struct out o;
	out_init(&o, HEADING_MAX);
	if (!ber_check_bounds(t, value, c->e) || !ber_encode(t, value, &o, c->e)) {
		out_fini(&o);
		return nothing;
	}
	return keep(c, &o);
}

/* --- heading --- */

static bool fill_descriptor(struct composer *c, const struct ipm_user *u, struct ipm_or_descriptor *d_r)
{
	*d_r = (struct ipm_or_descriptor){ 0 };
	if (u->addr.n > 0 || u->addr.directory_name.n > 0) {
		d_r->formal_name = arena_get(c->a, sizeof *d_r->formal_name);
		if (d_r->formal_name == NULL)
			return full(c);
		if (!p1_orname_of_addr(&u->addr, d_r->formal_name, c->a, c->e))
			return false;
		d_r->seq.has |= 1u << IPM_DESCRIPTOR_FORMAL;
		c->is_1988 |= d_r->formal_name->extensions.n > 0 || u->addr.directory_name.n > 0;
	}
	if (u->free_form.n > 0) {
		size_t replaced;
		d_r->free_form_name = first_of_t61(convert(c, CHARSET_T61, u->free_form, &replaced), FREE_FORM_MAX);
		c->replaced += replaced;
		d_r->seq.has |= 1u << IPM_DESCRIPTOR_FREE_FORM;
	}
	if (d_r->seq.has == 0)
		return err_set(c->e, ERR_PERM, ERR_OF_MESSAGE, "compose: a user has neither an address nor a name, want one");
	return true;
}

static bool fill_recipients(struct composer *c, const struct ipm_recipient *from, size_t n, struct ber_list *list_r)
{
	struct ipm_recipient_specifier *v = arena_array(c->a, n, sizeof *v);
	if (v == NULL)
		return full(c);
	for (size_t i = 0; i < n; i++) {
		if (!fill_descriptor(c, &from[i].user, &v[i].recipient))
			return false;
		v[i].seq.has = 1u << IPM_RCPT_RECIPIENT;
		v[i].reply_requested = from[i].reply_requested;
		if (from[i].reply_requested)
			v[i].seq.has |= 1u << IPM_RCPT_REPLY;
		/* rn(0), nrn(1), ipm-return(2); whoever wants receipts wants non-receipts (X.420 7.1.3) */
		unsigned bits = (from[i].ask & IPM_ASK_RN ? 0xc0u : 0) | (from[i].ask & IPM_ASK_NRN ? 0x40u : 0) |
				(from[i].ask & IPM_ASK_RETURN ? 0x60u : 0);
		if (bits == 0)
			continue;
		v[i].notification_requests.bytes = arena_copy(c->a, view_of(&(uint8_t){ (uint8_t)bits }, 1));
		v[i].notification_requests.unused = bits & 0x20 ? 5 : 6;
		v[i].seq.has |= 1u << IPM_RCPT_NOTIFICATION;
	}
	*list_r = (struct ber_list){ v, n };
	return true;
}

static bool fill_users(struct composer *c, const struct ipm_user *from, size_t n, struct ber_list *list_r)
{
	struct ipm_or_descriptor *v = arena_array(c->a, n, sizeof *v);
	if (v == NULL)
		return full(c);
	for (size_t i = 0; i < n; i++)
		if (!fill_descriptor(c, &from[i], &v[i]))
			return false;
	*list_r = (struct ber_list){ v, n };
	return true;
}

static bool add_extension(struct composer *c, struct ipm_heading *h, enum ipm_ext x, const struct ber_type *t, const void *value)
{
	struct ipm_extension *v = h->extensions.v; /* room was made by fill_extensions */
	struct view tlv = encode_value(c, t, value);
	if (tlv.n == 0)
		return arena_full(c->a) ? full(c) : false;
	v[h->extensions.n++] = (struct ipm_extension){
		.seq.has = 1u << IPM_EXT_TYPE | 1u << IPM_EXT_VALUE, .type = ipm_ext_oid(x), .value = tlv,
	};
	h->seq.has |= 1u << IPM_H_EXTENSIONS;
	c->is_1988 = true;
	return true;
}

/* Subject in T.61; extended-subject too when T.61 or its length does not hold all of it. */
static bool fill_subject(struct composer *c, struct view subject, struct ipm_heading *h)
{
	size_t replaced;
	if (subject.n == 0)
		return true;
	const struct view t61 = convert(c, CHARSET_T61, subject, &replaced);
	h->subject = first_of_t61(t61, SUBJECT_MAX);
	h->seq.has |= 1u << IPM_H_SUBJECT;
	if (replaced == 0 && t61.n == h->subject.n)
		return true;
	const size_t n = charset_utf8_length(subject);
	if (n > EXTENDED_SUBJECT_MAX)
		return err_set(c->e, ERR_PERM, ERR_OF_MESSAGE, "compose: the subject has %zu characters, want at most %d", n,
			       EXTENDED_SUBJECT_MAX);
	struct ipm_universal_or_bmp all = { .seq.has = 1u << IPM_UNIVERSAL_TWO };
	all.two_octets = convert(c, CHARSET_BMP, subject, &replaced);
	if (all.two_octets.n > 2 * n) { /* characters beyond the first plane need four octets each */
		all = (struct ipm_universal_or_bmp){ .seq.has = 1u << IPM_UNIVERSAL_FOUR };
		all.four_octets = convert(c, CHARSET_UNIVERSAL, subject, &replaced);
	}
	c->replaced += replaced;
	return add_extension(c, h, IPM_X_EXTENDED_SUBJECT, &ipm_universal_or_bmp_type, &all);
}

/* InformationCategories { { description } } */
static bool fill_category(struct composer *c, struct view utf8, struct ipm_heading *h)
{
	size_t replaced;
	if (utf8.n == 0)
		return true;
	struct ipm_information_category one = { .seq.has = 1u << IPM_CATEGORY_DESCRIPTION };
	one.description = (struct ipm_universal_or_bmp){ .seq.has = 1u << IPM_UNIVERSAL_TWO };
	one.description.two_octets = convert(c, CHARSET_BMP, utf8, &replaced);
	c->replaced += replaced;
	const struct ber_list all = { &one, 1 };
	return add_extension(c, h, IPM_X_INFORMATION_CATEGORY, &ipm_information_categories_type, &all);
}

static bool fill_identifier(struct composer *c, const struct ipm_compose *m, struct ipm_heading *h)
{
	if (m->local_id.n == 0 || !is_printable_string(m->local_id))
		return err_set(c->e, ERR_PERM, ERR_OF_MESSAGE, "compose: the message identifier has %zu characters, want 1 to 64 of "
			       "a PrintableString", m->local_id.n);
	h->this_ipm.local = m->local_id;
	h->this_ipm.seq.has = 1u << IPM_ID_LOCAL;
	if (h->originator.formal_name != NULL) { /* the identifier is unique within its user only */
		h->this_ipm.user = h->originator.formal_name;
		h->this_ipm.seq.has |= 1u << IPM_ID_USER;
	}
	h->seq.has |= 1u << IPM_H_THIS;
	return true;
}

static bool fill_times(struct composer *c, const struct ipm_compose *m, struct ipm_heading *h)
{
	if (m->expiry_ms != 0) {
		h->expiry_time = utctime_print(m->expiry_ms, c->a);
		h->seq.has |= 1u << IPM_H_EXPIRY;
	}
	if (m->reply_by_ms != 0) {
		h->reply_time = utctime_print(m->reply_by_ms, c->a);
		h->seq.has |= 1u << IPM_H_REPLY_TIME;
	}
	return true;
}

static bool fill_people(struct composer *c, const struct ipm_compose *m, struct ipm_heading *h)
{
	if (!fill_descriptor(c, &m->originator, &h->originator))
		return false;
	h->seq.has |= 1u << IPM_H_ORIGINATOR;
	const struct {
		const struct ipm_recipient *from;
		size_t n;
		struct ber_list *to;
		unsigned bit;
	} lists[] = {
		{ m->to, m->n_to, &h->primary_recipients, IPM_H_PRIMARY },
		{ m->cc, m->n_cc, &h->copy_recipients, IPM_H_COPY },
		{ m->bcc, m->n_bcc, &h->blind_copy_recipients, IPM_H_BLIND_COPY },
	};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i].n == 0)
			continue;
		if (!fill_recipients(c, lists[i].from, lists[i].n, lists[i].to))
			return false;
		h->seq.has |= 1u << lists[i].bit;
	}
	if (m->n_reply_to == 0)
		return true;
	h->seq.has |= 1u << IPM_H_REPLY_RECIPIENTS;
	return fill_users(c, m->reply_to, m->n_reply_to, &h->reply_recipients);
}

static struct view heading(struct composer *c, const struct ipm_compose *m)
{
	struct ipm_heading *h = arena_get(c->a, sizeof *h);
	if (h == NULL || (h->extensions.v = arena_array(c->a, 3, sizeof(struct ipm_extension))) == NULL) {
		(void)full(c);
		return nothing;
	}
	if (!fill_people(c, m, h) || !fill_identifier(c, m, h) || !fill_subject(c, m->subject, h) || !fill_times(c, m, h))
		return nothing;
	if (m->auto_submitted != 0 &&
	    !add_extension(c, h, IPM_X_AUTO_SUBMITTED, &ipm_auto_submitted_type, &m->auto_submitted))
		return nothing;
	if (!fill_category(c, m->category, h))
		return nothing;
	h->importance = m->importance;
	h->sensitivity = m->sensitivity;
	h->auto_forwarded = m->auto_forwarded;
	h->seq.has |= 1u << IPM_H_IMPORTANCE | 1u << IPM_H_AUTO_FORWARDED;
	if (m->sensitivity != 0)
		h->seq.has |= 1u << IPM_H_SENSITIVITY;
	if (arena_full(c->a)) {
		(void)full(c);
		return nothing;
	}
	return encode_value(c, &ipm_heading_type, h);
}

/* --- body parts --- */

/* EXTERNAL { direct-reference, single-ASN1-type { inner } } in the tag given */
static struct view wrap_external(struct composer *c, uint32_t tag, struct view oid_tlv, struct view inner, size_t rest)
{
	return wrap(c, tag, true, oid_tlv, wrap(c, BER_C(0), true, nothing, inner, rest), rest);
}

/* [15] { parameters [0] EXTERNAL, data EXTERNAL }; n: {id-et n}, {id-ep n} */
static struct view wrap_extended(struct composer *c, uint8_t n, struct view parameters, struct view inner, size_t rest)
{
	const uint8_t et[] = { 0x06, 4, 0x56, 1, 4, n }, ep[] = { 0x06, 4, 0x56, 1, 11, n };
	const struct view fixed = wrap_external(c, BER_C(0), view_of(ep, sizeof ep), parameters, 0);
	c->is_1988 = true;
	return wrap(c, BER_C(15), true, fixed, wrap_external(c, BER_U(U_EXTERNAL), view_of(et, sizeof et), inner, rest), rest);
}

static struct piece text_piece(struct composer *c, struct view utf8)
{
	static const struct view empty_set = { (const uint8_t *)"\x31\x00", 2 };
	const unsigned registration = charset_choose(c->kit, utf8);
	struct piece p = { nothing, lines(c, utf8) };
	if (registration == CHARSET_REG_ASCII) {
		size_t replaced;
		p.data = convert(c, CHARSET_IA5, p.data, &replaced);
		c->replaced += replaced;
		p.prefix = wrap(c, BER_U(U_IA5), false, nothing, nothing, p.data.n);
		p.prefix = wrap(c, BER_C(0), true, empty_set, p.prefix, p.data.n); /* repertoire is ia5 by DEFAULT */
		return p;
	}
	int64_t registrations[] = { CHARSET_REG_C0, CHARSET_REG_ASCII, registration };
	const struct ber_list parameters = { registrations, ARRAY_LEN(registrations) };
	p.data = convert_general(c, registration, p.data);
	p.prefix = wrap(c, BER_U(U_GENERAL), false, nothing, nothing, p.data.n);
	p.prefix = wrap_extended(c, 11, encode_value(c, &ipm_general_parameters_type, &parameters), p.prefix, p.data.n);
	return p;
}

/* What follows the last separator: paths of our side are nobody's business. */
static struct view base_name(struct view name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\')
			return view_from(name, i);
	return name;
}

static struct view generalized_time(struct composer *c, int64_t at_ms)
{
	const time_t at = (time_t)(at_ms / 1000);
	struct tm tm;
	char text[32];
	if (gmtime_r(&at, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return nothing;
	const size_t year = (size_t)snprintf(text, 5, "%04u", (unsigned)(tm.tm_year + 1900) % 10000u); /* four digits always (X.680, GeneralizedTime), which %Y are not */
	return arena_copy(c->a, view_of(text, year + strftime(text + year, sizeof text - year, "%m%d%H%M%SZ", &tm)));
}

static struct view file_parameters(struct composer *c, const struct ipm_compose_part *part)
{
	struct ipm_file_parameters *f = arena_get(c->a, sizeof *f);
	struct view *path = arena_get(c->a, sizeof *path);
	if (f == NULL || path == NULL)
		return nothing;
	struct ipm_file_attributes *at = &f->attributes;
	const struct view name = view_first(base_name(part->name), FILE_NAME_MAX);
	f->seq.has = 1u << IPM_FTBP_ATTRIBUTES; /* contents-type is unstructured binary by DEFAULT */
	if (name.n > 0) {
		*path = convert_general(c, charset_choose(c->kit, name), name);
		at->pathname.choice.which = 1;
		at->pathname.incomplete = (struct ber_list){ path, 1 };
		at->seq.has |= 1u << IPM_FILE_PATHNAME;
	}
	if (part->modified_ms != 0) {
		at->modified.choice.which = 2;
		at->modified.value = generalized_time(c, part->modified_ms);
		at->seq.has |= 1u << IPM_FILE_MODIFIED;
	}
	at->size.choice.which = 2;
	at->size.value = (int64_t)part->data.n;
	at->seq.has |= 1u << IPM_FILE_SIZE;
	return encode_value(c, &ipm_file_parameters_type, f);
}

static struct piece file_piece(struct composer *c, const struct ipm_compose_part *part)
{
	/* FTAM unstructured binary: {iso standard 8571 abstract-syntax(2) unstructured-binary(4)} */
	static const struct view binary = { (const uint8_t *)"\x06\x05\x28\xc2\x7b\x02\x04", 7 };
	const size_t n = part->data.n;
	struct piece p = { nothing, part->data };
	p.prefix = wrap(c, BER_C(1), false, nothing, nothing, n); /* octet-aligned */
	p.prefix = wrap(c, BER_U(U_EXTERNAL), true, binary, p.prefix, n);
	p.prefix = wrap(c, BER_U(U_SEQ), true, nothing, p.prefix, n);
	p.prefix = wrap_extended(c, 12, file_parameters(c, part), p.prefix, n);
	return p;
}

static bool forward_piece(struct composer *c, const struct ipm_compose_part *part, struct piece *p_r)
{
	static const struct view no_parameters = { (const uint8_t *)"\x31\x00", 2 };
	const struct ber_limits limits = ipm_limits_default();
	struct ber_tlv tlv;
	if (!ber_tlv(part->data, &tlv, &limits, c->e))
		return false;
	if (tlv.tag != BER_C(0) || !tlv.constructed)
		return err_set(c->e, ERR_PERM, ERR_OF_MESSAGE, "compose: a content to be forwarded is no interpersonal message, want [0]");
	p_r->data = tlv.content;
	p_r->prefix = wrap(c, BER_U(U_SEQ), true, nothing, nothing, tlv.content.n);
	p_r->prefix = wrap(c, BER_C(9), true, no_parameters, p_r->prefix, tlv.content.n);
	return true;
}

static bool piece_of(struct composer *c, const struct ipm_compose_part *part, struct piece *p_r)
{
	*p_r = (struct piece){ nothing, part->data };
	switch (part->kind) {
	case IPM_COMPOSE_TEXT:
		*p_r = text_piece(c, part->data);
		break;
	case IPM_COMPOSE_FILE:
		*p_r = file_piece(c, part);
		break;
	case IPM_COMPOSE_BILATERAL:
		c->is_1988 = true;
		p_r->prefix = wrap(c, BER_C(14), false, nothing, nothing, part->data.n);
		break;
	case IPM_COMPOSE_FORWARD:
		if (!forward_piece(c, part, p_r))
			return false;
		break;
	}
	return arena_full(c->a) ? full(c) : true;
}

/* [0] { SEQUENCE { heading, SEQUENCE { parts } } }: the inner SEQUENCE's tag is replaced by [0] (IMPLICIT TAGS). */
static void write_all(struct view head, const struct piece *pieces, size_t n, struct out *o)
{
	size_t body = 0;
	for (size_t i = 0; i < n; i++)
		body = mem_add(body, mem_add(pieces[i].prefix.n, pieces[i].data.n));
	ber_put_header(o, BER_C(0), true, mem_add(mem_add(head.n, ber_header_size(BER_U(U_SEQ), body)), body));
	out_bytes(o, head);
	ber_put_header(o, BER_U(U_SEQ), true, body);
	for (size_t i = 0; i < n; i++) {
		out_bytes(o, pieces[i].prefix);
		out_bytes(o, pieces[i].data);
	}
}

bool ipm_compose(const struct ipm_compose *m, const struct charset_kit *kit, struct out *o, struct ipm_composed *done_r,
		 struct arena *a, struct err *e)
{
	struct composer c = { .kit = kit, .a = a, .e = e };
	struct piece *pieces = arena_array(a, m->n_parts, sizeof *pieces);
	const struct view head = heading(&c, m);
	if (head.n == 0)
		return arena_full(a) ? full(&c) : false;
	for (size_t i = 0; i < m->n_parts; i++)
		if (pieces == NULL || !piece_of(&c, &m->parts[i], &pieces[i]))
			return arena_full(a) ? full(&c) : false;
	write_all(head, pieces, m->n_parts, o);
	if (o->bad)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "compose: the content is longer than the %zu octets there is room for",
			       o->max);
	*done_r = (struct ipm_composed){ c.replaced, c.is_1988 ? 22 : 2 };
	return true;
}
