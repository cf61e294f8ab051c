/* session.c - life of a session and its pull loop; see session.h. The rest: session_private.h. */
#include "flow/engine/x400/session.h"

#include "base/mem.h"
#include "flow/engine/x400/session_private.h"

static const char *const event_names[] = {
	[SESSION_T_CONNECT] = "T_CONNECT",
	[SESSION_T_CONNECTED] = "T_CONNECTED",
	[SESSION_CONNECT] = "CONNECT",
	[SESSION_ACCEPTED] = "ACCEPTED",
	[SESSION_REFUSED] = "REFUSED",
	[SESSION_DATA] = "DATA",
	[SESSION_ACTIVITY_START] = "ACTIVITY_START",
	[SESSION_ACTIVITY_RESUME] = "ACTIVITY_RESUME",
	[SESSION_ACTIVITY_END] = "ACTIVITY_END",
	[SESSION_ACTIVITY_END_CONFIRM] = "ACTIVITY_END_CONFIRM",
	[SESSION_ACTIVITY_INTERRUPT] = "ACTIVITY_INTERRUPT",
	[SESSION_ACTIVITY_INTERRUPT_CONFIRM] = "ACTIVITY_INTERRUPT_CONFIRM",
	[SESSION_ACTIVITY_DISCARD] = "ACTIVITY_DISCARD",
	[SESSION_ACTIVITY_DISCARD_CONFIRM] = "ACTIVITY_DISCARD_CONFIRM",
	[SESSION_MINOR_SYNC] = "MINOR_SYNC",
	[SESSION_MINOR_SYNC_CONFIRM] = "MINOR_SYNC_CONFIRM",
	[SESSION_EXCEPTION] = "EXCEPTION",
	[SESSION_TOKENS_PLEASE] = "TOKENS_PLEASE",
	[SESSION_TOKENS_GIVE] = "TOKENS_GIVE",
	[SESSION_CONTROL_GIVE] = "CONTROL_GIVE",
	[SESSION_RELEASE] = "RELEASE",
	[SESSION_RELEASED] = "RELEASED",
	[SESSION_U_ABORT] = "U_ABORT",
	[SESSION_P_ABORT] = "P_ABORT",
};

const char *session_event_name(enum session_event_kind kind)
{
	assert((size_t)kind < ARRAY_LEN(event_names) && event_names[kind] != NULL);
	return event_names[kind];
}

/* ---- life ---- */

static void keep_config(struct session *s, const struct session_config *c)
{
	s->config = *c;
	struct view *const views[] = {
		&s->config.calling_tsel,   &s->config.called_tsel, &s->config.calling_ssel,
		&s->config.called_ssel,	   &s->config.user_ref,	   &s->config.common_ref,
		&s->config.additional_ref,
	};
	s->arena = arena_new(1024);
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		assert(views[i]->n <= SESSION_REF_MAX);
		*views[i] = arena_copy(s->arena, *views[i]);
	}
	assert(!arena_full(s->arena));
	s->config.versions &= VERSION_1 | VERSION_2;
	assert(s->config.versions != 0);
	if (s->config.tsdu_max_in < TSDU_MAX_LEAST)
		s->config.tsdu_max_in = 0;
	if (s->config.tsdu_max_out < TSDU_MAX_LEAST)
		s->config.tsdu_max_out = 0;
}

struct session *session_new(const struct session_config *c)
{
	struct session *s = mem_zero(sizeof *s);
	s->magic = SESSION_MAGIC;
	keep_config(s, c);
	s->initiator = c->side == SESSION_INITIATOR;
	s->next_serial = s->low_serial = 1;
	s->cotp = cotp_new(&(struct cotp_config){
		.initiator = s->initiator,
		.calling = s->config.calling_tsel,
		.called = s->config.called_tsel,
		.send_tsel = c->send_tsel,
		.tpdu_size = c->tpdu_size,
		.ref = c->local_ref,
		.rfc2126 = c->rfc2126,
		.buf_max = c->buf_max,
	});
	out_init(&s->rx.collect, c->collect_max);
	out_init(&s->rx.segment, c->collect_max);
	out_init(&s->rx.segment_data, c->collect_max);
	out_init(&s->rx.lead_data, c->collect_max);
	out_init(&s->connect_data, CN_EXTENDED_MAX);
	out_init(&s->params, SPDU_DATA_MAX);
	out_init(&s->tx.held, SIZE_MAX / 2); /* bounded by what is held back: session_send.c */
	session_change_state(s, ST_TRANSPORT);
	return s;
}

