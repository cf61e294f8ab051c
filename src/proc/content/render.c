/* render.c - the parts of a content, gone through in order for showing or for taking one out. */
#include "proc/content/render_private.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "flow/codec/ipm/ipm_mime.h"

struct walk {
	struct renderer r;
	struct err *e;
	size_t wanted;          /* extract: the part's index, from 1; 0: render all */
	struct view found;      /* extract: its octets ... */
	bool is_found;          /* ... when there are any */
	size_t n_seen, cap;
	struct render result;
};

struct render_limits render_limits_default(void)
{
	return (struct render_limits){
		.arena = (size_t)64 << 20, .out = (size_t)15 << 20, .text_max = (size_t)1 << 20, .hex_max = 256, .parts = 500,
		.depth = 10, .elements = 200000,
	};
}

static bool no_memory(struct walk *w)
{
	return err_set(w->e, ERR_PERM, ERR_OF_MESSAGE, "content: showing it needs more than the %zu octets of memory it may use",
		       w->r.limits->arena);
}

/* Between pieces of work. */
static bool may_go_on(struct walk *w)
{
	if (arena_full(w->r.a))
		return no_memory(w);
	if (w->r.limits->out_of_time != NULL && w->r.limits->out_of_time(w->r.limits->ctx))
		return err_set(w->e, ERR_PERM, ERR_OF_MESSAGE, "content: showing it takes longer than it may, stopped at part %zu",
			       w->n_seen);
	return true;
}

/* --- one part --- */

/* Lines end with a line feed alone in what we show. */
static size_t drop_returns(uint8_t *p, size_t n)
{
	size_t at = 0;
	for (size_t i = 0; i < n; i++)
		if (!(p[i] == '\r' && i + 1 < n && p[i + 1] == '\n'))
			p[at++] = p[i];
	return at;
}

static size_t whole_characters(struct view v)
{
	struct view rest = v;
	while (rest.n > 0) {
		struct view next = rest;
		if (charset_utf8_next(&next) == UINT32_MAX)
			break;
		rest = next;
	}
	return v.n - rest.n;
}

/* IA5 text that is MIME (RFC 1496) is shown as what it stands for, and said to be. */
static struct ipm_part meant(struct walk *w, const struct ipm_part *p, struct field_list *fields)
{
	struct ipm_part part = *p;
	struct ipm_mime m;
	if (p->kind != IPM_PART_IA5_TEXT || !ipm_mime_open(p->octets, &m, w->r.a))
		return part;
	fields_add(&w->r, fields, "mime-type", field_text(&w->r, CHARSET_IA5, m.type));
	if (m.kind != IPM_MIME_TEXT)
		return part;
	fields_add_str(&w->r, fields, "mime-charset", charset_mime_name(m.registration));
	part.octets = m.octets;
	part.registration = m.registration;
	part.charset = m.registration == CHARSET_REG_UTF8 ? CHARSET_UTF8 : CHARSET_GENERAL;
	return part;
}

static void show_text(struct walk *w, const struct ipm_part *as_it_is, struct render_part *to, struct field_list *fields)
{
	const struct ipm_part part = meant(w, as_it_is, fields), *p = &part;
	struct out o;
	out_init(&o, w->r.limits->text_max);
	const size_t replaced = charset_to_utf8(w->r.kit, p->charset, p->registration, p->octets, &o);
	const struct view all = out_view(&o);
	uint8_t *kept = arena_get(w->r.a, all.n);
	if (kept != NULL && all.n > 0) {
		const size_t n = whole_characters(all);
		memcpy(kept, all.p, n);
		to->text = view_of(kept, drop_returns(kept, n));
	}
	to->flags |= RENDER_TEXT | (replaced > 0 ? RENDER_REPLACED : 0u) | (o.bad ? RENDER_TRUNCATED : 0u);
	out_fini(&o);
}

/* Sixteen octets a line: offset, hexadecimal, printable characters. */
static void show_hex(struct walk *w, struct view octets, struct render_part *to)
{
	const struct view shown = view_first(octets, w->r.limits->hex_max);
	struct out o;
	out_init(&o, mem_add(mem_mul(shown.n, 6), 128));
	for (size_t at = 0; at < shown.n; at += 16) {
		const struct view line = view_first(view_from(shown, at), 16);
		out_fmt(&o, "%08zx ", at);
		for (size_t i = 0; i < 16; i++) {
			if (i < line.n)
				out_fmt(&o, " %02x", line.p[i]);
			else
				out_str(&o, "   ");
		}
		out_str(&o, "  ");
		for (size_t i = 0; i < line.n; i++)
			out_u8(&o, line.p[i] >= 0x20 && line.p[i] < 0x7f ? line.p[i] : '.');
		out_u8(&o, '\n');
	}
	to->text = arena_copy(w->r.a, out_view(&o));
	to->flags |= shown.n < octets.n ? RENDER_TRUNCATED : 0u;
	out_fini(&o);
}

