/* tell.c - what a mover says to senders and in logs. */
#include "proc/mover/mover_int.h"

#include "base/fault.h"
#include "base/text.h"

enum { LISTED_MAX = 600 };

void tell_refuse(struct mm_envelope *v, const char *bag, int notice, int reason, int diagnostic)
{
	for (size_t i = 0; i < v->n; i++) {
		struct mm_recipient *r = &v->recipients[i];
		if (r->notice != 0 || !r->responsible || (*bag != 0 && !mm_same(r->bag, bag)))
			continue;
		r->notice = notice;
		r->reason = reason;
		r->diagnostic = diagnostic;
	}
}

static void list_recipients(const struct mm_envelope *v, bool told, struct out *o)
{
	size_t more = 0;
	for (size_t i = 0; i < v->n; i++) {
		if (told ? v->recipients[i].notice == 0 : !v->recipients[i].responsible || v->recipients[i].notice != 0)
			continue;
		if (out_len(o) >= LISTED_MAX) {
			more++;
			continue;
		}
		out_str(o, out_len(o) == 0 ? "" : ", ");
		text_escape(o, v->recipients[i].address.text, 100);
	}
	if (more > 0)
		out_fmt(o, ", ...(%zu more)", more);
}

static int first_code(const struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].notice != 0)
			return v->recipients[i].notice;
	return 0;
}

static bool has_code(const struct mm_envelope *v, int code)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].notice == code)
			return true;
	return false;
}

static void say_told(struct mover *m, const struct mm_envelope *v, const struct mm_header *h, const struct mm_id *notice)
{
	char from[ADDRESS_SHOWN], subject[SUBJECT_SHOWN], code[16];
	struct out list;
	out_init(&list, LISTED_MAX + 500);
	list_recipients(v, true, &list);
	text_escaped(from, sizeof from, v->from.text);
	text_escaped(subject, sizeof subject, view_str(h->subject));
	snprintf(code, sizeof code, "[%03d]", first_code(v));
	if (notice->s[0] != 0)
		EMIT(m->host, MOVER_NOTICE, "mover", m->set->name, "message", v->mai.s, "from", from, "subject", subject, "code", code, "recipients", out_cstr(&list),
		     "notice", notice->s);
	else
		EMIT(m->host, MOVER_UNTOLD, "mover", m->set->name, "message", v->mai.s, "from", from, "subject", subject, "code", code, "recipients", out_cstr(&list));
	out_fini(&list);
}

/* Nothing is left but a record, whose name of ten characters may be that of somebody at any postoffice: the administrator is told what is known. */
static bool ask_administrator(struct mover *m, struct mail_about *about, struct mm_address *who, char *text, size_t size, struct err *e)
{
	if (!mail_administrator(m->here, who, m->arena, e))
		return false;
	snprintf(text, size, "Message %s of mailbag %s, %u octets: neither its file nor its envelope is left. Who has sent it, and to whom, is not known but for the name above",
		 about->h->mai.s, m->bag, (unsigned)about->h->size);
	about->to = who;
	about->text = text;
	return true;
}

bool tell_sender(struct mover *m, const struct mm_envelope *v, const struct mm_header *h, struct view mai, const char *text, struct err *e)
{
	struct mm_id notice;
	struct mm_address administrator;
	char known[240];
	struct mail_about about = { .v = v, .h = h, .mai = mai, .text = text, .zone_minutes = m->zone };
	about.with_hops = has_code(v, 3) || has_code(v, 4);
	if (first_code(v) == 0)
		return true;
	if (mai.n == 0 && v->from.text.n == 0 && !ask_administrator(m, &about, &administrator, known, sizeof known, e))
		return false;
	if (!mail_notice(m->here, m->journal, &about, &notice, m->arena, e))
		return false;
	say_told(m, v, h, &notice);
	return true;
}

/* --- a message without an envelope --- */

