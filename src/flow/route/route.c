/* route.c - see route.h.
 *
 * Routes are grouped by the set of attributes that they want exactly (`mask`). One hash table holds
 * all of them under mask and values, so that a lookup costs one probe for each mask that occurs - a
 * handful - and not one for each route. */
#include "flow/route/route.h"

#include "base/mem.h"
#include "base/text.h"

enum { TYPES = ORA_UNKNOWN_RAW + 1, NO_ENTRY = UINT32_MAX };

struct entry {
	struct oraddr pattern;
	enum route_target target;
	uint32_t link; /* index, NO_ENTRY without one */
	unsigned cost;
	int reason, diagnostic;
	uint64_t specific, mask, hash;
	uint32_t next;
};

struct mailbox {
	struct oraddr addr;
	const char *name;
	uint64_t hash;
	uint32_t next;
};

struct group {
	uint64_t mask, specific_max;
};

struct route_table {
	unsigned magic;
#define ROUTE_TABLE_MAGIC 0x40a77ab1u
	bool sealed;
	struct arena *memory;
	struct entry *entries;
	uint32_t n_entries, cap_entries;
	uint32_t *entry_buckets; /* sealed: heads of chains, entry_mask + 1 of them */
	uint32_t entry_mask;
	struct group *groups; /* sealed: most specific first */
	uint32_t n_groups;
	const char **links;
	uint32_t n_links, cap_links;
	struct mailbox *mailboxes;
	uint32_t n_mailboxes, cap_mailboxes;
	uint32_t *mailbox_buckets;
	uint32_t mailbox_mask;
};

struct route_table *route_table_new(void)
{
	struct route_table *t = mem_zero(sizeof *t);
	t->magic = ROUTE_TABLE_MAGIC;
	t->memory = arena_new(SIZE_MAX / 2); /* an operator's configuration, not a peer's octets */
	return t;
}

void route_table_free(struct route_table **t)
{
	if (*t == NULL)
		return;
	CHECK(*t, ROUTE_TABLE_MAGIC);
	(*t)->magic = 0;
	arena_free(&(*t)->memory);
	free((*t)->entries);
	free((*t)->entry_buckets);
	free((*t)->groups);
	free((*t)->links);
	free((*t)->mailboxes);
	free((*t)->mailbox_buckets);
	free(*t);
	*t = NULL;
}

/* ---- one address, looked at once ---- */

/* The form of each attribute that comparison goes by (oraddr_eq), and its hash. */
struct probe {
	const struct oraddr *addr;
	const struct oraddr_attr *best[TYPES];
	uint64_t hash[TYPES];
	uint64_t present;
};

static int form_rank(enum oraddr_form form)
{
	switch (form) {
	case ORA_PRINTABLE:
	case ORA_NUMERIC: return 0;
	case ORA_TELETEX: return 1;
	case ORA_UNIVERSAL: return 2;
	case ORA_RAW: break;
	}
	return 3;
}

static bool is_text(const struct oraddr_attr *a)
{
	return form_rank(a->form) <= 1;
}

static uint64_t bit(enum oraddr_type type)
{
	return (uint64_t)1 << type;
}

static struct view value_of(const struct oraddr_attr *a)
{
	return a == NULL ? (struct view){NULL, 0} : a->value;
}

static void probe_init(struct probe *p, const struct oraddr *addr)
{
	memset(p, 0, sizeof *p);
	p->addr = addr;
	for (size_t i = 0; i < addr->n; i++) {
		const struct oraddr_attr *a = &addr->v[i];
		if (p->best[a->type] == NULL ||
		    form_rank(a->form) < form_rank(p->best[a->type]->form))
			p->best[a->type] = a;
		p->present |= bit(a->type);
	}
	p->present |= bit(ORA_ADMD); /* absent is blank */
	for (unsigned t = ORA_COUNTRY; t < ORA_DDA; t++)
		if ((p->present >> t & 1) != 0 && (p->best[t] == NULL || is_text(p->best[t])))
			p->hash[t] = oraddr_value_hash(value_of(p->best[t]), t);
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 32;
}

