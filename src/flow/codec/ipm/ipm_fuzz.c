/* ipm_fuzz.c - any octets as a content: taken apart and printed; what the full tables decode encodes, and what was
 * encoded decodes again. */
#include "base/check.h"
#include "flow/codec/ipm/ipm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct ipm_message *m, struct arena *a, const struct ber_limits *limits, unsigned depth)
{
	for (size_t i = 0; i < ipm_part_count(m); i++) {
		struct ipm_part part;
		if (!ipm_part_at(m, i, &part, a, limits, NULL))
			return;
		assert(part.kind < IPM_PART_KIND_COUNT && (part.octets.n == 0 || part.octets.p != NULL));
		if (part.message != NULL && depth < 20)
			walk(part.message, a, limits, depth + 1);
	}
}

/* Each extension's value as what its object identifier says. */
static void values(const struct ber_list *extensions, struct arena *a, const struct ber_limits *limits)
{
	const struct ipm_extension *v = extensions->v;
	struct out o;
	out_init(&o, 1 << 20);
	for (size_t i = 0; i < extensions->n; i++) {
		const struct ber_type *t = ipm_ext_value_type(ipm_ext_of(v[i].type));
		void *value = t == NULL ? NULL : arena_get(a, t->size);
		if (value == NULL || !ber_decode(t, v[i].value, value, a, limits, NULL))
			continue;
		out_clear(&o);
		if (ber_encode(t, value, &o, NULL))
			assert(ber_size(t, value) == out_len(&o));
		ber_print(t, value, BER_JSON, 0, &o);
	}
	out_fini(&o);
}

static void encode_again(struct view in, struct arena *a, const struct ber_limits *limits)
{
	struct ipm_object *object = arena_get(a, sizeof *object);
	if (object == NULL || !ber_decode(&ipm_object_type, in, object, a, limits, NULL))
		return;
	struct out o;
	out_init(&o, 1 << 22);
	if (ber_encode(&ipm_object_type, object, &o, NULL)) {
		assert(ber_size(&ipm_object_type, object) == out_len(&o));
		struct ber_limits more = *limits; /* a short form on input may be the longer one on output */
		more.depth = 500;
		more.elements *= 4;
		more.bytes = out_len(&o);
		if (!ber_decode(&ipm_object_type, out_view(&o), object, a, &more, NULL))
			assert(arena_full(a));
	}
	out_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct ber_limits limits = ipm_limits_default();
	limits.elements = 20000;
	struct arena *a = arena_new(1 << 22);
	struct ipm ipm;
	if (ipm_parse(in, &ipm, a, &limits, NULL) && ipm.message != NULL) {
		values(&ipm.message->heading.extensions, a, &limits);
		walk(ipm.message, a, &limits, 0);
	}
	struct out o;
	out_init(&o, 1 << 20);
	ipm_print(in, size % 2 ? BER_ASN1 : BER_JSON, 0, a, &limits, &o);
	out_fini(&o);
	arena_reset(a);
	encode_again(in, a, &limits);
	arena_free(&a);
	return 0;
}
