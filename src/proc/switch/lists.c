/* lists.c - distribution lists (X.411 14.3.4 and 14.3.10): who may send to them, whom they stand for, and whose are the reports.
 *
 * What a list stands for is found at once for all lists of ours that are in it, each address once: nested lists are walked, not
 * followed through the queues, and a list that is in itself ends there. The members are placed in slices, each a message of its own
 * with the history that leads to them; how far it has come stands in the store with the list's transfer.
 *
 * The lists of before stay, with settings of their own, while an expansion that began by them is not over: what is counted there is whom they
 * stood for. That is in memory; beside how far it has come the store has what those members were, so that a switch that begins
 * with other lists sees it, and goes through the list of then from its start: some get it twice, nobody is left out. */
#include "proc/switch/switch_int.h"

#include "base/mem.h"
#include "proc/table/settings_change.h"

enum {
	SLICE = 1000,                    /* members placed at once */
	HISTORY_MAX = 512,               /* X.411 ub-dl-expansions */
	REPORT_DEPTH_MAX = 64,           /* lists that a report may come by here, one after the other */
	USER_DL = 3,                     /* X.411 TypeOfMTSUser */
};

struct member {
	struct oraddr addr;
	uint32_t id;                     /* equal for equal addresses */
	uint64_t hash;                   /* of the address, in every process */
	const struct list *list;         /* NULL: none of ours */
};

struct list {
	const struct set_list *set;
	struct oraddr addr;              /* its first */
	struct member *members;
	size_t n;
	struct route_table *submitters;  /* NULL: anybody */
	struct oraddr owner;
	bool has_owner;
};

struct lists {
	struct lists *older;             /* of settings before these; the younger ones first */
	struct arena *arena;             /* what they were made from */
	size_t members_max, depth_max;   /* limits.list-members, list-depth */
	struct map begun;                /* transfers that are half expanded by these */
	struct list *v;
	size_t n;
	struct route_table *table;       /* addresses -> index */
	size_t n_ids;
};

/* --- from the settings --- */

static bool read_addr(struct sw *s, const struct list *l, const char *what, const char *text, struct oraddr *addr_r, struct err *e)
{
	struct err why;
	if (oraddr_parse(view_str(text), addr_r, s->lists->arena, ORADDR_CARRY, &why))
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "list %s: %s: %.150s", l->set->name, what, why.text);
}

static bool is_mailbox(const struct sw *s, const struct oraddr *addr)
{
	struct route_answer to;
	struct err e;
	return route_find(s->routes, addr, NULL, &to, &e) && to.target == ROUTE_LOCAL;
}

static bool add_addresses(struct sw *s, size_t index, struct err *e)
{
	struct list *l = &s->lists->v[index];
	struct oraddr addr;
	char number[24];
	const char *const *addresses = l->set->addresses.v;
	snprintf(number, sizeof number, "%zu", index);
	for (size_t i = 0; i < l->set->addresses.n; i++) {
		if (!read_addr(s, l, "address", addresses[i], &addr, e))
			return false;
		if (is_mailbox(s, &addr))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "list %s: a mailbox has the address %.120s too", l->set->name, addresses[i]);
		if (!route_add_mailbox(s->lists->table, &addr, number, e))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "list %s: another list has the address %.120s too", l->set->name,
				       addresses[i]);
		if (i == 0)
			l->addr = addr;
	}
	return true;
}

static bool read_list(struct sw *s, size_t index, struct err *e)
{
	struct list *l = &s->lists->v[index];
	bool good;
	const char *const *members = l->set->members.v;
	if (!add_addresses(s, index, e))
		return false;
	l->n = l->set->members.n;
	l->members = mem_zero(mem_mul(l->n + 1, sizeof *l->members));
	for (size_t i = 0; i < l->n; i++)
		if (!read_addr(s, l, "member", members[i], &l->members[i].addr, e))
			return false;
	l->has_owner = *l->set->owner != 0;
	if (l->has_owner && !read_addr(s, l, "owner", l->set->owner, &l->owner, e))
		return false;
	if (!l->has_owner && l->set->reports != LIST_REPORTS_ORIGINATOR)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "list %s: reports go to its owner, and it has none", l->set->name);
	l->submitters = restrict_patterns(s, &l->set->submitters, "submitters of list", l->set->name, &good, e);
	return good;
}

