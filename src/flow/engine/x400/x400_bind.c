/* x400_bind.c - how an association begins and ends: MTABind in RTSE's APDUs in ACSE's in presentation's, as the
 * user data of S-CONNECT, S-RELEASE and S-U-ABORT. In X.410 mode there is nothing between RTSE and session. */
#include "flow/engine/x400/x400_private.h"

#include <limits.h>

#include "base/text.h"
#include "flow/codec/osi/mta_bind_apdu.h"

enum { BIND_OCTETS_MAX = 10240 }; /* X.225 8.3.1: user data of CN and AC in version 2 */
enum { S_REJECTED_BY_USER = 2, S_VERSION = 128 + 4 }; /* X.225 8.3.5.10 */
enum { VERSION_1 = 1 };

/* One buffer for each layer's APDU, inside out. */
struct nest {
	struct out bind, rtse, acse, ppdu;
};

static void nest_init(struct nest *n)
{
	out_init(&n->bind, BIND_OCTETS_MAX);
	out_init(&n->rtse, BIND_OCTETS_MAX);
	out_init(&n->acse, BIND_OCTETS_MAX);
	out_init(&n->ppdu, BIND_OCTETS_MAX);
}

static void nest_fini(struct nest *n)
{
	out_fini(&n->bind);
	out_fini(&n->rtse);
	out_fini(&n->acse);
	out_fini(&n->ppdu);
}

/* --- initiator --- */

/* X.410 knows the password as IA5String only. */
static struct x400_credentials in_form_of(const struct x400 *x, const struct x400_credentials *own)
{
	struct x400_credentials c = *own;
	if (x->mode == X400_X410_84)
		c.form = X400_PASSWORD_IA5;
	return c;
}

/* X.410 is of session version 1; no selector of session's has a meaning in it (Q152932). Which mode a caller uses is seen
 * after session has agreed on its version. */
struct session_config x400_session_config(const struct x400 *x)
{
	struct session_config c = x->c.session;
	const unsigned modes = x->initiator ? 1u << x->mode : x->c.modes == 0 ? UINT_MAX : x->c.modes;
	if (modes == 1u << X400_X410_84)
		c.versions = VERSION_1;
	else if ((modes & (1u << X400_X410_88 | 1u << X400_X410_84)) != 0)
		c.versions |= VERSION_1;
	if (x->initiator && x->mode != X400_NORMAL)
		c.send_ssel = false;
	return c;
}

static bool ask_normal(struct x400 *x, struct nest *n, const struct rtse_open *open, struct err *e)
{
	const struct presentation_selectors selectors = { x->c.calling_psel, x->c.called_psel, x->c.send_psel };
	return rtse_rtorq(open, &n->rtse, e) &&
	       acse_aarq(out_view(&n->rtse), presentation_id(&x->pres, PRESENTATION_RTSE), &n->acse, e) &&
	       presentation_cp(&x->pres, &selectors, out_view(&n->acse), &n->ppdu, e);
}

static bool ask(struct x400 *x, struct nest *n, struct err *e)
{
	const bool x410 = x->mode != X400_NORMAL;
	const struct x400_credentials own = in_form_of(x, &x->c.own);
	x->bare_bind = x410;
	if (!x410)
		presentation_propose(&x->pres);
	x->proposed = (struct rtse_open){
		.checkpoint_size = x->c.checkpoint_size,
		.window = x->c.window == 0 ? RTSE_WINDOW_DEFAULT : x->c.window,
		.two_way_alternate = x->c.two_way_alternate,
		.application_protocol = x410 ? x410_protocol(x->mode) : 0,
	};
	if (x->c.recover ? !x400_name_recovered(x, e) : !mta_bind_argument(&own, x->bare_bind, &n->bind, e))
		return false;
	struct rtse_open open = x->proposed;
	open.user_data = out_view(&n->bind);
	return (x410 ? x410_cp(&open, &n->ppdu, e) : ask_normal(x, n, &open, e)) &&
	       session_connect(x->s, out_view(&n->ppdu), e);
}

void x400_bind_begin(struct x400 *x)
{
	struct nest n;
	struct err e;
	nest_init(&n);
	if (!ask(x, &n, &e))
		x400_end(x, &e);
	nest_fini(&n);
}

void x400_on_t_connected(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	x400_change(x, X400_S_BINDING);
}

