/* session_send.c - SPDUs out, and DATA SSDUs in parts; see session_private.h.
 *
 * Data: the last octets given are always held back (at most HELD of them, or what is short of a
 * TPDU), so that the end of the SSDU can be marked on octets and not on an empty TPDU. All else is
 * copied once, into the output. */
#include "base/mem.h"
#include "flow/engine/x400/session_private.h"

enum { HELD = 4096, UNIT_ALIGNED = 8192 };

static const uint8_t empty_gt[] = {1, 0}, empty_pt[] = {2, 0}, gt_dt[] = {1, 0, 1, 0};

static unsigned si_of(enum spdu_kind kind)
{
	static const uint8_t si[] = {
#define SPDU(name, si, category, lead, needs, title, clause) [SPDU_##name] = si,
#include "flow/engine/x400/spdu_table.h"
	};
	return si[kind];
}

static unsigned code_of(enum spdu_param param)
{
	static const uint8_t codes[] = {
#define SPDU_PARAM(name, code, linking, min, max, title) [PARAM_##name] = code,
#include "flow/engine/x400/spdu_table.h"
	};
	return codes[param];
}

static struct view lead_view(enum spdu_lead lead)
{
	switch (lead) {
	case LEAD_NONE: break;
	case LEAD_GT: return view_of(empty_gt, sizeof empty_gt);
	case LEAD_PT: return view_of(empty_pt, sizeof empty_pt);
	}
	return (struct view){NULL, 0};
}

/* LI at p: one octet, or 255 and two (8.2). Returns how many it took. */
static size_t write_li(uint8_t p[3], size_t n)
{
	assert(n <= 65535);
	if (n <= 254) {
		p[0] = (uint8_t)n;
		return 1;
	}
	p[0] = 255;
	p[1] = (uint8_t)(n >> 8);
	p[2] = (uint8_t)n;
	return 3;
}

static void put_li(struct out *o, size_t n)
{
	uint8_t p[3];
	out_bytes(o, view_of(p, write_li(p, n)));
}

struct out *session_params(struct session *s)
{
	out_clear(&s->params);
	return &s->params;
}

void session_put(struct out *o, unsigned code, struct view v)
{
	out_u8(o, (uint8_t)code);
	put_li(o, v.n);
	out_bytes(o, v);
}

void session_put_u8(struct out *o, unsigned code, unsigned x)
{
	uint8_t octet = (uint8_t)x;
	session_put(o, code, view_of(&octet, 1));
}

void session_put_serial(struct out *o, uint32_t serial)
{
	char digits[16];
	int n = snprintf(digits, sizeof digits, "%u", serial);
	session_put(o, code_of(PARAM_SERIAL), view_of(digits, (size_t)n));
}

/* One TSDU: lead, SI, LI, parameters, `param` with user data. */
static void send_one(struct session *s, enum spdu_lead lead, enum spdu_kind kind,
		     enum spdu_param param, struct view user)
{
	uint8_t head[4] = {(uint8_t)si_of(kind)}, data_head[4] = {(uint8_t)code_of(param)};
	size_t data_n = user.n == 0 ? 0 : 1 + write_li(data_head + 1, user.n);
	size_t head_n = 1 + write_li(head + 1, out_len(&s->params) + data_n + user.n);
	const struct view parts[] = {lead_view(lead), view_of(head, head_n), out_view(&s->params),
				     view_of(data_head, data_n), user};
	cotp_send(s->cotp, parts, ARRAY_LEN(parts), true);
}

enum { SPDU_OVERHEAD = 4 + 4 + 4 }; /* lead, SI and LI, user data's head */

