/* quarantine_show.c - one thing in quarantine as a person reads it: why it is there, its envelope, its first octets. */
#include "proc/ctl/quarantine_int.h"

#include "base/text.h"
#include "flow/message/pack.h"

#include <jansson.h>

enum { LINE_OCTETS = 16 };

/* One page, as text or as one JSON object. */
struct page {
	struct ctl *c;
	json_t *object, *list;           /* JSON; list: where lines go, NULL: none is open */
};

static json_t *json_of(struct view v)
{
	json_t *x = json_stringn((const char *)v.p, v.n);
	char escaped[512];
	return x != NULL ? x : json_string(text_escaped(escaped, sizeof escaped, v));
}

/* Whatever a peer has sent in it, the terminal gets no control characters. */
static void put(struct page *p, const char *label, struct view value)
{
	char text[1200];
	if (value.n == 0)
		return;
	if (p->c->json)
		json_object_set_new(p->object, label, json_of(value));
	else
		printf("  %-14s %s\n", label, text_escaped(text, sizeof text, value));
}

static void begin_list(struct page *p, const char *label, size_t n)
{
	if (!p->c->json) {
		printf("  %s (%zu)\n", label, n);
		return;
	}
	p->list = json_array();
	json_object_set_new(p->object, label, p->list);
}

static void put_line(struct page *p, struct out *o)
{
	char text[1200];
	if (p->c->json)
		json_array_append_new(p->list, json_of(out_view(o)));
	else
		printf("    %s\n", text_escaped(text, sizeof text, out_view(o)));
	out_clear(o);
}

/* --- the row --- */

static void put_row(struct page *p, const struct quarantined *q)
{
	static const char *const labels[] = { "what", "form", "state", "at", "link", "peer", "size", "strikes", "cause", "words", "key", "id" };
	if (!p->c->json)
		printf("quarantine %llu\n", (unsigned long long)q->id);
	else
		json_object_set_new(p->object, "quarantine", json_integer((json_int_t)q->id));
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		put(p, labels[i], ctl_octets(q->pairs, labels[i]));
}

/* --- the envelope --- */

static void put_recipients(struct page *p, const struct message *m, struct out *o)
{
	static const char *const asked[] = { "none", "non-delivery", "delivery and non-delivery", "audited" };
	begin_list(p, "recipients", m->n_rcpt);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		const struct recipient *r = &m->rcpt[i];
		oraddr_print(&r->addr, ORADDR_F401, o);
		if (m->kind == MESSAGE_REPORT)
			out_fmt(o, " (%s", r->outcome == OUTCOME_DELIVERED ? "delivered" : "not delivered");
		else
			out_fmt(o, " (%s, report asked: %s", r->responsible ? "to be handed over" : "not ours", asked[r->originator_report & 3]);
		if (m->kind == MESSAGE_REPORT && r->outcome == OUTCOME_NOT_DELIVERED)
			out_fmt(o, ": %s, %s", reason_name(r->reason), diagnostic_name(r->diagnostic));
		out_str(o, ")");
		put_line(p, o);
	}
}

static void put_trace(struct page *p, const char *label, const struct trace *t, struct out *o)
{
	begin_list(p, label, t->n);
	for (size_t i = 0; i < t->n; i++) {
		gdi_print(&t->v[i].domain, o);
		out_str(o, " ");
		out_bytes(o, t->v[i].mta);
		out_str(o, " ");
		out_bytes(o, t->v[i].arrival_raw);
		put_line(p, o);
	}
}

static void put_envelope(struct page *p, const struct message *m)
{
	struct out o;
	char number[32];
	out_init(&o, 1 << 20);
	put(p, "kind", view_str(message_kind_name(m->kind)));
	oraddr_print(&m->originator, ORADDR_F401, &o);
	put(p, m->kind == MESSAGE_REPORT ? "report-to" : "originator", out_view(&o));
	out_clear(&o);
	if (m->kind == MESSAGE_REPORT) {
		mts_id_print(&m->subject_id, &o);
		put(p, "subject", out_view(&o));
		out_clear(&o);
	}
	if (m->kind == MESSAGE_MESSAGE)
		put(p, "priority", view_str(priority_name(m->priority)));
	snprintf(number, sizeof number, "%lld", (long long)m->content_type);
	if (m->content_type >= 0)
		put(p, "content-type", view_str(number));
	put(p, "content-id", m->content_id);
	put(p, "deferred", m->deferred_raw);
	put(p, "latest", m->latest_raw);
	put_recipients(p, m, &o);
	put_trace(p, "trace", &m->trace, &o);
	put_trace(p, "internal-trace", &m->internal_trace, &o);
	out_fini(&o);
}

/* --- octets --- */

static void put_dump(struct page *p, struct view v)
{
	struct out o;
	out_init(&o, 1 << 20);
	begin_list(p, "octets", v.n);
	for (size_t at = 0; at < v.n; at += LINE_OCTETS) {
		struct view line = view_first(view_from(v, at), LINE_OCTETS);
		out_fmt(&o, "%04zx ", at);
		for (size_t i = 0; i < LINE_OCTETS; i++)
			if (i < line.n)
				out_fmt(&o, " %02x", line.p[i]);
			else
				out_str(&o, "   ");
		out_str(&o, "  ");
		for (size_t i = 0; i < line.n; i++)
			out_u8(&o, line.p[i] >= 0x20 && line.p[i] < 0x7f && line.p[i] != '"' && line.p[i] != '\\' ? line.p[i] : '.');
		put_line(p, &o);
	}
	out_fini(&o);
}

static void end_page(struct page *p)
{
	if (!p->c->json)
		return;
	json_dumpf(p->object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(p->object);
}

void quarantine_show_envelope(struct ctl *c, struct view packed)
{
	struct page p = { .c = c, .object = c->json ? json_object() : NULL };
	struct message m;
	struct err e;
	if (!unpack_message(arena_copy(c->arena, packed), &m, c->arena, &e)) {
		put(&p, "error", view_str(e.text));
	} else {
		struct out id;
		out_init(&id, 1024);
		mts_id_print(&m.id, &id);
		put(&p, "mts-id", out_view(&id));
		out_fini(&id);
		put_envelope(&p, &m);
	}
	end_page(&p);
}

void quarantine_show(struct ctl *c, const struct quarantined *q, bool octets)
{
	struct page p = { .c = c, .object = c->json ? json_object() : NULL };
	struct message m;
	struct out content;
	out_init(&content, QUARANTINE_OCTETS);
	put_row(&p, q);
	if (!q->octets && quarantine_envelope(c, q, &m)) /* an envelope that cannot be read: said, and the rest is shown */
		put_envelope(&p, &m);
	if (octets && quarantine_fetch(c, q, "content", QUARANTINE_DUMP, &content))
		put_dump(&p, view_first(out_view(&content), QUARANTINE_DUMP));
	if (!c->json && ctl_octets(q->pairs, "id").n > 0)
		printf("posthorn trace \"%s\" shows its journey\n", ctl_value(c, q->pairs, "id"));
	else if (!c->json && q->msmail)
		printf("posthorn quarantine export %llu FILE takes it out; release gives it to its link's interchange again\n", (unsigned long long)q->id);
	else if (!c->json && q->octets)
		printf("posthorn quarantine export %llu FILE, then posthorn decode FILE, shows what can be read of it\n",
		       (unsigned long long)q->id);
	end_page(&p);
	out_fini(&content);
}
