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

static uint64_t slot_of(const struct key *k)
{
	return hash_octets(HASH_START, view_str(k->text));
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
		if (s->links[i]->is_guarded)
			tell(p, s->links[i], 0, (uint32_t)s->settings->limits.strikes);
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
bool suspect_parse_input(struct sw *s, const char *text, struct swlink **link_r, uint64_t *hash_r)
{
	if (strncmp(text, "input ", 6) != 0)
		return false;
	const char *name = text + 6, *last = strrchr(name, ' ');
	if (last == NULL || strlen(last + 1) != 16 || strspn(last + 1, "0123456789abcdef") != 16)
		return false;
	*hash_r = strtoull(last + 1, NULL, 16);
	*link_r = switch_link(s, view_of(name, (size_t)(last - name)));
	return *link_r != NULL || last == name;
}

uint64_t suspect_number(const char *text, const char *item)
{
	size_t n = strlen(item);
	if (strncmp(text, item, n) != 0 || text[n] != ' ' || strspn(text + n + 1, "0123456789") != strlen(text + n + 1))
		return 0;
	return strtoull(text + n + 1, NULL, 10);
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
	if (!suspect_parse_input(s, k->text, &x->link, &x->hash))
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
	tally_add(&s->tallies.mta, METRIC_MTA_STRIKES, 1);
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

void suspect_released(struct sw *s, const struct key *k)
{
	struct suspect *x = suspect_find(s, k);
	if (x == NULL)
		x = enter(s, k);
	if (x == NULL)
		return;
	x->strikes = s->settings->limits.strikes > 1 ? 1 : 0;
	x->at = env_wall_ms(s->host.env);
	if (x->strikes == 0)
		suspect_forget(s, k);
	else
		store_suspect_put(s->store, k->text, x->strikes, x->words);
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
void suspect_struck(struct sw *s, struct waiting *w)
{
	(void)s;
	for (size_t i = 0; i < w->n_orders; i++)
		dispatch_put_back(w->orders[i]);
	w->n_orders = 0;
}

/* The order waits in the ticket. */
void suspect_strike_in(struct order *o, const char *words, struct waiting *w)
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
	suspect_strike_in(o, words, switch_wait(s, suspect_struck, NULL, 0));
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
	if (suspect_number(key, "quarantine") != 0) {
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
		update_guard(s->links[i]);
	snprintf(n, sizeof n, "%zu suspects were not read", st.left_out);
	if (st.left_out > 0)
		EMIT(&s->host, STORE_DAMAGED, "why", n);
}

void suspect_fini(struct sw *s)
{
	struct suspect *x;
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

void suspect_relink(struct sw *s)
{
	struct suspect *x;
	for (size_t i = 0; (x = map_next(&s->suspects, &i)) != NULL;) {
		uint64_t hash;
		struct swlink *l = NULL;
		x->link = suspect_parse_input(s, x->key.text, &l, &hash) ? l : NULL;
	}
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
		update_guard(s->links[i]);
}
