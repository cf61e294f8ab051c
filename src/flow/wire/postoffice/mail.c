/* mail.c - see mail.h. */
#include "flow/wire/postoffice/mail.h"

#include <limits.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/wire/postoffice/po_int.h"

static const char QUEUE[] = "INQUEUE3", ADMIN_BAG[] = "00000000";

/* --- looks --- */

static bool has_bags(const struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].bag[0] != 0)
			return true;
	return false;
}

bool mail_look(struct postoffice *po, const struct mm_id *id, struct arena *a, struct mm_envelope *v_r, enum mail_found *found_r, struct err *e)
{
	struct po_stamp stamp;
	struct mm_envelope v;
	if (!po_stat(po, po_rel_p1(id).s, &stamp, e))
		return false;
	if (!stamp.there) {
		bool there;
		if (!po_alive(po, e) || !po_dir_there(po, "P1", &there, e)) /* it is the server that has gone, not the file */
			return false;
		if (!there)
			return err_set(e, ERR_LOCAL, ERR_OF_LINK, "P1: this directory of the postoffice is missing");
		*v_r = (struct mm_envelope){ .mai = *id };
		*found_r = MAIL_LOST;
		return true;
	}
	if (!postoffice_read_envelope(po, id, a, &v, e))
		return false;
	v.mai = *id;
	*v_r = v;
	switch (v.state) {
	case MM_UNREADY:
		*found_r = MAIL_NOT_YET;
		return true;
	case MM_READY:
		*found_r = has_bags(&v) ? MAIL_FINISHED : MAIL_NEW;
		return true;
	case MM_PLACING:
		*found_r = MAIL_HALF;
		return true;
	}
	CANT_HAPPEN("an envelope in no state");
}

int mail_notice_of(const struct err *e)
{
	const char *at = strchr(e->text, '[');
	for (; at != NULL; at = strchr(at + 1, '['))
		if (at[1] >= '0' && at[1] <= '9' && at[2] >= '0' && at[2] <= '9' && at[3] >= '0' && at[3] <= '9' && at[4] == ']')
			return (at[1] - '0') * 100 + (at[2] - '0') * 10 + (at[3] - '0');
	return 0;
}

/* --- the record --- */

/* What stands behind the last `/`, or as much of a foreign address as there is room for. */
static void short_name(const struct mm_address *from, char name_r[MM_NAME_MAX + 1])
{
	struct view v = from->type == MM_ADDRESS_MS || from->friendly.n == 0 ? from->text : from->friendly;
	if (from->type == MM_ADDRESS_MS)
		for (size_t i = v.n; i > 0; i--)
			if (v.p[i - 1] == '/') {
				v = view_from(v, i);
				break;
			}
	v = view_first(v, MM_NAME_MAX);
	if (v.n > 0)
		memcpy(name_r, v.p, v.n);
	name_r[v.n] = 0;
}

void mail_header_of(const struct mm_envelope *v, struct view subject, int zone_minutes, struct mm_header *h_r)
{
	struct mm_header h = { .mai = v->mai, .size = v->size, .word_88 = 0x18, .priority = v->priority };
	h.date = v->arrived > 0 ? mm_date_of_wall(v->arrived, zone_minutes) : v->date;
	short_name(&v->from, h.from);
	subject = view_first(subject, MM_SUBJECT_MAX);
	if (subject.n > 0)
		memcpy(h.subject, subject.p, subject.n);
	*h_r = h;
}

/* --- placing --- */

/* Of a mailbag that is damaged nobody knows: then it may be needed (Q127002: such a bag hinders nobody else). */
static bool holds(struct postoffice *po, const char *bag, const struct mm_id *id, bool *holds_r, struct err *e)
{
	struct err why;
	*holds_r = true;
	if (postoffice_holds(po, bag, id, holds_r, &why) || why.culprit != ERR_OF_LINK)
		return true;
	if (e != NULL)
		*e = why;
	return false;
}

