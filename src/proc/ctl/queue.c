/* queue.c - `posthorn queue`: what waits, and the operator's hand on it: hold, release, retry, reroute, return, delete. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "flow/message/message.h"
#include "sys/moment.h"

enum { OF_MAX = 900 }; /* of what an ASK can hold */

static const char usage[] =
	"usage: posthorn queue -c FILE [--link NAME]\n"
	"       posthorn queue list -c FILE SELECTION\n"
	"       posthorn queue hold|release|retry|return|delete -c FILE SELECTION [--why TEXT]\n"
	"       posthorn queue reroute -c FILE SELECTION --to LINK [--why TEXT]\n\n"
	"What waits to be transferred, of all links or of one; and what an operator does to it.\n\n"
	"  list      those that the selection finds\n"
	"  hold      keep: not tried, not expired, until released\n"
	"  release   what was held goes on\n"
	"  retry     try now, and the link too\n"
	"  reroute   hand over by another link\n"
	"  return    give up: the originator gets a non-delivery report\n"
	"  delete    give up without a report\n\n"
	"SELECTION, all of which must fit (without any, an act refuses):\n"
	"  --id ID                 number of a transfer, or an MTS-identifier; may be repeated\n"
	"  --originator TEXT, --recipient TEXT     address contains TEXT, upper or lower case\n"
	"  --link NAME, --priority urgent|normal|non-urgent\n"
	"  --older TIME            waits longer than 30s, 10min, 2h, 1d\n"
	"  --larger SIZE           content over 4096, 64K, 1M\n"
	"  --content-type N        built-in number: 2 or 22 interpersonal, 35 EDI\n"
	"  --held                  held ones only\n"
	"  --all                   everything\n\n"
	"  --to LINK               reroute: where to\n"
	"  --report                delete: report it after all, as return does\n"
	"  --why TEXT              kept in the journey and in the audit; wanted for return and delete\n"
	"  --yes                   return and delete without --why\n"
	"  --dry-run               list what would be done, and do nothing\n"
	CTL_FIND "\n"
	"Each one is done at the moment the MTA comes to it: what has been delivered meanwhile is told as gone, what is\n"
	"being handed over is not touched, and the act is done when it comes back undelivered. Cut off, a command has\n"
	"done some, and may be given again.\n" CTL_STATUSES;

struct command {
	struct ctl ctl;
	bool listing, old_form;          /* old form: no word says what */
	struct ctl_act act;
	uint64_t ids[CTL_ACT_IDS];
	struct out of;                   /* the question: name=value lines, see ASK_SELECT */
	const char *which[64];           /* --id; empty: none was named */
	size_t n_which;
	bool yes, dry_run, report;
	bool selected;
	uint64_t found;
};

/* --- rows --- */

static void print_row(struct ctl *c, struct view pairs)
{
	if (c->json) {
		ctl_print_json(pairs);
		return;
	}
	printf("%s  transfer %s  link %s  %s  %s octets  attempts %s  arrived %s%s\n    from %s\n    to   %s\n", ctl_value(c, pairs, "id"),
	       ctl_value(c, pairs, "transfer"), ctl_value(c, pairs, "queue"), ctl_value(c, pairs, "priority"), ctl_value(c, pairs, "size"),
	       ctl_value(c, pairs, "attempts"), ctl_value(c, pairs, "arrived"), *ctl_value(c, pairs, "held") == '1' ? "  held" : "",
	       ctl_value(c, pairs, "originator"), ctl_value(c, pairs, "recipients"));
	if (*ctl_value(c, pairs, "error") != 0)
		printf("    last error: %s\n", ctl_value(c, pairs, "error"));
}

static void on_row(struct ctl *c, struct view pairs)
{
	struct command *q = CONTAINER(c, struct command, ctl);
	uint64_t id;
	q->found++;
	if (q->listing || q->dry_run)
		print_row(c, pairs);
	else if (q->act.n < ARRAY_LEN(q->ids) && text_uint(ctl_octets(pairs, "transfer"), UINT64_MAX, &id))
		q->ids[q->act.n++] = id;
}

/* --- what was asked --- */

