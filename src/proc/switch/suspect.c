/* suspect.c - strikes: what was in the hands of a process that died by a fault, by key, durable in the store.
 *
 *   its channel ends -> limbo.c keeps what it had in hand until the word comes how it died
 *   by a fault -> one strike for each -> durable -> alone.c, or at the limit quarantine.c (octets: examine.c)
 *
 * A message is a suspect whatever transfer of it was in hand. Inputs are told to the links, which offer their octets undecoded. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

/* --- keys --- */

struct key suspect_key(const char *item, uint64_t id)
{
	struct key k;
	snprintf(k.text, sizeof k.text, "%s %llu", item, (unsigned long long)id);
	return k;
}

struct key suspect_input_key(const struct swlink *l, uint64_t hash)
{
	struct key k;
	snprintf(k.text, sizeof k.text, "input %s %016llx", l == NULL ? "" : l->set->name, (unsigned long long)hash);
	return k;
}

uint64_t suspect_hash(uint64_t hash, struct view octets)
{
	for (size_t i = 0; i < octets.n; i++)
		hash = (hash ^ octets.p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t slot_of(const struct key *k)
{
	return suspect_hash(SUSPECT_HASH_0, view_str(k->text));
}

static bool is_input(const struct key *k)
{
	return strncmp(k->text, "input ", 6) == 0;
}

/* Two keys of one hash are one suspect: the wrong one is handled alone too, no more. */
struct suspect *suspect_find(struct sw *s, const struct key *k)
{
	return s->suspects.n == 0 ? NULL : map_get(&s->suspects, slot_of(k));
}

struct suspect *suspect_of(const struct order *o)
{
	if (o->link->sw->suspects.n == 0)
		return NULL;
	const struct key k = suspect_key("message", o->message);
	return suspect_find(o->link->sw, &k);
}

bool suspect_is_over(const struct sw *s, const struct suspect *x)
{
	return x != NULL && x->strikes >= s->settings->limits.strikes;
}

/* --- what the links are told --- */

static void tell(struct proc *p, const struct swlink *l, uint64_t hash, uint32_t strikes)
{
	struct out *o = p->kind == PROCESS_LINK ? proc_begin(p, MSG_SUSPECT) : NULL;
	if (o == NULL)
		return;
	const struct msg_suspect m = { .link = l->name, .hash = hash, .strikes = strikes };
	put_msg_suspect(o, &m);
	proc_end(p);
}

static void tell_links(struct sw *s, const struct swlink *l, uint64_t hash, uint32_t strikes)
{
	for (struct proc *p = s->procs; p != NULL; p = p->next)
		if (!p->dead)
			tell(p, l, hash, strikes);
}

void suspect_tell_all(struct proc *p)
{
	struct sw *s = p->sw;
	struct suspect *x;
	for (size_t i = 0; (x = map_next(&s->suspects, &i)) != NULL;)
		if (x->link != NULL)
			tell(p, x->link, x->hash, x->strikes);
	for (size_t i = 0; i < s->n_links; i++)
		if (s->links[i].is_guarded)
			tell(p, &s->links[i], 0, (uint32_t)s->settings->limits.strikes);
}

/* A peer that kills with other octets each time: from GUARD_LIMITS times the limit on, all its inputs are examined alone, until none has struck for
 * GUARD_MS. */
static void update_guard(struct swlink *l)
{
	struct sw *s = l->sw;
	struct suspect *x;
	size_t n = 0;
	wall_ms_t since = env_wall_ms(s->host.env) - GUARD_MS;
	for (size_t i = 0; (x = map_next(&s->suspects, &i)) != NULL;)
		n += x->link == l && x->at > since;
	bool guarded = l->is_guarded ? n > 0 : n >= GUARD_LIMITS * s->settings->limits.strikes;
	if (guarded == l->is_guarded)
		return;
	l->is_guarded = guarded;
	tell_links(s, l, 0, guarded ? (uint32_t)s->settings->limits.strikes : 0);
}

/* --- one suspect --- */

static void drop(struct sw *s, struct suspect *x)
{
	map_take(&s->suspects, slot_of(&x->key));
	free(x);
}

static struct suspect *oldest_input(struct sw *s)
{
	struct suspect *x, *oldest = NULL;
	for (size_t i = 0; (x = map_next(&s->suspects, &i)) != NULL;)
		if (is_input(&x->key) && (oldest == NULL || x->at < oldest->at))
			oldest = x;
	return oldest;
}

/* Which input it is: "input LINK HASH", nothing else. The link may be gone from the settings. */
static bool parse_input(struct sw *s, const char *text, struct swlink **link_r, uint64_t *hash_r)
{
	const char *name = text + 6, *last = strrchr(text, ' ');
	if (strncmp(text, "input ", 6) != 0 || last < name || strlen(last + 1) != 16 ||
	    strspn(last + 1, "0123456789abcdef") != 16)
		return false;
	*hash_r = strtoull(last + 1, NULL, 16);
	*link_r = switch_link(s, view_of(name, (size_t)(last - name)));
	return *link_r != NULL || last == name;
}

static struct suspect *enter(struct sw *s, const struct key *k)
{
	if (s->suspects.n >= SUSPECTS_MAX) {
		struct suspect *oldest = oldest_input(s);
		if (oldest == NULL)
			return NULL;
		struct key gone = oldest->key;
		suspect_forget(s, &gone);
	}
	struct suspect *x = mem_zero(sizeof *x);
	x->key = *k;
	if (!parse_input(s, k->text, &x->link, &x->hash))
		x->link = NULL;
	map_put(&s->suspects, slot_of(k), x);
	return x;
}

struct suspect *suspect_strike(struct sw *s, const struct key *k, const char *words)
{
	struct suspect *x = suspect_find(s, k);
	char strikes[16];
	if (x == NULL && (x = enter(s, k)) == NULL)
		return NULL;
	if (x->death == s->n_deaths)
		return x;
	x->death = s->n_deaths;
	x->strikes++;
	x->at = env_wall_ms(s->host.env);
	snprintf(x->words, sizeof x->words, "%s", words);
	store_suspect_put(s->store, k->text, x->strikes, words);
	snprintf(strikes, sizeof strikes, "%u", x->strikes);
	EMIT(&s->host, MESSAGE_STRUCK, "what", k->text, "strikes", strikes, "words", words);
	if (x->link != NULL) {
		tell_links(s, x->link, x->hash, x->strikes);
		update_guard(x->link);
	}
	return x;
}

void suspect_forget(struct sw *s, const struct key *k)
{
	struct suspect *x = suspect_find(s, k);
	if (x == NULL)
		return;
	store_suspect_put(s->store, x->key.text, 0, "");
	if (x->link != NULL)
		tell_links(s, x->link, x->hash, 0);
	drop(s, x);
}

void suspect_released(struct sw *s, uint64_t message)
{
	const struct key k = suspect_key("message", message);
	struct suspect *x = suspect_find(s, &k);
	if (x == NULL)
		x = enter(s, &k);
	if (x == NULL)
		return;
	x->strikes = s->settings->limits.strikes > 1 ? 1 : 0;
	x->at = env_wall_ms(s->host.env);
	if (x->strikes == 0)
		suspect_forget(s, &k);
	else
		store_suspect_put(s->store, k.text, x->strikes, x->words);
}

/* --- the strikes of an order --- */

static bool has_other(const struct order *o)
{
	struct sw *s = o->link->sw;
	struct order *other;
	for (size_t i = 0; (other = map_next(&s->orders, &i)) != NULL;)
		if (other != o && other->message == o->message)
			return true;
	return false;
}

bool suspect_of_conversion(const struct order *o)
{
	const struct suspect *x = suspect_of(o);
	return x != NULL && strncmp(x->words, OF_CONVERSION, sizeof OF_CONVERSION - 1) == 0;
}

void suspect_done(struct order *o, bool cleared)
{
	struct sw *s = o->link->sw;
	struct suspect *x = suspect_of(o);
	if (x == NULL || has_other(o))
		return;
	if (cleared)
		EMIT(&s->host, MESSAGE_CLEARED, "what", x->key.text, "link", o->link->set->name);
	suspect_forget(s, &x->key);
}

/* The strikes are durable: now alone, or into quarantine. */
static void struck_durable(struct sw *s, struct waiting *w)
{
	(void)s;
	for (size_t i = 0; i < w->n_orders; i++)
		dispatch_put_back(w->orders[i]);
	w->n_orders = 0;
}

/* The order waits in the ticket. */
static void strike_order(struct order *o, const char *words, struct waiting *w)
{
	struct sw *s = o->link->sw;
	const struct key k = suspect_key("message", o->message);
	suspect_strike(s, &k, words);
	order_step(o, STEP_STRUCK, words);
	o->in_hand = true;
	w->orders = mem_grow(w->orders, mem_mul(w->n_orders + 1, sizeof *w->orders));
	w->orders[w->n_orders++] = o;
	w->ticket = store_ticket(s->store);
}

void suspect_strike_order(struct order *o, const char *words)
{
	struct sw *s = o->link->sw;
	s->n_deaths++;
	strike_order(o, words, switch_wait(s, struck_durable, NULL, 0));
}

/* --- limbo --- */

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
	struct waiting *w = switch_wait(s, struck_durable, NULL, 0);
	while ((o = order_list_take(&b->orders)) != NULL)
		strike_order(o, text, w);
}

/* How a program that is not our child has ended nobody says: once or twice with the same transfer in hand is chance. */
static void let_go_of_connector(struct limbo *b)
{
	struct order_list back = { 0 }, again = { 0 };
	struct order *o;
	while ((o = order_list_take(&b->orders)) != NULL) {
		if (o->losses++ == 0)
			o->sent_before = o->link->sent;
		order_list_put_first(o->losses < LOSSES_MAX ? &back : &again, o);
	}
	while ((o = order_list_take(&back)) != NULL)
		dispatch_put_back(o);
	if (again.n == 0)
		return;
	struct waiting *w = switch_wait(b->sw, struck_durable, NULL, 0);
	b->sw->n_deaths++;
	while ((o = order_list_take(&again)) != NULL)
		strike_order(o, "its connector has ended each time that it was in hand", w);
}

static void resolve(struct limbo *b, bool by_fault, const char *words)
{
	struct sw *s = b->sw;
	s->n_deaths += by_fault;
	if (by_fault)
		strike_all(b, words);
	else if (b->kind == PROCESS_CONNECTOR)
		let_go_of_connector(b);
	else
		let_go(b);
	limbo_over(b);
	for (size_t i = 0; i < s->n_links; i++)
		dispatch_run(&s->links[i]);
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
	resolve(b, b->accused, *b->words == 0 ? "it made no progress" : b->words);
	if (b->kind == PROCESS_CONNECTOR)
		limbo_free(b); /* no word comes */
	else
		timer_after(&b->timer, TOMBSTONE_MS);
}

static void take_inputs(struct limbo *b, struct proc *p)
{
	struct offer *f;
	if (p->offers.n == 0)
		return;
	b->inputs = mem_alloc(mem_mul(p->offers.n, sizeof *b->inputs));
	for (size_t i = 0; (f = map_next(&p->offers, &i)) != NULL;) {
		struct swlink *l = switch_link(b->sw, view_str(f->link));
		if (l != NULL && f->about.hash != 0 && f->about.examined == 0)
			b->inputs[b->n_inputs++] = suspect_input_key(l, f->about.hash);
	}
}

static void take_orders(struct limbo *b, struct proc *p)
{
	struct sw *s = b->sw;
	struct swassoc *a;
	for (size_t i = 0; (a = map_next(&s->assocs, &i)) != NULL;)
		while (a->proc == p && a->in_flight > 0) {
			struct order *o = a->held[0];
			dispatch_release(o);
			o->in_hand = true;
			order_list_add(&b->orders, o);
		}
	struct order *o = convert_take_back(p);
	if (o == NULL)
		return;
	b->content = true;
	o->in_hand = true;
	order_list_add(&b->orders, o);
}

void suspect_proc_gone(struct proc *p)
{
	struct sw *s = p->sw;
	struct limbo *b, **at = &s->limbos;
	if (p->kind != PROCESS_LINK && p->kind != PROCESS_ALONE && p->kind != PROCESS_CONTENT && p->kind != PROCESS_CONNECTOR)
		return;
	b = mem_zero(sizeof *b);
	*b = (struct limbo){ .sw = s, .kind = p->kind, .instance = p->instance, .accused = p->accused };
	while (*at != NULL)
		at = &(*at)->next;
	*at = b;
	timer_init(&b->timer, s->host.env, on_no_word, b);
	timer_after(&b->timer, p->kind == PROCESS_CONNECTOR ? 0 : PEER_WORD_MS);
	snprintf(b->words, sizeof b->words, "%s", p->words);
	take_inputs(b, p);
	take_orders(b, p);
	if (p->kind == PROCESS_ALONE && s->alone.examine.number != 0)
		b->octets = s->alone.examine.octets;
}

/* --- how it died --- */

static uint64_t number_after(const char *text, const char *item)
{
	size_t n = strlen(item);
	if (strncmp(text, item, n) != 0 || text[n] != ' ' || strspn(text + n + 1, "0123456789") != strlen(text + n + 1))
		return 0;
	return strtoull(text + n + 1, NULL, 10);
}

/* What it noted, beside what the switch knows that it had in hand: an input that it had not offered yet, or a transfer that a
 * switch before this one gave it. A note may be stale: then it names nothing that waits. */
static void strike_note(struct sw *s, const char *note, const char *words)
{
	struct swlink *l;
	struct store_queued row;
	struct view queue;
	uint64_t hash, id;
	struct key k;
	if (parse_input(s, note, &l, &hash))
		k = suspect_input_key(l, hash);
	else if ((id = number_after(note, "transfer")) != 0 && store_find_transfer(s->store, id, &row, &queue))
		k = suspect_key("message", row.message);
	else if ((id = number_after(note, "delivery")) != 0)
		k = suspect_key("delivery", id);
	else
		return;
	suspect_strike(s, &k, words);
}

/* Nothing is in memory yet; durable before anything is tried again. */
static void own_death(struct sw *s, const char *words, const char *note)
{
	uint64_t id = number_after(note, "quarantine");
	s->n_deaths++;
	if (id != 0)
		quarantine_unreported(s, id, words);
	else
		strike_note(s, note, words);
	if (store_has_group(s->store))
		store_commit(s->store);
	alone_kick(s);
}

static struct limbo *find_limbo(struct sw *s, enum process_kind kind, uint32_t instance)
{
	struct limbo *b = s->limbos;
	while (b != NULL && (b->kind != kind || b->instance != instance))
		b = b->next;
	return b;
}

void switch_peer_died(struct sw *s, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct err e;
	CHECK(s, SW_MAGIC);
	if (kind == PROCESS_SWITCH && by_fault)
		own_death(s, words, note);
	if (kind != PROCESS_LINK && kind != PROCESS_ALONE && kind != PROCESS_CONTENT)
		return;
	struct limbo *b = find_limbo(s, kind, instance);
	struct proc *p = proc_find(s, kind, instance);
	if (b == NULL && p != NULL) { /* the end of its streams has not been read yet */
		err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "its process has died");
		proc_lost(p, &e);
		b = find_limbo(s, kind, instance);
	}
	if (b != NULL && !b->over)
		resolve(b, by_fault, words);
	if (by_fault)
		strike_note(s, note, words);
	if (b != NULL)
		limbo_free(b);
}

