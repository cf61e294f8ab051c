/* out_post.c - a converted message into bags of the postoffice: where its recipients are, its files, its records. */
#include "proc/interchange/interchange_int.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/message/pack.h"

enum { NOTICE_UNKNOWN = 2, NOTICE_TOO_LARGE = 9, NOTICE_FULL = 17 };

/* --- who lives where --- */

static void refuse(struct interchange *x, struct mm_recipient *r, int notice, int reason, int diagnostic, const char *why)
{
	struct outward *o = &x->out;
	r->notice = notice;
	r->reason = reason;
	r->diagnostic = diagnostic;
	r->why = arena_copy(o->a, view_str(why));
	r->responsible = false;
	r->bag[0] = 0;
	for (size_t i = 0; i < o->message.n_rcpt; i++) {
		struct recipient *to = &o->message.rcpt[i];
		if (to->number != r->number || !to->responsible)
			continue;
		to->outcome = OUTCOME_NOT_DELIVERED;
		to->reason = reason;
		to->diagnostic = diagnostic;
		to->supplementary = r->why;
	}
}

static void refuse_unknown(struct interchange *x, struct mm_recipient *r, const struct mm_name *name, const struct mm_route *route)
{
	char why[120];
	const bool no_user = route->where == MM_NO_USER;
	if (no_user) {
		snprintf(why, sizeof why, "%s/%s has no mailbox %s", name->network, name->postoffice, name->mailbox);
		EMIT(&x->host, MSMAIL_NO_USER, "link", x->link->name, "item", x->out.item, "recipient", why);
	} else {
		snprintf(why, sizeof why, "no mailbag leads to %s/%s", name->network, name->postoffice);
		EMIT(&x->host, MSMAIL_NO_ROUTE, "link", x->link->name, "item", x->out.item, "recipient", why);
	}
	refuse(x, r, NOTICE_UNKNOWN, 1, 0, why);
}

/* Live records of a bag; asked for each bag once (the recipients before have the others). */
static bool is_full(struct interchange *x, size_t i, bool *full_r, struct err *e)
{
	const struct mm_envelope *v = &x->out.v;
	unsigned n, live;
	*full_r = false;
	for (size_t k = 0; k < i; k++)
		if (strcmp(v->recipients[k].bag, v->recipients[i].bag) == 0)
			return true;
	if (!postoffice_bag(x->po, v->recipients[i].bag, 0, NULL, &n, &live, e))
		return false;
	*full_r = live >= MM_BAG_RECORDS;
	return true;
}

static bool route_one(struct interchange *x, size_t i, struct err *e)
{
	struct mm_recipient *r = &x->out.v.recipients[i];
	struct mm_route route;
	struct mm_name name;
	struct err why;
	bool full;
	r->bag[0] = 0;
	if (!r->responsible)
		return true;
	if (!mm_route_name(&r->address, &name, &why)) {
		refuse(x, r, NOTICE_UNKNOWN, 1, 0, why.text);
		return true;
	}
	if (!postoffice_route(x->po, &name, &route, e))
		return false;
	switch (route.where) {
	case MM_NO_USER:
	case MM_NO_ROUTE:
		refuse_unknown(x, r, &name, &route);
		return true;
	case MM_LOCAL_USER:
	case MM_SYSTEM:
	case MM_GROUP:
		x->out.via_queue = true;
		return true;
	case MM_OUTBOUND:
		break;
	}
	snprintf(r->bag, sizeof r->bag, "%s", route.mailbag);
	if (!is_full(x, i, &full, e))
		return false;
	for (size_t k = 0; full && k <= i; k++)
		if (strcmp(x->out.v.recipients[k].bag, route.mailbag) == 0)
			refuse(x, &x->out.v.recipients[k], NOTICE_FULL, 1, 4, "the mailbag of the next postoffice is full");
	return true;
}

static size_t count_ours(const struct mm_envelope *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		n += v->recipients[i].responsible;
	return n;
}

/* Nobody is left: one cause for all is the transfer's; else each has his own in a report of ours. */
static bool nobody_left(struct interchange *x, struct err *e)
{
	const struct outward *o = &x->out;
	const struct recipient *first = NULL;
	bool same = true;
	for (size_t i = 0; i < o->message.n_rcpt; i++) {
		const struct recipient *r = &o->message.rcpt[i];
		if (!r->responsible)
			continue;
		same = same && (first == NULL || (first->reason == r->reason && first->diagnostic == r->diagnostic));
		first = first == NULL ? r : first;
	}
	if (same || o->message.kind != MESSAGE_MESSAGE) {
		const struct view why = first == NULL ? VIEW("no recipient is ours") : first->supplementary;
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, first == NULL || first->outcome == OUTCOME_DELIVERED ? 1 : first->reason,
				  first == NULL || first->outcome == OUTCOME_DELIVERED ? 0 : first->diagnostic, "%.*s", (int)(why.n < 180 ? why.n : 180), (const char *)why.p);
	}
	x->out.n_files = x->out.at_file = 0; /* nothing to put anywhere */
	return true;
}

