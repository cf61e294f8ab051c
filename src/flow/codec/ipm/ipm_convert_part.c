/* ipm_convert_part.c - body parts that are not text: the externally defined ones as the older ones of the same name. */
#include "flow/codec/ipm/ipm_convert_private.h"

#include "base/mem.h"
#include "flow/codec/ipm/ipm_mime.h"
#include "flow/codec/ipm/ipm_table_private.h"

static const struct view empty_set = { (const uint8_t *)"\x31\x00", 2 };

/* --- encoded information types --- */

void conv_note_bit(struct conv *c, unsigned bit)
{
	c->eits |= 1u << bit;
}

/* More than anyone looks at are undefined. */
void conv_note_type(struct conv *c, struct view oid)
{
	enum { TYPES_MAX = 64, TYPE_MAX = 32 };
	struct view *v = c->types.v;
	for (size_t i = 0; i < c->types.n; i++)
		if (view_eq(v[i], oid))
			return;
	if (oid.n > TYPE_MAX || c->types.n == TYPES_MAX) {
		conv_note_bit(c, 0);
		return;
	}
	if (c->types.n == c->types_cap) {
		const size_t cap = 2 * c->types_cap + 4;
		v = arena_array(c->a, cap, sizeof *v);
		if (v == NULL)
			return;
		if (c->types.n > 0)
			memcpy(v, c->types.v, c->types.n * sizeof *v);
		c->types.v = v;
		c->types_cap = cap;
	}
	v[c->types.n++] = oid;
}

/* {iso standard 10021 eit(7) 1 0 n}, X.420 (1999) annex on encoded information types */
void conv_note_registration(struct conv *c, unsigned registration)
{
	uint8_t oid[10] = { 0x28, 0xce, 0x25, 7, 1, 0 };
	size_t n = 6;
	if (registration > 0x3fff)
		oid[n++] = (uint8_t)(0x80 | registration >> 14);
	if (registration > 0x7f)
		oid[n++] = (uint8_t)(0x80 | (registration >> 7 & 0x7f));
	oid[n++] = (uint8_t)(registration & 0x7f);
	conv_note_type(c, arena_copy(c->a, view_of(oid, n)));
}

static void note_general(struct conv *c, const struct ipm_part *p)
{
	struct ber_list list;
	if (!p->has_parameters || p->parameters.encoding.choice.which != IPM_EXTERNAL_SINGLE ||
	    !ber_decode(&ipm_general_parameters_type, p->parameters.encoding.single, &list, c->a, &c->how->limits, NULL)) {
		conv_note_registration(c, CHARSET_REG_ASCII);
		return;
	}
	const int64_t *v = list.v;
	for (size_t i = 0; i < list.n; i++)
		if (v[i] > 0 && v[i] <= INT16_MAX)
			conv_note_registration(c, (unsigned)v[i]);
}

enum { BIT_UNDEFINED, BIT_TELEX, BIT_IA5, BIT_G3, BIT_G4, BIT_TELETEX, BIT_VIDEOTEX, BIT_VOICE, BIT_SFD, BIT_MIXED, BIT_COUNT };

