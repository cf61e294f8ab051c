/* intake.c - offers of links and of the command line. Whole offers are placed at once; streamed ones collect their content first,
 * in memory while it is short, then in a content file that is synced before the commit that refers to it. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

static void answer(struct proc *p, uint64_t offer, const struct err *refused)
{
	struct out *o = proc_begin(p, MSG_OFFER_ANSWER);
	if (o == NULL)
		return;
	struct msg_answer m = { .id = offer, .accepted = false, .err = *refused };
	put_msg_answer(o, &m);
	proc_end(p);
}

static void offer_durable(struct sw *s, struct waiting *w)
{
	struct out *o = proc_begin(w->proc, MSG_OFFER_ANSWER);
	if (o != NULL) {
		struct msg_answer m = { .id = w->id, .accepted = true, .duplicate = w->duplicate, .mts_id = view_str(w->mts_id),
					.err = { .reason = -1, .diagnostic = -1 } };
		put_msg_answer(o, &m);
		proc_end(w->proc);
	}
	place_enter_windows(s, w);
}

/* FNV-1a over what makes two transfers the same: who is responsible for whom, the peer, and how it came. A copy that came
 * another way (other trace, other redirection or expansion history) is no duplicate. */
static void mix(uint64_t digest[2], struct view v)
{
	for (size_t i = 0; i < v.n; i++) {
		digest[0] = (digest[0] ^ v.p[i]) * 0x100000001b3u;
		digest[1] = (digest[1] + v.p[i]) * 0x9e3779b97f4a7c15u ^ digest[1] >> 29;
	}
	digest[0] = (digest[0] ^ v.n) * 0x100000001b3u;
	digest[1] ^= v.n;
}

static void mix_number(uint64_t digest[2], uint64_t x)
{
	mix(digest, view_of(&x, sizeof x));
}

static void mix_trace(uint64_t digest[2], const struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		mix(digest, t->v[i].domain.prmd.value);
		mix(digest, t->v[i].domain.admd.value);
		mix(digest, t->v[i].mta);
		mix(digest, t->v[i].arrival_raw);
		mix_number(digest, (uint64_t)t->v[i].arrival);
	}
}

static void digest_of(const struct message *m, struct view link, uint64_t digest[2])
{
	digest[0] = 0xcbf29ce484222325u;
	digest[1] = (uint64_t)m->kind + 1;
	mix(digest, link);
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].responsible || m->kind == MESSAGE_REPORT)
			mix_number(digest, m->rcpt[i].number);
	mix_trace(digest, &m->trace);
	mix_trace(digest, &m->internal_trace);
	for (size_t i = 0; i < m->ext.n; i++) {
		const struct extension *x = &m->ext.v[i];
		if (!x->is_private && (x->number == EXT_REDIRECTION_HISTORY || x->number == EXT_DL_EXPANSION_HISTORY))
			mix(digest, x->value);
	}
}

static bool is_ready(struct sw *s, struct err *e)
{
	if (s->stopping)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "this MTA is stopping");
	if (s->full)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the disk is full");
	if (s->failed || FAULT(SWITCH_INTAKE))
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the store has failed");
	return true;
}

/* A submission gets its identifier here; what a link brings keeps its own. */
static bool prepare(struct sw *s, struct message *m, bool submitted, struct err *e)
{
	if (submitted) {
		switch_next_id(s, &m->id, s->work);
		for (size_t i = 0; i < m->n_rcpt; i++) {
			m->rcpt[i].responsible = true;
			m->rcpt[i].number = (uint32_t)i + 1;
		}
	}
	if (m->n_rcpt > RECIPIENTS_MAX)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 13, "%zu recipients, X.411 allows %d", m->n_rcpt, RECIPIENTS_MAX);
	if (submitted && m->n_rcpt == 0)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s without a recipient", message_kind_name(m->kind));
	return true;
}

