/* check_tables.c - see check_int.h: ACCESS*.GLB and address lists; NETWORK.GLB, the XTN files, and that each names what is there (Q166147, Q201120). */
#include "flow/wire/postoffice/check_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>

enum { OWNER_MAX = 80 };

/* --- who owns which mailbag --- */
void check_own_bag(struct check *c, const char *file, const char *mailbag, const char *owner_fmt, ...)
{
	char owner[OWNER_MAX];
	uint32_t number;
	va_list ap;
	va_start(ap, owner_fmt);
	vsnprintf(owner, sizeof owner, owner_fmt, ap);
	va_end(ap);
	if (!mm_id_parse(view_str(mailbag), NULL, &number, NULL))
		return;
	check_saw_bag(c, number);
	const char *other = map_get(&c->bags, (uint64_t)number + 1);
	if (other != NULL)
		check_found(c, file, false, "%s has the mailbag %s, which is also that of %s", owner, mailbag, other);
	else if ((other = arena_str(c->arena, view_str(owner))) != NULL)
		map_put(&c->bags, (uint64_t)number + 1, (void *)(uintptr_t)other);
}

static const char *shown(char buf[64], const char *s)
{
	return text_escaped(buf, 64, view_str(s));
}

static struct view record_of(const struct out *o, size_t size, size_t i)
{
	return view_first(view_from(out_view(o), i * size), size);
}

/* --- users --- */
static const struct { const char *rel; size_t size; } access_files[3] = {
	{ "GLB/ACCESS.GLB", MM_ACCESS_SIZE }, { "GLB/ACCESS2.GLB", MM_ACCESS2_SIZE }, { "GLB/ACCESS3.GLB", MM_ACCESS3_SIZE }
};

struct users {
	struct out o[3];
	struct mm_user *all;
	size_t n;
};

/* ACCESS2 is written last: what the others have more is of a user who was not made to the end. */
static bool check_access_sizes(struct check *c, struct users *u, struct err *e)
{
	const size_t n = out_len(&u->o[1]) / MM_ACCESS2_SIZE;
	const bool enough = out_len(&u->o[0]) / MM_ACCESS_SIZE >= n && out_len(&u->o[2]) / MM_ACCESS3_SIZE >= n;
	for (size_t i = 0; i < 3; i++) {
		const size_t is = out_len(&u->o[i]), want = n * access_files[i].size;
		bool mended = false;
		if (is == want)
			continue;
		if (enough && !check_put(c, access_files[i].rel, view_first(out_view(&u->o[i]), want), &mended, e))
			return false;
		check_found(c, access_files[i].rel, mended, "it has %zu octets, want %zu for the %zu users of ACCESS2.GLB", is, want, n);
	}
	u->n = enough ? n : 0;
	return true;
}

static void check_user(struct check *c, struct users *u, size_t i)
{
	char name[64], other[64];
	const struct mm_user *x = &u->all[i];
	if (!x->active)
		return;
	for (size_t k = 0; k < i; k++)
		if (u->all[k].active && mm_same(u->all[k].mailbox, x->mailbox))
			check_found(c, access_files[1].rel, false, "records %zu and %zu are both \"%s\"", k, i, shown(name, x->mailbox));
	if (x->mailbag[0] == 0)
		check_found(c, access_files[1].rel, false, "record %zu, \"%s\", names no mailbag", i, shown(name, x->mailbox));
	check_own_bag(c, access_files[1].rel, x->mailbag, "the mailbox \"%s\"", shown(other, x->mailbox));
	check_saw_tid(c, x->tid);
}

static void read_users(struct check *c, struct users *u)
{
	unsigned unknown = 0;
	struct err why = { 0 };
	u->all = mem_zero(mem_mul(u->n, sizeof *u->all));
	for (size_t i = 0; i < u->n; i++) {
		const bool ok = mm_user_parse(record_of(&u->o[0], MM_ACCESS_SIZE, i), record_of(&u->o[1], MM_ACCESS2_SIZE, i),
					      record_of(&u->o[2], MM_ACCESS3_SIZE, i), &u->all[i], &why);
		unknown += !ok;
	}
	if (unknown > 0)
		check_found(c, access_files[1].rel, false, "%u of %zu users cannot be read: %s", unknown, u->n, why.text);
	c->ours = unknown == 0 && u->n > 0;
	for (size_t i = 0; i < u->n; i++)
		check_user(c, u, i);
}

