/* api_message.c - one stored message: its row, its envelope (octets of our own store, unpacked here), and its content as text, which a content
 * process has made. */
#include "proc/console/console_int.h"

#include "base/text.h"
#include "flow/message/message.h"
#include "flow/message/pack.h"
#include "proc/content/render.h"

static struct view segment(const struct task *t, size_t i)
{
	return t->request->target.segments[i];
}

static bool read_path(struct task *t)
{
	static const char *const kinds[] = { "transfer", "message", "delivery", "quarantine" };
	t->kind = NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (view_eq(segment(t, 2), view_str(kinds[i])))
			t->kind = kinds[i];
	if (t->kind != NULL && text_uint(segment(t, 3), INT64_MAX, &t->id) && t->id > 0)
		return true;
	task_fail(t, 404, "nothing is there");
	return false;
}

/* --- the answer --- */

static void put_pair(struct jout *j, const char *name, struct view value)
{
	if (value.n == 0)
		return;
	jout_open(j, NULL, '{');
	jout_str(j, "name", name);
	jout_text(j, "value", value);
	jout_close(j, '}');
}

static void put_row(struct task *t)
{
	struct cur cur = cur_of(out_view(&t->row));
	jout_open(&t->j, "row", '[');
	struct row_field f;
	while (rows_next(&cur, &f)) {
		jout_open(&t->j, NULL, '{');
		jout_text(&t->j, "name", view_eq(f.name, VIEW("queue")) ? VIEW("link") : f.name);
		jout_text(&t->j, "value", f.value);
		jout_close(&t->j, '}');
	}
	jout_close(&t->j, ']');
}

static void put_fields(struct jout *j, const struct message *m, struct out *o)
{
	char number[32];
	jout_open(j, "fields", '[');
	put_pair(j, "kind", view_str(message_kind_name(m->kind)));
	oraddr_print(&m->originator, ORADDR_F401, o);
	put_pair(j, m->kind == MESSAGE_REPORT ? "report-to" : "originator", out_view(o));
	out_clear(o);
	if (m->kind == MESSAGE_REPORT) {
		mts_id_print(&m->subject_id, o);
		put_pair(j, "subject-message", out_view(o));
		out_clear(o);
	} else {
		put_pair(j, "priority", view_str(priority_name(m->priority)));
	}
	snprintf(number, sizeof number, "%lld", (long long)m->content_type);
	if (m->content_type >= 0)
		put_pair(j, "content-type", view_str(number));
	put_pair(j, "content-id", m->content_id);
	put_pair(j, "deferred", m->deferred_raw);
	put_pair(j, "latest", m->latest_raw);
	jout_close(j, ']');
}

static void put_recipient(struct jout *j, const struct message *m, const struct recipient *r, struct out *o)
{
	static const char *const asked[] = { "none", "non-delivery", "delivery and non-delivery", "audited" };
	const bool is_report = m->kind == MESSAGE_REPORT, delivered = r->outcome == OUTCOME_DELIVERED;
	jout_open(j, NULL, '{');
	oraddr_print(&r->addr, ORADDR_F401, o);
	jout_text(j, "address", out_view(o));
	out_clear(o);
	jout_bool(j, "responsible", !is_report && r->responsible);
	jout_str(j, "report", is_report ? "" : asked[r->originator_report & 3]);
	if (is_report && !delivered)
		out_fmt(o, "not delivered: %s, %s", reason_name(r->reason), diagnostic_name(r->diagnostic));
	else if (is_report)
		out_str(o, "delivered");
	jout_text(j, "outcome", out_view(o));
	out_clear(o);
	jout_close(j, '}');
}

