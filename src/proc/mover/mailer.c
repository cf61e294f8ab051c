/* mailer.c - what has come into INQUEUE3 goes to its recipients; the steps are mail.h's. */
#include "proc/mover/mover_int.h"

#include "base/text.h"

enum { MAI_MAX = 256 * 1024 * 1024, NO_ENVELOPE = 21, BAD_ENVELOPE = 24 };

/* The file, for a notice; without it when it cannot be read. Ends with out_fini. */
static void read_mai(struct mover *m, const struct mm_id *id, struct out *o)
{
	out_init(o, MAI_MAX);
	if (!postoffice_read_mai(m->here, id, MAI_MAX, o, NULL))
		out_clear(o);
}

static bool tell(struct mover *m, const struct po_bag_entry *entry, const struct mm_envelope *v, struct err *e)
{
	struct out mai;
	if (!mm_envelope_has_notices(v))
		return true;
	read_mai(m, &entry->header.mai, &mai);
	const bool good = tell_sender(m, v, &entry->header, out_view(&mai), "", e);
	out_fini(&mai);
	return good;
}

static void say_in(struct mover *m, const struct mm_envelope *v, const struct mail_placed *placed)
{
	char from[ADDRESS_SHOWN], bags[16];
	text_escaped(from, sizeof from, v->from.text);
	snprintf(bags, sizeof bags, "%u", placed->bags);
	EMIT(m->host, MOVER_IN, "mover", m->set->name, "message", v->mai.s, "from", from, "mailbags", bags);
}

static enum did finish(struct mover *m, const struct po_bag_entry *entry, struct mm_envelope *v, const struct mail_placed *placed)
{
	struct err e;
	const struct mm_envelope as_placed = *v;
	if (!tell(m, entry, v, &e) || !mail_finish(m->here, m->bag, entry->slot, v, placed, m->journal, &e))
		return mover_did(m, &e, false);
	say_in(m, v, placed);
	tell_log(m, false, &as_placed, &entry->header, NULL);
	return DID_DONE;
}

/* The message file is missing or cannot be counted in: nobody here gets it, who has it keeps it. */
static enum did return_fileless(struct mover *m, const struct po_bag_entry *entry, struct mm_envelope *v, const struct err *why)
{
	const struct mail_placed nothing = { .bags = 0 };
	const int notice = mail_notice_of(why);
	EMIT(m->host, MOVER_MAI_MISSING, "mover", m->set->name, "message", v->mai.s, "mailbag", m->bag, "why", why->text);
	tell_refuse(v, "", notice == 0 ? 12 : notice, why->reason, why->diagnostic);
	return finish(m, entry, v, &nothing);
}

/* Something that is no file stands in the place of P1, and stays there. Who has the message keeps it, the others are told of already. */
static enum did end_without_envelope(struct mover *m, const struct po_bag_entry *entry, struct mm_envelope *v)
{
	struct mail_placed held = { .bags = 0 };
	for (size_t i = 0; i < v->n; i++) {
		held.bags += v->recipients[i].responsible && v->recipients[i].notice == 0;
		v->recipients[i].responsible &= v->recipients[i].notice != 0;
	}
	return finish(m, entry, v, &held);
}

static enum did wait_for(struct mover *m, const struct mm_envelope *v, const struct mail_placed *placed)
{
	char n[16];
	snprintf(n, sizeof n, "%u", placed->pending);
	EMIT(m->host, MOVER_PENDING, "mover", m->set->name, "message", v->mai.s, "recipients", n, "why", placed->why.text);
	return placed->attempted ? DID_FAIL : DID_LEAVE;
}

static enum did place(struct mover *m, const struct po_bag_entry *entry, struct mm_envelope *v)
{
	const struct retry_policy policy = { m->set->retries, (int64_t)m->set->give_up_ms };
	struct mail_placed placed;
	struct err e;
	struct mm_header h = entry->header;
	if (v->arrived > 0)
		h.date = mm_date_of_wall(v->arrived, m->zone); /* Q111558 d: the MAI has the other one */
	const bool last = retry_is_over(&m->memory.retry, &policy, &v->mai, RETRY_NEVER, mover_now(m));
	if (!mail_place(m->here, &h, v, mover_is_outbound, m, last, &placed, &e)) {
		if (e.kind != ERR_PERM)
			return mover_did(m, &e, false);
		return mail_notice_of(&e) == BAD_ENVELOPE ? end_without_envelope(m, entry, v) : return_fileless(m, entry, v, &e);
	}
	return placed.pending > 0 ? wait_for(m, v, &placed) : finish(m, entry, v, &placed);
}

