/* convert_report.c - reports of the transfer system as a mover's notice, and the notifications of who read or did not read a message. */
#include "flow/codec/msmail/convert_private.h"

#include "base/mem.h"
#include "flow/report/diagnostics.h"

enum { WORD_MAX = 300, LOOP_DETECTED = 3, NOTICE_UNKNOWN = 2 };

/* --- reports --- */

/* Whom the originator wrote to, as he wrote it as far as it is known. */
static const struct oraddr *meant(const struct recipient *r)
{
	return r->has_intended && r->intended.n > 0 ? &r->intended : &r->addr;
}

static struct view name_of(struct mmc *c, const struct recipient *r)
{
	struct view text = mmc_address(c, meant(r), (struct view){ NULL, 0 }).text;
	return text.n > 0 ? text : VIEW("(a recipient without an address)");
}

static struct view supplementary(struct mmc *c, const struct recipient *r)
{
	return mmc_one_line(c, mmc_string(c, CHARSET_IA5, 0, r->supplementary), WORD_MAX);
}

/* Who is not known at the connector's own postoffice has no route but back to it: for the sender that is no loop. */
static int code_of(struct mmc *c, const struct recipient *r)
{
	struct mm_name name;
	if (r->diagnostic == LOOP_DETECTED && mm_name_parse(name_of(c, r), &name, NULL) && mm_same_postoffice(&name, &c->how->own))
		return NOTICE_UNKNOWN;
	return diagnostic_notice(r->reason, r->diagnostic);
}

static struct view why_not(struct mmc *c, const struct recipient *r)
{
	const struct view more = supplementary(c, r);
	const char *diagnostic = r->diagnostic >= 0 ? diagnostic_name(r->diagnostic) : "no diagnostic";
	return mmc_fmt(c, "%s X.400 reason %d (%s), diagnostic %d (%s)%s%.*s", notice_sentence(code_of(c, r)),
			r->reason, reason_name(r->reason), r->diagnostic, diagnostic, more.n > 0 ? ": " : "", (int)more.n, (const char *)more.p);
}

/* What the report returns (a large one stands beside it), as far as it can be read; one that cannot is as none (Q141135, Q191947). */
static void read_returned(struct mmc *c, const struct message *m, struct view content, struct mm_notice *n)
{
	struct mmc_body b = { 0 };
	struct ipm ipm;
	struct ber_limits limits = c->limits;
	const struct view octets = m->has_returned_content && m->returned_content.n > 0 ? m->returned_content : content;
	limits.bytes = octets.n;
	if (octets.n == 0 || !ipm_parse(octets, &ipm, c->a, &limits, NULL) || ipm.message == NULL)
		return;
	struct err *e = c->e;
	c->e = NULL;
	out_init(&b.text, c->how->out_max);
	n->subject = mmc_subject(c, &ipm.message->heading);
	if (mmc_body_parts(c, ipm.message, &b, 1) && !b.text.bad)
		n->original = mmc_keep(c, &b.text);
	else
		out_fini(&b.text);
	c->e = e;
}

static size_t count(const struct message *m, enum recipient_outcome outcome)
{
	size_t n = 0;
	for (size_t i = 0; i < m->n_rcpt; i++)
		n += m->rcpt[i].outcome == outcome;
	return n;
}

/* "" when it is not known, or there is no room for it. */
static const char *when(struct mmc *c, wall_ms_t at)
{
	const char *text = at == 0 ? NULL : arena_str(c->a, mmc_date_text(c, at));
	return text == NULL ? "" : text;
}

static wall_ms_t sent_at(const struct message *m)
{
	return m->subject_trace.n > 0 ? m->subject_trace.v[0].arrival : 0;
}

