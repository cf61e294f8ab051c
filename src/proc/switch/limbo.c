/* limbo.c - what a process had in hand when its channel ended, until it is known how it died: by a fault, then it is struck
 * (suspect.c); else, or without a word, it goes back to where it was. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

#define NOTE_POSTOFFICE "postoffice " /* begins what an interchange has noted before each call on its postoffice */

static void limbo_over(struct limbo *b)
{
	b->over = true;
	b->n_inputs = 0;
	b->octets.id = 0;
	MEM_FREE(b->inputs);
}

static void limbo_free(struct limbo *b)
{
	struct order *o;
	for (struct limbo **at = &b->sw->limbos; *at != NULL; at = &(*at)->next)
		if (*at == b) {
			*at = b->next;
			break;
		}
	while ((o = order_list_take(&b->orders)) != NULL)
		order_free(o);
	timer_stop(&b->timer);
	limbo_over(b);
	free(b);
}

/* It ended by something else: back to where it was, the first one first. */
static void let_go(struct limbo *b)
{
	struct order_list back = { 0 };
	struct order *o;
	while ((o = order_list_take(&b->orders)) != NULL)
		order_list_put_first(&back, o);
	while ((o = order_list_take(&back)) != NULL)
		dispatch_put_back(o);
}

static void strike_all(struct limbo *b, const char *words)
{
	struct sw *s = b->sw;
	struct order *o;
	char text[WORDS_MAX];
	snprintf(text, sizeof text, "%s%s", b->content ? OF_CONVERSION : "", words);
	for (size_t i = 0; i < b->n_inputs; i++)
		suspect_strike(s, &b->inputs[i], words);
	if (b->octets.id != 0)
		examine_struck(s, &b->octets, words);
	if (b->orders.n == 0)
		return;
	struct waiting *w = switch_wait(s, suspect_struck, NULL, 0);
	while ((o = order_list_take(&b->orders)) != NULL)
		suspect_strike_in(o, text, w);
}

/* How a program that is not our child has ended nobody says: once or twice with the same transfer in hand is chance. */
static void let_go_of_connector(struct limbo *b)
{
	struct order_list back = { 0 }, again = { 0 };
	struct order *o;
	while ((o = order_list_take(&b->orders)) != NULL) {
		if (o->losses++ == 0)
			o->sent_before = o->link->sent;
		if (o->losses < LOSSES_MAX)
			order_list_put_first(&back, o);
		else
			order_list_add(&again, o);
	}
	while ((o = order_list_take(&back)) != NULL)
		dispatch_put_back(o);
	if (again.n == 0)
		return;
	struct waiting *w = switch_wait(b->sw, suspect_struck, NULL, 0);
	b->sw->n_deaths++;
	while ((o = order_list_take(&again)) != NULL)
		suspect_strike_in(o, "its connector has ended each time that it was in hand", w);
}

static struct order *take_noted(struct limbo *b, const char *note)
{
	const uint64_t id = suspect_number(note, "transfer");
	struct order *o = id == 0 ? NULL : map_get(&b->sw->orders, id);
	if (o == NULL || o->list != &b->orders)
		return NULL;
	order_list_remove(o);
	return o;
}

/* Its file server hangs or is gone: the link waits as if it could not be opened. */
static void charge_link(struct limbo *b, const char *words)
{
	struct swlink *l = b->serves;
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_LINK, "the file server: %.180s", words);
	let_go(b);
	if (l->set->kind == LINK_MSMAIL) /* it may be of another kind since */
		dispatch_open_failed(l, &e);
}

/* It does one thing at a time, and notes it. A step on the postoffice is charged to the file server; what it noted and has in hand is
 * struck; a record of the postoffice is struck by its successor, and what was in hand is not what it died of. */
static void charge_interchange(struct limbo *b, const char *words, const char *note)
{
	struct order *o = take_noted(b, note);
	if (strncmp(note, NOTE_POSTOFFICE, sizeof NOTE_POSTOFFICE - 1) == 0) {
		charge_link(b, words);
	} else if (o != NULL) {
		let_go(b);
		suspect_strike_in(o, words, switch_wait(b->sw, suspect_struck, NULL, 0));
	} else if (*note == 0 || b->octets.id != 0) {
		strike_all(b, words);
	} else {
		let_go(b);
	}
}

/* note: NULL: nobody has said how it ended. */
static void resolve(struct limbo *b, bool by_fault, const char *words, const char *note)
{
	struct sw *s = b->sw;
	if (by_fault && b->kind == PROCESS_INTERCHANGE && note == NULL)
		charge_link(b, words); /* it cannot even be killed: that is a call of the file system that does not return */
	else if (by_fault && b->kind == PROCESS_INTERCHANGE)
		charge_interchange(b, words, note);
	else if (by_fault)
		strike_all(b, words);
	else if (b->kind == PROCESS_CONNECTOR)
		let_go_of_connector(b);
	else
		let_go(b);
	limbo_over(b);
	for (size_t i = 0; i < s->n_links; i++)
		dispatch_run(s->links[i]);
	convert_run(s);
	alone_kick(s);
}