uint64_t post_size(const struct interchange *x)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < x->out.n_files; i++)
		sum += x->out.files[i].size;
	return sum;
}

bool post_refuse_size(struct interchange *x, struct err *e)
{
	struct mm_envelope *v = &x->out.v;
	char why[120];
	snprintf(why, sizeof why, "%llu octets are more than the disk of %s holds", (unsigned long long)post_size(x), x->own_text);
	for (size_t i = 0; i < v->n; i++)
		if (v->recipients[i].responsible)
			refuse(x, &v->recipients[i], NOTICE_TOO_LARGE, 1, 7 /* content-too-long */, why);
	return nobody_left(x, e);
}

bool post_begin(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	const uint64_t sum = post_size(x);
	uint64_t room, most;
	for (size_t i = 0; i < o->v.n; i++)
		if (!route_one(x, i, e))
			return false;
	for (size_t i = 0; o->via_queue && i < o->v.n; i++)
		o->v.recipients[i].bag[0] = 0; /* the mailer of this postoffice places them all */
	if (count_ours(&o->v) == 0)
		return nobody_left(x, e);
	if (!postoffice_space(x->po, &room, &most, e))
		return false;
	if (most < ROOM || most - ROOM < sum)
		return post_refuse_size(x, e);
	if (room < ROOM || room - ROOM < sum)
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "msmail: %s has no room for %llu octets, %llu are left", x->set->postoffice, (unsigned long long)sum,
			       (unsigned long long)room);
	return postoffice_put_begin(x->po, &o->put, e);
}

bool post_octets(struct interchange *x, struct view octets, struct err *e)
{
	struct outward *o = &x->out;
	struct mm_id id;
	if (o->at_file == 0) {
		out_bytes(&o->mai, octets);
		return !o->mai.bad || err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "the message is over limits.message once it is converted");
	}
	if (o->left == o->files[o->at_file].size && !po_put_attachment(o->put, o->left, &id, e))
		return false;
	return octets.n == 0 || po_put_octets(o->put, octets, e);
}

/* --- files and records --- */

static unsigned count_bags(const struct mm_envelope *v)
{
	unsigned n = 0;
	for (size_t i = 0; i < v->n; i++) {
		bool is_new = *v->recipients[i].bag != 0;
		for (size_t k = 0; is_new && k < i; k++)
			is_new = strcmp(v->recipients[k].bag, v->recipients[i].bag) != 0;
		n += is_new;
	}
	return n;
}

static bool make_header(struct interchange *x, struct view file, struct err *e)
{
	struct outward *o = &x->out;
	const struct mai_limits limits = mai_limits_default();
	struct mai m;
	if (!mai_parse(file, x->scramble, &m, o->a, &limits, e))
		return false;
	mail_header_of(&o->v, m.subject, x->zone_minutes, &o->header);
	if (o->v.date.year == 0)
		o->v.date = m.date;
	return true;
}

static bool add_hop(struct interchange *x)
{
	struct mm_envelope *v = &x->out.v;
	struct mm_hop *hops = arena_array(x->out.a, v->n_hops + 1, sizeof *hops);
	if (hops == NULL)
		return false;
	for (size_t i = 0; i < v->n_hops; i++)
		hops[i] = v->hops[i];
	snprintf(hops[v->n_hops].network, sizeof hops->network, "%s", x->own.network);
	snprintf(hops[v->n_hops].postoffice, sizeof hops->postoffice, "%s", x->own.postoffice);
	v->hops = hops;
	v->n_hops++;
	return true;
}

bool post_put(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	if (o->n_files == 0) /* only reports */
		return true;
	o->v.state = MM_UNREADY;
	o->v.arrived = o->at;
	o->v.mai = po_put_id(o->put);
	o->id = o->v.mai;
	const uint64_t sum = post_size(x);
	o->v.size = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
	if (!add_hop(x))
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the envelope is too long");
	if (!make_header(x, out_view(&o->mai), e) || !po_put_mai(o->put, out_view(&o->mai), o->via_queue ? 1 : count_bags(&o->v), e) ||
	    !po_put_envelope(o->put, &o->v, e))
		return false;
	o->id = o->v.mai = po_put_id(o->put);
	o->header.mai = o->id;
	(void)FAULT(INTERCHANGE_PUT);
	return true;
}

static bool put_record(struct interchange *x, const char *bag, struct err *e)
{
	struct mm_header h = x->out.header;
	h.enveloped = !x->out.via_queue;
	(void)FAULT(INTERCHANGE_RECORD);
	return postoffice_deliver(x->po, bag, &h, e);
}