void conv_note_kind(struct conv *c, const struct ipm_part *p)
{
	switch (p->kind) {
	case IPM_PART_IA5_TEXT: conv_note_bit(c, BIT_IA5); break;
	case IPM_PART_TELEX: conv_note_bit(c, BIT_TELEX); break;
	case IPM_PART_VOICE_1984: conv_note_bit(c, BIT_VOICE); break;
	case IPM_PART_G3_FACSIMILE: conv_note_bit(c, BIT_G3); break;
	case IPM_PART_G4_CLASS1: conv_note_bit(c, BIT_G4); break;
	case IPM_PART_TELETEX: conv_note_bit(c, BIT_TELETEX); break;
	case IPM_PART_VIDEOTEX: conv_note_bit(c, BIT_VIDEOTEX); break;
	case IPM_PART_SIMPLE_FORMATTABLE: conv_note_bit(c, BIT_SFD); break;
	case IPM_PART_MIXED_MODE: conv_note_bit(c, BIT_MIXED); break;
	case IPM_PART_GENERAL_TEXT: note_general(c, p); break;
	case IPM_PART_MESSAGE: break; /* its parts say what they are */
	case IPM_PART_NATIONALLY_DEFINED: case IPM_PART_BILATERALLY_DEFINED: case IPM_PART_ENCRYPTED: case IPM_PART_UNKNOWN:
		conv_note_bit(c, BIT_UNDEFINED);
		break;
	case IPM_PART_FILE_TRANSFER: case IPM_PART_REPORT: case IPM_PART_NOTIFICATION: case IPM_PART_VOICE: case IPM_PART_CONTENT:
	case IPM_PART_PKCS7: case IPM_PART_ADATP3: case IPM_PART_CORRECTIONS: case IPM_PART_FORWARDED_ENCRYPTED:
	case IPM_PART_MM_MESSAGE: case IPM_PART_ACP127_DATA: case IPM_PART_EXTENDED: case IPM_PART_KIND_COUNT:
		if (p->type.n > 0)
			conv_note_type(c, p->type);
		else
			conv_note_bit(c, BIT_UNDEFINED);
		break;
	}
}

struct view conv_eits(struct conv *c)
{
	enum { BUILT_IN, G3, EXTENDED };
	struct ipm_eits t = { .seq.has = 1u << BUILT_IN };
	uint8_t bits[2] = { 0 };
	unsigned last = 0;
	if (c->how->to_84 && c->types.n > 0)
		conv_note_bit(c, BIT_UNDEFINED);
	for (unsigned i = 0; i < BIT_COUNT; i++) {
		if ((c->eits & 1u << i) == 0)
			continue;
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
		last = i + 1;
	}
	t.built_in = (struct ber_bits){ view_of(bits, (last + 7) / 8), last % 8 == 0 ? 0 : 8 - last % 8 };
	if (!c->how->to_84 && c->types.n > 0) {
		t.extended = c->types;
		t.seq.has |= 1u << EXTENDED;
	}
	return conv_encode(c, &ipm_eits_type, &t);
}

/* --- octets around octets --- */

void conv_sequence(struct conv *c, struct rope *r, uint32_t tag, struct view params, struct rope *data)
{
	struct rope inner = { 0 };
	rope_add(c, &inner, params.n > 0 ? params : empty_set);
	rope_join(&inner, data);
	rope_in(c, r, tag, true, &inner);
}

static void put_external(struct conv *c, struct rope *r, uint32_t tag, const uint8_t *oid, size_t n, struct rope *value)
{
	struct rope inner = { 0 };
	rope_add(c, &inner, arena_copy(c->a, view_of(oid, n)));
	rope_in(c, &inner, BER_C(0), true, value);
	rope_in(c, r, tag, true, &inner);
}

void conv_extended(struct conv *c, struct rope *r, uint8_t n, struct view params, struct rope *data)
{
	const uint8_t et[] = { 0x06, 4, 0x56, 1, 4, n }, ep[] = { 0x06, 4, 0x56, 1, 11, n };
	struct rope inner = { 0 }, first = { 0 };
	rope_add(c, &first, params);
	put_external(c, &inner, BER_C(0), ep, sizeof ep, &first);
	put_external(c, &inner, BER_U(U_EXTERNAL), et, sizeof et, data);
	rope_in(c, r, BER_C(15), true, &inner);
}

bool conv_encapsulate(struct conv *c, const struct ipm_part *p, struct rope *r)
{
	struct rope text = { 0 }, data = { 0 };
	struct out o;
	out_init(&o, mem_add(mem_mul(p->tlv.n, 2), 512));
	if (!conv_may(c, ipm_part_kind_name(p->kind))) {
		out_fini(&o);
		return false;
	}
	ipm_mime_put_part(p->type, p->tlv, &o);
	rope_add(c, &text, conv_keep(c, &o));
	rope_in(c, &data, BER_U(U_IA5), false, &text);
	conv_sequence(c, r, BER_C(0), empty_set, &data);
	conv_note_bit(c, BIT_IA5);
	return true;
}

