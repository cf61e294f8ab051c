/* lane.c - one message from an outbound mailbag into the peer, in pieces of a turn; order and what counts: mover.h. */
#include "proc/mover/mover_int.h"

#include <inttypes.h>
#include <limits.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

enum { PIECE = 1024 * 1024, MAI_MAX = 256 * 1024 * 1024 };

struct lane_job {
	struct po_bag_entry entry;
	struct mm_envelope v;   /* as it is here: notices are only of this bag's recipients */
	bool has_p1;            /* a client's has none */
	wall_ms_t since;        /* failures of the peer count from here */
	struct out mai;
	struct mai parsed;
	uint64_t size;          /* of MAI and attachments */
	bool copied;            /* the journal says: it is `target` at the peer */
	struct mm_id target;
	/* being copied */
	struct po_put *put;
	struct po_file *file;
	size_t attachment;      /* that comes next, or is open */
	uint64_t left;          /* octets of it */
};

void lane_drop_job(struct mover *m)
{
	struct lane_job *j = m->job;
	if (j == NULL)
		return;
	po_file_close(&j->file);
	if (j->put != NULL)
		po_put_end(&j->put, false);
	out_fini(&j->mai);
	MEM_FREE(m->job);
}

/* --- reading --- */

static enum did fail_here(struct mover *m, const struct err *e)
{
	return mover_did(m, e, false);
}

/* Envelopes that say nothing of bags (somebody wrote READY alone): who is routed this way is ours. */
static bool claim(struct mover *m, struct mm_envelope *v, struct err *e)
{
	const struct mailer_world w = mover_world(m);
	for (size_t i = 0; i < v->n; i++) {
		struct mm_recipient *r = &v->recipients[i];
		struct mailer_route route = { .where = MAILER_NO_ROUTE };
		if (!r->responsible || r->notice != 0)
			continue;
		if (!w.route(w.ctx, &r->address, &route, e))
			return false;
		if (route.where == MAILER_OUTBOUND && mm_same(route.mailbag, m->bag))
			memcpy(r->bag, route.mailbag, sizeof r->bag);
	}
	return true;
}

/* Notices of others than this bag's were sent by whoever placed them. */
static void keep_own_notices(struct mover *m, struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (mm_same(v->recipients[i].bag, m->bag))
			v->recipients[i].responsible = true;
		else
			v->recipients[i].notice = 0;
}

/* A client's header for nobody whom a route leads here any more: nobody else has it, so the sender is told. */
static void refuse_lost(struct mover *m, struct mm_envelope *v)
{
	for (size_t i = 0; i < v->n; i++) {
		struct mm_name name;
		struct mm_recipient *r = &v->recipients[i];
		if (mm_route_name(&r->address, &name, NULL) && mm_same_postoffice(&name, &postoffice_master(m->here)->own))
			continue;
		r->responsible = true;
		r->notice = 1;
		r->reason = 1;
		r->diagnostic = -1;
	}
}

/* A plan that is half carried out, and no record of it is left for who would go on: a crash came at its end. It says who is this bag's all the same. */
static bool is_left_over(struct mover *m, const struct mm_id *id)
{
	struct err e;
	bool held = true;
	return postoffice_holds(m->here, "INQUEUE3", id, &held, &e) && !held;
}

static bool read_envelope(struct mover *m, struct lane_job *j, bool *wait_r, struct err *e)
{
	enum mail_found found;
	*wait_r = false;
	if (!mail_look(m->here, &j->entry.header.mai, m->arena, &j->v, &found, e))
		return false;
	*wait_r = found == MAIL_NOT_YET || (found == MAIL_HALF && !is_left_over(m, &j->entry.header.mai));
	j->has_p1 = found != MAIL_LOST;
	if (found == MAIL_NEW && !claim(m, &j->v, e))
		return false;
	keep_own_notices(m, &j->v);
	return true;
}