void session_send(struct session *s, enum spdu_lead lead, enum spdu_kind kind, struct view user)
{
	size_t fixed = SPDU_OVERHEAD + out_len(&s->params);
	if (s->tsdu_max_out == 0 || fixed + user.n <= s->tsdu_max_out ||
	    fixed + 3 >= s->tsdu_max_out) {
		send_one(s, lead, kind, PARAM_USER_DATA, user);
		return;
	}
	/* 8.4: the parameters, the enclosure item, and a part of the user data, again and again. */
	size_t room = s->tsdu_max_out - fixed - 3, sent = 0, at = out_len(&s->params);
	session_put_u8(&s->params, code_of(PARAM_ENCLOSURE), 0);
	while (sent < user.n) {
		struct view part = view_first(view_from(user, sent), room);
		bool end = sent + part.n == user.n;
		s->params.p[s->params.head + at + 2] =
			(uint8_t)((sent == 0 ? ENCLOSURE_BEGIN : 0) | (end ? ENCLOSURE_END : 0));
		send_one(s, lead, kind, PARAM_USER_DATA, part);
		sent += part.n;
	}
}

/* ---- connection ---- */

static size_t group_begin(struct out *o, unsigned code)
{
	out_u8(o, (uint8_t)code);
	out_u8(o, 0);
	return out_len(o);
}

static void group_end(struct out *o, size_t at)
{
	size_t n = out_len(o) - at;
	assert(n <= 254);
	if (n == 0)
		o->n -= 2; /* no empty group */
	else
		o->p[o->head + at - 1] = (uint8_t)n;
}

static void put_refs(struct out *o, enum spdu_param first, const struct view refs[3])
{
	size_t at = group_begin(o, 1);
	const enum spdu_param params[] = {first, PARAM_COMMON_REF, PARAM_ADDITIONAL_REF};
	for (size_t i = 0; i < 3; i++)
		if (refs[i].n > 0)
			session_put(o, code_of(params[i]), refs[i]);
	group_end(o, at);
}

static void put_connect_item(struct out *o, bool tsdu_max, size_t to_responder, size_t to_initiator,
			     unsigned versions, unsigned token_setting)
{
	size_t at = group_begin(o, 5);
	session_put_u8(o, code_of(PARAM_OPTIONS), 0); /* no extended concatenation */
	if (tsdu_max) {
		out_u8(o, (uint8_t)code_of(PARAM_TSDU_MAX));
		out_u8(o, 4);
		out_u16(o, (uint16_t)to_responder);
		out_u16(o, (uint16_t)to_initiator);
	}
	session_put_u8(o, code_of(PARAM_VERSIONS), versions);
	session_put_u8(o, code_of(PARAM_TOKEN_SETTING), token_setting);
	group_end(o, at);
}

static void put_units(struct out *o)
{
	out_u8(o, (uint8_t)code_of(PARAM_UNITS));
	out_u8(o, 2);
	out_u16(o, UNITS_WANTED);
}

void session_send_connect(struct session *s, struct view user)
{
	const struct session_config *c = &s->config;
	const struct view refs[3] = {c->user_ref, c->common_ref, c->additional_ref};
	bool extended = user.n > CN_DATA_MAX; /* only version 2 has PGI 194 */
	struct out *o = session_params(s);
	put_refs(o, PARAM_CALLING_REF, refs);
	put_connect_item(o, c->tsdu_max_in != 0 || c->tsdu_max_out != 0, c->tsdu_max_out,
			 c->tsdu_max_in, extended ? VERSION_2 : c->versions, 0);
	put_units(o);
	if (c->send_ssel) {
		session_put(o, code_of(PARAM_CALLING_SSEL), c->calling_ssel);
		session_put(o, code_of(PARAM_CALLED_SSEL), c->called_ssel);
	}
	send_one(s, LEAD_NONE, SPDU_CN, extended ? PARAM_EXTENDED_DATA : PARAM_USER_DATA, user);
	session_change_state(s, ST_CN_SENT);
}

/* What AC and RF say of the connection: our own references where there are, else what CN said. */
static void put_answer_refs(struct session *s, struct out *o)
{
	const struct session_config *c = &s->config;
	const struct view refs[3] = {
		c->user_ref.n > 0 ? c->user_ref : s->refs[0],
		c->common_ref.n > 0 ? c->common_ref : s->refs[1],
		c->additional_ref.n > 0 ? c->additional_ref : s->refs[2],
	};
	put_refs(o, PARAM_CALLED_REF, refs);
}

