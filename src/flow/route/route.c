/* route.c - see route.h.
 *
 * Routes are grouped by the set of attributes that they want exactly (`mask`). One hash table holds
 * all of them under mask and values, so that a lookup costs one probe for each mask that occurs - a
 * handful - and not one for each route. */
#include "flow/route/route_int.h"

#include "base/mem.h"
#include "base/text.h"

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
	free((*t)->has_rival);
	free((*t)->mailboxes);
	free((*t)->mailbox_buckets);
	free(*t);
	*t = NULL;
}

/* ---- one address, looked at once ---- */

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

void route_probe_init(struct probe *p, const struct oraddr *addr)
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

uint64_t route_hash_of_mask(const struct probe *p, uint64_t mask)
{
	uint64_t h = mask;
	for (uint64_t rest = mask; rest != 0; rest &= rest - 1)
		h = mix(h, p->hash[__builtin_ctzll(rest)]);
	return h;
}

/* Equal for equal addresses: a DDA that stands twice counts once, and their order does not. */
uint64_t route_hash_of_all(const struct probe *p)
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
	return s | personal << SPECIFIC_PERSONAL;
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

bool route_matches(const struct oraddr *pattern, const struct probe *p)
{
	for (size_t i = 0; i < pattern->n; i++) {
		const struct oraddr_attr *want = &pattern->v[i];
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

bool route_pattern_matches(const struct oraddr *pattern, const struct oraddr *addr)
{
	struct probe p;
	route_probe_init(&p, addr);
	return route_matches(pattern, &p);
}

/* F.401 writes the blank ADMD by leaving it out (RFC 1685 2), which in a pattern is any ADMD. */
void route_pattern_print(const struct oraddr *pattern, struct out *o)
{
	const struct oraddr_attr *admd = oraddr_find(pattern, ORA_ADMD);
	bool is_blank = admd != NULL && oraddr_value_eq(admd->value, VIEW(""));
	oraddr_print(pattern, is_blank ? ORADDR_RFC2156 : ORADDR_F401, o);
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
	route_probe_init(&p, &entry->pattern);
	for (size_t i = 0; i < pattern->n; i++)
		if (is_hashed(&pattern->v[i]) && p.best[pattern->v[i].type] == &entry->pattern.v[i])
			entry->mask |= bit(pattern->v[i].type);
	entry->hash = route_hash_of_mask(&p, entry->mask);
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

const struct mailbox *route_mailbox(const struct route_table *t, const struct probe *p,
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
	route_probe_init(&p, addr);
	uint64_t hash = route_hash_of_all(&p);
	const struct mailbox *other = route_mailbox(t, &p, hash);
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

/* Two that match one address and are as specific have the same exact values, so that they lie in one chain; but for the personal
 * attributes, which count together. */
static void find_rivals(struct route_table *t)
{
	const struct entry *personal = NULL;
	bool are_several = false;
	t->has_rival = mem_zero(t->n_links == 0 ? 1 : t->n_links);
	for (uint32_t i = 0; i < t->n_entries; i++) {
		const struct entry *a = &t->entries[i];
		if (a->target != ROUTE_LINK)
			continue;
		for (uint32_t k = a->next; k != NO_ENTRY; k = t->entries[k].next) {
			const struct entry *b = &t->entries[k];
			if (b->hash == a->hash && b->mask == a->mask && b->target == ROUTE_LINK && b->link != a->link)
				t->has_rival[a->link] = t->has_rival[b->link] = true;
		}
		if (a->specific >> SPECIFIC_PERSONAL == 0)
			continue;
		are_several = are_several || (personal != NULL && personal->link != a->link);
		personal = a;
	}
	for (uint32_t i = 0; are_several && i < t->n_entries; i++)
		if (t->entries[i].target == ROUTE_LINK && t->entries[i].specific >> SPECIFIC_PERSONAL != 0)
			t->has_rival[t->entries[i].link] = true;
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
	find_rivals(t);
}

bool route_has_rival(const struct route_table *t, const char *link)
{
	CHECK(t, ROUTE_TABLE_MAGIC);
	assert(t->sealed);
	for (uint32_t i = 0; i < t->n_links; i++)
		if (strcmp(t->links[i], link) == 0)
			return t->has_rival[i];
	return false;
}