/* Sizes of all attachments; [018] when one is missing. */
static bool measure(struct mover *m, struct lane_job *j, struct err *e)
{
	struct po_owner *o = postoffice_owner_new(&j->entry.header.mai, j->parsed.attachments, j->parsed.n_attachments);
	bool ok = true;
	j->size = out_len(&j->mai);
	for (size_t i = 0; ok && i < j->parsed.n_attachments; i++) {
		struct po_file *f = NULL;
		uint64_t size = 0;
		ok = postoffice_open_own(m->here, o, &j->parsed.attachments[i], &f, &size, e);
		po_file_close(&f);
		j->size += size;
	}
	postoffice_owner_free(&o);
	return ok;
}

static bool read_mai(struct mover *m, struct lane_job *j, struct err *e)
{
	const struct mai_limits limits = mai_limits_default();
	uint16_t bags;
	size_t at;
	out_init(&j->mai, MAI_MAX);
	if (!postoffice_read_mai(m->here, &j->entry.header.mai, MAI_MAX, &j->mai, e) ||
	    !mai_parse(out_view(&j->mai), m->scramble, &j->parsed, m->arena, &limits, e) || !mai_bags(out_view(&j->mai), &bags, &at, e))
		return false;
	if (j->has_p1)
		return true;
	if (!tell_rebuild(m, &j->entry, out_view(&j->mai), &j->v, e))
		return false;
	if (mailer_of_bag(&j->v, m->bag) == 0)
		refuse_lost(m, &j->v);
	return true;
}

/* Neither served here nor told of. */
static bool is_for_nobody(const struct mover *m, const struct mm_envelope *v)
{
	return !mm_envelope_has_notices(v) && mailer_of_bag(v, m->bag) == 0;
}

/* --- ways out --- */

static enum did drop(struct mover *m)
{
	struct err e;
	struct lane_job *j = m->job;
	const struct mm_envelope none = { .mai = j->v.mai };
	if (FAULT(MOVER_DROP)) {
		err_set(&e, ERR_TEMP, ERR_OF_LINK, "%s: not dropped (fault point)", j->v.mai.s);
		return fail_here(m, &e);
	}
	return mail_drop(m->here, m->bag, j->entry.slot, j->has_p1 ? &j->v : &none, m->journal, &e) ? DID_DONE : fail_here(m, &e);
}

static enum did tell_and_drop(struct mover *m, const char *text)
{
	struct err e;
	struct lane_job *j = m->job;
	if (!tell_sender(m, &j->v, &j->entry.header, out_view(&j->mai), text, &e))
		return fail_here(m, &e);
	return drop(m);
}

/* What is wrong with the message itself goes back to its sender, as far as anybody knows him. */
static enum did return_all(struct mover *m, const struct err *why)
{
	struct err e;
	struct lane_job *j = m->job;
	const int notice = mail_notice_of(why);
	if (notice == 24)
		EMIT(m->host, MOVER_ENVELOPE_BAD, "mover", m->set->name, "message", j->entry.header.mai.s, "mailbag", m->bag, "why", why->text);
	else
		EMIT(m->host, MOVER_MAI_MISSING, "mover", m->set->name, "message", j->entry.header.mai.s, "mailbag", m->bag, "why", why->text);
	if (notice == 24) {
		out_fini(&j->mai);
		out_init(&j->mai, MAI_MAX);
		if (!postoffice_read_mai(m->here, &j->entry.header.mai, MAI_MAX, &j->mai, NULL))
			out_clear(&j->mai);
	}
	if (j->v.n == 0 && !tell_rebuild(m, &j->entry, out_view(&j->mai), &j->v, &e))
		return fail_here(m, &e);
	tell_refuse(&j->v, m->bag, notice == 0 ? 12 : notice, why->reason, why->diagnostic);
	return tell_and_drop(m, "");
}

