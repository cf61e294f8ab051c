/* session_tsdu.c - TSDUs as they come in: DATA goes up in parts, everything else is read whole, in
 * place where it lies in one piece, else collected within a limit. See session_private.h. */
#include "base/mem.h"
#include "flow/engine/x400/session_private.h"

enum { HEAD_STEP = 16 }; /* octets added at a time while it is not known whether a TSDU is DATA */

static enum step restriction(struct session *s, struct err *e, const char *what, uint64_t limit)
{
	err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "session: %s over the limit of %llu octets", what,
		(unsigned long long)limit);
	session_send_abort(s, ABORT_RESTRICTION, (struct view){0});
	return STEP_FAIL;
}

static enum step protocol_error(struct session *s, struct view spdu)
{
	session_send_abort(s, ABORT_PROTOCOL, view_first(spdu, REFLECT_MAX));
	return STEP_FAIL;
}

/* ---- DATA ---- */

static void end_of_data(struct session *s)
{
	struct session_rx *rx = &s->rx;
	rx->stream = false;
	if (rx->tokens == 0)
		return;
	rx->lead_due = true;
	rx->lead_kind = SPDU_GT;
	rx->lead_tokens = (uint8_t)rx->tokens;
	rx->tokens = 0;
}

/* Octets of the user information field. */
static enum step data_part(struct session *s, struct view v, bool end, struct session_event *ev,
			   struct err *e)
{
	struct session_rx *rx = &s->rx;
	if (end)
		end_of_data(s);
	if (rx->drop)
		return STEP_WAIT;
	rx->total += v.n;
	if (s->config.tsdu_in_max != 0 && rx->total > s->config.tsdu_in_max)
		return restriction(s, e, "a DATA SSDU is", s->config.tsdu_in_max);
	bool last = end && rx->enclosure_end;
	if (last) {
		rx->ssdu_open = false;
		rx->total = 0;
	}
	if (v.n == 0 && !last)
		return STEP_WAIT;
	*ev = (struct session_event){.kind = SESSION_DATA, .bytes = v, .last = last};
	return STEP_DONE;
}

static bool enclosure(struct session *s, const struct data_head *h, struct err *e)
{
	struct session_rx *rx = &s->rx;
	bool begin = (h->enclosure & ENCLOSURE_BEGIN) != 0;
	if (!rx->drop && begin == rx->ssdu_open)
		return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION,
			       "session: DATA TRANSFER with enclosure item %02x, %s", h->enclosure,
			       begin ? "but the SSDU before has not ended"
				     : "but no SSDU has begun");
	rx->enclosure_end = (h->enclosure & ENCLOSURE_END) != 0;
	if (!rx->drop)
		rx->ssdu_open = true;
	return true;
}

/* The heads of GT and DT are at the front of v. */
static bool data_begin(struct session *s, struct view v, const struct data_head *h, struct err *e)
{
	struct spdu gt, dt;
	struct session_event none;
	s->rx.stream = true;
	s->rx.drop = false;
	s->rx.tokens = h->tokens;
	return spdu_parse(v, LEAD_NONE, &gt, e) && spdu_parse(h->dt, LEAD_GT, &dt, e) &&
	       session_receive(s, &dt, &none, e) != ACT_FAIL && enclosure(s, h, e);
}

/* ---- other SPDUs ---- */

/* A segmented SPDU of version 2 (8.4): the first octets are kept, user data added up. False: limit
 * passed. */
static bool keep_segment(struct session *s, const struct spdu *p, enum spdu_lead lead)
{
	struct session_rx *rx = &s->rx;
	if (out_len(&rx->segment) == 0) {
		out_bytes(&rx->segment, p->raw);
		rx->segment_lead = lead;
	}
	out_bytes(&rx->segment_data, p->user);
	return !rx->segment.bad && !rx->segment_data.bad;
}

/* Gives a whole SPDU to the table; a segmented one when its last part is here. Its views then live
 * in rx. */