/* --- the address list: each user stands in it, nobody who is gone; its shadow equals it --- */
static const struct mm_user *user_of_bag(const struct users *u, const char *mailbag)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->all[i].active && mm_same(u->all[i].mailbag, mailbag))
			return &u->all[i];
	return NULL;
}

/* Drops stale local names; has[i]: user i stands in it. Returns how many were dropped. */
static unsigned drop_stale(struct check *c, const struct users *u, struct out *o, bool *has)
{
	unsigned dropped = 0;
	for (size_t i = 0; i < out_len(o) / MM_ALIAS_SIZE; i++) {
		struct mm_alias a;
		if (!mm_alias_parse(record_of(o, MM_ALIAS_SIZE, i), &a, NULL) || a.alias[0] == 0)
			continue;
		check_saw_tid(c, a.tid);
		if (a.type != MM_ALIAS_LOCAL)
			continue;
		const struct mm_user *x = user_of_bag(u, a.file);
		if (x != NULL) {
			has[x - u->all] = true;
			continue;
		}
		memset(o->p + o->head + i * MM_ALIAS_SIZE, 0, MM_ALIAS_SIZE);
		dropped++;
	}
	return dropped;
}

static unsigned add_missing(const struct users *u, struct out *o, const bool *has)
{
	unsigned added = 0;
	for (size_t i = 0; i < u->n; i++) {
		struct mm_alias a = { .tid = u->all[i].tid, .type = MM_ALIAS_LOCAL };
		uint8_t record[MM_ALIAS_SIZE];
		if (!u->all[i].active || has[i])
			continue;
		snprintf(a.alias, sizeof a.alias, "%s", u->all[i].friendly[0] != 0 ? u->all[i].friendly : u->all[i].mailbox);
		memcpy(a.file, u->all[i].mailbag, sizeof a.file);
		mm_alias_print(&a, record);
		out_bytes(o, view_of(record, sizeof record));
		added++;
	}
	return added;
}

static bool check_aliases(struct check *c, const struct users *u, struct out *list, struct err *e)
{
	static const char rel[] = "NME/ADMIN.NME";
	bool there, mended = false, *has = mem_zero(u->n);
	bool ok = check_read(c, rel, list, &there, e);
	if (ok && there && c->ours) {
		const unsigned stale = drop_stale(c, u, list, has), missing = add_missing(u, list, has);
		if (stale + missing > 0) {
			ok = check_put(c, rel, out_view(list), &mended, e);
			check_found(c, rel, mended, "%u names in it are of nobody, %u users do not stand in it", stale, missing);
		}
	}
	mem_free_(has);
	return ok;
}

static bool check_shadow(struct check *c, const char *rel, const char *shadow, struct err *e)
{
	struct out a, b;
	bool there[2], mended = false;
	out_init(&a, CHECK_FILE_MAX);
	out_init(&b, CHECK_FILE_MAX);
	bool ok = check_read(c, rel, &a, &there[0], e) && check_read(c, shadow, &b, &there[1], e);
	if (ok && there[0] && there[1] && !view_eq(out_view(&a), out_view(&b))) {
		ok = check_put(c, shadow, out_view(&a), &mended, e);
		check_found(c, shadow, mended, "it is not the same as %s", rel);
	}
	out_fini(&a);
	out_fini(&b);
	return ok;
}

/* --- groups: mailbag numbers of users (.MEM) --- */
struct groups { struct check *c; const struct users *users; struct err *e; bool failed; };

static bool check_members(struct groups *g, const char *name, struct err *e)
{
	struct check *c = g->c;
	const struct po_rel rel = po_rel_of("MEM", name, "");
	struct out is, want;
	bool there, mended = false;
	out_init(&is, CHECK_FILE_MAX);
	out_init(&want, CHECK_FILE_MAX);
	bool ok = check_read(c, rel.s, &is, &there, e);
	for (size_t i = 0; ok && i < out_len(&is) / MM_MEMBER_SIZE; i++) {
		const struct view r = record_of(&is, MM_MEMBER_SIZE, i);
		const struct mm_id id = mm_id_of((uint32_t)r.p[0] | (uint32_t)r.p[1] << 8 | (uint32_t)r.p[2] << 16 | (uint32_t)r.p[3] << 24);
		if (user_of_bag(g->users, id.s) != NULL)
			out_bytes(&want, r);
	}
	if (ok && out_len(&want) != out_len(&is) / MM_MEMBER_SIZE * MM_MEMBER_SIZE) {
		ok = check_put(c, rel.s, out_view(&want), &mended, e);
		check_found(c, rel.s, mended, "%zu members are no users", (out_len(&is) - out_len(&want)) / MM_MEMBER_SIZE);
	}
	out_fini(&is);
	out_fini(&want);
	return ok;
}

