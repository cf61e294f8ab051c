/* ipm_convert.c - one walk over a content's elements: what changes is made anew, the rest is carried as it lies there. */
#include "flow/codec/ipm/ipm_convert_private.h"

#include "base/mem.h"
#include "flow/codec/ipm/ipm_table_private.h"
#include "flow/codec/ipm/ipm_wrap.h"

enum { CONTENT_IPM84 = 2, CONTENT_IPM88 = 22, ENCODED_MAX = 16 * 1024 * 1024 };

/* --- octets in the making --- */

void rope_add(struct conv *c, struct rope *r, struct view octets)
{
	struct rope_piece *p = octets.n == 0 ? NULL : arena_get(c->a, sizeof *p);
	if (p == NULL)
		return;
	p->octets = octets;
	struct rope one = { p, p, octets.n };
	rope_join(r, &one);
}

void rope_join(struct rope *r, struct rope *tail)
{
	if (tail->first == NULL)
		return;
	if (r->first == NULL)
		r->first = tail->first;
	else
		r->last->next = tail->first;
	r->last = tail->last;
	r->n = mem_add(r->n, tail->n);
	*tail = (struct rope){ 0 };
}

void rope_in(struct conv *c, struct rope *r, uint32_t tag, bool constructed, struct rope *inner)
{
	struct out o;
	out_init(&o, 32);
	ber_put_header(&o, tag, constructed, inner->n);
	rope_add(c, r, conv_keep(c, &o));
	rope_join(r, inner);
}

static void rope_write(const struct rope *r, struct out *o)
{
	for (const struct rope_piece *p = r->first; p != NULL; p = p->next)
		out_bytes(o, p->octets);
}

struct view rope_view(struct conv *c, const struct rope *r)
{
	uint8_t *to = arena_get(c->a, r->n);
	size_t at = 0;
	for (const struct rope_piece *p = r->first; to != NULL && p != NULL; p = p->next) {
		memcpy(to + at, p->octets.p, p->octets.n);
		at += p->octets.n;
	}
	return view_of(to, to == NULL ? 0 : at);
}

struct view conv_keep(struct conv *c, struct out *o)
{
	const struct view v = arena_copy(c->a, out_view(o));
	out_fini(o);
	return v;
}

struct view conv_encode(struct conv *c, const struct ber_type *t, const void *value)
{
	struct out o;
	out_init(&o, ENCODED_MAX);
	if (!ber_encode(t, value, &o, NULL))
		out_clear(&o);
	return conv_keep(c, &o);
}

/* --- elements --- */

bool conv_broken(struct conv *c, const char *what)
{
	return err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONTENT_SYNTAX_ERROR, "content: %s", what);
}

static bool impractical(struct conv *c, const char *what, size_t limit)
{
	return err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
			  "content: its conversion needs more %s than the limit, %zu", what, limit);
}

bool conv_may(struct conv *c, const char *what)
{
	if (c->how->prohibited)
		return err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_PROHIBITED,
				  "content: the peer does not take %s, and the message says that conversion is prohibited", what);
	c->parts = c->changed = true;
	return true;
}

bool conv_lose(struct conv *c, const char *what)
{
	return !c->how->no_loss || err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, LOSS_PROHIBITED,
					      "content: %s, and the message says that conversion with loss is prohibited", what);
}

bool conv_next(struct conv *c, struct view *rest, unsigned depth, struct ber_tlv *t_r)
{
	struct ber_limits limits = c->how->limits;
	limits.depth -= depth < limits.depth ? depth : limits.depth;
	if (limits.depth == 0)
		return impractical(c, "nested elements", c->how->limits.depth);
	if (c->elements++ >= limits.elements)
		return impractical(c, "elements", limits.elements);
	if (c->how->out_of_time != NULL && c->elements % 64 == 0 && c->how->out_of_time(c->how->ctx))
		return err_report(c->e, ERR_PERM, ERR_OF_MESSAGE, CONVERSION_NOT_PERFORMED, CONVERSION_IMPRACTICAL,
				  "content: its conversion takes longer than it may");
	if (!ber_tlv(*rest, t_r, &limits, c->e))
		return false;
	*rest = view_from(*rest, t_r->whole.n);
	return true;
}

bool conv_element(struct conv *c, const struct ber_tlv *t, unsigned depth, conv_f *f, struct rope *r)
{
	struct rope inner = { 0 };
	const bool before = c->changed;
	c->changed = false;
	if (!t->constructed)
		return conv_broken(c, "a primitive element where one of elements is wanted");
	if (!f(c, t->content, depth + 1, &inner))
		return false;
	if (c->changed)
		rope_in(c, r, t->tag, true, &inner);
	else
		rope_add(c, r, t->whole);
	c->changed |= before;
	return true;
}

/* --- an IPM --- */

static bool in_body(struct conv *c, struct view inside, unsigned depth, struct rope *r)
{
	while (inside.n > 0) {
		struct ber_tlv t;
		if (!conv_next(c, &inside, depth, &t) || !conv_part(c, &t, depth, r))
			return false;
	}
	return true;
}

/* What it was and what it becomes are both encoded, so that the heading stays as it came unless something is different. */
static bool put_heading(struct conv *c, const struct ber_tlv *t, struct rope *r)
{
	struct ipm_heading *h = arena_get(c->a, sizeof *h);
	if (h == NULL)
		return impractical(c, "octets of memory", arena_used(c->a));
	if (!ber_decode(&ipm_heading_type, t->whole, h, c->a, &c->how->limits, c->e))
		return false;
	const struct view before = conv_encode(c, &ipm_heading_type, h);
	conv_heading(c, h);
	const struct view after = conv_encode(c, &ipm_heading_type, h);
	const bool same = view_eq(before, after);
	rope_add(c, r, same ? t->whole : after);
	c->changed |= !same;
	return after.n > 0 || conv_broken(c, "a heading that cannot be written again");
}