static enum did give_up(struct mover *m)
{
	struct lane_job *j = m->job;
	char text[120], n[24], where[64];
	snprintf(n, sizeof n, "%" PRIu64, retry_count(&m->memory.retry, &j->v.mai, j->since));
	where[0] = 0;
	if (m->there != NULL)
		snprintf(where, sizeof where, " sending to %s/%s", postoffice_master(m->there)->own.network, postoffice_master(m->there)->own.postoffice);
	snprintf(text, sizeof text, "retry count exceeded%s", where);
	EMIT(m->host, MOVER_GAVE_UP, "mover", m->set->name, "peer", m->peer, "message", j->v.mai.s, "attempts", n);
	tell_refuse(&j->v, m->bag, 5, 0, 49);
	return tell_and_drop(m, text);
}

/* --- copying --- */

static enum did fail_there(struct mover *m, const struct err *e)
{
	return mover_did(m, e, true);
}

static enum did end_moved(struct mover *m)
{
	struct lane_job *j = m->job;
	char from[ADDRESS_SHOWN], size[24];
	snprintf(size, sizeof size, "%" PRIu64, j->size);
	EMIT(m->host, MOVER_OUT, "mover", m->set->name, "peer", m->peer, "message", j->v.mai.s, "there", j->target.s, "from",
	     text_escaped(from, sizeof from, j->v.from.text), "octets", size);
	return tell_and_drop(m, "");
}

/* With this bag's recipients only: what the envelope says of the others is still needed. */
static void log_sent(struct mover *m, const struct lane_job *j)
{
	struct mm_envelope shown = j->v;
	shown.recipients = arena_array(m->arena, shown.n + 1, sizeof *shown.recipients);
	if (shown.recipients == NULL)
		return;
	for (size_t i = 0; i < shown.n; i++) {
		shown.recipients[i] = j->v.recipients[i];
		shown.recipients[i].responsible = mm_same(shown.recipients[i].bag, m->bag);
	}
	tell_log(m, true, &shown, &j->entry.header, &j->target);
}

/* The copy is in the journal: its record, and then its state. Done already when it is not UNREADY any more. */
static enum did make_ready(struct mover *m)
{
	struct lane_job *j = m->job;
	struct mm_envelope to;
	struct mm_header h;
	enum mail_found found;
	struct err e;
	if (!mail_look(m->there, &j->target, m->arena, &to, &found, &e))
		return fail_there(m, &e);
	if (found != MAIL_NOT_YET)
		return end_moved(m);
	if (FAULT(MOVER_RECORD)) {
		err_set(&e, ERR_LOCAL, ERR_OF_LINK, "%s: not put into INQUEUE3 (fault point)", j->target.s);
		return fail_there(m, &e);
	}
	h = j->entry.header;
	h.mai = j->target;
	h.enveloped = false;
	if (!postoffice_deliver(m->there, "INQUEUE3", &h, &e)) {
		if (e.kind == ERR_PERM) { /* 4096 messages are there: as good as no room */
			mover_tell_peer(m, PEER_FULL, e.text);
			return DID_LEAVE;
		}
		return fail_there(m, &e);
	}
	if (FAULT(MOVER_READY)) {
		err_set(&e, ERR_LOCAL, ERR_OF_LINK, "%s: its envelope is not ready (fault point)", j->target.s);
		return fail_there(m, &e);
	}
	to.state = MM_READY;
	if (!postoffice_write_envelope(m->there, &to, &e))
		return fail_there(m, &e);
	log_sent(m, j);
	return end_moved(m);
}

enum room { ROOM_ENOUGH, ROOM_LATER, ROOM_NEVER };

