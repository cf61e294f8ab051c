/* ber_decode.c - how a table row drives decode.
 *
 * An element's header is read, and the table says what it is: in a SEQ the fields are tried in
 * their order from the last one found, in a SET and a CHOICE all of them. A row matches when its
 * tag is the element's: the row's own, else its type's; an untagged CHOICE matches what one of its
 * alternatives matches, an ANY everything. The row's offset then says where the value goes
 * (BER_POINTER: a new piece of the arena), its flags whether one more header (BER_EXPLICIT) stands
 * before the type's own encoding, and its type's kind which function here reads the content. What
 * no row matches is kept octet for octet in ber_seq.extra, unless the type is closed. At the end of
 * a SEQ or SET the rows that were not seen get their default, or are missed.
 *
 * The input is gone through once, one C call per open element; depth, elements and octets are
 * counted as they come. Lengths are checked against the nearest definite length around them, so
 * that an indefinite element within a definite one can neither run past its end nor stop short of
 * it. */
#include "flow/codec/ber/ber_decode_private.h"

/* --- what a row matches --- */

bool ber_type_matches(const struct ber_type *t, const struct ber_head *h)
{
	uint32_t tag = ber_type_tag(t);
	if (tag != BER_NO_TAG)
		return tag == h->tag;
	if (t->kind != BER_CHOICE)
		return true;
	for (size_t i = 0; i < t->n_fields; i++)
		if (ber_field_matches(&t->fields[i], h))
			return true;
	return false;
}

bool ber_field_matches(const struct ber_field *f, const struct ber_head *h)
{
	uint32_t tag = ber_field_tag(f);
	if (tag != BER_NO_TAG && tag != h->tag)
		return false;
	if ((f->flags & (BER_CONSTRUCTED | BER_PRIMITIVE)) != 0 &&
	    h->constructed != ((f->flags & BER_CONSTRUCTED) != 0))
		return false;
	return tag != BER_NO_TAG || ber_type_matches(f->type, h);
}

static bool is_any(const struct ber_field *f)
{
	return ber_field_tag(f) == BER_NO_TAG && f->type->kind == BER_ANY;
}

/* --- values --- */

static bool decode_value(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
			 struct ber_body *b, const struct ber_elem *el, void *value);

static bool no_room(struct ber_decoder *d, const struct ber_path *at, const struct ber_elem *el)
{
	return ber_decode_fail(d, at, el->start,
			       "the message needs more memory than its quota of %zu in use",
			       arena_used(d->arena));
}

static bool wrong_tag(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
		      const struct ber_elem *el)
{
	char found[40], want[40];
	if (ber_type_tag(t) == BER_NO_TAG)
		snprintf(want, sizeof want, "an alternative");
	else
		ber_tag_text(ber_type_tag(t), want, sizeof want);
	return ber_decode_fail(d, at, el->start, "found %s, want %s of %.40s",
			       ber_tag_text(el->h.tag, found, sizeof found), want, t->name);
}

/* A value with its own tag: the caller has checked none. */
static bool decode_own(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
		       struct ber_body *b, const struct ber_elem *el, void *value)
{
	uint32_t tag = ber_type_tag(t);
	if (tag != BER_NO_TAG && tag != el->h.tag)
		return wrong_tag(d, at, t, el);
	return decode_value(d, at, t, b, el, value);
}

/* An explicit tag holds exactly one element (X.690 8.14.2). */
static bool decode_wrapped(struct ber_decoder *d, const struct ber_path *at,
			   const struct ber_type *of, struct ber_body *b, const struct ber_elem *el,
			   void *value)
{
	struct ber_body in;
	struct ber_elem inner;
	if (!ber_decode_enter(d, at, b, el, &in))
		return false;
	switch (ber_decode_next(d, at, &in, &inner)) {
	case BER_NEXT_BAD: return false;
	case BER_NEXT_END:
		return ber_decode_fail(d, at, el->start,
				       "nothing within an explicit tag, want %.60s", of->name);
	case BER_NEXT_ELEM: break;
	}
	if (!decode_own(d, at, of, &in, &inner, value))
		return false;
	enum ber_next end = ber_decode_next(d, at, &in, &inner);
	if (end == BER_NEXT_ELEM)
		return ber_decode_fail(d, at, inner.start,
				       "a second element within an explicit tag");
	return end == BER_NEXT_END;
}

