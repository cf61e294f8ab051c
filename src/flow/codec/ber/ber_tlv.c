/* ber_tlv.c - element headers, single TLVs, and what names them in texts. */
#include "flow/codec/ber/ber_private.h"

#include "base/cur.h"

#include <stdio.h>

enum { NUMBER_MAX = 0x3ffffffe }; /* one below what BER_NO_TAG would be */

/* X.690 8.1.2.4: seven bits an octet, most significant first, no leading zero. */
static bool read_number(struct cur *c, uint32_t *number_r, const char **why_r)
{
	uint32_t number = 0;
	uint8_t x = cur_u8(c);
	if (!c->bad && x == 0x80) {
		*why_r = "a tag number with a leading zero";
		return false;
	}
	for (;;) {
		number = number << 7 | (x & 0x7f);
		if (number > NUMBER_MAX) {
			*why_r = "a tag number over 30 bits";
			return false;
		}
		if (c->bad || x < 0x80)
			break;
		if (number > NUMBER_MAX >> 7) {
			*why_r = "a tag number over 30 bits";
			return false;
		}
		x = cur_u8(c);
	}
	if (!c->bad && number < 31) {
		*why_r = "a tag number below 31 in the long form";
		return false;
	}
	*number_r = number;
	return true;
}

/* X.690 8.1.3: leading zeroes are allowed, 0xff is not. */
static bool read_length(struct cur *c, struct ber_head *h, const char **why_r)
{
	uint8_t first = cur_u8(c);
	if (first < 0x80) {
		h->length = first;
		return true;
	}
	if (first == 0x80) {
		h->indefinite = true;
		if (!c->bad && !h->constructed) {
			*why_r = "an indefinite length on a primitive encoding";
			return false;
		}
		return true;
	}
	if (first == 0xff) {
		*why_r = "length octet 0xff, which X.690 reserves";
		return false;
	}
	for (unsigned i = first & 0x7f; i > 0 && !c->bad; i--) {
		if (h->length > SIZE_MAX >> 8) {
			*why_r = "a length over 64 bits";
			return false;
		}
		h->length = h->length << 8 | cur_u8(c);
	}
	return true;
}

enum step ber_head_read_any(struct view in, struct ber_head *h_r, const char **why_r)
{
	struct cur c = cur_of(in);
	uint8_t first = cur_u8(&c);
	struct ber_head h = {.constructed = (first & 0x20) != 0};
	uint32_t number = first & 0x1f;
	if (number == 0x1f && !read_number(&c, &number, why_r))
		return STEP_FAIL;
	h.tag = BER_TAG(first >> 6, number);
	if (c.bad)
		return STEP_WAIT;
	if (!read_length(&c, &h, why_r))
		return STEP_FAIL;
	if (c.bad)
		return STEP_WAIT;
	h.size = (unsigned)(in.n - cur_left(&c));
	*h_r = h;
	return STEP_DONE;
}

static unsigned tag_size(uint32_t tag)
{
	unsigned n = 1;
	if (ber_tag_number(tag) >= 31)
		for (uint32_t number = ber_tag_number(tag); number > 0; number >>= 7)
			n++;
	return n;
}

size_t ber_header_size(uint32_t tag, size_t length)
{
	size_t n = tag_size(tag) + 1u;
	if (length >= 0x80)
		for (; length > 0; length >>= 8)
			n++;
	return n;
}

void ber_head_write(uint8_t *to, uint32_t tag, bool constructed, size_t length)
{
	unsigned n = tag_size(tag);
	uint32_t number = ber_tag_number(tag);
	to[0] = (uint8_t)(ber_tag_class(tag) << 6 | (constructed ? 0x20u : 0u) |
			  (n == 1 ? number : 0x1fu));
	for (unsigned i = n - 1; i > 0; i--, number >>= 7)
		to[i] = (uint8_t)((number & 0x7f) | (i == n - 1 ? 0u : 0x80u));
	if (length < 0x80) {
		to[n] = (uint8_t)length;
		return;
	}
	unsigned octets = (unsigned)(ber_header_size(tag, length) - n - 1);
	to[n] = (uint8_t)(0x80 | octets);
	for (unsigned i = octets; i > 0; i--, length >>= 8)
		to[n + i] = (uint8_t)length;
}

void ber_put_header(struct out *o, uint32_t tag, bool constructed, size_t length)
{
	uint8_t *p = out_reserve(o, ber_header_size(tag, length));
	if (p != NULL)
		ber_head_write(p, tag, constructed, length);
}

static bool tlv_fail(struct err *e, struct view in, const struct cur *c, const char *what)
{
	return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "BER: %s at octet %zu of %zu", what,
		       in.n - cur_left(c), in.n);
}

/* Octets of the header at c, none of them taken; false when there is no whole one. */
static bool peek_head(struct view in, const struct cur *c, struct ber_head *h, struct err *e)
{
	const char *why = "";
	switch (ber_head_read(view_of(c->p, cur_left(c)), h, &why)) {
	case STEP_FAIL: return tlv_fail(e, in, c, why);
	case STEP_WAIT: return tlv_fail(e, in, c, "the input ends within an element's header");
	case STEP_DONE: break;
	}
	if (h->length > cur_left(c) - h->size)
		return err_set(
			e, ERR_PERM, ERR_OF_MESSAGE,
			"BER: an element of %zu octets at octet %zu, where %zu are left of %zu",
			h->length, in.n - cur_left(c), cur_left(c) - h->size, in.n);
	return true;
}

