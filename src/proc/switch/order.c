/* order.c - one transfer in memory: what is kept of its message, and the lists it waits in. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

/* X.411 StandardExtension: message-token 16, content-confidentiality-algorithm-identifier 17, content-integrity-check 18,
 * message-origin-authentication-check 19. */
enum { EXT_SEALS_FIRST = 16, EXT_SEALS_LAST = 19 };

struct order *order_new(struct swlink *l, const struct store_queued *q)
{
	struct order *o = mem_zero(sizeof *o);
	*o = (struct order){ .transfer = q->transfer, .message = q->message, .link = l, .priority = q->priority,
			     .attempts = q->attempts, .arrived = q->arrived, .expires = q->expires, .size = q->size,
			     .size_sent = q->size };
	map_put(&l->sw->orders, o->transfer, o);
	return o;
}

static void keep_id(struct order *o, const struct mts_id *id)
{
	struct view *parts[] = { &o->id.domain.country.value, &o->id.domain.admd.value, &o->id.domain.prmd.value, &o->id.local };
	size_t n = 0;
	free(o->id_octets);
	o->id = *id;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		n = mem_add(n, parts[i]->n);
	uint8_t *p = o->id_octets = mem_alloc(n);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i]->n > 0)
			memcpy(p, parts[i]->p, parts[i]->n);
		parts[i]->p = p;
		p += parts[i]->n;
	}
}

static bool is_sealed(const struct extensions *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->v[i].is_private && x->v[i].number >= EXT_SEALS_FIRST && x->v[i].number <= EXT_SEALS_LAST)
			return true;
	return false;
}

/* A content that is encrypted, or that somebody has computed a check over, stays as it is. */
static bool is_sealed_message(const struct message *m)
{
	bool sealed = is_sealed(&m->ext);
	for (size_t i = 0; i < m->n_rcpt && !sealed; i++)
		sealed = is_sealed(&m->rcpt[i].ext);
	return sealed;
}

/* conversion-with-loss-prohibited is ENUMERATED, 1 is prohibited (X.411 8.2.1.1.1.10). */
static bool prohibits_loss(const struct extensions *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!x->v[i].is_private && x->v[i].number == EXT_LOSS_PROHIBITED)
			return view_eq(x->v[i].value, VIEW("\x0a\x01\x01"));
	return false;
}

void order_keep_message(struct order *o, const struct message *m)
{
	keep_id(o, &m->id);
	o->kind = m->kind;
	o->content_type = m->content_type;
	o->is_probe_of_monitor = monitor_is_probe(o->link->sw, m);
	o->conversion_prohibited = (m->indicators & IND_CONVERSION_PROHIBITED) != 0;
	o->loss_prohibited = prohibits_loss(&m->ext);
	o->may_convert = convert_is_wanted(o) && m->kind == MESSAGE_MESSAGE && !is_sealed_message(m);
}

void order_pack(const struct order *o, struct out *packed, const struct message *m)
{
	if (connector_is_link(o->link))
		pack_message_plain(packed, m);
	else
		pack_message(packed, m, 0, m->n_rcpt);
}

void order_keep_hot(struct order *o, struct view packed, struct view content)
{
	uint8_t *p = mem_alloc(mem_add(packed.n, content.n));
	memcpy(p, packed.p, packed.n);
	if (content.n > 0)
		memcpy(p + packed.n, content.p, content.n);
	o->hot_packed = view_of(p, packed.n);
	o->hot_content = view_of(p + packed.n, content.n);
	o->has_hot = true;
	o->is_plain = connector_is_link(o->link);
	o->link->sw->hot += packed.n + content.n;
	o->link->hot += packed.n + content.n;
}

/* What it is charged for goes with what is hot. */
static void leave_converted(struct order *o)
{
	if (o->at_converted == NULL)
		return;
	o->link->sw->under_way -= o->reserved;
	o->reserved = 0;
	*o->at_converted = o->next_converted;
	if (o->next_converted != NULL)
		o->next_converted->at_converted = o->at_converted;
	o->at_converted = NULL;
}

bool order_may_keep_hot(const struct swlink *l)
{
	const struct sw *s = l->sw;
	const uint64_t share = HOT_MAX / s->n_links;
	return s->hot <= HOT_ALL && l->hot <= (share < HOT_LEAST ? HOT_LEAST : share);
}

