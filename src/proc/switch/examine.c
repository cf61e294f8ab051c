/* examine.c - octets of a peer that are no message yet: taken as they are, so that the peer is confirmed and does not send them for
 * ever, then given to the process for suspects, or to the interchange of their link. What that makes of them comes as an offer of the link, and the octets go in the
 * same group. What it dies of is struck; at the limit, or when nobody can read them, they are kept for the operator. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { LOOKS_MAX = 20 }; /* octets that are looked at in a turn: all of a link that has left the settings cannot be given */

static const char *number(char text[24], uint64_t n)
{
	snprintf(text, 24, "%llu", (unsigned long long)n);
	return text;
}

static void alarm_of(struct sw *s, uint64_t id, const char *link, const char *why)
{
	char text[24];
	tally_add(&s->tallies.mta, METRIC_MTA_QUARANTINES, 1);
	EMIT(&s->host, OCTETS_QUARANTINED, "quarantine", number(text, id), "link", link, "why", why);
}

/* --- taking them --- */

static const char *why_kept(struct sw *s, const struct arrival *about, const struct incoming *in, const struct suspect *x)
{
	if (in->refusal != NULL)
		return in->refusal->text;
	if (about->err.kind != ERR_NONE)
		return about->err.text;
	return suspect_is_over(s, x) ? "the processes that decoded it died" : NULL;
}

/* The peer sends them again when it has not heard that we have them. Known by their key and all octets; those in a file are taken
 * again. */
static bool is_known(struct sw *s, const struct swlink *l, const struct key *k, const struct incoming *in)
{
	const struct mts_id id = { .domain = s->domain, .local = view_str(k->text) };
	struct store_step step = { .kind = STEP_TRANSFER_IN, .id = &id, .peer = l->name, .size = in->content.n,
				   .text = VIEW("octets that are not decoded"),
				   .digest = { hash_octets(HASH_START, in->content), in->content.n } };
	if (in->file != NULL)
		return false;
	const bool known = store_seen(s->store, &id, step.digest);
	if (known)
		step = (struct store_step){ .kind = STEP_DUPLICATE, .id = &id, .peer = l->name };
	store_put_step(s->store, &step);
	return known;
}

void examine_take(struct proc *p, const struct arrival *about, struct incoming *in)
{
	struct sw *s = p->sw;
	struct err e;
	struct swlink *l = switch_link(s, in->link);
	if (l == NULL)
		err_set(&e, p->kind == PROCESS_LINK ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "the offer names no link of ours");
	if (l == NULL || !intake_is_ready(s, !in->is_here, &e)) {
		if (in->file != NULL)
			store_content_free(&in->file);
		intake_refuse(p, about->offer, &e);
		return;
	}
	const struct key k = suspect_input_key(l, about->hash);
	const struct suspect *x = suspect_find(s, &k);
	const char *kept = why_kept(s, about, in, x);
	const struct store_octets put = {
		.link = l->name, .peer = in->peer, .key = view_str(k.text), .cause = view_str(kept == NULL ? "" : kept),
		.words = view_str(x == NULL ? "" : x->words), .state = kept == NULL ? STORE_QUARANTINE_EXAMINE : STORE_QUARANTINE_KEPT,
		.content = in->content, .file = in->file, .arrived = env_wall_ms(s->host.env),
	};
	struct waiting *w = switch_wait(s, intake_durable, p, about->offer);
	w->file = in->file;
	const bool known = is_known(s, l, &k, in);
	uint64_t id = known ? 0 : store_put_octets(s->store, &put);
	w->ticket = store_ticket(s->store);
	l->received++;
	if (known)
		EMIT(&s->host, MESSAGE_DUPLICATE, "link", l->set->name);
	else if (kept != NULL)
		alarm_of(s, id, l->set->name, kept);
	else
		alone_kick(s);
}

/* --- giving them --- */

static void keep(struct sw *s, uint64_t id, const char *link, uint32_t strikes, const char *cause, const char *words)
{
	if (s->failed)
		return; /* it is not the octets that cannot be read */
	store_quarantine_set(s->store, id, STORE_QUARANTINE_KEPT, strikes, cause, words);
	alarm_of(s, id, link, cause);
}

static void on_timer(void *ctx)
{
	struct sw *s = ctx;
	struct examine *x = &s->alone.examine;
	struct err e;
	if (x->number == 0) {
		alone_kick(s);
		return;
	}
	err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "it examines octets %llu for %d s", (unsigned long long)x->octets.id, EXAMINE_MS / 1000);
	proc_hung(x->by, &e);
}

void examine_init(struct sw *s)
{
	timer_init(&s->alone.examine.timer, s->host.env, on_timer, s);
}

/* The last 16 characters of its key. */
static uint64_t hash_of(const struct key *k)
{
	size_t n = strlen(k->text);
	return n < 16 ? 0 : strtoull(k->text + n - 16, NULL, 16);
}

