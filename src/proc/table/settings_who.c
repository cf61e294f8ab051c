/* settings_who.c - users and lists: every address of one thing only, and each that is named can be read. */
#include "proc/table/settings_who.h"

#include "base/mem.h"
#include "flow/message/oraddr.h"

struct owner {
	char *key;         /* canonical */
	const char *text;  /* as it stands */
	const char *kind, *name;
	const struct setting_list *of; /* whose element i it is */
	size_t i;
};

struct owners {
	struct owner *v;
	size_t n, cap;
};

struct checking {
	const char *file;
	struct arena *a;
	struct err *e;
	struct owners all;
};

static bool read_as(struct checking *c, const char *text, const char *kind, const char *name, const char *what, enum oraddr_bounds bounds,
		    struct oraddr *addr_r)
{
	struct err why;
	if (oraddr_parse(view_str(text), addr_r, c->a, bounds, &why))
		return true;
	return err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s \"%s\": %s \"%.80s\": %.120s", c->file, kind, name, what, text, why.text);
}

static bool read_one(struct checking *c, const char *text, const char *kind, const char *name, const char *what, struct oraddr *addr_r)
{
	return read_as(c, text, kind, name, what, ORADDR_CARRY, addr_r);
}

static bool read_all(struct checking *c, const struct setting_list *l, enum oraddr_bounds bounds, const char *kind, const char *name, const char *what)
{
	const char *const *texts = l->v;
	struct oraddr addr;
	for (size_t i = 0; i < l->n; i++)
		if (!read_as(c, texts[i], kind, name, what, bounds, &addr))
			return false;
	return true;
}

static bool own(struct checking *c, const struct setting_list *l, const char *kind, const char *name, const struct setting_list *of, size_t which)
{
	const char *const *texts = l->v;
	struct oraddr addr;
	struct out key;
	if (l->n == 0)
		return err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s \"%s\" has no address", c->file, kind, name);
	for (size_t i = 0; i < l->n; i++) {
		if (!read_one(c, texts[i], kind, name, "address", &addr))
			return false;
		if (c->all.n == c->all.cap) {
			c->all.cap = c->all.cap == 0 ? 64 : mem_mul(c->all.cap, 2);
			c->all.v = mem_grow(c->all.v, mem_mul(c->all.cap, sizeof *c->all.v));
		}
		out_init(&key, 1 << 20);
		oraddr_key(&addr, &key);
		c->all.v[c->all.n++] = (struct owner){ mem_dup(out_cstr(&key), out_len(&key) + 1), texts[i], kind, name, of, which };
		out_fini(&key);
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct owner *)a)->key, ((const struct owner *)b)->key);
}

/* The same address twice at one thing does no harm. */
static bool are_unique(struct checking *c)
{
	char at[SETTINGS_PLACE_MAX];
	if (c->all.n > 0)
		qsort(c->all.v, c->all.n, sizeof *c->all.v, by_key);
	for (size_t i = 1; i < c->all.n; i++) {
		const struct owner *x = &c->all.v[i - 1], *y = &c->all.v[i];
		if (strcmp(x->key, y->key) == 0 && (x->kind != y->kind || strcmp(x->name, y->name) != 0))
			return err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: %s \"%s\" and %s \"%s\" have the same address \"%.120s\"",
				       settings_place(y->of, y->i, c->file, at), x->kind, x->name, y->kind, y->name, y->text);
	}
	return true;
}

/* Reports to an owner that is a list go to that one's owner, and to the originator: lists that own each other would double them at
 * each turn. Once all.v is in order. */
static bool owner_is_no_list(struct checking *c, const struct set_list *l)
{
	struct oraddr addr;
	struct out key;
	if (*l->owner == 0 || c->all.n == 0)
		return true;
	if (!read_one(c, l->owner, "list", l->name, "owner", &addr))
		return false;
	out_init(&key, 1 << 20);
	oraddr_key(&addr, &key);
	const struct owner wanted = { .key = mem_dup(out_cstr(&key), out_len(&key) + 1) };
	const struct owner *found = bsearch(&wanted, c->all.v, c->all.n, sizeof *c->all.v, by_key);
	const bool good = found == NULL || strcmp(found->kind, "list") != 0;
	out_fini(&key);
	free(wanted.key);
	return good || err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: list \"%s\" is owned by list \"%s\": an owner is no list", c->file,
			       l->name, found->name);
}

