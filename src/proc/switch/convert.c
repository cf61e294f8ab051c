/* convert.c - content on its way out, for a link that wants it in other words or lines: through a content process before its transfer. The
 * order waits outside of the window, so that others pass it. What a content process dies of, or fails at, is struck; what the message
 * itself forbids, or the peer's age has not, is reported at once. What was converted is in memory only, and counted there; it can be
 * converted again, to the same octets. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum {
	CONVERT_CONTENT_MAX = 12 * 1024 * 1024,  /* what comes back may be longer, and is one frame */
	CONTENT_IPM84 = 2, CONTENT_IPM88 = 22,   /* X.411 built-in content types */
	CONVERSION_NOT_PERFORMED = 2,            /* X.411 8.2.1.4: the reason; then diagnostics */
	CONVERSION_IMPRACTICAL = 8, CONVERSION_PROHIBITED = 9, CONTENT_TYPE_NOT_SUPPORTED = 15, LOSS_PROHIBITED = 19,
};

/* More than the lay-out of lines, which may be left as it is. */
static bool is_demanded(const struct set_link *l)
{
	return l->down != DOWN_NEVER || l->up != UP_NEVER || !l->body_part_15 || l->text != TEXT_AS_IS || !l->free_form_names;
}

bool convert_is_wanted(const struct order *o)
{
	const struct set_link *l = o->link->set;
	if (o->content_type != CONTENT_IPM84 && o->content_type != CONTENT_IPM88)
		return false;
	return is_demanded(l) || (l->wrap > 0 && !o->conversion_prohibited);
}

bool convert_wants(const struct order *o)
{
	return o->may_convert && !o->is_converted && o->size > 0 && (o->size <= CONVERT_CONTENT_MAX || is_demanded(o->link->set));
}

void convert_enter(struct order *o)
{
	struct sw *s = o->link->sw;
	order_list_add(&s->converts, o);
	o->link->n_converting++;
	convert_run(s);
}

static struct order *leave(struct conversion *c)
{
	struct order *o = c->order;
	c->worker->conversion = NULL;
	o->link->n_converting--;
	timer_stop(&c->timer);
	free(c);
	return o;
}

static void on_timeout(void *ctx)
{
	struct conversion *c = ctx;
	struct err e;
	err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "it converts the content of transfer %llu for %lld ms",
		(unsigned long long)c->order->transfer, (long long)control_patience_ms(c->sw));
	proc_hung(c->worker, &e);
}

static bool read_content(struct order *o, struct view *content_r, struct err *e)
{
	struct sw *s = o->link->sw;
	size_t got = 0, n = (size_t)o->size;
	*content_r = o->hot_content;
	if (o->hot_content.n == o->size)
		return true;
	arena_reset(s->work);
	uint8_t *buf = arena_get(s->work, n);
	assert(buf != NULL); /* one frame at most */
	*content_r = view_of(buf, n);
	return store_read_content(s->store, o->message, 0, buf, n, &got, e) &&
	       (got == n || err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "the content ends too early"));
}

/* It cannot be what this link wants. Another one may want something else of it (Q232396). */
static void give_up(struct order *o, const struct err *why)
{
	o->in_hand = false;
	if (!reroute_conversion(o, why))
		dispatch_give_up(o, why);
}

static void give(struct order *o, struct proc *p)
{
	struct sw *s = p->sw;
	struct view content;
	struct err e;
	if (o->size > CONVERT_CONTENT_MAX) {
		o->link->n_converting--;
		err_report(&e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
			   "the content has %llu octets, at most %d are converted for link %s", (unsigned long long)o->size,
			   CONVERT_CONTENT_MAX, o->link->set->name);
		give_up(o, &e);
		return;
	}
	if (!order_have(o, &e) || !read_content(o, &content, &e)) {
		o->link->n_converting--;
		quarantine_condemn(o, e.text);
		return;
	}
	struct conversion *c = mem_zero(sizeof *c);
	*c = (struct conversion){ .sw = s, .id = ++s->next_conversion, .order = o, .worker = p };
	timer_init(&c->timer, s->host.env, on_timeout, c);
	timer_after(&c->timer, control_patience_ms(s));
	p->conversion = c;
	o->in_hand = true;
	switch_note(s, "transfer", o->transfer);
	const struct set_link *l = o->link->set;
	const struct msg_convert m = {
		.id = c->id, .transfer = o->transfer, .wrap = l->wrap, .to_84 = l->down == DOWN_TO_1984,
		.from_84 = l->up == UP_TO_1988 && l->down == DOWN_NEVER, .no_part_15 = !l->body_part_15,
		.no_free_form = !l->free_form_names, .text = (uint8_t)l->text, .no_loss = o->loss_prohibited,
		.prohibited = o->conversion_prohibited, .content_type = o->content_type, .content = content,
	};
	put_msg_convert(proc_begin(p, MSG_CONVERT), &m);
	proc_end(p);
}

