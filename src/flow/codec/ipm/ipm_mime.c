/* ipm_mime.c - header fields, quoted-printable and base64, as much of RFC 2045 as RFC 1496 needs. */
#include "flow/codec/ipm/ipm_mime.h"

#include "flow/codec/ber/ber.h"
#include "flow/codec/charset/charset.h"

enum { LINE_MAX_MIME = 76, FIELDS_MAX = 100 };

static const struct view begins = { (const uint8_t *)"MIME-Version:", 13 };

bool ipm_mime_is(struct view ia5)
{
	return view_eq_nocase(view_first(ia5, begins.n), begins);
}

/* --- reading the header --- */

static bool is_blank(uint8_t b)
{
	return b == ' ' || b == '\t';
}

static struct view trimmed(struct view v)
{
	while (v.n > 0 && (is_blank(v.p[0]) || v.p[0] == '\r' || v.p[0] == '\n'))
		v = view_from(v, 1);
	while (v.n > 0 && (is_blank(v.p[v.n - 1]) || v.p[v.n - 1] == '\r' || v.p[v.n - 1] == '\n'))
		v.n--;
	return v;
}

/* Takes one line with its end off *rest; *line_r is without it. */
static bool next_line(struct view *rest, struct view *line_r)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	if (end == NULL)
		return false;
	const size_t n = (size_t)(end - rest->p);
	*line_r = view_first(*rest, n > 0 && rest->p[n - 1] == '\r' ? n - 1 : n);
	*rest = view_from(*rest, n + 1);
	return true;
}

struct field {
	struct view name, value; /* value: with the line ends of a folded one in it */
};

/* One header field with its continuation lines; name.n == 0: the empty line. False: no field. */
static bool next_field(struct view *rest, struct field *f_r)
{
	struct view line, more;
	*f_r = (struct field){ 0 };
	if (!next_line(rest, &line))
		return false;
	if (line.n == 0)
		return true;
	const uint8_t *colon = memchr(line.p, ':', line.n);
	if (colon == NULL || colon == line.p)
		return false;
	f_r->name = view_first(line, (size_t)(colon - line.p));
	while (rest->n > 0 && is_blank(rest->p[0]) && next_line(rest, &more))
		line.n = (size_t)(more.p + more.n - line.p);
	f_r->value = trimmed(view_from(line, f_r->name.n + 1));
	return true;
}

/* Up to the next `;` that stands in no quoted string. */
static struct view next_parameter(struct view *rest)
{
	bool quoted = false;
	size_t n = 0;
	for (; n < rest->n && (quoted || rest->p[n] != ';'); n++)
		quoted ^= rest->p[n] == '"';
	const struct view v = trimmed(view_first(*rest, n));
	*rest = view_from(*rest, n + 1);
	return v;
}

/* The value of a parameter, without its quotes; empty: there is none. */
static struct view parameter(struct view value, struct view name)
{
	(void)next_parameter(&value);
	while (value.n > 0) {
		const struct view p = next_parameter(&value);
		if (p.n <= name.n || !view_eq_nocase(view_first(p, name.n), name))
			continue;
		struct view v = trimmed(view_from(p, name.n));
		if (v.n == 0 || v.p[0] != '=')
			continue;
		v = trimmed(view_from(v, 1));
		return v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' ? view_of(v.p + 1, v.n - 2) : v;
	}
	return (struct view){ NULL, 0 };
}

/* --- decoding --- */