static uint64_t hash_of_mask(const struct probe *p, uint64_t mask)
{
	uint64_t h = mask;
	for (uint64_t rest = mask; rest != 0; rest &= rest - 1)
		h = mix(h, p->hash[__builtin_ctzll(rest)]);
	return h;
}

/* Equal for equal addresses: a DDA that stands twice counts once, and their order does not. */
static uint64_t hash_of_all(const struct probe *p)
{
	uint64_t h = 0, dda = 0;
	for (unsigned t = ORA_COUNTRY; t < ORA_DDA; t++)
		if (p->best[t] != NULL)
			h = t == ORA_ADMD || is_text(p->best[t]) ? mix(h, p->hash[t]) : h;
		else if (t == ORA_ADMD)
			h = mix(h, p->hash[t]);
	for (size_t i = 0; i < p->addr->n; i++) {
		const struct oraddr_attr *a = &p->addr->v[i];
		if (a->type != ORA_DDA || !is_text(a))
			continue;
		uint64_t x = oraddr_value_hash(a->value, oraddr_value_hash(a->type_name, ORA_DDA));
		dda = x > dda ? x : dda;
	}
	return mix(h, dda);
}

/* ---- patterns ---- */

static bool is_wild(const struct oraddr_attr *a)
{
	return is_text(a) && view_eq(a->value, VIEW("*"));
}

static bool is_hashed(const struct oraddr_attr *a)
{
	return a->type < ORA_DDA && is_text(a) && !is_wild(a);
}

/* Two bits for each level of the hierarchy, the personal attributes counted together above them. */
static uint64_t specific_of(const struct oraddr *pattern)
{
	uint64_t s = 0, personal = 0;
	for (size_t i = 0; i < pattern->n; i++) {
		const struct oraddr_attr *a = &pattern->v[i];
		uint64_t level = is_wild(a) ? 1 : 2;
		if (a->type >= ORA_COUNTRY && a->type <= ORA_OU4)
			s |= level << 2 * (a->type - ORA_COUNTRY);
		else
			personal += level;
	}
	return s | personal << 16;
}

static bool value_matches(const struct oraddr_attr *want, const struct oraddr_attr *found)
{
	if (is_wild(want))
		return true;
	if (is_text(want) && (found == NULL || is_text(found)))
		return oraddr_value_eq(want->value, value_of(found));
	return found != NULL && found->form == want->form && view_eq(want->value, found->value);
}

static bool dda_matches(const struct oraddr_attr *want, const struct oraddr *addr)
{
	for (size_t i = 0; i < addr->n; i++)
		if (addr->v[i].type == ORA_DDA &&
		    oraddr_value_eq(addr->v[i].type_name, want->type_name) &&
		    value_matches(want, &addr->v[i]))
			return true;
	return false;
}

static bool matches(const struct entry *entry, const struct probe *p)
{
	for (size_t i = 0; i < entry->pattern.n; i++) {
		const struct oraddr_attr *want = &entry->pattern.v[i];
		if (want->type == ORA_DDA) {
			if (!dda_matches(want, p->addr))
				return false;
			continue;
		}
		bool may_lack =
			want->type == ORA_ADMD || (want->type == ORA_COUNTRY && is_wild(want));
		const struct oraddr_attr *found = p->best[want->type];
		if ((found == NULL && !may_lack) || !value_matches(want, found))
			return false;
	}
	return true;
}

/* ---- building ---- */

/* Room for one more; cap doubles. */
static void *grow(void *v, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	assert(n < UINT32_MAX / 4);
	*cap = *cap == 0 ? 16 : *cap * 2;
	return mem_grow(v, mem_mul(*cap, size));
}

static uint32_t link_of(struct route_table *t, const char *name)
{
	for (uint32_t i = 0; i < t->n_links; i++)
		if (strcmp(t->links[i], name) == 0)
			return i;
	t->links = grow(t->links, t->n_links, &t->cap_links, sizeof *t->links);
	t->links[t->n_links] = arena_str(t->memory, view_str(name));
	return t->n_links++;
}

