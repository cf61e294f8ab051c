/* msgs_int.h - what the codecs of messages share: an error as a field, and the end of a payload. */
#pragma once
#include "proc/table/msgs.h"

static inline void put_err(struct out *o, const struct err *e)
{
	out_u8(o, (uint8_t)e->kind);
	out_u8(o, (uint8_t)e->culprit);
	out_u32(o, (uint32_t)e->reason);
	out_u32(o, (uint32_t)e->diagnostic);
	put_string(o, view_str(e->text));
}

static inline void get_err(struct cur *c, struct err *e)
{
	unsigned kind = cur_u8(c), culprit = cur_u8(c);
	*e = (struct err){ .kind = (enum err_kind)kind, .culprit = (enum err_culprit)culprit };
	e->reason = (int)cur_u32(c);
	e->diagnostic = (int)cur_u32(c);
	struct view text = get_string(c);
	if (kind > ERR_LOCAL || culprit > ERR_OF_LINK || text.n >= sizeof e->text)
		c->bad = true;
	for (size_t i = 0; i < text.n && !c->bad; i++) /* it goes to terminals and reports, and may be a peer's own words */
		e->text[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? (char)text.p[i] : '?';
}

/* All was there, and nothing is left over. */
static inline bool whole(const struct cur *c, const char *name, struct view payload, struct err *e)
{
	if (!c->bad && cur_left(c) == 0)
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "message %s of %zu octets does not have its fields",
		       name, payload.n);
}
