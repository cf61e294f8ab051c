/* session_fsm.c - the table of session_table.h and what its rows do; see session_private.h. */
#include "base/cur.h"
#include "base/fault.h"
#include "base/text.h"
#include "flow/engine/x400/session_private.h"

typedef enum act action_f(struct session *s, const struct spdu *p, struct session_event *ev,
			  struct err *e);

static const struct {
	const char *name, *sta, *words;
	unsigned truths;
} states[] = {
#define SESSION_STATE(name, sta, truths, words) [ST_##name] = {#name, sta, words, truths},
#include "flow/engine/x400/session_table.h"
};

static bool peer_err(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool peer_err(struct err *e, const char *fmt, ...)
{
	char text[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "session: %s", text);
}

static enum act bad_serial(struct err *e, const struct spdu *p, uint32_t got, uint32_t want)
{
	peer_err(e, "%s with serial number %u, want %u", spdu_title(p->kind), got, want);
	return ACT_FAIL;
}

/* ---- truths ---- */

static unsigned truths_now(const struct session *s)
{
	unsigned now = s->activity ? T_ACT : T_NO_ACT;
	now |= s->tokens == TOKENS_ALL ? T_TURN : 0;
	now |= s->tokens == 0 ? T_NO_TURN : 0;
	now |= (s->tokens & TOKEN_DATA) != 0 ? T_DATA_TOKEN : T_NO_DATA_TOKEN;
	now |= s->tx.open ? 0 : T_NO_TX;
	now |= s->rx.ssdu_open ? 0 : T_SSDU_WHOLE;
	now |= s->initiator ? T_INITIATOR : T_RESPONDER;
	now |= s->versions != 0 ? T_VERSION : T_NO_VERSION;
	return now;
}

/* Why one of the truths in `missing` does not hold. */
static const char *lack(unsigned missing)
{
	static const struct {
		unsigned bit;
		const char *words;
	} lacks[] = {
		{T_ACT, "no activity is in progress"},
		{T_NO_ACT, "an activity is in progress"},
		{T_TURN, "its sender does not hold all tokens"},
		{T_NO_TURN, "its sender does not hold all tokens"},
		{T_DATA_TOKEN, "the data token is with the wrong side"},
		{T_NO_DATA_TOKEN, "the data token is with the wrong side"},
		{T_NO_TX, "a DATA SSDU is open"},
		{T_SSDU_WHOLE, "a segmented DATA SSDU is open"},
		{T_INITIATOR, "only the initiator may"},
		{T_RESPONDER, "only the initiator may"},
	};
	for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
		if ((missing & lacks[i].bit) != 0)
			return lacks[i].words;
	return "the state does not allow it";
}

void session_check_state(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	unsigned now =
		truths_now(s) | (s->state == ST_CLOSED || s->state == ST_ENDING ? T_VERSION : 0);
	assert((states[s->state].truths & ~now) == 0);
	assert(s->low_serial <= s->next_serial && s->next_serial <= SERIAL_MAX + 1);
	assert((s->tokens & ~(unsigned)TOKENS_ALL) == 0);
	assert(s->tx.open || out_len(&s->tx.held) == 0);
}

void session_change_state(struct session *s, enum session_state to)
{
	assert(to != ST_ANY);
	if (to == ST_CLOSED || to == ST_ENDING) {
		s->activity = false;
		s->tx.open = false;
		out_clear(&s->tx.held);
	}
	if (to == ST_CLOSED)
		s->wants_close = true;
	s->state = to;
	session_check_state(s);
}

const char *session_state_word(enum session_state state)
{
	return states[state].name;
}

/* ---- connection ---- */

static struct view keep_ref(uint8_t *to, struct view v)
{
	if (v.n > 0)
		memcpy(to, v.p, v.n);
	return view_of(to, v.n);
}

static enum act refuse_cn(struct session *s, unsigned reason)
{
	session_send_refuse(s, reason, (struct view){0});
	return ACT_FAIL;
}

/* Where every token goes, two bits each (8.3.1.11): a choice is ours to make, and the initiator
 * gets it. */
static bool set_tokens(struct session *s, unsigned setting, struct err *e)
{
	s->tokens = 0;
	s->token_setting = 0;
	for (unsigned shift = 0; shift < 6; shift += 2) {
		unsigned with = setting >> shift & 3;
		if (with == 3)
			return peer_err(
				e,
				"CONNECT with token setting %02x, of which bits 11 have no meaning",
				setting);
		if (with == 1) {
			s->tokens |= 1u << shift;
			s->token_setting = (uint8_t)(s->token_setting | 1u << shift);
		}
	}
	return true;
}

static size_t less(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* PI 21: octets 1 and 2 initiator to responder, 3 and 4 back; 0 or absent: unlimited. Segmenting in
 * a direction needs both. */
static void agree_tsdu_max(struct session *s, const struct spdu *p)
{
	struct cur c = cur_of(p->param[PARAM_TSDU_MAX]);
	size_t theirs_out = cur_u16(&c), theirs_in = cur_u16(&c);
	bool in = theirs_out >= TSDU_MAX_LEAST && s->config.tsdu_max_in != 0;
	bool out = theirs_in >= TSDU_MAX_LEAST && s->config.tsdu_max_out != 0;
	s->tsdu_max_in = in ? less(theirs_out, s->config.tsdu_max_in) : 0;
	s->tsdu_max_out = out ? less(theirs_in, s->config.tsdu_max_out) : 0;
	s->echo_tsdu_max = s->tsdu_max_in != 0 || s->tsdu_max_out != 0;
}

static enum act on_cn(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	unsigned units = spdu_uint(p, PARAM_UNITS, UNITS_DEFAULT);
	unsigned versions = spdu_uint(p, PARAM_VERSIONS, VERSION_1); /* 8.3.1.9 */
	s->refs[0] = keep_ref(s->peer_ref, p->param[PARAM_CALLING_REF]);
	s->refs[1] = keep_ref(s->peer_common, p->param[PARAM_COMMON_REF]);
	s->refs[2] = keep_ref(s->peer_additional, p->param[PARAM_ADDITIONAL_REF]);
	if ((versions & s->config.versions) == 0) {
		peer_err(e, "CONNECT offers versions %02x, want one of %02x", versions,
			 s->config.versions);
		return refuse_cn(s, REFUSE_VERSION);
	}
	if ((units & UNITS_WANTED) != UNITS_WANTED) {
		peer_err(e, "CONNECT offers functional units %04x, want %04x among them", units,
			 (unsigned)UNITS_WANTED);
		return refuse_cn(s, REFUSE_NOT_SPECIFIED);
	}
	if ((spdu_uint(p, PARAM_OVERFLOW, 0) & 1) != 0) {
		peer_err(e,
			 "CONNECT announces more than %d octets of user data (PI 60), want no more",
			 CN_EXTENDED_MAX);
		return refuse_cn(s, REFUSE_RESTRICTION);
	}
	if (!set_tokens(s, spdu_uint(p, PARAM_TOKEN_SETTING, 0), e))
		return ACT_FAIL;
	s->versions = versions & s->config.versions;
	agree_tsdu_max(s, p);
	*ev = (struct session_event){
		.kind = SESSION_CONNECT,
		.bytes = p->user,
		.calling_ssel = p->param[PARAM_CALLING_SSEL],
		.called_ssel = p->param[PARAM_CALLED_SSEL],
		.versions = s->versions,
		.user_ref = p->param[PARAM_CALLING_REF],
		.common_ref = p->param[PARAM_COMMON_REF],
	};
	return ACT_EVENT;
}

static enum act on_ac(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	unsigned units = spdu_uint(p, PARAM_UNITS, UNITS_DEFAULT);
	unsigned versions = spdu_uint(p, PARAM_VERSIONS, VERSION_1);
	if ((units & UNITS_WANTED) != UNITS_WANTED) {
		peer_err(e, "ACCEPT selects functional units %04x, want %04x", units,
			 (unsigned)UNITS_WANTED);
		return ACT_FAIL;
	}
	if ((versions & s->config.versions) == 0) {
		peer_err(e, "ACCEPT selects version %02x, want one of %02x", versions,
			 s->config.versions);
		return ACT_FAIL;
	}
	struct cur c = cur_of(p->param[PARAM_TSDU_MAX]);
	size_t out = cur_u16(&c), in = cur_u16(&c);
	if (out != 0 && out < TSDU_MAX_LEAST) {
		peer_err(e, "ACCEPT selects TSDU maximum size %zu, want at least %d", out,
			 TSDU_MAX_LEAST);
		return ACT_FAIL;
	}
	s->tsdu_max_out = s->config.tsdu_max_out == 0 ? out
			  : out == 0		      ? 0
						      : less(out, s->config.tsdu_max_out);
	s->tsdu_max_in = in;
	s->versions = (versions & s->config.versions & VERSION_2) != 0 ? VERSION_2 : VERSION_1;
	s->tokens = TOKENS_ALL; /* as we set them */
	*ev = (struct session_event){
		.kind = SESSION_ACCEPTED,
		.bytes = p->user,
		.called_ssel = p->param[PARAM_CALLED_SSEL],
		.versions = s->versions,
		.user_ref = p->param[PARAM_CALLED_REF],
		.common_ref = p->param[PARAM_COMMON_REF],
	};
	return ACT_EVENT;
}

static const char *refuse_name(unsigned reason)
{
	switch (reason) { /* 8.3.5.8 */
	case 0: return "rejected by the called user";
	case 1: return "the called user is congested";
	case REFUSE_USER_DATA: return "rejected by the called user, with user data";
	case 128 + 1: return "session selector unknown";
	case 128 + 2: return "called user not attached";
	case 128 + 3: return "congestion";
	case REFUSE_VERSION: return "protocol versions not supported";
	case REFUSE_NOT_SPECIFIED: return "rejected by the provider";
	case REFUSE_RESTRICTION: return "implementation restriction";
	default: return "unknown reason";
	}
}

static enum act on_rf(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	(void)e;
	struct view reason = p->param[PARAM_REASON]; /* its first octet, then user data */
	*ev = (struct session_event){
		.kind = SESSION_REFUSED,
		.reason = reason.n > 0 ? reason.p[0] : 0,
		.bytes = view_from(reason, 1),
	};
	struct out ssel;
	out_init(&ssel, 512);
	if (s->config.send_ssel) {
		out_str(&ssel, ", called SSEL ");
		text_hex(&ssel, s->config.called_ssel);
		out_str(&ssel, " \"");
		text_escape(&ssel, s->config.called_ssel, SESSION_SELECTOR_MAX);
		out_str(&ssel, "\"");
	}
	peer_err(&ev->err, "peer refused, reason %u (%s)%s", ev->reason, refuse_name(ev->reason),
		 out_cstr(&ssel));
	out_fini(&ssel);
	return ACT_EVENT;
}

static enum act on_fn(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	(void)e;
	s->peer_closes = spdu_has(p, PARAM_T_DISCONNECT) &&
			 (spdu_uint(p, PARAM_T_DISCONNECT, 0) & ABORT_RELEASED) != 0;
	*ev = (struct session_event){.kind = SESSION_RELEASE, .bytes = p->user};
	return ACT_EVENT;
}

static enum act on_dn(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	(void)s;
	(void)e;
	*ev = (struct session_event){.kind = SESSION_RELEASED, .bytes = p->user};
	return ACT_EVENT;
}

static enum act on_ab(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	(void)s;
	(void)e;
	unsigned bits = spdu_uint(p, PARAM_T_DISCONNECT, 0);
	if ((bits & ABORT_USER) != 0) {
		*ev = (struct session_event){.kind = SESSION_U_ABORT, .bytes = p->user};
		return ACT_EVENT;
	}
	const char *why = (bits & ABORT_PROTOCOL) != 0	    ? "protocol error"
			  : (bits & ABORT_RESTRICTION) != 0 ? "implementation restriction"
							    : "no reason";
	struct out reflected;
	out_init(&reflected, 256);
	text_hex(&reflected, view_first(p->param[PARAM_REFLECT], REFLECT_MAX));
	*ev = (struct session_event){.kind = SESSION_P_ABORT};
	peer_err(&ev->err, "peer's provider aborted: %s (PI 17 %02x), reflected octets \"%s\"", why,
		 bits, out_cstr(&reflected));
	out_fini(&reflected);
	return ACT_EVENT;
}

/* ---- tokens ---- */

static enum act give(struct session *s, const struct spdu *p, struct session_event *ev,
		     struct err *e)
{
	unsigned tokens = spdu_uint(p, PARAM_TOKENS, 0) & TOKENS_ALL;
	if ((tokens & s->tokens) != 0) {
		peer_err(e, "GIVE TOKENS of %02x, of which %02x are ours", tokens,
			 tokens & s->tokens);
		return ACT_FAIL;
	}
	s->tokens |= tokens;
	*ev = (struct session_event){.kind = SESSION_TOKENS_GIVE, .tokens = tokens};
	return ACT_EVENT;
}

static enum act on_gt(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	return give(s, p, ev, e);
}

/* The state of the row stays, unless the data token came. */
static enum act on_gt_recovery(struct session *s, const struct spdu *p, struct session_event *ev,
			       struct err *e)
{
	enum act act = give(s, p, ev, e);
	if (act == ACT_EVENT && (ev->tokens & TOKEN_DATA) != 0)
		session_change_state(s, ST_DATA);
	return act;
}

static enum act on_pt(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	(void)s;
	(void)e;
	*ev = (struct session_event){
		.kind = SESSION_TOKENS_PLEASE,
		.tokens = spdu_uint(p, PARAM_TOKENS, 0),
		.bytes = p->user,
	};
	return ACT_EVENT;
}

static enum act on_gtc(struct session *s, const struct spdu *p, struct session_event *ev,
		       struct err *e)
{
	(void)p;
	(void)e;
	s->tokens = TOKENS_ALL;
	session_params(s);
	session_send(s, LEAD_NONE, SPDU_GTA, (struct view){0});
	*ev = (struct session_event){.kind = SESSION_CONTROL_GIVE, .tokens = TOKENS_ALL};
	return ACT_EVENT;
}

static enum act on_quiet(struct session *s, const struct spdu *p, struct session_event *ev,
			 struct err *e)
{
	(void)s;
	(void)p;
	(void)ev;
	(void)e;
	return ACT_QUIET;
}

static enum act on_dropped(struct session *s, const struct spdu *p, struct session_event *ev,
			   struct err *e)
{
	return on_quiet(s, p, ev, e);
}

/* ---- data and activities ---- */

static enum act on_dt(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	return on_quiet(s, p, ev, e); /* session_tsdu.c passes the octets up */
}

static enum act on_dt_dropped(struct session *s, const struct spdu *p, struct session_event *ev,
			      struct err *e)
{
	s->rx.drop = true;
	return on_quiet(s, p, ev, e);
}

static void begin_activity(struct session *s, uint32_t serial)
{
	s->activity = true;
	s->just_ended = false;
	s->may_confirm = false;
	s->next_serial = s->low_serial = serial;
}

static void end_activity(struct session *s)
{
	s->activity = false;
	s->rx.ssdu_open = false;
	s->rx.total = 0;
}

static enum act on_as(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	(void)e;
	begin_activity(s, 1);
	*ev = (struct session_event){.kind = SESSION_ACTIVITY_START,
				     .activity = p->param[PARAM_ACTIVITY]};
	return ACT_EVENT;
}

static enum act on_ar(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	uint32_t serial;
	if (!spdu_serial(p, PARAM_OLD_SERIAL, &serial, e))
		return ACT_FAIL;
	if (serial == SERIAL_MAX) {
		peer_err(e, "ACTIVITY RESUME at serial number %u, want one that has a next",
			 serial);
		return ACT_FAIL;
	}
	begin_activity(s, serial + 1);
	*ev = (struct session_event){
		.kind = SESSION_ACTIVITY_RESUME,
		.activity = p->param[PARAM_ACTIVITY],
		.from = {
			.old_activity = p->param[PARAM_OLD_ACTIVITY],
			.serial = serial,
			/* Some say what was the caller's reference as the called one, as in ACCEPT. */
			.user_ref = p->param[spdu_has(p, PARAM_OLD_CALLING_REF) ? PARAM_OLD_CALLING_REF
										: PARAM_OLD_CALLED_REF],
			.common_ref = p->param[PARAM_OLD_COMMON_REF],
			.additional_ref = p->param[PARAM_OLD_ADDITIONAL_REF],
		},
	};
	return ACT_EVENT;
}

/* The serial number of a sync point must be V(M); there is no silent resynchronization. */
static bool next_point(struct session *s, const struct spdu *p, uint32_t *serial_r, struct err *e)
{
	if (!spdu_serial(p, PARAM_SERIAL, serial_r, e))
		return false;
	if (*serial_r != s->next_serial)
		return bad_serial(e, p, *serial_r, s->next_serial) == ACT_EVENT;
	if (!s->may_confirm)
		s->low_serial = s->next_serial;
	s->may_confirm = true;
	s->next_serial++;
	return true;
}

static enum act on_mip(struct session *s, const struct spdu *p, struct session_event *ev,
		       struct err *e)
{
	uint32_t serial;
	if (!next_point(s, p, &serial, e))
		return ACT_FAIL;
	*ev = (struct session_event){
		.kind = SESSION_MINOR_SYNC,
		.serial = serial,
		.explicit_ack = (spdu_uint(p, PARAM_SYNC_TYPE, 0) & 1) == 0,
		.bytes = p->user,
	};
	return ACT_EVENT;
}

static enum act on_mia(struct session *s, const struct spdu *p, struct session_event *ev,
		       struct err *e)
{
	uint32_t serial;
	if (!spdu_serial(p, PARAM_SERIAL, &serial, e))
		return ACT_FAIL;
	/* ACTIVITY END has taken the last number, which is not a minor point's. */
	uint32_t end = s->next_serial - (s->state == ST_END_SENT ? 1 : 0);
	if (s->may_confirm || serial < s->low_serial || serial >= end) {
		peer_err(e, "MINOR SYNC ACK with serial number %u, want %u..%u", serial,
			 s->low_serial, end - 1);
		return ACT_FAIL;
	}
	s->low_serial = serial + 1;
	*ev = (struct session_event){
		.kind = SESSION_MINOR_SYNC_CONFIRM, .serial = serial, .bytes = p->user};
	return ACT_EVENT;
}

static enum act on_ae(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	uint32_t serial;
	if (!next_point(s, p, &serial, e))
		return ACT_FAIL;
	*ev = (struct session_event){
		.kind = SESSION_ACTIVITY_END, .serial = serial, .bytes = p->user};
	return ACT_EVENT;
}

static enum act on_aea(struct session *s, const struct spdu *p, struct session_event *ev,
		       struct err *e)
{
	uint32_t serial;
	if (!spdu_serial(p, PARAM_SERIAL, &serial, e))
		return ACT_FAIL;
	if (serial != s->next_serial - 1)
		return bad_serial(e, p, serial, s->next_serial - 1);
	s->low_serial = s->next_serial;
	end_activity(s);
	*ev = (struct session_event){
		.kind = SESSION_ACTIVITY_END_CONFIRM, .serial = serial, .bytes = p->user};
	return ACT_EVENT;
}

/* Without an activity it can only have crossed our confirmation of its end: the user hears of it, as if it still were one. */
static enum act stopped(struct session *s, const struct spdu *p, enum session_event_kind kind,
			struct session_event *ev, struct err *e)
{
	struct view reason = p->param[PARAM_REASON];
	bool late = !s->activity;
	if (late && !s->just_ended) {
		peer_err(e, "%s in state %s, but %s", spdu_title(p->kind), states[s->state].name,
			 lack(T_ACT));
		return ACT_FAIL;
	}
	s->activity = true;
	s->just_ended = false;
	s->rx.ssdu_open = false;
	s->rx.total = 0;
	*ev = (struct session_event){.kind = kind,
				     .late = late,
				     .reason = reason.n > 0 ? reason.p[0] : 0,
				     .bytes = p->user};
	return ACT_EVENT;
}

static enum act on_ai(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	return stopped(s, p, SESSION_ACTIVITY_INTERRUPT, ev, e);
}

static enum act on_ad(struct session *s, const struct spdu *p, struct session_event *ev,
		      struct err *e)
{
	return stopped(s, p, SESSION_ACTIVITY_DISCARD, ev, e);
}

static enum act on_aia(struct session *s, const struct spdu *p, struct session_event *ev,
		       struct err *e)
{
	(void)p;
	(void)e;
	end_activity(s);
	*ev = (struct session_event){.kind = SESSION_ACTIVITY_INTERRUPT_CONFIRM};
	return ACT_EVENT;
}

static enum act on_ada(struct session *s, const struct spdu *p, struct session_event *ev,
		       struct err *e)
{
	(void)p;
	(void)e;
	end_activity(s);
	*ev = (struct session_event){.kind = SESSION_ACTIVITY_DISCARD_CONFIRM};
	return ACT_EVENT;
}

static enum act on_exception(struct session *s, const struct spdu *p, struct session_event *ev,
			     struct err *e)
{
	(void)e;
	struct view reason = p->param[PARAM_REASON];
	s->tx.dead = s->tx.open;
	*ev = (struct session_event){
		.kind = SESSION_EXCEPTION,
		.provider = p->kind == SPDU_ER,
		.reason = reason.n > 0 ? reason.p[0] : 0,
		.bytes = p->user,
	};
	return ACT_EVENT;
}

/* ---- the table ---- */

static const struct in_row {
	enum session_state state;
	enum spdu_kind spdu;
	unsigned needs;
	action_f *action;
	enum session_state next;
	const char *spdu_name;
} in_rows[] = {
#define SESSION_IN(state, spdu, needs, action, next, clause)                                       \
	{ST_##state, SPDU_##spdu, needs, action, ST_##next, #spdu},
#include "flow/engine/x400/session_table.h"
};

static const struct {
	enum session_state state;
	enum session_request request;
	unsigned needs;
	enum session_state next;
	const char *name;
} out_rows[] = {
#define SESSION_OUT(state, request, needs, next, clause)                                           \
	{ST_##state, RQ_##request, needs, ST_##next, #request},
#include "flow/engine/x400/session_table.h"
};

static const struct in_row *find_row(enum session_state state, enum spdu_kind spdu)
{
	const struct in_row *any = NULL;
	for (size_t i = 0; i < ARRAY_LEN(in_rows); i++) {
		if (in_rows[i].spdu != spdu)
			continue;
		if (in_rows[i].state == state)
			return &in_rows[i];
		if (in_rows[i].state == ST_ANY)
			any = &in_rows[i];
	}
	return any;
}

enum act session_receive(struct session *s, const struct spdu *p, struct session_event *ev,
			 struct err *e)
{
	const struct in_row *row = find_row(s->state, p->kind);
	if (row == NULL) {
		peer_err(e, "%s in state %s (%s)", spdu_title(p->kind), states[s->state].name,
			 states[s->state].words);
		return ACT_FAIL;
	}
	unsigned missing = row->needs & ~truths_now(s);
	if (missing != 0) {
		peer_err(e, "%s in state %s, but %s", spdu_title(p->kind), states[s->state].name,
			 lack(missing));
		return ACT_FAIL;
	}
	enum session_state before = s->state;
	enum act act = row->action(s, p, ev, e);
	if (act != ACT_FAIL && s->state == before)
		session_change_state(s, row->next);
	FAULT_ROW("session-in", states[before].name, row->spdu_name);
	return act;
}

bool session_allow(struct session *s, enum session_request rq, enum session_state *next_r,
		   struct err *e)
{
	const char *name = "request";
	for (size_t i = 0; i < ARRAY_LEN(out_rows); i++) {
		if (out_rows[i].request != rq)
			continue;
		name = out_rows[i].name;
		if (out_rows[i].state != s->state)
			continue;
		unsigned missing = out_rows[i].needs & ~truths_now(s);
		if (missing != 0)
			return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION,
				       "session: request %s in state %s, but %s", name,
				       states[s->state].name, lack(missing));
		*next_r = out_rows[i].next;
		FAULT_ROW("session-out", states[s->state].name, name);
		return true;
	}
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "session: request %s in state %s (%s)",
		       name, states[s->state].name, states[s->state].words);
}
