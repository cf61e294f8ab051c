/* upstream.c - see upstream.h. */
#include "proc/console/upstream.h"

#include "base/mem.h"
#include "base/text.h"
#include "sys/process.h"

struct upstream_end {
	struct upstream *up;
	enum upstream_socket which;
	char path[320];
	struct chan *chan;       /* NULL: waits to be opened again */
	bool here;               /* its HELLO has come */
	bool dead;               /* chan has ended: to be freed outside its callbacks */
	int64_t again_ms;
	struct timer timer;
	struct call *calls;
};

struct upstream {
	unsigned magic;
#define UPSTREAM_MAGIC 0x0b57e411u
	struct env *env;
	const struct upstream_events *events;
	void *ctx;
	uint64_t last_id;
	struct upstream_end ends[UPSTREAM_COUNT];
	struct env_hook hook;
};

/* --- calls --- */

static struct call *find(struct upstream_end *x, uint64_t id)
{
	struct call *c = x->calls;
	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

void upstream_forget(struct call *c)
{
	if (c->up == NULL)
		return;
	struct call **at = &c->up->ends[c->socket].calls;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	timer_stop(&c->timer);
	c->up = NULL;
}

static void finish(struct call *c, const struct call_answer *answer, const struct err *failed)
{
	upstream_forget(c);
	c->end(c, answer, failed);
}

static const char *const names[] = { [UPSTREAM_SWITCH] = "the switch", [UPSTREAM_READER] = "the reader", [UPSTREAM_RECORDER] = "the recorder" };

/* Its time is over, or there was nobody to send it to. */
static void on_call_timer(void *ctx)
{
	struct call *c = ctx;
	struct upstream_end *x = &c->up->ends[c->socket];
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_PROCESS, x->here ? "%s does not answer" : "%s is away just now", names[c->socket]);
	c->away = true;
	finish(c, NULL, &e);
}

static struct chan *begin(struct upstream *u, struct call *c, enum upstream_socket s)
{
	struct upstream_end *x = &u->ends[s];
	CHECK(u, UPSTREAM_MAGIC);
	assert(c->up == NULL);
	c->id = ++u->last_id;
	c->socket = s;
	c->away = false;
	c->up = u;
	c->next = x->calls;
	x->calls = c;
	timer_init(&c->timer, u->env, on_call_timer, c);
	timer_after(&c->timer, x->here ? UPSTREAM_PATIENCE_MS : 0);
	return x->here ? x->chan : NULL;
}

void upstream_ask(struct upstream *u, struct call *c, enum msg_question what, struct view of, uint64_t after, uint32_t max)
{
	struct chan *chan = begin(u, c, UPSTREAM_READER);
	struct msg_ask m = { .id = c->id, .after = after, .what = what, .max = max, .of = of };
	if (chan == NULL)
		return;
	put_msg_ask(chan_begin(chan, MSG_ASK), &m);
	chan_end(chan);
}

void upstream_act(struct upstream *u, struct call *c, enum msg_act act, const char *arg, const char *who, const char *why, const uint64_t *ids,
		  size_t n)
{
	struct chan *chan = begin(u, c, UPSTREAM_SWITCH);
	struct out octets;
	if (chan == NULL)
		return;
	out_init(&octets, n * sizeof *ids);
	for (size_t i = 0; i < n; i++)
		out_u64(&octets, ids[i]);
	struct msg_act_on m = { .id = c->id, .act = act, .arg = view_str(arg), .who = view_str(who), .why = view_str(why), .ids = out_view(&octets) };
	put_msg_act_on(chan_begin(chan, MSG_ACT), &m);
	chan_end(chan);
	out_fini(&octets);
}

void upstream_show(struct upstream *u, struct call *c, uint64_t id)
{
	struct chan *chan = begin(u, c, UPSTREAM_SWITCH);
	struct msg_render m = { .id = c->id, .delivery = id, .err = { .reason = -1, .diagnostic = -1 } };
	if (chan == NULL)
		return;
	put_msg_render(chan_begin(chan, MSG_SHOW), &m);
	chan_end(chan);
}

void upstream_link(struct upstream *u, struct call *c, enum msg_link_act act, const char *link, const char *who, const char *why)
{
	struct chan *chan = begin(u, c, UPSTREAM_SWITCH);
	struct msg_link_act_on m = { .id = c->id, .act = act, .link = view_str(link), .who = view_str(who), .why = view_str(why) };
	if (chan == NULL)
		return;
	put_msg_link_act_on(chan_begin(chan, MSG_LINK_ACT), &m);
	chan_end(chan);
}

void upstream_status(struct upstream *u)
{
	if (u->ends[UPSTREAM_SWITCH].here)
		chan_send(u->ends[UPSTREAM_SWITCH].chan, MSG_STATUS, (struct view){ NULL, 0 });
}