static bool say_not_delivered(struct mmc *c, const struct message *m, struct mm_notice *n, struct mmc_body *b)
{
	const size_t bad = count(m, OUTCOME_NOT_DELIVERED);
	struct out o, names;
	n->unreached = arena_array(c->a, bad, sizeof *n->unreached);
	n->codes = arena_array(c->a, bad, sizeof *n->codes);
	out_init(&o, c->how->out_max);
	out_init(&names, c->how->out_max);
	if (n->unreached == NULL || n->codes == NULL)
		return mmc_full(c);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		const struct recipient *r = &m->rcpt[i];
		if (r->outcome != OUTCOME_NOT_DELIVERED)
			continue;
		n->codes[n->n_unreached] = code_of(c, r);
		n->unreached[n->n_unreached] = name_of(c, r);
		if (n->n_unreached == 0) {
			n->code = n->codes[0];
			n->text = why_not(c, r);
		}
		out_str(&names, n->n_unreached > 0 ? "; " : "");
		out_bytes(&names, n->unreached[n->n_unreached++]);
	}
	n->to = mmc_keep(c, &names);
	notice_print(n, &o);
	mmc_text(c, b, mmc_keep(c, &o));
	return true;
}

static void say_delivered(struct mmc *c, const struct message *m, const struct mm_notice *n, struct mmc_body *b)
{
	mmc_text(c, b, VIEW("Your message was delivered.\r\r"));
	if (n->subject.n > 0)
		mmc_text(c, b, mmc_fmt(c, "Subject: %.*s\r", (int)n->subject.n, (const char *)n->subject.p));
	if (sent_at(m) != 0)
		mmc_text(c, b, mmc_fmt(c, "Sent:    %s\r", when(c, sent_at(m))));
	for (size_t i = 0; i < m->n_rcpt; i++) {
		const struct recipient *r = &m->rcpt[i];
		const struct view name = name_of(c, r), more = supplementary(c, r);
		mmc_text(c, b, mmc_fmt(c, "To:      %.*s  %s%s%.*s\r", (int)name.n, (const char *)name.p, when(c, r->delivered_at),
					 more.n > 0 ? "  " : "", (int)more.n, (const char *)more.p));
	}
}

/* A positive report is never shown as a failure (Q156728): one about both says who was not reached, and no more. */
bool mmc_report(struct mmc *c, const struct message *m, struct view content, struct mai *mai, struct mmc_body *b)
{
	struct mm_notice n = { .from = mmc_address(c, &m->originator, (struct view){ NULL, 0 }).text };
	struct out id;
	out_init(&id, WORD_MAX);
	mts_id_print(&m->subject_id, &id);
	mai->message_id = mmc_keep(c, &id);
	mai->from = (struct mm_address){ .type = MM_ADDRESS_MS,
					 .text = mmc_fmt(c, "%s/%s/" NOTICE_FROM, c->how->own.network, c->how->own.postoffice) };
	read_returned(c, m, content, &n);
	if (sent_at(m) != 0)
		n.date = mm_date_of_wall(sent_at(m), c->how->zone_minutes);
	if (count(m, OUTCOME_NOT_DELIVERED) > 0) {
		mai->subject = VIEW(NOTICE_SUBJECT);
		return say_not_delivered(c, m, &n, b);
	}
	mai->subject = n.subject.n > 0 ? mmc_octets(c, mmc_fmt(c, "Delivered: %.*s", (int)n.subject.n, (const char *)n.subject.p))
				       : VIEW("Delivered");
	say_delivered(c, m, &n, b);
	return true;
}

/* --- notifications --- */

static const char *discarded_because(const struct ipm_non_receipt *n)
{
	static const char *const reasons[] = { "it had expired", "it was obsolete", "the subscription had ended", "it was deleted" };
	if (n->reason == 1)
		return "it was forwarded automatically";
	if ((n->seq.has & 1u << IPM_NRN_DISCARD) && n->discard_reason >= 0 && (size_t)n->discard_reason < ARRAY_LEN(reasons))
		return reasons[n->discard_reason];
	return "it was discarded";
}

static const struct ipm_or_descriptor *reader(const struct ipm_ipn *n)
{
	return n->seq.has & 1u << IPM_IPN_ORIGINATOR		? &n->originator
	       : n->seq.has & 1u << IPM_IPN_INTENDED		? &n->intended_recipient
								: NULL;
}