static struct entry *add_entry(struct route_table *t, const struct oraddr *pattern,
			       enum route_target target, unsigned cost)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(!t->sealed);
	t->entries = grow(t->entries, t->n_entries, &t->cap_entries, sizeof *t->entries);
	struct entry *entry = &t->entries[t->n_entries++];
	*entry = (struct entry){.pattern = oraddr_copy(pattern, t->memory),
				.target = target,
				.cost = cost,
				.link = NO_ENTRY,
				.reason = 1,
				.diagnostic = 17};
	entry->specific = specific_of(&entry->pattern);
	struct probe p;
	probe_init(&p, &entry->pattern);
	for (size_t i = 0; i < pattern->n; i++)
		if (is_hashed(&pattern->v[i]) && p.best[pattern->v[i].type] == &entry->pattern.v[i])
			entry->mask |= bit(pattern->v[i].type);
	entry->hash = hash_of_mask(&p, entry->mask);
	return entry;
}

void route_add(struct route_table *t, const struct oraddr *pattern, enum route_target target,
	       const char *link, unsigned cost)
{
	assert(target != ROUTE_LINK || link != NULL);
	struct entry *entry = add_entry(t, pattern, target, cost);
	if (target == ROUTE_LINK)
		entry->link = link_of(t, link);
}

void route_add_reject(struct route_table *t, const struct oraddr *pattern, int reason,
		      int diagnostic, unsigned cost)
{
	struct entry *entry = add_entry(t, pattern, ROUTE_REJECT, cost);
	entry->reason = reason;
	entry->diagnostic = diagnostic;
}

static const struct mailbox *find_mailbox(const struct route_table *t, const struct probe *p,
					  uint64_t hash)
{
	if (t->mailbox_buckets == NULL)
		return NULL;
	uint32_t i = t->mailbox_buckets[hash & t->mailbox_mask];
	while (i != NO_ENTRY &&
	       !(t->mailboxes[i].hash == hash && oraddr_eq(&t->mailboxes[i].addr, p->addr)))
		i = t->mailboxes[i].next;
	return i == NO_ENTRY ? NULL : &t->mailboxes[i];
}

static uint32_t *new_buckets(uint32_t n, uint32_t *mask_r)
{
	uint32_t size = 16;
	while (size < n)
		size *= 2;
	uint32_t *buckets = mem_alloc(mem_mul(size, sizeof *buckets));
	memset(buckets, 0xff, size * sizeof *buckets); /* all NO_ENTRY */
	*mask_r = size - 1;
	return buckets;
}

static void hang_mailbox(struct route_table *t, uint32_t i)
{
	uint32_t *head = &t->mailbox_buckets[t->mailboxes[i].hash & t->mailbox_mask];
	t->mailboxes[i].next = *head;
	*head = i;
}

bool route_add_mailbox(struct route_table *t, const struct oraddr *addr, const char *mailbox,
		       struct err *e)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(!t->sealed);
	struct probe p;
	probe_init(&p, addr);
	uint64_t hash = hash_of_all(&p);
	const struct mailbox *other = find_mailbox(t, &p, hash);
	if (other != NULL && strcmp(other->name, mailbox) == 0)
		return true;
	if (other != NULL) {
		char name[40];
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS,
			       "route: mailbox %s has the address of mailbox %s", mailbox,
			       text_escaped(name, sizeof name, view_str(other->name)));
	}
	t->mailboxes = grow(t->mailboxes, t->n_mailboxes, &t->cap_mailboxes, sizeof *t->mailboxes);
	t->mailboxes[t->n_mailboxes++] =
		(struct mailbox){oraddr_copy(addr, t->memory),
				 arena_str(t->memory, view_str(mailbox)), hash, NO_ENTRY};
	if (t->mailbox_buckets != NULL && t->n_mailboxes <= t->mailbox_mask) {
		hang_mailbox(t, t->n_mailboxes - 1);
		return true;
	}
	free(t->mailbox_buckets);
	t->mailbox_buckets = new_buckets(2 * t->n_mailboxes, &t->mailbox_mask);
	for (uint32_t i = 0; i < t->n_mailboxes; i++)
		hang_mailbox(t, i);
	return true;
}

