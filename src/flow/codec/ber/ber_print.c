/* ber_print.c - values as ASN.1 value notation (X.680) and as JSON, by their tables. */
#include "flow/codec/ber/ber_private.h"

#include "base/cur.h"

/* open types begin anew, so that decode's limit is none here */
enum { DEPTH_MAX = 2 * BER_DEPTH_MAX };

struct printer {
	struct out *o;
	enum ber_form form;
	unsigned indent, depth;
};

static void print_value(struct printer *p, const struct ber_type *t, const void *value);

static bool json(const struct printer *p)
{
	return p->form == BER_JSON;
}

static void new_line(struct printer *p)
{
	if (!json(p))
		out_fmt(p->o, "\n%*s", (int)p->indent, "");
}

static void open_brace(struct printer *p, char brace)
{
	out_u8(p->o, (uint8_t)brace);
	p->indent += 2;
}

static void close_brace(struct printer *p, char brace, bool empty)
{
	p->indent -= 2;
	if (!empty)
		new_line(p);
	out_u8(p->o, (uint8_t)brace);
}

/* Octets of no known type. In value notation what a person can read of them stands beside. */
static void print_unknown(struct printer *p, struct view tlv)
{
	struct ber_head h;
	const char *why;
	if (json(p)) {
		out_str(p->o, "{\"tlv\":\"");
		ber_print_hex(tlv, BER_JSON, p->o);
		out_str(p->o, "\"}");
		return;
	}
	out_u8(p->o, '\'');
	ber_print_hex(tlv, BER_ASN1, p->o);
	out_str(p->o, "'H");
	if (ber_head_read(tlv, &h, &why) != STEP_DONE || h.constructed ||
	    h.size + h.length != tlv.n || tlv.n > 100)
		return;
	const size_t before = out_len(p->o);
	char tag[40];
	out_fmt(p->o, " -- %s ", ber_tag_text(h.tag, tag, sizeof tag));
	if (ber_print_universal(h.tag, view_from(tlv, h.size), p->o))
		out_str(p->o, " --");
	else if (!p->o->bad)
		p->o->n -= out_len(p->o) - before;
}

/* An ANY whose row knows what is inside; false (nothing written) when it does not, or the octets
 * are not that. */
static bool print_open(struct printer *p, const struct ber_field *f, const void *base,
		       struct view tlv)
{
	const struct ber_limits limits = {64, 100000, tlv.n};
	const struct ber_type *t = f->resolve == NULL ? NULL : f->resolve(base);
	if (t == NULL || p->depth > DEPTH_MAX)
		return false;
	struct arena *a = arena_new(65536 + 64 * tlv.n);
	void *value = arena_get(a, t->size);
	const bool ok = value != NULL && ber_decode(t, tlv, value, a, &limits, NULL);
	if (ok && !json(p))
		out_fmt(p->o, "%s : ", t->name);
	if (ok)
		print_value(p, t, value);
	arena_free(&a);
	return ok;
}

static void print_field(struct printer *p, const struct ber_field *f, const void *base)
{
	const void *value = ber_field_value(f, base);
	if (value == NULL)
		out_str(p->o, json(p) ? "null" : "-- absent --");
	else if (f->type->kind != BER_ANY)
		print_value(p, f->type, value);
	else if (!print_open(p, f, base, *(const struct view *)value))
		print_unknown(p, *(const struct view *)value);
}

static void print_extra(struct printer *p, const struct ber_seq *seq, bool first)
{
	if (json(p) && seq->n_extra > 0)
		out_str(p->o, first ? "\"_unknown\":[" : ",\"_unknown\":[");
	for (size_t i = 0; i < seq->n_extra && !p->o->bad; i++) {
		new_line(p);
		out_str(p->o, json(p) ? (i == 0 ? "\"" : ",\"") : "-- unknown element '");
		ber_print_hex(seq->extra[i].tlv, p->form, p->o);
		out_str(p->o, json(p) ? "\"" : "'H --");
	}
	if (json(p) && seq->n_extra > 0)
		out_u8(p->o, ']');
}

/* A DEFAULT that was written out is shown too. */
static bool is_shown(const struct ber_type *t, size_t i, const struct ber_seq *seq)
{
	const bool was_there =
		(seq->has >> i & 1) != 0 && ber_field_value(&t->fields[i], seq) != NULL;
	return was_there || ber_field_present(t, i, seq);
}

static void print_fields(struct printer *p, const struct ber_type *t, const struct ber_seq *seq)
{
	bool first = true;
	open_brace(p, '{');
	for (size_t i = 0; i < t->n_fields; i++) {
		if (!is_shown(t, i, seq))
			continue;
		out_str(p->o, first ? "" : ",");
		new_line(p);
		out_fmt(p->o, json(p) ? "\"%s\":" : "%s ", t->fields[i].name);
		print_field(p, &t->fields[i], seq);
		first = false;
	}
	print_extra(p, seq, first);
	close_brace(p, '}', first && seq->n_extra == 0);
}

static void print_list(struct printer *p, const struct ber_type *t, const struct ber_list *list)
{
	open_brace(p, json(p) ? '[' : '{');
	for (size_t i = 0; i < list->n && !p->o->bad; i++) {
		const void *element = (const uint8_t *)list->v + i * t->of->size;
		out_str(p->o, i == 0 ? "" : ",");
		new_line(p);
		if (t->of->kind == BER_ANY)
			print_unknown(p, *(const struct view *)element);
		else
			print_value(p, t->of, element);
	}
	close_brace(p, json(p) ? ']' : '}', list->n == 0);
}

static void print_choice(struct printer *p, const struct ber_type *t,
			 const struct ber_choice *choice)
{
	if (choice->which == BER_CHOICE_OTHER) {
		print_unknown(p, choice->other);
		return;
	}
	if (choice->which == 0 || choice->which > t->n_fields) {
		out_str(p->o, json(p) ? "null" : "-- absent --");
		return;
	}
	const struct ber_field *f = &t->fields[choice->which - 1];
	out_fmt(p->o, json(p) ? "{\"%s\":" : "%s : ", f->name);
	print_field(p, f, choice);
	if (json(p))
		out_u8(p->o, '}');
}

static void print_value(struct printer *p, const struct ber_type *t, const void *value)
{
	if (p->depth > DEPTH_MAX) {
		out_str(p->o, json(p) ? "null" : "-- nested too deep --");
		return;
	}
	p->depth++;
	switch (t->kind) {
	case BER_SEQ:
	case BER_SET: print_fields(p, t, value); break;
	case BER_SEQ_OF:
	case BER_SET_OF: print_list(p, t, value); break;
	case BER_CHOICE: print_choice(p, t, value); break;
	case BER_TAGGED: print_value(p, t->of, value); break;
	case BER_ANY: print_unknown(p, *(const struct view *)value); break;
	case BER_BOOL:
	case BER_INT:
	case BER_ENUM:
	case BER_BIGINT:
	case BER_BITS:
	case BER_OCTETS:
	case BER_NULL:
	case BER_OID:
	case BER_RELATIVE_OID:
	case BER_REAL:
	case BER_STRING:
	case BER_TIME: ber_print_leaf(t, value, p->form, p->o); break;
	}
	p->depth--;
}

void ber_print(const struct ber_type *t, const void *value, enum ber_form form, unsigned indent,
	       struct out *o)
{
	struct printer p = {o, form, indent, 0};
	print_value(&p, t, value);
}
