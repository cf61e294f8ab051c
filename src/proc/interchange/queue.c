/* queue.c - INQUEUE3 of a postoffice: where messages for the switch come from, and for mailboxes and bags here, too. The steps are those of a
 * mover's mailer (wire/postoffice/mail.h); who is neither here nor behind one of the bags here is the switch's. What has struck comes
 * last (Q169671). In an archive, which is never written, a record is done with when the ledger has its name. */
#include "proc/interchange/interchange_int.h"

#include <inttypes.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/engine/msmail/mailer.h"

enum {
	NO_FILE = 16, TOO_LARGE = 9, NO_ENVELOPE = 21, CORRUPT_ENVELOPE = 24, SOON_MS = 500, DAY_MS = 24 * 3600 * 1000,
	MEMBERS_MAX = 2000, LINE_MAX_ = 200,
};

struct queue_round {
	struct po_bag_entry *entries;
	unsigned n, at, live;
	bool waits;              /* for somebody who is about to end */
	uint64_t done;           /* gone in this round: what is left does not count, or it would keep the others out */
	bool late;               /* the ones that have struck, after all the others */
	struct mail_journal *journal;
	/* of the record at hand */
	struct po_bag_entry *entry;
	struct mail_placed placed;
	bool is_placed, was_taken;
	struct out mai;
};

static struct queue_round *round_of(struct interchange *x)
{
	return x->round;
}

/* --- a round --- */

static void tell_locked(struct interchange *x, const struct err *who)
{
	const int64_t now = env_now_ms(x->host.env);
	if (x->locked_since_ms == 0)
		x->locked_since_ms = now;
	if (now - x->locked_since_ms < (int64_t)x->set->lock_patience_ms || (x->locked_told_ms != 0 && now - x->locked_told_ms < DAY_MS / 24))
		return;
	x->locked_told_ms = now;
	EMIT(&x->host, INTERCHANGE_LOCKED, "link", x->link->name, "lock", "INQUEUE3", "who", who->text);
}

/* A record comes before its envelope is ready, and of the second nobody tells: soon, then less and less often. */
static void look_again(struct interchange *x, bool waits)
{
	struct inward *in = &x->in;
	const int64_t next = in->soon_ms == 0 ? SOON_MS : in->soon_ms * 2;
	in->soon_ms = !waits ? 0 : next < (int64_t)x->set->poll_ms ? next : (int64_t)x->set->poll_ms;
	if (waits && !timer_is_set(&in->again))
		timer_after(&in->again, in->soon_ms);
}

static void round_end(struct interchange *x)
{
	struct queue_round *q = round_of(x);
	if (q != NULL) {
		look_again(x, q->waits);
		mail_journal_close(&q->journal);
		out_fini(&q->mai);
		free(q->entries);
		free(q);
		x->round = NULL;
	}
	if (x->lock != NULL)
		postoffice_unlock(&x->lock);
}

struct settling { const struct queue_round *q; struct mm_id ids[64]; size_t n; };

static bool collect(void *ctx, const struct mm_id *id)
{
	struct settling *s = ctx;
	for (unsigned i = 0; i < s->q->n; i++)
		if (!s->q->entries[i].readable || mm_same(s->q->entries[i].header.mai.s, id->s))
			return true;
	s->ids[s->n++] = *id;
	return s->n < ARRAY_LEN(s->ids);
}

/* Lines about records that have gone: a crash came between the two. A later message of the same number would be taken for done. */
static bool settle(struct queue_round *q, struct err *e)
{
	struct settling s = { .q = q };
	bool ok = true;
	mail_journal_each(q->journal, collect, &s);
	for (size_t i = 0; ok && i < s.n; i++)
		ok = mail_journal_forget(q->journal, &s.ids[i], e);
	return ok;
}

static bool round_begin(struct interchange *x, bool *ready_r, struct err *e)
{
	interchange_note(x, "INQUEUE3");
	*ready_r = false;
	if (!x->set->read_only) {
		if (!postoffice_lock(x->po, "INQUEUE3", &x->lock, e))
			return false;
		if (x->lock == NULL) {
			tell_locked(x, e);
			return true;
		}
	}
	x->locked_since_ms = x->locked_told_ms = 0;
	struct queue_round *q = mem_zero(sizeof *q);
	x->round = q;
	/* All of it: those that are left for later must not hide the others. */
	q->entries = mem_zero(mem_mul(MM_BAG_RECORDS, sizeof *q->entries));
	out_init(&q->mai, (size_t)x->settings->limits.message + (64 << 20));
	*ready_r = mail_stamp(x->po, "INQUEUE3", &x->stamp, e) && (x->set->read_only || mail_journal_open(x->po, "INQUEUE3", &q->journal, e)) &&
		   postoffice_bag(x->po, "INQUEUE3", MM_BAG_RECORDS, q->entries, &q->n, &q->live, e) && (q->journal == NULL || settle(q, e));
	if (!*ready_r)
		round_end(x);
	return *ready_r;
}

