/* route.c - see postoffice.h: who is here, and which mailbag leads elsewhere. The tables are kept in memory, and read again when their
 * files have changed, and once more before somebody is said to be unknown (Q131116). */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"

enum { TABLE_MAX = 16 << 20, LOOK_AGAIN_MS = 1000, VIA_MAX = 32 };

struct network {
	struct mm_network n;
	struct po_rel rel;   /* of its XTN file; "": it has none */
	struct po_stamp stamp;
	struct err why;      /* what is wrong with it */
	struct mm_xtn *xtns;
	size_t n_xtns;
};

enum table_file { ACCESS, ACCESS2, ACCESS3, NETWORK, ALIASES, TABLE_FILES };
static const char *const table_rel[TABLE_FILES] = { "GLB/ACCESS.GLB", "GLB/ACCESS2.GLB", "GLB/ACCESS3.GLB", "GLB/NETWORK.GLB", "NME/ADMIN.NME" };

struct po_tables {
	struct po_stamp stamps[TABLE_FILES];
	wall_ms_t read_at, looked_at;
	struct mm_user *users;
	struct network *networks;
	struct mm_alias *aliases; /* groups, and external members that a group may have */
	size_t n_users, n_networks, n_aliases;
	struct err bad_user, bad_network; /* of a record that cannot be read: then nobody is unknown for sure */
};

void po_tables_free(struct po_tables **t)
{
	if (*t == NULL)
		return;
	for (size_t i = 0; i < (*t)->n_networks; i++)
		mem_free_((*t)->networks[i].xtns);
	mem_free_((*t)->users);
	mem_free_((*t)->networks);
	mem_free_((*t)->aliases);
	MEM_FREE(*t);
}

