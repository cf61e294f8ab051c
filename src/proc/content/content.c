/* content.c - one RENDER in, one RENDERED out; one CONVERT in, one CONVERTED out. */
#include "proc/content/content.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/codec/ipm/ipm_convert.h"
#include "flow/message/pack.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/process.h"

enum {
	CONVERTED_FIELDS = 512, /* what else a CONVERTED has, but encoded information types */
	CONVERSION_NOT_PERFORMED = 2, CONVERSION_IMPRACTICAL = 8, CONTENT_TYPE_NOT_SUPPORTED = 15, /* X.411 8.2.1.4 */
};

struct content {
	unsigned magic;
#define CONTENT_MAGIC 0xc047e470u
	struct actor_host host;
	struct render_limits limits;
	const struct charset_kit *kit;
	const struct gdi *domain;
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

/* What it is at, for the supervisor to keep. Its budget of time begins. */
static void begin_item(struct content *c, const char *what, uint64_t id)
{
	char note[48];
	snprintf(note, sizeof note, "%s %llu", what, (unsigned long long)id);
	if (c->host.note != NULL)
		c->host.note(c->host.ctx, note);
	c->deadline_us = env_precise_us(c->host.env) + c->budget_us;
}

static void end_item(struct content *c)
{
	if (c->host.note != NULL)
		c->host.note(c->host.ctx, "");
}

static bool show(struct content *c, const struct msg_render *m, struct out *o, struct err *e)
{
	if (FAULT_ON(CONTENT_RENDER, m->content.n > 0 ? m->content : m->packed)) /* a report's content is in its envelope */
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "content: cannot be shown (fault point)");
	struct message message;
	if (m->packed.n == 0)
		return content_render_octets(m->content, &c->limits, o, e);
	struct arena *a = arena_new(c->limits.arena);
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
	begin_item(c, "delivery", m.delivery);
	struct msg_render answer = { .id = m.id, .delivery = m.delivery, .err = { .reason = -1, .diagnostic = -1 } };
	struct out result;
	out_init(&result, c->limits.out);
	if (show(c, &m, &result, &answer.err))
		answer.content = out_view(&result);
	put_msg_render(chan_begin(c->control, MSG_RENDERED), &answer);
	chan_end(c->control);
	out_fini(&result);
	end_item(c);
	return true;
}

static bool convert(struct content *c, const struct msg_convert *m, struct arena *a, struct out *o, struct ipm_converted *done_r,
		    struct err *e)
{
	if (FAULT_ON(CONTENT_CONVERT, m->content))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
				  "content: cannot be converted (fault point)");
	if (m->content_type != 2 && m->content_type != 22)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONTENT_TYPE_NOT_SUPPORTED,
				  "content: found type %lld, 2 (P2) and 22 (P22) can be converted only", (long long)m->content_type);
	struct ipm_convert how = {
		.to_84 = m->to_84, .from_84 = m->from_84 && !m->to_84, .no_part_15 = m->no_part_15, .no_free_form = m->no_free_form,
		.text = m->text <= IPM_TEXT_GENERAL ? (enum ipm_text)m->text : IPM_TEXT_AS_IS, .no_loss = m->no_loss,
		.prohibited = m->prohibited, .column = (size_t)m->wrap, .relay = c->domain, .limits = ipm_limits_default(),
		.kit = c->kit, .out_of_time = out_of_time, .ctx = c,
	};
	how.limits.elements = c->limits.elements;
	how.limits.bytes = m->content.n;
	if (!ipm_convert(m->content, m->content_type, &how, a, o, done_r, e))
		return false;
	return done_r->eits.n <= out_room(o) ||
	       err_report(e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
			  "content: it is too long once it is converted, %zu octets", out_len(o));
}

static bool on_convert(void *ctx, struct view payload, struct err *e)
{
	struct content *c = ctx;
	struct msg_convert m;
	CHECK(c, CONTENT_MAGIC);
	if (!get_msg_convert(payload, &m, e))
		return false;
	begin_item(c, "transfer", m.transfer);
	struct msg_converted answer = { .id = m.id, .content_type = m.content_type, .err = { .reason = -1, .diagnostic = -1 } };
	struct ipm_converted done;
	struct arena *a = arena_new(c->limits.arena);
	struct out result;
	out_init(&result, MSG_MAX_CONVERTED - CONVERTED_FIELDS);
	if (convert(c, &m, a, &result, &done, &answer.err)) {
		answer.changed = done.changed;
		answer.wrapped = done.wrapped;
		answer.is_notification = done.is_notification;
		answer.content_type = done.content_type;
		answer.eits = done.eits;
		answer.content = out_view(&result);
	}
	put_msg_converted(chan_begin(c->control, MSG_CONVERTED), &answer);
	chan_end(c->control);
	out_fini(&result);
	arena_free(&a);
	end_item(c);
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
	{ .type = MSG_CONVERT, .name = "CONVERT", .handle = on_convert, .max = CHAN_FRAME_MAX },
};
static const struct chan_events control_events = { control_types, ARRAY_LEN(control_types), NULL, NULL, on_control_closed };
static const struct chan_events bulk_events = { NULL, 0, NULL, NULL, on_bulk_closed };

struct content *content_new(const struct actor_host *host, const struct render_limits *limits, int64_t budget_ms,
			    const struct charset_kit *kit, const struct gdi *domain, uint32_t instance)
{
	struct content *c = mem_zero(sizeof *c);
	c->magic = CONTENT_MAGIC;
	c->host = *host;
	c->limits = *limits;
	c->limits.out_of_time = out_of_time;
	c->limits.ctx = c;
	c->budget_us = budget_ms * 1000;
	c->kit = kit;
	c->domain = domain;
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
