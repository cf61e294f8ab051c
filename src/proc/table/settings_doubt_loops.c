/* settings_doubt_loops.c - who gets mail in another's stead, and members of lists, as arrows between them: a way that comes back to where it began
 * ends in a report, or in nobody's mailbox. */
#include "proc/table/settings_doubt.h"

#include "base/mem.h"
#include "flow/message/oraddr.h"

enum { LOOPS_TOLD = 20, NAMES_TOLD = 8 };
#define NOBODY SIZE_MAX

struct address {
	char *key;
	size_t node;
};

struct node {
	const char *kind, *name;
	const struct setting_list *addresses;
	const struct setting_list *members; /* of a list */
	const char *redirect;               /* of a mailbox; NULL: none */
	enum { UNSEEN, ON_THE_WAY, SEEN } state;
	size_t next_arrow;
	size_t came_from;
};

struct looking {
	struct node *nodes;
	size_t n;
	struct address *addresses;
	size_t n_addresses;
	struct arena *a;
	settings_doubt_f *tell;
	void *ctx;
	size_t told;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct address *)a)->key, ((const struct address *)b)->key);
}

static char *key_of(struct looking *l, const char *text)
{
	struct oraddr addr;
	struct out key;
	char *copy = NULL;
	out_init(&key, 1 << 20);
	if (oraddr_parse(view_str(text), &addr, l->a, ORADDR_CARRY, NULL)) {
		oraddr_key(&addr, &key);
		copy = mem_strdup(out_cstr(&key));
	}
	out_fini(&key);
	return copy;
}

static size_t owner_of(struct looking *l, const char *text)
{
	struct address wanted = { .key = key_of(l, text) };
	const struct address *found = wanted.key == NULL || l->n_addresses == 0 ? NULL : bsearch(&wanted, l->addresses, l->n_addresses, sizeof wanted, by_key);
	free(wanted.key);
	return found == NULL ? NOBODY : found->node;
}

static void know_addresses(struct looking *l)
{
	size_t cap = 0;
	for (size_t i = 0; i < l->n; i++)
		cap += l->nodes[i].addresses->n;
	l->addresses = mem_zero(mem_mul(cap + 1, sizeof *l->addresses));
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->nodes[i].addresses->n; k++) {
			char *key = key_of(l, ((const char *const *)l->nodes[i].addresses->v)[k]);
			if (key != NULL)
				l->addresses[l->n_addresses++] = (struct address){ key, i };
		}
	if (l->n_addresses > 0)
		qsort(l->addresses, l->n_addresses, sizeof *l->addresses, by_key);
}

/* Whither the arrow goes; NOBODY: to somebody else. False: there is no such arrow. */
static bool arrow(struct looking *l, size_t node, size_t which, size_t *to_r)
{
	const struct node *x = &l->nodes[node];
	if (x->redirect != NULL) {
		*to_r = which == 0 ? owner_of(l, x->redirect) : NOBODY;
		return which == 0;
	}
	if (x->members == NULL || which >= x->members->n)
		return false;
	*to_r = owner_of(l, ((const char *const *)x->members->v)[which]);
	return true;
}

static void tell_loop(struct looking *l, size_t end, size_t begin)
{
	struct out way;
	size_t names = 0;
	if (l->told++ >= LOOPS_TOLD)
		return;
	out_init(&way, 8192);
	for (size_t at = end; at != begin; at = l->nodes[at].came_from)
		if (names++ < NAMES_TOLD) {
			struct out before;
			out_init(&before, 8192);
			out_fmt(&before, ", %s \"%s\"%s", l->nodes[at].kind, l->nodes[at].name, out_cstr(&way));
			out_clear(&way);
			out_bytes(&way, out_view(&before));
			out_fini(&before);
		}
	struct out text;
	out_init(&text, 16384);
	out_fmt(&text, "%s \"%s\" leads to itself", l->nodes[begin].kind, l->nodes[begin].name);
	if (names > 0)
		out_fmt(&text, ", by%s%s", out_cstr(&way) + 1, names > NAMES_TOLD ? " and others" : "");
	out_fmt(&text, ": %s", l->nodes[begin].redirect != NULL ? "its mail is delivered to nobody" : "that member gets nothing");
	l->tell(l->ctx, out_cstr(&text));
	out_fini(&text);
	out_fini(&way);
}

/* Depth first, without recursion: there may be ten thousand lists in a row. */
static void follow(struct looking *l, size_t from)
{
	size_t at = from, to;
	l->nodes[at].state = ON_THE_WAY;
	l->nodes[at].came_from = NOBODY;
	while (at != NOBODY) {
		struct node *x = &l->nodes[at];
		if (!arrow(l, at, x->next_arrow++, &to)) {
			x->state = SEEN;
			at = x->came_from;
		} else if (to != NOBODY && l->nodes[to].state == ON_THE_WAY) {
			tell_loop(l, at, to);
		} else if (to != NOBODY && l->nodes[to].state == UNSEEN) {
			l->nodes[to].state = ON_THE_WAY;
			l->nodes[to].came_from = at;
			at = to;
		}
	}
}

static void doubt_alternate(struct looking *l, const char *alternate)
{
	char text[700];
	const size_t who = *alternate == 0 ? NOBODY : owner_of(l, alternate);
	if (who == NOBODY || l->nodes[who].redirect == NULL)
		return;
	snprintf(text, sizeof text, "alternate-recipient is mailbox \"%s\", which is redirected: what is for nobody goes on to \"%.400s\"", l->nodes[who].name,
		 l->nodes[who].redirect);
	l->tell(l->ctx, text);
}

void settings_doubt_loops(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx)
{
	struct looking l = { .a = a, .tell = tell, .ctx = ctx };
	const struct set_mailbox *boxes = s->mailboxes.v;
	const struct set_list *lists = s->lists.v;
	l.nodes = mem_zero(mem_mul(s->mailboxes.n + s->lists.n + 1, sizeof *l.nodes));
	for (size_t i = 0; i < s->mailboxes.n; i++)
		l.nodes[l.n++] = (struct node){ .kind = "mailbox", .name = boxes[i].name, .addresses = &boxes[i].addresses,
						.redirect = *boxes[i].redirect == 0 ? NULL : boxes[i].redirect };
	for (size_t i = 0; i < s->lists.n; i++)
		l.nodes[l.n++] = (struct node){ .kind = "list", .name = lists[i].name, .addresses = &lists[i].addresses, .members = &lists[i].members };
	know_addresses(&l);
	for (size_t i = 0; i < l.n; i++)
		if (l.nodes[i].state == UNSEEN)
			follow(&l, i);
	if (l.told > LOOPS_TOLD) {
		char text[80];
		snprintf(text, sizeof text, "%zu more mailboxes and lists lead to themselves", l.told - LOOPS_TOLD);
		tell(ctx, text);
	}
	doubt_alternate(&l, s->mta.alternate);
	for (size_t i = 0; i < l.n_addresses; i++)
		free(l.addresses[i].key);
	free(l.addresses);
	free(l.nodes);
}