static void push_refused(struct x400 *x, enum x400_bind_error why, const struct err *e)
{
	struct x400_event *out = x400_push(x, X400_BIND_REFUSED);
	out->bind_error = why;
	out->err = *e;
	session_t_disconnect(x->s);
	x400_change(x, X400_S_CLOSING);
}

/* *why_r stays as it is when the APDU holds no bind error. */
static bool read_rtorj(struct x400 *x, struct view apdu, enum x400_bind_error *why_r, struct err *e)
{
	struct view user_data;
	if (!rtse_read_rtorj(apdu, x->work, &user_data, e))
		return false;
	return user_data.n == 0 || mta_bind_read_error(user_data, x->work, why_r, e);
}

/* An answer of the other kind of mode says what is wrong, whatever reason is in it. */
static void say_refused_x410(const struct x400 *x, const struct presentation_refusal *r, enum x400_bind_error *why_r,
			     struct err *e)
{
	const bool temporary = r->refuse_reason == RTSE_REFUSE_BUSY || r->refuse_reason == RTSE_REFUSE_CANNOT_RECOVER;
	if (x->mode != X400_NORMAL)
		*why_r = x410_bind_error(r->refuse_reason);
	err_set(e, temporary && x->mode != X400_NORMAL ? ERR_TEMP : ERR_PEER, ERR_OF_LINK,
		"x410: refused in X.410 mode, reason %lld (%s); called in mode %s", (long long)r->refuse_reason,
		r->refuse_reason < 0 ? "not given" : rtse_refuse_reason_name(r->refuse_reason), x400_mode_name(x->mode));
}

/* Busy is worth another try; nothing says that the others pass by themselves. */
static void say_refused(enum x400_bind_error why, const struct acse_answer *answer, struct err *e)
{
	if (why != X400_NO_BIND_ERROR)
		err_set(e, why == X400_BUSY ? ERR_TEMP : ERR_PEER, ERR_OF_LINK, "mta bind: refused with error %d (%s)",
			(int)why, mta_bind_error_name(why));
	else
		err_set(e, answer->result == ACSE_REJECTED_TRANSIENT ? ERR_TEMP : ERR_PEER, ERR_OF_LINK,
			"acse: association rejected, result %lld, diagnostic %lld of the %s, no bind error",
			(long long)answer->result, (long long)answer->diagnostic, answer->provider ? "provider" : "user");
}

static void read_refusal(struct x400 *x, const struct session_event *ev, enum x400_bind_error *why_r, struct err *e)
{
	struct presentation_refusal r;
	struct acse_answer answer;
	struct view apdu;
	if (ev->bytes.n == 0) {
		err_set(e, ERR_TEMP, ERR_OF_LINK, "session: connection refused, reason %u, no user data; called in mode %s", ev->reason,
			x400_mode_name(x->mode));
		return;
	}
	if (!presentation_read_cpr(&x->pres, ev->bytes, x->work, &r, e))
		return;
	if (r.x410) {
		say_refused_x410(x, &r, why_r, e);
		return;
	}
	if (r.apdu.n == 0 || x->mode != X400_NORMAL) {
		err_set(e, ERR_PEER, ERR_OF_LINK, "presentation: refused in normal mode by the %s, reason %lld, session reason %u; "
			"called in mode %s", r.apdu.n == 0 ? "provider" : "user", (long long)r.provider_reason, ev->reason,
			x400_mode_name(x->mode));
		return;
	}
	if (!acse_read_aare(r.apdu, x->work, &apdu, &answer, e) ||
	    (apdu.n > 0 && !read_rtorj(x, apdu, why_r, e)))
		return;
	say_refused(*why_r, &answer, e);
}

void x400_on_refused(struct x400 *x, const struct session_event *ev)
{
	enum x400_bind_error why = X400_NO_BIND_ERROR;
	struct err e;
	read_refusal(x, ev, &why, &e);
	push_refused(x, why, &e);
}

/* An old association is recovered without credentials: they were given when it was bound. */
static bool read_result(struct x400 *x, const struct rtse_open *answered, struct x400_credentials *peer_r, struct err *e)
{
	*peer_r = (struct x400_credentials){ 0 };
	if (!answered->recover)
		return mta_bind_read_result(answered->user_data, x->mode != X400_NORMAL && !mta_bind_is_wrapped(answered->user_data),
					    x->work, peer_r, e);
	return x->c.recover || layer_error(e, "rtse", "the answer recovers an association where a new one was asked for");
}

