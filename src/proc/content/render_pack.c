/* render_pack.c - the result as octets between processes, as text and as JSON. */
#include "proc/content/render_private.h"

#include <inttypes.h>

#include "base/cur.h"
#include "base/text.h"

const char *render_kind_name(enum render_kind kind)
{
	switch (kind) {
	case RENDER_IPM:
		return "message";
	case RENDER_NOTIFICATION:
		return "notification";
	case RENDER_UNKNOWN:
		return "unknown";
	case RENDER_BROKEN:
		return "broken";
	case RENDER_REPORT:
		return "report";
	}
	return "?";
}

/* --- packing --- */

static void put_string(struct out *o, struct view v)
{
	out_u32(o, (uint32_t)v.n);
	out_bytes(o, v);
}

static void put_fields(struct out *o, const struct render_field *v, size_t n)
{
	if (n > UINT16_MAX)
		n = UINT16_MAX;
	out_u16(o, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		put_string(o, v[i].label);
		put_string(o, v[i].value);
	}
}

void render_pack(const struct render *r, struct out *o)
{
	out_u8(o, RENDER_VERSION);
	out_u8(o, (uint8_t)r->kind);
	put_fields(o, r->fields, r->n_fields);
	const size_t n = r->n_parts > UINT16_MAX ? UINT16_MAX : r->n_parts;
	out_u16(o, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		const struct render_part *p = &r->parts[i];
		out_u8(o, (uint8_t)(p->depth > UINT8_MAX ? UINT8_MAX : p->depth));
		out_u8(o, (uint8_t)p->flags);
		out_u64(o, p->size);
		put_string(o, p->kind);
		put_string(o, p->name);
		put_fields(o, p->fields, p->n_fields);
		put_string(o, p->text);
	}
}

/* --- unpacking --- */

struct unpacker {
	struct cur c;
	struct arena *a;
	bool bad; /* something else than a short input */
};

static struct view get_string(struct unpacker *u)
{
	struct view v = cur_bytes(&u->c, cur_u32(&u->c));
	u->bad |= !charset_is_utf8(v);
	return v;
}

/* n elements need at least `least` octets each: a lying count gets no memory. */
static void *get_array(struct unpacker *u, size_t n, size_t least, size_t size)
{
	if (n == 0 || cur_left(&u->c) / least < n) {
		u->bad |= n != 0;
		return NULL;
	}
	void *v = arena_array(u->a, n, size);
	u->bad |= v == NULL;
	return v;
}

static size_t get_fields(struct unpacker *u, struct render_field **v_r)
{
	const size_t n = cur_u16(&u->c);
	*v_r = get_array(u, n, 8, sizeof **v_r);
	for (size_t i = 0; *v_r != NULL && i < n; i++) {
		(*v_r)[i].label = get_string(u);
		(*v_r)[i].value = get_string(u);
	}
	return *v_r == NULL ? 0 : n;
}

static void get_part(struct unpacker *u, struct render_part *p)
{
	p->depth = cur_u8(&u->c);
	p->flags = cur_u8(&u->c);
	p->size = cur_u64(&u->c);
	p->kind = get_string(u);
	p->name = get_string(u);
	p->n_fields = get_fields(u, &p->fields);
	p->text = get_string(u);
}

bool render_unpack(struct view in, struct render *r, struct arena *a, struct err *e)
{
	struct unpacker u = { cur_of(in), a, false };
	const unsigned version = cur_u8(&u.c), kind = cur_u8(&u.c);
	*r = (struct render){ 0 };
	if (!u.c.bad && version != RENDER_VERSION)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "rendered content: version %u, want %d", version, RENDER_VERSION);
	u.bad = kind > RENDER_REPORT;
	r->kind = (enum render_kind)kind;
	r->n_fields = get_fields(&u, &r->fields);
	const size_t n = cur_u16(&u.c);
	r->parts = get_array(&u, n, 24, sizeof *r->parts);
	r->n_parts = r->parts == NULL ? 0 : n;
	for (size_t i = 0; i < r->n_parts; i++)
		get_part(&u, &r->parts[i]);
	if (u.c.bad || u.bad || cur_left(&u.c) > 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "rendered content: %zu octets that make no sense%s", in.n,
			       arena_full(a) ? ", or more than the memory for them" : "");
	return true;
}

/* --- showing --- */

/* "from" -> "From:" and the value, indented by depth. */
/* On one line: a line end or tab that a peer has put into a heading begins no line of ours, and overwrites none. */
static void print_value(struct view v, struct out *o)
{
	for (size_t i = 0; i < v.n; i++)
		out_u8(o, v.p[i] < ' ' ? ' ' : v.p[i]);
}