/* The last one is for suspects: they keep a process busy until it is ended, and are the end of it. */
static bool is_for_suspects(const struct proc *p)
{
	return p->kind == PROCESS_CONTENT && p->instance == p->sw->settings->processes.contents;
}

/* Suspects wait for the process that is for them, once it has been seen; it does the others' work too when there is nobody else. */
static struct order *next_order(struct sw *s, const struct proc *p)
{
	bool others = false;
	struct order *o = s->converts.first;
	s->suspects_have_content |= is_for_suspects(p);
	for (const struct proc *q = s->procs; q != NULL; q = q->next)
		others |= q->kind == PROCESS_CONTENT && !q->dead && !is_for_suspects(q);
	for (; o != NULL; o = o->next) {
		bool is_suspect = suspect_of_conversion(o);
		if (is_for_suspects(p) ? is_suspect || !others : !is_suspect || !s->suspects_have_content)
			break;
	}
	if (o != NULL)
		order_list_remove(o);
	return o;
}

void convert_run(struct sw *s)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		while (p->kind == PROCESS_CONTENT && !p->dead && p->control != NULL && p->render == NULL && p->conversion == NULL) {
			struct order *o = next_order(s, p);
			if (o == NULL)
				break;
			give(o, p);
		}
}

/* The envelope that goes with it: its content type; in the trace element that this MTA has added, what the encoded information types
 * became (X.411 8.2.2.1); of a notification for 1984 no original ones, which some refuse (Q152952). False: it is as it was. */
static bool change_envelope(struct order *o, const struct msg_converted *c, struct message *m)
{
	const struct set_link *l = o->link->set;
	bool changed = false;
	if (c->changed && m->content_type != c->content_type) {
		m->content_type = c->content_type;
		changed = true;
	}
	if (c->changed && c->eits.n > 0) {
		if (m->trace.n > 0)
			m->trace.v[m->trace.n - 1].converted = c->eits;
		if (m->internal_trace.n > 0)
			m->internal_trace.v[m->internal_trace.n - 1].converted = c->eits;
		changed = true;
	}
	if (c->is_notification && l->down == DOWN_TO_1984 && m->original_eits.n > 0) {
		m->original_eits = (struct view){ NULL, 0 };
		changed = true;
	}
	return changed;
}

/* "content type 2, other body parts, lines of at most 72 columns" */
static void tell(struct order *o, const struct msg_converted *m)
{
	char text[128];
	int n = 0;
	if (m->content_type != o->content_type)
		n = snprintf(text, sizeof text, "content type %lld", (long long)m->content_type);
	if (m->eits.n > 0)
		n += snprintf(text + n, sizeof text - (size_t)n, "%sother body parts", n > 0 ? ", " : "");
	if (m->wrapped)
		n += snprintf(text + n, sizeof text - (size_t)n, "%slines of at most %llu columns", n > 0 ? ", " : "",
			      (unsigned long long)o->link->set->wrap);
	order_step(o, STEP_CONVERTED, n > 0 ? text : "heading");
	if (o->content_type == 22 && m->content_type == 2)
		order_step(o, STEP_DOWNGRADED, "as of 1984");
}