static bool read_acceptance(struct x400 *x, struct view in, struct rtse_open *answered, struct err *e)
{
	struct view apdu, rtse;
	struct acse_answer answer;
	bool x410;
	if (x410_is(in, x->work, &x410) && x410 != (x->mode != X400_NORMAL))
		return layer_error(e, "presentation", "answered in %s mode, called in mode %s", x410 ? "X.410" : "normal",
				   x400_mode_name(x->mode));
	if (x->mode != X400_NORMAL)
		return x410_read_cpa(in, x->work, answered, e);
	if (!presentation_read_cpa(&x->pres, in, x->work, &apdu, e) ||
	    !acse_read_aare(apdu, x->work, &rtse, &answer, e))
		return false;
	if (answer.result != ACSE_ACCEPTED)
		return layer_error(e, "acse", "rejected (result %lld) where presentation accepted",
				   (long long)answer.result);
	return rtse_read_rtoac(rtse, x->work, answered, e);
}

void x400_on_accepted(struct x400 *x, const struct session_event *ev)
{
	struct rtse_open answered;
	struct x400_credentials peer;
	struct err e;
	if (!read_acceptance(x, ev->bytes, &answered, &e) || !read_result(x, &answered, &peer, &e)) {
		x400_fail(x, RTSE_ABORT_PROTOCOL, &e);
		return;
	}
	x->agreed = rtse_agree(&x->proposed, &answered);
	struct x400_event *out = x400_push(x, X400_BOUND);
	out->peer = peer;
	out->mode = x->mode;
	out->recovered = answered.recover;
	out->peer_two_way_alternate = x->agreed.two_way_alternate;
	out->checkpoint_size = x->agreed.checkpoint_size;
	out->window = x->agreed.window;
	x400_change(x, X400_S_OPEN);
}

enum x400_mode x400_mode(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return x->mode;
}

unsigned x400_transfer_context(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return (unsigned)presentation_id(&x->pres, PRESENTATION_MTSE);
}

/* --- responder --- */

static bool is_ours(const struct x400 *x, const struct session_event *ev)
{
	for (size_t i = 0; i < x->c.n_own_tsels; i++) {
		const struct view own = x->c.own_tsels[i];
		if (own.p == NULL ? !ev->has_called_tsel : ev->has_called_tsel && view_eq(own, ev->called_tsel))
			return true;
	}
	return x->c.n_own_tsels == 0;
}

static struct view keep_tsel(struct x400 *x, int i, bool has, struct view v)
{
	if (!has)
		return (struct view){ NULL, 0 };
	const size_t n = v.n < SESSION_SELECTOR_MAX ? v.n : SESSION_SELECTOR_MAX;
	if (n > 0)
		memcpy(x->tsel[i], v.p, n);
	return (struct view){ x->tsel[i], n };
}

/* Q252843, Q166308: both in hex, since what differs may not be seen in text. */
static void say_not_ours(const struct x400 *x, const struct session_event *ev, struct err *e)
{
	struct out theirs, ours, text;
	char calling[100];
	out_init(&theirs, 2 * SESSION_SELECTOR_MAX + 1);
	out_init(&ours, 2 * SESSION_SELECTOR_MAX + 1);
	out_init(&text, 4 * SESSION_SELECTOR_MAX + 1);
	text_hex(&theirs, view_first(ev->called_tsel, SESSION_SELECTOR_MAX));
	text_hex(&ours, view_first(x->c.own_tsels[0], SESSION_SELECTOR_MAX));
	text_escape(&text, view_first(ev->called_tsel, SESSION_SELECTOR_MAX), SESSION_SELECTOR_MAX);
	err_set(e, ERR_PEER, ERR_OF_LINK, "transport: called T-selector 0x%s \"%s\"%s is not ours (0x%s%s), caller \"%s\"",
		out_cstr(&theirs), out_cstr(&text), ev->has_called_tsel ? "" : " (absent)", out_cstr(&ours),
		x->c.n_own_tsels > 1 ? " and others" : "", text_escaped(calling, sizeof calling, ev->calling_tsel));
	out_fini(&theirs);
	out_fini(&ours);
	out_fini(&text);
}

