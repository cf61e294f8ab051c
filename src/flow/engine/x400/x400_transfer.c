/* x400_transfer.c - activities in both directions. */
#include "flow/engine/x400/x400_private.h"

/* Kept free in the output for the headers that go before, between and after a flight's octets. */
enum { ROOM_RESERVE = 64 };

/* --- outbound --- */

bool x400_can_transfer(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	return x->state == X400_S_OPEN && session_has_turn(x->s) && x->n_events == 0;
}

bool x400_transfer_begin(struct x400 *x, uint64_t total, int64_t now_ms, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (!x400_can_transfer(x))
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: transfer begun in state \"%s\" %s the turn",
			       x400_state_name(x), session_has_turn(x->s) ? "with" : "without");
	if (total == 0 || total > SIZE_MAX / 2)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "x400: a transfer of %llu octets", (unsigned long long)total);
	/* X.228 8.3: unique in the association; 1, 2, 3 ... */
	uint8_t id[SESSION_ACTIVITY_MAX];
	const struct x400_reference own = x400_reference(x);
	if (!session_activity_start(x->s, x400_activity_octets(++x->activities, id), e))
		return false;
	x400_tx_begins(x, &own, x->activities);
	rtse_sender_init(&x->tx, total, &x->agreed);
	x->now = now_ms;
	x400_change(x, X400_S_SENDING);
	return true;
}

static bool is_here(const struct x400_reference *r, const struct x400_reference *own)
{
	return (r->user.n == 0 && r->common.n == 0) ||
	       (view_eq(r->user, own->user) && view_eq(r->common, own->common) && view_eq(r->additional, own->additional));
}

bool x400_transfer_resume(struct x400 *x, const struct x400_resume *r, uint64_t total, int64_t now_ms, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (!x400_can_transfer(x))
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: transfer resumed in state \"%s\" %s the turn",
			       x400_state_name(x), session_has_turn(x->s) ? "with" : "without");
	if (total > SIZE_MAX / 2 || r->offset >= total || r->offset == 0 || r->serial == 0 || r->serial > RTSE_SERIAL_MAX ||
	    r->activity == 0 || r->activity > ACTIVITY_NUMBER_MAX)
		return err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "x400: activity %llu resumed at checkpoint %u, octet %llu of %llu",
			       (unsigned long long)r->activity, (unsigned)r->serial, (unsigned long long)r->offset,
			       (unsigned long long)total);
	uint8_t id[SESSION_ACTIVITY_MAX], old[SESSION_ACTIVITY_MAX];
	const struct x400_reference own = x400_reference(x);
	const bool here = is_here(&r->reference, &own);
	struct session_link from = { .old_activity = x400_activity_octets(r->activity, old), .serial = r->serial };
	if (!here) {
		from.user_ref = r->reference.user;
		from.common_ref = r->reference.common;
		from.additional_ref = r->reference.additional;
	}
	if (!session_activity_resume(x->s, x400_activity_octets(++x->activities, id), &from, e))
		return false;
	x400_tx_begins(x, here ? &own : &r->reference, r->activity);
	rtse_sender_resume(&x->tx, total, &x->agreed, r->serial, r->offset);
	x400_tx_synced(x, r->serial);
	x->now = now_ms;
	x400_change(x, X400_S_SENDING);
	return true;
}

size_t x400_transfer_room(const struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_SENDING)
		return 0;
	/* Between segments no SSDU is open, and session has no room to speak of. */
	const size_t waiting = out_len(session_out(x->s)), most = x->c.session.out_max;
	const size_t room = x->tx.segment_left > 0 ? session_data_room(x->s) : waiting < most ? most - waiting : 0;
	const uint64_t allowed = rtse_sender_allowed(&x->tx);
	if (room <= ROOM_RESERVE)
		return 0;
	return allowed < room - ROOM_RESERVE ? (size_t)allowed : room - ROOM_RESERVE;
}

static bool begin_segment(struct x400 *x, struct err *e)
{
	struct out header;
	if (!session_data_begin(x->s, e))
		return false;
	x->tx.segment_left = rtse_sender_segment(&x->tx);
	if (x->mode != X400_NORMAL)
		return true; /* the octets stand there by themselves */
	out_init(&header, ROOM_RESERVE);
	rtse_segment_header(presentation_id(&x->pres, PRESENTATION_RTSE), x->tx.segment_left, &header);
	assert(!header.bad);
	session_data_bytes(x->s, out_view(&header));
	out_fini(&header);
	return true;
}

