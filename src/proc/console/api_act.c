/* api_act.c - an operator's hand on what waits and on what is in quarantine: by ids, or all that a filter finds, a slice for each request. The
 * reader selects, the switch acts: an id that has gone meanwhile is told as gone. */
#include "proc/console/console_int.h"

#include "base/mem.h"
#include "base/text.h"

static const char *const outcome_names[] = { [ACTED_DONE] = "done", [ACTED_GONE] = "gone", [ACTED_IN_FLIGHT] = "in-flight", [ACTED_REFUSED] = "refused" };

static void go_on(struct task *t);

static void put_results(struct task *t)
{
	struct cur cur = cur_of(out_view(&t->more));
	jout_open(&t->j, "results", '[');
	for (size_t i = 0; !t->act.has_filter && i < t->act.n_ids && cur_left(&cur) > 0; i++) {
		jout_open(&t->j, NULL, '{');
		jout_int(&t->j, "id", (int64_t)t->act.ids[i]);
		jout_str(&t->j, "outcome", outcome_names[cur_u8(&cur)]);
		jout_close(&t->j, '}');
	}
	jout_close(&t->j, ']');
}

static void tell(struct task *t)
{
	struct jout *j = &t->j;
	jout_open(j, NULL, '{');
	jout_int(j, "found", (int64_t)t->found);
	jout_int(j, "done", (int64_t)t->counts[ACTED_DONE]);
	jout_int(j, "gone", (int64_t)t->counts[ACTED_GONE]);
	jout_int(j, "in_flight", (int64_t)t->counts[ACTED_IN_FLIGHT]);
	jout_int(j, "refused", (int64_t)t->counts[ACTED_REFUSED]);
	jout_str(j, "error", t->why);
	put_results(t);
	if (t->next == 0)
		jout_null(j, "next");
	else
		jout_int(j, "next", (int64_t)t->next);
	jout_close(j, '}');
	task_answer(t);
}

/* What was done before stays done: it is told, with why the rest is not. */
static void broken(struct task *t, const struct call *c, const struct err *e)
{
	if (t->counts[ACTED_DONE] + t->counts[ACTED_IN_FLIGHT] + t->counts[ACTED_GONE] + t->counts[ACTED_REFUSED] == 0) {
		task_upstream_failed(t, c, e);
		return;
	}
	snprintf(t->why, sizeof t->why, "ended early, the rest may be asked for again: %.140s", e->text);
	t->next = t->act.has_filter ? t->looked : 0;
	tell(t);
}

static void on_acted(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	struct err e;
	if (failed != NULL || answer->what.n != t->n_batch) {
		if (failed == NULL)
			err_set(&e, ERR_LOCAL, ERR_OF_PROCESS, "the switch has answered about %zu of %zu", answer->what.n, t->n_batch);
		broken(t, c, failed == NULL ? &e : failed);
		return;
	}
	for (size_t i = 0; i < answer->what.n; i++) {
		const unsigned what = answer->what.p[i] <= ACTED_REFUSED ? answer->what.p[i] : ACTED_REFUSED;
		t->counts[what]++;
		out_u8(&t->more, (uint8_t)what);
	}
	if (answer->err.kind != ERR_NONE && t->why[0] == 0)
		snprintf(t->why, sizeof t->why, "%s", answer->err.text);
	t->at_id += t->n_batch;
	go_on(t);
}

static void act_on_some(struct task *t)
{
	t->n_batch = t->n_ids - t->at_id < TASK_BATCH ? t->n_ids - t->at_id : TASK_BATCH;
	t->call.row = NULL;
	t->call.end = on_acted;
	upstream_act(t->console->up, &t->call, t->what, t->act.link, t->who_text, t->act.why, t->ids + t->at_id, t->n_batch);
}

static bool on_row(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	uint64_t id;
	if (t->n_ids < ROWS_MOST && text_uint(rows_value(pairs, "transfer"), UINT64_MAX, &id))
		t->ids[t->n_ids++] = id;
	return true;
}