/* --- life --- */

struct starting {
	struct sw *s;
	size_t left_out;
};

static void load_one(void *ctx, const char *key, uint32_t strikes, wall_ms_t at, const char *words)
{
	struct starting *st = ctx;
	struct sw *s = st->s;
	struct key k;
	snprintf(k.text, sizeof k.text, "%s", key);
	if (number_after(key, "quarantine") != 0) {
		s->alone.owed = mem_grow(s->alone.owed, mem_mul(s->alone.n_owed + 1, sizeof k));
		s->alone.owed[s->alone.n_owed++] = k;
		return;
	}
	struct suspect *x = s->suspects.n >= SUSPECTS_MAX ? NULL : enter(s, &k);
	if (x == NULL) {
		st->left_out++;
		return;
	}
	x->strikes = strikes;
	x->at = at;
	snprintf(x->words, sizeof x->words, "%s", words);
}

void suspect_start(struct sw *s)
{
	struct starting st = { .s = s };
	char n[64];
	store_suspects(s->store, load_one, &st);
	for (size_t i = 0; i < s->n_links; i++)
		update_guard(&s->links[i]);
	snprintf(n, sizeof n, "%zu suspects were not read", st.left_out);
	if (st.left_out > 0)
		EMIT(&s->host, STORE_DAMAGED, "why", n);
}

void suspect_fini(struct sw *s)
{
	struct suspect *x;
	while (s->limbos != NULL)
		limbo_free(s->limbos);
	for (size_t i = 0; (x = map_next(&s->suspects, &i)) != NULL;)
		free(x);
	map_fini(&s->suspects);
}

/* A message that waits is not forgotten. */
static bool is_old(struct sw *s, const struct suspect *x, wall_ms_t before)
{
	struct order *o;
	if (x->at >= before)
		return false;
	for (size_t i = 0; (o = map_next(&s->orders, &i)) != NULL;)
		if (suspect_of(o) == x)
			return false;
	return true;
}

void suspect_sweep(struct sw *s)
{
	wall_ms_t before = env_wall_ms(s->host.env) - (wall_ms_t)s->settings->store.keep_tracking_ms;
	struct suspect *x;
	for (size_t i = 0; (x = map_next(&s->suspects, &i)) != NULL;)
		if (is_old(s, x, before)) {
			suspect_forget(s, &x->key);
			break; /* the map has changed; the others follow with the next sweeps */
		}
	for (size_t i = 0; i < s->n_links; i++)
		update_guard(&s->links[i]);
}