/* False: it cannot be given, and is kept for the operator. */
static bool load(struct sw *s, uint64_t id, struct store_quarantine *q, struct examine *x, struct err *e)
{
	arena_reset(s->work);
	if (!store_load_quarantine(s->store, id, q, s->work, e))
		return false;
	x->octets.id = id;
	x->message = q->message;
	x->size = q->size;
	x->pulled = 0;
	x->octets.taken = false;
	x->octets.link = switch_link(s, q->link);
	snprintf(x->octets.key.text, sizeof x->octets.key.text, "%.*s", (int)q->key.n, (const char *)q->key.p);
	if (x->octets.link == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "its link is no more in the settings");
	const struct suspect *found = suspect_find(s, &x->octets.key);
	return !suspect_is_over(s, found) || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%s", found->words);
}

static bool read_inline(struct sw *s, const struct examine *x, struct view *content_r, struct err *e)
{
	size_t got = 0, n = (size_t)x->size;
	*content_r = (struct view){ NULL, 0 };
	if (x->size > MSG_INLINE_MAX || n == 0)
		return true;
	uint8_t *buf = arena_get(s->work, n);
	assert(buf != NULL);
	if (!store_read_content(s->store, x->message, 0, buf, n, &got, e))
		return false;
	*content_r = view_of(buf, got);
	return got == n || err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "the octets end too early");
}

/* What an interchange has offered it alone can read. NULL: not now. */
static struct proc *examiner(const struct swlink *l, struct proc *alone)
{
	return l->set->kind == LINK_MSMAIL ? l->connector : alone;
}

/* The successor of a switch that dies from here on finds the key noted. */
static bool give(struct sw *s, struct proc *alone, uint64_t id)
{
	struct examine *x = &s->alone.examine;
	struct store_quarantine q = { 0 };
	struct view content;
	struct err e;
	if (store_has_group(s->store))
		switch_commit(s);
	x->after = id;
	bool good = load(s, id, &q, x, &e);
	struct proc *by = good ? examiner(x->octets.link, alone) : NULL;
	if (good && by == NULL)
		return false; /* its time comes with its process */
	if (good)
		switch_note_key(s, &x->octets.key);
	if (FAULT(SWITCH_EXAMINE))
		CANT_HAPPEN("octets could not be examined (fault point)");
	if (!good || !read_inline(s, x, &content, &e)) {
		const struct suspect *found = suspect_find(s, &x->octets.key);
		keep(s, id, x->octets.link == NULL ? "" : x->octets.link->set->name, found == NULL ? q.strikes : found->strikes, e.text,
		     found == NULL ? "" : found->words);
		x->round.kept = true;
		return false;
	}
	x->number = ++s->next_handover;
	x->by = by;
	const struct msg_examine m = { .examine = x->number, .link = x->octets.link->name, .peer = VIEW("in quarantine"),
				       .hash = hash_of(&x->octets.key), .size = x->size, .content = content };
	put_msg_examine(proc_begin(by, MSG_EXAMINE), &m);
	proc_end(by);
	timer_after(&x->timer, EXAMINE_MS);
	return true;
}

void examine_release(struct sw *s, const struct store_quarantine *q)
{
	struct key k;
	snprintf(k.text, sizeof k.text, "%.*s", (int)q->key.n, (const char *)q->key.p);
	suspect_released(s, &k);
	store_quarantine_set(s->store, q->id, STORE_QUARANTINE_EXAMINE, 0, "", NULL);
	if (s->alone.examine.number == 0)
		timer_stop(&s->alone.examine.timer); /* what waits after a temporary refusal is asked again now */
	alone_kick(s);
}

/* Only a process of the kind that the link was of can read them, and that comes no more: they are for the operator. */
void examine_keep_all(const struct swlink *l)
{
	struct sw *s = l->sw;
	uint64_t id, after = 0;
	struct err e;
	while (store_quarantine_next(s->store, STORE_QUARANTINE_EXAMINE, after, &id, 1) == 1) {
		struct store_quarantine q = { 0 };
		after = id;
		arena_reset(s->work);
		if (!examine_has(s, id) && store_load_quarantine(s->store, id, &q, s->work, &e) && view_eq(q.link, l->name))
			keep(s, id, l->set->name, q.strikes, "its link is of another kind now: whoever could read it serves it no more", NULL);
	}
}

static bool is_in_limbo(const struct sw *s, uint64_t id)
{
	const struct limbo *b = s->limbos;
	while (b != NULL && b->octets.id != id)
		b = b->next;
	return b != NULL;
}

/* A round is over. After two in which nothing became of anything (the first may have begun in the middle), in however many turns, what
 * waits is for a process that is not there: who comes kicks again. */