/* --- who is whose --- */

static bool is_own(const struct interchange *x, const struct mm_name *name)
{
	const struct mm_name *own = &postoffice_master(x->po)->own;
	return mm_same_postoffice(name, own) || (mm_same(name->network, x->own.network) && mm_same(name->postoffice, x->own.postoffice));
}

static bool route(void *ctx, const struct mm_address *to, struct mailer_route *r, struct err *e)
{
	struct interchange *x = ctx;
	struct mm_route found;
	struct err why;
	*r = (struct mailer_route){ .where = MAILER_ELSEWHERE };
	if (to->type != MM_ADDRESS_MS || !mm_name_parse(to->text, &r->name, &why)) /* whether it has a form in X.400 the converter says */
		return true;
	if (!postoffice_route(x->po, &r->name, &found, e))
		return false;
	snprintf(r->mailbag, sizeof r->mailbag, "%s", found.mailbag);
	r->next = found.next;
	switch (found.where) {
	case MM_LOCAL_USER:
		r->where = MAILER_USER;
		break;
	case MM_SYSTEM:
		r->where = MAILER_SYSTEM;
		break;
	case MM_GROUP:
		r->where = MAILER_GROUP;
		break;
	case MM_OUTBOUND:
		r->where = is_own(x, &r->name) ? MAILER_ELSEWHERE : x->set->transit ? MAILER_OUTBOUND : MAILER_NO_ROUTE;
		break;
	case MM_NO_USER:
	case MM_NO_ROUTE:
		break;
	}
	return true;
}

static bool members(void *ctx, const char *group, bool (*each)(void *each_ctx, const struct mm_name *member), void *each_ctx, struct err *e)
{
	struct interchange *x = ctx;
	return postoffice_group(x->po, group, each, each_ctx, e);
}

static bool is_outbound(void *ctx, const char *bag)
{
	struct interchange *x = ctx;
	return postoffice_is_outbound(x->po, bag);
}

static struct mailer_world world_of(struct interchange *x)
{
	const struct mm_master *master = postoffice_master(x->po);
	return (struct mailer_world){ .own = master->own, .hop_limit = master->hops != 0 ? master->hops : MM_HOPS_DEFAULT, .members_max = MEMBERS_MAX, .route = route,
				      .members = members, .ctx = x };
}

static bool plan(struct interchange *x, struct err *e)
{
	const struct mailer_world w = world_of(x);
	return mailer_plan(&w, &x->in.v, x->in.a, e);
}

static bool place(struct interchange *x, struct err *e)
{
	struct queue_round *q = round_of(x);
	struct mm_envelope *v = &x->in.v;
	struct err why;
	const wall_ms_t now = interchange_wall(x);
	const bool last = v->first_failed > 0 && now - v->first_failed > DAY_MS; /* what was not tried does not count (Q113119) */
	q->is_placed = mail_place(x->po, &q->entry->header, v, is_outbound, x, last, &q->placed, &why);
	if (q->is_placed && q->placed.pending > 0 && v->first_failed == 0) {
		v->first_failed = now;
		return postoffice_write_envelope(x->po, v, e);
	}
	if (q->is_placed || why.kind != ERR_PERM || why.culprit == ERR_OF_LINK) {
		if (!q->is_placed)
			*e = why;
		return q->is_placed;
	}
	/* [016], or a MAI that is none: nobody gets it. */
	EMIT(&x->host, MSMAIL_NO_FILE, "link", x->link->name, "item", x->in.item, "why", why.text);
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].responsible && v->recipients[i].notice == 0) {
			inward_refuse(x, &v->recipients[i], NO_FILE, 0, 48, why.text);
			v->recipients[i].bag[0] = 0;
		}
	return true;
}

/* --- files --- */