/* r is the first one of its bag that this pass is about. */
static bool is_first_of_bag(const struct mm_envelope *v, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (v->recipients[i].notice == 0 && mm_same(v->recipients[i].bag, v->recipients[at].bag))
			return false;
	return v->recipients[at].notice == 0 && v->recipients[at].bag[0] != 0;
}

static bool is_unserved(const struct mm_envelope *v, const char *bag)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].responsible && v->recipients[i].notice == 0 && mm_same(v->recipients[i].bag, bag))
			return true;
	return false;
}

static void refuse_bag(struct mm_envelope *v, const char *bag, int notice, int reason, int diagnostic)
{
	char name[MM_ID_LENGTH + 1];
	memcpy(name, bag, sizeof name); /* it is a recipient's own */
	for (size_t i = 0; i < v->n; i++) {
		struct mm_recipient *r = &v->recipients[i];
		if (!r->responsible || r->notice != 0 || !mm_same(r->bag, name))
			continue;
		r->notice = notice;
		r->reason = reason;
		r->diagnostic = diagnostic;
		r->bag[0] = 0;
	}
}

static void serve_bag(struct mm_envelope *v, const char *bag)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].notice == 0 && mm_same(v->recipients[i].bag, bag))
			v->recipients[i].responsible = false;
}

struct placing {
	struct postoffice *po;
	struct mm_envelope *v;
	const struct mm_header *h;
	bool (*is_outbound)(void *ctx, const char *bag);
	void *ctx;
	bool last;      /* try */
	bool refused;   /* some bag was */
	bool served;    /* some user here, just now */
	struct mail_placed placed;
};

/* Its recipients wait, or are given up. */
static void postpone(struct placing *p, const char *bag, const struct err *why)
{
	if (p->last) {
		refuse_bag(p->v, bag, 8, 1, 2); /* mailbag contention; mta-congestion */
		p->refused = true;
		return;
	}
	if (p->placed.pending == 0)
		p->placed.why = *why;
	p->placed.attempted |= why->kind != ERR_TEMP;
	for (size_t i = 0; i < p->v->n; i++)
		p->placed.pending += p->v->recipients[i].responsible && p->v->recipients[i].notice == 0 && mm_same(p->v->recipients[i].bag, bag);
}

/* False: the file server itself is the matter, nothing else will go well. */
static bool place_in(struct placing *p, const char *bag, struct err *e)
{
	struct err why = { ERR_NONE, ERR_OF_PROCESS, -1, -1, "" };
	const bool outbound = p->is_outbound(p->ctx, bag);
	struct mm_header h = *p->h;
	h.enveloped = outbound;
	if (FAULT(MAIL_PLACE))
		err_set(&why, ERR_TEMP, ERR_OF_RECIPIENT, "%s: not placed in %s (fault point)", p->v->mai.s, bag);
	else if (!is_unserved(p->v, bag) || postoffice_deliver(p->po, bag, &h, &why)) {
		p->placed.bags++;
		p->placed.outbound += outbound;
		p->served |= !outbound && is_unserved(p->v, bag);
		if (!outbound)
			serve_bag(p->v, bag);
		return true;
	}
	if (why.culprit == ERR_OF_LINK) {
		if (e != NULL)
			*e = why;
		return false;
	}
	if (why.kind == ERR_PERM) {
		const int notice = mail_notice_of(&why);
		refuse_bag(p->v, bag, notice == 0 ? 1 : notice, why.reason < 0 ? 1 : why.reason, why.diagnostic);
		p->refused = true;
	}
	else
		postpone(p, bag, &why);
	return true;
}

static bool write_state(struct postoffice *po, struct mm_envelope *v, enum mm_state state, struct err *e)
{
	const enum mm_state before = v->state;
	v->state = state;
	if (postoffice_write_envelope(po, v, e))
		return true;
	v->state = before;
	return false;
}

/* Somebody else's, who has not got the message yet: it is read again. */
static bool is_for_others(const struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].responsible && v->recipients[i].notice == 0 && v->recipients[i].bag[0] == 0)
			return true;
	return false;
}

