/* decode_show.c - see decode_show.h. */
#include "proc/tool/decode_show.h"

#include "base/text.h"

#include <inttypes.h>

enum { DUMP_MAX = 512, OCTETS_MAX = 4096, RAW_MAX = 65536, EVENT_MAX = 512 << 20 };

void show_init(struct show *s, const struct decode_options *options, decode_write_f *write, void *ctx,
	       struct decode_totals *totals)
{
	*s = (struct show){ .json = options->json, .secrets = options->secrets, .write = write, .ctx = ctx, .totals = totals };
	out_init(&s->out, options->event_max == 0 ? EVENT_MAX : options->event_max);
}

void show_fini(struct show *s)
{
	assert(s->depth == 0);
	out_fini(&s->out);
}

/* --- strings --- */

/* Octets are read as Latin-1: any of them gives valid JSON. */
static void json_string(struct out *o, struct view v)
{
	out_u8(o, '"');
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t c = v.p[i];
		if (c < 0x20 || c > 0x7e)
			out_fmt(o, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			out_fmt(o, "\\%c", c);
		else
			out_u8(o, c);
	}
	out_u8(o, '"');
}

static bool printable(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return v.n > 0;
}

/* --- the tree --- */

static void push(struct show *s, bool list)
{
	assert(s->depth < SHOW_DEPTH);
	s->list[s->depth] = list;
	s->filled[s->depth++] = false;
}

/* What stands before a value: in JSON a comma and the key. */
static void key_of(struct show *s, const char *key)
{
	assert(s->depth > 0);
	if (!s->json) {
		out_fmt(&s->out, "%*s%s: ", (int)s->indent, "", key);
		return;
	}
	if (s->filled[s->depth - 1])
		out_u8(&s->out, ',');
	s->filled[s->depth - 1] = true;
	if (!s->list[s->depth - 1])
		out_fmt(&s->out, "\"%s\":", key);
}

static void line_end(struct show *s)
{
	if (!s->json)
		out_u8(&s->out, '\n');
}

static void put_string(struct show *s, const char *key, const char *text)
{
	key_of(s, key);
	if (s->json)
		json_string(&s->out, view_str(text));
	else
		out_str(&s->out, text);
	line_end(s);
}

/* A sentence is cut; what a printer of its own writes is not. */
#define FORMATTED(text, fmt) \
	char text[400]; \
	va_list args; \
	va_start(args, fmt); \
	vsnprintf(text, sizeof text, fmt, args); \
	va_end(args)

void show_object(struct show *s, const char *key, const char *title_fmt, ...)
{
	char title[400] = "";
	if (title_fmt != NULL) {
		va_list args;
		va_start(args, title_fmt);
		vsnprintf(title, sizeof title, title_fmt, args);
		va_end(args);
	}
	if (!s->json) {
		out_fmt(&s->out, "%*s%s%s%s\n", (int)s->indent, "", key, title[0] == 0 ? "" : ": ", title);
		push(s, false);
		s->indent += 2;
		return;
	}
	key_of(s, key);
	out_u8(&s->out, '{');
	push(s, false);
	if (title[0] != 0)
		put_string(s, "name", title);
}

void show_list(struct show *s, const char *key)
{
	if (s->json) {
		key_of(s, key);
		out_u8(&s->out, '[');
	}
	push(s, true);
}

void show_end(struct show *s)
{
	assert(s->depth > 0);
	const bool list = s->list[--s->depth];
	if (s->json)
		out_u8(&s->out, list ? ']' : '}');
	else if (!list)
		s->indent -= 2;
}

static void put_time(struct show *s, const struct show_at *at)
{
	const uint64_t unit = at->nano ? 1 : 1000;
	out_fmt(&s->out, "%" PRIu64 ".%0*" PRIu64, at->time_ns / 1000000000u, at->nano ? 9 : 6,
		at->time_ns % 1000000000u / unit);
}

void show_event(struct show *s, const struct show_at *at, const char *name)
{
	assert(s->depth == 0);
	push(s, false);
	s->indent = 4;
	if (!s->json) {
		if (at->has_time)
			put_time(s, at);
		if (at->has_side)
			out_str(&s->out, at->responder ? " < " : " > ");
		else if (at->has_time)
			out_str(&s->out, " - ");
		out_fmt(&s->out, "%s\n", name);
		return;
	}
	out_u8(&s->out, '{');
	if (at->has_time) {
		key_of(s, "time");
		put_time(s, at);
	}
	if (at->connection != 0)
		show_uint(s, "connection", at->connection);
	if (at->has_side)
		put_string(s, "from", at->responder ? "responder" : "initiator");
	put_string(s, "event", name);
}

void show_event_end(struct show *s)
{
	assert(s->depth == 1);
	s->depth = 0;
	if (s->json)
		out_str(&s->out, "}\n");
	if (s->out.bad) {
		const size_t max = s->out.max;
		out_fini(&s->out);
		out_init(&s->out, max < 256 ? 256 : max);
		s->totals->damaged++;
		out_fmt(&s->out, s->json ? "{\"event\":\"left out\",\"damaged\":\"the text of this event is over the limit of %zu octets\"}\n"
					 : "    damaged: the text of this event is over the limit of %zu octets\n", max);
	}
	s->write(s->ctx, out_view(&s->out));
	out_clear(&s->out);
}

/* --- values --- */

void show_uint(struct show *s, const char *key, uint64_t x)
{
	key_of(s, key);
	out_fmt(&s->out, "%" PRIu64, x);
	line_end(s);
}