/* A bag that is full by now: those who are in it are told; what the journal says is written anew. */
static void refuse_bag(struct interchange *x, const char *bag)
{
	struct mm_envelope *v = &x->out.v;
	char name[MM_ID_LENGTH + 1];
	snprintf(name, sizeof name, "%s", bag);
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->recipients[i].bag, name) == 0)
			refuse(x, &v->recipients[i], NOTICE_FULL, 1, 4, "the mailbag of the next postoffice is full");
}

bool post_record(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	struct err why;
	if (o->via_queue) {
		o->at_bag = o->v.n; /* its record comes when the envelope is ready */
		return true;
	}
	while (o->at_bag < o->v.n) {
		const struct mm_recipient *r = &o->v.recipients[o->at_bag];
		bool is_new = *r->bag != 0;
		for (size_t k = 0; is_new && k < o->at_bag; k++)
			is_new = strcmp(o->v.recipients[k].bag, r->bag) != 0;
		o->at_bag++;
		if (!is_new)
			continue;
		if (put_record(x, r->bag, &why))
			return true;
		if (why.kind != ERR_PERM || why.culprit != ERR_OF_RECIPIENT) {
			*e = why;
			return false;
		}
		refuse_bag(x, r->bag);
		o->state = OUT_SYNC;
		return postoffice_set_bags(x->po, &o->id, count_bags(&o->v), e);
	}
	return true;
}

static void tell_passed(struct interchange *x)
{
	struct out id;
	char size[16], recipients[24];
	out_init(&id, 400);
	mts_id_print(&x->out.message.id, &id);
	snprintf(size, sizeof size, "%u", x->out.v.size);
	snprintf(recipients, sizeof recipients, "%zu", count_ours(&x->out.v));
	EMIT(&x->host, MSMAIL_PASSED, "link", x->link->name, "id", out_cstr(&id), "mai", x->out.id.s, "size", size, "recipients", recipients);
	out_fini(&id);
}

/* This counts: from here on others go on with it. */
bool post_ready(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	(void)FAULT(INTERCHANGE_READY);
	if (o->via_queue && !put_record(x, "INQUEUE3", e)) { /* one that is not ready is passed over there */
		if (e->kind == ERR_PERM) { /* it is full: that passes, and nobody is refused for it */
			e->kind = ERR_TEMP;
			e->culprit = ERR_OF_ASSOCIATION;
			e->reason = e->diagnostic = -1;
		}
		return false;
	}
	o->v.state = MM_READY;
	if (!postoffice_write_envelope(x->po, &o->v, e))
		return false;
	tell_passed(x);
	return true;
}

/* --- the same transfer again --- */

/* What became of each recipient, as the journal has it. */
static bool recall_outcomes(struct interchange *x, const struct sent_entry *t, struct err *e)
{
	struct outward *o = &x->out;
	struct view packed, names;
	struct message was;
	if (!sent_read(x->sent, t, o->a, &packed, &names, e) || !unpack_message(packed, &was, o->a, e))
		return false;
	for (size_t i = 0; i < was.n_rcpt; i++)
		for (size_t k = 0; k < o->message.n_rcpt; k++) {
			struct recipient *r = &o->message.rcpt[k];
			if (r->number != was.rcpt[i].number || !r->responsible)
				continue;
			r->outcome = was.rcpt[i].outcome;
			r->reason = was.rcpt[i].reason;
			r->diagnostic = was.rcpt[i].diagnostic;
			r->supplementary = was.rcpt[i].supplementary;
		}
	o->at = t->at;
	o->id = t->id;
	return true;
}

static bool go_on(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	if (!postoffice_read_mai(x->po, &o->id, o->mai.max, &o->mai, e) || !make_header(x, out_view(&o->mai), e))
		return false;
	o->header.mai = o->id;
	bool any = false;
	for (size_t i = 0; i < o->v.n; i++)
		any = any || *o->v.recipients[i].bag != 0;
	o->via_queue = !any;
	o->state = OUT_RECORDS;
	return true;
}

bool post_known(struct interchange *x, const struct sent_entry *t, struct err *e)
{
	struct outward *o = &x->out;
	enum mail_found found = MAIL_FINISHED;
	if (!recall_outcomes(x, t, e))
		return false;
	o->state = x->is_ffapi ? OUT_READY : OUT_REPORT; /* what has its name already is not named again */
	if (*o->id.s == 0 || x->is_ffapi)
		return true;
	struct err why;
	if (!mail_look(x->po, &o->id, o->a, &o->v, &found, &why)) {
		if (why.kind == ERR_PERM) /* it is ready, in hands that have spoilt it since */
			return true;
		*e = why;
		return false;
	}
	return found != MAIL_NOT_YET || go_on(x, e);
}
