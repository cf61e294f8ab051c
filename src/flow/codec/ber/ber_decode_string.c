/* ber_decode_string.c - BIT STRING, OCTET STRING and the character strings: zero copy when there is
 * one piece, joined in the arena when there are more. */
#include "flow/codec/ber/ber_decode_private.h"

struct pieces {
	bool bits;	   /* each piece begins with its count of unused bits */
	unsigned n;	   /* not counted above 2: one piece needs no copy */
	struct view first; /* content of the first piece that is not empty */
	size_t octets;
	unsigned unused; /* of the last piece */
	bool ended;	 /* a piece with unused bits was there: none may follow (8.6.4) */
};

/* X.690 8.6.4.1 and 8.7.3.2: pieces are BIT STRINGs, OCTET STRINGs. 8.23.2 makes those of a
 * character string OCTET STRINGs too; some encoders give them the string's own tag, so that any of
 * these tags passes. */
static bool piece_tag(const struct pieces *s, uint32_t tag)
{
	if (s->bits)
		return tag == BER_U(3);
	uint32_t number = ber_tag_number(tag);
	return ber_tag_class(tag) == BER_UNIVERSAL &&
	       (number == 4 || number == 7 || number == 12 || (number >= 18 && number <= 30));
}

/* X.690 8.6.2: the first octet counts the unused bits of the last. */
static bool check_bits(struct ber_decoder *d, const struct ber_path *at, const struct ber_elem *el,
		       struct view v)
{
	if (v.n == 0)
		return ber_decode_fail(d, at, el->start, "a BIT STRING without its first octet");
	if (v.p[0] > 7 || (v.p[0] != 0 && v.n == 1))
		return ber_decode_fail(d, at, el->start,
				       "a BIT STRING of %zu octets with %u unused bits", v.n - 1,
				       v.p[0]);
	return true;
}

static bool add_piece(struct ber_decoder *d, const struct ber_path *at, const struct ber_elem *el,
		      struct view v, struct pieces *s)
{
	if (s->bits) {
		if (!check_bits(d, at, el, v))
			return false;
		if (s->ended)
			return ber_decode_fail(
				d, at, el->start,
				"a piece of a BIT STRING after one with unused bits");
		s->unused = v.p[0];
		s->ended = s->unused != 0;
		v = view_from(v, 1);
	}
	if (v.n == 0)
		return true;
	if (s->n == 0)
		s->first = v;
	s->n += s->n < 2;
	s->octets += v.n;
	return true;
}

/* One call per level: the depth limit bounds it. */
static bool measure(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		    const struct ber_elem *el, struct pieces *s)
{
	struct ber_body in;
	char found[40];
	if (!ber_decode_enter(d, at, b, el, &in))
		return false;
	for (;;) {
		struct ber_elem piece;
		switch (ber_decode_next(d, at, &in, &piece)) {
		case BER_NEXT_BAD: return false;
		case BER_NEXT_END: return true;
		case BER_NEXT_ELEM: break;
		}
		if (!piece_tag(s, piece.h.tag))
			return ber_decode_fail(d, at, piece.start,
					       "found %s within a constructed string",
					       ber_tag_text(piece.h.tag, found, sizeof found));
		if (piece.h.constructed
			    ? !measure(d, at, &in, &piece, s)
			    : !add_piece(d, at, &piece, cur_bytes(in.c, piece.h.length), s))
			return false;
	}
}

/* Copies the content of every primitive in `content`, which measure has been through: headers of
 * constructed pieces and end-of-contents are stepped over. */
static void join(struct view content, const struct pieces *s, uint8_t *to)
{
	struct cur c = cur_of(content);
	while (cur_left(&c) > 0) {
		struct ber_head h;
		const char *why;
		if (ber_head_read(view_of(c.p, cur_left(&c)), &h, &why) != STEP_DONE)
			CANT_HAPPEN("a header that was read before");
		(void)cur_bytes(&c, h.size);
		if (h.constructed || h.tag == BER_U(0))
			continue;
		struct view v = view_from(cur_bytes(&c, h.length), s->bits ? 1 : 0);
		if (v.n > 0)
			memcpy(to, v.p, v.n);
		to += v.n;
	}
}

static bool decode_pieces(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
			  const struct ber_elem *el, struct pieces *s, struct view *v_r)
{
	const uint8_t *begin = b->c->p;
	if (!measure(d, at, b, el, s))
		return false;
	*v_r = s->first;
	if (s->n < 2)
		return true;
	uint8_t *to = arena_get(d->arena, s->octets);
	if (to == NULL)
		return ber_decode_fail(d, at, el->start,
				       "a string of %zu octets in pieces is more than the "
				       "message's quota of memory",
				       s->octets);
	join(view_of(begin, (size_t)(b->c->p - begin)), s, to);
	*v_r = view_of(to, s->octets);
	return true;
}

bool ber_decode_octets(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		       const struct ber_elem *el, struct view *v_r)
{
	if (!el->h.constructed) {
		*v_r = cur_bytes(b->c, el->h.length);
		return true;
	}
	struct pieces s = {0};
	return decode_pieces(d, at, b, el, &s, v_r);
}

bool ber_decode_bits(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
		     const struct ber_elem *el, struct ber_bits *bits_r)
{
	if (!el->h.constructed) {
		struct view v = cur_bytes(b->c, el->h.length);
		if (!check_bits(d, at, el, v))
			return false;
		*bits_r = (struct ber_bits){view_from(v, 1), v.p[0]};
		return true;
	}
	struct pieces s = {.bits = true};
	if (!decode_pieces(d, at, b, el, &s, &bits_r->bytes))
		return false;
	bits_r->unused = s.unused;
	return true;
}
