/* ipm_wrap.c - a content as a list of places that change: its texts, and the lengths of what they lie in. Found in one walk over its
 * elements, then written out between the octets that stay. */
#include "flow/codec/ipm/ipm_wrap.h"

#include "base/cur.h"
#include "base/mem.h"
#include "flow/codec/ipm/ipm.h"
#include "flow/codec/ipm/ipm_mime.h"
#include "flow/codec/ipm/ipm_table_private.h"

enum {
	CONVERSION_NOT_PERFORMED = 2, CONVERSION_IMPRACTICAL = 8, CONTENT_SYNTAX_ERROR = 12, /* X.411 8.2.1.4 */
	HEAD_MAX = 1 + 1 + 8, /* identifier (all tags here are below 31) and length octets as we write them */
};

/* In the order of `at`. */
struct edit {
	struct edit *next;
	size_t at, octets;     /* what goes from the content: a header, or a whole text element */
	uint8_t head[HEAD_MAX];
	size_t head_n;         /* what comes instead ... */
	struct view text;      /* ... and then this, wrapped */
	enum charset from;
	unsigned registration;
};

struct walk {
	struct view content;
	const struct ipm_wrap *how;
	struct arena *a;
	struct err *e;
	struct edit *first, **end;
	size_t elements;
	bool changed;
	/* Of the extended part at hand; set before it is entered, read before a message in it is. */
	int part;
	unsigned registration;
	bool sets_are_simple;
};

/* What an element in the hands of a walker may hold: its content, and how deep it lies. */
struct place {
	struct view inside;
	unsigned depth;
};

/* *grown: octets that come to be more (less: negative); added to. */
typedef bool walk_f(struct walk *w, struct place p, int64_t *grown);

static bool broken(struct walk *w, const struct ber_tlv *t, const char *what)
{
	return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONTENT_SYNTAX_ERROR,
			  "content: %s, at octet %zu of %zu", what, (size_t)(t->whole.p - w->content.p), w->content.n);
}

static bool impractical(struct walk *w, const char *what, size_t limit)
{
	return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
			  "content: wrapping its text needs more %s than the limit, %zu", what, limit);
}

static struct ber_limits limits_at(const struct walk *w, unsigned depth)
{
	struct ber_limits limits = w->how->limits;
	limits.depth -= depth < limits.depth ? depth : limits.depth;
	return limits;
}

/* The next element of *rest, which is not empty. */
static bool next_element(struct walk *w, struct view *rest, unsigned depth, struct ber_tlv *t_r)
{
	const struct ber_limits limits = limits_at(w, depth);
	if (limits.depth == 0)
		return impractical(w, "nested elements", w->how->limits.depth);
	if (w->elements++ >= limits.elements)
		return impractical(w, "elements", limits.elements);
	if (w->how->out_of_time != NULL && w->elements % 1024 == 0 && w->how->out_of_time(w->how->ctx))
		return err_report(w->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
				  "content: wrapping its text takes longer than it may");
	if (!ber_tlv(*rest, t_r, &limits, w->e))
		return false;
	*rest = view_from(*rest, t_r->whole.n);
	return true;
}

static struct edit *new_edit(struct walk *w, size_t octets, const uint8_t *at)
{
	struct edit *x = arena_get(w->a, sizeof *x);
	if (x == NULL) {
		(void)impractical(w, "octets of memory", arena_used(w->a));
		return NULL;
	}
	x->at = (size_t)(at - w->content.p);
	x->octets = octets;
	*w->end = x;
	w->end = &x->next;
	return x;
}

/* The identifier octet of t, and the new length in as many octets as the old one if that is enough. False: they are more than
 * anyone needs. */
