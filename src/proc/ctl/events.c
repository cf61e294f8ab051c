/* events.c - `posthorn events`: what has happened, from the recorder's memory and live; the catalogue; how much is heard of a category. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "proc/table/event_line.h"
#include "proc/table/events_table.h"
#include "proc/table/settings_operate.h"
#include "sys/moment.h"
#include "sys/settings_unit.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

enum {
	AGAIN_MS = 100, AGAIN_MAX = 300, /* a recorder that died is back in a moment; an MTA that was ended is not */
	SHOWN_MAX = 16 * 1024,
};

static const char usage[] =
	"usage: posthorn events -c FILE [--follow] [--category A,B] [--severity S] [--link LINK] [--text TEXT]\n"
	"                       [--since WHEN] [--max N] [--json]\n"
	"       posthorn events list [--category A,B] [--json]\n"
	"       posthorn events level -c FILE [--json]\n"
	"       posthorn events level -c FILE CATEGORY|all LEVEL [--why TEXT]\n\n"
	"What has happened: the events that the MTA has in memory (event-log.memory), oldest first.\n\n"
	"  list      every kind of event there is: number, name, severity, category, the event of Exchange for the same fact, meaning\n"
	"  level     how much every process says of a category from now on, until the next reload or start: none (errors and alarms),\n"
	"            minimum (warnings too), medium (what happens, too), maximum (everything); without arguments: which level each\n"
	"            category has now, and which the settings give it\n\n"
	"  --follow             go on with those that come, until interrupted\n"
	"  --category A,B       of these categories\n"
	"  --severity S         this and worse: debug, info, notice, warning, error, alarm\n"
	"  --link LINK          about this link\n"
	"  --text TEXT          with this in name, process or a value; capitals do not count\n"
	"  --since WHEN         younger than a time (10min, 2h), or since 2026-11-22T10:00Z\n"
	"  --max N              of those in memory the last N\n"
	"  --why TEXT           level: kept in the audit event\n"
	CTL_FIND CTL_STATUSES;

struct command {
	struct ctl ctl;
	struct msg_follow ask;
	bool heard;                  /* anything, in this conversation */
	uint64_t after;
	const char *categories, *category, *why;
	unsigned level;
};

static struct command *command_of(struct ctl *c)
{
	return CONTAINER(c, struct command, ctl);
}

/* --- the catalogue --- */

static bool is_listed(const char *list, const char *category)
{
	size_t n = strlen(category);
	for (const char *at = list; at != NULL && *at != 0; at = strchr(at, ','), at = at == NULL ? NULL : at + 1)
		if (strncmp(at, category, n) == 0 && (at[n] == 0 || at[n] == ','))
			return true;
	return list == NULL;
}

static void print_kind(const struct event_kind *k, bool json)
{
	if (!json) {
		printf("%4u  %-28s %-8s %-10s %-20s %s\n", k->id, k->name, event_severity_name(k->severity), k->category, k->source, k->sentence);
		return;
	}
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "id", (int)k->id, "event", k->name, "severity", event_severity_name(k->severity),
			      "category", k->category, "source", k->source, "meaning", k->sentence);
	json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(o);
}

static int list_kinds(struct command *q)
{
	unsigned n = 0;
	for (size_t i = 0; i < EVENT_KINDS; i++) {
		if (!is_listed(q->categories, event_kinds[i].category))
			continue;
		print_kind(&event_kinds[i], q->ctl.json);
		n++;
	}
	return n > 0 ? CTL_DONE : ctl_say(&q->ctl, CTL_REFUSED, "no event is of category \"%s\"", q->categories);
}

/* --- events --- */

static void print_event(const struct command *q, struct view line)
{
	struct event_line parts;
	struct err e;
	struct out o;
	if (q->ctl.json) {
		printf("%.*s\n", (int)line.n, (const char *)line.p);
		return;
	}
	if (!event_line_parse(line, &parts, &e))
		return; /* the recorder keeps none */
	out_init(&o, SHOWN_MAX);
	event_line_show(&parts, &o);
	fputs(out_cstr(&o), stdout);
	out_fini(&o);
	event_line_fini(&parts);
}