static struct render_part *new_part(struct walk *w, unsigned depth, const char *kind, struct view octets)
{
	struct render *out = &w->result;
	if (out->n_parts == w->cap) {
		const size_t cap = w->cap == 0 ? 8 : 2 * w->cap;
		struct render_part *more = arena_array(w->r.a, cap, sizeof *more);
		if (more == NULL)
			return NULL;
		if (out->n_parts > 0)
			memcpy(more, out->parts, out->n_parts * sizeof *more);
		out->parts = more;
		w->cap = cap;
	}
	struct render_part *p = &out->parts[out->n_parts++];
	*p = (struct render_part){ .depth = depth, .size = octets.n, .kind = view_str(kind) };
	return p;
}

/* Counts a part. *shown_r: it is to be shown. False: the walk ends, with an error or with what was looked for. */
static bool see(struct walk *w, struct view octets, bool *shown_r)
{
	*shown_r = w->wanted == 0;
	if (!may_go_on(w))
		return false;
	w->n_seen++;
	if (w->wanted != w->n_seen)
		return true;
	w->found = octets;
	w->is_found = true;
	return false;
}

static bool walk_message(struct walk *w, const struct ipm_message *m, unsigned depth);

static bool walk_part(struct walk *w, const struct ipm_part *p, unsigned depth)
{
	const bool nested = p->message != NULL && depth < w->r.limits->depth;
	bool shown;
	if (!see(w, p->octets, &shown))
		return false;
	struct render_part *to = shown ? new_part(w, depth, ipm_part_kind_name(p->kind), p->octets) : NULL;
	if (to != NULL) {
		struct field_list fields = { 0 };
		to->name = field_text(&w->r, CHARSET_GENERAL, p->name);
		fields_part(&w->r, &fields, p);
		if (p->notification != NULL)
			fields_notification(&w->r, &fields, p->notification);
		if (nested) {
			to->flags |= RENDER_MESSAGE;
			fields_heading(&w->r, &fields, &p->message->heading);
		} else if (p->message != NULL) {
			fields_add_fmt(&w->r, &fields, "note", "a message %u deep is not opened, the limit is %u", depth + 1,
				       w->r.limits->depth);
		}
		if (p->is_text)
			show_text(w, p, to, &fields);
		else if (!nested)
			show_hex(w, p->octets, to);
		to->fields = fields.v;
		to->n_fields = fields.n;
	}
	return !nested || walk_message(w, p->message, depth + 1);
}

static bool walk_message(struct walk *w, const struct ipm_message *m, unsigned depth)
{
	for (size_t i = 0; i < ipm_part_count(m); i++) {
		struct ipm_part part;
		if (w->n_seen >= w->r.limits->parts) {
			if (w->wanted != 0)
				return true;
			struct render_part *rest = new_part(w, depth, "unknown", (struct view){ NULL, 0 });
			struct field_list fields = { 0 };
			fields_add_fmt(&w->r, &fields, "note", "%zu more parts are not shown, the limit is %zu",
				       ipm_part_count(m) - i, w->r.limits->parts);
			if (rest != NULL) {
				rest->fields = fields.v;
				rest->n_fields = fields.n;
			}
			return may_go_on(w);
		}
		if (!may_go_on(w) || !ipm_part_at(m, i, &part, w->r.a, &w->r.ber, w->e) || !walk_part(w, &part, depth))
			return false;
	}
	return true;
}

/* --- whole contents --- */

/* P2 and P22 by number and by OID (2.6.1.10.n), and the military content P772 (STANAG 4406), which is a P22 with
 * more extensions. */
static bool is_ipm(int64_t content_type, struct view oid)
{
	static const struct view oids[] = {
		{ (const uint8_t *)"\x56\x01\x0a\x00", 4 },
		{ (const uint8_t *)"\x56\x01\x0a\x01", 4 },
		{ (const uint8_t *)"\x2b\x1a\x00\xa2\x36\x00\x04\x01", 8 },
	};
	if (content_type != -1)
		return content_type == 2 || content_type == 22;
	for (size_t i = 0; i < ARRAY_LEN(oids); i++)
		if (view_eq(oid, oids[i]))
			return true;
	return false;
}

