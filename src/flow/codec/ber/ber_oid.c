/* ber_oid.c - OBJECT IDENTIFIERs as text. Arcs may be of any size (UUIDs make them of 128 bits):
 * beyond 64 bits they are kept in base 10^9. Turning them round costs the square of their length,
 * hence BER_ARC_MAX. */
#include "flow/codec/ber/ber_private.h"

#include "base/cur.h"

#include <inttypes.h>

enum { LIMB = 1000000000, LIMB_DIGITS = 9 };
enum { LIMBS = BER_ARC_MAX * 7 / 29 + 2 };   /* a limb has more than 29 bits */
enum { DIGITS_MAX = BER_ARC_MAX * 21 / 10 }; /* a digit has less than 10 / 3: so many always fit */

struct big {
	uint32_t limb[LIMBS]; /* least significant first */
	unsigned n;
};

/* big * factor + add; the callers' bounds keep it within LIMBS. */
static void big_mul_add(struct big *b, uint32_t factor, uint32_t add)
{
	uint64_t carry = add;
	for (unsigned i = 0; i < b->n; i++) {
		carry += (uint64_t)b->limb[i] * factor;
		b->limb[i] = (uint32_t)(carry % LIMB);
		carry /= LIMB;
	}
	if (carry > 0) {
		assert(b->n < LIMBS);
		b->limb[b->n++] = (uint32_t)carry;
	}
}

/* Takes away what is known to be smaller. */
static void big_sub(struct big *b, uint32_t x)
{
	for (unsigned i = 0; x > 0 && i < b->n; i++) {
		bool borrow = b->limb[i] < x;
		b->limb[i] = borrow ? b->limb[i] + LIMB - x : b->limb[i] - x;
		x = borrow ? 1 : 0;
	}
	while (b->n > 0 && b->limb[b->n - 1] == 0)
		b->n--;
}

/* Divides by 128 and gives the remainder: the next seven bits from below. */
static uint8_t big_septet(struct big *b)
{
	uint64_t rest = 0;
	for (unsigned i = b->n; i > 0; i--) {
		rest = rest * LIMB + b->limb[i - 1];
		b->limb[i - 1] = (uint32_t)(rest / 128);
		rest %= 128;
	}
	while (b->n > 0 && b->limb[b->n - 1] == 0)
		b->n--;
	return (uint8_t)rest;
}

/* One subidentifier: the octets up to one without the top bit (X.690 8.19.2). */
static struct view next_arc(struct cur *c)
{
	struct view left = view_of(c->p, cur_left(c));
	size_t n = 0;
	while (n < left.n && left.p[n] >= 0x80)
		n++;
	if (n == left.n || left.p[0] == 0x80 || n >= BER_ARC_MAX)
		c->bad = true;
	return cur_bytes(c, n + 1);
}

/* The first subidentifier holds two arcs: 40 * first + second (8.19.4). */
static void print_arc(struct view arc, bool first, char separator, struct out *o)
{
	unsigned top = 0;
	if (arc.n <= 9) { /* 63 bits */
		uint64_t x = 0;
		for (size_t i = 0; i < arc.n; i++)
			x = x << 7 | (arc.p[i] & 0x7f);
		top = x < 80 ? (unsigned)(x / 40) : 2;
		if (first)
			out_fmt(o, "%u%c%" PRIu64, top, separator, x - 40 * top);
		else
			out_fmt(o, "%" PRIu64, x);
		return;
	}
	struct big b = {.n = 0};
	for (size_t i = 0; i < arc.n; i++)
		big_mul_add(&b, 128, arc.p[i] & 0x7f);
	if (first) {
		big_sub(&b, 80);
		out_fmt(o, "2%c", separator);
	}
	out_fmt(o, "%u", b.limb[b.n - 1]);
	for (unsigned i = b.n - 1; i > 0; i--)
		out_fmt(o, "%0*u", LIMB_DIGITS, b.limb[i - 1]);
}

bool ber_oid_arcs(struct view oid, bool relative, char separator, struct out *o)
{
	struct cur c = cur_of(oid);
	while (cur_left(&c) > 0)
		(void)next_arc(&c);
	if (c.bad || oid.n == 0)
		return false;
	c = cur_of(oid);
	for (bool first = true; cur_left(&c) > 0; first = false) {
		if (!first)
			out_u8(o, (uint8_t)separator);
		print_arc(next_arc(&c), first && !relative, separator, o);
	}
	return true;
}

void ber_oid_print(struct view oid, struct out *o)
{
	if (ber_oid_arcs(oid, false, '.', o))
		return;
	out_str(o, "hex:");
	ber_print_hex(oid, BER_JSON, o);
}

/* The decimal number at *text, which is moved past it; no sign, no leading zero. */
static bool parse_arc(const char **text, struct big *b)
{
	const char *s = *text;
	*b = (struct big){.n = 0};
	for (; *s >= '0' && *s <= '9'; s++) {
		if (s - *text >= DIGITS_MAX)
			return false;
		big_mul_add(b, 10, (uint32_t)(*s - '0'));
	}
	bool ok = s > *text && (**text != '0' || s == *text + 1);
	*text = s;
	return ok;
}

static bool big_below(const struct big *b, uint32_t x)
{
	return b->n == 0 || (b->n == 1 && b->limb[0] < x);
}

static void put_arc(struct big *b, struct out *o)
{
	uint8_t octets[BER_ARC_MAX];
	size_t at = sizeof octets;
	do {
		assert(at > 0); /* DIGITS_MAX */
		at--;
		octets[at] = (uint8_t)(big_septet(b) | (at == sizeof octets - 1 ? 0 : 0x80));
	} while (b->n > 0);
	out_bytes(o, view_of(octets + at, sizeof octets - at));
}

static bool parse_oid(const char *text, struct out *o)
{
	struct big b;
	if (!parse_arc(&text, &b) || !big_below(&b, 3) || *text++ != '.')
		return false;
	uint32_t top = b.n == 0 ? 0 : b.limb[0];
	if (!parse_arc(&text, &b) || (top < 2 && !big_below(&b, 40)))
		return false;
	big_mul_add(&b, 1, 40 * top);
	put_arc(&b, o);
	while (*text == '.') {
		text++;
		if (!parse_arc(&text, &b))
			return false;
		put_arc(&b, o);
	}
	return *text == 0;
}

bool ber_oid_parse(const char *text, struct out *o)
{
	struct out oid;
	out_init(&oid, out_room(o));
	bool ok = parse_oid(text, &oid) && !oid.bad;
	if (ok)
		out_bytes(o, out_view(&oid));
	out_fini(&oid);
	return ok;
}