void session_send_refuse(struct session *s, unsigned reason, struct view user)
{
	struct out *o = session_params(s);
	put_answer_refs(s, o);
	session_put_u8(o, code_of(PARAM_T_DISCONNECT), ABORT_RELEASED);
	put_units(o);
	out_u8(o, (uint8_t)code_of(PARAM_REASON));
	put_li(o, 1 + user.n);
	out_u8(o, (uint8_t)reason);
	out_bytes(o, user);
	send_one(s, LEAD_NONE, SPDU_RF, PARAM_USER_DATA, (struct view){0});
	session_change_state(s, ST_ENDING);
}

static bool data_fits(const struct session *s, struct view user, struct err *e)
{
	size_t max = s->versions == VERSION_1 ? CN_DATA_MAX : CN_EXTENDED_MAX;
	if (user.n <= max)
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
		       "session: %zu octets of user data, want at most %zu in version %u", user.n,
		       max, session_version(s));
}

bool session_connect(struct session *s, struct view user_data, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	bool v2 = (s->config.versions & VERSION_2) != 0;
	size_t max = v2 ? CN_EXTENDED_MAX : CN_DATA_MAX;
	if (user_data.n > max)
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
			       "session: CONNECT with %zu octets of user data, want at most %zu",
			       user_data.n, max);
	if (s->state == ST_TRANSPORT && s->initiator && !s->connect_waiting) {
		out_clear(&s->connect_data);
		out_bytes(&s->connect_data, user_data);
		s->connect_waiting = true;
		return true;
	}
	enum session_state next;
	if (!session_allow(s, RQ_CONNECT, &next, e))
		return false;
	session_send_connect(s, user_data);
	return true;
}

bool session_accept(struct session *s, struct view user_data, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_ACCEPT, &next, e))
		return false;
	unsigned chosen = (s->versions & VERSION_2) != 0 ? VERSION_2 : VERSION_1;
	unsigned offered = s->versions;
	s->versions = chosen;
	if (!data_fits(s, user_data, e)) {
		s->versions = offered;
		return false;
	}
	struct out *o = session_params(s);
	put_answer_refs(s, o);
	put_connect_item(o, s->echo_tsdu_max, s->tsdu_max_in, s->tsdu_max_out, chosen,
			 s->token_setting);
	put_units(o);
	if (s->config.send_ssel)
		session_put(o, code_of(PARAM_CALLED_SSEL), s->config.called_ssel);
	send_one(s, LEAD_NONE, SPDU_AC, PARAM_USER_DATA, user_data);
	session_change_state(s, next);
	return true;
}

bool session_refuse(struct session *s, unsigned reason, struct view user_data, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_REFUSE, &next, e) || !data_fits(s, user_data, e))
		return false;
	session_send_refuse(s, reason, user_data);
	s->wants_close = true;
	return true;
}

bool session_release(struct session *s, struct view user_data, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_RELEASE, &next, e) || !data_fits(s, user_data, e))
		return false;
	session_put_u8(session_params(s), code_of(PARAM_T_DISCONNECT), ABORT_RELEASED);
	session_send(s, LEAD_NONE, SPDU_FN, user_data);
	session_change_state(s, next);
	return true;
}

bool session_release_response(struct session *s, struct view user_data, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_RELEASE_RESPONSE, &next, e) || !data_fits(s, user_data, e))
		return false;
	session_params(s);
	session_send(s, LEAD_NONE, SPDU_DN, user_data);
	session_change_state(s, next);
	s->wants_close = !s->peer_closes;
	return true;
}

/* ---- aborts ---- */

/* AB may be said once there is a transport connection, and until all is said. */
static bool abort_possible(const struct session *s)
{
	return cotp_is_open(s->cotp) && s->state != ST_ENDING && s->state != ST_CLOSED &&
	       s->state != ST_TRANSPORT;
}

void session_send_abort(struct session *s, unsigned bits, struct view reflect)
{
	if (abort_possible(s)) {
		session_abandon_data(s);
		struct out *o = session_params(s);
		session_put_u8(o, code_of(PARAM_T_DISCONNECT), ABORT_RELEASED | bits);
		if ((bits & ABORT_PROTOCOL) != 0 && reflect.n > 0)
			session_put(o, code_of(PARAM_REFLECT), view_first(reflect, REFLECT_MAX));
		send_one(s, LEAD_NONE, SPDU_AB, PARAM_USER_DATA, (struct view){0});
	}
	session_change_state(s, ST_CLOSED);
}

