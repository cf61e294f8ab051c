/* returned.c - who in the postoffice hears of what has not reached its recipients: the sender, else the administrator. */
#include "proc/interchange/interchange_int.h"

#include "base/fault.h"
#include "flow/message/pack.h"

enum { NO_ENVELOPE = 21 };

static void tell_returned(struct interchange *x, const struct mm_id *notice)
{
	struct inward *in = &x->in;
	char code[12] = "?";
	const char *to = NULL;
	for (size_t i = 0; i < in->v.n && to == NULL; i++)
		if (in->v.recipients[i].notice != 0) {
			snprintf(code, sizeof code, "[%03d]", in->v.recipients[i].notice);
			to = arena_str(in->a, view_first(in->v.recipients[i].address.text, 200));
		}
	const char *from = arena_str(in->a, view_first(in->v.from.text, 200));
	EMIT(&x->host, MSMAIL_RETURNED, "link", x->link->name, "item", in->item, "notice", notice->s, "from",
	     from == NULL || *from == 0 ? "?" : from, "code", code,
	     "first", to == NULL || *to == 0 ? "?" : to);
}

/* Nobody is there to be told, so the administrator is, in the sender's place; but never of what could not reach himself. */
static bool ask_administrator(const struct interchange *x, const struct mm_envelope *v, struct mm_address *who_r)
{
	const char *who = x->set->administrator;
	const bool is_oraddr = strchr(who, '=') != NULL;
	for (size_t i = 0; i < v->n; i++)
		if (view_eq_nocase(v->recipients[i].address.text, view_str(who))) /* also a group of his that has expanded */
			return false;
	*who_r = (struct mm_address){ .type = is_oraddr ? MM_ADDRESS_X400 : MM_ADDRESS_MS, .text = view_str(who) };
	return *who != 0;
}

/* After a crash the notice is known by the journal, and what it says by the envelope. */
bool returned_notice(struct interchange *x, const struct mm_header *h, struct mail_journal *journal, struct out *mai, struct err *e)
{
	struct inward *in = &x->in;
	struct mm_address who = { .type = MM_ADDRESS_MS };
	struct mm_id id = { "" };
	const bool to_sender = mail_may_notice(&in->v, h);
	if (!mm_envelope_has_notices(&in->v))
		return true;
	if (!to_sender && !ask_administrator(x, &in->v, &who)) {
		EMIT(&x->host, MSMAIL_NOTICE_FAILED, "link", x->link->name, "item", in->item, "why", "nobody is told of what becomes of it");
		return true;
	}
	(void)FAULT(INTERCHANGE_NOTICE);
	if (out_len(mai) == 0)
		(void)!postoffice_read_mai(x->po, &in->v.mai, mai->max, mai, NULL);
	const struct mail_about about = { .v = &in->v, .h = to_sender ? h : NULL, .to = to_sender ? NULL : &who, .mai = out_view(mai),
					  .zone_minutes = x->zone_minutes };
	if (!mail_notice(x->po, journal, &about, &id, in->a, e))
		return false;
	if (*id.s != 0)
		tell_returned(x, &id);
	in->wanted = true; /* it lies in INQUEUE3 */
	return true;
}

/* --- what has left nothing but a record --- */

/* Was it we who put it here? A number may have been given again since the postoffice was restored from a copy: subject and minute say that it is the same. */
static bool is_of_record(const struct interchange *x, const struct sent_entry *t, const struct mm_header *h)
{
	const struct mm_date at = mm_date_of_wall(t->at, x->zone_minutes), *d = &h->date;
	return t->subject == sent_subject(view_str(h->subject)) && d->year == at.year && d->month == at.month && d->day == at.day && d->hour == at.hour &&
	       d->minute == at.minute;
}

/* The lines "NUMBER NAME" of those who were not refused at once become recipients, for [021]. */
static bool list_sent(struct interchange *x, const struct message *m, struct view names, struct err *e)
{
	struct mm_envelope *v = &x->in.v;
	v->recipients = arena_array(x->in.a, m->n_rcpt, sizeof *v->recipients);
	v->n = 0;
	for (size_t i = 0; v->recipients != NULL && i < m->n_rcpt; i++) {
		const struct view name = sent_name(names, m->rcpt[i].number);
		if (m->rcpt[i].outcome == OUTCOME_NOT_DELIVERED || name.n == 0)
			continue;
		v->recipients[v->n++] = (struct mm_recipient){ .address = { .type = MM_ADDRESS_MS, .text = name }, .responsible = true, .notice = NO_ENVELOPE,
							       .reason = 0, .diagnostic = -1 };
	}
	return v->recipients != NULL || err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: no memory for its envelope", v->mai.s);
}

/* What came from X.400 by way of us has a whole sender in the sent journal. The notice to him finds its way there, and becomes the report (notices.c). */
static bool recall_sent(struct interchange *x, const struct mm_header *h, struct err *e)
{
	struct inward *in = &x->in;
	const struct sent_entry *t = x->sent == NULL ? NULL : sent_find_message(x->sent, &h->mai);
	struct view packed, names;
	struct message m;
	struct out from;
	char date[16];
	if (t == NULL || !is_of_record(x, t, h))
		return true;
	if (!sent_read(x->sent, t, in->a, &packed, &names, e) || !unpack_message(packed, &m, in->a, e) || !list_sent(x, &m, names, e))
		return false;
	out_init(&from, 4096);
	oraddr_print(&m.originator, ORADDR_RFC2156, &from);
	in->v.from = (struct mm_address){ .type = MM_ADDRESS_X400, .text = arena_copy(in->a, out_view(&from)) };
	out_fini(&from);
	snprintf(date, sizeof date, "%.8s-%.6s", t->date, strlen(t->date) < 8 ? "" : t->date + 8);
	in->v.date = mm_date_parse(view_str(date));
	return true;
}

/* Of all others nothing is left but a record, whose name of ten characters may be that of somebody at any postoffice: the administrator is told what is known. */
static bool tell_administrator(struct interchange *x, const struct mm_header *h, struct mail_journal *journal, struct err *e)
{
	struct mm_address who = { .type = MM_ADDRESS_MS };
	struct mm_id id = { "" };
	char known[240];
	if (!ask_administrator(x, &x->in.v, &who) && !mail_administrator(x->po, &who, x->in.a, e))
		return false;
	snprintf(known, sizeof known, "Message %s of mailbag INQUEUE3, %u octets: neither its file nor its envelope is left. Who has sent it, and to whom, is not known but for the name above",
		 h->mai.s, (unsigned)h->size);
	const struct mail_about about = { .v = &x->in.v, .h = h, .to = &who, .text = known, .zone_minutes = x->zone_minutes };
	if (!mail_notice(x->po, journal, &about, &id, x->in.a, e))
		return false;
	if (*id.s != 0)
		tell_returned(x, &id);
	x->in.wanted = true;
	return true;
}

/* Another program leaves a record when it has finished, and all have read and deleted the message (Q104485); else that was mail. */
bool returned_lost(struct interchange *x, const struct mm_header *h, struct mail_journal *journal, struct err *e)
{
	struct out none;
	bool is_loss;
	if (!mail_is_loss(x->po, h, &is_loss, e))
		return false;
	if (!is_loss || !mm_envelope_has_notices(&x->in.v))
		return true;
	if (!recall_sent(x, h, e))
		return false;
	if (x->in.v.from.text.n == 0)
		return tell_administrator(x, h, journal, e);
	out_init(&none, 1);
	const bool good = returned_notice(x, h, journal, &none, e);
	out_fini(&none);
	return good;
}