static bool list_ours(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	in->ours = arena_array(in->a, in->v.n, sizeof *in->ours);
	in->n_ours = 0;
	if (in->ours == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "[024] the envelope is too long");
	for (size_t i = 0; i < in->v.n; i++)
		if (in->v.recipients[i].responsible && in->v.recipients[i].bag[0] == 0 && in->v.recipients[i].notice == 0)
			in->ours[in->n_ours++] = i;
	return true;
}

/* The same for the same message, and for no other: the counter in the MAI changes, all else of it stays. */
static void name_message(struct interchange *x)
{
	struct inward *in = &x->in;
	const struct queue_round *q = round_of(x);
	const struct view mai = out_view(&q->mai);
	uint16_t bags;
	size_t at = 0;
	uint64_t h = hash_octets(HASH_START, in->v.from.text);
	const struct mm_date *d = &in->v.date;
	char date[20], serial[9];
	snprintf(date, sizeof date, "%04u%02u%02u%02u%02u%02u", d->year % 10000u, d->month % 100u, d->day % 100u, d->hour % 100u,
		 d->minute % 100u, d->second % 100u);
	h = hash_octets(h, view_str(date));
	if (mai_bags(mai, &bags, &at, NULL)) {
		h = hash_octets(h, view_first(mai, at));
		h = hash_octets(h, view_from(mai, at + 2));
	} else {
		h = hash_octets(h, mai);
	}
	const char *from = postoffice_master(x->po)->serial;
	size_t n = 0;
	for (; from[n] != 0 && n < sizeof serial - 1; n++) {
		const bool fine = (from[n] >= '0' && from[n] <= '9') || (from[n] >= 'A' && from[n] <= 'Z') || from[n] == '-';
		serial[n] = fine ? from[n] : '.';
	}
	serial[n] = 0;
	snprintf(in->local_id, sizeof in->local_id, "%s-%s-%014" PRIX64, serial, in->v.mai.s, h & UINT64_C(0xffffffffffffff));
}

/* Attachments that are not there any more: the message goes on with a line for each. */
static bool leave_out(struct interchange *x, struct mai *m, const struct view *lost, size_t n_lost, struct err *e)
{
	struct queue_round *q = round_of(x);
	struct out text, file;
	out_init(&text, m->text.n + n_lost * LINE_MAX_ + 2);
	out_bytes(&text, m->text);
	if (m->text.n > 0 && m->text.p[m->text.n - 1] != '\r' && m->text.p[m->text.n - 1] != '\n')
		out_str(&text, "\r\n");
	for (size_t i = 0; i < n_lost; i++) {
		out_str(&text, "[018] attachment missing: ");
		out_bytes(&text, view_first(lost[i], 100));
		out_str(&text, "\r\n");
	}
	m->text = arena_copy(x->in.a, out_view(&text));
	out_init(&file, q->mai.max);
	const bool ok = mai_print(m, x->scramble, &file, e);
	out_fini(&text);
	if (ok) {
		out_clear(&q->mai);
		out_bytes(&q->mai, out_view(&file));
	}
	out_fini(&file);
	return ok;
}

/* Those that are there go first in *m, and into in->files; *n_lost_r others by their names into lost. */
static bool sort_attachments(struct interchange *x, struct po_owner *o, struct mai *m, struct view *lost, size_t *n_lost_r, struct err *e)
{
	struct inward *in = &x->in;
	size_t n = 0, n_lost = 0;
	for (size_t i = 0; i < m->n_attachments; i++) {
		struct mm_attachment *a = &m->attachments[i];
		struct po_file *f = NULL;
		struct err why;
		uint64_t size = 0;
		if (!postoffice_open_own(x->po, o, a, &f, &size, &why)) {
			if (why.kind != ERR_PERM || why.culprit == ERR_OF_LINK) {
				*e = why;
				return false;
			}
			EMIT(&x->host, MSMAIL_NO_ATTACHMENT, "link", x->link->name, "item", in->item, "attachment", a->file.s, "why", why.text);
			lost[n_lost++] = a->name;
			continue;
		}
		po_file_close(&f);
		in->files[1 + n] = (struct in_file){ .name = arena_copy(in->a, a->name), .size = size, .id = a->file };
		m->attachments[n++] = *a;
	}
	m->n_attachments = n;
	in->n_files = 1 + n;
	*n_lost_r = n_lost;
	return true;
}

