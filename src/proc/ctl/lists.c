/* lists.c - `posthorn status`, `read`, `check-config`. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "proc/content/render.h"
#include "proc/table/config.h"
#include "proc/table/rows.h"
#include "proc/table/settings_doubt.h"


/* --- status --- */

static void print_link(struct ctl *c, const struct msg_status_link *m)
{
	if (c->json) {
		struct out o;
		out_init(&o, 16 * 1024);
		const struct { const char *name; struct view value; } texts[] = {
			{ "link", m->name }, { "state", m->state }, { "address", m->address }, { "schedule", m->schedule },
			{ "last-error", m->last_error }, { "monitor", m->monitor } };
		const struct { const char *name; uint64_t value; } numbers[] = {
			{ "queued", m->queued }, { "octets", m->octets }, { "inbound", m->inbound }, { "two-way", m->two_way }, { "outbound", m->outbound },
			{ "in-flight", m->in_flight }, { "sent", m->sent }, { "received", m->received }, { "open-failures", m->attempts },
			{ "unanswered-ms", m->unanswered_ms } };
		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			rows_text(&o, texts[i].name, texts[i].value);
		for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
			rows_number(&o, numbers[i].name, numbers[i].value);
		if (m->next_attempt_ms >= 0)
			rows_number(&o, "next-attempt-ms", (uint64_t)m->next_attempt_ms);
		if (m->round_trip_ms >= 0)
			rows_number(&o, "round-trip-ms", (uint64_t)m->round_trip_ms);
		ctl_print_json(out_view(&o));
		out_fini(&o);
		return;
	}
	printf("%-16s %-16s in %-3llu out %-3llu queued %-8llu sent %-8llu received %-8llu", ctl_shown(c, m->name), ctl_shown(c, m->state),
	       (unsigned long long)m->inbound, (unsigned long long)m->outbound, (unsigned long long)m->queued, (unsigned long long)m->sent,
	       (unsigned long long)m->received);
	if (m->next_attempt_ms >= 0)
		printf(" next attempt in %lld s", (long long)(m->next_attempt_ms + 999) / 1000);
	if (m->two_way > 0)
		printf(" two-way %llu", (unsigned long long)m->two_way);
	if (!view_eq(m->schedule, VIEW("always")))
		printf(" schedule %s", ctl_shown(c, m->schedule));
	if (m->monitor.n > 0)
		printf(" monitor %s", ctl_shown(c, m->monitor));
	putchar('\n');
	if (m->last_error.n > 0)
		printf("                 %s\n", ctl_shown(c, m->last_error));
}

static bool on_link(void *ctx, struct view payload, struct err *e)
{
	struct msg_status_link m;
	struct ctl *c = ctx;
	if (!get_msg_status_link(payload, &m, e))
		return false;
	arena_reset(c->row);
	print_link(c, &m);
	return true;
}

/* For programs: what is alive in each process. */
static void ask_blocks(struct ctl *c)
{
	const struct msg_row all = { .id = 1 };
	put_msg_row(chan_begin(c->chan, MSG_BLOCKS), &all);
	chan_end(c->chan);
}

static void print_totals(const struct msg_status_end *m)
{
	const struct { const char *name; uint64_t value; } numbers[] = {
		{ "messages", m->messages }, { "queued", m->queued }, { "mailbox-entries", m->deliveries }, { "links", m->links },
		{ "content-processes", m->content_processes }, { "uptime-ms", m->uptime_ms }, { "held", m->held }, { "quarantined", m->quarantined },
		{ "suspects", m->suspects } };
	struct out o;
	out_init(&o, 4096);
	rows_text(&o, "mta", m->mta);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		rows_number(&o, numbers[i].name, numbers[i].value);
	ctl_print_json(out_view(&o));
	out_fini(&o);
}

static bool on_status_end(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct msg_status_end m;
	if (!get_msg_status_end(payload, &m, e))
		return false;
	if (c->json)
		print_totals(&m);
	else
		printf("%s (%s): %llu messages, %llu transfers queued, %llu mailbox entries, up %llu s\n", ctl_shown(c, m.mta), ctl_shown(c, m.domain), (unsigned long long)m.messages, (unsigned long long)m.queued,
		       (unsigned long long)m.deliveries, (unsigned long long)m.uptime_ms / 1000);
	if (!c->json && m.held > 0)
		printf("held by an operator: %llu (posthorn queue list --held)\n", (unsigned long long)m.held);
	if (!c->json && m.quarantined > 0)
		printf("in quarantine: %llu (posthorn quarantine list)\n", (unsigned long long)m.quarantined);
	if (!c->json && m.suspects > 0)
		printf("suspects, handled alone: %llu\n", (unsigned long long)m.suspects);
	if (c->json)
		ask_blocks(c);
	else
		ctl_over(c, CTL_DONE);
	return true;
}

static bool on_blocks(void *ctx, struct view payload, struct err *e)
{
	struct msg_row m;
	(void)ctx;
	if (!get_msg_row(payload, &m, e))
		return false;
	ctl_print_json(m.pairs);
	return true;
}

