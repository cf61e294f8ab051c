/* intake.c - offers of links and of the command line. Whole offers are placed at once; streamed ones collect their content first,
 * in memory while it is short, then in a content file that is synced before the commit that refers to it. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

void intake_refuse(struct proc *p, uint64_t offer, const struct err *refused)
{
	struct out *o = proc_begin(p, MSG_OFFER_ANSWER);
	if (o == NULL)
		return;
	struct msg_answer m = { .id = offer, .accepted = false, .err = *refused };
	put_msg_answer(o, &m);
	proc_end(p);
}

void intake_durable(struct sw *s, struct waiting *w)
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

/* FNV-1a over what makes two transfers the same: who is responsible for whom, the peer, and how it came to the peer. A copy that came
 * another way (other trace, other redirection or expansion history) is no duplicate; the same by the peer's other link to us is one. */
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

/* X.411 12.3.1: what the MTA that hands it over could not hand over by its first way has a further element for each, after the one of its
 * arrival there. They are of the attempt and not of the message, which may have come by the first way without our word getting back. */
static size_t without_attempts(const struct trace *t)
{
	size_t n = t->n;
	while (n > 1 && t->v[n - 1].action == ROUTING_REROUTED && gdi_eq(&t->v[n - 1].domain, &t->v[n - 2].domain) &&
	       view_eq_nocase(t->v[n - 1].mta, t->v[n - 2].mta) && t->v[n - 1].other_actions == 0)
		n--;
	return n;
}

static void mix_trace(uint64_t digest[2], const struct trace *t)
{
	const size_t n = without_attempts(t);
	for (size_t i = 0; i < n; i++) {
		mix(digest, t->v[i].domain.prmd.value);
		mix(digest, t->v[i].domain.admd.value);
		mix(digest, t->v[i].mta);
		mix(digest, t->v[i].arrival_raw);
		mix_number(digest, (uint64_t)t->v[i].arrival);
		mix_number(digest, t->v[i].other_actions);
	}
}

static void mix_addr(uint64_t digest[2], const struct oraddr *addr, struct out *key)
{
	out_clear(key);
	oraddr_key(addr, key);
	mix(digest, out_view(key));
}

/* A copy that came by another list, or as another recipient, is no duplicate; nor is a report that goes elsewhere. */
static void mix_histories(uint64_t digest[2], const struct message *m)
{
	struct out key;
	out_init(&key, 1 << 20);
	for (size_t i = 0; i < m->dl_history.n; i++)
		mix_addr(digest, &m->dl_history.v[i].name, &key);
	for (size_t i = 0; i < m->n_rcpt; i++) {
		const struct recipient *r = &m->rcpt[i];
		if (!r->responsible || m->kind == MESSAGE_REPORT)
			continue;
		for (size_t k = 0; k < r->n_redirections; k++)
			mix_addr(digest, &r->redirections[k].intended, &key);
		if (m->dl_history.n > 0 || r->n_redirections > 0) /* members of a list share its number */
			mix_addr(digest, &r->addr, &key);
	}
	if (m->kind == MESSAGE_REPORT)
		mix_addr(digest, &m->originator, &key);
	out_fini(&key);
}

/* Of a peer that has one by its MTA name: it is the same peer when its link gets another name. */
static struct view peer_of(const struct swlink *l)
{
	return l == NULL || *l->set->remote_mta == 0 ? (l == NULL ? (struct view){ NULL, 0 } : l->name) : view_str(l->set->remote_mta);
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
	mix_histories(digest, m);
}

bool intake_is_ready(struct sw *s, bool is_new, struct err *e)
{
	if (s->stopping)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "this MTA is stopping");
	if (s->full)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the disk is full");
	if (s->busy && is_new) {
		*e = s->busy_why;
		return false;
	}
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
	tally_add(&s->tallies.mta, METRIC_MTA_DUPLICATES, 1);
	EMIT(&s->host, MESSAGE_DUPLICATE, "link", switch_link(s, link) == NULL ? "" : switch_link(s, link)->set->name);
	return true;
}

static void tell_arrival(struct sw *s, const struct incoming *in)
{
	struct out id, originator;
	char size[24];
	const struct swlink *l = switch_link(s, in->link);
	out_init(&id, 1024);
	out_init(&originator, 1024);
	mts_id_print(&in->m->id, &id);
	oraddr_print(&in->m->originator, ORADDR_F401, &originator);
	snprintf(size, sizeof size, "%llu", (unsigned long long)in->size);
	EMIT(&s->host, MESSAGE_IN, "message", out_cstr(&id), "link", l == NULL ? "" : l->set->name, "originator", out_cstr(&originator), "size",
	     size);
	out_fini(&id);
	out_fini(&originator);
}