/* Those that have it or will have it; who was served and has deleted it does not count again. INQUEUE3's own hold counts while nobody else has it, and beside
 * others while the message is needed, or the last of them that deletes it would take its files along. */
static bool count_in_mai(struct placing *p, struct err *e)
{
	const struct mm_envelope *v = p->v;
	bool any = false;
	unsigned n = 0;
	for (size_t i = 0; i < v->n; i++) {
		bool counts = true;
		if (!is_first_of_bag(v, i))
			continue;
		any = true;
		if (!is_unserved(v, v->recipients[i].bag) && !holds(p->po, v->recipients[i].bag, &v->mai, &counts, e))
			return false;
		n += counts;
	}
	p->placed.counted = any && is_for_others(v);
	n += p->placed.counted;
	return (!any && !p->refused) || postoffice_set_bags(p->po, &v->mai, n == 0 ? 1 : n, e);
}

bool mail_place(struct postoffice *po, const struct mm_header *h, struct mm_envelope *v, bool (*is_outbound)(void *ctx, const char *bag), void *ctx,
		bool last, struct mail_placed *placed_r, struct err *e)
{
	struct mm_header header = *h;
	struct placing p = { .po = po, .v = v, .h = &header, .is_outbound = is_outbound, .ctx = ctx, .last = last };
	header.mai = v->mai;
	header.size = v->size != 0 ? v->size : h->size;
	if (v->state != MM_PLACING && !write_state(po, v, MM_PLACING, e))
		return false;
	if (FAULT(MAIL_PLACING))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: not placed (fault point)", v->mai.s);
	if (!count_in_mai(&p, e))
		return false;
	for (size_t i = 0; i < v->n; i++) {
		char bag[MM_ID_LENGTH + 1];
		if (!is_first_of_bag(v, i))
			continue;
		memcpy(bag, v->recipients[i].bag, sizeof bag);
		if (!place_in(&p, bag, e))
			return false;
	}
	if (p.refused && !count_in_mai(&p, e))
		return false;
	const bool again = p.placed.pending > 0 || (p.served && (is_for_others(v) || mm_envelope_has_notices(v)));
	if ((p.refused || again) && !write_state(po, v, MM_PLACING, e))
		return false;
	*placed_r = p.placed;
	return true;
}

/* --- the end --- */

bool mail_is_needed(struct postoffice *po, const struct mm_envelope *v, const char *but, bool *needed_r, struct err *e)
{
	bool needed = false;
	for (size_t i = 0; i < v->n && !needed; i++) {
		const struct mm_recipient *r = &v->recipients[i];
		if (r->responsible && is_first_of_bag(v, i) && !mm_same(r->bag, but) && !holds(po, r->bag, &v->mai, &needed, e))
			return false;
	}
	*needed_r = needed;
	return true;
}

/* What stands there and is no file was none of ours, and stays. */
static bool remove_envelope(struct postoffice *po, const struct mm_id *id, struct err *e)
{
	struct err why;
	if (po_remove(po, po_rel_p1(id).s, &why) || (why.kind == ERR_PERM && why.culprit == ERR_OF_MESSAGE))
		return true;
	if (e != NULL)
		*e = why;
	return false;
}

/* Of a message that has left INQUEUE3. Its record first, then the envelope, here and in mail_drop: so a record never is without one, and of two
 * that end at the same time at least the second one sees that nobody needs it. */
static bool remove_unneeded(struct postoffice *po, const struct mm_envelope *v, const char *but, struct err *e)
{
	bool needed = false;
	if (!mail_is_needed(po, v, but, &needed, e))
		return false;
	if (!needed && !mm_same(but, QUEUE) && !holds(po, QUEUE, &v->mai, &needed, e))
		return false;
	return needed || remove_envelope(po, &v->mai, e);
}