static enum act receive(struct session *s, const struct spdu *p, enum spdu_lead lead,
			struct session_event *ev, struct err *e)
{
	struct session_rx *rx = &s->rx;
	bool more = spdu_has(p, PARAM_ENCLOSURE) &&
		    (spdu_uint(p, PARAM_ENCLOSURE, 0) & ENCLOSURE_END) == 0;
	if (out_len(&rx->segment) == 0 && !more)
		return session_receive(s, p, ev, e);
	struct spdu first = *p;
	if (out_len(&rx->segment) > 0 &&
	    !spdu_parse(out_view(&rx->segment), rx->segment_lead, &first, e))
		return ACT_FAIL;
	if (first.kind != p->kind && p->kind != SPDU_AB) {
		err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "session: %s inside a segmented %s",
			spdu_title(p->kind), spdu_title(first.kind));
		return ACT_FAIL;
	}
	if (first.kind != p->kind)
		return session_receive(s, p, ev, e);
	if (!keep_segment(s, p, lead)) {
		err_set(e, ERR_PEER, ERR_OF_ASSOCIATION,
			"session: segmented %s is over the limit of %zu octets",
			spdu_title(p->kind), s->config.collect_max);
		return ACT_FAIL;
	}
	if (more)
		return ACT_QUIET;
	if (!spdu_parse(out_view(&rx->segment), rx->segment_lead, &first, e))
		return ACT_FAIL;
	first.user = out_view(&rx->segment_data);
	rx->collect_done = true; /* clears the segments too */
	return session_receive(s, &first, ev, e);
}

/* The category 0 SPDU counts after the category 2 SPDU it led (6.3.7.1); alone it counts at once.
 */
static enum act receive_lead(struct session *s, const struct spdu *p, struct session_event *ev,
			     struct err *e)
{
	if (!spdu_has(p, PARAM_TOKENS))
		return ACT_QUIET; /* a mere lead */
	return receive(s, p, LEAD_NONE, ev, e);
}

static void lead_is_due(struct session *s, const struct spdu *p)
{
	struct session_rx *rx = &s->rx;
	if (!spdu_has(p, PARAM_TOKENS))
		return;
	rx->lead_due = true;
	rx->lead_kind = p->kind;
	rx->lead_tokens = (uint8_t)spdu_uint(p, PARAM_TOKENS, 0);
	out_clear(&rx->lead_data);
	out_bytes(&rx->lead_data, p->user);
}

enum step session_lead(struct session *s, struct session_event *ev, struct err *e)
{
	struct session_rx *rx = &s->rx;
	struct spdu p = {
		.kind = rx->lead_kind, .has = SPDU_BIT(TOKENS), .user = out_view(&rx->lead_data)};
	p.param[PARAM_TOKENS] = view_of(&rx->lead_tokens, 1);
	rx->lead_due = false;
	enum act act = session_receive(s, &p, ev, e);
	if (act == ACT_FAIL)
		return protocol_error(s, (struct view){0});
	return act == ACT_EVENT ? STEP_DONE : STEP_WAIT;
}