void x400_on_t_connect(struct x400 *x, const struct session_event *ev)
{
	enum { ADDRESS_UNKNOWN = 3 }; /* X.224 13.5.3 */
	x->calling_tsel = keep_tsel(x, 0, ev->has_calling_tsel, ev->calling_tsel);
	x->called_tsel = keep_tsel(x, 1, ev->has_called_tsel, ev->called_tsel);
	if (is_ours(x, ev)) {
		session_t_accept(x->s);
		x400_change(x, X400_S_ACCEPTING);
		return;
	}
	struct err e;
	say_not_ours(x, ev, &e);
	session_t_refuse(x->s, ADDRESS_UNKNOWN);
	x400_end(x, &e);
}

/* S-CONNECT response - by the user: with an AARE in a CPR, or presentation's own refusal (apdu empty). */
static bool refuse_session(struct x400 *x, struct view apdu, int64_t provider_reason, struct err *e)
{
	struct out cpr;
	out_init(&cpr, BIND_OCTETS_MAX);
	const bool good = presentation_cpr(&x->pres, apdu, provider_reason, &cpr, e) &&
			  session_refuse(x->s, S_REJECTED_BY_USER, out_view(&cpr), e);
	out_fini(&cpr);
	return good;
}

/* An AARE that rejects, with a bind error inside unless `why` is NO_BIND_ERROR. */
static bool refuse_association(struct x400 *x, const struct acse_answer *answer, enum x400_bind_error why,
			       struct err *e)
{
	struct nest n;
	nest_init(&n);
	bool good = why == X400_NO_BIND_ERROR || (mta_bind_error(why, &n.bind, e) && rtse_rtorj(out_view(&n.bind), &n.rtse, e));
	good = good && acse_aare(answer, out_view(&n.rtse), presentation_id(&x->pres, PRESENTATION_RTSE), &n.acse, e) &&
	       refuse_session(x, out_view(&n.acse), -1, e);
	nest_fini(&n);
	return good;
}

static const struct acse_answer rejected = { ACSE_REJECTED_PERMANENT, false, ACSE_USER_NO_REASON };

static bool refuse_x410(struct x400 *x, enum x400_bind_error why, struct err *e)
{
	const enum rtse_refuse_reason reason = x->recover ? RTSE_REFUSE_CANNOT_RECOVER : x410_refuse_reason(why);
	struct out cpr;
	out_init(&cpr, 64);
	const bool good = x410_cpr(reason, &cpr, e) && session_refuse(x->s, S_REJECTED_BY_USER, out_view(&cpr), e);
	out_fini(&cpr);
	return good;
}

/* In the words of the caller's mode. */
static bool refuse_bind(struct x400 *x, const struct acse_answer *answer, enum x400_bind_error why, struct err *e)
{
	return x->mode == X400_NORMAL ? refuse_association(x, answer, why, e) : refuse_x410(x, why, e);
}

/* Refuses without asking our user, who is told why. */
static void refuse_at_once(struct x400 *x, const struct acse_answer *answer, enum x400_bind_error bind_error,
			   const struct err *why)
{
	struct err e;
	if (!refuse_bind(x, answer, bind_error, &e))
		session_u_abort(x->s, (struct view){ NULL, 0 });
	x400_end(x, why);
}

/* X.227 7.1: the application context is what differs; X.410 has no word for it. */
static const struct acse_answer other_context = { ACSE_REJECTED_PERMANENT, false, ACSE_USER_CONTEXT_NAME };

static bool mode_is_taken(struct x400 *x)
{
	struct err e;
	if (x->c.modes == 0 || (x->c.modes & 1u << x->mode) != 0)
		return true;
	layer_error(&e, "presentation", "the caller uses mode %s, which is not taken", x400_mode_name(x->mode));
	refuse_at_once(x, &other_context, X400_NO_BIND_ERROR, &e);
	return false;
}

/* Session had to take version 1 for X.410 mode's sake. */
static bool version_is_taken(struct x400 *x, unsigned versions)
{
	struct err e, ignored;
	if ((versions & x->c.session.versions) != 0)
		return true;
	layer_error(&e, "session", "CONNECT offers versions %02x, want one of %02x in mode %s", versions, x->c.session.versions,
		    x400_mode_name(x->mode));
	if (!session_refuse(x->s, S_VERSION, (struct view){ NULL, 0 }, &ignored))
		session_u_abort(x->s, (struct view){ NULL, 0 });
	x400_end(x, &e);
	return false;
}