/* Goes over the content of an indefinite element up to its end-of-contents. Elements of definite
 * length are passed over whole, so that only the open indefinite ones need counting. */
static bool follow(struct view in, struct cur *c, const struct ber_limits *limits, struct err *e)
{
	size_t elements = 1;
	for (unsigned open = 1; open > 0;) {
		struct ber_head h;
		if (!peek_head(in, c, &h, e))
			return false;
		if (h.tag == BER_U(0) && (h.constructed || h.length != 0))
			return tlv_fail(e, in, c, "end-of-contents that is not 00 00");
		if (++elements > limits->elements)
			return tlv_fail(e, in, c, "more elements than the limit");
		if (h.indefinite && open >= limits->depth)
			return tlv_fail(e, in, c, "elements nested deeper than the limit");
		(void)cur_bytes(c, h.size + h.length);
		if (h.tag == BER_U(0))
			open--;
		else if (h.indefinite)
			open++;
	}
	return true;
}

bool ber_tlv(struct view in, struct ber_tlv *tlv_r, const struct ber_limits *limits, struct err *e)
{
	struct cur c = cur_of(in);
	struct ber_head h;
	if (!peek_head(in, &c, &h, e))
		return false;
	if (h.tag == BER_U(0))
		return tlv_fail(e, in, &c, "end-of-contents where an element should begin");
	if (limits->depth == 0 || limits->elements == 0 || h.length > limits->bytes)
		return tlv_fail(e, in, &c, "an element over the limit");
	(void)cur_bytes(&c, h.size + h.length);
	if (h.indefinite && !follow(in, &c, limits, e))
		return false;
	size_t whole = in.n - cur_left(&c);
	if (whole > limits->bytes)
		return tlv_fail(e, in, &c, "an element over the limit");
	*tlv_r = (struct ber_tlv){
		.tag = h.tag,
		.constructed = h.constructed,
		.indefinite = h.indefinite,
		.whole = view_first(in, whole),
		.content = view_of(in.p + h.size, whole - h.size - (h.indefinite ? 2 : 0)),
	};
	return true;
}

/* X.680 table 1. */
static const char *const universal_names[] = {
	[1] = "BOOLEAN",
	[2] = "INTEGER",
	[3] = "BIT STRING",
	[4] = "OCTET STRING",
	[5] = "NULL",
	[6] = "OBJECT IDENTIFIER",
	[7] = "ObjectDescriptor",
	[8] = "EXTERNAL",
	[9] = "REAL",
	[10] = "ENUMERATED",
	[11] = "EMBEDDED PDV",
	[12] = "UTF8String",
	[13] = "RELATIVE-OID",
	[16] = "SEQUENCE",
	[17] = "SET",
	[18] = "NumericString",
	[19] = "PrintableString",
	[20] = "TeletexString",
	[21] = "VideotexString",
	[22] = "IA5String",
	[23] = "UTCTime",
	[24] = "GeneralizedTime",
	[25] = "GraphicString",
	[26] = "VisibleString",
	[27] = "GeneralString",
	[28] = "UniversalString",
	[29] = "CHARACTER STRING",
	[30] = "BMPString",
};

const char *ber_universal_name(uint32_t number)
{
	return number < ARRAY_LEN(universal_names) ? universal_names[number] : NULL;
}

const char *ber_tag_text(uint32_t tag, char *buf, size_t size)
{
	static const char *const classes[] = {"UNIVERSAL ", "APPLICATION ", "", "PRIVATE "};
	uint32_t number = ber_tag_number(tag);
	if (tag == BER_NO_TAG)
		snprintf(buf, size, "none");
	else if (ber_tag_class(tag) == BER_UNIVERSAL && ber_universal_name(number) != NULL)
		snprintf(buf, size, "%s", ber_universal_name(number));
	else
		snprintf(buf, size, "[%s%u]", classes[ber_tag_class(tag)], number);
	return buf;
}

const char *ber_path_text(const struct ber_path *at, char *buf, size_t size)
{
	size_t begin = size - 1;
	buf[begin] = 0;
	for (; at != NULL; at = at->up) {
		char part[80];
		int n = at->index != BER_NO_INDEX ? snprintf(part, sizeof part, "[%zu]", at->index)
						  : snprintf(part, sizeof part, "%s%.60s",
							     at->up == NULL ? "" : ".", at->name);
		size_t len = n < 0 ? 0 : (size_t)n;
		if (begin < len + 3) { /* 3: what stands for the rest */
			memcpy(buf + begin - 3, "...", 3);
			begin -= 3;
			break;
		}
		begin -= len;
		memcpy(buf + begin, part, len);
	}
	memmove(buf, buf + begin, size - begin);
	return buf;
}

const char *ber_name_of(const struct ber_type *t, int64_t value)
{
	for (size_t i = 0; i < t->n_names; i++)
		if (t->names[i].value == value)
			return t->names[i].name;
	return NULL;
}

bool ber_int_value(struct view content, int64_t *x_r)
{
	size_t i = 0;
	if (content.n == 0)
		return false;
	while (content.n - i > 8) { /* only sign extension may stand before the last eight octets */
		bool negative = content.p[i + 1] >= 0x80;
		if (content.p[i] != (negative ? 0xff : 0))
			return false;
		i++;
	}
	uint64_t x = content.p[i] >= 0x80 ? UINT64_MAX : 0;
	for (; i < content.n; i++)
		x = x << 8 | content.p[i];
	*x_r = (int64_t)x;
	return true;
}