/* By its octets it has killed before: only what this one does may be lost with it. False: it has done so too often. */
static bool is_bearable(struct proc *p, const struct key *k, struct err *e)
{
	struct sw *s = p->sw;
	const struct suspect *x = suspect_find(s, k);
	if (x == NULL)
		return true;
	if (!suspect_is_over(s, x)) {
		if (store_has_group(s->store))
			switch_commit(s);
		return true;
	}
	/* A tool and a connector are told for good; a peer sends it again, and then the link knows the suspect and offers its octets. */
	return err_set(e, p->kind == PROCESS_TOOL || connector_is(p) ? ERR_PERM : ERR_TEMP, ERR_OF_MESSAGE,
		       "it is not taken: processes that handled it died %u times: %.100s", x->strikes, x->words);
}

/* Whose it is, and whether it can be taken now. */
static bool is_takeable(struct proc *p, const struct incoming *in, struct swlink *link, const struct key *k, struct err *e)
{
	if (link == NULL && (p->kind != PROCESS_TOOL || in->link.n > 0)) /* the settings change just now: the peer sends it again */
		return err_set(e, p->kind == PROCESS_LINK ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "the offer names no link of ours");
	if (link != NULL && link->is_stopped && connector_is(p))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "link %s was stopped by an operator", link->set->name);
	if ((p->kind == PROCESS_ALONE || in->examined != 0) && !examine_is_of(p, in->examined))
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "what it comes from is not examined any more");
	return intake_is_ready(p->sw, !in->is_here && in->examined == 0, e) && is_bearable(p, k, e);
}

static struct waiting *take_known(struct proc *p, uint64_t offer, const struct message *m, const struct incoming *in)
{
	struct sw *s = p->sw;
	struct waiting *w = switch_wait(s, intake_durable, p, offer);
	place_name(w, m);
	w->file = in->file;
	return w;
}

/* A connector is told for good what is wrong with its message; nobody else is charged. */
static bool read_message(struct proc *p, struct view packed, struct message *m, struct err *e)
{
	bool good = unpack_message(packed, m, p->sw->work, e);
	if (!connector_is(p))
		return good;
	e->kind = ERR_PERM;
	e->culprit = ERR_OF_MESSAGE;
	return good && connector_check_message(m, e);
}

/* The message is whole. in->file, if any, is synced; it passes to the ticket or is freed here. */
static void take(struct proc *p, uint64_t offer, struct view packed, struct incoming *in)
{
	struct sw *s = p->sw;
	struct message m;
	struct err e;
	bool submitted = p->kind == PROCESS_TOOL && in->link.n == 0; /* with a link: octets out of quarantine, decoded by the tool */
	struct swlink *link = submitted ? NULL : switch_link(s, in->link);
	const struct key k = suspect_input_key(link, in->hash != 0 ? in->hash : hash_octets(HASH_START, packed));
	bool good = is_takeable(p, in, link, &k, &e);
	if (good) {
		switch_note_key(s, &k);
		if (FAULT_ON(SWITCH_PLACE, packed))
			CANT_HAPPEN("a message could not be placed (fault point)");
		arena_reset(s->work);
		good = read_message(p, packed, &m, &e) && prepare(s, &m, submitted, &e);
	}
	if (!good) {
		if (link != NULL)
			tally_add(&link->tally, METRIC_LINK_REJECTED_MESSAGES, 1);
		if (in->file != NULL)
			store_content_free(&in->file);
		intake_refuse(p, offer, &e);
		return;
	}
	in->m = &m;
	in->link = submitted ? (struct view){ NULL, 0 } : link->name;
	uint64_t digest[2];
	digest_of(&m, peer_of(link), digest);
	struct waiting *w = take_known(p, offer, &m, in);
	w->duplicate = is_duplicate(s, &m, in->link, digest);
	if (!w->duplicate) {
		if (link != NULL && in->examined == 0) /* else it was counted with its octets */
			link->received++;
		tally_received(s, link, &m, in->size);
		steps_arrived(s, in, digest);
		if (event_is_heard(s->host.log, EV_MESSAGE_IN))
			tell_arrival(s, in);
		place_message(s, in, w);
	}
	if (in->examined != 0)
		examine_offered(s);
	else if (submitted)
		suspect_forget(s, &k);
	w->ticket = store_ticket(s->store);
}

static void take_any(struct proc *p, const struct arrival *about, struct view packed, struct incoming *in)
{
	in->hash = about->hash;
	in->examined = about->examined;
	in->track = about->track;
	if (about->octets)
		examine_take(p, about, in);
	else
		take(p, about->offer, packed, in);
}

/* Octets come from links and interchanges only; what they are is said by the process that examines them. */
static bool get_arrival(struct proc *p, const struct msg_offer *m, struct arrival *about_r, struct err *e)
{
	const bool interchange = p->kind == PROCESS_INTERCHANGE;
	if ((m->octets && p->kind != PROCESS_LINK && !interchange) || (m->examined != 0 && p->kind != PROCESS_ALONE && !interchange))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER %llu: octets, or an examined message, of a process that may not offer them",
			       (unsigned long long)m->offer);
	if (connector_is(p) && !view_eq(m->link, p->serves->name))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER %llu: of another link", (unsigned long long)m->offer);
	*about_r = (struct arrival){ .offer = m->offer, .octets = m->octets, .hash = connector_is(p) && !m->octets ? 0 : m->hash,
				     .examined = m->examined, .err = m->err };
	struct track_keys keys;
	track_keys_read(m->track, &keys);
	for (size_t i = 0, n = 0; i < keys.n && n < TRACK_CONTENT_MAX; i++)
		if (track_key_role(keys.v[i]) >= TRACK_SUBJECT) /* addresses are the envelope's */
			about_r->track[n++] = keys.v[i];
	return true;
}

