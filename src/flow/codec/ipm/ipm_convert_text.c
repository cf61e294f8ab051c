/* ipm_convert_text.c - texts from one body part into another (RFC 1328 6, RFC 1496 3). */
#include "flow/codec/ipm/ipm_convert_private.h"

#include "base/mem.h"
#include "flow/codec/ipm/ipm_mime.h"
#include "flow/codec/ipm/ipm_table_private.h"

enum form { FORM_IA5, FORM_TELETEX, FORM_GENERAL, FORM_MIME };

static const struct view replacement = { (const uint8_t *)"\xef\xbf\xbd", 3 }; /* U+FFFD */

static enum form form_of(const struct ipm_part *p)
{
	return p->kind == IPM_PART_IA5_TEXT ? FORM_IA5 : p->kind == IPM_PART_TELETEX ? FORM_TELETEX : FORM_GENERAL;
}

static struct view utf8_of(struct conv *c, enum charset from, unsigned registration, struct view octets)
{
	struct out o;
	out_init(&o, mem_add(mem_mul(octets.n, 3), 16));
	(void)charset_to_utf8(c->how->kit, from, registration, octets, &o);
	return conv_keep(c, &o);
}

/* Is there something in it that nobody here could read? */
static bool has_unread(struct view utf8)
{
	return utf8.n >= replacement.n && memmem(utf8.p, utf8.n, replacement.p, replacement.n) != NULL;
}

/* Which form it is to have. AS_IS for a peer without part 15: general text that is IA5 becomes that, other goes as MIME. */
static enum form wanted(const struct conv *c, enum form now, struct view utf8)
{
	switch (c->how->text) {
	case IPM_TEXT_IA5:
		return FORM_IA5;
	case IPM_TEXT_TELETEX:
		return FORM_TELETEX;
	case IPM_TEXT_GENERAL:
		if (!c->narrow)
			return FORM_GENERAL;
		break;
	case IPM_TEXT_AS_IS:
		break;
	}
	if (now != FORM_GENERAL || !c->narrow)
		return now;
	return charset_choose(c->how->kit, utf8) == CHARSET_REG_ASCII ? FORM_IA5 : FORM_MIME;
}

/* --- writing --- */

static void put_ia5(struct conv *c, struct view text, struct rope *r)
{
	struct rope octets = { 0 }, data = { 0 };
	rope_add(c, &octets, text);
	rope_in(c, &data, BER_U(U_IA5), false, &octets);
	conv_sequence(c, r, BER_C(0), (struct view){ NULL, 0 }, &data);
	const struct ipm_part as = { .kind = IPM_PART_IA5_TEXT };
	conv_note_kind(c, &as);
}

static bool write_ia5(struct conv *c, struct view utf8, struct rope *r)
{
	struct out o;
	out_init(&o, mem_add(utf8.n, 16));
	const size_t replaced = charset_from_utf8(CHARSET_IA5, utf8, &o);
	put_ia5(c, conv_keep(c, &o), r);
	return replaced == 0 || conv_lose(c, "a text has characters that IA5 has not");
}

/* X.420 7.3.5: a TeletexString a page, after { number-of-pages [0] }. Pages are parted by form feeds. */
static bool write_teletex(struct conv *c, struct view utf8, struct rope *r)
{
	struct ipm_teletex_parameters params = { .seq.has = 1 };
	struct rope pages = { 0 }, data = { 0 };
	size_t replaced = 0;
	do {
		const uint8_t *end = utf8.n == 0 ? NULL : memchr(utf8.p, '\f', utf8.n);
		const size_t n = end == NULL ? utf8.n : (size_t)(end - utf8.p);
		struct rope page = { 0 };
		struct out o;
		out_init(&o, mem_add(mem_mul(n, 2), 16));
		replaced += charset_from_utf8(CHARSET_T61, view_first(utf8, n), &o);
		rope_add(c, &page, conv_keep(c, &o));
		rope_in(c, &pages, BER_U(U_TELETEX), false, &page);
		params.number_of_pages++;
		utf8 = view_from(utf8, n + 1);
	} while (utf8.n > 0 && !arena_full(c->a));
	rope_in(c, &data, BER_U(U_SEQ), true, &pages);
	conv_sequence(c, r, BER_C(5), conv_encode(c, &ipm_teletex_parameters_type, &params), &data);
	const struct ipm_part as = { .kind = IPM_PART_TELETEX };
	conv_note_kind(c, &as);
	return replaced == 0 || conv_lose(c, "a text has characters that teletex has not");
}