bool mail_finish(struct postoffice *po, const char *bag, unsigned slot, struct mm_envelope *v, const struct mail_placed *placed,
		 struct mail_journal *j, struct err *e)
{
	if (placed->bags == 0) { /* the record is the last that holds it */
		if (FAULT(MAIL_FINISH))
			return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: not finished (fault point)", v->mai.s);
		return postoffice_bag_drop(po, bag, slot, &v->mai, false, e) && remove_envelope(po, &v->mai, e) &&
		       (j == NULL || mail_journal_forget(j, &v->mai, e));
	}
	/* The record counts no more before READY says that only it is left: in PLACING all is counted anew. */
	if (placed->outbound > 0 && ((placed->counted && !po_release(po, &v->mai, e)) || !write_state(po, v, MM_READY, e)))
		return false;
	if (FAULT(MAIL_FINISH))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: finished, its record is left (fault point)", v->mai.s);
	return placed->counted && placed->outbound == 0 ? mail_drop(po, bag, slot, v, j, e) : mail_forget(po, bag, slot, v, j, e);
}

bool mail_forget(struct postoffice *po, const char *bag, unsigned slot, const struct mm_envelope *v, struct mail_journal *j, struct err *e)
{
	return postoffice_bag_forget(po, bag, slot, &v->mai, e) && remove_unneeded(po, v, bag, e) && (j == NULL || mail_journal_forget(j, &v->mai, e));
}

bool mail_drop(struct postoffice *po, const char *bag, unsigned slot, const struct mm_envelope *v, struct mail_journal *j, struct err *e)
{
	if (slot != UINT_MAX && !postoffice_bag_drop(po, bag, slot, &v->mai, false, e))
		return false;
	if (v->n > 0 && !remove_unneeded(po, v, bag, e))
		return false;
	return j == NULL || mail_journal_forget(j, &v->mai, e);
}

/* --- an envelope that was made anew --- */

/* As many bags hold it as its counter says: nobody waits for it any more. Who was about to get it when a crash came is counted before he has his record. */
static bool is_all_placed(struct postoffice *po, const struct mm_envelope *v, bool *all_r, struct err *e)
{
	unsigned holding = 0, counted;
	struct err why;
	*all_r = false;
	for (size_t i = 0; i < v->n; i++) {
		bool has = false;
		if (!v->recipients[i].responsible || !is_first_of_bag(v, i))
			continue;
		if (postoffice_holds(po, v->recipients[i].bag, &v->mai, &has, &why)) {
			holding += has;
			continue;
		}
		if (why.culprit == ERR_OF_LINK && e != NULL)
			*e = why;
		return why.culprit != ERR_OF_LINK;
	}
	if (!postoffice_count(po, &v->mai, &counted, e))
		return false;
	*all_r = holding > 0 && counted > 0 && holding >= counted;
	return true;
}

static bool had(struct postoffice *po, const char *bag, const struct mm_header *h)
{
	bool there, live;
	return bag[0] != 0 && postoffice_had(po, bag, h, &there, &live, NULL) && there;
}

bool mail_spare(struct postoffice *po, const struct mm_header *h, struct mm_envelope *v, int notice, unsigned *held_r, struct err *e)
{
	unsigned held = 0;
	bool all_placed;
	if (!is_all_placed(po, v, &all_placed, e))
		return false;
	for (size_t i = 0; i < v->n; i++) {
		struct mm_recipient *r = &v->recipients[i];
		bool has = false;
		if (!r->responsible)
			continue;
		if (r->notice == 0 && r->bag[0] != 0 && !holds(po, r->bag, &v->mai, &has, e))
			return false;
		held += has;
		if (has)
			continue;
		r->responsible = !(all_placed && r->notice == 0 && had(po, r->bag, h));
		r->bag[0] = 0;
		if (!r->responsible)
			continue;
		r->notice = notice;
		r->reason = 0;
		r->diagnostic = -1;
	}
	*held_r = held;
	return true;
}

struct traces { struct postoffice *po; const struct mm_header *h; bool had, holds, failed; struct err *e; };

static bool look_for_traces(struct traces *t, const char *bag)
{
	struct err why;
	bool had, holds;
	if (!postoffice_had(t->po, bag, t->h, &had, &holds, &why)) {
		t->failed = why.culprit == ERR_OF_LINK;
		if (t->failed && t->e != NULL)
			*t->e = why;
		return !t->failed;
	}
	t->had |= had;
	t->holds |= holds;
	return true;
}