static bool decode_field(struct ber_decoder *d, const struct ber_path *up,
			 const struct ber_field *f, struct ber_body *b, const struct ber_elem *el,
			 void *base)
{
	const struct ber_path at = {up, f->name, BER_NO_INDEX};
	void *value = (uint8_t *)base + f->offset;
	if ((f->flags & BER_POINTER) != 0) {
		void **pointer = value;
		*pointer = value = arena_get(d->arena, f->type->size);
		if (value == NULL)
			return no_room(d, &at, el);
	}
	if (ber_field_wraps(f))
		return decode_wrapped(d, &at, f->type, b, el, value);
	return decode_value(d, &at, f->type, b, el, value);
}

static bool add_extra(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		      const struct ber_elem *el, struct ber_seq *seq, size_t after)
{
	size_t n = seq->n_extra;
	if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, ...: full */
		struct ber_raw *more = arena_array(d->arena, n == 0 ? 1 : 2 * n, sizeof *more);
		if (more == NULL)
			return no_room(d, at, el);
		if (n > 0)
			memcpy(more, seq->extra, n * sizeof *more);
		seq->extra = more;
	}
	seq->extra[n].after = after;
	seq->n_extra = n + 1;
	return ber_decode_whole(d, at, b, el, &seq->extra[n].tlv);
}

static bool unknown_in_closed(struct ber_decoder *d, const struct ber_path *at,
			      const struct ber_type *t, const struct ber_elem *el)
{
	char found[40];
	return ber_decode_fail(d, at, el->start, "found %s, which %.60s does not have",
			       ber_tag_text(el->h.tag, found, sizeof found), t->name);
}

/* An extensible untagged CHOICE that is not optional takes the unknown element found in its place:
 * it is an alternative of a later version, not a missing field. */
static bool adopt_other(const struct ber_type *t, size_t i, struct ber_seq *seq)
{
	const struct ber_field *f = &t->fields[i];
	if (t->kind != BER_SEQ || f->type->kind != BER_CHOICE || f->type->closed ||
	    ber_field_tag(f) != BER_NO_TAG || (f->flags & BER_POINTER) != 0)
		return false;
	for (size_t k = 0; k < seq->n_extra; k++) {
		if (seq->extra[k].after != i)
			continue;
		struct ber_choice *choice = (void *)((uint8_t *)(void *)seq + f->offset);
		*choice = (struct ber_choice){BER_CHOICE_OTHER, seq->extra[k].tlv};
		seq->n_extra--;
		memmove(&seq->extra[k], &seq->extra[k + 1],
			(seq->n_extra - k) * sizeof seq->extra[0]);
		for (; k < seq->n_extra && seq->extra[k].after == i; k++)
			seq->extra[k].after = i + 1;
		seq->has |= UINT64_C(1) << i;
		return true;
	}
	return false;
}

/* A BER_POINTER stays NULL, which encode takes for the default. */
static void set_default(const struct ber_field *f, void *base)
{
	void *value = (uint8_t *)base + f->offset;
	if ((f->flags & BER_POINTER) != 0)
		return;
	if (f->type->kind == BER_BOOL)
		*(bool *)value = f->def != 0;
	else if (f->type->kind == BER_INT || f->type->kind == BER_ENUM)
		*(int64_t *)value = f->def;
}