struct keyed {
	char *key;
	struct member *member;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

/* Members of equal addresses get equal numbers, whatever lists they are in. */
static void number_members(struct lists *ls)
{
	struct keyed *all;
	struct out o;
	size_t n = 0;
	for (size_t i = 0; i < ls->n; i++)
		n += ls->v[i].n;
	all = mem_zero(mem_mul(n + 1, sizeof *all));
	n = 0;
	for (size_t i = 0; i < ls->n; i++) {
		for (size_t k = 0; k < ls->v[i].n; k++) {
			out_init(&o, 1 << 20);
			oraddr_key(&ls->v[i].members[k].addr, &o);
			all[n++] = (struct keyed){ mem_dup(out_cstr(&o), out_len(&o) + 1), &ls->v[i].members[k] };
			out_fini(&o);
		}
	}
	qsort(all, n, sizeof *all, by_key);
	for (size_t i = 0; i < n; i++) {
		all[i].member->id = (uint32_t)(i > 0 && strcmp(all[i - 1].key, all[i].key) == 0 ? ls->n_ids - 1 : ls->n_ids++);
		all[i].member->hash = hash_octets(HASH_START, view_str(all[i].key));
	}
	for (size_t i = 0; i < n; i++)
		free(all[i].key);
	free(all);
}

static const struct list *find_in(const struct lists *ls, const struct oraddr *addr)
{
	struct route_answer to;
	struct err e;
	if (ls->n == 0 || !route_find(ls->table, addr, NULL, &to, &e))
		return NULL;
	return &ls->v[strtoul(to.mailbox, NULL, 10)];
}

/* In the arena of the lists: the settings go with the next reload. */
static const struct set_list *copy_settings(const struct setting_list *from, struct arena *a)
{
	struct set_list *set = arena_array(a, from->n + 1, sizeof *set);
	for (size_t i = 0; i < from->n; i++)
		settings_copy(settings_list_section(), (const struct set_list *)from->v + i, &set[i], a);
	return set;
}

bool lists_init(struct sw *s, struct err *e)
{
	struct lists *ls = s->lists = mem_zero(sizeof *ls);
	ls->arena = arena_new(SIZE_MAX);
	const struct set_list *set = copy_settings(&s->settings->lists, ls->arena);
	ls->members_max = (size_t)s->settings->limits.list_members;
	ls->depth_max = (size_t)s->settings->limits.list_depth;
	ls->table = route_table_new();
	ls->n = s->settings->lists.n;
	ls->v = mem_zero(mem_mul(ls->n + 1, sizeof *ls->v));
	for (size_t i = 0; i < ls->n; i++) {
		ls->v[i].set = &set[i];
		if (!read_list(s, i, e))
			return false;
	}
	route_table_seal(ls->table);
	for (size_t i = 0; i < ls->n; i++)
		for (size_t k = 0; k < ls->v[i].n; k++)
			ls->v[i].members[k].list = find_in(ls, &ls->v[i].members[k].addr);
	number_members(ls);
	return true;
}

static void lists_free(struct lists *ls)
{
	for (size_t i = 0; i < ls->n; i++) {
		route_table_free(&ls->v[i].submitters);
		free(ls->v[i].members);
	}
	route_table_free(&ls->table);
	map_fini(&ls->begun);
	arena_free(&ls->arena);
	free(ls->v);
	free(ls);
}

void lists_fini(struct sw *s)
{
	if (s->lists != NULL)
		lists_free(s->lists);
	s->lists = NULL;
}

void lists_forget_older(struct sw *s)
{
	while (s->older_lists != NULL) {
		struct lists *ls = s->older_lists;
		s->older_lists = ls->older;
		lists_free(ls);
	}
}

const struct list *lists_find(const struct sw *s, const struct oraddr *addr)
{
	return find_in(s->lists, addr);
}

/* --- those of before --- */

void lists_keep(struct sw *s, struct lists **old)
{
	if ((*old)->begun.n == 0)
		return;
	(*old)->older = s->older_lists;
	s->older_lists = *old;
	*old = NULL;
}

void lists_begun(struct sw *s, uint64_t transfer)
{
	if (map_get(&s->lists->begun, transfer) == NULL)
		map_put(&s->lists->begun, transfer, s->lists);
}

/* By which that transfer is expanded. */
static struct lists *lists_of(struct sw *s, uint64_t transfer)
{
	for (struct lists *ls = s->older_lists; ls != NULL; ls = ls->older)
		if (map_get(&ls->begun, transfer) != NULL)
			return ls;
	return s->lists;
}

static void expanded(struct sw *s, struct lists *ls, uint64_t transfer)
{
	map_take(&ls->begun, transfer);
	if (ls->begun.n > 0 || ls == s->lists)
		return;
	struct lists **at = &s->older_lists;
	while (*at != ls)
		at = &(*at)->older;
	*at = ls->older;
	lists_free(ls);
}

/* Some are reported when they expire, or deleted: nobody says so here. */
void lists_all_over(struct sw *s)
{
	lists_forget_older(s);
	map_fini(&s->lists->begun);
}

/* --- may it be expanded? --- */

static bool is_in_history(const struct lists *ls, const struct message *m, const struct list *l)
{
	for (size_t i = 0; i < m->dl_history.n; i++)
		if (find_in(ls, &m->dl_history.v[i].name) == l)
			return true;
	return false;
}

/* Who sent it, or the list it comes from: either will do. parent: a list of ours; NULL: what the history says. */
static bool may_submit(const struct message *m, const struct list *l, const struct list *parent)
{
	const struct history *h = &m->dl_history;
	return l->submitters == NULL || restrict_matches(l->submitters, &m->originator) ||
	       (parent != NULL ? restrict_matches(l->submitters, &parent->addr)
			       : h->n > 0 && restrict_matches(l->submitters, &h->v[h->n - 1].name));
}

static bool refuse_empty(const struct list *l, struct err *e)
{
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 30, "list %s has no members", l->set->name);
}

