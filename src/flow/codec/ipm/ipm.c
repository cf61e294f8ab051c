/* ipm.c - a P2 or P22 content taken apart. */
#include "flow/codec/ipm/ipm.h"

#include "base/text.h"
#include "flow/codec/ipm/ipm_table_private.h"

struct ber_limits ipm_limits_default(void)
{
	return (struct ber_limits){ .depth = 64, .elements = 1000000, .bytes = (size_t)2 << 30 };
}

const char *ipm_part_kind_name(enum ipm_part_kind k)
{
	static const char *const names[] = {
#define X(id, name, basic, et) [IPM_PART_##id] = name,
#include "flow/codec/ipm/ipm_part_table.h"
#undef X
	};
	return (unsigned)k < ARRAY_LEN(names) ? names[k] : "unknown";
}

static bool full(struct arena *a, struct err *e)
{
	return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "content: taking it apart needs more memory than its quota, %zu octets in use",
		       arena_used(a));
}

bool ipm_parse(struct view content, struct ipm *ipm_r, struct arena *a, const struct ber_limits *limits, struct err *e)
{
	struct ipm_object *object = arena_get(a, sizeof *object);
	if (object == NULL)
		return full(a, e);
	if (!ber_decode(&ipm_object_outer_type, content, object, a, limits, e))
		return false;
	switch (object->choice.which) {
	case IPM_OBJECT_IPM:
		*ipm_r = (struct ipm){ .message = &object->ipm };
		return true;
	case IPM_OBJECT_IPN:
		*ipm_r = (struct ipm){ .notification = &object->ipn };
		return true;
	default:
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "content: found an unknown alternative of InformationObject, "
			       "want ipm [0] or ipn [1]");
	}
}

struct oraddr ipm_oraddr(const struct p1_orname *name, struct arena *a)
{
	struct oraddr addr = { 0 };
	if (name == NULL || !p1_orname_to_addr(name, &addr, a))
		return (struct oraddr){ 0 };
	return addr;
}

struct view ipm_heading_extension(const struct ipm_heading *h, enum ipm_ext x)
{
	const struct ipm_extension *v = h->extensions.v;
	for (size_t i = 0; i < h->extensions.n; i++)
		if (ipm_ext_of(v[i].type) == x)
			return v[i].value;
	return (struct view){ NULL, 0 };
}

void ipm_universal_text(struct view tlv, struct out *o)
{
	const struct ber_limits limits = { 8, 64, 65536 };
	struct ipm_universal_or_bmp text;
	struct arena *a = arena_new(16384 + tlv.n);
	if (ber_decode(&ipm_universal_or_bmp_type, tlv, &text, a, &limits, NULL)) {
		(void)charset_to_utf8(NULL, CHARSET_UNIVERSAL, 0, text.four_octets, o);
		(void)charset_to_utf8(NULL, CHARSET_BMP, 0, text.two_octets, o);
	}
	arena_free(&a);
}

/* Decodes and prints with one table; false when the content is not that. */
static bool print_as(const struct ber_type *t, struct view content, enum ber_form form, unsigned indent, struct arena *a,
		     const struct ber_limits *limits, struct out *o)
{
	void *value = arena_get(a, t->size);
	if (value == NULL || !ber_decode(t, content, value, a, limits, NULL))
		return false;
	ber_print(t, value, form, indent, o);
	return true;
}

void ipm_print(struct view content, enum ber_form form, unsigned indent, struct arena *a, const struct ber_limits *limits,
	       struct out *o)
{
	if (print_as(&ipm_object_type, content, form, indent, a, limits, o) ||
	    print_as(&ipm_object_outer_type, content, form, indent, a, limits, o))
		return;
	if (form == BER_ASN1) {
		ber_print_raw(content, indent, o);
		return;
	}
	out_str(o, "{\"hex\": \"");
	text_hex(o, content);
	out_str(o, "\"}");
}