static void add_group(struct route_table *t, const struct entry *entry)
{
	uint32_t i = 0;
	while (i < t->n_groups && t->groups[i].mask != entry->mask)
		i++;
	if (i == t->n_groups) {
		t->groups = mem_grow(t->groups, mem_mul(i + 1, sizeof *t->groups));
		t->groups[t->n_groups++] = (struct group){entry->mask, 0};
	}
	if (entry->specific > t->groups[i].specific_max)
		t->groups[i].specific_max = entry->specific;
}

static int group_cmp(const void *pa, const void *pb)
{
	const struct group *a = pa, *b = pb;
	if (a->specific_max != b->specific_max)
		return a->specific_max > b->specific_max ? -1 : 1;
	return (a->mask > b->mask) - (a->mask < b->mask);
}

void route_table_seal(struct route_table *t)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(!t->sealed);
	t->sealed = true;
	t->entry_buckets = new_buckets(2 * t->n_entries, &t->entry_mask);
	for (uint32_t i = 0; i < t->n_entries; i++) {
		uint32_t *head = &t->entry_buckets[t->entries[i].hash & t->entry_mask];
		t->entries[i].next = *head;
		*head = i;
		add_group(t, &t->entries[i]);
	}
	if (t->n_groups > 1)
		qsort(t->groups, t->n_groups, sizeof *t->groups, group_cmp);
}

/* ---- finding ---- */

/* Entries lie in the order of adding, so the lower address was first. */
static bool is_better(const struct entry *a, const struct entry *b)
{
	if (b == NULL || a->specific != b->specific)
		return b == NULL || a->specific > b->specific;
	return a->cost != b->cost ? a->cost < b->cost : a < b;
}

static bool is_excluded(const struct route_table *t, const struct entry *entry, const char *exclude)
{
	return exclude != NULL && entry->target == ROUTE_LINK &&
	       strcmp(t->links[entry->link], exclude) == 0;
}

struct choice {
	const struct entry *any; /* the best of all, and of those that are not excluded */
	const struct entry *open;
};

static struct choice choose(const struct route_table *t, const struct probe *p, const char *exclude)
{
	struct choice c = {NULL, NULL};
	for (uint32_t g = 0; g < t->n_groups; g++) {
		const struct group *group = &t->groups[g];
		if (c.any != NULL && group->specific_max < c.any->specific)
			break;
		if ((group->mask & ~p->present) != 0)
			continue;
		uint64_t hash = hash_of_mask(p, group->mask);
		for (uint32_t i = t->entry_buckets[hash & t->entry_mask]; i != NO_ENTRY;
		     i = t->entries[i].next) {
			const struct entry *entry = &t->entries[i];
			if (entry->hash != hash || entry->mask != group->mask || !matches(entry, p))
				continue;
			if (is_better(entry, c.any))
				c.any = entry;
			if (!is_excluded(t, entry, exclude) && is_better(entry, c.open))
				c.open = entry;
		}
	}
	if (c.open != NULL && c.open->specific < c.any->specific)
		c.open = NULL;
	return c;
}

/* The error of an address, which it names. */
static bool refuse(const struct oraddr *addr, int reason, int diagnostic, const char *what,
		   struct err *e)
{
	struct out o;
	char text[140];
	out_init(&o, SIZE_MAX / 4);
	oraddr_print(addr, ORADDR_F401, &o);
	text_escaped(text, sizeof text, out_view(&o));
	out_fini(&o);
	return err_report(e, ERR_PERM, ERR_OF_RECIPIENT, reason, diagnostic, "%s: \"%s\"", what,
			  text);
}

static bool answer_entry(const struct route_table *t, const struct oraddr *addr,
			 const struct entry *entry, struct route_answer *answer_r, struct err *e)
{
	switch (entry->target) {
	case ROUTE_LOCAL: return refuse(addr, 1, 0, "no mailbox of this address here", e);
	case ROUTE_REJECT:
		return refuse(addr, entry->reason, entry->diagnostic,
			      "a route refuses this address", e);
	case ROUTE_LINK: break;
	}
	*answer_r = (struct route_answer){.target = ROUTE_LINK,
					  .link = t->links[entry->link],
					  .link_index = entry->link,
					  .cost = entry->cost};
	return true;
}

