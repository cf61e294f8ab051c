/* rtse.h - reliable transfer (X.228): its APDUs (x410.h has what X.410 mode does otherwise) read and written, what two sides agree on, how octets
 * to be sent are cut at checkpoints, and how octets received are picked out of P-DATA as they come. */
#pragma once
#include "flow/codec/osi/rtse_apdu.h"
#include "flow/engine/x400/layer.h"
#include "flow/engine/x400/presentation.h"

enum {
	RTSE_CHECKPOINT_UNIT = 1024,
	RTSE_WINDOW_DEFAULT = 3,
	RTSE_SERIAL_MAX = 999998, /* of a minor sync: ACTIVITY END takes one more (X.225 8.3.20) */
};

struct rtse_open {
	unsigned checkpoint_size; /* in units of 1024 octets, 0: none */
	unsigned window;
	bool two_way_alternate;   /* RTORQ */
	bool recover;             /* of an old association: `recovers` names it, `user_data` is empty */
	struct rtse_apdu_recover recovers;
	struct view user_data;    /* the bind's value */
	int64_t application_protocol; /* RTORQ, X.410 mode; 0: absent */
};

/* Between that and the APDU's table: what they have in common in every mode. take: as rtse_read_ below. */
void rtse_fill_rtorq(const struct rtse_open *v, struct rtse_apdu_rtorq *apdu_r);
void rtse_fill_rtoac(const struct rtse_open *v, struct rtse_apdu_rtoac *apdu_r);
MUST_CHECK bool rtse_take_rtorq(const struct rtse_apdu_rtorq *apdu, struct rtse_open *v_r, struct err *e);
MUST_CHECK bool rtse_take_rtoac(const struct rtse_apdu_rtoac *apdu, struct rtse_open *v_r, struct err *e);

/* Each appends one APDU. False: ERR_LOCAL. */
MUST_CHECK bool rtse_rtorq(const struct rtse_open *v, struct out *o, struct err *e);
MUST_CHECK bool rtse_rtoac(const struct rtse_open *v, struct out *o, struct err *e);
MUST_CHECK bool rtse_rtorj(struct view user_data, struct out *o, struct err *e);
MUST_CHECK bool rtse_rtab(enum rtse_abort_reason reason, struct out *o, struct err *e);
MUST_CHECK bool rtse_rttp(unsigned priority, struct out *o, struct err *e);

/* Sizes over what an unsigned holds are given as UINT_MAX; negative ones fail. */
MUST_CHECK bool rtse_read_rtorq(struct view in, struct arena *a, struct rtse_open *v_r, struct err *e);
MUST_CHECK bool rtse_read_rtoac(struct view in, struct arena *a, struct rtse_open *v_r, struct err *e);
MUST_CHECK bool rtse_read_rtorj(struct view in, struct arena *a, struct view *user_data_r, struct err *e);
MUST_CHECK bool rtse_read_rtab(struct view in, struct arena *a, int64_t *reason_r, struct err *e); /* -1: absent */
MUST_CHECK bool rtse_read_rttp(struct view in, struct arena *a, unsigned *priority_r, struct err *e);

/* What a responder answers to a proposal, given the most it takes: never more than was proposed (X.228 8.1). */
struct rtse_open rtse_answer(const struct rtse_open *proposed, const struct rtse_open *own);
/* What an initiator works with: an answer over the proposal counts as the proposal, but a proposal of no
 * checkpoints that is answered with a size takes the size (RT-06: zero invites the responder to choose). */
struct rtse_open rtse_agree(const struct rtse_open *proposed, const struct rtse_open *answered);

/* --- sending: one activity cut into segments of one RTTR each --- */

struct rtse_sender {
	uint64_t total, sent;       /* octets; sent <= total */
	uint64_t segment_left;      /* octets of the open segment still to come, 0: none open */
	uint64_t checkpoint_octets; /* 0: one segment for all */
	unsigned window;            /* at least 1 */
	uint32_t last_serial;       /* of the last minor sync sent */
	uint32_t base_serial;       /* of the checkpoint after which a resumed activity goes on; 0: begun */
	uint64_t base;              /* octets before that */
	unsigned unconfirmed;       /* minor syncs; <= window */
};

void rtse_sender_init(struct rtse_sender *s, uint64_t total, const struct rtse_open *agreed);
/* The same for an activity that goes on after a checkpoint with `offset` octets before it; offset < total. */
void rtse_sender_resume(struct rtse_sender *s, uint64_t total, const struct rtse_open *agreed, uint32_t serial, uint64_t offset);
/* Octets before a checkpoint that was sent, or after which it goes on. */
uint64_t rtse_sender_offset(const struct rtse_sender *s, uint32_t serial);
/* Octets that may be sent before a confirmation is needed. */
uint64_t rtse_sender_allowed(const struct rtse_sender *s);
/* Length of the segment that starts now; none is open and `allowed` is not 0. */
uint64_t rtse_sender_segment(const struct rtse_sender *s);
/* A confirmation confirms all minor syncs up to it. False: no such one is out. */
MUST_CHECK bool rtse_sender_confirm(struct rtse_sender *s, uint32_t serial);

/* Identifiers and lengths before the n octets of a segment: 61 30 02 a0 04 (X.226 8.4.2, X.228 RTTR). */
void rtse_segment_header(int64_t context, uint64_t n, struct out *o);

/* --- receiving: P-DATA in parts, RTTR's octets out; keeps nothing --- */

struct rtse_reader;

struct rtse_reader *rtse_reader_new(const struct presentation *p); /* *p outlives it */
void rtse_reader_free(struct rtse_reader **r);
/* Forgets an SSDU that was not read to its end. */
void rtse_reader_reset(struct rtse_reader *r);

/* Takes from *in. DONE: *octets_r, good until the next call, is part of the RTTR; WAIT: *in is used up. */
MUST_CHECK enum step rtse_reader_next(struct rtse_reader *r, struct view *in, struct view *octets_r, struct err *e);
/* The SSDU has ended: false if its value has not. Makes ready for the next one. */
MUST_CHECK bool rtse_reader_end(struct rtse_reader *r, struct err *e);
/* After a failure: it was presentation's rule that was broken (answer ARP), not RTSE's (answer RTAB). */
bool rtse_reader_failed_below(const struct rtse_reader *r);
