/* ber_bounds.c - the bounds of the standard (min, max of a type) held against a value that we
 * originate. */
#include "flow/codec/ber/ber_private.h"

#include <inttypes.h>

static bool check_value(struct err *e, const struct ber_path *at, const struct ber_type *t,
			const void *value);

static bool within(struct err *e, const struct ber_path *at, const struct ber_type *t, int64_t x,
		   const char *what)
{
	char path[100];
	if ((t->min == 0 && t->max == 0) || (x >= t->min && x <= t->max))
		return true;
	return err_set(e, ERR_PERM, ERR_OF_MESSAGE,
		       "%s: %s %" PRId64 " is outside %" PRId64 "..%" PRId64,
		       ber_path_text(at, path, sizeof path), what, x, t->min, t->max);
}

static bool check_bits(struct err *e, const struct ber_path *at, const struct ber_type *t,
		       const struct ber_bits *bits)
{
	size_t n = bits->bytes.n * 8;
	return within(e, at, t, (int64_t)(n > bits->unused ? n - bits->unused : 0),
		      "the number of bits");
}

static bool check_field(struct err *e, const struct ber_path *up, const struct ber_field *f,
			const void *base)
{
	const struct ber_path at = {up, f->name, BER_NO_INDEX};
	return check_value(e, &at, f->type, ber_field_value(f, base));
}

static bool check_fields(struct err *e, const struct ber_path *at, const struct ber_type *t,
			 const void *value)
{
	for (size_t i = 0; i < t->n_fields; i++)
		if (ber_field_present(t, i, value) && !check_field(e, at, &t->fields[i], value))
			return false;
	return true;
}

static bool check_list(struct err *e, const struct ber_path *up, const struct ber_type *t,
		       const struct ber_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct ber_path at = {up, NULL, i};
		if (!check_value(e, &at, t->of, (const uint8_t *)list->v + i * t->of->size))
			return false;
	}
	return within(e, up, t, (int64_t)list->n, "the number of elements");
}

static bool check_value(struct err *e, const struct ber_path *at, const struct ber_type *t,
			const void *value)
{
	const struct ber_choice *choice = value;
	switch (t->kind) {
	case BER_INT:
	case BER_ENUM: return within(e, at, t, *(const int64_t *)value, "the value");
	case BER_BITS: return check_bits(e, at, t, value);
	case BER_BIGINT:
	case BER_OCTETS:
	case BER_OID:
	case BER_RELATIVE_OID:
	case BER_REAL:
	case BER_STRING:
	case BER_TIME:
	case BER_ANY:
		return within(e, at, t, (int64_t)((const struct view *)value)->n,
			      "the number of octets");
	case BER_SEQ:
	case BER_SET: return check_fields(e, at, t, value);
	case BER_SEQ_OF:
	case BER_SET_OF: return check_list(e, at, t, value);
	case BER_CHOICE:
		return choice->which == BER_CHOICE_OTHER ||
		       check_field(e, at, &t->fields[choice->which - 1], value);
	case BER_TAGGED: return check_value(e, at, t->of, value);
	case BER_BOOL:
	case BER_NULL: return true;
	}
	CANT_HAPPEN("a kind that is none");
}

/* The first pass of encode has been through before: nothing is absent, unset or nested too deep. */
bool ber_check_bounds(const struct ber_type *t, const void *value, struct err *e)
{
	const struct ber_path at = {NULL, t->name, BER_NO_INDEX};
	size_t n;
	return ber_measure(t, value, &n, e) && check_value(e, &at, t, value);
}