bool intake_offer(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_offer m;
	struct arrival about;
	if (!get_msg_offer(payload, &m, e) || !get_arrival(p, &m, &about, e))
		return false;
	struct incoming in = { .link = m.link, .peer = m.peer, .content = m.content, .size = m.content.n };
	if (about.octets && about.hash == 0)
		about.hash = hash_octets(HASH_START, view_first(m.content, MSG_HEAD));
	take_any(p, &about, m.packed, &in);
	return true;
}

/* --- streamed offers --- */

static void offer_free(struct offer *f)
{
	map_take(&f->proc->offers, f->id);
	f->proc->sw->under_way -= f->reserved;
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
	struct arrival about;
	if (!get_msg_offer(payload, &m, e) || !get_arrival(p, &m, &about, e))
		return false;
	if (map_get(&p->offers, m.offer) != NULL || m.link.n > 64)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER_BEGIN %llu: that offer is open already, or its link has no name of ours",
			       (unsigned long long)m.offer);
	struct offer *f = mem_zero(sizeof *f);
	f->id = m.offer;
	f->proc = p;
	f->about = about;
	snprintf(f->link, sizeof f->link, "%.*s", (int)m.link.n, (const char *)m.link.p);
	snprintf(f->peer, sizeof f->peer, "%.*s", (int)m.peer.n, (const char *)m.peer.p);
	out_init(&f->packed, MSG_ENVELOPE_MAX);
	out_bytes(&f->packed, m.packed);
	out_init(&f->small, (size_t)p->sw->settings->store.inline_max);
	map_put(&p->offers, f->id, f);
	f->reserved = m.packed.n + p->sw->settings->store.inline_max;
	p->sw->under_way += f->reserved;
	room_check(p->sw);
	f->doomed = !intake_is_ready(p->sw, m.examined == 0, &f->why);
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

/* The link says it, or it is made here the same way. */
static void hash(struct offer *f, struct view octets)
{
	struct view head = view_first(octets, MSG_HEAD - f->n_hashed);
	if (!f->about.octets || (f->about.hash != 0 && f->n_hashed == 0) || head.n == 0)
		return;
	f->about.hash = hash_octets(f->n_hashed == 0 ? HASH_START : f->about.hash, head);
	f->n_hashed += (unsigned)head.n;
}

static void keep(struct offer *f, struct view octets)
{
	struct sw *s = f->proc->sw;
	struct err e;
	if (f->size > s->settings->limits.message) {
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "content is longer than the limit of %llu octets (limits.message)",
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
	hash(f, m.octets);
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
			       .file = f->file, .size = f->size, .is_here = true };
	f->file = NULL;
	if (f->doomed && f->why.kind == ERR_PERM) /* P1 cannot refuse for good: it is taken, without content, and reported */
		in.refusal = &f->why;
	struct swlink *link = switch_link(p->sw, view_str(f->link));
	if (f->doomed && in.refusal == NULL && link != NULL)
		tally_add(&link->tally, METRIC_LINK_REJECTED_MESSAGES, 1);
	if (f->doomed && in.refusal == NULL)
		intake_refuse(p, f->id, &f->why);
	else
		take_any(p, &f->about, out_view(&f->packed), &in);
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

static void offer_complete(struct offer *f)
{
	if (f->file == NULL || f->doomed) {
		offer_whole(f);
		return;
	}
	f->syncing = true;
	store_content_sync(f->file, content_synced, f);
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
	offer_complete(f);
	return true;
}

/* The envelope is known, the rest is not to be had: it is taken without content, and reported. Octets are kept as far as they came. */
bool intake_spoiled(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_spoiled m;
	if (!get_msg_spoiled(payload, &m, e))
		return false;
	struct offer *f = map_get(&p->offers, m.offer);
	if (f == NULL || f->syncing || f->size != m.n || m.err.kind == ERR_NONE)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "OFFER_SPOILED for %llu with %llu octets: %s", (unsigned long long)m.offer,
			       (unsigned long long)m.n, f == NULL ? "not begun" : "not what has come, or without a cause");
	m.err.kind = ERR_PERM;
	if (m.err.reason < 0)
		m.err.reason = 0; /* transfer-failure */
	if (f->about.octets)
		f->about.err = m.err;
	else if (!f->doomed || f->why.kind == ERR_PERM)
		doom(f, &m.err);
	offer_complete(f);
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