static bool list_attachments(struct interchange *x, struct mai *m, struct err *e)
{
	struct view *lost = arena_array(x->in.a, m->n_attachments, sizeof *lost);
	size_t n_lost = 0;
	if (lost == NULL || x->in.files == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "[012] %zu attachments are too many", m->n_attachments);
	struct po_owner *o = postoffice_owner_new(&x->in.v.mai, m->attachments, m->n_attachments);
	const bool ok = sort_attachments(x, o, m, lost, &n_lost, e);
	postoffice_owner_free(&o);
	return ok && (n_lost == 0 || leave_out(x, m, lost, n_lost, e));
}

static bool read_files(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	const struct mai_limits limits = mai_limits_default();
	struct mai m;
	out_clear(&q->mai);
	if (!postoffice_read_mai(x->po, &in->v.mai, q->mai.max, &q->mai, e))
		return false;
	name_message(x);
	if (!mai_parse(out_view(&q->mai), x->scramble, &m, in->a, &limits, e))
		return false;
	in->files = arena_array(in->a, m.n_attachments + 1, sizeof *in->files);
	if (!list_attachments(x, &m, e))
		return false;
	in->files[0] = (struct in_file){ .name = VIEW("MAI"), .size = out_len(&q->mai), .octets = out_view(&q->mai), .in_memory = true };
	return true;
}

static bool read_attachment(struct interchange *x, const struct in_file *f, uint64_t at, size_t n, struct out *o, struct err *e)
{
	struct po_file *file = x->in.reading;
	uint64_t size;
	size_t got = 0;
	if (file == NULL && (at != 0 || !postoffice_open_attachment(x->po, &f->id, &file, &size, e)))
		return at == 0 ? false : err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "%s: was closed", f->id.s);
	x->in.reading = file;
	uint8_t *to = mem_alloc(n);
	const bool ok = po_file_read(file, to, n, &got, e);
	if (ok)
		out_bytes(o, view_of(to, got));
	free(to);
	return ok;
}

static void close_attachment(struct interchange *x)
{
	struct po_file *file = x->in.reading;
	x->in.reading = NULL;
	po_file_close(&file);
}

/* --- the next record --- */

static bool is_struck(const struct interchange *x, const struct po_bag_entry *entry)
{
	char item[80];
	snprintf(item, sizeof item, "INQUEUE3 %s", entry->header.mai.s);
	return tally_of(x->strikes, item) > 0;
}

/* First those that have never struck, then the others. */
static struct po_bag_entry *next_entry(struct interchange *x)
{
	struct queue_round *q = round_of(x);
	for (;;) {
		while (q->at < q->n) {
			struct po_bag_entry *entry = &q->entries[q->at++];
			if (!entry->readable && !q->late && !x->in.told_damage) {
				x->in.told_damage = true;
				EMIT(&x->host, MSMAIL_DAMAGED, "link", x->link->name, "why", entry->why.text);
			}
			if (entry->readable && is_struck(x, entry) == q->late)
				return entry;
		}
		if (q->late)
			return NULL;
		q->late = true;
		q->at = 0;
	}
}

static void name_of_ledger(const struct po_bag_entry *entry, char name[80])
{
	const struct mm_header *h = &entry->header;
	uint64_t sum = hash_octets(HASH_START, view_str(h->from));
	sum = hash_octets(hash_octets(sum, view_str(h->subject)), view_of(&h->size, sizeof h->size));
	snprintf(name, 80, "%s %04u%02u%02u%02u%02u %016" PRIx64, h->mai.s, h->date.year % 10000u, h->date.month % 100u, h->date.day % 100u, h->date.hour % 100u,
		 h->date.minute % 100u, sum);
}

/* Its octets as they lie there, undecoded. Attachments too, unless it is this process that has died of it. */
static void read_undecoded(struct interchange *x, bool with_attachments)
{
	struct inward *in = &x->in;
	struct queue_round *q = x->round;
	const struct mai_limits limits = mai_limits_default();
	struct mai m = { 0 };
	struct err e;
	out_clear(&q->mai);
	(void)!postoffice_read_mai(x->po, &q->entry->header.mai, q->mai.max, &q->mai, &e);
	if (!with_attachments || !mai_parse(out_view(&q->mai), x->scramble, &m, in->a, &limits, &e))
		m.n_attachments = 0;
	in->n_files = 0;
	in->files = arena_array(in->a, m.n_attachments + 1, sizeof *in->files);
	if (in->files == NULL)
		return;
	if (m.n_attachments > 0 && !list_attachments(x, &m, &e))
		in->n_files = 0;
	in->files[0] = (struct in_file){ .name = VIEW("MAI"), .size = out_len(&q->mai), .octets = out_view(&q->mai), .in_memory = true };
	in->n_files = in->n_files == 0 ? 1 : in->n_files;
}