void show_int(struct show *s, const char *key, int64_t x, const char *name)
{
	if (s->json && name != NULL) {
		show_object(s, key, "%s", name);
		key_of(s, "value");
		out_fmt(&s->out, "%" PRId64, x);
		show_end(s);
		return;
	}
	key_of(s, key);
	out_fmt(&s->out, "%" PRId64, x);
	if (name != NULL)
		out_fmt(&s->out, " (%s)", name);
	line_end(s);
}

void show_bool(struct show *s, const char *key, bool x)
{
	key_of(s, key);
	out_str(&s->out, s->json ? (x ? "true" : "false") : (x ? "yes" : "no"));
	line_end(s);
}

void show_fmt(struct show *s, const char *key, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	put_string(s, key, text);
}

void show_text(struct show *s, const char *key, struct view v)
{
	key_of(s, key);
	if (s->json) {
		json_string(&s->out, v);
	} else {
		out_u8(&s->out, '"');
		text_escape(&s->out, v, OCTETS_MAX);
		out_u8(&s->out, '"');
	}
	line_end(s);
}

void show_octets(struct show *s, const char *key, struct view v)
{
	const struct view shown = view_first(v, OCTETS_MAX);
	if (s->json) {
		show_object(s, key, NULL);
		show_uint(s, "octets", v.n);
		key_of(s, "hex");
		out_u8(&s->out, '"');
		text_hex(&s->out, shown);
		out_u8(&s->out, '"');
		if (printable(shown))
			show_text(s, "text", shown);
		show_end(s);
		return;
	}
	key_of(s, key);
	if (v.n == 0)
		out_str(&s->out, "empty");
	if (printable(shown)) {
		out_u8(&s->out, '"');
		text_escape(&s->out, shown, OCTETS_MAX);
		out_str(&s->out, "\" ");
	}
	text_hex(&s->out, shown);
	if (v.n > shown.n)
		out_fmt(&s->out, " ...(%zu more)", v.n - shown.n);
	line_end(s);
}

/* Sixteen octets a line: offset, hexadecimal, characters. */
static void dump_line(struct show *s, struct view v, size_t at)
{
	out_fmt(&s->out, "%*s%04zx ", (int)s->indent, "", at);
	for (size_t i = 0; i < 16; i++) {
		if (i < v.n)
			out_fmt(&s->out, " %02x", v.p[i]);
		else
			out_str(&s->out, "   ");
	}
	out_str(&s->out, "  ");
	for (size_t i = 0; i < v.n; i++)
		out_u8(&s->out, v.p[i] >= 0x20 && v.p[i] < 0x7f ? v.p[i] : '.');
	out_u8(&s->out, '\n');
}

void show_dump(struct show *s, const char *key, struct view v)
{
	if (s->json) {
		show_octets(s, key, v);
		return;
	}
	show_object(s, key, "%zu octets", v.n);
	const struct view shown = view_first(v, DUMP_MAX);
	for (size_t at = 0; at < shown.n; at += 16)
		dump_line(s, view_first(view_from(shown, at), 16), at);
	if (v.n > shown.n)
		out_fmt(&s->out, "%*s...(%zu more)\n", (int)s->indent, "", v.n - shown.n);
	show_end(s);
}

void show_oid(struct show *s, const char *key, struct view oid)
{
	key_of(s, key);
	out_str(&s->out, s->json ? "\"" : "");
	ber_oid_print(oid, &s->out);
	out_str(&s->out, s->json ? "\"" : "");
	line_end(s);
}

void show_bits(struct show *s, const char *key, unsigned x, const char *const *names, size_t n)
{
	bool first = true;
	key_of(s, key);
	out_str(&s->out, s->json ? "[" : x == 0 ? "none" : "");
	for (unsigned i = 0; i < 32; i++) {
		if ((x >> i & 1) == 0)
			continue;
		out_str(&s->out, first ? "" : s->json ? "," : ", ");
		if (i < n && names[i] != NULL)
			out_fmt(&s->out, s->json ? "\"%s\"" : "%s", names[i]);
		else
			out_fmt(&s->out, s->json ? "\"bit %u\"" : "bit %u", i + 1);
		first = false;
	}
	out_str(&s->out, s->json ? "]" : "");
	line_end(s);
}

void show_secret(struct show *s, const char *key, struct view v)
{
	if (s->secrets)
		show_octets(s, key, v);
	else
		show_fmt(s, key, "(%zu octets)", v.n);
}

void show_hidden(struct show *s, const char *key, struct view v)
{
	if (s->secrets)
		show_dump(s, key, v);
	else
		show_fmt(s, key, "(%zu octets, which may hold a password: --secrets shows them)", v.n);
}

struct out *show_value(struct show *s, const char *key, enum ber_form *form_r, unsigned *indent_r)
{
	*form_r = s->json ? BER_JSON : BER_ASN1;
	*indent_r = s->indent;
	key_of(s, key);
	return &s->out;
}

void show_value_end(struct show *s)
{
	line_end(s);
}

void show_raw(struct show *s, const char *key, struct view tlv)
{
	if (s->json) {
		show_octets(s, key, tlv);
		return;
	}
	show_object(s, key, "%zu octets", tlv.n);
	ber_print_raw(view_first(tlv, RAW_MAX), s->indent, &s->out);
	if (tlv.n > RAW_MAX)
		out_fmt(&s->out, "%*s...(%zu more)\n", (int)s->indent, "", tlv.n - RAW_MAX);
	show_end(s);
}

void show_damaged(struct show *s, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	s->totals->damaged++;
	put_string(s, "damaged", text);
}