static void write_head(struct edit *x, const struct ber_tlv *t, bool constructed, size_t length)
{
	const size_t had = (size_t)(t->content.p - t->whole.p) - 1;
	const size_t least = ber_header_size(BER_U(U_OCTETS), length) - 1;
	const size_t n = had > least && had < HEAD_MAX && !t->indefinite ? had : least;
	x->head[0] = (uint8_t)((t->whole.p[0] & ~0x20u) | (constructed ? 0x20u : 0u));
	x->head[1] = (uint8_t)(n == 1 ? length : 0x80 | (n - 1));
	for (size_t i = n; i > 1; i--, length >>= 8)
		x->head[i] = (uint8_t)length;
	x->head_n = 1 + n;
}

/* Walks what is in a constructed element; its definite length follows what has grown in it. */
static bool inside(struct walk *w, const struct ber_tlv *t, unsigned depth, walk_f *f, int64_t *grown)
{
	int64_t more = 0;
	if (!t->constructed)
		return broken(w, t, "a primitive element where one of elements is wanted");
	struct edit *x = new_edit(w, 0, t->whole.p);
	if (x == NULL || !f(w, (struct place){ t->content, depth + 1 }, &more))
		return false;
	if (more != 0 && !t->indefinite) {
		x->octets = (size_t)(t->content.p - t->whole.p);
		write_head(x, t, true, (size_t)((int64_t)t->content.n + more));
		more += (int64_t)x->head_n - (int64_t)x->octets;
	}
	*grown += more;
	return true;
}

/* --- texts --- */

static bool wrap_string(struct walk *w, const struct ber_tlv *t, unsigned depth, enum charset from, unsigned registration,
			int64_t *grown)
{
	struct view text = t->content;
	const struct ber_limits limits = limits_at(w, depth);
	enum ipm_wrapped wrapped;
	size_t n;
	if (t->constructed && !ber_decode(from == CHARSET_IA5 ? &ipm_ia5_string_type : &ipm_general_string_type, t->whole, &text,
					  w->a, &limits, w->e))
		return false;
	if (from == CHARSET_IA5 && ipm_mime_is(text))
		return true;
	if (!ipm_wrap_text(text, from, registration, w->how, NULL, &n, &wrapped, w->e))
		return false;
	if (wrapped != IPM_WRAP_CHANGED)
		return true;
	struct edit *x = new_edit(w, t->whole.n, t->whole.p);
	if (x == NULL)
		return false;
	write_head(x, t, false, n);
	x->text = text;
	x->from = from;
	x->registration = registration;
	w->changed = true;
	*grown += (int64_t)(x->head_n + n) - (int64_t)t->whole.n;
	return true;
}

/* X.420 7.3.1: SEQUENCE of parameters (SET) and data. */
static bool in_ia5_part(struct walk *w, struct place p, int64_t *grown)
{
	struct ber_tlv t = { .whole = p.inside };
	while (p.inside.n > 0) {
		if (!next_element(w, &p.inside, p.depth, &t))
			return false;
		if (t.tag == BER_U(U_IA5))
			return wrap_string(w, &t, p.depth, CHARSET_IA5, CHARSET_REG_NONE, grown);
	}
	return broken(w, &t, "an ia5-text part without an IA5String");
}

/* --- messages --- */

static bool in_body(struct walk *w, struct place p, int64_t *grown);

/* X.420 7.1: SEQUENCE of heading (SET) and body (SEQUENCE OF). What may come behind them is carried. */
static bool in_ipm(struct walk *w, struct place p, int64_t *grown)
{
	struct ber_tlv t = { .whole = p.inside };
	if (p.inside.n == 0)
		return broken(w, &t, "an interpersonal message without a heading");
	if (!next_element(w, &p.inside, p.depth, &t))
		return false;
	if (t.tag != BER_U(U_SET) || p.inside.n == 0)
		return broken(w, &t, "an interpersonal message that is not a heading and a body");
	if (!next_element(w, &p.inside, p.depth, &t))
		return false;
	if (t.tag != BER_U(U_SEQ))
		return broken(w, &t, "an interpersonal message whose body is none");
	return inside(w, &t, p.depth, in_body, grown);
}

