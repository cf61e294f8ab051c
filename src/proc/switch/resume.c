/* resume.c - where transfers of ours broke off: kept in memory for the link's recovery timeout, beside the orders, which come and go.
 *
 * The link says it before the result (TRANSFER_RESUME). The next association of that link is told to recover the one that was
 * lost; when the peer agrees, that transfer goes first on it. It is said again before every handing over to that link: whether
 * the octets are the same, and the association the right one, the link sees for itself, and begins anew when they are not. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"

struct resume {
	struct sw *sw;
	uint64_t transfer;      /* the store's */
	struct swlink *link;
	struct view reference;  /* ours */
	uint64_t activity, offset;
	uint32_t serial;
	uint64_t assoc;         /* which has been told to recover it; 0: none */
	struct timer timer;
};

static void resume_free(struct resume *r)
{
	map_take(&r->sw->resumes, r->transfer);
	timer_stop(&r->timer);
	free((void *)(uintptr_t)r->reference.p);
	free(r);
}

static void on_timeout(void *ctx)
{
	resume_free(ctx);
}

void resume_forget(struct sw *s, uint64_t transfer)
{
	struct resume *r = map_get(&s->resumes, transfer);
	if (r != NULL)
		resume_free(r);
}

void resume_link_gone(const struct swlink *l)
{
	struct resume *r;
	for (size_t i = 0; (r = map_next(&l->sw->resumes, &i)) != NULL;)
		if (r->link == l) {
			resume_free(r);
			i = 0; /* the map has changed */
		}
}

bool resume_told(void *ctx, struct view payload, struct err *e)
{
	struct proc *p = ctx;
	struct sw *s = p->sw;
	struct msg_resume m;
	if (!get_msg_resume(payload, &m, e))
		return false;
	const struct order *o = map_get(&s->handovers, m.transfer);
	if (o == NULL || o->assoc == NULL || o->assoc->proc != p || o->assoc->alone)
		return true; /* of an attempt that was taken back meanwhile, or of a suspect, whose associations are its own */
	resume_forget(s, o->transfer);
	const uint64_t timeout = o->link->set->recovery_timeout_ms;
	if (timeout == 0 || m.reference.n == 0)
		return true;
	struct resume *r = mem_zero(sizeof *r);
	*r = (struct resume){ .sw = s, .transfer = o->transfer, .link = o->link, .activity = m.activity, .offset = m.offset,
			      .serial = m.serial, .reference = view_of(mem_dup(m.reference.p, m.reference.n), m.reference.n) };
	timer_init(&r->timer, s->host.env, on_timeout, r);
	timer_after(&r->timer, (int64_t)timeout);
	map_put(&s->resumes, r->transfer, r);
	return true;
}

/* --- a new association --- */

static struct resume *of_assoc(const struct swassoc *a)
{
	struct resume *r;
	for (size_t i = 0; (r = map_next(&a->link->sw->resumes, &i)) != NULL;)
		if (r->assoc == a->id)
			return r;
	return NULL;
}

struct view resume_reference(const struct swassoc *a)
{
	struct sw *s = a->link->sw;
	struct resume *r, *first = of_assoc(a);
	for (size_t i = 0; first == NULL && (r = map_next(&s->resumes, &i)) != NULL;)
		if (r->link == a->link && r->assoc == 0)
			first = r;
	if (first == NULL || a->proc->kind != PROCESS_LINK)
		return (struct view){ NULL, 0 };
	first->assoc = a->id;
	return first->reference;
}

/* Refused: the peer does not know it, and no other association will find it. */
struct order *resume_first(struct swassoc *a)
{
	struct resume *r = of_assoc(a);
	struct sw *s = a->link->sw;
	if (r == NULL)
		return NULL;
	struct order *o = map_get(&s->orders, r->transfer);
	if (!a->recovered)
		resume_free(r);
	else if (o != NULL && o->link == a->link && queue_window_remove(a->link->window, o->priority, o->transfer))
		return o;
	return NULL;
}

void resume_assoc_gone(const struct swassoc *a)
{
	struct resume *r = of_assoc(a);
	if (r != NULL)
		r->assoc = 0;
}

/* The link says it again, should it break off once more. */
void resume_tell(const struct order *o, struct swassoc *a)
{
	struct sw *s = o->link->sw;
	struct resume *r = map_get(&s->resumes, o->transfer);
	if (r == NULL)
		return;
	if (r->link == o->link && !a->alone) {
		const struct msg_resume m = { .transfer = o->handover, .reference = r->reference, .activity = r->activity,
					      .offset = r->offset, .serial = r->serial };
		put_msg_resume(proc_begin(a->proc, MSG_TRANSFER_RESUME), &m);
		proc_end(a->proc);
	}
	resume_free(r);
}

void resume_fini(struct sw *s)
{
	struct resume *r;
	for (size_t i = 0; (r = map_next(&s->resumes, &i)) != NULL; i = 0)
		resume_free(r);
	map_fini(&s->resumes);
}