/* --- forwarded messages --- */

static bool in_message(struct conv *c, struct view tlv, unsigned depth, struct rope *r)
{
	struct ber_tlv t;
	if (!conv_next(c, &tlv, depth, &t))
		return false;
	if (t.tag != BER_U(U_SEQ))
		return conv_broken(c, "a message part whose data are of another type");
	return conv_element(c, &t, depth, conv_ipm, r);
}

/* Its parameters in the other age: what came when they say the same. */
static struct view parameters(struct conv *c, struct view tlv)
{
	struct ipm_message_parameters m;
	if (!conv_wants_heading(c) || !ber_decode(&ipm_message_parameters_type, tlv, &m, c->a, &c->how->limits, NULL))
		return tlv;
	const struct view before = conv_encode(c, &ipm_message_parameters_type, &m);
	conv_message_parameters(c, &m);
	const struct view after = conv_encode(c, &ipm_message_parameters_type, &m);
	if (view_eq(before, after))
		return tlv;
	c->changed = true;
	return after;
}

/* The inside of [9]: SET of parameters, SEQUENCE of the message. */
static bool in_message_part(struct conv *c, struct view inside, unsigned depth, struct rope *r)
{
	struct ber_tlv t = { 0 };
	while (inside.n > 0) {
		const struct view whole = inside;
		if (!conv_next(c, &inside, depth, &t))
			return false;
		if (t.tag == BER_U(U_SEQ))
			return in_message(c, whole, depth, r);
		rope_add(c, r, t.tag == BER_U(U_SET) ? parameters(c, t.whole) : t.whole);
	}
	return conv_broken(c, "a message part without a message");
}

/* The parameters of an extended part, where they are the SET that its older form has; empty: there are none. */
static struct view set_parameters(const struct ipm_part *p)
{
	const struct ipm_external *x = &p->parameters;
	const bool is_set = p->has_parameters && x->encoding.choice.which == IPM_EXTERNAL_SINGLE && x->encoding.single.n > 0 &&
			    x->encoding.single.p[0] == 0x31;
	return is_set ? x->encoding.single : (struct view){ NULL, 0 };
}

/* An extended message part that stays one, unless something in it changes. */
static bool conv_extended_message(struct conv *c, const struct ipm_part *p, unsigned depth, struct rope *r)
{
	struct rope data = { 0 };
	const bool before = c->changed;
	c->changed = false;
	const struct view params = set_parameters(p).n > 0 ? parameters(c, set_parameters(p)) : empty_set;
	if (!in_message(c, p->data, depth + 4, &data))
		return false;
	if (c->changed || c->narrow)
		conv_sequence(c, r, BER_C(9), params, &data);
	else
		rope_add(c, r, p->tlv);
	c->changed |= before || c->narrow;
	return true;
}

/* --- other extended parts --- */

/* The older parts of the same name: what their inside is. */
enum shape {
	NO_SHAPE,
	PARAMETERS_AND_DATA, /* IMPLICIT SEQUENCE { parameters, data } */
	DATA_RETAGGED,       /* IMPLICIT the data's type */
	DATA_INSIDE,         /* the data with their own tag */
};
static const struct {
	enum ipm_part_kind kind;
	unsigned tag;
	enum shape shape;
	uint32_t data; /* the tag that the data have; BER_NO_TAG: any */
} older[] = {
	{ IPM_PART_IA5_TEXT, 0, PARAMETERS_AND_DATA, BER_U(U_IA5) },
	{ IPM_PART_G3_FACSIMILE, 3, PARAMETERS_AND_DATA, BER_U(U_SEQ) },
	{ IPM_PART_G4_CLASS1, 4, DATA_RETAGGED, BER_U(U_SEQ) },
	{ IPM_PART_TELETEX, 5, PARAMETERS_AND_DATA, BER_U(U_SEQ) },
	{ IPM_PART_VIDEOTEX, 6, PARAMETERS_AND_DATA, BER_U(U_VIDEOTEX) },
	{ IPM_PART_NATIONALLY_DEFINED, 7, DATA_INSIDE, BER_NO_TAG },
	{ IPM_PART_ENCRYPTED, 8, PARAMETERS_AND_DATA, BER_U(U_BITS) },
	{ IPM_PART_MIXED_MODE, 11, DATA_RETAGGED, BER_U(U_SEQ) },
	{ IPM_PART_BILATERALLY_DEFINED, 14, DATA_RETAGGED, BER_U(U_OCTETS) },
};

