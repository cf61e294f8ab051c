/* x400_transfer.c - activities in both directions, and the turn. */
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
	/* X.228 8.3: an INTEGER, unique in the association; 1, 2, 3 ... */
	const uint32_t n = ++x->activities;
	uint8_t id[SESSION_ACTIVITY_MAX] = { 2 };
	size_t size = 1;
	while (size < 4 && n >> (8 * size - 1) > 0)
		size++;
	id[1] = (uint8_t)size;
	for (size_t i = 0; i < size; i++)
		id[2 + i] = (uint8_t)(n >> (8 * (size - 1 - i)));
	if (!session_activity_start(x->s, view_of(id, 2 + size), e))
		return false;
	rtse_sender_init(&x->tx, total, &x->agreed);
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

static void discard(struct x400 *x)
{
	enum { NON_SPECIFIC = 0 }; /* X.225 8.3.26 */
	struct err e;
	if (session_activity_discard(x->s, NON_SPECIFIC, &e))
		x400_change(x, X400_S_DISCARDING);
	else
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
}

void x400_transfer_discard(struct x400 *x)
{
	CHECK(x, X400_MAGIC);
	if (x->state != X400_S_SENDING && x->state != X400_S_ENDING)
		return;
	discard(x);
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
	if (x->state == X400_S_SENDING)
		x->since = x->now;
}

void x400_on_end_confirm(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	x400_push(x, X400_TRANSFER_CONFIRMED);
	x400_change(x, X400_S_OPEN);
}

/* An exception: nothing is ever resumed, so what was sent is given up (X.228 8.6.1, the discard of any severity). */
void x400_on_exception(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	discard(x);
}

void x400_on_discarded(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	err_set(&x400_push(x, X400_TRANSFER_FAILED)->err, ERR_TEMP, ERR_OF_ASSOCIATION,
		"rtse: the transfer was discarded after %llu of %llu octets", (unsigned long long)x->tx.sent,
		(unsigned long long)x->tx.total);
	x400_change(x, X400_S_OPEN);
}

void x400_on_nothing(struct x400 *x, const struct session_event *ev)
{
	(void)x;
	(void)ev;
}

/* --- inbound --- */

void x400_on_start(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	rtse_reader_reset(x->rx);
	x->rx_octets = 0;
	x->rx_synced = x->rx_confirmed = 0;
	x400_push(x, X400_TRANSFER_BEGIN);
	x400_change(x, X400_S_RECEIVING);
}

void x400_on_resume(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	struct err e;
	layer_error(&e, "rtse", "the peer resumes an activity that is not kept here");
	x400_fail(x, RTSE_ABORT_UNRECOGNIZED_ACTIVITY, &e);
}

void x400_on_data(struct x400 *x, const struct session_event *ev)
{
	x->reading = true;
	x->part = ev->bytes;
	x->part_last = ev->last;
}

static void fail_reading(struct x400 *x, const struct err *e)
{
	x->reading = false;
	if (rtse_reader_failed_below(x->rx))
		x400_fail_presentation(x, PPDU_ARP_INVALID_VALUE, PPDU_EVENT_TD, e);
	else
		x400_fail(x, RTSE_ABORT_PROTOCOL, e);
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
		if (x->mode == X400_NORMAL && x->part_last && !rtse_reader_end(x->rx, &e))
			fail_reading(x, &e);
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
	enum { LOCAL_SS_USER_ERROR = 5 }; /* X.225 8.3.28 */
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

void x400_on_interrupt(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	struct err e;
	if (!session_activity_interrupt_response(x->s, &e)) {
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
		return;
	}
	x400_push(x, X400_TRANSFER_ABORTED);
	x400_change(x, X400_S_OPEN);
}

void x400_on_discard(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	struct err e;
	if (!session_activity_discard_response(x->s, &e)) {
		x400_fail(x, RTSE_ABORT_LOCAL_SYSTEM, &e);
		return;
	}
	x400_push(x, X400_TRANSFER_ABORTED);
	x400_change(x, X400_S_OPEN);
}

/* --- turn --- */

static bool turn_allowed(const struct x400 *x, bool with, const char *what, struct err *e)
{
	if (x->state == X400_S_OPEN && x->agreed.two_way_alternate && session_has_turn(x->s) == with)
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "x400: turn %s in state \"%s\", %s dialogue, %s the turn", what,
		       x400_state_name(x), x->agreed.two_way_alternate ? "two-way alternate" : "monologue",
		       session_has_turn(x->s) ? "with" : "without");
}

bool x400_turn_please(struct x400 *x, unsigned priority, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (!turn_allowed(x, false, "asked for", e))
		return false;
	struct out rttp, data;
	out_init(&rttp, 64);
	out_init(&data, 64);
	bool good = rtse_rttp(priority, &rttp, e);
	if (x->mode != X400_NORMAL)
		good = good && session_tokens_please(x->s, out_view(&rttp), e);
	else
		good = good && presentation_user_data(&x->pres, PRESENTATION_RTSE, out_view(&rttp), &data, e) &&
		       session_tokens_please(x->s, out_view(&data), e);
	out_fini(&rttp);
	out_fini(&data);
	return good;
}

bool x400_turn_give(struct x400 *x, struct err *e)
{
	CHECK(x, X400_MAGIC);
	if (!turn_allowed(x, true, "given", e) || !session_control_give(x->s, e))
		return false;
	x->stale = true;
	x400_change(x, X400_S_OPEN); /* the wait for the next activity begins */
	return true;
}

/* Asking without saying how urgently is asking at priority 0, the highest. */
void x400_on_please(struct x400 *x, const struct session_event *ev)
{
	struct view value = ev->bytes;
	enum presentation_syntax syntax;
	unsigned priority = 0;
	struct err e;
	if (ev->bytes.n > 0) {
		if (x->mode == X400_NORMAL && !presentation_read_user_data(&x->pres, ev->bytes, x->work, &value, &syntax, &e)) {
			x400_fail_presentation(x, PPDU_ARP_INVALID_VALUE, PPDU_EVENT_TOKEN_PLEASE, &e);
			return;
		}
		if (!rtse_read_rttp(value, x->work, &priority, &e)) {
			x400_fail(x, RTSE_ABORT_PROTOCOL, &e);
			return;
		}
	}
	x400_push(x, X400_TURN_PLEASE)->priority = priority;
}

void x400_on_give(struct x400 *x, const struct session_event *ev)
{
	(void)ev;
	if (session_has_turn(x->s))
		x400_push(x, X400_TURN_GIVEN);
	x400_change(x, X400_S_OPEN);
}