/* X.420 7.3.8: SEQUENCE of parameters (SET) and an IPM. */
static bool in_message_part(struct walk *w, struct place p, int64_t *grown)
{
	struct ber_tlv t = { .whole = p.inside };
	while (p.inside.n > 0) {
		if (!next_element(w, &p.inside, p.depth, &t))
			return false;
		if (t.tag == BER_U(U_SEQ))
			return inside(w, &t, p.depth, in_ipm, grown);
	}
	return broken(w, &t, "a message part without a message");
}

/* --- extended parts, X.420 7.3.12: parameters [0] EXTERNAL and data EXTERNAL --- */

enum { PART_OTHER = -1, PART_IA5 = 0, PART_MESSAGE = 7, PART_GENERAL = 11 }; /* n of {id-et n}, 2.6.1.4.n */

static int part_of(struct view oid)
{
	const bool id_et = oid.n == 4 && memcmp(oid.p, "\x56\x01\x04", 3) == 0;
	return id_et && (oid.p[3] == PART_IA5 || oid.p[3] == PART_MESSAGE || oid.p[3] == PART_GENERAL) ? oid.p[3] : PART_OTHER;
}

/* What single-ASN1-type [0] of the data holds. */
static bool in_single(struct walk *w, struct place p, int64_t *grown)
{
	struct ber_tlv t = { .whole = p.inside };
	if (p.inside.n == 0)
		return broken(w, &t, "a text or message part without data");
	if (!next_element(w, &p.inside, p.depth, &t))
		return false;
	if (w->part == PART_IA5 && t.tag == BER_U(U_IA5))
		return wrap_string(w, &t, p.depth, CHARSET_IA5, CHARSET_REG_NONE, grown);
	if (w->part == PART_GENERAL && t.tag == BER_U(U_GENERAL))
		return wrap_string(w, &t, p.depth, CHARSET_GENERAL, w->registration, grown);
	if (w->part == PART_MESSAGE && t.tag == BER_U(U_SEQ))
		return inside(w, &t, p.depth, in_ipm, grown);
	return broken(w, &t, "a text or message part whose data are of another type");
}

/* The parts of an EXTERNAL that matter here, X.690 8.18. */
struct external {
	struct view oid;
	struct ber_tlv encoding; /* tag BER_NO_TAG: none */
};

static bool read_external(struct walk *w, struct place p, struct external *x_r)
{
	*x_r = (struct external){ .encoding.tag = BER_NO_TAG };
	while (p.inside.n > 0 && x_r->encoding.tag == BER_NO_TAG) {
		struct ber_tlv t;
		if (!next_element(w, &p.inside, p.depth, &t))
			return false;
		if (t.tag == BER_U(U_OID) && !t.constructed)
			x_r->oid = t.content;
		else if (ber_tag_class(t.tag) == BER_CONTEXT)
			x_r->encoding = t;
	}
	return true;
}

/* X.420 B.2: SET OF CharacterSetRegistration. False: sets whose text is left alone. */
static bool take_sets(struct walk *w, struct view parameters, unsigned depth)
{
	struct ber_list list;
	const struct ber_limits limits = limits_at(w, depth);
	w->registration = CHARSET_REG_NONE;
	if (!ber_decode(&ipm_general_parameters_type, parameters, &list, w->a, &limits, NULL))
		return true; /* as in ipm_part.c: shown, and wrapped, as if it had none */
	const int64_t *v = list.v;
	for (size_t i = 0; i < list.n; i++) {
		if (v[i] < 0 || v[i] > UINT16_MAX || !charset_is_octet_set((unsigned)v[i]))
			return false;
		if (v[i] > CHARSET_REG_ASCII)
			w->registration = (unsigned)v[i];
	}
	return true;
}

static bool in_data(struct walk *w, struct place p, int64_t *grown)
{
	struct external x;
	if (!read_external(w, p, &x))
		return false;
	w->part = part_of(x.oid);
	const bool wanted = w->part != PART_OTHER && x.encoding.tag == BER_C(0) && (w->part != PART_GENERAL || w->sets_are_simple);
	return !wanted || inside(w, &x.encoding, p.depth, in_single, grown);
}