static void print_field(const struct render_field *f, unsigned indent, struct out *o)
{
	out_fmt(o, "%*s", (int)indent, "");
	for (size_t i = 0; i < f->label.n; i++)
		out_u8(o, i == 0 && f->label.p[i] >= 'a' && f->label.p[i] <= 'z' ? (uint8_t)(f->label.p[i] - 0x20) : f->label.p[i]);
	out_str(o, ": ");
	print_value(f->value, o);
	out_u8(o, '\n');
}

/* Each line indented; a last line end is added when there is none. A carriage return that is left ends a line too. */
static void print_lines(struct view text, unsigned indent, struct out *o)
{
	bool begins = true;
	for (size_t i = 0; i < text.n; i++) {
		const uint8_t c = text.p[i] == '\r' ? '\n' : text.p[i];
		if (begins && c != '\n')
			out_fmt(o, "%*s", (int)indent, "");
		out_u8(o, c);
		begins = c == '\n';
	}
	if (!begins)
		out_u8(o, '\n');
}

static void print_part(const struct render_part *p, size_t number, struct out *o)
{
	const unsigned indent = p->depth > 1 ? 4 * (p->depth - 1) : 0;
	out_fmt(o, "\n%*s-- part %zu: ", (int)indent, "", number);
	out_bytes(o, p->kind);
	if (p->name.n > 0) {
		out_str(o, " \"");
		print_value(p->name, o);
		out_u8(o, '"');
	}
	out_fmt(o, ", %" PRIu64 " octets%s%s\n", p->size, p->flags & RENDER_TRUNCATED ? ", cut" : "",
		p->flags & RENDER_REPLACED ? ", some characters could not be read" : "");
	for (size_t i = 0; i < p->n_fields; i++)
		print_field(&p->fields[i], indent, o);
	if (p->text.n > 0 && p->n_fields > 0)
		out_u8(o, '\n');
	print_lines(p->text, indent, o);
}

void render_print(const struct render *r, struct out *o)
{
	if (r->kind != RENDER_IPM)
		out_fmt(o, "Kind: %s\n", render_kind_name(r->kind));
	for (size_t i = 0; i < r->n_fields; i++)
		print_field(&r->fields[i], 0, o);
	for (size_t i = 0; i < r->n_parts; i++)
		print_part(&r->parts[i], i + 1, o);
}

/* RFC 8259 7; the octets are UTF-8 already. */
static void json_string(struct view v, struct out *o)
{
	out_u8(o, '"');
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t b = v.p[i];
		if (b == '"' || b == '\\')
			out_fmt(o, "\\%c", b);
		else if (b == '\n')
			out_str(o, "\\n");
		else if (b < 0x20)
			out_fmt(o, "\\u%04x", b);
		else
			out_u8(o, b);
	}
	out_u8(o, '"');
}

/* A list of pairs: labels may stand more than once and their order counts. */
static void json_fields(const struct render_field *v, size_t n, struct out *o)
{
	out_str(o, "\"fields\": [");
	for (size_t i = 0; i < n; i++) {
		out_str(o, i == 0 ? "{\"label\": " : ", {\"label\": ");
		json_string(v[i].label, o);
		out_str(o, ", \"value\": ");
		json_string(v[i].value, o);
		out_u8(o, '}');
	}
	out_u8(o, ']');
}

static const char *json_bool(unsigned x)
{
	return x != 0 ? "true" : "false";
}

void render_print_json(const struct render *r, struct out *o)
{
	out_fmt(o, "{\"kind\": \"%s\", ", render_kind_name(r->kind));
	json_fields(r->fields, r->n_fields, o);
	out_str(o, ", \"parts\": [");
	for (size_t i = 0; i < r->n_parts; i++) {
		const struct render_part *p = &r->parts[i];
		out_fmt(o, "%s{\"part\": %zu, \"depth\": %u, \"kind\": ", i == 0 ? "" : ", ", i + 1, p->depth);
		json_string(p->kind, o);
		out_str(o, ", \"name\": ");
		json_string(p->name, o);
		out_fmt(o, ", \"size\": %" PRIu64 ", \"truncated\": %s, \"replaced\": %s, \"message\": %s, ", p->size,
			json_bool(p->flags & RENDER_TRUNCATED), json_bool(p->flags & RENDER_REPLACED),
			json_bool(p->flags & RENDER_MESSAGE));
		json_fields(p->fields, p->n_fields, o);
		out_fmt(o, ", \"%s\": ", p->flags & RENDER_TEXT ? "text" : "hex");
		json_string(p->text, o);
		out_u8(o, '}');
	}
	out_str(o, "]}");
}
