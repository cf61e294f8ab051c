/* fips.c - see fips.h. Identifier, length, qualifier, property list, contents (RFC 841, 4.2). */
#include "flow/codec/msmail/fips.h"

enum {
	PROPERTIES_BIT = 0x80, /* a property list stands before the contents */
	QUALIFIER_BIT = 0x40,
	LONG_FORM = 0x80,
	DEPTH_MAX = 32,
	LENGTH_ROOM = 5, /* the longest length code that is written: 84 and four octets */
};

static bool refuse(struct err *e, size_t offset, const char *what)
{
	return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "FIPS 98 element at offset %zu: %s", offset, what);
}

/* A length code, or a qualifier, which is coded the same. A long form of more than four octets is none that a file here can have. */
struct code { uint32_t value; bool indefinite, leading_zero; };

static bool read_code(struct cur *c, struct code *x_r, size_t offset, struct err *e)
{
	*x_r = (struct code){ 0 };
	const uint8_t first = cur_u8(c);
	if (c->bad)
		return refuse(e, offset, "the octets end in its head");
	if (first <= 0x7f) {
		x_r->value = first;
		return true;
	}
	const unsigned n = first & 0x7f;
	x_r->indefinite = n == 0;
	x_r->leading_zero = n > 1 && cur_peek(c) == 0;
	uint64_t value = 0;
	for (unsigned i = 0; i < n && !c->bad; i++) {
		value = value << 8 | cur_u8(c);
		if (value > UINT32_MAX)
			return refuse(e, offset, "a length or qualifier is over 2^32 - 1");
	}
	if (c->bad)
		return refuse(e, offset, "the octets end in its head");
	x_r->value = (uint32_t)value;
	return true;
}

static bool is_constructor(uint8_t code)
{
	switch (code) {
	case FIPS_SEQUENCE: case FIPS_SET: case FIPS_PROPERTY_LIST: case FIPS_UNIQUE_ID: case FIPS_DATE: case FIPS_PROPERTY:
	case FIPS_COMPRESSED: case FIPS_ENCRYPTED: case FIPS_FIELD: case FIPS_MESSAGE:
		return true;
	default: /* 7E and 7F are what their definer makes them, so they may be indefinite, too */
		return false;
	}
}

bool fips_head(struct view octets, size_t offset, struct fips_element *x_r, size_t *head_r, uint64_t *length_r, struct err *e)
{
	struct cur c = cur_of(octets);
	const uint8_t first = cur_u8(&c);
	struct code length;
	if (!read_code(&c, &length, offset, e))
		return false;
	const size_t before = (size_t)(c.p - octets.p);
	*x_r = (struct fips_element){ .code = first & (uint8_t)~PROPERTIES_BIT, .offset = offset, .indefinite = length.indefinite };
	x_r->is_constructor = is_constructor(x_r->code);
	if (length.indefinite && !x_r->is_constructor && x_r->code != FIPS_VENDOR && x_r->code != FIPS_EXTENSION)
		return refuse(e, offset, "the length is indefinite, and it is no constructor");
	if (first & QUALIFIER_BIT) {
		struct code q;
		if (!read_code(&c, &q, offset, e))
			return false;
		if (q.indefinite)
			return refuse(e, offset, "the qualifier has no value");
		x_r->has_qualifier = true;
		x_r->vendor_qualifier = q.leading_zero;
		x_r->qualifier = q.value;
	}
	*head_r = (size_t)(c.p - octets.p);
	const size_t qualifier = *head_r - before;
	if (!length.indefinite && length.value < qualifier)
		return refuse(e, offset, "the length ends before the qualifier");
	*length_r = length.indefinite ? UINT64_MAX : length.value - qualifier;
	return true;
}

struct fips_walk fips_walk_of(struct view octets, size_t max_elements)
{
	return (struct fips_walk){ octets, octets, 0, max_elements };
}

struct fips_walk fips_walk_in(const struct fips_walk *outer, const struct fips_element *x)
{
	/* `all` stays the outermost, so that an offset is always one of the file. */
	return (struct fips_walk){ outer->all, x->contents, outer->depth + 1, outer->elements_left };
}

/* Where the contents of an indefinite one end: steps over whole elements, counting those that are indefinite themselves, so one pass is
 * linear, and the depth bounds how often octets are passed again by walks further in. */
static bool find_end(struct view rest, size_t offset, unsigned depth, size_t *contents_r, size_t *end_r, struct err *e)
{
	size_t at = 0;
	for (unsigned open = 1;;) {
		if (at >= rest.n)
			return refuse(e, offset, "its length is indefinite and no End-of-Constructor (01 00) follows");
		struct fips_element x;
		size_t head;
		uint64_t length;
		if (!fips_head(view_from(rest, at), offset + at, &x, &head, &length, e))
			return false;
		const size_t begun = at;
		at += head;
		if (x.indefinite) {
			if (++open + depth > DEPTH_MAX)
				return refuse(e, offset, "constructors stand in one another more than 32 deep");
			continue;
		}
		if (length > rest.n - at)
			return refuse(e, offset + begun, "its length goes beyond what holds it");
		at += (size_t)length;
		if (x.code == FIPS_EOC && --open == 0) {
			*contents_r = begun;
			*end_r = at;
			return true;
		}
	}
}