/* An empty one would be no condition at all: a script whose variable is empty must not reach everything. */
static bool is_line(struct ctl *c, const char *name, const char *value)
{
	if (*value != 0 && strchr(value, '\n') == NULL && strlen(value) <= 256)
		return true;
	ctl_say(c, CTL_USAGE, "--%s: want one line of 1 to 256 octets", name);
	return false;
}

static bool take_text(struct ctl *c, const char *name, const char *text)
{
	struct command *q = CONTAINER(c, struct command, ctl);
	if (!is_line(c, name, text))
		return false;
	out_fmt(&q->of, "%s=%s\n", name, text);
	q->selected = true;
	return true;
}

static bool take_number(struct ctl *c, const char *name, uint64_t x)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)x);
	return take_text(c, name, text);
}

static bool take_priority(struct ctl *c, const char *name, const char *text)
{
	for (int p = 0; p < PRIORITY_COUNT; p++)
		if (strcmp(text, priority_name((enum priority)p)) == 0)
			return take_text(c, name, text);
	ctl_say(c, CTL_USAGE, "--priority \"%s\": want urgent, normal or non-urgent", text);
	return false;
}

static bool take_older(struct ctl *c, const char *name, const char *text)
{
	uint64_t ms;
	const uint64_t now = (uint64_t)moment_wall_ms();
	return ctl_age(c, name, text, &ms) && take_number(c, "before", ms > now ? 0 : now - ms);
}

static bool take_larger(struct ctl *c, const char *name, const char *text)
{
	uint64_t octets;
	return ctl_size(c, name, text, &octets) && take_number(c, name, octets);
}

static bool take_type(struct ctl *c, const char *name, const char *text)
{
	uint64_t number;
	if (text_uint(view_str(text), 32767, &number))
		return take_number(c, name, number);
	ctl_say(c, CTL_USAGE, "--content-type \"%.40s\": want a built-in number, as 22", text);
	return false;
}

static bool take_id(struct ctl *c, const char *name, const char *text)
{
	struct command *q = CONTAINER(c, struct command, ctl);
	if (!is_line(c, name, text))
		return false;
	if (q->n_which == ARRAY_LEN(q->which)) {
		ctl_say(c, CTL_USAGE, "at most %zu times --id", ARRAY_LEN(q->which));
		return false;
	}
	q->which[q->n_which++] = text;
	q->selected = true;
	return true;
}

/* The first word that is no option. False: there is no such act. */
static bool read_word(struct command *q, const char *word)
{
	static const struct {
		const char *word;
		enum msg_act act;
	} acts[] = { { "hold", ACT_HOLD }, { "release", ACT_RELEASE }, { "retry", ACT_RETRY }, { "reroute", ACT_REROUTE },
		     { "return", ACT_RETURN }, { "delete", ACT_DELETE } };
	q->old_form = false;
	q->listing = strcmp(word, "list") == 0;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		if (strcmp(word, acts[i].word) == 0) {
			q->act.act = acts[i].act;
			return true;
		}
	if (!q->listing)
		ctl_say(&q->ctl, CTL_USAGE, "\"%.40s\" is nothing that can be done: want list, hold, release, retry, reroute, return or delete",
			word);
	return q->listing;
}

static bool read_options(struct command *q, int argc, char **argv)
{
	bool held = false, all = false;
	const struct ctl_option own[] = {
		{ "id", .take = take_id }, { "originator", .take = take_text }, { "recipient", .take = take_text }, { "link", .take = take_text },
		{ "priority", .take = take_priority }, { "older", .take = take_older }, { "larger", .take = take_larger },
		{ "content-type", .take = take_type }, { "held", .flag = &held }, { "all", .flag = &all }, { "to", .text = &q->act.arg },
		{ "why", .text = &q->act.why }, { "yes", .flag = &q->yes }, { "dry-run", .flag = &q->dry_run }, { "report", .flag = &q->report },
	};
	if (!ctl_options(&q->ctl, argc, argv, usage, own, ARRAY_LEN(own)))
		return false;
	if (held && !take_text(&q->ctl, "held", "1"))
		return false;
	q->selected = q->selected || all;
	if (optind < argc && !read_word(q, argv[optind++]))
		return false;
	if (optind < argc) {
		ctl_say(&q->ctl, CTL_USAGE, "\"%.40s\" is one word too many", argv[optind]);
		return false;
	}
	return true;
}