void session_free(struct session **s)
{
	if (*s == NULL)
		return;
	CHECK(*s, SESSION_MAGIC);
	(*s)->magic = 0;
	struct out *const outs[] = {&(*s)->rx.collect,	 &(*s)->rx.segment, &(*s)->rx.segment_data,
				    &(*s)->rx.lead_data, &(*s)->tx.held,    &(*s)->connect_data,
				    &(*s)->params};
	for (size_t i = 0; i < ARRAY_LEN(outs); i++)
		out_fini(outs[i]);
	cotp_free(&(*s)->cotp);
	arena_free(&(*s)->arena);
	free(*s);
	*s = NULL;
}

/* ---- octets in ---- */

static bool is_over(const struct session *s)
{
	return s->state == ST_CLOSED;
}

size_t session_feed(struct session *s, struct view src)
{
	CHECK(s, SESSION_MAGIC);
	return is_over(s) ? src.n : cotp_feed(s->cotp, src);
}

uint8_t *session_space(struct session *s, size_t want, size_t *n_r)
{
	CHECK(s, SESSION_MAGIC);
	return cotp_space(s->cotp, want, n_r);
}

void session_filled(struct session *s, size_t n)
{
	CHECK(s, SESSION_MAGIC);
	if (!is_over(s))
		cotp_filled(s->cotp, n);
}

/* ---- events out ---- */

static enum step fail(struct session *s, struct err *e)
{
	s->failed = true;
	if (s->state != ST_CLOSED)
		session_change_state(s, ST_CLOSED);
	if (e != NULL)
		*e = s->err;
	return STEP_FAIL;
}

static void connected(struct session *s)
{
	session_change_state(s, ST_IDLE);
	if (!s->connect_waiting)
		return;
	s->connect_waiting = false;
	session_send_connect(s, out_view(&s->connect_data));
	out_fini(&s->connect_data);
	out_init(&s->connect_data, CN_EXTENDED_MAX);
}

/* DR or ER: the expected end, or the loss of the association. */
static enum step disconnected(struct session *s, const struct cotp_event *c,
			      struct session_event *ev)
{
	bool expected = s->state == ST_ENDING;
	session_change_state(s, ST_CLOSED);
	if (expected)
		return STEP_WAIT;
	*ev = (struct session_event){.kind = SESSION_P_ABORT, .reason = c->reason, .err = c->err};
	return STEP_DONE;
}

/* What COTP has, as an event; STEP_WAIT when it made none. */
static enum step transport_event(struct session *s, const struct cotp_event *c,
				 struct session_event *ev)
{
	switch (c->kind) {
	case COTP_CONNECT:
		*ev = (struct session_event){
			.kind = SESSION_T_CONNECT,
			.calling_tsel = c->calling,
			.called_tsel = c->called,
			.has_calling_tsel = c->has_calling,
			.has_called_tsel = c->has_called,
		};
		return STEP_DONE;
	case COTP_CONNECTED:
		connected(s);
		*ev = (struct session_event){.kind = SESSION_T_CONNECTED};
		return STEP_DONE;
	case COTP_DISCONNECT: return disconnected(s, c, ev);
	case COTP_DATA:
		if (s->state == ST_ENDING) { /* all is said: what still comes is of no interest */
			cotp_take(s->cotp, c->bytes.n);
			return STEP_WAIT;
		}
		return session_tsdu(s, c, ev, &s->err);
	}
	CANT_HAPPEN("a COTP event of no kind");
}

/* Nothing is left to read: an association without an activity keeps no buffers. */
static void rest(struct session *s)
{
	if (s->activity || s->rx.stream)
		return;
	cotp_rest(s->cotp);
	struct out *const outs[] = {&s->rx.collect, &s->rx.segment, &s->rx.segment_data,
				    &s->rx.lead_data, &s->tx.held};
	for (size_t i = 0; i < ARRAY_LEN(outs); i++)
		if (out_len(outs[i]) == 0 && outs[i]->cap > 0) {
			size_t max = outs[i]->max;
			out_fini(outs[i]);
			out_init(outs[i], max);
		}
}