/* The RTORQ is in x->proposed. False: refused. */
static bool connect_normal(struct x400 *x, const struct session_event *ev)
{
	struct view acse, rtse;
	int64_t reason;
	struct acse_answer answer;
	struct err e, ignored;
	if (!presentation_read_cp(&x->pres, ev->bytes, x->work, &acse, &reason, &e)) {
		if (!refuse_session(x, (struct view){ NULL, 0 }, reason, &ignored))
			session_u_abort(x->s, (struct view){ NULL, 0 });
		x400_end(x, &e);
		return false;
	}
	if (!version_is_taken(x, ev->versions) || !mode_is_taken(x))
		return false;
	if (!acse_read_aarq(acse, x->work, &rtse, &answer, &e)) {
		refuse_at_once(x, &answer, X400_NO_BIND_ERROR, &e);
		return false;
	}
	if (!rtse_read_rtorq(rtse, x->work, &x->proposed, &e)) {
		refuse_at_once(x, &rejected, X400_NO_BIND_ERROR, &e);
		return false;
	}
	return true;
}

static bool connect_x410(struct x400 *x, const struct session_event *ev)
{
	struct err e;
	x->mode = X400_X410_84; /* until it is known: what may be answered is the same */
	if (!x410_read_cp(ev->bytes, x->work, &x->proposed, &x->mode, &e)) {
		refuse_at_once(x, &rejected, X400_NO_BIND_ERROR, &e);
		return false;
	}
	x->bare_bind = !mta_bind_is_wrapped(x->proposed.user_data);
	return mode_is_taken(x);
}

void x400_on_connect(struct x400 *x, const struct session_event *ev)
{
	enum x400_bind_error bind_error = X400_NO_BIND_ERROR;
	struct x400_credentials peer = { 0 };
	struct err e;
	bool x410;
	if (!(x410_is(ev->bytes, x->work, &x410) && x410 ? connect_x410 : connect_normal)(x, ev))
		return;
	if (x->proposed.two_way_alternate && !x->c.two_way_alternate) {
		layer_error(&e, "rtse", "two-way alternate dialogue proposed, only monologue is configured");
		refuse_at_once(x, &rejected, X400_DIALOGUE_MODE, &e);
		return;
	}
	x->recover = x->proposed.recover;
	if (!x->recover && !mta_bind_read_argument(x->proposed.user_data, x->bare_bind, x->work, &peer, &bind_error, &e)) {
		refuse_at_once(x, &rejected, bind_error, &e);
		return;
	}
	struct x400_event *out = x400_push(x, X400_BIND);
	out->peer = peer;
	out->mode = x->mode;
	out->recover = x->recover;
	if (x->recover)
		out->resume.reference = x400_keep_recovered(x);
	out->calling_tsel = x->calling_tsel;
	out->called_tsel = x->called_tsel;
	out->peer_two_way_alternate = x->proposed.two_way_alternate;
	out->checkpoint_size = x->proposed.checkpoint_size;
	out->window = x->proposed.window;
	x400_change(x, X400_S_DECIDING);
}

static bool answer_normal(struct x400 *x, struct nest *n, const struct rtse_open *open, struct err *e)
{
	static const struct acse_answer accepted = { ACSE_ACCEPTED, false, ACSE_USER_NULL };
	return rtse_rtoac(open, &n->rtse, e) &&
	       acse_aare(&accepted, out_view(&n->rtse), presentation_id(&x->pres, PRESENTATION_RTSE), &n->acse, e) &&
	       presentation_cpa(&x->pres, out_view(&n->acse), &n->ppdu, e);
}

