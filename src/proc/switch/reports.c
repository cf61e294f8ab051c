/* reports.c - what reports say, in the journey of the message that they are about. */
#include "base/text.h"
#include "proc/switch/switch_int.h"

enum { NOTED_MAX = 256 }; /* recipients of one report; those beyond are in the report only */
enum { SHOWN_MAX = 4, WHY_MAX = 256 };

/* A recipient of the subject is known by its number and, behind a list, its name. */
static void digest_of(const struct recipient *r, uint64_t digest[2])
{
	struct out key;
	out_init(&key, 1 << 20);
	oraddr_key(r->has_intended ? &r->intended : &r->addr, &key);
	digest[0] = hash_octets(HASH_START ^ r->number, out_view(&key));
	digest[1] = r->number;
	out_fini(&key);
}

/* is_ours: its text has no octets of a peer unescaped. */
static void show_cause(int reason, int diagnostic, struct view why, bool is_ours, struct out *o)
{
	out_fmt(o, ": %s", reason_name(reason));
	if (diagnostic >= 0)
		out_fmt(o, ", %s", diagnostic_name(diagnostic));
	if (why.n == 0)
		return;
	out_str(o, ": ");
	if (is_ours)
		out_bytes(o, view_first(why, WHY_MAX));
	else
		text_escape(o, why, WHY_MAX);
}

void reports_show(const struct report_result *results, size_t n, struct out *o)
{
	for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
		const struct report_result *r = &results[i];
		if (i > 0)
			out_str(o, "; and ");
		oraddr_print(&r->rcpt->addr, ORADDR_F401, o);
		if (r->delivered)
			out_str(o, ": delivered");
		else
			show_cause(r->reason, r->diagnostic, r->supplementary, true, o);
	}
	if (n > SHOWN_MAX)
		out_fmt(o, "; and %zu more", n - SHOWN_MAX);
}

static void note(struct sw *s, const struct message *report, const struct recipient *r, uint64_t size, struct waiting *w)
{
	struct out text;
	uint64_t digest[2];
	digest_of(r, digest);
	const bool again = store_seen(s->store, &report->subject_id, digest);
	out_init(&text, 1 << 20);
	oraddr_print(&r->addr, ORADDR_F401, &text);
	if (r->outcome == OUTCOME_DELIVERED)
		out_str(&text, ": delivered");
	else
		show_cause(r->reason, r->diagnostic, r->supplementary, false, &text);
	if (again)
		out_str(&text, "; a second report about this recipient");
	const struct store_step step = { .kind = STEP_REPORT_IN, .id = &report->subject_id, .other = &report->id, .text = out_view(&text), .size = size,
					 .digest = { digest[0], digest[1] } };
	store_put_step(s->store, &step);
	if (again)
		EMIT(&s->host, REPORT_AGAIN, "message", w->mts_id, "report", out_cstr(&text));
	out_fini(&text);
}

void reports_note(struct sw *s, const struct message *report, uint64_t size, struct waiting *w)
{
	for (size_t i = 0; i < report->n_rcpt && i < NOTED_MAX; i++)
		note(s, report, &report->rcpt[i], size, w);
}