static bool on_event(void *ctx, struct view payload, struct err *e)
{
	struct command *q = command_of(ctx);
	struct msg_event m;
	if (!get_msg_event(payload, &m, e))
		return false;
	q->heard = true;
	q->after = m.number;
	print_event(q, m.line);
	if (q->ask.live && fflush(stdout) != 0) /* nobody sees them */
		ctl_over(&q->ctl, CTL_DONE);
	return true;
}

static bool on_followed(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct command *q = command_of(c);
	struct msg_followed m;
	if (!get_msg_followed(payload, &m, e))
		return false;
	if (m.err.kind != ERR_NONE) {
		ctl_over(c, ctl_say(c, CTL_REFUSED, "%s", m.err.text));
		return true;
	}
	q->heard = true;
	q->after = m.next > q->after ? m.next : q->after;
	if (m.dropped > 0)
		fprintf(stderr, "posthorn events: %llu events were not kept so long\n", (unsigned long long)m.dropped);
	if (!m.live)
		ctl_over(c, CTL_DONE);
	return true;
}

static void ask(struct ctl *c)
{
	struct command *q = command_of(c);
	q->ask.after = q->after;
	put_msg_follow(ctl_message(c), &q->ask);
	ctl_message_send(c, MSG_FOLLOW);
}

static const struct chan_type types[] = {
	{ .type = MSG_FOLLOWED, .name = "FOLLOWED", .handle = on_followed, .max = MSG_MAX_FOLLOWED },
	{ .type = MSG_EVENT, .name = "EVENT", .handle = on_event, .max = MSG_MAX_EVENT },
};

static int show(struct command *q)
{
	struct ctl *c = &q->ctl;
	bool ever = false;
	int status;
	for (unsigned missed = 0; missed < AGAIN_MAX; missed++) {
		q->heard = false;
		c->is_silent = ever;
		c->endless = q->ask.live;
		c->patience_ms = ever ? 0 : c->patience_ms; /* it has been there, and comes again */
		status = ctl_converse(c, "events", types, ARRAY_LEN(types), ask);
		if (status != CTL_NO_MTA || !q->ask.live || (!ever && !q->heard))
			return status;
		ever = true;
		missed = q->heard ? 0 : missed;
		q->ask.max = 0; /* all that came since */
		moment_wait_ms(AGAIN_MS);
	}
	return ctl_say(c, CTL_NO_MTA, "%s/: no MTA answers there any more", c->directory);
}

/* --- levels --- */

static bool on_done(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	const struct command *q = command_of(c);
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	if (m.accepted && c->json && q->category != NULL)
		ctl_print_texts((const char *const[]){ "category", q->category, "level", settings_level_names[q->level], "outcome", "done", NULL });
	ctl_over(c, m.accepted ? CTL_DONE : ctl_say(c, CTL_REFUSED, "%s", m.err.text));
	return true;
}

static void say_level(struct ctl *c)
{
	const struct command *q = command_of(c);
	const struct passwd *pw = getpwuid(getuid());
	struct msg_level m = { .id = 1, .category = view_str(strcmp(q->category, "all") == 0 ? "" : q->category), .level = q->level,
			       .who = view_str(pw == NULL ? "unknown" : pw->pw_name), .why = view_str(q->why == NULL ? "" : q->why) };
	put_msg_level(ctl_message(c), &m);
	ctl_message_send(c, MSG_LEVEL);
}

static bool on_level(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct command *q = command_of(c);
	struct msg_row m;
	if (!get_msg_row(payload, &m, e))
		return false;
	arena_reset(c->row);
	if (!c->json && !q->heard)
		printf("%-10s  %-8s  %s\n", "category", "level", "settings");
	q->heard = true;
	if (c->json)
		ctl_print_json(m.pairs);
	else
		printf("%-10s  %-8s  %s\n", ctl_value(c, m.pairs, "category"), ctl_value(c, m.pairs, "level"), ctl_value(c, m.pairs, "settings"));
	return true;
}

static void ask_levels(struct ctl *c)
{
	chan_send(c->chan, MSG_LEVELS, (struct view){ NULL, 0 });
}