/* own NULL: the old association is recovered, and named again in the form in which it was asked for. */
static bool answer(struct x400 *x, const struct x400_credentials *own, struct nest *n, struct err *e)
{
	const struct rtse_open most = { .checkpoint_size = x->c.checkpoint_size, .window = x->c.window,
					.two_way_alternate = x->c.two_way_alternate };
	struct x400_credentials formed = { 0 };
	if (own != NULL)
		formed = in_form_of(x, own);
	if (own != NULL && !mta_bind_result(&formed, x->bare_bind, &n->bind, e))
		return false;
	x->agreed = rtse_answer(&x->proposed, &most);
	struct rtse_open open = x->agreed;
	open.recover = own == NULL;
	open.recovers = x->proposed.recovers;
	open.user_data = out_view(&n->bind);
	return (x->mode != X400_NORMAL ? x410_cpa(&open, &n->ppdu, e) : answer_normal(x, n, &open, e)) &&
	       session_accept(x->s, out_view(&n->ppdu), e);
}

static bool not_deciding(const struct x400 *x, const char *what, struct err *e)
{
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: %s in state \"%s\"", what, x400_state_name(x));
}

bool x400_bind_accept(struct x400 *x, const struct x400_credentials *own, struct err *e)
{
	CHECK(x, X400_MAGIC);
	struct nest n;
	if (x->state != X400_S_DECIDING)
		return not_deciding(x, "bind accepted", e);
	x->stale = true;
	if (x->recover) {
		/* It brought no credentials: it is recovered or refused; a fresh one is welcome (RT-15). */
		struct err ignored;
		if (!refuse_bind(x, &rejected, X400_BUSY, &ignored))
			session_u_abort(x->s, (struct view){ NULL, 0 });
		x400_change(x, X400_S_CLOSING);
		return layer_error(e, "rtse", "a recover bind cannot be accepted; refused as busy");
	}
	nest_init(&n);
	const bool good = answer(x, own == NULL ? &x->c.own : own, &n, e);
	nest_fini(&n);
	if (good)
		x400_change(x, X400_S_OPEN);
	return good;
}

bool x400_bind_recover(struct x400 *x, struct err *e)
{
	CHECK(x, X400_MAGIC);
	struct nest n;
	if (x->state != X400_S_DECIDING || !x->recover)
		return not_deciding(x, "an old association recovered", e);
	x->stale = true;
	nest_init(&n);
	const bool good = answer(x, NULL, &n, e);
	nest_fini(&n);
	if (good)
		x400_change(x, X400_S_OPEN);
	return good;
}

static bool refuse_decided(struct x400 *x, const struct acse_answer *answer, enum x400_bind_error why, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_DECIDING)
		return not_deciding(x, "bind refused", e);
	if (!refuse_bind(x, answer, why, e))
		return false;
	x->stale = true;
	x400_change(x, X400_S_CLOSING);
	return true;
}

bool x400_bind_refuse(struct x400 *x, enum x400_bind_error why, struct err *e)
{
	return refuse_decided(x, &rejected, why, e);
}

bool x400_bind_refuse_mode(struct x400 *x, struct err *e)
{
	return refuse_decided(x, &other_context, X400_NO_BIND_ERROR, e);
}

/* --- release --- */

bool x400_unbind(struct x400 *x, int64_t now_ms, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_OPEN || !x->initiator || !session_has_turn(x->s))
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: unbind by the %s in state \"%s\" %s the turn",
			       x->initiator ? "initiator" : "responder", x400_state_name(x),
			       session_has_turn(x->s) ? "with" : "without");
	struct out rlrq, data;
	out_init(&rlrq, 64);
	out_init(&data, 64);
	const bool good = (x->mode != X400_NORMAL || /* RT-CLOSE has no APDU there (X.228 7.2) */
			   (acse_rlrq(&rlrq, e) &&
			    presentation_user_data(&x->pres, PRESENTATION_ACSE, out_view(&rlrq), &data, e))) &&
			  session_release(x->s, out_view(&data), e);
	out_fini(&rlrq);
	out_fini(&data);
	x->now = now_ms;
	if (good)
		x400_change(x, X400_S_RELEASING);
	return good;
}

/* Whatever stands in the RLRQ, and when it cannot be read: the peer wants to leave, and may (PA-15). */
void x400_on_release(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	struct out rlre, data;
	struct err e;
	out_init(&rlre, 64);
	out_init(&data, 64);
	const bool good = (x->mode != X400_NORMAL ||
			   (acse_rlre(&rlre, &e) &&
			    presentation_user_data(&x->pres, PRESENTATION_ACSE, out_view(&rlre), &data, &e))) &&
			  session_release_response(x->s, out_view(&data), &e);
	out_fini(&rlre);
	out_fini(&data);
	if (!good) {
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
		return;
	}
	x400_push(x, X400_UNBOUND);
	x400_change(x, X400_S_CLOSING);
}

