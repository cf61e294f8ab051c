/* track.c - `posthorn trace`: the journey of a message, drawn; `posthorn track`: which messages fit what is known of them. */
#include "proc/ctl/ctl_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/message/message.h"
#include "proc/table/rows.h"
#include "sys/settings_unit.h"

#include <time.h>

enum { OF_MAX = 900, SHOWN = 100 };

/* --- times --- */

static wall_ms_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (wall_ms_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "Z", "+01:00", or nothing, which is UTC too. */
static bool read_zone(const char *text, int64_t *minutes_r)
{
	unsigned hours, minutes;
	char sign, end;
	*minutes_r = 0;
	if (*text == 0 || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if (sscanf(text, "%c%2u:%2u%c", &sign, &hours, &minutes, &end) != 3 || (sign != '+' && sign != '-') || hours > 23 || minutes > 59)
		return false;
	*minutes_r = (int64_t)(hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	return true;
}

/* RFC 3339: a date; or with a time to the minute, second or less. */
static bool read_rfc3339(const char *text, wall_ms_t *at_r)
{
	struct tm t = { 0 };
	int used = 0;
	int64_t zone, ms = 0;
	if (sscanf(text, "%4d-%2d-%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &used) != 3 || used != 10)
		return false;
	text += used;
	used = 0;
	if ((*text == 'T' || *text == 't' || *text == ' ') && sscanf(text + 1, "%2d:%2d%n", &t.tm_hour, &t.tm_min, &used) == 2 && used == 5) {
		text += 1 + used;
		used = 0;
		if (sscanf(text, ":%2d%n", &t.tm_sec, &used) == 1 && used == 3)
			text += used;
		if (*text == '.')
			for (int64_t unit = 100; *++text >= '0' && *text <= '9'; unit /= 10)
				ms += unit * (*text - '0');
	}
	if (!read_zone(text, &zone) || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 || t.tm_hour > 23 || t.tm_min > 59 ||
	    t.tm_sec > 60)
		return false;
	t.tm_year -= 1900;
	t.tm_mon--;
	*at_r = ((wall_ms_t)timegm(&t) - zone * 60) * 1000 + ms;
	return true;
}

static bool when(struct ctl *c, const char *option, const char *text, wall_ms_t *at_r)
{
	uint64_t ago;
	struct view v = view_str(text);
	if (v.n > 4 && strcmp(text + v.n - 4, " ago") == 0)
		v.n -= 4;
	if (read_rfc3339(text, at_r))
		return true;
	if (settings_duration(v, &ago) && ago < (uint64_t)now_ms()) {
		*at_r = now_ms() - (wall_ms_t)ago;
		return true;
	}
	ctl_say(c, CTL_USAGE, "--%s \"%s\": want a time as \"2026-11-22T10:30Z\" or \"2026-11-22\", or so long ago as \"2 h\"", option, text);
	return false;
}

/* "4 ms", "2.5 s", "3 min 20 s", "2 h 5 min", "3 d 4 h" */
static const char *duration(int64_t ms, char buf[40])
{
	const long long s = ms / 1000;
	if (ms < 1000)
		snprintf(buf, 40, "%lld ms", (long long)ms);
	else if (s < 60)
		snprintf(buf, 40, "%lld.%lld s", s, (long long)ms % 1000 / 100);
	else if (s < 3600)
		snprintf(buf, 40, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, 40, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, 40, "%lld d %lld h", s / 86400, s / 3600 % 24);
	return buf;
}

/* --- trace --- */

struct tracing {
	struct ctl ctl;
	size_t rows;
	const char *id;                  /* of the message: of its first step */
	wall_ms_t first, last;
	struct out pairs;
};

static void print_json(struct tracing *t, struct view pairs, wall_ms_t since)
{
	out_clear(&t->pairs);
	out_bytes(&t->pairs, pairs);
	rows_number(&t->pairs, "after-ms", (uint64_t)since);
	ctl_print_json(out_view(&t->pairs));
}

/* The message's own line is on the left; what its reports do stands beside it. */
static void draw_step(struct tracing *t, struct view pairs, wall_ms_t since)
{
	struct ctl *c = &t->ctl;
	char buf[40];
	const char *other = ctl_value(c, pairs, "other-id"), *event = ctl_value(c, pairs, "event");
	const bool own = strcmp(ctl_value(c, pairs, "id"), t->id) == 0, report_begins = own && *other != 0;
	printf("%s %12s  %s %-12s %-10s %s", ctl_value(c, pairs, "at"), t->rows == 1 ? "" : duration(since, buf), !own ? "| *" : report_begins ? "*-." : "*  ",
	       ctl_value(c, pairs, "step"), ctl_value(c, pairs, "peer"), ctl_value(c, pairs, "text"));
	if (*other != 0)
		printf("  [%s %s]", ctl_value(c, pairs, "id"), other);
	if (*event != 0)
		printf("  (%s: %s)", event, ctl_value(c, pairs, "event-name"));
	putchar('\n');
}

static void on_step(struct ctl *c, struct view pairs)
{
	struct tracing *t = CONTAINER(c, struct tracing, ctl);
	wall_ms_t at = t->last;
	(void)read_rfc3339(ctl_value(c, pairs, "at"), &at);
	if (t->rows++ == 0) {
		t->id = arena_str(c->arena, view_str(ctl_value(c, pairs, "id"))); /* which is compared with others of this form */
		t->first = t->last = at;
	}
	const wall_ms_t since = at > t->last ? at - t->last : 0; /* the clock may have been set back */
	if (c->json)
		print_json(t, pairs, since);
	else
		draw_step(t, pairs, since);
	t->last = at;
}

static const char trace_usage[] =
	"usage: posthorn trace -c FILE ID\n\n"
	"The journey of the message with this MTS-identifier (whole, or its local part), and of\n"
	"the reports about it, inside this MTA: each step with its time, how long after the one\n"
	"before, what it is in the numbers of Exchange's tracking log. What a report does stands\n"
	"one column further right.\n\n"
	CTL_FIND CTL_STATUSES;

int ctl_trace(int argc, char **argv)
{
	struct tracing t = { .rows = 0 };
	struct ctl *c = &t.ctl;
	uint64_t after = 0;
	char buf[40];
	ctl_begin(c, argv[0]);
	out_init(&t.pairs, MSG_MAX_ROW);
	if (!ctl_options(c, argc, argv, trace_usage, NULL, 0))
		goto out;
	if (optind + 1 != argc)
		ctl_say(c, CTL_USAGE, "want one MTS-identifier");
	else if (ctl_find_mta(c) && ctl_ask(c, ASK_TRACE, argv[optind], "seq", &after, UINT32_MAX, on_step) == CTL_DONE && t.rows == 0)
		ctl_say(c, CTL_REFUSED, "no message \"%s\" is known here", argv[optind]);
	if (c->status == CTL_DONE && !c->json && t.rows > 1)
		printf("%zu steps in %s\n", t.rows, duration(t.last > t.first ? t.last - t.first : 0, buf));
out:
	out_fini(&t.pairs);
	ctl_end(c);
	return c->status;
}

/* --- track --- */

struct tracking {
	struct ctl ctl;
	struct out of;                   /* the question: name=value lines, see ASK_TRACK */
	const char *address, *originator, *recipient;
	uint64_t max, rows;
};

static void on_found(struct ctl *c, struct view pairs)
{
	struct tracking *t = CONTAINER(c, struct tracking, ctl);
	if (t->rows++ >= t->max)
		return;
	if (c->json) {
		ctl_print_json(pairs);
		return;
	}
	printf("%s  %-13s %-10s %s\n        %s", ctl_value(c, pairs, "at"), ctl_value(c, pairs, "step"), ctl_value(c, pairs, "peer"),
	       ctl_value(c, pairs, "text"), ctl_value(c, pairs, "id"));
	if (*ctl_value(c, pairs, "event") != 0)
		printf("  (%s: %s)", ctl_value(c, pairs, "event"), ctl_value(c, pairs, "event-name"));
	putchar('\n');
}

static const char track_usage[] =
	"usage: posthorn track -c FILE [what is known of the message] [--max N]\n\n"
	"Which messages fit, newest first: each with the step by which it is known here.\n\n"
	"  --id ID                 MTS-identifier, whole or its local part, or the one a gateway knows it by\n"
	"  --ipm-id TEXT           local part of the IPM-identifier that its author's program gave it\n"
	"  --address ADDRESS       its originator, or a recipient\n"
	"  --originator, --recipient ADDRESS   one of the two\n"
	"  --subject TEXT          all of the subject; case, blanks and \"Re:\" do not count\n"
	"  --from, --to WHEN       \"2026-11-22T10:30Z\", \"2026-11-22\", or so long ago: \"2 h\"\n"
	"  --event N[,N]           steps that are such an event (numbers of Exchange's tracking log:\n"
	"                          0 transfer in, 7 out, 9 delivered, 26 list expanded, 28 redirected,\n"
	"                          29 rerouted, 34 report made, 50 deleted ...), of the messages that fit\n"
	"  --max N                 so many at most (100)\n\n"
	"An address is an O/R address, or the name of a mailbox in the settings. All that is given must fit.\n"
	"posthorn trace ID shows the journey of one.\n\n"
	CTL_FIND CTL_STATUSES;

static void add(struct tracking *t, const char *name, const char *value)
{
	out_fmt(&t->of, "%s=%s\n", name, value);
}

static bool take(struct ctl *c, const char *name, const char *text)
{
	add(CONTAINER(c, struct tracking, ctl), name, text);
	return true;
}

static bool take_time(struct ctl *c, const char *name, const char *text)
{
	char ms[24];
	wall_ms_t at;
	if (!when(c, name, text, &at))
		return false;
	snprintf(ms, sizeof ms, "%lld", (long long)(at < 1 ? 1 : at));
	return take(c, name, ms);
}

static bool take_max(struct ctl *c, const char *name, const char *text)
{
	struct tracking *t = CONTAINER(c, struct tracking, ctl);
	if (text_uint(view_str(text), UINT64_MAX, &t->max) && t->max > 0)
		return true;
	ctl_say(c, CTL_USAGE, "--%s \"%s\": want a number", name, text);
	return false;
}

/* Addresses can be read when the settings are. */
static bool add_address(struct tracking *t, const char *name, const char *text)
{
	struct oraddr addr;
	if (text == NULL)
		return true;
	if (!ctl_address(&t->ctl, text, &addr))
		return false;
	add(t, name, oraddr_text(&addr, t->ctl.arena));
	return true;
}

static bool question(struct tracking *t, int argc, char **argv)
{
	const struct ctl_option own[] = { { "id", .take = take }, { "ipm-id", .take = take }, { "address", .text = &t->address },
					  { "originator", .text = &t->originator }, { "recipient", .text = &t->recipient }, { "subject", .take = take },
					  { "event", .take = take }, { "from", .take = take_time }, { "to", .take = take_time }, { "max", .take = take_max } };
	struct ctl *c = &t->ctl;
	if (!ctl_options(c, argc, argv, track_usage, own, ARRAY_LEN(own)))
		return false;
	if (optind != argc) {
		ctl_say(c, CTL_USAGE, "\"%s\": what is known of the message is given by options", argv[optind]);
		return false;
	}
	if (!ctl_find_mta(c) || !add_address(t, "address", t->address) || !add_address(t, "originator", t->originator) ||
	    !add_address(t, "recipient", t->recipient))
		return false;
	if (out_len(&t->of) == 0 || t->of.bad)
		ctl_say(c, CTL_USAGE, t->of.bad ? "what is asked for is too long" : "want something that is known of the message");
	return out_len(&t->of) > 0 && !t->of.bad;
}

int ctl_track(int argc, char **argv)
{
	struct tracking t = { .max = SHOWN };
	struct ctl *c = &t.ctl;
	uint64_t after = 0;
	ctl_begin(c, argv[0]);
	out_init(&t.of, OF_MAX);
	if (!question(&t, argc, argv))
		goto out;
	while (ctl_ask(c, ASK_TRACK, out_cstr(&t.of), "seq", &after, 1, on_found) == CTL_DONE && c->more && t.rows <= t.max)
		continue;
	if (c->status == CTL_DONE && t.rows == 0)
		ctl_say(c, CTL_REFUSED, "no message that is known here fits");
	else if (c->status == CTL_DONE && t.rows > t.max)
		fprintf(stderr, "posthorn track: there are more: --max, or a shorter time\n");
out:
	out_fini(&t.of);
	ctl_end(c);
	return c->status;
}