void order_forget_hot(struct order *o)
{
	if (!o->has_hot)
		return;
	leave_converted(o);
	o->link->sw->hot -= o->hot_packed.n + o->hot_content.n;
	o->link->hot -= o->hot_packed.n + o->hot_content.n;
	free((void *)(uintptr_t)o->hot_packed.p);
	o->hot_packed = o->hot_content = (struct view){ NULL, 0 };
	o->has_hot = false;
}

void order_set_converted(struct order *o, struct view packed, struct view content)
{
	struct sw *s = o->link->sw;
	struct order old = *o; /* what is new may lie in it */
	o->has_hot = false;
	order_keep_hot(o, packed, content);
	o->size_sent = content.n;
	o->reserved = content.n;
	s->under_way += o->reserved;
	o->next_converted = s->converted;
	o->at_converted = &s->converted;
	if (s->converted != NULL)
		s->converted->at_converted = &o->next_converted;
	s->converted = o;
	s->hot -= old.hot_packed.n + old.hot_content.n;
	o->link->hot -= old.hot_packed.n + old.hot_content.n;
	free((void *)(uintptr_t)old.hot_packed.p);
}

void order_forget_converted(struct order *o)
{
	order_forget_hot(o);
	o->is_converted = false;
	o->size_sent = o->size;
}

bool order_load(struct order *o, struct err *e)
{
	struct sw *s = o->link->sw;
	struct store_loaded loaded;
	switch_note(s, "transfer", o->transfer);
	arena_reset(s->work);
	if (!store_load_transfer(s->store, o->transfer, &loaded, s->work, e))
		return false;
	if (!reroute_trace(s, loaded.m, loaded.tried))
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "no room for its trace");
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	order_pack(o, &packed, loaded.m);
	bool fits = !packed.bad;
	order_keep_message(o, loaded.m);
	/* A longer content is pulled, from the store when there is no room for a copy. */
	const bool keep = !loaded.in_file && (o->size <= MSG_INLINE_MAX || order_may_keep_hot(o->link));
	if (fits)
		order_keep_hot(o, out_view(&packed), keep ? loaded.content : (struct view){ NULL, 0 });
	out_fini(&packed);
	return fits || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the envelope is longer than %d octets", MSG_ENVELOPE_MAX);
}

bool order_is_outdated(const struct order *o)
{
	return o->has_hot && o->is_plain != connector_is_link(o->link);
}

bool order_have(struct order *o, struct err *e)
{
	if (order_is_outdated(o))
		order_forget_converted(o);
	return o->has_hot || order_load(o, e);
}

void order_free(struct order *o)
{
	order_list_remove(o);
	order_forget_hot(o);
	map_take(&o->link->sw->orders, o->transfer);
	free(o->id_octets);
	free(o->cause);
	free(o->act);
	free(o);
}

void order_gone(struct order *o)
{
	struct swlink *l = o->link;
	resume_forget(l->sw, o->transfer);
	l->queued -= l->queued > 0;
	l->octets -= l->octets < o->size ? l->octets : o->size;
	order_free(o);
}

void order_step(struct order *o, enum store_step_kind kind, const char *text)
{
	if (o->id_octets == NULL) /* never loaded: nothing is known of it */
		return;
	struct store_step step = { .kind = kind, .id = &o->id, .peer = o->link->name, .text = view_str(text), .size = o->size, .of = o->kind,
				   .gateway = steps_is_gateway(o->link) };
	store_put_step(o->link->sw->store, &step);
}

/* --- lists --- */

void order_list_add(struct order_list *l, struct order *o)
{
	assert(o->list == NULL);
	if (l->first == NULL)
		l->end = &l->first;
	o->next = NULL;
	o->list = l;
	*l->end = o;
	l->end = &o->next;
	l->n++;
}

void order_list_put_first(struct order_list *l, struct order *o)
{
	if (l->first == NULL) {
		order_list_add(l, o);
		return;
	}
	assert(o->list == NULL);
	o->next = l->first;
	o->list = l;
	l->first = o;
	l->n++;
}

void order_list_remove(struct order *o)
{
	struct order_list *l = o->list;
	if (l == NULL)
		return;
	struct order **at = &l->first;
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	if (l->end == &o->next)
		l->end = at;
	o->next = NULL;
	o->list = NULL;
	l->n--;
}

struct order *order_list_take(struct order_list *l)
{
	struct order *o = l->first;
	if (o != NULL)
		order_list_remove(o);
	return o;
}