/* A client's message is of a user of this postoffice, even when the MAI does not say so. One that had an envelope may be anybody's of that name. */
static bool name_sender(struct mover *m, const struct mm_header *h, struct mm_envelope *v, struct err *e)
{
	struct mm_name name = postoffice_master(m->here)->own;
	struct mm_route route;
	char text[64];
	if (v->from.text.n > 0 || h->from[0] == 0 || is_mailer(m) || h->enveloped)
		return true;
	snprintf(name.mailbox, sizeof name.mailbox, "%s", h->from);
	if (!postoffice_route(m->here, &name, &route, e))
		return false;
	if (route.where != MM_LOCAL_USER)
		return true;
	const int n = snprintf(text, sizeof text, "%s/%s/%s", name.network, name.postoffice, h->from);
	v->from = (struct mm_address){ .type = MM_ADDRESS_MS, .text = arena_copy(m->arena, view_of(text, (size_t)n)) };
	return !arena_full(m->arena) || err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: no memory for its envelope", h->mai.s);
}

/* For whom a message was that cannot be read nobody knows: one recipient without a name stands for them, so that the sender is told. */
static bool stand_in(struct mover *m, struct mm_envelope *v)
{
	struct mm_recipient *r = arena_get(m->arena, sizeof *r);
	if (r == NULL)
		return false;
	*r = (struct mm_recipient){ .responsible = true, .reason = -1, .diagnostic = -1 };
	memcpy(r->bag, m->bag, sizeof r->bag);
	v->recipients = r;
	v->n = 1;
	return true;
}

bool tell_rebuild(struct mover *m, const struct po_bag_entry *entry, struct view mai, struct mm_envelope *v_r, struct err *e)
{
	const struct mailer_world w = mover_world(m);
	const struct mai_limits limits = mai_limits_default();
	const struct mm_id *id = &entry->header.mai;
	struct mai parsed;
	struct mm_envelope v = { .mai = *id };
	const bool readable = mai.n > 0 && mai_parse(mai, m->scramble, &parsed, m->arena, &limits, NULL);
	if (is_mailer(m) && !mailer_rebuild(&w, readable ? &parsed : NULL, id, &v, m->arena, e))
		return false;
	if (!is_mailer(m) && readable && !mailer_from_mai(&w, &parsed, id, m->bag, &v, m->arena, e))
		return false;
	if (v.n == 0 && !readable && !stand_in(m, &v))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: no memory for its envelope", id->s);
	if (!name_sender(m, &entry->header, &v, e))
		return false;
	if (v.date.year == 0)
		v.date = entry->header.date;
	if (is_mailer(m)) { /* a client's is counted from when a lane first saw it */
		v.arrived = mover_now(m);
		v.size = entry->header.size;
	}
	*v_r = v;
	return true;
}

/* --- SENT.LOG, RECV.LOG --- */

static void print_line(const struct mover *m, const struct mm_envelope *v, const struct mm_header *h, const struct mm_id *target, char *line, size_t size)
{
	const struct mm_date d = mm_date_of_wall(mover_now(m), m->zone);
	char date[40], from[ADDRESS_SHOWN];
	struct out to;
	if (m->set->four_digit_year) /* Q259219 */
		snprintf(date, sizeof date, "%04u-%02u-%02u", (unsigned)d.year, (unsigned)d.month, (unsigned)d.day);
	else
		snprintf(date, sizeof date, "%02u-%02u-%02u", (unsigned)d.year % 100, (unsigned)d.month, (unsigned)d.day);
	out_init(&to, LISTED_MAX + 500);
	list_recipients(v, false, &to);
	text_escaped(from, sizeof from, v->from.text);
	snprintf(line, size, "%s %02u:%02u %u %s %s %s%s%s", date, (unsigned)d.hour, (unsigned)d.minute, (unsigned)h->size, from, out_cstr(&to), v->mai.s, target == NULL ? "" : " ",
		 target == NULL ? "" : target->s);
	out_fini(&to);
}

void tell_log(struct mover *m, bool sent, const struct mm_envelope *v, const struct mm_header *h, const struct mm_id *target)
{
	struct err e;
	char line[2 * LISTED_MAX + ADDRESS_SHOWN + 400];
	if (sent ? !m->set->log_sent : !m->set->log_received)
		return;
	print_line(m, v, h, target, line, sizeof line);
	bool good = !FAULT(MOVER_LOG);
	if (!good)
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "log line not written (fault point)");
	good = good && mail_log(m->here, "LOG", sent ? "SENT.LOG" : "RECV.LOG", line, &e);
	if (!good && !m->log_told)
		EMIT(m->host, MOVER_LOG_LOST, "mover", m->set->name, "why", e.text);
	m->log_told = !good;
}
