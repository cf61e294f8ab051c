/* ber_decode_walk.c - from element to element, within the lengths and the limits. */
#include "flow/codec/ber/ber_decode_private.h"

#include <stdarg.h>

void ber_decode_error(struct ber_decoder *d, const struct ber_path *at, const uint8_t *where,
		      const char *fmt, ...)
{
	char path[100], what[160];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	err_set(d->e, ERR_PERM, ERR_OF_MESSAGE, "%s: %s, at octet %zu",
		ber_path_text(at, path, sizeof path), what,
		where == NULL ? 0 : (size_t)(where - d->base));
}

enum ber_next ber_decode_next(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
			      struct ber_elem *el_r)
{
	const struct view left = view_of(b->c->p, cur_left(b->c));
	const char *why = "";
	if (left.n == 0 && !b->indefinite)
		return BER_NEXT_END;
	enum step step = ber_head_read(left, &el_r->h, &why);
	if (step == STEP_FAIL) {
		ber_decode_error(d, at, left.p, "%s", why);
	} else if (step == STEP_WAIT) {
		ber_decode_error(d, at, left.p, "%s before the end of the %zu octets around it",
				 left.n == 0 ? "no end-of-contents" : "a header cut short",
				 b->bound);
	} else if (el_r->h.tag == BER_U(0)) {
		if (b->indefinite && !el_r->h.constructed && el_r->h.length == 0 &&
		    el_r->h.size == 2) {
			(void)cur_bytes(b->c, 2);
			return BER_NEXT_END;
		}
		ber_decode_error(d, at, left.p, "tag 0 where no end-of-contents is due");
	} else if (el_r->h.length > left.n - el_r->h.size) {
		ber_decode_error(d, at, left.p,
				 "an element of length %zu where %zu octets are left of the "
				 "%zu around it",
				 el_r->h.length, left.n - el_r->h.size, b->bound);
	} else if (d->elements_left == 0) {
		ber_decode_error(d, at, left.p, "more elements than the limit");
	} else {
		d->elements_left--;
		el_r->start = left.p;
		(void)cur_bytes(b->c, el_r->h.size);
		return BER_NEXT_ELEM;
	}
	return BER_NEXT_BAD;
}

bool ber_decode_enter(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		      const struct ber_elem *el, struct ber_body *inner_r)
{
	char tag[40];
	if (!el->h.constructed)
		return ber_decode_fail(d, at, el->start, "%s is primitive, want constructed",
				       ber_tag_text(el->h.tag, tag, sizeof tag));
	if (b->depth >= d->depth_max)
		return ber_decode_fail(d, at, el->start,
				       "elements nested deeper than the limit of %u", d->depth_max);
	inner_r->depth = b->depth + 1;
	inner_r->indefinite = el->h.indefinite;
	if (el->h.indefinite) {
		inner_r->c = b->c;
		inner_r->bound = b->bound;
	} else {
		inner_r->own = cur_of(cur_bytes(b->c, el->h.length));
		inner_r->c = &inner_r->own;
		inner_r->bound = el->h.length;
	}
	return true;
}

/* Indefinite elements share their cursor, so one body serves all that are open here. */
static bool skip_indefinite(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
			    const struct ber_elem *el)
{
	struct ber_body inner;
	if (!ber_decode_enter(d, at, b, el, &inner))
		return false;
	const unsigned outside = b->depth;
	while (inner.depth > outside) {
		struct ber_elem child;
		enum ber_next next = ber_decode_next(d, at, &inner, &child);
		if (next == BER_NEXT_BAD)
			return false;
		if (next == BER_NEXT_END)
			inner.depth--;
		else if (!child.h.indefinite)
			(void)cur_bytes(inner.c, child.h.length);
		else if (inner.depth++ >= d->depth_max)
			return ber_decode_fail(d, at, child.start,
					       "elements nested deeper than the "
					       "limit of %u",
					       d->depth_max);
	}
	return true;
}

bool ber_decode_whole(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		      const struct ber_elem *el, struct view *tlv_r)
{
	if (!el->h.indefinite)
		(void)cur_bytes(b->c, el->h.length);
	else if (!skip_indefinite(d, at, b, el))
		return false;
	*tlv_r = view_of(el->start, (size_t)(b->c->p - el->start));
	return true;
}