/* Notifications come with half of their fields: what is not there is not said (Q168771, Q159162, Q164136). */
void mmc_notification_text(struct mmc *c, const struct ipm_ipn *n, struct view subject, struct mmc_body *b)
{
	const struct ipm_or_descriptor *who = reader(n);
	const struct view name = who == NULL ? (struct view){ NULL, 0 } : mmc_person(c, who);
	const struct view id = mmc_one_line(c, mmc_string(c, CHARSET_IA5, 0, n->subject_ipm.local), WORD_MAX);
	wall_ms_t at;
	const char *by = name.n > 0 ? " by " : "";
	if (n->fields.choice.which == IPM_NON_RECEIPT)
		mmc_text(c, b, mmc_fmt(c, "Your message was not read%s%.*s: %s.\r", by, (int)name.n, (const char *)name.p,
					 discarded_because(&n->fields.non_receipt)));
	else if (n->fields.choice.which == IPM_RECEIPT)
		mmc_text(c, b, mmc_fmt(c, "Your message was read%s%.*s.\r", by, (int)name.n, (const char *)name.p));
	else
		mmc_text(c, b, mmc_fmt(c, "There is news of your message%s%.*s.\r", by, (int)name.n, (const char *)name.p));
	if (subject.n > 0)
		mmc_text(c, b, mmc_fmt(c, "Subject: %.*s\r", (int)subject.n, (const char *)subject.p));
	if (n->fields.choice.which == IPM_RECEIPT && utctime_parse(n->fields.receipt.receipt_time, &at))
		mmc_text(c, b, mmc_fmt(c, "Read at: %s\r", when(c, at)));
	if (n->fields.choice.which == IPM_RECEIPT && n->fields.receipt.supplementary.n > 0) {
		const struct view more = mmc_one_line(c, mmc_string(c, CHARSET_IA5, 0, n->fields.receipt.supplementary), WORD_MAX);
		mmc_text(c, b, mmc_fmt(c, "Remark:  %.*s\r", (int)more.n, (const char *)more.p));
	}
	if (subject.n == 0 && id.n > 0)
		mmc_text(c, b, mmc_fmt(c, "Message: %.*s\r", (int)id.n, (const char *)id.p));
}

/* The subject that our own identifiers have behind `=`; else that of the message that came back. */
static struct view subject_of(struct mmc *c, const struct ipm_ipn *n)
{
	const struct view local = n->subject_ipm.local;
	const uint8_t *at = local.n == 0 ? NULL : memchr(local.p, '=', local.n);
	struct out o;
	if (n->fields.choice.which == IPM_NON_RECEIPT && n->fields.non_receipt.returned != NULL)
		return mmc_subject(c, &n->fields.non_receipt.returned->heading);
	if (at == NULL)
		return (struct view){ NULL, 0 };
	out_init(&o, mem_add(mem_mul(local.n, 4), 16));
	mm_unescape_printable(view_from(local, (size_t)(at - local.p) + 1), &o);
	return mmc_one_line(c, mmc_keep(c, &o), MMC_SUBJECT_MAX);
}

bool mmc_notification(struct mmc *c, const struct message *m, const struct ipm_ipn *n, struct mai *mai, struct mmc_body *b)
{
	const struct ipm_or_descriptor *who = reader(n);
	const struct view subject = subject_of(c, n);
	const bool is_receipt = n->fields.choice.which == IPM_RECEIPT;
	struct out id;
	wall_ms_t at;
	mai->is_receipt = n->fields.choice.which != IPM_OTHER_NOTIFICATION;
	mai->class = n->fields.choice.which == IPM_NON_RECEIPT ? VIEW(MMC_CLASS_NRN) : (struct view){ NULL, 0 };
	mai->from = who != NULL && who->formal_name != NULL ? mmc_descriptor(c, who)
							      : mmc_address(c, &m->originator, (struct view){ NULL, 0 });
	out_init(&id, WORD_MAX);
	out_bytes(&id, mmc_printable(c, n->subject_ipm.local, 64));
	mai->message_id = mmc_keep(c, &id);
	const char *front = is_receipt ? "Read: " : n->fields.choice.which == IPM_NON_RECEIPT ? "Not read: " : "About: ";
	mai->subject = mmc_octets(c, subject.n > 0 ? mmc_fmt(c, "%s%.*s", front, (int)subject.n, (const char *)subject.p)
						    : mmc_fmt(c, "%syour message", front));
	if (is_receipt && utctime_parse(n->fields.receipt.receipt_time, &at))
		mai->date = mm_date_of_wall(at, c->how->zone_minutes);
	mmc_notification_text(c, n, subject, b);
	return true;
}