static void clear_collected(struct session *s)
{
	if (!s->rx.collect_done)
		return;
	out_clear(&s->rx.collect);
	out_clear(&s->rx.segment);
	out_clear(&s->rx.segment_data);
	s->rx.collect_done = false;
}

enum step session_next(struct session *s, struct session_event *ev_r, struct err *e)
{
	CHECK(s, SESSION_MAGIC);
	for (;;) {
		clear_collected(s);
		if (s->failed) {
			if (e != NULL)
				*e = s->err;
			return STEP_FAIL;
		}
		if (is_over(s))
			return STEP_WAIT;
		struct cotp_event c;
		bool lead = s->rx.lead_due;
		enum step step =
			lead ? session_lead(s, ev_r, &s->err) : cotp_next(s->cotp, &c, &s->err);
		if (step == STEP_WAIT && !lead) {
			rest(s);
			return step;
		}
		if (step == STEP_DONE && !lead)
			step = transport_event(s, &c, ev_r);
		if (step == STEP_FAIL)
			return fail(s, e);
		if (step == STEP_DONE)
			return step;
	}
}

struct out *session_out(struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return cotp_out(s->cotp);
}

/* ---- transport ---- */

void session_t_accept(struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	if (s->state != ST_TRANSPORT || s->initiator)
		return;
	cotp_accept(s->cotp);
	if (cotp_is_open(s->cotp))
		session_change_state(s, ST_IDLE);
}

void session_t_refuse(struct session *s, unsigned reason)
{
	CHECK(s, SESSION_MAGIC);
	if (s->state != ST_TRANSPORT || s->initiator)
		return;
	cotp_refuse(s->cotp, (enum cotp_reason)reason);
	session_change_state(s, ST_CLOSED);
}

void session_t_disconnect(struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	if (s->state == ST_TRANSPORT)
		cotp_refuse(s->cotp, COTP_NORMAL);
	if (s->state != ST_CLOSED)
		session_change_state(s, ST_CLOSED);
}

/* ---- facts ---- */

bool session_is_open(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	switch (s->state) {
	case ST_TRANSPORT:
	case ST_IDLE:
	case ST_CN_SENT:
	case ST_CN_ASKED:
	case ST_ENDING:
	case ST_CLOSED: return false;
	case ST_DATA:
	case ST_END_SENT:
	case ST_END_ASKED:
	case ST_INTR_SENT:
	case ST_INTR_ASKED:
	case ST_DISC_SENT:
	case ST_DISC_ASKED:
	case ST_ERR_SENT:
	case ST_ERR_ASKED:
	case ST_GIVE_SENT:
	case ST_FN_SENT:
	case ST_FN_ASKED: return true;
	case ST_ANY: break;
	}
	CANT_HAPPEN("a state outside the table");
}

void session_references(const struct session *s, struct view refs_r[3])
{
	CHECK(s, SESSION_MAGIC);
	const struct session_config *c = &s->config;
	refs_r[0] = s->initiator ? c->user_ref : s->refs[0];
	refs_r[1] = s->initiator ? c->common_ref : s->refs[1];
	refs_r[2] = s->initiator ? c->additional_ref : s->refs[2];
}

bool session_wants_close(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return s->wants_close;
}

bool session_has_turn(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return session_is_open(s) && s->tokens == TOKENS_ALL;
}

unsigned session_version(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return (s->versions & VERSION_2) != 0 ? 2 : (s->versions & VERSION_1) != 0 ? 1 : 0;
}

size_t session_tpdu_size(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return cotp_tpdu_size(s->cotp);
}

size_t session_tsdu_max_out(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return s->tsdu_max_out;
}

size_t session_buffer_size(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	const struct out *const outs[] = {&s->rx.collect,   &s->rx.segment, &s->rx.segment_data,
					  &s->rx.lead_data, &s->tx.held,    &s->params,
					  &s->connect_data};
	size_t n = cotp_buffer_size(s->cotp);
	for (size_t i = 0; i < ARRAY_LEN(outs); i++)
		n = mem_add(n, outs[i]->cap);
	return n;
}

const char *session_state_name(const struct session *s)
{
	CHECK(s, SESSION_MAGIC);
	return session_state_word(s->state);
}