/* X.420 7.1: SEQUENCE of heading (SET) and body (SEQUENCE OF). 1984 has nothing behind them. */
bool conv_ipm(struct conv *c, struct view inside, unsigned depth, struct rope *r)
{
	struct ber_tlv t;
	if (inside.n == 0)
		return conv_broken(c, "an interpersonal message without a heading");
	if (!conv_next(c, &inside, depth, &t))
		return false;
	if (t.tag != BER_U(U_SET) || inside.n == 0)
		return conv_broken(c, "an interpersonal message that is not a heading and a body");
	if (!conv_wants_heading(c))
		rope_add(c, r, t.whole);
	else if (!put_heading(c, &t, r))
		return false;
	if (!conv_next(c, &inside, depth, &t))
		return false;
	if (t.tag != BER_U(U_SEQ))
		return conv_broken(c, "an interpersonal message whose body is none");
	if (!conv_element(c, &t, depth, in_body, r))
		return false;
	if (!c->how->to_84)
		rope_add(c, r, inside);
	c->changed |= c->how->to_84 && inside.n > 0;
	return true;
}

/* --- a notification --- */

static bool put_notification(struct conv *c, struct rope *r)
{
	struct ipm_object *object = arena_get(c->a, sizeof *object);
	if (object == NULL)
		return impractical(c, "octets of memory", arena_used(c->a));
	if (!ber_decode(&ipm_object_outer_type, c->content, object, c->a, &c->how->limits, c->e))
		return false;
	const struct view before = conv_encode(c, &ipm_object_outer_type, object);
	if (!conv_notification(c, &object->ipn))
		return false;
	const struct view after = conv_encode(c, &ipm_object_outer_type, object);
	c->changed |= !view_eq(before, after);
	rope_add(c, r, after);
	return after.n > 0 || conv_broken(c, "a notification that cannot be written again");
}

/* --- the whole content --- */

static bool convert(struct conv *c, struct ipm_converted *done, struct rope *r)
{
	struct ipm ipm;
	struct ber_tlv t;
	struct view rest = c->content;
	if (!ipm_parse(c->content, &ipm, c->a, &c->how->limits, c->e))
		return false;
	done->is_notification = ipm.notification != NULL;
	if (done->is_notification)
		return !conv_wants_heading(c) || put_notification(c, r);
	return conv_next(c, &rest, 0, &t) && conv_element(c, &t, 0, conv_ipm, r);
}

static bool wrap(struct conv *c, struct view content, struct ipm_converted *done, struct out *o)
{
	const struct ipm_convert *how = c->how;
	struct ipm_wrap w = { how->prohibited ? 0 : how->column, how->limits, how->out_of_time, how->ctx };
	w.limits.bytes = content.n;
	return ipm_wrap(content, &w, c->a, o, &done->wrapped, c->e);
}

static bool write_out(struct conv *c, const struct rope *r, struct ipm_converted *done, struct out *o)
{
	const struct view whole = c->changed && c->how->column > 0 ? rope_view(c, r) : c->content;
	if (arena_full(c->a))
		return impractical(c, "octets of memory", arena_used(c->a));
	if (!wrap(c, whole, done, o))
		return false;
	if (c->changed && !done->wrapped) {
		if (r->n > out_room(o))
			return impractical(c, "octets for the result", out_room(o));
		rope_write(r, o);
	}
	done->changed = c->changed || done->wrapped;
	return true;
}

bool ipm_convert(struct view content, int64_t content_type, const struct ipm_convert *how, struct arena *a, struct out *o,
		 struct ipm_converted *done_r, struct err *e)
{
	struct err own = { .reason = -1, .diagnostic = -1 };
	struct rope r = { 0 };
	struct conv c = { .content = content, .how = how, .a = a, .e = e != NULL ? e : &own,
			  .narrow = how->to_84 || how->no_part_15 };
	const size_t before = out_len(o);
	assert(!(how->to_84 && how->from_84));
	*c.e = own;
	*done_r = (struct ipm_converted){ .content_type = content_type };
	const bool any = c.narrow || conv_wants_heading(&c) || how->text != IPM_TEXT_AS_IS;
	bool ok = (!any || convert(&c, done_r, &r)) && write_out(&c, &r, done_r, o);
	if (!ok) {
		o->n = o->head + before;
		if (c.e->reason < 0) { /* the decoder's own: not BER, not this type, or too much of it */
			c.e->reason = CONVERSION_NOT_PERFORMED;
			c.e->diagnostic = arena_full(a) ? CONVERSION_IMPRACTICAL : CONTENT_SYNTAX_ERROR;
		}
		*done_r = (struct ipm_converted){ .content_type = content_type };
		return false;
	}
	if (how->to_84 && !done_r->changed && content_type == CONTENT_IPM88) {
		out_bytes(o, content); /* the octets are those of both; the type is not */
		done_r->changed = true;
	}
	if (how->to_84)
		done_r->content_type = CONTENT_IPM84;
	else if (c.changed && (how->from_84 || how->text == IPM_TEXT_GENERAL))
		done_r->content_type = CONTENT_IPM88;
	done_r->parts = c.parts;
	if (c.parts)
		done_r->eits = conv_eits(&c);
	return !o->bad || impractical(&c, "octets for the result", o->max);
}