static bool poison(struct interchange *x, bool with_attachments, const struct err *why, enum in_found *found_r)
{
	x->in.why = *why;
	read_undecoded(x, with_attachments);
	name_message(x);
	*found_r = IN_FOUND_POISON;
	return true;
}

static bool is_poison(const struct interchange *x, bool *ours_r)
{
	char died[90];
	snprintf(died, sizeof died, "died %s", x->in.item);
	*ours_r = tally_of(x->strikes, died) > 0;
	return tally_of(x->strikes, x->in.item) >= x->settings->limits.strikes;
}

static bool quarantine(struct interchange *x, bool with_attachments, enum in_found *found_r)
{
	struct err why;
	err_set(&why, ERR_PERM, ERR_OF_MESSAGE, "[012] handling it has failed %u times", tally_of(x->strikes, x->in.item));
	/* Once more than that: its attachments cannot even be set aside. */
	return poison(x, with_attachments && tally_of(x->strikes, x->in.item) == x->settings->limits.strikes, &why, found_r);
}

/* A failure of this message's own files: for good it is poison, or its senders are told; else it is left for the next round. */
static bool files_failed(struct interchange *x, const struct err *why, enum in_found *found_r, struct err *e)
{
	struct inward *in = &x->in;
	const int notice = mail_notice_of(why);
	if (why->kind != ERR_PERM || why->culprit == ERR_OF_LINK) {
		*e = *why;
		return false;
	}
	if (notice != NO_FILE && notice != TOO_LARGE)
		return poison(x, false, why, found_r);
	EMIT(&x->host, MSMAIL_NO_FILE, "link", x->link->name, "item", in->item, "why", why->text);
	for (size_t i = 0; i < in->n_ours; i++)
		inward_refuse(x, &in->v.recipients[in->ours[i]], notice, 0, 48, why->text);
	in->n_ours = 0;
	*found_r = IN_FOUND_MESSAGE;
	return true;
}

/* --- without an envelope --- */

/* What the switch has is not told of. */
static void leave_to_switch(struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].notice == 0 && v->recipients[i].bag[0] == 0)
			v->recipients[i].responsible = false;
}

/* Another one is made of its MAI: who has the message keeps it, all others are told of. *lost_r: there is no MAI either. */
static bool rebuild(struct interchange *x, int notice, bool *lost_r, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	const struct mm_header *h = &q->entry->header;
	const struct mailer_world w = world_of(x);
	const struct mai_limits limits = mai_limits_default();
	struct mai m;
	struct err why;
	unsigned held;
	in->n_ours = 0;
	out_clear(&q->mai);
	*lost_r = !postoffice_read_mai(x->po, &h->mai, q->mai.max, &q->mai, &why);
	if (*lost_r && (why.kind != ERR_PERM || why.culprit == ERR_OF_LINK)) {
		*e = why;
		return false;
	}
	const bool readable = !*lost_r && mai_parse(out_view(&q->mai), x->scramble, &m, in->a, &limits, NULL);
	if (!mailer_rebuild(&w, readable ? &m : NULL, &h->mai, &in->v, in->a, e))
		return false;
	if (in->v.date.year == 0)
		in->v.date = h->date;
	in->v.arrived = interchange_wall(x);
	in->v.size = h->size;
	if (q->was_taken)
		leave_to_switch(&in->v);
	return mail_spare(x->po, h, &in->v, notice, &held, e);
}

static bool give_lost_up(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	const struct mm_header *h = &q->entry->header;
	EMIT(&x->host, MSMAIL_NO_FILE, "link", x->link->name, "item", in->item, "why", "nor has it an envelope");
	in->v.mai = h->mai;
	if (!returned_lost(x, h, q->journal, e))
		return false;
	in->v = (struct mm_envelope){ .mai = h->mai };
	return mail_forget(x->po, "INQUEUE3", q->entry->slot, &in->v, q->journal, e);
}

