/* p1_dn.c - is a directory name one that a peer will take? Only looked at, never rewritten. */
#include "flow/codec/p1/p1_84.h"

enum { U_UTF8 = 12, U_NUMERIC = 18, U_PRINTABLE = 19, U_IA5 = 22, U_SEQUENCE = 16, U_SET = 17, U_OID = 6 };

static const struct ber_limits limits = { .depth = 16, .elements = 4096, .bytes = SIZE_MAX };

static bool next(struct view *rest, struct ber_tlv *tlv_r)
{
	if (!ber_tlv(*rest, tlv_r, &limits, NULL))
		return false;
	*rest = view_from(*rest, tlv_r->whole.n);
	return true;
}

static bool is_of(struct view v, bool (*allowed)(uint8_t c))
{
	for (size_t i = 0; i < v.n; i++)
		if (!allowed(v.p[i]))
			return false;
	return true;
}

/* X.680 37.2, 37.4 */
static bool of_numeric(uint8_t c) { return c == ' ' || (c >= '0' && c <= '9'); }
static bool of_ia5(uint8_t c) { return c < 0x80; }
static bool of_printable(uint8_t c)
{
	const uint8_t low = c | 0x20;
	return of_numeric(c) || (low >= 'a' && low <= 'z') || (c != 0 && strchr("'()+,-./:=?", c) != NULL);
}

/* Strings in pieces, and all other types, are let pass: what they may hold is theirs to say. */
static bool is_value(const struct ber_tlv *v)
{
	if (v->constructed)
		return true;
	switch (v->tag) {
	case BER_U(U_NUMERIC): return is_of(v->content, of_numeric);
	case BER_U(U_PRINTABLE): return is_of(v->content, of_printable);
	case BER_U(U_IA5): return is_of(v->content, of_ia5);
	default: return true;
	}
}

/* AttributeTypeAndValue; what X.501 has added behind the value is let pass. */
static bool is_pair(const struct ber_tlv *pair)
{
	struct ber_tlv type, value;
	struct view rest = pair->content;
	return pair->tag == BER_U(U_SEQUENCE) && pair->constructed && next(&rest, &type) && type.tag == BER_U(U_OID) &&
	       type.content.n > 0 && next(&rest, &value) && is_value(&value);
}

static bool is_rdn(const struct ber_tlv *rdn)
{
	struct ber_tlv pair;
	if (rdn->tag != BER_U(U_SET) || !rdn->constructed)
		return false;
	for (struct view rest = rdn->content; rest.n > 0;)
		if (!next(&rest, &pair) || !is_pair(&pair))
			return false;
	return true;
}

bool p1_dn_is_sound(struct view tlv)
{
	struct ber_tlv name, rdn;
	if (!ber_tlv(tlv, &name, &limits, NULL) || name.tag != BER_U(U_SEQUENCE) || !name.constructed)
		return false;
	for (struct view rest = name.content; rest.n > 0;)
		if (!next(&rest, &rdn) || !is_rdn(&rdn))
			return false;
	return true;
}