void session_u_abort(struct session *s, struct view user_data)
{
	CHECK(s, SESSION_MAGIC);
	if (s->state == ST_TRANSPORT)
		cotp_refuse(s->cotp, COTP_NORMAL);
	else if (abort_possible(s) && s->state != ST_IDLE) {
		session_abandon_data(s);
		bool v2 = ((s->versions != 0 ? s->versions : s->config.versions) & VERSION_2) != 0;
		if (user_data.n > (v2 ? (size_t)CN_EXTENDED_MAX : AB_DATA_MAX_1))
			user_data.n = 0; /* better none than half */
		session_put_u8(session_params(s), code_of(PARAM_T_DISCONNECT),
			       ABORT_RELEASED | ABORT_USER);
		session_send(s, LEAD_NONE, SPDU_AB, user_data);
	}
	if (s->state != ST_CLOSED)
		session_change_state(s, ST_CLOSED);
}

/* ---- activities ---- */

static bool activity_fits(struct view id, struct err *e)
{
	if (id.n > 0 && id.n <= SESSION_ACTIVITY_MAX)
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
		       "session: activity identifier of %zu octets, want 1..%d", id.n,
		       SESSION_ACTIVITY_MAX);
}

static void activity_begins(struct session *s, uint32_t serial)
{
	s->activity = true;
	s->just_ended = false;
	s->may_confirm = false;
	s->next_serial = s->low_serial = serial;
}

bool session_activity_start(struct session *s, struct view id, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_ACTIVITY_START, &next, e) || !activity_fits(id, e))
		return false;
	session_put(session_params(s), code_of(PARAM_ACTIVITY), id);
	session_send(s, LEAD_GT, SPDU_AS, (struct view){0});
	activity_begins(s, 1);
	session_change_state(s, next);
	return true;
}

/* PGI 33 of ACTIVITY RESUME, 8.3.30. */
static void put_linking(struct out *o, const struct session_link *from)
{
	size_t at = group_begin(o, code_of(PARAM_LINKING));
	if (from->user_ref.n > 0)
		session_put(o, code_of(PARAM_OLD_CALLING_REF), from->user_ref);
	if (from->common_ref.n > 0)
		session_put(o, code_of(PARAM_OLD_COMMON_REF), from->common_ref);
	if (from->additional_ref.n > 0)
		session_put(o, code_of(PARAM_OLD_ADDITIONAL_REF), from->additional_ref);
	session_put(o, code_of(PARAM_OLD_ACTIVITY), from->old_activity);
	session_put_serial(o, from->serial);
	group_end(o, at);
}

bool session_activity_resume(struct session *s, struct view id, const struct session_link *from,
			     struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_ACTIVITY_RESUME, &next, e) || !activity_fits(id, e) ||
	    !activity_fits(from->old_activity, e))
		return false;
	if (from->serial >= SERIAL_MAX || from->user_ref.n > SESSION_REF_MAX ||
	    from->common_ref.n > SESSION_REF_MAX || from->additional_ref.n > 4)
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
			       "session: an activity cannot be resumed at %u with references of %zu, %zu and "
			       "%zu octets", from->serial, from->user_ref.n, from->common_ref.n,
			       from->additional_ref.n);
	struct out *o = session_params(s);
	put_linking(o, from);
	session_put(o, code_of(PARAM_ACTIVITY), id);
	session_send(s, LEAD_GT, SPDU_AR, (struct view){0});
	activity_begins(s, from->serial + 1);
	session_change_state(s, next);
	return true;
}