static bool check_list(struct checking *c, const struct set_list *l)
{
	static const char kind[] = "list";
	struct oraddr addr;
	if (l->reports != LIST_REPORTS_ORIGINATOR && *l->owner == 0)
		return err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: list \"%s\": reports go to its owner, and it has none", c->file, l->name);
	return (*l->owner == 0 || read_one(c, l->owner, kind, l->name, "owner", &addr)) &&
	       read_all(c, &l->members, ORADDR_CARRY, kind, l->name, "member") && read_all(c, &l->submitters, ORADDR_PATTERN, kind, l->name, "submitter");
}

struct named {
	const char *name;
	size_t i;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	const int order = strcmp(x->name, y->name);
	return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

/* What is done to a name, and a reload, would mean one of the two. */
static bool have_own_names(struct checking *c, const struct setting_list *l, size_t size, size_t name_at, const char *kind)
{
	char at[SETTINGS_PLACE_MAX];
	struct named *v = mem_zero(mem_mul(mem_add(l->n, 1), sizeof *v));
	for (size_t i = 0; i < l->n; i++)
		v[i] = (struct named){ *(const char *const *)(const void *)((const char *)l->v + i * size + name_at), i };
	qsort(v, l->n, sizeof *v, by_name);
	size_t i = 1;
	while (i < l->n && strcmp(v[i - 1].name, v[i].name) != 0)
		i++;
	const bool good = i >= l->n || err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%s: two %s are called \"%s\"",
					       settings_place(l, v[i].i, c->file, at), kind, v[i].name);
	free(v);
	return good;
}

static bool check_names(struct checking *c, const struct settings *s)
{
	return have_own_names(c, &s->mailboxes, sizeof(struct set_mailbox), offsetof(struct set_mailbox, name), "mailboxes") &&
	       have_own_names(c, &s->lists, sizeof(struct set_list), offsetof(struct set_list, name), "lists");
}

static bool check_all(struct checking *c, const struct settings *s)
{
	static const char mailbox[] = "mailbox", list[] = "list";
	const struct set_mailbox *boxes = s->mailboxes.v;
	const struct set_list *lists = s->lists.v;
	const struct set_link *links = s->links.v;
	struct oraddr addr;
	char at[SETTINGS_PLACE_MAX];
	const char *const file = c->file;
	for (size_t i = 0; i < s->mailboxes.n; i++) {
		c->file = settings_place(&s->mailboxes, i, file, at);
		if (!own(c, &boxes[i].addresses, mailbox, boxes[i].name, &s->mailboxes, i) ||
		    (*boxes[i].redirect != 0 && !read_one(c, boxes[i].redirect, mailbox, boxes[i].name, "redirect", &addr)))
			return false;
	}
	for (size_t i = 0; i < s->lists.n; i++) {
		c->file = settings_place(&s->lists, i, file, at);
		if (!own(c, &lists[i].addresses, list, lists[i].name, &s->lists, i) || !check_list(c, &lists[i]))
			return false;
	}
	for (size_t i = 0; i < s->links.n; i++) {
		c->file = settings_place(&s->links, i, file, at);
		if (!read_all(c, &links[i].accept_from, ORADDR_PATTERN, "link", links[i].name, "accept-from") ||
		    !read_all(c, &links[i].reject_from, ORADDR_PATTERN, "link", links[i].name, "reject-from"))
			return false;
	}
	if (*s->mta.alternate != 0)
		c->file = settings_place_of(&s->mta.alternate_at, file, at);
	if (*s->mta.alternate != 0 && !read_one(c, s->mta.alternate, "mta", s->mta.name, "alternate-recipient", &addr))
		return false;
	c->file = file;
	if (!are_unique(c))
		return false;
	for (size_t i = 0; i < s->lists.n; i++) {
		c->file = settings_place(&s->lists, i, file, at);
		if (!owner_is_no_list(c, &lists[i]))
			return false;
	}
	return true;
}

bool settings_check_who(const struct settings *s, const char *file, struct arena *a, struct err *e)
{
	struct checking c = { .file = file, .a = a, .e = e };
	bool good = check_names(&c, s) && check_all(&c, s);
	for (size_t i = 0; i < c.all.n; i++)
		free(c.all.v[i].key);
	free(c.all.v);
	return good;
}
