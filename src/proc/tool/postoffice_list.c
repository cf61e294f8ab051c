/* postoffice_list.c - `posthorn postoffice list`: postoffices and gateways, users, groups, mailbags. */
#include "proc/tool/postoffice.h"

#include "base/text.h"

struct list {
	struct po_tool *t;
	struct err *e;
	bool failed;
};

static void text(const struct po_tool *t, bool *first, const char *key, const char *value)
{
	po_json_text(t, first, key, t->code_page, view_str(value));
}

/* Names of real sites may have what they like. */
static const char *shown(char *buf, size_t size, const char *s)
{
	return text_escaped(buf, size, view_str(s));
}

/* --- postoffices --- */
static void show_external_json(const struct po_tool *t, const struct postoffice_external *x)
{
	bool first = true;
	putchar('{');
	text(t, &first, "kind", x->is_gateway ? "gateway" : "postoffice");
	text(t, &first, "network", x->name.network);
	text(t, &first, "postoffice", x->name.postoffice);
	text(t, &first, "mailbag", x->mailbag);
	if (x->via.network[0] != 0) {
		char via[2 * MM_NAME_MAX + 2];
		snprintf(via, sizeof via, "%s/%s", x->via.network, x->via.postoffice);
		text(t, &first, "via", via);
	}
	po_json_number(&first, "type", x->type);
	puts("}");
}

static bool on_external(void *ctx, const struct postoffice_external *x)
{
	const struct list *l = ctx;
	char network[64], postoffice[64], via[2][64];
	if (l->t->json) {
		show_external_json(l->t, x);
		return true;
	}
	shown(network, sizeof network, x->name.network);
	shown(postoffice, sizeof postoffice, x->name.postoffice);
	if (x->is_gateway)
		printf("gateway     %-21s  mailbag %s, type 0x%02X\n", network, x->mailbag, x->type);
	else if (x->via.network[0] != 0)
		printf("postoffice  %s/%-*s  by way of %s/%s\n", network, (int)(20 - strlen(network)), postoffice, shown(via[0], sizeof via[0], x->via.network),
		       shown(via[1], sizeof via[1], x->via.postoffice));
	else
		printf("postoffice  %s/%-*s  mailbag %s\n", network, (int)(20 - strlen(network)), postoffice, x->mailbag);
	return true;
}

static bool list_postoffices(struct list *l)
{
	const struct mm_master *m = postoffice_master(l->t->po);
	char network[64], postoffice[64];
	if (l->t->json) {
		bool first = true;
		putchar('{');
		text(l->t, &first, "kind", "own");
		text(l->t, &first, "network", m->own.network);
		text(l->t, &first, "postoffice", m->own.postoffice);
		text(l->t, &first, "serial", m->serial);
		po_json_number(&first, "hops", m->hops);
		puts("}");
	} else if (m->own.network[0] == 0) {
		puts("own         not known: another program has made it");
	} else {
		printf("own         %s/%s  serial number %s, at most %u hops\n", shown(network, sizeof network, m->own.network),
		       shown(postoffice, sizeof postoffice, m->own.postoffice), m->serial, m->hops);
	}
	return postoffice_each_external(l->t->po, on_external, l, l->e);
}

/* --- users --- */
static bool on_user(void *ctx, const struct mm_user *u)
{
	const struct list *l = ctx;
	if (l->t->json) {
		bool first = true;
		putchar('{');
		text(l->t, &first, "kind", "user");
		text(l->t, &first, "mailbox", u->mailbox);
		text(l->t, &first, "friendly", u->friendly);
		text(l->t, &first, "mailbag", u->mailbag);
		puts("}");
		return true;
	}
	char mailbox[64];
	printf("user        %-21s  mailbag %s  ", shown(mailbox, sizeof mailbox, u->mailbox), u->mailbag);
	po_print_line(l->t, l->t->code_page, view_str(u->friendly));
	putchar('\n');
	return true;
}

static bool list_users(struct list *l)
{
	return postoffice_each_user(l->t->po, on_user, l, l->e);
}

/* --- groups --- */
struct members {
	struct list *l;
	bool first;
};