/* A file as one writer left it: held shared while it is read. *s_r: how it was then. */
static bool read_held(struct postoffice *po, const char *rel, struct out *o, struct po_stamp *s_r, struct err *e)
{
	int fd;
	size_t got = 0;
	*s_r = (struct po_stamp){ 0 };
	if (!po_open(po, rel, O_RDONLY, &fd, e))
		return false;
	if (fd < 0)
		return true;
	bool ok = po_hold(po, fd, rel, PO_SHARED, e) && po_fstat(po, fd, rel, s_r, NULL, e);
	if (ok && s_r->size > TABLE_MAX)
		ok = err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: has %llu octets, at most %d are read", rel, (unsigned long long)s_r->size, TABLE_MAX);
	uint8_t *p = ok && s_r->size > 0 ? out_reserve(o, (size_t)s_r->size) : NULL;
	ok = ok && (p == NULL || po_read_at(po, fd, rel, p, (size_t)s_r->size, 0, &got, e));
	po_close(po, &fd);
	return ok && (got == s_r->size || err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: became shorter while it was read", rel));
}

static struct view unit(const struct out *o, size_t size, size_t i)
{
	return view_first(view_from(out_view(o), i * size), size);
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void read_users(struct po_tables *t, const struct out *access, const struct out *access2, const struct out *access3)
{
	size_t n = out_len(access2) / MM_ACCESS2_SIZE;
	if (out_len(access) / MM_ACCESS_SIZE < n)
		n = out_len(access) / MM_ACCESS_SIZE;
	if (out_len(access3) / MM_ACCESS3_SIZE < n)
		n = out_len(access3) / MM_ACCESS3_SIZE;
	t->users = mem_alloc(mem_mul(n, sizeof *t->users));
	for (size_t i = 0; i < n; i++) {
		struct mm_user *u = &t->users[t->n_users];
		if (!mm_user_parse(unit(access, MM_ACCESS_SIZE, i), unit(access2, MM_ACCESS2_SIZE, i), unit(access3, MM_ACCESS3_SIZE, i), u, &t->bad_user))
			continue;
		if (u->active)
			t->n_users++;
	}
}

static bool read_xtn(struct postoffice *po, struct network *n, struct err *e)
{
	struct out o;
	n->rel = po_rel_of("XTN", n->n.xtn, ".XTN");
	out_init(&o, TABLE_MAX);
	bool ok = read_held(po, n->rel.s, &o, &n->stamp, &n->why);
	if (!ok && n->why.culprit == ERR_OF_LINK && e != NULL) {
		*e = n->why; /* the server, not this file */
		out_fini(&o);
		return false;
	}
	if (ok && !n->stamp.there)
		(void)err_set(&n->why, ERR_LOCAL, ERR_OF_RECIPIENT, "%s: is missing: the postoffices of network %s cannot be reached", n->rel.s, n->n.name);
	else if (ok && out_len(&o) % MM_XTN_SIZE != 0)
		(void)err_set(&n->why, ERR_LOCAL, ERR_OF_RECIPIENT, "%s: has %zu octets, want a multiple of %d", n->rel.s, out_len(&o), MM_XTN_SIZE);
	const size_t all = ok ? out_len(&o) / MM_XTN_SIZE : 0;
	n->xtns = mem_alloc(mem_mul(all, sizeof *n->xtns));
	for (size_t i = 0; i < all; i++)
		if (mm_xtn_parse(unit(&o, MM_XTN_SIZE, i), &n->xtns[n->n_xtns], &n->why) && n->xtns[n->n_xtns].active)
			n->n_xtns++;
	out_fini(&o);
	if (n->why.kind != ERR_NONE) {
		n->why.kind = ERR_LOCAL;
		n->why.culprit = ERR_OF_RECIPIENT;
		if (po->health.first.kind == ERR_NONE)
			po->health.first = n->why;
	}
	return true;
}

static bool read_networks(struct postoffice *po, struct po_tables *t, const struct out *o, struct err *e)
{
	const size_t all = out_len(o) / MM_NETWORK_SIZE;
	t->networks = mem_zero(mem_mul(all, sizeof *t->networks));
	for (size_t i = 0; i < all; i++) {
		struct network *n = &t->networks[t->n_networks];
		if (!mm_network_parse(unit(o, MM_NETWORK_SIZE, i), &n->n, &t->bad_network) || !n->n.active || n->n.name[0] == 0)
			continue;
		t->n_networks++;
		if (n->n.xtn[0] != 0 && !read_xtn(po, n, e))
			return false;
	}
	return true;
}

static void read_aliases(struct po_tables *t, const struct out *o)
{
	const size_t all = out_len(o) / MM_ALIAS_SIZE;
	t->aliases = mem_alloc(mem_mul(all, sizeof *t->aliases));
	for (size_t i = 0; i < all; i++) {
		struct mm_alias *x = &t->aliases[t->n_aliases];
		if (mm_alias_parse(unit(o, MM_ALIAS_SIZE, i), x, NULL) && x->alias[0] != 0 && (x->type == MM_ALIAS_GROUP || x->type == MM_ALIAS_EXTERNAL))
			t->n_aliases++;
	}
}

static bool read_all(struct postoffice *po, struct err *e)
{
	struct po_tables *t = mem_zero(sizeof *t);
	struct out o[TABLE_FILES];
	bool ok = true;
	t->read_at = t->looked_at = po_now(po);
	for (unsigned i = 0; i < TABLE_FILES; i++)
		out_init(&o[i], TABLE_MAX);
	for (unsigned i = 0; i < TABLE_FILES && ok; i++) {
		ok = read_held(po, table_rel[i], &o[i], &t->stamps[i], e);
		if (ok && !t->stamps[i].there && i != ALIASES)
			ok = err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: is missing: nobody's mailbag is known", table_rel[i]);
	}
	if (ok) {
		read_users(t, &o[ACCESS], &o[ACCESS2], &o[ACCESS3]);
		read_aliases(t, &o[ALIASES]);
		ok = read_networks(po, t, &o[NETWORK], e);
	}
	for (unsigned i = 0; i < TABLE_FILES; i++)
		out_fini(&o[i]);
	if (!ok) {
		po_tables_free(&t);
		return po_of_link(e); /* these files are the postoffice's, not a message's */
	}
	po_tables_free(&po->tables);
	po->tables = t;
	return true;
}

bool po_tables_probe(struct postoffice *po, struct err *e) { return read_all(po, e); }

static bool is_changed(struct postoffice *po, bool *changed_r, struct err *e)
{
	const struct po_tables *t = po->tables;
	struct po_stamp s;
	*changed_r = false;
	for (unsigned i = 0; i < TABLE_FILES && !*changed_r; i++) {
		if (!po_stat(po, table_rel[i], &s, e))
			return false;
		*changed_r = !po_stamp_eq(&s, &t->stamps[i]) && s.there; /* one that is gone for a moment is being replaced */
	}
	for (size_t i = 0; i < t->n_networks && !*changed_r; i++) {
		if (t->networks[i].rel.s[0] == 0)
			continue;
		if (!po_stat(po, t->networks[i].rel.s, &s, e))
			return false;
		*changed_r = !po_stamp_eq(&s, &t->networks[i].stamp);
	}
	return true;
}

/* The tables, looked at for changes now and then; at once when `sure`. *again_r: they are others than before. */
static bool fresh(struct postoffice *po, bool sure, bool *again_r, struct err *e)
{
	const wall_ms_t now = po_now(po);
	*again_r = po->tables == NULL;
	if (*again_r)
		return read_all(po, e);
	const wall_ms_t since = now - po->tables->looked_at;
	if (!sure && since >= 0 && since < LOOK_AGAIN_MS)
		return true;
	po->tables->looked_at = now;
	bool changed;
	if (!is_changed(po, &changed, e))
		return false;
	/* A change that shows in neither time nor size: some servers' clocks tick slowly. */
	*again_r = changed || (sure && now - po->tables->read_at >= LOOK_AGAIN_MS);
	return !*again_r || read_all(po, e);
}

/* --- finding --- */

static const struct mm_user *find_user(const struct po_tables *t, const char *mailbox)
{
	for (size_t i = 0; i < t->n_users; i++)
		if (mm_same(t->users[i].mailbox, mailbox))
			return &t->users[i];
	return NULL;
}

static const struct mm_alias *find_group(const struct po_tables *t, const char *group)
{
	for (size_t i = 0; i < t->n_aliases; i++)
		if (t->aliases[i].type == MM_ALIAS_GROUP && mm_same(t->aliases[i].alias, group))
			return &t->aliases[i];
	return NULL;
}

static const struct network *find_network(const struct po_tables *t, const char *name)
{
	for (size_t i = 0; i < t->n_networks; i++)
		if (mm_same(t->networks[i].n.name, name))
			return &t->networks[i];
	return NULL;
}

static const struct mm_xtn *find_xtn(const struct network *n, const char *name)
{
	for (size_t i = 0; n != NULL && i < n->n_xtns; i++)
		if (mm_same(n->xtns[i].name, name))
			return &n->xtns[i];
	return NULL;
}

static void put_mailbag(struct mm_route *r, const char *mailbag)
{
	snprintf(r->mailbag, sizeof r->mailbag, "%.8s", mailbag);
}

static bool route_here(const struct po_tables *t, const char *mailbox, struct mm_route *r, struct err *e)
{
	const struct mm_user *u = find_user(t, mailbox);
	if (mm_same(mailbox, "$SYSTEM")) {
		r->where = MM_SYSTEM;
		put_mailbag(r, "SYSTEM");
	} else if (u != NULL) {
		r->where = MM_LOCAL_USER;
		put_mailbag(r, u->mailbag);
	} else if (find_group(t, mailbox) != NULL) {
		r->where = MM_GROUP;
	} else if (t->bad_user.kind != ERR_NONE) {
		return err_set(e, ERR_LOCAL, ERR_OF_RECIPIENT, "%.10s: whether he is here is not known: %.140s", mailbox, t->bad_user.text);
	}
	return true;
}

static void leads_to(struct mm_route *r, const struct network *n, const char *postoffice, const char *mailbag)
{
	r->where = MM_OUTBOUND;
	r->network_type = n->n.type;
	r->next = (struct mm_name){ 0 };
	snprintf(r->next.network, sizeof r->next.network, "%s", n->n.name);
	snprintf(r->next.postoffice, sizeof r->next.postoffice, "%s", postoffice);
	put_mailbag(r, mailbag);
}

/* Along the next hops, until one has a mailbag here. */
static bool route_away(const struct po_tables *t, const struct mm_name *to, struct mm_route *r, struct err *e)
{
	const char *network = to->network, *postoffice = to->postoffice;
	r->where = MM_NO_ROUTE;
	for (unsigned i = 0; i < VIA_MAX; i++) {
		const struct network *n = find_network(t, network);
		const struct mm_xtn *x = find_xtn(n, postoffice);
		if (n == NULL)
			return t->bad_network.kind == ERR_NONE ||
			       err_set(e, ERR_LOCAL, ERR_OF_RECIPIENT, "network %.10s: whether it is known is not clear: %.140s", network, t->bad_network.text);
		if (x != NULL && x->mailbag[0] != 0) {
			leads_to(r, n, x->name, x->mailbag);
			return true;
		}
		if ((x == NULL || x->via_postoffice[0] == 0) && n->n.mailbag[0] != 0) {
			leads_to(r, n, "", n->n.mailbag);
			return true;
		}
		if (x == NULL && n->why.kind != ERR_NONE) {
			if (e != NULL)
				*e = n->why;
			return false;
		}
		if (x == NULL || x->via_postoffice[0] == 0)
			return true;
		postoffice = x->via_postoffice;
		network = x->via_network[0] != 0 ? x->via_network : n->n.name;
	}
	return true; /* a ring of hops leads nowhere */
}

static bool route_once(struct postoffice *po, const struct mm_name *to, struct mm_route *r, struct err *e)
{
	const struct mm_name *own = &po->master.own;
	*r = (struct mm_route){ .where = MM_NO_USER };
	if ((to->network[0] == 0 && to->postoffice[0] == 0) || (own->network[0] != 0 && mm_same_postoffice(to, own)))
		return route_here(po->tables, to->mailbox, r, e);
	return route_away(po->tables, to, r, e);
}

bool postoffice_route(struct postoffice *po, const struct mm_name *to, struct mm_route *r_r, struct err *e)
{
	struct mm_route r;
	bool again;
	if (!fresh(po_check(po), false, &again, e))
		return false;
	bool ok = route_once(po, to, &r, e);
	if (!again && (!ok || r.where == MM_NO_USER || r.where == MM_NO_ROUTE)) {
		if (!fresh(po, true, &again, e))
			return false;
		if (again)
			ok = route_once(po, to, &r, e);
	}
	if (ok)
		*r_r = r;
	return ok;
}

void postoffice_set_own(struct postoffice *po, const struct mm_name *own)
{
	po_check(po)->master.own = *own;
	po->master.own.mailbox[0] = 0;
}

/* --- walking. What is called may call the postoffice again, so it is told from a copy. --- */
struct outbound { struct mm_name next; char mailbag[9]; };

bool postoffice_each_outbound(struct postoffice *po, bool (*each)(void *ctx, const struct mm_name *next, const char *mailbag), void *ctx, struct err *e)
{
	bool again;
	if (!fresh(po_check(po), false, &again, e))
		return false;
	const struct po_tables *t = po->tables;
	size_t n = t->n_networks, k = 0;
	for (size_t i = 0; i < t->n_networks; i++)
		n += t->networks[i].n_xtns;
	struct outbound *all = mem_zero(mem_mul(n, sizeof *all));
	for (size_t i = 0; i < t->n_networks; i++) {
		const struct network *w = &t->networks[i];
		for (size_t x = 0; x <= w->n_xtns; x++) {
			const char *mailbag = x < w->n_xtns ? w->xtns[x].mailbag : w->n.mailbag;
			if (mailbag[0] == 0)
				continue;
			memcpy(all[k].next.network, w->n.name, sizeof w->n.name);
			if (x < w->n_xtns)
				memcpy(all[k].next.postoffice, w->xtns[x].name, sizeof w->xtns[x].name);
			memcpy(all[k++].mailbag, mailbag, sizeof all->mailbag);
		}
	}
	bool go_on = true;
	for (size_t i = 0; i < k && go_on; i++)
		go_on = each(ctx, &all[i].next, all[i].mailbag);
	mem_free_(all);
	return true;
}

struct bag_search { const char *bag; bool found; };

static bool compare_bag(void *ctx, const struct mm_name *next, const char *mailbag)
{
	struct bag_search *s = ctx;
	(void)next;
	s->found = mm_same(mailbag, s->bag);
	return !s->found;
}

bool postoffice_is_outbound(struct postoffice *po, const char *bag)
{
	struct bag_search s = { bag, false };
	return !postoffice_each_outbound(po, compare_bag, &s, NULL) || s.found;
}

bool postoffice_each_user(struct postoffice *po, bool (*each)(void *ctx, const struct mm_user *u), void *ctx, struct err *e)
{
	bool again, go_on = true;
	if (!fresh(po_check(po), true, &again, e))
		return false;
	const size_t n = po->tables->n_users;
	struct mm_user *all = mem_dup(po->tables->users, mem_mul(n, sizeof *all));
	for (size_t i = 0; i < n && go_on; i++)
		go_on = each(ctx, &all[i]);
	mem_free_(all);
	return true;
}

struct members { struct mm_name *all; size_t n, max; };

static void add_member(struct members *m, const struct mm_name *own, const char *mailbox)
{
	if (m->n == m->max)
		return;
	m->all[m->n] = *own;
	snprintf(m->all[m->n].mailbox, sizeof m->all->mailbox, "%s", mailbox);
	m->n++;
}

/* Those whose mailbags the .MEM of the group names. */
static void add_local(const struct postoffice *po, const struct out *mem, struct members *m)
{
	const struct po_tables *t = po->tables;
	for (size_t i = 0; i < out_len(mem) / MM_MEMBER_SIZE; i++) {
		const struct mm_id bag = mm_id_of(le32(unit(mem, MM_MEMBER_SIZE, i).p));
		for (size_t u = 0; u < t->n_users; u++)
			if (mm_same(t->users[u].mailbag, bag.s)) {
				add_member(m, &po->master.own, t->users[u].mailbox);
				break;
			}
	}
}

/* Those of the .GRP's chain who are elsewhere. Where is not known: so they get names that nobody has, and are told of as not reached (Q117804). */
static void add_external(const struct postoffice *po, const struct out *grp, struct members *m)
{
	const struct po_tables *t = po->tables;
	const size_t n = out_len(grp) / MM_CHAIN_SIZE;
	size_t at = 0;
	for (size_t steps = 0; steps < n && at / MM_CHAIN_SIZE < n; steps++) {
		const uint8_t *p = unit(grp, MM_CHAIN_SIZE, at / MM_CHAIN_SIZE).p;
		for (size_t i = 0; i < t->n_aliases; i++) {
			char mailbox[MM_NAME_MAX + 1];
			if (t->aliases[i].type != MM_ALIAS_EXTERNAL || t->aliases[i].tid != le32(p))
				continue;
			snprintf(mailbox, sizeof mailbox, "*%.9s", t->aliases[i].alias);
			for (char *c = mailbox; *c != 0; c++)
				if (*c == '/' || *c == ' ')
					*c = '_';
			add_member(m, &po->master.own, mailbox);
		}
		at = le32(p + 4);
		if (at == 0)
			return;
	}
}

static bool read_members(struct postoffice *po, const struct mm_alias *g, struct members *m, struct err *e)
{
	struct out mem, grp;
	struct po_stamp s;
	out_init(&mem, TABLE_MAX);
	out_init(&grp, TABLE_MAX);
	/* No .MEM: no local part (Q117895). */
	const bool ok = g->file[0] == 0 || (read_held(po, po_rel_of("MEM", g->file, ".MEM").s, &mem, &s, e) && read_held(po, po_rel_of("GRP", g->file, ".GRP").s, &grp, &s, e));
	if (ok) {
		m->max = out_len(&mem) / MM_MEMBER_SIZE + out_len(&grp) / MM_CHAIN_SIZE;
		m->all = mem_zero(mem_mul(m->max, sizeof *m->all));
		add_local(po, &mem, m);
		add_external(po, &grp, m);
	}
	out_fini(&mem);
	out_fini(&grp);
	return ok;
}

bool postoffice_group(struct postoffice *po, const char *group, bool (*each)(void *ctx, const struct mm_name *member), void *ctx, struct err *e)
{
	bool again, go_on = true;
	if (!fresh(po_check(po), false, &again, e))
		return false;
	const struct mm_alias *g = find_group(po->tables, group);
	if (g == NULL)
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 30, "[007] the group %.30s is not here any more", group);
	struct members m = { 0 };
	if (!read_members(po, g, &m, e))
		return false;
	for (size_t i = 0; i < m.n && go_on; i++)
		go_on = each(ctx, &m.all[i]);
	mem_free_(m.all);
	return true;
}