/* A whole TSDU. */
static enum step read_tsdu(struct session *s, struct view v, struct session_event *ev,
			   struct err *e)
{
	struct spdu first, second;
	if (!spdu_parse(v, LEAD_NONE, &first, e))
		return protocol_error(s, v);
	struct view rest = view_from(v, first.raw.n);
	bool leads = first.kind == SPDU_GT || first.kind == SPDU_PT;
	if (!leads && rest.n > 0) {
		err_set(e, ERR_PEER, ERR_OF_ASSOCIATION,
			"session: %s is followed by %zu octets, want it alone",
			spdu_title(first.kind), rest.n);
		return protocol_error(s, v);
	}
	if (rest.n == 0) {
		enum act act = leads ? receive_lead(s, &first, ev, e)
				     : receive(s, &first, LEAD_NONE, ev, e);
		return act == ACT_FAIL	  ? protocol_error(s, v)
		       : act == ACT_EVENT ? STEP_DONE
					  : STEP_WAIT;
	}
	enum spdu_lead lead = first.kind == SPDU_GT ? LEAD_GT : LEAD_PT;
	if (!spdu_parse(rest, lead, &second, e))
		return protocol_error(s, rest);
	if (second.raw.n < rest.n) { /* extended concatenation was not agreed: options are 00 */
		err_set(e, ERR_PEER, ERR_OF_ASSOCIATION,
			"session: %s is followed by %zu octets, want no third SPDU",
			spdu_title(second.kind), rest.n - second.raw.n);
		return protocol_error(s, view_from(rest, second.raw.n));
	}
	enum act act = receive(s, &second, lead, ev, e);
	if (act == ACT_FAIL)
		return protocol_error(s, rest);
	lead_is_due(s, &first);
	return act == ACT_EVENT ? STEP_DONE : STEP_WAIT;
}

/* ---- where the octets of a TSDU lie ---- */

static enum step start_data(struct session *s, struct view v, const struct data_head *h,
			    struct err *e)
{
	return data_begin(s, v, h, e) ? STEP_DONE : protocol_error(s, h->dt);
}

static enum step collect(struct session *s, struct view v, struct err *e)
{
	struct session_rx *rx = &s->rx;
	size_t limit = s->config.collect_max;
	if (v.n > limit - out_len(&rx->collect))
		return restriction(s, e, "an SPDU that is collected whole is", limit);
	out_bytes(&rx->collect, v);
	return STEP_DONE;
}

/* The TSDU is in several pieces: add some of v, look again. */
static enum step collected(struct session *s, struct view v, bool end, struct session_event *ev,
			   struct err *e)
{
	struct session_rx *rx = &s->rx;
	struct view piece = rx->decided ? v : view_first(v, HEAD_STEP);
	end = end && piece.n == v.n;
	if (collect(s, piece, e) != STEP_DONE)
		return STEP_FAIL;
	cotp_take(s->cotp, piece.n);
	struct view whole = out_view(&rx->collect);
	struct data_head h;
	enum spdu_head head = rx->decided ? HEAD_OTHER : spdu_data_head(whole, end, &h);
	if (head == HEAD_DATA) {
		if (start_data(s, whole, &h, e) != STEP_DONE)
			return STEP_FAIL;
		rx->collect_done = true;
		struct view user = view_from(whole, h.n);
		return user.n == 0 && !end ? STEP_WAIT : data_part(s, user, end, ev, e);
	}
	rx->decided = head == HEAD_OTHER;
	if (!end)
		return STEP_WAIT;
	rx->decided = false;
	rx->collect_done = true;
	return read_tsdu(s, whole, ev, e);
}

enum step session_tsdu(struct session *s, const struct cotp_event *c, struct session_event *ev,
		       struct err *e)
{
	struct session_rx *rx = &s->rx;
	struct view v = c->bytes;
	if (rx->stream) {
		cotp_take(s->cotp, v.n);
		return data_part(s, v, c->end, ev, e);
	}
	if (out_len(&rx->collect) > 0 || rx->decided)
		return collected(s, v, c->end, ev, e);
	struct data_head h;
	enum spdu_head head = spdu_data_head(v, c->end, &h);
	if (head == HEAD_DATA) {
		cotp_take(s->cotp, v.n);
		if (start_data(s, v, &h, e) != STEP_DONE)
			return STEP_FAIL;
		struct view user = view_from(v, h.n);
		return user.n == 0 && !c->end ? STEP_WAIT : data_part(s, user, c->end, ev, e);
	}
	if (head == HEAD_OTHER && c->end) {
		if (v.n > s->config.collect_max)
			return restriction(s, e, "an SPDU that is collected whole is",
					   s->config.collect_max);
		cotp_take(s->cotp, v.n);
		return read_tsdu(s, v, ev, e);
	}
	return collected(s, v, c->end, ev, e);
}
