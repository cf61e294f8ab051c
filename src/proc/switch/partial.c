/* partial.c - what has come of transfers that may break off: octets and checkpoints, kept for the peer to go on with.
 *
 *            PARTIAL_BEGIN           its process or its link breaks off          PARTIAL_FIND
 *   nothing ----------------> in hand ------------------------------> kept ----------------------> in hand
 *                                |  ^______________________ PARTIAL_FIND of another process         |
 *                                v                                     v recovery timeout           v
 *                             nothing: offered, given up, no room   nothing                      nothing
 *
 * In somebody's hands it has a handle of the store's and may be doomed: then nothing is kept of it, and each checkpoint is
 * answered so. Kept means rows in the store and an entry here. A process that has lost it to another says more about it: that
 * is not heard. The octets go to a file as they come, nothing is queued here. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum {
	KEPT_MAX = 256,      /* of one link, in hand and kept: beyond it the oldest kept one goes */
	MESSAGES_MAX = 8,    /* of one link, all octets together, in limits.message */
};

struct partial {
	struct partial *next;
	struct sw *sw;
	uint64_t number;             /* the store's */
	struct swlink *link;
	struct view host, reference; /* ours */
	uint64_t activity;
	struct proc *proc;           /* who has it; NULL: kept */
	uint64_t id;                 /* what that calls it */
	struct store_partial *handle; /* in hand, and not doomed */
	bool doomed;
	uint32_t asked, answered;    /* checkpoints: the last one that is to be made durable, that was */
	bool has_row;                /* a checkpoint is in the store, or in the open group */
	uint64_t octets;             /* charged to its link */
	uint64_t pulled;
	struct timer timer;          /* kept: until then */
};

/* --- birth and death --- */

static void charge(struct partial *x, uint64_t octets)
{
	x->link->partial_octets += octets - x->octets;
	x->octets = octets;
}

static void on_timeout(void *ctx);

static struct partial *add(struct swlink *l, const struct store_partial_name *name)
{
	struct sw *s = l->sw;
	struct partial *x = mem_zero(sizeof *x), **at = &s->partials;
	x->sw = s;
	x->link = l;
	x->host = view_of(mem_dup(name->host.p, name->host.n), name->host.n);
	x->reference = view_of(mem_dup(name->reference.p, name->reference.n), name->reference.n);
	x->activity = name->activity;
	timer_init(&x->timer, s->host.env, on_timeout, x);
	while (*at != NULL) /* the oldest first */
		at = &(*at)->next;
	*at = x;
	l->n_partials++;
	return x;
}

static void let_go(struct partial *x)
{
	if (x->proc != NULL)
		map_take(&x->proc->partials, x->id);
	x->proc = NULL;
	store_partial_close(&x->handle);
}

static void partial_free(struct partial *x)
{
	struct partial **at = &x->sw->partials;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	let_go(x);
	timer_stop(&x->timer);
	charge(x, 0);
	x->link->n_partials--;
	free((void *)(uintptr_t)x->host.p);
	free((void *)(uintptr_t)x->reference.p);
	free(x);
}

static void forget_rows(struct partial *x)
{
	store_partial_close(&x->handle);
	if (x->has_row)
		store_partial_remove(x->sw->store, x->number);
	x->has_row = false;
	charge(x, 0);
}

static void dropped(const struct partial *x, const char *why)
{
	char host[64], octets[24];
	snprintf(host, sizeof host, "%.*s", (int)(x->host.n < 60 ? x->host.n : 60), (const char *)x->host.p);
	snprintf(octets, sizeof octets, "%llu", (unsigned long long)x->octets);
	EMIT(&x->sw->host, PARTIAL_DROPPED, "link", x->link->set->name, "peer", host, "octets", octets, "why", why);
}

/* A kept one. */
static void drop(struct partial *x, const char *why)
{
	dropped(x, why);
	forget_rows(x);
	partial_free(x);
}

static void on_timeout(void *ctx)
{
	drop(ctx, "the recovery timeout is over");
}

static void keep(struct partial *x)
{
	const uint64_t timeout = x->link->set->recovery_timeout_ms;
	const struct sw *s = x->sw;
	let_go(x);
	if (x->has_row && timeout > 0 && !s->low && !s->full) {
		timer_after(&x->timer, (int64_t)timeout);
		return;
	}
	if (x->has_row)
		dropped(x, timeout == 0 ? "the link has no recovery timeout" : "the disk is nearly full");
	forget_rows(x);
	partial_free(x);
}

/* --- room --- */

static struct partial *oldest_kept(const struct sw *s, const struct swlink *l)
{
	for (struct partial *x = s->partials; x != NULL; x = x->next)
		if (x->proc == NULL && (l == NULL || x->link == l))
			return x;
	return NULL;
}

static bool is_over(const struct swlink *l)
{
	return l->n_partials > KEPT_MAX || l->partial_octets > MESSAGES_MAX * l->sw->settings->limits.message;
}