static void put_trace(struct jout *j, const char *name, const struct trace *t, struct out *o)
{
	jout_open(j, name, '[');
	for (size_t i = 0; t != NULL && i < t->n; i++) {
		jout_open(j, NULL, '{');
		gdi_print(&t->v[i].domain, o);
		jout_text(j, "domain", out_view(o));
		out_clear(o);
		jout_text(j, "mta", t->v[i].mta);
		jout_text(j, "arrival", t->v[i].arrival_raw);
		jout_close(j, '}');
	}
	jout_close(j, ']');
}

/* Octets that nobody has decoded, or an envelope that cannot be: said, and the rest is shown. */
static void put_message(struct task *t, const char *why_not)
{
	struct jout *j = &t->j;
	struct message m = { .kind = MESSAGE_MESSAGE };
	struct out o;
	struct err e;
	const bool is_there = *why_not == 0 && unpack_message(out_view(&t->more), &m, t->arena, &e);
	out_init(&o, 1 << 20);
	jout_open(j, NULL, '{');
	jout_str(j, "kind", t->kind);
	jout_int(j, "id", (int64_t)t->id);
	if (is_there)
		mts_id_print(&m.id, &o);
	jout_text(j, "mts_id", is_there ? out_view(&o) : rows_value(out_view(&t->row), "id"));
	out_clear(&o);
	put_row(t);
	jout_str(j, "decoded", is_there ? "" : *why_not != 0 ? why_not : e.text);
	if (is_there) {
		put_fields(j, &m, &o);
	} else {
		jout_open(j, "fields", '[');
		jout_close(j, ']');
	}
	jout_open(j, "recipients", '[');
	for (size_t i = 0; is_there && i < m.n_rcpt; i++)
		put_recipient(j, &m, &m.rcpt[i], &o);
	jout_close(j, ']');
	put_trace(j, "trace", is_there ? &m.trace : NULL, &o);
	put_trace(j, "internal_trace", is_there ? &m.internal_trace : NULL, &o);
	jout_close(j, '}');
	out_fini(&o);
	task_answer(t);
}

/* --- its octets --- */

static bool on_piece(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	uint64_t next;
	out_bytes(&t->more, rows_value(pairs, "octets"));
	if (text_uint(rows_value(pairs, "next"), UINT64_MAX, &next))
		t->next = next;
	return !t->more.bad && task_grown(t);
}

static void fetch(struct task *t);

static void on_pieces(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	if (failed != NULL)
		task_upstream_failed(t, c, failed);
	else if (answer->err.kind == ERR_TEMP)
		task_failed(t, 503, &answer->err);
	else if (answer->err.kind != ERR_NONE && out_len(&t->row) == 0)
		task_fail(t, 404, "no such message is stored any more");
	else if (answer->err.kind != ERR_NONE)
		put_message(t, answer->err.text);
	else if (answer->more && !t->more.bad && env_now_ms(t->console->host.env) - t->began_ms < UPSTREAM_PATIENCE_MS)
		fetch(t);
	else if (out_len(&t->more) == 0)
		put_message(t, "octets of a peer that nobody has decoded");
	else
		put_message(t, answer->more ? "the envelope is too long to be shown here" : "");
}

static void fetch(struct task *t)
{
	char of[40];
	snprintf(of, sizeof of, "%llu envelope", (unsigned long long)t->id);
	t->call.row = on_piece;
	t->call.end = on_pieces;
	upstream_ask(t->console->up, &t->call, ASK_OCTETS, view_str(of), t->next, 0);
}

/* --- its row --- */

static bool on_row(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	uint64_t id;
	if (text_uint(rows_value(pairs, t->kind), UINT64_MAX, &id) && id == t->id && out_len(&t->row) == 0)
		out_bytes(&t->row, pairs);
	return true;
}

static void on_rows(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	if (failed != NULL)
		task_upstream_failed(t, c, failed);
	else if (answer->err.kind == ERR_TEMP)
		task_failed(t, 503, &answer->err);
	else
		fetch(t); /* without a row, too: it may have gone from this list, and be stored all the same */
}

