/* render_report.c - a delivery or non-delivery report, from its canonical form. */
#include "proc/content/render_private.h"

#include "base/text.h"

enum { FIELD_MAX = 4096 };

static void add_id(struct renderer *r, struct field_list *list, const char *label, const struct mts_id *id)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	mts_id_print(id, &o);
	fields_add_built(r, list, label, &o);
}

static void add_address(struct renderer *r, struct field_list *list, const char *label, const struct oraddr *addr)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	oraddr_print(addr, ORADDR_F401, &o);
	fields_add_built(r, list, label, &o);
}

static void add_supplementary(struct out *o, const char *before, struct view text)
{
	if (text.n == 0)
		return;
	out_str(o, before);
	(void)charset_to_utf8(NULL, CHARSET_IA5, 0, text, o);
}

/* "address: unable-to-transfer (1), unrecognised-OR-name (0), text" */
static void add_not_delivered(struct renderer *r, struct field_list *list, const struct recipient *to)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	oraddr_print(&to->addr, ORADDR_F401, &o);
	out_fmt(&o, ": %s (%d)", reason_name(to->reason), to->reason);
	if (to->diagnostic >= 0)
		out_fmt(&o, ", %s (%d)", diagnostic_name(to->diagnostic), to->diagnostic);
	add_supplementary(&o, ", ", to->supplementary);
	fields_add_built(r, list, "not-delivered", &o);
}

/* A gateway says in it that it was one (RFC 2156 4.6.2.3). */
static void add_delivered(struct renderer *r, struct field_list *list, const struct recipient *to)
{
	struct out o;
	out_init(&o, FIELD_MAX);
	oraddr_print(&to->addr, ORADDR_F401, &o);
	add_supplementary(&o, ": ", to->supplementary);
	fields_add_built(r, list, "delivered", &o);
	if (to->delivered_at != 0)
		fields_add_time(r, list, "delivered-at", to->delivered_at);
}

void fields_report(struct renderer *r, struct field_list *list, const struct message *m)
{
	add_id(r, list, "report-id", &m->id);
	add_id(r, list, "subject-message", &m->subject_id);
	add_address(r, list, "to", &m->originator);
	if (m->content_id.n > 0)
		fields_add(r, list, "content-id", field_text(r, CHARSET_IA5, m->content_id));
	for (size_t i = 0; i < m->n_rcpt && !arena_full(r->a); i++) {
		const struct recipient *to = &m->rcpt[i];
		if (to->outcome == OUTCOME_DELIVERED)
			add_delivered(r, list, to);
		else
			add_not_delivered(r, list, to);
		if (to->has_intended)
			add_address(r, list, "intended", &to->intended);
	}
}