/* One clear sentence for what does not fit together. */
static bool is_sensible(struct command *q)
{
	struct ctl *c = &q->ctl;
	bool final = !q->listing && (q->act.act == ACT_RETURN || q->act.act == ACT_DELETE);
	if (q->of.bad)
		ctl_say(c, CTL_USAGE, "the selection is longer than %d octets", OF_MAX);
	else if (q->listing)
		return true;
	else if (!q->selected)
		ctl_say(c, CTL_USAGE, "which ones? --id, --originator, --recipient, --link, --priority, --older, --larger, --held or --all");
	else if (q->act.act == ACT_REROUTE && *q->act.arg == 0)
		ctl_say(c, CTL_USAGE, "reroute wants --to LINK");
	else if (q->act.act != ACT_REROUTE && *q->act.arg != 0)
		ctl_say(c, CTL_USAGE, "--to is for reroute only");
	else if (q->report && q->act.act != ACT_DELETE)
		ctl_say(c, CTL_USAGE, "--report is for delete only");
	else if (final && *q->act.why == 0 && !q->yes && !q->dry_run)
		ctl_say(c, CTL_USAGE, "this cannot be undone: say --why TEXT, or --yes");
	else
		return true;
	return false;
}

/* --- doing it --- */

/* One selection: a page of rows is found, then acted upon, then the next. */
static bool run_selection(struct command *q, const char *id)
{
	struct ctl *c = &q->ctl;
	struct out of;
	uint64_t after = 0;
	out_init(&of, MSG_MAX_ASK);
	out_bytes(&of, out_view(&q->of));
	if (id != NULL)
		out_fmt(&of, "id=%s\n", id);
	do {
		q->act.n = 0;
		if (ctl_ask(c, ASK_SELECT, out_cstr(&of), "transfer", &after, 1, on_row) != CTL_DONE)
			break;
		bool more = c->more;
		if (q->act.n > 0 && ctl_act(c, &q->act) != CTL_DONE)
			break;
		c->more = more;
	} while (c->more);
	out_fini(&of);
	return c->status == CTL_DONE;
}

static void run(struct command *q)
{
	struct ctl *c = &q->ctl;
	bool good = true;
	if (q->report)
		q->act.arg = "report";
	for (size_t i = 0; i < q->n_which && good; i++)
		good = run_selection(q, q->which[i]);
	if (q->n_which == 0)
		good = run_selection(q, NULL);
	if (!good && !q->listing && q->act.counts[ACTED_DONE] > 0)
		fprintf(stderr, "posthorn queue: %llu were done before\n", (unsigned long long)q->act.counts[ACTED_DONE]);
	if (!good || q->listing)
		return;
	if (q->dry_run)
		printf(c->json ? "{\"would\":%llu}\n" : "%llu, and nothing was done\n", (unsigned long long)q->found);
	else
		ctl_act_total(c, &q->act, q->found);
	if (q->found == 0)
		ctl_say(c, CTL_REFUSED, "nothing that waits fits");
}

int ctl_queue(int argc, char **argv)
{
	struct command q = { .listing = true, .old_form = true, .act = { .arg = "", .why = "" } };
	struct ctl *c = &q.ctl;
	uint64_t after = 0;
	ctl_begin(c, argv[0]);
	out_init(&q.of, OF_MAX);
	q.act.ids = q.ids;
	if (!read_options(&q, argc, argv) || !is_sensible(&q) || !ctl_find_mta(c))
		goto out;
	if (q.old_form && !q.selected)
		ctl_ask(c, ASK_QUEUE, "", "transfer", &after, UINT32_MAX, on_row);
	else
		run(&q);
	if (c->status == CTL_DONE && q.listing && q.found == 0 && !c->json)
		puts(q.selected ? "nothing that waits fits" : "nothing waits");
out:
	out_fini(&q.of);
	ctl_end(c);
	return c->status;
}