/* *lost_r: the message file, too. */
static bool rebuild(struct mover *m, const struct po_bag_entry *entry, const struct err *why, struct mm_envelope *v_r, bool *lost_r, struct err *e)
{
	const int notice = mail_notice_of(why);
	unsigned held;
	struct out mai;
	struct err none;
	out_init(&mai, MAI_MAX);
	bool good = postoffice_read_mai(m->here, &entry->header.mai, MAI_MAX, &mai, &none);
	*lost_r = !good;
	if (!good && (none.kind != ERR_PERM || none.culprit == ERR_OF_LINK))
		*e = none;
	else
		good = tell_rebuild(m, entry, out_view(&mai), v_r, e) && mail_spare(m->here, &entry->header, v_r, notice == 0 ? BAD_ENVELOPE : notice, &held, e);
	out_fini(&mai);
	return good;
}

/* Nothing is left but a record. Another program leaves one when it has finished, and all have read and deleted the message (Q104485); else that was mail. */
static enum did give_lost_up(struct mover *m, const struct po_bag_entry *entry, struct mm_envelope *v)
{
	const struct mm_id *id = &entry->header.mai;
	const struct mm_envelope none = { .mai = *id };
	bool is_loss;
	struct err e;
	EMIT(m->host, MOVER_MAI_MISSING, "mover", m->set->name, "message", id->s, "mailbag", m->bag, "why", "nor has it an envelope");
	if (!mail_is_loss(m->here, &entry->header, &is_loss, &e) || (is_loss && !tell_sender(m, v, &entry->header, VIEW(""), "", &e)))
		return mover_did(m, &e, false);
	return mail_forget(m->here, m->bag, entry->slot, &none, m->journal, &e) ? DID_DONE : mover_did(m, &e, false);
}

/* Its envelope is missing or of no use. Another one is made of its MAI, in which those who have the message keep it (Q103960), and all others are told
 * of; from there on it is a message like any other. */
static enum did take_over(struct mover *m, const struct po_bag_entry *entry, const struct err *why)
{
	const struct mm_id *id = &entry->header.mai;
	struct mm_envelope v;
	bool live, lost;
	struct err e;
	if (!rebuild(m, entry, why, &v, &lost, &e))
		return mover_did(m, &e, false);
	if (lost)
		return give_lost_up(m, entry, &v);
	if (!postoffice_holds(m->here, m->bag, id, &live, &e))
		return mover_did(m, &e, false);
	if (!live)
		return DID_DONE;
	if (mm_envelope_has_notices(&v) && mail_notice_of(why) == NO_ENVELOPE)
		EMIT(m->host, MOVER_ENVELOPE_LOST, "mover", m->set->name, "message", id->s, "from", entry->header.from, "subject", entry->header.subject, "why", why->text);
	else if (mm_envelope_has_notices(&v))
		EMIT(m->host, MOVER_ENVELOPE_BAD, "mover", m->set->name, "message", id->s, "mailbag", m->bag, "why", why->text);
	return place(m, entry, &v);
}

static bool is_for_nobody(const struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].responsible)
			return false;
	return true;
}

enum did mailer_take(struct mover *m, const struct po_bag_entry *entry)
{
	const struct mailer_world w = mover_world(m);
	struct mm_envelope v;
	enum mail_found found;
	struct err e;
	if (!mail_look(m->here, &entry->header.mai, m->arena, &v, &found, &e))
		return e.kind == ERR_PERM ? take_over(m, entry, &e) : mover_did(m, &e, false);
	switch (found) {
	case MAIL_NOT_YET:
		return DID_SOON;
	case MAIL_FINISHED:
		return mail_forget(m->here, m->bag, entry->slot, &v, m->journal, &e) ? DID_DONE : mover_did(m, &e, false);
	case MAIL_LOST:
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 0, -1, "[%03d] P1/%s.P1: the envelope is missing", NO_ENVELOPE, v.mai.s);
		return take_over(m, entry, &e);
	case MAIL_NEW:
		if (is_for_nobody(&v)) /* Q194603 */
			EMIT(m->host, MOVER_ENVELOPE_EMPTY, "mover", m->set->name, "message", v.mai.s, "mailbag", m->bag);
		if (!mailer_plan(&w, &v, m->arena, &e))
			return mover_did(m, &e, false);
		break;
	case MAIL_HALF:
		break;
	}
	return place(m, entry, &v);
}
