/* quarantine.c - a transfer that nobody gets through leaves its queue and is kept for the operator, and its originator is told.
 *
 * Two groups, so that what kills the switch is bounded: first the transfer goes into quarantine, without being loaded, with a
 * durable mark that its report is owed; then it is loaded, noted, and the report is made. A switch that dies of the report is
 * followed by one that gives it up. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

static const char *number(char text[24], uint64_t n)
{
	snprintf(text, 24, "%llu", (unsigned long long)n);
	return text;
}

void quarantine_condemn(struct order *o, const char *cause)
{
	struct sw *s = o->link->sw;
	char *kept = mem_dup(cause, strlen(cause) + 1);
	free(o->cause);
	o->cause = kept;
	o->in_hand = true;
	order_list_add(&s->alone.condemned, o);
	alone_kick(s);
}

/* Its report is owed from here on. */
static void put(struct sw *s, uint64_t id, struct view link, const struct suspect *x, const char *cause)
{
	const struct key owed = suspect_key("quarantine", id);
	char text[2][24], name[65];
	snprintf(name, sizeof name, "%.*s", (int)link.n, (const char *)link.p);
	store_transfer_quarantine(s->store, id, x == NULL ? 0 : x->strikes, cause, x == NULL ? "" : x->words);
	store_suspect_put(s->store, owed.text, 1, cause);
	tally_add(&s->tallies.mta, METRIC_MTA_QUARANTINES, 1);
	EMIT(&s->host, MESSAGE_QUARANTINED, "quarantine", number(text[0], id), "link", name, "strikes",
	     number(text[1], x == NULL ? 0 : x->strikes), "why", cause);
}

static void entered(struct sw *s, struct waiting *w)
{
	place_enter_windows(s, w);
}

static void put_step(struct sw *s, const struct store_loaded *loaded, const struct store_quarantine *q)
{
	const struct store_step step = { .kind = STEP_QUARANTINED, .id = &loaded->m->id, .peer = q->link, .text = q->cause,
					 .size = q->size };
	store_put_step(s->store, &step);
}

static bool make(struct sw *s, uint64_t id, struct err *e)
{
	struct store_quarantine q;
	struct store_loaded loaded;
	struct err why;
	arena_reset(s->work);
	if (!store_load_quarantine(s->store, id, &q, s->work, e) || !store_load_transfer(s->store, id, &loaded, s->work, e))
		return false;
	bool conversion = q.cause.n >= 10 && memcmp(q.cause.p, "conversion", 10) == 0;
	err_report(&why, ERR_PERM, ERR_OF_MESSAGE, conversion ? 2 : 0, -1, "put into quarantine after %u strikes: %.*s", q.strikes,
		   (int)(q.cause.n < 120 ? q.cause.n : 120), (const char *)q.cause.p);
	struct waiting *w = switch_wait(s, entered, NULL, 0);
	put_step(s, &loaded, &q);
	place_failure(s, &loaded, NULL, &why, w);
	w->ticket = store_ticket(s->store);
	return true;
}

static void report(struct sw *s, uint64_t id)
{
	const struct key owed = suspect_key("quarantine", id);
	char text[24];
	struct err e;
	if (s->failed)
		return; /* a successor owes it */
	switch_note(s, "quarantine", id);
	if (!make(s, id, &e) && !s->failed)
		EMIT(&s->host, MESSAGE_UNREPORTED, "quarantine", number(text, id), "why", e.text);
	store_suspect_put(s->store, owed.text, 0, "");
}

static void condemned(struct order *o)
{
	struct sw *s = o->link->sw;
	uint64_t id = o->transfer;
	if (store_has_group(s->store))
		switch_commit(s);
	if (s->failed) {
		order_free(o);
		return;
	}
	switch_note(s, "transfer", id);
	if (FAULT(SWITCH_QUARANTINE))
		CANT_HAPPEN("a message could not be put into quarantine (fault point)");
	put(s, id, o->link->name, suspect_of(o), o->cause);
	suspect_done(o, false);
	order_gone(o);
	switch_commit(s);
	report(s, id);
}

void quarantine_homeless(struct sw *s, uint64_t id, struct view queue, const struct suspect *x)
{
	struct alone *a = &s->alone;
	put(s, id, queue, x, x->words);
	a->owed = mem_grow(a->owed, mem_mul(a->n_owed + 1, sizeof *a->owed));
	a->owed[a->n_owed++] = suspect_key("quarantine", id);
	alone_kick(s);
}

bool quarantine_run(struct sw *s)
{
	struct order *o = order_list_take(&s->alone.condemned);
	if (o != NULL) {
		condemned(o);
		return true;
	}
	if (s->alone.n_owed == 0)
		return false;
	if (store_has_group(s->store))
		switch_commit(s);
	report(s, strtoull(s->alone.owed[--s->alone.n_owed].text + strlen("quarantine "), NULL, 10));
	return true;
}

void quarantine_unreported(struct sw *s, uint64_t id, const char *words)
{
	const struct key owed = suspect_key("quarantine", id);
	struct alone *a = &s->alone;
	struct store_queued row;
	struct view queue;
	struct store_quarantine q;
	struct err e;
	char text[24], cause[WORDS_MAX + sizeof QUARANTINE_UNREPORTED];
	if (store_find_transfer(s->store, id, &row, &queue))
		put(s, id, queue, NULL, words);
	snprintf(cause, sizeof cause, QUARANTINE_UNREPORTED "%s", words);
	arena_reset(s->work);
	if (store_load_quarantine(s->store, id, &q, s->work, &e))
		store_quarantine_set(s->store, id, q.state, q.strikes, cause, NULL);
	EMIT(&s->host, MESSAGE_UNREPORTED, "quarantine", number(text, id), "why", words);
	store_suspect_put(s->store, owed.text, 0, "");
	for (size_t i = 0; i < a->n_owed; i++)
		if (strcmp(a->owed[i].text, owed.text) == 0)
			a->owed[i--] = a->owed[--a->n_owed];
}