/* Where a chain of TIDs goes wrong: the record whose next one is none; n: nowhere. In n steps at most. */
static size_t chain_breaks(struct view file)
{
	const size_t n = file.n / MM_CHAIN_SIZE;
	size_t at = 0;
	for (size_t steps = 0; at < n; steps++) {
		const uint8_t *p = file.p + at * MM_CHAIN_SIZE + 4;
		const uint32_t next = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		if (next == 0)
			return n;
		if (next % MM_CHAIN_SIZE != 0 || next / MM_CHAIN_SIZE >= n || steps >= n)
			return at;
		at = next / MM_CHAIN_SIZE;
	}
	return n;
}

static bool check_chain(struct groups *g, const char *name, struct err *e)
{
	struct check *c = g->c;
	struct out o;
	bool there, mended = false;
	const struct po_rel rel = po_rel_of("GRP", name, "");
	out_init(&o, CHECK_FILE_MAX);
	bool ok = check_read(c, rel.s, &o, &there, e);
	const size_t at = chain_breaks(out_view(&o));
	if (ok && at < out_len(&o) / MM_CHAIN_SIZE) {
		memset(o.p + o.head + at * MM_CHAIN_SIZE + 4, 0, 4);
		ok = check_put(c, rel.s, out_view(&o), &mended, e);
		check_found(c, rel.s, mended, "the chain of its members goes nowhere, or round, at record %zu: it ends there", at);
	}
	out_fini(&o);
	return ok;
}

static bool on_grp(void *ctx, const char *name)
{
	struct groups *g = ctx;
	uint32_t number;
	g->failed = check_id_name(name, ".GRP", &number) && !check_chain(g, name, g->e);
	return !g->failed;
}

static bool on_mem(void *ctx, const char *name)
{
	struct groups *g = ctx;
	uint32_t number;
	g->failed = check_id_name(name, ".MEM", &number) && !check_members(g, name, g->e);
	return !g->failed;
}

bool check_users(struct check *c, struct err *e)
{
	struct users u = { 0 };
	struct out list;
	bool ok = true, there = true;
	out_init(&list, CHECK_FILE_MAX);
	for (size_t i = 0; i < 3; i++)
		out_init(&u.o[i], CHECK_FILE_MAX);
	for (size_t i = 0; ok && there && i < 3; i++)
		ok = check_read(c, access_files[i].rel, &u.o[i], &there, e);
	if (ok && there && (ok = check_access_sizes(c, &u, e)))
		read_users(c, &u);
	struct groups g = { .c = c, .users = &u, .e = e };
	ok = ok && check_aliases(c, &u, &list, e) && check_shadow(c, "NME/ADMIN.NME", "NME/ADMINSHD.NME", e) &&
	     check_shadow(c, "GRP/ADMIN.GRP", "GRP/ADMINSHD.GRP", e);
	ok = ok && (!c->ours || (po_list(c->po, "MEM", on_mem, &g, e) && !g.failed && po_list(c->po, "GRP", on_grp, &g, e) && !g.failed));
	for (size_t i = 0; i < 3; i++)
		out_fini(&u.o[i]);
	out_fini(&list);
	mem_free_(u.all);
	return ok;
}

/* --- networks and their postoffices --- */
struct network {
	struct mm_network n;
	struct po_rel rel;    /* of its XTN file; "" */
	struct out o;         /* and its octets */
	struct mm_xtn *xtns;
	size_t n_xtns;
	unsigned *behind;     /* postoffices that are reached by way of this one */
	bool changed;
};

struct networks {
	struct network *all;
	size_t n;
	struct out o;
	bool changed, marked; /* marked: every postoffice bears our mark, so that next hops are known */
};

/* One octet: what is damaged or stale is deleted, so that its name can be made again. */
static void delete_record(struct out *o, size_t at, bool *changed)
{
	o->p[o->head + at] = 0;
	*changed = true;
}

