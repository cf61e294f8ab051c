/* ber_encode.c - two passes over the value. The first adds up the octets and finds what breaks the
 * table; it is ber_size too. The second writes from the last octet to the first into the room
 * reserved: so each length is known when its header is written, and nothing is kept between the
 * passes. */
#include "flow/codec/ber/ber_private.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- what is written, and in which order --- */

static bool equals_default(const struct ber_field *f, const void *value)
{
	if (value == NULL)
		return true;
	if (f->type->kind == BER_BOOL)
		return *(const bool *)value == (f->def != 0);
	return *(const int64_t *)value == f->def;
}

bool ber_field_present(const struct ber_type *t, size_t i, const void *base)
{
	const struct ber_field *f = &t->fields[i];
	if ((f->flags & BER_HAS_DEFAULT) != 0 &&
	    (f->type->kind == BER_BOOL || f->type->kind == BER_INT || f->type->kind == BER_ENUM))
		return !equals_default(f, ber_field_value(f, base));
	if ((f->flags & (BER_OPTIONAL | BER_HAS_DEFAULT)) != 0)
		return (((const struct ber_seq *)base)->has >> i & 1) != 0;
	return true;
}

static bool is_constructed(const struct ber_type *t)
{
	return t->kind == BER_SEQ || t->kind == BER_SET || t->kind == BER_SEQ_OF ||
	       t->kind == BER_SET_OF || t->kind == BER_TAGGED;
}

static unsigned int_size(int64_t x)
{
	uint64_t magnitude = (uint64_t)(x < 0 ? ~x : x);
	return magnitude == 0 ? 1 : (unsigned)(64 - __builtin_clzll(magnitude)) / 8 + 1;
}

static uint32_t raw_tag(struct view tlv)
{
	struct ber_head h;
	const char *why;
	return ber_head_read(tlv, &h, &why) == STEP_DONE ? h.tag : BER_NO_TAG;
}

/* The tag the field's octets begin with: an untagged CHOICE counts as what is chosen (X.690 10.3).
 */
static uint32_t first_tag(const struct ber_field *f, const void *base)
{
	for (;;) {
		uint32_t tag = ber_field_tag(f);
		const void *value = ber_field_value(f, base);
		if (tag != BER_NO_TAG || value == NULL)
			return tag;
		if (f->type->kind == BER_ANY)
			return raw_tag(*(const struct view *)value);
		const struct ber_choice *choice = value;
		if (choice->which == BER_CHOICE_OTHER)
			return raw_tag(choice->other);
		if (choice->which == 0 || choice->which > f->type->n_fields)
			return BER_NO_TAG;
		base = value;
		f = &f->type->fields[choice->which - 1];
	}
}

/* One element of a SET: a field below n_fields, else an unknown element. */
struct item {
	uint32_t tag;
	size_t i;
};

static int by_tag(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/* Tables are nearly in tag order as they stand, so that few items move. */
static void sort_items(struct item *items, size_t n)
{
	enum { FEW = 128 };
	if (n > FEW) {
		qsort(items, n, sizeof *items, by_tag);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct item x = items[i];
		size_t j = i;
		for (; j > 0 && by_tag(&x, &items[j - 1]) < 0; j--)
			items[j] = items[j - 1];
		items[j] = x;
	}
}

static size_t set_items(const struct ber_type *t, const struct ber_seq *set, struct item *items)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_fields; i++)
		if (ber_field_present(t, i, set))
			items[n++] = (struct item){first_tag(&t->fields[i], set), i};
	for (size_t i = 0; i < set->n_extra; i++)
		items[n++] = (struct item){raw_tag(set->extra[i].tlv), t->n_fields + i};
	sort_items(items, n);
	return n;
}

/* --- first pass: sizes --- */

struct sizer {
	struct err *e;
	bool bad;
	unsigned depth;
};

static size_t size_content(struct sizer *s, const struct ber_path *at, const struct ber_type *t,
			   const void *value);

static size_t size_fail(struct sizer *s, const struct ber_path *at, const char *what)
{
	char path[100];
	if (!s->bad)
		err_set(s->e, ERR_LOCAL, ERR_OF_MESSAGE, "%s: cannot be encoded, %s",
			ber_path_text(at, path, sizeof path), what);
	s->bad = true;
	return 0;
}

static size_t with_header(uint32_t tag, size_t content)
{
	return ber_header_size(tag, content) + content;
}

/* A value with its own header, or with `tag` in its stead. */
static size_t size_value(struct sizer *s, const struct ber_path *at, const struct ber_type *t,
			 uint32_t tag, const void *value)
{
	size_t content = size_content(s, at, t, value);
	return tag == BER_NO_TAG ? content : with_header(tag, content);
}

