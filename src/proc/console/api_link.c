/* api_link.c - one link: how it is, what is set for it, its associations and last errors; and an operator's act on it. */
#include "proc/console/console_int.h"

#include "sys/settings.h"

enum { ERRORS_SHOWN = 20 };

static struct view link_of(const struct task *t)
{
	return t->request->target.segments[2];
}

static void put_pair(struct jout *j, const char *name, struct view value)
{
	jout_open(j, NULL, '{');
	jout_str(j, "name", name);
	jout_text(j, "value", value);
	jout_close(j, '}');
}

static void put_number(struct jout *j, const char *name, uint64_t x)
{
	char text[24];
	snprintf(text, sizeof text, "%llu", (unsigned long long)x);
	put_pair(j, name, view_str(text));
}

static void put_time(struct jout *j, const char *name, uint64_t ms)
{
	char text[40];
	const bool whole = ms % 1000 == 0;
	if (whole && ms % 60000 == 0 && ms > 0)
		snprintf(text, sizeof text, "%llu min", (unsigned long long)ms / 60000);
	else if (whole)
		snprintf(text, sizeof text, "%llu s", (unsigned long long)ms / 1000);
	else
		snprintf(text, sizeof text, "%llu ms", (unsigned long long)ms);
	put_pair(j, name, view_str(text));
}

static void put_text(struct jout *j, const char *name, const char *text)
{
	if (*text != 0)
		put_pair(j, name, view_str(text));
}

/* What matters to who looks why a link is as it is. No passwords. */
static void put_settings(const struct settings *s, struct view name, struct jout *j)
{
	static const char *const schedules[] = { "always", "never", "selected", "remote-initiated" };
	static const char *const modes[] = { "1988", "1988 X.410", "1984" };
	const struct set_link *links = s->links.v, *l = NULL;
	for (size_t i = 0; i < s->links.n; i++)
		if (view_eq(view_str(links[i].name), name))
			l = &links[i];
	jout_open(j, "settings", '[');
	if (l != NULL) {
		put_text(j, "address", l->address);
		put_text(j, "remote-mta", l->remote_mta);
		put_text(j, "local-mta", l->local_mta);
		if (l->kind == LINK_X400 && l->conformance < ARRAY_LEN(modes))
			put_text(j, "mode", modes[l->conformance]);
		if (l->schedule < ARRAY_LEN(schedules))
			put_text(j, "schedule", schedules[l->schedule]);
		put_number(j, "max-associations", l->max_associations);
		put_number(j, "threshold", l->threshold);
		put_number(j, "max-open-retries", l->max_open_retries);
		put_time(j, "open-interval", l->open_interval_ms);
		put_number(j, "max-transfer-retries", l->max_transfer_retries);
		put_time(j, "transfer-interval", l->transfer_interval_ms);
		put_time(j, "lifetime", l->lifetime_ms);
		put_time(j, "disconnect", l->disconnect_ms);
		if (l->size_limit > 0)
			put_number(j, "size-limit", l->size_limit);
		put_text(j, "tls", l->tls == LINK_TLS_REQUIRED ? "required" : "never");
		put_text(j, "postoffice", l->msmail.postoffice);
		put_text(j, "monitor.to", l->monitor.to);
	}
	jout_close(j, ']');
}

static bool on_association(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	jout_open(&t->j, NULL, '{');
	pairs_put(&t->j, pairs);
	jout_close(&t->j, '}');
	return task_grown(t);
}

/* The rest of the page, when the switch has told the associations. */
static void on_associations(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	const struct feed_filter errors = { .severity = EVENT_WARNING, .link = link_of(t) };
	uint64_t next;
	if (failed != NULL || answer->err.kind != ERR_NONE) {
		if (failed != NULL)
			task_upstream_failed(t, c, failed);
		else
			task_failed(t, 404, &answer->err);
		return;
	}
	jout_close(&t->j, ']');
	jout_open(&t->j, "errors", '[');
	feed_put(t->console->feed, &errors, ERRORS_SHOWN, &next, &t->j);
	jout_close(&t->j, ']');
	jout_close(&t->j, '}');
	task_answer(t);
}

void api_link(struct task *t)
{
	struct console *c = t->console;
	sampler_look(c->sampler);
	jout_open(&t->j, NULL, '{');
	if (!sampler_put_link(c->sampler, link_of(t), "link", &t->j)) {
		task_fail(t, 404, "no link has this name");
		return;
	}
	put_settings(c->settings, link_of(t), &t->j);
	jout_open(&t->j, "associations", '[');
	t->call.row = on_association;
	t->call.end = on_associations;
	upstream_link(c->up, &t->call, LINK_ACT_LIST, (const char *)link_of(t).p, "", "");
}

/* --- acts --- */

static void on_acted(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	if (failed != NULL)
		task_upstream_failed(t, c, failed);
	else if (answer->err.kind != ERR_NONE)
		task_failed(t, answer->err.kind == ERR_TEMP ? 503 : 409, &answer->err);
	else
		task_done(t);
}

void api_link_act(struct task *t)
{
	static const struct {
		const char *name;
		enum msg_link_act act;
	} acts[] = { { "retry", LINK_ACT_RETRY }, { "close", LINK_ACT_CLOSE }, { "stop", LINK_ACT_STOP }, { "start", LINK_ACT_START } };
	struct console *c = t->console;
	const struct view act = t->request->target.segments[3];
	struct jout none = { &t->more, false };
	char who[80];
	int status;
	struct err e;
	size_t i = 0;
	while (i < ARRAY_LEN(acts) && !view_eq(view_str(acts[i].name), act))
		i++;
	if (i == ARRAY_LEN(acts)) {
		task_fail(t, 404, "nothing is there");
		return;
	}
	if (!parse_act_body(out_view(&t->request->body), false, env_wall_ms(c->host.env), &t->act, t->arena, &status, &e)) {
		task_failed(t, status, &e);
		return;
	}
	if (!sampler_put_link(c->sampler, link_of(t), NULL, &none)) {
		task_fail(t, 404, "no link has this name");
		return;
	}
	snprintf(who, sizeof who, "console:%s", t->who.user);
	EMIT(&c->host, CONSOLE_ACT, "who", who, "peer", t->request->address, "act", acts[i].name, "link", (const char *)link_of(t).p, "why", t->act.why);
	t->call.end = on_acted;
	upstream_link(c->up, &t->call, acts[i].act, (const char *)link_of(t).p, who, t->act.why);
}