/* A content as one part of octets, with why. */
static bool walk_octets(struct walk *w, enum render_kind kind, int64_t content_type, struct view oid, struct view content,
			const char *why)
{
	struct field_list fields = { 0 };
	bool shown;
	if (!see(w, content, &shown))
		return false;
	w->result.kind = kind;
	if (content_type == -1)
		fields_add_oid(&w->r, &fields, "content-type", oid);
	else
		fields_add_fmt(&w->r, &fields, "content-type", "%" PRId64, content_type);
	if (why != NULL)
		fields_add_str(&w->r, &fields, "error", why);
	w->result.fields = fields.v;
	w->result.n_fields = fields.n;
	struct render_part *part = shown ? new_part(w, 1, "octets", content) : NULL;
	if (part != NULL)
		show_hex(w, content, part);
	return may_go_on(w);
}

static bool walk_ipn(struct walk *w, const struct ipm_ipn *n, struct field_list *fields)
{
	w->result.kind = RENDER_NOTIFICATION;
	fields_notification(&w->r, fields, n);
	w->result.fields = fields->v;
	w->result.n_fields = fields->n;
	if (n->fields.choice.which != IPM_NON_RECEIPT || n->fields.non_receipt.returned == NULL)
		return may_go_on(w);
	const struct ipm_part returned = {
		.kind = IPM_PART_MESSAGE, .message = n->fields.non_receipt.returned, .size = -1, .pages = -1,
	};
	return walk_part(w, &returned, 1);
}

static bool walk_content(struct walk *w, int64_t content_type, struct view oid, struct view content)
{
	struct ipm ipm;
	struct field_list fields = { 0 };
	struct err why;
	if (!is_ipm(content_type, oid))
		return walk_octets(w, RENDER_UNKNOWN, content_type, oid, content, NULL);
	if (!ipm_parse(content, &ipm, w->r.a, &w->r.ber, &why)) {
		if (arena_full(w->r.a))
			return no_memory(w);
		return walk_octets(w, RENDER_BROKEN, content_type, oid, content, why.text);
	}
	if (ipm.notification != NULL)
		return walk_ipn(w, ipm.notification, &fields);
	w->result.kind = RENDER_IPM;
	fields_heading(&w->r, &fields, &ipm.message->heading);
	w->result.fields = fields.v;
	w->result.n_fields = fields.n;
	return walk_message(w, ipm.message, 1) && may_go_on(w);
}

static struct walk begin(const struct render_limits *limits, const struct charset_kit *kit, struct view content, struct err *e)
{
	struct walk w = { .e = e };
	w.r = (struct renderer){ .limits = limits, .kit = kit, .a = arena_new(limits->arena) };
	w.r.ber = ipm_limits_default();
	w.r.ber.elements = limits->elements;
	w.r.ber.bytes = content.n;
	return w;
}

/* Packs what the walk has found, if it went well; ends the walk. */
static bool finish(struct walk *w, bool ok, struct out *o, struct err *e)
{
	if (ok) {
		struct out packed;
		out_init(&packed, w->r.limits->out);
		render_pack(&w->result, &packed);
		ok = !packed.bad && out_room(o) >= out_len(&packed);
		if (ok)
			out_bytes(o, out_view(&packed));
		else
			err_set(e, ERR_PERM, ERR_OF_MESSAGE, "content: what is to be shown is longer than the %zu octets it may have",
				w->r.limits->out);
		out_fini(&packed);
	}
	arena_free(&w->r.a);
	return ok;
}

bool content_render(int64_t content_type, struct view oid, struct view content, const struct render_limits *limits,
		    const struct charset_kit *kit, struct out *o, struct err *e)
{
	struct walk w = begin(limits, kit, content, e);
	return finish(&w, walk_content(&w, content_type, oid, content), o, e);
}

/* The content that a report returns: a part, opened when it is an interpersonal message. */
static bool walk_returned(struct walk *w, const struct message *m)
{
	struct ipm ipm;
	struct ipm_part part = { .kind = IPM_PART_CONTENT, .octets = m->returned_content, .size = -1, .pages = -1 };
	if (is_ipm(m->content_type, m->content_type_oid) &&
	    ipm_parse(m->returned_content, &ipm, w->r.a, &w->r.ber, &part.why) && ipm.message != NULL) {
		part.kind = IPM_PART_MESSAGE;
		part.message = ipm.message;
	}
	return walk_part(w, &part, 1);
}