/* Defaults for what was not there, and an error for what had to be. */
static bool complete(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
		     const struct ber_elem *el, struct ber_seq *seq)
{
	for (size_t i = 0; i < t->n_fields; i++) {
		const struct ber_field *f = &t->fields[i];
		if ((seq->has >> i & 1) != 0 || (f->flags & BER_OPTIONAL) != 0)
			continue;
		if ((f->flags & BER_HAS_DEFAULT) != 0)
			set_default(f, seq);
		else if (!adopt_other(t, i, seq))
			return ber_decode_fail(d, at, el->start, "field %.60s of %.40s is missing",
					       f->name, t->name);
	}
	return true;
}

static bool misplaced(struct ber_decoder *d, const struct ber_path *at, const struct ber_field *f,
		      const struct ber_elem *el, bool twice)
{
	char found[40];
	return ber_decode_fail(d, at, el->start, "found %s of field %.60s %s",
			       ber_tag_text(el->h.tag, found, sizeof found), f->name,
			       twice ? "a second time" : "after a later field");
}

/* The field el belongs to, from `next` on; n_fields when no field of the table has its tag. */
static bool find_in_seq(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
			const struct ber_elem *el, const struct ber_seq *seq, size_t next,
			size_t *i_r)
{
	for (size_t i = next; i < t->n_fields; i++) {
		if (ber_field_matches(&t->fields[i], &el->h)) {
			*i_r = i;
			return true;
		}
	}
	for (size_t i = 0; i < next; i++)
		if (!is_any(&t->fields[i]) && ber_field_matches(&t->fields[i], &el->h))
			return misplaced(d, at, &t->fields[i], el, (seq->has >> i & 1) != 0);
	*i_r = t->n_fields;
	return true;
}

/* X.690 8.9: the order of the table. */
static bool decode_seq(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
		       struct ber_body *b, const struct ber_elem *el, struct ber_seq *seq)
{
	struct ber_body in;
	size_t next = 0;
	if (!ber_decode_enter(d, at, b, el, &in))
		return false;
	for (;;) {
		struct ber_elem child;
		size_t i;
		switch (ber_decode_next(d, at, &in, &child)) {
		case BER_NEXT_BAD: return false;
		case BER_NEXT_END: return complete(d, at, t, el, seq);
		case BER_NEXT_ELEM: break;
		}
		if (!find_in_seq(d, at, t, &child, seq, next, &i))
			return false;
		if (i < t->n_fields) {
			if (!decode_field(d, at, &t->fields[i], &in, &child, seq))
				return false;
			seq->has |= UINT64_C(1) << i;
			next = i + 1;
		} else if (t->closed) {
			return unknown_in_closed(d, at, t, &child);
		} else if (!add_extra(d, at, &in, &child, seq, next)) {
			return false;
		}
	}
}

/* From `hint` on and around, since most senders keep to the order of the table; an ANY gets what is
 * left. */
static size_t find_in_set(const struct ber_type *t, const struct ber_head *h, uint64_t has,
			  size_t hint)
{
	size_t any = t->n_fields;
	for (size_t k = 0, i = hint; k < t->n_fields; k++, i++) {
		i = i >= t->n_fields ? 0 : i;
		if (is_any(&t->fields[i]))
			any = (has >> i & 1) != 0 ? any : i;
		else if (ber_field_matches(&t->fields[i], h))
			return i;
	}
	return any;
}

/* X.690 8.11: any order, each field at most once. */
static bool decode_set(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
		       struct ber_body *b, const struct ber_elem *el, struct ber_seq *set)
{
	struct ber_body in;
	size_t hint = 0;
	if (!ber_decode_enter(d, at, b, el, &in))
		return false;
	for (;;) {
		struct ber_elem child;
		switch (ber_decode_next(d, at, &in, &child)) {
		case BER_NEXT_BAD: return false;
		case BER_NEXT_END: return complete(d, at, t, el, set);
		case BER_NEXT_ELEM: break;
		}
		size_t i = find_in_set(t, &child.h, set->has, hint);
		if (i < t->n_fields) {
			if ((set->has >> i & 1) != 0)
				return misplaced(d, at, &t->fields[i], &child, true);
			if (!decode_field(d, at, &t->fields[i], &in, &child, set))
				return false;
			set->has |= UINT64_C(1) << i;
			hint = i + 1;
		} else if (t->closed) {
			return unknown_in_closed(d, at, t, &child);
		} else if (!add_extra(d, at, &in, &child, set, t->n_fields)) {
			return false;
		}
	}
}