/* A property list in front of the contents is taken off them. */
static bool split_properties(const struct fips_walk *outer, struct fips_element *x, size_t offset, struct err *e)
{
	struct fips_walk w = fips_walk_in(outer, x);
	struct fips_element list;
	if (w.rest.n == 0 || (w.rest.p[0] & ~PROPERTIES_BIT) != FIPS_PROPERTY_LIST || (w.rest.p[0] & PROPERTIES_BIT))
		return refuse(e, offset, "its code announces a property list, and none follows");
	if (fips_next(&w, &list, e) != STEP_DONE)
		return false;
	x->properties = list.contents;
	x->contents = w.rest;
	return true;
}

enum step fips_next(struct fips_walk *w, struct fips_element *x_r, struct err *e)
{
	if (w->rest.n == 0)
		return STEP_WAIT;
	const size_t offset = (size_t)(w->rest.p - w->all.p);
	bool ok = true;
	size_t head, end;
	uint64_t length;
	if (w->depth > DEPTH_MAX)
		ok = refuse(e, offset, "constructors stand in one another more than 32 deep");
	else if (w->elements_left == 0)
		ok = refuse(e, offset, "there are more elements than the limit");
	if (!ok || !fips_head(w->rest, offset, x_r, &head, &length, e))
		return STEP_FAIL;
	const struct view behind = view_from(w->rest, head);
	if (x_r->indefinite) {
		size_t contents;
		if (!find_end(behind, offset + head, w->depth, &contents, &end, e))
			return STEP_FAIL;
		x_r->contents = view_first(behind, contents);
	} else {
		if (length > behind.n) {
			refuse(e, offset, "its length goes beyond what holds it");
			return STEP_FAIL;
		}
		end = (size_t)length;
		x_r->contents = view_first(behind, end);
	}
	if ((w->rest.p[0] & PROPERTIES_BIT) && !split_properties(w, x_r, offset, e))
		return STEP_FAIL;
	x_r->whole = view_first(w->rest, head + end);
	w->rest = view_from(w->rest, head + end);
	w->elements_left--;
	return STEP_DONE;
}

/* Octets of a number's minimal big-endian form. */
static unsigned width_of(uint64_t x)
{
	unsigned n = 1;
	while (x >>= 8)
		n++;
	return n;
}

static unsigned put_code(uint8_t *p, uint32_t value, unsigned width)
{
	if (value <= 0x7f && width == 0) {
		p[0] = (uint8_t)value;
		return 1;
	}
	const unsigned n = width > width_of(value) ? width : width_of(value);
	p[0] = (uint8_t)(LONG_FORM | n);
	for (unsigned i = 0; i < n; i++)
		p[1 + i] = (uint8_t)(value >> (8 * (n - 1 - i)));
	return 1 + n;
}

static void put_qualifier(struct out *o, int64_t qualifier)
{
	const uint32_t value = (uint32_t)qualifier;
	uint8_t octets[LENGTH_ROOM + 1];
	if (qualifier < 0)
		return;
	const unsigned width = qualifier & FIPS_VENDOR_QUALIFIER ? width_of(value) + 1 : 0; /* its first octet is 0 */
	out_bytes(o, view_of(octets, put_code(octets, value, width)));
}

size_t fips_begin(struct out *o, uint8_t code, int64_t qualifier)
{
	assert(qualifier < 0 || (code & QUALIFIER_BIT));
	out_u8(o, code);
	const size_t begun = out_len(o);
	(void)out_reserve(o, LENGTH_ROOM);
	put_qualifier(o, qualifier);
	return begun;
}

void fips_end_wide(struct out *o, size_t begun, unsigned width)
{
	assert(width < LENGTH_ROOM);
	if (o->bad)
		return;
	const size_t contents = out_len(o) - begun - LENGTH_ROOM;
	if (contents > UINT32_MAX) {
		o->bad = true;
		return;
	}
	uint8_t *at = o->p + o->head + begun;
	const unsigned n = put_code(at, (uint32_t)contents, width);
	memmove(at + n, at + LENGTH_ROOM, contents);
	o->n -= LENGTH_ROOM - n;
}

void fips_end(struct out *o, size_t begun)
{
	fips_end_wide(o, begun, 0);
}

void fips_put(struct out *o, uint8_t code, int64_t qualifier, struct view contents)
{
	const size_t begun = fips_begin(o, code, qualifier);
	out_bytes(o, contents);
	fips_end(o, begun);
}

void fips_put_le(struct out *o, uint64_t x)
{
	uint8_t octets[8];
	const unsigned n = x <= UINT16_MAX ? 2 : x <= UINT32_MAX ? 4 : 8;
	for (unsigned i = 0; i < n; i++)
		octets[i] = (uint8_t)(x >> (8 * i));
	fips_put(o, FIPS_INTEGER, -1, view_of(octets, n));
}

bool fips_le(const struct fips_element *x, uint64_t *value_r)
{
	if (x->code != FIPS_INTEGER || x->contents.n == 0 || x->contents.n > 8)
		return false;
	uint64_t value = 0;
	for (size_t i = x->contents.n; i > 0; i--)
		value = value << 8 | x->contents.p[i - 1];
	*value_r = value;
	return true;
}

bool fips_is_vendor(const struct fips_element *x, uint32_t qualifier)
{
	return x->code == FIPS_VENDOR && !x->vendor_qualifier && x->qualifier == qualifier;
}
