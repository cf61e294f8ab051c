/* ipm_part.c - one body part: what kind it is, and its octets. */
#include "flow/codec/ipm/ipm.h"

#include "base/mem.h"
#include "flow/codec/ipm/ipm_table_private.h"

struct part_reader {
	struct ipm_part *part;
	struct arena *a;
	const struct ber_limits *limits;
	struct err *e;
};

static const struct {
	int basic, et;
} rows[] = {
#define X(id, name, basic, et) [IPM_PART_##id] = { basic, et },
#include "flow/codec/ipm/ipm_part_table.h"
#undef X
};

size_t ipm_part_count(const struct ipm_message *m)
{
	return m->body.n;
}

static enum ipm_part_kind kind_of_row(int et)
{
	for (unsigned k = 0; k < ARRAY_LEN(rows); k++)
		if (rows[k].et == et)
			return (enum ipm_part_kind)k;
	return IPM_PART_EXTENDED;
}

/* {id-et n}: 2.6.1.4.n. {id-et 17} is followed by a content type. */
static enum ipm_part_kind kind_of_oid(struct view oid)
{
	if (oid.n == 8 && view_eq(view_first(oid, 7), VIEW("\x2b\x1a\x00\xa2\x36\x00\x07")))
		return kind_of_row(256 + oid.p[7]);
	if (oid.n < 4 || oid.p[0] != 0x56 || oid.p[1] != 1 || oid.p[2] != 4)
		return IPM_PART_EXTENDED;
	if (oid.n > 4)
		return oid.p[3] == 17 ? IPM_PART_CONTENT : IPM_PART_EXTENDED;
	return kind_of_row(oid.p[3]);
}

static bool decode(struct part_reader *r, const struct ber_type *t, struct view tlv, void *value_r)
{
	return ber_decode(t, tlv, value_r, r->a, r->limits, r->e);
}

/* Decodes into the arena; NULL when it does not, or there is no room. */
static const void *decode_new(struct part_reader *r, const struct ber_type *t, struct view tlv)
{
	void *value = arena_get(r->a, t->size);
	return value != NULL && decode(r, t, tlv, value) ? value : NULL;
}

/* Pages (or lines) one after the other, `between` between them. */
static struct view join(struct part_reader *r, const struct ber_list *pages, struct view between)
{
	const struct view *v = pages->v;
	size_t total = 0, at = 0;
	if (pages->n == 1)
		return v[0];
	for (size_t i = 0; i < pages->n; i++)
		total = mem_add(total, v[i].n + (i > 0 ? between.n : 0));
	uint8_t *joined = arena_get(r->a, total);
	if (joined == NULL)
		return (struct view){ NULL, 0 };
	for (size_t i = 0; i < pages->n; i++) {
		if (i > 0) {
			memcpy(joined + at, between.p, between.n);
			at += between.n;
		}
		if (v[i].n > 0)
			memcpy(joined + at, v[i].p, v[i].n);
		at += v[i].n;
	}
	return view_of(joined, total);
}

static struct view join_pages(struct part_reader *r, const struct ber_list *pages)
{
	return join(r, pages, VIEW("\f"));
}

static void set_text(struct ipm_part *p, struct view octets, enum charset charset)
{
	p->octets = octets;
	p->is_text = true;
	p->charset = charset;
}

static void take_ia5(struct ipm_part *p, const struct ipm_ia5_parameters *parameters, struct view data)
{
	set_text(p, data, CHARSET_IA5);
	p->ita2 = parameters != NULL && parameters->repertoire == 2;
}

/* The octets of an EXTERNAL's value, whatever way they are wrapped. */
static struct view external_octets(const struct ipm_external *x)
{
	switch (x->encoding.choice.which) {
	case IPM_EXTERNAL_SINGLE:
		return x->encoding.single;
	case IPM_EXTERNAL_OCTETS:
		return x->encoding.octets;
	case IPM_EXTERNAL_ARBITRARY:
		return x->encoding.arbitrary.bytes;
	default:
		return x->encoding.choice.other;
	}
}

/* --- file transfer --- */