static void write_general(struct conv *c, struct view utf8, struct rope *r)
{
	const unsigned registration = charset_choose(c->how->kit, utf8);
	int64_t registrations[] = { CHARSET_REG_C0, CHARSET_REG_ASCII, registration };
	const struct ber_list list = { registrations, registration == CHARSET_REG_ASCII ? 2 : 3 };
	struct rope octets = { 0 }, data = { 0 };
	struct out o;
	out_init(&o, mem_add(utf8.n, 16));
	(void)charset_general_from_utf8(c->how->kit, registration, utf8, &o);
	rope_add(c, &octets, conv_keep(c, &o));
	rope_in(c, &data, BER_U(U_GENERAL), false, &octets);
	conv_extended(c, r, 11, conv_encode(c, &ipm_general_parameters_type, &list), &data);
	for (size_t i = 0; i < list.n; i++)
		conv_note_registration(c, (unsigned)registrations[i]);
}

static void write_mime(struct conv *c, struct view utf8, struct rope *r)
{
	const unsigned registration = charset_choose(c->how->kit, utf8);
	struct out octets, o;
	out_init(&octets, mem_add(utf8.n, 16));
	out_init(&o, mem_add(mem_mul(utf8.n, 4), 512));
	(void)charset_octets_from_utf8(c->how->kit, registration, utf8, &octets);
	ipm_mime_put_text(registration, out_view(&octets), &o);
	out_fini(&octets);
	put_ia5(c, conv_keep(c, &o), r);
}

static bool keep_form(struct conv *c, const struct ipm_part *p, struct rope *r)
{
	struct rope data = { 0 };
	if (!c->narrow || !p->extended) {
		conv_note_kind(c, p);
		rope_add(c, r, p->tlv);
		return true;
	}
	const bool set = p->has_parameters && p->parameters.encoding.choice.which == IPM_EXTERNAL_SINGLE &&
			 p->parameters.encoding.single.n > 0 && p->parameters.encoding.single.p[0] == 0x31;
	if (p->data.n == 0)
		return conv_encapsulate(c, p, r);
	rope_add(c, &data, p->data);
	conv_sequence(c, r, p->kind == IPM_PART_IA5_TEXT ? BER_C(0) : BER_C(5),
		      set ? p->parameters.encoding.single : (struct view){ NULL, 0 }, &data);
	conv_note_kind(c, p);
	c->parts = c->changed = true;
	return true;
}

bool conv_text(struct conv *c, const struct ipm_part *p, struct rope *r)
{
	const enum form now = form_of(p);
	const bool is_mime = now == FORM_IA5 && ipm_mime_is(p->octets);
	if (is_mime || (now == wanted(c, now, (struct view){ NULL, 0 }) && now != FORM_GENERAL) ||
	    (now == FORM_GENERAL && !c->narrow && (c->how->text == IPM_TEXT_AS_IS || c->how->text == IPM_TEXT_GENERAL)))
		return keep_form(c, p, r);
	const struct view utf8 = utf8_of(c, p->charset, p->registration, p->octets);
	const enum form to = wanted(c, now, utf8);
	if (to == FORM_MIME && has_unread(utf8))
		return conv_encapsulate(c, p, r);
	if (!conv_may(c, ipm_part_kind_name(p->kind)))
		return false;
	if (has_unread(utf8) && !conv_lose(c, "a text has characters that cannot be read"))
		return false;
	switch (to) {
	case FORM_IA5:
		return write_ia5(c, utf8, r);
	case FORM_TELETEX:
		return write_teletex(c, utf8, r);
	case FORM_GENERAL:
		write_general(c, utf8, r);
		return true;
	case FORM_MIME:
		write_mime(c, utf8, r);
		return true;
	}
	CANT_HAPPEN("form of a text");
}