static bool read_xtn(struct check *c, struct network *n, struct err *e)
{
	bool there;
	n->rel = po_rel_of("XTN", n->n.xtn, ".XTN");
	if (!check_read(c, n->rel.s, &n->o, &there, e))
		return false;
	if (!there) {
		bool mended = false;
		if (!check_put(c, n->rel.s, (struct view){ 0 }, &mended, e))
			return false;
		check_found(c, n->rel.s, mended, "it is missing: NETWORK.GLB has it for \"%s\", whose postoffices must be added again", n->n.name);
	}
	return true;
}

static void check_xtns(struct check *c, struct networks *all, struct network *n)
{
	char name[64];
	n->n_xtns = out_len(&n->o) / MM_XTN_SIZE;
	n->xtns = arena_array(c->arena, n->n_xtns + 1, sizeof *n->xtns);
	n->behind = arena_array(c->arena, n->n_xtns + 1, sizeof *n->behind);
	for (size_t i = 0; i < n->n_xtns; i++) {
		struct err why;
		struct mm_xtn *x = &n->xtns[i];
		if (!mm_xtn_parse(record_of(&n->o, MM_XTN_SIZE, i), x, &why) || (x->active && x->name[0] == 0)) {
			delete_record(&n->o, i * MM_XTN_SIZE, &n->changed);
			check_found(c, n->rel.s, c->repair, "record %zu is damaged (%s): that postoffice must be added again", i,
				    x->active && x->name[0] == 0 ? "it has no name" : why.text);
			x->active = false;
		}
		if (!x->active)
			continue;
		all->marked = all->marked && x->marked;
		for (size_t k = 0; k < i; k++)
			if (n->xtns[k].active && mm_same(n->xtns[k].name, x->name))
				check_found(c, n->rel.s, false, "records %zu and %zu are both \"%s\"", k, i, shown(name, x->name));
		if (x->mailbag[0] != 0)
			check_own_bag(c, n->rel.s, x->mailbag, "%s/%s", n->n.name, x->name);
	}
}

static struct network *find_network(struct networks *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->all[i].n.active && mm_same(all->all[i].n.name, name))
			return &all->all[i];
	return NULL;
}

/* Next hops are there and direct; the stored count of those behind one is derived again (Q86625). */
static void check_hop(struct check *c, struct networks *all, const struct network *n, const struct mm_xtn *x)
{
	struct network *via = find_network(all, x->via_network[0] != 0 ? x->via_network : n->n.name);
	if (x->mailbag[0] != 0 || !x->marked)
		return;
	for (size_t i = 0; via != NULL && x->via_postoffice[0] != 0 && i < via->n_xtns; i++)
		if (via->xtns[i].active && mm_same(via->xtns[i].name, x->via_postoffice)) {
			via->behind[i]++;
			if (via->xtns[i].mailbag[0] == 0)
				check_found(c, n->rel.s, false, "%s/%s is reached by way of %s/%s, which is itself reached by way of another", n->n.name, x->name,
					    x->via_network, x->via_postoffice);
			return;
		}
	check_found(c, n->rel.s, false, "%s/%s has neither a mailbag nor a next hop that is known (\"%s/%s\")", n->n.name, x->name, x->via_network, x->via_postoffice);
}

static void check_counts(struct check *c, struct network *n)
{
	for (size_t i = 0; i < n->n_xtns; i++) {
		struct mm_xtn *x = &n->xtns[i];
		uint8_t record[MM_XTN_SIZE];
		if (!x->active || x->indirect == n->behind[i])
			continue;
		check_found(c, n->rel.s, c->repair, "%s/%s counts %u postoffices behind it, and there are %u", n->n.name, x->name, x->indirect, n->behind[i]);
		x->indirect = (uint16_t)n->behind[i];
		mm_xtn_print(x, record);
		memcpy(n->o.p + n->o.head + i * MM_XTN_SIZE, record, sizeof record);
		n->changed = true;
	}
}