static bool keep_converted(struct order *o, const struct msg_converted *c, struct out *packed, bool envelope, struct err *e)
{
	struct view content = c->changed ? c->content : o->hot_content;
	if (packed->bad)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the envelope is longer than %d octets once its content is converted",
			       MSG_ENVELOPE_MAX);
	if (!c->changed && content.n != o->size && !read_content(o, &content, e))
		return false;
	order_set_converted(o, envelope ? out_view(packed) : o->hot_packed, content);
	return true;
}

static bool converted(struct order *o, const struct msg_converted *c, struct err *e)
{
	struct sw *s = o->link->sw;
	struct message m;
	struct out packed;
	arena_reset(s->work);
	if (!unpack_message(o->hot_packed, &m, s->work, e))
		return false;
	const bool envelope = change_envelope(o, c, &m);
	out_init(&packed, MSG_ENVELOPE_MAX);
	if (envelope)
		order_pack(o, &packed, &m);
	const bool ok = (!envelope && !c->changed) || keep_converted(o, c, &packed, envelope, e);
	out_fini(&packed);
	if (!ok)
		return false;
	o->is_converted = true;
	if (c->changed)
		tell(o, c);
	dispatch_put_back(o);
	return true;
}

/* Not ours, and no harm in it: the message forbids what the peer needs, or the peer's age has no such content. */
static bool is_final(const struct err *e)
{
	return e->kind == ERR_PERM && e->reason == CONVERSION_NOT_PERFORMED &&
	       (e->diagnostic == CONVERSION_PROHIBITED || e->diagnostic == LOSS_PROHIBITED ||
		e->diagnostic == CONTENT_TYPE_NOT_SUPPORTED);
}

static void judge(struct order *o, const struct msg_converted *m)
{
	struct sw *s = o->link->sw;
	char words[WORDS_MAX];
	struct swlink *l = o->link;
	struct err why = m->err;
	const bool good = why.kind == ERR_NONE && converted(o, m, &why);
	if (!good)
		EMIT(&s->host, CONVERT_FAILED, "link", l->set->name, "why", why.text);
	if (!good)
		tally_both(l, METRIC_MTA_CONVERSIONS_FAILED, METRIC_LINK_CONVERSIONS_FAILED);
	else if (m->changed)
		tally_both(l, METRIC_MTA_CONVERTED, METRIC_LINK_CONVERTED);
	if (is_final(&why)) {
		give_up(o, &why);
	} else if (why.kind != ERR_NONE) {
		snprintf(words, sizeof words, OF_CONVERSION "%s", why.text);
		suspect_strike_order(o, words);
	}
}

bool convert_done(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_converted m;
	if (!get_msg_converted(payload, &m, e))
		return false;
	if (p->conversion == NULL || p->conversion->id != m.id)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "CONVERTED %llu was not asked for", (unsigned long long)m.id);
	struct order *o = leave(p->conversion);
	struct swlink *l = o->link;
	if (order_is_outdated(o)) /* another kind of process serves its link now: all of it again, for that */
		dispatch_put_back(o);
	else
		judge(o, &m);
	control_run_renders(s);
	dispatch_run(l);
	room_check(s);
	return true;
}

void convert_make_room(struct sw *s)
{
	struct order *next;
	for (struct order *o = s->converted; o != NULL; o = next) {
		next = o->next_converted;
		if (!o->in_hand)
			order_forget_converted(o);
	}
}

struct order *convert_take_back(struct proc *p)
{
	return p->conversion == NULL ? NULL : leave(p->conversion);
}

/* Whether it is to be converted at all is found when it is loaded again. */
void convert_forget(struct swlink *l)
{
	struct order *o, *next;
	for (o = l->sw->converts.first; o != NULL; o = next) {
		next = o->next;
		if (o->link != l)
			continue;
		order_list_remove(o);
		l->n_converting--;
		order_forget_hot(o);
		dispatch_put_back(o);
	}
	for (size_t i = 0; (o = map_next(&l->sw->orders, &i)) != NULL;)
		if (o->link == l && !o->in_hand)
			order_forget_converted(o);
}

void convert_fini(struct sw *s)
{
	struct order *o;
	while ((o = order_list_take(&s->converts)) != NULL)
		order_free(o);
}