bool route_find(const struct route_table *t, const struct oraddr *addr, const char *exclude,
		struct route_answer *answer_r, struct err *e)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(t->sealed);
	struct probe p;
	probe_init(&p, addr);
	const struct mailbox *mailbox = find_mailbox(t, &p, hash_of_all(&p));
	if (mailbox != NULL) {
		*answer_r = (struct route_answer){
			.target = ROUTE_LOCAL, .mailbox = mailbox->name, .link_index = NO_ENTRY};
		return true;
	}
	struct choice c = choose(t, &p, exclude);
	if (c.any == NULL)
		return refuse(addr, 1, 0, "no route to this address", e);
	if (c.open == NULL)
		return refuse(addr, 1, 3, "the only route is back to the link it came by", e);
	return answer_entry(t, addr, c.open, answer_r, e);
}

/* ---- explaining ---- */

static void explain_head(const struct route_table *t, const struct entry *entry, struct out *o)
{
	out_fmt(o, "route %u, ", (unsigned)(entry - t->entries) + 1);
	if (entry->pattern.n == 0)
		out_str(o, "any address");
	else
		oraddr_print(&entry->pattern, ORADDR_F401, o);
	if (entry->target == ROUTE_LINK)
		out_fmt(o, " -> link %s", t->links[entry->link]);
	else
		out_str(o, entry->target == ROUTE_LOCAL ? " -> local" : " -> rejected");
	out_fmt(o, ", cost %u: ", entry->cost);
}

static void explain_entry(const struct route_table *t, const struct entry *entry,
			  const struct choice *c, const char *exclude, bool mailbox, struct out *o)
{
	explain_head(t, entry, o);
	if (mailbox)
		out_str(o, "lost, there is a mailbox of this address");
	else if (entry->specific < c->any->specific)
		out_fmt(o, "lost, route %u is more specific", (unsigned)(c->any - t->entries) + 1);
	else if (is_excluded(t, entry, exclude))
		out_str(o, "lost, the message came by this link");
	else if (entry != c->open && entry->cost > c->open->cost)
		out_fmt(o, "lost, route %u costs less", (unsigned)(c->open - t->entries) + 1);
	else if (entry != c->open)
		out_fmt(o, "lost, route %u was added before it",
			(unsigned)(c->open - t->entries) + 1);
	else if (entry->target == ROUTE_LOCAL)
		out_str(o, "won, but there is no mailbox of this address");
	else
		out_str(o, "won");
	out_u8(o, '\n');
}

/* The next of all matching entries after `last` in the order of choice; NULL at the end. */
static const struct entry *next_candidate(const struct route_table *t, const struct probe *p,
					  const struct entry *last)
{
	const struct entry *next = NULL;
	for (uint32_t i = 0; i < t->n_entries; i++) {
		const struct entry *entry = &t->entries[i];
		if ((last == NULL || is_better(last, entry)) && entry != last &&
		    is_better(entry, next) && matches(entry, p))
			next = entry;
	}
	return next;
}

void route_explain(const struct route_table *t, const struct oraddr *addr, const char *exclude,
		   struct out *o)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(t->sealed);
	struct probe p;
	probe_init(&p, addr);
	const struct mailbox *mailbox = find_mailbox(t, &p, hash_of_all(&p));
	if (mailbox != NULL)
		out_fmt(o, "mailbox %s: won, it has this address\n", mailbox->name);
	struct choice c = choose(t, &p, exclude);
	const struct entry *entry = NULL;
	while ((entry = next_candidate(t, &p, entry)) != NULL)
		explain_entry(t, entry, &c, exclude, mailbox != NULL, o);
	if (mailbox == NULL && c.any == NULL)
		out_str(o, "no route matches this address\n");
	else if (mailbox == NULL && c.open == NULL)
		out_str(o, "nothing is left: no other link is as specific\n");
}