static size_t size_field(struct sizer *s, const struct ber_path *up, const struct ber_field *f,
			 const void *base)
{
	const struct ber_path at = {up, f->name, BER_NO_INDEX};
	const void *value = ber_field_value(f, base);
	if (value == NULL)
		return size_fail(s, &at, "it is absent");
	if (!ber_field_wraps(f))
		return size_value(s, &at, f->type, ber_field_tag(f), value);
	return with_header(f->tag, size_value(s, &at, f->type, ber_type_tag(f->type), value));
}

static size_t size_fields(struct sizer *s, const struct ber_path *at, const struct ber_type *t,
			  const struct ber_seq *seq)
{
	size_t n = 0;
	assert(t->n_fields <= 64);
	for (size_t i = 0; i < t->n_fields; i++)
		if (ber_field_present(t, i, seq))
			n += size_field(s, at, &t->fields[i], seq);
	for (size_t i = 0; i < seq->n_extra; i++)
		n += seq->extra[i].tlv.n;
	return n;
}

static size_t size_list(struct sizer *s, const struct ber_path *up, const struct ber_type *t,
			const struct ber_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct ber_path at = {up, NULL, i};
		n += size_value(s, &at, t->of, ber_type_tag(t->of),
				(const uint8_t *)list->v + i * t->of->size);
	}
	return n;
}

static size_t size_choice(struct sizer *s, const struct ber_path *at, const struct ber_type *t,
			  const struct ber_choice *choice)
{
	if (choice->which == BER_CHOICE_OTHER && choice->other.n > 0)
		return choice->other.n;
	if (choice->which == 0 || choice->which > t->n_fields)
		return size_fail(s, at, "no alternative of its CHOICE is set");
	return size_field(s, at, &t->fields[choice->which - 1], choice);
}

static size_t size_leaf(struct sizer *s, const struct ber_path *at, const struct ber_type *t,
			const void *value)
{
	const struct ber_bits *bits = value;
	const struct view *v = value;
	switch (t->kind) {
	case BER_BOOL: return 1;
	case BER_NULL: return 0;
	case BER_INT:
	case BER_ENUM: return int_size(*(const int64_t *)value);
	case BER_BITS:
		if (bits->unused > 7 || (bits->unused > 0 && bits->bytes.n == 0))
			return size_fail(s, at, "its count of unused bits is wrong");
		return 1 + bits->bytes.n;
	case BER_BIGINT:
	case BER_OID:
	case BER_RELATIVE_OID:
	case BER_ANY: return v->n > 0 ? v->n : size_fail(s, at, "it has no octets");
	default: return v->n;
	}
}

static size_t size_content(struct sizer *s, const struct ber_path *at, const struct ber_type *t,
			   const void *value)
{
	size_t n;
	if (!is_constructed(t) && t->kind != BER_CHOICE)
		return size_leaf(s, at, t, value);
	/* 2: a CHOICE counts here, and has no header of its own. */
	if (s->depth >= 2 * BER_DEPTH_MAX)
		return size_fail(s, at, "it is nested too deep");
	s->depth++;
	if (t->kind == BER_SEQ || t->kind == BER_SET)
		n = size_fields(s, at, t, value);
	else if (t->kind == BER_CHOICE)
		n = size_choice(s, at, t, value);
	else if (t->kind == BER_TAGGED)
		n = size_value(s, at, t->of, ber_type_tag(t->of), value);
	else
		n = size_list(s, at, t, value);
	s->depth--;
	return n;
}

/* --- second pass: octets, from the end --- */

struct writer {
	uint8_t *p; /* everything from here on is written */
};

static void write_value(struct writer *w, const struct ber_type *t, uint32_t tag,
			const void *value);

static void put_view(struct writer *w, struct view v)
{
	w->p -= v.n;
	if (v.n > 0)
		memcpy(w->p, v.p, v.n);
}

static void put_head(struct writer *w, uint32_t tag, bool constructed, const uint8_t *end)
{
	size_t length = (size_t)(end - w->p);
	if (ber_tag_number(tag) < 31 && length < 0x80) {
		*--w->p = (uint8_t)length;
		*--w->p = (uint8_t)((tag >> 30) << 6 | (constructed ? 0x20u : 0u) | (tag & 0x1f));
		return;
	}
	w->p -= ber_header_size(tag, length);
	ber_head_write(w->p, tag, constructed, length);
}

static void put_int(struct writer *w, int64_t x)
{
	uint64_t left = (uint64_t)x;
	for (unsigned n = int_size(x); n > 0; n--, left >>= 8)
		*--w->p = (uint8_t)left;
}

