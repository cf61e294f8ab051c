/* ber_print_raw.c - TLVs without a table, a line each, for what is unknown or broken. */
#include "flow/codec/ber/ber_private.h"

#include "base/cur.h"
#include "base/text.h"

enum { SHOWN_MAX = 64, DEPTH_MAX = 128 };

static void print_some_hex(struct view v, struct out *o)
{
	out_u8(o, '\'');
	ber_print_hex(view_first(v, SHOWN_MAX), BER_ASN1, o);
	out_str(o, "'H");
	if (v.n > SHOWN_MAX)
		out_fmt(o, " ...(%zu more)", v.n - SHOWN_MAX);
}

static bool is_text(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return v.n > 0;
}

static void print_primitive(uint32_t tag, struct view v, struct out *o)
{
	if (v.n <= 4 * SHOWN_MAX && ber_print_universal(tag, v, o))
		return;
	print_some_hex(v, o);
	if (is_text(v)) {
		out_str(o, " \"");
		text_escape(o, v, SHOWN_MAX);
		out_u8(o, '"');
	}
}

static void print_bad(struct cur *c, const char *why, unsigned indent, struct out *o)
{
	struct view rest = cur_rest(c);
	out_fmt(o, "%*sbad: %s: ", (int)indent, "", why);
	print_some_hex(rest, o);
	out_u8(o, '\n');
}

static void print_level(struct cur *c, bool indefinite, unsigned indent, unsigned depth,
			struct out *o);

static void print_content(struct cur *c, const struct ber_head *h, unsigned indent, unsigned depth,
			  struct out *o)
{
	char tag[40];
	out_fmt(o, "%*s%s ", (int)indent, "", ber_tag_text(h->tag, tag, sizeof tag));
	if (h->indefinite) {
		out_str(o, "indefinite\n");
		print_level(c, true, indent + 2, depth + 1, o);
		return;
	}
	const size_t left = cur_left(c);
	struct cur inner = cur_of(cur_bytes(c, h->length < left ? h->length : left));
	out_fmt(o, "%zu", h->length);
	if (h->length > left)
		out_fmt(o, " (bad: %zu are left)", left);
	if (h->constructed) {
		out_u8(o, '\n');
		print_level(&inner, false, indent + 2, depth + 1, o);
		return;
	}
	out_u8(o, ' ');
	print_primitive(h->tag, cur_rest(&inner), o);
	out_u8(o, '\n');
}

/* Up to the end of c, or to the end-of-contents that closes an indefinite element. */
static void print_level(struct cur *c, bool indefinite, unsigned indent, unsigned depth,
			struct out *o)
{
	if (depth > DEPTH_MAX) {
		print_bad(c, "nested too deep to show", indent, o);
		return;
	}
	while (cur_left(c) > 0 && !o->bad) {
		struct ber_head h;
		const char *why = "the header is cut short";
		if (ber_head_read(view_of(c->p, cur_left(c)), &h, &why) != STEP_DONE) {
			print_bad(c, why, indent, o);
			return;
		}
		if (h.tag == BER_U(0) && (!indefinite || h.length != 0 || h.constructed)) {
			print_bad(c, "end-of-contents where none is due", indent, o);
			return;
		}
		(void)cur_bytes(c, h.size);
		if (h.tag == BER_U(0))
			return;
		print_content(c, &h, indent, depth, o);
	}
	if (indefinite && !o->bad)
		out_fmt(o, "%*sbad: no end-of-contents\n", (int)indent, "");
}

void ber_print_raw(struct view tlv, unsigned indent, struct out *o)
{
	struct cur c = cur_of(tlv);
	print_level(&c, false, indent, 0, o);
}
