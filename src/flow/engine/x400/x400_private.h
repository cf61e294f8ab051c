/* x400_private.h - what the four files of the association machine share: x400.c (API, states, timers),
 * x400_bind.c (begin and end of an association), x400_transfer.c (activities), x400_turn.c (the turn). */
#pragma once
#include "flow/engine/x400/acse.h"
#include "flow/engine/x400/mta_bind.h"
#include "flow/engine/x400/presentation.h"
#include "flow/engine/x400/rtse.h"
#include "flow/engine/x400/x400.h"
#include "flow/engine/x400/x410.h"

enum x400_state {
#define X400_STATE(name, words, wait, ms, holds) X400_S_##name,
#include "flow/engine/x400/x400_table.h"
	X400_S_COUNT
};

enum {
	X400_EVENTS_MAX = 4,
	REFERENCE_PART_MAX = SESSION_REF_MAX - 2, /* contents of one TLV */
	ACTIVITY_NUMBER_MAX = 0x7fffffff,         /* what 6 octets hold */
};

struct x400 {
	unsigned magic;
#define X400_MAGIC 0x0400a55eu
	struct x400_config c;    /* views point into `keep` */
	bool initiator;
	struct arena *keep;      /* as long as the association */
	struct arena *work;      /* one event: reset by x400_next */
	struct session *s;
	enum x400_state state;

	int64_t now, since;      /* the last time told; since when this state waits */
	bool stale;              /* `since` was set by a call that was told no time: the next one sets it */
	bool starved;            /* all octets given have been looked at */
	bool eof;                /* the transport connection is gone */
	struct err eof_why;

	enum x400_mode mode;     /* initiator: what it calls with; responder: found in CONNECT */
	bool bare_bind;          /* X.410 mode: the bind's values are not in [16] and [17] */
	struct presentation pres; /* normal mode; n is 0 in X.410 mode */
	struct rtse_open proposed, agreed;
	bool recover;            /* the bind being decided on */
	uint8_t tsel[2][SESSION_SELECTOR_MAX];
	struct view calling_tsel, called_tsel;

	struct {                 /* the turn, while it is not here: x400_turn.c */
		bool asked, unsaid; /* unsaid: session could not send PLEASE TOKENS yet */
		bool disputed;      /* the peer asked for it, so it is not there either */
		unsigned priority;
		int64_t since;
	} wish;

	uint32_t activities;     /* started by us */
	struct rtse_sender tx;
	bool tx_kept;            /* it can go on from tx_point */
	struct x400_resume tx_point; /* its reference lies in tx_reference */
	uint8_t tx_reference[3 * SESSION_REF_MAX];
	struct err tx_why;       /* DISCARDING, INTERRUPTING */

	struct rtse_reader *rx;
	uint64_t rx_octets;
	bool rx_cut;             /* an SSDU has ended inside its value */
	struct err rx_cut_why;
	uint32_t rx_synced, rx_confirmed; /* serials of the last minor sync received and confirmed */
	bool reading;            /* `part` is being walked */
	struct view part;
	bool part_last;

	struct x400_event events[X400_EVENTS_MAX];
	size_t n_events;
};

/* The only way a state changes. */
void x400_change(struct x400 *x, enum x400_state next);
/* The event x400_next gives next; zeroed but for its kind. */
struct x400_event *x400_push(struct x400 *x, enum x400_event_kind kind);

/* Ends the association with X400_ENDED; nothing is sent. */
void x400_end(struct x400 *x, const struct err *why);
/* The same with an abort of ours: RTAB in ABRT in ARU, or presentation's ARP. */
void x400_fail(struct x400 *x, enum rtse_abort_reason reason, const struct err *why);
void x400_fail_presentation(struct x400 *x, int64_t reason, int64_t event, const struct err *why);
void x400_send_abort(struct x400 *x, enum rtse_abort_reason reason);

/* For the table. */
bool x400_bound_holds(const struct x400 *x);
bool x400_peer_is_due(const struct x400 *x);

void x400_check_state(const struct x400 *x);

/* The session that the configured mode, or the modes that are taken, need. */
struct session_config x400_session_config(const struct x400 *x);
/* Initiator: queues the bind. */
void x400_bind_begin(struct x400 *x);
/* x400_recover.c */
MUST_CHECK bool x400_name_recovered(struct x400 *x, struct err *e); /* x->c.recovers into the proposal */
struct x400_reference x400_keep_recovered(struct x400 *x);          /* the proposal's, good as long as x */
struct view x400_activity_octets(uint64_t activity, uint8_t octets[SESSION_ACTIVITY_MAX]);
uint64_t x400_activity_number(struct view octets); /* 0: it is no INTEGER above 0 */
void x400_tx_begins(struct x400 *x, const struct x400_reference *r, uint64_t activity);
bool x400_may_be_complete(const struct x400 *x); /* that the peer has it all is what it can mean */
void x400_tx_synced(struct x400 *x, uint32_t serial);

/* RECEIVING: walks the part at hand until there is an event or it is used up. */
void x400_read_part(struct x400 *x);

/* x400_turn.c. say: sends a PLEASE TOKENS that had to wait. shown: the peer has begun a transfer. late: the deadline has passed. */
void x400_turn_say(struct x400 *x);
void x400_turn_shown(struct x400 *x);
int64_t x400_turn_deadline(const struct x400 *x);
void x400_turn_late(struct x400 *x);

typedef void x400_action_f(struct x400 *x, const struct session_event *ev);
x400_action_f x400_on_t_connected, x400_on_accepted, x400_on_refused, x400_on_t_connect, x400_on_connect;
x400_action_f x400_on_release, x400_on_released, x400_on_u_abort;
x400_action_f x400_on_start, x400_on_resume, x400_on_please, x400_on_give, x400_on_sync_confirm;
x400_action_f x400_on_exception, x400_on_end_confirm, x400_on_discarded, x400_on_interrupted, x400_on_late_stop, x400_on_data, x400_on_sync;
x400_action_f x400_on_end, x400_on_interrupt, x400_on_discard, x400_on_nothing;