/* From where another one is made it is a message like any other. */
static bool take_lost(struct interchange *x, enum in_found *found_r, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	const struct mm_header *h = &q->entry->header;
	char ledger[80];
	bool live, lost;
	if (x->set->read_only) { /* an archive: nobody is told, and it is not looked at again */
		EMIT(&x->host, MSMAIL_ENVELOPE_LOST, "link", x->link->name, "item", in->item, "from", h->from, "subject", h->subject);
		name_of_ledger(q->entry, ledger);
		return tally_set(x->taken, ledger, 1, e);
	}
	if (!rebuild(x, NO_ENVELOPE, &lost, e))
		return false;
	if (lost)
		return give_lost_up(x, e);
	if (!postoffice_holds(x->po, "INQUEUE3", &h->mai, &live, e))
		return false;
	if (!live)
		return true;
	if (mm_envelope_has_notices(&in->v))
		EMIT(&x->host, MSMAIL_ENVELOPE_LOST, "link", x->link->name, "item", in->item, "from", h->from, "subject", h->subject);
	*found_r = IN_FOUND_MESSAGE;
	return true;
}

/* Its octets go into quarantine. */
static bool take_damaged(struct interchange *x, const struct err *why, enum in_found *found_r, struct err *e)
{
	const int notice = mail_notice_of(why);
	bool lost;
	return rebuild(x, notice == 0 ? CORRUPT_ENVELOPE : notice, &lost, e) && poison(x, false, why, found_r);
}

/* Into bags here first: the switch may be a while. */
static bool place_or_look(struct interchange *x, enum mail_found found, struct err *e)
{
	if (x->set->read_only)
		return found != MAIL_NEW || plan(x, e);
	return (found != MAIL_NEW || plan(x, e)) && place(x, e);
}

static bool take_record(struct interchange *x, enum in_found *found_r, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	const struct mm_id *id = &q->entry->header.mai;
	enum mail_found found;
	struct mm_id same;
	struct err why;
	*found_r = IN_FOUND_SOMETHING;
	(void)FAULT_ON(INTERCHANGE_TAKE, view_str(id->s));
	q->was_taken = q->journal != NULL && mail_journal_find(q->journal, MAIL_TAKEN, id, &same);
	if (!mail_look(x->po, id, in->a, &in->v, &found, &why)) {
		if (why.kind == ERR_PERM && why.culprit != ERR_OF_LINK)
			return take_damaged(x, &why, found_r, e);
		*e = why;
		return false;
	}
	q->waits |= found == MAIL_NOT_YET;
	if (found == MAIL_NOT_YET)
		return true;
	if (found == MAIL_FINISHED)
		return x->set->read_only || mail_forget(x->po, "INQUEUE3", q->entry->slot, &in->v, q->journal, e);
	if (found == MAIL_LOST)
		return take_lost(x, found_r, e);
	in->at = in->v.arrived > 0 ? in->v.arrived : mm_date_to_wall(&in->v.date, x->zone_minutes,
								  mm_date_to_wall(&q->entry->header.date, x->zone_minutes, 0));
	bool died;
	const bool is_bad = !q->was_taken && is_poison(x, &died);
	if (is_bad && died) /* of what, is not known: nothing of it is touched any more */
		return quarantine(x, false, found_r);
	if (!place_or_look(x, found, e) || !list_ours(x, e))
		return false;
	if (is_bad && in->n_ours > 0)
		return quarantine(x, true, found_r);
	if (q->was_taken)
		in->n_ours = 0;
	*found_r = IN_FOUND_MESSAGE;
	return in->n_ours == 0 || read_files(x, &why) || files_failed(x, &why, found_r, e);
}

static bool next(struct interchange *x, enum in_found *found_r, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	char ledger[80];
	*found_r = IN_FOUND_NONE;
	if (q == NULL || (q->journal != NULL && mail_journal_is_broken(q->journal)))
		return true;
	if (q->done >= x->set->quota) { /* others want the lock, too */
		in->wanted = true;
		return true;
	}
	q->entry = next_entry(x);
	if (q->entry == NULL)
		return true;
	q->placed = (struct mail_placed){ 0 };
	q->is_placed = q->was_taken = false;
	in->is_ffapi = false;
	snprintf(in->item, sizeof in->item, "INQUEUE3 %s", q->entry->header.mai.s);
	interchange_note(x, in->item);
	if (x->set->read_only) {
		name_of_ledger(q->entry, ledger);
		if (tally_of(x->taken, ledger) > 0) {
			*found_r = IN_FOUND_SOMETHING;
			return true;
		}
	}
	return take_record(x, found_r, e);
}