/* Those that nobody has in hand make room first. */
static bool has_room(struct swlink *l, struct err *e)
{
	struct sw *s = l->sw;
	struct partial *x;
	while (is_over(l) && (x = oldest_kept(s, l)) != NULL)
		drop(x, "its link has too many");
	if (s->low || s->full)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "the disk is nearly full");
	return !is_over(l) || err_set(e, ERR_TEMP, ERR_OF_LINK, "link %s has too many transfers that may break off", l->set->name);
}

void partial_room(struct sw *s)
{
	struct partial *x;
	while ((s->low || s->full) && (x = oldest_kept(s, NULL)) != NULL)
		drop(x, "the disk is nearly full");
}

/* --- in hand --- */

static void answer_sync(struct proc *p, uint64_t id, uint32_t serial, bool good)
{
	const struct msg_sync m = { .id = id, .serial = serial, .good = good };
	struct out *o = proc_begin(p, MSG_PARTIAL_SYNCED);
	if (o == NULL)
		return;
	put_msg_sync(o, &m);
	proc_end(p);
}

/* A peer whose window is full sends no other checkpoint before it has heard of these. */
static void answer_asked(const struct partial *x)
{
	if (x->asked != x->answered)
		answer_sync(x->proc, x->id, x->asked, false);
}

/* Nothing is kept of it; whoever has it is told at its next checkpoint. */
static void doom(struct partial *x)
{
	x->doomed = true;
	forget_rows(x);
}

static bool from_link(const struct proc *p, const char *what, struct err *e)
{
	return p->kind == PROCESS_LINK || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: of a process that is no link", what);
}

bool partial_begin(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_partial m;
	struct err why;
	if (!get_msg_partial(payload, &m, e) || !from_link(p, "PARTIAL_BEGIN", e))
		return false;
	struct swlink *l = switch_link(s, m.link);
	if (l == NULL) /* that process has new settings already: nothing is kept, and each checkpoint is answered so */
		return true;
	if (map_get(&p->partials, m.id) != NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "PARTIAL_BEGIN %llu: it is begun already", (unsigned long long)m.id);
	const struct store_partial_name name = { l->name, m.host, m.reference, m.activity };
	struct partial *x = add(l, &name);
	x->proc = p;
	x->id = m.id;
	map_put(&p->partials, x->id, x);
	if (has_room(l, &why) && !s->failed)
		x->handle = store_partial_new(s->store, &name, &why);
	x->doomed = x->handle == NULL;
	if (x->handle != NULL)
		x->number = store_partial_id(x->handle);
	return true;
}

bool partial_data(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_piece m;
	struct err why;
	if (!get_msg_piece(payload, &m, e) || !from_link(p, "PARTIAL_DATA", e))
		return false;
	struct partial *x = map_get(&p->partials, m.id);
	if (x == NULL || x->doomed)
		return true;
	if (!FAULT(SWITCH_PARTIAL) && has_room(x->link, &why) && store_partial_append(x->handle, m.octets, &why)) {
		charge(x, store_partial_octets(x->handle));
		return true;
	}
	doom(x);
	answer_asked(x);
	return true;
}

/* The promise that lets the link confirm. The peer may have called again meanwhile, by another process: it is true all the same. */
static void sync_durable(struct sw *s, struct waiting *w)
{
	if (FAULT(SWITCH_SYNCED))
		CANT_HAPPEN("a link could not be told of a checkpoint (fault point)");
	(void)s;
	answer_sync(w->proc, w->id, w->serial, true);
}

static void on_synced(void *ctx, uint32_t serial, uint64_t octets, const struct err *failed)
{
	struct partial *x = ctx;
	(void)octets;
	x->answered = serial;
	if (failed != NULL) {
		answer_sync(x->proc, x->id, serial, false);
		doom(x); /* closes the handle: nothing more is told */
		return;
	}
	x->has_row = true;
	switch_wait(x->sw, sync_durable, x->proc, x->id)->serial = serial;
}

bool partial_sync(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_sync m;
	if (!get_msg_sync(payload, &m, e) || !from_link(p, "PARTIAL_SYNC", e))
		return false;
	struct partial *x = map_get(&p->partials, m.id);
	if (x == NULL) { /* another has it: whoever still sends on this one is not to wait for ever */
		answer_sync(p, m.id, m.serial, false);
		return true;
	}
	x->asked = m.serial;
	if (!x->doomed && store_partial_octets(x->handle) != m.n)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "PARTIAL_SYNC %llu after %llu octets: %llu have come", (unsigned long long)m.id,
			       (unsigned long long)m.n, (unsigned long long)store_partial_octets(x->handle));
	if (x->doomed)
		answer_sync(p, m.id, m.serial, false);
	else
		store_partial_sync(x->handle, m.serial, on_synced, x);
	return true;
}

bool partial_end(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_sync m;
	if (!get_msg_sync(payload, &m, e) || !from_link(p, "PARTIAL_END", e))
		return false;
	struct partial *x = map_get(&p->partials, m.id);
	if (x == NULL)
		return true;
	if (m.good) {
		keep(x);
	} else {
		forget_rows(x);
		partial_free(x);
	}
	return true;
}

