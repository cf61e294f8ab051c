/* round.c - what mailer and lane have in common: the world of the policy, failures and whom they are charged to. */
#include "proc/mover/mover_int.h"

#include "base/text.h"

const char *mover_peer_name(enum mover_peer state)
{
	static const char *const names[] = { "START", "UNINIT", "OK", "ERROR", "FULL", "FAILED", "NO-REF" };
	return (size_t)state < ARRAY_LEN(names) ? names[state] : "?";
}

void mover_tell_peer(struct mover *m, enum mover_peer state, const char *why)
{
	snprintf(m->why, sizeof m->why, "%s", why);
	if (m->state == state || is_mailer(m))
		return;
	EMIT(m->host, MOVER_PEER, "mover", m->set->name, "peer", m->peer, "state", mover_peer_name(state), "before", mover_peer_name(m->state), "why", why);
	m->state = state;
}

void mover_note(struct mover *m, const struct mm_id *id)
{
	m->item[0] = 0;
	if (id != NULL)
		snprintf(m->item, sizeof m->item, "%s %s", m->bag, id->s);
	if (m->host->note != NULL)
		m->host->note(m->host->ctx, m->item);
}

bool mover_is_in_bag(const void *mover, const struct mm_id *id)
{
	const struct mover *m = mover;
	for (unsigned i = 0; i < m->n; i++)
		if (m->entries[i].readable && mm_same(m->entries[i].header.mai.s, id->s))
			return true;
	return false;
}

/* --- the world of engine/msmail --- */

/* Of a name that is none (too long, control characters) what leads to its postoffice, so that it is refused there, and the sender
 * told, rather than nobody's (Q173344). */
static bool postoffice_of(const struct mm_address *to, struct mm_name *name_r)
{
	size_t n = 0;
	unsigned parts = 0;
	while (n < to->text.n && (to->text.p[n] != '/' || ++parts < 2))
		n++;
	return to->type == MM_ADDRESS_MS && parts == 2 && mm_name_parse(view_first(to->text, n), name_r, NULL);
}

static bool route(void *ctx, const struct mm_address *to, struct mailer_route *r_r, struct err *e)
{
	static const enum mailer_where where[] = {
		[MM_LOCAL_USER] = MAILER_USER, [MM_SYSTEM] = MAILER_SYSTEM, [MM_OUTBOUND] = MAILER_OUTBOUND,
		[MM_NO_USER] = MAILER_NO_USER, [MM_NO_ROUTE] = MAILER_NO_ROUTE, [MM_GROUP] = MAILER_GROUP,
	};
	struct mover *m = mover_check(ctx);
	struct mm_route r;
	struct mm_name name;
	struct err why;
	*r_r = (struct mailer_route){ .where = MAILER_NO_USER };
	const bool is_name = mm_route_name(to, &name, NULL);
	if (!is_name && !postoffice_of(to, &name))
		return true;
	if (!postoffice_route(m->here, &name, &r, &why)) {
		r_r->where = MAILER_NO_ROUTE;
		if (why.culprit == ERR_OF_RECIPIENT && m->last_try)
			return true;
		if (e != NULL)
			*e = why;
		return false;
	}
	if (!is_name && r.where != MM_OUTBOUND)
		return true;
	r_r->where = where[r.where];
	r_r->name = name;
	r_r->next = r.next;
	if (r.where == MM_LOCAL_USER || r.where == MM_OUTBOUND)
		memcpy(r_r->mailbag, r.mailbag, sizeof r_r->mailbag);
	else if (r.where == MM_SYSTEM)
		snprintf(r_r->mailbag, sizeof r_r->mailbag, "SYSTEM");
	return true;
}

static bool members(void *ctx, const char *group, bool (*each)(void *each_ctx, const struct mm_name *member), void *each_ctx, struct err *e)
{
	struct mover *m = mover_check(ctx);
	return postoffice_group(m->here, group, each, each_ctx, e);
}

struct mailer_world mover_world(struct mover *m)
{
	const struct mm_master *master = postoffice_master(m->here);
	return (struct mailer_world){
		.own = master->own,
		.hop_limit = m->set->hops != 0 ? (unsigned)m->set->hops : master->hops != 0 ? master->hops : MM_HOPS_DEFAULT,
		.members_max = 100000, .route = route, .members = members, .ctx = m,
	};
}

bool mover_is_outbound(void *ctx, const char *bag)
{
	return postoffice_is_outbound(mover_check(ctx)->here, bag);
}

/* --- failures --- */

static void say_left(struct mover *m, const struct err *e)
{
	EMIT(m->host, MOVER_LEFT, "mover", m->set->name, "peer", m->peer == NULL ? "" : m->peer, "item", m->item, "why", e->text);
}

/* A peer that takes nothing for want of room is there all the same. */
static bool is_full(struct mover *m, const struct err *e)
{
	uint64_t octets;
	return e->kind == ERR_TEMP && postoffice_space(m->there, &octets, NULL, NULL);
}

enum did mover_did(struct mover *m, const struct err *e, bool there)
{
	if (e->culprit == ERR_OF_LINK && there && is_full(m, e)) {
		mover_tell_peer(m, PEER_FULL, e->text);
		return DID_LEAVE;
	}
	say_left(m, e);
	m->failure = *e;
	if (e->culprit == ERR_OF_LINK)
		return there ? DID_FAIL_PEER : DID_FAIL_HERE;
	return e->kind == ERR_TEMP ? DID_LEAVE : DID_FAIL; /* held by somebody, no memory: not an attempt */
}
