/* convert.c - content on its way out, for a link with `wrap`: through a content process before its transfer. The order waits
 * outside of the window, so that others pass it. What a content process dies of, or fails at, is struck. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

enum { CONVERT_CONTENT_MAX = 12 * 1024 * 1024, /* what comes back may be longer, and is one frame */ CONTENT_IPM84 = 2, CONTENT_IPM88 = 22 }; /* X.411 built-in content types */

bool convert_wants(const struct order *o)
{
	return o->may_convert && !o->is_converted &&
	       (o->content_type == CONTENT_IPM84 || o->content_type == CONTENT_IPM88) && o->size > 0 &&
	       o->size <= CONVERT_CONTENT_MAX; /* a longer one is sent as it is */
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

static void give(struct order *o, struct proc *p)
{
	struct sw *s = p->sw;
	struct view content;
	struct err e;
	if ((!o->has_hot && !order_load(o, &e)) || !read_content(o, &content, &e)) {
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
	const struct msg_convert m = { .id = c->id, .transfer = o->transfer, .wrap = o->link->set->wrap,
				       .content_type = o->content_type, .content = content };
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

static void converted(struct order *o, const struct msg_converted *m)
{
	struct swlink *l = o->link;
	char text[64];
	o->is_converted = true;
	if (m->changed) {
		order_set_content(o, m->content);
		snprintf(text, sizeof text, "lines of at most %llu columns", (unsigned long long)l->set->wrap);
		order_step(o, STEP_CONVERTED, text);
	}
	dispatch_put_back(o);
}

bool convert_done(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_converted m;
	char words[WORDS_MAX];
	if (!get_msg_converted(payload, &m, e))
		return false;
	if (p->conversion == NULL || p->conversion->id != m.id)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "CONVERTED %llu was not asked for", (unsigned long long)m.id);
	struct order *o = leave(p->conversion);
	struct swlink *l = o->link;
	if (m.err.kind == ERR_NONE) {
		converted(o, &m);
	} else {
		EMIT(&s->host, CONVERT_FAILED, "link", l->set->name, "why", m.err.text);
		snprintf(words, sizeof words, OF_CONVERSION "%s", m.err.text);
		suspect_strike_order(o, words);
	}
	control_run_renders(s);
	dispatch_run(l);
	return true;
}

struct order *convert_take_back(struct proc *p)
{
	return p->conversion == NULL ? NULL : leave(p->conversion);
}

void convert_fini(struct sw *s)
{
	struct order *o;
	while ((o = order_list_take(&s->converts)) != NULL)
		order_free(o);
}