void upstream_metrics(struct upstream *u)
{
	if (u->ends[UPSTREAM_SWITCH].here)
		chan_send(u->ends[UPSTREAM_SWITCH].chan, MSG_METRICS, (struct view){ NULL, 0 });
}

void upstream_follow(struct upstream *u, const struct msg_follow *m)
{
	struct upstream_end *x = &u->ends[UPSTREAM_RECORDER];
	if (!x->here)
		return;
	put_msg_follow(chan_begin(x->chan, MSG_FOLLOW), m);
	chan_end(x->chan);
}

/* --- frames --- */

static bool on_status_link(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_status_link m;
	if (!get_msg_status_link(payload, &m, e))
		return false;
	x->up->events->status_link(x->up->ctx, &m);
	return true;
}

static bool on_status_end(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_status_end m;
	if (!get_msg_status_end(payload, &m, e))
		return false;
	x->up->events->status_end(x->up->ctx, &m);
	return true;
}

static bool on_metric(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	(void)e;
	x->up->events->metric(x->up->ctx, payload);
	return true;
}

static bool on_metrics_end(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	(void)payload;
	(void)e;
	x->up->events->metrics_end(x->up->ctx);
	return true;
}

static bool on_row(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_row m;
	if (!get_msg_row(payload, &m, e))
		return false;
	struct call *c = find(x, m.id);
	if (c != NULL && c->row != NULL && !c->row(c, m.pairs))
		c->row = NULL;
	return true;
}

/* ROWS_END; DONE, which has the same form. */
static bool on_end(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_answer m;
	if (!get_msg_answer(payload, &m, e))
		return false;
	struct call *c = find(x, m.id);
	struct call_answer answer = { .more = m.accepted && m.duplicate, .err = m.err };
	if (!text_uint(m.mts_id, UINT64_MAX, &answer.looked))
		answer.looked = 0;
	if (m.accepted)
		answer.err = (struct err){ .kind = ERR_NONE };
	if (c != NULL)
		finish(c, &answer, NULL);
	return true;
}

static bool on_acted(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_acted m;
	if (!get_msg_acted(payload, &m, e))
		return false;
	struct call *c = find(x, m.id);
	struct call_answer answer = { .err = m.err, .what = m.what };
	if (c != NULL)
		finish(c, &answer, NULL);
	return true;
}

static bool on_shown(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_render m;
	if (!get_msg_render(payload, &m, e))
		return false;
	struct call *c = find(x, m.id);
	struct call_answer answer = { .err = m.err, .what = m.content };
	if (c != NULL)
		finish(c, &answer, NULL);
	return true;
}

static bool on_event(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_event m;
	if (!get_msg_event(payload, &m, e))
		return false;
	x->up->events->event(x->up->ctx, &m);
	return true;
}

static bool on_followed(void *ctx, struct view payload, struct err *e)
{
	struct upstream_end *x = ctx;
	struct msg_followed m;
	if (!get_msg_followed(payload, &m, e))
		return false;
	x->up->events->followed(x->up->ctx, &m);
	return true;
}

static const struct chan_type switch_types[] = {
	{ .type = MSG_STATUS_LINK, .name = "STATUS_LINK", .handle = on_status_link, .max = MSG_MAX_STATUS_LINK },
	{ .type = MSG_STATUS_END, .name = "STATUS_END", .handle = on_status_end, .max = MSG_MAX_STATUS_END },
	{ .type = MSG_SHOWN_MAIL, .name = "SHOWN_MAIL", .handle = on_shown, .max = MSG_MAX_SHOWN_MAIL },
	{ .type = MSG_DONE, .name = "DONE", .handle = on_end, .max = MSG_MAX_DONE },
	{ .type = MSG_ACTED, .name = "ACTED", .handle = on_acted, .max = MSG_MAX_ACTED },
	{ .type = MSG_ROW, .name = "ROW", .handle = on_row, .max = MSG_MAX_ROW },
	{ .type = MSG_METRIC, .name = "METRIC", .handle = on_metric, .max = MSG_MAX_METRIC },
	{ .type = MSG_METRICS_END, .name = "METRICS_END", .handle = on_metrics_end, .max = MSG_MAX_METRICS_END },
};
static const struct chan_type reader_types[] = {
	{ .type = MSG_ROW, .name = "ROW", .handle = on_row, .max = MSG_MAX_ROW },
	{ .type = MSG_ROWS_END, .name = "ROWS_END", .handle = on_end, .max = MSG_MAX_ROWS_END },
};
static const struct chan_type recorder_types[] = {
	{ .type = MSG_FOLLOWED, .name = "FOLLOWED", .handle = on_followed, .max = MSG_MAX_FOLLOWED },
	{ .type = MSG_EVENT, .name = "EVENT", .handle = on_event, .max = MSG_MAX_EVENT },
};