static void write_field(struct writer *w, const struct ber_field *f, const void *base)
{
	const void *value = ber_field_value(f, base);
	if (!ber_field_wraps(f)) {
		write_value(w, f->type, ber_field_tag(f), value);
		return;
	}
	const uint8_t *end = w->p;
	write_value(w, f->type, ber_type_tag(f->type), value);
	put_head(w, f->tag, true, end);
}

static void write_seq(struct writer *w, const struct ber_type *t, const struct ber_seq *seq)
{
	size_t extra = seq->n_extra;
	for (size_t i = t->n_fields;; i--) {
		while (extra > 0 && seq->extra[extra - 1].after >= i)
			put_view(w, seq->extra[--extra].tlv);
		if (i == 0)
			return;
		if (ber_field_present(t, i - 1, seq))
			write_field(w, &t->fields[i - 1], seq);
	}
}

static void write_set(struct writer *w, const struct ber_type *t, const struct ber_seq *set)
{
	struct item few[64 + 16], *items = few;
	if (set->n_extra > 16)
		items = mem_alloc(mem_mul(mem_add(64, set->n_extra), sizeof *items));
	for (size_t n = set_items(t, set, items); n > 0; n--) {
		size_t i = items[n - 1].i;
		if (i < t->n_fields)
			write_field(w, &t->fields[i], set);
		else
			put_view(w, set->extra[i - t->n_fields].tlv);
	}
	if (items != few)
		free(items);
}

static void write_list(struct writer *w, const struct ber_type *t, const struct ber_list *list)
{
	const uint32_t tag = ber_type_tag(t->of);
	for (size_t i = list->n; i > 0; i--)
		write_value(w, t->of, tag, (const uint8_t *)list->v + (i - 1) * t->of->size);
}

static void write_choice(struct writer *w, const struct ber_type *t,
			 const struct ber_choice *choice)
{
	if (choice->which == BER_CHOICE_OTHER)
		put_view(w, choice->other);
	else
		write_field(w, &t->fields[choice->which - 1], choice);
}

static void write_bits(struct writer *w, const struct ber_bits *bits)
{
	put_view(w, bits->bytes);
	*--w->p = (uint8_t)bits->unused;
}

static void write_content(struct writer *w, const struct ber_type *t, const void *value)
{
	switch (t->kind) {
	case BER_BOOL:
		*--w->p = *(const bool *)value ? 0xff : 0; /* 0xff: what DER wants too (11.1) */
		return;
	case BER_INT:
	case BER_ENUM: put_int(w, *(const int64_t *)value); return;
	case BER_BITS: write_bits(w, value); return;
	case BER_NULL: return;
	case BER_BIGINT:
	case BER_OCTETS:
	case BER_OID:
	case BER_RELATIVE_OID:
	case BER_REAL:
	case BER_STRING:
	case BER_TIME:
	case BER_ANY: put_view(w, *(const struct view *)value); return;
	case BER_SEQ: write_seq(w, t, value); return;
	case BER_SET: write_set(w, t, value); return;
	case BER_SEQ_OF:
	case BER_SET_OF: write_list(w, t, value); return;
	case BER_CHOICE: write_choice(w, t, value); return;
	case BER_TAGGED: write_value(w, t->of, ber_type_tag(t->of), value); return;
	}
	CANT_HAPPEN("a kind that is none");
}

static void write_value(struct writer *w, const struct ber_type *t, uint32_t tag, const void *value)
{
	const uint8_t *end = w->p;
	write_content(w, t, value);
	if (tag != BER_NO_TAG)
		put_head(w, tag, is_constructed(t), end);
}

bool ber_measure(const struct ber_type *t, const void *value, size_t *n_r, struct err *e)
{
	struct sizer s = {.e = e};
	const struct ber_path at = {NULL, t->name, BER_NO_INDEX};
	*n_r = size_value(&s, &at, t, ber_type_tag(t), value);
	return !s.bad;
}

size_t ber_size(const struct ber_type *t, const void *value)
{
	size_t n;
	return ber_measure(t, value, &n, NULL) ? n : 0;
}

bool ber_encode(const struct ber_type *t, const void *value, struct out *o, struct err *e)
{
	size_t n;
	if (!ber_measure(t, value, &n, e))
		return false;
	uint8_t *p = out_reserve(o, n);
	if (p == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE,
			       "%.60s: %zu octets of encoding do not fit the output, "
			       "whose limit is %zu",
			       t->name, n, o->max);
	struct writer w = {p + n};
	write_value(&w, t, ber_type_tag(t), value);
	assert(w.p == p);
	return true;
}