static bool on_member(void *ctx, const struct mm_name *member)
{
	struct members *m = ctx;
	char mailbox[64];
	if (m->l->t->json) {
		printf("%s", m->first ? "" : ",");
		po_json_string(m->l->t, m->l->t->code_page, view_str(member->mailbox));
	} else {
		printf("%s%s", m->first ? "  " : ", ", shown(mailbox, sizeof mailbox, member->mailbox));
	}
	m->first = false;
	return true;
}

static bool on_group(void *ctx, const char *group)
{
	struct list *l = ctx;
	struct members m = { .l = l, .first = true };
	char name[128];
	if (l->t->json) {
		bool first = true;
		putchar('{');
		text(l->t, &first, "kind", "group");
		text(l->t, &first, "group", group);
		printf(",\"members\":[");
	} else {
		printf("group       %-21s", shown(name, sizeof name, group));
	}
	l->failed = !postoffice_group(l->t->po, group, on_member, &m, l->e);
	puts(l->t->json ? "]}" : "");
	return !l->failed;
}

static bool list_groups(struct list *l)
{
	return postoffice_each_group(l->t->po, on_group, l, l->e) && !l->failed;
}

/* --- mailbags --- */
static bool show_bag(struct list *l, const char *bag, const char *owner)
{
	struct po_bag_entry one;
	unsigned n, live;
	char name[128];
	if (!postoffice_bag(l->t->po, bag, 1, &one, &n, &live, l->e)) {
		po_tool_say(l->t, bag, l->e); /* the others are shown */
		return true;
	}
	if (l->t->json) {
		bool first = true;
		putchar('{');
		text(l->t, &first, "kind", "bag");
		text(l->t, &first, "mailbag", bag);
		text(l->t, &first, "owner", owner);
		po_json_number(&first, "records", live);
		puts("}");
	} else {
		printf("bag         %-8s  %-21s  %u records\n", bag, shown(name, sizeof name, owner), live);
	}
	return true;
}

static bool on_bag_of_user(void *ctx, const struct mm_user *u)
{
	return show_bag(ctx, u->mailbag, u->mailbox);
}

struct search { const char *bag; bool found; };

static bool is_bag_of_postoffice(void *ctx, const struct postoffice_external *x)
{
	struct search *s = ctx;
	s->found = !x->is_gateway && mm_same(x->mailbag, s->bag);
	return !s->found;
}

/* A gateway at another postoffice has that one's mailbag, which is shown once. */
static bool on_bag_of_external(void *ctx, const struct postoffice_external *x)
{
	struct list *l = ctx;
	struct search s = { .bag = x->mailbag };
	char owner[2 * MM_NAME_MAX + 2];
	snprintf(owner, sizeof owner, "%s%s%s", x->name.network, x->is_gateway ? "" : "/", x->name.postoffice);
	if (x->mailbag[0] == 0 || (x->is_gateway && postoffice_each_external(l->t->po, is_bag_of_postoffice, &s, NULL) && s.found))
		return true;
	return show_bag(l, x->mailbag, owner);
}

static bool list_bags(struct list *l)
{
	return show_bag(l, "INQUEUE3", "mover") && show_bag(l, "INQUEUE", "directory synchronization") && show_bag(l, "SYSTEM", "$SYSTEM") &&
	       postoffice_each_user(l->t->po, on_bag_of_user, l, l->e) && postoffice_each_external(l->t->po, on_bag_of_external, l, l->e);
}

int po_tool_list(struct po_tool *t, struct err *e)
{
	static const struct {
		const char *word;
		bool (*list)(struct list *l);
	} kinds[] = { { "postoffices", list_postoffices }, { "users", list_users }, { "groups", list_groups }, { "bags", list_bags } };
	struct list l = { .t = t, .e = e };
	const char *word = t->n_args > 1 ? t->args[1] : NULL;
	bool known = word == NULL, ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(kinds); i++)
		if (word == NULL || strcmp(word, kinds[i].word) == 0) {
			known = true;
			ok = kinds[i].list(&l);
		}
	if (!known) {
		char name[64];
		err_set(e, ERR_PERM, ERR_OF_PROCESS, "\"%s\" cannot be listed, want bags, users, postoffices or groups", text_escaped(name, sizeof name, view_str(word)));
		return PO_EXIT_USAGE;
	}
	if (!ok)
		return po_tool_status(e);
	if (!t->refused)
		return 0;
	*e = (struct err){ 0 }; /* said already */
	return PO_EXIT_FOUND;
}