static bool on_all_told(void *ctx, struct view payload, struct err *e)
{
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	ctl_over(ctx, CTL_DONE);
	return true;
}

static void ask_status(struct ctl *c)
{
	chan_send(c->chan, MSG_STATUS, (struct view){ NULL, 0 });
}

int ctl_status(int argc, char **argv)
{
	static const struct chan_type types[] = {
		{ .type = MSG_STATUS_LINK, .name = "STATUS_LINK", .handle = on_link, .max = 4096 },
		{ .type = MSG_STATUS_END, .name = "STATUS_END", .handle = on_status_end, .max = 1024 },
		{ .type = MSG_DONE, .name = "DONE", .handle = on_all_told, .max = 1024 },
		{ .type = MSG_BLOCKS, .name = "BLOCKS", .handle = on_blocks, .max = MSG_MAX_BLOCKS },
	};
	struct ctl c;
	ctl_begin(&c, argv[0]);
	if (ctl_options(&c, argc, argv, "usage: posthorn status -c FILE\n\nThe links with their associations and queues, then totals, then the movers (Microsoft Mail),\nthen processes that do not run or answer, or were started again in the last 10 minutes, and why;\nwith --json also how many control blocks of each kind are alive in every process.\n\n"
			CTL_FIND CTL_STATUSES, NULL, 0) && ctl_no_more(&c, argc, argv) && ctl_find_mta(&c))
		if (ctl_converse(&c, "control", types, ARRAY_LEN(types), ask_status) == CTL_DONE) {
			ctl_movers(&c);
			ctl_processes(&c);
			if (ctl_supervisor_is_stopped(&c))
				ctl_say_supervisor(&c);
		}
	ctl_end(&c);
	return c.status;
}

/* --- read --- */

static void print_mail(struct ctl *c, struct view pairs)
{
	if (c->json)
		ctl_print_json(pairs);
	else
		printf("%6s  %-7s  %s  %s octets\n        from %s\n", ctl_value(c, pairs, "delivery"), ctl_value(c, pairs, "kind"),
		       ctl_value(c, pairs, "delivered"), ctl_value(c, pairs, "size"), ctl_value(c, pairs, "originator"));
}

struct mailbox {
	struct ctl ctl;
	const char *name;
	uint64_t entries[100], one; /* one: is in hand */
	size_t n;
};

static void ask_show(struct ctl *c)
{
	struct msg_render m = { .id = 1, .delivery = CONTAINER(c, struct mailbox, ctl)->one, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(c->chan, MSG_SHOW_MAIL), &m);
	chan_end(c->chan);
}

