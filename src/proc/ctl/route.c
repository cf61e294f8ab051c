/* route.c - `posthorn route explain`: where an address would go now, and why. */
#include "proc/ctl/ctl_int.h"


static const char usage[] =
	"usage: posthorn route explain -c FILE ADDRESS [--from LINK] [--size SIZE]\n\n"
	"Where the MTA would hand a message for ADDRESS (an O/R address, or a mailbox's name) now, and why: every route that matches,\n"
	"the winner marked, each other one with the step at which it lost, and the state of its link. Alternate recipients are followed.\n"
	"Of a distribution list: its members, with those of lists in it, and where each goes (of more than 500 the first).\n\n"
	"  --from LINK             as if it had come by that link, to which it never goes back\n"
	"  --size SIZE             of its content: 4096, 64K, 1M\n"
	CTL_FIND CTL_STATUSES;

struct explain {
	struct ctl ctl;
	const char *from;
	uint64_t size;
	struct out address;
	bool is_routed;
};

static void print_why(struct ctl *c, struct view pairs)
{
	const char *why = ctl_value(c, pairs, "why"), *reason = ctl_value(c, pairs, "reason");
	if (*why != 0)
		printf(": %s", why);
	if (*reason != 0)
		printf(" (%s, %s)", reason, ctl_value(c, pairs, "diagnostic"));
	putchar('\n');
}

static void print_goes(struct ctl *c, struct view pairs)
{
	const char *as = ctl_value(c, pairs, "as");
	printf("%s", ctl_value(c, pairs, "goes"));
	if (*as != 0)
		printf(" as %s", as);
	print_why(c, pairs);
}

static const char *reports_to(const char *who)
{
	return strcmp(who, "both") == 0 ? "its owner and the originator" : strcmp(who, "owner") == 0 ? "its owner" : "the originator";
}

static void print_answer(struct ctl *c, struct view pairs)
{
	printf("%s\n  goes to ", ctl_value(c, pairs, "address"));
	print_goes(c, pairs);
}

static void print_redirect(struct ctl *c, struct view pairs)
{
	printf("  %s\n      is redirected to %s\n", ctl_value(c, pairs, "address"), ctl_value(c, pairs, "to"));
	printf("      %s\n", ctl_value(c, pairs, "why"));
}

static void print_alternate(struct ctl *c, struct view pairs)
{
	printf("  if its originator allows an alternate recipient, it goes to mta.alternate-recipient\n      %s, ", ctl_value(c, pairs, "to"));
	print_goes(c, pairs);
}

static void print_list(struct ctl *c, struct view pairs)
{
	printf("  list %s: %s members, open to %s, reports go to %s", ctl_value(c, pairs, "list"), ctl_value(c, pairs, "members"),
	       ctl_value(c, pairs, "open-to"), reports_to(ctl_value(c, pairs, "reports-to")));
	print_why(c, pairs);
}

static void print_member(struct ctl *c, struct view pairs)
{
	printf("    %s (of %s)\n      ", ctl_value(c, pairs, "address"), ctl_value(c, pairs, "list"));
	print_goes(c, pairs);
}

static void print_link(struct ctl *c, struct view pairs)
{
	const char *next = ctl_value(c, pairs, "next-attempt-ms"), *error = ctl_value(c, pairs, "last-error");
	printf("      link %s: %s, active %s, %s queued", ctl_value(c, pairs, "link"), ctl_value(c, pairs, "state"),
	       ctl_value(c, pairs, "active"), ctl_value(c, pairs, "queued"));
	if (strcmp(ctl_value(c, pairs, "failures"), "0") != 0)
		printf(", %s failures to open", ctl_value(c, pairs, "failures"));
	if (*next != 0)
		printf(", next attempt in %lld s", atoll(next) / 1000);
	printf(*error == 0 ? "\n" : ": %s\n", error);
}