/* NEVER: the peer's disk, with nothing else on it but min-free, is smaller than the message. */
static bool look_for_room(struct mover *m, struct lane_job *j, enum room *room_r, struct err *e)
{
	const uint64_t wanted = m->set->min_free;
	char size[24], room[24];
	uint64_t left, most;
	if (!postoffice_space(m->there, &left, &most, e))
		return false;
	*room_r = left >= wanted && left - wanted >= j->size ? ROOM_ENOUGH : j->size > (most > wanted ? most - wanted : most) ? ROOM_NEVER : ROOM_LATER;
	if (*room_r == ROOM_ENOUGH) {
		mover_tell_peer(m, PEER_OK, "");
		m->full_told = false;
	}
	if (*room_r != ROOM_LATER)
		return true;
	snprintf(size, sizeof size, "%" PRIu64, j->size);
	snprintf(room, sizeof room, "%" PRIu64, left);
	if (left < m->set->min_free)
		mover_tell_peer(m, PEER_FULL, "less room than min-free");
	if (!m->full_told)
		EMIT(m->host, MOVER_SHORT, "mover", m->set->name, "peer", m->peer, "message", j->v.mai.s, "octets", size, "free", room);
	m->full_told = true;
	return true;
}

/* Everything but its record is at the peer. */
static enum did end_copy(struct mover *m)
{
	struct lane_job *j = m->job;
	struct mm_envelope to;
	struct err e, why;
	if (!mailer_hand_over(&j->v, m->bag, &postoffice_master(m->here)->own, mover_now(m), &to, m->arena, &e))
		return fail_here(m, &e);
	to.size = j->size > UINT32_MAX ? UINT32_MAX : (uint32_t)j->size;
	if (!po_put_mai(j->put, out_view(&j->mai), 1, &e) || !po_put_envelope(j->put, &to, &e))
		return fail_there(m, &e);
	j->target = po_put_id(j->put);
	if (FAULT(MOVER_COPIED)) {
		err_set(&e, ERR_LOCAL, ERR_OF_LINK, "%s: not in the journal (fault point)", j->v.mai.s);
		return fail_there(m, &e);
	}
	const bool good = mail_journal_add(m->journal, MAIL_COPIED, &j->v.mai, &j->target, &why);
	po_put_end(&j->put, good || mail_journal_is_broken(m->journal));
	if (!good)
		return fail_here(m, &why);
	j->copied = true;
	return DID_MORE;
}

/* A piece of the attachment that is open. */
static enum did copy_piece(struct mover *m)
{
	struct lane_job *j = m->job;
	struct err e;
	size_t got;
	uint8_t *buf = mem_alloc(PIECE);
	enum did did = DID_MORE;
	const size_t want = j->left < PIECE ? (size_t)j->left : PIECE;
	if (!po_file_read(j->file, buf, want, &got, &e))
		did = fail_here(m, &e);
	else if (got < want) {
		err_set(&e, ERR_TEMP, ERR_OF_MESSAGE, "%s: attachment %zu is %" PRIu64 " octets shorter than it was", j->v.mai.s, j->attachment + 1,
			j->left - got);
		did = fail_here(m, &e);
	}
	else if (!po_put_octets(j->put, view_of(buf, got), &e))
		did = fail_there(m, &e);
	free(buf);
	j->left -= did == DID_MORE ? got : 0;
	if (did == DID_MORE && j->left == 0) {
		po_file_close(&j->file);
		j->attachment++;
	}
	return did;
}

static enum did open_next(struct mover *m)
{
	struct lane_job *j = m->job;
	struct mm_id id;
	struct err e;
	if (!postoffice_open_attachment(m->here, &j->parsed.attachments[j->attachment].file, &j->file, &j->left, &e))
		return e.kind == ERR_PERM ? return_all(m, &e) : fail_here(m, &e);
	if (!po_put_attachment(j->put, j->left, &id, &e))
		return fail_there(m, &e);
	if (j->left == 0) {
		po_file_close(&j->file);
		j->attachment++;
	}
	return DID_MORE;
}

enum did lane_go_on(struct mover *m)
{
	struct lane_job *j = m->job;
	if (j->copied)
		return make_ready(m);
	if (j->file != NULL)
		return copy_piece(m);
	if (j->attachment < j->parsed.n_attachments)
		return open_next(m);
	return end_copy(m);
}

