/* content.c - one RENDER in, one RENDERED out. */
#include "proc/content/content.h"

#include "base/mem.h"
#include "flow/message/pack.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/process.h"

struct content {
	unsigned magic;
#define CONTENT_MAGIC 0xc047e470u
	struct actor_host host;
	struct render_limits limits;
	const struct charset_kit *kit;
	uint32_t instance;
	struct chan *control, *bulk;
	struct timer alone;
	int64_t budget_us, deadline_us; /* of the item at hand, by env_precise_us */
};

static bool out_of_time(void *ctx)
{
	struct content *c = ctx;
	return env_precise_us(c->host.env) > c->deadline_us;
}

static bool show(struct content *c, const struct msg_render *m, struct out *o, struct err *e)
{
	struct message message;
	struct arena *a = arena_new(c->limits.arena);
	c->deadline_us = env_precise_us(c->host.env) + c->budget_us;
	const bool ok = unpack_message(m->packed, &message, a, e) &&
			content_render_message(&message, m->content, &c->limits, c->kit, o, e);
	arena_free(&a);
	return ok;
}

/* A message that cannot be unpacked is answered, not refused: the fault may lie in what was stored. */
static bool on_render(void *ctx, struct view payload, struct err *e)
{
	struct content *c = ctx;
	struct msg_render m;
	CHECK(c, CONTENT_MAGIC);
	if (!get_msg_render(payload, &m, e))
		return false;
	char note[80];
	snprintf(note, sizeof note, "render %llu of delivery %llu", (unsigned long long)m.id, (unsigned long long)m.delivery);
	if (c->host.note != NULL)
		c->host.note(c->host.ctx, note);
	struct msg_render answer = { .id = m.id, .delivery = m.delivery, .err = { .reason = -1, .diagnostic = -1 } };
	struct out result;
	out_init(&result, c->limits.out);
	if (show(c, &m, &result, &answer.err))
		answer.content = out_view(&result);
	put_msg_render(chan_begin(c->control, MSG_RENDERED), &answer);
	chan_end(c->control);
	out_fini(&result);
	if (c->host.note != NULL)
		c->host.note(c->host.ctx, "");
	return true;
}

static void on_alone(void *ctx)
{
	struct content *c = ctx;
	struct err why;
	err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "content: no switch for %d ms", CONTENT_ALONE_MS);
	c->host.die(c->host.ctx, &why);
}

static void lost(struct content *c, struct chan **which, const struct err *why)
{
	EMIT(&c->host, CHANNEL_CLOSED, "to", "switch", "why", why->text);
	chan_free(which, false);
	timer_after(&c->alone, CONTENT_ALONE_MS);
}

static void on_control_closed(void *ctx, const struct err *why)
{
	struct content *c = ctx;
	lost(c, &c->control, why);
}

static void on_bulk_closed(void *ctx, const struct err *why)
{
	struct content *c = ctx;
	lost(c, &c->bulk, why);
}

static const struct chan_type control_types[] = {
	{ .type = MSG_RENDER, .name = "RENDER", .handle = on_render, .max = CHAN_FRAME_MAX },
};
static const struct chan_events control_events = { control_types, ARRAY_LEN(control_types), NULL, NULL, on_control_closed };
static const struct chan_events bulk_events = { NULL, 0, NULL, NULL, on_bulk_closed };

struct content *content_new(const struct actor_host *host, const struct render_limits *limits, int64_t budget_ms,
			    const struct charset_kit *kit, uint32_t instance)
{
	struct content *c = mem_zero(sizeof *c);
	c->magic = CONTENT_MAGIC;
	c->host = *host;
	c->limits = *limits;
	c->limits.out_of_time = out_of_time;
	c->limits.ctx = c;
	c->budget_us = budget_ms * 1000;
	c->kit = kit;
	c->instance = instance;
	timer_init(&c->alone, host->env, on_alone, c);
	return c;
}

void content_free(struct content **c)
{
	if (*c == NULL)
		return;
	CHECK(*c, CONTENT_MAGIC);
	if ((*c)->control != NULL)
		chan_free(&(*c)->control, false);
	if ((*c)->bulk != NULL)
		chan_free(&(*c)->bulk, false);
	timer_stop(&(*c)->alone);
	(*c)->magic = 0;
	MEM_FREE(*c);
}

void content_adopt_switch(struct content *c, bool bulk, struct stream *s)
{
	CHECK(c, CONTENT_MAGIC);
	struct chan **which = bulk ? &c->bulk : &c->control;
	if (*which != NULL)
		chan_free(which, false);
	*which = chan_new(&s, bulk ? &bulk_events : &control_events, c, PROCESS_CONTENT, c->instance);
	if (c->control != NULL && c->bulk != NULL)
		timer_stop(&c->alone);
}