/* Elements in `in`, as far as their lengths are definite: a guess that spares most lists from
 * growing. */
static size_t count_elements(const struct ber_decoder *d, const struct ber_body *in)
{
	struct cur c = *in->c;
	struct ber_head h;
	const char *why;
	size_t n = 0;
	while (n < d->elements_left && cur_left(&c) > 0 &&
	       ber_head_read(view_of(c.p, cur_left(&c)), &h, &why) == STEP_DONE &&
	       h.tag != BER_U(0)) {
		n++;
		if (h.indefinite || h.length > cur_left(&c) - h.size)
			break;
		(void)cur_bytes(&c, h.size + h.length);
	}
	return n;
}

static bool decode_list(struct ber_decoder *d, const struct ber_path *up, const struct ber_type *t,
			struct ber_body *b, const struct ber_elem *el, struct ber_list *list)
{
	struct ber_body in;
	if (!ber_decode_enter(d, up, b, el, &in))
		return false;
	size_t cap = 0, guess = count_elements(d, &in);
	for (;; list->n++) {
		const struct ber_path at = {up, NULL, list->n};
		struct ber_elem child;
		switch (ber_decode_next(d, &at, &in, &child)) {
		case BER_NEXT_BAD: return false;
		case BER_NEXT_END: return true;
		case BER_NEXT_ELEM: break;
		}
		if (list->n == cap) {
			cap = cap == 0 && guess > 0 ? guess : 2 * cap + 1;
			void *more = arena_array(d->arena, cap, t->of->size);
			if (more == NULL)
				return no_room(d, &at, &child);
			if (list->n > 0)
				memcpy(more, list->v, list->n * t->of->size);
			list->v = more;
		}
		if (!decode_own(d, &at, t->of, &in, &child,
				(uint8_t *)list->v + list->n * t->of->size))
			return false;
	}
}

static bool decode_choice(struct ber_decoder *d, const struct ber_path *at,
			  const struct ber_type *t, struct ber_body *b, const struct ber_elem *el,
			  struct ber_choice *choice)
{
	for (uint32_t i = 0; i < t->n_fields; i++) {
		if (!ber_field_matches(&t->fields[i], &el->h))
			continue;
		choice->which = i + 1;
		return decode_field(d, at, &t->fields[i], b, el, choice);
	}
	if (t->closed)
		return wrong_tag(d, at, t, el);
	choice->which = BER_CHOICE_OTHER;
	return ber_decode_whole(d, at, b, el, &choice->other);
}

/* Types that have only a primitive form (X.690 8.2.1, 8.3.1, 8.8.1, 8.19.1). */
static bool primitive(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		      const struct ber_elem *el, struct view *v_r)
{
	char tag[40];
	if (el->h.constructed)
		return ber_decode_fail(d, at, el->start, "%s is constructed, want primitive",
				       ber_tag_text(el->h.tag, tag, sizeof tag));
	*v_r = cur_bytes(b->c, el->h.length);
	return true;
}

static bool decode_fixed(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
			 struct view v, const struct ber_elem *el, void *value)
{
	if (t->kind == BER_BOOL) {
		if (v.n != 1)
			return ber_decode_fail(d, at, el->start, "a BOOLEAN of %zu octets, want 1",
					       v.n);
		*(bool *)value = v.p[0] != 0;
	} else if (t->kind == BER_NULL) {
		if (v.n != 0)
			return ber_decode_fail(d, at, el->start, "a NULL of %zu octets, want 0",
					       v.n);
	} else if (!ber_int_value(v, value)) {
		return ber_decode_fail(d, at, el->start, "an integer of %zu octets, want 1 to 8",
				       v.n);
	}
	return true;
}