static void on_no_word(void *ctx)
{
	struct limbo *b = ctx;
	if (b->over) {
		limbo_free(b);
		return;
	}
	b->sw->n_deaths++;
	resolve(b, b->accused, *b->words == 0 ? "it made no progress" : b->words, NULL);
	if (b->kind == PROCESS_CONNECTOR)
		limbo_free(b); /* no word comes */
	else
		timer_after(&b->timer, TOMBSTONE_MS);
}

static void take_inputs(struct limbo *b, struct proc *p)
{
	struct offer *f;
	if (p->offers.n == 0 || p->kind == PROCESS_INTERCHANGE) /* it counts what it dies of itself, by the record */
		return;
	b->inputs = mem_alloc(mem_mul(p->offers.n, sizeof *b->inputs));
	for (size_t i = 0; (f = map_next(&p->offers, &i)) != NULL;) {
		struct swlink *l = switch_link(b->sw, view_str(f->link));
		if (l != NULL && f->about.hash != 0 && f->about.examined == 0)
			b->inputs[b->n_inputs++] = suspect_input_key(l, f->about.hash);
	}
}

static void take_orders_of(struct limbo *b, struct swassoc *a)
{
	while (a->in_flight > 0) {
		struct order *o = a->held[0];
		dispatch_release(o);
		o->in_hand = true;
		order_list_add(&b->orders, o);
	}
}

static void take_orders(struct limbo *b, struct proc *p)
{
	struct sw *s = b->sw;
	struct swassoc *a;
	for (size_t i = 0; (a = map_next(&s->assocs, &i)) != NULL;)
		if (a->proc == p)
			take_orders_of(b, a);
	for (size_t i = 0; (a = map_next(&p->inbound, &i)) != NULL;)
		take_orders_of(b, a);
	struct order *o = convert_take_back(p);
	if (o == NULL)
		return;
	b->content = true;
	o->in_hand = true;
	order_list_add(&b->orders, o);
}

void limbo_proc_gone(struct proc *p)
{
	struct sw *s = p->sw;
	struct limbo *b, **at = &s->limbos;
	if (p->kind != PROCESS_LINK && p->kind != PROCESS_ALONE && p->kind != PROCESS_CONTENT && !connector_is(p))
		return;
	b = mem_zero(sizeof *b);
	*b = (struct limbo){ .sw = s, .kind = p->kind, .instance = p->instance, .accused = p->accused, .serves = p->serves };
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	timer_init(&b->timer, s->host.env, on_no_word, b);
	timer_after(&b->timer, p->kind == PROCESS_CONNECTOR ? 0 : PEER_WORD_MS);
	snprintf(b->words, sizeof b->words, "%s", p->words);
	take_inputs(b, p);
	take_orders(b, p);
	if (examine_by(p))
		b->octets = s->alone.examine.octets;
}

/* --- how it died --- */

/* What it noted, beside what the switch knows that it had in hand: an input that it had not offered yet, or a transfer that a
 * switch before this one gave it. A note may be stale: then it names nothing that waits. */
static void strike_note(struct sw *s, const char *note, const char *words)
{
	struct swlink *l;
	struct store_queued row;
	struct view queue;
	uint64_t hash, id;
	struct key k;
	if (suspect_parse_input(s, note, &l, &hash))
		k = suspect_input_key(l, hash);
	else if ((id = suspect_number(note, "transfer")) != 0 && store_find_transfer(s->store, id, &row, &queue))
		k = suspect_key("message", row.message);
	else if ((id = suspect_number(note, "delivery")) != 0)
		k = suspect_key("delivery", id);
	else
		return;
	suspect_strike(s, &k, words);
}

/* Nothing is in memory yet; durable before anything is tried again. */
static void own_death(struct sw *s, const char *words, const char *note)
{
	uint64_t id = suspect_number(note, "quarantine");
	s->n_deaths++;
	if (id != 0)
		quarantine_unreported(s, id, words);
	else
		strike_note(s, note, words);
	if (store_has_group(s->store))
		switch_commit(s);
	alone_kick(s);
}

/* The one that waits for its word; else one whose word did not come in time: words may be lost, and a process that dies each time
 * leaves several. */
static struct limbo *find_limbo(struct sw *s, enum process_kind kind, uint32_t instance)
{
	struct limbo *over = NULL;
	for (struct limbo *b = s->limbos; b != NULL; b = b->next) {
		if (b->kind != kind || b->instance != instance)
			continue;
		if (!b->over)
			return b;
		over = over == NULL ? b : over;
	}
	return over;
}

void switch_peer_died(struct sw *s, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct err e;
	CHECK(s, SW_MAGIC);
	if (kind == PROCESS_SWITCH && by_fault)
		own_death(s, words, note);
	if (kind != PROCESS_LINK && kind != PROCESS_ALONE && kind != PROCESS_CONTENT && kind != PROCESS_INTERCHANGE)
		return;
	struct limbo *b = find_limbo(s, kind, instance);
	struct proc *p = proc_find(s, kind, instance);
	if (b == NULL && p != NULL) { /* the end of its streams has not been read yet */
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "its process has died");
		proc_lost(p, &e);
		b = find_limbo(s, kind, instance);
	}
	s->n_deaths++;
	if (b != NULL && !b->over)
		resolve(b, by_fault, words, note);
	if (by_fault)
		strike_note(s, note, words);
	if (b != NULL)
		limbo_free(b);
}

void limbo_fini(struct sw *s)
{
	while (s->limbos != NULL)
		limbo_free(s->limbos);
}