static bool walk_report(struct walk *w, const struct message *m)
{
	struct field_list fields = { 0 };
	w->result.kind = RENDER_REPORT;
	fields_report(&w->r, &fields, m);
	w->result.fields = fields.v;
	w->result.n_fields = fields.n;
	return may_go_on(w) && (m->returned_content.n == 0 || walk_returned(w, m));
}

/* The envelope's fields before those of the content. */
static bool add_envelope(struct walk *w, const struct message *m)
{
	struct field_list fields = { 0 };
	struct out o;
	out_init(&o, 1024);
	mts_id_print(&m->id, &o);
	fields_add_built(&w->r, &fields, "mts-id", &o);
	fields_add_str(&w->r, &fields, "priority", priority_name(m->priority));
	if (m->trace.n > 0 && m->trace.v[0].arrival != 0)
		fields_add_time(&w->r, &fields, "submitted", m->trace.v[0].arrival);
	for (size_t i = 0; i < w->result.n_fields; i++)
		fields_add(&w->r, &fields, "", (struct view){ NULL, 0 });
	if (arena_full(w->r.a))
		return no_memory(w);
	const size_t own = fields.n - w->result.n_fields;
	for (size_t i = 0; i < w->result.n_fields; i++)
		fields.v[own + i] = w->result.fields[i];
	w->result.fields = fields.v;
	w->result.n_fields = fields.n;
	return true;
}

bool content_render_message(const struct message *m, struct view content, const struct render_limits *limits,
			    const struct charset_kit *kit, struct out *o, struct err *e)
{
	struct message report = *m;
	if (m->kind == MESSAGE_REPORT && m->returned_content.n == 0)
		report.returned_content = content; /* a long one lies beside the report */
	struct walk w = begin(limits, kit, m->kind == MESSAGE_REPORT ? report.returned_content : content, e);
	const bool ok = m->kind == MESSAGE_REPORT
				? walk_report(&w, &report)
				: walk_content(&w, m->content_type, m->content_type_oid, content) && add_envelope(&w, m);
	return finish(&w, ok, o, e);
}

enum { OCTETS_HEX = 4096, OCTETS_BER = 16 * 1024 };

/* Texts of a peer's in it are escaped by the printer. */
static bool add_structure(struct walk *w, struct view octets)
{
	struct out text;
	struct render_part *part = new_part(w, 1, "structure", octets);
	if (part == NULL)
		return may_go_on(w);
	out_init(&text, w->r.limits->text_max);
	ber_print_raw(view_first(octets, OCTETS_BER), 0, &text);
	const struct ipm_part as_text = { .kind = IPM_PART_UNKNOWN, .octets = out_view(&text), .charset = CHARSET_UTF8 };
	show_text(w, &as_text, part, NULL);
	part->flags |= octets.n > OCTETS_BER ? RENDER_TRUNCATED : 0u;
	out_fini(&text);
	return may_go_on(w);
}

bool content_render_octets(struct view octets, const struct render_limits *limits, struct out *o, struct err *e)
{
	struct render_limits wider = *limits;
	wider.hex_max = OCTETS_HEX;
	struct walk w = begin(&wider, NULL, octets, e);
	struct field_list fields = { 0 };
	w.result.kind = RENDER_UNKNOWN;
	fields_add_fmt(&w.r, &fields, "octets", "%zu", octets.n);
	w.result.fields = fields.v;
	w.result.n_fields = fields.n;
	struct render_part *part = new_part(&w, 1, "octets", octets);
	if (part != NULL)
		show_hex(&w, octets, part);
	return finish(&w, may_go_on(&w) && add_structure(&w, octets), o, e);
}

bool content_extract(int64_t content_type, struct view oid, struct view content, size_t index,
		     const struct render_limits *limits, struct out *o, struct err *e)
{
	struct err why = { 0 };
	struct walk w = begin(limits, NULL, content, &why);
	w.wanted = index;
	bool ok = index > 0 && (walk_content(&w, content_type, oid, content), w.is_found);
	if (ok) {
		out_bytes(o, w.found);
		ok = !o->bad || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "content: part %zu has %zu octets, there is room for %zu", index,
					w.found.n, o->max);
	} else if (why.kind != ERR_NONE) {
		if (e != NULL)
			*e = why;
	} else {
		err_set(e, ERR_PERM, ERR_OF_MESSAGE, "content: there is no part %zu, it has %zu", index, w.n_seen);
	}
	arena_free(&w.r.a);
	return ok;
}