static bool in_extended_part(struct walk *w, struct place p, int64_t *grown)
{
	struct ber_tlv t = { .whole = p.inside };
	w->registration = CHARSET_REG_NONE;
	w->sets_are_simple = true;
	while (p.inside.n > 0) {
		struct external x;
		if (!next_element(w, &p.inside, p.depth, &t))
			return false;
		if (t.tag == BER_U(U_EXTERNAL))
			return inside(w, &t, p.depth, in_data, grown);
		if (t.tag != BER_C(0) || !t.constructed)
			continue;
		if (!read_external(w, (struct place){ t.content, p.depth + 1 }, &x))
			return false;
		if (x.encoding.tag == BER_C(0))
			w->sets_are_simple = take_sets(w, x.encoding.content, p.depth + 2);
	}
	return broken(w, &t, "an extended body part without data");
}

static bool in_body(struct walk *w, struct place p, int64_t *grown)
{
	while (p.inside.n > 0) {
		struct ber_tlv t;
		bool ok = true;
		if (!next_element(w, &p.inside, p.depth, &t))
			return false;
		if (t.tag == BER_C(0))
			ok = inside(w, &t, p.depth, in_ia5_part, grown);
		else if (t.tag == BER_C(9))
			ok = inside(w, &t, p.depth, in_message_part, grown);
		else if (t.tag == BER_C(15))
			ok = inside(w, &t, p.depth, in_extended_part, grown);
		if (!ok)
			return false;
	}
	return true;
}

/* --- the whole content --- */

/* The octets between the edits stay. */
static bool write_content(struct walk *w, struct out *o)
{
	size_t at = 0;
	for (const struct edit *x = w->first; x != NULL; x = x->next) {
		size_t n;
		enum ipm_wrapped wrapped;
		if (x->head_n == 0) /* nothing has changed in there, or its length is indefinite */
			continue;
		out_bytes(o, view_of(w->content.p + at, x->at - at));
		out_bytes(o, view_of(x->head, x->head_n));
		if (x->text.n > 0 && !ipm_wrap_text(x->text, x->from, x->registration, w->how, o, &n, &wrapped, w->e))
			return false;
		at = x->at + x->octets;
	}
	out_bytes(o, view_from(w->content, at));
	return true;
}

static bool find_edits(struct walk *w, int64_t *grown)
{
	struct ipm ipm;
	struct ber_tlv t;
	struct view rest = w->content;
	if (!ipm_parse(w->content, &ipm, w->a, &w->how->limits, w->e))
		return false;
	if (ipm.message == NULL)
		return true; /* a notification has no text of its own */
	return next_element(w, &rest, 0, &t) && inside(w, &t, 0, in_ipm, grown);
}

bool ipm_wrap(struct view content, const struct ipm_wrap *how, struct arena *a, struct out *o, bool *changed_r, struct err *e)
{
	struct err own;
	struct walk w = { .content = content, .how = how, .a = a, .e = e != NULL ? e : &own };
	int64_t grown = 0;
	w.end = &w.first;
	*changed_r = false;
	if (how->column == 0)
		return true;
	bool ok = find_edits(&w, &grown);
	if (ok && w.changed) {
		const size_t n = (size_t)((int64_t)content.n + grown), before = out_len(o);
		if (n > out_room(o))
			return impractical(&w, "octets for the result", out_room(o));
		ok = write_content(&w, o);
		if (ok)
			assert(out_len(o) - before == n);
		else
			o->n = o->head + before;
	}
	*changed_r = ok && w.changed;
	if (!ok && w.e->reason < 0) { /* the decoder's own: not BER, not this type, or too much of it */
		w.e->reason = CONVERSION_NOT_PERFORMED;
		w.e->diagnostic = arena_full(a) ? CONVERSION_IMPRACTICAL : CONTENT_SYNTAX_ERROR;
	}
	return ok;
}