void x400_on_released(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	session_t_disconnect(x->s);
	x400_push(x, X400_UNBOUND);
	x400_change(x, X400_S_CLOSING);
}

/* --- abort --- */

static bool encode_abort(struct x400 *x, enum rtse_abort_reason reason, struct nest *n, struct err *e)
{
	if (x->mode != X400_NORMAL)
		return x410_rtab(reason, &n->ppdu, e);
	return rtse_rtab(reason, &n->rtse, e) &&
	       acse_abrt(false, out_view(&n->rtse), presentation_id(&x->pres, PRESENTATION_RTSE), &n->acse, e) &&
	       presentation_aru(&x->pres, out_view(&n->acse), &n->ppdu, e);
}

/* User data need contexts that both know and, but for X.410 mode's, session version 2 (X.225 8.3.9: 9 octets in version 1). */
void x400_send_abort(struct x400 *x, enum rtse_abort_reason reason)
{
	const bool can_say = session_is_open(x->s) && (session_version(x->s) == 2 || x->mode != X400_NORMAL) &&
			     x->agreed.window > 0;
	struct nest n;
	struct err e;
	nest_init(&n);
	if (can_say && encode_abort(x, reason, &n, &e))
		session_u_abort(x->s, out_view(&n.ppdu));
	else
		session_u_abort(x->s, (struct view){ NULL, 0 });
	nest_fini(&n);
}

static void say_rtab(int64_t reason, struct err *e)
{
	const bool temporary = reason == RTSE_ABORT_TEMPORARY || reason == RTSE_ABORT_LOCAL_SYSTEM ||
			       reason == RTSE_ABORT_UNRECOGNIZED_ACTIVITY; /* begun anew it is another activity */
	err_set(e, temporary ? ERR_TEMP : ERR_PEER, ERR_OF_ASSOCIATION, "rtse: the peer aborted, reason %lld (%s)",
		(long long)reason, reason < 0 ? "not given" : rtse_abort_reason_name(reason));
}

/* Fills *e; returns RTSE's reason, -1 when there is none. */
static int64_t read_abort(struct x400 *x, struct view in, struct err *e)
{
	struct presentation_abort a;
	int64_t reason = -1;
	struct view apdu;
	bool provider = false;
	presentation_read_abort(&x->pres, in, x->work, &a);
	switch (a.what) {
	case PRESENTATION_ABORT_NO_DATA:
		layer_error(e, "session", "the peer aborted without saying why");
		break;
	case PRESENTATION_ABORT_UNREADABLE:
		layer_error(e, "presentation", "the peer aborted with user data that cannot be read");
		break;
	case PRESENTATION_ABORT_PROVIDER:
		layer_error(e, "presentation", "the peer's provider aborted, reason %lld, event %lld", (long long)a.reason,
			    (long long)a.event);
		break;
	case PRESENTATION_ABORT_X410:
		reason = a.reason;
		say_rtab(reason, e);
		break;
	case PRESENTATION_ABORT_USER:
		if (a.apdu.n == 0 || !acse_read_abrt(a.apdu, x->work, &apdu, &provider, e))
			layer_error(e, "presentation", "the peer's user aborted without a readable ABRT");
		else if (apdu.n == 0)
			layer_error(e, "acse", "the peer's %s aborted", provider ? "provider" : "user");
		else if (rtse_read_rtab(apdu, x->work, &reason, e))
			say_rtab(reason, e);
		break;
	}
	return reason;
}

void x400_on_u_abort(struct x400 *x, const struct session_event *ev)
{
	struct err e;
	const int64_t reason = read_abort(x, ev->bytes, &e);
	/* X.228 8.6: our discard came too late, the peer has the message (RT-20). */
	if (reason == RTSE_ABORT_TRANSFER_COMPLETED && x400_may_be_complete(x)) {
		x->tx_kept = false;
		x400_push(x, X400_TRANSFER_CONFIRMED);
	}
	/* Nobody is to blame for what is temporary, or not explained. */
	x->tx_kept = x->tx_kept && (reason < 0 || reason == RTSE_ABORT_TEMPORARY || reason == RTSE_ABORT_LOCAL_SYSTEM);
	x400_end(x, &e);
}