static void on_found(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	if (failed != NULL || answer->err.kind != ERR_NONE) {
		broken(t, c, failed != NULL ? failed : &answer->err);
		return;
	}
	t->found += t->n_ids;
	t->next = !answer->more ? 0 : answer->looked != 0 ? answer->looked : t->n_ids > 0 ? t->ids[t->n_ids - 1] : 0;
	go_on(t);
}

static void find_more(struct task *t)
{
	t->n_ids = t->at_id = 0;
	t->call.row = on_row;
	t->call.end = on_found;
	t->looked = t->next;
	upstream_ask(t->console->up, &t->call, ASK_SELECT, t->act.selection, t->next, 200);
}

/* What was found is acted upon to its end; whether more is looked for is a matter of time. */
static void go_on(struct task *t)
{
	const bool is_late = env_now_ms(t->console->host.env) - t->began_ms >= TASK_SLICE_MS;
	if (t->at_id < t->n_ids)
		act_on_some(t);
	else if (t->act.has_filter && t->next != 0 && !is_late)
		find_more(t);
	else
		tell(t);
}

static void begin(struct task *t, const char *name)
{
	struct console *c = t->console;
	char who[80], many[40];
	snprintf(who, sizeof who, "console:%s", t->who.user);
	snprintf(many, sizeof many, "%zu", t->act.n_ids);
	t->who_text = arena_str(t->arena, view_str(who));
	const char *selection = arena_str(t->arena, t->act.selection);
	EMIT(&c->host, CONSOLE_ACT, "who", who, "peer", t->request->address, "act", name, "ids", t->act.has_filter ? "" : many, "selection",
	     t->act.has_filter ? selection : "", "link", t->act.link, "why", t->act.why);
	t->ids = mem_zero(ROWS_MOST * sizeof *t->ids);
	if (t->act.has_filter) {
		t->next = t->act.after;
		find_more(t);
		return;
	}
	memcpy(t->ids, t->act.ids, t->act.n_ids * sizeof *t->ids);
	t->n_ids = t->act.n_ids;
	t->found = t->n_ids;
	go_on(t);
}

/* The name of an act in the address. */
static bool read_act(struct task *t, const char *const *names, const enum msg_act *acts, size_t n, size_t *which_r)
{
	int status;
	struct err e;
	for (size_t i = 0; i < n; i++)
		if (view_eq(t->request->target.segments[2], view_str(names[i]))) {
			*which_r = i;
			t->what = acts[i];
			if (parse_act_body(out_view(&t->request->body), true, env_wall_ms(t->console->host.env), &t->act, t->arena, &status, &e))
				return true;
			task_failed(t, status, &e);
			return false;
		}
	task_fail(t, 404, "nothing is there");
	return false;
}

void api_queue_act(struct task *t)
{
	static const char *const names[] = { "hold", "release", "retry", "reroute", "return", "delete" };
	static const enum msg_act acts[] = { ACT_HOLD, ACT_RELEASE, ACT_RETRY, ACT_REROUTE, ACT_RETURN, ACT_DELETE };
	size_t i;
	if (!read_act(t, names, acts, ARRAY_LEN(acts), &i))
		return;
	if (t->what == ACT_REROUTE && *t->act.link == 0)
		task_fail(t, 400, "link: whither?");
	else if ((t->what == ACT_RETURN || t->what == ACT_DELETE) && *t->act.why == 0)
		task_fail(t, 400, "why: this cannot be undone, say why");
	else {
		t->act.link = t->what == ACT_REROUTE ? t->act.link : "";
		begin(t, names[i]);
	}
}

void api_quarantine_act(struct task *t)
{
	static const char *const names[] = { "release", "delete" };
	static const enum msg_act acts[] = { ACT_QUARANTINE_RELEASE, ACT_QUARANTINE_DELETE };
	size_t i;
	if (!read_act(t, names, acts, ARRAY_LEN(acts), &i))
		return;
	if (t->act.has_filter)
		task_fail(t, 400, "ids: what is in quarantine goes by number");
	else if (t->what == ACT_QUARANTINE_DELETE && *t->act.why == 0)
		task_fail(t, 400, "why: this cannot be undone, say why");
	else {
		t->act.link = t->what == ACT_QUARANTINE_RELEASE ? t->act.link : "";
		begin(t, i == 0 ? "quarantine-release" : "quarantine-delete");
	}
}