/* A point of ours gets V(M); numbers end at 999999, and ACTIVITY END needs one too. */
static bool send_point(struct session *s, enum session_request rq, enum spdu_kind kind,
		       uint32_t last, uint32_t *serial_r, struct err *e)
{
	enum session_state next;
	if (!session_allow(s, rq, &next, e))
		return false;
	if (s->next_serial > last)
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
			       "session: sync point number %u, want at most %u", s->next_serial,
			       last);
	*serial_r = s->next_serial;
	if (s->may_confirm)
		s->low_serial = s->next_serial;
	s->may_confirm = false;
	session_put_serial(session_params(s), s->next_serial++);
	session_send(s, LEAD_GT, kind, (struct view){0});
	session_change_state(s, next);
	return true;
}

bool session_minor_sync(struct session *s, uint32_t *serial_r, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	return send_point(s, RQ_MINOR_SYNC, SPDU_MIP, SERIAL_MAX - 1, serial_r, e);
}

bool session_activity_end(struct session *s, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	uint32_t serial;
	return send_point(s, RQ_ACTIVITY_END, SPDU_AE, SERIAL_MAX, &serial, e);
}

bool session_minor_sync_response(struct session *s, uint32_t serial, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_MINOR_SYNC_RESPONSE, &next, e))
		return false;
	uint32_t end = s->next_serial - (s->state == ST_END_ASKED ? 1 : 0);
	if (!s->may_confirm || serial < s->low_serial || serial >= end)
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
			       "session: confirmation of sync point %u, want %u..%u", serial,
			       s->low_serial, end - 1);
	s->low_serial = serial + 1;
	session_put_serial(session_params(s), serial);
	session_send(s, LEAD_PT, SPDU_MIA, (struct view){0});
	session_change_state(s, next);
	return true;
}

bool session_activity_end_response(struct session *s, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_ACTIVITY_END_RESPONSE, &next, e))
		return false;
	session_put_serial(session_params(s), s->next_serial - 1);
	session_send(s, LEAD_PT, SPDU_AEA, (struct view){0});
	s->low_serial = s->next_serial;
	s->activity = false;
	s->just_ended = true;
	session_change_state(s, next);
	return true;
}

static bool stop_activity(struct session *s, enum session_request rq, enum spdu_kind kind,
			  unsigned reason, struct err *e)
{
	enum session_state next;
	if (!session_allow(s, rq, &next, e))
		return false;
	session_abandon_data(s);
	session_put_u8(session_params(s), code_of(PARAM_REASON), reason);
	session_send(s, LEAD_GT, kind, (struct view){0});
	session_change_state(s, next);
	return true;
}

static bool stop_response(struct session *s, enum session_request rq, enum spdu_kind kind,
			  struct err *e)
{
	enum session_state next;
	if (!session_allow(s, rq, &next, e))
		return false;
	session_params(s);
	session_send(s, LEAD_PT, kind, (struct view){0});
	s->activity = false;
	session_change_state(s, next);
	return true;
}

bool session_activity_interrupt(struct session *s, unsigned reason, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	return stop_activity(s, RQ_ACTIVITY_INTERRUPT, SPDU_AI, reason, e);
}

bool session_activity_interrupt_response(struct session *s, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	return stop_response(s, RQ_ACTIVITY_INTERRUPT_RESPONSE, SPDU_AIA, e);
}

bool session_activity_discard(struct session *s, unsigned reason, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	return stop_activity(s, RQ_ACTIVITY_DISCARD, SPDU_AD, reason, e);
}

bool session_activity_discard_response(struct session *s, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	return stop_response(s, RQ_ACTIVITY_DISCARD_RESPONSE, SPDU_ADA, e);
}

bool session_exception_report(struct session *s, unsigned reason, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_EXCEPTION_REPORT, &next, e))
		return false;
	session_put_u8(session_params(s), code_of(PARAM_REASON), reason);
	session_send(s, LEAD_PT, SPDU_ED, (struct view){0});
	s->rx.drop = true; /* the rest of a DATA SSDU in work, too */
	s->rx.ssdu_open = false;
	s->rx.total = 0;
	session_change_state(s, next);
	return true;
}

bool session_tokens_please(struct session *s, struct view user_data, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_TOKENS_PLEASE, &next, e) || !data_fits(s, user_data, e))
		return false;
	session_put_u8(session_params(s), code_of(PARAM_TOKENS), TOKENS_ALL & ~s->tokens);
	session_send(s, LEAD_NONE, SPDU_PT, user_data);
	session_change_state(s, next);
	return true;
}