/* One piece of a file: an OCTET STRING or a character string gives its content, anything else its TLV. */
static struct view file_piece(struct part_reader *r, const struct ipm_external *x)
{
	struct view in = external_octets(x), content;
	struct ber_tlv tlv;
	if (x->encoding.choice.which != IPM_EXTERNAL_SINGLE || !ber_tlv(in, &tlv, r->limits, NULL))
		return in;
	switch (tlv.tag) {
	case BER_U(U_OCTETS):
		return decode(r, &ipm_octets_type, in, &content) ? content : in;
	case BER_U(U_IA5):
		return decode(r, &ipm_ia5_string_type, in, &content) ? content : in;
	case BER_U(U_GRAPHIC):
		return decode(r, &ipm_graphic_string_type, in, &content) ? content : in;
	case BER_U(U_GENERAL):
		return decode(r, &ipm_general_string_type, in, &content) ? content : in;
	default:
		return in;
	}
}

static struct view file_octets(struct part_reader *r, const struct ber_list *pieces)
{
	const struct ipm_external *x = pieces->v;
	size_t total = 0, at = 0;
	if (pieces->n == 0)
		return (struct view){ NULL, 0 };
	if (pieces->n == 1)
		return file_piece(r, x);
	struct view *parts = arena_array(r->a, pieces->n, sizeof *parts);
	for (size_t i = 0; parts != NULL && i < pieces->n; i++) {
		parts[i] = file_piece(r, &x[i]);
		total = mem_add(total, parts[i].n);
	}
	uint8_t *joined = arena_get(r->a, total);
	if (parts == NULL || joined == NULL)
		return (struct view){ NULL, 0 };
	for (size_t i = 0; i < pieces->n; i++) {
		if (parts[i].n > 0)
			memcpy(joined + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	return view_of(joined, total);
}

static void take_file_parameters(struct part_reader *r, struct view tlv)
{
	/* FTAM-1, unstructured text: {iso standard 8571 document-type(5) 1} */
	static const struct view unstructured_text = { (const uint8_t *)"\x28\xc2\x7b\x05\x01", 5 };
	struct ipm_part *p = r->part;
	const struct ipm_file_parameters *f = decode_new(r, &ipm_file_parameters_type, tlv);
	p->file = f;
	if (f == NULL)
		return;
	if ((f->seq.has & 1u << IPM_FTBP_CONTENTS) && f->contents_type.choice.which == 1 &&
	    view_eq(f->contents_type.document.name, unstructured_text))
		set_text(p, p->octets, CHARSET_GENERAL);
	if (!(f->seq.has & 1u << IPM_FTBP_ATTRIBUTES))
		return;
	const struct ipm_file_attributes *at = &f->attributes;
	if (at->seq.has & 1u << IPM_FILE_PATHNAME) {
		const struct ber_list *path = at->pathname.choice.which == 2 ? &at->pathname.complete : &at->pathname.incomplete;
		if (path->n > 0)
			p->name = ((const struct view *)path->v)[path->n - 1];
	}
	if ((at->seq.has & 1u << IPM_FILE_SIZE) && at->size.choice.which == 2)
		p->size = at->size.value;
}

/* --- extended parts --- */

static void take_general_parameters(struct part_reader *r, struct view tlv)
{
	struct ber_list list;
	if (!decode(r, &ipm_general_parameters_type, tlv, &list))
		return;
	const int64_t *v = list.v;
	for (size_t i = 0; i < list.n; i++)
		if (v[i] != CHARSET_REG_C0 && v[i] != CHARSET_REG_ASCII && v[i] > 0 && v[i] <= 32767)
			r->part->registration = (unsigned)v[i];
}

static void take_ia5_parameters(struct part_reader *r, struct view tlv)
{
	struct ipm_ia5_parameters parameters;
	if (decode(r, &ipm_ia5_parameters_type, tlv, &parameters))
		r->part->ita2 = parameters.repertoire == 2;
}

static void take_pages(struct part_reader *r, struct view tlv)
{
	struct ipm_teletex_parameters parameters; /* G3FacsimileParameters begins alike */
	if (decode(r, &ipm_teletex_parameters_type, tlv, &parameters) && (parameters.seq.has & 1))
		r->part->pages = parameters.number_of_pages;
}

/* Parameters that do not decode are shown as absent: the data may still be read. */
static void take_parameters(struct part_reader *r, const struct ipm_external *x)
{
	struct ipm_part *p = r->part;
	const struct view tlv = external_octets(x);
	p->parameters = *x;
	p->has_parameters = true;
	if (p->kind == IPM_PART_GENERAL_TEXT)
		take_general_parameters(r, tlv);
	else if (p->kind == IPM_PART_IA5_TEXT)
		take_ia5_parameters(r, tlv);
	else if (p->kind == IPM_PART_FILE_TRANSFER)
		take_file_parameters(r, tlv);
	else if (p->kind == IPM_PART_TELETEX || p->kind == IPM_PART_G3_FACSIMILE)
		take_pages(r, tlv);
	else if (p->kind == IPM_PART_MESSAGE || p->kind == IPM_PART_NOTIFICATION || p->kind == IPM_PART_CONTENT ||
		 p->kind == IPM_PART_MM_MESSAGE || p->kind == IPM_PART_FORWARDED_ENCRYPTED || p->kind == IPM_PART_REPORT)
		p->delivery = decode_new(r, &ipm_message_parameters_type, tlv);
}

/* Lines are joined as lines. */
static bool take_adatp3(struct part_reader *r, struct view tlv)
{
	struct ipm_adatp3 data;
	if (!decode(r, &ipm_adatp3_type, tlv, &data))
		return false;
	if (data.choice.which == IPM_ADATP3_LINES)
		set_text(r->part, data.line_oriented, CHARSET_IA5);
	else if (data.choice.which == IPM_ADATP3_SETS)
		set_text(r->part, join(r, &data.set_oriented, VIEW("\r\n")), CHARSET_IA5);
	return true;
}

/* Data of a known type; false: it is not that type. */
static bool take_extended_data(struct part_reader *r, struct view tlv)
{
	struct ipm_part *p = r->part;
	struct ber_list list;
	struct ber_bits bits;
	p->octets = tlv;
	switch (p->kind) {
	case IPM_PART_IA5_TEXT:
		set_text(p, p->octets, CHARSET_IA5);
		return decode(r, &ipm_ia5_string_type, tlv, &p->octets);
	case IPM_PART_GENERAL_TEXT:
		set_text(p, p->octets, CHARSET_GENERAL);
		return decode(r, &ipm_general_string_type, tlv, &p->octets);
	case IPM_PART_TELETEX:
		if (!decode(r, &ipm_teletex_data_type, tlv, &list))
			return false;
		set_text(p, join_pages(r, &list), CHARSET_T61);
		return true;
	case IPM_PART_VIDEOTEX:
		return decode(r, &ipm_videotex_string_type, tlv, &p->octets);
	case IPM_PART_BILATERALLY_DEFINED:
	case IPM_PART_VOICE:
	case IPM_PART_CONTENT:
		return decode(r, &ipm_octets_type, tlv, &p->octets);
	case IPM_PART_FILE_TRANSFER:
		if (!decode(r, &ipm_file_data_type, tlv, &list))
			return false;
		p->octets = file_octets(r, &list);
		return true;
	case IPM_PART_CORRECTIONS:
	case IPM_PART_ACP127_DATA:
		set_text(p, p->octets, CHARSET_IA5);
		return decode(r, &ipm_ia5_string_type, tlv, &p->octets);
	case IPM_PART_ADATP3:
		return take_adatp3(r, tlv);
	case IPM_PART_FORWARDED_ENCRYPTED:
		if (!decode(r, &ipm_bits_type, tlv, &bits))
			return false;
		p->octets = bits.bytes;
		return true;
	case IPM_PART_MESSAGE:
	case IPM_PART_MM_MESSAGE:
		p->message = decode_new(r, &ipm_message_outer_type, tlv);
		return p->message != NULL;
	case IPM_PART_NOTIFICATION:
		p->notification = decode_new(r, &ipm_ipn_outer_type, tlv);
		return p->notification != NULL;
	case IPM_PART_G3_FACSIMILE: case IPM_PART_G4_CLASS1: case IPM_PART_NATIONALLY_DEFINED: case IPM_PART_ENCRYPTED:
	case IPM_PART_MIXED_MODE: case IPM_PART_REPORT: case IPM_PART_PKCS7: case IPM_PART_EXTENDED: case IPM_PART_TELEX:
	case IPM_PART_VOICE_1984: case IPM_PART_SIMPLE_FORMATTABLE:
	case IPM_PART_UNKNOWN: case IPM_PART_KIND_COUNT:
		return true;
	}
	CANT_HAPPEN("body part kind");
}

static bool take_extended(struct part_reader *r, const struct ipm_extended_part *x)
{
	struct ipm_part *p = r->part;
	p->extended = true;
	p->type = x->data.direct_reference;
	p->kind = kind_of_oid(p->type);
	if (x->data.encoding.choice.which == IPM_EXTERNAL_SINGLE) {
		p->data = x->data.encoding.single;
		if (!take_extended_data(r, x->data.encoding.single))
			return false;
	} else {
		p->octets = external_octets(&x->data);
		if (p->kind == IPM_PART_IA5_TEXT || p->kind == IPM_PART_GENERAL_TEXT)
			set_text(p, p->octets, p->kind == IPM_PART_IA5_TEXT ? CHARSET_IA5 : CHARSET_GENERAL);
	}
	if (x->seq.has & 1u << IPM_EXTENDED_PARAMETERS)
		take_parameters(r, &x->parameters);
	return true;
}

/* --- basic parts --- */

static bool take_basic(struct part_reader *r, const struct ipm_body_part *b)
{
	struct ipm_part *p = r->part;
	p->octets = p->tlv;
	switch ((enum ipm_basic)b->choice.which) {
	case IPM_BASIC_IA5:
		take_ia5(p, &b->ia5.parameters, b->ia5.data);
		return true;
	case IPM_BASIC_G3:
		if (b->g3.parameters.seq.has & 1)
			p->pages = b->g3.parameters.number_of_pages;
		return true;
	case IPM_BASIC_TELETEX:
		set_text(p, join_pages(r, &b->teletex.data), CHARSET_T61);
		if (b->teletex.parameters.seq.has & 1)
			p->pages = b->teletex.parameters.number_of_pages;
		return true;
	case IPM_BASIC_VIDEOTEX:
		p->octets = b->videotex.data;
		return true;
	case IPM_BASIC_NATIONAL:
		p->octets = b->national;
		return true;
	case IPM_BASIC_ENCRYPTED:
		p->octets = b->encrypted.data.bytes;
		return true;
	case IPM_BASIC_MESSAGE:
		p->message = b->message.data;
		p->delivery = &b->message.parameters;
		return true;
	case IPM_BASIC_BILATERAL:
		p->octets = b->bilateral;
		return true;
	case IPM_BASIC_EXTENDED:
		return take_extended(r, &b->extended);
	case IPM_BASIC_VOICE:
		p->octets = b->voice.data.bytes;
		return true;
	case IPM_BASIC_G4: case IPM_BASIC_MIXED: case IPM_BASIC_SFD:
		return true;
	}
	return p->kind == IPM_PART_TELEX || err_set(r->e, ERR_PERM, ERR_OF_MESSAGE, "body part: a tag that X.420 does not have");
}

static enum ipm_part_kind kind_of_tag(struct view tlv)
{
	const unsigned first = tlv.n == 0 ? 0 : tlv.p[0];
	for (unsigned k = 0; (first & 0xc0) == 0x80 && k < ARRAY_LEN(rows); k++)
		if (rows[k].basic == (int)(first & 0x1f))
			return (enum ipm_part_kind)k;
	return IPM_PART_UNKNOWN;
}

bool ipm_part_at(const struct ipm_message *m, size_t i, struct ipm_part *part_r, struct arena *a,
		 const struct ber_limits *limits, struct err *e)
{
	assert(i < m->body.n);
	const struct view tlv = ((const struct view *)m->body.v)[i];
	struct err why = { 0 };
	struct part_reader r = { part_r, a, limits, &why };
	struct ipm_body_part *b = arena_get(a, sizeof *b);
	*part_r = (struct ipm_part){ .kind = kind_of_tag(tlv), .tlv = tlv, .size = -1, .pages = -1 };
	if (b != NULL && decode(&r, &ipm_body_part_outer_type, tlv, b) && take_basic(&r, b) && !arena_full(a))
		return true;
	if (arena_full(a))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "body part %zu: needs more memory than its quota, %zu octets in use",
			       i + 1, arena_used(a));
	*part_r = (struct ipm_part){ .kind = IPM_PART_UNKNOWN, .tlv = tlv, .octets = tlv, .size = -1, .pages = -1, .why = why };
	return true;
}