static int set_level(struct command *q, int n, char **args)
{
	static const struct chan_type answers[] = { { .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = MSG_MAX_DONE },
						    { .type = MSG_ROW, .name = "ROW", .handle = on_level, .max = MSG_MAX_ROW } };
	if (n == 0)
		return ctl_find_mta(&q->ctl) ? ctl_converse(&q->ctl, "events", answers, ARRAY_LEN(answers), ask_levels) : q->ctl.status;
	if (n != 2)
		return ctl_say(&q->ctl, CTL_USAGE, "level: want a category, or all, and a level; or nothing, to see them");
	q->category = args[0];
	while (settings_level_names[q->level] != NULL && strcmp(settings_level_names[q->level], args[1]) != 0)
		q->level++;
	if (settings_level_names[q->level] == NULL)
		return ctl_say(&q->ctl, CTL_USAGE, "level \"%.40s\": want none, minimum, medium or maximum", args[1]);
	return ctl_find_mta(&q->ctl) ? ctl_converse(&q->ctl, "events", answers, ARRAY_LEN(answers), say_level) : q->ctl.status;
}

/* --- options --- */

static bool take_since(struct ctl *c, const char *name, const char *text)
{
	struct command *q = command_of(c);
	struct tm tm = { 0 };
	uint64_t age;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	if (end != NULL && *end == ':')
		end = strptime(end, ":%S", &tm);
	if (end != NULL && strcmp(end, "Z") == 0) {
		q->ask.since = (uint64_t)timegm(&tm) * 1000;
		return true;
	}
	if (!settings_duration(view_str(text), &age)) {
		ctl_say(c, CTL_USAGE, "--%s \"%.40s\": want a time as \"2026-11-22T10:30Z\", or so long ago as 30s, 10min, 2h, 1d", name, text);
		return false;
	}
	const uint64_t now = (uint64_t)moment_wall_ms();
	q->ask.since = age < now ? now - age : 1;
	return true;
}

static bool take_severity(struct ctl *c, const char *name, const char *text)
{
	enum event_severity s;
	if (!event_severity_of(view_str(text), &s)) {
		ctl_say(c, CTL_USAGE, "--%s \"%.40s\": want debug, info, notice, warning, error or alarm", name, text);
		return false;
	}
	command_of(c)->ask.severity = (uint8_t)s;
	return true;
}

static bool take_max(struct ctl *c, const char *name, const char *text)
{
	struct command *q = command_of(c);
	uint64_t n;
	if (!text_uint(view_str(text), UINT32_MAX, &n)) {
		ctl_say(c, CTL_USAGE, "--%s \"%.40s\": want a number", name, text);
		return false;
	}
	q->ask.max = (uint32_t)n;
	q->ask.last = true;
	return true;
}

int ctl_events(int argc, char **argv)
{
	struct command q = { .ask = { .id = 1 } };
	const char *link = NULL, *text = NULL;
	const struct ctl_option own[] = { { "follow", .flag = &q.ask.live, .letter = 'f' }, { "category", .text = &q.categories }, { "severity", .take = take_severity },
					  { "link", .text = &link }, { "text", .text = &text }, { "since", .take = take_since },
					  { "max", .take = take_max }, { "why", .text = &q.why } };
	ctl_begin(&q.ctl, "events");
	const bool good = ctl_options(&q.ctl, argc, argv, usage, own, ARRAY_LEN(own));
	q.ask.categories = q.categories == NULL ? (struct view){ NULL, 0 } : view_str(q.categories);
	q.ask.link = link == NULL ? (struct view){ NULL, 0 } : view_str(link);
	q.ask.text = text == NULL ? (struct view){ NULL, 0 } : view_str(text);
	const char *verb = optind < argc ? argv[optind] : "";
	if (!good)
		;
	else if (strcmp(verb, "list") == 0 && optind + 1 == argc)
		q.ctl.status = list_kinds(&q);
	else if (strcmp(verb, "level") == 0)
		q.ctl.status = set_level(&q, argc - optind - 1, argv + optind + 1);
	else if (optind < argc)
		ctl_say(&q.ctl, CTL_USAGE, "\"%.40s\": want list, level, or options", verb);
	else if (ctl_find_mta(&q.ctl))
		q.ctl.status = show(&q);
	ctl_end(&q.ctl);
	return q.ctl.status;
}