static bool is_allowed(const struct message *m, const struct list *l, const struct list *parent, struct err *e)
{
	if (!may_submit(m, l, parent))
		return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 29, "list %s is not open to this originator", l->set->name);
	return l->n > 0 || refuse_empty(l, e);
}

enum lists_verdict lists_check(const struct sw *s, const struct message *m, const struct list *l, struct err *e)
{
	if (m->dl_prohibited) {
		err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 28, "the originator prohibits that list %s is expanded", l->set->name);
		return LISTS_REFUSE;
	}
	if (is_in_history(s->lists, m, l))
		return LISTS_AGAIN;
	if (m->dl_history.n >= HISTORY_MAX) {
		err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 30, "%zu lists have been expanded on the way to list %s", m->dl_history.n, l->set->name);
		return LISTS_REFUSE;
	}
	return is_allowed(m, l, NULL, e) ? LISTS_EXPAND : LISTS_REFUSE;
}

size_t lists_index(const struct sw *s, const struct list *l)
{
	return (size_t)(l - s->lists->v);
}

const char *lists_name(const struct list *l)
{
	return l->set->name;
}

/* --- whom it stands for --- */

struct branch {
	const struct list *list;
	uint32_t parent;                 /* of branch 0: itself */
	uint32_t depth;
};

struct leaf {
	const struct member *member;
	uint32_t branch;
	bool refused;                    /* a list of ours that cannot be expanded: `why` */
	struct err *why;
};

struct roster {
	struct sw *s;
	const struct lists *lists;
	const struct message *m;
	struct branch *branches;
	size_t n_branches;
	struct leaf *leaves;
	size_t n_leaves, max;
	uint8_t *seen, *seen_lists;
	struct route_table *exempted;    /* NULL: nobody is */
};

static void *take(struct sw *s, size_t n, size_t size)
{
	void *p = arena_array(s->work, n == 0 ? 1 : n, size);
	assert(p != NULL); /* limits.list-members bounds what is asked for */
	return p;
}

static bool is_exempted(const struct roster *p, const struct oraddr *addr)
{
	struct route_answer to;
	struct err e;
	return p->exempted != NULL && route_find(p->exempted, addr, NULL, &to, &e);
}

static void read_exempted(struct roster *p)
{
	struct err e;
	if (p->m->n_exempted == 0)
		return;
	p->exempted = route_table_new();
	for (size_t i = 0; i < p->m->n_exempted; i++)
		if (!route_add_mailbox(p->exempted, &p->m->exempted[i], "exempted", &e))
			CANT_HAPPEN("one name has two mailboxes");
	route_table_seal(p->exempted);
}

static void refuse(struct leaf *leaf, struct sw *s, const struct err *why)
{
	leaf->refused = true;
	leaf->why = take(s, 1, sizeof *leaf->why);
	*leaf->why = *why;
}