static bool is_fruitless(struct examine *x)
{
	x->round.n = x->round.kept ? 0 : x->round.n + 1;
	x->round.kept = false;
	if (x->round.n < 2)
		return false;
	x->round.n = 0;
	return true;
}

/* All in turn: one that is struck, or refused for now, lets the others go first. */
bool examine_begin(struct sw *s, struct proc *alone)
{
	struct examine *x = &s->alone.examine;
	uint64_t id;
	if (x->number != 0 || timer_is_set(&x->timer))
		return false; /* under way, or refused for now */
	for (int looks = 0; looks < LOOKS_MAX; looks++)
		if (store_quarantine_next(s->store, STORE_QUARANTINE_EXAMINE, x->after, &id, 1) == 0) {
			x->after = 0;
			if (is_fruitless(x))
				return false;
		} else if (is_in_limbo(s, id)) {
			x->after = id;
		} else if (give(s, alone, id)) {
			x->round.n = 0;
			return true;
		}
	alone_kick(s); /* each look may be a commit: the others in the next turn */
	return false;
}

bool examine_has(const struct sw *s, uint64_t id)
{
	return s->alone.examine.number != 0 && s->alone.examine.octets.id == id;
}

bool examine_is_of(const struct proc *p, uint64_t n)
{
	return n != 0 && p->sw->alone.examine.number == n && p->sw->alone.examine.by == p;
}

bool examine_by(const struct proc *p)
{
	return p->sw->alone.examine.number != 0 && p->sw->alone.examine.by == p;
}

void examine_proc_gone(struct proc *p)
{
	struct examine *x = &p->sw->alone.examine;
	if (!examine_by(p))
		return;
	x->number = 0;
	x->by = NULL;
	timer_stop(&x->timer);
	alone_kick(p->sw);
}

bool examine_pull(struct proc *p, const struct msg_count *m, struct err *e)
{
	struct sw *s = p->sw;
	struct examine *x = &s->alone.examine;
	if (m->n > x->size - x->pulled)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_PULL %llu asks for more than there is", (unsigned long long)m->id);
	if (m->n > 0)
		timer_after(&x->timer, EXAMINE_MS); /* it gets on: how long that takes depends on how many there are */
	uint8_t *buf = mem_alloc(MSG_PIECE_MAX);
	for (uint64_t left = m->n; left > 0;) {
		size_t n = left < MSG_PIECE_MAX ? (size_t)left : MSG_PIECE_MAX, got = 0;
		struct err why;
		bool good = store_read_content(s->store, x->message, x->pulled, buf, n, &got, &why) && got == n;
		const struct msg_piece piece = { m->id, view_of(buf, good ? n : 0) }; /* empty: no more comes */
		put_msg_piece(chan_begin(p->bulk, MSG_TRANSFER_DATA), &piece);
		chan_end(p->bulk);
		x->pulled += n;
		left = good ? left - n : 0;
	}
	free(buf);
	return true;
}

/* --- what became of them --- */

void examine_offered(struct sw *s)
{
	struct examine *x = &s->alone.examine;
	const struct suspect *found = suspect_find(s, &x->octets.key);
	store_quarantine_remove(s->store, x->octets.id);
	x->octets.taken = true;
	if (found == NULL)
		return;
	EMIT(&s->host, MESSAGE_CLEARED, "what", x->octets.key.text, "link", x->octets.link->set->name);
	suspect_forget(s, &x->octets.key);
}

bool examine_done(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_examined m;
	if (!get_msg_examined(payload, &m, e))
		return false;
	struct examine *x = &s->alone.examine;
	if (!examine_is_of(p, m.examine) || (m.offered && !x->octets.taken))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "EXAMINED %llu: not under way, or nothing was offered",
			       (unsigned long long)m.examine);
	x->number = 0;
	x->by = NULL;
	timer_stop(&x->timer);
	alone_kick(s);
	if (x->octets.taken)
		return true;
	if (m.err.kind == ERR_TEMP) {
		timer_after(&x->timer, EXAMINE_AGAIN_MS);
		return true;
	}
	const struct suspect *found = suspect_find(s, &x->octets.key);
	keep(s, x->octets.id, x->octets.link->set->name, found == NULL ? 0 : found->strikes,
	     m.err.kind == ERR_NONE ? "nothing was found in them" : m.err.text, found == NULL ? "" : found->words);
	return true;
}

void examine_struck(struct sw *s, const struct octets *x, const char *words)
{
	if (x->taken)
		return; /* what they are is in the store */
	const struct suspect *found = suspect_strike(s, &x->key, words);
	uint32_t strikes = found == NULL ? (uint32_t)s->settings->limits.strikes : found->strikes;
	if (strikes >= s->settings->limits.strikes)
		keep(s, x->id, x->link->set->name, strikes, "the processes that decoded it died", words);
	else
		store_quarantine_set(s->store, x->id, STORE_QUARANTINE_EXAMINE, strikes, "", words);
}