static bool end_segment(struct x400 *x, struct err *e)
{
	session_data_end(x->s);
	if (x->tx.sent == x->tx.total) {
		x400_change(x, X400_S_ENDING);
		return session_activity_end(x->s, e);
	}
	if (!session_minor_sync(x->s, &x->tx.last_serial, e))
		return false;
	x->tx.unconfirmed++;
	return true;
}

static bool send_part(struct x400 *x, struct view part, struct err *e)
{
	while (part.n > 0) {
		if (x->tx.segment_left == 0 && !begin_segment(x, e))
			return false;
		const struct view v = view_first(part, x->tx.segment_left < part.n ? (size_t)x->tx.segment_left : part.n);
		session_data_bytes(x->s, v);
		x->tx.segment_left -= v.n;
		x->tx.sent += v.n;
		part = view_from(part, v.n);
		if (x->tx.segment_left == 0 && !end_segment(x, e))
			return false;
	}
	return true;
}

void x400_transfer_data(struct x400 *x, struct view part, int64_t now_ms)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_SENDING)
		return; /* ended meanwhile: the event that says so is on its way */
	assert(part.n <= rtse_sender_allowed(&x->tx));
	struct err e;
	x->now = x->since = now_ms;
	if (!send_part(x, part, &e))
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
}

enum exception { /* X.225 8.3.28, and the reasons of AI and AD */
	NON_SPECIFIC = 0, JEOPARDISED = 1, SEQUENCE_ERROR = 3, LOCAL_SS_USER_ERROR = 5, UNRECOVERABLE = 6, DEMAND_DATA_TOKEN = 128,
};

static const char *exception_name(unsigned reason)
{
	switch (reason) {
	case NON_SPECIFIC: return "non-specific error";
	case JEOPARDISED: return "receiving ability jeopardized";
	case SEQUENCE_ERROR: return "sequence error";
	case LOCAL_SS_USER_ERROR: return "local user error";
	case UNRECOVERABLE: return "unrecoverable procedural error";
	case DEMAND_DATA_TOKEN: return "demand data token";
	default: return "unknown reason";
	}
}

static void discard(struct x400 *x, const char *why)
{
	struct err e;
	x->tx_kept = false;
	err_set(&x->tx_why, ERR_TEMP, ERR_OF_ASSOCIATION, "rtse: the transfer was discarded after %llu of %llu octets: %s",
		(unsigned long long)x->tx.sent, (unsigned long long)x->tx.total, why);
	if (session_activity_discard(x->s, NON_SPECIFIC, &e))
		x400_change(x, X400_S_DISCARDING);
	else
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
}

/* X.228 8.6.2: with a checkpoint confirmed what the peer has is worth keeping, without one it is not. */
static void interrupt(struct x400 *x, const char *why)
{
	struct err e;
	if (!x->tx_kept || !x->c.resumes) {
		discard(x, why);
		return;
	}
	err_set(&x->tx_why, ERR_TEMP, ERR_OF_ASSOCIATION, "rtse: the transfer was interrupted after %llu of %llu octets, checkpoint %u is "
		"confirmed: %s", (unsigned long long)x->tx.sent, (unsigned long long)x->tx.total, (unsigned)x->tx_point.serial, why);
	if (session_activity_interrupt(x->s, NON_SPECIFIC, &e))
		x400_change(x, X400_S_INTERRUPTING);
	else
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
}

static bool is_sending(const struct x400 *x)
{
	return x->state == X400_S_SENDING || x->state == X400_S_ENDING;
}

void x400_transfer_discard(struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	if (!is_sending(x))
		return;
	discard(x, "by this side");
	x->stale = true;
}

void x400_transfer_interrupt(struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	if (!is_sending(x))
		return;
	interrupt(x, "by this side");
	x->stale = true;
}