/* --- the way back --- */

/* X.420 7.4.12: unstructured binary, its name beside it. */
static void write_file(struct conv *c, const struct ipm_mime *m, struct rope *r)
{
	static const struct view binary = { (const uint8_t *)"\x06\x05\x28\xc2\x7b\x02\x04", 7 };
	struct ipm_file_parameters *f = arena_get(c->a, sizeof *f);
	struct view name = m->name;
	struct rope octets = { 0 }, external = { 0 }, one = { 0 }, data = { 0 };
	if (f == NULL)
		return;
	struct ipm_file_attributes *at = &f->attributes;
	f->seq.has = 1u << IPM_FTBP_ATTRIBUTES;
	if (name.n > 0) {
		at->pathname.choice.which = 1;
		at->pathname.incomplete = (struct ber_list){ &name, 1 };
		at->seq.has |= 1u << IPM_FILE_PATHNAME;
	}
	at->size.choice.which = 2;
	at->size.value = (int64_t)m->octets.n;
	at->seq.has |= 1u << IPM_FILE_SIZE;
	rope_add(c, &octets, m->octets);
	rope_add(c, &external, binary);
	rope_in(c, &external, BER_C(1), false, &octets);
	rope_in(c, &one, BER_U(U_EXTERNAL), true, &external);
	rope_in(c, &data, BER_U(U_SEQ), true, &one);
	conv_extended(c, r, 12, conv_encode(c, &ipm_file_parameters_type, f), &data);
	const struct ipm_part as = { .kind = IPM_PART_FILE_TRANSFER, .type = VIEW("\x56\x01\x04\x0c") };
	conv_note_kind(c, &as);
}

static bool is_body_part(struct conv *c, struct view tlv)
{
	struct ber_tlv t;
	return ber_tlv(tlv, &t, &c->how->limits, NULL) && t.whole.n == tlv.n && ber_tag_class(t.tag) == BER_CONTEXT &&
	       ber_tag_number(t.tag) <= 15;
}

/* A part out of a part: gone through as if it had come so; no deeper than the elements may lie. */
static bool write_part(struct conv *c, struct view tlv, unsigned depth, struct rope *r)
{
	struct ber_tlv t;
	return conv_next(c, &tlv, depth + 1, &t) && conv_part(c, &t, depth + 1, r);
}

bool conv_mime(struct conv *c, const struct ipm_part *p, unsigned depth, bool *opened_r, struct rope *r)
{
	struct ipm_mime m;
	*opened_r = false;
	if (!c->how->from_84 || c->narrow || c->how->prohibited || p->kind != IPM_PART_IA5_TEXT || !ipm_mime_open(p->octets, &m, c->a) ||
	    (m.kind == IPM_MIME_PART && !is_body_part(c, m.octets)))
		return true;
	*opened_r = true;
	c->parts = c->changed = true;
	switch (m.kind) {
	case IPM_MIME_PART:
		return write_part(c, m.octets, depth, r);
	case IPM_MIME_OTHER:
		write_file(c, &m, r);
		return true;
	case IPM_MIME_TEXT:
		break;
	}
	const struct view utf8 = utf8_of(c, m.registration == CHARSET_REG_UTF8 ? CHARSET_UTF8 : CHARSET_GENERAL, m.registration, m.octets);
	if (c->how->text == IPM_TEXT_IA5)
		return write_ia5(c, utf8, r);
	if (c->how->text == IPM_TEXT_TELETEX)
		return write_teletex(c, utf8, r);
	if (charset_choose(c->how->kit, utf8) == CHARSET_REG_ASCII && c->how->text == IPM_TEXT_AS_IS)
		return write_ia5(c, utf8, r);
	write_general(c, utf8, r);
	return true;
}