static void print_candidate(struct ctl *c, struct view pairs)
{
	const char *won = *ctl_value(c, pairs, "won") == '1' ? "*" : " ", *match = ctl_value(c, pairs, "match");
	if (*ctl_value(c, pairs, "mailbox") != 0)
		printf("  %s mailbox %s\n", won, ctl_value(c, pairs, "mailbox"));
	else
		printf("  %s route %s, %s -> %s, cost %s\n", won, ctl_value(c, pairs, "route"), *match == 0 ? "any address" : match,
		       ctl_value(c, pairs, "to"), ctl_value(c, pairs, "cost"));
	printf("      %s\n", ctl_value(c, pairs, "why"));
	if (*ctl_value(c, pairs, "link") != 0)
		print_link(c, pairs);
}

static void print_row(struct explain *x, struct view pairs)
{
	static const struct { const char *kind; void (*print)(struct ctl *c, struct view pairs); } kinds[] = {
		{ "answer", print_answer }, { "redirect", print_redirect }, { "alternate", print_alternate }, { "list", print_list },
		{ "member", print_member }, { "mailbox", print_candidate }, { "route", print_candidate },
	};
	struct ctl *c = &x->ctl;
	const char *kind = ctl_value(c, pairs, "kind");
	if (strcmp(kind, "answer") == 0)
		x->is_routed = strcmp(ctl_value(c, pairs, "goes"), "nowhere") != 0;
	if (c->json) {
		ctl_print_json(pairs);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0) {
			kinds[i].print(c, pairs);
			return;
		}
	printf("    %s\n", ctl_value(c, pairs, "why"));
}

static bool on_explained(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct explain *x = CONTAINER(c, struct explain, ctl);
	struct msg_explained m;
	if (!get_msg_explained(payload, &m, e))
		return false;
	if (m.err.kind != ERR_NONE) {
		ctl_over(c, ctl_say(c, CTL_REFUSED, "%s", m.err.text));
		return true;
	}
	for (struct cur cur = cur_of(m.rows); cur_left(&cur) > 0;) {
		const struct view row = get_string(&cur);
		if (cur.bad)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the rows of the explanation cannot be read");
		arena_reset(c->row);
		print_row(x, row);
	}
	ctl_over(c, x->is_routed ? CTL_DONE : CTL_REFUSED);
	return true;
}

static void ask(struct ctl *c)
{
	const struct explain *x = CONTAINER(c, struct explain, ctl);
	const struct msg_explain m = { .id = 1, .address = out_view(&x->address), .link = view_str(x->from), .size = x->size };
	put_msg_explain(ctl_message(c), &m);
	ctl_message_send(c, MSG_EXPLAIN);
}

static bool options(struct explain *x, int argc, char **argv)
{
	const struct ctl_option own[] = { { "from", .text = &x->from }, { "size", .octets = &x->size } };
	struct ctl *c = &x->ctl;
	if (!ctl_options(c, argc, argv, usage, own, ARRAY_LEN(own)))
		return false;
	if (argc - optind == 2 && strcmp(argv[optind], "explain") == 0)
		return true;
	ctl_say(c, CTL_USAGE, "want explain and one ADDRESS; posthorn route --help tells more");
	return false;
}

int ctl_route(int argc, char **argv)
{
	static const struct chan_type types[] = {
		{ .type = MSG_EXPLAINED, .name = "EXPLAINED", .handle = on_explained, .max = MSG_MAX_EXPLAINED },
	};
	struct explain x = { .from = "" };
	struct ctl *c = &x.ctl;
	struct oraddr addr;
	ctl_begin(c, argv[0]);
	out_init(&x.address, 3000);
	if (options(&x, argc, argv) && ctl_find_mta(c) && ctl_address(c, argv[optind + 1], &addr)) {
		oraddr_print(&addr, ORADDR_F401, &x.address);
		ctl_converse(c, "control", types, ARRAY_LEN(types), ask);
	}
	out_fini(&x.address);
	ctl_end(c);
	return c->status;
}