static bool look_at_user(void *ctx, const struct mm_user *u)
{
	return look_for_traces(ctx, u->mailbag);
}

static bool look_at_outbound(void *ctx, const struct mm_name *next, const char *mailbag)
{
	(void)next;
	return look_for_traces(ctx, mailbag);
}

bool mail_is_loss(struct postoffice *po, const struct mm_header *h, bool *loss_r, struct err *e)
{
	struct traces t = { .po = po, .h = h, .e = e };
	unsigned n, live;
	if (!postoffice_each_user(po, look_at_user, &t, e) || t.failed || !postoffice_each_outbound(po, look_at_outbound, &t, e) || t.failed ||
	    (!look_for_traces(&t, "SYSTEM") && t.failed))
		return false;
	if (!postoffice_bag(po, QUEUE, 0, NULL, &n, &live, e))
		return false;
	*loss_r = (!t.had || t.holds) && live < MM_BAG_RECORDS;
	return true;
}

struct find_admin { char mailbox[MM_NAME_MAX + 1]; };

static bool is_admin(void *ctx, const struct mm_user *u)
{
	struct find_admin *f = ctx;
	if (!mm_same(u->mailbag, ADMIN_BAG))
		return true;
	snprintf(f->mailbox, sizeof f->mailbox, "%s", u->mailbox);
	return false;
}

bool mail_administrator(struct postoffice *po, struct mm_address *who_r, struct arena *a, struct err *e)
{
	const struct mm_name *own = &postoffice_master(po)->own;
	struct find_admin f = { "" };
	char text[64];
	if (!postoffice_each_user(po, is_admin, &f, e))
		return false;
	snprintf(text, sizeof text, "%s/%s/%s", own->network, own->postoffice, f.mailbox);
	*who_r = (struct mm_address){ .type = MM_ADDRESS_MS, .text = f.mailbox[0] == 0 ? VIEW("") : arena_copy(a, view_str(text)) };
	return true;
}

bool mail_is_there(struct postoffice *po, struct err *e)
{
	return po_alive(po_check(po), e);
}

bool mail_stamp(struct postoffice *po, const char *bag, uint64_t *stamp_r, struct err *e)
{
	struct po_stamp s[2];
	if (!po_stat(po, po_rel_of("MBG", bag, ".MBG").s, &s[0], e) || !po_stat(po, po_rel_of("KEY", bag, ".KEY").s, &s[1], e))
		return false;
	uint64_t x = HASH_START;
	for (size_t i = 0; i < 2; i++) {
		const uint64_t parts[] = { s[i].there, s[i].inode, s[i].size, (uint64_t)s[i].seconds, (uint64_t)s[i].nanoseconds };
		x = hash_octets(x, view_of(parts, sizeof parts));
	}
	*stamp_r = x;
	return true;
}

bool mail_read_raw(struct postoffice *po, bool envelope, const struct mm_id *id, uint64_t max, struct out *o, bool *there_r, struct err *e)
{
	const struct po_rel rel = envelope ? po_rel_p1(id) : po_rel_mai(id);
	return po_read_file(po, rel.s, max, o, there_r, e);
}

/* --- logs --- */

bool mail_log(struct postoffice *po, const char *dir, const char *name, const char *line, struct err *e)
{
	const struct po_rel rel = po_rel_of(dir, name, "");
	struct po_stamp stamp;
	struct out o;
	int fd;
	if (!po_open(po, rel.s, O_RDWR | O_CREAT, &fd, e))
		return false;
	if (fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s/%s: cannot be made", po->path, rel.s);
	out_init(&o, 4096);
	out_fmt(&o, "%s\r\n", line);
	const bool good = po_hold(po, fd, rel.s, PO_EXCLUSIVE, e) && po_fstat(po, fd, rel.s, &stamp, NULL, e) &&
			  po_write_at(po, fd, rel.s, out_view(&o).p, out_len(&o), stamp.size, e);
	po_close(po, &fd);
	out_fini(&o);
	return good;
}