/* --- connections --- */

static void fail_all(struct upstream_end *x)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_PROCESS, "%s is away just now", names[x->which]);
	while (x->calls != NULL) {
		struct call *c = x->calls;
		c->away = true;
		finish(c, NULL, &e);
	}
}

static void on_hello(void *ctx, unsigned kind, uint32_t instance)
{
	struct upstream_end *x = ctx;
	(void)kind;
	(void)instance;
	x->here = true;
	x->again_ms = UPSTREAM_AGAIN_MS;
	x->up->events->turned(x->up->ctx, x->which, true);
}

static void gone(struct upstream_end *x)
{
	const bool was_here = x->here;
	x->dead = true;
	x->here = false;
	if (!timer_is_set(&x->timer)) {
		timer_after(&x->timer, x->again_ms);
		x->again_ms = x->again_ms * 2 > UPSTREAM_AGAIN_MOST_MS ? UPSTREAM_AGAIN_MOST_MS : x->again_ms * 2;
	}
	fail_all(x);
	if (was_here)
		x->up->events->turned(x->up->ctx, x->which, false);
}

static void on_closed(void *ctx, const struct err *why)
{
	(void)why;
	gone(ctx);
}

static const struct chan_events channel_events[UPSTREAM_COUNT] = {
	[UPSTREAM_SWITCH] = { .types = switch_types, .n_types = ARRAY_LEN(switch_types), .hello = on_hello, .closed = on_closed },
	[UPSTREAM_READER] = { .types = reader_types, .n_types = ARRAY_LEN(reader_types), .hello = on_hello, .closed = on_closed },
	[UPSTREAM_RECORDER] = { .types = recorder_types, .n_types = ARRAY_LEN(recorder_types), .hello = on_hello, .closed = on_closed },
};

static void no_opened(void *ctx)
{
	(void)ctx;
}

static void open_end(void *ctx)
{
	static const struct stream_events none = { .opened = no_opened };
	struct upstream_end *x = ctx;
	struct net_addr addr;
	struct err e;
	if (!net_addr_parse(x->path, &addr, &e))
		return; /* the plan has refused such a directory */
	x->dead = false;
	struct stream *s = env_connect(x->up->env, &addr, NULL, &none, NULL);
	x->chan = chan_new(&s, &channel_events[x->which], x, PROCESS_CONSOLE, 0);
}

/* A channel is freed outside its callbacks. */
static void reap(void *ctx)
{
	struct upstream *u = ctx;
	for (size_t i = 0; i < UPSTREAM_COUNT; i++)
		if (u->ends[i].dead && u->ends[i].chan != NULL)
			chan_free(&u->ends[i].chan, false);
}

void upstream_lost(struct upstream *u, enum upstream_socket s, const char *why)
{
	struct upstream_end *x = &u->ends[s];
	(void)why;
	if (x->chan != NULL && !x->dead)
		gone(x);
}

bool upstream_is_here(const struct upstream *u, enum upstream_socket s)
{
	return u->ends[s].here;
}

struct upstream *upstream_new(struct env *env, const char *directory, const struct upstream_events *events, void *ctx)
{
	static const char *const sockets[] = { [UPSTREAM_SWITCH] = "control", [UPSTREAM_READER] = "read", [UPSTREAM_RECORDER] = "events" };
	struct upstream *u = mem_zero(sizeof *u);
	u->magic = UPSTREAM_MAGIC;
	u->env = env;
	u->events = events;
	u->ctx = ctx;
	u->hook = (struct env_hook){ .run = reap, .ctx = u, .order = 50 };
	env_add_hook(env, &u->hook);
	for (size_t i = 0; i < UPSTREAM_COUNT; i++) {
		struct upstream_end *x = &u->ends[i];
		*x = (struct upstream_end){ .up = u, .which = (enum upstream_socket)i, .again_ms = UPSTREAM_AGAIN_MS };
		snprintf(x->path, sizeof x->path, "unix:%s/%s", directory, sockets[i]);
		timer_init(&x->timer, env, open_end, x);
		timer_after(&x->timer, 0);
	}
	return u;
}

void upstream_free(struct upstream **up)
{
	struct upstream *u = *up;
	if (u == NULL)
		return;
	CHECK(u, UPSTREAM_MAGIC);
	for (size_t i = 0; i < UPSTREAM_COUNT; i++) {
		struct upstream_end *x = &u->ends[i];
		timer_stop(&x->timer);
		while (x->calls != NULL)
			upstream_forget(x->calls);
		if (x->chan != NULL)
			chan_free(&x->chan, false);
	}
	env_remove_hook(u->env, &u->hook);
	u->magic = 0;
	MEM_FREE(*up);
}
