/* envelope.h - P1\xxxxxxxx.P1, the envelope of one message in transit: all recipients with who is responsible, and the hops it has made
 * (facts A8). The real layout is not public: this one is ours, FIPS 98 framed like a MAI, with a version element, and marked as such. It is
 * also how interchange and converter tell each other recipients and their outcomes. */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/mai.h"

struct mm_recipient {
	struct mm_address address;
	uint32_t number;           /* X.411 originally-specified-recipient-number; 0: not from X.400 */
	bool responsible;          /* of whom reads this file */
	bool is_cc;
	bool wants_delivery_report;/* from X.400: the gateway makes it */
	char bag[MM_ID_LENGTH + 1];/* mailbag here that it was placed in; "": not yet, or it is for X.400 */
	uint16_t tries;            /* failed attempts so far (A9 retry) */
	int notice;                /* converter's answer: [nnn] why this one cannot be; 0: it can */
	int reason, diagnostic;    /* X.411, beside a notice; -1 none */
	struct view why;           /* one sentence, beside a notice */
	struct view oraddr;        /* converter's answer towards X.400: the O/R address as text (display; the packed message has it too) */
};

struct mm_hop { char network[MM_NAME_MAX + 1], postoffice[MM_NAME_MAX + 1]; };

/* Whoever works on a message changes the state as the one step that counts, so that a crash on either side of it is told apart. */
enum mm_state {
	MM_UNREADY, /* its writer has not ended: nobody takes a record that names it */
	MM_READY,   /* it lies in INQUEUE3, or in the outbound bags that its recipients say */
	MM_PLACING, /* its recipients are being put into bags of this postoffice: only who holds INQUEUE3 goes on with it */
};

struct mm_envelope {
	struct mm_id mai;
	enum mm_state state;
	struct mm_address from;
	struct mm_recipient *recipients;
	size_t n;
	struct mm_hop *hops;       /* the first one first; the one that wrote the file is last */
	size_t n_hops;
	struct mm_date date;       /* composed */
	wall_ms_t arrived;         /* at the postoffice that holds it, by its own clock: expiry counts from here */
	wall_ms_t first_failed;    /* 0: no attempt has failed yet */
	char priority;
	uint32_t size;
	struct view *extra;
	size_t n_extra;
};

enum {
	MM_ENVELOPE_VERSION = 1,
	MM_ENVELOPE_STATE_AT = 16, /* where the state's octet lies in every P1 of this version, so that one small write changes it */
};
/* Fails ERR_PERM, message, 1/12: a corrupt one, or of another version ([024]). Unknown elements are kept in extra; inside a recipient they
 * are passed over. Views point into `file`. */
MUST_CHECK bool mm_envelope_parse(struct view file, struct mm_envelope *v_r, struct arena *a, struct err *e);
/* Appends it. Fails ERR_LOCAL, message, when *o is full. */
MUST_CHECK bool mm_envelope_print(const struct mm_envelope *v, struct out *o, struct err *e);
/* The sender is to be told of some recipient. */
bool mm_envelope_has_notices(const struct mm_envelope *v);