static bool read_network(struct check *c, struct networks *all, size_t i, struct err *e)
{
	static const char rel[] = "GLB/NETWORK.GLB";
	struct network *n = &all->all[i];
	struct err why;
	char name[64];
	const bool ok = mm_network_parse(record_of(&all->o, MM_NETWORK_SIZE, i), &n->n, &why);
	if (ok && n->n.active && n->n.xtn[0] == 0 && n->n.mailbag[0] == 0)
		(void)err_set(&why, ERR_PERM, ERR_OF_LINK, "\"%s\" names neither an XTN file nor a mailbag", shown(name, n->n.name));
	else if (ok && n->n.active && n->n.name[0] == 0)
		(void)err_set(&why, ERR_PERM, ERR_OF_LINK, "it has no name");
	else if (ok && !n->n.active)
		return true;
	else if (ok)
		why.kind = ERR_NONE;
	if (why.kind != ERR_NONE) {
		delete_record(&all->o, i * MM_NETWORK_SIZE, &all->changed);
		check_found(c, rel, c->repair, "record %zu is damaged or stale (%s): that network must be added again", i, why.text);
		n->n.active = false;
		return true;
	}
	for (size_t k = 0; k < i; k++)
		if (all->all[k].n.active && mm_same(all->all[k].n.name, n->n.name))
			check_found(c, rel, false, "records %zu and %zu are both \"%s\"", k, i, shown(name, n->n.name));
	if (n->n.xtn[0] == 0)
		return true;
	if (!read_xtn(c, n, e))
		return false;
	check_xtns(c, all, n);
	return true;
}

static bool is_of_postoffice(const struct networks *all, const char *mailbag)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < all->all[i].n_xtns; k++)
			if (all->all[i].xtns[k].active && mm_same(all->all[i].xtns[k].mailbag, mailbag))
				return true;
	return false;
}

/* A gateway at another postoffice has that one's mailbag, whichever record comes first. */
static void own_bags_of_networks(struct check *c, const struct networks *all)
{
	char name[64];
	for (size_t i = 0; i < all->n; i++) {
		const struct mm_network *n = &all->all[i].n;
		if (n->active && n->mailbag[0] != 0 && !is_of_postoffice(all, n->mailbag))
			check_own_bag(c, "GLB/NETWORK.GLB", n->mailbag, "the network %s", shown(name, n->name));
	}
}

static bool put_changed(struct check *c, const struct networks *all, struct err *e)
{
	bool mended;
	for (size_t i = 0; c->repair && i < all->n; i++)
		if (all->all[i].changed && !check_put(c, all->all[i].rel.s, out_view(&all->all[i].o), &mended, e))
			return false;
	return !c->repair || !all->changed || check_put(c, "GLB/NETWORK.GLB", out_view(&all->o), &mended, e);
}

/* --- XTN files that no network names --- */
struct orphans { struct check *c; const struct networks *all; struct err *e; bool failed; };

static bool on_xtn(void *ctx, const char *name)
{
	struct orphans *o = ctx;
	const struct po_rel rel = po_rel_of("XTN", name, "");
	uint32_t number;
	bool mended = false;
	if (!check_id_name(name, ".XTN", &number))
		return true;
	for (size_t i = 0; i < o->all->n; i++)
		if (o->all->all[i].n.active && view_eq_nocase(view_str(o->all->all[i].n.xtn), view_of(name, MM_ID_LENGTH)))
			return true;
	if (o->c->repair) {
		o->failed = !check_backup(o->c, rel.s, o->e) || !po_remove(o->c->po, rel.s, o->e);
		mended = !o->failed;
	}
	check_found(o->c, rel.s, mended, "no network has this file");
	return !o->failed;
}

bool check_networks(struct check *c, struct err *e)
{
	struct networks all = { .marked = true };
	bool there;
	out_init(&all.o, CHECK_FILE_MAX);
	bool ok = check_read(c, "GLB/NETWORK.GLB", &all.o, &there, e);
	all.n = ok && there ? out_len(&all.o) / MM_NETWORK_SIZE : 0;
	all.all = mem_zero(mem_mul(all.n, sizeof *all.all));
	for (size_t i = 0; i < all.n; i++)
		out_init(&all.all[i].o, CHECK_FILE_MAX);
	for (size_t i = 0; ok && i < all.n; i++)
		ok = read_network(c, &all, i, e);
	if (ok)
		own_bags_of_networks(c, &all);
	for (size_t i = 0; ok && i < all.n; i++)
		for (size_t k = 0; k < all.all[i].n_xtns; k++)
			if (all.all[i].xtns[k].active)
				check_hop(c, &all, &all.all[i], &all.all[i].xtns[k]);
	for (size_t i = 0; ok && all.marked && i < all.n; i++)
		check_counts(c, &all.all[i]);
	struct orphans o = { .c = c, .all = &all, .e = e };
	ok = ok && put_changed(c, &all, e) && (!there || (po_list(c->po, "XTN", on_xtn, &o, e) && !o.failed));
	for (size_t i = 0; i < all.n; i++)
		out_fini(&all.all[i].o);
	mem_free_(all.all);
	out_fini(&all.o);
	return ok;
}