/* $SYSTEM too, which size-limit spares: nothing but another disk could help. */
static enum did refuse_size(struct mover *m)
{
	const struct mm_name *peer = &postoffice_master(m->there)->own;
	struct lane_job *j = m->job;
	char text[120];
	snprintf(text, sizeof text, "%" PRIu64 " octets are more than the disk of %s/%s holds", j->size, peer->network, peer->postoffice);
	tell_refuse(&j->v, m->bag, 9, 1, 7);
	return tell_and_drop(m, text);
}

static enum did begin_copy(struct mover *m)
{
	struct lane_job *j = m->job;
	struct err e;
	enum room room = ROOM_LATER;
	if (m->there == NULL)
		return DID_LEAVE;
	if (!look_for_room(m, j, &room, &e))
		return fail_there(m, &e);
	if (room == ROOM_NEVER)
		return refuse_size(m);
	if (room == ROOM_LATER)
		return DID_LEAVE;
	if (FAULT(MOVER_COPY)) {
		err_set(&e, ERR_LOCAL, ERR_OF_MESSAGE, "%s: not copied (fault point)", j->v.mai.s);
		return fail_there(m, &e);
	}
	return postoffice_put_begin(m->there, &j->put, &e) ? DID_MORE : fail_there(m, &e);
}

/* --- one record --- */

static enum did begin(struct mover *m)
{
	const struct retry_policy policy = { m->set->retries, (int64_t)m->set->give_up_ms };
	struct lane_job *j = m->job;
	struct err e;
	bool wait;
	if (!read_envelope(m, j, &wait, &e))
		return e.kind == ERR_PERM ? return_all(m, &e) : fail_here(m, &e);
	if (wait)
		return DID_SOON;
	j->copied = mail_journal_find(m->journal, MAIL_COPIED, &j->entry.header.mai, &j->target);
	if (!read_mai(m, j, &e) || (!measure(m, j, &e) && !j->copied))
		return e.kind == ERR_PERM ? return_all(m, &e) : fail_here(m, &e);
	if (j->copied) { /* whatever is said by now, that was done */
		mailer_limit_size(&j->v, m->bag, j->size, m->set->size_limit);
		return m->there == NULL ? DID_LEAVE : make_ready(m);
	}
	j->since = retry_seen(&m->memory.retry, &j->v.mai, m->round_at, &m->memory.dirty);
	if (retry_is_over(&m->memory.retry, &policy, &j->v.mai, j->since, mover_now(m)))
		return give_up(m);
	if (mailer_limit_size(&j->v, m->bag, j->size, m->set->size_limit) > 0)
		return begin_copy(m);
	if (is_for_nobody(m, &j->v)) /* Q194603 */
		EMIT(m->host, MOVER_ENVELOPE_EMPTY, "mover", m->set->name, "message", j->v.mai.s, "mailbag", m->bag);
	return tell_and_drop(m, "");
}

enum did lane_take(struct mover *m, const struct po_bag_entry *entry)
{
	m->job = mem_zero(sizeof *m->job);
	m->job->entry = *entry;
	m->job->v.mai = entry->header.mai;
	return begin(m);
}

/* --- after a crash --- */

struct settling { struct mover *m; struct mm_id ids[64]; size_t n; };

static bool collect(void *ctx, const struct mm_id *x)
{
	struct settling *s = ctx;
	if (!mover_is_in_bag(s->m, x))
		s->ids[s->n++] = *x;
	return s->n < ARRAY_LEN(s->ids);
}

/* A message in the journal whose record has gone: only its P1 may be left. */
bool lane_settle(struct mover *m, struct err *e)
{
	struct settling s = { .m = m };
	mail_journal_each(m->journal, collect, &s);
	for (size_t i = 0; i < s.n; i++) {
		struct mm_envelope v;
		enum mail_found found;
		arena_reset(m->arena);
		if (is_mailer(m) || !mail_look(m->here, &s.ids[i], m->arena, &v, &found, NULL))
			v = (struct mm_envelope){ .mai = s.ids[i] };
		if (!mail_drop(m->here, m->bag, UINT_MAX, &v, m->journal, e))
			return false;
	}
	return true;
}