/* A part under its older name is the same part: no conversion, whatever the message says of that. */
static bool put_older(struct conv *c, const struct ipm_part *p, struct rope *r)
{
	struct rope data = { 0 };
	struct ber_tlv t;
	size_t i = 0;
	while (i < ARRAY_LEN(older) && older[i].kind != p->kind)
		i++;
	if (i == ARRAY_LEN(older) || p->data.n == 0 || !ber_tlv(p->data, &t, &c->how->limits, NULL) ||
	    (older[i].data != BER_NO_TAG && older[i].data != t.tag))
		return false;
	rope_add(c, &data, older[i].shape == DATA_RETAGGED ? t.content : p->data);
	if (older[i].shape == PARAMETERS_AND_DATA)
		conv_sequence(c, r, BER_C(older[i].tag), set_parameters(p), &data);
	else
		rope_in(c, r, BER_C(older[i].tag), older[i].shape == DATA_INSIDE || t.constructed, &data);
	conv_note_kind(c, p);
	c->parts = c->changed = true;
	return true;
}

static bool put_file(struct conv *c, const struct ipm_part *p, struct rope *r)
{
	struct rope data = { 0 };
	if (c->how->no_loss && p->has_parameters)
		return conv_encapsulate(c, p, r);
	if (!conv_may(c, ipm_part_kind_name(p->kind)))
		return false;
	rope_add(c, &data, p->octets);
	rope_in(c, r, BER_C(14), false, &data);
	conv_note_bit(c, BIT_UNDEFINED);
	return true;
}

static bool conv_extended_part(struct conv *c, const struct ipm_part *p, unsigned depth, struct rope *r)
{
	if (p->kind == IPM_PART_MESSAGE && p->message != NULL && p->data.n > 0)
		return conv_extended_message(c, p, depth, r);
	if (c->narrow) {
		if (p->kind == IPM_PART_FILE_TRANSFER)
			return put_file(c, p, r);
		return put_older(c, p, r) || conv_encapsulate(c, p, r);
	}
	conv_note_kind(c, p);
	rope_add(c, r, p->tlv);
	return true;
}

/* --- one part --- */

static bool is_text_form(const struct ipm_part *p)
{
	return p->is_text && (p->kind == IPM_PART_IA5_TEXT || p->kind == IPM_PART_TELETEX || p->kind == IPM_PART_GENERAL_TEXT);
}

bool conv_part(struct conv *c, const struct ber_tlv *t, unsigned depth, struct rope *r)
{
	struct ipm_part *p = arena_get(c->a, sizeof *p);
	struct view tlv = t->whole;
	const struct ipm_message m = { .body = { &tlv, 1 } };
	bool opened = false;
	if (t->tag == BER_C(9))
		return conv_element(c, t, depth, in_message_part, r);
	if (p == NULL || !ipm_part_at(&m, 0, p, c->a, &c->how->limits, c->e))
		return p != NULL ? false : conv_broken(c, "more body parts than there is memory for");
	if (is_text_form(p)) {
		if (!conv_mime(c, p, depth, &opened, r))
			return false;
		return opened || conv_text(c, p, r);
	}
	if (t->tag == BER_C(15))
		return conv_extended_part(c, p, depth, r);
	conv_note_kind(c, p);
	rope_add(c, r, p->tlv);
	return true;
}
