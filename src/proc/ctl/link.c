/* link.c - `posthorn link`: an operator's hand on a link: its associations, try now, release, stop, start. */
#include "proc/ctl/ctl_int.h"

#include <pwd.h>
#include <unistd.h>

static const char usage[] =
	"usage: posthorn link list -c FILE NAME\n"
	"       posthorn link retry|close|stop|start -c FILE NAME [--why TEXT]\n"
	"       posthorn link trace -c FILE NAME on|off|--follow [OPTIONS]\n\n"
	"One link: its associations, and an operator's hand on it.\n\n"
	"  list      its associations\n"
	"  retry     the wait for the next attempt is over: now\n"
	"  close     its associations are released when what is in hand is done; it opens others when mail wants it\n"
	"  stop      the same, and it opens none and answers its peer's calls busy until it is started, over restarts of the\n"
	"            MTA too; mail for it waits, or goes another way when there is one\n"
	"  start     what was stopped goes on\n"
	"  trace     what goes over its connections, in a file or decoded as it comes: posthorn link trace --help\n\n"
	"  --why TEXT              kept in the audit\n"
	CTL_FIND CTL_STATUSES;

struct command {
	struct ctl ctl;
	enum msg_link_act act;
	const char *word, *link, *why;
	size_t rows;
};

static bool read_word(struct command *k, const char *word)
{
	static const struct {
		const char *word;
		enum msg_link_act act;
	} acts[] = { { "list", LINK_ACT_LIST }, { "retry", LINK_ACT_RETRY }, { "close", LINK_ACT_CLOSE }, { "stop", LINK_ACT_STOP },
		     { "start", LINK_ACT_START } };
	k->word = word;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (strcmp(word, acts[i].word) == 0) {
			k->act = acts[i].act;
			return true;
		}
	ctl_say(&k->ctl, CTL_USAGE, "\"%.40s\" is nothing that can be done: want list, retry, close, stop or start", word);
	return false;
}

static bool read_options(struct command *k, int argc, char **argv)
{
	const struct ctl_option own[] = { { "why", .text = &k->why } };
	struct ctl *c = &k->ctl;
	if (!ctl_options(c, argc, argv, usage, own, ARRAY_LEN(own)))
		return false;
	if (argc - optind != 2) {
		ctl_say(c, CTL_USAGE, "want list, retry, close, stop or start, and the name of a link");
		return false;
	}
	k->link = argv[optind + 1];
	if (strlen(k->link) > 64 || strlen(k->why) > 300) {
		ctl_say(c, CTL_USAGE, "a link's name has at most 64 octets, --why at most 300");
		return false;
	}
	return read_word(k, argv[optind]);
}

static bool on_row(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct command *k = CONTAINER(c, struct command, ctl);
	struct msg_row m;
	if (!get_msg_row(payload, &m, e))
		return false;
	k->rows++;
	if (c->json) {
		ctl_print_json(m.pairs);
		return true;
	}
	arena_reset(c->row);
	printf("%-6s %-3s  %-8s %-12s in flight %s%s%s%s\n", ctl_value(c, m.pairs, "id"), ctl_value(c, m.pairs, "direction"), ctl_value(c, m.pairs, "state"),
	       ctl_value(c, m.pairs, "process"), ctl_value(c, m.pairs, "in-flight"), *ctl_value(c, m.pairs, "age-ms") == 0 ? "" : "  for ms ",
	       ctl_value(c, m.pairs, "age-ms"), *ctl_value(c, m.pairs, "two-way") == '1' ? "  two-way" : "");
	return true;
}

static bool on_done(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct command *k = CONTAINER(c, struct command, ctl);
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	if (!m.accepted) {
		ctl_over(c, ctl_say(c, CTL_REFUSED, "%s", m.err.text));
		return true;
	}
	if (c->json && k->act != LINK_ACT_LIST)
		ctl_print_texts((const char *const[]){ "link", k->link, "act", k->word, "outcome", "done", NULL });
	else if (!c->json && k->act == LINK_ACT_LIST && k->rows == 0)
		printf("no association is open\n");
	ctl_over(c, CTL_DONE);
	return true;
}

static void ask(struct ctl *c)
{
	const struct command *k = CONTAINER(c, struct command, ctl);
	const struct passwd *user = getpwuid(getuid());
	const struct msg_link_act_on m = { .id = 1, .act = k->act, .link = view_str(k->link), .who = view_str(user == NULL ? "" : user->pw_name),
					   .why = view_str(k->why) };
	put_msg_link_act_on(ctl_message(c), &m);
	ctl_message_send(c, MSG_LINK_ACT);
}

int ctl_link(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "trace") == 0)
		return ctl_link_trace(argc - 1, argv + 1);
	static const struct chan_type types[] = {
		{ .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = MSG_MAX_DONE },
		{ .type = MSG_ROW, .name = "ROW", .handle = on_row, .max = MSG_MAX_ROW },
	};
	struct command k = { .why = "" };
	struct ctl *c = &k.ctl;
	ctl_begin(c, argv[0]);
	if (read_options(&k, argc, argv) && ctl_find_mta(c))
		ctl_converse(c, "control", types, ARRAY_LEN(types), ask);
	ctl_end(c);
	return c->status;
}