/* Known: the confirmation of the first one was lost, or its commit is in the open group; either way the answer waits for the group. */
static bool is_duplicate(struct sw *s, const struct message *m, struct view link, const uint64_t digest[2])
{
	if (link.n == 0 || !store_seen(s->store, &m->id, digest))
		return false;
	struct store_step step = { .kind = STEP_DUPLICATE, .id = &m->id, .peer = link };
	store_put_step(s->store, &step);
	EMIT(&s->host, MESSAGE_DUPLICATE, "link", switch_link(s, link) == NULL ? "" : switch_link(s, link)->set->name);
	return true;
}

static void put_arrival(struct sw *s, const struct incoming *in, const uint64_t digest[2])
{
	struct store_step step = { .kind = in->link.n == 0 ? STEP_SUBMITTED : in->m->kind == MESSAGE_REPORT ? STEP_REPORT_IN : STEP_TRANSFER_IN,
				   .id = &in->m->id, .peer = in->link, .size = in->size, .digest = { digest[0], digest[1] } };
	if (in->m->kind == MESSAGE_REPORT)
		step.other = &in->m->subject_id;
	struct out text;
	out_init(&text, 1024);
	oraddr_print(&in->m->originator, ORADDR_F401, &text);
	step.text = out_view(&text);
	store_put_step(s->store, &step);
	out_fini(&text);
}

/* The message is whole. in->file, if any, is synced; it passes to the ticket or is freed here. */
static void take(struct proc *p, uint64_t offer, struct view packed, struct incoming *in)
{
	struct sw *s = p->sw;
	struct message m;
	struct err e;
	arena_reset(s->work);
	bool submitted = p->kind == PROCESS_TOOL;
	struct swlink *link = submitted ? NULL : switch_link(s, in->link);
	if (!submitted && link == NULL)
		err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "the offer names no link of ours");
	else if (is_ready(s, &e) && unpack_message(packed, &m, s->work, &e) && prepare(s, &m, submitted, &e))
		goto good;
	if (in->file != NULL)
		store_content_free(&in->file);
	answer(p, offer, &e);
	return;
good:
	in->m = &m;
	in->link = submitted ? (struct view){ NULL, 0 } : link->name;
	uint64_t digest[2];
	digest_of(&m, in->link, digest);
	struct waiting *w = switch_wait(s, offer_durable, p, offer);
	struct out id;
	out_init(&id, sizeof w->mts_id - 1);
	mts_id_print(&m.id, &id);
	snprintf(w->mts_id, sizeof w->mts_id, "%s", out_cstr(&id));
	out_fini(&id);
	s->host.note(s->host.ctx, w->mts_id);
	w->duplicate = is_duplicate(s, &m, in->link, digest);
	w->file = in->file;
	if (w->duplicate) {
		w->ticket = store_ticket(s->store);
		return;
	}
	if (link != NULL)
		link->received++;
	put_arrival(s, in, digest);
	place_message(s, in, w);
	w->ticket = store_ticket(s->store);
}

bool intake_offer(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_offer m;
	if (!get_msg_offer(payload, &m, e))
		return false;
	struct incoming in = { .link = m.link, .peer = m.peer, .content = m.content, .size = m.content.n };
	take(p, m.offer, m.packed, &in);
	return true;
}

/* --- streamed offers --- */

static void offer_free(struct offer *f)
{
	map_take(&f->proc->offers, f->id);
	if (f->file != NULL)
		store_content_free(&f->file);
	out_fini(&f->packed);
	out_fini(&f->small);
	free(f);
}

