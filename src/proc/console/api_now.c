/* api_now.c - how it is now: overview, history, stream, events, metrics. */
#include "proc/console/console_int.h"

#include "base/text.h"
#include "proc/table/metrics.h"

void api_overview(struct task *t)
{
	sampler_look(t->console->sampler);
	if (sampler_overview(t->console->sampler, &t->out))
		task_answer(t);
	else
		task_fail(t, 503, "the switch has not answered yet");
}

void api_history(struct task *t)
{
	int status;
	struct err e;
	uint64_t minutes;
	bool has;
	const struct view link = target_value(&t->request->target, "link", &has);
	sampler_look(t->console->sampler);
	if (!target_number(&t->request->target, "minutes", 1, 360, 60, &minutes, &status, &e))
		task_failed(t, status, &e);
	else if (!sampler_history(t->console->sampler, link, (int)minutes, &t->out))
		task_fail(t, 404, "no link has this name");
	else
		task_answer(t);
}

/* Which event was heard last: as browsers say it when they come again, or as a page does that knows it otherwise. */
static bool read_last(struct task *t, struct stream_join *j)
{
	unsigned n;
	bool has;
	const struct view header = request_header(t->request, "Last-Event-ID", &n), parameter = target_value(&t->request->target, "after", &has);
	const struct view said = n > 0 ? header : parameter;
	j->again = (n > 0 || has) && said.n > 0;
	if (n <= 1 && (!j->again || text_uint(said, INT64_MAX, &j->after)))
		return true;
	task_fail(t, 400, "Last-Event-ID, after: want the number of an event");
	return false;
}

void api_stream(struct task *t)
{
	struct console *c = t->console;
	struct out *first = &t->more;
	struct stream_join join = { .token = view_str(t->who.token), .until = feed_last(c->feed) };
	if (!read_last(t, &join))
		return;
	const uint64_t most = c->settings->console.viewers, of_one = most - most / 4; /* nobody alone keeps all others out */
	if (stream_hub_viewers(c->hub) >= most || stream_hub_viewers_of(c->hub, t->request->payer) >= of_one) {
		static const char *const extra[] = { "Retry-After: 30", NULL };
		EMIT(&c->host, CONSOLE_VIEWERS, "peer", t->request->address, "user", t->who.user);
		t->answered = true;
		request_answer(t->request, 429, "application/json", VIEW("{\"error\":\"as many pages as console.viewers allows follow already\"}"), extra);
		return;
	}
	t->answered = true;
	out_str(first, "retry: 2000\n\n");
	if (sampler_first(c->sampler, &t->out))
		stream_frame(first, "overview", 0, out_view(&t->out));
	join.first = out_view(first);
	stream_hub_join(c->hub, t->request, &join);
}

static bool severity_of(struct view name, enum event_severity *s_r)
{
	for (unsigned s = EVENT_DEBUG; s <= EVENT_ALARM; s++)
		if (view_eq(name, view_str(event_severity_name((enum event_severity)s)))) {
			*s_r = (enum event_severity)s;
			return true;
		}
	return false;
}

void api_events(struct task *t)
{
	const struct target *target = &t->request->target;
	struct feed_filter x = { .severity = EVENT_DEBUG };
	bool has;
	int status;
	struct err e;
	uint64_t next, before;
	const struct view severity = target_value(target, "severity", &has);
	if (has && !severity_of(severity, &x.severity)) {
		task_fail(t, 400, "severity: want debug, info, notice, warning, error or alarm");
		return;
	}
	if (!target_number(target, "before", 0, INT64_MAX, 0, &before, &status, &e)) {
		task_failed(t, status, &e);
		return;
	}
	if (!task_page(t))
		return;
	x.before = before;
	x.category = target_value(target, "category", &has);
	x.link = target_value(target, "link", &has);
	x.text = target_value(target, "text", &has);
	jout_open(&t->j, NULL, '{');
	jout_open(&t->j, "rows", '[');
	feed_put(t->console->feed, &x, (size_t)t->max, &next, &t->j);
	jout_close(&t->j, ']');
	if (next == 0)
		jout_null(&t->j, "next");
	else
		jout_int(&t->j, "next", (int64_t)next);
	jout_close(&t->j, '}');
	task_answer(t);
}

static bool has_bearer(const struct task *t)
{
	const char *token = t->console->settings->console.metrics_token;
	const struct view said = request_header(t->request, "Authorization", NULL);
	return *token == 0 || (view_eq_nocase(view_first(said, 7), VIEW("Bearer ")) && session_same(view_from(said, 7), view_str(token)));
}

void api_metrics(struct task *t)
{
	struct out o;
	if (!t->console->settings->console.metrics) {
		task_fail(t, 404, "console.metrics is false");
		return;
	}
	if (!has_bearer(t)) {
		task_fail(t, 401, "want Authorization: Bearer and the token of console.metrics-token");
		return;
	}
	out_init(&o, METRICS_OUT_MAX);
	sampler_look(t->console->sampler);
	sampler_metrics(t->console->sampler, &o);
	if (task_may_hold(t, out_len(&o))) {
		t->answered = true;
		request_answer(t->request, 200, METRICS_CONTENT_TYPE, out_view(&o), NULL);
	}
	out_fini(&o);
}
