/* apply.c - the links as this process knows them, and other settings for them while associations are open.
 *
 * Each link has a struct partner, found by its name; what refers to a link points there, so that other settings are copied into it and nothing
 * has to be told. One that is gone from the settings has its texts copied and goes when the last association of it has gone.
 *
 * Of a link whose peer sees something else now, the inbound associations end here, each between two transfers: they were let in by
 * other passwords and hosts. The outbound ones are the switch's to close, which has the same settings and knows what it wants opened. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "proc/table/settings_change.h"

struct partner *partner_of(const struct set_link *k)
{
	struct partner *p = CONTAINER((struct set_link *)(uintptr_t)k, struct partner, set);
	CHECK(p, PARTNER_MAGIC);
	return p;
}

static struct partner *partner_new(const struct set_link *set)
{
	struct partner *p = mem_zero(sizeof *p);
	p->magic = PARTNER_MAGIC;
	p->set = *set;
	return p;
}

static void partner_free(struct partner *p)
{
	tls_free(&p->tls);
	arena_free(&p->own);
	p->magic = 0;
	free(p);
}

void partners_begin(struct link *l)
{
	const struct set_link *links = l->settings->links.v;
	l->n_partners = l->settings->links.n;
	l->partners = mem_zero(mem_mul(l->n_partners + 1, sizeof *l->partners));
	for (size_t i = 0; i < l->n_partners; i++)
		l->partners[i] = partner_new(&links[i]);
}

void partners_end(struct link *l)
{
	while (l->gone != NULL) {
		struct partner *p = l->gone;
		l->gone = p->next;
		partner_free(p);
	}
	for (size_t i = 0; i < l->n_partners; i++)
		partner_free(l->partners[i]);
	l->n_partners = 0;
	MEM_FREE(l->partners);
}

/* --- the end of one --- */

static bool refers_to(const struct assoc *a, const struct partner *p)
{
	return a->peer == &p->set || a->in.held_of == &p->held;
}

static bool is_referred_to(const struct link *l, const struct partner *p)
{
	const struct assoc *const lists[] = { l->assocs, l->graves };
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (const struct assoc *a = lists[i]; a != NULL; a = a->next)
			if (refers_to(a, p))
				return true;
	return exam_is_of(l->examination, p);
}

void partners_reap(struct link *l)
{
	for (struct partner **at = &l->gone; *at != NULL;) {
		struct partner *p = *at;
		if (is_referred_to(l, p)) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		partner_free(p);
	}
}

/* --- other settings --- */

/* For the associations to come: each has its own from when it was made. */
static void set_limits(struct link *l)
{
	const struct set_limits *limits = &l->settings->limits;
	arena_free(&l->arena); /* between two calls nothing is in it */
	l->arena = arena_new(link_arena_quota(limits));
	l->inbound_max = (size_t)limits->associations;
	if (exam_is_idle(l->examination)) {
		exam_free(&l->examination);
		l->examination = exam_new(l);
	}
}

static void leave_all(struct link *l, const struct partner *p)
{
	for (struct assoc *a = l->assocs, *next; a != NULL; a = next) {
		next = a->next;
		if (a->peer == &p->set && !a->initiator && a->bound && !a->dead)
			a->is_outdated = a->leaving = a->releasing = true; /* when all settings are those of now: link_settings */
	}
}

static void partner_gone(struct link *l, struct partner *p)
{
	p->own = arena_new(SIZE_MAX);
	settings_copy(settings_link_section(), &p->set, &p->set, p->own);
	suspects_forget(l, &p->set);
	leave_all(l, p);
	p->next = l->gone;
	l->gone = p;
}

static struct partner *take_partner(struct partner **v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] != NULL && strcmp(v[i]->set.name, name) == 0) {
			struct partner *p = v[i];
			v[i] = NULL;
			return p;
		}
	return NULL;
}

/* One that has gone and comes again before the last of it is over is the same. */
static struct partner *take_gone(struct link *l, const char *name)
{
	for (struct partner **at = &l->gone; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->set.name, name) == 0) {
			struct partner *p = *at;
			*at = p->next;
			p->next = NULL;
			return p;
		}
	return NULL;
}

static struct partner *partner_update(struct link *l, struct partner *p, const struct set_link *set)
{
	struct arena *own = p->own;
	if (settings_link_differs(&p->set, set))
		leave_all(l, p);
	p->set = *set;
	p->own = NULL;
	arena_free(&own);
	return p;
}

/* The texts of those before are good until this returns. */
static void set_partners(struct link *l, const struct settings *now)
{
	const struct set_link *set = now->links.v;
	struct partner **before = l->partners;
	const size_t n_before = l->n_partners, n = now->links.n;
	struct partner **after = mem_zero(mem_mul(n + 1, sizeof *after));
	for (size_t i = 0; i < n; i++) {
		struct partner *p = take_partner(before, n_before, set[i].name);
		if (p == NULL)
			p = take_gone(l, set[i].name);
		after[i] = p == NULL ? partner_new(&set[i]) : partner_update(l, p, &set[i]);
	}
	for (size_t i = 0; i < n_before; i++)
		if (before[i] != NULL)
			partner_gone(l, before[i]);
	free(before);
	l->partners = after;
	l->n_partners = n;
}

void link_tell_settled(struct link *l)
{
	const struct msg_count m = { settings_hash(l->settings), 0 };
	if (l->control == NULL)
		return;
	put_msg_count(chan_begin(l->control, MSG_SETTLED), &m);
	chan_end(l->control);
}

void link_settings(struct link *l, const struct settings *settings)
{
	CHECK(l, LINK_MAGIC);
	note_nothing(l); /* it may name a link */
	set_partners(l, settings);
	l->settings = settings;
	arena_reset(l->config_arena);
	if (!gdi_parse(view_str(settings->mta.domain), &l->domain, l->config_arena, NULL))
		l->domain = (struct gdi){ 0 };
	bind_list_selectors(l);
	secure_read(l);
	set_limits(l);
	for (struct assoc *a = l->assocs; a != NULL; a = a->next)
		assoc_settings(a);
	link_tell_settled(l);
	for (struct assoc *a = l->assocs, *next; a != NULL; a = next) {
		next = a->next;
		if (a->leaving && !a->dead)
			assoc_leave(a);
	}
}