/* Kinds whose C form is their content octets. */
static bool decode_view(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
			struct view v, const struct ber_elem *el, struct view *value)
{
	const bool oid = t->kind == BER_OID || t->kind == BER_RELATIVE_OID;
	if (v.n == 0 && t->kind != BER_REAL)
		return ber_decode_fail(d, at, el->start, "%.40s without content octets", t->name);
	if (oid && v.p[v.n - 1] >= 0x80)
		return ber_decode_fail(d, at, el->start, "the last arc of %.40s is cut short",
				       t->name);
	*value = v;
	return true;
}

/* One C value of t from el; that its tag belongs here, the caller has seen to. */
static bool decode_value(struct ber_decoder *d, const struct ber_path *at, const struct ber_type *t,
			 struct ber_body *b, const struct ber_elem *el, void *value)
{
	struct view v;
	switch (t->kind) {
	case BER_BOOL:
	case BER_INT:
	case BER_ENUM:
	case BER_NULL: return primitive(d, at, b, el, &v) && decode_fixed(d, at, t, v, el, value);
	case BER_BIGINT:
	case BER_OID:
	case BER_RELATIVE_OID:
	case BER_REAL: return primitive(d, at, b, el, &v) && decode_view(d, at, t, v, el, value);
	case BER_BITS: return ber_decode_bits(d, at, b, el, value);
	case BER_OCTETS:
	case BER_STRING:
	case BER_TIME: return ber_decode_octets(d, at, b, el, value);
	case BER_ANY: return ber_decode_whole(d, at, b, el, value);
	case BER_SEQ: return decode_seq(d, at, t, b, el, value);
	case BER_SET: return decode_set(d, at, t, b, el, value);
	case BER_SEQ_OF:
	case BER_SET_OF: return decode_list(d, at, t, b, el, value);
	case BER_CHOICE: return decode_choice(d, at, t, b, el, value);
	case BER_TAGGED: return decode_wrapped(d, at, t->of, b, el, value);
	}
	CANT_HAPPEN("a kind that is none");
}

bool ber_decode_first(const struct ber_type *t, struct view in, void *value_r, size_t *used_r,
		      struct arena *a, const struct ber_limits *limits, struct err *e)
{
	struct ber_decoder d = {
		.arena = a,
		.depth_max = limits->depth < BER_DEPTH_MAX ? limits->depth : BER_DEPTH_MAX,
		.elements_left = limits->elements,
		.base = in.p,
		.e = e,
	};
	const struct ber_path at = {NULL, t->name, BER_NO_INDEX};
	struct ber_body b = {.own = cur_of(in), .bound = in.n};
	struct ber_elem el;
	b.c = &b.own;
	memset(value_r, 0, t->size);
	switch (ber_decode_next(&d, &at, &b, &el)) {
	case BER_NEXT_BAD: return false;
	case BER_NEXT_END: return ber_decode_fail(&d, &at, in.p, "no octets");
	case BER_NEXT_ELEM: break;
	}
	if (el.h.length > limits->bytes)
		return ber_decode_fail(&d, &at, in.p, "length %zu is over the limit of %zu octets",
				       el.h.length, limits->bytes);
	if (!decode_own(&d, &at, t, &b, &el, value_r))
		return false;
	*used_r = in.n - cur_left(&b.own);
	if (*used_r > limits->bytes)
		return ber_decode_fail(&d, &at, in.p, "%zu octets are over the limit of %zu",
				       *used_r, limits->bytes);
	return true;
}

bool ber_decode(const struct ber_type *t, struct view in, void *value_r, struct arena *a,
		const struct ber_limits *limits, struct err *e)
{
	size_t used;
	if (in.n > limits->bytes)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE,
			       "%.60s: %zu octets are over the limit of %zu", t->name, in.n,
			       limits->bytes);
	if (!ber_decode_first(t, in, value_r, &used, a, limits, e))
		return false;
	if (used != in.n)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE,
			       "%.60s: %zu octets follow the value, at octet %zu", t->name,
			       in.n - used, used);
	return true;
}