bool session_control_give(struct session *s, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_CONTROL_GIVE, &next, e))
		return false;
	s->tokens = 0;
	session_params(s);
	session_send(s, LEAD_NONE, SPDU_GTC, (struct view){0});
	session_change_state(s, next);
	return true;
}

/* ---- DATA ---- */

enum { SEGMENT_HEAD = 7 }; /* GT 01 00, DT 01 03, enclosure 19 01 xx */

/* `a` then `b` go out as the next part of the SSDU. */
static void flush_data(struct session *s, struct view a, struct view b, bool end)
{
	if (s->tsdu_max_out == 0) {
		const struct view parts[] = {a, b};
		cotp_send(s->cotp, parts, ARRAY_LEN(parts), end);
		s->tx.began = true;
		return;
	}
	size_t room = s->tsdu_max_out - SEGMENT_HEAD;
	do {
		struct view first = view_first(a, room);
		struct view second = view_first(b, room - first.n);
		a = view_from(a, first.n);
		b = view_from(b, second.n);
		bool last = end && a.n + b.n == 0;
		const uint8_t head[SEGMENT_HEAD] = {1,
						    0,
						    1,
						    3,
						    (uint8_t)code_of(PARAM_ENCLOSURE),
						    1,
						    (uint8_t)((s->tx.began ? 0 : ENCLOSURE_BEGIN) |
							      (last ? ENCLOSURE_END : 0))};
		const struct view parts[] = {view_of(head, sizeof head), first, second};
		cotp_send(s->cotp, parts, ARRAY_LEN(parts), true);
		s->tx.began = true;
	} while (a.n + b.n > 0);
}

static size_t unit(const struct session *s)
{
	return s->tsdu_max_out != 0 ? s->tsdu_max_out - SEGMENT_HEAD : cotp_payload_max(s->cotp);
}

bool session_data_begin(struct session *s, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	enum session_state next;
	if (!session_allow(s, RQ_DATA_BEGIN, &next, e))
		return false;
	s->tx.open = true;
	s->tx.began = s->tx.dead = false;
	if (s->tsdu_max_out == 0)
		out_bytes(&s->tx.held, view_of(gt_dt, sizeof gt_dt));
	return true;
}

size_t session_data_room(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	if (!s->tx.open || s->tx.dead)
		return 0;
	size_t used = out_len(cotp_out(s->cotp)) + out_len(&s->tx.held);
	return used < s->config.out_max ? s->config.out_max - used : 0;
}

void session_data_bytes(struct session *s, struct view part)
{
	CHECK(s, SESSION_MAGIC);
	if (!s->tx.open || s->tx.dead || part.n == 0)
		return;
	struct view held = out_view(&s->tx.held);
	if (held.n + part.n <= HELD) {
		out_bytes(&s->tx.held, part);
		return;
	}
	/* All goes but the last HELD octets of part, in whole TPDUs or segments where those are
	 * small. */
	size_t n = part.n > HELD ? part.n - HELD : 0;
	size_t whole = unit(s) <= UNIT_ALIGNED ? (held.n + n) / unit(s) * unit(s) : 0;
	if (whole > held.n)
		n = whole - held.n;
	flush_data(s, held, view_first(part, n), false);
	out_clear(&s->tx.held);
	out_bytes(&s->tx.held, view_from(part, n));
}

void session_data_end(struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	if (!s->tx.open)
		return;
	if (!s->tx.dead) {
		flush_data(s, out_view(&s->tx.held), (struct view){0}, true);
		s->tx.open = false;
	}
	out_clear(&s->tx.held);
}

void session_abandon_data(struct session *s)
{
	if (!s->tx.open)
		return;
	/* An unsegmented TSDU must end before another SPDU can be said; a segmented SSDU may just
	 * stop. */
	if (s->tx.began && s->tsdu_max_out == 0)
		flush_data(s, out_view(&s->tx.held), (struct view){0}, true);
	out_clear(&s->tx.held);
	s->tx.open = false;
}