void api_message(struct task *t)
{
	char of[40];
	if (!read_path(t))
		return;
	t->call.row = on_row;
	t->call.end = on_rows;
	if (strcmp(t->kind, "transfer") == 0) {
		snprintf(of, sizeof of, "id=%llu\n", (unsigned long long)t->id);
		upstream_ask(t->console->up, &t->call, ASK_SELECT, view_str(of), 0, 1);
	} else if (strcmp(t->kind, "quarantine") == 0) {
		snprintf(of, sizeof of, "%llu", (unsigned long long)t->id);
		upstream_ask(t->console->up, &t->call, ASK_QUARANTINE, view_str(of), 0, 1);
	} else if (strcmp(t->kind, "delivery") == 0) {
		upstream_ask(t->console->up, &t->call, ASK_MAILBOX, (struct view){ NULL, 0 }, t->id - 1, 1);
	} else {
		fetch(t);
	}
}

/* --- its content --- */

static void put_labels(struct jout *j, const struct render_field *v, size_t n)
{
	jout_open(j, "fields", '[');
	for (size_t i = 0; i < n; i++) {
		jout_open(j, NULL, '{');
		jout_text(j, "label", v[i].label);
		jout_text(j, "value", v[i].value);
		jout_close(j, '}');
	}
	jout_close(j, ']');
}

static void put_part(struct jout *j, const struct render_part *p, size_t number)
{
	jout_open(j, NULL, '{');
	jout_int(j, "part", (int64_t)number);
	jout_int(j, "depth", p->depth);
	jout_text(j, "kind", p->kind);
	jout_text(j, "name", p->name);
	jout_int(j, "size", (int64_t)p->size);
	jout_bool(j, "truncated", (p->flags & RENDER_TRUNCATED) != 0);
	jout_bool(j, "replaced", (p->flags & RENDER_REPLACED) != 0);
	jout_bool(j, "message", (p->flags & RENDER_MESSAGE) != 0);
	put_labels(j, p->fields, p->n_fields);
	jout_text(j, p->flags & RENDER_TEXT ? "text" : "hex", p->text);
	jout_close(j, '}');
}

static void on_looked_for(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	if (failed == NULL && answer->err.kind != ERR_NONE && answer->err.kind != ERR_TEMP)
		task_fail(t, 404, "no such message is stored any more");
	else
		task_fail(t, 409, "%s", t->why);
}

/* It cannot be shown, or is it not there? */
static void look_for(struct task *t, const char *why)
{
	char of[40];
	snprintf(t->why, sizeof t->why, "%s", why);
	snprintf(of, sizeof of, "%llu envelope", (unsigned long long)t->id);
	t->call.row = on_piece;
	t->call.end = on_looked_for;
	upstream_ask(t->console->up, &t->call, ASK_OCTETS, view_str(of), 0, 0);
}

static void on_shown(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	struct render r;
	struct err e;
	if (failed == NULL && answer->err.kind != ERR_NONE && answer->err.kind != ERR_TEMP) {
		look_for(t, answer->err.text);
		return;
	}
	if (failed != NULL || answer->err.kind != ERR_NONE) {
		task_upstream_failed(t, c, failed != NULL ? failed : &answer->err);
		return;
	}
	if (!render_unpack(answer->what, &r, t->arena, &e)) {
		task_failed(t, 500, &e);
		return;
	}
	jout_open(&t->j, NULL, '{');
	jout_str(&t->j, "kind", render_kind_name(r.kind));
	put_labels(&t->j, r.fields, r.n_fields);
	jout_open(&t->j, "parts", '[');
	for (size_t i = 0; i < r.n_parts; i++)
		put_part(&t->j, &r.parts[i], i + 1);
	jout_close(&t->j, ']');
	jout_close(&t->j, '}');
	task_answer(t);
}

void api_text(struct task *t)
{
	if (!read_path(t))
		return;
	t->call.end = on_shown;
	upstream_show(t->console->up, &t->call, t->id);
}