static int hex_digit(uint8_t b)
{
	return b >= '0' && b <= '9' ? b - '0' : b >= 'A' && b <= 'F' ? b - 'A' + 10 : b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* Octets of one `=` and what follows; 0: that is none. */
static size_t quoted(struct view v, uint8_t *to, size_t *n)
{
	size_t at = 1;
	if (v.n >= 3 && hex_digit(v.p[1]) >= 0 && hex_digit(v.p[2]) >= 0) {
		to[(*n)++] = (uint8_t)(hex_digit(v.p[1]) << 4 | hex_digit(v.p[2]));
		return 3;
	}
	while (at < v.n && is_blank(v.p[at]))
		at++;
	if (at == v.n)
		return at;
	if (v.p[at] == '\n')
		return at + 1;
	return v.p[at] == '\r' && at + 1 < v.n && v.p[at + 1] == '\n' ? at + 2 : 0;
}

static bool decode_quoted(struct view in, struct view *out_r, struct arena *a)
{
	uint8_t *p = arena_get(a, in.n);
	size_t n = 0;
	while (p != NULL && in.n > 0) {
		size_t taken = 1;
		if (in.p[0] != '=')
			p[n++] = in.p[0];
		else
			taken = quoted(in, p, &n);
		if (taken == 0)
			return false;
		in = view_from(in, taken);
	}
	*out_r = view_of(p, n);
	return p != NULL || in.n == 0;
}

static int base64_digit(uint8_t b)
{
	if (b >= 'A' && b <= 'Z')
		return b - 'A';
	if (b >= 'a' && b <= 'z')
		return b - 'a' + 26;
	if (b >= '0' && b <= '9')
		return b - '0' + 52;
	return b == '+' ? 62 : b == '/' ? 63 : -1;
}

/* White space may stand anywhere; after padding nothing else may. */
static bool decode_base64(struct view in, struct view *out_r, struct arena *a)
{
	uint8_t *p = arena_get(a, in.n / 4 * 3 + 3);
	size_t n = 0, digits = 0, padding = 0;
	uint32_t bits = 0;
	for (size_t i = 0; p != NULL && i < in.n; i++) {
		const int d = base64_digit(in.p[i]);
		if (is_blank(in.p[i]) || in.p[i] == '\r' || in.p[i] == '\n')
			continue;
		if (in.p[i] == '=' && ++padding <= 2)
			continue;
		if (d < 0 || padding > 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		if (++digits % 4 != 1)
			p[n++] = (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	*out_r = view_of(p, n);
	return p != NULL && digits % 4 != 1 && (padding == 0 || (digits + padding) % 4 == 0);
}

static bool decode(struct view encoding, struct view in, struct view *out_r, struct arena *a)
{
	*out_r = in;
	if (view_eq_nocase(encoding, VIEW("quoted-printable")))
		return decode_quoted(in, out_r, a);
	if (view_eq_nocase(encoding, VIEW("base64")))
		return decode_base64(in, out_r, a);
	return encoding.n == 0 || view_eq_nocase(encoding, VIEW("7bit")) || view_eq_nocase(encoding, VIEW("8bit"));
}

bool ipm_mime_open(struct view ia5, struct ipm_mime *m_r, struct arena *a)
{
	struct view type = VIEW("text/plain"), encoding = { NULL, 0 }, disposition = { NULL, 0 };
	struct field f = { 0 };
	unsigned n = 0;
	if (!ipm_mime_is(ia5))
		return false;
	do {
		if (n++ >= FIELDS_MAX || !next_field(&ia5, &f))
			return false;
		if (view_eq_nocase(f.name, VIEW("Content-Type")))
			type = f.value;
		else if (view_eq_nocase(f.name, VIEW("Content-Transfer-Encoding")))
			encoding = f.value;
		else if (view_eq_nocase(f.name, VIEW("Content-Disposition")))
			disposition = f.value;
	} while (f.name.n > 0);
	struct view rest = type;
	*m_r = (struct ipm_mime){ .kind = IPM_MIME_OTHER, .type = next_parameter(&rest), .registration = CHARSET_REG_ASCII };
	if (view_eq_nocase(m_r->type, VIEW("text/plain"))) {
		const struct view set = parameter(type, VIEW("charset"));
		m_r->kind = IPM_MIME_TEXT;
		if (set.n > 0)
			m_r->registration = charset_of_mime_name(set);
		if (m_r->registration == CHARSET_REG_NONE)
			return false;
	} else if (view_eq_nocase(m_r->type, VIEW("application/x400-bp"))) {
		m_r->kind = IPM_MIME_PART;
	} else if (encoding.n == 0 || view_eq_nocase(view_first(m_r->type, 10), VIEW("multipart/")) ||
		   view_eq_nocase(view_first(m_r->type, 8), VIEW("message/"))) {
		return false;
	} else {
		m_r->name = parameter(type, VIEW("name"));
		if (m_r->name.n == 0)
			m_r->name = parameter(disposition, VIEW("filename"));
	}
	return decode(encoding, ia5, &m_r->octets, a);
}

/* --- writing --- */

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(struct view in, struct out *o)
{
	for (size_t column = 0; in.n > 0 && !o->bad; column += 4) {
		const struct view three = view_first(in, 3);
		const uint32_t bits = (uint32_t)three.p[0] << 16 | (three.n > 1 ? (uint32_t)three.p[1] << 8 : 0) |
				      (three.n > 2 ? three.p[2] : 0);
		if (column > 0 && column % LINE_MAX_MIME == 0)
			out_str(o, "\r\n");
		for (unsigned i = 0; i < 4; i++)
			out_u8(o, i <= three.n ? (uint8_t)digits64[bits >> (18 - 6 * i) & 63] : '=');
		in = view_from(in, 3);
	}
	out_str(o, "\r\n");
}

/* Octets of the line end at the front of v; 0: none. */
static size_t line_end(struct view v)
{
	if (v.n > 1 && v.p[0] == '\r' && v.p[1] == '\n')
		return 2;
	return v.n > 0 && (v.p[0] == '\r' || v.p[0] == '\n');
}

/* Every octet that stands for itself in all of IA5's national variants and before the end of a line (RFC 2045 6.7). */
static bool stands_for_itself(struct view v)
{
	const uint8_t b = v.p[0];
	if (is_blank(b))
		return v.n > 1 && line_end(view_from(v, 1)) == 0;
	return b > 0x20 && b < 0x7f && b != '=' && strchr("!\"#$@[\\]^`{|}~", b) == NULL;
}

static void put_quoted(struct view in, struct out *o)
{
	size_t column = 0;
	while (in.n > 0 && !o->bad) {
		const size_t end = line_end(in), n = stands_for_itself(in) ? 1 : 3;
		if (end > 0) {
			out_str(o, "\r\n");
			column = 0;
			in = view_from(in, end);
			continue;
		}
		if (column + n > LINE_MAX_MIME - 1) { /* one column is for the `=` */
			out_str(o, "=\r\n");
			column = 0;
		}
		if (n == 1)
			out_u8(o, in.p[0]);
		else
			out_fmt(o, "=%02X", in.p[0]);
		column += n;
		in = view_from(in, 1);
	}
}

static size_t quoted_size(struct view in)
{
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		const struct view v = view_from(in, i);
		n += line_end(v) > 0 || stands_for_itself(v) ? 1 : 3;
	}
	return n + n / LINE_MAX_MIME * 3;
}

static size_t base64_size(struct view in)
{
	const size_t n = (in.n + 2) / 3 * 4;
	return n + n / LINE_MAX_MIME * 2;
}

/* Base64 keeps octets as they are, so the line ends are made those of MIME first. */
static void put_base64_text(struct view in, struct out *o)
{
	struct out text;
	out_init(&text, o->max);
	while (in.n > 0 && !text.bad) {
		const size_t end = line_end(in);
		if (end > 0)
			out_str(&text, "\r\n");
		else
			out_u8(&text, in.p[0]);
		in = view_from(in, end > 0 ? end : 1);
	}
	o->bad |= text.bad;
	put_base64(out_view(&text), o);
	out_fini(&text);
}

void ipm_mime_put_text(unsigned registration, struct view octets, struct out *o)
{
	const char *name = charset_mime_name(registration);
	const bool base64 = base64_size(octets) < quoted_size(octets);
	assert(name != NULL);
	out_fmt(o, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: %s\r\n\r\n", name,
		base64 ? "base64" : "quoted-printable");
	if (base64)
		put_base64_text(octets, o);
	else
		put_quoted(octets, o);
}

void ipm_mime_put_part(struct view oid, struct view tlv, struct out *o)
{
	out_str(o, "MIME-Version: 1.0\r\nContent-Type: application/x400-bp");
	if (oid.n > 0) {
		out_str(o, "; bp-type=");
		ber_oid_print(oid, o);
	}
	out_str(o, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	put_base64(tlv, o);
}
