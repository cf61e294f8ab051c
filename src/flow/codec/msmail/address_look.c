/* address_look.c - a table of addresses looked over: what of it does nothing, and what it does not have. */
#include "flow/codec/msmail/address_int.h"

static bool is_loose(const struct oraddr_attr *a)
{
	return view_eq(a->value, VIEW("*"));
}

static const struct oraddr_attr *find_like(const struct oraddr *x, const struct oraddr_attr *like)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].type == like->type && (like->type != ORA_DDA || oraddr_value_eq(x->v[i].type_name, like->type_name)))
			return &x->v[i];
	return NULL;
}

/* Does a take all names that b takes? */
static bool left_covers(const struct mm_map_line *a, const struct mm_map_line *b)
{
	return (a->any[0] || (!b->any[0] && strcmp(a->ms.network, b->ms.network) == 0)) &&
	       (a->any[1] || (!b->any[1] && strcmp(a->ms.postoffice, b->ms.postoffice) == 0)) &&
	       (a->any[2] || (!b->any[2] && strcmp(a->ms.mailbox, b->ms.mailbox) == 0));
}

/* And all addresses? What is left out in b must be free to be left out in a. */
static bool right_covers(const struct mm_map_line *a, const struct mm_map_line *b)
{
	for (size_t i = 0; i < b->x400.n; i++) {
		const struct oraddr_attr *found = find_like(&a->x400, &b->x400.v[i]);
		if (found == NULL || (!is_loose(found) && (is_loose(&b->x400.v[i]) || !oraddr_value_eq(found->value, b->x400.v[i].value))))
			return false;
	}
	for (size_t i = 0; i < a->x400.n; i++)
		if (find_like(&b->x400, &a->x400.v[i]) == NULL && !(is_loose(&a->x400.v[i]) && a->n_any == 0))
			return false;
	return true;
}

static const struct mm_map_line *first_left(const struct mm_map *m, const struct mm_map_line *l)
{
	const struct mm_map_line *found = l->n_any > 0 ? l : map_get(&m->by_ms, mm_name_hash(&l->ms));
	while (found != l && !left_covers(found, l))
		found = found->next_ms;
	for (size_t i = 0; i < m->n_wild_ms && m->wild_ms[i]->number < found->number; i++)
		if (left_covers(m->wild_ms[i], l))
			found = m->wild_ms[i];
	return found;
}

static const struct mm_map_line *first_right(const struct mm_map *m, const struct mm_map_line *l)
{
	const struct mm_map_line *found = l->n_loose > 0 ? l : map_get(&m->by_x400, mm_oraddr_hash(&l->x400));
	while (found != l && !right_covers(found, l))
		found = found->next_x400;
	for (size_t i = 0; i < m->n_wild_x400 && m->wild_x400[i]->number < found->number; i++)
		if (right_covers(m->wild_x400[i], l))
			found = m->wild_x400[i];
	return found;
}

bool mm_map_is_shadowed(const struct mm_map *map, size_t line, size_t *by_r)
{
	CHECK(map, MM_MAP_MAGIC);
	assert(line > 0 && line <= map->n);
	const struct mm_map_line *l = &map->lines[line - 1];
	const struct mm_map_line *left = first_left(map, l), *right = first_right(map, l);
	*by_r = left->number + 1;
	return left != l && right != l;
}

/* Can one address fit both? */
static bool may_meet(const struct oraddr *pattern, const struct oraddr *x)
{
	for (size_t i = 0; i < pattern->n; i++) {
		const struct oraddr_attr *p = &pattern->v[i], *found = find_like(x, p);
		if (is_loose(p) && (p->type != ORA_DDA || found != NULL))
			continue;
		if (found == NULL || (!is_loose(found) && !oraddr_value_eq(found->value, p->value)))
			return false;
	}
	return true;
}

bool mm_map_covers(const struct mm_map *map, const struct oraddr *pattern)
{
	CHECK(map, MM_MAP_MAGIC);
	struct oraddr_attr v[64];
	struct arena *a = arena_new(1 << 16);
	struct oraddr p = mm_tidy(pattern, a), ours = {.v = v};
	for (size_t i = 0; i < map->domain.n && ours.n + 1 < ARRAY_LEN(v); i++)
		v[ours.n++] = map->domain.v[i];
	v[ours.n++] = (struct oraddr_attr){.type = ORA_DDA, .type_name = VIEW("MS"), .value = VIEW("*")};
	bool covers = map->domain.n > 0 && may_meet(&p, &ours);
	for (size_t i = 0; !covers && i < map->n; i++)
		covers = may_meet(&p, &map->lines[i].x400);
	arena_free(&a);
	return covers;
}