static void ask_remove(struct ctl *c)
{
	struct msg_render m = { .id = 1, .delivery = CONTAINER(c, struct mailbox, ctl)->one, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_render(chan_begin(c->chan, MSG_REMOVE_MAIL), &m);
	chan_end(c->chan);
}

static void print_shown(const struct render *r, struct out *o)
{
	struct out raw;
	out_init(&raw, 64 * 1024 * 1024);
	render_print(r, &raw);
	text_show(o, out_view(&raw), true);
	out_fini(&raw);
}

bool ctl_print_rendered(struct ctl *c, struct view payload, struct err *e)
{
	struct msg_render m;
	struct render r;
	if (!get_msg_render(payload, &m, e))
		return false;
	if (m.err.kind != ERR_NONE) {
		ctl_over(c, ctl_say(c, CTL_REFUSED, "%s", m.err.text));
		return true;
	}
	if (!render_unpack(m.content, &r, c->arena, e))
		return false;
	struct out o;
	out_init(&o, 64 * 1024 * 1024);
	if (c->json)
		render_print_json(&r, &o);
	else
		print_shown(&r, &o);
	fwrite(out_view(&o).p, 1, out_len(&o), stdout);
	putchar('\n');
	out_fini(&o);
	ctl_over(c, CTL_DONE);
	return true;
}

static bool on_shown(void *ctx, struct view payload, struct err *e)
{
	return ctl_print_rendered(ctx, payload, e);
}

static bool on_done(void *ctx, struct view payload, struct err *e)
{
	struct ctl *c = ctx;
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	ctl_over(c, m.accepted ? CTL_DONE : ctl_say(c, CTL_REFUSED, "%s", m.err.text));
	return true;
}

static const struct chan_type mail_types[] = {
	{ .type = MSG_SHOWN_MAIL, .name = "SHOWN_MAIL", .handle = on_shown, .max = CHAN_FRAME_MAX },
	{ .type = MSG_DONE, .name = "DONE", .handle = on_done, .max = 1024 },
};

static void collect(struct ctl *c, struct view pairs)
{
	struct mailbox *m = CONTAINER(c, struct mailbox, ctl);
	uint64_t number;
	if (m->n < ARRAY_LEN(m->entries) && text_uint(ctl_octets(pairs, "delivery"), UINT64_MAX, &number))
		m->entries[m->n++] = number;
}

/* Some that come after one. */
static bool find(struct mailbox *m, uint64_t after)
{
	m->n = 0;
	do
		if (ctl_ask(&m->ctl, ASK_MAILBOX, m->name, "delivery", &after, 1, collect) != CTL_DONE)
			return false;
	while (m->n == 0 && m->ctl.more);
	return true;
}

/* One entry of this mailbox, and of no other. */
static bool find_one(struct mailbox *m, const char *option, const char *which)
{
	if (!ctl_number(&m->ctl, option, which, &m->one))
		return false;
	if (m->one > 0 && m->one <= INT64_MAX && !find(m, m->one - 1))
		return false;
	if (m->n > 0 && m->entries[0] == m->one)
		return true;
	ctl_say(&m->ctl, CTL_REFUSED, "no entry %llu is in mailbox \"%.60s\"", (unsigned long long)m->one, m->name);
	return false;
}

static void show_all(struct mailbox *m)
{
	uint64_t last = 0;
	while (find(m, last) && m->n > 0)
		for (size_t i = 0; i < m->n; i++) {
			last = m->one = m->entries[i];
			if (ctl_converse(&m->ctl, "control", mail_types, ARRAY_LEN(mail_types), ask_show) != CTL_DONE)
				return;
		}
}

/* What the settings do not know may be one of before, in which something is left. */
static void tell_empty(struct ctl *c, const char *name)
{
	const struct set_mailbox *boxes = c->settings.mailboxes.v;
	size_t i = 0;
	while (i < c->settings.mailboxes.n && strcmp(boxes[i].name, name) != 0)
		i++;
	if (c->config != NULL && i == c->settings.mailboxes.n)
		ctl_say(c, CTL_REFUSED, "no mailbox is called \"%.60s\"", name);
	else if (!c->json)
		puts("nothing lies in it");
}

int ctl_read(int argc, char **argv)
{
	struct mailbox m = { .one = 0 };
	struct ctl *c = &m.ctl;
	const char *shown = NULL, *removed = NULL;
	const struct ctl_option own[] = { { "show", .text = &shown }, { "remove", .text = &removed } };
	uint64_t after = 0;
	ctl_begin(c, argv[0]);
	if (!ctl_options(c, argc, argv, "usage: posthorn read -c FILE MAILBOX [--show NUMBER|all] [--remove NUMBER]\n\n"
		     "Lists the entries of a mailbox; --show renders one, or all, with heading and body parts; --remove\ndeletes one.\n\n"
			 CTL_FIND CTL_STATUSES, own, ARRAY_LEN(own)))
		goto out;
	if (optind + 1 != argc) {
		ctl_say(c, CTL_USAGE, "want the name of one mailbox");
		goto out;
	}
	m.name = argv[optind];
	if (!ctl_find_mta(c))
		goto out;
	if (removed != NULL) {
		if (find_one(&m, "--remove", removed))
			ctl_converse(c, "control", mail_types, ARRAY_LEN(mail_types), ask_remove);
	} else if (shown != NULL && strcmp(shown, "all") == 0) {
		show_all(&m);
	} else if (shown != NULL) {
		if (find_one(&m, "--show", shown))
			ctl_converse(c, "control", mail_types, ARRAY_LEN(mail_types), ask_show);
	} else {
		if (ctl_ask(c, ASK_MAILBOX, m.name, "delivery", &after, UINT32_MAX, print_mail) == CTL_DONE && after == 0)
			tell_empty(c, m.name);
	}
out:
	ctl_end(c);
	return c->status;
}

/* --- check-config --- */

static void tell_doubt(void *ctx, const char *sentence)
{
	fprintf(stderr, "posthorn check-config: warning: %s\n", sentence);
	(void)ctx;
}

/* What is right, but hardly meant. */
static void tell_doubts(struct ctl *c, const char *path, struct view text)
{
	struct settings s;
	if (settings_load(text, path, &s, c->arena, NULL))
		settings_doubts(&s, c->arena, tell_doubt, NULL);
}

int ctl_check_config(int argc, char **argv)
{
	struct ctl c;
	struct plan plan;
	struct err e;
	struct out text;
	ctl_begin(&c, argv[0]);
	out_init(&text, 16 * 1024 * 1024);
	if (!ctl_options(&c, argc, argv, "usage: posthorn check-config FILE\n\nChecks a settings file; prints it in canonical form, with every default.\nWhat is right but hardly meant is told on standard error as a warning.\n\n"
		     "Exit status: 0 right, 64 wrong usage, 78 wrong, with line and column on standard error.", NULL, 0))
		goto out;
	const char *path = optind < argc ? argv[optind++] : c.config;
	if (!ctl_no_more(&c, argc, argv))
		;
	else if (path == NULL)
		ctl_say(&c, CTL_USAGE, "want a FILE");
	else if (!config_read(path, &plan, &text, &e))
		ctl_say(&c, CTL_CONFIG, "%s", e.text);
	else if (fwrite(out_view(&text).p, 1, out_len(&text), stdout) == out_len(&text))
		tell_doubts(&c, path, out_view(&text));
out:
	out_fini(&text);
	ctl_end(&c);
	return c.status;
}