/* --- the end of a record --- */

static void clear_strikes(struct interchange *x)
{
	struct err e;
	char died[90];
	if (tally_of(x->strikes, x->in.item) == 0)
		return;
	snprintf(died, sizeof died, "died %s", x->in.item);
	if (!tally_set(x->strikes, x->in.item, 0, &e) || !tally_set(x->strikes, died, 0, &e))
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e.text);
	tally_sync(x->strikes, NULL, NULL);
}

static void tell_taken(struct interchange *x)
{
	char recipients[24], size[16];
	size_t n = 0;
	for (size_t i = 0; i < x->in.n_ours; i++)
		n += x->in.v.recipients[x->in.ours[i]].notice == 0;
	snprintf(recipients, sizeof recipients, "%zu", n);
	snprintf(size, sizeof size, "%u", x->in.v.size);
	EMIT(&x->host, MSMAIL_TAKEN, "link", x->link->name, "item", x->in.item, "id", x->in.local_id, "size", size, "recipients", recipients);
}

/* An archive: the ledger says that it was given. */
static bool commit_ledger(struct interchange *x, struct err *e)
{
	struct queue_round *q = round_of(x);
	char ledger[80];
	name_of_ledger(q->entry, ledger);
	if (!tally_set(x->taken, ledger, 1, e)) {
		e->culprit = ERR_OF_LINK;
		return false;
	}
	tally_sync(x->taken, NULL, NULL);
	tell_taken(x);
	clear_strikes(x);
	return true;
}

static bool give_notice(struct interchange *x, struct err *e)
{
	struct queue_round *q = round_of(x);
	return returned_notice(x, &q->entry->header, q->journal, &q->mai, e);
}

/* What became of the recipients is in the envelope before the journal says that the switch has the message. */
static bool write_taken(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	if (q->was_taken)
		return true;
	in->v.state = MM_PLACING;
	return postoffice_write_envelope(x->po, &in->v, e) && mail_journal_add(q->journal, MAIL_TAKEN, &in->v.mai, &in->v.mai, e);
}

/* Its P1 cannot be written, for good: a directory is in its place. Who has the message keeps it, the others are told of, and the record goes. */
static bool commit_without_envelope(struct interchange *x, const struct err *why, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	unsigned held;
	if (q->was_taken || in->n_ours > 0)
		leave_to_switch(&in->v);
	if (!mail_spare(x->po, &q->entry->header, &in->v, CORRUPT_ENVELOPE, &held, e))
		return false;
	EMIT(&x->host, MSMAIL_LEFT, "link", x->link->name, "item", in->item, "why", why->text);
	clear_strikes(x);
	return give_notice(x, e) &&
	       (held > 0 ? postoffice_bag_forget(x->po, "INQUEUE3", q->entry->slot, &in->v.mai, e) :
			   postoffice_bag_drop(x->po, "INQUEUE3", q->entry->slot, &in->v.mai, false, e)) &&
	       mail_journal_forget(q->journal, &in->v.mai, e);
}

static bool commit_record(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	struct queue_round *q = round_of(x);
	if (x->set->read_only)
		return commit_ledger(x, e);
	struct err why;
	if (!write_taken(x, &why)) {
		if (why.kind == ERR_PERM && why.culprit != ERR_OF_LINK)
			return commit_without_envelope(x, &why, e);
		*e = why;
		return false;
	}
	if (!q->is_placed && !place(x, e)) /* poison: those who have a bag by an earlier plan keep it */
		return false;
	if (q->placed.pending > 0) /* a bag is held by somebody, or has no room: later again */
		return true;
	if (!give_notice(x, e))
		return false;
	(void)FAULT(INTERCHANGE_COMMIT);
	if (!mail_finish(x->po, "INQUEUE3", q->entry->slot, &in->v, &q->placed, q->journal, e))
		return false;
	(void)FAULT(INTERCHANGE_FORGET);
	if (in->n_ours > 0)
		tell_taken(x);
	clear_strikes(x);
	return true;
}

static bool commit(struct interchange *x, struct err *e)
{
	struct queue_round *q = round_of(x);
	if (!commit_record(x, e))
		return false;
	q->done += q->placed.pending == 0;
	return true;
}

const struct source source_queue = { round_begin, next, read_attachment, close_attachment, commit, round_end };