void x400_on_sync_confirm(struct x400 *x, const struct session_event *ev)
{
	if (!rtse_sender_confirm(&x->tx, ev->serial)) {
		struct err e;
		layer_error(&e, "rtse", "minor sync %u confirmed, %u were out up to %u", (unsigned)ev->serial,
			    x->tx.unconfirmed, (unsigned)x->tx.last_serial);
		x400_fail(x, RTSE_ABORT_PROTOCOL, &e);
		return;
	}
	x400_tx_synced(x, ev->serial);
	x400_push(x, X400_TRANSFER_SYNCED)->resume = x->tx_point;
	if (x->state == X400_S_SENDING)
		x->since = x->now;
}

void x400_on_end_confirm(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	x->tx_kept = false;
	x400_push(x, X400_TRANSFER_CONFIRMED);
	x400_change(x, X400_S_OPEN);
}

/* X.228 8.6: what cannot be recovered from is given up; a provider that did not understand us would not do so again. */
void x400_on_exception(struct x400 *x, const struct session_event *ev)
{
	char why[100];
	snprintf(why, sizeof why, "the peer%s reported an exception, reason %u (%s)", ev->provider ? "'s provider" : "", ev->reason,
		 exception_name(ev->reason));
	if (ev->provider || ev->reason == UNRECOVERABLE)
		discard(x, why);
	else
		interrupt(x, why);
}

void x400_on_discarded(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	x400_push(x, X400_TRANSFER_FAILED)->err = x->tx_why;
	x400_change(x, X400_S_OPEN);
}

void x400_on_interrupted(struct x400 *x, const struct session_event *ev)
{
	x400_on_discarded(x, ev);
}

void x400_on_nothing(struct x400 *x, const struct session_event *ev)
{
	(void)x;
	(void)ev;
}

/* --- inbound --- */

void x400_on_start(struct x400 *x, const struct session_event *ev)
{
	rtse_reader_reset(x->rx);
	x->rx_cut = false;
	x->rx_octets = 0;
	x->rx_synced = x->rx_confirmed = 0;
	x400_turn_shown(x);
	x400_push(x, X400_TRANSFER_BEGIN)->activity = x400_activity_number(ev->activity);
	x400_change(x, X400_S_RECEIVING);
}

void x400_on_resume(struct x400 *x, const struct session_event *ev)
{
	const struct session_link *from = &ev->from;
	rtse_reader_reset(x->rx);
	x->rx_cut = false;
	x->rx_octets = 0;
	x->rx_synced = x->rx_confirmed = from->serial;
	x400_turn_shown(x);
	struct x400_event *out = x400_push(x, X400_TRANSFER_RESUME);
	out->activity = x400_activity_number(ev->activity);
	out->resume = (struct x400_resume){
		.reference = { from->user_ref, from->common_ref, from->additional_ref },
		.activity = x400_activity_number(from->old_activity),
		.serial = from->serial,
	};
	x400_change(x, X400_S_RESUMING);
}

static bool not_resuming(const struct x400 *x, const char *what, struct err *e)
{
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: a resumed transfer %s in state \"%s\"", what, x400_state_name(x));
}

bool x400_resume_accept(struct x400 *x, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_RESUMING)
		return not_resuming(x, "accepted", e);
	x400_change(x, X400_S_RECEIVING);
	x->stale = true;
	return true;
}

bool x400_resume_refuse(struct x400 *x, int64_t now_ms, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_RESUMING)
		return not_resuming(x, "refused", e);
	struct err why;
	x->now = now_ms;
	err_set(&why, ERR_TEMP, ERR_OF_ASSOCIATION, "rtse: the peer resumes an activity that is not kept here, want it anew");
	x400_fail(x, RTSE_ABORT_UNRECOGNIZED_ACTIVITY, &why);
	return true;
}

static void fail_reading(struct x400 *x, const struct err *e)
{
	x->reading = false;
	if (rtse_reader_failed_below(x->rx))
		x400_fail_presentation(x, PPDU_ARP_INVALID_VALUE, PPDU_EVENT_TD, e);
	else
		x400_fail(x, RTSE_ABORT_PROTOCOL, e);
}

/* An SSDU ended inside its value. Before ACTIVITY INTERRUPT and ACTIVITY DISCARD that is how it has to be: session lets nothing
 * else come before its end (X.225 7.31). */
static bool was_cut(struct x400 *x)
{
	if (x->rx_cut)
		fail_reading(x, &x->rx_cut_why);
	return x->rx_cut;
}

void x400_on_data(struct x400 *x, const struct session_event *ev)
{
	if (was_cut(x))
		return;
	x->reading = true;
	x->part = ev->bytes;
	x->part_last = ev->last;
}