/* A list of ours in a list: a branch of its own, or why it is none. */
static bool grow(struct roster *p, uint32_t at, const struct list *l, struct leaf *leaf)
{
	struct err e;
	const struct branch *from = &p->branches[at];
	size_t index = (size_t)(l - p->lists->v);
	if (p->seen_lists[index] || is_in_history(p->lists, p->m, l)) /* in itself: that is its end */
		return false;
	bool good = is_allowed(p->m, l, from->list, &e);
	if (good && from->depth + 1 >= p->lists->depth_max)
		good = err_report(&e, ERR_PERM, ERR_OF_RECIPIENT, 1, 30, "list %s is nested deeper than limits.list-depth, %zu", l->set->name,
				  p->lists->depth_max);
	if (!good) {
		refuse(leaf, p->s, &e);
		return true;
	}
	p->seen_lists[index] = 1;
	p->branches[p->n_branches++] = (struct branch){ l, at, from->depth + 1 };
	return false;
}

/* False: more than limits.list-members. */
static bool walk(struct roster *p, uint32_t at)
{
	const struct list *l = p->branches[at].list;
	for (size_t i = 0; i < l->n; i++) {
		const struct member *x = &l->members[i];
		struct leaf leaf = { .member = x, .branch = at };
		if (p->seen[x->id])
			continue;
		p->seen[x->id] = 1;
		if (is_exempted(p, &x->addr) || (x->list != NULL && !grow(p, at, x->list, &leaf)))
			continue;
		if (p->n_leaves == p->max)
			return false;
		p->leaves[p->n_leaves++] = leaf;
	}
	return true;
}

static bool make_roster(struct roster *p, const struct list *root, struct err *e)
{
	const struct lists *ls = p->lists;
	bool good = true;
	p->max = ls->members_max;
	p->branches = take(p->s, ls->n, sizeof *p->branches);
	p->leaves = take(p->s, p->max < ls->n_ids ? p->max : ls->n_ids, sizeof *p->leaves);
	p->seen = take(p->s, ls->n_ids, 1);
	p->seen_lists = take(p->s, ls->n, 1);
	p->branches[p->n_branches++] = (struct branch){ root, 0, 0 };
	p->seen_lists[root - ls->v] = 1;
	read_exempted(p);
	for (uint32_t at = 0; at < p->n_branches && good; at++)
		good = walk(p, at);
	route_table_free(&p->exempted);
	return good || err_report(e, ERR_PERM, ERR_OF_RECIPIENT, 1, 30, "list %s stands for more than %zu recipients (limits.list-members)",
				  root->set->name, p->max);
}

bool lists_members(struct sw *s, const struct list *l, lists_member_f *each, void *ctx, struct err *e)
{
	const struct message nobody = { .kind = MESSAGE_MESSAGE };
	struct roster p = { .s = s, .lists = s->lists, .m = &nobody };
	if (l->n == 0)
		return refuse_empty(l, e);
	if (!make_roster(&p, l, e))
		return false;
	for (size_t i = 0; i < p.n_leaves; i++)
		each(ctx, p.branches[p.leaves[i].branch].list->set, &p.leaves[i].member->addr, p.leaves[i].refused ? p.leaves[i].why : NULL);
	return true;
}

const struct set_list *lists_settings(const struct list *l)
{
	return l->set;
}

/* --- the members, a slice at a time --- */

static struct history history_of(struct roster *p, uint32_t branch, wall_ms_t now, const struct oraddr *as)
{
	const struct history *h = &p->m->dl_history;
	const size_t n = h->n + p->branches[branch].depth + 1;
	struct history longer = { take(p->s, n, sizeof *h->v), n };
	if (h->n > 0)
		memcpy(longer.v, h->v, h->n * sizeof *h->v);
	for (size_t i = n; i > h->n; i--, branch = p->branches[branch].parent)
		longer.v[i - 1] = (struct name_at){ .name = i - 1 == h->n ? *as : p->branches[branch].list->addr, .at = now };
	return longer;
}

/* What is asked about a member, by the list's policy. The owner's reports come by way of the list too: asked for by this MTA. */
static struct recipient member_of(const struct recipient *list_rcpt, const struct leaf *leaf, const struct roster *p)
{
	struct recipient r = *list_rcpt;
	unsigned policy = p->branches[leaf->branch].list->set->reports;
	r.addr = leaf->member->addr;
	r.responsible = true;
	r.alternate = NULL;
	r.n_redirections = 0;
	r.ext = extensions_without(&r.ext, EXT_ALTERNATE_RECIPIENT, p->s->work);
	r.ext = extensions_without(&r.ext, EXT_REDIRECTION_HISTORY, p->s->work);
	if (policy == LIST_REPORTS_OWNER) {
		r.originator_report = REPORT_NONE;
		r.mta_report = REPORT_NON_DELIVERY;
	} else if (policy == LIST_REPORTS_BOTH && r.mta_report < REPORT_NON_DELIVERY) {
		r.mta_report = REPORT_NON_DELIVERY;
	}
	return r;
}

