/* api_list.c - lists out of the store, page by page, by way of the reader: queue, quarantine, journeys, searches of the past. */
#include "proc/console/console_int.h"

#include "base/text.h"

static void begin_rows(struct task *t)
{
	jout_open(&t->j, NULL, '{');
	jout_open(&t->j, "rows", '[');
}

/* next: where the next page begins; 0: there is none. */
static void end_rows(struct task *t, uint64_t next)
{
	jout_close(&t->j, ']');
	if (next == 0)
		jout_null(&t->j, "next");
	else
		jout_int(&t->j, "next", (int64_t)next);
	jout_close(&t->j, '}');
	task_answer(t);
}

static int64_t time_of(struct view pairs, const char *name)
{
	int64_t ms;
	return parse_time(rows_value(pairs, name), &ms) ? ms : 0;
}

/* Whatever list: its rows are counted by this member. */
static void note_last(struct task *t, struct view pairs)
{
	uint64_t x;
	t->rows++;
	if (text_uint(rows_value(pairs, t->kind), UINT64_MAX, &x))
		t->last = x;
}

static void on_end(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	struct task *t = task_of(c);
	if (failed != NULL) {
		task_upstream_failed(t, c, failed);
		return;
	}
	if (answer->err.kind != ERR_NONE) {
		task_failed(t, answer->err.kind == ERR_PERM ? 400 : 503, &answer->err);
		return;
	}
	end_rows(t, !answer->more ? 0 : answer->looked != 0 ? answer->looked : t->last);
}

static void ask(struct task *t, const char *key, enum msg_question what, struct view of, bool (*row)(struct call *c, struct view pairs))
{
	t->kind = key;
	t->call.row = row;
	t->call.end = on_end;
	begin_rows(t);
	upstream_ask(t->console->up, &t->call, what, of, t->after, (uint32_t)t->max);
}

/* --- queue --- */

static bool on_queued(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	const int64_t wait = time_of(pairs, "next") - env_wall_ms(t->console->host.env);
	note_last(t, pairs);
	jout_open(&t->j, NULL, '{');
	pairs_put(&t->j, pairs);
	if (wait > 0)
		jout_int(&t->j, "next_ms", wait);
	else
		jout_null(&t->j, "next_ms");
	jout_close(&t->j, '}');
	return task_grown(t);
}

void api_queue(struct task *t)
{
	struct out of;
	int status;
	struct err e;
	if (!task_page(t))
		return;
	out_init(&of, PARSE_SELECTION);
	if (!parse_selection(&t->request->target, env_wall_ms(t->console->host.env), &of, &status, &e))
		task_failed(t, status, &e);
	else
		ask(t, "transfer", out_len(&of) == 0 ? ASK_QUEUE : ASK_SELECT, out_view(&of), on_queued);
	out_fini(&of);
}

/* --- quarantine --- */

static bool on_plain(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	note_last(t, pairs);
	jout_open(&t->j, NULL, '{');
	pairs_put(&t->j, pairs);
	jout_close(&t->j, '}');
	return task_grown(t);
}

void api_quarantine(struct task *t)
{
	if (task_page(t))
		ask(t, "quarantine", ASK_QUARANTINE, (struct view){ NULL, 0 }, on_plain);
}

/* --- the past --- */

static void put_ms(struct jout *j, const char *name, int64_t ms)
{
	if (ms < 0)
		jout_null(j, name);
	else
		jout_int(j, name, ms);
}

static bool on_step(struct call *c, struct view pairs)
{
	struct task *t = task_of(c);
	const int64_t at = time_of(pairs, "at");
	if (t->rows == 0)
		t->first_ms = at;
	jout_open(&t->j, NULL, '{');
	pairs_put(&t->j, pairs);
	put_ms(&t->j, "after_ms", t->rows == 0 ? -1 : at - t->before_ms);
	put_ms(&t->j, "since_ms", t->rows == 0 ? 0 : at - t->first_ms);
	jout_close(&t->j, '}');
	t->before_ms = at;
	note_last(t, pairs);
	return task_grown(t);
}

void api_trace(struct task *t)
{
	bool has;
	const struct view id = target_value(&t->request->target, "id", &has);
	if (id.n == 0)
		task_fail(t, 400, "id: want an MTS-identifier");
	else if (id.n > PARSE_VALUE)
		task_fail(t, 400, "id: found %zu octets; no message has an identifier of more than %d", id.n, PARSE_VALUE);
	else if (task_page(t))
		ask(t, "seq", ASK_TRACE, id, on_step);
}

static bool put_condition(struct task *t, struct out *o, const char *name, const char *as)
{
	bool has;
	const struct view v = target_value(&t->request->target, name, &has);
	if (has && (v.n == 0 || v.n > PARSE_VALUE)) {
		task_fail(t, 400, "%s: want 1 to %d octets", name, PARSE_VALUE);
		return false;
	}
	if (has)
		out_fmt(o, "%s=%.*s\n", as, (int)v.n, (const char *)v.p);
	return true;
}

static bool put_moment(struct task *t, struct out *o, const char *name)
{
	bool has;
	int64_t ms;
	const struct view v = target_value(&t->request->target, name, &has);
	if (has && !parse_time(v, &ms)) {
		task_fail(t, 400, "%s: want a time, as 2026-11-22T15:00:00Z, or seconds since 1970", name);
		return false;
	}
	if (has)
		out_fmt(o, "%s=%lld\n", name, (long long)ms);
	return true;
}

void api_track(struct task *t)
{
	static const char *const conditions[] = { "id", "address", "originator", "recipient", "subject", "event" };
	struct out of;
	bool good = task_page(t);
	out_init(&of, MSG_MAX_ASK - 100);
	for (size_t i = 0; good && i < ARRAY_LEN(conditions); i++)
		good = put_condition(t, &of, conditions[i], conditions[i]);
	good = good && put_moment(t, &of, "from") && put_moment(t, &of, "to");
	if (good && out_len(&of) == 0)
		task_fail(t, 400, "want at least one condition");
	else if (good && of.bad)
		task_fail(t, 400, "all conditions together are too long");
	else if (good)
		ask(t, "seq", ASK_TRACK, out_view(&of), on_plain);
	out_fini(&of);
}
