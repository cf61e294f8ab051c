/* msgs_operate.c - see msgs.h: the messages by which people operate an MTA: acts, reloads, events, metrics. */
#include "proc/table/msgs_int.h"

void put_msg_act_on(struct out *o, const struct msg_act_on *m)
{
	out_u64(o, m->id);
	out_u8(o, (uint8_t)m->act);
	put_string(o, m->arg);
	put_string(o, m->who);
	put_string(o, m->why);
	put_string(o, m->ids);
}

bool get_msg_act_on(struct view payload, struct msg_act_on *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	unsigned act = cur_u8(&c);
	m->act = (enum msg_act)act;
	m->arg = get_string(&c);
	m->who = get_string(&c);
	m->why = get_string(&c);
	m->ids = get_string(&c);
	if (act >= ACT_COUNT || m->ids.n % 8 != 0 || m->ids.n > MSG_ACT_IDS * 8)
		c.bad = true;
	return whole(&c, "ACT", payload, e);
}

void put_msg_link_act_on(struct out *o, const struct msg_link_act_on *m)
{
	out_u64(o, m->id);
	out_u8(o, (uint8_t)m->act);
	put_string(o, m->link);
	put_string(o, m->who);
	put_string(o, m->why);
}

bool get_msg_link_act_on(struct view payload, struct msg_link_act_on *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	unsigned act = cur_u8(&c);
	m->act = (enum msg_link_act)act;
	m->link = get_string(&c);
	m->who = get_string(&c);
	m->why = get_string(&c);
	if (act >= LINK_ACT_COUNT)
		c.bad = true;
	return whole(&c, "LINK_ACT", payload, e);
}

void put_msg_acted(struct out *o, const struct msg_acted *m)
{
	out_u64(o, m->id);
	put_string(o, m->what);
	put_err(o, &m->err);
}

bool get_msg_acted(struct view payload, struct msg_acted *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->what = get_string(&c);
	get_err(&c, &m->err);
	return whole(&c, "ACTED", payload, e);
}

void put_msg_backed_up(struct out *o, const struct msg_backed_up *m)
{
	out_u64(o, m->id);
	put_string(o, m->target);
	put_string(o, m->who);
	put_string(o, m->why);
	out_u64(o, m->messages);
	out_u64(o, m->octets);
	out_u64(o, m->took_ms);
}

bool get_msg_backed_up(struct view payload, struct msg_backed_up *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->target = get_string(&c);
	m->who = get_string(&c);
	m->why = get_string(&c);
	m->messages = cur_u64(&c);
	m->octets = cur_u64(&c);
	m->took_ms = cur_u64(&c);
	return whole(&c, "BACKED_UP", payload, e);
}

void put_msg_reload(struct out *o, const struct msg_reload *m)
{
	out_u64(o, m->id);
	out_u8(o, m->dry);
	put_string(o, m->who);
}

bool get_msg_reload(struct view payload, struct msg_reload *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->dry = cur_u8(&c) != 0;
	m->who = get_string(&c);
	return whole(&c, "RELOAD", payload, e);
}

void put_msg_reloaded(struct out *o, const struct msg_reloaded *m)
{
	out_u64(o, m->id);
	out_u32(o, m->how);
	put_string(o, m->text);
}

bool get_msg_reloaded(struct view payload, struct msg_reloaded *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->how = cur_u32(&c);
	m->text = get_string(&c);
	return whole(&c, "RELOADED", payload, e);
}

void put_msg_follow(struct out *o, const struct msg_follow *m)
{
	out_u64(o, m->id);
	out_u64(o, m->after);
	out_u64(o, m->since);
	put_string(o, m->categories);
	out_u8(o, m->severity);
	put_string(o, m->link);
	put_string(o, m->text);
	out_u32(o, m->max);
	out_u8(o, m->last);
	out_u8(o, m->live);
}

bool get_msg_follow(struct view payload, struct msg_follow *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->after = cur_u64(&c);
	m->since = cur_u64(&c);
	m->categories = get_string(&c);
	m->severity = cur_u8(&c);
	m->link = get_string(&c);
	m->text = get_string(&c);
	m->max = cur_u32(&c);
	m->last = cur_u8(&c) != 0;
	m->live = cur_u8(&c) != 0;
	return whole(&c, "FOLLOW", payload, e);
}

void put_msg_followed(struct out *o, const struct msg_followed *m)
{
	out_u64(o, m->id);
	out_u64(o, m->next);
	out_u64(o, m->dropped);
	out_u8(o, m->more);
	out_u8(o, m->live);
	out_u8(o, m->anew);
	put_err(o, &m->err);
}

bool get_msg_followed(struct view payload, struct msg_followed *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->next = cur_u64(&c);
	m->dropped = cur_u64(&c);
	m->more = cur_u8(&c) != 0;
	m->live = cur_u8(&c) != 0;
	m->anew = cur_u8(&c) != 0;
	get_err(&c, &m->err);
	return whole(&c, "FOLLOWED", payload, e);
}

void put_msg_event(struct out *o, const struct msg_event *m)
{
	out_u64(o, m->id);
	out_u64(o, m->number);
	put_string(o, m->line);
}

bool get_msg_event(struct view payload, struct msg_event *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->number = cur_u64(&c);
	m->line = get_string(&c);
	return whole(&c, "EVENT", payload, e);
}

void put_msg_level(struct out *o, const struct msg_level *m)
{
	out_u64(o, m->id);
	put_string(o, m->category);
	out_u32(o, m->level);
	put_string(o, m->who);
	put_string(o, m->why);
}

bool get_msg_level(struct view payload, struct msg_level *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->category = get_string(&c);
	m->level = cur_u32(&c);
	m->who = get_string(&c);
	m->why = get_string(&c);
	return whole(&c, "LEVEL", payload, e);
}

void put_msg_metric(struct out *o, const struct msg_metric *m)
{
	put_string(o, m->link);
	put_string(o, m->values);
}

bool get_msg_metric(struct view payload, struct msg_metric *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->link = get_string(&c);
	m->values = get_string(&c);
	return whole(&c, "METRIC", payload, e);
}

void put_msg_wiretrace(struct out *o, const struct msg_wiretrace *m)
{
	out_u64(o, m->id);
	put_string(o, m->link);
	out_u8(o, m->on);
	out_u64(o, m->octets);
	out_u64(o, m->time_ms);
	put_string(o, m->name);
	put_string(o, m->who);
	put_string(o, m->why);
}

bool get_msg_wiretrace(struct view payload, struct msg_wiretrace *m, struct err *e)
{
	struct cur c = cur_of(payload);
	m->id = cur_u64(&c);
	m->link = get_string(&c);
	m->on = cur_u8(&c) != 0;
	m->octets = cur_u64(&c);
	m->time_ms = cur_u64(&c);
	m->name = get_string(&c);
	m->who = get_string(&c);
	m->why = get_string(&c);
	return whole(&c, "WIRETRACE", payload, e);
}