/* From leaf `from`: those of one branch. A refused one is alone. Returns how many. */
static size_t place_slice(struct roster *p, size_t from, const struct recipient *list_rcpt, const struct store_loaded *l, struct waiting *w)
{
	const struct leaf *first = &p->leaves[from];
	struct message m = *p->m;
	size_t n = 1;
	while (!first->refused && n < SLICE && from + n < p->n_leaves && first[n].branch == first->branch && !first[n].refused)
		n++;
	m.ext = extensions_without(&m.ext, EXT_DL_EXPANSION_HISTORY, p->s->work);
	m.dl_history = history_of(p, first->branch, env_wall_ms(p->s->host.env), &list_rcpt->addr);
	m.indicators &= ~(unsigned)IND_DISCLOSURE; /* the members are not told of each other */
	m.n_rcpt = n;
	m.rcpt = take(p->s, n, sizeof *m.rcpt);
	for (size_t i = 0; i < n; i++)
		m.rcpt[i] = member_of(list_rcpt, &first[i], p);
	struct incoming in = jobs_incoming(l);
	in.m = &m;
	in.refusal = first->refused ? first->why : NULL;
	place_message(p->s, &in, w);
	return n;
}

static void tell(const struct roster *p, const struct recipient *list_rcpt, const struct store_loaded *l, struct waiting *w)
{
	struct sw *s = p->s;
	const struct list *root = p->branches[0].list;
	char members[24], text[200];
	snprintf(members, sizeof members, "%zu", p->n_leaves);
	snprintf(text, sizeof text, "list %s: %zu recipients, %zu lists in it", root->set->name, p->n_leaves, p->n_branches - 1);
	struct out keys;
	out_init(&keys, STEPS_KEYS_MAX);
	for (size_t i = 0; i < p->n_leaves; i++)
		steps_recipient_key(&p->leaves[i].member->addr, &keys);
	struct store_step step = { .kind = STEP_EXPANDED, .id = &p->m->id, .peer = l->peer, .text = view_str(text), .size = l->content_size,
				   .of = p->m->kind, .keys = out_view(&keys) };
	store_put_step(s->store, &step);
	out_fini(&keys);
	EMIT(&s->host, LIST_EXPANDED, "message", w->mts_id, "list", root->set->name, "recipients", members);
	if (root->set->reports == LIST_REPORTS_OWNER) { /* of the members the originator will hear nothing */
		struct report_result done = { .rcpt = list_rcpt, .delivered = true, .reason = -1, .diagnostic = -1, .type_of_user = USER_DL };
		struct incoming in = jobs_incoming(l);
		place_results(s, &in, &done, 1, w);
	}
}

static const struct recipient *list_recipient(const struct message *m)
{
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].responsible)
			return &m->rcpt[i];
	return NULL;
}

enum { PLACE_MAX = 40 };

/* How far it has come, and who they were: "members 1000 0123456789abcdef". */
static void print_place(const struct roster *p, size_t at, char text[PLACE_MAX])
{
	uint64_t hash = HASH_START;
	for (size_t i = 0; i < at; i++)
		hash = hash_octets(hash, view_of(&p->leaves[i].member->hash, sizeof p->leaves[i].member->hash));
	snprintf(text, PLACE_MAX, "members %zu %016llx", at, (unsigned long long)hash);
}

/* Where it goes on. Others stood before that place when it began, and nobody knows who any more: from the start. */
static size_t place_now(const struct roster *p, const struct store_queued *row, const struct store_loaded *l)
{
	char text[PLACE_MAX];
	if (row->attempts > p->n_leaves)
		return 0;
	print_place(p, row->attempts, text);
	return l->tried.n == 0 || view_eq(l->tried, view_str(text)) ? row->attempts : 0;
}

static void go_on_later(struct sw *s, const struct roster *p, uint64_t transfer, size_t at)
{
	char text[PLACE_MAX];
	const wall_ms_t now = env_wall_ms(s->host.env);
	print_place(p, at, text);
	store_transfer_retry(s->store, transfer, now, (uint32_t)at, "");
	store_transfer_move(s->store, transfer, VIEW(JOBS_LISTS), now, view_str(text));
}