/* In X.410 mode the user data are the octets. */
static enum step next_octets(struct x400 *x, struct view *octets_r, struct err *e)
{
	if (x->mode == X400_NORMAL)
		return rtse_reader_next(x->rx, &x->part, octets_r, e);
	*octets_r = x->part;
	x->part.n = 0;
	return octets_r->n > 0 ? STEP_DONE : STEP_WAIT;
}

void x400_read_part(struct x400 *x)
{
	struct view octets;
	struct err e;
	const enum step step = next_octets(x, &octets, &e);
	if (step == STEP_FAIL) {
		fail_reading(x, &e);
	} else if (step == STEP_WAIT) {
		x->reading = false;
		x->rx_cut = x->mode == X400_NORMAL && x->part_last && !rtse_reader_end(x->rx, &x->rx_cut_why);
	} else if (x->c.apdu_max > 0 && octets.n > x->c.apdu_max - x->rx_octets) {
		x->reading = false;
		layer_error(&e, "rtse", "a transfer of more than %zu octets", x->c.apdu_max);
		x400_fail(x, RTSE_ABORT_PERMANENT, &e);
	} else {
		x->rx_octets += octets.n;
		x400_push(x, X400_TRANSFER_DATA)->bytes = octets;
	}
}

/* More outstanding than the window are taken: peers count differently (ISODE has one more out). */
void x400_on_sync(struct x400 *x, const struct session_event *ev)
{
	if (was_cut(x))
		return;
	if (x->rx_synced == 0)
		x->rx_confirmed = ev->serial - 1; /* serials go on from activity to activity or start at 1 */
	x->rx_synced = ev->serial;
	x400_push(x, X400_TRANSFER_CHECKPOINT)->serial = ev->serial;
}

void x400_checkpoint_confirm(struct x400 *x, uint32_t serial)
{
	CHECK(x, X400_MAGIC);
	struct err e;
	if (x->state != X400_S_RECEIVING && x->state != X400_S_RECEIVED)
		return; /* the peer has given the transfer up meanwhile */
	if (serial <= x->rx_confirmed || serial > x->rx_synced)
		return; /* confirmed by a later one, or of an activity that is over */
	x->stale = true;
	if (session_minor_sync_response(x->s, serial, &e))
		x->rx_confirmed = serial;
	else
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
}

void x400_on_end(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	if (was_cut(x))
		return;
	x400_push(x, X400_TRANSFER_END);
	x400_change(x, X400_S_RECEIVED);
}

bool x400_transfer_accept(struct x400 *x, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_RECEIVED)
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: transfer accepted in state \"%s\"",
			       x400_state_name(x));
	if (!session_activity_end_response(x->s, e))
		return false;
	x->stale = true;
	x400_change(x, X400_S_OPEN);
	return true;
}

bool x400_transfer_refuse(struct x400 *x, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_RECEIVED && x->state != X400_S_RECEIVING)
		return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: transfer refused in state \"%s\"",
			       x400_state_name(x));
	if (!session_exception_report(x->s, LOCAL_SS_USER_ERROR, e))
		return false;
	x->reading = false;
	x->stale = true;
	x400_change(x, X400_S_EXCEPTED);
	return true;
}

static void stopped(struct x400 *x, bool answered, enum x400_event_kind kind, const struct err *e)
{
	if (!answered) {
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, e);
		return;
	}
	x400_push(x, kind);
	x400_change(x, X400_S_OPEN);
}

void x400_on_interrupt(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	struct err e;
	stopped(x, session_activity_interrupt_response(x->s, &e), X400_TRANSFER_INTERRUPTED, &e);
}

void x400_on_discard(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	struct err e;
	stopped(x, session_activity_discard_response(x->s, &e), X400_TRANSFER_ABORTED, &e);
}

/* The transfer is ours already: the peer has to know that it must not send it again (X.228 8.6, RT-20). */
void x400_on_late_stop(struct x400 *x, const struct session_event *ev)
{
	struct err e;
	err_set(&e, ERR_TEMP, ERR_OF_ASSOCIATION, "rtse: %s from the peer crossed the confirmation of its transfer",
		session_event_name(ev->kind));
	x400_fail(x, RTSE_ABORT_TRANSFER_COMPLETED, &e);
}