bool intake_begin(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_offer m;
	if (!get_msg_offer(payload, &m, e))
		return false;
	if (map_get(&p->offers, m.offer) != NULL || m.link.n > 64)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER_BEGIN %llu: that offer is open already, or its link has no name of ours",
			       (unsigned long long)m.offer);
	struct offer *f = mem_zero(sizeof *f);
	f->id = m.offer;
	f->proc = p;
	snprintf(f->link, sizeof f->link, "%.*s", (int)m.link.n, (const char *)m.link.p);
	snprintf(f->peer, sizeof f->peer, "%.*s", (int)m.peer.n, (const char *)m.peer.p);
	out_init(&f->packed, MSG_ENVELOPE_MAX);
	out_bytes(&f->packed, m.packed);
	out_init(&f->small, (size_t)p->sw->settings->store.inline_max);
	map_put(&p->offers, f->id, f);
	f->doomed = !is_ready(p->sw, &f->why);
	return true;
}

static void doom(struct offer *f, const struct err *why)
{
	f->doomed = true;
	f->why = *why;
	if (f->file != NULL)
		store_content_free(&f->file);
	out_clear(&f->small);
}

static void keep(struct offer *f, struct view octets)
{
	struct sw *s = f->proc->sw;
	struct err e;
	if (f->size > s->settings->limits.message) {
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "content is longer than the limit of %llu octets",
			   (unsigned long long)s->settings->limits.message);
		doom(f, &e);
		return;
	}
	if (f->file == NULL && octets.n <= out_room(&f->small)) {
		out_bytes(&f->small, octets);
		return;
	}
	if (f->file == NULL) {
		f->file = store_content_new(s->store, &e);
		if (f->file == NULL || !store_content_append(f->file, out_view(&f->small), &e)) {
			doom(f, &e);
			return;
		}
		out_fini(&f->small);
		out_init(&f->small, 0);
	}
	if (!store_content_append(f->file, octets, &e))
		doom(f, &e);
}

static void give_credit(struct offer *f, uint64_t octets)
{
	struct out *o = proc_begin(f->proc, MSG_OFFER_CREDIT);
	if (o == NULL)
		return;
	struct msg_count m = { f->id, octets };
	put_msg_count(o, &m);
	proc_end(f->proc);
}

bool intake_data(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	struct offer *f = map_get(&p->offers, m.id);
	if (f == NULL || f->syncing)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER_DATA for %llu, which %s", (unsigned long long)m.id,
			       f == NULL ? "was not begun" : "has ended");
	f->size += m.octets.n; /* counted even when it is not kept: OFFER_END says how much came */
	if (!f->doomed)
		keep(f, m.octets);
	give_credit(f, m.octets.n);
	return true;
}

static void offer_whole(struct offer *f)
{
	struct proc *p = f->proc;
	struct incoming in = { .link = view_str(f->link), .peer = view_str(f->peer), .content = out_view(&f->small),
			       .file = f->file, .size = f->size };
	f->file = NULL;
	if (f->doomed && f->why.kind == ERR_PERM) /* P1 cannot refuse for good: it is taken, without content, and reported */
		in.refusal = &f->why;
	if (f->doomed && in.refusal == NULL)
		answer(p, f->id, &f->why);
	else
		take(p, f->id, out_view(&f->packed), &in);
	offer_free(f);
}

static void content_synced(void *ctx, const struct err *failed)
{
	struct offer *f = ctx;
	f->syncing = false;
	if (failed != NULL)
		doom(f, failed);
	offer_whole(f);
}

bool intake_end(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct offer *f = map_get(&p->offers, m.id);
	if (f == NULL || f->syncing || f->size != m.n)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER_END for %llu with %llu octets: %s", (unsigned long long)m.id,
			       (unsigned long long)m.n, f == NULL ? "not begun" : "not what has come");
	if (f->file == NULL || f->doomed) {
		offer_whole(f);
		return true;
	}
	f->syncing = true;
	store_content_sync(f->file, content_synced, f);
	return true;
}

bool intake_cancel(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct offer *f = map_get(&p->offers, m.id);
	if (f != NULL)
		offer_free(f); /* a sync under way is not told any more */
	return true;
}

void intake_proc_gone(struct proc *p)
{
	struct offer *f;
	for (size_t i = 0; (f = map_next(&p->offers, &i)) != NULL; i = 0)
		offer_free(f);
}