bool lists_expand(struct sw *s, const struct store_queued *row, struct store_loaded *l, struct waiting *w)
{
	struct lists *ls = lists_of(s, row->transfer);
	struct roster p = { .s = s, .lists = ls, .m = l->m };
	struct incoming in = jobs_incoming(l);
	struct err e;
	const struct recipient *r = list_recipient(l->m);
	const struct list *root = r == NULL ? NULL : find_in(ls, &r->addr);
	if (root == NULL || !make_roster(&p, root, &e)) { /* the settings are others now; or it is too large */
		expanded(s, ls, row->transfer);
		in.refusal = root == NULL ? NULL : &e;
		place_message(s, &in, w);
		return true;
	}
	size_t at = place_now(&p, row, l);
	trace_mark(l->m, TRACE_DL_OPERATION);
	if (at < p.n_leaves)
		at += place_slice(&p, at, r, l, w);
	if (at < p.n_leaves) {
		go_on_later(s, &p, row->transfer, at);
		if (ls == s->lists)
			lists_begun(s, row->transfer);
		return false;
	}
	tell(&p, r, l, w);
	expanded(s, ls, row->transfer);
	return true;
}

/* --- reports about members --- */

static void place_report(struct sw *s, struct incoming *in, struct message *copy, struct waiting *w)
{
	struct incoming on = *in;
	on.m = copy;
	on.again = true;
	on.depth++;
	place_message(s, &on, w);
	in->file = on.file;
	in->content_of = on.content_of;
}

static bool is_wanted(const struct message *m)
{
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].originator_report == REPORT_ALL ||
		    (m->rcpt[i].originator_report != REPORT_NONE && m->rcpt[i].outcome == OUTCOME_NOT_DELIVERED))
			return true;
	return false;
}

/* The list, or the originator, that it came from: the name before this list's first one, so that a history that somebody has made up
 * leads to each list once. */
static const struct oraddr *before(const struct sw *s, const struct message *m, const struct list *l)
{
	for (size_t i = 0; i < m->origin_history.n; i++)
		if (lists_find(s, &m->origin_history.v[i].name) == l)
			return i == 0 ? NULL : &m->origin_history.v[i - 1].name;
	return NULL;
}

/* It goes no further: nobody there wants to hear it. */
static void absorb(struct sw *s, const struct incoming *in, const struct list *l)
{
	const struct store_step step = { .kind = STEP_ABSORBED, .id = &in->m->id, .other = &in->m->subject_id, .text = view_str(l->set->name),
					 .size = in->size, .of = in->m->kind };
	store_put_step(s->store, &step);
}

static void to_originator(struct sw *s, struct incoming *in, const struct list *l, struct waiting *w)
{
	const struct oraddr *to = before(s, in->m, l);
	if (to != NULL && l->set->reports == LIST_REPORTS_BOTH && !is_wanted(in->m))
		absorb(s, in, l);
	if (to == NULL || (l->set->reports == LIST_REPORTS_BOTH && !is_wanted(in->m)))
		return;
	struct message copy = *in->m;
	copy.originator = *to;
	place_report(s, in, &copy, w);
}

static void to_owner(struct sw *s, struct incoming *in, const struct list *l, struct waiting *w)
{
	struct message copy = *in->m;
	copy.n_rcpt = 0;
	copy.rcpt = take(s, in->m->n_rcpt, sizeof *copy.rcpt);
	for (size_t i = 0; i < in->m->n_rcpt; i++) {
		struct recipient *r = &copy.rcpt[copy.n_rcpt];
		*r = in->m->rcpt[i];
		if (r->outcome != OUTCOME_NOT_DELIVERED)
			continue;
		r->originator_report = REPORT_NON_DELIVERY;
		copy.n_rcpt++;
	}
	if (copy.n_rcpt == 0) {
		absorb(s, in, l);
		return;
	}
	switch_next_id(s, &copy.id, s->work); /* it is not the one that the originator gets */
	copy.originator = l->owner;
	copy.reporting_dl = &l->addr;
	copy.ext = extensions_without(&copy.ext, EXT_REPORTING_DL_NAME, s->work);
	place_report(s, in, &copy, w);
}

bool lists_report(struct sw *s, struct incoming *in, const struct list *l, struct waiting *w)
{
	if (in->depth >= REPORT_DEPTH_MAX)
		return false;
	if (l->set->reports != LIST_REPORTS_OWNER)
		to_originator(s, in, l, w);
	if (l->set->reports != LIST_REPORTS_ORIGINATOR)
		to_owner(s, in, l, w);
	return true;
}