void partial_proc_gone(struct proc *p)
{
	struct partial *x;
	for (size_t i = 0; (x = map_next(&p->partials, &i)) != NULL; i = 0)
		keep(x);
}

/* --- found again --- */

/* The newest one, should there be several. */
static struct partial *find(const struct sw *s, const struct msg_partial *m)
{
	struct partial *found = NULL;
	for (struct partial *x = s->partials; x != NULL; x = x->next)
		if (!x->doomed && x->has_row && view_eq(x->host, m->host) && view_eq(x->reference, m->reference) &&
		    (m->activity == 0 || x->activity == m->activity) && (m->link.n == 0 || view_eq(x->link->name, m->link)))
			found = x;
	return found;
}

/* It is the asker's from now on, whoever has had it. False: that checkpoint is not known; it stays kept. */
static bool claim(struct partial *x, struct proc *p, const struct msg_partial *m)
{
	struct err why;
	if (x->proc != NULL) { /* its association has not noticed yet that it is broken */
		answer_asked(x);
		keep(x);
	}
	if (map_get(&p->partials, m->id) != NULL || x->sw->failed)
		return false;
	x->handle = store_partial_resume(x->sw->store, x->number, m->serial, &why);
	if (x->handle == NULL)
		return false;
	timer_stop(&x->timer);
	x->proc = p;
	x->id = m->id;
	x->pulled = 0;
	x->asked = x->answered = 0;
	map_put(&p->partials, x->id, x);
	charge(x, store_partial_octets(x->handle));
	return true;
}

static bool may_be_claimed(const struct partial *x)
{
	return x->link->set->recovery_timeout_ms > 0 && !x->sw->low && !x->sw->full;
}

bool partial_find(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_partial m;
	if (!get_msg_partial(payload, &m, e) || !from_link(p, "PARTIAL_FIND", e))
		return false;
	struct partial *x = find(p->sw, &m);
	struct msg_partial answer = { .id = m.id, .link = m.link, .host = m.host, .reference = m.reference, .activity = m.activity,
				      .serial = m.serial };
	answer.found = x != NULL && may_be_claimed(x) && (m.activity == 0 || claim(x, p, &m));
	if (answer.found) {
		answer.link = x->link->name;
		answer.octets = m.activity == 0 ? 0 : x->octets;
	}
	struct out *o = proc_begin(p, MSG_PARTIAL_FOUND);
	if (o == NULL)
		return true;
	put_msg_partial(o, &answer);
	proc_end(p);
	return true;
}

bool partial_pull(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct msg_sync m;
	if (!get_msg_sync(payload, &m, e) || !from_link(p, "PARTIAL_PULL", e))
		return false;
	struct partial *x = map_get(&p->partials, m.id);
	if (x == NULL || x->doomed)
		return true;
	if (m.n > store_partial_octets(x->handle) - x->pulled)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "PARTIAL_PULL %llu asks for more than there is", (unsigned long long)m.id);
	uint8_t *buf = mem_alloc(MSG_PIECE_MAX);
	while (m.n > 0 && p->bulk != NULL) {
		const size_t n = m.n < MSG_PIECE_MAX ? (size_t)m.n : MSG_PIECE_MAX;
		size_t got = 0;
		struct err why = { .text = "they end too early" };
		if (!store_partial_read(x->handle, x->pulled, buf, n, &got, &why) || got < n) {
			dropped(x, why.text);
			m.n = got = 0; /* an empty piece: no more comes */
		}
		const struct msg_piece piece = { m.id, view_of(buf, got) };
		put_msg_piece(chan_begin(p->bulk, MSG_PARTIAL_DATA), &piece);
		chan_end(p->bulk);
		x->pulled += got;
		m.n -= got;
	}
	free(buf);
	return true;
}

/* --- the switch comes and goes --- */

struct found_rows {
	struct sw *sw;
	uint64_t *homeless; /* of links that are in the settings no more */
	size_t n;
};

static void on_row(void *ctx, const struct store_partial_row *row)
{
	struct found_rows *f = ctx;
	struct swlink *l = switch_link(f->sw, row->name.link);
	if (l == NULL) {
		f->homeless = mem_grow(f->homeless, mem_mul(f->n + 1, sizeof *f->homeless));
		f->homeless[f->n++] = row->id;
		return;
	}
	struct partial *x = add(l, &row->name);
	x->number = row->id;
	x->has_row = true;
	charge(x, row->octets);
}

void partial_start(struct sw *s)
{
	struct found_rows f = { .sw = s };
	store_partials(s->store, on_row, &f);
	for (size_t i = 0; i < f.n; i++)
		store_partial_remove(s->store, f.homeless[i]);
	free(f.homeless);
	for (struct partial *x = s->partials, *next; x != NULL; x = next) {
		next = x->next;
		keep(x);
	}
}

void partial_link_gone(struct swlink *l)
{
	struct partial *x;
	while ((x = oldest_kept(l->sw, l)) != NULL)
		drop(x, "its link is in the settings no more, or of another kind");
}

void partial_fini(struct sw *s)
{
	while (s->partials != NULL)
		partial_free(s->partials);
}
